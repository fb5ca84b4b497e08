// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files on their way in messages count: one user has as many of them as one process
 * may have open, however they come to leave the channel.
 */
#include <kselftest_harness.h>
#include "cargo_util.h"

/* RLIMIT_NOFILE, and handles in a message. */
enum { LIMIT = 64, NR = 4 };

static int make_roomy(__u32 policy, __u64 capacity)
{
	return make_carrier(.elem_size = 8, .capacity = capacity, .policy = policy,
			    .handles = NR, .depth = 1);
}

static int send_nr(int c, __u32 flags)
{
	static const __s32 handles[NR];		/* standard input, again and again */

	return send_handles(c, 1, handles, NR, flags);
}

static void receive_one(int c)
{
	__s32 got[NR];
	__u64 v;

	must(recv_handles(c, &v, got, NR, KCHAN_NONBLOCK) == 1);
	for (int i = 0; i < NR; i++)
		close(got[i]);
}

/* How many messages go before there are too many files on their way. */
static int send_all(int c)
{
	int n = 0, ret;

	while (!(ret = send_nr(c, KCHAN_NONBLOCK)))
		n++;
	return ret == -ETOOMANYREFS ? n : ret;
}

/* All of its allowance is there, and goes back when the channel goes. */
static int has_all(void)
{
	int c = make_roomy(0, 1000);

	CHECK(send_all(c) == LIMIT / NR);
	close(c);
	return 0;
}

static void become_poor(void)
{
	struct rlimit limit = { LIMIT, LIMIT };

	any_device();
	must(!setrlimit(RLIMIT_NOFILE, &limit));
	become_user(NOBODY);
}

static int in_child(int (*body)(void *))
{
	return task_join(task_start(PROCESS, body, NULL));
}

/* In a process of its own, and another afterwards: nothing stays charged. */
#define TEST_AS_NOBODY(name)						\
	static int name##_in_child(void *arg);				\
	TEST(name)							\
	{								\
		EXPECT_EQ(0, in_child(name##_in_child));		\
		EXPECT_EQ(0, in_child(name##_in_child));		\
	}								\
	static int name##_in_child(void *arg)

TEST_AS_NOBODY(limit_is_met)
{
	int c, other;

	become_poor();
	c = make_roomy(0, 1000);
	CHECK(send_all(c) == LIMIT / NR);
	CHECK(chan_stat(c).length == LIMIT / NR);
	/* One for all channels; who waits counts, and so does not come to wait. */
	other = make_roomy(0, 0);
	CHECK(send_nr(other, 0) == -ETOOMANYREFS);
	CHECK(waiting(other, 0, 0));
	/* What has no handles goes. */
	CHECK(send64(c, 5) == 0);
	return 0;
}

TEST_AS_NOBODY(received)
{
	int c;

	become_poor();
	c = make_roomy(0, 1000);
	CHECK(send_all(c) == LIMIT / NR);
	for (int i = 0; i < 100; i++) {
		receive_one(c);
		CHECK(send_all(c) == 1);
	}
	close(c);
	return has_all();
}

/* Those that are not there are not counted. */
TEST_AS_NOBODY(none_in_some_places)
{
	__s32 one[NR] = { -1, 0, -1, -1 }, got[NR];
	int c, n = 0;
	__u64 v;

	become_poor();
	c = make_roomy(0, 1000);
	while (!send_handles(c, 1, one, NR, 0))
		n++;
	CHECK(n == LIMIT);
	CHECK(recv_handles(c, &v, got, NR, 0) == 1);
	CHECK(send_handles(c, 1, one, NR, 0) == 0);
	CHECK(send_handles(c, 1, one, NR, 0) == -ETOOMANYREFS);
	close(c);
	return has_all();
}

TEST_AS_NOBODY(discarded_by_policy)
{
	become_poor();
	for (__u32 policy = KCHAN_POLICY_DROP_NEWEST; policy <= KCHAN_POLICY_LATEST; policy++) {
		int c = make_roomy(policy, 1);

		for (int i = 0; i < 3 * LIMIT; i++)
			CHECK(send_nr(c, 0) == 0);
		close(c);
		CHECK(has_all() == 0);
	}
	return 0;
}

TEST_AS_NOBODY(discarded_with_the_last_receiver)
{
	int c, sender;

	become_poor();
	c = make_roomy(0, 1000);
	sender = restrict_to(c, KCHAN_RIGHT_SEND);
	CHECK(send_all(c) == LIMIT / NR);
	close(c);
	CHECK(has_all() == 0);
	CHECK(send_nr(sender, 0) == -EPIPE);
	return has_all();
}

static int send_and_wait(void *arg)
{
	return send_nr(*(int *)arg, 0);
}

TEST_AS_NOBODY(sender_killed_while_parked)
{
	int c, rest;
	struct task *t;

	become_poor();
	c = make_roomy(0, 0);
	t = task_start(PROCESS, send_and_wait, &c);
	wait_waiting(c, 1, 0);
	rest = make_roomy(0, 1000);
	CHECK(send_all(rest) == LIMIT / NR - 1);
	task_kill(t);
	CHECK(task_join(t) == KILLED(SIGKILL));
	wait_until(send_nr(rest, 0) == 0);
	CHECK(send_nr(rest, 0) == -ETOOMANYREFS);
	close(rest);
	return has_all();
}

/* A send that fails has sent nothing, and owes nothing. */
TEST_AS_NOBODY(failed_sends)
{
	__s32 bad[NR] = { 0, 0, 0, 1000000 };
	int full, closed, self;

	become_poor();
	full = make_roomy(0, 0);
	closed = make_roomy(0, 1);
	self = make_roomy(0, 1);
	chan_close(closed);
	for (int i = 0; i < LIMIT; i++) {
		__s32 loop[NR] = { 0, 0, self, 0 };

		CHECK(send_nr(full, KCHAN_NONBLOCK) == -EAGAIN);
		CHECK(send_nr(closed, 0) == -EPIPE);
		CHECK(send_handles(self, 1, bad, NR, 0) == -EBADF);
		CHECK(send_handles(self, 1, loop, NR, 0) == -ELOOP);
	}
	return has_all();
}

/* The limit is the sender's at that moment, and no message is lost by a lower one. */
TEST_AS_NOBODY(lower_limit)
{
	struct rlimit low = { 16, LIMIT };
	int c;

	become_poor();
	c = make_roomy(0, 1000);
	CHECK(send_all(c) == LIMIT / NR);
	must(!setrlimit(RLIMIT_NOFILE, &low));
	while (chan_stat(c).length > 16 / NR) {
		CHECK(send_nr(c, 0) == -ETOOMANYREFS);
		receive_one(c);
	}
	CHECK(send_nr(c, 0) == -ETOOMANYREFS);
	receive_one(c);
	CHECK(send_nr(c, 0) == 0);
	return 0;
}

/*
 * The channel's owner has more memory than is allowed now: what is there can still be
 * received, which is the way to have less.  Only waiting is refused.
 */
static int receive_over_quota(void *arg)
{
	int stamped, c;
	__u64 v;

	any_device();
	become_user(NOBODY);
	c = make_roomy(0, 2);
	stamped = make_carrier(.elem_size = 8, .capacity = 2, .flags = KCHAN_STAMPED);
	CHECK(send_nr(c, 0) == 0);
	CHECK(send64(stamped, 7) == 0);
	store((int *)arg, 1);
	wait_until(load((int *)arg) == 2);
	receive_one(c);
	CHECK(recv64(stamped, &v) == 1);
	CHECK(v == 7);
	CHECK(recv64(stamped, &v) == -EDQUOT);
	return 0;
}

FIXTURE(over_quota) {
	unsigned long allowed;
};

FIXTURE_SETUP(over_quota)
{
	self->allowed = get_parameter("max_user_bytes");
}

FIXTURE_TEARDOWN(over_quota)
{
	set_parameter("max_user_bytes", self->allowed);
}

TEST_F(over_quota, receive)
{
	int *step = shared_alloc(sizeof(int));
	struct task *t = task_start(PROCESS, receive_over_quota, step);

	wait_until(load(step) == 1);
	set_parameter("max_user_bytes", 1);
	store(step, 2);
	EXPECT_EQ(0, task_join(t));
}

/* Whoever is privileged is counted only; whoever receives pays nothing. */
TEST(privileged)
{
	struct rlimit limit = { LIMIT, LIMIT };
	int c = make_roomy(0, 1000);

	must(!setrlimit(RLIMIT_NOFILE, &limit));
	for (int i = 0; i < LIMIT; i++) {
		ASSERT_EQ(0, send_nr(c, 0));
	}
	EXPECT_EQ(0, in_child(limit_is_met_in_child));
}

TEST_HARNESS_MAIN
