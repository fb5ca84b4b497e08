/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_CALL_H
#define _KCHAN_CALL_H

#include <linux/fs.h>

#include <uapi/linux/kchan.h>

long kchan_call(struct file *file, struct kchan_call __user *arg);

#endif /* _KCHAN_CALL_H */
