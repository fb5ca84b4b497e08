// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Select: cases into the kernel, and the outcome of one of them back. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

/* So many cases, a cancel among them, need no memory of ours. */
#define FEW 17

_Static_assert(CHAN_CASES_MAX == KCHAN_MAX_CASES, "one limit, two names");
_Static_assert(CHAN_CELLS_MAX == KCHAN_MAX_CELLS, "one limit, two names");
_Static_assert(CHAN_TRY == KCHAN_NONBLOCK, "one flag, two names");
_Static_assert(CHAN_IN_ORDER == KCHAN_IN_ORDER, "one flag, two names");
_Static_assert(CHAN_READY == KCHAN_READY, "one flag, two names");
_Static_assert(CHAN_OP_SEND == KCHAN_OP_SEND, "one operation, two names");
_Static_assert(CHAN_OP_RECV == KCHAN_OP_RECV, "one operation, two names");
_Static_assert(CHAN_OP_ADD == KCHAN_OP_ADD, "one operation, two names");
_Static_assert(CHAN_OP_ZERO == KCHAN_OP_ZERO, "one operation, two names");
_Static_assert(CHAN_OP_LOCK == KCHAN_OP_LOCK, "one operation, two names");
_Static_assert(CHAN_OP_RLOCK == KCHAN_OP_RLOCK, "one operation, two names");
_Static_assert(CHAN_OP_TICK == KCHAN_OP_TICK, "one operation, two names");
_Static_assert(CHAN_OP_DIFFERS == KCHAN_OP_DIFFERS, "one operation, two names");
_Static_assert(CHAN_OP_CANCELLED == KCHAN_OP_CANCELLED, "one operation, two names");

static int translate(struct kchan_case *to, const struct chan_case *from, size_t n)
{
	for (; n; n--, to++, from++) {
		*to = (struct kchan_case){ .fd = -1 };
		if (!from->on)
			continue;
		if (chan_check(from))
			return -1;
		*to = (struct kchan_case){
			.fd = from->on->fd,
			.op = from->op,
			.buf = (uintptr_t)from->buf,
			.len = chan_is_message(from) ? (uint32_t)from->on->elem_size : 0,
			.index = from->index,
			.arg = from->arg,
		};
	}
	return 0;
}

/* Any object will do to get into the kernel; where there is none, the device. */
static int select_on(struct kchan_select *select, const struct chan_case *cases, size_t n,
		     const struct chan_object *cancel)
{
	for (; n && !cancel; n--, cases++)
		cancel = cases->on;
	return cancel ? chan_ioctl(cancel, KCHAN_SELECT, select) :
			chan_device_call(KCHAN_SELECT, select);
}

/* What was only looked at has no outcome, even where the kernel has one. */
static void tell(struct chan_case *chosen, uint32_t how, int outcome, uint64_t value)
{
	if (how & CHAN_READY)
		outcome = 0;
	chosen->result = outcome > 1 ? -1 : outcome;
	chosen->error = outcome > 1 ? outcome : 0;
	chosen->value = value;
}

/* @all has room for @n cases and one. */
static int choose(struct kchan_case *all, struct chan_case *cases, size_t n, uint32_t how,
		  const struct chan_patience *patience)
{
	int first = patience->cancel ? 1 : 0, ret, index;
	struct kchan_select select = {
		.size = sizeof(select),
		.flags = how | patience->flags,
		.cases = (uintptr_t)all,
		.nr = (uint32_t)(n + first),
		.case_size = sizeof(*all),
		.deadline = patience->deadline,
	};

	if (first)
		*all = (struct kchan_case){ .fd = patience->cancel->fd, .op = KCHAN_OP_CANCELLED };
	if (translate(all + first, cases, n))
		return -1;
	ret = select_on(&select, cases, n, patience->cancel);
	if (ret < 0)
		return -1;
	index = (ret & ((1 << KCHAN_OUTCOME_SHIFT) - 1)) - first;
	if (index < 0)
		return chan_fail(ECANCELED);
	tell(&cases[index], how, ret >> KCHAN_OUTCOME_SHIFT, select.value);
	return index;
}

int chan_choose(struct chan_case *cases, size_t n, uint32_t how,
		const struct chan_patience *patience)
{
	struct kchan_case few[FEW], *all = few;
	int ret, errnum;

	if (n > CHAN_CASES_MAX)
		return chan_fail(E2BIG);
	if (n && !cases)
		return chan_fail(EFAULT);
	if (n >= FEW)
		all = calloc(n + 1, sizeof(*all));
	if (!all)
		return -1;
	ret = choose(all, cases, n, how, patience);
	errnum = errno;
	if (all != few)
		free(all);
	errno = errnum;
	return ret;
}

EXPORT int chan_select(struct chan_case *cases, size_t n)
{
	return chan_choose(cases, n, 0, &(struct chan_patience){ 0 });
}

EXPORT int chan_try_select(struct chan_case *cases, size_t n)
{
	return chan_choose(cases, n, CHAN_TRY, &(struct chan_patience){ 0 });
}

EXPORT int chan_select_until(struct chan_case *cases, size_t n, int64_t deadline)
{
	return chan_choose(cases, n, 0, &(struct chan_patience){
		.flags = KCHAN_DEADLINE,
		.deadline = deadline,
	});
}

EXPORT int chan_select_with(struct chan_case *cases, size_t n, unsigned int how,
			    const struct chan_bounds *bounds)
{
	struct chan_patience patience;

	if (how & ~(CHAN_TRY | CHAN_IN_ORDER | CHAN_READY))
		return chan_fail(EINVAL);
	if (chan_patience(&patience, bounds))
		return -1;
	return chan_choose(cases, n, how, &patience);
}
