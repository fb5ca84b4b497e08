// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels: how they are made, how they stand, how they end.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "chan.h"
#include "chan_file.h"
#include "parcel.h"
#include "quota.h"

/**
 * kchan_chan_close() - close the channel for all its handles
 * @chan: through a handle that can send
 *
 * Return: 0, or -EALREADY
 */
int kchan_chan_close(struct kchan_chan *chan)
{
	struct kchan_change change;
	int ret = -EALREADY;

	kchan_lock(&chan->obj, &change);
	if (!chan->closed) {
		chan->closed = true;
		kchan_chan_end_senders(chan, &change);
		kchan_chan_end_receivers(chan, &change);
		ret = 0;
	}
	kchan_unlock(&chan->obj, &change);
	return ret;
}

static void chan_orphaned(struct kchan_object *obj)
{
	struct kchan_chan *chan = kchan_chan_of(obj);
	struct kchan_change change;

	kchan_lock(obj, &change);
	if (!obj->send_handles)
		kchan_chan_end_receivers(chan, &change);
	if (!obj->recv_handles)
		kchan_chan_end_senders(chan, &change);
	kchan_unlock(obj, &change);
}

static void chan_stat(struct kchan_object *obj, struct kchan_stat *stat)
{
	struct kchan_chan *chan = kchan_chan_of(obj);

	stat->elem_size = chan->elem_size;
	stat->capacity = chan->capacity;
	stat->state = chan->closed ? KCHAN_STATE_CLOSED : 0;
	stat->policy = chan->policy;
	stat->dropped = chan->dropped;
	stat->length = chan->count + chan->nr_returned;
	stat->waiting_senders = chan->senders.len;
	stat->waiting_receivers = chan->receivers.len;
}

static __poll_t chan_ready(struct kchan_object *obj)
{
	struct kchan_chan *chan = kchan_chan_of(obj);
	__poll_t events = 0;

	if (kchan_chan_has_message(chan))
		events |= KCHAN_POLL_IN;
	if (kchan_chan_drained(chan))
		events |= KCHAN_POLL_IN | KCHAN_POLL_HUP;
	if (kchan_chan_has_room(chan) || chan->receivers.len || kchan_chan_discards(chan))
		events |= KCHAN_POLL_OUT;
	if (kchan_chan_broken(chan))
		events |= KCHAN_POLL_OUT | EPOLLERR;
	return events;
}

/**
 * kchan_chan_clear_returned() - take out all messages that came back
 * @chan: the channel, locked or nobody else's
 * @parcels: where to put them
 */
void kchan_chan_clear_returned(struct kchan_chan *chan, struct list_head *parcels)
{
	struct kchan_parcel *parcel;

	list_for_each_entry(parcel, &chan->returned, node)
		kchan_charge_more(chan->obj.user, -(s64)kchan_parcel_bytes(parcel));
	list_splice_tail_init(&chan->returned, parcels);
	chan->nr_returned = 0;
}

/* Takes one that is half built, too. */
static void chan_free(struct kchan_object *obj)
{
	struct kchan_chan *chan = kchan_chan_of(obj);
	LIST_HEAD(parcels);

	kchan_chan_clear_returned(chan, &parcels);
	kchan_parcels_free(&parcels);
	kvfree(chan->ring);
}

struct kchan_kind kchan_chan_kind = {
	.name = "chan",
	.nr = KCHAN_KIND_CHAN,
	.size = sizeof(struct kchan_chan),
	.exclusive = true,
	.labels = { "elem-size", "capacity", "length", NULL, "dropped" },
	.fops = &kchan_chan_fops,
	.begin = kchan_chan_begin,
	.ready = chan_ready,
	.stat = chan_stat,
	.orphaned = chan_orphaned,
	.free = chan_free,
};

/**
 * kchan_chan_new() - make a channel, charged to the current user and memcg
 * @elem_size: bytes in a message, at most KCHAN_MAX_ELEM_SIZE
 * @capacity: messages it buffers, at most KCHAN_MAX_CAPACITY
 * @policy: KCHAN_POLICY_*
 *
 * Return: the channel, as kchan_object_new(); -ENOMEM or -EDQUOT
 */
struct kchan_object *kchan_chan_new(u32 elem_size, u32 capacity, u32 policy)
{
	/* One slot more than the capacity; pure signals have no ring. */
	u64 ring_bytes = ((u64)capacity + 1) * elem_size;
	struct kchan_object *obj;
	struct kchan_chan *chan;

	if ((u64)capacity * elem_size > KCHAN_MAX_BYTES)
		return ERR_PTR(-ENOMEM);
	obj = kchan_object_new(&kchan_chan_kind, ring_bytes);
	if (IS_ERR(obj))
		return obj;

	chan = kchan_chan_of(obj);
	chan->elem_size = elem_size;
	chan->capacity = capacity;
	chan->policy = policy;
	INIT_LIST_HEAD(&chan->returned);
	kchan_queue_init(&chan->senders);
	kchan_queue_init(&chan->receivers);
	if (ring_bytes) {
		chan->ring = kvmalloc(ring_bytes, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (!chan->ring) {
			kchan_object_put(obj);
			return ERR_PTR(-ENOMEM);
		}
	}
	return obj;
}
