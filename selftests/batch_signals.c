// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals and batches: with nothing moved a batch is interrupted or restarts as any
 * wait, and fails with -1 from the system call itself; once something was moved, it
 * tells how much.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { ROOM = 4, WHOLE = 3 };

FIXTURE(batch_signals) {
	int c;
	unsigned int cmd;
};

FIXTURE_VARIANT(batch_signals) {
	enum task_kind kind;
	bool sends;
};

FIXTURE_VARIANT_ADD(batch_signals, receive_threads) { THREAD, false };
FIXTURE_VARIANT_ADD(batch_signals, receive_processes) { PROCESS, false };
FIXTURE_VARIANT_ADD(batch_signals, send_threads) { THREAD, true };
FIXTURE_VARIANT_ADD(batch_signals, send_processes) { PROCESS, true };

/* On which a batch has to wait. */
FIXTURE_SETUP(batch_signals)
{
	self->c = make_chan(8, ROOM);
	self->cmd = variant->sends ? KCHAN_SEND_BATCH : KCHAN_RECV_BATCH;
	for (int i = 0; variant->sends && i < ROOM; i++)
		must(!send64(self->c, 10 + i));
}

FIXTURE_TEARDOWN(batch_signals) { }

struct one_batch {
	int fd;
	unsigned int cmd;
	struct kchan_batch args;
	__u64 values[WHOLE];
	long ret;	/* as the system call says */
	int error;
	int over;
};

static int do_batch(void *arg)
{
	struct one_batch *b = arg;

	b->args.buf = (uintptr_t)b->values;
	errno = 0;
	b->ret = syscall(SYS_ioctl, b->fd, b->cmd, &b->args);
	b->error = errno;
	store(&b->over, 1);
	return 0;
}

static struct one_batch *new_batch(int fd, unsigned int cmd, __u32 min)
{
	struct one_batch *b = shared_alloc(sizeof(*b));

	*b = (struct one_batch){
		.fd = fd, .cmd = cmd, .values = { 1, 2, 3 },
		.args = { .size = sizeof(b->args), .len = 8, .min = min, .max = WHOLE },
	};
	return b;
}

/* Lets the batch go on by that many messages. */
static void move_on(int c, bool sends, int n)
{
	__u64 v;

	for (int i = 0; i < n; i++)
		must(sends ? recv64(c, &v) == 1 : !send64(c, 20 + i));
}

TEST_F(batch_signals, interrupt)
{
	struct one_batch *b = new_batch(self->c, self->cmd, WHOLE);
	struct kchan_stat before = chan_stat(self->c);
	struct task *t;

	count_signals(0);
	t = task_start(variant->kind, do_batch, b);
	wait_waiting(self->c, variant->sends, !variant->sends);
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-1, b->ret);
	EXPECT_EQ(EINTR, b->error);
	EXPECT_EQ(1, *handled);
	EXPECT_EQ(true, same_stat(before, self->c));
}

TEST_F(batch_signals, restart)
{
	struct one_batch *b = new_batch(self->c, self->cmd, WHOLE);
	struct task *t;

	count_signals(SA_RESTART);
	t = task_start(variant->kind, do_batch, b);
	for (int i = 1; i <= 10; i++) {
		wait_waiting(self->c, variant->sends, !variant->sends);
		task_signal(t, SIGUSR1);
		wait_until(load(handled) == i);
	}
	wait_waiting(self->c, variant->sends, !variant->sends);
	EXPECT_EQ(0, load(&b->over));
	move_on(self->c, variant->sends, WHOLE);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(WHOLE, b->ret);
	EXPECT_EQ(variant->sends ? ROOM : 0, chan_stat(self->c).length);
	EXPECT_EQ(variant->sends ? 1 : 20, b->values[0]);
	EXPECT_EQ(variant->sends ? 3 : 22, b->values[2]);
}

/* What nobody handles, and stopping, ends no wait. */
TEST_F(batch_signals, ignored_and_stopped)
{
	struct one_batch *b = new_batch(self->c, self->cmd, WHOLE);
	struct task *t;

	signal(SIGUSR2, SIG_IGN);
	t = task_start(variant->kind, do_batch, b);
	wait_waiting(self->c, variant->sends, !variant->sends);
	for (int i = 0; i < 10; i++)
		task_signal(t, SIGUSR2);
	for (int i = 0; variant->kind == PROCESS && i < 5; i++) {
		must(!kill(t->pid, SIGSTOP));
		wait_until(in_state(t->pid, 'T'));
		must(!kill(t->pid, SIGCONT));
		wait_until(!in_state(t->pid, 'T'));
	}
	wait_waiting(self->c, variant->sends, !variant->sends);
	EXPECT_EQ(0, load(&b->over));
	move_on(self->c, variant->sends, WHOLE);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(WHOLE, b->ret);
}

/* With or without SA_RESTART: what was moved would be lost otherwise. */
TEST_F(batch_signals, tell_what_was_moved)
{
	for (int restarts = 0; restarts < 2; restarts++) {
		struct one_batch *b = new_batch(self->c, self->cmd, WHOLE);
		struct task *t;

		count_signals(restarts ? SA_RESTART : 0);
		t = task_start(variant->kind, do_batch, b);
		wait_waiting(self->c, variant->sends, !variant->sends);
		move_on(self->c, variant->sends, 1);
		/* It has moved one, and waits for the second. */
		wait_until(chan_stat(self->c).length == (variant->sends ? ROOM : 0));
		wait_waiting(self->c, variant->sends, !variant->sends);
		task_signal(t, SIGUSR1);
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(1, b->ret);
		EXPECT_EQ(1, *handled);
		EXPECT_EQ(true, waiting(self->c, 0, 0));
	}
}

/* All errors are -1, in all of the register. */
TEST_F(batch_signals, errors_are_minus_one)
{
	struct one_batch *b = new_batch(self->c, self->cmd, 0);

	do_batch(b);
	EXPECT_EQ(-1, b->ret);
	EXPECT_EQ(EAGAIN, b->error);
	b->args.min = 1;
	b->args.flags = KCHAN_NONBLOCK;
	do_batch(b);
	EXPECT_EQ(-1, b->ret);
	EXPECT_EQ(EAGAIN, b->error);
	b->args.flags = KCHAN_DEADLINE;
	b->args.deadline = in_ms(5);
	do_batch(b);
	EXPECT_EQ(-1, b->ret);
	EXPECT_EQ(ETIMEDOUT, b->error);
	must(!chan_close(self->c));
	b->args.flags = 0;
	b->args.deadline = 0;
	do_batch(b);
	EXPECT_EQ(variant->sends ? -1 : 0, b->ret);
	EXPECT_EQ(variant->sends ? EPIPE : 0, b->error);
}

TEST_HARNESS_MAIN
