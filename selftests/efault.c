// SPDX-License-Identifier: GPL-2.0-only
/* A copy that fails eats nothing: the message stays, or goes back to its place. */
#include <kselftest_harness.h>
#include "kchan_util.h"

FIXTURE(efault) {
	int c;
	__u8 *page;	/* the last before an unmapped one */
};

FIXTURE_VARIANT(efault) {
	__u32 size;
};

FIXTURE_VARIANT_ADD(efault, small) { 8 };
FIXTURE_VARIANT_ADD(efault, large) { 3000 };

FIXTURE_SETUP(efault)
{
	self->c = make_chan(variant->size, 3);
	self->page = page_before_hole();
}

FIXTURE_TEARDOWN(efault)
{
	close(self->c);
}

static void fill(__u8 *buf, __u32 size, int n)
{
	for (__u32 i = 0; i < size; i++)
		buf[i] = n * 37 + i;
}

static int send_number(int c, __u32 size, int n)
{
	__u8 buf[PAGE];

	fill(buf, size, n);
	return chan_try_send(c, buf, size);
}

/* The number of the message that comes next, or a negative errno. */
static int recv_number(int c, __u32 size)
{
	__u8 buf[PAGE], expected[PAGE];
	int ret;

	memset(buf, 0xa5, sizeof(buf));
	ret = chan_try_recv(c, buf, size);
	if (ret != 1)
		return ret;
	for (int n = 1; n < 100; n++) {
		fill(expected, size, n);
		if (!memcmp(buf, expected, size))
			return n;
	}
	return -EILSEQ;
}

TEST_F(efault, receive_leaves_the_message_at_the_head)
{
	void *bad[] = {
		NULL,
		self->page + PAGE,
		self->page + PAGE - variant->size + 1,
		self->page + PAGE - 1,
		map_pages(1),
		map_pages(1),
	};
	struct kchan_stat before;

	mprotect(bad[4], PAGE, PROT_READ);
	mprotect(bad[5], PAGE, PROT_NONE);
	for (int n = 1; n <= 3; n++) {
		ASSERT_EQ(0, send_number(self->c, variant->size, n));
	}
	before = chan_stat(self->c);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EFAULT, chan_recv(self->c, bad[i], variant->size));
		EXPECT_EQ(-EFAULT, chan_try_recv(self->c, bad[i], variant->size));
		EXPECT_EQ(-1, read(self->c, bad[i], variant->size));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(true, same_stat(before, self->c));
	}
	for (int n = 1; n <= 3; n++) {
		EXPECT_EQ(n, recv_number(self->c, variant->size));
	}
}

TEST_F(efault, send_adds_nothing)
{
	const void *bad[] = {
		NULL,
		self->page + PAGE,
		self->page + PAGE - variant->size + 1,
		self->page + PAGE - 1,
	};
	struct kchan_stat before;

	ASSERT_EQ(0, send_number(self->c, variant->size, 1));
	before = chan_stat(self->c);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EFAULT, chan_send(self->c, bad[i], variant->size));
		EXPECT_EQ(-EFAULT, chan_try_send(self->c, bad[i], variant->size));
		EXPECT_EQ(-1, write(self->c, bad[i], variant->size));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(true, same_stat(before, self->c));
	}
	EXPECT_EQ(1, recv_number(self->c, variant->size));
	EXPECT_EQ(-EAGAIN, recv_number(self->c, variant->size));
}

/* A full channel makes no difference: a sender does not park with bad memory. */
TEST_F(efault, send_to_full)
{
	struct kchan_stat before;

	for (int n = 1; n <= 3; n++) {
		ASSERT_EQ(0, send_number(self->c, variant->size, n));
	}
	before = chan_stat(self->c);
	EXPECT_EQ(-EFAULT, chan_send(self->c, self->page + PAGE - 1, variant->size));
	EXPECT_EQ(true, same_stat(before, self->c));
}

/* At the end there is no message to lose, but the zeros must go somewhere. */
TEST_F(efault, receive_at_the_end)
{
	ASSERT_EQ(0, chan_close(self->c));
	EXPECT_EQ(-EFAULT, chan_recv(self->c, NULL, variant->size));
	EXPECT_EQ(-EFAULT, chan_recv(self->c, self->page + PAGE - 1, variant->size));
	EXPECT_EQ(0, recv_number(self->c, variant->size));
}

/* Memory that merely is not there yet is brought in, for every kind of call. */
TEST_F(efault, untouched_memory_is_good)
{
	__u8 *fresh = map_pages(8);

	for (int n = 1; n <= 3; n++) {
		ASSERT_EQ(0, send_number(self->c, variant->size, n));
	}
	EXPECT_EQ(1, chan_recv(self->c, fresh + PAGE - 1, variant->size));
	EXPECT_EQ(37 * 1, fresh[PAGE - 1]);
	EXPECT_EQ(1, chan_try_recv(self->c, fresh + 3 * PAGE - 1, variant->size));
	EXPECT_EQ(37 * 2, fresh[3 * PAGE - 1]);
	EXPECT_EQ(0, chan_try_send(self->c, fresh + 5 * PAGE - 1, variant->size));
}

/* Stack that grows when it is first used grows for us, too. */
static int recv_into_deep_stack(int c, __u32 size)
{
	__u8 *deep = (__u8 *)__builtin_frame_address(0) - 64 * PAGE;

	return chan_try_recv(c, deep, size) == 1 ? deep[0] : -1;
}

TEST_F(efault, stack_not_used_yet_is_good)
{
	ASSERT_EQ(0, send_number(self->c, variant->size, 1));
	EXPECT_EQ(37, recv_into_deep_stack(self->c, variant->size));
}

/* A page shared with a forked child is copied on write, also from the kernel. */
TEST_F(efault, copy_on_write_memory_is_good)
{
	__u8 *page = map_pages(1);
	int status;
	pid_t pid;

	page[0] = 1;
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	ASSERT_EQ(0, send_number(self->c, variant->size, 1));
	EXPECT_EQ(1, chan_try_recv(self->c, page, variant->size));
	EXPECT_EQ(37, page[0]);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* ---- receivers that parked before their memory went away ---- */

struct parked {
	int c;
	__u32 size;
	__u8 *buf;
	int ret;
};

static int recv_parked(void *arg)
{
	struct parked *p = arg;

	p->ret = chan_recv(p->c, p->buf, p->size);
	return 0;
}

static void park(struct parked *p, struct task **t, int c, __u32 size, __u32 receivers)
{
	*p = (struct parked){ .c = c, .size = size, .buf = map_pages(1) };
	*t = task_start(THREAD, recv_parked, p);
	wait_waiting(c, 0, receivers);
}

enum spoiling { UNMAPPED, READ_ONLY, NO_ACCESS };

static void spoil(__u8 *page, enum spoiling how)
{
	if (how == UNMAPPED)
		must(!munmap(page, PAGE));
	else
		must(!mprotect(page, PAGE, how == READ_ONLY ? PROT_READ : PROT_NONE));
}

/*
 * The send succeeded: its message is the channel's now.  It waits at the head,
 * also in a rendezvous, which has no buffer.
 */
TEST_F(efault, message_goes_back_to_the_head)
{
	for (int capacity = 0; capacity <= 1; capacity++) {
		for (enum spoiling how = UNMAPPED; how <= NO_ACCESS; how++) {
			int c = make_chan(variant->size, capacity);
			struct parked p;
			struct task *t;

			park(&p, &t, c, variant->size, 1);
			spoil(p.buf, how);
			ASSERT_EQ(0, send_number(c, variant->size, 1));
			EXPECT_EQ(0, task_join(t));
			EXPECT_EQ(-EFAULT, p.ret);
			EXPECT_EQ(1, chan_stat(c).length);
			EXPECT_EQ(POLLIN, poll_now(c, POLLIN));
			if (capacity) {
				EXPECT_EQ(0, send_number(c, variant->size, 2));
			}
			EXPECT_EQ(1, recv_number(c, variant->size));
			EXPECT_EQ(capacity ? 2 : -EAGAIN, recv_number(c, variant->size));
			close(c);
		}
	}
}

TEST_F(efault, message_goes_on_to_the_next_receiver)
{
	for (int capacity = 0; capacity <= 1; capacity++) {
		int c = make_chan(variant->size, capacity);
		struct parked first, second;
		struct task *first_task, *second_task;
		__u8 expected[PAGE];

		park(&first, &first_task, c, variant->size, 1);
		park(&second, &second_task, c, variant->size, 2);
		spoil(first.buf, UNMAPPED);
		ASSERT_EQ(0, send_number(c, variant->size, 1));
		EXPECT_EQ(0, task_join(first_task));
		EXPECT_EQ(-EFAULT, first.ret);
		EXPECT_EQ(0, task_join(second_task));
		EXPECT_EQ(1, second.ret);
		fill(expected, variant->size, 1);
		EXPECT_EQ(0, memcmp(expected, second.buf, variant->size));
		EXPECT_EQ(0, chan_stat(c).length);
		close(c);
	}
}

/* Several come back: they must stand in the order in which they were sent. */
TEST_F(efault, messages_go_back_in_order)
{
	enum { N = 5 };

	for (int round = 0; round < 8; round++) {
		int c = make_chan(variant->size, 0);
		struct parked p[N];
		struct task *tasks[N];

		for (int i = 0; i < N; i++) {
			park(&p[i], &tasks[i], c, variant->size, i + 1);
			spoil(p[i].buf, NO_ACCESS);
		}
		for (int i = 0; i < N; i++) {
			/* Back already, perhaps; then the next receiver has it. */
			int ret = send_number(c, variant->size, i + 1);

			ASSERT_EQ(0, ret == -EAGAIN ? 0 : ret);
		}
		ASSERT_EQ(0, chan_close(c));
		for (int i = 0; i < N; i++) {
			EXPECT_EQ(0, task_join(tasks[i]));
		}
		for (int last = 0, n; (n = recv_number(c, variant->size)); last = n) {
			ASSERT_LT(last, n);
		}
		close(c);
		for (int i = 0; i < N; i++)
			munmap(p[i].buf, PAGE);
	}
}

/* Closed meanwhile: the message that came back is drained before the end. */
TEST_F(efault, message_comes_back_to_a_closed_channel)
{
	for (int round = 0; round < 20; round++) {
		int c = make_chan(variant->size, 0);
		struct parked p;
		struct task *t;

		park(&p, &t, c, variant->size, 1);
		spoil(p.buf, UNMAPPED);
		ASSERT_EQ(0, send_number(c, variant->size, 1));
		ASSERT_EQ(0, chan_close(c));
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(-EFAULT, p.ret);
		EXPECT_EQ(1, recv_number(c, variant->size));
		EXPECT_EQ(0, recv_number(c, variant->size));
		close(c);
	}
}

/* ---- the storm: memory comes and goes while messages are received ---- */

struct flicker {
	int c;
	__u32 size;
	__u8 *page;
	int over;
	int faults;
	int n;
};

static int recv_into_flickering(void *arg)
{
	struct flicker *f = arg;
	__u8 mine[PAGE];
	int ret;

	for (int i = 0; i < f->n; i++) {
		__u8 *buf = i % 2 ? f->page : mine;

		while ((ret = chan_recv(f->c, buf, f->size)) == -EFAULT) {
			CHECK(buf == f->page);
			count_up(&f->faults);
			buf = mine;
		}
		CHECK(ret == 1);
		/* Only our own page can be looked at without a fault of ours. */
		if (buf == mine)
			CHECK(mine[0] == (__u8)((i + 1) * 37));
	}
	store(&f->over, 1);
	return 0;
}

static int make_it_flicker(void *arg)
{
	struct flicker *f = arg;

	while (!load(&f->over)) {
		must(!mprotect(f->page, PAGE, PROT_NONE));
		must(!mprotect(f->page, PAGE, PROT_READ | PROT_WRITE));
		must(!madvise(f->page, PAGE, MADV_DONTNEED));
	}
	return 0;
}

TEST_F(efault, flickering_memory)
{
	struct flicker f = { self->c, variant->size, map_pages(1), 0, 0, 2000 };
	struct task *receiver = task_start(THREAD, recv_into_flickering, &f);
	struct task *flickerer = task_start(THREAD, make_it_flicker, &f);
	__u8 buf[PAGE];

	for (int i = 0; i < f.n; i++) {
		fill(buf, variant->size, i + 1);
		ASSERT_EQ(0, chan_send(self->c, buf, variant->size));
	}
	EXPECT_EQ(0, task_join(receiver));
	EXPECT_EQ(0, task_join(flickerer));
	EXPECT_LT(0, f.faults);
	EXPECT_EQ(0, chan_stat(self->c).length);
}

TEST_HARNESS_MAIN
