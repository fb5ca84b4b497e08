// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many messages in one call: as many under one lock as need no wait, and then one by
 * one what does.
 */
#include <linux/minmax.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "batch.h"
#include "chan.h"
#include "file.h"
#include "uarg.h"

/* What is moved before others may have the lock, and the processor. */
#define CHUNK_MESSAGES	64u
#define CHUNK_BYTES	16384u

/**
 * struct batch - messages that are being moved
 * @op: moves one
 * @success: what it returns when it did
 * @args: the caller's
 * @done: how many were moved
 * @first: the number of the message that @address begins with
 * @address: of messages, with KCHAN_VECTOR
 */
struct batch {
	struct kchan_op op;
	int success;
	struct kchan_batch args;
	u32 done;
	u32 first;
	u64 address[CHUNK_MESSAGES];
};

static void __user *address_of(const struct batch *batch, u32 n)
{
	if (batch->args.flags & KCHAN_VECTOR)
		return u64_to_user_ptr(batch->address[n - batch->first]);
	return u64_to_user_ptr(batch->args.buf + (u64)n * batch->args.len);
}

static int load_addresses(struct batch *batch, u32 n)
{
	const u64 __user *from = u64_to_user_ptr(batch->args.buf);

	if (!(batch->args.flags & KCHAN_VECTOR))
		return 0;
	batch->first = batch->done;
	return copy_from_user(batch->address, from + batch->done,
			      n * sizeof(*batch->address)) ? -EFAULT : 0;
}

/* Moves up to @n messages at once, where that can be; returns how many. */
static u32 move_run(struct batch *batch, u32 n, struct kchan_change *change)
{
	struct kchan_chan *chan = kchan_chan_of(batch->op.obj);
	void __user *msgs = address_of(batch, batch->done);

	if (batch->args.flags & KCHAN_VECTOR)
		return 0;
	return batch->success ? kchan_chan_recv_run(chan, msgs, n, change) :
				kchan_chan_send_run(chan, msgs, n, change);
}

/* Moves up to @n messages; returns what the last attempt did. */
static int move_some(struct batch *batch, u32 n)
{
	struct kchan_op *op = &batch->op;
	u32 end = batch->done + n;
	struct kchan_change change __uninitialized;
	int ret;

	kchan_lock(op->obj, &change);
	do {
		u32 moved = move_run(batch, end - batch->done, &change);

		batch->done += moved;
		ret = batch->success;
		if (moved)
			continue;
		op->msg = address_of(batch, batch->done);
		ret = op->type->attempt(op, NULL, &change);
		batch->done += ret == batch->success;
	} while (ret == batch->success && batch->done < end);
	change.many = n > 1;
	kchan_unlock(op->obj, &change);
	op->type->release(op);
	return ret;
}

/* The next message, which has to wait or whose memory is not there; as an ioctl. */
static int move_one(struct batch *batch, const struct kchan_deadline *deadline, bool tried)
{
	int ret;

	if (batch->done >= batch->args.min)
		deadline = NULL;
	batch->op.msg = address_of(batch, batch->done);
	ret = kchan_op_do(&batch->op, deadline, tried);
	batch->done += ret == batch->success;
	return ret;
}

static long move_all(struct batch *batch, const struct kchan_deadline *deadline)
{
	u32 chunk = clamp(CHUNK_BYTES / max(batch->args.len, 1u), 1u, CHUNK_MESSAGES);
	int ret;

	do {
		u32 n = min(chunk, batch->args.max - batch->done);

		ret = load_addresses(batch, n);
		if (ret)
			break;
		ret = move_some(batch, n);
		if (ret != batch->success)
			ret = move_one(batch, deadline, ret == -EAGAIN);
		cond_resched();
	} while (ret == batch->success && batch->done < batch->args.max &&
		 !signal_pending(current));
	return batch->done ? (long)batch->done : ret;
}

static int read_batch(struct kchan_batch *args, const void __user *arg,
		      struct kchan_deadline *deadline)
{
	int ret;

	ret = kchan_read_struct(args, sizeof(*args), arg);
	if (ret)
		return ret;
	if (args->flags & ~(KCHAN_WAIT_FLAGS | KCHAN_VECTOR) || args->reserved ||
	    !args->max || args->max > KCHAN_MAX_COUNT || args->min > args->max)
		return -EINVAL;
	return kchan_read_deadline(args->flags, args->deadline, deadline);
}

/**
 * kchan_batch() - KCHAN_SEND_BATCH, KCHAN_RECV_BATCH
 * @file: a channel's handle
 * @arg: the caller's struct kchan_batch
 * @op: KCHAN_OP_SEND or KCHAN_OP_RECV
 *
 * Return: how many were moved; 0 at the end; or a negative errno
 */
long kchan_batch(struct file *file, const void __user *arg, u32 op)
{
	struct kchan_deadline deadline;
	struct batch batch;
	int ret;

	ret = read_batch(&batch.args, arg, &deadline);
	if (ret)
		return ret;
	ret = kchan_op_begin(&batch.op, file, &(struct kchan_case){
		.op = op,
		.buf = batch.args.buf,
		.len = batch.args.len,
	});
	if (ret)
		return ret;
	batch.success = op == KCHAN_OP_RECV;
	batch.done = 0;
	return move_all(&batch, kchan_may_wait(file, batch.args.flags) ? &deadline : NULL);
}
