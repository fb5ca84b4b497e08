/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of kchan share: task_util.h, and the calls.  Their wrappers return
 * what the call returns, or -errno.
 */
#ifndef KCHAN_UTIL_H
#define KCHAN_UTIL_H

#include "task_util.h"

#define BOTH_RIGHTS	(KCHAN_RIGHT_SEND | KCHAN_RIGHT_RECV)

/* What a receive must overwrite when it succeeds, and leave when it fails. */
#define POISON		0xa5a5a5a5a5a5a5a5ull

/* The clocks of deadlines, and the flags that name them. */
static const struct {
	clockid_t clock;
	__u32 flags;
} clocks[] = {
	{ CLOCK_MONOTONIC, KCHAN_DEADLINE },
	{ CLOCK_REALTIME, KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME },
	{ CLOCK_BOOTTIME, KCHAN_DEADLINE | KCHAN_CLOCK_BOOTTIME },
};

/* ---- calls ---- */

static inline int kchan_call(int fd, unsigned int cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static inline int open_device(void)
{
	int fd = open("/dev/kchan", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("cannot open /dev/kchan: is the module loaded?");
	return fd;
}

static inline int try_make_policy_chan(int dev, __u32 elem_size, __u64 capacity, __u32 policy,
				       __u32 flags)
{
	struct kchan_create_chan arg = {
		.size = sizeof(arg),
		.flags = flags,
		.elem_size = elem_size,
		.policy = policy,
		.capacity = capacity,
	};

	return kchan_call(dev, KCHAN_CREATE_CHAN, &arg);
}

static inline int try_make_chan(int dev, __u32 elem_size, __u64 capacity, __u32 flags)
{
	return try_make_policy_chan(dev, elem_size, capacity, KCHAN_POLICY_BLOCK, flags);
}

static inline int make_policy_chan(__u32 elem_size, __u64 capacity, __u32 policy)
{
	int dev = open_device();
	int fd = try_make_policy_chan(dev, elem_size, capacity, policy, 0);

	errno = fd < 0 ? -fd : 0;
	must(fd >= 0);
	close(dev);
	return fd;
}

static inline int make_chan(__u32 elem_size, __u64 capacity)
{
	return make_policy_chan(elem_size, capacity, KCHAN_POLICY_BLOCK);
}

static inline int chan_msg(int fd, unsigned int cmd, const void *buf, __u32 len, __u32 flags,
			   __s64 deadline)
{
	struct kchan_msg msg = {
		.size = sizeof(msg),
		.flags = flags,
		.buf = (uintptr_t)buf,
		.len = len,
		.deadline = deadline,
	};

	return kchan_call(fd, cmd, &msg);
}

static inline int chan_send(int fd, const void *buf, __u32 len)
{
	return chan_msg(fd, KCHAN_SEND, buf, len, 0, 0);
}

static inline int chan_recv(int fd, void *buf, __u32 len)
{
	return chan_msg(fd, KCHAN_RECV, buf, len, 0, 0);
}

static inline int chan_try_send(int fd, const void *buf, __u32 len)
{
	return chan_msg(fd, KCHAN_SEND, buf, len, KCHAN_NONBLOCK, 0);
}

static inline int chan_try_recv(int fd, void *buf, __u32 len)
{
	return chan_msg(fd, KCHAN_RECV, buf, len, KCHAN_NONBLOCK, 0);
}

/* The same for channels of 64-bit values, which is what most tests use. */

static inline int send64(int fd, __u64 value)
{
	return chan_send(fd, &value, sizeof(value));
}

static inline int try_send64(int fd, __u64 value)
{
	return chan_try_send(fd, &value, sizeof(value));
}

static inline int send64_until(int fd, __u64 value, __s64 deadline)
{
	return chan_msg(fd, KCHAN_SEND, &value, sizeof(value), KCHAN_DEADLINE, deadline);
}

static inline int recv64(int fd, __u64 *value)
{
	*value = POISON;
	return chan_recv(fd, value, sizeof(*value));
}

static inline int try_recv64(int fd, __u64 *value)
{
	*value = POISON;
	return chan_try_recv(fd, value, sizeof(*value));
}

static inline int recv64_until(int fd, __u64 *value, __s64 deadline)
{
	*value = POISON;
	return chan_msg(fd, KCHAN_RECV, value, sizeof(*value), KCHAN_DEADLINE, deadline);
}

/* @buf is an array of messages, or with KCHAN_VECTOR of their addresses. */
static inline int chan_batch(int fd, unsigned int cmd, const void *buf, __u32 len, __u32 min,
			     __u32 max, __u32 flags, __s64 deadline)
{
	struct kchan_batch batch = {
		.size = sizeof(batch),
		.flags = flags,
		.buf = (uintptr_t)buf,
		.len = len,
		.min = min,
		.max = max,
		.deadline = deadline,
	};

	return kchan_call(fd, cmd, &batch);
}

/* All @n, however long that takes. */
static inline int send_batch64(int fd, const __u64 *values, __u32 n)
{
	return chan_batch(fd, KCHAN_SEND_BATCH, values, sizeof(*values), n, n, 0, 0);
}

/* What there is of them, without a wait. */
static inline int try_send_batch64(int fd, const __u64 *values, __u32 max)
{
	return chan_batch(fd, KCHAN_SEND_BATCH, values, sizeof(*values), 0, max, 0, 0);
}

static inline int recv_batch64(int fd, __u64 *values, __u32 n)
{
	return chan_batch(fd, KCHAN_RECV_BATCH, values, sizeof(*values), n, n, 0, 0);
}

static inline int try_recv_batch64(int fd, __u64 *values, __u32 max)
{
	return chan_batch(fd, KCHAN_RECV_BATCH, values, sizeof(*values), 0, max, 0, 0);
}

/* A call that has not begun. */
static inline struct kchan_call new_request(const void *request, __u32 request_len, int answers,
					    void *answer, __u32 answer_len)
{
	return (struct kchan_call){
		.size = sizeof(struct kchan_call),
		.request = (uintptr_t)request,
		.request_len = request_len,
		.fd = answers,
		.answer = (uintptr_t)answer,
		.answer_len = answer_len,
	};
}

/* Begins it, or goes on with it. */
static inline int chan_call(int fd, struct kchan_call *call)
{
	return kchan_call(fd, KCHAN_CALL, call);
}

static inline int chan_close(int fd)
{
	return kchan_call(fd, KCHAN_CLOSE, NULL);
}

static inline int try_restrict(int fd, __u32 rights, __u32 flags)
{
	struct kchan_restrict arg = { .size = sizeof(arg), .flags = flags, .rights = rights };

	return kchan_call(fd, KCHAN_RESTRICT, &arg);
}

static inline int restrict_to(int fd, __u32 rights)
{
	int handle = try_restrict(fd, rights, 0);

	must(handle >= 0);
	return handle;
}

/* ---- calls of the other kinds ---- */

static inline int try_make_object(int dev, __u32 kind, __u64 limit, __u32 flags)
{
	struct kchan_create arg = {
		.size = sizeof(arg),
		.flags = flags,
		.kind = kind,
		.limit = limit,
	};

	return kchan_call(dev, KCHAN_CREATE, &arg);
}

static inline int made(int fd)
{
	errno = fd < 0 ? -fd : 0;
	must(fd >= 0);
	return fd;
}

static inline int make_object(__u32 kind, __u64 limit)
{
	int dev = open_device();
	int fd = made(try_make_object(dev, kind, limit, 0));

	close(dev);
	return fd;
}

/* The value is POISON unless the kernel wrote one; @value may be NULL. */
static inline int kchan_wait_op(int fd, __u32 op, __u32 index, __u64 arg, __u32 flags,
				__s64 deadline, __u64 *value)
{
	struct kchan_wait w = {
		.size = sizeof(w),
		.flags = flags,
		.op = op,
		.index = index,
		.arg = arg,
		.deadline = deadline,
		.value = POISON,
	};
	int ret = kchan_call(fd, KCHAN_WAIT, &w);

	if (value)
		*value = w.value;
	return ret;
}

/* The same for operations without an index, in the three usual forms. */

static inline int wait_op(int fd, __u32 op, __u64 arg)
{
	return kchan_wait_op(fd, op, 0, arg, 0, 0, NULL);
}

static inline int try_op(int fd, __u32 op, __u64 arg)
{
	return kchan_wait_op(fd, op, 0, arg, KCHAN_NONBLOCK, 0, NULL);
}

static inline int op_until(int fd, __u32 op, __u64 arg, __s64 deadline)
{
	return kchan_wait_op(fd, op, 0, arg, KCHAN_DEADLINE, deadline, NULL);
}

static inline int kchan_arg_call(int fd, unsigned int cmd, __s64 value)
{
	struct kchan_arg arg = { .size = sizeof(arg), .value = value };

	return kchan_call(fd, cmd, &arg);
}

/* What most tests of the other kinds do. */

static inline int kchan_add(int fd, __u64 units)
{
	return wait_op(fd, KCHAN_OP_ADD, units);
}

static inline int kchan_try_add(int fd, __u64 units)
{
	return try_op(fd, KCHAN_OP_ADD, units);
}

static inline int kchan_done(int fd, __s64 units)
{
	return kchan_arg_call(fd, KCHAN_DONE, units);
}

static inline int kchan_zero(int fd, __u64 *abandoned)
{
	return kchan_wait_op(fd, KCHAN_OP_ZERO, 0, 0, 0, 0, abandoned);
}

static inline int kchan_lock(int fd)
{
	return wait_op(fd, KCHAN_OP_LOCK, 0);
}

static inline int kchan_try_lock(int fd)
{
	return try_op(fd, KCHAN_OP_LOCK, 0);
}

static inline int kchan_unlock(int fd)
{
	return kchan_arg_call(fd, KCHAN_UNLOCK, KCHAN_OP_LOCK);
}

static inline int kchan_rlock(int fd)
{
	return wait_op(fd, KCHAN_OP_RLOCK, 0);
}

static inline int kchan_try_rlock(int fd)
{
	return try_op(fd, KCHAN_OP_RLOCK, 0);
}

static inline int kchan_runlock(int fd)
{
	return kchan_arg_call(fd, KCHAN_UNLOCK, KCHAN_OP_RLOCK);
}

/* As users wait for a cond: give @lock back and wait, then take it again. */
static inline int kchan_cond_wait(int cond, int lock)
{
	int ret = wait_op(cond, KCHAN_OP_COND, lock);

	return ret ? ret : kchan_lock(lock);
}

static inline int set_timer(int fd, __u32 flags, __s64 deadline, __s64 period)
{
	struct kchan_timer arg = {
		.size = sizeof(arg), .flags = flags, .deadline = deadline, .period = period,
	};

	return kchan_call(fd, KCHAN_TIMER, &arg);
}

/* Cells from the first on, to write as well if the handle has the right. */
static inline struct kchan_cell *map_cells(int fd, __u64 count)
{
	int prot = fcntl(fd, F_GETFL) & O_RDWR ? PROT_READ | PROT_WRITE : PROT_READ;
	void *p = mmap(NULL, count * sizeof(struct kchan_cell), prot, MAP_SHARED, fd, 0);

	must(p != MAP_FAILED);
	return p;
}

/* After a change of a cell, as the header asks for. */
static inline void tell_waiters(int fd, struct kchan_cell *cells, __u32 index)
{
	if (__atomic_load_n(&cells[index].waiters, __ATOMIC_SEQ_CST))
		must(!kchan_arg_call(fd, KCHAN_SIGNAL, index));
}

static inline int try_make_cancel(int parent, __u32 flags, __s64 deadline)
{
	struct kchan_create arg = {
		.size = sizeof(arg),
		.flags = flags | (parent < 0 ? 0 : KCHAN_CHILD),
		.kind = KCHAN_KIND_CANCEL,
		.parent = parent < 0 ? 0 : parent,
		.deadline = deadline,
	};
	int dev = open_device(), fd = kchan_call(dev, KCHAN_CREATE, &arg);

	close(dev);
	return fd;
}

/* Without a parent: -1. */
static inline int make_cancel(int parent)
{
	return made(try_make_cancel(parent, 0, 0));
}

/* The cause, or -EAGAIN: not cancelled yet. */
static inline int cause_now(int fd)
{
	__u64 cause;
	int ret = kchan_wait_op(fd, KCHAN_OP_CANCELLED, 0, 0, KCHAN_NONBLOCK, 0, &cause);

	return ret ? ret : (int)cause;
}

/* ---- select ---- */

/* What a select chose.  If it failed, @index is -errno and the rest POISON. */
struct chosen {
	int index;
	int outcome;	/* as the operation returns, or -errno */
	__u64 value;
};

static int select_device;

static inline void open_select_device(void)
{
	select_device = open_device();
}

static inline int any_device(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	must(!pthread_once(&once, open_select_device));
	return select_device;
}

static inline struct chosen kchan_select(const struct kchan_case *cases, __u32 nr, __u32 flags,
					 __s64 deadline)
{
	struct kchan_select s = {
		.size = sizeof(s),
		.flags = flags,
		.cases = (uintptr_t)cases,
		.nr = nr,
		.case_size = sizeof(*cases),
		.deadline = deadline,
		.value = POISON,
	};
	int ret = kchan_call(any_device(), KCHAN_SELECT, &s);
	int outcome = ret >> KCHAN_OUTCOME_SHIFT;

	if (ret < 0)
		return (struct chosen){ ret, (int)POISON, s.value };
	return (struct chosen){
		.index = ret & ((1 << KCHAN_OUTCOME_SHIFT) - 1),
		.outcome = outcome > 1 ? -outcome : outcome,
		.value = s.value,
	};
}

static inline struct kchan_case on_send(int fd, const void *buf, __u32 len)
{
	return (struct kchan_case){
		.fd = fd, .op = KCHAN_OP_SEND, .buf = (uintptr_t)buf, .len = len,
	};
}

static inline struct kchan_case on_recv(int fd, void *buf, __u32 len)
{
	return (struct kchan_case){
		.fd = fd, .op = KCHAN_OP_RECV, .buf = (uintptr_t)buf, .len = len,
	};
}

static inline struct kchan_case on_send64(int fd, const __u64 *value)
{
	return on_send(fd, value, sizeof(*value));
}

static inline struct kchan_case on_recv64(int fd, __u64 *value)
{
	return on_recv(fd, value, sizeof(*value));
}

/* Any other operation: KCHAN_OP_ZERO, KCHAN_OP_LOCK, ... */
static inline struct kchan_case on_op(int fd, __u32 op, __u64 arg)
{
	return (struct kchan_case){ .fd = fd, .op = op, .arg = arg };
}

static inline struct kchan_case on_differs(int fd, __u32 index, __u64 from)
{
	return (struct kchan_case){
		.fd = fd, .op = KCHAN_OP_DIFFERS, .index = index, .arg = from,
	};
}

/* ---- state ---- */

static inline struct kchan_stat chan_stat(int fd)
{
	return object_stat(fd);
}

static inline bool same_stat(struct kchan_stat before, int fd)
{
	struct kchan_stat after = chan_stat(fd);

	return !memcmp(&before, &after, sizeof(before));
}

static inline struct kchan_features get_features(void)
{
	struct kchan_features f = { .size = sizeof(f) };
	int dev = open_device();

	must(!kchan_call(dev, KCHAN_FEATURES, &f));
	close(dev);
	return f;
}

/* What /proc/PID/fdinfo says of @key, in a static buffer; "" where it says nothing. */
static inline const char *fdinfo(pid_t pid, int fd, const char *key)
{
	static char line[256];
	size_t len = strlen(key);
	const char *value = "";
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	f = fopen(path, "r");
	must(f);
	while (!*value && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, key, len) && !strncmp(line + len, ":\t", 2))
			value = line + len + 2;
	}
	fclose(f);
	return value;
}

/* ---- tasks that send or receive one value ---- */

struct one_value {
	int fd;
	int ret;
	__u64 value;
};

static inline int send_one(void *arg)
{
	struct one_value *one = arg;

	one->ret = send64(one->fd, one->value);
	return 0;
}

static inline int recv_one(void *arg)
{
	struct one_value *one = arg;

	one->ret = recv64(one->fd, &one->value);
	return 0;
}

/* The same for a message of any size up to a page. */
struct one_message {
	int fd;
	__u32 size;
	__u8 buf[PAGE];
};

static inline int send_one_message(void *arg)
{
	struct one_message *one = arg;

	return chan_send(one->fd, one->buf, one->size);
}

static inline int recv_one_message(void *arg)
{
	struct one_message *one = arg;

	return chan_recv(one->fd, one->buf, one->size) != 1;
}

/* ---- tasks that wait for one operation ---- */

struct one_op {
	int fd;
	__u32 op;
	__u64 arg;
	__u32 index;
	__u32 flags;
	__s64 deadline;
	int ret;
	int over;
	__u64 value;
};

static inline int do_one_op(void *arg)
{
	struct one_op *one = arg;

	one->ret = kchan_wait_op(one->fd, one->op, one->index, one->arg, one->flags,
				 one->deadline, &one->value);
	store(&one->over, 1);
	return 0;
}

static inline struct one_op *new_op(int fd, __u32 op, __u64 arg)
{
	struct one_op *one = shared_alloc(sizeof(*one));

	*one = (struct one_op){ .fd = fd, .op = op, .arg = arg };
	return one;
}

/* Its result, once its task has ended. */
static inline int join_op(struct task *t, struct one_op *one)
{
	int result = task_join(t);

	return result ? result : one->ret;
}

/* ---- the module ---- */

/* One of its parameters. */
static inline FILE *open_parameter(const char *name, const char *mode)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/kchan/parameters/%s", name);
	f = fopen(path, mode);
	if (!f)
		die("cannot open %s", path);
	return f;
}

static inline unsigned long get_parameter(const char *name)
{
	FILE *f = open_parameter(name, "r");
	unsigned long n;

	must(fscanf(f, "%lu", &n) == 1);
	fclose(f);
	return n;
}

static inline void set_parameter(const char *name, unsigned long n)
{
	FILE *f = open_parameter(name, "w");

	must(fprintf(f, "%lu", n) > 0);
	must(!fclose(f));
}

#endif /* KCHAN_UTIL_H */
