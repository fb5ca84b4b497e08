/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_TIMER_H
#define _KCHAN_TIMER_H

#include "object.h"

extern struct kchan_kind kchan_timer_kind;

long kchan_timer_ioctl(struct file *file, const void __user *arg);

#endif /* _KCHAN_TIMER_H */
