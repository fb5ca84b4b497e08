// SPDX-License-Identifier: GPL-2.0-only
/*
 * Futexes over shared memory: a ring of messages, a lock and a wait group, as programs
 * build them that want to enter the kernel only to sleep.  One process that is killed
 * while it holds the lock stops all others for good.
 *
 * And tasks of the C library's own, started and waited for.
 */
#include "drive.h"

/* Free, held, held and perhaps awaited. */
static void take(unsigned int *word)
{
	unsigned int seen = 0;

	if (__atomic_compare_exchange_n(word, &seen, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	if (seen != 2)
		seen = __atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE);
	while (seen) {
		futex_wait(word, 2);
		seen = __atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE);
	}
}

static void give_back(unsigned int *word)
{
	if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2)
		futex_wake(word, 1);
}

/* Those who wait for a change of what the lock guards. */
struct condition {
	unsigned int changes; /* a futex */
	unsigned int sleepers; /* whom nobody has woken yet; perhaps fewer are */
};

struct ring {
	unsigned int lock __attribute__((aligned(64)));
	unsigned int head, length, capacity;
	bool closed;
	struct condition filled, emptied;
	char messages[] __attribute__((aligned(64)));
};

/* Gives the lock back while it sleeps. */
static void sleep_on(struct ring *r, struct condition *c)
{
	unsigned int seen = __atomic_load_n(&c->changes, __ATOMIC_RELAXED);

	c->sleepers++;
	give_back(&r->lock);
	futex_wait(&c->changes, seen);
	take(&r->lock);
}

/*
 * Under the lock, which it gives back: what has changed is for so many.  They count no
 * more from here on, so that nobody else calls the kernel for them until they are back.
 */
static void tell(struct ring *r, struct condition *c, unsigned int n)
{
	unsigned int wake = n < c->sleepers ? n : c->sleepers;

	c->sleepers -= wake;
	if (wake)
		__atomic_add_fetch(&c->changes, 1, __ATOMIC_RELAXED);
	give_back(&r->lock);
	if (wake)
		futex_wake(&c->changes, (int)wake);
}

static void *make(const struct job *job)
{
	struct ring *r;

	if (!job->capacity)
		cannot();
	r = share(sizeof(*r) + (size_t)job->capacity * job->size);
	r->capacity = job->capacity;
	return r;
}

static void *slot(struct ring *r, unsigned int n, size_t size)
{
	return r->messages + (size_t)((r->head + n) % r->capacity) * size;
}

static void put_many(void *end, const void *msgs, size_t size, unsigned int n)
{
	struct ring *r = end;
	unsigned int moved;

	for (; n; n -= moved) {
		take(&r->lock);
		while (r->length == r->capacity)
			sleep_on(r, &r->emptied);
		for (moved = 0; moved < n && r->length < r->capacity; moved++) {
			memcpy(slot(r, r->length++, size), msgs, size);
			msgs = (const char *)msgs + size;
		}
		tell(r, &r->filled, moved);
	}
}

static unsigned int get_many(void *end, void *msgs, size_t size, unsigned int n)
{
	struct ring *r = end;
	unsigned int moved;

	take(&r->lock);
	while (!r->length && !r->closed)
		sleep_on(r, &r->filled);
	for (moved = 0; moved < n && r->length; moved++) {
		memcpy((char *)msgs + moved * size, slot(r, 0, size), size);
		r->head = (r->head + 1) % r->capacity;
		r->length--;
	}
	tell(r, &r->emptied, moved);
	return moved;
}

static void put(void *end, const void *msg, size_t size)
{
	put_many(end, msg, size, 1);
}

static bool get(void *end, void *msg, size_t size)
{
	return get_many(end, msg, size, 1);
}

static void close_it(void *queue)
{
	struct ring *r = queue;

	take(&r->lock);
	r->closed = true;
	tell(r, &r->filled, UINT_MAX);
}

static void *make_mutex(const struct job *job)
{
	(void)job;
	return share(sizeof(unsigned int));
}

static void lock(void *mutex)
{
	take(mutex);
}

static void unlock(void *mutex)
{
	give_back(mutex);
}

struct group {
	unsigned int count; /* a futex */
	unsigned int sleepers;
};

static void *make_group(const struct job *job)
{
	(void)job;
	return share(sizeof(struct group));
}

static void add(void *group)
{
	__atomic_add_fetch(&((struct group *)group)->count, 1, __ATOMIC_RELAXED);
}

static void done(void *group)
{
	struct group *g = group;

	if (!__atomic_sub_fetch(&g->count, 1, __ATOMIC_SEQ_CST) &&
	    __atomic_load_n(&g->sleepers, __ATOMIC_SEQ_CST))
		futex_wake(&g->count, INT_MAX);
}

static void zero(void *group)
{
	struct group *g = group;
	unsigned int count;

	__atomic_add_fetch(&g->sleepers, 1, __ATOMIC_SEQ_CST);
	while ((count = __atomic_load_n(&g->count, __ATOMIC_SEQ_CST)))
		futex_wait(&g->count, count);
	__atomic_sub_fetch(&g->sleepers, 1, __ATOMIC_RELAXED);
}

static void *nothing(void *arg)
{
	return arg;
}

static void *spawn(const struct job *job)
{
	pthread_t thread;
	pid_t child;
	int ret;

	if (job->threads) {
		ret = pthread_create(&thread, NULL, nothing, NULL);
		if (ret)
			errx(1, "pthread_create: %s", strerror(ret));
		return (void *)thread;
	}
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child)
		_exit(0);
	return (void *)(intptr_t)child;
}

static void join(const struct job *job, void *task)
{
	int ret = job->threads ? pthread_join((pthread_t)task, NULL) :
				 -(waitpid((intptr_t)task, NULL, 0) < 0);

	if (ret)
		errx(1, "a task could not be waited for");
}

const struct peer peer = {
	.make = make,
	.send = put,
	.recv = get,
	.send_many = put_many,
	.recv_many = get_many,
	.close = close_it,
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
