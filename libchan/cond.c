// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Conditions. */
#include <errno.h>

#include "internal.h"

EXPORT struct chan_cond *chan_cond_make(void)
{
	return chan_create(CHAN_KIND_COND, 0);
}

/*
 * By a select, where O_NONBLOCK of the mutex does not count.  0, or -1 with the
 * errno that the lock itself has for its next holder.
 */
static int lock_again(struct chan_mutex *m)
{
	struct chan_case lock = chan_on_lock(m);
	int ret;

	do {
		ret = chan_select(&lock, 1);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return -1;
	return lock.result < 0 ? chan_fail(lock.error) : 0;
}

/* What a wait ends with after it has given the lock back; else it never did. */
static bool was_unlocked(int ret)
{
	return !ret || errno == EINTR || errno == ETIMEDOUT || errno == ECANCELED ||
	       errno == EAGAIN;
}

/* The kernel wants this case before the cancel, other than a wait of any other kind. */
static int unlock_and_wait(struct chan_cond *cond, struct chan_mutex *m,
			   const struct chan_patience *patience)
{
	struct chan_patience uncancelled = *patience;
	struct chan_case cases[] = {
		{ .on = OBJECT(cond), .op = KCHAN_OP_COND, .arg = (uint64_t)OBJECT(m)->fd },
		{ .on = patience->cancel, .op = CHAN_OP_CANCELLED },
	};
	int ret;

	if (!patience->cancel)
		return chan_wait(cases[0], NULL, patience);
	uncancelled.cancel = NULL;
	ret = chan_choose(cases, CHAN_LENGTH(cases), KCHAN_IN_ORDER, &uncancelled);
	return ret > 0 ? chan_fail(ECANCELED) : ret;
}

static int wait_on(struct chan_cond *cond, struct chan_mutex *m,
		   const struct chan_patience *patience)
{
	int ret, errnum;

	if (!cond || !m)
		return chan_fail(EBADF);
	ret = unlock_and_wait(cond, m, patience);
	if (!was_unlocked(ret))
		return -1;
	errnum = errno;
	if (lock_again(m))
		return -1;
	errno = errnum;
	return ret;
}

EXPORT int chan_cond_wait(struct chan_cond *cond, struct chan_mutex *m)
{
	return wait_on(cond, m, &(struct chan_patience){ 0 });
}

EXPORT int chan_cond_wait_until(struct chan_cond *cond, struct chan_mutex *m, int64_t deadline)
{
	return wait_on(cond, m, &(struct chan_patience){
		.flags = KCHAN_DEADLINE,
		.deadline = deadline,
	});
}

EXPORT int chan_cond_wait_with(struct chan_cond *cond, struct chan_mutex *m,
			       const struct chan_bounds *bounds)
{
	struct chan_patience patience;

	if (chan_patience(&patience, bounds))
		return cond && m ? -1 : chan_fail(EBADF);
	return wait_on(cond, m, &patience);
}

EXPORT int chan_cond_signal(struct chan_cond *cond)
{
	return chan_ioctl_arg(cond, KCHAN_SIGNAL, 1);
}

EXPORT int chan_cond_broadcast(struct chan_cond *cond)
{
	return chan_ioctl_arg(cond, KCHAN_SIGNAL, KCHAN_ALL);
}
