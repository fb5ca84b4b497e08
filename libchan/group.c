// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Groups: functions of which the first that fails ends the others' work. */
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "go.h"

/* What an exit status can tell. */
#define ERROR_MAX 255

struct chan_group {
	struct chan_wg *wg;
	struct chan_cancel *cancel; /* may cancel: so no child has it */
	struct chan_private keep;   /* .cancel */
	struct chan_cancel *watch;  /* may only watch */
	atomic_int error;	    /* the first, or 0 */
	atomic_uint users;	    /* whoever made it, and each member */
	unsigned int generation;    /* of the process that made it */
};

/* One function of a group, and the thread that runs it or watches its process. */
struct member {
	struct chan_group *group;
	int (*fn)(void *arg);
	void *arg;
	int result;
	sem_t forked; /* process: .pid is there */
	pid_t pid;
};

/* ---- a group's life ---- */

static void close_group(struct chan_group *group)
{
	chan_wg_drop(group->wg);
	chan_cancel_drop(group->watch);
	chan_cancel_drop(group->cancel);
	free(group);
}

static void leave(struct chan_group *group)
{
	if (atomic_fetch_sub(&group->users, 1) > 1)
		return;
	chan_hold_forks();
	chan_unkeep(&group->keep);
	close_group(group);
	chan_release_forks();
}

static bool is_ours(const struct chan_group *group)
{
	return group && group->generation == chan_generation();
}

/* A child's copy has no members, whatever it counts, and .cancel is closed. */
static void drop_copy(struct chan_group *group)
{
	chan_cancel_into_fd(group->cancel);
	group->cancel = NULL;
	close_group(group);
}

EXPORT void chan_group_drop(struct chan_group *group)
{
	int errnum = errno;

	if (is_ours(group)) {
		chan_cancel(group->cancel, 0);
		leave(group);
	} else if (group) {
		drop_copy(group);
	}
	errno = errnum;
}

static bool open_group(struct chan_group *group, size_t limit, struct chan_cancel *parent)
{
	group->wg = chan_wg_make(limit);
	if (group->wg)
		group->cancel = parent ? chan_cancel_child(parent) : chan_cancel_make();
	if (group->cancel)
		group->watch = chan_cancel_restrict(group->cancel, CHAN_RECV);
	return group->watch;
}

EXPORT struct chan_group *chan_group_make(size_t limit, struct chan_cancel *parent)
{
	struct chan_group *group;
	int errnum;

	if (chan_watch_forks())
		return NULL;
	group = calloc(1, sizeof(*group));
	if (!group)
		return NULL;
	group->users = 1;
	group->generation = chan_generation();
	chan_hold_forks();
	if (open_group(group, limit, parent)) {
		chan_keep(&group->keep, group->cancel);
	} else {
		errnum = errno;
		close_group(group);
		errno = errnum;
		group = NULL;
	}
	chan_release_forks();
	return group;
}

/* ---- members ---- */

/* Called when @fn has returned, while errno is what it left. */
static int error_of(int result)
{
	int error = result == -1 ? errno : result;

	return !result || (error >= 1 && error <= ERROR_MAX) ? error : EINVAL;
}

static struct member *make_member(struct chan_group *group, int (*fn)(void *arg), void *arg)
{
	struct member *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	*m = (struct member){ .group = group, .fn = fn, .arg = arg, .result = EOWNERDEAD };
	sem_init(&m->forked, 0, 0);
	atomic_fetch_add(&group->users, 1);
	return m;
}

static void free_member(struct member *m)
{
	leave(m->group);
	sem_destroy(&m->forked);
	free(m);
}

static void fail(struct chan_group *group, int error)
{
	int none = 0;

	if (atomic_compare_exchange_strong(&group->error, &none, error))
		chan_cancel(group->cancel, error);
}

/* The error comes before the count: whoever sees zero sees it. */
static void end_member(void *arg)
{
	struct member *m = arg;

	if (m->result)
		fail(m->group, m->result);
	chan_wg_done(m->group->wg);
	free_member(m);
}

static void run_thread(void *arg)
{
	struct member *m = arg;

	m->result = error_of(m->fn(m->arg));
}

/* ---- processes ---- */

/* How a process has ended. */
static int result_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EOWNERDEAD;
}

/* It runs already when its process is made, so that a process always has one. */
static void watch_process(void *arg)
{
	struct member *m = arg;

	while (sem_wait(&m->forked))
		;
	m->result = m->pid > 0 ? result_of(m->pid) : 0;
}

static int run_process(void *arg)
{
	struct member *m = arg;

	return error_of(m->fn(m->arg));
}

/* Its watcher is told the number, which is -1 if there is no process, and may then be gone. */
static int fork_member(struct member *m)
{
	pid_t pid = chan_fork(NULL, run_process, m);
	int errnum = errno;

	m->pid = pid;
	sem_post(&m->forked);
	return pid < 0 ? chan_fail(errnum) : 0;
}

/* ---- starting a member, once a unit was added for it ---- */

static struct member *start(struct chan_group *group, int (*fn)(void *arg), void *arg,
			    void (*run)(void *member))
{
	struct member *m = make_member(group, fn, arg);
	struct chan_job job = { run, m, end_member, m };

	if (m && !chan_start(&job))
		return m;
	chan_give_back(group->wg);
	if (m)
		free_member(m);
	return NULL;
}

static int go(struct chan_group *group, int (*fn)(void *arg), void *arg)
{
	if (!is_ours(group))
		return chan_fail(EBADF);
	return start(group, fn, arg, run_thread) ? 0 : -1;
}

static int go_process(struct chan_group *group, int (*fn)(void *arg), void *arg)
{
	struct member *m;

	if (!is_ours(group))
		return chan_fail(EBADF);
	m = start(group, fn, arg, watch_process);
	return m ? fork_member(m) : -1;
}

/* ---- the interface ---- */

static struct chan_wg *wg_of(const struct chan_group *group)
{
	return is_ours(group) ? group->wg : NULL;
}

CHAN_STARTS(int, chan_group, go, struct chan_group *group, int (*fn)(void *arg), wg_of(group),
	    go(group, fn, arg));
CHAN_STARTS(int, chan_group, go_process, struct chan_group *group, int (*fn)(void *arg),
	    wg_of(group), go_process(group, fn, arg));

/* Once the wait is over: what all of them together came to. */
static int ended(struct chan_group *group)
{
	int error = atomic_load(&group->error);

	chan_cancel(group->cancel, 0);
	if (error)
		errno = error;
	return error;
}

EXPORT int chan_group_wait(struct chan_group *group)
{
	return chan_wg_wait(wg_of(group)) ? -1 : ended(group);
}

EXPORT int chan_group_try_wait(struct chan_group *group)
{
	return chan_wg_try_wait(wg_of(group)) ? -1 : ended(group);
}

EXPORT int chan_group_wait_until(struct chan_group *group, int64_t deadline)
{
	return chan_wg_wait_until(wg_of(group), deadline) ? -1 : ended(group);
}

EXPORT int chan_group_wait_with(struct chan_group *group, const struct chan_bounds *bounds)
{
	return chan_wg_wait_with(wg_of(group), bounds) ? -1 : ended(group);
}

EXPORT int chan_group_error(const struct chan_group *group)
{
	return is_ours(group) ? atomic_load(&group->error) : chan_fail(EBADF);
}

EXPORT ssize_t chan_group_count(const struct chan_group *group)
{
	return chan_wg_count(wg_of(group));
}

EXPORT int chan_group_cancel(struct chan_group *group, int cause)
{
	return is_ours(group) ? chan_cancel(group->cancel, cause) : chan_fail(EBADF);
}

EXPORT struct chan_cancel *chan_group_watch(const struct chan_group *group)
{
	if (!group)
		errno = EBADF;
	return group ? group->watch : NULL;
}

EXPORT struct chan_wg *chan_group_wg(const struct chan_group *group)
{
	if (!group)
		errno = EBADF;
	return group ? group->wg : NULL;
}
