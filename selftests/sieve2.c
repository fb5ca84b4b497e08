// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's sieve2: primes are the odd numbers that are not composite; and what is
 * composite is merged from the multiples of the primes before.  Each list is a
 * task of its own.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { PRIMES = 40 };

TASK_FIXTURE(sieve2);

struct sieve {
	int odds;
	int found;		/* primes, for the merger */
	int composites;		/* odd ones, ascending, each once */
	int prime[PRIMES];	/* for the task that lists its multiples */
	int multiples[PRIMES];
	int next;		/* task to list multiples */
};

/* Who has read enough closes the channel. */
static int list(int out, __u64 v, __u64 step)
{
	int ret;

	while (!(ret = send64(out, v)))
		v += step;
	return ret != -EPIPE;
}

static int list_odds(void *arg)
{
	return list(((struct sieve *)arg)->odds, 3, 2);
}

static int list_multiples(void *arg)
{
	struct sieve *s = arg;
	int i = count_up(&s->next);
	__u64 p;

	return recv64(s->prime[i], &p) == 1 ? list(s->multiples[i], p * p, 2 * p) : 0;
}

static __u64 least_of(const __u64 *heads, int n)
{
	__u64 least = heads[0];

	for (int i = 1; i < n; i++)
		if (heads[i] < least)
			least = heads[i];
	return least;
}

/* Has the next prime's multiples listed; they matter from its square on. */
static int add_prime(struct sieve *s, int i, __u64 *prime, __u64 *head)
{
	if (recv64(s->found, prime) != 1)
		return -EPIPE;
	must(!send64(s->prime[i], *prime));
	return recv64(s->multiples[i], head) == 1 ? 0 : -EPIPE;
}

static int merge(void *arg)
{
	struct sieve *s = arg;
	__u64 heads[PRIMES], last = 1, least;
	int n = 0, ret = 0;

	while (!ret) {
		/* The next prime is at least the last and two. */
		while (!ret && (!n || (last + 2) * (last + 2) <= least_of(heads, n))) {
			CHECK(n < PRIMES);
			ret = add_prime(s, n, &last, &heads[n]);
			n++;
		}
		if (ret)
			break;
		least = least_of(heads, n);
		ret = send64(s->composites, least);
		for (int i = 0; !ret && i < n; i++)
			if (heads[i] == least && recv64(s->multiples[i], &heads[i]) != 1)
				ret = -EPIPE;
	}
	return ret != -EPIPE;
}

static bool is_prime(__u64 v)
{
	for (__u64 d = 2; d * d <= v; d++)
		if (v % d == 0)
			return false;
	return true;
}

TEST_F(sieve2, primes)
{
	struct sieve *s = shared_alloc(sizeof(*s));
	struct task *tasks[PRIMES + 2];
	__u64 v, composite = 0, expected = 3;

	s->odds = make_chan(8, 0);
	s->found = make_chan(8, PRIMES);
	s->composites = make_chan(8, 0);
	for (int i = 0; i < PRIMES; i++) {
		s->prime[i] = make_chan(8, 1);
		s->multiples[i] = make_chan(8, 1);
	}
	for (int i = 0; i < PRIMES; i++)
		tasks[i] = task_start(variant->kind, list_multiples, s);
	tasks[PRIMES] = task_start(variant->kind, list_odds, s);
	tasks[PRIMES + 1] = task_start(variant->kind, merge, s);

	for (int n = 0; n < PRIMES;) {
		ASSERT_EQ(1, recv64(s->odds, &v));
		if (v == composite) {
			ASSERT_EQ(1, recv64(s->composites, &composite));
			continue;
		}
		while (!is_prime(expected))
			expected += 2;
		ASSERT_EQ(expected, v);
		expected += 2;
		ASSERT_EQ(0, send64(s->found, v));
		if (!n++)
			ASSERT_EQ(1, recv64(s->composites, &composite));
	}

	ASSERT_EQ(0, chan_close(s->odds));
	ASSERT_EQ(0, chan_close(s->found));
	ASSERT_EQ(0, chan_close(s->composites));
	for (int i = 0; i < PRIMES; i++) {
		ASSERT_EQ(0, chan_close(s->prime[i]));
		ASSERT_EQ(0, chan_close(s->multiples[i]));
	}
	for (int i = 0; i < PRIMES + 2; i++)
		EXPECT_EQ(0, task_join(tasks[i]));
}

TEST_HARNESS_MAIN
