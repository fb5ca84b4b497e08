// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestRLocker: read locks, taken twice over, keep a writer out, and the
 * writer keeps them out.  One thread locks and another unlocks, so these are the
 * threads of one process.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { ROUNDS = 10 };

struct rlocker {
	int m;
	int rlocked, wlocked;	/* channels */
};

static int lock_both_ways(void *arg)
{
	struct rlocker *r = arg;

	for (int i = 0; i < ROUNDS; i++) {
		CHECK(kchan_rlock(r->m) == 0);
		CHECK(kchan_rlock(r->m) == 0);
		CHECK(send64(r->rlocked, i) == 0);
		CHECK(kchan_lock(r->m) == 0);
		CHECK(send64(r->wlocked, i) == 0);
	}
	return 0;
}

TEST(rlocker)
{
	struct rlocker r = { make_object(KCHAN_KIND_RWMUTEX, 0), make_chan(8, 1), make_chan(8, 1) };
	struct task *t = task_start(THREAD, lock_both_ways, &r);
	__u64 v;

	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(1, recv64(r.rlocked, &v));
		/* Blocked, for sure, before and after one of its two read locks goes. */
		wait_waiting(r.m, 1, 0);
		ASSERT_EQ(0, kchan_runlock(r.m));
		EXPECT_EQ(true, waiting(r.m, 1, 0));
		EXPECT_EQ(-EAGAIN, try_recv64(r.wlocked, &v));
		ASSERT_EQ(0, kchan_runlock(r.m));
		ASSERT_EQ(1, recv64(r.wlocked, &v));
		if (i < ROUNDS - 1)
			wait_waiting(r.m, 0, 1);
		EXPECT_EQ(-EAGAIN, try_recv64(r.rlocked, &v));
		ASSERT_EQ(0, kchan_unlock(r.m));
	}
	EXPECT_EQ(0, task_join(t));
}

TEST_HARNESS_MAIN
