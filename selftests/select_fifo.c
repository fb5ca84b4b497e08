// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's fifo, with selects: whoever waits at a channel is served in the order in
 * which they came, whether by a plain call or as one case of a select, and wherever
 * in that select the case stands.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum { N = 9 };

FIXTURE(select_fifo) { int unused; };

FIXTURE_VARIANT(select_fifo) {
	enum task_kind kind;
	bool sends;
};

FIXTURE_VARIANT_ADD(select_fifo, receive_threads) { THREAD, false };
FIXTURE_VARIANT_ADD(select_fifo, receive_processes) { PROCESS, false };
FIXTURE_VARIANT_ADD(select_fifo, send_threads) { THREAD, true };
FIXTURE_VARIANT_ADD(select_fifo, send_processes) { PROCESS, true };

FIXTURE_SETUP(select_fifo) { }
FIXTURE_TEARDOWN(select_fifo) { }

/* One who waits: every third by a plain call, the others in selects. */
struct party {
	struct one_value *one;
	struct one_select *select;
	int place;	/* of the case that matters */
	struct task *task;
};

static struct party wait_in_line(enum task_kind kind, bool sends, int c, int idle, int number)
{
	struct party p = { .place = number % 4 };

	if (number % 3 == 0) {
		p.one = shared_alloc(sizeof(*p.one));
		*p.one = (struct one_value){ .fd = c, .value = number };
		p.task = task_start(kind, sends ? send_one : recv_one, p.one);
		return p;
	}
	p.select = new_select();
	for (int i = 0; i < p.place; i++)
		with_recv(p.select, idle);
	if (sends)
		with_send(p.select, c, number);
	else
		with_recv(p.select, c);
	with_recv(p.select, idle);
	p.task = start_select(kind, p.select);
	return p;
}

static void expect_served(struct __test_metadata *_metadata, struct party p, bool sends,
			  __u64 value)
{
	EXPECT_EQ(0, task_join(p.task));
	if (p.one) {
		EXPECT_EQ(!sends, p.one->ret);
		EXPECT_EQ(value, p.one->value);
		return;
	}
	EXPECT_CHOSE(p.place, !sends, p.select->chosen);
	EXPECT_EQ(value, p.select->values[p.place]);
	EXPECT_EQ(true, others_untouched(p.select));
}

static void wait_for_line(int c, bool sends, int length)
{
	wait_waiting(c, sends ? length : 0, sends ? 0 : length);
}

/* Serves whoever is first, who must be the one with this number. */
static void serve(struct __test_metadata *_metadata, struct party p, bool sends, int c, int number)
{
	__u64 v = number;

	ASSERT_EQ(sends, sends ? try_recv64(c, &v) : try_send64(c, v));
	ASSERT_EQ(number, v);
	expect_served(_metadata, p, sends, number);
}

TEST_F(select_fifo, first_come_first_served)
{
	int c = make_chan(8, 0), idle = make_chan(8, 0);
	struct party line[N];

	for (int i = 0; i < N; i++) {
		line[i] = wait_in_line(variant->kind, variant->sends, c, idle, i);
		wait_for_line(c, variant->sends, i + 1);
	}
	for (int i = 0; i < N; i++)
		serve(_metadata, line[i], variant->sends, c, i);
	EXPECT_EQ(true, waiting(c, 0, 0));
	EXPECT_EQ(true, waiting(idle, 0, 0));
}

/* Behind a full buffer, or before an empty one. */
TEST_F(select_fifo, at_a_buffer)
{
	int c = make_chan(8, 2), idle = make_chan(8, 0);
	struct party line[N];
	__u64 v;

	for (int i = 0; i < 2 && variant->sends; i++)
		must(!send64(c, 100 + i));
	for (int i = 0; i < N; i++) {
		line[i] = wait_in_line(variant->kind, variant->sends, c, idle, i);
		wait_for_line(c, variant->sends, i + 1);
	}
	for (int i = 0; i < N; i++) {
		/* What leaves a full buffer is two older. */
		if (variant->sends) {
			ASSERT_EQ(1, try_recv64(c, &v));
			ASSERT_EQ(i < 2 ? 100 + i : i - 2, v);
		} else {
			ASSERT_EQ(0, try_send64(c, i));
		}
		expect_served(_metadata, line[i], variant->sends, i);
	}
	EXPECT_EQ(true, waiting(idle, 0, 0));
}

/* Served elsewhere, one loses its place here; all others keep theirs. */
TEST_F(select_fifo, places_behind_a_leaver_are_kept)
{
	int c = make_chan(8, 0), idle[N];
	struct party line[N];

	for (int i = 0; i < N; i++) {
		idle[i] = make_chan(8, 0);
		line[i] = wait_in_line(variant->kind, variant->sends, c, idle[i], i);
		wait_for_line(c, variant->sends, i + 1);
	}
	for (int i = 1; i < N; i += 3) {
		ASSERT_EQ(0, try_send64(idle[i], 50));
		EXPECT_EQ(0, task_join(line[i].task));
		EXPECT_NE(line[i].place, line[i].select->chosen.index);
		EXPECT_EQ(1, line[i].select->chosen.outcome);
	}
	for (int i = 0; i < N; i++) {
		if (i % 3 != 1)
			serve(_metadata, line[i], variant->sends, c, i);
	}
	EXPECT_EQ(true, waiting(c, 0, 0));
}

/* Nobody who comes later gets past those who wait, by a try, a call or a select. */
TEST_F(select_fifo, nobody_barges)
{
	int c = make_chan(8, 1), idle = make_chan(8, 0);
	struct party line[N];
	__u64 v = 7;

	if (variant->sends)
		must(!send64(c, 100));
	for (int i = 0; i < N; i++) {
		line[i] = wait_in_line(variant->kind, variant->sends, c, idle, i);
		wait_for_line(c, variant->sends, i + 1);
	}
	for (int i = 0; i < N; i++) {
		ASSERT_EQ(variant->sends, variant->sends ? try_recv64(c, &v) : try_send64(c, i));
		/* Served or not yet awake, the first has it already. */
		v = 7;
		if (variant->sends) {
			EXPECT_EQ(-EAGAIN, try_send64(c, v));
			EXPECT_FAILED(EAGAIN, try_select_of(on_send64(c, &v)));
		} else {
			EXPECT_EQ(-EAGAIN, try_recv64(c, &v));
			EXPECT_FAILED(EAGAIN, try_select_of(on_recv64(c, &v)));
		}
		expect_served(_metadata, line[i], variant->sends, i);
	}
}

/* ---- a chain ---- */

struct link {
	int values, before, after, idle;
	__u64 expected;
};

static int take_my_turn(void *arg)
{
	struct link *l = arg;
	__u64 v, unused;

	CHECK(chose(select_of(on_recv64(l->idle, &unused), on_recv64(l->before, &v)), 1, 1));
	CHECK(chose(select_of(on_recv64(l->values, &v), on_recv64(l->idle, &unused)), 0, 1));
	CHECK(v == l->expected);
	CHECK(chose(select_of(on_send64(l->after, &v), on_recv64(l->idle, &unused)), 0, 0));
	return 0;
}

TASK_FIXTURE(select_chain);

/* Each may receive only after the one before, all by selects. */
TEST_F(select_chain, takes_values_in_order)
{
	struct link *links = shared_alloc(N * sizeof(*links));
	int values = make_chan(8, 0), start = make_chan(8, 0), idle = make_chan(8, 0);
	struct task *tasks[N];
	int before = start;
	__u64 v = 0;

	for (int i = 0; i < N; i++) {
		int after = make_chan(8, 0);

		links[i] = (struct link){ values, before, after, idle, i };
		tasks[i] = task_start(variant->kind, take_my_turn, &links[i]);
		before = after;
	}
	EXPECT_CHOSE(0, 0, select_of(on_send64(start, &v), on_send64(NO_CHAN, &v)));
	for (__u64 i = 0; i < N; i++) {
		EXPECT_CHOSE(1, 0, select_of(on_recv64(idle, &v), on_send64(values, &i)));
	}
	EXPECT_CHOSE(0, 1, select_of(on_recv64(before, &v), on_recv64(idle, &v)));
	EXPECT_EQ(N - 1, v);
	for (int i = 0; i < N; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
}

TEST_HARNESS_MAIN
