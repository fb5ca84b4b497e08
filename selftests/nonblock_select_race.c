// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestNonblockSelectRace and TestNonblockSelectRace2.  The race: a select
 * with a default looks at two channels while another task makes the second one
 * ready and only then empties the first.  At every instant one of them is ready,
 * so a select that judges one instant never takes its default.
 *
 * One that looks at one channel after the other can fail only if it looks at the
 * second before it is ready and at the first after it was emptied: many idle
 * cases in between give it the time, and the change comes at any moment of the scan.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum { ROUNDS = FEWER(250), MOST_CASES = 200 };

/* How the second channel becomes ready, and how the select does without waiting. */
enum how { BY_SEND, BY_CLOSE };

FIXTURE(nonblock_select_race) { int unused; };

FIXTURE_VARIANT(nonblock_select_race) {
	enum task_kind kind;
	enum how how;
	__u32 nr;
	__u32 flags;
	__s64 deadline;
};

#define WITH_DEFAULT KCHAN_NONBLOCK, 0
#define PAST_DEADLINE KCHAN_DEADLINE, 1

FIXTURE_VARIANT_ADD(nonblock_select_race, threads) { THREAD, BY_SEND, 2, WITH_DEFAULT };
FIXTURE_VARIANT_ADD(nonblock_select_race, processes) { PROCESS, BY_SEND, 2, WITH_DEFAULT };
FIXTURE_VARIANT_ADD(nonblock_select_race, many_threads) {
	THREAD, BY_SEND, MOST_CASES, WITH_DEFAULT,
};
FIXTURE_VARIANT_ADD(nonblock_select_race, many_processes) {
	PROCESS, BY_SEND, MOST_CASES, WITH_DEFAULT,
};
FIXTURE_VARIANT_ADD(nonblock_select_race, past_threads) {
	THREAD, BY_SEND, MOST_CASES, PAST_DEADLINE,
};
FIXTURE_VARIANT_ADD(nonblock_select_race, past_processes) {
	PROCESS, BY_SEND, MOST_CASES, PAST_DEADLINE,
};
FIXTURE_VARIANT_ADD(nonblock_select_race, close_threads) { THREAD, BY_CLOSE, 2, WITH_DEFAULT };
FIXTURE_VARIANT_ADD(nonblock_select_race, close_processes) { PROCESS, BY_CLOSE, 2, WITH_DEFAULT };
FIXTURE_VARIANT_ADD(nonblock_select_race, close_many_threads) {
	THREAD, BY_CLOSE, MOST_CASES, WITH_DEFAULT,
};
FIXTURE_VARIANT_ADD(nonblock_select_race, close_many_processes) {
	PROCESS, BY_CLOSE, MOST_CASES, WITH_DEFAULT,
};

FIXTURE_SETUP(nonblock_select_race)
{
	allow_fds(2 * ROUNDS + 100);
}

FIXTURE_TEARDOWN(nonblock_select_race) { }

struct race {
	__u32 nr;
	__u32 flags;
	__s64 deadline;
	int idle;
	int arrivals;
	__s64 duration;	/* of a select, about */
	int emptied;	/* rounds in which the first was emptied before it was chosen */
	int first[ROUNDS];
	int second[ROUNDS];
	struct chosen chosen[ROUNDS];
};

/* The best of some, so that nobody else's work is in it. */
static __s64 duration_of(const struct kchan_case *cases, __u32 nr)
{
	__s64 best = LLONG_MAX;

	for (int i = 0; i < 20; i++) {
		__s64 start = now(), time;

		must(kchan_select(cases, nr, KCHAN_NONBLOCK, 0).index == -EAGAIN);
		time = now() - start;
		if (time < best)
			best = time;
	}
	return best;
}

/* The second channel first, in the scan's order, and the first one last. */
static int select_each_round(void *arg)
{
	struct race *r = arg;
	struct kchan_case cases[MOST_CASES];
	__u64 v;

	for (__u32 i = 0; i < r->nr; i++)
		cases[i] = on_recv64(r->idle, &v);
	store(&r->duration, duration_of(cases, r->nr));
	for (int round = 0; round < ROUNDS; round++) {
		cases[0] = on_recv64(r->second[round], &v);
		cases[r->nr - 1] = on_recv64(r->first[round], &v);
		meet(&r->arrivals, round);
		r->chosen[round] = kchan_select(cases, r->nr,
						r->flags | (round % 2 ? KCHAN_IN_ORDER : 0),
						r->deadline);
	}
	return 0;
}

static void make_race(struct race *r, enum how how)
{
	r->idle = make_chan(8, 0);
	for (int i = 0; i < ROUNDS; i++) {
		r->first[i] = make_chan(8, 1);
		r->second[i] = make_chan(8, how == BY_SEND);
		must(!send64(r->first[i], 1));
	}
}

static void swap_what_is_ready(struct race *r, int round, enum how how)
{
	__u64 v;

	if (how == BY_SEND)
		must(!send64(r->second[round], 2));
	else
		must(!chan_close(r->second[round]));
	r->emptied += try_recv64(r->first[round], &v) == 1;
}

TEST_F(nonblock_select_race, never_takes_the_default)
{
	struct race *r = shared_alloc(sizeof(*r));
	unsigned int seed = 2;
	struct task *t;

	r->nr = variant->nr;
	r->flags = variant->flags;
	r->deadline = variant->deadline;
	make_race(r, variant->how);
	t = task_start(variant->kind, select_each_round, r);
	for (int round = 0; round < ROUNDS; round++) {
		meet(&r->arrivals, round);
		dawdle_ns(&seed, load(&r->duration));
		swap_what_is_ready(r, round, variant->how);
	}
	EXPECT_EQ(0, task_join(t));
	for (int round = 0; round < ROUNDS; round++) {
		ASSERT_LE(0, r->chosen[round].index)
			TH_LOG("round %d: errno %d", round, -r->chosen[round].index);
	}
	TH_LOG("emptied first in %d rounds of %d", r->emptied, ROUNDS);
}

TEST_HARNESS_MAIN
