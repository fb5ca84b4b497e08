// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ABI of version 1 in numbers, each written out by hand: whoever changes one
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
FIELD(kchan_features, max_user_channels, 24, 4);
FIELD(kchan_features, reserved, 28, 4);
FIELD(kchan_features, max_user_bytes, 32, 8);

SIZE(kchan_create_chan, 24);
FIELD(kchan_create_chan, size, 0, 4);
FIELD(kchan_create_chan, flags, 4, 4);
FIELD(kchan_create_chan, elem_size, 8, 4);
FIELD(kchan_create_chan, reserved, 12, 4);
FIELD(kchan_create_chan, capacity, 16, 8);

SIZE(kchan_msg, 32);
FIELD(kchan_msg, size, 0, 4);
FIELD(kchan_msg, flags, 4, 4);
FIELD(kchan_msg, buf, 8, 8);
FIELD(kchan_msg, len, 16, 4);
FIELD(kchan_msg, reserved, 20, 4);
FIELD(kchan_msg, deadline, 24, 8);

SIZE(kchan_restrict, 16);
FIELD(kchan_restrict, size, 0, 4);
FIELD(kchan_restrict, flags, 4, 4);
FIELD(kchan_restrict, rights, 8, 4);
FIELD(kchan_restrict, reserved, 12, 4);

SIZE(kchan_stat, 56);
FIELD(kchan_stat, size, 0, 4);
FIELD(kchan_stat, kind, 4, 4);
FIELD(kchan_stat, id, 8, 8);
FIELD(kchan_stat, rights, 16, 4);
FIELD(kchan_stat, state, 20, 4);
FIELD(kchan_stat, elem_size, 24, 4);
FIELD(kchan_stat, reserved, 28, 4);
FIELD(kchan_stat, capacity, 32, 8);
FIELD(kchan_stat, length, 40, 8);
FIELD(kchan_stat, waiting_senders, 48, 4);
FIELD(kchan_stat, waiting_receivers, 52, 4);

NUMBER(KCHAN_FEATURES, 0xc700);
NUMBER(KCHAN_CREATE_CHAN, 0xc701);
NUMBER(KCHAN_STAT, 0xc710);
NUMBER(KCHAN_RESTRICT, 0xc711);
NUMBER(KCHAN_SEND, 0xc720);
NUMBER(KCHAN_RECV, 0xc721);
NUMBER(KCHAN_CLOSE, 0xc722);

NUMBER(KCHAN_KIND_CHAN, 1);
NUMBER(KCHAN_RIGHT_SEND, 1);
NUMBER(KCHAN_RIGHT_RECV, 2);
NUMBER(KCHAN_NONBLOCK, 1);
NUMBER(KCHAN_DEADLINE, 2);
NUMBER(KCHAN_CLOCK_REALTIME, 4);
NUMBER(KCHAN_CLOCK_BOOTTIME, 8);
NUMBER(KCHAN_FEATURE_CHAN, 1);
NUMBER(KCHAN_STATE_CLOSED, 1);
NUMBER(KCHAN_STATE_NO_SENDERS, 2);
NUMBER(KCHAN_STATE_NO_RECEIVERS, 4);
