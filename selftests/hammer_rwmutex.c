// SPDX-License-Identifier: GPL-2.0-only
/* Go's TestRWMutex and its HammerRWMutex: two writers among many readers. */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { WRITER = 10000, ROUNDS = FEWER(500) };

TASK_FIXTURE(hammer_rwmutex);

TEST(try_locks)
{
	int m = make_object(KCHAN_KIND_RWMUTEX, 0);

	ASSERT_EQ(0, kchan_lock(m));
	EXPECT_EQ(-EAGAIN, kchan_try_lock(m));
	EXPECT_EQ(-EAGAIN, kchan_try_rlock(m));
	ASSERT_EQ(0, kchan_unlock(m));

	EXPECT_EQ(0, kchan_try_lock(m));
	ASSERT_EQ(0, kchan_unlock(m));
	EXPECT_EQ(0, kchan_try_rlock(m));
	EXPECT_EQ(0, kchan_try_rlock(m));
	EXPECT_EQ(2, chan_stat(m).length);
	EXPECT_EQ(-EAGAIN, kchan_try_lock(m));
	ASSERT_EQ(0, kchan_runlock(m));
	EXPECT_EQ(1, chan_stat(m).length);
	EXPECT_EQ(-EAGAIN, kchan_try_lock(m));
	ASSERT_EQ(0, kchan_runlock(m));
	EXPECT_EQ(0, chan_stat(m).length);
	EXPECT_EQ(0, kchan_try_lock(m));
}

struct hammer {
	int m;
	int active;	/* readers inside, and WRITER for each writer */
};

static void dawdle(void)
{
	for (int i = 0; i < 100; i++)
		__asm__ volatile("");
}

static int read_again_and_again(void *arg)
{
	struct hammer *h = arg;

	for (int i = 0; i < ROUNDS; i++) {
		int n;

		CHECK(kchan_rlock(h->m) == 0);
		n = __atomic_add_fetch(&h->active, 1, __ATOMIC_SEQ_CST);
		CHECK(n >= 1 && n < WRITER);
		dawdle();
		__atomic_sub_fetch(&h->active, 1, __ATOMIC_SEQ_CST);
		CHECK(kchan_runlock(h->m) == 0);
	}
	return 0;
}

static int write_again_and_again(void *arg)
{
	struct hammer *h = arg;

	for (int i = 0; i < ROUNDS; i++) {
		CHECK(kchan_lock(h->m) == 0);
		CHECK(__atomic_add_fetch(&h->active, WRITER, __ATOMIC_SEQ_CST) == WRITER);
		dawdle();
		__atomic_sub_fetch(&h->active, WRITER, __ATOMIC_SEQ_CST);
		CHECK(kchan_unlock(h->m) == 0);
	}
	return 0;
}

static void hammer(struct __test_metadata *_metadata, enum task_kind kind, int readers)
{
	struct hammer *h = shared_alloc(sizeof(*h));
	struct task *tasks[2 + 10];

	h->m = make_object(KCHAN_KIND_RWMUTEX, 0);
	for (int i = 0; i < readers + 2; i++) {
		bool writes = i == 0 || i == 1 + readers / 2;

		tasks[i] = task_start(kind, writes ? write_again_and_again : read_again_and_again,
				      h);
	}
	for (int i = 0; i < readers + 2; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(0, h->active);
	EXPECT_EQ(0, chan_stat(h->m).state);
	EXPECT_EQ(0, chan_stat(h->m).length);
	EXPECT_EQ(true, waiting(h->m, 0, 0));
	close(h->m);
	munmap(h, sizeof(*h));
}

/* Where Go sets GOMAXPROCS to 1, all tasks share one processor. */
TEST_F(hammer_rwmutex, on_one_processor)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	hammer(_metadata, variant->kind, 1);
	hammer(_metadata, variant->kind, 3);
	hammer(_metadata, variant->kind, 10);
}

TEST_F(hammer_rwmutex, on_all_processors)
{
	hammer(_metadata, variant->kind, 1);
	hammer(_metadata, variant->kind, 3);
	hammer(_metadata, variant->kind, 5);
	hammer(_metadata, variant->kind, 10);
}

TEST_HARNESS_MAIN
