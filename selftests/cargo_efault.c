// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is not there, or comes slowly: a receive that cannot tell of the handles
 * leaves the message in the channel, with them, and installs none; a send adds nothing.
 */
#include <kselftest_harness.h>
#include "cargo_util.h"
#include "slow_pages.h"

#define NR 2

FIXTURE(cargo_efault) {
	int c;
	struct trace traces[NR];
	__s32 handles[NR];
	__u8 *page;	/* the last before one that is not there, and stays so */
	__u8 *read_only;
	int fds;
};

FIXTURE_VARIANT(cargo_efault) {
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(cargo_efault, unbuffered) { 0 };
FIXTURE_VARIANT_ADD(cargo_efault, buffered) { 2 };

FIXTURE_SETUP(cargo_efault)
{
	self->c = make_carrier(.elem_size = 8, .capacity = variant->capacity, .handles = NR,
			       .depth = 1);
	for (int i = 0; i < NR; i++) {
		self->traces[i] = make_trace();
		self->handles[i] = self->traces[i].write;
	}
	self->page = map_pages(2);
	must(!mprotect(self->page + PAGE, PAGE, PROT_NONE));
	self->read_only = map_pages(1);
	*(struct kchan_ancillary *)self->read_only = with_handles(self->handles, NR);
	must(!mprotect(self->read_only, PAGE, PROT_READ));
	self->fds = count_fds();
}

FIXTURE_TEARDOWN(cargo_efault)
{
	close(self->c);
	for (int i = 0; i < NR; i++) {
		close(self->traces[i].write);
		wait_until(is_gone(self->traces[i]));
	}
}

static int send_two(FIXTURE_DATA(cargo_efault) *self, __u64 value)
{
	return send_handles(self->c, value, self->handles, NR, 0);
}

/* It is there once, with its handles, and nothing else is. */
static int is_whole(FIXTURE_DATA(cargo_efault) *self, __u64 value)
{
	__s32 got[NR];
	__u64 v;

	CHECK(recv_handles(self->c, &v, got, NR, KCHAN_NONBLOCK) == 1);
	CHECK(v == value);
	for (int i = 0; i < NR; i++) {
		CHECK(leads_to(self->traces[i], got[i]));
		close(got[i]);
	}
	return 0;
}

/* Each with one thing wrong. */
static void bad_calls(FIXTURE_DATA(cargo_efault) *self, struct kchan_msg *msg,
		      struct kchan_ancillary *ancillary, int wrong)
{
	static __u64 value;
	static __s32 handles[NR];

	*ancillary = with_handles(handles, NR);
	*msg = (struct kchan_msg){
		.size = sizeof(*msg), .buf = (uintptr_t)&value, .len = 8,
		.ancillary = (uintptr_t)ancillary,
	};
	switch (wrong) {
	case 0: msg->ancillary = 8; break;
	case 1: msg->ancillary = (uintptr_t)self->page + PAGE; break;
	case 2: msg->ancillary = (uintptr_t)self->page + PAGE - 8; break;
	case 3: ancillary->handles = 4; break;
	case 4: ancillary->handles = (uintptr_t)self->page + PAGE; break;
	case 5: ancillary->handles = (uintptr_t)self->page + PAGE - 4; break;
	case 6: msg->buf = (uintptr_t)self->page + PAGE - 4; break;
	case 7: ancillary->handles = ~0ull << 47; break;
	/* From here on only what is written to. */
	case 8: msg->ancillary = (uintptr_t)self->read_only; break;
	case 9: ancillary->handles = (uintptr_t)self->read_only; break;
	case 10: ancillary->handles = 0; break;
	case 11: msg->buf = (uintptr_t)self->read_only; break;
	}
}

enum { BAD_TO_SEND = 8, BAD_TO_RECEIVE = 12 };

TEST_F(cargo_efault, send_adds_nothing)
{
	struct kchan_stat before = chan_stat(self->c);
	struct kchan_ancillary ancillary;
	struct kchan_msg msg;

	for (int wrong = 0; wrong < BAD_TO_SEND; wrong++) {
		bad_calls(self, &msg, &ancillary, wrong);
		EXPECT_EQ(-EFAULT, kchan_call(self->c, KCHAN_SEND, &msg)) {
			TH_LOG("wrong: %d", wrong);
		}
	}
	EXPECT_EQ(true, same_stat(before, self->c));
	EXPECT_EQ(self->fds, count_fds());
}

/* The first handles were good, the page of the others is not there. */
TEST_F(cargo_efault, send_from_the_edge)
{
	__s32 *edge = (__s32 *)(self->page + PAGE) - 1;

	*edge = self->handles[0];
	EXPECT_EQ(-EFAULT, send_handles(self->c, 1, edge, NR, 0));
	EXPECT_EQ(0, chan_stat(self->c).length);
	close(self->traces[0].write);
	EXPECT_EQ(true, is_gone(self->traces[0]));
}

TEST_F(cargo_efault, receive_leaves_the_message)
{
	struct shipment *s = new_shipment(self->c, 5, self->handles[0]);
	struct kchan_ancillary ancillary;
	struct kchan_stat before;
	struct kchan_msg msg;
	struct task *t;

	s->nr = NR;
	s->handles[1] = self->handles[1];
	t = task_start(THREAD, send_shipment, s);
	wait_until(chan_stat(self->c).length || chan_stat(self->c).waiting_senders);
	before = chan_stat(self->c);
	for (int i = 0; i < 2 * BAD_TO_RECEIVE; i++) {
		bad_calls(self, &msg, &ancillary, i / 2);
		msg.flags = i % 2 ? KCHAN_NONBLOCK : 0;
		EXPECT_EQ(-EFAULT, kchan_call(self->c, KCHAN_RECV, &msg)) {
			TH_LOG("wrong: %d", i / 2);
		}
		EXPECT_EQ(true, same_stat(before, self->c));
		EXPECT_EQ(self->fds, count_fds());
	}
	EXPECT_EQ(0, is_whole(self, 5));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, s->ret);
}

TEST_F(cargo_efault, select_leaves_the_message)
{
	struct kchan_ancillary ancillary;
	struct kchan_msg msg;
	struct kchan_case on;

	if (variant->capacity) {
		ASSERT_EQ(0, send_two(self, 5));
	}
	for (int wrong = 0; wrong < BAD_TO_RECEIVE; wrong++) {
		bad_calls(self, &msg, &ancillary, wrong);
		on = on_recv(self->c, (void *)(uintptr_t)msg.buf, 8);
		on.arg = msg.ancillary;
		EXPECT_EQ(-EFAULT, kchan_select(&on, 1, 0, 0).index);
		EXPECT_EQ(self->fds, count_fds());
	}
	if (variant->capacity) {
		EXPECT_EQ(0, is_whole(self, 5));
	}
}

/* ---- memory that goes away, or comes slowly, while somebody waits ---- */

/* Each of the three places where a receive writes has a page of its own. */
struct receiver {
	int c;
	__u64 *value;
	struct kchan_ancillary *ancillary;
	__s32 *handles;
	int ret;
};

static int receive(void *arg)
{
	struct receiver *r = arg;

	r->ret = cargo_msg(r->c, KCHAN_RECV, r->value, 8, 0, r->ancillary);
	return 0;
}

static void set_places(struct receiver *r, int c)
{
	r->c = c;
	r->value = r->value ? r->value : (void *)map_pages(1);
	r->ancillary = r->ancillary ? r->ancillary : (void *)map_pages(1);
	r->handles = r->handles ? r->handles : (void *)map_pages(1);
	*r->ancillary = with_handles(r->handles, NR);
}

static void *place(const struct receiver *r, int n)
{
	return n == 0 ? (void *)r->value : n == 1 ? (void *)r->ancillary : (void *)r->handles;
}

/* The sender sees to it that the receiver's memory is gone before it wakes. */
TEST_F(cargo_efault, message_comes_back)
{
	for (int n = 0; n < 6; n++) {
		struct receiver r = { 0 };
		struct task *t;

		set_places(&r, self->c);
		t = task_start(THREAD, receive, &r);
		wait_waiting(self->c, 0, 1);
		/* A place that is told nothing in this channel need not be there. */
		must(!mprotect(place(&r, n % 3), PAGE, n < 3 ? PROT_NONE : PROT_READ));
		ASSERT_EQ(0, send_two(self, n));
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(-EFAULT, r.ret);
		EXPECT_EQ(self->fds, count_fds());
		EXPECT_EQ(1, chan_stat(self->c).length);
		EXPECT_EQ(0, is_whole(self, n));
	}
}

/* Back in the channel, and nobody takes it: it goes with the last receiver. */
TEST_F(cargo_efault, message_comes_back_and_is_let_go_of)
{
	int sender = restrict_to(self->c, KCHAN_RIGHT_SEND);
	struct receiver r = { 0 };
	struct task *t;

	set_places(&r, self->c);
	t = task_start(THREAD, receive, &r);
	wait_waiting(self->c, 0, 1);
	must(!mprotect(r.handles, PAGE, PROT_NONE));
	ASSERT_EQ(0, send_two(self, 1));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EFAULT, r.ret);
	close(self->handles[0]);
	EXPECT_EQ(false, is_gone(self->traces[0]));
	close(self->c);
	EXPECT_EQ(true, is_gone(self->traces[0]));
	EXPECT_EQ(0, chan_stat(sender).length);
}

/* It goes on to the next who waits. */
TEST_F(cargo_efault, message_goes_on)
{
	struct receiver first = { 0 }, second = { 0 };
	struct task *tasks[2];

	set_places(&first, self->c);
	set_places(&second, self->c);
	tasks[0] = task_start(THREAD, receive, &first);
	wait_waiting(self->c, 0, 1);
	tasks[1] = task_start(THREAD, receive, &second);
	wait_waiting(self->c, 0, 2);
	must(!mprotect(first.handles, PAGE, PROT_NONE));
	ASSERT_EQ(0, send_two(self, 3));
	EXPECT_EQ(0, task_join(tasks[0]));
	EXPECT_EQ(0, task_join(tasks[1]));
	EXPECT_EQ(-EFAULT, first.ret);
	ASSERT_EQ(1, second.ret);
	EXPECT_EQ(3, *second.value);
	for (int i = 0; i < NR; i++) {
		EXPECT_EQ(true, leads_to(self->traces[i], second.handles[i]));
		close(second.handles[i]);
	}
	EXPECT_EQ(self->fds, count_fds());
}

/* One that came back is discarded like any other by KCHAN_POLICY_LATEST. */
TEST(latest_discards_what_came_back)
{
	int c = make_carrier(.elem_size = 8, .capacity = 1, .handles = NR, .depth = 1,
			     .policy = KCHAN_POLICY_LATEST);
	struct trace traces[3];
	struct receiver r = { 0 };
	struct task *t;
	__s32 got[NR];
	__u64 v;

	set_places(&r, c);
	t = task_start(THREAD, receive, &r);
	wait_waiting(c, 0, 1);
	must(!mprotect(r.handles, PAGE, PROT_NONE));
	for (int i = 0; i < 3; i++) {
		traces[i] = make_trace();
		ASSERT_EQ(0, send_handles(c, i, (__s32[]){ traces[i].write, -1 }, NR, 0));
		close(traces[i].write);
		if (i == 0) {
			EXPECT_EQ(0, task_join(t));
			EXPECT_EQ(-EFAULT, r.ret);
		}
	}
	EXPECT_EQ(true, is_gone(traces[0]));
	EXPECT_EQ(true, is_gone(traces[1]));
	EXPECT_EQ(2, chan_stat(c).dropped);
	EXPECT_EQ(1, recv_handles(c, &v, got, NR, KCHAN_NONBLOCK));
	EXPECT_EQ(2, v);
	EXPECT_EQ(true, leads_to(traces[2], got[0]));
	EXPECT_EQ(-EAGAIN, recv_handles(c, &v, got, NR, KCHAN_NONBLOCK));
}

/* Whoever's page comes slowly stalls himself; another has the message meanwhile. */
TEST_F(cargo_efault, slow_page_stalls_nobody_else)
{
	for (int n = 0; n < 3; n += 2) {
		struct slow_pages slow;
		struct receiver r = { 0 };
		struct task *t;

		make_slow_pages(&slow, 1);
		if (slow.error)
			SKIP(return, "userfaultfd: %s", strerror(slow.error));
		if (n == 0)
			r.value = (void *)slow.pages;
		else
			r.handles = (void *)slow.pages;
		set_places(&r, self->c);
		if (variant->capacity) {
			ASSERT_EQ(0, send_two(self, 7));
		}
		t = task_start(THREAD, receive, &r);
		wait_for_fault(slow.fd);
		if (variant->capacity) {
			EXPECT_EQ(0, is_whole(self, 7));
		}
		bring_page(&slow, 0);
		wait_waiting(self->c, 0, 1);
		EXPECT_EQ(0, send_two(self, 8));
		EXPECT_EQ(0, task_join(t));
		ASSERT_EQ(1, r.ret);
		EXPECT_EQ(8, *r.value);
		for (int i = 0; i < NR; i++) {
			EXPECT_EQ(true, leads_to(self->traces[i], r.handles[i]));
			close(r.handles[i]);
		}
		free_slow_pages(&slow);
	}
}

/* Its page goes while it is parked, and comes again only after others were served. */
TEST_F(cargo_efault, slow_page_of_a_parked_receiver)
{
	struct slow_pages slow;
	struct receiver r = { 0 };
	struct task *t;

	make_slow_pages(&slow, 1);
	if (slow.error)
		SKIP(return, "userfaultfd: %s", strerror(slow.error));
	bring_page(&slow, 0);
	r.handles = (void *)slow.pages;
	set_places(&r, self->c);
	t = task_start(THREAD, receive, &r);
	wait_waiting(self->c, 0, 1);
	forget_pages(&slow);
	ASSERT_EQ(0, send_two(self, 1));
	wait_for_fault(slow.fd);
	EXPECT_EQ(0, is_whole(self, 1));
	bring_page(&slow, 0);
	wait_waiting(self->c, 0, 1);
	ASSERT_EQ(0, send_two(self, 2));
	EXPECT_EQ(0, task_join(t));
	ASSERT_EQ(1, r.ret);
	EXPECT_EQ(2, *r.value);
	EXPECT_EQ(true, leads_to(self->traces[1], r.handles[1]));
	for (int i = 0; i < NR; i++)
		close(r.handles[i]);
	free_slow_pages(&slow);
}

/* Killed while its page was on the way: message and handles are still there. */
static int stall_and_die(void *arg)
{
	struct slow_pages slow;
	struct receiver r = { 0 };
	struct task *t;

	make_slow_pages(&slow, 1);
	must(!slow.error);
	r.handles = (void *)slow.pages;
	set_places(&r, *(int *)arg);
	t = task_start(THREAD, receive, &r);
	wait_for_fault(slow.fd);
	raise(SIGKILL);
	return task_join(t);
}

TEST_F(cargo_efault, killed_while_its_page_comes)
{
	struct slow_pages slow;

	make_slow_pages(&slow, 1);
	if (slow.error)
		SKIP(return, "userfaultfd: %s", strerror(slow.error));
	if (variant->capacity) {
		ASSERT_EQ(0, send_two(self, 7));
	}
	EXPECT_EQ(KILLED(SIGKILL), task_join(task_start(PROCESS, stall_and_die, &self->c)));
	if (variant->capacity) {
		EXPECT_EQ(0, is_whole(self, 7));
	}
	EXPECT_EQ(true, waiting(self->c, 0, 0));
	free_slow_pages(&slow);
}

/* The storm: a page comes and goes; nothing is lost, doubled, or left over. */
enum { STORM = FEWER(1000) };

struct storm {
	int c;
	__s32 *page;
	int over;
	int faults;
};

static int receive_one_of_storm(struct storm *storm, __u64 expected)
{
	struct kchan_ancillary ancillary = with_handles(storm->page, NR);
	__s32 safe[NR], *got = storm->page;
	__u64 v;
	int ret = cargo_msg(storm->c, KCHAN_RECV, &v, 8, 0, &ancillary);

	if (ret == -EFAULT) {
		storm->faults++;
		got = safe;
		ret = recv_handles(storm->c, &v, got, NR, 0);
	}
	CHECK(ret == 1);
	CHECK(v == expected);
	for (int i = 0; i < NR; i++) {
		CHECK(fcntl(got[i], F_GETFD) == FD_CLOEXEC);
		CHECK(close(got[i]) == 0);
	}
	return 0;
}

static int receive_storm(void *arg)
{
	struct storm *storm = arg;
	int ret = 0;

	for (int i = 0; i < STORM && !ret; i++)
		ret = receive_one_of_storm(storm, i);
	store(&storm->over, 1);
	return ret;
}

static int send_storm(void *arg)
{
	FIXTURE_DATA(cargo_efault) *self = arg;

	for (__u64 i = 0; i < STORM; i++)
		CHECK(send_two(self, i) == 0);
	return 0;
}

TEST_F(cargo_efault, storm)
{
	struct storm storm = { .c = self->c, .page = (void *)map_pages(1) };
	struct task *sender = task_start(THREAD, send_storm, self);
	struct task *receiver = task_start(THREAD, receive_storm, &storm);

	while (!load(&storm.over)) {
		mprotect(storm.page, PAGE, PROT_READ);
		sched_yield();
		mprotect(storm.page, PAGE, PROT_READ | PROT_WRITE);
		usleep(20);
	}
	EXPECT_EQ(0, task_join(receiver));
	EXPECT_EQ(0, task_join(sender));
	TH_LOG("%d faults", storm.faults);
	EXPECT_EQ(self->fds, count_fds());
}

TEST_HARNESS_MAIN
