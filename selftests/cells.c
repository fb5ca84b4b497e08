// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cells: numbers in memory that processes share, and a wait in the kernel until
 * one differs.  The mapping has the rights of its handle; and whoever dies
 * between its change and its signal leaves nobody asleep.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

#define CELL	sizeof(struct kchan_cell)

TASK_FIXTURE(cells);

static int make_cells(__u64 n)
{
	return make_object(KCHAN_KIND_CELLS, n);
}

static int differs_now(int fd, __u32 index, __u64 from, __u64 *value)
{
	return kchan_wait_op(fd, KCHAN_OP_DIFFERS, index, from, KCHAN_NONBLOCK, 0, value);
}

static struct one_op *new_differs(int fd, __u32 index, __u64 from)
{
	struct one_op *op = new_op(fd, KCHAN_OP_DIFFERS, from);

	op->index = index;
	return op;
}

/* ---- the mapping ---- */

TEST(begins_with_zeros)
{
	int fd = make_cells(100);
	struct kchan_cell *cells = map_cells(fd, 100), zero = { 0 };

	EXPECT_EQ(64, CELL);
	EXPECT_EQ(100, chan_stat(fd).capacity);
	for (int i = 0; i < 100; i++) {
		EXPECT_EQ(0, memcmp(&cells[i], &zero, CELL));
	}
}

TEST(all_mappings_are_one)
{
	int fd = make_cells(64), copy = restrict_to(fd, BOTH_RIGHTS);
	struct kchan_cell *a = map_cells(fd, 64), *b = map_cells(copy, 64);
	__u64 value;

	store(&a[63].value, 7);
	EXPECT_EQ(7, load(&b[63].value));
	EXPECT_EQ(7, __atomic_fetch_add(&b[63].value, 1, __ATOMIC_SEQ_CST));
	EXPECT_EQ(8, load(&a[63].value));
	EXPECT_EQ(0, differs_now(fd, 63, 7, &value));
	EXPECT_EQ(8, value);
}

/* It outlives its handle, and is inherited. */
static int add_100(void *arg)
{
	struct kchan_cell *cells = arg;

	for (int i = 0; i < 100; i++)
		count_up(&cells[0].value);
	return 0;
}

TEST_F(cells, mapping_without_a_handle)
{
	int fd = make_cells(1);
	struct kchan_cell *cells = map_cells(fd, 1);

	close(fd);
	EXPECT_EQ(0, task_join(task_start(variant->kind, add_100, cells)));
	EXPECT_EQ(100, load(&cells[0].value));
	EXPECT_EQ(0, munmap(cells, CELL));
}

static void *try_map(int fd, size_t len, int prot, int flags, off_t offset)
{
	void *p = mmap(NULL, len, prot, flags, fd, offset);

	return p == MAP_FAILED ? NULL : p;
}

TEST(maps_that_are_refused)
{
	int fd = make_cells(65);	/* two pages */

	EXPECT_EQ(NULL, try_map(fd, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(NULL, try_map(fd, PAGE, PROT_READ, MAP_PRIVATE, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(NULL, try_map(fd, PAGE, PROT_READ, MAP_SHARED, PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(NULL, try_map(fd, 2 * PAGE + 1, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(NULL, try_map(fd, 1ul << 40, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NE(NULL, try_map(fd, 1, PROT_READ, MAP_SHARED, 0));
	EXPECT_NE(NULL, try_map(fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0));
	EXPECT_NE(NULL, try_map(fd, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0));
}

TEST(read_only_handle_maps_read_only)
{
	int fd = make_cells(1), reader = restrict_to(fd, KCHAN_RIGHT_RECV);
	struct kchan_cell *cells = map_cells(fd, 1), *read_only;

	EXPECT_EQ(NULL, try_map(reader, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(NULL, try_map(reader, PAGE, PROT_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(EACCES, errno);
	read_only = try_map(reader, PAGE, PROT_READ, MAP_SHARED, 0);
	ASSERT_NE(NULL, read_only);
	EXPECT_EQ(-1, mprotect(read_only, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(read_only, PAGE, PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	store(&cells[0].value, 7);
	EXPECT_EQ(7, load(&read_only[0].value));
	/* Nor does a signal of its own come from there. */
	EXPECT_EQ(-EBADF, kchan_arg_call(reader, KCHAN_SIGNAL, 0));
}

static int write_there(void *arg)
{
	*(volatile __u64 *)arg = 1;
	return 0;
}

TEST(writing_read_only_cells_is_a_fault)
{
	int fd = make_cells(1), reader = restrict_to(fd, KCHAN_RIGHT_RECV);
	void *read_only = try_map(reader, PAGE, PROT_READ, MAP_SHARED, 0);

	ASSERT_NE(NULL, read_only);
	EXPECT_EQ(KILLED(SIGSEGV), task_join(task_start(PROCESS, write_there, read_only)));
	/* Neither do other processes' eyes and hands go past it. */
	EXPECT_EQ(0, *(volatile __u64 *)read_only);
}

/* The processor has no memory that can be written and not read. */
TEST(write_only_handle_does_not_map)
{
	int fd = make_cells(1), writer = restrict_to(fd, KCHAN_RIGHT_SEND);

	EXPECT_EQ(NULL, try_map(writer, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(NULL, try_map(writer, PAGE, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, kchan_arg_call(writer, KCHAN_SIGNAL, 0));
}

/* Grown, it would go past the object's end. */
static int grow(void *arg)
{
	__u64 *p = mremap(arg, PAGE, 2 * PAGE, MREMAP_MAYMOVE);

	if (p != MAP_FAILED)
		*(volatile __u64 *)(p + PAGE / sizeof(*p)) = 1;
	return 1;
}

TEST(does_not_grow)
{
	int result = task_join(task_start(PROCESS, grow, map_cells(make_cells(1), 1)));

	EXPECT_EQ(true, result == 1 || result == KILLED(SIGBUS) || result == KILLED(SIGSEGV));
}

/* ---- waiting ---- */

TEST(differs_already)
{
	int fd = make_cells(3);
	struct kchan_cell *cells = map_cells(fd, 3);
	__u64 value;

	EXPECT_EQ(0, kchan_wait_op(fd, KCHAN_OP_DIFFERS, 1, 5, 0, 0, &value));
	EXPECT_EQ(0, value);
	store(&cells[1].value, ULLONG_MAX);
	EXPECT_EQ(0, kchan_wait_op(fd, KCHAN_OP_DIFFERS, 1, 0, 0, 0, &value));
	EXPECT_EQ(ULLONG_MAX, value);
	EXPECT_EQ(-EAGAIN, differs_now(fd, 1, ULLONG_MAX, &value));
	EXPECT_EQ(-EAGAIN, differs_now(fd, 2, 0, &value));
	/* In the upper half alone. */
	store(&cells[2].value, 1ull << 32);
	EXPECT_EQ(0, differs_now(fd, 2, 0, &value));
	EXPECT_EQ(1ull << 32, value);
}

TEST(cells_that_are_not_there)
{
	int fd = make_cells(3);
	__u64 value;

	EXPECT_EQ(-EINVAL, differs_now(fd, 3, 0, &value));
	EXPECT_EQ(-EINVAL, differs_now(fd, KCHAN_MAX_CELLS, 1, &value));
	EXPECT_EQ(-EINVAL, differs_now(fd, UINT_MAX, 1, &value));
	EXPECT_EQ(-EINVAL, kchan_arg_call(fd, KCHAN_SIGNAL, 3));
	EXPECT_EQ(-EINVAL, kchan_arg_call(fd, KCHAN_SIGNAL, -1));
	EXPECT_EQ(-EINVAL, kchan_arg_call(fd, KCHAN_SIGNAL, 1ll << 32));
	EXPECT_EQ(-EINVAL, kchan_arg_call(fd, KCHAN_SIGNAL, LLONG_MIN));
}

TEST_F(cells, signal_wakes_who_waits_for_that_cell)
{
	int fd = make_cells(100);
	struct kchan_cell *cells = map_cells(fd, 100);
	struct one_op *ops[3] = { new_differs(fd, 70, 0), new_differs(fd, 70, 0),
				  new_differs(fd, 71, 0) };
	struct task *tasks[3];

	for (int i = 0; i < 3; i++)
		tasks[i] = task_start(variant->kind, do_one_op, ops[i]);
	wait_waiting(fd, 0, 3);
	EXPECT_EQ(2, load(&cells[70].waiters));
	EXPECT_EQ(1, load(&cells[71].waiters));
	EXPECT_EQ(0, load(&cells[69].waiters));
	store(&cells[70].value, 9);
	ASSERT_LE(0, kchan_arg_call(fd, KCHAN_SIGNAL, 70));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, join_op(tasks[i], ops[i]));
		EXPECT_EQ(9, ops[i]->value);
	}
	EXPECT_EQ(0, load(&cells[70].waiters));
	EXPECT_EQ(true, waiting(fd, 0, 1));
	store(&cells[71].value, 8);
	ASSERT_LE(0, kchan_arg_call(fd, KCHAN_SIGNAL, 71));
	EXPECT_EQ(0, join_op(tasks[2], ops[2]));
	EXPECT_EQ(0, load(&cells[71].waiters));
}

/* Each waits for what it does not know yet. */
TEST_F(cells, only_who_sees_a_difference_wakes)
{
	int fd = make_cells(1);
	struct kchan_cell *cells = map_cells(fd, 1);
	struct one_op *op = new_differs(fd, 0, 0);
	struct task *t = task_start(variant->kind, do_one_op, op);

	wait_waiting(fd, 0, 1);
	for (int i = 0; i < 10; i++) {
		ASSERT_LE(0, kchan_arg_call(fd, KCHAN_SIGNAL, 0));
		EXPECT_EQ(true, waiting(fd, 0, 1));
		EXPECT_EQ(1, load(&cells[0].waiters));
	}
	store(&cells[0].value, 1);
	ASSERT_LE(0, kchan_arg_call(fd, KCHAN_SIGNAL, 0));
	EXPECT_EQ(0, join_op(t, op));
	EXPECT_EQ(1, op->value);
}

TEST(waiters_field_after_giving_up)
{
	int fd = make_cells(1);
	struct kchan_cell *cells = map_cells(fd, 1);
	struct one_op *op = new_differs(fd, 0, 0);
	struct task *t;

	EXPECT_EQ(-ETIMEDOUT, op_until(fd, KCHAN_OP_DIFFERS, 0, in_ms(10)));
	EXPECT_EQ(0, load(&cells[0].waiters));
	t = task_start(PROCESS, do_one_op, op);
	wait_waiting(fd, 0, 1);
	EXPECT_EQ(1, load(&cells[0].waiters));
	task_kill(t);
	task_join(t);
	EXPECT_EQ(0, load(&cells[0].waiters));
}

/* Whatever a user writes there harms nobody but those who rely on it. */
TEST_F(cells, waiters_field_is_scribbled_over)
{
	const __u32 lies[] = { 0, 1, 77, UINT_MAX };

	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		int fd = make_cells(1);
		struct kchan_cell *cells = map_cells(fd, 1);
		struct one_op *op = new_differs(fd, 0, 0);
		struct task *t = task_start(variant->kind, do_one_op, op);

		wait_waiting(fd, 0, 1);
		memset(cells[0].reserved, 0xff, sizeof(cells[0].reserved));
		store(&cells[0].waiters, lies[i]);
		store(&cells[0].value, 1);
		ASSERT_LE(0, kchan_arg_call(fd, KCHAN_SIGNAL, 0));
		EXPECT_EQ(0, join_op(t, op));
		EXPECT_EQ(true, waiting(fd, 0, 0));
		munmap(cells, CELL);
		close(fd);
	}
}

/* ---- whoever dies, or unmaps, before its signal ---- */

enum farewell { DIES, UNMAPS, EXITS, EXECS };

struct writer {
	int fd;
	enum farewell how;
	int changed, go;
};

static int change_and_go(void *arg)
{
	struct writer *w = arg;
	struct kchan_cell *cells = map_cells(w->fd, 1);

	wait_until(load(&w->go));
	store(&cells[0].value, 7);
	store(&w->changed, 1);
	if (w->how == DIES)
		raise(SIGKILL);
	if (w->how == EXITS)
		return 0;
	if (w->how == EXECS)
		exec_sleep();
	munmap(cells, CELL);
	pause();
	return 0;
}

TEST_F(cells, change_without_a_signal)
{
	for (enum farewell how = DIES; how <= EXECS; how++) {
		struct writer *w = shared_alloc(sizeof(*w));
		struct task *writer, *t;
		struct one_op *op;

		*w = (struct writer){ .fd = make_cells(1), .how = how };
		op = new_differs(w->fd, 0, 0);
		writer = task_start(PROCESS, change_and_go, w);
		t = task_start(variant->kind, do_one_op, op);
		wait_waiting(w->fd, 0, 1);
		store(&w->go, 1);
		EXPECT_EQ(0, join_op(t, op)) TH_LOG("way %d", how);
		EXPECT_EQ(7, op->value);
		if (how == UNMAPS || how == EXECS)
			task_kill(writer);
		task_join(writer);
		close(w->fd);
	}
}

/* A poller that has ears for nothing but a select finds the same. */
static int select_differs(void *arg)
{
	struct writer *w = arg;
	struct kchan_case cases[2] = { { .fd = -1, .op = KCHAN_OP_RECV }, on_differs(w->fd, 0, 0) };
	struct chosen got = kchan_select(cases, 2, 0, 0);

	CHECK(got.index == 1 && got.outcome == 0 && got.value == 7);
	return 0;
}

TEST_F(cells, change_without_a_signal_and_a_select)
{
	struct writer *w = shared_alloc(sizeof(*w));
	struct task *writer, *t;

	*w = (struct writer){ .fd = make_cells(1), .how = DIES };
	writer = task_start(PROCESS, change_and_go, w);
	t = task_start(variant->kind, select_differs, w);
	wait_waiting(w->fd, 0, 1);
	store(&w->go, 1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(KILLED(SIGKILL), task_join(writer));
}

/* ---- the storms: two sides that wait for each other's changes ---- */

enum { TURNS = FEWER(2000) };

struct turns {
	int fd;
	int next;
};

/* Waits for its turn, which the other gives; a lost wake-up is for ever. */
static int take_turns(void *arg)
{
	struct turns *t = arg;
	struct kchan_cell *cells = map_cells(t->fd, 2);
	__u64 me = count_up(&t->next), value;

	for (__u64 i = me; i < TURNS; i += 2) {
		while ((value = load(&cells[0].value)) != i)
			CHECK(kchan_wait_op(t->fd, KCHAN_OP_DIFFERS, 0, value, 0, 0, NULL) == 0);
		cells[1].value++;	/* plain: this turn is ours */
		store(&cells[0].value, i + 1);
		tell_waiters(t->fd, cells, 0);
	}
	munmap(cells, 2 * CELL);
	return 0;
}

TEST_F(cells, turns)
{
	struct turns *t = shared_alloc(sizeof(*t));
	struct task *tasks[2];
	struct kchan_cell *cells;

	t->fd = make_cells(2);
	for (int i = 0; i < 2; i++)
		tasks[i] = task_start(variant->kind, take_turns, t);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	cells = map_cells(t->fd, 2);
	EXPECT_EQ(TURNS, load(&cells[0].value));
	EXPECT_EQ(TURNS, cells[1].value);
	EXPECT_EQ(0, load(&cells[0].waiters));
}

/* A lock of a cell, with waiting in the kernel: 0 free, 1 taken. */
struct cell_lock {
	int fd;
	__u64 count;	/* plain */
};

enum { LOCKERS = 3, ROUNDS = FEWER(1000) };

static int lock_by_cell(void *arg)
{
	struct cell_lock *l = arg;
	struct kchan_cell *cells = map_cells(l->fd, 1);

	for (int i = 0; i < ROUNDS; i++) {
		__u64 free = 0;

		while (!__atomic_compare_exchange_n(&cells[0].value, &free, 1, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
			CHECK(kchan_wait_op(l->fd, KCHAN_OP_DIFFERS, 0, 1, 0, 0, NULL) == 0);
			free = 0;
		}
		l->count++;
		store(&cells[0].value, 0);
		tell_waiters(l->fd, cells, 0);
	}
	munmap(cells, CELL);
	return 0;
}

TEST_F(cells, lock)
{
	struct cell_lock *l = shared_alloc(sizeof(*l));
	struct task *tasks[LOCKERS];

	l->fd = make_cells(1);
	for (int i = 0; i < LOCKERS; i++)
		tasks[i] = task_start(variant->kind, lock_by_cell, l);
	for (int i = 0; i < LOCKERS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(LOCKERS * ROUNDS, l->count);
}

/* The race: a writer is killed at any moment around its change and its signal. */
static int count_forever(void *arg)
{
	struct turns *t = arg;
	struct kchan_cell *cells = map_cells(t->fd, 1);

	while (count_up(&cells[0].value) < ULLONG_MAX / 2) {
		tell_waiters(t->fd, cells, 0);
		for (int i = 0; i < 300; i++)
			__asm__ volatile("");
	}
	return 0;
}

TEST(killed_at_any_moment)
{
	struct turns *t = shared_alloc(sizeof(*t));
	struct kchan_cell *cells;

	srand(11);
	t->fd = make_cells(1);
	cells = map_cells(t->fd, 1);
	for (int round = 0; round < 60; round++) {
		struct task *writer = task_start(PROCESS, count_forever, t);
		__u64 last = load(&cells[0].value);

		for (int i = rand() % 20; i >= 0; i--)
			ASSERT_EQ(0, kchan_wait_op(t->fd, KCHAN_OP_DIFFERS, 0, last, 0, 0, &last));
		for (int i = rand() % 3000; i; i--)
			__asm__ volatile("");
		task_kill(writer);
		ASSERT_EQ(KILLED(SIGKILL), task_join(writer));
		/* All that it changed is there to be seen, and nothing comes after. */
		last = load(&cells[0].value);
		ASSERT_EQ(-EAGAIN, differs_now(t->fd, 0, last, &last));
	}
}

/*
 * The same, with somebody asleep: after the writer's death the waiter sleeps only
 * if the cell is as it knows it.
 */
struct follower {
	int fd;
	__u64 seen;
};

static int follow(void *arg)
{
	struct follower *f = arg;
	__u64 value = 0;

	while (value != ULLONG_MAX) {
		CHECK(kchan_wait_op(f->fd, KCHAN_OP_DIFFERS, 0, value, 0, 0, &value) == 0);
		store(&f->seen, value);
	}
	return 0;
}

TEST_F(cells, follower_of_the_killed)
{
	struct follower *f = shared_alloc(sizeof(*f));
	struct turns *t = shared_alloc(sizeof(*t));
	struct kchan_cell *cells;
	struct task *follower;

	srand(12);
	f->fd = t->fd = make_cells(1);
	follower = task_start(variant->kind, follow, f);
	for (int round = 0; round < 60; round++) {
		struct task *writer = task_start(PROCESS, count_forever, t);
		__u64 last = load(&f->seen);

		wait_until(load(&f->seen) != last);
		for (int i = rand() % 3000; i; i--)
			__asm__ volatile("");
		task_kill(writer);
		ASSERT_EQ(KILLED(SIGKILL), task_join(writer));
		/* Unmapped here again, so that only the dead could have told it. */
		cells = map_cells(f->fd, 1);
		last = load(&cells[0].value);
		munmap(cells, CELL);
		wait_until(load(&f->seen) == last);
	}
	cells = map_cells(f->fd, 1);
	store(&cells[0].value, ULLONG_MAX);
	tell_waiters(f->fd, cells, 0);
	EXPECT_EQ(0, task_join(follower));
}

TEST_HARNESS_MAIN
