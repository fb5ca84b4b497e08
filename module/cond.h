/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_COND_H
#define _KCHAN_COND_H

#include "object.h"

extern struct kchan_kind kchan_cond_kind;

#endif /* _KCHAN_COND_H */
