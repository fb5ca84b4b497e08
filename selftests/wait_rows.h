/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every operation that waits, as rows of a table: a new object on which it blocks
 * after block(), till ready().  (Not a cond's, which gives a lock back: cond_*.c.)
 */
#ifndef WAIT_ROWS_H
#define WAIT_ROWS_H

#include "kchan_util.h"

/* What stands in the cell, and why the cancel is cancelled, once they are ready. */
enum { CHANGED = 7, CAUSE = EIO };

/* What is sent, and so received. */
enum { MESSAGE = 77 };

/* Who gets what ready() gives. */
enum grant {
	FOR_ALL,	/* whoever waits */
	FOR_ONE,	/* one of them, for good */
	FOR_HOLDER,	/* one of them, as long as its process has the handle */
};

struct wait_row {
	const char *name;
	__u32 kind;
	__u64 limit;	/* of a channel: its capacity */
	__u32 op;
	__u64 arg;
	__u32 right;
	enum grant grant;
	void (*block)(int fd);
	void (*ready)(int fd);
	int ret;
	__u64 value;
};

static inline void row_nothing(int fd) { (void)fd; }
static inline void row_take_unit(int fd) { must(!kchan_add(fd, 1)); }
static inline void row_give_unit(int fd) { must(!kchan_done(fd, 1)); }
static inline void row_lock(int fd) { must(!kchan_lock(fd)); }
static inline void row_unlock(int fd) { must(!kchan_unlock(fd)); }
static inline void row_read_lock(int fd) { must(!kchan_rlock(fd)); }
static inline void row_read_unlock(int fd) { must(!kchan_runlock(fd)); }
static inline void row_finish(int fd) { must(!kchan_done(fd, 0)); }
static inline void row_tick(int fd) { must(!set_timer(fd, KCHAN_DEADLINE, 0, 0)); }
static inline void row_cancel(int fd) { must(kchan_arg_call(fd, KCHAN_CANCEL, CAUSE) == 1); }
static inline void row_send(int fd) { must(!send64(fd, MESSAGE)); }

static inline void row_change_cell(int fd)
{
	struct kchan_cell *cells = map_cells(fd, 1);

	store(&cells[0].value, CHANGED);
	tell_waiters(fd, cells, 0);
	munmap(cells, sizeof(*cells));
}

static inline void row_fill_up(int fd)
{
	while (try_send64(fd, MESSAGE) == 0)
		;
}

static inline void row_receive(int fd)
{
	__u64 v;

	must(recv64(fd, &v) == 1 && v == MESSAGE);
}

/* Of KCHAN_WAIT. */
#define FOR_EVERY_WAIT(ROW)								\
	ROW(waitgroup_zero, KCHAN_KIND_WAITGROUP, 0, KCHAN_OP_ZERO, 0, KCHAN_RIGHT_RECV,	\
	    FOR_ALL, row_take_unit, row_give_unit, 0, 0)				\
	ROW(waitgroup_add, KCHAN_KIND_WAITGROUP, 1, KCHAN_OP_ADD, 1, KCHAN_RIGHT_SEND,	\
	    FOR_ONE, row_take_unit, row_give_unit, 0, 0)				\
	ROW(semaphore_take, KCHAN_KIND_SEMAPHORE, 1, KCHAN_OP_ADD, 1, KCHAN_RIGHT_RECV,	\
	    FOR_ONE, row_take_unit, row_give_unit, 0, 0)				\
	ROW(semaphore_zero, KCHAN_KIND_SEMAPHORE, 2, KCHAN_OP_ZERO, 0, KCHAN_RIGHT_SEND,	\
	    FOR_ALL, row_take_unit, row_give_unit, 0, 0)				\
	ROW(mutex_lock, KCHAN_KIND_MUTEX, 0, KCHAN_OP_LOCK, 0, KCHAN_RIGHT_SEND,	\
	    FOR_HOLDER, row_lock, row_unlock, 0, 0)					\
	ROW(rwmutex_lock_behind_writer, KCHAN_KIND_RWMUTEX, 0, KCHAN_OP_LOCK, 0,	\
	    KCHAN_RIGHT_SEND, FOR_HOLDER, row_lock, row_unlock, 0, 0)			\
	ROW(rwmutex_lock_behind_reader, KCHAN_KIND_RWMUTEX, 0, KCHAN_OP_LOCK, 0,	\
	    KCHAN_RIGHT_SEND, FOR_HOLDER, row_read_lock, row_read_unlock, 0, 0)		\
	ROW(rwmutex_rlock, KCHAN_KIND_RWMUTEX, 0, KCHAN_OP_RLOCK, 0, KCHAN_RIGHT_RECV,	\
	    FOR_ALL, row_lock, row_unlock, 0, 0)					\
	ROW(once_done, KCHAN_KIND_ONCE, 0, KCHAN_OP_LOCK, 0, KCHAN_RIGHT_SEND,		\
	    FOR_ALL, row_lock, row_finish, 1, 0)					\
	ROW(once_left_to_the_next, KCHAN_KIND_ONCE, 0, KCHAN_OP_LOCK, 0, KCHAN_RIGHT_SEND,	\
	    FOR_HOLDER, row_lock, row_unlock, 0, 0)					\
	ROW(timer_tick, KCHAN_KIND_TIMER, 0, KCHAN_OP_TICK, 0, KCHAN_RIGHT_RECV,	\
	    FOR_ONE, row_nothing, row_tick, 0, 1)					\
	ROW(cells_differs, KCHAN_KIND_CELLS, 4, KCHAN_OP_DIFFERS, 0, KCHAN_RIGHT_RECV,	\
	    FOR_ALL, row_nothing, row_change_cell, 0, CHANGED)				\
	ROW(cancel_cancelled, KCHAN_KIND_CANCEL, 0, KCHAN_OP_CANCELLED, 0, KCHAN_RIGHT_RECV,	\
	    FOR_ALL, row_nothing, row_cancel, 0, CAUSE)

/* Of KCHAN_SEND and KCHAN_RECV. */
#define FOR_EVERY_TRANSFER(ROW)								\
	ROW(send_unbuffered, KCHAN_KIND_CHAN, 0, KCHAN_OP_SEND, 0, KCHAN_RIGHT_SEND,	\
	    FOR_ONE, row_fill_up, row_receive, 0, 0)					\
	ROW(send_buffered, KCHAN_KIND_CHAN, 2, KCHAN_OP_SEND, 0, KCHAN_RIGHT_SEND,	\
	    FOR_ONE, row_fill_up, row_receive, 0, 0)					\
	ROW(recv_unbuffered, KCHAN_KIND_CHAN, 0, KCHAN_OP_RECV, 0, KCHAN_RIGHT_RECV,	\
	    FOR_ONE, row_nothing, row_send, 1, MESSAGE)					\
	ROW(recv_buffered, KCHAN_KIND_CHAN, 2, KCHAN_OP_RECV, 0, KCHAN_RIGHT_RECV,	\
	    FOR_ONE, row_nothing, row_send, 1, MESSAGE)

#define WAIT_ROW(name, ...) { #name, __VA_ARGS__ }

static inline int row_make(const struct wait_row *row)
{
	return row->kind == KCHAN_KIND_CHAN ? make_chan(8, row->limit) :
					      make_object(row->kind, row->limit);
}

/* So many are counted as blocked in what takes the row's right. */
static inline bool row_waiting(const struct wait_row *row, int fd, __u32 n)
{
	bool send = row->right == KCHAN_RIGHT_SEND;

	return waiting(fd, send ? n : 0, send ? 0 : n);
}

static inline void row_wait_blocked(const struct wait_row *row, int fd, __u32 n)
{
	wait_until(row_waiting(row, fd, n));
}

/*
 * A task's call of the row's operation, on any handle.  It stands in memory that
 * others see, and what the kernel writes is written there: so they know it even of a
 * task that did not live to tell.
 */
struct row_call {
	const struct wait_row *row;
	int fd;
	int never;		/* -1, or a timer that never fires: then it is a select */
	__u32 flags;
	__s64 deadline;
	union {
		struct kchan_msg msg;
		struct kchan_wait wait;
		struct kchan_select select;
	};
	struct kchan_case cases[2];
	union {
		__u64 message;
		__u64 messages[3];	/* of a batch */
	};
	int ret;
	int over;
};

static inline int row_call_select(struct row_call *c)
{
	bool message = c->row->kind == KCHAN_KIND_CHAN;
	int ret, outcome;

	c->cases[0] = (struct kchan_case){ .fd = c->never, .op = KCHAN_OP_TICK };
	c->cases[1] = (struct kchan_case){
		.fd = c->fd, .op = c->row->op, .arg = c->row->arg,
		.buf = message ? (uintptr_t)&c->message : 0,
		.len = message ? sizeof(c->message) : 0,
	};
	c->select = (struct kchan_select){
		.size = sizeof(c->select), .flags = c->flags, .deadline = c->deadline,
		.cases = (uintptr_t)c->cases, .nr = 2, .case_size = sizeof(c->cases[0]),
		.value = POISON,
	};
	ret = kchan_call(c->fd, KCHAN_SELECT, &c->select);
	if (ret < 0)
		return ret;
	must((ret & 0xffff) == 1);
	outcome = ret >> KCHAN_OUTCOME_SHIFT;
	return outcome > 1 ? -outcome : outcome;
}

static inline int row_call_alone(struct row_call *c)
{
	if (c->row->kind == KCHAN_KIND_CHAN) {
		c->msg = (struct kchan_msg){
			.size = sizeof(c->msg), .flags = c->flags, .deadline = c->deadline,
			.buf = (uintptr_t)&c->message, .len = sizeof(c->message),
		};
		return kchan_call(c->fd, c->row->op == KCHAN_OP_SEND ? KCHAN_SEND : KCHAN_RECV,
				  &c->msg);
	}
	c->wait = (struct kchan_wait){
		.size = sizeof(c->wait), .flags = c->flags, .deadline = c->deadline,
		.op = c->row->op, .arg = c->row->arg, .value = POISON,
	};
	return kchan_call(c->fd, KCHAN_WAIT, &c->wait);
}

static inline int row_call(void *arg)
{
	struct row_call *c = arg;

	c->message = c->row->op == KCHAN_OP_SEND ? MESSAGE : POISON;
	c->ret = c->never < 0 ? row_call_alone(c) : row_call_select(c);
	store(&c->over, 1);
	return 0;
}

/* What it left: POISON when nothing. */
static inline __u64 row_value(const struct row_call *c)
{
	if (c->row->op == KCHAN_OP_SEND)
		return 0;
	if (c->row->op == KCHAN_OP_RECV)
		return c->message;
	return c->never < 0 ? c->wait.value : c->select.value;
}

#endif /* WAIT_ROWS_H */
