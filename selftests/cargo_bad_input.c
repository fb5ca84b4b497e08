// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that make no sense for messages with handles, or ask for what is not there:
 * each has its own errno, and has changed nothing.
 */
#include <kselftest_harness.h>
#include "cargo_util.h"

static int try_create(__u32 handles, __u32 depth)
{
	return try_make_carrier((struct kchan_create_chan){
		.elem_size = 8, .capacity = 2, .handles = handles, .depth = depth,
	});
}

TEST(create)
{
	static const struct {
		__u32 handles, depth;
	} bad[] = {
		{ 1, 0 }, { 0, 1 }, { KCHAN_MAX_HANDLES + 1, 1 }, { UINT_MAX, 1 },
		{ 1, KCHAN_MAX_DEPTH + 1 }, { 1, UINT_MAX }, { 0, UINT_MAX },
		{ KCHAN_MAX_HANDLES, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, try_create(bad[i].handles, bad[i].depth));
	}
	EXPECT_LE(0, try_create(KCHAN_MAX_HANDLES, KCHAN_MAX_DEPTH));
	EXPECT_LE(0, try_create(1, 1));
}

TEST(create_with_policy)
{
	for (__u32 policy = KCHAN_POLICY_BLOCK; policy <= KCHAN_POLICY_LATEST + 1; policy++) {
		for (__u64 capacity = 0; capacity <= 2; capacity++) {
			bool latest = policy == KCHAN_POLICY_LATEST;
			bool good = policy <= KCHAN_POLICY_LATEST &&
				    (capacity || policy == KCHAN_POLICY_BLOCK);
			struct kchan_create_chan plain = {
				.elem_size = 8, .capacity = capacity, .policy = policy,
			}, carrier = plain, stamped = plain;

			carrier.handles = carrier.depth = 1;
			stamped.flags = KCHAN_STAMPED;
			EXPECT_EQ(good, try_make_carrier(plain) >= 0);
			good = good && !(latest && capacity == 2);
			EXPECT_EQ(good, try_make_carrier(carrier) >= 0);
			EXPECT_EQ(good, try_make_carrier(stamped) >= 0);
		}
	}
}

/* What messages carry takes room in the buffer, which has its limit. */
TEST(create_too_large)
{
	EXPECT_EQ(-ENOMEM, try_make_carrier((struct kchan_create_chan){
		.elem_size = 1000, .capacity = KCHAN_MAX_CAPACITY, .handles = 16, .depth = 1,
	}));
}

/* Every call of version 1: its structs are shorter, and its messages carry nothing. */
TEST(short_structs)
{
	struct kchan_create_chan create = {
		.size = 24, .elem_size = 8, .capacity = 1,
		.handles = UINT_MAX, .depth = UINT_MAX,
	};
	int c = kchan_call(any_device(), KCHAN_CREATE_CHAN, &create);
	int carrier = make_chan_of_one(1);
	__u64 v = 5;
	struct kchan_msg msg = {
		.size = 32, .buf = (uintptr_t)&v, .len = 8, .ancillary = POISON,
	};

	ASSERT_LE(0, c);
	EXPECT_EQ(0, kchan_call(c, KCHAN_SEND, &msg));
	v = 0;
	EXPECT_EQ(1, kchan_call(c, KCHAN_RECV, &msg));
	EXPECT_EQ(5, v);
	EXPECT_EQ(0, kchan_call(carrier, KCHAN_SEND, &msg));
	EXPECT_EQ(-EMSGSIZE, kchan_call(carrier, KCHAN_RECV, &msg));
	EXPECT_EQ(-1, recv_handle(carrier, &v));
	EXPECT_EQ(5, v);
	for (__u32 size = 0; size < 32; size += 8) {
		msg.size = size;
		EXPECT_EQ(-EINVAL, kchan_call(carrier, KCHAN_SEND, &msg));
		create.size = size < 24 ? size : 23;
		EXPECT_EQ(-EINVAL, kchan_call(any_device(), KCHAN_CREATE_CHAN, &create));
	}
}

/* One that ends in the middle of what was added: the rest counts as zero. */
TEST(structs_in_between)
{
	struct kchan_create_chan create = {
		.size = 28, .elem_size = 8, .capacity = 1, .depth = 1,
	};

	EXPECT_LE(0, kchan_call(any_device(), KCHAN_CREATE_CHAN, &create));
	create.handles = 1;
	EXPECT_EQ(-EINVAL, kchan_call(any_device(), KCHAN_CREATE_CHAN, &create));
}

FIXTURE(ancillary) {
	int c;
	struct trace trace;
	__s32 handles[3];
	__u64 value;
	struct kchan_stat before;
	int fds;
};

FIXTURE_VARIANT(ancillary) {
	unsigned int cmd;
};

FIXTURE_VARIANT_ADD(ancillary, send) { KCHAN_SEND };
FIXTURE_VARIANT_ADD(ancillary, receive) { KCHAN_RECV };

/* Two handles in each message; one message is there, and room for another. */
FIXTURE_SETUP(ancillary)
{
	self->c = make_carrier(.elem_size = 8, .capacity = 2, .handles = 2, .depth = 1);
	self->trace = make_trace();
	for (int i = 0; i < 3; i++)
		self->handles[i] = self->trace.write;
	must(!send_handles(self->c, 1, self->handles, 2, 0));
	self->before = chan_stat(self->c);
	self->fds = count_fds();
}

FIXTURE_TEARDOWN(ancillary)
{
	__s32 got[2];

	/* Nothing has changed: the message is still there, alone, and whole. */
	EXPECT_EQ(true, same_stat(self->before, self->c));
	EXPECT_EQ(self->fds, count_fds());
	EXPECT_EQ(1, recv_handles(self->c, &self->value, got, 2, KCHAN_NONBLOCK));
	EXPECT_EQ(1, self->value);
	EXPECT_EQ(true, leads_to(self->trace, got[0]));
	EXPECT_EQ(true, leads_to(self->trace, got[1]));
	close(got[0]);
	close(got[1]);
	close(self->trace.write);
	EXPECT_EQ(true, is_gone(self->trace));
	close(self->c);
}

static int call_with(FIXTURE_DATA(ancillary) *self, unsigned int cmd,
		     const struct kchan_ancillary *ancillary)
{
	return cargo_msg(self->c, cmd, &self->value, 8, 0, ancillary);
}

TEST_F(ancillary, number)
{
	static const __u32 wrong[] = { 0, 1, 3, 16, 17, UINT_MAX };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct kchan_ancillary a = with_handles(self->handles, wrong[i]);

		EXPECT_EQ(-EMSGSIZE, call_with(self, variant->cmd, &a));
	}
}

TEST_F(ancillary, missing)
{
	if (variant->cmd == KCHAN_RECV) {
		EXPECT_EQ(-EMSGSIZE, call_with(self, KCHAN_RECV, NULL));
	}
}

TEST_F(ancillary, flags)
{
	for (int bit = 0; bit < 32; bit++) {
		struct kchan_ancillary a = with_handles(self->handles, 2);

		a.flags = 1u << bit;
		EXPECT_EQ(-EINVAL, call_with(self, variant->cmd, &a));
	}
}

TEST_F(ancillary, size)
{
	struct {
		struct kchan_ancillary a;
		__u64 more[8];
	} longer = { with_handles(self->handles, 2), { 0 } };

	for (__u32 size = 0; size < sizeof(longer.a); size++) {
		longer.a.size = size;
		EXPECT_EQ(-EINVAL, call_with(self, variant->cmd, &longer.a));
	}
	longer.more[7] = 1;
	longer.a.size = sizeof(longer);
	EXPECT_EQ(-E2BIG, call_with(self, variant->cmd, &longer.a));
	longer.a.size = PAGE + 8;
	EXPECT_EQ(-E2BIG, call_with(self, variant->cmd, &longer.a));
}

TEST_F(ancillary, message_of_wrong_length)
{
	struct kchan_ancillary a = with_handles(self->handles, 2);

	EXPECT_EQ(-EMSGSIZE, cargo_msg(self->c, variant->cmd, &self->value, 7, 0, &a));
	EXPECT_EQ(-EMSGSIZE, cargo_msg(self->c, variant->cmd, &self->value, 0, 0, &a));
}

TEST_F(ancillary, without_the_right)
{
	struct kchan_ancillary a = with_handles(self->handles, 2);
	bool sends = variant->cmd == KCHAN_SEND;
	int other = restrict_to(self->c, sends ? KCHAN_RIGHT_RECV : KCHAN_RIGHT_SEND);

	EXPECT_EQ(-EBADF, cargo_msg(other, variant->cmd, &self->value, 8, 0, &a));
	close(other);
}

TEST_F(ancillary, in_a_select)
{
	struct kchan_ancillary wrong = with_handles(self->handles, 3);
	struct kchan_ancillary flagged = with_handles(self->handles, 2);
	bool sends = variant->cmd == KCHAN_SEND;
	struct kchan_case on = sends ? on_send64(self->c, &self->value) :
				       on_recv64(self->c, &self->value);

	flagged.flags = 1;
	on.arg = (uintptr_t)&wrong;
	EXPECT_EQ(-EMSGSIZE, kchan_select(&on, 1, 0, 0).index);
	on.arg = (uintptr_t)&flagged;
	EXPECT_EQ(-EINVAL, kchan_select(&on, 1, 0, 0).index);
	on.arg = 1;
	EXPECT_EQ(-EFAULT, kchan_select(&on, 1, 0, 0).index);
	on.arg = 0;
	if (!sends) {
		EXPECT_EQ(-EMSGSIZE, kchan_select(&on, 1, 0, 0).index);
	}
}

/* One that is longer, and zero there, is from a later version, and good. */
TEST(longer_ancillary)
{
	int c = make_chan_of_one(1), none = -1;
	struct {
		struct kchan_ancillary a;
		__u64 more[8];
	} longer = { with_handles(&none, 1), { 0 } };
	__u64 v = 1;

	longer.a.size = sizeof(longer);
	EXPECT_EQ(0, cargo_msg(c, KCHAN_SEND, &v, 8, 0, &longer.a));
	EXPECT_EQ(1, cargo_msg(c, KCHAN_RECV, &v, 8, 0, &longer.a));
}

TEST(where_messages_carry_nothing)
{
	int c = make_chan(8, 2), none = -1;
	struct kchan_ancillary a = with_handles(&none, 1), empty = with_handles(NULL, 0);
	struct kchan_stat before;
	__u64 v = 1;

	ASSERT_EQ(0, send64(c, 1));
	before = chan_stat(c);
	EXPECT_EQ(-EINVAL, cargo_msg(c, KCHAN_SEND, &v, 8, 0, &a));
	EXPECT_EQ(-EINVAL, cargo_msg(c, KCHAN_SEND, &v, 8, 0, &empty));
	EXPECT_EQ(-EINVAL, cargo_msg(c, KCHAN_RECV, &v, 8, 0, &a));
	EXPECT_EQ(-EINVAL, cargo_msg(c, KCHAN_RECV, &v, 8, 0, &empty));
	EXPECT_EQ(true, same_stat(before, c));
}

/* read(2) and write(2) have no place for handles; nor have batches, and calls. */
TEST(ways_without_a_place)
{
	int c = make_chan_of_one(2), plain = make_chan(8, 2);
	struct trace trace = make_trace();
	__u64 v[2] = { 1, 2 };
	struct kchan_batch batch = {
		.size = sizeof(batch), .buf = (uintptr_t)v, .len = 8, .min = 1, .max = 2,
	};
	struct kchan_call call = {
		.size = sizeof(call), .request = (uintptr_t)v, .answer = (uintptr_t)v,
		.request_len = 8, .answer_len = 8, .fd = c,
	};

	ASSERT_EQ(0, send_handle(c, 7, trace.write));
	EXPECT_EQ(-1, read(c, v, 8));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(c, v, 8));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-EMSGSIZE, kchan_call(c, KCHAN_RECV_BATCH, &batch));
	EXPECT_EQ(-EMSGSIZE, kchan_call(plain, KCHAN_CALL, &call));
	EXPECT_EQ(0, chan_stat(plain).length);
	EXPECT_EQ(1, chan_stat(c).length);
	EXPECT_EQ(true, leads_to(trace, recv_handle(c, NULL)));

	/* To send there need be none. */
	EXPECT_EQ(2, kchan_call(c, KCHAN_SEND_BATCH, &batch));
	for (__u64 i = 1; i <= 2; i++) {
		EXPECT_EQ(-1, recv_handle(c, &v[0]));
		EXPECT_EQ(i, v[0]);
	}
	ASSERT_EQ(0, send64(plain, 9));
	call.fd = plain;
	call.sent = 0;
	EXPECT_EQ(1, kchan_call(c, KCHAN_CALL, &call));
	EXPECT_EQ(9, v[0]);
	EXPECT_EQ(-1, recv_handle(c, NULL));
}

/* A number that is none: nothing is sent, and the good ones are let go of. */
TEST(bad_number)
{
	static const int bad[] = { -2, INT_MIN, INT_MAX, 1000000 };
	int c = make_carrier(.elem_size = 8, .capacity = 1, .handles = 3, .depth = 1);
	struct trace trace = make_trace();
	struct kchan_stat before = chan_stat(c);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		for (int place = 0; place < 3; place++) {
			__s32 handles[] = { trace.write, trace.write, trace.write };

			handles[place] = bad[i];
			EXPECT_EQ(-EBADF, send_handles(c, 1, handles, 3, 0));
		}
	}
	EXPECT_EQ(true, same_stat(before, c));
	close(trace.write);
	EXPECT_EQ(true, is_gone(trace));
}

/* It makes no difference that the sender would have had to wait. */
TEST(bad_number_to_full)
{
	int c = make_chan_of_one(0);

	EXPECT_EQ(-EBADF, send_handle(c, 1, 1000000));
	EXPECT_EQ(true, waiting(c, 0, 0));
}

/* ---- no file number left ---- */

FIXTURE(no_number) {
	int c;
	struct trace trace;
	__s32 handles[3];
	int fds;
};

FIXTURE_VARIANT(no_number) {
	int left;
};

FIXTURE_VARIANT_ADD(no_number, none_left) { 0 };
FIXTURE_VARIANT_ADD(no_number, too_few_left) { 2 };

FIXTURE_SETUP(no_number)
{
	self->c = make_carrier(.elem_size = 8, .capacity = 3, .handles = 3, .depth = 1);
	self->trace = make_trace();
	for (int i = 0; i < 3; i++)
		self->handles[i] = self->trace.write;
	/* The helpers' own. */
	any_device();
	self->fds = count_fds();
}

FIXTURE_TEARDOWN(no_number)
{
	close(self->c);
}

static int recv_three(void *arg)
{
	struct shipment *s = arg;

	s->ret = recv_handles(s->c, &s->value, s->handles, 3, 0);
	for (int i = 0; s->ret == 1 && i < 3; i++)
		CHECK(fcntl(s->handles[i], F_GETFD) == FD_CLOEXEC);
	return 0;
}

TEST_F(no_number, message_stays_at_the_head)
{
	struct shipment *s = new_shipment(self->c, 0, -1);
	struct rlimit before;
	struct kchan_stat st;
	__s32 got[3];
	__u64 v;

	ASSERT_EQ(0, send_handles(self->c, 1, self->handles, 3, 0));
	ASSERT_EQ(0, send_handles(self->c, 2, self->handles, 3, 0));
	st = chan_stat(self->c);
	before = leave_fds(variant->left);
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(-EMFILE, recv_handles(self->c, &v, got, 3, i % 2 ? KCHAN_NONBLOCK : 0));
	}
	EXPECT_EQ(true, same_stat(st, self->c));
	setrlimit(RLIMIT_NOFILE, &before);
	EXPECT_EQ(self->fds, count_fds());

	/* Whoever has room gets it: a process, and then this one. */
	EXPECT_EQ(0, task_join(task_start(PROCESS, recv_three, s)));
	EXPECT_EQ(1, s->ret);
	EXPECT_EQ(1, s->value);
	ASSERT_EQ(1, recv_handles(self->c, &v, got, 3, 0));
	EXPECT_EQ(2, v);
	EXPECT_EQ(self->fds + 3, count_fds());
}

/* Nor is it waited for. */
TEST_F(no_number, empty_channel)
{
	struct rlimit before = leave_fds(variant->left);
	__s32 got[3];
	__u64 v;

	EXPECT_EQ(-EMFILE, recv_handles(self->c, &v, got, 3, 0));
	EXPECT_EQ(true, waiting(self->c, 0, 0));
	setrlimit(RLIMIT_NOFILE, &before);
	EXPECT_EQ(self->fds, count_fds());
}

/* The end has no handles, and needs no numbers. */
TEST_F(no_number, the_end)
{
	struct rlimit before;
	__s32 got[3];
	__u64 v;

	ASSERT_EQ(0, chan_close(self->c));
	before = leave_fds(variant->left);
	EXPECT_EQ(0, recv_handles(self->c, &v, got, 3, 0));
	EXPECT_EQ(0, v);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* Who has it to wait has set its numbers aside: that there are none left comes late. */
TEST_F(no_number, parked_receiver_has_its_own)
{
	struct shipment *s = new_shipment(self->c, 0, -1);
	struct task *t = task_start(THREAD, recv_three, s);
	struct rlimit before;

	wait_waiting(self->c, 0, 1);
	before = leave_fds(0);
	EXPECT_EQ(0, send_handles(self->c, 5, self->handles, 3, 0));
	EXPECT_EQ(0, task_join(t));
	setrlimit(RLIMIT_NOFILE, &before);
	EXPECT_EQ(1, s->ret);
	EXPECT_EQ(5, s->value);
}

TEST_F(no_number, select)
{
	struct kchan_ancillary a;
	struct rlimit before;
	struct kchan_case on;
	__s32 got[3];
	__u64 v;

	ASSERT_EQ(0, send_handles(self->c, 1, self->handles, 3, 0));
	a = with_handles(got, 3);
	on = with_ancillary(on_recv64(self->c, &v), &a);
	before = leave_fds(variant->left);
	EXPECT_EQ(-EMFILE, kchan_select(&on, 1, 0, 0).index);
	EXPECT_EQ(-EMFILE, kchan_select(&on, 1, KCHAN_NONBLOCK, 0).index);
	/* To know that it is ready takes no number. */
	EXPECT_EQ(0, kchan_select(&on, 1, KCHAN_READY, 0).index);
	setrlimit(RLIMIT_NOFILE, &before);
	EXPECT_EQ(self->fds, count_fds());
	EXPECT_EQ(0, kchan_select(&on, 1, 0, 0).index);
	EXPECT_EQ(1, v);
}

/* Numbers that were set aside and not used are given back, whatever came instead. */
TEST_F(no_number, unused_ones_come_back)
{
	struct kchan_ancillary a;
	struct kchan_case on[2];
	int plain = make_chan(8, 1);
	__s32 got[3];
	__u64 v;

	a = with_handles(got, 3);
	on[0] = with_ancillary(on_recv64(self->c, &v), &a);
	on[1] = on_recv64(plain, &v);
	EXPECT_EQ(-EAGAIN, recv_handles(self->c, &v, got, 3, KCHAN_NONBLOCK));
	EXPECT_EQ(-ETIMEDOUT, kchan_select(on, 2, KCHAN_DEADLINE, in_ms(1)).index);
	ASSERT_EQ(0, send64(plain, 1));
	EXPECT_EQ(1, kchan_select(on, 2, 0, 0).index);
	ASSERT_EQ(0, send64(self->c, 1));
	EXPECT_EQ(1, recv_handles(self->c, &v, got, 3, 0));
	EXPECT_EQ(self->fds + 1, count_fds());
}

TEST_HARNESS_MAIN
