// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestCondBroadcast: a broadcast wakes all who wait, each once, again and
 * again.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { N = 60 };

TASK_FIXTURE(cond_broadcast);

struct broadcast {
	int m, cond;
	int running, awake;	/* channels */
	int next, exit;
};

static int wait_for_each(void *arg)
{
	struct broadcast *b = arg;
	int me = count_up(&b->next);

	CHECK(kchan_lock(b->m) == 0);
	while (!b->exit) {
		CHECK(send64(b->running, me) == 0);
		CHECK(kchan_cond_wait(b->cond, b->m) == 0);
		CHECK(send64(b->awake, me) == 0);
	}
	CHECK(kchan_unlock(b->m) == 0);
	return 0;
}

static void collect_awake(struct __test_metadata *_metadata, struct broadcast *b)
{
	bool seen[N] = { false };
	__u64 v;

	for (int i = 0; i < N; i++) {
		ASSERT_EQ(1, recv64(b->awake, &v));
		ASSERT_GT(N, v);
		ASSERT_EQ(false, seen[v]) TH_LOG("%llu woke up twice", v);
		seen[v] = true;
	}
}

TEST_F_TIMEOUT(cond_broadcast, wakes_all, 120)
{
	struct broadcast *b = shared_alloc(sizeof(*b));
	struct task *tasks[N];
	__u64 v;

	b->m = make_object(KCHAN_KIND_MUTEX, 0);
	b->cond = make_object(KCHAN_KIND_COND, 0);
	b->running = make_chan(8, N);
	b->awake = make_chan(8, N);
	for (int i = 0; i < N; i++)
		tasks[i] = task_start(variant->kind, wait_for_each, b);
	for (int round = 0; round < N; round++) {
		for (int i = 0; i < N; i++) {
			ASSERT_EQ(1, recv64(b->running, &v));
		}
		ASSERT_EQ(0, kchan_lock(b->m));
		b->exit = round == N - 1;
		EXPECT_EQ(-EAGAIN, try_recv64(b->awake, &v));
		ASSERT_EQ(N, kchan_arg_call(b->cond, KCHAN_SIGNAL, KCHAN_ALL));
		ASSERT_EQ(0, kchan_unlock(b->m));
		collect_awake(_metadata, b);
	}
	for (int i = 0; i < N; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(-EAGAIN, try_recv64(b->running, &v));
	EXPECT_EQ(0, kchan_arg_call(b->cond, KCHAN_SIGNAL, KCHAN_ALL));
}

TEST_HARNESS_MAIN
