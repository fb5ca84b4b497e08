// SPDX-License-Identifier: GPL-2.0-only
/* Mutexes and readers-writer mutexes through libchan; their holders and deaths. */
#include "kselftest_harness.h"
#include "chan_util.h"

static int lock_it(void *arg)
{
	return -err(chan_mutex_lock(arg));
}

static int try_lock_it(void *arg)
{
	return -err(chan_mutex_try_lock(arg));
}

static int unlock_it(void *arg)
{
	return -err(chan_mutex_unlock(arg));
}

static int in_another(enum task_kind kind, int (*body)(void *), void *handle)
{
	return task_join(task_start(kind, body, handle));
}

/* ---- mutexes ---- */

TEST(lock_and_unlock)
{
	struct chan_mutex *m = must_have(chan_mutex_make());

	EXPECT_EQ(0, err(chan_mutex_lock(m)));
	EXPECT_EQ(CHAN_LOCKED, state_of(m).state);
	EXPECT_EQ(-EAGAIN, err(chan_mutex_try_lock(m)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_mutex_lock_until(m, 1)));
	EXPECT_EQ(0, err(chan_mutex_unlock(m)));
	EXPECT_EQ(-EPERM, err(chan_mutex_unlock(m)));
	EXPECT_EQ(-EPERM, err(chan_mutex_consistent(m)));
	EXPECT_EQ(0, err(chan_mutex_try_lock(m)));
	EXPECT_EQ(-EINVAL, err(chan_mutex_consistent(m)));
	EXPECT_EQ(0, err(chan_mutex_unlock(m)));
	chan_mutex_drop(m);
}

TEST(mutex_takes_one_right)
{
	struct chan_mutex *m = must_have(chan_mutex_make());
	struct chan_mutex *deaf = must_have(chan_mutex_restrict(m, CHAN_RECV));
	struct chan_mutex *enough = must_have(chan_mutex_restrict(m, CHAN_SEND));

	EXPECT_EQ(-EBADF, err(chan_mutex_lock(deaf)));
	EXPECT_EQ(-EBADF, err(chan_mutex_unlock(deaf)));
	EXPECT_EQ(-EBADF, err(chan_mutex_consistent(deaf)));
	EXPECT_EQ(0, err(chan_mutex_lock(enough)));
	EXPECT_EQ(0, err(chan_mutex_unlock(enough)));
	chan_mutex_drop(m);
	chan_mutex_drop(deaf);
	chan_mutex_drop(enough);
}

/* ---- who the holder is ---- */

TEST(threads_hold_together)
{
	struct chan_mutex *m = must_have(chan_mutex_make());

	EXPECT_EQ(0, in_another(THREAD, lock_it, m));
	EXPECT_EQ(-EAGAIN, err(chan_mutex_try_lock(m)));
	EXPECT_EQ(0, in_another(THREAD, unlock_it, m));
	EXPECT_EQ(0, err(chan_mutex_lock(m)));
	chan_mutex_drop(m);
}

TEST(another_handle_is_as_good)
{
	struct chan_mutex *m = must_have(chan_mutex_make());
	struct chan_mutex *same = must_have(chan_mutex_from_fd(dup(chan_mutex_fd(m))));
	struct chan_mutex *other = must_have(chan_mutex_restrict(m, CHAN_SEND));

	EXPECT_EQ(0, err(chan_mutex_lock(m)));
	EXPECT_EQ(0, err(chan_mutex_unlock(same)));
	EXPECT_EQ(0, err(chan_mutex_lock(same)));
	EXPECT_EQ(0, err(chan_mutex_unlock(other)));
	chan_mutex_drop(m);
	chan_mutex_drop(same);
	chan_mutex_drop(other);
}

TEST(child_holds_nothing)
{
	struct chan_mutex *m = must_have(chan_mutex_make());

	ASSERT_EQ(0, err(chan_mutex_lock(m)));
	EXPECT_EQ(EPERM, in_another(PROCESS, unlock_it, m));
	EXPECT_EQ(EAGAIN, in_another(PROCESS, try_lock_it, m));
	EXPECT_EQ(0, err(chan_mutex_unlock(m)));
	EXPECT_EQ(0, state_of(m).state);
	chan_mutex_drop(m);
}

TEST(lost_with_the_last_handle_of_the_process)
{
	struct chan_mutex *m = must_have(chan_mutex_make());
	struct chan_mutex *other = must_have(chan_mutex_restrict(m, CHAN_SEND));

	ASSERT_EQ(0, err(chan_mutex_lock(m)));
	chan_mutex_drop(m);
	EXPECT_EQ(-EAGAIN, err(chan_mutex_try_lock(other)));
	EXPECT_EQ(0, err(chan_mutex_unlock(other)));
	chan_mutex_drop(other);
}

struct executes {
	struct chan_mutex *m;
	bool keep;
};

static int lock_and_execute(void *arg)
{
	struct executes *e = arg;

	CHECK(!chan_mutex_lock(e->m));
	CHECK(!e->keep || !fcntl(chan_mutex_fd(e->m), F_SETFD, 0));
	execlp("sleep", "sleep", "1000", NULL);
	return errno;
}

static bool executes_sleep(const struct task *t)
{
	char path[64], name[16] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", t->pid);
	f = fopen(path, "r");
	must(f && fgets(name, sizeof(name), f));
	fclose(f);
	return !strcmp(name, "sleep\n");
}

/* What happens to its file descriptors happens to its locks. */
static int try_after_exec(bool keep)
{
	struct executes e = { must_have(chan_mutex_make()), keep };
	struct task *task = task_start(PROCESS, lock_and_execute, &e);
	int ret;

	wait_until(executes_sleep(task));
	ret = err(chan_mutex_try_lock(e.m));
	task_kill(task);
	must(task_join(task) == KILLED(SIGKILL));
	if (keep)
		must(err(chan_mutex_try_lock(e.m)) == -EOWNERDEAD);
	chan_mutex_drop(e.m);
	return ret;
}

TEST(lost_by_exec_with_the_file_descriptor)
{
	EXPECT_EQ(-EOWNERDEAD, try_after_exec(false));
	EXPECT_EQ(-EAGAIN, try_after_exec(true));
}

/* ---- dead holders ---- */

TEST(death_passes_it_on)
{
	struct chan_mutex *m = must_have(chan_mutex_make());

	ASSERT_EQ(0, in_another(PROCESS, lock_it, m));
	EXPECT_EQ(CHAN_OWNERDEAD, state_of(m).state & CHAN_OWNERDEAD);
	EXPECT_EQ(-EOWNERDEAD, err(chan_mutex_lock(m)));
	EXPECT_EQ(-EAGAIN, err(chan_mutex_try_lock(m)));
	EXPECT_EQ(0, err(chan_mutex_consistent(m)));
	EXPECT_EQ(-EINVAL, err(chan_mutex_consistent(m)));
	EXPECT_EQ(0, err(chan_mutex_unlock(m)));
	EXPECT_EQ(0, err(chan_mutex_lock(m)));
	chan_mutex_drop(m);
}

TEST(never_mended)
{
	struct chan_mutex *m = must_have(chan_mutex_make());

	ASSERT_EQ(0, in_another(PROCESS, lock_it, m));
	EXPECT_EQ(-EOWNERDEAD, err(chan_mutex_lock(m)));
	EXPECT_EQ(0, err(chan_mutex_unlock(m)));
	EXPECT_EQ(-ENOTRECOVERABLE, err(chan_mutex_lock(m)));
	EXPECT_EQ(-ENOTRECOVERABLE, err(chan_mutex_try_lock(m)));
	EXPECT_EQ(ENOTRECOVERABLE, in_another(PROCESS, lock_it, m));
	EXPECT_EQ(-EPERM, err(chan_mutex_unlock(m)));
	chan_mutex_drop(m);
}

struct job {
	struct chan_mutex *m;
	struct chan_cancel *stop;
	int ret;
};

static int lock_with(void *arg)
{
	struct job *job = arg;
	struct chan_bounds bounds = { .cancel = job->stop };

	job->ret = err(chan_mutex_lock_with(job->m, &bounds));
	return 0;
}

static int lock_and_sleep(void *arg)
{
	must(!chan_mutex_lock(arg));
	pause();
	return 0;
}

/* Also to a wait that might be cancelled, which is a select underneath. */
TEST(killed_holder_passes_it_to_a_waiter)
{
	struct chan_mutex *m = must_have(chan_mutex_make());
	struct task *holder = task_start(PROCESS, lock_and_sleep, m), *waiter;
	struct job job = { .m = m, .stop = must_have(chan_cancel_make()) };
	struct chan_case lock = chan_on_lock(m);

	wait_until(state_of(m).state & CHAN_LOCKED);
	waiter = task_start(THREAD, lock_with, &job);
	wait_blocked(m, 1, 0);
	task_kill(holder);
	EXPECT_EQ(0, task_join(waiter));
	EXPECT_EQ(-EOWNERDEAD, job.ret);
	EXPECT_EQ(KILLED(SIGKILL), task_join(holder));

	/* It is ours, and the next select of ours hears what we leave behind. */
	EXPECT_EQ(0, err(chan_mutex_unlock(m)));
	EXPECT_EQ(0, err(chan_select(&lock, 1)));
	EXPECT_EQ(-1, lock.result);
	EXPECT_EQ(ENOTRECOVERABLE, lock.error);
	chan_mutex_drop(m);
	chan_cancel_drop(job.stop);
}

/* ---- readers and writers ---- */

TEST(readers_beside_each_other)
{
	struct chan_rwmutex *rw = must_have(chan_rwmutex_make());

	EXPECT_EQ(0, err(chan_rwmutex_rlock(rw)));
	EXPECT_EQ(0, err(chan_rwmutex_try_rlock(rw)));
	EXPECT_EQ(2, state_of(rw).count);
	EXPECT_EQ(-EAGAIN, err(chan_rwmutex_try_lock(rw)));
	EXPECT_EQ(-EPERM, err(chan_rwmutex_unlock(rw)));
	EXPECT_EQ(0, err(chan_rwmutex_runlock(rw)));
	EXPECT_EQ(0, err(chan_rwmutex_runlock(rw)));
	EXPECT_EQ(-EPERM, err(chan_rwmutex_runlock(rw)));
	EXPECT_EQ(0, err(chan_rwmutex_lock(rw)));
	EXPECT_EQ(-EAGAIN, err(chan_rwmutex_try_rlock(rw)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_rwmutex_rlock_until(rw, 1)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_rwmutex_lock_until(rw, 1)));
	EXPECT_EQ(-EPERM, err(chan_rwmutex_runlock(rw)));
	EXPECT_EQ(-EINVAL, err(chan_rwmutex_consistent(rw)));
	EXPECT_EQ(0, err(chan_rwmutex_unlock(rw)));
	EXPECT_EQ(-EPERM, err(chan_rwmutex_consistent(rw)));
	chan_rwmutex_drop(rw);
}

TEST(rwmutex_rights)
{
	struct chan_rwmutex *rw = must_have(chan_rwmutex_make());
	struct chan_rwmutex *writes = must_have(chan_rwmutex_restrict(rw, CHAN_SEND));
	struct chan_rwmutex *reads = must_have(chan_rwmutex_restrict(rw, CHAN_RECV));

	EXPECT_EQ(-EBADF, err(chan_rwmutex_lock(reads)));
	EXPECT_EQ(-EBADF, err(chan_rwmutex_rlock(writes)));
	EXPECT_EQ(0, err(chan_rwmutex_rlock(reads)));
	EXPECT_EQ(-EBADF, err(chan_rwmutex_runlock(writes)));
	EXPECT_EQ(0, err(chan_rwmutex_runlock(reads)));
	EXPECT_EQ(0, err(chan_rwmutex_lock(writes)));
	EXPECT_EQ(-EBADF, err(chan_rwmutex_unlock(reads)));
	EXPECT_EQ(0, err(chan_rwmutex_unlock(writes)));
	chan_rwmutex_drop(rw);
	chan_rwmutex_drop(writes);
	chan_rwmutex_drop(reads);
}

static int write_lock(void *arg)
{
	return -err(chan_rwmutex_lock(arg));
}

static int read_lock(void *arg)
{
	return -err(chan_rwmutex_rlock(arg));
}

TEST(dead_readers_let_go)
{
	struct chan_rwmutex *rw = must_have(chan_rwmutex_make());

	ASSERT_EQ(0, in_another(PROCESS, read_lock, rw));
	EXPECT_EQ(0, err(chan_rwmutex_lock(rw)));
	chan_rwmutex_drop(rw);
}

/* Readers hear of it too, but only a writer can mend. */
TEST(dead_writer)
{
	struct chan_rwmutex *rw = must_have(chan_rwmutex_make());

	ASSERT_EQ(0, in_another(PROCESS, write_lock, rw));
	EXPECT_EQ(-EOWNERDEAD, err(chan_rwmutex_rlock(rw)));
	EXPECT_EQ(-EPERM, err(chan_rwmutex_consistent(rw)));
	EXPECT_EQ(0, err(chan_rwmutex_runlock(rw)));
	EXPECT_EQ(-EOWNERDEAD, err(chan_rwmutex_lock(rw)));
	EXPECT_EQ(0, err(chan_rwmutex_consistent(rw)));
	EXPECT_EQ(0, err(chan_rwmutex_unlock(rw)));
	EXPECT_EQ(0, err(chan_rwmutex_rlock(rw)));
	chan_rwmutex_drop(rw);
}

TEST(dead_writer_never_mended)
{
	struct chan_rwmutex *rw = must_have(chan_rwmutex_make());

	ASSERT_EQ(0, in_another(PROCESS, write_lock, rw));
	EXPECT_EQ(-EOWNERDEAD, err(chan_rwmutex_lock(rw)));
	EXPECT_EQ(0, err(chan_rwmutex_unlock(rw)));
	EXPECT_EQ(-ENOTRECOVERABLE, err(chan_rwmutex_lock(rw)));
	EXPECT_EQ(-ENOTRECOVERABLE, err(chan_rwmutex_rlock(rw)));
	chan_rwmutex_drop(rw);
}

TEST_HARNESS_MAIN
