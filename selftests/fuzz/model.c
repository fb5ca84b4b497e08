// SPDX-License-Identifier: GPL-2.0-only
/* The model's state, and what all its calls share; see model.h. */

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* ---- mistakes, to test the fuzzer itself ---- */

const char *const mistakes[] = {
	"capacity-one-more", "newest-first", "close-twice-is-good", "reader-beside-writer",
	"abandoned-not-counted", "cause-changes", "in-order-is-any-order", "dup-is-a-handle",
	"tick-stays", "dead-holder-unnoticed", "poll-never-out", "oldest-stays",
	"dropped-not-counted", "batch-stops-early", "call-forgets", "no-cause", "handles-vanish",
	"child-is-us", "any-depth", "notice-for-each-number", "watch-keeps-nothing", NULL
};

static const char *mistake = "";

bool make_mistake(const char *name)
{
	for (int i = 0; mistakes[i]; i++) {
		if (!strcmp(mistakes[i], name)) {
			mistake = mistakes[i];
			return true;
		}
	}
	mistake = "";
	return !*name;
}

bool mistaken(const char *name)
{
	return !strcmp(mistake, name);
}

/* ---- verdicts ---- */

const char *wrong(const char *format, ...)
{
	static char text[1000];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return text;
}

void allow(struct verdict *v, long ret)
{
	for (int i = 0; i < v->nr; i++)
		if (v->allowed[i] == ret)
			return;
	v->allowed[v->nr++] = ret;
}

const char *judge(const struct verdict *v, long ret)
{
	char list[400] = "";

	for (int i = 0; i < v->nr; i++) {
		if (v->allowed[i] == ret)
			return NULL;
		if (strlen(list) < sizeof(list) - 40) {
			strcat(list, i ? " or " : "");
			strcat(list, show_result(v->allowed[i]));
		}
	}
	return wrong("returned %s where %s is right", show_result(ret), list);
}

/* Something of the call was wrong: it fails, and leaves its struct alone. */
const char *failed(const struct verdict *v, const struct result *r)
{
	const char *why = judge(v, r->ret);

	if (!why && r->value != UNTOUCHED)
		why = wrong("failed with %s, and left a value", show_result(r->ret));
	return why;
}

/* ---- objects and handles ---- */

void model_init(struct model *m)
{
	memset(m->peers, 0, sizeof(m->peers));
	m->turns = 0;
	m->nr_objects = 0;
	m->nr_files = 0;
	m->nr_loose = 0;
	for (int i = 0; i < PLACES; i++)
		m->place[i] = m->mapping[i] = NONE;
}

void model_free(struct model *m)
{
	for (int i = 0; i < m->nr_objects; i++) {
		free(m->objects[i].values);
		free(m->objects[i].messages);
	}
}

struct m_file *file_at(const struct model *m, int place)
{
	int file = m->place[place];

	return file == NONE ? NULL : (struct m_file *)&m->files[file];
}

struct m_object *object_at(const struct model *m, int place)
{
	struct m_file *f = file_at(m, place);

	return f ? (struct m_object *)&m->objects[f->object] : NULL;
}

bool is_lock(const struct m_object *o)
{
	return o->kind == KCHAN_KIND_MUTEX || o->kind == KCHAN_KIND_RWMUTEX;
}

bool is_count(const struct m_object *o)
{
	return o->kind == KCHAN_KIND_WAITGROUP || o->kind == KCHAN_KIND_SEMAPHORE;
}

int add_object(struct model *m, __u32 kind)
{
	struct m_object *o = &m->objects[m->nr_objects];

	memset(o, 0, sizeof(*o));
	o->model = m;
	o->kind = kind;
	o->of = o->parent = o->told = NONE;
	return m->nr_objects++;
}

void add_handle(struct model *m, int place, int object, __u32 rights, bool nonblock)
{
	struct m_object *o = &m->objects[object];

	m->files[m->nr_files] = (struct m_file){ object, rights, nonblock, 1 };
	m->place[place] = m->nr_files++;
	o->senders += rights & KCHAN_RIGHT_SEND ? 1 : 0;
	o->receivers += rights & KCHAN_RIGHT_RECV ? 1 : 0;
}

static bool is_alive(const struct m_object *o)
{
	return o->senders || o->receivers;
}

__u64 children_of(const struct model *m, const struct m_object *o)
{
	__u64 n = 0;

	for (int i = 0; i < m->nr_objects; i++) {
		const struct m_object *child = &m->objects[i];

		if (child->parent != NONE && &m->objects[child->parent] == o &&
		    is_alive(child) && !child->cancelled)
			n++;
	}
	return n;
}

void cancel_object(struct model *m, int object, __u64 cause)
{
	struct m_object *o = &m->objects[object];

	if (o->cancelled)
		return;
	o->cancelled = true;
	o->cause = cause;
	for (int i = 0; i < m->nr_objects; i++)
		if (m->objects[i].parent == object && is_alive(&m->objects[i]))
			cancel_object(m, i, cause);
}

/* A token's units are done, or abandoned. */
void give_back_units(struct model *m, struct m_object *token, bool abandoned)
{
	struct m_object *o = &m->objects[token->of];

	o->taken -= token->units;
	o->in_tokens -= token->units;
	if (abandoned && !mistaken("abandoned-not-counted"))
		o->abandoned += token->units;
	token->units = 0;
	token->done = true;
}

static void last_sender_gone(struct model *m, int object)
{
	struct m_object *o = &m->objects[object];

	if (o->kind == KCHAN_KIND_CANCEL)
		cancel_object(m, object, EOWNERDEAD);
	if (o->kind == KCHAN_KIND_WAITGROUP) {
		o->abandoned += o->taken - o->in_tokens;
		o->taken = o->in_tokens;
	}
}

static void last_receiver_gone(struct model *m, struct m_object *o)
{
	/* What is let go of may come back to this very channel. */
	while (o->length)
		drop_cargo(m, &o->messages[--o->length]);
}

void drop_sender(struct model *m, int object)
{
	if (!--m->objects[object].senders)
		last_sender_gone(m, object);
}

/* Behind a token stands what its units are of, though that has no handles. */
static void last_handle_gone(struct model *m, struct m_object *o)
{
	if (o->kind == KCHAN_KIND_TOKEN && !o->done)
		give_back_units(m, o, true);
	if (is_closed_for_good(m, o))
		stop_watching(m, o);
	if (o->of != NONE && is_closed_for_good(m, &m->objects[o->of]))
		stop_watching(m, &m->objects[o->of]);
}

/* A file number, or a mapping, is gone. */
void drop_file(struct model *m, int file)
{
	struct m_file *f = &m->files[file];
	struct m_object *o = &m->objects[f->object];

	if (--f->refs)
		return;
	if (f->rights & KCHAN_RIGHT_RECV && !--o->receivers)
		last_receiver_gone(m, o);
	if (f->rights & KCHAN_RIGHT_SEND)
		drop_sender(m, f->object);
	if (!is_alive(o))
		last_handle_gone(m, o);
}

/* A process dies, or has no file number of the lock any more. */
void lose_locks(struct m_object *o, enum process who)
{
	o->readers[who] = 0;
	if (o->holder != who)
		return;
	o->holder = NOBODY_HOLDS;
	o->readers_next = true;
	if (!mistaken("dead-holder-unnoticed"))
		o->ownerdead = true;
}

static bool has_number(const struct model *m, const struct m_object *o)
{
	for (int i = FIRST_PLACE; i < PLACES; i++)
		if (object_at(m, i) == o)
			return true;
	for (int i = 0; i < m->nr_loose; i++)
		if (&m->objects[m->files[m->loose[i]].object] == o)
			return true;
	return false;
}

/* One that is in no place any more. */
void close_number(struct model *m, int file)
{
	struct m_object *o = &m->objects[m->files[file].object];

	tell_of_number(m, file);
	if (!has_number(m, o))
		lose_locks(o, US);
	drop_file(m, file);
}

void drop_place(struct model *m, int place)
{
	int file = m->place[place];

	m->place[place] = NONE;
	close_number(m, file);
}

/* ---- what can be wrong with any call ---- */

void check_flags(__u64 flags, __u64 known, struct verdict *v)
{
	if ((__u32)flags & ~known)
		allow(v, -EINVAL);
}

void check_deadline(__u64 flags, __s64 deadline, struct verdict *v)
{
	__u64 clocks = flags & (KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME);

	if (flags & KCHAN_DEADLINE ? deadline < 0 : deadline || clocks)
		allow(v, -EINVAL);
	if (clocks == (KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME))
		allow(v, -EINVAL);
}

__u32 claimed_size(const struct step *s, __u32 size)
{
	return s->f[SIZE] == RIGHT ? size : (__u32)s->f[SIZE];
}

/* A field that a shorter struct ends before, or in the middle of. */
__u32 as_far_as(const struct step *s, __u32 size, __u32 offset, __u32 value)
{
	__u32 claimed = claimed_size(s, size);

	if (claimed >= offset + sizeof(value))
		return value;
	return claimed <= offset ? 0 : value & ((1u << 8 * (claimed - offset)) - 1);
}

/* @first: its size in the first version, @size: now; is it read, is it written? */
void check_struct(const struct step *s, __u32 first, __u32 size, bool read, bool written,
		  struct verdict *v)
{
	__u32 claimed = claimed_size(s, size);
	/* Whose end is missing may say that it has none. */
	bool shorter = s->f[AT] == CUT && first < size && claimed < size;

	if (!shorter && (!can_be_read(s->f[AT]) || (written && !can_be_written(s->f[AT]))))
		allow(v, -EFAULT);
	if (claimed < first)
		allow(v, -EINVAL);
	if (claimed > PAGE)
		allow(v, -E2BIG);
	else if (read && s->f[TAIL] && claimed >= size + s->f[TAIL])
		allow(v, -E2BIG);
}

bool never_waits(const struct step *s, const struct m_file *f)
{
	return s->f[FLAGS] & KCHAN_NONBLOCK || (f && f->nonblock) ||
	       is_past(s->f[FLAGS], s->f[DEADLINE]);
}

long why_not(const struct step *s, const struct m_file *f)
{
	return s->f[FLAGS] & KCHAN_NONBLOCK || (f && f->nonblock) ? -EAGAIN : -ETIMEDOUT;
}

/* ---- what an object shows ---- */

static __u32 model_state(const struct m_object *o)
{
	return (o->closed ? KCHAN_STATE_CLOSED : 0) |
	       (o->senders ? 0 : KCHAN_STATE_NO_SENDERS) |
	       (o->receivers ? 0 : KCHAN_STATE_NO_RECEIVERS) |
	       (o->holder ? KCHAN_STATE_LOCKED : 0) |
	       (o->ownerdead ? KCHAN_STATE_OWNERDEAD : 0) |
	       (o->notrecoverable ? KCHAN_STATE_NOTRECOVERABLE : 0) |
	       (o->done ? KCHAN_STATE_DONE : 0) |
	       (o->running ? KCHAN_STATE_RUNNING : 0) |
	       (o->cancelled ? KCHAN_STATE_CANCELLED : 0) |
	       (o->stamped ? KCHAN_STATE_STAMPED : 0);
}

static __u64 model_length(const struct model *m, const struct m_object *o)
{
	switch (o->kind) {
	case KCHAN_KIND_CHAN: return o->length;
	case KCHAN_KIND_WAITGROUP:
	case KCHAN_KIND_SEMAPHORE: return o->taken;
	case KCHAN_KIND_TOKEN: return o->units;
	case KCHAN_KIND_MUTEX: return o->holder ? 1 : 0;
	case KCHAN_KIND_RWMUTEX: return o->readers[US] + o->readers[A_CHILD];
	case KCHAN_KIND_TIMER: return o->ticks;
	case KCHAN_KIND_CANCEL: return children_of(m, o);
	default: return 0;
	}
}

void model_stat(const struct model *m, int place, struct kchan_stat *stat)
{
	const struct m_object *o = object_at(m, place);

	*stat = (struct kchan_stat){
		.size = sizeof(*stat),
		.kind = o->kind,
		.id = o->id,
		.rights = file_at(m, place)->rights,
		.state = model_state(o),
		.elem_size = o->elem_size,
		.policy = o->policy,
		.dropped = o->dropped,
		.handles = o->handles,
		.depth = o->depth,
		.capacity = o->kind == KCHAN_KIND_CHAN ? o->capacity :
			    is_count(o) ? o->limit : o->cells,
		.length = model_length(m, o),
		.waiting_senders = waiting_with(o, KCHAN_RIGHT_SEND),
		.waiting_receivers = waiting_with(o, KCHAN_RIGHT_RECV),
		.value = o->kind == KCHAN_KIND_CANCEL || o->kind == KCHAN_KIND_CHAN ? o->cause :
			 o->abandoned,
	};
}

/* An object's number is learnt when it is first seen; no other may have it. */
static const char *learn_id(struct model *m, struct m_object *o, __u64 id)
{
	if (o->id)
		return NULL;
	for (int i = 0; i < m->nr_objects; i++)
		if (m->objects[i].id == id)
			return wrong("two objects have the number %llu", id);
	o->id = id;
	return NULL;
}

/* A timer that ticks on is as far as it says, but never goes back. */
static void follow_ticks(struct m_object *o, __u64 ticks)
{
	if (o->many_ticks && ticks > o->ticks)
		o->ticks = ticks;
}

const char *model_check_stat(struct model *m, int place, const struct kchan_stat *seen)
{
	struct m_object *o = object_at(m, place);
	struct kchan_stat is;
	const char *why = learn_id(m, o, seen->id);

	if (why)
		return why;
	follow_ticks(o, seen->length);
	model_stat(m, place, &is);
	if (!memcmp(&is, seen, sizeof(is)))
		return NULL;
#define DIFFERS_IN(field) do {						\
	if (is.field != seen->field)					\
		return wrong("h%d: stat says " #field " is %#llx, not %#llx", place,	\
			     (__u64)seen->field, (__u64)is.field);	\
} while (0)
	DIFFERS_IN(kind);
	DIFFERS_IN(id);
	DIFFERS_IN(rights);
	DIFFERS_IN(state);
	DIFFERS_IN(elem_size);
	DIFFERS_IN(policy);
	DIFFERS_IN(capacity);
	DIFFERS_IN(length);
	DIFFERS_IN(waiting_senders);
	DIFFERS_IN(waiting_receivers);
	DIFFERS_IN(value);
	DIFFERS_IN(dropped);
	DIFFERS_IN(handles);
	DIFFERS_IN(depth);
	return wrong("h%d: stat changed its size", place);
}

#define POLL_IN		(POLLIN | POLLRDNORM)
#define POLL_OUT	(POLLOUT | POLLWRNORM)
#define POLL_HUP	(POLLHUP | POLLRDHUP)

static short channel_events(const struct m_object *o)
{
	bool broken = o->closed || !o->receivers, ended = o->closed || !o->senders;

	bool readable = o->length || ended || first_peer(o, KCHAN_OP_SEND);
	bool writable = o->length < o->capacity || broken || first_peer(o, KCHAN_OP_RECV) ||
			o->policy != KCHAN_POLICY_BLOCK;

	return (readable ? POLL_IN : 0) | (ended ? POLL_HUP : 0) | (writable ? POLL_OUT : 0) |
	       (broken ? POLLERR : 0);
}

static short events(const struct m_object *o)
{
	bool readable = false, writable = false, adders = first_peer(o, KCHAN_OP_ADD);

	switch (o->kind) {
	case KCHAN_KIND_CHAN:
		return channel_events(o);
	case KCHAN_KIND_WAITGROUP:
		readable = !o->taken;
		writable = !o->limit || (o->taken < o->limit && !adders);
		break;
	case KCHAN_KIND_SEMAPHORE:
		readable = o->taken < o->limit && !adders;
		writable = !o->taken;
		break;
	case KCHAN_KIND_MUTEX:
	case KCHAN_KIND_RWMUTEX:
	case KCHAN_KIND_ONCE:
		readable = o->kind == KCHAN_KIND_RWMUTEX &&
			   (o->notrecoverable || (!o->holder && !first_peer(o, KCHAN_OP_LOCK)));
		writable = o->done || o->notrecoverable ||
			   (!o->holder && !o->readers[US] && !o->readers[A_CHILD]);
		break;
	case KCHAN_KIND_TIMER:
		readable = o->ticks;
		break;
	case KCHAN_KIND_CELLS:
		readable = writable = true;
		break;
	case KCHAN_KIND_CANCEL:
		readable = o->cancelled;
		break;
	}
	return (readable ? POLL_IN : 0) | (writable ? POLL_OUT : 0);
}

short model_poll(const struct model *m, int place)
{
	const struct m_file *f = file_at(m, place);
	short mask = 0;

	if (f->rights & KCHAN_RIGHT_RECV)
		mask |= POLL_IN | POLL_HUP;
	if (f->rights & KCHAN_RIGHT_SEND && !mistaken("poll-never-out"))
		mask |= POLL_OUT | POLLERR;
	return events(object_at(m, place)) & mask;
}

/* ---- a step ---- */

static enum process caller(const struct step *s)
{
	return by_child(s) ? A_CHILD : US;
}

/*
 * On its way a handle has no number.  Whether a lock that a peer gets just then
 * counts as closed meanwhile is chance.
 */
static bool is_awaited_lock(const struct model *m, const struct step *s)
{
	const struct m_object *o = object_at(m, s->f[ON]);

	if (!o || (!is_lock(o) && o->kind != KCHAN_KIND_ONCE))
		return false;
	for (int i = 0; i < PEERS; i++)
		if (m->peers[i].parked && m->peers[i].op.obj == o)
			return true;
	return false;
}

static bool places_are_right(const struct model *m, const struct step *s)
{
	switch (s->call) {
	case CLOSE:
	case SET_NONBLOCK:
		return file_at(m, s->f[ON]);
	case PASS:
		return file_at(m, s->f[ON]) && !is_awaited_lock(m, s) && !s->f[FULL];
	case DUP:
		return s->f[ON] >= FIRST_PLACE && s->f[TO] >= FIRST_PLACE &&
		       !file_at(m, s->f[TO]) && !s->f[FULL];
	case MAP:
		return m->mapping[s->f[TO]] == NONE;
	case UNMAP:
	case STORE:
		return m->mapping[s->f[TO]] != NONE;
	case CASE:
		return false;
	case PARK:
		return !s->f[FULL] && may_park(m, s);
	case UNPARK:
		return m->peers[s->f[PEER]].parked;
	default:
		return !makes_handle(s) || (s->f[TO] >= FIRST_PLACE && !file_at(m, s->f[TO]));
	}
}

/* Bytes that a message's handles and its stamp may take at most. */
#define MOST_CARGO	1024

/* More than this machine has, or than the model can hold. */
static bool is_too_much(const struct model *m, const struct step *s)
{
	bool cargo = s->f[HANDLES] || s->f[FLAGS] & KCHAN_STAMPED;
	__u64 bytes = (s->f[ELEM_SIZE] + (cargo ? MOST_CARGO : 0)) * s->f[CAPACITY];

	if (s->call == CREATE_CHAN && s->f[CAPACITY] > 10000 &&
	    s->f[CAPACITY] <= KCHAN_MAX_CAPACITY && bytes <= KCHAN_MAX_BYTES)
		return true;
	if (s->call == CREATE_CHAN && s->f[ELEM_SIZE] <= KCHAN_MAX_ELEM_SIZE &&
	    bytes > 16 << 20 && s->f[ELEM_SIZE] * s->f[CAPACITY] <= KCHAN_MAX_BYTES)
		return true;
	return m->nr_objects == MAX_OBJECTS || m->nr_files == MAX_FILES;
}

static bool store_is_possible(const struct model *m, const struct step *s)
{
	int place = s->f[TO];
	const struct m_file *f = &m->files[m->mapping[place]];

	return m->writable[place] && s->f[INDEX] < m->objects[f->object].cells &&
	       s->f[INDEX] < PAGE / sizeof(struct kchan_cell);
}

bool model_leaves_out(struct model *m, const struct trace *t, unsigned int i)
{
	const struct step *s = &t->steps[i];

	if (!places_are_right(m, s) || is_too_much(m, s))
		return true;
	if (by_child(s) && child_has_much_to_tell(m, s))
		return true;
	if (s->call == STORE)
		return !store_is_possible(m, s);
	if (s->call == SELECT)
		return select_is_left_out(m, t, i, caller(s));
	return call_would_wait(m, s, caller(s));
}

const char *model_step(struct model *m, const struct trace *t, unsigned int i,
		       const struct result *r)
{
	const struct step *s = &t->steps[i];
	enum process who = caller(s);
	const char *why;

	m->child = r->child;
	if (r->struct_touched)
		return "the call's struct, or what surrounds it, has changed";
	for (unsigned int k = 0; k < r->nr_buffers; k++)
		if (!surroundings_untouched(&r->buffers[k]))
			return "the memory around a buffer has changed";
	why = s->call == SELECT ? model_select(m, t, i, who, r) : model_call(m, s, who, r);
	if (why)
		return why;
	settle(m);
	if (who == US)
		return NULL;
	tell_of_child(m);
	for (int k = 0; k < m->nr_objects; k++)
		lose_locks(&m->objects[k], A_CHILD);
	settle(m);
	return NULL;
}
