// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The concurrent prime sieve, known from Go: a generator sends 2, 3, 4, ... into
 * a chain of filters, each of which takes away the multiples of one prime.  What
 * comes out of the chain is the next prime, which gets a filter of its own.
 *
 * Nobody tells the chain to stop: main lets go of its end, the last filter then
 * finds that nobody can receive any more (EPIPE) and lets go of its own, and so
 * on up to the generator.
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libchan.h>

CHAN_TYPE(numbers, int);

/* A link of the chain.  The generator has no prime and nothing to receive. */
struct stage {
	numbers in, out;
	int prime;
	pthread_t thread;
};

static void generate(numbers out)
{
	for (int i = 2; !numbers_send(out, &i); i++)
		;
}

static void filter(numbers in, numbers out, int prime)
{
	int i;

	while (numbers_next(in, &i))
		if (i % prime && numbers_send(out, &i))
			return;
}

static void *run(void *arg)
{
	struct stage *stage = arg;

	if (stage->prime)
		filter(stage->in, stage->out, stage->prime);
	else
		generate(stage->out);
	if (errno != EPIPE)
		errx(1, "the chain broke: %s",
		     errno ? chan_strerror(errno) : "the stage before this one died");
	numbers_drop(stage->in);
	numbers_drop(stage->out);
	return NULL;
}

static void start_thread(struct stage *stage)
{
	int error = pthread_create(&stage->thread, NULL, run, stage);

	if (error)
		errx(1, "cannot start a thread: %s", strerror(error));
}

/* @next is the end that main reads from: the new process has no use for it. */
static void start_process(struct stage *stage, numbers next)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "cannot start a process");
	if (!pid) {
		numbers_drop(next);
		run(stage);
		_exit(0);
	}
	numbers_drop(stage->in);
	numbers_drop(stage->out);
}

static numbers end_of(numbers both, unsigned int right)
{
	numbers end = numbers_restrict(both, right);

	if (!end.chan)
		errx(1, "cannot make a handle: %s", chan_strerror(errno));
	return end;
}

/* Puts @stage behind the chain; returns the end where its numbers come out. */
static numbers append(struct stage *stage, numbers in, int prime, int processes)
{
	numbers both = numbers_make(0), next;

	if (!both.chan)
		errx(1, "cannot make a channel: %s", chan_strerror(errno));
	stage->in = in;
	stage->out = end_of(both, CHAN_SEND);
	stage->prime = prime;
	next = end_of(both, CHAN_RECV);
	numbers_drop(both);
	if (processes)
		start_process(stage, next);
	else
		start_thread(stage);
	return next;
}

static void join(struct stage *stages, int n, int processes)
{
	for (int i = 0; i < n; i++) {
		int status = 0;

		if (!processes)
			pthread_join(stages[i].thread, NULL);
		else if (wait(&status) < 0 || status)
			errx(1, "a process of the chain failed");
	}
}

static int sieve(int n, int processes)
{
	struct stage *stages = calloc(n + 1, sizeof(*stages));
	numbers next = { NULL };
	int prime = 0;

	if (!stages)
		err(1, "cannot remember %d stages", n);
	for (int i = 0; i < n; i++) {
		next = append(&stages[i], next, prime, processes);
		if (!numbers_next(next, &prime))
			errx(1, "cannot receive a prime: %s", chan_strerror(errno));
		printf("%d\n", prime);
		fflush(stdout);
	}
	numbers_drop(next);
	join(stages, n, processes);
	free(stages);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: sieve [-p] [N]\n"
			"Print the first N primes (1 to 100000, otherwise 30), found by a chain\n"
			"of N threads, or with -p of N processes.\n");
	return 2;
}

int main(int argc, char **argv)
{
	int processes = 0, opt;
	long n = 30;
	char *end = "";

	while ((opt = getopt(argc, argv, "p")) != -1) {
		if (opt != 'p')
			return usage();
		processes = 1;
	}
	if (optind < argc)
		n = strtol(argv[optind++], &end, 10);
	if (optind < argc || *end || n < 1 || n > 100000)
		return usage();
	return sieve((int)n, processes);
}
