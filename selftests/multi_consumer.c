// SPDX-License-Identifier: GPL-2.0-only
/* Go's TestMultiConsumer: work for many, results from many, none lost. */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { WORKERS = 11, ITEMS = FEWER(3000) };

static const int strides[] = { 2, 3, 7, 11, 13, 17, 19, 23, 27, 31 };

TASK_FIXTURE(multi_consumer);

struct work {
	int queue, results;
	int workers_left;
	int done[WORKERS];
	int next_worker;
};

/* Some are slower than others. */
static int work_off(void *arg)
{
	struct work *w = arg;
	int me = count_up(&w->next_worker);
	__u64 v;

	while (recv64(w->queue, &v) == 1) {
		if (strides[v % ARRAY_LEN(strides)] == (int)v)
			sched_yield();
		w->done[me]++;
		CHECK(send64(w->results, v * 2) == 0);
	}
	/* The last one out closes. */
	if (__atomic_sub_fetch(&w->workers_left, 1, __ATOMIC_SEQ_CST))
		return 0;
	return chan_close(w->results);
}

static int feed(void *arg)
{
	struct work *w = arg;

	for (int i = 0; i < ITEMS; i++)
		CHECK(send64(w->queue, i + strides[i % ARRAY_LEN(strides)]) == 0);
	return chan_close(w->queue);
}

TEST_F(multi_consumer, sums_agree)
{
	struct work *w = shared_alloc(sizeof(*w));
	struct task *workers[WORKERS], *feeder;
	__u64 expected = 0, sum = 0, v;
	int n = 0, done = 0;

	w->queue = make_chan(8, WORKERS);
	w->results = make_chan(8, WORKERS);
	w->workers_left = WORKERS;
	for (int i = 0; i < WORKERS; i++)
		workers[i] = task_start(variant->kind, work_off, w);
	feeder = task_start(variant->kind, feed, w);
	for (; recv64(w->results, &v) == 1; n++)
		sum += v;
	EXPECT_EQ(0, task_join(feeder));
	for (int i = 0; i < WORKERS; i++) {
		EXPECT_EQ(0, task_join(workers[i]));
		done += w->done[i];
	}
	for (int i = 0; i < ITEMS; i++)
		expected += 2 * (i + strides[i % ARRAY_LEN(strides)]);
	EXPECT_EQ(ITEMS, n);
	EXPECT_EQ(ITEMS, done);
	EXPECT_EQ(expected, sum);
}

TEST_HARNESS_MAIN
