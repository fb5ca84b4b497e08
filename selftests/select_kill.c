// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGKILL in a select, at any moment: it leaves every queue, and each message
 * arrived once, is still queued, or was never sent.
 */
#include <kselftest_harness.h>
#include "select_util.h"

FIXTURE(select_kill) {
	int c[2];
};

FIXTURE_VARIANT(select_kill) {
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(select_kill, unbuffered) { 0 };
FIXTURE_VARIANT_ADD(select_kill, buffered) { 3 };

FIXTURE_SETUP(select_kill)
{
	for (int i = 0; i < 2; i++)
		self->c[i] = make_chan(8, variant->capacity);
}

FIXTURE_TEARDOWN(select_kill)
{
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(true, waiting(self->c[i], 0, 0));
		close(self->c[i]);
	}
}

TEST_F(select_kill, while_blocked)
{
	struct kchan_stat before[2];
	struct one_select *s = new_select();
	struct task *t;

	for (__u64 i = 0; i < variant->capacity; i++)
		must(!send64(self->c[1], i));
	for (int i = 0; i < 2; i++)
		before[i] = chan_stat(self->c[i]);
	with_recv(s, self->c[0]);
	with_send(s, self->c[1], 99);
	with_recv(s, self->c[0]);
	t = start_select(PROCESS, s);
	wait_waiting(self->c[0], 0, 2);
	wait_waiting(self->c[1], 1, 0);
	task_kill(t);
	EXPECT_EQ(KILLED(SIGKILL), task_join(t));
	EXPECT_EQ(0, s->over);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(true, same_stat(before[i], self->c[i]));
	}
	EXPECT_EQ(variant->capacity ? 0 : -EAGAIN, try_send64(self->c[0], 1));
}

/*
 * The race: the kill and the hand-off meet.  If the send succeeded, its message is
 * in the victim's memory, or back in the channel.
 */
TEST_F(select_kill, at_the_hand_off)
{
	int back = 0, taken = 0;

	for (int round = 0; round < 60; round++) {
		struct one_select *s = new_select();
		int c = self->c[round % 4 / 2], sent = 0, result;
		struct task *t;
		__u64 v;

		with_recv(s, self->c[0]);
		with_recv(s, self->c[1]);
		t = start_select(PROCESS, s);
		wait_waiting(self->c[0], 0, 1);
		wait_waiting(self->c[1], 0, 1);
		if (round % 2)
			sent = try_send64(c, round);
		task_kill(t);
		if (round % 2 == 0)
			sent = try_send64(c, round);
		result = task_join(t);
		ASSERT_EQ(true, result == KILLED(SIGKILL) || (result == 0 && s->over));
		/* It may have gone before there was anything to hand to it. */
		ASSERT_EQ(true, sent == 0 || (sent == -EAGAIN && !variant->capacity));
		if (sent == 0 && try_recv64(c, &v) == 1) {
			ASSERT_EQ(round, v);
			ASSERT_EQ(POISON, s->values[round % 4 / 2]);
			back++;
		} else if (sent == 0) {
			ASSERT_EQ(round, s->values[round % 4 / 2]);
			taken++;
		}
		ASSERT_EQ(POISON, s->values[!(round % 4 / 2)]);
		munmap(s, sizeof(*s));
	}
	TH_LOG("%d came back, %d were taken", back, taken);
}

/* ---- at any moment of many selects ---- */

struct victim {
	int c[2];
	__u64 done[2];		/* selects that chose this channel, and said so */
	__u64 values[2];
};

/* Sends 0, 1, ... on each of the two, whichever is ready. */
static int send_forever(void *arg)
{
	struct victim *v = arg;

	for (;;) {
		struct chosen c = select_of(on_send64(v->c[0], &v->done[0]),
					    on_send64(v->c[1], &v->done[1]));

		CHECK(c.index >= 0 && c.outcome == 0);
		store(&v->done[c.index], v->done[c.index] + 1);
	}
}

static void start_victim(FIXTURE_DATA(select_kill) *self, struct victim **v,
			 int (*body)(void *), struct task **t)
{
	*v = shared_alloc(sizeof(**v));
	for (int i = 0; i < 2; i++) {
		(*v)->c[i] = self->c[i];
		(*v)->values[i] = POISON;
	}
	*t = task_start(PROCESS, body, *v);
}

static void kill_at_some_moment(struct __test_metadata *_metadata, struct task *t)
{
	for (int i = rand() % 3000; i; i--)
		__asm__ volatile("");
	task_kill(t);
	ASSERT_EQ(KILLED(SIGKILL), task_join(t));
}

/* What was sent on each is 0, 1, ... without a gap, up to where its sender died. */
TEST_F(select_kill, sender_at_any_moment)
{
	srand(1);
	for (int round = 0; round < 15; round++) {
		__u64 n[2] = { 0 }, until = rand() % 50;
		struct victim *victim;
		struct task *t;
		int extra = 0;
		__u64 v;

		start_victim(self, &victim, send_forever, &t);
		while (n[0] + n[1] < until) {
			int from = rand() % 2;

			ASSERT_EQ(1, recv64(self->c[from], &v));
			ASSERT_EQ(n[from]++, v);
		}
		kill_at_some_moment(_metadata, t);
		for (int i = 0; i < 2; i++) {
			while (try_recv64(self->c[i], &v) == 1) {
				ASSERT_EQ(n[i]++, v);
			}
			/* The last may have gone out before its sender could say so. */
			ASSERT_LE(victim->done[i], n[i]);
			extra += n[i] - victim->done[i];
		}
		ASSERT_GE(1, extra);
		munmap(victim, sizeof(*victim));
	}
}

static int receive_forever(void *arg)
{
	struct victim *v = arg;

	for (;;) {
		struct chosen c = select_of(on_recv64(v->c[0], &v->values[0]),
					    on_recv64(v->c[1], &v->values[1]));

		CHECK(c.index >= 0 && c.outcome == 1);
		CHECK(v->values[c.index] == v->done[c.index]);
		store(&v->done[c.index], v->done[c.index] + 1);
	}
}

/* What comes next on each follows what the victim had, without a gap. */
TEST_F(select_kill, receiver_at_any_moment)
{
	srand(2);
	for (int round = 0; round < 15; round++) {
		struct victim *victim, *source;
		struct task *killed, *sender;
		__u64 until = rand() % 50, v;
		int extra = 0;

		start_victim(self, &source, send_forever, &sender);
		start_victim(self, &victim, receive_forever, &killed);
		wait_until(load(&victim->done[0]) + load(&victim->done[1]) >= until);
		kill_at_some_moment(_metadata, killed);
		for (int i = 0; i < 2; i++) {
			__u64 next = victim->done[i];

			ASSERT_EQ(1, recv64(self->c[i], &v));
			/* Taken, though its taker could not say so any more. */
			if (v == next + 1 && victim->values[i] == next) {
				extra++;
				next++;
			}
			ASSERT_EQ(next, v);
		}
		ASSERT_GE(1, extra);
		kill_at_some_moment(_metadata, sender);
		for (int i = 0; i < 2; i++) {
			while (try_recv64(self->c[i], &v) == 1)
				;
		}
		munmap(victim, sizeof(*victim));
		munmap(source, sizeof(*source));
	}
}

/* A crowd selects; some of it is killed; the rest is served as if they never were. */
TEST_F(select_kill, some_of_many)
{
	enum { N = 12 };
	struct one_select *s[N];
	struct task *tasks[N];

	for (int i = 0; i < N; i++) {
		s[i] = new_select();
		with_recv(s[i], self->c[i % 2]);
		with_recv(s[i], self->c[!(i % 2)]);
		tasks[i] = start_select(PROCESS, s[i]);
		wait_waiting(self->c[0], 0, i + 1);
		wait_waiting(self->c[1], 0, i + 1);
	}
	for (int i = 0; i < N; i += 3) {
		task_kill(tasks[i]);
		EXPECT_EQ(KILLED(SIGKILL), task_join(tasks[i]));
	}
	for (int i = 0; i < N; i++) {
		if (i % 3 == 0)
			continue;
		ASSERT_EQ(0, send64(self->c[0], i));
		EXPECT_EQ(0, task_join(tasks[i]));
		EXPECT_CHOSE(i % 2, 1, s[i]->chosen);
		EXPECT_EQ(i, s[i]->values[i % 2]);
	}
}

TEST_HARNESS_MAIN
