// SPDX-License-Identifier: GPL-2.0-only
/*
 * A request sent on one channel, and its answer received from another, in one call:
 * so whoever is woken by the request can be told that its waker is about to sleep.
 *
 * The caller's struct remembers that the request was sent.  So a call that a signal
 * has interrupted can begin anew, as any other, and will not send it twice.
 */
#include <linux/file.h>
#include <linux/uaccess.h>

#include "call.h"
#include "chan.h"
#include "compat.h"
#include "file.h"
#include "parcel.h"
#include "quota.h"
#include "uarg.h"

static int read_call(struct kchan_call *args, struct kchan_call __user *arg,
		     struct kchan_deadline *deadline)
{
	int ret;

	ret = kchan_read_struct(args, sizeof(*args), arg);
	if (ret)
		return ret;
	if (args->flags & ~KCHAN_WAIT_FLAGS || args->sent > 1)
		return -EINVAL;
	ret = kchan_read_deadline(args->flags, args->deadline, deadline);
	if (ret)
		return ret;
	/* Can it be written?  Once the request is sent, that must not fail. */
	return put_user(args->sent, &arg->sent) ? -EFAULT : 0;
}

static int send_request(struct file *file, const struct kchan_call *args,
			struct kchan_call __user *arg, const struct kchan_deadline *deadline)
{
	struct kchan_chan *chan = file->private_data;
	int ret;

	if (args->sent)
		return 0;
	ret = kchan_chan_send(chan, u64_to_user_ptr(args->request),
			      kchan_may_wait(file, args->flags) ? deadline : NULL, true);
	/* It was writable before; if it no longer is, the caller has lost it. */
	if (!ret && put_user(1, &arg->sent))
		return 0;
	return ret;
}

static long call_with(struct file *file, struct file *answers, const struct kchan_call *args,
		      struct kchan_call __user *arg, const struct kchan_deadline *deadline)
{
	struct kchan_chan *chan = file->private_data;
	struct kchan_parcel parcel __uninitialized;
	struct kchan_op op __uninitialized;
	int ret;

	/* Whatever is wrong is found before anything is sent. */
	ret = kchan_op_begin(&op, answers, &(struct kchan_case){
		.op = KCHAN_OP_RECV,
		.buf = args->answer,
		.len = args->answer_len,
	});
	if (ret)
		return ret;
	op.own = &parcel;
	if (!(file->f_mode & KCHAN_MODE_SEND))
		return -EBADF;
	if (args->request_len != chan->elem_size)
		return -EMSGSIZE;
	ret = send_request(file, args, arg, deadline);
	if (ret)
		return ret;
	if (!kchan_may_wait(answers, args->flags))
		deadline = NULL;
	/*
	 * Who has just been asked has not answered yet: there is nothing to look for.  But
	 * where a wait would be refused, an answer that is there after all must be found.
	 */
	return kchan_op_do(&op, deadline, deadline && !args->sent &&
			   !kchan_is_over_quota(op.obj->user));
}

/**
 * kchan_call() - KCHAN_CALL
 * @file: the handle of the channel that takes the request
 * @arg: the caller's struct kchan_call
 *
 * Return: 1 for an answer, 0 at the end of its channel, or a negative errno
 */
long kchan_call(struct file *file, struct kchan_call __user *arg)
{
	struct kchan_deadline deadline;
	struct kchan_call args;
	struct fd answers;
	long ret;

	ret = read_call(&args, arg, &deadline);
	if (ret)
		return ret;
	answers = fdget(args.fd);
	if (!fd_file(answers))
		return -EBADF;
	ret = call_with(file, fd_file(answers), &args, arg, &deadline);
	fdput(answers);
	return ret;
}
