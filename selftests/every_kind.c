// SPDX-License-Identifier: GPL-2.0-only
/*
 * The habits that all kinds of object have beside waiting (every_wait.c): how
 * they are made, what they say of themselves, whose calls they take, and that
 * rights only shrink.  Each test runs once for each kind.
 */
#include <sys/epoll.h>
#include <kselftest_harness.h>
#include "kchan_util.h"

#define CALL(cmd)	(1ull << _IOC_NR(cmd))
#define OP(op)		(1u << (op))

/* What every object answers. */
#define COMMON_CALLS (CALL(KCHAN_STAT) | CALL(KCHAN_RESTRICT) | CALL(KCHAN_SELECT) | \
		      CALL(KCHAN_WAIT) | CALL(KCHAN_WATCH))

/* Of an operation that no object has. */
#define LAST_OP (KCHAN_OP_COND + 1)

FIXTURE(kind) {
	int fd;
};

FIXTURE_VARIANT(kind) {
	const char *name;
	__u32 kind;
	__u64 limit;		/* a good one */
	__u64 max_limit;	/* 0: has none */
	__u64 calls;		/* of its own */
	__u32 ops;
};

FIXTURE_VARIANT_ADD(kind, waitgroup) {
	"waitgroup", KCHAN_KIND_WAITGROUP, 5, KCHAN_MAX_COUNT,
	CALL(KCHAN_DONE) | CALL(KCHAN_TOKEN), OP(KCHAN_OP_ADD) | OP(KCHAN_OP_ZERO),
};

FIXTURE_VARIANT_ADD(kind, semaphore) {
	"semaphore", KCHAN_KIND_SEMAPHORE, 5, KCHAN_MAX_COUNT,
	CALL(KCHAN_DONE) | CALL(KCHAN_TOKEN), OP(KCHAN_OP_ADD) | OP(KCHAN_OP_ZERO),
};

FIXTURE_VARIANT_ADD(kind, token) {
	"token", KCHAN_KIND_TOKEN, 0, 0, CALL(KCHAN_DONE), 0,
};

FIXTURE_VARIANT_ADD(kind, mutex) {
	"mutex", KCHAN_KIND_MUTEX, 0, 0,
	CALL(KCHAN_UNLOCK) | CALL(KCHAN_CONSISTENT), OP(KCHAN_OP_LOCK),
};

FIXTURE_VARIANT_ADD(kind, rwmutex) {
	"rwmutex", KCHAN_KIND_RWMUTEX, 0, 0,
	CALL(KCHAN_UNLOCK) | CALL(KCHAN_CONSISTENT), OP(KCHAN_OP_LOCK) | OP(KCHAN_OP_RLOCK),
};

FIXTURE_VARIANT_ADD(kind, once) {
	"once", KCHAN_KIND_ONCE, 0, 0, CALL(KCHAN_UNLOCK) | CALL(KCHAN_DONE), OP(KCHAN_OP_LOCK),
};

FIXTURE_VARIANT_ADD(kind, cond) {
	"cond", KCHAN_KIND_COND, 0, 0, CALL(KCHAN_SIGNAL), OP(KCHAN_OP_COND),
};

FIXTURE_VARIANT_ADD(kind, timer) {
	"timer", KCHAN_KIND_TIMER, 0, 0, CALL(KCHAN_TIMER), OP(KCHAN_OP_TICK),
};

FIXTURE_VARIANT_ADD(kind, cells) {
	"cells", KCHAN_KIND_CELLS, 5, KCHAN_MAX_CELLS, CALL(KCHAN_SIGNAL), OP(KCHAN_OP_DIFFERS),
};

FIXTURE_VARIANT_ADD(kind, cancel) {
	"cancel", KCHAN_KIND_CANCEL, 0, 0, CALL(KCHAN_CANCEL), OP(KCHAN_OP_CANCELLED),
};

/* A token is made of a wait group, all others of the device. */
static int make_token(__u32 flags)
{
	int group = make_object(KCHAN_KIND_WAITGROUP, 0), token;

	must(!kchan_add(group, 2));
	token = made(kchan_arg_call(group, KCHAN_TOKEN, 2));
	close(group);
	if (flags)
		must(!fcntl(token, F_SETFL, O_NONBLOCK));
	return token;
}

static int make(const FIXTURE_VARIANT(kind) *v, __u32 flags)
{
	int dev, fd;

	if (v->kind == KCHAN_KIND_TOKEN)
		return make_token(flags);
	dev = open_device();
	fd = made(try_make_object(dev, v->kind, v->limit, flags));
	close(dev);
	return fd;
}

FIXTURE_SETUP(kind)
{
	self->fd = make(variant, 0);
}

FIXTURE_TEARDOWN(kind)
{
	close(self->fd);
}

/* ---- making ---- */

static int try_create(struct kchan_create arg)
{
	int dev = open_device(), fd;

	arg.size = sizeof(arg);
	fd = kchan_call(dev, KCHAN_CREATE, &arg);
	close(dev);
	return fd;
}

TEST_F(kind, limits)
{
	const __u64 bad[] = { variant->max_limit + 1, 1ull << 32, 1ull << 63, ULLONG_MAX };

	if (variant->kind == KCHAN_KIND_TOKEN)
		return;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, try_create((struct kchan_create){
			.kind = variant->kind, .limit = bad[i] }));
	}
	EXPECT_EQ(variant->limit, chan_stat(self->fd).capacity);
	if (variant->kind == KCHAN_KIND_SEMAPHORE || variant->kind == KCHAN_KIND_CELLS) {
		EXPECT_EQ(-EINVAL, try_create((struct kchan_create){ .kind = variant->kind }));
	}
	if (variant->max_limit) {
		int largest = make_object(variant->kind, variant->max_limit);

		EXPECT_EQ(variant->max_limit, chan_stat(largest).capacity);
		close(largest);
	}
}

TEST_F(kind, takes_nothing_that_it_does_not_know)
{
	const bool cancel = variant->kind == KCHAN_KIND_CANCEL;
	const struct kchan_create good = { .kind = variant->kind, .limit = variant->limit };
	struct kchan_create c;

	for (int bit = 0; bit < 32; bit++) {
		const __u32 flag = 1u << bit;

		/* A cancel's own flags have tests of their own. */
		if (flag == KCHAN_NONBLOCK || (cancel && flag == KCHAN_DEADLINE))
			continue;
		c = good;
		c.flags = flag;
		EXPECT_EQ(cancel && flag == KCHAN_CHILD ? -EBADF : -EINVAL, try_create(c))
			TH_LOG("flag %#x", flag);
	}
	c = good;
	c.parent = self->fd;
	EXPECT_EQ(-EINVAL, try_create(c));
	c.parent = -1;
	EXPECT_EQ(-EINVAL, try_create(c));
	c = good;
	c.deadline = 1;
	EXPECT_EQ(-EINVAL, try_create(c));
	c.deadline = -1;
	EXPECT_EQ(-EINVAL, try_create(c));
	if (!cancel) {
		c.deadline = 1;
		c.flags = KCHAN_DEADLINE;
		EXPECT_EQ(-EINVAL, try_create(c));
	}
}

TEST(kinds_that_are_not_made_like_this)
{
	const __u32 bad[] = { 0, KCHAN_KIND_CHAN, KCHAN_KIND_TOKEN, KCHAN_KIND_CANCEL + 1,
			      INT_MAX, UINT_MAX };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, try_create((struct kchan_create){ .kind = bad[i] }));
		EXPECT_EQ(-EINVAL, try_create((struct kchan_create){ .kind = bad[i], .limit = 1 }));
	}
}

TEST_F(kind, o_nonblock_from_birth)
{
	int fd = make(variant, KCHAN_NONBLOCK);

	EXPECT_EQ(0, fcntl(self->fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(O_NONBLOCK, fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
}

TEST_F(kind, close_on_exec_from_birth)
{
	int handle = restrict_to(self->fd, KCHAN_RIGHT_RECV);

	EXPECT_EQ(FD_CLOEXEC, fcntl(self->fd, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(handle, F_GETFD));
	close(handle);
}

/* ---- what it says of itself ---- */

TEST_F(kind, stat)
{
	int other = make(variant, 0), copy = dup(self->fd);
	struct kchan_stat st = chan_stat(self->fd);

	EXPECT_EQ(sizeof(st), st.size);
	EXPECT_EQ(variant->kind, st.kind);
	EXPECT_EQ(BOTH_RIGHTS, st.rights);
	EXPECT_EQ(0, st.elem_size);
	EXPECT_EQ(0, st.policy);
	EXPECT_EQ(0, st.dropped);
	EXPECT_EQ(0, st.state);
	EXPECT_EQ(0, st.value);
	EXPECT_EQ(variant->kind == KCHAN_KIND_TOKEN ? 2 : 0, st.length);
	EXPECT_EQ(true, waiting(self->fd, 0, 0));
	EXPECT_NE(0, st.id);
	EXPECT_NE(st.id, chan_stat(other).id);
	EXPECT_EQ(true, same_stat(st, copy));
	close(copy);
	close(other);
}

static const char *info(int fd, const char *key)
{
	return fdinfo(getpid(), fd, key);
}

TEST_F(kind, shows_itself_in_proc)
{
	int sender = restrict_to(self->fd, KCHAN_RIGHT_SEND);
	int receiver = restrict_to(self->fd, KCHAN_RIGHT_RECV);
	char id[32];

	snprintf(id, sizeof(id), "%llu", (unsigned long long)chan_stat(self->fd).id);
	EXPECT_STREQ(variant->name, info(self->fd, "kchan-kind"));
	EXPECT_STREQ(id, info(self->fd, "kchan-id"));
	EXPECT_STREQ("send,recv", info(self->fd, "kchan-rights"));
	EXPECT_STREQ("send", info(sender, "kchan-rights"));
	EXPECT_STREQ("recv", info(receiver, "kchan-rights"));
	EXPECT_STREQ(id, info(receiver, "kchan-id"));
	close(sender);
	close(receiver);
}

/* What a kind has to show beside that. */
TEST(numbers_in_proc)
{
	int group = make_object(KCHAN_KIND_WAITGROUP, 9), token;
	int rwmutex = make_object(KCHAN_KIND_RWMUTEX, 0), timer = make_object(KCHAN_KIND_TIMER, 0);
	int parent = make_cancel(-1), child = make_cancel(parent);

	EXPECT_STREQ("9", info(group, "kchan-limit"));
	ASSERT_EQ(0, kchan_add(group, 7));
	EXPECT_STREQ("7", info(group, "kchan-units"));
	token = made(kchan_arg_call(group, KCHAN_TOKEN, 3));
	EXPECT_STREQ("3", info(token, "kchan-units"));
	close(token);
	EXPECT_STREQ("4", info(group, "kchan-units"));
	EXPECT_STREQ("3", info(group, "kchan-abandoned"));
	ASSERT_EQ(0, kchan_rlock(rwmutex));
	EXPECT_STREQ("1", info(rwmutex, "kchan-readers"));
	ASSERT_EQ(0, set_timer(timer, KCHAN_DEADLINE, 0, 0));
	EXPECT_STREQ("1", info(timer, "kchan-ticks"));
	EXPECT_STREQ("20", info(make_object(KCHAN_KIND_CELLS, 20), "kchan-cells"));
	EXPECT_STREQ("1", info(parent, "kchan-children"));
	ASSERT_EQ(1, kchan_arg_call(child, KCHAN_CANCEL, 5));
	EXPECT_STREQ("0", info(parent, "kchan-children"));
	EXPECT_STREQ("5", info(child, "kchan-cause"));
}

static int lock_and_die(void *arg)
{
	CHECK(kchan_lock(*(int *)arg) == 0);
	raise(SIGKILL);
	return 0;
}

TEST(states_in_proc)
{
	int m = make_object(KCHAN_KIND_MUTEX, 0), once = make_object(KCHAN_KIND_ONCE, 0);
	int timer = make_object(KCHAN_KIND_TIMER, 0), cancel = make_cancel(-1);

	EXPECT_STREQ("open", info(m, "kchan-state"));
	task_join(task_start(PROCESS, lock_and_die, &m));
	EXPECT_STREQ("ownerdead", info(m, "kchan-state"));
	ASSERT_EQ(-EOWNERDEAD, kchan_lock(m));
	EXPECT_STREQ("locked,ownerdead", info(m, "kchan-state"));
	ASSERT_EQ(0, kchan_unlock(m));
	EXPECT_STREQ("ownerdead,notrecoverable", info(m, "kchan-state"));
	ASSERT_EQ(0, kchan_lock(once));
	EXPECT_STREQ("locked", info(once, "kchan-state"));
	ASSERT_EQ(0, kchan_done(once, 0));
	EXPECT_STREQ("done", info(once, "kchan-state"));
	ASSERT_EQ(0, set_timer(timer, KCHAN_DEADLINE, LLONG_MAX - 1, 0));
	EXPECT_STREQ("running", info(timer, "kchan-state"));
	ASSERT_EQ(1, kchan_arg_call(cancel, KCHAN_CANCEL, 0));
	EXPECT_STREQ("cancelled", info(cancel, "kchan-state"));
}

/* ---- rights ---- */

TEST_F(kind, rights_only_shrink)
{
	for (__u32 from = 1; from <= BOTH_RIGHTS; from++) {
		int handle = restrict_to(self->fd, from);

		for (__u32 to = 1; to <= BOTH_RIGHTS; to++) {
			int fd = try_restrict(handle, to, 0);

			if (to & ~from) {
				EXPECT_EQ(-EBADF, fd);
				continue;
			}
			ASSERT_LE(0, fd);
			EXPECT_EQ(to, chan_stat(fd).rights);
			EXPECT_EQ(chan_stat(self->fd).id, chan_stat(fd).id);
			close(fd);
		}
		EXPECT_EQ(-EINVAL, try_restrict(handle, 0, 0));
		EXPECT_EQ(-EINVAL, try_restrict(handle, from | 4, 0));
		EXPECT_EQ(-EINVAL, try_restrict(handle, from, KCHAN_DEADLINE));
		close(handle);
	}
}

/* The right that each call needs, told by the error of a handle without it. */
static const struct {
	__u32 kind;
	unsigned int cmd;
	__u32 right;
	__s64 value;
} needs[] = {
	{ KCHAN_KIND_WAITGROUP, KCHAN_DONE, KCHAN_RIGHT_SEND, 1 },
	{ KCHAN_KIND_WAITGROUP, KCHAN_TOKEN, KCHAN_RIGHT_SEND, 1 },
	{ KCHAN_KIND_SEMAPHORE, KCHAN_DONE, KCHAN_RIGHT_SEND, 1 },
	{ KCHAN_KIND_SEMAPHORE, KCHAN_TOKEN, KCHAN_RIGHT_RECV, 1 },
	{ KCHAN_KIND_TOKEN, KCHAN_DONE, KCHAN_RIGHT_SEND, 0 },
	{ KCHAN_KIND_MUTEX, KCHAN_UNLOCK, KCHAN_RIGHT_SEND, KCHAN_OP_LOCK },
	{ KCHAN_KIND_RWMUTEX, KCHAN_UNLOCK, KCHAN_RIGHT_SEND, KCHAN_OP_LOCK },
	{ KCHAN_KIND_RWMUTEX, KCHAN_UNLOCK, KCHAN_RIGHT_RECV, KCHAN_OP_RLOCK },
	{ KCHAN_KIND_ONCE, KCHAN_UNLOCK, KCHAN_RIGHT_SEND, KCHAN_OP_LOCK },
	{ KCHAN_KIND_ONCE, KCHAN_DONE, KCHAN_RIGHT_SEND, 0 },
	{ KCHAN_KIND_COND, KCHAN_SIGNAL, KCHAN_RIGHT_SEND, 1 },
	{ KCHAN_KIND_CELLS, KCHAN_SIGNAL, KCHAN_RIGHT_SEND, 0 },
	{ KCHAN_KIND_CANCEL, KCHAN_CANCEL, KCHAN_RIGHT_SEND, 0 },
};

TEST_F(kind, calls_need_their_right)
{
	int handles[] = {
		[KCHAN_RIGHT_SEND] = restrict_to(self->fd, KCHAN_RIGHT_SEND),
		[KCHAN_RIGHT_RECV] = restrict_to(self->fd, KCHAN_RIGHT_RECV),
	};
	struct kchan_stat before = chan_stat(self->fd);

	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		if (needs[i].kind != variant->kind)
			continue;
		EXPECT_EQ(-EBADF, kchan_arg_call(handles[needs[i].right ^ BOTH_RIGHTS],
						 needs[i].cmd, needs[i].value));
		EXPECT_EQ(true, same_stat(before, self->fd));
		EXPECT_NE(-EBADF, kchan_arg_call(handles[needs[i].right], needs[i].cmd,
						 needs[i].value));
		before = chan_stat(self->fd);
	}
	if (variant->kind == KCHAN_KIND_TIMER) {
		EXPECT_EQ(-EBADF, set_timer(handles[KCHAN_RIGHT_RECV], KCHAN_DEADLINE, 0, 0));
		EXPECT_EQ(-EBADF, set_timer(handles[KCHAN_RIGHT_RECV], 0, 0, 0));
		EXPECT_EQ(true, same_stat(before, self->fd));
		EXPECT_EQ(0, set_timer(handles[KCHAN_RIGHT_SEND], 0, 0, 0));
	}
}

TEST_F(kind, calls_take_no_flags)
{
	struct kchan_stat before = chan_stat(self->fd);

	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		if (needs[i].kind != variant->kind)
			continue;
		for (__u32 flag = 1; flag; flag <<= 1) {
			struct kchan_arg arg = { sizeof(arg), flag, needs[i].value };

			EXPECT_EQ(-EINVAL, kchan_call(self->fd, needs[i].cmd, &arg));
		}
	}
	EXPECT_EQ(true, same_stat(before, self->fd));
}

/* ---- calls that are not its own ---- */

TEST_F(kind, knows_no_other_calls)
{
	struct kchan_stat before = chan_stat(self->fd);
	/* Good for any of them, were it theirs: a long struct with a zero tail. */
	__u8 arg[64] = { sizeof(arg) };

	for (unsigned int nr = 0; nr < 256; nr++) {
		if (nr < 64 && (COMMON_CALLS | variant->calls) & 1ull << nr)
			continue;
		EXPECT_EQ(-ENOTTY, kchan_call(self->fd, _IO(KCHAN_IOC_MAGIC, nr), arg))
			TH_LOG("number %#x", nr);
	}
	EXPECT_EQ(-ENOTTY, kchan_call(self->fd, _IO(KCHAN_IOC_MAGIC + 1, 0x10), arg));
	EXPECT_EQ(-ENOTTY, kchan_call(self->fd, _IOR(KCHAN_IOC_MAGIC, 0x10, int), arg));
	EXPECT_EQ(true, same_stat(before, self->fd));
}

TEST_F(kind, knows_no_other_operations)
{
	struct kchan_stat before = chan_stat(self->fd);

	for (__u32 op = 0; op <= LAST_OP; op++) {
		struct kchan_case c = on_op(self->fd, op, 0);

		if (variant->ops & OP(op))
			continue;
		EXPECT_EQ(-EINVAL, try_op(self->fd, op, 0)) TH_LOG("operation %u", op);
		EXPECT_EQ(-EINVAL, try_op(self->fd, op, 1)) TH_LOG("operation %u", op);
		EXPECT_EQ(-EINVAL, kchan_select(&c, 1, KCHAN_NONBLOCK, 0).index)
			TH_LOG("operation %u", op);
	}
	EXPECT_EQ(-EINVAL, try_op(self->fd, UINT_MAX, 0));
	EXPECT_EQ(true, same_stat(before, self->fd));
}

TEST_F(kind, has_nothing_to_read_or_write)
{
	char bytes[64] = "x";

	EXPECT_EQ(-1, read(self->fd, bytes, sizeof(bytes)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->fd, bytes, sizeof(bytes)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ('x', bytes[0]);
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
}

TEST_F(kind, is_mapped_only_if_it_has_cells)
{
	void *p = mmap(NULL, 64, PROT_READ, MAP_SHARED, self->fd, 0);

	EXPECT_EQ(variant->kind == KCHAN_KIND_CELLS, p != MAP_FAILED);
	if (p == MAP_FAILED) {
		EXPECT_EQ(ENODEV, errno);
	}
}

/* What would not wait on a new object; never where there is nothing that could wait. */
static short events_of_new(__u32 kind)
{
	switch (kind) {
	case KCHAN_KIND_WAITGROUP:
	case KCHAN_KIND_SEMAPHORE:
	case KCHAN_KIND_RWMUTEX:
	case KCHAN_KIND_CELLS:
		return POLLIN | POLLOUT;
	case KCHAN_KIND_MUTEX:
	case KCHAN_KIND_ONCE:
		return POLLOUT;
	}
	return 0;
}

TEST_F(kind, events_are_of_what_can_wait)
{
	short all = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
	short expected = events_of_new(variant->kind);

	if (expected & POLLIN)
		expected |= POLLRDNORM;
	if (expected & POLLOUT)
		expected |= POLLWRNORM;
	EXPECT_EQ(expected, poll_now(self->fd, all));
}

/* It leaves the epoll set that it is in when its last handle goes. */
TEST_F(kind, goes_while_it_is_polled)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	int set = epoll_create1(EPOLL_CLOEXEC), fd = make(variant, 0);

	ASSERT_LE(0, set);
	ASSERT_EQ(0, epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
	EXPECT_LE(0, epoll_wait(set, &event, 1, 0));
	EXPECT_EQ(0, event.events & ~(EPOLLIN | EPOLLOUT));
	close(fd);
	EXPECT_EQ(0, epoll_wait(set, &event, 1, 0));
	close(set);
}

TEST_HARNESS_MAIN
