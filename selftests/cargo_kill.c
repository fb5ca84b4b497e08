// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGKILL while sending or receiving handles, at any moment: each arrived once with its
 * message, or is still queued with it, or went with whoever had it; none is left over.
 */
#include <kselftest_harness.h>
#include "cargo_util.h"

FIXTURE(cargo_kill) {
	int c;
	struct trace trace;
};

FIXTURE_VARIANT(cargo_kill) {
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(cargo_kill, unbuffered) { 0 };
FIXTURE_VARIANT_ADD(cargo_kill, buffered) { 3 };

FIXTURE_SETUP(cargo_kill)
{
	self->c = make_chan_of_one(variant->capacity);
	self->trace = make_trace();
}

FIXTURE_TEARDOWN(cargo_kill)
{
	/* Whatever happened: the file is nowhere any more. */
	close(self->c);
	close(self->trace.write);
	wait_until(is_gone(self->trace));
}

TEST_F(cargo_kill, blocked_sender)
{
	struct shipment *s = new_shipment(self->c, 99, self->trace.write);
	struct kchan_stat before;
	struct task *t;

	for (__u64 i = 0; i < variant->capacity; i++) {
		ASSERT_EQ(0, send_handle(self->c, i, -1));
	}
	before = chan_stat(self->c);
	t = task_start(PROCESS, send_shipment, s);
	wait_waiting(self->c, 1, 0);
	close(self->trace.write);
	EXPECT_EQ(false, is_gone(self->trace));
	task_kill(t);
	EXPECT_EQ(KILLED(SIGKILL), task_join(t));
	wait_until(is_gone(self->trace));
	EXPECT_EQ(true, same_stat(before, self->c));
}

TEST_F(cargo_kill, blocked_receiver)
{
	struct shipment *s = new_shipment(self->c, 0, -1);
	struct kchan_stat before = chan_stat(self->c);
	struct task *t = task_start(PROCESS, recv_shipment, s);

	wait_waiting(self->c, 0, 1);
	task_kill(t);
	EXPECT_EQ(KILLED(SIGKILL), task_join(t));
	EXPECT_EQ(true, same_stat(before, self->c));
}

/* What was sent and is still in the buffer does not die with its sender. */
static int send_three(void *arg)
{
	struct shipment *s = arg;

	for (int i = 0; i < 3; i++)
		CHECK(send_handle(s->c, i, s->handles[0]) == 0);
	raise(SIGKILL);
	return 0;
}

TEST_F(cargo_kill, sender_after_it_sent)
{
	struct shipment *s = new_shipment(self->c, 0, self->trace.write);
	struct task *t;
	__u64 v;
	int got;

	if (!variant->capacity)
		return;
	t = task_start(PROCESS, send_three, s);
	EXPECT_EQ(KILLED(SIGKILL), task_join(t));
	close(self->trace.write);
	for (__u64 i = 0; i < 3; i++) {
		got = try_recv_handle(self->c, &v);
		ASSERT_LE(0, got);
		EXPECT_EQ(i, v);
		EXPECT_EQ(true, leads_to(self->trace, got));
		close(got);
	}
	EXPECT_EQ(true, is_gone(self->trace));
}

static int recv_and_stay(void *arg)
{
	struct shipment *s = arg;

	s->ret = recv_handles(s->c, &s->value, s->handles, 1, 0);
	pause();
	return 0;
}

/* The race: the kill and the hand-off meet. */
TEST_F(cargo_kill, receiver_at_the_hand_off)
{
	int back = 0, taken = 0;

	for (int round = 0; round < FEWER(30); round++) {
		struct shipment *s = new_shipment(self->c, 0, -1);
		struct trace trace = make_trace();
		struct task *t = task_start(PROCESS, recv_and_stay, s);
		int sent = 0, got;
		__u64 v;

		/* The child has both ends, too, which is why it must be gone first. */
		wait_waiting(self->c, 0, 1);
		if (round % 2)
			sent = try_send_handle(self->c, round, trace.write);
		task_kill(t);
		if (round % 2 == 0)
			sent = try_send_handle(self->c, round, trace.write);
		ASSERT_EQ(true, sent == 0 || (sent == -EAGAIN && !variant->capacity));
		close(trace.write);
		ASSERT_EQ(KILLED(SIGKILL), task_join(t));
		got = try_recv_handle(self->c, &v);
		if (got >= 0) {
			ASSERT_EQ(round, v);
			ASSERT_EQ(true, leads_to(trace, got));
			close(got);
			back++;
		} else {
			ASSERT_EQ(-EAGAIN, got);
			taken += !sent;
		}
		wait_until(is_gone(trace));
		close(trace.read);
		munmap(s, sizeof(*s));
	}
	TH_LOG("%d came back, %d were taken", back, taken);
}

struct victim {
	int c;
	int handle;
	__u64 done;	/* calls that returned */
	__u64 value;
};

static struct victim *new_victim(int c, int handle)
{
	struct victim *v = shared_alloc(sizeof(*v));

	*v = (struct victim){ .c = c, .handle = handle, .value = POISON };
	return v;
}

static int send_forever(void *arg)
{
	struct victim *v = arg;

	for (;;) {
		int mine = dup(v->handle);

		CHECK(send_handle(v->c, v->done, mine) == 0);
		close(mine);
		store(&v->done, v->done + 1);
	}
}

static int receive_forever(void *arg)
{
	struct victim *v = arg;

	for (;;) {
		int got = recv_handle(v->c, &v->value);

		CHECK(got >= 0);
		CHECK(v->value == v->done);
		CHECK(same_file(got, v->handle));
		close(got);
		store(&v->done, v->done + 1);
	}
}

static void a_moment(void)
{
	for (int i = rand() % 2000; i; i--)
		__asm__ volatile("");
}

/* 0, 1, ... without a gap up to where its sender died, each with its handle. */
TEST_F(cargo_kill, sender_at_any_moment)
{
	srand(1);
	for (int round = 0; round < FEWER(20); round++) {
		struct victim *victim = new_victim(self->c, self->trace.write);
		struct task *t = task_start(PROCESS, send_forever, victim);
		__u64 v, n = 0, until = rand() % 40;
		int got;

		for (; n < until; n++) {
			got = recv_handle(self->c, &v);
			ASSERT_LE(0, got);
			ASSERT_EQ(n, v);
			close(got);
		}
		a_moment();
		task_kill(t);
		ASSERT_EQ(KILLED(SIGKILL), task_join(t));
		for (; (got = try_recv_handle(self->c, &v)) >= 0; n++) {
			ASSERT_EQ(n, v);
			ASSERT_EQ(true, leads_to(self->trace, got));
			close(got);
		}
		ASSERT_EQ(-EAGAIN, got);
		/* The last may have gone out just before its sender could say so. */
		ASSERT_LE(victim->done, n);
		ASSERT_LE(n, victim->done + 1);
		ASSERT_EQ(true, waiting(self->c, 0, 0));
		munmap(victim, sizeof(*victim));
	}
}

/* What is received next follows what the victim had, without a gap. */
TEST_F(cargo_kill, receiver_at_any_moment)
{
	srand(2);
	for (int round = 0; round < FEWER(20); round++) {
		struct victim *victim = new_victim(self->c, self->trace.write);
		struct victim *source = new_victim(self->c, self->trace.write);
		struct task *sender = task_start(PROCESS, send_forever, source);
		struct task *killed = task_start(PROCESS, receive_forever, victim);
		__u64 until = rand() % 40, next, v;
		int got;

		wait_until(load(&victim->done) >= until);
		a_moment();
		task_kill(killed);
		ASSERT_EQ(KILLED(SIGKILL), task_join(killed));

		got = recv_handle(self->c, &next);
		ASSERT_LE(0, got);
		ASSERT_EQ(true, leads_to(self->trace, got));
		close(got);
		if (next == victim->done + 1) {
			/* Taken, though its taker could not say so any more. */
			ASSERT_EQ(victim->done, victim->value);
		} else {
			ASSERT_EQ(victim->done, next);
		}
		task_kill(sender);
		ASSERT_EQ(KILLED(SIGKILL), task_join(sender));
		for (__u64 n = next + 1; (got = try_recv_handle(self->c, &v)) >= 0; n++) {
			ASSERT_EQ(n, v);
			close(got);
		}
		munmap(victim, sizeof(*victim));
		munmap(source, sizeof(*source));
	}
}

/* Everybody dies, and the channel with them. */
TEST_F(cargo_kill, all_of_them)
{
	for (int round = 0; round < 8; round++) {
		int c = make_chan_of_one(variant->capacity);
		struct trace trace = make_trace();
		struct victim *victims[6];
		struct task *tasks[6];

		for (int i = 0; i < 6; i++) {
			victims[i] = new_victim(c, trace.write);
			victims[i]->done = 1000 * i;
			tasks[i] = task_start(PROCESS, i % 2 ? send_forever : recv_and_stay,
					      i % 2 ? (void *)victims[i] :
						      (void *)new_shipment(c, 0, -1));
		}
		wait_until(load(&victims[1]->done) > 1000 || waiting(c, 3, 0) ||
			   chan_stat(c).length == variant->capacity);
		a_moment();
		for (int i = 0; i < 6; i++)
			task_kill(tasks[i]);
		close(c);
		close(trace.write);
		for (int i = 0; i < 6; i++) {
			ASSERT_EQ(KILLED(SIGKILL), task_join(tasks[i]));
		}
		wait_until(is_gone(trace));
		close(trace.read);
	}
}

TEST_HARNESS_MAIN
