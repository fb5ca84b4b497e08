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
 * drops it after: all that time no other thread may fork, be it by a call of ours or
 * of the program's own.  Recursive, because our own fork takes it a second time.
 */
static pthread_mutex_t forking = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static unsigned int generation;

/* Handles that no child gets.  Under forking. */
static struct chan_private *privates;

unsigned int chan_generation(void)
{
	return generation;
}

/* ---- handles that no child gets ---- */

void chan_keep(struct chan_private *p, const void *handle)
{
	struct chan_object_stat stat = { 0 };

	chan_object_stat(handle, &stat);
	p->fd = chan_object_fd(handle);
	p->id = stat.id;
	pthread_mutex_lock(&forking);
	p->next = privates;
	p->place = &privates;
	if (p->next)
		p->next->place = &p->next;
	privates = p;
	pthread_mutex_unlock(&forking);
}

void chan_unkeep(struct chan_private *p)
{
	pthread_mutex_lock(&forking);
	*p->place = p->next;
	if (p->next)
		p->next->place = p->place;
	pthread_mutex_unlock(&forking);
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
	pthread_mutex_lock(&forking);
	chan_cache_lock();
}

static void after_fork(void)
{
	chan_cache_unlock();
	pthread_mutex_unlock(&forking);
}

/* The locks count as another thread's here, so they are made anew. */
static void in_child(void)
{
	static const pthread_mutex_t fresh = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

	forking = fresh;
	chan_cache_reset();
	generation++;
	for (; privates; privates = privates->next)
		if (is_there(privates))
			close(privates->fd);
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

/* Where @fn forks and its child returns here too, the token is not that child's. */
static _Noreturn void be_child(struct chan_token *token, int (*fn)(void *arg), void *arg)
{
	struct chan_private own = { .fd = -1 };
	unsigned int me = generation;
	int status;

	if (token)
		chan_keep(&own, token);
	status = fn(arg);
	fflush(stdout);
	if (token && me == generation && is_there(&own))
		chan_token_done(token);
	_exit(status);
}

/* The child's handle stays; ours was never more than a loan. */
static pid_t fork_with(struct chan_token *token, int (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();
	int errnum = errno;

	if (!pid)
		be_child(token, fn, arg);
	if (pid < 0 && token)
		chan_token_done(token);
	chan_token_drop(token);
	return pid < 0 ? chan_fail_start(errnum) : pid;
}

pid_t chan_fork(struct chan_wg *wg, int (*fn)(void *arg), void *arg)
{
	struct chan_token *token = NULL;
	pid_t pid = -1;

	if (!fn)
		errno = EINVAL;
	if (!fn || chan_watch_forks())
		return chan_give_back(wg);
	fflush(stdout);
	pthread_mutex_lock(&forking);
	if (wg)
		token = chan_wg_into_token(wg, 1);
	if (token || !wg)
		pid = fork_with(token, fn, arg);
	else
		chan_give_back(wg);
	pthread_mutex_unlock(&forking);
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
