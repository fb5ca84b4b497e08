// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program hears where /dev/kchan is missing, forbidden or something
 * else.  Each test has a /dev of its own, in a mount namespace of its own.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kselftest_harness.h"
#include "chan_util.h"

static void private_dev(void)
{
	must(!unshare(CLONE_NEWNS));
	must(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(!mount("none", "/dev", "tmpfs", 0, "mode=755"));
}

static void make_node(mode_t mode, dev_t number)
{
	must(!mknod("/dev/kchan", S_IFCHR | mode, number));
	must(!chmod("/dev/kchan", mode));
}

static dev_t real_number(void)
{
	struct stat st;

	must(!stat("/dev/kchan", &st));
	return st.st_rdev;
}

TEST(missing_device)
{
	private_dev();
	EXPECT_EQ(-ENODEV, err_handle(chan_make(1, 1)));
	EXPECT_EQ(-ENODEV, err_handle(chan_once_make()));
	EXPECT_EQ(-ENODEV, err(chan_try_select(NULL, 0)));
	EXPECT_NE(NULL, strstr(chan_strerror(ENODEV), "load the kernel module"));
}

TEST(missing_dev_directory)
{
	private_dev();
	ASSERT_EQ(0, chroot("/dev"));
	EXPECT_EQ(-ENODEV, err_handle(chan_make(1, 1)));
}

TEST(dev_is_no_directory)
{
	private_dev();
	ASSERT_LE(0, creat("/dev/dev", 0600));
	ASSERT_EQ(0, chroot("/dev"));
	EXPECT_EQ(-ENODEV, err_handle(chan_make(1, 1)));
}

TEST(node_without_driver)
{
	private_dev();
	make_node(0666, makedev(240, 77));
	EXPECT_EQ(-ENODEV, err_handle(chan_make(1, 1)));
}

TEST(no_permission)
{
	dev_t number = real_number();

	private_dev();
	make_node(0600, number);
	EXPECT_EQ(0, err_handle(chan_make(1, 1)));
	become_user(NOBODY);
	EXPECT_EQ(-EACCES, err_handle(chan_make(1, 1)));
	EXPECT_NE(NULL, strstr(chan_strerror(EACCES), "no permission to open /dev/kchan"));
}

TEST(everybody_may_use_the_device)
{
	become_user(NOBODY);
	EXPECT_EQ(0, err_handle(chan_make(1, 1)));
}

/* A device that does not know the call is no kchan, or one too old. */
TEST(device_without_the_call)
{
	private_dev();
	make_node(0666, makedev(1, 3));
	EXPECT_EQ(-EPROTO, err_handle(chan_make(1, 1)));
	EXPECT_EQ(-EPROTO, err_handle(chan_wg_make(0)));
	EXPECT_EQ(-EPROTO, err(chan_try_select(NULL, 0)));
	EXPECT_NE(NULL, strstr(chan_strerror(EPROTO), "older"));
}

/* The device is needed to make a channel, not to use one. */
TEST(channels_outlive_their_device_node)
{
	struct chan *c = must_make(sizeof(int), 1), *other;
	struct chan_case recv;
	int value = 1;

	private_dev();
	other = must_restrict(c, CHAN_RECV);
	EXPECT_EQ(0, err(chan_send(c, &value)));
	EXPECT_EQ(1, err(chan_recv(other, &value)));
	recv = chan_on_recv(other, &value);
	EXPECT_EQ(-EAGAIN, err(chan_try_select(&recv, 1)));
	chan_drop(other);
	chan_drop(c);
}

TEST_HARNESS_MAIN
