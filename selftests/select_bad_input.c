// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every wrong field of a select and of its cases has its documented errno, and
 * changes nothing, though another case is ready.  Built a second time as a 32-bit
 * program, which has to see the same.
 */
#include <stddef.h>
#include <sys/eventfd.h>
#include <kselftest_harness.h>
#include "select_util.h"

#define WAIT_FLAGS (KCHAN_NONBLOCK | KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME)
#define KNOWN_FLAGS (WAIT_FLAGS | KCHAN_IN_ORDER | KCHAN_READY)

/* Room for a longer struct than this kernel's. */
union long_select {
	struct kchan_select select;
	__u8 bytes[2 * PAGE];
};

union long_case {
	struct kchan_case one;
	__u8 bytes[2 * PAGE];
};

FIXTURE(select_bad_input) {
	int dev;
	int chan;		/* holds one message, 77, and has room for one */
	int receiver, sender;	/* handles to it with one right */
	struct kchan_stat before;
	int next_fd;
	__u64 value;
	struct kchan_case good;	/* a receive that is ready */
	union long_select *args;
	__u8 *page;		/* the last before an unmapped one */
};

FIXTURE_SETUP(select_bad_input)
{
	self->dev = open_device();
	self->chan = make_chan(8, 2);
	self->receiver = restrict_to(self->chan, KCHAN_RIGHT_RECV);
	self->sender = restrict_to(self->chan, KCHAN_RIGHT_SEND);
	ASSERT_EQ(0, send64(self->chan, 77));
	self->value = POISON;
	self->good = on_recv64(self->chan, &self->value);
	self->args = calloc(1, sizeof(*self->args));
	self->page = page_before_hole();
	self->before = chan_stat(self->chan);
	any_device();
	self->next_fd = lowest_free_fd();
}

/* Whatever a test did, the channel is as it was, and no fd was used up. */
FIXTURE_TEARDOWN(select_bad_input)
{
	EXPECT_EQ(self->next_fd, lowest_free_fd());
	EXPECT_EQ(POISON, self->value);
	EXPECT_EQ(true, same_stat(self->before, self->chan));
	EXPECT_EQ(1, try_recv64(self->chan, &self->value));
	EXPECT_EQ(77, self->value);
}

/* A good select of one ready case; tests break one thing in it. */
static struct kchan_select *fill_good(FIXTURE_DATA(select_bad_input) *self)
{
	memset(self->args, 0, sizeof(*self->args));
	self->args->select = (struct kchan_select){
		.size = sizeof(struct kchan_select),
		.cases = (uintptr_t)&self->good,
		.nr = 1,
		.case_size = sizeof(struct kchan_case),
	};
	return &self->args->select;
}

/* The error, which is the same whomever one asks. */
static int call(FIXTURE_DATA(select_bad_input) *self, void *arg)
{
	int on_device = kchan_call(self->dev, KCHAN_SELECT, arg);
	int on_object = kchan_call(self->sender, KCHAN_SELECT, arg);

	return on_device == on_object ? on_device : -EILSEQ;
}

/* It works; what it did is undone. */
static void expect_good(struct __test_metadata *_metadata, FIXTURE_DATA(select_bad_input) *self,
			void *arg)
{
	EXPECT_EQ(1 << KCHAN_OUTCOME_SHIFT, kchan_call(self->dev, KCHAN_SELECT, arg));
	EXPECT_EQ(77, self->value);
	self->value = POISON;
	must(!send64(self->chan, 77));
}

TEST_F(select_bad_input, good_input_is_good)
{
	expect_good(_metadata, self, fill_good(self));
	EXPECT_EQ(1 << KCHAN_OUTCOME_SHIFT, kchan_call(self->sender, KCHAN_SELECT,
						       fill_good(self)));
	self->value = POISON;
	must(!send64(self->chan, 77));
}

/* ---- the struct ---- */

TEST_F(select_bad_input, sizes)
{
	const __u32 size = sizeof(struct kchan_select);
	struct kchan_select *s = fill_good(self);

	for (__u32 n = 0; n < size; n++) {
		s->size = n;
		EXPECT_EQ(-EINVAL, call(self, s));
	}
	for (__u32 n = size; n <= PAGE; n++) {
		fill_good(self)->size = n;
		expect_good(_metadata, self, s);
		if (n > size) {
			self->args->bytes[n - 1] = 1;
			EXPECT_EQ(-E2BIG, call(self, s));
		}
	}
	fill_good(self)->size = PAGE + 1;
	EXPECT_EQ(-E2BIG, call(self, s));
	s->size = UINT_MAX;
	EXPECT_EQ(-E2BIG, call(self, s));
}

TEST_F(select_bad_input, flags)
{
	struct kchan_select *s = fill_good(self);

	for (int bit = 0; bit < 32; bit++) {
		s->flags = 1u << bit;
		if (!(s->flags & KNOWN_FLAGS)) {
			EXPECT_EQ(-EINVAL, call(self, s)) TH_LOG("bit %d", bit);
			s->flags |= KCHAN_NONBLOCK;
			EXPECT_EQ(-EINVAL, call(self, s)) TH_LOG("bit %d", bit);
		}
	}
	s->flags = KCHAN_CHILD;
	EXPECT_EQ(-EINVAL, call(self, s));
}

TEST_F(select_bad_input, deadlines)
{
	const struct {
		__u32 flags;
		__s64 deadline;
	} bad[] = {
		{ KCHAN_DEADLINE, -1 },
		{ KCHAN_DEADLINE, LLONG_MIN },
		{ KCHAN_DEADLINE | KCHAN_NONBLOCK, -1 },
		{ KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME, 1 },
		{ 0, 1 },
		{ KCHAN_IN_ORDER, -1 },
		{ KCHAN_NONBLOCK, 1 },
		{ KCHAN_CLOCK_REALTIME, 0 },
		{ KCHAN_CLOCK_BOOTTIME | KCHAN_READY, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct kchan_select *s = fill_good(self);

		s->flags = bad[i].flags;
		s->deadline = bad[i].deadline;
		EXPECT_EQ(-EINVAL, call(self, s)) TH_LOG("row %zu", i);
	}
}

TEST_F(select_bad_input, struct_elsewhere)
{
	struct kchan_select *good = fill_good(self);
	const size_t size = sizeof(*good);
	__u8 *read_only;

	EXPECT_EQ(-EFAULT, call(self, NULL));
	EXPECT_EQ(-EFAULT, call(self, self->page + PAGE));
	for (size_t n = 1; n < size; n += 3) {
		__u8 *at = self->page + PAGE - n;

		memcpy(at, good, n);
		EXPECT_EQ(-EFAULT, call(self, at)) TH_LOG("%zu bytes of it", n);
	}
	memcpy(self->page + PAGE - size, good, size);
	expect_good(_metadata, self, self->page + PAGE - size);
	/* Its value is given out. */
	read_only = self->page + PAGE - size;
	must(!mprotect(self->page, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, call(self, read_only));
}

/* ---- the array ---- */

TEST_F(select_bad_input, array_elsewhere)
{
	const size_t size = sizeof(struct kchan_case);
	struct kchan_select *s = fill_good(self);
	const __u64 bad[] = {
		0, (uintptr_t)(self->page + PAGE), (uintptr_t)(self->page + PAGE - 1),
		(uintptr_t)(self->page + PAGE - size + 1), 1ull << 63, -(__u64)size, -1ull,
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		s->cases = bad[i];
		EXPECT_EQ(-EFAULT, call(self, s)) TH_LOG("address %zu", i);
	}
	/* The first case is there, and ready; the second is not. */
	memcpy(self->page + PAGE - size, &self->good, size);
	s->cases = (uintptr_t)(self->page + PAGE - size);
	s->nr = 2;
	EXPECT_EQ(-EFAULT, call(self, s));
	s->nr = KCHAN_MAX_CASES;
	EXPECT_EQ(-EFAULT, call(self, s));
	s->nr = 1;
	expect_good(_metadata, self, s);
}

TEST_F(select_bad_input, too_many)
{
	static const __u32 bad[] = { KCHAN_MAX_CASES + 1, 1u << 16, 1u << 31, UINT_MAX };
	struct kchan_select *s = fill_good(self);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		s->nr = bad[i];
		EXPECT_EQ(-E2BIG, call(self, s));
	}
}

/* Cases as a later version could make them: longer, with a tail that must be zero. */
TEST_F(select_bad_input, case_sizes)
{
	const __u32 size = sizeof(struct kchan_case), some[] = { 1, 7, 8, 32, 100, PAGE - size };
	struct kchan_select *s = fill_good(self);
	struct kchan_case nobody = on_recv64(NO_CHAN, &self->value);
	union long_case *cases = calloc(2, sizeof(*cases));

	for (__u32 n = 0; n < size; n++) {
		s->case_size = n;
		EXPECT_EQ(-EINVAL, call(self, s)) TH_LOG("%u", n);
	}
	s->cases = (uintptr_t)cases;
	s->nr = 2;
	for (size_t i = 0; i < ARRAY_LEN(some); i++) {
		__u32 n = size + some[i];

		memset(cases, 0, 2 * sizeof(*cases));
		cases[0].one = self->good;
		memcpy(cases->bytes + n, &nobody, size);
		s->case_size = n;
		expect_good(_metadata, self, s);
		cases->bytes[n + size] = 1;
		EXPECT_EQ(-E2BIG, call(self, s)) TH_LOG("tail of %u", some[i]);
		cases->bytes[n + size] = 0;
		cases->bytes[2 * n - 1] = 1;
		EXPECT_EQ(-E2BIG, call(self, s)) TH_LOG("tail of %u", some[i]);
	}
	s->case_size = UINT_MAX;
	EXPECT_EQ(-E2BIG, call(self, s));
	free(cases);
}

/* ---- a case ---- */

/* The good case stands first and last: it is ready, and yet not done. */
static void expect_case_fails(struct __test_metadata *_metadata,
			      FIXTURE_DATA(select_bad_input) *self, struct kchan_case bad,
			      int error)
{
	static const __u32 flags[] = { 0, KCHAN_IN_ORDER, KCHAN_NONBLOCK, KCHAN_READY };

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		EXPECT_FAILED(error, kchan_select(CASES(bad), flags[i], 0));
		EXPECT_FAILED(error, kchan_select(CASES(self->good, bad), flags[i], 0));
		EXPECT_FAILED(error, kchan_select(CASES(bad, self->good), flags[i], 0));
		EXPECT_FAILED(error, kchan_select(CASES(self->good, self->good, self->good,
							self->good, self->good, self->good,
							self->good, self->good, self->good, bad),
						  flags[i], 0));
	}
}

TEST_F(select_bad_input, fds)
{
	int pipes[2], others[5];

	ASSERT_EQ(0, pipe(pipes));
	others[0] = pipes[0];
	others[1] = pipes[1];
	others[2] = eventfd(0, 0);
	others[3] = open("/dev/null", O_RDWR);
	others[4] = open("/dev/kchan", O_PATH | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		ASSERT_LE(0, others[i]);
		expect_case_fails(_metadata, self, on_recv64(others[i], &self->value), EBADF);
		expect_case_fails(_metadata, self, on_send64(others[i], &self->value), EBADF);
		close(others[i]);
	}
	/* Nothing is open there. */
	expect_case_fails(_metadata, self, on_recv64(self->next_fd + 100, &self->value), EBADF);
	expect_case_fails(_metadata, self, on_recv64(INT_MAX, &self->value), EBADF);
	/* The device makes objects; it is none. */
	expect_case_fails(_metadata, self, on_recv64(self->dev, &self->value), EBADF);
}

TEST_F(select_bad_input, rights)
{
	expect_case_fails(_metadata, self, on_send64(self->receiver, &self->value), EBADF);
	expect_case_fails(_metadata, self, on_recv64(self->sender, &self->value), EBADF);
}

TEST_F(select_bad_input, lengths)
{
	static const __u32 bad[] = { 0, 1, 7, 9, 16, UINT_MAX };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		expect_case_fails(_metadata, self, on_recv(self->chan, &self->value, bad[i]),
				  EMSGSIZE);
		expect_case_fails(_metadata, self, on_send(self->chan, &self->value, bad[i]),
				  EMSGSIZE);
	}
}

/* None at all, unknown ones, those of other kinds, and one that no select has. */
TEST_F(select_bad_input, operations)
{
	for (__u32 op = 0; op < 64; op++) {
		struct kchan_case c = self->good;

		if (op == KCHAN_OP_SEND || op == KCHAN_OP_RECV)
			continue;
		c.op = op;
		expect_case_fails(_metadata, self, c, EINVAL);
		c.op = op << 8 | KCHAN_OP_RECV;
		if (op)
			expect_case_fails(_metadata, self, c, EINVAL);
	}
}

TEST_F(select_bad_input, fields_that_an_operation_does_not_need)
{
	for (int bit = 0; bit < 96; bit++) {
		for (int sends = 0; sends < 2; sends++) {
			struct kchan_case c = self->good;

			c.op = sends ? KCHAN_OP_SEND : KCHAN_OP_RECV;
			if (bit < 32)
				c.index = 1u << bit;
			else
				c.arg = 1ull << (bit - 32);
			expect_case_fails(_metadata, self, c, EINVAL);
		}
	}
}

/* Which error comes first: struct, number of cases, then case by case. */
TEST_F(select_bad_input, order_of_checks)
{
	struct kchan_case wrong_right = on_send64(self->receiver, &self->value);
	struct kchan_case wrong_length = on_recv(self->chan, &self->value, 7);
	struct kchan_case wrong_op = on_op(self->chan, KCHAN_OP_LOCK, 0);
	struct kchan_select *s = fill_good(self);

	EXPECT_FAILED(EBADF, select_of(wrong_right, wrong_length, wrong_op));
	EXPECT_FAILED(EMSGSIZE, select_of(wrong_length, wrong_right, wrong_op));
	EXPECT_FAILED(EINVAL, select_of(self->good, wrong_op, wrong_right));
	/* Within one case: operation, right, length. */
	wrong_right.len = 7;
	EXPECT_FAILED(EBADF, select_of(wrong_right));
	wrong_right.index = 1;
	EXPECT_FAILED(EINVAL, select_of(wrong_right));
	/* The struct before its cases, and all cases before the state. */
	s->cases = (uintptr_t)&wrong_right;
	s->flags = 1u << 31;
	EXPECT_EQ(-EINVAL, call(self, s));
	s->flags = 0;
	s->nr = KCHAN_MAX_CASES + 1;
	EXPECT_EQ(-E2BIG, call(self, s));
}

/* What one case lacks does not show in what the others had ready. */
TEST_F(select_bad_input, closed_is_no_excuse)
{
	int ended = make_chan(8, 0);

	must(!chan_close(ended));
	EXPECT_FAILED(EMSGSIZE, select_of(on_send64(ended, &self->value),
					  on_send(ended, &self->value, 7)));
	close(ended);
}

/* Files that know no select. */
TEST_F(select_bad_input, asked_of_another_file)
{
	int fd = open("/dev/null", O_RDWR), event = eventfd(0, 0);

	EXPECT_EQ(-ENOTTY, kchan_call(fd, KCHAN_SELECT, fill_good(self)));
	EXPECT_EQ(-ENOTTY, kchan_call(event, KCHAN_SELECT, fill_good(self)));
	EXPECT_EQ(-EBADF, kchan_call(-1, KCHAN_SELECT, fill_good(self)));
	close(fd);
	close(event);
}

/* So that a 32-bit program also takes the paths on which selects block. */
TEST_F(select_bad_input, blocking_selects_work)
{
	struct one_select *s = new_select();
	int c = make_chan(8, 0), d = make_chan(8, 0);
	struct task *t;
	__u64 v;

	with_send(s, c, 0x123456789abcdef0);
	with_recv(s, d);
	t = start_select(PROCESS, s);
	wait_waiting(c, 1, 0);
	wait_waiting(d, 0, 1);
	EXPECT_CHOSE(1, 1, select_of(on_send64(NO_CHAN, &v), on_recv64(c, &v)));
	EXPECT_EQ(0x123456789abcdef0, v);
	EXPECT_EQ(0, task_join(t));
	EXPECT_CHOSE(0, 0, s->chosen);
	EXPECT_FAILED(ETIMEDOUT, kchan_select(s->cases, s->nr, KCHAN_DEADLINE, in_ms(1)));
	close(c);
	close(d);
}

/* In a program with threads, where a call holds the handles that it looks up. */
TEST_F(select_bad_input, refused_case_holds_no_handle)
{
	int c = make_chan(8, 0), sender = restrict_to(c, KCHAN_RIGHT_SEND);
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	struct one_value one = { .fd = make_chan(8, 0) };
	struct task *t = task_start(THREAD, recv_one, &one);
	__u64 v = 0;

	close(c);
	wait_waiting(one.fd, 0, 1);
	EXPECT_FAILED(EMSGSIZE, select_of(on_send(sender, &v, 7)));
	EXPECT_FAILED(EINVAL, select_of(on_op(sender, KCHAN_OP_ZERO, 0)));
	EXPECT_FAILED(EBADF, select_of(on_recv64(sender, &v)));
	close(sender);
	EXPECT_EQ(0, try_recv64(receiver, &v));
	EXPECT_EQ(0, send64(one.fd, 1));
	EXPECT_EQ(0, task_join(t));
	close(receiver);
	close(one.fd);
}

TEST_HARNESS_MAIN
