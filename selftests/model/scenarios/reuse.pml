/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A wait group that is used again and again, by one or by two at once, while those who
 * waited for its zero are still waking; work is done or abandoned.
 */
#define TASKS		4
#define ROUNDS		2
#define ROUNDS_OF(me)	((me) == 3 -> 2 : 1)
#define ABANDONS(me)	((me) == 3)
#include "../count.pml"

inline plan()
{
	if
	:: me < 2 -> only(ZERO_A)
	:: me >= 2 ->
		only(ADD_A);
		units_of(0, 1)
	fi
}

inline objects()
{
	if
	:: limit[A] = 1
	:: limit[A] = 2
	fi
}

#include "../tasks.pml"
