// SPDX-License-Identifier: GPL-2.0-only
/* Signals: what they interrupt, what restarts, and that they lose nothing. */
#include <kselftest_harness.h>
#include "kchan_util.h"

FIXTURE(signals) {
	int c;
};

FIXTURE_VARIANT(signals) {
	enum task_kind kind;
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(signals, unbuffered_threads) { THREAD, 0 };
FIXTURE_VARIANT_ADD(signals, unbuffered_processes) { PROCESS, 0 };
FIXTURE_VARIANT_ADD(signals, buffered_threads) { THREAD, 1 };
FIXTURE_VARIANT_ADD(signals, buffered_processes) { PROCESS, 1 };

FIXTURE_SETUP(signals)
{
	self->c = make_chan(8, variant->capacity);
}

FIXTURE_TEARDOWN(signals)
{
	close(self->c);
}

static void fill_up(int c, __u64 capacity)
{
	for (__u64 i = 0; i < capacity; i++)
		must(!send64(c, i));
}

TEST_F(signals, interrupt_a_receive)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct kchan_stat before = chan_stat(self->c);
	struct task *t;

	catch_signal(SIGUSR1, 0);
	one->fd = self->c;
	t = task_start(variant->kind, recv_one, one);
	wait_waiting(self->c, 0, 1);
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EINTR, one->ret);
	EXPECT_EQ(POISON, one->value);
	EXPECT_EQ(true, same_stat(before, self->c));
}

TEST_F(signals, interrupt_a_send)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct kchan_stat before;
	struct task *t;

	catch_signal(SIGUSR1, 0);
	fill_up(self->c, variant->capacity);
	before = chan_stat(self->c);
	*one = (struct one_value){ .fd = self->c, .value = 9 };
	t = task_start(variant->kind, send_one, one);
	wait_waiting(self->c, 1, 0);
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EINTR, one->ret);
	EXPECT_EQ(true, same_stat(before, self->c));
}

TEST_F(signals, restart_a_receive)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct task *t;

	count_signals(SA_RESTART);
	*one = (struct one_value){ .fd = self->c, .ret = 7 };
	t = task_start(variant->kind, recv_one, one);
	for (int i = 1; i <= 20; i++) {
		wait_waiting(self->c, 0, 1);
		task_signal(t, SIGUSR1);
		wait_until(load(handled) == i);
	}
	wait_waiting(self->c, 0, 1);
	EXPECT_EQ(7, one->ret);
	EXPECT_EQ(0, send64(self->c, 3));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, one->ret);
	EXPECT_EQ(3, one->value);
}

TEST_F(signals, restart_a_send)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct task *t;
	__u64 v;

	count_signals(SA_RESTART);
	fill_up(self->c, variant->capacity);
	*one = (struct one_value){ .fd = self->c, .ret = 7, .value = variant->capacity };
	t = task_start(variant->kind, send_one, one);
	for (int i = 1; i <= 20; i++) {
		wait_waiting(self->c, 1, 0);
		task_signal(t, SIGUSR1);
		wait_until(load(handled) == i);
	}
	wait_waiting(self->c, 1, 0);
	EXPECT_EQ(7, one->ret);
	for (__u64 i = 0; i <= variant->capacity; i++) {
		EXPECT_EQ(1, recv64(self->c, &v));
		EXPECT_EQ(i, v);
	}
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, one->ret);
	EXPECT_EQ(-EAGAIN, try_recv64(self->c, &v));
}

struct timed {
	int fd;
	__s64 deadline;
	__s64 ended;
	int ret;
	__u64 value;
	int over;
};

static int recv_until_deadline(void *arg)
{
	struct timed *w = arg;

	w->ret = recv64_until(w->fd, &w->value, w->deadline);
	w->ended = now();
	store(&w->over, 1);
	return 0;
}

/*
 * Restarted again and again, a wait must not begin anew: if each restart began
 * the time again, it would end only after the last signal.
 */
TEST_F(signals, deadline_does_not_drift)
{
	struct timed *w = shared_alloc(sizeof(*w));
	struct task *t;
	int sent = 0;

	count_signals(SA_RESTART);
	*w = (struct timed){ .fd = self->c, .deadline = in_ms(500 * PATIENCE) };
	t = task_start(variant->kind, recv_until_deadline, w);
	while (!load(&w->over)) {
		ASSERT_GT(w->deadline + PATIENCE_NS, now());
		if (!waiting(self->c, 0, 1))
			continue;
		task_signal(t, SIGUSR1);
		sent++;
		usleep(1000);
	}
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-ETIMEDOUT, w->ret);
	EXPECT_LE(w->deadline, w->ended);
	EXPECT_EQ(POISON, w->value);
	EXPECT_LT(1, load(handled));
	EXPECT_LE(load(handled), sent);
}

struct storm {
	int fd;
	__u64 n;
	__u64 interrupted;
	int over;
};

/* Sends 0 .. n - 1; what was interrupted was not sent, and is sent again. */
static int send_in_storm(void *arg)
{
	struct storm *s = arg;
	int ret;

	for (__u64 i = 0; i < s->n; i++) {
		while ((ret = send64(s->fd, i)) == -EINTR)
			count_up(&s->interrupted);
		CHECK(ret == 0);
	}
	store(&s->over, 1);
	return 0;
}

static int recv_in_storm(void *arg)
{
	struct storm *s = arg;
	__u64 v;
	int ret;

	for (__u64 i = 0; i < s->n; i++) {
		while ((ret = recv64(s->fd, &v)) == -EINTR) {
			CHECK(v == POISON);
			count_up(&s->interrupted);
		}
		CHECK(ret == 1);
		CHECK(v == i);
	}
	store(&s->over, 1);
	return 0;
}

static void expect_storm_survived(struct __test_metadata *_metadata, int c, enum task_kind kind,
				  int flags)
{
	struct storm *s = shared_alloc(2 * sizeof(*s));
	struct task *tasks[2];

	catch_signal(SIGUSR1, flags);
	s[0] = (struct storm){ .fd = c, .n = 500 };
	s[1] = s[0];
	tasks[0] = task_start(kind, send_in_storm, &s[0]);
	tasks[1] = task_start(kind, recv_in_storm, &s[1]);
	for (int i = 0; !load(&s[0].over) || !load(&s[1].over); i++) {
		if (!load(&s[i % 2].over))
			task_signal(tasks[i % 2], SIGUSR1);
		/* Now and then let them get on. */
		if (i % 16 == 0)
			usleep(1000);
	}
	EXPECT_EQ(0, task_join(tasks[0]));
	EXPECT_EQ(0, task_join(tasks[1]));
	if (flags & SA_RESTART) {
		EXPECT_EQ(0, s[0].interrupted + s[1].interrupted);
	}
	EXPECT_EQ(0, chan_stat(c).length);
	EXPECT_EQ(true, waiting(c, 0, 0));
}

/* The race: a signal ends the wait at the moment when a peer decides it. */
TEST_F(signals, storm)
{
	expect_storm_survived(_metadata, self->c, variant->kind, 0);
}

TEST_F(signals, storm_with_restart)
{
	expect_storm_survived(_metadata, self->c, variant->kind, SA_RESTART);
}

TEST_HARNESS_MAIN
