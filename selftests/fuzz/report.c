// SPDX-License-Identifier: GPL-2.0-only
/* What was found; see report.h. */

#include <string.h>

#include "report.h"
#include "shrink.h"

void print_framed(const char *path, const struct trace *t, const char *comment)
{
	printf("@file %s\n# SPDX-License-Identifier: GPL-2.0-only\n", path);
	if (comment)
		printf("# %s\n", comment);
	print_trace(stdout, t);
	printf("@end\n");
}

void report_found(const struct trace *found, const char *why, const char *file, const char *mode,
		  __u64 seed)
{
	static struct trace t;
	struct score *score = new_score();
	char comment[1200], path[200];

	t = *found;
	snprintf(path, sizeof(path), "regressions/%s-%llu", mode, seed);
	if (shrink(&t, score)) {
		snprintf(comment, sizeof(comment), "step %u: %s", score->at + 1, score->why);
	} else {
		t = *found;
		snprintf(comment, sizeof(comment), "does not repeat: %s", why);
	}
	print_framed(path, &t, comment);
	if (file)
		save_trace(file, &t, comment);
	fflush(stdout);
}
