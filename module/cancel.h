/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_CANCEL_H
#define _KCHAN_CANCEL_H

#include "object.h"

extern struct kchan_kind kchan_cancel_kind;

#endif /* _KCHAN_CANCEL_H */
