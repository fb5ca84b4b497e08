// SPDX-License-Identifier: GPL-2.0-only
/* Deadlines count as the caller's time namespace does. */
#include <kselftest_harness.h>
#include "kchan_util.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

enum { MONOTONIC_OFFSET = 100000, BOOTTIME_OFFSET = 200000 };

FIXTURE(time_namespace) {
	int c;
	__s64 outside;	/* the monotonic clock before the move */
	int error;	/* there is no moving */
};

FIXTURE_VARIANT(time_namespace) {
	int sign;
};

FIXTURE_VARIANT_ADD(time_namespace, ahead) { 1 };
FIXTURE_VARIANT_ADD(time_namespace, behind) { -1 };

FIXTURE_SETUP(time_namespace)
{
	char offsets[100];
	int fd, len;

	self->c = make_chan(8, 0);
	self->outside = now();
	/* A namespace's clocks may not be negative: going back needs uptime. */
	len = snprintf(offsets, sizeof(offsets), "monotonic %d 0\nboottime %d 0\n",
		       variant->sign > 0 ? MONOTONIC_OFFSET : -1,
		       variant->sign > 0 ? BOOTTIME_OFFSET : -2);
	if (unshare(CLONE_NEWTIME)) {
		self->error = errno;
		return;
	}
	fd = open("/proc/self/timens_offsets", O_WRONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(len, write(fd, offsets, len));
	close(fd);
}

FIXTURE_TEARDOWN(time_namespace) { }

struct inside {
	int c;
	__s64 outside;
	int sign;
};

/* A child of whoever unshared is the first inside. */
static int deadlines_inside(void *arg)
{
	struct inside *in = arg;

	if (in->sign > 0)
		CHECK(now() > in->outside + (MONOTONIC_OFFSET - 1) * NSEC_PER_SEC);
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		__s64 deadline = now_on(clocks[i].clock) + 300 * NSEC_PER_MSEC;
		__s64 start = now();
		__u64 v = POISON;

		CHECK(chan_msg(in->c, KCHAN_RECV, &v, 8, clocks[i].flags, deadline) == -ETIMEDOUT);
		CHECK(now_on(clocks[i].clock) >= deadline);
		CHECK(now() - start < PATIENCE_NS);
		CHECK(v == POISON);
		CHECK(chan_msg(in->c, KCHAN_RECV, &v, 8, clocks[i].flags, 0) == -ETIMEDOUT);
	}
	return 0;
}

TEST_F(time_namespace, deadlines)
{
	struct inside in = { self->c, self->outside, variant->sign };

	if (self->error)
		SKIP(return, "no time namespaces: %s", strerror(self->error));
	EXPECT_EQ(0, task_join(task_start(PROCESS, deadlines_inside, &in)));
	EXPECT_EQ(true, waiting(self->c, 0, 0));
}

/* Too early by the outer clock's count, and yet it is far away. */
static int far_away_inside(void *arg)
{
	struct inside *in = arg;
	__u64 v;

	CHECK(recv64_until(in->c, &v, now() + 1000 * NSEC_PER_SEC) == 1);
	CHECK(v == 7);
	CHECK(recv64_until(in->c, &v, LLONG_MAX) == 1);
	return 0;
}

TEST_F(time_namespace, far_deadline_does_not_come)
{
	struct inside in = { self->c, self->outside, variant->sign };
	struct task *t;

	if (self->error)
		SKIP(return, "no time namespaces: %s", strerror(self->error));
	t = task_start(PROCESS, far_away_inside, &in);
	for (int i = 0; i < 2; i++) {
		wait_waiting(self->c, 0, 1);
		EXPECT_EQ(0, send64(self->c, 7));
	}
	EXPECT_EQ(0, task_join(t));
}

/* Timers and cancels as well; and every wait shares what waits for locks do. */
static int timers_inside(void *arg)
{
	int timer = make_object(KCHAN_KIND_TIMER, 0), m = make_object(KCHAN_KIND_MUTEX, 0);

	(void)arg;
	CHECK(kchan_lock(m) == 0);
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		__s64 deadline = now_on(clocks[i].clock) + 100 * NSEC_PER_MSEC, start = now();
		int cancel = try_make_cancel(-1, clocks[i].flags, deadline);
		__u64 ticks;

		CHECK(cancel >= 0);
		CHECK(set_timer(timer, clocks[i].flags, deadline, 0) == 0);
		CHECK(kchan_wait_op(timer, KCHAN_OP_TICK, 0, 0, 0, 0, &ticks) == 0);
		CHECK(ticks == 1);
		CHECK(wait_op(cancel, KCHAN_OP_CANCELLED, 0) == 0);
		CHECK(now_on(clocks[i].clock) >= deadline);
		deadline += 50 * NSEC_PER_MSEC;
		CHECK(kchan_wait_op(m, KCHAN_OP_LOCK, 0, 0, clocks[i].flags, deadline, NULL) ==
		      -ETIMEDOUT);
		CHECK(now_on(clocks[i].clock) >= deadline);
		CHECK(now() - start < PATIENCE_NS);
	}
	return 0;
}

TEST_F(time_namespace, timers_and_cancels)
{
	if (self->error)
		SKIP(return, "no time namespaces: %s", strerror(self->error));
	EXPECT_EQ(0, task_join(task_start(PROCESS, timers_inside, NULL)));
}

TEST_HARNESS_MAIN
