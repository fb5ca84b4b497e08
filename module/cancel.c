// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cancels: something that has happened, once and for all, to one and to all its
 * children.
 *
 * Who is whose child is guarded by one mutex for a whole tree, so that a cancel
 * of many is no long time with a spinlock held, and nobody else's trees are in
 * its way.  A cancel stays among its parent's children only until it is
 * cancelled itself; and it is, at the latest when nobody can do so any more.  So
 * none in a tree is ever freed under the others, and no reference is needed.
 *
 *	cancel_tree.lock
 *	  kchan_object.lock	of one of them, then of the next
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "alarm.h"
#include "cancel.h"
#include "compat.h"
#include "file.h"
#include "op.h"
#include "uarg.h"

/**
 * struct cancel_tree - a cancel, its children, and theirs
 * @refs: one for each of them
 * @lock: guards who is whose child
 */
struct cancel_tree {
	refcount_t refs;
	struct mutex lock;	/* parent, node, children, nr_children */
};

/**
 * struct kchan_cancel - a cancel
 * @obj: what every object has
 * @tree: constant
 * @parent: NULL: none, or not any more
 * @node: among the parent's children
 * @children: those not yet cancelled
 * @nr_children: how many; changed with both locks held
 * @cancelled: never changes back; changed with both locks held
 * @cause: why, an errno; set with @cancelled
 * @deadline: when it cancels itself; constant
 * @alarm: set to that
 * @waiters: parked, guarded by the object's lock
 */
struct kchan_cancel {
	struct kchan_object obj;
	struct cancel_tree *tree;
	struct kchan_cancel *parent;
	struct list_head node;
	struct list_head children;
	u32 nr_children;
	bool cancelled;
	int cause;
	struct kchan_deadline deadline;
	struct kchan_alarm alarm;
	struct kchan_queue waiters;
};

static struct kchan_cancel *cancel_of(struct kchan_object *obj)
{
	return container_of(obj, struct kchan_cancel, obj);
}

/* ---- trees ---- */

static struct cancel_tree *tree_new(void)
{
	struct cancel_tree *tree = kmalloc(sizeof(*tree), GFP_KERNEL_ACCOUNT);

	if (tree) {
		refcount_set(&tree->refs, 1);
		mutex_init(&tree->lock);
	}
	return tree;
}

static void tree_put(struct cancel_tree *tree)
{
	if (tree && refcount_dec_and_test(&tree->refs))
		kfree(tree);
}

static void count_child(struct kchan_cancel *parent, int change)
{
	spin_lock(&parent->obj.lock);
	parent->nr_children += change;
	spin_unlock(&parent->obj.lock);
}

/*
 * Why it is cancelled; 0: it is not.  Whoever looks sees at once that the deadline
 * has passed, even if the alarm has yet to cancel it in all form.
 */
static int cause_of(const struct kchan_cancel *cancel)
{
	const struct kchan_deadline *deadline = &cancel->deadline;

	if (cancel->cancelled)
		return cancel->cause;
	return deadline->time != KTIME_MAX &&
	       ktime_compare(kchan_now_on(deadline->clock), deadline->time) >= 0 ? ETIMEDOUT : 0;
}

/* Cancels one; its children are left to the caller. */
static void cancel_one(struct kchan_cancel *cancel, int cause)
{
	struct kchan_change change;
	struct kchan_entry *entry;

	kchan_lock(&cancel->obj, &change);
	cancel->cancelled = true;
	cancel->cause = cause;
	cancel->nr_children = 0;
	while ((entry = kchan_claim_first(&cancel->waiters, 0, &change.wakes)))
		kchan_op_of(entry)->value = cause;
	change.poll |= KCHAN_POLL_IN | KCHAN_POLL_OUT;
	kchan_unlock(&cancel->obj, &change);
}

/* Cancels one and all below it, parents first; returns 1 if it was not before. */
static int cancel_tree(struct kchan_cancel *cancel, int cause)
{
	struct kchan_cancel *top = cancel;
	LIST_HEAD(todo);
	int due, ret = 0;

	mutex_lock(&cancel->tree->lock);
	if (!cancel->cancelled) {
		due = cause_of(cancel);
		ret = !due;
		cause = due ? due : cause;
		if (cancel->parent)
			count_child(cancel->parent, -1);
		list_move(&cancel->node, &todo);
	}
	while (!list_empty(&todo)) {
		cancel = list_first_entry(&todo, struct kchan_cancel, node);
		list_del_init(&cancel->node);
		list_splice_tail_init(&cancel->children, &todo);
		cancel->parent = NULL;
		/* What has been seen as cancelled keeps its cause. */
		due = cancel == top ? 0 : cause_of(cancel);
		cancel_one(cancel, due ? due : cause);
		cond_resched();
	}
	mutex_unlock(&cancel->tree->lock);
	return ret;
}

static void adopt(struct kchan_cancel *parent, struct kchan_cancel *child)
{
	int cause;

	mutex_lock(&parent->tree->lock);
	cause = cause_of(parent);
	if (!cause)
		cause = cause_of(child);
	if (cause) {
		cancel_one(child, cause);
	} else {
		child->parent = parent;
		list_add_tail(&child->node, &parent->children);
		count_child(parent, 1);
	}
	mutex_unlock(&parent->tree->lock);
}

static void alarm_work(struct work_struct *work)
{
	cancel_tree(container_of(work, struct kchan_cancel, alarm.work), ETIMEDOUT);
}

/* ---- operations ---- */

static int cancelled_attempt(struct kchan_op *op, struct kchan_waiter *self,
			     struct kchan_change *change)
{
	int cause = cause_of(cancel_of(op->obj));

	if (!cause)
		return -EAGAIN;
	op->value = cause;
	return kchan_outcome(self, 0);
}

static struct kchan_queue *cancelled_queue(struct kchan_op *op)
{
	return &cancel_of(op->obj)->waiters;
}

static const struct kchan_op_type cancelled_type = {
	.right = KCHAN_MODE_RECV,
	.attempt = cancelled_attempt,
	.queue = cancelled_queue,
};

static int cancel_begin(struct kchan_op *op, const struct kchan_case *args)
{
	if (args->op == KCHAN_OP_CANCELLED && !args->buf && !args->len && !args->index &&
	    !args->arg)
		op->type = &cancelled_type;
	return 0;
}

static int cancel_call(struct kchan_object *obj, s64 cause)
{
	if (cause < 0 || cause > KCHAN_MAX_ERRNO)
		return -EINVAL;
	return cancel_tree(cancel_of(obj), cause ? cause : ECANCELED);
}

/* ---- kind ---- */

static __poll_t cancel_ready(struct kchan_object *obj)
{
	return cause_of(cancel_of(obj)) ? KCHAN_POLL_IN : 0;
}

static void cancel_stat(struct kchan_object *obj, struct kchan_stat *stat)
{
	struct kchan_cancel *cancel = cancel_of(obj);

	stat->length = cancel->nr_children;
	stat->value = cause_of(cancel);
	stat->state = stat->value ? KCHAN_STATE_CANCELLED : 0;
	stat->waiting_receivers = cancel->waiters.len;
}

static void cancel_orphaned(struct kchan_object *obj)
{
	bool unowned;

	spin_lock(&obj->lock);
	unowned = !obj->send_handles;
	spin_unlock(&obj->lock);
	if (unowned)
		cancel_tree(cancel_of(obj), EOWNERDEAD);
}

/* Takes what is half built, too, but that is no child yet. */
static void cancel_free(struct kchan_object *obj)
{
	struct kchan_cancel *cancel = cancel_of(obj);

	kchan_alarm_destroy(&cancel->alarm);
	if (cancel->tree)
		cancel_tree(cancel, EOWNERDEAD);
	tree_put(cancel->tree);
}

/* Finds the cancel to be a child of, and holds its file. */
static int get_parent(int fd, struct fd *parent)
{
	struct kchan_object *obj;
	struct file *file;
	int ret;

	*parent = fdget(fd);
	file = fd_file(*parent);
	if (!file)
		return -EBADF;
	obj = kchan_object_of(file);
	if (obj && obj->kind != &kchan_cancel_kind)
		ret = -EINVAL;
	else
		ret = obj && file->f_mode & KCHAN_MODE_RECV ? 0 : -EBADF;
	if (ret)
		fdput(*parent);
	return ret;
}

static struct kchan_object *cancel_new(struct kchan_cancel *parent,
				       const struct kchan_deadline *deadline)
{
	struct kchan_object *obj = kchan_object_new(&kchan_cancel_kind, 0);
	struct kchan_cancel *cancel;

	if (IS_ERR(obj))
		return obj;
	cancel = cancel_of(obj);
	INIT_LIST_HEAD(&cancel->node);
	INIT_LIST_HEAD(&cancel->children);
	kchan_queue_init(&cancel->waiters);
	cancel->deadline = *deadline;
	kchan_alarm_init(&cancel->alarm, alarm_work);
	if (parent) {
		refcount_inc(&parent->tree->refs);
		cancel->tree = parent->tree;
		adopt(parent, cancel);
	} else {
		cancel->tree = tree_new();
		if (!cancel->tree) {
			kchan_object_put(obj);
			return ERR_PTR(-ENOMEM);
		}
	}
	kchan_alarm_set(&cancel->alarm, deadline->clock, deadline->time);
	return obj;
}

static struct kchan_object *cancel_make(const struct kchan_create *args)
{
	struct kchan_deadline deadline;
	struct kchan_object *obj;
	struct fd parent;
	int ret;

	if (args->limit)
		return ERR_PTR(-EINVAL);
	ret = kchan_read_deadline(args->flags, args->deadline, &deadline);
	if (ret)
		return ERR_PTR(ret);
	if (!(args->flags & KCHAN_CHILD))
		return cancel_new(NULL, &deadline);

	ret = get_parent(args->parent, &parent);
	if (ret)
		return ERR_PTR(ret);
	obj = cancel_new(cancel_of(kchan_object_of(fd_file(parent))), &deadline);
	fdput(parent);
	return obj;
}

static const struct kchan_action cancel_actions[] = {
	{ KCHAN_CANCEL, KCHAN_MODE_SEND, cancel_call },
	{}
};

struct kchan_kind kchan_cancel_kind = {
	.name = "cancel",
	.nr = KCHAN_KIND_CANCEL,
	.size = sizeof(struct kchan_cancel),
	.create_flags = KCHAN_CHILD | KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME,
	.labels = { NULL, NULL, "children", "cause" },
	.actions = cancel_actions,
	.fops = &kchan_object_fops,
	.make = cancel_make,
	.begin = cancel_begin,
	.ready = cancel_ready,
	.stat = cancel_stat,
	.orphaned = cancel_orphaned,
	.free = cancel_free,
};
