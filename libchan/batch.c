// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Many elements in one call: one behind the other, or as a vector of addresses. */
#include <errno.h>

#include "internal.h"

_Static_assert(CHAN_MANY_MAX == KCHAN_MAX_COUNT, "one limit, two names");

/* Where our addresses are shorter than the kernel's, it gets so many at a time. */
#define PIECE 64

struct batch {
	struct chan_object *on;
	enum chan_op op;
	const void *values; /* of elements, or as a vector of their addresses */
	bool vector;
	size_t min, max;
};

static struct batch batch(struct chan *c, enum chan_op op, const void *values, size_t min,
			  size_t max)
{
	return (struct batch){ OBJECT(c), op, values, false, min, max };
}

/* Elements of size 0 are nowhere. */
static struct batch vector(struct chan *c, enum chan_op op, const void *values, size_t min,
			   size_t max)
{
	return (struct batch){ OBJECT(c), op, values, chan_elem_size(c) > 0, min, max };
}

static int check(const struct batch *b)
{
	struct chan_case first = { .on = b->on, .op = b->op, .buf = b->values };

	if (chan_check(&first))
		return -1;
	if (b->min > b->max || !b->max || b->max > CHAN_MANY_MAX)
		return chan_fail(EINVAL);
	return 0;
}

/* As the kernel wants it: where the elements are, or their addresses. */
static uintptr_t place(const struct batch *b, size_t i)
{
	return (uintptr_t)b->values + i * (b->vector ? sizeof(void *) : b->on->elem_size);
}

static const void *element(const struct batch *b, size_t i)
{
	return b->vector ? ((const void *const *)b->values)[i] : (const void *)place(b, i);
}

/* Whether the kernel gets addresses of ours, and at most PIECE of them. */
static bool in_pieces(const struct batch *b)
{
	return b->vector && sizeof(void *) < sizeof(uint64_t);
}

/* Moves elements from the @done-th on, in one call. */
static int move(const struct batch *b, size_t done, const struct chan_patience *patience)
{
	uint64_t addresses[PIECE];
	struct kchan_batch args = {
		.size = sizeof(args),
		.flags = patience->flags | (b->vector ? KCHAN_VECTOR : 0),
		.buf = place(b, done),
		.len = (uint32_t)b->on->elem_size,
		.min = (uint32_t)(b->min > done ? b->min - done : 0),
		.max = (uint32_t)(b->max - done),
		.deadline = patience->deadline,
	};

	if (in_pieces(b)) {
		args.max = args.max < PIECE ? args.max : PIECE;
		args.min = args.min < PIECE ? args.min : PIECE;
		args.buf = (uintptr_t)addresses;
		for (size_t i = 0; i < args.max; i++)
			addresses[i] = (uintptr_t)element(b, done + i);
	}
	return chan_ioctl(b->on, b->op == CHAN_OP_SEND ? KCHAN_SEND_BATCH : KCHAN_RECV_BATCH,
			  &args);
}

static ssize_t move_all(const struct batch *b, const struct chan_patience *patience)
{
	size_t done = 0;
	int ret;

	do {
		ret = move(b, done, patience);
		done += ret > 0 ? (size_t)ret : 0;
	} while (in_pieces(b) && ret == PIECE && done < b->max);
	return done ? (ssize_t)done : ret;
}

/* One that may be cancelled: 1 if it was moved, 0 at the end.  What need not be is tried. */
static int move_one(const struct batch *b, size_t done, const struct chan_patience *patience)
{
	struct chan_case one = { .on = b->on, .op = b->op, .buf = element(b, done) };
	struct chan_patience hurry = *patience;
	int ret;

	if (done >= b->min)
		hurry.flags |= KCHAN_NONBLOCK;
	ret = chan_wait(one, NULL, &hurry);
	return !ret && b->op == CHAN_OP_SEND ? 1 : ret;
}

/*
 * The kernel's batches know no cancel.  So each element that may have to wait is moved
 * by a select, which looks at the cancel first, and those behind it by a batch, as
 * many as need no wait.  What stops a batch stops the select after it, too.
 */
static ssize_t unless_cancelled(const struct batch *b, const struct chan_patience *patience)
{
	static const struct chan_patience none = { .flags = KCHAN_NONBLOCK };
	size_t done = 0;
	int ret;

	do {
		ret = move_one(b, done, patience);
		if (ret <= 0)
			break;
		done++;
		ret = done < b->max ? move(b, done, &none) : 0;
		done += ret > 0 ? (size_t)ret : 0;
	} while (done < b->min);
	return done ? (ssize_t)done : ret;
}

static ssize_t patiently(struct batch b, const struct chan_patience *patience)
{
	if (check(&b))
		return -1;
	return patience->cancel ? unless_cancelled(&b, patience) : move_all(&b, patience);
}

static ssize_t plain(struct batch b)
{
	return patiently(b, &(struct chan_patience){ 0 });
}

static ssize_t try(struct batch b)
{
	return patiently(b, &(struct chan_patience){ .flags = KCHAN_NONBLOCK });
}

static ssize_t until(struct batch b, int64_t deadline)
{
	return patiently(b, &(struct chan_patience){
		.flags = KCHAN_DEADLINE,
		.deadline = deadline,
	});
}

static ssize_t with(struct batch b, const struct chan_bounds *bounds)
{
	struct chan_patience patience;

	if (chan_patience(&patience, bounds))
		return b.on ? -1 : chan_fail(EBADF);
	return patiently(b, &patience);
}

/* As CHAN_WAITS() does, but for the try, which knows no minimum. */
#define BATCHES(VERB, BATCH, ...)                                                              \
	EXPORT ssize_t chan_##VERB(__VA_ARGS__)                                                \
	{                                                                                      \
		return plain(BATCH);                                                           \
	}                                                                                      \
	EXPORT ssize_t chan_##VERB##_until(__VA_ARGS__, int64_t deadline)                      \
	{                                                                                      \
		return until(BATCH, deadline);                                                 \
	}                                                                                      \
	EXPORT ssize_t chan_##VERB##_with(__VA_ARGS__, const struct chan_bounds *bounds)       \
	{                                                                                      \
		return with(BATCH, bounds);                                                    \
	}                                                                                      \
	struct batch

BATCHES(send_many, batch(c, CHAN_OP_SEND, values, n, n), struct chan *c, const void *values,
	size_t n);
BATCHES(send_vec, vector(c, CHAN_OP_SEND, values, n, n), struct chan *c,
	const void *const *values, size_t n);
BATCHES(recv_many, batch(c, CHAN_OP_RECV, values, min, max), struct chan *c, void *values,
	size_t min, size_t max);
BATCHES(recv_vec, vector(c, CHAN_OP_RECV, values, min, max), struct chan *c,
	void *const *values, size_t min, size_t max);

EXPORT ssize_t chan_try_send_many(struct chan *c, const void *values, size_t n)
{
	return try(batch(c, CHAN_OP_SEND, values, 0, n));
}

EXPORT ssize_t chan_try_send_vec(struct chan *c, const void *const *values, size_t n)
{
	return try(vector(c, CHAN_OP_SEND, values, 0, n));
}

EXPORT ssize_t chan_try_recv_many(struct chan *c, void *values, size_t max)
{
	return try(batch(c, CHAN_OP_RECV, values, 0, max));
}

EXPORT ssize_t chan_try_recv_vec(struct chan *c, void *const *values, size_t max)
{
	return try(vector(c, CHAN_OP_RECV, values, 0, max));
}
