/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two threads of one process lock a mutex, while a third closes the process's last
 * number of it; and another process.
 */
#define TASKS		4
#define PROCESS(me)	((me) < 3 -> 1 : 2)
#define DIES(me)	((me) == 3)
#include "../lock.pml"

inline plan()
{
	if
	:: me == 2 -> only(CLOSE_A)
	:: else -> only(LOCK_A)
	fi
}

inline objects()
{
	skip
}

#include "../tasks.pml"
