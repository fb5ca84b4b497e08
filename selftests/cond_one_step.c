// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving the lock back and beginning to wait are one step.  The race: the state
 * changes and is signalled between the two.  Were they two steps, the signal
 * would find nobody, and its waiter would sleep for ever.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { ITEMS = FEWER(2000), CONSUMERS = 3 };

TASK_FIXTURE(cond_one_step);

struct store {
	int m, cond;
	int left;	/* items still to be consumed; under the lock, as the next */
	int items;
	int signals_inside;
	int interrupted, timeouts;
	__s64 patience;
};

/* One wait, ended by a signal of either kind, or by its deadline. */
static int wait_for_items(struct store *s)
{
	int ret = s->patience ? op_until(s->cond, KCHAN_OP_COND, s->m, now() + s->patience) :
				wait_op(s->cond, KCHAN_OP_COND, s->m);

	if (ret == -EINTR)
		count_up(&s->interrupted);
	else if (ret == -ETIMEDOUT)
		count_up(&s->timeouts);
	else
		CHECK(ret == 0);
	while ((ret = kchan_lock(s->m)) == -EINTR)
		;
	CHECK(ret == 0);
	return 0;
}

static int consume(void *arg)
{
	struct store *s = arg;
	int ret;

	while ((ret = kchan_lock(s->m)) == -EINTR)
		;
	CHECK(ret == 0);
	while (s->left) {
		if (!s->items) {
			CHECK(wait_for_items(s) == 0);
			continue;
		}
		s->items--;
		s->left--;
		if (!s->left)
			CHECK(kchan_arg_call(s->cond, KCHAN_SIGNAL, KCHAN_ALL) >= 0);
	}
	CHECK(kchan_unlock(s->m) == 0);
	return 0;
}

static int produce(void *arg)
{
	struct store *s = arg;

	for (int i = 0; i < ITEMS; i++) {
		CHECK(kchan_lock(s->m) == 0);
		s->items++;
		if (s->signals_inside)
			CHECK(kchan_arg_call(s->cond, KCHAN_SIGNAL, 1) >= 0);
		CHECK(kchan_unlock(s->m) == 0);
		if (!s->signals_inside)
			CHECK(kchan_arg_call(s->cond, KCHAN_SIGNAL, 1) >= 0);
	}
	return 0;
}

static struct store *new_store(int signals_inside, __s64 patience)
{
	struct store *s = shared_alloc(sizeof(*s));

	*s = (struct store){
		.m = make_object(KCHAN_KIND_MUTEX, 0),
		.cond = make_object(KCHAN_KIND_COND, 0),
		.left = ITEMS,
		.signals_inside = signals_inside,
		.patience = patience,
	};
	return s;
}

static void expect_all_consumed(struct __test_metadata *_metadata, struct store *s,
				enum task_kind kind, bool with_signals)
{
	struct task *consumers[CONSUMERS], *producer;

	for (int i = 0; i < CONSUMERS; i++)
		consumers[i] = task_start(kind, consume, s);
	producer = task_start(kind, produce, s);
	for (int i = 0; with_signals && load(&s->left); i++) {
		task_signal(consumers[i % CONSUMERS], SIGUSR1);
		usleep(200);
	}
	EXPECT_EQ(0, task_join(producer));
	for (int i = 0; i < CONSUMERS; i++) {
		EXPECT_EQ(0, task_join(consumers[i]));
	}
	EXPECT_EQ(0, s->items);
	EXPECT_EQ(0, s->left);
	EXPECT_EQ(true, waiting(s->cond, 0, 0));
	EXPECT_EQ(0, chan_stat(s->m).state);
}

TEST_F_TIMEOUT(cond_one_step, signal_under_the_lock, 60)
{
	expect_all_consumed(_metadata, new_store(1, 0), variant->kind, false);
}

TEST_F_TIMEOUT(cond_one_step, signal_after_the_unlock, 60)
{
	expect_all_consumed(_metadata, new_store(0, 0), variant->kind, false);
}

/* A wait that times out takes no signal with it. */
TEST_F_TIMEOUT(cond_one_step, with_deadlines, 60)
{
	expect_all_consumed(_metadata, new_store(0, 50000), variant->kind, false);
}

/* Nor one that a signal handler ends. */
TEST_F_TIMEOUT(cond_one_step, with_signals, 60)
{
	struct store *s = new_store(0, 0);

	catch_signal(SIGUSR1, 0);
	expect_all_consumed(_metadata, s, variant->kind, true);
}

/* ---- a signal that comes with a deadline or a kill is not lost ---- */

struct baton {
	int m, cond;
	int woken;
};

static int wait_and_report(void *arg)
{
	struct baton *b = arg;
	int ret;

	CHECK(kchan_lock(b->m) == 0);
	ret = op_until(b->cond, KCHAN_OP_COND, b->m, now() + 300000);
	CHECK(ret == 0 || ret == -ETIMEDOUT);
	if (!ret)
		count_up(&b->woken);
	return 0;
}

/*
 * The race: the deadline comes as the signal does.  KCHAN_SIGNAL says how many it
 * woke, and just so many must say that they were.
 */
TEST_F(cond_one_step, as_many_as_were_woken)
{
	struct baton *b = shared_alloc(sizeof(*b));
	int claimed = 0;

	b->m = make_object(KCHAN_KIND_MUTEX, 0);
	b->cond = make_object(KCHAN_KIND_COND, 0);
	for (int round = 0; round < FEWER(200); round++) {
		struct task *t = task_start(variant->kind, wait_and_report, b);
		__s64 end = now() + round % 20 * 50000;

		while (now() < end)
			;
		claimed += kchan_arg_call(b->cond, KCHAN_SIGNAL, 1);
		ASSERT_EQ(0, task_join(t));
		ASSERT_EQ(claimed, b->woken);
	}
	TH_LOG("%d of 200 were woken", claimed);
}

TEST_HARNESS_MAIN
