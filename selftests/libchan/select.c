// SPDX-License-Identifier: GPL-2.0-only
/* Select through libchan: its cases, its outcomes and its forms. */
#include "kselftest_harness.h"
#include "chan_util.h"

#define UNTOUCHED 0x5a5a5a5a

/* More cases than a select keeps room for by itself. */
#define MANY 100

static struct chan *buffer_with(int value)
{
	struct chan *c = must_make(sizeof(int), 1);

	must(!chan_send(c, &value));
	return c;
}

/* An outcome that a case shows when it is done, and one that it does not. */
static void poison(struct chan_case *c)
{
	c->result = c->error = UNTOUCHED;
	c->value = UNTOUCHED;
}

static bool untouched(const struct chan_case *c)
{
	return c->result == UNTOUCHED && c->error == UNTOUCHED && c->value == UNTOUCHED;
}

/* ---- as a program writes it ---- */

TEST(switch_on_what_happened)
{
	struct chan *numbers = buffer_with(42), *empty = must_make(sizeof(int), 0);
	int in = 0, out = 7, seen = 0;
	struct chan_case cases[] = {
		chan_on_recv(numbers, &in),
		chan_on_send(empty, &out),
	};

	switch (chan_select(cases, CHAN_LENGTH(cases))) {
	case 0:
		EXPECT_EQ(1, cases[0].result);
		EXPECT_EQ(0, cases[0].error);
		EXPECT_EQ(42, in);
		seen = 1;
		break;
	default:
		break;
	}
	EXPECT_EQ(1, seen);
	EXPECT_EQ(-EAGAIN, err(chan_try_select(cases, CHAN_LENGTH(cases))));
	chan_drop(numbers);
	chan_drop(empty);
}

/* ---- every constructor, chosen alone ---- */

/* The only case that is ready beside one that never is. */
static struct chan_case chosen(struct chan_case ready)
{
	struct chan *never = must_make(0, 0);
	struct chan_case cases[] = { chan_on_recv(never, NULL), ready };

	poison(&cases[0]);
	poison(&cases[1]);
	must(chan_select(cases, 2) == 1);
	must(untouched(&cases[0]));
	chan_drop(never);
	return cases[1];
}

TEST(send_and_receive)
{
	struct chan *c = must_make(sizeof(int), 1);
	int value = 9, got = 0;
	struct chan_case done = chosen(chan_on_send(c, &value));

	EXPECT_EQ(0, done.result);
	EXPECT_EQ(0, done.error);
	EXPECT_EQ(0, done.value);
	done = chosen(chan_on_recv(c, &got));
	EXPECT_EQ(1, done.result);
	EXPECT_EQ(9, got);
	ASSERT_EQ(0, err(chan_close(c)));
	done = chosen(chan_on_recv(c, &got));
	EXPECT_EQ(0, done.result);
	EXPECT_EQ(0, done.error);
	EXPECT_EQ(0, got);
	done = chosen(chan_on_send(c, &value));
	EXPECT_EQ(-1, done.result);
	EXPECT_EQ(EPIPE, done.error);
	chan_drop(c);
}

TEST(units)
{
	struct chan_wg *wg = must_have(chan_wg_make(0));
	struct chan_sem *sem = must_have(chan_sem_make(5));

	EXPECT_EQ(0, chosen(chan_on_zero(wg)).result);
	EXPECT_EQ(0, chosen(chan_on_add(wg, 3)).result);
	EXPECT_EQ(3, chan_wg_count(wg));
	EXPECT_EQ(0, chosen(chan_on_acquire(sem, 5)).result);
	EXPECT_EQ(5, state_of(sem).count);
	chan_wg_drop(wg);
	chan_sem_drop(sem);
}

TEST(abandoned_units)
{
	struct chan_wg *wg = must_have(chan_wg_make(0));
	struct chan_case done;

	ASSERT_EQ(0, err(chan_wg_add(wg, 2)));
	chan_token_drop(must_have(chan_wg_into_token(wg, 2)));
	done = chosen(chan_on_zero(wg));
	EXPECT_EQ(-1, done.result);
	EXPECT_EQ(EOWNERDEAD, done.error);
	EXPECT_EQ(2, done.value);
	/* Only looked at, it has no outcome. */
	EXPECT_EQ(0, err(chan_select_with(&done, 1, CHAN_READY, NULL)));
	EXPECT_EQ(0, done.result);
	EXPECT_EQ(0, done.error);
	chan_wg_drop(wg);
}

TEST(locks)
{
	struct chan_mutex *m = must_have(chan_mutex_make());
	struct chan_rwmutex *rw = must_have(chan_rwmutex_make());
	struct chan_once *once = must_have(chan_once_make());

	EXPECT_EQ(0, chosen(chan_on_lock(m)).result);
	EXPECT_EQ(0, err(chan_mutex_unlock(m)));
	EXPECT_EQ(0, chosen(chan_on_rlock(rw)).result);
	EXPECT_EQ(0, err(chan_rwmutex_runlock(rw)));
	EXPECT_EQ(0, chosen(chan_on_wlock(rw)).result);
	EXPECT_EQ(0, err(chan_rwmutex_unlock(rw)));
	EXPECT_EQ(0, chosen(chan_on_once(once)).result);
	EXPECT_EQ(0, err(chan_once_done(once)));
	EXPECT_EQ(1, chosen(chan_on_once(once)).result);
	chan_mutex_drop(m);
	chan_rwmutex_drop(rw);
	chan_once_drop(once);
}

TEST(values)
{
	struct chan_timer *timer = must_have(chan_timer_after(0));
	struct chan_cells *cells = must_have(chan_cells_make(3));
	struct chan_cancel *cancel = must_have(chan_cancel_make());
	struct chan_case done = chosen(chan_on_tick(timer));

	EXPECT_EQ(0, done.result);
	EXPECT_EQ(1, done.value);
	chan_cells_store(cells, 2, 77);
	done = chosen(chan_on_differs(cells, 2, 0));
	EXPECT_EQ(0, done.result);
	EXPECT_EQ(77, done.value);
	ASSERT_EQ(1, err(chan_cancel(cancel, EIO)));
	done = chosen(chan_on_cancel(cancel));
	EXPECT_EQ(0, done.result);
	EXPECT_EQ(EIO, done.value);
	chan_timer_drop(timer);
	chan_cells_drop(cells);
	chan_cancel_drop(cancel);
}

/* ---- a select that waits ---- */

struct job {
	struct chan_case *cases;
	size_t n;
	unsigned int how;
	const struct chan_bounds *bounds;
	int ret;
};

static int do_select(void *arg)
{
	struct job *job = arg;

	job->ret = err(chan_select_with(job->cases, job->n, job->how, job->bounds));
	return 0;
}

TEST(waits_for_whoever_comes)
{
	struct chan *in = must_make(sizeof(int), 0), *out = must_make(sizeof(int), 0);
	int value = 5, got = UNTOUCHED;

	for (int turn = 0; turn < 2; turn++) {
		struct chan_case cases[] = { chan_on_recv(in, &got), chan_on_send(out, &value) };
		struct job job = { .cases = cases, .n = 2 };
		struct task *task = task_start(THREAD, do_select, &job);
		int theirs = 0;

		wait_blocked(in, 0, 1);
		wait_blocked(out, 1, 0);
		EXPECT_EQ(turn, err(turn ? chan_recv(out, &theirs) : chan_send(in, &(int){ 6 })));
		EXPECT_EQ(0, task_join(task));
		EXPECT_EQ(turn, job.ret);
		EXPECT_EQ(turn ? 0 : 1, cases[turn].result);
		EXPECT_EQ(turn ? 5 : 0, theirs);
		EXPECT_EQ(6, got);
		EXPECT_TRUE(waiting(chan_fd(in), 0, 0));
		EXPECT_TRUE(waiting(chan_fd(out), 0, 0));
	}
	chan_drop(in);
	chan_drop(out);
}

TEST(blocked_send_hears_of_close)
{
	struct chan *c = must_make(sizeof(int), 0);
	struct chan_case send = chan_on_send(c, &(int){ 1 });
	struct job job = { .cases = &send, .n = 1 };
	struct task *task = task_start(THREAD, do_select, &job);

	wait_blocked(c, 1, 0);
	EXPECT_EQ(0, err(chan_close(c)));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(0, job.ret);
	EXPECT_EQ(-1, send.result);
	EXPECT_EQ(EPIPE, send.error);
	chan_drop(c);
}

/* Its threads may meet a select in another process on a rendezvous. */
TEST(meets_a_select_in_another_process)
{
	struct chan *c = must_make(sizeof(int), 0);
	int value = 3, got = 0;
	struct chan_case send = chan_on_send(c, &value), recv = chan_on_recv(c, &got);
	struct job job = { .cases = &send, .n = 1 };
	struct task *task = task_start(PROCESS, do_select, &job);

	EXPECT_EQ(0, err(chan_select(&recv, 1)));
	EXPECT_EQ(1, recv.result);
	EXPECT_EQ(3, got);
	EXPECT_EQ(0, task_join(task));
	chan_drop(c);
}

/* ---- NULL handles ---- */

TEST(null_handles_are_skipped)
{
	struct chan *c = buffer_with(1);
	int value = UNTOUCHED;
	struct chan_case cases[] = {
		chan_on_recv(NULL, NULL), chan_on_send(NULL, NULL), chan_on_zero(NULL),
		chan_on_add(NULL, 1), chan_on_acquire(NULL, 1), chan_on_lock(NULL),
		chan_on_wlock(NULL), chan_on_rlock(NULL), chan_on_once(NULL), chan_on_tick(NULL),
		chan_on_differs(NULL, 1, 2), chan_on_cancel(NULL), chan_on_recv(c, &value),
	};

	EXPECT_EQ(12, err(chan_select(cases, CHAN_LENGTH(cases))));
	EXPECT_EQ(1, value);
	EXPECT_EQ(-EAGAIN, err(chan_try_select(cases, 12)));
	chan_drop(c);
}

TEST(no_case_is_never_ready)
{
	struct chan_case none = chan_on_recv(NULL, NULL);
	int64_t soon = chan_after(5 * CHAN_MILLISECOND);

	EXPECT_EQ(-EAGAIN, err(chan_try_select(NULL, 0)));
	EXPECT_EQ(-EAGAIN, err(chan_try_select(&none, 1)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_select_until(NULL, 0, soon)));
	EXPECT_LE(soon, chan_now());
	EXPECT_EQ(-ETIMEDOUT, err(chan_select_until(&none, 1, 1)));
}

static void ignore(int sig)
{
	(void)sig;
}

/* Go's select {}: nothing but a signal ends it.  No object counts who waits there. */
TEST(no_case_waits_for_a_signal)
{
	struct job job = { .n = 0 };
	struct task *task;

	must(!sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = ignore }, NULL));
	task = task_start(THREAD, do_select, &job);
	wait_asleep(task);
	task_signal(task, SIGUSR1);
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(-EINTR, job.ret);
}

/* ---- in order, ready ---- */

TEST(in_order_takes_the_first)
{
	struct chan *c[3];
	int value;

	for (int i = 0; i < 3; i++)
		c[i] = must_make(sizeof(int), 100);
	for (int round = 0; round < 50; round++) {
		struct chan_case cases[] = {
			chan_on_recv(c[0], &value), chan_on_recv(c[1], &value),
			chan_on_recv(c[2], &value),
		};

		must(!chan_send(c[1], &round) && !chan_send(c[2], &round));
		ASSERT_EQ(1, err(chan_select_with(cases, 3, CHAN_IN_ORDER, NULL)));
		ASSERT_EQ(round, value);
	}
	EXPECT_EQ(50, chan_len(c[2]));
	for (int i = 0; i < 3; i++)
		chan_drop(c[i]);
}

/* Otherwise both have their turn: that one never does has odds of 2 in 2^200. */
TEST(else_each_has_its_turn)
{
	struct chan *c = buffer_with(1);
	int value, times[2] = { 0 };

	for (int round = 0; round < 200; round++) {
		struct chan_case cases[] = { chan_on_recv(c, &value), chan_on_recv(c, &value) };
		int i = err(chan_select(cases, 2));

		ASSERT_LE(0, i);
		times[i]++;
		ASSERT_EQ(0, err(chan_send(c, &value)));
	}
	EXPECT_LT(0, times[0]);
	EXPECT_LT(0, times[1]);
	chan_drop(c);
}

TEST(ready_does_nothing)
{
	struct chan *full = buffer_with(1), *empty = must_make(sizeof(int), 0);
	struct chan_object_stat before = state_of(full);
	int value = UNTOUCHED;
	struct chan_case cases[] = { chan_on_recv(empty, &value), chan_on_recv(full, &value) };

	EXPECT_EQ(1, err(chan_select_with(cases, 2, CHAN_READY, NULL)));
	EXPECT_EQ(0, cases[1].result);
	EXPECT_EQ(UNTOUCHED, value);
	EXPECT_TRUE(same_state(before, full));
	EXPECT_EQ(-EAGAIN, err(chan_select_with(cases, 1, CHAN_READY | CHAN_TRY, NULL)));
	chan_drop(full);
	chan_drop(empty);
}

/* It is in no queue, so no object counts it. */
TEST(ready_waits)
{
	struct chan *c = must_make(sizeof(int), 1);
	int value = UNTOUCHED;
	struct chan_case recv = chan_on_recv(c, &value);
	struct job job = { .cases = &recv, .n = 1, .how = CHAN_READY };
	struct task *task = task_start(THREAD, do_select, &job);

	wait_asleep(task);
	EXPECT_EQ(0, err(chan_send(c, &(int){ 8 })));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(0, job.ret);
	EXPECT_EQ(UNTOUCHED, value);
	EXPECT_EQ(1, chan_len(c));
	chan_drop(c);
}

/* ---- bounds ---- */

TEST(cancel_comes_first_in_order)
{
	struct chan_cancel *stop = must_have(chan_cancel_make());
	struct chan_bounds bounds = { .cancel = stop };
	struct chan *c = buffer_with(4);
	int value = UNTOUCHED;
	struct chan_case recv = chan_on_recv(c, &value);

	poison(&recv);
	ASSERT_EQ(1, err(chan_cancel(stop, 0)));
	for (int i = 0; i < 50; i++)
		ASSERT_EQ(-ECANCELED, err(chan_select_with(&recv, 1, CHAN_IN_ORDER, &bounds)));
	EXPECT_TRUE(untouched(&recv));
	EXPECT_EQ(UNTOUCHED, value);
	EXPECT_EQ(-ECANCELED, err(chan_select_with(NULL, 0, 0, &bounds)));
	chan_drop(c);
	chan_cancel_drop(stop);
}

TEST(cancel_shifts_no_index)
{
	struct chan_cancel *stop = must_have(chan_cancel_make());
	struct chan_bounds bounds = { .cancel = stop };
	struct chan *c = buffer_with(4), *empty = must_make(sizeof(int), 0);
	int value = UNTOUCHED;
	struct chan_case cases[] = {
		chan_on_recv(NULL, NULL), chan_on_recv(empty, &value), chan_on_recv(c, &value),
	};

	EXPECT_EQ(2, err(chan_select_with(cases, 3, 0, &bounds)));
	EXPECT_EQ(1, cases[2].result);
	EXPECT_EQ(4, value);
	chan_drop(c);
	chan_drop(empty);
	chan_cancel_drop(stop);
}

/* ---- mistakes ---- */

TEST(senseless_cases)
{
	struct chan *c = buffer_with(2), *sender, *receiver;
	struct chan_cells *cells = must_have(chan_cells_make(3));
	struct chan_object_stat before;
	int value = UNTOUCHED;

	sender = must_restrict(c, CHAN_SEND);
	receiver = must_restrict(c, CHAN_RECV);
	before = state_of(c);
	struct {
		struct chan_case wrong;
		int errnum;
	} tests[] = {
		{ chan_on_recv(sender, &value), EBADF },
		{ chan_on_send(receiver, &value), EBADF },
		{ chan_on_recv(c, NULL), EFAULT },
		{ chan_on_send(c, NULL), EFAULT },
		{ chan_on_differs(cells, 3, 0), EINVAL },
		{ chan_on_differs(cells, SIZE_MAX, 0), EINVAL },
		{ chan_on_differs(cells, (size_t)1 << 32, 0), EINVAL },
		{ chan_on_zero((struct chan_wg *)c), EINVAL },
	};
	for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
		/* One that is ready beside it changes nothing. */
		struct chan_case cases[] = { chan_on_recv(c, &value), tests[i].wrong };

		EXPECT_EQ(-tests[i].errnum, err(chan_select(cases, 2)));
		EXPECT_EQ(-tests[i].errnum, err(chan_try_select(cases, 2)));
	}
	EXPECT_EQ(UNTOUCHED, value);
	EXPECT_TRUE(same_state(before, c));
	chan_cells_drop(cells);
	chan_drop(c);
	chan_drop(sender);
	chan_drop(receiver);
}

TEST(senseless_select)
{
	struct chan_case none = chan_on_recv(NULL, NULL);

	EXPECT_EQ(-EFAULT, err(chan_try_select(NULL, 1)));
	EXPECT_EQ(-EINVAL, err(chan_select_with(&none, 1, 2, NULL)));
	EXPECT_EQ(-EINVAL, err(chan_select_with(&none, 1, 0x80000000, NULL)));
	EXPECT_EQ(-EINVAL, err(chan_select_until(&none, 1, -1)));
}

TEST(many_cases)
{
	struct chan *c = must_make(sizeof(int), MANY);
	struct chan_case cases[MANY];
	int value;

	for (int n = 1; n <= MANY; n++) {
		for (int i = 0; i < n - 1; i++)
			cases[i] = chan_on_recv(c, &value);
		cases[n - 1] = chan_on_send(c, &n);
		ASSERT_EQ(n - 1, err(chan_select_with(cases, n, CHAN_TRY, NULL)));
		ASSERT_EQ(1, err(chan_recv(c, &value)));
		ASSERT_EQ(n, value);
	}
	chan_drop(c);
}

TEST(most_cases)
{
	static struct chan_case cases[CHAN_CASES_MAX + 1];
	struct chan_cancel *stop = must_have(chan_cancel_make());
	struct chan_bounds bounds = { .deadline = 1, .cancel = stop };
	struct chan *c = must_make(0, 1);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cases[i] = chan_on_recv(i % 2 ? c : NULL, NULL);
	EXPECT_EQ(-E2BIG, err(chan_try_select(cases, CHAN_CASES_MAX + 1)));
	EXPECT_EQ(-E2BIG, err(chan_try_select(cases, SIZE_MAX)));
	EXPECT_EQ(-EAGAIN, err(chan_try_select(cases, CHAN_CASES_MAX)));
	EXPECT_EQ(-E2BIG, err(chan_select_with(cases, CHAN_CASES_MAX, 0, &bounds)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_select_with(cases, CHAN_CASES_MAX - 1, 0, &bounds)));
	ASSERT_EQ(0, err(chan_send(c, NULL)));
	EXPECT_LE(0, err(chan_try_select(cases, CHAN_CASES_MAX)));
	chan_drop(c);
	chan_cancel_drop(stop);
}

TEST_HARNESS_MAIN
