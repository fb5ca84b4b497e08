// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestSelectStress.  The race: on each of four channels, unbuffered and
 * buffered, plain senders and receivers meet a select that sends on all four and
 * a select that receives from all four.  It ends, and each message arrived once.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum { CHANS = 4, VALUES = FEWER(700), TASKS = 2 * CHANS + 2 };

TASK_FIXTURE(select_stress);

static const int capacities[CHANS] = { 0, 0, 2, 3 };

struct stress {
	int c[CHANS];
	int next_sender, next_receiver;
	int seen[CHANS][2 * VALUES];	/* the plain sender's values, then the select's */
};

static int send_all(void *arg)
{
	struct stress *s = arg;
	int mine = count_up(&s->next_sender);

	for (int i = 0; i < VALUES; i++)
		CHECK(send64(s->c[mine], i) == 0);
	return 0;
}

static int receive_all(void *arg)
{
	struct stress *s = arg;
	int mine = count_up(&s->next_receiver);
	__u64 v;

	for (int i = 0; i < VALUES; i++) {
		CHECK(recv64(s->c[mine], &v) == 1);
		CHECK(v < 2 * VALUES);
		count_up(&s->seen[mine][v]);
	}
	return 0;
}

/* As many to each channel as the plain sender: whichever is ready, until all are full. */
static int select_to_send_all(void *arg)
{
	struct stress *s = arg;
	struct kchan_case cases[CHANS];
	__u64 values[CHANS];

	for (int i = 0; i < CHANS; i++) {
		values[i] = VALUES;
		cases[i] = on_send64(s->c[i], &values[i]);
	}
	for (int n = 0; n < CHANS * VALUES; n++) {
		struct chosen c = kchan_select(cases, CHANS, 0, 0);

		CHECK(c.index >= 0 && c.outcome == 0);
		if (++values[c.index] == 2 * VALUES)
			cases[c.index].fd = NO_CHAN;
	}
	return 0;
}

static int select_to_receive_all(void *arg)
{
	struct stress *s = arg;
	struct kchan_case cases[CHANS];
	int received[CHANS] = { 0 };
	__u64 v;

	for (int i = 0; i < CHANS; i++)
		cases[CHANS - 1 - i] = on_recv64(s->c[i], &v);
	for (int n = 0; n < CHANS * VALUES; n++) {
		struct chosen c = kchan_select(cases, CHANS, 0, 0);
		int from = CHANS - 1 - c.index;

		CHECK(c.index >= 0 && c.outcome == 1);
		CHECK(v < 2 * VALUES);
		count_up(&s->seen[from][v]);
		if (++received[from] == VALUES)
			cases[c.index].fd = NO_CHAN;
	}
	return 0;
}

TEST_F(select_stress, every_message_arrives_once)
{
	struct stress *s = shared_alloc(sizeof(*s));
	struct task *tasks[TASKS];
	int n = 0;

	for (int i = 0; i < CHANS; i++)
		s->c[i] = make_chan(8, capacities[i]);
	for (int i = 0; i < CHANS; i++) {
		tasks[n++] = task_start(variant->kind, send_all, s);
		tasks[n++] = task_start(variant->kind, receive_all, s);
	}
	tasks[n++] = task_start(variant->kind, select_to_send_all, s);
	tasks[n++] = task_start(variant->kind, select_to_receive_all, s);
	for (int i = 0; i < n; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	for (int i = 0; i < CHANS; i++) {
		for (int v = 0; v < 2 * VALUES; v++) {
			ASSERT_EQ(1, s->seen[i][v])
				TH_LOG("channel %d, value %d", i, v);
		}
		EXPECT_EQ(0, chan_stat(s->c[i]).length);
		EXPECT_EQ(true, waiting(s->c[i], 0, 0));
	}
}

TEST_HARNESS_MAIN
