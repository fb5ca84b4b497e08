// SPDX-License-Identifier: GPL-2.0-only
/*
 * ntsync, of kernels from 6.14 on: semaphores for messages of no bytes, mutexes, and
 * waiting for one of several.  Its mutexes pass on when their holder is said to have
 * died; nobody says so by itself.
 */
#include <fcntl.h>
#include <sys/ioctl.h>

#include <linux/ntsync.h>

#include "drive.h"

struct object {
	int fd;
};

static int device(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/ntsync", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		cannot();
	return fd;
}

static struct object *new_object(unsigned long request, void *args)
{
	struct object *o = allocate(sizeof(*o));

	o->fd = ioctl(device(), request, args);
	if (o->fd < 0)
		err(1, "no new object");
	return o;
}

static unsigned int wait_any(const int *fds, unsigned int n, __u32 owner)
{
	struct ntsync_wait_args args = {
		.timeout = ~0ull,
		.objs = (uintptr_t)fds,
		.count = n,
		.owner = owner,
	};

	if (ioctl(device(), NTSYNC_IOC_WAIT_ANY, &args))
		err(1, "NTSYNC_IOC_WAIT_ANY");
	return args.index;
}

static void *make(const struct job *job)
{
	struct ntsync_sem_args args = { .max = job->capacity };

	if (job->size || !job->capacity || job->cases > NTSYNC_MAX_WAIT_COUNT ||
	    is_workload(job, "close"))
		cannot();
	/* One that is full refuses more, and does not wait. */
	if (is_workload(job, "stream"))
		cannot();
	return new_object(NTSYNC_IOC_CREATE_SEM, &args);
}

static void post(void *end, const void *msg, size_t size)
{
	__u32 count = 1;

	(void)msg;
	(void)size;
	if (ioctl(((struct object *)end)->fd, NTSYNC_IOC_SEM_RELEASE, &count))
		err(1, "NTSYNC_IOC_SEM_RELEASE");
}

static bool take(void *end, void *msg, size_t size)
{
	(void)msg;
	(void)size;
	wait_any(&((struct object *)end)->fd, 1, 1);
	return true;
}

struct set {
	unsigned int n;
	int fds[NTSYNC_MAX_WAIT_COUNT];
};

static void *gather(const struct job *job, void *const *ends, unsigned int n, void *msg)
{
	struct set *set = allocate(sizeof(*set));
	unsigned int i;

	(void)job;
	(void)msg;
	set->n = n;
	for (i = 0; i < n; i++)
		set->fds[i] = ((struct object *)ends[i])->fd;
	return set;
}

static unsigned int select_one(void *arg, void *msg, size_t size)
{
	const struct set *set = arg;

	(void)msg;
	(void)size;
	return wait_any(set->fds, set->n, 1);
}

static void *make_mutex(const struct job *job)
{
	struct ntsync_mutex_args args = { 0 };

	(void)job;
	return new_object(NTSYNC_IOC_CREATE_MUTEX, &args);
}

/* Threads that shared a number would lock it together. */
static __u32 self(void)
{
	static __thread __u32 number;

	if (!number)
		number = syscall(SYS_gettid);
	return number;
}

static void lock(void *mutex)
{
	wait_any(&((struct object *)mutex)->fd, 1, self());
}

static void unlock(void *mutex)
{
	struct ntsync_mutex_args args = { .owner = self() };

	if (ioctl(((struct object *)mutex)->fd, NTSYNC_IOC_MUTEX_UNLOCK, &args))
		err(1, "NTSYNC_IOC_MUTEX_UNLOCK");
}

const struct peer peer = {
	.make = make,
	.send = post,
	.recv = take,
	.gather = gather,
	.select = select_one,
	.make_mutex = make_mutex,
	.lock = lock,
	.unlock = unlock,
};
