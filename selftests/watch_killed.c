// SPDX-License-Identifier: GPL-2.0-only
/*
 * Thousands of processes killed at any moment, whatever they do with their numbers of
 * a watched object: each is told of exactly once.  And one with very many numbers of it
 * dies soon.
 */
#include <kselftest_harness.h>
#include "watch_util.h"

enum { AT_ONCE = 8, MANY = FEWER(2000), MAX_PID = 1 << 22, TIME_MS = 9000 };

struct victims {
	int object;
	int socket[2];
	unsigned int seed;
};

/* Always holds at least the number that it was born with. */
static void juggle_once(struct victims *v, int *fds, int nr)
{
	unsigned int r = rand_r(&v->seed);
	int i = r % nr;

	if (fds[i] >= 0) {
		close(fds[i]);
		fds[i] = -1;
	} else if (r & 0x100) {
		fds[i] = restrict_to(v->object, BOTH_RIGHTS);
	} else if (r & 0x200) {
		pass_fd(v->socket[0], v->object);
		fds[i] = take_fd(v->socket[1]);
	} else {
		fds[i] = fcntl(v->object, F_DUPFD_CLOEXEC, r % 200);
	}
}

static int sleep_for_ever(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

/* And in the end goes by itself, in one way or another, if it has not been killed. */
static int juggle(void *arg)
{
	struct victims v = *(struct victims *)arg;
	int fds[6] = { -1, -1, -1, -1, -1, -1 };
	bool threads;
	int rounds;

	v.seed = getpid();
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, v.socket));
	threads = rand_r(&v.seed) % 2;
	if (threads)
		task_start(THREAD, sleep_for_ever, NULL);
	rounds = rand_r(&v.seed) % 100;
	for (int i = 0; i < rounds; i++)
		juggle_once(&v, fds, ARRAY_LEN(fds));
	switch (rand_r(&v.seed) % 5) {
	case 0:
		exec_sleep();
		break;
	case 1:
		close_range_of(3, ~0, 0);
		break;
	case 2:
		/* With threads there would be two tables, and two notices. */
		close_range_of(3, ~0, threads ? 0 : CLOSE_RANGE_UNSHARE);
		break;
	case 3:
		_exit(1);
	}
	pause();
	return 0;
}

/* What has come, counted by process. */
static int count_notices(int notices, __u8 *told)
{
	struct told one;
	int n = 0;

	while (take_notice(notices, &one, KCHAN_NONBLOCK, 0) == 1) {
		must(one.pid > 0 && one.pid < MAX_PID);
		must(one.notice.rights == BOTH_RIGHTS);
		told[one.pid]++;
		n++;
	}
	return n;
}

static void kill_after(pid_t pid, unsigned int us)
{
	__s64 end = now() + us * 1000ll;

	while (now() < end)
		sched_yield();
	must(!kill(pid, SIGKILL));
	must(waitpid(pid, NULL, 0) == pid);
}

TEST(each_is_told_of_once)
{
	struct victims v = { .object = make_object(KCHAN_KIND_SEMAPHORE, 1) };
	__u8 *told = calloc(MAX_PID, 1);
	int notices = make_notices(), killed = 0, counted = 0;
	__s64 end = in_ms(TIME_MS);
	unsigned int seed = 1;

	must(told);
	watch(v.object, notices, BOTH_RIGHTS);
	while (killed < MANY && now() < end) {
		struct task *tasks[AT_ONCE];

		for (int i = 0; i < AT_ONCE; i++)
			tasks[i] = task_start(PROCESS, juggle, &v);
		for (int i = 0; i < AT_ONCE; i++)
			kill_after(tasks[i]->pid, rand_r(&seed) % 3000);
		counted += count_notices(notices, told);
		for (int i = 0; i < AT_ONCE; i++) {
			ASSERT_EQ(1, told[tasks[i]->pid]) TH_LOG("process %d of %d", i, killed);
			told[tasks[i]->pid] = 0;
			munmap(tasks[i], sizeof(*tasks[i]));
		}
		killed += AT_ONCE;
	}
	EXPECT_EQ(killed, counted);
	EXPECT_EQ(0, chan_stat(notices).dropped);
	TH_LOG("%d killed", killed);
}

/* ---- very many numbers ---- */

enum { NUMBERS = 1 << 16 };

struct crowd {
	int object;
	enum farewell how;
	int ready, go;
};

static int leave_with_very_many(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < NUMBERS; i++)
		must(fcntl(c->object, F_DUPFD_CLOEXEC, 0) >= 0);
	store(&c->ready, 1);
	wait_until(load(&c->go));
	switch (c->how) {
	case CLOSES_RANGE:
		must(!close_range_of(3, ~0, 0));
		break;
	case EXECS:
		execlp("true", "true", NULL);
		execl("/bin/busybox", "true", NULL);
		die("nothing to execute");
	case EXITS:
		_exit(0);
	default:
		pause();
	}
	return 0;
}

/* How long it takes to end, in nanoseconds. */
static __s64 time_to_leave(int object, enum farewell how)
{
	struct crowd *c = shared_alloc(sizeof(*c));
	struct task *t;
	__s64 began;

	*c = (struct crowd){ .object = object, .how = how };
	t = task_start(PROCESS, leave_with_very_many, c);
	while (!load(&c->ready))
		usleep(1000);
	began = now();
	store(&c->go, 1);
	if (how == IS_KILLED)
		task_kill(t);
	must(waitpid(t->pid, NULL, 0) == t->pid);
	return now() - began;
}

FIXTURE(very_many_numbers) {
	int object, notices;
};

FIXTURE_VARIANT(very_many_numbers) {
	enum farewell how;
};

FIXTURE_VARIANT_ADD(very_many_numbers, exits) { EXITS };
FIXTURE_VARIANT_ADD(very_many_numbers, is_killed) { IS_KILLED };
FIXTURE_VARIANT_ADD(very_many_numbers, execs) { EXECS };
FIXTURE_VARIANT_ADD(very_many_numbers, closes_range) { CLOSES_RANGE };

FIXTURE_SETUP(very_many_numbers)
{
	allow_fds(NUMBERS + 100);
	self->object = make_object(KCHAN_KIND_SEMAPHORE, 1);
	self->notices = make_notices();
}

FIXTURE_TEARDOWN(very_many_numbers) { }

/* A walk through the table for each number would take some hundred times as long. */
TEST_F(very_many_numbers, cost_no_more_than_a_few_times_as_long)
{
	__s64 plain = time_to_leave(self->object, variant->how), watched;
	struct told told;

	watch(self->object, self->notices, BOTH_RIGHTS);
	watched = time_to_leave(self->object, variant->how);
	EXPECT_EQ(1, take_notice(self->notices, &told, KCHAN_NONBLOCK, 0));
	EXPECT_EQ(BOTH_RIGHTS, told.notice.rights);
	EXPECT_SILENCE(self->notices);
	EXPECT_GT(10 * plain + NSEC_PER_SEC, watched)
		TH_LOG("%lld ms, watched %lld ms", plain / NSEC_PER_MSEC,
		       watched / NSEC_PER_MSEC);
}

TEST_HARNESS_MAIN
