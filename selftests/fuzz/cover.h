/* SPDX-License-Identifier: GPL-2.0-only */
/* Which code of the module a call ran, where the kernel has KCOV. */
#ifndef COVER_H
#define COVER_H

#include <stdbool.h>
#include <linux/types.h>

/* Pairs of successive places, hashed; shared with forked children. */
#define EDGES	65536

bool cover_exists(void);	/* has this kernel KCOV? */
bool cover_open(void);		/* for the calls of this process, not of its children */
void cover_begin(void);
void cover_end(void);

/* Edges of the calls since the last cover_reset(), each a bit. */
extern __u8 *cover_seen;
void cover_reset(void);

#endif /* COVER_H */
