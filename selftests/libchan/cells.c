// SPDX-License-Identifier: GPL-2.0-only
/* Cells through libchan: C11's operations, between processes, and waiting. */
#include "kselftest_harness.h"
#include "chan_util.h"

#define MANY 1000

/* -errno of an operation that has UINT64_MAX for "failed". */
#define err64(call) ({							\
	uint64_t _ret;							\
									\
	errno = 0;							\
	_ret = (call);							\
	_ret == UINT64_MAX ? -errno : 1;				\
})

TEST(operations)
{
	struct chan_cells *cells = must_have(chan_cells_make(2));
	uint64_t expected = 3;

	EXPECT_EQ(2, chan_cells_count(cells));
	EXPECT_EQ(0, chan_cells_load(cells, 0));
	EXPECT_EQ(0, err(chan_cells_store(cells, 0, 5)));
	EXPECT_EQ(5, chan_cells_load(cells, 0));
	EXPECT_EQ(5, chan_cells_add(cells, 0, 2));
	EXPECT_EQ(7, chan_cells_add(cells, 0, (uint64_t)-4));
	EXPECT_EQ(3, chan_cells_or(cells, 0, 12));
	EXPECT_EQ(15, chan_cells_and(cells, 0, 9));
	EXPECT_EQ(9, chan_cells_swap(cells, 0, UINT64_MAX));
	EXPECT_EQ(0, err(chan_cells_cas(cells, 0, &expected, 1)));
	EXPECT_EQ(UINT64_MAX, expected);
	EXPECT_EQ(1, err(chan_cells_cas(cells, 0, &expected, 1)));
	EXPECT_EQ(UINT64_MAX, expected);
	EXPECT_EQ(1, chan_cells_load(cells, 0));
	EXPECT_EQ(0, chan_cells_load(cells, 1));
	chan_cells_drop(cells);
}

TEST(success_leaves_errno)
{
	struct chan_cells *cells = must_have(chan_cells_make(1));

	errno = EDOM;
	chan_cells_store(cells, 0, UINT64_MAX);
	EXPECT_EQ(UINT64_MAX, chan_cells_load(cells, 0));
	EXPECT_EQ(UINT64_MAX, chan_cells_swap(cells, 0, 1));
	EXPECT_EQ(EDOM, errno);
	chan_cells_drop(cells);
}

TEST(no_such_cell)
{
	struct chan_cells *cells = must_have(chan_cells_make(3));
	uint64_t value = 0;

	for (int i = 0; i < 3; i++) {
		const size_t none[] = { 3, (size_t)1 << 32, SIZE_MAX };

		EXPECT_EQ(-EINVAL, err64(chan_cells_load(cells, none[i])));
		EXPECT_EQ(-EINVAL, err64(chan_cells_add(cells, none[i], 1)));
		EXPECT_EQ(-EINVAL, err64(chan_cells_and(cells, none[i], 1)));
		EXPECT_EQ(-EINVAL, err64(chan_cells_or(cells, none[i], 1)));
		EXPECT_EQ(-EINVAL, err64(chan_cells_swap(cells, none[i], 1)));
		EXPECT_EQ(-EINVAL, err(chan_cells_store(cells, none[i], 1)));
		EXPECT_EQ(-EINVAL, err(chan_cells_cas(cells, none[i], &value, 1)));
		EXPECT_EQ(-EINVAL, err(chan_cells_wait(cells, none[i], 0, NULL)));
	}
	EXPECT_EQ(-EBADF, err64(chan_cells_load(NULL, 0)));
	EXPECT_EQ(-EBADF, err64(chan_cells_swap(NULL, 0, 1)));
	EXPECT_EQ(-EINVAL, err_handle(chan_cells_make(0)));
	EXPECT_EQ(-EINVAL, err_handle(chan_cells_make(CHAN_CELLS_MAX + 1)));
	chan_cells_drop(cells);
}

TEST(most_cells)
{
	struct chan_cells *cells = must_have(chan_cells_make(CHAN_CELLS_MAX));

	for (size_t i = 0; i < CHAN_CELLS_MAX; i++)
		must(chan_cells_add(cells, i, i + 1) == 0);
	for (size_t i = 0; i < CHAN_CELLS_MAX; i++)
		must(chan_cells_load(cells, i) == i + 1);
	chan_cells_drop(cells);
}

/* ---- rights ---- */

TEST(read_only_handle_reads_and_waits)
{
	struct chan_cells *cells = must_have(chan_cells_make(1));
	struct chan_cells *reads = must_have(chan_cells_restrict(cells, CHAN_RECV));
	uint64_t value = 0;

	EXPECT_EQ(0, err(chan_cells_store(cells, 0, 8)));
	EXPECT_EQ(8, chan_cells_load(reads, 0));
	EXPECT_EQ(1, chan_cells_count(reads));
	EXPECT_EQ(-EBADF, err(chan_cells_store(reads, 0, 1)));
	EXPECT_EQ(-EBADF, err64(chan_cells_add(reads, 0, 1)));
	EXPECT_EQ(-EBADF, err64(chan_cells_and(reads, 0, 1)));
	EXPECT_EQ(-EBADF, err64(chan_cells_or(reads, 0, 1)));
	EXPECT_EQ(-EBADF, err64(chan_cells_swap(reads, 0, 1)));
	EXPECT_EQ(-EBADF, err(chan_cells_cas(reads, 0, &value, 1)));
	EXPECT_EQ(0, err(chan_cells_wait(reads, 0, 0, &value)));
	EXPECT_EQ(8, value);
	EXPECT_EQ(8, chan_cells_load(cells, 0));
	chan_cells_drop(reads);
	chan_cells_drop(cells);
}

static int read_only_map(void *arg)
{
	struct chan_cells *cells = arg;
	void *p = mmap(NULL, 64, PROT_READ | PROT_WRITE, MAP_SHARED, chan_cells_fd(cells), 0);

	CHECK(p == MAP_FAILED && (errno == EACCES || errno == EPERM));
	return 0;
}

/* It is the kernel that sees to it, not the library. */
TEST(read_only_handle_maps_read_only)
{
	struct chan_cells *cells = must_have(chan_cells_make(1));
	struct chan_cells *reads = must_have(chan_cells_restrict(cells, CHAN_RECV));

	EXPECT_EQ(0, read_only_map(reads));
	chan_cells_drop(reads);
	chan_cells_drop(cells);
}

TEST(write_only_handle_has_no_cells)
{
	struct chan_cells *cells = must_have(chan_cells_make(1));
	struct chan_cells *writes = must_have(chan_cells_restrict(cells, CHAN_SEND)), *same;

	EXPECT_EQ(-EBADF, err64(chan_cells_load(writes, 0)));
	EXPECT_EQ(-EBADF, err(chan_cells_store(writes, 0, 1)));
	EXPECT_EQ(-EBADF, err(chan_cells_try_wait(writes, 0, 1, NULL)));
	same = must_have(chan_cells_from_fd(chan_cells_into_fd(writes)));
	EXPECT_EQ(-EBADF, err64(chan_cells_load(same, 0)));
	chan_cells_drop(same);
	chan_cells_drop(cells);
}

/* ---- between threads and processes ---- */

static int add_many(void *arg)
{
	struct chan_cells *mine = chan_cells_from_fd(dup(chan_cells_fd(arg)));

	CHECK(mine);
	for (int i = 0; i < MANY; i++) {
		chan_cells_add(mine, 1, 1);
		chan_cells_add(arg, 1, 1);
	}
	chan_cells_drop(mine);
	return 0;
}

TASK_FIXTURE(cells)

TEST_F(cells, no_addition_is_lost)
{
	struct chan_cells *cells = must_have(chan_cells_make(2));
	struct task *tasks[4];

	for (int i = 0; i < 4; i++)
		tasks[i] = task_start(variant->kind, add_many, cells);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(0, task_join(tasks[i]));
	EXPECT_EQ(4 * 2 * MANY, chan_cells_load(cells, 1));
	chan_cells_drop(cells);
}


/* Cell 0 counts up here, cell 1 there, each waiting for the other. */
static int answer(void *arg)
{
	struct chan_cells *cells = arg;

	for (uint64_t i = 0; i < MANY; i++) {
		uint64_t value = 0;

		CHECK(!chan_cells_wait(cells, 0, i, &value) && value == i + 1);
		CHECK(chan_cells_add(cells, 1, 1) == i);
	}
	return 0;
}

TEST_F(cells, no_change_is_missed)
{
	struct chan_cells *cells = must_have(chan_cells_make(2));
	struct task *task = task_start(variant->kind, answer, cells);
	uint64_t value = 0;

	for (uint64_t i = 0; i < MANY; i++) {
		ASSERT_EQ(i, chan_cells_add(cells, 0, 1));
		ASSERT_EQ(0, err(chan_cells_wait(cells, 1, i, &value)));
		ASSERT_EQ(i + 1, value);
	}
	EXPECT_EQ(0, task_join(task));
	chan_cells_drop(cells);
}

/* ---- every operation wakes ---- */

static int wait_for_change(void *arg)
{
	struct chan_cells *cells = arg;

	return -err(chan_cells_wait(cells, 0, 1, NULL));
}

static void change(struct chan_cells *cells, int how)
{
	uint64_t one = 1;

	switch (how) {
	case 0:
		must(!chan_cells_store(cells, 0, 2));
		break;
	case 1:
		must(chan_cells_add(cells, 0, 1) == 1);
		break;
	case 2:
		must(chan_cells_and(cells, 0, 0) == 1);
		break;
	case 3:
		must(chan_cells_or(cells, 0, 2) == 1);
		break;
	case 4:
		must(chan_cells_swap(cells, 0, 2) == 1);
		break;
	case 5:
		must(chan_cells_cas(cells, 0, &one, 2) == 1);
		break;
	}
}

TEST_F(cells, every_change_wakes)
{
	for (int how = 0; how <= 5; how++) {
		struct chan_cells *cells = must_have(chan_cells_make(1));
		struct task *task;

		ASSERT_EQ(0, err(chan_cells_store(cells, 0, 1)));
		task = task_start(variant->kind, wait_for_change, cells);
		wait_blocked(cells, 0, 1);
		errno = EDOM;
		change(cells, how);
		EXPECT_EQ(EDOM, errno);
		EXPECT_EQ(0, task_join(task));
		chan_cells_drop(cells);
	}
}

/* A cell that is set to what it was wakes nobody. */
TEST_F(cells, no_change_wakes_nobody)
{
	struct chan_cells *cells = must_have(chan_cells_make(1));
	struct task *task;

	ASSERT_EQ(0, err(chan_cells_store(cells, 0, 1)));
	task = task_start(variant->kind, wait_for_change, cells);
	wait_blocked(cells, 0, 1);
	EXPECT_EQ(0, err(chan_cells_store(cells, 0, 1)));
	EXPECT_TRUE(waiting(chan_cells_fd(cells), 0, 1));
	EXPECT_EQ(0, err(chan_cells_store(cells, 0, 3)));
	EXPECT_EQ(0, task_join(task));
	chan_cells_drop(cells);
}

TEST_HARNESS_MAIN
