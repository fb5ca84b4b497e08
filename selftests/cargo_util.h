/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages that carry handles: channels for them, calls, and files of which a test can
 * tell whether anybody still has them.
 */
#ifndef CARGO_UTIL_H
#define CARGO_UTIL_H

#include <dirent.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include "kchan_util.h"

/* What a receive says at the end, where it otherwise says a file number. */
#define THE_END		(-ENODATA)

/* ---- channels ---- */

static inline int try_make_carrier(struct kchan_create_chan arg)
{
	arg.size = sizeof(arg);
	return kchan_call(any_device(), KCHAN_CREATE_CHAN, &arg);
}

/* As the fields of struct kchan_create_chan say. */
#define make_carrier(...) made(try_make_carrier((struct kchan_create_chan){ __VA_ARGS__ }))

/* Of one value and one handle, to anything but a channel that itself carries some. */
static inline int make_chan_of_one(__u64 capacity)
{
	return make_carrier(.elem_size = 8, .capacity = capacity, .handles = 1, .depth = 1);
}

/* ---- calls ---- */

static inline struct kchan_ancillary with_handles(const __s32 *handles, __u32 nr)
{
	return (struct kchan_ancillary){
		.size = sizeof(struct kchan_ancillary),
		.handles = (uintptr_t)handles,
		.nr = nr,
	};
}

static inline int cargo_msg(int fd, unsigned int cmd, const void *buf, __u32 len, __u32 flags,
			    const struct kchan_ancillary *ancillary)
{
	struct kchan_msg msg = {
		.size = sizeof(msg),
		.flags = flags,
		.buf = (uintptr_t)buf,
		.len = len,
		.ancillary = (uintptr_t)ancillary,
	};

	return kchan_call(fd, cmd, &msg);
}

/* One value and @nr handles. */

static inline int send_handles(int fd, __u64 value, const __s32 *handles, __u32 nr, __u32 flags)
{
	struct kchan_ancillary ancillary = with_handles(handles, nr);

	return cargo_msg(fd, KCHAN_SEND, &value, sizeof(value), flags, &ancillary);
}

static inline int recv_handles(int fd, __u64 *value, __s32 *handles, __u32 nr, __u32 flags)
{
	struct kchan_ancillary ancillary = with_handles(handles, nr);

	*value = POISON;
	memset(handles, 0xa5, nr * sizeof(*handles));
	return cargo_msg(fd, KCHAN_RECV, value, sizeof(*value), flags, &ancillary);
}

/* One value and one handle. */

static inline int send_handle(int fd, __u64 value, int handle)
{
	return send_handles(fd, value, &handle, 1, 0);
}

static inline int try_send_handle(int fd, __u64 value, int handle)
{
	return send_handles(fd, value, &handle, 1, KCHAN_NONBLOCK);
}

/* The handle's number here, or THE_END, or -errno; @value may be NULL. */
static inline int recv_handle_flags(int fd, __u64 *value, __u32 flags)
{
	__s32 handle;
	__u64 unused;
	int ret = recv_handles(fd, value ? value : &unused, &handle, 1, flags);

	if (!ret)
		return THE_END;
	return ret == 1 ? handle : ret;
}

static inline int recv_handle(int fd, __u64 *value)
{
	return recv_handle_flags(fd, value, 0);
}

static inline int try_recv_handle(int fd, __u64 *value)
{
	return recv_handle_flags(fd, value, KCHAN_NONBLOCK);
}

static inline struct kchan_case with_ancillary(struct kchan_case on,
					       const struct kchan_ancillary *ancillary)
{
	on.arg = (uintptr_t)ancillary;
	return on;
}

/* ---- files ---- */

/*
 * A pipe.  While anybody has its write end, or a message has, its read end has not
 * ended.
 */
struct trace {
	int read;
	int write;
};

static inline struct trace make_trace(void)
{
	int fds[2];

	must(!pipe2(fds, O_CLOEXEC));
	return (struct trace){ fds[0], fds[1] };
}

static inline bool is_gone(struct trace trace)
{
	return poll_now(trace.read, POLLIN) & POLLHUP;
}

/* Through whatever number its write end has: it is this pipe's. */
static inline bool leads_to(struct trace trace, int fd)
{
	char out = 'x', in = 0;

	return write(fd, &out, 1) == 1 && read(trace.read, &in, 1) == 1 && in == out;
}

/* Is one and the same open file behind both numbers? */
static inline bool same_file(int a, int b)
{
	int ret = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b);
	struct stat x, y;
	int flags;

	if (ret >= 0)
		return !ret;
	/* This kernel has no kcmp(2): status flags are the open file's, too. */
	flags = fcntl(a, F_GETFL);
	if (fcntl(a, F_SETFL, flags ^ O_NONBLOCK) || fcntl(a, F_GETFL) == flags)
		return !fstat(a, &x) && !fstat(b, &y) && x.st_ino == y.st_ino;
	ret = fcntl(b, F_GETFL) == fcntl(a, F_GETFL);
	fcntl(a, F_SETFL, flags);
	return ret;
}

static inline int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	must(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Only @n more file numbers are to be had; returns what was allowed before. */
static inline struct rlimit leave_fds(int n)
{
	struct rlimit before, limit;
	int last, fd;

	must(!getrlimit(RLIMIT_NOFILE, &before));
	limit = before;
	/* Those free ones are in a row: nobody here closes what he has just opened. */
	last = fd = lowest_free_fd();
	while (last < fd + n) {
		must(fcntl(last, F_GETFD) < 0);
		last++;
	}
	limit.rlim_cur = last;
	must(!setrlimit(RLIMIT_NOFILE, &limit));
	return before;
}

/* ---- tasks that send or receive one message of this kind ---- */

struct shipment {
	int c;
	int ret;
	__u32 nr;
	__u64 value;
	__s32 handles[KCHAN_MAX_HANDLES];
};

static inline struct shipment *new_shipment(int c, __u64 value, int handle)
{
	struct shipment *s = shared_alloc(sizeof(*s));

	*s = (struct shipment){ .c = c, .value = value, .nr = 1, .handles = { handle } };
	return s;
}

static inline int send_shipment(void *arg)
{
	struct shipment *s = arg;

	s->ret = send_handles(s->c, s->value, s->handles, s->nr, 0);
	return 0;
}

/* And says through each that it came. */
static inline int recv_shipment(void *arg)
{
	struct shipment *s = arg;

	s->ret = recv_handles(s->c, &s->value, s->handles, s->nr, 0);
	for (__u32 i = 0; s->ret == 1 && i < s->nr; i++) {
		char byte = '0' + i;

		if (s->handles[i] == -1)
			continue;
		CHECK(write(s->handles[i], &byte, 1) == 1);
		close(s->handles[i]);
	}
	return 0;
}

/* What recv_shipment() has said through its first handle. */
static inline bool has_arrived(struct trace trace, char expected)
{
	char byte;

	return read(trace.read, &byte, 1) == 1 && byte == expected;
}

#endif /* CARGO_UTIL_H */
