// SPDX-License-Identifier: GPL-2.0-only
/*
 * Units of a semaphore, or of a wait group with a limit, are taken in FIFO
 * order: whoever asks for many holds back those behind that ask for few, and
 * lets them through when it leaves.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { LIMIT = 10, MANY = 6 };

FIXTURE(weighted) {
	int fd;
	int asked;	/* tasks that were started */
};

FIXTURE_VARIANT(weighted) {
	__u32 object;
	enum task_kind kind;
};

FIXTURE_VARIANT_ADD(weighted, semaphore_threads) { KCHAN_KIND_SEMAPHORE, THREAD };
FIXTURE_VARIANT_ADD(weighted, semaphore_processes) { KCHAN_KIND_SEMAPHORE, PROCESS };
FIXTURE_VARIANT_ADD(weighted, waitgroup_threads) { KCHAN_KIND_WAITGROUP, THREAD };
FIXTURE_VARIANT_ADD(weighted, waitgroup_processes) { KCHAN_KIND_WAITGROUP, PROCESS };

FIXTURE_SETUP(weighted)
{
	self->fd = make_object(variant->object, LIMIT);
}

FIXTURE_TEARDOWN(weighted)
{
	close(self->fd);
}

static void wait_asking(int fd, __u32 object, __u32 n)
{
	wait_waiting(fd, object == KCHAN_KIND_WAITGROUP ? n : 0,
		     object == KCHAN_KIND_SEMAPHORE ? n : 0);
}

struct asker {
	struct one_op *op;
	struct task *task;
};

/* Blocks for so many units, behind all that were started before. */
static struct asker ask(FIXTURE_DATA(weighted) *self, const FIXTURE_VARIANT(weighted) *variant,
			__u64 units, __u32 waiting_then)
{
	struct asker a = { .op = new_op(self->fd, KCHAN_OP_ADD, units) };

	a.task = task_start(variant->kind, do_one_op, a.op);
	wait_asking(self->fd, variant->object, waiting_then);
	return a;
}

static int got(struct asker a)
{
	return join_op(a.task, a.op);
}

TEST_F(weighted, takes_what_there_is)
{
	EXPECT_EQ(LIMIT, chan_stat(self->fd).capacity);
	EXPECT_EQ(0, kchan_try_add(self->fd, 7));
	EXPECT_EQ(-EAGAIN, kchan_try_add(self->fd, 4));
	EXPECT_EQ(7, chan_stat(self->fd).length);
	EXPECT_EQ(0, kchan_try_add(self->fd, 3));
	EXPECT_EQ(-EAGAIN, kchan_try_add(self->fd, 1));
	EXPECT_EQ(0, kchan_done(self->fd, 10));
	EXPECT_EQ(0, kchan_try_add(self->fd, LIMIT));
}

TEST_F(weighted, first_come_first_served)
{
	struct asker a[MANY];

	ASSERT_EQ(0, kchan_add(self->fd, LIMIT));
	for (int i = 0; i < MANY; i++)
		a[i] = ask(self, variant, 1, i + 1);
	for (int i = 0; i < MANY; i++) {
		ASSERT_EQ(0, kchan_done(self->fd, 1));
		EXPECT_EQ(0, got(a[i]));
		for (int k = i + 1; k < MANY; k++) {
			EXPECT_EQ(0, load(&a[k].op->over));
		}
		EXPECT_EQ(LIMIT, chan_stat(self->fd).length);
	}
}

/* x/sync's TestLargeAcquireDoesntStarve at rest: the order is laid down. */
TEST_F(weighted, big_holds_back_small)
{
	struct asker big, small;

	ASSERT_EQ(0, kchan_add(self->fd, 6));
	big = ask(self, variant, 5, 1);
	/* There would be 4 for it, but it came later. */
	small = ask(self, variant, 1, 2);
	EXPECT_EQ(-EAGAIN, kchan_try_add(self->fd, 1));
	ASSERT_EQ(0, kchan_done(self->fd, 1));
	EXPECT_EQ(0, got(big));
	EXPECT_EQ(0, load(&small.op->over));
	EXPECT_EQ(LIMIT, chan_stat(self->fd).length);
	ASSERT_EQ(0, kchan_done(self->fd, 5));
	EXPECT_EQ(0, got(small));
	EXPECT_EQ(6, chan_stat(self->fd).length);
}

TEST_F(weighted, one_release_serves_several)
{
	struct asker a[4];

	ASSERT_EQ(0, kchan_add(self->fd, LIMIT));
	for (int i = 0; i < 4; i++)
		a[i] = ask(self, variant, i + 1, i + 1);
	/* Enough for 1 + 2 + 3, and not for the 4 behind them. */
	ASSERT_EQ(0, kchan_done(self->fd, 9));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, got(a[i]));
	}
	wait_asking(self->fd, variant->object, 1);
	EXPECT_EQ(7, chan_stat(self->fd).length);
	ASSERT_EQ(0, kchan_done(self->fd, 1));
	EXPECT_EQ(0, got(a[3]));
}

/* Whoever is at the head and gives up must let those behind it through. */
TEST_F(weighted, interrupted_head_lets_the_others_through)
{
	struct asker big, small[2];

	catch_signal(SIGUSR1, 0);
	ASSERT_EQ(0, kchan_add(self->fd, 8));
	big = ask(self, variant, 5, 1);
	small[0] = ask(self, variant, 1, 2);
	small[1] = ask(self, variant, 1, 3);
	task_signal(big.task, SIGUSR1);
	EXPECT_EQ(-EINTR, got(big));
	EXPECT_EQ(0, got(small[0]));
	EXPECT_EQ(0, got(small[1]));
	EXPECT_EQ(LIMIT, chan_stat(self->fd).length);
}

TEST_F(weighted, head_that_times_out_lets_the_others_through)
{
	struct asker big = { .op = new_op(self->fd, KCHAN_OP_ADD, 5) }, small;

	ASSERT_EQ(0, kchan_add(self->fd, 8));
	big.op->flags = KCHAN_DEADLINE;
	big.op->deadline = in_ms(500 * PATIENCE);
	big.task = task_start(variant->kind, do_one_op, big.op);
	wait_asking(self->fd, variant->object, 1);
	small.op = new_op(self->fd, KCHAN_OP_ADD, 2);
	small.task = task_start(variant->kind, do_one_op, small.op);
	EXPECT_EQ(-ETIMEDOUT, got(big));
	EXPECT_EQ(0, got(small));
	EXPECT_EQ(LIMIT, chan_stat(self->fd).length);
}

TEST_F(weighted, killed_head_lets_the_others_through)
{
	struct asker big, small;

	if (variant->kind == THREAD)
		return;
	ASSERT_EQ(0, kchan_add(self->fd, 8));
	big = ask(self, variant, 5, 1);
	small = ask(self, variant, 2, 2);
	task_kill(big.task);
	EXPECT_EQ(KILLED(SIGKILL), task_join(big.task));
	EXPECT_EQ(0, got(small));
	EXPECT_EQ(LIMIT, chan_stat(self->fd).length);
}

/*
 * The head is a select that something else ends: whoever waits behind it, or
 * polls, must hear of it.
 */
struct selecting {
	struct kchan_case cases[2];
	__u64 message;
	struct chosen got;
};

static int select_either(void *arg)
{
	struct selecting *s = arg;

	s->cases[1].buf = (uintptr_t)&s->message;
	s->got = kchan_select(s->cases, 2, 0, 0);
	return 0;
}

static int poll_for_units(void *arg)
{
	struct pollfd p = { .fd = *(int *)arg, .events = POLLIN | POLLOUT };

	/* Without a time-out, at whose end it would look again by itself. */
	CHECK(poll(&p, 1, -1) == 1);
	return 0;
}

TEST_F(weighted, head_that_chose_something_else)
{
	struct selecting *s = shared_alloc(sizeof(*s));
	int c = make_chan(8, 0);
	struct task *head;
	struct asker small;

	ASSERT_EQ(0, kchan_add(self->fd, 8));
	s->cases[0] = on_op(self->fd, KCHAN_OP_ADD, 5);
	s->cases[1] = on_recv64(c, &s->message);
	head = task_start(variant->kind, select_either, s);
	wait_asking(self->fd, variant->object, 1);
	small = ask(self, variant, 2, 2);
	ASSERT_EQ(0, send64(c, 3));
	EXPECT_EQ(0, got(small));
	EXPECT_EQ(0, task_join(head));
	EXPECT_EQ(1, s->got.index);
	EXPECT_EQ(3, s->message);
	EXPECT_EQ(LIMIT, chan_stat(self->fd).length);
}

TEST_F(weighted, poller_behind_the_head)
{
	int handle = restrict_to(self->fd, variant->object == KCHAN_KIND_WAITGROUP ?
				 KCHAN_RIGHT_SEND : KCHAN_RIGHT_RECV);
	struct asker big;
	struct task *poller;

	catch_signal(SIGUSR1, 0);
	ASSERT_EQ(0, kchan_add(self->fd, 8));
	EXPECT_NE(0, poll_now(handle, POLLIN | POLLOUT));
	big = ask(self, variant, 5, 1);
	EXPECT_EQ(0, poll_now(handle, POLLIN | POLLOUT));
	poller = task_start(variant->kind, poll_for_units, &handle);
	wait_asleep(poller);
	task_signal(big.task, SIGUSR1);
	EXPECT_EQ(-EINTR, got(big));
	EXPECT_EQ(0, task_join(poller));
	close(handle);
}

/* Of one select's own cases, one that does not fit is not in another's way. */
static int select_units(void *arg)
{
	struct selecting *s = arg;

	s->got = kchan_select(s->cases, 2, 0, 0);
	return 0;
}

TEST_F(weighted, select_does_not_hold_itself_back)
{
	struct selecting *s = shared_alloc(sizeof(*s));
	struct task *t;

	ASSERT_EQ(0, kchan_add(self->fd, LIMIT));
	s->cases[0] = on_op(self->fd, KCHAN_OP_ADD, 5);
	s->cases[1] = on_op(self->fd, KCHAN_OP_ADD, 1);
	t = task_start(variant->kind, select_units, s);
	wait_asking(self->fd, variant->object, 2);
	ASSERT_EQ(0, kchan_done(self->fd, 1));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, s->got.index);
	EXPECT_EQ(0, s->got.outcome);
	EXPECT_EQ(LIMIT, chan_stat(self->fd).length);
}

/* ---- the storm: never more than the limit, and nobody is forgotten ---- */

enum { TASKS = 6, ROUNDS = FEWER(300) };

struct storm {
	int fd;
	int next;
	int inside;
};

static int take_and_give(void *arg)
{
	struct storm *s = arg;
	int me = count_up(&s->next);
	unsigned int seed = me;

	for (int i = 0; i < ROUNDS; i++) {
		/* The first wants all: it would starve if it could be overtaken. */
		int units = me ? 1 + rand_r(&seed) % 4 : LIMIT, ret;

		do {
			ret = op_until(s->fd, KCHAN_OP_ADD, units, now() + rand_r(&seed) % 2000000);
			CHECK(ret == 0 || ret == -ETIMEDOUT);
		} while (ret);
		CHECK(__atomic_add_fetch(&s->inside, units, __ATOMIC_SEQ_CST) <= LIMIT);
		__atomic_sub_fetch(&s->inside, units, __ATOMIC_SEQ_CST);
		CHECK(kchan_done(s->fd, units) == 0);
	}
	return 0;
}

TEST_F(weighted, storm)
{
	struct storm *s = shared_alloc(sizeof(*s));
	struct task *tasks[TASKS];

	s->fd = self->fd;
	for (int i = 0; i < TASKS; i++)
		tasks[i] = task_start(variant->kind, take_and_give, s);
	for (int i = 0; i < TASKS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(0, chan_stat(self->fd).length);
	EXPECT_EQ(true, waiting(self->fd, 0, 0));
	EXPECT_EQ(0, kchan_zero(self->fd, NULL));
}

TEST_HARNESS_MAIN
