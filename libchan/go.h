/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the files behind libchan-go.h share.
 *
 * They are the only ones of libchan with state of their own: go.c has the threads
 * without work, fork.c what a child made by fork(2) must not inherit.  Locks, the
 * outer first; each fork takes both, so that the child finds all in order:
 *
 *	forking		the list of handles that no child gets; nobody forks who holds it
 *	  cache.lock	the threads without work
 */
#ifndef LIBCHAN_GO_INTERNAL_H
#define LIBCHAN_GO_INTERNAL_H

#include <signal.h>
#include <stdbool.h>

#include "internal.h"
#include "libchan-go.h"

/* A function for a thread, and what follows it however it ends. */
struct chan_job {
	void (*fn)(void *arg);
	void *arg;
	void (*end)(void *arg); /* or NULL */
	void *end_arg;
};

/* Has a thread do @job; 0, or -1 with errno and nothing done. */
int chan_start(const struct chan_job *job);

/* For the forks: the threads without work. */
void chan_cache_lock(void);
void chan_cache_unlock(void);
void chan_cache_reset(void);

/* Sees to what each fork must do, from now on; 0, or -1 with ENOMEM. */
int chan_watch_forks(void);

/* In between no thread of this process forks. */
void chan_hold_forks(void);
void chan_release_forks(void);

/*
 * A handle that is nobody's but this process': each child made by fork(2) closes it
 * first of all.
 */
struct chan_private {
	int fd;
	uint64_t id;
	struct chan_private *next, **place;
};

/* While forks are held back. */
void chan_keep(struct chan_private *p, const void *handle);
void chan_unkeep(struct chan_private *p);

/* How many forks away this process is from the one that first started something. */
unsigned int chan_generation(void);

/*
 * A child that calls @fn(@arg) and ends with what that returns.  @wg, or NULL, has a
 * unit for it.  Its number; or -1 with errno, and the unit given back.
 */
pid_t chan_fork(struct chan_wg *wg, int (*fn)(void *arg), void *arg);

/* Fails as chan_fail() does, by a word of pthread_create(3) or fork(2). */
int chan_fail_start(int errnum);

/* Takes back the unit added to @wg, or NULL, for what then did not start; -1, errno kept. */
int chan_give_back(struct chan_wg *wg);

/*
 * Defines the four forms of a call that starts something: KIND_VERB(),
 * KIND_try_VERB(), KIND_VERB_until() and KIND_VERB_with().  Its first parameters are
 * WHO and FN; WG is the wait group that gets a unit, or NULL, and START what then
 * starts it, or takes that unit back.  A unit is added only if there is a function: to
 * add one and take it back makes the wait group forget what was abandoned.
 */
#define chan_check_fn(fn) ((fn) ? 0 : chan_fail(EINVAL))

#define CHAN_STARTS(TYPE, KIND, VERB, WHO, FN, WG, START)                                      \
	EXPORT TYPE KIND##_##VERB(WHO, FN, void *arg)                                          \
	{                                                                                      \
		return WG && (chan_check_fn(fn) || chan_wg_add(WG, 1)) ? -1 : START;           \
	}                                                                                      \
	EXPORT TYPE KIND##_try_##VERB(WHO, FN, void *arg)                                      \
	{                                                                                      \
		return WG && (chan_check_fn(fn) || chan_wg_try_add(WG, 1)) ? -1 : START;       \
	}                                                                                      \
	EXPORT TYPE KIND##_##VERB##_until(WHO, FN, void *arg, int64_t deadline)                \
	{                                                                                      \
		return WG && (chan_check_fn(fn) || chan_wg_add_until(WG, 1, deadline)) ?       \
			       -1 :                                                            \
			       START;                                                          \
	}                                                                                      \
	EXPORT TYPE KIND##_##VERB##_with(WHO, FN, void *arg, const struct chan_bounds *bounds) \
	{                                                                                      \
		return WG && (chan_check_fn(fn) || chan_wg_add_with(WG, 1, bounds)) ? -1 :     \
										      START;   \
	}                                                                                      \
	_Static_assert(sizeof(TYPE) == sizeof(int), "0, a process number, or -1")

#endif /* LIBCHAN_GO_INTERNAL_H */
