// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cancels: from parent to child and never back, once for all, with a cause that
 * is kept; by whoever may, by a deadline, or by the end of all who could.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

TASK_FIXTURE(cancel);

static int cancel(int fd, __s64 cause)
{
	return kchan_arg_call(fd, KCHAN_CANCEL, cause);
}

static __s64 an_hour_from_now(void)
{
	return now() + 3600 * NSEC_PER_SEC;
}

TEST(once_for_all)
{
	int fd = make_cancel(-1);

	EXPECT_EQ(-EAGAIN, cause_now(fd));
	EXPECT_EQ(0, chan_stat(fd).state);
	EXPECT_EQ(0, chan_stat(fd).value);
	EXPECT_EQ(1, cancel(fd, EIO));
	EXPECT_EQ(EIO, cause_now(fd));
	EXPECT_EQ(KCHAN_STATE_CANCELLED, chan_stat(fd).state);
	EXPECT_EQ(EIO, chan_stat(fd).value);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, cancel(fd, EPERM));
		EXPECT_EQ(0, cancel(fd, 0));
		EXPECT_EQ(EIO, cause_now(fd));
	}
}

TEST(causes)
{
	const __s64 bad[] = { -1, KCHAN_MAX_ERRNO + 1, 1ll << 32, (1ll << 32) + 1, LLONG_MIN };
	int fd = make_cancel(-1), last = make_cancel(-1);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, cancel(fd, bad[i]));
	}
	EXPECT_EQ(-EAGAIN, cause_now(fd));
	EXPECT_EQ(1, cancel(fd, 0));
	EXPECT_EQ(ECANCELED, cause_now(fd));
	EXPECT_EQ(1, cancel(last, KCHAN_MAX_ERRNO));
	EXPECT_EQ(KCHAN_MAX_ERRNO, cause_now(last));
}

TEST_F(cancel, wakes_all_who_wait)
{
	enum { N = 8 };
	int parent = make_cancel(-1), child = make_cancel(parent);
	struct one_op *ops[N];
	struct task *tasks[N];

	for (int i = 0; i < N; i++) {
		ops[i] = new_op(i % 2 ? child : parent, KCHAN_OP_CANCELLED, 0);
		tasks[i] = task_start(variant->kind, do_one_op, ops[i]);
	}
	wait_waiting(parent, 0, N / 2);
	wait_waiting(child, 0, N / 2);
	EXPECT_EQ(1, cancel(parent, EIO));
	for (int i = 0; i < N; i++) {
		EXPECT_EQ(0, join_op(tasks[i], ops[i]));
		EXPECT_EQ(EIO, ops[i]->value);
	}
}

/* ---- parents and children ---- */

TEST(goes_down_and_not_up)
{
	int root = make_cancel(-1), left = make_cancel(root), right = make_cancel(root);
	int leaf = make_cancel(left);

	EXPECT_EQ(1, cancel(left, EIO));
	EXPECT_EQ(EIO, cause_now(left));
	EXPECT_EQ(EIO, cause_now(leaf));
	EXPECT_EQ(-EAGAIN, cause_now(root));
	EXPECT_EQ(-EAGAIN, cause_now(right));
	EXPECT_EQ(1, cancel(root, EPERM));
	EXPECT_EQ(EPERM, cause_now(right));
	/* Each keeps the cause that was first. */
	EXPECT_EQ(EIO, cause_now(left));
	EXPECT_EQ(EIO, cause_now(leaf));
}

TEST(child_of_the_cancelled)
{
	int parent = make_cancel(-1), child;

	EXPECT_EQ(1, cancel(parent, EIO));
	child = make_cancel(parent);
	EXPECT_EQ(EIO, cause_now(child));
	EXPECT_EQ(KCHAN_STATE_CANCELLED, chan_stat(child).state);
	EXPECT_EQ(0, cancel(child, EPERM));
	EXPECT_EQ(0, chan_stat(parent).length);
}

TEST(parent_through_a_handle_that_only_waits)
{
	int parent = make_cancel(-1);
	int waits = restrict_to(parent, KCHAN_RIGHT_RECV);
	int cancels = restrict_to(parent, KCHAN_RIGHT_SEND);
	int child = make_cancel(waits);

	EXPECT_EQ(-EBADF, try_make_cancel(cancels, 0, 0));
	EXPECT_EQ(-EBADF, cancel(waits, 0));
	EXPECT_EQ(1, chan_stat(parent).length);
	EXPECT_EQ(1, cancel(cancels, EIO));
	EXPECT_EQ(EIO, cause_now(child));
}

TEST(what_is_no_parent)
{
	int c = make_chan(8, 0), timer = make_object(KCHAN_KIND_TIMER, 0), pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-EINVAL, try_make_cancel(c, 0, 0));
	EXPECT_EQ(-EINVAL, try_make_cancel(timer, 0, 0));
	EXPECT_EQ(-EBADF, try_make_cancel(pipes[0], 0, 0));
	EXPECT_EQ(-EBADF, try_make_cancel(1000, 0, 0));
	EXPECT_EQ(-EBADF, try_make_cancel(-1, KCHAN_CHILD, 0));
}

/* ---- deadlines ---- */

TEST(deadline)
{
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		__s64 end = now_on(clocks[i].clock) + 20 * NSEC_PER_MSEC;
		int fd = try_make_cancel(-1, clocks[i].flags, end);
		__u64 cause;

		ASSERT_LE(0, fd);
		EXPECT_EQ(0, kchan_wait_op(fd, KCHAN_OP_CANCELLED, 0, 0, 0, 0, &cause));
		EXPECT_LE(end, now_on(clocks[i].clock));
		EXPECT_EQ(ETIMEDOUT, cause);
		EXPECT_EQ(0, cancel(fd, EIO));
		EXPECT_EQ(ETIMEDOUT, cause_now(fd));
	}
}

TEST(deadline_that_has_passed)
{
	int fd = try_make_cancel(-1, KCHAN_DEADLINE, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(ETIMEDOUT, cause_now(fd));
	EXPECT_EQ(ETIMEDOUT, cause_now(make_cancel(fd)));
}

/* Nobody looks, and still it is seen to be over: by stat, poll, and its child. */
TEST(deadline_that_nobody_waits_for)
{
	__s64 end = in_ms(20);
	int fd = try_make_cancel(-1, KCHAN_DEADLINE, end);
	int child = make_cancel(fd);
	struct pollfd p = { .fd = child, .events = POLLIN };

	/* Without a time-out, at whose end it would look again by itself. */
	EXPECT_EQ(1, poll(&p, 1, -1));
	EXPECT_LE(end, now());
	EXPECT_EQ(KCHAN_STATE_CANCELLED, chan_stat(child).state);
	EXPECT_EQ(ETIMEDOUT, chan_stat(child).value);
	EXPECT_EQ(KCHAN_STATE_CANCELLED, chan_stat(fd).state);
}

/* The earliest of a chain wins, whoever it belongs to. */
TEST(earliest_deadline_wins)
{
	int parent = try_make_cancel(-1, KCHAN_DEADLINE, in_ms(20));
	int child = try_make_cancel(parent, KCHAN_DEADLINE, an_hour_from_now());
	int root = try_make_cancel(-1, KCHAN_DEADLINE, an_hour_from_now());
	int early = try_make_cancel(root, KCHAN_DEADLINE, in_ms(20));
	__u64 cause;

	EXPECT_EQ(0, kchan_wait_op(child, KCHAN_OP_CANCELLED, 0, 0, 0, 0, &cause));
	EXPECT_EQ(ETIMEDOUT, cause);
	EXPECT_EQ(0, kchan_wait_op(early, KCHAN_OP_CANCELLED, 0, 0, 0, 0, &cause));
	EXPECT_EQ(ETIMEDOUT, cause);
	EXPECT_EQ(-EAGAIN, cause_now(root));
	/* Cancelled before its deadline, it keeps that cause. */
	EXPECT_EQ(1, cancel(root, EIO));
	EXPECT_EQ(EIO, cause_now(root));
}

TEST(deadlines_that_make_no_sense)
{
	EXPECT_EQ(-EINVAL, try_make_cancel(-1, KCHAN_DEADLINE, -1));
	EXPECT_EQ(-EINVAL, try_make_cancel(-1, KCHAN_DEADLINE, LLONG_MIN));
	EXPECT_EQ(-EINVAL, try_make_cancel(-1, 0, 1));
	EXPECT_EQ(-EINVAL, try_make_cancel(-1, KCHAN_CLOCK_REALTIME, 0));
	EXPECT_EQ(-EINVAL, try_make_cancel(-1, KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME |
					   KCHAN_CLOCK_BOOTTIME, 1));
	EXPECT_LE(0, try_make_cancel(-1, KCHAN_DEADLINE, LLONG_MAX));
}

/* ---- nobody is left who could ---- */

TEST(last_canceller_closes)
{
	int fd = make_cancel(-1);
	int waits = restrict_to(fd, KCHAN_RIGHT_RECV), cancels = restrict_to(fd, KCHAN_RIGHT_SEND);
	int child = make_cancel(waits);

	close(fd);
	EXPECT_EQ(-EAGAIN, cause_now(waits));
	close(cancels);
	EXPECT_EQ(EOWNERDEAD, cause_now(waits));
	EXPECT_EQ(EOWNERDEAD, cause_now(child));
}

TEST(last_handle_of_a_parent_closes)
{
	int parent = make_cancel(-1), child = make_cancel(parent);

	close(parent);
	EXPECT_EQ(EOWNERDEAD, cause_now(child));
}

TEST(cancelled_before_keeps_its_cause)
{
	int fd = make_cancel(-1), waits = restrict_to(fd, KCHAN_RIGHT_RECV);

	EXPECT_EQ(1, cancel(fd, EIO));
	close(fd);
	EXPECT_EQ(EIO, cause_now(waits));
}

static int hold(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

/* A supervisor's death is heard by all who wait. */
TEST_F(cancel, last_canceller_is_killed)
{
	int fd = make_cancel(-1);
	struct one_op *op = new_op(restrict_to(fd, KCHAN_RIGHT_RECV), KCHAN_OP_CANCELLED, 0);
	struct task *canceller = task_start(PROCESS, hold, NULL), *t;

	close(fd);
	t = task_start(variant->kind, do_one_op, op);
	wait_waiting(op->fd, 0, 1);
	task_kill(canceller);
	EXPECT_EQ(KILLED(SIGKILL), task_join(canceller));
	EXPECT_EQ(0, join_op(t, op));
	EXPECT_EQ(EOWNERDEAD, op->value);
}

/* ---- many ---- */

enum { MANY = 1000 };

static void make_chain(int *fds)
{
	allow_fds(MANY + 100);
	for (int i = 0; i < MANY; i++)
		fds[i] = make_cancel(i ? fds[i - 1] : -1);
}

TEST(deep_chain)
{
	int fds[MANY];

	make_chain(fds);
	EXPECT_EQ(1, cancel(fds[MANY / 2], EPERM));
	EXPECT_EQ(EPERM, cause_now(fds[MANY - 1]));
	EXPECT_EQ(-EAGAIN, cause_now(fds[MANY / 2 - 1]));
	EXPECT_EQ(1, cancel(fds[0], EIO));
	for (int i = 0; i < MANY; i++) {
		ASSERT_EQ(i < MANY / 2 ? EIO : EPERM, cause_now(fds[i]));
	}
}

/* Taken down from either end, the kernel does not climb along it. */
TEST(deep_chain_goes)
{
	int fds[MANY];

	make_chain(fds);
	for (int i = 0; i < MANY - 1; i++)
		close(fds[i]);
	EXPECT_EQ(EOWNERDEAD, cause_now(fds[MANY - 1]));
	close(fds[MANY - 1]);
	make_chain(fds);
	for (int i = MANY - 1; i; i--)
		close(fds[i]);
	EXPECT_EQ(-EAGAIN, cause_now(fds[0]));
	EXPECT_EQ(0, chan_stat(fds[0]).length);
}

TEST(many_children)
{
	int fds[MANY], parent = make_cancel(-1);

	allow_fds(MANY + 100);
	for (int i = 0; i < MANY; i++)
		fds[i] = make_cancel(parent);
	EXPECT_EQ(MANY, chan_stat(parent).length);
	EXPECT_EQ(1, cancel(parent, EIO));
	for (int i = 0; i < MANY; i++) {
		ASSERT_EQ(EIO, cause_now(fds[i]));
	}
	EXPECT_EQ(0, chan_stat(parent).length);
}

TEST_HARNESS_MAIN
