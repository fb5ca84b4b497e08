/* SPDX-License-Identifier: GPL-2.0-only */
/* Two selects over two channels, and any other call. */
#define TASKS		3
#define FAULTS
#include "../chan.pml"

inline plan()
{
	if
	:: me == 0 ->
		if
		:: either(SEND_A, RECV_B)
		:: either(RECV_A, SEND_B)
		fi
	:: me == 1 ->
		if
		:: either(SEND_A, SEND_B)
		:: either(RECV_A, RECV_B)
		fi
	:: me == 2 ->
		if
		:: only(SEND_A)
		:: only(RECV_A)
		:: only(SEND_B)
		:: only(RECV_B)
		:: only(CLOSE_A)
		:: only(CLOSE_B)
		fi
	fi;
	if
	:: me == 2 -> maybe_hurried()
	:: me != 2
	fi
}

inline objects()
{
	zero_or_one(A);
	capacity[B] = 1
}

#include "../tasks.pml"
