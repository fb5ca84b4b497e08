// SPDX-License-Identifier: GPL-2.0-only
/*
 * The caller's memory: structs that carry their size, deadlines, messages.
 */
#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/userfaultfd_k.h>
#include <linux/uaccess.h>

#include <uapi/linux/kchan.h>

#include "compat.h"
#include "uarg.h"

/* A struct as long as in its first version, or longer by no more than a page. */
static int check_length(u32 usize, size_t first)
{
	if (usize < first)
		return -EINVAL;
	return usize > PAGE_SIZE ? -E2BIG : 0;
}

/**
 * kchan_read_other() - kchan_read_grown() for a struct of another size than ours
 * @dst: where to put it
 * @size: of the struct we know
 * @first: of its first version
 * @src: the caller's
 *
 * Return: as kchan_read_grown()
 */
int kchan_read_other(void *dst, size_t size, size_t first, const void __user *src)
{
	u32 usize;
	int ret;

	/* What is not there cannot be too short either. */
	if (copy_from_user(dst, src, first))
		return -EFAULT;
	usize = *(u32 *)dst;
	ret = check_length(usize, first);
	return ret ? ret : copy_struct_from_user(dst, size, src, usize);
}

/**
 * kchan_write_struct() - give out a struct that begins with its size
 * @dst: the caller's, whose size field says how much to write
 * @src: what to write, as far as it goes; zeros after it
 * @size: of @src
 * @first: of the struct in its first version
 *
 * Return: 0; -EFAULT, -EINVAL (shorter than its first version), or -E2BIG
 */
int kchan_write_struct(void __user *dst, const void *src, size_t size, size_t first)
{
	const size_t skip = sizeof(u32);	/* the size stays the caller's */
	u32 usize;
	int ret;

	if (get_user(usize, (u32 __user *)dst))
		return -EFAULT;
	ret = check_length(usize, first);
	if (ret)
		return ret;
	size = min_t(size_t, size, usize);
	if (copy_to_user(dst + skip, src + skip, size - skip) ||
	    clear_user(dst + size, usize - size))
		return -EFAULT;
	return 0;
}

/**
 * kchan_convert_deadline() - kchan_read_deadline() where there is one
 * @flags: the call's flags
 * @time: the call's deadline
 * @deadline: set in any case; without KCHAN_DEADLINE it never comes
 *
 * Return: 0 or -EINVAL
 */
int kchan_convert_deadline(u32 flags, s64 time, struct kchan_deadline *deadline)
{
	const u32 clocks = flags & (KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME);

	*deadline = kchan_no_deadline;
	if (!(flags & KCHAN_DEADLINE) || time < 0 ||
	    clocks == (KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME))
		return -EINVAL;

	if (clocks)
		deadline->clock = clocks & KCHAN_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_BOOTTIME;
	if (time != KTIME_MAX)
		deadline->time = kchan_timens_to_host(deadline->clock, time);
	return 0;
}

/*
 * Small messages move word by word: for them most of a general copy is spent on
 * finding out how to go about it.
 */
#define SMALL	128

static bool is_small(const void *kernel, const void __user *user, size_t size)
{
	return size <= SMALL &&
	       IS_ALIGNED((unsigned long)kernel | (unsigned long)user | size, sizeof(long));
}

static int store_small(unsigned long __user *dst, const unsigned long *src, size_t words)
{
	size_t i;

	if (!user_write_access_begin(dst, words * sizeof(*dst)))
		return -EFAULT;
	for (; words >= KCHAN_STRIDE; words -= KCHAN_STRIDE) {
#pragma GCC unroll 8
		for (i = 0; i < KCHAN_STRIDE; i++)
			unsafe_put_user(src[i], &dst[i], fault);
		src += KCHAN_STRIDE;
		dst += KCHAN_STRIDE;
	}
	for (; words; words--)
		unsafe_put_user(*src++, dst++, fault);
	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}

static __always_inline int load(void *dst, const void __user *src, size_t each, u32 n)
{
	int ret;

	if (!each)
		return 0;
	if (!is_small(dst, src, each))
		return copy_from_user_nofault(dst, src, each * n);
	pagefault_disable();
	ret = kchan_read_words(dst, src, each * n / sizeof(long));
	pagefault_enable();
	return ret;
}

static __always_inline int store(void __user *dst, const void *src, size_t each, u32 n)
{
	int ret;

	if (!each)
		return 0;
	if (!is_small(src, dst, each))
		return copy_to_user_nofault(dst, src, each * n);
	pagefault_disable();
	ret = store_small(dst, src, each * n / sizeof(long));
	pagefault_enable();
	return ret;
}

/**
 * kchan_load_nofault() - copy from user memory, never sleeping
 * @dst: where to
 * @src: the caller's
 * @size: bytes; with 0 no memory is touched
 *
 * Return: 0; -EFAULT where memory is not there, perhaps only not yet
 */
int kchan_load_nofault(void *dst, const void __user *src, size_t size)
{
	return load(dst, src, size, 1);
}

/**
 * kchan_load_many() - kchan_load_nofault() of messages one behind the other
 * @dst: where to
 * @src: the caller's
 * @size: bytes of each
 * @n: how many
 *
 * Return: 0 or -EFAULT
 */
int kchan_load_many(void *dst, const void __user *src, size_t size, u32 n)
{
	return load(dst, src, size, n);
}

/**
 * kchan_store_nofault() - copy to user memory, never sleeping
 * @dst: the caller's
 * @src: where from
 * @size: bytes; with 0 no memory is touched
 *
 * Return: 0; -EFAULT where memory is not there, perhaps only not yet
 */
int kchan_store_nofault(void __user *dst, const void *src, size_t size)
{
	return store(dst, src, size, 1);
}

/**
 * kchan_store_many() - kchan_store_nofault() of messages one behind the other
 * @dst: the caller's
 * @src: where from
 * @size: bytes of each
 * @n: how many
 *
 * Return: 0 or -EFAULT, and then some may have been written
 */
int kchan_store_many(void __user *dst, const void *src, size_t size, u32 n)
{
	return store(dst, src, size, n);
}

/**
 * kchan_touch_source() - what to do when kchan_load_nofault() fails
 * @src: the caller's memory, to be read
 * @size: bytes
 *
 * May sleep.  A page may be gone again, or be one that no touch can help; so try
 * KCHAN_ATTEMPTS times.
 *
 * Return: 0 to try again; -EFAULT where there is no such memory
 */
int kchan_touch_source(const void __user *src, size_t size)
{
	cond_resched();
	return fault_in_readable(src, size) ? -EFAULT : 0;
}

/**
 * kchan_touch_target() - what to do when kchan_store_nofault() fails
 * @dst: the caller's memory, to be written; not changed by this
 * @size: bytes
 *
 * As kchan_touch_source(); the touch is a store like the one to come, since only
 * that grows a stack and knows all that may forbid it.
 *
 * Return: 0 to try again; -EFAULT where there is no such memory
 */
int kchan_touch_target(void __user *dst, size_t size)
{
	u8 __user *at = dst;
	u8 __user *end = at + size;
	u8 byte;

	cond_resched();
	if (size && !access_ok(dst, size))
		return -EFAULT;
	while (at < end) {
		if (get_user(byte, at) || put_user(byte, at))
			return -EFAULT;
		at = PTR_ALIGN(at + 1, PAGE_SIZE);
	}
	return 0;
}

/* Brings in pages that nobody but the kernel stands behind. */
static bool touch_anonymous(struct mm_struct *mm, unsigned long at, size_t size)
{
	unsigned long end = at + size;
	struct vm_area_struct *vma;

	for (; at < end; at = PAGE_ALIGN(at + 1)) {
		vma = vma_lookup(mm, at);
		if (!vma || !vma_is_anonymous(vma) || userfaultfd_armed(vma) ||
		    fixup_user_fault(mm, at, FAULT_FLAG_WRITE, NULL))
			return false;
	}
	return true;
}

/**
 * kchan_store_soon() - copy to user memory, sleeping only for the kernel
 * @dst: the caller's
 * @src: where from
 * @size: bytes; with 0 no memory is touched
 *
 * A page that was there a moment ago is mostly missing because another thread
 * forked.  That passes, and the lock keeps the next fork out while we copy.
 * Pages of a file or a userfaultfd could take any time, and are not waited for.
 *
 * Return: 0; -EFAULT where memory is not there, perhaps only not yet
 */
int kchan_store_soon(void __user *dst, const void *src, size_t size)
{
	struct mm_struct *mm = current->mm;
	int ret;

	ret = kchan_store_nofault(dst, src, size);
	if (!ret || mmap_read_lock_killable(mm))
		return ret;
	if (touch_anonymous(mm, untagged_addr((unsigned long)dst), size))
		ret = kchan_store_nofault(dst, src, size);
	mmap_read_unlock(mm);
	return ret;
}
