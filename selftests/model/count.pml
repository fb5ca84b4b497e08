/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Wait groups and semaphores (module/count.c).  Units that were taken are given back
 * as done; or, by tasks that ABANDON it, as abandoned: a token's last handle is gone.
 */

/* A case is the number of the queue it stands in. */
#define ADD_A		0
#define ZERO_A		1
#define ADD_B		2
#define ZERO_B		3
#define QUEUE(what)	(what)
#define IS_ADD(what)	((what) % 2 == 0)
#define ADDERS(c)	(2 * (c))
#define ZEROS(c)	(2 * (c) + 1)

#ifndef ABANDONS
#define ABANDONS(me)	false
#endif

#define CAN_HAVE(c, e)	(units[c] + asked[e] <= limit[c])
#define OUTCOME(c, e)	DONE
#define ZERO_OUTCOME(c)	(abandoned[c] > 0 -> OWNER_DEAD : DONE)

#include "turn.pml"

mtype = { OWNER_DEAD };

/* struct kchan_op */
byte asked[ENTRIES + 1];		/* ->units */
byte value[ENTRIES + 1];

/* struct kchan_count */
byte limit[2];
byte units[2];
byte abandoned[2];

/* For the assertions alone: a group's use begins when units are taken from zero. */
#define USE(c)		((c) * (WAITS + 1) + use[c])
byte use[2];
byte kept[2];				/* never to be given back */
byte lost[2 * (WAITS + 1)];		/* units abandoned, by use */
byte parked_in[ENTRIES + 1];		/* the use in which it waits for zero */

#define LOCALS	TURN_LOCALS; byte ahead
#define FORGET	can = 0

/* count_take() */
inline have(c, e)
{
	if
	:: units[c] == 0 ->
		use[c]++;
#ifndef MISTAKE_ABANDONED_KEPT
		abandoned[c] = 0
#endif
	:: else
	fi;
	units[c] = units[c] + asked[e]
}

/*
 * Something has come back, or one who held others back has left: count_admit().
 * The first who can't have it holds back all but its own entries.
 */
inline admit_in_turn(q, c)
{
	do
	:: at >= len(queue[q]) -> break
	:: at < len(queue[q]) ->
		atomic {
			find_at(q);
			!waiter_lock[WAITER(found)];
			touch(WAITER(found));
			if
#ifdef MISTAKE_HELD_BACK_BY_ITSELF
			:: ahead != NOBODY -> at = ALL
#else
			:: ahead != NOBODY && WAITER(ahead) != WAITER(found) -> at = ALL
#endif
			:: else ->
				if
				:: claimed[WAITER(found)] -> queue[q]??eval(found)
				:: !claimed[WAITER(found)] && CAN_HAVE(c, found) ->
					check_turn(q, found);
					claim_found(q);
					have(c, peer);
					decide_peer(OUTCOME(c, peer));
					ahead = NOBODY;
#ifdef MISTAKE_ADMITS_ONE
					at = ALL
#endif
				:: else ->
					ahead = found;
					at++
				fi
			fi;
			found = NOBODY
		}
	od;
	at = 0;
	ahead = NOBODY
}

/* What who waits for zero is told. */
inline tell_zero(c, e)
{
	assert(units[c] == 0);
	value[e] = abandoned[c]
}

inline zero_or_park(c)
{
	parked_in[e] = USE(c);
	if
	:: outrun
	:: can && !outrun ->
		tell_zero(c, e);
		decide_own(ZERO_OUTCOME(c))
	:: !can && SECOND_PASS -> park(ZEROS(c))
	:: else
	fi;
	can = false;
	unlock_object(c)
}

/* zero_attempt(), or park() */
inline visit_zero(c)
{
	atomic {
		lock_object(c);
		can = (units[c] == 0);
		if
		:: can && parked
		:: else -> zero_or_park(c)
		fi
	};
	if
	:: locking ->
		claim_self();
		atomic { zero_or_park(c) }
	:: !locking
	fi
}

inline visit(c)
{
	if
	:: IS_ADD(what[k]) -> visit_in_turn(ADDERS(c), c)
	:: !IS_ADD(what[k]) -> visit_zero(c)
	fi
}

inline tell_zeros(c)
{
	do
	:: units[c] > 0 || len(queue[ZEROS(c)]) == 0 -> break
	:: units[c] == 0 && len(queue[ZEROS(c)]) > 0 ->
		atomic { find_first(ZEROS(c)) };
		claim_first(ZEROS(c));
		atomic {
			if
			:: peer != NOBODY ->
				assert(parked_in[peer] == USE(c));
				tell_zero(c, peer);
				decide_peer(ZERO_OUTCOME(c))
			:: else
			fi
		};
#ifdef MISTAKE_ZERO_TELLS_ONE
		break
#endif
	od
}

/* count_done(), count_units_gone(): count_give() */
inline give(c, nr, nr_lost)
{
	atomic {
		lock_object(c);
		assert(units[c] >= nr);
		units[c] = units[c] - nr;
		abandoned[c] = abandoned[c] + nr_lost;
		lost[USE(c)] = lost[USE(c)] + nr_lost
	};
#ifdef MISTAKE_ADMITS_BEFORE_ZERO
	admit_in_turn(ADDERS(c), c);
	tell_zeros(c);
#else
	tell_zeros(c);
	admit_in_turn(ADDERS(c), c);
#endif
	atomic { unlock_object(c) };
	wake()
}

/* add_left() */
inline left(c)
{
#ifdef MISTAKE_LEFT_BEHIND
	skip
#else
	admit_in_turn(ADDERS(c), c)
#endif
}

inline collect()
{
#ifdef MISTAKE_OUTCOME_READ_LATE
	value[chosen] = abandoned[OBJECT(what[CASE(chosen)])];
#endif
	skip
}

/*
 * Who was told that all is done knows what became of it; who took units gives them
 * back, as add_finish() does for who is killed.
 */
inline finish(c)
{
	if
	:: !IS_ADD(what[CASE(chosen)]) ->
		assert(value[chosen] == lost[parked_in[chosen]]);
		assert((verdict == OWNER_DEAD) == (value[chosen] > 0))
	:: IS_ADD(what[CASE(chosen)]) -> give(c, asked[chosen], 0)
	:: IS_ADD(what[CASE(chosen)]) && ABANDONS(me) -> give(c, asked[chosen], asked[chosen])
	fi
}

inline act()
{
	skip
}

/* For the scenarios: somebody has these, and keeps them */
inline keep(c, nr)
{
	units[c] = nr;
	kept[c] = nr
}

inline check_unready_count(k, c)
{
	if
	:: object_lock[c]
	:: !object_lock[c] && IS_ADD(what[k]) -> check_held_back(ADDERS(c), c, ENTRY(w, k))
	:: !object_lock[c] && !IS_ADD(what[k]) -> assert(units[c] > 0)
	fi
}

inline check_unready()
{
	check_unready_count(0, OBJECT(what[0]));
	if
	:: cases == 2 -> check_unready_count(1, OBJECT(what[1]))
	:: else
	fi
}

/* For the scenarios: how many units the case asks for */
inline units_of(k, nr)
{
	asked[ENTRY(w, k)] = nr
}

/* Nobody may be left waiting for what it could have. */
inline judge_object(c)
{
	assert(units[c] == kept[c]);
	assert(units[c] > 0 || len(queue[ZEROS(c)]) == 0);
	for (s : 1 .. ENTRIES) {
		if
		:: queue[ADDERS(c)]??[eval(s)] -> check_held_back(ADDERS(c), c, s)
		:: else
		fi
	}
}

inline judge_all()
{
	skip
}
