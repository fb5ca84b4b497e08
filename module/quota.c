// SPDX-License-Identifier: GPL-2.0-only
/*
 * Per-user limits.  Charging happens when objects are made and freed, never
 * when messages move, so one mutex will do.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

#include "quota.h"

static unsigned int max_user_channels = 1024;
module_param(max_user_channels, uint, 0644);
MODULE_PARM_DESC(max_user_channels, "channels one user may own");

static unsigned long max_user_bytes = 64UL << 20;
module_param(max_user_bytes, ulong, 0644);
MODULE_PARM_DESC(max_user_bytes, "bytes of channel memory one user may own");

struct kchan_user {
	struct hlist_node node;
	kuid_t uid;
	u64 bytes;
	u32 channels;	/* the user is forgotten when the last one goes */
};

static DEFINE_MUTEX(users_lock);	/* guards users and all in it */
static DEFINE_HASHTABLE(users, 6);

/**
 * kchan_quota_channels() - the limit in force
 *
 * Return: channels one user may own
 */
u32 kchan_quota_channels(void)
{
	return READ_ONCE(max_user_channels);
}

/**
 * kchan_quota_bytes() - the limit in force
 *
 * Return: bytes of channel memory one user may own
 */
u64 kchan_quota_bytes(void)
{
	return READ_ONCE(max_user_bytes);
}

static struct kchan_user *user_find(kuid_t uid)
{
	struct kchan_user *user;

	hash_for_each_possible(users, user, node, __kuid_val(uid)) {
		if (uid_eq(user->uid, uid))
			return user;
	}
	return NULL;
}

static struct kchan_user *user_find_or_add(kuid_t uid)
{
	struct kchan_user *user = user_find(uid);

	if (user)
		return user;
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return NULL;
	user->uid = uid;
	hash_add(users, &user->node, __kuid_val(uid));
	return user;
}

static void user_forget_if_idle(struct kchan_user *user)
{
	if (user->channels)
		return;
	hash_del(&user->node);
	kfree(user);
}

static bool user_is_over(const struct kchan_user *user, u64 bytes)
{
	return user->channels >= kchan_quota_channels() ||
	       bytes > kchan_quota_bytes() ||
	       user->bytes > kchan_quota_bytes() - bytes;
}

/**
 * kchan_charge() - charge a new channel to the current user
 * @bytes: its memory; at most a few GiB
 *
 * Return: whom to uncharge; -EDQUOT or -ENOMEM
 */
struct kchan_user *kchan_charge(u64 bytes)
{
	struct kchan_user *user;

	mutex_lock(&users_lock);
	user = user_find_or_add(current_uid());
	if (!user) {
		user = ERR_PTR(-ENOMEM);
	} else if (user_is_over(user, bytes) && !capable(CAP_SYS_RESOURCE)) {
		user_forget_if_idle(user);
		user = ERR_PTR(-EDQUOT);
	} else {
		user->bytes += bytes;
		user->channels++;
	}
	mutex_unlock(&users_lock);
	return user;
}

/**
 * kchan_uncharge() - take back what kchan_charge() charged
 * @user: what it returned
 * @bytes: as charged
 */
void kchan_uncharge(struct kchan_user *user, u64 bytes)
{
	mutex_lock(&users_lock);
	user->bytes -= bytes;
	user->channels--;
	user_forget_if_idle(user);
	mutex_unlock(&users_lock);
}
