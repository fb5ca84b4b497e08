// SPDX-License-Identifier: GPL-2.0-only
/* Close: what it ends, what it leaves, whom it wakes. */
#include <kselftest_harness.h>
#include "kchan_util.h"

TASK_FIXTURE(close);

TEST(send_on_closed)
{
	for (int capacity = 0; capacity <= 2; capacity++) {
		int c = make_chan(8, capacity);
		struct kchan_stat before;
		__u64 v = 1;

		ASSERT_EQ(0, chan_close(c));
		before = chan_stat(c);
		EXPECT_EQ(KCHAN_STATE_CLOSED, before.state);
		EXPECT_EQ(-EPIPE, send64(c, v));
		EXPECT_EQ(-EPIPE, try_send64(c, v));
		EXPECT_EQ(-EPIPE, send64_until(c, v, in_ms(1000)));
		EXPECT_EQ(-EPIPE, send64_until(c, v, 0));
		EXPECT_EQ(-1, write(c, &v, sizeof(v)));
		EXPECT_EQ(EPIPE, errno);
		EXPECT_EQ(true, same_stat(before, c));
	}
}

TEST(receive_drains_then_ends_forever)
{
	for (__u64 capacity = 0; capacity <= 5; capacity++) {
		int c = make_chan(8, capacity);
		__u64 v;

		for (__u64 i = 0; i < capacity; i++) {
			ASSERT_EQ(0, send64(c, i + 1));
		}
		ASSERT_EQ(0, chan_close(c));
		for (__u64 i = 0; i < capacity; i++) {
			ASSERT_EQ(1, recv64(c, &v));
			ASSERT_EQ(i + 1, v);
		}
		for (int i = 0; i < 3; i++) {
			EXPECT_EQ(0, recv64(c, &v));
			EXPECT_EQ(0, v);
			EXPECT_EQ(0, try_recv64(c, &v));
			EXPECT_EQ(0, v);
			EXPECT_EQ(0, recv64_until(c, &v, in_ms(1000)));
			EXPECT_EQ(0, v);
			EXPECT_EQ(0, recv64_until(c, &v, 0));
			EXPECT_EQ(0, v);
		}
	}
}

TEST(end_zeroes_the_whole_buffer)
{
	static char buf[KCHAN_MAX_ELEM_SIZE + 2];
	int c = make_chan(KCHAN_MAX_ELEM_SIZE, 0);

	memset(buf, 0xa5, sizeof(buf));
	ASSERT_EQ(0, chan_close(c));
	ASSERT_EQ(0, chan_recv(c, buf + 1, KCHAN_MAX_ELEM_SIZE));
	EXPECT_EQ('\xa5', buf[0]);
	EXPECT_EQ('\xa5', buf[KCHAN_MAX_ELEM_SIZE + 1]);
	for (unsigned int i = 0; i < KCHAN_MAX_ELEM_SIZE; i++) {
		ASSERT_EQ(0, buf[i + 1]);
	}
}

TEST(close_of_closed)
{
	int c = make_chan(8, 2);
	struct kchan_stat before;
	__u64 v;

	ASSERT_EQ(0, send64(c, 5));
	ASSERT_EQ(0, chan_close(c));
	before = chan_stat(c);
	EXPECT_EQ(-EALREADY, chan_close(c));
	EXPECT_EQ(-EALREADY, chan_close(c));
	EXPECT_EQ(true, same_stat(before, c));
	EXPECT_EQ(1, recv64(c, &v));
	EXPECT_EQ(5, v);
	EXPECT_EQ(-EALREADY, chan_close(c));
}

TEST(closes_for_every_handle)
{
	int c = make_chan(8, 2);
	int sender = restrict_to(c, KCHAN_RIGHT_SEND);
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	__u64 v;

	ASSERT_EQ(0, chan_close(sender));
	EXPECT_EQ(-EPIPE, send64(c, 1));
	EXPECT_EQ(0, recv64(receiver, &v));
	EXPECT_EQ(-EALREADY, chan_close(c));
	EXPECT_EQ(KCHAN_STATE_CLOSED, chan_stat(receiver).state);
}

/* close(2) only drops one handle. */
TEST(dropping_a_handle_is_not_closing)
{
	int c = make_chan(8, 2);
	int copy = dup(c), handle = restrict_to(c, BOTH_RIGHTS);
	__u64 v;

	close(copy);
	close(handle);
	EXPECT_EQ(0, chan_stat(c).state);
	EXPECT_EQ(0, try_send64(c, 1));
	EXPECT_EQ(1, try_recv64(c, &v));
}

enum { CROWD = 24 };

TEST_F(close, blocked_senders_fail_and_deliver_nothing)
{
	for (__u64 capacity = 0; capacity <= 2; capacity += 2) {
		struct one_value *one = shared_alloc(CROWD * sizeof(*one));
		struct task *tasks[CROWD];
		int c = make_chan(8, capacity);
		__u64 v;

		for (__u64 i = 0; i < capacity; i++) {
			ASSERT_EQ(0, send64(c, i));
		}
		for (int i = 0; i < CROWD; i++) {
			one[i] = (struct one_value){ .fd = c, .value = 100 + i };
			tasks[i] = task_start(variant->kind, send_one, &one[i]);
		}
		wait_waiting(c, CROWD, 0);
		ASSERT_EQ(0, chan_close(c));
		EXPECT_EQ(true, waiting(c, 0, 0));
		for (int i = 0; i < CROWD; i++) {
			EXPECT_EQ(0, task_join(tasks[i]));
			EXPECT_EQ(-EPIPE, one[i].ret);
		}
		for (__u64 i = 0; i < capacity; i++) {
			EXPECT_EQ(1, recv64(c, &v));
			EXPECT_EQ(i, v);
		}
		EXPECT_EQ(0, recv64(c, &v));
	}
}

TEST_F(close, blocked_receivers_see_the_end)
{
	struct one_value *one = shared_alloc(CROWD * sizeof(*one));
	struct task *tasks[CROWD];
	int c = make_chan(8, 3);

	for (int i = 0; i < CROWD; i++) {
		one[i] = (struct one_value){ .fd = c };
		tasks[i] = task_start(variant->kind, recv_one, &one[i]);
	}
	wait_waiting(c, 0, CROWD);
	ASSERT_EQ(0, chan_close(c));
	EXPECT_EQ(true, waiting(c, 0, 0));
	for (int i = 0; i < CROWD; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
		EXPECT_EQ(0, one[i].ret);
		EXPECT_EQ(0, one[i].value);
	}
}

struct closer {
	int fd;
	int wins;
	int losses;
	int go;
};

static int close_once(void *arg)
{
	struct closer *c = arg;
	int ret;

	while (!load(&c->go))
		;
	ret = chan_close(c->fd);
	CHECK(ret == 0 || ret == -EALREADY);
	count_up(ret ? &c->losses : &c->wins);
	return 0;
}

/* Race: many close at once; exactly one succeeds. */
TEST_F(close, exactly_one_closer_wins)
{
	enum { CLOSERS = 4 };

	for (int round = 0; round < 20; round++) {
		struct closer *c = shared_alloc(sizeof(*c));
		struct task *tasks[CLOSERS];

		c->fd = make_chan(8, 0);
		for (int i = 0; i < CLOSERS; i++)
			tasks[i] = task_start(variant->kind, close_once, c);
		store(&c->go, 1);
		for (int i = 0; i < CLOSERS; i++) {
			ASSERT_EQ(0, task_join(tasks[i]));
		}
		ASSERT_EQ(1, c->wins);
		ASSERT_EQ(CLOSERS - 1, c->losses);
		close(c->fd);
		munmap(c, sizeof(*c));
	}
}

/* A blocked call keeps its handle: close(2) elsewhere does not end the wait. */
TEST(wait_outlives_its_fd)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	int c = make_chan(8, 0);
	struct task *t;

	one->fd = dup(c);
	t = task_start(THREAD, recv_one, one);
	wait_waiting(c, 0, 1);
	close(one->fd);
	EXPECT_EQ(true, waiting(c, 0, 1));
	EXPECT_EQ(0, send64(c, 9));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, one->ret);
	EXPECT_EQ(9, one->value);
}

TEST_HARNESS_MAIN
