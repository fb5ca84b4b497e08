// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestCancelRemoves: a cancelled child is off its parent's list; and so is
 * one that is gone.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

static __u64 children(int fd)
{
	return chan_stat(fd).length;
}

static __s64 an_hour_from_now(void)
{
	return now() + 3600 * NSEC_PER_SEC;
}

TEST(cancelled)
{
	int parent = make_cancel(-1), child;

	EXPECT_EQ(0, children(parent));
	child = make_cancel(parent);
	EXPECT_EQ(1, children(parent));
	EXPECT_EQ(1, kchan_arg_call(child, KCHAN_CANCEL, 0));
	EXPECT_EQ(0, children(parent));
}

TEST(cancelled_with_a_deadline)
{
	int parent = make_cancel(-1), child;

	child = try_make_cancel(parent, KCHAN_DEADLINE, an_hour_from_now());
	EXPECT_EQ(1, children(parent));
	EXPECT_EQ(1, kchan_arg_call(child, KCHAN_CANCEL, 0));
	EXPECT_EQ(0, children(parent));
}

TEST(timed_out)
{
	int parent = make_cancel(-1), child, before;
	__s64 deadline = in_ms(20);

	child = try_make_cancel(parent, KCHAN_DEADLINE, deadline);
	before = children(parent);
	EXPECT_TRUE(before == 1 || now() >= deadline);
	EXPECT_EQ(0, wait_op(child, KCHAN_OP_CANCELLED, 0));
	/* Who looks sees that the time has come before it is taken off. */
	while (children(parent))
		ASSERT_GT(deadline + PATIENCE_NS, now());
}

TEST(closed)
{
	int parent = make_cancel(-1), children_fds[3];

	for (int i = 0; i < 3; i++) {
		children_fds[i] = make_cancel(parent);
		EXPECT_EQ(i + 1, children(parent));
	}
	close(children_fds[1]);
	EXPECT_EQ(2, children(parent));
	close(children_fds[0]);
	close(children_fds[2]);
	EXPECT_EQ(0, children(parent));
}

/* Only children count, and not theirs. */
TEST(grandchildren)
{
	int parent = make_cancel(-1), child = make_cancel(parent), grandchild = make_cancel(child);

	EXPECT_EQ(1, children(parent));
	EXPECT_EQ(1, children(child));
	EXPECT_EQ(1, kchan_arg_call(grandchild, KCHAN_CANCEL, 0));
	EXPECT_EQ(1, children(parent));
	EXPECT_EQ(0, children(child));
	EXPECT_EQ(1, kchan_arg_call(parent, KCHAN_CANCEL, 0));
	EXPECT_EQ(0, children(parent));
}

TEST_HARNESS_MAIN
