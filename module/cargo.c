// SPDX-License-Identifier: GPL-2.0-only
/*
 * What travels with a message beside its bytes; the rules stand in cargo.h.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>
#include <net/sock.h>

#include "cargo.h"
#include "chan.h"
#include "quota.h"
#include "uarg.h"

/* Drivers whose files hold other files, or all that a process has open. */
static bool is_holding_driver(struct module *owner)
{
	static const char *const names[] = {
		"binder_linux", "rust_binder",
		"vhost_net", "vhost_scsi", "vhost_vdpa", "vhost_vsock",
	};

	return owner && match_string(names, ARRAY_SIZE(names), module_name(owner)) >= 0;
}

/* Files that can hold files of the user's choice, for longer than a call. */
static bool can_hold_files(struct file *file)
{
	struct socket *socket = sock_from_file(file);

	if (socket)
		return socket->ops->family == AF_UNIX;
	switch (file_inode(file)->i_sb->s_magic) {
	case ANON_INODE_FS_MAGIC:
		/* Its name is the only thing of it that a module can see. */
		return !strcmp(file->f_path.dentry->d_name.name, "[io_uring]");
	case BINDERFS_SUPER_MAGIC:
		return true;
	default:
		return is_holding_driver(file->f_op->owner);
	}
}

static bool may_travel(struct file *file, u32 depth)
{
	struct kchan_object *obj = kchan_object_of(file);

	if (!obj)
		return !can_hold_files(file);
	return obj->kind != &kchan_chan_kind || !(file->f_mode & KCHAN_MODE_RECV) ||
	       kchan_chan_of(obj)->depth < depth;
}

/* O_PATH files open nothing; for the others, as sendmsg(2). */
static struct file *get_file_of(int fd, u32 depth)
{
	struct file *file = fget_raw(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (may_travel(file, depth))
		return file;
	fput(file);
	return ERR_PTR(-ELOOP);
}

static int get_files(struct kchan_cargo *cargo, const s32 __user *handles, u32 nr, u32 depth)
{
	struct file *file;
	int found = 0;
	u32 i;
	s32 fd;

	for (i = 0; i < nr; i++) {
		if (get_user(fd, &handles[i]))
			return -EFAULT;
		if (fd == -1)
			continue;
		file = get_file_of(fd, depth);
		if (IS_ERR(file))
			return PTR_ERR(file);
		cargo->files[i] = file;
		found++;
	}
	return found;
}

/**
 * kchan_cargo_load() - take in the handles of a message
 * @cargo: to be filled in; all of it zero but what tells the sender
 * @handles: the caller's file numbers, -1 for none; NULL: none at all
 * @nr: how many the channel's messages have
 * @depth: of the channel
 *
 * On failure kchan_cargo_drop() drops what was taken in.
 *
 * Return: 0, -EFAULT, -EBADF, -ELOOP, -ETOOMANYREFS or -ENOMEM
 */
int kchan_cargo_load(struct kchan_cargo *cargo, const s32 __user *handles, u32 nr, u32 depth)
{
	struct kchan_user *user;
	int found;

	if (!handles)
		return 0;
	found = get_files(cargo, handles, nr, depth);
	if (found <= 0)
		return found;
	user = kchan_charge_files(found);
	if (IS_ERR(user))
		return PTR_ERR(user);
	cargo->user = user;
	return 0;
}

/**
 * kchan_cargo_stamp() - note that the current process sends it
 * @cargo: to be filled in
 */
void kchan_cargo_stamp(struct kchan_cargo *cargo)
{
	cargo->pid = get_pid(task_tgid(current));
	current_uid_gid(&cargo->uid, &cargo->gid);
}

static u32 count_files(const struct kchan_cargo *cargo, u32 nr)
{
	u32 found = 0, i;

	for (i = 0; i < nr; i++)
		found += !!cargo->files[i];
	return found;
}

/* What is left once the files are somebody's. */
static void forget(struct kchan_cargo *cargo, u32 found)
{
	if (cargo->user)
		kchan_uncharge_files(cargo->user, found);
	put_pid(cargo->pid);
	cargo->user = NULL;
	cargo->pid = NULL;
}

/**
 * kchan_cargo_drop() - let go of everything in it; may be called under a spinlock
 * @cargo: the cargo; empty afterwards
 * @nr: handles that it has room for
 */
void kchan_cargo_drop(struct kchan_cargo *cargo, u32 nr)
{
	u32 found = count_files(cargo, nr), i;

	forget(cargo, found);
	for (i = 0; i < nr; i++) {
		if (cargo->files[i])
			fput(cargo->files[i]);
		cargo->files[i] = NULL;
	}
}

/**
 * kchan_cargo_show() - tell the receiver what is in it
 * @cargo: what it is about to be given
 * @nr: handles that there is room for
 * @ancillary: the receiver's, where to tell who sent it; NULL: nowhere
 * @handles: the receiver's, where to tell the numbers
 * @numbers: of the files, as many as there are
 *
 * Return: 0; -EFAULT where memory is not there
 */
int kchan_cargo_show(const struct kchan_cargo *cargo, u32 nr,
		     struct kchan_ancillary __user *ancillary, s32 __user *handles,
		     const struct kchan_numbers *numbers)
{
	struct user_namespace *ns = current_user_ns();
	struct {
		s32 pid;
		u32 uid;
		u32 gid;
	} sender = { .pid = 0, .uid = -1, .gid = -1 };
	s32 fd[KCHAN_MAX_HANDLES];
	u32 used = 0, i;

	for (i = 0; i < nr; i++)
		fd[i] = cargo->files[i] ? numbers->fd[used++] : -1;
	if (cargo->pid) {
		sender.pid = pid_vnr(cargo->pid);
		sender.uid = from_kuid_munged(ns, cargo->uid);
		sender.gid = from_kgid_munged(ns, cargo->gid);
	}
	if (kchan_store_soon(handles, fd, nr * sizeof(*fd)))
		return -EFAULT;
	return ancillary ? kchan_store_soon(&ancillary->pid, &sender, sizeof(sender)) : 0;
}

/**
 * kchan_cargo_unload() - give the files to the current process
 * @cargo: what kchan_cargo_show() has told; empty afterwards
 * @nr: handles that it has room for
 * @numbers: as told; those used are gone
 */
void kchan_cargo_unload(struct kchan_cargo *cargo, u32 nr, struct kchan_numbers *numbers)
{
	u32 used = 0, i;

	for (i = 0; i < nr; i++) {
		if (cargo->files[i])
			fd_install(numbers->fd[used++], cargo->files[i]);
		cargo->files[i] = NULL;
	}
	forget(cargo, used);
	numbers->nr -= used;
	memmove(numbers->fd, numbers->fd + used, numbers->nr * sizeof(*numbers->fd));
}

/**
 * kchan_numbers_reserve() - set file numbers aside
 * @numbers: what has been set aside before
 * @nr: how many it should be, at most KCHAN_MAX_HANDLES
 *
 * Return: 0; -EMFILE, -ENFILE or -ENOMEM, and then perhaps fewer
 */
int kchan_numbers_reserve(struct kchan_numbers *numbers, u32 nr)
{
	int fd;

	while (numbers->nr < nr) {
		fd = get_unused_fd_flags(O_CLOEXEC);
		if (fd < 0)
			return fd;
		numbers->fd[numbers->nr++] = fd;
	}
	return 0;
}
