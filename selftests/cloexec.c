// SPDX-License-Identifier: GPL-2.0-only
/* Handles do not survive an exec, unless somebody asks for it. */
#include <kselftest_harness.h>
#include "kchan_util.h"

TEST(from_birth)
{
	int dev = open_device();
	int c = try_make_chan(dev, 8, 1, 0);
	int nonblock = try_make_chan(dev, 8, 1, KCHAN_NONBLOCK);

	EXPECT_EQ(FD_CLOEXEC, fcntl(c, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(nonblock, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(restrict_to(c, KCHAN_RIGHT_SEND), F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(restrict_to(c, KCHAN_RIGHT_RECV), F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(restrict_to(c, BOTH_RIGHTS), F_GETFD));
}

/* A shell tells, by its status, whether it has that fd. */
static int shell_sees(void *arg)
{
	char command[64];

	snprintf(command, sizeof(command), "[ -e /proc/self/fd/%d ]", *(int *)arg);
	execlp("sh", "sh", "-c", command, NULL);
	die("no shell");
}

static int status_of(int fd)
{
	int status;
	pid_t pid = fork();

	must(pid >= 0);
	if (!pid)
		_exit(shell_sees(&fd));
	must(waitpid(pid, &status, 0) == pid);
	must(WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(exec_closes)
{
	int c = make_chan(8, 1);

	EXPECT_EQ(1, status_of(c));
}

TEST(exec_keeps_on_request)
{
	int c = make_chan(8, 1);

	ASSERT_EQ(0, fcntl(c, F_SETFD, 0));
	EXPECT_EQ(0, status_of(c));
}

TEST_HARNESS_MAIN
