// SPDX-License-Identifier: GPL-2.0-only
/* Go's fifo: values leave a channel in the order in which they came. */
#include <kselftest_harness.h>
#include "kchan_util.h"

TASK_FIXTURE(fifo);

TEST(buffered)
{
	int c = make_chan(8, 10);
	__u64 v;

	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, send64(c, i));
	}
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(1, recv64(c, &v));
		ASSERT_EQ(i, v);
	}
}

/* The ring wraps at every place: the length wanders up and down. */
TEST(buffer_wraps)
{
	for (int capacity = 1; capacity <= 9; capacity++) {
		int c = make_chan(8, capacity);
		__u64 sent = 0, received = 0, v;

		srand(capacity);
		for (int i = 0; i < 500; i++) {
			if (rand() % 2) {
				bool full = sent - received == (__u64)capacity;

				ASSERT_EQ(full ? -EAGAIN : 0, try_send64(c, sent));
				sent += !full;
			} else {
				bool empty = sent == received;

				ASSERT_EQ(empty ? -EAGAIN : 1, try_recv64(c, &v));
				ASSERT_EQ(empty ? POISON : received, v);
				received += !empty;
			}
			ASSERT_EQ(sent - received, chan_stat(c).length);
		}
		close(c);
	}
}

struct link {
	int values;
	int before;
	int after;
	__u64 expected;
};

static int take_my_turn(void *arg)
{
	struct link *l = arg;
	__u64 v;

	CHECK(recv64(l->before, &v) == 1);
	CHECK(recv64(l->values, &v) == 1);
	CHECK(v == l->expected);
	CHECK(send64(l->after, 1) == 0);
	return 0;
}

/* A chain of tasks, each of which may receive only after the one before. */
TEST_F(fifo, unbuffered_chain)
{
	enum { LINKS = 10 };
	struct link *links = shared_alloc(LINKS * sizeof(*links));
	struct task *tasks[LINKS];
	int values = make_chan(8, 0), start = make_chan(8, 0), before = start;
	__u64 v;

	for (int i = 0; i < LINKS; i++) {
		int after = make_chan(8, 0);

		links[i] = (struct link){ values, before, after, i };
		tasks[i] = task_start(variant->kind, take_my_turn, &links[i]);
		before = after;
	}
	ASSERT_EQ(0, send64(start, 0));
	for (int i = 0; i < LINKS; i++) {
		ASSERT_EQ(0, send64(values, i));
	}
	ASSERT_EQ(1, recv64(before, &v));
	for (int i = 0; i < LINKS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
}

enum { VALUES = FEWER(1000) };

static int send_values(void *arg)
{
	for (int i = 0; i < VALUES; i++)
		CHECK(send64(*(int *)arg, i) == 0);
	return 0;
}

TEST_F(fifo, between_tasks)
{
	for (int capacity = 0; capacity <= 3; capacity++) {
		int c = make_chan(8, capacity);
		struct task *t = task_start(variant->kind, send_values, &c);
		__u64 v;

		for (int i = 0; i < VALUES; i++) {
			ASSERT_EQ(1, recv64(c, &v));
			ASSERT_EQ(i, v);
		}
		EXPECT_EQ(0, task_join(t));
	}
}

TEST_HARNESS_MAIN
