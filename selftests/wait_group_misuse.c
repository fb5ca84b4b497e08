// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestWaitGroupMisuse, without its damage: what would take a count below
 * zero, or beyond what it holds, is refused and has changed nothing.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

static int make_group(void)
{
	return make_object(KCHAN_KIND_WAITGROUP, 0);
}

TEST(one_done_too_many)
{
	int group = make_group();

	ASSERT_EQ(0, kchan_add(group, 1));
	ASSERT_EQ(0, kchan_done(group, 1));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-EINVAL, kchan_done(group, 1));
		EXPECT_EQ(0, chan_stat(group).length);
	}
	/* It is as good as before. */
	EXPECT_EQ(0, kchan_zero(group, NULL));
	EXPECT_EQ(0, kchan_add(group, 1));
	EXPECT_EQ(0, kchan_done(group, 1));
}

TEST(below_zero)
{
	int group = make_group();
	const __s64 bad[] = { 4, 5, 1ll << 32, (1ll << 32) + 1, LLONG_MAX, 0, -1, LLONG_MIN };
	struct kchan_stat before;

	ASSERT_EQ(0, kchan_add(group, 3));
	before = chan_stat(group);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, kchan_done(group, bad[i])) TH_LOG("done %lld", bad[i]);
		EXPECT_EQ(true, same_stat(before, group));
	}
	EXPECT_EQ(0, kchan_done(group, 3));
}

/* Go's counter would be negative for an instant, and its waiters in a panic. */
TEST(waiters_do_not_notice)
{
	struct one_op *op = new_op(make_group(), KCHAN_OP_ZERO, 0);
	struct task *t;

	ASSERT_EQ(0, kchan_add(op->fd, 2));
	t = task_start(THREAD, do_one_op, op);
	wait_waiting(op->fd, 0, 1);
	EXPECT_EQ(-EINVAL, kchan_done(op->fd, 3));
	EXPECT_EQ(true, waiting(op->fd, 0, 1));
	EXPECT_EQ(2, chan_stat(op->fd).length);
	EXPECT_EQ(0, kchan_done(op->fd, 2));
	EXPECT_EQ(0, join_op(t, op));
}

TEST(units_that_make_no_sense)
{
	int group = make_group(), limited = make_object(KCHAN_KIND_WAITGROUP, 3);
	const __u64 bad[] = { 0, 4, KCHAN_MAX_COUNT, 1ull << 32, (1ull << 32) + 1, ULLONG_MAX };

	EXPECT_EQ(-EINVAL, kchan_add(group, 0));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, kchan_add(limited, bad[i])) TH_LOG("add %llu", bad[i]);
		EXPECT_EQ(-EINVAL, kchan_try_add(limited, bad[i]));
	}
	EXPECT_EQ(0, chan_stat(group).length);
	EXPECT_EQ(0, chan_stat(limited).length);
}

TEST(overflow)
{
	int group = make_group();
	struct kchan_stat before;

	ASSERT_EQ(0, kchan_add(group, KCHAN_MAX_COUNT - 1));
	ASSERT_EQ(0, kchan_add(group, 1));
	EXPECT_EQ(KCHAN_MAX_COUNT, chan_stat(group).length);
	before = chan_stat(group);
	EXPECT_EQ(-EOVERFLOW, kchan_add(group, 1));
	EXPECT_EQ(-EOVERFLOW, kchan_try_add(group, 1));
	EXPECT_EQ(-EOVERFLOW, kchan_add(group, KCHAN_MAX_COUNT));
	EXPECT_EQ(true, same_stat(before, group));
	EXPECT_EQ(0, kchan_done(group, KCHAN_MAX_COUNT));
	EXPECT_EQ(0, kchan_zero(group, NULL));
}

/* Hammered with wrong calls from all sides, it stays right. */
enum { TASKS = 4, ROUNDS = FEWER(500) };

TASK_FIXTURE(misuse);

static int add_and_be_done_too_often(void *arg)
{
	int group = *(int *)arg;

	for (int i = 0; i < ROUNDS; i++) {
		CHECK(kchan_add(group, 2) == 0);
		CHECK(kchan_done(group, 2 * TASKS + 1) == -EINVAL);
		CHECK(kchan_done(group, 2) == 0);
	}
	return 0;
}

TEST_F(misuse, hammered)
{
	int *group = shared_alloc(sizeof(*group));
	struct task *tasks[TASKS];

	*group = make_group();
	for (int i = 0; i < TASKS; i++)
		tasks[i] = task_start(variant->kind, add_and_be_done_too_often, group);
	for (int i = 0; i < TASKS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(0, chan_stat(*group).length);
	EXPECT_EQ(-EINVAL, kchan_done(*group, 1));
}

TEST_HARNESS_MAIN
