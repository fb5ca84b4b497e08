// SPDX-License-Identifier: GPL-2.0-only
/* Drawing programs from a seed. */
#include <errno.h>
#include <string.h>

#include <linux/kchan.h>

#include "program.h"

/* A program while it is being drawn. */
struct sketch {
	struct program *p;
	__u64 row;
	int next_value;
	uint8_t rights[MAX_OBJECTS][MAX_TASKS];	/* not yet dropped */
};

/* How often each operation is drawn, beside the others that an object has. */
static const uint8_t weights[VERBS] = {
	[SEND] = 30, [RECV] = 30, [CLOSE] = 2, [CLOSE_WITH] = 3, [DROP_SEND] = 4, [DROP_RECV] = 3,
	[LOCK] = 20, [RLOCK] = 20, [UNLOCK] = 14, [RUNLOCK] = 14, [FINISH] = 4,
	[ADD] = 30, [ZERO] = 8, [DONE] = 22, [AWAIT_SIGNAL] = 20, [SIGNAL] = 20,
	[AWAIT_CANCEL] = 20, [DO_CANCEL] = 6, [STAT] = 8,
};

/* ---- objects ---- */

static enum kind draw_kind(struct sketch *sk, unsigned int kinds)
{
	enum kind kind;

	/* Channels are what most selects are about. */
	if (kinds & CHANNELS && chance(&sk->row, 45))
		return CHAN;
	do {
		kind = below(&sk->row, KINDS);
	} while (!(kinds >> kind & 1));
	return kind;
}

static void count_handles(struct program *p, int i)
{
	for (int right = 0; right < 2; right++) {
		p->history.object[i].handles[right] = p->keeper[i] >> right & 1;
		for (int t = 0; t < p->history.tasks; t++)
			p->history.object[i].handles[right] += p->rights[i][t] >> right & 1;
	}
	for (int other = 0; other < p->history.objects; other++)
		p->history.object[i].handles[0] += p->history.object[other].tells == i + 1;
}

/* Mostly everybody may send and receive; else each has a part of that. */
static void draw_rights(struct sketch *sk, int i)
{
	struct program *p = sk->p;
	bool parts = chance(&sk->row, 40);

	p->keeper[i] = parts ? below(&sk->row, 4) : 3;
	for (int t = 0; t < p->history.tasks; t++)
		p->rights[i][t] = parts ? 1 + below(&sk->row, 3) : 3;
	count_handles(p, i);
}

/*
 * Lets the first object be told of this one.  All threads drop handles of one process, so
 * one of them may drop the last.  One kind stays, and so does the object.
 */
static void draw_watch(struct sketch *sk, int i)
{
	struct program *p = sk->p;
	struct object *o = &p->history.object[i];

	if (!i || p->history.object[0].kind != CHAN || p->history.processes ||
	    !chance(&sk->row, 30))
		return;
	p->keeper[i] = 1 + below(&sk->row, 2);
	count_handles(p, i);
	if (!o->handles[0] || !o->handles[1])
		return;
	o->tells = 1;
	p->keeper[0] |= 1;
}

static void draw_object(struct sketch *sk, int i, unsigned int kinds)
{
	struct object *o = &sk->p->history.object[i];

	o->kind = draw_kind(sk, kinds);
	/* What waits for a signal has to give a lock back. */
	if (o->kind == COND && !(i && sk->p->history.object[0].kind == MUTEX))
		o->kind = MUTEX;
	if (o->kind == CHAN) {
		o->limit = chance(&sk->row, 50) ? 0 : 1 + below(&sk->row, 2);
		if (o->limit && chance(&sk->row, 35))
			o->policy = 1 + below(&sk->row, 3);
		o->carries = chance(&sk->row, 20);
		/* All that is discarded at once may be one message. */
		if (o->carries && o->policy == KCHAN_POLICY_LATEST)
			o->limit = 1;
		draw_rights(sk, i);
		draw_watch(sk, i);
	} else if (o->kind == SEMAPHORE) {
		o->limit = 1 + below(&sk->row, 3);
	} else if (o->kind == WAITGROUP) {
		o->limit = below(&sk->row, 3);
	}
}

/* ---- calls ---- */

static int number_for(struct sketch *sk, enum verb verb, const struct object *o)
{
	switch (verb) {
	case SEND:
		return ++sk->next_value;
	case ADD:
		return 1 + below(&sk->row, o->limit && o->limit < 3 ? o->limit : 2);
	case DONE:
	case SIGNAL:
		return 1 + below(&sk->row, 2);
	case CLOSE_WITH:
	case DO_CANCEL:
		return 1 + below(&sk->row, 100);
	default:
		return 0;
	}
}

static bool may(const struct sketch *sk, int task, int object, enum verb verb)
{
	const struct object *o = &sk->p->history.object[object];
	uint8_t rights = sk->rights[object][task];

	if (!verb_fits(verb, o->kind))
		return false;
	switch (verb) {
	case SEND:
	case CLOSE:
	case CLOSE_WITH:
	case DROP_SEND:
		return rights & 1;
	case RECV:
	case DROP_RECV:
		return rights & 2;
	case STAT:
		return o->kind != CHAN || rights;
	default:
		return true;
	}
}

/* Any object, and what this task may do to it, up to the last verb. */
static bool draw_action(struct sketch *sk, int task, enum verb last, struct action *a)
{
	const struct history *h = &sk->p->history;
	int total = 0, pick;

	a->object = below(&sk->row, h->objects);
	for (int v = 0; v <= (int)last; v++)
		total += may(sk, task, a->object, v) ? weights[v] : 0;
	if (!total)
		return false;
	pick = below(&sk->row, total);
	for (a->verb = 0;; a->verb++) {
		pick -= may(sk, task, a->object, a->verb) ? weights[a->verb] : 0;
		if (pick < 0)
			break;
	}
	a->number = number_for(sk, a->verb, &h->object[a->object]);
	return true;
}

/* One lock or semaphore stands in a select once; what that twice means is nobody's use. */
static bool stands_there(const struct history *h, const struct call *c, const struct action *a)
{
	for (int i = 0; i < c->nr; i++)
		if (c->does[i].object == a->object && h->object[a->object].kind != CHAN)
			return true;
	return false;
}

static void draw_select(struct sketch *sk, struct call *c)
{
	int cases = 1 + below(&sk->row, MAX_CASES);
	struct action a;

	c->form = SELECT;
	c->in_order = chance(&sk->row, 40);
	c->ready = chance(&sk->row, 15);
	for (int tries = 0; c->nr < cases && tries < 20; tries++)
		if (draw_action(sk, c->task, MAY_WAIT, &a) && a.verb != AWAIT_SIGNAL &&
		    !stands_there(&sk->p->history, c, &a))
			c->does[c->nr++] = a;
}

static void draw_single(struct sketch *sk, struct call *c)
{
	struct action *a = &c->does[0];

	while (!draw_action(sk, c->task, VERBS - 1, a))
		;
	c->nr = 1;
	if (a->verb == DROP_SEND || a->verb == DROP_RECV)
		sk->rights[a->object][c->task] &= a->verb == DROP_SEND ? ~1 : ~2;
}

/* What carries handles can't be received where there is no room for them. */
static bool has_room_for(const struct sketch *sk, const struct action *a)
{
	return a->verb != RECV || !sk->p->history.object[a->object].carries;
}

/* Several messages instead of one. */
static void make_batch(struct sketch *sk, struct call *c, int min, int max)
{
	c->form = BATCH;
	c->min = min;
	c->max = max;
	if (c->does[0].verb == SEND)
		sk->next_value += max - 1;
}

/* The task's last request, if it may make it again. */
static const struct call *last_request(const struct sketch *sk, int task)
{
	const struct history *h = &sk->p->history;
	const struct call *last = NULL;

	for (int i = 0; i < h->calls; i++)
		if (h->call[i].task == task && h->call[i].form == REQUEST)
			last = &h->call[i];
	return last && may(sk, task, last->does[0].object, SEND) &&
	       may(sk, task, last->does[1].object, RECV) ? last : NULL;
}

/* A send that waits for an answer, if the task can receive one anywhere. */
static void make_request(struct sketch *sk, struct call *c)
{
	const struct call *before = last_request(sk, c->task);
	int first = below(&sk->row, sk->p->history.objects);

	if (before && chance(&sk->row, 50)) {
		c->again = true;
		c->does[0].object = before->does[0].object;
		first = before->does[1].object;
	}
	for (int i = 0; i < sk->p->history.objects && c->form != REQUEST; i++) {
		struct action a = {
			.verb = RECV,
			.object = (first + i) % sk->p->history.objects,
		};

		if (!may(sk, c->task, a.object, RECV) || !has_room_for(sk, &a))
			continue;
		c->form = REQUEST;
		c->does[c->nr++] = a;
	}
}

static void draw_form(struct sketch *sk, struct call *c)
{
	int max = 1 + below(&sk->row, MAX_BATCH);

	if ((c->does[0].verb != SEND && c->does[0].verb != RECV) ||
	    !has_room_for(sk, &c->does[0]))
		return;
	if (chance(&sk->row, 30))
		make_batch(sk, c, below(&sk->row, max + 1), max);
	else if (c->does[0].verb == SEND && chance(&sk->row, 30))
		make_request(sk, c);
}

static struct call *new_call(struct sketch *sk, int task)
{
	struct history *h = &sk->p->history;
	struct call *c = &h->call[h->calls++];

	c->task = task;
	c->until = NO_DEADLINE;
	return c;
}

static void draw_call(struct sketch *sk, int task)
{
	struct call *c = new_call(sk, task);

	if (chance(&sk->row, 35))
		draw_select(sk, c);
	if (!c->nr) {
		c->form = ALONE;
		c->in_order = c->ready = false;
		draw_single(sk, c);
		draw_form(sk, c);
	}
	if (c->does[0].verb <= MAY_WAIT && chance(&sk->row, 30))
		c->until = TRY;
}

/* Who waits for a signal mostly has the lock: that makes two calls of it. */
static void lock_before(struct sketch *sk)
{
	struct history *h = &sk->p->history;
	struct call *c = &h->call[h->calls - 1], wait = *c;

	if (wait.does[0].verb != AWAIT_SIGNAL || h->calls == MAX_CALLS || chance(&sk->row, 10))
		return;
	*c = (struct call){
		.task = wait.task, .nr = 1, .until = NO_DEADLINE,
		.does = { { .verb = LOCK, .object = wait.does[0].number } },
	};
	h->call[h->calls++] = wait;
}

/* ---- programs whose tasks stand in line ---- */

/*
 * What tasks wait for in line, and what serves them: all at once, one after the other,
 * or (who serves has it first) the next, who then serves the one after it.
 */
static const struct line {
	enum kind kind;
	enum verb waits, serves;
	enum { ALL, EACH, NEXT } whom;
} lines[] = {
	{ CHAN, RECV, SEND, EACH }, { CHAN, SEND, RECV, EACH },
	{ CHAN, RECV, CLOSE, ALL }, { CHAN, SEND, CLOSE, ALL },
	{ CHAN, RECV, CLOSE_WITH, ALL }, { CHAN, SEND, CLOSE_WITH, ALL },
	{ MUTEX, LOCK, UNLOCK, NEXT }, { RWMUTEX, LOCK, UNLOCK, NEXT },
	{ SEMAPHORE, ADD, DONE, NEXT }, { CANCEL, AWAIT_CANCEL, DO_CANCEL, ALL },
};

enum { LINES = sizeof(lines) / sizeof(lines[0]) };

static const struct line *draw_line(struct sketch *sk)
{
	int first = below(&sk->row, LINES);

	for (int i = 0; i < LINES; i++) {
		const struct line *line = &lines[(first + i) % LINES];

		if (line->kind == sk->p->history.object[0].kind)
			return line;
	}
	return NULL;
}

/* How many units a task gives back: those that it took. */
static int units_of(const struct history *h, int task)
{
	for (int i = h->calls - 1; i >= 0; i--)
		if (h->call[i].task == task && h->call[i].does[0].verb == ADD)
			return h->call[i].does[0].number;
	return 1;
}

/* Programs of these steps have fewer than MAX_CALLS. */
static struct call *add_step(struct sketch *sk, int task, enum verb verb, int waiters)
{
	struct history *h = &sk->p->history;
	int number = verb == DONE ? units_of(h, task) : verb == ADD ?
		     1 + (int)below(&sk->row, h->object[0].limit) :
		     number_for(sk, verb, &h->object[0]);
	struct call *c;

	sk->p->move[h->calls].waiters = waiters;
	c = new_call(sk, task);
	c->nr = 1;
	c->does[0] = (struct action){ .verb = verb, .number = number };
	return c;
}

/* So many messages: one by one, or all at once. */
static void move_messages(struct sketch *sk, int task, enum verb verb, int messages)
{
	struct call *c = add_step(sk, task, verb, 0);

	if (has_room_for(sk, &c->does[0]) && chance(&sk->row, 40)) {
		make_batch(sk, c, messages, messages);
		return;
	}
	while (--messages)
		add_step(sk, task, verb, 0);
}

/* A batch waits for each message at the end of the line again; selects are told causes. */
static void wait_in_line(struct sketch *sk, int task, const struct line *line)
{
	struct call *c = add_step(sk, task, line->waits, 0);
	int max = 1 + below(&sk->row, MAX_BATCH);

	if (line->kind == CHAN && has_room_for(sk, &c->does[0]) && chance(&sk->row, 30))
		make_batch(sk, c, 1 + below(&sk->row, max), max);
	else if (chance(&sk->row, 30))
		c->form = SELECT;
}

/* Takes the object, having seen others wait for it before, and gives it back. */
static void take_turn(struct sketch *sk, int task, const struct line *line, int before)
{
	bool reads = line->kind == RWMUTEX && chance(&sk->row, 50);

	add_step(sk, task, STAT, before);
	add_step(sk, task, reads ? RLOCK : line->waits, 0);
	add_step(sk, task, reads ? RUNLOCK : line->serves, 0);
}

/* Each enters once it has seen those before it wait; the last one serves. */
static void stand_in_line(struct sketch *sk, const struct line *line)
{
	int server = sk->p->history.tasks - 1;

	sk->p->in_line = true;
	sk->p->history.object[0].policy = 0;
	if (line->kind == CHAN)
		memset(sk->p->rights[0], 3, sizeof(sk->p->rights[0]));
	count_handles(sk->p, 0);
	if (line->whom == NEXT)
		add_step(sk, server, line->waits, 0);
	for (int t = 0; t < server; t++) {
		if (line->whom == NEXT) {
			take_turn(sk, t, line, t);
			continue;
		}
		add_step(sk, t, STAT, t);
		wait_in_line(sk, t, line);
	}
	add_step(sk, server, STAT, server);
	if (line->whom == EACH)
		move_messages(sk, server, line->serves, server);
	else
		add_step(sk, server, line->serves, 0);
}

/* ---- programs that ask and answer ---- */

static void make_open_chan(struct sketch *sk, int i, int limit)
{
	sk->p->history.object[i] = (struct object){ .kind = CHAN, .limit = limit };
	memset(sk->p->rights[i], 3, sizeof(sk->p->rights[i]));
	sk->p->keeper[i] = 3;
	count_handles(sk->p, i);
}

static struct call *add_request(struct sketch *sk, int task, int object, int answers)
{
	struct call *c = add_step(sk, task, SEND, 0);

	c->form = REQUEST;
	c->nr = 2;
	c->does[0].object = object;
	c->does[1] = (struct action){ .verb = RECV, .object = answers };
	return c;
}

/* Perhaps in two calls: what is sent without waiting has no answer yet. */
static void ask(struct sketch *sk, int task)
{
	struct call *c = add_request(sk, task, 0, 1);

	if (chance(&sk->row, 60))
		return;
	c->until = TRY;
	add_request(sk, task, 0, 1)->again = true;
}

/* Requests go to a, answers to b; with the answer to one the last task asks for the next. */
static void ask_and_answer(struct sketch *sk)
{
	struct history *h = &sk->p->history;
	int server = h->tasks - 1, requests = 3;

	sk->p->in_line = true;
	make_open_chan(sk, 0, below(&sk->row, 3));
	make_open_chan(sk, 1, below(&sk->row, 3));
	for (int i = 0; i < requests; i++)
		ask(sk, i % server);
	add_step(sk, server, RECV, 0);
	for (int i = 1; i < requests; i++) {
		if (chance(&sk->row, 50)) {
			add_request(sk, server, 1, 0);
			continue;
		}
		add_step(sk, server, SEND, 0)->does[0].object = 1;
		add_step(sk, server, RECV, 0);
	}
	add_step(sk, server, SEND, 0)->does[0].object = 1;
	if (chance(&sk->row, 30))
		add_step(sk, 0, STAT, 0);
}

/* ---- programs that take leave ---- */

/* All drop what they have of b, of which a is told, where the last task looks. */
static void take_leave(struct sketch *sk)
{
	struct program *p = sk->p;
	int last = p->history.tasks - 1, right = below(&sk->row, 2);

	p->in_line = true;
	make_open_chan(sk, 0, 1 + below(&sk->row, 2));
	make_open_chan(sk, 1, 1);
	p->history.object[1].tells = 1;
	p->keeper[1] = right ? 1 : 2;
	for (int t = 0; t <= last; t++) {
		if (chance(&sk->row, 30))
			add_step(sk, t, STAT, 0);
		add_step(sk, t, right ? DROP_RECV : DROP_SEND, 0)->does[0].object = 1;
	}
	add_step(sk, last, RECV, 0);
	add_step(sk, last, RECV, 0)->until = TRY;
	add_step(sk, last, STAT, 0);
}

/* ---- programs that juggle ---- */

static void move_ball(struct sketch *sk, enum verb verb, int object)
{
	add_step(sk, 0, verb, 0)->does[0].object = object;
}

static void look_at_balls(struct sketch *sk, int task)
{
	struct call *c = new_call(sk, task);

	c->form = SELECT;
	c->ready = true;
	c->in_order = chance(&sk->row, 50);
	c->until = TRY;
	c->nr = 2;
	c->does[0] = (struct action){ .verb = RECV, .object = below(&sk->row, 2) };
	c->does[1] = (struct action){ .verb = RECV, .object = !c->does[0].object };
}

/* From the first send on there always is a message in one of two channels. */
static void juggle(struct sketch *sk)
{
	struct history *h = &sk->p->history;

	make_open_chan(sk, 0, 1);
	make_open_chan(sk, 1, 1);
	move_ball(sk, SEND, 0);
	move_ball(sk, SEND, 1);
	move_ball(sk, RECV, 0);
	move_ball(sk, SEND, 0);
	move_ball(sk, RECV, 1);
	for (int i = 0; h->calls < MAX_CALLS - 2; i++)
		look_at_balls(sk, 1 + i % (h->tasks - 1));
}

/* ---- programs ---- */

/* What is left of some rights may be none: then there is nothing to do. */
static bool can_do_anything(const struct sketch *sk, int task)
{
	for (int i = 0; i < sk->p->history.objects; i++)
		if (sk->p->history.object[i].kind != CHAN || sk->rights[i][task])
			return true;
	return false;
}

/**
 * program_has_processes() - whether tasks are processes, not threads
 * @seed: the program's
 */
bool program_has_processes(__u64 seed)
{
	__u64 row = seed / PROCESSES_EVERY;

	return chance(&row, 25);
}

static void draw_calls(struct sketch *sk)
{
	struct history *h = &sk->p->history;
	int calls = 8 + below(&sk->row, 5);

	for (int i = 0; i < calls && h->calls < calls; i++) {
		if (can_do_anything(sk, i % h->tasks)) {
			draw_call(sk, i % h->tasks);
			lock_before(sk);
		}
	}
}

/* Programs of one kind or another. */
static void draw_plot(struct sketch *sk, unsigned int kinds)
{
	const struct line *line;

	if (kinds & CHANNELS && chance(&sk->row, 8)) {
		juggle(sk);
		return;
	}
	if (kinds & CHANNELS && chance(&sk->row, 8)) {
		ask_and_answer(sk);
		return;
	}
	if (kinds & CHANNELS && !sk->p->history.processes && chance(&sk->row, 5)) {
		take_leave(sk);
		return;
	}
	line = chance(&sk->row, 30) ? draw_line(sk) : NULL;
	if (line)
		stand_in_line(sk, line);
	else
		draw_calls(sk);
}

/**
 * program_draw() - draw a program
 * @p: to be filled in
 * @seed: of which everything follows
 * @kinds: which objects to use
 */
void program_draw(struct program *p, __u64 seed, unsigned int kinds)
{
	struct sketch sk = { .p = p, .row = seed };
	struct history *h = &p->history;

	memset(p, 0, sizeof(*p));
	h->seed = seed;
	h->processes = program_has_processes(seed);
	h->tasks = 2 + below(&sk.row, MAX_TASKS - 1);
	h->objects = 2 + below(&sk.row, 2);
	for (int i = 0; i < h->objects; i++)
		draw_object(&sk, i, kinds);
	memcpy(sk.rights, p->rights, sizeof(sk.rights));
	h->disturbed = chance(&sk.row, 10);
	draw_plot(&sk, kinds);
	for (int i = 0; i < h->objects; i++)
		if (h->object[i].kind == CHAN)
			count_handles(p, i);
}

static __s64 draw_wait(__u64 *row, bool in_line)
{
	if (in_line)
		return 6000000;
	if (chance(row, 12))
		return -1000;
	return 20000 + below(row, chance(row, 50) ? 200000 : 1500000);
}

static void draw_move(struct program *p, int i, __u64 *row)
{
	struct move *move = &p->move[i];

	move->wait_ns = draw_wait(row, p->in_line);
	move->dawdle = chance(row, 50) ? below(row, 3000) : 0;
	move->yield = chance(row, 15);
	move->vector = chance(row, 30);
	if (!p->in_line)
		move->waiters = chance(row, 60);
}

/**
 * program_draw_moves() - draw how the calls are made this time
 * @p: the program
 * @seed: of which that follows
 * @processors: how many there are
 */
void program_draw_moves(struct program *p, __u64 seed, int processors)
{
	bool pinned = chance(&seed, 30);

	for (int t = 0; t < MAX_TASKS; t++)
		p->processor[t] = -1;
	for (int t = 0; t < MAX_TASKS && pinned; t++)
		p->processor[t] = below(&seed, processors);
	for (int i = 0; i < p->history.calls; i++)
		draw_move(p, i, &seed);
}
