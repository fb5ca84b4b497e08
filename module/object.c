// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every object has: memory, a number, pollers, and handles that are files.
 */
#include <linux/anon_inodes.h>
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/slab.h>

#include "object.h"
#include "quota.h"

/**
 * kchan_kind_init() - called once, before any object of that kind is made
 * @kind: the kind
 *
 * Return: 0 or -ENOMEM
 */
int kchan_kind_init(struct kchan_kind *kind)
{
	char name[32];

	snprintf(name, sizeof(name), "kchan_%s", kind->name);
	kind->cache = kmem_cache_create(name, kind->size, 0, SLAB_ACCOUNT, NULL);
	return kind->cache ? 0 : -ENOMEM;
}

/**
 * kchan_kind_exit() - called once, after all objects of that kind are freed
 * @kind: the kind, perhaps never initialised
 */
void kchan_kind_exit(struct kchan_kind *kind)
{
	kmem_cache_destroy(kind->cache);
	kind->cache = NULL;
}

/**
 * kchan_object_new() - begin an object, charged to the current user and memcg
 * @kind: what it is
 * @bytes: that will hang on it, to be charged to the user with it
 *
 * All that is the kind's own is zero.  It has no handle yet, and is the caller's
 * to kchan_object_put(), whether the kind finishes it or not.
 *
 * Return: the object; -ENOMEM or -EDQUOT
 */
struct kchan_object *kchan_object_new(struct kchan_kind *kind, u64 bytes)
{
	static atomic64_t last_id;
	struct kchan_object *obj = kmem_cache_zalloc(kind->cache, GFP_KERNEL);
	struct kchan_user *user;

	if (!obj)
		return ERR_PTR(-ENOMEM);
	user = kchan_charge(1, kind->size + bytes);
	if (IS_ERR(user)) {
		kmem_cache_free(kind->cache, obj);
		return ERR_CAST(user);
	}
	refcount_set(&obj->refs, 1);
	spin_lock_init(&obj->lock);
	obj->kind = kind;
	obj->id = atomic64_inc_return(&last_id);
	kchan_queue_init(&obj->watchers);
	init_waitqueue_head(&obj->pollers);
	INIT_LIST_HEAD(&obj->departures);
	INIT_LIST_HEAD(&obj->told);
	obj->user = user;
	obj->bytes = kind->size + bytes;
	return obj;
}

static void put_handle(struct kchan_object *obj, fmode_t rights);

static void watcher_free(struct kchan_watcher *watcher)
{
	struct kchan_object *channel;

	if (!watcher)
		return;
	channel = watcher->channel;
	spin_lock(&channel->lock);
	channel->watched--;
	spin_unlock(&channel->lock);
	/* What is told watches nothing itself: this goes no deeper. */
	put_handle(channel, KCHAN_MODE_SEND);
	kfree(watcher);
}

/**
 * kchan_departures_free() - free what was noted of those that went
 * @departures: linked by their nodes
 */
void kchan_departures_free(struct list_head *departures)
{
	struct kchan_departure *departure, *next;

	list_for_each_entry_safe(departure, next, departures, node) {
		put_pid(departure->pid);
		kfree(departure);
	}
}

/**
 * kchan_object_put() - let go of a reference
 * @obj: freed with the last one
 */
void kchan_object_put(struct kchan_object *obj)
{
	struct kchan_kind *kind = obj->kind;

	if (!refcount_dec_and_test(&obj->refs))
		return;
	if (kind->free)
		kind->free(obj);
	watcher_free(obj->watcher);
	kchan_departures_free(&obj->told);
	kchan_uncharge(obj->user, 1, obj->bytes);
	kmem_cache_free(kind->cache, obj);
}

/**
 * kchan_object_wake_pollers() - tell pollers of a change
 * @obj: the object, not locked; the caller holds a reference
 * @events: what may hold now
 * @many: for more than one
 *
 * What only one can take is news for one of those that poll exclusively; all else,
 * such as an end, is news for all of them.
 */
void kchan_object_wake_pollers(struct kchan_object *obj, __poll_t events, bool many)
{
	int nr_exclusive = obj->kind->exclusive && !many && !(events & (EPOLLHUP | EPOLLERR));

	__wake_up(&obj->pollers, TASK_NORMAL, nr_exclusive, poll_to_key(events));
}

static void get_handle(struct kchan_object *obj, fmode_t rights)
{
	refcount_inc(&obj->refs);
	spin_lock(&obj->lock);
	obj->send_handles += !!(rights & KCHAN_MODE_SEND);
	obj->recv_handles += !!(rights & KCHAN_MODE_RECV);
	spin_unlock(&obj->lock);
}

static void put_handle(struct kchan_object *obj, fmode_t rights)
{
	bool orphaned = false;

	spin_lock(&obj->lock);
	if (rights & KCHAN_MODE_SEND)
		orphaned |= !--obj->send_handles;
	if (rights & KCHAN_MODE_RECV)
		orphaned |= !--obj->recv_handles;
	spin_unlock(&obj->lock);

	if (orphaned && obj->kind->orphaned)
		obj->kind->orphaned(obj);
	/* Last of all: pollers were woken above, while the object was ours. */
	kchan_object_put(obj);
}

/* Whoever is watched is not told, and the reverse: so nobody keeps himself alive. */
static int begin_watch(struct kchan_object *channel)
{
	int ret = 0;

	get_handle(channel, KCHAN_MODE_SEND);
	spin_lock(&channel->lock);
	channel->watched++;
	if (channel->watcher)
		ret = -ELOOP;
	spin_unlock(&channel->lock);
	return ret;
}

/**
 * kchan_object_set_watcher() - choose who is told when processes let go of an object
 * @obj: the object
 * @watcher: who, through a handle that can send; NULL: nobody.  Freed in any case, now
 *	or later
 *
 * Return: 0, -ELOOP
 */
int kchan_object_set_watcher(struct kchan_object *obj, struct kchan_watcher *watcher)
{
	int ret = watcher ? begin_watch(watcher->channel) : 0;
	struct kchan_watcher *old = watcher;

	spin_lock(&obj->lock);
	if (!ret && watcher && obj->watched)
		ret = -ELOOP;
	if (!ret) {
		old = obj->watcher;
		/* Who closes a number looks without the lock whether there is one. */
		WRITE_ONCE(obj->watcher, watcher);
	}
	spin_unlock(&obj->lock);
	watcher_free(old);
	return ret;
}

static struct file *open_file(struct kchan_object *obj, fmode_t rights, u32 flags)
{
	int oflags = flags & KCHAN_NONBLOCK ? O_NONBLOCK : 0;
	struct file *file;

	if (rights == (KCHAN_MODE_SEND | KCHAN_MODE_RECV))
		oflags |= O_RDWR;
	else
		oflags |= rights == KCHAN_MODE_SEND ? O_WRONLY : O_RDONLY;

	file = anon_inode_getfile("[kchan]", obj->kind->fops, obj, oflags);
	/* No position, so that threads do not queue up behind one. */
	if (!IS_ERR(file))
		stream_open(file_inode(file), file);
	return file;
}

/**
 * kchan_open_handle() - make a handle
 * @obj: new, or through a handle with at least these rights
 * @rights: KCHAN_MODE_SEND, KCHAN_MODE_RECV or both
 * @flags: KCHAN_NONBLOCK sets O_NONBLOCK
 *
 * Return: its file number, close-on-exec; or a negative errno
 */
int kchan_open_handle(struct kchan_object *obj, fmode_t rights, u32 flags)
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;

	get_handle(obj, rights);
	file = open_file(obj, rights, flags);
	if (IS_ERR(file)) {
		put_handle(obj, rights);
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

/**
 * kchan_release() - the last file number of a handle is gone
 * @inode: unused
 * @file: the handle
 *
 * The ->release of every kind, and so what tells our files from others.
 *
 * Return: 0
 */
int kchan_release(struct inode *inode, struct file *file)
{
	put_handle(file->private_data, file->f_mode);
	return 0;
}
