// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's nonblock, in its select form: a select with a default does exactly what
 * the try forms do, for several sizes of message.
 */
#include <kselftest_harness.h>
#include "select_util.h"

FIXTURE(nonblock_select) {
	__u8 value[PAGE];
	__u8 got[PAGE];
	struct kchan_case idle;
};

FIXTURE_VARIANT(nonblock_select) {
	enum task_kind kind;
	__u32 size;
};

FIXTURE_VARIANT_ADD(nonblock_select, signal_threads) { THREAD, 0 };
FIXTURE_VARIANT_ADD(nonblock_select, signal_processes) { PROCESS, 0 };
FIXTURE_VARIANT_ADD(nonblock_select, byte_threads) { THREAD, 1 };
FIXTURE_VARIANT_ADD(nonblock_select, byte_processes) { PROCESS, 1 };
FIXTURE_VARIANT_ADD(nonblock_select, odd_threads) { THREAD, 61 };
FIXTURE_VARIANT_ADD(nonblock_select, odd_processes) { PROCESS, 61 };
FIXTURE_VARIANT_ADD(nonblock_select, page_threads) { THREAD, PAGE };
FIXTURE_VARIANT_ADD(nonblock_select, page_processes) { PROCESS, PAGE };

FIXTURE_SETUP(nonblock_select)
{
	for (int i = 0; i < PAGE; i++)
		self->value[i] = i * 31 + 1;
	memset(self->got, 0xa5, sizeof(self->got));
	self->idle = on_recv(make_chan(variant->size, 0), self->got, variant->size);
}

FIXTURE_TEARDOWN(nonblock_select) { }

/* Alone and beside another that is not ready. */
#define EXPECT_BOTH_FAIL(error, what) do {				\
	EXPECT_FAILED(error, try_select_of(what));			\
	EXPECT_FAILED(error, try_select_of(self->idle, what));		\
} while (0)

TEST_F(nonblock_select, empty)
{
	for (int capacity = 0; capacity <= 1; capacity++) {
		int c = make_chan(variant->size, capacity);
		struct kchan_stat before = chan_stat(c);

		EXPECT_BOTH_FAIL(EAGAIN, on_recv(c, self->got, variant->size));
		EXPECT_EQ(0xa5, self->got[0]);
		EXPECT_EQ(true, same_stat(before, c));
	}
}

TEST_F(nonblock_select, full)
{
	for (int capacity = 0; capacity <= 1; capacity++) {
		int c = make_chan(variant->size, capacity);
		struct kchan_stat before;

		if (capacity) {
			EXPECT_CHOSE(0, 0, try_select_of(on_send(c, self->value, variant->size)));
		}
		before = chan_stat(c);
		EXPECT_BOTH_FAIL(EAGAIN, on_send(c, self->value, variant->size));
		EXPECT_EQ(true, same_stat(before, c));
	}
}

TEST_F(nonblock_select, meets_a_blocked_receiver)
{
	struct one_message *p = shared_alloc(sizeof(*p));
	struct task *t;

	p->fd = make_chan(variant->size, 0);
	p->size = variant->size;
	for (int among = 0; among < 2; among++) {
		struct kchan_case send = on_send(p->fd, self->value, variant->size);
		struct kchan_case cases[] = { send, self->idle };

		memset(p->buf, 0, sizeof(p->buf));
		t = task_start(variant->kind, recv_one_message, p);
		wait_waiting(p->fd, 0, 1);
		EXPECT_CHOSE(0, 0, kchan_select(cases, 1 + among, KCHAN_NONBLOCK, 0));
		EXPECT_BOTH_FAIL(EAGAIN, send);
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(0, memcmp(p->buf, self->value, variant->size));
	}
}

TEST_F(nonblock_select, meets_a_blocked_sender)
{
	struct one_message *p = shared_alloc(sizeof(*p));
	struct task *t;

	p->fd = make_chan(variant->size, 0);
	p->size = variant->size;
	memcpy(p->buf, self->value, variant->size);
	for (int among = 0; among < 2; among++) {
		struct kchan_case recv = on_recv(p->fd, self->got, variant->size);
		struct kchan_case cases[] = { recv, self->idle };

		memset(self->got, 0, sizeof(self->got));
		t = task_start(variant->kind, send_one_message, p);
		wait_waiting(p->fd, 1, 0);
		EXPECT_CHOSE(0, 1, kchan_select(cases, 1 + among, KCHAN_NONBLOCK, 0));
		EXPECT_EQ(0, memcmp(self->got, self->value, variant->size));
		EXPECT_BOTH_FAIL(EAGAIN, recv);
		EXPECT_EQ(0, task_join(t));
	}
}

/* O_NONBLOCK of a handle is for its own calls: a select does not look at it. */
TEST_F(nonblock_select, o_nonblock_does_not_count)
{
	struct one_message *p = shared_alloc(sizeof(*p));
	int dev = open_device();
	int c = try_make_chan(dev, variant->size, 0, KCHAN_NONBLOCK);
	struct task *t;

	must(c >= 0);
	p->fd = make_chan(variant->size, 0);
	p->size = variant->size;
	memcpy(p->buf, self->value, variant->size);
	t = task_start(variant->kind, send_one_message, p);
	EXPECT_CHOSE(1, 1, select_of(on_recv(c, self->got, variant->size),
				     on_recv(p->fd, self->got, variant->size)));
	EXPECT_EQ(0, memcmp(self->got, self->value, variant->size));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-ETIMEDOUT, kchan_select(CASES(on_recv(c, self->got, variant->size)),
					   KCHAN_DEADLINE, in_ms(1)).index);
	close(dev);
	close(c);
}

TEST_HARNESS_MAIN
