// SPDX-License-Identifier: GPL-2.0-only
/*
 * The habits that all waits have, whatever they wait for: they block and wake,
 * take deadlines, are interrupted and restarted, can be killed, polled for,
 * passed on and put into a select; and a wait that fails has changed nothing.
 * Each test runs once for each row of the table.
 */
#include <kselftest_harness.h>
#include "wait_rows.h"

#define EVENTS (POLLIN | POLLOUT)

/* A new object, on which the operation blocks. */
FIXTURE(wait) {
	int fd;
};

FIXTURE_VARIANT(wait) {
	struct wait_row row;
};

#define ADD(name, ...)	FIXTURE_VARIANT_ADD(wait, name) { WAIT_ROW(name, __VA_ARGS__) };

FOR_EVERY_WAIT(ADD)

FIXTURE_SETUP(wait)
{
	self->fd = make_object(variant->row.kind, variant->row.limit);
	variant->row.block(self->fd);
}

FIXTURE_TEARDOWN(wait)
{
	close(self->fd);
}

typedef const struct wait_row *row_t;

/* The row's operation, on any handle. */
static int call(row_t row, int fd, __u32 flags, __s64 deadline, __u64 *value)
{
	return kchan_wait_op(fd, row->op, 0, row->arg, flags, deadline, value);
}

/* It fails like that, and has changed nothing. */
static int fails(row_t row, int fd, __u32 flags, __s64 deadline, int error)
{
	struct kchan_stat before = chan_stat(fd);
	__u64 value;

	CHECK(call(row, fd, flags, deadline, &value) == -error);
	CHECK(value == POISON);
	CHECK(same_stat(before, fd));
	return 0;
}

static int succeeds(row_t row, int fd, __u32 flags, __s64 deadline)
{
	__u64 value;

	CHECK(call(row, fd, flags, deadline, &value) == row->ret);
	CHECK(value == row->value);
	return 0;
}

static struct task *start_blocked(row_t row, enum task_kind kind, int fd, struct one_op **one)
{
	struct task *t;

	*one = new_op(fd, row->op, row->arg);
	t = task_start(kind, do_one_op, *one);
	row_wait_blocked(row, fd, 1);
	return t;
}

TEST_F(wait, blocks_and_wakes)
{
	for (enum task_kind kind = THREAD; kind <= PROCESS; kind++) {
		int fd = make_object(variant->row.kind, variant->row.limit);
		struct one_op *one;
		struct task *t;

		variant->row.block(fd);
		t = start_blocked(&variant->row, kind, fd, &one);
		variant->row.ready(fd);
		EXPECT_EQ(variant->row.ret, join_op(t, one));
		EXPECT_EQ(variant->row.value, one->value);
		EXPECT_EQ(true, waiting(fd, 0, 0));
		close(fd);
	}
}

TEST_F(wait, does_not_wait_when_ready)
{
	variant->row.ready(self->fd);
	EXPECT_EQ(0, succeeds(&variant->row, self->fd, KCHAN_NONBLOCK, 0));
}

TEST_F(wait, would_block)
{
	EXPECT_EQ(0, fails(&variant->row, self->fd, KCHAN_NONBLOCK, 0, EAGAIN));
	/* It wins over a deadline. */
	EXPECT_EQ(0, fails(&variant->row, self->fd, KCHAN_NONBLOCK | KCHAN_DEADLINE, in_ms(60000),
			   EAGAIN));
	EXPECT_EQ(0, fails(&variant->row, self->fd, KCHAN_NONBLOCK | KCHAN_DEADLINE, 0, EAGAIN));
}

TEST_F(wait, o_nonblock)
{
	int handle = try_restrict(self->fd, variant->row.right, KCHAN_NONBLOCK);

	ASSERT_LE(0, handle);
	EXPECT_EQ(0, fails(&variant->row, handle, 0, 0, EAGAIN));
	EXPECT_EQ(0, fails(&variant->row, handle, KCHAN_DEADLINE, in_ms(60000), EAGAIN));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(0, fails(&variant->row, self->fd, 0, 0, EAGAIN));
}

TEST_F(wait, deadline_comes)
{
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		__s64 deadline = now_on(clocks[i].clock) + 10 * NSEC_PER_MSEC;

		EXPECT_EQ(0, fails(&variant->row, self->fd, clocks[i].flags, deadline, ETIMEDOUT));
		EXPECT_LE(deadline, now_on(clocks[i].clock));
	}
}

TEST_F(wait, deadline_in_the_past_is_a_try)
{
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		EXPECT_EQ(0, fails(&variant->row, self->fd, clocks[i].flags, 0, ETIMEDOUT));
		EXPECT_EQ(0, fails(&variant->row, self->fd, clocks[i].flags,
				   now_on(clocks[i].clock) - 1, ETIMEDOUT));
	}
	variant->row.ready(self->fd);
	EXPECT_EQ(0, succeeds(&variant->row, self->fd, KCHAN_DEADLINE, 0));
}

TEST_F(wait, deadline_as_far_as_can_be)
{
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		int fd = make_object(variant->row.kind, variant->row.limit);
		struct one_op *one = new_op(fd, variant->row.op, variant->row.arg);
		struct task *t;

		variant->row.block(fd);
		one->flags = clocks[i].flags;
		one->deadline = LLONG_MAX;
		t = task_start(THREAD, do_one_op, one);
		row_wait_blocked(&variant->row, fd, 1);
		variant->row.ready(fd);
		EXPECT_EQ(variant->row.ret, join_op(t, one));
		EXPECT_EQ(variant->row.value, one->value);
		close(fd);
	}
}

TEST_F(wait, deadline_that_makes_no_sense)
{
	EXPECT_EQ(0, fails(&variant->row, self->fd, KCHAN_DEADLINE, -1, EINVAL));
	EXPECT_EQ(0, fails(&variant->row, self->fd, KCHAN_DEADLINE, LLONG_MIN, EINVAL));
	EXPECT_EQ(0, fails(&variant->row, self->fd, 0, 1, EINVAL));
	EXPECT_EQ(0, fails(&variant->row, self->fd, KCHAN_CLOCK_REALTIME, 0, EINVAL));
	EXPECT_EQ(0, fails(&variant->row, self->fd, KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME |
			   KCHAN_CLOCK_BOOTTIME, 1, EINVAL));
	EXPECT_EQ(0, fails(&variant->row, self->fd, KCHAN_IN_ORDER | KCHAN_NONBLOCK, 0, EINVAL));
	EXPECT_EQ(0, fails(&variant->row, self->fd, KCHAN_READY | KCHAN_NONBLOCK, 0, EINVAL));
}

TEST_F(wait, is_interrupted)
{
	struct kchan_stat before = chan_stat(self->fd);

	catch_signal(SIGUSR1, 0);
	for (enum task_kind kind = THREAD; kind <= PROCESS; kind++) {
		struct one_op *one;
		struct task *t = start_blocked(&variant->row, kind, self->fd, &one);

		task_signal(t, SIGUSR1);
		EXPECT_EQ(-EINTR, join_op(t, one));
		EXPECT_EQ(POISON, one->value);
		EXPECT_EQ(true, same_stat(before, self->fd));
	}
	variant->row.ready(self->fd);
	EXPECT_EQ(0, succeeds(&variant->row, self->fd, KCHAN_NONBLOCK, 0));
}

TEST_F(wait, is_restarted)
{
	struct one_op *one;
	struct task *t;

	count_signals(SA_RESTART);
	t = start_blocked(&variant->row, PROCESS, self->fd, &one);
	for (int i = 1; i <= 10; i++) {
		row_wait_blocked(&variant->row, self->fd, 1);
		task_signal(t, SIGUSR1);
		wait_until(load(handled) == i);
	}
	row_wait_blocked(&variant->row, self->fd, 1);
	variant->row.ready(self->fd);
	EXPECT_EQ(variant->row.ret, join_op(t, one));
	EXPECT_EQ(variant->row.value, one->value);
}

TEST_F(wait, is_killed)
{
	struct kchan_stat before = chan_stat(self->fd);
	struct one_op *one;
	struct task *t = start_blocked(&variant->row, PROCESS, self->fd, &one);

	task_kill(t);
	EXPECT_EQ(KILLED(SIGKILL), task_join(t));
	EXPECT_EQ(true, same_stat(before, self->fd));
	variant->row.ready(self->fd);
	EXPECT_EQ(0, succeeds(&variant->row, self->fd, KCHAN_NONBLOCK, 0));
}

/* The handle goes while a thread waits through it; the wait goes on. */
TEST_F(wait, outlives_its_handle)
{
	int other = restrict_to(self->fd, BOTH_RIGHTS);
	struct one_op *one;
	struct task *t = start_blocked(&variant->row, THREAD, self->fd, &one);

	close(self->fd);
	EXPECT_EQ(0, fails(&variant->row, other, KCHAN_NONBLOCK, 0, EAGAIN));
	variant->row.ready(other);
	EXPECT_EQ(variant->row.ret, join_op(t, one));
	EXPECT_EQ(variant->row.value, one->value);
	self->fd = other;
}

/* ---- rights ---- */

TEST_F(wait, needs_its_right)
{
	int with = restrict_to(self->fd, variant->row.right);
	int without = restrict_to(self->fd, variant->row.right ^ BOTH_RIGHTS);

	EXPECT_EQ(0, fails(&variant->row, without, KCHAN_NONBLOCK, 0, EBADF));
	EXPECT_EQ(0, fails(&variant->row, without, 0, 0, EBADF));
	EXPECT_EQ(0, fails(&variant->row, with, KCHAN_NONBLOCK, 0, EAGAIN));
	variant->row.ready(self->fd);
	EXPECT_EQ(0, fails(&variant->row, without, KCHAN_NONBLOCK, 0, EBADF));
	EXPECT_EQ(0, succeeds(&variant->row, with, KCHAN_NONBLOCK, 0));
	close(with);
	close(without);
}

TEST_F(wait, through_a_copy)
{
	int copy = dup(self->fd);

	EXPECT_EQ(0, fails(&variant->row, copy, KCHAN_NONBLOCK, 0, EAGAIN));
	variant->row.ready(self->fd);
	EXPECT_EQ(0, succeeds(&variant->row, copy, KCHAN_NONBLOCK, 0));
	close(copy);
}

struct passed {
	int sock;
	struct one_op *one;
};

static int wait_through_passed(void *arg)
{
	struct passed *p = arg;

	p->one->fd = take_fd(p->sock);
	return do_one_op(p->one);
}

/* To a process that never had the object. */
TEST_F(wait, through_a_passed_handle)
{
	struct passed p = { .one = new_op(-1, variant->row.op, variant->row.arg) };
	int sockets[2], fd;
	struct task *t;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	p.sock = sockets[1];
	t = task_start(PROCESS, wait_through_passed, &p);
	fd = make_object(variant->row.kind, variant->row.limit);
	variant->row.block(fd);
	pass_fd(sockets[0], fd);
	row_wait_blocked(&variant->row, fd, 1);
	variant->row.ready(fd);
	EXPECT_EQ(variant->row.ret, join_op(t, p.one));
	EXPECT_EQ(variant->row.value, p.one->value);
	close(fd);
}

/* ---- poll ---- */

/* A cell differs from what only its reader knows: poll cannot ask for that. */
static bool polls_truly(row_t row)
{
	return row->kind != KCHAN_KIND_CELLS;
}

static short event(row_t row)
{
	return row->right == KCHAN_RIGHT_SEND ? POLLOUT : POLLIN;
}

TEST_F(wait, polls)
{
	int handle = restrict_to(self->fd, variant->row.right);

	EXPECT_EQ(polls_truly(&variant->row) ? 0 : event(&variant->row), poll_now(handle, EVENTS));
	variant->row.ready(self->fd);
	EXPECT_EQ(event(&variant->row), poll_now(handle, EVENTS));
	/* Of both rights, at least the same. */
	EXPECT_EQ(event(&variant->row), poll_now(self->fd, event(&variant->row)));
	close(handle);
}

struct poller {
	int fd;
	short events, revents;
};

static int poll_forever(void *arg)
{
	struct poller *p = arg;
	struct pollfd pfd = { .fd = p->fd, .events = p->events };

	CHECK(poll(&pfd, 1, -1) == 1);
	p->revents = pfd.revents;
	return 0;
}

TEST_F(wait, wakes_a_poller)
{
	for (enum task_kind kind = THREAD; polls_truly(&variant->row) && kind <= PROCESS; kind++) {
		struct poller *p = shared_alloc(sizeof(*p));
		int fd = make_object(variant->row.kind, variant->row.limit);
		struct task *t;

		variant->row.block(fd);
		*p = (struct poller){ .fd = restrict_to(fd, variant->row.right), .events = EVENTS };
		t = task_start(kind, poll_forever, p);
		wait_asleep(t);
		variant->row.ready(fd);
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(event(&variant->row), p->revents);
		close(p->fd);
		close(fd);
	}
}

/* ---- select ---- */

static struct kchan_case case_of(row_t row, int fd)
{
	return on_op(fd, row->op, row->arg);
}

TEST_F(wait, in_a_select_that_does_not_wait)
{
	struct kchan_case c[] = { { .fd = -1, .op = KCHAN_OP_LOCK }, case_of(&variant->row, self->fd) };
	struct kchan_stat before = chan_stat(self->fd);
	struct chosen got;

	EXPECT_EQ(-EAGAIN, kchan_select(c, 2, KCHAN_NONBLOCK, 0).index);
	EXPECT_EQ(-EAGAIN, kchan_select(c, 2, KCHAN_NONBLOCK | KCHAN_IN_ORDER, 0).index);
	EXPECT_EQ(-EAGAIN, kchan_select(c, 2, KCHAN_NONBLOCK | KCHAN_READY, 0).index);
	EXPECT_EQ(-ETIMEDOUT, kchan_select(c, 2, KCHAN_DEADLINE, 0).index);
	EXPECT_EQ(-ETIMEDOUT, kchan_select(c, 2, KCHAN_DEADLINE, in_ms(10)).index);
	EXPECT_EQ(true, same_stat(before, self->fd));

	variant->row.ready(self->fd);
	before = chan_stat(self->fd);
	EXPECT_EQ(1, kchan_select(c, 2, KCHAN_NONBLOCK | KCHAN_READY, 0).index);
	EXPECT_EQ(true, same_stat(before, self->fd));
	got = kchan_select(c, 2, KCHAN_NONBLOCK, 0);
	EXPECT_EQ(1, got.index);
	EXPECT_EQ(variant->row.ret, got.outcome);
	EXPECT_EQ(variant->row.value, got.value);
}

struct selecting {
	struct kchan_case cases[2];
	__u32 flags;
	struct chosen got;
};

static int select_one(void *arg)
{
	struct selecting *s = arg;

	s->got = kchan_select(s->cases, 2, s->flags, 0);
	return 0;
}

struct waiting_select {
	struct selecting *s;
	struct task *task;
	int fd, never;
};

static struct waiting_select start_select(row_t row, enum task_kind kind, __u32 flags)
{
	struct waiting_select w = {
		.s = shared_alloc(sizeof(*w.s)),
		.fd = make_object(row->kind, row->limit),
		.never = make_object(KCHAN_KIND_TIMER, 0),
	};

	row->block(w.fd);
	*w.s = (struct selecting){
		.cases = { on_op(w.never, KCHAN_OP_TICK, 0), case_of(row, w.fd) },
		.flags = flags,
	};
	w.task = task_start(kind, select_one, w.s);
	return w;
}

static void end_select(struct waiting_select w)
{
	close(w.fd);
	close(w.never);
	munmap(w.s, sizeof(*w.s));
}

TEST_F(wait, in_a_select_that_waits)
{
	for (enum task_kind kind = THREAD; kind <= PROCESS; kind++) {
		struct waiting_select w = start_select(&variant->row, kind, 0);

		row_wait_blocked(&variant->row, w.fd, 1);
		wait_waiting(w.never, 0, 1);
		variant->row.ready(w.fd);
		EXPECT_EQ(0, task_join(w.task));
		EXPECT_EQ(1, w.s->got.index);
		EXPECT_EQ(variant->row.ret, w.s->got.outcome);
		EXPECT_EQ(variant->row.value, w.s->got.value);
		EXPECT_EQ(true, waiting(w.fd, 0, 0));
		EXPECT_EQ(true, waiting(w.never, 0, 0));
		end_select(w);
	}
}

/* Who waits for readiness takes nothing, and is not counted as blocked. */
TEST_F(wait, in_a_select_that_waits_for_readiness)
{
	for (enum task_kind kind = THREAD; kind <= PROCESS; kind++) {
		struct waiting_select w = start_select(&variant->row, kind, KCHAN_READY);

		wait_asleep(w.task);
		EXPECT_EQ(0, fails(&variant->row, w.fd, KCHAN_NONBLOCK, 0, EAGAIN));
		variant->row.ready(w.fd);
		EXPECT_EQ(0, task_join(w.task));
		EXPECT_EQ(1, w.s->got.index);
		EXPECT_EQ(0, succeeds(&variant->row, w.fd, KCHAN_NONBLOCK, 0));
		end_select(w);
	}
}

TEST_F(wait, in_a_select_needs_its_right)
{
	int without = restrict_to(self->fd, variant->row.right ^ BOTH_RIGHTS);
	struct kchan_case c = case_of(&variant->row, without);

	EXPECT_EQ(-EBADF, kchan_select(&c, 1, KCHAN_NONBLOCK, 0).index);
	variant->row.ready(self->fd);
	EXPECT_EQ(-EBADF, kchan_select(&c, 1, 0, 0).index);
	EXPECT_EQ(0, succeeds(&variant->row, self->fd, KCHAN_NONBLOCK, 0));
	close(without);
}

/* ---- what the operation is told ---- */

TEST_F(wait, index_and_arg_make_sense)
{
	struct kchan_stat before = chan_stat(self->fd);
	struct kchan_case c = case_of(&variant->row, self->fd);
	bool takes_units = variant->row.op == KCHAN_OP_ADD;
	bool cells = variant->row.op == KCHAN_OP_DIFFERS;
	__u32 wrong_index = cells ? variant->row.limit : 1;

	EXPECT_EQ(-EINVAL, kchan_wait_op(self->fd, variant->row.op, wrong_index, variant->row.arg, 0, 0,
					 NULL));
	EXPECT_EQ(-EINVAL, kchan_wait_op(self->fd, variant->row.op, UINT_MAX, variant->row.arg, 0, 0,
					 NULL));
	c.index = wrong_index;
	EXPECT_EQ(-EINVAL, kchan_select(&c, 1, 0, 0).index);
	c = case_of(&variant->row, self->fd);
	c.len = 1;
	EXPECT_EQ(-EINVAL, kchan_select(&c, 1, 0, 0).index);
	c.len = 0;
	c.buf = (uintptr_t)&c;
	EXPECT_EQ(-EINVAL, kchan_select(&c, 1, 0, 0).index);
	if (!cells) {
		__u64 wrong = takes_units ? 0 : 1;

		EXPECT_EQ(-EINVAL, wait_op(self->fd, variant->row.op, wrong));
		EXPECT_EQ(-EINVAL, wait_op(self->fd, variant->row.op, takes_units ? 2 : 1ull << 32));
		c = on_op(self->fd, variant->row.op, wrong);
		EXPECT_EQ(-EINVAL, kchan_select(&c, 1, 0, 0).index);
	}
	EXPECT_EQ(true, same_stat(before, self->fd));
}

TEST_HARNESS_MAIN
