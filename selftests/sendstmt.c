// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's sendstmt: a send takes the value as it is at that time.  What the
 * sender does to its memory afterwards, or while it waits, changes nothing.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

TASK_FIXTURE(sendstmt);

struct record {
	char name[16];
	__u64 number;
	double ratio;
	__u8 tail[93];
};

static struct record make_record(int i)
{
	struct record r;

	memset(&r, i, sizeof(r));
	snprintf(r.name, sizeof(r.name), "record %d", i);
	r.number = i * 1000003ull;
	r.ratio = i / 7.0;
	return r;
}

TEST(buffered_value_is_a_copy)
{
	int c = make_chan(sizeof(struct record), 3);
	struct record r, got;

	for (int i = 0; i < 3; i++) {
		r = make_record(i);
		ASSERT_EQ(0, chan_send(c, &r, sizeof(r)));
		memset(&r, 0xff, sizeof(r));
	}
	for (int i = 0; i < 3; i++) {
		r = make_record(i);
		ASSERT_EQ(1, chan_recv(c, &got, sizeof(got)));
		EXPECT_EQ(0, memcmp(&r, &got, sizeof(r)));
	}
}

struct sender {
	int fd;
	struct record record;
};

static int send_record(void *arg)
{
	struct sender *s = arg;

	return chan_send(s->fd, &s->record, sizeof(s->record));
}

TEST_F(sendstmt, blocked_value_is_a_copy)
{
	for (int capacity = 0; capacity <= 1; capacity++) {
		struct sender *s = shared_alloc(sizeof(*s));
		struct record expected = make_record(5), got;
		struct task *t;

		s->fd = make_chan(sizeof(struct record), capacity);
		if (capacity) {
			ASSERT_EQ(0, chan_send(s->fd, &expected, sizeof(expected)));
		}
		s->record = make_record(5);
		t = task_start(variant->kind, send_record, s);
		wait_waiting(s->fd, 1, 0);
		s->record = make_record(6);
		for (int i = 0; i <= capacity; i++) {
			memset(&got, 0xa5, sizeof(got));
			ASSERT_EQ(1, chan_recv(s->fd, &got, sizeof(got)));
			EXPECT_EQ(0, memcmp(&expected, &got, sizeof(got)));
		}
		EXPECT_EQ(0, task_join(t));
	}
}

TEST_HARNESS_MAIN
