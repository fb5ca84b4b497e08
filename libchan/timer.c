// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Timers. */
#include <errno.h>

#include "internal.h"

EXPORT struct chan_timer *chan_timer_make(void)
{
	return chan_create(CHAN_KIND_TIMER, 0);
}

static int set(struct chan_timer *timer, uint32_t flags, int64_t first, int64_t period)
{
	struct kchan_timer setting = {
		.size = sizeof(setting),
		.flags = flags,
		.deadline = first,
		.period = period,
	};

	return chan_ioctl(OBJECT(timer), KCHAN_TIMER, &setting);
}

EXPORT int chan_timer_set_clock(struct chan_timer *timer, clockid_t clock, int64_t first,
				int64_t period)
{
	int flags = chan_clock_flags(clock);

	if (flags < 0)
		return timer ? -1 : chan_fail(EBADF);
	return set(timer, (uint32_t)flags, first, period);
}

EXPORT int chan_timer_set(struct chan_timer *timer, int64_t deadline)
{
	return set(timer, KCHAN_DEADLINE, deadline, 0);
}

EXPORT int chan_timer_stop(struct chan_timer *timer)
{
	return set(timer, 0, 0, 0);
}

static struct chan_timer *make_set(int64_t first, int64_t period)
{
	struct chan_timer *timer = chan_timer_make();

	if (!timer || set(timer, KCHAN_DEADLINE, first, period) >= 0)
		return timer;
	chan_timer_drop(timer);
	return NULL;
}

EXPORT struct chan_timer *chan_timer_after(int64_t ns)
{
	return make_set(chan_after(ns), 0);
}

EXPORT struct chan_timer *chan_timer_every(int64_t ns)
{
	if (ns > 0)
		return make_set(chan_after(ns), ns);
	errno = EINVAL;
	return NULL;
}

CHAN_WAITS(chan_timer, wait, chan_on_tick(timer), ticks, struct chan_timer *timer,
	   uint64_t *ticks);
