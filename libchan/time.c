// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Clocks and deadlines. */
#include <errno.h>

#include "internal.h"

EXPORT int64_t chan_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * CHAN_SECOND + now.tv_nsec;
}

EXPORT int64_t chan_after(int64_t ns)
{
	int64_t now = chan_now();

	if (ns < 0)
		return now;
	return ns > INT64_MAX - now ? INT64_MAX : now + ns;
}

int chan_clock_flags(clockid_t clock)
{
	switch (clock) {
	case CLOCK_MONOTONIC:
		return KCHAN_DEADLINE;
	case CLOCK_REALTIME:
		return KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME;
	case CLOCK_BOOTTIME:
		return KCHAN_DEADLINE | KCHAN_CLOCK_BOOTTIME;
	default:
		return chan_fail(EINVAL);
	}
}
