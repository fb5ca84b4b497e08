// SPDX-License-Identifier: GPL-2.0-only
/* What the operations do that may wait; see model.h. */

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* A struct kchan_msg that is longer holds what matters of .ancillary. */
#define ADDRESS_END	(offsetof(struct kchan_msg, ancillary) + 5)

struct m_op op_at(const struct model *m, const struct step *s, __u32 op)
{
	int place = s->f[ON];
	struct m_op o = {
		.place = place, .file = m->place[place], .obj = object_at(m, place), .step = s,
		.op = op, .index = s->f[INDEX], .arg = s->f[ARG],
	};

	bool travels = (op == KCHAN_OP_SEND || op == KCHAN_OP_RECV) && s->f[ANCILLARY] != RIGHT;

	/* The address of what travels with a message stands in its place, be it NULL. */
	if (travels)
		o.arg = 0;
	o.full = s->f[FULL];
	o.ancillary = travels && s->f[ANCILLARY] != NULL_POINTER &&
		      (s->call == CASE || s->call == PARK ||
		       ((s->call == SEND || s->call == RECV) &&
			claimed_size(s, sizeof(struct kchan_msg)) > ADDRESS_END));
	o.len = s->f[LEN] != RIGHT ? (__u32)s->f[LEN] : o.obj ? o.obj->elem_size : 8;
	return o;
}

bool op_has_bad_memory(const struct m_op *op)
{
	if (op->op == KCHAN_OP_SEND)
		return op->len && !can_be_read(op->step->f[MEM]);
	/* Of a buffer that is longer than the message the end does not matter. */
	if (op->step->call == READ && op->step->f[MEM] == CUT && op->len > op->obj->elem_size)
		return false;
	if (op->op == KCHAN_OP_RECV)
		return op->len && !can_be_written(op->step->f[MEM]);
	return false;
}

bool op_has_trouble(const struct model *m, const struct m_op *op, struct verdict *v)
{
	bool trouble = op_has_bad_memory(op);

	if (trouble)
		allow(v, -EFAULT);
	if (op->op == KCHAN_OP_SEND || op->op == KCHAN_OP_RECV)
		trouble |= cargo_has_trouble(m, op, v);
	return trouble;
}

/* Those that leave things other than they were. */
bool op_takes(const struct m_op *op)
{
	switch (op->op) {
	case KCHAN_OP_ZERO:
	case KCHAN_OP_DIFFERS:
	case KCHAN_OP_CANCELLED:
	case KCHAN_OP_COND:
		return false;
	}
	return true;
}

/* The right that an operation takes of an object of that kind; 0: it has none such. */
__u32 op_right(__u32 op, __u32 kind)
{
	static const struct {
		__u32 op, kind, right;
	} table[] = {
		{ KCHAN_OP_SEND, KCHAN_KIND_CHAN, KCHAN_RIGHT_SEND },
		{ KCHAN_OP_RECV, KCHAN_KIND_CHAN, KCHAN_RIGHT_RECV },
		{ KCHAN_OP_ADD, KCHAN_KIND_WAITGROUP, KCHAN_RIGHT_SEND },
		{ KCHAN_OP_ADD, KCHAN_KIND_SEMAPHORE, KCHAN_RIGHT_RECV },
		{ KCHAN_OP_ZERO, KCHAN_KIND_WAITGROUP, KCHAN_RIGHT_RECV },
		{ KCHAN_OP_ZERO, KCHAN_KIND_SEMAPHORE, KCHAN_RIGHT_SEND },
		{ KCHAN_OP_LOCK, KCHAN_KIND_MUTEX, KCHAN_RIGHT_SEND },
		{ KCHAN_OP_LOCK, KCHAN_KIND_RWMUTEX, KCHAN_RIGHT_SEND },
		{ KCHAN_OP_LOCK, KCHAN_KIND_ONCE, KCHAN_RIGHT_SEND },
		{ KCHAN_OP_RLOCK, KCHAN_KIND_RWMUTEX, KCHAN_RIGHT_RECV },
		{ KCHAN_OP_TICK, KCHAN_KIND_TIMER, KCHAN_RIGHT_RECV },
		{ KCHAN_OP_DIFFERS, KCHAN_KIND_CELLS, KCHAN_RIGHT_RECV },
		{ KCHAN_OP_CANCELLED, KCHAN_KIND_CANCEL, KCHAN_RIGHT_RECV },
		{ KCHAN_OP_COND, KCHAN_KIND_COND, KCHAN_RIGHT_RECV },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].op == op && table[i].kind == kind)
			return table[i].right;
	return 0;
}

static __u64 limit_of(const struct m_object *o)
{
	return o->limit ? o->limit : KCHAN_MAX_COUNT;
}

/* The lock that a wait for a cond is to give back. */
static void check_cond(const struct model *m, const struct m_op *op, enum process who,
		       struct verdict *v)
{
	int place = op->step->f[LOCK];
	const struct m_file *f = file_at(m, place);
	const struct m_object *lock = object_at(m, place);

	if (!f) {
		allow(v, -EBADF);
	} else if (!is_lock(lock)) {
		allow(v, -EINVAL);
		allow(v, -EBADF);
	} else {
		if (!(f->rights & KCHAN_RIGHT_SEND))
			allow(v, -EBADF);
		if (lock->holder != who)
			allow(v, -EPERM);
	}
}

static void check_numbers(const struct m_op *op, struct verdict *v)
{
	if (op->op == KCHAN_OP_DIFFERS) {
		if (op->obj->kind == KCHAN_KIND_CELLS && (__u32)op->index >= op->obj->cells)
			allow(v, -EINVAL);
		return;
	}
	if ((__u32)op->index)
		allow(v, -EINVAL);
	if (op->op == KCHAN_OP_ADD) {
		if (!op->arg || op->arg > limit_of(op->obj))
			allow(v, -EINVAL);
	} else if (op->arg && op->op != KCHAN_OP_COND && !op->ancillary) {
		/* Or an address that leads nowhere. */
		allow(v, has_cargo(op->obj) ? -EFAULT : -EINVAL);
	}
}

/* Whatever makes no sense about it, of a handle of ours. */
void op_check(const struct model *m, const struct m_op *op, enum process who,
	      struct verdict *v)
{
	__u32 right = op_right(op->op, op->obj->kind);

	if (!right)
		allow(v, -EINVAL);
	else if (!(m->files[op->file].rights & right))
		allow(v, -EBADF);
	check_numbers(op, v);
	if ((op->op == KCHAN_OP_SEND || op->op == KCHAN_OP_RECV) &&
	    op->len != op->obj->elem_size)
		allow(v, -EMSGSIZE);
	if ((op->op == KCHAN_OP_SEND || op->op == KCHAN_OP_RECV) &&
	    op->obj->kind == KCHAN_KIND_CHAN)
		check_ancillary(op, v);
	if (op->op == KCHAN_OP_COND)
		check_cond(m, op, who, v);
}

/* Of a timer that ticks on nobody knows what it will say. */
bool op_is_unsure(const struct m_op *op)
{
	return op->op == KCHAN_OP_TICK && op->obj && op->obj->many_ticks;
}

static bool chan_is_broken(const struct m_object *o)
{
	return o->closed || !o->receivers;
}

static bool is_read_locked(const struct m_object *o)
{
	return o->readers[US] || o->readers[A_CHILD];
}

/* Is its object such that it would not wait? */
bool state_is_ready(const struct m_op *op)
{
	const struct m_object *o = op->obj;

	switch (op->op) {
	case KCHAN_OP_SEND:
		return chan_is_broken(o) || o->policy != KCHAN_POLICY_BLOCK ||
		       o->length < o->capacity + mistaken("capacity-one-more");
	case KCHAN_OP_RECV:
		return o->length || o->closed || !o->senders;
	case KCHAN_OP_ADD:
		return !o->limit || o->taken + op->arg <= o->limit;
	case KCHAN_OP_ZERO:
		return !o->taken;
	case KCHAN_OP_LOCK:
		return o->done || o->notrecoverable || (!o->holder && !is_read_locked(o));
	case KCHAN_OP_RLOCK:
		return o->notrecoverable || !o->holder || mistaken("reader-beside-writer");
	case KCHAN_OP_TICK:
		return o->ticks;
	case KCHAN_OP_DIFFERS:
		return o->values[(__u32)op->index] != op->arg;
	case KCHAN_OP_CANCELLED:
		return o->cancelled;
	}
	return false;
}

/* Would it not wait, those who wait already being served first? */
bool op_ready(const struct m_op *op)
{
	const struct m_object *o = op->obj;

	switch (op->op) {
	case KCHAN_OP_SEND:
		return state_is_ready(op) || first_peer(o, KCHAN_OP_RECV);
	case KCHAN_OP_RECV:
		return state_is_ready(op) || first_peer(o, KCHAN_OP_SEND);
	case KCHAN_OP_ADD:
		return state_is_ready(op) && !first_peer(o, KCHAN_OP_ADD);
	case KCHAN_OP_RLOCK:
		return o->notrecoverable ||
		       (state_is_ready(op) && !first_peer(o, KCHAN_OP_LOCK));
	default:
		return state_is_ready(op);
	}
}

struct m_message message_of(const struct model *m, const struct m_op *op, enum process who)
{
	struct m_message message = { .number = op->step->f[MESSAGE] };

	load_cargo(m, op, who, &message);
	return message;
}

static void append(struct m_object *o, const struct m_message *message)
{
	if (o->length == o->room) {
		o->room = o->room * 2 + 8;
		o->messages = realloc(o->messages, o->room * sizeof(*message));
	}
	o->messages[o->length++] = *message;
}

/* Takes the message at @at out. */
static struct m_message take_out(struct m_object *o, unsigned int at)
{
	struct m_message message = o->messages[at];

	o->length--;
	memmove(o->messages + at, o->messages + at + 1, (o->length - at) * sizeof(message));
	return message;
}

/* Where there is no room for one more: who has to go? */
static void discard(struct model *m, struct m_object *o)
{
	unsigned int n = o->policy == KCHAN_POLICY_LATEST ? o->length : 1;
	bool newest = o->policy == KCHAN_POLICY_DROP_NEWEST || mistaken("oldest-stays");

	o->dropped += mistaken("dropped-not-counted") ? 0 : n;
	while (n--) {
		struct m_message message = take_out(o, newest ? o->length - 1 : 0);

		drop_cargo(m, &message);
	}
}

static long do_send(struct model *m, struct m_object *o, const struct m_message *message)
{
	bool full = o->policy != KCHAN_POLICY_BLOCK && o->length == o->capacity;

	if (chan_is_broken(o))
		return -EPIPE;
	if (full && o->policy != KCHAN_POLICY_DROP_NEWEST)
		discard(m, o);
	hold_cargo(m, message);
	append(o, message);
	if (full && o->policy == KCHAN_POLICY_DROP_NEWEST)
		discard(m, o);
	return 0;
}

/* At a rendezvous the message comes from who waits with it. */
static long do_recv(struct model *m, struct m_object *o, struct m_message *message)
{
	struct m_peer *sender = first_peer(o, KCHAN_OP_SEND);

	if (!o->length && sender) {
		*message = sender->message;
		hold_cargo(m, message);
		end_wait_of_sender(m, sender);
		return 1;
	}
	if (!o->length)
		return 0;
	*message = take_out(o, mistaken("newest-first") ? o->length - 1 : 0);
	return 1;
}

static long do_add(struct m_object *o, __u64 units)
{
	if (o->taken + units > limit_of(o))
		return -EOVERFLOW;
	if (!o->taken)
		o->abandoned = 0;
	o->taken += units;
	return 0;
}

static long do_lock(struct m_object *o, enum process who, bool shared)
{
	bool ownerdead = o->ownerdead;

	if (o->done)
		return 1;
	if (o->notrecoverable)
		return -ENOTRECOVERABLE;
	if (shared)
		o->readers[who]++;
	else
		o->holder = who;
	/* What is done anew needs no mending. */
	if (!is_lock(o))
		o->ownerdead = false;
	return ownerdead ? -EOWNERDEAD : 0;
}

/* Unlocked without being mended, it never will be. */
void unlock_object(struct m_object *o)
{
	o->holder = NOBODY_HOLDS;
	o->readers_next = true;
	if (o->ownerdead && is_lock(o))
		o->notrecoverable = true;
}

void give_lock_back(struct model *m, const struct m_op *cond)
{
	unlock_object(object_at(m, cond->step->f[LOCK]));
}

/* The kernel's own message, which does not wait. */
void post(struct model *m, int channel, const struct m_message *message)
{
	struct m_op op = { .obj = &m->objects[channel], .op = KCHAN_OP_SEND };

	if (chan_is_broken(op.obj) || !op_ready(&op))
		op.obj->dropped++;
	else
		do_send(m, op.obj, message);
	settle(m);
}

/* Does what is ready; returns its outcome. */
long op_do(struct model *m, const struct m_op *op, enum process who,
	   struct m_message *message, __u64 *value)
{
	struct m_object *o = op->obj;
	long ret;

	*value = 0;
	switch (op->op) {
	case KCHAN_OP_SEND:
		ret = do_send(m, o, message);
		*value = ret ? o->cause : 0;
		return ret;
	case KCHAN_OP_RECV:
		ret = do_recv(m, o, message);
		*value = ret ? 0 : o->cause;
		return ret;
	case KCHAN_OP_ADD:
		return do_add(o, op->arg);
	case KCHAN_OP_ZERO:
		*value = o->abandoned;
		return o->abandoned ? -EOWNERDEAD : 0;
	case KCHAN_OP_LOCK:
	case KCHAN_OP_RLOCK:
		return do_lock(o, who, op->op == KCHAN_OP_RLOCK);
	case KCHAN_OP_TICK:
		*value = o->ticks;
		o->ticks = mistaken("tick-stays") ? o->ticks : 0;
		return 0;
	case KCHAN_OP_DIFFERS:
		*value = o->values[(__u32)op->index];
		return 0;
	default:
		*value = o->cause;
		return 0;
	}
}

/* The buffer after a receive that returned @ret. */
const char *check_received(const struct m_op *op, long ret, const struct m_message *message,
			   const struct piece *p)
{
	__u64 len = op->obj->elem_size;

	if (!len || !p->start)
		return NULL;
	if (ret == 1 && message->is_notice)
		return memcmp(p->start, &message->notice, sizeof(message->notice)) ?
		       wrong("h%d: the notice is another one", op->place) : NULL;
	if (ret == 1 && !holds_message(p->start, len, message->number))
		return wrong("h%d: the message received is not number %llu", op->place,
			     message->number);
	if (ret == 0 && !holds_only(p->start, len, 0))
		return wrong("h%d: at the end the buffer is not zeroed", op->place);
	return NULL;
}
