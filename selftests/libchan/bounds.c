// SPDX-License-Identifier: GPL-2.0-only
/*
 * The four forms of every call that waits: what has to be waited for is not there
 * until the test brings it about.
 */
#include "kselftest_harness.h"
#include "chan_util.h"

#define HOUR (3600 * CHAN_SECOND)

/* What a wait is about; each has only what it needs. */
struct scene {
	const void *on; /* whose counters show that it waits */
	struct chan *c, *requests;
	struct chan_wg *wg;
	struct chan_sem *sem;
	struct chan_mutex *m;
	struct chan_rwmutex *rw;
	struct chan_once *once;
	struct chan_cond *cond;
	struct chan_timer *timer;
	struct chan_cells *cells;
	struct chan_cancel *cancel;
};

/* One call in its four forms, and how it comes to its end. */
struct form {
	void (*prepare)(struct scene *s);
	int (*plain)(struct scene *s);
	int (*try)(struct scene *s); /* NULL: there is none */
	int (*until)(struct scene *s, int64_t deadline);
	int (*with)(struct scene *s, const struct chan_bounds *bounds);
	int (*bring)(struct scene *s);
	int result; /* what the call returns then */
};

static uint64_t got;
static int element;

#define FORMS_BUT_TRY(NAME, KIND, VERB, ...)					\
static int NAME##_plain(struct scene *s)					\
{										\
	return err(KIND##_##VERB(__VA_ARGS__));					\
}										\
static int NAME##_until(struct scene *s, int64_t deadline)			\
{										\
	return err(KIND##_##VERB##_until(__VA_ARGS__, deadline));		\
}										\
static int NAME##_with(struct scene *s, const struct chan_bounds *bounds)	\
{										\
	return err(KIND##_##VERB##_with(__VA_ARGS__, bounds));			\
}										\
static const struct form form_##NAME = {					\
	NAME##_prepare, NAME##_plain, NAME##_try, NAME##_until, NAME##_with,	\
	NAME##_bring, NAME##_result,						\
}

#define TRY(NAME, KIND, VERB, ...)						\
static int NAME##_try(struct scene *s)						\
{										\
	return err(KIND##_try_##VERB(__VA_ARGS__));				\
}

#define FORMS(NAME, KIND, VERB, ...)						\
TRY(NAME, KIND, VERB, __VA_ARGS__)						\
FORMS_BUT_TRY(NAME, KIND, VERB, __VA_ARGS__)

#define send_result 0

static void send_prepare(struct scene *s)
{
	s->on = s->c = must_make(sizeof(int), 1);
	must(!chan_send(s->c, &element));
}

static int send_bring(struct scene *s)
{
	int value;

	return chan_recv(s->c, &value) == 1 ? 0 : -errno;
}

FORMS(send, chan, send, s->c, &element);

#define recv_result 1

static void recv_prepare(struct scene *s)
{
	s->on = s->c = must_make(sizeof(int), 1);
}

static int recv_bring(struct scene *s)
{
	return err(chan_send(s->c, &element));
}

FORMS(recv, chan, recv, s->c, &element);

/* Batches wait as single calls do, as long as nothing is moved. */
static const void *const to_send[] = { &element };
static void *const room[] = { &element, &element };

#define send_many_result 1
#define send_many_prepare send_prepare
#define send_many_bring send_bring
FORMS(send_many, chan, send_many, s->c, &element, 1);

#define send_vec_result 1
#define send_vec_prepare send_prepare
#define send_vec_bring send_bring
FORMS(send_vec, chan, send_vec, s->c, to_send, 1);

#define recv_many_result 1
#define recv_many_prepare recv_prepare
#define recv_many_bring recv_bring
TRY(recv_many, chan, recv_many, s->c, &element, 1)
FORMS_BUT_TRY(recv_many, chan, recv_many, s->c, &element, 1, 1);

#define recv_vec_result 1
#define recv_vec_prepare recv_prepare
#define recv_vec_bring recv_bring
TRY(recv_vec, chan, recv_vec, s->c, room, 2)
FORMS_BUT_TRY(recv_vec, chan, recv_vec, s->c, room, 1, 2);

/* A call waits in each of its halves: to send, with the answer there already... */
#define request_result 1

static void request_prepare(struct scene *s)
{
	s->on = s->requests = must_make(sizeof(int), 1);
	must(!chan_send(s->requests, &element));
	s->c = must_make(sizeof(int), 1);
	must(!chan_send(s->c, &element));
}

static int request_bring(struct scene *s)
{
	int value;

	return chan_recv(s->requests, &value) == 1 ? 0 : -errno;
}

FORMS(request, chan, call, s->requests, &element, s->c, &element, NULL);

/* ...and to receive, with room for any number of requests. */
#define answer_result 1

static void answer_prepare(struct scene *s)
{
	recv_prepare(s);
	s->requests = must_have(chan_make_policy(sizeof(int), 1, CHAN_LATEST));
}

#define answer_bring recv_bring
FORMS(answer, chan, call, s->requests, &element, s->c, &element, NULL);

#define add_result 0

static void add_prepare(struct scene *s)
{
	s->on = s->wg = must_have(chan_wg_make(3));
	must(!chan_wg_add(s->wg, 2));
}

static int add_bring(struct scene *s)
{
	return err(chan_wg_done(s->wg));
}

FORMS(add, chan_wg, add, s->wg, 2);

#define zero_result 0

static void zero_prepare(struct scene *s)
{
	s->on = s->wg = must_have(chan_wg_make(0));
	must(!chan_wg_add(s->wg, 1));
}

#define zero_bring add_bring
FORMS(zero, chan_wg, wait, s->wg);

#define acquire_result 0

static void acquire_prepare(struct scene *s)
{
	s->on = s->sem = must_have(chan_sem_make(4));
	must(!chan_sem_acquire(s->sem, 3));
}

static int acquire_bring(struct scene *s)
{
	return err(chan_sem_release(s->sem, 1));
}

FORMS(acquire, chan_sem, acquire, s->sem, 2);

#define lock_result 0

static void lock_prepare(struct scene *s)
{
	s->on = s->m = must_have(chan_mutex_make());
	must(!chan_mutex_lock(s->m));
}

static int lock_bring(struct scene *s)
{
	return err(chan_mutex_unlock(s->m));
}

FORMS(lock, chan_mutex, lock, s->m);

#define wlock_result 0

static void wlock_prepare(struct scene *s)
{
	s->on = s->rw = must_have(chan_rwmutex_make());
	must(!chan_rwmutex_rlock(s->rw));
}

static int wlock_bring(struct scene *s)
{
	return err(chan_rwmutex_runlock(s->rw));
}

FORMS(wlock, chan_rwmutex, lock, s->rw);

#define rlock_result 0

static void rlock_prepare(struct scene *s)
{
	s->on = s->rw = must_have(chan_rwmutex_make());
	must(!chan_rwmutex_lock(s->rw));
}

static int rlock_bring(struct scene *s)
{
	return err(chan_rwmutex_unlock(s->rw));
}

FORMS(rlock, chan_rwmutex, rlock, s->rw);

#define begin_result 1

static void begin_prepare(struct scene *s)
{
	s->on = s->once = must_have(chan_once_make());
	must(!chan_once_begin(s->once));
}

static int begin_bring(struct scene *s)
{
	return err(chan_once_done(s->once));
}

FORMS(begin, chan_once, begin, s->once);

#define tick_result 0

static void tick_prepare(struct scene *s)
{
	s->on = s->timer = must_have(chan_timer_make());
}

static int tick_bring(struct scene *s)
{
	return err(chan_timer_set(s->timer, 1));
}

FORMS(tick, chan_timer, wait, s->timer, &got);

#define differs_result 0

static void differs_prepare(struct scene *s)
{
	s->on = s->cells = must_have(chan_cells_make(2));
}

static int differs_bring(struct scene *s)
{
	return err(chan_cells_store(s->cells, 1, 5));
}

FORMS(differs, chan_cells, wait, s->cells, 1, 0, &got);

#define cancelled_result ENOENT

static void cancelled_prepare(struct scene *s)
{
	s->on = s->cancel = must_have(chan_cancel_make());
}

static int cancelled_bring(struct scene *s)
{
	return chan_cancel(s->cancel, ENOENT) == 1 ? 0 : -errno;
}

FORMS(cancelled, chan_cancel, wait, s->cancel);

/* A condition has no try; nothing may be signalled before somebody waits. */
static void cond_prepare(struct scene *s)
{
	s->on = s->cond = must_have(chan_cond_make());
	s->m = must_have(chan_mutex_make());
	must(!chan_mutex_lock(s->m));
}

static int cond_plain(struct scene *s)
{
	return err(chan_cond_wait(s->cond, s->m));
}

static int cond_until(struct scene *s, int64_t deadline)
{
	return err(chan_cond_wait_until(s->cond, s->m, deadline));
}

static int cond_with(struct scene *s, const struct chan_bounds *bounds)
{
	return err(chan_cond_wait_with(s->cond, s->m, bounds));
}

static int cond_bring(struct scene *s)
{
	return chan_cond_signal(s->cond) == 1 ? 0 : -errno;
}

static const struct form form_cond = {
	cond_prepare, cond_plain, NULL, cond_until, cond_with, cond_bring, 0,
};

/* Select is a wait as others are; that of two cases stands for all. */
static struct chan_case *two_cases(struct scene *s, struct chan_case *cases)
{
	cases[0] = chan_on_zero(s->wg);
	cases[1] = chan_on_recv(s->c, &element);
	return cases;
}

static void select_prepare(struct scene *s)
{
	recv_prepare(s);
	s->wg = must_have(chan_wg_make(0));
	must(!chan_wg_add(s->wg, 1));
}

static int select_plain(struct scene *s)
{
	return err(chan_select(two_cases(s, (struct chan_case[2]){ { 0 } }), 2));
}

static int select_try(struct scene *s)
{
	return err(chan_try_select(two_cases(s, (struct chan_case[2]){ { 0 } }), 2));
}

static int select_until(struct scene *s, int64_t deadline)
{
	return err(chan_select_until(two_cases(s, (struct chan_case[2]){ { 0 } }), 2, deadline));
}

static int select_with(struct scene *s, const struct chan_bounds *bounds)
{
	return err(chan_select_with(two_cases(s, (struct chan_case[2]){ { 0 } }), 2, 0, bounds));
}

static const struct form form_select = {
	select_prepare, select_plain, select_try, select_until, select_with, recv_bring, 1,
};

FIXTURE(bounds)
{
	struct scene s;
	struct chan_cancel *stop;
};

FIXTURE_VARIANT(bounds)
{
	const struct form *form;
};

FIXTURE_VARIANT_ADD(bounds, send) { .form = &form_send };
FIXTURE_VARIANT_ADD(bounds, recv) { .form = &form_recv };
FIXTURE_VARIANT_ADD(bounds, send_many) { .form = &form_send_many };
FIXTURE_VARIANT_ADD(bounds, send_vec) { .form = &form_send_vec };
FIXTURE_VARIANT_ADD(bounds, recv_many) { .form = &form_recv_many };
FIXTURE_VARIANT_ADD(bounds, recv_vec) { .form = &form_recv_vec };
FIXTURE_VARIANT_ADD(bounds, request) { .form = &form_request };
FIXTURE_VARIANT_ADD(bounds, answer) { .form = &form_answer };
FIXTURE_VARIANT_ADD(bounds, add) { .form = &form_add };
FIXTURE_VARIANT_ADD(bounds, zero) { .form = &form_zero };
FIXTURE_VARIANT_ADD(bounds, acquire) { .form = &form_acquire };
FIXTURE_VARIANT_ADD(bounds, lock) { .form = &form_lock };
FIXTURE_VARIANT_ADD(bounds, wlock) { .form = &form_wlock };
FIXTURE_VARIANT_ADD(bounds, rlock) { .form = &form_rlock };
FIXTURE_VARIANT_ADD(bounds, begin) { .form = &form_begin };
FIXTURE_VARIANT_ADD(bounds, tick) { .form = &form_tick };
FIXTURE_VARIANT_ADD(bounds, differs) { .form = &form_differs };
FIXTURE_VARIANT_ADD(bounds, cancelled) { .form = &form_cancelled };
FIXTURE_VARIANT_ADD(bounds, cond) { .form = &form_cond };
FIXTURE_VARIANT_ADD(bounds, select) { .form = &form_select };

FIXTURE_SETUP(bounds)
{
	variant->form->prepare(&self->s);
	self->stop = must_have(chan_cancel_make());
}

FIXTURE_TEARDOWN(bounds)
{
	struct scene *s = &self->s;

	chan_drop(s->c);
	chan_drop(s->requests);
	chan_wg_drop(s->wg);
	chan_sem_drop(s->sem);
	chan_mutex_drop(s->m);
	chan_rwmutex_drop(s->rw);
	chan_once_drop(s->once);
	chan_cond_drop(s->cond);
	chan_timer_drop(s->timer);
	chan_cells_drop(s->cells);
	chan_cancel_drop(s->cancel);
	chan_cancel_drop(self->stop);
}

/* ---- a wait in another thread ---- */

struct job {
	const struct form *form;
	struct scene *s;
	const struct chan_bounds *bounds;
	bool plain;
	int ret;
};

static int do_wait(void *arg)
{
	struct job *job = arg;

	job->ret = job->plain ? job->form->plain(job->s) : job->form->with(job->s, job->bounds);
	return 0;
}

static bool one_waits(const void *on)
{
	struct chan_object_stat stat = state_of(on);

	return stat.waiting_senders + stat.waiting_receivers == 1;
}

/* It blocks, which the object's own counters show. */
static struct task *start_wait(struct job *job)
{
	struct task *task = task_start(THREAD, do_wait, job);

	wait_until(one_waits(job->s->on));
	return task;
}

TEST_F(bounds, plain_waits)
{
	struct job job = { .form = variant->form, .s = &self->s, .plain = true };
	struct task *task = start_wait(&job);

	EXPECT_EQ(0, variant->form->bring(&self->s));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(variant->form->result, job.ret);
}

TEST_F(bounds, try_does_not)
{
	struct chan_object_stat before = state_of(self->s.on);

	if (!variant->form->try)
		return;
	EXPECT_EQ(-EAGAIN, variant->form->try(&self->s));
	EXPECT_TRUE(same_state(before, self->s.on));
	EXPECT_EQ(0, variant->form->bring(&self->s));
	EXPECT_EQ(variant->form->result, variant->form->try(&self->s));
}

TEST_F(bounds, until_a_deadline)
{
	struct chan_object_stat before = state_of(self->s.on);
	int64_t soon = chan_after(5 * CHAN_MILLISECOND);

	EXPECT_EQ(-ETIMEDOUT, variant->form->until(&self->s, 0));
	EXPECT_EQ(-ETIMEDOUT, variant->form->until(&self->s, soon));
	EXPECT_LE(soon, chan_now());
	EXPECT_EQ(-EINVAL, variant->form->until(&self->s, -1));
	EXPECT_TRUE(same_state(before, self->s.on));
}

/* Each clock's own time: one that has passed on the others is still to come. */
TEST_F(bounds, with_a_deadline_on_each_clock)
{
	struct chan_object_stat before = state_of(self->s.on);
	struct chan_bounds soon[] = {
		{ .deadline = now_on(CLOCK_MONOTONIC) + CHAN_MILLISECOND },
		{ .deadline_realtime = now_on(CLOCK_REALTIME) + CHAN_MILLISECOND },
		{ .deadline_boottime = now_on(CLOCK_BOOTTIME) + CHAN_MILLISECOND },
		{ .deadline = 1 },
		{ .deadline_realtime = 1 },
		{ .deadline_boottime = 1, .cancel = self->stop },
		{ .deadline = 1, .cancel = self->stop },
	};

	for (size_t i = 0; i < ARRAY_LEN(soon); i++)
		EXPECT_EQ(-ETIMEDOUT, variant->form->with(&self->s, &soon[i]));
	EXPECT_LE(soon[1].deadline_realtime, now_on(CLOCK_REALTIME));
	EXPECT_LE(soon[2].deadline_boottime, now_on(CLOCK_BOOTTIME));
	EXPECT_TRUE(same_state(before, self->s.on));
}

TEST_F(bounds, senseless)
{
	struct chan_object_stat before = state_of(self->s.on);
	struct chan_bounds wrong[] = {
		{ .deadline = -1 },
		{ .deadline_realtime = -1 },
		{ .deadline_boottime = INT64_MIN },
		{ .deadline = 1, .deadline_realtime = 1 },
		{ .deadline = INT64_MAX, .deadline_boottime = 1 },
		{ .deadline = -1, .cancel = self->stop },
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		EXPECT_EQ(-EINVAL, variant->form->with(&self->s, &wrong[i]));
	EXPECT_TRUE(same_state(before, self->s.on));
}

TEST_F(bounds, cancel_needs_its_right)
{
	struct chan_cancel *deaf = must_have(chan_cancel_restrict(self->stop, CHAN_SEND));
	struct chan_bounds bounds = { .cancel = deaf };

	EXPECT_EQ(-EBADF, variant->form->with(&self->s, &bounds));
	EXPECT_EQ(1, err(chan_cancel(deaf, 0)));
	EXPECT_EQ(-EBADF, variant->form->with(&self->s, &bounds));
	chan_cancel_drop(deaf);
}

TEST_F(bounds, cancelled_before)
{
	struct chan_object_stat before = state_of(self->s.on);
	struct chan_bounds bounds = { .cancel = self->stop };

	ASSERT_EQ(1, err(chan_cancel(self->stop, EIO)));
	EXPECT_EQ(-ECANCELED, variant->form->with(&self->s, &bounds));
	EXPECT_TRUE(same_state(before, self->s.on));
	EXPECT_EQ(EIO, chan_cancel_cause(self->stop));
}

TEST_F(bounds, cancelled_while_it_waits)
{
	struct chan_bounds bounds = { .deadline = chan_after(HOUR), .cancel = self->stop };
	struct job job = { .form = variant->form, .s = &self->s, .bounds = &bounds };
	struct task *task = start_wait(&job);

	wait_blocked(self->stop, 0, 1);
	EXPECT_EQ(1, err(chan_cancel(self->stop, 0)));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(-ECANCELED, job.ret);
	EXPECT_FALSE(one_waits(self->s.on));
}

TEST_F(bounds, not_cancelled)
{
	struct chan_bounds none = { 0 }, all[] = {
		{ .cancel = self->stop },
		{ .deadline = INT64_MAX, .cancel = self->stop },
		{ .deadline_boottime = INT64_MAX },
	};
	const struct chan_bounds *several[] = { NULL, &none, &all[0], &all[1], &all[2] };

	for (size_t i = 0; i < ARRAY_LEN(several); i++) {
		struct scene s = { 0 };
		struct job job = { .form = variant->form, .s = &s, .bounds = several[i] };
		struct task *task;

		variant->form->prepare(&s);
		task = start_wait(&job);
		EXPECT_EQ(0, variant->form->bring(&s));
		EXPECT_EQ(0, task_join(task));
		EXPECT_EQ(variant->form->result, job.ret);
	}
	EXPECT_EQ(0, chan_cancel_cause(self->stop));
}

/* ---- signals ---- */

TEST_F(bounds, a_signal_ends_it)
{
	struct chan_object_stat before = state_of(self->s.on);
	struct chan_bounds bounds = { .deadline = chan_after(HOUR), .cancel = self->stop };

	count_signals(0);
	for (int plain = 0; plain < 2; plain++) {
		struct job job = { .form = variant->form, .s = &self->s, &bounds, plain };
		struct task *task = start_wait(&job);

		task_signal(task, SIGUSR1);
		EXPECT_EQ(0, task_join(task));
		EXPECT_EQ(-EINTR, job.ret);
		EXPECT_TRUE(same_state(before, self->s.on));
	}
}

/* But for conditions, which POSIX has no restart for either. */
TEST_F(bounds, goes_on_where_the_handler_says_so)
{
	struct chan_bounds bounds = { .deadline = chan_after(HOUR), .cancel = self->stop };

	count_signals(SA_RESTART);
	for (int plain = 0; plain < 2; plain++) {
		struct scene s = { 0 };
		struct job job = { .form = variant->form, .s = &s, &bounds, plain };
		struct task *task;

		variant->form->prepare(&s);
		task = start_wait(&job);
		store(handled, 0);
		task_signal(task, SIGUSR1);
		wait_until(load(handled) == 1);
		must(variant->form == &form_cond || !variant->form->bring(&s));
		EXPECT_EQ(0, task_join(task));
		EXPECT_EQ(variant->form == &form_cond ? -EINTR : variant->form->result, job.ret);
	}
}

TEST_F(bounds, no_handle)
{
	struct chan_bounds wrong = { .deadline = -1 };
	struct scene none = { 0 };

	if (variant->form == &form_select)
		return;
	EXPECT_EQ(-EBADF, variant->form->plain(&none));
	EXPECT_EQ(-EBADF, variant->form->try ? variant->form->try(&none) : -EBADF);
	EXPECT_EQ(-EBADF, variant->form->until(&none, 0));
	EXPECT_EQ(-EBADF, variant->form->with(&none, NULL));
	EXPECT_EQ(-EBADF, variant->form->with(&none, &wrong));
	EXPECT_EQ(-EBADF, variant->form->with(&none, &(struct chan_bounds){
		.deadline = 1, .deadline_realtime = 1, .cancel = self->stop,
	}));
}

TEST_HARNESS_MAIN
