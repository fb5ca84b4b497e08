/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_OP_H
#define _KCHAN_OP_H

#include "object.h"
#include "wait.h"

/*
 * Operations that may wait: what they have in common, whether one is done alone
 * or several stand in a select.
 *
 * The first pass goes over the operations in turn, each under its object's lock,
 * and does the first that need not wait; so what is ready never pays for parking.
 * The second pass parks on every object, looking once more at each.  From its
 * first entry on the waiter can be claimed by others, so whatever it does itself
 * it has to claim itself for first, a parked peer in the same step.
 *
 * Who must not wait withdraws at once instead of sleeping.  Where its claim of
 * itself comes first, it stood in every queue at that instant, and whatever was
 * ready would have claimed it: that is the instant at which nothing was ready.
 */

struct kchan_numbers;
struct kchan_op;
struct kchan_parcel;

/* What ->attempt() says when the caller's wait has been decided by others. */
#define KCHAN_DECIDED	(-ECANCELED)

/**
 * struct kchan_change - what has to follow when an object's lock is released
 * @wakes: waits that were decided
 * @poll: what may have become ready
 * @many: more than one of those who poll exclusively may go on
 * @sync: whoever makes it is about to sleep
 */
struct kchan_change {
	struct list_head wakes;
	__poll_t poll;
	bool many;
	bool sync;
};

/**
 * struct kchan_op_type - a kind of operation; what it does not need is NULL
 * @right: what it takes
 * @ready: whether @attempt would not wait; locked.  NULL where an attempt takes
 *	nothing and so tells as much
 * @attempt: do it if that needs no waiting; locked.  Returns its outcome, -EAGAIN
 *	to wait, KCHAN_DECIDED, or -EFAULT where something is missing (unless
 *	@prepare was called).  Claims @self before any outcome
 * @prepare: get what parking needs, with file numbers in @numbers, which all share
 *	of whom only one is done; may sleep
 * @queue: where to park
 * @parked: it was parked; locked
 * @published: the first of all was parked; not locked.  An error ends the wait with
 *	it, unless that is decided
 * @left: it stood in its queue, was not done, and may have held others back; locked
 * @finish: the last of it, given its outcome; may sleep.  Returns the outcome, or
 *	-EFAULT, -EINTR or -EBADF when it was not done after all
 * @touch: bring in after -EFAULT what was missing, @numbers as for @prepare; 0 to
 *	try again
 * @release: free what @prepare and @attempt left
 */
struct kchan_op_type {
	fmode_t right;
	bool (*ready)(struct kchan_op *op);
	int (*attempt)(struct kchan_op *op, struct kchan_waiter *self,
		       struct kchan_change *change);
	int (*prepare)(struct kchan_op *op, struct kchan_numbers *numbers);
	struct kchan_queue *(*queue)(struct kchan_op *op);
	void (*parked)(struct kchan_op *op, struct kchan_change *change);
	int (*published)(struct kchan_op *op);
	void (*left)(struct kchan_op *op, struct kchan_change *change);
	int (*finish)(struct kchan_op *op, int outcome);
	int (*touch)(struct kchan_op *op, struct kchan_numbers *numbers);
	void (*release)(struct kchan_op *op);
};

/**
 * struct kchan_op - one operation of one caller
 * @entry: its place in a queue, while it is parked
 * @obj: what it is done on
 * @type: what is done
 * @watch: it is not to be done, only to become ready
 * @value: what it leaves, beside its outcome
 * @msg: send, receive: the caller's message
 * @parcel: send, receive: the message in the kernel, once it may be parked
 * @own: send, receive: a parcel on the caller's stack, for a small message; or NULL
 * @spent: send, receive: parcels to free
 * @ancillary: send, receive: where the caller tells of its cargo; or NULL
 * @handles: send, receive: the caller's file numbers; or NULL
 * @numbers: receive: set aside for what comes
 * @in_hand: receive: the message is in @parcel, and to be taken
 * @units: add: how many
 * @settings: tick: how often the timer had been set
 * @files: locks: the process
 * @shared: locks: others may close its file numbers
 * @turn: locks: how many were parked there before
 * @holder: read locks: to become what remembers it
 * @index: cells: which one
 * @counted: cells: the cell says that somebody waits
 * @expected: cells: what it is to differ from
 * @lock_fd: cond: what is to be given back
 * @lock: cond: its file
 */
struct kchan_op {
	struct kchan_entry entry;
	struct kchan_object *obj;
	const struct kchan_op_type *type;
	bool watch;
	bool in_hand;
	u64 value;
	union {
		struct {
			void __user *msg;
			struct kchan_parcel *parcel;
			struct kchan_parcel *own;
			struct list_head spent;
			struct kchan_ancillary __user *ancillary;
			s32 __user *handles;
			struct kchan_numbers *numbers;
		};
		u32 units;
		u32 settings;
		struct {
			fl_owner_t files;
			bool shared;
			u64 turn;
			struct kchan_holder *holder;
		};
		struct {
			u32 index;
			bool counted;
			u64 expected;
		};
		struct {
			u64 lock_fd;
			struct file *lock;
		};
	};
};

/**
 * struct kchan_ops - several operations, of which one is to be done
 * @op: the operations; put into the order in which they are tried
 * @nr: how many
 * @shuffle: that order is to be random
 * @tried: the first pass has been done
 * @prepared: any of them may have something to release
 * @deadline: when to give up waiting; NULL: do not wait
 * @numbers: file numbers set aside
 */
struct kchan_ops {
	struct kchan_op **op;
	unsigned int nr;
	bool shuffle;
	bool tried;
	bool prepared;
	const struct kchan_deadline *deadline;
	struct kchan_numbers *numbers;
};

void kchan_tell(struct kchan_object *obj, struct kchan_change *change)
	__releases(&obj->lock);
void kchan_end_waits(struct kchan_queue *queue, int result, struct kchan_change *change);

int kchan_op_begin(struct kchan_op *op, struct file *file, const struct kchan_case *args);
int kchan_op_do(struct kchan_op *op, const struct kchan_deadline *deadline, bool tried);
int kchan_ops_do(struct kchan_ops *ops, struct kchan_op **chosen);

/**
 * kchan_draw_next() - draw once more
 * @random: drawn before, at first from the kernel's own
 *
 * Return: a number good enough to choose fairly by its upper bits, for what the kernel's
 * would cost too much to ask for again
 */
static inline u32 kchan_draw_next(u32 random)
{
	return random * 747796405 + 2891336453U;
}

/**
 * kchan_op_of() - whose place in a queue it is
 * @entry: in a queue of an object, or out of one
 *
 * Return: the operation
 */
static inline struct kchan_op *kchan_op_of(struct kchan_entry *entry)
{
	return container_of(entry, struct kchan_op, entry);
}

/**
 * kchan_lock() - lock an object, to change it
 * @obj: the object; the caller holds a reference
 * @change: to be filled in by what changes
 */
static inline void kchan_lock(struct kchan_object *obj, struct kchan_change *change)
	__acquires(&obj->lock)
{
	INIT_LIST_HEAD(&change->wakes);
	change->poll = 0;
	change->many = false;
	change->sync = false;
	spin_lock(&obj->lock);
}

/**
 * kchan_unlock() - unlock an object, and tell whom its change concerns
 * @obj: the object; the caller holds a reference
 * @change: what changed
 */
static inline void kchan_unlock(struct kchan_object *obj, struct kchan_change *change)
	__releases(&obj->lock)
{
	if (unlikely(change->poll && kchan_object_is_watched(obj))) {
		kchan_tell(obj, change);
		return;
	}
	spin_unlock(&obj->lock);
	if (!list_empty(&change->wakes))
		kchan_wake(&change->wakes, change->sync);
}

/**
 * kchan_outcome() - decide the caller's own wait
 * @self: as for ->attempt()
 * @outcome: of what needs no peer
 *
 * Return: @outcome, and now it must be brought about; or KCHAN_DECIDED
 */
static inline int kchan_outcome(struct kchan_waiter *self, int outcome)
{
	return kchan_commit(self) ? outcome : KCHAN_DECIDED;
}

#endif /* _KCHAN_OP_H */
