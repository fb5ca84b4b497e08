// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handles travel with messages: any file, as the very same open file, with the very
 * same rights, along every way that a message can take.
 */
#include <kselftest_harness.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include "cargo_util.h"

/* ---- what travels ---- */

static int pass(int c, int fd)
{
	int got, ret = send_handle(c, 1, fd);

	must(!ret);
	got = recv_handle(c, NULL);
	must(got >= 0);
	return got;
}

static int open_here(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	must(fd >= 0);
	return fd;
}

TEST(any_file)
{
	struct trace pipe = make_trace();
	int dev = open_device(), c = make_chan_of_one(1);
	int group = make_object(KCHAN_KIND_WAITGROUP, 0);
	int files[] = {
		pipe.read, pipe.write, dev,
		eventfd(0, 0), memfd_create("kchan", 0), epoll_create1(0),
		timerfd_create(CLOCK_MONOTONIC, 0), syscall(SYS_pidfd_open, getpid(), 0),
		open_here("/dev/null", O_RDWR), open_here("/", O_RDONLY | O_DIRECTORY),
		open_here("/", O_PATH), open_here("/proc/self/exe", O_RDONLY),
		socket(AF_INET, SOCK_STREAM, 0), socket(AF_NETLINK, SOCK_RAW, 0),
		make_chan(8, 1), restrict_to(make_chan(8, 0), KCHAN_RIGHT_RECV), group,
		make_object(KCHAN_KIND_SEMAPHORE, 1), make_object(KCHAN_KIND_MUTEX, 0),
		make_object(KCHAN_KIND_RWMUTEX, 0), make_object(KCHAN_KIND_ONCE, 0),
		make_object(KCHAN_KIND_COND, 0), make_object(KCHAN_KIND_TIMER, 0),
		make_object(KCHAN_KIND_CELLS, 1), make_cancel(-1),
		(kchan_add(group, 1), kchan_arg_call(group, KCHAN_TOKEN, 1)),
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		int got, before = count_fds();

		/* Not every kernel has every kind of file. */
		if (files[i] < 0) {
			TH_LOG("there is no file %zu here", i);
			continue;
		}
		got = pass(c, files[i]);
		EXPECT_NE(files[i], got);
		EXPECT_EQ(true, same_file(files[i], got)) {
			TH_LOG("file %zu", i);
		}
		EXPECT_EQ(FD_CLOEXEC, fcntl(got, F_GETFD));
		close(got);
		EXPECT_EQ(before, count_fds());
	}
}

/* One position, for the sender and for the receiver. */
TEST(position_is_shared)
{
	int c = make_chan_of_one(1), fd = memfd_create("kchan", 0), got;

	ASSERT_EQ(6, write(fd, "abcdef", 6));
	got = pass(c, fd);
	EXPECT_EQ(2, lseek(fd, 2, SEEK_SET));
	EXPECT_EQ(2, lseek(got, 0, SEEK_CUR));
	EXPECT_EQ(5, lseek(got, 3, SEEK_CUR));
	EXPECT_EQ(5, lseek(fd, 0, SEEK_CUR));
}

TEST(rights_travel_unchanged)
{
	int c = make_chan_of_one(1), line = make_chan(8, 1);

	for (__u32 rights = 1; rights <= BOTH_RIGHTS; rights++) {
		int got = pass(c, restrict_to(line, rights));
		__u64 v = 0;

		EXPECT_EQ(rights, chan_stat(got).rights);
		EXPECT_EQ(chan_stat(line).id, chan_stat(got).id);
		EXPECT_EQ(rights & KCHAN_RIGHT_SEND ? 0 : -EBADF, try_send64(got, 1));
		EXPECT_EQ(-EBADF, rights == BOTH_RIGHTS ? -EBADF :
			  try_restrict(got, BOTH_RIGHTS, 0));
		try_send64(line, 1);
		EXPECT_EQ(rights & KCHAN_RIGHT_RECV ? 1 : -EBADF, try_recv64(got, &v));
		try_recv64(line, &v);
	}
}

TEST(o_nonblock_travels)
{
	int c = make_chan_of_one(1), got;
	__u64 v;

	got = pass(c, try_restrict(make_chan(8, 0), BOTH_RIGHTS, KCHAN_NONBLOCK));
	EXPECT_EQ(-EAGAIN, recv64(got, &v));
}

/* A handle in a message is a handle: nothing is over as long as it is there. */
TEST(handle_on_its_way_keeps_things_alive)
{
	int c = make_chan_of_one(1), group = make_object(KCHAN_KIND_WAITGROUP, 0);
	int cancel = make_cancel(-1), watch = restrict_to(cancel, KCHAN_RIGHT_RECV), token;
	int line = make_chan(8, 1), reader = restrict_to(line, KCHAN_RIGHT_RECV);
	__u64 v;

	/* Work that nobody has taken yet is not abandoned. */
	ASSERT_EQ(0, kchan_add(group, 1));
	token = kchan_arg_call(group, KCHAN_TOKEN, 1);
	ASSERT_EQ(0, send_handle(c, 0, token));
	close(token);
	EXPECT_EQ(-EAGAIN, try_op(group, KCHAN_OP_ZERO, 0));
	token = recv_handle(c, NULL);
	EXPECT_EQ(0, kchan_arg_call(token, KCHAN_DONE, 0));
	close(token);
	EXPECT_EQ(0, try_op(group, KCHAN_OP_ZERO, 0));

	ASSERT_EQ(0, send_handle(c, 0, cancel));
	close(cancel);
	EXPECT_EQ(-EAGAIN, cause_now(watch));
	cancel = recv_handle(c, NULL);
	EXPECT_EQ(-EAGAIN, cause_now(watch));

	ASSERT_EQ(0, send_handle(c, 0, line));
	close(line);
	EXPECT_EQ(-EAGAIN, try_recv64(reader, &v));
	line = recv_handle(c, NULL);
	EXPECT_EQ(0, send64(line, 1));
	EXPECT_EQ(1, recv64(reader, &v));
}

/* What dies in the channel dies as in any other hands. */
TEST(what_is_never_taken_dies)
{
	int c = make_carrier(.elem_size = 8, .capacity = 2, .handles = 3, .depth = 1);
	int group = make_object(KCHAN_KIND_WAITGROUP, 0), cancel = make_cancel(-1);
	int line = make_chan(8, 1), reader = restrict_to(line, KCHAN_RIGHT_RECV);
	__s32 handles[3];
	__u64 v;

	ASSERT_EQ(0, kchan_add(group, 3));
	handles[0] = kchan_arg_call(group, KCHAN_TOKEN, 3);
	handles[1] = restrict_to(cancel, KCHAN_RIGHT_SEND);
	handles[2] = line;
	ASSERT_EQ(0, send_handles(c, 0, handles, 3, 0));
	for (int i = 0; i < 3; i++)
		close(handles[i]);
	EXPECT_EQ(-EAGAIN, try_op(group, KCHAN_OP_ZERO, 0));
	EXPECT_EQ(-EAGAIN, try_recv64(reader, &v));
	close(c);
	EXPECT_EQ(-EOWNERDEAD, kchan_zero(group, &v));
	EXPECT_EQ(3, v);
	EXPECT_EQ(0, try_recv64(reader, &v));
	/* Its creator has a handle to the cancel still. */
	EXPECT_EQ(-EAGAIN, cause_now(cancel));
}

/* Whom nobody has asked for is nobody: not process 0 of the user who may do all. */
TEST(sender_that_is_not_told)
{
	int c = make_chan_of_one(1), file = open_device();
	struct kchan_ancillary who;
	__s32 handle = -1;
	__u64 value;

	ASSERT_EQ(0, send_handle(c, 1, file));
	who = with_handles(&handle, 1);
	who.pid = 77;
	EXPECT_EQ(1, cargo_msg(c, KCHAN_RECV, &value, sizeof(value), 0, &who));
	EXPECT_EQ(0, who.pid);
	EXPECT_EQ((__u32)-1, who.uid);
	EXPECT_EQ((__u32)-1, who.gid);
	close(handle);
	close(file);
	close(c);
}

/* ---- how many, and of what size ---- */

TEST(none_in_some_places)
{
	int c = make_carrier(.elem_size = 8, .capacity = 4, .handles = 5, .depth = 1);
	struct trace a = make_trace(), b = make_trace();
	__s32 handles[] = { -1, a.write, -1, b.write, -1 }, got[5], none[] = { -1, -1, -1, -1, -1 };
	int before = count_fds();
	__u64 v;

	ASSERT_EQ(0, send_handles(c, 1, handles, 5, 0));
	ASSERT_EQ(0, send_handles(c, 2, none, 5, 0));
	/* Without struct kchan_ancillary there are none, either. */
	ASSERT_EQ(0, send64(c, 3));
	ASSERT_EQ(1, recv_handles(c, &v, got, 5, 0));
	EXPECT_EQ(1, v);
	EXPECT_EQ(-1, got[0]);
	EXPECT_EQ(true, leads_to(a, got[1]));
	EXPECT_EQ(-1, got[2]);
	EXPECT_EQ(true, leads_to(b, got[3]));
	EXPECT_EQ(-1, got[4]);
	EXPECT_EQ(before + 2, count_fds());
	for (__u64 i = 2; i <= 3; i++) {
		ASSERT_EQ(1, recv_handles(c, &v, got, 5, 0));
		EXPECT_EQ(i, v);
		EXPECT_EQ(0, memcmp(none, got, sizeof(got)));
	}
	EXPECT_EQ(before + 2, count_fds());
}

/* One file in several places arrives as often as it was sent. */
TEST(one_file_many_times)
{
	int c = make_carrier(.elem_size = 8, .capacity = 1, .handles = 16, .depth = 1);
	struct trace trace = make_trace();
	__s32 handles[16], got[16];
	__u64 v;

	for (int i = 0; i < 16; i++)
		handles[i] = trace.write;
	ASSERT_EQ(0, send_handles(c, 1, handles, 16, 0));
	close(trace.write);
	ASSERT_EQ(1, recv_handles(c, &v, got, 16, 0));
	for (int i = 0; i < 16; i++) {
		EXPECT_EQ(true, leads_to(trace, got[i]));
		EXPECT_EQ(false, is_gone(trace));
		close(got[i]);
	}
	EXPECT_EQ(true, is_gone(trace));
}

FIXTURE(cargo_sizes) {
	int unused;
};

FIXTURE_VARIANT(cargo_sizes) {
	__u32 elem_size;
	__u32 handles;
};

FIXTURE_VARIANT_ADD(cargo_sizes, only_one_handle) { 0, 1 };
FIXTURE_VARIANT_ADD(cargo_sizes, only_handles) { 0, 16 };
FIXTURE_VARIANT_ADD(cargo_sizes, byte) { 1, 1 };
FIXTURE_VARIANT_ADD(cargo_sizes, odd) { 13, 16 };
FIXTURE_VARIANT_ADD(cargo_sizes, small) { 128, 1 };
FIXTURE_VARIANT_ADD(cargo_sizes, medium) { 200, 2 };
FIXTURE_VARIANT_ADD(cargo_sizes, large) { 65536, 16 };

FIXTURE_SETUP(cargo_sizes) { }

FIXTURE_TEARDOWN(cargo_sizes) { }

struct sized {
	int c;
	__u32 size, handles;
	__u8 *buf;
	__s32 got[16];
	int ret;
};

static int recv_sized(void *arg)
{
	struct sized *s = arg;
	struct kchan_ancillary ancillary = with_handles(s->got, s->handles);

	s->ret = cargo_msg(s->c, KCHAN_RECV, s->buf, s->size, 0, &ancillary);
	return 0;
}

static bool is_filled(const __u8 *buf, __u32 size, __u8 with)
{
	for (__u32 i = 0; i < size; i++) {
		if (buf[i] != (__u8)(with + i * 7))
			return false;
	}
	return true;
}

/* Through the buffer, from one who waits, and to one who waits. */
TEST_F(cargo_sizes, arrive_whole)
{
	struct trace traces[16];
	__s32 handles[16];
	__u8 *buf = malloc(variant->elem_size + 1), *in = malloc(variant->elem_size + 1);
	struct kchan_ancillary ancillary = with_handles(handles, variant->handles);

	for (__u32 i = 0; i < variant->handles; i++) {
		traces[i] = make_trace();
		handles[i] = traces[i].write;
	}
	for (__u32 i = 0; i < variant->elem_size; i++)
		buf[i] = 3 + i * 7;
	for (int way = 0; way < 2; way++) {
		int c = make_carrier(.elem_size = variant->elem_size, .capacity = !way,
				     .handles = variant->handles, .depth = 1);
		struct sized s = { c, variant->elem_size, variant->handles, in, { 0 }, -1 };
		struct task *t = NULL;

		memset(in, 0, variant->elem_size);
		if (way) {
			t = task_start(THREAD, recv_sized, &s);
			wait_waiting(c, 0, 1);
		}
		ASSERT_EQ(0, cargo_msg(c, KCHAN_SEND, buf, variant->elem_size, 0, &ancillary));
		if (t)
			task_join(t);
		else
			recv_sized(&s);
		ASSERT_EQ(1, s.ret);
		EXPECT_EQ(true, is_filled(in, variant->elem_size, 3));
		for (__u32 i = 0; i < variant->handles; i++) {
			EXPECT_EQ(true, leads_to(traces[i], s.got[i]));
			close(s.got[i]);
		}
		close(c);
	}
	for (__u32 i = 0; i < variant->handles; i++) {
		close(handles[i]);
		EXPECT_EQ(true, is_gone(traces[i]));
	}
}

/* ---- every way ---- */

FIXTURE(cargo) {
	int c;
	struct trace trace;
	struct shipment *s;
};

FIXTURE_VARIANT(cargo) {
	enum task_kind kind;
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(cargo, unbuffered_threads) { THREAD, 0 };
FIXTURE_VARIANT_ADD(cargo, unbuffered_processes) { PROCESS, 0 };
FIXTURE_VARIANT_ADD(cargo, one_threads) { THREAD, 1 };
FIXTURE_VARIANT_ADD(cargo, one_processes) { PROCESS, 1 };
FIXTURE_VARIANT_ADD(cargo, three_threads) { THREAD, 3 };
FIXTURE_VARIANT_ADD(cargo, three_processes) { PROCESS, 3 };

FIXTURE_SETUP(cargo)
{
	self->c = make_chan_of_one(variant->capacity);
	self->trace = make_trace();
	self->s = new_shipment(self->c, 7, self->trace.write);
}

FIXTURE_TEARDOWN(cargo)
{
	close(self->c);
}

static void fill(int c, __u64 n)
{
	for (__u64 i = 0; i < n; i++)
		must(!try_send_handle(c, 1000 + i, -1));
}

static int drain(int c, __u64 n)
{
	__s32 handle;
	__u64 v;

	for (__u64 i = 0; i < n; i++) {
		CHECK(recv_handles(c, &v, &handle, 1, KCHAN_NONBLOCK) == 1);
		CHECK(v == 1000 + i && handle == -1);
	}
	return 0;
}

TEST_F(cargo, to_parked_receiver)
{
	struct task *t = task_start(variant->kind, recv_shipment, self->s);

	wait_waiting(self->c, 0, 1);
	EXPECT_EQ(0, send_handle(self->c, 5, self->trace.write));
	/* The sender needs its number no longer. */
	close(self->trace.write);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, self->s->ret);
	EXPECT_EQ(5, self->s->value);
	EXPECT_EQ(true, has_arrived(self->trace, '0'));
	wait_until(is_gone(self->trace));
}

TEST_F(cargo, from_parked_sender)
{
	struct task *t;
	__u64 v;
	int got;

	fill(self->c, variant->capacity);
	t = task_start(variant->kind, send_shipment, self->s);
	wait_waiting(self->c, 1, 0);
	close(self->trace.write);
	EXPECT_EQ(0, drain(self->c, variant->capacity));
	got = recv_handle(self->c, &v);
	ASSERT_LE(0, got);
	EXPECT_EQ(7, v);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, self->s->ret);
	EXPECT_EQ(true, leads_to(self->trace, got));
	close(got);
	EXPECT_EQ(true, is_gone(self->trace));
}

/* A sender that gives up, or is told that nobody receives, has its handle back. */
TEST_F(cargo, parked_sender_gives_up)
{
	struct task *t;

	fill(self->c, variant->capacity);
	t = task_start(variant->kind, send_shipment, self->s);
	wait_waiting(self->c, 1, 0);
	close(self->trace.write);
	EXPECT_EQ(false, is_gone(self->trace));
	EXPECT_EQ(0, chan_close(self->c));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EPIPE, self->s->ret);
	wait_until(is_gone(self->trace));
	EXPECT_EQ(0, drain(self->c, variant->capacity));
	EXPECT_EQ(THE_END, recv_handle(self->c, NULL));
}

/* The same by a deadline, and by a signal. */
static int send_for_a_while(void *arg)
{
	struct shipment *s = arg;
	struct kchan_ancillary ancillary = with_handles(s->handles, 1);
	struct kchan_msg msg = {
		.size = sizeof(msg), .flags = KCHAN_DEADLINE, .buf = (uintptr_t)&s->value,
		.len = 8, .deadline = in_ms(20), .ancillary = (uintptr_t)&ancillary,
	};

	s->ret = kchan_call(s->c, KCHAN_SEND, &msg);
	return 0;
}

TEST_F(cargo, sender_times_out)
{
	struct task *t;

	fill(self->c, variant->capacity);
	t = task_start(variant->kind, send_for_a_while, self->s);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-ETIMEDOUT, self->s->ret);
	close(self->trace.write);
	wait_until(is_gone(self->trace));
	EXPECT_EQ(0, drain(self->c, variant->capacity));
}

TEST_F(cargo, interrupted)
{
	struct shipment *receiver = new_shipment(self->c, 0, -1);
	int before = count_fds();
	struct task *t;

	catch_signal(SIGUSR1, 0);
	t = task_start(variant->kind, recv_shipment, receiver);
	wait_waiting(self->c, 0, 1);
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EINTR, receiver->ret);
	EXPECT_EQ(before, count_fds());

	fill(self->c, variant->capacity);
	t = task_start(variant->kind, send_shipment, self->s);
	wait_waiting(self->c, 1, 0);
	task_signal(t, SIGUSR1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EINTR, self->s->ret);
	close(self->trace.write);
	wait_until(is_gone(self->trace));
	EXPECT_EQ(0, drain(self->c, variant->capacity));
}

struct traffic {
	int c;
	int n;
	__s32 write[8];
};

/* Each message has two handles, which its value tells. */
static int send_traffic(void *arg)
{
	struct traffic *t = arg;

	for (int i = 0; i < t->n; i++) {
		__s32 two[] = { t->write[i % 8], t->write[(i + 3) % 8] };
		__s32 copy[] = { dup(two[0]), dup(two[1]) };

		CHECK(send_handles(t->c, i, copy, 2, 0) == 0);
		close(copy[0]);
		close(copy[1]);
	}
	return 0;
}

TEST_F(cargo, in_order)
{
	struct traffic *traffic = shared_alloc(sizeof(*traffic));
	struct trace traces[8];
	struct task *t;
	__s32 got[2];
	__u64 v;

	*traffic = (struct traffic){
		.c = make_carrier(.elem_size = 8, .capacity = variant->capacity, .handles = 2,
				  .depth = 1),
		.n = 60,
	};
	for (int i = 0; i < 8; i++) {
		traces[i] = make_trace();
		traffic->write[i] = traces[i].write;
	}
	t = task_start(variant->kind, send_traffic, traffic);
	for (int i = 0; i < traffic->n; i++) {
		ASSERT_EQ(1, recv_handles(traffic->c, &v, got, 2, 0));
		ASSERT_EQ(i, v);
		ASSERT_EQ(true, leads_to(traces[i % 8], got[0]));
		ASSERT_EQ(true, leads_to(traces[(i + 3) % 8], got[1]));
		close(got[0]);
		close(got[1]);
	}
	EXPECT_EQ(0, task_join(t));
	for (int i = 0; i < 8; i++) {
		close(traces[i].write);
		EXPECT_EQ(true, is_gone(traces[i]));
	}
}

/* A crowd: each message arrives once, with its own two handles. */
enum { CROWD = 4, EACH = 50 };

struct crowd {
	int c;
	__s32 files[8];	/* each of a size of its own */
	__u32 first;
	int arrived[CROWD * EACH];
};

static int send_in_crowd(void *arg)
{
	struct crowd *crowd = arg;
	__u32 first = __atomic_fetch_add(&crowd->first, EACH, __ATOMIC_SEQ_CST);

	for (__u64 v = first; v < first + EACH; v++) {
		__s32 two[] = { crowd->files[v % 8], v % 3 ? crowd->files[v / 8 % 8] : -1 };

		CHECK(send_handles(crowd->c, v, two, 2, 0) == 0);
	}
	return 0;
}

static bool is_file(int fd, __u64 n)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_size == (off_t)n && !close(fd);
}

static int receive_in_crowd(void *arg)
{
	struct crowd *crowd = arg;
	__s32 got[2];
	__u64 v;
	int ret;

	while ((ret = recv_handles(crowd->c, &v, got, 2, 0)) == 1) {
		CHECK(v < CROWD * EACH);
		CHECK(is_file(got[0], v % 8));
		CHECK(v % 3 ? is_file(got[1], v / 8 % 8) : got[1] == -1);
		count_up(&crowd->arrived[v]);
	}
	return ret;
}

TEST_F(cargo, crowd)
{
	struct crowd *crowd = shared_alloc(sizeof(*crowd));
	struct task *senders[CROWD], *receivers[CROWD];
	int before;

	crowd->c = make_carrier(.elem_size = 8, .capacity = variant->capacity, .handles = 2,
				.depth = 1);
	for (int i = 0; i < 8; i++) {
		crowd->files[i] = memfd_create("kchan", MFD_CLOEXEC);
		must(!ftruncate(crowd->files[i], i));
	}
	before = count_fds();
	for (int i = 0; i < CROWD; i++) {
		receivers[i] = task_start(variant->kind, receive_in_crowd, crowd);
		senders[i] = task_start(variant->kind, send_in_crowd, crowd);
	}
	for (int i = 0; i < CROWD; i++) {
		EXPECT_EQ(0, task_join(senders[i]));
	}
	EXPECT_EQ(0, chan_close(crowd->c));
	for (int i = 0; i < CROWD; i++) {
		EXPECT_EQ(0, task_join(receivers[i]));
	}
	for (int i = 0; i < CROWD * EACH; i++) {
		ASSERT_EQ(1, crowd->arrived[i]);
	}
	EXPECT_EQ(before, count_fds());
}

static int select_send(void *arg)
{
	struct shipment *s = arg;
	struct kchan_ancillary ancillary = with_handles(s->handles, 1);
	__u64 other = 0;
	struct kchan_case cases[] = {
		with_ancillary(on_send64(s->c, &s->value), &ancillary),
		on_recv64(make_chan(8, 0), &other),
	};
	struct chosen chosen = kchan_select(cases, 2, 0, 0);

	CHECK(chosen.index == 0);
	s->ret = chosen.outcome;
	return 0;
}

TEST_F(cargo, select_sends)
{
	struct task *t;
	__u64 v;
	int got;

	/* Once it is chosen at once, where there is room; once it waits. */
	for (int parks = !variant->capacity; parks <= 1; parks++) {
		fill(self->c, parks ? variant->capacity : 0);
		t = task_start(variant->kind, select_send, self->s);
		if (parks) {
			wait_waiting(self->c, 1, 0);
			EXPECT_EQ(0, drain(self->c, variant->capacity));
		}
		got = recv_handle(self->c, &v);
		EXPECT_EQ(7, v);
		EXPECT_EQ(true, leads_to(self->trace, got));
		close(got);
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(0, self->s->ret);
	}
	close(self->trace.write);
	wait_until(is_gone(self->trace));
}

static int select_recv(void *arg)
{
	struct shipment *s = arg;
	struct kchan_ancillary ancillary = with_handles(s->handles, 1);
	__u64 other = 0;
	struct kchan_case cases[] = {
		on_recv64(make_chan(8, 0), &other),
		with_ancillary(on_recv64(s->c, &s->value), &ancillary),
	};
	struct chosen chosen = kchan_select(cases, 2, 0, 0);

	CHECK(chosen.index == 1);
	s->ret = chosen.outcome;
	CHECK(s->ret != 1 || write(s->handles[0], "s", 1) == 1);
	if (s->ret == 1)
		close(s->handles[0]);
	return 0;
}

TEST_F(cargo, select_receives)
{
	struct task *t;

	for (int parks = !variant->capacity; parks <= 1; parks++) {
		if (!parks) {
			ASSERT_EQ(0, send_handle(self->c, 5, self->trace.write));
		}
		t = task_start(variant->kind, select_recv, self->s);
		if (parks) {
			wait_waiting(self->c, 0, 1);
			ASSERT_EQ(0, send_handle(self->c, 5, self->trace.write));
		}
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(1, self->s->ret);
		EXPECT_EQ(5, self->s->value);
		EXPECT_EQ(true, has_arrived(self->trace, 's'));
	}
	close(self->trace.write);
	wait_until(is_gone(self->trace));
}

/* Both ends in selects, with cases of other sizes beside, which lose nothing. */
TEST_F(cargo, select_meets_select)
{
	struct task *sender, *receiver;

	receiver = task_start(variant->kind, select_recv, self->s);
	wait_waiting(self->c, 0, 1);
	sender = task_start(variant->kind, select_send,
			    new_shipment(self->c, 9, self->trace.write));
	EXPECT_EQ(0, task_join(sender));
	EXPECT_EQ(0, task_join(receiver));
	EXPECT_EQ(1, self->s->ret);
	EXPECT_EQ(9, self->s->value);
	EXPECT_EQ(true, has_arrived(self->trace, 's'));
}

TEST_F(cargo, nonblock)
{
	int before = count_fds();
	__u64 v;
	int got;

	EXPECT_EQ(-EAGAIN, try_recv_handle(self->c, &v));
	for (__u64 i = 0; i < variant->capacity; i++) {
		EXPECT_EQ(0, try_send_handle(self->c, i, self->trace.write));
	}
	EXPECT_EQ(-EAGAIN, try_send_handle(self->c, 9, self->trace.write));
	close(self->trace.write);
	EXPECT_EQ(!variant->capacity, is_gone(self->trace));
	EXPECT_EQ(before - 1, count_fds());
	for (__u64 i = 0; i < variant->capacity; i++) {
		got = try_recv_handle(self->c, &v);
		ASSERT_LE(0, got);
		EXPECT_EQ(i, v);
		close(got);
	}
	EXPECT_EQ(-EAGAIN, try_recv_handle(self->c, &v));
	EXPECT_EQ(true, is_gone(self->trace));
}

/* The file says so, not the call. */
TEST_F(cargo, o_nonblock)
{
	int c = try_restrict(self->c, BOTH_RIGHTS, KCHAN_NONBLOCK);
	__u64 v;

	EXPECT_EQ(-EAGAIN, recv_handle(c, &v));
	fill(c, variant->capacity);
	EXPECT_EQ(-EAGAIN, send_handle(c, 1, self->trace.write));
	EXPECT_EQ(variant->capacity, chan_stat(c).length);
}

/* A try meets a peer that is parked. */
TEST_F(cargo, nonblock_meets_parked)
{
	struct task *t = task_start(variant->kind, recv_shipment, self->s);
	int got;

	wait_waiting(self->c, 0, 1);
	EXPECT_EQ(0, try_send_handle(self->c, 1, self->trace.write));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(true, has_arrived(self->trace, '0'));

	fill(self->c, variant->capacity);
	self->s->handles[0] = self->trace.write;
	self->s->value = 8;
	t = task_start(variant->kind, send_shipment, self->s);
	wait_waiting(self->c, 1, 0);
	EXPECT_EQ(0, drain(self->c, variant->capacity));
	got = try_recv_handle(self->c, NULL);
	EXPECT_EQ(true, leads_to(self->trace, got));
	EXPECT_EQ(0, task_join(t));
}

/* At the end there are no handles, and no file numbers are used up. */
TEST_F(cargo, the_end)
{
	int before, got;
	__u64 v;

	if (variant->capacity) {
		ASSERT_EQ(0, send_handle(self->c, 1, self->trace.write));
	}
	ASSERT_EQ(0, chan_close(self->c));
	before = count_fds();
	if (variant->capacity) {
		got = recv_handle(self->c, &v);
		EXPECT_EQ(true, leads_to(self->trace, got));
		close(got);
	}
	EXPECT_EQ(THE_END, recv_handle(self->c, &v));
	EXPECT_EQ(0, v);
	EXPECT_EQ(-EPIPE, send_handle(self->c, 1, self->trace.write));
	EXPECT_EQ(before, count_fds());
	close(self->trace.write);
	EXPECT_EQ(true, is_gone(self->trace));
}

/* ---- what nobody will receive ---- */

/* A full buffer's policy: what is discarded is let go of, and nothing else. */
static int send_four(__u32 policy, __u64 capacity, struct trace *traces)
{
	int c = make_carrier(.elem_size = 8, .capacity = capacity, .handles = 1, .depth = 1,
			     .policy = policy);

	for (int i = 0; i < 4; i++) {
		traces[i] = make_trace();
		must(!send_handle(c, i, traces[i].write));
		close(traces[i].write);
	}
	return c;
}

static const struct {
	__u32 policy;
	__u64 capacity;
	bool stays[4];
} policies[] = {
	{ KCHAN_POLICY_BLOCK, 4, { true, true, true, true } },
	{ KCHAN_POLICY_DROP_NEWEST, 2, { true, true, false, false } },
	{ KCHAN_POLICY_DROP_NEWEST, 1, { true, false, false, false } },
	{ KCHAN_POLICY_DROP_OLDEST, 2, { false, false, true, true } },
	{ KCHAN_POLICY_DROP_OLDEST, 3, { false, true, true, true } },
	{ KCHAN_POLICY_LATEST, 1, { false, false, false, true } },
};

TEST(policy_discards_handles)
{
	for (size_t p = 0; p < ARRAY_LEN(policies); p++) {
		struct trace traces[4];
		int c = send_four(policies[p].policy, policies[p].capacity, traces);
		__u64 v;

		EXPECT_EQ(4 - policies[p].capacity, chan_stat(c).dropped);
		for (__u64 i = 0; i < 4; i++) {
			EXPECT_EQ(policies[p].stays[i], !is_gone(traces[i]));
			if (!policies[p].stays[i])
				continue;
			ASSERT_EQ(true, leads_to(traces[i], try_recv_handle(c, &v)));
			EXPECT_EQ(i, v);
		}
		EXPECT_EQ(-EAGAIN, try_recv_handle(c, &v));
		close(c);
	}
}

/* Its request is not read by anybody any more: the answer's reader sees the end. */
static int read_answer(void *arg)
{
	__u64 v;

	return recv64(*(int *)arg, &v);
}

static int unread_request(__u64 capacity)
{
	int c = make_chan_of_one(capacity), requests = restrict_to(c, KCHAN_RIGHT_SEND);
	int line = make_chan(8, 0), reader = restrict_to(line, KCHAN_RIGHT_RECV);
	struct shipment *s = new_shipment(requests, 1, -1);
	struct task *t, *sender;

	fill(requests, capacity - 1);
	CHECK(send_handle(requests, 0, line) == 0);
	close(line);
	t = task_start(THREAD, read_answer, &reader);
	wait_waiting(reader, 0, 1);
	sender = task_start(THREAD, send_shipment, s);
	wait_waiting(requests, 1, 0);
	close(c);
	CHECK(task_join(t) == 0);
	CHECK(task_join(sender) == 0);
	CHECK(s->ret == -EPIPE);
	CHECK(chan_stat(requests).length == 0);
	CHECK(send_handle(requests, 0, -1) == -EPIPE);
	return 0;
}

TEST(last_receiver_gone)
{
	EXPECT_EQ(0, unread_request(1));
	EXPECT_EQ(0, unread_request(3));
}

/* The same by its death. */
static int hold_receiver(void *arg)
{
	must(close_range(3, *(int *)arg - 1, 0) == 0);
	must(close_range(*(int *)arg + 1, UINT_MAX, 0) == 0);
	pause();
	return 0;
}

TEST(last_receiver_killed)
{
	int c = make_chan_of_one(8), requests = restrict_to(c, KCHAN_RIGHT_SEND);
	int *number = shared_alloc(sizeof(int));
	struct trace traces[8];
	struct task *t;

	*number = c;
	t = task_start(PROCESS, hold_receiver, number);
	wait_asleep(t);
	close(c);
	for (int i = 0; i < 8; i++) {
		traces[i] = make_trace();
		ASSERT_EQ(0, send_handle(requests, i, traces[i].write));
		close(traces[i].write);
		EXPECT_EQ(false, is_gone(traces[i]));
	}
	task_kill(t);
	EXPECT_EQ(KILLED(SIGKILL), task_join(t));
	for (int i = 0; i < 8; i++)
		wait_until(is_gone(traces[i]));
	EXPECT_EQ(KCHAN_STATE_NO_RECEIVERS, chan_stat(requests).state);
}

TEST_HARNESS_MAIN
