/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_OBJECT_H
#define _KCHAN_OBJECT_H

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <uapi/linux/kchan.h>

/*
 * What every object has, whatever its kind.
 *
 * Each handle is a file with the object in ->private_data and its rights in
 * ->f_mode, where the VFS checks them for read(2), write(2) and mmap(2) too.
 * dup(2), fork(2) and SCM_RIGHTS share a handle; KCHAN_RESTRICT makes a new one.
 * The object lives until its last handle has been released.
 */
#define KCHAN_MODE_SEND		FMODE_WRITE
#define KCHAN_MODE_RECV		FMODE_READ

#define KCHAN_POLL_IN		(EPOLLIN | EPOLLRDNORM)
#define KCHAN_POLL_OUT		(EPOLLOUT | EPOLLWRNORM)
#define KCHAN_POLL_HUP		(EPOLLHUP | EPOLLRDHUP)

struct kchan_kind;
struct kchan_object;
struct kchan_op;

/**
 * struct kchan_queue - the entries parked on one side of an object, in order
 * @entries: guarded by the object's lock
 * @len: how many; guarded by the object's lock
 */
struct kchan_queue {
	struct list_head entries;
	unsigned int len;
};

/**
 * struct kchan_watcher - who is told when processes let go of an object
 * @channel: where to; held as by a handle that can send
 * @rights: KCHAN_MODE_* of whose handles
 * @cookie: for the notices
 */
struct kchan_watcher {
	struct kchan_object *channel;
	fmode_t rights;
	u64 cookie;
};

/**
 * struct kchan_departure - a table of files that goes, with handles of a watched object
 * @node: among the object's, guarded by its lock
 * @work: runs in the task that closes it, when it has
 * @file: one of the handles, held until then: so the object and the module stay
 * @task: the task; only ever compared
 * @files: the table; likewise
 * @rights: of all its handles
 * @pid: the process, once that has told that it ends
 */
struct kchan_departure {
	struct list_head node;
	struct callback_head work;
	struct file *file;
	struct task_struct *task;
	fl_owner_t files;
	fmode_t rights;
	struct pid *pid;
};

/**
 * struct kchan_object - the common part, first in each kind's struct
 * @refs: one for each handle, its maker's, and its tokens'
 * @lock: guards the kind's state; never two at once
 * @kind: what it is; constant
 * @id: tells it from all others of this module's lifetime; constant
 * @send_handles: handles that can send; never grows again from 0
 * @recv_handles: handles that can receive; likewise
 * @watchers: selects that only want to know what is ready
 * @pollers: poll and epoll; woken after unlocking
 * @watcher: who is told of processes that let go of it; NULL: nobody
 * @departures: tables of files that go with handles of it while it is watched
 * @told: those of processes that have told their end, and may have more tables
 * @number: where a process was last seen to have it open while it is watched; a hint
 * @watched: how many objects tell it
 * @user: who is charged; constant
 * @bytes: that were charged; constant
 */
struct kchan_object {
	refcount_t refs;
	spinlock_t lock;	/* all below that is not constant, and the kind's state */
	struct kchan_kind *kind;
	u64 id;
	u32 send_handles;
	u32 recv_handles;
	struct kchan_queue watchers;
	wait_queue_head_t pollers;
	struct kchan_watcher *watcher;
	struct list_head departures;
	struct list_head told;
	unsigned int number;
	u32 watched;
	struct kchan_user *user;
	u64 bytes;
};

/**
 * struct kchan_action - a call that takes a number, and waits for nothing
 * @cmd: its ioctl
 * @right: what it takes
 * @call: does it; returns what the ioctl returns
 * @only: the number that this is for; 0: for any that has no entry before
 */
struct kchan_action {
	unsigned int cmd;
	fmode_t right;
	int (*call)(struct kchan_object *obj, s64 value);
	s64 only;
};

/**
 * struct kchan_kind - what a kind of object does; what it does not need is NULL
 * @name: in fdinfo
 * @nr: KCHAN_KIND_*
 * @size: of its struct
 * @create_flags: that KCHAN_CREATE takes for it, beside KCHAN_NONBLOCK
 * @exclusive: what becomes ready is taken by one
 * @labels: names in fdinfo of elem_size, capacity, length, value, dropped, handles and
 *	depth of its stat
 * @actions: its calls that take a number, ended by an empty one
 * @fops: of its handles
 * @cache: where its structs come from; set once
 * @make: KCHAN_CREATE
 * @begin: prepare the operation of a case; -EINVAL where there is no such
 *	operation, another error only after setting ->type
 * @ready: poll(2)'s events that hold now, for all rights; locked
 * @stat: fill in what is the kind's own; locked
 * @orphaned: no handle has one of the rights any more; not locked
 * @flush: a process closes a file number of it; not locked
 * @mmap: mmap(2)
 * @free: free what hangs on it, which may be half built; nobody else has it
 */
struct kchan_kind {
	const char *name;
	u32 nr;
	size_t size;
	u32 create_flags;
	bool exclusive;
	const char *labels[7];
	const struct kchan_action *actions;
	const struct file_operations *fops;
	struct kmem_cache *cache;

	struct kchan_object *(*make)(const struct kchan_create *args);
	int (*begin)(struct kchan_op *op, const struct kchan_case *args);
	__poll_t (*ready)(struct kchan_object *obj);
	void (*stat)(struct kchan_object *obj, struct kchan_stat *stat);
	void (*orphaned)(struct kchan_object *obj);
	void (*flush)(struct kchan_object *obj, fl_owner_t files);
	int (*mmap)(struct kchan_object *obj, struct vm_area_struct *vma);
	void (*free)(struct kchan_object *obj);
};

int kchan_kind_init(struct kchan_kind *kind);
void kchan_kind_exit(struct kchan_kind *kind);

struct kchan_object *kchan_object_new(struct kchan_kind *kind, u64 bytes);
void kchan_object_put(struct kchan_object *obj);
void kchan_object_wake_pollers(struct kchan_object *obj, __poll_t events, bool many);

int kchan_open_handle(struct kchan_object *obj, fmode_t rights, u32 flags);
void kchan_departures_free(struct list_head *departures);
int kchan_object_set_watcher(struct kchan_object *obj, struct kchan_watcher *watcher);
int kchan_release(struct inode *inode, struct file *file);

/**
 * kchan_object_of() - the object behind a file
 * @file: any file
 *
 * Return: the object, as long as the file is held; NULL if it is none of ours
 */
static inline struct kchan_object *kchan_object_of(struct file *file)
{
	return file->f_op->release == kchan_release ? file->private_data : NULL;
}

/**
 * kchan_queue_init() - make an empty queue
 * @queue: the queue
 */
static inline void kchan_queue_init(struct kchan_queue *queue)
{
	INIT_LIST_HEAD(&queue->entries);
	queue->len = 0;
}

/**
 * kchan_object_is_watched() - whether a change must be told to others
 * @obj: the object, locked since the change
 *
 * Return: true if somebody may be polling or watching
 */
static inline bool kchan_object_is_watched(struct kchan_object *obj)
{
	lockdep_assert_held(&obj->lock);
	/*
	 * waitqueue_active() needs no barrier here: a poller joins the queue
	 * before it takes the lock to look at the state.  Either it finds the
	 * change, or we find it.
	 */
	return waitqueue_active(&obj->pollers) || obj->watchers.len;
}

/**
 * kchan_rights_of() - the contract's rights
 * @mode: a file's ->f_mode
 *
 * Return: KCHAN_RIGHT_* bits
 */
static inline u32 kchan_rights_of(fmode_t mode)
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
static inline fmode_t kchan_mode_of(u32 rights)
{
	return (rights & KCHAN_RIGHT_SEND ? KCHAN_MODE_SEND : 0) |
	       (rights & KCHAN_RIGHT_RECV ? KCHAN_MODE_RECV : 0);
}

#endif /* _KCHAN_OBJECT_H */
