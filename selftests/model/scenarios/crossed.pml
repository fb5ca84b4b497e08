/* SPDX-License-Identifier: GPL-2.0-only */
/* Three selects over two channels, in all orders. */
#define TASKS		3
#include "../chan.pml"

inline plan()
{
	if
	:: me == 0 -> either(SEND_A, RECV_B)
	:: me == 1 -> either(SEND_B, RECV_A)
	:: me == 2 ->
		if
		:: either(SEND_A, SEND_B)
		:: either(RECV_A, RECV_B)
		:: either(SEND_A, RECV_A)
		:: either(SEND_A, RECV_B)
		fi
	fi;
	if
	:: me == 0 -> maybe_hurried()
	:: me != 0
	fi
}

inline objects()
{
	zero_or_one(B)
}

#include "../tasks.pml"
