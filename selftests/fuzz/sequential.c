// SPDX-License-Identifier: GPL-2.0-only
/* fuzz sequential, replay and self-test. */

#include <stdint.h>
#include <getopt.h>
#include "kchan_util.h"

#include "commands.h"
#include "generate.h"
#include "model.h"
#include "random.h"
#include "report.h"
#include "shrink.h"

#define STEPS_A_ROUND	200

/* What to do, and where it has come to. */
struct job {
	__u64 seed;
	unsigned long steps;	/* 0: until @end */
	__s64 end;
	unsigned long round;
};

/* A round has objects of its own, and steps that follow from the seed and its number. */
static bool play_round(__u64 seed, unsigned long round, struct score *score)
{
	struct trace *t = &score->trace;
	struct generator g;
	unsigned int done = 0;
	bool good = true;

	generator_init(&g, scramble(seed) + round);
	t->nr = 0;
	play_begin();
	while (good && t->nr < STEPS_A_ROUND && generate(&g, t))
		for (; good && done < t->nr; done++)
			good = play_step(t, done, score);
	return play_end(t, good, score);
}

static bool play_rounds(void *arg, struct score *score)
{
	const struct job *job = arg;

	do {
		if (!play_round(job->seed, job->round + score->rounds, score))
			return false;
		score->rounds++;
	} while (job->steps ? score->steps < job->steps : now() < job->end);
	return true;
}

/* Plays, shrinks what is found, and tells.  Returns an exit status. */
static int play_job(const struct job *job, const char *trace_file, struct score *score)
{
	if (play_apart(play_rounds, (void *)job, score, 20)) {
		printf("# sequential: seed %llu, %lu steps in %lu rounds, nothing found\n",
		       job->seed, score->steps, score->rounds);
		return 0;
	}
	printf("# sequential: seed %llu, round %lu, after %lu steps: %s\n", job->seed,
	       score->rounds, score->steps, score->why);
	report_found(&score->trace, score->why, trace_file, "sequential", job->seed);
	return 1;
}

static int usage(void)
{
	fprintf(stderr, "usage: fuzz sequential [--seed N] [--steps N | --seconds N] "
		"[--trace FILE] [--mistake NAME]\n");
	return 2;
}

__u64 seed_of_now(void)
{
	return scramble(now_on(CLOCK_REALTIME)) % 1000000000;
}

int sequential_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", 1, NULL, 's' }, { "steps", 1, NULL, 'n' }, { "seconds", 1, NULL, 't' },
		{ "trace", 1, NULL, 'f' }, { "mistake", 1, NULL, 'm' }, { }
	};
	struct job job = { .seed = seed_of_now() };
	const char *trace_file = NULL;
	__s64 seconds = 10;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's': job.seed = strtoull(optarg, NULL, 0); break;
		case 'n': job.steps = strtoul(optarg, NULL, 0); break;
		case 't': seconds = strtol(optarg, NULL, 0); break;
		case 'f': trace_file = optarg; break;
		case 'm':
			if (make_mistake(optarg))
				break;
			fprintf(stderr, "fuzz: the model cannot make the mistake '%s'\n", optarg);
			return 2;
		default: return usage();
		}
	}
	if (optind < argc)
		return usage();
	job.end = now() + seconds * NSEC_PER_SEC;
	return play_job(&job, trace_file, new_score());
}

/* ---- replay ---- */

static bool replay(const char *path, struct score *score)
{
	static struct trace t;

	if (!load_trace(path, &t))
		return false;
	if (play_trace_apart(&t, score))
		return true;
	printf("# %s, step %u: %s\n", path, score->at + 1, score->why);
	print_trace(stdout, &t);
	return false;
}

int replay_main(int argc, char **argv)
{
	struct score *score = new_score();
	int bad = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: fuzz replay FILE...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++)
		bad += !replay(argv[i], score);
	printf("# replay: %d traces, %lu steps, %d failed\n", argc - 1, score->steps, bad);
	return bad ? 1 : 0;
}

/* ---- the fuzzer's own test ---- */

enum { FEW_STEPS = 10, SELF_TEST_SECONDS = 60 };

/* A mistake in the model looks like one in the module. */
static bool finds(const char *name, int number, struct score *score)
{
	struct job job = { .seed = 1 + number, .end = now() + SELF_TEST_SECONDS * NSEC_PER_SEC };
	__s64 begin = now();
	bool good = false;

	make_mistake(name);
	score->steps = score->rounds = 0;
	/* What does not repeat itself is chance, and no mistake of the model. */
	for (; !good && now() < job.end && !play_apart(play_rounds, &job, score, 20); job.round++)
		good = shrink(&score->trace, score) && score->trace.nr < FEW_STEPS;
	make_mistake("");
	printf("# %lu rounds, %lld ms: %s\n", score->rounds, (now() - begin) / NSEC_PER_MSEC,
	       score->found ? score->why : "nothing found");
	for (unsigned int i = 0; score->found && i < score->trace.nr; i++) {
		printf("#   ");
		print_step(stdout, &score->trace.steps[i]);
	}
	printf("%s %d the mistake %s is found, and shrunk to less than %d steps\n",
	       good ? "ok" : "not ok", number, name, FEW_STEPS);
	return good;
}

int self_test_main(int argc, char **argv)
{
	struct score *score = new_score();
	int n = 0, bad = 0;

	(void)argv;
	if (argc > 1) {
		fprintf(stderr, "usage: fuzz self-test\n");
		return 2;
	}
	while (mistakes[n])
		n++;
	printf("TAP version 13\n1..%d\n", n);
	for (int i = 0; i < n; i++)
		bad += !finds(mistakes[i], i + 1, score);
	return bad ? 1 : 0;
}
