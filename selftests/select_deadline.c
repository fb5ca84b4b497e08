// SPDX-License-Identifier: GPL-2.0-only
/* Selects take a deadline as every wait does: absolute, on three clocks, also past. */
#include <kselftest_harness.h>
#include "select_util.h"

FIXTURE(select_deadline) {
	int empty;	/* nothing to receive */
	int full;	/* no room to send */
	struct kchan_stat empty_before, full_before;
	__u64 value;
};

FIXTURE_VARIANT(select_deadline) {
	clockid_t clock;
	__u32 flags;
	__u64 capacity;
};

#define ON(id, bits, cap) { .clock = id, .flags = KCHAN_DEADLINE | (bits), .capacity = cap }

FIXTURE_VARIANT_ADD(select_deadline, monotonic_unbuffered) ON(CLOCK_MONOTONIC, 0, 0);
FIXTURE_VARIANT_ADD(select_deadline, monotonic_buffered) ON(CLOCK_MONOTONIC, 0, 2);
FIXTURE_VARIANT_ADD(select_deadline, realtime_unbuffered)
	ON(CLOCK_REALTIME, KCHAN_CLOCK_REALTIME, 0);
FIXTURE_VARIANT_ADD(select_deadline, realtime_buffered)
	ON(CLOCK_REALTIME, KCHAN_CLOCK_REALTIME, 2);
FIXTURE_VARIANT_ADD(select_deadline, boottime_unbuffered)
	ON(CLOCK_BOOTTIME, KCHAN_CLOCK_BOOTTIME, 0);
FIXTURE_VARIANT_ADD(select_deadline, boottime_buffered)
	ON(CLOCK_BOOTTIME, KCHAN_CLOCK_BOOTTIME, 2);

FIXTURE_SETUP(select_deadline)
{
	self->empty = make_chan(8, variant->capacity);
	self->full = make_chan(8, variant->capacity);
	for (__u64 i = 0; i < variant->capacity; i++)
		must(!send64(self->full, i));
	self->empty_before = chan_stat(self->empty);
	self->full_before = chan_stat(self->full);
	self->value = POISON;
}

/* Whoever gave up is gone from all queues, and took or left nothing. */
FIXTURE_TEARDOWN(select_deadline)
{
	EXPECT_EQ(true, same_stat(self->empty_before, self->empty));
	EXPECT_EQ(true, same_stat(self->full_before, self->full));
	EXPECT_EQ(POISON, self->value);
}

#define select_until(self, flags, deadline)				\
	kchan_select(CASES(on_recv64((self)->empty, &(self)->value),	\
			   on_send64((self)->full, &(self)->value),	\
			   on_recv64(NO_CHAN, &(self)->value)), flags, deadline)

TEST_F(select_deadline, comes)
{
	static const __u32 ways[] = { 0, KCHAN_IN_ORDER, KCHAN_READY };

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		__s64 deadline = now_on(variant->clock) + 20 * NSEC_PER_MSEC;

		EXPECT_FAILED(ETIMEDOUT, select_until(self, variant->flags | ways[i], deadline));
		EXPECT_LE(deadline, now_on(variant->clock));
	}
}

TEST_F(select_deadline, is_past)
{
	const __s64 past[] = { 0, 1, now_on(variant->clock) - 1 };

	for (size_t i = 0; i < ARRAY_LEN(past); i++) {
		EXPECT_FAILED(ETIMEDOUT, select_until(self, variant->flags, past[i]));
	}
}

/* What can be done at once is done, however late it is. */
TEST_F(select_deadline, past_is_still_a_try)
{
	struct kchan_case cases[2];
	__u64 v = 5;

	if (!variant->capacity)
		return;
	cases[0] = on_recv64(self->empty, &self->value);
	cases[1] = on_send64(self->empty, &v);
	EXPECT_CHOSE(1, 0, kchan_select(cases, 2, variant->flags, 0));
	cases[0].buf = (uintptr_t)&v;
	EXPECT_CHOSE(0, 1, kchan_select(cases, 1, variant->flags, 0));
	EXPECT_EQ(5, v);
}

TEST_F(select_deadline, nonblock_wins)
{
	__u32 flags = variant->flags | KCHAN_NONBLOCK;

	EXPECT_FAILED(EAGAIN, select_until(self, flags,
					   now_on(variant->clock) + 3600 * NSEC_PER_SEC));
	EXPECT_FAILED(EAGAIN, select_until(self, flags, 0));
}

/* A deadline that is far away, even as far as can be, is in nobody's way. */
TEST_F(select_deadline, is_far)
{
	const __s64 far[] = {
		now_on(variant->clock) + 3600 * NSEC_PER_SEC, LLONG_MAX - 1, LLONG_MAX,
	};

	for (size_t i = 0; i < ARRAY_LEN(far); i++) {
		struct one_select *s = new_select();
		struct task *t;

		with_send(s, self->full, 1);
		with_recv(s, self->empty);
		s->flags = variant->flags;
		s->deadline = far[i];
		t = start_select(i % 2 ? PROCESS : THREAD, s);
		wait_waiting(self->empty, 0, 1);
		wait_waiting(self->full, 1, 0);
		EXPECT_EQ(0, send64(self->empty, i));
		EXPECT_EQ(0, task_join(t));
		EXPECT_CHOSE(1, 1, s->chosen);
		EXPECT_EQ(i, s->values[1]);
	}
}

/* ---- the clocks themselves move ---- */

/* The wall clock is set forward: only deadlines on that clock come. */
TEST(realtime_clock_is_set)
{
	struct one_select *real = new_select(), *mono = new_select();
	int c = make_chan(8, 0), d = make_chan(8, 0);
	struct task *real_task, *mono_task;
	struct timespec ts;

	with_recv(real, c);
	with_send(real, c, 1);
	real->flags = KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME;
	real->deadline = now_on(CLOCK_REALTIME) + 1000 * NSEC_PER_SEC;
	with_recv(mono, d);
	with_recv(mono, NO_CHAN);
	mono->flags = KCHAN_DEADLINE;
	mono->deadline = now() + 1000 * NSEC_PER_SEC;
	real_task = start_select(THREAD, real);
	mono_task = start_select(THREAD, mono);
	wait_waiting(c, 1, 1);
	wait_waiting(d, 0, 1);

	ASSERT_EQ(0, clock_gettime(CLOCK_REALTIME, &ts));
	ts.tv_sec += 2000;
	if (clock_settime(CLOCK_REALTIME, &ts))
		SKIP(return, "may not set the clock: %s", strerror(errno));
	EXPECT_EQ(0, task_join(real_task));
	EXPECT_FAILED(ETIMEDOUT, real->chosen);
	EXPECT_EQ(true, waiting(d, 0, 1));

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec -= 2000;
	EXPECT_EQ(0, clock_settime(CLOCK_REALTIME, &ts));
	EXPECT_EQ(0, send64(d, 1));
	EXPECT_EQ(0, task_join(mono_task));
	EXPECT_CHOSE(0, 1, mono->chosen);
}

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static int deadlines_inside(void *arg)
{
	__s64 outside = *(__s64 *)arg, deadline = in_ms(20);
	__u64 v = POISON;

	CHECK(now() > outside + 90000 * NSEC_PER_SEC);
	CHECK(kchan_select(CASES(on_recv64(NO_CHAN, &v), on_recv64(NO_CHAN, &v)),
			   KCHAN_DEADLINE, deadline).index == -ETIMEDOUT);
	CHECK(now() >= deadline);
	CHECK(now() < deadline + PATIENCE_NS);
	return 0;
}

/* A deadline counts as the time namespace of whoever selects does. */
TEST(time_namespace)
{
	static const char offset[] = "monotonic 100000 0\n";
	__s64 outside = now();
	int fd;

	if (unshare(CLONE_NEWTIME))
		SKIP(return, "no time namespaces: %s", strerror(errno));
	fd = open("/proc/self/timens_offsets", O_WRONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(strlen(offset), write(fd, offset, strlen(offset)));
	close(fd);
	EXPECT_EQ(0, task_join(task_start(PROCESS, deadlines_inside, &outside)));
}

TEST_HARNESS_MAIN
