/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests share, those of the kernel's contract and those of the library:
 * tasks and what they are blocked on, time, memory, signals, files.
 *
 * A helper that cannot do its work aborts, which fails the test.  Only the test's
 * own thread may use ASSERT and EXPECT: a task reports through its result, where 0
 * is good.
 */
#ifndef TASK_UTIL_H
#define TASK_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/kchan.h>

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))
#define NOBODY		65534
#define PAGE		4096u

/* How many times longer than on an ordinary kernel things may take; see Makefile. */
#ifndef PATIENCE
#define PATIENCE	1
#endif

/* Of the rounds in which a race is looked for, as many as take no longer there. */
#define FEWER(rounds)	((rounds) / PATIENCE)

/* A kernel that looks at everything it does. */
#define IS_DEBUGGING	(PATIENCE > 2)

/* No event that a test waits for takes this long, even on a slow emulator. */
#define PATIENCE_NS	(20 * PATIENCE * NSEC_PER_SEC)

/* The harness' limits, in seconds, likewise. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	(30 * PATIENCE)
#undef TEST_F_TIMEOUT
#define TEST_F_TIMEOUT(fixture, name, seconds)				\
	__TEST_F_IMPL(fixture, name, -1, (seconds) * PATIENCE)
#define NSEC_PER_SEC	1000000000ll
#define NSEC_PER_MSEC	1000000ll

/* ---- giving up ---- */

#define die(fmt, ...) do {						\
	fprintf(stderr, "# %s:%d: " fmt " (%s)\n", __FILE__, __LINE__,	\
		##__VA_ARGS__, strerror(errno));			\
	abort();							\
} while (0)

#define must(cond) do {							\
	if (!(cond))							\
		die("%s", #cond);					\
} while (0)

/* For a task's body: say what did not hold, and end with a bad result. */
#define CHECK(cond) do {						\
	if (!(cond)) {							\
		fprintf(stderr, "# %s:%d: not so: %s\n",		\
			__FILE__, __LINE__, #cond);			\
		return __LINE__;					\
	}								\
} while (0)

/* ---- time ---- */

static inline __s64 now_on(clockid_t clock)
{
	struct timespec ts;

	must(!clock_gettime(clock, &ts));
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static inline __s64 now(void)
{
	return now_on(CLOCK_MONOTONIC);
}

static inline __s64 in_ms(int ms)
{
	return now() + ms * NSEC_PER_MSEC;
}

/* Waits for a state that must come; the nap only spares the processor. */
#define wait_until(cond) do {						\
	__s64 _end = now() + PATIENCE_NS;				\
									\
	while (!(cond)) {						\
		if (now() > _end)					\
			die("never came true: %s", #cond);		\
		usleep(200);						\
	}								\
} while (0)

/* ---- memory ---- */

static inline __u8 *map_pages(int n)
{
	void *p = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED);
	return p;
}

/* A page whose end is the end of memory: the one behind it is not mapped. */
static inline __u8 *page_before_hole(void)
{
	__u8 *page = map_pages(2);

	must(!munmap(page + PAGE, PAGE));
	return page;
}

/* For tasks, threads or processes. */
static inline void *shared_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED);
	return p;
}

#define load(p)		__atomic_load_n((p), __ATOMIC_SEQ_CST)
#define store(p, v)	__atomic_store_n((p), (v), __ATOMIC_SEQ_CST)
#define count_up(p)	__atomic_fetch_add((p), 1, __ATOMIC_SEQ_CST)

/* ---- tasks: one body, run by a thread or by a process ---- */

enum task_kind { THREAD, PROCESS };

/* The result of a process that a signal ended. */
#define KILLED(sig)	(0x10000 + (sig))

struct task {
	enum task_kind kind;
	int (*body)(void *arg);
	void *arg;
	pthread_t thread;
	pid_t pid;
	pid_t tid;
	int result;
};

static inline pid_t my_tid(void)
{
	return syscall(SYS_gettid);
}

static inline void *task_main(void *arg)
{
	struct task *t = arg;

	store(&t->tid, my_tid());
	t->result = t->body(t->arg);
	return NULL;
}

static inline void task_start_thread(struct task *t)
{
	pthread_attr_t attr;

	must(!pthread_attr_init(&attr));
	must(!pthread_attr_setstacksize(&attr, 128 * 1024));
	errno = pthread_create(&t->thread, &attr, task_main, t);
	must(!errno);
	pthread_attr_destroy(&attr);
}

static inline void task_start_process(struct task *t)
{
	pid_t pid;

	fflush(stdout);
	fflush(stderr);
	pid = fork();
	must(pid >= 0);
	if (pid) {
		t->pid = pid;
		return;
	}
	/* No test leaves processes behind, not even one that fails. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	task_main(t);
	_exit(0);
}

static inline struct task *task_start(enum task_kind kind, int (*body)(void *), void *arg)
{
	struct task *t = shared_alloc(sizeof(*t));

	t->kind = kind;
	t->body = body;
	t->arg = arg;
	if (kind == THREAD)
		task_start_thread(t);
	else
		task_start_process(t);
	return t;
}

static inline void task_kill(struct task *t)
{
	must(t->kind == PROCESS);
	must(!kill(t->pid, SIGKILL));
}

/* To a task that may just have ended. */
static inline void task_signal(struct task *t, int sig)
{
	pid_t pid = t->kind == THREAD ? getpid() : t->pid;

	wait_until(load(&t->tid));
	must(!syscall(SYS_tgkill, pid, t->tid, sig) || errno == ESRCH);
}

static inline int task_join(struct task *t)
{
	int result, status;

	if (t->kind == THREAD) {
		must(!pthread_join(t->thread, NULL));
		result = t->result;
	} else {
		must(waitpid(t->pid, &status, 0) == t->pid);
		result = WIFSIGNALED(status) ? KILLED(WTERMSIG(status)) : t->result;
	}
	munmap(t, sizeof(*t));
	return result;
}

/* What /proc says of it: 'S' is asleep, 'Z' dead but not reaped. */
static inline bool in_state(pid_t tid, char state)
{
	char path[64], line[256] = "";
	const char *end_of_name;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	f = fopen(path, "r");
	must(f && fgets(line, sizeof(line), f));
	fclose(f);
	end_of_name = strrchr(line, ')');
	return end_of_name && end_of_name[2] == state;
}

/* Proof for waits that the kernel counts nowhere. */
static inline bool asleep(pid_t tid)
{
	return in_state(tid, 'S');
}

static inline void wait_asleep(struct task *t)
{
	wait_until(load(&t->tid) && asleep(t->tid));
}

/* A fixture without data whose tests run once with each kind of task. */
#define TASK_FIXTURE(name)						\
	FIXTURE(name) { int unused; };					\
	FIXTURE_VARIANT(name) { enum task_kind kind; };			\
	FIXTURE_VARIANT_ADD(name, threads) { .kind = THREAD };		\
	FIXTURE_VARIANT_ADD(name, processes) { .kind = PROCESS };	\
	FIXTURE_SETUP(name) { }						\
	FIXTURE_TEARDOWN(name) { }

/* From here on @pid, which sleeps, does not run before we let it. */
static inline bool keep_from_running(pid_t pid)
{
	struct sched_param first = { .sched_priority = 50 };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	return !sched_setaffinity(pid, sizeof(one), &one) &&
	       !sched_setaffinity(0, sizeof(one), &one) &&
	       !sched_setscheduler(0, SCHED_FIFO, &first);
}

static inline void let_run(void)
{
	must(!sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){ 0 }));
}

/* ---- tasks blocked on an object: fd is any handle to it ---- */

static inline struct kchan_stat object_stat(int fd)
{
	struct kchan_stat st;

	memset(&st, 0xa5, sizeof(st));
	st.size = sizeof(st);
	must(!ioctl(fd, KCHAN_STAT, &st));
	return st;
}

static inline bool waiting(int fd, __u32 senders, __u32 receivers)
{
	struct kchan_stat st = object_stat(fd);

	return st.waiting_senders == senders && st.waiting_receivers == receivers;
}

/* The proof that others are blocked: the kernel counts them as waiting. */
static inline void wait_waiting(int fd, __u32 senders, __u32 receivers)
{
	wait_until(waiting(fd, senders, receivers));
}

/* ---- processes and signals ---- */

static inline void become_user(uid_t uid)
{
	must(!setgroups(0, NULL));
	must(!setresgid(uid, uid, uid));
	must(!setresuid(uid, uid, uid));
}

/* Becomes a program that stays for long, without our handles. */
static inline void exec_sleep(void)
{
	execlp("sleep", "sleep", "1000", NULL);
	execl("/bin/busybox", "sleep", "1000", NULL);
	die("nothing to execute");
}

static inline void allow_fds(rlim_t n)
{
	struct rlimit lim;

	must(!getrlimit(RLIMIT_NOFILE, &lim));
	if (lim.rlim_cur >= n)
		return;
	lim.rlim_cur = n;
	if (lim.rlim_max < n)
		lim.rlim_max = n;
	must(!setrlimit(RLIMIT_NOFILE, &lim));
}

/* Does nothing, but interrupts the call that was running. */
static inline void on_signal(int sig)
{
	(void)sig;
}

static inline void catch_signal(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	must(!sigaction(sig, &sa, NULL));
}

/* SIGUSR1's handler counts, so that the tests know it ran. */
static int *handled;

static inline void count_signal(int sig)
{
	(void)sig;
	count_up(handled);
}

/* From 0 on. */
static inline void count_signals(int flags)
{
	struct sigaction sa = { .sa_handler = count_signal, .sa_flags = flags };

	handled = shared_alloc(sizeof(*handled));
	must(!sigaction(SIGUSR1, &sa, NULL));
}

/* ---- files ---- */

static inline int lowest_free_fd(void)
{
	int fd = dup(0);

	must(fd >= 0);
	close(fd);
	return fd;
}

/* poll(2)'s answer at this instant. */
static inline short poll_now(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	must(poll(&p, 1, 0) >= 0);
	return p.revents;
}

union fd_message {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int))];
};

static inline void pass_fd(int sock, int fd)
{
	union fd_message control = { .space = "" };
	struct iovec iov = { .iov_base = (char[]){ 0 }, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	must(sendmsg(sock, &msg, 0) == 1);
}

static inline int take_fd(int sock)
{
	union fd_message control;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	must(recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) == 1);
	must(CMSG_FIRSTHDR(&msg));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

#endif /* TASK_UTIL_H */
