// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nobody starves, with bounds: from the moment that somebody is seen waiting for
 * a lock in a crowd, each other task gets it at most once more before it.
 *
 * The proof counts.  Of HOGS + 1 tasks that want a mutex one holds it, or is
 * about to, so when all HOGS others are seen waiting, and the victim has asked,
 * then the victim waits or has it.  Whoever takes the lock counts, while it is
 * alone, in what order that was.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { HOGS = 4, TURNS = 100 };

FIXTURE(no_starvation) { int unused; };

FIXTURE_VARIANT(no_starvation) {
	enum task_kind kind;
	__u32 object;
};

FIXTURE_VARIANT_ADD(no_starvation, mutex_threads) { THREAD, KCHAN_KIND_MUTEX };
FIXTURE_VARIANT_ADD(no_starvation, mutex_processes) { PROCESS, KCHAN_KIND_MUTEX };
FIXTURE_VARIANT_ADD(no_starvation, rwmutex_threads) { THREAD, KCHAN_KIND_RWMUTEX };
FIXTURE_VARIANT_ADD(no_starvation, rwmutex_processes) { PROCESS, KCHAN_KIND_RWMUTEX };
FIXTURE_SETUP(no_starvation) { }
FIXTURE_TEARDOWN(no_starvation) { }

struct crowd {
	int m;
	__u32 hogs_op, victim_op;
	__u64 taken;	/* locks that hogs have taken */
	int stop;
	int asked;	/* the victim's turn, set before it asks */
	__u64 had[TURNS];	/* .taken when the victim got the lock, plus 1 */
};

/* Each holds the lock for long enough that the others come to wait. */
static void dawdle(void)
{
	for (int i = 0; i < 500; i++)
		__asm__ volatile("");
}

static int hog(void *arg)
{
	struct crowd *c = arg;

	while (!load(&c->stop)) {
		CHECK(wait_op(c->m, c->hogs_op, 0) == 0);
		count_up(&c->taken);
		dawdle();
		CHECK(kchan_arg_call(c->m, KCHAN_UNLOCK, c->hogs_op) == 0);
	}
	return 0;
}

static int victim(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < TURNS; i++) {
		store(&c->asked, i + 1);
		CHECK(wait_op(c->m, c->victim_op, 0) == 0);
		store(&c->had[i], load(&c->taken) + 1);
		CHECK(kchan_arg_call(c->m, KCHAN_UNLOCK, c->victim_op) == 0);
		usleep(100);
	}
	return 0;
}

/* The victim is seen waiting, or has it already. */
static bool victim_waits(struct crowd *c)
{
	struct kchan_stat st = chan_stat(c->m);

	if (c->victim_op == c->hogs_op)
		return st.waiting_senders == HOGS;
	return c->victim_op == KCHAN_OP_LOCK ? st.waiting_senders : st.waiting_receivers;
}

/*
 * Watches each turn of the victim, as far as it can be seen, and returns by how
 * many it was passed at most.
 */
static __u64 watch(struct crowd *c, int *seen)
{
	__u64 worst = 0;

	for (int i = 0; i < TURNS; i++) {
		__u64 before = 0;

		wait_until(load(&c->asked) >= i + 1);
		while (!load(&c->had[i]) && !before) {
			if (victim_waits(c))
				before = load(&c->taken) + 1;
		}
		wait_until(load(&c->had[i]));
		if (!before || before > c->had[i])
			continue;
		++*seen;
		if (worst < c->had[i] - before)
			worst = c->had[i] - before;
	}
	return worst;
}

/* Returns by how many the victim was passed at most, in those turns that were seen. */
static __u64 one_crowd(struct __test_metadata *_metadata, enum task_kind kind,
		       const struct crowd *plan, int *seen)
{
	struct crowd *c = shared_alloc(sizeof(*c));
	struct task *hogs[HOGS], *v;
	__u64 worst;

	*c = *plan;
	for (int i = 0; i < HOGS; i++)
		hogs[i] = task_start(kind, hog, c);
	v = task_start(kind, victim, c);
	worst = watch(c, seen);
	EXPECT_EQ(0, task_join(v));
	store(&c->stop, 1);
	for (int i = 0; i < HOGS; i++) {
		EXPECT_EQ(0, task_join(hogs[i]));
	}
	return worst;
}

static void in_a_crowd(struct __test_metadata *_metadata, enum task_kind kind, __u32 object,
		       __u32 hogs_op, __u32 victim_op, __u64 bound)
{
	struct crowd plan = {
		.m = make_object(object, 0), .hogs_op = hogs_op, .victim_op = victim_op,
	};
	int seen = 0;

	/* Until the test has shown something, which is for the scheduler to say. */
	while (!seen) {
		EXPECT_LE(one_crowd(_metadata, kind, &plan, &seen), bound);
	}
	TH_LOG("seen waiting %d times", seen);
}

/* Among writers: by each of them once. */
TEST_F(no_starvation, writer_among_writers)
{
	in_a_crowd(_metadata, variant->kind, variant->object, KCHAN_OP_LOCK, KCHAN_OP_LOCK, HOGS);
}

/* A waiting writer holds new readers back: those inside may only not have counted. */
TEST_F(no_starvation, writer_among_readers)
{
	if (variant->object != KCHAN_KIND_RWMUTEX)
		return;
	in_a_crowd(_metadata, variant->kind, variant->object, KCHAN_OP_RLOCK, KCHAN_OP_LOCK, HOGS);
}

/* An unlock admits all waiting readers: just the writer inside may pass. */
TEST_F(no_starvation, reader_among_writers)
{
	if (variant->object != KCHAN_KIND_RWMUTEX)
		return;
	in_a_crowd(_metadata, variant->kind, variant->object, KCHAN_OP_LOCK, KCHAN_OP_RLOCK, 1);
}

TEST_HARNESS_MAIN
