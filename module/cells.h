/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_CELLS_H
#define _KCHAN_CELLS_H

#include "object.h"

extern struct kchan_kind kchan_cells_kind;

#endif /* _KCHAN_CELLS_H */
