// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestHammer64: each way to change a cell, hammered by four tasks at once,
 * every one with a mapping of its own.  No change is lost.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { TASKS = 4, ROUNDS = FEWER(20000) };

TASK_FIXTURE(hammer64);

struct hammer {
	int fd;
	int (*change)(__u64 *value, __u64 round, int me);
	int next;
};

static int hammer(void *arg)
{
	struct hammer *h = arg;
	int me = count_up(&h->next);
	struct kchan_cell *cells = map_cells(h->fd, 1);

	for (__u64 i = 0; i < ROUNDS; i++)
		CHECK(h->change(&cells[0].value, i, me) == 0);
	munmap(cells, sizeof(*cells));
	return 0;
}

static __u64 hammered(struct __test_metadata *_metadata, enum task_kind kind,
		      int (*change)(__u64 *value, __u64 round, int me))
{
	struct hammer *h = shared_alloc(sizeof(*h));
	struct task *tasks[TASKS];

	*h = (struct hammer){ .fd = make_object(KCHAN_KIND_CELLS, 1), .change = change };
	for (int i = 0; i < TASKS; i++)
		tasks[i] = task_start(kind, hammer, h);
	for (int i = 0; i < TASKS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	return load(&map_cells(h->fd, 1)->value);
}

static int add(__u64 *value, __u64 round, int me)
{
	__atomic_fetch_add(value, 1, __ATOMIC_SEQ_CST);
	return 0;
}

TEST_F(hammer64, add)
{
	EXPECT_EQ(TASKS * ROUNDS, hammered(_metadata, variant->kind, add));
}

static int compare_and_swap(__u64 *value, __u64 round, int me)
{
	__u64 old = load(value);

	while (!__atomic_compare_exchange_n(value, &old, old + 1, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST))
		;
	return 0;
}

TEST_F(hammer64, compare_and_swap)
{
	EXPECT_EQ(TASKS * ROUNDS, hammered(_metadata, variant->kind, compare_and_swap));
}

/* Both halves are always equal: no store or load is torn. */
static int swap(__u64 *value, __u64 round, int me)
{
	__u64 old = __atomic_exchange_n(value, round << 32 | round, __ATOMIC_SEQ_CST);

	CHECK(old >> 32 == (old & UINT_MAX));
	return 0;
}

TEST_F(hammer64, swap)
{
	__u64 value = hammered(_metadata, variant->kind, swap);

	EXPECT_EQ(value >> 32, value & UINT_MAX);
}

static int load_and_store(__u64 *value, __u64 round, int me)
{
	__u64 old = load(value);

	CHECK(old >> 32 == (old & UINT_MAX));
	store(value, round << 32 | round);
	return 0;
}

TEST_F(hammer64, load_and_store)
{
	__u64 value = hammered(_metadata, variant->kind, load_and_store);

	EXPECT_EQ((__u64)(ROUNDS - 1) << 32 | (ROUNDS - 1), value);
}

/* Each has a bit of its own, which nobody else's change may touch. */
static int or_and_and(__u64 *value, __u64 round, int me)
{
	__u64 bit = 1ull << (me * 16 + round % 16);

	CHECK(!(__atomic_fetch_or(value, bit, __ATOMIC_SEQ_CST) & bit));
	CHECK(__atomic_fetch_and(value, ~bit, __ATOMIC_SEQ_CST) & bit);
	return 0;
}

TEST_F(hammer64, or_and_and)
{
	EXPECT_EQ(0, hammered(_metadata, variant->kind, or_and_and));
}

TEST_HARNESS_MAIN
