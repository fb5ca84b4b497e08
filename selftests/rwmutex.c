// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who comes next at an rwmutex: a waiting writer holds new readers back, but not those
 * who came before it; an unlock admits all waiting readers, and the last reader lets the
 * first writer in.
 */
#include <kselftest_harness.h>
#include "select_util.h"

struct waiter {
	struct one_op *op;
	struct task *task;
};

/* What a process takes goes when it ends; what threads take, this process holds. */
static struct waiter start_waiter_as(enum task_kind kind, int m, __u32 op, __u32 writers,
				     __u32 readers)
{
	struct waiter w = { .op = new_op(m, op, 0) };

	w.task = task_start(kind, do_one_op, w.op);
	wait_waiting(m, writers, readers);
	return w;
}

static struct waiter start_waiter(int m, __u32 op, __u32 writers, __u32 readers)
{
	return start_waiter_as(THREAD, m, op, writers, readers);
}

static int got(struct waiter w)
{
	return join_op(w.task, w.op);
}

static int make_rwmutex(void)
{
	return make_object(KCHAN_KIND_RWMUTEX, 0);
}

TEST(waiting_writer_holds_new_readers_back)
{
	int m = make_rwmutex();
	struct waiter writer, reader;

	ASSERT_EQ(0, kchan_rlock(m));
	writer = start_waiter(m, KCHAN_OP_LOCK, 1, 0);
	EXPECT_EQ(-EAGAIN, kchan_try_rlock(m));
	reader = start_waiter(m, KCHAN_OP_RLOCK, 1, 1);
	ASSERT_EQ(0, kchan_runlock(m));
	EXPECT_EQ(0, got(writer));
	EXPECT_EQ(true, waiting(m, 0, 1));
	ASSERT_EQ(0, kchan_unlock(m));
	EXPECT_EQ(0, got(reader));
	EXPECT_EQ(0, kchan_runlock(m));
}

TEST(unlock_admits_all_waiting_readers)
{
	int m = make_rwmutex();
	struct waiter readers[3], writer;

	ASSERT_EQ(0, kchan_lock(m));
	readers[0] = start_waiter(m, KCHAN_OP_RLOCK, 0, 1);
	writer = start_waiter(m, KCHAN_OP_LOCK, 1, 1);
	/* Behind the writer, and still admitted first. */
	readers[1] = start_waiter(m, KCHAN_OP_RLOCK, 1, 2);
	readers[2] = start_waiter(m, KCHAN_OP_RLOCK, 1, 3);
	ASSERT_EQ(0, kchan_unlock(m));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, got(readers[i]));
	}
	EXPECT_EQ(3, chan_stat(m).length);
	EXPECT_EQ(true, waiting(m, 1, 0));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, load(&writer.op->over));
		ASSERT_EQ(0, kchan_runlock(m));
	}
	EXPECT_EQ(0, got(writer));
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(m).state);
}

TEST(writers_in_turn)
{
	int m = make_rwmutex();
	struct waiter writers[4];

	ASSERT_EQ(0, kchan_rlock(m));
	for (int i = 0; i < 4; i++)
		writers[i] = start_waiter(m, KCHAN_OP_LOCK, i + 1, 0);
	ASSERT_EQ(0, kchan_runlock(m));
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(0, got(writers[i]));
		EXPECT_EQ(true, waiting(m, 3 - i, 0));
		ASSERT_EQ(0, kchan_unlock(m));
	}
	EXPECT_EQ(0, chan_stat(m).state);
}

/* The writer that held the readers back gives up: they must not sleep on. */
TEST(writer_that_gives_up_lets_readers_in)
{
	int m = make_rwmutex();
	struct waiter writer, readers[2];

	catch_signal(SIGUSR1, 0);
	ASSERT_EQ(0, kchan_rlock(m));
	writer = start_waiter(m, KCHAN_OP_LOCK, 1, 0);
	readers[0] = start_waiter(m, KCHAN_OP_RLOCK, 1, 1);
	readers[1] = start_waiter(m, KCHAN_OP_RLOCK, 1, 2);
	task_signal(writer.task, SIGUSR1);
	EXPECT_EQ(-EINTR, got(writer));
	EXPECT_EQ(0, got(readers[0]));
	EXPECT_EQ(0, got(readers[1]));
	EXPECT_EQ(3, chan_stat(m).length);
	EXPECT_EQ(0, kchan_try_rlock(m));
}

/* Of two writers one gives up: the other still holds readers back. */
TEST(one_of_two_writers_gives_up)
{
	int m = make_rwmutex();
	struct waiter writers[2], reader;

	catch_signal(SIGUSR1, 0);
	ASSERT_EQ(0, kchan_rlock(m));
	writers[0] = start_waiter(m, KCHAN_OP_LOCK, 1, 0);
	writers[1] = start_waiter(m, KCHAN_OP_LOCK, 2, 0);
	reader = start_waiter(m, KCHAN_OP_RLOCK, 2, 1);
	task_signal(writers[0].task, SIGUSR1);
	EXPECT_EQ(-EINTR, got(writers[0]));
	EXPECT_EQ(true, waiting(m, 1, 1));
	ASSERT_EQ(0, kchan_runlock(m));
	EXPECT_EQ(0, got(writers[1]));
	ASSERT_EQ(0, kchan_unlock(m));
	EXPECT_EQ(0, got(reader));
}

TASK_FIXTURE(between_writers)

/* Of two writers the one in front of the reader gives up: the other came later. */
TEST_F(between_writers, writer_in_front_gives_up)
{
	int m = make_rwmutex();
	struct waiter writers[2], reader;

	catch_signal(SIGUSR1, 0);
	ASSERT_EQ(0, kchan_rlock(m));
	writers[0] = start_waiter_as(variant->kind, m, KCHAN_OP_LOCK, 1, 0);
	reader = start_waiter_as(variant->kind, m, KCHAN_OP_RLOCK, 1, 1);
	writers[1] = start_waiter_as(variant->kind, m, KCHAN_OP_LOCK, 2, 1);
	task_signal(writers[0].task, SIGUSR1);
	EXPECT_EQ(-EINTR, got(writers[0]));
	EXPECT_EQ(0, got(reader));
	EXPECT_EQ(true, waiting(m, 1, 0));
	ASSERT_EQ(0, kchan_runlock(m));
	if (variant->kind == THREAD)
		ASSERT_EQ(0, kchan_runlock(m));
	EXPECT_EQ(0, got(writers[1]));
}

/* It waits for writing as well, which holds back others, but not itself. */
TEST_F(between_writers, select_for_both)
{
	int m = make_rwmutex();
	struct one_select *s = new_select();
	struct waiter writers[2];
	struct task *both;

	catch_signal(SIGUSR1, 0);
	s->cases[s->nr++] = on_op(m, KCHAN_OP_LOCK, 0);
	s->cases[s->nr++] = on_op(m, KCHAN_OP_RLOCK, 0);
	ASSERT_EQ(0, kchan_rlock(m));
	writers[0] = start_waiter_as(variant->kind, m, KCHAN_OP_LOCK, 1, 0);
	both = start_select(variant->kind, s);
	wait_waiting(m, 2, 1);
	writers[1] = start_waiter_as(variant->kind, m, KCHAN_OP_LOCK, 3, 1);
	task_signal(writers[0].task, SIGUSR1);
	EXPECT_EQ(-EINTR, got(writers[0]));
	ASSERT_EQ(0, task_join(both));
	EXPECT_CHOSE(1, 0, s->chosen);
	EXPECT_EQ(true, waiting(m, 1, 0));
	ASSERT_EQ(0, kchan_runlock(m));
	if (variant->kind == THREAD)
		ASSERT_EQ(0, kchan_runlock(m));
	EXPECT_EQ(0, got(writers[1]));
}

TEST(counts_readers)
{
	int m = make_rwmutex();

	for (int i = 1; i <= 100; i++) {
		ASSERT_EQ(0, kchan_rlock(m));
		EXPECT_EQ(i, chan_stat(m).length);
	}
	EXPECT_EQ(0, chan_stat(m).state);
	for (int i = 99; i >= 0; i--) {
		ASSERT_EQ(0, kchan_runlock(m));
		EXPECT_EQ(i, chan_stat(m).length);
	}
	EXPECT_EQ(-EPERM, kchan_runlock(m));
}

TEST(polled)
{
	int m = make_rwmutex();
	struct waiter writer;

	EXPECT_EQ(POLLIN | POLLOUT, poll_now(m, POLLIN | POLLOUT));
	ASSERT_EQ(0, kchan_rlock(m));
	EXPECT_EQ(POLLIN, poll_now(m, POLLIN | POLLOUT));
	/* A waiting writer holds readers back, and poll knows it. */
	writer = start_waiter(m, KCHAN_OP_LOCK, 1, 0);
	EXPECT_EQ(0, poll_now(m, POLLIN | POLLOUT));
	ASSERT_EQ(0, kchan_runlock(m));
	EXPECT_EQ(0, got(writer));
	EXPECT_EQ(0, poll_now(m, POLLIN | POLLOUT));
	ASSERT_EQ(0, kchan_unlock(m));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(m, POLLIN | POLLOUT));
}

TEST_HARNESS_MAIN
