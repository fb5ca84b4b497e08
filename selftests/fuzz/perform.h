/* SPDX-License-Identifier: GPL-2.0-only */
/* Making programs happen: tasks that do the calls and note what they are told. */
#ifndef PERFORM_H
#define PERFORM_H

#include "program.h"

/* So many programs share one start of tasks. */
enum { MOST_TOGETHER = PROCESSES_EVERY };

/*
 * Performs programs, all by threads or all by processes, one after the other, and
 * fills in their histories.  The row of random numbers is for what differs each time.
 */
void perform(struct program *programs, int count, __u64 row);

#endif /* PERFORM_H */
