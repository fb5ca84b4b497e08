/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mutexes and rwmutexes (module/lock.c).  Who has got the lock gives it back, mended
 * if need be, or not; or dies with it.
 */

/* A case is the number of the queue it stands in. */
#define LOCK_A		0
#define RLOCK_A		1
#define LOCK_B		2
#define RLOCK_B		3
#define CLOSE_A		4		/* no wait */
#define CLOSE_B		6
#define QUEUE(what)	(what)
#define IS_WRITE(what)	((what) % 2 == 0)
#define WRITING(c)	(2 * (c))
#define READING(c)	(2 * (c) + 1)

/* Holders are processes, numbered from 1; who is in which is the scenario's. */
#ifndef PROCESS
#define PROCESS(me)	((me) + 1)
#endif
#define OWN		PROCESS(me)
#define PROCESS_OF(e)	PROCESS(TASK(WAITER(e)))
#define OF(c, p)	((c) * (TASKS + 1) + (p))

#ifndef DIES
#define DIES(me)	true
#endif

/* write_is_free(), read_is_free(), but for others who wait */
#define CAN_HAVE(c, e)	(notrecoverable[c] || (writer[c] == NOBODY && \
			 (reads[e] || nr_readers[c] == 0)))
#define OUTCOME(c, e)	(notrecoverable[c] -> NOT_RECOVERABLE : \
			 (ownerdead[c] -> OWNER_DEAD : DONE))

/* is_in_front(): of writers and readers */
#define HAS_PARKED(c)	lock_parked(c)
#define IN_FRONT(x, e)	(!reads[e] || (in_front[e] & (1 << (x))))

/* Whether a writer holds back a reader: not itself. */
#define IS_OTHERS(x, e)	((x) != NOBODY && WAITER(x) != WAITER(e))
#ifdef MISTAKE_LATER_WRITER_HOLDS_BACK
#define HOLDS(x, e)	IS_OTHERS(x, e)
#else
#define HOLDS(x, e)	(IS_OTHERS(x, e) && IN_FRONT(x, e))
#endif

#include "turn.pml"

mtype = { OWNER_DEAD, NOT_RECOVERABLE };

/* struct kchan_op; in place of ->turn the writers that were parked before a reader */
bit reads[ENTRIES + 1];
short in_front[ENTRIES + 1];

/* struct kchan_rwlock; struct kchan_holder is just how often a process reads */
byte writer[2];
byte nr_readers[2];
byte times[2 * (TASKS + 1)];		/* OF(lock, process) */
bit ownerdead[2];
bit notrecoverable[2];

/* The process has closed its last number of the lock. */
bit closed[2 * (TASKS + 1)];

/* For the assertions alone: what those who were told to have it do, and saw. */
byte writes_in[2];			/* the process that writes */
byte nr_reading_in[2];
bit died[2];				/* one that wrote died, and nobody has mended it */
bit may_have_died[2];			/* one that was to write died */
bit given_up[2];			/* it was given back unmended */

#define LOCALS	TURN_LOCALS; byte reader, head, second; bit used, passed
#define FORGET	can = 0; used = 0

/* take_write(), take_read() */
inline have(c, e)
{
	if
	:: notrecoverable[c]
	:: !notrecoverable[c] && reads[e] ->
		nr_readers[c]++;
		times[OF(c, PROCESS_OF(e))]++
	:: else -> writer[c] = PROCESS_OF(e)
	fi
}

inline lock_parked(c)
{
	n = (reads[e] -> len(queue[WRITING(c)]) : 0);
	do
	:: n == 0 -> break
	:: else ->
		queue[WRITING(c)]?x;
		queue[WRITING(c)]!x;
		n--;
		in_front[e] = in_front[e] | (1 << x)
	od;
	x = NOBODY
}

inline visit(c)
{
	reads[e] = !IS_WRITE(what[k]);
	visit_in_turn(WRITING(c), c)
}

/* @peer, which is claimed, has it; or learns that nobody will any more. */
inline admit_peer(c)
{
#ifndef MISTAKE_TAKEN_ON_WAKING
	have(c, peer);
#endif
	decide_peer(OUTCOME(c, peer))
}

/* kchan_claim_first() */
inline admit_first(q, c)
{
	atomic { find_first(q) };
	claim_first(q);
	atomic {
		if
		:: peer != NOBODY -> admit_peer(c)
		:: else
		fi
	}
}

/* kchan_end_waits() */
inline end_waits(q, c)
{
	do
	:: len(queue[q]) == 0 -> break
	:: len(queue[q]) > 0 -> admit_first(q, c)
	od
}

/* kchan_first_other(): sets @to to the first in @q who is undecided, beside @own's */
inline look_for(q, own, to)
{
	atomic { find_other(q, own) };
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
				to = found;
				found = NOBODY
			fi
		}
	od
}

/* admit_readers(): where not @all are admitted, those whom neither of two holds back */
inline admit_readers(c, all)
{
	if
	:: !all && head != NOBODY -> look_for(WRITING(c), WAITER(head), second)
	:: else
	fi;
	do
	:: at >= len(queue[READING(c)]) -> break
	:: at < len(queue[READING(c)]) ->
		atomic {
			find_at(READING(c));
			reader = found;
			found = NOBODY;
			can = all || !(HOLDS(head, reader) || HOLDS(second, reader));
			if
			:: !can -> at++
			:: else ->
				!waiter_lock[WAITER(reader)];
				touch(WAITER(reader));
				found = reader;
				if
				:: claimed[WAITER(found)] -> queue[READING(c)]??eval(found)
				:: else ->
					claim_found(READING(c));
					admit_peer(c)
				fi;
				found = NOBODY
			fi;
			can = false;
			reader = NOBODY
		}
	od;
	at = 0;
	second = NOBODY
}

/* Nobody waits to read who has waited longer than the writer. */
inline check_not_overtaken(c)
{
	do
	:: at >= len(queue[READING(c)]) -> break
	:: at < len(queue[READING(c)]) ->
		find_at(READING(c));
		assert(claimed[WAITER(found)] || WAITER(found) == WAITER(head) ||
		       IN_FRONT(head, found));
		found = NOBODY;
		at++
	od;
	at = 0
}

/* admit_writer(): if it is still undecided */
inline admit_writer(c)
{
	atomic {
		!waiter_lock[WAITER(head)];
		touch(WAITER(head));
		if
		:: claimed[WAITER(head)] -> queue[WRITING(c)]??eval(head)
		:: else ->
			check_not_overtaken(c);
			found = head;
			claim_found(WRITING(c));
			found = NOBODY;
			admit_peer(c);
			passed = true
		fi;
		head = NOBODY
	}
}

/* pass_on(): after a writer readers go first, all of them */
inline pass_on(c, from_writer)
{
	do
	:: writer[c] != NOBODY || passed -> break
	:: writer[c] == NOBODY && !passed ->
		look_for(WRITING(c), WAITS, head);
		admit_readers(c, from_writer);
		if
#ifndef MISTAKE_WRITER_BESIDE_READERS
		:: nr_readers[c] > 0 || head == NOBODY -> passed = true
		:: nr_readers[c] == 0 && head != NOBODY ->
#else
		:: head == NOBODY -> passed = true
		:: head != NOBODY ->
#endif
#ifdef MISTAKE_NEXT_WRITER_FIRST
			head = NOBODY;
			look_for(WRITING(c), WAITS, head);
			if
			:: head == NOBODY -> passed = true
			:: else -> admit_writer(c)
			fi
#else
			admit_writer(c)
#endif
		fi
	od;
	head = NOBODY;
	passed = false
}

/* No reader waits who could read: whoever holds it back came before. */
inline check_readers(c)
{
	d_step {
		do
		:: at >= len(queue[READING(c)]) -> break
		:: at < len(queue[READING(c)]) ->
			find_at(READING(c));
			reader = found;
			found = NOBODY;
			if
			:: !claimed[WAITER(reader)] -> check_held_back(WRITING(c), c, reader)
			:: else
			fi;
			at++
		od;
		at = 0;
		reader = NOBODY
	}
}

/* write_left() */
inline left(c)
{
	if
#ifndef MISTAKE_READERS_LEFT_BEHIND
	:: IS_WRITE(what[k]) ->
		pass_on(c, false);
		check_readers(c)
#endif
	:: else
	fi
}

/* kchan_lock_give_back(): drop_write(), unless another thread closed its last number */
inline give_back_write(c)
{
	atomic {
		lock_object(c);
		used = (writes_in[c] == OWN);
		if
		:: used ->
			assert(writer[c] == OWN);
			writer[c] = NOBODY;
			writes_in[c] = NOBODY;
			given_up[c] = ownerdead[c];
#ifndef MISTAKE_UNMENDED_PASSES_ON
			notrecoverable[c] = ownerdead[c]
#endif
		:: else
		fi
	};
	if
	:: !used
	:: used && !notrecoverable[c] -> pass_on(c, true)
	:: used && notrecoverable[c] ->
		end_waits(WRITING(c), c);
		end_waits(READING(c), c)
	fi;
	atomic { unlock_object(c) };
	wake()
}

/* read_give_back(): drop_read() */
inline give_back_read(c)
{
	atomic {
		lock_object(c);
		nr_reading_in[c]--;
		nr_readers[c]--;
		times[OF(c, OWN)]--
	};
	pass_on(c, false);
	atomic { unlock_object(c) };
	wake()
}

/* lose(): the process has died; or write_finish(), and it has not used the lock */
inline lose(c, has_used)
{
	atomic { lock_object(c) };
	if
	:: times[OF(c, OWN)] > 0 ->
		atomic {
			nr_readers[c] = nr_readers[c] - times[OF(c, OWN)];
			times[OF(c, OWN)] = 0
		};
		pass_on(c, false)
	:: writer[c] == OWN ->
		atomic {
			writer[c] = NOBODY;
#ifndef MISTAKE_DEATH_UNTOLD
			ownerdead[c] = ownerdead[c] || has_used;
#endif
			may_have_died[c] = may_have_died[c] || has_used
		};
#ifndef MISTAKE_DEATH_NOT_PASSED_ON
		pass_on(c, true)
#endif
	:: else
	fi;
	atomic { unlock_object(c) };
	wake()
}

/* lock_consistent() */
inline mend(c)
{
	atomic {
		lock_object(c);
		if
		:: writer[c] == OWN && writes_in[c] == OWN ->
			ownerdead[c] = false;
			died[c] = false;
			may_have_died[c] = false
		:: else
		fi;
		unlock_object(c)
	}
}

/* The process ends: lock_flush() when its table of files goes */
inline die(c)
{
	atomic {
		if
		:: IS_WRITE(what[CASE(chosen)]) ->
			writes_in[c] = NOBODY;
			died[c] = true
		:: else -> nr_reading_in[c]--
		fi
	};
	lose(c, true);
	round = ROUNDS_OF(me) - 1
}

/* Told that it has it: nobody else does, and it knows of the dead. */
inline enter(c)
{
	assert(writes_in[c] == NOBODY && !given_up[c]);
	assert(!died[c] || verdict == OWNER_DEAD);
	assert(verdict != OWNER_DEAD || may_have_died[c]);
	if
	:: IS_WRITE(what[CASE(chosen)]) ->
		assert(nr_reading_in[c] == 0);
		writes_in[c] = OWN
	:: else -> nr_reading_in[c]++
	fi
}

inline use_lock(c)
{
	if
	:: verdict == OWNER_DEAD && IS_WRITE(what[CASE(chosen)]) -> mend(c)
	:: true
	fi;
	if
	:: IS_WRITE(what[CASE(chosen)]) -> give_back_write(c)
	:: !IS_WRITE(what[CASE(chosen)]) -> give_back_read(c)
	:: DIES(me) -> die(c)
	fi
}

inline collect()
{
#ifdef MISTAKE_TAKEN_ON_WAKING
	have(OBJECT(what[CASE(chosen)]), chosen);
#endif
	skip
}

/* write_finish(), read_finish(); then what the caller does with it */
inline finish(c)
{
	if
	:: verdict == NOT_RECOVERABLE -> assert(given_up[c])
	:: verdict != NOT_RECOVERABLE ->
		atomic {
			if
#ifndef MISTAKE_NO_LOOK_AT_NUMBERS
			:: closed[OF(c, OWN)] -> verdict = GAVE_UP	/* or it had it, until then */
#endif
			:: else -> enter(c)
			fi
		};
		if
		:: verdict == GAVE_UP -> lose(c, false)
		:: verdict != GAVE_UP -> use_lock(c)
		fi
	fi
}

/* The last number of a living process: lock_flush() with is_holder(), then lose() */
inline close(c)
{
	atomic {
		closed[OF(c, OWN)] = true;
		if
		:: writes_in[c] == OWN ->
			writes_in[c] = NOBODY;
			died[c] = true
		:: else
		fi
	};
	atomic {
		lock_object(c);
		used = (writer[c] == OWN);
		unlock_object(c)
	};
	if
	:: used -> lose(c, true)
	:: !used
	fi;
	gone[w] = true
}

inline act()
{
	close(OBJECT(what[0]))
}

inline check_unready_lock(k, c)
{
	if
	:: object_lock[c]
	:: else -> check_held_back(WRITING(c), c, ENTRY(w, k))
	fi
}

inline check_unready()
{
	check_unready_lock(0, OBJECT(what[0]));
	if
	:: cases == 2 -> check_unready_lock(1, OBJECT(what[1]))
	:: else
	fi
}

/* Everybody has given back what it had, so nobody may be left waiting. */
inline judge_object(c)
{
	assert(writer[c] == NOBODY && nr_readers[c] == 0);
	assert(len(queue[WRITING(c)]) + len(queue[READING(c)]) == 0)
}

inline judge_all()
{
	skip
}
