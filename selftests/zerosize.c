// SPDX-License-Identifier: GPL-2.0-only
/* Go's zerosize: a message may be nothing but the fact that it came. */
#include <kselftest_harness.h>
#include "kchan_util.h"

TASK_FIXTURE(zero_size);

TEST(signals_are_counted)
{
	int c = make_chan(0, 3);

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, chan_try_send(c, NULL, 0));
	}
	EXPECT_EQ(-EAGAIN, chan_try_send(c, NULL, 0));
	EXPECT_EQ(3, chan_stat(c).length);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(1, chan_try_recv(c, NULL, 0));
	}
	EXPECT_EQ(-EAGAIN, chan_try_recv(c, NULL, 0));
}

TEST(message_differs_from_the_end)
{
	int c = make_chan(0, 2);

	EXPECT_EQ(0, chan_send(c, NULL, 0));
	EXPECT_EQ(0, chan_close(c));
	EXPECT_EQ(1, chan_recv(c, NULL, 0));
	EXPECT_EQ(0, chan_recv(c, NULL, 0));
	EXPECT_EQ(0, chan_recv(c, NULL, 0));
}

TEST(address_is_not_read)
{
	int c = make_chan(0, 1);
	void *nowhere = (void *)16;

	EXPECT_EQ(0, chan_send(c, nowhere, 0));
	EXPECT_EQ(1, chan_recv(c, nowhere, 0));
}

TEST(other_lengths_are_wrong)
{
	int c = make_chan(0, 1);
	__u64 byte = POISON;

	EXPECT_EQ(-EMSGSIZE, chan_send(c, &byte, 1));
	EXPECT_EQ(0, chan_send(c, NULL, 0));
	EXPECT_EQ(-EMSGSIZE, chan_recv(c, &byte, 1));
	EXPECT_EQ(POISON, byte);
	EXPECT_EQ(1, chan_stat(c).length);
}

static int send_signal(void *arg)
{
	return chan_send(*(int *)arg, NULL, 0);
}

static int recv_signal(void *arg)
{
	return chan_recv(*(int *)arg, NULL, 0) != 1;
}

TEST_F(zero_size, rendezvous)
{
	int c = make_chan(0, 0);
	struct task *t;

	EXPECT_EQ(-EAGAIN, chan_try_send(c, NULL, 0));
	EXPECT_EQ(-EAGAIN, chan_try_recv(c, NULL, 0));
	t = task_start(variant->kind, send_signal, &c);
	wait_waiting(c, 1, 0);
	EXPECT_EQ(1, chan_try_recv(c, NULL, 0));
	EXPECT_EQ(0, task_join(t));

	t = task_start(variant->kind, recv_signal, &c);
	wait_waiting(c, 0, 1);
	EXPECT_EQ(0, chan_try_send(c, NULL, 0));
	EXPECT_EQ(0, task_join(t));
}

TEST_HARNESS_MAIN
