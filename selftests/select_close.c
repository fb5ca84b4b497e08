// SPDX-License-Identifier: GPL-2.0-only
/*
 * Selects that wait when a channel ends: receives see the end, sends are chosen
 * with EPIPE as their outcome, and all that wait are woken.
 */
#include <kselftest_harness.h>
#include "select_util.h"

TASK_FIXTURE(select_close);

/* Waits with both directions on channels of its own, and the one that ends. */
static struct one_select *wait_at(int c, bool sends, int idle)
{
	struct one_select *s = new_select();

	with_recv(s, idle);
	if (sends)
		with_send(s, c, 5);
	else
		with_recv(s, c);
	with_recv(s, NO_CHAN);
	return s;
}

static void expect_ended(struct __test_metadata *_metadata, const struct one_select *s, bool sends)
{
	EXPECT_CHOSE(1, sends ? -EPIPE : 0, s->chosen);
	EXPECT_EQ(0, s->chosen.value);
	EXPECT_EQ(sends ? 5 : 0, s->values[1]);
	EXPECT_EQ(true, others_untouched(s));
}

TEST_F(select_close, ends_a_wait)
{
	for (int sends = 0; sends < 2; sends++) {
		for (int capacity = 0; capacity < 2; capacity++) {
			int c = make_chan(8, capacity), idle = make_chan(8, 0);
			struct one_select *s = wait_at(c, sends, idle);
			struct task *t;
			__u64 v;

			if (capacity && sends)
				must(!send64(c, 1));
			t = start_select(variant->kind, s);
			wait_waiting(c, sends, !sends);
			ASSERT_EQ(0, chan_close(c));
			EXPECT_EQ(0, task_join(t));
			expect_ended(_metadata, s, sends);
			EXPECT_EQ(true, waiting(c, 0, 0));
			EXPECT_EQ(true, waiting(idle, 0, 0));
			/* The value was not delivered. */
			EXPECT_EQ(capacity && sends, try_recv64(c, &v));
			EXPECT_EQ(0, try_recv64(c, &v));
		}
	}
}

/* Every one of them, in both directions, with plain waiters in between. */
TEST_F(select_close, ends_all_waits)
{
	enum { N = 12 };

	for (int sends = 0; sends < 2; sends++) {
		int c = make_chan(8, 0), idle = make_chan(8, 0);
		struct one_value *ones = shared_alloc(N * sizeof(*ones));
		struct one_select *selects[N];
		struct task *tasks[N];

		for (int i = 0; i < N; i++) {
			selects[i] = wait_at(c, sends, idle);
			ones[i].fd = c;
			if (i % 3)
				tasks[i] = start_select(variant->kind, selects[i]);
			else
				tasks[i] = task_start(variant->kind, sends ? send_one : recv_one,
						      &ones[i]);
			wait_waiting(c, sends ? i + 1 : 0, sends ? 0 : i + 1);
		}
		ASSERT_EQ(0, chan_close(c));
		for (int i = 0; i < N; i++) {
			EXPECT_EQ(0, task_join(tasks[i]));
			if (i % 3) {
				expect_ended(_metadata, selects[i], sends);
			} else {
				EXPECT_EQ(sends ? -EPIPE : 0, ones[i].ret);
			}
		}
		EXPECT_EQ(true, waiting(c, 0, 0));
		EXPECT_EQ(true, waiting(idle, 0, 0));
	}
}

/* Both ends of one channel in one select: one of the two outcomes of its end. */
TEST_F(select_close, ends_both_cases_of_one)
{
	struct one_select *s = new_select();
	int c = make_chan(8, 0);
	struct task *t;

	with_send(s, c, 5);
	with_recv(s, c);
	t = start_select(variant->kind, s);
	wait_waiting(c, 1, 1);
	ASSERT_EQ(0, chan_close(c));
	EXPECT_EQ(0, task_join(t));
	ASSERT_LE(0, s->chosen.index);
	EXPECT_EQ(s->chosen.index ? 0 : -EPIPE, s->chosen.outcome);
	EXPECT_EQ(s->chosen.index ? 0 : POISON, s->values[1]);
	EXPECT_EQ(true, waiting(c, 0, 0));
}

/* The same handle in many cases. */
TEST_F(select_close, ends_the_same_case_many_times)
{
	struct one_select *s = new_select();
	int c = make_chan(8, 0);
	struct task *t;

	for (int i = 0; i < FEW; i++)
		with_recv(s, c);
	t = start_select(variant->kind, s);
	wait_waiting(c, 0, FEW);
	ASSERT_EQ(0, chan_close(c));
	EXPECT_EQ(0, task_join(t));
	ASSERT_LE(0, s->chosen.index);
	EXPECT_EQ(0, s->chosen.outcome);
	EXPECT_EQ(0, s->values[s->chosen.index]);
	EXPECT_EQ(true, others_untouched(s));
}

/* The last handle of the other side goes: with its last holder, killed or not. */
static int hold_until_killed(void *arg)
{
	store((int *)arg, 1);
	pause();
	return 0;
}

/*
 * A peer that holds the other side's only handle: made before the selecting task,
 * which is a thread, since a forked one would hold it too.
 */
TEST(last_peer_dies)
{
	for (int sends = 0; sends < 2; sends++) {
		int both = make_chan(8, 0), idle = make_chan(8, 0);
		int mine = restrict_to(both, sends ? KCHAN_RIGHT_SEND : KCHAN_RIGHT_RECV);
		int *there = shared_alloc(sizeof(*there));
		struct one_select *s = wait_at(mine, sends, idle);
		struct task *peer = task_start(PROCESS, hold_until_killed, there), *t;

		wait_until(load(there));
		close(both);
		t = start_select(THREAD, s);
		wait_waiting(mine, sends, !sends);
		task_kill(peer);
		EXPECT_EQ(KILLED(SIGKILL), task_join(peer));
		EXPECT_EQ(0, task_join(t));
		expect_ended(_metadata, s, sends);
		EXPECT_EQ(true, waiting(idle, 0, 0));
		close(mine);
		close(idle);
	}
}

/*
 * The handle is closed while a select of another thread waits through it: the
 * wait goes on, as it does for other files, until somebody sends.
 */
TEST(handle_is_closed_meanwhile)
{
	struct one_select *s = new_select();
	int c = make_chan(8, 0), receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	struct task *t;

	with_recv(s, receiver);
	with_recv(s, NO_CHAN);
	t = start_select(THREAD, s);
	wait_waiting(c, 0, 1);
	close(receiver);
	EXPECT_EQ(true, waiting(c, 0, 1));
	EXPECT_EQ(0, load(&s->over));
	EXPECT_EQ(0, try_send64(c, 5));
	EXPECT_EQ(0, task_join(t));
	EXPECT_CHOSE(0, 1, s->chosen);
	EXPECT_EQ(5, s->values[0]);
}

/* ---- close against a select that is just being decided ---- */

enum { ROUNDS = FEWER(300) };

struct race {
	int arrivals;
	int idle;
	int c[ROUNDS];
	int sender[ROUNDS];	/* outcomes */
	int receiver[ROUNDS];
};

static int send_each_round(void *arg)
{
	struct race *r = arg;
	unsigned int seed = 1;

	for (int i = 0; i < ROUNDS; i++) {
		__u64 v = i, unused;
		struct chosen c;

		meet(&r->arrivals, i);
		dawdle(&seed, 2000);
		c = select_of(on_send64(r->c[i], &v), on_recv64(r->idle, &unused));
		CHECK(c.index == 0);
		r->sender[i] = c.outcome;
	}
	return 0;
}

static void receive_and_close(struct __test_metadata *_metadata, struct race *r, int i)
{
	__u64 v = POISON, unused;
	struct chosen c = try_select_of(on_recv64(r->c[i], &v), on_recv64(r->idle, &unused));

	ASSERT_EQ(0, chan_close(r->c[i]));
	ASSERT_EQ(true, chose(c, 0, 1) || c.index == -EAGAIN);
	ASSERT_EQ(c.index == 0 ? (__u64)i : POISON, v);
	r->receiver[i] = c.index;
}

/*
 * The race: a channel is closed while a select sends on it and another has just
 * received, or not.  The one has sent if and only if the other has received.
 */
TEST_F(select_close, at_the_hand_off)
{
	struct race *r = shared_alloc(sizeof(*r));
	unsigned int seed = 2;
	int sent = 0;
	struct task *t;

	allow_fds(ROUNDS + 100);
	r->idle = make_chan(8, 0);
	for (int i = 0; i < ROUNDS; i++)
		r->c[i] = make_chan(8, 0);
	t = task_start(variant->kind, send_each_round, r);
	for (int i = 0; i < ROUNDS; i++) {
		meet(&r->arrivals, i);
		dawdle(&seed, 4000);
		receive_and_close(_metadata, r, i);
	}
	EXPECT_EQ(0, task_join(t));
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(r->receiver[i] == 0 ? 0 : -EPIPE, r->sender[i])
			TH_LOG("round %d", i);
		sent += r->sender[i] == 0;
	}
	EXPECT_EQ(true, waiting(r->idle, 0, 0));
	TH_LOG("%d of %d were sent", sent, ROUNDS);
}

TEST_HARNESS_MAIN
