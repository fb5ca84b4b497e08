// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A fan-in: the lines of many files become one stream, each as soon as it comes.
 * Every file has a reader of its own, a thread or a process, with a channel of its
 * own; a select over all the channels and a timer takes whatever is next, and gives
 * up when all of them have been silent for too long.
 *
 *     reader 1 --lines-->
 *     reader 2 --lines-->  select  --> stdout
 *     reader N --lines-->
 *              timer  -->
 *
 * A line of more than LINE_LENGTH bytes counts as several.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libchan-go.h>

#define LINE_LENGTH 1000

struct line {
	char text[LINE_LENGTH + 1];
};

CHAN_TYPE(lines, struct line);

/* One file, its reader, and the ends of the channel between the reader and main. */
struct source {
	const char *name;
	size_t number; /* how many are before it */
	lines out, in;
	struct line line;
	pid_t pid; /* 0: a thread */
};

static _Noreturn void fail(const char *what)
{
	errx(1, "%s: %s", what, chan_strerror(errno));
}

/* ---- a reader ---- */

static int read_file(void *arg)
{
	struct source *s = arg;
	FILE *file = fopen(s->name, "r");
	struct line line;

	if (!file)
		err(1, "cannot read %s", s->name);
	while (fgets(line.text, sizeof(line.text), file)) {
		line.text[strcspn(line.text, "\n")] = '\0';
		if (lines_send(s->out, &line))
			break;
	}
	if (ferror(file))
		err(1, "cannot read %s", s->name);
	fclose(file);
	lines_drop(s->out);
	return 0;
}

static void read_in_thread(void *arg)
{
	read_file(arg);
}

/* It has inherited the ends that main receives from, which are not for it to hold. */
static int read_in_process(void *arg)
{
	struct source *s = arg;

	for (size_t i = 0; i <= s->number; i++)
		lines_drop((s - i)->in);
	return read_file(s);
}

/*
 * A reader holds the only handle that can send, so that its end is its channel's end:
 * main drops its own before it starts the next.
 */
static void start_reader(struct source *s, int processes)
{
	lines both = lines_make(0);

	if (both.chan) {
		s->in = lines_restrict(both, CHAN_RECV);
		s->out = lines_restrict(both, CHAN_SEND);
	}
	if (!s->in.chan || !s->out.chan)
		fail("cannot make a channel");
	lines_drop(both);
	if (!processes) {
		if (chan_go(NULL, read_in_thread, s))
			fail("cannot start a thread");
		return;
	}
	s->pid = chan_go_process(NULL, read_in_process, s);
	if (s->pid < 0)
		fail("cannot start a process");
	lines_drop(s->out);
}

/* ---- the fan-in ---- */

/* A channel that has ended is NULL by then, which like Go's nil is never chosen. */
static size_t select_source(struct source *sources, struct chan_case *cases, size_t n,
			    struct chan_timer *timeout)
{
	int chosen;

	for (size_t i = 0; i < n; i++)
		cases[i] = chan_on_recv(sources[i].in.chan, &sources[i].line);
	cases[n] = chan_on_tick(timeout);
	chosen = chan_select(cases, n + 1);
	if (chosen < 0)
		fail("cannot select");
	return (size_t)chosen;
}

/* Until all sources have come to their end, or none says anything any more. */
static void merge(struct source *sources, size_t n, int64_t patience)
{
	struct chan_timer *timeout = chan_timer_after(patience);
	struct chan_case *cases = calloc(n + 1, sizeof(*cases));
	size_t left = n, i;

	if (!timeout || !cases)
		fail("cannot make a select");
	while (left && (i = select_source(sources, cases, n, timeout)) < n) {
		if (cases[i].result < 0)
			fail("cannot receive");
		if (cases[i].result) {
			printf("%s: %s\n", sources[i].name, sources[i].line.text);
			chan_timer_set(timeout, chan_after(patience));
		} else {
			lines_drop(sources[i].in);
			sources[i].in.chan = NULL;
			left--;
		}
	}
	free(cases);
	chan_timer_drop(timeout);
}

/* Those who are silent sit in a read that has no end, so they are told by a signal. */
static void end_processes(struct source *sources, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!sources[i].pid)
			continue;
		if (sources[i].in.chan)
			kill(sources[i].pid, SIGTERM);
		waitpid(sources[i].pid, NULL, 0);
	}
}

static int fan_in(char **files, size_t n, int processes, int64_t patience)
{
	struct source *sources = calloc(n, sizeof(*sources));
	int silent = 0;

	if (!sources)
		err(1, "cannot remember %zu files", n);
	for (size_t i = 0; i < n; i++) {
		sources[i].name = files[i];
		sources[i].number = i;
		start_reader(&sources[i], processes);
	}
	merge(sources, n, patience);
	for (size_t i = 0; i < n; i++) {
		if (!sources[i].in.chan)
			continue;
		silent = 1;
		printf("%s has been silent for too long\n", sources[i].name);
	}
	end_processes(sources, n);
	fflush(stdout);
	/* Not free: a thread may sit in a read, too. */
	return silent ? 3 : 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: fanin [-p] [-t MILLISECONDS] FILE...\n"
			"Print the lines of the files (FIFOs, terminals) as they come, read by a\n"
			"thread each, or with -p by a process each.  When none has come for so\n"
			"long (1 to 1000000, otherwise 1000), say who is silent and end with 3.\n");
	return 2;
}

int main(int argc, char **argv)
{
	int processes = 0, opt;
	long ms = 1000;
	char *end = "";

	while ((opt = getopt(argc, argv, "pt:")) != -1) {
		if (opt != 'p' && opt != 't')
			return usage();
		processes |= opt == 'p';
		if (opt == 't')
			ms = strtol(optarg, &end, 10);
	}
	if (*end || ms < 1 || ms > 1000000 || optind >= argc || argc - optind >= CHAN_CASES_MAX)
		return usage();
	return fan_in(argv + optind, (size_t)(argc - optind), processes,
		      ms * CHAN_MILLISECOND);
}
