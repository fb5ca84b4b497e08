// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shrinking: take steps out, many at first and then single ones, and then give fields
 * their usual values, as long as something still goes wrong.  Each attempt is a child
 * of its own, with objects of its own.
 */

#include <string.h>
#include <linux/kchan.h>

#include "shrink.h"

/* What a select chooses is random, and may be needed for it to show. */
static int tries_of(const struct trace *t)
{
	for (unsigned int i = 0; i < t->nr; i++)
		if (t->steps[i].call == SELECT && cases_of(t, i) > 1 &&
		    !(t->steps[i].f[FLAGS] & KCHAN_IN_ORDER))
			return 3;
	return 1;
}

static bool fails(const struct trace *t, struct score *score)
{
	int tries = tries_of(t);

	for (int i = 0; i < tries; i++)
		if (!play_trace_apart(t, score))
			return true;
	return false;
}

/* Nothing after the step that failed matters, but for its cases. */
static void cut_end(struct trace *t, const struct score *score)
{
	unsigned int end = score->at + 1 + cases_of(t, score->at);

	if (end < t->nr)
		t->nr = end;
}

static bool without(struct trace *t, unsigned int from, unsigned int n, struct score *score)
{
	static struct trace smaller;

	smaller.nr = t->nr - n;
	memcpy(smaller.steps, t->steps, from * sizeof(t->steps[0]));
	memcpy(smaller.steps + from, t->steps + from + n,
	       (t->nr - from - n) * sizeof(t->steps[0]));
	if (!fails(&smaller, score))
		return false;
	cut_end(&smaller, score);
	t->nr = smaller.nr;
	memcpy(t->steps, smaller.steps, smaller.nr * sizeof(t->steps[0]));
	return true;
}

/* The places that a step is about, a bit each. */
static __u32 places_of(const struct step *s)
{
	static const enum field fields[] = {
		ON, TO, PARENT, LOCK, ANSWER, TOLD, FIRST, SECOND, THIRD, FOURTH,
	};
	__u32 places = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (s->f[fields[i]] >= FIRST_PLACE)
			places |= 1u << s->f[fields[i]];
	return places;
}

static bool keep_only(struct trace *t, __u32 places, struct score *score)
{
	static struct trace smaller;

	smaller.nr = 0;
	for (unsigned int i = 0; i < t->nr; i++)
		if (places_of(&t->steps[i]) & places || t->steps[i].call == SELECT)
			smaller.steps[smaller.nr++] = t->steps[i];
	if (smaller.nr == t->nr || !fails(&smaller, score))
		return false;
	cut_end(&smaller, score);
	*t = smaller;
	return true;
}

/* A quick beginning: what has nothing to do with what failed, more and more widely. */
static void take_out_strangers(struct trace *t, struct score *score)
{
	__u32 places = score->place ? 1u << score->place : 0;
	unsigned int n = score->at < t->nr ? cases_of(t, score->at) : 0;

	for (unsigned int i = score->at; i < t->nr && i <= score->at + n; i++)
		places |= places_of(&t->steps[i]);
	for (int wider = 0; wider < 3; wider++) {
		__u32 others = 0;

		if (keep_only(t, places, score))
			return;
		for (unsigned int i = 0; i < t->nr; i++)
			if (places_of(&t->steps[i]) & places)
				others |= places_of(&t->steps[i]);
		places |= others;
	}
}

/* Returns whether any step could be taken out. */
static bool take_out_steps(struct trace *t, struct score *score)
{
	bool any = false;

	for (unsigned int n = t->nr / 2; n; n /= 2) {
		unsigned int end = t->nr;

		/* From the end: what comes last depends on what was before. */
		while (end) {
			unsigned int from = end > n ? end - n : 0;

			if (without(t, from, end - from, score)) {
				any = true;
				if (from > t->nr)
					from = t->nr;
			}
			end = from;
		}
	}
	return any;
}

static bool with_value(struct trace *t, unsigned int i, enum field field, __u64 value,
		       struct score *score)
{
	__u64 before = t->steps[i].f[field];

	if (before == value)
		return false;
	t->steps[i].f[field] = value;
	if (fails(t, score))
		return true;
	t->steps[i].f[field] = before;
	return false;
}

/* Numbers that may be smaller without being as usual. */
static bool is_quantity(enum field field)
{
	return field == ELEM_SIZE || field == CAPACITY || field == LIMIT || field == REPEAT ||
	       field == ARG || field == VALUE || field == MESSAGE || field == INDEX ||
	       field == MIN || field == MAX || field == BAD || field == HANDLES ||
	       field == DEPTH;
}

static bool simplify_fields(struct trace *t, struct score *score)
{
	bool any = false;

	for (unsigned int i = 0; i < t->nr; i++) {
		for (int k = 0; k < NR_FIELDS; k++) {
			__u64 value = t->steps[i].f[k];

			if (is_default(k, value))
				continue;
			if (with_value(t, i, k, default_of(k), score))
				any = true;
			else if (is_quantity(k) && value > 1)
				any |= with_value(t, i, k, 1, score);
		}
	}
	return any;
}

bool shrink(struct trace *t, struct score *score)
{
	if (!fails(t, score))
		return false;
	cut_end(t, score);
	take_out_strangers(t, score);
	while (take_out_steps(t, score))
		;
	while (simplify_fields(t, score) && take_out_steps(t, score))
		;
	/* The last attempt that failed need not have been the last of all. */
	return fails(t, score);
}
