/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_ALARM_H
#define _KCHAN_ALARM_H

#include <linux/hrtimer.h>
#include <linux/workqueue.h>

/**
 * struct kchan_alarm - something to be done at some time, by a task of its own
 * @timer: the time; its interrupt takes none of our locks
 * @work: what is to be done then, in a task, which may
 */
struct kchan_alarm {
	struct hrtimer timer;
	struct work_struct work;
};

ktime_t kchan_now_on(clockid_t clock);

void kchan_alarm_init(struct kchan_alarm *alarm, work_func_t work);
void kchan_alarm_set(struct kchan_alarm *alarm, clockid_t clock, ktime_t time);
void kchan_alarm_destroy(struct kchan_alarm *alarm);

#endif /* _KCHAN_ALARM_H */
