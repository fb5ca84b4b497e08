// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestSimultaneousCancels.  The race: every cancel of a tree is cancelled at
 * the same time, each by its own task, parents and children in any order.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { N = 100, CHILDREN = 4 };

FIXTURE(simultaneous_cancels) { int unused; };

FIXTURE_VARIANT(simultaneous_cancels) {
	enum task_kind kind;
	int rounds;
};

FIXTURE_VARIANT_ADD(simultaneous_cancels, threads) { THREAD, 5 };
FIXTURE_VARIANT_ADD(simultaneous_cancels, processes) { PROCESS, 3 };
FIXTURE_SETUP(simultaneous_cancels) { }
FIXTURE_TEARDOWN(simultaneous_cancels) { }

struct tree {
	int fds[N];
	int order[N];
	int next;
	int go;		/* a wait group: all wait for it, and then run at once */
	int first;	/* how many were the first to cancel theirs */
};

static int cancel_one(void *arg)
{
	struct tree *t = arg;
	int me = t->order[count_up(&t->next)], ret;

	CHECK(kchan_zero(t->go, NULL) == 0);
	ret = kchan_arg_call(t->fds[me], KCHAN_CANCEL, me + 1);
	CHECK(ret == 0 || ret == 1);
	if (ret)
		count_up(&t->first);
	/* Done, by us or through a parent. */
	CHECK(cause_now(t->fds[me]) > 0);
	return 0;
}

static void shuffle(int *order)
{
	for (int i = 0; i < N; i++)
		order[i] = i;
	for (int i = N - 1; i; i--) {
		int k = rand() % (i + 1), v = order[i];

		order[i] = order[k];
		order[k] = v;
	}
}

/* The cause is its own, or that of somebody above. */
static bool cause_from_above(int i, int cause)
{
	for (;; i = (i - 1) / CHILDREN) {
		if (cause == i + 1)
			return true;
		if (!i)
			return false;
	}
}

TEST_F_TIMEOUT(simultaneous_cancels, whole_tree, 60)
{
	struct tree *t = shared_alloc(sizeof(*t));
	struct task *tasks[N];

	srand(10);
	t->go = make_object(KCHAN_KIND_WAITGROUP, 0);
	for (int round = 0; round < variant->rounds; round++) {
		t->next = 0;
		t->first = 0;
		for (int i = 0; i < N; i++)
			t->fds[i] = make_cancel(i ? t->fds[(i - 1) / CHILDREN] : -1);
		shuffle(t->order);
		ASSERT_EQ(0, kchan_add(t->go, 1));
		for (int i = 0; i < N; i++)
			tasks[i] = task_start(variant->kind, cancel_one, t);
		wait_waiting(t->go, 0, N);
		ASSERT_EQ(0, kchan_done(t->go, 1));
		for (int i = 0; i < N; i++) {
			ASSERT_EQ(0, task_join(tasks[i]));
		}
		for (int i = 0; i < N; i++) {
			ASSERT_EQ(true, cause_from_above(i, cause_now(t->fds[i])));
			EXPECT_EQ(0, chan_stat(t->fds[i]).length);
			close(t->fds[i]);
		}
		EXPECT_LE(1, t->first);
	}
}

TEST_HARNESS_MAIN
