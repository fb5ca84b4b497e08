/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tasks, each of which makes the waits that the scenario's plan() says; and
 * the judgement when nobody can go on.
 */

proctype task(byte me)
{
	byte round;			/* which wait it makes */
	byte w, what[2], cases, first;
	bit hurried;

	byte turn, k, e;		/* the case it looks at */
	bit enqueued[2], parked;
	mtype offer;
	byte found, peer, message, chosen;
	bit must_claim, locking, outrun, handed;
	mtype verdict = UNDECIDED;
	short wakes;
	byte low, high, n, x, eldest;

	do
	:: round == ROUNDS || (me > 0 && round == 1) -> break
	:: round < ROUNDS && (me == 0 || round == 0) ->
		atomic {
			w = (round == 0 -> me : TASKS + round - 1);
			plan()
		};
		if
		:: what[0] == NOTHING -> gone[w] = true
		:: what[0] == CLOSE_A || what[0] == CLOSE_B -> close(CHAN(what[0]))
		:: what[0] < QUEUES -> wait()
		fi;
		atomic {
			what[0] = 0; what[1] = 0; cases = 0; first = 0; hurried = 0;
			turn = 0; k = 0; e = 0; parked = 0; message = 0; chosen = 0; outrun = 0; handed = 0;
			verdict = UNDECIDED;
			round++
		}
	od
}

/* When nobody can go on, nobody may be left behind, and the books must balance. */
inline judge_waits()
{
	for (w : 0 .. WAITS - 1) {
		assert(!waiter_lock[w]);
		assert(gone[w] || !claimed[w])
	};
	for (s : 1 .. ENTRIES) {
		assert(place[s] == 0 || gone[WAITER(s)] || queue[place[s] - 1]??[eval(s)])
	}
}

inline judge_chan(c)
{
	assert(!object_lock[c] && in_hand[c] == 0);
	assert(!closed[c] || len(queue[SENDERS(c)]) + len(queue[RECEIVERS(c)]) == 0);
	assert(!HAS_MESSAGE(c) || len(queue[RECEIVERS(c)]) == 0);
	assert(!HAS_ROOM(c) || len(queue[SENDERS(c)]) == 0);
	for (s : 1 .. ENTRIES) {
		assert(!queue[SENDERS(c)]??[eval(s)] || !gone[WAITER(s)]);
		assert(!queue[RECEIVERS(c)]??[eval(s)] || !gone[WAITER(s)]);
		for (r : 1 .. ENTRIES) {
			assert(!queue[SENDERS(c)]??[eval(s)] ||
			       !queue[RECEIVERS(c)]??[eval(r)] ||
			       WAITER(s) == WAITER(r))
		}
	}
}

/* What is left comes out in order, too; then each message sent was received once. */
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

inline judge_messages()
{
	for (s : 1 .. ENTRIES) {
		assert(received[s] == sent[s])
	}
}

init {
	byte w, s, r, eldest;

	atomic {
		capacities();
		for (w : 0 .. TASKS - 1) {
			run task(w)
		}
	};
	timeout ->
	d_step {
		judge_waits();
		judge_chan(A);
		judge_chan(B);
		drain(A);
		drain(B);
		judge_messages()
	}
}
