// SPDX-License-Identifier: GPL-2.0-only
/* Traces as text; trace.h describes it. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kchan.h>

#include "trace.h"

static const char *const call_names[NR_CALLS] = {
	[CREATE_CHAN] = "create_chan", [CREATE] = "create", [RESTRICT] = "restrict",
	[DUP] = "dup", [CLOSE] = "close", [PASS] = "pass", [SET_NONBLOCK] = "set_nonblock",
	[SEND] = "send", [RECV] = "recv", [WRITE] = "write", [READ] = "read",
	[SEND_BATCH] = "send_batch", [RECV_BATCH] = "recv_batch", [CALL] = "call",
	[CLOSE_CHAN] = "close_chan", [CLOSE_WITH] = "close_with", [WAIT] = "wait",
	[SELECT] = "select", [CASE] = "case", [DONE] = "done", [TOKEN] = "token",
	[UNLOCK] = "unlock", [CONSISTENT] = "consistent", [SIGNAL] = "signal",
	[CANCEL] = "cancel", [TIMER] = "timer", [WATCH] = "watch", [STAT] = "stat",
	[FEATURES] = "features", [MAP] = "map", [UNMAP] = "unmap", [STORE] = "store",
	[UNKNOWN] = "unknown", [PARK] = "park", [UNPARK] = "unpark",
};

struct name {
	const char *name;
	__u64 value;
};

static const struct name flag_names[] = {
	{ "nonblock", KCHAN_NONBLOCK }, { "deadline", KCHAN_DEADLINE },
	{ "realtime", KCHAN_CLOCK_REALTIME }, { "boottime", KCHAN_CLOCK_BOOTTIME },
	{ "in_order", KCHAN_IN_ORDER }, { "ready", KCHAN_READY }, { "child", KCHAN_CHILD },
	{ "vector", KCHAN_VECTOR }, { "stamped", KCHAN_STAMPED },
	{ }
};

static const struct name right_names[] = {
	{ "send", KCHAN_RIGHT_SEND }, { "recv", KCHAN_RIGHT_RECV }, { }
};

static const struct name kind_names[] = {
	{ "chan", KCHAN_KIND_CHAN }, { "waitgroup", KCHAN_KIND_WAITGROUP },
	{ "semaphore", KCHAN_KIND_SEMAPHORE }, { "token", KCHAN_KIND_TOKEN },
	{ "mutex", KCHAN_KIND_MUTEX }, { "rwmutex", KCHAN_KIND_RWMUTEX },
	{ "once", KCHAN_KIND_ONCE }, { "cond", KCHAN_KIND_COND },
	{ "timer", KCHAN_KIND_TIMER }, { "cells", KCHAN_KIND_CELLS },
	{ "cancel", KCHAN_KIND_CANCEL }, { }
};

static const struct name policy_names[] = {
	{ "block", KCHAN_POLICY_BLOCK }, { "drop_newest", KCHAN_POLICY_DROP_NEWEST },
	{ "drop_oldest", KCHAN_POLICY_DROP_OLDEST }, { "latest", KCHAN_POLICY_LATEST }, { }
};

static const struct name op_names[] = {
	{ "send", KCHAN_OP_SEND }, { "recv", KCHAN_OP_RECV }, { "add", KCHAN_OP_ADD },
	{ "zero", KCHAN_OP_ZERO }, { "lock", KCHAN_OP_LOCK }, { "rlock", KCHAN_OP_RLOCK },
	{ "tick", KCHAN_OP_TICK }, { "differs", KCHAN_OP_DIFFERS },
	{ "cancelled", KCHAN_OP_CANCELLED }, { "cond", KCHAN_OP_COND }, { }
};

static const struct name memory_names[] = {
	{ "good", GOOD }, { "straddle", STRADDLE }, { "absent", ABSENT },
	{ "readonly", READONLY }, { "null", NULL_POINTER }, { "unmapped", UNMAPPED },
	{ "cut", CUT }, { "noaccess", NO_ACCESS }, { "kernel", KERNEL },
	{ "noncanonical", NONCANONICAL }, { }
};

enum type { NUMBER, SIGNED, PLACE, NAME, BITS };

static const struct {
	const char *name;
	enum type type;
	const struct name *names;
	__u64 usual;
} fields[NR_FIELDS] = {
	[ON] = { "on", PLACE, NULL, 0 },
	[TO] = { "to", PLACE, NULL, 0 },
	[PARENT] = { "parent", PLACE, NULL, 0 },
	[LOCK] = { "lock", PLACE, NULL, 0 },
	[FLAGS] = { "flags", BITS, flag_names, 0 },
	[KIND] = { "kind", NAME, kind_names, 0 },
	[ELEM_SIZE] = { "elem_size", NUMBER, NULL, 0 },
	[CAPACITY] = { "capacity", NUMBER, NULL, 0 },
	[POLICY] = { "policy", NAME, policy_names, KCHAN_POLICY_BLOCK },
	[LIMIT] = { "limit", NUMBER, NULL, 0 },
	[RIGHTS] = { "rights", BITS, right_names, 0 },
	[OP] = { "op", NAME, op_names, 0 },
	[INDEX] = { "index", NUMBER, NULL, 0 },
	[ARG] = { "arg", NUMBER, NULL, 0 },
	[DEADLINE] = { "deadline", SIGNED, NULL, 0 },
	[PERIOD] = { "period", SIGNED, NULL, 0 },
	[VALUE] = { "value", SIGNED, NULL, 0 },
	[RESERVED] = { "reserved", NUMBER, NULL, 0 },
	[MESSAGE] = { "message", NUMBER, NULL, 0 },
	[LEN] = { "len", NUMBER, NULL, RIGHT },
	[MEM] = { "mem", NAME, memory_names, GOOD },
	[AT] = { "at", NAME, memory_names, GOOD },
	[SIZE] = { "size", NUMBER, NULL, RIGHT },
	[TAIL] = { "tail", NUMBER, NULL, 0 },
	[CASES_AT] = { "cases_at", NAME, memory_names, GOOD },
	[NR] = { "nr", NUMBER, NULL, RIGHT },
	[CASE_SIZE] = { "case_size", NUMBER, NULL, RIGHT },
	[REPEAT] = { "repeat", NUMBER, NULL, 1 },
	[CHILD] = { "child", NUMBER, NULL, 0 },
	[FULL] = { "full", NUMBER, NULL, 0 },
	[CMD] = { "cmd", NUMBER, NULL, 0 },
	[PEER] = { "peer", NUMBER, NULL, 0 },
	[MIN] = { "min", NUMBER, NULL, 0 },
	[MAX] = { "max", NUMBER, NULL, 1 },
	[BAD] = { "bad", NUMBER, NULL, RIGHT },
	[ANSWER] = { "answer", PLACE, NULL, 0 },
	[ANSWER_LEN] = { "answer_len", NUMBER, NULL, RIGHT },
	[ANSWER_MEM] = { "answer_mem", NAME, memory_names, GOOD },
	[SENT] = { "sent", NUMBER, NULL, 0 },
	[HANDLES] = { "handles", NUMBER, NULL, 0 },
	[DEPTH] = { "depth", NUMBER, NULL, 0 },
	[ANCILLARY] = { "ancillary", NAME, memory_names, RIGHT },
	[TOLD] = { "told", PLACE, NULL, 0 },
	[FIRST] = { "first", PLACE, NULL, 0 },
	[SECOND] = { "second", PLACE, NULL, 0 },
	[THIRD] = { "third", PLACE, NULL, 0 },
	[FOURTH] = { "fourth", PLACE, NULL, 0 },
};

__u64 default_of(enum field field)
{
	return fields[field].usual;
}

bool is_default(enum field field, __u64 value)
{
	return value == fields[field].usual;
}

struct step new_step(enum call call)
{
	struct step s = { .call = call };

	for (int i = 0; i < NR_FIELDS; i++)
		s.f[i] = fields[i].usual;
	return s;
}

unsigned int cases_of(const struct trace *t, unsigned int i)
{
	unsigned int n = 0;

	while (i + 1 + n < t->nr && t->steps[i + 1 + n].call == CASE)
		n++;
	return n;
}

/* ---- out ---- */

static void print_bits(FILE *to, const struct name *names, __u64 value)
{
	const char *between = "";

	for (; names->name; names++) {
		if (!(value & names->value))
			continue;
		fprintf(to, "%s%s", between, names->name);
		value &= ~names->value;
		between = "|";
	}
	if (value)
		fprintf(to, "%s0x%llx", between, value);
}

static void print_name(FILE *to, const struct name *names, __u64 value)
{
	for (; names->name; names++) {
		if (names->value == value) {
			fputs(names->name, to);
			return;
		}
	}
	fprintf(to, "%llu", value);
}

static void print_field(FILE *to, enum field field, __u64 value)
{
	fprintf(to, " %s=", fields[field].name);
	switch (fields[field].type) {
	case NUMBER:
		fprintf(to, "%llu", value);
		break;
	case SIGNED:
		fprintf(to, "%lld", (__s64)value);
		break;
	case PLACE:
		fprintf(to, "h%llu", value);
		break;
	case NAME:
		print_name(to, fields[field].names, value);
		break;
	case BITS:
		print_bits(to, fields[field].names, value);
		break;
	}
}

void print_step(FILE *to, const struct step *s)
{
	fputs(call_names[s->call], to);
	for (int i = 0; i < NR_FIELDS; i++)
		if (!is_default(i, s->f[i]))
			print_field(to, i, s->f[i]);
	fputc('\n', to);
}

void print_trace(FILE *to, const struct trace *t)
{
	for (unsigned int i = 0; i < t->nr; i++)
		print_step(to, &t->steps[i]);
}

bool save_trace(const char *path, const struct trace *t, const char *comment)
{
	FILE *f = fopen(path, "w");

	if (!f) {
		fprintf(stderr, "fuzz: cannot write %s: %s\n", path, strerror(errno));
		return false;
	}
	fprintf(f, "# SPDX-License-Identifier: GPL-2.0-only\n");
	if (comment)
		fprintf(f, "# %s\n", comment);
	print_trace(f, t);
	return !fclose(f);
}

/* ---- in ---- */

static bool read_number(const char *text, __u64 *value)
{
	char *end;

	errno = 0;
	*value = *text == '-' ? (__u64)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	return *text && !*end && !errno;
}

static bool read_name(const struct name *names, const char *text, __u64 *value)
{
	for (; names->name; names++) {
		if (!strcmp(names->name, text)) {
			*value = names->value;
			return true;
		}
	}
	return read_number(text, value);
}

static bool read_bits(const struct name *names, char *text, __u64 *value)
{
	char *rest;
	__u64 one;

	*value = 0;
	for (char *word = strtok_r(text, "|", &rest); word; word = strtok_r(NULL, "|", &rest)) {
		if (!read_name(names, word, &one))
			return false;
		*value |= one;
	}
	return true;
}

static bool read_value(enum field field, char *text, __u64 *value)
{
	if (field == PEER)
		return read_number(text, value) && *value < PEERS;
	switch (fields[field].type) {
	case PLACE:
		return *text == 'h' && read_number(text + 1, value) && *value < PLACES;
	case NAME:
		if (!read_name(fields[field].names, text, value))
			return false;
		return fields[field].names != memory_names || *value < NR_MEMORY;
	case BITS:
		return read_bits(fields[field].names, text, value);
	default:
		return read_number(text, value);
	}
}

static bool read_field(char *word, struct step *s)
{
	char *is = strchr(word, '=');

	if (!is)
		return false;
	*is = 0;
	for (int i = 0; i < NR_FIELDS; i++)
		if (!strcmp(word, fields[i].name))
			return read_value(i, is + 1, &s->f[i]);
	return false;
}

static bool read_step(char *line, struct step *s)
{
	char *rest, *word = strtok_r(line, " \t\n", &rest);
	int call = 0;

	while (call < NR_CALLS && strcmp(word, call_names[call]))
		call++;
	if (call == NR_CALLS)
		return false;
	*s = new_step(call);
	while ((word = strtok_r(NULL, " \t\n", &rest)))
		if (!read_field(word, s))
			return false;
	return true;
}

bool read_trace(FILE *from, const char *name, struct trace *t)
{
	char line[1024];

	t->nr = 0;
	for (int number = 1; fgets(line, sizeof(line), from); number++) {
		line[strcspn(line, "#")] = 0;
		if (!line[strspn(line, " \t\n")])
			continue;
		if (t->nr == MAX_STEPS) {
			fprintf(stderr, "fuzz: %s has more than %d steps\n", name, MAX_STEPS);
			return false;
		}
		if (!read_step(line, &t->steps[t->nr++])) {
			fprintf(stderr, "fuzz: %s:%d: no step of a trace\n", name, number);
			return false;
		}
	}
	return true;
}

bool load_trace(const char *path, struct trace *t)
{
	FILE *f = fopen(path, "r");
	bool good;

	if (!f) {
		fprintf(stderr, "fuzz: cannot read %s: %s\n", path, strerror(errno));
		return false;
	}
	good = read_trace(f, path, t);
	fclose(f);
	return good;
}

const char *show_result(long ret)
{
	static char texts[8][32];
	static int turn;
	char *text = texts[turn++ % 8];
	const char *name = ret < 0 ? strerrorname_np(-ret) : NULL;

	if (name)
		snprintf(text, sizeof(texts[0]), "-%s", name);
	else if (ret >> KCHAN_OUTCOME_SHIFT > 0)
		snprintf(text, sizeof(texts[0]), "%ld<<16|%ld", ret >> KCHAN_OUTCOME_SHIFT,
			 ret & ((1 << KCHAN_OUTCOME_SHIFT) - 1));
	else
		snprintf(text, sizeof(texts[0]), "%ld", ret);
	return text;
}
