// SPDX-License-Identifier: GPL-2.0-only
/*
 * One select, one outcome.  The races: a select is decided on one of three
 * channels by a peer, and at the same moment on another one, or by a signal, its
 * deadline, or a close.  Whatever wins, the books must balance: a value that a
 * select says it sent was received once, from that channel; one that it does not
 * say so of was not received at all.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum { CHANS = 3, SENDERS = 2, RECEIVERS = 2, VALUES = 500, SLOTS = SENDERS * VALUES };

FIXTURE(select_one_outcome) {
	struct books *books;
	struct task *senders[SENDERS];
	struct task *receivers[RECEIVERS];
};

FIXTURE_VARIANT(select_one_outcome) {
	enum task_kind kind;
	__u64 capacities[CHANS];
};

FIXTURE_VARIANT_ADD(select_one_outcome, unbuffered_threads) { THREAD, { 0, 0, 0 } };
FIXTURE_VARIANT_ADD(select_one_outcome, unbuffered_processes) { PROCESS, { 0, 0, 0 } };
FIXTURE_VARIANT_ADD(select_one_outcome, mixed_threads) { THREAD, { 0, 1, 2 } };
FIXTURE_VARIANT_ADD(select_one_outcome, mixed_processes) { PROCESS, { 0, 1, 2 } };

struct books {
	int c[CHANS];
	int with_deadlines;
	int next_sender;
	int senders_left;
	int timeouts, signals;
	int sent_on[SLOTS];	/* the channel that the select said, plus 1 */
	int received_from[SLOTS];
	int received[SLOTS];
};

static struct books *open_books(const __u64 *capacities)
{
	struct books *b = shared_alloc(sizeof(*b));

	for (int i = 0; i < CHANS; i++)
		b->c[i] = make_chan(8, capacities[i]);
	b->senders_left = SENDERS;
	return b;
}

static void shut_books(struct books *b)
{
	for (int i = 0; i < CHANS; i++)
		close(b->c[i]);
	munmap(b, sizeof(*b));
}

FIXTURE_SETUP(select_one_outcome)
{
	self->books = open_books(variant->capacities);
	catch_signal(SIGUSR1, 0);
}

FIXTURE_TEARDOWN(select_one_outcome)
{
	shut_books(self->books);
}

/* Some microseconds from now, spread so that all interleavings have a chance. */
static __s64 soon(unsigned int *seed)
{
	return now() + rand_r(seed) % 100000;
}

static struct chosen select_in_time(struct books *b, const struct kchan_case *cases,
				    unsigned int *seed)
{
	return b->with_deadlines ? kchan_select(cases, CHANS, KCHAN_DEADLINE, soon(seed))
				 : kchan_select(cases, CHANS, 0, 0);
}

static bool gave_up(struct books *b, struct chosen c)
{
	if (c.index == -ETIMEDOUT)
		count_up(&b->timeouts);
	else if (c.index == -EINTR)
		count_up(&b->signals);
	return c.index == -ETIMEDOUT || c.index == -EINTR;
}

/* Each value is offered once, on all channels: what fails is never offered again. */
static int send_once_each(void *arg)
{
	struct books *b = arg;
	int me = count_up(&b->next_sender);
	unsigned int seed = me + 1;

	for (int i = 0; i < VALUES; i++) {
		__u64 v = me * VALUES + i;
		struct kchan_case cases[CHANS];
		struct chosen c;

		for (int n = 0; n < CHANS; n++)
			cases[(n + me) % CHANS] = on_send64(b->c[n], &v);
		c = select_in_time(b, cases, &seed);
		if (gave_up(b, c))
			continue;
		CHECK(c.index >= 0 && c.index < CHANS);
		if (c.outcome == -EPIPE)
			break;
		CHECK(c.outcome == 0);
		store(&b->sent_on[v], (c.index - me + CHANS) % CHANS + 1);
	}
	__atomic_fetch_sub(&b->senders_left, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static int receive_to_the_end(void *arg)
{
	struct books *b = arg;
	unsigned int seed = my_tid();
	int open[CHANS] = { b->c[0], b->c[1], b->c[2] };

	for (int left = CHANS; left;) {
		__u64 v[CHANS] = { POISON, POISON, POISON };
		struct kchan_case cases[CHANS];
		struct chosen c;

		for (int n = 0; n < CHANS; n++)
			cases[n] = on_recv64(open[n], &v[n]);
		c = select_in_time(b, cases, &seed);
		for (int n = 0; n < CHANS; n++)
			CHECK(n == c.index || v[n] == POISON);
		if (gave_up(b, c))
			continue;
		CHECK(c.index >= 0 && c.index < CHANS);
		if (!c.outcome) {
			CHECK(v[c.index] == 0);
			open[c.index] = NO_CHAN;
			left--;
			continue;
		}
		CHECK(c.outcome == 1);
		CHECK(v[c.index] < SLOTS);
		store(&b->received_from[v[c.index]], c.index + 1);
		count_up(&b->received[v[c.index]]);
	}
	return 0;
}

static void start_all(FIXTURE_DATA(select_one_outcome) *self, enum task_kind kind)
{
	for (int i = 0; i < SENDERS; i++)
		self->senders[i] = task_start(kind, send_once_each, self->books);
	for (int i = 0; i < RECEIVERS; i++)
		self->receivers[i] = task_start(kind, receive_to_the_end, self->books);
}

static void close_all(struct books *b)
{
	for (int i = 0; i < CHANS; i++)
		must(!chan_close(b->c[i]));
}

static void expect_balance(struct __test_metadata *_metadata,
			   FIXTURE_DATA(select_one_outcome) *self)
{
	struct books *b = self->books;

	for (int i = 0; i < SENDERS; i++) {
		EXPECT_EQ(0, task_join(self->senders[i]));
	}
	for (int i = 0; i < RECEIVERS; i++) {
		EXPECT_EQ(0, task_join(self->receivers[i]));
	}
	for (int i = 0; i < SLOTS; i++) {
		ASSERT_EQ(b->sent_on[i] != 0, b->received[i])
			TH_LOG("value %d", i);
		ASSERT_EQ(b->sent_on[i], b->received_from[i])
			TH_LOG("value %d", i);
	}
	for (int i = 0; i < CHANS; i++) {
		EXPECT_EQ(true, waiting(b->c[i], 0, 0));
		EXPECT_EQ(0, chan_stat(b->c[i]).length);
	}
}

static int sent_in_all(struct books *b)
{
	int n = 0;

	for (int i = 0; i < SLOTS; i++)
		n += load(&b->sent_on[i]) != 0;
	return n;
}

TEST_F(select_one_outcome, deadlines)
{
	self->books->with_deadlines = 1;
	start_all(self, variant->kind);
	wait_until(!load(&self->books->senders_left));
	close_all(self->books);
	expect_balance(_metadata, self);
	TH_LOG("%d timeouts, %d sent", self->books->timeouts, sent_in_all(self->books));
	/* Else nothing raced. */
	EXPECT_LT(0, self->books->timeouts);
	EXPECT_LT(0, sent_in_all(self->books));
}

/* With deadlines, too: all that can end a wait, at once. */
TEST_F(select_one_outcome, signals)
{
	for (int with_deadlines = 0; with_deadlines < 2; with_deadlines++) {
		struct books *b = self->books;

		b->with_deadlines = with_deadlines;
		start_all(self, variant->kind);
		for (int i = 0; load(&b->senders_left); i++) {
			task_signal(self->senders[i % SENDERS], SIGUSR1);
			task_signal(self->receivers[i % RECEIVERS], SIGUSR1);
			if (i % 16 == 0)
				usleep(500);
		}
		close_all(b);
		expect_balance(_metadata, self);
		EXPECT_LT(0, b->signals);
		EXPECT_LT(0, sent_in_all(b));
		shut_books(b);
		self->books = open_books(variant->capacities);
	}
}

/* Close in the middle, at another point each time, and one channel after the other. */
TEST_F(select_one_outcome, close)
{
	for (int round = 0; round < 8; round++) {
		struct books *b = self->books;

		start_all(self, variant->kind);
		wait_until(sent_in_all(b) > round * 7);
		close_all(b);
		expect_balance(_metadata, self);
		EXPECT_LT(0, sent_in_all(b));
		shut_books(b);
		self->books = open_books(variant->capacities);
	}
}

TEST_HARNESS_MAIN
