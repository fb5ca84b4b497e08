// SPDX-License-Identifier: GPL-2.0-only
/* make: sizes, capacities, numbers that overflow; ids; what KCHAN_FEATURES says. */
#include <kselftest_harness.h>
#include "kchan_util.h"

static const __u32 elem_sizes[] = { 0, 1, 2, 7, 8, 64, 4095, 4096, 4097, KCHAN_MAX_ELEM_SIZE };
static const __u64 capacities[] = { 0, 1, 2, 7, 100 };

static void fill(__u8 *buf, __u32 len, unsigned int seed)
{
	for (__u32 i = 0; i < len; i++)
		buf[i] = seed + i * 7;
}

/* Fills a channel to its capacity and drains it: each byte must come back. */
static int fill_and_drain(int c, __u32 elem_size, __u64 capacity)
{
	static __u8 in[KCHAN_MAX_ELEM_SIZE], out[KCHAN_MAX_ELEM_SIZE];

	for (__u64 i = 0; i < capacity; i++) {
		fill(in, elem_size, i);
		CHECK(chan_try_send(c, in, elem_size) == 0);
	}
	CHECK(chan_try_send(c, in, elem_size) == -EAGAIN);
	for (__u64 i = 0; i < capacity; i++) {
		fill(in, elem_size, i);
		memset(out, 0xa5, sizeof(out));
		CHECK(chan_try_recv(c, out, elem_size) == 1);
		CHECK(!memcmp(in, out, elem_size));
	}
	CHECK(chan_try_recv(c, out, elem_size) == -EAGAIN);
	return 0;
}

TEST(every_size_and_capacity)
{
	for (size_t i = 0; i < ARRAY_LEN(elem_sizes); i++) {
		for (size_t j = 0; j < ARRAY_LEN(capacities); j++) {
			int c = make_chan(elem_sizes[i], capacities[j]);

			EXPECT_EQ(0, fill_and_drain(c, elem_sizes[i], capacities[j]))
				TH_LOG("elem_size %u, capacity %llu", elem_sizes[i], capacities[j]);
			close(c);
		}
	}
}

TEST(new_channel_is_open_and_empty)
{
	int c = make_chan(24, 5);
	struct kchan_stat st = chan_stat(c);

	EXPECT_EQ(sizeof(st), st.size);
	EXPECT_EQ(KCHAN_KIND_CHAN, st.kind);
	EXPECT_EQ(BOTH_RIGHTS, st.rights);
	EXPECT_EQ(0, st.state);
	EXPECT_EQ(24, st.elem_size);
	EXPECT_EQ(KCHAN_POLICY_BLOCK, st.policy);
	EXPECT_EQ(0, st.dropped);
	EXPECT_EQ(5, st.capacity);
	EXPECT_EQ(0, st.length);
	EXPECT_EQ(0, st.waiting_senders);
	EXPECT_EQ(0, st.waiting_receivers);
}

TEST(ids_are_never_used_twice)
{
	__u64 last = 0;

	for (int i = 0; i < 1000; i++) {
		int c = make_chan(8, i % 3);
		struct kchan_stat st = chan_stat(c);

		ASSERT_GT(st.id, last);
		last = st.id;
		close(c);
	}
}

TEST(numbers_that_make_no_channel)
{
	static const struct {
		__u32 elem_size;
		__u64 capacity;
		int error;
	} bad[] = {
		{ KCHAN_MAX_ELEM_SIZE + 1, 0, EINVAL },
		{ UINT_MAX, 0, EINVAL },
		{ 1u << 31, 2, EINVAL },
		{ 0, KCHAN_MAX_CAPACITY + 1, EINVAL },
		{ 8, 1ull << 32, EINVAL },
		{ 8, 1ull << 61, EINVAL },
		{ 8, ULLONG_MAX, EINVAL },
		{ UINT_MAX, ULLONG_MAX, EINVAL },
		{ KCHAN_MAX_ELEM_SIZE, KCHAN_MAX_CAPACITY, ENOMEM },
		{ KCHAN_MAX_ELEM_SIZE, KCHAN_MAX_BYTES / KCHAN_MAX_ELEM_SIZE + 1, ENOMEM },
		{ 1025, KCHAN_MAX_CAPACITY, ENOMEM },
	};
	int dev = open_device();
	int next = dup(dev);

	close(next);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-bad[i].error,
			  try_make_chan(dev, bad[i].elem_size, bad[i].capacity, 0))
			TH_LOG("row %zu", i);
	}
	/* No file number was used up by those. */
	EXPECT_EQ(next, dup(dev));
}

TEST(largest_capacity)
{
	int c = make_chan(0, KCHAN_MAX_CAPACITY);

	EXPECT_EQ(KCHAN_MAX_CAPACITY, chan_stat(c).capacity);
	EXPECT_EQ(0, chan_try_send(c, NULL, 0));
	EXPECT_EQ(1, chan_try_recv(c, NULL, 0));
}

TEST(nonblock_flag_sets_o_nonblock)
{
	int dev = open_device();
	int plain = try_make_chan(dev, 8, 1, 0);
	int nonblock = try_make_chan(dev, 8, 1, KCHAN_NONBLOCK);

	EXPECT_EQ(0, fcntl(plain, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(O_NONBLOCK, fcntl(nonblock, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(O_RDWR, fcntl(plain, F_GETFL) & O_ACCMODE);
}

TEST(features)
{
	struct kchan_features f;
	int dev = open_device();

	memset(&f, 0xa5, sizeof(f));
	f.size = sizeof(f);
	ASSERT_EQ(0, kchan_call(dev, KCHAN_FEATURES, &f));
	EXPECT_EQ(sizeof(f), f.size);
	EXPECT_EQ(KCHAN_ABI_VERSION, f.abi_version);
	EXPECT_EQ(KCHAN_FEATURE_CHAN, f.features & KCHAN_FEATURE_CHAN);
	EXPECT_EQ(KCHAN_MAX_ELEM_SIZE, f.max_elem_size);
	EXPECT_EQ(KCHAN_MAX_CAPACITY, f.max_capacity);
	EXPECT_GT(f.max_user_objects, 0);
	EXPECT_GT(f.max_user_bytes, 0);
	EXPECT_EQ(0, f.reserved);
}

TEST_HARNESS_MAIN
