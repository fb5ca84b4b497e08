// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestWaitGroupRace.  The race: the last worker counts down while the
 * waiter goes to sleep.  It must see both workers' work, and never come early.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

FIXTURE(wait_group_race) { int unused; };

FIXTURE_VARIANT(wait_group_race) {
	enum task_kind kind;
	int rounds;
};

FIXTURE_VARIANT_ADD(wait_group_race, threads) { THREAD, 500 };
FIXTURE_VARIANT_ADD(wait_group_race, processes) { PROCESS, 150 };
FIXTURE_SETUP(wait_group_race) { }
FIXTURE_TEARDOWN(wait_group_race) { }

struct work {
	int group;
	int n;
};

static int count_and_be_done(void *arg)
{
	struct work *w = arg;

	count_up(&w->n);
	return kchan_done(w->group, 1);
}

TEST_F(wait_group_race, two_workers)
{
	struct work *w = shared_alloc(sizeof(*w));

	for (int i = 0; i < variant->rounds; i++) {
		struct task *tasks[2];

		*w = (struct work){ .group = make_object(KCHAN_KIND_WAITGROUP, 0) };
		for (int k = 0; k < 2; k++) {
			ASSERT_EQ(0, kchan_add(w->group, 1));
			tasks[k] = task_start(variant->kind, count_and_be_done, w);
		}
		ASSERT_EQ(0, kchan_zero(w->group, NULL));
		ASSERT_EQ(2, load(&w->n));
		for (int k = 0; k < 2; k++) {
			ASSERT_EQ(0, task_join(tasks[k]));
		}
		close(w->group);
	}
}

struct generations {
	int group;
	int go, back;	/* channels: a round begins, a waiter has returned */
	int round;
};

enum { WAITERS = 3, ROUNDS = FEWER(300) };

static int wait_each_round(void *arg)
{
	struct generations *g = arg;
	__u64 round;

	for (;;) {
		if (recv64(g->go, &round) == 0)
			return 0;
		CHECK(kchan_zero(g->group, NULL) == 0);
		/* Its own round is over, or a later one. */
		CHECK(load(&g->round) > round);
		CHECK(send64(g->back, round) == 0);
	}
}

static void expect_back(struct __test_metadata *_metadata, struct generations *g)
{
	__u64 v;

	for (int i = 0; i < WAITERS; i++) {
		ASSERT_EQ(1, recv64(g->back, &v));
	}
}

/*
 * The race: the next generation begins while waiters of the last go to sleep, or
 * wake.  Only when it is over must they all have come back.
 */
TEST_F(wait_group_race, used_again_while_waiters_come_and_go)
{
	struct generations *g = shared_alloc(sizeof(*g));
	struct task *tasks[WAITERS];

	g->group = make_object(KCHAN_KIND_WAITGROUP, 0);
	g->go = make_chan(8, 2 * WAITERS);
	g->back = make_chan(8, 2 * WAITERS);
	for (int i = 0; i < WAITERS; i++)
		tasks[i] = task_start(variant->kind, wait_each_round, g);
	for (int round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, kchan_add(g->group, 1));
		for (int i = 0; i < WAITERS; i++) {
			ASSERT_EQ(0, send64(g->go, round));
		}
		for (int i = round % 50 * 20; i; i--)
			__asm__ volatile("");
		store(&g->round, round + 1);
		ASSERT_EQ(0, kchan_done(g->group, 1));
		if (round)
			expect_back(_metadata, g);
	}
	expect_back(_metadata, g);
	ASSERT_EQ(0, chan_close(g->go));
	for (int i = 0; i < WAITERS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
}

TEST_HARNESS_MAIN
