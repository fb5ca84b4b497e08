/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of libchan-go.h share beyond chan_util.h. */
#ifndef GO_UTIL_H
#define GO_UTIL_H

#include <dirent.h>
#include <stdarg.h>
#include <libchan-go.h>

#include "chan_util.h"

/*
 * A process that is started flushes stdout: what the harness has written there must
 * not be in its buffer then, or it would appear again.
 */
__attribute__((constructor)) static void write_whole_lines(void)
{
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

#ifdef SAN_thread
/*
 * The thread sanitizer does not see what goes on in the kernel: it is told here that
 * what comes before a call happens before what comes after a later one.
 */
void __tsan_acquire(void *address);
void __tsan_release(void *address);

int ioctl(int fd, unsigned long request, ...)
{
	static char kernel;
	va_list args;
	void *arg;
	int ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	__tsan_release(&kernel);
	ret = syscall(SYS_ioctl, fd, request, arg);
	__tsan_acquire(&kernel);
	return ret;
}
#endif

/*
 * The sanitizers have locks of their own, which a child of a process with threads may
 * find locked for ever, and threads and stacks of their own.
 */
#if defined(SAN_address) || defined(SAN_thread)
#define SANITIZED
#endif

static inline struct chan_wg *must_make_wg(size_t limit)
{
	struct chan_wg *wg = chan_wg_make(limit);

	if (!wg)
		die("%s", chan_strerror(errno));
	return wg;
}

/* Proves that so many wait for the group to be empty: by the kernel's count. */
static inline void wait_blocked_on_wg(const struct chan_wg *wg, __u32 adding, __u32 waiting)
{
	wait_waiting(chan_wg_fd(wg), adding, waiting);
}

static inline int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	must(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2; /* . and .. */
}

/* Threads of this process, this one too. */
static inline int count_threads(void)
{
	return count_entries("/proc/self/task");
}

static inline int count_fds(void)
{
	return count_entries("/proc/self/fd");
}

/*
 * Where functions stop until the test lets them go on: all at once by close(), or one
 * at a time by a send.
 */
static inline void stop_at(struct chan *gate)
{
	chan_recv(gate, NULL);
}

/* Makes starting anything a failure for want of what EDQUOT is about. */
static inline void allow_no_more_threads(void)
{
	struct rlimit none = { 0, 0 };

	become_user(NOBODY);
	must(!setrlimit(RLIMIT_NPROC, &none));
}

/* Collects a child of the caller; its exit status, or KILLED(signal). */
static inline int reap(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? KILLED(WTERMSIG(status)) : WEXITSTATUS(status);
}

#endif /* GO_UTIL_H */
