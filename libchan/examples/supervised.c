// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Counts words with a supervisor and workers that may die:
 *
 *     supervisor --lines--> worker 1..N --words--> supervisor
 *
 * Each worker has a channel of its own, through which it gets lines, and sends back the
 * words of each in one message: so a result is there whole, or not at all.  One select
 * of the supervisor receives results, sends lines to whoever has room for one, and hears
 * of deaths, of which the kernel sends notices to a channel.  A worker's lines that have
 * no result then are handed to the others, and each line is counted once.
 *
 * A word is what it is to wordcount, whose output this is, too.
 */
#define _GNU_SOURCE /* tdestroy */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <search.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libchan.h>

#define WORD_MAX 247
#define TEXT_MAX (4 * WORD_MAX) /* a whole number of words: see split() */
#define WORKERS_MAX 64
#define LINES 8	  /* that wait for one worker */
#define RESULTS 4 /* that wait for the supervisor */

/* A line without its newline, or a piece of a very long one. */
struct line {
	uint64_t number;
	uint32_t length;
	char text[TEXT_MAX];
};

/* Its words in lower case, with a space behind each. */
struct words {
	uint64_t number;
	uint32_t length;
	char text[TEXT_MAX + TEXT_MAX / WORD_MAX + 1];
};

CHAN_TYPE(line_chan, struct line);
CHAN_TYPE(words_chan, struct words);

/* A line that has no result yet. */
struct job {
	struct job *next;
	struct worker *owner;
	bool handed_on; /* a worker had it before, and died */
	struct line line;
};

struct worker {
	int number;
	pid_t pid;
	line_chan lines;
	bool gone;
	unsigned int unfinished, done, inherited;
};

/* Where lines come from, one file after the other. */
struct source {
	char **files;
	FILE *file;
	struct line rest;
	uint64_t lines;
};

struct supervisor {
	struct worker *workers;
	int n, left;
	long kill_after; /* so many results; -1: nobody */
	words_chan results;
	struct chan *notices;
	struct source source;
	struct job *waiting, *handed_out;
	uint64_t counted;
	void *tree; /* of struct tally */
};

struct tally {
	uint64_t count;
	char word[WORD_MAX + 1];
};

static _Noreturn void fail(const char *what)
{
	errx(1, "%s: %s", what, chan_strerror(errno));
}

static void *must_calloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		err(1, "supervisor");
	return p;
}

static bool is_letter(char c)
{
	return isascii((unsigned char)c) && isalpha((unsigned char)c);
}

/* ---- a worker ---- */

static void find_words(struct words *words, const struct line *line)
{
	size_t length = 0; /* of the word so far */

	*words = (struct words){ .number = line->number };
	for (size_t i = 0; i <= line->length; i++) {
		bool letter = i < line->length && is_letter(line->text[i]);

		if (length && (!letter || length == WORD_MAX)) {
			words->text[words->length++] = ' ';
			length = 0;
		}
		if (letter) {
			words->text[words->length++] =
				(char)tolower((unsigned char)line->text[i]);
			length++;
		}
	}
}

static _Noreturn void work(line_chan in, words_chan out)
{
	struct words words;
	struct line line;

	while (line_chan_next(in, &line)) {
		find_words(&words, &line);
		if (words_chan_send(out, &words))
			fail("worker: cannot send a result");
	}
	if (errno)
		fail("worker: cannot receive a line");
	exit(0);
}

/* ---- the lines ---- */

/* Where to cut a full line that goes on, as wordcount does. */
static size_t split(const struct line *line)
{
	size_t cut = line->length;

	while (cut && is_letter(line->text[cut - 1]))
		cut--;
	return cut ? cut : line->length;
}

/* Takes the first @length bytes of what was read. */
static void cut(struct source *source, struct line *line, size_t length)
{
	struct line *rest = &source->rest;

	*line = (struct line){ .number = ++source->lines, .length = (uint32_t)length };
	memcpy(line->text, rest->text, length);
	rest->length -= line->length;
	memmove(rest->text, rest->text + length, rest->length);
}

static bool next_of_file(struct source *source, struct line *line)
{
	struct line *rest = &source->rest;
	int c;

	while ((c = getc(source->file)) != EOF) {
		if (c != '\n')
			rest->text[rest->length++] = (char)c;
		if (c != '\n' && rest->length < TEXT_MAX)
			continue;
		cut(source, line, c == '\n' ? rest->length : split(rest));
		return true;
	}
	if (!rest->length)
		return false;
	cut(source, line, rest->length);
	return true;
}

static bool next_line(struct source *source, struct line *line)
{
	for (; *source->files; source->files++) {
		if (!source->file)
			source->file = fopen(*source->files, "r");
		if (!source->file)
			err(1, "cannot read %s", *source->files);
		if (next_of_file(source, line))
			return true;
		if (ferror(source->file))
			err(1, "cannot read %s", *source->files);
		fclose(source->file);
		source->file = NULL;
	}
	return false;
}

/* The next job to be handed out, first those that a dead worker has left; or NULL. */
static struct job *next_job(struct supervisor *s)
{
	struct line line;

	if (s->waiting || !next_line(&s->source, &line))
		return s->waiting;
	s->waiting = must_calloc(1, sizeof(*s->waiting));
	s->waiting->line = line;
	return s->waiting;
}

/* ---- the words ---- */

static int by_word(const void *a, const void *b)
{
	return strcmp(((const struct tally *)a)->word, ((const struct tally *)b)->word);
}

static void count_word(struct supervisor *s, const char *word, size_t length)
{
	struct tally *tally = must_calloc(1, sizeof(*tally)), **place;

	memcpy(tally->word, word, length);
	place = tsearch(tally, &s->tree, by_word);
	if (!place)
		err(1, "supervisor");
	(*place)->count++;
	if (*place != tally)
		free(tally);
}

static void count_words(struct supervisor *s, const struct words *words)
{
	size_t begin = 0;

	for (size_t i = 0; i < words->length; i++) {
		if (words->text[i] != ' ')
			continue;
		count_word(s, words->text + begin, i - begin);
		begin = i + 1;
	}
}

static void print(const void *node, VISIT visit, int depth)
{
	const struct tally *tally = *(const struct tally *const *)node;

	(void)depth;
	if (visit == postorder || visit == leaf)
		printf("%7llu %s\n", (unsigned long long)tally->count, tally->word);
}

/* ---- the supervisor ---- */

/* Of the supervisor's handles a worker keeps none but its own ends. */
static void start_worker(struct supervisor *s, struct worker *worker, words_chan results)
{
	line_chan lines = line_chan_make(LINES), in;
	words_chan out;

	if (!lines.chan || chan_watch(lines.chan, s->notices, CHAN_RECV, (uint64_t)worker->number))
		fail("supervisor: cannot make a channel for a worker");
	worker->pid = fork();
	if (worker->pid < 0)
		err(1, "cannot start a process");
	if (!worker->pid) {
		in = line_chan_restrict(lines, CHAN_RECV);
		out = words_chan_restrict(results, CHAN_SEND);
		if (!in.chan || !out.chan)
			fail("worker: cannot make a handle");
		for (struct worker *other = s->workers; other < worker; other++)
			line_chan_drop(other->lines);
		words_chan_drop(results);
		chan_drop(s->notices);
		line_chan_drop(lines);
		work(in, out);
	}
	worker->lines = line_chan_restrict(lines, CHAN_SEND);
	if (!worker->lines.chan)
		fail("supervisor: cannot make a handle");
	line_chan_drop(lines);
}

/* Notices tell of our own handles too: so there is room for two of each worker's. */
static void start(struct supervisor *s)
{
	words_chan results = words_chan_make(RESULTS);

	s->workers = must_calloc((size_t)s->n, sizeof(*s->workers));
	s->notices = chan_notices_make(2 * (size_t)s->n);
	if (!results.chan || !s->notices)
		fail("supervisor: cannot make a channel");
	for (s->left = 0; s->left < s->n; s->left++) {
		s->workers[s->left].number = s->left + 1;
		start_worker(s, &s->workers[s->left], results);
	}
	s->results = words_chan_restrict(results, CHAN_RECV);
	if (!s->results.chan)
		fail("supervisor: cannot make a handle");
	words_chan_drop(results);
}

/* The first of those that wait. */
static void hand_out(struct supervisor *s, struct worker *worker)
{
	struct job *job = s->waiting;

	s->waiting = job->next;
	job->next = s->handed_out;
	s->handed_out = job;
	job->owner = worker;
	worker->unfinished++;
	worker->inherited += job->handed_on;
}

/* One with more lines than there is room for results, so that it cannot finish them all. */
static void kill_one(struct supervisor *s)
{
	struct worker *busiest = s->workers;

	for (struct worker *worker = s->workers; worker < s->workers + s->n; worker++)
		if (!worker->gone && worker->unfinished > busiest->unfinished)
			busiest = worker;
	if (busiest->unfinished <= RESULTS)
		return;
	fprintf(stderr, "supervisor: after %llu results, SIGKILL to worker %d, pid %d\n",
		(unsigned long long)s->counted, busiest->number, (int)busiest->pid);
	if (kill(busiest->pid, SIGKILL))
		err(1, "cannot kill a worker");
	s->kill_after = -1;
}

/* Each line is counted once: with its result its job is gone. */
static void take_result(struct supervisor *s, const struct words *words)
{
	struct job **place = &s->handed_out, *job;

	while (*place && (*place)->line.number != words->number)
		place = &(*place)->next;
	job = *place;
	if (!job)
		return;
	*place = job->next;
	job->owner->unfinished--;
	job->owner->done++;
	free(job);
	count_words(s, words);
	s->counted++;
	if (s->kill_after >= 0 && s->counted >= (uint64_t)s->kill_after)
		kill_one(s);
}

/* All that a worker sent before its end is in the channel when its notice is. */
static void take_results(struct supervisor *s)
{
	struct words words;
	int ret;

	while ((ret = words_chan_try_recv(s->results, &words)) == 1)
		take_result(s, &words);
	if (ret < 0 && errno != EAGAIN)
		fail("supervisor: cannot receive a result");
}

/* Its lines are the next to be handed out. */
static void take_back(struct supervisor *s, const struct worker *worker)
{
	struct job **place = &s->handed_out, *job;

	while ((job = *place)) {
		if (job->owner != worker) {
			place = &job->next;
			continue;
		}
		*place = job->next;
		job->handed_on = true;
		job->next = s->waiting;
		s->waiting = job;
	}
}

static const char *how(const struct chan_notice *notice)
{
	static char words[64];

	if (!(notice->flags & CHAN_NOTICE_EXIT))
		return "let go of its lines";
	if (WIFSIGNALED(notice->status))
		snprintf(words, sizeof(words), "was killed by signal %d",
			 WTERMSIG(notice->status));
	else
		snprintf(words, sizeof(words), "ended with status %d",
			 WEXITSTATUS(notice->status));
	return words;
}

/* Who let go?  A worker, of its own lines; else we, of a handle that did more. */
static void take_notice(struct supervisor *s, const struct chan_notice *notice, pid_t pid)
{
	struct worker *worker = &s->workers[notice->cookie - 1];

	if (pid != worker->pid || worker->gone)
		return;
	take_results(s);
	worker->gone = true;
	s->left--;
	if (worker->unfinished || notice->status)
		fprintf(stderr, "supervisor: worker %d, pid %d, %s, with %u lines unfinished\n",
			worker->number, (int)pid, how(notice), worker->unfinished);
	take_back(s, worker);
	worker->unfinished = 0;
	if (!s->left && next_job(s))
		errx(1, "no worker is left, and not all lines are counted");
}

enum { NOTICE, RESULT, FIRST_WORKER };

/* Does one thing: hears of a death, takes a result or hands out @job (which may be NULL). */
static void step(struct supervisor *s, struct job *job)
{
	struct chan_case cases[FIRST_WORKER + WORKERS_MAX];
	struct chan_cargo from = chan_cargo(NULL, 0);
	struct chan_notice notice;
	struct words words;
	int i;

	cases[NOTICE] = chan_on_recv_cargo(s->notices, &notice, &from);
	cases[RESULT] = words_chan_on_recv(s->results, &words);
	for (i = 0; i < s->n; i++)
		cases[FIRST_WORKER + i] =
			line_chan_on_send((line_chan){ job && !s->workers[i].gone ?
						       s->workers[i].lines.chan : NULL },
					  &job->line);
	i = chan_select(cases, FIRST_WORKER + (size_t)s->n);
	if (i < 0 && errno != EINTR)
		fail("supervisor: cannot select");
	if (i == NOTICE)
		take_notice(s, &notice, from.pid);
	else if (i == RESULT && cases[i].result == 1)
		take_result(s, &words);
	else if (i >= FIRST_WORKER && !cases[i].result)
		hand_out(s, &s->workers[i - FIRST_WORKER]);
}

static void report(const struct supervisor *s)
{
	for (const struct worker *worker = s->workers; worker < s->workers + s->n; worker++) {
		fprintf(stderr, "worker %d, pid %d: %u lines", worker->number, (int)worker->pid,
			worker->done);
		if (worker->inherited)
			fprintf(stderr, ", %u of them left by the dead", worker->inherited);
		fprintf(stderr, "\n");
	}
	fprintf(stderr, "supervisor, pid %d: %llu lines, each counted once\n", (int)getpid(),
		(unsigned long long)s->counted);
}

static int supervise(struct supervisor *s)
{
	struct job *job;
	int i;

	start(s);
	while ((job = next_job(s)) || s->handed_out)
		step(s, job);
	for (i = 0; i < s->n; i++)
		line_chan_drop(s->workers[i].lines);
	while (s->left)
		step(s, NULL);
	while (wait(NULL) > 0) /* that is only for the system's sake */
		;
	report(s);
	twalk(s->tree, print);
	if (fflush(stdout))
		err(1, "cannot write the result");
	tdestroy(s->tree, free);
	if (s->kill_after >= 0)
		errx(1, "there were too few lines to kill a worker");
	return 0;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: supervised [-p N] [--kill RESULTS] FILE...\n"
		"Count the words of the files with N worker processes, 2 to %d (4), and print\n"
		"every one, sorted by word.  With --kill, kill a worker after so many results.\n",
		WORKERS_MAX);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "kill", required_argument, NULL, 'k' }, { 0 } };
	struct supervisor s = { .n = 4, .kill_after = -1 };
	char *end = "";
	long number;
	int opt;

	while ((opt = getopt_long(argc, argv, "p:", longs, NULL)) != -1) {
		if (opt != 'k' && opt != 'p')
			return usage();
		number = strtol(optarg, &end, 10);
		if (*end || number < 0 || (opt == 'p' && (number < 2 || number > WORKERS_MAX)))
			return usage();
		if (opt == 'k')
			s.kill_after = number;
		else
			s.n = (int)number;
	}
	s.source.files = argv + optind;
	if (!*s.source.files)
		return usage();
	for (char **file = s.source.files; *file; file++)
		if (access(*file, R_OK))
			err(1, "cannot read %s", *file);
	/* Many processes write to it: whole lines, please. */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	return supervise(&s);
}
