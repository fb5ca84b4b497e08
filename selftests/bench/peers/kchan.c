// SPDX-License-Identifier: GPL-2.0-only
/*
 * kchan, as programs use it that are written with libchan.  Its mutexes pass on when
 * their holder dies.
 */
#include <fcntl.h>

#include <libchan.h>
#include <libchan-go.h>

#include "drive.h"

static void *make(const struct job *job)
{
	struct chan_options options = {
		.elem_size = job->size,
		.capacity = job->capacity,
		.handles = is_workload(job, "fd-pass"),
	};
	struct chan *c;

	if (job->cases > CHAN_CASES_MAX)
		cannot();
	c = chan_make_with(&options);
	if (!c)
		errx(1, "chan_make: %s", chan_strerror(errno));
	return c;
}

static void check(bool ok, const char *what)
{
	if (!ok)
		errx(1, "%s: %s", what, chan_strerror(errno));
}

static void send_one(void *end, const void *msg, size_t size)
{
	(void)size;
	check(!chan_send(end, msg), "chan_send");
}

static bool recv_one(void *end, void *msg, size_t size)
{
	int ret = chan_recv(end, msg);

	(void)size;
	check(ret >= 0, "chan_recv");
	return ret;
}

static void send_many(void *end, const void *msgs, size_t size, unsigned int n)
{
	(void)size;
	check(chan_send_many(end, msgs, n) == n, "chan_send_many");
}

static unsigned int recv_many(void *end, void *msgs, size_t size, unsigned int n)
{
	ssize_t ret = chan_recv_many(end, msgs, 1, n);

	(void)size;
	check(ret > 0, "chan_recv_many");
	return ret;
}

static void call_once(void *requests, void *answers, const void *request, void *answer, size_t size)
{
	(void)size;
	check(chan_call(requests, request, answers, answer, NULL) == 1, "chan_call");
}

static void close_it(void *queue)
{
	check(!chan_close(queue), "chan_close");
}

struct set {
	unsigned int n;
	struct chan_case cases[];
};

static void *gather(const struct job *job, void *const *ends, unsigned int n, void *msg)
{
	struct set *set = allocate(sizeof(*set) + n * sizeof(set->cases[0]));
	unsigned int i;

	(void)job;
	set->n = n;
	for (i = 0; i < n; i++)
		set->cases[i] = chan_on_recv(ends[i], msg);
	return set;
}

static unsigned int select_one(void *arg, void *msg, size_t size)
{
	struct set *set = arg;
	int chosen = chan_select(set->cases, set->n);

	(void)msg;
	(void)size;
	check(chosen >= 0, "chan_select");
	return chosen;
}

static void send_file(void *end, const void *msg, size_t size, int fd)
{
	struct chan_cargo cargo = chan_cargo(&fd, 1);

	(void)size;
	check(!chan_send_cargo(end, msg, &cargo), "chan_send_cargo");
}

static int recv_file(void *end, void *msg, size_t size)
{
	int fd = -1;
	struct chan_cargo cargo = chan_cargo(&fd, 1);

	(void)size;
	check(chan_recv_cargo(end, msg, &cargo) == 1, "chan_recv_cargo");
	return fd;
}

static void *make_mutex(const struct job *job)
{
	struct chan_mutex *m = chan_mutex_make();

	(void)job;
	check(m, "chan_mutex_make");
	return m;
}

static void lock(void *mutex)
{
	check(!chan_mutex_lock(mutex), "chan_mutex_lock");
}

static void unlock(void *mutex)
{
	check(!chan_mutex_unlock(mutex), "chan_mutex_unlock");
}

static void *make_group(const struct job *job)
{
	struct chan_wg *wg = chan_wg_make(0);

	(void)job;
	check(wg, "chan_wg_make");
	return wg;
}

static void add(void *group)
{
	check(!chan_wg_add(group, 1), "chan_wg_add");
}

static void done(void *group)
{
	check(!chan_wg_done(group), "chan_wg_done");
}

static void zero(void *group)
{
	check(!chan_wg_wait(group), "chan_wg_wait");
}

/* As wg.Go() and wg.Wait(): the group is made once. */
static struct chan_wg *spawned;

static void nothing(void *arg)
{
	(void)arg;
}

static int nothing_at_all(void *arg)
{
	(void)arg;
	return 0;
}

static void *spawn(const struct job *job)
{
	pid_t child = 1;

	if (!spawned)
		spawned = make_group(job);
	if (job->threads)
		check(!chan_go(spawned, nothing, NULL), "chan_go");
	else
		child = chan_go_process(spawned, nothing_at_all, NULL);
	check(child > 0, "chan_go_process");
	return (void *)(intptr_t)child;
}

static void join(const struct job *job, void *task)
{
	zero(spawned);
	if (!job->threads && waitpid((intptr_t)task, NULL, 0) < 0)
		err(1, "waitpid");
}

const struct peer peer = {
	.make = make,
	.send = send_one,
	.recv = recv_one,
	.send_many = send_many,
	.recv_many = recv_many,
	.call = call_once,
	.close = close_it,
	.gather = gather,
	.select = select_one,
	.send_file = send_file,
	.recv_file = recv_file,
	.make_mutex = make_mutex,
	.lock = lock,
	.unlock = unlock,
	.make_group = make_group,
	.add = add,
	.done = done,
	.zero = zero,
	.spawn = spawn,
	.join = join,
};
