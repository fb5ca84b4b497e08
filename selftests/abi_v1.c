// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contract's first version, written down by hand and never to change:
 * programs built against it must work with every later kernel, and programs
 * built against a later one with the first.
 */
#include <stddef.h>
#include <kselftest_harness.h>
#include "kchan_util.h"

/* ---- what the first version's header said ---- */

struct v1_features {
	__u32 size;
	__u32 abi_version;
	__u64 features;
	__u32 max_elem_size;
	__u32 max_capacity;
	__u32 max_user_objects;
	__u32 reserved;
	__u64 max_user_bytes;
};

struct v1_create_chan {
	__u32 size;
	__u32 flags;
	__u32 elem_size;
	__u32 reserved;
	__u64 capacity;
};

struct v1_msg {
	__u32 size;
	__u32 flags;
	__u64 buf;
	__u32 len;
	__u32 reserved;
	__s64 deadline;
};

struct v1_restrict {
	__u32 size;
	__u32 flags;
	__u32 rights;
	__u32 reserved;
};

struct v1_stat {
	__u32 size;
	__u32 kind;
	__u64 id;
	__u32 rights;
	__u32 state;
	__u32 elem_size;
	__u32 reserved;
	__u64 capacity;
	__u64 length;
	__u32 waiting_senders;
	__u32 waiting_receivers;
};

enum {
	V1_FEATURES	= 0xc700,
	V1_CREATE_CHAN	= 0xc701,
	V1_STAT		= 0xc710,
	V1_RESTRICT	= 0xc711,
	V1_SEND		= 0xc720,
	V1_RECV		= 0xc721,
	V1_CLOSE	= 0xc722,

	V1_NONBLOCK	= 1,
	V1_DEADLINE	= 2,
	V1_CLOCK_REALTIME = 4,
	V1_CLOCK_BOOTTIME = 8,
	V1_RIGHT_SEND	= 1,
	V1_RIGHT_RECV	= 2,
	V1_STATE_CLOSED	= 1,
	V1_STATE_NO_SENDERS = 2,
	V1_STATE_NO_RECEIVERS = 4,
	V1_KIND_CHAN	= 1,
	V1_FEATURE_CHAN	= 1,
};

/* ---- today's header against it: fields may be added, never moved ---- */

#define RENAMED_FIELD(type, field, today)					\
	_Static_assert(offsetof(struct v1_##type, field) ==			\
		       offsetof(struct kchan_##type, today) &&			\
		       sizeof(((struct v1_##type *)0)->field) ==		\
		       sizeof(((struct kchan_##type *)0)->today),		\
		       "kchan_" #type "." #today " has moved")
#define SAME_FIELD(type, field) RENAMED_FIELD(type, field, field)
#define NOT_SHORTER(type, v1_size)						\
	_Static_assert(sizeof(struct v1_##type) == (v1_size) &&			\
		       sizeof(struct kchan_##type) >= (v1_size),		\
		       "struct kchan_" #type " has shrunk")
#define SAME_NUMBER(name)							\
	_Static_assert((unsigned long long)V1_##name ==			\
		       (unsigned long long)KCHAN_##name, "KCHAN_" #name " has changed")

NOT_SHORTER(features, 40);
SAME_FIELD(features, size);
SAME_FIELD(features, abi_version);
SAME_FIELD(features, features);
SAME_FIELD(features, max_elem_size);
SAME_FIELD(features, max_capacity);
SAME_FIELD(features, max_user_objects);
SAME_FIELD(features, reserved);
SAME_FIELD(features, max_user_bytes);

NOT_SHORTER(create_chan, 24);
SAME_FIELD(create_chan, size);
SAME_FIELD(create_chan, flags);
SAME_FIELD(create_chan, elem_size);
RENAMED_FIELD(create_chan, reserved, policy);
SAME_FIELD(create_chan, capacity);

NOT_SHORTER(msg, 32);
SAME_FIELD(msg, size);
SAME_FIELD(msg, flags);
SAME_FIELD(msg, buf);
SAME_FIELD(msg, len);
SAME_FIELD(msg, reserved);
SAME_FIELD(msg, deadline);

NOT_SHORTER(restrict, 16);
SAME_FIELD(restrict, size);
SAME_FIELD(restrict, flags);
SAME_FIELD(restrict, rights);
SAME_FIELD(restrict, reserved);

NOT_SHORTER(stat, 56);
SAME_FIELD(stat, size);
SAME_FIELD(stat, kind);
SAME_FIELD(stat, id);
SAME_FIELD(stat, rights);
SAME_FIELD(stat, state);
SAME_FIELD(stat, elem_size);
RENAMED_FIELD(stat, reserved, policy);
SAME_FIELD(stat, capacity);
SAME_FIELD(stat, length);
SAME_FIELD(stat, waiting_senders);
SAME_FIELD(stat, waiting_receivers);

SAME_NUMBER(FEATURES);
SAME_NUMBER(CREATE_CHAN);
SAME_NUMBER(STAT);
SAME_NUMBER(RESTRICT);
SAME_NUMBER(SEND);
SAME_NUMBER(RECV);
SAME_NUMBER(CLOSE);
SAME_NUMBER(NONBLOCK);
SAME_NUMBER(DEADLINE);
SAME_NUMBER(CLOCK_REALTIME);
SAME_NUMBER(CLOCK_BOOTTIME);
SAME_NUMBER(RIGHT_SEND);
SAME_NUMBER(RIGHT_RECV);
SAME_NUMBER(STATE_CLOSED);
SAME_NUMBER(STATE_NO_SENDERS);
SAME_NUMBER(STATE_NO_RECEIVERS);
SAME_NUMBER(KIND_CHAN);
SAME_NUMBER(FEATURE_CHAN);

/*
 * ---- behaviour: as the first version's programs (a tail of 0 bytes) and as
 * later ones, whose structs are longer ----
 */

enum { MAX_TAIL = 64 };

FIXTURE(abi_v1) {
	int unused;
};

FIXTURE_VARIANT(abi_v1) {
	__u32 tail;
};

FIXTURE_VARIANT_ADD(abi_v1, old_program) { 0 };
FIXTURE_VARIANT_ADD(abi_v1, newer_program) { 8 };
FIXTURE_VARIANT_ADD(abi_v1, much_newer_program) { MAX_TAIL };

FIXTURE_SETUP(abi_v1) { }

FIXTURE_TEARDOWN(abi_v1) { }

#define LATER(type) struct { struct v1_##type v1; __u8 tail[MAX_TAIL]; }
#define SIZE(type)  (sizeof(struct v1_##type) + variant->tail)

static bool all_bytes(const __u8 *p, size_t n, __u8 value)
{
	while (n--)
		if (*p++ != value)
			return false;
	return true;
}

TEST_F(abi_v1, features)
{
	LATER(features) f;

	memset(&f, 0xa5, sizeof(f));
	f.v1.size = SIZE(features);
	ASSERT_EQ(0, kchan_call(open_device(), V1_FEATURES, &f));
	EXPECT_LE(1, f.v1.abi_version);
	EXPECT_EQ(V1_FEATURE_CHAN, f.v1.features & V1_FEATURE_CHAN);
	EXPECT_LE(65536, f.v1.max_elem_size);
	EXPECT_EQ(SIZE(features), f.v1.size);
	EXPECT_EQ(true, all_bytes(f.tail, variant->tail, 0));
	EXPECT_EQ(true, all_bytes(f.tail + variant->tail, MAX_TAIL - variant->tail, 0xa5));
}

TEST_F(abi_v1, a_channel_lives)
{
	__u64 sent = 0x1122334455667788, got = POISON;
	LATER(create_chan) create = {
		.v1 = { .size = SIZE(create_chan), .elem_size = 8, .capacity = 1 },
	};
	LATER(restrict) restriction = {
		.v1 = { .size = SIZE(restrict), .rights = V1_RIGHT_RECV },
	};
	LATER(msg) msg = {
		.v1 = { .size = SIZE(msg), .flags = V1_NONBLOCK, .len = 8 },
	};
	LATER(stat) st;
	int c, receiver;

	c = kchan_call(open_device(), V1_CREATE_CHAN, &create);
	ASSERT_LE(0, c);
	receiver = kchan_call(c, V1_RESTRICT, &restriction);
	ASSERT_LE(0, receiver);

	msg.v1.buf = (uintptr_t)&sent;
	EXPECT_EQ(0, kchan_call(c, V1_SEND, &msg));
	EXPECT_EQ(-EAGAIN, kchan_call(c, V1_SEND, &msg));
	msg.v1.flags = V1_DEADLINE;
	msg.v1.deadline = 1;
	EXPECT_EQ(-ETIMEDOUT, kchan_call(c, V1_SEND, &msg));

	memset(&st, 0xa5, sizeof(st));
	st.v1.size = SIZE(stat);
	EXPECT_EQ(0, kchan_call(receiver, V1_STAT, &st));
	EXPECT_EQ(V1_KIND_CHAN, st.v1.kind);
	EXPECT_EQ(V1_RIGHT_RECV, st.v1.rights);
	EXPECT_EQ(8, st.v1.elem_size);
	EXPECT_EQ(0, st.v1.reserved);
	EXPECT_EQ(1, st.v1.capacity);
	EXPECT_EQ(1, st.v1.length);
	EXPECT_EQ(0, st.v1.state);
	EXPECT_EQ(true, all_bytes(st.tail, variant->tail, 0));
	EXPECT_EQ(true, all_bytes(st.tail + variant->tail, MAX_TAIL - variant->tail, 0xa5));

	EXPECT_EQ(0, kchan_call(c, V1_CLOSE, NULL));
	msg.v1.buf = (uintptr_t)&got;
	EXPECT_EQ(1, kchan_call(receiver, V1_RECV, &msg));
	EXPECT_EQ(sent, got);
	EXPECT_EQ(0, kchan_call(receiver, V1_RECV, &msg));
	EXPECT_EQ(0, got);
}

/* A later program that asks for what this kernel does not have is told so. */
TEST_F(abi_v1, a_wish_we_do_not_know)
{
	LATER(create_chan) create = {
		.v1 = { .size = SIZE(create_chan), .elem_size = 8 },
	};

	/* What this version has added is not it. */
	if (SIZE(create_chan) <= sizeof(struct kchan_create_chan))
		return;
	create.tail[variant->tail - 1] = 1;
	EXPECT_EQ(-E2BIG, kchan_call(open_device(), V1_CREATE_CHAN, &create));
}

TEST_HARNESS_MAIN
