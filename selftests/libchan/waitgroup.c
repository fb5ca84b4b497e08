// SPDX-License-Identifier: GPL-2.0-only
/* Wait groups, semaphores and tokens through libchan. */
#include "kselftest_harness.h"
#include "chan_util.h"

/* ---- wait groups ---- */

TEST(add_done_wait)
{
	struct chan_wg *wg = must_have(chan_wg_make(0));

	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(0, err(chan_wg_add(wg, 3)));
	EXPECT_EQ(3, chan_wg_count(wg));
	EXPECT_EQ(-EAGAIN, err(chan_wg_try_wait(wg)));
	EXPECT_EQ(0, err(chan_wg_done(wg)));
	EXPECT_EQ(0, err(chan_wg_done_n(wg, 2)));
	EXPECT_EQ(0, chan_wg_count(wg));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(0, chan_wg_abandoned(wg));
	chan_wg_drop(wg);
}

TEST(limit_holds_back)
{
	struct chan_wg *wg = must_have(chan_wg_make(2));

	EXPECT_EQ(0, err(chan_wg_try_add(wg, 2)));
	EXPECT_EQ(-EAGAIN, err(chan_wg_try_add(wg, 1)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_wg_add_until(wg, 1, 1)));
	EXPECT_EQ(-EINVAL, err(chan_wg_try_add(wg, 3)));
	EXPECT_EQ(0, err(chan_wg_done(wg)));
	EXPECT_EQ(0, err(chan_wg_try_add(wg, 1)));
	EXPECT_EQ(2, state_of(wg).limit);
	chan_wg_drop(wg);
}

/* What makes no sense is refused, and changes nothing. */
TEST(senseless_counts)
{
	struct chan_wg *wg = must_have(chan_wg_make(0));
	struct chan_object_stat before;

	ASSERT_EQ(0, err(chan_wg_add(wg, 2)));
	before = state_of(wg);
	EXPECT_EQ(-EINVAL, err(chan_wg_add(wg, 0)));
	EXPECT_EQ(-EINVAL, err(chan_wg_add(wg, SIZE_MAX)));
	EXPECT_EQ(-EINVAL, err(chan_wg_add(wg, (size_t)CHAN_UNITS_MAX + 1)));
	EXPECT_EQ(-EOVERFLOW, err(chan_wg_add(wg, CHAN_UNITS_MAX)));
	EXPECT_EQ(-EINVAL, err(chan_wg_done_n(wg, 0)));
	EXPECT_EQ(-EINVAL, err(chan_wg_done_n(wg, 3)));
	EXPECT_EQ(-EINVAL, err(chan_wg_done_n(wg, SIZE_MAX)));
	EXPECT_EQ(-EINVAL, err(chan_wg_done_n(wg, (size_t)INT64_MAX + 1)));
	EXPECT_EQ(-EINVAL, err_handle(chan_wg_into_token(wg, 0)));
	EXPECT_EQ(-EINVAL, err_handle(chan_wg_into_token(wg, 3)));
	EXPECT_EQ(-EINVAL, err_handle(chan_wg_into_token(wg, SIZE_MAX)));
	EXPECT_TRUE(same_state(before, wg));
	EXPECT_EQ(-EINVAL, err_handle(chan_wg_make((size_t)CHAN_UNITS_MAX + 1)));
	EXPECT_EQ(-EINVAL, err_handle(chan_wg_make(SIZE_MAX)));
	EXPECT_EQ(0, err_handle(chan_wg_make(CHAN_UNITS_MAX)));
	chan_wg_drop(wg);
}

TEST(wait_group_rights)
{
	struct chan_wg *wg = must_have(chan_wg_make(0));
	struct chan_wg *adds = must_have(chan_wg_restrict(wg, CHAN_SEND));
	struct chan_wg *waits = must_have(chan_wg_restrict(wg, CHAN_RECV));

	EXPECT_EQ(0, err(chan_wg_add(adds, 1)));
	EXPECT_EQ(-EBADF, err(chan_wg_wait(adds)));
	EXPECT_EQ(-EBADF, err(chan_wg_add(waits, 1)));
	EXPECT_EQ(-EBADF, err(chan_wg_done(waits)));
	EXPECT_EQ(-EBADF, err_handle(chan_wg_token(waits)));
	EXPECT_EQ(-EBADF, err_handle(chan_wg_into_token(waits, 1)));
	EXPECT_EQ(1, chan_wg_count(waits));
	EXPECT_EQ(0, err(chan_wg_done(adds)));
	EXPECT_EQ(0, err(chan_wg_wait(waits)));
	chan_wg_drop(wg);
	chan_wg_drop(adds);
	chan_wg_drop(waits);
}

/* Nobody is left who could say that they are done. */
TEST(last_who_could_say_done_is_gone)
{
	struct chan_wg *wg = must_have(chan_wg_make(0));
	struct chan_wg *waits = must_have(chan_wg_restrict(wg, CHAN_RECV));
	struct chan_token *token = must_have(chan_wg_token(wg));

	ASSERT_EQ(0, err(chan_wg_add(wg, 4)));
	chan_wg_drop(wg);
	EXPECT_EQ(1, chan_wg_count(waits));
	EXPECT_EQ(0, err(chan_token_done(token)));
	EXPECT_EQ(-EOWNERDEAD, err(chan_wg_wait(waits)));
	EXPECT_EQ(4, chan_wg_abandoned(waits));
	chan_token_drop(token);
	chan_wg_drop(waits);
}

TEST(poll_shows_zero)
{
	struct chan_wg *wg = must_have(chan_wg_make(1));

	EXPECT_EQ(POLLIN | POLLOUT, poll_now(chan_wg_fd(wg), POLLIN | POLLOUT));
	ASSERT_EQ(0, err(chan_wg_add(wg, 1)));
	EXPECT_EQ(0, poll_now(chan_wg_fd(wg), POLLIN | POLLOUT));
	chan_wg_drop(wg);
}

/* ---- tokens ---- */

TEST(token_done)
{
	struct chan_wg *wg = must_have(chan_wg_make(0));
	struct chan_token *token = chan_wg_token(wg);

	ASSERT_NE(NULL, token);
	EXPECT_EQ(1, chan_wg_count(wg));
	EXPECT_EQ(-EINVAL, err(chan_wg_done(wg)));
	EXPECT_EQ(0, err(chan_token_done(token)));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(0, err(chan_token_done(token)));
	chan_token_drop(token);
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(0, chan_wg_abandoned(wg));
	chan_wg_drop(wg);
}

TEST(token_dropped)
{
	struct chan_wg *wg = must_have(chan_wg_make(0));

	ASSERT_EQ(0, err(chan_wg_add(wg, 5)));
	chan_token_drop(must_have(chan_wg_into_token(wg, 3)));
	EXPECT_EQ(2, chan_wg_count(wg));
	EXPECT_EQ(3, chan_wg_abandoned(wg));
	EXPECT_EQ(-EAGAIN, err(chan_wg_try_wait(wg)));
	EXPECT_EQ(0, err(chan_wg_done_n(wg, 2)));
	EXPECT_EQ(-EOWNERDEAD, err(chan_wg_wait(wg)));
	EXPECT_EQ(-EOWNERDEAD, err(chan_wg_wait(wg)));
	EXPECT_EQ(3, chan_wg_abandoned(wg));

	/* Good as new with the first unit after zero. */
	EXPECT_EQ(0, err(chan_wg_add(wg, 1)));
	EXPECT_EQ(0, chan_wg_abandoned(wg));
	EXPECT_EQ(0, err(chan_wg_done(wg)));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	chan_wg_drop(wg);
}

/* A handle's duplicate is the same handle: the token lives with the last. */
TEST(token_in_two_hands)
{
	struct chan_wg *wg = must_have(chan_wg_make(0));
	struct chan_token *token = must_have(chan_wg_token(wg)), *same;

	same = must_have(chan_token_restrict(token, CHAN_SEND));
	chan_token_drop(token);
	EXPECT_EQ(1, chan_wg_count(wg));
	EXPECT_EQ(0, err(chan_token_done(same)));
	chan_token_drop(same);
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	chan_wg_drop(wg);
}

TEST(token_waits_for_room)
{
	struct chan_wg *wg = must_have(chan_wg_make(1));
	struct chan_token *token = must_have(chan_wg_token(wg));

	ASSERT_EQ(0, fcntl(chan_wg_fd(wg), F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, err_handle(chan_wg_token(wg)));
	EXPECT_EQ(1, chan_wg_count(wg));
	chan_token_drop(token);
	EXPECT_EQ(0, chan_wg_count(wg));
	chan_wg_drop(wg);
}

/* The unit that no token could be made of is not left behind. */
TEST(no_file_number_for_a_token)
{
	struct chan_wg *wg = must_have(chan_wg_make(0));
	struct rlimit few = { chan_wg_fd(wg) + 1, 4096 };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	while (dup(0) >= 0)
		;
	EXPECT_EQ(-EMFILE, err_handle(chan_wg_token(wg)));
	EXPECT_EQ(0, chan_wg_count(wg));
	EXPECT_EQ(0, chan_wg_abandoned(wg));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	chan_wg_drop(wg);
}

struct work {
	struct chan_wg *wg;
	struct chan_token *token;
	bool well;
};

static int worker(void *arg)
{
	struct work *work = arg;

	chan_wg_drop(work->wg);
	return work->well ? chan_token_done(work->token) : 0;
}

static int sleeper(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

static int start_and_wait(enum task_kind kind, bool well, bool killed)
{
	struct chan_wg *wg = must_have(chan_wg_make(0));
	struct work work = { .wg = wg, .token = must_have(chan_wg_token(wg)), .well = well };
	struct task *task = task_start(kind, killed ? sleeper : worker, &work);
	int ret;

	chan_token_drop(work.token);
	if (killed)
		task_kill(task);
	ret = err(chan_wg_wait(wg));
	task_join(task);
	return ret;
}

TEST(worker_process_ends_well_or_not)
{
	EXPECT_EQ(0, start_and_wait(PROCESS, true, false));
	EXPECT_EQ(-EOWNERDEAD, start_and_wait(PROCESS, false, false));
	EXPECT_EQ(-EOWNERDEAD, start_and_wait(PROCESS, true, true));
}

/* ---- semaphores ---- */

TEST(acquire_and_release)
{
	struct chan_sem *sem = must_have(chan_sem_make(3));

	EXPECT_EQ(0, err(chan_sem_acquire(sem, 2)));
	EXPECT_EQ(-EAGAIN, err(chan_sem_try_acquire(sem, 2)));
	EXPECT_EQ(0, err(chan_sem_try_acquire(sem, 1)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_sem_acquire_until(sem, 1, 1)));
	EXPECT_EQ(3, state_of(sem).count);
	EXPECT_EQ(0, err(chan_sem_release(sem, 3)));
	EXPECT_EQ(0, err(chan_sem_acquire(sem, 3)));
	chan_sem_drop(sem);
}

TEST(senseless_units)
{
	struct chan_sem *sem = must_have(chan_sem_make(3));
	struct chan_object_stat before;

	ASSERT_EQ(0, err(chan_sem_acquire(sem, 1)));
	before = state_of(sem);
	EXPECT_EQ(-EINVAL, err(chan_sem_acquire(sem, 0)));
	EXPECT_EQ(-EINVAL, err(chan_sem_acquire(sem, 4)));
	EXPECT_EQ(-EINVAL, err(chan_sem_acquire(sem, SIZE_MAX)));
	EXPECT_EQ(-EINVAL, err(chan_sem_release(sem, 0)));
	EXPECT_EQ(-EOVERFLOW, err(chan_sem_release(sem, 2)));
	EXPECT_EQ(-EOVERFLOW, err(chan_sem_release(sem, CHAN_UNITS_MAX)));
	EXPECT_EQ(-EOVERFLOW, err(chan_sem_release(sem, SIZE_MAX)));
	EXPECT_EQ(-EINVAL, err_handle(chan_sem_into_token(sem, 2)));
	EXPECT_EQ(-EINVAL, err_handle(chan_sem_into_token(sem, SIZE_MAX)));
	EXPECT_TRUE(same_state(before, sem));
	EXPECT_EQ(-EINVAL, err_handle(chan_sem_make(0)));
	EXPECT_EQ(-EINVAL, err_handle(chan_sem_make((size_t)CHAN_UNITS_MAX + 1)));
	chan_sem_drop(sem);
}

TEST(semaphore_rights)
{
	struct chan_sem *sem = must_have(chan_sem_make(1));
	struct chan_sem *gives = must_have(chan_sem_restrict(sem, CHAN_SEND));
	struct chan_sem *takes = must_have(chan_sem_restrict(sem, CHAN_RECV));

	EXPECT_EQ(-EBADF, err(chan_sem_acquire(gives, 1)));
	EXPECT_EQ(0, err(chan_sem_acquire(takes, 1)));
	EXPECT_EQ(-EBADF, err(chan_sem_release(takes, 1)));
	EXPECT_EQ(-EBADF, err_handle(chan_sem_into_token(gives, 1)));
	EXPECT_EQ(0, err(chan_sem_release(gives, 1)));
	chan_sem_drop(sem);
	chan_sem_drop(gives);
	chan_sem_drop(takes);
}

/* In a token, units come back with whoever dies with them. */
TEST(units_in_a_token_come_back)
{
	struct chan_sem *sem = must_have(chan_sem_make(2));
	struct chan_token *token;

	ASSERT_EQ(0, err(chan_sem_acquire(sem, 2)));
	token = must_have(chan_sem_into_token(sem, 2));
	EXPECT_EQ(-EOVERFLOW, err(chan_sem_release(sem, 1)));
	EXPECT_EQ(-EAGAIN, err(chan_sem_try_acquire(sem, 1)));
	chan_token_drop(token);
	EXPECT_EQ(0, err(chan_sem_try_acquire(sem, 2)));
	token = must_have(chan_sem_into_token(sem, 1));
	EXPECT_EQ(0, err(chan_token_done(token)));
	EXPECT_EQ(0, err(chan_sem_try_acquire(sem, 1)));
	chan_token_drop(token);
	chan_sem_drop(sem);
}

TEST_HARNESS_MAIN
