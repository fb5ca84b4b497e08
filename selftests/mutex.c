// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestMutex: lock, try to, and hammer it; with a counter that only the
 * lock protects.  Then who may unlock: the process that holds it, whichever of
 * its threads.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

FIXTURE(mutex) { int unused; };

FIXTURE_VARIANT(mutex) {
	enum task_kind kind;
	__u32 object;
};

FIXTURE_VARIANT_ADD(mutex, threads) { THREAD, KCHAN_KIND_MUTEX };
FIXTURE_VARIANT_ADD(mutex, processes) { PROCESS, KCHAN_KIND_MUTEX };
FIXTURE_VARIANT_ADD(mutex, rwmutex_threads) { THREAD, KCHAN_KIND_RWMUTEX };
FIXTURE_VARIANT_ADD(mutex, rwmutex_processes) { PROCESS, KCHAN_KIND_RWMUTEX };
FIXTURE_SETUP(mutex) { }
FIXTURE_TEARDOWN(mutex) { }

TEST_F(mutex, try_lock)
{
	int m = make_object(variant->object, 0);

	ASSERT_EQ(0, kchan_lock(m));
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(m).state);
	/* Nobody locks it twice, not even its holder. */
	EXPECT_EQ(-EAGAIN, kchan_try_lock(m));
	EXPECT_EQ(0, kchan_unlock(m));
	EXPECT_EQ(0, chan_stat(m).state);
	EXPECT_EQ(0, kchan_try_lock(m));
	EXPECT_EQ(0, kchan_unlock(m));
}

enum { TASKS = 10, ROUNDS = FEWER(1000) };

struct hammer {
	int m;
	__u64 count;	/* plain: the lock protects it */
};

static int hammer(void *arg)
{
	struct hammer *h = arg;

	for (int i = 0; i < ROUNDS; i++) {
		int ret = i % 3 ? kchan_lock(h->m) : kchan_try_lock(h->m);

		if (i % 3 == 0 && ret == -EAGAIN) {
			i--;
			sched_yield();
			continue;
		}
		CHECK(ret == 0);
		h->count++;
		CHECK(kchan_unlock(h->m) == 0);
	}
	return 0;
}

TEST_F(mutex, hammered)
{
	struct hammer *h = shared_alloc(sizeof(*h));
	struct task *tasks[TASKS];

	h->m = make_object(variant->object, 0);
	for (int i = 0; i < TASKS; i++)
		tasks[i] = task_start(variant->kind, hammer, h);
	for (int i = 0; i < TASKS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(TASKS * ROUNDS, h->count);
	EXPECT_EQ(0, chan_stat(h->m).state);
	EXPECT_EQ(true, waiting(h->m, 0, 0));
}

TEST_F(mutex, first_come_first_served)
{
	enum { N = 6 };
	int m = make_object(variant->object, 0);
	struct one_op *ops[N];
	struct task *tasks[N];

	ASSERT_EQ(0, kchan_lock(m));
	for (int i = 0; i < N; i++) {
		ops[i] = new_op(m, KCHAN_OP_LOCK, 0);
		tasks[i] = task_start(THREAD, do_one_op, ops[i]);
		wait_waiting(m, i + 1, 0);
	}
	for (int i = 0; i < N; i++) {
		ASSERT_EQ(0, kchan_unlock(m));
		/* Handed on: not free for a moment. */
		EXPECT_EQ(-EAGAIN, kchan_try_lock(m));
		EXPECT_EQ(0, join_op(tasks[i], ops[i]));
		for (int k = i + 1; k < N; k++) {
			EXPECT_EQ(0, load(&ops[k]->over));
		}
	}
	EXPECT_EQ(0, kchan_unlock(m));
	EXPECT_EQ(0, chan_stat(m).state);
}

static int unlock_it(void *arg)
{
	return -kchan_unlock(*(int *)arg);
}

/* As in Go, one thread may lock and another unlock; another process may not. */
TEST_F(mutex, who_unlocks)
{
	int m = make_object(variant->object, 0);

	ASSERT_EQ(0, kchan_lock(m));
	EXPECT_EQ(variant->kind == THREAD ? 0 : EPERM,
		  task_join(task_start(variant->kind, unlock_it, &m)));
	EXPECT_EQ(variant->kind == THREAD ? 0 : KCHAN_STATE_LOCKED, chan_stat(m).state);
}

static int lock_and_end(void *arg)
{
	return kchan_lock(*(int *)arg);
}

/* The process holds it, not the thread that took it: that may end. */
TEST(thread_that_took_it_ends)
{
	int m = make_object(KCHAN_KIND_MUTEX, 0);

	ASSERT_EQ(0, task_join(task_start(THREAD, lock_and_end, &m)));
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(m).state);
	EXPECT_EQ(-EAGAIN, kchan_try_lock(m));
	EXPECT_EQ(0, kchan_unlock(m));
}

TEST_F(mutex, any_handle_unlocks)
{
	int m = make_object(variant->object, 0), copy = dup(m);
	int handle = restrict_to(m, KCHAN_RIGHT_SEND);

	ASSERT_EQ(0, kchan_lock(copy));
	EXPECT_EQ(0, kchan_unlock(handle));
	ASSERT_EQ(0, kchan_lock(handle));
	close(handle);
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(m).state);
	EXPECT_EQ(0, kchan_unlock(copy));
}

TEST_HARNESS_MAIN
