// SPDX-License-Identifier: GPL-2.0-only
/*
 * Select meets select.  The race: two tasks stand at the same two rendezvous
 * channels, in opposite orders, the one to send on either and the other to receive
 * from either.  Whoever looks first finds nobody, and is found on one channel
 * while it is still looking at the other.  They must meet once: not on both, and
 * nobody may go to sleep beside the other.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum { ROUNDS = FEWER(2000), MOST_TASKS = 4 };

FIXTURE(select_meets_select) { int unused; };

FIXTURE_VARIANT(select_meets_select) {
	enum task_kind kind;
	int tasks;	/* on each side */
};

FIXTURE_VARIANT_ADD(select_meets_select, one_on_one_threads) { THREAD, 1 };
FIXTURE_VARIANT_ADD(select_meets_select, one_on_one_processes) { PROCESS, 1 };
FIXTURE_VARIANT_ADD(select_meets_select, two_on_two_threads) { THREAD, 2 };
FIXTURE_VARIANT_ADD(select_meets_select, two_on_two_processes) { PROCESS, 2 };
FIXTURE_VARIANT_ADD(select_meets_select, four_on_four_threads) { THREAD, 4 };
FIXTURE_VARIANT_ADD(select_meets_select, four_on_four_processes) { PROCESS, 4 };

FIXTURE_SETUP(select_meets_select) { }
FIXTURE_TEARDOWN(select_meets_select) { }

struct party {
	int c[2];		/* in the order of the senders */
	int sends;		/* of each sender */
	int next;		/* sender without a number */
	int on[2];		/* how many said they sent on each */
	int from[2];		/* and received */
	int seen[MOST_TASKS * ROUNDS];
};

static int send_either_way(void *arg)
{
	struct party *p = arg;
	int me = count_up(&p->next);

	for (int i = 0; i < p->sends; i++) {
		__u64 v = me * p->sends + i;
		struct chosen c = kchan_select(CASES(on_send64(p->c[0], &v),
						     on_send64(p->c[1], &v)),
					       KCHAN_IN_ORDER, 0);

		CHECK(c.index == 0 || c.index == 1);
		CHECK(c.outcome == 0);
		count_up(&p->on[c.index]);
	}
	return 0;
}

static int receive_either_way(void *arg)
{
	struct party *p = arg;

	for (int i = 0; i < p->sends; i++) {
		__u64 v[2] = { POISON, POISON };
		struct chosen c = kchan_select(CASES(on_recv64(p->c[1], &v[1]),
						     on_recv64(p->c[0], &v[0])),
					       KCHAN_IN_ORDER, 0);
		int from = !c.index;

		CHECK(c.index == 0 || c.index == 1);
		CHECK(c.outcome == 1);
		CHECK(v[from] < MOST_TASKS * ROUNDS);
		CHECK(v[!from] == POISON);
		count_up(&p->from[from]);
		count_up(&p->seen[v[from]]);
	}
	return 0;
}

static void expect_all_met(struct __test_metadata *_metadata, struct party *p, int messages)
{
	for (int i = 0; i < messages; i++) {
		ASSERT_EQ(1, p->seen[i])
			TH_LOG("message %d", i);
	}
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(p->on[i], p->from[i]);
		EXPECT_EQ(true, waiting(p->c[i], 0, 0));
		EXPECT_EQ(0, chan_stat(p->c[i]).length);
	}
}

static struct party *make_party(int sends)
{
	struct party *p = shared_alloc(sizeof(*p));

	p->sends = sends;
	for (int i = 0; i < 2; i++)
		p->c[i] = make_chan(8, 0);
	return p;
}

TEST_F(select_meets_select, in_opposite_orders)
{
	struct party *p = make_party(ROUNDS / variant->tasks);
	struct task *tasks[2 * MOST_TASKS];

	for (int i = 0; i < variant->tasks; i++) {
		tasks[2 * i] = task_start(variant->kind, send_either_way, p);
		tasks[2 * i + 1] = task_start(variant->kind, receive_either_way, p);
	}
	for (int i = 0; i < 2 * variant->tasks; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	expect_all_met(_metadata, p, p->sends * variant->tasks);
}

/*
 * Each sends on one channel and receives on the other, of which the other task
 * does the opposite: A sends on 0 or receives from 1, B receives from 0 or sends
 * on 1.  Every meeting is one message on one of the two.
 */
struct crossing {
	int c[2];
	int sent[2], received[2];	/* on each channel */
};

static int cross(struct crossing *x, int out)
{
	for (int i = 0; i < ROUNDS; i++) {
		__u64 mine = i, got = POISON;
		struct kchan_case cases[2];
		struct chosen c;

		cases[out] = on_send64(x->c[out], &mine);
		cases[!out] = on_recv64(x->c[!out], &got);
		c = kchan_select(cases, 2, out ? 0 : KCHAN_IN_ORDER, 0);
		CHECK(c.index == 0 || c.index == 1);
		CHECK(c.outcome == (c.index != out));
		CHECK(got == (c.index == out ? POISON : (__u64)i));
		count_up(c.index == out ? &x->sent[out] : &x->received[!out]);
	}
	return 0;
}

static int cross_out_on_1(void *arg)
{
	return cross(arg, 1);
}

TASK_FIXTURE(select_crosses_select);

TEST_F(select_crosses_select, one_message_a_meeting)
{
	struct crossing *x = shared_alloc(sizeof(*x));
	struct task *t;

	for (int i = 0; i < 2; i++)
		x->c[i] = make_chan(8, 0);
	t = task_start(variant->kind, cross_out_on_1, x);
	EXPECT_EQ(0, cross(x, 0));
	EXPECT_EQ(0, task_join(t));
	TH_LOG("%d one way, %d the other", x->sent[0], x->sent[1]);
	EXPECT_EQ(ROUNDS, x->sent[0] + x->sent[1]);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(x->sent[i], x->received[i]);
		EXPECT_EQ(true, waiting(x->c[i], 0, 0));
	}
}

TEST_HARNESS_MAIN
