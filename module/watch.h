/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_WATCH_H
#define _KCHAN_WATCH_H

#include <linux/fs.h>

long kchan_watch(struct file *file, const void __user *arg);
void kchan_watch_tell(struct file *file, fl_owner_t files);

#endif /* _KCHAN_WATCH_H */
