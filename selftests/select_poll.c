// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll(2) and epoll(7) beside selects: a case of a parked select makes its channel
 * ready for the other side, as a plain waiter does, and not any more once the
 * select has been decided or has left.
 */
#include <sys/epoll.h>
#include <kselftest_harness.h>
#include "select_util.h"

TASK_FIXTURE(select_poll);

#define EVENTS (POLLIN | POLLOUT)

TEST_F(select_poll, parked_cases_make_ready)
{
	struct one_select *s = new_select();
	int c = make_chan(8, 0), d = make_chan(8, 0);
	struct task *t;
	__u64 v;

	EXPECT_EQ(0, poll_now(c, EVENTS));
	with_recv(s, c);
	with_send(s, d, 5);
	t = start_select(variant->kind, s);
	wait_waiting(d, 1, 0);
	wait_waiting(c, 0, 1);
	EXPECT_EQ(POLLOUT, poll_now(c, EVENTS));
	EXPECT_EQ(POLLIN, poll_now(d, EVENTS));
	EXPECT_EQ(1, try_recv64(d, &v));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, poll_now(c, EVENTS));
	EXPECT_EQ(0, poll_now(d, EVENTS));
}

TEST_F(select_poll, one_that_left_is_no_peer)
{
	struct one_select *s = new_select();
	int c = make_chan(8, 0);
	struct task *t;

	catch_signal(SIGUSR1, 0);
	with_recv(s, c);
	with_send(s, c, 5);
	t = start_select(variant->kind, s);
	wait_waiting(c, 1, 1);
	EXPECT_EQ(EVENTS, poll_now(c, EVENTS));
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, poll_now(c, EVENTS));
}

/* ---- what wakes a poller ---- */

struct poller {
	struct pollfd fds[2];
	int ret;
};

static int poll_two(void *arg)
{
	struct poller *p = arg;

	p->ret = poll(p->fds, 2, -1);
	return 0;
}

TEST_F(select_poll, poller_is_woken_by_a_parking_select)
{
	struct poller *p = shared_alloc(sizeof(*p));
	struct one_select *s = new_select();
	int c = make_chan(8, 0), d = make_chan(8, 0);
	struct task *polling, *selecting;

	p->fds[0] = (struct pollfd){ .fd = c, .events = POLLOUT };
	p->fds[1] = (struct pollfd){ .fd = d, .events = POLLIN };
	polling = task_start(variant->kind, poll_two, p);
	wait_asleep(polling);
	with_recv(s, c);
	selecting = start_select(variant->kind, s);
	EXPECT_EQ(0, task_join(polling));
	EXPECT_EQ(1, p->ret);
	EXPECT_EQ(POLLOUT, p->fds[0].revents);
	EXPECT_EQ(0, try_send64(c, 1));
	EXPECT_EQ(0, task_join(selecting));
	EXPECT_CHOSE(0, 1, s->chosen);
}

/* What a select does wakes pollers as what a plain call does. */
TEST_F(select_poll, poller_is_woken_by_what_a_select_does)
{
	for (int sends = 0; sends < 2; sends++) {
		struct poller *p = shared_alloc(sizeof(*p));
		int c = make_chan(8, 1), idle = make_chan(8, 0);
		struct task *t;
		__u64 v = 1, unused;

		if (!sends)
			must(!send64(c, 1));
		p->fds[0] = (struct pollfd){ .fd = c, .events = sends ? POLLIN : POLLOUT };
		p->fds[1] = (struct pollfd){ .fd = idle, .events = EVENTS };
		t = task_start(variant->kind, poll_two, p);
		wait_asleep(t);
		EXPECT_CHOSE(1, !sends,
			     select_of(on_recv64(NO_CHAN, &unused),
				       sends ? on_send64(c, &v) : on_recv64(c, &v)));
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(1, p->ret);
		EXPECT_EQ(sends ? POLLIN : POLLOUT, p->fds[0].revents);
	}
}

/* ---- edge-triggered, which forgives no missed wake-up ---- */

enum { MESSAGES = FEWER(500) };

struct stream {
	int c[2];
	int sent[2];
};

static int select_and_send(void *arg)
{
	struct stream *s = arg;

	for (int i = 0; i < MESSAGES; i++) {
		__u64 v[2] = { s->sent[0], s->sent[1] };
		struct chosen c = select_of(on_send64(s->c[0], &v[0]), on_send64(s->c[1], &v[1]));

		CHECK(c.index >= 0 && c.outcome == 0);
		s->sent[c.index]++;
	}
	CHECK(chan_close(s->c[0]) == 0);
	CHECK(chan_close(s->c[1]) == 0);
	return 0;
}

static int watch(int ep, int fd, int index)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.u32 = index };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

/* Takes all there is; false at the end. */
static bool drain(struct __test_metadata *_metadata, int c, __u64 *next)
{
	__u64 v;
	int ret;

	while ((ret = try_recv64(c, &v)) == 1) {
		EXPECT_EQ(*next, v);
		(*next)++;
	}
	return ret == -EAGAIN;
}

/* The race: the poller drains and sleeps while the select parks or sends. */
TEST_F(select_poll, epoll_edges_are_not_missed)
{
	for (int capacity = 0; capacity <= 2; capacity++) {
		struct stream *s = shared_alloc(sizeof(*s));
		int ep = epoll_create1(EPOLL_CLOEXEC);
		__u64 next[2] = { 0 };
		struct task *t;

		ASSERT_LE(0, ep);
		for (int i = 0; i < 2; i++) {
			s->c[i] = make_chan(8, capacity);
			ASSERT_EQ(0, watch(ep, s->c[i], i));
		}
		t = task_start(variant->kind, select_and_send, s);
		for (int open = 2; open;) {
			struct epoll_event e;

			ASSERT_EQ(1, epoll_wait(ep, &e, 1, PATIENCE_NS / NSEC_PER_MSEC));
			if (drain(_metadata, s->c[e.data.u32], &next[e.data.u32]))
				continue;
			ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_DEL, s->c[e.data.u32], NULL));
			open--;
		}
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(MESSAGES, next[0] + next[1]);
		close(ep);
	}
}

TEST_HARNESS_MAIN
