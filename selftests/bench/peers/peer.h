/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a peer of the benchmark is: a program that does one round of one workload,
 *
 *	PEER WORKLOAD [key=value...]
 *
 * and prints one line, "OPS WALL_NS CPU_NS": operations measured, time that passed, and
 * processor time of all its tasks together.  Exit status: 0; 4 when this peer cannot do
 * that; anything else is a failure, with a sentence on stderr.
 *
 * This header has what every such program in C or C++ needs: the job, the clocks, the
 * report.  drive.h, included after it, has the workloads as well, for peers that say how
 * they send, receive and so on.  The workloads, and the operation that each counts:
 *
 *   pair	one task sends and receives, and nobody blocks: both
 *   round-trip	two tasks, a request and its answer: both, each over a queue of its own.
 *		senders=N: one of N such pairs, all at it at once
 *   call	the same, where the requesting task has one call for it
 *   stream	senders to receivers: one message; batch=N moves up to N in a call
 *   select-ready  a message for one of `cases` queues, each in its turn, and a receive
 *		from whichever has one, all by one task: both
 *   select-parked  a task sleeps until one of `cases` queues has a message, which another
 *		task sends to each in its turn; a token goes back over another queue: both
 *   close	`waiters` tasks wait to receive, and the queue is closed: until all of them
 *		know
 *   fd-pass	one task sends a message with a file, receives it, and closes the file that
 *		came: all of it
 *   mutex	`senders` tasks lock and unlock one mutex, with nothing in between: both.
 *		More than one are at it for CONTEND_MS, whatever `ops` is
 *   wait-group	senders=1: a task adds 1, is done with 1, and waits for zero: all of it.
 *		More: each adds 1 and is done with 1 while somebody else holds 1 all the
 *		time, and waits for zero in the end: an add and a done, for CONTEND_MS
 *   spawn-join	a task is started that does nothing, and waited for: both
 *
 * Set-up, and a warm-up of at least WARM operations, are not measured.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WARM 100
#define CONTEND_MS 50

/* Exit status of a peer that cannot do the job, as kselftest's of a test skipped. */
#define CANNOT 4

struct job {
	const char *workload;
	unsigned int size;	/* bytes of a message */
	unsigned int capacity;	/* messages that a queue has room for; 0: rendezvous */
	unsigned int senders;
	unsigned int receivers;
	unsigned int ops;	/* to be measured, at least */
	unsigned int batch;	/* messages in a call */
	unsigned int cases;	/* of a select */
	unsigned int waiters;
	bool threads;		/* tasks are threads, not processes */
};

static inline bool is_workload(const struct job *job, const char *name)
{
	return !strcmp(job->workload, name);
}

/* Ends the program: a dash in the table. */
static inline void cannot(void)
{
	exit(CANNOT);
}

static inline unsigned int job_number(const char *key, const char *digits)
{
	char *end;
	unsigned long n = strtoul(digits, &end, 10);

	if (!*digits || *end || n > 100000000)
		errx(1, "%s=%s: not a number", key, digits);
	return (unsigned int)n;
}

static inline bool job_tasks(const char *value)
{
	if (strcmp(value, "threads") && strcmp(value, "processes"))
		errx(1, "tasks=%s: there are threads and processes", value);
	return !strcmp(value, "threads");
}

/* One "key=value". */
static inline void job_word(struct job *job, char *word)
{
	const struct {
		const char *key;
		unsigned int *value;
	} numbers[] = {
		{ "size", &job->size },		  { "capacity", &job->capacity },
		{ "senders", &job->senders },	  { "receivers", &job->receivers },
		{ "ops", &job->ops },		  { "batch", &job->batch },
		{ "cases", &job->cases },	  { "waiters", &job->waiters },
	};
	char *value = strchr(word, '=');
	size_t i;

	if (!value)
		errx(1, "%s: not of the form key=value", word);
	*value++ = '\0';
	if (!strcmp(word, "tasks")) {
		job->threads = job_tasks(value);
		return;
	}
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!strcmp(word, numbers[i].key)) {
			*numbers[i].value = job_number(word, value);
			return;
		}
	}
	errx(1, "%s: no such key", word);
}

static inline struct job parse_job(int argc, char **argv)
{
	struct job job;
	int i;

	memset(&job, 0, sizeof(job));
	job.size = 64;
	job.capacity = job.senders = job.receivers = job.batch = job.cases = job.waiters = 1;
	job.ops = 1000;
	if (argc < 2)
		errx(1, "usage: %s WORKLOAD [key=value...]", argv[0]);
	job.workload = argv[1];
	for (i = 2; i < argc; i++)
		job_word(&job, argv[i]);
	if (!job.senders || !job.receivers || !job.ops || !job.batch || !job.cases || !job.waiters)
		errx(1, "only size and capacity may be 0");
	return job;
}

static inline int64_t read_clock(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		err(1, "clock_gettime");
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Nanoseconds; where instructions are counted (-icount shift=0), instructions. */
static inline int64_t now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* Processor time of the calling thread, of the whole process. */
static inline int64_t thread_cpu(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

static inline int64_t process_cpu(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static inline void report(uint64_t ops, int64_t wall, int64_t cpu)
{
	printf("%llu %lld %lld\n", (unsigned long long)ops, (long long)wall, (long long)cpu);
	if (fflush(stdout))
		err(1, "stdout");
}

#endif /* BENCH_PEER_H */
