// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's sendstmt, in a select: a send takes the value as it is when the select is
 * called.  What is done to that memory afterwards, or while it waits, changes
 * nothing; nor do the other cases' values.
 */
#include <kselftest_harness.h>
#include "select_util.h"

FIXTURE(sendstmt_select) { int unused; };

FIXTURE_VARIANT(sendstmt_select) {
	enum task_kind kind;
	__u32 size;
};

enum { MAX = 65536 };

FIXTURE_VARIANT_ADD(sendstmt_select, small_threads) { THREAD, 8 };
FIXTURE_VARIANT_ADD(sendstmt_select, small_processes) { PROCESS, 8 };
FIXTURE_VARIANT_ADD(sendstmt_select, odd_threads) { THREAD, 141 };
FIXTURE_VARIANT_ADD(sendstmt_select, odd_processes) { PROCESS, 141 };
FIXTURE_VARIANT_ADD(sendstmt_select, page_threads) { THREAD, 4096 };
FIXTURE_VARIANT_ADD(sendstmt_select, page_processes) { PROCESS, 4096 };
FIXTURE_VARIANT_ADD(sendstmt_select, largest_threads) { THREAD, MAX };
FIXTURE_VARIANT_ADD(sendstmt_select, largest_processes) { PROCESS, MAX };

FIXTURE_SETUP(sendstmt_select) { }
FIXTURE_TEARDOWN(sendstmt_select) { }

static void fill(__u8 *buf, __u32 size, int n)
{
	for (__u32 i = 0; i < size; i++)
		buf[i] = n * 37 + i * 3 + i / 256;
}

static bool is_filled(const __u8 *buf, __u32 size, int n)
{
	static __u8 expected[MAX];

	fill(expected, size, n);
	return !memcmp(buf, expected, size);
}

struct sender {
	int c, d;
	__u32 size;
	struct chosen chosen;
	__u8 bufs[3][MAX];
};

/* Values 0 and 1 on the one, 2 on the other: in that order, to know the choice. */
static int send_one_of_three(void *arg)
{
	struct sender *s = arg;

	s->chosen = kchan_select(CASES(on_send(s->c, s->bufs[0], s->size),
				       on_send(s->c, s->bufs[1], s->size),
				       on_send(s->d, s->bufs[2], s->size)), KCHAN_IN_ORDER, 0);
	return 0;
}

TEST_F(sendstmt_select, blocked_value_is_a_copy)
{
	static __u8 got[MAX];

	for (int capacity = 0; capacity <= 1; capacity++) {
		for (int other = 0; other < 2; other++) {
			struct sender *s = shared_alloc(sizeof(*s));
			struct task *t;

			s->size = variant->size;
			s->c = make_chan(s->size, capacity);
			s->d = make_chan(s->size, capacity);
			for (int i = 0; i < 3; i++)
				fill(s->bufs[i], s->size, i);
			if (capacity) {
				must(!chan_send(s->c, s->bufs[0], s->size));
				must(!chan_send(s->d, s->bufs[0], s->size));
			}
			t = task_start(variant->kind, send_one_of_three, s);
			wait_waiting(s->c, 2, 0);
			wait_waiting(s->d, 1, 0);
			for (int i = 0; i < 3; i++)
				memset(s->bufs[i], 0xff, s->size);
			for (int i = 0; i <= capacity; i++) {
				memset(got, 0xa5, sizeof(got));
				ASSERT_EQ(1, chan_try_recv(other ? s->d : s->c, got, s->size));
			}
			EXPECT_EQ(true, is_filled(got, s->size, other ? 2 : 0));
			EXPECT_EQ(0, task_join(t));
			EXPECT_CHOSE(other ? 2 : 0, 0, s->chosen);
			close(s->c);
			close(s->d);
			munmap(s, sizeof(*s));
		}
	}
}

TEST_F(sendstmt_select, buffered_value_is_a_copy)
{
	struct sender *s = shared_alloc(sizeof(*s));

	s->size = variant->size;
	s->c = make_chan(s->size, 3);
	s->d = make_chan(s->size, 3);
	for (int i = 0; i < 3; i++) {
		fill(s->bufs[0], s->size, 10 + i);
		send_one_of_three(s);
		EXPECT_CHOSE(0, 0, s->chosen);
		memset(s->bufs[0], 0xff, s->size);
	}
	for (int i = 0; i < 3; i++) {
		EXPECT_CHOSE(1, 1, select_of(on_recv(s->d, s->bufs[1], s->size),
					     on_recv(s->c, s->bufs[2], s->size)));
		EXPECT_EQ(true, is_filled(s->bufs[2], s->size, 10 + i));
	}
}

TEST_HARNESS_MAIN
