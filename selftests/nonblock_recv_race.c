// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestNonblockRecvRace.  The race: two receive what is left, one of them
 * with a try, while the channel closes.  At every instant it holds the message
 * or is closed, so the try must never say "would block".
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { ROUNDS = FEWER(1000) };

TASK_FIXTURE(nonblock_recv_race);

struct race {
	int rounds;	/* a channel of the numbers of rounds */
	int done;	/* a channel of what the try got in each */
	int channels[ROUNDS];
};

static int try_each_round(void *arg)
{
	struct race *r = arg;
	__u64 round, v;

	while (recv64(r->rounds, &round) == 1) {
		int ret = try_recv64(r->channels[round], &v);

		CHECK(ret == 1 || ret == 0);
		CHECK(v == (ret ? round + 1 : 0));
		CHECK(send64(r->done, ret) == 0);
	}
	return 0;
}

TEST_F(nonblock_recv_race, never_would_block)
{
	struct race *r = shared_alloc(sizeof(*r));
	struct task *t;
	__u64 v, tried;

	allow_fds(ROUNDS + 100);
	r->rounds = make_chan(8, 0);
	r->done = make_chan(8, 1);
	for (int i = 0; i < ROUNDS; i++) {
		r->channels[i] = make_chan(8, 1);
		ASSERT_EQ(0, send64(r->channels[i], i + 1));
	}
	t = task_start(variant->kind, try_each_round, r);
	for (int i = 0; i < ROUNDS; i++) {
		int got;

		ASSERT_EQ(0, send64(r->rounds, i));
		ASSERT_EQ(0, chan_close(r->channels[i]));
		got = recv64(r->channels[i], &v);
		ASSERT_EQ(1, recv64(r->done, &tried));
		ASSERT_EQ(1, got + tried);
	}
	ASSERT_EQ(0, chan_close(r->rounds));
	EXPECT_EQ(0, task_join(t));
}

TEST_HARNESS_MAIN
