// SPDX-License-Identifier: GPL-2.0-only
/*
 * Structs that carry their size, and deadlines.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <uapi/linux/kchan.h>

#include "compat.h"
#include "uarg.h"

/* All structs are still in their first version: what is shorter is refused. */
static int read_size(u32 *usize, size_t size, const void __user *src)
{
	if (get_user(*usize, (const u32 __user *)src))
		return -EFAULT;
	if (*usize < size)
		return -EINVAL;
	return *usize > PAGE_SIZE ? -E2BIG : 0;
}

/**
 * kchan_read_struct() - take in a struct that begins with its size
 * @dst: where to put it
 * @size: of the struct we know
 * @src: the caller's
 *
 * Return: 0; -EFAULT, -EINVAL (shorter than its first version), or -E2BIG
 * (longer than we know, and not zero there)
 */
int kchan_read_struct(void *dst, size_t size, const void __user *src)
{
	u32 usize;
	int ret;

	ret = read_size(&usize, size, src);
	if (ret)
		return ret;
	return copy_struct_from_user(dst, size, src, usize);
}

/**
 * kchan_write_struct() - give out a struct that begins with its size
 * @dst: the caller's, whose size field says how much to write
 * @src: what to write, as far as it goes; zeros after it
 * @size: of @src
 *
 * Return: 0; -EFAULT, -EINVAL (shorter than its first version), or -E2BIG
 */
int kchan_write_struct(void __user *dst, const void *src, size_t size)
{
	const size_t skip = sizeof(u32);	/* the size stays the caller's */
	u32 usize;
	int ret;

	ret = read_size(&usize, size, dst);
	if (ret)
		return ret;
	if (copy_to_user(dst + skip, src + skip, size - skip) ||
	    clear_user(dst + size, usize - size))
		return -EFAULT;
	return 0;
}

/**
 * kchan_read_deadline() - check the wait flags of a call, and its deadline
 * @flags: the call's flags, of which KCHAN_WAIT_FLAGS matter here
 * @time: the call's deadline
 * @deadline: set in any case; without KCHAN_DEADLINE it never comes
 *
 * Return: 0 or -EINVAL
 */
int kchan_read_deadline(u32 flags, s64 time, struct kchan_deadline *deadline)
{
	const u32 clocks = flags & (KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME);

	deadline->clock = CLOCK_MONOTONIC;
	deadline->time = KTIME_MAX;

	if (!(flags & KCHAN_DEADLINE))
		return clocks || time ? -EINVAL : 0;
	if (time < 0 || clocks == (KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME))
		return -EINVAL;

	if (clocks)
		deadline->clock = clocks & KCHAN_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_BOOTTIME;
	if (time != KTIME_MAX)
		deadline->time = kchan_timens_to_host(deadline->clock, time);
	return 0;
}
