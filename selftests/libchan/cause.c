// SPDX-License-Identifier: GPL-2.0-only
/* Whoever closes a channel may say why, and all who find the end may know. */
#include "kselftest_harness.h"
#include "chan_util.h"

TASK_FIXTURE(cause)

struct waiter {
	struct chan *c;
	bool sends;
	struct chan_case found;
	int cause;
};

/* What a select and then any handle say at the end. */
static int find_the_end(void *arg)
{
	struct waiter *waiter = arg;
	int value = 1;
	struct chan_case on = waiter->sends ? chan_on_send(waiter->c, &value) :
					      chan_on_recv(waiter->c, &value);

	CHECK(!chan_select(&on, 1));
	waiter->found = on;
	waiter->cause = chan_cause(waiter->c);
	return 0;
}

static void close_under(enum task_kind kind, struct waiter *waiter, int cause)
{
	struct task *task = task_start(kind, find_the_end, waiter);

	wait_blocked(waiter->c, waiter->sends, !waiter->sends);
	must(!chan_close_cause(waiter->c, cause));
	must(!task_join(task));
}

TEST_F(cause, receiver_that_waits_hears_it)
{
	struct waiter *waiter = shared_alloc(sizeof(*waiter));

	waiter->c = must_make(sizeof(int), 1);
	close_under(variant->kind, waiter, ENOSPC);
	EXPECT_EQ(0, waiter->found.result);
	EXPECT_EQ(ENOSPC, waiter->found.value);
	EXPECT_EQ(ENOSPC, waiter->cause);
	chan_drop(waiter->c);
}

TEST_F(cause, sender_that_waits_hears_it)
{
	struct waiter *waiter = shared_alloc(sizeof(*waiter));

	waiter->c = must_make(sizeof(int), 0);
	waiter->sends = true;
	close_under(variant->kind, waiter, EIO);
	EXPECT_EQ(-1, waiter->found.result);
	EXPECT_EQ(EPIPE, waiter->found.error);
	EXPECT_EQ(EIO, waiter->found.value);
	EXPECT_EQ(EIO, waiter->cause);
	chan_drop(waiter->c);
}

/* Elements that were sent before come first, without it. */
TEST(receivers_drain_first)
{
	struct chan *c = must_make(sizeof(int), 2);
	int value = 5;
	struct chan_case on = chan_on_recv(c, &value);

	EXPECT_EQ(0, chan_cause(c));
	EXPECT_EQ(0, err(chan_send(c, &value)));
	EXPECT_EQ(0, err(chan_close_cause(c, ETIMEDOUT)));
	EXPECT_EQ(ETIMEDOUT, chan_cause(c));
	EXPECT_EQ(0, chan_select(&on, 1));
	EXPECT_EQ(1, on.result);
	EXPECT_EQ(0, on.value);
	EXPECT_EQ(0, chan_select(&on, 1));
	EXPECT_EQ(0, on.result);
	EXPECT_EQ(ETIMEDOUT, on.value);
	EXPECT_EQ(0, err(chan_recv(c, &value)));
	EXPECT_EQ(-EPIPE, err(chan_send(c, &value)));
	chan_drop(c);
}

TEST(every_handle_tells)
{
	struct chan *c = must_make(1, 1), *in = must_restrict(c, CHAN_RECV);

	EXPECT_EQ(0, err(chan_close_cause(c, CHAN_ERRNO_MAX)));
	EXPECT_EQ(CHAN_ERRNO_MAX, chan_cause(in));
	EXPECT_EQ(CHAN_ERRNO_MAX, stat_of(in).cause);
	EXPECT_EQ(CHAN_ERRNO_MAX, state_of(in).value);
	EXPECT_EQ(1, stat_of(in).closed);
	chan_drop(in);
	chan_drop(c);
}

/* The first close says it, with or without. */
TEST(first_close_counts)
{
	struct chan *c = must_make(1, 1), *silent = must_make(1, 1);

	EXPECT_EQ(0, err(chan_close_cause(c, EIO)));
	EXPECT_EQ(-EALREADY, err(chan_close_cause(c, ENOSPC)));
	EXPECT_EQ(-EALREADY, err(chan_close(c)));
	EXPECT_EQ(EIO, chan_cause(c));
	EXPECT_EQ(0, err(chan_close(silent)));
	EXPECT_EQ(-EALREADY, err(chan_close_cause(silent, EIO)));
	EXPECT_EQ(0, chan_cause(silent));
	chan_drop(silent);
	chan_drop(c);
}

TEST(end_without_a_close_has_none)
{
	struct chan *c = must_make(sizeof(int), 1), *in = must_restrict(c, CHAN_RECV);
	int value;
	struct chan_case on = chan_on_recv(in, &value);

	chan_drop(c);
	EXPECT_EQ(0, chan_select(&on, 1));
	EXPECT_EQ(0, on.result);
	EXPECT_EQ(0, on.value);
	EXPECT_EQ(0, chan_cause(in));
	chan_drop(in);
}

TEST(senseless_cause)
{
	struct chan *c = must_make(1, 1), *in = must_restrict(c, CHAN_RECV);
	struct chan_stat before = stat_of(c);

	EXPECT_EQ(-EINVAL, err(chan_close_cause(c, 0)));
	EXPECT_EQ(-EINVAL, err(chan_close_cause(c, -EIO)));
	EXPECT_EQ(-EINVAL, err(chan_close_cause(c, CHAN_ERRNO_MAX + 1)));
	EXPECT_EQ(-EINVAL, err(chan_close_cause(c, INT_MIN)));
	EXPECT_TRUE(unchanged(before, c));
	EXPECT_EQ(-EBADF, err(chan_close_cause(in, EIO)));
	EXPECT_TRUE(unchanged(before, c));
	chan_drop(in);
	chan_drop(c);
}

TEST_HARNESS_MAIN
