// SPDX-License-Identifier: GPL-2.0-only
/*
 * kchan: channels between threads and processes, owned by the kernel.
 *
 * /dev/kchan makes objects, each a file of its own, and says what it offers.
 * From the top down:
 *
 *	main.c		the module and its device
 *	file.c		what the handles of every kind do
 *	watch.c		telling who lets go of an object
 *	select.c	select: cases, looked up and checked
 *	chan_file.c	channels as files: ioctls, read, write
 *	batch.c		channels: many messages in one call
 *	call.c		channels: a request and its answer
 *	chan.c		channels: how they are made and end
 *	transfer.c	channels: messages on their way
 *	count.c		wait groups, semaphores and tokens
 *	lock.c		mutexes, rwmutexes and onces
 *	cond.c		conds
 *	timer.c		timers
 *	cells.c		cells
 *	cancel.c	cancels
 *	alarm.c		what is to happen at some time
 *	parcel.c	messages outside their channel's buffer
 *	cargo.c		what travels with a message beside its bytes
 *	op.c		doing one of several operations
 *	wait.c		the wait core: sleeping, claiming, waking
 *	object.c	what every object has
 *	quota.c		what each user may own
 *	uarg.c		structs and deadlines on their way in and out
 *	compat.h	differences between kernels
 */
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include <uapi/linux/kchan.h>

#include "cancel.h"
#include "cells.h"
#include "chan.h"
#include "chan_file.h"
#include "cond.h"
#include "count.h"
#include "lock.h"
#include "select.h"
#include "timer.h"
#include "parcel.h"
#include "quota.h"
#include "uarg.h"

static struct kchan_kind *const kinds[] = {
	&kchan_chan_kind,
	&kchan_waitgroup_kind,
	&kchan_semaphore_kind,
	&kchan_token_kind,
	&kchan_mutex_kind,
	&kchan_rwmutex_kind,
	&kchan_once_kind,
	&kchan_cond_kind,
	&kchan_timer_kind,
	&kchan_cells_kind,
	&kchan_cancel_kind,
};

static int kchan_features(void __user *arg)
{
	const struct kchan_features features = {
		.abi_version = KCHAN_ABI_VERSION,
		.features = KCHAN_FEATURE_CHAN | KCHAN_FEATURE_SELECT | KCHAN_FEATURE_SYNC |
			    KCHAN_FEATURE_POLICY | KCHAN_FEATURE_BATCH |
			    KCHAN_FEATURE_CALL | KCHAN_FEATURE_CARGO | KCHAN_FEATURE_WATCH,
		.max_elem_size = KCHAN_MAX_ELEM_SIZE,
		.max_capacity = KCHAN_MAX_CAPACITY,
		.max_user_objects = kchan_quota_objects(),
		.max_user_bytes = kchan_quota_bytes(),
	};

	return kchan_write_struct(arg, &features, sizeof(features), sizeof(features));
}

/* The kind that is made by KCHAN_CREATE under that number, or NULL. */
static struct kchan_kind *find_kind(u32 nr)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i]->nr == nr && kinds[i]->make)
			return kinds[i];
	}
	return NULL;
}

static int kchan_create(const void __user *arg)
{
	struct kchan_create args;
	struct kchan_object *obj;
	struct kchan_kind *kind;
	int ret;

	ret = kchan_read_struct(&args, sizeof(args), arg);
	if (ret)
		return ret;
	kind = find_kind(args.kind);
	if (!kind || args.flags & ~(kind->create_flags | KCHAN_NONBLOCK) ||
	    (args.parent && !(args.flags & KCHAN_CHILD)) ||
	    (args.deadline && !(args.flags & KCHAN_DEADLINE)))
		return -EINVAL;
	obj = kind->make(&args);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = kchan_open_handle(obj, KCHAN_MODE_SEND | KCHAN_MODE_RECV, args.flags);
	kchan_object_put(obj);
	return ret;
}

static long kchan_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case KCHAN_FEATURES:
		return kchan_features(argp);
	case KCHAN_CREATE_CHAN:
		return kchan_create_chan(argp);
	case KCHAN_CREATE:
		return kchan_create(argp);
	case KCHAN_SELECT:
		return kchan_select(argp);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations kchan_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = kchan_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* Anybody may make channels: the limits protect the system, not the mode. */
static struct miscdevice kchan_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kchan",
	.mode = 0666,
	.fops = &kchan_fops,
};

/* The contract, in every kernel and for every program. */
static void __init kchan_check_abi(void)
{
	BUILD_BUG_ON(sizeof(struct kchan_features) != 40);
	BUILD_BUG_ON(sizeof(struct kchan_create_chan) != 32);
	BUILD_BUG_ON(offsetof(struct kchan_create_chan, handles) != KCHAN_CREATE_CHAN_SIZE_V1);
	BUILD_BUG_ON(sizeof(struct kchan_ancillary) != 32);
	BUILD_BUG_ON(sizeof(struct kchan_create) != 32);
	BUILD_BUG_ON(sizeof(struct kchan_msg) != 40);
	BUILD_BUG_ON(offsetof(struct kchan_msg, ancillary) != KCHAN_MSG_SIZE_V1);
	BUILD_BUG_ON(sizeof(struct kchan_batch) != 40);
	BUILD_BUG_ON(sizeof(struct kchan_call) != 48);
	BUILD_BUG_ON(sizeof(struct kchan_watch) != 24);
	BUILD_BUG_ON(sizeof(struct kchan_notice) != 24);
	BUILD_BUG_ON(sizeof(struct kchan_wait) != 40);
	BUILD_BUG_ON(sizeof(struct kchan_case) != 32);
	BUILD_BUG_ON(sizeof(struct kchan_select) != 40);
	BUILD_BUG_ON(sizeof(struct kchan_arg) != 16);
	BUILD_BUG_ON(sizeof(struct kchan_timer) != 24);
	BUILD_BUG_ON(sizeof(struct kchan_cell) != 64);
	BUILD_BUG_ON(sizeof(struct kchan_restrict) != 16);
	BUILD_BUG_ON(sizeof(struct kchan_stat) != 80);
	BUILD_BUG_ON(offsetof(struct kchan_stat, value) != KCHAN_STAT_SIZE_V1);
}

static void free_kinds(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		kchan_kind_exit(kinds[i]);
}

static int __init init_kinds(void)
{
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		ret = kchan_kind_init(kinds[i]);
		if (ret) {
			free_kinds();
			return ret;
		}
	}
	return 0;
}

static int __init kchan_init(void)
{
	int ret;

	kchan_check_abi();
	ret = kchan_parcel_init();
	if (ret)
		return ret;
	ret = init_kinds();
	if (ret)
		goto err_parcel;
	ret = misc_register(&kchan_device);
	if (ret)
		goto err_kinds;
	return 0;

err_kinds:
	free_kinds();
err_parcel:
	kchan_parcel_exit();
	return ret;
}

static void __exit kchan_exit(void)
{
	misc_deregister(&kchan_device);
	free_kinds();
	kchan_parcel_exit();
}

module_init(kchan_init);
module_exit(kchan_exit);

MODULE_DESCRIPTION("Channels between threads and processes, owned by the kernel");
MODULE_AUTHOR("The kchan developers");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.3.0");
