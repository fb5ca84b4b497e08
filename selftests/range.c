// SPDX-License-Identifier: GPL-2.0-only
/* Go's range: receive until the channel is closed and drained. */
#include <kselftest_harness.h>
#include "kchan_util.h"

TASK_FIXTURE(range);

struct feed {
	int fd;
	__u64 n;
};

static int send_and_close(void *arg)
{
	struct feed *f = arg;

	for (__u64 i = 0; i < f->n; i++)
		CHECK(send64(f->fd, i) == 0);
	return chan_close(f->fd);
}

TEST_F(range, ends_with_the_close)
{
	for (int capacity = 0; capacity <= 4; capacity++) {
		struct feed f = { make_chan(8, capacity), 300 };
		struct task *t = task_start(variant->kind, send_and_close, &f);
		__u64 v, expected = 0;

		while (recv64(f.fd, &v) == 1) {
			ASSERT_EQ(expected++, v);
		}
		EXPECT_EQ(f.n, expected);
		EXPECT_EQ(0, task_join(t));
	}
}

TEST_F(range, over_nothing)
{
	struct feed f = { make_chan(8, 1), 0 };
	struct task *t = task_start(variant->kind, send_and_close, &f);
	__u64 v;

	EXPECT_EQ(0, recv64(f.fd, &v));
	EXPECT_EQ(0, v);
	EXPECT_EQ(0, task_join(t));
}

/* Several that range over one channel share its values and all see the end. */
struct shared_range {
	int fd;
	__u64 sum, count;
};

static int range_over(void *arg)
{
	struct shared_range *r = arg;
	__u64 v;
	int ret;

	while ((ret = recv64(r->fd, &v)) == 1) {
		__atomic_fetch_add(&r->sum, v, __ATOMIC_SEQ_CST);
		count_up(&r->count);
	}
	return ret;
}

TEST_F(range, shared_by_four)
{
	enum { READERS = 4, VALUES = FEWER(1000) };
	struct shared_range *r = shared_alloc(sizeof(*r));
	struct task *tasks[READERS];

	r->fd = make_chan(8, 2);
	for (int i = 0; i < READERS; i++)
		tasks[i] = task_start(variant->kind, range_over, r);
	for (int i = 1; i <= VALUES; i++) {
		ASSERT_EQ(0, send64(r->fd, i));
	}
	ASSERT_EQ(0, chan_close(r->fd));
	for (int i = 0; i < READERS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(VALUES, r->count);
	EXPECT_EQ(VALUES * (VALUES + 1) / 2, r->sum);
}

TEST_HARNESS_MAIN
