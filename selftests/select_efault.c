// SPDX-License-Identifier: GPL-2.0-only
/*
 * Selects and bad memory: a copy that fails eats nothing.  The message stays, or
 * goes back to its place, and no other case is done instead.
 */
#include <kselftest_harness.h>
#include "select_util.h"

FIXTURE(select_efault) {
	int c;		/* a message in it, and room for one */
	int idle;
	struct kchan_stat before, idle_before;
	__u8 *page;	/* the last before an unmapped one */
	__u64 value;
};

FIXTURE_VARIANT(select_efault) {
	__u32 flags;
};

FIXTURE_VARIANT_ADD(select_efault, any) { 0 };
FIXTURE_VARIANT_ADD(select_efault, in_order) { KCHAN_IN_ORDER };

FIXTURE_SETUP(select_efault)
{
	self->c = make_chan(8, 2);
	must(!send64(self->c, 77));
	self->idle = make_chan(8, 0);
	self->page = page_before_hole();
	self->before = chan_stat(self->c);
	self->idle_before = chan_stat(self->idle);
	self->value = POISON;
}

FIXTURE_TEARDOWN(select_efault)
{
	__u64 v;

	EXPECT_EQ(true, same_stat(self->before, self->c));
	EXPECT_EQ(true, same_stat(self->idle_before, self->idle));
	EXPECT_EQ(1, try_recv64(self->c, &v));
	EXPECT_EQ(77, v);
}

enum { BAD = 6 };

static void *bad_address(FIXTURE_DATA(select_efault) *self, int n)
{
	switch (n) {
	case 0: return NULL;
	case 1: return self->page + PAGE;
	case 2: return self->page + PAGE - 1;
	case 3: return self->page + PAGE - 7;
	case 4: return (void *)(LONG_MIN + 4096l);
	case 5: return (void *)-8l;
	}
	die("no such address");
}

/* What is ready is tried, and only it: it fails, whatever else there is. */
TEST_F(select_efault, in_the_ready_case)
{
	static const __u32 waits[] = { 0, KCHAN_NONBLOCK, KCHAN_DEADLINE };

	for (int n = 0; n < BAD; n++) {
		void *bad = bad_address(self, n);

		for (size_t w = 0; w < ARRAY_LEN(waits); w++) {
			__u32 flags = variant->flags | waits[w];

			EXPECT_FAILED(EFAULT, kchan_select(CASES(on_recv(self->c, bad, 8)),
							   flags, 0));
			EXPECT_FAILED(EFAULT, kchan_select(CASES(on_send(self->c, bad, 8)),
							   flags, 0));
			EXPECT_FAILED(EFAULT, kchan_select(
				CASES(on_recv64(self->idle, &self->value),
				      on_send(self->c, bad, 8)), flags, 0));
			EXPECT_FAILED(EFAULT, kchan_select(
				CASES(on_recv64(self->idle, &self->value),
				      on_recv(self->c, bad, 8)), flags, 0));
		}
	}
	EXPECT_EQ(POISON, self->value);
}

/* Memory that can be read but not written to: good to send from, bad to receive into. */
TEST_F(select_efault, read_only)
{
	__u8 *page = map_pages(1);
	__u64 v;

	page[0] = 5;
	must(!mprotect(page, PAGE, PROT_READ));
	EXPECT_FAILED(EFAULT, kchan_select(CASES(on_recv(self->idle, page, 8),
						 on_recv(self->c, page, 8)), variant->flags, 0));
	EXPECT_EQ(true, same_stat(self->before, self->c));
	EXPECT_CHOSE(1, 0, kchan_select(CASES(on_recv64(self->idle, &v),
					      on_send(self->c, page, 8)), variant->flags, 0));
	EXPECT_EQ(1, try_recv64(self->c, &v));
	EXPECT_EQ(77, v);
	EXPECT_EQ(1, try_recv64(self->c, &v));
	EXPECT_EQ(5, v);
	must(!try_send64(self->c, 77));
}

/* Nothing is ready: nobody waits with bad memory, in whichever case. */
TEST_F(select_efault, in_a_case_that_would_wait)
{
	for (int n = 0; n < BAD; n++) {
		void *bad = bad_address(self, n);

		for (int place = 0; place < 4; place++) {
			struct kchan_case cases[4];

			for (int i = 0; i < 4; i++)
				cases[i] = on_recv64(self->idle, &self->value);
			cases[place] = on_recv(self->idle, bad, 8);
			EXPECT_FAILED(EFAULT, kchan_select(cases, 4, variant->flags, 0));
			cases[place] = on_send(self->idle, bad, 8);
			EXPECT_FAILED(EFAULT, kchan_select(cases, 4, variant->flags, 0));
		}
	}
	EXPECT_EQ(POISON, self->value);
}

/* Memory that merely is not there yet is brought in. */
TEST_F(select_efault, untouched_memory_is_good)
{
	__u8 *fresh = map_pages(4), *other = map_pages(4);

	EXPECT_CHOSE(1, 1, kchan_select(CASES(on_recv(self->idle, other + PAGE - 3, 8),
					      on_recv(self->c, fresh + PAGE - 3, 8)),
					variant->flags, 0));
	EXPECT_EQ(77, fresh[PAGE - 3]);
	EXPECT_CHOSE(0, 0, kchan_select(CASES(on_send(self->c, fresh + PAGE - 3, 8)),
					variant->flags, 0));
}

/* The end leaves zeros, and they must go somewhere. */
TEST_F(select_efault, at_the_end)
{
	int ended = make_chan(8, 0);
	__u64 v = POISON;

	must(!chan_close(ended));
	for (int n = 0; n < BAD; n++) {
		EXPECT_FAILED(EFAULT, kchan_select(CASES(on_recv(self->idle, &v, 8),
							 on_recv(ended, bad_address(self, n), 8)),
						   variant->flags, 0));
	}
	EXPECT_EQ(POISON, v);
	EXPECT_CHOSE(0, 0, kchan_select(CASES(on_recv64(ended, &v)), variant->flags, 0));
	EXPECT_EQ(0, v);
}

/* A message of size 0 is nowhere. */
TEST_F(select_efault, signals_have_no_memory)
{
	int c = make_chan(0, 1);

	for (int n = 0; n < BAD; n++) {
		void *bad = bad_address(self, n);

		EXPECT_CHOSE(1, 0, kchan_select(CASES(on_recv(c, bad, 0), on_send(c, bad, 0)),
						variant->flags, 0));
		EXPECT_CHOSE(0, 1, kchan_select(CASES(on_recv(c, bad, 0), on_send(c, bad, 0)),
						variant->flags, 0));
	}
}

/* ---- selects that parked before their memory went away ---- */

struct parked {
	struct kchan_case cases[2];
	__u64 other;
	__u8 *page;
	__u32 flags;
	struct chosen chosen;
};

static int select_parked(void *arg)
{
	struct parked *p = arg;

	p->chosen = kchan_select(p->cases, 2, p->flags, 0);
	return 0;
}

/* Parks; the receive from @c is into a page of its own. */
static struct task *park(struct parked *p, int c, int idle, __u32 flags)
{
	struct task *t;

	*p = (struct parked){ .other = POISON, .page = map_pages(1), .flags = flags };
	p->cases[0] = on_recv64(idle, &p->other);
	p->cases[1] = on_recv(c, p->page, 8);
	t = task_start(THREAD, select_parked, p);
	wait_parked(t);
	return t;
}

/* What was sent is the channel's now, and waits at its head. */
TEST_F(select_efault, message_goes_back)
{
	for (int capacity = 0; capacity <= 1; capacity++) {
		int c = make_chan(8, capacity);
		struct parked p;
		struct task *t = park(&p, c, self->idle, variant->flags);
		__u64 v;

		must(!munmap(p.page, PAGE));
		ASSERT_EQ(0, try_send64(c, 5));
		EXPECT_EQ(0, task_join(t));
		EXPECT_FAILED(EFAULT, p.chosen);
		EXPECT_EQ(POISON, p.other);
		EXPECT_EQ(1, chan_stat(c).length);
		EXPECT_EQ(true, waiting(c, 0, 0));
		EXPECT_EQ(true, waiting(self->idle, 0, 0));
		/* Nor did it take anything from the other one. */
		EXPECT_EQ(-EAGAIN, try_send64(self->idle, 1));
		EXPECT_CHOSE(1, 1, kchan_select(CASES(on_recv64(self->idle, &p.other),
						      on_recv64(c, &v)), variant->flags, 0));
		EXPECT_EQ(5, v);
		EXPECT_EQ(-EAGAIN, try_recv64(c, &v));
	}
}

/* The other case's memory may go: it was not chosen. */
TEST_F(select_efault, memory_of_the_other_case)
{
	int c = make_chan(8, 0);
	struct parked p;
	struct task *t = park(&p, c, self->idle, variant->flags);

	must(!munmap(p.page, PAGE));
	ASSERT_EQ(0, try_send64(self->idle, 6));
	EXPECT_EQ(0, task_join(t));
	EXPECT_CHOSE(0, 1, p.chosen);
	EXPECT_EQ(6, p.other);
	EXPECT_EQ(-EAGAIN, try_send64(c, 1));
}

/* A sender's memory was copied before: it may go. */
TEST_F(select_efault, memory_of_a_parked_sender)
{
	struct parked p = { .page = map_pages(1), .flags = variant->flags };
	int c = make_chan(8, 0);
	struct task *t;
	__u64 v;

	p.page[0] = 9;
	p.cases[0] = on_send(c, p.page, 8);
	p.cases[1] = on_recv64(self->idle, &p.other);
	t = task_start(THREAD, select_parked, &p);
	wait_parked(t);
	must(!munmap(p.page, PAGE));
	EXPECT_EQ(1, try_recv64(c, &v));
	EXPECT_EQ(9, v);
	EXPECT_EQ(0, task_join(t));
	EXPECT_CHOSE(0, 0, p.chosen);
}

/* The next in line gets it. */
TEST_F(select_efault, message_goes_on_to_the_next)
{
	int c = make_chan(8, 0);
	struct parked first, second;
	struct task *first_task = park(&first, c, self->idle, variant->flags);
	struct task *second_task = park(&second, c, self->idle, variant->flags);

	must(!munmap(first.page, PAGE));
	ASSERT_EQ(0, try_send64(c, 5));
	EXPECT_EQ(0, task_join(first_task));
	EXPECT_FAILED(EFAULT, first.chosen);
	EXPECT_EQ(0, task_join(second_task));
	EXPECT_CHOSE(1, 1, second.chosen);
	EXPECT_EQ(5, second.page[0]);
	EXPECT_EQ(0, chan_stat(c).length);
}

/* Closed meanwhile: what came back is drained before the end. */
TEST_F(select_efault, message_goes_back_to_a_closed_channel)
{
	for (int round = 0; round < 20; round++) {
		int c = make_chan(8, 0);
		struct parked p;
		struct task *t = park(&p, c, self->idle, variant->flags);
		__u64 v;

		must(!munmap(p.page, PAGE));
		ASSERT_EQ(0, try_send64(c, 5));
		ASSERT_EQ(0, chan_close(c));
		EXPECT_EQ(0, task_join(t));
		EXPECT_FAILED(EFAULT, p.chosen);
		EXPECT_CHOSE(0, 1, select_of(on_recv64(c, &v), on_recv64(self->idle, &v)));
		EXPECT_EQ(5, v);
		EXPECT_CHOSE(0, 0, select_of(on_recv64(c, &v), on_recv64(self->idle, &v)));
		close(c);
	}
}

struct by_array {
	struct kchan_case *array;
	struct chosen chosen;
};

static int select_by_array(void *arg)
{
	struct by_array *b = arg;

	b->chosen = kchan_select(b->array, 2, 0, 0);
	return 0;
}

/* The caller's array is read once, before anything happens. */
TEST_F(select_efault, array_goes_away)
{
	struct by_array b = { .array = (void *)map_pages(1) };
	int c = make_chan(8, 0);
	__u64 v = POISON;
	struct task *t;

	b.array[0] = on_recv64(self->idle, &self->value);
	b.array[1] = on_recv64(c, &v);
	t = task_start(THREAD, select_by_array, &b);
	wait_parked(t);
	must(!munmap(b.array, PAGE));
	ASSERT_EQ(0, try_send64(c, 5));
	EXPECT_EQ(0, task_join(t));
	EXPECT_CHOSE(1, 1, b.chosen);
	EXPECT_EQ(5, v);
}

TEST_HARNESS_MAIN
