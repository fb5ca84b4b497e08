// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receivers on one channel each see a sender's values rise, even while another
 * thread forks: fork makes the pages of a parked receiver's buffer read-only,
 * and the message in its hand must not fall behind the next one for that.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { RECEIVERS = 3, VALUES = FEWER(6000) };

struct run {
	int c;
	int over;
	int received;
};

static int receive_rising(void *arg)
{
	struct run *run = arg;
	__u64 v, last = 0;

	while (recv64(run->c, &v) == 1) {
		CHECK(v > last);
		last = v;
		count_up(&run->received);
	}
	return 0;
}

static int fork_all_the_time(void *arg)
{
	struct run *run = arg;
	pid_t pid;

	while (!load(&run->over)) {
		pid = fork();
		CHECK(pid >= 0);
		if (!pid)
			_exit(0);
		CHECK(waitpid(pid, NULL, 0) == pid);
	}
	return 0;
}

FIXTURE(fork_order) {
	int c;
};

FIXTURE_VARIANT(fork_order) {
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(fork_order, unbuffered) { 0 };
FIXTURE_VARIANT_ADD(fork_order, buffered) { 4 };

FIXTURE_SETUP(fork_order)
{
	self->c = make_chan(8, variant->capacity);
}

FIXTURE_TEARDOWN(fork_order)
{
	close(self->c);
}

TEST_F(fork_order, receivers_see_values_rise)
{
	struct run run = { .c = self->c };
	struct task *receivers[RECEIVERS], *forker;
	__s64 end = in_ms(4000);
	int sent = 0;

	forker = task_start(THREAD, fork_all_the_time, &run);
	for (int i = 0; i < RECEIVERS; i++)
		receivers[i] = task_start(THREAD, receive_rising, &run);
	/* Whoever waits is parked, which is where the fork has to find it. */
	while (sent < VALUES && now() < end) {
		if (sent % RECEIVERS == 0)
			wait_waiting(self->c, 0, RECEIVERS);
		ASSERT_EQ(0, send64(self->c, ++sent));
	}
	ASSERT_EQ(0, chan_close(self->c));
	for (int i = 0; i < RECEIVERS; i++)
		EXPECT_EQ(0, task_join(receivers[i]));
	store(&run.over, 1);
	EXPECT_EQ(0, task_join(forker));
	EXPECT_EQ(sent, run.received);
}

TEST_HARNESS_MAIN
