/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doing one of several operations (module/op.c).  An object's file says what
 * struct kchan_op_type does:
 *
 *	visit(c)	look at the case under its object's lock, do it if it need
 *			not wait, and otherwise in the second pass park
 *	left(c)		->left: a waiter left undone; the object is locked (only of
 *			those that define HOLDS_BACK)
 *	collect()	what the claimer left with the entry that was won
 *	finish(c)	->finish: the caller has its outcome
 *	check_unready()	no case is ready (but of an object that is being changed)
 */
#include "wait.pml"

#define SECOND_PASS	(turn >= cases)

/* A single case that is not to wait was judged at one instant, in the first pass. */
#ifdef MISTAKE_JUDGED_ONE_BY_ONE
#define PASSES		(patient -> 2 : 1)
#else
#define PASSES		(patient || cases > 1 -> 2 : 1)
#endif

/* park(), after an attempt in the second pass */
inline park(q)
{
	queue[q]!e;			/* kchan_enqueue() */
	place[e] = q + 1;
	enqueued[k] = true;
	parked = true
}

/* try_each(); then try_or_park() of each, for wait_for_one() */
inline visit_all()
{
	do
	:: verdict != UNDECIDED || outrun || turn == PASSES * cases -> break
	:: else ->
		k = (first + turn) % cases;
		e = ENTRY(w, k);
		visit(OBJECT(what[k]));
		turn++
	od
}

/* wait_parked(), if nothing has been done; also where somebody came first */
inline wait_parked()
{
	if
	:: turn < 2 * cases && !outrun -> verdict = GAVE_UP
	:: turn == 2 * cases && patient && !outrun
	:: outrun || (turn == 2 * cases && !patient) -> give_up()
	fi;
	if
	:: verdict == UNDECIDED -> sleep()
	:: verdict == GAVE_UP
	fi
}

/* leave() of every entry that was not won */
inline leave()
{
	k = 0;
	do
	:: k == cases -> break
	:: k < cases && !enqueued[k] -> k++
	:: k < cases && enqueued[k] ->
		e = ENTRY(w, k);
		if
		:: won[w] == e -> skip
		:: else ->
			atomic {
				lock_object(OBJECT(what[k]));
				if
#ifndef MISTAKE_LOSER_STAYS_QUEUED
				:: queue[QUEUE(what[k])]??[eval(e)] ->
					queue[QUEUE(what[k])]??eval(e)	/* kchan_leave() */
#endif
#ifdef MISTAKE_LEFT_ONLY_IF_QUEUED
				:: else -> unlock_object(OBJECT(what[k]))
#else
				:: else
#endif
				fi;
#if !defined(HOLDS_BACK) && !defined(MISTAKE_LOCK_KEPT)
				unlock_object(OBJECT(what[k]))
#endif
			};
#ifdef HOLDS_BACK
			if
#ifdef MISTAKE_LEFT_ONLY_IF_QUEUED
			:: !locking
#endif
			:: locking ->
				left(OBJECT(what[k]));
				atomic { unlock_object(OBJECT(what[k])) };
				wake()
			fi
#endif
		fi;
		enqueued[k] = false;
		k++
	od
}

/* The waiter's memory is gone. */
inline conclude()
{
	atomic {
		if
		:: won[w] != NOBODY ->
			chosen = won[w];
			verdict = result[chosen];
			collect()
		:: else
		fi;
		assert(fired[w] == (verdict != GAVE_UP));
		won[w] = NOBODY;
		claimed[w] = false;
		done[w] = false;
		gone[w] = true
	}
}

/* do_once() */
inline wait()
{
	visit_all();
	if
	:: verdict == UNDECIDED -> wait_parked()
	:: verdict != UNDECIDED
	fi;
	leave();
	conclude();
	if
	:: verdict == GAVE_UP
	:: verdict != GAVE_UP -> finish(OBJECT(what[CASE(chosen)]))
	fi
}

/* For the scenarios: a task's next wait */
inline only(a)
{
	what[0] = a;
	cases = 1
}

inline in_order(a, b)
{
	what[0] = a;
	what[1] = b;
	cases = 2
}

inline either(a, b)			/* looked at in this order or the other */
{
	in_order(a, b);
	if
	:: first = 0
	:: first = 1
	fi
}

inline maybe_hurried()			/* by a signal, or a deadline */
{
	if
	:: hurried = true
	:: skip
	fi
}

inline without_waiting()		/* KCHAN_NONBLOCK */
{
	patient = false
}
