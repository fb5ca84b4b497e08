/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A select that asks for too many of one semaphore is served by another, while those
 * wait behind it who ask for few.
 */
#define TASKS		3
#define ROUNDS		2
#include "../count.pml"

inline plan()
{
	if
	:: me == 0 && round == 0 -> only(ADD_B)
	:: me == 0 && round == 1 -> only(ADD_A)
	:: me == 1 -> either(ADD_A, ADD_B)
	:: me == 2 ->
		only(ADD_A);
		maybe_hurried()
	fi;
	units_of(0, (me == 1 -> 2 : 1));
	units_of(1, 1)
}

inline objects()
{
	limit[A] = 2;
	limit[B] = 1;
	keep(A, 1)
}

#include "../tasks.pml"
