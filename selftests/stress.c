// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many senders and receivers, threads and processes mixed: each value arrives
 * once, in its sender's order; the length keeps within the capacity; nothing
 * succeeds after the close; and there are never senders and receivers that
 * wait for each other.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { MAX_TASKS = 4, MAX_VALUES = 1 << 16, RUN_MS = 400 };

struct arena {
	int c;
	int senders, receivers;
	int next_sender;
	int go;
	int closed;			/* set when KCHAN_CLOSE has returned */
	__u64 sent[MAX_TASKS];		/* sends of each that succeeded */
	__u64 received;
	__u8 seen[MAX_TASKS][MAX_VALUES];
};

FIXTURE(stress) {
	struct arena *arena;
	struct task *tasks[2 * MAX_TASKS];
};

FIXTURE_VARIANT(stress) {
	int senders, receivers;
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(stress, s1_r1_unbuffered) { 1, 1, 0 };
FIXTURE_VARIANT_ADD(stress, s3_r3_unbuffered) { 3, 3, 0 };
FIXTURE_VARIANT_ADD(stress, s4_r1_unbuffered) { 4, 1, 0 };
FIXTURE_VARIANT_ADD(stress, s1_r4_unbuffered) { 1, 4, 0 };
FIXTURE_VARIANT_ADD(stress, s3_r3_capacity_1) { 3, 3, 1 };
FIXTURE_VARIANT_ADD(stress, s4_r2_capacity_1) { 4, 2, 1 };
FIXTURE_VARIANT_ADD(stress, s3_r3_capacity_7) { 3, 3, 7 };
FIXTURE_VARIANT_ADD(stress, s2_r4_capacity_7) { 2, 4, 7 };

FIXTURE_SETUP(stress)
{
	self->arena = shared_alloc(sizeof(*self->arena));
	self->arena->c = make_chan(8, variant->capacity);
	self->arena->senders = variant->senders;
	self->arena->receivers = variant->receivers;
}

FIXTURE_TEARDOWN(stress)
{
	close(self->arena->c);
	munmap(self->arena, sizeof(*self->arena));
}

/* Now this way, now that; in the end it waits, for two that try never meet. */
static int send_somehow(int c, __u64 value)
{
	int ret = -EAGAIN;

	if (value % 4 == 0)
		ret = try_send64(c, value);
	else if (value % 4 == 1)
		ret = send64_until(c, value, now() + 50000);
	return ret == -EAGAIN || ret == -ETIMEDOUT ? send64(c, value) : ret;
}

static int recv_somehow(int c, __u64 *value, int way)
{
	int ret = -EAGAIN;

	if (way % 4 == 0)
		ret = try_recv64(c, value);
	else if (way % 4 == 1)
		ret = recv64_until(c, value, now() + 50000);
	return ret == -EAGAIN || ret == -ETIMEDOUT ? recv64(c, value) : ret;
}

static int send_until_closed(void *arg)
{
	struct arena *a = arg;
	__u64 me = count_up(&a->next_sender);

	wait_until(load(&a->go));
	for (__u64 i = 0; i < MAX_VALUES; i++) {
		int closed = load(&a->closed);
		int ret = send_somehow(a->c, me << 32 | i);

		if (ret == -EPIPE)
			return 0;
		CHECK(ret == 0);
		CHECK(!closed);
		store(&a->sent[me], i + 1);
	}
	return 0;
}

static int receive_until_end(void *arg)
{
	struct arena *a = arg;
	__s64 last[MAX_TASKS] = { -1, -1, -1, -1 };
	__u64 v;

	wait_until(load(&a->go));
	for (int i = 0;; i++) {
		int ret = recv_somehow(a->c, &v, i);
		__u64 sender = v >> 32, n = (__u32)v;

		if (!ret)
			break;
		CHECK(ret == 1);
		CHECK(sender < (__u64)a->senders && n < MAX_VALUES);
		CHECK((__s64)n > last[sender]);
		last[sender] = n;
		CHECK(count_up(&a->seen[sender][n]) == 0);
		count_up(&a->received);
	}
	CHECK(v == 0);
	return 0;
}

static bool wait_for_each_other(int c)
{
	struct kchan_stat st = chan_stat(c);

	return st.waiting_senders && st.waiting_receivers;
}

static void watch(struct __test_metadata *_metadata, struct arena *a)
{
	__s64 end;

	wait_until(load(&a->received));
	end = in_ms(RUN_MS);
	while (now() < end) {
		struct kchan_stat st = chan_stat(a->c);

		ASSERT_LE(st.length, st.capacity);
		ASSERT_LE(st.waiting_senders, a->senders);
		ASSERT_LE(st.waiting_receivers, a->receivers);
		/* One that is about to leave may still be counted, but not for long. */
		wait_until(!wait_for_each_other(a->c));
	}
}

/*
 * A fork takes its parent's pages away for a moment (they are copied on write).
 * A message on its way to one of them goes back, and others may overtake it: so
 * all forks come first.
 */
static void start_all(FIXTURE_DATA(stress) *self, enum task_kind kind)
{
	struct arena *a = self->arena;

	for (int i = 0; i < a->senders + a->receivers; i++)
		if ((i % 2 ? PROCESS : THREAD) == kind)
			self->tasks[i] = task_start(kind, i < a->senders ? send_until_closed :
						    receive_until_end, a);
}

TEST_F(stress, mixed_tasks)
{
	struct arena *a = self->arena;
	int n = a->senders + a->receivers;
	__u64 sent = 0;

	start_all(self, PROCESS);
	start_all(self, THREAD);
	store(&a->go, 1);
	watch(_metadata, a);
	ASSERT_EQ(0, chan_close(a->c));
	store(&a->closed, 1);
	for (int i = 0; i < n; i++) {
		ASSERT_EQ(0, task_join(self->tasks[i]));
	}
	for (int s = 0; s < a->senders; s++) {
		sent += a->sent[s];
		for (int i = 0; i < MAX_VALUES; i++) {
			ASSERT_EQ((__u64)i < a->sent[s], a->seen[s][i])
				TH_LOG("sender %d, value %d", s, i);
		}
	}
	EXPECT_LT(0, sent);
	EXPECT_EQ(sent, a->received);
	EXPECT_EQ(0, chan_stat(a->c).length);
	EXPECT_EQ(true, waiting(a->c, 0, 0));
}

TEST_HARNESS_MAIN
