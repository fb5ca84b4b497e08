// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conds: a lock is given back once the wait is parked, so that no signal sent by
 * whoever takes it next can be missed.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>

#include "cond.h"
#include "file.h"
#include "lock.h"
#include "op.h"

/**
 * struct kchan_cond - a cond
 * @obj: what every object has
 * @waiters: parked, guarded by the object's lock
 */
struct kchan_cond {
	struct kchan_object obj;
	struct kchan_queue waiters;
};

static struct kchan_cond *cond_of(struct kchan_object *obj)
{
	return container_of(obj, struct kchan_cond, obj);
}

/* Only a signal that comes later ends it. */
static int wait_attempt(struct kchan_op *op, struct kchan_waiter *self,
			struct kchan_change *change)
{
	return -EAGAIN;
}

/* Finds the lock, and whether it can be given back. */
static int wait_prepare(struct kchan_op *op, struct kchan_numbers *numbers)
{
	struct kchan_object *obj;

	if (op->lock_fd > INT_MAX)
		return -EBADF;
	op->lock = fget(op->lock_fd);
	if (!op->lock)
		return -EBADF;
	obj = kchan_object_of(op->lock);
	if (!obj || !(op->lock->f_mode & KCHAN_MODE_SEND))
		return -EBADF;
	if (!kchan_is_lock(obj))
		return -EINVAL;
	return kchan_lock_is_held(obj) ? 0 : -EPERM;
}

static struct kchan_queue *wait_queue(struct kchan_op *op)
{
	return &cond_of(op->obj)->waiters;
}

static int wait_published(struct kchan_op *op)
{
	return kchan_lock_give_back(kchan_object_of(op->lock));
}

static int cond_signal(struct kchan_object *obj, s64 value)
{
	struct kchan_cond *cond = cond_of(obj);
	struct kchan_change change;
	s64 woken = 0;

	if (value < 1)
		return -EINVAL;
	kchan_lock(obj, &change);
	while (woken < value && kchan_claim_first(&cond->waiters, 0, &change.wakes))
		woken++;
	kchan_unlock(obj, &change);
	return min_t(s64, woken, INT_MAX);
}

/* Whoever is killed passes the signal on. */
static int wait_finish(struct kchan_op *op, int outcome)
{
	if (outcome || !fatal_signal_pending(current))
		return outcome;
	cond_signal(op->obj, 1);
	return -EINTR;
}

static void wait_release(struct kchan_op *op)
{
	if (op->lock)
		fput(op->lock);
	op->lock = NULL;
}

static const struct kchan_op_type wait_type = {
	.right = KCHAN_MODE_RECV,
	.attempt = wait_attempt,
	.prepare = wait_prepare,
	.queue = wait_queue,
	.published = wait_published,
	.finish = wait_finish,
	.release = wait_release,
};

static int cond_begin(struct kchan_op *op, const struct kchan_case *args)
{
	if (args->op != KCHAN_OP_COND || args->buf || args->len || args->index)
		return -EINVAL;
	op->type = &wait_type;
	op->lock_fd = args->arg;
	op->lock = NULL;
	return 0;
}

static __poll_t cond_ready(struct kchan_object *obj)
{
	return 0;
}

static void cond_stat(struct kchan_object *obj, struct kchan_stat *stat)
{
	stat->waiting_receivers = cond_of(obj)->waiters.len;
}

static struct kchan_object *cond_make(const struct kchan_create *args)
{
	struct kchan_object *obj;

	if (args->limit)
		return ERR_PTR(-EINVAL);
	obj = kchan_object_new(&kchan_cond_kind, 0);
	if (!IS_ERR(obj))
		kchan_queue_init(&cond_of(obj)->waiters);
	return obj;
}

static const struct kchan_action cond_actions[] = {
	{ KCHAN_SIGNAL, KCHAN_MODE_SEND, cond_signal },
	{}
};

struct kchan_kind kchan_cond_kind = {
	.name = "cond",
	.nr = KCHAN_KIND_COND,
	.size = sizeof(struct kchan_cond),
	.actions = cond_actions,
	.fops = &kchan_object_fops,
	.make = cond_make,
	.begin = cond_begin,
	.ready = cond_ready,
	.stat = cond_stat,
};
