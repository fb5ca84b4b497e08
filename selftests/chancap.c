// SPDX-License-Identifier: GPL-2.0-only
/* Go's chancap: length and capacity, seen from either direction. */
#include <kselftest_harness.h>
#include "kchan_util.h"

struct three {
	int both, sender, receiver;
};

static struct three make_three(__u64 capacity)
{
	struct three t = { .both = make_chan(8, capacity) };

	t.sender = restrict_to(t.both, KCHAN_RIGHT_SEND);
	t.receiver = restrict_to(t.both, KCHAN_RIGHT_RECV);
	return t;
}

static void expect_len_cap(struct __test_metadata *_metadata, struct three t, __u64 len, __u64 cap)
{
	const int handles[] = { t.both, t.sender, t.receiver };

	for (size_t i = 0; i < ARRAY_LEN(handles); i++) {
		struct kchan_stat st = chan_stat(handles[i]);

		EXPECT_EQ(len, st.length);
		EXPECT_EQ(cap, st.capacity);
	}
}

TEST(unbuffered)
{
	expect_len_cap(_metadata, make_three(0), 0, 0);
}

TEST(buffered)
{
	struct three t = make_three(10);
	__u64 v;

	expect_len_cap(_metadata, t, 0, 10);
	for (int i = 1; i <= 10; i++) {
		ASSERT_EQ(0, send64(t.sender, i));
		expect_len_cap(_metadata, t, i, 10);
	}
	for (int i = 9; i >= 0; i--) {
		ASSERT_EQ(1, recv64(t.receiver, &v));
		expect_len_cap(_metadata, t, i, 10);
	}
}

TEST(closed)
{
	struct three t = make_three(3);

	ASSERT_EQ(0, send64(t.sender, 1));
	ASSERT_EQ(0, chan_close(t.sender));
	expect_len_cap(_metadata, t, 1, 3);
}

TEST(handles_name_the_same_object)
{
	struct three t = make_three(3);

	EXPECT_EQ(chan_stat(t.both).id, chan_stat(t.sender).id);
	EXPECT_EQ(chan_stat(t.both).id, chan_stat(t.receiver).id);
	EXPECT_EQ(KCHAN_RIGHT_SEND, chan_stat(t.sender).rights);
	EXPECT_EQ(KCHAN_RIGHT_RECV, chan_stat(t.receiver).rights);
}

TEST_HARNESS_MAIN
