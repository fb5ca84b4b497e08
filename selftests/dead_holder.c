// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dead holders: a lock whose holding process dies, or lets go of its last
 * handle, passes on with EOWNERDEAD, is made good by KCHAN_CONSISTENT, or is
 * lost for all.  Dead readers just let go.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"
#include "slow_pages.h"

enum farewell { CLOSES, EXITS, IS_KILLED, EXECS };

FIXTURE(dead_holder) {
	int m;
};

FIXTURE_VARIANT(dead_holder) {
	__u32 kind;
	enum farewell how;
};

FIXTURE_VARIANT_ADD(dead_holder, mutex_closes) { KCHAN_KIND_MUTEX, CLOSES };
FIXTURE_VARIANT_ADD(dead_holder, mutex_exits) { KCHAN_KIND_MUTEX, EXITS };
FIXTURE_VARIANT_ADD(dead_holder, mutex_is_killed) { KCHAN_KIND_MUTEX, IS_KILLED };
FIXTURE_VARIANT_ADD(dead_holder, mutex_execs) { KCHAN_KIND_MUTEX, EXECS };
FIXTURE_VARIANT_ADD(dead_holder, rwmutex_closes) { KCHAN_KIND_RWMUTEX, CLOSES };
FIXTURE_VARIANT_ADD(dead_holder, rwmutex_exits) { KCHAN_KIND_RWMUTEX, EXITS };
FIXTURE_VARIANT_ADD(dead_holder, rwmutex_is_killed) { KCHAN_KIND_RWMUTEX, IS_KILLED };
FIXTURE_VARIANT_ADD(dead_holder, rwmutex_execs) { KCHAN_KIND_RWMUTEX, EXECS };

FIXTURE_SETUP(dead_holder)
{
	self->m = make_object(variant->kind, 0);
}

FIXTURE_TEARDOWN(dead_holder)
{
	close(self->m);
}

/* ---- the holder ---- */

struct holder {
	int m;
	__u32 op;	/* that it holds the lock by */
	enum farewell how;
	int has;
	int go;
};

static int hold_then_go(void *arg)
{
	struct holder *h = arg;

	CHECK(wait_op(h->m, h->op, 0) == 0);
	store(&h->has, 1);
	wait_until(load(&h->go));
	if (h->how == EXITS)
		return 0;
	if (h->how == EXECS)
		exec_sleep();
	if (h->how == CLOSES)
		close(h->m);
	pause();
	return 0;
}

struct held {
	struct holder *holder;
	struct task *task;
};

static struct held start_holder(int m, __u32 op, enum farewell how)
{
	struct held h = { .holder = shared_alloc(sizeof(*h.holder)) };

	*h.holder = (struct holder){ .m = m, .op = op, .how = how };
	h.task = task_start(PROCESS, hold_then_go, h.holder);
	wait_until(load(&h.holder->has));
	return h;
}

static void let_go(struct held h)
{
	if (h.holder->how == IS_KILLED)
		task_kill(h.task);
	else
		store(&h.holder->go, 1);
}

static void bury(struct held h)
{
	if (h.holder->how == CLOSES || h.holder->how == EXECS)
		task_kill(h.task);
	task_join(h.task);
	munmap(h.holder, sizeof(*h.holder));
}

static int mend(int m)
{
	return kchan_arg_call(m, KCHAN_CONSISTENT, 0);
}

/* ---- a lock that nobody waits for ---- */

static void holder_dies(int m, enum farewell how)
{
	struct held h = start_holder(m, KCHAN_OP_LOCK, how);

	must(chan_stat(m).state == KCHAN_STATE_LOCKED);
	must(kchan_try_lock(m) == -EAGAIN);
	let_go(h);
	wait_until(chan_stat(m).state == KCHAN_STATE_OWNERDEAD);
	bury(h);
}

TEST_F(dead_holder, next_gets_it_and_mends)
{
	holder_dies(self->m, variant->how);
	EXPECT_EQ(-EOWNERDEAD, kchan_lock(self->m));
	EXPECT_EQ(KCHAN_STATE_LOCKED | KCHAN_STATE_OWNERDEAD, chan_stat(self->m).state);
	EXPECT_EQ(-EAGAIN, kchan_try_lock(self->m));
	EXPECT_EQ(0, mend(self->m));
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(self->m).state);
	EXPECT_EQ(-EINVAL, mend(self->m));
	EXPECT_EQ(0, kchan_unlock(self->m));
	EXPECT_EQ(0, chan_stat(self->m).state);
	EXPECT_EQ(0, kchan_lock(self->m));
}

TEST_F(dead_holder, try_gets_it_too)
{
	holder_dies(self->m, variant->how);
	EXPECT_EQ(-EOWNERDEAD, kchan_try_lock(self->m));
	EXPECT_EQ(0, mend(self->m));
	EXPECT_EQ(0, kchan_unlock(self->m));
}

TEST_F(dead_holder, past_deadline_gets_it_too)
{
	holder_dies(self->m, variant->how);
	EXPECT_EQ(-EOWNERDEAD, op_until(self->m, KCHAN_OP_LOCK, 0, 0));
	EXPECT_EQ(0, mend(self->m));
	EXPECT_EQ(0, kchan_unlock(self->m));
}

TEST_F(dead_holder, select_gets_it_too)
{
	struct kchan_case c;
	struct chosen got;

	holder_dies(self->m, variant->how);
	c = on_op(self->m, KCHAN_OP_LOCK, 0);
	EXPECT_EQ(0, kchan_select(&c, 1, KCHAN_NONBLOCK | KCHAN_READY, 0).index);
	EXPECT_EQ(KCHAN_STATE_OWNERDEAD, chan_stat(self->m).state);
	got = kchan_select(&c, 1, KCHAN_NONBLOCK, 0);
	EXPECT_EQ(0, got.index);
	EXPECT_EQ(-EOWNERDEAD, got.outcome);
	EXPECT_EQ(0, mend(self->m));
	EXPECT_EQ(0, kchan_unlock(self->m));
}

TEST_F(dead_holder, unmended_is_lost_for_all)
{
	holder_dies(self->m, variant->how);
	ASSERT_EQ(-EOWNERDEAD, kchan_lock(self->m));
	ASSERT_EQ(0, kchan_unlock(self->m));
	EXPECT_EQ(KCHAN_STATE_OWNERDEAD | KCHAN_STATE_NOTRECOVERABLE, chan_stat(self->m).state);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-ENOTRECOVERABLE, kchan_lock(self->m));
		EXPECT_EQ(-ENOTRECOVERABLE, kchan_try_lock(self->m));
		EXPECT_EQ(-EPERM, kchan_unlock(self->m));
		EXPECT_NE(0, mend(self->m));
	}
	if (variant->kind == KCHAN_KIND_RWMUTEX) {
		EXPECT_EQ(-ENOTRECOVERABLE, kchan_rlock(self->m));
		EXPECT_EQ(-ENOTRECOVERABLE, kchan_try_rlock(self->m));
	}
}

/* Who was told dies in turn: the next is told again, however often. */
TEST_F(dead_holder, one_after_the_other)
{
	holder_dies(self->m, variant->how);
	for (int i = 0; i < 4; i++) {
		struct one_op *op = new_op(self->m, KCHAN_OP_LOCK, 0);

		ASSERT_EQ(-EOWNERDEAD, join_op(task_start(PROCESS, do_one_op, op), op));
		ASSERT_EQ(KCHAN_STATE_OWNERDEAD, chan_stat(self->m).state);
	}
	EXPECT_EQ(-EOWNERDEAD, kchan_lock(self->m));
	EXPECT_EQ(0, mend(self->m));
	EXPECT_EQ(0, kchan_unlock(self->m));
}

/* ---- while others wait ---- */

struct crowd {
	struct one_op *ops[3];
	struct task *tasks[3];
};

static struct crowd start_crowd(int m)
{
	struct crowd c;

	for (int i = 0; i < 3; i++) {
		c.ops[i] = new_op(m, KCHAN_OP_LOCK, 0);
		c.tasks[i] = task_start(THREAD, do_one_op, c.ops[i]);
		wait_waiting(m, i + 1, 0);
	}
	return c;
}

TEST_F(dead_holder, blocked_waiters_in_turn)
{
	struct held h = start_holder(self->m, KCHAN_OP_LOCK, variant->how);
	struct crowd c = start_crowd(self->m);

	let_go(h);
	EXPECT_EQ(-EOWNERDEAD, join_op(c.tasks[0], c.ops[0]));
	EXPECT_EQ(true, waiting(self->m, 2, 0));
	EXPECT_EQ(0, mend(self->m));
	for (int i = 1; i < 3; i++) {
		ASSERT_EQ(0, kchan_unlock(self->m));
		EXPECT_EQ(0, join_op(c.tasks[i], c.ops[i]));
	}
	EXPECT_EQ(0, kchan_unlock(self->m));
	EXPECT_EQ(0, chan_stat(self->m).state);
	bury(h);
}

TEST_F(dead_holder, blocked_waiters_of_a_lost_lock)
{
	struct held h = start_holder(self->m, KCHAN_OP_LOCK, variant->how);
	struct crowd c = start_crowd(self->m);

	let_go(h);
	EXPECT_EQ(-EOWNERDEAD, join_op(c.tasks[0], c.ops[0]));
	ASSERT_EQ(0, kchan_unlock(self->m));
	for (int i = 1; i < 3; i++) {
		EXPECT_EQ(-ENOTRECOVERABLE, join_op(c.tasks[i], c.ops[i]));
	}
	EXPECT_EQ(true, waiting(self->m, 0, 0));
	bury(h);
}

TEST_F(dead_holder, blocked_select)
{
	struct held h = start_holder(self->m, KCHAN_OP_LOCK, variant->how);
	struct kchan_case cases[2] = { { .fd = -1, .op = KCHAN_OP_RECV } };
	struct chosen got;

	cases[1] = on_op(self->m, KCHAN_OP_LOCK, 0);
	let_go(h);
	got = kchan_select(cases, 2, 0, 0);
	EXPECT_EQ(1, got.index);
	EXPECT_EQ(-EOWNERDEAD, got.outcome);
	EXPECT_EQ(0, mend(self->m));
	EXPECT_EQ(0, kchan_unlock(self->m));
	bury(h);
}

TEST_F(dead_holder, poller_is_woken)
{
	struct held h = start_holder(self->m, KCHAN_OP_LOCK, variant->how);
	struct pollfd p = { .fd = self->m, .events = POLLOUT };

	EXPECT_EQ(0, poll_now(self->m, POLLOUT));
	let_go(h);
	/* Without a time-out, at whose end it would look again by itself. */
	EXPECT_EQ(1, poll(&p, 1, -1));
	EXPECT_EQ(POLLOUT, p.revents);
	EXPECT_EQ(-EOWNERDEAD, kchan_try_lock(self->m));
	bury(h);
}

/* ---- readers ---- */

TEST_F(dead_holder, dead_reader_just_lets_go)
{
	struct held h;
	struct one_op *op = new_op(self->m, KCHAN_OP_LOCK, 0);
	struct task *writer;

	if (variant->kind != KCHAN_KIND_RWMUTEX)
		return;
	h = start_holder(self->m, KCHAN_OP_RLOCK, variant->how);
	ASSERT_EQ(0, kchan_rlock(self->m));
	EXPECT_EQ(2, chan_stat(self->m).length);
	writer = task_start(THREAD, do_one_op, op);
	wait_waiting(self->m, 1, 0);
	let_go(h);
	wait_until(chan_stat(self->m).length == 1);
	EXPECT_EQ(true, waiting(self->m, 1, 0));
	ASSERT_EQ(0, kchan_runlock(self->m));
	EXPECT_EQ(0, join_op(writer, op));
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(self->m).state);
	EXPECT_EQ(0, kchan_unlock(self->m));
	bury(h);
}

TEST_F(dead_holder, last_reader_s_death_lets_the_writer_in)
{
	struct held h;

	if (variant->kind != KCHAN_KIND_RWMUTEX)
		return;
	h = start_holder(self->m, KCHAN_OP_RLOCK, variant->how);
	let_go(h);
	EXPECT_EQ(0, kchan_lock(self->m));
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(self->m).state);
	bury(h);
}

/* Readers are told as well, but only a writer can mend. */
TEST_F(dead_holder, writer_s_death_and_readers)
{
	struct held h;
	struct one_op *op = new_op(self->m, KCHAN_OP_RLOCK, 0);
	struct task *reader;

	if (variant->kind != KCHAN_KIND_RWMUTEX)
		return;
	h = start_holder(self->m, KCHAN_OP_LOCK, variant->how);
	reader = task_start(THREAD, do_one_op, op);
	wait_waiting(self->m, 0, 1);
	let_go(h);
	EXPECT_EQ(-EOWNERDEAD, join_op(reader, op));
	EXPECT_EQ(-EOWNERDEAD, kchan_rlock(self->m));
	EXPECT_EQ(2, chan_stat(self->m).length);
	EXPECT_EQ(-EPERM, mend(self->m));
	EXPECT_EQ(0, kchan_runlock(self->m));
	EXPECT_EQ(0, kchan_runlock(self->m));
	EXPECT_EQ(KCHAN_STATE_OWNERDEAD, chan_stat(self->m).state);
	EXPECT_EQ(-EOWNERDEAD, kchan_lock(self->m));
	EXPECT_EQ(0, mend(self->m));
	EXPECT_EQ(0, kchan_unlock(self->m));
	EXPECT_EQ(0, kchan_rlock(self->m));
	bury(h);
}

/* ---- who holds, across copies, forks and threads ---- */

static int try_everything(void *arg)
{
	int m = *(int *)arg;

	CHECK(kchan_unlock(m) == -EPERM);
	CHECK(kchan_try_lock(m) == -EAGAIN);
	/* Neither closing it nor ending does the parent's lock any harm. */
	close(m);
	return 0;
}

TEST(forked_child_holds_nothing)
{
	int m = make_object(KCHAN_KIND_MUTEX, 0);

	ASSERT_EQ(0, kchan_lock(m));
	EXPECT_EQ(0, task_join(task_start(PROCESS, try_everything, &m)));
	EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(m).state);
	EXPECT_EQ(0, kchan_unlock(m));
}

static int read_everything(void *arg)
{
	int m = *(int *)arg;

	CHECK(kchan_runlock(m) == -EPERM);
	CHECK(kchan_try_rlock(m) == 0);
	close(m);
	return 0;
}

TEST(forked_child_reads_for_itself)
{
	int m = make_object(KCHAN_KIND_RWMUTEX, 0);

	ASSERT_EQ(0, kchan_rlock(m));
	EXPECT_EQ(0, task_join(task_start(PROCESS, read_everything, &m)));
	EXPECT_EQ(1, chan_stat(m).length);
	EXPECT_EQ(-EAGAIN, kchan_try_lock(m));
	EXPECT_EQ(0, kchan_runlock(m));
	EXPECT_EQ(0, kchan_try_lock(m));
}

struct copies {
	int m;
	int has, go, left;
};

static int close_one_by_one(void *arg)
{
	struct copies *c = arg;
	int fds[3] = { dup(c->m), restrict_to(c->m, KCHAN_RIGHT_SEND),
		       restrict_to(c->m, KCHAN_RIGHT_RECV) };

	CHECK(kchan_lock(fds[1]) == 0);
	close(c->m);
	store(&c->has, 1);
	for (int i = 0; i < 3; i++) {
		wait_until(load(&c->go) == i + 1);
		close(fds[i]);
		store(&c->left, i + 1);
	}
	pause();
	return 0;
}

/* Any handle keeps the lock, even one that could not take it. */
TEST(last_handle_decides)
{
	struct copies *c = shared_alloc(sizeof(*c));
	struct task *t;

	c->m = make_object(KCHAN_KIND_MUTEX, 0);
	t = task_start(PROCESS, close_one_by_one, c);
	wait_until(load(&c->has));
	for (int i = 1; i <= 3; i++) {
		EXPECT_EQ(KCHAN_STATE_LOCKED, chan_stat(c->m).state);
		store(&c->go, i);
		wait_until(load(&c->left) == i);
	}
	EXPECT_EQ(KCHAN_STATE_OWNERDEAD, chan_stat(c->m).state);
	task_kill(t);
	task_join(t);
}

struct courier {
	int m;
	int sock;
	int done;
};

static int lock_and_send_it_away(void *arg)
{
	struct courier *c = arg;

	CHECK(kchan_lock(c->m) == 0);
	pass_fd(c->sock, c->m);
	close(c->m);
	store(&c->done, 1);
	pause();
	return 0;
}

/* A handle in flight is nobody's: it keeps the object, not the lock. */
TEST(handle_in_flight_holds_nothing)
{
	struct courier *c = shared_alloc(sizeof(*c));
	int sockets[2], received;
	struct task *t;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	*c = (struct courier){ make_object(KCHAN_KIND_MUTEX, 0), sockets[0], 0 };
	t = task_start(PROCESS, lock_and_send_it_away, c);
	wait_until(load(&c->done));
	received = take_fd(sockets[1]);
	EXPECT_EQ(-EPERM, kchan_unlock(received));
	EXPECT_EQ(-EOWNERDEAD, kchan_lock(received));
	task_kill(t);
	task_join(t);
}

struct orphan {
	int m;
	struct one_op *op;
	int closed;
};

static int close_while_waiting(void *arg)
{
	struct orphan *o = arg;
	struct task *t = task_start(THREAD, do_one_op, o->op);

	wait_waiting(o->m, 1, 0);
	close(o->m);
	store(&o->closed, 1);
	return task_join(t);
}

/*
 * It waits for a lock, and closes its last handle meanwhile.  It has nothing to
 * hold the lock by: the wait fails, and the lock passes on.
 */
TEST(closes_while_it_waits)
{
	struct orphan *o = shared_alloc(sizeof(*o));
	struct task *t;

	o->m = make_object(KCHAN_KIND_MUTEX, 0);
	o->op = new_op(o->m, KCHAN_OP_LOCK, 0);
	ASSERT_EQ(0, kchan_lock(o->m));
	t = task_start(PROCESS, close_while_waiting, o);
	wait_until(load(&o->closed));
	ASSERT_EQ(0, kchan_unlock(o->m));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EBADF, o->op->ret);
	EXPECT_EQ(0, op_until(o->m, KCHAN_OP_LOCK, 0, now() + PATIENCE_NS));
}

static int close_and_end_while_waiting(void *arg)
{
	struct orphan *o = arg;

	task_start(THREAD, do_one_op, o->op);
	wait_waiting(o->m, 1, 0);
	close(o->m);
	store(&o->closed, 1);
	pthread_exit(NULL);
}

/* The same; and when it gets its turn the waiter is the last of its threads. */
TEST(closes_and_ends_while_it_waits)
{
	struct orphan *o = shared_alloc(sizeof(*o));
	struct task *t;

	o->m = make_object(KCHAN_KIND_MUTEX, 0);
	o->op = new_op(o->m, KCHAN_OP_LOCK, 0);
	ASSERT_EQ(0, kchan_lock(o->m));
	t = task_start(PROCESS, close_and_end_while_waiting, o);
	/* Its main thread has ended, while another goes on. */
	wait_until(load(&o->closed) && in_state(load(&t->tid), 'Z'));
	ASSERT_EQ(0, kchan_unlock(o->m));
	task_join(t);
	EXPECT_EQ(-EBADF, o->op->ret);
	EXPECT_EQ(0, op_until(o->m, KCHAN_OP_LOCK, 0, now() + PATIENCE_NS));
}

/* ---- the same, before it waits: its struct is on a page that comes late ---- */

struct late {
	int m;
	__u32 op;
	struct slow_pages slow;
	pid_t pid;
	int closed;
	int ret;
};

static int lock_late(void *arg)
{
	struct late *l = arg;

	l->ret = kchan_call(l->m, KCHAN_WAIT, l->slow.pages);
	return 0;
}

/* By a process of its own, so that nobody is left who shares the caller's files. */
static int bring_when_alone(void *arg)
{
	struct late *l = arg;

	/* Its parent's end is what it waits for. */
	must(!prctl(PR_SET_PDEATHSIG, 0));
	wait_until(load(&l->closed) && in_state(l->pid, 'Z'));
	bring_page(&l->slow, 0);
	return 0;
}

static int close_and_end_before_it_waits(void *arg)
{
	struct late *l = arg;

	l->pid = getpid();
	make_slow_pages(&l->slow, 1);
	if (l->slow.error)
		return 0;
	*(struct kchan_wait *)l->slow.content = (struct kchan_wait){
		.size = sizeof(struct kchan_wait), .op = l->op,
	};
	task_start(PROCESS, bring_when_alone, l);
	task_start(THREAD, lock_late, l);
	wait_for_fault(l->slow.fd);
	close(l->m);
	store(&l->closed, 1);
	pthread_exit(NULL);
}

/*
 * The race: a thread has found the handle but not yet begun, when another closes it and
 * ends.  The first is now alone, and yet it must not get what it could never give back.
 */
TEST(closes_and_ends_before_it_waits)
{
	static const __u32 ops[] = { KCHAN_OP_LOCK, KCHAN_OP_RLOCK };

	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		struct late *l = shared_alloc(sizeof(*l));

		l->m = make_object(KCHAN_KIND_RWMUTEX, 0);
		l->op = ops[i];
		task_join(task_start(PROCESS, close_and_end_before_it_waits, l));
		if (l->slow.error)
			SKIP(return, "userfaultfd: %s", strerror(l->slow.error));
		EXPECT_EQ(-EBADF, l->ret);
		EXPECT_EQ(0, kchan_try_lock(l->m));
		close(l->m);
	}
}

/* ---- the storm: holders are killed at any moment ---- */

enum { TASKS = 3, KILLS = FEWER(60) };

struct storm {
	int m;
	__u64 left, right;	/* plain; equal whenever nobody is inside */
	__u64 mended, lost;
};

/* Puts the books right if somebody died between the two counts. */
static int count_twice_forever(void *arg)
{
	struct storm *s = arg;

	for (;;) {
		int ret = kchan_lock(s->m);

		if (ret == -EOWNERDEAD) {
			s->mended++;
			s->right = s->left;
			CHECK(mend(s->m) == 0);
			ret = 0;
		}
		CHECK(ret == 0);
		CHECK(s->left == s->right);
		s->left++;
		for (int i = 0; i < 200; i++)
			__asm__ volatile("");
		s->right++;
		CHECK(kchan_unlock(s->m) == 0);
	}
}

/* The races: death before, at and after the hand-over, asleep or awake. */
TEST_F_TIMEOUT(dead_holder, storm, 120)
{
	struct storm *s = shared_alloc(sizeof(*s));
	struct task *tasks[TASKS];
	int ret;

	if (variant->how != IS_KILLED)
		return;
	srand(4);
	s->m = self->m;
	for (int i = 0; i < TASKS; i++)
		tasks[i] = task_start(PROCESS, count_twice_forever, s);
	for (int i = 0; i < KILLS; i++) {
		__u64 before = load(&s->right);

		wait_until(load(&s->right) != before);
		for (int n = rand() % 20000; n; n--)
			__asm__ volatile("");
		task_kill(tasks[i % TASKS]);
		ASSERT_EQ(KILLED(SIGKILL), task_join(tasks[i % TASKS]));
		tasks[i % TASKS] = task_start(PROCESS, count_twice_forever, s);
	}
	for (int i = 0; i < TASKS; i++) {
		task_kill(tasks[i]);
		EXPECT_EQ(KILLED(SIGKILL), task_join(tasks[i]));
	}
	ret = kchan_try_lock(self->m);
	EXPECT_EQ(true, ret == -EOWNERDEAD || (ret == 0 && s->left == s->right));
	EXPECT_EQ(true, waiting(self->m, 0, 0));
	TH_LOG("%llu times locked, %llu times mended", (unsigned long long)s->left,
	       (unsigned long long)s->mended);
}

/* Readers are killed, and writers find nothing amiss. */
static int read_forever(void *arg)
{
	struct storm *s = arg;

	for (;;) {
		CHECK(kchan_rlock(s->m) == 0);
		CHECK(s->left == s->right);
		CHECK(kchan_runlock(s->m) == 0);
	}
}

TEST(readers_in_a_storm)
{
	struct storm *s = shared_alloc(sizeof(*s));
	struct task *tasks[TASKS];

	srand(5);
	s->m = make_object(KCHAN_KIND_RWMUTEX, 0);
	for (int i = 0; i < TASKS; i++)
		tasks[i] = task_start(PROCESS, read_forever, s);
	for (int i = 0; i < KILLS; i++) {
		for (int n = 0; n < 5; n++) {
			ASSERT_EQ(0, kchan_lock(s->m));
			s->left++;
			s->right++;
			ASSERT_EQ(0, kchan_unlock(s->m));
		}
		for (int n = rand() % 20000; n; n--)
			__asm__ volatile("");
		task_kill(tasks[i % TASKS]);
		ASSERT_EQ(KILLED(SIGKILL), task_join(tasks[i % TASKS]));
		tasks[i % TASKS] = task_start(PROCESS, read_forever, s);
	}
	for (int i = 0; i < TASKS; i++) {
		task_kill(tasks[i]);
		EXPECT_EQ(KILLED(SIGKILL), task_join(tasks[i]));
	}
	EXPECT_EQ(0, chan_stat(s->m).length);
	EXPECT_EQ(0, kchan_try_lock(s->m));
}

TEST_HARNESS_MAIN
