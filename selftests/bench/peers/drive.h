/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The workloads of peer.h, for peers that say in a struct peer how they do what the
 * workloads are made of.  To be included by the one file of such a program, which then
 * defines peer; so that the compiler sees through the pointers.
 *
 * Tasks are threads, or processes made by fork(2).  What they share lies in memory that
 * is mapped shared; a task that fails takes all others with it.
 */
#ifndef BENCH_DRIVE_H
#define BENCH_DRIVE_H

#include <fcntl.h>
#include <linux/futex.h>
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "peer.h"

/* What the task that attaches to a queue is going to do with it. */
#define SENDS 1u
#define RECEIVES 2u

/*
 * What a peer can do; whatever is NULL it cannot.  It may also call cannot() anywhere
 * before tasks are started.  Whatever fails ends the program.
 */
struct peer {
	/* A queue, made before there are tasks. */
	void *(*make)(const struct job *job);
	/* In each task: what it calls the functions below with; NULL: with the queue. */
	void *(*attach)(const struct job *job, void *queue, unsigned int does);
	void (*send)(void *end, const void *msg, size_t size);
	/* False at the end, once the queue was closed. */
	bool (*recv)(void *end, void *msg, size_t size);
	/* n messages, one behind the other; a receive returns how many, at least 1. */
	void (*send_many)(void *end, const void *msgs, size_t size, unsigned int n);
	unsigned int (*recv_many)(void *end, void *msgs, size_t size, unsigned int n);
	/* A request, and its answer. */
	void (*call)(void *requests, void *answers, const void *request, void *answer,
		     size_t size);
	void (*close)(void *queue);

	/* What a task needs to receive from any of n queues; it returns from which. */
	void *(*gather)(const struct job *job, void *const *ends, unsigned int n, void *msg);
	unsigned int (*select)(void *set, void *msg, size_t size);

	void (*send_file)(void *end, const void *msg, size_t size, int fd);
	int (*recv_file)(void *end, void *msg, size_t size);

	void *(*make_mutex)(const struct job *job);
	void (*lock)(void *mutex);
	void (*unlock)(void *mutex);

	void *(*make_group)(const struct job *job);
	void (*add)(void *group);
	void (*done)(void *group);
	void (*zero)(void *group);

	/* A task that does nothing, of the job's kind; and waiting for its end. */
	void *(*spawn)(const struct job *job);
	void (*join)(const struct job *job, void *task);
};

extern const struct peer peer;

/* ------------------------------- tasks ------------------------------- */

typedef void task(unsigned int number);

/* What all tasks see. */
static struct shared {
	unsigned int arrived;	/* at the barrier */
	unsigned int released;	/* a futex */
	unsigned int left;	/* done with everything */
	unsigned int all_left;	/* a futex */
	unsigned int stop;	/* tasks that contend */
	uint64_t ops;		/* that these have done */
	unsigned int received;	/* tasks that have received all they are to */
	unsigned int all_received; /* a futex */
	int64_t start, end, cpu;
	int64_t cpu_start, cpu_end;	/* of the process, where all tasks are threads */
} *shared;

static struct job job;

static inline void *share(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static inline void *allocate(size_t bytes)
{
	void *p = aligned_alloc(64, (bytes + 64) & ~(size_t)63);

	if (!p)
		err(1, "malloc");
	memset(p, 0, bytes);
	return p;
}

/* Threads of one process need not ask the kernel whose memory it is. */
static inline long futex(unsigned int *word, int op, unsigned int value)
{
	return syscall(SYS_futex, word, op | (job.threads ? FUTEX_PRIVATE_FLAG : 0), value, NULL,
		       NULL, 0);
}

static inline void futex_wait(unsigned int *word, unsigned int value)
{
	if (futex(word, FUTEX_WAIT, value) && errno != EAGAIN && errno != EINTR)
		err(1, "futex");
}

static inline void futex_wake(unsigned int *word, int n)
{
	if (futex(word, FUTEX_WAKE, (unsigned int)n) < 0)
		err(1, "futex");
}

static void await(unsigned int *word)
{
	while (!__atomic_load_n(word, __ATOMIC_ACQUIRE))
		futex_wait(word, 0);
}

static void release(unsigned int *word)
{
	__atomic_store_n(word, 1, __ATOMIC_RELEASE);
	futex_wake(word, INT_MAX);
}

/*
 * Processor time of a task that is a process, with what threads of its library use;
 * where tasks are threads, that is counted for all of them together.
 */
static int64_t task_cpu(void)
{
	return job.threads ? 0 : process_cpu();
}

static void start_measuring(void)
{
	shared->cpu_start = process_cpu();
	shared->start = now();
}

/* After the warm-up: the last of n tasks takes the time, and lets all go on. */
static void measure_from_here(unsigned int n)
{
	if (__atomic_add_fetch(&shared->arrived, 1, __ATOMIC_ACQ_REL) < n) {
		await(&shared->released);
		return;
	}
	start_measuring();
	if (n > 1)
		release(&shared->released);
}

/* A task that began measuring with this processor time has done its part. */
static void add_cpu(int64_t cpu_before)
{
	__atomic_add_fetch(&shared->cpu, task_cpu() - cpu_before, __ATOMIC_RELAXED);
}

static void keep_latest(int64_t *latest, int64_t value)
{
	int64_t seen = __atomic_load_n(latest, __ATOMIC_RELAXED);

	while (seen < value && !__atomic_compare_exchange_n(latest, &seen, value, false,
							    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* The last one's end counts. */
static void measured(int64_t cpu_before)
{
	keep_latest(&shared->end, now());
	keep_latest(&shared->cpu_end, process_cpu());
	add_cpu(cpu_before);
}

static void report_shared(uint64_t ops)
{
	int64_t cpu = job.threads ? shared->cpu_end - shared->cpu_start : shared->cpu;

	report(ops, shared->end - shared->start, cpu);
}

struct started {
	task *fn;
	unsigned int number, tasks;
	pthread_t thread;
	pid_t pid;
};

static void *thread_main(void *arg)
{
	struct started *s = (struct started *)arg;

	s->fn(s->number);
	return NULL;
}

static void start_thread(struct started *s)
{
	pthread_attr_t attr;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 << 10);
	ret = pthread_create(&s->thread, &attr, thread_main, s);
	if (ret)
		errx(1, "pthread_create: %s", strerror(ret));
	pthread_attr_destroy(&attr);
}

/* A library may still be sending what it was given, so no process goes before the last. */
static void leave_together(unsigned int tasks)
{
	if (__atomic_add_fetch(&shared->left, 1, __ATOMIC_ACQ_REL) < tasks)
		await(&shared->all_left);
	else
		release(&shared->all_left);
}

static void start_process(struct started *s)
{
	pid_t parent = getpid();

	s->pid = fork();
	if (s->pid < 0)
		err(1, "fork");
	if (s->pid)
		return;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
	s->fn(s->number);
	leave_together(s->tasks);
	_exit(0);
}

static struct started *start_tasks(unsigned int n, task *fn)
{
	struct started *tasks = (struct started *)allocate(n * sizeof(*tasks));
	unsigned int i;

	for (i = 0; i < n; i++) {
		tasks[i].fn = fn;
		tasks[i].number = i;
		tasks[i].tasks = n;
		if (job.threads)
			start_thread(tasks + i);
		else
			start_process(tasks + i);
	}
	return tasks;
}

static void join_tasks(struct started *tasks, unsigned int n)
{
	unsigned int i;
	int status;

	for (i = 0; i < n; i++) {
		if (job.threads) {
			pthread_join(tasks[i].thread, NULL);
			continue;
		}
		/* Whichever ends: the others might wait for one that failed. */
		if (waitpid(-1, &status, 0) < 0)
			err(1, "waitpid");
		if (status)
			errx(1, "a task ended with status %#x", status);
	}
	free(tasks);
}

static void run_tasks(unsigned int n, task *fn)
{
	join_tasks(start_tasks(n, fn), n);
}

/* ------------------------------ messages ------------------------------ */

#define PATTERN 0x5a

/* Before messages, for what a peer's users have in front of theirs. */
#define HEADROOM 64

/* Where n messages can be received. */
static void *new_room(unsigned int n)
{
	return (char *)allocate(HEADROOM + (size_t)job.size * n + 1) + HEADROOM;
}

static void *new_messages(unsigned int n)
{
	return memset(new_room(n), PATTERN, (size_t)job.size * n);
}

/* What a warm-up has left where messages are received. */
static void check_messages(const void *msgs)
{
	const char *bytes = (const char *)msgs;
	unsigned int i;

	for (i = 0; i < job.size; i++) {
		if (bytes[i] != PATTERN)
			errx(1, "a message arrived with other bytes than it was sent with");
	}
}

static void must(bool can)
{
	if (!can)
		cannot();
}

static void *make_queue(void)
{
	must(peer.make && peer.send && peer.recv);
	return peer.make(&job);
}

static void *attach(void *queue, unsigned int does)
{
	return peer.attach ? peer.attach(&job, queue, does) : queue;
}

static void receive(void *end, void *msg)
{
	if (!peer.recv(end, msg, job.size))
		errx(1, "the end of a queue that nobody has closed");
}

/* ---------------------------- a task alone ---------------------------- */

static struct {
	void *end, *out, *in, *set, *made;
	unsigned int cases;
	void **ends;
	int fd;
} alone;

static void run_alone(void (*operation)(unsigned int i))
{
	int64_t start, wall, cpu;
	unsigned int i;

	for (i = 0; i < WARM; i++)
		operation(i);
	cpu = process_cpu();
	start = now();
	for (i = 0; i < job.ops; i++)
		operation(i);
	wall = now() - start;
	report(job.ops, wall, process_cpu() - cpu);
}

static void open_alone(void)
{
	must(job.capacity);
	alone.out = new_messages(1);
	alone.in = new_room(1);
	alone.end = attach(make_queue(), SENDS | RECEIVES);
}

static inline void one_pair(unsigned int i)
{
	(void)i;
	peer.send(alone.end, alone.out, job.size);
	receive(alone.end, alone.in);
}

static void pair(void)
{
	open_alone();
	one_pair(0);
	check_messages(alone.in);
	run_alone(one_pair);
}

static void **make_queues(unsigned int n)
{
	void **queues = (void **)allocate(n * sizeof(*queues));
	unsigned int i;

	for (i = 0; i < n; i++)
		queues[i] = make_queue();
	return queues;
}

static void **attach_all(void **queues, unsigned int n, unsigned int does)
{
	void **ends = (void **)allocate(n * sizeof(*ends));
	unsigned int i;

	for (i = 0; i < n; i++)
		ends[i] = attach(queues[i], does);
	return ends;
}

static inline void one_select(unsigned int i)
{
	unsigned int turn = i % job.cases;

	peer.send(alone.ends[turn], alone.out, job.size);
	if (peer.select(alone.set, alone.in, job.size) != turn)
		errx(1, "a select chose a queue that had no message");
}

static void select_ready(void)
{
	must(job.capacity && peer.select);
	alone.out = new_messages(1);
	alone.in = new_room(1);
	alone.ends = attach_all(make_queues(job.cases), job.cases, SENDS | RECEIVES);
	alone.set = peer.gather(&job, alone.ends, job.cases, alone.in);
	one_select(0);
	check_messages(alone.in);
	run_alone(one_select);
}

static inline void one_file(unsigned int i)
{
	int fd;

	(void)i;
	peer.send_file(alone.end, alone.out, job.size, alone.fd);
	fd = peer.recv_file(alone.end, alone.in, job.size);
	if (fd < 0 || fd == alone.fd || close(fd))
		errx(1, "no new file came");
}

static void fd_pass(void)
{
	must(peer.send_file);
	alone.fd = open("/dev/null", O_RDWR);
	if (alone.fd < 0)
		err(1, "/dev/null");
	open_alone();
	one_file(0);
	check_messages(alone.in);
	run_alone(one_file);
}

static inline void one_spawn(unsigned int i)
{
	(void)i;
	peer.join(&job, peer.spawn(&job));
}

static void spawn_join(void)
{
	must(peer.spawn);
	run_alone(one_spawn);
}

/* ---------------------------- pairs of tasks ---------------------------- */

/* Each pair's: for requests, or select-parked's; and for answers, or the token. */
static void **requests, **answers;

static void ask(void *to, void *from, const void *out, void *in)
{
	peer.send(to, out, job.size);
	receive(from, in);
}

static void ask_by_call(void *to, void *from, const void *out, void *in)
{
	peer.call(to, from, out, in, job.size);
}

static inline void asking(unsigned int pair,
			  void (*ask_once)(void *to, void *from, const void *out, void *in))
{
	void **to = attach_all(requests + pair * job.cases, job.cases, SENDS);
	void *from = attach(answers[pair], RECEIVES);
	void *out = new_messages(1), *in = new_room(1);
	unsigned int i;
	int64_t cpu;

	for (i = 0; i < WARM; i++)
		ask_once(to[i % job.cases], from, out, in);
	check_messages(in);
	measure_from_here(job.senders);
	cpu = task_cpu();
	for (i = 0; i < job.ops; i++)
		ask_once(to[(WARM + i) % job.cases], from, out, in);
	measured(cpu);
}

/* Sends back what it received. */
static inline void answering(unsigned int pair, bool selects)
{
	void **from = attach_all(requests + pair * job.cases, job.cases, RECEIVES);
	void *to = attach(answers[pair], SENDS);
	void *msg = new_room(1);
	void *set = selects ? peer.gather(&job, from, job.cases, msg) : NULL;
	int64_t cpu = 0;
	unsigned int i;

	for (i = 0; i < WARM + job.ops; i++) {
		if (i == WARM)
			cpu = task_cpu();
		if (!selects)
			receive(from[0], msg);
		else if (peer.select(set, msg, job.size) != i % job.cases)
			errx(1, "a select chose a queue that had no message");
		peer.send(to, msg, job.size);
	}
	add_cpu(cpu);
}

static void round_trip_task(unsigned int number)
{
	if (number % 2)
		answering(number / 2, false);
	else
		asking(number / 2, ask);
}

static void call_task(unsigned int number)
{
	if (number % 2)
		answering(number / 2, false);
	else
		asking(number / 2, ask_by_call);
}

static void select_parked_task(unsigned int number)
{
	if (number % 2)
		answering(number / 2, true);
	else
		asking(number / 2, ask);
}

static void run_pairs(task *fn)
{
	requests = make_queues(job.senders * job.cases);
	answers = make_queues(job.senders);
	run_tasks(2 * job.senders, fn);
	report_shared(job.ops);
}

static void round_trip(void)
{
	job.cases = 1;
	run_pairs(round_trip_task);
}

static void call(void)
{
	must(peer.call);
	job.cases = 1;
	run_pairs(call_task);
}

static void select_parked(void)
{
	must(peer.select);
	run_pairs(select_parked_task);
}

/* ------------------------------ many tasks ------------------------------ */

/* The queue, mutex or group that all tasks use; how many messages all move. */
static void *common;
static unsigned int total, warm;

/* Each moves the same number, in whole batches. */
static unsigned int whole(unsigned int n, unsigned int unit)
{
	return (n + unit - 1) / unit * unit;
}

static void send_some(void *end, const void *msgs, unsigned int n)
{
	for (; job.batch == 1 && n; n--)
		peer.send(end, msgs, job.size);
	for (; n; n -= job.batch)
		peer.send_many(end, msgs, job.size, job.batch);
}

static void receive_some(void *end, void *msgs, unsigned int n)
{
	for (; job.batch == 1 && n; n--)
		receive(end, msgs);
	while (n)
		n -= peer.recv_many(end, msgs, job.size, n < job.batch ? n : job.batch);
}

static void stream_task(unsigned int number)
{
	bool sends = number < job.senders;
	void *end = attach(common, sends ? SENDS : RECEIVES);
	void *msgs = sends ? new_messages(job.batch) : new_room(job.batch);
	int64_t cpu;

	if (sends)
		send_some(end, msgs, warm / job.senders);
	else
		receive_some(end, msgs, warm / job.receivers);
	check_messages(msgs);
	measure_from_here(job.senders + job.receivers);
	cpu = task_cpu();
	if (sends) {
		send_some(end, msgs, total / job.senders);
		/* Until then a library's own threads may be at it. */
		await(&shared->all_received);
		add_cpu(cpu);
		return;
	}
	receive_some(end, msgs, total / job.receivers);
	measured(cpu);
	if (__atomic_add_fetch(&shared->received, 1, __ATOMIC_ACQ_REL) == job.receivers)
		release(&shared->all_received);
}

static void stream(void)
{
	unsigned int unit = job.senders * job.receivers * job.batch;

	must(job.batch == 1 || (peer.send_many && peer.recv_many));
	total = whole(job.ops, unit);
	warm = whole(WARM, unit);
	common = make_queue();
	run_tasks(job.senders + job.receivers, stream_task);
	report_shared(total);
}

/* A single task does what is asked; several until they are told to stop. */
static inline void contend(void (*operation)(void))
{
	unsigned int i;
	int64_t cpu;

	for (i = 0; i < WARM; i++)
		operation();
	measure_from_here(job.senders);
	cpu = task_cpu();
	if (job.senders == 1) {
		for (i = 0; i < job.ops; i++)
			operation();
	} else {
		for (i = 0; !__atomic_load_n(&shared->stop, __ATOMIC_RELAXED); i++)
			operation();
	}
	measured(cpu);
	__atomic_add_fetch(&shared->ops, i, __ATOMIC_RELAXED);
}

/* A number of operations would be too few for the quick, who are through before all came. */
static void contend_for_a_while(task *fn)
{
	struct started *tasks = start_tasks(job.senders, fn);

	await(&shared->released);
	usleep(CONTEND_MS * 1000);
	__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
	join_tasks(tasks, job.senders);
}

static void run_contenders(task *fn)
{
	if (job.senders == 1)
		fn(0);
	else
		contend_for_a_while(fn);
	report_shared(shared->ops);
}

static void lock_unlock(void)
{
	peer.lock(common);
	peer.unlock(common);
}

static void mutex_task(unsigned int number)
{
	(void)number;
	contend(lock_unlock);
}

static void mutex(void)
{
	must(peer.make_mutex);
	common = peer.make_mutex(&job);
	run_contenders(mutex_task);
}

static void add_done(void)
{
	peer.add(common);
	peer.done(common);
}

static void add_done_zero(void)
{
	add_done();
	peer.zero(common);
}

static void group_task(unsigned int number)
{
	(void)number;
	if (job.senders == 1)
		contend(add_done_zero);
	else
		contend(add_done);
}

static void wait_group(void)
{
	must(peer.make_group);
	common = peer.make_group(&job);
	if (job.senders > 1)
		peer.add(common);
	run_contenders(group_task);
	if (job.senders > 1)
		peer.done(common);
	peer.zero(common);
}

/* -------------------------------- close -------------------------------- */

/* Queues are closed one after the other; each time all wait in the next. */
struct closing {
	unsigned int waiting;	/* go to wait; then, not yet back */
	unsigned int done;	/* a futex: all are back */
	int64_t end, cpu;
	int64_t cpu_end;	/* of the process, where all tasks are threads */
};

static struct closing *closings;
static void **queues;
static unsigned int closes;

struct waiter {
	pid_t tid;
	int64_t parked_cpu; /* what it had used up when it slept */
};

static struct waiter *waiters;

static void waiter_task(unsigned int number)
{
	void **ends = attach_all(queues, closes, RECEIVES), *msg = new_room(1);
	struct waiter *self = waiters + number;
	unsigned int i;

	self->tid = (pid_t)syscall(SYS_gettid);
	for (i = 0; i < closes; i++) {
		struct closing *c = closings + i;

		__atomic_add_fetch(&c->waiting, 1, __ATOMIC_ACQ_REL);
		if (peer.recv(ends[i], msg, job.size))
			errx(1, "a message that nobody has sent");
		if (!job.threads)
			__atomic_add_fetch(&c->cpu, thread_cpu() - self->parked_cpu,
					   __ATOMIC_RELAXED);
		/* What the next one takes is no part of this. */
		if (__atomic_sub_fetch(&c->waiting, 1, __ATOMIC_ACQ_REL)) {
			await(&c->done);
			continue;
		}
		c->end = now();
		if (job.threads)
			c->cpu_end = process_cpu();
		release(&c->done);
	}
}

static bool sleeps(pid_t tid)
{
	char path[40], text[256], *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)tid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		err(1, "%s", path);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	state = strrchr(text, ')');
	return state && state[2] == 'S';
}

static int64_t cpu_of(pid_t process)
{
	clockid_t clock;

	if (clock_getcpuclockid(process, &clock))
		errx(1, "a task has no clock");
	return read_clock(clock);
}

static void wait_until_parked(const struct started *tasks, const struct closing *c)
{
	unsigned int i;

	while (__atomic_load_n(&c->waiting, __ATOMIC_ACQUIRE) < job.waiters)
		usleep(100);
	for (i = 0; i < job.waiters; i++) {
		while (!sleeps(waiters[i].tid))
			usleep(100);
		if (!job.threads)
			waiters[i].parked_cpu = cpu_of(tasks[i].pid);
	}
}

/* Adds what it took to the shared figures. */
static void close_one(const struct started *tasks, void *queue, struct closing *c, bool counts)
{
	int64_t start, cpu;

	wait_until_parked(tasks, c);
	cpu = process_cpu();
	start = now();
	peer.close(queue);
	if (!job.threads)
		c->cpu_end = process_cpu();
	await(&c->done);
	if (!counts)
		return;
	shared->end += c->end - start;
	shared->cpu += c->cpu_end - cpu + (job.threads ? 0 : c->cpu);
}

static void close_queues(void)
{
	unsigned int i, few = job.waiters < 10 ? WARM : 2;
	struct started *tasks;

	must(peer.close);
	closes = few + job.ops;
	closings = (struct closing *)share(closes * sizeof(*closings));
	waiters = (struct waiter *)share(job.waiters * sizeof(*waiters));
	queues = make_queues(closes);
	tasks = start_tasks(job.waiters, waiter_task);
	for (i = 0; i < closes; i++)
		close_one(tasks, queues[i], closings + i, i >= few);
	join_tasks(tasks, job.waiters);
	report(job.ops, shared->end, shared->cpu);
}

/* ------------------------------------------------------------------------ */

static void lift_limits(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		err(1, "getrlimit");
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	/* Only root may; others find out where they need it. */
	files.rlim_cur = files.rlim_max = 1 << 15;
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_MSGQUEUE, &all);
}

int main(int argc, char **argv)
{
	const struct {
		const char *name;
		void (*run)(void);
	} workloads[] = {
		{ "pair", pair },	      { "round-trip", round_trip },
		{ "call", call },	      { "stream", stream },
		{ "select-ready", select_ready }, { "select-parked", select_parked },
		{ "close", close_queues },    { "fd-pass", fd_pass },
		{ "mutex", mutex },	      { "wait-group", wait_group },
		{ "spawn-join", spawn_join },
	};
	size_t i;

	job = parse_job(argc, argv);
	shared = (struct shared *)share(sizeof(*shared));
	lift_limits();
	for (i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		if (is_workload(&job, workloads[i].name)) {
			workloads[i].run();
			return 0;
		}
	}
	errx(1, "%s: no such workload", job.workload);
}

#endif /* BENCH_DRIVE_H */
