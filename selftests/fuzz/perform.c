// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making programs happen.
 *
 * All objects and handles of a few programs are made first.  Then the tasks start,
 * drop what is not theirs (a process has all handles of its parent), and do one
 * program after the other, all tasks beginning each together.
 *
 * The order of events is that of one shared counter, which a task takes a number from
 * just before a call and just after it.  The clock is read after that: so an event is
 * not later than the time noted for it, and what was noted before a deadline did
 * happen before it.
 */
#include <linux/futex.h>
#include <stdint.h>
#include <sys/sysinfo.h>

#include "cargo_util.h"
#include "perform.h"

/**
 * struct stage - a program being performed, in memory that the tasks share
 * @p: the program
 * @fd: handles of each task on each object: to send, to receive; one for both but for
 *	channels
 * @keeper: the handle on each object that nobody uses
 * @stamps: taken so far
 * @at: when each was taken, or a little later
 * @arrived: tasks that wait for the others
 * @left: all that are through with it
 */
struct stage {
	struct program p;
	int fd[MAX_OBJECTS][MAX_TASKS][2];
	int keeper[MAX_OBJECTS];
	int stamps;
	__s64 at[MAX_STAMPS + 1];
	int arrived, left;
};

struct theatre {
	struct stage stage[MOST_TOGETHER];
	int stages;
	int next_task, ready;
};

/* Where a receive is to put a handle: neither one, nor none. */
enum { NO_HANDLE = -2 };

/* The tasks, and who started them. */
enum { EVERYBODY = MAX_TASKS + 1 };

/* ---- objects and handles ---- */

static int make_thing(const struct object *o)
{
	static const __u32 kinds[KINDS] = {
		[MUTEX] = KCHAN_KIND_MUTEX, [RWMUTEX] = KCHAN_KIND_RWMUTEX,
		[ONCE] = KCHAN_KIND_ONCE, [SEMAPHORE] = KCHAN_KIND_SEMAPHORE,
		[WAITGROUP] = KCHAN_KIND_WAITGROUP, [COND] = KCHAN_KIND_COND,
	};

	if (o->carries)
		return make_carrier(.elem_size = sizeof(struct kchan_notice), .capacity = o->limit,
				    .policy = o->policy, .handles = 1, .depth = 1);
	if (o->kind == CHAN)
		return make_policy_chan(sizeof(struct kchan_notice), o->limit, o->policy);
	return o->kind == CANCEL ? make_cancel(-1) : make_object(kinds[o->kind], o->limit);
}

static void watch_object(const struct stage *st, int object, int fd)
{
	struct kchan_watch watch = {
		.size = sizeof(watch),
		.fd = st->keeper[st->p.history.object[object].tells - 1],
		.rights = BOTH_RIGHTS,
		.cookie = cookie_of(object),
	};

	must(!kchan_call(fd, KCHAN_WATCH, &watch));
}

static void make_handles(struct stage *st, int object)
{
	int fd = make_thing(&st->p.history.object[object]);
	bool chan = st->p.history.object[object].kind == CHAN;
	int keeper = st->p.keeper[object];

	for (int t = 0; t < st->p.history.tasks; t++)
		for (int right = 0; right < 2; right++) {
			bool has = !chan || st->p.rights[object][t] >> right & 1;

			st->fd[object][t][right] = !has || (!chan && right) ? -1 :
				restrict_to(fd, chan ? 1u << right : BOTH_RIGHTS);
		}
	st->keeper[object] = chan && keeper ? restrict_to(fd, keeper) : -1;
	if (st->p.history.object[object].tells)
		watch_object(st, object, fd);
	close(fd);
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* Closes all tasks' handles but those of one; with a negative one, all. */
static void close_others(const struct stage *st, int task)
{
	for (int i = 0; i < st->p.history.objects; i++)
		for (int t = 0; t < st->p.history.tasks; t++)
			for (int right = 0; right < 2 && t != task; right++)
				close_if_open(st->fd[i][t][right]);
}

static void close_keepers(const struct stage *st)
{
	for (int i = 0; i < st->p.history.objects; i++)
		close_if_open(st->keeper[i]);
}

/* ---- one call ---- */

/*
 * A task's own copy of what it needs of a stage, and its last request: the call itself,
 * which a later one may go on with, what it sent, and room for the answer.  The handles
 * that its messages carry, by call and case, are files whose position is the message's
 * number: whoever gets one can tell.
 */
struct actor {
	struct stage *st;
	int task;
	int fd[MAX_OBJECTS][2];
	struct kchan_call request;
	struct kchan_notice sent, answer;
	int own[MAX_CALLS][MAX_CASES];
};

/*
 * A message to send, or room for one.  All are as long as notices, so that any channel may
 * be sent some; their number stands in the cookie.
 */
struct parcel {
	struct kchan_notice message;
	__s32 handle;
	struct kchan_ancillary ancillary;
};

static bool carries(const struct actor *a, const struct action *action)
{
	return a->st->p.history.object[action->object].carries;
}

/* Every open of this program is a file of its own. */
static int open_at(int position)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	must(fd >= 0 && lseek(fd, position, SEEK_SET) == position);
	return fd;
}

/* Opens what the task's messages carry, or closes it again. */
static void open_own(struct actor *a)
{
	const struct history *h = &a->st->p.history;

	for (int i = 0; i < h->calls; i++)
		for (int n = 0; n < h->call[i].nr; n++) {
			const struct action *action = &h->call[i].does[n];
			bool sends = h->call[i].task == a->task && action->verb == SEND &&
				     carries(a, action);

			a->own[i][n] = sends ? open_at(action->number) : -1;
		}
}

static void close_own(const struct actor *a)
{
	const struct history *h = &a->st->p.history;

	for (int i = 0; i < h->calls; i++)
		for (int n = 0; n < h->call[i].nr; n++)
			close_if_open(a->own[i][n]);
}

static int handle_for(const struct actor *a, const struct action *action)
{
	bool receives = action->verb == RECV || action->verb == DROP_RECV;
	int fd = a->fd[action->object][receives];

	if (action->verb == STAT && fd < 0)
		return a->fd[action->object][1];
	if (a->st->p.history.object[action->object].kind != CHAN)
		return a->fd[action->object][0];
	return fd;
}

static struct kchan_notice message_of(int number)
{
	return (struct kchan_notice){ .cookie = number };
}

/* Where one is to be received. */
static struct kchan_notice no_message(void)
{
	return (struct kchan_notice){ POISON, (__u32)POISON, 0, 0, 0 };
}

/* What it is for a message to carry a handle, at either end. */
static void add_handle(const struct actor *a, const struct call *c, int n, struct parcel *p)
{
	int own = a->own[c - a->st->p.history.call][n];

	p->handle = c->does[n].verb == SEND ? own : NO_HANDLE;
	p->ancillary = with_handles(&p->handle, 1);
}

static struct kchan_case case_of(const struct actor *a, const struct call *c, int n,
				 struct parcel *p)
{
	static const __u32 ops[] = {
		[SEND] = KCHAN_OP_SEND, [RECV] = KCHAN_OP_RECV, [ADD] = KCHAN_OP_ADD,
		[ZERO] = KCHAN_OP_ZERO, [LOCK] = KCHAN_OP_LOCK, [RLOCK] = KCHAN_OP_RLOCK,
		[AWAIT_SIGNAL] = KCHAN_OP_COND, [AWAIT_CANCEL] = KCHAN_OP_CANCELLED,
	};
	const struct action *action = &c->does[n];
	struct kchan_case ret = { .fd = handle_for(a, action), .op = ops[action->verb] };

	if (action->verb == SEND || action->verb == RECV) {
		p->message = action->verb == SEND ? message_of(action->number) : no_message();
		ret.buf = (uintptr_t)&p->message;
		ret.len = sizeof(p->message);
		if (carries(a, action)) {
			add_handle(a, c, n, p);
			ret.arg = (uintptr_t)&p->ancillary;
		}
	} else if (action->verb == ADD) {
		ret.arg = action->number;
	} else if (action->verb == AWAIT_SIGNAL) {
		ret.arg = a->fd[action->number][0];
	}
	return ret;
}

/* Values are small in a history; one that is not was never sent. */
static int as_value(__u64 value)
{
	return value > UINT16_MAX ? UINT16_MAX : (int)value;
}

/* The number of a message, or of a notice. */
static int number_in(const struct kchan_notice *m)
{
	return m->flags || m->status || m->reserved ? UINT16_MAX : as_value(m->cookie + m->rights);
}

static void note_failure(struct call *c, int error)
{
	bool nothing = error == -EAGAIN || error == -ETIMEDOUT || error == -EINTR;

	c->chosen = nothing || c->form == SELECT ? NOTHING : 0;
	c->outcome = error;
}

/* Which message a handle was sent with, by the file behind it; it is closed. */
static int number_behind(int fd)
{
	off_t position = lseek(fd, 0, SEEK_CUR);

	if (fd == -1)
		return 0;
	close_if_open(fd);
	return position > 0 && position < UINT16_MAX ? position : UINT16_MAX;
}

static void note_received(struct actor *a, struct call *c, const struct parcel *p)
{
	c->value[0] = number_in(&p->message);
	if (c->outcome == 1 && carries(a, &c->does[c->chosen]))
		c->handle = number_behind(p->handle);
}

static void do_select(struct actor *a, struct call *c, __u32 flags, __s64 deadline)
{
	struct kchan_case cases[MAX_CASES];
	struct parcel parcels[MAX_CASES];
	struct chosen chosen;

	for (int i = 0; i < c->nr; i++)
		cases[i] = case_of(a, c, i, &parcels[i]);
	flags |= (c->in_order ? KCHAN_IN_ORDER : 0) | (c->ready ? KCHAN_READY : 0);
	chosen = kchan_select(cases, c->nr, flags, deadline);
	if (chosen.index < 0) {
		note_failure(c, chosen.index);
		return;
	}
	c->chosen = chosen.index;
	c->outcome = chosen.outcome;
	if (c->does[c->chosen].verb == RECV && !c->ready)
		note_received(a, c, &parcels[c->chosen]);
	/* At the end the message is zero, and there may be a cause. */
	if (!c->value[0])
		c->value[0] = as_value(chosen.value);
}

static int do_message(const struct kchan_case *one, __u32 flags, __s64 deadline)
{
	struct kchan_msg msg = {
		.size = sizeof(msg),
		.flags = flags,
		.buf = one->buf,
		.len = one->len,
		.deadline = deadline,
		.ancillary = one->arg,
	};

	return kchan_call(one->fd, one->op == KCHAN_OP_SEND ? KCHAN_SEND : KCHAN_RECV, &msg);
}

static void do_single(struct actor *a, struct call *c, __u32 flags, __s64 deadline)
{
	struct parcel p;
	struct kchan_case one = case_of(a, c, 0, &p);
	__u64 value = 0;
	int ret;

	if (one.op == KCHAN_OP_SEND || one.op == KCHAN_OP_RECV)
		ret = do_message(&one, flags, deadline);
	else
		ret = kchan_wait_op(one.fd, one.op, 0, one.arg, flags, deadline, &value);
	if (ret < 0) {
		note_failure(c, ret);
		return;
	}
	c->outcome = ret;
	if (one.op == KCHAN_OP_RECV)
		note_received(a, c, &p);
	else
		c->value[0] = as_value(value);
}

/* As a vector, the messages stand in memory backwards. */
static void do_batch(struct actor *a, struct call *c, __u32 flags, __s64 deadline)
{
	bool sends = c->does[0].verb == SEND;
	struct kchan_notice messages[MAX_BATCH];
	__u64 addresses[MAX_BATCH];
	int ret;

	for (int i = 0; i < c->max; i++) {
		int place = flags & KCHAN_VECTOR ? c->max - 1 - i : i;

		messages[place] = sends ? message_of(c->does[0].number + i) : no_message();
		addresses[i] = (uintptr_t)&messages[place];
	}
	ret = chan_batch(handle_for(a, &c->does[0]), sends ? KCHAN_SEND_BATCH : KCHAN_RECV_BATCH,
			 flags & KCHAN_VECTOR ? (void *)addresses : messages,
			 sizeof(messages[0]), c->min, c->max, flags, deadline);
	if (ret < 0) {
		note_failure(c, ret);
		return;
	}
	c->outcome = ret;
	for (int i = 0; !sends && i < ret && i < c->max; i++)
		c->value[i] = number_in((void *)(uintptr_t)addresses[i]);
}

/* Goes on with the one before if that was sent and has no answer yet. */
static void do_request(struct actor *a, struct call *c, __u32 flags, __s64 deadline)
{
	struct kchan_call *r = &a->request;
	int ret;

	c->again = c->again && r->sent;
	a->answer = no_message();
	if (!c->again) {
		a->sent = message_of(c->does[0].number);
		*r = new_request(&a->sent, sizeof(a->sent), handle_for(a, &c->does[1]),
				 &a->answer, sizeof(a->answer));
	}
	r->flags = flags;
	r->deadline = deadline;
	ret = chan_call(handle_for(a, &c->does[0]), r);
	c->sent = r->sent;
	if (ret < 0) {
		note_failure(c, ret);
		return;
	}
	c->outcome = ret;
	c->value[0] = number_in(&a->answer);
	r->sent = 0;
}

/* Of a stat that waits for waiters only the last is in the history. */
static void wait_for_waiters(int fd, const struct program *p, unsigned int waiters)
{
	__s64 end = now() + (p->in_line ? 2 * NSEC_PER_MSEC : 300000);
	struct kchan_stat st;

	do {
		st = chan_stat(fd);
	} while (st.waiting_senders + st.waiting_receivers < waiters && now() < end);
}

static void do_stat(int fd, struct seen *seen)
{
	struct kchan_stat st = chan_stat(fd);

	*seen = (struct seen){
		.length = st.length,
		.waiting = { st.waiting_senders, st.waiting_receivers },
		.state = st.state,
		.dropped = st.dropped,
		.cause = as_value(st.value),
	};
}

static int do_at_once(struct actor *a, struct call *c)
{
	const struct action *action = &c->does[0];
	int fd = handle_for(a, action);

	switch (action->verb) {
	case CLOSE:
		return chan_close(fd);
	case CLOSE_WITH:
		return kchan_arg_call(fd, KCHAN_CLOSE_WITH, action->number);
	case DROP_SEND:
	case DROP_RECV:
		close(fd);
		a->fd[action->object][action->verb == DROP_RECV] = -1;
		return 0;
	case DONE:
		return kchan_done(fd, action->number);
	case UNLOCK:
		return kchan_unlock(fd);
	case RUNLOCK:
		return kchan_runlock(fd);
	case FINISH:
		return kchan_arg_call(fd, KCHAN_DONE, 0);
	case SIGNAL:
		return kchan_arg_call(fd, KCHAN_SIGNAL, action->number);
	case DO_CANCEL:
		return kchan_arg_call(fd, KCHAN_CANCEL, action->number);
	default:
		do_stat(fd, &c->seen);
		return 0;
	}
}

static int take_stamp(struct stage *st)
{
	int stamp = count_up(&st->stamps) + 1;

	store(&st->at[stamp], now());
	return stamp;
}

static void do_call(struct actor *a, struct call *c, struct move *move)
{
	__u32 flags = is_try(c) ? KCHAN_NONBLOCK : KCHAN_DEADLINE;
	bool waits = c->does[0].verb <= MAY_WAIT;

	move->deadline = is_try(c) ? 0 : now() + move->wait_ns;
	if (c->does[0].verb == STAT && move->waiters)
		wait_for_waiters(handle_for(a, &c->does[0]), &a->st->p, move->waiters);
	c->invoked = take_stamp(a->st);
	if (!waits)
		c->outcome = do_at_once(a, c);
	else if (c->form == SELECT)
		do_select(a, c, flags, move->deadline);
	else if (c->form == BATCH)
		do_batch(a, c, flags | (move->vector ? KCHAN_VECTOR : 0), move->deadline);
	else if (c->form == REQUEST)
		do_request(a, c, flags, move->deadline);
	else
		do_single(a, c, flags, move->deadline);
	c->responded = take_stamp(a->st);
}

/* ---- tasks ---- */

static void run_on(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < get_nprocs_conf(); i++)
		if (processor < 0 || i == processor)
			CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/*
 * Counts a task that has come so far; returns when enough have.  Those who wait spin a
 * little, so that they go on together, and then leave the processors to others.
 */
static void wait_for_all(int *count, int enough)
{
	int n = count_up(count) + 1;

	if (n == enough)
		syscall(SYS_futex, count, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	for (int spins = 0; spins < 500 && n < enough; spins++)
		n = load(count);
	for (; n < enough; n = load(count))
		syscall(SYS_futex, count, FUTEX_WAIT, n, NULL, NULL, 0);
}

static void play(struct stage *st, int task)
{
	struct actor a = { .st = st, .task = task };
	struct history *h = &st->p.history;

	for (int i = 0; i < h->objects; i++)
		memcpy(a.fd[i], st->fd[i][task], sizeof(a.fd[i]));
	open_own(&a);
	run_on(st->p.processor[task]);
	wait_for_all(&st->arrived, h->tasks);
	for (int i = 0; i < h->calls; i++) {
		struct move *move = &st->p.move[i];

		if (h->call[i].task != task)
			continue;
		for (volatile int n = move->dawdle; n; n--)
			;
		if (move->yield)
			sched_yield();
		do_call(&a, &h->call[i], move);
	}
	close_own(&a);
	/* Dropped handles are gone: nobody is to close what may then have that number. */
	for (int i = 0; i < h->objects; i++)
		memcpy(st->fd[i][task], a.fd[i], sizeof(a.fd[i]));
}

static int act(void *arg)
{
	struct theatre *th = arg;
	int task = count_up(&th->next_task);

	if (th->stage[0].p.history.processes)
		for (int i = 0; i < th->stages; i++) {
			close_others(&th->stage[i], task);
			close_keepers(&th->stage[i]);
		}
	wait_for_all(&th->ready, EVERYBODY);
	for (int i = 0; i < th->stages; i++) {
		struct stage *st = &th->stage[i];

		if (task < st->p.history.tasks)
			play(st, task);
		wait_for_all(&st->left, EVERYBODY);
	}
	/* Only now: a process that ends drops its handles, and what it holds. */
	return 0;
}

/* ---- what came of it ---- */

/* The last stamp that was taken before the deadline. */
static int stamp_before(const struct stage *st, __s64 deadline)
{
	int stamp = st->stamps;

	while (stamp && st->at[stamp] > deadline)
		stamp--;
	return stamp;
}

static void collect(struct stage *st, struct program *p)
{
	struct history *h = &st->p.history;

	for (int i = 0; i < h->calls; i++) {
		struct call *c = &h->call[i];

		if (c->does[0].verb <= MAY_WAIT && !is_try(c))
			c->until = stamp_before(st, st->p.move[i].deadline);
	}
	*p = st->p;
}

static void raise_curtain(struct theatre *th, struct program *programs, int count)
{
	th->stages = count;
	for (int i = 0; i < count; i++) {
		th->stage[i].p = programs[i];
		for (int o = 0; o < programs[i].history.objects; o++)
			make_handles(&th->stage[i], o);
	}
}

/* Signals, now and then, to those who are not yet through. */
static void disturb(struct stage *st, struct task **tasks, __u64 row)
{
	while (load(&st->arrived) < st->p.history.tasks)
		usleep(100);
	while (load(&st->left) < MAX_TASKS) {
		task_signal(tasks[below(&row, st->p.history.tasks)], SIGUSR1);
		usleep(50 + below(&row, 400));
	}
}

void perform(struct program *programs, int count, __u64 row)
{
	struct theatre *th = shared_alloc(sizeof(*th));
	enum task_kind kind = programs[0].history.processes ? PROCESS : THREAD;
	struct task *tasks[MAX_TASKS];

	catch_signal(SIGUSR1, 0);
	any_device();
	raise_curtain(th, programs, count);
	for (int i = 0; i < MAX_TASKS; i++)
		tasks[i] = task_start(kind, act, th);
	for (int i = 0; i < count && kind == PROCESS; i++)
		close_others(&th->stage[i], -1);
	wait_for_all(&th->ready, EVERYBODY);
	for (int i = 0; i < count; i++) {
		if (th->stage[i].p.history.disturbed)
			disturb(&th->stage[i], tasks, next_random(&row));
		wait_for_all(&th->stage[i].left, EVERYBODY);
	}
	for (int i = 0; i < MAX_TASKS; i++)
		must(task_join(tasks[i]) == 0);
	for (int i = 0; i < count; i++) {
		collect(&th->stage[i], &programs[i]);
		if (kind == THREAD)
			close_others(&th->stage[i], -1);
		close_keepers(&th->stage[i]);
	}
	munmap(th, sizeof(*th));
}
