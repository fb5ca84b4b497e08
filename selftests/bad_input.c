// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every wrong size, flag, reserved field, pointer, length, right and kind of
 * file has its documented errno, and changes nothing.  Built a second time as
 * a 32-bit program, which has to see the same.
 */
#include <stddef.h>
#include <sys/eventfd.h>
#include <kselftest_harness.h>
#include "kchan_util.h"

#define NO_FIELD -1
#define WAIT_FLAGS (KCHAN_NONBLOCK | KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME)

/* A struct to hand to the kernel, with room for what a longer one would hold. */
union args {
	__u32 size;
	struct kchan_features features;
	struct kchan_create_chan create;
	struct kchan_stat stat;
	struct kchan_restrict restrict_;
	struct kchan_msg msg;
	struct kchan_batch batch;
	struct kchan_call call;
	struct kchan_create any;
	struct kchan_wait wait;
	struct kchan_arg arg;
	struct kchan_timer timer;
	struct kchan_watch watch;
	__u8 bytes[2 * PAGE];
};

/* One row a call: enough to break each of its fields in turn. */
static const struct call {
	const char *name;
	unsigned int cmd;
	bool on_device;
	bool gives_out;		/* the kernel writes the struct, and does not read it */
	bool gives_fd;
	__u32 size;
	int good;		/* what a good call returns, unless it gives an fd */
	int flags;		/* offset of the field, or NO_FIELD */
	__u32 known_flags;
	int reserved;		/* likewise */
} calls[] = {
	{
		"KCHAN_FEATURES", KCHAN_FEATURES, true, true, false,
		sizeof(struct kchan_features), 0, NO_FIELD, 0, NO_FIELD,
	}, {
		"KCHAN_CREATE_CHAN", KCHAN_CREATE_CHAN, true, false, true,
		sizeof(struct kchan_create_chan), 0,
		offsetof(struct kchan_create_chan, flags), KCHAN_NONBLOCK | KCHAN_STAMPED,
		NO_FIELD,
	}, {
		"KCHAN_STAT", KCHAN_STAT, false, true, false,
		sizeof(struct kchan_stat), 0, NO_FIELD, 0, NO_FIELD,
	}, {
		"KCHAN_RESTRICT", KCHAN_RESTRICT, false, false, true,
		sizeof(struct kchan_restrict), 0,
		offsetof(struct kchan_restrict, flags), KCHAN_NONBLOCK,
		offsetof(struct kchan_restrict, reserved),
	}, {
		"KCHAN_WATCH", KCHAN_WATCH, false, false, false,
		sizeof(struct kchan_watch), 0,
		offsetof(struct kchan_watch, flags), 0, NO_FIELD,
	}, {
		"KCHAN_CLOSE_WITH", KCHAN_CLOSE_WITH, false, false, false,
		sizeof(struct kchan_arg), 0,
		offsetof(struct kchan_arg, flags), 0, NO_FIELD,
	}, {
		"KCHAN_SEND", KCHAN_SEND, false, false, false,
		sizeof(struct kchan_msg), 0,
		offsetof(struct kchan_msg, flags), WAIT_FLAGS,
		offsetof(struct kchan_msg, reserved),
	}, {
		"KCHAN_RECV", KCHAN_RECV, false, false, false,
		sizeof(struct kchan_msg), 1,
		offsetof(struct kchan_msg, flags), WAIT_FLAGS,
		offsetof(struct kchan_msg, reserved),
	}, {
		"KCHAN_CREATE", KCHAN_CREATE, true, false, true,
		sizeof(struct kchan_create), 0,
		offsetof(struct kchan_create, flags), KCHAN_NONBLOCK, NO_FIELD,
	}, {
		"KCHAN_WAIT", KCHAN_WAIT, false, false, false,
		sizeof(struct kchan_wait), 0,
		offsetof(struct kchan_wait, flags), WAIT_FLAGS,
		offsetof(struct kchan_wait, index),	/* this operation has none */
	}, {
		/* For all calls with this struct. */
		"KCHAN_DONE", KCHAN_DONE, false, false, false,
		sizeof(struct kchan_arg), 0,
		offsetof(struct kchan_arg, flags), 0, NO_FIELD,
	}, {
		"KCHAN_TIMER", KCHAN_TIMER, false, false, false,
		sizeof(struct kchan_timer), 0,
		offsetof(struct kchan_timer, flags),
		WAIT_FLAGS & ~KCHAN_NONBLOCK, NO_FIELD,
	}, {
		"KCHAN_SEND_BATCH", KCHAN_SEND_BATCH, false, false, false,
		sizeof(struct kchan_batch), 1,
		offsetof(struct kchan_batch, flags), WAIT_FLAGS | KCHAN_VECTOR,
		offsetof(struct kchan_batch, reserved),
	}, {
		"KCHAN_RECV_BATCH", KCHAN_RECV_BATCH, false, false, false,
		sizeof(struct kchan_batch), 1,
		offsetof(struct kchan_batch, flags), WAIT_FLAGS | KCHAN_VECTOR,
		offsetof(struct kchan_batch, reserved),
	}, {
		/* Of its answer: call.c, for by then the request is sent. */
		"KCHAN_CALL", KCHAN_CALL, false, false, false,
		sizeof(struct kchan_call), 1,
		offsetof(struct kchan_call, flags), WAIT_FLAGS, NO_FIELD,
	},
};

/* What else those have that move messages. */
static const struct message_fields {
	unsigned int cmd;
	int buf, len, deadline;
} message_fields[] = {
#define FIELDS(cmd, type, buf, len) \
	{ cmd, offsetof(struct type, buf), offsetof(struct type, len), \
	  offsetof(struct type, deadline) }
	FIELDS(KCHAN_SEND, kchan_msg, buf, len),
	FIELDS(KCHAN_RECV, kchan_msg, buf, len),
	FIELDS(KCHAN_SEND_BATCH, kchan_batch, buf, len),
	FIELDS(KCHAN_RECV_BATCH, kchan_batch, buf, len),
	FIELDS(KCHAN_CALL, kchan_call, request, request_len),
#undef FIELDS
};

static const struct message_fields *fields_of(const struct call *c)
{
	for (size_t i = 0; i < ARRAY_LEN(message_fields); i++)
		if (message_fields[i].cmd == c->cmd)
			return &message_fields[i];
	return NULL;
}

#define for_each_call(c) for (const struct call *c = calls; c < calls + ARRAY_LEN(calls); c++)

FIXTURE(bad_input) {
	int dev;
	int chan;		/* holds one message, 77, and has room for one */
	struct kchan_stat before;
	int group;		/* two units of it are taken */
	int timer;		/* never set */
	int closing;		/* a channel that good calls close; a new one each time */
	int next_fd;
	__u64 value;		/* where good calls send from and receive to */
	__u64 answer;		/* of KCHAN_CALL */
	union args *args;
	__u8 *page;		/* the last before an unmapped one */
};

FIXTURE_SETUP(bad_input)
{
	self->dev = open_device();
	self->chan = make_chan(8, 2);
	ASSERT_EQ(0, send64(self->chan, 77));
	self->group = make_object(KCHAN_KIND_WAITGROUP, 0);
	ASSERT_EQ(0, kchan_add(self->group, 2));
	self->timer = make_object(KCHAN_KIND_TIMER, 0);
	self->closing = make_chan(8, 1);
	self->args = malloc(sizeof(*self->args));
	self->page = page_before_hole();
	self->before = chan_stat(self->chan);
	self->next_fd = lowest_free_fd();
}

/* Whatever a test did, all objects are as they were, and no fd was used up. */
FIXTURE_TEARDOWN(bad_input)
{
	__u64 v;

	EXPECT_EQ(self->next_fd, lowest_free_fd());
	EXPECT_EQ(true, same_stat(self->before, self->chan));
	EXPECT_EQ(1, try_recv64(self->chan, &v));
	EXPECT_EQ(77, v);
	EXPECT_EQ(2, chan_stat(self->group).length);
	EXPECT_EQ(0, chan_stat(self->timer).state);
}

/* Not closed yet, and has the same number. */
static int renew_closing(FIXTURE_DATA(bad_input) *self)
{
	int c = make_chan(8, 1);

	must(dup3(c, self->closing, O_CLOEXEC) == self->closing);
	close(c);
	return self->closing;
}

static int call_fd(FIXTURE_DATA(bad_input) *self, const struct call *c)
{
	if (c->on_device)
		return self->dev;
	switch (c->cmd) {
	case KCHAN_WAIT:
	case KCHAN_DONE:
		return self->group;
	case KCHAN_TIMER:
		return self->timer;
	case KCHAN_CLOSE_WITH:
		return renew_closing(self);
	default:
		return self->chan;
	}
}

/* Fills in a good call; for an output, poison. */
static void fill_good(FIXTURE_DATA(bad_input) *self, const struct call *c)
{
	union args *a = self->args;

	memset(a, c->gives_out ? 0xa5 : 0, sizeof(*a));
	self->value = 5;
	switch (c->cmd) {
	case KCHAN_CREATE_CHAN:
		a->create.elem_size = 8;
		break;
	case KCHAN_RESTRICT:
		a->restrict_.rights = KCHAN_RIGHT_RECV;
		break;
	case KCHAN_SEND:
	case KCHAN_RECV:
		a->msg.flags = KCHAN_NONBLOCK;
		a->msg.buf = (uintptr_t)&self->value;
		a->msg.len = 8;
		break;
	case KCHAN_SEND_BATCH:
	case KCHAN_RECV_BATCH:
		a->batch.flags = KCHAN_NONBLOCK;
		a->batch.buf = (uintptr_t)&self->value;
		a->batch.len = 8;
		a->batch.max = 1;
		break;
	case KCHAN_CALL:
		/* Both halves on one channel, which has room for one. */
		a->call = new_request(&self->value, 8, self->chan, &self->answer, 8);
		a->call.flags = KCHAN_NONBLOCK;
		self->answer = POISON;
		break;
	case KCHAN_CREATE:
		a->any.kind = KCHAN_KIND_MUTEX;
		break;
	case KCHAN_WAIT:
		a->wait.op = KCHAN_OP_ADD;
		a->wait.arg = 1;
		break;
	case KCHAN_WATCH:
		a->watch.fd = -1;
		a->watch.rights = BOTH_RIGHTS;
		break;
	case KCHAN_DONE:
	case KCHAN_CLOSE_WITH:
		a->arg.value = 1;
		break;
	case KCHAN_TIMER:
		a->timer.flags = KCHAN_DEADLINE;
		a->timer.deadline = LLONG_MAX - 1;
		break;
	}
	a->size = c->size;
}

/* Takes back what a good call did. */
static void undo_good(FIXTURE_DATA(bad_input) *self, const struct call *c, int ret)
{
	__u64 v;

	if (c->gives_fd)
		close(ret);
	switch (c->cmd) {
	case KCHAN_SEND:
	case KCHAN_SEND_BATCH:
		must(try_recv64(self->chan, &v) == 1 && v == 77 &&
		     try_recv64(self->chan, &v) == 1 && v == 5 && !send64(self->chan, 77));
		break;
	case KCHAN_RECV:
	case KCHAN_RECV_BATCH:
		must(self->value == 77 && !send64(self->chan, 77));
		break;
	case KCHAN_CALL:
		must(self->answer == 77 && try_recv64(self->chan, &v) == 1 && v == 5 &&
		     !send64(self->chan, 77));
		break;
	case KCHAN_WAIT:
		must(!kchan_done(self->group, 1));
		break;
	case KCHAN_DONE:
		must(!kchan_add(self->group, 1));
		break;
	case KCHAN_TIMER:
		must(set_timer(self->timer, 0, 0, 0) == 1);
		break;
	}
}

static void expect_good(struct __test_metadata *_metadata, FIXTURE_DATA(bad_input) *self,
			const struct call *c, void *arg)
{
	int ret = kchan_call(call_fd(self, c), c->cmd, arg);

	if (c->gives_fd) {
		EXPECT_LE(0, ret) TH_LOG("%s", c->name);
	} else {
		EXPECT_EQ(c->good, ret) TH_LOG("%s", c->name);
	}
	if (ret >= 0)
		undo_good(self, c, ret);
}

/* The call fails with that error, and writes neither its struct nor the value. */
static void expect_error(struct __test_metadata *_metadata, FIXTURE_DATA(bad_input) *self,
			 const struct call *c, int error)
{
	static union args copy;
	int ret;

	copy = *self->args;
	ret = kchan_call(call_fd(self, c), c->cmd, self->args);
	EXPECT_EQ(-error, ret) TH_LOG("%s", c->name);
	EXPECT_EQ(0, memcmp(&copy, self->args, sizeof(copy))) TH_LOG("%s", c->name);
	EXPECT_EQ(5, self->value) TH_LOG("%s", c->name);
	if (ret >= 0)
		undo_good(self, c, ret);
}

TEST_F(bad_input, good_calls_are_good)
{
	for_each_call(c) {
		fill_good(self, c);
		expect_good(_metadata, self, c, self->args);
	}
}

/* How long it was when it was new. */
static __u32 first_size(const struct call *c)
{
	switch (c->cmd) {
	case KCHAN_CREATE_CHAN:
		return 24;
	case KCHAN_STAT:
		return 56;
	case KCHAN_SEND:
	case KCHAN_RECV:
		return 32;
	default:
		return c->size;
	}
}

TEST_F(bad_input, struct_too_short)
{
	for_each_call(c) {
		const __u32 first = first_size(c);
		const __u32 sizes[] = { 0, 1, 4, first - 4, first - 1 };

		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			fill_good(self, c);
			self->args->size = sizes[i];
			expect_error(_metadata, self, c, EINVAL);
		}
	}
}

TEST_F(bad_input, struct_longer_with_zero_tail)
{
	for_each_call(c) {
		const __u32 sizes[] = { c->size + 1, c->size + 8, PAGE - 1, PAGE };

		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			fill_good(self, c);
			self->args->size = sizes[i];
			expect_good(_metadata, self, c, self->args);
		}
	}
}

/* What is given out ends in zeros, and just there. */
TEST_F(bad_input, output_longer_than_known)
{
	for_each_call(c) {
		__u8 *tail = self->args->bytes + c->size;

		if (!c->gives_out)
			continue;
		fill_good(self, c);
		self->args->size = c->size + 16;
		expect_good(_metadata, self, c, self->args);
		EXPECT_EQ(c->size + 16, self->args->size);
		for (int i = 0; i < 16; i++) {
			EXPECT_EQ(0, tail[i]);
		}
		EXPECT_EQ(0xa5, tail[16]);
	}
}

/* The first, the second and the third version's, and what is between them. */
TEST_F(bad_input, stat_of_every_length)
{
	const struct kchan_stat whole = chan_stat(self->chan);

	for (__u32 size = 56; size <= sizeof(whole); size += 4) {
		struct kchan_stat st;

		memset(&st, 0xa5, sizeof(st));
		st.size = size;
		EXPECT_EQ(0, kchan_call(self->chan, KCHAN_STAT, &st));
		EXPECT_EQ(size, st.size);
		EXPECT_EQ(0, memcmp((__u8 *)&whole + 4, (__u8 *)&st + 4, size - 4));
		for (__u32 i = size; i < sizeof(st); i++) {
			EXPECT_EQ(0xa5, ((__u8 *)&st)[i]);
		}
	}
}

TEST_F(bad_input, struct_longer_with_nonzero_tail)
{
	for_each_call(c) {
		if (c->gives_out)
			continue;
		for (__u32 i = 0; i < 16; i++) {
			fill_good(self, c);
			self->args->size = c->size + 16;
			self->args->bytes[c->size + i] = 1;
			expect_error(_metadata, self, c, E2BIG);
		}
		fill_good(self, c);
		self->args->size = PAGE;
		self->args->bytes[PAGE - 1] = 0x80;
		expect_error(_metadata, self, c, E2BIG);

		/* Beyond its size there may be anything. */
		self->args->size = PAGE - 1;
		expect_good(_metadata, self, c, self->args);
	}
}

TEST_F(bad_input, struct_longer_than_a_page)
{
	for_each_call(c) {
		const __u32 sizes[] = { PAGE + 1, 2 * PAGE, INT_MAX, 1u << 31, UINT_MAX };

		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			fill_good(self, c);
			self->args->size = sizes[i];
			expect_error(_metadata, self, c, E2BIG);
		}
	}
}

static __u32 *field(FIXTURE_DATA(bad_input) *self, int offset)
{
	return (__u32 *)(self->args->bytes + offset);
}

static __u64 *field64(FIXTURE_DATA(bad_input) *self, int offset)
{
	return (__u64 *)(self->args->bytes + offset);
}

TEST_F(bad_input, unknown_flags)
{
	for_each_call(c) {
		for (int bit = 0; c->flags != NO_FIELD && bit < 32; bit++) {
			if (c->known_flags & 1u << bit)
				continue;
			fill_good(self, c);
			*field(self, c->flags) |= 1u << bit;
			expect_error(_metadata, self, c, EINVAL);
		}
	}
}

TEST_F(bad_input, reserved_fields)
{
	for_each_call(c) {
		for (int bit = 0; c->reserved != NO_FIELD && bit < 32; bit++) {
			fill_good(self, c);
			*field(self, c->reserved) |= 1u << bit;
			expect_error(_metadata, self, c, EINVAL);
		}
	}
}

static void *map_page_without_access(void)
{
	void *page = map_pages(1);

	must(!mprotect(page, PAGE, PROT_NONE));
	return page;
}

/* A page of a file that has not got that page: touching it would be SIGBUS. */
static void *map_beyond_end_of_file(void)
{
	FILE *f = tmpfile();
	void *p;

	must(f);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(f), 0);
	must(p != MAP_FAILED);
	fclose(f);
	return p;
}

TEST_F(bad_input, struct_pointers)
{
	void *const bad[] = {
		NULL,
		(void *)1,
		(void *)-1l,
		(void *)-4096l,
		self->page + PAGE,
		self->page + PAGE - 2,
		map_page_without_access(),
		map_beyond_end_of_file(),
#if __SIZEOF_POINTER__ == 8
		(void *)(1ul << 47),		/* the first beyond user space */
		(void *)0x800000000000dead,	/* no address at all */
		(void *)0xffff888000000000,	/* the kernel's */
		(void *)0xffffffff81000000,
#endif
	};

	for_each_call(c) {
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			EXPECT_EQ(-EFAULT, kchan_call(call_fd(self, c), c->cmd, bad[i]))
				TH_LOG("%s of pointer %zu", c->name, i);
		}
	}
}

TEST_F(bad_input, struct_at_the_end_of_memory)
{
	for_each_call(c) {
		/* Its last byte is missing. */
		fill_good(self, c);
		memcpy(self->page + PAGE - c->size + 1, self->args, c->size - 1);
		EXPECT_EQ(-EFAULT, kchan_call(call_fd(self, c), c->cmd,
					      self->page + PAGE - c->size + 1))
			TH_LOG("%s", c->name);

		/* Just all of it. */
		memcpy(self->page + PAGE - c->size, self->args, c->size);
		expect_good(_metadata, self, c, self->page + PAGE - c->size);

		/* All of it is there, but not what it claims to have beyond. */
		self->args->size = c->size + 1;
		memcpy(self->page + PAGE - c->size, self->args, c->size);
		EXPECT_EQ(-EFAULT, kchan_call(call_fd(self, c), c->cmd,
					      self->page + PAGE - c->size))
			TH_LOG("%s", c->name);
	}
}

TEST_F(bad_input, struct_in_readonly_memory)
{
	for_each_call(c) {
		void *page = map_pages(1);

		fill_good(self, c);
		memcpy(page, self->args, c->size);
		ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ));
		/* What gives out a value does nothing if it cannot. */
		if (c->gives_out || c->cmd == KCHAN_WAIT || c->cmd == KCHAN_CALL) {
			EXPECT_EQ(-EFAULT, kchan_call(call_fd(self, c), c->cmd, page));
		} else {
			expect_good(_metadata, self, c, page);
		}
	}
}

TEST_F(bad_input, message_pointers)
{
	const __u64 bad[] = {
		0,
		1,
		(uintptr_t)self->page + PAGE,
		(uintptr_t)self->page + PAGE - 1,
		(uintptr_t)self->page + PAGE - 7,
		(uintptr_t)map_page_without_access(),
		(uintptr_t)map_beyond_end_of_file(),
		1ull << 47,
		0x800000000000dead,
		0xffff888000000000,
		0xffffffff81000000,
		-1ull,
		-8ull,
		/* The low half of a good one: a 32-bit program gets no more. */
		(uintptr_t)&self->value | 1ull << 62,
	};

	for_each_call(c) {
		const struct message_fields *f = fields_of(c);

		if (!f)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			fill_good(self, c);
			*field64(self, f->buf) = bad[i];
			expect_error(_metadata, self, c, EFAULT);
			/* Ready calls that may wait see the same. */
			*field(self, c->flags) = 0;
			expect_error(_metadata, self, c, EFAULT);
		}
	}
}

TEST_F(bad_input, message_lengths)
{
	const __u32 bad[] = { 0, 1, 7, 9, 16, PAGE, INT_MAX, 1u << 31, UINT_MAX };

	for_each_call(c) {
		const struct message_fields *f = fields_of(c);

		if (!f)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			fill_good(self, c);
			*field(self, f->len) = bad[i];
			expect_error(_metadata, self, c, EMSGSIZE);
		}
	}
}

TEST_F(bad_input, deadlines)
{
	static const struct {
		__u32 flags;
		__s64 deadline;
	} bad[] = {
		{ KCHAN_DEADLINE, -1 },
		{ KCHAN_DEADLINE, LLONG_MIN },
		{ KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME, -1 },
		{ KCHAN_DEADLINE | KCHAN_CLOCK_BOOTTIME, LLONG_MIN },
		{ KCHAN_DEADLINE | KCHAN_NONBLOCK, -1 },
		{ KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME, 1 },
		{ 0, 1 },
		{ 0, -1 },
		{ KCHAN_NONBLOCK, 1 },
		{ KCHAN_CLOCK_REALTIME, 0 },
		{ KCHAN_CLOCK_BOOTTIME, 0 },
		{ KCHAN_CLOCK_REALTIME, 1 },
	};

	for_each_call(c) {
		const struct message_fields *f = fields_of(c);

		if (!f)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			fill_good(self, c);
			*field(self, c->flags) = bad[i].flags;
			*field64(self, f->deadline) = bad[i].deadline;
			expect_error(_metadata, self, c, EINVAL);
		}
	}
}

TEST_F(bad_input, sizes_and_capacities)
{
	static const struct {
		__u32 elem_size;
		__u64 capacity;
		int error;
	} bad[] = {
		{ KCHAN_MAX_ELEM_SIZE + 1, 1, EINVAL },
		{ UINT_MAX, 1, EINVAL },
		{ 8, KCHAN_MAX_CAPACITY + 1, EINVAL },
		{ 8, 1ull << 32, EINVAL },	/* 0 in its low half */
		{ 8, 1ull << 61, EINVAL },	/* times 8: 0 */
		{ 8, ULLONG_MAX, EINVAL },
		{ KCHAN_MAX_ELEM_SIZE, 1u << 16, ENOMEM },	/* 1 << 32 bytes */
		{ KCHAN_MAX_ELEM_SIZE, KCHAN_MAX_CAPACITY, ENOMEM },
	};
	const struct call *create = &calls[1];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		fill_good(self, create);
		self->args->create.elem_size = bad[i].elem_size;
		self->args->create.capacity = bad[i].capacity;
		expect_error(_metadata, self, create, bad[i].error);
	}
}

/* The reserved field of the first version; without a buffer none but 0 makes sense. */
TEST_F(bad_input, policies)
{
	const struct call *create = &calls[1];

	for (int bit = 0; bit < 32; bit++) {
		fill_good(self, create);
		self->args->create.policy = 1u << bit;
		expect_error(_metadata, self, create, EINVAL);
		self->args->create.capacity = 1;
		self->args->create.policy = KCHAN_POLICY_LATEST + (1u << bit);
		expect_error(_metadata, self, create, EINVAL);
	}
}

TEST_F(bad_input, rights_that_are_none)
{
	const struct call *restrict_call = &calls[3];

	fill_good(self, restrict_call);
	self->args->restrict_.rights = 0;
	expect_error(_metadata, self, restrict_call, EINVAL);
	for (int bit = 2; bit < 32; bit++) {
		self->args->restrict_.rights = KCHAN_RIGHT_RECV | 1u << bit;
		expect_error(_metadata, self, restrict_call, EINVAL);
	}
}

static int try_call64(int requests, int answers, __u64 *v)
{
	struct kchan_call call = new_request(v, 8, answers, v, 8);

	call.flags = KCHAN_NONBLOCK;
	return chan_call(requests, &call);
}

TEST_F(bad_input, missing_rights)
{
	int sender = restrict_to(self->chan, KCHAN_RIGHT_SEND);
	int receiver = restrict_to(self->chan, KCHAN_RIGHT_RECV);
	__u64 v = 1;

	EXPECT_EQ(-EBADF, try_recv64(sender, &v));
	EXPECT_EQ(POISON, v);
	EXPECT_EQ(-EBADF, try_send64(receiver, 1));
	EXPECT_EQ(-EBADF, try_recv_batch64(sender, &v, 1));
	EXPECT_EQ(-EBADF, try_send_batch64(receiver, &v, 1));
	EXPECT_EQ(-EBADF, try_call64(receiver, self->chan, &v));
	EXPECT_EQ(-EBADF, try_call64(self->chan, sender, &v));
	EXPECT_EQ(POISON, v);
	EXPECT_EQ(-EBADF, chan_close(receiver));
	EXPECT_EQ(-EBADF, try_restrict(sender, KCHAN_RIGHT_RECV, 0));
	EXPECT_EQ(-EBADF, try_restrict(sender, BOTH_RIGHTS, 0));
	EXPECT_EQ(-EBADF, try_restrict(receiver, KCHAN_RIGHT_SEND, 0));
	EXPECT_EQ(-EBADF, try_restrict(receiver, BOTH_RIGHTS, 0));
	EXPECT_EQ(-1, read(sender, &v, sizeof(v)));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, write(receiver, &v, sizeof(v)));
	EXPECT_EQ(EBADF, errno);
	close(sender);
	close(receiver);
}

/* Which error comes first: struct, right, length, state. */
TEST_F(bad_input, order_of_checks)
{
	int receiver = restrict_to(self->chan, KCHAN_RIGHT_RECV);
	int ended = make_chan(8, 1);
	__u64 v = 1;

	EXPECT_EQ(-EINVAL, chan_msg(receiver, KCHAN_SEND, &v, 7, 1u << 31, 0));
	EXPECT_EQ(-EBADF, chan_msg(receiver, KCHAN_SEND, &v, 7, 0, 0));
	EXPECT_EQ(0, chan_close(ended));
	EXPECT_EQ(-EMSGSIZE, chan_send(ended, &v, 7));
	EXPECT_EQ(-EMSGSIZE, chan_recv(ended, &v, 9));
	EXPECT_EQ(-EPIPE, chan_send(ended, &v, 8));
	EXPECT_EQ(1, v);
	close(receiver);
	close(ended);
}

TEST_F(bad_input, close_takes_no_argument)
{
	EXPECT_EQ(-EINVAL, kchan_call(self->chan, KCHAN_CLOSE, (void *)1));
	EXPECT_EQ(-EINVAL, kchan_call(self->chan, KCHAN_CLOSE, &self->value));
}

TEST_F(bad_input, handle_of_another_kind)
{
	int pipes[2], sockets[2];
	int others[6];

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	others[0] = pipes[0];
	others[1] = pipes[1];
	others[2] = sockets[0];
	others[3] = sockets[1];
	others[4] = eventfd(0, 0);
	others[5] = open("/dev/null", O_RDWR);
	for_each_call(c) {
		int fd = c->on_device ? self->chan : self->dev;

		fill_good(self, c);
		EXPECT_EQ(-ENOTTY, kchan_call(fd, c->cmd, self->args)) TH_LOG("%s", c->name);
		for (size_t i = 0; i < ARRAY_LEN(others); i++) {
			EXPECT_EQ(-ENOTTY, kchan_call(others[i], c->cmd, self->args))
				TH_LOG("%s on file %zu", c->name, i);
		}
		EXPECT_EQ(-EBADF, kchan_call(-1, c->cmd, self->args));
		EXPECT_EQ(-EBADF, kchan_call(self->next_fd + 100, c->cmd, self->args));
	}
	EXPECT_EQ(-ENOTTY, kchan_call(self->dev, KCHAN_CLOSE, NULL));
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		EXPECT_EQ(-ENOTTY, kchan_call(others[i], KCHAN_CLOSE, NULL));
		close(others[i]);
	}
}

/* A path-only descriptor gives no access at all. */
TEST_F(bad_input, o_path)
{
	int fd = open("/dev/kchan", O_PATH | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBADF, try_make_chan(fd, 8, 0, 0));
	close(fd);
}

static bool known_number(unsigned int cmd)
{
	for_each_call(c)
		if (c->cmd == cmd)
			return true;
	return cmd == KCHAN_CLOSE || cmd == KCHAN_SELECT;
}

TEST_F(bad_input, unknown_numbers)
{
	for (unsigned int nr = 0; nr < 256; nr++) {
		const unsigned int cmds[] = {
			_IO(KCHAN_IOC_MAGIC, nr),
			_IOC(_IOC_READ, KCHAN_IOC_MAGIC, nr, 8),
			_IOC(_IOC_WRITE, KCHAN_IOC_MAGIC, nr, 32),
			_IOC(_IOC_READ | _IOC_WRITE, KCHAN_IOC_MAGIC, nr, 56),
			_IO(KCHAN_IOC_MAGIC - 1, nr),
		};

		memset(self->args, 0, sizeof(*self->args));
		self->args->size = 64;
		for (size_t i = 0; i < ARRAY_LEN(cmds); i++) {
			if (known_number(cmds[i]))
				continue;
			EXPECT_EQ(-ENOTTY, kchan_call(self->dev, cmds[i], self->args));
			EXPECT_EQ(-ENOTTY, kchan_call(self->chan, cmds[i], self->args));
		}
	}
}

TEST_F(bad_input, read_and_write_lengths)
{
	__u64 v[2] = { POISON, POISON };

	for (size_t len = 0; len <= sizeof(v); len++) {
		if (len < 8) {
			EXPECT_EQ(-1, read(self->chan, v, len));
			EXPECT_EQ(EMSGSIZE, errno);
		}
		if (len != 8) {
			EXPECT_EQ(-1, write(self->chan, v, len));
			EXPECT_EQ(EMSGSIZE, errno);
		}
	}
	EXPECT_EQ(-1, read(self->chan, self->page + PAGE - 4, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, write(self->chan, self->page + PAGE - 4, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(POISON, v[0]);
}

TEST_F(bad_input, no_seeking)
{
	__u64 v = POISON;

	EXPECT_EQ(-1, lseek(self->chan, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pread(self->chan, &v, sizeof(v), 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pwrite(self->chan, &v, sizeof(v), 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, ftruncate(self->chan, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->chan, 0));
	EXPECT_EQ(POISON, v);
}

/* So that a 32-bit program also takes the paths on which calls block. */
TEST_F(bad_input, blocking_calls_work)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	int c = make_chan(8, 0);
	struct task *t;
	__u64 v;

	one->fd = c;
	one->value = 0x123456789abcdef0;
	t = task_start(PROCESS, send_one, one);
	wait_waiting(c, 1, 0);
	EXPECT_EQ(1, recv64(c, &v));
	EXPECT_EQ(0x123456789abcdef0, v);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, one->ret);
	EXPECT_EQ(-ETIMEDOUT, recv64_until(c, &v, in_ms(1)));
	EXPECT_EQ(POISON, v);
	close(c);
}

TEST_HARNESS_MAIN
