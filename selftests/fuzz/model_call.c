// SPDX-License-Identifier: GPL-2.0-only
/* What each call may do, but select; see model_call.h. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model_call.h"

#define TIMER_FLAGS (KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME)
#define BOTH (KCHAN_RIGHT_SEND | KCHAN_RIGHT_RECV)

bool knows_call(struct call_of *c, __u32 kinds)
{
	if (c->o ? kinds & 1u << c->o->kind : kinds & DEVICE && !c->place)
		return true;
	allow(&c->v, !c->o && c->place > 1 ? -EBADF : -ENOTTY);
	return false;
}

void need_right(struct call_of *c, __u32 right)
{
	if (c->f && !(c->f->rights & right))
		allow(&c->v, -EBADF);
}

/* ---- those that make handles ---- */

/* The new handle's number can be anything; or there is none left. */
static const char *made(struct call_of *c, int object, __u32 rights)
{
	if (c->s->f[FULL]) {
		allow(&c->v, -EMFILE);
		return judge(&c->v, c->r->ret);
	}
	if (c->r->ret < 0)
		return wrong("returned %s instead of a new handle", show_result(c->r->ret));
	add_handle(c->m, c->s->f[TO], object, rights, c->s->f[FLAGS] & KCHAN_NONBLOCK);
	return NULL;
}

static const char *refused(struct call_of *c)
{
	if (c->s->f[FULL] && makes_handle(c->s))
		allow(&c->v, -EMFILE);
	return failed(&c->v, c->r);
}

static const char *create_chan(struct call_of *c)
{
	__u32 elem_size = c->s->f[ELEM_SIZE], policy = c->s->f[POLICY];
	__u32 size = sizeof(struct kchan_create_chan);
	__u32 handles = as_far_as(c->s, size, offsetof(struct kchan_create_chan, handles),
				  c->s->f[HANDLES]);
	__u32 depth = as_far_as(c->s, size, offsetof(struct kchan_create_chan, depth),
				c->s->f[DEPTH]);
	bool stamped = c->s->f[FLAGS] & KCHAN_STAMPED;
	__u64 capacity = c->s->f[CAPACITY];
	struct m_object *o;

	knows_call(c, DEVICE);
	check_struct(c->s, CREATE_CHAN_V1, sizeof(struct kchan_create_chan), true, false, &c->v);
	check_flags(c->s->f[FLAGS], KCHAN_NONBLOCK | KCHAN_STAMPED, &c->v);
	if (elem_size > KCHAN_MAX_ELEM_SIZE || capacity > KCHAN_MAX_CAPACITY ||
	    policy > KCHAN_POLICY_LATEST || (policy != KCHAN_POLICY_BLOCK && !capacity) ||
	    handles > KCHAN_MAX_HANDLES || depth > KCHAN_MAX_DEPTH || !handles != !depth ||
	    (policy == KCHAN_POLICY_LATEST && (handles || stamped) && capacity != 1))
		allow(&c->v, -EINVAL);
	else if (elem_size * capacity > KCHAN_MAX_BYTES)
		allow(&c->v, -ENOMEM);
	if (c->v.nr)
		return refused(c);
	o = &c->m->objects[add_object(c->m, KCHAN_KIND_CHAN)];
	o->elem_size = elem_size;
	o->capacity = capacity;
	o->policy = policy;
	o->handles = handles;
	o->depth = depth;
	o->stamped = stamped;
	return made(c, o - c->m->objects, BOTH);
}

static void check_limit(struct call_of *c)
{
	__u64 limit = c->s->f[LIMIT];
	bool good;

	switch ((__u32)c->s->f[KIND]) {
	case KCHAN_KIND_WAITGROUP:
		good = limit <= KCHAN_MAX_COUNT;
		break;
	case KCHAN_KIND_SEMAPHORE:
		good = limit && limit <= KCHAN_MAX_COUNT;
		break;
	case KCHAN_KIND_CELLS:
		good = limit && limit <= KCHAN_MAX_CELLS;
		break;
	case KCHAN_KIND_MUTEX:
	case KCHAN_KIND_RWMUTEX:
	case KCHAN_KIND_ONCE:
	case KCHAN_KIND_COND:
	case KCHAN_KIND_TIMER:
	case KCHAN_KIND_CANCEL:
		good = !limit;
		break;
	default:
		good = false;
	}
	if (!good)
		allow(&c->v, -EINVAL);
}

static void check_parent(struct call_of *c)
{
	int place = c->s->f[PARENT];
	const struct m_file *f = file_at(c->m, place);

	if (!(c->s->f[FLAGS] & KCHAN_CHILD)) {
		if (place)
			allow(&c->v, -EINVAL);
	} else if (!f || object_at(c->m, place)->kind != KCHAN_KIND_CANCEL) {
		allow(&c->v, -EBADF);
		allow(&c->v, -EINVAL);
	} else if (!(f->rights & KCHAN_RIGHT_RECV)) {
		allow(&c->v, -EBADF);
	}
}

static void begin_cancel(struct call_of *c, int object)
{
	struct m_object *o = &c->m->objects[object];
	const struct m_object *parent;

	if (c->s->f[FLAGS] & KCHAN_CHILD) {
		o->parent = file_at(c->m, c->s->f[PARENT])->object;
		parent = &c->m->objects[o->parent];
		if (parent->cancelled)
			cancel_object(c->m, object, parent->cause);
	}
	if (is_past(c->s->f[FLAGS], c->s->f[DEADLINE]))
		cancel_object(c->m, object, ETIMEDOUT);
}

static const char *create(struct call_of *c)
{
	bool cancel = (__u32)c->s->f[KIND] == KCHAN_KIND_CANCEL;
	struct m_object *o;
	const char *why;
	int object;

	knows_call(c, DEVICE);
	check_struct(c->s, sizeof(struct kchan_create), sizeof(struct kchan_create), true, false,
		     &c->v);
	check_flags(c->s->f[FLAGS], KCHAN_NONBLOCK |
		    (cancel ? KCHAN_CHILD | TIMER_FLAGS : 0), &c->v);
	check_deadline(c->s->f[FLAGS], c->s->f[DEADLINE], &c->v);
	check_limit(c);
	check_parent(c);
	if (c->v.nr)
		return refused(c);
	object = add_object(c->m, c->s->f[KIND]);
	o = &c->m->objects[object];
	if (o->kind == KCHAN_KIND_CELLS) {
		o->cells = c->s->f[LIMIT];
		o->values = calloc(o->cells, sizeof(*o->values));
	}
	o->limit = is_count(o) ? c->s->f[LIMIT] : 0;
	why = made(c, object, BOTH);
	if (!why && cancel && !c->s->f[FULL])
		begin_cancel(c, object);
	return why;
}

static const char *restrict_handle(struct call_of *c)
{
	__u32 rights = c->s->f[RIGHTS];

	knows_call(c, OBJECT);
	check_struct(c->s, sizeof(struct kchan_restrict), sizeof(struct kchan_restrict), true,
		     false, &c->v);
	check_flags(c->s->f[FLAGS], KCHAN_NONBLOCK, &c->v);
	if (!rights || rights & ~BOTH || (__u32)c->s->f[RESERVED])
		allow(&c->v, -EINVAL);
	if (c->f && rights & BOTH & ~c->f->rights)
		allow(&c->v, -EBADF);
	if (c->v.nr)
		return refused(c);
	return made(c, c->f->object, rights);
}

static const char *token(struct call_of *c)
{
	__s64 units = c->s->f[VALUE];
	const char *why;
	int object;

	if (c->o->kind == KCHAN_KIND_WAITGROUP)
		need_right(c, KCHAN_RIGHT_SEND);
	else
		need_right(c, KCHAN_RIGHT_RECV);
	if (units < 1 || (__u64)units > c->o->taken - c->o->in_tokens)
		allow(&c->v, -EINVAL);
	if (c->v.nr)
		return refused(c);
	object = add_object(c->m, KCHAN_KIND_TOKEN);
	why = made(c, object, BOTH);
	if (why || c->s->f[FULL])
		return why;
	c->m->objects[object].units = units;
	c->m->objects[object].of = c->f->object;
	c->o->in_tokens += units;
	return NULL;
}

/* ---- messages ---- */

void has_to_wait(struct call_of *c, const struct m_op *op, const struct m_file *f)
{
	allow(&c->v, why_not(c->s, f));
	op_has_trouble(c->m, op, &c->v);
}

bool is_in_trouble(struct call_of *c, const struct m_op *op)
{
	if (!op_has_trouble(c->m, op, &c->v))
		return false;
	if (op->op == KCHAN_OP_SEND && (op->obj->closed || !op->obj->receivers))
		allow(&c->v, -EPIPE);
	return true;
}

static const char *do_message(struct call_of *c, const struct m_op *op)
{
	bool at_end, sends = op->op == KCHAN_OP_SEND;
	struct m_message message = message_of(c->m, op, c->who);
	const char *why;
	__u64 value;
	long ret;

	if (!op_ready(op)) {
		has_to_wait(c, op, c->f);
		return failed(&c->v, c->r);
	}
	if (is_in_trouble(c, op))
		return failed(&c->v, c->r);
	ret = op_do(c->m, op, c->who, &message, &value);
	at_end = !sends && !ret;
	/* read(2) and write(2) tell the length. */
	allow(&c->v, ret < 0 || c->s->call == SEND || c->s->call == RECV ? ret :
		     at_end ? 0 : c->o->elem_size);
	why = judge(&c->v, c->r->ret);
	if (why || sends || (at_end && c->s->call == READ))
		return why;
	why = check_received(op, ret, &message, &c->r->buffers[0]);
	if (why)
		return why;
	expect_cargo(c->m, &message);
	return check_cargo(c->m, op, ret, &message, &c->r->cargo[0]);
}

static const char *message(struct call_of *c)
{
	struct m_op op = op_at(c->m, c->s, c->s->call == SEND ? KCHAN_OP_SEND : KCHAN_OP_RECV);

	check_struct(c->s, MSG_V1, sizeof(struct kchan_msg), true, false, &c->v);
	check_flags(c->s->f[FLAGS], WAIT_FLAGS, &c->v);
	check_deadline(c->s->f[FLAGS], c->s->f[DEADLINE], &c->v);
	if ((__u32)c->s->f[RESERVED])
		allow(&c->v, -EINVAL);
	op.index = op.arg = 0;
	if (knows_call(c, K(CHAN)))
		op_check(c->m, &op, c->who, &c->v);
	return c->v.nr ? failed(&c->v, c->r) : do_message(c, &op);
}

static void check_read_or_write(struct call_of *c, const struct m_op *op)
{
	if (!c->f) {
		allow(&c->v, c->place ? -EBADF : -EINVAL);
		return;
	}
	if (c->o->kind != KCHAN_KIND_CHAN || !c->o->elem_size || c->o->handles)
		allow(&c->v, -EINVAL);
	else if (c->s->call == READ ? op->len < c->o->elem_size : op->len != c->o->elem_size)
		allow(&c->v, -EMSGSIZE);
	need_right(c, op->op == KCHAN_OP_SEND ? KCHAN_RIGHT_SEND : KCHAN_RIGHT_RECV);
	if (c->v.nr && c->s->f[MEM] != GOOD)
		allow(&c->v, -EFAULT);
}

static const char *read_or_write(struct call_of *c)
{
	struct m_op op = op_at(c->m, c->s, c->s->call == WRITE ? KCHAN_OP_SEND : KCHAN_OP_RECV);

	check_read_or_write(c, &op);
	return c->v.nr ? failed(&c->v, c->r) : do_message(c, &op);
}

static const char *close_chan(struct call_of *c)
{
	if (knows_call(c, K(CHAN)))
		need_right(c, KCHAN_RIGHT_SEND);
	if (!c->v.nr && c->o->closed && !mistaken("close-twice-is-good"))
		allow(&c->v, -EALREADY);
	if (c->v.nr)
		return failed(&c->v, c->r);
	c->o->closed = true;
	allow(&c->v, 0);
	return judge(&c->v, c->r->ret);
}

static const char *close_with(struct call_of *c)
{
	__s64 cause = c->s->f[VALUE];
	const char *why;

	if (cause < 1 || cause > KCHAN_MAX_ERRNO)
		allow(&c->v, -EINVAL);
	why = close_chan(c);
	if (!why && !c->r->ret && !mistaken("no-cause"))
		c->o->cause = cause;
	return why;
}

/* ---- one operation that may wait ---- */

static void check_wait(struct call_of *c, struct m_op *op)
{
	check_struct(c->s, sizeof(struct kchan_wait), sizeof(struct kchan_wait), true, true,
		     &c->v);
	check_flags(c->s->f[FLAGS], WAIT_FLAGS, &c->v);
	check_deadline(c->s->f[FLAGS], c->s->f[DEADLINE], &c->v);
	if (op->op == KCHAN_OP_SEND || op->op == KCHAN_OP_RECV)
		allow(&c->v, -EINVAL);
	if (knows_call(c, OBJECT))
		op_check(c->m, op, c->who, &c->v);
}

static const char *wait_op(struct call_of *c)
{
	struct m_op op = op_at(c->m, c->s, c->s->f[OP]);
	const char *why;
	__u64 value;
	long ret;

	check_wait(c, &op);
	if (c->v.nr)
		return failed(&c->v, c->r);
	if (!op_ready(&op)) {
		has_to_wait(c, &op, c->f);
		if (op.op == KCHAN_OP_COND)
			give_lock_back(c->m, &op);
		return failed(&c->v, c->r);
	}
	ret = op_do(c->m, &op, c->who, NULL, &value);
	allow(&c->v, ret);
	why = judge(&c->v, c->r->ret);
	if (!why && ret < 0 && ret != -EOWNERDEAD)
		value = UNTOUCHED;
	if (!why && c->r->value != value)
		why = wrong("left the value %llu instead of %llu", c->r->value, value);
	return why;
}

/* ---- the calls with a number ---- */

static const char *done_of_count(struct call_of *c)
{
	__s64 units = c->s->f[VALUE];

	if (units < 1)
		allow(&c->v, -EINVAL);
	else if ((__u64)units > c->o->taken - c->o->in_tokens)
		allow(&c->v, c->o->kind == KCHAN_KIND_WAITGROUP ? -EINVAL : -EOVERFLOW);
	if (c->v.nr)
		return failed(&c->v, c->r);
	c->o->taken -= units;
	allow(&c->v, 0);
	return judge(&c->v, c->r->ret);
}

static const char *done(struct call_of *c)
{
	need_right(c, KCHAN_RIGHT_SEND);
	if (is_count(c->o))
		return done_of_count(c);
	if (c->s->f[VALUE])
		allow(&c->v, -EINVAL);
	if (c->o->kind == KCHAN_KIND_ONCE && c->o->holder != c->who)
		allow(&c->v, -EPERM);
	if (c->v.nr)
		return failed(&c->v, c->r);
	if (c->o->kind == KCHAN_KIND_TOKEN && !c->o->done)
		give_back_units(c->m, c->o, false);
	c->o->done = true;
	c->o->holder = NOBODY_HOLDS;
	c->o->ownerdead = false;
	allow(&c->v, 0);
	return judge(&c->v, c->r->ret);
}

static const char *unlock(struct call_of *c)
{
	bool shared = c->o->kind == KCHAN_KIND_RWMUTEX && c->s->f[VALUE] == KCHAN_OP_RLOCK;

	if (c->s->f[VALUE] != KCHAN_OP_LOCK && !shared)
		allow(&c->v, -EINVAL);
	need_right(c, shared ? KCHAN_RIGHT_RECV : KCHAN_RIGHT_SEND);
	if (shared ? !c->o->readers[c->who] : c->o->holder != c->who)
		allow(&c->v, -EPERM);
	if (c->v.nr)
		return failed(&c->v, c->r);
	if (shared)
		c->o->readers[c->who]--;
	else
		unlock_object(c->o);
	allow(&c->v, 0);
	return judge(&c->v, c->r->ret);
}

static const char *consistent(struct call_of *c)
{
	need_right(c, KCHAN_RIGHT_SEND);
	if (c->s->f[VALUE] || !c->o->ownerdead)
		allow(&c->v, -EINVAL);
	if (c->o->holder != c->who)
		allow(&c->v, -EPERM);
	if (c->v.nr)
		return failed(&c->v, c->r);
	c->o->ownerdead = false;
	allow(&c->v, 0);
	return judge(&c->v, c->r->ret);
}

static const char *signal_call(struct call_of *c)
{
	__s64 value = c->s->f[VALUE];

	need_right(c, KCHAN_RIGHT_SEND);
	if (c->o->kind == KCHAN_KIND_COND ? value < 1 : value < 0 || (__u64)value >= c->o->cells)
		allow(&c->v, -EINVAL);
	if (c->v.nr)
		return failed(&c->v, c->r);
	allow(&c->v, wake_peers(c->m, c->o, value));
	return judge(&c->v, c->r->ret);
}

static const char *cancel(struct call_of *c)
{
	__s64 cause = c->s->f[VALUE];
	bool before = c->o->cancelled;

	need_right(c, KCHAN_RIGHT_SEND);
	if (cause < 0 || cause > KCHAN_MAX_ERRNO)
		allow(&c->v, -EINVAL);
	if (c->v.nr)
		return failed(&c->v, c->r);
	cancel_object(c->m, c->f->object, cause ? cause : ECANCELED);
	if (mistaken("cause-changes"))
		c->o->cause = cause ? cause : ECANCELED;
	allow(&c->v, before ? 0 : 1);
	return judge(&c->v, c->r->ret);
}

static const char *number_call(struct call_of *c)
{
	static const struct {
		__u32 kinds;
		const char *(*judge)(struct call_of *c);
	} calls[NR_CALLS] = {
		[CLOSE_WITH] = { K(CHAN), close_with },
		[DONE] = { K(WAITGROUP) | K(SEMAPHORE) | K(TOKEN) | K(ONCE), done },
		[TOKEN] = { K(WAITGROUP) | K(SEMAPHORE), token },
		[UNLOCK] = { K(MUTEX) | K(RWMUTEX) | K(ONCE), unlock },
		[CONSISTENT] = { K(MUTEX) | K(RWMUTEX), consistent },
		[SIGNAL] = { K(COND) | K(CELLS), signal_call },
		[CANCEL] = { K(CANCEL), cancel },
	};

	check_struct(c->s, sizeof(struct kchan_arg), sizeof(struct kchan_arg), true, false,
		     &c->v);
	check_flags(c->s->f[FLAGS], 0, &c->v);
	if (!knows_call(c, calls[c->s->call].kinds))
		return refused(c);
	return calls[c->s->call].judge(c);
}

/* ---- timers ---- */

/* A period that no run sees twice, on any clock. */
#define NEVER_AGAIN 4000000000000000000ll

static void set_timer(struct m_object *o, const struct step *s)
{
	__s64 period = s->f[PERIOD];

	o->ticks = is_past(s->f[FLAGS], s->f[DEADLINE]) ? 1 : 0;
	o->running = s->f[FLAGS] && s->f[DEADLINE] != INT64_MAX && (!o->ticks || period);
	o->many_ticks = o->ticks && period && period < NEVER_AGAIN;
}

static const char *timer(struct call_of *c)
{
	bool had;

	check_struct(c->s, sizeof(struct kchan_timer), sizeof(struct kchan_timer), true, false,
		     &c->v);
	check_flags(c->s->f[FLAGS], TIMER_FLAGS, &c->v);
	check_deadline(c->s->f[FLAGS], c->s->f[DEADLINE], &c->v);
	if ((__s64)c->s->f[PERIOD] < 0 || (!c->s->f[FLAGS] && c->s->f[PERIOD]))
		allow(&c->v, -EINVAL);
	if (knows_call(c, K(TIMER)))
		need_right(c, KCHAN_RIGHT_SEND);
	if (c->v.nr)
		return failed(&c->v, c->r);
	had = c->o->ticks || c->o->running;
	set_timer(c->o, c->s);
	allow(&c->v, had);
	return judge(&c->v, c->r->ret);
}

/* ---- what is given out ---- */

static const char *check_out(struct call_of *c, const void *is, __u32 size)
{
	__u32 claimed = c->s->f[SIZE] == RIGHT ? size : (__u32)c->s->f[SIZE];
	__u32 known = claimed < size ? claimed : size;
	__u8 expected[OUT_BYTES];

	allow(&c->v, 0);
	memset(expected, POISON_BYTE, sizeof(expected));
	memset(expected, 0, claimed < OUT_BYTES ? claimed : OUT_BYTES);
	memcpy(expected, is, known);
	memcpy(expected, &claimed, sizeof(claimed));
	if (c->r->ret || (c->s->f[AT] == GOOD && claimed <= OUT_BYTES - MARGIN &&
			  memcmp(expected, c->r->out, OUT_BYTES - MARGIN)))
		return c->r->ret ? judge(&c->v, c->r->ret) : "gave out something wrong";
	return NULL;
}

static const char *stat_call(struct call_of *c)
{
	struct kchan_stat is;

	check_struct(c->s, STAT_V1, sizeof(is), false, true, &c->v);
	knows_call(c, OBJECT);
	if (c->v.nr)
		return judge(&c->v, c->r->ret);
	model_stat(c->m, c->place, &is);
	return check_out(c, &is, sizeof(is));
}

static const char *features(struct call_of *c)
{
	struct kchan_features is;

	check_struct(c->s, sizeof(is), sizeof(is), false, true, &c->v);
	knows_call(c, DEVICE);
	if (c->v.nr)
		return judge(&c->v, c->r->ret);
	/* The limits of users are settings: any will do. */
	memcpy(&is, c->r->out, sizeof(is));
	is.abi_version = KCHAN_ABI_VERSION;
	is.features = KCHAN_FEATURE_CHAN | KCHAN_FEATURE_SELECT | KCHAN_FEATURE_SYNC |
		      KCHAN_FEATURE_POLICY | KCHAN_FEATURE_BATCH | KCHAN_FEATURE_CALL |
		      KCHAN_FEATURE_CARGO | KCHAN_FEATURE_WATCH;
	is.max_elem_size = KCHAN_MAX_ELEM_SIZE;
	is.max_capacity = KCHAN_MAX_CAPACITY;
	is.reserved = 0;
	return check_out(c, &is, sizeof(is));
}

/* ---- files and memory ---- */

/* Through a socket, and back: in between it is in nobody's table. */
static void pass(struct model *m, int place)
{
	int file = m->place[place];

	m->files[file].refs++;
	drop_place(m, place);
	m->place[place] = file;
}

static const char *file_call(struct call_of *c)
{
	switch (c->s->call) {
	case CLOSE:
		drop_place(c->m, c->place);
		break;
	case PASS:
		pass(c->m, c->place);
		break;
	case SET_NONBLOCK:
		c->f->nonblock = c->s->f[VALUE];
		break;
	default:
		break;
	}
	allow(&c->v, 0);
	return judge(&c->v, c->r->ret);
}

static const char *dup_call(struct call_of *c)
{
	if (!c->f) {
		allow(&c->v, -EBADF);
		return judge(&c->v, c->r->ret);
	}
	if (c->r->ret < 0)
		return wrong("returned %s instead of a new handle", show_result(c->r->ret));
	c->m->place[c->s->f[TO]] = c->m->place[c->place];
	c->f->refs++;
	if (mistaken("dup-is-a-handle"))
		c->f->refs--;
	return NULL;
}

static bool may_be_mapped(const struct call_of *c)
{
	__u64 len = c->s->f[LEN] == RIGHT ? PAGE : c->s->f[LEN];
	__u64 bytes, rights = KCHAN_RIGHT_RECV | (c->s->f[RIGHTS] & KCHAN_RIGHT_SEND);

	if (!c->o || c->o->kind != KCHAN_KIND_CELLS || rights & ~c->f->rights)
		return false;
	bytes = c->o->cells * sizeof(struct kchan_cell);
	return !c->s->f[FLAGS] && !c->s->f[INDEX] && len &&
	       len <= (bytes + PAGE - 1) / PAGE * PAGE;
}

static const char *map_call(struct call_of *c)
{
	int to = c->s->f[TO];

	if (!may_be_mapped(c))
		return c->r->ret < 0 ? NULL : "was mapped, and must not be";
	allow(&c->v, 0);
	if (!c->r->ret) {
		c->m->mapping[to] = c->m->place[c->place];
		c->m->writable[to] = c->s->f[RIGHTS] & KCHAN_RIGHT_SEND;
		c->f->refs++;
	}
	return judge(&c->v, c->r->ret);
}

static const char *unmap_call(struct call_of *c)
{
	drop_file(c->m, c->m->mapping[c->s->f[TO]]);
	c->m->mapping[c->s->f[TO]] = NONE;
	return NULL;
}

static const char *store_call(struct call_of *c)
{
	const struct m_file *f = &c->m->files[c->m->mapping[c->s->f[TO]]];
	__u64 *value = &c->m->objects[f->object].values[c->s->f[INDEX]], before = *value;

	*value = c->s->f[ARG];
	if (c->r->ret)
		return wrong("the cell says that %ld wait", c->r->ret);
	if (c->r->value != before)
		return wrong("the cell held %llu, not %llu", c->r->value, before);
	return NULL;
}

static const char *peer_call(struct call_of *c)
{
	if (c->s->call == PARK)
		park_in_model(c->m, c->s);
	else
		unpark_in_model(c->m, c->s);
	return c->r->ret ? "a peer did not hear a signal" : NULL;
}

static const char *unknown_call(struct call_of *c)
{
	knows_call(c, 0);
	return failed(&c->v, c->r);
}

/* ---- all of them ---- */

static struct call_of call_of(const struct model *m, const struct step *s, enum process who,
			      const struct result *r)
{
	int place = s->f[ON];

	return (struct call_of){
		.m = (struct model *)m, .s = s, .place = place, .f = file_at(m, place),
		.o = object_at(m, place), .who = who, .r = r,
	};
}

const char *model_call(struct model *m, const struct step *s, enum process who,
		       const struct result *r)
{
	static const char *(*const calls[NR_CALLS])(struct call_of *c) = {
		[CREATE_CHAN] = create_chan, [CREATE] = create, [RESTRICT] = restrict_handle,
		[DUP] = dup_call, [CLOSE] = file_call, [PASS] = file_call,
		[SET_NONBLOCK] = file_call, [SEND] = message, [RECV] = message,
		[WRITE] = read_or_write, [READ] = read_or_write, [SEND_BATCH] = batch,
		[RECV_BATCH] = batch, [CALL] = request_and_answer, [CLOSE_CHAN] = close_chan,
		[CLOSE_WITH] = number_call,
		[WAIT] = wait_op, [DONE] = number_call, [TOKEN] = number_call,
		[UNLOCK] = number_call, [CONSISTENT] = number_call, [SIGNAL] = number_call,
		[CANCEL] = number_call, [TIMER] = timer, [WATCH] = watch, [STAT] = stat_call,
		[FEATURES] = features, [MAP] = map_call, [UNMAP] = unmap_call,
		[STORE] = store_call, [UNKNOWN] = unknown_call, [PARK] = peer_call,
		[UNPARK] = peer_call,
	};
	struct call_of c = call_of(m, s, who, r);

	return calls[s->call](&c);
}

/* Would it wait, with nobody there to end that?  Or does nobody know? */
bool call_would_wait(const struct model *m, const struct step *s, enum process who)
{
	struct call_of c = call_of(m, s, who, NULL);
	struct m_op op;

	switch (s->call) {
	case SEND:
	case RECV:
		op = op_at(m, s, s->call == SEND ? KCHAN_OP_SEND : KCHAN_OP_RECV);
		if (cargo_is_left_out(&op, who))
			return true;
		break;
	case WRITE:
	case READ:
		op = op_at(m, s, s->call == WRITE ? KCHAN_OP_SEND : KCHAN_OP_RECV);
		return c.o ? c.o->kind == KCHAN_KIND_CHAN && !op_ready(&op) && !c.f->nonblock
			   : c.place == 1;
	case SEND_BATCH:
	case RECV_BATCH:
		return batch_would_wait(&c);
	case CALL:
		return answer_would_wait(&c);
	case WAIT:
		op = op_at(m, s, s->f[OP]);
		check_wait(&c, &op);
		return op_is_unsure(&op) ||
		       (!c.v.nr && !op_ready(&op) && !never_waits(s, c.f));
	case STAT:
		return c.o && c.o->many_ticks;
	case TIMER:
		/* A peer takes the first tick, and soon the next. */
		return c.o && first_peer(c.o, KCHAN_OP_TICK) && s->f[PERIOD] &&
		       is_past(s->f[FLAGS], s->f[DEADLINE]);
	default:
		return false;
	}
	return c.o && c.o->kind == KCHAN_KIND_CHAN && !op_ready(&op) && !never_waits(s, c.f);
}
