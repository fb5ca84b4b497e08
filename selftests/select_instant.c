// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a select with a default says of its cases holds at one instant, under a
 * storm of changes.  The race: a token wanders round a ring of channels, and each
 * time it is in the next one before it leaves the last.  So it can be received
 * from at least one at every instant, and however the selects look for it, they
 * may not miss it.  They only ask (KCHAN_READY), and so take no part.
 *
 * One that looks at one channel after the other misses it where the token passes
 * by; many idle cases between those of the ring give it the time.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum { RING = 4, SPACING = 100, NR = RING * SPACING, ASKED = FEWER(600) };

FIXTURE(select_instant) { int unused; };

FIXTURE_VARIANT(select_instant) {
	enum task_kind kind;
	bool sends;
	__u32 flags;
};

FIXTURE_VARIANT_ADD(select_instant, receive_threads) { THREAD, false, KCHAN_NONBLOCK };
FIXTURE_VARIANT_ADD(select_instant, receive_processes) { PROCESS, false, KCHAN_NONBLOCK };
FIXTURE_VARIANT_ADD(select_instant, send_threads) { THREAD, true, KCHAN_NONBLOCK };
FIXTURE_VARIANT_ADD(select_instant, send_processes) { PROCESS, true, KCHAN_NONBLOCK };
FIXTURE_VARIANT_ADD(select_instant, past_deadline_threads) { THREAD, false, KCHAN_DEADLINE };
FIXTURE_VARIANT_ADD(select_instant, past_deadline_processes) { PROCESS, true, KCHAN_DEADLINE };
FIXTURE_VARIANT_ADD(select_instant, in_order_threads) {
	THREAD, false, KCHAN_NONBLOCK | KCHAN_IN_ORDER,
};
FIXTURE_VARIANT_ADD(select_instant, in_order_processes) {
	PROCESS, true, KCHAN_NONBLOCK | KCHAN_IN_ORDER,
};

FIXTURE_SETUP(select_instant) { }
FIXTURE_TEARDOWN(select_instant) { }

/* Where in the select a place of the ring stands: the scan goes against the token. */
static int case_number(int i)
{
	return (RING - 1 - i) * SPACING;
}

static void fill_with_idle(struct kchan_case *cases)
{
	static __u64 unused;
	int idle = make_chan(8, 0);

	for (int i = 0; i < NR; i++)
		cases[i] = on_recv64(idle, &unused);
}

/* The token is a message where others are empty, or room where others are full. */
struct ring {
	bool sends;
	int c[RING];
	int over;
	int steps;
};

static int make_ready(const struct ring *r, int i)
{
	__u64 v;

	return r->sends ? try_recv64(r->c[i], &v) != 1 : try_send64(r->c[i], 1) != 0;
}

static int make_unready(const struct ring *r, int i)
{
	__u64 v;

	return r->sends ? try_send64(r->c[i], 1) != 0 : try_recv64(r->c[i], &v) != 1;
}

static int wander(void *arg)
{
	struct ring *r = arg;

	for (int at = 0; !load(&r->over); at = (at + 1) % RING) {
		CHECK(make_ready(r, (at + 1) % RING) == 0);
		CHECK(make_unready(r, at) == 0);
		count_up(&r->steps);
	}
	return 0;
}

static void make_ring(struct ring *r, bool sends)
{
	r->sends = sends;
	for (int i = 0; i < RING; i++) {
		r->c[i] = make_chan(8, 1);
		if (sends && i)
			must(!send64(r->c[i], 1));
	}
	if (!sends)
		must(!send64(r->c[0], 1));
}

TEST_F(select_instant, the_token_is_never_missed)
{
	struct ring *r = shared_alloc(sizeof(*r));
	struct kchan_case cases[NR];
	struct task *t;
	__u64 v = 1;

	make_ring(r, variant->sends);
	fill_with_idle(cases);
	for (int i = 0; i < RING; i++)
		cases[case_number(i)] = variant->sends ? on_send64(r->c[i], &v)
							       : on_recv64(r->c[i], &v);
	t = task_start(variant->kind, wander, r);
	for (int i = 0; i < ASKED || load(&r->steps) < ASKED; i++) {
		struct chosen c = kchan_select(cases, NR, variant->flags | KCHAN_READY, 0);

		ASSERT_LE(0, c.index)
			TH_LOG("missed after %d: errno %d", i, -c.index);
	}
	store(&r->over, 1);
	EXPECT_EQ(0, task_join(t));
}

/* ---- the same with cells, where the token needs no call ---- */

struct cell_ring {
	int fd;
	int over;
	int steps;
};

/* As a user of cells does: look for waiters after the change, and only then call. */
static int change(const struct cell_ring *r, struct kchan_cell *cells, int i, __u64 value)
{
	store(&cells[i].value, value);
	return load(&cells[i].waiters) ? kchan_arg_call(r->fd, KCHAN_SIGNAL, i) : 0;
}

static int wander_in_cells(void *arg)
{
	struct cell_ring *r = arg;
	struct kchan_cell *cells = mmap(NULL, RING * sizeof(*cells), PROT_READ | PROT_WRITE,
					MAP_SHARED, r->fd, 0);

	CHECK(cells != MAP_FAILED);
	for (int at = 0; !load(&r->over); at = (at + 1) % RING) {
		CHECK(change(r, cells, (at + 1) % RING, 1) >= 0);
		CHECK(change(r, cells, at, 0) >= 0);
		count_up(&r->steps);
	}
	return 0;
}

TEST_F(select_instant, nor_is_it_in_cells)
{
	struct cell_ring *r = shared_alloc(sizeof(*r));
	struct kchan_case cases[NR];
	struct task *t;

	fill_with_idle(cases);
	r->fd = make_object(KCHAN_KIND_CELLS, RING);
	for (int i = 0; i < RING; i++)
		cases[case_number(i)] = on_differs(r->fd, i, 0);
	t = task_start(variant->kind, wander_in_cells, r);
	wait_until(load(&r->steps));
	for (int i = 0; i < ASKED; i++) {
		struct chosen c = kchan_select(cases, NR, variant->flags, 0);

		ASSERT_LE(0, c.index)
			TH_LOG("missed after %d: errno %d", i, -c.index);
		ASSERT_EQ(1, c.value);
	}
	store(&r->over, 1);
	EXPECT_EQ(0, task_join(t));
}

TEST_HARNESS_MAIN
