/* SPDX-License-Identifier: GPL-2.0-only */
/* From a long trace that shows a difference to a short one. */
#ifndef SHRINK_H
#define SHRINK_H

#include "play.h"

/* Makes @t as small as can be; false if it does not fail (any more). */
bool shrink(struct trace *t, struct score *score);

#endif /* SHRINK_H */
