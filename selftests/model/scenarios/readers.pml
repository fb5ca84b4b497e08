/* SPDX-License-Identifier: GPL-2.0-only */
/* Two readers and two writers; one of each is in a hurry, or is killed. */
#define TASKS		4
#include "../lock.pml"

inline plan()
{
	if
	:: me == 0 -> only(LOCK_A)
	:: me == 1 ->
		only(LOCK_A);
		maybe_hurried()
	:: me == 2 -> only(RLOCK_A)
	:: me == 3 ->
		only(RLOCK_A);
		maybe_hurried()
	fi
}

inline objects()
{
	skip
}

#include "../tasks.pml"
