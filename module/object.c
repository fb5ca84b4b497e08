// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every object has: a number, pollers, and handles that are files.
 */
#include <linux/anon_inodes.h>
#include <linux/atomic.h>

#include <uapi/linux/kchan.h>

#include "object.h"

/**
 * kchan_object_init() - begin an object, with one reference
 * @obj: its common part
 */
void kchan_object_init(struct kchan_object *obj)
{
	static atomic64_t last_id;

	refcount_set(&obj->refs, 1);
	spin_lock_init(&obj->lock);
	obj->id = atomic64_inc_return(&last_id);
	init_waitqueue_head(&obj->pollers);
}

/**
 * kchan_object_wake_pollers() - tell pollers of a change
 * @obj: the object, not locked; the caller holds a reference
 * @events: what may hold now
 *
 * One message is news for one of those that poll exclusively; an end is news for
 * all of them.
 */
void kchan_object_wake_pollers(struct kchan_object *obj, __poll_t events)
{
	int nr_exclusive = events & (EPOLLHUP | EPOLLERR) ? 0 : 1;

	__wake_up(&obj->pollers, TASK_NORMAL, nr_exclusive, poll_to_key(events));
}

/**
 * kchan_open_handle() - make a file for an object, and reserve its number
 * @fops: the object's kind
 * @object: goes to the file's ->private_data
 * @rights: KCHAN_MODE_SEND, KCHAN_MODE_RECV or both
 * @nonblock: whether the file is to have O_NONBLOCK
 * @file: where to put the file; the caller installs it with fd_install()
 *
 * Return: the number, not yet installed, close-on-exec; or a negative errno
 */
int kchan_open_handle(const struct file_operations *fops, void *object,
		      fmode_t rights, bool nonblock, struct file **file)
{
	int flags = nonblock ? O_NONBLOCK : 0;
	int fd;

	if (rights == (KCHAN_MODE_SEND | KCHAN_MODE_RECV))
		flags |= O_RDWR;
	else
		flags |= rights == KCHAN_MODE_SEND ? O_WRONLY : O_RDONLY;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;

	*file = anon_inode_getfile("[kchan]", fops, object, flags);
	if (IS_ERR(*file)) {
		put_unused_fd(fd);
		return PTR_ERR(*file);
	}
	/* No position, so that threads do not queue up behind one. */
	stream_open(file_inode(*file), *file);
	return fd;
}

/**
 * kchan_rights_of() - the contract's rights
 * @mode: a file's ->f_mode
 *
 * Return: KCHAN_RIGHT_* bits
 */
u32 kchan_rights_of(fmode_t mode)
{
	return (mode & KCHAN_MODE_SEND ? KCHAN_RIGHT_SEND : 0) |
	       (mode & KCHAN_MODE_RECV ? KCHAN_RIGHT_RECV : 0);
}

/**
 * kchan_mode_of() - the inverse of kchan_rights_of()
 * @rights: KCHAN_RIGHT_* bits
 *
 * Return: KCHAN_MODE_* bits
 */
fmode_t kchan_mode_of(u32 rights)
{
	return (rights & KCHAN_RIGHT_SEND ? KCHAN_MODE_SEND : 0) |
	       (rights & KCHAN_RIGHT_RECV ? KCHAN_MODE_RECV : 0);
}
