// SPDX-License-Identifier: GPL-2.0-only
/* fuzz: the subcommands; README.md says what each is for. */

#include <stdio.h>
#include <string.h>

#include "commands.h"

static const struct command {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *arguments;
} commands[] = {
	{ "sequential", sequential_main,
	  "[--seed N] [--steps N | --seconds N] [--trace FILE] [--mistake NAME]" },
	{ "guided", guided_main, "[--seed N] [--seconds N] [--print-corpus] [--most N] [FILE...]" },
	{ "minimize", minimize_main, "[--most N] FILE..." },
	{ "replay", replay_main, "FILE..." },
	{ "self-test", self_test_main, "" },
	{ "concurrent", concurrent_main, "see fuzz concurrent --help" },
	{ "check-history", check_history_main, "FILE..." },
};

static int usage(FILE *to)
{
	size_t n = sizeof(commands) / sizeof(commands[0]);

	fputs("usage:\n", to);
	for (size_t i = 0; i < n; i++)
		fprintf(to, "  fuzz %-13s %s\n", commands[i].name, commands[i].arguments);
	return to == stdout ? 0 : 2;
}

/* Each subcommand finds its own name in argv[0], and its arguments behind it. */
int main(int argc, char **argv)
{
	size_t n = sizeof(commands) / sizeof(commands[0]);

	/* Whoever reads along is not to wait for what a crash would swallow. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "--help"))
		return usage(stdout);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].main(argc - 1, argv + 1);
	fprintf(stderr, "fuzz: there is no subcommand '%s'\n", argv[1]);
	return usage(stderr);
}
