// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's memory model, as litmus tests.  What a task wrote before the left event,
 * with plain stores, the other sees after the right one:
 *
 *	send			-> its receive done
 *	close			-> a receive that reports the end
 *	unbuffered receive	-> its send done
 *	k-th receive		-> (k + capacity)-th send done
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { ROUNDS = FEWER(1000) };

TASK_FIXTURE(memory_model);

/* The data stand in cache lines of their own, so that they can come late. */
struct shared {
	int c, back;
	__u64 data __attribute__((aligned(64)));
	__u64 more __attribute__((aligned(64)));
};

static int write_then_send(void *arg)
{
	struct shared *s = arg;
	__u64 v;

	for (__u64 i = 1; i <= ROUNDS; i++) {
		s->data = i;
		s->more = ~i;
		CHECK(send64(s->c, i) == 0);
		CHECK(recv64(s->back, &v) == 1);
	}
	return 0;
}

TEST_F(memory_model, send_before_receive_done)
{
	for (int capacity = 0; capacity <= 1; capacity++) {
		struct shared *s = shared_alloc(sizeof(*s));
		struct task *t;
		__u64 v;

		s->c = make_chan(8, capacity);
		s->back = make_chan(8, 1);
		t = task_start(variant->kind, write_then_send, s);
		for (__u64 i = 1; i <= ROUNDS; i++) {
			ASSERT_EQ(1, recv64(s->c, &v));
			ASSERT_EQ(i, s->data);
			ASSERT_EQ(~i, s->more);
			ASSERT_EQ(0, send64(s->back, i));
		}
		EXPECT_EQ(0, task_join(t));
	}
}

static int write_then_close(void *arg)
{
	struct shared *s = arg;

	s->data = 1;
	s->more = 2;
	return chan_close(s->c);
}

TEST_F(memory_model, close_before_end_is_seen)
{
	for (int i = 0; i < FEWER(100); i++) {
		struct shared *s = shared_alloc(sizeof(*s));
		struct task *t;
		__u64 v;

		s->c = make_chan(8, i % 2);
		t = task_start(variant->kind, write_then_close, s);
		ASSERT_EQ(0, recv64(s->c, &v));
		ASSERT_EQ(1, s->data);
		ASSERT_EQ(2, s->more);
		EXPECT_EQ(0, task_join(t));
		close(s->c);
		munmap(s, sizeof(*s));
	}
}

static int write_then_receive(void *arg)
{
	struct shared *s = arg;
	__u64 v;

	for (__u64 i = 1; i <= ROUNDS; i++) {
		s->data = i;
		s->more = ~i;
		CHECK(recv64(s->c, &v) == 1);
		CHECK(recv64(s->back, &v) == 1);
	}
	return 0;
}

TEST_F(memory_model, unbuffered_receive_before_send_done)
{
	struct shared *s = shared_alloc(sizeof(*s));
	struct task *t;

	s->c = make_chan(8, 0);
	s->back = make_chan(8, 1);
	t = task_start(variant->kind, write_then_receive, s);
	for (__u64 i = 1; i <= ROUNDS; i++) {
		ASSERT_EQ(0, send64(s->c, i));
		ASSERT_EQ(i, s->data);
		ASSERT_EQ(~i, s->more);
		ASSERT_EQ(0, send64(s->back, i));
	}
	EXPECT_EQ(0, task_join(t));
}

/* A channel as a lock: whoever's send is done is alone until it receives. */
static int count_alone(void *arg)
{
	struct shared *s = arg;
	__u64 v;

	for (int i = 0; i < ROUNDS; i++) {
		CHECK(send64(s->c, 1) == 0);
		s->data = s->data + 1;
		s->more = s->more - 1;
		CHECK(recv64(s->c, &v) == 1);
	}
	return 0;
}

TEST_F(memory_model, receive_before_a_later_send_done)
{
	enum { TASKS = 3 };
	struct shared *s = shared_alloc(sizeof(*s));
	struct task *tasks[TASKS];

	s->c = make_chan(8, 1);
	for (int i = 0; i < TASKS; i++)
		tasks[i] = task_start(variant->kind, count_alone, s);
	for (int i = 0; i < TASKS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(TASKS * ROUNDS, s->data);
	EXPECT_EQ(-(__u64)TASKS * ROUNDS, s->more);
}

/* As a counting semaphore: never more inside than its capacity. */
enum { SEATS = 3 };

struct semaphore {
	int c;
	int inside;
};

static int enter_and_leave(void *arg)
{
	struct semaphore *s = arg;
	__u64 v;

	for (int i = 0; i < FEWER(300); i++) {
		CHECK(send64(s->c, 1) == 0);
		CHECK(count_up(&s->inside) < SEATS);
		__atomic_fetch_sub(&s->inside, 1, __ATOMIC_SEQ_CST);
		CHECK(recv64(s->c, &v) == 1);
	}
	return 0;
}

TEST_F(memory_model, capacity_bounds_who_is_inside)
{
	enum { TASKS = 6 };
	struct semaphore *s = shared_alloc(sizeof(*s));
	struct task *tasks[TASKS];

	s->c = make_chan(8, SEATS);
	for (int i = 0; i < TASKS; i++)
		tasks[i] = task_start(variant->kind, enter_and_leave, s);
	for (int i = 0; i < TASKS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
}

TEST_HARNESS_MAIN
