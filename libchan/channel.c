// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Channels: their handles, and how they are made, closed and asked. */
#include <errno.h>

#include "internal.h"

_Static_assert(CHAN_ELEM_MAX == KCHAN_MAX_ELEM_SIZE, "one limit, two names");
_Static_assert(CHAN_CAP_MAX == KCHAN_MAX_CAPACITY, "one limit, two names");
_Static_assert(CHAN_HANDLES_MAX == KCHAN_MAX_HANDLES, "one limit, two names");
_Static_assert(CHAN_DEPTH_MAX == KCHAN_MAX_DEPTH, "one limit, two names");
_Static_assert(CHAN_ERRNO_MAX == KCHAN_MAX_ERRNO, "one limit, two names");
_Static_assert(CHAN_BLOCK == KCHAN_POLICY_BLOCK, "one policy, two names");
_Static_assert(CHAN_DROP_NEWEST == KCHAN_POLICY_DROP_NEWEST, "one policy, two names");
_Static_assert(CHAN_DROP_OLDEST == KCHAN_POLICY_DROP_OLDEST, "one policy, two names");
_Static_assert(CHAN_LATEST == KCHAN_POLICY_LATEST, "one policy, two names");

/* It grows into what is reserved: programs built with older versions have no more room. */
_Static_assert(sizeof(struct chan_stat) == 88, "the size it had in version 0.1");

static struct chan *fail(int errnum)
{
	errno = errnum;
	return NULL;
}

/* KCHAN_FEATURE_* bits of what a channel takes. */
static uint64_t needs(const struct kchan_create_chan *create)
{
	return (create->policy ? KCHAN_FEATURE_POLICY : 0) |
	       (create->handles || create->flags ? KCHAN_FEATURE_CARGO : 0);
}

/* A module that does not know them takes them for fields that have to be 0. */
static bool knows(uint64_t needed)
{
	struct kchan_features features = { .size = sizeof(features) };

	return !chan_device_call(KCHAN_FEATURES, &features) && !(needed & ~features.features);
}

static struct chan *make(struct kchan_create_chan *create)
{
	struct chan_object *o;

	o = chan_object_new(CHAN_KIND_CHAN, create->capacity, CHAN_SEND | CHAN_RECV);
	if (!o)
		return NULL;
	o->elem_size = create->elem_size;
	o = chan_object_open(o, chan_device_call(KCHAN_CREATE_CHAN, create));
	if (!o && errno == EINVAL)
		return fail(knows(needs(create)) ? EINVAL : EPROTO);
	return (struct chan *)o;
}

static bool is_reserved(const struct chan_options *options)
{
	uint64_t all = 0;

	for (size_t i = 0; i < CHAN_LENGTH(options->reserved); i++)
		all |= options->reserved[i];
	return all;
}

EXPORT struct chan *chan_make_with(const struct chan_options *options)
{
	struct kchan_create_chan create = { .size = sizeof(create) };

	if (!options)
		return fail(EFAULT);
	if (options->elem_size > CHAN_ELEM_MAX || options->stamped > 1 || is_reserved(options))
		return fail(EINVAL);
	create.flags = options->stamped ? KCHAN_STAMPED : 0;
	create.elem_size = (uint32_t)options->elem_size;
	create.policy = options->policy;
	create.capacity = options->capacity;
	create.handles = options->handles;
	create.depth = options->handles && !options->depth ? 1 : options->depth;
	return make(&create);
}

EXPORT struct chan *chan_make_policy(size_t elem_size, size_t capacity, enum chan_policy policy)
{
	return chan_make_with(&(struct chan_options){
		.elem_size = elem_size,
		.capacity = capacity,
		.policy = (uint32_t)policy,
	});
}

EXPORT struct chan *chan_make(size_t elem_size, size_t capacity)
{
	return chan_make_policy(elem_size, capacity, CHAN_BLOCK);
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
	return chan_ioctl(OBJECT(c), KCHAN_CLOSE, NULL);
}

EXPORT int chan_close_cause(struct chan *c, int cause)
{
	return chan_ioctl_arg(c, KCHAN_CLOSE_WITH, cause);
}

EXPORT int chan_cause(const struct chan *c)
{
	struct chan_stat stat;

	return chan_stat(c, &stat) ? -1 : (int)stat.cause;
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
		.policy = now.policy,
		.dropped = now.dropped,
		.cause = (uint32_t)now.value,
	};
	return 0;
}

EXPORT ssize_t chan_len(const struct chan *c)
{
	struct chan_stat stat;

	return chan_stat(c, &stat) ? -1 : (ssize_t)stat.len;
}
