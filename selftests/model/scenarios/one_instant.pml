/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A message moves from one channel to the other, so to say: there is one in B before
 * that in A is taken.  So a select over both that does not wait must find one.
 */
#define TASKS		4
#define ROUNDS		2
#include "../chan.pml"

#define OFFERS(c)	(HAS_MESSAGE(c) || len(queue[SENDERS(c)]) > 0)

inline plan()
{
	if
	:: me == 0 && round == 0 -> only(SEND_A)
	:: me == 0 && round == 1 ->
		gone[WAIT(1, 0)];
		assert(fired[WAIT(1, 0)]);
		only(NOTHING)
	:: me == 1 ->
		OFFERS(A) || OFFERS(B);
		either(RECV_A, RECV_B);
		without_waiting()
	:: me == 2 -> only(SEND_B)
	:: me == 3 ->
		OFFERS(B) || gone[WAIT(1, 0)];
		only(RECV_A);
		without_waiting()
	fi
}

inline objects()
{
	zero_or_one(A);
	zero_or_one(B)
}

#include "../tasks.pml"
