// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cells: 64-bit values in memory that their users share, and can wait for.
 *
 * Nothing in that memory is trusted.  Its users may write whatever they like to
 * it, and change it at any time: the kernel only compares values, and leaves word
 * of how many wait, for those who change a value to know whether to signal:
 *
 *	change the value		say that one more waits
 *	look whether anybody waits	look at the value
 *
 * Whichever comes last sees the other.  Who dies between the two halves leaves
 * nobody waiting, since the end of a mapping is as good as a signal.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "cells.h"
#include "file.h"
#include "op.h"

#define CELLS_PER_PAGE	(PAGE_SIZE / sizeof(struct kchan_cell))

/**
 * struct kchan_cells - some cells
 * @obj: what every object has
 * @nr: how many; constant
 * @nr_pages: how many they fill; constant
 * @pages: the memory; constant
 * @waiters: parked, guarded by the object's lock
 */
struct kchan_cells {
	struct kchan_object obj;
	u32 nr;
	u32 nr_pages;
	struct page **pages;
	struct kchan_queue waiters;
};

static struct kchan_cells *cells_of(struct kchan_object *obj)
{
	return container_of(obj, struct kchan_cells, obj);
}

static struct kchan_cell *cell_at(const struct kchan_cells *cells, u32 index)
{
	struct kchan_cell *page = page_address(cells->pages[index / CELLS_PER_PAGE]);

	return page + index % CELLS_PER_PAGE;
}

static u64 read_cell(const struct kchan_cells *cells, u32 index)
{
	return atomic64_read((atomic64_t *)&cell_at(cells, index)->value);
}

/* ---- waiting ---- */

static int differs_attempt(struct kchan_op *op, struct kchan_waiter *self,
			   struct kchan_change *change)
{
	u64 value = read_cell(cells_of(op->obj), op->index);

	if (value == op->expected)
		return -EAGAIN;
	op->value = value;
	return kchan_outcome(self, 0);
}

/* From here on whoever changes the cell signals: so it is looked at once more. */
static int differs_prepare(struct kchan_op *op, struct kchan_numbers *numbers)
{
	if (op->counted)
		return 0;
	atomic_inc((atomic_t *)&cell_at(cells_of(op->obj), op->index)->waiters);
	smp_mb__after_atomic();	/* pairs with the order of the writer's C11 operations */
	op->counted = true;
	return 0;
}

static void differs_release(struct kchan_op *op)
{
	if (op->counted)
		atomic_dec((atomic_t *)&cell_at(cells_of(op->obj), op->index)->waiters);
	op->counted = false;
}

static struct kchan_queue *differs_queue(struct kchan_op *op)
{
	return &cells_of(op->obj)->waiters;
}

static const struct kchan_op_type differs_type = {
	.right = KCHAN_MODE_RECV,
	.attempt = differs_attempt,
	.prepare = differs_prepare,
	.queue = differs_queue,
	.release = differs_release,
};

static int cells_begin(struct kchan_op *op, const struct kchan_case *args)
{
	if (args->op != KCHAN_OP_DIFFERS || args->buf || args->len ||
	    args->index >= cells_of(op->obj)->nr)
		return -EINVAL;
	op->type = &differs_type;
	op->index = array_index_nospec(args->index, cells_of(op->obj)->nr);
	op->expected = args->arg;
	op->counted = false;
	return 0;
}

/* Ends the waits for what differs by now: of one cell, or of all (@index < 0). */
static void cells_look(struct kchan_cells *cells, s64 index)
{
	struct kchan_entry *entry, *next;
	struct kchan_change change;
	struct kchan_op *op;
	u64 value;

	kchan_lock(&cells->obj, &change);
	list_for_each_entry_safe(entry, next, &cells->waiters.entries, node) {
		op = kchan_op_of(entry);
		if (index >= 0 && index != op->index)
			continue;
		value = read_cell(cells, op->index);
		if (value != op->expected && kchan_claim_entry(entry, 0, &change.wakes))
			op->value = value;
	}
	kchan_unlock(&cells->obj, &change);
}

static int cells_signal(struct kchan_object *obj, s64 value)
{
	struct kchan_cells *cells = cells_of(obj);

	if (value < 0 || value >= cells->nr)
		return -EINVAL;
	/* The caller's change comes before its signal; this is the other half. */
	smp_mb();
	cells_look(cells, value);
	return 0;
}

/* ---- the memory ---- */

static vm_fault_t cells_fault(struct vm_fault *vmf)
{
	struct kchan_cells *cells = cells_of(vmf->vma->vm_file->private_data);

	if (vmf->pgoff >= cells->nr_pages)
		return VM_FAULT_SIGBUS;
	vmf->page = cells->pages[vmf->pgoff];
	get_page(vmf->page);
	return 0;
}

static void cells_unmapped(struct vm_area_struct *vma)
{
	/* Who could not write has changed nothing. */
	if (vma->vm_flags & VM_SHARED)
		cells_look(cells_of(vma->vm_file->private_data), -1);
}

static const struct vm_operations_struct cells_vm_ops = {
	.fault = cells_fault,
	.close = cells_unmapped,
};

/* The VFS has seen to it that only a handle that may write can map to write. */
static int cells_mmap(struct kchan_object *obj, struct vm_area_struct *vma)
{
	struct kchan_cells *cells = cells_of(obj);

	if (!(vma->vm_flags & VM_MAYSHARE) || vma->vm_pgoff || vma_pages(vma) > cells->nr_pages)
		return -EINVAL;
	vma->vm_ops = &cells_vm_ops;
	return 0;
}

/* ---- kind ---- */

static __poll_t cells_ready(struct kchan_object *obj)
{
	return KCHAN_POLL_IN | KCHAN_POLL_OUT;
}

static void cells_stat(struct kchan_object *obj, struct kchan_stat *stat)
{
	stat->capacity = cells_of(obj)->nr;
	stat->waiting_receivers = cells_of(obj)->waiters.len;
}

/* Takes what is half built, too. */
static void cells_free(struct kchan_object *obj)
{
	struct kchan_cells *cells = cells_of(obj);
	u32 i;

	for (i = 0; cells->pages && i < cells->nr_pages && cells->pages[i]; i++)
		put_page(cells->pages[i]);
	kvfree(cells->pages);
}

static struct kchan_object *cells_make(const struct kchan_create *args)
{
	struct kchan_object *obj;
	struct kchan_cells *cells;
	u32 nr_pages, i;

	if (!args->limit || args->limit > KCHAN_MAX_CELLS)
		return ERR_PTR(-EINVAL);
	nr_pages = DIV_ROUND_UP(args->limit, CELLS_PER_PAGE);
	obj = kchan_object_new(&kchan_cells_kind, (u64)nr_pages * PAGE_SIZE);
	if (IS_ERR(obj))
		return obj;
	cells = cells_of(obj);
	cells->nr = args->limit;
	cells->nr_pages = nr_pages;
	kchan_queue_init(&cells->waiters);
	cells->pages = kvcalloc(nr_pages, sizeof(*cells->pages), GFP_KERNEL_ACCOUNT);
	for (i = 0; cells->pages && i < nr_pages; i++) {
		cells->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!cells->pages[i])
			break;
	}
	if (cells->pages && i == nr_pages)
		return obj;
	kchan_object_put(obj);
	return ERR_PTR(-ENOMEM);
}

static const struct kchan_action cells_actions[] = {
	{ KCHAN_SIGNAL, KCHAN_MODE_SEND, cells_signal },
	{}
};

struct kchan_kind kchan_cells_kind = {
	.name = "cells",
	.nr = KCHAN_KIND_CELLS,
	.size = sizeof(struct kchan_cells),
	.labels = { NULL, "cells" },
	.actions = cells_actions,
	.fops = &kchan_object_fops,
	.make = cells_make,
	.begin = cells_begin,
	.ready = cells_ready,
	.stat = cells_stat,
	.mmap = cells_mmap,
	.free = cells_free,
};
