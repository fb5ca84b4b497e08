/* SPDX-License-Identifier: GPL-2.0-only */
/* Selects that take from two semaphores, or from one of them many or few. */
#define TASKS		4
#include "../count.pml"

inline plan()
{
	if
	:: me == 0 ->
		only(ADD_A);
		units_of(0, 1)
	:: me == 1 ->
		in_order(ADD_A, ADD_B);
		units_of(0, 2);
		units_of(1, 1)
	:: me == 2 ->
		if
		:: in_order(ADD_A, ADD_A)
		:: in_order(ZERO_B, ADD_A)
		:: in_order(ADD_B, ADD_A)
		fi;
		units_of(0, (what[0] == ADD_A -> 2 : 1));
		units_of(1, 1)
	:: me == 3 ->
		if
		:: only(ADD_A)
		:: only(ADD_B)
		fi;
		units_of(0, 1)
	fi;
	if
	:: me == 2 -> hurried = true
	:: me == 2 -> without_waiting()
	:: true
	fi
}

inline objects()
{
	limit[A] = 2;
	limit[B] = 1
}

#include "../tasks.pml"
