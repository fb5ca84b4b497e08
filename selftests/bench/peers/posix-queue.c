// SPDX-License-Identifier: GPL-2.0-only
/* POSIX message queues.  They cannot be closed for those who wait. */
#include <fcntl.h>
#include <mqueue.h>

#include "waits.h"

static void *make(const struct job *job)
{
	static const char name[] = "/kchan-bench";
	/* Empty messages it has, but not queues for them alone. */
	struct mq_attr attr = { .mq_maxmsg = job->capacity, .mq_msgsize = job->size + !job->size };
	struct file_end *q = allocate(sizeof(*q));

	if (!job->capacity)
		cannot();
	q->in = q->out = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attr);
	if (q->in < 0)
		err(1, "mq_open");
	mq_unlink(name);
	return q;
}

static void send_one(void *end, const void *msg, size_t size)
{
	const struct file_end *e = end;

	if (mq_send(e->out, msg, size, 0))
		err(1, "mq_send");
}

/* It wants room for the longest message that there may be. */
static bool recv_one(void *end, void *msg, size_t size)
{
	const struct file_end *e = end;

	if (mq_receive(e->in, msg, size + !size, NULL) != (ssize_t)size)
		err(1, "mq_receive");
	return true;
}

const struct peer peer = {
	.make = make,
	.send = send_one,
	.recv = recv_one,
	.gather = gather_files,
	.select = select_file,
};
