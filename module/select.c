// SPDX-License-Identifier: GPL-2.0-only
/*
 * Select: cases come in, are looked up and checked, all of them before anything
 * happens; then one of their operations is done (op.c).
 */
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "op.h"
#include "quota.h"
#include "select.h"
#include "uarg.h"

/**
 * struct select_case - a case that is not skipped
 * @op: what to do
 * @fd: on which handle, held as long as the select lasts
 * @index: its place in the caller's array
 */
struct select_case {
	struct kchan_op op;
	struct fd fd;
	u32 index;
};

/**
 * struct select_table - the cases
 * @cases: those that are not skipped
 * @op: their operations
 * @nr: how many
 */
struct select_table {
	struct select_case *cases;
	struct kchan_op **op;
	u32 nr;
};

static void put_cases(struct select_table *table)
{
	while (table->nr)
		fdput(table->cases[--table->nr].fd);
}

/* Looks up one case, and checks it. */
static int get_case(struct select_table *table, const struct kchan_case *args, u32 index,
		    bool watch)
{
	struct select_case *entry = &table->cases[table->nr];
	struct file *file;
	int ret;

	if (args->fd < 0)
		return 0;
	entry->fd = fdget(args->fd);
	file = fd_file(entry->fd);
	if (!file)
		return -EBADF;
	table->op[table->nr++] = &entry->op;
	entry->index = index;
	ret = kchan_op_begin(&entry->op, file, args);
	/* Where nothing is taken, to be ready is to be done. */
	entry->op.watch = watch && !ret && entry->op.type->ready;
	return ret;
}

/* Takes in @n cases, of the size that the caller gives them. */
static int read_cases(struct kchan_case *to, const void __user *from, u32 n, u32 size)
{
	u32 i;
	int ret;

	if (likely(size == sizeof(*to)))
		return kchan_read_words((void *)to, from, n * sizeof(*to) / sizeof(long));
	for (i = 0; i < n; i++) {
		ret = copy_struct_from_user(&to[i], sizeof(*to), from + (size_t)i * size, size);
		if (ret)
			return ret;
	}
	return 0;
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

/* Looks up all cases; on failure those that were are held until put_cases(). */
static int get_cases(struct select_table *table, const struct kchan_select *args, bool *cond)
{
	const void __user *from = u64_to_user_ptr(args->cases);
	struct kchan_case chunk[KCHAN_FEW_CASES];
	u32 done, n, i;
	int ret;

	for (done = 0; done < args->nr; done += n) {
		n = min_t(u32, args->nr - done, ARRAY_SIZE(chunk));
		ret = read_cases(chunk, from + (size_t)done * args->case_size, n, args->case_size);
		for (i = 0; !ret && i < n; i++) {
			ret = check_cond(&chunk[i], done + i, args->flags, cond);
			if (!ret)
				ret = get_case(table, &chunk[i], done + i,
					       args->flags & KCHAN_READY);
		}
		if (ret)
			return ret;
	}
	return 0;
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

/* The index and outcome of what was done, as one number. */
static long chosen_case(const struct kchan_op *op, int outcome)
{
	const struct select_case *entry = container_of(op, struct select_case, op);

	return entry->index | abs(outcome) << KCHAN_OUTCOME_SHIFT;
}

static long select_from(struct select_table *table, const struct kchan_select *args,
			struct kchan_select __user *arg, const struct kchan_deadline *deadline)
{
	struct kchan_ops ops = {
		.op = table->op,
		.shuffle = !(args->flags & KCHAN_IN_ORDER),
		.deadline = args->flags & KCHAN_NONBLOCK ? NULL : deadline,
	};
	struct kchan_op *chosen;
	long ret;

	ret = get_cases(table, args, &ops.tried);
	if (ret)
		return ret;
	ops.nr = table->nr;
	ret = kchan_ops_do(&ops, &chosen);
	if (!chosen)
		return ret;
	kchan_put_value(chosen->value, &arg->value);
	return chosen_case(chosen, ret);
}

static long select_few(const struct kchan_select *args, struct kchan_select __user *arg,
		       const struct kchan_deadline *deadline)
{
	struct select_case cases[KCHAN_FEW_CASES];
	struct kchan_op *op[KCHAN_FEW_CASES];
	struct select_table table = { .cases = cases, .op = op };
	long ret;

	ret = select_from(&table, args, arg, deadline);
	put_cases(&table);
	return ret;
}

/* Waits are memory, too: whose number and length others feel, so it is charged. */
static long select_many(const struct kchan_select *args, struct kchan_select __user *arg,
			const struct kchan_deadline *deadline)
{
	u64 bytes = args->nr * (sizeof(struct select_case) + sizeof(struct kchan_op *));
	struct kchan_user *user = kchan_charge(0, bytes);
	struct select_table table = {};
	long ret = -ENOMEM;

	if (IS_ERR(user))
		return PTR_ERR(user);
	table.cases = kvmalloc_array(args->nr, sizeof(*table.cases), GFP_KERNEL_ACCOUNT);
	table.op = kvmalloc_array(args->nr, sizeof(*table.op), GFP_KERNEL_ACCOUNT);
	if (table.cases && table.op)
		ret = select_from(&table, args, arg, deadline);
	put_cases(&table);
	kvfree(table.op);
	kvfree(table.cases);
	kchan_uncharge(user, 0, bytes);
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
	struct kchan_deadline deadline;
	struct kchan_select args;
	int ret;

	BUILD_BUG_ON(KCHAN_MAX_CASES >> KCHAN_OUTCOME_SHIFT);

	ret = read_select(&args, arg, &deadline);
	if (ret)
		return ret;
	return args.nr <= KCHAN_FEW_CASES ? select_few(&args, arg, &deadline) :
				  select_many(&args, arg, &deadline);
}
