// SPDX-License-Identifier: GPL-2.0-only
/*
 * Doing one of several operations; the rules stand in op.h.
 */
#include <linux/minmax.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "cargo.h"
#include "op.h"
#include "uarg.h"

/* Claims those who only want to know, and now can. */
static void tell_watchers(struct kchan_object *obj, struct kchan_change *change)
{
	struct kchan_entry *entry, *next;
	struct kchan_op *op;

	list_for_each_entry_safe(entry, next, &obj->watchers.entries, node) {
		op = kchan_op_of(entry);
		if (op->type->ready(op))
			kchan_claim_entry(entry, 0, &change->wakes);
	}
}

/**
 * kchan_tell() - kchan_unlock() for an object that is watched or polled
 * @obj: the object
 * @change: what changed
 */
void kchan_tell(struct kchan_object *obj, struct kchan_change *change)
	__releases(&obj->lock)
{
	tell_watchers(obj, change);
	spin_unlock(&obj->lock);
	kchan_wake(&change->wakes, change->sync);
	kchan_object_wake_pollers(obj, change->poll, change->many);
}

/**
 * kchan_end_waits() - decide every wait in a queue
 * @queue: of a locked object
 * @result: of the waits
 * @change: for kchan_unlock()
 */
void kchan_end_waits(struct kchan_queue *queue, int result, struct kchan_change *change)
{
	while (kchan_claim_first(queue, result, &change->wakes))
		;
}

/**
 * kchan_op_begin() - prepare one operation, as the contract describes it
 * @op: to be filled in
 * @file: the handle, held as long as @op
 * @args: what to do; ->fd is not looked at
 *
 * Return: 0, -EINVAL, -EBADF or -EMSGSIZE
 */
int kchan_op_begin(struct kchan_op *op, struct file *file, const struct kchan_case *args)
{
	struct kchan_object *obj = kchan_object_of(file);
	int ret;

	if (!obj)
		return -EBADF;
	if (!obj->kind->begin)
		return -EINVAL;
	op->obj = obj;
	op->type = NULL;
	op->watch = false;
	op->value = 0;
	ret = obj->kind->begin(op, args);
	if (!op->type)
		return -EINVAL;
	return file->f_mode & op->type->right ? ret : -EBADF;
}

/*
 * What follows is compiled twice: for many operations, and for a single one, where no
 * loop, no choice and no array is left of it.
 */

static __always_inline int attempt(struct kchan_op *op, struct kchan_waiter *self,
				   struct kchan_change *change)
{
	if (!op->watch)
		return op->type->attempt(op, self, change);
	op->entry.waiter = self;
	return op->type->ready(op) ? kchan_outcome(self, 0) : -EAGAIN;
}

/* Many operations are much work; others may want the processor. */
static __always_inline void rest(unsigned int i)
{
	if (i % 32 == 31)
		cond_resched();
}

/* The first pass: nothing is parked. */
static __always_inline int try(struct kchan_op *op)
{
	struct kchan_change change __uninitialized;
	int ret;

	kchan_lock(op->obj, &change);
	ret = attempt(op, NULL, &change);
	kchan_unlock(op->obj, &change);
	return ret;
}

static __always_inline void park(struct kchan_op *op, struct kchan_waiter *waiter,
				 struct kchan_change *change)
{
	struct kchan_queue *queue = op->watch ? &op->obj->watchers : op->type->queue(op);

	kchan_entry_init(&op->entry, waiter, op->obj, queue);
	kchan_enqueue(&op->entry);
	if (!op->watch && op->type->parked)
		op->type->parked(op, change);
}

/* The second pass: does it, or parks; returns as ->attempt(). */
static __always_inline int try_or_park(struct kchan_op *op, struct kchan_waiter *waiter)
{
	struct kchan_change change __uninitialized;
	int ret;

	kchan_lock(op->obj, &change);
	ret = attempt(op, waiter, &change);
	if (ret == -EAGAIN)
		park(op, waiter, &change);
	kchan_unlock(op->obj, &change);
	return ret;
}

static void leave(struct kchan_op *op)
{
	struct kchan_change change __uninitialized;

	kchan_lock(op->obj, &change);
	kchan_leave(&op->entry);
	if (!op->watch && op->type->left)
		op->type->left(op, &change);
	kchan_unlock(op->obj, &change);
}

/* The first is parked: tells it.  Returns an error to end the wait with. */
static __always_inline int published(struct kchan_ops *ops)
{
	struct kchan_op *op = ops->op[0];

	return op->watch || !op->type->published ? 0 : op->type->published(op);
}

/* All are parked: waits, as far as that is wanted.  Returns 0 when claimed. */
static __always_inline int wait_parked(struct kchan_ops *ops, struct kchan_waiter *waiter,
				       int error)
{
	if (!error && ops->deadline)
		return kchan_wait(waiter, ops->deadline);
	return kchan_give_up(waiter, error ? error : -EAGAIN);
}

static __always_inline int prepare_all(struct kchan_ops *ops)
{
	unsigned int i;
	int ret;

	ops->prepared = true;
	for (i = 0; i < ops->nr; i++) {
		struct kchan_op *op = ops->op[i];

		if (op->watch || !op->type->prepare)
			continue;
		ret = op->type->prepare(op, ops->numbers);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Parks and waits.  Returns the outcome of *chosen; or why nothing was chosen,
 * which then is NULL.
 */
static __always_inline int wait_for_one(struct kchan_ops *ops, struct kchan_op **chosen)
{
	struct kchan_waiter waiter __uninitialized;
	int ret = -EAGAIN, error;
	unsigned int parked, i;

	kchan_waiter_init(&waiter);
	for (parked = 0; parked < ops->nr; parked++) {
		rest(parked);
		ret = try_or_park(ops->op[parked], &waiter);
		if (ret != -EAGAIN)
			break;
	}
	error = parked ? published(ops) : 0;
	if (ret == -EAGAIN)
		ret = wait_parked(ops, &waiter, error);
	else if (ret == KCHAN_DECIDED)
		ret = kchan_give_up(&waiter, ret);
	else
		*chosen = ops->op[parked];

	if (waiter.won) {
		*chosen = kchan_op_of(waiter.won);
		ret = waiter.won->result;
	}
	for (i = 0; i < parked; i++) {
		rest(i);
		if (&ops->op[i]->entry != waiter.won)
			leave(ops->op[i]);
	}
	/* What has been told that it is parked can't begin anew. */
	if (ret == -ERESTARTSYS && ops->nr && ops->op[0]->type->published)
		ret = -EINTR;
	return ret;
}

/* Tries them in order, a random one if so wanted: any is as likely to be next. */
static __always_inline int try_each(struct kchan_ops *ops, struct kchan_op **chosen)
{
	u64 random = ops->shuffle && ops->nr > 1 ? get_random_u32() : 0;
	int ret = -EAGAIN;
	unsigned int i;

	for (i = 0; i < ops->nr; i++) {
		if (random) {
			random = kchan_draw_next(random);
			swap(ops->op[i], ops->op[i + (u32)(random * (ops->nr - i) >> 32)]);
		}
		rest(i);
		ret = try(ops->op[i]);
		if (ret != -EAGAIN) {
			*chosen = ops->op[i];
			break;
		}
	}
	/* Drawn once is drawn: it must not need luck again to be tried again. */
	ops->shuffle = false;
	return ret;
}

static void release(struct kchan_op *op)
{
	if (op->type->release)
		op->type->release(op);
}

/* The first pass leaves nothing behind but with what it chose. */
static __always_inline void release_all(struct kchan_ops *ops, struct kchan_op *chosen)
{
	unsigned int i;

	if (!ops->prepared) {
		if (chosen)
			release(chosen);
		return;
	}
	for (i = 0; i < ops->nr; i++)
		release(ops->op[i]);
}

/*
 * What must not wait either can't know yet that it would have to: a single one can,
 * since that was one instant, unless being parked means something to it.
 */
static __always_inline bool has_to_park(const struct kchan_ops *ops)
{
	return ops->deadline || ops->nr > 1 || (ops->nr && ops->op[0]->type->published);
}

/* One attempt; -EFAULT with *chosen where its user memory needs faulting in. */
static __always_inline int do_once(struct kchan_ops *ops, struct kchan_op **chosen)
{
	int ret = -EAGAIN;

	*chosen = NULL;
	if (!ops->tried)
		ret = try_each(ops, chosen);
	ops->tried = false;
	if (ret == -EAGAIN && has_to_park(ops)) {
		ret = prepare_all(ops);
		if (!ret)
			ret = wait_for_one(ops, chosen);
	}
	if (*chosen && ret != -EFAULT && !(*chosen)->watch && (*chosen)->type->finish)
		ret = (*chosen)->type->finish(*chosen, ret);
	release_all(ops, *chosen);
	return ret;
}

/*
 * User memory was not there: sees to it, for one more attempt.  Others may be quicker, and
 * then another case is next: the second time all get what they need.
 */
static __always_inline int fault_in(struct kchan_ops *ops, struct kchan_op **chosen, bool all)
{
	int ret;

	ops->prepared = true;
	ret = all && ops->nr > 1 ? prepare_all(ops) :
				   (*chosen)->type->touch(*chosen, ops->numbers);
	if (ret) {
		release_all(ops, NULL);
		*chosen = NULL;
	}
	return ret;
}

static __always_inline int do_ops(struct kchan_ops *ops, struct kchan_op **chosen)
{
	struct kchan_numbers numbers __uninitialized;
	int attempt, ret;

	numbers.nr = 0;
	ops->numbers = &numbers;
	for (attempt = 1;; attempt++) {
		ret = do_once(ops, chosen);
		if (likely(ret != -EFAULT) || !*chosen || attempt == KCHAN_ATTEMPTS)
			break;
		ret = fault_in(ops, chosen, attempt > 1);
		if (ret)
			break;
	}
	/* What could not be brought to its end has not been done. */
	if (unlikely(ret == -EFAULT || ret == -EINTR || ret == -EBADF || ret == -ENOMEM))
		*chosen = NULL;
	kchan_numbers_release(&numbers);
	return ret;
}

/**
 * kchan_ops_do() - do one of several operations
 * @ops: the operations, and how
 * @chosen: set to the one that was done; NULL if none was
 *
 * Return: the outcome of *@chosen, which may be a negative errno; or, with NULL,
 * -EAGAIN, -ETIMEDOUT, -ERESTARTSYS, -EINTR, or what ->prepare(), ->touch() and
 * ->finish() say
 */
int kchan_ops_do(struct kchan_ops *ops, struct kchan_op **chosen)
{
	return do_ops(ops, chosen);
}

/**
 * kchan_op_do() - do one operation
 * @op: prepared with kchan_op_begin()
 * @deadline: when to give up waiting; NULL: do not wait
 * @tried: it has just been tried, and would have to wait
 *
 * Return: its outcome, or as kchan_ops_do()
 */
int kchan_op_do(struct kchan_op *op, const struct kchan_deadline *deadline, bool tried)
{
	struct kchan_op *chosen;
	struct kchan_ops ops = {
		.op = &op,
		.nr = 1,
		.tried = tried,
		.deadline = deadline,
	};

	return do_ops(&ops, &chosen);
}
