/* SPDX-License-Identifier: GPL-2.0-only */
/* Storms: too much at once to be judged call by call; promises that hold for all. */
#ifndef STORM_H
#define STORM_H

#include <stdbool.h>

#include <linux/types.h>

/**
 * struct storm_count - what storms did
 * @rounds: how many there were
 * @messages: that arrived
 * @units: taken of semaphores
 * @locks: taken
 * @kills: of processes
 */
struct storm_count {
	unsigned long rounds, messages, units, locks, kills;
};

/* One storm; false if a promise was broken, which has been told. */
bool storm_run(__u64 seed, struct storm_count *count);

#endif /* STORM_H */
