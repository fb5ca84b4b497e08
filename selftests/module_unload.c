// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module goes only when nothing of it is in use, and then it does go: against
 * objects of every kind, mappings, waits, alarms and handles that are on their way
 * through a socket; and against others who open and create all the time.  It is loaded
 * again, as it was, before a test ends.
 */
#include <kselftest_harness.h>
#include "wait_rows.h"
#include "watch_util.h"

/* Where it is in the guest of scripts/vm. */
#define MODULE "/lib/modules/kchan.ko"

static int unload(void)
{
	return syscall(SYS_delete_module, "kchan", O_NONBLOCK) ? -errno : 0;
}

/* As the module has them now. */
static void read_parameters(char *text, size_t size)
{
	snprintf(text, size, "max_user_objects=%lu max_user_bytes=%lu",
		 get_parameter("max_user_objects"), get_parameter("max_user_bytes"));
}

static int load_with(const char *parameters)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC), ret;

	must(fd >= 0);
	ret = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	close(fd);
	return ret;
}

/* A process that has ended may hold its files for a moment longer. */
static int unload_soon(void)
{
	__s64 end = now() + PATIENCE_NS;
	int ret;

	while ((ret = unload()) == -EWOULDBLOCK && now() < end)
		usleep(100);
	return ret;
}

FIXTURE(module_unload) {
	char parameters[128];
	const char *missing;
};

FIXTURE_SETUP(module_unload)
{
	if (access(MODULE, R_OK))
		self->missing = "no " MODULE " to load again";
	else if (geteuid())
		self->missing = "only root unloads modules";
	/* A test before this one was killed in between. */
	else if (access("/sys/module/kchan", F_OK))
		ASSERT_EQ(0, load_with(""));
	read_parameters(self->parameters, sizeof(self->parameters));
}

FIXTURE_TEARDOWN(module_unload)
{
	if (access("/sys/module/kchan", F_OK)) {
		EXPECT_EQ(0, load_with(self->parameters));
	}
	EXPECT_EQ(0, access("/dev/kchan", R_OK | W_OK));
}

#define SKIP_WITHOUT_MODULE()						\
	if (self->missing)						\
		SKIP(return, "%s", self->missing)

/* What is in use keeps it; once that is gone it goes, and comes back. */
static void expect_kept_by(struct __test_metadata *_metadata, FIXTURE_DATA(module_unload) *self,
			   const char *what)
{
	EXPECT_EQ(-EWOULDBLOCK, unload()) TH_LOG("kept by %s", what);
	EXPECT_EQ(0, access("/dev/kchan", R_OK | W_OK));
}

static void expect_goes(struct __test_metadata *_metadata, FIXTURE_DATA(module_unload) *self,
			const char *what)
{
	ASSERT_EQ(0, unload_soon()) TH_LOG("after %s", what);
	EXPECT_EQ(-1, access("/dev/kchan", F_OK));
	ASSERT_EQ(0, load_with(self->parameters));
	EXPECT_EQ(0, access("/dev/kchan", R_OK | W_OK));
}

TEST_F(module_unload, device)
{
	int dev;

	SKIP_WITHOUT_MODULE();
	dev = open_device();
	expect_kept_by(_metadata, self, "the device");
	close(dev);
	expect_goes(_metadata, self, "the device");
}

/* make_carrier() keeps the device open, and that keeps the module. */
static void forget_device(void)
{
	must(!close(any_device()));
}

static const struct wait_row rows[] = {
#define ROW(name, ...) WAIT_ROW(name, __VA_ARGS__),
	FOR_EVERY_WAIT(ROW)
	FOR_EVERY_TRANSFER(ROW)
};

TEST_F(module_unload, objects)
{
	SKIP_WITHOUT_MODULE();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int fd = row_make(&rows[i]);

		rows[i].block(fd);
		expect_kept_by(_metadata, self, rows[i].name);
		close(fd);
	}
	expect_goes(_metadata, self, "objects of all kinds");
}

TEST_F(module_unload, tokens_and_alarms)
{
	int group, token, timer, cancel;

	SKIP_WITHOUT_MODULE();
	group = make_object(KCHAN_KIND_WAITGROUP, 0);
	ASSERT_EQ(0, kchan_add(group, 1));
	token = made(kchan_arg_call(group, KCHAN_TOKEN, 1));
	close(group);
	expect_kept_by(_metadata, self, "a token");
	close(token);
	timer = make_object(KCHAN_KIND_TIMER, 0);
	ASSERT_EQ(0, set_timer(timer, KCHAN_DEADLINE, in_ms(20), NSEC_PER_MSEC));
	cancel = made(try_make_cancel(-1, KCHAN_DEADLINE, in_ms(20)));
	expect_kept_by(_metadata, self, "alarms");
	/* They may be ringing now. */
	usleep(20000);
	close(timer);
	close(cancel);
	expect_goes(_metadata, self, "alarms");
}

TEST_F(module_unload, mapped_cells)
{
	struct kchan_cell *cells;
	int fd;

	SKIP_WITHOUT_MODULE();
	fd = make_object(KCHAN_KIND_CELLS, 4);
	cells = map_cells(fd, 4);
	close(fd);
	expect_kept_by(_metadata, self, "a mapping");
	store(&cells[3].value, CHANGED);
	munmap(cells, 4 * sizeof(*cells));
	expect_goes(_metadata, self, "a mapping");
}

/* The thread's call holds the handle that has been closed. */
TEST_F(module_unload, wait_through_a_closed_handle)
{
	struct one_value one = { .ret = 7 };
	struct task *t;
	int c;

	SKIP_WITHOUT_MODULE();
	catch_signal(SIGUSR1, 0);
	c = make_chan(8, 0);
	one.fd = c;
	t = task_start(THREAD, recv_one, &one);
	wait_waiting(c, 0, 1);
	close(c);
	expect_kept_by(_metadata, self, "a wait");
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	expect_goes(_metadata, self, "a wait");
}

/* ---- in flight ---- */

TEST_F(module_unload, handles_in_flight)
{
	int sockets[2], fd;

	SKIP_WITHOUT_MODULE();
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		fd = row_make(&rows[i]);
		rows[i].block(fd);
		pass_fd(sockets[0], fd);
		close(fd);
	}
	expect_kept_by(_metadata, self, "handles in flight");
	/* Some arrive, some never will. */
	close(take_fd(sockets[1]));
	fd = take_fd(sockets[1]);
	close(sockets[0]);
	expect_kept_by(_metadata, self, "handles in flight");
	close(sockets[1]);
	expect_kept_by(_metadata, self, "one that arrived");
	close(fd);
	expect_goes(_metadata, self, "handles in flight");
}

/* A socket in flight to itself, with a handle behind it: only the collector finds it. */
TEST_F(module_unload, handles_in_a_circle)
{
	int sockets[2], c;

	SKIP_WITHOUT_MODULE();
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	c = make_chan(8, 2);
	ASSERT_EQ(0, send64(c, 1));
	pass_fd(sockets[0], c);
	pass_fd(sockets[0], sockets[0]);
	pass_fd(sockets[0], sockets[1]);
	close(c);
	close(sockets[0]);
	close(sockets[1]);
	/* Which runs when a socket goes while others are in flight. */
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
		close(sockets[0]);
		close(sockets[1]);
	}
	expect_goes(_metadata, self, "handles in a circle");
}

/* Each in a message of the one before, the first in the hands of nobody. */
TEST_F(module_unload, handles_in_messages)
{
	enum { DEPTH = 8 };
	int outer, inner;

	SKIP_WITHOUT_MODULE();
	inner = make_chan(8, 0);
	for (int depth = 1; depth <= DEPTH; depth++) {
		outer = make_carrier(.elem_size = 8, .capacity = 2, .handles = 1, .depth = depth);
		ASSERT_EQ(0, send_handle(outer, 0, inner));
		close(inner);
		inner = outer;
	}
	forget_device();
	expect_kept_by(_metadata, self, "handles in messages");
	close(outer);
	expect_goes(_metadata, self, "handles in messages");
}

/* ---- the races ---- */

/*
 * The race: a process that ends tells its watchers when its files are already closed,
 * so the module may be on its way out.
 */
TEST_F_TIMEOUT(module_unload, watched_by_those_who_end, 60)
{
	SKIP_WITHOUT_MODULE();
	for (int i = 0; i < 4; i++) {
		int fd = make_object(KCHAN_KIND_SEMAPHORE, 1);
		int notices = make_chan(sizeof(struct kchan_notice), 8);
		struct leaver *l = new_leaver(i % 2 ? EXITS : IS_KILLED, fd);
		struct task *t;

		watch(fd, notices, BOTH_RIGHTS);
		t = start_leaver(l);
		close(fd);
		close(notices);
		expect_kept_by(_metadata, self, "a watched process");
		let_leave(t, l);
		expect_goes(_metadata, self, "a watched process");
		end_leaver(t, l);
	}
}

enum { USERS = 3, RACE_MS = 1500, ENOUGH = 3 };

struct race {
	int over;
	int used[USERS], missed[USERS];
	int number;
};

/* There, or between a going and a coming. */
static bool is_away(int error)
{
	return error == ENOENT || error == ENODEV || error == ENXIO || error == EACCES;
}

static int use_device(int dev, unsigned int *seed)
{
	const struct wait_row *row = &rows[rand_r(seed) % ARRAY_LEN(rows)];
	int fd = row->kind == KCHAN_KIND_CHAN ? try_make_chan(dev, 8, row->limit, 0) :
						try_make_object(dev, row->kind, row->limit, 0);

	CHECK(fd >= 0);
	/* Sometimes the object outlives the device's file, sometimes the other way. */
	if (rand_r(seed) % 2)
		close(dev);
	row->block(fd);
	CHECK(chan_stat(fd).kind == row->kind);
	close(fd);
	close(dev);
	return 0;
}

static int use_all_the_time(void *arg)
{
	struct race *r = arg;
	int me = count_up(&r->number);
	unsigned int seed = me;

	while (!load(&r->over)) {
		int dev = open("/dev/kchan", O_RDWR | O_CLOEXEC);

		if (dev < 0) {
			CHECK(is_away(errno));
			r->missed[me]++;
			usleep(rand_r(&seed) % 500);
			continue;
		}
		CHECK(use_device(dev, &seed) == 0);
		r->used[me]++;
		/* Nobody could unload it if it were never idle. */
		usleep(rand_r(&seed) % 2000);
	}
	return 0;
}

TEST_F_TIMEOUT(module_unload, race_with_open_and_create, 60)
{
	struct race *r = shared_alloc(sizeof(*r));
	int unloaded = 0, busy = 0, ret;
	struct task *users[USERS];
	__s64 end, last;

	SKIP_WITHOUT_MODULE();
	for (int i = 0; i < USERS; i++)
		users[i] = task_start(PROCESS, use_all_the_time, r);
	end = in_ms(RACE_MS);
	last = end + PATIENCE_NS / 2;
	while (now() < end || (unloaded < ENOUGH && now() < last)) {
		ret = unload();
		if (ret == -EWOULDBLOCK) {
			busy++;
			continue;
		}
		ASSERT_EQ(0, ret);
		unloaded++;
		ASSERT_EQ(0, load_with(self->parameters));
	}
	store(&r->over, 1);
	for (int i = 0; i < USERS; i++) {
		EXPECT_EQ(0, task_join(users[i]));
		EXPECT_LT(0, r->used[i]);
	}
	TH_LOG("unloaded %d times, busy %d times, missed %d times", unloaded, busy,
	       r->missed[0] + r->missed[1] + r->missed[2]);
	EXPECT_LT(0, unloaded);
	EXPECT_LT(0, busy);
	expect_goes(_metadata, self, "the race");
}

TEST_HARNESS_MAIN
