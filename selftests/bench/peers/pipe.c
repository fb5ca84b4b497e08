// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pipes.  They count bytes, a page of room at the least.  What is written at once comes
 * in one piece where it is no longer than a page; longer messages of several senders
 * would mix.
 */
#include <fcntl.h>

#include "waits.h"

static void *make(const struct job *job)
{
	struct file_end *q = allocate(sizeof(*q));
	size_t room = (size_t)job->capacity * job->size, page = sysconf(_SC_PAGESIZE);
	int fds[2];

	/* Nothing can be written that is no byte, and nobody meets the other. */
	if (!job->size || !job->capacity)
		cannot();
	if (job->size > PIPE_BUF && job->senders > 1)
		cannot();
	/* Where it matters, room for more would be another work. */
	if (room < page && is_workload(job, "stream") && job->capacity == 1)
		cannot();
	if (pipe(fds))
		err(1, "pipe");
	q->in = fds[0];
	q->out = fds[1];
	if (is_workload(job, "stream") && fcntl(q->out, F_SETPIPE_SZ, room) < 0)
		err(1, "F_SETPIPE_SZ");
	return q;
}

/* A process that keeps the end to write to would never see the end. */
static void *attach_end(const struct job *job, void *queue, unsigned int does)
{
	struct file_end *q = queue;

	if (!job->threads && does == RECEIVES && is_workload(job, "close"))
		close(q->out);
	return q;
}

static void send_bytes(void *end, const void *msg, size_t size)
{
	const struct file_end *e = end;

	if (write(e->out, msg, size) != (ssize_t)size)
		err(1, "write");
}

/* A long message may come in pieces. */
static bool recv_bytes(void *end, void *msg, size_t size)
{
	const struct file_end *e = end;
	size_t got = 0;
	ssize_t n;

	do {
		n = read(e->in, (char *)msg + got, size - got);
		if (n < 0)
			err(1, "read");
		got += n;
	} while (n && got < size);
	return n;
}

static void send_many(void *end, const void *msgs, size_t size, unsigned int n)
{
	send_bytes(end, msgs, size * n);
}

/* As many as there are, and the rest of one that has come in part. */
static unsigned int recv_many(void *end, void *msgs, size_t size, unsigned int n)
{
	const struct file_end *e = end;
	ssize_t got = read(e->in, msgs, size * n);
	size_t rest;

	if (got <= 0)
		err(1, "read");
	rest = got % size;
	if (rest && !recv_bytes(end, (char *)msgs + got, size - rest))
		errx(1, "half a message");
	return (got + size - 1) / size;
}

static void close_it(void *queue)
{
	const struct file_end *q = queue;

	if (close(q->out))
		err(1, "close");
}

const struct peer peer = {
	.make = make,
	.attach = attach_end,
	.send = send_bytes,
	.recv = recv_bytes,
	.send_many = send_many,
	.recv_many = recv_many,
	.close = close_it,
	.gather = gather_files,
	.select = select_file,
};
