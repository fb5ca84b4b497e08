// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestReset: a timer that is set anew ticks at its new time, and not at the
 * old one; and setting it tells whether it was running.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

/* False if the machine was too slow to see anything; what it saw must be right. */
static bool reset_in_time(struct __test_metadata *_metadata, __s64 d)
{
	int fd = make_object(KCHAN_KIND_TIMER, 0), ret;
	__s64 start = now(), again;

	EXPECT_EQ(0, set_timer(fd, KCHAN_DEADLINE, start + 2 * d, 0));
	ret = op_until(fd, KCHAN_OP_TICK, 0, start + d);
	if (now() >= start + 2 * d)
		return false;
	EXPECT_EQ(-ETIMEDOUT, ret);
	again = now();
	/* Ticked or not by now, nobody took it: it was still good for something. */
	EXPECT_EQ(1, set_timer(fd, KCHAN_DEADLINE, again + 3 * d, 0));
	/* Beyond its old time, and before its new one. */
	ret = op_until(fd, KCHAN_OP_TICK, 0, again + 2 * d);
	if (now() >= again + 3 * d)
		return false;
	EXPECT_EQ(-ETIMEDOUT, ret);
	EXPECT_EQ(0, wait_op(fd, KCHAN_OP_TICK, 0));
	EXPECT_LE(again + 3 * d, now());
	EXPECT_EQ(0, set_timer(fd, KCHAN_DEADLINE, in_ms(50), 0));
	close(fd);
	return true;
}

TEST(reset)
{
	static const int tries[] = { 1, 3, 7, 15, 40 };
	size_t i = 0;

	while (i < ARRAY_LEN(tries) && !reset_in_time(_metadata, tries[i] * 25 * NSEC_PER_MSEC))
		i++;
	EXPECT_GT(ARRAY_LEN(tries), i);
}

/* From one kind to the other, and to another clock, while it runs. */
TEST(reset_to_another_kind)
{
	int fd = make_object(KCHAN_KIND_TIMER, 0);
	const __s64 hour = 3600 * NSEC_PER_SEC;
	__u64 ticks;

	EXPECT_EQ(0, set_timer(fd, KCHAN_DEADLINE, now() + hour, hour));
	EXPECT_EQ(1, set_timer(fd, KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME,
			       now_on(CLOCK_REALTIME) + hour, 0));
	EXPECT_EQ(1, set_timer(fd, KCHAN_DEADLINE | KCHAN_CLOCK_BOOTTIME,
			       now_on(CLOCK_BOOTTIME) + 5 * NSEC_PER_MSEC, 0));
	EXPECT_EQ(0, kchan_wait_op(fd, KCHAN_OP_TICK, 0, 0, 0, 0, &ticks));
	EXPECT_EQ(1, ticks);
	EXPECT_EQ(0, set_timer(fd, KCHAN_DEADLINE, now() + NSEC_PER_MSEC, NSEC_PER_MSEC));
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(0, kchan_wait_op(fd, KCHAN_OP_TICK, 0, 0, 0, 0, &ticks));
	}
	EXPECT_EQ(1, set_timer(fd, 0, 0, 0));
	EXPECT_EQ(-EAGAIN, try_op(fd, KCHAN_OP_TICK, 0));
}

TEST_HARNESS_MAIN
