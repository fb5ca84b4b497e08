// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestMutexMisuse: unlock of what is not locked, or not in this way.  Go
 * ends the program; here it is EPERM, and nothing has changed.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { NONE = 0, W = KCHAN_OP_LOCK, R = KCHAN_OP_RLOCK };

/* Locked so, and then unlocked so: the last unlock is the wrong one. */
static const struct {
	const char *name;
	__u32 kind;
	int lock;
	int unlock[2];
} misuses[] = {
	{ "Mutex.Unlock", KCHAN_KIND_MUTEX, NONE, { W, NONE } },
	{ "Mutex.Unlock2", KCHAN_KIND_MUTEX, W, { W, W } },
	{ "RWMutex.Unlock", KCHAN_KIND_RWMUTEX, NONE, { W, NONE } },
	{ "RWMutex.Unlock2", KCHAN_KIND_RWMUTEX, R, { W, NONE } },
	{ "RWMutex.Unlock3", KCHAN_KIND_RWMUTEX, W, { W, W } },
	{ "RWMutex.RUnlock", KCHAN_KIND_RWMUTEX, NONE, { R, NONE } },
	{ "RWMutex.RUnlock2", KCHAN_KIND_RWMUTEX, W, { R, NONE } },
	{ "RWMutex.RUnlock3", KCHAN_KIND_RWMUTEX, R, { R, R } },
};

static int misuse(size_t i, int m)
{
	struct kchan_stat before;
	int last = misuses[i].unlock[1];

	if (misuses[i].lock)
		CHECK(wait_op(m, misuses[i].lock, 0) == 0);
	if (last)
		CHECK(kchan_arg_call(m, KCHAN_UNLOCK, misuses[i].unlock[0]) == 0);
	else
		last = misuses[i].unlock[0];
	before = chan_stat(m);
	for (int n = 0; n < 3; n++)
		CHECK(kchan_arg_call(m, KCHAN_UNLOCK, last) == -EPERM);
	CHECK(same_stat(before, m));
	return 0;
}

struct one_misuse {
	size_t row;
	int m;
};

static int misuse_here(void *arg)
{
	struct one_misuse *one = arg;

	return misuse(one->row, one->m);
}

TASK_FIXTURE(mutex_misuse);

TEST_F(mutex_misuse, unlock)
{
	for (size_t i = 0; i < ARRAY_LEN(misuses); i++) {
		struct one_misuse one = { i, make_object(misuses[i].kind, 0) };

		EXPECT_EQ(0, task_join(task_start(variant->kind, misuse_here, &one)))
			TH_LOG("%s", misuses[i].name);
		close(one.m);
	}
}

/* What this process holds is in no other process' hands. */
static int unlock_another_s(void *arg)
{
	int m = *(int *)arg;
	struct kchan_stat before = chan_stat(m);

	CHECK(kchan_unlock(m) == -EPERM);
	CHECK(kchan_runlock(m) == -EPERM);
	CHECK(kchan_arg_call(m, KCHAN_CONSISTENT, 0) == -EPERM);
	CHECK(same_stat(before, m));
	return 0;
}

TEST(of_another_process)
{
	int m = make_object(KCHAN_KIND_RWMUTEX, 0);

	ASSERT_EQ(0, kchan_lock(m));
	EXPECT_EQ(0, task_join(task_start(PROCESS, unlock_another_s, &m)));
	ASSERT_EQ(0, kchan_unlock(m));
	ASSERT_EQ(0, kchan_rlock(m));
	EXPECT_EQ(0, task_join(task_start(PROCESS, unlock_another_s, &m)));
	EXPECT_EQ(0, kchan_runlock(m));
}

/* Misuse must not wake or release anybody. */
TEST(waiters_do_not_notice)
{
	struct one_op *writer = new_op(make_object(KCHAN_KIND_RWMUTEX, 0), KCHAN_OP_LOCK, 0);
	struct task *t;
	int m = writer->fd;

	ASSERT_EQ(0, kchan_rlock(m));
	t = task_start(THREAD, do_one_op, writer);
	wait_waiting(m, 1, 0);
	EXPECT_EQ(-EPERM, kchan_unlock(m));
	EXPECT_EQ(true, waiting(m, 1, 0));
	EXPECT_EQ(0, kchan_runlock(m));
	EXPECT_EQ(0, join_op(t, writer));
	EXPECT_EQ(-EPERM, kchan_runlock(m));
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(m).state);
}

TEST(values_that_make_no_sense)
{
	int mutex = make_object(KCHAN_KIND_MUTEX, 0), once = make_object(KCHAN_KIND_ONCE, 0);
	int rwmutex = make_object(KCHAN_KIND_RWMUTEX, 0);
	const __s64 bad[] = { 0, -1, KCHAN_OP_ADD, KCHAN_OP_COND, KCHAN_OP_LOCK + (1ll << 32),
			      LLONG_MIN };

	ASSERT_EQ(0, kchan_lock(mutex));
	ASSERT_EQ(0, kchan_lock(rwmutex));
	ASSERT_EQ(0, kchan_lock(once));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, kchan_arg_call(mutex, KCHAN_UNLOCK, bad[i]));
		EXPECT_EQ(-EINVAL, kchan_arg_call(rwmutex, KCHAN_UNLOCK, bad[i]));
		EXPECT_EQ(-EINVAL, kchan_arg_call(once, KCHAN_UNLOCK, bad[i]));
	}
	EXPECT_EQ(-EINVAL, kchan_runlock(mutex));
	EXPECT_EQ(-EINVAL, kchan_runlock(once));
	EXPECT_EQ(-EINVAL, kchan_arg_call(mutex, KCHAN_CONSISTENT, 1));
	/* Nothing is broken. */
	EXPECT_EQ(-EINVAL, kchan_arg_call(mutex, KCHAN_CONSISTENT, 0));
	EXPECT_EQ(-EINVAL, kchan_arg_call(rwmutex, KCHAN_CONSISTENT, 0));
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(mutex).state);
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(rwmutex).state);
}

TEST_HARNESS_MAIN
