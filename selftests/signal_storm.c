// SPDX-License-Identifier: GPL-2.0-only
/*
 * A storm of signals over every wait, alone, in a select, and if it is for messages in a
 * batch and as half of a KCHAN_CALL, with and without SA_RESTART.  The race: the signal
 * of a timer ends the wait at any moment, before it is parked, while it is, and when what
 * it waits for comes.  An interrupted wait has taken nothing, and a restarted one is not
 * seen to have ended.
 */
#include <kselftest_harness.h>
#include "select_util.h"
#include "wait_rows.h"

enum { ROUNDS = IS_DEBUGGING ? 5 : 25, INTERVAL_NS = 300000, MOST_NS = 1500000 };

FIXTURE(signal_storm) { int unused; };

enum way { ALONE, IN_SELECT, IN_BATCH, IN_CALL };

FIXTURE_VARIANT(signal_storm) {
	struct wait_row row;
	enum way way;
};

#define ADD(name, ...)									\
	FIXTURE_VARIANT_ADD(signal_storm, name) { WAIT_ROW(name, __VA_ARGS__), ALONE };	\
	FIXTURE_VARIANT_ADD(signal_storm, name##_in_select) {				\
		WAIT_ROW(name, __VA_ARGS__), IN_SELECT,					\
	};
#define ADD_TRANSFER(name, ...)								\
	ADD(name, __VA_ARGS__)								\
	FIXTURE_VARIANT_ADD(signal_storm, name##_in_batch) {				\
		WAIT_ROW(name, __VA_ARGS__), IN_BATCH,					\
	};										\
	FIXTURE_VARIANT_ADD(signal_storm, name##_in_call) {				\
		WAIT_ROW(name, __VA_ARGS__), IN_CALL,					\
	};

FOR_EVERY_WAIT(ADD)
FOR_EVERY_TRANSFER(ADD_TRANSFER)

FIXTURE_SETUP(signal_storm) { }
FIXTURE_TEARDOWN(signal_storm) { }

/* One that waits, again and again, each time on a new object. */
struct storm {
	struct row_call call;
	enum way way;
	struct kchan_call half;	/* in one: it remembers that the request was sent */
	__u64 other;		/* the message of the half that does not wait */
	int round, done;	/* rounds that have begun, and are over */
	bool restarts;
	int interrupted;
};

/* Signals come to the calling thread, from now on. */
static timer_t start_storm(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	struct itimerspec often = {
		.it_interval.tv_nsec = INTERVAL_NS, .it_value.tv_nsec = INTERVAL_NS,
	};
	timer_t timer;

	event._sigev_un._tid = my_tid();
	must(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	must(!timer_settime(timer, 0, &often, NULL));
	return timer;
}

static bool sends(const struct storm *s)
{
	return s->call.row->op == KCHAN_OP_SEND;
}

static int call_in_batch(struct storm *s)
{
	int ret = chan_batch(s->call.fd, sends(s) ? KCHAN_SEND_BATCH : KCHAN_RECV_BATCH,
			     &s->call.message, sizeof(__u64), 1, 1, 0, 0);

	return sends(s) && ret == 1 ? 0 : ret;
}

/* A new call each round; its other half is done with another channel. */
static struct kchan_call new_half(struct storm *s)
{
	return new_request(sends(s) ? &s->call.message : &s->other, sizeof(__u64),
			   sends(s) ? s->call.never : s->call.fd,
			   sends(s) ? &s->other : &s->call.message, sizeof(__u64));
}

static void call_once(struct storm *s)
{
	if (s->way == ALONE || s->way == IN_SELECT) {
		row_call(&s->call);
		return;
	}
	s->call.message = sends(s) ? MESSAGE : POISON;
	s->call.ret = s->way == IN_BATCH ? call_in_batch(s) :
		      chan_call(sends(s) ? s->call.fd : s->call.never, &s->half);
}

/* An interrupted wait has given out nothing. */
static int wait_through(struct storm *s)
{
	for (;;) {
		call_once(s);
		if (s->call.ret != -EINTR)
			return 0;
		count_up(&s->interrupted);
		CHECK(sends(s) || row_value(&s->call) == POISON);
	}
}

static int wait_in_storm(void *arg)
{
	struct storm *s = arg;
	timer_t timer = start_storm();

	for (int round = 1; round <= ROUNDS; round++) {
		while (load(&s->round) < round)
			usleep(100);
		s->half = new_half(s);
		CHECK(wait_through(s) == 0);
		CHECK(s->call.ret == s->call.row->ret);
		CHECK(row_value(&s->call) == s->call.row->value);
		store(&s->done, round);
	}
	must(!timer_delete(timer));
	return 0;
}

/* As it is when one has got what there was, and nobody waits. */
static int account(const struct wait_row *row, int fd, struct kchan_stat blocked)
{
	CHECK(waiting(fd, 0, 0));
	if (row->grant == FOR_ONE)
		CHECK(same_stat(blocked, fd));
	if (row->op == KCHAN_OP_RLOCK)
		CHECK(chan_stat(fd).length == 1 && kchan_runlock(fd) == 0);
	if (row->grant == FOR_HOLDER)
		CHECK(kchan_unlock(fd) == 0);
	return 0;
}

/* At some moment, perhaps at once; or surely after it has been hit. */
static void let_time_pass(struct storm *s, unsigned int *seed)
{
	int signals = load(handled), interrupted = load(&s->interrupted);

	if (rand_r(seed) % 2)
		wait_until(s->restarts ? load(handled) > signals :
					 load(&s->interrupted) > interrupted);
	dawdle_ns(seed, MOST_NS);
}

static int play(struct storm *s, const struct wait_row *row, unsigned int *seed)
{
	struct kchan_stat blocked;
	int fd = row_make(row);

	row->block(fd);
	blocked = chan_stat(fd);
	s->call.fd = fd;
	store(&s->round, s->round + 1);
	let_time_pass(s, seed);
	row->ready(fd);
	wait_until(load(&s->done) == s->round);
	CHECK(account(row, fd, blocked) == 0);
	/* However often it began anew, it has asked once. */
	CHECK(s->way != IN_CALL || sends(s) || chan_stat(s->call.never).length == s->round);
	close(fd);
	return 0;
}

/* Beside the object: of a select, what is never ready; of a call, its other channel. */
static int other_end(const FIXTURE_VARIANT(signal_storm) *v)
{
	int fd;

	if (v->way == IN_SELECT)
		return make_object(KCHAN_KIND_TIMER, 0);
	if (v->way != IN_CALL)
		return -1;
	fd = make_chan(sizeof(__u64), ROUNDS);
	/* The answer is the end, which is returned as a send's success is. */
	if (v->row.op == KCHAN_OP_SEND)
		must(!chan_close(fd));
	return fd;
}

/* By a thread, whose process holds what it locks: so it can be given back here. */
static void expect_survived(struct __test_metadata *_metadata,
			    const FIXTURE_VARIANT(signal_storm) *v, int flags)
{
	struct storm *s = shared_alloc(sizeof(*s));
	unsigned int seed = 1;
	sigset_t storm;
	struct task *t;

	count_signals(flags);
	*s = (struct storm){
		.call = {
			.row = &v->row,
			.never = other_end(v),
		},
		.way = v->way,
		.restarts = flags & SA_RESTART,
	};
	t = task_start(THREAD, wait_in_storm, s);
	/* The rest of this process has work to do. */
	sigemptyset(&storm);
	sigaddset(&storm, SIGUSR1);
	must(!pthread_sigmask(SIG_BLOCK, &storm, NULL));
	for (int round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, play(s, &v->row, &seed)) TH_LOG("round %d", round);
	}
	EXPECT_EQ(0, task_join(t));
	EXPECT_LT(0, load(handled));
	if (flags & SA_RESTART) {
		EXPECT_EQ(0, s->interrupted);
	} else {
		EXPECT_LT(0, s->interrupted);
	}
}

TEST_F(signal_storm, interrupts)
{
	expect_survived(_metadata, variant, 0);
}

TEST_F(signal_storm, restarts)
{
	expect_survived(_metadata, variant, SA_RESTART);
}

TEST_HARNESS_MAIN
