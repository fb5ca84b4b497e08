/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for one of several files as most programs do, with epoll: for peers whose
 * queues are files, and whose ends have struct file_end's fields first.
 */
#ifndef BENCH_WAITS_H
#define BENCH_WAITS_H

#include <sys/epoll.h>

#include "drive.h"

/* What queues that are files attach to. */
struct file_end {
	int in;
	int out;
};

struct file_set {
	int epoll;
	void *const *ends;
};

static inline void *gather_files(const struct job *job, void *const *ends, unsigned int n,
				 void *msg)
{
	struct file_set *set = (struct file_set *)allocate(sizeof(*set));
	unsigned int i;

	(void)job;
	(void)msg;
	set->ends = ends;
	set->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (set->epoll < 0)
		err(1, "epoll_create1");
	for (i = 0; i < n; i++) {
		struct epoll_event event;

		memset(&event, 0, sizeof(event));
		event.events = EPOLLIN;
		event.data.u32 = i;
		if (epoll_ctl(set->epoll, EPOLL_CTL_ADD, ((struct file_end *)ends[i])->in, &event))
			err(1, "epoll_ctl");
	}
	return set;
}

static inline unsigned int select_file(void *arg, void *msg, size_t size)
{
	struct file_set *set = (struct file_set *)arg;
	struct epoll_event event;

	if (epoll_wait(set->epoll, &event, 1, -1) != 1)
		err(1, "epoll_wait");
	receive(set->ends[event.data.u32], msg);
	(void)size;
	return event.data.u32;
}

#endif /* BENCH_WAITS_H */
