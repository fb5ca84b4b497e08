// SPDX-License-Identifier: GPL-2.0-only
/* /proc/PID/fdinfo shows what a handle is, and how its channel stands. */
#include <kselftest_harness.h>
#include "kchan_util.h"

static const char *mine(int fd, const char *key)
{
	return fdinfo(getpid(), fd, key);
}

TEST(what_it_is)
{
	int c = make_chan(24, 5);
	char id[32];

	snprintf(id, sizeof(id), "%llu", (unsigned long long)chan_stat(c).id);
	EXPECT_STREQ("chan", mine(c, "kchan-kind"));
	EXPECT_STREQ(id, mine(c, "kchan-id"));
	EXPECT_STREQ("24", mine(c, "kchan-elem-size"));
	EXPECT_STREQ("5", mine(c, "kchan-capacity"));
	EXPECT_STREQ("0", mine(c, "kchan-length"));
	EXPECT_STREQ("0", mine(c, "kchan-waiting-senders"));
	EXPECT_STREQ("0", mine(c, "kchan-waiting-receivers"));
	EXPECT_STREQ("open", mine(c, "kchan-state"));
}

TEST(rights)
{
	int c = make_chan(8, 1);

	EXPECT_STREQ("send,recv", mine(c, "kchan-rights"));
	EXPECT_STREQ("send", mine(restrict_to(c, KCHAN_RIGHT_SEND), "kchan-rights"));
	EXPECT_STREQ("recv", mine(restrict_to(c, KCHAN_RIGHT_RECV), "kchan-rights"));
}

TEST(length)
{
	int c = make_chan(8, 3);

	ASSERT_EQ(0, send64(c, 1));
	ASSERT_EQ(0, send64(c, 2));
	EXPECT_STREQ("2", mine(c, "kchan-length"));
}

TEST(cargo)
{
	struct kchan_create_chan arg = {
		.size = sizeof(arg), .elem_size = 8, .capacity = 1, .flags = KCHAN_STAMPED,
		.handles = 3, .depth = 2,
	};
	int c = made(kchan_call(any_device(), KCHAN_CREATE_CHAN, &arg));

	EXPECT_STREQ("3", mine(c, "kchan-handles"));
	EXPECT_STREQ("2", mine(c, "kchan-depth"));
	EXPECT_STREQ("stamped", mine(c, "kchan-state"));
}

TEST(policy)
{
	static const char *const names[] = { "block", "drop-newest", "drop-oldest", "latest" };

	for (__u32 policy = KCHAN_POLICY_BLOCK; policy <= KCHAN_POLICY_LATEST; policy++) {
		int c = make_policy_chan(8, 1, policy);

		EXPECT_STREQ(names[policy], mine(c, "kchan-policy"));
		EXPECT_STREQ("0", mine(c, "kchan-dropped"));
		ASSERT_EQ(0, send64(c, 1));
		EXPECT_EQ(policy ? 0 : -EAGAIN, try_send64(c, 2));
		EXPECT_STREQ(policy ? "1" : "0", mine(c, "kchan-dropped"));
		close(c);
	}
}

TEST(waiters)
{
	struct one_value one = { .fd = make_chan(8, 0) };
	struct task *t = task_start(THREAD, send_one, &one);
	__u64 v;

	wait_waiting(one.fd, 1, 0);
	EXPECT_STREQ("1", mine(one.fd, "kchan-waiting-senders"));
	EXPECT_STREQ("0", mine(one.fd, "kchan-waiting-receivers"));
	ASSERT_EQ(1, recv64(one.fd, &v));
	EXPECT_EQ(0, task_join(t));
	t = task_start(THREAD, recv_one, &one);
	wait_waiting(one.fd, 0, 1);
	EXPECT_STREQ("1", mine(one.fd, "kchan-waiting-receivers"));
	ASSERT_EQ(0, send64(one.fd, 1));
	EXPECT_EQ(0, task_join(t));
}

TEST(state)
{
	int c = make_chan(8, 1);
	int sender = restrict_to(c, KCHAN_RIGHT_SEND);
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	int other = make_chan(8, 1);
	int other_sender = restrict_to(other, KCHAN_RIGHT_SEND);

	ASSERT_EQ(0, chan_close(c));
	EXPECT_STREQ("closed", mine(c, "kchan-state"));
	close(c);
	close(sender);
	EXPECT_STREQ("closed,no-senders", mine(receiver, "kchan-state"));

	close(other);
	EXPECT_STREQ("no-receivers", mine(other_sender, "kchan-state"));
	ASSERT_EQ(0, chan_close(other_sender));
	EXPECT_STREQ("closed,no-receivers", mine(other_sender, "kchan-state"));
}

static int hold(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

/* From outside: what a supervisor sees of its children. */
TEST(of_another_process)
{
	int c = make_chan(8, 3);
	struct task *t = task_start(PROCESS, hold, NULL);

	ASSERT_EQ(0, send64(c, 1));
	EXPECT_STREQ("1", fdinfo(t->pid, c, "kchan-length"));
	task_kill(t);
	task_join(t);
}

TEST(name_of_the_file)
{
	char path[64], name[64] = "";
	int c = make_chan(8, 1);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", c);
	EXPECT_LT(0, readlink(path, name, sizeof(name) - 1));
	EXPECT_STREQ("anon_inode:[kchan]", name);
}

TEST_HARNESS_MAIN
