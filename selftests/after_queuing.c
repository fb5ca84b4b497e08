// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestAfterQueuing: many timers, set in no order, are waited for by as many
 * tasks, and tick in the order of their deadlines, none before its own.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

static const int slots[] = { 5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0 };

enum { N = ARRAY_LEN(slots), ATTEMPTS = 5 };

TASK_FIXTURE(after_queuing);

struct waits {
	int timers[N];
	int results;	/* a channel of slots */
	int next;
	__s64 start, delta;
};

static int await(void *arg)
{
	struct waits *w = arg;
	int me = count_up(&w->next);
	__u64 ticks;

	CHECK(kchan_wait_op(w->timers[me], KCHAN_OP_TICK, 0, 0, 0, 0, &ticks) == 0);
	CHECK(ticks == 1);
	CHECK(now() >= w->start + slots[me] * w->delta);
	return send64(w->results, slots[me]);
}

static struct waits *make_waits(__s64 delta)
{
	struct waits *w = shared_alloc(sizeof(*w));

	w->results = make_chan(8, N);
	w->delta = delta;
	for (int i = 0; i < N; i++)
		w->timers[i] = make_object(KCHAN_KIND_TIMER, 0);
	return w;
}

static void set_timers(struct waits *w)
{
	w->start = now();
	for (int i = 0; i < N; i++)
		must(!set_timer(w->timers[i], KCHAN_DEADLINE, w->start + slots[i] * w->delta, 0));
}

static void free_waits(struct waits *w)
{
	for (int i = 0; i < N; i++)
		close(w->timers[i]);
	close(w->results);
	munmap(w, sizeof(*w));
}

/* Whether the results came in order; a busy machine may wake two tasks the other way. */
static bool in_order(struct __test_metadata *_metadata, enum task_kind kind, __s64 delta)
{
	struct waits *w = make_waits(delta);
	struct task *tasks[N];
	bool ordered = true;
	__u64 last = 0, slot;

	for (int i = 0; i < N; i++)
		tasks[i] = task_start(kind, await, w);
	for (int i = 0; i < N; i++)
		wait_waiting(w->timers[i], 0, 1);
	set_timers(w);
	for (int i = 0; i < N; i++) {
		EXPECT_EQ(1, recv64(w->results, &slot));
		ordered = ordered && last <= slot;
		last = slot;
	}
	for (int i = 0; i < N; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	free_waits(w);
	return ordered;
}

TEST_F_TIMEOUT(after_queuing, in_order, 60)
{
	__s64 delta = 20 * NSEC_PER_MSEC;

	/* What is the machine's doing, and not the timers', passes when they are apart. */
	for (int i = 0; i < ATTEMPTS; i++) {
		if (in_order(_metadata, variant->kind, delta))
			return;
		TH_LOG("%lld ms apart: woken out of order", delta / NSEC_PER_MSEC);
		delta *= 3;
	}
	EXPECT_EQ(true, false);
}

TEST_HARNESS_MAIN
