// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Wait groups, semaphores, and the tokens that hold units of either. */
#include <errno.h>

#include "internal.h"

EXPORT struct chan_wg *chan_wg_make(size_t limit)
{
	return chan_create(CHAN_KIND_WAITGROUP, limit);
}

CHAN_WAITS(chan_wg, add, chan_on_add(wg, n), NULL, struct chan_wg *wg, size_t n);
CHAN_WAITS(chan_wg, wait, chan_on_zero(wg), NULL, struct chan_wg *wg);

/* What is too much stays too much, in a number that the kernel's type can hold. */
static int64_t units(size_t n)
{
	return n > CHAN_UNITS_MAX ? CHAN_UNITS_MAX + INT64_C(1) : (int64_t)n;
}

static int give_back(const void *handle, size_t n)
{
	return chan_ioctl_arg(handle, KCHAN_DONE, units(n));
}

EXPORT int chan_wg_done_n(struct chan_wg *wg, size_t n)
{
	return give_back(wg, n);
}

EXPORT int chan_wg_done(struct chan_wg *wg)
{
	return give_back(wg, 1);
}

EXPORT ssize_t chan_wg_count(const struct chan_wg *wg)
{
	struct chan_object_stat stat;

	return chan_wg_stat(wg, &stat) ? -1 : (ssize_t)stat.count;
}

EXPORT ssize_t chan_wg_abandoned(const struct chan_wg *wg)
{
	struct chan_object_stat stat;

	return chan_wg_stat(wg, &stat) ? -1 : (ssize_t)stat.value;
}

EXPORT struct chan_sem *chan_sem_make(size_t size)
{
	return chan_create(CHAN_KIND_SEMAPHORE, size);
}

CHAN_WAITS(chan_sem, acquire, chan_on_acquire(sem, n), NULL, struct chan_sem *sem, size_t n);

EXPORT int chan_sem_release(struct chan_sem *sem, size_t n)
{
	return give_back(sem, n);
}

static struct chan_token *make_token(const void *handle, size_t n)
{
	struct chan_object *o = chan_object_new(CHAN_KIND_TOKEN, 0, CHAN_SEND);
	int fd;

	if (!o)
		return NULL;
	fd = chan_ioctl_arg(handle, KCHAN_TOKEN, units(n));
	return (struct chan_token *)chan_object_open(o, fd);
}

EXPORT struct chan_token *chan_wg_into_token(struct chan_wg *wg, size_t n)
{
	return make_token(wg, n);
}

EXPORT struct chan_token *chan_sem_into_token(struct chan_sem *sem, size_t n)
{
	return make_token(sem, n);
}

EXPORT struct chan_token *chan_wg_token(struct chan_wg *wg)
{
	struct chan_token *token;
	int errnum;

	if (chan_wg_add(wg, 1))
		return NULL;
	token = make_token(wg, 1);
	if (token)
		return token;
	errnum = errno;
	give_back(wg, 1);
	errno = errnum;
	return NULL;
}

EXPORT int chan_token_done(struct chan_token *token)
{
	return chan_ioctl_arg(token, KCHAN_DONE, 0);
}
