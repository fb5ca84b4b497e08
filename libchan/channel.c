// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Channels: their handles, and how they are made, closed and asked. */
#include <errno.h>

#include "internal.h"

_Static_assert(CHAN_ELEM_MAX == KCHAN_MAX_ELEM_SIZE, "one limit, two names");
_Static_assert(CHAN_CAP_MAX == KCHAN_MAX_CAPACITY, "one limit, two names");

static struct chan *fail(int errnum)
{
	errno = errnum;
	return NULL;
}

EXPORT struct chan *chan_make(size_t elem_size, size_t capacity)
{
	struct kchan_create_chan create = {
		.size = sizeof(create),
		.elem_size = (uint32_t)elem_size,
		.capacity = capacity,
	};
	struct chan_object *o;

	if (elem_size > CHAN_ELEM_MAX)
		return fail(EINVAL);
	o = chan_object_new(CHAN_KIND_CHAN, capacity, CHAN_SEND | CHAN_RECV);
	if (!o)
		return NULL;
	o->elem_size = elem_size;
	return (struct chan *)chan_object_open(o, chan_device_call(KCHAN_CREATE_CHAN, &create));
}

EXPORT struct chan *chan_restrict(const struct chan *c, unsigned int rights)
{
	return (struct chan *)chan_object_restrict(OBJECT(c), rights);
}

EXPORT struct chan *chan_from_fd(int fd)
{
	return (struct chan *)chan_object_from_fd(fd, CHAN_KIND_CHAN);
}

EXPORT struct chan *chan_from_fd_sized(int fd, size_t elem_size)
{
	struct chan *c = chan_from_fd(fd);

	if (!c || chan_elem_size(c) == elem_size)
		return c;
	chan_into_fd(c);
	return fail(EMSGSIZE);
}

EXPORT int chan_into_fd(struct chan *c)
{
	return chan_object_into_fd(OBJECT(c));
}

EXPORT void chan_drop(struct chan *c)
{
	chan_object_drop(OBJECT(c));
}

EXPORT int chan_fd(const struct chan *c)
{
	return chan_object_fd(OBJECT(c));
}

EXPORT size_t chan_cap(const struct chan *c)
{
	return c ? OBJECT(c)->capacity : 0;
}

EXPORT size_t chan_elem_size(const struct chan *c)
{
	return c ? OBJECT(c)->elem_size : 0;
}

EXPORT int chan_close(struct chan *c)
{
	return chan_call(OBJECT(c), KCHAN_CLOSE, NULL);
}

EXPORT int chan_stat(const struct chan *c, struct chan_stat *stat)
{
	struct chan_object_stat now;

	if (chan_object_stat(OBJECT(c), stat ? &now : NULL))
		return -1;
	*stat = (struct chan_stat){
		.id = now.id,
		.len = now.count,
		.cap = now.limit,
		.elem_size = now.elem_size,
		.rights = now.rights,
		.waiting_senders = now.waiting_senders,
		.waiting_receivers = now.waiting_receivers,
		.closed = !!(now.state & CHAN_CLOSED),
		.no_senders = !!(now.state & CHAN_NO_SENDERS),
		.no_receivers = !!(now.state & CHAN_NO_RECEIVERS),
	};
	return 0;
}

EXPORT ssize_t chan_len(const struct chan *c)
{
	struct chan_stat stat;

	return chan_stat(c, &stat) ? -1 : (ssize_t)stat.len;
}
