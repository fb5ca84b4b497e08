// SPDX-License-Identifier: GPL-2.0-only
/*
 * The wait core; its rules stand in wait.h.
 */
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "wait.h"

/**
 * kchan_waiter_init() - begin a wait of the current task
 * @waiter: on the caller's stack
 */
void kchan_waiter_init(struct kchan_waiter *waiter)
{
	spin_lock_init(&waiter->lock);
	waiter->claimed = false;
	waiter->done = false;
	waiter->won = NULL;
	waiter->task = current;
}

/**
 * kchan_entry_init() - prepare a place in a queue, not yet taken
 * @entry: on the caller's stack or heap
 * @waiter: whose it is
 * @obj: the object to wait on
 * @queue: the queue of @obj to stand in
 */
void kchan_entry_init(struct kchan_entry *entry, struct kchan_waiter *waiter,
		      struct kchan_object *obj, struct kchan_queue *queue)
{
	INIT_LIST_HEAD(&entry->node);
	entry->waiter = waiter;
	entry->obj = obj;
	entry->queue = queue;
	entry->result = 0;
}

/**
 * kchan_enqueue() - take the last place in the entry's queue
 * @entry: prepared with kchan_entry_init(); its object is locked
 */
void kchan_enqueue(struct kchan_entry *entry)
{
	lockdep_assert_held(&entry->obj->lock);
	list_add_tail(&entry->node, &entry->queue->entries);
	entry->queue->len++;
}

static void kchan_dequeue(struct kchan_entry *entry)
{
	lockdep_assert_held(&entry->obj->lock);
	list_del_init(&entry->node);
	entry->queue->len--;
}

/**
 * kchan_leave() - give up a place in a queue
 * @entry: one that was not won; its object is locked
 *
 * Whoever found the entry in the queue is through with it when this returns.
 * Those it held back have to be looked after now, even if somebody found it stale
 * and took it out before: that one did not.
 */
void kchan_leave(struct kchan_entry *entry)
{
	lockdep_assert_held(&entry->obj->lock);
	if (!list_empty(&entry->node))
		kchan_dequeue(entry);
}

/* Locks @peer, and @self where there is one; two at once go by address. */
static void kchan_lock_waiters(struct kchan_waiter *peer, struct kchan_waiter *self)
	__acquires(&peer->lock)
{
	if (!self) {
		spin_lock(&peer->lock);
		return;
	}
	spin_lock(&min(peer, self)->lock);
	spin_lock_nested(&max(peer, self)->lock, SINGLE_DEPTH_NESTING);
	__release(&self->lock);	/* sparse counts the pair as one */
}

static void kchan_unlock_waiters(struct kchan_waiter *peer, struct kchan_waiter *self)
	__releases(&peer->lock)
{
	spin_unlock(&peer->lock);
	if (self) {
		__acquire(&self->lock);
		spin_unlock(&self->lock);
	}
}

/**
 * kchan_hold() - keep a parked wait from being decided elsewhere
 * @entry: the place to claim the peer for; its object is locked
 * @self: the caller's waiter where that is parked on other objects already, to
 *	be claimed in the same step; NULL where it is parked nowhere
 *
 * While it holds, the caller may still find that it can't go on, and must not
 * sleep.  An entry found stale has lost its place in the queue if its wait is
 * over.
 *
 * Return: KCHAN_HELD, to be followed by kchan_claim() or kchan_let_go(); else
 * nothing is held
 */
enum kchan_hold kchan_hold(struct kchan_entry *entry, struct kchan_waiter *self)
{
	struct kchan_waiter *peer = entry->waiter;
	enum kchan_hold ret = KCHAN_HELD;

	/* The two ends of one select on one channel never meet. */
	if (peer == self)
		return KCHAN_STALE;

	kchan_lock_waiters(peer, self);
	if (self && self->claimed)
		ret = KCHAN_SELF_CLAIMED;
	else if (peer->claimed)
		ret = KCHAN_STALE;
	if (ret == KCHAN_HELD) {
		__release(&peer->lock);	/* for sparse; in truth it is held */
		return ret;
	}
	kchan_unlock_waiters(peer, self);

	/*
	 * A lost entry leaves the queue here, so that the next claimer need not
	 * look at it again.  Its memory is safe until its owner has had this
	 * object's lock (kchan_leave()).
	 */
	if (ret == KCHAN_STALE)
		kchan_dequeue(entry);
	return ret;
}

/**
 * kchan_let_go() - leave a held wait as it was
 * @entry: as for kchan_hold()
 * @self: likewise
 */
void kchan_let_go(struct kchan_entry *entry, struct kchan_waiter *self)
{
	__acquire(&entry->waiter->lock);
	kchan_unlock_waiters(entry->waiter, self);
}

/**
 * kchan_claim() - decide a held wait, and the caller's own with it
 * @entry: as for kchan_hold(); leaves its queue
 * @self: likewise
 * @wakes: where to put the entry, for kchan_wake()
 *
 * A caller whose @self is claimed by this has its own outcome decided: it is
 * not woken, and finds @self->won NULL.
 */
void kchan_claim(struct kchan_entry *entry, struct kchan_waiter *self, struct list_head *wakes)
{
	__acquire(&entry->waiter->lock);
	entry->waiter->claimed = true;
	entry->waiter->won = entry;
	if (self)
		self->claimed = true;
	kchan_unlock_waiters(entry->waiter, self);

	kchan_dequeue(entry);
	list_add_tail(&entry->node, wakes);
}

/**
 * kchan_commit_parked() - kchan_commit() where there is a waiter
 * @self: the caller's
 *
 * Return: true if nobody came first: the caller now goes through with it
 */
bool kchan_commit_parked(struct kchan_waiter *self)
{
	bool first;

	spin_lock(&self->lock);
	first = !self->claimed;
	self->claimed = true;
	spin_unlock(&self->lock);
	return first;
}

/**
 * kchan_hold_first() - hold the first wait in a queue that is still undecided
 * @queue: of a locked object
 * @self: as for kchan_hold(); its own entries are passed over
 * @entry: set to what is held
 *
 * Return: as kchan_hold(); KCHAN_STALE when there is nobody
 */
enum kchan_hold kchan_hold_first(struct kchan_queue *queue, struct kchan_waiter *self,
				 struct kchan_entry **entry)
{
	enum kchan_hold ret = KCHAN_STALE;
	struct kchan_entry *pos, *next;

	list_for_each_entry_safe(pos, next, &queue->entries, node) {
		ret = kchan_hold(pos, self);
		if (ret != KCHAN_STALE) {
			*entry = pos;
			break;
		}
	}
	return ret;
}

/**
 * kchan_claim_entry() - claim a parked wait, if it is still undecided
 * @entry: in a queue of a locked object, which it leaves in any case
 * @result: of that wait
 * @wakes: where to put it, for kchan_wake()
 *
 * The caller is parked nowhere, or has been decided.
 *
 * Return: true if it was claimed
 */
bool kchan_claim_entry(struct kchan_entry *entry, int result, struct list_head *wakes)
{
	if (kchan_hold(entry, NULL) != KCHAN_HELD)
		return false;
	kchan_claim(entry, NULL, wakes);
	entry->result = result;
	return true;
}

/**
 * kchan_claim_first() - claim the first parked wait that is still undecided
 * @queue: of a locked object
 * @result: of that wait
 * @wakes: where to put the claimed entry, for kchan_wake()
 *
 * The caller is parked nowhere, or has been decided.
 *
 * Return: the entry, whose data the caller now sets; or NULL
 */
struct kchan_entry *kchan_claim_first(struct kchan_queue *queue, int result,
				      struct list_head *wakes)
{
	struct kchan_entry *entry, *next;

	list_for_each_entry_safe(entry, next, &queue->entries, node) {
		if (kchan_claim_entry(entry, result, wakes))
			return entry;
	}
	return NULL;
}

/**
 * kchan_first_other() - who is to be served before the caller
 * @queue: of a locked object
 * @self: the caller's waiter, or NULL; its own entries are passed over
 *
 * Return: the first undecided entry of somebody else; or NULL
 */
struct kchan_entry *kchan_first_other(struct kchan_queue *queue, struct kchan_waiter *self)
{
	struct kchan_entry *entry, *next;

	list_for_each_entry_safe(entry, next, &queue->entries, node) {
		if (entry->waiter == self || kchan_hold(entry, NULL) != KCHAN_HELD)
			continue;
		kchan_let_go(entry, NULL);
		return entry;
	}
	return NULL;
}

/* A hint that the caller's processor will be free in a moment, which only these take. */
static void wake_sync(struct task_struct *task)
{
	DECLARE_WAIT_QUEUE_HEAD_ONSTACK(head);
	struct wait_queue_entry entry;

	init_waitqueue_entry(&entry, task);
	__add_wait_queue(&head, &entry);
	__wake_up_sync_key(&head, TASK_NORMAL, NULL);
}

/**
 * kchan_wake() - tell the claimed that their waits are over
 * @wakes: the claimed entries; no lock is held.  Empty afterwards
 * @sync: the caller is about to sleep
 */
void kchan_wake(struct list_head *wakes, bool sync)
{
	struct kchan_entry *entry, *next;
	struct task_struct *task;

	/*
	 * ->done ends the claimer's right to the entry: its owner may return and
	 * reuse that memory at once, and may even exit.  The task is known
	 * before, and RCU keeps it: it was alive inside this read side.  A
	 * wake-up that comes late finds it running or asleep elsewhere, where
	 * waits look at their conditions again.
	 */
	rcu_read_lock();
	list_for_each_entry_safe(entry, next, wakes, node) {
		task = entry->waiter->task;
		/* Pairs with the acquire in kchan_done(). */
		smp_store_release(&entry->waiter->done, true);
		if (sync)
			wake_sync(task);
		else
			wake_up_process(task);
	}
	rcu_read_unlock();
	INIT_LIST_HEAD(wakes);
}

static bool kchan_done(struct kchan_waiter *waiter)
{
	/* Pairs with the release in kchan_wake(): result and data are there. */
	return smp_load_acquire(&waiter->done);
}

/*
 * Sleeps until claimed, a signal, or the deadline.  No lock is taken after the
 * task's state is set: on PREEMPT_RT a lock sleeps, and that state is lost.
 */
static int kchan_sleep(struct kchan_waiter *waiter, const struct kchan_deadline *deadline)
{
	ktime_t time = deadline->time;
	int ret = 0;

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kchan_done(waiter))
			break;
		if (signal_pending(current)) {
			ret = -ERESTARTSYS;
			break;
		}
		if (time == KTIME_MAX) {
			schedule();
		} else if (!schedule_hrtimeout_range_clock(&time, current->timer_slack_ns,
							   HRTIMER_MODE_ABS, deadline->clock)) {
			ret = -ETIMEDOUT;
			break;
		}
	}
	__set_current_state(TASK_RUNNING);
	return ret;
}

/**
 * kchan_give_up() - end a wait before it is decided
 * @waiter: whose entries are enqueued; no lock is held
 * @why: a negative errno
 *
 * Return: @why, and nobody will claim it any more; 0 if somebody came first: then
 * @waiter->won tells for what
 */
int kchan_give_up(struct kchan_waiter *waiter, int why)
{
	if (kchan_commit(waiter))
		return why;

	/* Claimed while giving up: that came first.  The claimer is on its way. */
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (kchan_done(waiter))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/**
 * kchan_wait() - sleep until the wait is decided
 * @waiter: whose entries are enqueued; no lock is held
 * @deadline: when to give up
 *
 * However it ends, kchan_leave() has to be called for each entry but
 * @waiter->won before their memory goes away.
 *
 * Return: 0 when claimed, and @waiter->won tells for what; -ETIMEDOUT or
 * -ERESTARTSYS when not, and nobody will claim it any more
 */
int kchan_wait(struct kchan_waiter *waiter, const struct kchan_deadline *deadline)
{
	int ret = kchan_sleep(waiter, deadline);

	return ret ? kchan_give_up(waiter, ret) : 0;
}
