// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages on their way through a channel.
 *
 * What holds whenever the channel's lock is free:
 *
 *	a sender is parked	only while there is no room, no parked receiver,
 *				and somebody can receive
 *	a receiver is parked	only while there is no message, no parked sender,
 *				and either the channel has not ended or a message
 *				is still in another receiver's hand
 *
 * so nobody can barge past a waiter: where there are waiters, there is nothing
 * to take.  (Waits decided elsewhere may still stand in a queue; whoever meets
 * them passes over them.  And both sides may hold entries of one and the same
 * select, which never meet.)
 *
 * User memory is touched either with no lock held, where a fault may take as
 * long as it likes, or with faults off, where a fault means to let go of
 * everything, bring the page in, and start again.  What is parked is in the
 * kernel, so that nobody ever waits for another's pages: whoever parks has a
 * parcel, and then only that is filled or emptied.
 *
 * A message handed to a parked receiver is in that receiver's hand until it is
 * in user memory.  If it can't get there (no such memory, or the receiver is
 * being killed) it goes back to where it was.  So the channel isn't drained as
 * long as a message is in a hand; that is short, since nobody is waited for but
 * the kernel itself.
 */
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "cargo.h"
#include "chan.h"
#include "parcel.h"
#include "quota.h"
#include "uarg.h"

/*
 * What is tried at once, before there is an operation, is compiled apart from what
 * operations try: where nobody waits it has no waiter, parcel or cargo to look at.
 */

/*
 * Takes a message in, to where it can be handed on.  What has cargo is taken in from a
 * parcel only, which still owns the cargo then.
 */
static __always_inline int chan_load(struct kchan_chan *chan, void *slot, const void __user *msg,
				     struct kchan_parcel *parcel)
{
	if (parcel) {
		memcpy(slot, parcel->data, chan->slot_size);
		return 0;
	}
	return chan->cargo_at ? -EFAULT : kchan_load_nofault(slot, msg, chan->elem_size);
}

/* The cargo of a message that was loaded from there is somebody else's now. */
static void chan_loaded(struct kchan_parcel *parcel)
{
	if (parcel)
		parcel->cargo = NULL;
}

/* The message in a receiver's parcel, and its cargo, are in its hand now. */
static void chan_hand_over(struct kchan_chan *chan, struct kchan_op *receiver, u64 seq)
{
	receiver->parcel->cargo = kchan_chan_cargo(chan, receiver->parcel->data);
	receiver->parcel->seq = seq;
	receiver->in_hand = true;
	chan->in_hand++;
}

/*
 * Gives a message out: to user memory, or into the hand of one who may park.  What has
 * cargo goes into a hand only, which then owns the cargo.
 */
static __always_inline int chan_store(struct kchan_chan *chan, struct kchan_op *op,
				      void __user *msg, const void *slot)
{
	if (op && op->parcel) {
		memcpy(op->parcel->data, slot, chan->slot_size);
		chan_hand_over(chan, op, ++chan->last_seq);
		return 0;
	}
	return chan->cargo_at ? -EFAULT : kchan_store_nofault(msg, slot, chan->elem_size);
}

/* ---- send ---- */

static bool send_ready(struct kchan_op *op)
{
	struct kchan_chan *chan = kchan_chan_of(op->obj);

	return kchan_chan_broken(chan) || kchan_chan_has_room(chan) ||
	       kchan_chan_discards(chan) || kchan_first_other(&chan->receivers, op->entry.waiter);
}

/*
 * Meets the first parked receiver; -EAGAIN if there is none.  The message is in the kernel
 * once, in the receiver's parcel.
 */
static noinline int send_to_parked(struct kchan_chan *chan, const void __user *msg,
				   struct kchan_parcel *parcel, struct kchan_waiter *self,
				   struct kchan_change *change)
{
	struct kchan_entry *receiver;

	switch (kchan_hold_first(&chan->receivers, self, &receiver)) {
	case KCHAN_HELD:
		break;
	case KCHAN_SELF_CLAIMED:
		return KCHAN_DECIDED;
	default:
		return -EAGAIN;
	}
	if (unlikely(chan_load(chan, kchan_op_of(receiver)->parcel->data, msg, parcel))) {
		kchan_let_go(receiver, self);
		return -EFAULT;
	}
	kchan_claim(receiver, self, &change->wakes);
	chan_loaded(parcel);
	chan_hand_over(chan, kchan_op_of(receiver), ++chan->last_seq);
	receiver->result = 1;
	return 0;
}

/* Takes the message that is in the free slot in where there is no room, or not. */
static void chan_discard(struct kchan_chan *chan, struct kchan_op *op)
{
	u32 n = 1, i;

	chan->dropped++;
	if (chan->policy == KCHAN_POLICY_DROP_NEWEST)
		return;
	if (chan->policy == KCHAN_POLICY_LATEST) {
		n = chan->count;
		chan->dropped += n - 1 + chan->nr_returned;
		kchan_chan_clear_returned(chan, &op->spent);
	}
	for (i = 0; chan->cargo_at && i < n; i++)
		kchan_cargo_drop(kchan_chan_cargo(chan, kchan_chan_slot(chan, i)), chan->handles);
	/* The slot is known by its distance from the head. */
	chan->head = (chan->head + n) % chan->slots;
	chan->count -= n - 1;
	chan_loaded(op->parcel);
}

/* @op: NULL: there is none, and a send that discards goes on with one. */
static __always_inline int do_send(struct kchan_chan *chan, struct kchan_op *op,
				   const void __user *msg, struct kchan_waiter *self,
				   struct kchan_change *change)
{
	const bool may_discard = op && kchan_chan_discards(chan);
	struct kchan_parcel *parcel = op ? op->parcel : NULL;
	int ret;

	if (unlikely(kchan_chan_broken(chan)))
		return kchan_outcome(self, -EPIPE);
	if (chan->receivers.len) {
		ret = send_to_parked(chan, msg, parcel, self, change);
		if (ret != -EAGAIN)
			return ret;
	}
	if (!kchan_chan_has_room(chan) && !may_discard)
		return -EAGAIN;
	if (unlikely(chan_load(chan, kchan_chan_slot(chan, chan->count), msg, parcel)))
		return -EFAULT;

	/* From here on nothing can fail. */
	ret = kchan_outcome(self, 0);
	if (ret)
		return ret;
	if (!may_discard || kchan_chan_has_room(chan)) {
		chan->count++;
		chan_loaded(parcel);
	} else {
		chan_discard(chan, op);
	}
	change->poll |= KCHAN_POLL_IN;
	return 0;
}

static int send_attempt(struct kchan_op *op, struct kchan_waiter *self,
			struct kchan_change *change)
{
	return do_send(kchan_chan_of(op->obj), op, op->msg, self, change);
}

/* Room for a message in the kernel. */
static int get_parcel(struct kchan_chan *chan, struct kchan_op *op)
{
	if (op->own && !chan->cargo_at && chan->slot_size <= KCHAN_PARCEL_INLINE) {
		kchan_parcel_make(op->own, chan->slot_size);
		op->parcel = op->own;
		return 0;
	}
	op->parcel = kchan_chan_get_parcel(chan);
	return op->parcel ? 0 : -ENOMEM;
}

/* Takes in what travels with the message in the parcel. */
static int load_cargo(struct kchan_chan *chan, struct kchan_op *op)
{
	struct kchan_cargo *cargo = kchan_chan_cargo(chan, op->parcel->data);

	if (!cargo)
		return 0;
	memset(cargo, 0, chan->slot_size - chan->cargo_at);
	op->parcel->cargo = cargo;
	op->parcel->handles = chan->handles;
	if (chan->stamped)
		kchan_cargo_stamp(cargo);
	return kchan_cargo_load(cargo, op->handles, chan->handles, chan->depth);
}

static int send_prepare(struct kchan_op *op, struct kchan_numbers *numbers)
{
	struct kchan_chan *chan = kchan_chan_of(op->obj);

	if (op->parcel)
		return 0;
	if (get_parcel(chan, op))
		return -ENOMEM;
	if (copy_from_user(op->parcel->data, op->msg, chan->elem_size))
		return -EFAULT;
	return load_cargo(chan, op);
}

static struct kchan_queue *send_queue(struct kchan_op *op)
{
	return &kchan_chan_of(op->obj)->senders;
}

/* A waiter parked on a rendezvous is what the other side's pollers wait for. */
static void send_parked(struct kchan_op *op, struct kchan_change *change)
{
	if (!kchan_chan_of(op->obj)->capacity)
		change->poll |= KCHAN_POLL_IN;
}

static int send_touch(struct kchan_op *op, struct kchan_numbers *numbers)
{
	struct kchan_chan *chan = kchan_chan_of(op->obj);

	return chan->cargo_at ? send_prepare(op, numbers) :
				kchan_touch_source(op->msg, chan->elem_size);
}

static int send_finish(struct kchan_op *op, int outcome)
{
	if (outcome == -EPIPE)
		op->value = READ_ONCE(kchan_chan_of(op->obj)->cause);
	return outcome;
}

static void transfer_release(struct kchan_op *op)
{
	struct kchan_chan *chan = kchan_chan_of(op->obj);

	if (op->parcel && op->parcel != op->own)
		kchan_chan_put_parcel(chan, op->parcel);
	if (unlikely(!list_empty(&op->spent)))
		kchan_chan_put_parcels(chan, &op->spent);
	op->parcel = NULL;
}

static const struct kchan_op_type send_type = {
	.right = KCHAN_MODE_SEND,
	.ready = send_ready,
	.attempt = send_attempt,
	.prepare = send_prepare,
	.queue = send_queue,
	.parked = send_parked,
	.finish = send_finish,
	.touch = send_touch,
	.release = transfer_release,
};

/* ---- receive ---- */

static bool recv_ready(struct kchan_op *op)
{
	struct kchan_chan *chan = kchan_chan_of(op->obj);

	return chan->count || chan->nr_returned || kchan_chan_drained(chan) ||
	       kchan_first_other(&chan->senders, op->entry.waiter);
}

/* Moves the first parked sender's message into the room there is now. */
static void chan_refill(struct kchan_chan *chan, struct kchan_change *change)
{
	struct kchan_entry *sender = kchan_claim_first(&chan->senders, 0, &change->wakes);
	struct kchan_parcel *parcel;

	if (!sender)
		return;
	parcel = kchan_op_of(sender)->parcel;
	memcpy(kchan_chan_slot(chan, chan->count), parcel->data, chan->slot_size);
	chan_loaded(parcel);
	chan->count++;
	change->poll |= KCHAN_POLL_IN;
}

static int recv_returned(struct kchan_chan *chan, struct kchan_op *op,
			 struct kchan_waiter *self)
{
	struct kchan_parcel *parcel;

	parcel = list_first_entry(&chan->returned, struct kchan_parcel, node);
	if (self && !kchan_commit(self))
		return KCHAN_DECIDED;
	if (chan_store(chan, op, op->msg, parcel->data))
		return -EFAULT;
	chan_loaded(parcel);
	if (op->in_hand)
		op->parcel->seq = parcel->seq;
	list_move(&parcel->node, &op->spent);
	chan->nr_returned--;
	kchan_charge_more(chan->obj.user, -(s64)kchan_parcel_bytes(chan->slot_size));
	return 1;
}

static __always_inline int recv_buffered(struct kchan_chan *chan, struct kchan_op *op,
					 void __user *msg, struct kchan_waiter *self,
					 struct kchan_change *change)
{
	if (!kchan_commit(self))
		return KCHAN_DECIDED;
	if (unlikely(chan_store(chan, op, msg, kchan_chan_slot(chan, 0))))
		return -EFAULT;
	chan->head = chan->head + 1 == chan->slots ? 0 : chan->head + 1;
	chan->count--;
	change->poll |= KCHAN_POLL_OUT;
	if (chan->senders.len)
		chan_refill(chan, change);
	return 1;
}

/* Meets the first parked sender of a rendezvous; -EAGAIN if there is none. */
static __always_inline int recv_from_parked(struct kchan_chan *chan, struct kchan_op *op,
					    void __user *msg, struct kchan_waiter *self,
					    struct kchan_change *change)
{
	struct kchan_entry *sender;

	switch (kchan_hold_first(&chan->senders, self, &sender)) {
	case KCHAN_HELD:
		break;
	case KCHAN_SELF_CLAIMED:
		return KCHAN_DECIDED;
	default:
		return -EAGAIN;
	}
	if (chan_store(chan, op, msg, kchan_op_of(sender)->parcel->data)) {
		kchan_let_go(sender, self);
		return -EFAULT;
	}
	chan_loaded(kchan_op_of(sender)->parcel);
	kchan_claim(sender, self, &change->wakes);
	sender->result = 0;
	return 1;
}

/* @op: NULL: there is none, and a receive of what came back goes on with one. */
static __always_inline int do_recv(struct kchan_chan *chan, struct kchan_op *op,
				   void __user *msg, struct kchan_waiter *self,
				   struct kchan_change *change)
{
	int ret = -EAGAIN;

	if (unlikely(chan->nr_returned))
		return op ? recv_returned(chan, op, self) : -EFAULT;
	if (chan->count)
		return recv_buffered(chan, op, msg, self, change);
	if (chan->senders.len)
		ret = recv_from_parked(chan, op, msg, self, change);
	if (ret == -EAGAIN && kchan_chan_drained(chan))
		return kchan_outcome(self, 0);
	return ret;
}

static int recv_attempt(struct kchan_op *op, struct kchan_waiter *self,
			struct kchan_change *change)
{
	return do_recv(kchan_chan_of(op->obj), op, op->msg, self, change);
}

/* The same for what travels with a message: its file numbers are set aside now. */
static int touch_cargo(struct kchan_chan *chan, struct kchan_op *op,
		       struct kchan_numbers *numbers)
{
	if (!chan->cargo_at)
		return 0;
	op->numbers = numbers;
	if (kchan_touch_target(op->handles, chan->handles * sizeof(*op->handles)) ||
	    (op->ancillary && kchan_touch_target(op->ancillary, sizeof(*op->ancillary))))
		return -EFAULT;
	return kchan_numbers_reserve(numbers, chan->handles);
}

/*
 * A parcel of the receiver's own is where a message that it can't take goes back
 * in.  That should be rare, since it costs the message its order: so pages are
 * touched before.
 */
static int recv_get_parcel(struct kchan_op *op, struct kchan_numbers *numbers)
{
	struct kchan_chan *chan = kchan_chan_of(op->obj);
	int ret;

	if (op->parcel)
		return 0;
	if (kchan_touch_target(op->msg, chan->elem_size))
		return -EFAULT;
	ret = touch_cargo(chan, op, numbers);
	if (ret)
		return ret;
	if (get_parcel(chan, op))
		return -ENOMEM;
	op->parcel->handles = chan->handles;
	return 0;
}

/* To wait should not be a way to own more than allowed; to take what is there is none. */
static int recv_prepare(struct kchan_op *op, struct kchan_numbers *numbers)
{
	if (!op->parcel && kchan_is_over_quota(op->obj->user))
		return -EDQUOT;
	return recv_get_parcel(op, numbers);
}

static struct kchan_queue *recv_queue(struct kchan_op *op)
{
	return &kchan_chan_of(op->obj)->receivers;
}

static void recv_parked(struct kchan_op *op, struct kchan_change *change)
{
	if (!kchan_chan_of(op->obj)->capacity)
		change->poll |= KCHAN_POLL_OUT;
}

/*
 * Puts a message back to where it was: before all that have not left, in the
 * order in which they left.  Returns the parcel if that is not needed for it.
 */
static struct kchan_parcel *chan_put_back(struct kchan_chan *chan, struct kchan_parcel *parcel,
					  struct kchan_change *change)
{
	struct kchan_entry *receiver = kchan_claim_first(&chan->receivers, 1, &change->wakes);
	struct kchan_parcel *pos;

	if (receiver) {
		memcpy(kchan_op_of(receiver)->parcel->data, parcel->data, chan->slot_size);
		chan_hand_over(chan, kchan_op_of(receiver), parcel->seq);
		chan_loaded(parcel);
		return parcel;
	}
	list_for_each_entry_reverse(pos, &chan->returned, node) {
		if (pos->seq < parcel->seq)
			break;
	}
	list_add(&parcel->node, &pos->node);
	chan->nr_returned++;
	kchan_charge_more(chan->obj.user, kchan_parcel_bytes(chan->slot_size));
	/* Where the channel has ended but for this message in a hand, that is told now. */
	change->poll |= KCHAN_POLL_IN | (kchan_chan_drained(chan) ? KCHAN_POLL_HUP : 0);
	return NULL;
}

/* The message in the caller's hand has been taken, or goes back. */
static void chan_settle(struct kchan_chan *chan, struct kchan_op *op, bool taken)
{
	struct kchan_change change __uninitialized;

	kchan_lock(&chan->obj, &change);
	chan->in_hand--;
	if (taken)
		kchan_chan_end_receivers(chan, &change);
	else
		op->parcel = chan_put_back(chan, op->parcel, &change);
	kchan_unlock(&chan->obj, &change);
	op->in_hand = false;
}

/* Shows the message in the hand to the caller, and what comes with it. */
static int recv_show(struct kchan_chan *chan, struct kchan_op *op)
{
	struct kchan_parcel *parcel = op->parcel;

	if (kchan_store_soon(op->msg, parcel->data, chan->elem_size))
		return -EFAULT;
	if (!parcel->cargo)
		return 1;
	return kchan_cargo_show(parcel->cargo, chan->handles, op->ancillary, op->handles,
				op->numbers) ? -EFAULT : 1;
}

/* Takes the message from the hand; on failure it has gone back. */
static int recv_take(struct kchan_chan *chan, struct kchan_op *op)
{
	/* Whoever is killed would take it to the grave. */
	int ret = fatal_signal_pending(current) ? -EINTR : recv_show(chan, op);

	/* What goes back outlives the call. */
	if (ret != 1 && op->parcel == op->own)
		op->parcel = kchan_parcel_copy(op->own);
	chan_settle(chan, op, ret == 1);
	if (ret == 1 && op->parcel->cargo) {
		kchan_cargo_unload(op->parcel->cargo, chan->handles, op->numbers);
		chan_loaded(op->parcel);
	}
	return ret;
}

static int recv_finish(struct kchan_op *op, int outcome)
{
	struct kchan_chan *chan = kchan_chan_of(op->obj);

	if (op->in_hand)
		return recv_take(chan, op);
	if (outcome)
		return outcome;
	op->value = READ_ONCE(chan->cause);
	return clear_user(op->msg, chan->elem_size) ? -EFAULT : 0;
}

static int recv_touch(struct kchan_op *op, struct kchan_numbers *numbers)
{
	struct kchan_chan *chan = kchan_chan_of(op->obj);

	return chan->cargo_at ? recv_get_parcel(op, numbers) :
				kchan_touch_target(op->msg, chan->elem_size);
}

static const struct kchan_op_type recv_type = {
	.right = KCHAN_MODE_RECV,
	.ready = recv_ready,
	.attempt = recv_attempt,
	.prepare = recv_prepare,
	.queue = recv_queue,
	.parked = recv_parked,
	.finish = recv_finish,
	.touch = recv_touch,
	.release = transfer_release,
};

/* ---- both ---- */

static void transfer_init(struct kchan_op *op, struct kchan_chan *chan,
			  const struct kchan_op_type *type, void __user *msg)
{
	op->obj = &chan->obj;
	op->type = type;
	op->watch = false;
	op->in_hand = false;
	op->value = 0;
	op->msg = msg;
	op->parcel = NULL;
	op->own = NULL;
	INIT_LIST_HEAD(&op->spent);
	op->ancillary = NULL;
	op->handles = NULL;
}

/* Messages without cargo have nothing to tell, or to be told. */
static int read_ancillary(struct kchan_op *op, struct kchan_ancillary __user *from)
{
	struct kchan_chan *chan = kchan_chan_of(op->obj);
	struct kchan_ancillary args;
	int ret;

	if (!from)
		return chan->handles && op->type == &recv_type ? -EMSGSIZE : 0;
	if (!chan->cargo_at)
		return -EINVAL;
	ret = kchan_read_struct(&args, sizeof(args), from);
	if (ret)
		return ret;
	if (args.flags)
		return -EINVAL;
	op->ancillary = from;
	op->handles = u64_to_user_ptr(args.handles);
	return args.nr == chan->handles ? 0 : -EMSGSIZE;
}

/**
 * kchan_chan_begin() - prepare a send or receive
 * @op: to be filled in
 * @args: what to do
 *
 * Return: 0, -EINVAL, -EMSGSIZE, -EFAULT or -E2BIG
 */
int kchan_chan_begin(struct kchan_op *op, const struct kchan_case *args)
{
	struct kchan_chan *chan = kchan_chan_of(op->obj);

	if (args->index)
		return -EINVAL;
	if (args->op == KCHAN_OP_SEND)
		transfer_init(op, chan, &send_type, u64_to_user_ptr(args->buf));
	else if (args->op == KCHAN_OP_RECV)
		transfer_init(op, chan, &recv_type, u64_to_user_ptr(args->buf));
	else
		return -EINVAL;
	if (args->len != chan->elem_size)
		return -EMSGSIZE;
	return likely(!args->arg && !chan->cargo_at) ? 0 :
	       read_ancillary(op, u64_to_user_ptr(args->arg));
}

/* What could not be done at once. */
static noinline int transfer(struct kchan_chan *chan, const struct kchan_op_type *type,
			     void __user *msg, const struct kchan_deadline *deadline, bool tried)
{
	struct kchan_parcel parcel __uninitialized;
	struct kchan_op op __uninitialized;

	transfer_init(&op, chan, type, msg);
	op.own = &parcel;
	return kchan_op_do(&op, deadline, tried);
}

/**
 * kchan_chan_send() - send one message
 * @chan: through a handle that can send
 * @msg: elem_size bytes of user memory
 * @deadline: when to give up waiting; NULL: do not wait
 * @sync: the caller sleeps after that
 *
 * Return: 0, -EPIPE, -EAGAIN, -ETIMEDOUT, -ERESTARTSYS, -EFAULT or -ENOMEM
 */
int kchan_chan_send(struct kchan_chan *chan, const void __user *msg,
		    const struct kchan_deadline *deadline, bool sync)
{
	const bool discards = kchan_chan_discards(chan);
	struct kchan_change change __uninitialized;
	int ret;

	kchan_lock(&chan->obj, &change);
	change.sync = sync;
	ret = do_send(chan, NULL, msg, NULL, &change);
	kchan_unlock(&chan->obj, &change);
	if (ret == -EFAULT || (ret == -EAGAIN && (deadline || discards)))
		return transfer(chan, &send_type, (void __user *)msg, deadline,
				ret == -EAGAIN && !discards);
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
	struct kchan_change change __uninitialized;
	int ret;

	kchan_lock(&chan->obj, &change);
	ret = do_recv(chan, NULL, msg, NULL, &change);
	kchan_unlock(&chan->obj, &change);
	if (ret == -EFAULT || !ret || (ret == -EAGAIN && deadline))
		return transfer(chan, &recv_type, msg, deadline, ret == -EAGAIN);
	return ret;
}

/**
 * kchan_chan_send_run() - send messages that lie one behind the other, into room that does
 * @chan: locked
 * @msgs: the caller's
 * @n: how many, at most
 * @change: for kchan_unlock()
 *
 * Return: how many of them are sent.  None does not mean that none could be, but that the
 * first is to be sent alone: a receiver waits for it, or it carries more than bytes, or ...
 */
u32 kchan_chan_send_run(struct kchan_chan *chan, const void __user *msgs, u32 n,
			struct kchan_change *change)
{
	u32 at = chan->head + chan->count;

	if (chan->cargo_at || chan->receivers.len || kchan_chan_broken(chan))
		return 0;
	at -= at >= chan->slots ? chan->slots : 0;
	n = min3(n, chan->capacity - chan->count, chan->slots - at);
	if (!n || kchan_load_many(kchan_chan_slot(chan, chan->count), msgs, chan->elem_size, n))
		return 0;
	chan->count += n;
	change->poll |= KCHAN_POLL_IN;
	return n;
}

/**
 * kchan_chan_recv_run() - receive messages that lie one behind the other
 * @chan: locked
 * @msgs: where to, likewise
 * @n: how many, at most
 * @change: for kchan_unlock()
 *
 * Return: how many; none, as for kchan_chan_send_run()
 */
u32 kchan_chan_recv_run(struct kchan_chan *chan, void __user *msgs, u32 n,
			struct kchan_change *change)
{
	u32 i;

	if (chan->cargo_at || chan->nr_returned)
		return 0;
	n = min3(n, chan->count, chan->slots - chan->head);
	if (!n || kchan_store_many(msgs, kchan_chan_slot(chan, 0), chan->elem_size, n))
		return 0;
	chan->head += n;
	chan->head -= chan->head == chan->slots ? chan->slots : 0;
	chan->count -= n;
	change->poll |= KCHAN_POLL_OUT;
	for (i = 0; i < n && chan->senders.len; i++)
		chan_refill(chan, change);
	return n;
}

/**
 * kchan_chan_post() - send a notice, without waiting and without memory
 * @chan: of notices; held as by a handle that can send
 * @notice: what to send
 *
 * The current process sends it, which may be one that ends because there is no memory.
 * Where there is no room, or nobody to receive it, it counts as dropped.
 */
void kchan_chan_post(struct kchan_chan *chan, const struct kchan_notice *notice)
{
	u8 slot[sizeof(*notice) + KCHAN_MAX_CARGO] __aligned(8) __uninitialized;
	struct kchan_change change __uninitialized;
	struct kchan_parcel parcel __uninitialized;
	struct kchan_op op;
	int ret;

	transfer_init(&op, chan, &send_type, NULL);
	kchan_parcel_make(&parcel, chan->slot_size);
	parcel.data = memcpy(slot, notice, sizeof(*notice));
	op.own = &parcel;
	op.parcel = &parcel;
	/* Without handles it can't fail. */
	load_cargo(chan, &op);
	kchan_lock(&chan->obj, &change);
	/* Its handle may be gone by now, and receivers told of the end. */
	ret = kchan_chan_ended(chan) ? -EPIPE : send_attempt(&op, NULL, &change);
	chan->dropped += !!ret;
	kchan_unlock(&chan->obj, &change);
	if (parcel.cargo)
		kchan_cargo_drop(parcel.cargo, chan->handles);
	transfer_release(&op);
}

/**
 * kchan_chan_end_receivers() - tell parked receivers of the end, if this is it
 * @chan: the channel, locked
 * @change: for kchan_unlock()
 */
void kchan_chan_end_receivers(struct kchan_chan *chan, struct kchan_change *change)
{
	if (!kchan_chan_drained(chan))
		return;
	kchan_end_waits(&chan->receivers, 0, change);
	change->poll |= KCHAN_POLL_IN | KCHAN_POLL_HUP;
}

/**
 * kchan_chan_end_senders() - tell parked senders that there is nobody to send to
 * @chan: the channel, locked
 * @change: for kchan_unlock()
 */
void kchan_chan_end_senders(struct kchan_chan *chan, struct kchan_change *change)
{
	kchan_end_waits(&chan->senders, -EPIPE, change);
	change->poll |= KCHAN_POLL_OUT | EPOLLERR;
}
