// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestMutexFairness: somebody takes a lock again the moment it has given it
 * back, and holds it most of the time; still the other gets it.  The bound for
 * crowds is in no_starvation.c.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { TURNS = 10, HOLD_US = 100 };

FIXTURE(mutex_fairness) { int unused; };

FIXTURE_VARIANT(mutex_fairness) {
	enum task_kind kind;
	__u32 object;
};

FIXTURE_VARIANT_ADD(mutex_fairness, threads) { THREAD, KCHAN_KIND_MUTEX };
FIXTURE_VARIANT_ADD(mutex_fairness, processes) { PROCESS, KCHAN_KIND_MUTEX };
FIXTURE_VARIANT_ADD(mutex_fairness, rwmutex_threads) { THREAD, KCHAN_KIND_RWMUTEX };
FIXTURE_VARIANT_ADD(mutex_fairness, rwmutex_processes) { PROCESS, KCHAN_KIND_RWMUTEX };
FIXTURE_SETUP(mutex_fairness) { }
FIXTURE_TEARDOWN(mutex_fairness) { }

struct fairness {
	int m;
	int stop;
	int hogged;
};

static int hog(void *arg)
{
	struct fairness *f = arg;

	while (!load(&f->stop)) {
		CHECK(kchan_lock(f->m) == 0);
		count_up(&f->hogged);
		usleep(HOLD_US);
		CHECK(kchan_unlock(f->m) == 0);
	}
	return 0;
}

static int ask_now_and_then(void *arg)
{
	struct fairness *f = arg;

	for (int i = 0; i < TURNS; i++) {
		usleep(HOLD_US);
		CHECK(op_until(f->m, KCHAN_OP_LOCK, 0, now() + PATIENCE_NS) == 0);
		CHECK(kchan_unlock(f->m) == 0);
	}
	return 0;
}

TEST_F(mutex_fairness, against_a_hog)
{
	struct fairness *f = shared_alloc(sizeof(*f));
	struct task *hogs, *other;

	f->m = make_object(variant->object, 0);
	hogs = task_start(variant->kind, hog, f);
	wait_until(load(&f->hogged));
	other = task_start(variant->kind, ask_now_and_then, f);
	EXPECT_EQ(0, task_join(other));
	store(&f->stop, 1);
	EXPECT_EQ(0, task_join(hogs));
	EXPECT_EQ(0, chan_stat(f->m).state);
}

TEST_HARNESS_MAIN
