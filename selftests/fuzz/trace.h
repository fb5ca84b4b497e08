/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traces: what is done to the module, one call a step.
 *
 * As text a step is a line: the call's name, and then name=value for each field
 * that is not as usual.  '#' begins a comment.  Fields that a call does not use are
 * ignored.  A select is followed by its cases, one line each:
 *
 *	create_chan to=h2 elem_size=8 capacity=1
 *	send on=h2 message=7 flags=nonblock
 *	restrict on=h2 to=h3 rights=recv
 *	select flags=nonblock|in_order
 *	case on=h3 op=recv
 *	case on=h2 op=send message=8 repeat=100
 *
 * h0 is /dev/kchan, h1 a pipe, and h2 to h23 are places for handles.  A call on an
 * empty place is made with file number -1; a call that would put a handle into a
 * place in use is left out, and so is one that would wait for ever.
 *
 * "park peer=1 on=h2 op=recv" lets a thread do that, which waits, until another step
 * ends its wait, or "unpark peer=1" ends it by a signal.
 *
 * The fields:
 *   on, to, parent, lock, told	places of handles: the call's, a new one's, ...
 *   flags, kind, elem_size, capacity, policy, handles, depth, limit, rights, op, index,
 *   arg, deadline, period, value, reserved	as in the call's struct
 *   min, max, sent
 *   message	which message is sent: its bytes follow from this number; of a batch
 *		the first, and the others from those behind it
 *   len	of the buffer, where it is not the channel's element size
 *   bad	which message of a batch is not there; without KCHAN_VECTOR those
 *		behind it are not there either
 *   ancillary	where a message's struct kchan_ancillary is; as mem, but that usually there
 *		is none.  Of it then tell cases_at, case_size, nr, reserved (its flags), and
 *		bad: which handle is a number that is not open
 *   first, second, third, fourth	places of the handles that are sent, or where those
 *		received go, if they are free
 *   answer, answer_len, answer_mem	where the answer to a call comes from, and goes
 *   mem	where the buffer is: good, straddle (two pages), absent (a page that
 *		is not there yet), readonly, null, unmapped, cut (the last byte is
 *		missing), noaccess, kernel, noncanonical
 *   at		where the struct is; as mem
 *   size	the struct's own size, where it is not right
 *   tail	that byte beyond the struct, from 1, is not 0
 *   cases_at	where the array of a select's cases is, or of a batch's addresses, or of a
 *		message's handles; as mem
 *   nr		the number of cases, where it is not right
 *   case_size	that of a case, where it is not right
 *   repeat	a case stands there so many times
 *   child	1: a forked child makes the call, and dies
 *   full	1: the process has no file number left
 *   cmd	the number of a call that does not exist
 *   peer	which thread parks, 0 to 3
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stdio.h>
#include <linux/types.h>

enum call {
	CREATE_CHAN, CREATE, RESTRICT, DUP, CLOSE, PASS, SET_NONBLOCK, SEND, RECV, WRITE, READ,
	SEND_BATCH, RECV_BATCH, CALL, CLOSE_CHAN, CLOSE_WITH, WAIT, SELECT, CASE, DONE, TOKEN,
	UNLOCK, CONSISTENT, SIGNAL, CANCEL, TIMER, WATCH, STAT, FEATURES, MAP, UNMAP, STORE,
	UNKNOWN, PARK, UNPARK, NR_CALLS,
};

enum field {
	ON, TO, PARENT, LOCK, FLAGS, KIND, ELEM_SIZE, CAPACITY, POLICY, LIMIT, RIGHTS, OP, INDEX,
	ARG, DEADLINE, PERIOD, VALUE, RESERVED, MESSAGE, LEN, MEM, AT, SIZE, TAIL, CASES_AT, NR,
	CASE_SIZE, REPEAT, CHILD, FULL, CMD, PEER, MIN, MAX, BAD, ANSWER, ANSWER_LEN, ANSWER_MEM,
	SENT, HANDLES, DEPTH, ANCILLARY, FIRST, SECOND, THIRD, FOURTH,
	TOLD, NR_FIELDS,
};

enum memory {
	GOOD, STRADDLE, ABSENT, READONLY, NULL_POINTER, UNMAPPED, CUT, NO_ACCESS, KERNEL,
	NONCANONICAL, NR_MEMORY,
};

/* What stands in a field where the right number is to be used. */
#define RIGHT	(~0ull)

#define PLACES		24
#define FIRST_PLACE	2	/* after the device and the pipe */
#define PEERS		4
#define MAX_STEPS	512
#define MAX_BATCH	1024u	/* messages */
#define GIVEN		4u	/* handles of a message that a step can tell */

struct step {
	enum call call;
	__u64 f[NR_FIELDS];
};

struct trace {
	unsigned int nr;
	struct step steps[MAX_STEPS];
};

struct step new_step(enum call call);
bool is_default(enum field field, __u64 value);
__u64 default_of(enum field field);

/* The cases that follow the select at @i. */
unsigned int cases_of(const struct trace *t, unsigned int i);

void print_step(FILE *to, const struct step *s);
void print_trace(FILE *to, const struct trace *t);
bool read_trace(FILE *from, const char *name, struct trace *t);
bool load_trace(const char *path, struct trace *t);
bool save_trace(const char *path, const struct trace *t, const char *comment);

/* "-EAGAIN", "3": what a call returned, in static buffers that take turns. */
const char *show_result(long ret);

#endif /* TRACE_H */
