// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestTicker: so many ticks of one period, then as many of twice that, take
 * as long as they should; and none comes once it is stopped.  Never too early is
 * a promise; never too late depends on the machine, and gets a second chance with
 * a longer period.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

/* Takes until there were @count ticks since @start, none of them early. */
static int take_ticks(int fd, __u64 count, __s64 start, __s64 period)
{
	__u64 ticks;

	for (__u64 n = 0; n < count; n += ticks) {
		CHECK(kchan_wait_op(fd, KCHAN_OP_TICK, 0, 0, 0, 0, &ticks) == 0);
		CHECK(ticks >= 1);
		CHECK(now() >= start + (__s64)(n + ticks) * period);
	}
	return 0;
}

/* How long it took, or 0 where something was wrong. */
static __s64 run(struct __test_metadata *_metadata, int fd, int count, __s64 period)
{
	__s64 start = now(), middle;

	EXPECT_EQ(0, set_timer(fd, KCHAN_DEADLINE, start + period, period));
	EXPECT_EQ(0, take_ticks(fd, count / 2, start, period));
	middle = now();
	EXPECT_EQ(1, set_timer(fd, KCHAN_DEADLINE, middle + 2 * period, 2 * period));
	EXPECT_EQ(0, take_ticks(fd, count / 2, middle, 2 * period));
	EXPECT_EQ(1, set_timer(fd, 0, 0, 0));
	return now() - start;
}

TEST(ticker)
{
	static const struct {
		int count;
		__s64 period;
	} tries[] = { { 10, 20 * NSEC_PER_MSEC }, { 8, 500 * NSEC_PER_MSEC } };
	int fd = make_object(KCHAN_KIND_TIMER, 0);

	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		__s64 target = 3 * tries[i].period * (tries[i].count / 2);
		__s64 took = run(_metadata, fd, tries[i].count, tries[i].period);

		EXPECT_EQ(-ETIMEDOUT, op_until(fd, KCHAN_OP_TICK, 0, now() + 2 * tries[i].period));
		/* Those that came late came together, so only the last can be late. */
		if (took <= target + target * 3 / 10)
			return;
		TH_LOG("took %lld ns instead of %lld", took, target);
	}
	EXPECT_EQ(true, false);
}

TEST_HARNESS_MAIN
