// SPDX-License-Identifier: GPL-2.0-only
/* Go's TestChan: the same checks for every capacity from 0 up. */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { CAPACITIES = 8, TASKS = 4, VALUES = FEWER(250) };

TASK_FIXTURE(chan);

TEST_F(chan, receive_from_empty_blocks)
{
	for (int capacity = 0; capacity < CAPACITIES; capacity++) {
		struct one_value *one = shared_alloc(2 * sizeof(*one));
		struct task *tasks[2];
		int c = make_chan(8, capacity);
		__u64 v;

		for (int i = 0; i < 2; i++) {
			one[i] = (struct one_value){ .fd = c, .ret = 7 };
			tasks[i] = task_start(variant->kind, recv_one, &one[i]);
		}
		wait_waiting(c, 0, 2);
		EXPECT_EQ(7, one[0].ret);
		EXPECT_EQ(7, one[1].ret);
		EXPECT_EQ(-EAGAIN, try_recv64(c, &v));
		EXPECT_EQ(0, send64(c, 0));
		EXPECT_EQ(0, send64(c, 0));
		for (int i = 0; i < 2; i++) {
			EXPECT_EQ(0, task_join(tasks[i]));
			EXPECT_EQ(1, one[i].ret);
		}
	}
}

TEST_F(chan, send_to_full_blocks)
{
	for (int capacity = 0; capacity < CAPACITIES; capacity++) {
		struct one_value *one = shared_alloc(sizeof(*one));
		int c = make_chan(8, capacity);
		struct task *t;
		__u64 v;

		for (int i = 0; i < capacity; i++) {
			ASSERT_EQ(0, send64(c, i));
		}
		*one = (struct one_value){ .fd = c, .ret = 7, .value = capacity };
		t = task_start(variant->kind, send_one, one);
		wait_waiting(c, 1, 0);
		EXPECT_EQ(7, one->ret);
		EXPECT_EQ(-EAGAIN, try_send64(c, 0));
		EXPECT_EQ(1, recv64(c, &v));
		EXPECT_EQ(0, v);
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(0, one->ret);
	}
}

TEST_F(chan, close_unblocks_receive)
{
	for (int capacity = 0; capacity < CAPACITIES; capacity++) {
		struct one_value *one = shared_alloc(sizeof(*one));
		int c = make_chan(8, capacity);
		struct task *t;

		*one = (struct one_value){ .fd = c, .ret = 7 };
		t = task_start(variant->kind, recv_one, one);
		wait_waiting(c, 0, 1);
		EXPECT_EQ(0, chan_close(c));
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(0, one->ret);
		EXPECT_EQ(0, one->value);
	}
}

struct crowd {
	int fd;
	int seen[VALUES];
};

static int send_all(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < VALUES; i++)
		CHECK(send64(c->fd, i) == 0);
	return 0;
}

static int receive_as_many(void *arg)
{
	struct crowd *c = arg;
	__u64 v;

	for (int i = 0; i < VALUES; i++) {
		CHECK(recv64(c->fd, &v) == 1);
		CHECK(v < VALUES);
		count_up(&c->seen[v]);
	}
	return 0;
}

TEST_F(chan, many_to_many)
{
	for (int capacity = 0; capacity < CAPACITIES; capacity++) {
		struct crowd *c = shared_alloc(sizeof(*c));
		struct task *tasks[2 * TASKS];

		c->fd = make_chan(8, capacity);
		for (int i = 0; i < TASKS; i++) {
			tasks[i] = task_start(variant->kind, send_all, c);
			tasks[TASKS + i] = task_start(variant->kind, receive_as_many, c);
		}
		for (int i = 0; i < 2 * TASKS; i++) {
			ASSERT_EQ(0, task_join(tasks[i]));
		}
		for (int i = 0; i < VALUES; i++) {
			ASSERT_EQ(TASKS, c->seen[i]);
		}
		EXPECT_EQ(0, chan_stat(c->fd).length);
		EXPECT_EQ(true, waiting(c->fd, 0, 0));
	}
}

TEST_HARNESS_MAIN
