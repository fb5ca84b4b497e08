// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an uncontended pair costs: one send and one receive of a 64-byte message
 * by one thread, through a channel and through what people use today; the same
 * with a select over eight channels to receive from; 64 pairs as 64 sends and 64
 * receives, and as a batch of each; to lock and unlock, to add and be done.
 *
 * Meant for a guest whose clock counts instructions (one a nanosecond):
 *
 *	selftests/bench/run
 *
 * The workloads take turns in every round; what is printed is the median of the
 * rounds and how far they spread.
 */
#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/kchan.h>

#define MSG 64
#define ROUNDS 15
#define PAIRS 500
#define WAYS 8
#define BATCH 64

static char msg[MSG];

static int null_open(int fds[WAYS])
{
	(void)fds;
	return 0;
}

static int null_pair(const int fds[WAYS])
{
	(void)fds;
	return syscall(SYS_getppid) <= 0 || syscall(SYS_getppid) <= 0;
}

static int pipe_pair(const int fds[WAYS])
{
	return write(fds[1], msg, MSG) != MSG || read(fds[0], msg, MSG) != MSG;
}

static int event_open(int fds[WAYS])
{
	fds[0] = eventfd(0, 0);
	return fds[0];
}

static int event_pair(const int fds[WAYS])
{
	uint64_t one = 1;

	return write(fds[0], &one, sizeof(one)) != sizeof(one) ||
	       read(fds[0], &one, sizeof(one)) != sizeof(one);
}

static int mq_open_one(int fds[WAYS])
{
	struct mq_attr attr = { .mq_maxmsg = 8, .mq_msgsize = MSG };

	fds[0] = mq_open("/kchan-bench", O_RDWR | O_CREAT, 0600, &attr);
	mq_unlink("/kchan-bench");
	return fds[0];
}

static int mq_pair(const int fds[WAYS])
{
	return mq_send(fds[0], msg, MSG, 0) || mq_receive(fds[0], msg, MSG, NULL) != MSG;
}

static int chan_make(int fds[WAYS], unsigned int capacity)
{
	struct kchan_create_chan args = {
		.size = sizeof(args),
		.elem_size = MSG,
		.capacity = capacity,
	};
	int dev = open("/dev/kchan", O_RDWR | O_CLOEXEC);

	if (dev < 0)
		return -1;
	fds[0] = ioctl(dev, KCHAN_CREATE_CHAN, &args);
	close(dev);
	return fds[0];
}

static int chan_open(int fds[WAYS])
{
	return chan_make(fds, 8);
}

static int chan_open_for_many(int fds[WAYS])
{
	return chan_make(fds, BATCH);
}

static int chan_pair(const int fds[WAYS])
{
	struct kchan_msg m = { .size = sizeof(m), .buf = (uintptr_t)msg, .len = MSG };

	return ioctl(fds[0], KCHAN_SEND, &m) || ioctl(fds[0], KCHAN_RECV, &m) != 1;
}

static int chan_rw_pair(const int fds[WAYS])
{
	return write(fds[0], msg, MSG) != MSG || read(fds[0], msg, MSG) != MSG;
}

static int chan_many(const int fds[WAYS])
{
	struct kchan_msg m = { .size = sizeof(m), .buf = (uintptr_t)msg, .len = MSG };
	int i, wrong = 0;

	for (i = 0; i < BATCH; i++)
		wrong |= ioctl(fds[0], KCHAN_SEND, &m);
	for (i = 0; i < BATCH; i++)
		wrong |= ioctl(fds[0], KCHAN_RECV, &m) != 1;
	return wrong;
}

static int chan_batch(const int fds[WAYS])
{
	static char many[BATCH * MSG] __attribute__((aligned(64)));
	struct kchan_batch b = {
		.size = sizeof(b),
		.buf = (uintptr_t)many,
		.len = MSG,
		.min = BATCH,
		.max = BATCH,
	};

	return ioctl(fds[0], KCHAN_SEND_BATCH, &b) != BATCH ||
	       ioctl(fds[0], KCHAN_RECV_BATCH, &b) != BATCH;
}

static int select_open(int fds[WAYS])
{
	int i;

	for (i = 0; i < WAYS; i++) {
		if (chan_open(fds + i) < 0)
			return -1;
	}
	return 0;
}

/* A message for one of the channels, each in its turn, and a select over all. */
static int select_pair(const int fds[WAYS])
{
	static int turn;
	struct kchan_msg m = { .size = sizeof(m), .buf = (uintptr_t)msg, .len = MSG };
	struct kchan_case cases[WAYS];
	struct kchan_select select = {
		.size = sizeof(select),
		.cases = (uintptr_t)cases,
		.nr = WAYS,
		.case_size = sizeof(cases[0]),
	};
	int i;

	for (i = 0; i < WAYS; i++)
		cases[i] = (struct kchan_case){
			.fd = fds[i],
			.op = KCHAN_OP_RECV,
			.buf = (uintptr_t)msg,
			.len = MSG,
		};
	turn = (turn + 1) % WAYS;
	return ioctl(fds[turn], KCHAN_SEND, &m) ||
	       ioctl(fds[0], KCHAN_SELECT, &select) != (turn | 1 << KCHAN_OUTCOME_SHIFT);
}

static int object_open(int fds[WAYS], unsigned int kind)
{
	struct kchan_create args = { .size = sizeof(args), .kind = kind };
	int dev = open("/dev/kchan", O_RDWR | O_CLOEXEC);

	if (dev < 0)
		return -1;
	fds[0] = ioctl(dev, KCHAN_CREATE, &args);
	close(dev);
	return fds[0];
}

/* An operation that need not wait, and the call that undoes it. */
static int object_pair(int fd, unsigned int op, uint64_t arg, unsigned int undo, int64_t value)
{
	struct kchan_wait wait = { .size = sizeof(wait), .op = op, .arg = arg };
	struct kchan_arg back = { .size = sizeof(back), .value = value };

	return ioctl(fd, KCHAN_WAIT, &wait) || ioctl(fd, undo, &back);
}

static int mutex_open(int fds[WAYS])
{
	return object_open(fds, KCHAN_KIND_MUTEX);
}

static int mutex_pair(const int fds[WAYS])
{
	return object_pair(fds[0], KCHAN_OP_LOCK, 0, KCHAN_UNLOCK, KCHAN_OP_LOCK);
}

static int waitgroup_open(int fds[WAYS])
{
	return object_open(fds, KCHAN_KIND_WAITGROUP);
}

static int waitgroup_pair(const int fds[WAYS])
{
	return object_pair(fds[0], KCHAN_OP_ADD, 1, KCHAN_DONE, 1);
}

static struct workload {
	const char *name;
	int (*open)(int fds[WAYS]);
	int (*pair)(const int fds[WAYS]);
	int fds[WAYS];
	int64_t rounds[ROUNDS];
} workloads[] = {
	{ .name = "two empty system calls", .open = null_open, .pair = null_pair },
	{ .name = "channel, send and receive", .open = chan_open, .pair = chan_pair },
	{ .name = "channel, write and read", .open = chan_open, .pair = chan_rw_pair },
	{ .name = "64 sends and 64 receives", .open = chan_open_for_many, .pair = chan_many },
	{ .name = "batches of 64, both", .open = chan_open_for_many, .pair = chan_batch },
	{ .name = "send, select over 8", .open = select_open, .pair = select_pair },
	{ .name = "mutex, lock and unlock", .open = mutex_open, .pair = mutex_pair },
	{ .name = "wait group, add and done", .open = waitgroup_open, .pair = waitgroup_pair },
	{ .name = "pipe, write and read", .open = pipe, .pair = pipe_pair },
	{ .name = "eventfd, 8 bytes", .open = event_open, .pair = event_pair },
	{ .name = "POSIX queue", .open = mq_open_one, .pair = mq_pair },
};

#define WORKLOADS (sizeof(workloads) / sizeof(workloads[0]))

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static int64_t time_round(const struct workload *w)
{
	int64_t start = now();
	int i;

	for (i = 0; i < PAIRS; i++) {
		if (w->pair(w->fds))
			err(1, "%s", w->name);
	}
	return now() - start;
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	struct workload *w;
	int round;

	for (w = workloads; w < workloads + WORKLOADS; w++) {
		if (w->open(w->fds) < 0)
			err(1, "%s", w->name);
		time_round(w); /* warm up */
	}
	for (round = 0; round < ROUNDS; round++) {
		for (w = workloads; w < workloads + WORKLOADS; w++)
			w->rounds[round] = time_round(w);
	}

	printf("%-28s %10s %10s %10s   (ns of the guest's clock, a pair)\n",
	       "64 bytes, nobody blocks", "median", "least", "most");
	for (w = workloads; w < workloads + WORKLOADS; w++) {
		qsort(w->rounds, ROUNDS, sizeof(w->rounds[0]), ascending);
		printf("%-28s %10.1f %10.1f %10.1f\n", w->name,
		       (double)w->rounds[ROUNDS / 2] / PAIRS, (double)w->rounds[0] / PAIRS,
		       (double)w->rounds[ROUNDS - 1] / PAIRS);
	}
	return 0;
}
