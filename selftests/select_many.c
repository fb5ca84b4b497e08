// SPDX-License-Identifier: GPL-2.0-only
/* KCHAN_MAX_CASES cases in a select work, of any channels; one more is E2BIG. */
#include <kselftest_harness.h>
#include "select_util.h"

enum { MOST = KCHAN_MAX_CASES };

FIXTURE(select_many) {
	struct kchan_case *cases;	/* one more than works */
	__u64 *values;
	int chans[MOST];
};

FIXTURE_VARIANT(select_many) {
	enum task_kind kind;
	bool sends;
};

FIXTURE_VARIANT_ADD(select_many, receive_threads) { THREAD, false };
FIXTURE_VARIANT_ADD(select_many, receive_processes) { PROCESS, false };
FIXTURE_VARIANT_ADD(select_many, send_threads) { THREAD, true };
FIXTURE_VARIANT_ADD(select_many, send_processes) { PROCESS, true };

static struct kchan_case make_case(bool sends, int c, __u64 *value)
{
	return sends ? on_send64(c, value) : on_recv64(c, value);
}

FIXTURE_SETUP(select_many)
{
	allow_fds(MOST + 100);
	self->cases = shared_alloc((MOST + 1) * sizeof(*self->cases));
	self->values = shared_alloc((MOST + 1) * sizeof(*self->values));
	for (int i = 0; i < MOST; i++) {
		self->chans[i] = make_chan(8, 0);
		self->values[i] = i;
		self->cases[i] = make_case(variant->sends, self->chans[i], &self->values[i]);
	}
	self->values[MOST] = MOST;
	self->cases[MOST] = make_case(variant->sends, self->chans[0], &self->values[MOST]);
}

FIXTURE_TEARDOWN(select_many)
{
	for (int i = 0; i < MOST; i++) {
		EXPECT_EQ(true, waiting(self->chans[i], 0, 0));
	}
}

/* A task that selects from many. */
struct many {
	const struct kchan_case *cases;
	__u32 nr;
	struct chosen chosen;
};

static int select_many(void *arg)
{
	struct many *m = arg;

	m->chosen = kchan_select(m->cases, m->nr, 0, 0);
	return 0;
}

static struct many *start_many(FIXTURE_DATA(select_many) *self, enum task_kind kind,
			       struct task **t)
{
	struct many *m = shared_alloc(sizeof(*m));

	m->cases = self->cases;
	m->nr = MOST;
	*t = task_start(kind, select_many, m);
	return m;
}

static bool all_wait(FIXTURE_DATA(select_many) *self, bool sends)
{
	for (int i = 0; i < MOST; i++)
		if (!waiting(self->chans[i], sends, !sends))
			return false;
	return true;
}

/* Does what the case's peer does; @value is what a send sends. */
static int meet_case(bool sends, int c, __u64 value)
{
	__u64 v;

	if (!sends)
		return try_send64(c, value);
	return try_recv64(c, &v) == 1 && v == value ? 0 : -EILSEQ;
}

TEST_F(select_many, each_on_a_channel_of_its_own)
{
	static const int some[] = { 0, 7, 8, 511, MOST - 1 };

	for (size_t i = 0; i < ARRAY_LEN(some); i++) {
		struct task *t;
		struct many *m = start_many(self, variant->kind, &t);

		wait_until(all_wait(self, variant->sends));
		ASSERT_EQ(0, meet_case(variant->sends, self->chans[some[i]], some[i]));
		EXPECT_EQ(0, task_join(t));
		EXPECT_CHOSE(some[i], !variant->sends, m->chosen);
		EXPECT_EQ(some[i], self->values[some[i]]);
	}
}

TEST_F(select_many, all_on_one_channel)
{
	int c = self->chans[0];
	struct task *t;
	struct many *m;

	for (int i = 0; i < MOST; i++)
		self->cases[i].fd = c;
	for (int round = 0; round < 5; round++) {
		__u64 v = 5000 + round;

		for (int i = 0; i < MOST; i++)
			self->values[i] = variant->sends ? (__u64)i : POISON;
		m = start_many(self, variant->kind, &t);
		wait_waiting(c, variant->sends ? MOST : 0, variant->sends ? 0 : MOST);
		ASSERT_EQ(variant->sends, variant->sends ? try_recv64(c, &v) : try_send64(c, v));
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(!variant->sends, m->chosen.outcome);
		ASSERT_LE(0, m->chosen.index);
		ASSERT_GT(MOST, m->chosen.index);
		EXPECT_EQ(v, self->values[m->chosen.index]);
		for (int i = 0; i < MOST && !variant->sends; i++) {
			ASSERT_EQ(i == m->chosen.index ? v : POISON, self->values[i]);
		}
		/* It met one peer, not two. */
		EXPECT_EQ(-EAGAIN, variant->sends ? try_recv64(c, &v) : try_send64(c, v));
		EXPECT_EQ(true, waiting(c, 0, 0));
	}
}

TEST_F(select_many, without_waiting)
{
	static const int some[] = { 0, 16, MOST - 1 };

	EXPECT_FAILED(EAGAIN, kchan_select(self->cases, MOST, KCHAN_NONBLOCK, 0));
	EXPECT_FAILED(ETIMEDOUT, kchan_select(self->cases, MOST, KCHAN_DEADLINE, 0));
	for (size_t i = 0; i < ARRAY_LEN(some); i++) {
		int ended = make_chan(8, 0);

		ASSERT_EQ(0, chan_close(ended));
		self->cases[some[i]].fd = ended;
		EXPECT_CHOSE(some[i], variant->sends ? -EPIPE : 0,
			     kchan_select(self->cases, MOST, 0, 0));
		self->cases[some[i]].fd = self->chans[some[i]];
		close(ended);
	}
}

/* And not one of them is looked at, though one is ready. */
TEST_F(select_many, one_more)
{
	static const __u32 too_many[] = { MOST + 1, 2 * MOST, 1u << 16, 1u << 31, UINT_MAX };
	int ended = make_chan(8, 0);

	ASSERT_EQ(0, chan_close(ended));
	self->cases[0].fd = ended;
	self->values[0] = POISON;
	for (size_t i = 0; i < ARRAY_LEN(too_many); i++) {
		EXPECT_FAILED(E2BIG, kchan_select(self->cases, too_many[i], 0, 0));
		EXPECT_FAILED(E2BIG, kchan_select(self->cases, too_many[i], KCHAN_NONBLOCK, 0));
	}
	EXPECT_EQ(POISON, self->values[0]);
	EXPECT_CHOSE(0, variant->sends ? -EPIPE : 0, kchan_select(self->cases, MOST, 0, 0));
}

TEST_HARNESS_MAIN
