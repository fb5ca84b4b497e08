// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Children, and what they must not inherit. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "go.h"

/*
 * A child's token has to be in its hands alone, or its death would go unnoticed as
 * long as somebody else's hands hold it too.  Its parent has it before the fork and
 * drops it after: all that time it is among the handles that no other child gets, be
 * that child made by a call of ours or by the program itself.
 *
 * The lock is not held over our own fork: what the program has others do before each
 * fork may wait for one that is doing just that, and now waits for the lock.
 */
static pthread_mutex_t forking = PTHREAD_MUTEX_INITIALIZER;

static unsigned int generation;

/* Handles that no child gets, but for the one that is this thread's child's. */
static struct chan_private *privates;
static __thread const struct chan_private *lent;

unsigned int chan_generation(void)
{
	return generation;
}

void chan_hold_forks(void)
{
	pthread_mutex_lock(&forking);
}

void chan_release_forks(void)
{
	pthread_mutex_unlock(&forking);
}

/* ---- handles that no child gets ---- */

void chan_keep(struct chan_private *p, const void *handle)
{
	struct chan_object_stat stat = { 0 };

	chan_object_stat(handle, &stat);
	p->fd = chan_object_fd(handle);
	p->id = stat.id;
	p->next = privates;
	p->place = &privates;
	if (p->next)
		p->next->place = &p->next;
	privates = p;
}

void chan_unkeep(struct chan_private *p)
{
	*p->place = p->next;
	if (p->next)
		p->next->place = p->place;
}

/* A program may have closed the file and have another by that number. */
static bool is_there(const struct chan_private *p)
{
	struct chan_object handle = { .fd = p->fd };
	struct chan_object_stat stat;

	return !chan_object_stat(&handle, &stat) && stat.id == p->id;
}

/* ---- what each fork does ---- */

static void before_fork(void)
{
	chan_hold_forks();
	chan_cache_lock();
}

static void after_fork(void)
{
	chan_cache_unlock();
	chan_release_forks();
}

/* The locks count as another thread's here, so they are made anew. */
static void in_child(void)
{
	static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;

	forking = fresh;
	chan_cache_reset();
	generation++;
	for (; privates; privates = privates->next)
		if (privates != lent && is_there(privates))
			chan_close_fd(privates->fd);
	lent = NULL;
}

static int watch_error;

static void watch(void)
{
	watch_error = pthread_atfork(before_fork, after_fork, in_child);
}

int chan_watch_forks(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, watch);
	return watch_error ? chan_fail(watch_error) : 0;
}

/* ---- a child of ours ---- */

/* A thread that is to be cancelled ends where fflush(3) writes, and here it must not. */
static void flush_output(void)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	fflush(stdout);
	pthread_setcancelstate(state, &state);
}

/* Where @fn forks and its child returns here too, the token is not that child's. */
static _Noreturn void be_child(struct chan_token *token, int (*fn)(void *arg), void *arg)
{
	struct chan_private own = { .fd = -1 };
	unsigned int me = generation;
	int status;

	if (token) {
		chan_hold_forks();
		chan_keep(&own, token);
		chan_release_forks();
	}
	status = fn(arg);
	flush_output();
	if (token && me == generation && is_there(&own))
		chan_token_done(token);
	_exit(status);
}

/* The unit of @wg as a token that the next child of this thread gets, and no other. */
static struct chan_token *lend(struct chan_wg *wg, struct chan_private *loan)
{
	struct chan_token *token;

	chan_hold_forks();
	token = chan_wg_into_token(wg, 1);
	if (token)
		chan_keep(loan, token);
	chan_release_forks();
	lent = token ? loan : NULL;
	return token;
}

static void end_loan(struct chan_token *token, struct chan_private *loan)
{
	lent = NULL;
	chan_hold_forks();
	chan_token_drop(token);
	chan_unkeep(loan);
	chan_release_forks();
}

/* The child's handle stays; ours was never more than a loan. */
static pid_t fork_with(struct chan_token *token, int (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();

	if (!pid)
		be_child(token, fn, arg);
	return pid < 0 ? chan_fail_start(errno) : pid;
}

pid_t chan_fork(struct chan_wg *wg, int (*fn)(void *arg), void *arg)
{
	struct chan_private loan;
	struct chan_token *token;
	int errnum;
	pid_t pid;

	if (!fn)
		return chan_fail(EINVAL);
	if (chan_watch_forks())
		return chan_give_back(wg);
	flush_output();
	if (!wg)
		return fork_with(NULL, fn, arg);
	token = lend(wg, &loan);
	if (!token)
		return chan_give_back(wg);
	pid = fork_with(token, fn, arg);
	errnum = errno;
	if (pid < 0)
		chan_token_done(token);
	end_loan(token, &loan);
	errno = errnum;
	return pid;
}

/* ---- failures ---- */

int chan_fail_start(int errnum)
{
	return chan_fail(errnum == EAGAIN ? EDQUOT : errnum);
}

int chan_give_back(struct chan_wg *wg)
{
	int errnum = errno;

	if (wg)
		chan_wg_done(wg);
	return chan_fail(errnum);
}

/* ---- the interface ---- */

CHAN_STARTS(pid_t, chan, go_process, struct chan_wg *wg, int (*fn)(void *arg), wg,
	    chan_fork(wg, fn, arg));
