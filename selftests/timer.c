// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers and tickers: set, stop and set again say whether a tick got lost that
 * way, and none that is stale comes after them; slow readers get one tick with
 * the count of all; and what nobody waits for costs nothing.
 */
#include <sys/epoll.h>
#include <kselftest_harness.h>
#include "kchan_util.h"

static int make_timer(void)
{
	return make_object(KCHAN_KIND_TIMER, 0);
}

static int set_at(int fd, __s64 deadline, __s64 period)
{
	return set_timer(fd, KCHAN_DEADLINE, deadline, period);
}

static int stop(int fd)
{
	return set_timer(fd, 0, 0, 0);
}

static __s64 an_hour_from_now(void)
{
	return now() + 3600 * NSEC_PER_SEC;
}

/* Takes a tick, or -errno; @ticks is how many there were. */
static int take(int fd, __u64 *ticks)
{
	return kchan_wait_op(fd, KCHAN_OP_TICK, 0, 0, 0, 0, ticks);
}

static int try_take(int fd, __u64 *ticks)
{
	return kchan_wait_op(fd, KCHAN_OP_TICK, 0, 0, KCHAN_NONBLOCK, 0, ticks);
}

TEST(ticks_once)
{
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		int fd = make_timer();
		__s64 deadline = now_on(clocks[i].clock) + 20 * NSEC_PER_MSEC;
		__u64 ticks;

		EXPECT_EQ(0, set_timer(fd, clocks[i].flags, deadline, 0));
		EXPECT_EQ(0, take(fd, &ticks));
		EXPECT_LE(deadline, now_on(clocks[i].clock));
		EXPECT_EQ(1, ticks);
		EXPECT_EQ(-EAGAIN, try_take(fd, &ticks));
		EXPECT_EQ(0, chan_stat(fd).state);
		EXPECT_EQ(0, chan_stat(fd).length);
	}
}

TEST(never_without_being_set)
{
	int fd = make_timer();
	__u64 ticks;

	EXPECT_EQ(0, chan_stat(fd).state);
	EXPECT_EQ(-EAGAIN, try_take(fd, &ticks));
	EXPECT_EQ(0, stop(fd));
	EXPECT_EQ(-ETIMEDOUT, op_until(fd, KCHAN_OP_TICK, 0, in_ms(20)));
}

TEST(at_once_when_late)
{
	int fd = make_timer();
	__u64 ticks;

	EXPECT_EQ(0, set_at(fd, 0, 0));
	EXPECT_EQ(0, try_take(fd, &ticks));
	EXPECT_EQ(1, ticks);
	EXPECT_EQ(0, set_at(fd, now(), 0));
	EXPECT_EQ(0, try_take(fd, &ticks));
	EXPECT_EQ(1, ticks);
}

TEST(as_far_as_can_be)
{
	int fd = make_timer();

	EXPECT_EQ(0, set_at(fd, LLONG_MAX - 1, 0));
	EXPECT_EQ(KCHAN_STATE_RUNNING, chan_stat(fd).state);
	EXPECT_EQ(1, set_at(fd, LLONG_MAX - 1, LLONG_MAX));
	EXPECT_EQ(-EAGAIN, try_take(fd, &(__u64){ 0 }));
	/* One long ago, and the next beyond the end of time. */
	EXPECT_EQ(1, set_at(fd, 1, LLONG_MAX));
	EXPECT_EQ(0, try_take(fd, &(__u64){ 0 }));
	EXPECT_EQ(-EAGAIN, try_take(fd, &(__u64){ 0 }));
}

/* ---- what set and stop return ---- */

TEST(stop_tells_whether_a_tick_was_lost)
{
	int fd = make_timer();
	__u64 ticks;

	EXPECT_EQ(0, stop(fd));
	EXPECT_EQ(0, set_at(fd, an_hour_from_now(), 0));
	EXPECT_EQ(KCHAN_STATE_RUNNING, chan_stat(fd).state);
	EXPECT_EQ(1, stop(fd));
	EXPECT_EQ(0, chan_stat(fd).state);
	EXPECT_EQ(0, stop(fd));
	/* Ticked, and nobody took it. */
	EXPECT_EQ(0, set_at(fd, 0, 0));
	EXPECT_EQ(1, stop(fd));
	EXPECT_EQ(-EAGAIN, try_take(fd, &ticks));
	/* Ticked, and taken. */
	EXPECT_EQ(0, set_at(fd, 0, 0));
	EXPECT_EQ(0, try_take(fd, &ticks));
	EXPECT_EQ(0, stop(fd));
	/* A ticker always has one to come. */
	EXPECT_EQ(0, set_at(fd, 0, NSEC_PER_SEC * 3600));
	EXPECT_EQ(0, try_take(fd, &ticks));
	EXPECT_EQ(1, stop(fd));
}

TEST(set_again_tells_the_same)
{
	int fd = make_timer();
	__u64 ticks;

	EXPECT_EQ(0, set_at(fd, an_hour_from_now(), 0));
	EXPECT_EQ(1, set_at(fd, 0, 0));
	EXPECT_EQ(1, set_at(fd, 0, 0));
	EXPECT_EQ(0, try_take(fd, &ticks));
	EXPECT_EQ(1, ticks);
	EXPECT_EQ(0, set_at(fd, an_hour_from_now(), 0));
	EXPECT_EQ(1, set_at(fd, an_hour_from_now(), 0));
}

/* ---- nothing stale ---- */

/*
 * The race: the timer ticks while it is set anew, or stopped.  Whichever was
 * first, what was due before is not to be had after.
 */
TEST(nothing_stale_after_set_or_stop)
{
	int fd = make_timer();
	__u64 ticks;

	srand(6);
	for (int round = 0; round < FEWER(2000); round++) {
		set_at(fd, now() + rand() % 20000, round % 3 ? 0 : 1000);
		for (int i = rand() % 2000; i; i--)
			__asm__ volatile("");
		if (round % 2)
			stop(fd);
		else
			set_at(fd, an_hour_from_now(), 0);
		ASSERT_EQ(-EAGAIN, try_take(fd, &ticks));
		ASSERT_EQ(0, chan_stat(fd).length);
		ASSERT_EQ(0, poll_now(fd, POLLIN));
	}
}

TASK_FIXTURE(timer);

struct books {
	int fd;
	int over;
	__u64 taken;	/* takes, and not ticks */
};

static int take_forever(void *arg)
{
	struct books *b = arg;
	__u64 ticks;
	int ret;

	while (!load(&b->over)) {
		ret = kchan_wait_op(b->fd, KCHAN_OP_TICK, 0, 0, KCHAN_DEADLINE, in_ms(20), &ticks);
		if (ret == -ETIMEDOUT)
			continue;
		CHECK(ret == 0);
		CHECK(ticks == 1);
		count_up(&b->taken);
	}
	return 0;
}

/* Each tick is taken, or stop says that it was not: never both, never neither. */
TEST_F(timer, books_balance)
{
	struct books *b = shared_alloc(sizeof(*b));
	__u64 stopped = 0;
	struct task *t;
	enum { ROUNDS = FEWER(1000) };

	srand(7);
	b->fd = make_timer();
	t = task_start(variant->kind, take_forever, b);
	for (int round = 1; round <= ROUNDS; round++) {
		int ret;

		ASSERT_EQ(0, set_at(b->fd, now() + rand() % 100000, 0));
		for (int i = rand() % 20000; i; i--)
			__asm__ volatile("");
		ret = stop(b->fd);
		ASSERT_EQ(true, ret == 0 || ret == 1);
		stopped += ret;
		if (!ret)
			wait_until(load(&b->taken) + stopped == round);
		ASSERT_EQ(round, load(&b->taken) + stopped);
	}
	store(&b->over, 1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(ROUNDS, b->taken + stopped);
	TH_LOG("%llu taken, %llu stopped", (unsigned long long)b->taken,
	       (unsigned long long)stopped);
}

/* Each tick goes to one of those who wait. */
TEST_F(timer, one_tick_one_taker)
{
	enum { N = 4 };
	struct one_op *ops[N];
	struct task *tasks[N];
	int fd = make_timer();

	for (int i = 0; i < N; i++) {
		ops[i] = new_op(fd, KCHAN_OP_TICK, 0);
		tasks[i] = task_start(variant->kind, do_one_op, ops[i]);
		wait_waiting(fd, 0, i + 1);
	}
	for (int i = 0; i < N; i++) {
		ASSERT_EQ(0, set_at(fd, in_ms(1), 0));
		EXPECT_EQ(0, join_op(tasks[i], ops[i]));
		EXPECT_EQ(1, ops[i]->value);
		EXPECT_EQ(true, waiting(fd, 0, N - 1 - i));
	}
}

/* Who waits is not disturbed by a stop, and gets what is set then. */
TEST_F(timer, set_again_while_somebody_waits)
{
	struct one_op *op = new_op(make_timer(), KCHAN_OP_TICK, 0);
	struct task *t;

	ASSERT_EQ(0, set_at(op->fd, an_hour_from_now(), 0));
	t = task_start(variant->kind, do_one_op, op);
	wait_waiting(op->fd, 0, 1);
	EXPECT_EQ(1, stop(op->fd));
	EXPECT_EQ(true, waiting(op->fd, 0, 1));
	EXPECT_EQ(0, set_at(op->fd, an_hour_from_now(), 0));
	EXPECT_EQ(true, waiting(op->fd, 0, 1));
	EXPECT_EQ(1, set_at(op->fd, in_ms(5), 0));
	EXPECT_EQ(0, join_op(t, op));
	EXPECT_EQ(1, op->value);
}

/* It has got a tick, and is killed before it could do anything about it. */
static bool kill_with_a_tick(int fd, __s64 then)
{
	struct one_op *op = new_op(fd, KCHAN_OP_TICK, 0);
	struct task *dead = task_start(PROCESS, do_one_op, op);

	wait_waiting(fd, 0, 1);
	wait_asleep(dead);
	if (!keep_from_running(dead->tid))
		return false;
	must(set_at(fd, now(), 0) == 0);
	wait_until(waiting(fd, 0, 0));
	task_kill(dead);
	if (then)
		must(set_at(fd, then, 0) == 0);
	let_run();
	must(task_join(dead) == KILLED(SIGKILL));
	return true;
}

TEST(tick_of_the_killed_is_the_next_s)
{
	int fd = make_timer();

	if (!kill_with_a_tick(fd, 0))
		SKIP(return, "no real-time priority here: %s", strerror(errno));
	EXPECT_EQ(1, chan_stat(fd).length);
	EXPECT_EQ(1, stop(fd));
}

TEST(tick_of_the_killed_is_forgotten_when_set_anew)
{
	int fd = make_timer();

	if (!kill_with_a_tick(fd, an_hour_from_now()))
		SKIP(return, "no real-time priority here: %s", strerror(errno));
	EXPECT_EQ(0, chan_stat(fd).length);
	EXPECT_EQ(1, stop(fd));
	EXPECT_EQ(0, chan_stat(fd).length);
}

/* ---- slow readers ---- */

TEST(one_tick_with_the_count)
{
	const __s64 period = 5 * NSEC_PER_MSEC;
	__s64 start = now(), end;
	int fd = make_timer();
	__u64 ticks, total = 0;

	ASSERT_EQ(0, set_at(fd, start + period, period));
	while (now() < start + 10 * period)
		;
	end = now();
	ASSERT_EQ(0, try_take(fd, &ticks));
	EXPECT_LE((end - start) / period, ticks);
	EXPECT_LE(ticks, (now() - start) / period);
	total = ticks;
	/* Between them all ticks there were, and at the right times. */
	while (total < 20) {
		ASSERT_EQ(0, take(fd, &ticks));
		total += ticks;
		ASSERT_LE(start + (__s64)total * period, now());
	}
	EXPECT_EQ(1, stop(fd));
}

TEST(all_that_there_ever_were)
{
	int fd = make_timer();
	__s64 before = now(), after;
	__u64 ticks;

	/* One each nanosecond since the clock began. */
	ASSERT_EQ(0, set_at(fd, 0, 1));
	ASSERT_EQ(0, take(fd, &ticks));
	after = now();
	EXPECT_LE(before, ticks);
	EXPECT_GE(after + 1, ticks);
	before = now_on(CLOCK_REALTIME);
	EXPECT_EQ(1, set_timer(fd, KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME, 0, 1));
	ASSERT_EQ(0, take(fd, &ticks));
	EXPECT_LE(before, ticks);
	EXPECT_GE(now_on(CLOCK_REALTIME) + 1, ticks);
}

/* ---- what it costs ---- */

/* Timer interrupts of all processors, as /proc/interrupts counts them. */
static __u64 timer_interrupts(void)
{
	FILE *f = fopen("/proc/interrupts", "r");
	char line[1024], *p, *end;
	__u64 sum = 0;

	must(f);
	while (fgets(line, sizeof(line), f)) {
		p = strstr(line, "LOC:");
		if (!p)
			continue;
		for (p += 4;; p = end) {
			__u64 n = strtoull(p, &end, 10);

			if (end == p)
				break;
			sum += n;
		}
	}
	fclose(f);
	return sum;
}

/* Interrupts in so many milliseconds, during which the processor is ours. */
static __u64 interrupts_in(int ms)
{
	__u64 before = timer_interrupts();
	__s64 end = in_ms(ms);

	while (now() < end)
		;
	return timer_interrupts() - before;
}

/* Of 1000 each second and processor, and for whatever else the machine does. */
#define FEW(ms) ((ms) * sysconf(_SC_NPROCESSORS_ONLN) * 2 + 200)

TEST(one_nanosecond_and_nobody_waits)
{
	int fd = make_timer();

	ASSERT_EQ(0, set_at(fd, now(), 1));
	EXPECT_GT(FEW(300), interrupts_in(300));
	EXPECT_EQ(1, stop(fd));
}

/* In an epoll set, it is ready, and needs no more ticks to be so. */
TEST(one_nanosecond_and_somebody_polls)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = make_timer(), set = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
	ASSERT_EQ(0, set_at(fd, now(), 1));
	EXPECT_EQ(1, epoll_wait(set, &event, 1, 1000));
	EXPECT_GT(FEW(300), interrupts_in(300));
	EXPECT_EQ(1, epoll_wait(set, &event, 1, 0));
	EXPECT_EQ(1, stop(fd));
	EXPECT_EQ(0, epoll_wait(set, &event, 1, 0));
}

/* Who takes as fast as it can gets on, and gets every nanosecond. */
TEST(one_nanosecond_and_somebody_takes)
{
	int fd = make_timer();
	__s64 start = now();
	__u64 ticks, total = 0;

	ASSERT_EQ(0, set_at(fd, start, 1));
	while (now() < start + 100 * NSEC_PER_MSEC) {
		ASSERT_EQ(0, take(fd, &ticks));
		ASSERT_LE(1, ticks);
		total += ticks;
	}
	ASSERT_EQ(0, take(fd, &ticks));
	total += ticks;
	EXPECT_LE(100 * NSEC_PER_MSEC, total);
	EXPECT_GE(now() - start + 1, total);
}

/* ---- poll and misuse ---- */

TEST(polled)
{
	int fd = make_timer();
	struct pollfd p = { .fd = fd, .events = POLLIN };

	EXPECT_EQ(0, poll_now(fd, POLLIN));
	ASSERT_EQ(0, set_at(fd, in_ms(20), 0));
	/* Without a time-out, at whose end it would look again by itself. */
	EXPECT_EQ(1, poll(&p, 1, -1));
	EXPECT_EQ(POLLIN, p.revents);
	EXPECT_EQ(1, chan_stat(fd).length);
	EXPECT_EQ(0, try_take(fd, &(__u64){ 0 }));
	EXPECT_EQ(0, poll_now(fd, POLLIN));
}

TEST(settings_that_make_no_sense)
{
	int fd = make_timer();
	struct kchan_stat before;
	static const struct {
		__u32 flags;
		__s64 deadline, period;
	} bad[] = {
		{ KCHAN_DEADLINE, -1, 0 },
		{ KCHAN_DEADLINE, LLONG_MIN, 0 },
		{ KCHAN_DEADLINE, 0, -1 },
		{ KCHAN_DEADLINE, 0, LLONG_MIN },
		{ KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME, 0, 0 },
		{ KCHAN_DEADLINE | KCHAN_NONBLOCK, 0, 0 },
		{ KCHAN_CLOCK_REALTIME, 0, 0 },
		{ 0, 1, 0 },
		{ 0, 0, 1 },
		{ 0, -1, 0 },
	};

	ASSERT_EQ(0, set_at(fd, an_hour_from_now(), 0));
	before = chan_stat(fd);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, set_timer(fd, bad[i].flags, bad[i].deadline, bad[i].period))
			TH_LOG("row %zu", i);
	}
	EXPECT_EQ(true, same_stat(before, fd));
	EXPECT_EQ(1, stop(fd));
}

/* The last handle goes while it runs: nothing is left that could tick. */
TEST(goes_while_it_runs)
{
	for (int i = 0; i < 100; i++) {
		int fd = make_timer();

		ASSERT_EQ(0, set_at(fd, now() + i * 1000, i % 2 ? 1000 : 0));
		EXPECT_LE(0, poll_now(fd, POLLIN));
		close(fd);
	}
}

/*
 * However late a tick is taken, the next is due by the count from the first one.
 * False if the machine was too slow to tell.
 */
static bool keeps_step(struct __test_metadata *_metadata, __s64 period)
{
	__s64 start = now_on(CLOCK_REALTIME), first = start - period - period / 2, took;
	int fd = make_timer();
	__u64 ticks;

	EXPECT_EQ(0, set_timer(fd, KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME, first, period));
	EXPECT_EQ(0, try_take(fd, &ticks));
	EXPECT_EQ(0, take(fd, &ticks));
	took = now_on(CLOCK_REALTIME) - start;
	EXPECT_LE(period / 2, took);
	close(fd);
	return took < period;
}

TEST(keeps_step_with_its_first_tick)
{
	for (__s64 period = NSEC_PER_SEC; period <= 8 * NSEC_PER_SEC; period *= 2)
		if (keeps_step(_metadata, period))
			return;
	EXPECT_EQ(true, false)
		TH_LOG("each tick came a period after the one before it was taken");
}

TEST_HARNESS_MAIN
