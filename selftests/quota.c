// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits: each user owns just so many channels and just so much memory of
 * theirs; whoever is privileged may go beyond.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { SOMEBODY_ELSE = NOBODY - 1, FEW_CHANNELS = 10, FEW_BYTES = 1 << 20 };

FIXTURE(quota) {
	unsigned long old_channels, old_bytes;
};

FIXTURE_SETUP(quota)
{
	allow_fds(2048);
	self->old_channels = get_parameter("max_user_objects");
	self->old_bytes = get_parameter("max_user_bytes");
	set_parameter("max_user_objects", FEW_CHANNELS);
	set_parameter("max_user_bytes", FEW_BYTES);
}

FIXTURE_TEARDOWN(quota)
{
	set_parameter("max_user_objects", self->old_channels);
	set_parameter("max_user_bytes", self->old_bytes);
}

static int in_child(int (*body)(void *), void *arg)
{
	return task_join(task_start(PROCESS, body, arg));
}

/* Makes channels until that fails; returns how many, and why it ended. */
static int make_until_error(int dev, __u32 elem_size, __u64 capacity, int *fds, int max, int *error)
{
	for (int n = 0; n < max; n++) {
		fds[n] = try_make_chan(dev, elem_size, capacity, 0);
		if (fds[n] < 0) {
			*error = -fds[n];
			return n;
		}
	}
	*error = 0;
	return max;
}

static int count_is_limited(void *arg)
{
	int fds[FEW_CHANNELS + 1], error, dev = open_device();

	(void)arg;
	become_user(NOBODY);
	CHECK(make_until_error(dev, 8, 0, fds, FEW_CHANNELS + 1, &error) == FEW_CHANNELS);
	CHECK(error == EDQUOT);
	CHECK(try_make_chan(dev, 0, 0, 0) == -EDQUOT);
	/* Handles are not channels. */
	CHECK(restrict_to(fds[0], BOTH_RIGHTS) >= 0);
	/* Each that goes makes room for one. */
	close(fds[3]);
	fds[3] = try_make_chan(dev, 8, 0, 0);
	CHECK(fds[3] >= 0);
	CHECK(try_make_chan(dev, 8, 0, 0) == -EDQUOT);
	return 0;
}

TEST_F(quota, channels)
{
	EXPECT_EQ(0, in_child(count_is_limited, NULL));
	/* All are gone with their process: the same again. */
	EXPECT_EQ(0, in_child(count_is_limited, NULL));
}

static int bytes_are_limited(void *arg)
{
	int fds[FEW_CHANNELS], error, n, dev = open_device();

	(void)arg;
	become_user(NOBODY);
	CHECK(try_make_chan(dev, 1024, FEW_BYTES / 1024 + 1, 0) == -EDQUOT);
	n = make_until_error(dev, 1024, FEW_BYTES / 1024 / 4, fds, FEW_CHANNELS, &error);
	CHECK(error == EDQUOT);
	CHECK(n == 3 || n == 4);	/* 4 only if nothing but messages counts */
	/* A small one still fits. */
	CHECK(n == 4 || try_make_chan(dev, 8, 8, 0) >= 0);
	close(fds[0]);
	fds[0] = try_make_chan(dev, 1024, FEW_BYTES / 1024 / 4, 0);
	CHECK(fds[0] >= 0);
	CHECK(try_make_chan(dev, 1024, FEW_BYTES / 1024 / 4, 0) == -EDQUOT);
	return 0;
}

TEST_F(quota, bytes)
{
	EXPECT_EQ(0, in_child(bytes_are_limited, NULL));
	EXPECT_EQ(0, in_child(bytes_are_limited, NULL));
}

/* 0, or the error. */
static int make_one_as(void *arg)
{
	int dev = open_device(), c;

	become_user(*(uid_t *)arg);
	c = try_make_chan(dev, 8, 8, 0);
	return c < 0 ? -c : 0;
}

static int others_are_free(void *arg)
{
	uid_t same = NOBODY, other = SOMEBODY_ELSE, root = 0;
	int fds[FEW_CHANNELS + 1], error, dev = open_device();

	(void)arg;
	/* Only for a time: whoever keeps 0 as saved uid can come back. */
	CHECK(setresuid(NOBODY, NOBODY, 0) == 0);
	CHECK(make_until_error(dev, 8, 0, fds, FEW_CHANNELS + 1, &error) == FEW_CHANNELS);
	CHECK(error == EDQUOT);
	CHECK(setresuid(0, 0, 0) == 0);
	CHECK(in_child(make_one_as, &same) == EDQUOT);
	CHECK(in_child(make_one_as, &other) == 0);
	CHECK(in_child(make_one_as, &root) == 0);
	return 0;
}

TEST_F(quota, other_users_are_not_affected)
{
	EXPECT_EQ(0, in_child(others_are_free, NULL));
}

TEST_F(quota, privileged_users_may_go_beyond)
{
	int fds[FEW_CHANNELS * 3], error, dev = open_device();

	EXPECT_EQ(FEW_CHANNELS * 3, make_until_error(dev, 8, 8, fds, FEW_CHANNELS * 3, &error));
	EXPECT_LE(0, try_make_chan(dev, 1024, FEW_BYTES / 1024 * 2, 0));
}

/* In a user namespace of one's own everybody is root, which counts for nothing. */
static int root_of_a_namespace(void *arg)
{
	int fds[FEW_CHANNELS + 1], error, dev = open_device();

	(void)arg;
	become_user(NOBODY);
	if (unshare(CLONE_NEWUSER))
		return errno == EINVAL || errno == EPERM || errno == ENOSPC ? -1 : __LINE__;
	CHECK(make_until_error(dev, 8, 0, fds, FEW_CHANNELS + 1, &error) == FEW_CHANNELS);
	CHECK(error == EDQUOT);
	return 0;
}

TEST_F(quota, root_of_a_user_namespace_is_not_privileged)
{
	int ret = in_child(root_of_a_namespace, NULL);

	if (ret == -1)
		SKIP(return, "no user namespaces for unprivileged users");
	EXPECT_EQ(0, ret);
}

/* 0 if there is room for just so many more, in a user namespace of its own. */
static int make_in_a_namespace(void *arg)
{
	int fds[FEW_CHANNELS + 1], error, dev = open_device();

	CHECK(!unshare(CLONE_NEWUSER));
	CHECK(make_until_error(dev, 8, 0, fds, FEW_CHANNELS + 1, &error) == *(int *)arg);
	CHECK(error == EDQUOT);
	return 0;
}

static int namespaces_share_a_limit(void *arg)
{
	int fds[FEW_CHANNELS + 1], rest = FEW_CHANNELS - 4, none = 0, dev = open_device(), error;

	(void)arg;
	become_user(NOBODY);
	for (int i = 0; i < 4; i++)
		CHECK(try_make_chan(dev, 8, 0, 0) >= 0);
	CHECK(in_child(make_in_a_namespace, &rest) == 0);
	/* All it made is gone with it; and the other way round. */
	CHECK(make_until_error(dev, 8, 0, fds, FEW_CHANNELS, &error) == rest);
	CHECK(in_child(make_in_a_namespace, &none) == 0);
	return 0;
}

/* A user is one and the same in all of them, whatever number it has there. */
TEST_F(quota, user_namespaces_share_their_users_limit)
{
	int ret = in_child(root_of_a_namespace, NULL);

	if (ret == -1)
		SKIP(return, "no user namespaces for unprivileged users");
	EXPECT_EQ(0, in_child(namespaces_share_a_limit, NULL));
}

static int make_and_give(void *arg)
{
	int dev = open_device();

	become_user(NOBODY);
	for (int i = 0; i < FEW_CHANNELS; i++) {
		int c = try_make_chan(dev, 8, 0, 0);

		CHECK(c >= 0);
		if (i < 3)
			pass_fd(*(int *)arg, c);
	}
	return 0;
}

static int make_the_rest(void *arg)
{
	int fds[FEW_CHANNELS + 1], error, dev = open_device();

	become_user(NOBODY);
	CHECK(make_until_error(dev, 8, 0, fds, FEW_CHANNELS + 1, &error) == *(int *)arg);
	CHECK(error == EDQUOT);
	return 0;
}

/* A channel stays its maker's for as long as it lives, whoever holds it. */
TEST_F(quota, given_away_still_counts)
{
	int sockets[2], fds[3], rest = FEW_CHANNELS - 3, all = FEW_CHANNELS;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	EXPECT_EQ(0, in_child(make_and_give, &sockets[0]));
	EXPECT_EQ(0, in_child(make_the_rest, &rest));
	for (int i = 0; i < 3; i++) {
		fds[i] = take_fd(sockets[1]);
		close(fds[i]);
	}
	EXPECT_EQ(0, in_child(make_the_rest, &all));
}

/* ---- messages that go back, as their receivers could not take them ---- */

/* As many again as the channels' own memory: together more than allowed. */
enum { RETURNED = 9, MESSAGE = KCHAN_MAX_ELEM_SIZE };

struct parked {
	int c;
	void *buf;
	struct task *task;
};

static int recv_parked(void *arg)
{
	struct parked *p = arg;

	return -chan_recv(p->c, p->buf, MESSAGE);
}

/* Leaves a message in each channel that its receiver could not take. */
static int leave_messages_behind(int dev, struct parked *p, void *buf)
{
	for (int i = 0; i < RETURNED; i++) {
		p[i] = (struct parked){ .c = try_make_chan(dev, MESSAGE, 0, 0), .buf = buf };
		CHECK(p[i].c >= 0);
		p[i].task = task_start(THREAD, recv_parked, &p[i]);
		wait_waiting(p[i].c, 0, 1);
	}
	must(!mprotect(buf, MESSAGE, PROT_NONE));
	for (int i = 0; i < RETURNED; i++) {
		void *message = shared_alloc(MESSAGE);

		CHECK(chan_try_send(p[i].c, message, MESSAGE) == 0);
		CHECK(task_join(p[i].task) == EFAULT);
		CHECK(chan_stat(p[i].c).length == 1);
		munmap(message, MESSAGE);
	}
	must(!mprotect(buf, MESSAGE, PROT_READ | PROT_WRITE));
	return 0;
}

static int messages_that_go_back(void *arg)
{
	void *buf = shared_alloc(MESSAGE);
	int dev = open_device(), other, answers;
	struct parked p[RETURNED];
	struct kchan_call call;
	__u64 v;

	(void)arg;
	become_user(NOBODY);
	other = try_make_chan(dev, 8, 0, 0);
	answers = try_make_chan(dev, 8, 1, 0);
	CHECK(other >= 0 && send64(answers, 5) == 0);
	CHECK(leave_messages_behind(dev, p, buf) == 0);

	CHECK(try_make_chan(dev, 8, 0, 0) == -EDQUOT);
	CHECK(recv64_until(other, &v, in_ms(10)) == -EDQUOT);
	CHECK(v == POISON);
	/* An answer that is there needs no wait. */
	call = new_request(&v, sizeof(v), answers, &v, sizeof(v));
	call.sent = 1;
	CHECK(chan_call(other, &call) == 1);
	CHECK(v == 5);
	CHECK(chan_call(other, &call) == -EDQUOT);
	/* What is taken counts no more. */
	for (int i = 0; i < RETURNED; i++)
		CHECK(chan_recv(p[i].c, buf, MESSAGE) == 1);
	CHECK(recv64_until(other, &v, in_ms(10)) == -ETIMEDOUT);
	CHECK(try_make_chan(dev, 8, 0, 0) >= 0);
	return 0;
}

static int messages_that_are_dropped(void *arg)
{
	void *buf = shared_alloc(MESSAGE);
	int dev = open_device();
	struct parked p[RETURNED];

	(void)arg;
	become_user(NOBODY);
	/* Twice: what the first round leaves charged is not there for the second. */
	for (int round = 0; round < 2; round++) {
		CHECK(leave_messages_behind(dev, p, buf) == 0);
		CHECK(try_make_chan(dev, 8, 0, 0) == -EDQUOT);
		for (int i = 0; i < RETURNED; i++)
			close(p[i].c);
		CHECK(try_make_chan(dev, 8, 0, 0) >= 0);
	}
	return 0;
}

TEST_F(quota, messages_that_go_back_count)
{
	set_parameter("max_user_objects", 2 * FEW_CHANNELS);
	EXPECT_EQ(0, in_child(messages_that_go_back, NULL));
	EXPECT_EQ(0, in_child(messages_that_are_dropped, NULL));
}

/* Each of its cases may have to keep a message of its own. */
static int select_is_limited(void *arg)
{
	enum { CASES = 2 * FEW_BYTES / MESSAGE };
	int dev = open_device(), large, small;
	struct kchan_case cases[CASES];
	void *buf = shared_alloc(MESSAGE);

	(void)arg;
	become_user(NOBODY);
	large = try_make_chan(dev, MESSAGE, 0, 0);
	small = try_make_chan(dev, 8, 0, 0);
	for (int i = 0; i < CASES; i++)
		cases[i] = on_recv(large, buf, MESSAGE);
	CHECK(kchan_select(cases, CASES, KCHAN_DEADLINE, in_ms(1)).index == -EDQUOT);
	CHECK(kchan_select(cases, CASES / 4, KCHAN_DEADLINE, in_ms(1)).index == -ETIMEDOUT);
	for (int i = 0; i < CASES; i++)
		cases[i] = on_recv(small, buf, 8);
	CHECK(kchan_select(cases, CASES, KCHAN_DEADLINE, in_ms(1)).index == -ETIMEDOUT);
	return 0;
}

/* A message of no bytes is kept in memory like any other. */
static int signals_are_charged(void *arg)
{
	enum { CASES = KCHAN_MAX_CASES, EACH = 400 };
	int c = try_make_chan(open_device(), 0, 0, 0);
	static struct kchan_case cases[CASES];

	(void)arg;
	set_parameter("max_user_bytes", CASES * EACH);
	become_user(NOBODY);
	for (int i = 0; i < CASES; i++)
		cases[i] = on_recv(c, NULL, 0);
	CHECK(kchan_select(cases, CASES, KCHAN_DEADLINE, in_ms(1)).index == -EDQUOT);
	return 0;
}

TEST_F(quota, selects_of_many)
{
	EXPECT_EQ(0, in_child(select_is_limited, NULL));
	/* Nothing of it stays. */
	EXPECT_EQ(0, in_child(select_is_limited, NULL));
	EXPECT_EQ(0, in_child(signals_are_charged, NULL));
}

TEST_F(quota, limits_are_told)
{
	EXPECT_EQ(FEW_CHANNELS, get_features().max_user_objects);
	EXPECT_EQ(FEW_BYTES, get_features().max_user_bytes);
	set_parameter("max_user_objects", self->old_channels);
	set_parameter("max_user_bytes", self->old_bytes);
	EXPECT_EQ(self->old_channels, get_features().max_user_objects);
	EXPECT_EQ(self->old_bytes, get_features().max_user_bytes);
}

static int defaults_hold(void *arg)
{
	struct kchan_features f = get_features();
	int *fds = calloc(f.max_user_objects + 1, sizeof(*fds));
	int error, dev = open_device();

	(void)arg;
	become_user(NOBODY);
	CHECK(try_make_chan(dev, 1024, f.max_user_bytes / 1024 + 1, 0) == -EDQUOT);
	CHECK(make_until_error(dev, 0, 0, fds, f.max_user_objects + 1, &error) ==
	      (int)f.max_user_objects);
	CHECK(error == EDQUOT);
	return 0;
}

TEST_F(quota, defaults)
{
	set_parameter("max_user_objects", self->old_channels);
	set_parameter("max_user_bytes", self->old_bytes);
	EXPECT_EQ(0, in_child(defaults_hold, NULL));
}

TEST_HARNESS_MAIN
