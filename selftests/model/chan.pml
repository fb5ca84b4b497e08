/* SPDX-License-Identifier: GPL-2.0-only */
/* Channels (module/transfer.c, module/chan.c). */

/* A case is the number of the queue it stands in. */
#define SEND_A		0
#define RECV_A		1
#define SEND_B		2
#define RECV_B		3
#define CLOSE_A		4		/* no wait */
#define CLOSE_B		6
#define QUEUE(what)	(what)
#define IS_SEND(what)	((what) % 2 == 0)
#define SENDERS(c)	(2 * (c))
#define RECEIVERS(c)	(2 * (c) + 1)

#include "op.pml"

#define HAS_MESSAGE(c)	(len(returned[c]) + len(ring[c]) > 0)
#define HAS_ROOM(c)	(len(ring[c]) < capacity[c])
#ifdef MISTAKE_ENDS_WITH_MESSAGE_IN_HAND
#define AT_END(c)	(closed[c])
#else
#define AT_END(c)	(closed[c] && in_hand[c] == 0)
#endif

/* How a wait ends: EPIPE to a sender, 0 to a receiver. */
mtype = { ENDED };

/* What a locked channel offers to one who finds no peer parked there. */
mtype = { MUST_WAIT, HAS_ENDED, CAN_PROCEED };

/* A message has the number of the entry that sends it; struct kchan_parcel. */
byte parcel[ENTRIES + 1];		/* what a receiver was handed */
byte seq[ENTRIES + 1];			/* by message */

/* struct kchan_chan */
byte capacity[2];
bit closed[2];
chan ring[2] = [2] of { byte };
chan returned[2] = [WAITS] of { byte, byte };	/* sorted by the first, seq */
byte last_seq[2];
byte in_hand[2];

/* For the assertions alone. */
bit sent[ENTRIES + 1];			/* the sender was told so */
byte received[ENTRIES + 1];		/* by how many receivers */
byte nr_entered[2];
byte age[ENTRIES + 1];			/* which message of its channel it was */
chan inside[2] = [WAITS] of { byte, byte };	/* sorted by the first, age */
bit end_told[2];			/* to a receiver; no message after it */

#define LOCALS	mtype offer; byte message, eldest; bit must_claim, handed
#define FORGET	message = 0; handed = 0

/* What is in a channel comes out in order, and before the end. */
inline enters_again(c, message)
{
	assert(!end_told[c]);
	inside[c]!!age[message], message
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

/* A message is numbered when it is first handed over, and keeps its number. */
inline number(c, message)
{
	last_seq[c]++;
	seq[message] = last_seq[c]
}

/* chan_hand_over(): @message into the hand of @receiver */
inline hand_over(c, message, receiver)
{
	leaves(c, message);
	parcel[receiver] = message;
	in_hand[c]++
}

/* send_attempt(), recv_attempt(): what there is to do with no peer, or who is it? */
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

/* chan_store() by the caller: into its memory, or who may park has a parcel */
inline store(c)
{
	if
	:: SECOND_PASS ->
		hand_over(c, message, e);
		handed = true
	:: else -> leaves(c, message)
	fi
}

/* Case @e meets @peer, which is claimed. */
inline meet_peer(q, c)
{
	if
	:: IS_SEND(q) ->			/* send_to_parked() */
		enters(c, e);
		number(c, e);
		hand_over(c, e, peer);
	:: else ->				/* recv_from_parked() */
		enters(c, peer);
		message = peer;
		if
		:: SECOND_PASS -> number(c, message)
		:: else
		fi;
		store(c)
	fi;
	decide_peer(DONE);
	decide_own(DONE)
}

/* recv_returned(), recv_buffered(); the first sender moves up after it */
inline recv_oldest(c)
{
	if
	:: len(returned[c]) > 0 -> returned[c]?_, message
	:: else ->
		ring[c]?message;
		if
		:: SECOND_PASS -> number(c, message)
		:: else
		fi;
#ifndef MISTAKE_NO_REFILL
		find_first(SENDERS(c))
#endif
	fi;
	store(c)
}

/* Case @e is committed with no peer, or parked. */
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
	:: offer == MUST_WAIT && SECOND_PASS -> park(q)
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

/* try(); in the second pass try_or_park() */
inline visit_chan(q, c)
{
	atomic {
		lock_object(c);
#ifdef MISTAKE_NO_SECOND_LOOK
		if
		:: SECOND_PASS -> offer = MUST_WAIT
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
		:: !SECOND_PASS && !IS_SEND(q) ->	/* kchan_let_go(): the copy failed */
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

inline visit(c)
{
	visit_chan(what[k], c)
}

inline collect()
{
	message = parcel[chosen];
	handed = !IS_SEND(what[CASE(chosen)])
}

/* kchan_end_waits() */
inline end_waits(q)
{
	do
	:: atomic { find_first(q) };
		claim_first(q);
		if
		:: peer == NOBODY -> break
		:: peer != NOBODY ->
			atomic {
				end_told[OBJECT(q)] = end_told[OBJECT(q)] || !IS_SEND(q);
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
			hand_over(c, message, peer);
			decide_peer(DONE)
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

/* Into the caller's memory: recv_take() if it was handed over, else it is there */
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

/* recv_finish(); who sends is only told */
inline finish(c)
{
	if
	:: verdict == ENDED
	:: verdict == DONE && IS_SEND(what[CASE(chosen)]) -> sent[chosen] = true
	:: verdict == DONE && !IS_SEND(what[CASE(chosen)]) -> take(c)
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

inline act()
{
	close(OBJECT(what[0]))
}

/* Is there a peer who could still be claimed?  Sets @found. */
inline find_undecided(q)
{
	n = len(queue[q]);
	do
	:: n == 0 -> break
	:: else ->
		queue[q]?x;
		queue[q]!x;
		n--;
		found = (WAITER(x) != w && !claimed[WAITER(x)] -> x : found)
	od
}

inline check_unready_chan(q, c)
{
	if
	:: object_lock[c]
	:: else ->
		find_undecided(q ^ 1);
		assert(found == NOBODY && !(IS_SEND(q) && (closed[c] || HAS_ROOM(c))) &&
		       !(!IS_SEND(q) && (AT_END(c) || HAS_MESSAGE(c))))
	fi
}

inline check_unready()
{
	check_unready_chan(what[0], OBJECT(what[0]));
	if
	:: cases == 2 -> check_unready_chan(what[1], OBJECT(what[1]))
	:: else
	fi;
	x = NOBODY
}

/* For the scenarios */
inline zero_or_one(c)
{
	if
	:: capacity[c] = 0
	:: capacity[c] = 1
	fi
}

/* What is left comes out in order, too. */
inline drain(c)
{
	do
	:: len(returned[c]) > 0 ->
		returned[c]?_, s;
		leaves(c, s);
		received[s]++
	:: len(returned[c]) == 0 && len(ring[c]) > 0 ->
		ring[c]?s;
		leaves(c, s);
		received[s]++
	:: else -> break
	od
}

inline judge_object(c)
{
	assert(in_hand[c] == 0);
	assert(!closed[c] || len(queue[SENDERS(c)]) + len(queue[RECEIVERS(c)]) == 0);
	assert(!HAS_MESSAGE(c) || len(queue[RECEIVERS(c)]) == 0);
	assert(!HAS_ROOM(c) || len(queue[SENDERS(c)]) == 0);
	for (s : 1 .. ENTRIES) {
		for (r : 1 .. ENTRIES) {
			assert(!queue[SENDERS(c)]??[eval(s)] ||
			       !queue[RECEIVERS(c)]??[eval(r)] ||
			       WAITER(s) == WAITER(r))
		}
	};
	drain(c)
}

/* Each message sent was received once. */
inline judge_all()
{
	for (s : 1 .. ENTRIES) {
		assert(received[s] == sent[s])
	}
}
