/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_UARG_H
#define _KCHAN_UARG_H

#include <linux/types.h>

#include "wait.h"

/*
 * The contract's structs and flags on their way in and out, the same for all
 * calls.
 */

/* Deadline flags, which every call that waits takes. */
#define KCHAN_WAIT_FLAGS \
	(KCHAN_NONBLOCK | KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME)

int kchan_read_struct(void *dst, size_t size, const void __user *src);
int kchan_write_struct(void __user *dst, const void *src, size_t size);
int kchan_read_deadline(u32 flags, s64 time, struct kchan_deadline *deadline);

#endif /* _KCHAN_UARG_H */
