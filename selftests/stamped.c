// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stamped messages tell who sent them: what the kernel says, as the receiver sees it,
 * and nothing that the sender could write.
 */
#include <kselftest_harness.h>
#include "cargo_util.h"

enum { SENDER = 1234 };

/* Where ids lead that a user namespace has no number for. */
#define OVERFLOW_ID 65534

/* ---- calls ---- */

static int recv_stamp(int fd, __u64 *value, struct kchan_ancillary *stamp, __u32 flags)
{
	/* Whatever is there is overwritten. */
	*stamp = (struct kchan_ancillary){
		.size = sizeof(*stamp), .pid = -7, .uid = 77, .gid = 77,
	};
	*value = POISON;
	return cargo_msg(fd, KCHAN_RECV, value, sizeof(*value), flags, stamp);
}

static bool is_from(const struct kchan_ancillary *stamp, pid_t pid, uid_t uid, gid_t gid)
{
	if (stamp->pid == pid && stamp->uid == uid && stamp->gid == gid)
		return true;
	fprintf(stderr, "# says pid %d, user %u, group %u; should be %d, %u, %u\n",
		stamp->pid, stamp->uid, stamp->gid, pid, uid, gid);
	return false;
}

static int make_stamped(__u64 capacity)
{
	return make_carrier(.elem_size = 8, .capacity = capacity, .flags = KCHAN_STAMPED);
}

/* ---- every way ---- */

FIXTURE(stamped) {
	int c;
	struct one_value *one;
};

FIXTURE_VARIANT(stamped) {
	enum task_kind kind;
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(stamped, unbuffered_threads) { THREAD, 0 };
FIXTURE_VARIANT_ADD(stamped, unbuffered_processes) { PROCESS, 0 };
FIXTURE_VARIANT_ADD(stamped, buffered_threads) { THREAD, 2 };
FIXTURE_VARIANT_ADD(stamped, buffered_processes) { PROCESS, 2 };

FIXTURE_SETUP(stamped)
{
	self->c = make_stamped(variant->capacity);
	self->one = shared_alloc(sizeof(*self->one));
	*self->one = (struct one_value){ .fd = self->c, .value = 7 };
}

FIXTURE_TEARDOWN(stamped)
{
	close(self->c);
}

static pid_t process_of(const struct task *t)
{
	return t->kind == THREAD ? getpid() : t->pid;
}

/* A thread's messages are its process's. */
TEST_F(stamped, from_sender)
{
	struct task *t = task_start(variant->kind, send_one, self->one);
	struct kchan_ancillary stamp;
	__u64 v;

	EXPECT_EQ(1, recv_stamp(self->c, &v, &stamp, 0));
	EXPECT_EQ(7, v);
	EXPECT_EQ(true, is_from(&stamp, process_of(t), 0, 0));
	EXPECT_EQ(0, task_join(t));
}

TEST_F(stamped, from_parked_sender)
{
	struct kchan_ancillary stamp;
	struct task *t;
	__u64 v;

	for (__u64 i = 0; i < variant->capacity; i++) {
		ASSERT_EQ(0, send64(self->c, i));
	}
	t = task_start(variant->kind, send_one, self->one);
	wait_waiting(self->c, 1, 0);
	for (__u64 i = 0; i < variant->capacity; i++) {
		EXPECT_EQ(1, recv_stamp(self->c, &v, &stamp, 0));
		EXPECT_EQ(true, is_from(&stamp, getpid(), 0, 0));
	}
	EXPECT_EQ(1, recv_stamp(self->c, &v, &stamp, KCHAN_NONBLOCK));
	EXPECT_EQ(7, v);
	EXPECT_EQ(true, is_from(&stamp, process_of(t), 0, 0));
	EXPECT_EQ(0, task_join(t));
}

struct told {
	int c;
	__u64 value;
	struct kchan_ancillary stamp;
};

static int recv_told(void *arg)
{
	struct told *told = arg;

	return recv_stamp(told->c, &told->value, &told->stamp, 0) != 1;
}

TEST_F(stamped, to_parked_receiver)
{
	struct told *told = shared_alloc(sizeof(*told));
	struct task *t;

	told->c = self->c;
	t = task_start(variant->kind, recv_told, told);
	wait_waiting(self->c, 0, 1);
	EXPECT_EQ(0, send64(self->c, 3));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(3, told->value);
	EXPECT_EQ(true, is_from(&told->stamp, getpid(), 0, 0));
}

static int select_send(void *arg)
{
	struct one_value *one = arg;
	__u64 other;
	struct kchan_case cases[] = {
		on_send64(one->fd, &one->value), on_recv64(make_chan(8, 0), &other),
	};

	return kchan_select(cases, 2, 0, 0).index;
}

TEST_F(stamped, through_select)
{
	struct kchan_ancillary stamp = { .size = sizeof(stamp), .pid = -7 };
	__u64 v, other;
	struct kchan_case cases[] = {
		on_recv64(make_chan(8, 0), &other),
		with_ancillary(on_recv64(self->c, &v), &stamp),
	};
	struct task *t = task_start(variant->kind, select_send, self->one);

	EXPECT_EQ(1, kchan_select(cases, 2, 0, 0).index);
	EXPECT_EQ(7, v);
	EXPECT_EQ(true, is_from(&stamp, process_of(t), 0, 0));
	EXPECT_EQ(0, task_join(t));
}

/* Nobody has to ask. */
TEST_F(stamped, without_being_told)
{
	struct task *t = task_start(variant->kind, send_one, self->one);
	__u64 v;

	EXPECT_EQ(1, recv64(self->c, &v));
	EXPECT_EQ(7, v);
	EXPECT_EQ(0, task_join(t));
}

static int write_one(void *arg)
{
	struct one_value *one = arg;

	return write(one->fd, &one->value, 8) != 8;
}

TEST_F(stamped, write_and_read)
{
	struct kchan_ancillary stamp;
	struct task *t;
	__u64 v = 0;

	t = task_start(variant->kind, write_one, self->one);
	EXPECT_EQ(1, recv_stamp(self->c, &v, &stamp, 0));
	EXPECT_EQ(7, v);
	EXPECT_EQ(true, is_from(&stamp, process_of(t), 0, 0));
	EXPECT_EQ(0, task_join(t));

	t = task_start(variant->kind, write_one, self->one);
	EXPECT_EQ(8, read(self->c, &v, 8));
	EXPECT_EQ(7, v);
	EXPECT_EQ(0, task_join(t));
}

static int send_batch(void *arg)
{
	struct one_value *one = arg;
	__u64 v[5] = { 0, 1, 2, 3, 4 };
	struct kchan_batch batch = {
		.size = sizeof(batch), .buf = (uintptr_t)v, .len = 8, .min = 5, .max = 5,
	};

	return kchan_call(one->fd, KCHAN_SEND_BATCH, &batch) != 5;
}

TEST_F(stamped, in_batches)
{
	struct task *t = task_start(variant->kind, send_batch, self->one);
	struct kchan_ancillary stamp;
	__u64 v[4];
	struct kchan_batch batch = {
		.size = sizeof(batch), .buf = (uintptr_t)v, .len = 8, .min = 4, .max = 4,
	};

	EXPECT_EQ(1, recv_stamp(self->c, &v[0], &stamp, 0));
	EXPECT_EQ(0, v[0]);
	EXPECT_EQ(true, is_from(&stamp, process_of(t), 0, 0));
	EXPECT_EQ(4, kchan_call(self->c, KCHAN_RECV_BATCH, &batch));
	for (__u64 i = 0; i < 4; i++) {
		EXPECT_EQ(i + 1, v[i]);
	}
	EXPECT_EQ(0, task_join(t));
}

/* A request tells who asks. */
static int call_once(void *arg)
{
	struct one_value *one = arg;
	__u64 answer = 0;
	struct kchan_call call = {
		.size = sizeof(call), .request = (uintptr_t)&one->value, .request_len = 8,
		.answer = (uintptr_t)&answer, .answer_len = 8, .fd = one->ret,
	};

	CHECK(kchan_call(one->fd, KCHAN_CALL, &call) == 1);
	return answer != 70;
}

TEST_F(stamped, call)
{
	struct kchan_ancillary stamp;
	struct task *t;
	__u64 v;

	/* Answers may be stamped, too, though there is nowhere to tell of it. */
	self->one->ret = make_stamped(variant->capacity);
	t = task_start(variant->kind, call_once, self->one);
	EXPECT_EQ(1, recv_stamp(self->c, &v, &stamp, 0));
	EXPECT_EQ(7, v);
	EXPECT_EQ(true, is_from(&stamp, process_of(t), 0, 0));
	EXPECT_EQ(0, send64(self->one->ret, 70));
	EXPECT_EQ(0, task_join(t));
}

/* Both at once, and none of the handles is lost. */
static int send_forged_handle(void *arg)
{
	struct shipment *s = arg;
	struct kchan_ancillary forged = with_handles(s->handles, 1);

	forged.pid = 1;
	forged.uid = 5;
	forged.gid = 6;
	return cargo_msg(s->c, KCHAN_SEND, &s->value, 8, 0, &forged);
}

TEST_F(stamped, with_handles)
{
	int c = make_carrier(.elem_size = 8, .capacity = variant->capacity, .handles = 1,
			     .depth = 1, .flags = KCHAN_STAMPED);
	struct trace trace = make_trace();
	struct shipment *s = new_shipment(c, 5, trace.write);
	struct task *t = task_start(variant->kind, send_forged_handle, s);
	__s32 got = -1;
	struct kchan_ancillary stamp = with_handles(&got, 1);
	__u64 v = 0;

	EXPECT_EQ(1, cargo_msg(c, KCHAN_RECV, &v, 8, 0, &stamp));
	EXPECT_EQ(5, v);
	EXPECT_EQ(true, leads_to(trace, got));
	EXPECT_EQ(true, is_from(&stamp, process_of(t), 0, 0));
	EXPECT_EQ(0, task_join(t));
}

/* ---- who ---- */

struct sender {
	int c;
	int (*become)(struct sender *s);	/* before it sends */
	pid_t pid;	/* of who sends, as its parent sees it */
	int error;
};

static int send_as(void *arg)
{
	struct sender *s = arg;
	struct kchan_ancillary forged = {
		.size = sizeof(forged), .pid = 1, .uid = 0, .gid = 0,
	};
	__u64 v = 9;

	if (s->become && s->become(s))
		return 0;
	return cargo_msg(s->c, KCHAN_SEND, &v, 8, 0, &forged);
}

static struct sender *new_sender(int (*become)(struct sender *s))
{
	struct sender *s = shared_alloc(sizeof(*s));

	*s = (struct sender){ .c = make_stamped(1), .become = become };
	return s;
}

static int be_user(struct sender *s)
{
	become_user(SENDER);
	return 0;
}

/* It has died, and is reaped: its message still tells.  What it forged does not. */
TEST(sender_that_has_died)
{
	struct sender *s = new_sender(be_user);
	struct task *t = task_start(PROCESS, send_as, s);
	struct kchan_ancillary stamp;
	pid_t pid = t->pid;
	__u64 v;

	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, recv_stamp(s->c, &v, &stamp, 0));
	EXPECT_EQ(true, is_from(&stamp, pid, SENDER, SENDER));
}

/* The real user, as SCM_CREDENTIALS says it, whatever it has the rights of. */
static int be_setuid(struct sender *s)
{
	must(!setgroups(0, NULL));
	must(!setresgid(SENDER + 1, 0, 0));
	must(!setresuid(SENDER, 0, 0));
	return 0;
}

TEST(setuid_sender)
{
	struct sender *s = new_sender(be_setuid);
	struct task *t = task_start(PROCESS, send_as, s);
	struct kchan_ancillary stamp;
	__u64 v;

	EXPECT_EQ(1, recv_stamp(s->c, &v, &stamp, 0));
	EXPECT_EQ(true, is_from(&stamp, t->pid, SENDER, SENDER + 1));
	EXPECT_EQ(0, task_join(t));
}

/* What it was when it sent, not what it is when that is received. */
static int send_then_become(void *arg)
{
	struct sender *s = arg;
	__u64 v = 1;

	CHECK(send64(s->c, v) == 0);
	become_user(SENDER);
	CHECK(send64(s->c, v) == 0);
	return 0;
}

TEST(sender_changes)
{
	struct sender *s = new_sender(NULL);
	struct kchan_ancillary stamp;
	struct task *t;
	pid_t pid;
	__u64 v;

	s->c = make_stamped(2);
	t = task_start(PROCESS, send_then_become, s);
	pid = t->pid;
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, recv_stamp(s->c, &v, &stamp, 0));
	EXPECT_EQ(true, is_from(&stamp, pid, 0, 0));
	EXPECT_EQ(1, recv_stamp(s->c, &v, &stamp, 0));
	EXPECT_EQ(true, is_from(&stamp, pid, SENDER, SENDER));
}

/* A handle that is passed on tells of who uses it, not of who had it first. */
TEST(borrowed_handle)
{
	struct sender *s = new_sender(be_user);
	struct kchan_ancillary stamp;
	struct task *t;
	__u64 v;

	s->c = restrict_to(s->c, BOTH_RIGHTS);
	ASSERT_EQ(0, send64(s->c, 1));
	EXPECT_EQ(1, recv_stamp(s->c, &v, &stamp, 0));
	EXPECT_EQ(true, is_from(&stamp, getpid(), 0, 0));
	t = task_start(PROCESS, send_as, s);
	EXPECT_EQ(1, recv_stamp(s->c, &v, &stamp, 0));
	EXPECT_EQ(true, is_from(&stamp, t->pid, SENDER, SENDER));
	EXPECT_EQ(0, task_join(t));
}

/* ---- namespaces ---- */

/* Forks into a new one; returns 0 in the child only. */
static int enter(struct sender *s, int namespace)
{
	int status;
	pid_t pid;

	if (unshare(namespace)) {
		s->error = errno;
		return 1;
	}
	pid = fork();
	must(pid >= 0);
	if (!pid)
		return 0;
	s->pid = pid;
	must(waitpid(pid, &status, 0) == pid && !status);
	return 1;
}

static int be_first_process(struct sender *s)
{
	int ret = enter(s, CLONE_NEWPID);
	struct kchan_ancillary forged = { .size = sizeof(forged), .pid = getppid() };
	__u64 v = 9;

	if (ret)
		return ret;
	must(getpid() == 1);
	must(!cargo_msg(s->c, KCHAN_SEND, &v, 8, 0, &forged));
	_exit(0);
}

TEST(sender_in_another_pid_namespace)
{
	struct sender *s = new_sender(be_first_process);
	struct kchan_ancillary stamp;
	__u64 v;

	EXPECT_EQ(0, task_join(task_start(PROCESS, send_as, s)));
	if (s->error)
		SKIP(return, "pid namespaces: %s", strerror(s->error));
	EXPECT_EQ(1, recv_stamp(s->c, &v, &stamp, 0));
	EXPECT_EQ(true, is_from(&stamp, s->pid, 0, 0));
}

/* Who is not to be seen there has no number there. */
static int recv_in_namespace(void *arg)
{
	struct sender *s = arg;
	struct kchan_ancillary stamp;
	__u64 v;

	if (enter(s, CLONE_NEWPID))
		return 0;
	must(recv_stamp(s->c, &v, &stamp, 0) == 1);
	must(is_from(&stamp, 0, 0, 0));
	/* Among themselves they have. */
	must(!send64(s->c, 1));
	must(recv_stamp(s->c, &v, &stamp, 0) == 1);
	must(is_from(&stamp, 1, 0, 0));
	_exit(0);
}

TEST(receiver_in_another_pid_namespace)
{
	struct sender *s = new_sender(NULL);

	ASSERT_EQ(0, send64(s->c, 1));
	EXPECT_EQ(0, task_join(task_start(PROCESS, recv_in_namespace, s)));
	if (s->error)
		SKIP(return, "pid namespaces: %s", strerror(s->error));
}

static void write_map(const char *path, const char *map)
{
	int fd = open(path, O_WRONLY);

	must(fd >= 0 && write(fd, map, strlen(map)) == (ssize_t)strlen(map));
	close(fd);
}

/* Root of its own namespace, where 0 is SENDER outside. */
static int be_root_of_its_own(struct sender *s)
{
	become_user(SENDER);
	/* Its own /proc files belong to root since it changed users. */
	prctl(PR_SET_DUMPABLE, 1);
	if (unshare(CLONE_NEWUSER)) {
		s->error = errno;
		return 1;
	}
	write_map("/proc/self/setgroups", "deny");
	write_map("/proc/self/uid_map", "0 1234 1");
	write_map("/proc/self/gid_map", "0 1234 1");
	must(getuid() == 0 && getgid() == 0);
	return 0;
}

TEST(sender_in_another_user_namespace)
{
	struct sender *s = new_sender(be_root_of_its_own);
	struct kchan_ancillary stamp;
	struct task *t = task_start(PROCESS, send_as, s);
	pid_t pid = t->pid;
	__u64 v;

	EXPECT_EQ(0, task_join(t));
	if (s->error)
		SKIP(return, "user namespaces: %s", strerror(s->error));
	EXPECT_EQ(1, recv_stamp(s->c, &v, &stamp, 0));
	EXPECT_EQ(true, is_from(&stamp, pid, SENDER, SENDER));
}

static int recv_as_root_of_its_own(void *arg)
{
	struct sender *s = arg;
	struct kchan_ancillary stamp;
	__u64 v;

	if (be_root_of_its_own(s))
		return 0;
	/* From the real root, who has no number here. */
	CHECK(recv_stamp(s->c, &v, &stamp, 0) == 1);
	CHECK(is_from(&stamp, getppid(), OVERFLOW_ID, OVERFLOW_ID));
	/* From itself, who is root here. */
	CHECK(send64(s->c, 1) == 0);
	CHECK(recv_stamp(s->c, &v, &stamp, 0) == 1);
	CHECK(is_from(&stamp, getpid(), 0, 0));
	return 0;
}

TEST(receiver_in_another_user_namespace)
{
	struct sender *s = new_sender(NULL);

	ASSERT_EQ(0, send64(s->c, 1));
	EXPECT_EQ(0, task_join(task_start(PROCESS, recv_as_root_of_its_own, s)));
	if (s->error)
		SKIP(return, "user namespaces: %s", strerror(s->error));
}

/* ---- what else ---- */

/* Only pure signals, and large ones. */
TEST(sizes)
{
	static const __u32 sizes[] = { 0, 1, 128, 200, 65536 };
	static __u8 buf[65536];

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		int c = make_carrier(.elem_size = sizes[i], .capacity = 1,
				     .flags = KCHAN_STAMPED);
		struct kchan_ancillary stamp = { .size = sizeof(stamp), .pid = -7 };

		EXPECT_EQ(0, chan_send(c, buf, sizes[i]));
		EXPECT_EQ(1, cargo_msg(c, KCHAN_RECV, buf, sizes[i], 0, &stamp));
		EXPECT_EQ(true, is_from(&stamp, getpid(), 0, 0));
		close(c);
	}
}

TEST(policies)
{
	for (__u32 policy = KCHAN_POLICY_DROP_NEWEST; policy <= KCHAN_POLICY_LATEST; policy++) {
		int c = make_carrier(.elem_size = 8, .capacity = 1, .policy = policy,
				     .flags = KCHAN_STAMPED);
		struct kchan_ancillary stamp;
		__u64 v;

		for (int i = 0; i < 5; i++) {
			EXPECT_EQ(0, send64(c, i));
		}
		EXPECT_EQ(1, recv_stamp(c, &v, &stamp, 0));
		EXPECT_EQ(policy == KCHAN_POLICY_DROP_NEWEST ? 0 : 4, v);
		EXPECT_EQ(true, is_from(&stamp, getpid(), 0, 0));
		EXPECT_EQ(4, chan_stat(c).dropped);
		close(c);
	}
}

/* Where it cannot be told, the message stays. */
TEST(nowhere_to_tell)
{
	struct kchan_ancillary *page = (void *)map_pages(1), stamp;
	int c = make_stamped(1);
	__u64 v = 1;

	page->size = sizeof(*page);
	must(!mprotect(page, PAGE, PROT_READ));
	ASSERT_EQ(0, send64(c, 5));
	EXPECT_EQ(-EFAULT, cargo_msg(c, KCHAN_RECV, &v, 8, 0, page));
	EXPECT_EQ(-EFAULT, cargo_msg(c, KCHAN_RECV, &v, 8, 0, (void *)8));
	EXPECT_EQ(1, recv_stamp(c, &v, &stamp, 0));
	EXPECT_EQ(5, v);
	EXPECT_EQ(true, is_from(&stamp, getpid(), 0, 0));
}

TEST(handles_in_a_message_that_has_none)
{
	int c = make_stamped(1), one = 0;
	struct kchan_ancillary ancillary = with_handles(&one, 1);
	__u64 v = 1;

	EXPECT_EQ(-EMSGSIZE, cargo_msg(c, KCHAN_SEND, &v, 8, 0, &ancillary));
	EXPECT_EQ(-EMSGSIZE, cargo_msg(c, KCHAN_RECV, &v, 8, 0, &ancillary));
	EXPECT_EQ(0, chan_stat(c).length);
}

/* A message that came back, from one whose memory was gone, still tells the same. */
struct spoilt {
	int c;
	struct kchan_ancillary *stamp;
	int ret;
};

static int recv_spoilt(void *arg)
{
	struct spoilt *s = arg;
	__u64 v;

	s->ret = cargo_msg(s->c, KCHAN_RECV, &v, 8, 0, s->stamp);
	return 0;
}

TEST(message_that_comes_back)
{
	struct spoilt spoilt = { .c = make_stamped(0), .stamp = (void *)map_pages(1) };
	struct kchan_ancillary stamp;
	struct task *t;
	__u64 v;

	spoilt.stamp->size = sizeof(stamp);
	t = task_start(THREAD, recv_spoilt, &spoilt);
	wait_waiting(spoilt.c, 0, 1);
	must(!mprotect(spoilt.stamp, PAGE, PROT_READ));
	ASSERT_EQ(0, send64(spoilt.c, 6));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(-EFAULT, spoilt.ret);
	EXPECT_EQ(1, recv_stamp(spoilt.c, &v, &stamp, KCHAN_NONBLOCK));
	EXPECT_EQ(6, v);
	EXPECT_EQ(true, is_from(&stamp, getpid(), 0, 0));
}

TEST_HARNESS_MAIN
