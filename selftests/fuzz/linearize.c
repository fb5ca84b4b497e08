// SPDX-License-Identifier: GPL-2.0-only
/*
 * Can a history have happened?  A search, depth first, for an order of steps
 * (specification.h) that gives each call, between its invocation and its response,
 * the result that it had.  States that led nowhere are remembered, and each is looked
 * at once.
 */
#include <stdlib.h>
#include <string.h>

#include "specification.h"

enum { TABLE_BITS = 18, TABLE = 1 << TABLE_BITS, MOST_STATES = TABLE / 2 };

struct event {
	int stamp;
	int call;
	bool response;
};

/**
 * struct search - one search
 * @h: the history
 * @event: its invocations and responses, in order
 * @events: how many
 * @watched: some call looks at who waits
 * @states: looked at
 * @furthest: events that some order of steps explained
 */
struct search {
	const struct history *h;
	struct event event[MAX_STAMPS];
	int events;
	bool watched;
	unsigned long states;
	int furthest;
};

/* Hashes of the states seen; 0 is free.  Filled slots are listed, to be emptied soon. */
static uint64_t table[TABLE];
static uint32_t filled[MOST_STATES];

static uint64_t hash_of(const struct state *s)
{
	const unsigned char *p = (const void *)s;
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < sizeof(*s); i++)
		hash = (hash ^ p[i]) * 0x100000001b3ull;
	hash ^= hash >> 29;
	return hash ? hash : 1;
}

/* Whether the state is new; it no longer is. */
static bool is_new(struct search *search, const struct state *s)
{
	uint64_t hash = hash_of(s);
	uint32_t slot = hash >> (64 - TABLE_BITS);

	for (; table[slot]; slot = (slot + 1) % TABLE)
		if (table[slot] == hash)
			return false;
	table[slot] = hash;
	filled[search->states++] = slot;
	return true;
}

static void forget_all(struct search *search)
{
	for (unsigned long i = 0; i < search->states; i++)
		table[filled[i]] = 0;
}

static int compare_events(const void *a, const void *b)
{
	return ((const struct event *)a)->stamp - ((const struct event *)b)->stamp;
}

static void list_events(struct search *search)
{
	const struct history *h = search->h;

	for (int i = 0; i < h->calls; i++) {
		search->event[search->events++] = (struct event){ h->call[i].invoked, i, false };
		search->event[search->events++] = (struct event){ h->call[i].responded, i, true };
		search->watched |= h->call[i].does[0].verb == STAT || h->call[i].ready;
	}
	qsort(search->event, search->events, sizeof(search->event[0]), compare_events);
}

static bool go_on(struct search *search, const struct state *s);

/* Everything up to the deadline's stamp lies behind. */
static bool deadline_is_over(const struct search *search, const struct state *s, int until)
{
	return until >= 0 && (s->position == search->events ||
			      search->event[s->position].stamp > until);
}

/*
 * Whether it can help to stand in that queue.  In those of channels and conds nobody is
 * held back by others, so it only helps who is served there, or where others look.
 */
static bool is_worth_entering(const struct search *search, const struct state *s, int task,
			      int i)
{
	const struct call *c = &search->h->call[s->task[task].call];
	enum verb verb = c->does[i].verb;

	if (c->form == BATCH)
		return search->watched || s->task[task].done < c->outcome;
	if (c->form == REQUEST)
		return search->watched || i < c->sent || !failed(c);
	return search->watched || i == c->chosen || verb == ADD || verb == LOCK ||
	       verb == RLOCK || verb == AWAIT_SIGNAL;
}

static bool try_open(struct search *search, const struct state *s, int task)
{
	const struct history *h = search->h;
	const struct call *c = &h->call[s->task[task].call];
	struct state next = *s;

	if (spec_act(h, &next, task) && go_on(search, &next))
		return true;
	for (int step = NUMBER_GONE; step <= HANDLE_GONE; step <<= 1) {
		next = *s;
		if (spec_drop(h, &next, task, step) && go_on(search, &next))
			return true;
	}
	next = *s;
	if (spec_fail(h, &next, task, deadline_is_over(search, s, c->until)) &&
	    go_on(search, &next))
		return true;
	for (int i = 0; i < c->nr; i++) {
		next = *s;
		if (is_worth_entering(search, s, task, i) && spec_enter(h, &next, task, i) &&
		    go_on(search, &next))
			return true;
		next = *s;
		if (spec_pass_over(h, &next, task, i) && go_on(search, &next))
			return true;
	}
	return false;
}

static bool try_decided(struct search *search, const struct state *s, int task)
{
	const struct call *c = &search->h->call[s->task[task].call];
	struct state next;

	for (int i = 0; i < c->nr; i++) {
		next = *s;
		if (spec_leave(search->h, &next, task, i) && go_on(search, &next))
			return true;
	}
	return false;
}

static bool try_steps_of(struct search *search, const struct state *s, int task)
{
	struct state next = *s;

	if (s->task[task].phase == AWAY)
		return false;
	if (!s->task[task].gave_back && spec_give_back(search->h, &next, task) &&
	    go_on(search, &next))
		return true;
	next = *s;
	if (spec_take(search->h, &next, task) && go_on(search, &next))
		return true;
	return s->task[task].phase == OPEN ? try_open(search, s, task) :
	       try_decided(search, s, task);
}

/* The next event; what it needs is that a call which returns is over. */
static bool try_event(struct search *search, const struct state *s)
{
	const struct event *event = &search->event[s->position];
	int task = search->h->call[event->call].task;
	struct state next = *s;

	next.position++;
	if (!event->response)
		spec_invoke(search->h, &next, event->call);
	else if (spec_is_over(search->h, s, task))
		spec_return(&next, task);
	else
		return false;
	return go_on(search, &next);
}

/* Whether the rest of the history can be explained from here. */
static bool go_on(struct search *search, const struct state *s)
{
	if (search->states == MOST_STATES || !is_new(search, s))
		return false;
	if (s->position > search->furthest)
		search->furthest = s->position;
	if (s->position == search->events || try_event(search, s))
		return true;
	for (int i = 0; i < search->h->tasks; i++)
		if (try_steps_of(search, s, i))
			return true;
	return false;
}

/**
 * history_judge() - can a history have happened?
 * @h: the history
 */
struct judgement history_judge(const struct history *h)
{
	struct search search = { .h = h };
	struct judgement judgement;
	struct state s;
	bool explained;

	list_events(&search);
	spec_start(h, &s);
	explained = go_on(&search, &s);
	forget_all(&search);
	judgement = (struct judgement){ .states = search.states };
	if (explained) {
		judgement.verdict = EXPLAINED;
	} else if (search.states == MOST_STATES) {
		judgement.verdict = GIVEN_UP;
	} else {
		judgement.verdict = IMPOSSIBLE;
		judgement.stuck = search.event[search.furthest].stamp;
	}
	return judgement;
}
