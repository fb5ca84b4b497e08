/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the files of libchan share.
 *
 * There is no state but in the handles, and a handle never changes once it is
 * made: so any number of threads may use one at the same time, and a child made
 * by fork(2) has good handles of its own.
 */
#ifndef LIBCHAN_INTERNAL_H
#define LIBCHAN_INTERNAL_H

#include "libchan.h"

/* Part of the library's interface; all else is hidden. */
#define EXPORT __attribute__((visibility("default")))

struct chan {
	int fd;
	size_t elem_size;
	size_t capacity;
};

/* Fails with errno; returns what a failing call returns. */
int chan_fail(int errnum);

/* An ioctl of /dev/kchan, which is open only as long as the call lasts. */
int chan_device_call(unsigned long request, void *arg);

/* An ioctl of an open channel. */
int chan_call(const struct chan *c, unsigned long request, void *arg);

/* The KCHAN_* flags that say "a deadline on this clock", or -1 with EINVAL. */
int chan_clock_flags(clockid_t clock);

#endif /* LIBCHAN_INTERNAL_H */
