// SPDX-License-Identifier: GPL-2.0-only
/* Rights only shrink, whichever way a handle goes. */
#include <kselftest_harness.h>
#include "kchan_util.h"

FIXTURE(rights) {
	int c;		/* capacity 2, one message in it */
	int handle;	/* with just the variant's rights */
};

FIXTURE_VARIANT(rights) {
	__u32 rights;
};

FIXTURE_VARIANT_ADD(rights, send) { KCHAN_RIGHT_SEND };
FIXTURE_VARIANT_ADD(rights, recv) { KCHAN_RIGHT_RECV };
FIXTURE_VARIANT_ADD(rights, both) { BOTH_RIGHTS };

FIXTURE_SETUP(rights)
{
	self->c = make_chan(8, 2);
	self->handle = restrict_to(self->c, variant->rights);
	ASSERT_EQ(0, send64(self->c, 1));
}

FIXTURE_TEARDOWN(rights)
{
	close(self->handle);
	close(self->c);
}

/* Does @fd do what @rights allow, and nothing else?  0, or the line that failed. */
static int obeys(int fd, __u32 rights)
{
	bool send = rights & KCHAN_RIGHT_SEND, recv = rights & KCHAN_RIGHT_RECV;
	int mode = fcntl(fd, F_GETFL) & O_ACCMODE;
	struct kchan_stat before = chan_stat(fd);
	__u64 v;

	CHECK(before.rights == rights);
	CHECK(mode == (send && recv ? O_RDWR : send ? O_WRONLY : O_RDONLY));
	if (send) {
		CHECK(try_send64(fd, 1) == 0);
	} else {
		CHECK(try_send64(fd, 1) == -EBADF);
		CHECK(write(fd, &v, sizeof(v)) == -1 && errno == EBADF);
		CHECK(chan_close(fd) == -EBADF);
		CHECK(same_stat(before, fd));
	}
	before = chan_stat(fd);
	if (recv) {
		CHECK(try_recv64(fd, &v) == 1 && v == 1);
	} else {
		CHECK(try_recv64(fd, &v) == -EBADF && v == POISON);
		CHECK(read(fd, &v, sizeof(v)) == -1 && errno == EBADF);
		CHECK(v == POISON);
		CHECK(same_stat(before, fd));
	}
	return 0;
}

TEST_F(rights, are_enforced)
{
	EXPECT_EQ(0, obeys(self->handle, variant->rights));
}

/* The whole matrix: from each set of rights to each. */
TEST_F(rights, restrict_never_widens)
{
	for (__u32 wanted = 1; wanted <= BOTH_RIGHTS; wanted++) {
		struct kchan_stat before = chan_stat(self->handle);
		int fd = try_restrict(self->handle, wanted, 0);

		if (wanted & ~variant->rights) {
			EXPECT_EQ(-EBADF, fd);
			EXPECT_EQ(true, same_stat(before, self->handle));
			continue;
		}
		ASSERT_LE(0, fd);
		EXPECT_EQ(before.id, chan_stat(fd).id);
		EXPECT_EQ(wanted, chan_stat(fd).rights);
		EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD) & FD_CLOEXEC);
		close(fd);
	}
}

TEST_F(rights, restrict_can_set_o_nonblock)
{
	int plain = try_restrict(self->handle, variant->rights, 0);
	int nonblock = try_restrict(self->handle, variant->rights, KCHAN_NONBLOCK);

	EXPECT_EQ(0, fcntl(plain, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(O_NONBLOCK, fcntl(nonblock, F_GETFL) & O_NONBLOCK);
	/* The flag is the new file's own. */
	EXPECT_EQ(0, fcntl(self->handle, F_GETFL) & O_NONBLOCK);
	close(plain);
	close(nonblock);
}

TEST_F(rights, copies_have_the_same)
{
	int copy = dup(self->handle);

	EXPECT_EQ(0, obeys(copy, variant->rights));
	close(copy);
}

/* F_SETFL can't change the access mode. */
TEST_F(rights, fcntl_never_widens)
{
	ASSERT_EQ(0, fcntl(self->handle, F_SETFL, O_RDWR));
	EXPECT_EQ(0, obeys(self->handle, variant->rights));
}

/* /proc/self/fd/N of a file on disk opens anew, with any mode; not so here. */
TEST_F(rights, reopening_never_widens)
{
	const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->handle);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		EXPECT_EQ(-1, open(path, modes[i] | O_CLOEXEC));
	}
	EXPECT_EQ(0, obeys(self->handle, variant->rights));
}

struct check {
	int fd;
	__u32 rights;
};

static int child_obeys(void *arg)
{
	struct check *c = arg;

	return obeys(c->fd, c->rights);
}

TEST_F(rights, hold_in_another_process)
{
	struct check check = { self->handle, variant->rights };

	EXPECT_EQ(0, task_join(task_start(PROCESS, child_obeys, &check)));
}

TEST_F(rights, pass_through_a_socket_unchanged)
{
	int sockets[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pass_fd(sockets[0], self->handle);
	fd = take_fd(sockets[1]);
	EXPECT_EQ(chan_stat(self->handle).id, chan_stat(fd).id);
	EXPECT_EQ(0, obeys(fd, variant->rights));
}

static int taken_from_socket_obeys(void *arg)
{
	struct check *c = arg;

	return obeys(take_fd(c->fd), c->rights);
}

/* To a process that never had the channel. */
TEST_F(rights, pass_to_another_process)
{
	struct check check = { .rights = variant->rights };
	int sockets[2], c, handle;
	struct task *t;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	check.fd = sockets[1];
	t = task_start(PROCESS, taken_from_socket_obeys, &check);
	c = make_chan(8, 2);
	ASSERT_EQ(0, send64(c, 1));
	handle = restrict_to(c, variant->rights);
	pass_fd(sockets[0], handle);
	EXPECT_EQ(0, task_join(t));
}

/* A process that has nothing but one direction talks to one with the other. */
static int produce(void *arg)
{
	int fd = *(int *)arg;

	for (int i = 0; i < 100; i++)
		CHECK(send64(fd, i) == 0);
	return chan_close(fd);
}

TEST(one_direction_each)
{
	int c = make_chan(8, 0);
	int sender = restrict_to(c, KCHAN_RIGHT_SEND);
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	struct task *t;
	__u64 v;

	close(c);
	t = task_start(PROCESS, produce, &sender);
	close(sender);
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(1, recv64(receiver, &v));
		ASSERT_EQ(i, v);
	}
	EXPECT_EQ(0, recv64(receiver, &v));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(KCHAN_STATE_CLOSED | KCHAN_STATE_NO_SENDERS, chan_stat(receiver).state);
}

TEST_HARNESS_MAIN
