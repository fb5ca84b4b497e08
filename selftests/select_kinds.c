// SPDX-License-Identifier: GPL-2.0-only
/*
 * A select takes operations of every kind of object beside each other, and what
 * holds for channels holds for all: exactly the chosen one is done.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum { CELL = 3, CELLS = 8, CAUSE = ESTALE };

/* ---- how each operation comes to wait, and to be ready ---- */

static void take_one(int fd)
{
	must(!try_op(fd, KCHAN_OP_ADD, 1));
}

static void give_one(int fd)
{
	must(!kchan_arg_call(fd, KCHAN_DONE, 1));
}

static void lock_it(int fd)
{
	must(!try_op(fd, KCHAN_OP_LOCK, 0));
}

static void unlock_it(int fd)
{
	must(!kchan_arg_call(fd, KCHAN_UNLOCK, KCHAN_OP_LOCK));
}

static void once_is_done(int fd)
{
	must(!kchan_arg_call(fd, KCHAN_DONE, 0));
}

static void let_it_tick(int fd)
{
	struct kchan_timer t = { .size = sizeof(t), .flags = KCHAN_DEADLINE };

	must(kchan_call(fd, KCHAN_TIMER, &t) >= 0);
}

static void change_the_cell(int fd)
{
	struct kchan_cell *cells = mmap(NULL, CELLS * sizeof(*cells), PROT_READ | PROT_WRITE,
					MAP_SHARED, fd, 0);

	must(cells != MAP_FAILED);
	store(&cells[CELL].value, 9);
	must(kchan_arg_call(fd, KCHAN_SIGNAL, CELL) >= 0);
	munmap(cells, CELLS * sizeof(*cells));
}

static void cancel_it(int fd)
{
	must(kchan_arg_call(fd, KCHAN_CANCEL, CAUSE) == 1);
}

static void nothing_to_do(int fd)
{
	(void)fd;
}

/*
 * What another finds who tries the same after it was done: that it was, if it can
 * be done only once at a time.
 */
enum after { SAME_AGAIN, WOULD_BLOCK, HELD };

static const struct operation {
	const char *name;
	__u32 kind;
	__u64 limit;
	__u32 op;
	__u32 right;		/* whose waiters are counted */
	__u64 arg;
	void (*block)(int fd);
	void (*ready)(int fd);
	int outcome;
	__u64 value;
	enum after after;
} operations[] = {
	{
		"wait group: zero", KCHAN_KIND_WAITGROUP, 0, KCHAN_OP_ZERO, KCHAN_RIGHT_RECV, 0,
		take_one, give_one, 0, 0, SAME_AGAIN,
	}, {
		"wait group: add", KCHAN_KIND_WAITGROUP, 1, KCHAN_OP_ADD, KCHAN_RIGHT_SEND, 1,
		take_one, give_one, 0, 0, WOULD_BLOCK,
	}, {
		"semaphore: take", KCHAN_KIND_SEMAPHORE, 1, KCHAN_OP_ADD, KCHAN_RIGHT_RECV, 1,
		take_one, give_one, 0, 0, WOULD_BLOCK,
	}, {
		"semaphore: zero", KCHAN_KIND_SEMAPHORE, 1, KCHAN_OP_ZERO, KCHAN_RIGHT_SEND, 0,
		take_one, give_one, 0, 0, SAME_AGAIN,
	}, {
		"mutex: lock", KCHAN_KIND_MUTEX, 0, KCHAN_OP_LOCK, KCHAN_RIGHT_SEND, 0,
		lock_it, unlock_it, 0, 0, HELD,
	}, {
		"rwmutex: lock", KCHAN_KIND_RWMUTEX, 0, KCHAN_OP_LOCK, KCHAN_RIGHT_SEND, 0,
		lock_it, unlock_it, 0, 0, HELD,
	}, {
		"rwmutex: read-lock", KCHAN_KIND_RWMUTEX, 0, KCHAN_OP_RLOCK, KCHAN_RIGHT_RECV, 0,
		lock_it, unlock_it, 0, 0, SAME_AGAIN,
	}, {
		"once", KCHAN_KIND_ONCE, 0, KCHAN_OP_LOCK, KCHAN_RIGHT_SEND, 0,
		lock_it, once_is_done, 1, 0, SAME_AGAIN,
	}, {
		"timer: tick", KCHAN_KIND_TIMER, 0, KCHAN_OP_TICK, KCHAN_RIGHT_RECV, 0,
		nothing_to_do, let_it_tick, 0, 1, WOULD_BLOCK,
	}, {
		"cells: differs", KCHAN_KIND_CELLS, CELLS, KCHAN_OP_DIFFERS, KCHAN_RIGHT_RECV, 0,
		nothing_to_do, change_the_cell, 0, 9, SAME_AGAIN,
	}, {
		"cancel: cancelled", KCHAN_KIND_CANCEL, 0, KCHAN_OP_CANCELLED, KCHAN_RIGHT_RECV, 0,
		nothing_to_do, cancel_it, 0, CAUSE, SAME_AGAIN,
	},
};

enum { OPERATIONS = ARRAY_LEN(operations) };

static struct kchan_case case_of(const struct operation *o, int fd)
{
	return o->op == KCHAN_OP_DIFFERS ? on_differs(fd, CELL, o->arg) : on_op(fd, o->op, o->arg);
}

static int make_blocked(const struct operation *o)
{
	int fd = make_object(o->kind, o->limit);

	o->block(fd);
	return fd;
}

static int try_again(const struct operation *o, int fd, __u64 *value)
{
	return kchan_wait_op(fd, o->op, o->op == KCHAN_OP_DIFFERS ? CELL : 0, o->arg,
			     KCHAN_NONBLOCK, 0, value);
}

static void wait_for_waiter(const struct operation *o, int fd)
{
	wait_waiting(fd, o->right == KCHAN_RIGHT_SEND, o->right == KCHAN_RIGHT_RECV);
}

/* It was done, once: a lock is held by the task's process, which may be gone. */
static void expect_done(struct __test_metadata *_metadata, const struct operation *o, int fd,
			enum task_kind kind)
{
	int held = kind == THREAD ? -EAGAIN : -EOWNERDEAD;
	int seen = try_again(o, fd, NULL);

	EXPECT_EQ(o->after == SAME_AGAIN ? o->outcome : o->after == HELD ? held : -EAGAIN, seen)
		TH_LOG("%s", o->name);
	EXPECT_EQ(true, waiting(fd, 0, 0));
}

TASK_FIXTURE(select_kinds);

/* ---- one at a time, beside a channel ---- */

TEST_F(select_kinds, ready_at_once)
{
	int idle = make_chan(8, 0);

	for (const struct operation *o = operations; o < operations + OPERATIONS; o++) {
		int fd = make_blocked(o);
		struct one_select *s = new_select();

		with_recv(s, idle);
		s->cases[s->nr++] = case_of(o, fd);
		EXPECT_FAILED(EAGAIN, kchan_select(s->cases, s->nr, KCHAN_NONBLOCK, 0));
		EXPECT_FAILED(ETIMEDOUT, kchan_select(s->cases, s->nr, KCHAN_DEADLINE, in_ms(2)));
		EXPECT_EQ(true, waiting(fd, 0, 0));
		o->ready(fd);
		EXPECT_EQ(0, task_join(start_select(variant->kind, s)));
		EXPECT_CHOSE(1, o->outcome, s->chosen);
		EXPECT_EQ(o->value, s->chosen.value) TH_LOG("%s", o->name);
		expect_done(_metadata, o, fd, variant->kind);
		close(fd);
	}
	EXPECT_EQ(true, waiting(idle, 0, 0));
}

TEST_F(select_kinds, woken)
{
	int idle = make_chan(8, 0);

	for (const struct operation *o = operations; o < operations + OPERATIONS; o++) {
		int fd = make_blocked(o);
		struct one_select *s = new_select();
		struct task *t;

		with_recv(s, idle);
		s->cases[s->nr++] = case_of(o, fd);
		t = start_select(variant->kind, s);
		wait_waiting(idle, 0, 1);
		wait_for_waiter(o, fd);
		o->ready(fd);
		EXPECT_EQ(0, task_join(t));
		EXPECT_CHOSE(1, o->outcome, s->chosen);
		EXPECT_EQ(o->value, s->chosen.value) TH_LOG("%s", o->name);
		expect_done(_metadata, o, fd, variant->kind);
		close(fd);
	}
	EXPECT_EQ(true, waiting(idle, 0, 0));
}

/* A message wins: the operation has left no trace. */
TEST_F(select_kinds, not_chosen_is_not_done)
{
	for (const struct operation *o = operations; o < operations + OPERATIONS; o++) {
		int fd = make_blocked(o), c = make_chan(8, 0);
		struct one_select *s = new_select();
		struct kchan_stat before = chan_stat(fd);
		struct task *t;
		__u64 v;

		with_recv(s, c);
		s->cases[s->nr++] = case_of(o, fd);
		t = start_select(variant->kind, s);
		wait_waiting(c, 0, 1);
		wait_for_waiter(o, fd);
		ASSERT_EQ(0, try_send64(c, 5));
		EXPECT_EQ(0, task_join(t));
		EXPECT_CHOSE(0, 1, s->chosen);
		EXPECT_EQ(0, s->chosen.value);
		EXPECT_EQ(true, same_stat(before, fd)) TH_LOG("%s", o->name);
		/* And when it is ready, it is so for the next. */
		o->ready(fd);
		EXPECT_EQ(o->outcome, try_again(o, fd, &v)) TH_LOG("%s", o->name);
		EXPECT_EQ(o->value, v) TH_LOG("%s", o->name);
		close(fd);
		close(c);
	}
}

TEST_F(select_kinds, left_by_a_signal)
{
	catch_signal(SIGUSR1, 0);
	for (const struct operation *o = operations; o < operations + OPERATIONS; o++) {
		int fd = make_blocked(o);
		struct one_select *s = new_select();
		struct kchan_stat before = chan_stat(fd);
		struct task *t;

		s->cases[s->nr++] = case_of(o, fd);
		s->cases[s->nr++] = case_of(o, NO_CHAN);
		t = start_select(variant->kind, s);
		wait_for_waiter(o, fd);
		wait_parked(t);
		task_signal(t, SIGUSR1);
		EXPECT_EQ(0, task_join(t));
		EXPECT_FAILED(EINTR, s->chosen);
		EXPECT_EQ(true, same_stat(before, fd)) TH_LOG("%s", o->name);
		close(fd);
	}
}

/* KCHAN_READY tells, and takes nothing. */
TEST_F(select_kinds, ready_mode)
{
	for (const struct operation *o = operations; o < operations + OPERATIONS; o++) {
		int fd = make_blocked(o), idle = make_chan(8, 0);
		struct one_select *s = new_select();
		struct task *t;
		__u64 v;

		with_recv(s, idle);
		s->cases[s->nr++] = case_of(o, fd);
		s->flags = KCHAN_READY;
		EXPECT_FAILED(EAGAIN, kchan_select(s->cases, s->nr,
						   KCHAN_READY | KCHAN_NONBLOCK, 0));
		t = start_select(variant->kind, s);
		wait_parked(t);
		o->ready(fd);
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(1, s->chosen.index) TH_LOG("%s", o->name);
		EXPECT_EQ(1, kchan_select(s->cases, s->nr, KCHAN_READY, 0).index)
			TH_LOG("%s", o->name);
		EXPECT_EQ(o->outcome, try_again(o, fd, &v)) TH_LOG("%s", o->name);
		EXPECT_EQ(o->value, v) TH_LOG("%s", o->name);
		close(fd);
		close(idle);
	}
}

/* ---- all of them in one select ---- */

struct everything {
	int fds[OPERATIONS];
	struct kchan_case cases[OPERATIONS];
	struct kchan_stat before[OPERATIONS];
	__u32 flags;
	struct chosen chosen;
};

static int select_everything(void *arg)
{
	struct everything *e = arg;

	e->chosen = kchan_select(e->cases, OPERATIONS, e->flags, 0);
	return 0;
}

static struct everything *make_everything(__u32 flags)
{
	struct everything *e = shared_alloc(sizeof(*e));

	e->flags = flags;
	for (int i = 0; i < OPERATIONS; i++) {
		e->fds[i] = make_blocked(&operations[i]);
		e->cases[i] = case_of(&operations[i], e->fds[i]);
		e->before[i] = chan_stat(e->fds[i]);
	}
	return e;
}

static void drop_everything(struct everything *e)
{
	for (int i = 0; i < OPERATIONS; i++)
		close(e->fds[i]);
	munmap(e, sizeof(*e));
}

TEST_F(select_kinds, one_of_all)
{
	for (int n = 0; n < 2 * OPERATIONS; n++) {
		int fires = n % OPERATIONS;
		const struct operation *o = &operations[fires];
		struct everything *e = make_everything(n < OPERATIONS ? 0 : KCHAN_IN_ORDER);
		struct task *t = task_start(variant->kind, select_everything, e);

		for (int i = 0; i < OPERATIONS; i++)
			wait_for_waiter(&operations[i], e->fds[i]);
		o->ready(e->fds[fires]);
		EXPECT_EQ(0, task_join(t));
		EXPECT_CHOSE(fires, o->outcome, e->chosen);
		EXPECT_EQ(o->value, e->chosen.value) TH_LOG("%s", o->name);
		expect_done(_metadata, o, e->fds[fires], variant->kind);
		for (int i = 0; i < OPERATIONS; i++) {
			EXPECT_EQ(true, i == fires || same_stat(e->before[i], e->fds[i]))
				TH_LOG("%s fired, %s changed", o->name, operations[i].name);
		}
		drop_everything(e);
	}
}

static struct everything *make_all_ready(__u32 flags)
{
	struct everything *e = make_everything(flags);

	for (int i = 0; i < OPERATIONS; i++)
		operations[i].ready(e->fds[i]);
	return e;
}

/* What was chosen is done for: another one takes its place. */
static void replace(struct everything *e, int i)
{
	close(e->fds[i]);
	e->fds[i] = make_blocked(&operations[i]);
	operations[i].ready(e->fds[i]);
	e->cases[i].fd = e->fds[i];
}

/* One kind is as likely as another; or they go in order. */
TEST(all_ready)
{
	enum { EACH = 100 };
	struct everything *e = make_all_ready(0);
	int counts[OPERATIONS] = { 0 };

	for (int n = 0; n < EACH * OPERATIONS; n++) {
		int i;

		select_everything(e);
		i = e->chosen.index;
		ASSERT_LE(0, i);
		ASSERT_GT(OPERATIONS, i);
		ASSERT_EQ(operations[i].outcome, e->chosen.outcome);
		ASSERT_EQ(operations[i].value, e->chosen.value);
		counts[i]++;
		replace(e, i);
	}
	for (int i = 0; i < OPERATIONS; i++)
		TH_LOG("%4d %s", counts[i], operations[i].name);
	expect_uniform(_metadata, "kinds", counts, OPERATIONS, EACH * OPERATIONS);
	drop_everything(e);
}

TEST(all_ready_in_order)
{
	struct everything *e = make_all_ready(KCHAN_IN_ORDER);

	for (int i = 0; i < OPERATIONS; i++) {
		ASSERT_EQ(0, select_everything(e));
		EXPECT_CHOSE(i, operations[i].outcome, e->chosen);
		EXPECT_EQ(operations[i].value, e->chosen.value);
		e->cases[i].fd = NO_CHAN;
	}
	drop_everything(e);
}

/* ---- outcomes that are errors ---- */

static int lock_and_die(void *arg)
{
	must(!wait_op(*(int *)arg, KCHAN_OP_LOCK, 0));
	raise(SIGKILL);
	return 0;
}

static int lock_and_stay(void *arg)
{
	do_one_op(arg);
	pause();
	return 0;
}

/* The lock of one who died is chosen, and held. */
TEST(dead_holder)
{
	int idle = make_chan(8, 0), mutex = make_object(KCHAN_KIND_MUTEX, 0);
	__u64 v;

	EXPECT_EQ(KILLED(SIGKILL), task_join(task_start(PROCESS, lock_and_die, &mutex)));
	EXPECT_CHOSE(1, -EOWNERDEAD, select_of(on_recv64(idle, &v),
					       on_op(mutex, KCHAN_OP_LOCK, 0)));
	EXPECT_EQ(-EAGAIN, try_op(mutex, KCHAN_OP_LOCK, 0));
	/* Given back as it is, it is of no use to anybody. */
	EXPECT_EQ(0, kchan_arg_call(mutex, KCHAN_UNLOCK, KCHAN_OP_LOCK));
	EXPECT_CHOSE(1, -ENOTRECOVERABLE, select_of(on_recv64(idle, &v),
						    on_op(mutex, KCHAN_OP_LOCK, 0)));
	EXPECT_EQ(true, waiting(idle, 0, 0));
}

/* It dies while a select waits for its lock. */
TEST_F(select_kinds, holder_dies_meanwhile)
{
	int idle = make_chan(8, 0), mutex = make_object(KCHAN_KIND_MUTEX, 0);
	struct one_op *one = new_op(mutex, KCHAN_OP_LOCK, 0);
	struct task *holder = task_start(PROCESS, lock_and_stay, one), *t;
	struct one_select *s = new_select();

	wait_until(load(&one->over));
	with_recv(s, idle);
	s->cases[s->nr++] = on_op(mutex, KCHAN_OP_LOCK, 0);
	t = start_select(variant->kind, s);
	wait_waiting(mutex, 1, 0);
	task_kill(holder);
	EXPECT_EQ(KILLED(SIGKILL), task_join(holder));
	EXPECT_EQ(0, task_join(t));
	EXPECT_CHOSE(1, -EOWNERDEAD, s->chosen);
	EXPECT_EQ(true, waiting(idle, 0, 0));
}

/* Work that was dropped, and not done: the select says how much of it. */
TEST(abandoned_work)
{
	int idle = make_chan(8, 0), group = make_object(KCHAN_KIND_WAITGROUP, 0);
	struct one_select *s = new_select();
	int token;
	struct task *t;

	EXPECT_EQ(0, try_op(group, KCHAN_OP_ADD, 3));
	token = kchan_arg_call(group, KCHAN_TOKEN, 3);
	ASSERT_LE(0, token);
	with_recv(s, idle);
	s->cases[s->nr++] = on_op(group, KCHAN_OP_ZERO, 0);
	/* A thread: a process would hold the token too. */
	t = start_select(THREAD, s);
	wait_waiting(group, 0, 1);
	close(token);
	EXPECT_EQ(0, task_join(t));
	EXPECT_CHOSE(1, -EOWNERDEAD, s->chosen);
	EXPECT_EQ(3, s->chosen.value);
}

/* ---- the struct itself ---- */

struct by_struct {
	struct kchan_select *select;
	int ret;
};

static int select_by_struct(void *arg)
{
	struct by_struct *b = arg;

	b->ret = kchan_call(any_device(), KCHAN_SELECT, b->select);
	return 0;
}

/* It goes away while the select waits: the value is lost, not what was done. */
TEST(struct_goes_away)
{
	int idle = make_chan(8, 0), timer = make_object(KCHAN_KIND_TIMER, 0);
	__u64 v;
	struct kchan_case cases[] = { on_recv64(idle, &v), on_op(timer, KCHAN_OP_TICK, 0) };
	struct by_struct b = {
		.select = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0),
	};
	struct task *t;

	must(b.select != MAP_FAILED);
	*b.select = (struct kchan_select){
		.size = sizeof(*b.select),
		.cases = (uintptr_t)cases,
		.nr = ARRAY_LEN(cases),
		.case_size = sizeof(*cases),
	};
	t = task_start(THREAD, select_by_struct, &b);
	wait_waiting(timer, 0, 1);
	wait_parked(t);
	must(!munmap(b.select, 4096));
	let_it_tick(timer);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, b.ret);
	EXPECT_EQ(0, chan_stat(timer).length);
}

/* ---- what makes no sense ---- */

#define select_in_order(...) kchan_select(CASES(__VA_ARGS__), KCHAN_IN_ORDER, 0)

/* A cond waits alone or first, in order, with nothing but cancels behind it. */
TEST(cond_among_others)
{
	int cond = make_object(KCHAN_KIND_COND, 0), mutex = make_object(KCHAN_KIND_MUTEX, 0);
	int cancel = make_object(KCHAN_KIND_CANCEL, 0), c = make_chan(8, 1);
	struct kchan_case wait = on_op(cond, KCHAN_OP_COND, mutex);
	struct kchan_case cancelled = on_op(cancel, KCHAN_OP_CANCELLED, 0);
	__u64 v = 1;

	lock_it(mutex);
	EXPECT_FAILED(EINVAL, select_of(wait));
	EXPECT_FAILED(EINVAL, select_of(wait, cancelled));
	EXPECT_FAILED(EINVAL, select_of(on_send64(c, &v), wait));
	EXPECT_FAILED(EINVAL, select_in_order(on_send64(c, &v), wait));
	EXPECT_FAILED(EINVAL, select_in_order(wait, on_send64(c, &v)));
	EXPECT_FAILED(EINVAL, select_in_order(cancelled, wait));
	EXPECT_FAILED(EINVAL, select_in_order(wait, wait));
	EXPECT_EQ(0, chan_stat(c).length);
	EXPECT_EQ(true, waiting(cond, 0, 0));
	/* It was not given back. */
	EXPECT_EQ(-EAGAIN, try_op(mutex, KCHAN_OP_LOCK, 0));
}

static void expect_refused(struct __test_metadata *_metadata, const struct operation *o,
			   struct kchan_case c, int error)
{
	EXPECT_EQ(-error, try_select_of(c).index)
		TH_LOG("%s", o->name);
}

/* Operations of one kind on objects of another; a right that the handle lacks. */
TEST(operations_of_others)
{
	for (const struct operation *o = operations; o < operations + OPERATIONS; o++) {
		int fd = make_object(o->kind, o->limit);
		int other = restrict_to(fd, BOTH_RIGHTS & ~o->right);
		__u64 v = 1;

		expect_refused(_metadata, o, on_send64(fd, &v), EINVAL);
		expect_refused(_metadata, o, on_recv64(fd, &v), EINVAL);
		expect_refused(_metadata, o, on_op(fd, 99, 0), EINVAL);
		expect_refused(_metadata, o, case_of(o, other), EBADF);
		close(other);
		close(fd);
	}
}

/* Fields that an operation does not need. */
TEST(fields_of_others)
{
	for (const struct operation *o = operations; o < operations + OPERATIONS; o++) {
		int fd = make_object(o->kind, o->limit);
		struct kchan_case c[] = {
			case_of(o, fd), case_of(o, fd), case_of(o, fd), case_of(o, fd),
		};

		c[0].len = 8;
		c[1].buf = (uintptr_t)c;
		c[2].index = o->op == KCHAN_OP_DIFFERS ? CELLS : 1;
		c[3].arg = o->op == KCHAN_OP_ADD ? 0 : 1;
		for (int i = 0; i < (o->op == KCHAN_OP_DIFFERS ? 3 : 4); i++)
			expect_refused(_metadata, o, c[i], EINVAL);
		close(fd);
	}
}

/* ---- a storm over several kinds ---- */

enum { TAKERS = 4, MESSAGES = FEWER(600) };

struct storm {
	int c, semaphore, mutex;
	int inside;		/* the mutex, and the semaphore's one unit */
	int holding;
	int next_taker;
	int locked, taken, interrupted, late;
	int seen[MESSAGES];
};

static int was_alone(int *counter)
{
	int before = count_up(counter);

	__atomic_fetch_sub(counter, 1, __ATOMIC_SEQ_CST);
	return before == 0;
}

/* Whatever comes first: a message, the unit, the lock; or the deadline. */
static int take_what_comes(void *arg)
{
	struct storm *s = arg;
	unsigned int seed = count_up(&s->next_taker);

	for (;;) {
		__u64 v = POISON;
		struct chosen c = kchan_select(CASES(on_recv64(s->c, &v),
						     on_op(s->semaphore, KCHAN_OP_ADD, 1),
						     on_op(s->mutex, KCHAN_OP_LOCK, 0)),
					       KCHAN_DEADLINE, now() + rand_r(&seed) % 100000);

		if (c.index == 0 && !c.outcome)
			return 0;
		CHECK(c.index == 0 || v == POISON);
		if (c.index == -EINTR) {
			count_up(&s->interrupted);
		} else if (c.index == -ETIMEDOUT) {
			count_up(&s->late);
		} else if (c.index == 0) {
			CHECK(c.outcome == 1 && v < MESSAGES);
			count_up(&s->seen[v]);
		} else if (c.index == 1) {
			CHECK(c.outcome == 0 && was_alone(&s->holding));
			count_up(&s->taken);
			CHECK(kchan_arg_call(s->semaphore, KCHAN_DONE, 1) == 0);
		} else {
			CHECK(c.index == 2 && c.outcome == 0 && was_alone(&s->inside));
			count_up(&s->locked);
			CHECK(kchan_arg_call(s->mutex, KCHAN_UNLOCK, KCHAN_OP_LOCK) == 0);
		}
	}
}

/*
 * The race: a message, a unit given back, a lock handed over, a signal and a
 * deadline all come to one select at once.  None gets lost or is taken twice: else
 * somebody would wait for a lock or unit that nobody has, or a message be missing.
 */
TEST_F(select_kinds, storm)
{
	struct storm *s = shared_alloc(sizeof(*s));
	struct task *tasks[TAKERS];

	s->c = make_chan(8, 0);
	s->semaphore = make_object(KCHAN_KIND_SEMAPHORE, 1);
	s->mutex = make_object(KCHAN_KIND_MUTEX, 0);
	catch_signal(SIGUSR1, 0);
	for (int i = 0; i < TAKERS; i++)
		tasks[i] = task_start(variant->kind, take_what_comes, s);
	for (__u64 i = 0; i < MESSAGES; i++) {
		ASSERT_EQ(0, send64(s->c, i));
		task_signal(tasks[i % TAKERS], SIGUSR1);
	}
	/* Nobody could get anywhere while we have both. */
	ASSERT_EQ(0, op_until(s->semaphore, KCHAN_OP_ADD, 1, now() + PATIENCE_NS));
	ASSERT_EQ(0, op_until(s->mutex, KCHAN_OP_LOCK, 0, now() + PATIENCE_NS));
	ASSERT_EQ(0, chan_close(s->c));
	for (int i = 0; i < TAKERS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	for (int i = 0; i < MESSAGES; i++) {
		ASSERT_EQ(1, s->seen[i]) TH_LOG("message %d", i);
	}
	TH_LOG("locked %d, taken %d, late %d, interrupted %d", s->locked, s->taken, s->late,
	       s->interrupted);
	EXPECT_EQ(1, chan_stat(s->semaphore).length);
	EXPECT_EQ(1, chan_stat(s->mutex).length);
	EXPECT_EQ(true, waiting(s->semaphore, 0, 0));
	EXPECT_EQ(true, waiting(s->mutex, 0, 0));
	EXPECT_EQ(true, waiting(s->c, 0, 0));
}

TEST_HARNESS_MAIN
