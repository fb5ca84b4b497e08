// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups: the first error wins and ends the others' work; in threads and in
 * processes.  Also built with the address and with the thread sanitizer.
 */
#include "kselftest_harness.h"
#include "go_util.h"

/* What a group's functions do, in memory that processes share too. */
struct work {
	struct chan_group *group;
	struct chan *gate, *gate2;
	int running, most, ended, cancelled, cause;
};

typedef int (*go_call)(struct chan_group *group, int (*fn)(void *arg), void *arg);

static struct chan_group *must_make_group(size_t limit, struct chan_cancel *parent)
{
	struct chan_group *group = chan_group_make(limit, parent);

	must(group);
	return group;
}

static struct work *must_make_work(size_t limit, struct chan_cancel *parent)
{
	struct work *w = shared_alloc(sizeof(*w));

	w->gate = must_make(0, 0);
	w->gate2 = must_make(0, 0);
	w->group = must_make_group(limit, parent);
	return w;
}

static void drop_work(struct work *w)
{
	chan_group_drop(w->group);
	chan_drop(w->gate);
	chan_drop(w->gate2);
	munmap(w, sizeof(*w));
}

/* Ends well at the gate, or with ECANCELED; tells the cause. */
static int work_until_cancelled(void *arg)
{
	struct work *w = arg;
	struct chan_cancel *cancel = chan_group_watch(w->group);

	if (chan_recv_with(w->gate, NULL, &(struct chan_bounds){ .cancel = cancel }) >= 0) {
		count_up(&w->ended);
		return 0;
	}
	if (errno == ECANCELED) {
		store(&w->cause, chan_cancel_cause(cancel));
		count_up(&w->cancelled);
	}
	return errno;
}

/* Waits at the second gate, then fails. */
static int fail_with_eio(void *arg)
{
	struct work *w = arg;

	stop_at(w->gate2);
	return EIO;
}

static int succeed(void *arg)
{
	struct work *w = arg;

	count_up(&w->ended);
	return 0;
}

FIXTURE(group)
{
	struct work *w;
};

FIXTURE_VARIANT(group)
{
	go_call go;
	bool processes;
};

FIXTURE_VARIANT_ADD(group, threads) { .go = chan_group_go, .processes = false };
#ifndef SANITIZED
FIXTURE_VARIANT_ADD(group, processes) { .go = chan_group_go_process, .processes = true };
#endif

FIXTURE_SETUP(group)
{
	self->w = must_make_work(0, NULL);
}

FIXTURE_TEARDOWN(group)
{
	drop_work(self->w);
}

TEST_F(group, all_do_their_work)
{
	for (int i = 0; i < 8; i++)
		ASSERT_EQ(0, err(variant->go(self->w->group, succeed, self->w)));
	EXPECT_EQ(0, err(chan_group_wait(self->w->group)));
	EXPECT_EQ(8, self->w->ended);
	EXPECT_EQ(0, chan_group_error(self->w->group));
	EXPECT_EQ(0, chan_group_count(self->w->group));
}

TEST_F(group, an_empty_group_has_done_its_work)
{
	EXPECT_EQ(0, err(chan_group_wait(self->w->group)));
}

/* ---- the first error ---- */

static int fail_first(void *arg)
{
	struct work *w = arg;

	stop_at(w->gate2);
	return ENOSPC;
}

static int fail_second(void *arg)
{
	struct work *w = arg;

	chan_cancel_wait(chan_group_watch(w->group));
	return EIO;
}

TEST_F(group, the_first_error_wins)
{
	struct chan_group *g = self->w->group;

	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, err(variant->go(g, fail_second, self->w)));
	ASSERT_EQ(0, err(variant->go(g, fail_first, self->w)));
	EXPECT_EQ(0, err(chan_send(self->w->gate2, NULL)));
	EXPECT_EQ(ENOSPC, err(chan_group_wait(g)));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(ENOSPC, chan_group_error(g));
	EXPECT_EQ(ENOSPC, chan_cancel_cause(chan_group_watch(g)));
	/* And for ever. */
	EXPECT_EQ(ENOSPC, err(chan_group_wait(g)));
}

TEST_F(group, an_error_ends_the_others_work)
{
	struct work *w = self->w;

	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, err(variant->go(w->group, work_until_cancelled, w)));
	ASSERT_EQ(0, err(variant->go(w->group, fail_with_eio, w)));
	wait_blocked(w->gate, 0, 5);
	wait_blocked(w->gate2, 0, 1);
	EXPECT_EQ(6, chan_group_count(w->group));
	EXPECT_EQ(0, chan_group_error(w->group));
	EXPECT_EQ(0, err(chan_send(w->gate2, NULL)));
	EXPECT_EQ(EIO, err(chan_group_wait(w->group)));
	EXPECT_EQ(5, w->cancelled);
	EXPECT_EQ(0, w->ended);
	EXPECT_EQ(EIO, w->cause);
}

TEST_F(group, who_has_done_its_work_is_not_cancelled)
{
	struct work *w = self->w;

	ASSERT_EQ(0, err(variant->go(w->group, work_until_cancelled, w)));
	ASSERT_EQ(0, err(variant->go(w->group, work_until_cancelled, w)));
	wait_blocked(w->gate, 0, 2);
	EXPECT_EQ(0, err(chan_send(w->gate, NULL)));
	wait_until(chan_group_count(w->group) == 1);
	EXPECT_EQ(0, chan_cancel_cause(chan_group_watch(w->group)));
	ASSERT_EQ(0, err(variant->go(w->group, fail_with_eio, w)));
	EXPECT_EQ(0, err(chan_close(w->gate2)));
	EXPECT_EQ(EIO, err(chan_group_wait(w->group)));
	EXPECT_EQ(1, w->ended);
	EXPECT_EQ(1, w->cancelled);
}

/* What counts as which error. */
static int return_arg(void *arg)
{
	return (int)(intptr_t)arg;
}

static int fail_like_a_call(void *arg)
{
	errno = (int)(intptr_t)arg;
	return -1;
}

static int result_of(go_call go, int (*fn)(void *arg), int arg)
{
	struct chan_group *group = must_make_group(0, NULL);
	int ret;

	must(!go(group, fn, (void *)(intptr_t)arg));
	ret = err(chan_group_wait(group));
	chan_group_drop(group);
	return ret;
}

TEST_F(group, results)
{
	EXPECT_EQ(0, result_of(variant->go, return_arg, 0));
	EXPECT_EQ(EAGAIN, result_of(variant->go, return_arg, EAGAIN));
	EXPECT_EQ(255, result_of(variant->go, return_arg, 255));
	EXPECT_EQ(EINVAL, result_of(variant->go, return_arg, 256));
	EXPECT_EQ(EINVAL, result_of(variant->go, return_arg, -2));
	EXPECT_EQ(ENOENT, result_of(variant->go, fail_like_a_call, ENOENT));
	EXPECT_EQ(EINVAL, result_of(variant->go, fail_like_a_call, 0));
}

/* ---- ends that are no return ---- */

static int exit_thread(void *arg)
{
	pthread_exit(arg);
}

static int cancel_thread(void *arg)
{
	pthread_cancel(pthread_self());
	pthread_testcancel();
	return (int)(intptr_t)arg;
}

TEST(a_thread_that_does_not_return)
{
	EXPECT_EQ(EOWNERDEAD, result_of(chan_group_go, exit_thread, 0));
	EXPECT_EQ(EOWNERDEAD, result_of(chan_group_go, cancel_thread, 0));
}

#ifndef SANITIZED
static int kill_self(void *arg)
{
	return raise((int)(intptr_t)arg);
}

static int exit_with(void *arg)
{
	exit((int)(intptr_t)arg);
}

TEST(a_process_that_does_not_return)
{
	EXPECT_EQ(EOWNERDEAD, result_of(chan_group_go_process, kill_self, SIGKILL));
	EXPECT_EQ(EOWNERDEAD, result_of(chan_group_go_process, kill_self, SIGTERM));
	EXPECT_EQ(0, result_of(chan_group_go_process, exit_with, 0));
	EXPECT_EQ(EPIPE, result_of(chan_group_go_process, exit_with, EPIPE));
}

static int tell_pid_and_stop(void *arg)
{
	struct work *w = arg;

	store(&w->running, getpid());
	stop_at(w->gate2);
	return 0;
}

TEST(a_killed_process_ends_the_others_work)
{
	struct work *w = must_make_work(0, NULL);

	ASSERT_EQ(0, err(chan_group_go(w->group, work_until_cancelled, w)));
	ASSERT_EQ(0, err(chan_group_go_process(w->group, work_until_cancelled, w)));
	ASSERT_EQ(0, err(chan_group_go_process(w->group, tell_pid_and_stop, w)));
	wait_blocked(w->gate, 0, 2);
	wait_blocked(w->gate2, 0, 1);
	ASSERT_EQ(0, kill(w->running, SIGKILL));
	EXPECT_EQ(EOWNERDEAD, err(chan_group_wait(w->group)));
	EXPECT_EQ(2, w->cancelled);
	EXPECT_EQ(EOWNERDEAD, w->cause);
	drop_work(w);
}

TEST(leaves_no_zombies)
{
	struct work *w = must_make_work(0, NULL);

	for (int i = 0; i < 8; i++)
		ASSERT_EQ(0, err(chan_group_go_process(w->group, succeed, w)));
	EXPECT_EQ(0, err(chan_group_wait(w->group)));
	EXPECT_EQ(8, w->ended);
	errno = 0;
	EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG));
	EXPECT_EQ(ECHILD, errno);
	drop_work(w);
}

TEST(a_result_that_nobody_can_know)
{
	signal(SIGCHLD, SIG_IGN);
	EXPECT_EQ(ECHILD, result_of(chan_group_go_process, exit_with, 0));
}
#endif

/* ---- the limit ---- */

#define LIMIT 3

static int be_one_of_few(void *arg)
{
	struct work *w = arg;
	int running = count_up(&w->running) + 1, most = load(&w->most);

	while (running > most &&
	       !__atomic_compare_exchange_n(&w->most, &most, running, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST))
		;
	stop_at(w->gate);
	__atomic_fetch_sub(&w->running, 1, __ATOMIC_SEQ_CST);
	count_up(&w->ended);
	return 0;
}

struct starter {
	go_call go;
	struct work *w;
};

static int start_many(void *arg)
{
	struct starter *s = arg;

	for (int i = 0; i < 5 * LIMIT; i++)
		CHECK(!s->go(s->w->group, be_one_of_few, s->w));
	return 0;
}

TEST_F(group, no_more_run_than_the_limit)
{
	struct work *w = must_make_work(LIMIT, NULL);
	struct starter s = { variant->go, w };
	struct task *starter = task_start(THREAD, start_many, &s);

	for (int i = 0; i < 5 * LIMIT; i++) {
		int left = 5 * LIMIT - i;

		/* All that may run do, and whoever would start more waits. */
		wait_blocked(w->gate, 0, left < LIMIT ? left : LIMIT);
		if (left > LIMIT)
			wait_blocked_on_wg(chan_group_wg(w->group), 1, 0);
		ASSERT_EQ(0, err(chan_send(w->gate, NULL)));
	}
	EXPECT_EQ(0, task_join(starter));
	EXPECT_EQ(0, err(chan_group_wait(w->group)));
	EXPECT_EQ(LIMIT, w->most);
	EXPECT_EQ(5 * LIMIT, w->ended);
	drop_work(w);
}

TEST_F(group, the_waits_can_be_bounded)
{
	struct chan_cancel *cancel = chan_cancel_make();
	struct chan_bounds late = { .deadline = 1 }, cancelled = { .cancel = cancel };
	struct work *w = must_make_work(1, NULL);
	struct chan_group *g = w->group;

	ASSERT_EQ(1, err(chan_cancel(cancel, 0)));
	ASSERT_EQ(0, err(variant->go(g, work_until_cancelled, w)));
	wait_blocked(w->gate, 0, 1);
	EXPECT_EQ(-EAGAIN, err(chan_group_try_go(g, succeed, w)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_group_go_until(g, succeed, w, 1)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_group_go_with(g, succeed, w, &late)));
	EXPECT_EQ(-ECANCELED, err(chan_group_go_with(g, succeed, w, &cancelled)));
	EXPECT_EQ(-EAGAIN, err(chan_group_try_go_process(g, succeed, w)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_group_go_process_until(g, succeed, w, 1)));
	EXPECT_EQ(-ECANCELED, err(chan_group_go_process_with(g, succeed, w, &cancelled)));
	EXPECT_EQ(-EAGAIN, err(chan_group_try_wait(g)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_group_wait_until(g, 1)));
	EXPECT_EQ(-ECANCELED, err(chan_group_wait_with(g, &cancelled)));
	EXPECT_EQ(0, chan_cancel_cause(chan_group_watch(g)));
	EXPECT_EQ(1, chan_group_count(g));
	EXPECT_EQ(0, err(chan_send(w->gate, NULL)));
	EXPECT_EQ(0, err(chan_group_wait_until(g, chan_after(10 * CHAN_SECOND))));
	EXPECT_EQ(0, err(chan_group_go_until(g, succeed, w, chan_after(CHAN_SECOND))));
	EXPECT_EQ(0, err(chan_group_wait_with(g, NULL)));
	EXPECT_EQ(0, err(chan_group_try_wait(g)));
	EXPECT_EQ(2, w->ended);
	drop_work(w);
	chan_cancel_drop(cancel);
}

/* ---- cancels: parents, children, groups within groups ---- */

TEST_F(group, is_cancelled_by_its_parent)
{
	struct chan_cancel *root = chan_cancel_make(), *branch = chan_cancel_child(root);
	struct work *w[] = {
		must_make_work(0, branch), must_make_work(0, root), must_make_work(0, NULL),
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(w); i++) {
		ASSERT_EQ(0, err(variant->go(w[i]->group, work_until_cancelled, w[i])));
		wait_blocked(w[i]->gate, 0, 1);
	}
	EXPECT_EQ(1, err(chan_cancel(branch, ESTALE)));
	EXPECT_EQ(ECANCELED, err(chan_group_wait(w[0]->group)));
	EXPECT_EQ(ESTALE, w[0]->cause);
	/* From parent to child only, and to nobody's sister. */
	EXPECT_EQ(0, chan_cancel_cause(root));
	EXPECT_EQ(0, chan_cancel_cause(chan_group_watch(w[1]->group)));
	EXPECT_TRUE(waiting(chan_fd(w[1]->gate), 0, 1));
	EXPECT_EQ(1, err(chan_cancel(root, ETIMEDOUT)));
	EXPECT_EQ(ECANCELED, err(chan_group_wait(w[1]->group)));
	EXPECT_EQ(ETIMEDOUT, w[1]->cause);
	EXPECT_TRUE(waiting(chan_fd(w[2]->gate), 0, 1));
	EXPECT_EQ(0, err(chan_close(w[2]->gate)));
	EXPECT_EQ(0, err(chan_group_wait(w[2]->group)));
	for (i = 0; i < ARRAY_LEN(w); i++)
		drop_work(w[i]);
	chan_cancel_drop(branch);
	chan_cancel_drop(root);
}

TEST_F(group, a_deadline_ends_its_work)
{
	struct chan_cancel *soon = chan_cancel_make_until(chan_after(CHAN_MILLISECOND));
	struct work *w = must_make_work(0, soon);

	ASSERT_EQ(0, err(variant->go(w->group, work_until_cancelled, w)));
	EXPECT_EQ(ECANCELED, err(chan_group_wait(w->group)));
	EXPECT_EQ(ETIMEDOUT, w->cause);
	drop_work(w);
	chan_cancel_drop(soon);
}

TEST_F(group, can_be_cancelled_without_an_error)
{
	struct work *w = self->w;

	ASSERT_EQ(0, err(variant->go(w->group, work_until_cancelled, w)));
	EXPECT_EQ(1, err(chan_group_cancel(w->group, EDOM)));
	EXPECT_EQ(0, err(chan_group_cancel(w->group, EIO)));
	EXPECT_EQ(ECANCELED, err(chan_group_wait(w->group)));
	EXPECT_EQ(EDOM, w->cause);
	EXPECT_EQ(EDOM, chan_cancel_cause(chan_group_watch(w->group)));
}

/* As Go's: what derives from the group's cancel ends when the wait is over. */
TEST_F(group, is_cancelled_when_the_wait_is_over)
{
	struct chan_group *g = self->w->group;
	struct chan_cancel *child = chan_cancel_child(chan_group_watch(g));

	ASSERT_EQ(0, err(variant->go(g, succeed, self->w)));
	EXPECT_EQ(0, err(chan_group_wait(g)));
	EXPECT_EQ(ECANCELED, err(chan_cancel_wait(child)));
	EXPECT_EQ(ECANCELED, chan_cancel_cause(chan_group_watch(g)));
	chan_cancel_drop(child);
}

/* A group of its own within a function of another. */
static int work_in_a_group(void *arg)
{
	struct work *outer = arg;
	struct work *inner = must_make_work(0, chan_group_watch(outer->group));
	int error, i;

	chan_drop(inner->gate);
	inner->gate = outer->gate;
	for (i = 0; i < 2; i++)
		must(!chan_group_go(inner->group, work_until_cancelled, inner));
	error = chan_group_wait(inner->group);
	store(&outer->cause, inner->cause);
	__atomic_fetch_add(&outer->cancelled, inner->cancelled, __ATOMIC_SEQ_CST);
	chan_group_drop(inner->group);
	return error;
}

TEST_F(group, an_outer_error_ends_inner_groups)
{
	struct work *w = self->w;

	ASSERT_EQ(0, err(variant->go(w->group, work_in_a_group, w)));
	ASSERT_EQ(0, err(variant->go(w->group, work_in_a_group, w)));
	ASSERT_EQ(0, err(variant->go(w->group, fail_with_eio, w)));
	wait_blocked(w->gate, 0, 4);
	wait_blocked(w->gate2, 0, 1);
	EXPECT_EQ(0, err(chan_send(w->gate2, NULL)));
	EXPECT_EQ(EIO, err(chan_group_wait(w->group)));
	EXPECT_EQ(4, w->cancelled);
	EXPECT_EQ(EIO, w->cause);
}

static int fail_in_a_group(void *arg)
{
	struct work *outer = arg;
	struct chan_group *inner = must_make_group(0, chan_group_watch(outer->group));
	int error;

	must(!chan_group_go(inner, return_arg, (void *)(intptr_t)EDOM));
	error = chan_group_wait(inner);
	chan_group_drop(inner);
	CHECK(error == EDOM);
	return 0;
}

TEST_F(group, an_inner_error_is_the_functions_to_tell)
{
	struct work *w = self->w;

	ASSERT_EQ(0, err(variant->go(w->group, work_until_cancelled, w)));
	ASSERT_EQ(0, err(variant->go(w->group, fail_in_a_group, w)));
	wait_until(chan_group_count(w->group) == 1);
	wait_blocked(w->gate, 0, 1);
	EXPECT_EQ(0, chan_group_error(w->group));
	EXPECT_EQ(0, err(chan_close(w->gate)));
	EXPECT_EQ(0, err(chan_group_wait(w->group)));
}

/* ---- dropping ---- */

TEST_F(group, dropped_while_its_functions_run)
{
	int fds = count_fds();
	struct work *w = must_make_work(0, NULL);

	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, err(variant->go(w->group, work_until_cancelled, w)));
	wait_blocked(w->gate, 0, 3);
	chan_group_drop(w->group);
	wait_until(load(&w->cancelled) == 3);
	EXPECT_EQ(ECANCELED, load(&w->cause));
	chan_drop(w->gate);
	chan_drop(w->gate2);
	wait_until(count_fds() == fds);
	munmap(w, sizeof(*w));
}

TEST(null_is_no_group)
{
	errno = EXDEV;
	chan_group_drop(NULL);
	EXPECT_EQ(EXDEV, errno);
	EXPECT_EQ(-EBADF, err(chan_group_go(NULL, succeed, NULL)));
	EXPECT_EQ(-EBADF, err(chan_group_go_process(NULL, succeed, NULL)));
	EXPECT_EQ(-EBADF, err(chan_group_wait(NULL)));
	EXPECT_EQ(-EBADF, err(chan_group_cancel(NULL, 0)));
	EXPECT_EQ(-EBADF, err(chan_group_error(NULL)));
	EXPECT_EQ(-EBADF, (int)err(chan_group_count(NULL)));
	EXPECT_TRUE(!chan_group_watch(NULL));
	EXPECT_EQ(EBADF, errno);
	EXPECT_TRUE(!chan_group_wg(NULL));
	EXPECT_EQ(EBADF, errno);
}

TEST(failures_change_nothing)
{
	struct chan_group *g = must_make_group(0, NULL);
	struct chan_cancel *parent = chan_cancel_make();
	struct chan_cancel *deaf = chan_cancel_restrict(parent, CHAN_SEND);

	errno = 0;
	EXPECT_TRUE(!chan_group_make(SIZE_MAX, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_TRUE(!chan_group_make(0, deaf));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-EINVAL, err(chan_group_go(g, NULL, NULL)));
	EXPECT_EQ(-EINVAL, err(chan_group_go_process(g, NULL, NULL)));
	/* Who watches the group cannot cancel it. */
	EXPECT_EQ(-EBADF, err(chan_cancel(chan_group_watch(g), 0)));
	allow_no_more_threads();
	EXPECT_EQ(-EDQUOT, err(chan_group_go(g, succeed, NULL)));
	EXPECT_EQ(-EDQUOT, err(chan_group_go_process(g, succeed, NULL)));
	EXPECT_EQ(0, chan_group_count(g));
	EXPECT_EQ(0, err(chan_group_wait(g)));
	chan_group_drop(g);
	chan_cancel_drop(deaf);
	chan_cancel_drop(parent);
}

/* ---- processes and the group's own process ---- */

#ifndef SANITIZED
/* There is a thread to watch the process, but no process can be made. */
static int tell_fork_fails(void *arg)
{
	struct chan_group *g = must_make_group(0, NULL);
	struct chan *gate = must_make(0, 0);
	struct rlimit two = { 2, 2 };

	(void)arg;
	become_user(NOBODY - 1);
	must(!setrlimit(RLIMIT_NPROC, &two));
	CHECK(err(chan_group_go_process(g, succeed, NULL)) == -EDQUOT);
	CHECK(chan_group_wait(g) == 0);
	CHECK(chan_group_count(g) == 0);
	chan_group_drop(g);
	chan_drop(gate);
	return 0;
}

TEST(a_watcher_without_a_process)
{
	EXPECT_EQ(0, task_join(task_start(PROCESS, tell_fork_fails, NULL)));
}

static int use_a_copy(void *arg)
{
	struct work *w = arg;

	CHECK(err(chan_group_go(w->group, succeed, w)) == -EBADF);
	CHECK(err(chan_group_go_process(w->group, succeed, w)) == -EBADF);
	CHECK(err(chan_group_wait(w->group)) == -EBADF);
	CHECK(err(chan_group_cancel(w->group, 0)) == -EBADF);
	CHECK(err(chan_group_error(w->group)) == -EBADF);
	CHECK(chan_cancel_cause(chan_group_watch(w->group)) == 0);
	chan_group_drop(w->group);
	return 0;
}

TEST(a_childs_copy_is_good_for_watching)
{
	struct work *w = must_make_work(0, NULL);

	ASSERT_EQ(0, err(chan_group_go(w->group, work_until_cancelled, w)));
	EXPECT_EQ(0, task_join(task_start(PROCESS, use_a_copy, w)));
	EXPECT_EQ(0, chan_cancel_cause(chan_group_watch(w->group)));
	EXPECT_EQ(0, err(chan_close(w->gate)));
	EXPECT_EQ(0, err(chan_group_wait(w->group)));
	drop_work(w);
}

/* Starts two processes, and another that has nothing to do with the group. */
static int lead_and_stop(void *arg)
{
	struct work *w = arg;

	w->group = must_make_group(0, NULL);
	must(!chan_group_go_process(w->group, work_until_cancelled, w));
	must(!chan_group_go_process(w->group, work_until_cancelled, w));
	if (!fork())
		_exit(tell_pid_and_stop(w));
	stop_at(w->gate2);
	return 0;
}

TEST(the_death_of_the_groups_process_cancels)
{
	struct work *w = must_make_work(0, NULL);
	struct task *leader;

	chan_group_drop(w->group);
	must(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	leader = task_start(PROCESS, lead_and_stop, w);
	wait_blocked(w->gate, 0, 2);
	wait_blocked(w->gate2, 0, 2);
	task_kill(leader);
	EXPECT_EQ(KILLED(SIGKILL), task_join(leader));
	wait_until(load(&w->cancelled) == 2);
	EXPECT_EQ(EOWNERDEAD, w->cause);
	/* The one that is still there. */
	EXPECT_TRUE(waiting(chan_fd(w->gate2), 0, 1));
	EXPECT_EQ(0, err(chan_close(w->gate2)));
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* Race: processes of a group are started while other threads fork, go and fail. */
static int start_and_wait(void *arg)
{
	struct work *w = arg;

	for (int i = 0; i < 5; i++) {
		struct chan_group *g = must_make_group(2, NULL);

		for (int n = 0; n < 4; n++)
			CHECK(!(n % 2 ? chan_group_go : chan_group_go_process)(g, succeed, w));
		CHECK(!chan_group_wait(g));
		chan_group_drop(g);
	}
	return 0;
}

/* With a pause, for the lock that forks wait for is not fair. */
static int make_groups(void *arg)
{
	int *over = arg;

	while (!load(over)) {
		chan_group_drop(must_make_group(0, NULL));
		usleep(20);
	}
	return 0;
}

/* Handles of cancels that are not cancelled, and that this process could cancel. */
static int count_cancels(void)
{
	struct chan_object_stat stat;
	int n = 0;

	for (int fd = 3; fd < 64; fd++) {
		struct chan_cancel *cancel = chan_cancel_from_fd(fd);

		if (!cancel)
			continue;
		must(!chan_cancel_stat(cancel, &stat));
		n += stat.rights & CHAN_SEND && !(stat.state & CHAN_CANCELLED);
	}
	return n;
}

/* Race: a group is made while another thread forks. */
TEST(no_child_gets_a_group_that_is_being_made)
{
	int *over = shared_alloc(sizeof(*over));
	struct task *maker = task_start(THREAD, make_groups, over);

	for (int i = 0; i < 300; i++) {
		pid_t pid = fork();

		must(pid >= 0);
		if (!pid)
			_exit(count_cancels());
		EXPECT_EQ(0, reap(pid));
	}
	store(over, 1);
	EXPECT_EQ(0, task_join(maker));
}

TEST(many_groups_at_once)
{
	struct work *w = must_make_work(0, NULL);
	struct task *tasks[4];

	for (int i = 0; i < 4; i++)
		tasks[i] = task_start(THREAD, start_and_wait, w);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(0, task_join(tasks[i]));
	EXPECT_EQ(4 * 5 * 4, w->ended);
	errno = 0;
	EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG));
	EXPECT_EQ(ECHILD, errno);
	drop_work(w);
}
#endif

TEST_HARNESS_MAIN
