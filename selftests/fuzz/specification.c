// SPDX-License-Identifier: GPL-2.0-only
/* The rules of the objects; specification.h says what the steps are. */
#include <errno.h>
#include <string.h>

#include <linux/kchan.h>

#include "specification.h"

/*
 * The two queues of an object: of what takes the right to send, and to receive.  Who
 * wants a lock stands in the first, for reading, too: there it counts who came before.
 */
enum { SENDERS, RECEIVERS };

enum { NOBODY_ELSE = -1 };

static const struct call *call_of(const struct history *h, const struct state *s, int task)
{
	return &h->call[s->task[task].call];
}

static int process_of(const struct history *h, int task)
{
	return h->processes ? task : 0;
}

static int queue_of(const struct history *h, const struct action *a)
{
	bool group = h->object[a->object].kind == WAITGROUP;

	switch (a->verb) {
	case SEND:
	case LOCK:
	case RLOCK:
		return SENDERS;
	case ADD:
		return group ? SENDERS : RECEIVERS;
	case ZERO:
		return group ? RECEIVERS : SENDERS;
	default:
		return RECEIVERS;
	}
}

/* ---- queues ---- */

static int find_place(const struct queue *q, int place)
{
	for (int i = 0; i < q->length; i++)
		if (q->place[i] == place)
			return i;
	return -1;
}

static void take_out(struct queue *q, int i)
{
	q->length--;
	memmove(q->place + i, q->place + i + 1, q->length - i);
	q->place[q->length] = 0;
}

static bool has_entered(const struct history *h, const struct state *s, int task, int i)
{
	const struct action *a = &call_of(h, s, task)->does[i];

	return a->verb <= MAY_WAIT &&
	       find_place(&s->thing[a->object].queue[queue_of(h, a)],
			  task * MAX_CASES + i) >= 0;
}

/* The place of the first, but for the task itself, that is undecided. */
static int first_other(const struct state *s, const struct queue *q, int task)
{
	for (int i = 0; i < q->length; i++) {
		int other = q->place[i] / MAX_CASES;

		if (other != task && s->task[other].phase == OPEN)
			return q->place[i];
	}
	return NOBODY_ELSE;
}

/* ---- calls of several steps ---- */

/* The action that the call has come to, if it does any. */
static int next_action(const struct history *h, const struct state *s, int task)
{
	const struct call *c = call_of(h, s, task);

	switch (c->form) {
	case BATCH:
		return 0;
	case REQUEST:
		return s->task[task].done;
	default:
		return c->chosen;
	}
}

/* Whether it may wait for that: of what does not wait, only selects stand in queues. */
static bool may_wait(const struct history *h, const struct state *s, int task)
{
	const struct call *c = call_of(h, s, task);

	if (c->form == BATCH && s->task[task].done >= c->min)
		return false;
	return !is_try(c) || (c->form == SELECT && c->nr > 1);
}

/* Whether it says that it has received this, or, where that is nothing, been told it. */
static bool was_told(const struct call *c, int n, int value)
{
	int number = value & ~WITH_HANDLE;

	return c->value[n] == number && c->handle == (value & WITH_HANDLE ? number : 0);
}

/* One message of a batch.  What ends it is told only where it has moved none. */
static bool tell_batch(const struct call *c, struct doing *doing, int outcome, int value)
{
	bool moved = outcome == (c->does[0].verb == RECV);

	if (!moved) {
		doing->phase = DECIDED;
		return c->outcome == (doing->done ? doing->done : outcome);
	}
	if (c->outcome <= doing->done || !was_told(c, doing->done, value))
		return false;
	doing->done++;
	doing->phase = doing->done == c->max ? DECIDED : OPEN;
	return doing->phase == OPEN || c->outcome == c->max;
}

static bool tell_request(const struct call *c, struct doing *doing, int outcome, int value)
{
	if (!doing->done && !outcome) {
		doing->phase = OPEN;
		doing->done = true;
		return c->sent;
	}
	doing->phase = DECIDED;
	return c->sent == doing->done && c->outcome == outcome && was_told(c, 0, value);
}

/* Whether a select's case found that its channel has ended. */
static bool is_end(const struct call *c, int i, int outcome)
{
	return (c->does[i].verb == SEND && outcome == -EPIPE) ||
	       (c->does[i].verb == RECV && !outcome && !c->ready);
}

/* It may have been closed before this call returned. */
static bool may_get_cause(const struct history *h, const struct call *c, int object, int cause)
{
	for (int i = 0; i < h->calls; i++) {
		const struct call *other = &h->call[i];

		if (other->does[0].verb == CLOSE_WITH && other->does[0].object == object &&
		    other->does[0].number == cause && !other->outcome &&
		    other->invoked < c->responded)
			return true;
	}
	return false;
}

/* Only a select tells the cause; where handles were gone before, also that of a later close. */
static bool tells_cause(const struct history *h, const struct state *s, const struct call *c,
			int i)
{
	int object = c->does[i].object;
	const struct thing *t = &s->thing[object];

	return c->value[0] == t->cause ||
	       (!t->ended && may_get_cause(h, c, object, c->value[0]));
}

/* What a call's action came to: if that is what the history says. */
static bool tell(const struct history *h, struct state *s, int task, int i, int outcome,
		 int value)
{
	const struct call *c = call_of(h, s, task);
	struct doing *doing = &s->task[task];

	if (c->form == BATCH)
		return tell_batch(c, doing, outcome, value);
	if (c->form == REQUEST)
		return tell_request(c, doing, outcome, value);
	doing->phase = DECIDED;
	if (c->chosen != i || c->outcome != outcome)
		return false;
	return c->form == SELECT && is_end(c, i, outcome) ? tells_cause(h, s, c, i) :
	       was_told(c, 0, value);
}

/* ---- serving those who wait ---- */

/* Serves who stands there: if that is what the history says. */
static bool serve(const struct history *h, struct state *s, struct queue *q, int place,
		  int outcome, int value)
{
	int task = place / MAX_CASES;

	take_out(q, find_place(q, place));
	return tell(h, s, task, place % MAX_CASES, outcome, value);
}

static bool serve_all(const struct history *h, struct state *s, struct queue *q, int outcome,
		      int value)
{
	int place;

	while ((place = first_other(s, q, MAX_TASKS)) != NOBODY_ELSE)
		if (!serve(h, s, q, place, outcome, value))
			return false;
	return true;
}

/* ---- channels ---- */

static bool is_broken(const struct thing *t)
{
	return t->ended || !t->handles[1];
}

static bool is_drained(const struct thing *t)
{
	return (t->ended || !t->handles[0]) && !t->count && !t->in_hand;
}

static bool end_receivers(const struct history *h, struct state *s, struct thing *t)
{
	return !is_drained(t) || serve_all(h, s, &t->queue[RECEIVERS], 0, 0);
}

static int number_of(const struct history *h, const struct state *s, int place)
{
	int task = place / MAX_CASES;
	const struct call *c = call_of(h, s, task);

	return c->does[place % MAX_CASES].number + (c->form == BATCH ? s->task[task].done : 0);
}

static int message_of(const struct history *h, const struct state *s, int place)
{
	const struct call *c = call_of(h, s, place / MAX_CASES);
	bool carries = h->object[c->does[place % MAX_CASES].object].carries &&
		       c->form != BATCH && c->form != REQUEST;

	return number_of(h, s, place) | (carries ? WITH_HANDLE : 0);
}

/* Whether receivers may come to an end there. */
static bool may_end(const struct history *h, int object)
{
	for (int i = 0; i < h->calls; i++) {
		const struct action *a = &h->call[i].does[0];

		if (a->object == object && (a->verb == CLOSE || a->verb == CLOSE_WITH ||
					    a->verb == DROP_SEND))
			return true;
	}
	return !h->object[object].handles[0];
}

/*
 * Who does not wait has a message, but its handle, as soon as it is out of the channel.
 * Where no end can come, nobody can tell the difference.
 */
static void hand_over(const struct history *h, struct state *s, struct thing *t, int task)
{
	int object = t - s->thing;

	if ((!may_wait(h, s, task) && !h->object[object].carries) || !may_end(h, object))
		return;
	s->task[task].hand = object + 1;
	t->in_hand++;
}

/* Makes room for a message, or not. */
static bool discard(struct thing *t, int policy)
{
	int n = policy == KCHAN_POLICY_LATEST ? t->count : 1;

	t->dropped += n;
	if (policy == KCHAN_POLICY_DROP_NEWEST)
		return false;
	t->count -= n;
	memmove(t->buffer, t->buffer + n, t->count * sizeof(t->buffer[0]));
	memset(t->buffer + t->count, 0, n * sizeof(t->buffer[0]));
	return true;
}

/* To who waits, or into the buffer, where there is room or the policy makes some. */
static bool put_message(const struct history *h, struct state *s, struct thing *t, int task,
			int value)
{
	const struct object *o = &h->object[t - s->thing];
	int receiver = first_other(s, &t->queue[RECEIVERS], task);

	if (receiver != NOBODY_ELSE) {
		hand_over(h, s, t, receiver / MAX_CASES);
		return serve(h, s, &t->queue[RECEIVERS], receiver, 1, value);
	}
	if (o->policy && t->count == o->limit && !discard(t, o->policy))
		return true;
	t->buffer[t->count++] = value;
	return true;
}

static bool act_send(const struct history *h, struct state *s, struct thing *t, int task, int i)
{
	int value = message_of(h, s, task * MAX_CASES + i);

	if (is_broken(t))
		return tell(h, s, task, i, -EPIPE, 0);
	return tell(h, s, task, i, 0, 0) && put_message(h, s, t, task, value);
}

/* What would have to wait, or comes after the end, is not sent. */
static bool send_notice(const struct history *h, struct state *s, int object, int value)
{
	const struct object *o = &h->object[object];
	struct thing *t = &s->thing[object];
	bool waits = t->count == o->limit && !o->policy &&
		     first_other(s, &t->queue[RECEIVERS], MAX_TASKS) == NOBODY_ELSE;

	if (!waits && !is_broken(t))
		return put_message(h, s, t, MAX_TASKS, value);
	t->dropped++;
	return true;
}

/* The oldest message; the first sender that waits moves up into its room. */
static bool take_oldest(const struct history *h, struct state *s, struct thing *t, int sender,
			int *value)
{
	*value = t->buffer[0];
	memmove(t->buffer, t->buffer + 1, sizeof(t->buffer) - sizeof(t->buffer[0]));
	t->buffer[--t->count] = 0;
	if (sender == NOBODY_ELSE)
		return true;
	t->buffer[t->count++] = message_of(h, s, sender);
	return serve(h, s, &t->queue[SENDERS], sender, 0, 0);
}

static bool act_recv(const struct history *h, struct state *s, struct thing *t, int task, int i)
{
	int sender = first_other(s, &t->queue[SENDERS], task), value;

	if (t->count) {
		if (!take_oldest(h, s, t, sender, &value))
			return false;
	} else if (sender != NOBODY_ELSE) {
		value = message_of(h, s, sender);
		if (!serve(h, s, &t->queue[SENDERS], sender, 0, 0))
			return false;
	} else {
		return tell(h, s, task, i, 0, 0);
	}
	hand_over(h, s, t, task);
	return tell(h, s, task, i, 1, value);
}

static bool act_close(const struct history *h, struct state *s, struct thing *t,
		      const struct call *c)
{
	if (t->ended)
		return c->outcome == -EALREADY;
	t->ended = true;
	t->cause = c->does[0].number;
	return !c->outcome && serve_all(h, s, &t->queue[SENDERS], -EPIPE, 0) &&
	       end_receivers(h, s, t);
}

static bool act_drop(const struct history *h, struct state *s, struct thing *t, int right)
{
	int others = right == SENDERS ? RECEIVERS : SENDERS, waiting = t->queue[others].length;
	bool ok;

	if (!t->handles[right] || --t->handles[right])
		return t->handles[right];
	if (right == SENDERS) {
		ok = end_receivers(h, s, t);
	} else {
		t->count = 0;
		memset(t->buffer, 0, sizeof(t->buffer));
		ok = serve_all(h, s, &t->queue[SENDERS], -EPIPE, 0);
	}
	t->ending[others] = waiting - t->queue[others].length;
	return ok;
}

/* ---- units ---- */

static bool fits(const struct history *h, const struct state *s, const struct thing *t, int units)
{
	int limit = h->object[t - s->thing].limit;

	return !limit || t->count + units <= limit;
}

static struct queue *adders(const struct history *h, struct state *s, struct thing *t)
{
	return &t->queue[h->object[t - s->thing].kind == WAITGROUP ? SENDERS : RECEIVERS];
}

/* In order; who asks for many holds back those behind it. */
static bool admit(const struct history *h, struct state *s, struct thing *t)
{
	struct queue *q = adders(h, s, t);
	int place, units;

	while ((place = first_other(s, q, MAX_TASKS)) != NOBODY_ELSE) {
		units = number_of(h, s, place);
		if (!fits(h, s, t, units))
			return true;
		t->count += units;
		if (!serve(h, s, q, place, 0, 0))
			return false;
	}
	return true;
}

static bool act_done(const struct history *h, struct state *s, struct thing *t,
		     const struct call *c)
{
	bool group = h->object[t - s->thing].kind == WAITGROUP;
	struct queue *zeros = &t->queue[group ? RECEIVERS : SENDERS];
	int units = c->does[0].number;

	if (units > t->count)
		return c->outcome == (group ? -EINVAL : -EOVERFLOW);
	t->count -= units;
	return !c->outcome && (t->count || serve_all(h, s, zeros, 0, 0)) && admit(h, s, t);
}

/* ---- locks ---- */

static int readers_of(const struct thing *t)
{
	int n = 0;

	for (int i = 0; i < MAX_TASKS; i++)
		n += t->readers[i];
	return n;
}

static bool is_reader(const struct history *h, const struct state *s, int place)
{
	return call_of(h, s, place / MAX_CASES)->does[place % MAX_CASES].verb == RLOCK;
}

/* The first before the @end-th place who is not to read, but for the task itself. */
static int first_writer(const struct history *h, const struct state *s, const struct queue *q,
			int task, int end)
{
	for (int i = 0; i < end; i++) {
		int other = q->place[i] / MAX_CASES;

		if (other != task && s->task[other].phase == OPEN &&
		    !is_reader(h, s, q->place[i]))
			return q->place[i];
	}
	return NOBODY_ELSE;
}

/* One who waits to read; if not any, then one whom no writer in front holds back. */
static int next_reader(const struct history *h, const struct state *s, const struct queue *q,
		       bool any)
{
	for (int i = 0; i < q->length; i++) {
		int task = q->place[i] / MAX_CASES;

		if (is_reader(h, s, q->place[i]) && s->task[task].phase == OPEN &&
		    (any || first_writer(h, s, q, task, i) == NOBODY_ELSE))
			return q->place[i];
	}
	return NOBODY_ELSE;
}

/* After a writer all readers who wait, after the last reader a writer. */
static bool pass_on(const struct history *h, struct state *s, struct thing *t, bool from_writer)
{
	struct queue *q = &t->queue[SENDERS];
	int place;

	if (t->holder)
		return true;
	while ((place = next_reader(h, s, q, from_writer)) != NOBODY_ELSE) {
		t->readers[process_of(h, place / MAX_CASES)]++;
		if (!serve(h, s, q, place, 0, 0))
			return false;
	}
	place = first_writer(h, s, q, MAX_TASKS, q->length);
	if (place == NOBODY_ELSE || readers_of(t))
		return true;
	t->holder = process_of(h, place / MAX_CASES) + 1;
	return serve(h, s, q, place, 0, 0);
}

static bool unlock(const struct history *h, struct state *s, struct thing *t)
{
	t->holder = 0;
	return t->ended ? serve_all(h, s, &t->queue[SENDERS], 1, 0) : pass_on(h, s, t, true);
}

static bool act_unlock(const struct history *h, struct state *s, struct thing *t, int task)
{
	const struct call *c = call_of(h, s, task);

	if (t->holder != process_of(h, task) + 1)
		return c->outcome == -EPERM;
	t->ended |= c->does[0].verb == FINISH;
	return !c->outcome && unlock(h, s, t);
}

static bool act_runlock(const struct history *h, struct state *s, struct thing *t, int task)
{
	const struct call *c = call_of(h, s, task);
	uint8_t *readers = &t->readers[process_of(h, task)];

	if (!*readers)
		return c->outcome == -EPERM;
	--*readers;
	return !c->outcome && pass_on(h, s, t, false);
}

static bool act_lock(const struct history *h, struct state *s, struct thing *t, int task, int i)
{
	if (t->ended)
		return tell(h, s, task, i, 1, 0);
	if (call_of(h, s, task)->does[i].verb == RLOCK)
		t->readers[process_of(h, task)]++;
	else
		t->holder = process_of(h, task) + 1;
	return tell(h, s, task, i, 0, 0);
}

/* ---- conds and cancels ---- */

static bool act_signal(const struct history *h, struct state *s, struct thing *t,
		       const struct call *c)
{
	struct queue *q = &t->queue[RECEIVERS];
	int woken = 0, place;

	while (woken < c->does[0].number &&
	       (place = first_other(s, q, MAX_TASKS)) != NOBODY_ELSE) {
		if (!serve(h, s, q, place, 0, 0))
			return false;
		woken++;
	}
	return c->outcome == woken;
}

static bool act_cancel(const struct history *h, struct state *s, struct thing *t,
		       const struct call *c)
{
	if (t->ended)
		return c->outcome == 0;
	t->ended = true;
	t->cause = c->does[0].number;
	return c->outcome == 1 && serve_all(h, s, &t->queue[RECEIVERS], 0, t->cause);
}

static bool holds_lock(const struct history *h, const struct state *s, int task, int lock)
{
	return s->thing[lock].holder == process_of(h, task) + 1;
}

/* ---- stat ---- */

static unsigned int state_of(enum kind kind, const struct thing *t)
{
	unsigned int state = 0;

	if (kind == CHAN)
		state |= (t->ended ? KCHAN_STATE_CLOSED : 0) |
			 (t->handles[0] ? 0 : KCHAN_STATE_NO_SENDERS) |
			 (t->handles[1] ? 0 : KCHAN_STATE_NO_RECEIVERS);
	if (kind == ONCE && t->ended)
		state |= KCHAN_STATE_DONE;
	if (kind == CANCEL && t->ended)
		state |= KCHAN_STATE_CANCELLED;
	if (t->holder)
		state |= KCHAN_STATE_LOCKED;
	return state;
}

static int length_of(enum kind kind, const struct thing *t)
{
	switch (kind) {
	case MUTEX:
		return t->holder ? 1 : 0;
	case RWMUTEX:
		return readers_of(t);
	default:
		return t->count;
	}
}

/* All who wait are counted; who is about to leave, its wait decided, may be. */
/* Whether so many may be counted who wait with that right. */
static bool counts(const struct history *h, const struct state *s, const struct thing *t,
		   int right, int waiting)
{
	int all = 0, undecided = 0;

	for (int side = 0; side < 2; side++) {
		const struct queue *q = &t->queue[side];

		for (int i = 0; i < q->length; i++) {
			int task = q->place[i] / MAX_CASES;
			bool reads = is_reader(h, s, q->place[i]);

			if ((reads ? RECEIVERS : side) != right)
				continue;
			all++;
			undecided += s->task[task].phase == OPEN;
		}
	}
	/* Waits end just after the last handle of the other side. */
	return waiting >= undecided && waiting <= all + t->ending[right];
}

static bool act_stat(const struct history *h, const struct state *s, const struct thing *t,
		     const struct call *c)
{
	enum kind kind = h->object[t - s->thing].kind;

	return c->seen.length == length_of(kind, t) && c->seen.dropped == t->dropped && c->seen.cause == t->cause &&
	       c->seen.state == state_of(kind, t) &&
	       counts(h, s, t, SENDERS, c->seen.waiting[0]) &&
	       counts(h, s, t, RECEIVERS, c->seen.waiting[1]);
}

/* ---- any operation ---- */

static bool is_ready(const struct history *h, const struct state *s, int task, int i)
{
	const struct action *a = &call_of(h, s, task)->does[i];
	const struct thing *t = &s->thing[a->object];
	const struct queue *q = &t->queue[SENDERS];
	bool alone = a->verb <= MAY_WAIT &&
		     first_other(s, &t->queue[queue_of(h, a)], task) == NOBODY_ELSE;
	bool writer = first_writer(h, s, q, task, q->length) != NOBODY_ELSE;

	switch (a->verb) {
	case SEND:
		return is_broken(t) || t->count < h->object[a->object].limit ||
		       h->object[a->object].policy ||
		       first_other(s, &t->queue[RECEIVERS], task) != NOBODY_ELSE;
	case RECV:
		return t->count || is_drained(t) ||
		       first_other(s, &t->queue[SENDERS], task) != NOBODY_ELSE;
	case ADD:
		return !h->object[a->object].limit || (alone && fits(h, s, t, a->number));
	case ZERO:
		return !t->count;
	case LOCK:
		return t->ended || (!writer && !t->holder && !readers_of(t));
	case RLOCK:
		return !writer && !t->holder;
	case AWAIT_SIGNAL:
		return !holds_lock(h, s, task, a->number);
	case AWAIT_CANCEL:
		return t->ended;
	default:
		return true;
	}
}

static bool act_at_once(const struct history *h, struct state *s, struct thing *t, int task)
{
	const struct call *c = call_of(h, s, task);

	switch (c->does[0].verb) {
	case CLOSE:
	case CLOSE_WITH:
		return act_close(h, s, t, c);
	case DROP_SEND:
		return !c->outcome && act_drop(h, s, t, SENDERS);
	case DROP_RECV:
		return !c->outcome && act_drop(h, s, t, RECEIVERS);
	case DONE:
		return act_done(h, s, t, c);
	case UNLOCK:
	case FINISH:
		return act_unlock(h, s, t, task);
	case RUNLOCK:
		return act_runlock(h, s, t, task);
	case SIGNAL:
		return act_signal(h, s, t, c);
	case DO_CANCEL:
		return act_cancel(h, s, t, c);
	default:
		return act_stat(h, s, t, c);
	}
}

static bool act_waiting(const struct history *h, struct state *s, struct thing *t, int task,
			int i)
{
	const struct call *c = call_of(h, s, task);

	switch (c->does[i].verb) {
	case SEND:
		return act_send(h, s, t, task, i);
	case RECV:
		return act_recv(h, s, t, task, i);
	case ADD:
		t->count += c->does[i].number;
		return tell(h, s, task, i, 0, 0);
	case LOCK:
	case RLOCK:
		return act_lock(h, s, t, task, i);
	case AWAIT_SIGNAL:
		s->task[task].gave_back = true;
		return tell(h, s, task, i, -EPERM, 0);
	case AWAIT_CANCEL:
		return tell(h, s, task, i, 0, t->cause);
	default:
		return tell(h, s, task, i, 0, 0);
	}
}

/*
 * A request is sent before its answer is received.  In order: all cases before this one
 * were looked at, and would have had to wait.
 */
static bool is_next(const struct history *h, const struct state *s, int task, int i)
{
	const struct call *c = call_of(h, s, task);

	if (c->form == REQUEST)
		return i == s->task[task].done;
	if (!c->in_order)
		return true;
	while (i--)
		if (!(s->task[task].passed >> i & 1) && !has_entered(h, s, task, i))
			return false;
	return true;
}

/* ---- steps ---- */

/**
 * spec_start() - the state before all calls
 * @h: the history
 * @s: to be filled in
 */
void spec_start(const struct history *h, struct state *s)
{
	memset(s, 0, sizeof(*s));
	for (int i = 0; i < h->objects; i++) {
		s->thing[i].handles[0] = h->object[i].handles[0];
		s->thing[i].handles[1] = h->object[i].handles[1];
		memcpy(s->thing[i].numbers, s->thing[i].handles, sizeof(s->thing[i].numbers));
	}
}

/**
 * spec_invoke() - a call begins
 * @h: the history
 * @s: the state
 * @call: which, by its place in the history
 */
void spec_invoke(const struct history *h, struct state *s, int call)
{
	struct doing *doing = &s->task[h->call[call].task];

	memset(doing, 0, sizeof(*doing));
	doing->phase = OPEN;
	doing->call = call;
	doing->gave_back = h->call[call].does[0].verb != AWAIT_SIGNAL;
	doing->done = h->call[call].again;
}

/**
 * spec_is_over() - may the task's call return, with the result that it had?
 * @h: the history
 * @s: the state
 * @task: the task
 */
bool spec_is_over(const struct history *h, const struct state *s, int task)
{
	const struct doing *doing = &s->task[task];

	if (doing->phase != DECIDED || doing->hand || !doing->gave_back)
		return false;
	for (int i = 0; i < h->call[doing->call].nr; i++)
		if (has_entered(h, s, task, i))
			return false;
	return true;
}

/**
 * spec_return() - a call returns
 * @s: the state
 * @task: whose
 */
void spec_return(struct state *s, int task)
{
	memset(&s->task[task], 0, sizeof(s->task[task]));
}

/* A drop of a handle that others are told of. */
static bool is_told_of(const struct history *h, const struct call *c)
{
	const struct action *a = &c->does[0];

	return (a->verb == DROP_SEND || a->verb == DROP_RECV) && h->object[a->object].tells;
}

/**
 * spec_drop() - drop a handle that others are told of
 * @h: the history
 * @s: the state
 * @task: the task, whose call is OPEN
 * @step: which step of that
 */
bool spec_drop(const struct history *h, struct state *s, int task, int step)
{
	const struct call *c = call_of(h, s, task);
	int object = c->does[0].object, right = c->does[0].verb == DROP_RECV;
	struct doing *doing = &s->task[task];
	struct thing *t = &s->thing[object];

	if (!is_told_of(h, c) || c->outcome || doing->done & step ||
	    (step != NUMBER_GONE && !(doing->done & NUMBER_GONE)))
		return false;
	doing->done |= step;
	if (doing->done == ALL_GONE)
		doing->phase = DECIDED;
	if (step == NUMBER_GONE)
		return t->numbers[right]-- > 0;
	if (step == HANDLE_GONE)
		return act_drop(h, s, t, right);
	return t->numbers[right] || send_notice(h, s, h->object[object].tells - 1,
						notice_of(object, right));
}

/**
 * spec_act() - do what the task's call says it did, or the next part of it
 * @h: the history
 * @s: the state
 * @task: the task, whose call is OPEN
 */
bool spec_act(const struct history *h, struct state *s, int task)
{
	const struct call *c = call_of(h, s, task);
	int i = next_action(h, s, task);
	struct thing *t;

	if (i == NOTHING || s->task[task].hand || is_told_of(h, c) || has_entered(h, s, task, i) ||
	    !is_ready(h, s, task, i) || !is_next(h, s, task, i))
		return false;
	t = &s->thing[c->does[i].object];
	if (c->ready)
		return tell(h, s, task, i, 0, c->does[i].verb == AWAIT_CANCEL ? t->cause : 0);
	if (c->does[i].verb <= MAY_WAIT)
		return act_waiting(h, s, t, task, i);
	s->task[task].phase = DECIDED;
	return act_at_once(h, s, t, task);
}

/**
 * spec_pass_over() - in order: look at a case that would have to wait
 * @h: the history
 * @s: the state
 * @task: the task, whose call is OPEN
 * @i: the case
 */
bool spec_pass_over(const struct history *h, struct state *s, int task, int i)
{
	const struct call *c = call_of(h, s, task);

	if (!c->in_order || s->task[task].passed >> i & 1 || has_entered(h, s, task, i) ||
	    is_ready(h, s, task, i) || !is_next(h, s, task, i))
		return false;
	s->task[task].passed |= 1 << i;
	return true;
}

/**
 * spec_enter() - stand in a queue, because a case would have to wait
 * @h: the history
 * @s: the state
 * @task: the task, whose call is OPEN
 * @i: the case
 *
 * Who only wants to know what is ready stands in no queue, but where nothing can be
 * taken, and so to know and to do it are the same.
 */
bool spec_enter(const struct history *h, struct state *s, int task, int i)
{
	const struct call *c = call_of(h, s, task);
	const struct action *a = &c->does[i];
	bool waits = may_wait(h, s, task) || a->verb == AWAIT_SIGNAL;
	bool watches = c->ready && a->verb != ZERO && a->verb != AWAIT_CANCEL;
	struct queue *q;

	if (a->verb > MAY_WAIT || watches || !waits || s->task[task].hand ||
	    has_entered(h, s, task, i) || is_ready(h, s, task, i) || !is_next(h, s, task, i))
		return false;
	q = &s->thing[a->object].queue[queue_of(h, a)];
	q->place[q->length++] = task * MAX_CASES + i;
	return true;
}

/**
 * spec_give_back() - unlock, once nobody's signal can be missed any more
 * @h: the history
 * @s: the state
 * @task: the task
 */
bool spec_give_back(const struct history *h, struct state *s, int task)
{
	int lock = call_of(h, s, task)->does[0].number;

	if (s->task[task].gave_back ||
	    (s->task[task].phase == OPEN && !has_entered(h, s, task, 0)))
		return false;
	/* Another thread of the process may have done it meanwhile. */
	if (!holds_lock(h, s, task, lock) && s->task[task].phase == OPEN)
		return false;
	s->task[task].gave_back = true;
	if (!holds_lock(h, s, task, lock))
		return true;
	return unlock(h, s, &s->thing[lock]);
}

/* Whether the call says that it came so far, and that it stopped there. */
static bool ends_here(const struct call *c, const struct doing *doing)
{
	if (c->form == BATCH && c->outcome > 0)
		return doing->done == c->outcome;
	if (c->form == REQUEST && doing->done != c->sent)
		return false;
	return failed(c);
}

/* Whether it may stop where it would have to wait.  Why a batch did so is not told. */
static bool may_stop(const struct call *c, const struct doing *doing, bool deadline_over)
{
	bool shall_not_wait = is_try(c) || (c->form == BATCH && doing->done >= c->min);
	bool too_late = !is_try(c) && deadline_over;

	switch (c->outcome) {
	case -EAGAIN:
		return shall_not_wait;
	case -ETIMEDOUT:
		return too_late;
	default:
		return shall_not_wait || too_late;
	}
}

/*
 * Whether another stands in front, be it one who has been served elsewhere and is about to
 * leave: only when it has left those hear of it who watch what they would take in turn.
 */
static bool is_in_the_way(const struct history *h, const struct state *s, int task, int i)
{
	const struct action *a = &call_of(h, s, task)->does[i];
	const struct queue *q = &s->thing[a->object].queue[queue_of(h, a)];

	for (int k = 0; k < q->length && (a->verb == ADD || a->verb == RLOCK); k++)
		if (q->place[k] / MAX_CASES != task &&
		    (a->verb == ADD || !is_reader(h, s, q->place[k])))
			return true;
	return false;
}

static bool would_wait(const struct history *h, const struct state *s, int task)
{
	const struct call *c = call_of(h, s, task);

	for (int i = 0; i < c->nr; i++)
		if ((c->form != REQUEST || i == s->task[task].done) &&
		    !has_entered(h, s, task, i) && is_ready(h, s, task, i) &&
		    !(c->ready && is_in_the_way(h, s, task, i)))
			return false;
	return true;
}

/**
 * spec_fail() - fail, having done nothing, or stop, having done a part
 * @h: the history
 * @s: the state
 * @task: the task, whose call is OPEN
 * @deadline_over: whether its deadline has passed
 *
 * A deadline that has passed makes a call a try, so that a call which returns
 * ETIMEDOUT would have had to wait at some instant after it.  A signal may come at any
 * time.
 */
bool spec_fail(const struct history *h, struct state *s, int task, bool deadline_over)
{
	const struct call *c = call_of(h, s, task);
	struct doing *doing = &s->task[task];
	bool interrupted = h->disturbed && (c->outcome == -EINTR || c->outcome > 0);

	if (!ends_here(c, doing) || doing->hand || !doing->gave_back)
		return false;
	if (!interrupted && (c->outcome == -EINTR || !may_stop(c, doing, deadline_over) ||
			     !would_wait(h, s, task)))
		return false;
	doing->phase = DECIDED;
	return true;
}

/**
 * spec_leave() - leave a queue without having been served
 * @h: the history
 * @s: the state
 * @task: the task, whose call is DECIDED
 * @i: the case
 *
 * Those whom it held back go on.
 */
bool spec_leave(const struct history *h, struct state *s, int task, int i)
{
	const struct action *a = &call_of(h, s, task)->does[i];
	struct thing *t = &s->thing[a->object];
	struct queue *q;

	if (!has_entered(h, s, task, i))
		return false;
	q = &t->queue[queue_of(h, a)];
	take_out(q, find_place(q, task * MAX_CASES + i));
	if (a->verb == ADD)
		return admit(h, s, t);
	return a->verb != LOCK || pass_on(h, s, t, false);
}

/**
 * spec_take() - receive the message that one has been handed
 * @h: the history
 * @s: the state
 * @task: the task
 */
bool spec_take(const struct history *h, struct state *s, int task)
{
	struct doing *doing = &s->task[task];
	struct thing *t;

	if (!doing->hand)
		return false;
	t = &s->thing[doing->hand - 1];
	doing->hand = 0;
	t->in_hand--;
	return end_receivers(h, s, t);
}
