// SPDX-License-Identifier: GPL-2.0-only
/* read(2) and write(2): one message a call, as shell tools and others expect. */
#include <kselftest_harness.h>
#include "kchan_util.h"

TASK_FIXTURE(read_write);

TEST(one_message_a_call)
{
	int c = make_chan(8, 4);
	__u64 out[4] = { POISON, POISON, POISON, POISON };

	for (__u64 i = 1; i <= 3; i++) {
		ASSERT_EQ(8, write(c, &i, sizeof(i)));
	}
	/* A larger buffer will do, and gets one message. */
	EXPECT_EQ(8, read(c, out, sizeof(out)));
	EXPECT_EQ(1, out[0]);
	EXPECT_EQ(POISON, out[1]);
	EXPECT_EQ(8, read(c, out, 8));
	EXPECT_EQ(2, out[0]);
	EXPECT_EQ(8, read(c, out, 9));
	EXPECT_EQ(3, out[0]);
	EXPECT_EQ(POISON, out[1]);
}

TEST(mixes_with_the_other_calls)
{
	int c = make_chan(8, 2);
	__u64 v = 5;

	ASSERT_EQ(8, write(c, &v, sizeof(v)));
	EXPECT_EQ(1, recv64(c, &v));
	EXPECT_EQ(5, v);
	ASSERT_EQ(0, send64(c, 6));
	EXPECT_EQ(8, read(c, &v, sizeof(v)));
	EXPECT_EQ(6, v);
}

TEST(end_reads_as_zero)
{
	int c = make_chan(8, 2);
	__u64 v = 7;

	ASSERT_EQ(8, write(c, &v, sizeof(v)));
	ASSERT_EQ(0, chan_close(c));
	EXPECT_EQ(8, read(c, &v, sizeof(v)));
	EXPECT_EQ(7, v);
	EXPECT_EQ(0, read(c, &v, sizeof(v)));
	EXPECT_EQ(0, read(c, &v, sizeof(v)));
	EXPECT_EQ(-1, write(c, &v, sizeof(v)));
	EXPECT_EQ(EPIPE, errno);
}

TEST(o_nonblock)
{
	int dev = open_device();
	int c = try_make_chan(dev, 8, 1, KCHAN_NONBLOCK);
	__u64 v = POISON;

	EXPECT_EQ(-1, read(c, &v, sizeof(v)));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(POISON, v);
	EXPECT_EQ(8, write(c, &v, sizeof(v)));
	EXPECT_EQ(-1, write(c, &v, sizeof(v)));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(1, chan_stat(c).length);
}

/* 0 bytes read would look like the end. */
TEST(not_for_pure_signals)
{
	int c = make_chan(0, 2);
	struct kchan_stat before;
	char byte = 1;

	ASSERT_EQ(0, chan_send(c, NULL, 0));
	before = chan_stat(c);
	for (int len = 0; len <= 1; len++) {
		EXPECT_EQ(-1, write(c, &byte, len));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(-1, read(c, &byte, len));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(1, byte);
	EXPECT_EQ(true, same_stat(before, c));
}

struct call {
	int fd;
	__u64 value;
	ssize_t ret;
	int error;
};

static int read_one(void *arg)
{
	struct call *c = arg;

	c->ret = read(c->fd, &c->value, sizeof(c->value));
	c->error = errno;
	return 0;
}

static int write_one(void *arg)
{
	struct call *c = arg;

	c->ret = write(c->fd, &c->value, sizeof(c->value));
	c->error = errno;
	return 0;
}

TEST_F(read_write, read_blocks)
{
	struct call *call = shared_alloc(sizeof(*call));
	int c = make_chan(8, 0);
	struct task *t;
	__u64 v = 3;

	call->fd = c;
	t = task_start(variant->kind, read_one, call);
	wait_waiting(c, 0, 1);
	EXPECT_EQ(8, write(c, &v, sizeof(v)));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(8, call->ret);
	EXPECT_EQ(3, call->value);
}

TEST_F(read_write, write_blocks)
{
	struct call *call = shared_alloc(sizeof(*call));
	int c = make_chan(8, 0);
	struct task *t;
	__u64 v;

	*call = (struct call){ .fd = c, .value = 4 };
	t = task_start(variant->kind, write_one, call);
	wait_waiting(c, 1, 0);
	EXPECT_EQ(8, read(c, &v, sizeof(v)));
	EXPECT_EQ(4, v);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(8, call->ret);
}

TEST_F(read_write, signals)
{
	struct call *call = shared_alloc(sizeof(*call));
	int c = make_chan(8, 0);
	struct task *t;

	catch_signal(SIGUSR1, 0);
	*call = (struct call){ .fd = c, .value = POISON };
	t = task_start(variant->kind, read_one, call);
	wait_waiting(c, 0, 1);
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-1, call->ret);
	EXPECT_EQ(EINTR, call->error);
	EXPECT_EQ(POISON, call->value);

	t = task_start(variant->kind, write_one, call);
	wait_waiting(c, 1, 0);
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-1, call->ret);
	EXPECT_EQ(EINTR, call->error);
	EXPECT_EQ(true, waiting(c, 0, 0));
}

/* Threads that share a handle do not queue up behind each other. */
TEST(blocked_reader_holds_up_no_writer)
{
	struct call call = { .fd = make_chan(8, 0) };
	struct task *t = task_start(THREAD, read_one, &call);
	__u64 v = 8;

	wait_waiting(call.fd, 0, 1);
	EXPECT_EQ(8, write(call.fd, &v, sizeof(v)));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(8, call.value);
}

/* ---- programs that know nothing of channels ---- */

/* Runs a command with these as its standard input and output. */
static pid_t run(char *const argv[], int in, int out)
{
	pid_t pid = fork();

	must(pid >= 0);
	if (pid)
		return pid;
	must(dup2(in, 0) == 0);
	must(dup2(out, 1) == 1);
	execvp(argv[0], argv);
	die("cannot run %s", argv[0]);
}

static void expect_exit(struct __test_metadata *_metadata, pid_t pid, int expected)
{
	int status;

	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(true, WIFEXITED(status));
	EXPECT_EQ(expected, WEXITSTATUS(status));
}

TEST(cat_reads_to_the_end)
{
	int c = make_chan(8, 4), pipes[2];
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	char text[64] = "";
	pid_t pid;

	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	pid = run((char *[]){ "cat", NULL }, receiver, pipes[1]);
	close(pipes[1]);
	EXPECT_EQ(8, write(c, "channels", 8));
	EXPECT_EQ(8, write(c, " read by", 8));
	EXPECT_EQ(8, write(c, " a tool\n", 8));
	EXPECT_EQ(0, chan_close(c));
	expect_exit(_metadata, pid, 0);
	EXPECT_EQ(24, read(pipes[0], text, sizeof(text)));
	EXPECT_STREQ("channels read by a tool\n", text);
}

TEST(dd_writes_messages)
{
	int c = make_chan(8, 4), pipes[2];
	int sender = restrict_to(c, KCHAN_RIGHT_SEND);
	char text[9] = "";
	pid_t pid;

	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	EXPECT_EQ(24, write(pipes[1], "one     two     three   ", 24));
	close(pipes[1]);
	pid = run((char *[]){ "dd", "bs=8", "status=none", NULL }, pipes[0], sender);
	expect_exit(_metadata, pid, 0);
	EXPECT_EQ(3, chan_stat(c).length);
	EXPECT_EQ(8, read(c, text, 8));
	EXPECT_STREQ("one     ", text);
	EXPECT_EQ(8, read(c, text, 8));
	EXPECT_EQ(8, read(c, text, 8));
	EXPECT_STREQ("three   ", text);
}

/* From shell to shell, through nothing but the channel. */
TEST(pipeline)
{
	int c = make_chan(1, 16), pipes[2];
	int sender = restrict_to(c, KCHAN_RIGHT_SEND);
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	char text[64] = "";
	pid_t from, to;

	close(c);
	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	from = run((char *[]){ "sh", "-c", "printf 'byte by byte' | dd bs=1 status=none", NULL },
		   receiver, sender);
	close(sender);
	to = run((char *[]){ "cat", NULL }, receiver, pipes[1]);
	close(receiver);
	close(pipes[1]);
	expect_exit(_metadata, from, 0);
	expect_exit(_metadata, to, 0);
	EXPECT_EQ(12, read(pipes[0], text, sizeof(text)));
	EXPECT_STREQ("byte by byte", text);
}

TEST_HARNESS_MAIN
