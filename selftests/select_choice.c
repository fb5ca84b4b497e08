// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of several ready cases a select takes: each is as likely as the others,
 * wherever they stand and whatever stands between them; in the caller's order it
 * is the first, always.
 *
 * How likely is told by Pearson's chi-squared test: a fair choice exceeds the
 * bounds here once in 1e9 runs.  Starting at a random case and taking the next
 * that is ready, as many do, exceeds them by far.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum {
	MOST = 64,
	EACH = 100,	/* how often each choice is expected */
};

/* Ways for a case to be ready, and to stay so. */
enum ready { MESSAGE, ROOM, END, BROKEN, WAYS };

static const char *const names[WAYS] = { "message", "room", "end", "broken" };

FIXTURE(select_choice) {
	__u64 value;
	int idle;
	int chans[WAYS];
};

FIXTURE_SETUP(select_choice)
{
	self->idle = make_chan(8, 0);
	self->chans[MESSAGE] = make_chan(8, 1);
	ASSERT_EQ(0, send64(self->chans[MESSAGE], 1));
	self->chans[ROOM] = make_chan(8, 1);
	self->chans[END] = make_chan(8, 0);
	ASSERT_EQ(0, chan_close(self->chans[END]));
	self->chans[BROKEN] = self->chans[END];
}

FIXTURE_TEARDOWN(select_choice) { }

static bool sends(enum ready way)
{
	return way == ROOM || way == BROKEN;
}

static struct kchan_case ready_case(FIXTURE_DATA(select_choice) *self, enum ready way)
{
	return sends(way) ? on_send64(self->chans[way], &self->value)
			  : on_recv64(self->chans[way], &self->value);
}

/* Makes ready again what was chosen. */
static void renew(FIXTURE_DATA(select_choice) *self, enum ready way)
{
	__u64 v;

	if (way == MESSAGE)
		must(!try_send64(self->chans[MESSAGE], 1));
	else if (way == ROOM)
		must(try_recv64(self->chans[ROOM], &v) == 1);
}

/* Cases of which those in @mask are ready, in these ways by turns. */
struct scene {
	__u64 mask;
	int nr;
	enum ready ways[2];
};

static int make_scene(FIXTURE_DATA(select_choice) *self, const struct scene *scene,
		      struct kchan_case *cases, int *rank)
{
	int n = 0;

	for (int i = 0; i < scene->nr; i++) {
		if (scene->mask & 1ull << i) {
			rank[i] = n;
			cases[i] = ready_case(self, scene->ways[n++ % 2]);
		} else {
			rank[i] = -1;
			cases[i] = on_recv64(i % 3 ? self->idle : NO_CHAN, &self->value);
		}
	}
	return n;
}

/* Selects that often; the counts of what was chosen go by rank. */
static void count_choices(struct __test_metadata *_metadata, FIXTURE_DATA(select_choice) *self,
			  const struct scene *scene, __u32 flags, int *counts)
{
	struct kchan_case cases[MOST];
	int rank[MOST];
	int ready = make_scene(self, scene, cases, rank);

	memset(counts, 0, ready * sizeof(*counts));
	for (int i = 0; i < EACH * ready; i++) {
		struct chosen c = kchan_select(cases, scene->nr, flags, 0);

		ASSERT_LE(0, c.index);
		ASSERT_GT(scene->nr, c.index);
		ASSERT_LE(0, rank[c.index]);
		counts[rank[c.index]]++;
		if (!(flags & KCHAN_READY))
			renew(self, scene->ways[rank[c.index] % 2]);
	}
}

static const struct scene scenes[] = {
	{ 0x3, 2, { MESSAGE, MESSAGE } },
	{ 0x3, 2, { ROOM, ROOM } },
	{ 0x3, 2, { END, BROKEN } },
	{ 0x3, 2, { MESSAGE, ROOM } },
	{ 0x7, 3, { ROOM, END } },
	{ 0x9, 4, { BROKEN, MESSAGE } },
	{ 0x87, 8, { MESSAGE, MESSAGE } },
	{ 0x87, 8, { END, ROOM } },
	{ 0xff, 8, { MESSAGE, BROKEN } },
	{ 0xe0000001, 32, { END, END } },
	{ 0xffff, 16, { ROOM, MESSAGE } },
	{ 0x8000000000000000 | 0x7, 64, { MESSAGE, ROOM } },
	{ ~0ull, 64, { MESSAGE, END } },
};

static void choose_in_all_scenes(struct __test_metadata *_metadata,
				 FIXTURE_DATA(select_choice) *self, __u32 flags)
{
	int counts[MOST];

	for (size_t i = 0; i < ARRAY_LEN(scenes); i++) {
		int ready = __builtin_popcountll(scenes[i].mask);

		count_choices(_metadata, self, &scenes[i], flags, counts);
		expect_uniform(_metadata, names[scenes[i].ways[0]], counts, ready, EACH * ready);
	}
}

TEST_F(select_choice, is_uniform)
{
	choose_in_all_scenes(_metadata, self, 0);
}

TEST_F(select_choice, is_uniform_without_waiting)
{
	choose_in_all_scenes(_metadata, self, KCHAN_NONBLOCK);
}

TEST_F(select_choice, is_uniform_at_a_deadline)
{
	choose_in_all_scenes(_metadata, self, KCHAN_DEADLINE);
}

TEST_F(select_choice, is_uniform_among_what_is_ready)
{
	choose_in_all_scenes(_metadata, self, KCHAN_READY);
}

/* What was chosen last says nothing of what is chosen next. */
TEST_F(select_choice, does_not_depend_on_the_last)
{
	struct kchan_case cases[3];
	int pairs[9] = { 0 };

	for (int i = 0; i < 3; i++)
		cases[i] = ready_case(self, END);
	for (int i = 0; i < EACH * 9; i++) {
		int first = kchan_select(cases, 3, 0, 0).index;
		int second = kchan_select(cases, 3, 0, 0).index;

		ASSERT_LE(0, first);
		ASSERT_LE(0, second);
		pairs[3 * first + second]++;
	}
	expect_uniform(_metadata, "pairs", pairs, 9, EACH * 9);
}

static int receive_forever(void *arg)
{
	__u64 v;

	while (recv64(*(int *)arg, &v) == 1)
		;
	return 0;
}

/* Parked receivers are ready too, beside a buffer with room. */
TEST_F(select_choice, is_uniform_with_peers)
{
	int c[2] = { make_chan(8, 0), make_chan(8, 0) }, counts[2] = { 0 };
	struct task *tasks[2];

	for (int i = 0; i < 2; i++)
		tasks[i] = task_start(THREAD, receive_forever, &c[i]);
	for (int i = 0; i < 2 * EACH; i++) {
		struct chosen done;

		wait_waiting(c[0], 0, 1);
		wait_waiting(c[1], 0, 1);
		done = select_of(on_send64(c[0], &self->value), on_send64(c[1], &self->value));
		ASSERT_LE(0, done.index);
		counts[done.index]++;
	}
	expect_uniform(_metadata, "peers", counts, 2, 2 * EACH);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, chan_close(c[i]));
		EXPECT_EQ(0, task_join(tasks[i]));
	}
}

/* Memory that has to be fetched first does not make a case less likely. */
TEST_F(select_choice, untouched_memory)
{
	__u64 *fresh = shared_alloc(4096);
	int c[2] = { make_chan(8, 1), make_chan(8, 1) }, counts[2] = { 0 };
	__u64 v;

	for (int i = 0; i < 2; i++)
		must(!send64(c[i], 1));
	for (int i = 0; i < 4 * EACH; i++) {
		struct chosen done;

		must(!madvise(fresh, 4096, MADV_REMOVE));
		done = select_of(on_recv64(c[0], &v), on_recv64(c[1], fresh));
		ASSERT_LE(0, done.index);
		counts[done.index]++;
		must(!send64(c[done.index], 1));
	}
	expect_uniform(_metadata, "untouched memory", counts, 2, 4 * EACH);
}

/* ---- in the caller's order ---- */

/* Exactly: for every set of ready cases among 7, the first of them, every time. */
TEST_F(select_choice, in_order_is_the_first)
{
	static const __u32 flags[] = {
		0, KCHAN_NONBLOCK, KCHAN_DEADLINE, KCHAN_READY, KCHAN_READY | KCHAN_NONBLOCK,
	};
	enum { NR = 7 };

	for (__u64 mask = 1; mask < 1u << NR; mask++) {
		struct scene scene = { mask, NR, { mask % WAYS, MESSAGE } };
		struct kchan_case cases[MOST];
		int rank[MOST];

		make_scene(self, &scene, cases, rank);
		for (size_t f = 0; f < 4 * ARRAY_LEN(flags); f++) {
			__u32 how = flags[f % ARRAY_LEN(flags)];
			struct chosen c = kchan_select(cases, NR, how | KCHAN_IN_ORDER, 0);

			ASSERT_EQ(__builtin_ctzll(mask), c.index);
			if (!(how & KCHAN_READY))
				renew(self, scene.ways[0]);
		}
	}
}

/* And where one event readies two cases of a parked select, the first of them. */
TEST_F(select_choice, in_order_also_when_it_waited)
{
	for (int i = 0; i < 50; i++) {
		struct one_select *s = new_select();
		int c = make_chan(8, 0);
		struct task *t;

		s->flags = KCHAN_IN_ORDER;
		with_recv(s, NO_CHAN);
		for (int n = 0; n < 4; n++)
			with_recv(s, c);
		t = start_select(i % 2 ? PROCESS : THREAD, s);
		wait_waiting(c, 0, 4);
		ASSERT_EQ(0, try_send64(c, i));
		EXPECT_EQ(0, task_join(t));
		EXPECT_CHOSE(1, 1, s->chosen);
		EXPECT_EQ(i, s->values[1]);
		EXPECT_EQ(true, others_untouched(s));
		close(c);
	}
}

TEST_HARNESS_MAIN
