// SPDX-License-Identifier: GPL-2.0-only
/* Once through libchan: among threads, among processes, and done by halves. */
#include "kselftest_harness.h"
#include "chan_util.h"

#define CROWD 8

struct scene {
	struct chan_once *once;
	struct chan *gate; /* closed when those inside may go on */
	int begun, finished;
	int seen; /* how many saw it done */
};

static struct scene *new_scene(void)
{
	struct scene *s = shared_alloc(sizeof(*s));

	s->once = must_have(chan_once_make());
	s->gate = must_make(0, 0);
	return s;
}

static void end_scene(struct scene *s)
{
	chan_once_drop(s->once);
	chan_drop(s->gate);
	munmap(s, sizeof(*s));
}

/* Takes as long as the test wants it to. */
static void work(void *arg)
{
	struct scene *s = arg;

	count_up(&s->begun);
	must(chan_recv(s->gate, NULL) == 0);
	count_up(&s->finished);
}

static int do_work(void *arg)
{
	struct scene *s = arg;

	CHECK(!chan_once_do(s->once, work, s));
	CHECK(load(&s->finished) == 1);
	count_up(&s->seen);
	return 0;
}

TASK_FIXTURE(once)

TEST_F(once, the_others_wait_for_the_first)
{
	struct scene *s = new_scene();
	struct task *tasks[CROWD];

	for (int i = 0; i < CROWD; i++)
		tasks[i] = task_start(variant->kind, do_work, s);
	wait_blocked(s->once, CROWD - 1, 0);
	EXPECT_EQ(1, load(&s->begun));
	EXPECT_EQ(0, load(&s->seen));
	EXPECT_EQ(CHAN_LOCKED, state_of(s->once).state);
	EXPECT_EQ(0, err(chan_close(s->gate)));
	for (int i = 0; i < CROWD; i++)
		EXPECT_EQ(0, task_join(tasks[i]));
	EXPECT_EQ(1, s->begun);
	EXPECT_EQ(CROWD, s->seen);
	EXPECT_EQ(CHAN_DONE, state_of(s->once).state);
	EXPECT_EQ(0, do_work(s));
	EXPECT_EQ(1, s->begun);
	end_scene(s);
}

static void never(void *arg)
{
	(void)arg;
	abort();
}

/* The second time not even a handle that is closed underneath is asked. */
TEST(done_costs_no_call)
{
	struct scene *s = new_scene();

	ASSERT_EQ(0, err(chan_close(s->gate)));
	EXPECT_EQ(0, err(chan_once_do(s->once, work, s)));
	ASSERT_EQ(0, close(chan_once_fd(s->once)));
	EXPECT_EQ(0, err(chan_once_do(s->once, never, NULL)));
	EXPECT_EQ(-EBADF, err(chan_once_begin(s->once)));
	end_scene(s);
}

TEST(by_hand)
{
	struct chan_once *once = must_have(chan_once_make());

	EXPECT_EQ(0, err(chan_once_begin(once)));
	EXPECT_EQ(-EAGAIN, err(chan_once_try_begin(once)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_once_begin_until(once, 1)));
	EXPECT_EQ(0, err(chan_once_leave(once)));
	EXPECT_EQ(-EPERM, err(chan_once_leave(once)));
	EXPECT_EQ(-EPERM, err(chan_once_done(once)));
	EXPECT_EQ(0, err(chan_once_try_begin(once)));
	EXPECT_EQ(0, err(chan_once_done(once)));
	EXPECT_EQ(1, err(chan_once_begin(once)));
	EXPECT_EQ(1, err(chan_once_try_begin(once)));
	EXPECT_EQ(0, err(chan_once_do(once, never, NULL)));
	chan_once_drop(once);
}

TEST(once_takes_one_right)
{
	struct chan_once *once = must_have(chan_once_make());
	struct chan_once *deaf = must_have(chan_once_restrict(once, CHAN_RECV));

	EXPECT_EQ(-EBADF, err(chan_once_do(deaf, never, NULL)));
	EXPECT_EQ(-EBADF, err(chan_once_begin(deaf)));
	EXPECT_EQ(-EBADF, err(chan_once_done(deaf)));
	EXPECT_EQ(-EBADF, err(chan_once_leave(deaf)));
	chan_once_drop(deaf);
	chan_once_drop(once);
}

/* ---- not done after all ---- */

static void leave_by_exit(void *arg)
{
	(void)arg;
	pthread_exit(NULL);
}

static void leave_by_cancellation(void *arg)
{
	struct scene *s = arg;

	count_up(&s->begun);
	for (;;)
		pause();
}

static void *do_and_leave(void *arg)
{
	struct scene *s = arg;

	chan_once_do(s->once, leave_by_exit, s);
	return s;
}

static void *do_and_be_cancelled(void *arg)
{
	struct scene *s = arg;

	chan_once_do(s->once, leave_by_cancellation, s);
	return s;
}

TEST(thread_ends_half_way)
{
	struct scene *s = new_scene();
	pthread_t thread;
	void *result;

	ASSERT_EQ(0, pthread_create(&thread, NULL, do_and_leave, s));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(NULL, result);
	ASSERT_EQ(0, pthread_create(&thread, NULL, do_and_be_cancelled, s));
	wait_until(load(&s->begun) == 1);
	EXPECT_EQ(-EAGAIN, err(chan_once_try_begin(s->once)));
	ASSERT_EQ(0, pthread_cancel(thread));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(PTHREAD_CANCELED, result);
	store(&s->begun, 0);
	ASSERT_EQ(0, err(chan_close(s->gate)));
	EXPECT_EQ(0, do_work(s));
	EXPECT_EQ(1, s->begun);
	end_scene(s);
}

/* Killed half way, with somebody waiting: that one does it, anew. */
TEST(process_dies_half_way)
{
	struct scene *s = new_scene();
	struct task *first = task_start(PROCESS, do_work, s), *second;

	wait_until(load(&s->begun) == 1);
	second = task_start(PROCESS, do_work, s);
	wait_blocked(s->once, 1, 0);
	task_kill(first);
	EXPECT_EQ(KILLED(SIGKILL), task_join(first));
	wait_until(load(&s->begun) == 2);
	EXPECT_EQ(0, err(chan_close(s->gate)));
	EXPECT_EQ(0, task_join(second));
	EXPECT_EQ(1, s->finished);
	EXPECT_EQ(0, err(chan_once_do(s->once, never, NULL)));
	end_scene(s);
}

static int begin_and_die(void *arg)
{
	return -err(chan_once_begin(arg));
}

TEST(by_hand_after_a_death)
{
	struct chan_once *once = must_have(chan_once_make());

	ASSERT_EQ(0, task_join(task_start(PROCESS, begin_and_die, once)));
	EXPECT_EQ(-EOWNERDEAD, err(chan_once_begin(once)));
	EXPECT_EQ(-EAGAIN, err(chan_once_try_begin(once)));
	EXPECT_EQ(0, err(chan_once_done(once)));
	EXPECT_EQ(1, err(chan_once_begin(once)));
	chan_once_drop(once);
}

TEST_HARNESS_MAIN
