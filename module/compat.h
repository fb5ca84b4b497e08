/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The differences between the kernels we build for, 6.1 and newer; the only
 * place that may ask for a version.
 */
#ifndef _KCHAN_COMPAT_H
#define _KCHAN_COMPAT_H

#include <linux/file.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/time_namespace.h>
#include <linux/version.h>

/**
 * kchan_timens_to_host() - an absolute time as the host counts it
 * @clock: the clock it is on
 * @time: as the caller's time namespace counts it
 *
 * What timens_ktime_to_host() does; that one calls a function which is not
 * exported to modules.
 *
 * Return: the host's time, 0 for one before the host's clock began
 */
static inline ktime_t kchan_timens_to_host(clockid_t clock, ktime_t time)
{
#ifdef CONFIG_TIME_NS
	const struct timens_offsets *offsets = &current->nsproxy->time_ns->offsets;
	ktime_t offset;

	if (clock == CLOCK_MONOTONIC)
		offset = timespec64_to_ktime(offsets->monotonic);
	else if (clock == CLOCK_BOOTTIME)
		offset = timespec64_to_ktime(offsets->boottime);
	else
		return time;

	if (time < offset)
		return 0;
	/* A negative offset can carry it past the end of time, where it stays. */
	if (offset < 0 && time > KTIME_MAX + offset)
		return KTIME_MAX;
	return ktime_sub(time, offset);
#else
	return time;
#endif
}

/* Where struct fd is more than a pointer and flags, there is fd_file(). */
#ifndef fd_file
#define fd_file(fd)	((fd).file)
#endif

#if KERNEL_VERSION(6, 13, 0) > LINUX_VERSION_CODE
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#endif /* _KCHAN_COMPAT_H */
