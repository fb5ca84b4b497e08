/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is had in turn: units (count.pml) and locks (lock.pml).  Who asks is held
 * back by others who asked before, but not by itself.  An object's file says
 *
 *	CAN_HAVE(c, e)	the object as it is would let entry @e have what it asks for
 *	have(c, e)	it has it
 *	OUTCOME(c, e)	what it is told
 *
 * and may say
 *
 *	HAS_PARKED(c)	what else is done when @e has been parked
 *	IN_FRONT(x, e)	whether of two who are parked in different queues @x came first
 */
#define HOLDS_BACK

#ifndef IN_FRONT
#define HAS_PARKED(c)	skip
#define IN_FRONT(x, e)	true
#endif

#include "op.pml"

#define ALL		255	/* past the end of any queue */

#define TURN_LOCALS	bit can; byte before, at

/* Nobody overtakes: others before @e (if it isn't in @q: all) have been decided. */
inline check_turn(q, e)
{
	n = len(queue[q]);
	do
	:: n == 0 -> break
	:: else ->
		queue[q]?x;
		queue[q]!x;
		n--;
		before = (x == e -> 1 : before);
		assert(before == 1 || WAITER(x) == WAITER(e) || claimed[WAITER(x)])
	od;
	before = 0;
	x = NOBODY
}

/* Sets @found to the @at-th entry of a queue. */
inline find_at(q)
{
	n = 0;
	do
	:: n == len(queue[q]) -> break
	:: else ->
		queue[q]?x;
		queue[q]!x;
		found = (n == at -> x : found);
		n++
	od;
	n = 0;
	x = NOBODY
}

/* kchan_claim_entry() of @found, which is undecided */
inline claim_found(q)
{
	queue[q]??eval(found);
	claimed[WAITER(found)] = true;
	won[WAITER(found)] = found;
	peer = found
}

/* kchan_first_other(): if there is one beside @own, that is held back. */
inline look_ahead(q, own)
{
	do
	:: found == NOBODY -> break
	:: found != NOBODY ->
		atomic {
			!waiter_lock[WAITER(found)];
			touch(WAITER(found));
			if
			:: claimed[WAITER(found)] ->
				queue[q]??eval(found);		/* kchan_hold() */
				found = NOBODY;
				find_other(q, own)
			:: else ->
				can = false;
				found = NOBODY
			fi
		}
	od
}

/* Has it, or in the second pass parks. */
inline have_or_park(q, c)
{
	if
	:: outrun
	:: can && !outrun ->
		check_turn(q, e);
		have(c, e);
		decide_own(OUTCOME(c, e))
	:: !can && SECOND_PASS ->
		park(QUEUE(what[k]));
		HAS_PARKED(c)
	:: else
	fi;
	can = false;
	unlock_object(c)
}

/* try(), try_or_park() of case @e, which those in @q may hold back */
inline visit_in_turn(q, c)
{
	atomic {
		lock_object(c);
		can = CAN_HAVE(c, e);
		if
#ifndef MISTAKE_OVERTAKES
		:: can -> find_first(q)
#endif
		:: else
		fi;
		if
		:: found != NOBODY || (can && parked)
		:: else -> have_or_park(q, c)
		fi
	};
	if
	:: locking ->
		look_ahead(q, w);
		if
		:: can && parked -> claim_self()
		:: else
		fi;
		atomic { have_or_park(q, c) }
	:: !locking
	fi
}

/* The parked @e can't have it, or is held back in @q; also by who is about to leave. */
inline check_held_back(q, c, e)
{
	n = len(queue[q]);
	before = 0;
	do
	:: n == 0 -> break
	:: else ->
		queue[q]?x;
		queue[q]!x;
		n--;
		before = (before == 0 && x == e -> 1 : before);
		before = (before == 0 && WAITER(x) != WAITER(e) && IN_FRONT(x, e) -> 2 : before)
	od;
	for (x : 1 .. ENTRIES) {
		before = (place[x] == q + 1 && WAITER(x) != WAITER(e) && claimed[WAITER(x)] &&
			  won[WAITER(x)] != x && !gone[WAITER(x)] && IN_FRONT(x, e) ->
			  2 : before)
	};
	assert(before == 2 || !CAN_HAVE(c, e));
	before = 0;
	x = NOBODY
}
