/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tasks, each of which makes the waits that the scenario's plan() says; and
 * the judgement when nobody can go on.
 */

proctype task(byte me)
{
	byte round;			/* which wait it makes */
	byte w, what[2], cases, first;
	bit hurried, patient;

	byte turn, k, e;		/* the case it looks at */
	bit enqueued[2], parked;
	byte found, peer, chosen;
	bit locking, outrun;
	mtype verdict = UNDECIDED;
	short wakes;
	byte low, high, n, x;
	LOCALS;				/* the objects' own */

	do
	:: round == ROUNDS_OF(me) -> break
	:: else ->
		atomic {
			w = WAIT(me, round);
			patient = true;
			plan()
		};
		if
		:: what[0] == NOTHING -> gone[w] = true
		:: what[0] >= QUEUES && what[0] < NOTHING -> act()
		:: what[0] < QUEUES -> wait()
		fi;
		atomic {
			what[0] = 0; what[1] = 0; cases = 0; first = 0; hurried = 0;
			turn = 0; k = 0; e = 0; parked = 0; chosen = 0; outrun = 0;
			verdict = UNDECIDED;
			FORGET;
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
		assert(place[s] == 0 || gone[WAITER(s)] || queue[place[s] - 1]??[eval(s)]);
		for (r : 0 .. QUEUES - 1) {
			assert(!queue[r]??[eval(s)] || !gone[WAITER(s)])
		}
	}
}

init {
	byte w, s, r, n, x, found;
	LOCALS;

	atomic {
		objects();
		for (w : 0 .. TASKS - 1) {
			run task(w)
		}
	};
	timeout ->
	d_step {
		judge_waits();
		assert(!object_lock[A] && !object_lock[B]);
		judge_object(A);
		judge_object(B);
		judge_all()
	}
}
