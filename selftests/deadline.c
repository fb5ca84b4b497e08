// SPDX-License-Identifier: GPL-2.0-only
/* Every wait takes a deadline: absolute, on three clocks, also in the past. */
#include <kselftest_harness.h>
#include "kchan_util.h"

FIXTURE(deadline) {
	int empty;	/* nothing to receive */
	int full;	/* no room to send */
	struct kchan_stat empty_before, full_before;
};

FIXTURE_VARIANT(deadline) {
	clockid_t clock;
	__u32 flags;
	__u64 capacity;
};

#define ON(id, bits, cap) { .clock = id, .flags = KCHAN_DEADLINE | (bits), .capacity = cap }

FIXTURE_VARIANT_ADD(deadline, monotonic_unbuffered) ON(CLOCK_MONOTONIC, 0, 0);
FIXTURE_VARIANT_ADD(deadline, monotonic_buffered) ON(CLOCK_MONOTONIC, 0, 2);
FIXTURE_VARIANT_ADD(deadline, realtime_unbuffered) ON(CLOCK_REALTIME, KCHAN_CLOCK_REALTIME, 0);
FIXTURE_VARIANT_ADD(deadline, realtime_buffered) ON(CLOCK_REALTIME, KCHAN_CLOCK_REALTIME, 2);
FIXTURE_VARIANT_ADD(deadline, boottime_unbuffered) ON(CLOCK_BOOTTIME, KCHAN_CLOCK_BOOTTIME, 0);
FIXTURE_VARIANT_ADD(deadline, boottime_buffered) ON(CLOCK_BOOTTIME, KCHAN_CLOCK_BOOTTIME, 2);

FIXTURE_SETUP(deadline)
{
	self->empty = make_chan(8, variant->capacity);
	self->full = make_chan(8, variant->capacity);
	for (__u64 i = 0; i < variant->capacity; i++) {
		ASSERT_EQ(0, send64(self->full, i));
	}
	self->empty_before = chan_stat(self->empty);
	self->full_before = chan_stat(self->full);
}

/* Whoever gave up is gone from the queues, and took or left nothing. */
FIXTURE_TEARDOWN(deadline)
{
	EXPECT_EQ(true, same_stat(self->empty_before, self->empty));
	EXPECT_EQ(true, same_stat(self->full_before, self->full));
}

TEST_F(deadline, comes)
{
	__u64 v = POISON;
	__s64 deadline;

	deadline = now_on(variant->clock) + 20 * NSEC_PER_MSEC;
	EXPECT_EQ(-ETIMEDOUT, chan_msg(self->empty, KCHAN_RECV, &v, 8, variant->flags, deadline));
	EXPECT_LE(deadline, now_on(variant->clock));
	EXPECT_EQ(POISON, v);

	deadline = now_on(variant->clock) + 20 * NSEC_PER_MSEC;
	EXPECT_EQ(-ETIMEDOUT, chan_msg(self->full, KCHAN_SEND, &v, 8, variant->flags, deadline));
	EXPECT_LE(deadline, now_on(variant->clock));
}

TEST_F(deadline, is_past)
{
	const __s64 past[] = { 0, 1, now_on(variant->clock) - 1 };
	__u64 v = POISON;

	for (size_t i = 0; i < ARRAY_LEN(past); i++) {
		EXPECT_EQ(-ETIMEDOUT, chan_msg(self->empty, KCHAN_RECV, &v, 8, variant->flags,
					       past[i]));
		EXPECT_EQ(-ETIMEDOUT, chan_msg(self->full, KCHAN_SEND, &v, 8, variant->flags,
					       past[i]));
	}
	EXPECT_EQ(POISON, v);
}

/* What can be done at once is done, however late it is. */
TEST_F(deadline, past_is_still_a_try)
{
	__u64 v = 5;

	if (!variant->capacity)
		return;
	EXPECT_EQ(0, chan_msg(self->empty, KCHAN_SEND, &v, 8, variant->flags, 0));
	v = POISON;
	EXPECT_EQ(1, chan_msg(self->empty, KCHAN_RECV, &v, 8, variant->flags, 0));
	EXPECT_EQ(5, v);
}

TEST_F(deadline, nonblock_wins)
{
	__u32 flags = variant->flags | KCHAN_NONBLOCK;
	__s64 far = now_on(variant->clock) + 3600 * NSEC_PER_SEC;
	__u64 v = POISON;

	EXPECT_EQ(-EAGAIN, chan_msg(self->empty, KCHAN_RECV, &v, 8, flags, far));
	EXPECT_EQ(-EAGAIN, chan_msg(self->full, KCHAN_SEND, &v, 8, flags, far));
	EXPECT_EQ(-EAGAIN, chan_msg(self->empty, KCHAN_RECV, &v, 8, flags, 0));
	EXPECT_EQ(POISON, v);
}

struct waiting_call {
	int fd;
	__u32 flags;
	__s64 deadline;
	int ret;
	__u64 value;
};

static int recv_until(void *arg)
{
	struct waiting_call *w = arg;

	w->ret = chan_msg(w->fd, KCHAN_RECV, &w->value, 8, w->flags, w->deadline);
	return 0;
}

/* A deadline that is far away, even as far as can be, is in nobody's way. */
TEST_F(deadline, is_far)
{
	const __s64 far[] = {
		now_on(variant->clock) + 3600 * NSEC_PER_SEC, LLONG_MAX - 1, LLONG_MAX,
	};

	for (size_t i = 0; i < ARRAY_LEN(far); i++) {
		struct waiting_call *w = shared_alloc(sizeof(*w));
		struct task *t;

		*w = (struct waiting_call){ self->empty, variant->flags, far[i], 0, POISON };
		t = task_start(i % 2 ? PROCESS : THREAD, recv_until, w);
		wait_waiting(self->empty, 0, 1);
		EXPECT_EQ(0, send64(self->empty, i));
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(1, w->ret);
		EXPECT_EQ(i, w->value);
	}
}

/* The wall clock is set forward: only deadlines on that clock come. */
TEST(realtime_clock_is_set)
{
	struct waiting_call *real = shared_alloc(sizeof(*real));
	struct waiting_call *mono = shared_alloc(sizeof(*mono));
	int c = make_chan(8, 0), d = make_chan(8, 0);
	struct task *real_task, *mono_task;
	struct timespec ts;

	*real = (struct waiting_call){ c, KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME,
				       now_on(CLOCK_REALTIME) + 1000 * NSEC_PER_SEC, 0, POISON };
	*mono = (struct waiting_call){ d, KCHAN_DEADLINE, now() + 1000 * NSEC_PER_SEC, 0, POISON };
	real_task = task_start(THREAD, recv_until, real);
	mono_task = task_start(THREAD, recv_until, mono);
	wait_waiting(c, 0, 1);
	wait_waiting(d, 0, 1);

	ASSERT_EQ(0, clock_gettime(CLOCK_REALTIME, &ts));
	ts.tv_sec += 2000;
	if (clock_settime(CLOCK_REALTIME, &ts))
		SKIP(return, "may not set the clock: %s", strerror(errno));
	EXPECT_EQ(0, task_join(real_task));
	EXPECT_EQ(-ETIMEDOUT, real->ret);
	EXPECT_EQ(true, waiting(d, 0, 1));

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec -= 2000;
	EXPECT_EQ(0, clock_settime(CLOCK_REALTIME, &ts));
	EXPECT_EQ(0, send64(d, 1));
	EXPECT_EQ(0, task_join(mono_task));
	EXPECT_EQ(1, mono->ret);
}

TEST_HARNESS_MAIN
