// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wait groups and semaphores: units that are taken, given back, and waited for.
 * Tokens: units that are given back when nobody can do it any more.
 *
 * A wait group is a semaphore without a limit (or with one, where only so many
 * may work at once), and a semaphore a wait group that can be waited for until
 * all is given back.  They differ in what their users mean, and so in rights and
 * errors.
 */
#include <linux/err.h>
#include <linux/sched/signal.h>

#include "count.h"
#include "file.h"
#include "op.h"

/**
 * struct kchan_count - a wait group or semaphore
 * @obj: what every object has; its lock guards all below that is not constant
 * @limit: units at most; 0: KCHAN_MAX_COUNT, past which is an error; constant
 * @units: taken
 * @token_units: those of them that are in tokens
 * @abandoned: given back by tokens that nobody could finish, since @units was 0
 * @adders: parked; the first of them doesn't fit
 * @zeros: waiting for @units to be 0
 */
struct kchan_count {
	struct kchan_object obj;
	u32 limit;
	u32 units;
	u32 token_units;
	u64 abandoned;
	struct kchan_queue adders;
	struct kchan_queue zeros;
};

/**
 * struct kchan_token - some units of a count, in one hand
 * @obj: what every object has; its lock guards @units
 * @count: whose units, a reference
 * @units: how many; 0 once it is done
 */
struct kchan_token {
	struct kchan_object obj;
	struct kchan_count *count;
	u32 units;
};

static struct kchan_count *count_of(struct kchan_object *obj)
{
	return container_of(obj, struct kchan_count, obj);
}

static struct kchan_token *token_of(struct kchan_object *obj)
{
	return container_of(obj, struct kchan_token, obj);
}

static u32 count_room(const struct kchan_count *count)
{
	return (count->limit ? count->limit : KCHAN_MAX_COUNT) - count->units;
}

static void count_take(struct kchan_count *count, u32 units)
{
	if (!count->units)
		count->abandoned = 0;
	count->units += units;
}

/*
 * Admits who fits, in order.  Nobody is held back by another entry of its own:
 * a select may ask for many or for few.
 */
static void count_admit(struct kchan_count *count, struct kchan_change *change)
{
	struct kchan_waiter *in_front = NULL;
	struct kchan_entry *entry, *next;

	list_for_each_entry_safe(entry, next, &count->adders.entries, node) {
		if (in_front && entry->waiter != in_front)
			break;
		if (kchan_op_of(entry)->units <= count_room(count)) {
			if (kchan_claim_entry(entry, 0, &change->wakes)) {
				count_take(count, kchan_op_of(entry)->units);
				in_front = NULL;
			}
		} else if (kchan_hold(entry, NULL) == KCHAN_HELD) {
			kchan_let_go(entry, NULL);
			in_front = entry->waiter;
		}
	}
}

static int zero_outcome(const struct kchan_count *count)
{
	return count->abandoned ? -EOWNERDEAD : 0;
}

/* Zero is an instant of its own, even if somebody is waiting to add. */
static void count_give(struct kchan_count *count, u32 units, struct kchan_change *change)
{
	struct kchan_entry *entry;

	count->units -= units;
	if (!count->units) {
		while ((entry = kchan_claim_first(&count->zeros, zero_outcome(count),
						  &change->wakes)))
			kchan_op_of(entry)->value = count->abandoned;
	}
	if (count->limit || !count->units)
		change->poll |= KCHAN_POLL_IN | KCHAN_POLL_OUT;
	count_admit(count, change);
}

/* ---- operations ---- */

/* Without a limit nobody waits: what would be too many is refused. */
static bool can_add(struct kchan_count *count, u32 units, struct kchan_waiter *self)
{
	return !count->limit || (units <= count_room(count) &&
				 !kchan_first_other(&count->adders, self));
}

static bool add_ready(struct kchan_op *op)
{
	return can_add(count_of(op->obj), op->units, op->entry.waiter);
}

static int add_attempt(struct kchan_op *op, struct kchan_waiter *self,
		       struct kchan_change *change)
{
	struct kchan_count *count = count_of(op->obj);
	int ret;

	if (op->units > count_room(count))
		return count->limit ? -EAGAIN : kchan_outcome(self, -EOVERFLOW);
	if (kchan_first_other(&count->adders, self))
		return -EAGAIN;
	ret = kchan_outcome(self, 0);
	if (!ret)
		count_take(count, op->units);
	return ret;
}

static struct kchan_queue *add_queue(struct kchan_op *op)
{
	return &count_of(op->obj)->adders;
}

/* Those behind it may fit, pollers among them. */
static void add_left(struct kchan_op *op, struct kchan_change *change)
{
	change->poll |= KCHAN_POLL_IN | KCHAN_POLL_OUT;
	count_admit(count_of(op->obj), change);
}

static int zero_attempt(struct kchan_op *op, struct kchan_waiter *self,
			struct kchan_change *change)
{
	struct kchan_count *count = count_of(op->obj);

	if (count->units)
		return -EAGAIN;
	op->value = count->abandoned;
	return kchan_outcome(self, zero_outcome(count));
}

static struct kchan_queue *zero_queue(struct kchan_op *op)
{
	return &count_of(op->obj)->zeros;
}

/* Units that are taken and not in tokens: others can be given back or wrapped. */
static bool has_units(const struct kchan_count *count, s64 units)
{
	return units <= count->units - count->token_units;
}

/*
 * Whoever is killed takes nothing to the grave; unless somebody has given those units
 * back already, or wrapped them: then the call came first.
 */
static int add_finish(struct kchan_op *op, int outcome)
{
	struct kchan_count *count = count_of(op->obj);
	struct kchan_change change;
	int ret = outcome;

	if (outcome || !fatal_signal_pending(current))
		return outcome;
	kchan_lock(op->obj, &change);
	if (has_units(count, op->units)) {
		count_give(count, op->units, &change);
		ret = -EINTR;
	}
	kchan_unlock(op->obj, &change);
	return ret;
}

/* What takes the right to send on the one takes that to receive on the other. */
#define ADD_TYPE(name, the_right)				\
static const struct kchan_op_type name = {			\
	.right = the_right,					\
	.ready = add_ready,					\
	.attempt = add_attempt,					\
	.queue = add_queue,					\
	.left = add_left,					\
	.finish = add_finish,					\
}

#define ZERO_TYPE(name, the_right)				\
static const struct kchan_op_type name = {			\
	.right = the_right,					\
	.attempt = zero_attempt,				\
	.queue = zero_queue,					\
}

ADD_TYPE(waitgroup_add, KCHAN_MODE_SEND);
ADD_TYPE(semaphore_add, KCHAN_MODE_RECV);
ZERO_TYPE(waitgroup_zero, KCHAN_MODE_RECV);
ZERO_TYPE(semaphore_zero, KCHAN_MODE_SEND);

static int count_begin(struct kchan_op *op, const struct kchan_case *args)
{
	struct kchan_count *count = count_of(op->obj);
	bool group = op->obj->kind == &kchan_waitgroup_kind;

	if (args->buf || args->len || args->index)
		return -EINVAL;
	if (args->op == KCHAN_OP_ADD && args->arg &&
	    args->arg <= (count->limit ? count->limit : KCHAN_MAX_COUNT)) {
		op->type = group ? &waitgroup_add : &semaphore_add;
		op->units = args->arg;
	} else if (args->op == KCHAN_OP_ZERO && !args->arg) {
		op->type = group ? &waitgroup_zero : &semaphore_zero;
	}
	return 0;
}

/* ---- calls ---- */

static int count_done(struct kchan_object *obj, s64 units)
{
	struct kchan_count *count = count_of(obj);
	struct kchan_change change;
	int ret = 0;

	if (units < 1)
		return -EINVAL;
	kchan_lock(obj, &change);
	if (has_units(count, units))
		count_give(count, units, &change);
	else
		ret = obj->kind == &kchan_waitgroup_kind ? -EINVAL : -EOVERFLOW;
	kchan_unlock(obj, &change);
	return ret;
}

/* Puts units into a token, or takes them out of it again. */
static int token_fill(struct kchan_token *token, s64 units)
{
	struct kchan_count *count = token->count;
	int ret = 0;

	spin_lock(&count->obj.lock);
	if (has_units(count, units)) {
		count->token_units += units;
		token->units += units;
	} else {
		ret = -EINVAL;
	}
	spin_unlock(&count->obj.lock);
	return ret;
}

static int count_token(struct kchan_object *obj, s64 units)
{
	struct kchan_object *token_obj;
	struct kchan_token *token;
	int ret;

	if (units < 1 || units > KCHAN_MAX_COUNT)
		return -EINVAL;
	token_obj = kchan_object_new(&kchan_token_kind, 0);
	if (IS_ERR(token_obj))
		return PTR_ERR(token_obj);
	token = token_of(token_obj);
	refcount_inc(&obj->refs);
	token->count = count_of(obj);

	ret = token_fill(token, units);
	if (!ret) {
		ret = kchan_open_handle(token_obj, KCHAN_MODE_SEND | KCHAN_MODE_RECV, 0);
		if (ret < 0)
			token_fill(token, -units);
	}
	kchan_object_put(token_obj);
	return ret;
}

static int count_units_gone(struct kchan_token *token, u32 units, u32 abandoned)
{
	struct kchan_count *count = token->count;
	struct kchan_change change;

	kchan_lock(&count->obj, &change);
	count->token_units -= units;
	count->abandoned += abandoned;
	count_give(count, units, &change);
	kchan_unlock(&count->obj, &change);
	return 0;
}

static int token_done(struct kchan_object *obj, s64 value)
{
	struct kchan_token *token = token_of(obj);
	u32 units;

	if (value)
		return -EINVAL;
	spin_lock(&obj->lock);
	units = token->units;
	token->units = 0;
	spin_unlock(&obj->lock);
	return units ? count_units_gone(token, units, 0) : 0;
}

/* ---- kinds ---- */

/* Nobody can say any more that what is not in tokens is done. */
static void waitgroup_orphaned(struct kchan_object *obj)
{
	struct kchan_count *count = count_of(obj);
	struct kchan_change change;
	u32 units;

	kchan_lock(obj, &change);
	units = count->units - count->token_units;
	if (!obj->send_handles && units) {
		count->abandoned += units;
		count_give(count, units, &change);
	}
	kchan_unlock(obj, &change);
}

static __poll_t count_ready(struct kchan_object *obj)
{
	struct kchan_count *count = count_of(obj);
	bool group = obj->kind == &kchan_waitgroup_kind;
	__poll_t events = 0;

	if (!count->units)
		events |= group ? KCHAN_POLL_IN : KCHAN_POLL_OUT;
	if (can_add(count, 1, NULL))
		events |= group ? KCHAN_POLL_OUT : KCHAN_POLL_IN;
	return events;
}

static void count_stat(struct kchan_object *obj, struct kchan_stat *stat)
{
	struct kchan_count *count = count_of(obj);
	bool group = obj->kind == &kchan_waitgroup_kind;

	stat->capacity = count->limit;
	stat->length = count->units;
	stat->value = count->abandoned;
	stat->waiting_senders = group ? count->adders.len : count->zeros.len;
	stat->waiting_receivers = group ? count->zeros.len : count->adders.len;
}

static struct kchan_object *count_make(struct kchan_kind *kind, u64 limit)
{
	struct kchan_object *obj;
	struct kchan_count *count;

	if (limit > KCHAN_MAX_COUNT)
		return ERR_PTR(-EINVAL);
	obj = kchan_object_new(kind, 0);
	if (IS_ERR(obj))
		return obj;
	count = count_of(obj);
	count->limit = limit;
	kchan_queue_init(&count->adders);
	kchan_queue_init(&count->zeros);
	return obj;
}

static struct kchan_object *waitgroup_make(const struct kchan_create *args)
{
	return count_make(&kchan_waitgroup_kind, args->limit);
}

static struct kchan_object *semaphore_make(const struct kchan_create *args)
{
	return args->limit ? count_make(&kchan_semaphore_kind, args->limit) : ERR_PTR(-EINVAL);
}

static __poll_t token_ready(struct kchan_object *obj)
{
	return 0;
}

static void token_stat(struct kchan_object *obj, struct kchan_stat *stat)
{
	stat->length = token_of(obj)->units;
	stat->state = stat->length ? 0 : KCHAN_STATE_DONE;
}

/* Nobody can finish this work any more. */
static void token_free(struct kchan_object *obj)
{
	struct kchan_token *token = token_of(obj);

	if (token->units)
		count_units_gone(token, token->units, token->units);
	kchan_object_put(&token->count->obj);
}

static const struct kchan_action waitgroup_actions[] = {
	{ KCHAN_DONE, KCHAN_MODE_SEND, count_done },
	{ KCHAN_TOKEN, KCHAN_MODE_SEND, count_token },
	{}
};

static const struct kchan_action semaphore_actions[] = {
	{ KCHAN_DONE, KCHAN_MODE_SEND, count_done },
	{ KCHAN_TOKEN, KCHAN_MODE_RECV, count_token },
	{}
};

static const struct kchan_action token_actions[] = {
	{ KCHAN_DONE, KCHAN_MODE_SEND, token_done },
	{}
};

struct kchan_kind kchan_waitgroup_kind = {
	.name = "waitgroup",
	.nr = KCHAN_KIND_WAITGROUP,
	.size = sizeof(struct kchan_count),
	.labels = { NULL, "limit", "units", "abandoned" },
	.actions = waitgroup_actions,
	.fops = &kchan_object_fops,
	.make = waitgroup_make,
	.begin = count_begin,
	.ready = count_ready,
	.stat = count_stat,
	.orphaned = waitgroup_orphaned,
};

struct kchan_kind kchan_semaphore_kind = {
	.name = "semaphore",
	.nr = KCHAN_KIND_SEMAPHORE,
	.size = sizeof(struct kchan_count),
	.exclusive = true,
	.labels = { NULL, "limit", "units", "abandoned" },
	.actions = semaphore_actions,
	.fops = &kchan_object_fops,
	.make = semaphore_make,
	.begin = count_begin,
	.ready = count_ready,
	.stat = count_stat,
};

struct kchan_kind kchan_token_kind = {
	.name = "token",
	.nr = KCHAN_KIND_TOKEN,
	.size = sizeof(struct kchan_token),
	.labels = { NULL, NULL, "units" },
	.actions = token_actions,
	.fops = &kchan_object_fops,
	.ready = token_ready,
	.stat = token_stat,
	.free = token_free,
};
