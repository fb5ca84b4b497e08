/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that calls are given: structs, arrays and buffers, each in an area of
 * its own between pages that are not there, filled with poison so that whatever is
 * written outside of its place shows.  All is shared with forked children.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include "trace.h"

#define PAGE		4096u
#define BUFFERS		16	/* for the cases of a select; further ones share the last */
#define FIRST_PEER_BUFFER BUFFERS	/* those of parked peers */
#define POISON_BYTE	0xa5
#define MARGIN		64u

/* One piece of memory as one call sees it. */
struct piece {
	__u8 *area;
	size_t area_size;
	__u64 address;		/* what the call is told */
	__u8 *start;		/* where that is; NULL where it leads nowhere */
	size_t len;
	size_t present;		/* of these bytes */
	enum memory how;
};

void memory_init(void);

/* Places @len bytes so that they are @how; what surrounds them is poison. */
struct piece place_struct(enum memory how, size_t len);
struct piece place_cases(enum memory how, size_t len);
struct piece place_buffer(unsigned int number, enum memory how, size_t len);
/* What goes beside the message in that buffer. */
struct piece place_ancillary(unsigned int number, enum memory how, size_t len);
struct piece place_handles(unsigned int number, enum memory how, size_t len);
/* Of @len bytes only the first @present are there. */
struct piece place_part(unsigned int number, size_t len, size_t present);

/* Between filling a piece and looking at it: takes away what is not to be there. */
void arm(const struct piece *p);
void disarm(const struct piece *p);

/* Can the kernel read, or write, all of it? */
bool can_be_read(enum memory how);
bool can_be_written(enum memory how);

void fill_message(__u8 *to, size_t len, __u64 message);
bool holds_message(const __u8 *p, size_t len, __u64 message);
bool holds_only(const __u8 *p, size_t len, __u8 byte);
bool surroundings_untouched(const struct piece *p);

#endif /* MEMORY_H */
