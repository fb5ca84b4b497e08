// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds: a signal, or a number, and no queue: what is sent before the receiver
 * looks adds up.
 */
#include <sys/eventfd.h>

#include "waits.h"

static void *make(const struct job *job)
{
	struct file_end *q = allocate(sizeof(*q));

	if ((job->size && job->size != sizeof(uint64_t)) || !job->capacity ||
	    is_workload(job, "stream"))
		cannot();
	q->in = q->out = eventfd(0, EFD_CLOEXEC);
	if (q->in < 0)
		err(1, "eventfd");
	return q;
}

/* The pattern of a message is a number like any other. */
static void send_number(void *end, const void *msg, size_t size)
{
	const struct file_end *e = end;
	uint64_t one = 1;

	if (write(e->out, size ? msg : &one, sizeof(one)) != sizeof(one))
		err(1, "write");
}

static bool recv_number(void *end, void *msg, size_t size)
{
	const struct file_end *e = end;
	uint64_t number;

	if (read(e->in, size ? msg : &number, sizeof(number)) != sizeof(number))
		err(1, "read");
	return true;
}

const struct peer peer = {
	.make = make,
	.send = send_number,
	.recv = recv_number,
	.gather = gather_files,
	.select = select_file,
};
