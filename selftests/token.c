// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tokens: units of work in one hand.  However the hand lets go without saying
 * that it is done, its units come back, and whoever waits for zero learns how
 * many were abandoned.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum fate { IS_DONE, CLOSES, EXITS, IS_KILLED, EXECS };

FIXTURE(token) {
	int group;
};

FIXTURE_VARIANT(token) {
	__u32 kind;
};

FIXTURE_VARIANT_ADD(token, waitgroup) { KCHAN_KIND_WAITGROUP };
FIXTURE_VARIANT_ADD(token, semaphore) { KCHAN_KIND_SEMAPHORE };

enum { LIMIT = 20 };

FIXTURE_SETUP(token)
{
	self->group = make_object(variant->kind, LIMIT);
}

FIXTURE_TEARDOWN(token)
{
	close(self->group);
}

static int try_make_token(int group, __s64 units)
{
	return kchan_arg_call(group, KCHAN_TOKEN, units);
}

/* Takes the units, and puts them into a token. */
static int make_token(int group, __u64 units)
{
	must(!kchan_add(group, units));
	return made(try_make_token(group, units));
}

static int give_back_too_much(__u32 kind)
{
	return kind == KCHAN_KIND_WAITGROUP ? -EINVAL : -EOVERFLOW;
}

/* At zero, with so many abandoned; 0, or the line that failed. */
static int at_zero(int group, __u64 abandoned)
{
	__u64 n;

	CHECK(kchan_zero(group, &n) == (abandoned ? -EOWNERDEAD : 0));
	CHECK(n == abandoned);
	CHECK(chan_stat(group).length == 0);
	CHECK(chan_stat(group).value == abandoned);
	return 0;
}

/* ---- one token ---- */

TEST_F(token, done)
{
	int token = make_token(self->group, 3);

	EXPECT_EQ(3, chan_stat(token).length);
	EXPECT_EQ(3, chan_stat(self->group).length);
	EXPECT_EQ(0, chan_stat(token).state);
	EXPECT_EQ(0, kchan_done(token, 0));
	EXPECT_EQ(KCHAN_STATE_DONE, chan_stat(token).state);
	EXPECT_EQ(0, at_zero(self->group, 0));
	/* It may say so again, and counts only once. */
	ASSERT_EQ(0, kchan_add(self->group, 2));
	EXPECT_EQ(0, kchan_done(token, 0));
	EXPECT_EQ(2, chan_stat(self->group).length);
	close(token);
	EXPECT_EQ(2, chan_stat(self->group).length);
	ASSERT_EQ(0, kchan_done(self->group, 2));
	EXPECT_EQ(0, at_zero(self->group, 0));
}

TEST_F(token, closed)
{
	int token = make_token(self->group, 3);

	close(token);
	EXPECT_EQ(0, at_zero(self->group, 3));
	/* As often as one asks. */
	EXPECT_EQ(0, at_zero(self->group, 3));
	EXPECT_EQ(-EOWNERDEAD, try_op(self->group, KCHAN_OP_ZERO, 0));
}

TEST_F(token, some_done_and_some_abandoned)
{
	int tokens[] = { make_token(self->group, 1), make_token(self->group, 2),
			 make_token(self->group, 4) };

	ASSERT_EQ(0, kchan_add(self->group, 8));
	close(tokens[0]);
	EXPECT_EQ(14, chan_stat(self->group).length);
	EXPECT_EQ(1, chan_stat(self->group).value);
	EXPECT_EQ(0, kchan_done(tokens[1], 0));
	close(tokens[1]);
	close(tokens[2]);
	EXPECT_EQ(5, chan_stat(self->group).value);
	EXPECT_EQ(-EAGAIN, try_op(self->group, KCHAN_OP_ZERO, 0));
	EXPECT_EQ(0, kchan_done(self->group, 8));
	EXPECT_EQ(0, at_zero(self->group, 5));
}

TEST_F(token, first_add_forgets)
{
	close(make_token(self->group, 3));
	EXPECT_EQ(0, at_zero(self->group, 3));
	ASSERT_EQ(0, kchan_add(self->group, 1));
	EXPECT_EQ(0, chan_stat(self->group).value);
	ASSERT_EQ(0, kchan_done(self->group, 1));
	EXPECT_EQ(0, at_zero(self->group, 0));
	/* But not one that fails, and not the second. */
	close(make_token(self->group, 2));
	EXPECT_EQ(-EINVAL, kchan_add(self->group, LIMIT + 1));
	EXPECT_EQ(0, at_zero(self->group, 2));
	ASSERT_EQ(0, kchan_add(self->group, 1));
	close(make_token(self->group, 2));
	ASSERT_EQ(0, kchan_add(self->group, 1));
	ASSERT_EQ(0, kchan_done(self->group, 2));
	EXPECT_EQ(0, at_zero(self->group, 2));
}

/* ---- what makes no token ---- */

TEST_F(token, of_units_that_were_not_taken)
{
	const __s64 bad[] = { 4, 1ll << 32, (1ll << 32) + 1, LLONG_MAX, 0, -1, LLONG_MIN };
	struct kchan_stat before;

	EXPECT_EQ(-EINVAL, try_make_token(self->group, 1));
	ASSERT_EQ(0, kchan_add(self->group, 3));
	before = chan_stat(self->group);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, try_make_token(self->group, bad[i]));
	}
	EXPECT_EQ(true, same_stat(before, self->group));
}

/* What is in one hand can be neither put into another nor given back by others. */
TEST_F(token, units_of_another_token)
{
	int token = make_token(self->group, 3);

	EXPECT_EQ(-EINVAL, try_make_token(self->group, 1));
	EXPECT_EQ(give_back_too_much(variant->kind), kchan_done(self->group, 1));
	ASSERT_EQ(0, kchan_add(self->group, 2));
	EXPECT_EQ(-EINVAL, try_make_token(self->group, 3));
	EXPECT_EQ(give_back_too_much(variant->kind), kchan_done(self->group, 3));
	EXPECT_EQ(5, chan_stat(self->group).length);
	EXPECT_EQ(0, kchan_done(self->group, 2));
	EXPECT_EQ(0, kchan_done(token, 0));
	EXPECT_EQ(0, at_zero(self->group, 0));
}

TEST_F(token, done_takes_no_number)
{
	int token = make_token(self->group, 3);

	EXPECT_EQ(-EINVAL, kchan_done(token, 1));
	EXPECT_EQ(-EINVAL, kchan_done(token, 3));
	EXPECT_EQ(-EINVAL, kchan_done(token, -1));
	EXPECT_EQ(3, chan_stat(self->group).length);
	EXPECT_EQ(0, chan_stat(token).state);
}

/* No number left for its file: the units stay where they were. */
TEST_F(token, without_a_file_number)
{
	struct rlimit none = { .rlim_cur = 0 }, before;
	int ret;

	ASSERT_EQ(0, kchan_add(self->group, 2));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
	none.rlim_max = before.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	ret = try_make_token(self->group, 2);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
	EXPECT_EQ(-EMFILE, ret);
	EXPECT_EQ(0, kchan_done(self->group, 2));
	EXPECT_EQ(0, at_zero(self->group, 0));
}

/* ---- in workers ---- */

struct worker {
	int token;
	enum fate fate;
	int started;
};

static int work(void *arg)
{
	struct worker *w = arg;

	count_up(&w->started);
	switch (w->fate) {
	case IS_DONE:
		return kchan_done(w->token, 0);
	case EXITS:
		_exit(0);
	case EXECS:
		exec_sleep();
		break;
	case CLOSES:
		close(w->token);
		break;
	case IS_KILLED:
		break;
	}
	pause();
	return 0;
}

/* A worker that has the token, in its hand alone. */
static struct task *start_worker(int group, __u64 units, enum fate fate)
{
	struct worker *w = shared_alloc(sizeof(*w));
	struct task *t;

	*w = (struct worker){ make_token(group, units), fate, 0 };
	t = task_start(PROCESS, work, w);
	close(w->token);
	wait_until(load(&w->started));
	return t;
}

static void end_worker(struct task *t, enum fate fate)
{
	if (fate != IS_DONE && fate != EXITS)
		task_kill(t);
	task_join(t);
}

TEST_F(token, in_a_worker)
{
	for (enum fate fate = IS_DONE; fate <= EXECS; fate++) {
		struct one_op *op = new_op(self->group, KCHAN_OP_ZERO, 0);
		struct task *worker, *waiter;

		ASSERT_EQ(0, kchan_add(self->group, 1));
		worker = start_worker(self->group, 4, fate);
		waiter = task_start(THREAD, do_one_op, op);
		if (fate == IS_KILLED)
			task_kill(worker);
		wait_until(chan_stat(self->group).length == 1);
		wait_waiting(self->group, variant->kind == KCHAN_KIND_SEMAPHORE,
			     variant->kind == KCHAN_KIND_WAITGROUP);
		ASSERT_EQ(0, kchan_done(self->group, 1));
		EXPECT_EQ(fate == IS_DONE ? 0 : -EOWNERDEAD, join_op(waiter, op))
			TH_LOG("fate %d", fate);
		EXPECT_EQ(fate == IS_DONE ? 0 : 4, op->value);
		end_worker(worker, fate);
		munmap(op, sizeof(*op));
	}
}

TEST_F(token, in_dying_workers)
{
	enum { WORKERS = 10 };
	struct one_op *op = new_op(self->group, KCHAN_OP_ZERO, 0);
	struct task *workers[WORKERS], *waiter;

	for (int i = 0; i < WORKERS; i++)
		workers[i] = start_worker(self->group, 2, IS_KILLED);
	EXPECT_EQ(2 * WORKERS, chan_stat(self->group).length);
	waiter = task_start(PROCESS, do_one_op, op);
	for (int i = 0; i < WORKERS; i++) {
		EXPECT_EQ(0, load(&op->over));
		task_kill(workers[i]);
		EXPECT_EQ(KILLED(SIGKILL), task_join(workers[i]));
	}
	EXPECT_EQ(-EOWNERDEAD, join_op(waiter, op));
	EXPECT_EQ(2 * WORKERS, op->value);
	EXPECT_EQ(0, at_zero(self->group, 2 * WORKERS));
}

/* The race: a worker is killed while it says that it is done.  One of the two. */
TEST_F(token, killed_while_done)
{
	int done = 0, abandoned = 0;

	srand(3);
	for (int round = 0; round < 60; round++) {
		struct task *t = start_worker(self->group, 3, IS_DONE);
		__u64 n;
		int ret;

		for (int i = rand() % 3000; i; i--)
			__asm__ volatile("");
		task_kill(t);
		task_join(t);
		ret = kchan_zero(self->group, &n);
		ASSERT_EQ(true, (ret == 0 && n == 0) || (ret == -EOWNERDEAD && n == 3));
		done += !ret;
		abandoned += !!ret;
	}
	TH_LOG("%d were done, %d were abandoned", done, abandoned);
}

/* Who waits to take units gets those of the dead. */
TEST_F(token, death_serves_who_waits_for_units)
{
	struct one_op *op = new_op(self->group, KCHAN_OP_ADD, 5);
	struct task *worker, *taker;

	ASSERT_EQ(0, kchan_add(self->group, LIMIT - 4));
	worker = start_worker(self->group, 4, IS_KILLED);
	taker = task_start(THREAD, do_one_op, op);
	wait_waiting(self->group, variant->kind == KCHAN_KIND_WAITGROUP,
		     variant->kind == KCHAN_KIND_SEMAPHORE);
	ASSERT_EQ(0, kchan_done(self->group, 1));
	task_kill(worker);
	task_join(worker);
	EXPECT_EQ(0, join_op(taker, op));
	EXPECT_EQ(LIMIT, chan_stat(self->group).length);
	EXPECT_EQ(4, chan_stat(self->group).value);
}

/* ---- more hands than one ---- */

TEST_F(token, copies_count)
{
	int token = make_token(self->group, 2), copy = dup(token);
	int handle = restrict_to(token, KCHAN_RIGHT_SEND);

	close(token);
	EXPECT_EQ(2, chan_stat(self->group).length);
	close(copy);
	EXPECT_EQ(2, chan_stat(self->group).length);
	EXPECT_EQ(0, kchan_done(handle, 0));
	EXPECT_EQ(0, at_zero(self->group, 0));
	close(handle);
	EXPECT_EQ(0, at_zero(self->group, 0));
}

static int hold(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

TEST_F(token, forked_copies_count)
{
	int token = make_token(self->group, 2);
	struct task *children[2] = { task_start(PROCESS, hold, NULL),
				     task_start(PROCESS, hold, NULL) };

	close(token);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(-EAGAIN, try_op(self->group, KCHAN_OP_ZERO, 0));
		task_kill(children[i]);
		EXPECT_EQ(KILLED(SIGKILL), task_join(children[i]));
	}
	EXPECT_EQ(0, at_zero(self->group, 2));
}

TEST_F(token, in_flight_counts)
{
	int token = make_token(self->group, 2);
	int sockets[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pass_fd(sockets[0], token);
	close(token);
	EXPECT_EQ(2, chan_stat(self->group).length);
	token = take_fd(sockets[1]);
	EXPECT_EQ(2, chan_stat(token).length);

	/* A message with a token that nobody ever takes dies with its socket. */
	pass_fd(sockets[0], token);
	close(token);
	EXPECT_EQ(2, chan_stat(self->group).length);
	close(sockets[0]);
	close(sockets[1]);
	EXPECT_EQ(0, at_zero(self->group, 2));
}

/* A handle that may say nothing is still a hand. */
TEST_F(token, handle_without_the_right)
{
	int token = make_token(self->group, 2);
	int handle = restrict_to(token, KCHAN_RIGHT_RECV);

	EXPECT_EQ(-EBADF, kchan_done(handle, 0));
	close(token);
	EXPECT_EQ(2, chan_stat(self->group).length);
	close(handle);
	EXPECT_EQ(0, at_zero(self->group, 2));
}

/* Nobody is left who could say that the rest is done: abandoned, but for tokens. */
TEST(group_without_senders)
{
	int group = make_object(KCHAN_KIND_WAITGROUP, 0), sender, token;
	struct one_op *op = new_op(restrict_to(group, KCHAN_RIGHT_RECV), KCHAN_OP_ZERO, 0);
	struct task *waiter;

	ASSERT_EQ(0, kchan_add(group, 5));
	token = made(try_make_token(group, 2));
	sender = restrict_to(group, KCHAN_RIGHT_SEND);
	waiter = task_start(THREAD, do_one_op, op);
	wait_waiting(op->fd, 0, 1);
	close(group);
	EXPECT_EQ(5, chan_stat(op->fd).length);
	close(sender);
	EXPECT_EQ(2, chan_stat(op->fd).length);
	EXPECT_EQ(3, chan_stat(op->fd).value);
	EXPECT_EQ(true, waiting(op->fd, 0, 1));
	EXPECT_EQ(0, kchan_done(token, 0));
	EXPECT_EQ(-EOWNERDEAD, join_op(waiter, op));
	EXPECT_EQ(3, op->value);
}

/* Its group's handles may all be gone before it. */
TEST_F(token, outlives_its_group_s_handles)
{
	int group = make_object(variant->kind, LIMIT);
	int closed = make_token(group, 2), done = make_token(group, 2);

	close(group);
	EXPECT_EQ(0, kchan_done(done, 0));
	close(closed);
	close(done);
}

TEST_HARNESS_MAIN
