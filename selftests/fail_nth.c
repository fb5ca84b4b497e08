// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every call, with the first, the second, ... of its allocations and copies made to
 * fail, until none is left to fail.  A call that fails has changed nothing, and does it
 * all when it is called again; nothing leaks.
 *
 * It takes a kernel with fault injection, where the n-th of what can fail in a task
 * fails after n was written to /proc/self/task/TID/fail-nth.
 */
#include <linux/capability.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <kselftest_harness.h>
#include "select_util.h"
#include "wait_rows.h"
#include "watch_util.h"

enum { LARGE = 3000, MOST = 500 };

/* ---- where faults come from ---- */

#define DEBUGFS "/sys/kernel/debug/"

/* Nothing by chance, but whatever is asked for by its number; without a word. */
static const struct {
	const char *path, *value;
} settings[] = {
	{ DEBUGFS "failslab/probability", "0" },
	{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
	{ DEBUGFS "failslab/verbose", "0" },
	{ DEBUGFS "fail_page_alloc/probability", "0" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
	{ DEBUGFS "fail_page_alloc/min-order", "0" },
	{ DEBUGFS "fail_page_alloc/verbose", "0" },
	{ DEBUGFS "fail_usercopy/probability", "0" },
	{ DEBUGFS "fail_usercopy/verbose", "0" },
};

/* What is missing, or NULL. */
static const char *set_up_faults(void)
{
	if (access("/proc/self/fail-nth", W_OK))
		return "no /proc/self/fail-nth: the kernel has no CONFIG_FAULT_INJECTION";
	if (access(DEBUGFS "failslab", F_OK))
		mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		int fd = open(settings[i].path, O_WRONLY);

		if (fd < 0)
			return settings[i].path;
		must(write(fd, settings[i].value, 1) == 1);
		close(fd);
	}
	return NULL;
}

static int fail_nth;

static void open_fail_nth(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/fail-nth", my_tid());
	fail_nth = open(path, O_RDWR | O_CLOEXEC);
	must(fail_nth >= 0);
}

static void inject(int n)
{
	char number[16];
	int len = snprintf(number, sizeof(number), "%d", n);

	must(pwrite(fail_nth, number, len, 0) == len);
}

/*
 * Whether the fault came.  Asking is a copy, too: if that fails, it was the next that
 * was due, and the call itself had none.
 */
static bool injected(void)
{
	char left[16] = "";
	ssize_t n = pread(fail_nth, left, sizeof(left) - 1, 0);

	/* This copy may be the one that fails, but not twice. */
	if (pwrite(fail_nth, "0", 1, 0) != 1)
		must(pwrite(fail_nth, "0", 1, 0) == 1);
	return n > 0 && !atoi(left);
}

/* ---- a scene, new for each fault ---- */

enum { MANY = 40, FDS = 4, BATCH = 3 };

struct scene {
	const struct call *call;
	int dev;
	int fd[FDS];			/* objects; what is not used is -1 */
	int made;			/* what the call has made */
	int other;			/* a file of another kind, or one to be closed */
	struct row_call wait;
	__u8 message[LARGE], answer[LARGE];
	__u8 messages[BATCH][LARGE];
	__u64 addresses[BATCH];		/* of each of them */
	__u32 moved;			/* of the batch */
	struct kchan_call asked;
	__u64 values[2];
	struct kchan_case cases[MANY];
	__u32 nr;
	struct pollfd polled[MANY];
	struct kchan_cell *cells;
	struct kchan_stat before[FDS];
	int free_fd;
	struct task *peer, *rival;
	int away;			/* a timer, which ends what the rival waits for */
	__u8 unsent[LARGE];
	int acted, stop;
	__s64 deadline;			/* soon; asking for the time could fail, too */
};

/* One call that is to be swept. */
struct call {
	const char *name;
	int (*set_up)(struct scene *s);
	int (*call)(struct scene *s);
	int good;			/* what it returns; ANY: a file number */
	int (*done)(struct scene *s);	/* 0: the call has done all that it has to */
	/* A task that ends the wait, once so many wait on the first object. */
	int (*peer)(struct scene *s);
	__u32 senders, receivers;
	bool behind;			/* one waits already, and has what the channel has for one */
	int least;			/* so many faults make it fail, at least; see below */
	__u32 kind;
	__u64 limit;
	const struct wait_row *row;
	bool in_select;
};

enum { ANY = INT_MAX };

/* Waits until it is told to go away. */
static int be_first(void *arg)
{
	struct scene *s = arg;
	struct kchan_case cases[] = {
		s->call->senders ? on_send(s->fd[0], s->unsent, LARGE) :
				   on_recv(s->fd[0], s->unsent, LARGE),
		on_op(s->away, KCHAN_OP_TICK, 0),
	};

	CHECK(kchan_select(cases, 2, 0, 0).index == 1);
	return 0;
}

static void start_rival(struct scene *s)
{
	s->away = make_object(KCHAN_KIND_TIMER, 0);
	s->rival = task_start(THREAD, be_first, s);
	wait_waiting(s->fd[0], !!s->call->senders, !s->call->senders);
}

static void dismiss_rival(struct scene *s)
{
	if (!s->rival)
		return;
	must(!set_timer(s->away, KCHAN_DEADLINE, 0, 0));
	must(!task_join(s->rival));
	s->rival = NULL;
}

static int act_when_it_waits(void *arg)
{
	struct scene *s = arg;
	__u32 senders = s->call->senders, receivers = s->call->receivers;

	senders += s->call->behind && senders;
	receivers += s->call->behind && receivers;
	while (!load(&s->stop)) {
		if (waiting(s->fd[0], senders, receivers)) {
			store(&s->acted, 1);
			dismiss_rival(s);
			return s->call->peer(s);
		}
		usleep(50);
	}
	return 0;
}

static int begin(struct scene *s, const struct call *call, int dev)
{
	memset(s, 0, sizeof(*s));
	s->call = call;
	s->dev = dev;
	s->made = -1;
	s->other = -1;
	s->away = -1;
	for (int i = 0; i < FDS; i++)
		s->fd[i] = -1;
	CHECK(!call->set_up || call->set_up(s) == 0);
	if (call->behind)
		start_rival(s);
	for (int i = 0; i < FDS && s->fd[i] >= 0; i++)
		s->before[i] = chan_stat(s->fd[i]);
	s->free_fd = lowest_free_fd();
	return 0;
}

static void end(struct scene *s)
{
	dismiss_rival(s);
	if (s->cells && s->cells != MAP_FAILED)
		munmap(s->cells, sizeof(*s->cells));
	for (int i = 0; i < FDS && s->fd[i] >= 0; i++)
		close(s->fd[i]);
	close(s->made);
	close(s->other);
	close(s->away);
}

static int unchanged(struct scene *s)
{
	for (int i = 0; i < FDS && s->fd[i] >= 0; i++)
		CHECK(same_stat(s->before[i], s->fd[i]));
	CHECK(s->free_fd == lowest_free_fd());
	return 0;
}

/* Calls it, with the n-th fault; returns what it returns. */
static int call_with(struct scene *s, int n, bool *failed)
{
	bool with_peer = s->call->peer && !s->acted;
	int ret;

	store(&s->stop, 0);
	s->deadline = in_ms(10);
	if (with_peer)
		s->peer = task_start(THREAD, act_when_it_waits, s);
	if (n)
		inject(n);
	ret = s->call->call(s);
	*failed = n && injected();
	store(&s->stop, 1);
	if (with_peer)
		must(!task_join(s->peer));
	if (s->call->good == ANY && ret >= 0) {
		s->made = ret;
		ret = ANY;
	}
	return ret;
}

/* One fault; *left is false when there was none left. */
static int sweep_one(const struct call *call, int dev, int n, bool *left, int *failures)
{
	struct scene s;
	bool none;
	int ret;

	CHECK(begin(&s, call, dev) == 0);
	ret = call_with(&s, n, left);
	if (ret != call->good) {
		++*failures;
		if (!*left || (ret != -ENOMEM && ret != -EFAULT))
			fprintf(stderr, "# %s, fault %d: %d\n", call->name, n, ret);
		CHECK(*left && (ret == -ENOMEM || ret == -EFAULT));
		/* What the peer did is there, for the next call. */
		CHECK(s.acted || unchanged(&s) == 0);
		CHECK(call_with(&s, 0, &none) == call->good);
	}
	CHECK(!call->done || call->done(&s) == 0);
	end(&s);
	return 0;
}

static int sweep(const struct call *call, int dev)
{
	int fds = lowest_free_fd(), failures = 0, n = 0;
	bool left;

	/* Without a fault first: what user space lacks comes in with that. */
	CHECK(sweep_one(call, dev, 0, &left, &failures) == 0);
	do {
		CHECK(++n < MOST);
		CHECK(sweep_one(call, dev, n, &left, &failures) == 0);
	} while (left);
	fprintf(stderr, "# %s: %d faults, of which %d made it fail\n", call->name, n - 1, failures);
	CHECK(failures >= call->least);
	CHECK(fds == lowest_free_fd());
	return 0;
}

/* ---- who sweeps: a user whose room is measured ---- */

enum { FEW_OBJECTS = 40 };

/* The largest buffer that the user may still have, in bytes. */
static int measure_room(void *arg)
{
	int dev = open_device(), fd, fits = 0, wrong = KCHAN_MAX_CAPACITY;

	become_user(NOBODY);
	while (wrong - fits > 1) {
		int middle = fits + (wrong - fits) / 2;

		fd = try_make_chan(dev, 1, middle, 0);
		CHECK(fd >= 0 || fd == -EDQUOT);
		*(fd < 0 ? &wrong : &fits) = middle;
		close(fd);
	}
	*(int *)arg = fits;
	/* And as many objects as there may be. */
	for (int i = 0; i < FEW_OBJECTS; i++)
		CHECK(try_make_chan(dev, 0, 0, 0) >= 0);
	CHECK(try_make_chan(dev, 0, 0, 0) == -EDQUOT);
	return 0;
}

/* It is charged like NOBODY, but may go beyond, and ask for faults. */
static void become_privileged_nobody(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = 1 << CAP_SYS_RESOURCE, .permitted = 1 << CAP_SYS_RESOURCE },
	};

	must(!prctl(PR_SET_KEEPCAPS, 1));
	must(!setresuid(NOBODY, NOBODY, NOBODY));
	must(!syscall(SYS_capset, &header, data));
	/* Of which the kernel takes /proc/self away from its user. */
	must(!prctl(PR_SET_DUMPABLE, 1));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

struct sweeps {
	const struct call *calls;
	size_t nr;
	int room[2];
};

static int sweep_as_nobody(void *arg)
{
	struct sweeps *w = arg;
	int dev = open_device();

	any_device();
	open_fail_nth();
	become_privileged_nobody();
	for (size_t i = 0; i < w->nr; i++)
		CHECK(sweep(&w->calls[i], dev) == 0);
	return 0;
}

FIXTURE(fail_nth) {
	const char *missing;
	unsigned long old_objects, old_bytes;
};

FIXTURE_SETUP(fail_nth)
{
	self->missing = set_up_faults();
	self->old_objects = get_parameter("max_user_objects");
	self->old_bytes = get_parameter("max_user_bytes");
	set_parameter("max_user_objects", FEW_OBJECTS);
	set_parameter("max_user_bytes", KCHAN_MAX_CAPACITY / 2);
}

FIXTURE_TEARDOWN(fail_nth)
{
	set_parameter("max_user_objects", self->old_objects);
	set_parameter("max_user_bytes", self->old_bytes);
}

static int in_child(int (*body)(void *), void *arg)
{
	return task_join(task_start(PROCESS, body, arg));
}

static void expect_swept(struct __test_metadata *_metadata, const struct call *calls, size_t nr)
{
	struct sweeps *w = shared_alloc(sizeof(*w));

	*w = (struct sweeps){ .calls = calls, .nr = nr };
	EXPECT_EQ(0, in_child(measure_room, &w->room[0]));
	EXPECT_EQ(0, in_child(sweep_as_nobody, w));
	EXPECT_EQ(0, in_child(measure_room, &w->room[1]));
	EXPECT_LT(0, w->room[0]);
	EXPECT_EQ(w->room[0], w->room[1]);
}

#define SWEEP(test, calls)								\
	TEST_F_TIMEOUT(fail_nth, test, 60)						\
	{										\
		if (self->missing)							\
			SKIP(return, "no faults to be had here: %s", self->missing);	\
		expect_swept(_metadata, calls, ARRAY_LEN(calls));			\
	}

/* ---- the device ---- */

static int call_open(struct scene *s)
{
	int fd = open("/dev/kchan", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int call_features(struct scene *s)
{
	struct kchan_features f = { .size = sizeof(f) };

	return kchan_call(s->dev, KCHAN_FEATURES, &f);
}

static int call_create_chan(struct scene *s)
{
	return try_make_chan(s->dev, s->call->kind, s->call->limit, 0);
}

static int chan_works(struct scene *s)
{
	__u32 size = s->call->kind;
	void *message = calloc(1, size + 1);

	CHECK(chan_stat(s->made).elem_size == size);
	CHECK(chan_try_send(s->made, message, size) == (s->call->limit ? 0 : -EAGAIN));
	CHECK(chan_try_recv(s->made, message, size) == (s->call->limit ? 1 : -EAGAIN));
	free(message);
	return 0;
}

static int call_create(struct scene *s)
{
	return try_make_object(s->dev, s->call->kind, s->call->limit, 0);
}

static int is_new(struct scene *s)
{
	struct kchan_stat st = chan_stat(s->made);

	CHECK(st.kind == s->call->kind && st.capacity == s->call->limit);
	CHECK(st.length == 0 && st.state == 0);
	return 0;
}

static int set_up_cancel(struct scene *s)
{
	s->fd[0] = make_cancel(-1);
	return 0;
}

static int call_create_child(struct scene *s)
{
	struct kchan_create arg = {
		.size = sizeof(arg), .kind = KCHAN_KIND_CANCEL, .parent = s->fd[0],
		.flags = KCHAN_CHILD | KCHAN_DEADLINE, .deadline = LLONG_MAX - 1,
	};

	return kchan_call(s->dev, KCHAN_CREATE, &arg);
}

static int is_child(struct scene *s)
{
	CHECK(chan_stat(s->fd[0]).length == 1);
	CHECK(kchan_arg_call(s->fd[0], KCHAN_CANCEL, EIO) == 1);
	CHECK(cause_now(s->made) == EIO);
	return 0;
}

#define CREATE(nr, lim, at_least) {							\
	.name = "KCHAN_CREATE " #nr, .call = call_create, .good = ANY, .done = is_new,	\
	.kind = nr, .limit = lim, .least = at_least,					\
}

/*
 * An object, who pays for it, a file and its name: each can fail.  Half of them have to
 * be seen to: where a slab is refilled in one of the runs, its fault goes there instead.
 */
static const struct call of_the_device[] = {
	{ .name = "open", .call = call_open, .good = ANY, .least = 1 },
	{ .name = "KCHAN_FEATURES", .call = call_features, .least = 1 },
	{
		.name = "KCHAN_CREATE_CHAN of signals", .call = call_create_chan, .good = ANY,
		.done = chan_works, .kind = 0, .limit = 0, .least = 2,
	}, {
		.name = "KCHAN_CREATE_CHAN, small", .call = call_create_chan, .good = ANY,
		.done = chan_works, .kind = 8, .limit = 4, .least = 2,
	}, {
		.name = "KCHAN_CREATE_CHAN, large", .call = call_create_chan, .good = ANY,
		.done = chan_works, .kind = KCHAN_MAX_ELEM_SIZE, .limit = 16, .least = 2,
	},
	CREATE(KCHAN_KIND_WAITGROUP, 5, 2),
	CREATE(KCHAN_KIND_SEMAPHORE, 5, 2),
	CREATE(KCHAN_KIND_MUTEX, 0, 2),
	CREATE(KCHAN_KIND_RWMUTEX, 0, 2),
	CREATE(KCHAN_KIND_ONCE, 0, 2),
	CREATE(KCHAN_KIND_COND, 0, 2),
	CREATE(KCHAN_KIND_TIMER, 0, 2),
	CREATE(KCHAN_KIND_CELLS, 200, 4),
	CREATE(KCHAN_KIND_CANCEL, 0, 2),
	{
		.name = "KCHAN_CREATE of a child", .set_up = set_up_cancel,
		.call = call_create_child, .good = ANY, .done = is_child, .least = 2,
	},
};

SWEEP(device, of_the_device)

/* ---- what every object answers, and calls that wait for nothing ---- */

static int set_up_object(struct scene *s)
{
	s->fd[0] = make_object(s->call->kind, s->call->limit);
	return 0;
}

static int call_stat(struct scene *s)
{
	struct kchan_stat st = { .size = sizeof(st) };

	return kchan_call(s->fd[0], KCHAN_STAT, &st);
}

static int call_restrict(struct scene *s)
{
	return try_restrict(s->fd[0], KCHAN_RIGHT_RECV, 0);
}

static int is_receiver(struct scene *s)
{
	CHECK(chan_stat(s->made).rights == KCHAN_RIGHT_RECV);
	CHECK(chan_stat(s->made).id == chan_stat(s->fd[0]).id);
	return 0;
}

static int set_up_units(struct scene *s)
{
	s->fd[0] = make_object(s->call->kind, 9);
	return kchan_add(s->fd[0], 3);
}

static int call_token(struct scene *s)
{
	return kchan_arg_call(s->fd[0], KCHAN_TOKEN, 2);
}

/* One of three units is left that is not the token's. */
static int is_token(struct scene *s)
{
	CHECK(chan_stat(s->made).length == 2);
	CHECK(kchan_done(s->fd[0], 1) == 0);
	CHECK(kchan_done(s->fd[0], 1) < 0);
	CHECK(kchan_done(s->made, 0) == 0);
	CHECK(kchan_zero(s->fd[0], NULL) == 0);
	return 0;
}

static int set_up_token(struct scene *s)
{
	CHECK(set_up_units(s) == 0);
	s->other = made(kchan_arg_call(s->fd[0], KCHAN_TOKEN, 3));
	return 0;
}

static int call_close_fd(struct scene *s)
{
	int ret = close(s->other);

	s->other = -1;
	return ret;
}

static int is_abandoned(struct scene *s)
{
	__u64 units;

	CHECK(kchan_zero(s->fd[0], &units) == -EOWNERDEAD && units == 3);
	return 0;
}

static int call_done(struct scene *s)
{
	return kchan_done(s->fd[0], 3);
}

static int is_zero(struct scene *s)
{
	return kchan_zero(s->fd[0], NULL);
}

static int set_up_timer(struct scene *s)
{
	s->fd[0] = make_object(KCHAN_KIND_TIMER, 0);
	return 0;
}

static int call_timer(struct scene *s)
{
	return set_timer(s->fd[0], KCHAN_DEADLINE, 0, 0);
}

static int has_ticked(struct scene *s)
{
	return kchan_wait_op(s->fd[0], KCHAN_OP_TICK, 0, 0, KCHAN_NONBLOCK, 0, NULL);
}

static int set_up_tree(struct scene *s)
{
	s->fd[0] = make_cancel(-1);
	s->other = make_cancel(s->fd[0]);
	return 0;
}

static int call_cancel(struct scene *s)
{
	return kchan_arg_call(s->fd[0], KCHAN_CANCEL, EIO);
}

static int all_cancelled(struct scene *s)
{
	CHECK(cause_now(s->fd[0]) == EIO && cause_now(s->other) == EIO);
	return 0;
}

static int lock_and_die(void *arg)
{
	CHECK(kchan_lock(*(int *)arg) == 0);
	raise(SIGKILL);
	return 0;
}

static int set_up_broken_lock(struct scene *s)
{
	s->fd[0] = make_object(KCHAN_KIND_MUTEX, 0);
	CHECK(in_child(lock_and_die, &s->fd[0]) == KILLED(SIGKILL));
	CHECK(kchan_lock(s->fd[0]) == -EOWNERDEAD);
	return 0;
}

static int call_consistent(struct scene *s)
{
	return kchan_arg_call(s->fd[0], KCHAN_CONSISTENT, 0);
}

static int call_unlock(struct scene *s)
{
	return kchan_unlock(s->fd[0]);
}

static int set_up_locked(struct scene *s)
{
	s->fd[0] = make_object(s->call->kind, 0);
	return kchan_lock(s->fd[0]);
}

static int is_free(struct scene *s)
{
	return kchan_try_lock(s->fd[0]);
}

static int is_mended(struct scene *s)
{
	CHECK(chan_stat(s->fd[0]).state == KCHAN_STATE_LOCKED);
	return call_unlock(s) || is_free(s);
}

static int call_signal(struct scene *s)
{
	return kchan_arg_call(s->fd[0], KCHAN_SIGNAL, 1);
}

static const struct call of_objects[] = {
	{ .name = "KCHAN_STAT", .set_up = set_up_timer, .call = call_stat, .least = 1 },
	{
		.name = "KCHAN_RESTRICT", .set_up = set_up_timer, .call = call_restrict,
		.good = ANY, .done = is_receiver, .least = 1,
	}, {
		.name = "KCHAN_TOKEN of a group", .set_up = set_up_units, .call = call_token,
		.good = ANY, .done = is_token, .kind = KCHAN_KIND_WAITGROUP, .least = 2,
	}, {
		.name = "KCHAN_TOKEN of a semaphore", .set_up = set_up_units, .call = call_token,
		.good = ANY, .done = is_token, .kind = KCHAN_KIND_SEMAPHORE, .least = 2,
	}, {
		.name = "close of a token", .set_up = set_up_token, .call = call_close_fd,
		.done = is_abandoned, .kind = KCHAN_KIND_WAITGROUP,
	}, {
		.name = "KCHAN_DONE", .set_up = set_up_units, .call = call_done,
		.done = is_zero, .kind = KCHAN_KIND_WAITGROUP,
	}, {
		.name = "KCHAN_TIMER", .set_up = set_up_timer, .call = call_timer,
		.done = has_ticked,
	}, {
		.name = "KCHAN_CANCEL", .set_up = set_up_tree, .call = call_cancel, .good = 1,
		.done = all_cancelled,
	}, {
		.name = "KCHAN_CONSISTENT", .set_up = set_up_broken_lock,
		.call = call_consistent, .done = is_mended,
	}, {
		.name = "KCHAN_UNLOCK", .set_up = set_up_locked, .call = call_unlock,
		.done = is_free, .kind = KCHAN_KIND_MUTEX,
	}, {
		.name = "KCHAN_SIGNAL of a cond", .set_up = set_up_object, .call = call_signal,
		.kind = KCHAN_KIND_COND,
	}, {
		.name = "KCHAN_SIGNAL of cells", .set_up = set_up_object, .call = call_signal,
		.kind = KCHAN_KIND_CELLS, .limit = 4,
	},
};

SWEEP(objects, of_objects)

/* ---- who is told of the end of processes ---- */

static int return_0(void *arg)
{
	return 0;
}

/* A process ends, and just this channel is told of it. */
static int tells(struct scene *s, int to)
{
	struct kchan_notice notice;

	CHECK(in_child(return_0, NULL) == 0);
	for (int i = 1; i < FDS && s->fd[i] >= 0; i++) {
		if (s->fd[i] == to)
			CHECK(try_notice(to, &notice) == 1 && notice.cookie == COOKIE);
		CHECK(try_notice(s->fd[i], &notice) == -EAGAIN);
	}
	return 0;
}

static int set_up_unwatched(struct scene *s)
{
	s->fd[0] = make_object(KCHAN_KIND_TIMER, 0);
	s->fd[1] = make_notice_chan(4, KCHAN_POLICY_BLOCK, 0);
	return 0;
}

static int set_up_watched(struct scene *s)
{
	CHECK(set_up_unwatched(s) == 0);
	s->fd[2] = make_notice_chan(4, KCHAN_POLICY_BLOCK, 0);
	return try_watch(s->fd[0], s->fd[2], BOTH_RIGHTS);
}

/* What fails leaves whoever was told before, if anybody was. */
static int watch_or_not(struct scene *s, int to)
{
	int ret = try_watch(s->fd[0], to, BOTH_RIGHTS);

	CHECK(!ret || tells(s, s->fd[2]) == 0);
	return ret;
}

static int call_watch(struct scene *s)
{
	return watch_or_not(s, s->fd[1]);
}

static int call_watch_no_more(struct scene *s)
{
	return watch_or_not(s, -1);
}

static int tells_the_new_one(struct scene *s)
{
	return tells(s, s->fd[1]);
}

static int tells_nobody(struct scene *s)
{
	return tells(s, -1);
}

static const struct call of_watching[] = {
	{
		.name = "KCHAN_WATCH", .set_up = set_up_unwatched, .call = call_watch,
		.done = tells_the_new_one, .least = 1,
	}, {
		.name = "KCHAN_WATCH instead of another", .set_up = set_up_watched,
		.call = call_watch, .done = tells_the_new_one, .least = 1,
	}, {
		.name = "KCHAN_WATCH no more", .set_up = set_up_watched,
		.call = call_watch_no_more, .done = tells_nobody,
	},
};

SWEEP(watching, of_watching)

/* ---- every wait: what is ready, what ends in time, and what a peer ends ---- */

static int set_up_row(struct scene *s)
{
	const struct wait_row *row = s->call->row;

	s->fd[0] = row_make(row);
	row->block(s->fd[0]);
	if (s->call->in_select)
		s->fd[1] = make_object(KCHAN_KIND_TIMER, 0);
	s->wait = (struct row_call){ .row = row, .fd = s->fd[0], .never = s->fd[1] };
	return 0;
}

static int set_up_ready_row(struct scene *s)
{
	CHECK(set_up_row(s) == 0);
	s->call->row->ready(s->fd[0]);
	return 0;
}

static int call_row(struct scene *s)
{
	row_call(&s->wait);
	return s->wait.ret;
}

static int call_row_until(struct scene *s)
{
	s->wait.flags = KCHAN_DEADLINE;
	s->wait.deadline = s->deadline;
	return call_row(s);
}

static int row_done(struct scene *s)
{
	CHECK(row_value(&s->wait) == s->call->row->value);
	CHECK(waiting(s->fd[0], 0, 0));
	return 0;
}

static int make_row_ready(struct scene *s)
{
	s->call->row->ready(s->fd[0]);
	return 0;
}

static struct call call_of_row(const struct wait_row *row, bool in_select)
{
	return (struct call){
		.name = row->name, .row = row, .in_select = in_select, .set_up = set_up_row,
		.call = call_row, .good = row->ret, .done = row_done,
	};
}

static const struct wait_row rows[] = {
#define ROW(name, ...) WAIT_ROW(name, __VA_ARGS__),
	FOR_EVERY_WAIT(ROW)
	FOR_EVERY_TRANSFER(ROW)
};

enum { NR_ROWS = ARRAY_LEN(rows) };

static void ready_rows(struct call *calls)
{
	for (int i = 0; i < 2 * NR_ROWS; i++) {
		const struct wait_row *row = &rows[i / 2];

		/* What waits for nothing but a peer is not ready alone; the next has a buffer. */
		if (row->kind == KCHAN_KIND_CHAN && !row->limit)
			row++;
		calls[i] = call_of_row(row, i % 2);
		calls[i].set_up = set_up_ready_row;
	}
}

static void rows_until(struct call *calls)
{
	for (int i = 0; i < 2 * NR_ROWS; i++) {
		calls[i] = call_of_row(&rows[i / 2], i % 2);
		calls[i].call = call_row_until;
		calls[i].good = -ETIMEDOUT;
		calls[i].done = unchanged;
	}
}

static void served_rows(struct call *calls)
{
	for (int i = 0; i < 2 * NR_ROWS; i++) {
		bool sends = rows[i / 2].right == KCHAN_RIGHT_SEND;

		calls[i] = call_of_row(&rows[i / 2], i % 2);
		calls[i].peer = make_row_ready;
		calls[i].senders = sends;
		calls[i].receivers = !sends;
	}
}

#define SWEEP_ROWS(test, fill)								\
	TEST_F_TIMEOUT(fail_nth, test, 60)						\
	{										\
		struct call calls[2 * NR_ROWS];						\
											\
		if (self->missing)							\
			SKIP(return, "no faults to be had here: %s", self->missing);	\
		fill(calls);								\
		expect_swept(_metadata, calls, ARRAY_LEN(calls));			\
	}

SWEEP_ROWS(waits_that_are_ready, ready_rows)
SWEEP_ROWS(waits_until_a_deadline, rows_until)
SWEEP_ROWS(waits_that_a_peer_ends, served_rows)

/* ---- a cond gives its lock back, or it does not ---- */

static int set_up_cond(struct scene *s)
{
	s->fd[0] = make_object(KCHAN_KIND_COND, 0);
	s->fd[1] = make_object(KCHAN_KIND_MUTEX, 0);
	return kchan_lock(s->fd[1]);
}

static int call_cond(struct scene *s)
{
	return wait_op(s->fd[0], KCHAN_OP_COND, s->fd[1]);
}

static int call_cond_until(struct scene *s)
{
	return op_until(s->fd[0], KCHAN_OP_COND, s->fd[1], s->deadline);
}

static int signal_one(struct scene *s)
{
	CHECK(call_signal(s) == 1);
	return 0;
}

static int lock_is_free(struct scene *s)
{
	return kchan_try_lock(s->fd[1]);
}

static const struct call of_conds[] = {
	{
		.name = "KCHAN_OP_COND", .set_up = set_up_cond, .call = call_cond,
		.done = lock_is_free, .peer = signal_one, .receivers = 1,
	}, {
		.name = "KCHAN_OP_COND until a deadline", .set_up = set_up_cond,
		.call = call_cond_until, .good = -ETIMEDOUT, .done = lock_is_free,
	},
};

SWEEP(conds, of_conds)

/* ---- large messages, which are copied like any other memory ---- */

static void fill(__u8 *message)
{
	for (int i = 0; i < LARGE; i++)
		message[i] = i * 7 + 1;
}

static bool is_filled(const __u8 *message)
{
	for (int i = 0; i < LARGE; i++)
		if (message[i] != (__u8)(i * 7 + 1))
			return false;
	return true;
}

static int send_large(int fd)
{
	__u8 message[LARGE];

	fill(message);
	return chan_send(fd, message, LARGE);
}

static int recv_large(int fd)
{
	__u8 message[LARGE] = { 0 };

	CHECK(chan_recv(fd, message, LARGE) == 1);
	CHECK(is_filled(message));
	return 0;
}

static int set_up_room(struct scene *s)
{
	s->fd[0] = make_chan(LARGE, s->call->limit);
	fill(s->message);
	return 0;
}

static int set_up_message(struct scene *s)
{
	s->fd[0] = make_chan(LARGE, s->call->limit);
	return send_large(s->fd[0]);
}

static int set_up_end(struct scene *s)
{
	s->fd[0] = make_chan(LARGE, 1);
	return chan_close(s->fd[0]);
}

static int call_send(struct scene *s)
{
	return chan_send(s->fd[0], s->message, LARGE);
}

static int call_recv(struct scene *s)
{
	return chan_recv(s->fd[0], s->message, LARGE);
}

static int call_write(struct scene *s)
{
	ssize_t n = write(s->fd[0], s->message, LARGE);

	return n < 0 ? -errno : n;
}

static int call_read(struct scene *s)
{
	ssize_t n = read(s->fd[0], s->message, LARGE);

	return n < 0 ? -errno : n;
}

static int peer_sends(struct scene *s)
{
	return send_large(s->fd[0]);
}

static int peer_receives(struct scene *s)
{
	return recv_large(s->fd[0]);
}

static int was_sent(struct scene *s)
{
	CHECK(recv_large(s->fd[0]) == 0);
	CHECK(chan_stat(s->fd[0]).length == 0);
	return 0;
}

static int was_received(struct scene *s)
{
	CHECK(is_filled(s->message));
	CHECK(chan_stat(s->fd[0]).length == 0);
	return 0;
}

static int is_drained(struct scene *s)
{
	for (int i = 0; i < LARGE; i++)
		CHECK(s->message[i] == 0);
	return 0;
}

static int call_close(struct scene *s)
{
	return chan_close(s->fd[0]);
}

static int is_closed(struct scene *s)
{
	CHECK(chan_close(s->fd[0]) == -EALREADY);
	return 0;
}

static int call_close_with(struct scene *s)
{
	return kchan_arg_call(s->fd[0], KCHAN_CLOSE_WITH, EIO);
}

static int is_closed_with_cause(struct scene *s)
{
	CHECK(chan_stat(s->fd[0]).value == EIO);
	return is_closed(s);
}

static const struct call of_channels[] = {
	{
		.name = "KCHAN_SEND into the buffer", .set_up = set_up_room, .limit = 1,
		.call = call_send, .done = was_sent,
	}, {
		.name = "KCHAN_RECV from the buffer", .set_up = set_up_message, .limit = 1,
		.call = call_recv, .good = 1, .done = was_received,
	}, {
		.name = "KCHAN_SEND that waits", .set_up = set_up_room, .call = call_send,
		.peer = peer_receives, .senders = 1, .least = 1,
	}, {
		.name = "KCHAN_RECV that waits", .set_up = set_up_room, .call = call_recv,
		.good = 1, .done = was_received, .peer = peer_sends, .receivers = 1,
	}, {
		.name = "KCHAN_SEND that waits behind another", .set_up = set_up_room,
		.call = call_send, .peer = peer_receives, .senders = 1, .behind = true,
		.least = 2,
	}, {
		.name = "KCHAN_RECV that waits behind another", .set_up = set_up_room,
		.call = call_recv, .good = 1, .done = was_received, .peer = peer_sends,
		.receivers = 1, .behind = true, .least = 1,
	}, {
		.name = "KCHAN_RECV at the end", .set_up = set_up_end, .call = call_recv,
		.done = is_drained,
	}, {
		.name = "write", .set_up = set_up_room, .limit = 1, .call = call_write,
		.good = LARGE, .done = was_sent,
	}, {
		.name = "read", .set_up = set_up_message, .limit = 1, .call = call_read,
		.good = LARGE, .done = was_received,
	}, {
		.name = "KCHAN_CLOSE", .set_up = set_up_room, .call = call_close,
		.done = is_closed,
	}, {
		.name = "KCHAN_CLOSE_WITH", .set_up = set_up_room, .call = call_close_with,
		.done = is_closed_with_cause,
	},
};

SWEEP(channels, of_channels)

/* ---- policies, batches and calls, likewise with large messages ---- */

static int set_up_full(struct scene *s)
{
	s->fd[0] = make_policy_chan(LARGE, 1, s->call->kind);
	fill(s->message);
	return send_large(s->fd[0]);
}

static int was_discarded(struct scene *s)
{
	CHECK(chan_stat(s->fd[0]).dropped == 1);
	return was_sent(s);
}

/* All of it, or nothing: what was moved before a fault is told, and the rest follows. */
static int move_batch(struct scene *s, unsigned int cmd, __u32 flags)
{
	int ret;

	for (; s->moved < BATCH; s->moved += ret) {
		__u32 left = BATCH - s->moved;
		const void *rest = flags & KCHAN_VECTOR ? (void *)&s->addresses[s->moved] :
							  s->messages[s->moved];

		ret = chan_batch(s->fd[0], cmd, rest, LARGE, left, left, flags, 0);
		if (ret <= 0)
			return ret;
	}
	return s->moved;
}

static int call_send_batch(struct scene *s)
{
	return move_batch(s, KCHAN_SEND_BATCH, 0);
}

static int call_recv_batch(struct scene *s)
{
	return move_batch(s, KCHAN_RECV_BATCH, 0);
}

static int call_send_vector(struct scene *s)
{
	return move_batch(s, KCHAN_SEND_BATCH, KCHAN_VECTOR);
}

static int call_recv_vector(struct scene *s)
{
	return move_batch(s, KCHAN_RECV_BATCH, KCHAN_VECTOR);
}

static int set_up_batch(struct scene *s)
{
	for (int i = 0; i < BATCH; i++) {
		s->addresses[i] = (uintptr_t)s->messages[i];
		fill(s->messages[i]);
	}
	return set_up_room(s);
}

static int send_some(struct scene *s)
{
	for (int i = 0; i < BATCH; i++)
		CHECK(send_large(s->fd[0]) == 0);
	return 0;
}

static int recv_some(struct scene *s)
{
	for (int i = 0; i < BATCH; i++)
		CHECK(recv_large(s->fd[0]) == 0);
	return 0;
}

static int set_up_recv_batch(struct scene *s)
{
	CHECK(set_up_batch(s) == 0);
	memset(s->messages, 0, sizeof(s->messages));
	return 0;
}

static int set_up_full_batch(struct scene *s)
{
	return set_up_recv_batch(s) || send_some(s);
}

static int batch_was_sent(struct scene *s)
{
	CHECK(recv_some(s) == 0);
	CHECK(chan_stat(s->fd[0]).length == 0);
	return 0;
}

static int is_empty(struct scene *s)
{
	CHECK(chan_stat(s->fd[0]).length == 0);
	CHECK(waiting(s->fd[0], 0, 0));
	return 0;
}

static int batch_was_received(struct scene *s)
{
	for (int i = 0; i < BATCH; i++)
		CHECK(is_filled(s->messages[i]));
	return is_empty(s);
}

static int set_up_call(struct scene *s)
{
	CHECK(set_up_room(s) == 0);
	s->fd[1] = make_chan(LARGE, 1);
	s->asked = new_request(s->message, LARGE, s->fd[1], s->answer, LARGE);
	return 0;
}

static int set_up_answered_call(struct scene *s)
{
	return set_up_call(s) || send_large(s->fd[1]);
}

/* What fails after it was sent has changed just that, as its struct says. */
static int call_call(struct scene *s)
{
	int ret = chan_call(s->fd[0], &s->asked);

	if (ret < 0 && s->asked.sent)
		s->acted = 1;
	return ret;
}

static int is_answered(struct scene *s)
{
	CHECK(s->asked.sent == 1);
	CHECK(is_filled(s->answer));
	CHECK(chan_stat(s->fd[1]).length == 0);
	return is_empty(s);
}

static int asked_once(struct scene *s)
{
	CHECK(recv_large(s->fd[0]) == 0);
	return is_answered(s);
}

static int peer_answers(struct scene *s)
{
	CHECK(recv_large(s->fd[0]) == 0);
	return send_large(s->fd[1]);
}

/* A vector's addresses take memory; messages do where the call waits. */
#define BATCHES(how, send, recv, at_least)						\
	{										\
		.name = "KCHAN_SEND_BATCH into the buffer" how,				\
		.set_up = set_up_batch, .limit = BATCH, .call = send, .good = BATCH,	\
		.done = batch_was_sent, .least = at_least,				\
	}, {										\
		.name = "KCHAN_RECV_BATCH from the buffer" how,				\
		.set_up = set_up_full_batch, .limit = BATCH, .call = recv,		\
		.good = BATCH, .done = batch_was_received, .least = at_least,		\
	}, {										\
		.name = "KCHAN_SEND_BATCH that waits" how,				\
		.set_up = set_up_batch, .call = send, .good = BATCH, .done = is_empty,	\
		.peer = recv_some, .senders = 1, .least = 1,				\
	}, {										\
		.name = "KCHAN_RECV_BATCH that waits" how,				\
		.set_up = set_up_recv_batch, .limit = BATCH, .call = recv,		\
		.good = BATCH, .done = batch_was_received, .peer = send_some,		\
		.receivers = 1, .behind = true, .least = 1,				\
	}

static const struct call of_many[] = {
	{
		.name = "KCHAN_SEND that drops itself", .set_up = set_up_full,
		.kind = KCHAN_POLICY_DROP_NEWEST, .call = call_send, .done = was_discarded,
	}, {
		.name = "KCHAN_SEND that drops the oldest", .set_up = set_up_full,
		.kind = KCHAN_POLICY_DROP_OLDEST, .call = call_send, .done = was_discarded,
	}, {
		.name = "KCHAN_SEND that drops all", .set_up = set_up_full,
		.kind = KCHAN_POLICY_LATEST, .call = call_send, .done = was_discarded,
	},
	BATCHES("", call_send_batch, call_recv_batch, 0),
	BATCHES(", a vector", call_send_vector, call_recv_vector, 1),
	{
		.name = "KCHAN_CALL", .set_up = set_up_answered_call, .limit = 1,
		.call = call_call, .good = 1, .done = asked_once,
	}, {
		.name = "KCHAN_CALL that waits", .set_up = set_up_call, .call = call_call,
		.good = 1, .done = is_answered, .peer = peer_answers, .senders = 1, .least = 1,
	},
};

SWEEP(many, of_many)

/* ---- messages with handles, and who sent them ---- */

static int set_up_carrier(struct scene *s)
{
	s->fd[0] = make_carrier(.elem_size = LARGE, .capacity = s->call->limit, .handles = 2,
				.depth = 1, .flags = KCHAN_STAMPED);
	s->fd[1] = make_chan(8, 1);
	fill(s->message);
	return 0;
}

static int ship(struct scene *s, const void *message)
{
	__s32 handles[] = { s->fd[1], -1 };
	struct kchan_ancillary ancillary = with_handles(handles, 2);

	return cargo_msg(s->fd[0], KCHAN_SEND, message, LARGE, 0, &ancillary);
}

static int set_up_shipped(struct scene *s)
{
	CHECK(set_up_carrier(s) == 0);
	CHECK(ship(s, s->message) == 0);
	memset(s->message, 0, LARGE);
	return 0;
}

static int unship(struct scene *s, void *message)
{
	__s32 handles[2];
	struct kchan_ancillary ancillary = with_handles(handles, 2);
	int ret = cargo_msg(s->fd[0], KCHAN_RECV, message, LARGE, 0, &ancillary);

	if (ret != 1)
		return ret;
	s->other = handles[0];
	return handles[1] == -1 && ancillary.pid == getpid() ? 1 : -EILSEQ;
}

static int call_ship(struct scene *s)
{
	return ship(s, s->message);
}

static int call_unship(struct scene *s)
{
	return unship(s, s->message);
}

static int call_select_ship(struct scene *s)
{
	__s32 handles[] = { s->fd[1], -1 };
	struct kchan_ancillary ancillary = with_handles(handles, 2);
	struct kchan_case cases[] = {
		with_ancillary(on_send(s->fd[0], s->message, LARGE), &ancillary),
		on_recv64(s->fd[1], &s->values[0]),
	};

	return kchan_select(cases, 2, 0, 0).index;
}

static int peer_ships(struct scene *s)
{
	__u8 message[LARGE];

	fill(message);
	return ship(s, message);
}

static int peer_unships(struct scene *s)
{
	__u8 message[LARGE];

	return unship(s, message) != 1 || !is_filled(message);
}

static int was_unshipped(struct scene *s)
{
	CHECK(is_filled(s->message));
	CHECK(chan_stat(s->fd[0]).length == 0);
	CHECK(chan_stat(s->other).id == chan_stat(s->fd[1]).id);
	CHECK(fcntl(s->other, F_GETFD) == FD_CLOEXEC);
	return 0;
}

static int was_shipped(struct scene *s)
{
	memset(s->message, 0, LARGE);
	CHECK(unship(s, s->message) == 1);
	return was_unshipped(s);
}

static const struct call of_cargo[] = {
	{
		.name = "handles into the buffer", .set_up = set_up_carrier, .limit = 1,
		.call = call_ship, .done = was_shipped, .least = 2,
	}, {
		.name = "handles from the buffer", .set_up = set_up_shipped, .limit = 1,
		.call = call_unship, .good = 1, .done = was_unshipped,
	}, {
		.name = "handles sent by a select", .set_up = set_up_carrier, .limit = 1,
		.call = call_select_ship, .done = was_shipped, .least = 2,
	}, {
		.name = "handles that wait", .set_up = set_up_carrier, .call = call_ship,
		.peer = peer_unships, .senders = 1, .least = 2,
	}, {
		.name = "handles that are waited for", .set_up = set_up_carrier,
		.call = call_unship, .good = 1, .done = was_unshipped, .peer = peer_ships,
		.receivers = 1,
	},
};

SWEEP(cargo, of_cargo)

/* ---- selects ---- */

/* All but the last are never ready; that is a large send or receive, or a unit. */
static int set_up_select(struct scene *s)
{
	int idle = make_object(KCHAN_KIND_TIMER, 0);

	s->fd[0] = make_chan(LARGE, 1);
	s->fd[1] = idle;
	s->fd[2] = make_object(KCHAN_KIND_WAITGROUP, 1);
	s->nr = s->call->limit;
	for (__u32 i = 0; i + 1 < s->nr; i++)
		s->cases[i] = on_op(idle, KCHAN_OP_TICK, 0);
	return 0;
}

static int set_up_select_send(struct scene *s)
{
	CHECK(set_up_select(s) == 0);
	fill(s->message);
	s->cases[s->nr - 1] = on_send(s->fd[0], s->message, LARGE);
	return 0;
}

static int set_up_select_recv(struct scene *s)
{
	CHECK(set_up_select(s) == 0);
	s->cases[s->nr - 1] = on_recv(s->fd[0], s->message, LARGE);
	return 0;
}

static int set_up_select_message(struct scene *s)
{
	CHECK(set_up_select_recv(s) == 0);
	return send_large(s->fd[0]);
}

static int call_select_with(struct scene *s, __u32 flags, __s64 deadline)
{
	struct chosen c = kchan_select(s->cases, s->nr, flags, deadline);

	if (c.index < 0)
		return c.index;
	CHECK(c.index == (int)s->nr - 1);
	return c.outcome;
}

static int call_select(struct scene *s)
{
	return call_select_with(s, 0, 0);
}

static int call_select_ready(struct scene *s)
{
	return call_select_with(s, KCHAN_READY, 0);
}

static int call_select_until(struct scene *s)
{
	return call_select_with(s, KCHAN_DEADLINE, s->deadline);
}

#define SELECTS(few_or_many, n)								\
	{										\
		.name = few_or_many ", a send", .set_up = set_up_select_send, .limit = n,	\
		.call = call_select, .done = was_sent,					\
	}, {										\
		.name = few_or_many ", a receive", .set_up = set_up_select_message,	\
		.limit = n, .call = call_select, .good = 1, .done = was_received,	\
	}, {										\
		.name = few_or_many ", what is ready", .set_up = set_up_select_message,	\
		.limit = n, .call = call_select_ready, .done = unchanged,		\
	}, {										\
		.name = few_or_many ", until a deadline", .set_up = set_up_select_recv,	\
		.limit = n, .call = call_select_until, .good = -ETIMEDOUT,		\
		.done = unchanged, .behind = true, .least = 1,				\
	}, {										\
		.name = few_or_many ", a receive that waits", .set_up = set_up_select_recv,	\
		.limit = n, .call = call_select, .good = 1, .done = was_received,	\
		.peer = peer_sends, .receivers = 1, .behind = true, .least = 1,		\
	}

static const struct call of_selects[] = {
	SELECTS("few cases", 4),
	SELECTS("many cases", 20),
};

SWEEP(selects, of_selects)

/* ---- the objects as files ---- */

static int set_up_cells(struct scene *s)
{
	s->fd[0] = make_object(KCHAN_KIND_CELLS, 4);
	return 0;
}

static int call_mmap(struct scene *s)
{
	s->cells = mmap(NULL, sizeof(*s->cells), PROT_READ | PROT_WRITE, MAP_SHARED, s->fd[0], 0);
	return s->cells == MAP_FAILED ? -errno : 0;
}

static int cells_work(struct scene *s)
{
	store(&s->cells->value, CHANGED);
	CHECK(kchan_wait_op(s->fd[0], KCHAN_OP_DIFFERS, 0, 0, KCHAN_NONBLOCK, 0, NULL) == 0);
	return 0;
}

static int set_up_mapped_cells(struct scene *s)
{
	s->other = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	return set_up_cells(s) || call_mmap(s);
}

/* The page comes in with this; it is the kernel that touches it, and can be told no. */
static int call_touch(struct scene *s)
{
	ssize_t n = read(s->other, &s->cells->value, sizeof(s->cells->value));

	return n < 0 ? -errno : n;
}

static int set_up_polled(struct scene *s)
{
	s->fd[0] = make_chan(8, 1);
	for (int i = 0; i < MANY; i++)
		s->polled[i] = (struct pollfd){ .fd = s->fd[0], .events = POLLOUT };
	return 0;
}

static int call_poll(struct scene *s)
{
	int n = poll(s->polled, MANY, 0);

	return n < 0 ? -errno : n;
}

static int set_up_epoll(struct scene *s)
{
	s->fd[0] = make_chan(8, 1);
	s->other = epoll_create1(EPOLL_CLOEXEC);
	return s->other < 0;
}

static int call_epoll_ctl(struct scene *s)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };

	return epoll_ctl(s->other, EPOLL_CTL_ADD, s->fd[0], &event) ? -errno : 0;
}

static int is_in_epoll(struct scene *s)
{
	struct epoll_event event;

	CHECK(epoll_wait(s->other, &event, 1, 0) == 1);
	CHECK(event.events == EPOLLOUT);
	return 0;
}

/* Opening, reading and closing it; any of them may fail. */
static int call_fdinfo(struct scene *s)
{
	char path[64], text[512];
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", s->fd[0]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = read(fd, text, sizeof(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static const struct call of_files[] = {
	{
		.name = "mmap of cells", .set_up = set_up_cells, .call = call_mmap,
		.done = cells_work, .least = 1,
	}, {
		.name = "touching cells", .set_up = set_up_mapped_cells, .call = call_touch,
		.good = sizeof(__u64), .done = cells_work,
	}, {
		.name = "poll", .set_up = set_up_polled, .call = call_poll, .good = MANY,
		.done = unchanged, .least = 1,
	}, {
		.name = "epoll_ctl", .set_up = set_up_epoll, .call = call_epoll_ctl,
		.done = is_in_epoll, .least = 1,
	}, {
		.name = "fdinfo", .set_up = set_up_polled, .call = call_fdinfo,
		.done = unchanged, .least = 1,
	},
};

SWEEP(files, of_files)

/* ---- ends that are told ---- */

/* Whoever dies of a want of memory is told of like any other. */
struct dying {
	int fd[2];
	int n;
};

static int die_with_fault(void *arg)
{
	struct dying *d = arg;

	open_fail_nth();
	inject(d->n);
	_exit(7);
}

/* As large as notices can be. */
static int make_large_notices(void)
{
	return make_carrier(.elem_size = sizeof(struct kchan_notice), .capacity = 4,
			    .flags = KCHAN_STAMPED, .handles = KCHAN_MAX_HANDLES, .depth = 1);
}

static int take_large_notice(int fd, struct kchan_notice *notice, struct kchan_ancillary *who)
{
	__s32 handles[KCHAN_MAX_HANDLES];

	*who = with_handles(handles, KCHAN_MAX_HANDLES);
	return cargo_msg(fd, KCHAN_RECV, notice, sizeof(*notice), KCHAN_NONBLOCK, who);
}

/* Two numbers, and yet one notice. */
TEST_F(fail_nth, end_of_a_process_that_is_watched)
{
	struct dying *d = shared_alloc(sizeof(*d));
	int notices = make_large_notices();
	struct kchan_ancillary who;
	struct kchan_notice notice;
	struct task *t;
	pid_t pid;

	if (self->missing)
		SKIP(return, "no faults to be had here: %s", self->missing);
	d->fd[0] = make_chan(8, 1);
	d->fd[1] = restrict_to(d->fd[0], BOTH_RIGHTS);
	watch(d->fd[0], notices, BOTH_RIGHTS);
	for (d->n = 1; d->n <= 20; d->n++) {
		t = task_start(PROCESS, die_with_fault, d);
		pid = t->pid;
		must(waitpid(pid, NULL, 0) == pid);
		munmap(t, sizeof(*t));
		ASSERT_EQ(1, take_large_notice(notices, &notice, &who)) {
			TH_LOG("fault %d", d->n);
		}
		EXPECT_EQ(KCHAN_NOTICE_EXIT, notice.flags);
		EXPECT_EQ(7 << 8, notice.status);
		EXPECT_EQ(BOTH_RIGHTS, notice.rights);
		EXPECT_EQ(pid, who.pid);
		EXPECT_EQ(-EAGAIN, take_large_notice(notices, &notice, &who));
	}
	EXPECT_EQ(0, chan_stat(notices).dropped);
	watch_no_more(d->fd[0]);
}

TEST_HARNESS_MAIN
