// SPDX-License-Identifier: GPL-2.0-only
/* Channels come and go by the thousand, and nothing of them stays. */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { CYCLES = 3000 };

static long module_references(void)
{
	FILE *f = fopen("/sys/module/kchan/refcnt", "r");
	long n;

	if (!f)
		return -1;
	must(fscanf(f, "%ld", &n) == 1);
	fclose(f);
	return n;
}

/* Three times as many as a user may own: if they stayed, this would fail. */
static int make_and_drop(void *arg)
{
	int dev = open_device(), sender;
	__u64 v;

	(void)arg;
	become_user(NOBODY);
	for (int i = 0; i < CYCLES; i++) {
		int c = try_make_chan(dev, 8, i % 4, 0);

		CHECK(c >= 0);
		switch (i % 5) {
		case 0:	/* with messages in it */
			CHECK(i % 4 == 0 || try_send64(c, i) == 0);
			break;
		case 1:	/* closed */
			CHECK(chan_close(c) == 0);
			break;
		case 2:	/* another handle lives longer */
			sender = restrict_to(c, KCHAN_RIGHT_SEND);
			close(c);
			c = sender;
			CHECK(send64(c, 1) == -EPIPE);
			break;
		case 3:	/* somebody had waited */
			CHECK(recv64_until(c, &v, 0) == -ETIMEDOUT);
			break;
		}
		close(c);
	}
	return 0;
}

TEST(cycles)
{
	long before = module_references();

	ASSERT_EQ(0, task_join(task_start(PROCESS, make_and_drop, NULL)));
	EXPECT_EQ(before, module_references());
}

/* Dropped all at once, with all their messages, by the death of their owner. */
static int make_many_and_die(void *arg)
{
	int dev = open_device();

	(void)arg;
	allow_fds(1100);
	for (int i = 0; i < 1000; i++) {
		int c = try_make_chan(dev, 100, 2, 0);
		char message[100] = "";

		CHECK(c >= 0);
		CHECK(chan_try_send(c, message, sizeof(message)) == 0);
	}
	raise(SIGKILL);
	return 0;
}

TEST(death_of_the_owner)
{
	long before = module_references();

	ASSERT_EQ(KILLED(SIGKILL), task_join(task_start(PROCESS, make_many_and_die, NULL)));
	EXPECT_EQ(before, module_references());
}

/* A channel in a channel of sockets: in flight, and nobody left to take it. */
TEST(abandoned_in_flight)
{
	long before = module_references();
	int sockets[2], c;

	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
		c = make_chan(8, 1);
		pass_fd(sockets[0], c);
		close(c);
		close(sockets[0]);
		close(sockets[1]);
	}
	/* The last close of what is in flight may run a little later. */
	wait_until(module_references() == before);
}

TEST_HARNESS_MAIN
