// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestCondSignalStealing.  The race: somebody begins to wait while a
 * broadcast is under way.  It may be woken or not; whoever waited before must be.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

FIXTURE(cond_signal_stealing) { int unused; };

FIXTURE_VARIANT(cond_signal_stealing) {
	enum task_kind kind;
	int rounds;
};

FIXTURE_VARIANT_ADD(cond_signal_stealing, threads) { THREAD, 500 };
FIXTURE_VARIANT_ADD(cond_signal_stealing, processes) { PROCESS, 150 };
FIXTURE_SETUP(cond_signal_stealing) { }
FIXTURE_TEARDOWN(cond_signal_stealing) { }

struct stealing {
	int m, cond;
	int waits;	/* channel: the first waiter has the lock, and then is back */
	int done;
};

static int wait_first(void *arg)
{
	struct stealing *s = arg;

	CHECK(kchan_lock(s->m) == 0);
	CHECK(send64(s->waits, 0) == 0);
	CHECK(kchan_cond_wait(s->cond, s->m) == 0);
	CHECK(kchan_unlock(s->m) == 0);
	CHECK(send64(s->waits, 1) == 0);
	return 0;
}

static int broadcast(void *arg)
{
	struct stealing *s = arg;

	CHECK(kchan_arg_call(s->cond, KCHAN_SIGNAL, KCHAN_ALL) >= 1);
	return 0;
}

static int wait_until_done(void *arg)
{
	struct stealing *s = arg;

	CHECK(kchan_lock(s->m) == 0);
	while (!s->done)
		CHECK(kchan_cond_wait(s->cond, s->m) == 0);
	CHECK(kchan_unlock(s->m) == 0);
	return 0;
}

TEST_F_TIMEOUT(cond_signal_stealing, first_waiter_is_woken, 120)
{
	struct stealing *s = shared_alloc(sizeof(*s));
	struct task *tasks[3];
	__u64 v;

	s->m = make_object(KCHAN_KIND_MUTEX, 0);
	s->cond = make_object(KCHAN_KIND_COND, 0);
	s->waits = make_chan(8, 0);
	for (int round = 0; round < FEWER(variant->rounds); round++) {
		s->done = 0;
		tasks[0] = task_start(variant->kind, wait_first, s);
		ASSERT_EQ(1, recv64(s->waits, &v));
		/* It gives the lock back only in its wait. */
		ASSERT_EQ(0, kchan_lock(s->m));
		ASSERT_EQ(0, kchan_unlock(s->m));
		tasks[1] = task_start(variant->kind, broadcast, s);
		tasks[2] = task_start(variant->kind, wait_until_done, s);
		ASSERT_EQ(1, recv64_until(s->waits, &v, now() + PATIENCE_NS));
		ASSERT_EQ(0, kchan_lock(s->m));
		s->done = 1;
		ASSERT_EQ(0, kchan_unlock(s->m));
		ASSERT_LE(0, kchan_arg_call(s->cond, KCHAN_SIGNAL, KCHAN_ALL));
		for (int i = 0; i < 3; i++) {
			ASSERT_EQ(0, task_join(tasks[i]));
		}
	}
}

TEST_HARNESS_MAIN
