/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_FILE_H
#define _KCHAN_FILE_H

#include <linux/fs.h>
#include <linux/poll.h>

#include "op.h"

struct seq_file;

extern const struct file_operations kchan_object_fops;

long kchan_object_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
__poll_t kchan_object_poll(struct file *file, poll_table *wait);
int kchan_object_flush(struct file *file, fl_owner_t files);
void kchan_object_show_fdinfo(struct seq_file *m, struct file *file);

/**
 * kchan_may_wait() - whether a call may wait
 * @file: the handle
 * @flags: the call's
 *
 * Return: false if one of them asks not to
 */
static inline bool kchan_may_wait(struct file *file, u32 flags)
{
	return !(flags & KCHAN_NONBLOCK) && !(file->f_flags & O_NONBLOCK);
}

#endif /* _KCHAN_FILE_H */
