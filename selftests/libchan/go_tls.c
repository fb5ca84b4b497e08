// SPDX-License-Identifier: GPL-2.0-only
/* Thread-local variables that do not fit into a small stack: it gets larger. */
#include "kselftest_harness.h"
#include "go_util.h"

static _Thread_local char large[3 * CHAN_GO_STACK];

static void use_large(void *arg)
{
	memset(large, 1, sizeof(large));
	*(char **)arg = large;
}

TEST(stacks_hold_thread_local_variables_too)
{
	struct chan_wg *wg = must_make_wg(0);
	char *where = NULL;

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, err(chan_go(wg, use_large, &where)));
		ASSERT_EQ(0, err(chan_wg_wait(wg)));
		EXPECT_TRUE(where && where != large);
	}
	EXPECT_EQ(0, large[0]);
	chan_wg_drop(wg);
}

TEST_HARNESS_MAIN
