// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestSelfSelect.  The race: two tasks offer both ends of one channel in
 * one select each.  They meet each other, and never themselves.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum { ROUNDS = FEWER(1500) };

FIXTURE(self_select) { int unused; };

FIXTURE_VARIANT(self_select) {
	enum task_kind kind;
	__u64 capacity;
	int times;	/* each end stands in the select */
};

FIXTURE_VARIANT_ADD(self_select, unbuffered_threads) { THREAD, 0, 1 };
FIXTURE_VARIANT_ADD(self_select, unbuffered_processes) { PROCESS, 0, 1 };
FIXTURE_VARIANT_ADD(self_select, unbuffered_often_threads) { THREAD, 0, 3 };
FIXTURE_VARIANT_ADD(self_select, unbuffered_often_processes) { PROCESS, 0, 3 };
FIXTURE_VARIANT_ADD(self_select, one_threads) { THREAD, 1, 2 };
FIXTURE_VARIANT_ADD(self_select, one_processes) { PROCESS, 1, 2 };
FIXTURE_VARIANT_ADD(self_select, buffered_threads) { THREAD, 10, 1 };
FIXTURE_VARIANT_ADD(self_select, buffered_processes) { PROCESS, 10, 1 };

FIXTURE_SETUP(self_select) { }
FIXTURE_TEARDOWN(self_select) { }

struct party {
	int c;
	int times;
	bool may_meet_itself;	/* through a buffer */
	__u64 me;
	int sent, received;
};

/* Each end, as often as asked; the second task takes turns at what comes first. */
static __u32 both_ends(struct kchan_case *cases, struct party *p, __u64 *got, int round)
{
	bool swap = p->me && round % 2;
	__u32 n = 0;

	for (int i = 0; i < p->times; i++) {
		cases[n + swap] = on_send64(p->c, &p->me);
		cases[n + !swap] = on_recv64(p->c, got);
		n += 2;
	}
	return n;
}

static int select_both_ends(void *arg)
{
	struct party *p = arg;

	for (int round = 0; round < ROUNDS; round++) {
		struct kchan_case cases[FEW];
		__u64 got = POISON;
		__u32 n = both_ends(cases, p, &got, round);
		struct chosen c = kchan_select(cases, n, 0, 0);

		CHECK(c.index >= 0 && c.index < (int)n);
		if (cases[c.index].op == KCHAN_OP_SEND) {
			CHECK(c.outcome == 0);
			CHECK(got == POISON);
			p->sent++;
		} else {
			CHECK(c.outcome == 1);
			CHECK(got == 0 || got == 1);
			CHECK(got != p->me || p->may_meet_itself);
			p->received++;
		}
	}
	return 0;
}

TEST_F(self_select, meets_only_the_other)
{
	struct party *p = shared_alloc(2 * sizeof(*p));
	int c = make_chan(8, variant->capacity);
	struct task *t;

	for (int i = 0; i < 2; i++)
		p[i] = (struct party){ c, variant->times, variant->capacity, i, 0, 0 };
	t = task_start(variant->kind, select_both_ends, &p[1]);
	EXPECT_EQ(0, select_both_ends(&p[0]));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(chan_stat(c).length, p[0].sent + p[1].sent - p[0].received - p[1].received);
	if (!variant->capacity) {
		EXPECT_EQ(p[0].sent, p[1].received);
		EXPECT_EQ(p[1].sent, p[0].received);
	}
	EXPECT_EQ(true, waiting(c, 0, 0));
}

TEST_HARNESS_MAIN
