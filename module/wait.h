/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_WAIT_H
#define _KCHAN_WAIT_H

#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "object.h"

/*
 * The wait core: the one place that owns sleeping, and knows no object's rules.
 *
 * A wait is a waiter with one entry for each object it waits on.  Objects keep
 * FIFO queues of entries.  Whoever makes something happen on an object takes
 * the first entry of a queue, claims its waiter for that entry, and wakes it:
 *
 *	lock object
 *	  kchan_hold(entry)		nobody else can decide this wait
 *	  what may fail			then kchan_let_go(entry), and nothing happened
 *	  kchan_claim(entry)		exactly one claimer ever wins a waiter
 *	  move the data			nothing may fail, sleep or touch user memory
 *	unlock object
 *	kchan_wake(wakes)		publishes ->done; the entry is gone after it
 *
 * A waiter that leaves early (signal, deadline) claims itself.  Where somebody
 * else came first, that claim holds, and the wait ends with it.
 *
 * A waiter that is parked on one object may meet a peer on another (select):
 * it then has to claim itself and the peer in one step (the pair of kchan_hold()
 * and kchan_claim()); where it needs no peer it claims itself alone
 * (kchan_commit()), before it changes anything.  Claiming
 * itself first and giving that back when the peer turns out to be taken loses wake-ups: a
 * third party passes over it in between.
 *
 * Locks, outer to inner; never two of one kind but the last:
 *
 *	kchan_object.lock
 *	  kchan_waiter.lock		two at once: by address
 *	  users_lock			(quota.c)
 *	pollers' wait queue, pi_lock	taken with none of the above held
 */

/**
 * struct kchan_waiter - one wait of one task, on the task's stack
 * @lock: guards @claimed and @won
 * @claimed: the outcome is decided; never goes back
 * @won: the entry it was claimed for; NULL when it claimed itself
 * @done: set last by the claimer, with release: @won and what it points to are
 *	complete, and the claimer will not touch them again
 * @task: who sleeps
 */
struct kchan_waiter {
	spinlock_t lock;	/* claimed, won */
	bool claimed;
	bool done;
	struct kchan_entry *won;
	struct task_struct *task;
};

/**
 * struct kchan_entry - a waiter's place in one object's queue
 * @node: in the queue, guarded by the object's lock; after a claim in the
 *	claimer's list of wakes, and the claimer's
 * @waiter: whose entry this is
 * @obj: the object waited on
 * @queue: the queue of @obj it stands in
 * @result: what the wait returns, written by the claimer
 */
struct kchan_entry {
	struct list_head node;
	struct kchan_waiter *waiter;
	struct kchan_object *obj;
	struct kchan_queue *queue;
	int result;
};

/**
 * struct kchan_deadline - the end of a wait
 * @clock: the clock that counts
 * @time: absolute, as the host counts; KTIME_MAX never comes
 */
struct kchan_deadline {
	clockid_t clock;
	ktime_t time;
};

/* Outcomes of kchan_hold(). */
enum kchan_hold {
	KCHAN_HELD,
	KCHAN_STALE,		/* the peer was claimed before, or is the claimer */
	KCHAN_SELF_CLAIMED,	/* the claimer itself was claimed before */
};

void kchan_waiter_init(struct kchan_waiter *waiter);
void kchan_entry_init(struct kchan_entry *entry, struct kchan_waiter *waiter,
		      struct kchan_object *obj, struct kchan_queue *queue);

void kchan_enqueue(struct kchan_entry *entry);
void kchan_leave(struct kchan_entry *entry);

bool kchan_commit_parked(struct kchan_waiter *self);
enum kchan_hold kchan_hold(struct kchan_entry *entry, struct kchan_waiter *self);
void kchan_let_go(struct kchan_entry *entry, struct kchan_waiter *self);
void kchan_claim(struct kchan_entry *entry, struct kchan_waiter *self, struct list_head *wakes);

enum kchan_hold kchan_hold_first(struct kchan_queue *queue, struct kchan_waiter *self,
				 struct kchan_entry **entry);
bool kchan_claim_entry(struct kchan_entry *entry, int result, struct list_head *wakes);
struct kchan_entry *kchan_claim_first(struct kchan_queue *queue, int result,
				      struct list_head *wakes);
struct kchan_entry *kchan_first_other(struct kchan_queue *queue, struct kchan_waiter *self);
void kchan_wake(struct list_head *wakes, bool sync);

int kchan_wait(struct kchan_waiter *waiter, const struct kchan_deadline *deadline);
int kchan_give_up(struct kchan_waiter *waiter, int why);

/**
 * kchan_commit() - claim the caller's own wait, for what needs no peer
 * @self: the caller's waiter; NULL where it is parked nowhere
 *
 * Return: true if nobody came first: the caller now goes through with it
 */
static inline bool kchan_commit(struct kchan_waiter *self)
{
	return !self || kchan_commit_parked(self);
}

#endif /* _KCHAN_WAIT_H */
