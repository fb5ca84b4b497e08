// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz guided and minimize: traces that reach new edges of the module are kept, and
 * changed, and joined with others.
 */

#include <stdint.h>
#include <dirent.h>
#include <getopt.h>
#include "kchan_util.h"

#include "commands.h"
#include "generate.h"
#include "pool.h"
#include "random.h"
#include "report.h"

#define LONGEST	120	/* steps of a trace that is changed */
#define SKIPPED	4	/* kselftest's exit status */

struct hunt {
	__u64 seed;
	__s64 end;
	__s64 seconds;
	bool print_corpus;
	unsigned int most;	/* traces in the corpus that is printed */
	int nr_paths;
	char **paths;
	struct pool *pool;
};

/* ---- changing a trace ---- */

static void insert(struct trace *t, unsigned int at, const struct step *steps, unsigned int n)
{
	if (t->nr + n > LONGEST)
		return;
	memmove(t->steps + at + n, t->steps + at, (t->nr - at) * sizeof(t->steps[0]));
	memcpy(t->steps + at, steps, n * sizeof(t->steps[0]));
	t->nr += n;
}

/* New steps that make sense behind those before them. */
static void insert_new(struct trace *t, unsigned int at, unsigned int n, __u64 *random)
{
	static struct trace fresh;
	struct generator g;

	generator_init(&g, next_random(random));
	g.messages = below(random, 1000);
	for (unsigned int i = 0; i < at; i++)
		believe(&g, &t->steps[i]);
	for (fresh.nr = 0; fresh.nr < n;)
		generate(&g, &fresh);
	insert(t, at, fresh.steps, fresh.nr);
}

static void take_out(struct trace *t, __u64 *random)
{
	unsigned int from = below(random, t->nr), n = 1 + below(random, 4);

	if (n > t->nr - from)
		n = t->nr - from;
	memmove(t->steps + from, t->steps + from + n, (t->nr - from - n) * sizeof(t->steps[0]));
	t->nr -= n;
}

static void repeat(struct trace *t, __u64 *random)
{
	static struct step copy[LONGEST];
	unsigned int from = below(random, t->nr), n = 1 + below(random, 6);

	if (n > t->nr - from)
		n = t->nr - from;
	memcpy(copy, t->steps + from, n * sizeof(copy[0]));
	insert(t, below(random, t->nr + 1), copy, n);
}

static void change_field(struct trace *t, __u64 *random)
{
	struct step *s = &t->steps[below(random, t->nr)];
	const struct step *other = &t->steps[below(random, t->nr)];
	enum field field = below(random, NR_FIELDS);
	struct generator g;

	generator_init(&g, next_random(random));
	if (chance(random, 40))
		spoil(&g, s);
	else if (chance(random, 40))
		s->f[field] = other->f[field];
	else if (chance(random, 50))
		s->f[field] = default_of(field);
	else if (field == ON || field == TO || field == LOCK || field == PARENT ||
		 field == ANSWER || field == TOLD || (field >= FIRST && field <= FOURTH))
		s->f[field] = below(random, PLACES);
}

/* The beginning of one and the end of another. */
static void join_traces(struct trace *t, const struct pool *pool, __u64 *random)
{
	static struct trace other;
	unsigned int from;

	get_trace(pool, below(random, pool->nr), &other);
	if (!other.nr)
		return;
	from = below(random, other.nr);
	t->nr = below(random, t->nr + 1);
	insert(t, t->nr, other.steps + from, other.nr - from);
}

static void change(struct trace *t, const struct pool *pool, __u64 *random)
{
	for (unsigned int n = 1 + below(random, 4); n; n--) {
		unsigned int dice = below(random, 100);

		if (dice < 35 || !t->nr)
			insert_new(t, t->nr, 1 + below(random, 12), random);
		else if (dice < 50)
			insert_new(t, below(random, t->nr), 1 + below(random, 3), random);
		else if (dice < 65)
			take_out(t, random);
		else if (dice < 75)
			repeat(t, random);
		else if (dice < 92)
			change_field(t, random);
		else
			join_traces(t, pool, random);
	}
}

/* Deadlines that are neither past nor far away are no part of what we know. */
static void tame(struct trace *t)
{
	for (unsigned int i = 0; i < t->nr; i++) {
		__s64 deadline = t->steps[i].f[DEADLINE];

		if (deadline > NSEC_PER_SEC && deadline < 4000000000000000000ll)
			t->steps[i].f[DEADLINE] = 0;
	}
}

static void next_trace(struct trace *t, const struct pool *pool, __u64 *random)
{
	t->nr = 0;
	if (pool->nr && chance(random, 80)) {
		/* What was found late has been tried less. */
		unsigned int a = below(random, pool->nr), b = below(random, pool->nr);

		get_trace(pool, a > b ? a : b, t);
		if (t->nr > LONGEST)
			t->nr = LONGEST;
		change(t, pool, random);
	} else {
		insert_new(t, 0, 5 + below(random, 80), random);
	}
	tame(t);
}

/* ---- the hunt ---- */

static bool load_paths(const struct hunt *h, struct score *score)
{
	for (int i = 0; i < h->nr_paths; i++)
		if (!load_into(h->pool, h->paths[i], score))
			return false;
	return true;
}

static void print_corpus(const struct hunt *h, struct score *score)
{
	if (h->print_corpus)
		print_small_corpus(h->pool, h->most, now() + h->seconds * NSEC_PER_SEC, score);
	fflush(stdout);
}

static bool hunt(void *arg, struct score *score)
{
	const struct hunt *h = arg;
	__u64 random = scramble(h->seed);

	if (!cover_open() || !load_paths(h, score))
		return false;
	while (now() < h->end) {
		next_trace(&score->trace, h->pool, &random);
		if (!play_and_keep(h->pool, &score->trace, score))
			return false;
		score->rounds++;
	}
	print_corpus(h, score);
	return true;
}

static bool minimize(void *arg, struct score *score)
{
	const struct hunt *h = arg;

	if (!cover_open() || !load_paths(h, score))
		return false;
	print_corpus(h, score);
	return true;
}

static int usage(const char *name)
{
	fprintf(stderr, "usage: fuzz %s [--seed N] [--seconds N] [--print-corpus] [--most N] "
		"[FILE...]\n", name);
	return 2;
}

static bool read_options(struct hunt *h, int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", 1, NULL, 's' }, { "seconds", 1, NULL, 't' }, { "most", 1, NULL, 'm' },
		{ "print-corpus", 0, NULL, 'p' }, { }
	};
	__s64 seconds = 10;
	int c;

	*h = (struct hunt){ .seed = seed_of_now(), .most = 50 };
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's': h->seed = strtoull(optarg, NULL, 0); break;
		case 't': seconds = strtol(optarg, NULL, 0); break;
		case 'm': h->most = strtoul(optarg, NULL, 0); break;
		case 'p': h->print_corpus = true; break;
		default: return false;
		}
	}
	h->seconds = seconds;
	h->end = now() + seconds * NSEC_PER_SEC;
	h->nr_paths = argc - optind;
	h->paths = argv + optind;
	h->pool = new_pool();
	return true;
}

static int run_hunt(struct hunt *h, bool (*body)(void *, struct score *))
{
	struct score *score = new_score();

	if (!cover_exists()) {
		printf("# guided: this kernel has no KCOV\n");
		return SKIPPED;
	}
	if (play_apart(body, h, score, 60)) {
		printf("# guided: seed %llu, %lu executions, %lu operations, %u edges, %u traces "
		       "kept\n", h->seed, score->rounds, score->steps,
		       count_edges(h->pool->edges), h->pool->nr);
		return 0;
	}
	printf("# guided: seed %llu, execution %lu: %s\n", h->seed, score->rounds, score->why);
	report_found(&score->trace, score->why, NULL, "guided", h->seed);
	return 1;
}

int guided_main(int argc, char **argv)
{
	struct hunt h;

	return read_options(&h, argc, argv) ? run_hunt(&h, hunt) : usage("guided");
}

int minimize_main(int argc, char **argv)
{
	struct hunt h;

	if (!read_options(&h, argc, argv))
		return usage("minimize");
	h.print_corpus = true;
	return run_hunt(&h, minimize);
}
