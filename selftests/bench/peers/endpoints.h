/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Queues made of the sockets of a library, for zeromq.c and nng.c.  Each task that
 * receives listens at an address of its own.  A task that sends has a socket for each of
 * them, and gives each a message in its turn: a library that distributes them itself
 * goes on with whoever is quickest, while here all are to receive the same number.
 *
 * Before there are tasks nothing of the library may be used: it does not survive a fork.
 */
#ifndef BENCH_ENDPOINTS_H
#define BENCH_ENDPOINTS_H

#include "drive.h"

struct queue {
	int maker;
	unsigned int number;
	unsigned int listening;	/* tasks so far */
	void *library;		/* what the library has for it, where it is to be closed */
};

struct address {
	char text[64];
};

static void *make(const struct job *job)
{
	static unsigned int made;
	struct queue *queue = share(sizeof(*queue));

	/*
	 * There is no rendezvous; and with room on both sides, and in a socket between them,
	 * where it matters more than one message.
	 */
	if (!job->capacity || (is_workload(job, "stream") && job->capacity == 1))
		cannot();
	/* What is closed is of one process. */
	if (is_workload(job, "close") && !job->threads)
		cannot();
	queue->maker = getpid();
	queue->number = made++;
	return queue;
}

/* In Linux's abstract name space, so that no file remains. */
static struct address address_of(const char *scheme, const struct queue *queue,
				 unsigned int receiver)
{
	struct address address;

	snprintf(address.text, sizeof(address.text), "%skchan-bench-%d-%u-%u", scheme,
		 queue->maker, queue->number, receiver);
	return address;
}

static unsigned int new_receiver(struct queue *queue)
{
	return __atomic_fetch_add(&queue->listening, 1, __ATOMIC_RELAXED);
}

#endif /* BENCH_ENDPOINTS_H */
