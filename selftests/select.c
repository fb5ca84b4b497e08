// SPDX-License-Identifier: GPL-2.0-only
/* Go's select: a select that need not wait sends wherever there is room. */
#include <kselftest_harness.h>
#include "select_util.h"

/* Sends 1, 2, 4, ... to each channel once; returns how many there was room for. */
static int send_where_room(int a, int b, __u64 *next)
{
	for (int sent = 0;; sent++) {
		struct chosen c = try_select_of(on_send64(a, next), on_send64(b, next));

		if (c.index == -EAGAIN)
			return sent;
		must(c.outcome == 0);
		if (c.index == 0)
			a = NO_CHAN;
		else
			b = NO_CHAN;
		*next *= 2;
	}
}

TEST(each_once)
{
	int a = make_chan(8, 1), b = make_chan(8, 1);
	__u64 next = 1, x, y;

	EXPECT_EQ(2, send_where_room(a, b, &next));
	EXPECT_EQ(1, recv64(a, &x));
	EXPECT_EQ(1, recv64(b, &y));
	EXPECT_EQ(3, x | y);
	EXPECT_EQ(4, next);
}

TEST(one_is_no_channel)
{
	int a = make_chan(8, 1);
	__u64 next = 1, v;

	EXPECT_EQ(1, send_where_room(a, NO_CHAN, &next));
	EXPECT_EQ(1, recv64(a, &v));
	EXPECT_EQ(1, v);
}

/* Go's select4: of a ready and an unready channel, the ready one. */
TEST(the_ready_one)
{
	int ready = make_chan(8, 1), idle = make_chan(8, 0);
	__u64 got = POISON, none = POISON;

	ASSERT_EQ(0, send64(ready, 42));
	EXPECT_CHOSE(1, 1, select_of(on_recv64(idle, &none), on_recv64(ready, &got)));
	EXPECT_EQ(42, got);
	EXPECT_EQ(POISON, none);
}

TEST_HARNESS_MAIN
