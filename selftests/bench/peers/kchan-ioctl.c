// SPDX-License-Identifier: GPL-2.0-only
/* kchan without libchan: what the calls of the kernel cost alone. */
#include <fcntl.h>
#include <sys/ioctl.h>

#include <linux/kchan.h>

#include "drive.h"

/* A handle is a file number; the pointers that go around are to these. */
struct handle {
	int fd;
};

static struct handle *new_handle(unsigned long request, void *args)
{
	struct handle *h = allocate(sizeof(*h));
	int dev = open("/dev/kchan", O_RDWR | O_CLOEXEC);

	if (dev < 0)
		err(1, "/dev/kchan");
	h->fd = ioctl(dev, request, args);
	if (h->fd < 0)
		err(1, "no new object");
	close(dev);
	return h;
}

static void *make(const struct job *job)
{
	struct kchan_create_chan args = {
		.size = sizeof(args),
		.elem_size = job->size,
		.capacity = job->capacity,
		.handles = is_workload(job, "fd-pass"),
		.depth = is_workload(job, "fd-pass"),
	};

	if (job->cases > KCHAN_MAX_CASES)
		cannot();
	return new_handle(KCHAN_CREATE_CHAN, &args);
}

static int fd_of(void *handle)
{
	return ((struct handle *)handle)->fd;
}

static void send_one(void *end, const void *msg, size_t size)
{
	struct kchan_msg m = { .size = sizeof(m), .buf = (uintptr_t)msg, .len = size };

	if (ioctl(fd_of(end), KCHAN_SEND, &m))
		err(1, "KCHAN_SEND");
}

static bool recv_one(void *end, void *msg, size_t size)
{
	struct kchan_msg m = { .size = sizeof(m), .buf = (uintptr_t)msg, .len = size };
	int ret = ioctl(fd_of(end), KCHAN_RECV, &m);

	if (ret < 0)
		err(1, "KCHAN_RECV");
	return ret;
}

static void send_many(void *end, const void *msgs, size_t size, unsigned int n)
{
	struct kchan_batch b = {
		.size = sizeof(b),
		.buf = (uintptr_t)msgs,
		.len = size,
		.min = n,
		.max = n,
	};

	if (ioctl(fd_of(end), KCHAN_SEND_BATCH, &b) != (int)n)
		err(1, "KCHAN_SEND_BATCH");
}

static unsigned int recv_many(void *end, void *msgs, size_t size, unsigned int n)
{
	struct kchan_batch b = {
		.size = sizeof(b),
		.buf = (uintptr_t)msgs,
		.len = size,
		.min = 1,
		.max = n,
	};
	int ret = ioctl(fd_of(end), KCHAN_RECV_BATCH, &b);

	if (ret <= 0)
		err(1, "KCHAN_RECV_BATCH");
	return ret;
}

static void call_once(void *requests, void *answers, const void *request, void *answer, size_t size)
{
	struct kchan_call c = {
		.size = sizeof(c),
		.request = (uintptr_t)request,
		.answer = (uintptr_t)answer,
		.request_len = size,
		.answer_len = size,
		.fd = fd_of(answers),
	};

	if (ioctl(fd_of(requests), KCHAN_CALL, &c) != 1)
		err(1, "KCHAN_CALL");
}

static void close_it(void *queue)
{
	if (ioctl(fd_of(queue), KCHAN_CLOSE, 0))
		err(1, "KCHAN_CLOSE");
}

struct set {
	int fd;
	struct kchan_select select;
	struct kchan_case cases[];
};

static void *gather(const struct job *job, void *const *ends, unsigned int n, void *msg)
{
	struct set *set = allocate(sizeof(*set) + n * sizeof(set->cases[0]));
	unsigned int i;

	set->fd = fd_of(ends[0]);
	set->select.size = sizeof(set->select);
	set->select.cases = (uintptr_t)set->cases;
	set->select.nr = n;
	set->select.case_size = sizeof(set->cases[0]);
	for (i = 0; i < n; i++) {
		set->cases[i].fd = fd_of(ends[i]);
		set->cases[i].op = KCHAN_OP_RECV;
		set->cases[i].buf = (uintptr_t)msg;
		set->cases[i].len = job->size;
	}
	return set;
}

static unsigned int select_one(void *arg, void *msg, size_t size)
{
	struct set *set = arg;
	int ret = ioctl(set->fd, KCHAN_SELECT, &set->select);

	(void)msg;
	(void)size;
	if (ret < 0 || ret >> KCHAN_OUTCOME_SHIFT != 1)
		err(1, "KCHAN_SELECT");
	return ret & ((1u << KCHAN_OUTCOME_SHIFT) - 1);
}

static void send_file(void *end, const void *msg, size_t size, int fd)
{
	struct kchan_ancillary a = { .size = sizeof(a), .handles = (uintptr_t)&fd, .nr = 1 };
	struct kchan_msg m = {
		.size = sizeof(m),
		.buf = (uintptr_t)msg,
		.len = size,
		.ancillary = (uintptr_t)&a,
	};

	if (ioctl(fd_of(end), KCHAN_SEND, &m))
		err(1, "KCHAN_SEND with a file");
}

static int recv_file(void *end, void *msg, size_t size)
{
	int fd = -1;
	struct kchan_ancillary a = { .size = sizeof(a), .handles = (uintptr_t)&fd, .nr = 1 };
	struct kchan_msg m = {
		.size = sizeof(m),
		.buf = (uintptr_t)msg,
		.len = size,
		.ancillary = (uintptr_t)&a,
	};

	if (ioctl(fd_of(end), KCHAN_RECV, &m) != 1)
		err(1, "KCHAN_RECV with a file");
	return fd;
}

static void *new_object(unsigned int kind)
{
	struct kchan_create args = { .size = sizeof(args), .kind = kind };

	return new_handle(KCHAN_CREATE, &args);
}

static void wait_for(void *object, unsigned int op, uint64_t arg)
{
	struct kchan_wait wait = { .size = sizeof(wait), .op = op, .arg = arg };

	if (ioctl(fd_of(object), KCHAN_WAIT, &wait))
		err(1, "KCHAN_WAIT");
}

static void give(void *object, unsigned long request, int64_t value)
{
	struct kchan_arg arg = { .size = sizeof(arg), .value = value };

	if (ioctl(fd_of(object), request, &arg))
		err(1, "giving back");
}

static void *make_mutex(const struct job *job)
{
	(void)job;
	return new_object(KCHAN_KIND_MUTEX);
}

static void lock(void *mutex)
{
	wait_for(mutex, KCHAN_OP_LOCK, 0);
}

static void unlock(void *mutex)
{
	give(mutex, KCHAN_UNLOCK, KCHAN_OP_LOCK);
}

static void *make_group(const struct job *job)
{
	(void)job;
	return new_object(KCHAN_KIND_WAITGROUP);
}

static void add(void *group)
{
	wait_for(group, KCHAN_OP_ADD, 1);
}

static void done(void *group)
{
	give(group, KCHAN_DONE, 1);
}

static void zero(void *group)
{
	wait_for(group, KCHAN_OP_ZERO, 0);
}

const struct peer peer = {
	.make = make,
	.send = send_one,
	.recv = recv_one,
	.send_many = send_many,
	.recv_many = recv_many,
	.call = call_once,
	.close = close_it,
	.gather = gather,
	.select = select_one,
	.send_file = send_file,
	.recv_file = recv_file,
	.make_mutex = make_mutex,
	.lock = lock,
	.unlock = unlock,
	.make_group = make_group,
	.add = add,
	.done = done,
	.zero = zero,
};
