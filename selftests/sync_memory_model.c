// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's memory model of sync, as litmus tests.  What a task wrote before the left
 * event, with plain stores, the other sees after the right one:
 *
 *	unlock			-> the next lock
 *	write unlock		-> read locks after it
 *	read unlock		-> the next write lock
 *	done (also a token's)	-> wait for zero returns
 *	units given back	-> units taken
 *	once done		-> every return of it
 *	signal			-> the wait that it wakes
 *	cancel			-> a wait that is cancelled
 *	store to a cell		-> the wait that sees it
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { ROUNDS = FEWER(500), TASKS = 3 };

TASK_FIXTURE(sync_memory_model);

/* The data stand in cache lines of their own, so that they can come late. */
struct shared {
	int fd, back;
	int (*enter)(int fd);
	int (*leave)(int fd);
	__u64 data __attribute__((aligned(64)));
	__u64 more __attribute__((aligned(64)));
};

/* ---- whoever enters sees what those before it left ---- */

static int count_alone(void *arg)
{
	struct shared *s = arg;

	for (int i = 0; i < ROUNDS; i++) {
		CHECK(s->enter(s->fd) == 0);
		CHECK(s->data == -s->more);
		s->data = s->data + 1;
		s->more = s->more - 1;
		CHECK(s->leave(s->fd) == 0);
	}
	return 0;
}

static void alone_in_turn(struct __test_metadata *_metadata, enum task_kind kind, int fd,
			  int (*enter)(int fd), int (*leave)(int fd))
{
	struct shared *s = shared_alloc(sizeof(*s));
	struct task *tasks[TASKS];

	*s = (struct shared){ .fd = fd, .enter = enter, .leave = leave };
	for (int i = 0; i < TASKS; i++)
		tasks[i] = task_start(kind, count_alone, s);
	for (int i = 0; i < TASKS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(TASKS * ROUNDS, s->data);
	EXPECT_EQ(-(__u64)TASKS * ROUNDS, s->more);
}

TEST_F(sync_memory_model, unlock_before_lock)
{
	alone_in_turn(_metadata, variant->kind, make_object(KCHAN_KIND_MUTEX, 0), kchan_lock,
		      kchan_unlock);
	alone_in_turn(_metadata, variant->kind, make_object(KCHAN_KIND_RWMUTEX, 0), kchan_lock,
		      kchan_unlock);
}

/* Nobody sleeps here: the fast way must be as strong. */
static int spin_for_lock(int fd)
{
	int ret;

	while ((ret = kchan_try_lock(fd)) == -EAGAIN)
		sched_yield();
	return ret;
}

TEST_F(sync_memory_model, unlock_before_try_lock)
{
	alone_in_turn(_metadata, variant->kind, make_object(KCHAN_KIND_MUTEX, 0), spin_for_lock,
		      kchan_unlock);
}

static int take_one(int fd)
{
	return kchan_add(fd, 1);
}

static int give_one(int fd)
{
	return kchan_done(fd, 1);
}

TEST_F(sync_memory_model, giving_back_before_taking)
{
	alone_in_turn(_metadata, variant->kind, make_object(KCHAN_KIND_SEMAPHORE, 1), take_one,
		      give_one);
	alone_in_turn(_metadata, variant->kind, make_object(KCHAN_KIND_WAITGROUP, 1), take_one,
		      give_one);
}

/* ---- readers and writers ---- */

static int write_in_turn(void *arg)
{
	struct shared *s = arg;

	for (int i = 0; i < ROUNDS; i++) {
		CHECK(kchan_lock(s->fd) == 0);
		s->data = s->data + 1;
		s->more = ~s->data;
		CHECK(kchan_unlock(s->fd) == 0);
	}
	return 0;
}

static int read_in_turn(void *arg)
{
	struct shared *s = arg;
	__u64 last = 0;

	for (int i = 0; i < ROUNDS; i++) {
		CHECK(kchan_rlock(s->fd) == 0);
		CHECK(s->more == ~s->data && s->data >= last);
		last = s->data;
		CHECK(kchan_runlock(s->fd) == 0);
	}
	return 0;
}

TEST_F(sync_memory_model, readers_and_writers)
{
	struct shared *s = shared_alloc(sizeof(*s));
	struct task *tasks[4];

	s->fd = make_object(KCHAN_KIND_RWMUTEX, 0);
	s->more = ~s->data;
	for (int i = 0; i < 4; i++)
		tasks[i] = task_start(variant->kind, i % 2 ? write_in_turn : read_in_turn, s);
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(2 * ROUNDS, s->data);
}

/* ---- one writes and tells, the other is told and reads ---- */

/*
 * The teller writes round i, tells it, and waits on .back to be asked for the
 * next; tell() and hear() are the two events.
 */
struct telling {
	struct shared shared;
	int (*tell)(struct telling *t, __u64 round);
	struct kchan_cell *cells;
	int tokens;
};

static int write_and_tell(void *arg)
{
	struct telling *t = arg;
	__u64 v;

	for (__u64 i = 1; i <= ROUNDS; i++) {
		CHECK(recv64(t->shared.back, &v) == 1);
		t->shared.data = i;
		t->shared.more = ~i;
		CHECK(t->tell(t, i) == 0);
	}
	return 0;
}

static struct telling *new_telling(int fd, int (*tell)(struct telling *t, __u64 round))
{
	struct telling *t = shared_alloc(sizeof(*t));

	t->shared.fd = fd;
	t->shared.back = make_chan(8, 1);
	t->tell = tell;
	return t;
}

static int tell_done(struct telling *t, __u64 round)
{
	return kchan_done(t->shared.fd, 1);
}

TEST_F(sync_memory_model, done_before_wait_returns)
{
	struct telling *t = new_telling(make_object(KCHAN_KIND_WAITGROUP, 0), tell_done);
	struct task *teller = task_start(variant->kind, write_and_tell, t);

	for (__u64 i = 1; i <= ROUNDS; i++) {
		ASSERT_EQ(0, kchan_add(t->shared.fd, 1));
		ASSERT_EQ(0, send64(t->shared.back, i));
		ASSERT_EQ(0, kchan_zero(t->shared.fd, NULL));
		ASSERT_EQ(i, t->shared.data);
		ASSERT_EQ(~i, t->shared.more);
	}
	EXPECT_EQ(0, task_join(teller));
}

static int tell_by_token(struct telling *t, __u64 round)
{
	int token = kchan_arg_call(t->shared.fd, KCHAN_TOKEN, 1), ret = 0;

	CHECK(token >= 0);
	if (round % 2)
		ret = kchan_done(token, 0);
	close(token);
	return ret;
}

TEST_F(sync_memory_model, token_before_wait_returns)
{
	struct telling *t = new_telling(make_object(KCHAN_KIND_WAITGROUP, 0), tell_by_token);
	struct task *teller = task_start(variant->kind, write_and_tell, t);

	for (__u64 i = 1; i <= ROUNDS; i++) {
		ASSERT_EQ(0, kchan_add(t->shared.fd, 1));
		ASSERT_EQ(0, send64(t->shared.back, i));
		ASSERT_EQ(i % 2 ? 0 : -EOWNERDEAD, kchan_zero(t->shared.fd, NULL));
		ASSERT_EQ(i, t->shared.data);
		ASSERT_EQ(~i, t->shared.more);
	}
	EXPECT_EQ(0, task_join(teller));
}

static int tell_by_cell(struct telling *t, __u64 round)
{
	struct kchan_cell *cells = map_cells(t->shared.fd, 1);

	store(&cells[0].value, round);
	tell_waiters(t->shared.fd, cells, 0);
	munmap(cells, sizeof(*cells));
	return 0;
}

TEST_F(sync_memory_model, store_before_wait_sees_it)
{
	struct telling *t = new_telling(make_object(KCHAN_KIND_CELLS, 1), tell_by_cell);
	struct task *teller = task_start(variant->kind, write_and_tell, t);
	__u64 value;

	for (__u64 i = 1; i <= ROUNDS; i++) {
		ASSERT_EQ(0, send64(t->shared.back, i));
		ASSERT_EQ(0, kchan_wait_op(t->shared.fd, KCHAN_OP_DIFFERS, 0, i - 1, 0, 0, &value));
		ASSERT_EQ(i, value);
		ASSERT_EQ(i, t->shared.data);
		ASSERT_EQ(~i, t->shared.more);
	}
	EXPECT_EQ(0, task_join(teller));
}

/* A wait that was signalled has nothing else to order it: no lock is taken again. */
static int tell_by_signal(struct telling *t, __u64 round)
{
	int woken;

	while (!(woken = kchan_arg_call(t->shared.fd, KCHAN_SIGNAL, 1)))
		sched_yield();
	return woken - 1;
}

TEST_F(sync_memory_model, signal_before_wait_returns)
{
	struct telling *t = new_telling(make_object(KCHAN_KIND_COND, 0), tell_by_signal);
	struct task *teller = task_start(variant->kind, write_and_tell, t);
	int m = make_object(KCHAN_KIND_MUTEX, 0);

	for (__u64 i = 1; i <= ROUNDS; i++) {
		ASSERT_EQ(0, kchan_lock(m));
		ASSERT_EQ(0, send64(t->shared.back, i));
		ASSERT_EQ(0, wait_op(t->shared.fd, KCHAN_OP_COND, m));
		ASSERT_EQ(i, t->shared.data);
		ASSERT_EQ(~i, t->shared.more);
	}
	EXPECT_EQ(0, task_join(teller));
}

/* ---- what happens only once, many times over ---- */

static int write_and_cancel(void *arg)
{
	struct shared *s = arg;

	s->data = 1;
	s->more = 2;
	CHECK(kchan_arg_call(s->fd, KCHAN_CANCEL, EIO) == 1);
	return 0;
}

static int write_and_be_done(void *arg)
{
	struct shared *s = arg;

	if (kchan_lock(s->fd) == 1)
		return 0;
	s->data = 1;
	s->more = 2;
	return kchan_done(s->fd, 0);
}

TEST_F(sync_memory_model, cancel_before_it_is_seen)
{
	for (int i = 0; i < 100; i++) {
		struct shared *s = shared_alloc(sizeof(*s));
		struct task *t;

		s->fd = make_cancel(-1);
		t = task_start(variant->kind, write_and_cancel, s);
		ASSERT_EQ(0, wait_op(s->fd, KCHAN_OP_CANCELLED, 0));
		ASSERT_EQ(1, s->data);
		ASSERT_EQ(2, s->more);
		EXPECT_EQ(0, task_join(t));
		close(s->fd);
		munmap(s, sizeof(*s));
	}
}

TEST_F(sync_memory_model, once_done_before_it_returns)
{
	for (int i = 0; i < 100; i++) {
		struct shared *s = shared_alloc(sizeof(*s));
		struct task *t;
		int ret;

		s->fd = make_object(KCHAN_KIND_ONCE, 0);
		t = task_start(variant->kind, write_and_be_done, s);
		ret = kchan_lock(s->fd);
		if (ret == 1) {
			ASSERT_EQ(1, s->data);
			ASSERT_EQ(2, s->more);
		} else {
			ASSERT_EQ(0, ret);
			ASSERT_EQ(0, s->data);
			ASSERT_EQ(0, kchan_done(s->fd, 0));
		}
		EXPECT_EQ(0, task_join(t));
		close(s->fd);
		munmap(s, sizeof(*s));
	}
}

TEST_HARNESS_MAIN
