// SPDX-License-Identifier: GPL-2.0-only
/*
 * Typed channels.  That the compiler refuses a value of another type is checked
 * when this is built, by build-checks.
 */
#include "kselftest_harness.h"
#include "chan_util.h"

struct point {
	int x, y;
	char name[3];
};

CHAN_TYPE(points, struct point);
CHAN_TYPE(words, char *);
CHAN_TYPE(bytes, unsigned char);

TEST(elements_have_the_size_of_the_type)
{
	points p = points_make(1);
	words w = words_make(1);
	bytes b = bytes_make(1);

	EXPECT_EQ(-EFAULT, err_handle(points_make_with(NULL).chan));

	EXPECT_EQ(sizeof(struct point), chan_elem_size(p.chan));
	EXPECT_EQ(sizeof(char *), chan_elem_size(w.chan));
	EXPECT_EQ(1, chan_elem_size(b.chan));
	points_drop(p);
	words_drop(w);
	bytes_drop(b);
}

TEST(every_call)
{
	points c = points_make(1);
	struct point in = { 1, 2, "ab" }, out;
	int64_t soon = chan_after(CHAN_MILLISECOND);

	ASSERT_NE(NULL, c.chan);
	EXPECT_EQ(0, err(points_send(c, &in)));
	EXPECT_EQ(-EAGAIN, err(points_try_send(c, &in)));
	EXPECT_EQ(-ETIMEDOUT, err(points_send_until(c, &in, soon)));
	EXPECT_EQ(-ETIMEDOUT, err(points_send_clock(c, &in, CLOCK_REALTIME, 1)));
	memset(&out, 0xa5, sizeof(out));
	EXPECT_EQ(1, err(points_recv(c, &out)));
	EXPECT_EQ(0, memcmp(&in, &out, sizeof(in)));
	EXPECT_EQ(-EAGAIN, err(points_try_recv(c, &out)));
	EXPECT_EQ(-ETIMEDOUT, err(points_recv_until(c, &out, soon)));
	EXPECT_EQ(-ETIMEDOUT, err(points_recv_clock(c, &out, CLOCK_REALTIME, 1)));
	EXPECT_EQ(0, err(points_send(c, &in)));
	EXPECT_EQ(0, err(points_close(c)));
	EXPECT_EQ(-EALREADY, err(points_close(c)));
	memset(&out, 0xa5, sizeof(out));
	EXPECT_EQ(1, points_next(c, &out));
	EXPECT_EQ(0, memcmp(&in, &out, sizeof(in)));
	errno = EDOM;
	EXPECT_EQ(0, points_next(c, &out));
	EXPECT_EQ(0, errno);
	EXPECT_EQ(0, out.x);
	points_drop(c);
}

TEST(bounds_and_cases)
{
	points c = points_make(1);
	struct point in = { 3, 4, "cd" }, out;
	struct chan_bounds past = { .deadline = 1 };
	struct chan_case cases[2];

	EXPECT_EQ(0, err(points_send_with(c, &in, NULL)));
	EXPECT_EQ(-ETIMEDOUT, err(points_send_with(c, &in, &past)));
	EXPECT_EQ(1, err(points_recv_with(c, &out, &past)));
	EXPECT_EQ(-ETIMEDOUT, err(points_recv_with(c, &out, &past)));
	cases[0] = points_on_recv(c, &out);
	cases[1] = points_on_send(c, &in);
	memset(&out, 0xa5, sizeof(out));
	EXPECT_EQ(1, err(chan_select(cases, 2)));
	EXPECT_EQ(0, err(chan_select(cases, 2)));
	EXPECT_EQ(0, memcmp(&in, &out, sizeof(in)));
	points_drop(c);
}

TEST(many_at_once)
{
	points c = points_make_policy(2, CHAN_DROP_NEWEST), full = points_make(2);
	struct point in[3] = { { 1, 2, "a" }, { 3, 4, "b" }, { 5, 6, "c" } }, out[3];
	struct chan_bounds past = { .deadline = 1 };

	EXPECT_EQ(3, err(points_send_many(c, in, 3)));
	EXPECT_EQ(1, stat_of(c.chan).dropped);
	EXPECT_EQ(2, err(points_recv_many(c, out, 1, 3)));
	EXPECT_EQ(0, memcmp(in, out, 2 * sizeof(*in)));
	EXPECT_EQ(2, err(points_try_send_many(full, in, 3)));
	EXPECT_EQ(-ETIMEDOUT, err(points_send_many_until(full, in, 3, 1)));
	EXPECT_EQ(-ETIMEDOUT, err(points_send_many_with(full, in, 3, &past)));
	EXPECT_EQ(1, err(points_try_recv_many(full, out, 1)));
	EXPECT_EQ(1, err(points_recv_many_until(full, out, 1, 3, 1)));
	EXPECT_EQ(0, memcmp(&in[1], out, sizeof(*in)));
	EXPECT_EQ(-ETIMEDOUT, err(points_recv_many_with(full, out, 1, 3, &past)));
	points_drop(c);
	points_drop(full);
}

TEST(restricted)
{
	points c = points_make(1), out = points_restrict(c, CHAN_SEND);
	struct point p = { 0 };

	ASSERT_NE(NULL, out.chan);
	EXPECT_EQ(0, err(points_send(out, &p)));
	EXPECT_EQ(-EBADF, err(points_recv(out, &p)));
	errno = 0;
	EXPECT_EQ(NULL, points_restrict(out, CHAN_RECV).chan);
	EXPECT_EQ(EBADF, errno);
	points_drop(out);
	points_drop(c);
}

TEST(from_fd_of_another_size)
{
	points p = points_make(1);
	int fd = chan_into_fd(p.chan);
	bytes b;

	errno = 0;
	b = bytes_from_fd(fd);
	EXPECT_EQ(NULL, b.chan);
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_TRUE(is_open(fd));
	p = points_from_fd(fd);
	ASSERT_NE(NULL, p.chan);
	EXPECT_EQ(fd, chan_fd(p.chan));
	points_drop(p);
	EXPECT_FALSE(is_open(fd));
}

TEST(failures_are_null_handles)
{
	bytes b;

	errno = 0;
	b = bytes_make(CHAN_CAP_MAX + 1);
	EXPECT_EQ(NULL, b.chan);
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-EBADF, err(bytes_send(b, &(unsigned char){ 1 })));
	EXPECT_EQ(-EBADF, err(bytes_close(b)));
	bytes_drop(b);
}

TEST_HARNESS_MAIN
