// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several elements in one call, as they lie in memory: in order, each once, and what
 * was moved is told whatever came in the way of more.  bounds.c has the forms of these
 * calls where nothing is moved.
 */
#include "kselftest_harness.h"
#include "chan_util.h"

#define MANY 500	/* several of the kernel's steps, and of a vector's pieces */
#define HOUR (3600 * CHAN_SECOND)

/* Elements far from each other. */
struct scattered {
	int value;
	char gap[60];
};

/* From @first on. */
static void count_from(int first, int *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		values[i] = first + (int)i;
}

/* How many of them are in their places. */
static size_t right(int first, const int *values, size_t n)
{
	size_t good = 0;

	for (size_t i = 0; i < n; i++)
		good += values[i] == first + (int)i;
	return good;
}

static int next_value(struct chan *c)
{
	int value, ret = err(chan_try_recv(c, &value));

	return ret == 1 ? value : ret;
}

TEST(all_in_order)
{
	struct chan *c = must_make(sizeof(int), MANY);
	int out[MANY], in[MANY + 1];

	count_from(1, out, MANY);
	EXPECT_EQ(MANY, err(chan_send_many(c, out, MANY)));
	EXPECT_EQ(MANY, chan_len(c));
	EXPECT_EQ(MANY, err(chan_recv_many(c, in, MANY, MANY + 1)));
	EXPECT_EQ(MANY, right(1, in, MANY));
	EXPECT_EQ(0, chan_len(c));
	chan_drop(c);
}

TEST(a_try_moves_what_it_can)
{
	struct chan *c = must_make(sizeof(int), 3);
	int out[5] = { 1, 2, 3, 4, 5 }, in[5];

	EXPECT_EQ(3, err(chan_try_send_many(c, out, 5)));
	EXPECT_EQ(-EAGAIN, err(chan_try_send_many(c, out + 3, 2)));
	EXPECT_EQ(2, err(chan_try_recv_many(c, in, 2)));
	EXPECT_EQ(2, err(chan_try_send_many(c, out + 3, 2)));
	EXPECT_EQ(3, err(chan_try_recv_many(c, in + 2, 3)));
	EXPECT_EQ(5, right(1, in, 5));
	EXPECT_EQ(-EAGAIN, err(chan_try_recv_many(c, in, 5)));
	chan_drop(c);
}

TEST(no_minimum_is_a_try)
{
	struct chan *c = must_make(sizeof(int), 3);
	int values[3] = { 1, 2 };

	EXPECT_EQ(-EAGAIN, err(chan_recv_many(c, values, 0, 3)));
	EXPECT_EQ(-EAGAIN, err(chan_recv_many_until(c, values, 0, 3, INT64_MAX)));
	EXPECT_EQ(2, err(chan_send_many(c, values, 2)));
	EXPECT_EQ(2, err(chan_recv_many(c, values, 0, 3)));
	chan_drop(c);
}

TEST(no_more_than_asked_for)
{
	struct chan *c = must_make(sizeof(int), 5);
	int out[5] = { 1, 2, 3, 4, 5 }, in[5] = { 0 };

	EXPECT_EQ(4, err(chan_send_many(c, out, 4)));
	EXPECT_EQ(2, err(chan_recv_many(c, in, 1, 2)));
	EXPECT_EQ(0, in[2]);
	EXPECT_EQ(2, chan_len(c));
	EXPECT_EQ(3, next_value(c));
	EXPECT_EQ(4, next_value(c));
	chan_drop(c);
}

TEST(elements_that_lie_anywhere)
{
	struct chan *c = must_make(sizeof(int), MANY);
	static struct scattered out[MANY], in[MANY];
	const void *from[MANY];
	void *to[MANY];

	for (int i = 0; i < MANY; i++) {
		out[i].value = i + 1;
		from[i] = &out[MANY - 1 - i].value;
		to[i] = &in[i].value;
		memset(in[i].gap, 0xa5, sizeof(in[i].gap));
	}
	EXPECT_EQ(MANY, err(chan_send_vec(c, from, MANY)));
	EXPECT_EQ(MANY, err(chan_recv_vec(c, to, 1, MANY)));
	for (int i = 0; i < MANY; i++) {
		ASSERT_EQ(MANY - i, in[i].value);
		ASSERT_EQ((char)0xa5, in[i].gap[0]);
	}
	EXPECT_EQ(-EAGAIN, err(chan_try_recv_vec(c, to, MANY)));
	EXPECT_EQ(2, err(chan_try_send_vec(c, from, 2)));
	EXPECT_EQ(2, err(chan_try_recv_vec(c, to, MANY)));
	chan_drop(c);
}

TEST(pure_signals)
{
	struct chan *c = must_make(0, 5);

	EXPECT_EQ(3, err(chan_send_many(c, NULL, 3)));
	EXPECT_EQ(2, err(chan_try_send_vec(c, NULL, 3)));
	EXPECT_EQ(4, err(chan_recv_many(c, NULL, 1, 4)));
	EXPECT_EQ(1, err(chan_recv_vec(c, NULL, 1, 4)));
	EXPECT_EQ(-EAGAIN, err(chan_try_recv_many(c, NULL, 4)));
	chan_drop(c);
}

TEST(the_largest_elements)
{
	static unsigned char out[3][CHAN_ELEM_MAX], in[3][CHAN_ELEM_MAX];
	struct chan *c = must_make(CHAN_ELEM_MAX, 2);

	for (size_t i = 0; i < sizeof(out); i++)
		out[i / CHAN_ELEM_MAX][i % CHAN_ELEM_MAX] = (unsigned char)(i * 7 + i / 251);
	EXPECT_EQ(2, err(chan_try_send_many(c, out, 3)));
	EXPECT_EQ(2, err(chan_recv_many(c, in, 1, 3)));
	EXPECT_EQ(0, memcmp(out, in, 2 * sizeof(*out)));
	chan_drop(c);
}

TEST(the_end_comes_after_the_last)
{
	struct chan *c = must_make(sizeof(int), 4);
	int values[4] = { 1, 2, 0x5a, 0x5a };

	EXPECT_EQ(2, err(chan_send_many(c, values, 2)));
	EXPECT_EQ(0, err(chan_close(c)));
	EXPECT_EQ(2, err(chan_recv_many(c, values, 4, 4)));
	EXPECT_EQ(2, right(1, values, 2));
	EXPECT_EQ(0, err(chan_recv_many(c, values, 4, 4)));
	EXPECT_EQ(0, err(chan_try_recv_many(c, values, 4)));
	EXPECT_EQ(-EPIPE, err(chan_send_many(c, values, 2)));
	chan_drop(c);
}

TEST(a_deadline_tells_of_those_before)
{
	struct chan *c = must_make(sizeof(int), 3);
	int out[5] = { 1, 2, 3, 4, 5 }, in[5];
	int64_t soon = chan_after(5 * CHAN_MILLISECOND);

	EXPECT_EQ(3, err(chan_send_many_until(c, out, 5, soon)));
	EXPECT_LE(soon, chan_now());
	EXPECT_EQ(-ETIMEDOUT, err(chan_send_many_until(c, out + 3, 2, soon)));
	EXPECT_EQ(3, err(chan_recv_many_until(c, in, 4, 5, chan_after(5 * CHAN_MILLISECOND))));
	EXPECT_EQ(-ETIMEDOUT, err(chan_recv_many_until(c, in + 3, 1, 2, soon)));
	EXPECT_EQ(3, right(1, in, 3));
	chan_drop(c);
}

/* What is behind bad memory stays where it is, and what is before is told of. */
TEST(bad_addresses)
{
	struct chan *c = must_make(sizeof(int), 4);
	int one = 1, two = 2, three = 3;
	int *two_at_the_end = (int *)(page_before_hole() + PAGE) - 1;
	const void *from[] = { &one, &two, NULL, &three };
	void *to[] = { &three, NULL };

	EXPECT_EQ(2, err(chan_send_vec(c, from, 4)));
	EXPECT_EQ(-EFAULT, err(chan_send_vec(c, from + 2, 2)));
	EXPECT_EQ(2, chan_len(c));
	EXPECT_EQ(1, err(chan_recv_vec(c, to, 2, 2)));
	EXPECT_EQ(1, three);
	EXPECT_EQ(-EFAULT, err(chan_recv_vec(c, to + 1, 1, 1)));
	EXPECT_EQ(2, next_value(c));
	two_at_the_end[0] = 4;
	EXPECT_EQ(1, err(chan_send_many(c, two_at_the_end, 2)));
	EXPECT_EQ(0, err(chan_send(c, &one)));
	EXPECT_EQ(1, err(chan_recv_many(c, two_at_the_end, 2, 2)));
	EXPECT_EQ(4, two_at_the_end[0]);
	EXPECT_EQ(1, next_value(c));
	chan_drop(c);
}

/* ---- one that waits, in a thread or a process of its own ---- */

struct job {
	struct chan *c;
	struct chan_cancel *stop;
	int values[MANY];
	size_t min, n;
	int ret;
};

TASK_FIXTURE(batches)

static struct job *new_job(struct chan *c, size_t min, size_t n)
{
	struct job *job = shared_alloc(sizeof(*job));

	*job = (struct job){ .c = c, .min = min, .n = n, .ret = 0x5a5a };
	return job;
}

static int send_them(void *arg)
{
	struct job *job = arg;
	struct chan_bounds bounds = { .deadline = chan_after(HOUR), .cancel = job->stop };

	count_from(1, job->values, job->n);
	job->ret = err(chan_send_many_with(job->c, job->values, job->n, &bounds));
	return 0;
}

static int recv_them(void *arg)
{
	struct job *job = arg;
	struct chan_bounds bounds = { .deadline = chan_after(HOUR), .cancel = job->stop };

	job->ret = err(chan_recv_many_with(job->c, job->values, job->min, job->n, &bounds));
	return 0;
}

TEST_F(batches, a_sender_waits_until_all_are_sent)
{
	struct chan *c = must_make(sizeof(int), 4);
	struct job *job = new_job(c, MANY, MANY);
	struct task *task = task_start(variant->kind, send_them, job);
	int value;

	for (int i = 1; i <= MANY; i++) {
		ASSERT_EQ(1, err(chan_recv(c, &value)));
		ASSERT_EQ(i, value);
	}
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(MANY, job->ret);
	chan_drop(c);
}

TEST_F(batches, a_receiver_waits_for_its_minimum)
{
	struct chan *c = must_make(sizeof(int), 8);
	struct job *job = new_job(c, 3, 8);
	struct task *task;
	int values[3] = { 1, 2, 3 };

	ASSERT_EQ(1, err(chan_send_many(c, values, 1)));
	task = task_start(variant->kind, recv_them, job);
	wait_blocked(c, 0, 1);
	EXPECT_EQ(0, chan_len(c));
	EXPECT_EQ(0, err(chan_send(c, &values[1])));
	wait_blocked(c, 0, 1);
	EXPECT_EQ(0x5a5a, load(&job->ret));
	EXPECT_EQ(0, err(chan_send(c, &values[2])));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(3, job->ret);
	EXPECT_EQ(3, right(1, job->values, 3));
	chan_drop(c);
}

TEST_F(batches, at_a_rendezvous)
{
	struct chan *c = must_make(sizeof(int), 0);
	struct job *job = new_job(c, 5, 5);
	struct task *task = task_start(variant->kind, send_them, job);
	int values[5];

	EXPECT_EQ(5, err(chan_recv_many(c, values, 5, 5)));
	EXPECT_EQ(5, right(1, values, 5));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(5, job->ret);
	chan_drop(c);
}

TEST_F(batches, a_close_tells_of_those_before)
{
	struct chan *c = must_make(sizeof(int), 2), *empty = must_make(sizeof(int), 2);
	struct job *out = new_job(c, 5, 5), *in = new_job(empty, 2, 5);
	struct task *sender = task_start(variant->kind, send_them, out);
	struct task *receiver = task_start(variant->kind, recv_them, in);

	EXPECT_EQ(0, err(chan_send(empty, &(int){ 1 })));
	wait_blocked(c, 1, 0);
	wait_blocked(empty, 0, 1);
	wait_until(!chan_len(empty));
	EXPECT_EQ(0, err(chan_close(c)));
	EXPECT_EQ(0, err(chan_close(empty)));
	EXPECT_EQ(0, task_join(sender));
	EXPECT_EQ(0, task_join(receiver));
	EXPECT_EQ(2, out->ret);
	EXPECT_EQ(1, in->ret);
	EXPECT_EQ(1, in->values[0]);
	EXPECT_EQ(2, chan_len(c));
	chan_drop(c);
	chan_drop(empty);
}

/* Once without a cancel, which the kernel does in one call, and once with. */
TEST_F(batches, a_signal_tells_of_those_before)
{
	struct chan_cancel *stop = must_have(chan_cancel_make());

	count_signals(0);
	for (int with_cancel = 0; with_cancel < 2; with_cancel++) {
		struct chan *c = must_make(sizeof(int), 2);
		struct job *job = new_job(c, 5, 5);
		struct task *task;

		job->stop = with_cancel ? stop : NULL;
		task = task_start(variant->kind, send_them, job);
		wait_blocked(c, 1, 0);
		task_signal(task, SIGUSR1);
		EXPECT_EQ(0, task_join(task));
		EXPECT_EQ(2, job->ret);
		EXPECT_EQ(1, next_value(c));
		EXPECT_EQ(2, next_value(c));
		EXPECT_EQ(-EAGAIN, next_value(c));
		chan_drop(c);
	}
	chan_cancel_drop(stop);
}

/* As many moved as 32-bit programs ask the kernel for at a time: it ends there, too. */
TEST_F(batches, a_signal_after_sixty_four)
{
	struct chan *c = must_make(sizeof(int), 64);
	struct job *job = new_job(c, MANY, MANY);
	struct task *task;

	count_signals(0);
	task = task_start(variant->kind, send_them, job);
	wait_blocked(c, 1, 0);
	task_signal(task, SIGUSR1);
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(64, job->ret);
	EXPECT_EQ(64, chan_len(c));
	chan_drop(c);
}

/* ---- with a cancel, which the kernel's batches know nothing of ---- */

TEST_F(batches, a_cancel_tells_of_those_before)
{
	struct chan *c = must_make(sizeof(int), 3);
	struct job *job = new_job(c, 5, 5);
	struct task *task;

	job->stop = must_have(chan_cancel_make());
	task = task_start(variant->kind, send_them, job);
	wait_blocked(c, 1, 0);
	EXPECT_EQ(1, next_value(c));
	wait_blocked(c, 1, 0);
	wait_until(chan_len(c) == 3);
	EXPECT_EQ(1, err(chan_cancel(job->stop, EIO)));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(4, job->ret);
	for (int i = 2; i <= 4; i++)
		EXPECT_EQ(i, next_value(c));
	EXPECT_EQ(-EAGAIN, next_value(c));
	chan_cancel_drop(job->stop);
	chan_drop(c);
}

TEST_F(batches, a_cancel_that_does_not_come)
{
	struct chan *c = must_make(sizeof(int), 4);
	struct job *out = new_job(c, MANY, MANY), *in = new_job(c, MANY, MANY);
	struct task *sender, *receiver;

	out->stop = must_have(chan_cancel_make());
	in->stop = out->stop;
	sender = task_start(variant->kind, send_them, out);
	receiver = task_start(variant->kind, recv_them, in);
	EXPECT_EQ(0, task_join(sender));
	EXPECT_EQ(0, task_join(receiver));
	EXPECT_EQ(MANY, out->ret);
	EXPECT_EQ(MANY, in->ret);
	EXPECT_EQ(MANY, right(1, in->values, MANY));
	chan_cancel_drop(out->stop);
	chan_drop(c);
}

/* Even where nothing has to be waited for, as with single calls. */
TEST(cancelled_before)
{
	struct chan *c = must_make(sizeof(int), 4);
	struct chan_bounds bounds = { .cancel = must_have(chan_cancel_make()) };
	int values[4] = { 1, 2, 3, 4 };

	ASSERT_EQ(2, err(chan_send_many_with(c, values, 2, &bounds)));
	ASSERT_EQ(1, err(chan_cancel(bounds.cancel, 0)));
	EXPECT_EQ(-ECANCELED, err(chan_send_many_with(c, values, 2, &bounds)));
	EXPECT_EQ(-ECANCELED, err(chan_recv_many_with(c, values, 0, 4, &bounds)));
	EXPECT_EQ(2, chan_len(c));
	chan_cancel_drop(bounds.cancel);
	chan_drop(c);
}

TEST(no_more_than_asked_for_with_a_cancel)
{
	struct chan *c = must_make(sizeof(int), 4);
	struct chan_bounds bounds = { .cancel = must_have(chan_cancel_make()) };
	int out[4] = { 1, 2, 3, 4 }, in[4] = { 0 };
	void *to[4] = { &in[0], &in[1], &in[2], NULL };

	EXPECT_EQ(-EAGAIN, err(chan_recv_many_with(c, in, 0, 4, &bounds)));
	EXPECT_EQ(4, err(chan_send_many_with(c, out, 4, &bounds)));
	EXPECT_EQ(1, err(chan_recv_many_with(c, in, 1, 1, &bounds)));
	EXPECT_EQ(2, err(chan_recv_vec_with(c, to + 1, 1, 3, &bounds)));
	EXPECT_EQ(3, right(1, in, 3));
	EXPECT_EQ(-EFAULT, err(chan_recv_vec_with(c, to + 3, 1, 1, &bounds)));
	EXPECT_EQ(0, err(chan_close(c)));
	EXPECT_EQ(1, err(chan_recv_many_with(c, in, 4, 4, &bounds)));
	EXPECT_EQ(4, in[0]);
	EXPECT_EQ(0, err(chan_recv_many_with(c, in, 4, 4, &bounds)));
	EXPECT_EQ(-EPIPE, err(chan_send_many_with(c, out, 4, &bounds)));
	chan_cancel_drop(bounds.cancel);
	chan_drop(c);
}

/* ---- several senders and receivers ---- */

#define SENDERS 3
#define RECEIVERS 2
#define EACH 600

struct crowd {
	struct chan *c;
	int next_sender;
	int arrived[SENDERS * EACH];
};

static int send_each(void *arg)
{
	struct crowd *crowd = arg;
	int values[EACH], me = count_up(&crowd->next_sender);

	count_from(me * EACH, values, EACH);
	for (int done = 0; done < EACH; done += 50)
		CHECK(chan_send_many(crowd->c, values + done, 50) == 50);
	return 0;
}

/* Of one sender, what comes later is later. */
static int recv_each(void *arg)
{
	struct crowd *crowd = arg;
	int values[16], last[SENDERS] = { -1, -1, -1 };
	ssize_t n;

	while ((n = chan_recv_many(crowd->c, values, 1, ARRAY_LEN(values))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			CHECK(values[i] >= 0 && values[i] < SENDERS * EACH);
			CHECK(values[i] > last[values[i] / EACH]);
			last[values[i] / EACH] = values[i];
			count_up(&crowd->arrived[values[i]]);
		}
	}
	CHECK(!n);
	return 0;
}

TEST_F(batches, each_arrives_once)
{
	struct crowd *crowd = shared_alloc(sizeof(*crowd));
	struct task *senders[SENDERS], *receivers[RECEIVERS];

	crowd->c = must_make(sizeof(int), 7);
	for (int i = 0; i < RECEIVERS; i++)
		receivers[i] = task_start(variant->kind, recv_each, crowd);
	for (int i = 0; i < SENDERS; i++)
		senders[i] = task_start(variant->kind, send_each, crowd);
	for (int i = 0; i < SENDERS; i++)
		EXPECT_EQ(0, task_join(senders[i]));
	EXPECT_EQ(0, err(chan_close(crowd->c)));
	for (int i = 0; i < RECEIVERS; i++)
		EXPECT_EQ(0, task_join(receivers[i]));
	for (int i = 0; i < SENDERS * EACH; i++)
		ASSERT_EQ(1, crowd->arrived[i]);
	chan_drop(crowd->c);
}

TEST_HARNESS_MAIN
