// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestSelectFairness: of two channels that always have something and two
 * that never do, the two are chosen about equally often.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum {
	TRIALS = 4096,
	/*
	 * The count of one of two equal choices is off its mean by more than
	 * 4.89 * sqrt(TRIALS) / 2 once in a million runs.
	 */
	MAY_BE_OFF = 156,
};

TASK_FIXTURE(select_fairness);

struct source {
	int always[2];
	int never[2];
	int out;
	int done;
};

static int pass_on(void *arg)
{
	struct source *s = arg;
	__u64 v, over;

	for (;;) {
		struct chosen c = select_of(on_recv64(s->never[0], &v), on_recv64(s->never[1], &v),
					    on_recv64(s->always[0], &v),
					    on_recv64(s->always[1], &v));

		CHECK(c.outcome == 1);
		CHECK(c.index == 2 || c.index == 3);
		CHECK(v == (__u64)c.index - 2);
		c = select_of(on_send64(s->out, &v), on_recv64(s->done, &over));
		if (c.index == 1)
			return c.outcome;
		CHECK(chose(c, 0, 0));
	}
}

TEST_F(select_fairness, two_of_four)
{
	struct source *s = shared_alloc(sizeof(*s));
	int counts[2] = { 0 };
	struct task *t;
	__u64 v;

	for (__u64 i = 0; i < 2; i++) {
		s->always[i] = make_chan(8, TRIALS + 1);
		for (int n = 0; n < TRIALS + 1; n++)
			must(!send64(s->always[i], i));
		s->never[i] = make_chan(8, 0);
	}
	s->out = make_chan(8, 0);
	s->done = make_chan(8, 0);
	t = task_start(variant->kind, pass_on, s);
	for (int i = 0; i < TRIALS; i++) {
		ASSERT_EQ(1, recv64(s->out, &v));
		ASSERT_GT(2, v);
		counts[v]++;
	}
	ASSERT_EQ(0, chan_close(s->done));
	EXPECT_EQ(0, task_join(t));
	TH_LOG("%d and %d", counts[0], counts[1]);
	EXPECT_GE(MAY_BE_OFF, abs(counts[0] - TRIALS / 2));
}

TEST_HARNESS_MAIN
