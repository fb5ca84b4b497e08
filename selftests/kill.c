// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGKILL while sending or receiving, at any moment: each message arrived once,
 * or is still queued, or its sender died with it unsent.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

FIXTURE(kill) {
	int c;
};

FIXTURE_VARIANT(kill) {
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(kill, unbuffered) { 0 };
FIXTURE_VARIANT_ADD(kill, buffered) { 4 };

FIXTURE_SETUP(kill)
{
	self->c = make_chan(8, variant->capacity);
}

FIXTURE_TEARDOWN(kill)
{
	close(self->c);
}

TEST_F(kill, blocked_sender)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct kchan_stat before;
	struct task *t;
	__u64 v;

	for (__u64 i = 0; i < variant->capacity; i++) {
		ASSERT_EQ(0, send64(self->c, i));
	}
	before = chan_stat(self->c);
	*one = (struct one_value){ .fd = self->c, .value = 99 };
	t = task_start(PROCESS, send_one, one);
	wait_waiting(self->c, 1, 0);
	task_kill(t);
	EXPECT_EQ(KILLED(SIGKILL), task_join(t));
	EXPECT_EQ(true, same_stat(before, self->c));
	for (__u64 i = 0; i < variant->capacity; i++) {
		EXPECT_EQ(1, try_recv64(self->c, &v));
		EXPECT_EQ(i, v);
	}
	EXPECT_EQ(-EAGAIN, try_recv64(self->c, &v));
}

TEST_F(kill, blocked_receiver)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct kchan_stat before = chan_stat(self->c);
	struct task *t;

	one->fd = self->c;
	t = task_start(PROCESS, recv_one, one);
	wait_waiting(self->c, 0, 1);
	task_kill(t);
	EXPECT_EQ(KILLED(SIGKILL), task_join(t));
	EXPECT_EQ(true, same_stat(before, self->c));
	if (!variant->capacity) {
		EXPECT_EQ(-EAGAIN, try_send64(self->c, 1));
	}
}

/*
 * The race: the kill and the hand-off meet.  If the send succeeded, its message
 * is in the victim's memory, or it is back in the channel.
 */
TEST_F(kill, receiver_at_the_hand_off)
{
	int back = 0, taken = 0;

	for (int round = 0; round < FEWER(40); round++) {
		struct one_value *one = shared_alloc(sizeof(*one));
		struct task *t;
		int sent = 0;
		__u64 v;

		*one = (struct one_value){ .fd = self->c, .ret = 7 };
		t = task_start(PROCESS, recv_one, one);
		wait_waiting(self->c, 0, 1);
		if (round % 2)
			sent = try_send64(self->c, round);
		task_kill(t);
		if (round % 2 == 0)
			sent = try_send64(self->c, round);
		/* It may have gone before there was anything to hand to it. */
		ASSERT_EQ(0, round % 2 || variant->capacity ? sent : 0);
		v = task_join(t);
		ASSERT_EQ(true, v == KILLED(SIGKILL) || (v == 0 && one->ret == 1));
		if (sent) {
			munmap(one, sizeof(*one));
			continue;
		}
		if (try_recv64(self->c, &v) == 1) {
			ASSERT_EQ(round, v);
			ASSERT_EQ(POISON, one->value);
			back++;
		} else {
			/* Killed before it was sent, it must not go to the grave. */
			ASSERT_EQ(1, round % 2);
			ASSERT_EQ(round, one->value);
			taken++;
		}
		munmap(one, sizeof(*one));
	}
	TH_LOG("%d came back, %d were taken", back, taken);
}

struct victim {
	int fd;
	__u64 done;	/* calls that returned */
	__u64 value;
};

static int send_forever(void *arg)
{
	struct victim *v = arg;

	for (;;) {
		CHECK(send64(v->fd, v->done) == 0);
		store(&v->done, v->done + 1);
	}
}

/* What was sent is 0, 1, ... without a gap, up to where its sender died. */
TEST_F(kill, sender_at_any_moment)
{
	srand(1);
	for (int round = 0; round < FEWER(20); round++) {
		struct victim *victim = shared_alloc(sizeof(*victim));
		int handles = restrict_to(self->c, BOTH_RIGHTS);
		__u64 v, n = 0, until = rand() % 50;
		struct task *t;

		victim->fd = handles;
		t = task_start(PROCESS, send_forever, victim);
		for (; n < until; n++) {
			ASSERT_EQ(1, recv64(self->c, &v));
			ASSERT_EQ(n, v);
		}
		for (int i = rand() % 2000; i; i--)
			__asm__ volatile("");
		task_kill(t);
		ASSERT_EQ(KILLED(SIGKILL), task_join(t));
		for (; try_recv64(self->c, &v) == 1; n++) {
			ASSERT_EQ(n, v);
		}
		/* The last one may have gone out just before its sender could say so. */
		ASSERT_LE(victim->done, n);
		ASSERT_LE(n, victim->done + 1);
		ASSERT_EQ(true, waiting(self->c, 0, 0));
		close(handles);
		munmap(victim, sizeof(*victim));
	}
}

static int receive_forever(void *arg)
{
	struct victim *v = arg;

	for (;;) {
		CHECK(chan_recv(v->fd, &v->value, 8) == 1);
		CHECK(v->value == v->done);
		store(&v->done, v->done + 1);
	}
}

/* What is received next follows what the victim had, without a gap. */
TEST_F(kill, receiver_at_any_moment)
{
	srand(2);
	for (int round = 0; round < FEWER(20); round++) {
		struct victim *victim = shared_alloc(sizeof(*victim));
		struct task *killed, *sender;
		struct victim *source = shared_alloc(sizeof(*source));
		__u64 until = rand() % 50, next;

		victim->fd = self->c;
		victim->value = POISON;
		source->fd = self->c;
		sender = task_start(PROCESS, send_forever, source);
		killed = task_start(PROCESS, receive_forever, victim);
		wait_until(load(&victim->done) >= until);
		for (int i = rand() % 2000; i; i--)
			__asm__ volatile("");
		task_kill(killed);
		ASSERT_EQ(KILLED(SIGKILL), task_join(killed));

		ASSERT_EQ(1, recv64(self->c, &next));
		if (next == victim->done + 1) {
			/* Taken, though its taker could not say so any more. */
			ASSERT_EQ(victim->done, victim->value);
		} else {
			ASSERT_EQ(victim->done, next);
		}
		task_kill(sender);
		ASSERT_EQ(KILLED(SIGKILL), task_join(sender));
		for (__u64 v, n = next + 1; try_recv64(self->c, &v) == 1; n++) {
			ASSERT_EQ(n, v);
		}
		munmap(victim, sizeof(*victim));
		munmap(source, sizeof(*source));
	}
}

/* A crowd waits; some of it is killed; the rest is served as if they never were. */
TEST_F(kill, some_of_many)
{
	enum { N = 12 };
	struct one_value *one = shared_alloc(N * sizeof(*one));
	struct task *tasks[N];

	for (int i = 0; i < N; i++) {
		one[i].fd = self->c;
		tasks[i] = task_start(PROCESS, recv_one, &one[i]);
		wait_waiting(self->c, 0, i + 1);
	}
	for (int i = 0; i < N; i += 3) {
		task_kill(tasks[i]);
		EXPECT_EQ(KILLED(SIGKILL), task_join(tasks[i]));
	}
	EXPECT_EQ(true, waiting(self->c, 0, N - N / 3));
	for (int i = 0; i < N; i++) {
		if (i % 3 == 0)
			continue;
		EXPECT_EQ(0, send64(self->c, i));
	}
	for (int i = 0; i < N; i++) {
		if (i % 3 == 0)
			continue;
		EXPECT_EQ(0, task_join(tasks[i]));
		EXPECT_EQ(i, one[i].value);
	}
}

TEST_HARNESS_MAIN
