// SPDX-License-Identifier: GPL-2.0-only
/*
 * Closing a channel with a cause: whoever finds the end can learn why, in stat and in
 * the value of a select, parked or not; the first close decides, for good.
 */
#include <kselftest_harness.h>
#include "select_util.h"

TASK_FIXTURE(close_with);

static int close_with(int fd, __s64 cause)
{
	return kchan_arg_call(fd, KCHAN_CLOSE_WITH, cause);
}

/* What a select that finds the end at once says: its case's outcome, and the cause. */
#define EXPECT_CAUSE(out, why, ...) do {				\
	struct chosen _end = try_select_of(__VA_ARGS__);		\
									\
	EXPECT_EQ(0, _end.index);					\
	EXPECT_EQ(out, _end.outcome);					\
	EXPECT_EQ(why, _end.value);					\
} while (0)

/* ---- who learns of it ---- */

TEST(stat_tells)
{
	const int causes[] = { 1, EIO, ECANCELED, KCHAN_MAX_ERRNO };

	for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
		int c = make_chan(8, 2);
		int sender = restrict_to(c, KCHAN_RIGHT_SEND);
		int receiver = restrict_to(c, KCHAN_RIGHT_RECV);

		EXPECT_EQ(0, chan_stat(c).value);
		EXPECT_EQ(0, close_with(sender, causes[i]));
		EXPECT_EQ(KCHAN_STATE_CLOSED, chan_stat(c).state);
		EXPECT_EQ(causes[i], chan_stat(sender).value);
		EXPECT_EQ(causes[i], chan_stat(receiver).value);
		close(c);
		close(sender);
		EXPECT_EQ(causes[i], chan_stat(receiver).value);
		close(receiver);
	}
}

/* Messages first, which have no cause; then the end, every time. */
TEST(select_tells_after_the_messages)
{
	for (int capacity = 0; capacity < 4; capacity++) {
		int c = make_chan(8, capacity);
		__u64 v, sent = 9;

		for (int i = 0; i < capacity; i++)
			must(!send64(c, 10 + i));
		ASSERT_EQ(0, close_with(c, EIO));
		for (int i = 0; i < capacity; i++) {
			EXPECT_CAUSE(1, 0, on_recv64(c, &v));
			EXPECT_EQ(10 + i, v);
			EXPECT_CAUSE(-EPIPE, EIO, on_send64(c, &sent));
		}
		for (int i = 0; i < 3; i++) {
			v = POISON;
			EXPECT_CAUSE(0, EIO, on_recv64(c, &v));
			EXPECT_EQ(0, v);
			EXPECT_CAUSE(-EPIPE, EIO, on_send64(c, &sent));
		}
		close(c);
	}
}

/* All calls find the end that they find without a cause. */
TEST(everything_else_is_as_ever)
{
	int c = make_chan(8, 2);
	struct kchan_batch batch = { .size = sizeof(batch), .len = 8, .max = 2 };
	__u64 v[2] = { 1, 2 };

	batch.buf = (uintptr_t)v;
	ASSERT_EQ(0, send64(c, 3));
	ASSERT_EQ(0, close_with(c, EIO));
	EXPECT_EQ(-EPIPE, send64(c, 4));
	EXPECT_EQ(-EPIPE, kchan_call(c, KCHAN_SEND_BATCH, &batch));
	EXPECT_EQ(-1, write(c, v, 8));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(POLLIN | POLLHUP | POLLERR | POLLOUT, poll_now(c, POLLIN | POLLOUT));
	EXPECT_EQ(1, recv64(c, v));
	EXPECT_EQ(3, v[0]);
	EXPECT_EQ(0, recv64(c, v));
	EXPECT_EQ(0, kchan_call(c, KCHAN_RECV_BATCH, &batch));
	EXPECT_EQ(0, read(c, v, 8));
	EXPECT_EQ(POLLIN | POLLHUP | POLLERR | POLLOUT, poll_now(c, POLLIN | POLLOUT));
}

/* ---- whoever waits ---- */

TEST_F(close_with, parked_selects)
{
	for (int sends = 0; sends < 2; sends++) {
		for (int capacity = 0; capacity < 2; capacity++) {
			int c = make_chan(8, capacity), idle = make_chan(8, 0);
			struct one_select *s = new_select();
			struct task *t;

			with_recv(s, idle);
			if (sends)
				with_send(s, c, 5);
			else
				with_recv(s, c);
			if (capacity && sends)
				must(!send64(c, 1));
			t = start_select(variant->kind, s);
			wait_waiting(c, sends, !sends);
			ASSERT_EQ(0, close_with(c, ENOSPC));
			EXPECT_EQ(0, task_join(t));
			EXPECT_CHOSE(1, sends ? -EPIPE : 0, s->chosen);
			EXPECT_EQ(ENOSPC, s->chosen.value);
			EXPECT_EQ(true, others_untouched(s));
			EXPECT_EQ(sends ? 5 : 0, s->values[1]);
		}
	}
}

/* Each of many, on both sides, with plain calls in between. */
TEST_F(close_with, all_that_wait)
{
	enum { N = 9 };

	for (int sends = 0; sends < 2; sends++) {
		struct one_value *ones = shared_alloc(N * sizeof(*ones));
		struct one_select *selects[N];
		struct task *tasks[N];
		int c = make_chan(8, 0);

		for (int i = 0; i < N; i++) {
			selects[i] = new_select();
			ones[i].fd = c;
			if (sends)
				with_send(selects[i], c, i);
			else
				with_recv(selects[i], c);
			tasks[i] = i % 3 ? start_select(variant->kind, selects[i]) :
				   task_start(variant->kind, sends ? send_one : recv_one, &ones[i]);
			wait_waiting(c, sends ? i + 1 : 0, sends ? 0 : i + 1);
		}
		ASSERT_EQ(0, close_with(c, EXDEV));
		for (int i = 0; i < N; i++) {
			EXPECT_EQ(0, task_join(tasks[i]));
			if (i % 3) {
				EXPECT_CHOSE(0, sends ? -EPIPE : 0, selects[i]->chosen);
				EXPECT_EQ(EXDEV, selects[i]->chosen.value);
			} else {
				EXPECT_EQ(sends ? -EPIPE : 0, ones[i].ret);
			}
		}
	}
}

/* ---- no cause ---- */

TEST_F(close_with, other_ends_have_none)
{
	for (int how = 0; how < 2; how++) {
		int c = make_chan(8, 0), receiver = restrict_to(c, KCHAN_RIGHT_RECV);
		struct one_select *s = new_select();
		struct task *t;
		__u64 v = 9;

		with_recv(s, receiver);
		if (how) {
			/* The last sender goes; a thread has its number. */
			t = start_select(THREAD, s);
			wait_waiting(receiver, 0, 1);
			close(c);
		} else {
			t = start_select(variant->kind, s);
			wait_waiting(receiver, 0, 1);
			ASSERT_EQ(0, chan_close(c));
			EXPECT_CAUSE(-EPIPE, 0, on_send64(c, &v));
		}
		EXPECT_EQ(0, task_join(t));
		EXPECT_CHOSE(0, 0, s->chosen);
		EXPECT_EQ(0, s->chosen.value);
		EXPECT_CAUSE(0, 0, on_recv64(receiver, &v));
		EXPECT_EQ(0, chan_stat(receiver).value);
	}
}

/* Nobody can receive: EPIPE, but nobody said why. */
TEST(no_receivers_is_no_cause)
{
	int c = make_chan(8, 1), sender = restrict_to(c, KCHAN_RIGHT_SEND);
	__u64 v = 1;

	close(c);
	EXPECT_CAUSE(-EPIPE, 0, on_send64(sender, &v));
	EXPECT_EQ(0, close_with(sender, EIO));
	EXPECT_CAUSE(-EPIPE, EIO, on_send64(sender, &v));
	EXPECT_EQ(EIO, chan_stat(sender).value);
}

/* ---- the first close decides ---- */

TEST(first_cause_is_kept)
{
	int c = make_chan(8, 0), plain = make_chan(8, 0);
	__u64 v;

	EXPECT_EQ(0, close_with(c, EIO));
	EXPECT_EQ(-EALREADY, close_with(c, ENOSPC));
	EXPECT_EQ(-EALREADY, close_with(c, EIO));
	EXPECT_EQ(-EALREADY, chan_close(c));
	EXPECT_EQ(EIO, chan_stat(c).value);
	EXPECT_CAUSE(0, EIO, on_recv64(c, &v));

	EXPECT_EQ(0, chan_close(plain));
	EXPECT_EQ(-EALREADY, close_with(plain, EIO));
	EXPECT_EQ(0, chan_stat(plain).value);
	EXPECT_CAUSE(0, 0, on_recv64(plain, &v));
}

struct closer {
	int fd;
	int cause;
	int *started;
	int ret;
};

static int close_together(void *arg)
{
	struct closer *c = arg;

	count_up(c->started);
	while (load(c->started) < 3)
		sched_yield();
	c->ret = c->cause ? close_with(c->fd, c->cause) : chan_close(c->fd);
	return 0;
}

TEST_F(close_with, one_of_many_closers)
{
	for (int round = 0; round < FEWER(50); round++) {
		struct closer *c = shared_alloc(3 * sizeof(*c));
		int *started = shared_alloc(sizeof(*started));
		int fd = make_chan(8, 0), winners = 0;
		struct task *tasks[3];

		for (int i = 0; i < 3; i++) {
			c[i] = (struct closer){ .fd = fd, .cause = i * 100, .started = started };
			tasks[i] = task_start(variant->kind, close_together, &c[i]);
		}
		for (int i = 0; i < 3; i++)
			EXPECT_EQ(0, task_join(tasks[i]));
		for (int i = 0; i < 3; i++) {
			if (c[i].ret) {
				EXPECT_EQ(-EALREADY, c[i].ret);
				continue;
			}
			winners++;
			EXPECT_EQ(c[i].cause, chan_stat(fd).value);
		}
		EXPECT_EQ(1, winners);
		close(fd);
		munmap(c, 3 * sizeof(*c));
		munmap(started, sizeof(*started));
	}
}

/* ---- what is no cause, and whose it is to say ---- */

TEST(bad_input)
{
	const __s64 bad[] = { 0, -1, -EIO, KCHAN_MAX_ERRNO + 1, INT_MAX, INT_MIN,
			      EIO | 1ll << 32, LLONG_MAX, LLONG_MIN };
	int c = make_chan(8, 1), receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	struct kchan_stat before = chan_stat(c);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, close_with(c, bad[i]));
	}
	for (int bit = 0; bit < 32; bit++) {
		struct kchan_arg arg = { .size = sizeof(arg), .flags = 1u << bit, .value = EIO };

		EXPECT_EQ(-EINVAL, kchan_call(c, KCHAN_CLOSE_WITH, &arg));
	}
	EXPECT_EQ(-EFAULT, kchan_call(c, KCHAN_CLOSE_WITH, NULL));
	EXPECT_EQ(-EBADF, close_with(receiver, EIO));
	EXPECT_EQ(-ENOTTY, close_with(open_device(), EIO));
	EXPECT_EQ(true, same_stat(before, c));
	EXPECT_EQ(0, send64(c, 1));
}

TEST_HARNESS_MAIN
