/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random steps.  What they make sense of is only what was asked for before, never
 * what came of it: so a seed gives the same steps every time.
 */
#ifndef GENERATE_H
#define GENERATE_H

#include "trace.h"

/* What a place is believed to hold. */
struct belief {
	__u32 kind;		/* 0: nothing */
	__u32 rights;
	__u32 elem_size;
	__u64 limit;
	bool mapped;
	__u32 handles;
	bool cargo;		/* its messages have handles, or are stamped */
	__u32 sent;		/* the kind of the handle that was sent last */
};

struct generator {
	__u64 random;
	__u64 messages;
	unsigned int bad_input;	/* of so many calls in a hundred */
	struct belief places[PLACES];
};

void generator_init(struct generator *g, __u64 seed);

/* Adds a step to @t, and its cases if it is a select; false when it is full. */
bool generate(struct generator *g, struct trace *t);

/* Steps that somebody else made. */
void believe(struct generator *g, const struct step *s);

/* Changes one field of a step into something. */
void spoil(struct generator *g, struct step *s);

#endif /* GENERATE_H */
