// SPDX-License-Identifier: GPL-2.0-only
/*
 * OnceRace: many come to many onces at the same moment.  The race: the doer says
 * that it is done while others look, or go to sleep.  Each is done exactly once,
 * and whoever returns sees all that its doer wrote, also where doers die.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { TASKS = 4, ROUNDS = FEWER(200) };

TASK_FIXTURE(once_race);

struct thing {
	int once;
	__u64 a __attribute__((aligned(64)));	/* plain */
	__u64 b __attribute__((aligned(64)));
	int done;
};

struct race {
	struct thing things[ROUNDS];
	int doers_die;
	int next;
};

static int make_the_thing(struct thing *t, int round, bool die)
{
	int ret = kchan_lock(t->once);

	if (ret == 1)
		return 0;
	CHECK(ret == 0 || ret == -EOWNERDEAD);
	t->a = round;
	if (die)
		raise(SIGKILL);
	t->b = ~round;
	t->done++;
	CHECK(kchan_done(t->once, 0) == 0);
	return 0;
}

static int race_through(void *arg)
{
	struct race *r = arg;
	int me = count_up(&r->next);

	for (int i = 0; i < ROUNDS; i++) {
		struct thing *t = &r->things[i];

		CHECK(make_the_thing(t, i, r->doers_die && i == me * 40) == 0);
		CHECK(t->a == i && t->b == ~(__u64)i && t->done == 1);
	}
	return 0;
}

static struct race *new_race(void)
{
	struct race *r = shared_alloc(sizeof(*r));

	for (int i = 0; i < ROUNDS; i++)
		r->things[i].once = make_object(KCHAN_KIND_ONCE, 0);
	return r;
}

TEST_F(once_race, done_once_and_seen_by_all)
{
	struct race *r = new_race();
	struct task *tasks[TASKS];

	for (int i = 0; i < TASKS; i++)
		tasks[i] = task_start(variant->kind, race_through, r);
	for (int i = 0; i < TASKS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	for (int i = 0; i < ROUNDS; i++) {
		EXPECT_EQ(KCHAN_STATE_DONE, chan_stat(r->things[i].once).state);
	}
}

/* The first dies for sure, alone with the first thing; the others in a race. */
TEST(doers_die)
{
	struct race *r = new_race();
	struct task *tasks[TASKS];

	r->doers_die = 1;
	EXPECT_EQ(KILLED(SIGKILL), task_join(task_start(PROCESS, race_through, r)));
	for (int i = 1; i < TASKS; i++)
		tasks[i] = task_start(PROCESS, race_through, r);
	for (int i = 1; i < TASKS; i++) {
		int result = task_join(tasks[i]);

		EXPECT_EQ(true, result == 0 || result == KILLED(SIGKILL));
	}
	r->doers_die = 0;
	EXPECT_EQ(0, task_join(task_start(PROCESS, race_through, r)));
}

TEST_HARNESS_MAIN
