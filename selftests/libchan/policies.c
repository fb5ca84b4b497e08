// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a send does where the buffer is full, as the channel was made to: it never
 * waits, and whatever is discarded is counted.
 */
#include "kselftest_harness.h"
#include "chan_util.h"

static struct chan *must_make_policy(size_t capacity, enum chan_policy policy)
{
	return must_have(chan_make_policy(sizeof(int), capacity, policy));
}

/* Sends 1 to @n. */
static void send_up_to(struct chan *c, int n)
{
	for (int i = 1; i <= n; i++)
		must(!chan_send(c, &i));
}

/* Of what the next receives give, each is a digit. */
static int rest(struct chan *c)
{
	int value, all = 0;

	while (chan_try_recv(c, &value) == 1)
		all = all * 10 + value;
	return all;
}

TEST(block_is_as_chan_make)
{
	struct chan *c = must_make_policy(1, CHAN_BLOCK), *rendezvous;
	int value = 1;

	EXPECT_EQ(CHAN_BLOCK, stat_of(c).policy);
	EXPECT_EQ(0, err(chan_send(c, &value)));
	EXPECT_EQ(-EAGAIN, err(chan_try_send(c, &value)));
	EXPECT_EQ(0, stat_of(c).dropped);
	rendezvous = must_make_policy(0, CHAN_BLOCK);
	EXPECT_EQ(-EAGAIN, err(chan_try_send(rendezvous, &value)));
	chan_drop(rendezvous);
	chan_drop(c);
}

TEST(drop_newest_keeps_what_came_first)
{
	struct chan *c = must_make_policy(3, CHAN_DROP_NEWEST);

	send_up_to(c, 5);
	EXPECT_EQ(3, chan_len(c));
	EXPECT_EQ(CHAN_DROP_NEWEST, stat_of(c).policy);
	EXPECT_EQ(2, stat_of(c).dropped);
	EXPECT_EQ(123, rest(c));
	chan_drop(c);
}

TEST(drop_oldest_keeps_what_came_last)
{
	struct chan *c = must_make_policy(3, CHAN_DROP_OLDEST);

	send_up_to(c, 5);
	EXPECT_EQ(3, chan_len(c));
	EXPECT_EQ(CHAN_DROP_OLDEST, stat_of(c).policy);
	EXPECT_EQ(2, stat_of(c).dropped);
	EXPECT_EQ(345, rest(c));
	chan_drop(c);
}

TEST(latest_starts_anew)
{
	struct chan *c = must_make_policy(3, CHAN_LATEST);

	send_up_to(c, 3);
	EXPECT_EQ(0, stat_of(c).dropped);
	EXPECT_EQ(0, err(chan_try_send(c, &(int){ 4 })));
	EXPECT_EQ(CHAN_LATEST, stat_of(c).policy);
	EXPECT_EQ(3, stat_of(c).dropped);
	EXPECT_EQ(0, err(chan_try_send(c, &(int){ 5 })));
	EXPECT_EQ(45, rest(c));
	EXPECT_EQ(3, stat_of(c).dropped);
	chan_drop(c);
}

TEST(latest_of_one_is_a_value_to_be_read)
{
	struct chan *c = must_make_policy(1, CHAN_LATEST);

	send_up_to(c, 7);
	EXPECT_EQ(6, stat_of(c).dropped);
	EXPECT_EQ(7, rest(c));
	chan_drop(c);
}

/* No form of a send waits, and a close still ends them all. */
TEST(every_form_of_send)
{
	struct chan *c = must_make_policy(1, CHAN_DROP_OLDEST);
	struct chan_cancel *stop = must_have(chan_cancel_make());
	struct chan_case on;
	int values[2] = { 8, 9 };

	send_up_to(c, 1);
	EXPECT_EQ(0, err(chan_try_send(c, &(int){ 2 })));
	EXPECT_EQ(0, err(chan_send_until(c, &(int){ 3 }, 0)));
	EXPECT_EQ(0, err(chan_send_with(c, &(int){ 4 }, &(struct chan_bounds){ .cancel = stop })));
	on = chan_on_send(c, &(int){ 5 });
	EXPECT_EQ(0, err(chan_try_select(&on, 1)));
	EXPECT_EQ(0, on.result);
	EXPECT_EQ(POLLOUT, poll_now(chan_fd(c), POLLOUT));
	EXPECT_EQ(2, err(chan_send_many(c, values, 2)));
	EXPECT_EQ(6, stat_of(c).dropped);
	EXPECT_EQ(0, err(chan_close(c)));
	EXPECT_EQ(-EPIPE, err(chan_send(c, values)));
	EXPECT_EQ(6, stat_of(c).dropped);
	EXPECT_EQ(9, rest(c));
	chan_cancel_drop(stop);
	chan_drop(c);
}

TEST(every_handle_tells)
{
	struct chan *c = must_make_policy(1, CHAN_DROP_NEWEST);
	struct chan *other = must_restrict(c, CHAN_RECV);
	struct chan_object_stat state;

	send_up_to(c, 3);
	EXPECT_EQ(CHAN_DROP_NEWEST, stat_of(other).policy);
	EXPECT_EQ(2, stat_of(other).dropped);
	state = state_of(other);
	EXPECT_EQ(CHAN_DROP_NEWEST, state.policy);
	EXPECT_EQ(2, state.dropped);
	EXPECT_EQ(0, state.reserved32 | state.reserved[0] | state.reserved[1]);
	chan_drop(other);
	chan_drop(c);
}

/* ---- a sender that never waits, and a receiver that is slower ---- */

#define SENT 2000

struct flow {
	struct chan *c;
	int received, last;
};

FIXTURE(policies)
{
	struct flow *flow;
};

FIXTURE_VARIANT(policies)
{
	enum task_kind kind;
	enum chan_policy policy;
};

FIXTURE_VARIANT_ADD(policies, newest_threads) { THREAD, CHAN_DROP_NEWEST };
FIXTURE_VARIANT_ADD(policies, newest_processes) { PROCESS, CHAN_DROP_NEWEST };
FIXTURE_VARIANT_ADD(policies, oldest_threads) { THREAD, CHAN_DROP_OLDEST };
FIXTURE_VARIANT_ADD(policies, oldest_processes) { PROCESS, CHAN_DROP_OLDEST };
FIXTURE_VARIANT_ADD(policies, latest_threads) { THREAD, CHAN_LATEST };
FIXTURE_VARIANT_ADD(policies, latest_processes) { PROCESS, CHAN_LATEST };

FIXTURE_SETUP(policies)
{
	self->flow = shared_alloc(sizeof(*self->flow));
	self->flow->c = must_make_policy(4, variant->policy);
}

FIXTURE_TEARDOWN(policies)
{
	chan_drop(self->flow->c);
}

static int receive_all(void *arg)
{
	struct flow *flow = arg;
	int value;

	chan_range(flow->c, &value) {
		CHECK(value > flow->last);
		flow->last = value;
		flow->received++;
	}
	CHECK(!errno);
	return 0;
}

/* Each element arrives once, in order, or is counted as discarded. */
TEST_F(policies, all_are_received_or_counted)
{
	struct flow *flow = self->flow;
	struct task *receiver = task_start(variant->kind, receive_all, flow);

	send_up_to(flow->c, SENT);
	EXPECT_EQ(0, err(chan_close(flow->c)));
	EXPECT_EQ(0, task_join(receiver));
	EXPECT_EQ(SENT, flow->received + stat_of(flow->c).dropped);
	EXPECT_LE(1, flow->received);
	if (variant->policy != CHAN_DROP_NEWEST)
		EXPECT_EQ(SENT, flow->last);
}

/* Who waits for an element gets it: nothing is discarded for want of a buffer. */
TEST_F(policies, whoever_waits_gets_it)
{
	struct flow *flow = self->flow;
	struct task *receiver = task_start(variant->kind, receive_all, flow);

	for (int i = 1; i <= 10; i++) {
		wait_blocked(flow->c, 0, 1);
		EXPECT_EQ(0, err(chan_send(flow->c, &i)));
	}
	EXPECT_EQ(0, err(chan_close(flow->c)));
	EXPECT_EQ(0, task_join(receiver));
	EXPECT_EQ(10, flow->received);
	EXPECT_EQ(0, stat_of(flow->c).dropped);
}

TEST_HARNESS_MAIN
