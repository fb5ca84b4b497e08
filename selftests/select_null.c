// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases without a channel (a negative fd) are never ready.  A select that has no
 * other, or none at all, waits for what ends every wait.
 */
#include <kselftest_harness.h>
#include "select_util.h"

FIXTURE(select_null) { int unused; };

FIXTURE_VARIANT(select_null) {
	enum task_kind kind;
	int nr;		/* cases, all without a channel */
};

FIXTURE_VARIANT_ADD(select_null, none_threads) { THREAD, 0 };
FIXTURE_VARIANT_ADD(select_null, none_processes) { PROCESS, 0 };
FIXTURE_VARIANT_ADD(select_null, one_threads) { THREAD, 1 };
FIXTURE_VARIANT_ADD(select_null, one_processes) { PROCESS, 1 };
FIXTURE_VARIANT_ADD(select_null, some_threads) { THREAD, FEW };
FIXTURE_VARIANT_ADD(select_null, some_processes) { PROCESS, FEW };

FIXTURE_SETUP(select_null) { }
FIXTURE_TEARDOWN(select_null) { }

static struct one_select *select_nothing(int nr)
{
	struct one_select *s = new_select();

	for (int i = 0; i < nr; i++) {
		if (i % 2)
			with_recv(s, i % 3 ? -1 : INT_MIN);
		else
			with_send(s, i % 3 ? -1 : -EBADF, i);
	}
	return s;
}

TEST_F(select_null, does_not_wait_when_told_not_to)
{
	static const __u32 flags[] = { 0, KCHAN_IN_ORDER, KCHAN_READY };
	struct one_select *s = select_nothing(variant->nr);

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		EXPECT_FAILED(EAGAIN, kchan_select(s->cases, s->nr, flags[i] | KCHAN_NONBLOCK, 0));
		EXPECT_FAILED(ETIMEDOUT, kchan_select(s->cases, s->nr, flags[i] | KCHAN_DEADLINE,
						      0));
	}
	EXPECT_EQ(true, others_untouched(s));
}

TEST_F(select_null, waits_for_its_deadline)
{
	struct one_select *s = select_nothing(variant->nr);
	__s64 deadline = in_ms(20);

	EXPECT_FAILED(ETIMEDOUT, kchan_select(s->cases, s->nr, KCHAN_DEADLINE, deadline));
	EXPECT_LE(deadline, now());
}

TEST_F(select_null, waits_for_a_signal)
{
	struct one_select *s = select_nothing(variant->nr);
	struct task *t;

	catch_signal(SIGUSR1, 0);
	t = start_select(variant->kind, s);
	wait_parked(t);
	EXPECT_EQ(0, load(&s->over));
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_FAILED(EINTR, s->chosen);
}

TEST_F(select_null, dies_of_a_kill)
{
	struct one_select *s = select_nothing(variant->nr);
	struct task *t = start_select(PROCESS, s);

	wait_parked(t);
	task_kill(t);
	EXPECT_EQ(KILLED(SIGKILL), task_join(t));
	EXPECT_EQ(0, s->over);
}

/* Beside a channel they take no part, in whatever place. */
TEST_F(select_null, are_passed_over)
{
	for (int place = 0; place < FEW - 1; place++) {
		struct one_select *s = new_select();
		int c = make_chan(8, 0);
		struct task *t;

		for (int i = 0; i < FEW; i++)
			with_recv(s, i == place ? c : NO_CHAN);
		t = start_select(variant->kind, s);
		wait_waiting(c, 0, 1);
		ASSERT_EQ(0, try_send64(c, place));
		EXPECT_EQ(0, task_join(t));
		EXPECT_CHOSE(place, 1, s->chosen);
		EXPECT_EQ(place, s->values[place]);
		EXPECT_EQ(true, others_untouched(s));
		close(c);
	}
}

/* The array is not read when there is none. */
TEST(no_array_is_needed_for_no_cases)
{
	const struct kchan_case *nowhere[] = {
		NULL, (void *)16, (void *)-1, (void *)(LONG_MAX - 7),
	};

	for (size_t i = 0; i < ARRAY_LEN(nowhere); i++) {
		EXPECT_FAILED(EAGAIN, kchan_select(nowhere[i], 0, KCHAN_NONBLOCK, 0));
	}
}

TEST_HARNESS_MAIN
