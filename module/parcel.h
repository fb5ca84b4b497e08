/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_PARCEL_H
#define _KCHAN_PARCEL_H

#include <linux/list.h>
#include <linux/types.h>

struct kchan_cargo;

/* A message up to this size needs no memory of its own in a parcel. */
#define KCHAN_PARCEL_INLINE	128

/**
 * struct kchan_parcel - a message outside its channel's buffer
 * @node: in the channel's list of messages given back, or in a list of parcels to
 *	free
 * @seq: when it left the channel; tells the order of messages given back
 * @size: of the message
 * @data: the message, in @small or in memory of its own
 * @cargo: in @data, what travels with the message and is this parcel's; or NULL
 * @handles: that @cargo has room for
 * @small: room for small ones
 *
 * A parked sender's message waits in one; a parked receiver is handed its
 * message in one.  Who waits alone for a small message has it on the stack.
 */
struct kchan_parcel {
	struct list_head node;
	u64 seq;
	size_t size;
	void *data;
	struct kchan_cargo *cargo;
	u32 handles;
	u8 small[KCHAN_PARCEL_INLINE] __aligned(8);
};

struct kchan_parcel *kchan_parcel_alloc(size_t size);
void kchan_parcel_make(struct kchan_parcel *parcel, size_t size);
struct kchan_parcel *kchan_parcel_copy(const struct kchan_parcel *parcel);
void kchan_parcel_free(struct kchan_parcel *parcel);
void kchan_parcel_empty(struct kchan_parcel *parcel);
size_t kchan_parcel_bytes(size_t size);

int kchan_parcel_init(void);
void kchan_parcel_exit(void);

#endif /* _KCHAN_PARCEL_H */
