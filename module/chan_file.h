/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_CHAN_FILE_H
#define _KCHAN_CHAN_FILE_H

int kchan_create_chan(const void __user *arg);

#endif /* _KCHAN_CHAN_FILE_H */
