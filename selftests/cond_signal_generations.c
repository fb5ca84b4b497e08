// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestCondSignalGenerations: a signal goes to whoever waited before, never
 * to a waiter that came later.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { N = 100 };

TASK_FIXTURE(cond_signal_generations);

struct generations {
	int m, cond;
	int running, awake;	/* channels */
	int next;
};

static int wait_once(void *arg)
{
	struct generations *g = arg;
	int me;

	CHECK(kchan_lock(g->m) == 0);
	me = g->next++;
	CHECK(send64(g->running, me) == 0);
	CHECK(kchan_cond_wait(g->cond, g->m) == 0);
	CHECK(send64(g->awake, me) == 0);
	CHECK(kchan_unlock(g->m) == 0);
	return 0;
}

TEST_F(cond_signal_generations, in_order)
{
	struct generations *g = shared_alloc(sizeof(*g));
	struct task *tasks[N];
	__u64 v;

	g->m = make_object(KCHAN_KIND_MUTEX, 0);
	g->cond = make_object(KCHAN_KIND_COND, 0);
	g->running = make_chan(8, N);
	g->awake = make_chan(8, N);
	for (int i = 0; i < N; i++) {
		tasks[i] = task_start(variant->kind, wait_once, g);
		if (i) {
			ASSERT_EQ(1, recv64(g->awake, &v));
			ASSERT_EQ(i - 1, v);
		}
		ASSERT_EQ(1, recv64(g->running, &v));
		ASSERT_EQ(i, v);
		ASSERT_EQ(0, kchan_lock(g->m));
		ASSERT_EQ(1, kchan_arg_call(g->cond, KCHAN_SIGNAL, 1));
		ASSERT_EQ(0, kchan_unlock(g->m));
	}
	for (int i = 0; i < N; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
}

TEST_HARNESS_MAIN
