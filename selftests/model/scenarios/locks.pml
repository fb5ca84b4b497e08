/* SPDX-License-Identifier: GPL-2.0-only */
/* Selects over two locks, or over writing and reading; a writer that may leave; and others. */
#define TASKS		4
#define DIES(me)	false
#include "../lock.pml"

inline plan()
{
	if
	:: me == 0 -> in_order(LOCK_A, LOCK_B)
	:: me == 1 ->
		if
		:: in_order(LOCK_B, LOCK_A)
		:: in_order(LOCK_A, RLOCK_A)
		fi
	:: me == 2 ->
		only(LOCK_A);
		maybe_hurried()
	:: me == 3 ->
		if
		:: only(LOCK_B)
		:: only(RLOCK_A)
		fi
	fi
}

inline objects()
{
	skip
}

#include "../tasks.pml"
