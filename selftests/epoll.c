// SPDX-License-Identifier: GPL-2.0-only
/* epoll: every change is an event, and handles may go while they are watched. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <kselftest_harness.h>
#include "kchan_util.h"

static int watch(int ep, int fd, __u32 events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

/* The events there are at this instant, of one watched fd; 0: none. */
static __u32 events_now(int ep)
{
	struct epoll_event ev = { 0 };
	int n = epoll_wait(ep, &ev, 1, 0);

	must(n >= 0);
	return n ? ev.events : 0;
}

TEST(level_triggered)
{
	int c = make_chan(8, 2), ep = epoll_create1(EPOLL_CLOEXEC);
	__u64 v;

	ASSERT_EQ(0, watch(ep, c, EPOLLIN));
	EXPECT_EQ(0, events_now(ep));
	ASSERT_EQ(0, send64(c, 1));
	EXPECT_EQ(EPOLLIN, events_now(ep));
	EXPECT_EQ(EPOLLIN, events_now(ep));
	ASSERT_EQ(1, recv64(c, &v));
	EXPECT_EQ(0, events_now(ep));
}

/* Also when the channel was not empty before. */
TEST(edge_triggered_event_for_every_message)
{
	enum { N = 10 };
	int c = make_chan(8, N), ep = epoll_create1(EPOLL_CLOEXEC);
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);

	ASSERT_EQ(0, watch(ep, receiver, EPOLLIN | EPOLLET));
	EXPECT_EQ(0, events_now(ep));
	for (int i = 0; i < N; i++) {
		ASSERT_EQ(0, send64(c, i));
		ASSERT_EQ(EPOLLIN, events_now(ep));
		ASSERT_EQ(0, events_now(ep));
	}
}

/* Also when the channel was not full before. */
TEST(edge_triggered_event_for_every_room)
{
	enum { N = 10 };
	int c = make_chan(8, N), ep = epoll_create1(EPOLL_CLOEXEC);
	int sender = restrict_to(c, KCHAN_RIGHT_SEND);
	__u64 v;

	for (int i = 0; i < N; i++) {
		ASSERT_EQ(0, send64(c, i));
	}
	ASSERT_EQ(0, watch(ep, sender, EPOLLOUT | EPOLLET));
	EXPECT_EQ(0, events_now(ep));
	for (int i = 0; i < N; i++) {
		ASSERT_EQ(1, recv64(c, &v));
		ASSERT_EQ(EPOLLOUT, events_now(ep));
		ASSERT_EQ(0, events_now(ep));
	}
}

TEST(edge_triggered_event_for_every_parked_peer)
{
	enum { N = 5 };
	int c = make_chan(8, 0), ep = epoll_create1(EPOLL_CLOEXEC);
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	struct one_value one[N];
	struct task *tasks[N];
	__u64 v;

	ASSERT_EQ(0, watch(ep, receiver, EPOLLIN | EPOLLET));
	for (int i = 0; i < N; i++) {
		one[i] = (struct one_value){ .fd = c, .value = i };
		tasks[i] = task_start(THREAD, send_one, &one[i]);
		wait_waiting(c, i + 1, 0);
		wait_until(events_now(ep) == EPOLLIN);
		ASSERT_EQ(0, events_now(ep));
	}
	for (int i = 0; i < N; i++) {
		ASSERT_EQ(1, recv64(c, &v));
		ASSERT_EQ(0, task_join(tasks[i]));
	}
}

TEST(edge_triggered_close)
{
	int c = make_chan(8, 1), ep = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, send64(c, 1));
	ASSERT_EQ(0, watch(ep, c, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET));
	EXPECT_EQ(EPOLLIN, events_now(ep));
	EXPECT_EQ(0, events_now(ep));
	ASSERT_EQ(0, chan_close(c));
	EXPECT_EQ(EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLRDHUP | EPOLLERR, events_now(ep));
	EXPECT_EQ(0, events_now(ep));
}

TEST(edge_triggered_peer_death)
{
	int c = make_chan(8, 1), ep = epoll_create1(EPOLL_CLOEXEC);
	int sender = restrict_to(c, KCHAN_RIGHT_SEND);
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);

	close(c);
	ASSERT_EQ(0, watch(ep, receiver, EPOLLIN | EPOLLET));
	EXPECT_EQ(0, events_now(ep));
	close(sender);
	EXPECT_EQ(EPOLLIN | EPOLLHUP, events_now(ep));
	EXPECT_EQ(0, events_now(ep));
}

TEST(one_shot)
{
	int c = make_chan(8, 4), ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event again = { .events = EPOLLIN | EPOLLONESHOT };

	ASSERT_EQ(0, watch(ep, c, EPOLLIN | EPOLLONESHOT));
	ASSERT_EQ(0, send64(c, 1));
	EXPECT_EQ(EPOLLIN, events_now(ep));
	ASSERT_EQ(0, send64(c, 2));
	EXPECT_EQ(0, events_now(ep));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_MOD, c, &again));
	EXPECT_EQ(EPOLLIN, events_now(ep));
}

TEST(nested)
{
	int c = make_chan(8, 1), inner = epoll_create1(EPOLL_CLOEXEC);
	int outer = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, watch(inner, c, EPOLLIN));
	ASSERT_EQ(0, watch(outer, inner, EPOLLIN));
	EXPECT_EQ(0, events_now(outer));
	ASSERT_EQ(0, send64(c, 1));
	EXPECT_EQ(EPOLLIN, events_now(outer));
}

/* ---- handles that go while they are watched ---- */

TEST(closing_a_watched_handle)
{
	int c = make_chan(8, 1), ep = epoll_create1(EPOLL_CLOEXEC);
	int watched = restrict_to(c, KCHAN_RIGHT_RECV), copy;

	ASSERT_EQ(0, watch(ep, watched, EPOLLIN));
	copy = dup(watched);
	close(watched);
	/* The file is still there, through its copy. */
	ASSERT_EQ(0, send64(c, 1));
	EXPECT_EQ(EPOLLIN, events_now(ep));
	close(copy);
	EXPECT_EQ(0, events_now(ep));
	close(c);
	EXPECT_EQ(0, events_now(ep));
}

TEST(closing_the_last_watched_handle)
{
	for (int i = 0; i < 100; i++) {
		int c = make_chan(8, 1), ep = epoll_create1(EPOLL_CLOEXEC);

		ASSERT_EQ(0, watch(ep, c, EPOLLIN | EPOLLOUT | EPOLLET));
		close(i % 2 ? c : ep);
		close(i % 2 ? ep : c);
	}
}

struct waiter {
	int ep;
	int ret;
	int fd;
};

static int epoll_forever(void *arg)
{
	struct waiter *w = arg;
	struct epoll_event ev;

	w->ret = epoll_wait(w->ep, &ev, 1, -1);
	w->fd = ev.data.fd;
	return 0;
}

/* A sleeper outlives the handle it sleeps for, and still wakes for the others. */
TEST(closing_under_a_sleeping_waiter)
{
	int c = make_chan(8, 1), event = eventfd(0, EFD_CLOEXEC);
	struct waiter w = { .ep = epoll_create1(EPOLL_CLOEXEC) };
	struct task *t;

	ASSERT_EQ(0, watch(w.ep, c, EPOLLIN));
	ASSERT_EQ(0, watch(w.ep, event, EPOLLIN));
	t = task_start(THREAD, epoll_forever, &w);
	wait_asleep(t);
	close(c);
	ASSERT_EQ(0, eventfd_write(event, 1));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, w.ret);
	EXPECT_EQ(event, w.fd);
}

TEST(message_wakes_a_sleeping_waiter)
{
	int c = make_chan(8, 1);
	struct waiter w = { .ep = epoll_create1(EPOLL_CLOEXEC) };
	struct task *t;

	ASSERT_EQ(0, watch(w.ep, c, EPOLLIN | EPOLLET));
	t = task_start(THREAD, epoll_forever, &w);
	wait_asleep(t);
	ASSERT_EQ(0, send64(c, 1));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(c, w.fd);
}

/* Even those who asked that only one of them be woken for each event. */
TEST(exclusive_waiters_are_all_told_of_the_end)
{
	enum { WAITERS = 3 };
	int c = make_chan(8, 0);
	int sender = restrict_to(c, KCHAN_RIGHT_SEND);
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	struct waiter w[WAITERS];
	struct task *tasks[WAITERS];

	close(c);
	for (int i = 0; i < WAITERS; i++) {
		w[i].ep = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_EQ(0, watch(w[i].ep, receiver, EPOLLIN | EPOLLEXCLUSIVE));
		tasks[i] = task_start(THREAD, epoll_forever, &w[i]);
		wait_asleep(tasks[i]);
	}
	close(sender);
	for (int i = 0; i < WAITERS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
		EXPECT_EQ(receiver, w[i].fd);
	}
}

struct churn {
	int ep;
	int over;
};

static int wait_and_wait(void *arg)
{
	struct churn *c = arg;
	struct epoll_event ev[8];

	while (!load(&c->over))
		CHECK(epoll_wait(c->ep, ev, 8, 0) >= 0);
	return 0;
}

/*
 * The race: channels are watched, changed and dropped, in that order but with
 * somebody else looking at their events all the time.
 */
TEST(dropping_while_another_looks)
{
	struct churn churn = { .ep = epoll_create1(EPOLL_CLOEXEC) };
	struct task *t = task_start(THREAD, wait_and_wait, &churn);

	for (int i = 0; i < 500; i++) {
		int c = make_chan(8, 1);
		int receiver = restrict_to(c, KCHAN_RIGHT_RECV);

		ASSERT_EQ(0, watch(churn.ep, receiver, EPOLLIN | (i % 2 ? EPOLLET : 0)));
		ASSERT_EQ(0, send64(c, i));
		close(i % 3 ? c : receiver);
		close(i % 3 ? receiver : c);
	}
	store(&churn.over, 1);
	EXPECT_EQ(0, task_join(t));
}

/* The race: the last sender goes while the poller of the last receiver goes. */
struct going {
	int fd;
	int go;
};

static int poll_and_close(void *arg)
{
	struct going *g = arg;

	store(&g->go, 1);
	poll_now(g->fd, POLLIN);
	close(g->fd);
	return 0;
}

TEST(both_ends_go_at_once)
{
	for (int i = 0; i < 100; i++) {
		int c = make_chan(8, 1);
		struct going g = { .fd = restrict_to(c, KCHAN_RIGHT_RECV) };
		int sender = restrict_to(c, KCHAN_RIGHT_SEND);
		struct task *t;

		close(c);
		t = task_start(THREAD, poll_and_close, &g);
		while (!load(&g.go))
			;
		close(sender);
		ASSERT_EQ(0, task_join(t));
	}
}

TEST_HARNESS_MAIN
