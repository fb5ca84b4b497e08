// SPDX-License-Identifier: GPL-2.0-only
/* Steps as real calls; see execute.h. */

#include <stdint.h>
#include <stddef.h>
#include <sys/socket.h>
#include "kchan_util.h"

#include "execute.h"
#include "cover.h"

/* What no clock of a running system shows any more, as the model sees it. */
bool is_past(__u64 flags, __s64 deadline)
{
	return flags & KCHAN_DEADLINE && deadline >= 0 && deadline <= NSEC_PER_SEC;
}

void run_begin(struct run *run)
{
	int pipes[2];

	memory_init();
	memset(run, 0, sizeof(*run));
	for (int i = 0; i < PLACES; i++)
		run->fd[i] = -1;
	run->fd[0] = open_device();
	must(!pipe2(pipes, O_CLOEXEC));
	run->fd[1] = pipes[0];
	close(pipes[1]);
}

void run_end(struct run *run)
{
	for (int i = 0; i < PEERS; i++)
		if (run->peers[i].busy)
			must(unpark_peer(&run->peers[i]));
	for (int i = 0; i < PLACES; i++) {
		if (run->map[i])
			munmap(run->map[i], run->map_len[i]);
		if (run->fd[i] >= 0)
			close(run->fd[i]);
	}
}

/* ---- structs ---- */

static __u32 struct_size(const struct step *s, size_t size)
{
	return s->f[SIZE] == RIGHT ? size : s->f[SIZE];
}

/* How many bytes of a struct there are to be: what it claims, within reason. */
static size_t struct_room(const struct step *s, size_t size)
{
	size_t claimed = struct_size(s, size);

	if (claimed > size && claimed <= PAGE)
		size = claimed;
	return size;
}

/* Lays out a struct, calls, and looks at what became of it. */
static void call_with(int fd, const struct step *s, unsigned int cmd, void *good, size_t size,
		      long value_offset, struct result *r)
{
	size_t room = struct_room(s, size);
	struct piece p = place_struct(s->f[AT], room);
	bool gives_out = cmd == KCHAN_STAT || cmd == KCHAN_FEATURES;
	static __u8 before[2 * PAGE];

	room = p.present;
	if (p.start) {
		if (gives_out && p.how == GOOD)
			memset(p.start, POISON_BYTE, OUT_BYTES);
		memset(p.start, gives_out ? POISON_BYTE : 0, room);
		*(__u32 *)good = struct_size(s, size);
		memcpy(p.start, good, gives_out ? sizeof(__u32) : room < size ? room : size);
		if (s->f[TAIL] && size + s->f[TAIL] <= room)
			p.start[size + s->f[TAIL] - 1] = 1;
		memcpy(before, p.start, room);
	}
	arm(&p);
	cover_begin();
	r->ret = ioctl(fd, cmd, (void *)(uintptr_t)p.address);
	if (r->ret < 0)
		r->ret = -errno;
	cover_end();
	disarm(&p);
	if (!p.start)
		return;
	if (gives_out) {
		memcpy(r->out, p.start, OUT_BYTES < p.area + p.area_size - p.start ?
		       OUT_BYTES : p.area + p.area_size - p.start);
		return;
	}
	if (value_offset >= 0 && room >= size) {
		memcpy(&r->value, p.start + value_offset, sizeof(r->value));
		memcpy(before + value_offset, p.start + value_offset, sizeof(r->value));
	}
	p.len = room;
	r->struct_touched = memcmp(before, p.start, room) || !surroundings_untouched(&p);
}

int fd_of(const struct run *run, __u64 place)
{
	return place < PLACES ? run->fd[place] : -1;
}

static void create_chan(struct run *run, const struct step *s, struct result *r)
{
	struct kchan_create_chan arg = {
		.flags = s->f[FLAGS], .elem_size = s->f[ELEM_SIZE], .policy = s->f[POLICY],
		.capacity = s->f[CAPACITY], .handles = s->f[HANDLES], .depth = s->f[DEPTH],
	};

	call_with(fd_of(run, s->f[ON]), s, KCHAN_CREATE_CHAN, &arg, sizeof(arg), -1, r);
}

static void create(struct run *run, const struct step *s, struct result *r)
{
	struct kchan_create arg = {
		.flags = s->f[FLAGS], .kind = s->f[KIND], .limit = s->f[LIMIT],
		.parent = s->f[PARENT] ? fd_of(run, s->f[PARENT]) : 0,
		.deadline = s->f[DEADLINE],
	};

	call_with(fd_of(run, s->f[ON]), s, KCHAN_CREATE, &arg, sizeof(arg), -1, r);
}

static void restrict_handle(struct run *run, const struct step *s, struct result *r)
{
	struct kchan_restrict arg = {
		.flags = s->f[FLAGS], .rights = s->f[RIGHTS], .reserved = s->f[RESERVED],
	};

	call_with(fd_of(run, s->f[ON]), s, KCHAN_RESTRICT, &arg, sizeof(arg), -1, r);
}

/* What a buffer's length is to be, if the step does not say: nobody knows better. */
__u32 length_of(const struct run *run, const struct step *s)
{
	struct kchan_stat st = { .size = sizeof(st) };

	if (s->f[LEN] != RIGHT)
		return s->f[LEN];
	if (kchan_call(fd_of(run, s->f[ON]), KCHAN_STAT, &st))
		return 8;
	return st.elem_size;
}

static struct piece *new_buffer(struct result *r, const struct step *s, __u32 len, bool sends)
{
	unsigned int number = r->nr_buffers < BUFFERS ? r->nr_buffers++ : BUFFERS - 1;
	struct piece *p = &r->buffers[number];

	/* Longer than any message is wrong anyhow. */
	if (len > KCHAN_MAX_ELEM_SIZE + 1)
		len = KCHAN_MAX_ELEM_SIZE + 1;
	*p = place_buffer(number, s->f[MEM], len);
	if (!p->start)
		return p;
	if (sends)
		fill_message(p->start, p->present, s->f[MESSAGE]);
	else
		memset(p->start, POISON_BYTE, p->present);
	return p;
}

/* ---- messages ---- */

static void arm_buffers(const struct result *r)
{
	for (unsigned int i = 0; i < r->nr_buffers; i++) {
		arm(&r->buffers[i]);
		arm_cargo(&r->cargo[i]);
	}
}

static void disarm_buffers(struct result *r)
{
	for (unsigned int i = 0; i < r->nr_buffers; i++) {
		disarm(&r->buffers[i]);
		if (!disarm_cargo(&r->cargo[i]))
			r->struct_touched = true;
	}
}

static void message(struct run *run, const struct step *s, struct result *r)
{
	__u32 len = length_of(run, s);
	struct kchan_msg arg = {
		.flags = s->f[FLAGS], .len = len, .reserved = s->f[RESERVED],
		.deadline = s->f[DEADLINE],
		.buf = new_buffer(r, s, len, s->call == SEND)->address,
		.ancillary = lay_out_cargo(run, s, s->call == SEND, 0, &r->cargo[0]),
	};

	arm_buffers(r);
	call_with(fd_of(run, s->f[ON]), s, s->call == SEND ? KCHAN_SEND : KCHAN_RECV, &arg,
		  sizeof(arg), -1, r);
	disarm_buffers(r);
	if (s->call == RECV && r->ret == 1 && r->cargo[0].there && !by_child(s))
		keep_numbers(run, s, r->cargo[0].numbers);
}

/* ---- batches and calls ---- */

__u32 batch_messages(const struct step *s, __u32 len)
{
	__u32 n = (__u32)s->f[MAX] < MAX_BATCH ? s->f[MAX] : MAX_BATCH;

	return (__u64)n * len > KCHAN_MAX_ELEM_SIZE ? KCHAN_MAX_ELEM_SIZE / len : n;
}

/* Addresses lead backwards, so that they matter. */
__u32 batch_place(const struct step *s, __u32 messages, __u32 i)
{
	return s->f[FLAGS] & KCHAN_VECTOR ? messages - 1 - i : i;
}

static void fill_batch(const struct step *s, const struct piece *p, __u32 n, __u32 len)
{
	for (__u32 i = 0; i < n; i++) {
		size_t at = (size_t)batch_place(s, n, i) * len;

		if (at < p->present)
			fill_message(p->start + at, p->present - at < len ? p->present - at : len,
				     s->f[MESSAGE] + i);
	}
}

static const struct piece *batch_buffer(struct result *r, const struct step *s, __u32 n,
					__u32 len)
{
	struct piece *p = &r->buffers[r->nr_buffers++];
	bool part = !(s->f[FLAGS] & KCHAN_VECTOR) && s->f[BAD] < n;

	*p = part ? place_part(0, (size_t)n * len, s->f[BAD] * len) :
		    place_buffer(0, s->f[MEM], (size_t)n * len);
	if (!p->start)
		return p;
	memset(p->start, POISON_BYTE, p->present);
	if (s->call == SEND_BATCH)
		fill_batch(s, p, n, len);
	return p;
}

static void batch(struct run *run, const struct step *s, struct result *r)
{
	static __u64 addresses[MAX_BATCH];
	__u32 len = length_of(run, s), n = batch_messages(s, len);
	const struct piece *p = batch_buffer(r, s, n, len);
	struct piece array = place_cases(s->f[CASES_AT], n * sizeof(*addresses));
	struct kchan_batch arg = {
		.flags = s->f[FLAGS], .len = len, .reserved = s->f[RESERVED],
		.min = s->f[MIN], .max = s->f[MAX], .deadline = s->f[DEADLINE],
		.buf = s->f[FLAGS] & KCHAN_VECTOR ? array.address : p->address,
	};

	for (__u32 i = 0; i < n; i++)
		addresses[i] = i == s->f[BAD] ? 0 :
			       p->address + (__u64)batch_place(s, n, i) * len;
	if (array.start)
		memcpy(array.start, addresses, array.present);
	arm(&array);
	arm_buffers(r);
	call_with(fd_of(run, s->f[ON]), s,
		  s->call == SEND_BATCH ? KCHAN_SEND_BATCH : KCHAN_RECV_BATCH, &arg, sizeof(arg),
		  -1, r);
	disarm_buffers(r);
	disarm(&array);
	if (array.start && memcmp(array.start, addresses, array.present))
		r->struct_touched = true;
}

struct step answer_of(const struct step *call)
{
	struct step s = *call;

	s.call = RECV;
	s.f[ON] = call->f[ANSWER];
	s.f[LEN] = call->f[ANSWER_LEN];
	s.f[MEM] = call->f[ANSWER_MEM];
	s.f[ANCILLARY] = RIGHT;
	return s;
}

/* What the struct says of the request is the call's value. */
static void call_step(struct run *run, const struct step *s, struct result *r)
{
	struct step answer = answer_of(s);
	struct kchan_call arg = {
		.flags = s->f[FLAGS], .deadline = s->f[DEADLINE], .sent = s->f[SENT],
		.request_len = length_of(run, s), .answer_len = length_of(run, &answer),
		.fd = fd_of(run, s->f[ANSWER]),
	};

	arg.request = new_buffer(r, s, arg.request_len, true)->address;
	arg.answer = new_buffer(r, &answer, arg.answer_len, false)->address;
	arm_buffers(r);
	call_with(fd_of(run, s->f[ON]), s, KCHAN_CALL, &arg, sizeof(arg),
		  offsetof(struct kchan_call, fd), r);
	disarm_buffers(r);
	if (r->value == UNTOUCHED)
		return;
	if ((__s32)r->value != arg.fd)
		r->struct_touched = true;
	r->value >>= 32;
}

static void read_or_write(struct run *run, const struct step *s, struct result *r)
{
	__u32 len = length_of(run, s);
	struct piece *p = new_buffer(r, s, len, s->call == WRITE);
	int fd = fd_of(run, s->f[ON]);

	arm_buffers(r);
	cover_begin();
	if (s->call == WRITE)
		r->ret = write(fd, (void *)(uintptr_t)p->address, p->len);
	else
		r->ret = read(fd, (void *)(uintptr_t)p->address, p->len);
	if (r->ret < 0)
		r->ret = -errno;
	cover_end();
	disarm_buffers(r);
}

/* A cond's argument is the number of its lock's file. */
__u64 op_arg(const struct run *run, const struct step *s)
{
	return s->f[OP] == KCHAN_OP_COND ? (__u64)fd_of(run, s->f[LOCK]) : s->f[ARG];
}

static void wait_op_step(struct run *run, const struct step *s, struct result *r)
{
	struct kchan_wait arg = {
		.flags = s->f[FLAGS], .op = s->f[OP], .index = s->f[INDEX],
		.arg = op_arg(run, s), .deadline = s->f[DEADLINE], .value = UNTOUCHED,
	};

	call_with(fd_of(run, s->f[ON]), s, KCHAN_WAIT, &arg, sizeof(arg),
		  offsetof(struct kchan_wait, value), r);
}

/* ---- select ---- */

static struct kchan_case real_case(struct run *run, const struct step *s, struct result *r)
{
	struct kchan_case c = {
		.fd = fd_of(run, s->f[ON]), .op = s->f[OP], .index = s->f[INDEX],
		.arg = op_arg(run, s),
	};
	unsigned int number;
	__u64 ancillary;

	if (s->f[OP] != KCHAN_OP_SEND && s->f[OP] != KCHAN_OP_RECV)
		return c;
	c.len = length_of(run, s);
	c.buf = new_buffer(r, s, c.len, s->f[OP] == KCHAN_OP_SEND)->address;
	number = r->nr_buffers - 1;
	ancillary = lay_out_cargo(run, s, s->f[OP] == KCHAN_OP_SEND, number, &r->cargo[number]);
	if (s->f[ANCILLARY] != RIGHT)
		c.arg = ancillary;
	return c;
}

/* As many cases as fit; returns how many there are. */
static __u32 lay_out_cases(struct run *run, const struct trace *t, unsigned int i, size_t size,
			   struct kchan_case *to, __u32 most, struct result *r)
{
	unsigned int n = cases_of(t, i);
	__u32 nr = 0;

	for (unsigned int k = 1; k <= n; k++) {
		struct kchan_case c = real_case(run, &t->steps[i + k], r);

		for (__u64 j = 0; j < t->steps[i + k].f[REPEAT] && nr < most; j++, nr++)
			memcpy((char *)to + nr * size, &c, sizeof(c));
	}
	return nr;
}

/* Those of the cases that were not chosen are as they were: no numbers. */
static void keep_chosen(struct run *run, const struct trace *t, unsigned int i,
			const struct result *r)
{
	unsigned int number = 0;

	for (unsigned int k = i + 1; k <= i + cases_of(t, i); k++) {
		const struct step *s = &t->steps[k];

		if (s->f[OP] != KCHAN_OP_SEND && s->f[OP] != KCHAN_OP_RECV)
			continue;
		if (s->f[OP] == KCHAN_OP_RECV && number < r->nr_buffers && r->cargo[number].there)
			keep_numbers(run, s, r->cargo[number].numbers);
		number++;
	}
}

static void select_step(struct run *run, const struct trace *t, unsigned int i,
			struct result *r)
{
	static struct kchan_case cases[KCHAN_MAX_CASES + 8];
	const struct step *s = &t->steps[i];
	size_t size = s->f[CASE_SIZE] == RIGHT || s->f[CASE_SIZE] != sizeof(cases[0]) + 8 ?
		      sizeof(cases[0]) : s->f[CASE_SIZE];
	__u32 most = sizeof(cases) / size;
	struct kchan_select arg = {
		.flags = s->f[FLAGS], .deadline = s->f[DEADLINE], .value = UNTOUCHED,
		.case_size = s->f[CASE_SIZE] == RIGHT ? size : s->f[CASE_SIZE],
	};
	struct piece p;
	__u32 nr;

	memset(cases, 0, sizeof(cases));
	nr = lay_out_cases(run, t, i, size, cases, most, r);
	p = place_cases(s->f[CASES_AT], nr * size);
	if (p.start)
		memcpy(p.start, cases, p.present);
	arg.cases = p.address;
	arg.nr = s->f[NR] == RIGHT ? nr : s->f[NR];
	arm(&p);
	arm_buffers(r);
	call_with(fd_of(run, s->f[ON]), s, KCHAN_SELECT, &arg, sizeof(arg),
		  offsetof(struct kchan_select, value), r);
	disarm_buffers(r);
	disarm(&p);
	if (p.start && memcmp(p.start, cases, p.present))
		r->struct_touched = true;
	if (!by_child(s))
		keep_chosen(run, t, i, r);
}

/* ---- the calls with a number ---- */

static unsigned int number_call(enum call call)
{
	switch (call) {
	case DONE: return KCHAN_DONE;
	case TOKEN: return KCHAN_TOKEN;
	case UNLOCK: return KCHAN_UNLOCK;
	case CONSISTENT: return KCHAN_CONSISTENT;
	case CLOSE_WITH: return KCHAN_CLOSE_WITH;
	case SIGNAL: return KCHAN_SIGNAL;
	default: return KCHAN_CANCEL;
	}
}

static void number_step(struct run *run, const struct step *s, struct result *r)
{
	struct kchan_arg arg = { .flags = s->f[FLAGS], .value = s->f[VALUE] };

	call_with(fd_of(run, s->f[ON]), s, number_call(s->call), &arg, sizeof(arg), -1, r);
}

/* The value of a watch is its cookie. */
static void watch_step(struct run *run, const struct step *s, struct result *r)
{
	struct kchan_watch arg = {
		.flags = s->f[FLAGS], .fd = fd_of(run, s->f[TOLD]), .rights = s->f[RIGHTS],
		.cookie = s->f[VALUE],
	};

	call_with(fd_of(run, s->f[ON]), s, KCHAN_WATCH, &arg, sizeof(arg), -1, r);
}

static void timer_step(struct run *run, const struct step *s, struct result *r)
{
	struct kchan_timer arg = {
		.flags = s->f[FLAGS], .deadline = s->f[DEADLINE], .period = s->f[PERIOD],
	};

	call_with(fd_of(run, s->f[ON]), s, KCHAN_TIMER, &arg, sizeof(arg), -1, r);
}

static void out_step(struct run *run, const struct step *s, struct result *r)
{
	union {
		struct kchan_stat stat;
		struct kchan_features features;
	} arg = { };

	if (s->call == STAT)
		call_with(fd_of(run, s->f[ON]), s, KCHAN_STAT, &arg, sizeof(arg.stat), -1, r);
	else
		call_with(fd_of(run, s->f[ON]), s, KCHAN_FEATURES, &arg, sizeof(arg.features),
			  -1, r);
}

static void plain_call(int fd, unsigned int cmd, struct result *r)
{
	cover_begin();
	r->ret = ioctl(fd, cmd, 0);
	if (r->ret < 0)
		r->ret = -errno;
	cover_end();
}

/* ---- files and memory ---- */

static void close_place(struct run *run, const struct step *s, struct result *r)
{
	int *fd = &run->fd[s->f[ON]];

	cover_begin();
	r->ret = close(*fd) ? -errno : 0;
	cover_end();
	*fd = -1;
}

/* Through a socket, closed in between: for that time nobody has it in his table. */
static void pass_place(struct run *run, const struct step *s, struct result *r)
{
	int *fd = &run->fd[s->f[ON]], socks[2];

	must(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, socks));
	pass_fd(socks[0], *fd);
	close(*fd);
	*fd = take_fd(socks[1]);
	close(socks[0]);
	close(socks[1]);
	r->ret = 0;
}

static void set_nonblock(struct run *run, const struct step *s, struct result *r)
{
	int fd = fd_of(run, s->f[ON]), flags = fcntl(fd, F_GETFL);

	flags = s->f[VALUE] ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	r->ret = fcntl(fd, F_SETFL, flags) ? -errno : 0;
}

static void map_step(struct run *run, const struct step *s, struct result *r)
{
	int prot = s->f[RIGHTS] & KCHAN_RIGHT_SEND ? PROT_READ | PROT_WRITE : PROT_READ;
	size_t len = s->f[LEN] == RIGHT ? PAGE : s->f[LEN];
	void *p;

	cover_begin();
	p = mmap(NULL, len, prot, s->f[FLAGS] ? MAP_PRIVATE : MAP_SHARED,
		 fd_of(run, s->f[ON]), s->f[INDEX]);
	r->ret = p == MAP_FAILED ? -errno : 0;
	cover_end();
	if (p == MAP_FAILED)
		return;
	run->map[s->f[TO]] = p;
	run->map_len[s->f[TO]] = len;
}

static void unmap_step(struct run *run, const struct step *s, struct result *r)
{
	cover_begin();
	r->ret = munmap(run->map[s->f[TO]], run->map_len[s->f[TO]]);
	cover_end();
	run->map[s->f[TO]] = NULL;
}

/* Swaps a cell's value, and tells what was there, and who waits. */
static void store_step(struct run *run, const struct step *s, struct result *r)
{
	struct kchan_cell *cell = run->map[s->f[TO]];

	cell += s->f[INDEX];
	r->value = __atomic_exchange_n(&cell->value, s->f[ARG], __ATOMIC_SEQ_CST);
	r->ret = __atomic_load_n(&cell->waiters, __ATOMIC_SEQ_CST);
	for (size_t i = 0; i < ARRAY_LEN(cell->reserved); i++)
		r->struct_touched |= cell->reserved[i] != 0;
}

/* ---- all of them ---- */

static void dispatch(struct run *run, const struct trace *t, unsigned int i, struct result *r)
{
	const struct step *s = &t->steps[i];

	switch (s->call) {
	case CREATE_CHAN: return create_chan(run, s, r);
	case CREATE: return create(run, s, r);
	case RESTRICT: return restrict_handle(run, s, r);
	case DUP:
		r->ret = fcntl(fd_of(run, s->f[ON]), F_DUPFD_CLOEXEC, 0);
		r->ret = r->ret < 0 ? -errno : r->ret;
		return;
	case CLOSE: return close_place(run, s, r);
	case PASS: return pass_place(run, s, r);
	case SET_NONBLOCK: return set_nonblock(run, s, r);
	case SEND:
	case RECV: return message(run, s, r);
	case WRITE:
	case READ: return read_or_write(run, s, r);
	case SEND_BATCH:
	case RECV_BATCH: return batch(run, s, r);
	case CALL: return call_step(run, s, r);
	case CLOSE_CHAN: return plain_call(fd_of(run, s->f[ON]), KCHAN_CLOSE, r);
	case WAIT: return wait_op_step(run, s, r);
	case SELECT: return select_step(run, t, i, r);
	case TIMER: return timer_step(run, s, r);
	case WATCH: return watch_step(run, s, r);
	case STAT:
	case FEATURES: return out_step(run, s, r);
	case MAP: return map_step(run, s, r);
	case UNMAP: return unmap_step(run, s, r);
	case STORE: return store_step(run, s, r);
	case UNKNOWN: return plain_call(fd_of(run, s->f[ON]), s->f[CMD], r);
	case PARK: return park_peer(run, s);
	case UNPARK:
		r->ret = unpark_peer(&run->peers[s->f[PEER]]) ? 0 : -EBUSY;
		return;
	case CASE:
	case NR_CALLS: return;
	default: return number_step(run, s, r);
	}
}

bool makes_handle(const struct step *s)
{
	return s->call == CREATE_CHAN || s->call == CREATE || s->call == RESTRICT ||
	       s->call == DUP || s->call == TOKEN;
}

bool by_child(const struct step *s)
{
	return s->f[CHILD] && !makes_handle(s) && s->call != CLOSE && s->call != PASS &&
	       s->call != MAP && s->call != UNMAP && s->call != PARK && s->call != UNPARK;
}

static void execute_in_child(struct run *run, const struct trace *t, unsigned int i,
			     struct result *r)
{
	static struct result *shared;
	int status;
	pid_t pid;

	if (!shared)
		shared = shared_alloc(sizeof(*shared));
	*shared = *r;
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		dispatch(run, t, i, shared);
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid);
	shared->child = pid;
	must(WIFEXITED(status) && !WEXITSTATUS(status));
	*r = *shared;
}

/* No file number is left: below the limit all are in use, or the limit is 0. */
static void limit_files(bool full)
{
	static struct rlimit before;
	struct rlimit none;

	if (full) {
		must(!getrlimit(RLIMIT_NOFILE, &before));
		none = before;
		none.rlim_cur = 0;
		must(!setrlimit(RLIMIT_NOFILE, &none));
	} else {
		must(!setrlimit(RLIMIT_NOFILE, &before));
	}
}

/* Ticks and deadlines in the past come at once, but not inside of the call. */
static void await_past(int fd)
{
	__s64 end = now() + PATIENCE_NS;
	struct kchan_stat st = { .size = sizeof(st) };

	do {
		if (kchan_call(fd, KCHAN_STAT, &st))
			return;
		if (st.kind == KCHAN_KIND_TIMER ? st.length || !(st.state & KCHAN_STATE_RUNNING) :
						  st.state & KCHAN_STATE_CANCELLED)
			return;
		usleep(50);
	} while (now() < end);
}

void execute(struct run *run, const struct trace *t, unsigned int i, struct result *r)
{
	const struct step *s = &t->steps[i];

	memset(r, 0, offsetof(struct result, buffers));
	memset(r->cargo, 0, sizeof(r->cargo));
	r->value = UNTOUCHED;
	if (s->f[FULL])
		limit_files(true);
	if (by_child(s))
		execute_in_child(run, t, i, r);
	else
		dispatch(run, t, i, r);
	if (s->f[FULL])
		limit_files(false);
	if (makes_handle(s) && r->ret >= 0)
		run->fd[s->f[TO]] = r->ret;
	if (r->ret >= 0 && is_past(s->f[FLAGS], s->f[DEADLINE])) {
		if (s->call == TIMER)
			await_past(fd_of(run, s->f[ON]));
		else if (s->call == CREATE)
			await_past(run->fd[s->f[TO]]);
	}
}
