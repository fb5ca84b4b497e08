// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ABI in numbers, each written out by hand: whoever changes one
 * breaks programs that are already built.  Only compiled, never run.
 */
#include <stddef.h>
#include <linux/kchan.h>

#define SIZE(type, size) \
	_Static_assert(sizeof(struct type) == (size), "size of " #type)
#define FIELD(type, field, offset, size) \
	_Static_assert(offsetof(struct type, field) == (offset) && \
		       sizeof(((struct type *)0)->field) == (size), #type "." #field)
#define NUMBER(name, value) _Static_assert((name) == (value), #name)

SIZE(kchan_features, 40);
FIELD(kchan_features, size, 0, 4);
FIELD(kchan_features, abi_version, 4, 4);
FIELD(kchan_features, features, 8, 8);
FIELD(kchan_features, max_elem_size, 16, 4);
FIELD(kchan_features, max_capacity, 20, 4);
FIELD(kchan_features, max_user_objects, 24, 4);
FIELD(kchan_features, reserved, 28, 4);
FIELD(kchan_features, max_user_bytes, 32, 8);

SIZE(kchan_create_chan, 32);
FIELD(kchan_create_chan, size, 0, 4);
FIELD(kchan_create_chan, flags, 4, 4);
FIELD(kchan_create_chan, elem_size, 8, 4);
FIELD(kchan_create_chan, policy, 12, 4);
FIELD(kchan_create_chan, capacity, 16, 8);
FIELD(kchan_create_chan, handles, 24, 4);
FIELD(kchan_create_chan, depth, 28, 4);

SIZE(kchan_create, 32);
FIELD(kchan_create, size, 0, 4);
FIELD(kchan_create, flags, 4, 4);
FIELD(kchan_create, kind, 8, 4);
FIELD(kchan_create, parent, 12, 4);
FIELD(kchan_create, limit, 16, 8);
FIELD(kchan_create, deadline, 24, 8);

SIZE(kchan_msg, 40);
FIELD(kchan_msg, size, 0, 4);
FIELD(kchan_msg, flags, 4, 4);
FIELD(kchan_msg, buf, 8, 8);
FIELD(kchan_msg, len, 16, 4);
FIELD(kchan_msg, reserved, 20, 4);
FIELD(kchan_msg, deadline, 24, 8);
FIELD(kchan_msg, ancillary, 32, 8);

SIZE(kchan_ancillary, 32);
FIELD(kchan_ancillary, size, 0, 4);
FIELD(kchan_ancillary, flags, 4, 4);
FIELD(kchan_ancillary, handles, 8, 8);
FIELD(kchan_ancillary, nr, 16, 4);
FIELD(kchan_ancillary, pid, 20, 4);
FIELD(kchan_ancillary, uid, 24, 4);
FIELD(kchan_ancillary, gid, 28, 4);

SIZE(kchan_batch, 40);
FIELD(kchan_batch, size, 0, 4);
FIELD(kchan_batch, flags, 4, 4);
FIELD(kchan_batch, buf, 8, 8);
FIELD(kchan_batch, len, 16, 4);
FIELD(kchan_batch, reserved, 20, 4);
FIELD(kchan_batch, min, 24, 4);
FIELD(kchan_batch, max, 28, 4);
FIELD(kchan_batch, deadline, 32, 8);

SIZE(kchan_call, 48);
FIELD(kchan_call, size, 0, 4);
FIELD(kchan_call, flags, 4, 4);
FIELD(kchan_call, request, 8, 8);
FIELD(kchan_call, answer, 16, 8);
FIELD(kchan_call, request_len, 24, 4);
FIELD(kchan_call, answer_len, 28, 4);
FIELD(kchan_call, fd, 32, 4);
FIELD(kchan_call, sent, 36, 4);
FIELD(kchan_call, deadline, 40, 8);

SIZE(kchan_restrict, 16);
FIELD(kchan_restrict, size, 0, 4);
FIELD(kchan_restrict, flags, 4, 4);
FIELD(kchan_restrict, rights, 8, 4);
FIELD(kchan_restrict, reserved, 12, 4);

SIZE(kchan_wait, 40);
FIELD(kchan_wait, size, 0, 4);
FIELD(kchan_wait, flags, 4, 4);
FIELD(kchan_wait, op, 8, 4);
FIELD(kchan_wait, index, 12, 4);
FIELD(kchan_wait, arg, 16, 8);
FIELD(kchan_wait, deadline, 24, 8);
FIELD(kchan_wait, value, 32, 8);

SIZE(kchan_case, 32);
FIELD(kchan_case, fd, 0, 4);
FIELD(kchan_case, op, 4, 4);
FIELD(kchan_case, buf, 8, 8);
FIELD(kchan_case, len, 16, 4);
FIELD(kchan_case, index, 20, 4);
FIELD(kchan_case, arg, 24, 8);

SIZE(kchan_select, 40);
FIELD(kchan_select, size, 0, 4);
FIELD(kchan_select, flags, 4, 4);
FIELD(kchan_select, cases, 8, 8);
FIELD(kchan_select, nr, 16, 4);
FIELD(kchan_select, case_size, 20, 4);
FIELD(kchan_select, deadline, 24, 8);
FIELD(kchan_select, value, 32, 8);

SIZE(kchan_arg, 16);
FIELD(kchan_arg, size, 0, 4);
FIELD(kchan_arg, flags, 4, 4);
FIELD(kchan_arg, value, 8, 8);

SIZE(kchan_watch, 24);
FIELD(kchan_watch, size, 0, 4);
FIELD(kchan_watch, flags, 4, 4);
FIELD(kchan_watch, fd, 8, 4);
FIELD(kchan_watch, rights, 12, 4);
FIELD(kchan_watch, cookie, 16, 8);

SIZE(kchan_notice, 24);
FIELD(kchan_notice, cookie, 0, 8);
FIELD(kchan_notice, rights, 8, 4);
FIELD(kchan_notice, flags, 12, 4);
FIELD(kchan_notice, status, 16, 4);
FIELD(kchan_notice, reserved, 20, 4);

SIZE(kchan_timer, 24);
FIELD(kchan_timer, size, 0, 4);
FIELD(kchan_timer, flags, 4, 4);
FIELD(kchan_timer, deadline, 8, 8);
FIELD(kchan_timer, period, 16, 8);

SIZE(kchan_cell, 64);
FIELD(kchan_cell, value, 0, 8);
FIELD(kchan_cell, waiters, 8, 4);
FIELD(kchan_cell, reserved, 12, 52);

SIZE(kchan_stat, 80);
FIELD(kchan_stat, size, 0, 4);
FIELD(kchan_stat, kind, 4, 4);
FIELD(kchan_stat, id, 8, 8);
FIELD(kchan_stat, rights, 16, 4);
FIELD(kchan_stat, state, 20, 4);
FIELD(kchan_stat, elem_size, 24, 4);
FIELD(kchan_stat, policy, 28, 4);
FIELD(kchan_stat, capacity, 32, 8);
FIELD(kchan_stat, length, 40, 8);
FIELD(kchan_stat, waiting_senders, 48, 4);
FIELD(kchan_stat, waiting_receivers, 52, 4);
FIELD(kchan_stat, value, 56, 8);
FIELD(kchan_stat, dropped, 64, 8);
FIELD(kchan_stat, handles, 72, 4);
FIELD(kchan_stat, depth, 76, 4);

NUMBER(KCHAN_FEATURES, 0xc700);
NUMBER(KCHAN_CREATE_CHAN, 0xc701);
NUMBER(KCHAN_CREATE, 0xc702);
NUMBER(KCHAN_STAT, 0xc710);
NUMBER(KCHAN_RESTRICT, 0xc711);
NUMBER(KCHAN_SELECT, 0xc712);
NUMBER(KCHAN_WAIT, 0xc713);
NUMBER(KCHAN_WATCH, 0xc714);
NUMBER(KCHAN_SEND, 0xc720);
NUMBER(KCHAN_RECV, 0xc721);
NUMBER(KCHAN_CLOSE, 0xc722);
NUMBER(KCHAN_SEND_BATCH, 0xc723);
NUMBER(KCHAN_RECV_BATCH, 0xc724);
NUMBER(KCHAN_CALL, 0xc725);
NUMBER(KCHAN_CLOSE_WITH, 0xc726);
NUMBER(KCHAN_DONE, 0xc730);
NUMBER(KCHAN_TOKEN, 0xc731);
NUMBER(KCHAN_UNLOCK, 0xc732);
NUMBER(KCHAN_CONSISTENT, 0xc733);
NUMBER(KCHAN_SIGNAL, 0xc734);
NUMBER(KCHAN_CANCEL, 0xc735);
NUMBER(KCHAN_TIMER, 0xc736);

NUMBER(KCHAN_KIND_CHAN, 1);
NUMBER(KCHAN_KIND_WAITGROUP, 2);
NUMBER(KCHAN_KIND_SEMAPHORE, 3);
NUMBER(KCHAN_KIND_TOKEN, 4);
NUMBER(KCHAN_KIND_MUTEX, 5);
NUMBER(KCHAN_KIND_RWMUTEX, 6);
NUMBER(KCHAN_KIND_ONCE, 7);
NUMBER(KCHAN_KIND_COND, 8);
NUMBER(KCHAN_KIND_TIMER, 9);
NUMBER(KCHAN_KIND_CELLS, 10);
NUMBER(KCHAN_KIND_CANCEL, 11);
NUMBER(KCHAN_RIGHT_SEND, 1);
NUMBER(KCHAN_RIGHT_RECV, 2);
NUMBER(KCHAN_OP_SEND, 1);
NUMBER(KCHAN_OP_RECV, 2);
NUMBER(KCHAN_OP_ADD, 3);
NUMBER(KCHAN_OP_ZERO, 4);
NUMBER(KCHAN_OP_LOCK, 5);
NUMBER(KCHAN_OP_RLOCK, 6);
NUMBER(KCHAN_OP_TICK, 7);
NUMBER(KCHAN_OP_DIFFERS, 8);
NUMBER(KCHAN_OP_CANCELLED, 9);
NUMBER(KCHAN_OP_COND, 10);
NUMBER(KCHAN_NONBLOCK, 1);
NUMBER(KCHAN_DEADLINE, 2);
NUMBER(KCHAN_CLOCK_REALTIME, 4);
NUMBER(KCHAN_CLOCK_BOOTTIME, 8);
NUMBER(KCHAN_IN_ORDER, 16);
NUMBER(KCHAN_READY, 32);
NUMBER(KCHAN_CHILD, 64);
NUMBER(KCHAN_VECTOR, 128);
NUMBER(KCHAN_STAMPED, 256);
NUMBER(KCHAN_POLICY_BLOCK, 0);
NUMBER(KCHAN_POLICY_DROP_NEWEST, 1);
NUMBER(KCHAN_POLICY_DROP_OLDEST, 2);
NUMBER(KCHAN_POLICY_LATEST, 3);
NUMBER(KCHAN_OUTCOME_SHIFT, 16);
NUMBER(KCHAN_FEATURE_CHAN, 1);
NUMBER(KCHAN_FEATURE_SELECT, 2);
NUMBER(KCHAN_FEATURE_SYNC, 4);
NUMBER(KCHAN_FEATURE_POLICY, 8);
NUMBER(KCHAN_FEATURE_BATCH, 16);
NUMBER(KCHAN_FEATURE_CALL, 32);
NUMBER(KCHAN_FEATURE_CARGO, 64);
NUMBER(KCHAN_FEATURE_WATCH, 128);
NUMBER(KCHAN_STATE_CLOSED, 1);
NUMBER(KCHAN_STATE_NO_SENDERS, 2);
NUMBER(KCHAN_STATE_NO_RECEIVERS, 4);
NUMBER(KCHAN_STATE_LOCKED, 8);
NUMBER(KCHAN_STATE_OWNERDEAD, 16);
NUMBER(KCHAN_STATE_NOTRECOVERABLE, 32);
NUMBER(KCHAN_STATE_DONE, 64);
NUMBER(KCHAN_STATE_RUNNING, 128);
NUMBER(KCHAN_STATE_CANCELLED, 256);
NUMBER(KCHAN_STATE_STAMPED, 512);
NUMBER(KCHAN_NOTICE_EXIT, 1);
NUMBER(KCHAN_MAX_ERRNO, 4095);
