// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many threads on the same handles at once.  Also built with the address and
 * with the thread sanitizer, together with libchan's own sources.
 */
#include "kselftest_harness.h"
#include "chan_util.h"

#define TEAM 4
#define EACH 500

struct element {
	uint32_t sender, number;
};

struct crowd {
	struct chan *c;
	uint32_t sender;
	uint32_t received;
	uint8_t seen[TEAM][EACH];
};

static int send_numbers(void *arg)
{
	struct crowd *me = arg;
	struct element e = { .sender = me->sender };

	for (; e.number < EACH; e.number++)
		CHECK(!chan_send(me->c, &e));
	return 0;
}

/* Each sender's numbers come in order, though other receivers take some. */
static int recv_numbers(void *arg)
{
	uint32_t next[TEAM] = { 0 };
	struct crowd *me = arg;
	struct element e;

	chan_range(me->c, &e) {
		CHECK(e.sender < TEAM && e.number < EACH);
		CHECK(e.number >= next[e.sender]);
		next[e.sender] = e.number + 1;
		me->seen[e.sender][e.number]++;
		me->received++;
	}
	CHECK(errno == 0);
	return 0;
}

/* Everything arrived exactly once, whoever took it. */
static bool each_once(const struct crowd *receivers)
{
	for (int s = 0; s < TEAM; s++) {
		for (int n = 0; n < EACH; n++) {
			int times = 0;

			for (int r = 0; r < TEAM; r++)
				times += receivers[r].seen[s][n];
			if (times != 1)
				return false;
		}
	}
	return true;
}

FIXTURE(crowd)
{
	int unused;
};

FIXTURE_VARIANT(crowd)
{
	size_t capacity;
};

FIXTURE_VARIANT_ADD(crowd, rendezvous) { .capacity = 0 };
FIXTURE_VARIANT_ADD(crowd, one) { .capacity = 1 };
FIXTURE_VARIANT_ADD(crowd, many) { .capacity = 64 };

FIXTURE_SETUP(crowd)
{
}

FIXTURE_TEARDOWN(crowd)
{
}

TEST_F(crowd, each_element_once_and_in_order)
{
	static struct crowd senders[TEAM], receivers[TEAM];
	struct task *send_tasks[TEAM], *recv_tasks[TEAM];
	struct chan *c = must_make(sizeof(struct element), variant->capacity);
	int i;

	for (i = 0; i < TEAM; i++) {
		senders[i] = (struct crowd){ .c = c, .sender = i };
		receivers[i] = (struct crowd){ .c = c };
		recv_tasks[i] = task_start(THREAD, recv_numbers, &receivers[i]);
		send_tasks[i] = task_start(THREAD, send_numbers, &senders[i]);
	}
	for (i = 0; i < TEAM; i++)
		EXPECT_EQ(0, task_join(send_tasks[i]));
	EXPECT_EQ(0, err(chan_close(c)));
	for (i = 0; i < TEAM; i++)
		EXPECT_EQ(0, task_join(recv_tasks[i]));
	EXPECT_TRUE(each_once(receivers));
	EXPECT_EQ(0, chan_len(c));
	chan_drop(c);
}

#ifndef SAN_thread
/*
 * A send happens before its receive is done: plain memory written before the
 * one may be read after the other.  The thread sanitizer cannot know that.
 */
struct baton {
	struct chan *there, *back;
	int *plain;
};

static int increment(void *arg)
{
	struct baton *baton = arg;

	for (int i = 0; i < EACH; i++) {
		CHECK(chan_recv(baton->there, NULL) == 1);
		++*baton->plain;
		CHECK(!chan_send(baton->back, NULL));
	}
	return 0;
}

TEST(send_happens_before_receive)
{
	int plain = 0;
	struct baton baton = { must_make(0, 1), must_make(0, 1), &plain };
	struct task *task = task_start(THREAD, increment, &baton);

	for (int i = 0; i < EACH; i++) {
		ASSERT_EQ(2 * i, plain);
		plain++;
		ASSERT_EQ(0, err(chan_send(baton.there, NULL)));
		ASSERT_EQ(1, err(chan_recv(baton.back, NULL)));
	}
	EXPECT_EQ(0, task_join(task));
	chan_drop(baton.there);
	chan_drop(baton.back);
}
#endif

/* Every call at once on one handle: none may disturb another. */
static int ask(void *arg)
{
	struct chan *c = arg;
	struct chan_stat stat;

	for (int i = 0; i < EACH; i++) {
		struct chan *r = chan_restrict(c, CHAN_RECV);

		CHECK(r && chan_cap(r) == 8 && chan_elem_size(r) == sizeof(int));
		CHECK(!chan_stat(r, &stat) && stat.rights == CHAN_RECV);
		CHECK(chan_len(c) >= 0 && chan_len(c) <= 8);
		CHECK(chan_fd(c) >= 0);
		CHECK(strlen(chan_strerror(i % 140)) > 0);
		chan_drop(r);
	}
	return 0;
}

static int send_and_take(void *arg)
{
	struct chan *c = arg;
	int value = 1;

	for (int i = 0; i < EACH; i++) {
		CHECK(!chan_send(c, &value));
		CHECK(chan_recv(c, &value) == 1);
	}
	return 0;
}

TEST(every_call_at_once)
{
	struct chan *c = must_make(sizeof(int), 8);
	struct task *tasks[2 * TEAM];
	int i;

	for (i = 0; i < 2 * TEAM; i++)
		tasks[i] = task_start(THREAD, i % 2 ? ask : send_and_take, c);
	for (i = 0; i < 2 * TEAM; i++)
		EXPECT_EQ(0, task_join(tasks[i]));
	EXPECT_EQ(0, chan_len(c));
	EXPECT_TRUE(waiting(chan_fd(c), 0, 0));
	chan_drop(c);
}

/* Handles made and dropped by many threads, while channels come and go. */
static int make_and_drop(void *arg)
{
	(void)arg;
	for (int i = 0; i < EACH / 10; i++) {
		struct chan *c = chan_make(16, 4), *r;

		CHECK(c);
		r = chan_from_fd(dup(chan_fd(c)));
		CHECK(r);
		chan_drop(c);
		c = chan_from_fd(chan_into_fd(r));
		CHECK(c && chan_cap(c) == 4);
		chan_drop(c);
	}
	return 0;
}

TEST(handles_come_and_go)
{
	struct task *tasks[TEAM];
	int i;

	for (i = 0; i < TEAM; i++)
		tasks[i] = task_start(THREAD, make_and_drop, NULL);
	for (i = 0; i < TEAM; i++)
		EXPECT_EQ(0, task_join(tasks[i]));
}

/* ---- select: senders and receivers of two channels, whichever is ready ---- */

struct pair {
	struct chan *c[2];
	struct crowd crowd;
};

static int send_by_select(void *arg)
{
	struct pair *me = arg;
	struct element e = { .sender = me->crowd.sender };

	for (; e.number < EACH; e.number++) {
		struct chan_case cases[] = {
			chan_on_send(me->c[0], &e), chan_on_send(me->c[1], &e),
		};
		int i = chan_select(cases, 2);

		CHECK(i >= 0 && !cases[i].result);
	}
	return 0;
}

/* A channel at its end is a NULL handle from then on, and never ready again. */
static int recv_by_select(void *arg)
{
	struct pair *me = arg;
	struct chan *a = me->c[0], *b = me->c[1];
	struct element e[2];

	while (a || b) {
		struct chan_case cases[] = { chan_on_recv(a, &e[0]), chan_on_recv(b, &e[1]) };
		int i = chan_select(cases, 2);

		CHECK(i >= 0 && cases[i].result >= 0);
		if (cases[i].result)
			me->crowd.seen[e[i].sender][e[i].number]++;
		else
			*(i ? &b : &a) = NULL;
	}
	return 0;
}

static bool each_once_by_select(const struct pair *receivers)
{
	struct crowd crowds[TEAM];

	for (int r = 0; r < TEAM; r++)
		crowds[r] = receivers[r].crowd;
	return each_once(crowds);
}

TEST_F(crowd, each_element_once_by_select)
{
	static struct pair senders[TEAM], receivers[TEAM];
	struct task *send_tasks[TEAM], *recv_tasks[TEAM];
	struct chan *a = must_make(sizeof(struct element), variant->capacity);
	struct chan *b = must_make(sizeof(struct element), variant->capacity);
	int i;

	for (i = 0; i < TEAM; i++) {
		/* Half of them name the channels in the opposite order. */
		senders[i] = (struct pair){ .c = { i % 2 ? a : b, i % 2 ? b : a } };
		senders[i].crowd.sender = i;
		receivers[i] = (struct pair){ .c = { i / 2 ? a : b, i / 2 ? b : a } };
		recv_tasks[i] = task_start(THREAD, recv_by_select, &receivers[i]);
		send_tasks[i] = task_start(THREAD, send_by_select, &senders[i]);
	}
	for (i = 0; i < TEAM; i++)
		EXPECT_EQ(0, task_join(send_tasks[i]));
	EXPECT_EQ(0, err(chan_close(a)));
	EXPECT_EQ(0, err(chan_close(b)));
	for (i = 0; i < TEAM; i++)
		EXPECT_EQ(0, task_join(recv_tasks[i]));
	EXPECT_TRUE(each_once_by_select(receivers));
	chan_drop(a);
	chan_drop(b);
}

/* ---- locks ---- */

struct guarded {
	struct chan_mutex *m;
	struct chan_rwmutex *rw;
	struct chan_cancel *never;
	int counter;
};

/*
 * Not one step, so that whoever is not alone loses some.  (Atomic, because the
 * thread sanitizer does not know that a lock of the kernel's orders memory.)
 */
static void count_in_two_steps(int *counter)
{
	int value = load(counter);

	store(counter, value + 1);
}

static int count_under_mutex(void *arg)
{
	struct guarded *g = arg;
	struct chan_bounds bounds = { .cancel = g->never };

	for (int i = 0; i < EACH; i++) {
		CHECK(!(i % 2 ? chan_mutex_lock(g->m) : chan_mutex_lock_with(g->m, &bounds)));
		count_in_two_steps(&g->counter);
		CHECK(!chan_mutex_unlock(g->m));
	}
	return 0;
}

static int count_under_rwmutex(void *arg)
{
	struct guarded *g = arg;

	for (int i = 0; i < EACH; i++) {
		int before;

		CHECK(!chan_rwmutex_lock(g->rw));
		count_in_two_steps(&g->counter);
		CHECK(!chan_rwmutex_unlock(g->rw));
		CHECK(!chan_rwmutex_rlock(g->rw));
		before = load(&g->counter);
		CHECK(before == load(&g->counter));
		CHECK(!chan_rwmutex_runlock(g->rw));
	}
	return 0;
}

static int count_under(int (*body)(void *))
{
	struct guarded g = {
		must_have(chan_mutex_make()), must_have(chan_rwmutex_make()),
		must_have(chan_cancel_make()), 0,
	};
	struct task *tasks[TEAM];

	for (int i = 0; i < TEAM; i++)
		tasks[i] = task_start(THREAD, body, &g);
	for (int i = 0; i < TEAM; i++)
		must(!task_join(tasks[i]));
	chan_mutex_drop(g.m);
	chan_rwmutex_drop(g.rw);
	chan_cancel_drop(g.never);
	return g.counter;
}

TEST(locks_keep_others_out)
{
	EXPECT_EQ(TEAM * EACH, count_under(count_under_mutex));
	EXPECT_EQ(TEAM * EACH, count_under(count_under_rwmutex));
}

/* ---- wait groups ---- */

struct workers {
	struct chan_wg *wg;
	int done;
};

static int work_and_tell(void *arg)
{
	struct workers *w = arg;

	count_up(&w->done);
	return err(chan_wg_done(w->wg));
}

static int work_with_token(void *arg)
{
	struct workers *w = arg;
	struct chan_token *token = chan_wg_token(w->wg);

	CHECK(token);
	CHECK(!chan_wg_done(w->wg));
	count_up(&w->done);
	CHECK(!chan_token_done(token));
	chan_token_drop(token);
	return 0;
}

TEST(wait_group_waits_for_all)
{
	struct workers w = { must_have(chan_wg_make(0)), 0 };
	struct task *tasks[2 * TEAM];

	for (int round = 1; round <= 20; round++) {
		ASSERT_EQ(0, err(chan_wg_add(w.wg, 2 * TEAM)));
		for (int i = 0; i < 2 * TEAM; i++)
			tasks[i] = task_start(THREAD, i % 2 ? work_and_tell : work_with_token, &w);
		ASSERT_EQ(0, err(chan_wg_wait(w.wg)));
		ASSERT_EQ(round * 2 * TEAM, load(&w.done));
		for (int i = 0; i < 2 * TEAM; i++)
			ASSERT_EQ(0, task_join(tasks[i]));
	}
	chan_wg_drop(w.wg);
}

/* ---- cells ---- */

/* Each waits for its turn in cell 0, and passes it on. */
struct turn {
	struct chan_cells *cells;
	uint64_t mine;
};

static int take_turns(void *arg)
{
	struct turn *turn = arg;

	for (int i = 0; i < EACH; i++) {
		uint64_t is = chan_cells_load(turn->cells, 0);

		while (is % TEAM != turn->mine)
			CHECK(!chan_cells_wait(turn->cells, 0, is, &is));
		CHECK(chan_cells_add(turn->cells, 0, 1) == is);
		chan_cells_add(turn->cells, 1, is);
	}
	return 0;
}

TEST(cells_take_turns)
{
	struct chan_cells *cells = must_have(chan_cells_make(2));
	struct turn turns[TEAM];
	struct task *tasks[TEAM];
	uint64_t all = TEAM * EACH;

	for (int i = 0; i < TEAM; i++) {
		turns[i] = (struct turn){ cells, i };
		tasks[i] = task_start(THREAD, take_turns, &turns[i]);
	}
	for (int i = 0; i < TEAM; i++)
		EXPECT_EQ(0, task_join(tasks[i]));
	EXPECT_EQ(all, chan_cells_load(cells, 0));
	EXPECT_EQ(all * (all - 1) / 2, chan_cells_load(cells, 1));
	chan_cells_drop(cells);
}

/* ---- once ---- */

struct first {
	struct chan_once *once;
	int times;
};

static void do_first(void *arg)
{
	count_up((int *)arg);
}

static int be_first(void *arg)
{
	struct first *first = arg;

	for (int i = 0; i < EACH; i++) {
		CHECK(!chan_once_do(first->once, do_first, &first->times));
		CHECK(load(&first->times) == 1);
	}
	return 0;
}

TEST(once_among_many)
{
	for (int round = 0; round < 20; round++) {
		struct first first = { must_have(chan_once_make()), 0 };
		struct task *tasks[TEAM];

		for (int i = 0; i < TEAM; i++)
			tasks[i] = task_start(THREAD, be_first, &first);
		for (int i = 0; i < TEAM; i++)
			EXPECT_EQ(0, task_join(tasks[i]));
		EXPECT_EQ(1, first.times);
		chan_once_drop(first.once);
	}
}

TEST_HARNESS_MAIN
