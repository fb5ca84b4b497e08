// SPDX-License-Identifier: GPL-2.0-only
/* The range loop: each element once, until the end; errno tells why it ended. */
#include "kselftest_harness.h"
#include "chan_util.h"

TASK_FIXTURE(range)

struct job {
	struct chan *c, *other;
	int n;
};

static int send_and_let_go(void *arg)
{
	struct job *job = arg;

	chan_drop(job->other);
	for (int i = 0; i < job->n; i++)
		CHECK(!chan_send(job->c, &i));
	chan_drop(job->c);
	return 0;
}

TEST(drains_a_closed_channel)
{
	struct chan *c = must_make(sizeof(int), 5);
	int i, n = 0;

	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, err(chan_send(c, &i)));
	ASSERT_EQ(0, err(chan_close(c)));
	errno = EDOM;
	chan_range(c, &i)
		EXPECT_EQ(n++, i);
	EXPECT_EQ(0, errno);
	EXPECT_EQ(5, n);
	chan_drop(c);
}

TEST(break_leaves_the_rest)
{
	struct chan *c = must_make(sizeof(int), 5);
	int i;

	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, err(chan_send(c, &i)));
	chan_range(c, &i) {
		if (i == 1)
			break;
	}
	EXPECT_EQ(1, i);
	EXPECT_EQ(3, chan_len(c));
	chan_drop(c);
}

TEST(keeps_errno_of_the_body)
{
	struct chan *c = must_make(0, 2);

	ASSERT_EQ(0, err(chan_send(c, NULL)));
	errno = EDOM;
	EXPECT_EQ(1, chan_next(c, NULL));
	EXPECT_EQ(EDOM, errno);
	chan_drop(c);
}

TEST(o_nonblock_shows_as_eagain)
{
	struct chan *c = must_make(sizeof(int), 1);
	int i = 0x5a5a5a5a;

	ASSERT_EQ(0, fcntl(chan_fd(c), F_SETFL, O_NONBLOCK));
	errno = 0;
	EXPECT_EQ(0, chan_next(c, &i));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0x5a5a5a5a, i);
	chan_drop(c);
}

/*
 * The end that nobody announces: the sender lets go of its handle.  For a
 * thread all handles are in one table; a process has copies to let go of first.
 */
TEST_F(range, ends_when_the_last_sender_lets_go)
{
	struct chan *c = must_make(sizeof(int), 2), *in = must_restrict(c, CHAN_RECV);
	struct job *job = shared_alloc(sizeof(*job));
	struct task *task;
	int i, n = 0;

	*job = (struct job){ .c = must_restrict(c, CHAN_SEND), .n = 100 };
	if (variant->kind == PROCESS)
		job->other = c;
	task = task_start(variant->kind, send_and_let_go, job);
	if (variant->kind == PROCESS)
		chan_drop(job->c);
	chan_drop(c);
	chan_range(in, &i)
		EXPECT_EQ(n++, i);
	EXPECT_EQ(0, errno);
	EXPECT_EQ(100, n);
	EXPECT_EQ(1, stat_of(in).no_senders);
	EXPECT_EQ(0, stat_of(in).closed);
	EXPECT_EQ(0, task_join(task));
	chan_drop(in);
}

TEST_HARNESS_MAIN
