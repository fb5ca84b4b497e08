// SPDX-License-Identifier: GPL-2.0-only
/* libchan from C++; the C++ half is in cplusplus_half.cc. */
#include "kselftest_harness.h"
#include "chan_util.h"

int cpp_sum_by_threads(int senders, int each);
int cpp_sum_by_process(int each);
int cpp_once_with_exception(void);
int cpp_mutex_and_select(int threads, int each);

TEST(threads)
{
	/* Each of 4 sends 1..100. */
	EXPECT_EQ(4 * 5050, cpp_sum_by_threads(4, 100));
}

TEST(processes)
{
	EXPECT_EQ(5050, cpp_sum_by_process(100));
}

TEST(exception_leaves_it_to_the_next)
{
	/* Two calls, one of which threw. */
	EXPECT_EQ(21, cpp_once_with_exception());
}

TEST(mutex_and_select)
{
	EXPECT_EQ(4 * 100, cpp_mutex_and_select(4, 100));
}

TEST_HARNESS_MAIN
