/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_CARGO_H
#define _KCHAN_CARGO_H

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include <uapi/linux/kchan.h>

struct kchan_user;

/*
 * What travels with a message beside its bytes: handles and other files, and who
 * sent it.  It stands behind the bytes wherever they stand, and is moved with them;
 * whoever has moved it forgets it.
 *
 * Files on their way belong to nobody's table, so that no limit of a process counts
 * them, and they could keep each other alive after everybody has forgotten them:
 *
 *	how many	of one user's at most RLIMIT_NOFILE of whoever sends the next,
 *			as for AF_UNIX sockets (else ETOOMANYREFS)
 *	cycles		A channel's messages are dropped as soon as no handle can
 *			receive them.  So a cycle needs handles that can receive: they
 *			travel only in channels of greater depth than their own.
 *			Other files that can hold files (AF_UNIX sockets, io_uring,
 *			and those of binder and vhost where these are modules) do
 *			not travel at all (else ELOOP)
 *	recursion	There is none: whatever fput() lets go of it lets go of later,
 *			on the task's way back to user space
 *
 * (The hook by which security modules see a file received is not exported to
 * modules; what they say of its use they are asked then.)
 */

/**
 * struct kchan_cargo - what travels with a message
 * @user: charged for @files; NULL when there are none
 * @pid: the sending process; NULL where the channel's messages do not tell
 * @uid: likewise
 * @gid: likewise
 * @files: as many as the channel's messages have handles; NULL: none in this place
 */
struct kchan_cargo {
	struct kchan_user *user;
	struct pid *pid;
	kuid_t uid;
	kgid_t gid;
	struct file *files[];
};

/* Bytes that it takes at most. */
#define KCHAN_MAX_CARGO	(sizeof(struct kchan_cargo) + KCHAN_MAX_HANDLES * sizeof(struct file *))

/**
 * struct kchan_numbers - file numbers set aside
 * @fd: the numbers
 * @nr: how many
 */
struct kchan_numbers {
	int fd[KCHAN_MAX_HANDLES];
	u32 nr;
};

int kchan_cargo_load(struct kchan_cargo *cargo, const s32 __user *handles, u32 nr, u32 depth);
void kchan_cargo_stamp(struct kchan_cargo *cargo);
void kchan_cargo_drop(struct kchan_cargo *cargo, u32 nr);
int kchan_cargo_show(const struct kchan_cargo *cargo, u32 nr,
		     struct kchan_ancillary __user *ancillary, s32 __user *handles,
		     const struct kchan_numbers *numbers);
void kchan_cargo_unload(struct kchan_cargo *cargo, u32 nr, struct kchan_numbers *numbers);

int kchan_numbers_reserve(struct kchan_numbers *numbers, u32 nr);

/**
 * kchan_numbers_release() - give back those that were not used
 * @numbers: what was set aside
 */
static inline void kchan_numbers_release(struct kchan_numbers *numbers)
{
	while (unlikely(numbers->nr))
		put_unused_fd(numbers->fd[--numbers->nr]);
}

#endif /* _KCHAN_CARGO_H */
