/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_SELECT_H
#define _KCHAN_SELECT_H

struct kchan_select;

long kchan_select(struct kchan_select __user *arg);

#endif /* _KCHAN_SELECT_H */
