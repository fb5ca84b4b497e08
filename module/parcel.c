// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages outside their channel's buffer.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stddef.h>

#include "cargo.h"
#include "parcel.h"

static struct kmem_cache *parcel_cache;

/**
 * kchan_parcel_make() - make a parcel of memory that is there, on the stack for one
 * @parcel: the parcel; its data not initialised
 * @size: of the message in bytes; more than KCHAN_PARCEL_INLINE has no room yet
 */
void kchan_parcel_make(struct kchan_parcel *parcel, size_t size)
{
	parcel->size = size;
	parcel->cargo = NULL;
	parcel->data = parcel->small;
}

/**
 * kchan_parcel_alloc() - room for one message, charged to the current memcg
 * @size: of the message in bytes
 *
 * Return: the parcel, its data not initialised; NULL when there is no memory
 */
struct kchan_parcel *kchan_parcel_alloc(size_t size)
{
	struct kchan_parcel *parcel = kmem_cache_alloc(parcel_cache, GFP_KERNEL);

	if (!parcel)
		return NULL;
	kchan_parcel_make(parcel, size);
	if (size > sizeof(parcel->small)) {
		parcel->data = kvmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (!parcel->data) {
			kmem_cache_free(parcel_cache, parcel);
			return NULL;
		}
	}
	return parcel;
}

/**
 * kchan_parcel_copy() - what is in a parcel on the stack, in one to keep
 * @parcel: without cargo
 *
 * The message must not be lost, and is no other's to free: this waits for memory.
 *
 * Return: the parcel, never NULL
 */
struct kchan_parcel *kchan_parcel_copy(const struct kchan_parcel *parcel)
{
	struct kchan_parcel *copy = kmem_cache_alloc(parcel_cache, GFP_KERNEL | __GFP_NOFAIL);

	kchan_parcel_make(copy, parcel->size);
	memcpy(copy->data, parcel->data, parcel->size);
	copy->seq = parcel->seq;
	copy->handles = 0;
	return copy;
}

/**
 * kchan_parcel_empty() - drop what travels with the message in a parcel
 * @parcel: the parcel
 */
void kchan_parcel_empty(struct kchan_parcel *parcel)
{
	if (parcel->cargo)
		kchan_cargo_drop(parcel->cargo, parcel->handles);
	parcel->cargo = NULL;
}

/**
 * kchan_parcel_free() - free a parcel, with what is in it
 * @parcel: the parcel, or NULL
 */
void kchan_parcel_free(struct kchan_parcel *parcel)
{
	if (!parcel)
		return;
	kchan_parcel_empty(parcel);
	if (parcel->data != parcel->small)
		kvfree(parcel->data);
	kmem_cache_free(parcel_cache, parcel);
}

/**
 * kchan_parcel_bytes() - the memory that a parcel takes
 * @size: of the message in bytes
 *
 * Return: bytes
 */
size_t kchan_parcel_bytes(size_t size)
{
	return sizeof(struct kchan_parcel) + (size > KCHAN_PARCEL_INLINE ? size : 0);
}

/**
 * kchan_parcel_init() - called once, before any parcel is made
 *
 * Return: 0 or -ENOMEM
 */
int kchan_parcel_init(void)
{
	parcel_cache = kmem_cache_create_usercopy("kchan_parcel", sizeof(struct kchan_parcel),
						  0, SLAB_ACCOUNT,
						  offsetof(struct kchan_parcel, small),
						  KCHAN_PARCEL_INLINE, NULL);
	return parcel_cache ? 0 : -ENOMEM;
}

/**
 * kchan_parcel_exit() - called once, after all parcels are freed
 */
void kchan_parcel_exit(void)
{
	kmem_cache_destroy(parcel_cache);
}
