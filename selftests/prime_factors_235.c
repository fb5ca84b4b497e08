// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's 235: every number whose only prime factors are 2, 3 and 5, in order,
 * by three multipliers that feed the results back.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { RESULTS = 100 };

static const int factors[] = { 2, 3, 5 };

TASK_FIXTURE(hamming);

struct multiplier {
	int factor, in, out;
};

static int multiply(void *arg)
{
	struct multiplier *m = arg;
	__u64 v;
	int got;

	while ((got = recv64(m->in, &v)) == 1) {
		if (send64(m->out, v * m->factor) == -EPIPE)
			return 0;
	}
	return got;
}

static bool only_235(__u64 n)
{
	for (size_t i = 0; i < ARRAY_LEN(factors); i++)
		while (n % factors[i] == 0)
			n /= factors[i];
	return n == 1;
}

TEST_F(hamming, in_order)
{
	struct multiplier *m = shared_alloc(3 * sizeof(*m));
	struct task *tasks[3];
	__u64 heads[3], x = 1, expected = 1;

	for (int i = 0; i < 3; i++) {
		m[i].factor = factors[i];
		m[i].in = make_chan(8, RESULTS);
		m[i].out = make_chan(8, RESULTS);
		tasks[i] = task_start(variant->kind, multiply, &m[i]);
		ASSERT_EQ(0, send64(m[i].in, 1));
	}
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(1, recv64(m[i].out, &heads[i]));
	}

	for (int n = 0; n < RESULTS; n++) {
		while (!only_235(expected))
			expected++;
		ASSERT_EQ(expected, x);
		expected++;

		x = heads[0];
		for (int i = 1; i < 3; i++)
			x = heads[i] < x ? heads[i] : x;
		for (int i = 0; i < 3; i++) {
			ASSERT_EQ(0, send64(m[i].in, x));
			if (heads[i] == x) {
				ASSERT_EQ(1, recv64(m[i].out, &heads[i]));
			}
		}
	}
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, chan_close(m[i].in));
		ASSERT_EQ(0, chan_close(m[i].out));
		EXPECT_EQ(0, task_join(tasks[i]));
	}
}

TEST_HARNESS_MAIN
