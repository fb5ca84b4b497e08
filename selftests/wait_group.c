// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wait groups: Go's TestWaitGroup (two groups as a barrier, used again and
 * again), and what a group counts, when it releases, and how it is used anew.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { WORKERS = 16 };

TASK_FIXTURE(wait_group);

static int make_group(void)
{
	return make_object(KCHAN_KIND_WAITGROUP, 0);
}

struct barrier {
	int first, second;
	int exited;
};

static int pass_barrier(void *arg)
{
	struct barrier *b = arg;

	CHECK(kchan_done(b->first, 1) == 0);
	CHECK(kchan_zero(b->second, NULL) == 0);
	count_up(&b->exited);
	return 0;
}

TEST_F(wait_group, barrier)
{
	struct barrier *b = shared_alloc(sizeof(*b));
	struct task *tasks[WORKERS];

	*b = (struct barrier){ make_group(), make_group(), 0 };
	for (int round = 1; round <= 8; round++) {
		ASSERT_EQ(0, kchan_add(b->first, WORKERS));
		ASSERT_EQ(0, kchan_add(b->second, WORKERS));
		for (int i = 0; i < WORKERS; i++)
			tasks[i] = task_start(variant->kind, pass_barrier, b);
		ASSERT_EQ(0, kchan_zero(b->first, NULL));
		/* Nobody may leave before the second group is at zero. */
		for (int i = 0; i < WORKERS; i++) {
			EXPECT_EQ((round - 1) * WORKERS, load(&b->exited));
			ASSERT_EQ(0, kchan_done(b->second, 1));
		}
		for (int i = 0; i < WORKERS; i++) {
			EXPECT_EQ(0, task_join(tasks[i]));
		}
		EXPECT_EQ(round * WORKERS, b->exited);
	}
}

TEST(counts)
{
	int group = make_group();

	EXPECT_EQ(0, chan_stat(group).length);
	EXPECT_EQ(0, chan_stat(group).capacity);
	ASSERT_EQ(0, kchan_add(group, 3));
	EXPECT_EQ(3, chan_stat(group).length);
	ASSERT_EQ(0, kchan_add(group, 39));
	EXPECT_EQ(42, chan_stat(group).length);
	ASSERT_EQ(0, kchan_done(group, 40));
	EXPECT_EQ(2, chan_stat(group).length);
	ASSERT_EQ(0, kchan_done(group, 2));
	EXPECT_EQ(0, chan_stat(group).length);
}

TEST(zero_returns_at_once)
{
	int group = make_group();
	__u64 abandoned;

	EXPECT_EQ(0, kchan_zero(group, &abandoned));
	EXPECT_EQ(0, abandoned);
	EXPECT_EQ(0, kchan_zero(group, &abandoned));
	EXPECT_EQ(0, abandoned);
}

TEST_F(wait_group, zero_releases_all)
{
	struct one_op *ops[WORKERS];
	struct task *tasks[WORKERS];
	int group = make_group();

	ASSERT_EQ(0, kchan_add(group, 2));
	for (int i = 0; i < WORKERS; i++) {
		ops[i] = new_op(group, KCHAN_OP_ZERO, 0);
		tasks[i] = task_start(variant->kind, do_one_op, ops[i]);
	}
	wait_waiting(group, 0, WORKERS);
	ASSERT_EQ(0, kchan_done(group, 1));
	/* Not yet: nobody was let go. */
	EXPECT_EQ(true, waiting(group, 0, WORKERS));
	ASSERT_EQ(0, kchan_done(group, 1));
	EXPECT_EQ(true, waiting(group, 0, 0));
	for (int i = 0; i < WORKERS; i++) {
		EXPECT_EQ(0, join_op(tasks[i], ops[i]));
		EXPECT_EQ(0, ops[i]->value);
	}
}

/*
 * Whoever waited when the group was at zero has what it waited for, even if work
 * is added before it gets a processor: the next generation is not its business.
 */
TEST_F(wait_group, is_used_again_at_once)
{
	int group = make_group();

	for (int round = 0; round < 50; round++) {
		struct one_op *op = new_op(group, KCHAN_OP_ZERO, 0);
		struct task *t;

		ASSERT_EQ(0, kchan_add(group, 1));
		t = task_start(variant->kind, do_one_op, op);
		wait_waiting(group, 0, 1);
		ASSERT_EQ(0, kchan_done(group, 1));
		ASSERT_EQ(0, kchan_add(group, 1));
		ASSERT_EQ(0, join_op(t, op));
		EXPECT_EQ(1, chan_stat(group).length);
		ASSERT_EQ(0, kchan_done(group, 1));
		munmap(op, sizeof(*op));
	}
}

/* Its makers may all be gone before it is: the last handle decides. */
TEST_F(wait_group, is_done_by_whoever_has_a_handle)
{
	struct one_op *op = new_op(make_group(), KCHAN_OP_ZERO, 0);
	int done_only = restrict_to(op->fd, KCHAN_RIGHT_SEND);
	struct task *t;

	ASSERT_EQ(0, kchan_add(done_only, 1));
	t = task_start(variant->kind, do_one_op, op);
	wait_waiting(done_only, 0, 1);
	ASSERT_EQ(0, kchan_done(done_only, 1));
	EXPECT_EQ(0, join_op(t, op));
}

TEST(polled)
{
	int group = make_object(KCHAN_KIND_WAITGROUP, 2);

	EXPECT_EQ(POLLIN | POLLOUT, poll_now(group, POLLIN | POLLOUT));
	ASSERT_EQ(0, kchan_add(group, 1));
	EXPECT_EQ(POLLOUT, poll_now(group, POLLIN | POLLOUT));
	ASSERT_EQ(0, kchan_add(group, 1));
	EXPECT_EQ(0, poll_now(group, POLLIN | POLLOUT));
	ASSERT_EQ(0, kchan_done(group, 1));
	EXPECT_EQ(POLLOUT, poll_now(group, POLLIN | POLLOUT));
	ASSERT_EQ(0, kchan_done(group, 1));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(group, POLLIN | POLLOUT));
}

/* One more would be refused, not wait. */
TEST(polled_when_full_without_a_limit)
{
	int group = make_object(KCHAN_KIND_WAITGROUP, 0);

	ASSERT_EQ(0, kchan_add(group, KCHAN_MAX_COUNT));
	EXPECT_EQ(-EOVERFLOW, kchan_add(group, 1));
	EXPECT_EQ(POLLOUT, poll_now(group, POLLIN | POLLOUT));
}

/* Somebody waits to add, at the limit: zero is told all the same, before that. */
TEST_F(wait_group, zero_comes_before_who_waits_to_add)
{
	int group = make_object(KCHAN_KIND_WAITGROUP, 1);
	struct one_op *zero = new_op(group, KCHAN_OP_ZERO, 0);
	struct one_op *add = new_op(group, KCHAN_OP_ADD, 1);
	struct task *waits, *adds;

	ASSERT_EQ(0, kchan_add(group, 1));
	adds = task_start(variant->kind, do_one_op, add);
	wait_waiting(group, 1, 0);
	waits = task_start(variant->kind, do_one_op, zero);
	wait_waiting(group, 1, 1);
	ASSERT_EQ(0, kchan_done(group, 1));
	EXPECT_EQ(0, join_op(waits, zero));
	EXPECT_EQ(0, join_op(adds, add));
	EXPECT_EQ(1, chan_stat(group).length);
}

TEST_HARNESS_MAIN
