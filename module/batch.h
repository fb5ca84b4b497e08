/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_BATCH_H
#define _KCHAN_BATCH_H

#include <linux/fs.h>
#include <linux/types.h>

long kchan_batch(struct file *file, const void __user *arg, u32 op);

#endif /* _KCHAN_BATCH_H */
