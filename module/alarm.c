// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is to happen at some time.
 */
#include <linux/ktime.h>

#include "alarm.h"
#include "compat.h"

/**
 * kchan_now_on() - the time
 * @clock: CLOCK_MONOTONIC, CLOCK_REALTIME or CLOCK_BOOTTIME
 *
 * Return: as the host counts it
 */
ktime_t kchan_now_on(clockid_t clock)
{
	if (clock == CLOCK_REALTIME)
		return ktime_get_real();
	return clock == CLOCK_BOOTTIME ? ktime_get_boottime() : ktime_get();
}

static enum hrtimer_restart alarm_rings(struct hrtimer *timer)
{
	struct kchan_alarm *alarm = container_of(timer, struct kchan_alarm, timer);

	queue_work(system_highpri_wq, &alarm->work);
	return HRTIMER_NORESTART;
}

/**
 * kchan_alarm_init() - begin an alarm, not set
 * @alarm: the alarm
 * @work: what it does; may come late, or for a time that is no longer set
 */
void kchan_alarm_init(struct kchan_alarm *alarm, work_func_t work)
{
	hrtimer_setup(&alarm->timer, alarm_rings, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	INIT_WORK(&alarm->work, work);
}

/**
 * kchan_alarm_set() - set an alarm, in place of what it was set to
 * @alarm: the alarm; the caller keeps others from setting it
 * @clock: the clock that counts
 * @time: absolute; KTIME_MAX never comes
 */
void kchan_alarm_set(struct kchan_alarm *alarm, clockid_t clock, ktime_t time)
{
	hrtimer_cancel(&alarm->timer);
	if (time == KTIME_MAX)
		return;
	hrtimer_setup(&alarm->timer, alarm_rings, clock, HRTIMER_MODE_ABS);
	hrtimer_start(&alarm->timer, time, HRTIMER_MODE_ABS);
}

/**
 * kchan_alarm_destroy() - nothing happens any more when this returns
 * @alarm: the alarm; its work may run until then, but no longer sets it
 */
void kchan_alarm_destroy(struct kchan_alarm *alarm)
{
	hrtimer_cancel(&alarm->timer);
	cancel_work_sync(&alarm->work);
}
