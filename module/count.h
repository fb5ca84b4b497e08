/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_COUNT_H
#define _KCHAN_COUNT_H

#include "object.h"

extern struct kchan_kind kchan_waitgroup_kind;
extern struct kchan_kind kchan_semaphore_kind;
extern struct kchan_kind kchan_token_kind;

#endif /* _KCHAN_COUNT_H */
