// SPDX-License-Identifier: GPL-2.0-only
/* Go's sieve1: primes from a chain of filters, each a task of its own. */
#include <kselftest_harness.h>
#include "kchan_util.h"

static const __u64 primes[] = {
	2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47,
	53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
};

enum { PRIMES = ARRAY_LEN(primes) };

FIXTURE(sieve) {
	int unused;
};

FIXTURE_VARIANT(sieve) {
	enum task_kind kind;
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(sieve, unbuffered_threads) { THREAD, 0 };
FIXTURE_VARIANT_ADD(sieve, unbuffered_processes) { PROCESS, 0 };
FIXTURE_VARIANT_ADD(sieve, buffered_threads) { THREAD, 8 };
FIXTURE_VARIANT_ADD(sieve, buffered_processes) { PROCESS, 8 };

FIXTURE_SETUP(sieve) { }

FIXTURE_TEARDOWN(sieve) { }

struct filter {
	int in, out;
	__u64 prime;
};

static int generate(void *arg)
{
	struct filter *f = arg;
	__u64 v = 2;
	int ret;

	while (!(ret = send64(f->out, v)))
		v++;
	return ret != -EPIPE;
}

static int drop_multiples(void *arg)
{
	struct filter *f = arg;
	__u64 v;

	while (recv64(f->in, &v) == 1) {
		int ret = v % f->prime ? send64(f->out, v) : 0;

		if (ret)
			return ret != -EPIPE;
	}
	return 0;
}

TEST_F(sieve, primes)
{
	struct filter *f = shared_alloc((PRIMES + 1) * sizeof(*f));
	struct task *tasks[PRIMES + 1];
	__u64 v;

	f[0].out = make_chan(8, variant->capacity);
	tasks[0] = task_start(variant->kind, generate, &f[0]);
	for (int i = 0; i < PRIMES; i++) {
		ASSERT_EQ(1, recv64(f[i].out, &v));
		ASSERT_EQ(primes[i], v);
		f[i + 1] = (struct filter){ f[i].out, make_chan(8, variant->capacity), v };
		tasks[i + 1] = task_start(variant->kind, drop_multiples, &f[i + 1]);
	}
	for (int i = 0; i <= PRIMES; i++) {
		ASSERT_EQ(0, chan_close(f[i].out));
	}
	for (int i = 0; i <= PRIMES; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
}

TEST_HARNESS_MAIN
