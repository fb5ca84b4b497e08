/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of select share, beyond kchan_util.h. */
#ifndef SELECT_UTIL_H
#define SELECT_UTIL_H

#include "kchan_util.h"

/* A case that is never ready. */
#define NO_CHAN	-1

/* Two arguments: an array of these cases, and how many they are. */
#define CASES(...)							\
	(struct kchan_case[]){ __VA_ARGS__ },				\
	ARRAY_LEN(((struct kchan_case[]){ __VA_ARGS__ }))

#define select_of(...)		kchan_select(CASES(__VA_ARGS__), 0, 0)
#define try_select_of(...)	kchan_select(CASES(__VA_ARGS__), KCHAN_NONBLOCK, 0)

static inline bool chose(struct chosen c, int index, int outcome)
{
	return c.index == index && c.outcome == outcome;
}

#define EXPECT_CHOSE(idx, out, call) do {				\
	struct chosen _chosen = (call);					\
									\
	EXPECT_EQ(idx, _chosen.index);					\
	EXPECT_EQ(out, _chosen.outcome);				\
} while (0)

/* A select that failed has left no value either. */
#define EXPECT_FAILED(error, call) do {					\
	struct chosen _chosen = (call);					\
									\
	EXPECT_EQ(-(error), _chosen.index);				\
	EXPECT_EQ(POISON, _chosen.value);				\
} while (0)

/* ---- a task that selects once ---- */

enum { FEW = 8 };

struct one_select {
	struct kchan_case cases[FEW];
	__u64 values[FEW];	/* sent by each case, or received */
	__u32 nr;
	__u32 flags;
	__s64 deadline;
	struct chosen chosen;
	int over;
};

static inline struct one_select *new_select(void)
{
	return shared_alloc(sizeof(struct one_select));
}

static inline void with_send(struct one_select *s, int fd, __u64 value)
{
	must(s->nr < FEW);
	s->values[s->nr] = value;
	s->cases[s->nr] = on_send64(fd, &s->values[s->nr]);
	s->nr++;
}

static inline void with_recv(struct one_select *s, int fd)
{
	must(s->nr < FEW);
	s->values[s->nr] = POISON;
	s->cases[s->nr] = on_recv64(fd, &s->values[s->nr]);
	s->nr++;
}

static inline int select_once(void *arg)
{
	struct one_select *s = arg;

	s->chosen = kchan_select(s->cases, s->nr, s->flags, s->deadline);
	store(&s->over, 1);
	return 0;
}

static inline struct task *start_select(enum task_kind kind, struct one_select *s)
{
	return task_start(kind, select_once, s);
}

/* Every receive that was not chosen has left its memory alone. */
static inline bool others_untouched(const struct one_select *s)
{
	for (__u32 i = 0; i < s->nr; i++)
		if (s->cases[i].op == KCHAN_OP_RECV && (int)i != s->chosen.index &&
		    s->values[i] != POISON)
			return false;
	return true;
}

/*
 * The proof that a task is blocked where no object counts it: it is off its
 * processor, inside the wait core.
 */
static inline bool is_parked(struct task *t)
{
	char path[64], wchan[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/wchan", t->tid);
	f = fopen(path, "r");
	must(f && fgets(wchan, sizeof(wchan), f));
	fclose(f);
	return !strncmp(wchan, "kchan_", strlen("kchan_"));
}

static inline void wait_parked(struct task *t)
{
	wait_until(load(&t->tid) && is_parked(t));
}

/* ---- starting together ---- */

/*
 * Two tasks that call this with the same number leave it together, as closely
 * as two processors can.  Numbers go up from 0.
 */
static inline void meet(int *arrivals, int number)
{
	count_up(arrivals);
	while (load(arrivals) < 2 * (number + 1))
		sched_yield();
}

/* Some little time, to let two tasks meet at another point each round. */
static inline void dawdle(unsigned int *seed, int most)
{
	for (int i = rand_r(seed) % most; i; i--)
		__asm__ volatile("");
}

/* The same by the clock, for what takes long. */
static inline void dawdle_ns(unsigned int *seed, __s64 most)
{
	__s64 end = now() + rand_r(seed) % most;

	while (now() < end)
		;
}

/* ---- a uniform choice ---- */

/*
 * Upper quantiles of the chi-squared distribution: a fair choice among so many
 * exceeds them once in 1e9 runs.
 */
static inline double bound_of(int choices)
{
	switch (choices) {
	case 2: return 37.32;
	case 3: return 41.45;
	case 4: return 44.84;
	case 8: return 55.87;
	case 9: return 58.31;
	case 11: return 62.95;
	case 16: return 73.63;
	case 64: return 155.07;
	}
	die("no bound for %d choices", choices);
}

static inline double chi_squared(const int *counts, int choices, int trials)
{
	double expected = (double)trials / choices, sum = 0;

	for (int i = 0; i < choices; i++)
		sum += (counts[i] - expected) * (counts[i] - expected) / expected;
	return sum;
}

static inline void expect_uniform(struct __test_metadata *_metadata, const char *what,
				  const int *counts, int choices, int trials)
{
	double seen = chi_squared(counts, choices, trials);

	EXPECT_GT((int)bound_of(choices), (int)seen)
		TH_LOG("%s: %d choices, chi-squared %d", what, choices, (int)seen);
}

#endif /* SELECT_UTIL_H */
