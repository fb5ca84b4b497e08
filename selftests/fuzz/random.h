/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers that look random, and are the same for the same seed. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdbool.h>
#include <linux/types.h>

static inline __u64 scramble(__u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static inline __u64 next_random(__u64 *state)
{
	*state += 0x9e3779b97f4a7c15ull;
	return scramble(*state);
}

/* From 0 to @n - 1. */
static inline __u64 below(__u64 *state, __u64 n)
{
	return next_random(state) % n;
}

static inline bool chance(__u64 *state, unsigned int percent)
{
	return below(state, 100) < percent;
}

/* One element of an array. */
#define pick(state, array)	((array)[below(state, sizeof(array) / sizeof((array)[0]))])

#endif /* RANDOM_H */
