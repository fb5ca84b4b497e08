// SPDX-License-Identifier: GPL-2.0-only
/* No file number left: EMFILE, whatever was to be made, and nothing has changed. */
#include <kselftest_harness.h>
#include "kchan_util.h"

static void leave_no_fd(void)
{
	struct rlimit lim;

	must(!getrlimit(RLIMIT_NOFILE, &lim));
	lim.rlim_cur = dup(0);
	must(!close(lim.rlim_cur));
	must(!setrlimit(RLIMIT_NOFILE, &lim));
}

TEST(create)
{
	int dev = open_device();

	leave_no_fd();
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(-EMFILE, try_make_chan(dev, 8, 100, 0));
	}
}

TEST(create_of_every_kind)
{
	int dev = open_device(), parent = make_cancel(-1);
	struct kchan_create child = {
		.size = sizeof(child), .kind = KCHAN_KIND_CANCEL, .flags = KCHAN_CHILD,
		.parent = parent,
	};

	leave_no_fd();
	for (__u32 kind = KCHAN_KIND_WAITGROUP; kind <= KCHAN_KIND_CANCEL; kind++) {
		bool limited = kind == KCHAN_KIND_SEMAPHORE || kind == KCHAN_KIND_CELLS;

		if (kind == KCHAN_KIND_TOKEN)
			continue;
		for (int i = 0; i < 20; i++) {
			ASSERT_EQ(-EMFILE, try_make_object(dev, kind, limited, 0));
		}
	}
	/* A child that was not made is nobody's child. */
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(-EMFILE, kchan_call(dev, KCHAN_CREATE, &child));
	}
	EXPECT_EQ(0, chan_stat(parent).length);
	EXPECT_EQ(1, kchan_arg_call(parent, KCHAN_CANCEL, 0));
}

TEST(restrict_)
{
	int c = make_chan(8, 2);
	struct kchan_stat before;
	__u64 v;

	ASSERT_EQ(0, send64(c, 1));
	before = chan_stat(c);
	leave_no_fd();
	for (__u32 rights = 1; rights <= BOTH_RIGHTS; rights++) {
		EXPECT_EQ(-EMFILE, try_restrict(c, rights, 0));
	}
	EXPECT_EQ(true, same_stat(before, c));
	EXPECT_EQ(1, recv64(c, &v));
	EXPECT_EQ(1, v);
}

/* A handle that was not made is not counted as one that can still send. */
TEST(failed_restrict_leaves_no_ghost)
{
	int c = make_chan(8, 2);
	int sender = restrict_to(c, KCHAN_RIGHT_SEND);
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	struct rlimit lim;
	__u64 v;

	close(c);
	getrlimit(RLIMIT_NOFILE, &lim);
	leave_no_fd();
	/* The hole that c left is the lowest free number: the limit is there. */
	EXPECT_EQ(-EMFILE, try_restrict(sender, KCHAN_RIGHT_SEND, 0));
	EXPECT_EQ(-EMFILE, try_restrict(receiver, KCHAN_RIGHT_RECV, 0));
	setrlimit(RLIMIT_NOFILE, &lim);

	close(sender);
	EXPECT_EQ(KCHAN_STATE_NO_SENDERS, chan_stat(receiver).state);
	EXPECT_EQ(0, recv64(receiver, &v));
}

/* A token that was not made holds no units, and none of the group either. */
TEST(token)
{
	int group = make_object(KCHAN_KIND_WAITGROUP, 0);
	struct kchan_stat before;

	ASSERT_EQ(0, kchan_add(group, 2));
	before = chan_stat(group);
	leave_no_fd();
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(-EMFILE, kchan_arg_call(group, KCHAN_TOKEN, 2));
	}
	EXPECT_EQ(true, same_stat(before, group));
	EXPECT_EQ(0, kchan_done(group, 2));
}

TEST_HARNESS_MAIN
