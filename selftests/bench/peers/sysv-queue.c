// SPDX-License-Identifier: GPL-2.0-only
/*
 * System V message queues.  They are no files: nobody can wait for one of several.  To
 * close one is to remove it, which those who wait are told.
 */
#include <sys/ipc.h>
#include <sys/msg.h>

#include "drive.h"

struct queue {
	int id;
};

/* Every message has a type in front of it, for which drive.h leaves room. */
static void *with_type(const void *msg)
{
	long *type = (long *)((uintptr_t)msg - sizeof(*type));

	*type = 1;
	return type;
}

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

	if (!job->capacity)
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
	/* It may hold so many bytes, and no more messages than that. */
	ds.msg_qbytes = (msglen_t)job->capacity * (job->size ? job->size : 1);
	if (msgctl(q->id, IPC_SET, &ds))
		err(1, "IPC_SET");
	return q;
}

static void send_one(void *end, const void *msg, size_t size)
{
	const struct queue *q = end;

	if (msgsnd(q->id, with_type(msg), size, 0))
		err(1, "msgsnd");
}

static bool recv_one(void *end, void *msg, size_t size)
{
	const struct queue *q = end;
	ssize_t n = msgrcv(q->id, with_type(msg), size, 0, 0);

	if (n < 0 && (errno == EIDRM || errno == EINVAL))
		return false;
	if (n != (ssize_t)size)
		err(1, "msgrcv");
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
	.send = send_one,
	.recv = recv_one,
	.close = close_it,
};
