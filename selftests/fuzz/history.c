// SPDX-License-Identifier: GPL-2.0-only
/* Histories as text. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kchan.h>

#include "history.h"

static const char *const kind_names[KINDS] = {
	[CHAN] = "chan", [MUTEX] = "mutex", [RWMUTEX] = "rwmutex", [ONCE] = "once",
	[SEMAPHORE] = "semaphore", [WAITGROUP] = "waitgroup", [COND] = "cond",
	[CANCEL] = "cancel",
};

static const struct verb_text {
	const char *name;
	unsigned int kinds;	/* bit by enum kind */
	bool has_number;
} verbs[VERBS] = {
	[SEND] = { "send", 1 << CHAN, true },
	[RECV] = { "recv", 1 << CHAN, false },
	[ADD] = { "add", 1 << SEMAPHORE | 1 << WAITGROUP, true },
	[ZERO] = { "zero", 1 << SEMAPHORE | 1 << WAITGROUP, false },
	[LOCK] = { "lock", 1 << MUTEX | 1 << RWMUTEX | 1 << ONCE, false },
	[RLOCK] = { "rlock", 1 << RWMUTEX, false },
	[AWAIT_SIGNAL] = { "await-signal", 1 << COND, true },
	[AWAIT_CANCEL] = { "await-cancel", 1 << CANCEL, false },
	[CLOSE] = { "close", 1 << CHAN, false },
	[CLOSE_WITH] = { "close-with", 1 << CHAN, true },
	[DROP_SEND] = { "drop-send", 1 << CHAN, false },
	[DROP_RECV] = { "drop-recv", 1 << CHAN, false },
	[DONE] = { "done", 1 << SEMAPHORE | 1 << WAITGROUP, true },
	[UNLOCK] = { "unlock", 1 << MUTEX | 1 << RWMUTEX | 1 << ONCE, false },
	[RUNLOCK] = { "runlock", 1 << RWMUTEX, false },
	[FINISH] = { "finish", 1 << ONCE, false },
	[SIGNAL] = { "signal", 1 << COND, true },
	[DO_CANCEL] = { "cancel", 1 << CANCEL, true },
	[STAT] = { "stat", (1 << KINDS) - 1, false },
};

/* Of selects, by what else is asked for: 1: in order, 2: ready. */
static const char *const select_names[4] = {
	"select", "select-in-order", "select-ready", "select-in-order-ready",
};

static const struct state_text {
	const char *name;
	unsigned int bit;
} states[] = {
	{ "closed", KCHAN_STATE_CLOSED }, { "no-senders", KCHAN_STATE_NO_SENDERS },
	{ "no-receivers", KCHAN_STATE_NO_RECEIVERS }, { "locked", KCHAN_STATE_LOCKED },
	{ "done", KCHAN_STATE_DONE }, { "cancelled", KCHAN_STATE_CANCELLED },
};

/* By KCHAN_POLICY_*; the usual one is not told. */
static const char *const policies[] = { NULL, "drop-newest", "drop-oldest", "latest" };

/* By whether an earlier call had sent it. */
static const char *const request_names[2] = { "request", "request-again" };

enum { STATES = sizeof(states) / sizeof(states[0]) };

/**
 * verb_fits() - does this kind of object have that operation?
 * @verb: the operation
 * @kind: the kind
 */
bool verb_fits(enum verb verb, enum kind kind)
{
	return verbs[verb].kinds >> kind & 1;
}

/* How many values a call was told. */
static int values_of(const struct call *c)
{
	if (c->form != BATCH)
		return c->value[0] ? 1 : 0;
	if (c->does[0].verb != RECV || c->outcome < 0)
		return 0;
	return c->outcome < c->max ? c->outcome : c->max;
}

/* ---- writing ---- */

static void print_action(const struct action *a, FILE *to)
{
	fprintf(to, " %s %c", verbs[a->verb].name, 'a' + a->object);
	if (a->verb == AWAIT_SIGNAL)
		fprintf(to, " %c", 'a' + a->number);
	else if (verbs[a->verb].has_number)
		fprintf(to, " %d", a->number);
}

static void print_seen(const struct seen *s, FILE *to)
{
	fprintf(to, " length %d waiting %d %d", s->length, s->waiting[0], s->waiting[1]);
	if (s->dropped)
		fprintf(to, " dropped %d", s->dropped);
	if (s->cause)
		fprintf(to, " cause %d", s->cause);
	for (int i = 0; i < STATES; i++)
		if (s->state & states[i].bit)
			fprintf(to, " %s", states[i].name);
}

/* Of a batch, as many as it can have received. */
static void print_values(const struct call *c, FILE *to)
{
	int n = values_of(c);

	if (n)
		fputs(" value", to);
	for (int i = 0; i < n; i++)
		fprintf(to, " %d", c->value[i]);
	if (c->handle)
		fprintf(to, " handle %d", c->handle);
}

static void print_result(const struct call *c, FILE *to)
{
	if (c->form == SELECT && !failed(c))
		fprintf(to, " case %d", c->chosen);
	if (c->outcome < 0)
		fprintf(to, " %s", strerrorname_np(-c->outcome));
	else
		fprintf(to, " %d", c->outcome);
	if (c->sent)
		fputs(" sent", to);
	print_values(c, to);
	if (c->does[0].verb == STAT)
		print_seen(&c->seen, to);
}

static void print_until(const struct call *c, FILE *to)
{
	if (c->does[0].verb > MAY_WAIT)
		fputs(" at-once", to);
	else if (c->until == TRY)
		fputs("     try", to);
	else if (c->until == NO_DEADLINE)
		fputs("   waits", to);
	else
		fprintf(to, "til %4d", c->until);
}

static void print_form(const struct call *c, FILE *to)
{
	if (c->form == SELECT)
		fprintf(to, " %s", select_names[c->in_order + 2 * c->ready]);
	else if (c->form == REQUEST)
		fprintf(to, " %s", request_names[c->again]);
	else if (c->form == BATCH)
		fprintf(to, " batch %d to %d", c->min, c->max);
}

static void print_call(const struct call *c, FILE *to)
{
	fprintf(to, "call %2d to %2d  task %d %*s", c->invoked, c->responded, c->task,
		12 * c->task, "");
	print_until(c, to);
	print_form(c, to);
	for (int i = 0; i < c->nr; i++) {
		if (i)
			fputs(" |", to);
		print_action(&c->does[i], to);
	}
	fputs(" =", to);
	print_result(c, to);
	fputc('\n', to);
}

/**
 * history_print() - write a history
 * @h: the history
 * @to: where to
 */
void history_print(const struct history *h, FILE *to)
{
	fprintf(to, "history seed %llu, %d %s\n", h->seed, h->tasks,
		h->processes ? "processes" : "threads");
	if (h->disturbed)
		fputs("disturbed\n", to);
	for (int i = 0; i < h->objects; i++) {
		const struct object *o = &h->object[i];

		fprintf(to, "object %c %s %d", 'a' + i, kind_names[o->kind], o->limit);
		if (o->kind == CHAN)
			fprintf(to, " senders %d receivers %d", o->handles[0], o->handles[1]);
		if (o->policy)
			fprintf(to, " %s", policies[o->policy]);
		if (o->carries)
			fputs(" carries", to);
		if (o->tells)
			fprintf(to, " tells %c", 'a' + o->tells - 1);
		fputc('\n', to);
	}
	for (int stamp = 0, i; stamp <= MAX_STAMPS; stamp++)
		for (i = 0; i < h->calls; i++)
			if (h->call[i].invoked == stamp)
				print_call(&h->call[i], to);
}

/* ---- reading ---- */

/* The words of one line still to be read. */
struct words {
	char *next;
	const char *wrong;	/* what was expected where it was not */
};

static const char *word(struct words *w)
{
	const char *ret;

	while (isspace((unsigned char)*w->next) || *w->next == ',')
		w->next++;
	ret = w->next;
	while (*w->next && !isspace((unsigned char)*w->next) && *w->next != ',')
		w->next++;
	if (*w->next)
		*w->next++ = 0;
	return ret;
}

/* Whether the next word is this one; only then it is taken. */
static bool take(struct words *w, const char *what)
{
	size_t len = strlen(what);
	char *p = w->next;

	while (isspace((unsigned char)*p) || *p == ',')
		p++;
	if (strncmp(p, what, len) || (p[len] && !isspace((unsigned char)p[len]) && p[len] != ','))
		return false;
	w->next = p + len;
	return true;
}

static void expect(struct words *w, const char *what)
{
	if (!take(w, what) && !w->wrong)
		w->wrong = what;
}

static long number(struct words *w, long least, long most, const char *what)
{
	const char *text = word(w);
	char *end;
	long n = strtol(text, &end, 10);

	if ((end == text || *end || n < least || n > most) && !w->wrong)
		w->wrong = what;
	return n;
}

static int letter(struct words *w, int objects)
{
	const char *text = word(w);

	if (text[0] >= 'a' && text[0] < 'a' + objects && !text[1])
		return text[0] - 'a';
	w->wrong = "the letter of an object";
	return 0;
}

static int result(struct words *w)
{
	const char *text = word(w), *name;
	char *end;
	long n = strtol(text, &end, 10);

	if (end != text && !*end)
		return n;
	for (int e = 1; e < 256; e++) {
		name = strerrorname_np(e);
		if (name && !strcmp(name, text))
			return -e;
	}
	w->wrong = "a result";
	return 0;
}

static void read_action(struct words *w, const struct history *h, struct action *a)
{
	const char *name = word(w);

	for (a->verb = 0; a->verb < VERBS && strcmp(verbs[a->verb].name, name); a->verb++)
		;
	if (a->verb == VERBS) {
		w->wrong = "an operation";
		a->verb = STAT;
		return;
	}
	a->object = letter(w, h->objects);
	if (!verb_fits(a->verb, h->object[a->object].kind))
		w->wrong = "an operation that the object has";
	if (a->verb == AWAIT_SIGNAL)
		a->number = letter(w, h->objects);
	else if (verbs[a->verb].has_number)
		a->number = number(w, 1, INT16_MAX, "a number from 1 on");
}

static void read_seen(struct words *w, struct seen *s)
{
	expect(w, "length");
	s->length = number(w, 0, 255, "a length");
	expect(w, "waiting");
	s->waiting[0] = number(w, 0, 255, "how many wait");
	s->waiting[1] = number(w, 0, 255, "how many wait");
	if (take(w, "dropped"))
		s->dropped = number(w, 1, 255, "how many were discarded");
	if (take(w, "cause"))
		s->cause = number(w, 1, UINT16_MAX, "a cause");
	for (int i = 0; i < STATES; i++)
		if (take(w, states[i].name))
			s->state |= states[i].bit;
}

static void read_result(struct words *w, struct call *c)
{
	c->chosen = c->form == SELECT ? NOTHING : 0;
	if (take(w, "case"))
		c->chosen = number(w, 0, c->nr - 1, "one of the cases");
	c->outcome = result(w);
	if (c->outcome == -EAGAIN || c->outcome == -ETIMEDOUT || c->outcome == -EINTR)
		c->chosen = NOTHING;
	c->sent = c->form == REQUEST && take(w, "sent");
	if (take(w, "value"))
		for (int i = 0; !i || i < values_of(c); i++)
			c->value[i] = number(w, 0, UINT16_MAX, "a value");
	if (take(w, "handle"))
		c->handle = number(w, 1, UINT16_MAX, "a handle");
	if (c->does[0].verb == STAT)
		read_seen(w, &c->seen);
}

static void read_when(struct words *w, const struct history *h, struct call *c)
{
	c->invoked = number(w, 0, MAX_STAMPS, "a stamp");
	expect(w, "to");
	c->responded = number(w, c->invoked + 1, MAX_STAMPS, "a later stamp");
	expect(w, "task");
	c->task = number(w, 0, h->tasks - 1, "one of the tasks");
	c->until = NO_DEADLINE;
	if (take(w, "try"))
		c->until = TRY;
	else if (take(w, "til"))
		c->until = number(w, 0, MAX_STAMPS, "a stamp");
	else if (!take(w, "at-once"))
		expect(w, "waits");
}

static void read_form(struct words *w, struct call *c)
{
	for (int how = 0; how < 4; how++) {
		if (!take(w, select_names[how]))
			continue;
		c->form = SELECT;
		c->in_order = how & 1;
		c->ready = how & 2;
	}
	for (int how = 0; how < 2; how++) {
		if (!take(w, request_names[how]))
			continue;
		c->form = REQUEST;
		c->again = how;
	}
	if (!take(w, "batch"))
		return;
	c->form = BATCH;
	c->min = number(w, 0, MAX_BATCH, "how many at least");
	expect(w, "to");
	c->max = number(w, c->min ? c->min : 1, MAX_BATCH, "how many at most");
}

static int most_actions(const struct call *c)
{
	return c->form == SELECT ? MAX_CASES : c->form == REQUEST ? 2 : 1;
}

static bool actions_fit(const struct call *c)
{
	if (c->form == BATCH)
		return c->does[0].verb == SEND || c->does[0].verb == RECV;
	if (c->form == REQUEST)
		return c->nr == 2 && c->does[0].verb == SEND && c->does[1].verb == RECV;
	return true;
}

static void read_call(struct words *w, struct history *h)
{
	struct call *c = &h->call[h->calls++];

	read_when(w, h, c);
	read_form(w, c);
	do {
		read_action(w, h, &c->does[c->nr++]);
	} while (c->nr < most_actions(c) && take(w, "|"));
	if (!actions_fit(c))
		w->wrong = "actions that belong together so";
	expect(w, "=");
	read_result(w, c);
}

static void read_object(struct words *w, struct history *h)
{
	struct object *o = &h->object[h->objects++];
	const char *name;

	if (letter(w, h->objects) != h->objects - 1)
		w->wrong = "the next letter";
	name = word(w);
	for (o->kind = 0; o->kind < KINDS && strcmp(kind_names[o->kind], name); o->kind++)
		;
	if (o->kind == KINDS) {
		w->wrong = "a kind of object";
		o->kind = CHAN;
	}
	o->limit = number(w, 0, o->kind == CHAN ? MAX_BUFFER : 200, "a small number");
	if (o->kind != CHAN)
		return;
	expect(w, "senders");
	o->handles[0] = number(w, 0, 200, "a small number");
	expect(w, "receivers");
	o->handles[1] = number(w, 0, 200, "a small number");
	for (int i = 1; i <= KCHAN_POLICY_LATEST; i++)
		if (take(w, policies[i]))
			o->policy = i;
	o->carries = take(w, "carries");
	if (take(w, "tells"))
		o->tells = letter(w, h->objects - 1) + 1;
}

static void read_head(struct words *w, struct history *h)
{
	expect(w, "seed");
	h->seed = strtoull(word(w), NULL, 10);
	h->tasks = number(w, 1, MAX_TASKS, "a number of tasks");
	h->processes = take(w, "processes");
	if (!h->processes)
		expect(w, "threads");
}

static void read_line(struct words *w, struct history *h)
{
	if (take(w, "history"))
		read_head(w, h);
	else if (take(w, "disturbed"))
		h->disturbed = true;
	else if (take(w, "object") && h->objects < MAX_OBJECTS)
		read_object(w, h);
	else if (take(w, "call") && h->calls < MAX_CALLS && h->tasks)
		read_call(w, h);
	else
		w->wrong = "'history', then 'object's, then 'call's, not too many";
	if (!w->wrong && *word(w))
		w->wrong = "the end of the line";
}

/**
 * history_read() - read a history
 * @h: to be filled in
 * @from: where it stands; lines that begin with '#' are skipped
 *
 * Return: true; or false, having told on stderr what is wrong
 */
bool history_read(struct history *h, FILE *from)
{
	char line[512];

	memset(h, 0, sizeof(*h));
	for (int n = 1; fgets(line, sizeof(line), from); n++) {
		struct words w = { .next = line };

		line[strcspn(line, "\n")] = 0;
		if (!line[strspn(line, " \t")] || line[0] == '#')
			continue;
		read_line(&w, h);
		if (w.wrong) {
			fprintf(stderr, "line %d of the history: here should be %s\n", n, w.wrong);
			return false;
		}
	}
	return h->calls;
}
