// SPDX-License-Identifier: GPL-2.0-only
/* Signals and selects: what they interrupt, what restarts, and that they lose nothing. */
#include <kselftest_harness.h>
#include "select_util.h"

FIXTURE(select_signals) {
	int in, out;
};

FIXTURE_VARIANT(select_signals) {
	enum task_kind kind;
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(select_signals, unbuffered_threads) { THREAD, 0 };
FIXTURE_VARIANT_ADD(select_signals, unbuffered_processes) { PROCESS, 0 };
FIXTURE_VARIANT_ADD(select_signals, buffered_threads) { THREAD, 1 };
FIXTURE_VARIANT_ADD(select_signals, buffered_processes) { PROCESS, 1 };

/* Nothing can be received from the one, nothing sent to the other. */
FIXTURE_SETUP(select_signals)
{
	self->in = make_chan(8, variant->capacity);
	self->out = make_chan(8, variant->capacity);
	for (__u64 i = 0; i < variant->capacity; i++)
		must(!send64(self->out, 100 + i));
}

FIXTURE_TEARDOWN(select_signals) { }

static struct one_select *select_both_ways(FIXTURE_DATA(select_signals) *self, __u32 flags)
{
	struct one_select *s = new_select();

	with_recv(s, self->in);
	with_send(s, self->out, 5);
	s->flags = flags;
	return s;
}

static bool both_wait(FIXTURE_DATA(select_signals) *self)
{
	return waiting(self->in, 0, 1) && waiting(self->out, 1, 0);
}

TEST_F(select_signals, interrupt)
{
	struct kchan_stat in = chan_stat(self->in), out = chan_stat(self->out);
	struct one_select *s = select_both_ways(self, 0);
	struct task *t;

	count_signals(0);
	t = start_select(variant->kind, s);
	wait_until(both_wait(self));
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_FAILED(EINTR, s->chosen);
	EXPECT_EQ(1, *handled);
	EXPECT_EQ(true, others_untouched(s));
	EXPECT_EQ(true, same_stat(in, self->in));
	EXPECT_EQ(true, same_stat(out, self->out));
}

/* What nobody handles does not end a wait. */
TEST_F(select_signals, ignored_ones_do_not)
{
	struct one_select *s = select_both_ways(self, 0);
	struct task *t;

	signal(SIGUSR2, SIG_IGN);
	t = start_select(variant->kind, s);
	wait_until(both_wait(self));
	for (int i = 0; i < 20; i++)
		task_signal(t, SIGUSR2);
	EXPECT_EQ(true, both_wait(self));
	EXPECT_EQ(0, send64(self->in, 3));
	EXPECT_EQ(0, task_join(t));
	EXPECT_CHOSE(0, 1, s->chosen);
	EXPECT_EQ(3, s->values[0]);
}

TEST_F(select_signals, restart)
{
	for (int way = 0; way < 2; way++) {
		struct one_select *s = select_both_ways(self, way ? KCHAN_IN_ORDER : 0);
		struct task *t;
		__u64 v;

		count_signals(SA_RESTART);
		t = start_select(variant->kind, s);
		for (int i = 1; i <= 20; i++) {
			wait_until(both_wait(self));
			task_signal(t, SIGUSR1);
			wait_until(load(handled) == i);
		}
		wait_until(both_wait(self));
		EXPECT_EQ(0, load(&s->over));
		EXPECT_EQ(way, way ? recv64(self->out, &v) : send64(self->in, 3));
		EXPECT_EQ(0, task_join(t));
		EXPECT_CHOSE(way, !way, s->chosen);
		EXPECT_EQ(way ? POISON : 3, s->values[0]);
		EXPECT_EQ(true, waiting(self->in, 0, 0));
		EXPECT_EQ(true, waiting(self->out, 0, 0));
		EXPECT_EQ(variant->capacity, chan_stat(self->out).length);
	}
}

struct timed {
	struct one_select select;
	__s64 ended;
};

static int select_until(void *arg)
{
	struct timed *w = arg;

	w->select.chosen = kchan_select(w->select.cases, w->select.nr, KCHAN_DEADLINE,
					w->select.deadline);
	w->ended = now();
	store(&w->select.over, 1);
	return 0;
}

/*
 * Restarted again and again, a select must not begin anew: if each restart began
 * the time again, it would end only after the last signal.
 */
TEST_F(select_signals, deadline_does_not_drift)
{
	struct timed *w = shared_alloc(sizeof(*w));
	struct one_select *s = &w->select;
	struct task *t;

	count_signals(SA_RESTART);
	with_recv(s, self->in);
	with_send(s, self->out, 5);
	s->deadline = in_ms(500 * PATIENCE);
	t = task_start(variant->kind, select_until, w);
	while (!load(&s->over)) {
		ASSERT_GT(s->deadline + PATIENCE_NS, now());
		if (!both_wait(self))
			continue;
		task_signal(t, SIGUSR1);
		usleep(1000);
	}
	EXPECT_EQ(0, task_join(t));
	EXPECT_FAILED(ETIMEDOUT, s->chosen);
	EXPECT_LE(s->deadline, w->ended);
	EXPECT_LT(1, load(handled));
	EXPECT_EQ(true, others_untouched(s));
}

/* ---- a storm of signals ---- */

enum { VALUES = 400 };

struct storm {
	int c[2];
	__u64 next[2];		/* to be received from each */
	int interrupted;
	int over;
};

/* Sends 0, 1, ... on either channel; what was interrupted is offered again. */
static int send_in_storm(void *arg)
{
	struct storm *s = arg;
	__u64 values[2] = { 0, 0 };

	for (int i = 0; i < 2 * VALUES; i++) {
		struct chosen c;

		do {
			c = select_of(on_send64(s->c[0], &values[0]),
				      on_send64(s->c[1], &values[1]));
			s->interrupted += c.index == -EINTR;
		} while (c.index == -EINTR);
		CHECK(c.index >= 0 && c.outcome == 0);
		if (++values[c.index] == VALUES)
			s->c[c.index] = NO_CHAN;
	}
	store(&s->over, 1);
	return 0;
}

static int receive_in_storm(void *arg)
{
	struct storm *s = arg;

	for (int i = 0; i < 2 * VALUES; i++) {
		__u64 v[2] = { POISON, POISON };
		struct chosen c;

		do {
			c = select_of(on_recv64(s->c[0], &v[0]), on_recv64(s->c[1], &v[1]));
			s->interrupted += c.index == -EINTR;
			CHECK(c.index >= 0 || (v[0] == POISON && v[1] == POISON));
		} while (c.index == -EINTR);
		CHECK(c.index >= 0 && c.outcome == 1);
		CHECK(v[c.index] == s->next[c.index]);
		CHECK(v[!c.index] == POISON);
		s->next[c.index]++;
	}
	store(&s->over, 1);
	return 0;
}

static void expect_storm_survived(struct __test_metadata *_metadata,
				  FIXTURE_DATA(select_signals) *self, enum task_kind kind,
				  int flags)
{
	struct storm *s = shared_alloc(2 * sizeof(*s));
	struct task *tasks[2];
	__u64 v;

	while (try_recv64(self->out, &v) == 1)
		;
	catch_signal(SIGUSR1, flags);
	for (int i = 0; i < 2; i++)
		s[i] = (struct storm){ .c = { self->in, self->out } };
	tasks[0] = task_start(kind, send_in_storm, &s[0]);
	tasks[1] = task_start(kind, receive_in_storm, &s[1]);
	for (int i = 0; !load(&s[0].over) || !load(&s[1].over); i++) {
		if (!load(&s[i % 2].over))
			task_signal(tasks[i % 2], SIGUSR1);
		/* Now and then let them get on. */
		if (i % 16 == 0)
			usleep(1000);
	}
	EXPECT_EQ(0, task_join(tasks[0]));
	EXPECT_EQ(0, task_join(tasks[1]));
	TH_LOG("%d and %d were interrupted", s[0].interrupted, s[1].interrupted);
	if (flags & SA_RESTART) {
		EXPECT_EQ(0, s[0].interrupted + s[1].interrupted);
	}
	EXPECT_EQ(VALUES, s[1].next[0]);
	EXPECT_EQ(VALUES, s[1].next[1]);
	EXPECT_EQ(true, waiting(self->in, 0, 0));
	EXPECT_EQ(true, waiting(self->out, 0, 0));
}

/* The race: a signal ends the select at the moment when a peer decides it. */
TEST_F(select_signals, storm)
{
	expect_storm_survived(_metadata, self, variant->kind, 0);
}

TEST_F(select_signals, storm_with_restart)
{
	expect_storm_survived(_metadata, self, variant->kind, SA_RESTART);
}

TEST_HARNESS_MAIN
