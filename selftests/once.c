// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestOnce and TestOncePanic on a shared handle: one does it, the others
 * wait until it is done; whoever fails leaves it to the next.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { N = 10 };

TASK_FIXTURE(once);

static int make_once(void)
{
	return make_object(KCHAN_KIND_ONCE, 0);
}

struct one {
	int once;
	int count;	/* plain */
};

static int increment_once(void *arg)
{
	struct one *o = arg;
	int ret = kchan_lock(o->once);

	if (ret == 0) {
		o->count++;
		CHECK(kchan_done(o->once, 0) == 0);
	} else {
		CHECK(ret == 1);
	}
	CHECK(o->count == 1);
	return 0;
}

TEST_F(once, one_does_it)
{
	struct one *o = shared_alloc(sizeof(*o));
	struct task *tasks[N];

	o->once = make_once();
	for (int i = 0; i < N; i++)
		tasks[i] = task_start(variant->kind, increment_once, o);
	for (int i = 0; i < N; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(1, o->count);
	EXPECT_EQ(KCHAN_STATE_DONE, chan_stat(o->once).state);
}

TEST_F(once, others_wait_for_the_first)
{
	struct one_op *ops[N];
	struct task *tasks[N];
	int once = make_once();

	ASSERT_EQ(0, kchan_lock(once));
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(once).state);
	for (int i = 0; i < N; i++) {
		ops[i] = new_op(once, KCHAN_OP_LOCK, 0);
		tasks[i] = task_start(variant->kind, do_one_op, ops[i]);
	}
	wait_waiting(once, N, 0);
	EXPECT_EQ(0, kchan_done(once, 0));
	for (int i = 0; i < N; i++) {
		EXPECT_EQ(1, join_op(tasks[i], ops[i]));
	}
	EXPECT_EQ(1, kchan_lock(once));
	EXPECT_EQ(1, kchan_try_lock(once));
	EXPECT_EQ(1, op_until(once, KCHAN_OP_LOCK, 0, 0));
	EXPECT_EQ(POLLOUT, poll_now(once, POLLIN | POLLOUT));
}

/* In turn, until one of them does it. */
TEST_F(once, left_to_the_next)
{
	struct one_op *ops[3];
	struct task *tasks[3];
	int once = make_once();

	ASSERT_EQ(0, kchan_lock(once));
	for (int i = 0; i < 3; i++) {
		ops[i] = new_op(once, KCHAN_OP_LOCK, 0);
		tasks[i] = task_start(THREAD, do_one_op, ops[i]);
		wait_waiting(once, i + 1, 0);
	}
	ASSERT_EQ(0, kchan_unlock(once));
	EXPECT_EQ(0, join_op(tasks[0], ops[0]));
	EXPECT_EQ(true, waiting(once, 2, 0));
	ASSERT_EQ(0, kchan_done(once, 0));
	EXPECT_EQ(1, join_op(tasks[1], ops[1]));
	EXPECT_EQ(1, join_op(tasks[2], ops[2]));
}

static int begin_and_die(void *arg)
{
	CHECK(kchan_lock(*(int *)arg) == 0);
	raise(SIGKILL);
	return 0;
}

TEST(left_by_the_dead)
{
	int once = make_once();

	EXPECT_EQ(KILLED(SIGKILL), task_join(task_start(PROCESS, begin_and_die, &once)));
	EXPECT_EQ(KCHAN_STATE_OWNERDEAD, chan_stat(once).state);
	EXPECT_EQ(-EOWNERDEAD, kchan_lock(once));
	/* It is this caller's now, to do or to leave. */
	EXPECT_EQ(-EAGAIN, kchan_try_lock(once));
	EXPECT_EQ(0, kchan_done(once, 0));
	EXPECT_EQ(1, kchan_lock(once));
	EXPECT_EQ(KCHAN_STATE_DONE, chan_stat(once).state);
}

/* Who waits when that happens is told; after it, who comes next is told as well. */
TEST_F(once, left_by_the_dead_to_waiters)
{
	struct one_op *first = new_op(make_once(), KCHAN_OP_LOCK, 0);
	struct task *holder, *t;
	int once = first->fd;

	holder = task_start(PROCESS, do_one_op, new_op(once, KCHAN_OP_LOCK, 0));
	wait_until(chan_stat(once).state & (KCHAN_STATE_LOCKED | KCHAN_STATE_OWNERDEAD));
	t = task_start(variant->kind, do_one_op, first);
	EXPECT_EQ(-EOWNERDEAD, join_op(t, first));
	EXPECT_EQ(0, task_join(holder));
	if (variant->kind == PROCESS) {
		EXPECT_EQ(-EOWNERDEAD, kchan_lock(once));
	}
	EXPECT_EQ(0, kchan_done(once, 0));
	EXPECT_EQ(1, kchan_lock(once));
}

static int tell_for_another(void *arg)
{
	int once = *(int *)arg;

	CHECK(kchan_done(once, 0) == -EPERM);
	CHECK(kchan_unlock(once) == -EPERM);
	return 0;
}

TEST(only_its_doer_tells)
{
	int once = make_once();

	EXPECT_EQ(-EPERM, kchan_done(once, 0));
	EXPECT_EQ(-EPERM, kchan_unlock(once));
	ASSERT_EQ(0, kchan_lock(once));
	EXPECT_EQ(-EINVAL, kchan_done(once, 1));
	EXPECT_EQ(0, task_join(task_start(PROCESS, tell_for_another, &once)));
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(once).state);
	EXPECT_EQ(0, kchan_done(once, 0));
	EXPECT_EQ(-EPERM, kchan_done(once, 0));
	EXPECT_EQ(-EPERM, kchan_unlock(once));
	EXPECT_EQ(KCHAN_STATE_DONE, chan_stat(once).state);
}

/* Once done, it stays done when its doer dies. */
static int do_and_end(void *arg)
{
	int once = *(int *)arg;

	CHECK(kchan_lock(once) == 0);
	return kchan_done(once, 0);
}

TEST(stays_done)
{
	int once = make_once();

	EXPECT_EQ(0, task_join(task_start(PROCESS, do_and_end, &once)));
	EXPECT_EQ(1, kchan_lock(once));
}

TEST_HARNESS_MAIN
