// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Handles: how they are made, handed on and let go. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/kchan.h>

#include "internal.h"

_Static_assert(CHAN_ELEM_MAX == KCHAN_MAX_ELEM_SIZE, "one limit, two names");
_Static_assert(CHAN_CAP_MAX == KCHAN_MAX_CAPACITY, "one limit, two names");
_Static_assert(CHAN_SEND == KCHAN_RIGHT_SEND, "one right, two names");
_Static_assert(CHAN_RECV == KCHAN_RIGHT_RECV, "one right, two names");

/* Frees what is no handle yet, or none any more; always NULL. */
static struct chan *discard(struct chan *c, int errnum)
{
	free(c);
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
	struct chan *c;

	if (elem_size > CHAN_ELEM_MAX)
		return discard(NULL, EINVAL);
	c = malloc(sizeof(*c));
	if (!c)
		return NULL;
	c->elem_size = elem_size;
	c->capacity = capacity;
	c->fd = chan_device_call(KCHAN_CREATE_CHAN, &create);
	return c->fd < 0 ? discard(c, errno) : c;
}

EXPORT struct chan *chan_restrict(const struct chan *c, unsigned int rights)
{
	struct kchan_restrict restriction = {
		.size = sizeof(restriction),
		.rights = rights,
	};
	struct chan *r = malloc(sizeof(*r));

	if (!r)
		return NULL;
	r->fd = chan_call(c, KCHAN_RESTRICT, &restriction);
	if (r->fd < 0)
		return discard(r, errno);
	r->elem_size = c->elem_size;
	r->capacity = c->capacity;
	return r;
}

/* A file that does not answer KCHAN_STAT as channels do is not a channel. */
EXPORT struct chan *chan_from_fd(int fd)
{
	struct kchan_stat stat = { .size = sizeof(stat) };
	struct chan *c = malloc(sizeof(*c));

	if (!c)
		return NULL;
	c->fd = fd;
	if (chan_call(c, KCHAN_STAT, &stat) || stat.kind != KCHAN_KIND_CHAN)
		return discard(c, EBADF);
	c->elem_size = stat.elem_size;
	c->capacity = stat.capacity;
	return c;
}

EXPORT struct chan *chan_from_fd_sized(int fd, size_t elem_size)
{
	struct chan *c = chan_from_fd(fd);

	if (c && c->elem_size != elem_size)
		return discard(c, EMSGSIZE);
	return c;
}

EXPORT int chan_into_fd(struct chan *c)
{
	int fd;

	if (!c)
		return chan_fail(EBADF);
	fd = c->fd;
	free(c);
	return fd;
}

EXPORT void chan_drop(struct chan *c)
{
	int errnum = errno;

	if (c)
		close(c->fd);
	discard(c, errnum);
}

EXPORT int chan_fd(const struct chan *c)
{
	return c ? c->fd : chan_fail(EBADF);
}

EXPORT size_t chan_cap(const struct chan *c)
{
	return c ? c->capacity : 0;
}

EXPORT size_t chan_elem_size(const struct chan *c)
{
	return c ? c->elem_size : 0;
}
