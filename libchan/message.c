// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Elements on their way: send, receive, and the range loop. */
#include <errno.h>

#include <linux/kchan.h>

#include "internal.h"

/*
 * Without the check of NULL a receive would find out only when an element is
 * there to be copied.
 */
static int transfer(const struct chan *c, unsigned long request, const void *value,
		    unsigned int flags, int64_t deadline)
{
	struct kchan_msg msg = {
		.size = sizeof(msg),
		.flags = flags,
		.buf = (uintptr_t)value,
		.deadline = deadline,
	};

	if (!c)
		return chan_fail(EBADF);
	if (!value && c->elem_size)
		return chan_fail(EFAULT);
	msg.len = (uint32_t)c->elem_size;
	return chan_call(c, request, &msg);
}

static int transfer_until(const struct chan *c, unsigned long request, const void *value,
			  clockid_t clock, int64_t deadline)
{
	int flags = chan_clock_flags(clock);

	if (flags < 0)
		return c ? -1 : chan_fail(EBADF);
	return transfer(c, request, value, (unsigned int)flags, deadline);
}

EXPORT int chan_send(struct chan *c, const void *value)
{
	return transfer(c, KCHAN_SEND, value, 0, 0);
}

EXPORT int chan_try_send(struct chan *c, const void *value)
{
	return transfer(c, KCHAN_SEND, value, KCHAN_NONBLOCK, 0);
}

EXPORT int chan_send_until(struct chan *c, const void *value, int64_t deadline)
{
	return transfer(c, KCHAN_SEND, value, KCHAN_DEADLINE, deadline);
}

EXPORT int chan_send_clock(struct chan *c, const void *value, clockid_t clock, int64_t deadline)
{
	return transfer_until(c, KCHAN_SEND, value, clock, deadline);
}

EXPORT int chan_recv(struct chan *c, void *value)
{
	return transfer(c, KCHAN_RECV, value, 0, 0);
}

EXPORT int chan_try_recv(struct chan *c, void *value)
{
	return transfer(c, KCHAN_RECV, value, KCHAN_NONBLOCK, 0);
}

EXPORT int chan_recv_until(struct chan *c, void *value, int64_t deadline)
{
	return transfer(c, KCHAN_RECV, value, KCHAN_DEADLINE, deadline);
}

EXPORT int chan_recv_clock(struct chan *c, void *value, clockid_t clock, int64_t deadline)
{
	return transfer_until(c, KCHAN_RECV, value, clock, deadline);
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
