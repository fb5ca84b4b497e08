// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Cancels. */
#include <errno.h>

#include "internal.h"

EXPORT struct chan_cancel *chan_cancel_make_with(const struct chan_bounds *bounds)
{
	struct kchan_create create = { .kind = CHAN_KIND_CANCEL };
	struct chan_patience patience;

	if (chan_patience(&patience, bounds))
		return NULL;
	create.flags = patience.flags;
	create.deadline = patience.deadline;
	if (patience.cancel) {
		create.flags |= KCHAN_CHILD;
		create.parent = patience.cancel->fd;
	}
	return (struct chan_cancel *)chan_create_with(&create);
}

EXPORT struct chan_cancel *chan_cancel_make(void)
{
	return chan_create(CHAN_KIND_CANCEL, 0);
}

EXPORT struct chan_cancel *chan_cancel_make_until(int64_t deadline)
{
	struct kchan_create create = {
		.kind = CHAN_KIND_CANCEL,
		.flags = KCHAN_DEADLINE,
		.deadline = deadline,
	};

	return (struct chan_cancel *)chan_create_with(&create);
}

static struct chan_cancel *child(const struct chan_cancel *parent, uint32_t flags,
				 int64_t deadline)
{
	struct kchan_create create = {
		.kind = CHAN_KIND_CANCEL,
		.flags = KCHAN_CHILD | flags,
		.parent = chan_cancel_fd(parent),
		.deadline = deadline,
	};

	return parent ? (struct chan_cancel *)chan_create_with(&create) : NULL;
}

EXPORT struct chan_cancel *chan_cancel_child(struct chan_cancel *parent)
{
	return child(parent, 0, 0);
}

EXPORT struct chan_cancel *chan_cancel_child_until(struct chan_cancel *parent, int64_t deadline)
{
	return child(parent, KCHAN_DEADLINE, deadline);
}

EXPORT int chan_cancel(struct chan_cancel *cancel, int cause)
{
	return chan_ioctl_arg(cancel, KCHAN_CANCEL, cause);
}

EXPORT int chan_cancel_cause(const struct chan_cancel *cancel)
{
	struct chan_object_stat stat;

	return chan_cancel_stat(cancel, &stat) ? -1 : (int)stat.value;
}

/* A wait for a cancel ends with its cause. */
static int cause_of(int ret, uint64_t cause)
{
	return ret < 0 ? -1 : (int)cause;
}

EXPORT int chan_cancel_wait(struct chan_cancel *cancel)
{
	uint64_t cause = 0;
	int ret = chan_wait_plain(chan_on_cancel(cancel), &cause);

	return cause_of(ret, cause);
}

EXPORT int chan_cancel_try_wait(struct chan_cancel *cancel)
{
	uint64_t cause = 0;
	int ret = chan_wait_try(chan_on_cancel(cancel), &cause);

	return cause_of(ret, cause);
}

EXPORT int chan_cancel_wait_until(struct chan_cancel *cancel, int64_t deadline)
{
	uint64_t cause = 0;
	int ret = chan_wait_until(chan_on_cancel(cancel), &cause, deadline);

	return cause_of(ret, cause);
}

EXPORT int chan_cancel_wait_with(struct chan_cancel *cancel, const struct chan_bounds *bounds)
{
	uint64_t cause = 0;
	int ret = chan_wait_with(chan_on_cancel(cancel), &cause, bounds);

	return cause_of(ret, cause);
}
