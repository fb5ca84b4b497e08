// SPDX-License-Identifier: GPL-2.0-only
/* Traces and the edges that they reach; see pool.h. */

#include <stdint.h>
#include "kchan_util.h"

#include "pool.h"
#include "report.h"

struct pool *new_pool(void)
{
	return shared_alloc(sizeof(struct pool));
}

void get_trace(const struct pool *pool, unsigned int i, struct trace *t)
{
	const struct kept *k = &pool->traces[i];

	t->nr = k->nr;
	memcpy(t->steps, pool->steps + k->first, k->nr * sizeof(t->steps[0]));
}

unsigned int count_edges(const __u8 *edges)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < EDGES / 8; i++)
		n += __builtin_popcount(edges[i]);
	return n;
}

/* How many edges of @edges are not in @known. */
static unsigned int count_new(const __u8 *edges, const __u8 *known)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < EDGES / 8; i++)
		n += __builtin_popcount(edges[i] & ~known[i]);
	return n;
}

static void unite(__u8 *to, const __u8 *from)
{
	for (unsigned int i = 0; i < EDGES / 8; i++)
		to[i] |= from[i];
}

static bool has_all(const __u8 *edges, const __u8 *wanted)
{
	for (unsigned int i = 0; i < EDGES / 8; i++)
		if (wanted[i] & ~edges[i])
			return false;
	return true;
}

bool keep_if_new(struct pool *pool, const struct trace *t, const __u8 *edges)
{
	struct kept *k = &pool->traces[pool->nr];

	if (pool->nr == POOL_TRACES || pool->nr_steps + t->nr > POOL_STEPS ||
	    !count_new(edges, pool->edges))
		return false;
	k->first = pool->nr_steps;
	k->nr = t->nr;
	memcpy(k->edges, edges, sizeof(k->edges));
	memcpy(pool->steps + k->first, t->steps, t->nr * sizeof(t->steps[0]));
	pool->nr_steps += t->nr;
	unite(pool->edges, edges);
	pool->nr++;
	return true;
}

bool play_and_keep(struct pool *pool, const struct trace *t, struct score *score)
{
	cover_reset();
	if (!play_trace(t, score))
		return false;
	keep_if_new(pool, t, cover_seen);
	return true;
}

bool load_into(struct pool *pool, const char *path, struct score *score)
{
	const char *name = strrchr(path, '/');
	unsigned int before = pool->nr;

	name = name ? name + 1 : path;
	if (!load_trace(path, &score->trace))
		return false;
	if (play_and_keep(pool, &score->trace, score)) {
		if (pool->nr > before)
			pool->traces[before].by_hand = *name < '0' || *name > '9';
		return true;
	}
	printf("# %s, step %u: %s\n", path, score->at + 1, score->why);
	return false;
}

/* ---- a small corpus ---- */

/* The trace that adds most edges for its length. */
static int best_trace(const struct pool *pool, const __u8 *known)
{
	double best = 0;
	int which = -1;

	for (unsigned int i = 0; i < pool->nr; i++) {
		const struct kept *k = &pool->traces[i];
		double worth = count_new(k->edges, known) / (k->nr + 20.0);

		if (worth > best) {
			best = worth;
			which = i;
		}
	}
	return which;
}

static bool still_reaches(const struct trace *t, const __u8 *wanted, struct score *score)
{
	cover_reset();
	return play_trace(t, score) && has_all(cover_seen, wanted);
}

static void cut_out(struct trace *t, unsigned int from, unsigned int n)
{
	memmove(t->steps + from, t->steps + from + n, (t->nr - from - n) * sizeof(t->steps[0]));
	t->nr -= n;
}

/* Takes steps out as long as all @wanted edges are reached. */
static void reduce(struct trace *t, const __u8 *wanted, __s64 stop, struct score *score)
{
	static struct trace smaller;

	for (unsigned int n = t->nr / 2; n; n /= 2) {
		for (unsigned int end = t->nr; end && now() < stop; end = end > n ? end - n : 0) {
			unsigned int from = end > n ? end - n : 0;

			smaller = *t;
			cut_out(&smaller, from, end - from);
			if (still_reaches(&smaller, wanted, score))
				*t = smaller;
		}
	}
}

void print_small_corpus(const struct pool *pool, unsigned int most, __s64 end,
			struct score *score)
{
	static __u8 known[EDGES / 8], wanted[EDGES / 8];
	static struct trace t;
	unsigned int printed = 0;
	char path[64];
	int i;

	memset(known, 0, sizeof(known));
	for (unsigned int k = 0; k < pool->nr; k++)
		if (pool->traces[k].by_hand)
			unite(known, pool->traces[k].edges);
	while (printed < most && (i = best_trace(pool, known)) >= 0) {
		get_trace(pool, i, &t);
		for (unsigned int k = 0; k < sizeof(wanted); k++)
			wanted[k] = pool->traces[i].edges[k] & ~known[k];
		/* What is not reached every time cannot be a reason to keep a step. */
		cover_reset();
		if (play_trace(&t, score))
			for (unsigned int k = 0; k < sizeof(wanted); k++)
				wanted[k] &= cover_seen[k];
		reduce(&t, wanted, end, score);
		unite(known, pool->traces[i].edges);
		snprintf(path, sizeof(path), "corpus/%03u", ++printed);
		print_framed(path, &t, NULL);
	}
	printf("# corpus: %u traces, and those written by hand, reach %u of %u edges\n",
	       printed, count_edges(known), count_edges(pool->edges));
}
