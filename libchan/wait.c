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

/* Without cargo it is as short as in version 1, which every module takes. */
static int message(const struct chan_case *op, const struct chan_patience *patience)
{
	struct kchan_msg msg = {
		.size = op->arg ? sizeof(msg) : offsetof(struct kchan_msg, ancillary),
		.flags = patience->flags,
		.buf = (uintptr_t)op->buf,
		.len = (uint32_t)op->on->elem_size,
		.deadline = patience->deadline,
		.ancillary = op->arg,
	};

	return chan_ioctl(op->on, op->op == CHAN_OP_SEND ? KCHAN_SEND : KCHAN_RECV, &msg);
}

static int operation(struct chan_case *op, const struct chan_patience *patience)
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

static int unless_cancelled(struct chan_case *op, const struct chan_patience *patience)
{
	if (chan_choose(op, 1, KCHAN_IN_ORDER, patience) < 0)
		return -1;
	return op->result < 0 ? chan_fail(op->error) : op->result;
}

int chan_wait(struct chan_case op, uint64_t *value, const struct chan_patience *patience)
{
	int ret;

	if (chan_check(&op))
		return -1;
	if (patience->cancel)
		ret = unless_cancelled(&op, patience);
	else if (chan_is_message(&op))
		ret = message(&op, patience);
	else
		ret = operation(&op, patience);
	if (value && ret >= 0)
		*value = op.value;
	return ret;
}

int chan_wait_plain(struct chan_case op, uint64_t *value)
{
	return chan_wait(op, value, &(struct chan_patience){ 0 });
}

int chan_wait_try(struct chan_case op, uint64_t *value)
{
	return chan_wait(op, value, &(struct chan_patience){ .flags = KCHAN_NONBLOCK });
}

int chan_wait_until(struct chan_case op, uint64_t *value, int64_t deadline)
{
	return chan_wait(op, value, &(struct chan_patience){
		.flags = KCHAN_DEADLINE,
		.deadline = deadline,
	});
}

int chan_wait_with(struct chan_case op, uint64_t *value, const struct chan_bounds *bounds)
{
	struct chan_patience patience;

	if (chan_patience(&patience, bounds))
		return op.on ? -1 : chan_fail(EBADF);
	return chan_wait(op, value, &patience);
}
