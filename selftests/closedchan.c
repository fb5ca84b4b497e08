// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's closedchan: closed channels, unbuffered, buffered, and with messages
 * left; here also with waiters blocked when the channel closes, which Go's
 * test leaves out.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

FIXTURE(closedchan) {
	int c;
	struct one_value *one;
};

FIXTURE_VARIANT(closedchan) {
	enum task_kind kind;
	__u64 capacity;
	__u64 left;	/* messages in it when it closes */
};

FIXTURE_VARIANT_ADD(closedchan, unbuffered_threads) { THREAD, 0, 0 };
FIXTURE_VARIANT_ADD(closedchan, unbuffered_processes) { PROCESS, 0, 0 };
FIXTURE_VARIANT_ADD(closedchan, buffered_threads) { THREAD, 2, 0 };
FIXTURE_VARIANT_ADD(closedchan, buffered_processes) { PROCESS, 2, 0 };
FIXTURE_VARIANT_ADD(closedchan, messages_left_threads) { THREAD, 2, 2 };
FIXTURE_VARIANT_ADD(closedchan, messages_left_processes) { PROCESS, 2, 2 };

FIXTURE_SETUP(closedchan)
{
	self->c = make_chan(8, variant->capacity);
	self->one = shared_alloc(sizeof(*self->one));
	self->one->fd = self->c;
	for (__u64 i = 0; i < variant->left; i++) {
		ASSERT_EQ(0, send64(self->c, i + 1));
	}
}

FIXTURE_TEARDOWN(closedchan)
{
	close(self->c);
}

static void expect_drained_and_closed(struct __test_metadata *_metadata, int c, __u64 left)
{
	__u64 v;

	for (__u64 i = 0; i < left; i++) {
		EXPECT_EQ(1, i % 2 ? try_recv64(c, &v) : recv64(c, &v));
		EXPECT_EQ(i + 1, v);
	}
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, recv64(c, &v));
		EXPECT_EQ(0, v);
		EXPECT_EQ(0, try_recv64(c, &v));
		EXPECT_EQ(0, v);
	}
	EXPECT_EQ(-EPIPE, send64(c, 2));
	EXPECT_EQ(-EPIPE, try_send64(c, 2));
	EXPECT_EQ(-EALREADY, chan_close(c));
	EXPECT_EQ(0, chan_stat(c).length);
}

TEST_F(closedchan, without_waiters)
{
	ASSERT_EQ(0, chan_close(self->c));
	expect_drained_and_closed(_metadata, self->c, variant->left);
}

TEST_F(closedchan, with_a_blocked_receiver)
{
	struct task *t;
	__u64 v;

	/* Only an empty channel blocks a receiver. */
	for (__u64 i = 0; i < variant->left; i++) {
		ASSERT_EQ(1, recv64(self->c, &v));
	}
	t = task_start(variant->kind, recv_one, self->one);
	wait_waiting(self->c, 0, 1);
	ASSERT_EQ(0, chan_close(self->c));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, self->one->ret);
	EXPECT_EQ(0, self->one->value);
	expect_drained_and_closed(_metadata, self->c, 0);
}

TEST_F(closedchan, with_a_blocked_sender)
{
	struct task *t;

	/* Only a full channel blocks a sender. */
	for (__u64 i = variant->left; i < variant->capacity; i++) {
		ASSERT_EQ(0, send64(self->c, i + 1));
	}
	self->one->value = 99;
	t = task_start(variant->kind, send_one, self->one);
	wait_waiting(self->c, 1, 0);
	ASSERT_EQ(0, chan_close(self->c));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EPIPE, self->one->ret);
	expect_drained_and_closed(_metadata, self->c, variant->capacity);
}

static int close_it(void *arg)
{
	return chan_close(*(int *)arg);
}

TEST_F(closedchan, closed_by_another_task)
{
	struct task *t = task_start(variant->kind, close_it, &self->c);

	EXPECT_EQ(0, task_join(t));
	expect_drained_and_closed(_metadata, self->c, variant->left);
}

TEST_HARNESS_MAIN
