// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels: how they are made, how they stand, how they end.
 */
#include <linux/align.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "cargo.h"
#include "chan.h"
#include "chan_file.h"
#include "parcel.h"
#include "quota.h"

/**
 * kchan_chan_close() - close the channel for all its handles
 * @chan: through a handle that can send
 * @cause: an errno; 0: none
 *
 * Return: 0, or -EALREADY
 */
int kchan_chan_close(struct kchan_chan *chan, u32 cause)
{
	struct kchan_change change;
	int ret = -EALREADY;

	kchan_lock(&chan->obj, &change);
	if (!chan->closed) {
		chan->closed = true;
		/* Whoever is told of another end reads it without the lock. */
		WRITE_ONCE(chan->cause, cause);
		kchan_chan_end_senders(chan, &change);
		kchan_chan_end_receivers(chan, &change);
		ret = 0;
	}
	kchan_unlock(&chan->obj, &change);
	return ret;
}

/**
 * kchan_chan_get_parcel() - room for a message of one who has to wait
 * @chan: the channel
 *
 * The first gets what the channel has for it; others pay for memory of their own.
 *
 * Return: for kchan_chan_put_parcel(); its data not initialised.  NULL: no memory
 */
struct kchan_parcel *kchan_chan_get_parcel(struct kchan_chan *chan)
{
	if (!READ_ONCE(chan->lent) && !xchg(&chan->lent, 1))
		return chan->kept;
	return kchan_parcel_alloc(chan->slot_size);
}

/**
 * kchan_chan_put_parcel() - give back a parcel, with what is in it
 * @chan: the channel
 * @parcel: of kchan_chan_get_parcel(), or a copy
 */
void kchan_chan_put_parcel(struct kchan_chan *chan, struct kchan_parcel *parcel)
{
	if (parcel != chan->kept) {
		kchan_parcel_free(parcel);
		return;
	}
	kchan_parcel_empty(parcel);
	/* Whoever gets it next finds it as we leave it. */
	smp_store_release(&chan->lent, 0);
}

/**
 * kchan_chan_put_parcels() - give back a list of parcels
 * @chan: the channel
 * @parcels: linked by their nodes; empty afterwards
 */
void kchan_chan_put_parcels(struct kchan_chan *chan, struct list_head *parcels)
{
	struct kchan_parcel *parcel, *next;

	list_for_each_entry_safe(parcel, next, parcels, node)
		kchan_chan_put_parcel(chan, parcel);
	INIT_LIST_HEAD(parcels);
}

/*
 * Nobody can receive what is in the channel, now or ever: nobody has it, or sends any
 * more.  What travels with it has somewhere else to be missed.
 */
static void chan_drop_messages(struct kchan_chan *chan)
{
	LIST_HEAD(parcels);
	u32 count, i;

	spin_lock(&chan->obj.lock);
	count = chan->count;
	chan->count = 0;
	kchan_chan_clear_returned(chan, &parcels);
	spin_unlock(&chan->obj.lock);

	kchan_chan_put_parcels(chan, &parcels);
	for (i = 0; chan->cargo_at && i < count; i++) {
		kchan_cargo_drop(kchan_chan_cargo(chan, kchan_chan_slot(chan, i)), chan->handles);
		cond_resched();
	}
}

static void chan_orphaned(struct kchan_object *obj)
{
	struct kchan_chan *chan = kchan_chan_of(obj);
	struct kchan_change change;
	bool unread;

	kchan_lock(obj, &change);
	unread = !obj->recv_handles;
	if (!obj->send_handles)
		kchan_chan_end_receivers(chan, &change);
	if (unread)
		kchan_chan_end_senders(chan, &change);
	kchan_unlock(obj, &change);
	if (unread)
		chan_drop_messages(chan);
}

static void chan_stat(struct kchan_object *obj, struct kchan_stat *stat)
{
	struct kchan_chan *chan = kchan_chan_of(obj);

	stat->elem_size = chan->elem_size;
	stat->capacity = chan->capacity;
	stat->state = (chan->closed ? KCHAN_STATE_CLOSED : 0) |
		      (chan->stamped ? KCHAN_STATE_STAMPED : 0);
	stat->policy = chan->policy;
	stat->dropped = chan->dropped;
	stat->handles = chan->handles;
	stat->depth = chan->depth;
	stat->value = chan->cause;
	/* What nobody can receive any more is on its way out. */
	stat->length = obj->recv_handles ? chan->count + chan->nr_returned : 0;
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
		kchan_charge_more(chan->obj.user, -(s64)kchan_parcel_bytes(chan->slot_size));
	list_splice_tail_init(&chan->returned, parcels);
	chan->nr_returned = 0;
}

/* Takes one that is half built, too.  Its messages went with its last receiver. */
static void chan_free(struct kchan_object *obj)
{
	struct kchan_chan *chan = kchan_chan_of(obj);

	kvfree(chan->ring);
	kchan_parcel_free(chan->kept);
}

static int chan_close_with(struct kchan_object *obj, s64 value)
{
	if (value < 1 || value > KCHAN_MAX_ERRNO)
		return -EINVAL;
	return kchan_chan_close(kchan_chan_of(obj), value);
}

static const struct kchan_action chan_actions[] = {
	{ KCHAN_CLOSE_WITH, KCHAN_MODE_SEND, chan_close_with },
	{}
};

struct kchan_kind kchan_chan_kind = {
	.name = "chan",
	.nr = KCHAN_KIND_CHAN,
	.size = sizeof(struct kchan_chan),
	.exclusive = true,
	.labels = { "elem-size", "capacity", "length", NULL, "dropped", "handles", "depth" },
	.actions = chan_actions,
	.fops = &kchan_chan_fops,
	.begin = kchan_chan_begin,
	.ready = chan_ready,
	.stat = chan_stat,
	.orphaned = chan_orphaned,
	.free = chan_free,
};

/* Where a message's cargo stands behind its bytes; 0: it has none. */
static u32 cargo_offset(const struct kchan_create_chan *args)
{
	if (!args->handles && !(args->flags & KCHAN_STAMPED))
		return 0;
	/* So not at 0, even where there are no bytes before it. */
	return ALIGN(max(args->elem_size, 1u), __alignof__(struct kchan_cargo));
}

static u32 slot_size(const struct kchan_create_chan *args)
{
	u32 cargo_at = cargo_offset(args);

	if (!cargo_at)
		return args->elem_size;
	return cargo_at + sizeof(struct kchan_cargo) + args->handles * sizeof(struct file *);
}

/**
 * kchan_chan_new() - make a channel, charged to the current user and memcg
 * @args: what it is to be; checked
 *
 * Return: the channel, as kchan_object_new(); -ENOMEM or -EDQUOT
 */
struct kchan_object *kchan_chan_new(const struct kchan_create_chan *args)
{
	u32 slots = args->capacity + (args->policy != KCHAN_POLICY_BLOCK);
	/* Where nothing is buffered, or messages have no bytes, there is no ring. */
	u64 ring_bytes = (u64)slots * slot_size(args);
	struct kchan_object *obj;
	struct kchan_chan *chan;

	if (args->capacity * slot_size(args) > KCHAN_MAX_BYTES)
		return ERR_PTR(-ENOMEM);
	obj = kchan_object_new(&kchan_chan_kind, ring_bytes + kchan_parcel_bytes(slot_size(args)));
	if (IS_ERR(obj))
		return obj;

	chan = kchan_chan_of(obj);
	chan->elem_size = args->elem_size;
	chan->capacity = args->capacity;
	chan->slots = slots;
	chan->policy = args->policy;
	chan->handles = args->handles;
	chan->depth = args->depth;
	chan->stamped = args->flags & KCHAN_STAMPED;
	chan->slot_size = slot_size(args);
	chan->cargo_at = cargo_offset(args);
	INIT_LIST_HEAD(&chan->returned);
	kchan_queue_init(&chan->senders);
	kchan_queue_init(&chan->receivers);
	chan->kept = kchan_parcel_alloc(chan->slot_size);
	if (ring_bytes)
		chan->ring = kvmalloc(ring_bytes, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!chan->kept || (ring_bytes && !chan->ring)) {
		kchan_object_put(obj);
		return ERR_PTR(-ENOMEM);
	}
	return obj;
}
