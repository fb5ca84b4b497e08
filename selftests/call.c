// SPDX-License-Identifier: GPL-2.0-only
/*
 * A request and its answer in one call: what each end of either half leaves, and that
 * however a call is ended and begun again, its request is sent once.
 */
#include <kselftest_harness.h>
#include "select_util.h"

/* A request says who asks, and where the answer goes; an answer is of another size. */
struct request {
	__u64 number;
	__s32 answers;
	__s32 unused;
};

struct answer {
	__u64 number, twice, mark;
};

enum { REQUEST = sizeof(struct request), ANSWER = sizeof(struct answer), MARK = 0x5a };

static struct request request_of(__u64 number, int answers)
{
	return (struct request){ .number = number, .answers = answers };
}

static bool is_answer(const struct answer *a, __u64 number)
{
	return a->number == number && a->twice == 2 * number && a->mark == MARK;
}

static int send_answer(const struct request *r)
{
	struct answer a = { r->number, 2 * r->number, MARK };

	return chan_send(r->answers, &a, ANSWER);
}

/* ---- one who asks ---- */

struct caller {
	int requests;
	struct request request;
	struct answer answer;
	struct kchan_call call;
	int ret;
	int over;
};

/* In memory that all see: so others know how far it has got. */
static struct caller *new_caller(int requests, int answers, __u64 number)
{
	struct caller *c = shared_alloc(sizeof(*c));

	c->requests = requests;
	c->request = request_of(number, answers);
	memset(&c->answer, 0xa5, ANSWER);
	c->call = new_request(&c->request, REQUEST, answers, &c->answer, ANSWER);
	return c;
}

static int do_call(void *arg)
{
	struct caller *c = arg;

	c->ret = chan_call(c->requests, &c->call);
	store(&c->over, 1);
	return 0;
}

static int done_call(struct caller *c)
{
	do_call(c);
	return c->ret;
}

static int call_until(struct caller *c, __u32 flags, __s64 deadline)
{
	c->call.flags = flags;
	c->call.deadline = deadline;
	return done_call(c);
}

static bool untouched(const struct caller *c)
{
	return c->answer.number == POISON && c->answer.twice == POISON &&
	       c->answer.mark == POISON;
}

/* The one request there is, answered or not. */
static int take_request(int requests, __u64 number)
{
	struct request r;

	CHECK(chan_try_recv(requests, &r, REQUEST) == 1);
	CHECK(r.number == number);
	return 0;
}

static int answer_request(int requests, __u64 number)
{
	struct request r;

	CHECK(chan_recv(requests, &r, REQUEST) == 1);
	CHECK(r.number == number);
	CHECK(send_answer(&r) == 0);
	return 0;
}

FIXTURE(call) {
	int requests;
	int answers;
};

FIXTURE_VARIANT(call) {
	enum task_kind kind;
	int capacity;
};

FIXTURE_VARIANT_ADD(call, unbuffered_threads) { THREAD, 0 };
FIXTURE_VARIANT_ADD(call, unbuffered_processes) { PROCESS, 0 };
FIXTURE_VARIANT_ADD(call, buffered_threads) { THREAD, 1 };
FIXTURE_VARIANT_ADD(call, buffered_processes) { PROCESS, 1 };

FIXTURE_SETUP(call)
{
	self->requests = make_chan(REQUEST, variant->capacity);
	self->answers = make_chan(ANSWER, variant->capacity);
}

FIXTURE_TEARDOWN(call)
{
	close(self->requests);
	close(self->answers);
}

/* ---- it works ---- */

struct server {
	int requests;
	int served;
};

static int serve(void *arg)
{
	struct server *s = arg;
	struct request r;
	int ret;

	while ((ret = chan_recv(s->requests, &r, REQUEST)) == 1) {
		CHECK(send_answer(&r) == 0);
		count_up(&s->served);
	}
	CHECK(ret == 0);
	return 0;
}

static struct server *new_server(int requests)
{
	struct server *s = shared_alloc(sizeof(*s));

	s->requests = requests;
	return s;
}

TEST_F(call, brings_the_answer)
{
	struct server *s = new_server(self->requests);
	struct task *t = task_start(variant->kind, serve, s);

	for (int i = 0; i < 100; i++) {
		struct caller *c = new_caller(self->requests, self->answers, i);

		ASSERT_EQ(1, done_call(c));
		ASSERT_EQ(1, c->call.sent);
		ASSERT_EQ(true, is_answer(&c->answer, i));
		ASSERT_EQ(i, c->request.number);
		munmap(c, sizeof(*c));
	}
	EXPECT_EQ(true, waiting(self->answers, 0, 0));
	ASSERT_EQ(0, chan_close(self->requests));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(100, s->served);
}

/* Each half waits as a send and as a receive do. */
TEST_F(call, waits_for_room_and_for_the_answer)
{
	struct caller *c = new_caller(self->requests, self->answers, 5);
	struct request first = request_of(4, -1);
	struct task *t;

	if (variant->capacity) {
		ASSERT_EQ(0, chan_try_send(self->requests, &first, REQUEST));
	}
	t = task_start(variant->kind, do_call, c);
	wait_waiting(self->requests, 1, 0);
	EXPECT_EQ(0, load(&c->call.sent));
	EXPECT_EQ(true, waiting(self->answers, 0, 0));
	EXPECT_EQ(0, take_request(self->requests, variant->capacity ? 4 : 5));
	wait_waiting(self->answers, 0, 1);
	EXPECT_EQ(1, load(&c->call.sent));
	EXPECT_EQ(true, waiting(self->requests, 0, 0));
	EXPECT_EQ(0, load(&c->over));
	EXPECT_EQ(0, send_answer(&c->request));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, c->ret);
	EXPECT_EQ(true, is_answer(&c->answer, 5));
}

/* An answer that has been there before will do. */
TEST_F(call, takes_what_answer_there_is)
{
	struct caller *c = new_caller(self->requests, self->answers, 5);

	if (!variant->capacity)
		return;
	EXPECT_EQ(0, send_answer(&c->request));
	EXPECT_EQ(1, done_call(c));
	EXPECT_EQ(true, is_answer(&c->answer, 5));
	EXPECT_EQ(0, take_request(self->requests, 5));
}

/* Both halves on one channel: the message comes back. */
TEST(may_be_one_channel)
{
	__u64 request = 7, answer = POISON;
	int c = make_chan(8, 1);
	struct kchan_call call = new_request(&request, 8, c, &answer, 8);

	EXPECT_EQ(1, chan_call(c, &call));
	EXPECT_EQ(7, answer);
	EXPECT_EQ(0, chan_stat(c).length);
}

TEST(signals_need_no_memory)
{
	int requests = make_chan(0, 1), answers = make_chan(0, 1);
	struct kchan_call call = new_request(NULL, 0, answers, NULL, 0);

	ASSERT_EQ(0, chan_send(answers, NULL, 0));
	EXPECT_EQ(1, chan_call(requests, &call));
	EXPECT_EQ(1, chan_stat(requests).length);
	EXPECT_EQ(0, chan_stat(answers).length);
}

/* ---- deadlines ---- */

/* Fills the buffer, so that the next request has to wait. */
static int fill_requests(int requests)
{
	struct request r = request_of(1000, -1);

	while (chan_try_send(requests, &r, REQUEST) == 0)
		;
	return chan_stat(requests).length;
}

TEST_F(call, deadline_before_the_request_is_sent)
{
	int length = fill_requests(self->requests);
	const __s64 deadlines[] = { 0, in_ms(20) };

	for (size_t i = 0; i < ARRAY_LEN(deadlines); i++) {
		struct caller *c = new_caller(self->requests, self->answers, 5);

		EXPECT_EQ(-ETIMEDOUT, call_until(c, KCHAN_DEADLINE, deadlines[i]));
		EXPECT_LE(deadlines[i], now());
		EXPECT_EQ(0, c->call.sent);
		EXPECT_EQ(true, untouched(c));
		EXPECT_EQ(length, chan_stat(self->requests).length);
		EXPECT_EQ(true, waiting(self->requests, 0, 0));
	}
}

static int receive_request(void *arg)
{
	struct request r;

	CHECK(chan_recv(*(int *)arg, &r, REQUEST) == 1);
	CHECK(r.number == 5);
	return 0;
}

/* After it: the same struct gets the answer, and nobody is asked twice. */
TEST_F(call, deadline_after_the_request_was_sent)
{
	struct caller *c = new_caller(self->requests, self->answers, 5);
	int *requests = shared_alloc(sizeof(*requests));
	struct task *t;

	*requests = self->requests;
	t = task_start(variant->kind, receive_request, requests);
	wait_waiting(self->requests, 0, 1);
	EXPECT_EQ(-ETIMEDOUT, call_until(c, KCHAN_DEADLINE, in_ms(20)));
	EXPECT_EQ(1, c->call.sent);
	EXPECT_EQ(true, untouched(c));
	EXPECT_EQ(0, task_join(t));

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-ETIMEDOUT, call_until(c, KCHAN_DEADLINE, i));
		EXPECT_EQ(1, c->call.sent);
	}
	EXPECT_EQ(0, chan_stat(self->requests).length);
	EXPECT_EQ(true, waiting(self->answers, 0, 0));

	c->call.flags = 0;
	c->call.deadline = 0;
	t = task_start(variant->kind, do_call, c);
	wait_until(waiting(self->answers, 0, 1) || load(&c->over));
	EXPECT_EQ(0, send_answer(&c->request));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, c->ret);
	EXPECT_EQ(true, is_answer(&c->answer, 5));
	EXPECT_EQ(0, chan_stat(self->requests).length);
	EXPECT_EQ(true, waiting(self->requests, 0, 0));
}

/* Past from the start: each half is a try. */
TEST_F(call, past_deadline_is_still_a_try)
{
	struct caller *c = new_caller(self->requests, self->answers, 5);

	if (!variant->capacity)
		return;
	EXPECT_EQ(-ETIMEDOUT, call_until(c, KCHAN_DEADLINE, 0));
	EXPECT_EQ(1, c->call.sent);
	EXPECT_EQ(0, take_request(self->requests, 5));
	EXPECT_EQ(0, send_answer(&c->request));
	EXPECT_EQ(1, call_until(c, KCHAN_DEADLINE, 0));
	EXPECT_EQ(true, is_answer(&c->answer, 5));
	EXPECT_EQ(0, chan_stat(self->requests).length);
}

/* On every clock, for both halves. */
TEST_F(call, deadline_on_every_clock)
{
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		struct caller *c = new_caller(self->requests, self->answers, 5);
		__s64 deadline = now_on(clocks[i].clock) + 10 * NSEC_PER_MSEC;

		EXPECT_EQ(-ETIMEDOUT, call_until(c, clocks[i].flags, deadline));
		EXPECT_LE(deadline, now_on(clocks[i].clock));
		EXPECT_EQ(variant->capacity, c->call.sent);
		if (variant->capacity) {
			EXPECT_EQ(0, take_request(self->requests, 5));
		}
	}
}

/* ---- without waits ---- */

TEST_F(call, does_not_wait_if_asked)
{
	struct caller *c = new_caller(self->requests, self->answers, 5);
	int length = fill_requests(self->requests);

	EXPECT_EQ(-EAGAIN, call_until(c, KCHAN_NONBLOCK, 0));
	EXPECT_EQ(0, c->call.sent);
	EXPECT_EQ(length, chan_stat(self->requests).length);
	if (!variant->capacity)
		return;
	EXPECT_EQ(0, take_request(self->requests, 1000));
	EXPECT_EQ(-EAGAIN, call_until(c, KCHAN_NONBLOCK, 0));
	EXPECT_EQ(1, c->call.sent);
	EXPECT_EQ(-EAGAIN, call_until(c, KCHAN_NONBLOCK | KCHAN_DEADLINE, in_ms(100000)));
	EXPECT_EQ(true, untouched(c));
	EXPECT_EQ(0, answer_request(self->requests, 5));
	EXPECT_EQ(1, call_until(c, KCHAN_NONBLOCK, 0));
	EXPECT_EQ(true, is_answer(&c->answer, 5));
	EXPECT_EQ(0, chan_stat(self->requests).length);
}

/* O_NONBLOCK of a handle is for the half that is done with it. */
TEST_F(call, o_nonblock_of_the_requests_handle)
{
	struct caller *c = new_caller(self->requests, self->answers, 5);

	must(!fcntl(self->requests, F_SETFL, O_NONBLOCK));
	fill_requests(self->requests);
	EXPECT_EQ(-EAGAIN, done_call(c));
	EXPECT_EQ(0, c->call.sent);
	if (variant->capacity) {
		EXPECT_EQ(0, take_request(self->requests, 1000));
		EXPECT_EQ(-ETIMEDOUT, call_until(c, KCHAN_DEADLINE, in_ms(10)));
		EXPECT_EQ(1, c->call.sent);
	}
}

TEST_F(call, o_nonblock_of_the_answers_handle)
{
	struct caller *c = new_caller(self->requests, self->answers, 5);
	int *requests = shared_alloc(sizeof(*requests));
	struct task *t;

	must(!fcntl(self->answers, F_SETFL, O_NONBLOCK));
	fill_requests(self->requests);
	EXPECT_EQ(-ETIMEDOUT, call_until(c, KCHAN_DEADLINE, in_ms(10)));
	EXPECT_EQ(0, c->call.sent);
	if (variant->capacity) {
		EXPECT_EQ(0, take_request(self->requests, 1000));
	}
	*requests = self->requests;
	t = task_start(variant->kind, receive_request, requests);
	wait_waiting(self->requests, 0, 1);
	EXPECT_EQ(-EAGAIN, call_until(c, 0, 0));
	EXPECT_EQ(1, c->call.sent);
	EXPECT_EQ(0, task_join(t));
}

/* ---- signals ---- */

TEST_F(call, signal_before_the_request_is_sent)
{
	struct caller *c = new_caller(self->requests, self->answers, 5);
	int length = fill_requests(self->requests);
	struct task *t;

	count_signals(0);
	t = task_start(variant->kind, do_call, c);
	wait_waiting(self->requests, 1, 0);
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EINTR, c->ret);
	EXPECT_EQ(0, c->call.sent);
	EXPECT_EQ(true, untouched(c));
	EXPECT_EQ(length, chan_stat(self->requests).length);
	EXPECT_EQ(true, waiting(self->requests, 0, 0));
}

TEST_F(call, signal_after_the_request_was_sent)
{
	struct caller *c = new_caller(self->requests, self->answers, 5);
	struct request r;
	struct task *t;

	count_signals(0);
	t = task_start(variant->kind, do_call, c);
	ASSERT_EQ(1, chan_recv(self->requests, &r, REQUEST));
	wait_waiting(self->answers, 0, 1);
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EINTR, c->ret);
	EXPECT_EQ(1, c->call.sent);
	EXPECT_EQ(true, untouched(c));

	t = task_start(variant->kind, do_call, c);
	wait_waiting(self->answers, 0, 1);
	EXPECT_EQ(0, send_answer(&r));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, c->ret);
	EXPECT_EQ(true, is_answer(&c->answer, 5));
	EXPECT_EQ(0, chan_stat(self->requests).length);
	EXPECT_EQ(true, waiting(self->requests, 0, 0));
}

static void signal_while_waiting(struct task *t, int fd, bool sender)
{
	int before = load(handled);

	for (int i = 1; i <= 10; i++) {
		wait_waiting(fd, sender, !sender);
		task_signal(t, SIGUSR1);
		wait_until(load(handled) == before + i);
	}
	wait_waiting(fd, sender, !sender);
}

/* Signals in either half: the request is seen once. */
TEST_F(call, restarts_without_asking_twice)
{
	struct caller *c = new_caller(self->requests, self->answers, 5);
	struct task *t;

	count_signals(SA_RESTART);
	fill_requests(self->requests);
	t = task_start(variant->kind, do_call, c);
	signal_while_waiting(t, self->requests, true);
	EXPECT_EQ(0, load(&c->call.sent));
	EXPECT_EQ(0, take_request(self->requests, variant->capacity ? 1000 : 5));
	signal_while_waiting(t, self->answers, false);
	EXPECT_EQ(1, load(&c->call.sent));
	if (variant->capacity) {
		EXPECT_EQ(0, take_request(self->requests, 5));
	}
	EXPECT_EQ(0, chan_stat(self->requests).length);
	EXPECT_EQ(true, waiting(self->requests, 0, 0));
	EXPECT_EQ(0, load(&c->over));
	EXPECT_EQ(0, send_answer(&c->request));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, c->ret);
	EXPECT_EQ(true, is_answer(&c->answer, 5));
}

struct storm {
	int requests, answers;
	int nr;
	int interrupted;
	int over;
};

static int call_in_storm(void *arg)
{
	struct storm *s = arg;

	for (int i = 0; i < s->nr; i++) {
		struct caller *c = new_caller(s->requests, s->answers, i);

		while (done_call(c) == -EINTR) {
			CHECK(untouched(c));
			count_up(&s->interrupted);
		}
		CHECK(c->ret == 1);
		CHECK(c->call.sent == 1);
		CHECK(is_answer(&c->answer, i));
		munmap(c, sizeof(*c));
	}
	store(&s->over, 1);
	return 0;
}

/* The race: the signal and the peer meet, in either half.  Each is asked once. */
static void expect_storm_survived(struct __test_metadata *_metadata,
				  FIXTURE_DATA(call) *self, enum task_kind kind, int flags)
{
	struct storm *s = shared_alloc(sizeof(*s));
	struct server *server = new_server(self->requests);
	struct task *caller, *t;

	*s = (struct storm){ .requests = self->requests, .answers = self->answers, .nr = 200 };
	t = task_start(kind, serve, server);
	catch_signal(SIGUSR1, flags);
	caller = task_start(kind, call_in_storm, s);
	for (int i = 0; !load(&s->over); i++) {
		task_signal(caller, SIGUSR1);
		/* Now and then let it get on. */
		if (i % 8 == 0)
			usleep(500);
	}
	EXPECT_EQ(0, task_join(caller));
	ASSERT_EQ(0, chan_close(self->requests));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(s->nr, server->served);
	if (flags & SA_RESTART) {
		EXPECT_EQ(0, s->interrupted);
	}
	EXPECT_EQ(0, chan_stat(self->answers).length);
}

TEST_F(call, storm)
{
	expect_storm_survived(_metadata, self, variant->kind, 0);
}

TEST_F(call, storm_with_restart)
{
	expect_storm_survived(_metadata, self, variant->kind, SA_RESTART);
}

/* ---- the end ---- */

TEST_F(call, closed_requests)
{
	struct caller *c = new_caller(self->requests, self->answers, 5);
	struct task *t;

	fill_requests(self->requests);
	t = task_start(variant->kind, do_call, c);
	wait_waiting(self->requests, 1, 0);
	ASSERT_EQ(0, chan_close(self->requests));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EPIPE, c->ret);
	EXPECT_EQ(0, c->call.sent);
	EXPECT_EQ(-EPIPE, done_call(c));
	EXPECT_EQ(0, c->call.sent);
	EXPECT_EQ(true, untouched(c));
}

TEST_F(call, closed_answers)
{
	struct caller *c = new_caller(self->requests, self->answers, 5);
	struct request r;
	struct task *t;

	t = task_start(variant->kind, do_call, c);
	ASSERT_EQ(1, chan_recv(self->requests, &r, REQUEST));
	wait_waiting(self->answers, 0, 1);
	ASSERT_EQ(0, chan_close(self->answers));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, c->ret);
	EXPECT_EQ(1, c->call.sent);
	EXPECT_EQ(0, c->answer.number);
	EXPECT_EQ(0, c->answer.mark);
}

static int take_and_stay(void *arg)
{
	struct server *s = arg;
	struct request r;

	CHECK(chan_recv(s->requests, &r, REQUEST) == 1);
	store(&s->served, 1);
	pause();
	return 0;
}

static int stay(void *arg)
{
	store(&((struct server *)arg)->served, 1);
	pause();
	return 0;
}

/*
 * A process of which the fixture keeps only what its callers need: what it alone has
 * goes with it.
 */
static struct task *start_only_server(FIXTURE_DATA(call) *self, int (*body)(void *),
				      struct server *s)
{
	struct task *t = task_start(PROCESS, body, s);
	int sender = restrict_to(self->requests, KCHAN_RIGHT_SEND);
	int receiver = restrict_to(self->answers, KCHAN_RIGHT_RECV);

	wait_until(load(&t->tid));
	close(self->requests);
	close(self->answers);
	self->requests = sender;
	self->answers = receiver;
	return t;
}

TEST_F(call, server_dies_with_the_request)
{
	struct server *s = new_server(self->requests);
	struct task *server = start_only_server(self, take_and_stay, s), *t;
	struct caller *c = new_caller(self->requests, self->answers, 5);

	t = task_start(variant->kind, do_call, c);
	wait_until(load(&s->served));
	wait_waiting(self->answers, 0, 1);
	task_kill(server);
	EXPECT_EQ(KILLED(SIGKILL), task_join(server));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, c->ret);
	EXPECT_EQ(1, c->call.sent);
	EXPECT_EQ(0, c->answer.number);
}

TEST_F(call, server_dies_before_the_request)
{
	struct server *s = new_server(self->requests);
	struct task *server, *t;
	struct caller *c;

	fill_requests(self->requests);
	server = start_only_server(self, stay, s);
	c = new_caller(self->requests, self->answers, 5);
	t = task_start(variant->kind, do_call, c);
	wait_waiting(self->requests, 1, 0);
	task_kill(server);
	EXPECT_EQ(KILLED(SIGKILL), task_join(server));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EPIPE, c->ret);
	EXPECT_EQ(0, c->call.sent);
	EXPECT_EQ(true, untouched(c));
}

/* ---- what makes no sense: nothing is sent ---- */

FIXTURE(bad_call) {
	int requests, answers;
	struct caller *c;
	struct kchan_stat before;
};

FIXTURE_SETUP(bad_call)
{
	self->requests = make_chan(REQUEST, 4);
	self->answers = make_chan(ANSWER, 4);
	self->c = new_caller(self->requests, self->answers, 5);
	ASSERT_EQ(0, send_answer(&self->c->request));
	self->before = chan_stat(self->requests);
}

FIXTURE_TEARDOWN(bad_call)
{
	EXPECT_EQ(true, same_stat(self->before, self->requests));
	EXPECT_EQ(1, chan_stat(self->answers).length);
	EXPECT_EQ(0, self->c->call.sent);
	EXPECT_EQ(true, untouched(self->c));
	/* After all of it, a good call is good. */
	EXPECT_EQ(1, done_call(self->c));
	EXPECT_EQ(true, is_answer(&self->c->answer, 5));
}

/* Calls it with one field changed, which is as before after that. */
#define WITH(field, value) ({						\
	struct kchan_call _good = self->c->call;			\
	int _ret;							\
									\
	self->c->call.field = (value);					\
	_ret = chan_call(self->c->requests, &self->c->call);		\
	_good.sent = self->c->call.sent;				\
	self->c->call = _good;						\
	_ret;								\
})

TEST_F(bad_call, handles)
{
	int sender = restrict_to(self->answers, KCHAN_RIGHT_SEND), pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-EBADF, WITH(fd, -1));
	EXPECT_EQ(-EBADF, WITH(fd, 10000));
	EXPECT_EQ(-EBADF, WITH(fd, sender));
	EXPECT_EQ(-EBADF, WITH(fd, pipes[0]));
	EXPECT_EQ(-EBADF, WITH(fd, any_device()));
	self->c->requests = restrict_to(self->requests, KCHAN_RIGHT_RECV);
	EXPECT_EQ(-EBADF, done_call(self->c));
	self->c->requests = self->requests;
}

TEST_F(bad_call, objects_of_other_kinds)
{
	EXPECT_EQ(-EINVAL, WITH(fd, make_object(KCHAN_KIND_WAITGROUP, 0)));
	EXPECT_EQ(-EINVAL, WITH(fd, make_object(KCHAN_KIND_TIMER, 0)));
	EXPECT_EQ(-EINVAL, WITH(fd, make_object(KCHAN_KIND_CELLS, 4)));
	EXPECT_EQ(-EINVAL, WITH(fd, make_object(KCHAN_KIND_MUTEX, 0)));
	EXPECT_EQ(-EINVAL, WITH(fd, make_cancel(-1)));
	self->c->requests = make_object(KCHAN_KIND_MUTEX, 0);
	EXPECT_EQ(-ENOTTY, done_call(self->c));
	self->c->requests = self->requests;
}

TEST_F(bad_call, lengths)
{
	const __u32 bad[] = { 0, 1, 8, 17, 23, 25, PAGE, UINT_MAX };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EMSGSIZE, WITH(request_len, bad[i]));
		EXPECT_EQ(-EMSGSIZE, WITH(answer_len, bad[i]));
	}
	EXPECT_EQ(-EMSGSIZE, WITH(request_len, ANSWER));
	EXPECT_EQ(-EMSGSIZE, WITH(answer_len, REQUEST));
}

TEST_F(bad_call, flags_and_numbers)
{
	EXPECT_EQ(-EINVAL, WITH(flags, KCHAN_VECTOR));
	EXPECT_EQ(-EINVAL, WITH(flags, KCHAN_IN_ORDER));
	EXPECT_EQ(-EINVAL, WITH(flags, 1u << 31));
	EXPECT_EQ(-EINVAL, WITH(flags, KCHAN_CLOCK_REALTIME));
	EXPECT_EQ(-EINVAL, WITH(deadline, 1));
	EXPECT_EQ(-EINVAL, WITH(deadline, -1));
	self->c->call.sent = 2;
	EXPECT_EQ(-EINVAL, done_call(self->c));
	self->c->call.sent = UINT_MAX;
	EXPECT_EQ(-EINVAL, done_call(self->c));
	self->c->call.sent = 0;
}

TEST_F(bad_call, request_that_is_not_there)
{
	__u64 hole = (uintptr_t)page_before_hole() + PAGE;

	EXPECT_EQ(-EFAULT, WITH(request, 0));
	EXPECT_EQ(-EFAULT, WITH(request, hole));
	EXPECT_EQ(-EFAULT, WITH(request, hole - 1));
	EXPECT_EQ(-EFAULT, WITH(request, 0x800000000000dead));
}

/* Where the kernel could not tell that it has sent the request, it does not send it. */
TEST_F(bad_call, struct_that_cannot_be_written)
{
	struct kchan_call *call = (void *)map_pages(1);

	*call = self->c->call;
	must(!mprotect(call, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, chan_call(self->requests, call));
}

TEST_F(bad_call, closed_requests_and_wrong_lengths)
{
	int closed = make_chan(REQUEST, 1);

	ASSERT_EQ(0, chan_close(closed));
	self->c->requests = closed;
	EXPECT_EQ(-EMSGSIZE, WITH(request_len, 1));
	EXPECT_EQ(-EMSGSIZE, WITH(answer_len, 1));
	EXPECT_EQ(-EBADF, WITH(fd, -1));
	EXPECT_EQ(-EPIPE, done_call(self->c));
	self->c->requests = self->requests;
}

/* ---- the answer's memory, and a call that was begun elsewhere ---- */

TEST(answer_with_nowhere_to_go_stays)
{
	int requests = make_chan(REQUEST, 4), answers_fd = make_chan(ANSWER, 4);
	struct caller *c = new_caller(requests, answers_fd, 5);
	/* Nothing is mapped after this, or it could come to lie in the hole. */
	__u64 hole = (uintptr_t)page_before_hole() + PAGE;
	const __u64 bad[] = { 0, hole, hole - 8, hole - 1 };

	ASSERT_EQ(0, send_answer(&c->request));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		c->call.answer = bad[i];
		EXPECT_EQ(-EFAULT, done_call(c));
		EXPECT_EQ(1, c->call.sent);
		EXPECT_EQ(1, chan_stat(answers_fd).length);
		EXPECT_EQ(1, chan_stat(requests).length);
	}
	c->call.answer = (uintptr_t)&c->answer;
	EXPECT_EQ(1, done_call(c));
	EXPECT_EQ(true, is_answer(&c->answer, 5));
	EXPECT_EQ(1, chan_stat(requests).length);
}

/* With @sent at 1 it only waits, whatever the request's side looks like. */
TEST(sent_before_is_only_received)
{
	int requests = make_chan(REQUEST, 4), answers_fd = make_chan(ANSWER, 4);
	struct caller *c = new_caller(requests, answers_fd, 5);

	c->call.sent = 1;
	c->call.request = 0;
	ASSERT_EQ(0, chan_close(requests));
	EXPECT_EQ(-EAGAIN, call_until(c, KCHAN_NONBLOCK, 0));
	ASSERT_EQ(0, send_answer(&c->request));
	EXPECT_EQ(1, call_until(c, 0, 0));
	EXPECT_EQ(1, c->call.sent);
	EXPECT_EQ(true, is_answer(&c->answer, 5));
	EXPECT_EQ(0, chan_stat(requests).length);
}

/* A request that its channel's policy discards was sent, like any message. */
TEST(discarded_request)
{
	int requests = make_policy_chan(REQUEST, 1, KCHAN_POLICY_DROP_NEWEST);
	int answers_fd = make_chan(ANSWER, 1);
	struct caller *c = new_caller(requests, answers_fd, 5);

	ASSERT_EQ(0, chan_send(requests, &c->request, REQUEST));
	EXPECT_EQ(-EAGAIN, call_until(c, KCHAN_NONBLOCK, 0));
	EXPECT_EQ(1, c->call.sent);
	EXPECT_EQ(1, chan_stat(requests).dropped);
}

/* ---- SIGKILL at any moment ---- */

struct victim {
	int requests, answers;
	__aligned_u64 done;		/* calls that returned, or requests that were answered */
	struct caller caller;
	struct request request;
};

static int call_forever(void *arg)
{
	struct victim *v = arg;
	struct caller *c = &v->caller;

	for (;;) {
		c->request = request_of(v->done, v->answers);
		c->call = new_request(&c->request, REQUEST, v->answers, &c->answer, ANSWER);
		CHECK(chan_call(v->requests, &c->call) == 1);
		CHECK(is_answer(&c->answer, v->done));
		store(&v->done, v->done + 1);
	}
}

/* Each asked once: the server sees 0, 1, ... up to where its caller died. */
TEST_F(call, caller_killed_at_any_moment)
{
	struct victim *v = shared_alloc(sizeof(*v));
	unsigned int seed = 1;

	if (variant->kind == THREAD)
		return;
	for (int round = 0; round < 15; round++) {
		__u64 n = 0, until = rand_r(&seed) % 50;
		struct request r;
		struct answer a;
		struct task *t;
		int sent;

		v->requests = self->requests;
		v->answers = make_chan(ANSWER, variant->capacity);
		v->done = 0;
		memset(&v->caller, 0, sizeof(v->caller));
		t = task_start(PROCESS, call_forever, v);
		for (; n < until; n++) {
			ASSERT_EQ(1, chan_recv(self->requests, &r, REQUEST));
			ASSERT_EQ(n, r.number);
			ASSERT_EQ(0, send_answer(&r));
		}
		dawdle(&seed, 3000);
		task_kill(t);
		ASSERT_EQ(KILLED(SIGKILL), task_join(t));
		/* What it has asked, and did not live to hear; and what it did not take. */
		sent = chan_try_recv(self->requests, &r, REQUEST) == 1;
		ASSERT_EQ(true, !sent || r.number == n);
		ASSERT_EQ(-EAGAIN, chan_try_recv(self->requests, &r, REQUEST));
		ASSERT_LE(v->done, n);
		ASSERT_LE(n, v->done + 1);
		if (chan_try_recv(v->answers, &a, ANSWER) == 1) {
			ASSERT_EQ(n - 1, a.number);
			ASSERT_EQ(n - 1, v->done);
			ASSERT_EQ(0, sent);
		}
		ASSERT_EQ(true, waiting(self->requests, 0, 0));
		ASSERT_EQ(true, waiting(v->answers, 0, 0));
		close(v->answers);
	}
}

/* What it has taken stands in its memory, also when it did not live to answer. */
static int serve_until_killed(void *arg)
{
	struct victim *v = arg;
	struct request r;

	for (;;) {
		v->request.number = POISON;
		CHECK(chan_recv(v->requests, &v->request, REQUEST) == 1);
		CHECK(v->request.number == v->done);
		/* Its caller knows the answers' channel by another number. */
		r = request_of(v->done, v->answers);
		CHECK(send_answer(&r) == 0);
		store(&v->done, v->done + 1);
	}
}

struct killer {
	struct task *task;
	unsigned int seed;
};

static int kill_soon(void *arg)
{
	struct killer *k = arg;

	dawdle_ns(&k->seed, 20 * NSEC_PER_MSEC);
	task_kill(k->task);
	return 0;
}

/* Calls until it fails; what the caller knows is what the server did. */
static int account_with_dead_server(struct victim *v, int requests, int answers_fd,
				    struct task *killer, struct task *server)
{
	struct caller *c = new_caller(requests, answers_fd, 0);
	__u64 n = 0;
	int ret;

	for (; (ret = done_call(c)) == 1; n++) {
		CHECK(is_answer(&c->answer, n));
		c->request.number = n + 1;
		c->call.sent = 0;
	}
	CHECK(ret == 0 || ret == -EPIPE);
	CHECK(c->call.sent == (ret == 0));
	CHECK(task_join(killer) == 0);
	CHECK(task_join(server) == KILLED(SIGKILL));
	/* The last answer may have gone out just before it could be counted. */
	CHECK(v->done == n || v->done + 1 == n);
	/* What was not sent was not taken. */
	if (ret == -EPIPE)
		CHECK(v->request.number == POISON || v->request.number < n);
	munmap(c, sizeof(*c));
	return 0;
}

TEST_F(call, server_killed_at_any_moment)
{
	struct victim *v = shared_alloc(sizeof(*v));
	struct killer k = { .seed = 1 };

	if (variant->kind == THREAD)
		return;
	for (int round = 0; round < 15; round++) {
		struct task *killer;

		v->requests = self->requests;
		v->answers = self->answers;
		v->done = 0;
		v->request.number = POISON;
		k.task = start_only_server(self, serve_until_killed,
					   (struct server *)(void *)v);
		killer = task_start(THREAD, kill_soon, &k);
		ASSERT_EQ(0, account_with_dead_server(v, self->requests, self->answers, killer,
						      k.task));
		close(self->requests);
		close(self->answers);
		self->requests = make_chan(REQUEST, variant->capacity);
		self->answers = make_chan(ANSWER, variant->capacity);
	}
}

/* ---- many who ask one ---- */

enum { CALLERS = 8, CALLS = 25 };

static int call_many(void *arg)
{
	struct victim *v = arg;

	for (__u64 i = 0; i < CALLS; i++) {
		struct caller *c = new_caller(v->requests, v->answers, v->done + i);

		CHECK(done_call(c) == 1);
		CHECK(is_answer(&c->answer, v->done + i));
		munmap(c, sizeof(*c));
	}
	return 0;
}

/* Each has a channel of its own for its answers, and gets its own. */
TEST_F(call, many_callers_of_two_servers)
{
	struct victim *v = shared_alloc(CALLERS * sizeof(*v));
	struct task *callers[CALLERS], *servers[2];
	struct server *s = new_server(self->requests);

	for (int i = 0; i < CALLERS; i++) {
		v[i].requests = self->requests;
		v[i].answers = make_chan(ANSWER, variant->capacity);
		v[i].done = 1000 * i;
	}
	for (int i = 0; i < 2; i++)
		servers[i] = task_start(variant->kind, serve, s);
	for (int i = 0; i < CALLERS; i++)
		callers[i] = task_start(variant->kind, call_many, &v[i]);
	for (int i = 0; i < CALLERS; i++) {
		EXPECT_EQ(0, task_join(callers[i]));
	}
	ASSERT_EQ(0, chan_close(self->requests));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, task_join(servers[i]));
	}
	EXPECT_EQ(CALLERS * CALLS, s->served);
	for (int i = 0; i < CALLERS; i++) {
		EXPECT_EQ(0, chan_stat(v[i].answers).length);
	}
}

TEST_HARNESS_MAIN
