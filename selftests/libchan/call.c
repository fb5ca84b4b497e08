// SPDX-License-Identifier: GPL-2.0-only
/*
 * A request and its answer in one call, which knows whether it has sent the request:
 * whatever ends it, it can go on without sending it again.
 */
#include "kselftest_harness.h"
#include "chan_util.h"

#define HOUR (3600 * CHAN_SECOND)

/* The two need not have the same size. */
struct request {
	int a, b;
};

TASK_FIXTURE(call)

struct job {
	struct chan *requests, *answers;
	struct chan_cancel *stop;
	struct request request;
	long answer;
	int sent, ret;
};

static struct job *new_job(size_t room)
{
	struct job *job = shared_alloc(sizeof(*job));

	job->requests = must_make(sizeof(struct request), room);
	job->answers = must_make(sizeof(long), 1);
	job->request = (struct request){ 3, 4 };
	job->answer = job->ret = 0x5a5a;
	return job;
}

static void drop_job(struct job *job)
{
	chan_drop(job->requests);
	chan_drop(job->answers);
	chan_cancel_drop(job->stop);
}

static int call_until(struct job *job, int64_t deadline)
{
	return err(chan_call_until(job->requests, &job->request, job->answers, &job->answer,
				   &job->sent, deadline));
}

static int call_with(struct job *job, const struct chan_bounds *bounds)
{
	return err(chan_call_with(job->requests, &job->request, job->answers, &job->answer,
				  &job->sent, bounds));
}

static int try_call(struct job *job)
{
	return err(chan_try_call(job->requests, &job->request, job->answers, &job->answer,
				 &job->sent));
}

static int answer(struct job *job, long value)
{
	return err(chan_send(job->answers, &value));
}

/* Calls, within an hour, and within a cancel if the job has one. */
static int do_call(void *arg)
{
	struct job *job = arg;
	struct chan_bounds bounds = { .deadline = chan_after(HOUR), .cancel = job->stop };

	job->ret = call_with(job, &bounds);
	return 0;
}

static int multiply(void *arg)
{
	struct job *job = arg;
	struct request r;

	chan_range(job->requests, &r)
		CHECK(!answer(job, (long)r.a * r.b));
	CHECK(!errno);
	return 0;
}

TEST_F(call, each_request_has_its_answer)
{
	struct job *job = new_job(0);
	struct task *server = task_start(variant->kind, multiply, job);

	for (int i = 0; i < 100; i++) {
		job->request = (struct request){ i, i + 1 };
		ASSERT_EQ(1, err(chan_call(job->requests, &job->request, job->answers,
					   &job->answer, i % 2 ? &job->sent : NULL)));
		ASSERT_EQ(i * (i + 1), job->answer);
		ASSERT_EQ(0, job->sent);
	}
	EXPECT_EQ(0, err(chan_close(job->requests)));
	EXPECT_EQ(0, task_join(server));
	drop_job(job);
}

TEST(not_sent)
{
	struct job *job = new_job(1);
	struct chan_stat before;

	ASSERT_EQ(0, err(chan_send(job->requests, &job->request)));
	ASSERT_EQ(0, answer(job, 5));
	before = stat_of(job->requests);
	EXPECT_EQ(-EAGAIN, try_call(job));
	EXPECT_EQ(-ETIMEDOUT, call_until(job, chan_after(CHAN_MILLISECOND)));
	EXPECT_EQ(-ETIMEDOUT, call_with(job, &(struct chan_bounds){ .deadline = 1 }));
	EXPECT_EQ(0, job->sent);
	EXPECT_EQ(0x5a5a, job->answer);
	EXPECT_TRUE(unchanged(before, job->requests));
	EXPECT_EQ(1, chan_len(job->answers));
	drop_job(job);
}

TEST(sent_but_not_answered)
{
	struct job *job = new_job(4);

	EXPECT_EQ(-EAGAIN, try_call(job));
	EXPECT_EQ(1, job->sent);
	EXPECT_EQ(-EAGAIN, try_call(job));
	EXPECT_EQ(-ETIMEDOUT, call_until(job, chan_after(CHAN_MILLISECOND)));
	EXPECT_EQ(1, job->sent);
	EXPECT_EQ(1, chan_len(job->requests));
	EXPECT_EQ(0, answer(job, 12));
	EXPECT_EQ(1, call_until(job, HOUR));
	EXPECT_EQ(12, job->answer);
	EXPECT_EQ(0, job->sent);
	EXPECT_EQ(1, chan_len(job->requests));
	drop_job(job);
}

/* Then only the answers matter. */
TEST(requests_closed)
{
	struct job *job = new_job(4);

	EXPECT_EQ(-EAGAIN, try_call(job));
	EXPECT_EQ(0, err(chan_close(job->requests)));
	EXPECT_EQ(0, answer(job, 12));
	EXPECT_EQ(1, try_call(job));
	EXPECT_EQ(12, job->answer);
	EXPECT_EQ(0, answer(job, 13));
	EXPECT_EQ(-EPIPE, try_call(job));
	EXPECT_EQ(-EPIPE, call_with(job, NULL));
	EXPECT_EQ(0, job->sent);
	EXPECT_EQ(1, chan_len(job->answers));
	drop_job(job);
}

TEST(the_end_of_answers)
{
	struct job *job = new_job(4);
	struct chan_bounds bounds = { .cancel = must_have(chan_cancel_make()) };

	EXPECT_EQ(0, err(chan_close(job->answers)));
	EXPECT_EQ(0, call_with(job, NULL));
	EXPECT_EQ(0, job->answer);
	EXPECT_EQ(0, job->sent);
	job->answer = 0x5a5a;
	EXPECT_EQ(0, call_with(job, &bounds));
	EXPECT_EQ(0, job->answer);
	EXPECT_EQ(0, job->sent);
	EXPECT_EQ(2, chan_len(job->requests));
	chan_cancel_drop(bounds.cancel);
	drop_job(job);
}

/* Once as one system call, and once as two. */
TEST_F(call, a_signal_leaves_it_to_be_gone_on_with)
{
	count_signals(0);
	for (int with_cancel = 0; with_cancel < 2; with_cancel++) {
		struct job *job = new_job(4);
		struct task *task;

		job->stop = with_cancel ? must_have(chan_cancel_make()) : NULL;
		task = task_start(variant->kind, do_call, job);
		wait_blocked(job->answers, 0, 1);
		task_signal(task, SIGUSR1);
		EXPECT_EQ(0, task_join(task));
		EXPECT_EQ(-EINTR, job->ret);
		EXPECT_EQ(1, job->sent);
		task = task_start(variant->kind, do_call, job);
		wait_blocked(job->answers, 0, 1);
		EXPECT_EQ(1, chan_len(job->requests));
		EXPECT_EQ(0, answer(job, 12));
		EXPECT_EQ(0, task_join(task));
		EXPECT_EQ(1, job->ret);
		EXPECT_EQ(12, job->answer);
		EXPECT_EQ(0, job->sent);
		drop_job(job);
	}
}

TEST_F(call, goes_on_by_itself_without_sending_twice)
{
	struct job *job = new_job(4);
	struct task *task;

	count_signals(SA_RESTART);
	task = task_start(variant->kind, do_call, job);
	for (int i = 1; i <= 3; i++) {
		wait_blocked(job->answers, 0, 1);
		task_signal(task, SIGUSR1);
		wait_until(load(handled) == i);
	}
	wait_blocked(job->answers, 0, 1);
	EXPECT_EQ(1, chan_len(job->requests));
	EXPECT_EQ(0, answer(job, 12));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(1, job->ret);
	EXPECT_EQ(12, job->answer);
	EXPECT_EQ(1, chan_len(job->requests));
	drop_job(job);
}

TEST_F(call, cancelled_while_it_waits_for_the_answer)
{
	struct job *job = new_job(4);
	struct task *task;

	job->stop = must_have(chan_cancel_make());
	task = task_start(variant->kind, do_call, job);
	wait_blocked(job->answers, 0, 1);
	EXPECT_EQ(1, err(chan_cancel(job->stop, EIO)));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(-ECANCELED, job->ret);
	EXPECT_EQ(1, job->sent);
	EXPECT_EQ(1, chan_len(job->requests));
	EXPECT_EQ(0, answer(job, 12));
	EXPECT_EQ(1, call_with(job, NULL));
	EXPECT_EQ(12, job->answer);
	drop_job(job);
}

TEST_F(call, cancelled_while_it_waits_to_send)
{
	struct job *job = new_job(0);
	struct task *task;

	job->stop = must_have(chan_cancel_make());
	ASSERT_EQ(0, answer(job, 12));
	task = task_start(variant->kind, do_call, job);
	wait_blocked(job->requests, 1, 0);
	EXPECT_EQ(1, err(chan_cancel(job->stop, EIO)));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(-ECANCELED, job->ret);
	EXPECT_EQ(0, job->sent);
	EXPECT_EQ(1, chan_len(job->answers));
	drop_job(job);
}

/* Whatever is wrong with either half is found before anything is sent. */
TEST(senseless)
{
	struct job *job = new_job(4);
	struct chan *q = job->requests, *a = job->answers;
	struct chan *deaf = must_restrict(a, CHAN_SEND), *dumb = must_restrict(q, CHAN_RECV);
	struct chan_bounds cancel = { .cancel = must_have(chan_cancel_make()) };
	const struct chan_bounds *bounds[] = { NULL, &cancel };
	int *sent = &job->sent;

	ASSERT_EQ(0, answer(job, 12));
	for (int i = 0; i < 2; i++) {
		const struct chan_bounds *b = bounds[i];
		struct request *r = &job->request;
		long *l = &job->answer;

		EXPECT_EQ(-EBADF, err(chan_call_with(NULL, r, a, l, sent, b)));
		EXPECT_EQ(-EBADF, err(chan_call_with(q, r, NULL, l, sent, b)));
		EXPECT_EQ(-EBADF, err(chan_call_with(dumb, r, a, l, sent, b)));
		EXPECT_EQ(-EBADF, err(chan_call_with(q, r, deaf, l, sent, b)));
		EXPECT_EQ(-EFAULT, err(chan_call_with(q, NULL, a, l, sent, b)));
		EXPECT_EQ(-EFAULT, err(chan_call_with(q, r, a, NULL, sent, b)));
	}
	EXPECT_EQ(-EINVAL, call_until(job, -1));
	EXPECT_EQ(0, job->sent);
	EXPECT_EQ(0, chan_len(q));
	EXPECT_EQ(1, chan_len(a));
	chan_cancel_drop(cancel.cancel);
	chan_drop(deaf);
	chan_drop(dumb);
	drop_job(job);
}

TEST(bad_address_for_the_answer)
{
	struct job *job = new_job(4);
	void *nowhere = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(0, answer(job, 12));
	EXPECT_EQ(-EFAULT, err(chan_call(job->requests, nowhere, job->answers, &job->answer,
					 &job->sent)));
	EXPECT_EQ(0, job->sent);
	EXPECT_EQ(-EFAULT, err(chan_call(job->requests, &job->request, job->answers, nowhere,
					 &job->sent)));
	EXPECT_EQ(1, job->sent);
	EXPECT_EQ(1, chan_len(job->requests));
	EXPECT_EQ(1, chan_len(job->answers));
	EXPECT_EQ(1, try_call(job));
	EXPECT_EQ(12, job->answer);
	drop_job(job);
}

TEST_HARNESS_MAIN
