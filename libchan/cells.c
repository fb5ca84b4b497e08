// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Cells: 64-bit atomics in memory that processes share.
 *
 * Whoever changes a cell looks afterwards whether somebody waits for it, and the
 * kernel looks at the cell after it has counted somebody who wants to.  All these
 * are sequentially consistent, so one of the two sees the other.
 */
#include <errno.h>
#include <sys/mman.h>

#include "internal.h"

static size_t bytes(const struct chan_object *o)
{
	return o->capacity * sizeof(*o->cells);
}

int chan_map(struct chan_object *o)
{
	int prot = PROT_READ | (o->rights & CHAN_SEND ? PROT_WRITE : 0);

	if (o->kind != CHAN_KIND_CELLS || !(o->rights & CHAN_RECV))
		return 0;
	o->cells = mmap(NULL, bytes(o), prot, MAP_SHARED, o->fd, 0);
	return o->cells == MAP_FAILED ? -1 : 0;
}

void chan_unmap(struct chan_object *o)
{
	if (o->cells)
		munmap(o->cells, bytes(o));
}

EXPORT struct chan_cells *chan_cells_make(size_t n)
{
	return chan_create(CHAN_KIND_CELLS, n);
}

EXPORT size_t chan_cells_count(const struct chan_cells *cells)
{
	return cells ? OBJECT(cells)->capacity : 0;
}

/* Cell @i, if this handle may do with it what takes these rights. */
static struct kchan_cell *cell(const struct chan_cells *cells, size_t i, unsigned int rights)
{
	const struct chan_object *o = OBJECT(cells);

	if (!o || rights & ~o->rights) {
		errno = EBADF;
		return NULL;
	}
	if (i >= o->capacity) {
		errno = EINVAL;
		return NULL;
	}
	return &o->cells[i];
}

static struct kchan_cell *cell_to_change(const struct chan_cells *cells, size_t i)
{
	return cell(cells, i, CHAN_SEND | CHAN_RECV);
}

/* Cell @i has changed: wakes those who wait for that, if any. */
static void changed(const struct chan_cells *cells, size_t i)
{
	int errnum = errno;

	if (!__atomic_load_n(&OBJECT(cells)->cells[i].waiters, __ATOMIC_SEQ_CST))
		return;
	chan_ioctl_arg(cells, KCHAN_SIGNAL, (int64_t)i);
	errno = errnum;
}

EXPORT uint64_t chan_cells_load(const struct chan_cells *cells, size_t i)
{
	struct kchan_cell *c = cell(cells, i, CHAN_RECV);

	return c ? __atomic_load_n(&c->value, __ATOMIC_SEQ_CST) : UINT64_MAX;
}

/*
 * Defines an operation that changes a cell and returns what it was before.  (The last
 * line is there for the semicolon behind its use.)
 */
#define CHANGE(NAME, ATOMIC)                                                                   \
	EXPORT uint64_t NAME(struct chan_cells *cells, size_t i, uint64_t value)               \
	{                                                                                      \
		struct kchan_cell *c = cell_to_change(cells, i);                               \
		uint64_t before;                                                               \
                                                                                               \
		if (!c)                                                                        \
			return UINT64_MAX;                                                     \
		before = ATOMIC(&c->value, value, __ATOMIC_SEQ_CST);                           \
		changed(cells, i);                                                             \
		return before;                                                                 \
	}                                                                                      \
	struct chan_object

CHANGE(chan_cells_swap, __atomic_exchange_n);
CHANGE(chan_cells_add, __atomic_fetch_add);
CHANGE(chan_cells_and, __atomic_fetch_and);
CHANGE(chan_cells_or, __atomic_fetch_or);

EXPORT int chan_cells_store(struct chan_cells *cells, size_t i, uint64_t value)
{
	struct kchan_cell *c = cell_to_change(cells, i);

	if (!c)
		return -1;
	__atomic_store_n(&c->value, value, __ATOMIC_SEQ_CST);
	changed(cells, i);
	return 0;
}

EXPORT int chan_cells_cas(struct chan_cells *cells, size_t i, uint64_t *expected, uint64_t desired)
{
	struct kchan_cell *c = cell_to_change(cells, i);
	__u64 is = *expected;
	bool was;

	if (!c)
		return -1;
	was = __atomic_compare_exchange_n(&c->value, &is, desired, false, __ATOMIC_SEQ_CST,
					  __ATOMIC_SEQ_CST);
	*expected = is;
	if (was)
		changed(cells, i);
	return was;
}

CHAN_WAITS(chan_cells, wait, chan_on_differs(cells, i, value), now, struct chan_cells *cells,
	   size_t i, uint64_t value, uint64_t *now);
