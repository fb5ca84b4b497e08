/* SPDX-License-Identifier: GPL-2.0-only */
/* Any three of send, receive and close, each with or without a hurry. */
#define TASKS		3
#include "../chan.pml"

inline plan()
{
	if
	:: only(SEND_A)
	:: only(RECV_A)
	:: only(CLOSE_A)
	fi;
	maybe_hurried()
}

inline objects()
{
	zero_or_one(A)
}

#include "../tasks.pml"
