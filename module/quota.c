// SPDX-License-Identifier: GPL-2.0-only
/*
 * Per-user limits.  Charging happens when objects are made and freed, and when a
 * message has to go back, never when messages just move: one lock will do.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "quota.h"

static unsigned int max_user_objects = 1024;
module_param(max_user_objects, uint, 0644);
MODULE_PARM_DESC(max_user_objects, "objects one user may own");

static unsigned long max_user_bytes = 64UL << 20;
module_param(max_user_bytes, ulong, 0644);
MODULE_PARM_DESC(max_user_bytes, "bytes of memory one user's objects may take");

struct kchan_user {
	struct hlist_node node;
	kuid_t uid;
	u64 bytes;	/* the user is forgotten when the last one goes, */
	u32 files;	/* and the last file in a message */
	u32 objects;
};

static DEFINE_SPINLOCK(users_lock);	/* guards users and all in it */
static DEFINE_HASHTABLE(users, 6);

/**
 * kchan_quota_objects() - the limit in force
 *
 * Return: objects one user may own
 */
u32 kchan_quota_objects(void)
{
	return READ_ONCE(max_user_objects);
}

/**
 * kchan_quota_bytes() - the limit in force
 *
 * Return: bytes of memory one user's objects may take
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

/* Returns what is to be freed after unlocking. */
static struct kchan_user *user_forget_if_idle(struct kchan_user *user)
{
	if (user->bytes || user->files)
		return NULL;
	hash_del(&user->node);
	return user;
}

/* The lock is not held over what may take long: reclaim, and security modules. */
static bool is_exempt(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE);
}

/* What is not asked for may well be over its limit already. */
static bool user_may_add(const struct kchan_user *user, u32 objects, u64 bytes, u32 files)
{
	u64 limit = kchan_quota_bytes();

	return (!objects || user->objects < kchan_quota_objects()) &&
	       (!bytes || (bytes <= limit && user->bytes <= limit - bytes)) &&
	       (!files || (u64)user->files + files <= rlimit(RLIMIT_NOFILE));
}

/* The entry of @fresh's user id: another one, where there is one. */
static struct kchan_user *user_enter(struct kchan_user *fresh)
{
	struct kchan_user *user = user_find(fresh->uid);

	if (user)
		return user;
	hash_add(users, &fresh->node, __kuid_val(fresh->uid));
	return fresh;
}

static struct kchan_user *user_new(void)
{
	struct kchan_user *user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);

	if (user)
		user->uid = current_uid();
	return user;
}

/* Locked; but kchan_is_over_quota() reads it without. */
static void add_bytes(struct kchan_user *user, s64 bytes)
{
	WRITE_ONCE(user->bytes, user->bytes + bytes);
}

/* Adds all of it, or nothing and fails with @error. */
static struct kchan_user *charge(u32 objects, u64 bytes, u32 files, int error)
{
	struct kchan_user *fresh = user_new(), *user, *idle;
	bool exempt = is_exempt();

	if (!fresh)
		return ERR_PTR(-ENOMEM);

	spin_lock(&users_lock);
	user = user_enter(fresh);
	idle = user == fresh ? NULL : fresh;
	if (exempt || user_may_add(user, objects, bytes, files)) {
		add_bytes(user, bytes);
		user->objects += objects;
		user->files += files;
	} else {
		idle = idle ? idle : user_forget_if_idle(user);
		user = ERR_PTR(error);
	}
	spin_unlock(&users_lock);
	kfree(idle);
	return user;
}

static void uncharge(struct kchan_user *user, u32 objects, u64 bytes, u32 files)
{
	struct kchan_user *idle;

	spin_lock(&users_lock);
	add_bytes(user, -bytes);
	user->objects -= objects;
	user->files -= files;
	idle = user_forget_if_idle(user);
	spin_unlock(&users_lock);
	kfree(idle);
}

/**
 * kchan_charge() - charge memory to the current user
 * @objects: 1 for a new object; 0 for what only lasts as long as a call
 * @bytes: its memory, not 0; at most a few GiB
 *
 * Return: whom to uncharge; -EDQUOT or -ENOMEM
 */
struct kchan_user *kchan_charge(u32 objects, u64 bytes)
{
	return charge(objects, bytes, 0, -EDQUOT);
}

/**
 * kchan_uncharge() - take back what kchan_charge() charged
 * @user: what it returned
 * @objects: as charged
 * @bytes: as charged
 */
void kchan_uncharge(struct kchan_user *user, u32 objects, u64 bytes)
{
	uncharge(user, objects, bytes, 0);
}

/**
 * kchan_charge_files() - charge files on their way to the current user
 * @files: how many, not 0
 *
 * As for AF_UNIX sockets, what a process may have open is also what its user may have
 * on the way when it sends more.
 *
 * Return: whom to uncharge; -ETOOMANYREFS or -ENOMEM
 */
struct kchan_user *kchan_charge_files(u32 files)
{
	return charge(0, 0, files, -ETOOMANYREFS);
}

/**
 * kchan_uncharge_files() - take back what kchan_charge_files() charged
 * @user: what it returned
 * @files: as charged
 */
void kchan_uncharge_files(struct kchan_user *user, u32 files)
{
	uncharge(user, 0, 0, files);
}

/**
 * kchan_charge_more() - an object holds more memory than it was made with
 * @user: charged for that object
 * @bytes: to add; negative to take back.  There is no limit to this, since a
 *	message must not be lost: kchan_is_over_quota() keeps it in bounds
 */
void kchan_charge_more(struct kchan_user *user, s64 bytes)
{
	spin_lock(&users_lock);
	add_bytes(user, bytes);
	spin_unlock(&users_lock);
}

/**
 * kchan_is_over_quota() - whether a user's objects hold more than they may
 * @user: charged for an object that the current task waits on
 *
 * Return: true if nothing should be begun that could charge more
 */
bool kchan_is_over_quota(struct kchan_user *user)
{
	return READ_ONCE(user->bytes) > kchan_quota_bytes() && !is_exempt();
}
