/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_OBJECT_H
#define _KCHAN_OBJECT_H

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

/*
 * What every object has, whatever its kind.
 *
 * Each handle is a file with the object in ->private_data and its rights in
 * ->f_mode, where the VFS checks them for read(2) and write(2) too.  dup(2),
 * fork(2) and SCM_RIGHTS share a handle; KCHAN_RESTRICT makes a new one.  The
 * object lives until its last handle has been released.
 */
#define KCHAN_MODE_SEND		FMODE_WRITE
#define KCHAN_MODE_RECV		FMODE_READ

/**
 * struct kchan_object - the common part, first in each kind's struct
 * @refs: one for each handle, and its maker's
 * @lock: the outermost lock, guards the kind's state; never two at once
 * @id: tells it from all others of this module's lifetime
 * @pollers: poll and epoll; woken after unlocking
 */
struct kchan_object {
	refcount_t refs;
	spinlock_t lock;	/* the kind's state */
	u64 id;
	wait_queue_head_t pollers;
};

void kchan_object_init(struct kchan_object *obj);
int kchan_open_handle(const struct file_operations *fops, void *object,
		      fmode_t rights, bool nonblock, struct file **file);

void kchan_object_wake_pollers(struct kchan_object *obj, __poll_t events);

u32 kchan_rights_of(fmode_t mode);
fmode_t kchan_mode_of(u32 rights);

/**
 * kchan_object_has_pollers() - whether a change must be told to pollers
 * @obj: the object, locked since the change
 *
 * Return: true if somebody may be polling
 */
static inline bool kchan_object_has_pollers(struct kchan_object *obj)
{
	lockdep_assert_held(&obj->lock);
	/*
	 * waitqueue_active() needs no barrier here: a poller joins the queue
	 * before it takes the lock to look at the state.  Either it finds the
	 * change, or we find it.
	 */
	return waitqueue_active(&obj->pollers);
}

#endif /* _KCHAN_OBJECT_H */
