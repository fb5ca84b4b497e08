// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Mutexes and readers-writer mutexes. */
#include "internal.h"

EXPORT struct chan_mutex *chan_mutex_make(void)
{
	return chan_create(CHAN_KIND_MUTEX, 0);
}

CHAN_WAITS(chan_mutex, lock, chan_on_lock(m), NULL, struct chan_mutex *m);

EXPORT int chan_mutex_unlock(struct chan_mutex *m)
{
	return chan_ioctl_arg(m, KCHAN_UNLOCK, KCHAN_OP_LOCK);
}

EXPORT int chan_mutex_consistent(struct chan_mutex *m)
{
	return chan_ioctl_arg(m, KCHAN_CONSISTENT, 0);
}

EXPORT struct chan_rwmutex *chan_rwmutex_make(void)
{
	return chan_create(CHAN_KIND_RWMUTEX, 0);
}

CHAN_WAITS(chan_rwmutex, lock, chan_on_wlock(rw), NULL, struct chan_rwmutex *rw);
CHAN_WAITS(chan_rwmutex, rlock, chan_on_rlock(rw), NULL, struct chan_rwmutex *rw);

EXPORT int chan_rwmutex_unlock(struct chan_rwmutex *rw)
{
	return chan_ioctl_arg(rw, KCHAN_UNLOCK, KCHAN_OP_LOCK);
}

EXPORT int chan_rwmutex_runlock(struct chan_rwmutex *rw)
{
	return chan_ioctl_arg(rw, KCHAN_UNLOCK, KCHAN_OP_RLOCK);
}

EXPORT int chan_rwmutex_consistent(struct chan_rwmutex *rw)
{
	return chan_ioctl_arg(rw, KCHAN_CONSISTENT, 0);
}
