// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions in threads: counted down however they end, at most as many as the limit
 * says, in threads that are used again.  Also built with the address and with the
 * thread sanitizer.
 */
#include "kselftest_harness.h"
#include "go_util.h"

static void nothing(void *arg)
{
	(void)arg;
}

static void add_one(void *arg)
{
	count_up((int *)arg);
}

TEST(calls_the_function_with_its_argument)
{
	struct chan_wg *wg = must_make_wg(0);
	int n = 0;

	for (int i = 0; i < 20; i++)
		ASSERT_EQ(0, err(chan_go(wg, add_one, &n)));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(20, n);
	EXPECT_EQ(0, chan_wg_count(wg));
	chan_wg_drop(wg);
}

static void stop(void *gate)
{
	stop_at(gate);
}

TEST(counts_from_the_call_to_the_end)
{
	struct chan_wg *wg = must_make_wg(0);
	struct chan *gate = must_make(0, 0);

	ASSERT_EQ(0, err(chan_go(wg, stop, gate)));
	EXPECT_EQ(1, chan_wg_count(wg));
	ASSERT_EQ(0, err(chan_go(wg, stop, gate)));
	EXPECT_EQ(2, chan_wg_count(wg));
	EXPECT_EQ(-EAGAIN, err(chan_wg_try_wait(wg)));
	EXPECT_EQ(0, err(chan_send(gate, NULL)));
	wait_until(chan_wg_count(wg) == 1);
	EXPECT_EQ(0, err(chan_close(gate)));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	chan_drop(gate);
	chan_wg_drop(wg);
}

static void send_pulse(void *c)
{
	must(!chan_send(c, NULL));
}

TEST(needs_no_wait_group)
{
	struct chan *c = must_make(0, 0);

	EXPECT_EQ(0, err(chan_go(NULL, send_pulse, c)));
	EXPECT_EQ(1, err(chan_recv(c, NULL)));
	chan_drop(c);
}

/* What the function did to plain memory is there after the wait. */
static void write_plain(void *arg)
{
	++*(int *)arg;
}

TEST(the_end_happens_before_the_wait_returns)
{
	struct chan_wg *wg = must_make_wg(0);
	int n = 0;

	for (int i = 1; i <= 500; i++) {
		ASSERT_EQ(0, err(chan_go(wg, write_plain, &n)));
		ASSERT_EQ(0, err(chan_wg_wait(wg)));
		ASSERT_EQ(i, n);
	}
	chan_wg_drop(wg);
}

/* The thread that counts down last must not touch the group after that. */
TEST(the_group_may_go_once_the_wait_is_over)
{
	for (int i = 0; i < FEWER(200); i++) {
		struct chan_wg *wg = must_make_wg(0);

		for (int n = 0; n < 4; n++)
			ASSERT_EQ(0, err(chan_go(wg, nothing, NULL)));
		ASSERT_EQ(0, err(chan_wg_wait(wg)));
		chan_wg_drop(wg);
	}
}

/* ---- the cache ---- */

static void tell_tid(void *arg)
{
	store((pid_t *)arg, my_tid());
}

/* Runs a function and waits until its thread, whose number is returned, has no work. */
static pid_t run_and_settle(struct chan_wg *wg)
{
	pid_t tid = 0;

	must(!chan_go(wg, tell_tid, &tid));
	must(!chan_wg_wait(wg));
	wait_until(asleep(tid));
	return tid;
}

TEST(a_thread_runs_the_next_function)
{
	struct chan_wg *wg = must_make_wg(0);
	pid_t tid = run_and_settle(wg);

	for (int i = 0; i < 20; i++)
		ASSERT_EQ(tid, run_and_settle(wg));
	EXPECT_NE(tid, my_tid());
	chan_wg_drop(wg);
}

#ifndef SANITIZED
TEST(threads_without_work_are_few_and_end)
{
	int many = 2 * CHAN_GO_IDLE_MAX;
	struct chan_wg *wg = must_make_wg(0);
	struct chan *gate = must_make(0, 0);
	__s64 start;

	for (int i = 0; i < many; i++)
		ASSERT_EQ(0, err(chan_go(wg, stop, gate)));
	wait_blocked(gate, 0, many);
	EXPECT_EQ(1 + many, count_threads());
	start = now();
	EXPECT_EQ(0, err(chan_close(gate)));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	wait_until(count_threads() <= 1 + CHAN_GO_IDLE_MAX);
	wait_until(count_threads() == 1);
	EXPECT_GE(now() - start, CHAN_GO_IDLE_TIME);
	chan_drop(gate);
	chan_wg_drop(wg);
}
#endif

/*
 * Race: a thread's wait for work ends by its time limit just when it is given some.
 * The work must neither be lost nor done twice.
 */
TEST(work_that_comes_as_the_wait_for_it_ends)
{
	struct chan_wg *wg = must_make_wg(0);
	struct chan *gate = must_make(0, 0);
	int started = 0, n = 0;
	__s64 idle_since;

	for (int i = 0; i < 64; i++)
		ASSERT_EQ(0, err(chan_go(wg, stop, gate)));
	idle_since = now();
	EXPECT_EQ(0, err(chan_close(gate)));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	while (now() < idle_since + CHAN_GO_IDLE_TIME - 5 * CHAN_MILLISECOND)
		usleep(100);
	/* All give up within this time, but for those that work keeps alive. */
	while (now() < idle_since + CHAN_GO_IDLE_TIME + 200 * CHAN_MILLISECOND) {
		for (int i = 0; i < 8; i++, started++)
			ASSERT_EQ(0, err(chan_go(wg, add_one, &n)));
		ASSERT_EQ(0, err(chan_wg_wait(wg)));
	}
	EXPECT_EQ(started, n);
	EXPECT_GT(started, 0);
	chan_drop(gate);
	chan_wg_drop(wg);
}

/* ---- however it ends ---- */

static void exit_thread(void *arg)
{
	pthread_exit(arg);
}

static void wait_to_be_cancelled(void *arg)
{
	store((pthread_t *)arg, pthread_self());
	for (;;)
		pause();
}

TEST(counts_down_at_pthread_exit)
{
	struct chan_wg *wg = must_make_wg(0);

	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, err(chan_go(wg, exit_thread, NULL)));
		ASSERT_EQ(0, err(chan_wg_wait(wg)));
	}
#ifndef SANITIZED
	wait_until(count_threads() == 1);
#endif
	chan_wg_drop(wg);
}

TEST(counts_down_at_pthread_cancel)
{
	struct chan_wg *wg = must_make_wg(0);

	for (int i = 0; i < 10; i++) {
		pthread_t thread = 0;

		ASSERT_EQ(0, err(chan_go(wg, wait_to_be_cancelled, &thread)));
		wait_until(load(&thread));
		ASSERT_EQ(1, chan_wg_count(wg));
		ASSERT_EQ(0, pthread_cancel(thread));
		ASSERT_EQ(0, err(chan_wg_wait(wg)));
	}
	chan_wg_drop(wg);
}

/* Race: the cancel comes as the function returns.  It must not meet the next one. */
static void be_cancelled_too_late(void *arg)
{
	(void)arg;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cancel(pthread_self());
}

static void survive(void *arg)
{
	int state;

	pthread_testcancel();
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	if (state == PTHREAD_CANCEL_ENABLE)
		count_up((int *)arg);
}

TEST(a_late_cancel_is_not_the_next_functions)
{
	struct chan_wg *wg = must_make_wg(0);
	int survived = 0;

	for (int i = 1; i <= 20; i++) {
		ASSERT_EQ(0, err(chan_go(wg, be_cancelled_too_late, NULL)));
		ASSERT_EQ(0, err(chan_wg_wait(wg)));
		ASSERT_EQ(0, err(chan_go(wg, survive, &survived)));
		ASSERT_EQ(0, err(chan_wg_wait(wg)));
		ASSERT_EQ(i, survived);
	}
	chan_wg_drop(wg);
}

/* ---- signals ---- */

static void tell_mask(void *arg)
{
	must(!pthread_sigmask(SIG_SETMASK, NULL, arg));
}

static void block(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	must(!pthread_sigmask(how, &set, NULL));
}

TEST(starts_with_the_callers_signal_mask)
{
	struct chan_wg *wg = must_make_wg(0);
	sigset_t mask;

	for (int i = 0; i < 6; i++) {
		/* The first in a new thread, the others mostly not. */
		block(i % 2 ? SIG_BLOCK : SIG_UNBLOCK, SIGUSR1);
		ASSERT_EQ(0, err(chan_go(wg, tell_mask, &mask)));
		ASSERT_EQ(0, err(chan_wg_wait(wg)));
		ASSERT_EQ(i % 2, sigismember(&mask, SIGUSR1));
		ASSERT_EQ(0, sigismember(&mask, SIGUSR2));
	}
	chan_wg_drop(wg);
}

/* A thread without work must not take the signals that all the others have blocked. */
TEST(threads_without_work_take_no_signals)
{
	struct chan_wg *wg = must_make_wg(0);
	sigset_t pending;

	catch_signal(SIGUSR1, 0);
	run_and_settle(wg);
	block(SIG_BLOCK, SIGUSR1);
	ASSERT_EQ(0, kill(getpid(), SIGUSR1));
	ASSERT_EQ(0, sigpending(&pending));
	EXPECT_EQ(1, sigismember(&pending, SIGUSR1));
	chan_wg_drop(wg);
}

/* ---- the limit ---- */

#define LIMIT 4

struct crowded {
	struct chan_wg *wg;
	struct chan *gate;
	int running, most, ended;
};

static void be_one_of_few(void *arg)
{
	struct crowded *c = arg;
	int running = count_up(&c->running) + 1, most = load(&c->most);

	while (running > most &&
	       !__atomic_compare_exchange_n(&c->most, &most, running, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST))
		;
	stop_at(c->gate);
	__atomic_fetch_sub(&c->running, 1, __ATOMIC_SEQ_CST);
	count_up(&c->ended);
}

static int start_many(void *arg)
{
	struct crowded *c = arg;

	for (int i = 0; i < 10 * LIMIT; i++)
		CHECK(!chan_go(c->wg, be_one_of_few, c));
	return 0;
}

TEST(no_more_run_than_the_limit)
{
	struct crowded c = { .wg = must_make_wg(LIMIT), .gate = must_make(0, 0) };
	struct task *starter = task_start(THREAD, start_many, &c);

	for (int i = 0; i < 10 * LIMIT; i++) {
		int left = 10 * LIMIT - i;

		/* All that may run do, and whoever would start more waits. */
		wait_blocked(c.gate, 0, left < LIMIT ? left : LIMIT);
		if (left > LIMIT)
			wait_blocked_on_wg(c.wg, 1, 0);
		ASSERT_EQ(0, err(chan_send(c.gate, NULL)));
	}
	EXPECT_EQ(0, task_join(starter));
	EXPECT_EQ(0, err(chan_wg_wait(c.wg)));
	EXPECT_EQ(LIMIT, c.most);
	EXPECT_EQ(10 * LIMIT, c.ended);
	chan_drop(c.gate);
	chan_wg_drop(c.wg);
}

TEST(the_wait_for_the_limit_can_be_bounded)
{
	struct chan_cancel *cancel = chan_cancel_make();
	struct chan_wg *wg = must_make_wg(1);
	struct chan *gate = must_make(0, 0);
	int n = 0;

	ASSERT_EQ(0, err(chan_try_go(wg, stop, gate)));
	EXPECT_EQ(-EAGAIN, err(chan_try_go(wg, add_one, &n)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_go_until(wg, add_one, &n, chan_after(CHAN_MILLISECOND))));
	EXPECT_EQ(-ETIMEDOUT, err(chan_go_with(wg, add_one, &n,
			&(struct chan_bounds){ .deadline = chan_after(CHAN_MILLISECOND) })));
	ASSERT_EQ(1, err(chan_cancel(cancel, 0)));
	EXPECT_EQ(-ECANCELED, err(chan_go_with(wg, add_one, &n,
			&(struct chan_bounds){ .cancel = cancel })));
	EXPECT_EQ(1, chan_wg_count(wg));
	EXPECT_EQ(0, err(chan_close(gate)));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(0, n);
	EXPECT_EQ(0, err(chan_go_until(wg, add_one, &n, chan_after(10 * CHAN_SECOND))));
	EXPECT_EQ(0, err(chan_go_with(wg, add_one, &n, NULL)));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(2, n);
	chan_drop(gate);
	chan_wg_drop(wg);
	chan_cancel_drop(cancel);
}

/* ---- failures change nothing ---- */

TEST(senseless_arguments)
{
	struct chan_wg *wg = must_make_wg(0);
	struct chan_wg *waiting_only = chan_wg_restrict(wg, CHAN_RECV);
	struct chan_token *token = chan_wg_token(wg);

	EXPECT_EQ(-EINVAL, err(chan_go(wg, NULL, NULL)));
	EXPECT_EQ(-EINVAL, err(chan_go(NULL, NULL, NULL)));
	EXPECT_EQ(-EBADF, err(chan_go(waiting_only, nothing, NULL)));
	EXPECT_EQ(-EBADF, err(chan_go_token(NULL, nothing, NULL)));
	EXPECT_EQ(-EINVAL, err(chan_go_token(token, NULL, NULL)));
	EXPECT_EQ(1, chan_wg_count(wg));
	EXPECT_EQ(-EINVAL, err(chan_go_set_stack(1)));
	EXPECT_EQ(-EINVAL, err(chan_go_set_stack(SIZE_MAX)));
	chan_token_drop(token);
	chan_wg_drop(waiting_only);
	chan_wg_drop(wg);
}

TEST(too_many_threads)
{
	struct chan_wg *wg = must_make_wg(0);
	struct chan_token *token = chan_wg_token(wg);

	allow_no_more_threads();
	EXPECT_EQ(-EDQUOT, err(chan_go(wg, nothing, NULL)));
	EXPECT_EQ(-EDQUOT, err(chan_go_token(token, nothing, NULL)));
	EXPECT_EQ(1, chan_wg_count(wg));
	EXPECT_EQ(0, err(chan_token_done(token)));
	chan_token_drop(token);
	chan_wg_drop(wg);
}

/* ---- tokens ---- */

TEST(a_token_is_done_when_the_function_ends)
{
	void (*const ends[])(void *) = { nothing, exit_thread, be_cancelled_too_late };
	struct chan_wg *wg = must_make_wg(0);
	int fds;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		fds = count_fds();
		ASSERT_EQ(0, err(chan_go_token(chan_wg_token(wg), ends[i], NULL)));
		ASSERT_EQ(0, err(chan_wg_wait(wg)));
		wait_until(count_fds() == fds);
	}
	chan_wg_drop(wg);
}

struct doomed {
	struct chan_wg *wg;
	struct chan *gate;
};

static int run_in_threads(void *arg)
{
	struct doomed *d = arg;

	for (int i = 0; i < 3; i++)
		CHECK(!chan_go_token(chan_wg_token(d->wg), stop, d->gate));
	return chan_recv(d->gate, NULL);
}

TEST(a_token_is_abandoned_when_the_process_dies)
{
	struct doomed d = { must_make_wg(0), must_make(0, 0) };
	struct task *task = task_start(PROCESS, run_in_threads, &d);

	wait_blocked(d.gate, 0, 4);
	EXPECT_EQ(3, chan_wg_count(d.wg));
	task_kill(task);
	EXPECT_EQ(-EOWNERDEAD, err(chan_wg_wait(d.wg)));
	EXPECT_EQ(3, chan_wg_abandoned(d.wg));
	EXPECT_EQ(KILLED(SIGKILL), task_join(task));
	chan_drop(d.gate);
	chan_wg_drop(d.wg);
}

/* ---- stacks ---- */

#ifndef SANITIZED
struct stack {
	size_t size, guard;
};

static void tell_stack(void *arg)
{
	struct stack *stack = arg;
	pthread_attr_t attr;

	must(!pthread_getattr_np(pthread_self(), &attr));
	must(!pthread_attr_getstacksize(&attr, &stack->size));
	must(!pthread_attr_getguardsize(&attr, &stack->guard));
	pthread_attr_destroy(&attr);
}

TEST(stacks_are_small_and_guarded)
{
	struct chan_wg *wg = must_make_wg(0);
	struct stack stack;

	ASSERT_EQ(0, err(chan_go(wg, tell_stack, &stack)));
	ASSERT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(CHAN_GO_STACK, stack.size);
	EXPECT_GE(stack.guard, (size_t)sysconf(_SC_PAGESIZE));
	chan_wg_drop(wg);
}

/* The compiler may not know that nobody looks at the page. */
static void use_stack(void *arg)
{
	char page[4096] = "";

	__asm__ volatile("" : : "r"(page) : "memory");
	if (*(size_t *)arg > sizeof(page)) {
		*(size_t *)arg -= sizeof(page);
		use_stack(arg);
	}
	__asm__ volatile("" : : "r"(page) : "memory");
}

static int use_stack_in_a_thread(void *arg)
{
	struct chan_wg *wg = must_make_wg(0);

	CHECK(!chan_go(wg, use_stack, arg));
	CHECK(!chan_wg_wait(wg));
	return 0;
}

TEST(too_much_stack_is_a_fault_of_its_own)
{
	size_t much = 2 * CHAN_GO_STACK, some = CHAN_GO_STACK / 2;

	EXPECT_EQ(0, task_join(task_start(PROCESS, use_stack_in_a_thread, &some)));
	EXPECT_EQ(KILLED(SIGSEGV), task_join(task_start(PROCESS, use_stack_in_a_thread, &much)));
}

TEST(stacks_can_be_larger)
{
	struct chan_wg *wg = must_make_wg(0);
	pid_t small = run_and_settle(wg);
	size_t much = 8 * CHAN_GO_STACK;
	struct stack stack;

	ASSERT_EQ(0, err(chan_go_set_stack(10 * CHAN_GO_STACK)));
	wait_until(count_threads() == 1);
	EXPECT_NE(small, run_and_settle(wg));
	EXPECT_EQ(0, err(chan_go(wg, use_stack, &much)));
	EXPECT_EQ(0, err(chan_go(wg, tell_stack, &stack)));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(10 * CHAN_GO_STACK, stack.size);
	ASSERT_EQ(0, err(chan_go_set_stack(0)));
	EXPECT_EQ(0, err(chan_go(wg, tell_stack, &stack)));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(CHAN_GO_STACK, stack.size);
	chan_wg_drop(wg);
}

/* A thread that was at work when the size changed is not used again. */
TEST(a_thread_at_work_keeps_its_stack)
{
	struct chan_wg *wg = must_make_wg(0);
	struct chan *gate = must_make(0, 0);

	ASSERT_EQ(0, err(chan_go(wg, stop, gate)));
	wait_blocked(gate, 0, 1);
	ASSERT_EQ(0, err(chan_go_set_stack(2 * CHAN_GO_STACK)));
	EXPECT_EQ(0, err(chan_close(gate)));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	wait_until(count_threads() == 1);
	chan_drop(gate);
	chan_wg_drop(wg);
}

/* ---- fork ---- */

static int go_in_child(void *arg)
{
	struct chan_wg *wg = must_make_wg(0);
	int n = 0;

	(void)arg;
	CHECK(count_threads() == 1);
	for (int i = 0; i < 8; i++)
		CHECK(!chan_go(wg, add_one, &n));
	CHECK(!chan_wg_wait(wg));
	CHECK(n == 8);
	return 0;
}

TEST(a_child_has_none_of_the_threads_and_starts_its_own)
{
	struct chan_wg *wg = must_make_wg(0);
	pid_t tid = run_and_settle(wg);

	EXPECT_EQ(0, task_join(task_start(PROCESS, go_in_child, NULL)));
	EXPECT_EQ(tid, run_and_settle(wg));
	chan_wg_drop(wg);
}

struct hammer {
	int stop;
};

static int hammer(void *arg)
{
	struct hammer *h = arg;
	struct chan_wg *wg = must_make_wg(0);

	while (!load(&h->stop)) {
		for (int i = 0; i < 4; i++)
			CHECK(!chan_go(wg, nothing, NULL));
		CHECK(!chan_wg_wait(wg));
	}
	chan_wg_drop(wg);
	return 0;
}

/* Race: the fork finds the list of threads without work while it changes. */
TEST(forks_while_threads_come_and_go)
{
	struct hammer h = { 0 };
	struct task *tasks[2];

	for (int i = 0; i < 2; i++)
		tasks[i] = task_start(THREAD, hammer, &h);
	for (int i = 0; i < FEWER(30); i++)
		ASSERT_EQ(0, task_join(task_start(PROCESS, go_in_child, NULL)));
	store(&h.stop, 1);
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, task_join(tasks[i]));
}

/* The child of a function returns from it too, but only the parent counts. */
static void fork_in_function(void *arg)
{
	pid_t *child = arg;

	*child = fork();
}

TEST(a_function_that_forks_ends_once)
{
	struct chan_wg *wg = must_make_wg(0);
	pid_t child = 0;

	must(!chan_wg_add(wg, 1));
	ASSERT_EQ(0, err(chan_go(wg, fork_in_function, &child)));
	wait_until(chan_wg_count(wg) == 1);
	EXPECT_EQ(0, reap(child));
	EXPECT_EQ(1, chan_wg_count(wg));
	chan_wg_drop(wg);
}
#endif

TEST_HARNESS_MAIN
