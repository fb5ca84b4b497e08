// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Handles of every kind: how they are made, handed on, asked and let go. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

_Static_assert(CHAN_UNITS_MAX == KCHAN_MAX_COUNT, "one limit, two names");
_Static_assert(CHAN_SEND == KCHAN_RIGHT_SEND, "one right, two names");
_Static_assert(CHAN_RECV == KCHAN_RIGHT_RECV, "one right, two names");
_Static_assert(CHAN_KIND_CHAN == KCHAN_KIND_CHAN, "one kind, two names");
_Static_assert(CHAN_KIND_WAITGROUP == KCHAN_KIND_WAITGROUP, "one kind, two names");
_Static_assert(CHAN_KIND_SEMAPHORE == KCHAN_KIND_SEMAPHORE, "one kind, two names");
_Static_assert(CHAN_KIND_TOKEN == KCHAN_KIND_TOKEN, "one kind, two names");
_Static_assert(CHAN_KIND_MUTEX == KCHAN_KIND_MUTEX, "one kind, two names");
_Static_assert(CHAN_KIND_RWMUTEX == KCHAN_KIND_RWMUTEX, "one kind, two names");
_Static_assert(CHAN_KIND_ONCE == KCHAN_KIND_ONCE, "one kind, two names");
_Static_assert(CHAN_KIND_COND == KCHAN_KIND_COND, "one kind, two names");
_Static_assert(CHAN_KIND_TIMER == KCHAN_KIND_TIMER, "one kind, two names");
_Static_assert(CHAN_KIND_CELLS == KCHAN_KIND_CELLS, "one kind, two names");
_Static_assert(CHAN_KIND_CANCEL == KCHAN_KIND_CANCEL, "one kind, two names");
_Static_assert(CHAN_CLOSED == KCHAN_STATE_CLOSED, "one state, two names");
_Static_assert(CHAN_NO_SENDERS == KCHAN_STATE_NO_SENDERS, "one state, two names");
_Static_assert(CHAN_NO_RECEIVERS == KCHAN_STATE_NO_RECEIVERS, "one state, two names");
_Static_assert(CHAN_LOCKED == KCHAN_STATE_LOCKED, "one state, two names");
_Static_assert(CHAN_OWNERDEAD == KCHAN_STATE_OWNERDEAD, "one state, two names");
_Static_assert(CHAN_NOTRECOVERABLE == KCHAN_STATE_NOTRECOVERABLE, "one state, two names");
_Static_assert(CHAN_DONE == KCHAN_STATE_DONE, "one state, two names");
_Static_assert(CHAN_RUNNING == KCHAN_STATE_RUNNING, "one state, two names");
_Static_assert(CHAN_CANCELLED == KCHAN_STATE_CANCELLED, "one state, two names");
_Static_assert(CHAN_STAMPED == KCHAN_STATE_STAMPED, "one state, two names");

/* It grows into what is reserved: programs built with older versions have no more room. */
_Static_assert(sizeof(struct chan_object_stat) == 88, "the size it had in version 0.2");

/* Frees what is no handle yet, or none any more; always NULL. */
static struct chan_object *discard(struct chan_object *o, int errnum)
{
	free(o);
	errno = errnum;
	return NULL;
}

/*
 * Memory comes first: no call may fail after it has made a file, for which
 * taking it back is not always possible.
 */
struct chan_object *chan_object_new(uint32_t kind, size_t capacity, unsigned int rights)
{
	struct chan_object *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->kind = kind;
	o->capacity = capacity;
	o->rights = rights;
	return o;
}

struct chan_object *chan_object_open(struct chan_object *o, int fd)
{
	int errnum;

	o->fd = fd;
	if (fd < 0)
		return discard(o, errno);
	if (!chan_map(o))
		return o;
	errnum = errno;
	chan_close_fd(fd);
	return discard(o, errnum);
}

struct chan_object *chan_create_with(struct kchan_create *create)
{
	struct chan_object *o;

	o = chan_object_new(create->kind, create->limit, CHAN_SEND | CHAN_RECV);
	create->size = sizeof(*create);
	return o ? chan_object_open(o, chan_device_call(KCHAN_CREATE, create)) : NULL;
}

void *chan_create(uint32_t kind, size_t limit)
{
	struct kchan_create create = { .kind = kind, .limit = limit };

	return chan_create_with(&create);
}

EXPORT struct chan_object *chan_object_restrict(const struct chan_object *o, unsigned int rights)
{
	struct kchan_restrict restriction = {
		.size = sizeof(restriction),
		.rights = rights,
	};
	struct chan_object *r;

	if (!o)
		return discard(NULL, EBADF);
	r = chan_object_new(o->kind, o->capacity, rights);
	if (!r)
		return NULL;
	r->elem_size = o->elem_size;
	return chan_object_open(r, chan_ioctl(o, KCHAN_RESTRICT, &restriction));
}

/* A file that does not answer KCHAN_STAT as this kind does is not of this kind. */
EXPORT struct chan_object *chan_object_from_fd(int fd, enum chan_kind kind)
{
	struct kchan_stat stat = { .size = sizeof(stat) };
	struct chan_object *o = chan_object_new(kind, 0, 0);

	if (!o)
		return NULL;
	o->fd = fd;
	if (chan_ioctl(o, KCHAN_STAT, &stat) || stat.kind != (uint32_t)kind)
		return discard(o, EBADF);
	o->elem_size = stat.elem_size;
	o->capacity = stat.capacity;
	o->rights = stat.rights;
	return chan_map(o) ? discard(o, errno) : o;
}

EXPORT int chan_object_into_fd(struct chan_object *o)
{
	int fd;

	if (!o)
		return chan_fail(EBADF);
	fd = o->fd;
	chan_unmap(o);
	free(o);
	return fd;
}

EXPORT void chan_object_drop(struct chan_object *o)
{
	int errnum = errno;

	if (o)
		chan_close_fd(chan_object_into_fd(o));
	errno = errnum;
}

EXPORT int chan_object_fd(const struct chan_object *o)
{
	return o ? o->fd : chan_fail(EBADF);
}

EXPORT int chan_object_stat(const struct chan_object *o, struct chan_object_stat *stat)
{
	struct kchan_stat now = { .size = sizeof(now) };

	if (o && !stat)
		return chan_fail(EFAULT);
	if (chan_ioctl(o, KCHAN_STAT, &now))
		return -1;
	*stat = (struct chan_object_stat){
		.id = now.id,
		.kind = now.kind,
		.rights = now.rights,
		.state = now.state,
		.elem_size = now.elem_size,
		.limit = now.capacity,
		.count = now.length,
		.value = now.value,
		.waiting_senders = now.waiting_senders,
		.waiting_receivers = now.waiting_receivers,
		.dropped = now.dropped,
		.policy = now.policy,
	};
	return 0;
}
