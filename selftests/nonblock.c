// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's nonblock: the try forms fail exactly when the call would block, for
 * several sizes of message.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

FIXTURE(nonblock) {
	__u8 value[PAGE];
	__u8 got[PAGE];
};

FIXTURE_VARIANT(nonblock) {
	enum task_kind kind;
	__u32 size;
};

FIXTURE_VARIANT_ADD(nonblock, byte_threads) { THREAD, 1 };
FIXTURE_VARIANT_ADD(nonblock, byte_processes) { PROCESS, 1 };
FIXTURE_VARIANT_ADD(nonblock, int_threads) { THREAD, 4 };
FIXTURE_VARIANT_ADD(nonblock, int_processes) { PROCESS, 4 };
FIXTURE_VARIANT_ADD(nonblock, odd_threads) { THREAD, 61 };
FIXTURE_VARIANT_ADD(nonblock, odd_processes) { PROCESS, 61 };
FIXTURE_VARIANT_ADD(nonblock, page_threads) { THREAD, PAGE };
FIXTURE_VARIANT_ADD(nonblock, page_processes) { PROCESS, PAGE };

FIXTURE_SETUP(nonblock)
{
	for (int i = 0; i < PAGE; i++)
		self->value[i] = i * 31 + 1;
	memset(self->got, 0xa5, sizeof(self->got));
}

FIXTURE_TEARDOWN(nonblock) { }

TEST_F(nonblock, empty)
{
	for (int capacity = 0; capacity <= 1; capacity++) {
		int c = make_chan(variant->size, capacity);
		struct kchan_stat before = chan_stat(c);

		EXPECT_EQ(-EAGAIN, chan_try_recv(c, self->got, variant->size));
		EXPECT_EQ(0xa5, self->got[0]);
		EXPECT_EQ(0xa5, self->got[variant->size - 1]);
		EXPECT_EQ(true, same_stat(before, c));
	}
}

TEST_F(nonblock, full)
{
	for (int capacity = 0; capacity <= 1; capacity++) {
		int c = make_chan(variant->size, capacity);
		struct kchan_stat before;

		if (capacity) {
			ASSERT_EQ(0, chan_try_send(c, self->value, variant->size));
		}
		before = chan_stat(c);
		EXPECT_EQ(-EAGAIN, chan_try_send(c, self->value, variant->size));
		EXPECT_EQ(true, same_stat(before, c));
	}
}

TEST_F(nonblock, meets_a_blocked_receiver)
{
	struct one_message *p = shared_alloc(sizeof(*p));
	struct task *t;

	p->fd = make_chan(variant->size, 0);
	p->size = variant->size;
	t = task_start(variant->kind, recv_one_message, p);
	wait_waiting(p->fd, 0, 1);
	EXPECT_EQ(0, chan_try_send(p->fd, self->value, variant->size));
	EXPECT_EQ(-EAGAIN, chan_try_send(p->fd, self->value, variant->size));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, memcmp(p->buf, self->value, variant->size));
}

TEST_F(nonblock, meets_a_blocked_sender)
{
	struct one_message *p = shared_alloc(sizeof(*p));
	struct task *t;

	p->fd = make_chan(variant->size, 0);
	p->size = variant->size;
	memcpy(p->buf, self->value, variant->size);
	t = task_start(variant->kind, send_one_message, p);
	wait_waiting(p->fd, 1, 0);
	EXPECT_EQ(1, chan_try_recv(p->fd, self->got, variant->size));
	EXPECT_EQ(-EAGAIN, chan_try_recv(p->fd, self->got, variant->size));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, memcmp(self->got, self->value, variant->size));
}

/* The file's O_NONBLOCK asks for the same, whoever sets it. */
TEST_F(nonblock, o_nonblock)
{
	int dev = open_device();
	int c = try_make_chan(dev, variant->size, 0, KCHAN_NONBLOCK);

	EXPECT_EQ(-EAGAIN, chan_recv(c, self->got, variant->size));
	EXPECT_EQ(-EAGAIN, chan_send(c, self->value, variant->size));
	EXPECT_EQ(-EAGAIN, chan_msg(c, KCHAN_RECV, self->got, variant->size, KCHAN_DEADLINE,
				    in_ms(1000)));

	c = make_chan(variant->size, 0);
	ASSERT_EQ(0, fcntl(c, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, chan_recv(c, self->got, variant->size));
	EXPECT_EQ(-EAGAIN, chan_send(c, self->value, variant->size));
}

TEST_HARNESS_MAIN
