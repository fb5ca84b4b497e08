// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Once.  A handle remembers that it has seen it done, which it then is for ever:
 * so only the first call on each handle asks the kernel.
 */
#include <errno.h>
#include <pthread.h>

#include "internal.h"

EXPORT struct chan_once *chan_once_make(void)
{
	return chan_create(CHAN_KIND_ONCE, 0);
}

CHAN_WAITS(chan_once, begin, chan_on_once(once), NULL, struct chan_once *once);

EXPORT int chan_once_done(struct chan_once *once)
{
	return chan_ioctl_arg(once, KCHAN_DONE, 0);
}

EXPORT int chan_once_leave(struct chan_once *once)
{
	return chan_ioctl_arg(once, KCHAN_UNLOCK, KCHAN_OP_LOCK);
}

static void leave(void *once)
{
	chan_once_leave(once);
}

/* fn may also end by pthread_exit(), cancellation or a C++ exception. */
static int run(struct chan_once *once, void (*fn)(void *arg), void *arg)
{
	pthread_cleanup_push(leave, once);
	fn(arg);
	pthread_cleanup_pop(0);
	return chan_once_done(once);
}

EXPORT int chan_once_do(struct chan_once *once, void (*fn)(void *arg), void *arg)
{
	int ret;

	if (!once)
		return chan_fail(EBADF);
	if (__atomic_load_n(&OBJECT(once)->done, __ATOMIC_ACQUIRE))
		return 0;
	ret = chan_once_begin(once);
	if (ret < 0 && errno != EOWNERDEAD)
		return -1;
	if (ret <= 0 && run(once, fn, arg))
		return -1;
	__atomic_store_n(&OBJECT(once)->done, 1, __ATOMIC_RELEASE);
	return 0;
}
