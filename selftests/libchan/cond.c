// SPDX-License-Identifier: GPL-2.0-only
/* Conditions through libchan: above all, in whose hands the lock is afterwards. */
#include "kselftest_harness.h"
#include "chan_util.h"

struct scene {
	struct chan_cond *cond;
	struct chan_mutex *m;
	int64_t deadline; /* 0: none */
	struct chan_cancel *cancel;
	int ret, unlocked;
};

static struct scene new_scene(void)
{
	return (struct scene){
		.cond = must_have(chan_cond_make()), .m = must_have(chan_mutex_make()),
	};
}

static void end_scene(struct scene *s)
{
	chan_cond_drop(s->cond);
	chan_mutex_drop(s->m);
	chan_cancel_drop(s->cancel);
}

/* Lock, wait, unlock: how the last one ends tells who had the lock. */
static int wait_there(void *arg)
{
	struct scene *s = arg;
	struct chan_bounds bounds = { .deadline = s->deadline, .cancel = s->cancel };

	CHECK(!chan_mutex_lock(s->m));
	s->ret = err(chan_cond_wait_with(s->cond, s->m, &bounds));
	s->unlocked = err(chan_mutex_unlock(s->m));
	return 0;
}

static struct task *start_wait(struct scene *s)
{
	struct task *task = task_start(THREAD, wait_there, s);

	wait_blocked(s->cond, 0, 1);
	return task;
}

TEST(signal_wakes_the_longest_waiting)
{
	struct scene first = new_scene(), second = first;
	struct task *a = start_wait(&first), *b = task_start(THREAD, wait_there, &second);

	wait_blocked(first.cond, 0, 2);
	EXPECT_EQ(1, err(chan_cond_signal(first.cond)));
	EXPECT_EQ(0, task_join(a));
	EXPECT_EQ(0, first.ret);
	EXPECT_EQ(0, first.unlocked);
	wait_blocked(first.cond, 0, 1);
	EXPECT_EQ(1, err(chan_cond_signal(first.cond)));
	EXPECT_EQ(0, task_join(b));
	EXPECT_EQ(0, err(chan_cond_signal(first.cond)));
	end_scene(&first);
}

TEST(broadcast_wakes_all)
{
	struct scene s[4] = { new_scene() };
	struct task *tasks[4];

	for (int i = 0; i < 4; i++) {
		s[i] = s[0];
		tasks[i] = task_start(THREAD, wait_there, &s[i]);
	}
	wait_blocked(s[0].cond, 0, 4);
	EXPECT_EQ(4, err(chan_cond_broadcast(s[0].cond)));
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
		EXPECT_EQ(0, s[i].ret);
		EXPECT_EQ(0, s[i].unlocked);
	}
	EXPECT_EQ(0, err(chan_cond_broadcast(s[0].cond)));
	end_scene(&s[0]);
}

TEST(gives_the_lock_back_while_it_waits)
{
	struct scene s = new_scene();
	struct task *task = start_wait(&s);

	EXPECT_EQ(0, err(chan_mutex_lock(s.m)));
	EXPECT_EQ(1, err(chan_cond_signal(s.cond)));
	wait_blocked(s.m, 1, 0);
	EXPECT_EQ(0, err(chan_mutex_unlock(s.m)));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(0, s.ret);
	EXPECT_EQ(0, s.unlocked);
	end_scene(&s);
}

/* Taking the lock again ends for nothing: neither deadline, cancel nor signal. */
TEST(locks_again_whatever_happens)
{
	struct scene s = new_scene();
	struct task *task;

	count_signals(0);
	s.cancel = must_have(chan_cancel_make());
	s.deadline = chan_after(3600 * CHAN_SECOND);
	task = start_wait(&s);
	ASSERT_EQ(0, err(chan_mutex_lock(s.m)));
	EXPECT_EQ(1, err(chan_cancel(s.cancel, 0)));
	wait_blocked(s.m, 1, 0);
	for (int i = 1; i <= 3; i++) {
		task_signal(task, SIGUSR1);
		wait_until(load(handled) == i);
		wait_blocked(s.m, 1, 0);
	}
	EXPECT_EQ(0, err(chan_mutex_unlock(s.m)));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(-ECANCELED, s.ret);
	EXPECT_EQ(0, s.unlocked);
	end_scene(&s);
}

TEST(nonblocking_mutex_is_waited_for)
{
	struct scene s = new_scene();
	struct task *task = start_wait(&s);

	ASSERT_EQ(0, err(chan_mutex_lock(s.m)));
	ASSERT_EQ(0, fcntl(chan_mutex_fd(s.m), F_SETFL, O_NONBLOCK));
	EXPECT_EQ(1, err(chan_cond_signal(s.cond)));
	wait_blocked(s.m, 1, 0);
	EXPECT_EQ(0, err(chan_mutex_unlock(s.m)));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(0, s.ret);
	end_scene(&s);
}

TEST(held_after_each_end)
{
	struct scene s = new_scene();
	struct chan_bounds bounds = { .deadline = 1 };

	ASSERT_EQ(0, err(chan_mutex_lock(s.m)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_cond_wait_until(s.cond, s.m, chan_after(0))));
	EXPECT_EQ(-ETIMEDOUT, err(chan_cond_wait_with(s.cond, s.m, &bounds)));
	EXPECT_EQ(-EINVAL, err(chan_cond_wait_until(s.cond, s.m, -1)));
	ASSERT_EQ(0, fcntl(chan_cond_fd(s.cond), F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, err(chan_cond_wait(s.cond, s.m)));
	bounds = (struct chan_bounds){ .cancel = must_have(chan_cancel_make()) };
	ASSERT_EQ(1, err(chan_cancel(bounds.cancel, 0)));
	EXPECT_EQ(-ECANCELED, err(chan_cond_wait_with(s.cond, s.m, &bounds)));
	EXPECT_EQ(0, err(chan_mutex_unlock(s.m)));
	chan_cancel_drop(bounds.cancel);
	end_scene(&s);
}

TEST(must_hold_the_mutex)
{
	struct scene s = new_scene();

	EXPECT_EQ(-EPERM, err(chan_cond_wait(s.cond, s.m)));
	EXPECT_EQ(-EPERM, err(chan_cond_wait_until(s.cond, s.m, 1)));
	EXPECT_EQ(0, err(chan_mutex_try_lock(s.m)));
	end_scene(&s);
}

TEST(condition_rights)
{
	struct scene s = new_scene();
	struct chan_cond *signals = must_have(chan_cond_restrict(s.cond, CHAN_SEND));
	struct chan_cond *waits = must_have(chan_cond_restrict(s.cond, CHAN_RECV));

	ASSERT_EQ(0, err(chan_mutex_lock(s.m)));
	EXPECT_EQ(-EBADF, err(chan_cond_wait(signals, s.m)));
	EXPECT_EQ(-EBADF, err(chan_cond_signal(waits)));
	EXPECT_EQ(-EBADF, err(chan_cond_broadcast(waits)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_cond_wait_until(waits, s.m, 1)));
	EXPECT_EQ(0, err(chan_cond_signal(signals)));
	EXPECT_EQ(0, err(chan_mutex_unlock(s.m)));
	chan_cond_drop(signals);
	chan_cond_drop(waits);
	end_scene(&s);
}

/* ---- the holder dies while another waits for the condition ---- */

static int lock_signal_die(void *arg)
{
	struct scene *s = arg;

	CHECK(!chan_mutex_lock(s->m));
	CHECK(chan_cond_signal(s->cond) == 1);
	wait_blocked(s->m, 1, 0);
	return 0;
}

TEST(locks_again_after_a_death)
{
	struct scene s = new_scene();
	struct task *task = start_wait(&s);

	EXPECT_EQ(0, task_join(task_start(PROCESS, lock_signal_die, &s)));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(-EOWNERDEAD, s.ret);
	EXPECT_EQ(0, s.unlocked);

	/* Nobody mended it. */
	ASSERT_EQ(-ENOTRECOVERABLE, err(chan_mutex_lock(s.m)));
	end_scene(&s);
}

TEST_HARNESS_MAIN
