/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/**
 * @file libchan-go.h
 * Starting functions as threads and as processes, alone, in wait groups, and in
 * groups that end at the first error.
 *
 * Threads come from a cache and have small stacks, so that ten thousand of them at
 * once are no luxury.  What started them is counted down however they end.
 *
 * Whatever waits comes in the four forms of libchan.h.  Errors are those of libchan.h;
 * one of them has a further meaning here:
 *
 *   EDQUOT     there are as many threads or processes as the user, the control
 *              group or the system may have (where pthread_create(3) and fork(2)
 *              say EAGAIN)
 *
 * Everything here is available since libchan 0.2.
 */
#ifndef LIBCHAN_GO_H
#define LIBCHAN_GO_H

#include <libchan.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------- threads ------------------------------- */

/** Bytes in the stack of a thread, unless chan_go_set_stack() says otherwise. */
#define CHAN_GO_STACK 65536
/** Threads without work that are kept for the next function... */
#define CHAN_GO_IDLE_MAX 256
/** ... and how long, in nanoseconds. */
#define CHAN_GO_IDLE_TIME (5 * CHAN_SECOND)

/**
 * Go's "go fn(arg)", and wg.Go(): call fn(arg) in a thread.
 *
 * One unit is added to wg, which waits where wg has a limit, and counted down when
 * the function has ended: by returning, by pthread_exit(3), or by pthread_cancel(3).
 * Until then wg must not be dropped; it may be once chan_wg_wait() has returned.
 *
 * The thread is detached, and starts with the caller's signal mask and with
 * cancellation enabled.  It may be one that has run other functions, and then has
 * their thread-local variables and thread-specific data (pthread_setspecific(3)),
 * whose destructors run when the thread ends, not the function.
 *
 * The unit is not the thread's own: when the process dies as a whole it stays, and
 * other processes that share wg wait on.  chan_go_token() is for those.
 *
 * @param wg or NULL: not counted
 * @return 0; or -1, with nothing started or added, and errno EINVAL (fn is NULL),
 *         EDQUOT or ENOMEM, or as from chan_wg_add().
 */
int chan_go(struct chan_wg *wg, void (*fn)(void *arg), void *arg);
/** The other forms of chan_go(), where wg has a limit. */
int chan_try_go(struct chan_wg *wg, void (*fn)(void *arg), void *arg);
int chan_go_until(struct chan_wg *wg, void (*fn)(void *arg), void *arg, int64_t deadline);
int chan_go_with(struct chan_wg *wg, void (*fn)(void *arg), void *arg,
		 const struct chan_bounds *bounds);

/**
 * As chan_go(), but what is counted down are the units of a token: as done when the
 * function ends, and as abandoned when its process dies first.  Takes one file
 * descriptor for each thread.
 *
 *     struct chan_token *token = chan_wg_token(wg);
 *
 *     if (chan_go_token(token, fn, arg))
 *             chan_token_drop(token);
 *
 * @param token the call's from now on, and dropped by it, unless it fails
 * @return 0; or -1 with errno EBADF (token is NULL), EINVAL, EDQUOT or ENOMEM.
 */
int chan_go_token(struct chan_token *token, void (*fn)(void *arg), void *arg);

/**
 * Set how large the stacks of threads are that this process starts from now on.
 * Threads with stacks of another size are not used again.  Where the program's
 * thread-local variables do not leave room in a stack of that size, it gets a larger
 * one.  Below each stack is a page that nobody may touch.
 *
 * @param bytes at least sysconf(_SC_THREAD_STACK_MIN); 0: CHAN_GO_STACK
 * @return 0; or -1 with errno EINVAL.
 */
int chan_go_set_stack(size_t bytes);

/* ------------------------------ processes ------------------------------ */

/**
 * Call fn(arg) in a child process, whose exit status is what fn returns.
 *
 * One unit is added to wg, which waits where wg has a limit, and is the child's, in
 * a token: counted down as done when fn returns, and as abandoned (chan_wg_wait()
 * says EOWNERDEAD) when the child ends in any other way: by a signal, exit(3) or
 * execve(2).  Nobody else holds the token, not even children that other threads
 * start at the same time by this call or by fork(2), nor children of the child.
 *
 * The child is made by fork(2), with all that this means: it has the handles of its
 * parent, one thread, and the locks as other threads held them.  What stdout has
 * buffered is written before the fork, and after fn by the child, which then ends
 * by _exit(2).
 *
 * The caller has to wait for the child, by waitpid(2) with what is returned, as for
 * any other; until then it is a zombie.  Its unit is counted down before.
 *
 * @param fn returns 0 to 255
 * @param wg or NULL: not counted
 * @return the child's process number; or -1, with nothing started or added, and
 *         errno EINVAL (fn is NULL), EDQUOT, ENOMEM, EMFILE or ENFILE, or as from
 *         chan_wg_add().
 */
pid_t chan_go_process(struct chan_wg *wg, int (*fn)(void *arg), void *arg);
/** The other forms of chan_go_process(), where wg has a limit. */
pid_t chan_try_go_process(struct chan_wg *wg, int (*fn)(void *arg), void *arg);
pid_t chan_go_process_until(struct chan_wg *wg, int (*fn)(void *arg), void *arg,
			    int64_t deadline);
pid_t chan_go_process_with(struct chan_wg *wg, int (*fn)(void *arg), void *arg,
			   const struct chan_bounds *bounds);

/* -------------------------------- groups -------------------------------- */

/**
 * Go's errgroup: functions at work on one thing, in threads, in processes or both.
 * The first that fails ends the others' work, by a cancel that they all watch, and
 * says why.
 *
 * A group belongs to the process that made it: in a child made by fork(2) it can
 * only be dropped, and its cancel be watched.
 */
struct chan_group;

/**
 * Make a group.
 *
 * @param limit  functions that may run at once, 1 to CHAN_UNITS_MAX, past which
 *               chan_group_go() waits; 0: none
 * @param parent a cancel that cancels the group's too, with the right CHAN_RECV; or
 *               NULL
 * @return a group, to be given to chan_group_drop(); or NULL with errno as from
 *         chan_wg_make() and chan_cancel_child().
 */
struct chan_group *chan_group_make(size_t limit, struct chan_cancel *parent);

/**
 * Let go of a group: cancels it, and waits for nobody.  What it is made of is freed
 * when the last of its functions has ended.  NULL is allowed.  errno is left as it
 * was.
 */
void chan_group_drop(struct chan_group *group);

/**
 * Call fn(arg) in a thread, as chan_go() does.
 *
 * @param fn returns 0 when it has done its work, or why it has not: an errno (1 to
 *           255; others count as EINVAL), or -1 with that in errno.  One that does
 *           not return, because of pthread_exit(3) or pthread_cancel(3), has failed
 *           with EOWNERDEAD.
 * @return 0; or -1, with nothing started, and errno EINVAL (fn is NULL), EBADF (NULL,
 *         or a group of another process), EDQUOT, ENOMEM or (there is a limit) EINTR.
 *         A group that is cancelled still starts what it is given, as Go's does.
 */
int chan_group_go(struct chan_group *group, int (*fn)(void *arg), void *arg);
/** The other forms of chan_group_go(), where there is a limit. */
int chan_group_try_go(struct chan_group *group, int (*fn)(void *arg), void *arg);
int chan_group_go_until(struct chan_group *group, int (*fn)(void *arg), void *arg,
			int64_t deadline);
int chan_group_go_with(struct chan_group *group, int (*fn)(void *arg), void *arg,
		       const struct chan_bounds *bounds);

/**
 * As chan_group_go(), in a child process: made and ended as chan_go_process() does,
 * but waited for by the group, from a thread with a small stack, so that no zombie is
 * left and a death is noticed at once.  A child that calls exit(3) has that result; one
 * that a signal killed has failed with EOWNERDEAD; one whose exit status somebody else
 * took (wait(2) for any child, or SIGCHLD ignored) with ECHILD.
 *
 * The child can watch the group's cancel but not cancel: when the process that made the
 * group dies, the cancel is cancelled, with cause EOWNERDEAD.
 *
 * @return 0; or -1, with nothing started, and errno as from chan_group_go().
 */
int chan_group_go_process(struct chan_group *group, int (*fn)(void *arg), void *arg);
/** The other forms of chan_group_go_process(), where there is a limit. */
int chan_group_try_go_process(struct chan_group *group, int (*fn)(void *arg), void *arg);
int chan_group_go_process_until(struct chan_group *group, int (*fn)(void *arg), void *arg,
				int64_t deadline);
int chan_group_go_process_with(struct chan_group *group, int (*fn)(void *arg), void *arg,
			       const struct chan_bounds *bounds);

/**
 * Wait until all functions of a group have ended.  Then the group is cancelled, with
 * cause ECANCELED unless it was before, so that whatever else watches its cancel ends
 * too, as in Go.
 *
 * @return 0 when all have done their work; the first error, which is greater than 0,
 *         and which errno is set to as well; or -1 when the wait itself failed, with
 *         errno EINTR or EBADF.
 */
int chan_group_wait(struct chan_group *group);
/** The other forms of chan_group_wait().  Where they fail nothing is cancelled. */
int chan_group_try_wait(struct chan_group *group);
int chan_group_wait_until(struct chan_group *group, int64_t deadline);
int chan_group_wait_with(struct chan_group *group, const struct chan_bounds *bounds);

/** The first error so far, or 0; or -1 with errno EBADF. */
int chan_group_error(const struct chan_group *group);

/** Functions that are running, or -1 with errno EBADF. */
ssize_t chan_group_count(const struct chan_group *group);

/**
 * Cancel the group's cancel, which counts as nobody's error.  As chan_cancel(), and its
 * errors.
 */
int chan_group_cancel(struct chan_group *group, int cause);

/**
 * The group's cancel, to be watched by its functions, in any wait:
 *
 *     chan_recv_with(c, &v, &(struct chan_bounds){ .cancel = chan_group_watch(group) });
 *
 * Its cause is the first error, the parent's cause, or what chan_group_cancel() said.
 *
 * @return a handle with the right CHAN_RECV, which stays the group's and may be used
 *         while its functions run and until the group is dropped; or NULL with errno
 *         EBADF for NULL.
 */
struct chan_cancel *chan_group_watch(const struct chan_group *group);

/**
 * The wait group that counts the group's functions, to be waited for in a select, by
 * chan_on_zero().
 *
 * @return a handle, which stays the group's; or NULL with errno EBADF for NULL.
 */
struct chan_wg *chan_group_wg(const struct chan_group *group);

#ifdef __cplusplus
}
#endif

#endif /* LIBCHAN_GO_H */
