// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Elements on their way: send, receive, and the range loop. */
#include <errno.h>

#include "internal.h"

CHAN_WAITS(chan, send, chan_on_send(c, value), NULL, struct chan *c, const void *value);
CHAN_WAITS(chan, recv, chan_on_recv(c, value), NULL, struct chan *c, void *value);

static int wait_clock(struct chan_case op, clockid_t clock, int64_t deadline)
{
	int flags = chan_clock_flags(clock);
	struct chan_patience patience = { .flags = (uint32_t)flags, .deadline = deadline };

	if (flags < 0)
		return op.on ? -1 : chan_fail(EBADF);
	return chan_wait(op, NULL, &patience);
}

EXPORT int chan_send_clock(struct chan *c, const void *value, clockid_t clock, int64_t deadline)
{
	return wait_clock(chan_on_send(c, value), clock, deadline);
}

EXPORT int chan_recv_clock(struct chan *c, void *value, clockid_t clock, int64_t deadline)
{
	return wait_clock(chan_on_recv(c, value), clock, deadline);
}

EXPORT int chan_next(struct chan *c, void *value)
{
	int ret;

	do {
		ret = chan_recv(c, value);
	} while (ret < 0 && errno == EINTR);
	if (ret == 0)
		errno = 0;
	return ret > 0;
}
