// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* One operation that may wait, of any kind, within any bounds. */
#include <errno.h>

#include "internal.h"

int chan_patience(struct chan_patience *patience, const struct chan_bounds *bounds)
{
	*patience = (struct chan_patience){ 0 };
	if (!bounds)
		return 0;
	if (!!bounds->deadline + !!bounds->deadline_realtime + !!bounds->deadline_boottime > 1)
		return chan_fail(EINVAL);
	patience->deadline = bounds->deadline | bounds->deadline_realtime |
			     bounds->deadline_boottime;
	patience->flags = (patience->deadline ? KCHAN_DEADLINE : 0) |
			  (bounds->deadline_realtime ? KCHAN_CLOCK_REALTIME : 0) |
			  (bounds->deadline_boottime ? KCHAN_CLOCK_BOOTTIME : 0);
	patience->cancel = OBJECT(bounds->cancel);
	return 0;
}

/* Older modules take it, too, where what they do not know is 0: there is no cargo. */
int chan_message(const struct chan_object *o, unsigned long request, const void *buf,
		 uint64_t cargo, uint32_t flags, int64_t deadline)
{
	struct kchan_msg msg = {
		.size = sizeof(msg),
		.flags = flags,
		.buf = (uintptr_t)buf,
		.len = (uint32_t)o->elem_size,
		.deadline = deadline,
		.ancillary = cargo,
	};

	return chan_ioctl(o, request, &msg);
}

int chan_operation(struct chan_case *op, const struct chan_patience *patience)
{
	struct kchan_wait wait = {
		.size = sizeof(wait),
		.flags = patience->flags,
		.op = op->op,
		.index = op->index,
		.arg = op->arg,
		.deadline = patience->deadline,
	};
	int ret = chan_ioctl(op->on, KCHAN_WAIT, &wait);

	op->value = wait.value;
	return ret;
}

int chan_unless_cancelled(struct chan_case *op, const struct chan_patience *patience)
{
	if (chan_choose(op, 1, KCHAN_IN_ORDER, patience) < 0)
		return -1;
	return op->result < 0 ? chan_fail(op->error) : op->result;
}

int chan_wait_with(struct chan_case op, uint64_t *value, const struct chan_bounds *bounds)
{
	struct chan_patience patience;

	if (chan_patience(&patience, bounds))
		return op.on ? -1 : chan_fail(EBADF);
	return chan_wait(op, value, &patience);
}
