// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The way into the kernel: the device, the ioctls, and their errno habits. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

static const char device[] = "/dev/kchan";

/* Many errnos say "the device is not there"; callers hear of one. */
static int open_device(void)
{
	int fd = open(device, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENXIO || errno == ENOTDIR)
		errno = ENODEV;
	if (errno == EPERM)
		errno = EACCES;
	return -1;
}

/* ENOTTY is the kernel's word for an ioctl it does not know, E2BIG for a part of a struct. */
static int call(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0 && (errno == ENOTTY || (errno == E2BIG && request != KCHAN_SELECT)))
		errno = EPROTO;
	return ret;
}

static int open_and_call(unsigned long request, void *arg)
{
	int fd = open_device();
	int ret, errnum;

	if (fd < 0)
		return -1;
	ret = call(fd, request, arg);
	errnum = errno;
	close(fd);
	errno = errnum;
	return ret;
}

/*
 * Where open(2), close(2) or what writes is called, a thread that was cancelled ends: what
 * was to be done there and after it would never be.  So none is cancelled meanwhile.
 */
int chan_device_call(unsigned long request, void *arg)
{
	int state, ret;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	ret = open_and_call(request, arg);
	pthread_setcancelstate(state, &state);
	return ret;
}

void chan_close_fd(int fd)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	close(fd);
	pthread_setcancelstate(state, &state);
}

int chan_ioctl(const struct chan_object *o, unsigned long request, void *arg)
{
	if (!o)
		return chan_fail(EBADF);
	return call(o->fd, request, arg);
}

int chan_ioctl_arg(const void *handle, unsigned long request, int64_t value)
{
	struct kchan_arg arg = { .size = sizeof(arg), .value = value };

	return chan_ioctl(handle, request, &arg);
}
