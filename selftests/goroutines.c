// SPDX-License-Identifier: GPL-2.0-only
/* Go's goroutines: one value through a long chain of tasks. */
#include <kselftest_harness.h>
#include "kchan_util.h"

FIXTURE(goroutines) {
	int unused;
};

FIXTURE_VARIANT(goroutines) {
	enum task_kind kind;
	int n;
};

FIXTURE_VARIANT_ADD(goroutines, threads) { THREAD, 500 };
FIXTURE_VARIANT_ADD(goroutines, processes) { PROCESS, 100 };

FIXTURE_SETUP(goroutines) { }

FIXTURE_TEARDOWN(goroutines) { }

struct link {
	int left, right;
};

static int pass_on(void *arg)
{
	struct link *l = arg;
	__u64 v;

	CHECK(recv64(l->right, &v) == 1);
	return send64(l->left, v + 1);
}

TEST_F(goroutines, chain)
{
	struct link *links = shared_alloc(variant->n * sizeof(*links));
	struct task **tasks = calloc(variant->n, sizeof(*tasks));
	int leftmost = make_chan(8, 0), left = leftmost;
	__u64 v;

	allow_fds(variant->n + 100);
	for (int i = 0; i < variant->n; i++) {
		links[i] = (struct link){ left, make_chan(8, 0) };
		left = links[i].right;
		tasks[i] = task_start(variant->kind, pass_on, &links[i]);
	}
	ASSERT_EQ(0, send64(left, 0));
	ASSERT_EQ(1, recv64(leftmost, &v));
	EXPECT_EQ(variant->n, v);
	for (int i = 0; i < variant->n; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
}

TEST_HARNESS_MAIN
