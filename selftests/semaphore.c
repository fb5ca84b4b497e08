// SPDX-License-Identifier: GPL-2.0-only
/*
 * Semaphores: Go's TestSemaphore (of sync's runtime semaphore), and what is a
 * semaphore's own; the order in which it serves is in weighted_fifo.c.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

TASK_FIXTURE(semaphore);

enum { TASKS = 10, ROUNDS = FEWER(200) };

struct hammer {
	int fd;
	__u64 alone;	/* plain: only whoever has the unit counts here */
};

static int hammer(void *arg)
{
	struct hammer *h = arg;

	for (int i = 0; i < ROUNDS; i++) {
		CHECK(kchan_add(h->fd, 1) == 0);
		h->alone++;
		CHECK(kchan_done(h->fd, 1) == 0);
	}
	return 0;
}

TEST_F(semaphore, hammered)
{
	struct hammer *h = shared_alloc(sizeof(*h));
	struct task *tasks[TASKS];

	h->fd = make_object(KCHAN_KIND_SEMAPHORE, 1);
	for (int i = 0; i < TASKS; i++)
		tasks[i] = task_start(variant->kind, hammer, h);
	for (int i = 0; i < TASKS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(TASKS * ROUNDS, h->alone);
	EXPECT_EQ(0, chan_stat(h->fd).length);
}

/* It has got three units, and is killed before it could do anything about it. */
TEST(units_of_the_killed_are_given_back_once)
{
	int fd = make_object(KCHAN_KIND_SEMAPHORE, 5);
	struct one_op *op = new_op(fd, KCHAN_OP_ADD, 3);
	struct task *dead;

	ASSERT_EQ(0, kchan_add(fd, 5));
	dead = task_start(PROCESS, do_one_op, op);
	wait_waiting(fd, 0, 1);
	wait_asleep(dead);
	if (!keep_from_running(dead->tid))
		SKIP(return, "no real-time priority here: %s", strerror(errno));
	EXPECT_EQ(0, kchan_done(fd, 3));
	EXPECT_EQ(5, chan_stat(fd).length);
	task_kill(dead);
	/* Whoever's units these are. */
	EXPECT_EQ(0, kchan_done(fd, 5));
	let_run();
	EXPECT_EQ(KILLED(SIGKILL), task_join(dead));
	EXPECT_EQ(0, chan_stat(fd).length);
	EXPECT_EQ(-EOVERFLOW, kchan_done(fd, 1));
	EXPECT_EQ(0, kchan_try_add(fd, 5));
	EXPECT_EQ(-EAGAIN, kchan_try_add(fd, 1));
}

TEST(all_its_units_are_there)
{
	int fd = make_object(KCHAN_KIND_SEMAPHORE, 3);

	EXPECT_EQ(3, chan_stat(fd).capacity);
	EXPECT_EQ(0, chan_stat(fd).length);
	EXPECT_EQ(0, kchan_try_add(fd, 3));
	EXPECT_EQ(3, chan_stat(fd).length);
	EXPECT_EQ(-EAGAIN, kchan_try_add(fd, 1));
}

TEST(gives_back_no_more_than_was_taken)
{
	int fd = make_object(KCHAN_KIND_SEMAPHORE, 3);
	const __s64 too_many[] = { 3, 4, 1ll << 32, LLONG_MAX };
	struct kchan_stat before;

	EXPECT_EQ(-EOVERFLOW, kchan_done(fd, 1));
	ASSERT_EQ(0, kchan_add(fd, 2));
	before = chan_stat(fd);
	for (size_t i = 0; i < ARRAY_LEN(too_many); i++) {
		EXPECT_EQ(-EOVERFLOW, kchan_done(fd, too_many[i]));
	}
	EXPECT_EQ(-EINVAL, kchan_done(fd, 0));
	EXPECT_EQ(-EINVAL, kchan_done(fd, -1));
	EXPECT_EQ(-EINVAL, kchan_done(fd, LLONG_MIN));
	EXPECT_EQ(true, same_stat(before, fd));
	EXPECT_EQ(0, kchan_done(fd, 2));
}

TEST(takes_no_more_than_it_has)
{
	int fd = make_object(KCHAN_KIND_SEMAPHORE, 3);
	const __u64 bad[] = { 0, 4, KCHAN_MAX_COUNT, 1ull << 32, (1ull << 32) + 1, ULLONG_MAX };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, kchan_add(fd, bad[i]));
		EXPECT_EQ(-EINVAL, kchan_try_add(fd, bad[i]));
	}
	EXPECT_EQ(0, chan_stat(fd).length);
}

TEST_F(semaphore, zero_waits_until_all_are_back)
{
	struct one_op *op = new_op(make_object(KCHAN_KIND_SEMAPHORE, 3), KCHAN_OP_ZERO, 0);
	struct task *t;

	ASSERT_EQ(0, kchan_add(op->fd, 2));
	t = task_start(variant->kind, do_one_op, op);
	wait_waiting(op->fd, 1, 0);
	ASSERT_EQ(0, kchan_done(op->fd, 1));
	EXPECT_EQ(true, waiting(op->fd, 1, 0));
	ASSERT_EQ(0, kchan_done(op->fd, 1));
	EXPECT_EQ(0, join_op(t, op));
}

TEST(polled)
{
	int fd = make_object(KCHAN_KIND_SEMAPHORE, 2);

	EXPECT_EQ(POLLIN | POLLOUT, poll_now(fd, POLLIN | POLLOUT));
	ASSERT_EQ(0, kchan_add(fd, 1));
	EXPECT_EQ(POLLIN, poll_now(fd, POLLIN | POLLOUT));
	ASSERT_EQ(0, kchan_add(fd, 1));
	EXPECT_EQ(0, poll_now(fd, POLLIN | POLLOUT));
	ASSERT_EQ(0, kchan_done(fd, 2));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(fd, POLLIN | POLLOUT));
}

TEST_HARNESS_MAIN
