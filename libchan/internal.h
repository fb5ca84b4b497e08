/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the files of libchan share.
 *
 * There is no state but in the handles, and a handle never changes once it is
 * made (but for an atomic flag of once): so any number of threads may use one at
 * the same time, and a child made by fork(2) has good handles of its own.
 */
#ifndef LIBCHAN_INTERNAL_H
#define LIBCHAN_INTERNAL_H

#include <errno.h>
#include <stdbool.h>

#include <linux/kchan.h>

#include "libchan.h"

/* Part of the library's interface; all else is hidden. */
#define EXPORT __attribute__((visibility("default")))

/* A handle of any kind; struct chan, struct chan_mutex and so on are never more. */
struct chan_object {
	int fd;
	uint32_t kind;
	size_t elem_size;	  /* channel */
	size_t capacity;	  /* channel; cells: how many */
	struct kchan_cell *cells; /* cells: their mapping, NULL where there can be none */
	unsigned int rights;	  /* CHAN_SEND, CHAN_RECV */
	int done;		  /* once: known to be done; atomic */
};

/* What a function that takes a kind's own type calls its handle underneath. */
#define OBJECT(handle) ((struct chan_object *)(handle))

/* Fails with errno; returns what a failing call returns. */
static inline int chan_fail(int errnum)
{
	errno = errnum;
	return -1;
}

/* An ioctl of /dev/kchan, which is open only as long as the call lasts. */
int chan_device_call(unsigned long request, void *arg);

/* As close(2), but no cancellation point. */
void chan_close_fd(int fd);

/* An ioctl of an object. */
int chan_ioctl(const struct chan_object *o, unsigned long request, void *arg);

/* One that takes a number. */
int chan_ioctl_arg(const void *handle, unsigned long request, int64_t value);

/* ---- handles ---- */

/* A handle without a file yet; NULL with ENOMEM. */
struct chan_object *chan_object_new(uint32_t kind, size_t capacity, unsigned int rights);

/*
 * Completes it by the file that a call has just made, or (-1) failed to make:
 * then, as when anything else fails, it is freed, and NULL.
 */
struct chan_object *chan_object_open(struct chan_object *o, int fd);

/* A new object of any kind but a channel, as @create says, but for its size. */
struct chan_object *chan_create_with(struct kchan_create *create);

/* One that needs no more than a limit. */
void *chan_create(uint32_t kind, size_t limit);

/* Maps the cells of a handle; other kinds have nothing to map. */
int chan_map(struct chan_object *o);
void chan_unmap(struct chan_object *o);

/* ---- waits ---- */

/* When a wait gives up: struct chan_bounds as the kernel knows it. */
struct chan_patience {
	uint32_t flags; /* KCHAN_NONBLOCK, KCHAN_DEADLINE, KCHAN_CLOCK_* */
	int64_t deadline;
	const struct chan_object *cancel;
};

/* The KCHAN_* flags that say "a deadline on this clock", or -1 with EINVAL. */
int chan_clock_flags(clockid_t clock);

/* The bounds that a caller gave (NULL: none), or -1 with EINVAL. */
int chan_patience(struct chan_patience *patience, const struct chan_bounds *bounds);

/* Whether a case carries an element, as those of channels do. */
static inline bool chan_is_message(const struct chan_case *c)
{
	return c->op == CHAN_OP_SEND || c->op == CHAN_OP_RECV;
}

/*
 * What can be said of a case before the kernel sees it: -1 with EBADF or EFAULT.
 * Without the check of NULL a receive would find out only when an element is
 * there to be copied.
 */
static inline int chan_check(const struct chan_case *c)
{
	if (!c->on)
		return chan_fail(EBADF);
	if (chan_is_message(c) && !c->buf && c->on->elem_size)
		return chan_fail(EFAULT);
	return 0;
}

/* The select under all selects, and under waits that may be cancelled. */
int chan_choose(struct chan_case *cases, size_t n, uint32_t how,
		const struct chan_patience *patience);

/* The three ways of chan_wait(), of a case that was checked. */
int chan_message(const struct chan_object *o, unsigned long request, const void *buf,
		 uint64_t cargo, uint32_t flags, int64_t deadline);
int chan_operation(struct chan_case *op, const struct chan_patience *patience);
int chan_unless_cancelled(struct chan_case *op, const struct chan_patience *patience);

/*
 * Every single wait ends up here: it does what the case says, alone.  If @value is not
 * NULL it is set when that succeeds.  Inline, for where the case and the patience are
 * known to the compiler it need not make them.
 */
static inline int chan_wait(struct chan_case op, uint64_t *value,
			    const struct chan_patience *patience)
{
	int ret;

	if (chan_check(&op))
		return -1;
	if (patience->cancel)
		ret = chan_unless_cancelled(&op, patience);
	else if (chan_is_message(&op))
		return chan_message(op.on, op.op == CHAN_OP_SEND ? KCHAN_SEND : KCHAN_RECV, op.buf,
				    op.arg, patience->flags, patience->deadline);
	else
		ret = chan_operation(&op, patience);
	if (value && ret >= 0)
		*value = op.value;
	return ret;
}

static inline int chan_wait_plain(struct chan_case op, uint64_t *value)
{
	return chan_wait(op, value, &(struct chan_patience){ 0 });
}

static inline int chan_wait_try(struct chan_case op, uint64_t *value)
{
	return chan_wait(op, value, &(struct chan_patience){ .flags = KCHAN_NONBLOCK });
}

static inline int chan_wait_until(struct chan_case op, uint64_t *value, int64_t deadline)
{
	return chan_wait(op, value, &(struct chan_patience){
		.flags = KCHAN_DEADLINE,
		.deadline = deadline,
	});
}

int chan_wait_with(struct chan_case op, uint64_t *value, const struct chan_bounds *bounds);

/*
 * Defines the four forms of a call that waits: KIND_VERB(), KIND_try_VERB(),
 * KIND_VERB_until() and KIND_VERB_with().  OP is the case that says what it does,
 * VALUE where its value goes; what follows are its parameters.  (The last line is
 * there for the semicolon behind its use.)
 */
#define CHAN_WAITS(KIND, VERB, OP, VALUE, ...)                                                 \
	EXPORT int KIND##_##VERB(__VA_ARGS__)                                                  \
	{                                                                                      \
		return chan_wait_plain(OP, VALUE);                                             \
	}                                                                                      \
	EXPORT int KIND##_try_##VERB(__VA_ARGS__)                                              \
	{                                                                                      \
		return chan_wait_try(OP, VALUE);                                               \
	}                                                                                      \
	EXPORT int KIND##_##VERB##_until(__VA_ARGS__, int64_t deadline)                        \
	{                                                                                      \
		return chan_wait_until(OP, VALUE, deadline);                                   \
	}                                                                                      \
	EXPORT int KIND##_##VERB##_with(__VA_ARGS__, const struct chan_bounds *bounds)         \
	{                                                                                      \
		return chan_wait_with(OP, VALUE, bounds);                                      \
	}                                                                                      \
	struct chan_object

#endif /* LIBCHAN_INTERNAL_H */
