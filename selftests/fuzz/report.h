/* SPDX-License-Identifier: GPL-2.0-only */
/* What was found, for people and for the host: there is no way out but stdout. */
#ifndef REPORT_H
#define REPORT_H

#include "play.h"

/* A file between marker lines, which selftests/fuzz/run takes out again. */
void print_framed(const char *path, const struct trace *t, const char *comment);

/* Shrinks a trace that failed, and prints and saves what is left. */
void report_found(const struct trace *t, const char *why, const char *file, const char *mode,
		  __u64 seed);

__u64 seed_of_now(void);

#endif /* REPORT_H */
