/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_QUOTA_H
#define _KCHAN_QUOTA_H

#include <linux/types.h>

/*
 * What each user may own, by the user id (in the initial namespace) that made
 * the objects.  Those with CAP_SYS_RESOURCE in the initial namespace are
 * counted, not limited.
 */
struct kchan_user;

struct kchan_user *kchan_charge(u32 objects, u64 bytes);
void kchan_uncharge(struct kchan_user *user, u32 objects, u64 bytes);

struct kchan_user *kchan_charge_files(u32 files);
void kchan_uncharge_files(struct kchan_user *user, u32 files);

void kchan_charge_more(struct kchan_user *user, s64 bytes);
bool kchan_is_over_quota(struct kchan_user *user);

u32 kchan_quota_objects(void);
u64 kchan_quota_bytes(void);

#endif /* _KCHAN_QUOTA_H */
