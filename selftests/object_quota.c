// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects of all kinds count: each user owns just so many of them together, and
 * just so much of the memory that they take.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { FEW_OBJECTS = 30, FEW_BYTES = 1 << 20 };

FIXTURE(object_quota) {
	unsigned long old_objects, old_bytes;
};

FIXTURE_SETUP(object_quota)
{
	self->old_objects = get_parameter("max_user_objects");
	self->old_bytes = get_parameter("max_user_bytes");
	set_parameter("max_user_objects", FEW_OBJECTS);
	set_parameter("max_user_bytes", FEW_BYTES);
}

FIXTURE_TEARDOWN(object_quota)
{
	set_parameter("max_user_objects", self->old_objects);
	set_parameter("max_user_bytes", self->old_bytes);
}

static const struct {
	__u32 kind;
	__u64 limit;
} kinds[] = {
	{ KCHAN_KIND_WAITGROUP, 0 }, { KCHAN_KIND_SEMAPHORE, 1 }, { KCHAN_KIND_MUTEX, 0 },
	{ KCHAN_KIND_RWMUTEX, 0 }, { KCHAN_KIND_ONCE, 0 }, { KCHAN_KIND_COND, 0 },
	{ KCHAN_KIND_TIMER, 0 }, { KCHAN_KIND_CELLS, 1 }, { KCHAN_KIND_CANCEL, 0 },
};

static int in_child(int (*body)(void *), void *arg)
{
	return task_join(task_start(PROCESS, body, arg));
}

static int try_make(int dev, size_t i)
{
	return try_make_object(dev, kinds[i].kind, kinds[i].limit, 0);
}

/* Of one kind only, of each: none is free. */
static int each_kind_counts(void *arg)
{
	int fds[FEW_OBJECTS], dev = open_device();

	(void)arg;
	become_user(NOBODY);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		for (int n = 0; n < FEW_OBJECTS; n++) {
			fds[n] = try_make(dev, i);
			CHECK(fds[n] >= 0);
		}
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
			CHECK(try_make(dev, k) == -EDQUOT);
		CHECK(try_make_chan(dev, 8, 0, 0) == -EDQUOT);
		/* Handles are not objects; and each that goes makes room for one. */
		CHECK(try_restrict(fds[0], KCHAN_RIGHT_RECV, 0) >= 0);
		close(fds[1]);
		fds[1] = try_make(dev, ARRAY_LEN(kinds) - 1 - i);
		CHECK(fds[1] >= 0);
		CHECK(try_make(dev, i) == -EDQUOT);
		CHECK(close_range(dev + 1, UINT_MAX, 0) == 0);
	}
	return 0;
}

TEST_F(object_quota, each_kind_counts)
{
	EXPECT_EQ(0, in_child(each_kind_counts, NULL));
	/* All are gone with their process: the same again. */
	EXPECT_EQ(0, in_child(each_kind_counts, NULL));
}

static int tokens_count(void *arg)
{
	int dev = open_device(), group, tokens = 0, ret;

	(void)arg;
	become_user(NOBODY);
	group = try_make_object(dev, KCHAN_KIND_WAITGROUP, 0, 0);
	CHECK(group >= 0);
	CHECK(kchan_add(group, 1000) == 0);
	while ((ret = kchan_arg_call(group, KCHAN_TOKEN, 1)) >= 0)
		tokens++;
	CHECK(ret == -EDQUOT);
	CHECK(tokens == FEW_OBJECTS - 1);
	/* What failed took no unit. */
	CHECK(kchan_done(group, 1000 - tokens) == 0);
	CHECK(kchan_done(group, 1) == -EINVAL);
	return 0;
}

TEST_F(object_quota, tokens_count)
{
	EXPECT_EQ(0, in_child(tokens_count, NULL));
}

/* Cells take memory that the user pays for. */
static int cells_are_paid_for(void *arg)
{
	const __u64 quarter = FEW_BYTES / sizeof(struct kchan_cell) / 4;
	int dev = open_device(), fds[4], n = 0;

	(void)arg;
	become_user(NOBODY);
	CHECK(try_make_object(dev, KCHAN_KIND_CELLS, KCHAN_MAX_CELLS, 0) == -EDQUOT);
	while (n < 4 && (fds[n] = try_make_object(dev, KCHAN_KIND_CELLS, quarter, 0)) >= 0)
		n++;
	CHECK(n == 4 || fds[n] == -EDQUOT);
	CHECK(n >= 3);
	CHECK(try_make_object(dev, KCHAN_KIND_CELLS, quarter, 0) == -EDQUOT);
	close(fds[0]);
	fds[0] = try_make_object(dev, KCHAN_KIND_CELLS, quarter, 0);
	CHECK(fds[0] >= 0);
	return 0;
}

TEST_F(object_quota, cells_are_paid_for)
{
	EXPECT_EQ(0, in_child(cells_are_paid_for, NULL));
	EXPECT_EQ(0, in_child(cells_are_paid_for, NULL));
}

/* Mapped, they are there, and are paid for, until the mapping goes as well. */
static int mapped_cells_are_paid_for(void *arg)
{
	const __u64 half = FEW_BYTES / sizeof(struct kchan_cell) / 2 + 1;
	int dev = open_device(), fd;
	struct kchan_cell *cells;

	(void)arg;
	become_user(NOBODY);
	fd = try_make_object(dev, KCHAN_KIND_CELLS, half, 0);
	CHECK(fd >= 0);
	cells = map_cells(fd, half);
	close(fd);
	CHECK(try_make_object(dev, KCHAN_KIND_CELLS, half, 0) == -EDQUOT);
	munmap(cells, half * sizeof(*cells));
	CHECK(try_make_object(dev, KCHAN_KIND_CELLS, half, 0) >= 0);
	return 0;
}

TEST_F(object_quota, mapped_cells_are_paid_for)
{
	EXPECT_EQ(0, in_child(mapped_cells_are_paid_for, NULL));
}

/* Channels and others share one limit. */
static int channels_and_others(void *arg)
{
	int dev = open_device(), n;

	(void)arg;
	become_user(NOBODY);
	for (n = 0; n < FEW_OBJECTS; n++) {
		int fd = n % 2 ? try_make_chan(dev, 8, 0, 0) :
				 try_make(dev, n / 2 % ARRAY_LEN(kinds));

		CHECK(fd >= 0);
	}
	CHECK(try_make(dev, 0) == -EDQUOT);
	CHECK(try_make_chan(dev, 8, 0, 0) == -EDQUOT);
	return 0;
}

TEST_F(object_quota, channels_and_others)
{
	EXPECT_EQ(0, in_child(channels_and_others, NULL));
}

TEST_HARNESS_MAIN
