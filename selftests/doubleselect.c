// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's doubleselect.  The race: one select offers a value on four channels, and
 * a receiver comes to each of them at the same moment.  Only one may get it.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum { WAYS = 4, VALUES = FEWER(2000) };

FIXTURE(doubleselect) { int unused; };

FIXTURE_VARIANT(doubleselect) {
	enum task_kind kind;
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(doubleselect, unbuffered_threads) { THREAD, 0 };
FIXTURE_VARIANT_ADD(doubleselect, unbuffered_processes) { PROCESS, 0 };
FIXTURE_VARIANT_ADD(doubleselect, buffered_threads) { THREAD, 1 };
FIXTURE_VARIANT_ADD(doubleselect, buffered_processes) { PROCESS, 1 };

FIXTURE_SETUP(doubleselect) { }
FIXTURE_TEARDOWN(doubleselect) { }

struct ways {
	int in[WAYS];
	int out;
	int next;	/* way without a forwarder */
	int left;	/* forwarders at work */
};

static int send_one_way_or_another(void *arg)
{
	struct ways *w = arg;

	for (__u64 i = 0; i < VALUES; i++) {
		struct chosen c = select_of(on_send64(w->in[0], &i), on_send64(w->in[1], &i),
					    on_send64(w->in[2], &i), on_send64(w->in[3], &i));

		CHECK(c.index >= 0 && c.index < WAYS);
		CHECK(c.outcome == 0);
	}
	for (int i = 0; i < WAYS; i++)
		CHECK(chan_close(w->in[i]) == 0);
	return 0;
}

static int forward(void *arg)
{
	struct ways *w = arg;
	int in = w->in[count_up(&w->next)];
	__u64 v;

	while (recv64(in, &v) == 1)
		CHECK(send64(w->out, v) == 0);
	if (__atomic_sub_fetch(&w->left, 1, __ATOMIC_SEQ_CST) == 0)
		CHECK(chan_close(w->out) == 0);
	return 0;
}

TEST_F(doubleselect, each_value_goes_one_way)
{
	struct ways *w = shared_alloc(sizeof(*w));
	static char seen[VALUES];
	struct task *tasks[1 + WAYS];
	int n = 0;
	__u64 v;

	for (int i = 0; i < WAYS; i++)
		w->in[i] = make_chan(8, variant->capacity);
	w->out = make_chan(8, 0);
	w->left = WAYS;
	tasks[0] = task_start(variant->kind, send_one_way_or_another, w);
	for (int i = 0; i < WAYS; i++)
		tasks[1 + i] = task_start(variant->kind, forward, w);
	for (; recv64(w->out, &v) == 1; n++) {
		ASSERT_GT(VALUES, v);
		ASSERT_EQ(0, seen[v]++);
	}
	EXPECT_EQ(VALUES, n);
	for (int i = 0; i < 1 + WAYS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
}

TEST_HARNESS_MAIN
