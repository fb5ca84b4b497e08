// SPDX-License-Identifier: GPL-2.0-only
/*
 * Telling a channel which processes let go of an object.
 *
 * A process lets go when it closes the last file number of its handles, or ends with
 * them: the kernel tells us of each number (->flush), in that process, with the table
 * it was in.  Whether the table has others is found by looking through it, but not
 * when the whole table goes: from Linux 6.13 on it keeps the numbers of files that are
 * closed, and perhaps freed.  Then all its handles go, and it tells once they have.
 */
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>

#include "chan.h"
#include "compat.h"
#include "uarg.h"
#include "watch.h"

static bool can_be_told(struct file *file)
{
	struct kchan_object *obj = kchan_object_of(file);

	return obj && obj->kind == &kchan_chan_kind &&
	       kchan_chan_of(obj)->elem_size == sizeof(struct kchan_notice);
}

/* @file: where notices are to go. */
static int watch(struct kchan_object *obj, struct file *file, const struct kchan_watch *args)
{
	struct kchan_watcher *watcher;

	if (!can_be_told(file))
		return -EINVAL;
	if (!(file->f_mode & KCHAN_MODE_SEND))
		return -EBADF;
	watcher = kmalloc(sizeof(*watcher), GFP_KERNEL_ACCOUNT);
	if (!watcher)
		return -ENOMEM;
	watcher->channel = kchan_object_of(file);
	watcher->rights = kchan_mode_of(args->rights);
	watcher->cookie = args->cookie;
	return kchan_object_set_watcher(obj, watcher);
}

/**
 * kchan_watch() - KCHAN_WATCH
 * @file: a handle of the object
 * @arg: the caller's struct kchan_watch
 *
 * Return: 0 or a negative errno
 */
long kchan_watch(struct file *file, const void __user *arg)
{
	struct kchan_watch args;
	struct fd told;
	int ret;

	ret = kchan_read_struct(&args, sizeof(args), arg);
	if (ret)
		return ret;
	if (args.flags || !args.rights || args.rights & ~(KCHAN_RIGHT_SEND | KCHAN_RIGHT_RECV))
		return -EINVAL;
	if (kchan_rights_of(file->f_mode) != (KCHAN_RIGHT_SEND | KCHAN_RIGHT_RECV))
		return -EBADF;
	if (args.fd < 0)
		return kchan_object_set_watcher(file->private_data, NULL);
	told = fdget(args.fd);
	if (!fd_file(told))
		return -EBADF;
	ret = watch(file->private_data, fd_file(told), &args);
	fdput(told);
	return ret;
}

/**
 * struct rights_left - what a process can still do with an object
 * @obj: the object
 * @wanted: KCHAN_MODE_* that matter
 * @rights: KCHAN_MODE_*
 * @number: where the last of them was found
 */
struct rights_left {
	const struct kchan_object *obj;
	fmode_t wanted;
	fmode_t rights;
	unsigned int number;
};

static int add_rights(const void *arg, struct file *file, unsigned int number)
{
	struct rights_left *left = (struct rights_left *)arg;

	if (kchan_object_of(file) != left->obj)
		return 0;
	left->rights |= file->f_mode;
	left->number = number;
	return !(left->wanted & ~left->rights);
}

/* The number that is being closed is no longer in the table. */
static fmode_t rights_gone(struct file *file, fl_owner_t files)
{
	struct kchan_object *obj = file->private_data;
	struct rights_left left = {
		.obj = obj,
		.wanted = file->f_mode & (KCHAN_MODE_SEND | KCHAN_MODE_RECV),
	};

	/* From there on first: who closes many mostly does so in order. */
	if (iterate_fd(files, READ_ONCE(obj->number), add_rights, &left) ||
	    iterate_fd(files, 0, add_rights, &left))
		WRITE_ONCE(obj->number, left.number);
	return file->f_mode & ~left.rights;
}

/* A thread may end alone, with a table of its own. */
static bool process_ends(void)
{
	return current->flags & PF_EXITING && current->signal->flags & SIGNAL_GROUP_EXIT;
}

/* Tells that the current process has lost these rights. */
static void tell(struct kchan_object *obj, fmode_t gone)
{
	const bool exits = process_ends();
	struct kchan_object *channel = NULL;
	struct kchan_notice notice = {
		.rights = kchan_rights_of(gone),
		.flags = exits ? KCHAN_NOTICE_EXIT : 0,
		.status = exits ? current->signal->group_exit_code : 0,
	};

	spin_lock(&obj->lock);
	if (obj->watcher) {
		notice.rights &= kchan_rights_of(obj->watcher->rights);
		notice.cookie = obj->watcher->cookie;
		channel = obj->watcher->channel;
		refcount_inc(&channel->refs);
	}
	spin_unlock(&obj->lock);
	if (!channel)
		return;
	if (notice.rights)
		kchan_chan_post(kchan_chan_of(channel), &notice);
	kchan_object_put(channel);
}

/*
 * An end is told once, though threads may have tables of their own, as one that dumps
 * core always has.  Returns what of the current process' departure is yet to be told.
 */
static fmode_t untold(struct kchan_object *obj, struct kchan_departure *departure,
		      struct list_head *over)
{
	struct list_head *to = get_nr_threads(current) > 1 ? &obj->told : over;
	fmode_t rights = departure->rights;
	struct kchan_departure *pos, *next;

	list_for_each_entry_safe(pos, next, &obj->told, node) {
		if (pos->pid == task_tgid(current)) {
			rights &= ~pos->rights;
			pos->rights |= rights;
			to = over;
		} else if (!pid_has_task(pos->pid, PIDTYPE_TGID)) {
			list_move(&pos->node, over);
		}
	}
	departure->pid = get_pid(task_tgid(current));
	list_move(&departure->node, to);
	return rights;
}

static void departed(struct callback_head *work)
{
	struct kchan_departure *departure = container_of(work, struct kchan_departure, work);
	struct file *file = departure->file;
	struct kchan_object *obj = file->private_data;
	fmode_t rights = departure->rights;
	LIST_HEAD(over);

	spin_lock(&obj->lock);
	if (process_ends())
		rights = untold(obj, departure, &over);
	else
		list_move(&departure->node, &over);
	spin_unlock(&obj->lock);
	kchan_departures_free(&over);
	tell(obj, rights);
	fput(file);
}

/* Adds to the departure of that table; false: it has yet to begin. */
static bool depart_with(struct kchan_object *obj, struct file *file, fl_owner_t files)
{
	struct kchan_departure *departure;
	bool found = false;

	spin_lock(&obj->lock);
	list_for_each_entry(departure, &obj->departures, node) {
		if (departure->task != current || departure->files != files)
			continue;
		departure->rights |= file->f_mode;
		found = true;
		break;
	}
	spin_unlock(&obj->lock);
	return found;
}

static void depart(struct kchan_object *obj, struct file *file, fl_owner_t files)
{
	struct kchan_departure *departure;

	if (depart_with(obj, file, files))
		return;
	/* A supervisor relies on it, and memory is what this process may have died of. */
	departure = kmalloc(sizeof(*departure), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	get_file(file);
	init_task_work(&departure->work, departed);
	departure->file = file;
	departure->task = current;
	departure->files = files;
	departure->rights = file->f_mode;
	departure->pid = NULL;
	spin_lock(&obj->lock);
	list_add(&departure->node, &obj->departures);
	spin_unlock(&obj->lock);
	if (task_work_add(current, &departure->work, TWA_RESUME))
		departed(&departure->work);
}

/**
 * kchan_watch_tell() - a process closes a file number of a handle that is watched
 * @file: the handle
 * @files: the process' table, where it stood
 */
void kchan_watch_tell(struct file *file, fl_owner_t files)
{
	struct kchan_object *obj = file->private_data;
	fmode_t gone;

	/* The kernel closes files of nobody's table, too. */
	if (!files)
		return;
	/* Nobody has the table any more: all that is in it goes. */
	if (!atomic_read(&((struct files_struct *)files)->count)) {
		if (current->flags & PF_EXITING) {
			depart(obj, file, files);
			return;
		}
		/* A failed fork's was never anybody's; whoever has unshared it has a copy. */
		files = current->files;
	}
	gone = rights_gone(file, files);
	if (gone & (KCHAN_MODE_SEND | KCHAN_MODE_RECV))
		tell(obj, gone);
}
