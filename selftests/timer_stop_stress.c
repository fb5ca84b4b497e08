// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestTimerStopStress: a hundred timers with somebody waiting for each, all
 * stopped by a hundred tasks before their time: none of them ticks.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { N = 100 };

#define STOP_AFTER	(NSEC_PER_SEC / 2)
#define TICK_AFTER	(8 * NSEC_PER_SEC)

TASK_FIXTURE(timer_stop_stress);

struct stress {
	int timers[N];
	int go;		/* a wait group: at zero the timers are set, and .start as well */
	__s64 start;
	int next_stop, next_wait, stopped;
};

static int stop_in_time(void *arg)
{
	struct stress *s = arg;
	int timer = s->timers[count_up(&s->next_stop)];
	int no_tick = make_object(KCHAN_KIND_TIMER, 0);

	CHECK(kchan_zero(s->go, NULL) == 0);
	/* A sleep: nothing sets this one. */
	CHECK(op_until(no_tick, KCHAN_OP_TICK, 0, s->start + STOP_AFTER) == -ETIMEDOUT);
	CHECK(set_timer(timer, 0, 0, 0) == 1);
	CHECK(now() < s->start + TICK_AFTER);
	count_up(&s->stopped);
	close(no_tick);
	return 0;
}

static int see_no_tick(void *arg)
{
	struct stress *s = arg;
	int timer = s->timers[count_up(&s->next_wait)];

	CHECK(kchan_zero(s->go, NULL) == 0);
	CHECK(op_until(timer, KCHAN_OP_TICK, 0, s->start + TICK_AFTER + STOP_AFTER) == -ETIMEDOUT);
	return 0;
}

TEST_F_TIMEOUT(timer_stop_stress, none_ticks, 90)
{
	struct stress *s = shared_alloc(sizeof(*s));
	struct task *tasks[2 * N];

	s->go = make_object(KCHAN_KIND_WAITGROUP, 0);
	ASSERT_EQ(0, kchan_add(s->go, 1));
	for (int i = 0; i < N; i++)
		s->timers[i] = make_object(KCHAN_KIND_TIMER, 0);
	for (int i = 0; i < N; i++) {
		tasks[i] = task_start(variant->kind, see_no_tick, s);
		tasks[N + i] = task_start(variant->kind, stop_in_time, s);
	}
	wait_waiting(s->go, 0, 2 * N);
	s->start = now();
	for (int i = 0; i < N; i++) {
		ASSERT_EQ(0, set_timer(s->timers[i], KCHAN_DEADLINE, s->start + TICK_AFTER, 0));
	}
	ASSERT_EQ(0, kchan_done(s->go, 1));
	for (int i = 0; i < 2 * N; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(N, s->stopped);
}

TEST_HARNESS_MAIN
