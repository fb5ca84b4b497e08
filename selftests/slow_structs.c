// SPDX-License-Identifier: GPL-2.0-only
/*
 * Structs and cases on pages that come slowly, as userfaultfd can make them, stall
 * their caller and nobody else: others do the same call on the same object meanwhile,
 * and once the page is there the call goes on as if nothing had been.
 */
#include <kselftest_harness.h>
#include "select_util.h"
#include "slow_pages.h"

enum object {
	DEVICE, CHANNEL, CLOSED, NOTICES, GROUP, MUTEX, RWMUTEX, COND, TIMER, CELLS, CANCELLED,
	OBJECTS
};

/* A call whose struct is somewhere, and what it returns; ANY: a file number. */
enum { ANY = INT_MAX };

static const struct call {
	const char *name;
	unsigned int cmd;
	enum object object;
	__u32 size;
	int good;
} calls[] = {
	{ "KCHAN_FEATURES", KCHAN_FEATURES, DEVICE, sizeof(struct kchan_features), 0 },
	{ "KCHAN_CREATE_CHAN", KCHAN_CREATE_CHAN, DEVICE, sizeof(struct kchan_create_chan), ANY },
	{ "KCHAN_CREATE", KCHAN_CREATE, DEVICE, sizeof(struct kchan_create), ANY },
	{ "KCHAN_STAT", KCHAN_STAT, CHANNEL, sizeof(struct kchan_stat), 0 },
	{ "KCHAN_RESTRICT", KCHAN_RESTRICT, CHANNEL, sizeof(struct kchan_restrict), ANY },
	{ "KCHAN_SEND", KCHAN_SEND, CHANNEL, sizeof(struct kchan_msg), 0 },
	{ "KCHAN_RECV", KCHAN_RECV, CHANNEL, sizeof(struct kchan_msg), 1 },
	{ "KCHAN_SEND_BATCH", KCHAN_SEND_BATCH, CHANNEL, sizeof(struct kchan_batch), 1 },
	{ "KCHAN_RECV_BATCH", KCHAN_RECV_BATCH, CHANNEL, sizeof(struct kchan_batch), 1 },
	{ "KCHAN_CALL", KCHAN_CALL, CHANNEL, sizeof(struct kchan_call), 1 },
	{ "KCHAN_SELECT", KCHAN_SELECT, CHANNEL, sizeof(struct kchan_select),
	  1 << KCHAN_OUTCOME_SHIFT },
	{ "KCHAN_WAIT", KCHAN_WAIT, GROUP, sizeof(struct kchan_wait), 0 },
	{ "KCHAN_DONE", KCHAN_DONE, GROUP, sizeof(struct kchan_arg), 0 },
	{ "KCHAN_TOKEN", KCHAN_TOKEN, GROUP, sizeof(struct kchan_arg), ANY },
	{ "KCHAN_SIGNAL of a cond", KCHAN_SIGNAL, COND, sizeof(struct kchan_arg), 0 },
	{ "KCHAN_SIGNAL of cells", KCHAN_SIGNAL, CELLS, sizeof(struct kchan_arg), 0 },
	{ "KCHAN_TIMER", KCHAN_TIMER, TIMER, sizeof(struct kchan_timer), 1 },
	{ "KCHAN_WATCH", KCHAN_WATCH, TIMER, sizeof(struct kchan_watch), 0 },
	{ "KCHAN_UNLOCK", KCHAN_UNLOCK, RWMUTEX, sizeof(struct kchan_arg), 0 },
	/* What each can do only once has been done, or is not to be done. */
	{ "KCHAN_CLOSE_WITH", KCHAN_CLOSE_WITH, CLOSED, sizeof(struct kchan_arg), -EALREADY },
	{ "KCHAN_CANCEL", KCHAN_CANCEL, CANCELLED, sizeof(struct kchan_arg), 0 },
	{ "KCHAN_CONSISTENT", KCHAN_CONSISTENT, MUTEX, sizeof(struct kchan_arg), -EPERM },
};

FIXTURE(slow_structs) {
	struct slow_pages slow;	/* two of them */
	int fd[OBJECTS];
	__u64 value;
	struct kchan_case one;
	union {
		__u32 size;
		struct kchan_create_chan create_chan;
		struct kchan_create create;
		struct kchan_restrict restrict_;
		struct kchan_msg msg;
		struct kchan_batch batch;
		struct kchan_call call;
		struct kchan_select select;
		struct kchan_wait wait;
		struct kchan_arg arg;
		struct kchan_timer timer;
		struct kchan_watch watch;
		__u8 bytes[128];
	} good;
};

/* There is enough of everything for each call to be done several times. */
FIXTURE_SETUP(slow_structs)
{
	self->fd[DEVICE] = open_device();
	self->fd[CHANNEL] = make_chan(8, 64);
	for (int i = 0; i < 32; i++)
		ASSERT_EQ(0, send64(self->fd[CHANNEL], i));
	self->fd[CLOSED] = make_chan(8, 0);
	ASSERT_EQ(0, chan_close(self->fd[CLOSED]));
	self->fd[NOTICES] = make_chan(sizeof(struct kchan_notice), 1);
	self->fd[MUTEX] = make_object(KCHAN_KIND_MUTEX, 0);
	self->fd[RWMUTEX] = make_object(KCHAN_KIND_RWMUTEX, 0);
	for (int i = 0; i < 32; i++)
		ASSERT_EQ(0, kchan_rlock(self->fd[RWMUTEX]));
	self->fd[CANCELLED] = make_cancel(-1);
	ASSERT_EQ(1, kchan_arg_call(self->fd[CANCELLED], KCHAN_CANCEL, EIO));
	self->fd[GROUP] = make_object(KCHAN_KIND_WAITGROUP, 0);
	ASSERT_EQ(0, kchan_add(self->fd[GROUP], 1000));
	self->fd[COND] = make_object(KCHAN_KIND_COND, 0);
	self->fd[TIMER] = make_object(KCHAN_KIND_TIMER, 0);
	ASSERT_EQ(0, set_timer(self->fd[TIMER], KCHAN_DEADLINE, LLONG_MAX - 1, 0));
	self->fd[CELLS] = make_object(KCHAN_KIND_CELLS, 4);
	self->one = on_recv64(self->fd[CHANNEL], &self->value);
	make_slow_pages(&self->slow, 2);
}

FIXTURE_TEARDOWN(slow_structs)
{
	free_slow_pages(&self->slow);
}

static void fill_good(FIXTURE_DATA(slow_structs) *self, const struct call *c)
{
	memset(&self->good, 0, sizeof(self->good));
	switch (c->cmd) {
	case KCHAN_CREATE_CHAN:
		self->good.create_chan.elem_size = 8;
		break;
	case KCHAN_CREATE:
		self->good.create.kind = KCHAN_KIND_MUTEX;
		break;
	case KCHAN_RESTRICT:
		self->good.restrict_.rights = KCHAN_RIGHT_RECV;
		break;
	case KCHAN_SEND:
	case KCHAN_RECV:
		self->good.msg.buf = (uintptr_t)&self->value;
		self->good.msg.len = 8;
		break;
	case KCHAN_SEND_BATCH:
	case KCHAN_RECV_BATCH:
		self->good.batch.buf = (uintptr_t)&self->value;
		self->good.batch.len = 8;
		self->good.batch.max = 1;
		break;
	case KCHAN_CALL:
		self->good.call = new_request(&self->value, 8, self->fd[CHANNEL],
					      &self->value, 8);
		break;
	case KCHAN_SELECT:
		self->good.select.cases = (uintptr_t)&self->one;
		self->good.select.nr = 1;
		self->good.select.case_size = sizeof(self->one);
		break;
	case KCHAN_WAIT:
		self->good.wait.op = KCHAN_OP_ADD;
		self->good.wait.arg = 1;
		break;
	case KCHAN_TIMER:
		self->good.timer.flags = KCHAN_DEADLINE;
		self->good.timer.deadline = LLONG_MAX - 1;
		break;
	case KCHAN_WATCH:
		self->good.watch.fd = self->fd[NOTICES];
		self->good.watch.rights = BOTH_RIGHTS;
		break;
	case KCHAN_UNLOCK:
		self->good.arg.value = KCHAN_OP_RLOCK;
		break;
	case KCHAN_CONSISTENT:
		break;
	default:
		self->good.arg.value = 1;
	}
	self->good.size = c->size;
}

struct caller {
	int fd;
	unsigned int cmd;
	void *arg;
	int ret;
};

static int call_once(void *arg)
{
	struct caller *c = arg;

	c->ret = kchan_call(c->fd, c->cmd, c->arg);
	return 0;
}

static bool is_good(const struct call *c, int ret)
{
	if (c->good != ANY)
		return ret == c->good;
	if (ret >= 0)
		close(ret);
	return ret >= 0;
}

/* The struct begins there on the slow pages, of which the last it needs is missing. */
static void expect_stalled_alone(struct __test_metadata *_metadata,
				 FIXTURE_DATA(slow_structs) *self, const struct call *c,
				 __u32 offset)
{
	struct caller caller = { .fd = self->fd[c->object], .cmd = c->cmd };
	struct task *t;

	fill_good(self, c);
	forget_pages(&self->slow);
	memcpy(self->slow.content + offset, &self->good, c->size);
	/* Where it straddles them, its beginning is there. */
	if (offset)
		bring_page(&self->slow, 0);
	caller.arg = self->slow.pages + offset;
	t = task_start(THREAD, call_once, &caller);
	wait_for_fault(self->slow.fd);
	for (int i = 0; i < 5; i++) {
		EXPECT_TRUE(is_good(c, kchan_call(caller.fd, c->cmd, &self->good)))
			TH_LOG("%s", c->name);
	}
	bring_page(&self->slow, !!offset);
	EXPECT_EQ(0, task_join(t));
	EXPECT_TRUE(is_good(c, caller.ret)) TH_LOG("%s", c->name);
}

TEST_F(slow_structs, whole)
{
	if (self->slow.error)
		SKIP(return, "userfaultfd: %s", strerror(self->slow.error));
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		expect_stalled_alone(_metadata, self, &calls[i], 0);
}

/* It stalls in the middle: after the size has been seen, or while giving it out. */
TEST_F(slow_structs, straddling)
{
	if (self->slow.error)
		SKIP(return, "userfaultfd: %s", strerror(self->slow.error));
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		expect_stalled_alone(_metadata, self, &calls[i], PAGE - 8);
}

/* ---- what a select points to ---- */

struct selecting {
	struct kchan_case *cases;
	__u32 nr;
	struct chosen chosen;
};

static int select_cases(void *arg)
{
	struct selecting *s = arg;

	s->chosen = kchan_select(s->cases, s->nr, 0, 0);
	return 0;
}

/* Others use what stands in the stalled select's cases. */
static int others_use(int c)
{
	struct one_value one = { .fd = c };

	for (int i = 0; i < 50; i++) {
		struct task *t = task_start(THREAD, recv_one, &one);

		CHECK(select_of(on_send64(c, &(__u64){ 1000 + i })).index == 0);
		CHECK(task_join(t) == 0);
		CHECK(one.ret == 1 && one.value == 1000ull + i);
	}
	return 0;
}

/* The second half of the cases is slow: some have been looked up by then. */
TEST_F(slow_structs, cases)
{
	enum { NR = 16 };
	struct selecting s = { .nr = NR };
	__u64 got[NR];
	struct task *t;
	int c;

	if (self->slow.error)
		SKIP(return, "userfaultfd: %s", strerror(self->slow.error));
	c = make_chan(8, 0);
	s.cases = (void *)(self->slow.pages + PAGE - NR / 2 * sizeof(*s.cases));
	for (int i = 0; i < NR; i++) {
		struct kchan_case recv = on_recv64(c, &got[i]);

		memcpy(self->slow.content + PAGE + (i - NR / 2) * (int)sizeof(recv), &recv,
		       sizeof(recv));
	}
	bring_page(&self->slow, 0);
	t = task_start(THREAD, select_cases, &s);
	wait_for_fault(self->slow.fd);
	EXPECT_EQ(0, others_use(c));
	bring_page(&self->slow, 1);
	wait_waiting(c, 0, NR);
	EXPECT_EQ(0, send64(c, 5));
	EXPECT_EQ(0, task_join(t));
	ASSERT_LE(0, s.chosen.index);
	EXPECT_EQ(5, got[s.chosen.index]);
}

/* A message to be sent, or room for one, beside a case that is idle. */
static void expect_slow_message_stalls_nobody(struct __test_metadata *_metadata,
					      FIXTURE_DATA(slow_structs) *self, bool send)
{
	int c = make_chan(8, 0), idle = make_chan(8, 0);
	__u64 *slow = (void *)self->slow.pages, v;
	struct kchan_case cases[] = {
		on_recv64(idle, &v), send ? on_send64(c, slow) : on_recv64(c, slow),
	};
	struct selecting s = { .cases = cases, .nr = 2 };
	struct task *t;

	*(__u64 *)self->slow.content = 9;
	t = task_start(THREAD, select_cases, &s);
	wait_for_fault(self->slow.fd);
	EXPECT_EQ(0, others_use(c));
	EXPECT_EQ(0, others_use(idle));
	bring_page(&self->slow, 0);
	wait_waiting(c, send, !send);
	if (send) {
		EXPECT_EQ(1, recv64(c, &v));
		EXPECT_EQ(9, v);
	} else {
		EXPECT_EQ(0, send64(c, 8));
	}
	EXPECT_EQ(0, task_join(t));
	EXPECT_CHOSE(1, !send, s.chosen);
	EXPECT_EQ(send ? 9 : 8, *slow);
}

TEST_F(slow_structs, message_to_be_sent)
{
	if (self->slow.error)
		SKIP(return, "userfaultfd: %s", strerror(self->slow.error));
	expect_slow_message_stalls_nobody(_metadata, self, true);
}

TEST_F(slow_structs, room_for_a_message)
{
	if (self->slow.error)
		SKIP(return, "userfaultfd: %s", strerror(self->slow.error));
	expect_slow_message_stalls_nobody(_metadata, self, false);
}

/* ---- what goes while its call is parked ---- */

/* The outcome is decided, and only its own value is slow to be told. */
TEST_F(slow_structs, value_of_a_parked_wait)
{
	struct caller caller = { .cmd = KCHAN_WAIT };
	struct kchan_wait *w = (void *)self->slow.pages;
	int cancel, other;
	struct task *t;

	if (self->slow.error)
		SKIP(return, "userfaultfd: %s", strerror(self->slow.error));
	cancel = make_cancel(-1);
	other = make_cancel(cancel);
	*(struct kchan_wait *)self->slow.content = (struct kchan_wait){
		.size = sizeof(*w), .op = KCHAN_OP_CANCELLED, .value = POISON,
	};
	bring_page(&self->slow, 0);
	caller.fd = cancel;
	caller.arg = w;
	t = task_start(THREAD, call_once, &caller);
	wait_waiting(cancel, 0, 1);
	ASSERT_EQ(0, madvise(w, PAGE, MADV_DONTNEED));
	EXPECT_EQ(1, kchan_arg_call(cancel, KCHAN_CANCEL, EIO));
	wait_for_fault(self->slow.fd);
	EXPECT_EQ(true, waiting(cancel, 0, 0));
	EXPECT_EQ(EIO, cause_now(cancel));
	EXPECT_EQ(EIO, cause_now(other));
	bring_page(&self->slow, 0);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, caller.ret);
	EXPECT_EQ(EIO, w->value);
}

TEST_HARNESS_MAIN
