// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that come slowly, as userfaultfd can make them, stall their owner and
 * nobody else.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"
#include "slow_pages.h"

FIXTURE(userfaultfd) {
	int c;
	int uffd;
	int error;
	__u64 *page;	/* touching it stalls until resolve() */
};

FIXTURE_VARIANT(userfaultfd) {
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(userfaultfd, unbuffered) { 0 };
FIXTURE_VARIANT_ADD(userfaultfd, buffered) { 4 };

/* A userfaultfd serves the address space of whoever made it. */
static int make_slow_page(FIXTURE_DATA(userfaultfd) *self)
{
	struct slow_pages slow;

	make_slow_pages(&slow, 1);
	self->uffd = slow.fd;
	self->page = (void *)slow.pages;
	return slow.error;
}

FIXTURE_SETUP(userfaultfd)
{
	self->c = make_chan(8, variant->capacity);
	self->error = make_slow_page(self);
}

FIXTURE_TEARDOWN(userfaultfd)
{
	close(self->uffd);
	close(self->c);
}

#define SKIP_WITHOUT_USERFAULTFD()						\
	if (self->error)							\
		SKIP(return, "userfaultfd: %s", strerror(self->error))

static void resolve(int uffd, __u64 *page)
{
	struct uffdio_zeropage zero = { .range = { .start = (uintptr_t)page, .len = PAGE } };

	must(!ioctl(uffd, UFFDIO_ZEROPAGE, &zero));
}

struct stalled {
	int c;
	__u64 *page;
	int ret;
};

static int recv_into_page(void *arg)
{
	struct stalled *s = arg;

	s->ret = chan_recv(s->c, s->page, 8);
	return 0;
}

static int send_from_page(void *arg)
{
	struct stalled *s = arg;

	s->ret = chan_send(s->c, s->page, 8);
	return 0;
}

/* Others use the channel, whatever one of them is stuck with. */
static int others_use(int c)
{
	struct one_value one = { .fd = c };
	struct task *t;

	for (int i = 0; i < 50; i++) {
		t = task_start(THREAD, recv_one, &one);
		CHECK(send64(c, 1000 + i) == 0);
		CHECK(task_join(t) == 0);
		CHECK(one.ret == 1 && one.value == 1000ull + i);
	}
	CHECK(chan_stat(c).length == 0);
	return 0;
}

TEST_F(userfaultfd, sender)
{
	struct stalled s = { .c = self->c, .page = self->page };
	struct task *t;
	__u64 v;

	SKIP_WITHOUT_USERFAULTFD();
	t = task_start(THREAD, send_from_page, &s);
	wait_for_fault(self->uffd);
	EXPECT_EQ(0, others_use(self->c));

	resolve(self->uffd, self->page);
	EXPECT_EQ(1, recv64(self->c, &v));
	EXPECT_EQ(0, v);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, s.ret);
}

/* A message is ready; its receiver stalls; another may have it. */
TEST_F(userfaultfd, receiver_of_a_ready_message)
{
	struct stalled s = { .c = self->c, .page = self->page };
	struct one_value one = { .fd = self->c, .value = 7 };
	struct task *t, *sender;
	__u64 v;

	SKIP_WITHOUT_USERFAULTFD();
	sender = task_start(THREAD, send_one, &one);
	if (variant->capacity) {
		ASSERT_EQ(0, task_join(sender));
	} else {
		wait_waiting(self->c, 1, 0);
	}
	t = task_start(THREAD, recv_into_page, &s);
	wait_for_fault(self->uffd);
	EXPECT_EQ(1, try_recv64(self->c, &v));
	EXPECT_EQ(7, v);
	if (!variant->capacity) {
		EXPECT_EQ(0, task_join(sender));
	}
	EXPECT_EQ(0, others_use(self->c));

	resolve(self->uffd, self->page);
	wait_waiting(self->c, 0, 1);
	EXPECT_EQ(0, send64(self->c, 8));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, s.ret);
	EXPECT_EQ(8, self->page[0]);
}

/* Nothing is ready: it stalls before it waits, or else others would wait for it. */
TEST_F(userfaultfd, receiver_with_nothing_ready)
{
	struct stalled s = { .c = self->c, .page = self->page };
	struct task *t;

	SKIP_WITHOUT_USERFAULTFD();
	t = task_start(THREAD, recv_into_page, &s);
	wait_for_fault(self->uffd);
	EXPECT_EQ(0, others_use(self->c));

	resolve(self->uffd, self->page);
	wait_waiting(self->c, 0, 1);
	EXPECT_EQ(0, send64(self->c, 8));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, s.ret);
	EXPECT_EQ(8, self->page[0]);
}

/* Its page goes while it is parked: the sender does not wait for it. */
TEST_F(userfaultfd, parked_receiver)
{
	struct stalled s = { .c = self->c, .page = self->page };
	struct task *t;
	__u64 v;

	SKIP_WITHOUT_USERFAULTFD();
	resolve(self->uffd, self->page);
	t = task_start(THREAD, recv_into_page, &s);
	wait_waiting(self->c, 0, 1);
	ASSERT_EQ(0, madvise(self->page, PAGE, MADV_DONTNEED));
	EXPECT_EQ(0, send64(self->c, 7));
	wait_for_fault(self->uffd);
	/* Back in the channel, for whoever can take it. */
	EXPECT_EQ(1, recv64(self->c, &v));
	EXPECT_EQ(7, v);
	EXPECT_EQ(0, others_use(self->c));

	resolve(self->uffd, self->page);
	wait_waiting(self->c, 0, 1);
	EXPECT_EQ(0, send64(self->c, 8));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, s.ret);
	EXPECT_EQ(8, self->page[0]);
}

static int stall_in_child(void *arg)
{
	FIXTURE_DATA(userfaultfd) *self = arg;
	struct stalled s = { .c = self->c };
	struct task *t;

	must(!make_slow_page(self));
	s.page = self->page;
	t = task_start(THREAD, recv_into_page, &s);
	wait_for_fault(self->uffd);
	raise(SIGKILL);
	return task_join(t);
}

/* Killed while its page was on the way: the message is still there. */
TEST_F(userfaultfd, killed_receiver)
{
	struct one_value one = { .fd = self->c, .value = 7 };
	struct task *sender;
	int stalled;
	__u64 v;

	SKIP_WITHOUT_USERFAULTFD();
	sender = task_start(THREAD, send_one, &one);
	if (variant->capacity) {
		ASSERT_EQ(0, task_join(sender));
	} else {
		wait_waiting(self->c, 1, 0);
	}
	/* The registration is this process's: the child makes its own. */
	stalled = task_join(task_start(PROCESS, stall_in_child, self));
	EXPECT_EQ(KILLED(SIGKILL), stalled);
	EXPECT_EQ(1, recv64(self->c, &v));
	EXPECT_EQ(7, v);
	if (!variant->capacity) {
		EXPECT_EQ(0, task_join(sender));
	}
}

/* Parks a receiver, and takes away its memory. */
static struct task *park_spoilt(struct stalled *s, int c, __u32 parked_then)
{
	struct task *t;

	*s = (struct stalled){ .c = c, .page = (void *)map_pages(1) };
	t = task_start(THREAD, recv_into_page, s);
	wait_waiting(c, 0, parked_then);
	must(!mprotect(s->page, PAGE, PROT_NONE));
	return t;
}

/*
 * Two messages have come back.  Somebody who found nothing a while ago has the
 * first handed out as he parks, and can't take it either: half of where it should
 * go is gone, while the other half was on its way.  It is still the first.
 */
TEST_F(userfaultfd, message_that_comes_back_twice)
{
	__u8 *half = map_pages(2), *slow = half + PAGE;
	struct uffdio_register reg = {
		.range = { (uintptr_t)slow, PAGE }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct stalled late = { .c = self->c, .page = (void *)(slow - 4) }, spoilt[2];
	struct task *late_task, *tasks[2];
	__u64 v;

	SKIP_WITHOUT_USERFAULTFD();
	must(!ioctl(self->uffd, UFFDIO_REGISTER, &reg));
	late_task = task_start(THREAD, recv_into_page, &late);
	wait_for_fault(self->uffd);
	for (int i = 0; i < 2; i++)
		tasks[i] = park_spoilt(&spoilt[i], self->c, i + 1);
	/* Else the first message may come back, and go to the second, before its own is sent. */
	for (int i = 0; i < 2; i++) {
		wait_asleep(tasks[i]);
		if (!keep_from_running(tasks[i]->tid))
			SKIP(return, "no real-time priority here: %s", strerror(errno));
	}
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, send64(self->c, i + 1));
	let_run();
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
		EXPECT_EQ(-EFAULT, spoilt[i].ret);
	}
	ASSERT_EQ(2, chan_stat(self->c).length);

	ASSERT_EQ(0, mprotect(half, PAGE, PROT_NONE));
	resolve(self->uffd, (void *)slow);
	EXPECT_EQ(0, task_join(late_task));
	EXPECT_EQ(-EFAULT, late.ret);
	for (__u64 i = 1; i <= 2; i++) {
		EXPECT_EQ(1, recv64(self->c, &v));
		EXPECT_EQ(i, v);
	}
}

TEST_HARNESS_MAIN
