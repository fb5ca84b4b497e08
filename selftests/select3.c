// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's select3: which selects block, for every pair of what a case can find.
 * Blocked is proven by the kernel's count of waiters, and by where the task sleeps.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum state { NIL, EMPTY, ROOM, FULL, CLOSED, CLOSED_FULL, STATES };

/* What a send and a receive find there; BLOCKS is no outcome. */
#define BLOCKS 99

static const int outcomes[2][STATES] = {
	{ BLOCKS, BLOCKS, 0, BLOCKS, -EPIPE, -EPIPE },
	{ BLOCKS, BLOCKS, BLOCKS, 1, 0, 1 },
};

/* One kind of case: an operation, and the state its channel is in. */
struct situation {
	int receives;
	enum state state;
};

enum { SITUATIONS = 2 * STATES };

static struct situation situation(int n)
{
	return (struct situation){ n % 2, n / 2 };
}

static int outcome_of(struct situation s)
{
	return outcomes[s.receives][s.state];
}

static int make_chan_in(enum state state)
{
	int c;

	if (state == NIL)
		return NO_CHAN;
	c = make_chan(8, state == ROOM || state == FULL || state == CLOSED_FULL);
	if (state == FULL || state == CLOSED_FULL)
		must(!send64(c, 7));
	if (state == CLOSED || state == CLOSED_FULL)
		must(!chan_close(c));
	return c;
}

static void add_case(struct one_select *s, struct situation what)
{
	int c = make_chan_in(what.state);

	if (what.receives)
		with_recv(s, c);
	else
		with_send(s, c, 9);
}

/* What a receive leaves in its buffer. */
static __u64 received(int outcome)
{
	return outcome == 1 ? 7 : 0;
}

static bool is_counted(const struct one_select *s)
{
	for (__u32 i = 0; i < s->nr; i++) {
		bool receives = s->cases[i].op == KCHAN_OP_RECV;

		if (s->cases[i].fd >= 0 && !waiting(s->cases[i].fd, !receives, receives))
			return false;
	}
	return true;
}

static bool nobody_is_counted(const struct one_select *s)
{
	for (__u32 i = 0; i < s->nr; i++)
		if (s->cases[i].fd >= 0 && !waiting(s->cases[i].fd, 0, 0))
			return false;
	return true;
}

static void close_all(struct one_select *s)
{
	for (__u32 i = 0; i < s->nr; i++)
		if (s->cases[i].fd >= 0)
			close(s->cases[i].fd);
	munmap(s, sizeof(*s));
}

static void expect_blocks(struct __test_metadata *_metadata, struct one_select *s,
			  enum task_kind kind)
{
	struct task *t;

	s->over = 0;
	t = start_select(kind, s);
	wait_until(is_counted(s));
	wait_parked(t);
	EXPECT_EQ(0, load(&s->over));
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_FAILED(EINTR, s->chosen);
	EXPECT_EQ(true, others_untouched(s));
	EXPECT_EQ(true, nobody_is_counted(s));
}

static void expect_would_block(struct __test_metadata *_metadata, struct one_select *s)
{
	s->flags = KCHAN_NONBLOCK;
	select_once(s);
	EXPECT_FAILED(EAGAIN, s->chosen);
	s->flags = KCHAN_DEADLINE;
	select_once(s);
	EXPECT_FAILED(ETIMEDOUT, s->chosen);
	EXPECT_EQ(true, others_untouched(s));
	EXPECT_EQ(true, nobody_is_counted(s));
	s->flags = 0;
}

/* It chose a case that was ready, and that did what the single call does. */
static void expect_right(struct __test_metadata *_metadata, struct one_select *s,
			 const struct situation *what)
{
	int i = s->chosen.index;

	ASSERT_LE(0, i);
	ASSERT_GT(s->nr, i);
	EXPECT_NE(BLOCKS, outcome_of(what[i]));
	EXPECT_EQ(outcome_of(what[i]), s->chosen.outcome);
	EXPECT_EQ(0, s->chosen.value);
	if (what[i].receives) {
		EXPECT_EQ(received(s->chosen.outcome), s->values[i]);
	}
	EXPECT_EQ(true, others_untouched(s));
	EXPECT_EQ(true, nobody_is_counted(s));
}

static struct one_select *make_select(const struct situation *what, int n, __u32 flags)
{
	struct one_select *s = new_select();

	for (int i = 0; i < n; i++)
		add_case(s, what[i]);
	s->flags = flags;
	return s;
}

static void try_situations(struct __test_metadata *_metadata, const struct situation *what, int n,
			   enum task_kind kind)
{
	static const __u32 flags[] = {
		0, KCHAN_NONBLOCK, KCHAN_DEADLINE, KCHAN_IN_ORDER,
		KCHAN_IN_ORDER | KCHAN_NONBLOCK,
	};
	struct one_select *s;
	bool ready = false;

	for (int i = 0; i < n; i++)
		ready = ready || outcome_of(what[i]) != BLOCKS;
	if (!ready) {
		s = make_select(what, n, 0);
		expect_would_block(_metadata, s);
		expect_blocks(_metadata, s, kind);
		close_all(s);
		return;
	}
	for (size_t f = 0; f < ARRAY_LEN(flags); f++) {
		s = make_select(what, n, flags[f]);
		select_once(s);
		expect_right(_metadata, s, what);
		close_all(s);
	}
}

TASK_FIXTURE(select3);

/* select {} */
TEST_F(select3, no_cases)
{
	catch_signal(SIGUSR1, 0);
	try_situations(_metadata, NULL, 0, variant->kind);
}

TEST_F(select3, one_case)
{
	catch_signal(SIGUSR1, 0);
	for (int i = 0; i < SITUATIONS; i++) {
		struct situation what = situation(i);

		try_situations(_metadata, &what, 1, variant->kind);
	}
}

TEST_F(select3, two_cases)
{
	catch_signal(SIGUSR1, 0);
	for (int i = 0; i < SITUATIONS * SITUATIONS; i++) {
		struct situation what[] = { situation(i / SITUATIONS), situation(i % SITUATIONS) };

		try_situations(_metadata, what, 2, variant->kind);
	}
}

/* A select does not meet itself, however often it is on both ends. */
TEST_F(select3, sees_itself)
{
	struct one_select *s = new_select();
	int c = make_chan(8, 0);
	struct task *t;

	catch_signal(SIGUSR1, 0);
	for (int i = 0; i < 3; i++) {
		with_send(s, c, i);
		with_recv(s, c);
	}
	expect_would_block(_metadata, s);
	t = start_select(variant->kind, s);
	wait_waiting(c, 3, 3);
	wait_parked(t);
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_FAILED(EINTR, s->chosen);
	EXPECT_EQ(true, others_untouched(s));
	EXPECT_EQ(true, waiting(c, 0, 0));
}

TEST_HARNESS_MAIN
