// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Counts words with a reader, a pool of workers and a collector, which are
 * processes or threads:
 *
 *     reader --lines--> worker 1..N --tallies--> collector
 *
 * Each holds only the ends it needs, so nobody has to say "that was all": when
 * the reader is done and lets go of its end, the workers see the end of the
 * lines; when the last worker lets go of its, the collector sees the end of the
 * tallies.  The same goes for one that crashes.
 *
 * A word is a run of ASCII letters, in lower case; a run of more than WORD_MAX
 * letters counts as several words, cut every WORD_MAX letters.
 */
#define _GNU_SOURCE /* tdestroy */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libchan.h>

#define WORD_MAX 247
#define TEXT_MAX (4 * WORD_MAX) /* a whole number of words: see split() */
#define WORKERS_MAX 1000
#define TOP 10

/* A line without its newline, or a piece of a very long one. */
struct line {
	uint32_t length;
	char text[TEXT_MAX];
};

struct tally {
	uint64_t count;
	char word[WORD_MAX + 1];
};

CHAN_TYPE(line_chan, struct line);
CHAN_TYPE(tally_chan, struct tally);

struct options {
	bool threads, all;
	long workers;
	char **files;
};

struct task;

/* What a member of the team does, and the rights that takes on each channel. */
struct role {
	void (*work)(struct task *task);
	unsigned int lines, tallies;
};

/* A member at work, with the ends that it holds and lets go of. */
struct task {
	const struct role *role;
	const struct options *options;
	long number;
	line_chan lines;
	tally_chan tallies;
	pthread_t thread;
	pid_t pid;
};

static _Noreturn void fail(const char *what)
{
	errx(1, "%s: %s", what, chan_strerror(errno));
}

/* What tells the members apart in /proc: a process number or a thread number. */
static const char *id_kind(const struct task *task)
{
	return task->options->threads ? "tid" : "pid";
}

/* ---- a set of words and their counts: a tree, sorted by word ---- */

struct words {
	void *root;
	size_t n;
};

static int by_word(const void *a, const void *b)
{
	return strcmp(((const struct tally *)a)->word, ((const struct tally *)b)->word);
}

/* @key has the word's letters, and zeros behind them. */
static void add(struct words *words, const struct tally *key)
{
	struct tally **place = tsearch(key, &words->root, by_word), *copy;

	if (!place)
		err(1, "cannot remember a word");
	if (*place != key) {
		(*place)->count += key->count;
		return;
	}
	copy = malloc(sizeof(*copy));
	if (!copy)
		err(1, "cannot remember a word");
	*copy = *key;
	*place = copy;
	words->n++;
}

struct list {
	const struct tally **tallies;
	size_t n;
};

static void append(const void *node, VISIT visit, void *arg)
{
	struct list *list = arg;

	if (visit == postorder || visit == leaf)
		list->tallies[list->n++] = *(const struct tally *const *)node;
}

/* The words in order; to be freed. */
static struct list sorted(const struct words *words)
{
	struct list list = { calloc(words->n + 1, sizeof(*list.tallies)), 0 };

	if (!list.tallies)
		err(1, "cannot sort %zu words", words->n);
	twalk_r(words->root, append, &list);
	return list;
}

/* ---- the reader ---- */

static bool is_letter(char c)
{
	return isascii((unsigned char)c) && isalpha((unsigned char)c);
}

/*
 * Where to cut a full line that goes on: before the word that its last letters
 * belong to.  Where that word fills the whole line, at the end: TEXT_MAX is a
 * multiple of WORD_MAX, so the word is cut there anyway.
 */
static size_t split(const struct line *line)
{
	size_t cut = line->length;

	while (cut && is_letter(line->text[cut - 1]))
		cut--;
	return cut ? cut : line->length;
}

/* Sends the first @length bytes of @line and keeps the others. */
static void send_line(line_chan out, struct line *line, size_t length)
{
	struct line head = { .length = (uint32_t)length };

	memcpy(head.text, line->text, length);
	if (line_chan_send(out, &head))
		fail("reader: cannot send a line");
	line->length -= (uint32_t)length;
	memmove(line->text, line->text + length, line->length);
}

static uint64_t read_file(FILE *file, line_chan out)
{
	struct line line = { .length = 0 };
	uint64_t sent = 0;
	int c;

	while ((c = getc(file)) != EOF) {
		if (c != '\n')
			line.text[line.length++] = (char)c;
		if (c == '\n' || line.length == TEXT_MAX) {
			send_line(out, &line, c == '\n' ? line.length : split(&line));
			sent++;
		}
	}
	if (line.length) {
		send_line(out, &line, line.length);
		sent++;
	}
	return sent;
}

static void reader(struct task *task)
{
	uint64_t sent = 0;
	int files;

	for (files = 0; task->options->files[files]; files++) {
		const char *name = task->options->files[files];
		FILE *file = fopen(name, "r");

		if (!file)
			err(1, "cannot read %s", name);
		sent += read_file(file, task->lines);
		if (ferror(file))
			err(1, "cannot read %s", name);
		fclose(file);
	}
	fprintf(stderr, "reader, %s %d: sent %llu lines of %d file%s\n",
		id_kind(task), (int)gettid(), (unsigned long long)sent, files, files == 1 ? "" : "s");
}

/* ---- the workers ---- */

static void count_words(struct words *words, const struct line *line)
{
	struct tally word = { .count = 1 };
	size_t length = 0;

	for (size_t i = 0; i <= line->length; i++) {
		bool letter = i < line->length && is_letter(line->text[i]);

		if (length && (!letter || length == WORD_MAX)) {
			add(words, &word);
			memset(word.word, 0, length);
			length = 0;
		}
		if (letter)
			word.word[length++] = (char)tolower((unsigned char)line->text[i]);
	}
}

static void send_tallies(tally_chan out, struct words *words)
{
	struct list list = sorted(words);

	for (size_t i = 0; i < list.n; i++)
		if (tally_chan_send(out, list.tallies[i]))
			fail("worker: cannot send a tally");
	free(list.tallies);
	tdestroy(words->root, free);
}

static void worker(struct task *task)
{
	struct words words = { NULL, 0 };
	struct line line;
	uint64_t taken = 0;
	size_t n;

	for (; line_chan_next(task->lines, &line); taken++)
		count_words(&words, &line);
	if (errno)
		fail("worker: cannot receive a line");
	n = words.n;
	send_tallies(task->tallies, &words);
	fprintf(stderr, "worker %ld, %s %d: took %llu lines, found %zu different words\n",
		task->number, id_kind(task), (int)gettid(),
		(unsigned long long)taken, n);
}

/* ---- the collector ---- */

static int by_count(const void *a, const void *b)
{
	const struct tally *x = *(const struct tally *const *)a;
	const struct tally *y = *(const struct tally *const *)b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return by_word(x, y);
}

static void print(struct words *words, bool all)
{
	struct list list = sorted(words);

	if (!all)
		qsort(list.tallies, list.n, sizeof(*list.tallies), by_count);
	for (size_t i = 0; i < list.n && (all || i < TOP); i++)
		printf("%7llu %s\n", (unsigned long long)list.tallies[i]->count,
		       list.tallies[i]->word);
	if (fflush(stdout))
		err(1, "cannot write the result");
	free(list.tallies);
}

static void collector(struct task *task)
{
	struct words words = { NULL, 0 };
	struct tally tally;
	uint64_t taken = 0, total = 0;

	for (; tally_chan_next(task->tallies, &tally); taken++) {
		total += tally.count;
		add(&words, &tally);
	}
	if (errno)
		fail("collector: cannot receive a tally");
	fprintf(stderr, "collector, %s %d: merged %llu tallies: %llu words, %zu different\n",
		id_kind(task), (int)gettid(), (unsigned long long)taken, (unsigned long long)total, words.n);
	print(&words, task->options->all);
	tdestroy(words.root, free);
}

/* ---- the team ---- */

static const struct role reader_role = { reader, CHAN_SEND, 0 };
static const struct role worker_role = { worker, CHAN_RECV, CHAN_SEND };
static const struct role collector_role = { collector, 0, CHAN_RECV };

static void let_go(line_chan lines, tally_chan tallies)
{
	line_chan_drop(lines);
	tally_chan_drop(tallies);
}

static void *run(void *arg)
{
	struct task *task = arg;

	task->role->work(task);
	let_go(task->lines, task->tallies);
	return NULL;
}

static void start_thread(struct task *task)
{
	int error = pthread_create(&task->thread, NULL, run, task);

	if (error)
		errx(1, "cannot start a thread: %s", strerror(error));
}

/* The child must not keep @lines and @tallies, which main lets go of: they may do all. */
static void start_process(struct task *task, line_chan lines, tally_chan tallies)
{
	task->pid = fork();
	if (task->pid < 0)
		err(1, "cannot start a process");
	if (!task->pid) {
		let_go(lines, tallies);
		run(task);
		exit(0);
	}
	let_go(task->lines, task->tallies);
}

static void start(struct task *task, line_chan lines, tally_chan tallies)
{
	const struct role *role = task->role;

	if (role->lines)
		task->lines = line_chan_restrict(lines, role->lines);
	if (role->tallies)
		task->tallies = tally_chan_restrict(tallies, role->tallies);
	if ((role->lines && !task->lines.chan) || (role->tallies && !task->tallies.chan))
		fail("cannot make a handle");
	if (task->options->threads)
		start_thread(task);
	else
		start_process(task, lines, tallies);
}

/* Did @task do all of its work? */
static bool join(const struct task *task)
{
	int status;

	if (task->options->threads)
		return !pthread_join(task->thread, NULL);
	if (waitpid(task->pid, &status, 0) < 0)
		err(1, "cannot wait for process %d", (int)task->pid);
	if (WIFSIGNALED(status))
		warnx("process %d was killed by signal %d", (int)task->pid, WTERMSIG(status));
	return !status;
}

static int count(const struct options *options)
{
	long i, n = options->workers + 2;
	struct task *tasks = calloc((size_t)n, sizeof(*tasks));
	line_chan lines = line_chan_make(64);
	tally_chan tallies = tally_chan_make(64);
	bool complete = true;

	if (!lines.chan || !tallies.chan)
		fail("cannot make a channel");
	if (!tasks)
		err(1, "cannot remember %ld tasks", n);
	for (i = 0; i < n; i++) {
		tasks[i].options = options;
		tasks[i].number = i;
		tasks[i].role = i == 0 ? &reader_role : i < n - 1 ? &worker_role : &collector_role;
		start(&tasks[i], lines, tallies);
	}
	let_go(lines, tallies);
	for (i = 0; i < n; i++)
		complete &= join(&tasks[i]);
	free(tasks);
	if (!complete)
		errx(1, "the counts are not complete");
	return 0;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: wordcount [-p N | -t N] [--all] FILE...\n"
		"Count the words of the files with N worker processes (-p, the default: 4)\n"
		"or N worker threads (-t), 1 to %d, and print the %d most frequent ones,\n"
		"or with --all every one, sorted by word.\n",
		WORKERS_MAX, TOP);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "all", no_argument, NULL, 'a' }, { 0 } };
	struct options options = { .workers = 4 };
	char *end = "";
	int opt;

	while ((opt = getopt_long(argc, argv, "p:t:", longs, NULL)) != -1) {
		if (opt != 'a' && opt != 'p' && opt != 't')
			return usage();
		if (opt == 'a') {
			options.all = true;
			continue;
		}
		options.threads = opt == 't';
		options.workers = strtol(optarg, &end, 10);
		if (*end || options.workers < 1 || options.workers > WORKERS_MAX)
			return usage();
	}
	options.files = argv + optind;
	if (!options.files[0])
		return usage();
	for (char **file = options.files; *file; file++)
		if (access(*file, R_OK))
			err(1, "cannot read %s", *file);
	/* Many processes write to it: whole lines, please. */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	return count(&options);
}
