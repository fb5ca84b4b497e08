// SPDX-License-Identifier: GPL-2.0-only
/* Go's TestParallelReaders: readers hold an rwmutex beside each other. */
#include <kselftest_harness.h>
#include "kchan_util.h"

TASK_FIXTURE(parallel_readers);

struct readers {
	int m;
	int locked;
	int unlock;	/* a channel: each message lets one go */
};

static int read_in_parallel(void *arg)
{
	struct readers *r = arg;
	__u64 v;

	CHECK(kchan_rlock(r->m) == 0);
	count_up(&r->locked);
	CHECK(recv64(r->unlock, &v) == 1);
	CHECK(kchan_runlock(r->m) == 0);
	return 0;
}

static void in_parallel(struct __test_metadata *_metadata, enum task_kind kind, int n)
{
	struct readers *r = shared_alloc(sizeof(*r));
	struct task *tasks[4];

	r->m = make_object(KCHAN_KIND_RWMUTEX, 0);
	r->unlock = make_chan(8, 0);
	for (int i = 0; i < n; i++)
		tasks[i] = task_start(kind, read_in_parallel, r);
	wait_until(load(&r->locked) == n);
	EXPECT_EQ(n, chan_stat(r->m).length);
	EXPECT_EQ(-EAGAIN, kchan_try_lock(r->m));
	for (int i = 0; i < n; i++) {
		ASSERT_EQ(0, send64(r->unlock, i));
	}
	for (int i = 0; i < n; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_EQ(0, chan_stat(r->m).length);
	EXPECT_EQ(0, kchan_try_lock(r->m));
	close(r->m);
	close(r->unlock);
	munmap(r, sizeof(*r));
}

TEST_F(parallel_readers, one)
{
	in_parallel(_metadata, variant->kind, 1);
}

TEST_F(parallel_readers, three)
{
	in_parallel(_metadata, variant->kind, 3);
}

TEST_F(parallel_readers, four)
{
	in_parallel(_metadata, variant->kind, 4);
}

TEST_HARNESS_MAIN
