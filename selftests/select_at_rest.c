// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nobody is left asleep beside somebody it could meet.  The race: several tasks
 * select at random among sends and receives on three rendezvous channels, finding
 * and being found at the same time.  Whenever all of them sleep, no two may stand
 * at opposite ends of one channel: a wake-up would have been lost.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum {
	CHANS = 3,
	PLAYERS = 5,
	MOVES = 600,
	VALUES = PLAYERS * MOVES,
	KICKS = VALUES,		/* values of the test's own */
};

TASK_FIXTURE(select_at_rest);

struct player {
	struct game *game;
	int sends, receives;	/* sets of channels it offers to */
	int moves;		/* selects that have returned */
	int over;
};

struct game {
	int c[CHANS];
	int end;
	struct player players[PLAYERS];
	int sent[VALUES + KICKS];
	int received[VALUES + KICKS];
};

/* Both ends of any channels, at least one. */
static void choose_sets(struct player *p, unsigned int *seed)
{
	int sets;

	do {
		sets = rand_r(seed) >> 4 & 0x3f;
	} while (!sets);
	store(&p->sends, sets & 7);
	store(&p->receives, sets >> 3);
}

static int move(struct game *g, int sends, int receives, __u64 value, __u32 flags)
{
	struct kchan_case cases[2 * CHANS];
	__u64 got = POISON;
	struct chosen c;

	for (int i = 0; i < CHANS; i++) {
		cases[2 * i] = on_send64(sends & 1 << i ? g->c[i] : NO_CHAN, &value);
		cases[2 * i + 1] = on_recv64(receives & 1 << i ? g->c[i] : NO_CHAN, &got);
	}
	c = kchan_select(cases, 2 * CHANS, flags, 0);
	CHECK(c.index >= 0 && c.index < 2 * CHANS);
	CHECK(c.outcome == c.index % 2);
	if (c.index % 2 == 0) {
		CHECK(got == POISON);
		store(&g->sent[value], 1);
		return 0;
	}
	CHECK(got < VALUES + KICKS);
	CHECK(got != value);
	count_up(&g->received[got]);
	return 0;
}

static int play(void *arg)
{
	struct player *p = arg;
	struct game *g = p->game;
	int me = p - g->players, ret = 0;
	unsigned int seed = me + 1;

	for (int i = 0; i < MOVES && !ret; i++) {
		choose_sets(p, &seed);
		ret = move(g, p->sends, p->receives, me * MOVES + i, i % 2 ? KCHAN_IN_ORDER : 0);
		store(&p->moves, i + 1);
	}
	store(&p->over, 1);
	/* Stay, for the test to look at. */
	while (!load(&g->end))
		usleep(1000);
	return ret;
}

static int moves_made(struct game *g)
{
	int n = 0;

	for (int i = 0; i < PLAYERS; i++)
		n += load(&g->players[i].moves);
	return n;
}

static int players_left(struct game *g)
{
	int n = 0;

	for (int i = 0; i < PLAYERS; i++)
		n += !load(&g->players[i].over);
	return n;
}

/*
 * All sleep in their selects.  Who wakes others is one of them, and does so before
 * it sleeps itself: so nobody will wake any more.
 */
static bool at_rest(struct game *g, struct task **tasks)
{
	int before = moves_made(g);

	for (int i = 0; i < PLAYERS; i++) {
		if (!load(&tasks[i]->tid) || !(load(&g->players[i].over) || is_parked(tasks[i])))
			return false;
	}
	return moves_made(g) == before;
}

/* No channel is offered to by one and received from by another. */
static bool nobody_could_meet(struct game *g)
{
	for (int i = 0; i < PLAYERS; i++) {
		for (int j = 0; j < PLAYERS; j++) {
			const struct player *a = &g->players[i], *b = &g->players[j];

			if (i != j && !load(&a->over) && !load(&b->over) &&
			    load(&a->sends) & load(&b->receives))
				return false;
		}
	}
	return true;
}

/* One who was counted may be on its way to say so: it gets the time to. */
static void wait_for_rest(struct game *g, struct task **tasks)
{
	wait_until(!players_left(g) || (at_rest(g, tasks) && nobody_could_meet(g)));
}

TEST_F(select_at_rest, nobody_sleeps_beside_a_peer)
{
	struct game *g = shared_alloc(sizeof(*g));
	struct task *tasks[PLAYERS];
	int kicks = 0;

	for (int i = 0; i < CHANS; i++)
		g->c[i] = make_chan(8, 0);
	for (int i = 0; i < PLAYERS; i++) {
		g->players[i].game = g;
		tasks[i] = task_start(variant->kind, play, &g->players[i]);
	}
	for (;;) {
		wait_for_rest(g, tasks);
		if (!players_left(g))
			break;
		/* All are stuck: whatever they stand at, it is ready for us. */
		ASSERT_GT(KICKS, kicks);
		ASSERT_EQ(0, move(g, 7, 7, VALUES + kicks++, KCHAN_NONBLOCK));
	}
	store(&g->end, 1);
	for (int i = 0; i < PLAYERS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	TH_LOG("%d moves, at rest %d times", moves_made(g), kicks);
	for (int i = 0; i < VALUES + KICKS; i++) {
		ASSERT_EQ(g->sent[i], g->received[i])
			TH_LOG("value %d", i);
	}
	for (int i = 0; i < CHANS; i++) {
		EXPECT_EQ(true, waiting(g->c[i], 0, 0));
	}
}

TEST_HARNESS_MAIN
