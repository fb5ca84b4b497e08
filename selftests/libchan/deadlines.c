// SPDX-License-Identifier: GPL-2.0-only
/* Deadlines on each clock, and signals while a call waits. */
#include "kselftest_harness.h"
#include "chan_util.h"

FIXTURE(deadlines)
{
	struct chan *full, *empty;
};

/* Which calls are under test: the plain ones know CLOCK_MONOTONIC alone. */
FIXTURE_VARIANT(deadlines)
{
	clockid_t clock;
	bool plain;
};

FIXTURE_VARIANT_ADD(deadlines, until) { .clock = CLOCK_MONOTONIC, .plain = true };
FIXTURE_VARIANT_ADD(deadlines, monotonic) { .clock = CLOCK_MONOTONIC };
FIXTURE_VARIANT_ADD(deadlines, realtime) { .clock = CLOCK_REALTIME };
FIXTURE_VARIANT_ADD(deadlines, boottime) { .clock = CLOCK_BOOTTIME };

FIXTURE_SETUP(deadlines)
{
	int value = 1;

	self->full = must_make(sizeof(int), 1);
	self->empty = must_make(sizeof(int), 1);
	must(!chan_send(self->full, &value));
}

FIXTURE_TEARDOWN(deadlines)
{
	chan_drop(self->full);
	chan_drop(self->empty);
}

static int send_at(const FIXTURE_VARIANT(deadlines) *variant, struct chan *c, int value,
		   int64_t deadline)
{
	if (variant->plain)
		return err(chan_send_until(c, &value, deadline));
	return err(chan_send_clock(c, &value, variant->clock, deadline));
}

static int recv_at(const FIXTURE_VARIANT(deadlines) *variant, struct chan *c, int *value,
		   int64_t deadline)
{
	*value = 0x5a5a5a5a;
	if (variant->plain)
		return err(chan_recv_until(c, value, deadline));
	return err(chan_recv_clock(c, value, variant->clock, deadline));
}

TEST_F(deadlines, never_early)
{
	int64_t deadline = now_on(variant->clock) + 30 * CHAN_MILLISECOND;
	int value;

	EXPECT_EQ(-ETIMEDOUT, send_at(variant, self->full, 2, deadline));
	EXPECT_LE(deadline, now_on(variant->clock));
	deadline = now_on(variant->clock) + 30 * CHAN_MILLISECOND;
	EXPECT_EQ(-ETIMEDOUT, recv_at(variant, self->empty, &value, deadline));
	EXPECT_LE(deadline, now_on(variant->clock));
	EXPECT_EQ(0x5a5a5a5a, value);
	EXPECT_EQ(1, chan_len(self->full));
	EXPECT_EQ(0, chan_len(self->empty));
}

TEST_F(deadlines, past_deadline_is_a_try)
{
	int64_t past = now_on(variant->clock) - CHAN_SECOND;
	int value;

	EXPECT_EQ(-ETIMEDOUT, send_at(variant, self->full, 2, past));
	EXPECT_EQ(-ETIMEDOUT, recv_at(variant, self->empty, &value, past));
	EXPECT_EQ(-ETIMEDOUT, recv_at(variant, self->empty, &value, 0));
	EXPECT_EQ(0x5a5a5a5a, value);
	EXPECT_EQ(1, recv_at(variant, self->full, &value, past));
	EXPECT_EQ(1, value);
	EXPECT_EQ(0, send_at(variant, self->empty, 3, 0));
	EXPECT_EQ(1, chan_len(self->empty));
}

struct job {
	const FIXTURE_VARIANT(deadlines) *variant;
	struct chan *c;
	int value;
	int ret;
};

static int recv_forever(void *arg)
{
	struct job *job = arg;

	job->ret = recv_at(job->variant, job->c, &job->value, INT64_MAX);
	return 0;
}

TEST_F(deadlines, last_of_all_deadlines_never_comes)
{
	struct job job = { .variant = variant, .c = self->empty };
	struct task *task = task_start(THREAD, recv_forever, &job);
	int value = 9;

	wait_blocked(self->empty, 0, 1);
	EXPECT_EQ(0, err(chan_send(self->empty, &value)));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(1, job.ret);
	EXPECT_EQ(9, job.value);
}

TEST(now_and_after)
{
	int64_t before = now(), t = chan_now(), after = now(), deadline;

	EXPECT_LE(before, t);
	EXPECT_LE(t, after);
	deadline = chan_after(3 * CHAN_SECOND);
	EXPECT_LE(t + 3 * CHAN_SECOND, deadline);
	EXPECT_GE(chan_now() + 3 * CHAN_SECOND, deadline);
	EXPECT_EQ(INT64_MAX, chan_after(INT64_MAX));
	EXPECT_EQ(INT64_MAX, chan_after(INT64_MAX - 1));
	deadline = chan_after(INT64_MIN);
	EXPECT_LE(t, deadline);
	EXPECT_GE(chan_now(), deadline);
	EXPECT_EQ(CHAN_SECOND, 1000 * CHAN_MILLISECOND);
	EXPECT_EQ(CHAN_MILLISECOND, 1000 * CHAN_MICROSECOND);
}

/* ---- signals ---- */

struct waits {
	struct chan *c;
	int (*wait)(struct chan *c, int *value);
	int value, ret, errnum;
};

static int wait_for_value(void *arg)
{
	struct waits *waits = arg;

	errno = 0;
	waits->ret = waits->wait(waits->c, &waits->value);
	waits->errnum = errno;
	return 0;
}

static int plain_recv(struct chan *c, int *value)
{
	return chan_recv(c, value);
}

static int recv_with_deadline(struct chan *c, int *value)
{
	return chan_recv_until(c, value, chan_after(3600 * CHAN_SECOND));
}

static int plain_send(struct chan *c, int *value)
{
	return chan_send(c, value);
}

TEST(signal_ends_a_wait)
{
	int (*const calls[])(struct chan *, int *) = { plain_recv, recv_with_deadline, plain_send };

	count_signals(0);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		struct chan *c = must_make(sizeof(int), 0);
		struct waits waits = { .c = c, .wait = calls[i], .value = 0x5a5a5a5a };
		struct task *task = task_start(THREAD, wait_for_value, &waits);

		wait_until(waiting(chan_fd(c), 1, 0) || waiting(chan_fd(c), 0, 1));
		task_signal(task, SIGUSR1);
		EXPECT_EQ(0, task_join(task));
		EXPECT_EQ(-1, waits.ret);
		EXPECT_EQ(EINTR, waits.errnum);
		EXPECT_EQ(0x5a5a5a5a, waits.value);
		EXPECT_TRUE(waiting(chan_fd(c), 0, 0));
		chan_drop(c);
	}
}

/* The thread sanitizer keeps signals back while it is in an ioctl. */
#ifndef SAN_thread
static int next(struct chan *c, int *value)
{
	return chan_next(c, value);
}

/* The handler has run and the call waits again: it was not ended by the signal. */
static void signal_then_send(struct __test_metadata *_metadata, int flags,
			     int (*wait)(struct chan *, int *))
{
	struct chan *c = must_make(sizeof(int), 0);
	struct waits waits = { .c = c, .wait = wait };
	struct task *task;
	int value = 11;

	count_signals(flags);
	store(handled, 0);
	task = task_start(THREAD, wait_for_value, &waits);
	wait_blocked(c, 0, 1);
	task_signal(task, SIGUSR1);
	wait_until(load(handled) == 1);
	EXPECT_EQ(0, err(chan_send(c, &value)));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(1, waits.ret);
	EXPECT_EQ(11, waits.value);
	chan_drop(c);
}

TEST(next_goes_on_after_a_signal)
{
	signal_then_send(_metadata, 0, next);
}

TEST(calls_restart_where_the_handler_says_so)
{
	signal_then_send(_metadata, SA_RESTART, plain_recv);
	signal_then_send(_metadata, SA_RESTART, recv_with_deadline);
}
#endif

TEST_HARNESS_MAIN
