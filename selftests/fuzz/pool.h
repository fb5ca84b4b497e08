/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traces worth keeping, each with the edges that it reaches.  Memory is shared, so
 * that what a child has found outlives it.
 */
#ifndef POOL_H
#define POOL_H

#include "cover.h"
#include "play.h"

#define POOL_TRACES	4000
#define POOL_STEPS	200000

struct kept {
	unsigned int first, nr;		/* its steps, in the pool's */
	bool by_hand;
	__u8 edges[EDGES / 8];
};

struct pool {
	unsigned int nr;
	unsigned int nr_steps;
	__u8 edges[EDGES / 8];		/* of all */
	struct kept traces[POOL_TRACES];
	struct step steps[POOL_STEPS];
};

struct pool *new_pool(void);
void get_trace(const struct pool *pool, unsigned int i, struct trace *t);
unsigned int count_edges(const __u8 *edges);

/* Keeps @t if @edges has some that no other has. */
bool keep_if_new(struct pool *pool, const struct trace *t, const __u8 *edges);

/* Plays @t and keeps it if it is worth that; false when something is wrong. */
bool play_and_keep(struct pool *pool, const struct trace *t, struct score *score);

/* Loads a file into the pool; false when it cannot be read, or fails. */
bool load_into(struct pool *pool, const char *path, struct score *score);

/*
 * Prints few small traces, framed, at most @most of them, that reach most of the edges
 * which those written by hand (whose names begin with no digit) do not.
 * What a trace has for others is taken out of it, as long as there is time until @end.
 */
void print_small_corpus(const struct pool *pool, unsigned int most, __s64 end,
			struct score *score);

#endif /* POOL_H */
