// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the handles of every kind do.
 */
#include <linux/bits.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "file.h"
#include "select.h"
#include "timer.h"
#include "uarg.h"
#include "watch.h"

static long object_restrict(struct file *file, const void __user *arg)
{
	struct kchan_restrict args;
	int ret;

	ret = kchan_read_struct(&args, sizeof(args), arg);
	if (ret)
		return ret;
	if (args.flags & ~KCHAN_NONBLOCK || args.reserved || !args.rights ||
	    args.rights & ~(KCHAN_RIGHT_SEND | KCHAN_RIGHT_RECV))
		return -EINVAL;
	if (args.rights & ~kchan_rights_of(file->f_mode))
		return -EBADF;
	return kchan_open_handle(file->private_data, kchan_mode_of(args.rights), args.flags);
}

static void object_stat(struct file *file, struct kchan_stat *stat)
{
	struct kchan_object *obj = file->private_data;

	*stat = (struct kchan_stat){
		.kind = obj->kind->nr,
		.id = obj->id,
		.rights = kchan_rights_of(file->f_mode),
	};
	spin_lock(&obj->lock);
	obj->kind->stat(obj, stat);
	stat->state |= (obj->send_handles ? 0 : KCHAN_STATE_NO_SENDERS) |
		       (obj->recv_handles ? 0 : KCHAN_STATE_NO_RECEIVERS);
	spin_unlock(&obj->lock);
}

static long object_write_stat(struct file *file, void __user *arg)
{
	struct kchan_stat stat;

	object_stat(file, &stat);
	return kchan_write_struct(arg, &stat, sizeof(stat), KCHAN_STAT_SIZE_V1);
}

/* Every wait but a channel's own: one operation, as in a select of one case. */
static long object_wait(struct file *file, struct kchan_wait __user *arg)
{
	struct kchan_deadline deadline;
	struct kchan_wait args;
	struct kchan_op op;
	long ret;

	ret = kchan_read_struct(&args, sizeof(args), arg);
	if (ret)
		return ret;
	if (args.flags & ~KCHAN_WAIT_FLAGS || args.op == KCHAN_OP_SEND || args.op == KCHAN_OP_RECV)
		return -EINVAL;
	ret = kchan_read_deadline(args.flags, args.deadline, &deadline);
	if (ret)
		return ret;
	ret = kchan_op_begin(&op, file, &(struct kchan_case){
		.op = args.op,
		.index = args.index,
		.arg = args.arg,
	});
	if (ret)
		return ret;
	/* Can it be written?  Once the operation is done, nothing may fail. */
	if (put_user(args.value, &arg->value))
		return -EFAULT;
	ret = kchan_op_do(&op, kchan_may_wait(file, args.flags) ? &deadline : NULL, false);
	if (ret >= 0 || ret == -EOWNERDEAD)
		kchan_put_value(op.value, &arg->value);
	return ret;
}

/* Where a call begins in the kind's table; NULL: it has no such call. */
static const struct kchan_action *find_action(const struct kchan_action *action,
					      unsigned int cmd)
{
	for (; action && action->cmd; action++) {
		if (action->cmd == cmd)
			return action;
	}
	return NULL;
}

static long object_call(struct file *file, unsigned int cmd, const void __user *arg)
{
	struct kchan_object *obj = file->private_data;
	const struct kchan_action *action = find_action(obj->kind->actions, cmd);
	struct kchan_arg args;
	int ret;

	if (!action)
		return -ENOTTY;
	ret = kchan_read_struct(&args, sizeof(args), arg);
	if (ret)
		return ret;
	while (action && action->only && action->only != args.value)
		action = find_action(action + 1, cmd);
	if (args.flags || !action)
		return -EINVAL;
	if (!(file->f_mode & action->right))
		return -EBADF;
	return action->call(obj, args.value);
}

/**
 * kchan_object_ioctl() - the calls of every object, and those of its kind
 * @file: the handle
 * @cmd: the call
 * @arg: its struct
 *
 * Return: as the call says
 */
long kchan_object_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case KCHAN_WAIT:
		return object_wait(file, argp);
	case KCHAN_SELECT:
		return kchan_select(argp);
	case KCHAN_TIMER:
		return kchan_timer_ioctl(file, argp);
	case KCHAN_WATCH:
		return kchan_watch(file, argp);
	case KCHAN_STAT:
		return object_write_stat(file, argp);
	case KCHAN_RESTRICT:
		return object_restrict(file, argp);
	default:
		return object_call(file, cmd, argp);
	}
}

/**
 * kchan_object_poll() - what would not block
 * @file: the handle
 * @wait: the poller
 *
 * Return: the events that hold now and concern the handle's rights
 */
__poll_t kchan_object_poll(struct file *file, poll_table *wait)
{
	struct kchan_object *obj = file->private_data;
	__poll_t events, mask = 0;

	if (file->f_mode & KCHAN_MODE_RECV)
		mask |= KCHAN_POLL_IN | KCHAN_POLL_HUP;
	if (file->f_mode & KCHAN_MODE_SEND)
		mask |= KCHAN_POLL_OUT | EPOLLERR;

	poll_wait(file, &obj->pollers, wait);
	spin_lock(&obj->lock);
	events = obj->kind->ready(obj);
	spin_unlock(&obj->lock);
	return events & mask;
}

static void show_state(struct seq_file *m, u32 state)
{
	/* By the bits of KCHAN_STATE_*. */
	static const char *const names[] = {
		"closed", "no-senders", "no-receivers", "locked", "ownerdead",
		"notrecoverable", "done", "running", "cancelled", "stamped",
	};
	const char *sep = "";
	size_t i;

	seq_puts(m, "kchan-state:\t");
	if (!state)
		seq_puts(m, "open");
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(state & BIT(i)))
			continue;
		seq_printf(m, "%s%s", sep, names[i]);
		sep = ",";
	}
	seq_putc(m, '\n');
}

/**
 * kchan_object_show_fdinfo() - /proc/PID/fdinfo
 * @m: where to
 * @file: the handle
 */
void kchan_object_show_fdinfo(struct seq_file *m, struct file *file)
{
	static const char *const rights[] = { "none", "send", "recv", "send,recv" };
	static const char *const policies[] = { "block", "drop-newest", "drop-oldest", "latest" };
	struct kchan_object *obj = file->private_data;
	struct kchan_stat stat;
	u64 numbers[7];
	size_t i;

	object_stat(file, &stat);
	numbers[0] = stat.elem_size;
	numbers[1] = stat.capacity;
	numbers[2] = stat.length;
	numbers[3] = stat.value;
	numbers[4] = stat.dropped;
	numbers[5] = stat.handles;
	numbers[6] = stat.depth;

	seq_printf(m, "kchan-kind:\t%s\n", obj->kind->name);
	seq_printf(m, "kchan-id:\t%llu\n", stat.id);
	seq_printf(m, "kchan-rights:\t%s\n", rights[stat.rights]);
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (obj->kind->labels[i])
			seq_printf(m, "kchan-%s:\t%llu\n", obj->kind->labels[i], numbers[i]);
	}
	if (stat.kind == KCHAN_KIND_CHAN)
		seq_printf(m, "kchan-policy:\t%s\n", policies[stat.policy]);
	seq_printf(m, "kchan-waiting-senders:\t%u\n", stat.waiting_senders);
	seq_printf(m, "kchan-waiting-receivers:\t%u\n", stat.waiting_receivers);
	show_state(m, stat.state);
}

/**
 * kchan_object_flush() - a process closes a file number of a handle
 * @file: the handle
 * @files: its table
 *
 * Return: 0
 */
int kchan_object_flush(struct file *file, fl_owner_t files)
{
	struct kchan_object *obj = file->private_data;

	if (unlikely(READ_ONCE(obj->watcher)))
		kchan_watch_tell(file, files);
	if (obj->kind->flush)
		obj->kind->flush(obj, files);
	return 0;
}

static int object_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct kchan_object *obj = file->private_data;

	return obj->kind->mmap ? obj->kind->mmap(obj, vma) : -ENODEV;
}

const struct file_operations kchan_object_fops = {
	.owner = THIS_MODULE,
	.mmap = object_mmap,
	.poll = kchan_object_poll,
	.unlocked_ioctl = kchan_object_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = kchan_object_show_fdinfo,
	.flush = kchan_object_flush,
	.release = kchan_release,
};
