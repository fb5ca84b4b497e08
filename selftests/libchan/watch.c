// SPDX-License-Identifier: GPL-2.0-only
/* Notices of processes that let go of objects, however they do. */
#include "kselftest_harness.h"
#include "chan_util.h"

#define COOKIE 0x1122334455667788ull

struct told {
	struct chan_notice notice;
	pid_t pid;
};

static struct told next_notice(struct chan *notices)
{
	struct chan_cargo from = chan_cargo(NULL, 0);
	struct told told;

	memset(&told, 0xa5, sizeof(told));
	must(chan_recv_cargo_until(notices, &told.notice, &from, chan_after(PATIENCE_NS)) == 1);
	told.pid = from.pid;
	return told;
}

static bool is_silent(struct chan *notices)
{
	return chan_len(notices) == 0;
}

FIXTURE(watch)
{
	struct chan *notices, *c;
};

FIXTURE_SETUP(watch)
{
	self->notices = must_have(chan_notices_make(4));
	self->c = must_make(sizeof(int), 1);
	must(!chan_watch(self->c, self->notices, CHAN_SEND | CHAN_RECV, COOKIE));
}

FIXTURE_TEARDOWN(watch)
{
	chan_drop(self->notices);
}

static int block_in_recv(void *arg)
{
	return err(chan_recv(arg, &(int){ 1 }));
}

static int end_with_3(void *arg)
{
	(void)arg;
	_exit(3);
}

TEST_F(watch, a_kill)
{
	struct task *child = task_start(PROCESS, block_in_recv, self->c);
	struct told told;

	wait_blocked(self->c, 0, 1);
	task_kill(child);
	told = next_notice(self->notices);
	EXPECT_EQ(COOKIE, told.notice.cookie);
	EXPECT_EQ(CHAN_SEND | CHAN_RECV, told.notice.rights);
	EXPECT_EQ(CHAN_NOTICE_EXIT, told.notice.flags);
	EXPECT_TRUE(WIFSIGNALED(told.notice.status));
	EXPECT_EQ(SIGKILL, WTERMSIG(told.notice.status));
	EXPECT_EQ(0, told.notice.reserved);
	EXPECT_EQ(child->pid, told.pid);
	EXPECT_EQ(KILLED(SIGKILL), task_join(child));
	EXPECT_TRUE(is_silent(self->notices));
	chan_drop(self->c);
}

TEST_F(watch, an_exit)
{
	struct task *child = task_start(PROCESS, end_with_3, NULL);
	pid_t pid = child->pid;
	struct told told = next_notice(self->notices);

	EXPECT_EQ(CHAN_NOTICE_EXIT, told.notice.flags);
	EXPECT_TRUE(WIFEXITED(told.notice.status));
	EXPECT_EQ(3, WEXITSTATUS(told.notice.status));
	EXPECT_EQ(pid, told.pid);
	task_join(child);
	chan_drop(self->c);
}

static int exec_and_stay(void *arg)
{
	(void)arg;
	exec_sleep();
	return 1;
}

/* Handles are close-on-exec: the process lives on without. */
TEST_F(watch, an_exec)
{
	struct task *child = task_start(PROCESS, exec_and_stay, NULL);
	struct told told = next_notice(self->notices);

	EXPECT_EQ(0, told.notice.flags);
	EXPECT_EQ(0, told.notice.status);
	EXPECT_EQ(child->pid, told.pid);
	task_kill(child);
	task_join(child);
	chan_drop(self->c);
}

/* Of two handles the first to go matters only for the rights that go with it. */
TEST_F(watch, a_drop)
{
	struct chan *out = must_restrict(self->c, CHAN_SEND);
	struct told told;

	chan_drop(self->c);
	told = next_notice(self->notices);
	EXPECT_EQ(CHAN_RECV, told.notice.rights);
	EXPECT_EQ(0, told.notice.flags);
	EXPECT_EQ(getpid(), told.pid);
	chan_drop(out);
	told = next_notice(self->notices);
	EXPECT_EQ(CHAN_SEND, told.notice.rights);
	EXPECT_TRUE(is_silent(self->notices));
}

static int end_thread(void *arg)
{
	struct chan *c = arg;

	return !chan_len(c) ? 0 : 1;
}

TEST_F(watch, no_end_of_a_thread)
{
	EXPECT_EQ(0, task_join(task_start(THREAD, end_thread, self->c)));
	EXPECT_TRUE(is_silent(self->notices));
	chan_drop(self->c);
}

static int send_two(void *arg)
{
	struct chan *c = arg;

	for (int i = 1; i <= 2; i++)
		CHECK(!chan_send(c, &i));
	return 0;
}

/* What it has sent is there when it is told that it has ended. */
TEST_F(watch, comes_after_what_was_sent)
{
	struct chan *c = must_make(sizeof(int), 2);
	struct task *child;
	int values[2];

	EXPECT_EQ(0, err(chan_watch(c, self->notices, CHAN_SEND, 5)));
	EXPECT_EQ(0, err(chan_watch(self->c, NULL, 0, 0)));
	child = task_start(PROCESS, send_two, c);
	EXPECT_EQ(5, next_notice(self->notices).notice.cookie);
	EXPECT_EQ(2, err(chan_try_recv_many(c, values, 2)));
	EXPECT_EQ(0, task_join(child));
	chan_drop(c);
	chan_drop(self->c);
}

TEST_F(watch, only_of_the_rights_asked_for)
{
	struct chan *in = must_restrict(self->c, CHAN_RECV), *notices = self->notices;
	struct chan *out = must_restrict(self->c, CHAN_SEND);

	EXPECT_EQ(0, err(chan_watch(self->c, notices, CHAN_RECV, 6)));
	chan_drop(self->c);
	chan_drop(out);
	EXPECT_TRUE(is_silent(notices));
	chan_drop(in);
	EXPECT_EQ(CHAN_RECV, next_notice(notices).notice.rights);
	EXPECT_TRUE(is_silent(notices));
}

TEST_F(watch, replaces_the_one_before)
{
	struct chan *other = must_have(chan_notices_make(1));

	EXPECT_EQ(0, err(chan_watch(self->c, other, CHAN_SEND, 7)));
	chan_drop(self->c);
	EXPECT_EQ(7, next_notice(other).notice.cookie);
	EXPECT_TRUE(is_silent(self->notices));
	chan_drop(other);
}

TEST_F(watch, ends)
{
	EXPECT_EQ(0, err(chan_watch(self->c, NULL, 0, 0)));
	chan_drop(self->c);
	EXPECT_TRUE(is_silent(self->notices));
}

/* Notices never wait: those that find no room are counted. */
TEST_F(watch, counts_what_there_is_no_room_for)
{
	for (int i = 0; i < 6; i++)
		task_join(task_start(PROCESS, end_with_3, NULL));
	EXPECT_EQ(4, stat_of(self->notices).len);
	EXPECT_EQ(2, stat_of(self->notices).dropped);
	chan_drop(self->c);
}

/* The watched object keeps its notices' channel from ending. */
TEST_F(watch, keeps_the_notices_open)
{
	struct chan *in = must_restrict(self->notices, CHAN_RECV);
	struct chan_notice notice;

	chan_drop(self->notices);
	self->notices = in;
	EXPECT_EQ(-EAGAIN, err(chan_try_recv(in, &notice)));
	chan_drop(self->c);
	EXPECT_EQ(1, err(chan_recv(in, &notice)));
	EXPECT_EQ(0, err(chan_recv(in, &notice)));
}

TEST_F(watch, in_a_select)
{
	struct task *child = task_start(PROCESS, block_in_recv, self->c);
	struct chan_cargo from = chan_cargo(NULL, 0);
	struct chan *other = must_make(0, 0);
	struct chan_notice notice;
	struct chan_case cases[] = {
		chan_on_recv(other, NULL),
		chan_on_recv_cargo(self->notices, &notice, &from),
	};
	pid_t pid = child->pid;

	wait_blocked(self->c, 0, 1);
	task_kill(child);
	EXPECT_EQ(1, chan_select(cases, CHAN_LENGTH(cases)));
	EXPECT_EQ(1, cases[1].result);
	EXPECT_EQ(COOKIE, notice.cookie);
	EXPECT_EQ(pid, from.pid);
	task_join(child);
	chan_drop(other);
	chan_drop(self->c);
}

TEST_F(watch, called_wrongly)
{
	struct chan *in = must_restrict(self->c, CHAN_RECV), *plain = must_make(1, 1);
	struct chan *deaf = must_restrict(self->notices, CHAN_RECV);

	EXPECT_EQ(-EINVAL, err(chan_watch(self->c, self->notices, 0, 0)));
	EXPECT_EQ(-EINVAL, err(chan_watch(self->c, self->notices, 4, 0)));
	EXPECT_EQ(-EINVAL, err(chan_watch(self->c, plain, CHAN_SEND, 0)));
	EXPECT_EQ(-EBADF, err(chan_watch(self->c, deaf, CHAN_SEND, 0)));
	EXPECT_EQ(-EBADF, err(chan_watch(in, self->notices, CHAN_RECV, 0)));
	EXPECT_EQ(-EBADF, err(chan_watch(in, NULL, CHAN_RECV, 0)));
	EXPECT_EQ(-ELOOP, err(chan_watch(self->notices, self->notices, CHAN_RECV, 0)));
	/* The watch from before is as it was. */
	chan_drop(in);
	chan_drop(self->c);
	EXPECT_EQ(COOKIE, next_notice(self->notices).notice.cookie);
	chan_drop(deaf);
	chan_drop(plain);
}

/* ---- every kind ---- */

static struct chan_token *new_token(void)
{
	struct chan_wg *wg = must_have(chan_wg_make(0));
	struct chan_token *token = must_have(chan_wg_token(wg));

	chan_wg_drop(wg);
	return token;
}

#define WATCHED(kind, call)						\
TEST(watched_##kind)							\
{									\
	struct chan *notices = must_have(chan_notices_make(1));		\
	struct chan_##kind *handle = must_have(call);			\
	struct task *child;						\
	struct told told;						\
	pid_t pid;							\
									\
	EXPECT_EQ(0, err(chan_##kind##_watch(handle, notices, CHAN_SEND, COOKIE)));	\
	child = task_start(PROCESS, end_with_3, NULL);			\
	pid = child->pid;						\
	told = next_notice(notices);					\
	EXPECT_EQ(COOKIE, told.notice.cookie);				\
	EXPECT_EQ(CHAN_SEND, told.notice.rights);			\
	EXPECT_EQ(pid, told.pid);					\
	task_join(child);						\
	chan_##kind##_drop(handle);					\
	chan_drop(notices);						\
}

WATCHED(wg, chan_wg_make(0))
WATCHED(token, new_token())
WATCHED(sem, chan_sem_make(1))
WATCHED(mutex, chan_mutex_make())
WATCHED(rwmutex, chan_rwmutex_make())
WATCHED(cond, chan_cond_make())
WATCHED(once, chan_once_make())
WATCHED(timer, chan_timer_make())
WATCHED(cells, chan_cells_make(1))
WATCHED(cancel, chan_cancel_make())

TEST_HARNESS_MAIN
