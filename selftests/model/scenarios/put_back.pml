/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages that receivers could not take go back to where they were. */
#define TASKS		4
#define ROUNDS		2
#define FAULTS
#include "../chan.pml"

inline plan()
{
	if
	:: me == 0 -> only(SEND_A)
	:: me == 1 || me == 2 -> only(RECV_A)
	:: me == 3 && capacity[A] == 0 -> only(RECV_A)
	:: me == 3 && capacity[A] == 1 -> only(NOTHING)
	fi
}

inline objects()
{
	zero_or_one(A)
}

#include "../tasks.pml"
