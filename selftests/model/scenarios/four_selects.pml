/* SPDX-License-Identifier: GPL-2.0-only */
/* Four selects over two channels, in opposite orders. */
#define TASKS		4
#include "../chan.pml"

inline plan()
{
	if
	:: me == 0 -> in_order(SEND_A, RECV_B)
	:: me == 1 -> in_order(SEND_B, RECV_A)
	:: me == 2 -> in_order(RECV_B, SEND_A)
	:: me == 3 -> in_order(RECV_A, SEND_B)
	fi
}

inline objects()
{
	skip				/* both rendezvous */
}

#include "../tasks.pml"
