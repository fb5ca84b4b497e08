/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_UARG_H
#define _KCHAN_UARG_H

#include <linux/build_bug.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/uaccess.h>

#include "wait.h"

/*
 * The caller's memory, and what the contract says of the structs and flags in
 * it; the same for all calls.
 */

/* Flags that every call takes which waits. */
#define KCHAN_WAIT_FLAGS \
	(KCHAN_NONBLOCK | KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME)

/* Structs that have grown, in their first version. */
#define KCHAN_STAT_SIZE_V1	56
#define KCHAN_CREATE_CHAN_SIZE_V1 24
#define KCHAN_MSG_SIZE_V1	32

/* Copies that found a page missing which had been touched, before EFAULT. */
#define KCHAN_ATTEMPTS	16

int kchan_read_other(void *dst, size_t size, size_t first, const void __user *src);
int kchan_write_struct(void __user *dst, const void *src, size_t size, size_t first);
int kchan_convert_deadline(u32 flags, s64 time, struct kchan_deadline *deadline);
int kchan_load_nofault(void *dst, const void __user *src, size_t size);
int kchan_load_many(void *dst, const void __user *src, size_t size, u32 n);
int kchan_store_nofault(void __user *dst, const void *src, size_t size);
int kchan_store_many(void __user *dst, const void *src, size_t size, u32 n);
int kchan_store_soon(void __user *dst, const void *src, size_t size);
int kchan_touch_source(const void __user *src, size_t size);
int kchan_touch_target(void __user *dst, size_t size);

/* One that never comes. */
static const struct kchan_deadline kchan_no_deadline = {
	.clock = CLOCK_MONOTONIC,
	.time = KTIME_MAX,
};

/**
 * kchan_read_deadline() - check the wait flags of a call, and its deadline
 * @flags: the call's flags, of which KCHAN_WAIT_FLAGS matter here
 * @time: the call's deadline
 * @deadline: set in any case; without KCHAN_DEADLINE it never comes
 *
 * Return: 0 or -EINVAL
 */
static inline int kchan_read_deadline(u32 flags, s64 time, struct kchan_deadline *deadline)
{
	if (unlikely(time || flags & KCHAN_WAIT_FLAGS & ~KCHAN_NONBLOCK))
		return kchan_convert_deadline(flags, time, deadline);
	*deadline = kchan_no_deadline;
	return 0;
}

/**
 * kchan_put_value() - tell what an operation has left, now that it is done
 * @value: what it left
 * @to: where to; it was writable before.  If it no longer is, the caller has lost
 *	the value with it, but not what was done
 */
static inline void kchan_put_value(u64 value, __u64 __user *to)
{
	if (put_user(value, to))
		return;
}

/**
 * kchan_read_grown() - take in a struct that begins with its size, and has grown
 * @dst: where to put it
 * @size: of the struct we know; constant
 * @first: of its first version; constant
 * @src: the caller's
 *
 * Moved word by word: a general copy would cost more than all the rest of the call.
 *
 * Return: 0; -EFAULT, -EINVAL (shorter than its first version), or -E2BIG (longer than
 * we know, and not zero there)
 */
static __always_inline int kchan_read_grown(void *dst, size_t size, size_t first,
					    const void __user *src)
{
	const unsigned long __user *from = src;
	unsigned long *to = dst;
	size_t i;

	BUILD_BUG_ON(size % sizeof(long));
	if (!user_read_access_begin(from, size))
		return kchan_read_other(dst, size, first, src);
	unsafe_get_user(to[0], from, other);
	if (unlikely((u32)to[0] != size))
		goto other;
#pragma GCC unroll 8
	for (i = 1; i < size / sizeof(long); i++)
		unsafe_get_user(to[i], &from[i], other);
	user_read_access_end();
	return 0;

other:
	user_read_access_end();
	return kchan_read_other(dst, size, first, src);
}

/* So many words, a cache line, move with nothing in between. */
#define KCHAN_STRIDE	8

/**
 * kchan_read_words() - take in a few words
 * @to: where to put them
 * @from: the caller's
 * @n: how many words
 *
 * Return: 0 or -EFAULT
 */
static __always_inline int kchan_read_words(unsigned long *to, const unsigned long __user *from,
					    size_t n)
{
	size_t i;

	if (!user_read_access_begin(from, n * sizeof(*from)))
		return -EFAULT;
	for (; n >= KCHAN_STRIDE; n -= KCHAN_STRIDE) {
#pragma GCC unroll 8
		for (i = 0; i < KCHAN_STRIDE; i++)
			unsafe_get_user(to[i], &from[i], fault);
		to += KCHAN_STRIDE;
		from += KCHAN_STRIDE;
	}
	for (; n; n--)
		unsafe_get_user(*to++, from++, fault);
	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

/**
 * kchan_read_struct() - take in a struct that is still in its first version
 * @dst: where to put it
 * @size: of the struct we know; constant
 * @src: the caller's
 *
 * Return: as kchan_read_grown()
 */
static __always_inline int kchan_read_struct(void *dst, size_t size, const void __user *src)
{
	return kchan_read_grown(dst, size, size, src);
}

#endif /* _KCHAN_UARG_H */
