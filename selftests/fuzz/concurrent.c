// SPDX-License-Identifier: GPL-2.0-only
/* fuzz concurrent: histories that are judged exactly, and storms that are not. */
#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "examples.h"
#include "perform.h"
#include "storm.h"

enum { MOST_FINDINGS = 3, MOST_JOBS = 64, JOBS_EACH = 3 };

/**
 * struct work - what is wanted
 * @seed: of the first program
 * @kinds: which objects
 * @kinds_name: as the user said
 * @histories: how many; 0: until the time is over
 * @seconds: how long
 * @repeat: perform the first program so often, and no other; 0: do not
 * @jobs: processes that do this, each with its own objects: while one waits for a
 *	deadline, another has the processor
 * @storms: only storms, or none, or (negative) some
 * @job: which of them this is
 */
struct work {
	__u64 seed;
	unsigned int kinds;
	const char *kinds_name;
	__u64 histories, seconds, repeat, jobs;
	int storms;
	unsigned int job;
};

/**
 * struct tally - what a job has done
 * @histories: performed and judged
 * @calls: made in them
 * @states: looked at by the judge
 * @given_up: histories that it could not judge
 * @findings: that it found impossible, and storms that broke a promise
 * @storm: what those did
 */
struct tally {
	unsigned long histories, calls, states, given_up, findings;
	struct storm_count storm;
};

static double now_in_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* ---- judging ---- */

static void report(const struct work *w, const struct history *h, const struct judgement *j,
		   FILE *to)
{
	fprintf(to, "# No order of steps explains what happened up to stamp %d.\n", j->stuck);
	fprintf(to, "# fuzz concurrent --kinds %s --seed %llu --repeat 10000 runs this program"
		" again.\n", w->kinds_name, h->seed);
	history_print(h, to);
}

/* In the directory that we are in; and, framed, for run, which keeps it on the host. */
static void tell(const struct work *w, const struct history *h, const struct judgement *j)
{
	char name[64];
	FILE *f;

	snprintf(name, sizeof(name), "history-%llu.txt", h->seed);
	printf("@file regressions/%s\n", name);
	report(w, h, j, stdout);
	printf("@end\n");
	fflush(stdout);
	f = fopen(name, "w");
	if (!f) {
		perror(name);
		return;
	}
	report(w, h, j, f);
	fclose(f);
}

static void judge(const struct work *w, const struct history *h, struct tally *t)
{
	struct judgement j = history_judge(h);

	t->histories++;
	t->calls += h->calls;
	t->states += j.states;
	t->given_up += j.verdict == GIVEN_UP;
	if (j.verdict != IMPOSSIBLE)
		return;
	t->findings++;
	tell(w, h, &j);
}

/* ---- rounds ---- */

static bool is_enough(const struct work *w, const struct tally *t, double end)
{
	unsigned long done = w->storms == 1 ? t->storm.rounds : t->histories;

	return t->findings >= MOST_FINDINGS || (w->seconds && now_in_seconds() >= end) ||
	       (w->histories && done >= (w->histories + w->jobs - 1) / w->jobs);
}

/* The programs of the next seeds, as far as they are all threads, or all processes. */
static __u64 play_some(const struct work *w, __u64 seed, struct tally *t)
{
	static struct program programs[MOST_TOGETHER];
	__u64 row = seed ^ (__u64)t->histories << 32 ^ (__u64)w->job << 56;
	int n = 0;

	do {
		program_draw(&programs[n], seed, w->kinds);
		program_draw_moves(&programs[n], next_random(&row), get_nprocs());
		n++;
		seed += !w->repeat;
	} while (n < MOST_TOGETHER && (w->repeat || seed % PROCESSES_EVERY));
	perform(programs, n, row);
	for (int i = 0; i < n; i++)
		judge(w, &programs[i].history, t);
	return seed + (w->repeat ? 0 : (w->jobs - 1) * PROCESSES_EVERY);
}

static int do_job(const struct work *w, struct tally *t)
{
	double end = now_in_seconds() + w->seconds;
	__u64 seed = w->seed;

	if (w->job && !w->repeat)
		seed += w->job * PROCESSES_EVERY - seed % PROCESSES_EVERY;
	while (!is_enough(w, t, end)) {
		if (w->storms != 1)
			seed = play_some(w, seed, t);
		/* A storm is as long as some hundred histories. */
		if (w->storms == 1 || (w->storms && !w->repeat && t->histories / 256 >
				       t->storm.rounds))
			t->findings += !storm_run(w->seed + w->job + w->jobs * t->storm.rounds,
						  &t->storm);
	}
	fflush(stdout);
	return 0;
}

static void start_job(struct work *w, unsigned int job, struct tally *t)
{
	fflush(stdout);
	if (fork())
		return;
	w->job = job;
	_exit(do_job(w, t));
}

/* A job that did not come to its end is a finding, too. */
static void wait_for_jobs(const struct work *w, struct tally *all)
{
	int status;

	for (unsigned int i = 0; i < w->jobs; i++) {
		if (wait(&status) > 0 && status) {
			printf("# a job ended with status %#x; its words are above\n", status);
			all->findings++;
		}
	}
}

static void add_up(struct tally *all, const struct tally *t)
{
	all->histories += t->histories;
	all->calls += t->calls;
	all->states += t->states;
	all->given_up += t->given_up;
	all->findings += t->findings;
	all->storm.rounds += t->storm.rounds;
	all->storm.messages += t->storm.messages;
	all->storm.units += t->storm.units;
	all->storm.locks += t->storm.locks;
	all->storm.kills += t->storm.kills;
}

static void print_tally(const struct work *w, const struct tally *t)
{
	printf("# seed %llu, kinds %s: %lu histories, %lu calls, %lu states searched,"
	       " %lu given up\n", w->seed, w->kinds_name, t->histories,
	       t->calls, t->states, t->given_up);
	printf("# %lu storms: %lu messages, %lu units, %lu locks, %lu kills\n", t->storm.rounds,
	       t->storm.messages, t->storm.units, t->storm.locks, t->storm.kills);
	printf("# %lu findings\n", t->findings);
}

/* Returns the exit status. */
static int run(struct work *w)
{
	struct tally *t = mmap(NULL, MOST_JOBS * sizeof(*t), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct tally all = { 0 };

	if (t == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	for (unsigned int i = 0; i < w->jobs; i++)
		start_job(w, i, &t[i]);
	wait_for_jobs(w, &all);
	for (unsigned int i = 0; i < w->jobs; i++)
		add_up(&all, &t[i]);
	print_tally(w, &all);
	return all.findings ? 1 : 0;
}

/* ---- options ---- */

static const struct option options[] = {
	{ "seed", required_argument, NULL, 's' },
	{ "seconds", required_argument, NULL, 't' },
	{ "histories", required_argument, NULL, 'n' },
	{ "kinds", required_argument, NULL, 'k' },
	{ "repeat", required_argument, NULL, 'r' },
	{ "storms", required_argument, NULL, 'o' },
	{ "jobs", required_argument, NULL, 'j' },
	{ "self-test", no_argument, NULL, 'x' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static int usage(FILE *to)
{
	fputs("usage: fuzz concurrent [OPTION...]\n"
	      "  --seed N        begin with this program (default: from the clock)\n"
	      "  --seconds N     how long (default 30, unless --histories says how many)\n"
	      "  --histories N   how many\n"
	      "  --kinds K       channels, locks, units or all (default)\n"
	      "  --repeat N      perform the program of --seed so often, and no other\n"
	      "  --storms K      no; only; or between the histories: some (default)\n"
	      "  --jobs N        processes that do this (default: 3 each processor)\n"
	      "  --self-test     judge histories written by hand\n", to);
	return to == stdout ? 0 : 2;
}

static bool set_kinds(struct work *w, const char *name)
{
	static const struct { const char *name; unsigned int kinds; } known[] = {
		{ "channels", CHANNELS }, { "locks", LOCKS }, { "units", UNITS },
		{ "all", ALL_KINDS },
	};

	w->kinds = 0;
	w->kinds_name = name;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(name, known[i].name))
			w->kinds = known[i].kinds;
	return w->kinds;
}

static bool set_storms(struct work *w, const char *name)
{
	w->storms = !strcmp(name, "only") ? 1 : !strcmp(name, "no") ? 0 :
		    !strcmp(name, "some") ? -1 : 2;
	return w->storms != 2;
}

static bool set_number(__u64 *n, const char *text, __u64 least)
{
	char *end;

	*n = strtoull(text, &end, 10);
	return *text && !*end && *n >= least;
}

static bool set_option(struct work *w, int option, const char *value)
{
	switch (option) {
	case 's':
		return set_number(&w->seed, value, 0);
	case 't':
		return set_number(&w->seconds, value, 1);
	case 'n':
		return set_number(&w->histories, value, 1);
	case 'r':
		return set_number(&w->repeat, value, 1);
	case 'j':
		return set_number(&w->jobs, value, 1) && w->jobs <= MOST_JOBS;
	case 'k':
		return set_kinds(w, value);
	case 'o':
		return set_storms(w, value);
	}
	return false;
}

/**
 * concurrent_main() - fuzz concurrent
 * @argc: of the subcommand
 * @argv: likewise
 *
 * Return: exit status; 1 for a finding
 */
int concurrent_main(int argc, char **argv)
{
	struct work w = {
		.seed = time(NULL) * 1000,
		.storms = -1,
		.jobs = JOBS_EACH * get_nprocs(),
	};
	int option;

	set_kinds(&w, "all");
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'x')
			return examples_main();
		if (option == 'h')
			return usage(stdout);
		if (!set_option(&w, option, optarg))
			return usage(stderr);
	}
	if (optind != argc)
		return usage(stderr);
	if (w.repeat)
		w.histories = w.repeat;
	if (!w.seconds && !w.histories)
		w.seconds = 30;
	if (w.jobs > MOST_JOBS)
		w.jobs = MOST_JOBS;
	return run(&w);
}

/**
 * check_history_main() - fuzz check-history
 * @argc: of the subcommand
 * @argv: likewise; the files
 *
 * Return: exit status; 1 if a history cannot have happened, 2 if it is none
 */
int check_history_main(int argc, char **argv)
{
	static const char *const verdicts[] = {
		[EXPLAINED] = "may have happened", [IMPOSSIBLE] = "cannot have happened",
		[GIVEN_UP] = "has too many states to be judged",
	};
	int status = 0;

	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "r");
		struct history h;
		struct judgement j;

		if (!f || !history_read(&h, f)) {
			fprintf(stderr, "%s: no history that could be judged\n", argv[i]);
			return 2;
		}
		fclose(f);
		j = history_judge(&h);
		printf("%s: %s (%lu states)\n", argv[i], verdicts[j.verdict], j.states);
		if (j.verdict == IMPOSSIBLE) {
			printf("# nothing explains what happened up to stamp %d\n", j.stuck);
			status = 1;
		}
	}
	return status;
}
