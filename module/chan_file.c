// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels as files: each call copies in, checks, calls the core, copies out.  What
 * all objects can do is in file.c.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include <uapi/linux/kchan.h>

#include "batch.h"
#include "call.h"
#include "chan.h"
#include "chan_file.h"
#include "file.h"
#include "select.h"
#include "uarg.h"

static bool makes_sense(const struct kchan_create_chan *args)
{
	const bool has_cargo = args->handles || args->flags & KCHAN_STAMPED;

	if (args->flags & ~(KCHAN_NONBLOCK | KCHAN_STAMPED) ||
	    args->elem_size > KCHAN_MAX_ELEM_SIZE || args->capacity > KCHAN_MAX_CAPACITY ||
	    args->handles > KCHAN_MAX_HANDLES || args->depth > KCHAN_MAX_DEPTH ||
	    args->policy > KCHAN_POLICY_LATEST || !args->handles != !args->depth)
		return false;
	if (args->policy == KCHAN_POLICY_BLOCK)
		return true;
	/* To discard what has cargo is work, all under one lock. */
	return args->capacity == 1 ||
	       (args->capacity && !(has_cargo && args->policy == KCHAN_POLICY_LATEST));
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
	struct kchan_object *obj;
	int ret;

	ret = kchan_read_grown(&args, sizeof(args), KCHAN_CREATE_CHAN_SIZE_V1, arg);
	if (ret)
		return ret;
	if (!makes_sense(&args))
		return -EINVAL;

	obj = kchan_chan_new(&args);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = kchan_open_handle(obj, KCHAN_MODE_SEND | KCHAN_MODE_RECV, args.flags);
	kchan_object_put(obj);
	return ret;
}

static int chan_close(struct file *file, unsigned long arg)
{
	if (arg)
		return -EINVAL;
	if (!(file->f_mode & KCHAN_MODE_SEND))
		return -EBADF;
	return kchan_chan_close(file->private_data, 0);
}

/* Checks a send or receive up to the point where the channel's state matters. */
static int chan_read_msg(struct file *file, const void __user *arg, fmode_t right,
			 struct kchan_msg *msg, struct kchan_deadline *deadline)
{
	struct kchan_chan *chan = file->private_data;
	int ret;

	ret = kchan_read_grown(msg, sizeof(*msg), KCHAN_MSG_SIZE_V1, arg);
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

/* With cargo, or what is to tell of it. */
static bool has_cargo(struct file *file, const struct kchan_msg *msg)
{
	struct kchan_chan *chan = file->private_data;

	return chan->cargo_at || msg->ancillary;
}

static int transfer_cargo(struct file *file, u32 type, const struct kchan_msg *msg,
			  const struct kchan_deadline *deadline)
{
	struct kchan_op op;
	int ret;

	ret = kchan_op_begin(&op, file, &(struct kchan_case){
		.op = type,
		.buf = msg->buf,
		.len = msg->len,
		.arg = msg->ancillary,
	});
	return ret ? ret : kchan_op_do(&op, deadline, false);
}

/* KCHAN_SEND and KCHAN_RECV, as @type says. */
static int chan_transfer(struct file *file, const void __user *arg, u32 type)
{
	const bool send = type == KCHAN_OP_SEND;
	const struct kchan_deadline *until;
	struct kchan_deadline deadline __uninitialized;
	struct kchan_msg msg __uninitialized;
	int ret;

	ret = chan_read_msg(file, arg, send ? KCHAN_MODE_SEND : KCHAN_MODE_RECV, &msg, &deadline);
	if (ret)
		return ret;
	until = kchan_may_wait(file, msg.flags) ? &deadline : NULL;
	if (unlikely(has_cargo(file, &msg)))
		return transfer_cargo(file, type, &msg, until);
	if (send)
		return kchan_chan_send(file->private_data, u64_to_user_ptr(msg.buf), until, false);
	return kchan_chan_recv(file->private_data, u64_to_user_ptr(msg.buf), until);
}

static long chan_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case KCHAN_SEND:
		return chan_transfer(file, argp, KCHAN_OP_SEND);
	case KCHAN_RECV:
		return chan_transfer(file, argp, KCHAN_OP_RECV);
	case KCHAN_SELECT:
		return kchan_select(argp);
	case KCHAN_CLOSE:
		return chan_close(file, arg);
	case KCHAN_SEND_BATCH:
		return kchan_batch(file, argp, KCHAN_OP_SEND);
	case KCHAN_RECV_BATCH:
		return kchan_batch(file, argp, KCHAN_OP_RECV);
	case KCHAN_CALL:
		return kchan_call(file, argp);
	default:
		return kchan_object_ioctl(file, cmd, arg);
	}
}

/*
 * Moves one message; a longer buffer will do, as programs like cat have.  Pure
 * signals have nothing to read or write: 0 bytes could not be told from the end,
 * and not every way into write(2) passes on a write of none.
 */
static ssize_t chan_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct kchan_chan *chan = file->private_data;
	int ret;

	if (!chan->elem_size || chan->handles)
		return -EINVAL;
	if (len < chan->elem_size)
		return -EMSGSIZE;
	ret = kchan_chan_recv(chan, buf, kchan_may_wait(file, 0) ? &kchan_no_deadline : NULL);
	if (ret != 1)
		return ret;
	return chan->elem_size;
}

static ssize_t chan_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct kchan_chan *chan = file->private_data;
	int ret;

	if (!chan->elem_size || chan->handles)
		return -EINVAL;
	if (len != chan->elem_size)
		return -EMSGSIZE;
	ret = kchan_chan_send(chan, buf, kchan_may_wait(file, 0) ? &kchan_no_deadline : NULL,
			      false);
	if (ret)
		return ret;
	return len;
}

const struct file_operations kchan_chan_fops = {
	.owner = THIS_MODULE,
	.read = chan_read,
	.write = chan_write,
	.poll = kchan_object_poll,
	.unlocked_ioctl = chan_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = kchan_object_show_fdinfo,
	.flush = kchan_object_flush,
	.release = kchan_release,
};
