/* SPDX-License-Identifier: GPL-2.0-only */
/* Three waiters in one queue, or two in each, or a close. */
#define TASKS		4
#include "../chan.pml"

inline plan()
{
	if
	:: me == 0 ->
		only(SEND_A);
		maybe_hurried()
	:: me == 1 -> only(RECV_A)
	:: me == 2 -> only(SEND_A)
	:: me == 3 ->
		if
		:: only(SEND_A)
		:: only(RECV_A)
		:: only(CLOSE_A)
		fi
	fi
}

inline objects()
{
	zero_or_one(A)
}

#include "../tasks.pml"
