// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Elements on their way, and what travels with them: send, receive, and the range loop. */
#include <errno.h>

#include "internal.h"

/* It goes to the kernel as it is. */
#define SAME(FIELD, THEIRS)                                                                    \
	_Static_assert(offsetof(struct chan_cargo, FIELD) ==                                   \
		       offsetof(struct kchan_ancillary, THEIRS), "one layout, two names")

_Static_assert(sizeof(struct chan_cargo) == sizeof(struct kchan_ancillary),
	       "one layout, two names");
SAME(size, size);
SAME(flags, flags);
SAME(handles, handles);
SAME(n, nr);
SAME(pid, pid);
SAME(uid, uid);
SAME(gid, gid);

CHAN_WAITS(chan, send, chan_on_send(c, value), NULL, struct chan *c, const void *value);
CHAN_WAITS(chan, recv, chan_on_recv(c, value), NULL, struct chan *c, void *value);
CHAN_WAITS(chan, send_cargo, chan_on_send_cargo(c, value, cargo), NULL, struct chan *c,
	   const void *value, const struct chan_cargo *cargo);
CHAN_WAITS(chan, recv_cargo, chan_on_recv_cargo(c, value, cargo), NULL, struct chan *c,
	   void *value, struct chan_cargo *cargo);

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
