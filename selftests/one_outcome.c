// SPDX-License-Identifier: GPL-2.0-only
/*
 * One wait, one outcome.  The races: a wait is ended by a peer, and at the same
 * moment by a signal, its deadline, or a close.  Whatever wins, the books must
 * balance: each value arrived exactly once or its sender got an error, never
 * both.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { SENDERS = 2, RECEIVERS = 2, VALUES = 500, SLOTS = SENDERS * VALUES };

FIXTURE(one_outcome) {
	struct books *books;
	struct task *senders[SENDERS];
	struct task *receivers[RECEIVERS];
};

FIXTURE_VARIANT(one_outcome) {
	enum task_kind kind;
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(one_outcome, unbuffered_threads) { THREAD, 0 };
FIXTURE_VARIANT_ADD(one_outcome, unbuffered_processes) { PROCESS, 0 };
FIXTURE_VARIANT_ADD(one_outcome, buffered_threads) { THREAD, 2 };
FIXTURE_VARIANT_ADD(one_outcome, buffered_processes) { PROCESS, 2 };

struct books {
	int c;
	int with_deadlines;
	int next_sender;
	int senders_left;
	int receivers_left;
	int timeouts, signals;
	int sent[SLOTS];	/* the send said that it succeeded */
	int received[SLOTS];
};

static void open_books(struct books *b, __u64 capacity)
{
	*b = (struct books){
		.c = make_chan(8, capacity),
		.senders_left = SENDERS,
		.receivers_left = RECEIVERS,
	};
}

FIXTURE_SETUP(one_outcome)
{
	self->books = shared_alloc(sizeof(*self->books));
	open_books(self->books, variant->capacity);
	catch_signal(SIGUSR1, 0);
}

FIXTURE_TEARDOWN(one_outcome)
{
	close(self->books->c);
	munmap(self->books, sizeof(*self->books));
}

/* Some microseconds from now, spread so that all interleavings have a chance. */
static __s64 soon(unsigned int *seed)
{
	return now() + rand_r(seed) % 100000;
}

static int one_send(struct books *b, __u64 value, unsigned int *seed)
{
	return b->with_deadlines ? send64_until(b->c, value, soon(seed)) : send64(b->c, value);
}

static int one_recv(struct books *b, __u64 *value, unsigned int *seed)
{
	return b->with_deadlines ? recv64_until(b->c, value, soon(seed)) : recv64(b->c, value);
}

static bool gave_up(struct books *b, int ret)
{
	if (ret == -ETIMEDOUT)
		count_up(&b->timeouts);
	else if (ret == -EINTR)
		count_up(&b->signals);
	return ret == -ETIMEDOUT || ret == -EINTR;
}

/* Each value is offered once: what fails is never sent again. */
static int send_once_each(void *arg)
{
	struct books *b = arg;
	int me = count_up(&b->next_sender);
	unsigned int seed = me + 1;

	for (int i = 0; i < VALUES; i++) {
		int value = me * VALUES + i;
		int ret = one_send(b, value, &seed);

		if (ret == -EPIPE)
			break;
		CHECK(ret == 0 || gave_up(b, ret));
		if (ret == 0)
			store(&b->sent[value], 1);
	}
	__atomic_fetch_sub(&b->senders_left, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static int receive_to_the_end(void *arg)
{
	struct books *b = arg;
	unsigned int seed = my_tid();
	__u64 v;
	int ret;

	for (;;) {
		ret = one_recv(b, &v, &seed);
		if (gave_up(b, ret)) {
			CHECK(v == POISON);
			continue;
		}
		if (!ret)
			break;
		CHECK(ret == 1);
		CHECK(v < SLOTS);
		count_up(&b->received[v]);
	}
	CHECK(v == 0);
	__atomic_fetch_sub(&b->receivers_left, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void start_all(FIXTURE_DATA(one_outcome) *self, enum task_kind kind)
{
	for (int i = 0; i < SENDERS; i++)
		self->senders[i] = task_start(kind, send_once_each, self->books);
	for (int i = 0; i < RECEIVERS; i++)
		self->receivers[i] = task_start(kind, receive_to_the_end, self->books);
}

static void expect_balance(struct __test_metadata *_metadata, FIXTURE_DATA(one_outcome) *self)
{
	struct books *b = self->books;

	for (int i = 0; i < SENDERS; i++) {
		EXPECT_EQ(0, task_join(self->senders[i]));
	}
	for (int i = 0; i < RECEIVERS; i++) {
		EXPECT_EQ(0, task_join(self->receivers[i]));
	}
	for (int i = 0; i < SLOTS; i++) {
		ASSERT_EQ(b->sent[i], b->received[i])
			TH_LOG("value %d", i);
	}
	EXPECT_EQ(true, waiting(b->c, 0, 0));
	EXPECT_EQ(0, chan_stat(b->c).length);
}

static int sent_in_all(struct books *b)
{
	int n = 0;

	for (int i = 0; i < SLOTS; i++)
		n += load(&b->sent[i]);
	return n;
}

TEST_F(one_outcome, deadlines)
{
	self->books->with_deadlines = 1;
	start_all(self, variant->kind);
	wait_until(!load(&self->books->senders_left));
	ASSERT_EQ(0, chan_close(self->books->c));
	expect_balance(_metadata, self);
	/* Else nothing raced. */
	EXPECT_LT(0, self->books->timeouts);
	EXPECT_LT(0, sent_in_all(self->books));
}

static void signal_all(FIXTURE_DATA(one_outcome) *self)
{
	for (int i = 0; load(&self->books->senders_left); i++) {
		task_signal(self->senders[i % SENDERS], SIGUSR1);
		task_signal(self->receivers[i % RECEIVERS], SIGUSR1);
		if (i % 16 == 0)
			usleep(500);
	}
}

/* On a slow machine all may be over before a signal meets somebody who waits. */
TEST_F(one_outcome, signals)
{
	struct books *b = self->books;
	int signals;

	do {
		start_all(self, variant->kind);
		signal_all(self);
		ASSERT_EQ(0, chan_close(b->c));
		expect_balance(_metadata, self);
		EXPECT_LT(0, sent_in_all(b));
		signals = b->signals;
		close(b->c);
		open_books(b, variant->capacity);
	} while (!signals);
}

/* Close in the middle, at another point each time. */
TEST_F(one_outcome, close)
{
	for (int round = 0; round < 8; round++) {
		struct books *b = self->books;

		start_all(self, variant->kind);
		wait_until(sent_in_all(b) > round * 7);
		ASSERT_EQ(0, chan_close(b->c));
		expect_balance(_metadata, self);
		EXPECT_LT(0, sent_in_all(b));
		close(b->c);
		open_books(b, variant->capacity);
	}
}

TEST_HARNESS_MAIN
