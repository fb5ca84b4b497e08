// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestSelectDuplicateChannel: a select may stand in one channel's queue
 * many times.  When it is decided, it leaves with all its places, and those
 * behind it move up.
 */
#include <kselftest_harness.h>
#include "select_util.h"

TASK_FIXTURE(select_duplicate_channel);

/* Decided elsewhere. */
TEST_F(select_duplicate_channel, all_places_are_given_up)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct one_select *s = new_select();
	int c = make_chan(8, 0), d = make_chan(8, 0);
	struct task *selecting, *receiver;

	with_recv(s, c);
	with_recv(s, c);
	with_recv(s, d);
	selecting = start_select(variant->kind, s);
	wait_waiting(c, 0, 2);
	one->fd = c;
	receiver = task_start(variant->kind, recv_one, one);
	wait_waiting(c, 0, 3);

	ASSERT_EQ(0, send64(d, 7));
	EXPECT_EQ(0, task_join(selecting));
	EXPECT_CHOSE(2, 1, s->chosen);
	EXPECT_EQ(7, s->values[2]);
	EXPECT_EQ(true, waiting(c, 0, 1));
	ASSERT_EQ(0, send64(c, 8));
	EXPECT_EQ(0, task_join(receiver));
	EXPECT_EQ(1, one->ret);
	EXPECT_EQ(8, one->value);
	EXPECT_EQ(true, waiting(c, 0, 0));
}

/* Decided by the channel itself: one message for it, the next for the next. */
TEST_F(select_duplicate_channel, one_message_each)
{
	for (int sends = 0; sends < 2; sends++) {
		struct one_select *s = new_select(), *next = new_select();
		int c = make_chan(8, 0);
		struct task *tasks[2];
		__u64 v;

		for (int i = 0; i < FEW; i++) {
			if (sends)
				with_send(s, c, 20 + i);
			else
				with_recv(s, c);
		}
		*next = *s;
		/* The copy's cases still say the first one's memory. */
		for (int i = 0; i < FEW; i++)
			next->cases[i].buf = (uintptr_t)&next->values[i];
		tasks[0] = start_select(variant->kind, s);
		wait_waiting(c, sends ? FEW : 0, sends ? 0 : FEW);
		tasks[1] = start_select(variant->kind, next);
		wait_waiting(c, sends ? 2 * FEW : 0, sends ? 0 : 2 * FEW);

		for (int i = 0; i < 2; i++) {
			struct one_select *done = i ? next : s;

			ASSERT_EQ(sends, sends ? try_recv64(c, &v) : try_send64(c, 30 + i));
			EXPECT_EQ(0, task_join(tasks[i]));
			ASSERT_LE(0, done->chosen.index);
			EXPECT_EQ(!sends, done->chosen.outcome);
			EXPECT_EQ(true, others_untouched(done));
			EXPECT_EQ(sends ? v : 30 + (__u64)i, done->values[done->chosen.index]);
		}
		EXPECT_EQ(true, waiting(c, 0, 0));
		EXPECT_EQ(-EAGAIN, sends ? try_recv64(c, &v) : try_send64(c, 1));
	}
}

/* A buffer has room for one of them only. */
TEST(ready_at_once)
{
	int c = make_chan(8, 3);
	__u64 v[] = { 1, 2, 3 };

	for (int i = 0; i < 3; i++) {
		struct chosen done = select_of(on_send64(c, &v[0]), on_send64(c, &v[1]),
					       on_send64(c, &v[2]));
		__u64 got;

		ASSERT_LE(0, done.index);
		EXPECT_EQ(0, done.outcome);
		EXPECT_EQ(1, chan_stat(c).length);
		EXPECT_EQ(1, try_recv64(c, &got));
		EXPECT_EQ(v[done.index], got);
	}
}

TEST_HARNESS_MAIN
