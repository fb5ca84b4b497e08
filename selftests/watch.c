// SPDX-License-Identifier: GPL-2.0-only
/*
 * A watched object tells its channel whenever a process lets go of it, however it
 * does: once for each process, when its last number is gone or it has ended, and with
 * the rights that it has lost.
 */
#include <kselftest_harness.h>
#include "watch_util.h"

/* ---- every way to let go ---- */

FIXTURE(farewell) {
	int object, notices;
};

FIXTURE_VARIANT(farewell) {
	enum farewell how;
};

FIXTURE_VARIANT_ADD(farewell, closes) { CLOSES };
FIXTURE_VARIANT_ADD(farewell, closes_range) { CLOSES_RANGE };
FIXTURE_VARIANT_ADD(farewell, unshares_range) { UNSHARES_RANGE };
FIXTURE_VARIANT_ADD(farewell, dups_over) { DUPS_OVER };
FIXTURE_VARIANT_ADD(farewell, execs) { EXECS };
FIXTURE_VARIANT_ADD(farewell, exits) { EXITS };
FIXTURE_VARIANT_ADD(farewell, is_killed) { IS_KILLED };

FIXTURE_SETUP(farewell)
{
	self->object = make_object(KCHAN_KIND_SEMAPHORE, 1);
	self->notices = make_notices();
	watch(self->object, self->notices, BOTH_RIGHTS);
}

FIXTURE_TEARDOWN(farewell) { }

static bool is_end(enum farewell how)
{
	return how == EXITS || how == IS_KILLED;
}

TEST_F(farewell, is_told_once)
{
	struct leaver *l = new_leaver(variant->how, self->object);
	bool ends = is_end(variant->how);
	struct told told;
	struct task *t;
	int status;

	l->uid = NOBODY;
	t = start_leaver(l);
	EXPECT_SILENCE(self->notices);
	let_leave(t, l);
	EXPECT_EQ(1, next_notice(self->notices, &told));
	EXPECT_EQ(COOKIE, told.notice.cookie);
	EXPECT_EQ(BOTH_RIGHTS, told.notice.rights);
	EXPECT_EQ(ends ? KCHAN_NOTICE_EXIT : 0, told.notice.flags);
	EXPECT_EQ(0, told.notice.reserved);
	EXPECT_EQ(t->pid, told.pid);
	EXPECT_EQ(NOBODY, told.uid);
	EXPECT_EQ(NOBODY, told.gid);
	status = end_leaver(t, l);
	EXPECT_EQ(ends ? status : 0, told.notice.status);
	EXPECT_SILENCE(self->notices);
	EXPECT_EQ(0, chan_stat(self->notices).dropped);
}

/* Threads share a table: one of them closes, and all have let go. */
static int wait_for_ever(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

static int leave_among_threads(void *arg)
{
	struct leaver *l = arg;

	for (int i = 0; i < 3; i++)
		task_start(THREAD, wait_for_ever, NULL);
	return leave_when_told(l);
}

TEST_F(farewell, of_a_process_with_threads)
{
	struct leaver *l = new_leaver(variant->how, self->object);
	struct task *t;
	struct told told;
	int status;

	if (variant->how == UNSHARES_RANGE)
		return;		/* a table of the thread's own; see below */
	t = task_start(PROCESS, leave_among_threads, l);
	wait_until(load(&l->ready));
	let_leave(t, l);
	EXPECT_EQ(1, next_notice(self->notices, &told));
	EXPECT_EQ(t->pid, told.pid);
	EXPECT_EQ(BOTH_RIGHTS, told.notice.rights);
	status = end_leaver(t, l);
	EXPECT_EQ(is_end(variant->how) ? status : 0, told.notice.status);
	EXPECT_SILENCE(self->notices);
}

/* Many numbers, of which the last counts: only exec and the end reach them all. */
TEST_F(farewell, with_more_numbers)
{
	struct leaver *l = new_leaver(variant->how, self->object);
	bool leaves_all = variant->how == EXECS || is_end(variant->how);
	int copies[40];
	struct told told;
	struct task *t;

	for (size_t i = 0; i < ARRAY_LEN(copies); i++)
		copies[i] = i % 2 ? fcntl(self->object, F_DUPFD_CLOEXEC, 0) :
				    restrict_to(self->object, BOTH_RIGHTS);
	t = start_leaver(l);
	let_leave(t, l);
	if (!leaves_all) {
		wait_until(load(&l->left));
		EXPECT_SILENCE(self->notices);
		task_kill(t);
	}
	EXPECT_EQ(1, next_notice(self->notices, &told));
	EXPECT_EQ(BOTH_RIGHTS, told.notice.rights);
	EXPECT_EQ(variant->how == EXECS ? 0 : KCHAN_NOTICE_EXIT, told.notice.flags);
	EXPECT_EQ(t->pid, told.pid);
	end_leaver(t, l);
	EXPECT_SILENCE(self->notices);
	for (size_t i = 0; i < ARRAY_LEN(copies); i++)
		close(copies[i]);
	EXPECT_SILENCE(self->notices);
}

/*
 * Files below its own in the table, which another process closes at the same moment:
 * from Linux 6.13 on a table that goes still names them when they may be freed.
 */
TEST_F(farewell, beside_files_that_go_as_well)
{
	enum { ROUNDS = 15, PIPES = 32 };
	int high = fcntl(self->object, F_DUPFD_CLOEXEC, 3 * PIPES);

	close(self->object);
	for (int i = 0; i < ROUNDS; i++) {
		struct leaver *ours = new_leaver(variant->how, high);
		struct leaver *theirs = new_leaver(EXITS, high);
		struct task *t, *other;
		struct told told;
		int pipes[PIPES][2];

		for (int j = 0; j < PIPES; j++)
			must(!pipe(pipes[j]));
		t = start_leaver(ours);
		other = start_leaver(theirs);
		for (int j = 0; j < PIPES; j++) {
			must(pipes[j][1] < high);
			must(!close(pipes[j][0]) && !close(pipes[j][1]));
		}
		let_leave(other, theirs);
		let_leave(t, ours);
		for (int j = 0; j < 2; j++) {
			EXPECT_EQ(1, next_notice(self->notices, &told));
			EXPECT_EQ(true, told.pid == t->pid || told.pid == other->pid);
			EXPECT_EQ(BOTH_RIGHTS, told.notice.rights);
		}
		end_leaver(t, ours);
		end_leaver(other, theirs);
		EXPECT_SILENCE(self->notices);
	}
}

/* ---- how it ended ---- */

FIXTURE(watch) {
	int object, notices;
};

FIXTURE_SETUP(watch)
{
	self->object = make_object(KCHAN_KIND_SEMAPHORE, 1);
	self->notices = make_notices();
	watch(self->object, self->notices, BOTH_RIGHTS);
}

FIXTURE_TEARDOWN(watch) { }

static int end_with_0(void *arg) { (void)arg; _exit(0); }
static int end_with_255(void *arg) { (void)arg; _exit(255); }
static int end_by_sigterm(void *arg) { (void)arg; raise(SIGTERM); return 0; }
static int end_by_sigkill(void *arg) { (void)arg; raise(SIGKILL); return 0; }

/* With a core, where one can be written, as wait(2) tells. */
static int end_by_sigabrt(void *arg)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	(void)arg;
	setrlimit(RLIMIT_CORE, &all);
	signal(SIGABRT, SIG_DFL);
	abort();
}

static int end_without_core(void *arg)
{
	(void)arg;
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	return 0;
}

static int exit_all(void *arg)
{
	(void)arg;
	usleep(1000);
	_exit(3);
}

/* The first thread is gone for long. */
static int end_by_another_thread(void *arg)
{
	(void)arg;
	task_start(THREAD, exit_all, NULL);
	syscall(SYS_exit, 9);
	return 0;
}

static int exit_alone(void *arg)
{
	(void)arg;
	usleep(1000);
	syscall(SYS_exit, 5);
	return 0;
}

/* Nobody ends the process; its threads end, one after the other. */
static int end_thread_by_thread(void *arg)
{
	(void)arg;
	task_start(THREAD, exit_alone, NULL);
	task_start(THREAD, exit_alone, NULL);
	syscall(SYS_exit, 4);
	return 0;
}

static int end_by_page_fault(void *arg)
{
	(void)arg;
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	signal(SIGSEGV, SIG_DFL);
	*(volatile __u8 *)(page_before_hole() + PAGE) = 1;
	return 0;
}

/* Whoever dumps core gets a table of its own for that, and the others keep theirs. */
static int end_by_sigabrt_among_threads(void *arg)
{
	for (int i = 0; i < 3; i++)
		task_start(THREAD, wait_for_ever, NULL);
	return end_by_sigabrt(arg);
}

static int sleep_with_a_table_of_its_own(void *arg)
{
	must(!unshare(CLONE_FILES));
	store((int *)arg, 1);
	return wait_for_ever(NULL);
}

/* It had the handle in three tables. */
static int end_with_more_tables(void *arg)
{
	int ready[2] = { 0 };

	for (int i = 0; i < 2; i++) {
		task_start(THREAD, sleep_with_a_table_of_its_own, &ready[i]);
		wait_until(load(&ready[i]));
	}
	return end_by_sigkill(arg);
}

TEST_F(watch, tells_the_status_as_wait_does)
{
	int (*const ends[])(void *) = {
		end_with_0, end_with_255, end_by_sigterm, end_by_sigkill, end_by_sigabrt,
		end_without_core, end_by_another_thread, end_thread_by_thread, end_by_page_fault,
		end_by_sigabrt_among_threads, end_with_more_tables,
	};
	char directory[] = "/tmp/kchan-core-XXXXXX";

	/* For the core; it is the only file there. */
	if (mkdtemp(directory))
		must(!chdir(directory));
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct task *t = task_start(PROCESS, ends[i], NULL);
		int status;

		must(waitpid(t->pid, &status, 0) == t->pid);
		EXPECT_TOLD_OF_END(self->notices, t->pid, BOTH_RIGHTS, status);
		EXPECT_SILENCE(self->notices);
	}
	system("rm -f core*");
	must(!chdir("/"));
	rmdir(directory);
}

/* The notice is there when the parent learns of the end. */
TEST_F(watch, tells_before_wait_does)
{
	for (int i = 0; i < 100; i++) {
		struct kchan_notice notice;
		pid_t pid = fork();

		if (!pid)
			_exit(1);
		must(waitpid(pid, NULL, 0) == pid);
		EXPECT_EQ(1, try_notice(self->notices, &notice));
	}
}

/* ---- what is no end ---- */

static int end_at_once(void *arg)
{
	(void)arg;
	return 0;
}

TEST_F(watch, threads_that_end_tell_nothing)
{
	for (int i = 0; i < 10; i++)
		task_join(task_start(THREAD, end_at_once, NULL));
	EXPECT_SILENCE(self->notices);
}

static int end_with_a_table_of_its_own(void *arg)
{
	(void)arg;
	must(!unshare(CLONE_FILES));
	return 0;
}

/* Its table had the handle, so it tells; but it tells of no end of the process. */
TEST_F(watch, thread_with_its_own_table_ends_alone)
{
	for (int i = 0; i < 10; i++) {
		task_join(task_start(THREAD, end_with_a_table_of_its_own, NULL));
		EXPECT_TOLD(self->notices, getpid(), BOTH_RIGHTS);
		EXPECT_SILENCE(self->notices);
	}
}

static int close_in_a_table_of_its_own(void *arg)
{
	int fd = *(int *)arg, above = fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);

	/* With numbers above it the new table begins as a copy. */
	close(above);
	must(fcntl(0, F_DUPFD_CLOEXEC, fd + 10) > fd);
	must(!close_range_of(fd, fd, CLOSE_RANGE_UNSHARE));
	return 0;
}

TEST_F(watch, close_range_with_unshare)
{
	task_join(task_start(THREAD, close_in_a_table_of_its_own, &self->object));
	EXPECT_TOLD(self->notices, getpid(), BOTH_RIGHTS);
	EXPECT_EQ(0, kchan_try_add(self->object, 1));
	EXPECT_SILENCE(self->notices);
}

/* Processes that share a table: the last of them tells. */
static pid_t start_sharing(void)
{
	return syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
}

static int share_then_end(void *arg)
{
	int notices = *(int *)arg, status;
	struct kchan_notice notice;
	pid_t pid = start_sharing();

	if (!pid)
		_exit(0);
	CHECK(waitpid(pid, &status, 0) == pid && !status);
	CHECK(try_notice(notices, &notice) == -EAGAIN);
	return 0;
}

TEST_F(watch, processes_with_one_table)
{
	struct task *t = task_start(PROCESS, share_then_end, &self->notices);
	pid_t pid = t->pid;

	EXPECT_EQ(0, task_join(t));
	EXPECT_TOLD_OF_END(self->notices, pid, BOTH_RIGHTS, 0);
	EXPECT_SILENCE(self->notices);
}

/* A fork that fails has had a copy of the numbers, and nobody has lost any. */
static int fail_to_fork(void *arg)
{
	(void)arg;
	become_user(NOBODY);
	CHECK(syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, NULL, NULL, NULL, NULL) == -1);
	CHECK(errno == EPERM);
	return 0;
}

TEST_F(watch, fork_that_fails)
{
	struct task *t = task_start(PROCESS, fail_to_fork, NULL);
	pid_t pid = t->pid;

	EXPECT_EQ(0, task_join(t));
	EXPECT_TOLD_OF_END(self->notices, pid, BOTH_RIGHTS, 0);
	EXPECT_SILENCE(self->notices);
}

struct closer {
	int fd;
	int *started;
};

static int close_together(void *arg)
{
	struct closer *c = arg;

	count_up(c->started);
	while (load(c->started) < 2)
		;
	return close(c->fd);
}

/* Either may see that nothing is left, or both; never none. */
TEST_F(watch, threads_that_close_the_last_two_at_once)
{
	int both = 0;

	close(self->object);
	EXPECT_TOLD(self->notices, getpid(), BOTH_RIGHTS);
	for (int i = 0; i < 200; i++) {
		int object = make_object(KCHAN_KIND_MUTEX, 0), started = 0, n = 0;
		struct closer closers[2] = { { object, &started }, { dup(object), &started } };
		struct kchan_notice notice;
		struct task *t;

		watch(object, self->notices, BOTH_RIGHTS);
		t = task_start(THREAD, close_together, &closers[0]);
		EXPECT_EQ(0, close_together(&closers[1]));
		EXPECT_EQ(0, task_join(t));
		for (; try_notice(self->notices, &notice) == 1; n++)
			EXPECT_EQ(BOTH_RIGHTS, notice.rights);
		EXPECT_EQ(true, n == 1 || n == 2);
		both += n == 2;
	}
	TH_LOG("both told %d times", both);
}

/* ---- which rights ---- */

/* Of handles with @rights[], what goes with number @n when those before are gone. */
static __u32 rights_lost(const __u32 *rights, int n, int nr, __u32 watched)
{
	__u32 left = 0;

	for (int i = n + 1; i < nr; i++)
		left |= rights[i];
	return rights[n] & ~left & watched;
}

/* Three handles, with every choice of rights. */
enum { CHOICES = 3 * 3 * 3 };

static void choose_rights(int choice, __u32 *rights)
{
	for (int i = 0; i < 3; i++, choice /= 3)
		rights[i] = choice % 3 + 1;
}

static int make_watched_three(const __u32 *rights, int notices, __u32 watched, int *fds)
{
	int object = make_object(KCHAN_KIND_SEMAPHORE, 1);

	for (int i = 0; i < 3; i++)
		fds[i] = restrict_to(object, rights[i]);
	watch(object, notices, watched);
	return object;
}

/* Closes the three, one after the other. */
static void expect_told_of_three(struct __test_metadata *_metadata, int notices, int choice,
				 __u32 watched)
{
	int fds[3], object;
	__u32 rights[3];

	choose_rights(choice, rights);
	object = make_watched_three(rights, notices, watched, fds);
	close(object);
	/* Of what only that handle could. */
	while (try_notice(notices, &(struct kchan_notice){ }) == 1)
		;
	for (int i = 0; i < 3; i++) {
		__u32 lost = rights_lost(rights, i, 3, watched);

		close(fds[i]);
		if (lost) {
			EXPECT_TOLD(notices, getpid(), lost);
		}
		EXPECT_SILENCE(notices);
	}
}

TEST_F(watch, rights_that_are_lost)
{
	for (__u32 watched = 1; watched <= BOTH_RIGHTS; watched++)
		for (int choice = 0; choice < CHOICES; choice++)
			expect_told_of_three(_metadata, self->notices, choice, watched);
}

struct three {
	int fds[3];
	int object;
	int close;	/* so many before the end */
};

static int end_with_three(void *arg)
{
	struct three *three = arg;

	close(three->object);
	for (int i = 0; i < three->close; i++)
		close(three->fds[i]);
	return 0;
}

/* Each right goes once, and what is left at the end with one notice. */
static void expect_told_at_the_end(struct __test_metadata *_metadata, int notices,
				   const __u32 *rights, int closed, __u32 watched)
{
	struct kchan_notice notice;
	__u32 left = 0, lost = 0;

	for (int i = closed; i < 3; i++)
		left |= rights[i] & watched;
	while (try_notice(notices, &notice) == 1) {
		EXPECT_EQ(0, lost & notice.rights);
		lost |= notice.rights;
		if (notice.flags == KCHAN_NOTICE_EXIT) {
			EXPECT_EQ(left, notice.rights);
			left = 0;
		}
	}
	EXPECT_EQ(0, left);
	EXPECT_EQ(watched, lost);
}

TEST_F(watch, rights_that_are_lost_at_the_end)
{
	watch_no_more(self->object);
	for (int choice = 0; choice < CHOICES; choice++) {
		struct three three = { .close = choice % 3 };
		__u32 rights[3], watched = choice / 3 % 3 + 1;

		choose_rights(choice, rights);
		three.object = make_watched_three(rights, self->notices, watched, three.fds);
		must(!task_join(task_start(PROCESS, end_with_three, &three)));
		expect_told_at_the_end(_metadata, self->notices, rights, three.close, watched);
		watch_no_more(three.object);
		for (int i = 0; i < 3; i++)
			close(three.fds[i]);
		close(three.object);
	}
}

/* ---- who ---- */

TEST_F(watch, each_of_many_processes)
{
	enum { MANY = 28 };
	struct leaver *leavers[MANY];
	struct task *tasks[MANY];
	bool seen[MANY] = { };

	for (int i = 0; i < MANY; i++) {
		leavers[i] = new_leaver(i % (IS_KILLED + 1), self->object);
		leavers[i]->uid = NOBODY - i;
		tasks[i] = start_leaver(leavers[i]);
	}
	for (int i = 0; i < MANY; i++)
		let_leave(tasks[i], leavers[i]);
	for (int i = 0; i < MANY; i++) {
		struct told told;
		int who = 0;

		ASSERT_EQ(1, next_notice(self->notices, &told));
		while (who < MANY && tasks[who]->pid != told.pid)
			who++;
		ASSERT_LT(who, MANY);
		EXPECT_EQ(false, seen[who]);
		seen[who] = true;
		EXPECT_EQ(NOBODY - who, told.uid);
		EXPECT_EQ(NOBODY - who, told.gid);
		EXPECT_EQ(BOTH_RIGHTS, told.notice.rights);
		EXPECT_EQ(is_end(leavers[who]->how) ? KCHAN_NOTICE_EXIT : 0, told.notice.flags);
	}
	for (int i = 0; i < MANY; i++)
		end_leaver(tasks[i], leavers[i]);
	EXPECT_SILENCE(self->notices);
}

/* ---- however the handle came ---- */

struct receiver {
	int from;
	int object;	/* inherited, and closed first */
	int over;
};

static void keep_then_end(int fd, struct receiver *r)
{
	must(fd >= 0);
	store(&r->over, 1);
	pause();
}

static int take_from_socket(void *arg)
{
	struct receiver *r = arg;

	close(r->object);
	keep_then_end(take_fd(r->from), r);
	return 0;
}

static int take_from_process(void *arg)
{
	struct receiver *r = arg;
	int pidfd = syscall(SYS_pidfd_open, getppid(), 0);

	close(r->object);
	keep_then_end(syscall(SYS_pidfd_getfd, pidfd, r->object, 0), r);
	return 0;
}

static int take_from_channel(void *arg)
{
	struct receiver *r = arg;

	close(r->object);
	keep_then_end(recv_handle(r->from, NULL), r);
	return 0;
}

/* Lets go of what it inherited, gets the handle anew, and dies. */
static void expect_told_of_receiver(struct __test_metadata *_metadata,
				    FIXTURE_DATA(watch) *self, int (*body)(void *),
				    int from)
{
	struct receiver *r = shared_alloc(sizeof(*r));
	struct task *t;
	pid_t pid;

	*r = (struct receiver){ .from = from, .object = self->object };
	t = task_start(PROCESS, body, r);
	pid = t->pid;
	EXPECT_TOLD(self->notices, pid, BOTH_RIGHTS);
	wait_until(load(&r->over));
	EXPECT_SILENCE(self->notices);
	task_kill(t);
	EXPECT_EQ(KILLED(SIGKILL), task_join(t));
	EXPECT_TOLD_OF_END(self->notices, pid, BOTH_RIGHTS, SIGKILL);
	EXPECT_SILENCE(self->notices);
	munmap(r, sizeof(*r));
}

TEST_F(watch, handle_from_a_socket)
{
	int sockets[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pass_fd(sockets[0], self->object);
	expect_told_of_receiver(_metadata, self, take_from_socket, sockets[1]);
}

TEST_F(watch, handle_from_a_process)
{
	expect_told_of_receiver(_metadata, self, take_from_process, -1);
}

TEST_F(watch, handle_from_a_channel)
{
	int chan = make_chan_of_one(1);

	ASSERT_EQ(0, send_handle(chan, 1, self->object));
	expect_told_of_receiver(_metadata, self, take_from_channel, chan);
}

/* The sender has let go; what is on its way is no process'. */
TEST_F(watch, handles_in_flight)
{
	int sockets[2], chan = make_chan_of_one(1), keep;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pass_fd(sockets[0], self->object);
	pass_fd(sockets[0], self->object);
	ASSERT_EQ(0, send_handle(chan, 1, self->object));
	close(self->object);
	EXPECT_TOLD(self->notices, getpid(), BOTH_RIGHTS);
	keep = take_fd(sockets[1]);
	close(chan);
	close(sockets[0]);
	close(sockets[1]);
	EXPECT_SILENCE(self->notices);
	close(keep);
	EXPECT_TOLD(self->notices, getpid(), BOTH_RIGHTS);
	EXPECT_SILENCE(self->notices);
}

/* A process that has the handle, and dies with it in flight to nobody. */
static int end_with_it_in_flight(void *arg)
{
	int fd = *(int *)arg, sockets[2];

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	for (int i = 0; i < 5; i++)
		pass_fd(sockets[0], fd);
	must(!send_handle(make_chan_of_one(1), 1, fd));
	return 0;
}

TEST_F(watch, end_with_handles_in_flight)
{
	struct task *t = task_start(PROCESS, end_with_it_in_flight, &self->object);
	pid_t pid = t->pid;

	EXPECT_EQ(0, task_join(t));
	EXPECT_TOLD_OF_END(self->notices, pid, BOTH_RIGHTS, 0);
	EXPECT_SILENCE(self->notices);
}

TEST_HARNESS_MAIN
