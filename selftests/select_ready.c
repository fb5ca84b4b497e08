// SPDX-License-Identifier: GPL-2.0-only
/*
 * KCHAN_READY: a select that says which case would not have waited, and does
 * nothing.  The operation then does not wait either, unless somebody else came
 * first.
 */
#include <kselftest_harness.h>
#include "select_util.h"

TASK_FIXTURE(select_ready);

/* The one that sends and the one that receives, of 64 bits, at one channel. */
struct ends {
	int c;
	struct kchan_stat before;
};

static struct ends make_ends(__u64 capacity, __u64 length)
{
	struct ends e = { .c = make_chan(8, capacity) };

	for (__u64 i = 0; i < length; i++)
		must(!send64(e.c, i));
	e.before = chan_stat(e.c);
	return e;
}

#define ready_of(flags, ...) kchan_select(CASES(__VA_ARGS__), KCHAN_READY | (flags), 0)

/* ---- what is ready ---- */

TEST(buffered)
{
	static const struct {
		__u64 capacity, length;
		bool send, recv;
	} rows[] = {
		{ 0, 0, false, false },
		{ 1, 0, true, false },
		{ 1, 1, false, true },
		{ 3, 1, true, true },
	};
	__u64 v = POISON;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ends e = make_ends(rows[i].capacity, rows[i].length);

		EXPECT_EQ(rows[i].send ? 0 : -EAGAIN,
			  ready_of(KCHAN_NONBLOCK, on_send64(e.c, &v)).index);
		EXPECT_EQ(rows[i].recv ? 0 : -EAGAIN,
			  ready_of(KCHAN_NONBLOCK, on_recv64(e.c, &v)).index);
		EXPECT_EQ(rows[i].recv ? 0 : -ETIMEDOUT,
			  ready_of(KCHAN_DEADLINE, on_recv64(e.c, &v)).index);
		EXPECT_EQ(POISON, v);
		EXPECT_EQ(true, same_stat(e.before, e.c));
		close(e.c);
	}
}

/* Closed: both ends are ready, for as long as one asks. */
TEST(closed)
{
	struct ends e = make_ends(1, 1);
	__u64 v = POISON;

	ASSERT_EQ(0, chan_close(e.c));
	e.before = chan_stat(e.c);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, ready_of(0, on_send64(e.c, &v)).index);
		EXPECT_EQ(0, ready_of(0, on_recv64(e.c, &v)).index);
		EXPECT_EQ(POISON, v);
		EXPECT_EQ(true, same_stat(e.before, e.c));
	}
	EXPECT_EQ(1, try_recv64(e.c, &v));
	EXPECT_EQ(0, ready_of(0, on_recv64(e.c, &v)).index);
	EXPECT_EQ(0, try_recv64(e.c, &v));
}

TEST_F(select_ready, rendezvous_with_a_waiting_sender)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct ends e = make_ends(0, 0);
	struct task *t;
	__u64 v = POISON;

	*one = (struct one_value){ .fd = e.c, .value = 5 };
	t = task_start(variant->kind, send_one, one);
	wait_waiting(e.c, 1, 0);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(1, ready_of(0, on_send64(e.c, &v), on_recv64(e.c, &v)).index);
		EXPECT_EQ(POISON, v);
		EXPECT_EQ(true, waiting(e.c, 1, 0));
	}
	EXPECT_EQ(1, try_recv64(e.c, &v));
	EXPECT_EQ(5, v);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EAGAIN, ready_of(KCHAN_NONBLOCK, on_recv64(e.c, &v)).index);
}

TEST_F(select_ready, rendezvous_with_a_waiting_receiver)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct ends e = make_ends(0, 0);
	struct task *t;
	__u64 v = 6;

	one->fd = e.c;
	t = task_start(variant->kind, recv_one, one);
	wait_waiting(e.c, 0, 1);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(1, ready_of(0, on_recv64(e.c, &v), on_send64(e.c, &v)).index);
		EXPECT_EQ(true, waiting(e.c, 0, 1));
	}
	EXPECT_EQ(0, try_send64(e.c, v));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(6, one->value);
}

/* ---- what wakes it ---- */

/* Something that makes the second of two channels ready, and what it then does. */
enum event { GETS_A_MESSAGE, GETS_ROOM, IS_CLOSED, MEETS_A_SENDER, MEETS_A_RECEIVER, EVENTS };

static bool event_makes_sendable(enum event event)
{
	return event == GETS_ROOM || event == MEETS_A_RECEIVER;
}

static struct ends ends_before(enum event event)
{
	return make_ends(event == GETS_A_MESSAGE || event == GETS_ROOM, event == GETS_ROOM);
}

/* Lets it happen; returns the task that has to wait for it to be used. */
static struct task *happen(enum event event, int c, enum task_kind kind, struct one_value *one)
{
	__u64 v;

	*one = (struct one_value){ .fd = c, .value = 77 };
	switch (event) {
	case GETS_A_MESSAGE:
		must(!try_send64(c, 77));
		return NULL;
	case GETS_ROOM:
		must(try_recv64(c, &v) == 1);
		return NULL;
	case IS_CLOSED:
		must(!chan_close(c));
		return NULL;
	case MEETS_A_SENDER:
		return task_start(kind, send_one, one);
	case MEETS_A_RECEIVER:
		return task_start(kind, recv_one, one);
	case EVENTS:
		break;
	}
	die("no such event: %d", event);
}

/* The case that became ready does not wait now. */
static int use(enum event event, int c, __u64 *v)
{
	*v = 77;
	return event_makes_sendable(event) ? try_send64(c, 77) : try_recv64(c, v);
}

TEST_F(select_ready, is_woken)
{
	for (enum event event = 0; event < EVENTS; event++) {
		struct one_value *one = shared_alloc(sizeof(*one));
		struct one_select *s = new_select();
		struct ends e = ends_before(event);
		int idle = make_chan(8, 0);
		bool sends = event_makes_sendable(event);
		struct task *t, *peer;
		__u64 v;

		s->flags = KCHAN_READY;
		with_recv(s, idle);
		if (sends)
			with_send(s, e.c, 9);
		else
			with_recv(s, e.c);
		t = start_select(variant->kind, s);
		wait_parked(t);
		peer = happen(event, e.c, variant->kind, one);
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(1, s->chosen.index)
			TH_LOG("event %d", event);
		EXPECT_EQ(sends ? 9 : POISON, s->values[1]);
		if (peer)
			wait_waiting(e.c, !sends, sends);
		EXPECT_EQ(event == IS_CLOSED || sends ? 0 : 1, use(event, e.c, &v));
		EXPECT_EQ(event == IS_CLOSED ? 0 : 77, v);
		if (peer) {
			EXPECT_EQ(0, task_join(peer));
			EXPECT_EQ(77, one->value);
		}
		EXPECT_EQ(true, waiting(e.c, 0, 0));
		EXPECT_EQ(true, waiting(idle, 0, 0));
		close(e.c);
		close(idle);
	}
}

/*
 * One that only asks is nobody to meet: neither a try, nor another that asks, nor
 * itself at the other end, becomes ready by it.
 */
TEST_F(select_ready, is_no_peer)
{
	struct one_select *s[2] = { new_select(), new_select() };
	int c = make_chan(8, 0);
	struct task *tasks[2];
	__u64 v;

	catch_signal(SIGUSR1, 0);
	for (int i = 0; i < 2; i++) {
		s[i]->flags = KCHAN_READY;
		with_recv(s[i], c);
		with_send(s[i], c, 1);
		tasks[i] = start_select(variant->kind, s[i]);
		wait_parked(tasks[i]);
	}
	EXPECT_EQ(-EAGAIN, try_send64(c, 1));
	EXPECT_EQ(-EAGAIN, try_recv64(c, &v));
	EXPECT_EQ(-EAGAIN, ready_of(KCHAN_NONBLOCK, on_send64(c, &v)).index);
	EXPECT_EQ(0, poll_now(c, POLLIN | POLLOUT));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, load(&s[i]->over));
		task_signal(tasks[i], SIGUSR1);
		EXPECT_EQ(0, task_join(tasks[i]));
		EXPECT_FAILED(EINTR, s[i]->chosen);
	}
	EXPECT_EQ(true, waiting(c, 0, 0));
}

/* It takes nothing, so it stands in nobody's way. */
TEST_F(select_ready, lets_those_behind_it_have_it)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct one_select *s = new_select();
	int c = make_chan(8, 1);
	struct task *asking, *receiver;

	s->flags = KCHAN_READY;
	with_recv(s, c);
	asking = start_select(variant->kind, s);
	wait_parked(asking);
	one->fd = c;
	receiver = task_start(variant->kind, recv_one, one);
	wait_parked(receiver);
	ASSERT_EQ(0, send64(c, 5));
	EXPECT_EQ(0, task_join(receiver));
	EXPECT_EQ(1, one->ret);
	EXPECT_EQ(5, one->value);
	/* The one that asked may have been told, or still waits for the next. */
	if (!load(&s->over))
		must(!try_send64(c, 6));
	EXPECT_EQ(0, task_join(asking));
	EXPECT_EQ(0, s->chosen.index);
	EXPECT_EQ(POISON, s->values[0]);
}

TEST_F(select_ready, ends_by_deadline_and_signal)
{
	struct one_select *s = new_select();
	int c = make_chan(8, 0);
	struct task *t;

	catch_signal(SIGUSR1, 0);
	with_recv(s, c);
	with_send(s, c, 1);
	EXPECT_FAILED(ETIMEDOUT, kchan_select(s->cases, s->nr, KCHAN_READY | KCHAN_DEADLINE,
					      in_ms(20)));
	s->flags = KCHAN_READY;
	t = start_select(variant->kind, s);
	wait_parked(t);
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_FAILED(EINTR, s->chosen);
	EXPECT_EQ(true, waiting(c, 0, 0));
}

/* ---- the loop it is for ---- */

enum { MESSAGES = FEWER(600) };

struct stream {
	int c[2];
	__u64 next[2];
};

static int send_stream(void *arg)
{
	struct stream *s = arg;

	for (__u64 i = 0; i < MESSAGES; i++)
		CHECK(send64(s->c[i % 2], i) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(chan_close(s->c[i]) == 0);
	return 0;
}

/*
 * One reader that asks, and then takes: what it was told holds each time.  The
 * race: the sender comes between the question and the wait.
 */
TEST_F(select_ready, ask_then_take)
{
	for (int capacity = 0; capacity <= 2; capacity++) {
		struct stream *s = shared_alloc(sizeof(*s));
		int open = 2;
		__u64 v;
		struct task *t;

		for (int i = 0; i < 2; i++)
			s->c[i] = make_chan(8, capacity);
		s->next[1] = 1;
		t = task_start(variant->kind, send_stream, s);
		while (open) {
			struct chosen c = ready_of(0, on_recv64(s->c[0], &v),
						   on_recv64(s->c[1], &v));
			int ret;

			ASSERT_LE(0, c.index);
			ret = try_recv64(s->c[c.index], &v);
			if (!ret) {
				close(s->c[c.index]);
				s->c[c.index] = NO_CHAN;
				open--;
				continue;
			}
			ASSERT_EQ(1, ret);
			ASSERT_EQ(s->next[c.index], v);
			s->next[c.index] += 2;
		}
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(MESSAGES, s->next[0]);
		EXPECT_EQ(MESSAGES + 1, s->next[1]);
	}
}

TEST_HARNESS_MAIN
