/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps done in the kernel and in the model, and both compared after each. */
#ifndef PLAY_H
#define PLAY_H

#include "trace.h"

/* Shared with the child that plays, so that the parent knows where it ended. */
struct score {
	unsigned long steps;		/* done: not those left out */
	unsigned long rounds;
	unsigned int at;		/* the step that is being done */
	int place;			/* whose handle showed what is wrong, or 0 */
	bool found;
	char why[1000];
	struct trace trace;
};

void play_begin(void);

/* Looks at everything once more if it was good so far, and lets go of it. */
bool play_end(const struct trace *t, bool good, struct score *score);

/* Does the step at @i; false when something is wrong, which score->why tells. */
bool play_step(const struct trace *t, unsigned int i, struct score *score);

/* All of a trace, with objects of its own. */
bool play_trace(const struct trace *t, struct score *score);

/*
 * In a forked child, that may take so many seconds for one step; false when it found
 * something, or did not end.
 */
bool play_apart(bool (*play)(void *arg, struct score *score), void *arg, struct score *score,
		int patience);
bool play_trace_apart(const struct trace *t, struct score *score);

struct score *new_score(void);

#endif /* PLAY_H */
