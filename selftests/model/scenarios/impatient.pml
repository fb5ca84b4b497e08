/* SPDX-License-Identifier: GPL-2.0-only */
/* Selects over two channels that do not wait, or only one of them, and any other call. */
#define TASKS		3
#include "../chan.pml"

inline plan()
{
	if
	:: me == 0 ->
		either(SEND_A, RECV_B);
		without_waiting()
	:: me == 1 ->
		if
		:: either(SEND_B, RECV_A)
		:: either(RECV_A, RECV_B)
		fi
	:: me == 2 ->
		if
		:: only(SEND_A)
		:: only(RECV_A)
		:: only(SEND_B)
		:: only(RECV_B)
		:: only(CLOSE_A)
		fi
	fi;
	if
	:: me > 0 -> without_waiting()
	:: true
	fi
}

inline objects()
{
	zero_or_one(A)
}

#include "../tasks.pml"
