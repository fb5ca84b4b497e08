// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestPseudoRandomSend: a select that can send either of two values on one
 * channel sends some of both, whoever was there first.  A fair coin falls on one
 * side at most 10 times in 100 with a probability of 3e-17.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum { N = 100, LEAST = 11 };

TASK_FIXTURE(pseudo_random_send);

static int send_zero_or_one(int c)
{
	static const __u64 zero = 0, one = 1;

	return select_of(on_send64(c, &zero), on_send64(c, &one)).outcome;
}

static void expect_both(struct __test_metadata *_metadata, int ones)
{
	TH_LOG("%d ones in %d", ones, N);
	EXPECT_LE(LEAST, ones);
	EXPECT_LE(LEAST, N - ones);
}

TEST(into_a_buffer)
{
	int c = make_chan(8, N), ones = 0;
	__u64 v;

	for (int i = 0; i < N; i++) {
		ASSERT_EQ(0, send_zero_or_one(c));
		ASSERT_EQ(1, recv64(c, &v));
		ones += v;
	}
	expect_both(_metadata, ones);
}

struct receiver {
	int c;
	int ones;
};

static int receive_all(void *arg)
{
	struct receiver *r = arg;
	__u64 v;

	for (int i = 0; i < N; i++) {
		CHECK(recv64(r->c, &v) == 1);
		r->ones += v;
	}
	return 0;
}

TEST_F(pseudo_random_send, to_a_waiting_receiver)
{
	struct receiver *r = shared_alloc(sizeof(*r));
	struct task *t;

	r->c = make_chan(8, 0);
	t = task_start(variant->kind, receive_all, r);
	for (int i = 0; i < N; i++) {
		wait_waiting(r->c, 0, 1);
		ASSERT_EQ(0, send_zero_or_one(r->c));
	}
	EXPECT_EQ(0, task_join(t));
	expect_both(_metadata, r->ones);
}

static int send_all(void *arg)
{
	for (int i = 0; i < N; i++)
		CHECK(send_zero_or_one(*(int *)arg) == 0);
	return 0;
}

/* Parked, it is not the first case either that a receiver meets each time. */
TEST_F(pseudo_random_send, from_a_waiting_select)
{
	int c = make_chan(8, 0), ones = 0;
	struct task *t = task_start(variant->kind, send_all, &c);
	__u64 v;

	for (int i = 0; i < N; i++) {
		wait_waiting(c, 2, 0);
		ASSERT_EQ(1, recv64(c, &v));
		ones += v;
	}
	EXPECT_EQ(0, task_join(t));
	expect_both(_metadata, ones);
}

TEST_HARNESS_MAIN
