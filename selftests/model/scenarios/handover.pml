/* SPDX-License-Identifier: GPL-2.0-only */
/* Four processes and a mutex; one is in a hurry, or is killed. */
#define TASKS		4
#include "../lock.pml"

inline plan()
{
	only(LOCK_A);
	if
	:: me == 1 -> maybe_hurried()
	:: else
	fi
}

inline objects()
{
	skip
}

#include "../tasks.pml"
