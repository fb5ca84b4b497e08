/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wait core and channels (module/wait.c, module/chan.c), for spin.
 *
 * A scenario (scenarios/NAME.pml) says how many tasks there are, in plan() what
 * each may do, and in capacities() what the channels hold; tasks.pml has the
 * tasks, and the judgement.  The comment at a step names the function of the
 * module that it stands for; "(select)" marks what the module does not do yet.
 *
 * Steps: what is guarded by an object's lock changes only under it, so a run of
 * statements under that lock is cut where it takes a waiter's lock, nowhere
 * else.  One waiter's lock taken alone is one step; of a pair, each is one.
 *
 * MISTAKE_* plants a mistake, and spin has to find it.
 */

#ifndef ROUNDS
#define ROUNDS	1			/* waits of task 0, in turn; others make one */
#endif

/* Each wait has memory of its own, so that a touch after its end shows. */
#define WAITS	(TASKS + ROUNDS - 1)
#define ENTRIES	(WAITS * 2)

/* An entry is a number from 1, and so is the message it sends. */
#define NOBODY		0
#define ENTRY(w, k)	(1 + 2 * (w) + (k))
#define WAITER(e)	(((e) - 1) / 2)
#define CASE(e)		(((e) - 1) % 2)
#define TASK(w)		((w) < TASKS -> (w) : 0)

/* What a case waits for is the number of the queue it stands in. */
#define SEND_A		0
#define RECV_A		1
#define SEND_B		2
#define RECV_B		3
#define QUEUES		4
#define CLOSE_A		4		/* no wait */
#define CLOSE_B		6
#define NOTHING		8

#define A		0
#define B		1
#define CHAN(what)	((what) % 4 / 2)
#define IS_SEND(what)	((what) % 2 == 0)
#define SENDERS(c)	(2 * (c))
#define RECEIVERS(c)	(2 * (c) + 1)

#define HAS_MESSAGE(c)	(len(returned[c]) + len(ring[c]) > 0)
#define HAS_ROOM(c)	(len(ring[c]) < capacity[c])
#ifdef MISTAKE_ENDS_WITH_MESSAGE_IN_HAND
#define AT_END(c)	(closed[c])
#else
#define AT_END(c)	(closed[c] && in_hand[c] == 0)
#endif

/* How a wait ends.  ENDED: EPIPE to a sender, 0 to a receiver. */
mtype = { UNDECIDED, DONE, ENDED, GAVE_UP };

/* What a locked channel offers to one who finds no peer parked there. */
mtype = { MUST_WAIT, HAS_ENDED, CAN_PROCEED };

/* struct kchan_waiter */
bit waiter_lock[WAITS];
bit claimed[WAITS];
byte won[WAITS];
bit done[WAITS];
bit asleep[TASKS];			/* its task's state is not TASK_RUNNING */

/* struct kchan_entry; struct kchan_parcel */
mtype result[ENTRIES + 1];
byte parcel[ENTRIES + 1];		/* what a receiver was handed */
byte seq[ENTRIES + 1];			/* by message */

/* struct kchan_chan */
bit object_lock[2];
byte capacity[2];
bit closed[2];
chan queue[QUEUES] = [2 * TASKS] of { byte };
chan ring[2] = [2] of { byte };
chan returned[2] = [WAITS] of { byte, byte };	/* sorted by the first, seq */
byte last_seq[2];
byte in_hand[2];

/* For the assertions alone. */
bit gone[WAITS];			/* the wait's memory serves other ends */
bit fired[WAITS];			/* one of its cases was committed */
bit sent[ENTRIES + 1];			/* the sender was told so */
byte received[ENTRIES + 1];		/* by how many receivers */
byte nr_entered[2];
byte age[ENTRIES + 1];			/* which message of its channel it was */
chan inside[2] = [WAITS] of { byte, byte };	/* sorted by the first, age */
byte place[ENTRIES + 1];		/* the queue it was parked in, plus 1 */
bit end_told[2];			/* to a receiver; no message after it */

#define touch(w)	assert(!gone[w])

/* What is in a channel comes out in order, and before the end. */
inline enters_again(c, message)
{
	assert(!end_told[c]);
	inside[c]!!age[message], message
}

/* A wait commits one case, or nothing. */
inline commit(entry)
{
	touch(WAITER(entry));
	assert(!fired[WAITER(entry)]);
	fired[WAITER(entry)] = true
}

inline enters(c, message)
{
	nr_entered[c]++;
	age[message] = nr_entered[c];
	enters_again(c, message)
}

inline leaves(c, message)
{
	inside[c]?_, eldest;
	assert(eldest == message);
	eldest = NOBODY
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

/*
 * Finds the first entry of a queue.  The caller's own is passed over: the cases
 * of one select never meet (select; kchan_hold() refuses them).
 */
inline find_first(q)
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
		:: found == NOBODY && WAITER(x) != w -> found = x
#endif
		:: else
		fi
	od;
	x = NOBODY
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
 * kchan_claim_first(): one who is parked nowhere claims @found, or who comes
 * after it.  Sets @peer; it is NOBODY when all were stale.
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
 * kchan_hold() and kchan_claim() with @self: one who is parked elsewhere claims
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

/* One who needs no peer, and is parked elsewhere, claims itself alone (select). */
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

/* A message is numbered when it is first handed over, and keeps its number. */
inline number(c, message)
{
	last_seq[c]++;
	seq[message] = last_seq[c]
}

/* chan_hand_over(), after the claim */
inline hand_over(c, message)
{
	leaves(c, message);
	parcel[peer] = message;
	in_hand[c]++;
	decide_peer(DONE)
}

/* chan_try_send(), chan_try_recv(): what there is to do with no peer, or who is it? */
inline look(q, c)
{
	if
	:: closed[c] && IS_SEND(q) -> offer = HAS_ENDED
	:: HAS_MESSAGE(c) && !IS_SEND(q) -> offer = CAN_PROCEED
	:: else ->
		find_first(q ^ 1);
		if
		:: IS_SEND(q) && HAS_ROOM(c) -> offer = CAN_PROCEED
		:: !IS_SEND(q) && AT_END(c) -> offer = HAS_ENDED
		:: else -> offer = MUST_WAIT
		fi
	fi
}

/* Case @e meets @peer, which is claimed. */
inline meet_peer(q, c)
{
	if
	:: IS_SEND(q) ->
		enters(c, e);
		number(c, e);
		hand_over(c, e)
	:: else ->				/* chan_recv_parked() */
		enters(c, peer);
		leaves(c, peer);
		message = peer;
		decide_peer(DONE)
	fi;
	decide_own(DONE)
}

/* chan_recv_returned(), chan_recv_buffered(); the first sender moves up after it */
inline recv_oldest(c)
{
	if
	:: len(returned[c]) > 0 -> returned[c]?_, message
	:: else ->
		ring[c]?message;
#ifndef MISTAKE_NO_REFILL
		find_first(SENDERS(c))
#endif
	fi;
	leaves(c, message)
}

/* Case @e is committed with no peer, or parked the second time it was looked at. */
inline go_alone(q, c)
{
	if
	:: offer == CAN_PROCEED ->
		if
		:: IS_SEND(q) ->
			enters(c, e);
			ring[c]!e
		:: else -> recv_oldest(c)
		fi;
		decide_own(DONE)
	:: offer == HAS_ENDED ->
		end_told[c] = end_told[c] || !IS_SEND(q);
		decide_own(ENDED)
	:: offer == MUST_WAIT && turn >= cases ->
		queue[q]!e;			/* kchan_enqueue() */
		place[e] = q + 1;
		enqueued[k] = true;
		parked = true
	:: else
	fi
}

/* chan_refill() */
inline refill(c)
{
	claim_first(SENDERS(c));
	atomic {
		if
		:: peer != NOBODY ->
			enters(c, peer);
			ring[c]!peer;
			decide_peer(DONE)
		:: else
		fi;
		unlock_object(c)
	}
}

/*
 * Looks at one case, and commits it if it can: chan_try_send(), chan_try_recv().
 * Else, the second time, parks on it: chan_send_parcel(), chan_recv_parcel().
 */
inline visit(q, c)
{
	atomic {
		lock_object(c);
#ifdef MISTAKE_NO_SECOND_LOOK
		if
		:: turn >= cases -> offer = MUST_WAIT
		:: else -> look(q, c)
		fi;
#else
		look(q, c);
#endif
		must_claim = (found != NOBODY || (parked && offer != MUST_WAIT));
		if
		:: must_claim
		:: else -> go_alone(q, c)
		fi;
		if
		:: must_claim || found != NOBODY
		:: else -> unlock_object(c)
		fi
	};
	if
	:: must_claim ->
		if
		:: parked -> claim_first_with_self(q ^ 1)
		:: !parked -> claim_first(q ^ 1)
#ifdef FAULTS
		:: !parked && !IS_SEND(q) ->	/* kchan_let_go(): the copy failed */
			found = NOBODY;
			verdict = GAVE_UP
#endif
		fi;
		if
		:: parked && peer == NOBODY && !outrun && offer != MUST_WAIT -> claim_self()
		:: else
		fi;
		atomic {
			if
			:: outrun || verdict == GAVE_UP
			:: peer != NOBODY -> meet_peer(q, c)
			:: !outrun && verdict == UNDECIDED && peer == NOBODY -> go_alone(q, c)
			fi;
			must_claim = false;
			if
			:: found != NOBODY
			:: else -> unlock_object(c)
			fi
		}
	:: !must_claim
	fi;
	if
	:: locking -> refill(c)
	:: !locking
	fi;
	offer = 0;
	wake()
}

/*
 * Looks at all cases while parked nowhere, then again, parking on each.  A send
 * or receive looks twice, too: the first time at the caller's memory.
 */
inline visit_all()
{
	do
	:: verdict != UNDECIDED || outrun || turn == 2 * cases -> break
	:: else ->
		k = (first + turn) % cases;
		e = ENTRY(w, k);
		visit(what[k], CHAN(what[k]));
		turn++
	od
}

/* kchan_sleep(), then kchan_cancel() and the rest of kchan_wait() */
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
			hurried = false;
			atomic {
				!waiter_lock[w];
				if
#ifndef MISTAKE_LEAVES_BLINDLY
				:: claimed[w]
#endif
				:: else ->
					claimed[w] = true;
					verdict = GAVE_UP
				fi
			};
			if
			:: verdict == GAVE_UP -> break
			:: else
			fi
		fi
	od;
	asleep[me] = false
}

/* kchan_leave() for every entry that was not won */
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
				lock_object(CHAN(what[k]));
				if
#ifndef MISTAKE_LOSER_STAYS_QUEUED
				:: queue[what[k]]??[eval(e)] -> queue[what[k]]??eval(e)
#endif
				:: else
				fi;
#ifndef MISTAKE_LOCK_KEPT
				unlock_object(CHAN(what[k]))
#endif
			}
		fi;
		enqueued[k] = false;
		k++
	od
}

/* The wait is over, and its memory gone. */
inline conclude()
{
	atomic {
		if
		:: won[w] != NOBODY ->
			chosen = won[w];
			handed = true;
			verdict = result[chosen];
			message = parcel[chosen]
		:: else
		fi;
		assert(fired[w] == (verdict != GAVE_UP));
		won[w] = NOBODY;
		claimed[w] = false;
		done[w] = false;
		gone[w] = true
	}
}

/* chan_end_waits() */
inline end_waits(q)
{
	do
	:: atomic { find_first(q) };
		claim_first(q);
		if
		:: peer == NOBODY -> break
		:: peer != NOBODY ->
			atomic {
				end_told[CHAN(q)] = end_told[CHAN(q)] || !IS_SEND(q);
				decide_peer(ENDED)
			};
#ifdef MISTAKE_CLOSE_WAKES_ONE
			break
#endif
		fi
	od
}

/* chan_put_back(); the object is locked */
inline put_back(c)
{
	atomic { find_first(RECEIVERS(c)) };
	claim_first(RECEIVERS(c));
	atomic {
		enters_again(c, message);
		if
		:: peer != NOBODY ->
#ifdef MISTAKE_NUMBERED_ANEW
			number(c, message);
#endif
			hand_over(c, message)
#ifdef MISTAKE_PUT_BACK_DROPS
		:: else
#else
		:: else -> returned[c]!!seq[message], message
#endif
		fi
	}
}

/* chan_settle(): the message in the caller's hand was taken, or goes back */
inline settle(c)
{
	atomic {
		lock_object(c);
		in_hand[c]--
	};
	if
	:: message != NOBODY -> put_back(c)
	:: message == NOBODY ->
		if
		:: AT_END(c) -> end_waits(RECEIVERS(c))
		:: else
		fi
	fi;
	atomic { unlock_object(c) };
	wake()
}

/* Into the caller's memory: chan_take() if it was handed over, else it is there */
inline take(c)
{
	assert(message != NOBODY);
	if
	:: atomic {
		assert(!received[message]);
		received[message] = true;
		message = NOBODY
	   }
#ifdef FAULTS
	:: handed				/* bad memory, or a kill */
#endif
	fi;
	if
	:: handed -> settle(c)
	:: !handed
	fi
}

/* kchan_chan_close() */
inline close(c)
{
	atomic { lock_object(c) };
	if
	:: closed[c]
	:: else ->
		closed[c] = true;
		end_waits(SENDERS(c));
		if
		:: AT_END(c) -> end_waits(RECEIVERS(c))
		:: else
		fi
	fi;
	atomic { unlock_object(c) };
	wake();
	gone[w] = true
}

inline wait()
{
	visit_all();
	if
	:: verdict == UNDECIDED -> sleep()
	:: verdict != UNDECIDED
	fi;
	leave();
	conclude();
	if
	:: verdict != DONE
	:: verdict == DONE && IS_SEND(what[CASE(chosen)]) -> sent[chosen] = true
	:: verdict == DONE && !IS_SEND(what[CASE(chosen)]) -> take(CHAN(what[CASE(chosen)]))
	fi
}

/* For the scenarios: a task's next wait, and the channels */
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

inline zero_or_one(c)
{
	if
	:: capacity[c] = 0
	:: capacity[c] = 1
	fi
}
