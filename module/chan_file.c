// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels as files: each call copies in, checks, calls the core, copies out.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include <uapi/linux/kchan.h>

#include "chan.h"
#include "chan_file.h"
#include "uarg.h"

static const struct file_operations chan_fops;

/* Makes a handle, to be installed with fd_install() when nothing can fail. */
static int chan_open_handle(struct kchan_chan *chan, fmode_t rights, u32 flags,
			    struct file **file)
{
	int fd;

	kchan_chan_get_handle(chan, rights);
	fd = kchan_open_handle(&chan_fops, chan, rights, flags & KCHAN_NONBLOCK, file);
	if (fd < 0)
		kchan_chan_put_handle(chan, rights);
	return fd;
}

/**
 * kchan_create_chan() - KCHAN_CREATE_CHAN
 * @arg: the caller's struct kchan_create_chan
 *
 * Return: a file number, or a negative errno
 */
int kchan_create_chan(const void __user *arg)
{
	struct kchan_create_chan args;
	struct kchan_chan *chan;
	struct file *file;
	int ret;

	ret = kchan_read_struct(&args, sizeof(args), arg);
	if (ret)
		return ret;
	if (args.flags & ~KCHAN_NONBLOCK || args.reserved ||
	    args.elem_size > KCHAN_MAX_ELEM_SIZE || args.capacity > KCHAN_MAX_CAPACITY)
		return -EINVAL;

	chan = kchan_chan_new(args.elem_size, args.capacity);
	if (IS_ERR(chan))
		return PTR_ERR(chan);
	ret = chan_open_handle(chan, KCHAN_MODE_SEND | KCHAN_MODE_RECV, args.flags, &file);
	if (ret >= 0)
		fd_install(ret, file);
	kchan_chan_put(chan);
	return ret;
}

static int chan_restrict(struct file *file, const void __user *arg)
{
	struct kchan_restrict args;
	struct file *restricted;
	int ret;

	ret = kchan_read_struct(&args, sizeof(args), arg);
	if (ret)
		return ret;
	if (args.flags & ~KCHAN_NONBLOCK || args.reserved || !args.rights ||
	    args.rights & ~(KCHAN_RIGHT_SEND | KCHAN_RIGHT_RECV))
		return -EINVAL;
	if (args.rights & ~kchan_rights_of(file->f_mode))
		return -EBADF;

	ret = chan_open_handle(file->private_data, kchan_mode_of(args.rights), args.flags,
			       &restricted);
	if (ret >= 0)
		fd_install(ret, restricted);
	return ret;
}

static int chan_stat(struct file *file, void __user *arg)
{
	struct kchan_stat stat = { .rights = kchan_rights_of(file->f_mode) };

	kchan_chan_stat(file->private_data, &stat);
	return kchan_write_struct(arg, &stat, sizeof(stat));
}

static int chan_close(struct file *file, unsigned long arg)
{
	if (arg)
		return -EINVAL;
	if (!(file->f_mode & KCHAN_MODE_SEND))
		return -EBADF;
	return kchan_chan_close(file->private_data);
}

/* Checks a send or receive up to the point where the channel's state matters. */
static int chan_read_msg(struct file *file, const void __user *arg, fmode_t right,
			 struct kchan_msg *msg, struct kchan_deadline *deadline)
{
	struct kchan_chan *chan = file->private_data;
	int ret;

	ret = kchan_read_struct(msg, sizeof(*msg), arg);
	if (ret)
		return ret;
	if (msg->flags & ~KCHAN_WAIT_FLAGS || msg->reserved)
		return -EINVAL;
	ret = kchan_read_deadline(msg->flags, msg->deadline, deadline);
	if (ret)
		return ret;
	if (!(file->f_mode & right))
		return -EBADF;
	return msg->len == chan->elem_size ? 0 : -EMSGSIZE;
}

static bool chan_may_wait(struct file *file, u32 flags)
{
	return !(flags & KCHAN_NONBLOCK) && !(file->f_flags & O_NONBLOCK);
}

static int chan_send(struct file *file, const void __user *arg)
{
	struct kchan_deadline deadline;
	struct kchan_msg msg;
	int ret;

	ret = chan_read_msg(file, arg, KCHAN_MODE_SEND, &msg, &deadline);
	if (ret)
		return ret;
	return kchan_chan_send(file->private_data, u64_to_user_ptr(msg.buf),
			       chan_may_wait(file, msg.flags) ? &deadline : NULL);
}

static int chan_recv(struct file *file, const void __user *arg)
{
	struct kchan_deadline deadline;
	struct kchan_msg msg;
	int ret;

	ret = chan_read_msg(file, arg, KCHAN_MODE_RECV, &msg, &deadline);
	if (ret)
		return ret;
	return kchan_chan_recv(file->private_data, u64_to_user_ptr(msg.buf),
			       chan_may_wait(file, msg.flags) ? &deadline : NULL);
}

static long chan_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case KCHAN_SEND:
		return chan_send(file, argp);
	case KCHAN_RECV:
		return chan_recv(file, argp);
	case KCHAN_CLOSE:
		return chan_close(file, arg);
	case KCHAN_STAT:
		return chan_stat(file, argp);
	case KCHAN_RESTRICT:
		return chan_restrict(file, argp);
	default:
		return -ENOTTY;
	}
}

/* read(2) and write(2) take no deadline: one that never comes. */
static const struct kchan_deadline no_deadline = {
	.clock = CLOCK_MONOTONIC,
	.time = KTIME_MAX,
};

/*
 * Moves one message; a longer buffer will do, as programs like cat have.  Pure
 * signals have nothing to read or write: 0 bytes could not be told from the end,
 * and not every way into write(2) passes on a write of none.
 */
static ssize_t chan_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct kchan_chan *chan = file->private_data;
	int ret;

	if (!chan->elem_size)
		return -EINVAL;
	if (len < chan->elem_size)
		return -EMSGSIZE;
	ret = kchan_chan_recv(chan, buf, chan_may_wait(file, 0) ? &no_deadline : NULL);
	if (ret != 1)
		return ret;
	return chan->elem_size;
}

static ssize_t chan_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct kchan_chan *chan = file->private_data;
	int ret;

	if (!chan->elem_size)
		return -EINVAL;
	if (len != chan->elem_size)
		return -EMSGSIZE;
	ret = kchan_chan_send(chan, buf, chan_may_wait(file, 0) ? &no_deadline : NULL);
	if (ret)
		return ret;
	return len;
}

static __poll_t chan_poll(struct file *file, poll_table *wait)
{
	struct kchan_chan *chan = file->private_data;

	poll_wait(file, &chan->obj.pollers, wait);
	return kchan_chan_ready(chan, file->f_mode);
}

static void chan_show_state(struct seq_file *m, u32 state)
{
	const char *sep = "";

	seq_puts(m, "kchan-state:\t");
	if (!state)
		seq_puts(m, "open");
	if (state & KCHAN_STATE_CLOSED) {
		seq_puts(m, "closed");
		sep = ",";
	}
	if (state & KCHAN_STATE_NO_SENDERS) {
		seq_printf(m, "%sno-senders", sep);
		sep = ",";
	}
	if (state & KCHAN_STATE_NO_RECEIVERS)
		seq_printf(m, "%sno-receivers", sep);
	seq_putc(m, '\n');
}

static void chan_show_fdinfo(struct seq_file *m, struct file *file)
{
	static const char *const rights[] = { "none", "send", "recv", "send,recv" };
	struct kchan_stat stat = {};

	kchan_chan_stat(file->private_data, &stat);
	seq_puts(m, "kchan-kind:\tchan\n");
	seq_printf(m, "kchan-id:\t%llu\n", stat.id);
	seq_printf(m, "kchan-rights:\t%s\n", rights[kchan_rights_of(file->f_mode)]);
	seq_printf(m, "kchan-elem-size:\t%u\n", stat.elem_size);
	seq_printf(m, "kchan-capacity:\t%llu\n", stat.capacity);
	seq_printf(m, "kchan-length:\t%llu\n", stat.length);
	seq_printf(m, "kchan-waiting-senders:\t%u\n", stat.waiting_senders);
	seq_printf(m, "kchan-waiting-receivers:\t%u\n", stat.waiting_receivers);
	chan_show_state(m, stat.state);
}

static int chan_release(struct inode *inode, struct file *file)
{
	kchan_chan_put_handle(file->private_data, file->f_mode);
	return 0;
}

static const struct file_operations chan_fops = {
	.owner = THIS_MODULE,
	.read = chan_read,
	.write = chan_write,
	.poll = chan_poll,
	.unlocked_ioctl = chan_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = chan_show_fdinfo,
	.release = chan_release,
};
