/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_CHAN_FILE_H
#define _KCHAN_CHAN_FILE_H

#include <linux/fs.h>

extern const struct file_operations kchan_chan_fops;

int kchan_create_chan(const void __user *arg);

#endif /* _KCHAN_CHAN_FILE_H */
