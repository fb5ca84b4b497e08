// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's select6: a select that stood last in a channel's queue and was then
 * decided elsewhere leaves a queue in which others can go on waiting.
 */
#include <kselftest_harness.h>
#include "select_util.h"

TASK_FIXTURE(select6);

TEST_F(select6, queue_of_the_other_case_is_whole)
{
	struct one_value *ones = shared_alloc(2 * sizeof(*ones));
	struct one_select *s = new_select();
	int c = make_chan(8, 0), d = make_chan(8, 0);
	struct task *receivers[2], *selecting;

	ones[0].fd = c;
	ones[1].fd = c;
	receivers[0] = task_start(variant->kind, recv_one, &ones[0]);
	wait_waiting(c, 0, 1);
	with_recv(s, c);
	with_recv(s, d);
	selecting = start_select(variant->kind, s);
	wait_waiting(c, 0, 2);
	wait_waiting(d, 0, 1);

	ASSERT_EQ(0, send64(d, 5));
	EXPECT_EQ(0, task_join(selecting));
	EXPECT_CHOSE(1, 1, s->chosen);
	EXPECT_EQ(5, s->values[1]);

	receivers[1] = task_start(variant->kind, recv_one, &ones[1]);
	wait_waiting(c, 0, 2);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, send64(c, 10 + i));
		EXPECT_EQ(0, task_join(receivers[i]));
		EXPECT_EQ(1, ones[i].ret);
		EXPECT_EQ(10 + i, ones[i].value);
	}
	EXPECT_EQ(true, waiting(c, 0, 0));
}

/* Wherever in the queue it stood, and whatever took it out. */
TEST_F(select6, leaves_from_anywhere)
{
	enum { N = 5 };
	int c = make_chan(8, 0);

	catch_signal(SIGUSR1, 0);
	for (int leaver = 0; leaver < N; leaver++) {
		struct one_select *s = new_select();
		struct one_value *ones = shared_alloc(N * sizeof(*ones));
		struct task *tasks[N];

		with_recv(s, c);
		with_recv(s, NO_CHAN);
		for (int i = 0; i < N; i++) {
			ones[i].fd = c;
			if (i == leaver)
				tasks[i] = start_select(variant->kind, s);
			else
				tasks[i] = task_start(variant->kind, recv_one, &ones[i]);
			wait_waiting(c, 0, i + 1);
		}
		task_signal(tasks[leaver], SIGUSR1);
		EXPECT_EQ(0, task_join(tasks[leaver]));
		EXPECT_FAILED(EINTR, s->chosen);
		EXPECT_EQ(true, waiting(c, 0, N - 1));
		for (int i = 0; i < N; i++) {
			if (i == leaver)
				continue;
			ASSERT_EQ(0, try_send64(c, i));
			EXPECT_EQ(0, task_join(tasks[i]));
			EXPECT_EQ(i, ones[i].value);
		}
		EXPECT_EQ(true, waiting(c, 0, 0));
	}
}

TEST_HARNESS_MAIN
