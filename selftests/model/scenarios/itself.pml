/* SPDX-License-Identifier: GPL-2.0-only */
/* Selects that send and receive on one channel meet others, never themselves. */
#define TASKS		3
#include "../chan.pml"

inline plan()
{
	if
	:: me == 0 -> either(SEND_A, RECV_A)
	:: me == 1 ->
		if
		:: either(SEND_A, RECV_A)
		:: either(RECV_A, RECV_A)
		fi
	:: me == 2 ->
		if
		:: only(SEND_A)
		:: only(RECV_A)
		:: only(CLOSE_A)
		:: only(NOTHING)
		fi
	fi;
	if
	:: me == 0 -> maybe_hurried()
	:: me != 0
	fi
}

inline objects()
{
	zero_or_one(A)
}

#include "../tasks.pml"
