/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting (module/wait.c), for spin.
 *
 * The model is built as the module is: wait.pml, which knows no object's rules;
 * op.pml over it, which does one of several operations; and chan.pml, count.pml
 * and lock.pml with the objects.  A scenario (scenarios/NAME.pml) takes one of
 * these, and says how many tasks there are, what each may do (plan()) and what
 * the objects are like (objects()); tasks.pml has the tasks, and the judgement.
 * The comment at a step names the function of the module that it stands for.
 *
 * Steps: what is guarded by an object's lock changes only under it, so a run of
 * statements under that lock is cut where it takes a waiter's lock, nowhere
 * else.  One waiter's lock taken alone is one step; of a pair, each is one.
 *
 * MISTAKE_* plants a mistake, and spin has to find it.
 */

#ifndef ROUNDS
#define ROUNDS		1
#endif
#ifndef ROUNDS_OF
#define ROUNDS_OF(me)	((me) == 0 -> ROUNDS : 1)	/* waits in turn */
#endif

/* Each wait has memory of its own, so that a touch after its end shows. */
#define WAITS		(TASKS * ROUNDS)
#define WAIT(me, round)	((me) + TASKS * (round))
#define TASK(w)		((w) % TASKS)

/* A wait has up to two cases, and for each an entry, a number from 1. */
#define NOBODY		0
#define ENTRIES		(WAITS * 2)
#define ENTRY(w, k)	(1 + 2 * (w) + (k))
#define WAITER(e)	(((e) - 1) / 2)
#define CASE(e)		(((e) - 1) % 2)

/* Two objects, of up to two queues each; what a case does is a number, too. */
#define A		0
#define B		1
#define OBJECT(what)	((what) % 4 / 2)
#define QUEUES		4
#define NOTHING		8		/* a task that has nothing to do */

/* How a wait ends; objects know more ways. */
mtype = { UNDECIDED, DONE, GAVE_UP };

/* struct kchan_waiter */
bit waiter_lock[WAITS];
bit claimed[WAITS];
byte won[WAITS];
bit done[WAITS];
bit asleep[TASKS];			/* its task's state is not TASK_RUNNING */

/* struct kchan_entry, struct kchan_queue, struct kchan_object */
mtype result[ENTRIES + 1];
chan queue[QUEUES] = [2 * TASKS] of { byte };
bit object_lock[2];

/* For the assertions alone. */
bit gone[WAITS];			/* the wait's memory serves other ends */
bit fired[WAITS];			/* one of its cases was committed */
byte place[ENTRIES + 1];		/* the queue it was parked in, plus 1 */

#define touch(w)	assert(!gone[w])

/* A wait commits one case, or nothing. */
inline commit(entry)
{
	touch(WAITER(entry));
	assert(!fired[WAITER(entry)]);
	fired[WAITER(entry)] = true
}

/* spin_lock(&obj->lock), never two at once */
inline lock_object(c)
{
	!object_lock[c];
	assert(!locking);
	locking = true;
	object_lock[c] = true
}

inline unlock_object(c)
{
	object_lock[c] = false;
	locking = false
}

/* Finds the first entry of a queue that is not the waiter @own's. */
inline find_other(q, own)
{
	n = len(queue[q]);
	do
	:: n == 0 -> break
	:: else ->
		queue[q]?x;
		queue[q]!x;
		n--;
		if
#ifdef MISTAKE_MEETS_ITSELF
		:: found == NOBODY -> found = x
#else
		:: found == NOBODY && WAITER(x) != own -> found = x
#endif
		:: else
		fi
	od;
	x = NOBODY
}

/* The caller's own is passed over: the cases of one select never meet. */
inline find_first(q)
{
	find_other(q, w)
}

/*
 * kchan_claim() of @found, where kchan_hold() finds it undecided; else it is stale,
 * and the next one is looked at.
 */
inline conclude_claim(q)
{
#ifndef MISTAKE_CLAIMED_STAYS_QUEUED
	queue[q]??eval(found);			/* kchan_dequeue() */
#endif
#ifdef MISTAKE_DONE_BEFORE_DATA
	done[WAITER(found)] = true;
#endif
	if
	:: claimed[WAITER(found)] ->
		found = NOBODY;
		find_first(q)
	:: else ->
		claimed[WAITER(found)] = true;
		won[WAITER(found)] = found;
		peer = found;
		found = NOBODY
	fi
}

/*
 * kchan_claim_first(): one who is parked nowhere, or decided, claims @found, or who
 * comes after it.  Sets @peer; it is NOBODY when all were stale.
 */
inline claim_first(q)
{
	do
	:: found == NOBODY -> break
	:: found != NOBODY ->
		atomic {
			!waiter_lock[WAITER(found)];
			touch(WAITER(found));
			conclude_claim(q)
		}
	od
}

/*
 * kchan_hold_first() and kchan_claim() with @self: one who is parked elsewhere claims
 * itself in the same step.  Sets @peer; or @outrun, where it was claimed itself.
 */
inline claim_first_with_self(q)
{
	do
	:: found == NOBODY -> break
#ifdef MISTAKE_CLAIM_AND_ROLL_BACK
	:: found != NOBODY ->
		claim_self();
		atomic {
			if
			:: outrun -> found = NOBODY
			:: else ->
				!waiter_lock[WAITER(found)];
				touch(WAITER(found));
				conclude_claim(q);
				claimed[w] = (peer != NOBODY)
			fi
		}
#else
	:: found != NOBODY ->
		/* kchan_lock_waiters() */
#ifdef MISTAKE_LOCKS_UNORDERED
		low = w;
		high = WAITER(found);
#else
		low = (WAITER(found) < w -> WAITER(found) : w);
		high = (WAITER(found) < w -> w : WAITER(found));
#endif
		atomic { !waiter_lock[low] -> waiter_lock[low] = true };
		atomic {
			!waiter_lock[high] || high == low;
			waiter_lock[low] = false;
			low = 0;
			high = 0;
			touch(WAITER(found));
			if
			:: claimed[w] ->
				outrun = true;
				found = NOBODY
			:: else ->
				conclude_claim(q);
				claimed[w] = (peer != NOBODY)
			fi
		}
#endif
	od
}

/* kchan_commit(): one who needs no peer, and is parked elsewhere, claims itself. */
inline claim_self()
{
	atomic {
		!waiter_lock[w];
		outrun = claimed[w];
		claimed[w] = true
	}
}

/* What the claimer writes into the claimed entry @peer, before the wake. */
inline decide_peer(outcome)
{
	commit(peer);
	result[peer] = outcome;
	wakes = wakes | (1 << WAITER(peer));
	peer = NOBODY
}

/* The caller's own case @e, committed without a sleep. */
inline decide_own(outcome)
{
	commit(e);
	chosen = e;
	verdict = outcome
}

/* kchan_wake(): after ->done, the waiter's memory is its owner's */
inline wake()
{
	do
	:: wakes == 0 -> break
	:: wakes != 0 ->
		atomic {
			n = 0;
			do
			:: wakes & (1 << n) -> break
			:: else -> n++
			od;
			wakes = wakes ^ (1 << n);
			touch(n);
			done[n] = true
		};
		atomic {
#ifdef MISTAKE_TASK_READ_AFTER_DONE
			touch(n);
#endif
#ifndef MISTAKE_NO_WAKE
			asleep[TASK(n)] = false;
#endif
			n = 0
		}
	od
}

/*
 * kchan_give_up(), to its commit.  If that comes first nobody will claim it any
 * more, and there was an instant at which no case was ready: this one.
 */
inline give_up()
{
	hurried = false;
	atomic {
		!waiter_lock[w];
		if
#ifndef MISTAKE_LEAVES_BLINDLY
		:: claimed[w]
#endif
		:: else ->
			claimed[w] = true;
			verdict = GAVE_UP;
			check_unready()
		fi
	}
}

/* kchan_sleep() of kchan_wait(); after a claim also that of kchan_give_up() */
inline sleep()
{
	do
#ifdef MISTAKE_STATE_SET_LATE
	:: done[w] -> break
	:: !done[w] ->
		asleep[me] = true;
#else
	:: asleep[me] = true;			/* set_current_state() */
		if
		:: done[w] -> break
		:: !done[w]
		fi;
#endif
end_asleep:	if
		:: !asleep[me]			/* schedule() */
		:: hurried ->			/* a signal, or the deadline */
			give_up();
			if
			:: verdict == GAVE_UP -> break
			:: else
			fi
		fi
	od;
	asleep[me] = false
}
