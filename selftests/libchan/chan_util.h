/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of libchan share beyond kchan_util.h: here the calls are
 * libchan's, so kchan_util.h's own wrappers, which have the same names, step
 * aside.
 */
#ifndef CHAN_UTIL_H
#define CHAN_UTIL_H

#define chan_send kchan_send
#define chan_recv kchan_recv
#define chan_try_send kchan_try_send
#define chan_try_recv kchan_try_recv
#define chan_close kchan_close
#define chan_stat kchan_stat_of
#include "../kchan_util.h"
#undef chan_send
#undef chan_recv
#undef chan_try_send
#undef chan_try_recv
#undef chan_close
#undef chan_stat

#include <libchan.h>

/* -errno of a call that fails as libchan's do, else what it returned. */
#define err(call) ({							\
	int _ret;							\
									\
	errno = 0;							\
	_ret = (call);							\
	_ret == -1 ? -errno : _ret;					\
})

/* -errno of a call that gives no handle, else 0 (the handle is dropped). */
#define err_handle(call) ({						\
	struct chan *_c;						\
									\
	errno = 0;							\
	_c = (call);							\
	if (_c)								\
		chan_drop(_c);						\
	_c ? 0 : -errno;						\
})

static inline struct chan *must_make(size_t elem_size, size_t capacity)
{
	struct chan *c = chan_make(elem_size, capacity);

	if (!c)
		die("%s", chan_strerror(errno));
	return c;
}

static inline struct chan *must_restrict(const struct chan *c, unsigned int rights)
{
	struct chan *r = chan_restrict(c, rights);

	must(r);
	return r;
}

/* Proves that so many are blocked on @c: by the channel's own counters. */
static inline void wait_blocked(const struct chan *c, __u32 senders, __u32 receivers)
{
	wait_waiting(chan_fd(c), senders, receivers);
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

static inline bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

#endif /* CHAN_UTIL_H */
