/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of libchan share, beyond ../task_util.h. */
#ifndef CHAN_UTIL_H
#define CHAN_UTIL_H

#include <libchan.h>

#include "../task_util.h"

/* -errno of a call that fails as libchan's do, else what it returned. */
#define err(call) ({							\
	int _ret;							\
									\
	errno = 0;							\
	_ret = (call);							\
	_ret == -1 ? -errno : _ret;					\
})

/* -errno of a call that gives no handle of any kind, else 0 (it is dropped). */
#define err_handle(call) ({						\
	struct chan_object *_o;						\
									\
	errno = 0;							\
	_o = (struct chan_object *)(call);				\
	if (_o)								\
		chan_object_drop(_o);					\
	_o ? 0 : -errno;						\
})

/* The handle that a call gives. */
#define must_have(call) ({						\
	__typeof__(call) _handle = (call);				\
									\
	if (!_handle)							\
		die("%s: %s", #call, chan_strerror(errno));		\
	_handle;							\
})

static inline struct chan *must_make(size_t elem_size, size_t capacity)
{
	return must_have(chan_make(elem_size, capacity));
}

static inline struct chan *must_restrict(const struct chan *c, unsigned int rights)
{
	return must_have(chan_restrict(c, rights));
}

/* Proves that so many are blocked on a handle of any kind: by its own counters. */
static inline void wait_blocked(const void *handle, __u32 senders, __u32 receivers)
{
	wait_waiting(chan_object_fd(handle), senders, receivers);
}

static inline struct chan_stat stat_of(const struct chan *c)
{
	struct chan_stat stat;

	memset(&stat, 0xa5, sizeof(stat));
	must(!chan_stat(c, &stat));
	return stat;
}

/* Proves that what was called since @before changed nothing. */
static inline bool unchanged(struct chan_stat before, const struct chan *c)
{
	struct chan_stat after = stat_of(c);

	return !memcmp(&before, &after, sizeof(before));
}

/* The same of any kind. */
static inline struct chan_object_stat state_of(const void *handle)
{
	struct chan_object_stat stat;

	memset(&stat, 0xa5, sizeof(stat));
	must(!chan_object_stat(handle, &stat));
	return stat;
}

static inline bool same_state(struct chan_object_stat before, const void *handle)
{
	struct chan_object_stat after = state_of(handle);

	return !memcmp(&before, &after, sizeof(before));
}

static inline bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

#endif /* CHAN_UTIL_H */
