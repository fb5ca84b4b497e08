// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions in child processes: each holds a token, alone, so that its end counts
 * down at once, as done or as abandoned.
 */
#include "kselftest_harness.h"
#include "go_util.h"

/* What functions in children do, with a page that they share with the test. */
struct shared {
	struct chan *gate;
	pid_t pid;
	int n;
};

static struct shared *share(void)
{
	struct shared *s = shared_alloc(sizeof(*s));

	s->gate = must_make(0, 0);
	return s;
}

static int tell_pid(void *arg)
{
	struct shared *s = arg;

	s->pid = getpid();
	return 7;
}

static int stop(void *arg)
{
	struct shared *s = arg;

	stop_at(s->gate);
	return 0;
}

TEST(calls_the_function_in_a_child)
{
	struct shared *s = share();
	struct chan_wg *wg = must_make_wg(0);
	pid_t pid = chan_go_process(wg, tell_pid, s);

	ASSERT_GT(pid, 0);
	EXPECT_NE(pid, getpid());
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(7, reap(pid));
	EXPECT_EQ(pid, s->pid);
	pid = chan_go_process(NULL, tell_pid, s);
	ASSERT_GT(pid, 0);
	EXPECT_EQ(7, reap(pid));
	EXPECT_EQ(pid, s->pid);
}

TEST(counts_from_the_call_to_the_end)
{
	struct shared *s = share();
	struct chan_wg *wg = must_make_wg(0);
	int fds = count_fds();
	pid_t pid = chan_go_process(wg, stop, s);

	ASSERT_GT(pid, 0);
	EXPECT_EQ(fds, count_fds());
	EXPECT_EQ(1, chan_wg_count(wg));
	EXPECT_EQ(-EAGAIN, err(chan_wg_try_wait(wg)));
	EXPECT_EQ(0, err(chan_close(s->gate)));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(0, chan_wg_abandoned(wg));
	EXPECT_EQ(0, reap(pid));
}

/* ---- however it ends ---- */

static int end_by_exit(void *arg)
{
	(void)arg;
	exit(0);
}

static int end_by_quick_exit(void *arg)
{
	(void)arg;
	_exit(0);
}

static int end_by_exec(void *arg)
{
	(void)arg;
	execl("/bin/true", "true", NULL);
	return 1;
}

static int end_by_signal(void *arg)
{
	(void)arg;
	return raise(SIGKILL);
}

static int end_by_thread_exit(void *arg)
{
	pthread_exit(arg);
}

TEST(every_other_end_is_abandonment)
{
	int (*const ends[])(void *) = {
		end_by_exit, end_by_quick_exit, end_by_exec, end_by_signal, end_by_thread_exit,
	};
	struct chan_wg *wg = must_make_wg(0);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		pid_t pid = chan_go_process(wg, ends[i], NULL);

		ASSERT_GT(pid, 0);
		EXPECT_EQ(-EOWNERDEAD, err(chan_wg_wait(wg)));
		EXPECT_EQ(1, chan_wg_abandoned(wg));
		reap(pid);
	}
}

TEST(killed_while_blocked)
{
	struct shared *s = share();
	struct chan_wg *wg = must_make_wg(0);
	pid_t dead = chan_go_process(wg, stop, s), living = chan_go_process(wg, stop, s);

	ASSERT_GT(dead, 0);
	ASSERT_GT(living, 0);
	wait_blocked(s->gate, 0, 2);
	ASSERT_EQ(0, kill(dead, SIGKILL));
	EXPECT_EQ(KILLED(SIGKILL), reap(dead));
	EXPECT_EQ(1, chan_wg_count(wg));
	EXPECT_EQ(1, chan_wg_abandoned(wg));
	EXPECT_EQ(0, err(chan_close(s->gate)));
	EXPECT_EQ(-EOWNERDEAD, err(chan_wg_wait(wg)));
	EXPECT_EQ(0, reap(living));
}

/* The wait is over when the first of them dies, not at the caller's next look. */
TEST(a_death_ends_the_wait)
{
	struct shared *s = share();
	struct chan_wg *wg = must_make_wg(0);
	pid_t pid = chan_go_process(wg, stop, s);
	pid_t killer;

	ASSERT_GT(pid, 0);
	wait_blocked(s->gate, 0, 1);
	killer = fork();
	must(killer >= 0);
	if (!killer) {
		wait_blocked_on_wg(wg, 0, 1);
		_exit(kill(pid, SIGKILL));
	}
	EXPECT_EQ(-EOWNERDEAD, err(chan_wg_wait(wg)));
	EXPECT_EQ(0, reap(killer));
	EXPECT_EQ(KILLED(SIGKILL), reap(pid));
}

/* ---- nobody else holds the token ---- */

#define STARTERS 4
#define EACH 6

struct starter {
	struct chan_wg *wg;
	struct shared *s;
	pid_t pids[EACH];
};

static int start_processes(void *arg)
{
	struct starter *st = arg;

	for (int i = 0; i < EACH; i++) {
		st->pids[i] = chan_go_process(st->wg, stop, st->s);
		CHECK(st->pids[i] > 0);
	}
	return 0;
}

/* As a program does that knows nothing of libchan's processes. */
static int fork_processes(void *arg)
{
	struct starter *st = arg;

	for (int i = 0; i < EACH; i++) {
		st->pids[i] = fork();
		if (!st->pids[i])
			_exit(stop(st->s));
		CHECK(st->pids[i] > 0);
	}
	return 0;
}

static void kill_all(struct starter *st)
{
	for (int i = 0; i < EACH; i++)
		kill(st->pids[i], SIGKILL);
	for (int i = 0; i < EACH; i++)
		reap(st->pids[i]);
}

/*
 * Race: one thread forks between another's making of a token and its giving it away.
 * A child that got both would keep the other's unit, and the count would not go down.
 */
TEST(children_of_many_threads)
{
	struct chan_wg *wg = must_make_wg(0);
	struct starter starters[STARTERS + 1];
	struct task *tasks[STARTERS + 1];
	struct shared *s = share();
	int left = STARTERS * EACH;

	for (int i = 0; i <= STARTERS; i++) {
		starters[i] = (struct starter){ .wg = wg, .s = s };
		tasks[i] = task_start(THREAD, i ? start_processes : fork_processes,
				      &starters[i]);
	}
	for (int i = 0; i <= STARTERS; i++)
		EXPECT_EQ(0, task_join(tasks[i]));
	wait_blocked(s->gate, 0, left + EACH);
	for (int i = 1; i <= STARTERS; i++) {
		for (int j = 0; j < EACH; j++) {
			ASSERT_EQ(left--, chan_wg_count(wg));
			ASSERT_EQ(0, kill(starters[i].pids[j], SIGKILL));
			EXPECT_EQ(KILLED(SIGKILL), reap(starters[i].pids[j]));
		}
	}
	/* The others' children live, and hold nothing. */
	EXPECT_EQ(-EOWNERDEAD, err(chan_wg_wait(wg)));
	EXPECT_EQ(STARTERS * EACH, chan_wg_abandoned(wg));
	kill_all(&starters[0]);
}

/* ---- and what the program does at its forks ---- */

static pthread_mutex_t unrelated = PTHREAD_MUTEX_INITIALIZER;

static void lock_slowly(void)
{
	pthread_mutex_lock(&unrelated);
	usleep(1000);
}

static void unlock(void)
{
	pthread_mutex_unlock(&unrelated);
}

static int nothing_much(void *arg)
{
	(void)arg;
	return 0;
}

static int fork_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		CHECK(!reap(pid));
	}
	return 0;
}

/* Race: another's fork has the program's lock, and waits for what a start has. */
TEST(forks_take_the_programs_own_locks)
{
	struct chan_wg *wg = must_make_wg(0);
	struct task *forker;
	pid_t pid = chan_go_process(wg, nothing_much, NULL);

	EXPECT_EQ(0, reap(pid));
	must(!pthread_atfork(lock_slowly, unlock, unlock));
	forker = task_start(THREAD, fork_often, NULL);
	for (int i = 0; i < 50; i++) {
		pid = chan_go_process(wg, nothing_much, NULL);
		ASSERT_GT(pid, 0);
		EXPECT_EQ(0, reap(pid));
	}
	EXPECT_EQ(0, task_join(forker));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
}

/* ---- by a thread that is to end ---- */

struct cancelled {
	struct chan_wg *wg;
	struct shared *s;
	pid_t pid;
};

/* With something to be written first, which is where such a thread would end. */
static void *go_while_cancelled(void *arg)
{
	struct cancelled *c = arg;

	printf("# not yet written");
	pthread_cancel(pthread_self());
	c->pid = chan_go_process(c->wg, tell_pid, c->s);
	pthread_testcancel();
	return NULL;
}

TEST(started_by_a_thread_that_was_cancelled)
{
	struct cancelled c = { .wg = must_make_wg(0), .s = share() };
	int fds = count_fds();
	pthread_t thread;
	void *ended;
	pid_t pid;

	must(!pthread_create(&thread, NULL, go_while_cancelled, &c));
	must(!pthread_join(thread, &ended));
	printf("\n");
	EXPECT_EQ(PTHREAD_CANCELED, ended);
	ASSERT_GT(c.pid, 0);
	EXPECT_EQ(7, reap(c.pid));
	EXPECT_EQ(0, err(chan_wg_wait(c.wg)));
	EXPECT_EQ(fds, count_fds());
	pid = fork();
	if (!pid)
		_exit(0);
	EXPECT_EQ(0, reap(pid));
}

static int have_a_child(void *arg)
{
	struct shared *s = arg;
	pid_t pid = fork();

	must(pid >= 0);
	if (pid)
		s->pid = pid;
	stop_at(s->gate);
	return 0;
}

TEST(a_childs_child_does_not_hold_it)
{
	struct shared *s = share();
	struct chan_wg *wg = must_make_wg(0);
	pid_t pid;

	/* Adopt whom the child leaves behind. */
	must(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = chan_go_process(wg, have_a_child, s);
	ASSERT_GT(pid, 0);
	wait_blocked(s->gate, 0, 2);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(KILLED(SIGKILL), reap(pid));
	EXPECT_EQ(0, chan_wg_count(wg));
	/* It goes on where fn goes on, but what it ends is not the child's. */
	must(!chan_wg_add(wg, 1));
	EXPECT_EQ(0, err(chan_close(s->gate)));
	EXPECT_EQ(0, reap(s->pid));
	EXPECT_EQ(1, chan_wg_count(wg));
}

/* Where the token's number is another file by now, a fork must leave that one open. */
static int close_all_and_fork(void *arg)
{
	struct shared *s = arg;
	int first, fd, last;
	pid_t pid;

	(void)s;
	for (fd = 3; fd < 64; fd++)
		close(fd);
	first = last = dup(2);
	while (last < 32)
		last = dup(2);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		for (fd = first; fd <= last; fd++)
			CHECK(is_open(fd));
		_exit(0);
	}
	return reap(pid);
}

TEST(a_childs_other_files_stay_open)
{
	struct shared *s = share();
	struct chan_wg *wg = must_make_wg(0);
	pid_t pid = chan_go_process(wg, close_all_and_fork, s);

	ASSERT_GT(pid, 0);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(-EOWNERDEAD, err(chan_wg_wait(wg)));
}

/* ---- threads and processes ---- */

static void add_one(void *n)
{
	count_up((int *)n);
}

static int go_in_child(void *arg)
{
	struct shared *s = arg;
	struct chan_wg *wg = must_make_wg(0);

	for (int i = 0; i < 8; i++)
		CHECK(!chan_go(wg, add_one, &s->n));
	CHECK(!chan_wg_wait(wg));
	return 0;
}

TEST(threads_in_the_child_of_threads)
{
	struct shared *s = share();
	struct chan_wg *wg = must_make_wg(0);
	pid_t pid;

	for (int i = 0; i < 8; i++)
		ASSERT_EQ(0, err(chan_go(wg, add_one, &s->n)));
	ASSERT_EQ(0, err(chan_wg_wait(wg)));
	pid = chan_go_process(wg, go_in_child, s);
	ASSERT_GT(pid, 0);
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(16, s->n);
}

struct inner {
	struct shared *s;
	struct chan_wg *wg;
	pid_t pid;
};

static void start_from_thread(void *arg)
{
	struct inner *inner = arg;

	inner->pid = chan_go_process(inner->wg, tell_pid, inner->s);
}

TEST(a_child_of_a_thread)
{
	struct inner inner = { share(), must_make_wg(0), 0 };
	struct chan_wg *wg = must_make_wg(0);

	ASSERT_EQ(0, err(chan_go(wg, start_from_thread, &inner)));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(0, err(chan_wg_wait(inner.wg)));
	EXPECT_EQ(7, reap(inner.pid));
	EXPECT_EQ(inner.pid, inner.s->pid);
}

/* ---- what stdout has buffered ---- */

static int print_child(void *arg)
{
	(void)arg;
	printf(" child");
	return 0;
}

static int print_all(void *arg)
{
	int *out = arg;
	pid_t pid;

	must(dup2(*out, 1) == 1);
	setvbuf(stdout, NULL, _IOFBF, BUFSIZ);
	printf("parent");
	pid = chan_go_process(NULL, print_child, NULL);
	CHECK(pid > 0);
	CHECK(!reap(pid));
	printf(" again");
	fflush(stdout);
	return 0;
}

TEST(output_appears_once)
{
	char text[64] = "";
	int ends[2];

	must(!pipe(ends));
	EXPECT_EQ(0, task_join(task_start(PROCESS, print_all, &ends[1])));
	close(ends[1]);
	EXPECT_GT(read(ends[0], text, sizeof(text) - 1), 0);
	EXPECT_STREQ("parent child again", text);
}

/* ---- the limit, and failures that change nothing ---- */

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

TEST(the_wait_for_the_limit_can_be_bounded)
{
	struct chan_cancel *cancel = chan_cancel_make();
	struct chan_bounds late = { .deadline = 1 }, cancelled = { .cancel = cancel };
	struct chan_wg *wg = must_make_wg(1);
	struct shared *s = share();
	pid_t pid = chan_try_go_process(wg, stop, s);

	ASSERT_GT(pid, 0);
	EXPECT_EQ(-EAGAIN, err(chan_try_go_process(wg, nothing, NULL)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_go_process_until(wg, nothing, NULL, 1)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_go_process_with(wg, nothing, NULL, &late)));
	ASSERT_EQ(1, err(chan_cancel(cancel, 0)));
	EXPECT_EQ(-ECANCELED, err(chan_go_process_with(wg, nothing, NULL, &cancelled)));
	EXPECT_EQ(1, chan_wg_count(wg));
	EXPECT_EQ(0, err(chan_close(s->gate)));
	EXPECT_EQ(0, reap(pid));
	pid = chan_go_process_until(wg, nothing, NULL, chan_after(10 * CHAN_SECOND));
	EXPECT_EQ(0, reap(pid));
	pid = chan_go_process_with(wg, nothing, NULL, NULL);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
}

TEST(failures_change_nothing)
{
	struct chan_wg *wg = must_make_wg(0);
	struct chan_wg *waiting_only = chan_wg_restrict(wg, CHAN_RECV);
	struct rlimit files, few = { 0, 0 };

	EXPECT_EQ(-EINVAL, err(chan_go_process(wg, NULL, NULL)));
	EXPECT_EQ(-EBADF, err(chan_go_process(waiting_only, nothing, NULL)));
	must(!getrlimit(RLIMIT_NOFILE, &files));
	few.rlim_max = files.rlim_max;
	must(!setrlimit(RLIMIT_NOFILE, &few));
	EXPECT_EQ(-EMFILE, err(chan_go_process(wg, nothing, NULL)));
	must(!setrlimit(RLIMIT_NOFILE, &files));
	allow_no_more_threads();
	EXPECT_EQ(-EDQUOT, err(chan_go_process(wg, nothing, NULL)));
	EXPECT_EQ(0, chan_wg_count(wg));
	EXPECT_EQ(0, err(chan_wg_wait(wg)));
	EXPECT_EQ(0, chan_wg_abandoned(wg));
}

/* Nor what was abandoned before, where there was nothing to be started. */
TEST(no_function_is_no_unit)
{
	struct chan_wg *wg = must_make_wg(0);

	chan_token_drop(must_have(chan_wg_token(wg)));
	EXPECT_EQ(-EINVAL, err(chan_go_process(wg, NULL, NULL)));
	EXPECT_EQ(-EINVAL, err(chan_go(wg, NULL, NULL)));
	EXPECT_EQ(1, chan_wg_abandoned(wg));
	EXPECT_EQ(-EOWNERDEAD, err(chan_wg_wait(wg)));
}

TEST_HARNESS_MAIN
