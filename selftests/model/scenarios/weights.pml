/* SPDX-License-Identifier: GPL-2.0-only */
/* A semaphore of two units; who asks for both holds back who asks for one, and may leave. */
#define TASKS		4
#include "../count.pml"

inline plan()
{
	only(ADD_A);
	if
	:: me == 0 -> units_of(0, 2)
	:: me == 1 -> units_of(0, 2)
	:: me == 2 -> units_of(0, 1)
	:: me == 3 -> units_of(0, 1)
	fi;
	if
	:: me < 3 -> maybe_hurried()
	:: me == 2 -> without_waiting()
	:: me == 3
	fi
}

inline objects()
{
	limit[A] = 2
}

#include "../tasks.pml"
