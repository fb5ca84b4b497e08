// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many messages in one call: how many are moved, what ends a batch early, and that
 * each message of it is a send or receive of its own, in its turn among others'.
 */
#include <kselftest_harness.h>
#include "select_util.h"
#include "slow_pages.h"

enum { MOST = 100 };

FIXTURE(batch) {
	int unused;
};

FIXTURE_VARIANT(batch) {
	enum task_kind kind;
	__u32 vector;		/* KCHAN_VECTOR or 0 */
};

FIXTURE_VARIANT_ADD(batch, contiguous_threads) { THREAD, 0 };
FIXTURE_VARIANT_ADD(batch, contiguous_processes) { PROCESS, 0 };
FIXTURE_VARIANT_ADD(batch, vector_threads) { THREAD, KCHAN_VECTOR };
FIXTURE_VARIANT_ADD(batch, vector_processes) { PROCESS, KCHAN_VECTOR };

FIXTURE_SETUP(batch) { }
FIXTURE_TEARDOWN(batch) { }

/* ---- a batch, perhaps a task's; as a vector its messages stand in memory backwards ---- */

struct one_batch {
	int fd;
	unsigned int cmd;
	__u32 flags, min, max;
	__s64 deadline;
	int ret;
	int over;
	__u64 values[MOST];
	__u64 addresses[MOST];
};

static __u64 *message(struct one_batch *b, int n)
{
	return &b->values[b->flags & KCHAN_VECTOR ? MOST - 1 - n : n];
}

static struct one_batch *new_batch(int fd, unsigned int cmd, __u32 flags, __u32 min, __u32 max)
{
	struct one_batch *b = shared_alloc(sizeof(*b));

	*b = (struct one_batch){ .fd = fd, .cmd = cmd, .flags = flags, .min = min, .max = max };
	for (int i = 0; i < MOST; i++) {
		*message(b, i) = POISON;
		b->addresses[i] = (uintptr_t)message(b, i);
	}
	return b;
}

/* Of @first, and those that follow it. */
static struct one_batch *sending(int fd, __u32 flags, __u32 min, __u32 max, __u64 first)
{
	struct one_batch *b = new_batch(fd, KCHAN_SEND_BATCH, flags, min, max);

	for (__u32 i = 0; i < max; i++)
		*message(b, i) = first + i;
	return b;
}

static struct one_batch *receiving(int fd, __u32 flags, __u32 min, __u32 max)
{
	return new_batch(fd, KCHAN_RECV_BATCH, flags, min, max);
}

static int do_batch(void *arg)
{
	struct one_batch *b = arg;

	b->ret = chan_batch(b->fd, b->cmd, b->flags & KCHAN_VECTOR ? b->addresses : b->values,
			    8, b->min, b->max, b->flags, b->deadline);
	store(&b->over, 1);
	return 0;
}

static int done_batch(struct one_batch *b)
{
	do_batch(b);
	return b->ret;
}

/* It has received @first, and those that follow it, and touched nothing else. */
static int received(struct one_batch *b, int n, __u64 first)
{
	CHECK(b->ret == n);
	for (int i = 0; i < MOST; i++)
		CHECK(*message(b, i) == (i < n ? first + i : POISON));
	return 0;
}

/* Receives what there is: it must be from @first up to before @end. */
static int drain(int c, __u64 first, __u64 end)
{
	__u64 v;

	for (; first < end; first++) {
		CHECK(try_recv64(c, &v) == 1);
		CHECK(v == first);
	}
	CHECK(try_recv64(c, &v) < 1);
	return 0;
}

static int send_batch_of(int c, __u32 flags, __u32 min, __u32 max, __u64 first)
{
	struct one_batch *b = sending(c, flags, min, max, first);
	int ret = done_batch(b);

	munmap(b, sizeof(*b));
	return ret;
}

/* ---- without a wait ---- */

TEST_F(batch, moves_in_order)
{
	int c = make_chan(8, 10);
	struct one_batch *b;

	for (int first = 1; first < 50; first += 7) {
		EXPECT_EQ(7, send_batch_of(c, variant->vector, 7, 7, first));
		EXPECT_EQ(7, chan_stat(c).length);
		b = receiving(c, variant->vector, 7, 7);
		done_batch(b);
		EXPECT_EQ(0, received(b, 7, first));
	}
	EXPECT_EQ(0, chan_stat(c).length);
}

TEST_F(batch, sends_as_many_as_there_is_room_for)
{
	static const struct {
		__u32 min, max;
		int sent;
	} table[] = {
		{ 0, 1, 1 }, { 0, 4, 4 }, { 0, 10, 4 }, { 1, 1, 1 }, { 1, 3, 3 },
		{ 1, 10, 4 }, { 4, 4, 4 }, { 4, 100, 4 }, { 3, 4, 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int c = make_chan(8, 4);

		EXPECT_EQ(table[i].sent, send_batch_of(c, variant->vector, table[i].min,
						       table[i].max, 1)) TH_LOG("row %zu", i);
		EXPECT_EQ(0, drain(c, 1, 1 + table[i].sent));
		close(c);
	}
}

TEST_F(batch, receives_as_many_as_there_are)
{
	static const struct {
		__u32 min, max;
		int got;
	} table[] = {
		{ 0, 1, 1 }, { 0, 4, 4 }, { 0, 10, 4 }, { 1, 1, 1 }, { 1, 3, 3 },
		{ 1, 10, 4 }, { 4, 4, 4 }, { 4, 100, 4 }, { 3, 4, 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct one_batch *b;
		int c = make_chan(8, 4);

		ASSERT_EQ(4, send_batch_of(c, 0, 4, 4, 1));
		b = receiving(c, variant->vector, table[i].min, table[i].max);
		done_batch(b);
		EXPECT_EQ(0, received(b, table[i].got, 1)) TH_LOG("row %zu", i);
		EXPECT_EQ(0, drain(c, 1 + table[i].got, 5));
		close(c);
	}
}

/* Nothing is no success: of a receive it would be the end. */
TEST_F(batch, of_nothing_would_block)
{
	for (int capacity = 0; capacity <= 2; capacity++) {
		int c = make_chan(8, capacity);
		struct one_batch *b = receiving(c, variant->vector, 0, 5);

		EXPECT_EQ(-EAGAIN, done_batch(b));
		EXPECT_EQ(0, received(b, -EAGAIN, 0));
		EXPECT_EQ(capacity ? capacity : -EAGAIN,
			  send_batch_of(c, variant->vector, 0, 5, 1));
		EXPECT_EQ(-EAGAIN, send_batch_of(c, variant->vector, 0, 5, 1));
		EXPECT_EQ(0, drain(c, 1, 1 + capacity));
		close(c);
	}
}

TEST_F(batch, does_not_wait_if_asked)
{
	const __u32 vector = variant->vector;
	int c = make_chan(8, 2);

	EXPECT_EQ(2, send_batch_of(c, vector | KCHAN_NONBLOCK, 5, 5, 1));
	EXPECT_EQ(-EAGAIN, send_batch_of(c, vector | KCHAN_NONBLOCK, 5, 5, 9));
	EXPECT_EQ(2, done_batch(receiving(c, vector | KCHAN_NONBLOCK, 5, 5)));
	EXPECT_EQ(-EAGAIN, done_batch(receiving(c, vector | KCHAN_NONBLOCK, 5, 5)));
	must(!fcntl(c, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(2, send_batch_of(c, vector, 5, 5, 1));
	EXPECT_EQ(-EAGAIN, send_batch_of(c, vector, 5, 5, 9));
	EXPECT_EQ(2, done_batch(receiving(c, vector, 5, 5)));
	EXPECT_EQ(-EAGAIN, done_batch(receiving(c, vector, 5, 5)));
}

/* ---- with waits ---- */

/* At least so many, and then what there is room for, but no more. */
TEST_F(batch, send_waits_for_the_least)
{
	static const struct {
		__u32 min, max;
	} table[] = { { 1, 10 }, { 6, 10 }, { 10, 10 } };

	for (int capacity = 0; capacity <= 3; capacity++) {
		for (size_t i = 0; i < ARRAY_LEN(table); i++) {
			int c = make_chan(8, capacity);
			struct one_batch *b = sending(c, variant->vector, table[i].min,
						      table[i].max, 1);
			struct task *t;
			int got = 0;
			__u64 v;

			if (capacity >= (int)table[i].min)
				continue;
			t = task_start(variant->kind, do_batch, b);
			wait_waiting(c, 1, 0);
			EXPECT_EQ(capacity, chan_stat(c).length);
			for (; !load(&b->over); got++) {
				ASSERT_EQ(1, recv64(c, &v));
				ASSERT_EQ(got + 1, v);
				wait_until(waiting(c, 1, 0) || load(&b->over));
			}
			EXPECT_EQ(0, task_join(t));
			EXPECT_LE((int)table[i].min, b->ret);
			EXPECT_GE((int)table[i].max, b->ret);
			EXPECT_EQ(0, drain(c, got + 1, 1 + b->ret));
			close(c);
		}
	}
}

TEST_F(batch, receive_waits_for_the_least)
{
	for (int capacity = 0; capacity <= 3; capacity++) {
		int c = make_chan(8, capacity);
		struct one_batch *b = receiving(c, variant->vector, 6, 10);
		struct task *t = task_start(variant->kind, do_batch, b);

		for (int sent = 0; sent < 6; sent++) {
			wait_waiting(c, 0, 1);
			EXPECT_EQ(0, load(&b->over));
			EXPECT_EQ(0, send64(c, 1 + sent));
		}
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(0, received(b, 6, 1));
		EXPECT_EQ(true, waiting(c, 0, 0));
		close(c);
	}
}

/* However many it is of, it waits for one at a time. */
TEST_F(batch, is_one_waiter)
{
	int c = make_chan(8, 0);
	struct one_batch *send = sending(c, variant->vector, 50, 50, 1), *recv;
	struct task *t = task_start(variant->kind, do_batch, send);

	wait_waiting(c, 1, 0);
	EXPECT_EQ(POLLIN, poll_now(c, POLLIN));
	recv = receiving(c, variant->vector, 50, 50);
	EXPECT_EQ(50, done_batch(recv));
	EXPECT_EQ(0, received(recv, 50, 1));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(50, send->ret);
	EXPECT_EQ(true, waiting(c, 0, 0));
}

/* ---- what ends it early: what was moved is told, the rest the next time ---- */

TEST_F(batch, deadline)
{
	const __u32 flags = variant->vector | KCHAN_DEADLINE;

	for (int capacity = 0; capacity <= 2; capacity++) {
		int c = make_chan(8, capacity);
		struct one_batch *b;

		b = sending(c, flags, 5, 5, 1);
		b->deadline = in_ms(20);
		EXPECT_EQ(capacity ? capacity : -ETIMEDOUT, done_batch(b));
		EXPECT_LE(b->deadline, now());
		EXPECT_EQ(-ETIMEDOUT, done_batch(b));

		b = receiving(c, flags, 5, 5);
		b->deadline = in_ms(20);
		done_batch(b);
		EXPECT_EQ(0, received(b, capacity ? capacity : -ETIMEDOUT, 1));
		EXPECT_LE(b->deadline, now());
		EXPECT_EQ(-ETIMEDOUT, done_batch(b));
		EXPECT_EQ(true, waiting(c, 0, 0));
		close(c);
	}
}

/* With nothing to wait for, a deadline does not matter; with one past it is a try. */
TEST_F(batch, past_deadline)
{
	const __u32 flags = variant->vector | KCHAN_DEADLINE;
	int c = make_chan(8, 2);

	EXPECT_EQ(2, send_batch_of(c, flags, 2, 2, 1));
	EXPECT_EQ(-ETIMEDOUT, send_batch_of(c, flags, 2, 2, 1));
	EXPECT_EQ(-EAGAIN, send_batch_of(c, flags, 0, 2, 1));
	EXPECT_EQ(-EAGAIN, send_batch_of(c, flags | KCHAN_NONBLOCK, 2, 2, 1));
	EXPECT_EQ(2, done_batch(receiving(c, flags, 3, 5)));
	EXPECT_EQ(-ETIMEDOUT, done_batch(receiving(c, flags, 3, 5)));
}

TEST_F(batch, signal_after_some)
{
	/* They are told, whether calls restart or not. */
	for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
		int c = make_chan(8, 2);
		struct one_batch *b = sending(c, variant->vector, 5, 5, 1);
		struct task *t;

		count_signals(flags);
		t = task_start(variant->kind, do_batch, b);
		wait_waiting(c, 1, 0);
		task_signal(t, SIGUSR1);
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(2, b->ret);
		EXPECT_EQ(0, drain(c, 1, 3));

		ASSERT_EQ(2, send_batch_of(c, 0, 2, 2, 1));
		b = receiving(c, variant->vector, 5, 5);
		t = task_start(variant->kind, do_batch, b);
		wait_waiting(c, 0, 1);
		task_signal(t, SIGUSR1);
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(0, received(b, 2, 1));
		EXPECT_EQ(true, waiting(c, 0, 0));
		close(c);
	}
}

TEST_F(batch, signal_before_the_first)
{
	int c = make_chan(8, 1);
	struct one_batch *b;
	struct task *t;

	count_signals(0);
	b = receiving(c, variant->vector, 5, 5);
	t = task_start(variant->kind, do_batch, b);
	wait_waiting(c, 0, 1);
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, received(b, -EINTR, 0));

	ASSERT_EQ(0, send64(c, 1));
	b = sending(c, variant->vector, 5, 5, 2);
	t = task_start(variant->kind, do_batch, b);
	wait_waiting(c, 1, 0);
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EINTR, b->ret);
	EXPECT_EQ(0, drain(c, 1, 2));
}

static void signal_while_waiting(struct task *t, int c, bool sender)
{
	for (int i = 1; i <= 10; i++) {
		wait_waiting(c, sender, !sender);
		task_signal(t, SIGUSR1);
		wait_until(load(handled) == i);
	}
	wait_waiting(c, sender, !sender);
}

TEST_F(batch, restarts_before_the_first)
{
	int c = make_chan(8, 1);
	struct one_batch *b;
	struct task *t;
	__u64 v;

	count_signals(SA_RESTART);
	ASSERT_EQ(0, send64(c, 1));
	b = sending(c, variant->vector, 3, 3, 2);
	t = task_start(variant->kind, do_batch, b);
	signal_while_waiting(t, c, true);
	for (__u64 i = 1; i <= 4; i++) {
		EXPECT_EQ(1, recv64(c, &v));
		EXPECT_EQ(i, v);
	}
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(3, b->ret);

	store(handled, 0);
	b = receiving(c, variant->vector, 3, 3);
	t = task_start(variant->kind, do_batch, b);
	signal_while_waiting(t, c, false);
	EXPECT_EQ(3, send_batch_of(c, 0, 3, 3, 1));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, received(b, 3, 1));
}

TEST_F(batch, close_ends_a_send)
{
	for (int capacity = 0; capacity <= 2; capacity++) {
		int c = make_chan(8, capacity);
		struct one_batch *b = sending(c, variant->vector, 5, 5, 1);
		struct task *t = task_start(variant->kind, do_batch, b);

		wait_waiting(c, 1, 0);
		ASSERT_EQ(0, chan_close(c));
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(capacity ? capacity : -EPIPE, b->ret);
		EXPECT_EQ(-EPIPE, done_batch(b));
		EXPECT_EQ(-EPIPE, send_batch_of(c, variant->vector, 0, 5, 1));
		EXPECT_EQ(0, drain(c, 1, 1 + capacity));
		close(c);
	}
}

TEST_F(batch, close_ends_a_receive)
{
	for (int capacity = 0; capacity <= 2; capacity++) {
		int c = make_chan(8, capacity);
		struct one_batch *b;
		struct task *t;

		if (capacity) {
			ASSERT_EQ(capacity, send_batch_of(c, 0, 0, 5, 1));
		}
		b = receiving(c, variant->vector, 5, 5);
		t = task_start(variant->kind, do_batch, b);
		wait_waiting(c, 0, 1);
		ASSERT_EQ(0, chan_close(c));
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(capacity, b->ret);
		for (int i = 0; i < capacity; i++) {
			EXPECT_EQ(1 + i, *message(b, i));
		}
		/* Behind the one that would have come next nothing was touched. */
		EXPECT_EQ(POISON, *message(b, capacity + 1));

		EXPECT_EQ(0, done_batch(b));
		EXPECT_EQ(0, *message(b, 0));
		b->min = 0;
		EXPECT_EQ(0, done_batch(b));
		close(c);
	}
}

TEST_F(batch, receive_drains_a_closed_channel)
{
	struct one_batch *b;
	int c = make_chan(8, 5);

	ASSERT_EQ(5, send_batch_of(c, variant->vector, 5, 5, 1));
	ASSERT_EQ(0, chan_close(c));
	b = receiving(c, variant->vector, 3, 3);
	done_batch(b);
	EXPECT_EQ(0, received(b, 3, 1));
	EXPECT_EQ(2, done_batch(b));
	EXPECT_EQ(4, *message(b, 0));
	EXPECT_EQ(5, *message(b, 1));
	EXPECT_EQ(0, done_batch(b));
}

/* ---- memory that is not there ---- */

/* Three messages fit before the hole, and part of the fourth. */
static __u8 *three_and_a_half(int size)
{
	return page_before_hole() + PAGE - 3 * size - size / 2;
}

TEST_F(batch, send_stops_where_memory_does)
{
	__u64 *values = (void *)three_and_a_half(8), addresses[5];
	const void *buf = variant->vector ? (void *)addresses : (void *)values;
	int c = make_chan(8, 10);

	for (int i = 0; i < 5; i++)
		addresses[i] = (uintptr_t)&values[i];
	for (int i = 0; i < 3; i++)
		values[i] = 1 + i;
	for (__u32 min = 0; min <= 5; min += 5) {
		EXPECT_EQ(3, chan_batch(c, KCHAN_SEND_BATCH, buf, 8, min, 5, variant->vector, 0));
		EXPECT_EQ(3, chan_stat(c).length);
		EXPECT_EQ(0, drain(c, 1, 4));
	}
	buf = variant->vector ? (void *)&addresses[3] : (void *)&values[3];
	EXPECT_EQ(-EFAULT, chan_batch(c, KCHAN_SEND_BATCH, buf, 8, 1, 2, variant->vector, 0));
	EXPECT_EQ(0, chan_stat(c).length);
}

TEST_F(batch, receive_stops_where_memory_does)
{
	__u64 *values = (void *)three_and_a_half(8), addresses[5];
	const void *buf = variant->vector ? (void *)addresses : (void *)values;
	int c = make_chan(8, 10);

	for (int i = 0; i < 5; i++)
		addresses[i] = (uintptr_t)&values[i];
	for (__u32 min = 0; min <= 5; min += 5) {
		ASSERT_EQ(5, send_batch_of(c, 0, 5, 5, 1));
		EXPECT_EQ(3, chan_batch(c, KCHAN_RECV_BATCH, buf, 8, min, 5, variant->vector, 0));
		for (int i = 0; i < 3; i++) {
			EXPECT_EQ(1 + i, values[i]);
		}
		EXPECT_EQ(0, drain(c, 4, 6));
	}
	ASSERT_EQ(0, send64(c, 1));
	buf = variant->vector ? (void *)&addresses[3] : (void *)&values[3];
	EXPECT_EQ(-EFAULT, chan_batch(c, KCHAN_RECV_BATCH, buf, 8, 1, 2, variant->vector, 0));
	EXPECT_EQ(0, drain(c, 1, 2));
}

/* Whoever would wait with it does not, but tells what it has got before. */
TEST_F(batch, does_not_wait_with_bad_memory)
{
	__u64 *values = (void *)three_and_a_half(8), addresses[5];
	const void *buf = variant->vector ? (void *)addresses : (void *)values;
	int c = make_chan(8, 3);

	for (int i = 0; i < 5; i++)
		addresses[i] = (uintptr_t)&values[i];
	ASSERT_EQ(3, send_batch_of(c, 0, 3, 3, 1));
	EXPECT_EQ(3, chan_batch(c, KCHAN_RECV_BATCH, buf, 8, 5, 5, variant->vector, 0));
	EXPECT_EQ(0, chan_stat(c).length);
	EXPECT_EQ(3, chan_batch(c, KCHAN_SEND_BATCH, buf, 8, 5, 5, variant->vector, 0));
	EXPECT_EQ(0, drain(c, 1, 4));
}

/* Pages nobody has touched yet are brought in, one after the other. */
TEST_F(batch, untouched_memory_is_good)
{
	enum { N = 20, SIZE = 1000 };
	__u8 *from = map_pages(5), *to = map_pages(5);
	__u64 sources[N], targets[N];
	int c = make_chan(SIZE, N);

	for (int i = 0; i < N; i++) {
		sources[i] = (uintptr_t)from + i * SIZE;
		targets[i] = (uintptr_t)to + (N - 1 - i) * SIZE;
	}
	EXPECT_EQ(N, chan_batch(c, KCHAN_SEND_BATCH, variant->vector ? (void *)sources : from,
				SIZE, N, N, variant->vector, 0));
	EXPECT_EQ(N, chan_batch(c, KCHAN_RECV_BATCH, variant->vector ? (void *)targets : to,
				SIZE, N, N, variant->vector, 0));
	EXPECT_EQ(0, memcmp(from, to, N * SIZE));
}

/* The addresses are memory, too.  Whatever was moved, it was told. */
TEST(addresses_that_are_not_there)
{
	enum { THERE = 70 };
	__u64 *addresses = (__u64 *)(page_before_hole() + PAGE) - THERE;
	__u64 values[THERE];
	int c = make_chan(8, 200), sent = 0, ret;

	for (int i = 0; i < THERE; i++) {
		values[i] = 1 + i;
		addresses[i] = (uintptr_t)&values[i];
	}
	EXPECT_EQ(-EFAULT, chan_batch(c, KCHAN_SEND_BATCH, NULL, 8, 1, 1, KCHAN_VECTOR, 0));
	EXPECT_EQ(-EFAULT, chan_batch(c, KCHAN_SEND_BATCH, addresses + THERE, 8, 1, 1,
				      KCHAN_VECTOR, 0));
	EXPECT_EQ(-EFAULT, chan_batch(c, KCHAN_SEND_BATCH, (__u8 *)(addresses + THERE) - 4, 8, 1,
				      1, KCHAN_VECTOR, 0));
	EXPECT_EQ(-EFAULT, chan_batch(c, KCHAN_RECV_BATCH, addresses + THERE, 8, 0, 1,
				      KCHAN_VECTOR, 0));
	do {
		ret = chan_batch(c, KCHAN_SEND_BATCH, addresses + sent, 8, 100, 100,
				 KCHAN_VECTOR, 0);
		sent += ret < 0 ? 0 : ret;
	} while (ret > 0);
	EXPECT_EQ(-EFAULT, ret);
	EXPECT_GE(THERE, sent);
	EXPECT_EQ(0, drain(c, 1, 1 + sent));
	/* All that there are is as many as were said to be. */
	EXPECT_EQ(THERE, chan_batch(c, KCHAN_SEND_BATCH, addresses, 8, THERE, THERE,
				    KCHAN_VECTOR, 0));
	EXPECT_EQ(0, drain(c, 1, 1 + THERE));
}

/* ---- messages that come back, and memory that comes slowly ---- */

/* Waits for its second message with memory that goes away meanwhile. */
static struct one_batch *start_spoilt(int c, struct task **t)
{
	struct one_batch *b = receiving(c, KCHAN_VECTOR, 2, 2);
	__u8 *gone = shared_alloc(PAGE);

	b->addresses[1] = (uintptr_t)gone;
	*t = task_start(THREAD, do_batch, b);
	for (int i = 0; i < 2; i++) {
		wait_waiting(c, 0, 1);
		if (i)
			must(!mprotect(gone, PAGE, PROT_NONE));
		must(!send64(c, 1 + i));
	}
	return b;
}

/* What it had got is told; what it could not take is there for others, and comes first. */
TEST(receiver_whose_memory_goes)
{
	for (int capacity = 0; capacity <= 2; capacity++) {
		int c = make_chan(8, capacity);
		struct task *t;
		struct one_batch *b = start_spoilt(c, &t), *next;

		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(1, b->ret);
		EXPECT_EQ(1, *message(b, 0));
		EXPECT_EQ(1, chan_stat(c).length);
		if (capacity) {
			EXPECT_EQ(capacity, send_batch_of(c, 0, 0, 2, 3));
		}
		next = receiving(c, 0, 0, 10);
		done_batch(next);
		EXPECT_EQ(0, received(next, 1 + capacity, 2));
		EXPECT_EQ(0, chan_stat(c).length);
		close(c);
	}
}

static int use_channel(int c)
{
	struct one_value one = { .fd = c };
	struct task *t;

	for (int i = 0; i < 20; i++) {
		t = task_start(THREAD, recv_one, &one);
		CHECK(send64(c, 1000 + i) == 0);
		CHECK(task_join(t) == 0);
		CHECK(one.ret == 1 && one.value == 1000ull + i);
	}
	return 0;
}

/* A batch whose second message is on its way from a disk, say: it stalls nobody else. */
static struct task *start_stalled(struct one_batch *b, struct slow_pages *slow)
{
	struct task *t;

	b->addresses[1] = (uintptr_t)slow->pages;
	t = task_start(THREAD, do_batch, b);
	wait_for_fault(slow->fd);
	return t;
}

TEST(sender_with_a_slow_page)
{
	struct one_batch *b;
	struct slow_pages slow;
	int c = make_chan(8, 4);
	struct task *t;

	make_slow_pages(&slow, 1);
	if (slow.error)
		SKIP(return, "userfaultfd: %s", strerror(slow.error));
	b = sending(c, KCHAN_VECTOR, 3, 3, 1);
	t = start_stalled(b, &slow);
	EXPECT_EQ(0, drain(c, 1, 2));
	EXPECT_EQ(0, use_channel(c));
	EXPECT_EQ(0, load(&b->over));

	*(__u64 *)slow.content = 2;
	bring_page(&slow, 0);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(3, b->ret);
	EXPECT_EQ(0, drain(c, 2, 4));
	free_slow_pages(&slow);
}

TEST(receiver_with_a_slow_page)
{
	struct one_batch *b;
	struct slow_pages slow;
	int c = make_chan(8, 4);
	struct task *t;

	make_slow_pages(&slow, 1);
	if (slow.error)
		SKIP(return, "userfaultfd: %s", strerror(slow.error));
	ASSERT_EQ(3, send_batch_of(c, 0, 3, 3, 1));
	b = receiving(c, KCHAN_VECTOR, 3, 3);
	t = start_stalled(b, &slow);
	EXPECT_EQ(0, drain(c, 2, 4));
	EXPECT_EQ(0, use_channel(c));
	bring_page(&slow, 0);
	for (int i = 0; i < 2; i++) {
		wait_waiting(c, 0, 1);
		EXPECT_EQ(0, send64(c, 7 + i));
	}
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(3, b->ret);
	EXPECT_EQ(1, *message(b, 0));
	EXPECT_EQ(7, *(__u64 *)slow.pages);
	EXPECT_EQ(8, *message(b, 2));
	free_slow_pages(&slow);
}

/* ---- in turn with others ---- */

struct crowd {
	struct one_value one[3];
	struct task *tasks[3];
};

static struct crowd *start_crowd(enum task_kind kind, int c, int (*body)(void *), bool senders)
{
	struct crowd *w = shared_alloc(sizeof(*w));

	for (int i = 0; i < 3; i++) {
		w->one[i] = (struct one_value){ .fd = c, .value = 100 + i };
		w->tasks[i] = task_start(kind, body, &w->one[i]);
		wait_waiting(c, senders ? i + 1 : 0, senders ? 0 : i + 1);
	}
	return w;
}

TEST_F(batch, receives_from_waiting_senders_in_order)
{
	for (int capacity = 0; capacity <= 2; capacity++) {
		int c = make_chan(8, capacity);
		struct one_batch *b = receiving(c, variant->vector, 0, 10);
		struct crowd *w;

		if (capacity) {
			ASSERT_EQ(capacity, send_batch_of(c, 0, 0, 10, 100 - capacity));
		}
		w = start_crowd(variant->kind, c, send_one, true);
		done_batch(b);
		EXPECT_EQ(0, received(b, 3 + capacity, 100 - capacity));
		for (int i = 0; i < 3; i++) {
			EXPECT_EQ(0, task_join(w->tasks[i]));
			EXPECT_EQ(0, w->one[i].ret);
		}
		EXPECT_EQ(0, chan_stat(c).length);
		close(c);
	}
}

TEST_F(batch, sends_to_waiting_receivers_in_order)
{
	for (int capacity = 0; capacity <= 2; capacity++) {
		int c = make_chan(8, capacity);
		struct crowd *w = start_crowd(variant->kind, c, recv_one, false);

		EXPECT_EQ(3 + capacity, send_batch_of(c, variant->vector, 0, 10, 1));
		for (int i = 0; i < 3; i++) {
			EXPECT_EQ(0, task_join(w->tasks[i]));
			EXPECT_EQ(1, w->one[i].ret);
			EXPECT_EQ(1 + i, w->one[i].value);
		}
		EXPECT_EQ(0, drain(c, 4, 4 + capacity));
		close(c);
	}
}

/* Each message queues anew: of two batches that wait, each moves one in turn. */
TEST_F(batch, two_that_wait_take_turns)
{
	int c = make_chan(8, 0);
	struct one_batch *b[2];
	struct task *tasks[2];
	__u64 v;

	for (int i = 0; i < 2; i++) {
		b[i] = sending(c, variant->vector, 4, 4, 10 * (i + 1));
		tasks[i] = task_start(variant->kind, do_batch, b[i]);
		wait_waiting(c, i + 1, 0);
	}
	for (int i = 0; i < 8; i++) {
		wait_waiting(c, i == 7 ? 1 : 2, 0);
		EXPECT_EQ(1, recv64(c, &v));
		EXPECT_EQ(10 * (i % 2 + 1) + i / 2, v);
	}
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
		EXPECT_EQ(4, b[i]->ret);
	}
}

TEST_F(batch, meets_a_select)
{
	struct one_select *s = new_select();
	int c = make_chan(8, 2), other = make_chan(8, 0);
	struct task *t;

	with_recv(s, other);
	with_recv(s, c);
	t = start_select(variant->kind, s);
	wait_waiting(c, 0, 1);
	EXPECT_EQ(3, send_batch_of(c, variant->vector, 0, 5, 1));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, s->chosen.index);
	EXPECT_EQ(1, s->values[1]);
	EXPECT_EQ(0, drain(c, 2, 4));
	EXPECT_EQ(true, waiting(other, 0, 0));
}

/* ---- sizes ---- */

struct stream {
	int c;
	__u32 size;
	int nr;
	__u32 flags;
	int ret;
};

static void fill(__u8 *buf, __u32 size, int n)
{
	for (__u32 i = 0; i < size; i++)
		buf[i] = n * 37 + (i & 0xff) + (i >> 8);
}

/* All messages in one call; as a vector, backwards in memory. */
static int send_stream(void *arg)
{
	struct stream *s = arg;
	__u8 *all = shared_alloc(s->nr * s->size + 1);
	__u64 *addresses = calloc(s->nr, sizeof(*addresses));

	for (int i = 0; i < s->nr; i++) {
		int place = s->flags & KCHAN_VECTOR ? s->nr - 1 - i : i;

		fill(all + place * s->size, s->size, i);
		addresses[i] = (uintptr_t)all + place * s->size;
	}
	s->ret = chan_batch(s->c, KCHAN_SEND_BATCH, s->flags ? (void *)addresses : all, s->size,
			    s->nr, s->nr, s->flags, 0);
	munmap(all, s->nr * s->size + 1);
	free(addresses);
	return 0;
}

static int check_stream(struct stream *s, const __u8 *all)
{
	__u8 *expected = malloc(s->size + 1);

	for (int i = 0; i < s->nr; i++) {
		fill(expected, s->size, i);
		CHECK(!memcmp(all + i * s->size, expected, s->size));
	}
	free(expected);
	return 0;
}

static int pass_through(enum task_kind kind, __u32 flags, __u32 size, int nr, int capacity)
{
	struct stream *s = shared_alloc(sizeof(*s));
	__u8 *all = map_pages((nr * size) / PAGE + 1);
	struct task *t;
	int got = 0, ret;

	*s = (struct stream){ make_chan(size, capacity), size, nr, flags, 0 };
	t = task_start(kind, send_stream, s);
	while (got < nr) {
		ret = chan_batch(s->c, KCHAN_RECV_BATCH, all + got * size, size, 1, nr - got, 0, 0);
		CHECK(ret > 0);
		got += ret;
	}
	CHECK(task_join(t) == 0);
	CHECK(s->ret == nr && got == nr);
	CHECK(check_stream(s, all) == 0);
	CHECK(chan_stat(s->c).length == 0);
	close(s->c);
	munmap(all, ((nr * size) / PAGE + 1) * PAGE);
	munmap(s, sizeof(*s));
	return 0;
}

TEST_F(batch, of_every_size)
{
	static const struct {
		__u32 size;
		int nr;
	} table[] = { { 0, 200 }, { 1, 200 }, { 8, 1000 }, { 200, 100 }, { 3000, 20 }, { 65536, 4 } };
	static const int capacities[] = { 0, 1, 64 };

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		for (size_t j = 0; j < ARRAY_LEN(capacities); j++) {
			EXPECT_EQ(0, pass_through(variant->kind, variant->vector, table[i].size,
						  table[i].nr, capacities[j]))
				TH_LOG("size %u, capacity %d", table[i].size, capacities[j]);
		}
	}
}

TEST_F(batch, of_thousands)
{
	EXPECT_EQ(0, pass_through(variant->kind, variant->vector, 8, 10000, 256));
}

/* Signals need no memory, but with KCHAN_VECTOR their addresses are still read. */
TEST(of_signals_needs_no_memory)
{
	int c = make_chan(0, 10);

	EXPECT_EQ(10, chan_batch(c, KCHAN_SEND_BATCH, NULL, 0, 0, KCHAN_MAX_COUNT, 0, 0));
	EXPECT_EQ(10, chan_batch(c, KCHAN_RECV_BATCH, NULL, 0, 0, KCHAN_MAX_COUNT, 0, 0));
	EXPECT_EQ(-EAGAIN, chan_batch(c, KCHAN_RECV_BATCH, NULL, 0, 0, 1, 0, 0));
}

/* ---- what makes no sense ---- */

TEST(bad_numbers)
{
	__u64 values[4] = { 1, 2, 3, 4 };
	static const struct {
		__u32 len, min, max, flags;
		__s64 deadline;
		int error;
	} bad[] = {
		{ 8, 0, 0, 0, 0, EINVAL },
		{ 8, 1, 0, 0, 0, EINVAL },
		{ 8, 3, 2, 0, 0, EINVAL },
		{ 8, UINT_MAX, 2, 0, 0, EINVAL },
		{ 8, 0, KCHAN_MAX_COUNT + 1, 0, 0, EINVAL },
		{ 8, 0, UINT_MAX, 0, 0, EINVAL },
		{ 8, 1, 2, KCHAN_IN_ORDER, 0, EINVAL },
		{ 8, 1, 2, KCHAN_READY, 0, EINVAL },
		{ 8, 1, 2, 0, 1, EINVAL },
		{ 8, 1, 2, KCHAN_DEADLINE, -1, EINVAL },
		{ 7, 1, 2, 0, 0, EMSGSIZE },
		{ 0, 1, 2, 0, 0, EMSGSIZE },
		{ 16, 1, 2, 0, 0, EMSGSIZE },
		{ 16, 1, 2, KCHAN_VECTOR, 0, EMSGSIZE },
	};
	int c = make_chan(8, 4);
	struct kchan_stat before;

	ASSERT_EQ(0, send64(c, 77));
	before = chan_stat(c);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		for (unsigned int cmd = KCHAN_SEND_BATCH; cmd <= KCHAN_RECV_BATCH; cmd++) {
			EXPECT_EQ(-bad[i].error,
				  chan_batch(c, cmd, values, bad[i].len, bad[i].min, bad[i].max,
					     bad[i].flags, bad[i].deadline)) TH_LOG("row %zu", i);
			EXPECT_EQ(true, same_stat(before, c));
		}
	}
	EXPECT_EQ(1, values[0]);
}

TEST(rights)
{
	int c = make_chan(8, 4);
	int sender = restrict_to(c, KCHAN_RIGHT_SEND), receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	__u64 v[2] = { 1, 2 };

	EXPECT_EQ(-EBADF, send_batch64(receiver, v, 2));
	EXPECT_EQ(-EBADF, try_recv_batch64(sender, v, 2));
	EXPECT_EQ(2, send_batch64(sender, v, 2));
	EXPECT_EQ(2, recv_batch64(receiver, v, 2));
	/* The right comes before the length, and the length before the state. */
	EXPECT_EQ(-EBADF, chan_batch(receiver, KCHAN_SEND_BATCH, v, 7, 1, 2, 0, 0));
	ASSERT_EQ(0, chan_close(c));
	EXPECT_EQ(-EMSGSIZE, chan_batch(sender, KCHAN_SEND_BATCH, v, 7, 1, 2, 0, 0));
	EXPECT_EQ(-EMSGSIZE, chan_batch(receiver, KCHAN_RECV_BATCH, v, 7, 1, 2, 0, 0));
	EXPECT_EQ(-EPIPE, send_batch64(sender, v, 2));
}

TEST(nobody_on_the_other_side)
{
	int c = make_chan(8, 4);
	int sender = restrict_to(c, KCHAN_RIGHT_SEND), receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	__u64 v[4] = { 1, 2, 3, 4 };

	EXPECT_EQ(2, send_batch64(c, v, 2));
	close(c);
	close(sender);
	EXPECT_EQ(2, recv_batch64(receiver, v, 4));
	EXPECT_EQ(0, recv_batch64(receiver, v, 4));
	c = make_chan(8, 4);
	sender = restrict_to(c, KCHAN_RIGHT_SEND);
	close(c);
	EXPECT_EQ(-EPIPE, send_batch64(sender, v, 2));
}

/* ---- batches of several, at once ---- */

enum { SENDERS = 2, RECEIVERS = 2, VALUES = 1500, MOST_AT_ONCE = 40 };

FIXTURE(crowd) {
	int unused;
};

FIXTURE_VARIANT(crowd) {
	enum task_kind kind;
	int capacity;
};

FIXTURE_VARIANT_ADD(crowd, unbuffered_threads) { THREAD, 0 };
FIXTURE_VARIANT_ADD(crowd, unbuffered_processes) { PROCESS, 0 };
FIXTURE_VARIANT_ADD(crowd, one_threads) { THREAD, 1 };
FIXTURE_VARIANT_ADD(crowd, one_processes) { PROCESS, 1 };
FIXTURE_VARIANT_ADD(crowd, buffered_threads) { THREAD, 7 };
FIXTURE_VARIANT_ADD(crowd, buffered_processes) { PROCESS, 7 };

FIXTURE_SETUP(crowd) { }
FIXTURE_TEARDOWN(crowd) { }

struct books {
	int c;
	int next;
	int arrived[SENDERS][VALUES];
};

static int send_in_batches(void *arg)
{
	struct books *b = arg;
	__u64 me = count_up(&b->next), values[MOST_AT_ONCE];
	unsigned int seed = me + 1;

	for (int sent = 0; sent < VALUES;) {
		int max = 1 + rand_r(&seed) % MOST_AT_ONCE, ret;

		if (max > VALUES - sent)
			max = VALUES - sent;
		for (int i = 0; i < max; i++)
			values[i] = me << 32 | (sent + i);
		ret = chan_batch(b->c, KCHAN_SEND_BATCH, values, 8, 1 + rand_r(&seed) % max, max,
				 0, 0);
		CHECK(ret > 0);
		sent += ret;
	}
	return 0;
}

static int recv_in_batches(void *arg)
{
	struct books *b = arg;
	__u64 values[MOST_AT_ONCE];
	__s64 last[SENDERS] = { -1, -1 };
	unsigned int seed = my_tid();
	int ret;

	for (;;) {
		int max = 1 + rand_r(&seed) % MOST_AT_ONCE;

		ret = chan_batch(b->c, KCHAN_RECV_BATCH, values, 8, 1 + rand_r(&seed) % max, max,
				 0, 0);
		if (ret <= 0)
			break;
		for (int i = 0; i < ret; i++) {
			__u64 by = values[i] >> 32, n = (__u32)values[i];

			CHECK(by < SENDERS && n < VALUES);
			CHECK((__s64)n > last[by]);
			last[by] = n;
			count_up(&b->arrived[by][n]);
		}
	}
	CHECK(ret == 0);
	return 0;
}

/* They may interleave, but each sender's messages stay in order, and none is lost. */
TEST_F(crowd, each_keeps_its_order)
{
	struct books *b = shared_alloc(sizeof(*b));
	struct task *senders[SENDERS], *receivers[RECEIVERS];

	b->c = make_chan(8, variant->capacity);
	for (int i = 0; i < RECEIVERS; i++)
		receivers[i] = task_start(variant->kind, recv_in_batches, b);
	for (int i = 0; i < SENDERS; i++)
		senders[i] = task_start(variant->kind, send_in_batches, b);
	for (int i = 0; i < SENDERS; i++) {
		EXPECT_EQ(0, task_join(senders[i]));
	}
	ASSERT_EQ(0, chan_close(b->c));
	for (int i = 0; i < RECEIVERS; i++) {
		EXPECT_EQ(0, task_join(receivers[i]));
	}
	for (int i = 0; i < SENDERS * VALUES; i++) {
		ASSERT_EQ(1, b->arrived[i / VALUES][i % VALUES]) TH_LOG("message %d", i);
	}
}

/* ---- SIGKILL in the middle ---- */

enum { AT_ONCE = 10, KILL_ROUNDS = 12, LOG = 20000 };

struct victim {
	int fd;
	__aligned_u64 done;	/* calls that returned, in messages */
	__u64 values[LOG];
};

static int send_forever(void *arg)
{
	struct victim *v = arg;
	__u64 values[AT_ONCE];
	int ret;

	for (;;) {
		for (int i = 0; i < AT_ONCE; i++)
			values[i] = v->done + i;
		ret = chan_batch(v->fd, KCHAN_SEND_BATCH, values, 8, AT_ONCE / 2, AT_ONCE, 0, 0);
		CHECK(ret > 0);
		store(&v->done, v->done + ret);
	}
}

static void spin(unsigned int *seed)
{
	for (int i = rand_r(seed) % 3000; i; i--)
		__asm__ volatile("");
}

/* What was sent is 0, 1, ... without a gap, up to where its sender died. */
TEST_F(crowd, sender_killed_at_any_moment)
{
	unsigned int seed = 1;

	if (variant->kind == THREAD)
		return;
	for (int round = 0; round < KILL_ROUNDS; round++) {
		struct victim *victim = shared_alloc(sizeof(*victim));
		__u64 v, n = 0, until = rand_r(&seed) % 50;
		struct task *t;

		victim->fd = make_chan(8, variant->capacity);
		t = task_start(PROCESS, send_forever, victim);
		for (; n < until; n++) {
			ASSERT_EQ(1, recv64(victim->fd, &v));
			ASSERT_EQ(n, v);
		}
		spin(&seed);
		task_kill(t);
		ASSERT_EQ(KILLED(SIGKILL), task_join(t));
		for (; try_recv64(victim->fd, &v) == 1; n++) {
			ASSERT_EQ(n, v);
		}
		/* Those of its last batch may have gone out before it could say so. */
		ASSERT_LE(victim->done, n);
		ASSERT_LE(n, victim->done + AT_ONCE);
		ASSERT_EQ(true, waiting(victim->fd, 0, 0));
		close(victim->fd);
		munmap(victim, sizeof(*victim));
	}
}

static int receive_forever(void *arg)
{
	struct victim *v = arg;
	int ret;

	for (;;) {
		while (v->done + AT_ONCE > LOG)
			pause();
		ret = chan_batch(v->fd, KCHAN_RECV_BATCH, &v->values[v->done], 8, AT_ONCE / 2,
				 AT_ONCE, 0, 0);
		CHECK(ret > 0);
		store(&v->done, v->done + ret);
	}
}

/* What comes next follows what the victim has in its memory, without a gap. */
TEST_F(crowd, receiver_killed_at_any_moment)
{
	struct victim *victim = shared_alloc(sizeof(*victim));
	struct victim *source = shared_alloc(sizeof(*source));
	unsigned int seed = 2;

	if (variant->kind == THREAD)
		return;
	for (int round = 0; round < KILL_ROUNDS; round++) {
		__u64 until = rand_r(&seed) % 50, next;
		struct task *killed, *sender;

		memset(victim->values, 0xa5, sizeof(victim->values));
		victim->done = source->done = 0;
		victim->fd = source->fd = make_chan(8, variant->capacity);
		killed = task_start(PROCESS, receive_forever, victim);
		sender = task_start(PROCESS, send_forever, source);
		wait_until(load(&victim->done) >= until);
		spin(&seed);
		task_kill(killed);
		ASSERT_EQ(KILLED(SIGKILL), task_join(killed));
		for (next = 0; victim->values[next] != POISON; next++) {
			ASSERT_EQ(next, victim->values[next]);
		}
		ASSERT_LE(victim->done, next);
		ASSERT_LE(next, victim->done + AT_ONCE);
		for (int i = 0; i < 2 * AT_ONCE; i++, next++) {
			__u64 v;

			ASSERT_EQ(1, recv64(source->fd, &v));
			ASSERT_EQ(next, v);
		}
		task_kill(sender);
		ASSERT_EQ(KILLED(SIGKILL), task_join(sender));
		close(source->fd);
	}
}

/* ---- a storm of signals ---- */

struct storm_side {
	int c;
	int nr;
	int over;
	int interrupted;
};

static int send_in_storm(void *arg)
{
	struct storm_side *s = arg;
	__u64 values[AT_ONCE];
	int ret;

	for (int sent = 0; sent < s->nr; sent += ret < 0 ? 0 : ret) {
		int max = s->nr - sent < AT_ONCE ? s->nr - sent : AT_ONCE;

		for (int i = 0; i < max; i++)
			values[i] = sent + i;
		ret = send_batch64(s->c, values, max);
		CHECK(ret > 0 || ret == -EINTR);
		if (ret < max)
			count_up(&s->interrupted);
	}
	store(&s->over, 1);
	return 0;
}

static int recv_in_storm(void *arg)
{
	struct storm_side *s = arg;
	__u64 values[AT_ONCE];
	int ret;

	for (int got = 0; got < s->nr; got += ret < 0 ? 0 : ret) {
		int max = s->nr - got < AT_ONCE ? s->nr - got : AT_ONCE;

		ret = recv_batch64(s->c, values, max);
		CHECK(ret > 0 || ret == -EINTR);
		for (int i = 0; i < ret; i++)
			CHECK(values[i] == (__u64)got + i);
		if (ret < max)
			count_up(&s->interrupted);
	}
	store(&s->over, 1);
	return 0;
}

static void expect_storm_survived(struct __test_metadata *_metadata,
				  const FIXTURE_VARIANT(crowd) *v, int flags)
{
	struct storm_side *s = shared_alloc(2 * sizeof(*s));
	struct task *tasks[2];

	catch_signal(SIGUSR1, flags);
	s[0] = (struct storm_side){ .c = make_chan(8, v->capacity), .nr = 1000 };
	s[1] = s[0];
	tasks[0] = task_start(v->kind, send_in_storm, &s[0]);
	tasks[1] = task_start(v->kind, recv_in_storm, &s[1]);
	for (int i = 0; !load(&s[0].over) || !load(&s[1].over); i++) {
		if (!load(&s[i % 2].over))
			task_signal(tasks[i % 2], SIGUSR1);
		/* Now and then let them get on. */
		if (i % 16 == 0)
			usleep(1000);
	}
	EXPECT_EQ(0, task_join(tasks[0]));
	EXPECT_EQ(0, task_join(tasks[1]));
	EXPECT_LT(0, s[0].interrupted + s[1].interrupted);
	EXPECT_EQ(0, chan_stat(s[0].c).length);
	EXPECT_EQ(true, waiting(s[0].c, 0, 0));
}

/* The race: the signal ends a batch at the moment when a peer moves its next. */
TEST_F(crowd, storm)
{
	expect_storm_survived(_metadata, variant, 0);
}

TEST_F(crowd, storm_with_restart)
{
	expect_storm_survived(_metadata, variant, SA_RESTART);
}

TEST_HARNESS_MAIN
