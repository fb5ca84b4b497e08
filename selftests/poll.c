// SPDX-License-Identifier: GPL-2.0-only
/* poll(2) and select(2): readiness, hang-up and error, on either direction. */
#include <sys/select.h>
#include <kselftest_harness.h>
#include "kchan_util.h"

#define ALL (POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLRDHUP | POLLPRI)
#define IN (POLLIN | POLLRDNORM)
#define OUT (POLLOUT | POLLWRNORM)
#define HUP (POLLHUP | POLLRDHUP)

/* One handle with each set of rights, and a spare to fill and drain with. */
struct handles {
	int both, sender, receiver;
};

static struct handles make_handles(__u64 capacity)
{
	struct handles h = { .both = make_chan(8, capacity) };

	h.sender = restrict_to(h.both, KCHAN_RIGHT_SEND);
	h.receiver = restrict_to(h.both, KCHAN_RIGHT_RECV);
	return h;
}

/* A handle with both rights has the events of both. */
static void expect_ready(struct __test_metadata *_metadata, struct handles h, short receiver,
			 short sender)
{
	EXPECT_EQ(receiver, poll_now(h.receiver, ALL));
	EXPECT_EQ(sender, poll_now(h.sender, ALL));
	EXPECT_EQ(receiver | sender, poll_now(h.both, ALL));
	/* Unasked, there are only hang-up and error. */
	EXPECT_EQ(receiver & POLLHUP, poll_now(h.receiver, 0));
	EXPECT_EQ(sender & POLLERR, poll_now(h.sender, 0));
}

TEST(unbuffered)
{
	struct handles h = make_handles(0);

	expect_ready(_metadata, h, 0, 0);
	ASSERT_EQ(0, chan_close(h.both));
	expect_ready(_metadata, h, IN | HUP, OUT | POLLERR);
}

TEST(buffered)
{
	struct handles h = make_handles(2);
	__u64 v;

	expect_ready(_metadata, h, 0, OUT);
	ASSERT_EQ(0, send64(h.both, 1));
	expect_ready(_metadata, h, IN, OUT);
	ASSERT_EQ(0, send64(h.both, 2));
	expect_ready(_metadata, h, IN, 0);
	ASSERT_EQ(1, recv64(h.both, &v));
	expect_ready(_metadata, h, IN, OUT);
	ASSERT_EQ(0, chan_close(h.both));
	expect_ready(_metadata, h, IN | HUP, OUT | POLLERR);
	ASSERT_EQ(1, recv64(h.both, &v));
	expect_ready(_metadata, h, IN | HUP, OUT | POLLERR);
}

/* A send that discards something never waits, but a receive may. */
TEST(buffered_with_a_policy)
{
	for (__u32 policy = KCHAN_POLICY_DROP_NEWEST; policy <= KCHAN_POLICY_LATEST; policy++) {
		struct handles h = { .both = make_policy_chan(8, 1, policy) };
		__u64 v;

		h.sender = restrict_to(h.both, KCHAN_RIGHT_SEND);
		h.receiver = restrict_to(h.both, KCHAN_RIGHT_RECV);
		expect_ready(_metadata, h, 0, OUT);
		for (int i = 0; i < 3; i++) {
			ASSERT_EQ(0, send64(h.both, i));
			expect_ready(_metadata, h, IN, OUT);
		}
		ASSERT_EQ(1, recv64(h.both, &v));
		expect_ready(_metadata, h, 0, OUT);
		ASSERT_EQ(0, chan_close(h.both));
		expect_ready(_metadata, h, IN | HUP, OUT | POLLERR);
	}
}

TEST(no_sender_left)
{
	for (int capacity = 0; capacity <= 1; capacity++) {
		struct handles h = make_handles(capacity);

		if (capacity) {
			ASSERT_EQ(0, send64(h.both, 1));
		}
		close(h.both);
		EXPECT_EQ(capacity ? IN : 0, poll_now(h.receiver, ALL));
		close(h.sender);
		EXPECT_EQ(IN | HUP, poll_now(h.receiver, ALL));
	}
}

TEST(no_receiver_left)
{
	for (int capacity = 0; capacity <= 1; capacity++) {
		struct handles h = make_handles(capacity);

		close(h.both);
		EXPECT_EQ(capacity ? OUT : 0, poll_now(h.sender, ALL));
		close(h.receiver);
		EXPECT_EQ(OUT | POLLERR, poll_now(h.sender, ALL));
	}
}

TASK_FIXTURE(poll);

TEST_F(poll, parked_sender_makes_a_rendezvous_readable)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct handles h = make_handles(0);
	struct task *t;
	__u64 v;

	*one = (struct one_value){ .fd = h.sender, .value = 1 };
	t = task_start(variant->kind, send_one, one);
	wait_waiting(h.both, 1, 0);
	expect_ready(_metadata, h, IN, 0);
	EXPECT_EQ(1, try_recv64(h.receiver, &v));
	expect_ready(_metadata, h, 0, 0);
	EXPECT_EQ(0, task_join(t));
}

TEST_F(poll, parked_receiver_makes_a_rendezvous_writable)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct handles h = make_handles(0);
	struct task *t;

	one->fd = h.receiver;
	t = task_start(variant->kind, recv_one, one);
	wait_waiting(h.both, 0, 1);
	expect_ready(_metadata, h, 0, OUT);
	EXPECT_EQ(0, try_send64(h.sender, 1));
	EXPECT_EQ(0, task_join(t));
	expect_ready(_metadata, h, 0, 0);
}

/* Whoever left its wait early makes nothing ready any more. */
TEST_F(poll, interrupted_peer_is_no_peer)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct handles h = make_handles(0);
	struct task *t;

	catch_signal(SIGUSR1, 0);
	one->fd = h.receiver;
	t = task_start(variant->kind, recv_one, one);
	wait_waiting(h.both, 0, 1);
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	expect_ready(_metadata, h, 0, 0);
}

/* ---- what wakes a sleeping poller ---- */

struct poller {
	int fd;
	short events, revents;
	int ret;
};

static int poll_forever(void *arg)
{
	struct poller *p = arg;
	struct pollfd pfd = { .fd = p->fd, .events = p->events };

	p->ret = poll(&pfd, 1, -1);
	p->revents = pfd.revents;
	return 0;
}

static struct task *start_poller(struct poller **poller, enum task_kind kind, int fd, short events)
{
	struct poller *p = shared_alloc(sizeof(*p));
	struct task *t;

	*p = (struct poller){ .fd = fd, .events = events };
	*poller = p;
	t = task_start(kind, poll_forever, p);
	wait_asleep(t);
	return t;
}

static void expect_woken(struct __test_metadata *_metadata, struct task *t, struct poller *p,
			 short revents)
{
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, p->ret);
	EXPECT_EQ(revents, p->revents);
}

TEST_F(poll, woken_by_send)
{
	struct handles h = make_handles(2);
	struct poller *p;
	struct task *t = start_poller(&p, variant->kind, h.receiver, POLLIN);

	ASSERT_EQ(0, send64(h.sender, 1));
	expect_woken(_metadata, t, p, POLLIN);
}

TEST_F(poll, woken_by_receive)
{
	struct handles h = make_handles(1);
	struct poller *p;
	struct task *t;
	__u64 v;

	ASSERT_EQ(0, send64(h.sender, 1));
	t = start_poller(&p, variant->kind, h.sender, POLLOUT);
	ASSERT_EQ(1, recv64(h.receiver, &v));
	expect_woken(_metadata, t, p, POLLOUT);
}

TEST_F(poll, woken_by_a_batch)
{
	const __u64 values[3] = { 1, 2, 3 };
	struct handles h = make_handles(3);
	struct poller *p;
	struct task *t = start_poller(&p, variant->kind, h.receiver, POLLIN);
	__u64 got[3];

	ASSERT_EQ(3, send_batch64(h.sender, values, 3));
	expect_woken(_metadata, t, p, POLLIN);
	t = start_poller(&p, variant->kind, h.sender, POLLOUT);
	ASSERT_EQ(3, recv_batch64(h.receiver, got, 3));
	expect_woken(_metadata, t, p, POLLOUT);
}

TEST_F(poll, woken_by_a_request_and_its_answer)
{
	struct handles requests = make_handles(1), answers = make_handles(1);
	__u64 request = 1, answer;
	struct kchan_call call = new_request(&request, 8, answers.receiver, &answer, 8);
	struct poller *p, *q;
	struct task *t = start_poller(&p, variant->kind, requests.receiver, POLLIN), *u;

	ASSERT_EQ(0, send64(answers.sender, 2));
	u = start_poller(&q, variant->kind, answers.sender, POLLOUT);
	ASSERT_EQ(1, chan_call(requests.sender, &call));
	expect_woken(_metadata, t, p, POLLIN);
	expect_woken(_metadata, u, q, POLLOUT);
}

TEST_F(poll, woken_by_close)
{
	struct handles h = make_handles(0);
	struct poller *receiver, *sender;
	struct task *r = start_poller(&receiver, variant->kind, h.receiver, POLLIN | POLLRDHUP);
	struct task *s = start_poller(&sender, variant->kind, h.sender, POLLOUT);

	ASSERT_EQ(0, chan_close(h.both));
	expect_woken(_metadata, r, receiver, POLLIN | HUP);
	expect_woken(_metadata, s, sender, POLLOUT | POLLERR);
}

/* Only for the hang-up: it asks for nothing else. */
TEST_F(poll, woken_by_close_unasked)
{
	struct handles h = make_handles(0);
	struct poller *receiver, *sender;
	struct task *r = start_poller(&receiver, variant->kind, h.receiver, 0);
	struct task *s = start_poller(&sender, variant->kind, h.sender, 0);

	ASSERT_EQ(0, chan_close(h.both));
	expect_woken(_metadata, r, receiver, POLLHUP);
	expect_woken(_metadata, s, sender, POLLERR);
}

/* Threads only: a forked poller would hold the handle that has to go. */
TEST(woken_by_the_last_sender_going)
{
	struct handles h = make_handles(0);
	struct poller *p;
	struct task *t;

	close(h.both);
	t = start_poller(&p, THREAD, h.receiver, POLLIN);
	close(h.sender);
	expect_woken(_metadata, t, p, POLLIN | POLLHUP);
}

TEST(woken_by_the_last_receiver_going)
{
	struct handles h = make_handles(0);
	struct poller *p;
	struct task *t;

	close(h.both);
	t = start_poller(&p, THREAD, h.sender, POLLOUT);
	close(h.receiver);
	expect_woken(_metadata, t, p, POLLOUT | POLLERR);
}

TEST_F(poll, woken_by_a_parked_sender)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct handles h = make_handles(0);
	struct poller *p;
	struct task *t = start_poller(&p, variant->kind, h.receiver, POLLIN), *sender;
	__u64 v;

	one->fd = h.sender;
	sender = task_start(variant->kind, send_one, one);
	expect_woken(_metadata, t, p, POLLIN);
	EXPECT_EQ(1, recv64(h.receiver, &v));
	EXPECT_EQ(0, task_join(sender));
}

TEST_F(poll, woken_by_a_parked_receiver)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct handles h = make_handles(0);
	struct poller *p;
	struct task *t = start_poller(&p, variant->kind, h.sender, POLLOUT), *receiver;

	one->fd = h.receiver;
	receiver = task_start(variant->kind, recv_one, one);
	expect_woken(_metadata, t, p, POLLOUT);
	EXPECT_EQ(0, send64(h.sender, 1));
	EXPECT_EQ(0, task_join(receiver));
}

/* ---- select(2) ---- */

TEST(answers_select)
{
	struct handles h = make_handles(1);
	struct timeval at_once = { 0 };
	fd_set in, out;
	int max = h.receiver > h.sender ? h.receiver : h.sender;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(h.receiver, &in);
	FD_SET(h.sender, &out);
	EXPECT_EQ(1, select(max + 1, &in, &out, NULL, &at_once));
	EXPECT_EQ(0, FD_ISSET(h.receiver, &in));
	EXPECT_NE(0, FD_ISSET(h.sender, &out));

	ASSERT_EQ(0, send64(h.sender, 1));
	FD_SET(h.receiver, &in);
	FD_SET(h.sender, &out);
	EXPECT_EQ(1, select(max + 1, &in, &out, NULL, &at_once));
	EXPECT_NE(0, FD_ISSET(h.receiver, &in));
	EXPECT_EQ(0, FD_ISSET(h.sender, &out));

	ASSERT_EQ(0, chan_close(h.both));
	FD_SET(h.receiver, &in);
	FD_SET(h.sender, &out);
	EXPECT_EQ(2, select(max + 1, &in, &out, NULL, &at_once));
}

struct hang_up {
	int fd;
	void *page;	/* where a receiver wants its message */
	int events;
};

static int await_hang_up(void *arg)
{
	struct hang_up *h = arg;
	struct pollfd p = { .fd = h->fd };
	__s64 end = now() + PATIENCE_NS;

	CHECK(poll(&p, 1, PATIENCE_NS / NSEC_PER_MSEC) == 1);
	/* At the end of its time it has another look, and finds what nobody told it. */
	CHECK(now() < end);
	store(&h->events, p.revents);
	return 0;
}

static int recv_into_nothing(void *arg)
{
	struct hang_up *h = arg;

	return -chan_recv(h->fd, h->page, 8);
}

/* What was sent last goes back, when the channel is closed: only then has it ended. */
TEST(hang_up_when_a_message_goes_back)
{
	struct handles h = make_handles(1);
	struct hang_up end = { .fd = h.receiver, .page = map_pages(1) };
	struct task *receiver = task_start(THREAD, recv_into_nothing, &end), *poller;
	__s64 then;

	wait_waiting(h.both, 0, 1);
	ASSERT_EQ(0, mprotect(end.page, PAGE, PROT_NONE));
	poller = task_start(THREAD, await_hang_up, &end);
	wait_asleep(receiver);
	wait_asleep(poller);
	if (!keep_from_running(receiver->tid))
		SKIP(return, "no real-time priority here: %s", strerror(errno));
	EXPECT_EQ(0, send64(h.sender, 7));
	EXPECT_EQ(0, chan_close(h.sender));
	/* The poller has a look at that; and finds that the end is not yet certain. */
	for (then = now(); now() < then + 20 * NSEC_PER_MSEC;)
		;
	EXPECT_EQ(0, load(&end.events));
	wait_asleep(poller);
	let_run();
	EXPECT_EQ(EFAULT, task_join(receiver));
	EXPECT_EQ(0, task_join(poller));
	EXPECT_EQ(POLLHUP, end.events);
}

TEST_HARNESS_MAIN
