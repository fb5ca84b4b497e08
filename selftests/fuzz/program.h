/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs: what the tasks of a history are to do, drawn from a seed. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "history.h"
#include "random.h"

/* Which kinds of object programs use; bits by enum kind. */
enum {
	CHANNELS = 1 << CHAN,
	LOCKS = 1 << MUTEX | 1 << RWMUTEX | 1 << ONCE | 1 << COND,
	UNITS = 1 << SEMAPHORE | 1 << WAITGROUP,
	ALL_KINDS = (1 << KINDS) - 1,
};

/**
 * struct move - how a call is made, beyond what a history tells of it
 * @wait_ns: from its beginning to its deadline
 * @dawdle: turns of a loop before it
 * @yield: give the processor away before it
 * @vector: a batch has its messages' addresses
 * @waiters: a stat is repeated until it sees so many wait, but not for long
 * @deadline: that it was given, on CLOCK_MONOTONIC
 */
struct move {
	__s64 wait_ns;
	int dawdle;
	int waiters;
	bool yield, vector;
	__s64 deadline;
};

/**
 * struct program - a history to be, and what it takes to make it happen
 * @history: calls of each task in its order, without results
 * @move: how each is made
 * @rights: of each task on each channel; bits 1 (send) and 2 (receive)
 * @keeper: rights on each channel that nobody uses, and nobody drops
 * @processor: where each task is to run; negative: anywhere
 * @in_line: the tasks line up in one queue, and are served one after the other
 */
struct program {
	struct history history;
	struct move move[MAX_CALLS];
	uint8_t rights[MAX_OBJECTS][MAX_TASKS];
	uint8_t keeper[MAX_OBJECTS];
	int processor[MAX_TASKS];
	bool in_line;
};

enum { PROCESSES_EVERY = 8 };

/* Whether the program of a seed runs as processes: the same for PROCESSES_EVERY seeds. */
bool program_has_processes(__u64 seed);
void program_draw(struct program *p, __u64 seed, unsigned int kinds);
void program_draw_moves(struct program *p, __u64 seed, int processors);

#endif /* PROGRAM_H */
