// SPDX-License-Identifier: GPL-2.0-only
/* Handles travel by fork, exec and sockets, and their death is an event. */
#include "kselftest_harness.h"
#include "chan_util.h"

static bool is_cloexec(int fd)
{
	return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

TEST(born_close_on_exec)
{
	struct chan *c = must_make(1, 0), *r = must_restrict(c, CHAN_RECV);

	EXPECT_TRUE(is_cloexec(chan_fd(c)));
	EXPECT_TRUE(is_cloexec(chan_fd(r)));
	EXPECT_NE(chan_fd(c), chan_fd(r));
	chan_drop(r);
	chan_drop(c);
}

TEST(drop_closes_and_keeps_errno)
{
	struct chan *c = must_make(1, 0);
	int fd = chan_fd(c);

	errno = EDOM;
	chan_drop(c);
	EXPECT_EQ(EDOM, errno);
	EXPECT_FALSE(is_open(fd));
	errno = EDOM;
	chan_drop(NULL);
	EXPECT_EQ(EDOM, errno);
}

static void *drop_while_cancelled(void *c)
{
	pthread_cancel(pthread_self());
	chan_drop(c);
	return NULL;
}

/* A thread that is to end there has dropped what it drops. */
TEST(drop_is_no_cancellation_point)
{
	struct chan *c = must_make(1, 0), *r = must_restrict(c, CHAN_RECV);
	int fd = chan_fd(c);
	pthread_t thread;
	void *ended;
	char value;

	must(!pthread_create(&thread, NULL, drop_while_cancelled, c));
	must(!pthread_join(thread, &ended));
	EXPECT_EQ(NULL, ended);
	EXPECT_FALSE(is_open(fd));
	EXPECT_EQ(0, err(chan_try_recv(r, &value)));
	chan_drop(r);
}

TEST(fd_comes_and_goes)
{
	struct chan *c = must_make(6, 9), *again;
	uint64_t id = stat_of(c).id;
	int fd = chan_fd(c);

	EXPECT_EQ(fd, chan_into_fd(c));
	EXPECT_TRUE(is_open(fd));
	again = chan_from_fd(fd);
	ASSERT_NE(NULL, again);
	EXPECT_EQ(fd, chan_fd(again));
	EXPECT_EQ(6, chan_elem_size(again));
	EXPECT_EQ(9, chan_cap(again));
	EXPECT_EQ(id, stat_of(again).id);
	chan_drop(again);
	EXPECT_FALSE(is_open(fd));
}

TEST(element_size_is_checked)
{
	struct chan *c = must_make(6, 1), *sized;
	int fd = chan_into_fd(c);

	EXPECT_EQ(-EMSGSIZE, err_handle(chan_from_fd_sized(fd, 5)));
	EXPECT_EQ(-EMSGSIZE, err_handle(chan_from_fd_sized(fd, 0)));
	EXPECT_TRUE(is_open(fd));
	sized = chan_from_fd_sized(fd, 6);
	ASSERT_NE(NULL, sized);
	chan_drop(sized);
}

/* A duplicate is the same handle: the channel's end waits for both. */
TEST(restricted_handles_carry_over)
{
	struct chan *c = must_make(sizeof(int), 1), *receiver, *same;
	int value = 3, got = 0x5a5a5a5a;

	receiver = must_restrict(c, CHAN_RECV);
	same = chan_from_fd(dup(chan_fd(receiver)));
	ASSERT_NE(NULL, same);
	EXPECT_EQ(CHAN_RECV, stat_of(same).rights);
	EXPECT_EQ(sizeof(int), chan_elem_size(receiver));
	EXPECT_EQ(1, chan_cap(receiver));
	EXPECT_EQ(0, err(chan_send(c, &value)));
	EXPECT_EQ(1, err(chan_recv(same, &got)));
	EXPECT_EQ(3, got);
	chan_drop(receiver);
	chan_drop(same);
	chan_drop(c);
}

static int send_three(void *arg)
{
	struct chan *c = arg;

	for (int i = 1; i <= 3; i++)
		CHECK(!chan_send(c, &i));
	return 0;
}

static int block_in_send(void *arg)
{
	return err(chan_send(arg, &(int){ 1 }));
}

static int block_in_recv(void *arg)
{
	return err(chan_recv(arg, &(int){ 1 }));
}

TEST(child_inherits_handles)
{
	struct chan *c = must_make(sizeof(int), 0);
	struct task *child = task_start(PROCESS, send_three, c);
	int value;

	for (int i = 1; i <= 3; i++) {
		EXPECT_EQ(1, err(chan_recv(c, &value)));
		EXPECT_EQ(i, value);
	}
	EXPECT_EQ(0, task_join(child));
	EXPECT_EQ(0, stat_of(c).no_senders);
	chan_drop(c);
}

/* Parent keeps the receiving end only; the child dies with the last other one. */
TEST(killed_sender_is_the_end)
{
	struct chan *c = must_make(sizeof(int), 0), *in = must_restrict(c, CHAN_RECV);
	struct task *child = task_start(PROCESS, block_in_send, c);
	int value = 0x5a5a5a5a;

	chan_drop(c);
	wait_blocked(in, 1, 0);
	task_kill(child);
	EXPECT_EQ(KILLED(SIGKILL), task_join(child));
	EXPECT_EQ(0, err(chan_recv(in, &value)));
	EXPECT_EQ(0, value);
	EXPECT_EQ(1, stat_of(in).no_senders);
	chan_drop(in);
}

TEST(killed_receiver_is_epipe)
{
	struct chan *c = must_make(sizeof(int), 1), *out = must_restrict(c, CHAN_SEND);
	struct task *child = task_start(PROCESS, block_in_recv, c);
	int value = 1;

	chan_drop(c);
	wait_blocked(out, 0, 1);
	task_kill(child);
	EXPECT_EQ(KILLED(SIGKILL), task_join(child));
	EXPECT_EQ(-EPIPE, err(chan_send(out, &value)));
	EXPECT_EQ(-EPIPE, err(chan_try_send(out, &value)));
	EXPECT_EQ(1, stat_of(out).no_receivers);
	chan_drop(out);
}

struct socket_end {
	int sock;
};

static int send_through_socket(void *arg)
{
	struct chan *c = chan_from_fd(take_fd(((struct socket_end *)arg)->sock));
	int value;

	CHECK(c);
	CHECK(chan_elem_size(c) == sizeof(int) && chan_cap(c) == 2);
	CHECK(is_cloexec(chan_fd(c)));
	CHECK(err(chan_recv(c, &value)) == -EBADF);
	for (value = 1; value <= 5; value++)
		CHECK(!chan_send(c, &value));
	chan_drop(c);
	return 0;
}

TEST(handles_pass_through_sockets)
{
	int socks[2], value, n = 0;
	struct chan *c, *in, *out;
	struct socket_end end;
	struct task *child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	end.sock = socks[1];
	child = task_start(PROCESS, send_through_socket, &end);

	/* Made after the fork: the child can have it from the socket alone. */
	c = must_make(sizeof(int), 2);
	in = must_restrict(c, CHAN_RECV);
	out = must_restrict(c, CHAN_SEND);
	chan_drop(c);
	pass_fd(socks[0], chan_fd(out));
	chan_drop(out);
	chan_range(in, &value)
		EXPECT_EQ(++n, value);
	EXPECT_EQ(0, errno);
	EXPECT_EQ(5, n);
	EXPECT_EQ(0, task_join(child));
	chan_drop(in);
}

/* ---- exec: this program again, with a handle's number in its environment ---- */

#define EXEC_FD "KCHAN_TEST_FD"

static void __attribute__((constructor)) after_exec(void)
{
	const char *number = getenv(EXEC_FD);
	int value = 77;
	struct chan *c;

	if (!number)
		return;
	c = chan_from_fd(atoi(number));
	_exit(c ? err(chan_send(c, &value)) : errno);
}

static int exec_with(struct chan *c, bool keep)
{
	char number[16];
	int status;
	pid_t pid = fork();

	must(pid >= 0);
	if (!pid) {
		snprintf(number, sizeof(number), "%d", chan_fd(c));
		setenv(EXEC_FD, number, 1);
		if (keep)
			fcntl(chan_fd(c), F_SETFD, 0);
		execl("/proc/self/exe", "handles", NULL);
		_exit(99);
	}
	must(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

TEST(handle_survives_exec_when_asked)
{
	struct chan *c = must_make(sizeof(int), 1);
	int value = 0;

	EXPECT_EQ(0, exec_with(c, true));
	EXPECT_EQ(1, err(chan_try_recv(c, &value)));
	EXPECT_EQ(77, value);
	chan_drop(c);
}

TEST(handle_ends_with_exec_otherwise)
{
	struct chan *c = must_make(sizeof(int), 1);

	EXPECT_EQ(EBADF, exec_with(c, false));
	EXPECT_EQ(0, chan_len(c));
	chan_drop(c);
}

TEST(poll_a_handle)
{
	struct chan *c = must_make(sizeof(int), 1), *in, *out;
	int value = 1;

	in = must_restrict(c, CHAN_RECV);
	out = must_restrict(c, CHAN_SEND);
	chan_drop(c);
	EXPECT_EQ(0, poll_now(chan_fd(in), POLLIN));
	EXPECT_EQ(POLLOUT, poll_now(chan_fd(out), POLLOUT));
	EXPECT_EQ(0, err(chan_send(out, &value)));
	EXPECT_EQ(POLLIN, poll_now(chan_fd(in), POLLIN));
	EXPECT_EQ(0, poll_now(chan_fd(out), POLLOUT));
	chan_drop(out);
	EXPECT_EQ(POLLIN | POLLHUP, poll_now(chan_fd(in), POLLIN));
	chan_drop(in);
}

/* A channel's file speaks read(2) and write(2) with those who have no libchan. */
TEST(read_and_write_move_one_element)
{
	struct chan *c = must_make(sizeof(int), 1);
	int value = 5, got[2] = { 0x5a5a5a5a, 0x5a5a5a5a };

	EXPECT_EQ(sizeof(int), write(chan_fd(c), &value, sizeof(value)));
	EXPECT_EQ(1, err(chan_recv(c, &got[0])));
	EXPECT_EQ(5, got[0]);
	EXPECT_EQ(0, err(chan_send(c, &value)));
	got[0] = 0x5a5a5a5a;
	EXPECT_EQ(sizeof(int), read(chan_fd(c), got, sizeof(got)));
	EXPECT_EQ(5, got[0]);
	EXPECT_EQ(0x5a5a5a5a, got[1]);
	chan_drop(c);
}

TEST_HARNESS_MAIN
