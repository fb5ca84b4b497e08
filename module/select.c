// SPDX-License-Identifier: GPL-2.0-only
/*
 * Select: cases come in, are looked up and checked, all of them before anything
 * happens; then one of their operations is done (op.c).
 *
 * Where all are plain sends and receives, those that are ready are seen without a lock,
 * and one of them is done like a send or receive alone: it needs none of what cases
 * need that may have to wait.  What comes in between, or is not so plain, takes the
 * longer way from its beginning.
 */
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "cargo.h"
#include "chan.h"
#include "chan_file.h"
#include "compat.h"
#include "op.h"
#include "parcel.h"
#include "quota.h"
#include "select.h"
#include "uarg.h"

/**
 * struct select_table - the cases
 * @args: as the caller gives them
 * @fd: their handles, held as long as the select lasts; none where a case is skipped
 * @ops: what to do, of those that are not skipped
 * @op: likewise
 * @nr: how many cases
 */
struct select_table {
	struct kchan_case *args;
	struct fd *fd;
	struct select_op *ops;
	struct kchan_op **op;
	u32 nr;
};

/**
 * struct select_op - an operation of a case
 * @op: the operation
 * @index: its place in the caller's array
 */
struct select_op {
	struct kchan_op op;
	u32 index;
};

/* What can be told of the cases without a lock. */
struct survey {
	bool plain;	/* all that are not skipped are plain sends and receives */
	u32 ready;	/* so many looked ready */
	u32 pick;	/* one of these */
};

static void put_cases(struct select_table *table)
{
	struct fd *fd = table->fd + table->nr;

	while (fd > table->fd)
		fdput(*--fd);
}

/* Takes in all cases, of the size that the caller gives them. */
static int read_cases(struct kchan_case *to, const struct kchan_select *args)
{
	const void __user *from = u64_to_user_ptr(args->cases);
	u32 i;
	int ret;

	if (likely(args->case_size == sizeof(*to) && args->nr))
		return kchan_read_words((void *)to, from, args->nr * sizeof(*to) / sizeof(long));
	for (i = 0; i < args->nr; i++) {
		ret = copy_struct_from_user(&to[i], sizeof(*to),
					    from + (size_t)i * args->case_size, args->case_size);
		if (ret)
			return ret;
	}
	return 0;
}

/* A send or receive that makes sense, of a message with nothing beside its bytes. */
static bool is_plain(const struct kchan_chan *chan, const struct kchan_case *args, fmode_t mode)
{
	return !(args->index | args->arg | chan->cargo_at) && args->len == chan->elem_size &&
	       ((args->op == KCHAN_OP_RECV && mode & KCHAN_MODE_RECV) ||
		(args->op == KCHAN_OP_SEND && mode & KCHAN_MODE_SEND));
}

static bool looks_ready(const struct kchan_chan *chan, u32 op)
{
	/* No lock is held: by now it may be otherwise, as whoever takes the lock sees. */
	return data_race(op == KCHAN_OP_RECV ? kchan_chan_may_recv(chan) :
					       kchan_chan_may_send(chan));
}

/* One more looks ready: picks one of them, each as likely unless their order counts. */
static void pick_one(struct survey *survey, u32 index, bool in_order, u32 *random)
{
	if (!survey->ready++)
		survey->pick = index;
	if (survey->ready == 1 || in_order)
		return;
	if (survey->ready == 2)
		*random = get_random_u32();
	*random = kchan_draw_next(*random);
	if (!((u64)*random * survey->ready >> 32))
		survey->pick = index;
}

/* Looks up all cases, and at them. */
static __always_inline void get_cases(struct select_table *table, const struct kchan_select *args,
				      struct survey *survey)
{
	const struct kchan_case *arg = table->args, *end = arg + args->nr;
	struct fd *fd = table->fd;
	struct file *file;
	u32 random = 0;

	table->nr = args->nr;
	for (; arg < end; arg++, fd++) {
		*fd = fdget(arg->fd);
		file = fd_file(*fd);
		if (unlikely(!file || file->f_op != &kchan_chan_fops ||
			     !is_plain(file->private_data, arg, file->f_mode)))
			survey->plain &= arg->fd < 0 && arg->op != KCHAN_OP_COND;
		else if (unlikely(looks_ready(file->private_data, arg->op)))
			pick_one(survey, arg - table->args, args->flags & KCHAN_IN_ORDER,
				 &random);
	}
}

/* Does a plain send or receive, if it need not wait. */
static int do_plain(struct kchan_chan *chan, const struct kchan_case *args, u64 *value)
{
	void __user *msg = u64_to_user_ptr(args->buf);
	int ret;

	if (args->op == KCHAN_OP_RECV) {
		ret = kchan_chan_recv(chan, msg, NULL);
		*value = ret ? 0 : READ_ONCE(chan->cause);
	} else {
		ret = kchan_chan_send(chan, msg, NULL, false);
		*value = ret == -EPIPE ? READ_ONCE(chan->cause) : 0;
	}
	return ret;
}

/*
 * A cond gives a lock back, which must not depend on what else is ready: so it is
 * parked first of all, and stands beside nothing but what can end any wait.
 */
static int check_cond(const struct kchan_case *args, u32 index, u32 flags, bool *cond)
{
	if (args->op == KCHAN_OP_COND) {
		*cond = true;
		return index || args->fd < 0 || !(flags & KCHAN_IN_ORDER) ||
		       flags & KCHAN_READY ? -EINVAL : 0;
	}
	return *cond && args->fd >= 0 && args->op != KCHAN_OP_CANCELLED ? -EINVAL : 0;
}

static int read_select(struct kchan_select *args, struct kchan_select __user *arg,
		       struct kchan_deadline *deadline)
{
	int ret;

	ret = kchan_read_struct(args, sizeof(*args), arg);
	if (ret)
		return ret;
	if (args->flags & ~(KCHAN_WAIT_FLAGS | KCHAN_IN_ORDER | KCHAN_READY) ||
	    args->case_size < sizeof(struct kchan_case))
		return -EINVAL;
	if (args->nr > KCHAN_MAX_CASES || args->case_size > PAGE_SIZE)
		return -E2BIG;
	ret = kchan_read_deadline(args->flags, args->deadline, deadline);
	if (ret)
		return ret;
	/* Can it be written?  Once a case is done, nothing may fail. */
	return put_user(args->value, &arg->value) ? -EFAULT : 0;
}

/* Prepares one case's operation. */
static int begin_case(struct kchan_op *op, struct file *file, const struct kchan_case *args,
		      bool watch)
{
	int ret;

	if (!file)
		return -EBADF;
	ret = kchan_op_begin(op, file, args);
	/* Where nothing is taken, to be ready is to be done. */
	op->watch = watch && !ret && op->type->ready;
	return ret;
}

/* Prepares the operations of all cases that are not skipped. */
static int begin_cases(struct select_table *table, const struct kchan_select *args,
		       struct kchan_ops *ops)
{
	u32 i;
	int ret;

	for (i = 0; i < table->nr; i++) {
		const struct kchan_case *arg = &table->args[i];
		struct select_op *entry = &table->ops[ops->nr];

		ret = check_cond(arg, i, args->flags, &ops->tried);
		if (ret)
			return ret;
		if (arg->fd < 0)
			continue;
		ret = begin_case(&entry->op, fd_file(table->fd[i]), arg,
				 args->flags & KCHAN_READY);
		if (ret)
			return ret;
		entry->index = i;
		table->op[ops->nr++] = &entry->op;
	}
	return 0;
}

/* What the call returns, once the caller's struct says what the operation left. */
static long chosen_case(u32 index, int outcome, u64 value, const struct kchan_select *args,
			struct kchan_select __user *arg)
{
	/* Mostly it says so already. */
	if (value != args->value)
		kchan_put_value(value, &arg->value);
	return index | abs(outcome) << KCHAN_OUTCOME_SHIFT;
}

static long select_by_ops(struct select_table *table, const struct kchan_select *args,
			  struct kchan_select __user *arg, const struct kchan_deadline *deadline)
{
	struct kchan_ops ops = {
		.op = table->op,
		.shuffle = !(args->flags & KCHAN_IN_ORDER),
		.deadline = args->flags & KCHAN_NONBLOCK ? NULL : deadline,
	};
	struct kchan_op *chosen;
	long ret;

	ret = begin_cases(table, args, &ops);
	if (ret)
		return ret;
	ret = kchan_ops_do(&ops, &chosen);
	if (!chosen)
		return ret;
	return chosen_case(container_of(chosen, struct select_op, op)->index, ret, chosen->value,
			   args, arg);
}

/* Whether the picked case may be done: in order none before it must count. */
static bool may_pick(const struct select_table *table, const struct kchan_select *args, u32 pick)
{
	u32 i;

	/* What was not ready a moment ago may have been on its way, and is ready. */
	for (i = 0; args->flags & KCHAN_IN_ORDER && i < pick; i++) {
		if (table->args[i].fd >= 0)
			return false;
	}
	return !(args->flags & KCHAN_READY);
}

static long select_from(struct select_table *table, const struct kchan_select *args,
			struct kchan_select __user *arg, const struct kchan_deadline *deadline)
{
	struct survey survey = { .plain = true };
	struct file *file;
	u64 value;
	int ret;

	get_cases(table, args, &survey);
	if (survey.plain && survey.ready && may_pick(table, args, survey.pick)) {
		file = fd_file(table->fd[survey.pick]);
		ret = do_plain(file->private_data, &table->args[survey.pick], &value);
		if (ret >= 0 || ret == -EPIPE)
			return chosen_case(survey.pick, ret, value, args, arg);
		if (ret != -EAGAIN)
			return ret;
	}
	return select_by_ops(table, args, arg, deadline);
}

static __always_inline long select_few(const struct kchan_select *args,
				       struct kchan_select __user *arg,
				       const struct kchan_deadline *deadline)
{
	struct kchan_case cases[KCHAN_FEW_CASES] __uninitialized;
	struct fd fd[KCHAN_FEW_CASES] __uninitialized;
	struct select_op ops[KCHAN_FEW_CASES] __uninitialized;
	struct kchan_op *op[KCHAN_FEW_CASES] __uninitialized;
	struct select_table table = { .args = cases, .fd = fd, .ops = ops, .op = op };
	long ret;

	ret = read_cases(cases, args);
	if (ret)
		return ret;
	ret = select_from(&table, args, arg, deadline);
	put_cases(&table);
	return ret;
}

/* Of the message that it may have to keep, with what may travel with that. */
static u64 bytes_of_case(const struct kchan_case *args)
{
	if (args->fd < 0 || args->len > KCHAN_MAX_ELEM_SIZE ||
	    (args->op != KCHAN_OP_SEND && args->op != KCHAN_OP_RECV))
		return 0;
	return sizeof(struct kchan_parcel) + args->len + KCHAN_MAX_CARGO;
}

/* What it takes, should it have to wait. */
static u64 bytes_of_select(const struct kchan_case *args, u32 nr)
{
	u64 bytes = nr * (sizeof(struct kchan_case) + sizeof(struct fd) +
			  sizeof(struct select_op) + sizeof(struct kchan_op *));
	u32 i;

	for (i = 0; i < nr; i++)
		bytes += bytes_of_case(&args[i]);
	return bytes;
}

static long select_with_tables(struct select_table *table, const struct kchan_select *args,
			       struct kchan_select __user *arg,
			       const struct kchan_deadline *deadline)
{
	long ret = -ENOMEM;

	table->fd = kvmalloc_array(args->nr, sizeof(*table->fd), GFP_KERNEL_ACCOUNT);
	table->ops = kvmalloc_array(args->nr, sizeof(*table->ops), GFP_KERNEL_ACCOUNT);
	table->op = kvmalloc_array(args->nr, sizeof(*table->op), GFP_KERNEL_ACCOUNT);
	if (table->fd && table->ops && table->op)
		ret = select_from(table, args, arg, deadline);
	put_cases(table);
	kvfree(table->op);
	kvfree(table->ops);
	kvfree(table->fd);
	return ret;
}

/* Waits are memory, too: whose number and length others feel, so it is charged. */
static noinline long select_many(const struct kchan_select *args,
				 struct kchan_select __user *arg,
				 const struct kchan_deadline *deadline)
{
	struct select_table table = {};
	struct kchan_user *user;
	u64 bytes;
	long ret;

	table.args = kvmalloc_array(args->nr, sizeof(*table.args), GFP_KERNEL_ACCOUNT);
	if (!table.args)
		return -ENOMEM;
	ret = read_cases(table.args, args);
	if (ret)
		goto free_cases;
	bytes = bytes_of_select(table.args, args->nr);
	user = kchan_charge(0, bytes);
	ret = PTR_ERR_OR_ZERO(user);
	if (ret)
		goto free_cases;
	ret = select_with_tables(&table, args, arg, deadline);
	kchan_uncharge(user, 0, bytes);
free_cases:
	kvfree(table.args);
	return ret;
}

/**
 * kchan_select() - KCHAN_SELECT
 * @arg: the caller's struct kchan_select
 *
 * Return: the chosen case and its outcome, or a negative errno
 */
long kchan_select(struct kchan_select __user *arg)
{
	struct kchan_deadline deadline __uninitialized;
	struct kchan_select args __uninitialized;
	int ret;

	BUILD_BUG_ON(KCHAN_MAX_CASES >> KCHAN_OUTCOME_SHIFT);

	ret = read_select(&args, arg, &deadline);
	if (ret)
		return ret;
	return args.nr <= KCHAN_FEW_CASES ? select_few(&args, arg, &deadline) :
				  select_many(&args, arg, &deadline);
}
