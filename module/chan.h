/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_CHAN_H
#define _KCHAN_CHAN_H

#include <linux/list.h>
#include <linux/types.h>

#include "object.h"
#include "op.h"
#include "wait.h"

struct kchan_parcel;

/**
 * struct kchan_chan - a channel
 * @obj: what every object has; its lock guards all below that is not constant
 * @elem_size: bytes in a message; constant
 * @capacity: messages buffered at most; constant
 * @policy: what a send does that finds no room; constant
 * @handles: in a message; constant
 * @depth: how deep channels may lie in its messages; constant
 * @stamped: messages tell who sent them; constant
 * @slot_size: bytes of a message, with its cargo behind; constant
 * @cargo_at: where in a slot that is; 0: there is none; constant
 * @slots: in @ring: @capacity, and where sends may discard another, which is always
 *	free: a message on its way in is put there before anything is decided; constant
 * @ring: the messages that wait, one behind the other
 * @kept: a parcel for one who has to wait; constant
 * @lent: somebody has it
 * @head: slot of the oldest message
 * @count: messages in @ring
 * @returned: messages that left and came back, older than those in @ring
 * @nr_returned: how many
 * @in_hand: messages handed to receivers who have yet to take them
 * @last_seq: the number of the last message handed over
 * @dropped: messages discarded by @policy
 * @senders: parked senders; none while there is room
 * @receivers: parked receivers; none while there is a message
 * @closed: KCHAN_CLOSE was called
 * @cause: why
 */
struct kchan_chan {
	struct kchan_object obj;
	u32 elem_size;
	u32 capacity;
	u32 policy;
	u32 handles;
	u32 depth;
	bool stamped;
	u32 slot_size;
	u32 cargo_at;
	u32 slots;
	void *ring;
	struct kchan_parcel *kept;
	u32 lent;
	u32 head;
	u32 count;
	struct list_head returned;
	u32 nr_returned;
	u32 in_hand;
	u64 last_seq;
	u64 dropped;
	struct kchan_queue senders;
	struct kchan_queue receivers;
	bool closed;
	u32 cause;
};

extern struct kchan_kind kchan_chan_kind;

struct kchan_object *kchan_chan_new(const struct kchan_create_chan *args);
int kchan_chan_close(struct kchan_chan *chan, u32 cause);
struct kchan_parcel *kchan_chan_get_parcel(struct kchan_chan *chan);
void kchan_chan_put_parcel(struct kchan_chan *chan, struct kchan_parcel *parcel);
void kchan_chan_put_parcels(struct kchan_chan *chan, struct list_head *parcels);
void kchan_chan_clear_returned(struct kchan_chan *chan, struct list_head *parcels);

/* transfer.c */
int kchan_chan_begin(struct kchan_op *op, const struct kchan_case *args);
int kchan_chan_send(struct kchan_chan *chan, const void __user *msg,
		    const struct kchan_deadline *deadline, bool sync);
int kchan_chan_recv(struct kchan_chan *chan, void __user *msg,
		    const struct kchan_deadline *deadline);
u32 kchan_chan_send_run(struct kchan_chan *chan, const void __user *msgs, u32 n,
			struct kchan_change *change);
u32 kchan_chan_recv_run(struct kchan_chan *chan, void __user *msgs, u32 n,
			struct kchan_change *change);
void kchan_chan_post(struct kchan_chan *chan, const struct kchan_notice *notice);
void kchan_chan_end_receivers(struct kchan_chan *chan, struct kchan_change *change);
void kchan_chan_end_senders(struct kchan_chan *chan, struct kchan_change *change);

static inline struct kchan_chan *kchan_chan_of(struct kchan_object *obj)
{
	return container_of(obj, struct kchan_chan, obj);
}

/* The @n-th message of the ring; for n == count the free slot behind the last, if any. */
static inline void *kchan_chan_slot(const struct kchan_chan *chan, u32 n)
{
	u32 slot = chan->head + n;

	if (slot >= chan->slots)
		slot -= chan->slots;
	return chan->ring + (size_t)slot * chan->slot_size;
}

/* What travels with the message that stands there; NULL: nothing. */
static inline struct kchan_cargo *kchan_chan_cargo(const struct kchan_chan *chan, void *msg)
{
	return chan->cargo_at ? msg + chan->cargo_at : NULL;
}

/* Nothing more will be sent: receivers see the end once it is drained. */
static inline bool kchan_chan_ended(const struct kchan_chan *chan)
{
	return chan->closed || !chan->obj.send_handles;
}

/* There is nothing to receive, and won't be. */
static inline bool kchan_chan_drained(const struct kchan_chan *chan)
{
	return kchan_chan_ended(chan) && !chan->in_hand;
}

/* Senders will see EPIPE. */
static inline bool kchan_chan_broken(const struct kchan_chan *chan)
{
	return chan->closed || !chan->obj.recv_handles;
}

static inline bool kchan_chan_has_room(const struct kchan_chan *chan)
{
	return chan->count < chan->capacity;
}

/* A send never waits. */
static inline bool kchan_chan_discards(const struct kchan_chan *chan)
{
	return chan->policy != KCHAN_POLICY_BLOCK;
}

/* A receive would not wait. */
static inline bool kchan_chan_has_message(const struct kchan_chan *chan)
{
	return chan->count | chan->nr_returned | chan->senders.len;
}

/* A receive would not wait, or only for what others have in their hands. */
static inline bool kchan_chan_may_recv(const struct kchan_chan *chan)
{
	return kchan_chan_has_message(chan) || kchan_chan_ended(chan);
}

/* A send would not wait. */
static inline bool kchan_chan_may_send(const struct kchan_chan *chan)
{
	return kchan_chan_has_room(chan) || chan->receivers.len || kchan_chan_discards(chan) ||
	       kchan_chan_broken(chan);
}

#endif /* _KCHAN_CHAN_H */
