// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels: the state machine, and messages on their way through it.
 *
 * What holds whenever the lock is free:
 *
 *	a sender is parked	only while there is no room, no parked receiver,
 *				and somebody can receive
 *	a receiver is parked	only while there is no message, no parked sender,
 *				and either the channel has not ended or a message
 *				is still in another receiver's hand
 *
 * so nobody can barge past a waiter: where there are waiters, there is nothing
 * to take.  (Waits decided elsewhere may still stand in a queue; whoever meets
 * them passes over them.)
 *
 * User memory is touched either with no lock held, where a fault may take as
 * long as it likes, or with faults off, where a fault means to let go of
 * everything, bring the page in, and start again.  What is parked is in the
 * kernel, so that nobody ever waits for another's pages.
 *
 * A message handed to a parked receiver is in that receiver's hand until it is
 * in user memory.  If it can't get there (no such memory, or the receiver is
 * being killed) it goes back to where it was.  So the channel isn't drained as
 * long as a message is in a hand; that is short, since nobody is waited for but
 * the kernel itself.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "chan.h"
#include "parcel.h"
#include "uarg.h"

/**
 * struct chan_change - what has to follow when the lock has been released
 * @wakes: waits that were decided
 * @poll: what may have become ready
 * @spent: a parcel to free
 */
struct chan_change {
	struct list_head wakes;
	__poll_t poll;
	struct kchan_parcel *spent;
};

/**
 * struct chan_wait - a send or receive parked on its one channel
 * @waiter: the wait
 * @entry: its place in the queue
 * @parcel: the message to take from, or to put it in
 */
struct chan_wait {
	struct kchan_waiter waiter;
	struct kchan_entry entry;
	struct kchan_parcel *parcel;
};

#define CHAN_POLL_IN	(EPOLLIN | EPOLLRDNORM)
#define CHAN_POLL_OUT	(EPOLLOUT | EPOLLWRNORM)
#define CHAN_POLL_HUP	(EPOLLHUP | EPOLLRDHUP)

static struct kmem_cache *chan_cache;

static void chan_lock(struct kchan_chan *chan, struct chan_change *change)
	__acquires(&chan->obj.lock)
{
	INIT_LIST_HEAD(&change->wakes);
	change->poll = 0;
	change->spent = NULL;
	spin_lock(&chan->obj.lock);
}

/* The caller holds a reference: the pollers' queue is there after unlocking. */
static void chan_unlock(struct kchan_chan *chan, struct chan_change *change)
	__releases(&chan->obj.lock)
{
	bool poll = change->poll && kchan_object_has_pollers(&chan->obj);

	spin_unlock(&chan->obj.lock);

	if (!list_empty(&change->wakes))
		kchan_wake(&change->wakes);
	if (poll)
		kchan_object_wake_pollers(&chan->obj, change->poll);
	kchan_parcel_free(change->spent);
}

/* Nothing more will be sent: receivers see the end once it is drained. */
static bool chan_ended(const struct kchan_chan *chan)
{
	return chan->closed || !chan->send_handles;
}

/* Senders will see EPIPE. */
static bool chan_broken(const struct kchan_chan *chan)
{
	return chan->closed || !chan->recv_handles;
}

static bool chan_has_room(const struct kchan_chan *chan)
{
	return chan->count < chan->capacity;
}

/* The @n-th message of the ring; for n == count the free slot behind the last. */
static void *chan_slot(const struct kchan_chan *chan, u32 n)
{
	u32 slots = chan->capacity + 1;
	u32 slot = chan->head + n;

	if (slot >= slots)
		slot -= slots;
	return chan->ring + (size_t)slot * chan->elem_size;
}

static struct kchan_parcel *parked_parcel(struct kchan_entry *entry)
{
	return container_of(entry, struct chan_wait, entry)->parcel;
}

/* Takes a message in: from @parcel, or where that is NULL from user memory. */
static int chan_load(struct kchan_chan *chan, void *slot, const void __user *msg,
		     const struct kchan_parcel *parcel)
{
	if (!parcel)
		return kchan_load_nofault(slot, msg, chan->elem_size);
	memcpy(slot, parcel->data, chan->elem_size);
	return 0;
}

/* Gives a message out. */
static int chan_store(struct kchan_chan *chan, void __user *msg, const void *slot)
{
	return kchan_store_nofault(msg, slot, chan->elem_size);
}

/* Puts a message into the hand of the first parked receiver, if there is one. */
static bool chan_hand_over(struct kchan_chan *chan, const void *msg, u64 seq,
			   struct chan_change *change)
{
	struct kchan_entry *receiver = kchan_claim_first(&chan->receivers, &change->wakes);
	struct kchan_parcel *parcel;

	if (!receiver)
		return false;
	parcel = parked_parcel(receiver);
	memcpy(parcel->data, msg, chan->elem_size);
	parcel->seq = seq;
	receiver->result = 1;
	chan->in_hand++;
	return true;
}

/*
 * Sends, if that needs no waiting.  Returns 0; -EPIPE; -EAGAIN to wait; -EFAULT
 * where user memory needs faulting in.  All but 0 have changed nothing.
 */
static int chan_try_send(struct kchan_chan *chan, const void __user *msg,
			 const struct kchan_parcel *parcel, struct chan_change *change)
{
	void *slot = chan_slot(chan, chan->count);

	if (chan_broken(chan))
		return -EPIPE;
	if (!chan_has_room(chan) && !chan->receivers.len)
		return -EAGAIN;
	if (chan_load(chan, slot, msg, parcel))
		return -EFAULT;

	/* From here on nothing can fail. */
	if (chan->receivers.len && chan_hand_over(chan, slot, ++chan->last_seq, change))
		return 0;
	if (!chan_has_room(chan))
		return -EAGAIN;
	chan->count++;
	change->poll |= CHAN_POLL_IN;
	return 0;
}

/* Moves the first parked sender's message into the room there is now. */
static void chan_refill(struct kchan_chan *chan, struct chan_change *change)
{
	struct kchan_entry *sender = kchan_claim_first(&chan->senders, &change->wakes);

	if (!sender)
		return;
	memcpy(chan_slot(chan, chan->count), parked_parcel(sender)->data, chan->elem_size);
	chan->count++;
	change->poll |= CHAN_POLL_IN;
}

static int chan_recv_returned(struct kchan_chan *chan, void __user *msg,
			      struct chan_change *change)
{
	struct kchan_parcel *parcel;

	parcel = list_first_entry(&chan->returned, struct kchan_parcel, node);
	if (chan_store(chan, msg, parcel->data))
		return -EFAULT;
	list_del(&parcel->node);
	chan->nr_returned--;
	kchan_charge_more(chan->user, -(s64)kchan_parcel_bytes(parcel));
	change->spent = parcel;
	return 1;
}

static int chan_recv_buffered(struct kchan_chan *chan, void __user *msg,
			      struct chan_change *change)
{
	if (chan_store(chan, msg, chan_slot(chan, 0)))
		return -EFAULT;
	chan->head = chan->head == chan->capacity ? 0 : chan->head + 1;
	chan->count--;
	change->poll |= CHAN_POLL_OUT;
	if (chan->senders.len)
		chan_refill(chan, change);
	return 1;
}

/* Meets the first parked sender of a rendezvous. */
static int chan_recv_parked(struct kchan_chan *chan, void __user *msg,
			    struct chan_change *change)
{
	struct kchan_entry *sender;

	while (chan->senders.len) {
		sender = list_first_entry(&chan->senders.entries, struct kchan_entry, node);
		if (kchan_hold(sender, NULL) != KCHAN_HELD)
			continue;
		if (chan_store(chan, msg, parked_parcel(sender)->data)) {
			kchan_let_go(sender, NULL);
			return -EFAULT;
		}
		kchan_claim(sender, NULL, &change->wakes);
		return 1;
	}
	return -EAGAIN;
}

/*
 * Receives, if that needs no waiting.  Returns 1 for a message; 0 at the end;
 * -EAGAIN to wait; -EFAULT where user memory needs faulting in.  All but 1 have
 * changed nothing.
 */
static int chan_try_recv(struct kchan_chan *chan, void __user *msg, struct chan_change *change)
{
	int ret = -EAGAIN;

	if (chan->nr_returned)
		return chan_recv_returned(chan, msg, change);
	if (chan->count)
		return chan_recv_buffered(chan, msg, change);
	if (chan->senders.len)
		ret = chan_recv_parked(chan, msg, change);
	if (ret == -EAGAIN && chan_ended(chan) && !chan->in_hand)
		return 0;
	return ret;
}

/* Ends every wait in @queue with @result. */
static void chan_end_waits(struct kchan_queue *queue, int result, struct chan_change *change)
{
	struct kchan_entry *entry;

	while ((entry = kchan_claim_first(queue, &change->wakes)))
		entry->result = result;
}

/* Tells parked receivers of the end, if this is it. */
static void chan_end_receivers(struct kchan_chan *chan, struct chan_change *change)
{
	if (!chan_ended(chan) || chan->in_hand)
		return;
	chan_end_waits(&chan->receivers, 0, change);
	change->poll |= CHAN_POLL_IN | CHAN_POLL_HUP;
}

/* Tells parked senders that there is nobody to send to any more. */
static void chan_end_senders(struct kchan_chan *chan, struct chan_change *change)
{
	chan_end_waits(&chan->senders, -EPIPE, change);
	change->poll |= CHAN_POLL_OUT | EPOLLERR;
}

/*
 * Puts a message back to where it was: before all that have not left, in the
 * order in which they left.
 */
static void chan_put_back(struct kchan_chan *chan, struct kchan_parcel *parcel,
			  struct chan_change *change)
{
	struct kchan_parcel *pos;

	if (chan_hand_over(chan, parcel->data, parcel->seq, change)) {
		change->spent = parcel;
		return;
	}
	list_for_each_entry_reverse(pos, &chan->returned, node) {
		if (pos->seq < parcel->seq)
			break;
	}
	list_add(&parcel->node, &pos->node);
	chan->nr_returned++;
	kchan_charge_more(chan->user, kchan_parcel_bytes(parcel));
	change->poll |= CHAN_POLL_IN;
}

/* The message in the caller's hand has been taken, or (@parcel) goes back. */
static void chan_settle(struct kchan_chan *chan, struct kchan_parcel *parcel)
{
	struct chan_change change;

	chan_lock(chan, &change);
	chan->in_hand--;
	if (parcel)
		chan_put_back(chan, parcel, &change);
	else
		chan_end_receivers(chan, &change);
	chan_unlock(chan, &change);
}

static void chan_wait_init(struct chan_wait *wait, struct kchan_chan *chan,
			   struct kchan_queue *queue, struct kchan_parcel *parcel)
{
	kchan_waiter_init(&wait->waiter);
	kchan_entry_init(&wait->entry, &wait->waiter, &chan->obj, queue);
	wait->parcel = parcel;
}

/* A waiter parked on a rendezvous is what the other side's pollers wait for. */
static void chan_park(struct kchan_chan *chan, struct chan_wait *wait, __poll_t poll,
		      struct chan_change *change)
{
	kchan_enqueue(&wait->entry);
	if (!chan->capacity)
		change->poll |= poll;
}

static int chan_wait(struct chan_wait *wait, const struct kchan_deadline *deadline)
{
	int ret = kchan_wait(&wait->waiter, deadline);

	if (!ret)
		return wait->entry.result;
	kchan_leave(&wait->entry);
	return ret;
}

/* Sends what is in @parcel, which is in the kernel and so can be parked. */
static int chan_send_parcel(struct kchan_chan *chan, struct kchan_parcel *parcel,
			    const struct kchan_deadline *deadline)
{
	struct chan_change change;
	struct chan_wait wait;
	int ret;

	chan_wait_init(&wait, chan, &chan->senders, parcel);
	chan_lock(chan, &change);
	ret = chan_try_send(chan, NULL, parcel, &change);
	if (ret == -EAGAIN)
		chan_park(chan, &wait, CHAN_POLL_IN, &change);
	chan_unlock(chan, &change);

	return ret == -EAGAIN ? chan_wait(&wait, deadline) : ret;
}

static int chan_send_waiting(struct kchan_chan *chan, const void __user *msg,
			     const struct kchan_deadline *deadline)
{
	struct kchan_parcel *parcel = kchan_parcel_alloc(chan->elem_size);
	int ret;

	if (!parcel)
		return -ENOMEM;
	if (copy_from_user(parcel->data, msg, chan->elem_size))
		ret = -EFAULT;
	else
		ret = chan_send_parcel(chan, parcel, deadline);
	kchan_parcel_free(parcel);
	return ret;
}

/**
 * kchan_chan_send() - send one message
 * @chan: through a handle that can send
 * @msg: elem_size bytes of user memory
 * @deadline: when to give up waiting; NULL: do not wait
 *
 * Return: 0, -EPIPE, -EAGAIN, -ETIMEDOUT, -ERESTARTSYS, -EFAULT or -ENOMEM
 */
int kchan_chan_send(struct kchan_chan *chan, const void __user *msg,
		    const struct kchan_deadline *deadline)
{
	struct chan_change change;
	int attempt, ret;

	for (attempt = 0; attempt < KCHAN_ATTEMPTS; attempt++) {
		chan_lock(chan, &change);
		ret = chan_try_send(chan, msg, NULL, &change);
		chan_unlock(chan, &change);
		if (ret != -EFAULT || kchan_touch_source(msg, chan->elem_size))
			break;
	}
	if (ret == -EAGAIN && deadline)
		ret = chan_send_waiting(chan, msg, deadline);
	return ret;
}

/* Takes the message in @parcel from the hand; on failure it has gone back. */
static int chan_take(struct kchan_chan *chan, void __user *msg, struct kchan_parcel *parcel)
{
	/* Whoever is killed would take it to the grave. */
	if (fatal_signal_pending(current)) {
		chan_settle(chan, parcel);
		return -EINTR;
	}
	if (kchan_store_soon(msg, parcel->data, chan->elem_size)) {
		chan_settle(chan, parcel);
		return -EFAULT;
	}
	chan_settle(chan, NULL);
	kchan_parcel_free(parcel);
	return 1;
}

/* Receives, or parks with @parcel; returns as chan_try_recv() does. */
static int chan_recv_or_park(struct kchan_chan *chan, void __user *msg,
			     struct kchan_parcel *parcel, const struct kchan_deadline *deadline)
{
	struct chan_change change;
	struct chan_wait wait;
	int ret;

	chan_wait_init(&wait, chan, &chan->receivers, parcel);
	chan_lock(chan, &change);
	ret = chan_try_recv(chan, msg, &change);
	if (ret == -EAGAIN)
		chan_park(chan, &wait, CHAN_POLL_OUT, &change);
	chan_unlock(chan, &change);
	if (ret != -EAGAIN) {
		kchan_parcel_free(parcel);
		return ret;
	}

	ret = chan_wait(&wait, deadline);
	if (ret == 1)
		return chan_take(chan, msg, parcel);
	kchan_parcel_free(parcel);
	return ret;
}

/*
 * A parcel of the receiver's own is where a message that it can't take goes back
 * in.  That should be rare, since it costs the message its order: so pages are
 * touched before parking.  And it should not be a way to own more than allowed.
 */
static int chan_recv_waiting(struct kchan_chan *chan, void __user *msg,
			     const struct kchan_deadline *deadline)
{
	struct kchan_parcel *parcel;

	if (kchan_is_over_quota(chan->user))
		return -EDQUOT;
	if (kchan_touch_target(msg, chan->elem_size))
		return -EFAULT;
	parcel = kchan_parcel_alloc(chan->elem_size);
	if (!parcel)
		return -ENOMEM;
	return chan_recv_or_park(chan, msg, parcel, deadline);
}

/* One attempt; -EFAULT where user memory needs faulting in. */
static int chan_recv_once(struct kchan_chan *chan, void __user *msg,
			  const struct kchan_deadline *deadline)
{
	struct chan_change change;
	int ret;

	chan_lock(chan, &change);
	ret = chan_try_recv(chan, msg, &change);
	chan_unlock(chan, &change);
	if (ret == -EAGAIN && deadline)
		ret = chan_recv_waiting(chan, msg, deadline);
	return ret;
}

/**
 * kchan_chan_recv() - receive one message
 * @chan: through a handle that can receive
 * @msg: elem_size bytes of user memory, zeroed at the end
 * @deadline: when to give up waiting; NULL: do not wait
 *
 * Return: 1 for a message, 0 at the end, -EAGAIN, -ETIMEDOUT, -ERESTARTSYS,
 * -EFAULT, -ENOMEM or -EDQUOT
 */
int kchan_chan_recv(struct kchan_chan *chan, void __user *msg,
		    const struct kchan_deadline *deadline)
{
	int attempt, ret;

	for (attempt = 0; attempt < KCHAN_ATTEMPTS; attempt++) {
		ret = chan_recv_once(chan, msg, deadline);
		if (ret != -EFAULT || kchan_touch_target(msg, chan->elem_size))
			break;
	}
	if (!ret && clear_user(msg, chan->elem_size))
		return -EFAULT;
	return ret;
}

/**
 * kchan_chan_close() - close the channel for all its handles
 * @chan: through a handle that can send
 *
 * Return: 0, or -EALREADY
 */
int kchan_chan_close(struct kchan_chan *chan)
{
	struct chan_change change;
	int ret = -EALREADY;

	chan_lock(chan, &change);
	if (!chan->closed) {
		chan->closed = true;
		chan_end_senders(chan, &change);
		chan_end_receivers(chan, &change);
		ret = 0;
	}
	chan_unlock(chan, &change);
	return ret;
}

/**
 * kchan_chan_stat() - the state at one instant
 * @chan: the channel
 * @stat: filled in, but for the handle's rights
 */
void kchan_chan_stat(struct kchan_chan *chan, struct kchan_stat *stat)
{
	stat->kind = KCHAN_KIND_CHAN;
	stat->id = chan->obj.id;
	stat->elem_size = chan->elem_size;
	stat->capacity = chan->capacity;

	spin_lock(&chan->obj.lock);
	stat->state = (chan->closed ? KCHAN_STATE_CLOSED : 0) |
		      (chan->send_handles ? 0 : KCHAN_STATE_NO_SENDERS) |
		      (chan->recv_handles ? 0 : KCHAN_STATE_NO_RECEIVERS);
	stat->length = chan->count + chan->nr_returned;
	stat->waiting_senders = chan->senders.len;
	stat->waiting_receivers = chan->receivers.len;
	spin_unlock(&chan->obj.lock);
}

/**
 * kchan_chan_ready() - what poll(2) reports
 * @chan: the channel
 * @rights: the polled handle's
 *
 * Return: the events that hold now
 */
__poll_t kchan_chan_ready(struct kchan_chan *chan, fmode_t rights)
{
	__poll_t events = 0;

	spin_lock(&chan->obj.lock);
	if (rights & KCHAN_MODE_RECV) {
		if (chan->count || chan->nr_returned || chan->senders.len)
			events |= CHAN_POLL_IN;
		if (chan_ended(chan) && !chan->in_hand)
			events |= CHAN_POLL_IN | CHAN_POLL_HUP;
	}
	if (rights & KCHAN_MODE_SEND) {
		if (chan_has_room(chan) || chan->receivers.len || chan_broken(chan))
			events |= CHAN_POLL_OUT;
		if (chan_broken(chan))
			events |= EPOLLERR;
	}
	spin_unlock(&chan->obj.lock);
	return events;
}

/* One slot more than the capacity; a channel of pure signals has no ring. */
static u64 chan_ring_bytes(u32 elem_size, u32 capacity)
{
	return ((u64)capacity + 1) * elem_size;
}

static u64 chan_charge_bytes(const struct kchan_chan *chan)
{
	return sizeof(*chan) + chan_ring_bytes(chan->elem_size, chan->capacity);
}

/* Takes one that is half built, too. */
static void chan_free(struct kchan_chan *chan)
{
	struct kchan_parcel *parcel, *next;

	list_for_each_entry_safe(parcel, next, &chan->returned, node) {
		kchan_charge_more(chan->user, -(s64)kchan_parcel_bytes(parcel));
		kchan_parcel_free(parcel);
	}
	kvfree(chan->ring);
	if (!IS_ERR_OR_NULL(chan->user))
		kchan_uncharge(chan->user, chan_charge_bytes(chan));
	kmem_cache_free(chan_cache, chan);
}

/**
 * kchan_chan_new() - make a channel, charged to the current user and memcg
 * @elem_size: bytes in a message, at most KCHAN_MAX_ELEM_SIZE
 * @capacity: messages it buffers, at most KCHAN_MAX_CAPACITY
 *
 * It has no handle yet, and is the caller's to kchan_chan_put().
 *
 * Return: the channel; -ENOMEM or -EDQUOT
 */
struct kchan_chan *kchan_chan_new(u32 elem_size, u32 capacity)
{
	u64 ring_bytes = chan_ring_bytes(elem_size, capacity);
	struct kchan_chan *chan;
	int ret;

	if ((u64)capacity * elem_size > KCHAN_MAX_BYTES)
		return ERR_PTR(-ENOMEM);
	chan = kmem_cache_zalloc(chan_cache, GFP_KERNEL);
	if (!chan)
		return ERR_PTR(-ENOMEM);

	kchan_object_init(&chan->obj);
	chan->elem_size = elem_size;
	chan->capacity = capacity;
	INIT_LIST_HEAD(&chan->returned);
	kchan_queue_init(&chan->senders);
	kchan_queue_init(&chan->receivers);

	chan->user = kchan_charge(chan_charge_bytes(chan));
	ret = PTR_ERR_OR_ZERO(chan->user);
	if (!ret && ring_bytes) {
		chan->ring = kvmalloc(ring_bytes, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (!chan->ring)
			ret = -ENOMEM;
	}
	if (ret) {
		chan_free(chan);
		return ERR_PTR(ret);
	}
	return chan;
}

/**
 * kchan_chan_put() - let go of a channel that has no handle yet
 * @chan: from kchan_chan_new()
 */
void kchan_chan_put(struct kchan_chan *chan)
{
	if (refcount_dec_and_test(&chan->obj.refs))
		chan_free(chan);
}

/**
 * kchan_chan_get_handle() - count a new handle
 * @chan: new, or through a handle with at least these rights
 * @rights: of the new handle, at least one
 */
void kchan_chan_get_handle(struct kchan_chan *chan, fmode_t rights)
{
	refcount_inc(&chan->obj.refs);
	spin_lock(&chan->obj.lock);
	chan->send_handles += !!(rights & KCHAN_MODE_SEND);
	chan->recv_handles += !!(rights & KCHAN_MODE_RECV);
	spin_unlock(&chan->obj.lock);
}

/**
 * kchan_chan_put_handle() - count a handle gone
 * @chan: the channel, freed with its last handle
 * @rights: of the handle that is gone
 */
void kchan_chan_put_handle(struct kchan_chan *chan, fmode_t rights)
{
	struct chan_change change;

	chan_lock(chan, &change);
	if ((rights & KCHAN_MODE_SEND) && !--chan->send_handles)
		chan_end_receivers(chan, &change);
	if ((rights & KCHAN_MODE_RECV) && !--chan->recv_handles)
		chan_end_senders(chan, &change);
	chan_unlock(chan, &change);

	/* Last of all: pollers were woken above, while the channel was ours. */
	kchan_chan_put(chan);
}

/**
 * kchan_chan_init() - called once, before any channel is made
 *
 * Return: 0 or -ENOMEM
 */
int kchan_chan_init(void)
{
	chan_cache = KMEM_CACHE(kchan_chan, SLAB_ACCOUNT);
	return chan_cache ? 0 : -ENOMEM;
}

/**
 * kchan_chan_exit() - called once, after all channels are freed
 */
void kchan_chan_exit(void)
{
	kmem_cache_destroy(chan_cache);
}
