// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Sums files as cksum(1) does, several at once but not too many, in a group: the
 * first that cannot be read ends the others' work.  Go's errgroup shows itself with
 * a program like this.
 *
 * The workers are threads, or processes, which send what they find through a channel.
 * How many of them run is counted in cells, which threads and processes share.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libchan-go.h>

struct sum {
	uint32_t crc;
	uint32_t file; /* its place on the command line */
	uint64_t size;
};

CHAN_TYPE(sums, struct sum);

enum { RUNNING, MOST, CELLS };

/* What all workers share. */
struct team {
	struct chan_group *group;
	struct chan_cells *cells;
	sums out;
	char **files;
};

struct worker {
	struct team *team;
	uint32_t file;
};

static _Noreturn void fail(const char *what)
{
	errx(1, "%s: %s", what, chan_strerror(errno));
}

/* ---- the sum that POSIX defines ---- */

static uint32_t add_byte(uint32_t crc, unsigned char byte)
{
	crc ^= (uint32_t)byte << 24;
	for (int bit = 0; bit < 8; bit++)
		crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7 : 0);
	return crc;
}

static uint32_t finish(uint32_t crc, uint64_t size)
{
	for (; size; size >>= 8)
		crc = add_byte(crc, size & 255);
	return ~crc;
}

/* ---- a worker ---- */

/* Stops early when somebody else has failed: then nobody wants this sum any more. */
static int sum_file(FILE *file, struct chan_cancel *cancel, struct sum *sum)
{
	unsigned char block[4096];
	size_t n;

	do {
		if (chan_cancel_cause(cancel))
			return ECANCELED;
		n = fread(block, 1, sizeof(block), file);
		for (size_t i = 0; i < n; i++)
			sum->crc = add_byte(sum->crc, block[i]);
		sum->size += n;
	} while (n == sizeof(block));
	sum->crc = finish(sum->crc, sum->size);
	return ferror(file) ? EIO : 0;
}

static void count_in(struct chan_cells *cells)
{
	uint64_t running = chan_cells_add(cells, RUNNING, 1) + 1;
	uint64_t most = chan_cells_load(cells, MOST);

	while (running > most && !chan_cells_cas(cells, MOST, &most, running))
		;
}

static int sum_and_send(const struct worker *w)
{
	struct sum sum = { .file = w->file };
	FILE *file = fopen(w->team->files[w->file], "r");
	int error;

	if (!file)
		return -1;
	error = sum_file(file, chan_group_watch(w->team->group), &sum);
	fclose(file);
	return error ? error : sums_send(w->team->out, &sum);
}

static int work(void *arg)
{
	const struct worker *w = arg;
	int error;

	count_in(w->team->cells);
	error = sum_and_send(w);
	if (error == -1)
		error = errno;
	if (error && error != ECANCELED)
		warnx("%s: %s", w->team->files[w->file], strerror(error));
	chan_cells_add(w->team->cells, RUNNING, UINT64_MAX); /* one less */
	return error;
}

/* ---- the team ---- */

/* The channel has room for all, so that nobody waits for main. */
static void print_sums(const struct team *team)
{
	struct sum sum;

	sums_close(team->out);
	while (sums_next(team->out, &sum))
		printf("%" PRIu32 " %" PRIu64 " %s\n", sum.crc, sum.size, team->files[sum.file]);
	if (errno)
		fail("cannot receive a sum");
}

static int run(char **files, uint32_t n, size_t limit, int processes)
{
	struct team team = {
		.group = chan_group_make(limit, NULL),
		.cells = chan_cells_make(CELLS),
		.out = sums_make(n),
		.files = files,
	};
	struct worker *workers = calloc(n, sizeof(*workers));
	int error;

	if (!team.group || !team.cells || !team.out.chan || !workers)
		fail("cannot make a team");
	for (uint32_t i = 0; i < n; i++) {
		workers[i] = (struct worker){ &team, i };
		if ((processes ? chan_group_go_process : chan_group_go)(team.group, work,
									&workers[i]))
			fail("cannot start a worker");
	}
	error = chan_group_wait(team.group);
	fprintf(stderr, "at most %" PRIu64 " ran at once\n",
		chan_cells_load(team.cells, MOST));
	print_sums(&team);
	chan_group_drop(team.group);
	chan_cells_drop(team.cells);
	sums_drop(team.out);
	free(workers);
	if (error)
		errx(1, "not all files were summed: %s", strerror(error));
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: sums [-p] [-n N] FILE...\n"
			"Print what cksum prints, in any order, computed by at most N (1 to 1000,\n"
			"otherwise 4) threads at once, or with -p by processes.\n");
	return 2;
}

int main(int argc, char **argv)
{
	int processes = 0, opt;
	long limit = 4;
	char *end = "";

	while ((opt = getopt(argc, argv, "pn:")) != -1) {
		if (opt != 'p' && opt != 'n')
			return usage();
		processes |= opt == 'p';
		if (opt == 'n')
			limit = strtol(optarg, &end, 10);
	}
	if (*end || limit < 1 || limit > 1000 || optind >= argc)
		return usage();
	return run(argv + optind, (uint32_t)(argc - optind), (size_t)limit, processes);
}
