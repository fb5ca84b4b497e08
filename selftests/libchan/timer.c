// SPDX-License-Identifier: GPL-2.0-only
/* Timers through libchan. */
#include "kselftest_harness.h"
#include "chan_util.h"

#define HOUR (3600 * CHAN_SECOND)
#define POISONED 0xa5a5a5a5

TEST(one_tick)
{
	int64_t soon = chan_after(3 * CHAN_MILLISECOND);
	struct chan_timer *timer = must_have(chan_timer_make());
	uint64_t ticks = POISONED;

	EXPECT_EQ(-EAGAIN, err(chan_timer_try_wait(timer, &ticks)));
	EXPECT_EQ(0, err(chan_timer_set(timer, soon)));
	EXPECT_EQ(POISONED, ticks);
	EXPECT_EQ(0, err(chan_timer_wait(timer, &ticks)));
	EXPECT_LE(soon, chan_now());
	EXPECT_EQ(1, ticks);
	EXPECT_EQ(-EAGAIN, err(chan_timer_try_wait(timer, NULL)));
	EXPECT_EQ(0, state_of(timer).state);
	chan_timer_drop(timer);
}

TEST(after)
{
	int64_t before = chan_now();
	struct chan_timer *timer = must_have(chan_timer_after(3 * CHAN_MILLISECOND));

	EXPECT_EQ(0, err(chan_timer_wait(timer, NULL)));
	EXPECT_LE(before + 3 * CHAN_MILLISECOND, chan_now());
	chan_timer_drop(timer);
	timer = must_have(chan_timer_after(-HOUR));
	EXPECT_EQ(0, err(chan_timer_try_wait(timer, NULL)));
	chan_timer_drop(timer);
}

/* Whoever is slow hears how many ticks there were, and takes them all at once. */
TEST(every)
{
	int64_t start = chan_now(), most;
	struct chan_timer *timer = must_have(chan_timer_every(CHAN_MILLISECOND));
	uint64_t ticks = 0;

	wait_until(state_of(timer).count >= 3);
	EXPECT_EQ(CHAN_RUNNING, state_of(timer).state);
	EXPECT_EQ(0, err(chan_timer_wait(timer, &ticks)));
	most = (chan_now() - start) / CHAN_MILLISECOND;
	EXPECT_LE(3, ticks);
	EXPECT_GE(most, (int64_t)ticks);
	EXPECT_EQ(0, err(chan_timer_wait(timer, &ticks)));
	chan_timer_drop(timer);
}

TEST(set_and_stop_tell_what_is_lost)
{
	struct chan_timer *timer = must_have(chan_timer_make());

	EXPECT_EQ(0, err(chan_timer_stop(timer)));
	EXPECT_EQ(0, err(chan_timer_set(timer, chan_after(HOUR))));
	EXPECT_EQ(CHAN_RUNNING, state_of(timer).state);
	EXPECT_EQ(1, err(chan_timer_set(timer, chan_after(HOUR))));
	EXPECT_EQ(1, err(chan_timer_stop(timer)));
	EXPECT_EQ(0, state_of(timer).state);
	EXPECT_EQ(0, err(chan_timer_stop(timer)));

	/* A tick that nobody took is forgotten. */
	EXPECT_EQ(0, err(chan_timer_set(timer, 1)));
	EXPECT_EQ(POLLIN, poll_now(chan_timer_fd(timer), POLLIN));
	EXPECT_EQ(1, err(chan_timer_stop(timer)));
	EXPECT_EQ(-EAGAIN, err(chan_timer_try_wait(timer, NULL)));
	EXPECT_EQ(0, err(chan_timer_set(timer, 1)));
	EXPECT_EQ(1, err(chan_timer_set(timer, chan_after(HOUR))));
	EXPECT_EQ(-EAGAIN, err(chan_timer_try_wait(timer, NULL)));
	chan_timer_drop(timer);
}

TEST(on_each_clock)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME };
	struct chan_timer *timer = must_have(chan_timer_make());

	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		int64_t soon = now_on(clocks[i]) + 2 * CHAN_MILLISECOND;
		uint64_t ticks = 0;

		EXPECT_EQ(0, err(chan_timer_set_clock(timer, clocks[i], soon, 0)));
		EXPECT_EQ(0, err(chan_timer_wait(timer, &ticks)));
		EXPECT_EQ(1, ticks);
		EXPECT_LE(soon, now_on(clocks[i]));
	}
	EXPECT_EQ(0, err(chan_timer_set_clock(timer, CLOCK_MONOTONIC, 1, CHAN_MILLISECOND)));
	EXPECT_EQ(CHAN_RUNNING, state_of(timer).state);
	chan_timer_drop(timer);
}

TEST(senseless_times)
{
	struct chan_timer *timer = must_have(chan_timer_after(HOUR));

	EXPECT_EQ(-EINVAL, err(chan_timer_set(timer, -1)));
	EXPECT_EQ(-EINVAL, err(chan_timer_set_clock(timer, CLOCK_TAI, 1, 0)));
	EXPECT_EQ(-EINVAL, err(chan_timer_set_clock(timer, CLOCK_MONOTONIC, 1, -1)));
	EXPECT_EQ(-EINVAL, err(chan_timer_set_clock(timer, CLOCK_REALTIME, -1, 0)));
	EXPECT_EQ(-EINVAL, err_handle(chan_timer_every(0)));
	EXPECT_EQ(-EINVAL, err_handle(chan_timer_every(-1)));
	EXPECT_EQ(CHAN_RUNNING, state_of(timer).state);
	chan_timer_drop(timer);
}

TEST(timer_rights)
{
	struct chan_timer *timer = must_have(chan_timer_make());
	struct chan_timer *sets = must_have(chan_timer_restrict(timer, CHAN_SEND));
	struct chan_timer *waits = must_have(chan_timer_restrict(timer, CHAN_RECV));

	EXPECT_EQ(-EBADF, err(chan_timer_set(waits, 1)));
	EXPECT_EQ(-EBADF, err(chan_timer_stop(waits)));
	EXPECT_EQ(0, err(chan_timer_set(sets, 1)));
	EXPECT_EQ(-EBADF, err(chan_timer_wait(sets, NULL)));
	EXPECT_EQ(0, err(chan_timer_wait(waits, NULL)));
	chan_timer_drop(timer);
	chan_timer_drop(sets);
	chan_timer_drop(waits);
}

TEST_HARNESS_MAIN
