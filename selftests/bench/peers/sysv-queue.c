// SPDX-License-Identifier: GPL-2.0-only
/*
 * System V message queues.  They are no files: nobody can wait for one of several.  To
 * close one is to remove it, which those who wait are told.
 */
#include <sys/ipc.h>
#include <sys/msg.h>

#include "drive.h"

/* Every message has a type in front of it. */
struct queue {
	int id;
	struct message {
		long type;
		char bytes[];
	} *message;
};

/* What has been made outlives the program, but for this. */
static int made[4096];
static unsigned int nr_made;
static pid_t maker;

static void remove_all(void)
{
	if (getpid() != maker)
		return;
	while (nr_made)
		msgctl(made[--nr_made], IPC_RMID, NULL);
}

static void *make(const struct job *job)
{
	struct queue *q = allocate(sizeof(*q));
	struct msqid_ds ds;

	/* Its room is counted in bytes. */
	if (!job->capacity || !job->size)
		cannot();
	if (!nr_made) {
		maker = getpid();
		atexit(remove_all);
	}
	if (nr_made == sizeof(made) / sizeof(made[0]))
		cannot();
	q->id = msgget(IPC_PRIVATE, 0600);
	if (q->id < 0)
		err(1, "msgget");
	made[nr_made++] = q->id;
	if (msgctl(q->id, IPC_STAT, &ds))
		err(1, "IPC_STAT");
	ds.msg_qbytes = (msglen_t)job->capacity * job->size;
	if (msgctl(q->id, IPC_SET, &ds))
		err(1, "IPC_SET");
	return q;
}

static void *attach_end(const struct job *job, void *queue, unsigned int does)
{
	struct queue *end = allocate(sizeof(*end));

	(void)does;
	end->id = ((struct queue *)queue)->id;
	end->message = allocate(sizeof(*end->message) + job->size);
	return end;
}

/* The caller's messages have no type, so they are copied once more, as it must be. */
static void send_one(void *end, const void *msg, size_t size)
{
	struct queue *e = end;

	e->message->type = 1;
	memcpy(e->message->bytes, msg, size);
	if (msgsnd(e->id, e->message, size, 0))
		err(1, "msgsnd");
}

static bool recv_one(void *end, void *msg, size_t size)
{
	struct queue *e = end;
	ssize_t n = msgrcv(e->id, e->message, size, 0, 0);

	if (n < 0 && (errno == EIDRM || errno == EINVAL))
		return false;
	if (n != (ssize_t)size)
		err(1, "msgrcv");
	memcpy(msg, e->message->bytes, size);
	return true;
}

static void close_it(void *queue)
{
	const struct queue *q = queue;

	if (msgctl(q->id, IPC_RMID, NULL))
		err(1, "IPC_RMID");
}

const struct peer peer = {
	.make = make,
	.attach = attach_end,
	.send = send_one,
	.recv = recv_one,
	.close = close_it,
};
