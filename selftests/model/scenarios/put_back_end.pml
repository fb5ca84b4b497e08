/* SPDX-License-Identifier: GPL-2.0-only */
/* One message and a close: no receiver sees the end before a message that goes back. */
#define TASKS		4
#define ROUNDS		2
#define FAULTS
#include "../chan.pml"

inline plan()
{
	if
	:: me == 0 && round == 0 -> only(SEND_A)
	:: me == 0 && round == 1 -> only(CLOSE_A)
	:: me == 1 || me == 3 -> only(RECV_A)
	:: me == 2 ->
		only(RECV_A);
		maybe_hurried()
	fi
}

inline objects()
{
	zero_or_one(A)
}

#include "../tasks.pml"
