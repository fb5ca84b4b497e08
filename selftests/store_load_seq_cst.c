// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestStoreLoadSeqCst64, on cells: each of two tasks stores to its own cell
 * and then loads the other's.  Of the two at least one must see the other's
 * store; a machine that does not order a store before a later load shows neither.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { ROUNDS = FEWER(5000) };

TASK_FIXTURE(store_load_seq_cst);

#define NOT_YET	ULLONG_MAX

/* Cells: each task's number, and three acknowledgements of each. */
struct sides {
	int fd;
	int next;
};

static __u64 *number(struct kchan_cell *cells, int side)
{
	return &cells[side].value;
}

static __u64 *ack(struct kchan_cell *cells, int side, __u64 round)
{
	return &cells[2 + side * 3 + round % 3].value;
}

static __u64 wait_for_ack(struct kchan_cell *cells, int side, __u64 round)
{
	__u64 value;

	for (int spins = 1; (value = load(ack(cells, side, round))) == NOT_YET; spins++) {
		if (spins % 1000 == 0)
			sched_yield();
	}
	return value;
}

static int store_and_load(void *arg)
{
	struct sides *s = arg;
	int me = count_up(&s->next), he = 1 - me;
	struct kchan_cell *cells = map_cells(s->fd, 8);

	for (__u64 i = 1; i < ROUNDS; i++) {
		__u64 mine, his;

		store(number(cells, me), i);
		mine = load(number(cells, he));
		store(ack(cells, me, i), mine);
		his = wait_for_ack(cells, he, i);
		CHECK(mine == i || mine == i - 1);
		CHECK(his == i || his == i - 1);
		CHECK(mine == i || his == i);
		store(ack(cells, me, i - 1), NOT_YET);
	}
	munmap(cells, 8 * sizeof(*cells));
	return 0;
}

TEST_F(store_load_seq_cst, one_sees_the_other)
{
	struct sides *s = shared_alloc(sizeof(*s));
	struct kchan_cell *cells;
	struct task *tasks[2];

	s->fd = make_object(KCHAN_KIND_CELLS, 8);
	cells = map_cells(s->fd, 8);
	for (int i = 2; i < 8; i++)
		store(&cells[i].value, NOT_YET);
	for (int i = 0; i < 2; i++)
		tasks[i] = task_start(variant->kind, store_and_load, s);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
}

TEST_HARNESS_MAIN
