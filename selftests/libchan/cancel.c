// SPDX-License-Identifier: GPL-2.0-only
/* Cancels through libchan. */
#include "kselftest_harness.h"
#include "chan_util.h"

#define HOUR (3600 * CHAN_SECOND)

TEST(once_and_for_all)
{
	struct chan_cancel *cancel = must_have(chan_cancel_make());

	EXPECT_EQ(0, err(chan_cancel_cause(cancel)));
	EXPECT_EQ(-EAGAIN, err(chan_cancel_try_wait(cancel)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_cancel_wait_until(cancel, 1)));
	EXPECT_EQ(1, err(chan_cancel(cancel, ENOSPC)));
	EXPECT_EQ(0, err(chan_cancel(cancel, EIO)));
	EXPECT_EQ(0, err(chan_cancel(cancel, 0)));
	EXPECT_EQ(ENOSPC, err(chan_cancel_cause(cancel)));
	EXPECT_EQ(ENOSPC, err(chan_cancel_wait(cancel)));
	EXPECT_EQ(ENOSPC, err(chan_cancel_try_wait(cancel)));
	EXPECT_EQ(ENOSPC, err(chan_cancel_wait_until(cancel, 1)));
	EXPECT_EQ(CHAN_CANCELLED, state_of(cancel).state);
	EXPECT_EQ(POLLIN, poll_now(chan_cancel_fd(cancel), POLLIN));
	chan_cancel_drop(cancel);
}

TEST(causes)
{
	struct chan_cancel *cancel = must_have(chan_cancel_make());

	EXPECT_EQ(-EINVAL, err(chan_cancel(cancel, -1)));
	EXPECT_EQ(-EINVAL, err(chan_cancel(cancel, 4096)));
	EXPECT_EQ(0, err(chan_cancel_cause(cancel)));
	EXPECT_EQ(1, err(chan_cancel(cancel, 0)));
	EXPECT_EQ(ECANCELED, err(chan_cancel_cause(cancel)));
	chan_cancel_drop(cancel);
	cancel = must_have(chan_cancel_make());
	EXPECT_EQ(1, err(chan_cancel(cancel, 4095)));
	EXPECT_EQ(4095, err(chan_cancel_wait(cancel)));
	chan_cancel_drop(cancel);
}

TEST(from_parent_to_child_only)
{
	struct chan_cancel *parent = must_have(chan_cancel_make());
	struct chan_cancel *one = must_have(chan_cancel_child(parent));
	struct chan_cancel *other = must_have(chan_cancel_child(parent));
	struct chan_cancel *grandchild = must_have(chan_cancel_child(one)), *late;

	EXPECT_EQ(2, state_of(parent).count);
	EXPECT_EQ(1, err(chan_cancel(other, EIO)));
	EXPECT_EQ(0, err(chan_cancel_cause(parent)));
	EXPECT_EQ(0, err(chan_cancel_cause(one)));
	EXPECT_EQ(1, err(chan_cancel(parent, ENOSPC)));
	EXPECT_EQ(ENOSPC, err(chan_cancel_cause(one)));
	EXPECT_EQ(ENOSPC, err(chan_cancel_cause(grandchild)));
	EXPECT_EQ(EIO, err(chan_cancel_cause(other)));
	late = must_have(chan_cancel_child(parent));
	EXPECT_EQ(ENOSPC, err(chan_cancel_cause(late)));
	chan_cancel_drop(parent);
	chan_cancel_drop(one);
	chan_cancel_drop(other);
	chan_cancel_drop(grandchild);
	chan_cancel_drop(late);
}

static int cause_of(struct chan_cancel *cancel)
{
	int cause = cancel ? err(chan_cancel_wait(cancel)) : -errno;

	chan_cancel_drop(cancel);
	return cause;
}

TEST(deadlines)
{
	struct chan_cancel *parent = must_have(chan_cancel_make()), *child;
	struct chan_bounds soon[] = {
		{ .deadline = chan_after(CHAN_MILLISECOND) },
		{ .deadline_realtime = now_on(CLOCK_REALTIME) + CHAN_MILLISECOND },
		{ .deadline_boottime = now_on(CLOCK_BOOTTIME) + CHAN_MILLISECOND,
		  .cancel = parent },
	};

	for (size_t i = 0; i < ARRAY_LEN(soon); i++)
		EXPECT_EQ(ETIMEDOUT, cause_of(chan_cancel_make_with(&soon[i])));
	EXPECT_EQ(ETIMEDOUT, cause_of(chan_cancel_make_until(chan_after(CHAN_MILLISECOND))));
	EXPECT_EQ(ETIMEDOUT, cause_of(chan_cancel_make_until(0)));
	EXPECT_EQ(ETIMEDOUT, cause_of(chan_cancel_child_until(parent, 1)));
	child = must_have(chan_cancel_child_until(parent, chan_after(HOUR)));
	EXPECT_EQ(1, err(chan_cancel(parent, EIO)));
	EXPECT_EQ(EIO, cause_of(child));
	chan_cancel_drop(parent);
}

TEST(no_bounds)
{
	struct chan_bounds none = { 0 };
	struct chan_cancel *cancel = must_have(chan_cancel_make_with(&none));

	EXPECT_EQ(0, err(chan_cancel_cause(cancel)));
	chan_cancel_drop(cancel);
	cancel = must_have(chan_cancel_make_with(NULL));
	EXPECT_EQ(0, err(chan_cancel_cause(cancel)));
	chan_cancel_drop(cancel);
}

TEST(senseless)
{
	struct chan_cancel *parent = must_have(chan_cancel_make());
	struct chan_cancel *deaf = must_have(chan_cancel_restrict(parent, CHAN_SEND));
	struct chan_bounds two = { .deadline = 1, .deadline_boottime = 1 };

	EXPECT_EQ(-EINVAL, err_handle(chan_cancel_make_until(-1)));
	EXPECT_EQ(-EINVAL, err_handle(chan_cancel_child_until(parent, -1)));
	EXPECT_EQ(-EINVAL, err_handle(chan_cancel_make_with(&two)));
	EXPECT_EQ(-EBADF, err_handle(chan_cancel_child(deaf)));
	EXPECT_EQ(0, state_of(parent).count);
	chan_cancel_drop(deaf);
	chan_cancel_drop(parent);
}

TEST(cancel_rights)
{
	struct chan_cancel *cancel = must_have(chan_cancel_make());
	struct chan_cancel *hears = must_have(chan_cancel_restrict(cancel, CHAN_RECV));
	struct chan_cancel *tells = must_have(chan_cancel_restrict(cancel, CHAN_SEND));

	EXPECT_EQ(-EBADF, err(chan_cancel(hears, 0)));
	EXPECT_EQ(-EBADF, err(chan_cancel_wait(tells)));
	EXPECT_EQ(0, err_handle(chan_cancel_child(hears)));
	EXPECT_EQ(1, err(chan_cancel(tells, EIO)));
	EXPECT_EQ(EIO, err(chan_cancel_wait(hears)));
	chan_cancel_drop(cancel);
	chan_cancel_drop(hears);
	chan_cancel_drop(tells);
}

static int sleeper(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

/* Whoever could cancel is gone: those who listen hear it, whoever it was. */
TEST(nobody_is_left_to_cancel)
{
	struct chan_cancel *cancel = must_have(chan_cancel_make());
	struct chan_cancel *hears = must_have(chan_cancel_restrict(cancel, CHAN_RECV));
	struct task *child = task_start(PROCESS, sleeper, NULL);

	chan_cancel_drop(cancel);
	EXPECT_EQ(0, err(chan_cancel_cause(hears)));
	task_kill(child);
	EXPECT_EQ(EOWNERDEAD, err(chan_cancel_wait(hears)));
	EXPECT_EQ(KILLED(SIGKILL), task_join(child));
	chan_cancel_drop(hears);
}

TEST_HARNESS_MAIN
