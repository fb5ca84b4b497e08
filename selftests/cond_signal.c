// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conds: signals wake the longest waiting first, each exactly one; waiting gives
 * the lock back in the same step; and how waits end that nobody signalled.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { WAITERS = 5 };

FIXTURE(cond) {
	int m, cond;
};

FIXTURE_VARIANT(cond) {
	enum task_kind kind;
	__u32 lock;
};

FIXTURE_VARIANT_ADD(cond, mutex_threads) { THREAD, KCHAN_KIND_MUTEX };
FIXTURE_VARIANT_ADD(cond, mutex_processes) { PROCESS, KCHAN_KIND_MUTEX };
FIXTURE_VARIANT_ADD(cond, rwmutex_threads) { THREAD, KCHAN_KIND_RWMUTEX };
FIXTURE_VARIANT_ADD(cond, rwmutex_processes) { PROCESS, KCHAN_KIND_RWMUTEX };

FIXTURE_SETUP(cond)
{
	self->m = make_object(variant->lock, 0);
	self->cond = make_object(KCHAN_KIND_COND, 0);
}

FIXTURE_TEARDOWN(cond)
{
	close(self->m);
	close(self->cond);
}

/* Locks first; the lock is gone when it returns. */
struct waiter {
	int m;
	struct one_op op;
	struct task *task;
};

static int lock_and_wait(void *arg)
{
	struct waiter *w = arg;

	CHECK(kchan_lock(w->m) == 0);
	return do_one_op(&w->op);
}

static struct waiter *new_waiter(int m, int cond)
{
	struct waiter *w = shared_alloc(sizeof(*w));

	w->m = m;
	w->op = (struct one_op){ .fd = cond, .op = KCHAN_OP_COND, .arg = m };
	return w;
}

static void start_waiter(struct waiter *w, enum task_kind kind, __u32 waiting_then)
{
	w->task = task_start(kind, lock_and_wait, w);
	wait_waiting(w->op.fd, 0, waiting_then);
}

static int ended(struct waiter *w)
{
	return join_op(w->task, &w->op);
}

static int signal_some(int cond, __s64 n)
{
	return kchan_arg_call(cond, KCHAN_SIGNAL, n);
}

TEST_F(cond, first_come_first_woken)
{
	struct waiter *w[WAITERS];

	for (int i = 0; i < WAITERS; i++) {
		w[i] = new_waiter(self->m, self->cond);
		start_waiter(w[i], variant->kind, i + 1);
	}
	for (int i = 0; i < WAITERS; i++) {
		EXPECT_EQ(1, signal_some(self->cond, 1));
		EXPECT_EQ(0, ended(w[i]));
		EXPECT_EQ(true, waiting(self->cond, 0, WAITERS - 1 - i));
		for (int k = i + 1; k < WAITERS; k++) {
			EXPECT_EQ(0, load(&w[k]->op.over));
		}
	}
	/* Nobody waits: a signal is not kept. */
	EXPECT_EQ(0, signal_some(self->cond, 1));
	EXPECT_EQ(0, signal_some(self->cond, KCHAN_ALL));
	EXPECT_EQ(0, kchan_try_lock(self->m));
}

TEST_F(cond, wakes_as_many_as_asked)
{
	struct waiter *w[WAITERS];

	for (int i = 0; i < WAITERS; i++) {
		w[i] = new_waiter(self->m, self->cond);
		start_waiter(w[i], variant->kind, i + 1);
	}
	EXPECT_EQ(2, signal_some(self->cond, 2));
	EXPECT_EQ(0, ended(w[0]));
	EXPECT_EQ(0, ended(w[1]));
	EXPECT_EQ(true, waiting(self->cond, 0, WAITERS - 2));
	EXPECT_EQ(WAITERS - 2, signal_some(self->cond, KCHAN_ALL));
	for (int i = 2; i < WAITERS; i++) {
		EXPECT_EQ(0, ended(w[i]));
	}
}

TEST_F(cond, lock_is_free_while_it_waits)
{
	struct waiter *w = new_waiter(self->m, self->cond);

	start_waiter(w, variant->kind, 1);
	/* It counts as waiting just before it has given the lock back. */
	EXPECT_EQ(0, kchan_lock(self->m));
	EXPECT_EQ(true, waiting(self->cond, 0, 1));
	/* Woken though the lock is held: taking it again is the next call's business. */
	EXPECT_EQ(1, signal_some(self->cond, 1));
	EXPECT_EQ(0, ended(w));
	EXPECT_EQ(0, kchan_unlock(self->m));
}

/* Giving the lock back hands it on, as an unlock does. */
TEST_F(cond, passes_the_lock_on)
{
	struct one_op *op = new_op(self->m, KCHAN_OP_LOCK, 0);
	struct task *t;

	ASSERT_EQ(0, kchan_lock(self->m));
	t = task_start(variant->kind, do_one_op, op);
	wait_waiting(self->m, 1, 0);
	EXPECT_EQ(-ETIMEDOUT, op_until(self->cond, KCHAN_OP_COND, self->m, in_ms(20)));
	EXPECT_EQ(0, join_op(t, op));
}

/* ---- waits that nobody signalled: the lock is gone all the same ---- */

TEST_F(cond, deadline)
{
	__s64 deadline = in_ms(20);

	ASSERT_EQ(0, kchan_lock(self->m));
	EXPECT_EQ(-ETIMEDOUT, op_until(self->cond, KCHAN_OP_COND, self->m, deadline));
	EXPECT_LE(deadline, now());
	EXPECT_EQ(-EPERM, kchan_unlock(self->m));
	EXPECT_EQ(0, chan_stat(self->m).state);
	EXPECT_EQ(true, waiting(self->cond, 0, 0));
}

/* A deadline that has passed is a wait that is over at once. */
TEST_F(cond, deadline_in_the_past)
{
	ASSERT_EQ(0, kchan_lock(self->m));
	EXPECT_EQ(-ETIMEDOUT, op_until(self->cond, KCHAN_OP_COND, self->m, 0));
	EXPECT_EQ(-EPERM, kchan_unlock(self->m));
}

/* There is one rule, without a wait as well: afterwards the lock is gone. */
TEST_F(cond, would_block)
{
	ASSERT_EQ(0, kchan_lock(self->m));
	EXPECT_EQ(-EAGAIN, try_op(self->cond, KCHAN_OP_COND, self->m));
	EXPECT_EQ(-EPERM, kchan_unlock(self->m));
	ASSERT_EQ(0, fcntl(self->cond, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, kchan_lock(self->m));
	EXPECT_EQ(-EAGAIN, wait_op(self->cond, KCHAN_OP_COND, self->m));
	EXPECT_EQ(-EPERM, kchan_unlock(self->m));
	EXPECT_EQ(0, chan_stat(self->m).state);
}

/* Even under SA_RESTART: the lock is gone, so the call cannot begin anew. */
TEST_F(cond, signals_interrupt)
{
	for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
		struct waiter *w = new_waiter(self->m, self->cond);

		catch_signal(SIGUSR1, flags);
		start_waiter(w, variant->kind, 1);
		task_signal(w->task, SIGUSR1);
		EXPECT_EQ(-EINTR, ended(w));
		EXPECT_EQ(0, chan_stat(self->m).state);
		EXPECT_EQ(true, waiting(self->cond, 0, 0));
	}
	EXPECT_EQ(0, signal_some(self->cond, 1));
}

TEST_F(cond, killed_waiter_costs_no_signal)
{
	struct waiter *dead = new_waiter(self->m, self->cond);
	struct waiter *next = new_waiter(self->m, self->cond);

	start_waiter(dead, PROCESS, 1);
	start_waiter(next, variant->kind, 2);
	task_kill(dead->task);
	EXPECT_EQ(KILLED(SIGKILL), task_join(dead->task));
	EXPECT_EQ(true, waiting(self->cond, 0, 1));
	wait_until(!chan_stat(self->m).state);
	EXPECT_EQ(1, signal_some(self->cond, 1));
	EXPECT_EQ(0, ended(next));
}

/* It was signalled, and is killed before it could do anything about it. */
TEST_F(cond, killed_when_just_signalled)
{
	struct waiter *dead = new_waiter(self->m, self->cond);
	struct waiter *next = new_waiter(self->m, self->cond);

	start_waiter(dead, PROCESS, 1);
	start_waiter(next, variant->kind, 2);
	wait_asleep(dead->task);
	if (!keep_from_running(dead->task->tid))
		SKIP(return, "no real-time priority here: %s", strerror(errno));
	EXPECT_EQ(1, signal_some(self->cond, 1));
	task_kill(dead->task);
	let_run();
	EXPECT_EQ(KILLED(SIGKILL), task_join(dead->task));
	EXPECT_EQ(0, ended(next));
}

/* ---- what it refuses; and then the lock is still held ---- */

static void expect_refused(struct __test_metadata *_metadata, FIXTURE_DATA(cond) *self, int error,
			   __u64 lock)
{
	EXPECT_EQ(-error, op_until(self->cond, KCHAN_OP_COND, lock, in_ms(10)));
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(self->m).state);
	EXPECT_EQ(true, waiting(self->cond, 0, 0));
}

TEST_F(cond, needs_a_lock_that_is_held)
{
	int other = make_object(variant->lock, 0), c = make_chan(8, 0), pipes[2];
	int without = restrict_to(self->m, KCHAN_RIGHT_RECV);
	int signal_only = restrict_to(self->cond, KCHAN_RIGHT_SEND);

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, kchan_lock(self->m));
	expect_refused(_metadata, self, EPERM, other);
	expect_refused(_metadata, self, EINVAL, c);
	expect_refused(_metadata, self, EINVAL, self->cond);
	expect_refused(_metadata, self, EBADF, 1000);
	expect_refused(_metadata, self, EBADF, without);
	expect_refused(_metadata, self, EBADF, pipes[0]);
	EXPECT_EQ(-EBADF, try_op(signal_only, KCHAN_OP_COND, self->m));
	EXPECT_EQ(-EINVAL, kchan_wait_op(self->cond, KCHAN_OP_COND, 1, self->m, KCHAN_NONBLOCK, 0,
					 NULL));
	EXPECT_EQ(0, kchan_unlock(self->m));
	EXPECT_EQ(-EPERM, try_op(self->cond, KCHAN_OP_COND, self->m));
}

static int wait_with_another_s_lock(void *arg)
{
	FIXTURE_DATA(cond) *self = arg;

	CHECK(try_op(self->cond, KCHAN_OP_COND, self->m) == -EPERM);
	return 0;
}

TEST_F(cond, lock_of_another_process)
{
	ASSERT_EQ(0, kchan_lock(self->m));
	EXPECT_EQ(0, task_join(task_start(PROCESS, wait_with_another_s_lock, self)));
	EXPECT_EQ(0, kchan_unlock(self->m));
}

TEST_F(cond, read_lock_does_not_do)
{
	if (variant->lock != KCHAN_KIND_RWMUTEX)
		return;
	ASSERT_EQ(0, kchan_rlock(self->m));
	EXPECT_EQ(-EPERM, try_op(self->cond, KCHAN_OP_COND, self->m));
	EXPECT_EQ(0, kchan_runlock(self->m));
}

/* ---- with a cancel: the one select that it can be in ---- */

struct cancelled_wait {
	int m;
	struct kchan_case cases[2];
	struct chosen got;
};

static int lock_and_select(void *arg)
{
	struct cancelled_wait *w = arg;

	CHECK(kchan_lock(w->m) == 0);
	w->got = kchan_select(w->cases, 2, KCHAN_IN_ORDER, 0);
	return 0;
}

static struct cancelled_wait *new_cancelled_wait(FIXTURE_DATA(cond) *self, int cancel)
{
	struct cancelled_wait *w = shared_alloc(sizeof(*w));

	w->m = self->m;
	w->cases[0] = on_op(self->cond, KCHAN_OP_COND, self->m);
	w->cases[1] = on_op(cancel, KCHAN_OP_CANCELLED, 0);
	return w;
}

TEST_F(cond, with_a_cancel)
{
	for (int cancelled = 0; cancelled <= 1; cancelled++) {
		int cancel = make_cancel(-1);
		struct cancelled_wait *w = new_cancelled_wait(self, cancel);
		struct task *t = task_start(variant->kind, lock_and_select, w);

		wait_waiting(self->cond, 0, 1);
		wait_waiting(cancel, 0, 1);
		wait_until(!chan_stat(self->m).state);
		EXPECT_EQ(1, cancelled ? kchan_arg_call(cancel, KCHAN_CANCEL, EIO) :
					 signal_some(self->cond, 1));
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(cancelled, w->got.index);
		EXPECT_EQ(0, w->got.outcome);
		EXPECT_EQ(cancelled ? EIO : 0, w->got.value);
		EXPECT_EQ(0, chan_stat(self->m).state);
		EXPECT_EQ(true, waiting(self->cond, 0, 0));
		close(cancel);
	}
}

/* The rule has no exception: given back, though there was nothing to wait for. */
TEST_F(cond, cancelled_before)
{
	int cancel = make_cancel(-1);
	struct cancelled_wait *w = new_cancelled_wait(self, cancel);

	ASSERT_EQ(1, kchan_arg_call(cancel, KCHAN_CANCEL, EIO));
	EXPECT_EQ(0, lock_and_select(w));
	EXPECT_EQ(1, w->got.index);
	EXPECT_EQ(EIO, w->got.value);
	EXPECT_EQ(0, chan_stat(self->m).state);
}

TEST_F(cond, is_no_case_of_another_select)
{
	int cancel = make_cancel(-1), c = make_chan(8, 1);
	struct kchan_case cond = on_op(self->cond, KCHAN_OP_COND, self->m);
	struct kchan_case cancelled = on_op(cancel, KCHAN_OP_CANCELLED, 0);
	__u64 v = 1;
	struct kchan_case second[] = { cancelled, cond }, twice[] = { cond, cond };
	struct kchan_case other[] = { cond, on_send64(c, &v) }, good[] = { cond, cancelled };

	ASSERT_EQ(0, kchan_lock(self->m));
	EXPECT_EQ(-EINVAL, kchan_select(second, 2, KCHAN_IN_ORDER, 0).index);
	EXPECT_EQ(-EINVAL, kchan_select(twice, 2, KCHAN_IN_ORDER, 0).index);
	EXPECT_EQ(-EINVAL, kchan_select(other, 2, KCHAN_IN_ORDER, 0).index);
	EXPECT_EQ(-EINVAL, kchan_select(good, 2, 0, 0).index);
	EXPECT_EQ(-EINVAL, kchan_select(good, 2, KCHAN_IN_ORDER | KCHAN_READY, 0).index);
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(self->m).state);
	EXPECT_EQ(0, chan_stat(c).length);
	/* Nothing but the good one gives it back, also without a wait. */
	EXPECT_EQ(-EAGAIN, kchan_select(good, 2, KCHAN_IN_ORDER | KCHAN_NONBLOCK, 0).index);
	EXPECT_EQ(0, chan_stat(self->m).state);
	EXPECT_EQ(-EPERM, kchan_select(good, 2, KCHAN_IN_ORDER, 0).index);
}

TEST_F(cond, signals_at_least_one)
{
	EXPECT_EQ(-EINVAL, signal_some(self->cond, 0));
	EXPECT_EQ(-EINVAL, signal_some(self->cond, -1));
	EXPECT_EQ(-EINVAL, signal_some(self->cond, LLONG_MIN));
	EXPECT_EQ(0, signal_some(self->cond, KCHAN_ALL));
	EXPECT_EQ(0, poll_now(self->cond, POLLIN));
}

/* Go's TestCondSignal, where the woken take the lock again. */
struct go_waiter {
	int m, cond;
	int running, awake;	/* channels */
};

static int wait_as_in_go(void *arg)
{
	struct go_waiter *w = arg;

	CHECK(kchan_lock(w->m) == 0);
	CHECK(send64(w->running, 1) == 0);
	CHECK(kchan_cond_wait(w->cond, w->m) == 0);
	CHECK(send64(w->awake, 1) == 0);
	CHECK(kchan_unlock(w->m) == 0);
	return 0;
}

TEST_F(cond, one_signal_one_awake)
{
	struct go_waiter w = { self->m, self->cond, make_chan(8, 2), make_chan(8, 2) };
	struct task *tasks[2];
	__u64 v;

	for (int i = 0; i < 2; i++)
		tasks[i] = task_start(variant->kind, wait_as_in_go, &w);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(1, recv64(w.running, &v));
	}
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(-EAGAIN, try_recv64(w.awake, &v));
		ASSERT_EQ(0, kchan_lock(self->m));
		/* With the lock, all who ran are asleep: the step was one. */
		EXPECT_EQ(true, waiting(self->cond, 0, 2 - i));
		EXPECT_EQ(1, signal_some(self->cond, 1));
		ASSERT_EQ(0, kchan_unlock(self->m));
		ASSERT_EQ(1, recv64(w.awake, &v));
		EXPECT_EQ(-EAGAIN, try_recv64(w.awake, &v));
	}
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(0, signal_some(self->cond, 1));
}

TEST_HARNESS_MAIN
