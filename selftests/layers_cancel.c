// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestLayersCancel and TestLayersTimeout: many layers of cancels, with and
 * without deadlines; whichever is cancelled, the innermost is too, and none above.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { LAYERS = 30, ROUNDS = FEWER(50) };

/* Half of them with a deadline, of which none comes before @deadline. */
static void make_layers(int *fds, unsigned int *seed, __s64 deadline)
{
	for (int i = 0; i < LAYERS; i++) {
		int parent = i ? fds[i - 1] : -1;

		fds[i] = rand_r(seed) % 2 ? make_cancel(parent) :
			 made(try_make_cancel(parent, KCHAN_DEADLINE, deadline));
	}
}

TEST(cancel)
{
	unsigned int seed = 8;
	int fds[LAYERS];

	for (int round = 0; round < ROUNDS; round++) {
		int which = rand_r(&seed) % LAYERS;

		make_layers(fds, &seed, now() + 3600 * NSEC_PER_SEC);
		EXPECT_EQ(-EAGAIN, cause_now(fds[LAYERS - 1]));
		EXPECT_EQ(1, kchan_arg_call(fds[which], KCHAN_CANCEL, 0));
		for (int i = 0; i < LAYERS; i++) {
			ASSERT_EQ(i < which ? -EAGAIN : ECANCELED, cause_now(fds[i]));
		}
		/* Closed in any order. */
		for (int i = 0; i < LAYERS; i++)
			close(fds[(i + which) % LAYERS]);
	}
}

TEST(timeout)
{
	unsigned int seed = 9;
	int fds[LAYERS];

	for (int round = 0; round < ROUNDS; round++) {
		__s64 deadline = now() + 5 * NSEC_PER_MSEC;
		__u64 cause;

		make_layers(fds, &seed, deadline);
		ASSERT_EQ(0, kchan_wait_op(fds[LAYERS - 1], KCHAN_OP_CANCELLED, 0, 0,
					   KCHAN_DEADLINE, now() + PATIENCE_NS, &cause));
		EXPECT_LE(deadline, now());
		EXPECT_EQ(ETIMEDOUT, cause);
		for (int i = 0; i < LAYERS; i++)
			close(fds[i]);
	}
}

TEST_HARNESS_MAIN
