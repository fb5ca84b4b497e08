// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Functions in threads, and the cache of threads that have none. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "go.h"

#define STACK_MAX ((size_t)1 << 30)

/* A job on its way to a thread, with what the thread takes from who started it. */
struct task {
	struct chan_job job;
	sigset_t mask;
	size_t stack; /* of the thread that it is on */
};

/* A thread.  Lives on its own stack, so that the threads a fork loses leave nothing. */
struct worker {
	struct task task; /* without a job.fn: end */
	struct worker *next, **place; /* among those without work; place NULL: not there */
	pthread_cond_t wake;
};

static struct {
	pthread_mutex_t lock;
	struct worker *idle; /* the last to come first: its stack is still warm */
	unsigned int n;
	size_t stack; /* of threads to be made */
} cache = { .lock = PTHREAD_MUTEX_INITIALIZER, .stack = CHAN_GO_STACK };

/* ---- the threads without work; under cache.lock ---- */

static void add_idle(struct worker *w)
{
	w->next = cache.idle;
	w->place = &cache.idle;
	if (w->next)
		w->next->place = &w->next;
	cache.idle = w;
	cache.n++;
}

static void remove_idle(struct worker *w)
{
	*w->place = w->next;
	if (w->next)
		w->next->place = w->place;
	w->place = NULL;
	cache.n--;
}

/* Signals under the lock: without it the thread might be gone by then. */
static void give(struct worker *w, const struct task *task)
{
	remove_idle(w);
	w->task.job = task->job;
	w->task.mask = task->mask;
	pthread_cond_signal(&w->wake);
}

/* ---- a thread's life ---- */

/* As a cleanup handler.  What a child made by fork ends is not the parent's to count. */
struct run {
	const struct chan_job *job;
	unsigned int generation;
};

static void end_run(void *arg)
{
	struct run *run = arg;

	if (run->job->end && run->generation == chan_generation())
		run->job->end(run->job->end_arg);
}

/*
 * Cancellation and signals reach the thread only in here.  The test takes a cancel
 * that came too late for the function, before the next one gets it.
 */
static void run_task(const struct task *task)
{
	struct run run = { &task->job, chan_generation() };
	sigset_t all;

	sigfillset(&all);
	pthread_cleanup_push(end_run, &run);
	pthread_sigmask(SIG_SETMASK, &task->mask, NULL);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	task->job.fn(task->job.arg);
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, NULL);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	pthread_cleanup_pop(1);
}

static struct timespec idle_end(void)
{
	int64_t end = chan_after(CHAN_GO_IDLE_TIME);

	return (struct timespec){ end / CHAN_SECOND, end % CHAN_SECOND };
}

static bool wait_for_task(struct worker *w)
{
	struct timespec end = idle_end();
	bool late = false;

	pthread_mutex_lock(&cache.lock);
	w->task.job.fn = NULL;
	if (cache.n < CHAN_GO_IDLE_MAX && w->task.stack == cache.stack) {
		add_idle(w);
		while (w->place && !late)
			late = pthread_cond_timedwait(&w->wake, &cache.lock, &end) == ETIMEDOUT;
		if (w->place)
			remove_idle(w);
	}
	pthread_mutex_unlock(&cache.lock);
	return w->task.job.fn;
}

static void init_wake(pthread_cond_t *wake)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(wake, &attr);
	pthread_condattr_destroy(&attr);
}

static void *worker_main(void *arg)
{
	unsigned int generation = chan_generation();
	struct worker me = { .task = *(struct task *)arg };

	free(arg);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	init_wake(&me.wake);
	do {
		run_task(&me.task);
	} while (generation == chan_generation() && wait_for_task(&me));
	pthread_cond_destroy(&me.wake);
	return NULL;
}

/* ---- starting one ---- */

/*
 * EINVAL says that the program's thread-local variables, which the stack holds too,
 * leave no room in it.
 */
static int create_sized(pthread_attr_t *attr, struct task *task)
{
	pthread_t thread;
	size_t size;
	int error = EINVAL;

	for (size = task->stack; error == EINVAL && size <= STACK_MAX; size *= 2) {
		error = pthread_attr_setstacksize(attr, size);
		if (!error)
			error = pthread_create(&thread, attr, worker_main, task);
	}
	return error;
}

/* Signals stay blocked until the function runs. */
static int create_thread(struct task *task)
{
	pthread_attr_t attr;
	sigset_t all;
	int error = pthread_attr_init(&attr);

	if (error)
		return error;
	sigfillset(&all);
	error = pthread_attr_setsigmask_np(&attr, &all);
	if (!error)
		error = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (!error)
		error = create_sized(&attr, task);
	pthread_attr_destroy(&attr);
	return error;
}

static int start_thread(const struct task *task)
{
	struct task *copy = malloc(sizeof(*copy));
	int error;

	if (!copy)
		return -1;
	*copy = *task;
	error = create_thread(copy);
	if (!error)
		return 0;
	free(copy);
	return chan_fail_start(error);
}

int chan_start(const struct chan_job *job)
{
	struct task task = { .job = *job };
	bool given;

	if (!job->fn)
		return chan_fail(EINVAL);
	if (chan_watch_forks())
		return -1;
	pthread_sigmask(SIG_SETMASK, NULL, &task.mask);
	pthread_mutex_lock(&cache.lock);
	given = cache.idle;
	if (given)
		give(cache.idle, &task);
	task.stack = cache.stack;
	pthread_mutex_unlock(&cache.lock);
	return given ? 0 : start_thread(&task);
}

/* ---- fork ---- */

void chan_cache_lock(void)
{
	pthread_mutex_lock(&cache.lock);
}

void chan_cache_unlock(void)
{
	pthread_mutex_unlock(&cache.lock);
}

/* A child has none of the threads. */
void chan_cache_reset(void)
{
	pthread_mutex_init(&cache.lock, NULL);
	cache.idle = NULL;
	cache.n = 0;
}

/* ---- the interface ---- */

static void count_down(void *wg)
{
	chan_wg_done(wg);
}

static void end_token(void *token)
{
	chan_token_done(token);
	chan_token_drop(token);
}

/* Once a unit was added, which is the function's from now on. */
static int go(struct chan_wg *wg, void (*fn)(void *arg), void *arg)
{
	struct chan_job job = { fn, arg, wg ? count_down : NULL, wg };

	return chan_start(&job) ? chan_give_back(wg) : 0;
}

CHAN_STARTS(int, chan, go, struct chan_wg *wg, void (*fn)(void *arg), wg, go(wg, fn, arg));

EXPORT int chan_go_token(struct chan_token *token, void (*fn)(void *arg), void *arg)
{
	struct chan_job job = { fn, arg, end_token, token };

	return token ? chan_start(&job) : chan_fail(EBADF);
}

/* Threads at work find out when they look for more of it. */
EXPORT int chan_go_set_stack(size_t bytes)
{
	static const struct task end;

	if (!bytes)
		bytes = CHAN_GO_STACK;
	if (bytes > STACK_MAX || (long)bytes < sysconf(_SC_THREAD_STACK_MIN))
		return chan_fail(EINVAL);
	pthread_mutex_lock(&cache.lock);
	cache.stack = bytes;
	while (cache.idle)
		give(cache.idle, &end);
	pthread_mutex_unlock(&cache.lock);
	return 0;
}
