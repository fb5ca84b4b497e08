/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_LOCK_H
#define _KCHAN_LOCK_H

#include <linux/types.h>

#include "object.h"

extern struct kchan_kind kchan_mutex_kind;
extern struct kchan_kind kchan_rwmutex_kind;
extern struct kchan_kind kchan_once_kind;

bool kchan_lock_is_held(struct kchan_object *obj);
int kchan_lock_give_back(struct kchan_object *obj);

/**
 * kchan_is_lock() - whether an object can be locked and unlocked
 * @obj: the object
 *
 * Return: true for a mutex or rwmutex
 */
static inline bool kchan_is_lock(const struct kchan_object *obj)
{
	return obj->kind == &kchan_mutex_kind || obj->kind == &kchan_rwmutex_kind;
}

#endif /* _KCHAN_LOCK_H */
