// SPDX-License-Identifier: GPL-2.0-only
/* Waiters are served in the order in which they came; nobody barges past. */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { WAITERS = 8 };

TASK_FIXTURE(waiter_fifo);

/* Blocks one sender after the other; their values are first, first + 1, ... */
static void block_senders(enum task_kind kind, int c, struct task **tasks, struct one_value *one,
			  __u64 first)
{
	for (int i = 0; i < WAITERS; i++) {
		one[i] = (struct one_value){ .fd = c, .value = first + i };
		tasks[i] = task_start(kind, send_one, &one[i]);
		wait_waiting(c, i + 1, 0);
	}
}

static void block_receivers(enum task_kind kind, int c, struct task **tasks, struct one_value *one)
{
	for (int i = 0; i < WAITERS; i++) {
		one[i] = (struct one_value){ .fd = c };
		tasks[i] = task_start(kind, recv_one, &one[i]);
		wait_waiting(c, 0, i + 1);
	}
}

TEST_F(waiter_fifo, blocked_senders)
{
	for (__u64 capacity = 0; capacity <= 3; capacity++) {
		struct one_value *one = shared_alloc(WAITERS * sizeof(*one));
		struct task *tasks[WAITERS];
		int c = make_chan(8, capacity);
		__u64 v;

		for (__u64 i = 0; i < capacity; i++) {
			ASSERT_EQ(0, send64(c, i));
		}
		block_senders(variant->kind, c, tasks, one, capacity);
		for (__u64 i = 0; i < WAITERS + capacity; i++) {
			ASSERT_EQ(1, recv64(c, &v));
			ASSERT_EQ(i, v);
		}
		for (int i = 0; i < WAITERS; i++) {
			EXPECT_EQ(0, task_join(tasks[i]));
			EXPECT_EQ(0, one[i].ret);
		}
	}
}

TEST_F(waiter_fifo, blocked_receivers)
{
	for (int capacity = 0; capacity <= 2; capacity++) {
		struct one_value *one = shared_alloc(WAITERS * sizeof(*one));
		struct task *tasks[WAITERS];
		int c = make_chan(8, capacity);

		block_receivers(variant->kind, c, tasks, one);
		for (int i = 0; i < WAITERS; i++) {
			ASSERT_EQ(0, send64(c, i));
			ASSERT_EQ(0, chan_stat(c).length);
		}
		for (int i = 0; i < WAITERS; i++) {
			EXPECT_EQ(0, task_join(tasks[i]));
			EXPECT_EQ(1, one[i].ret);
			EXPECT_EQ(i, one[i].value);
		}
	}
}

/* The receive takes the oldest and moves the first sender's value in, at once. */
TEST_F(waiter_fifo, receive_on_full_buffer_moves_first_sender_in)
{
	struct one_value *one = shared_alloc(WAITERS * sizeof(*one));
	struct task *tasks[WAITERS];
	int c = make_chan(8, 2);
	__u64 v;

	ASSERT_EQ(0, send64(c, 0));
	ASSERT_EQ(0, send64(c, 1));
	block_senders(variant->kind, c, tasks, one, 2);

	ASSERT_EQ(1, try_recv64(c, &v));
	EXPECT_EQ(0, v);
	EXPECT_EQ(2, chan_stat(c).length);
	EXPECT_EQ(true, waiting(c, WAITERS - 1, 0));
	EXPECT_EQ(0, task_join(tasks[0]));
	EXPECT_EQ(0, one[0].ret);

	/* The place is taken already: nobody barges into it. */
	EXPECT_EQ(-EAGAIN, try_send64(c, 99));

	for (__u64 i = 1; i < WAITERS + 2; i++) {
		ASSERT_EQ(1, try_recv64(c, &v));
		ASSERT_EQ(i, v);
	}
	EXPECT_EQ(-EAGAIN, try_recv64(c, &v));
	for (int i = 1; i < WAITERS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
}

/* One that leaves early lets the others keep their places. */
TEST_F(waiter_fifo, sender_that_leaves)
{
	struct one_value *one = shared_alloc(WAITERS * sizeof(*one));
	struct task *tasks[WAITERS];
	int c = make_chan(8, 0);
	__u64 v;

	catch_signal(SIGUSR1, 0);
	block_senders(variant->kind, c, tasks, one, 0);
	task_signal(tasks[3], SIGUSR1);
	EXPECT_EQ(0, task_join(tasks[3]));
	EXPECT_EQ(-EINTR, one[3].ret);
	EXPECT_EQ(true, waiting(c, WAITERS - 1, 0));

	for (__u64 i = 0; i < WAITERS; i++) {
		if (i == 3)
			continue;
		ASSERT_EQ(1, try_recv64(c, &v));
		ASSERT_EQ(i, v);
		EXPECT_EQ(0, task_join(tasks[i]));
		EXPECT_EQ(0, one[i].ret);
	}
	EXPECT_EQ(-EAGAIN, try_recv64(c, &v));
}

TEST_F(waiter_fifo, receiver_that_leaves)
{
	struct one_value *one = shared_alloc(WAITERS * sizeof(*one));
	struct task *tasks[WAITERS];
	int c = make_chan(8, 0);

	catch_signal(SIGUSR1, 0);
	block_receivers(variant->kind, c, tasks, one);
	task_signal(tasks[0], SIGUSR1);
	EXPECT_EQ(0, task_join(tasks[0]));
	EXPECT_EQ(-EINTR, one[0].ret);
	EXPECT_EQ(POISON, one[0].value);
	EXPECT_EQ(true, waiting(c, 0, WAITERS - 1));

	for (int i = 1; i < WAITERS; i++) {
		ASSERT_EQ(0, try_send64(c, i));
	}
	EXPECT_EQ(-EAGAIN, try_send64(c, 99));
	for (int i = 1; i < WAITERS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
		EXPECT_EQ(i, one[i].value);
	}
}

TEST_HARNESS_MAIN
