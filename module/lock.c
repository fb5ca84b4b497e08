// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks: mutexes, rwmutexes, and onces, which are locks until they are done.
 *
 * A lock is held by a process: by a table of files, which is what its threads
 * have in common, what goes when it ends, and what says so (->flush).  So a
 * process holds a lock only as long as it has a file number of it:
 *
 *	a thread locks			another thread closes the last number
 *
 *	finds the file
 *					takes it out of the table
 *					->flush: does the table hold the lock?
 *	the table holds the lock
 *	is the file in the table?
 *
 * Whichever comes last sees the other.  Where nobody shares the table that last step
 * can be left out, but for a thread that found the file when somebody still did, who
 * has closed it and ended since: so whoever closes a number of a shared table leaves
 * word.
 *
 * What holds whenever the object's lock is free, but for waits that were decided
 * elsewhere:
 *
 *	a writer waits		only while somebody holds the lock
 *	a reader waits		only while a writer holds the lock, or one that came
 *				before waits
 */
#include <linux/fdtable.h>
#include <linux/hashtable.h>
#include <linux/slab.h>

#include "file.h"
#include "lock.h"
#include "op.h"

/**
 * struct kchan_holder - a process that holds a lock for reading
 * @node: among the lock's holders, by @files
 * @files: the process; only ever compared
 * @times: how often
 */
struct kchan_holder {
	struct hlist_node node;
	fl_owner_t files;
	u32 times;
};

/**
 * struct kchan_rwlock - a mutex, rwmutex or once
 * @obj: what every object has; its lock guards all below
 * @writer: the process that holds it; NULL: none
 * @readers: how often it is held for reading
 * @holders: by whom
 * @writing: parked writers
 * @reading: parked readers
 * @turns: how many have been parked
 * @ownerdead: a writer died, and nobody has made it consistent
 * @notrecoverable: and nobody will
 * @done: a once has been done
 * @closed_shared: a number was closed in a table that others shared; stays
 * @number: where a process was last seen to have it open; a hint
 */
struct kchan_rwlock {
	struct kchan_object obj;
	fl_owner_t writer;
	u32 readers;
	DECLARE_HASHTABLE(holders, 6);
	struct kchan_queue writing;
	struct kchan_queue reading;
	u64 turns;
	bool ownerdead;
	bool notrecoverable;
	bool done;
	bool closed_shared;
	unsigned int number;
};

static struct kchan_rwlock *lock_of(struct kchan_object *obj)
{
	return container_of(obj, struct kchan_rwlock, obj);
}

static struct kchan_holder *find_holder(struct kchan_rwlock *lock, fl_owner_t files)
{
	struct kchan_holder *holder;

	hash_for_each_possible(lock->holders, holder, node, (unsigned long)files) {
		if (holder->files == files)
			return holder;
	}
	return NULL;
}

/* ---- who gets it ---- */

static int lock_outcome(const struct kchan_rwlock *lock)
{
	return lock->ownerdead ? -EOWNERDEAD : 0;
}

/* Locked; but kchan_lock_is_held() reads it without. */
static void set_writer(struct kchan_rwlock *lock, fl_owner_t files)
{
	WRITE_ONCE(lock->writer, files);
}

/* Returns the outcome of the operation that takes it. */
static int take_write(struct kchan_rwlock *lock, struct kchan_op *op)
{
	int ret = lock_outcome(lock);

	set_writer(lock, op->files);
	/* A once guards nothing that would have to be mended. */
	if (lock->obj.kind == &kchan_once_kind)
		lock->ownerdead = false;
	return ret;
}

static int take_read(struct kchan_rwlock *lock, struct kchan_op *op)
{
	struct kchan_holder *holder = find_holder(lock, op->files);

	if (!holder) {
		holder = op->holder;
		op->holder = NULL;
		holder->files = op->files;
		holder->times = 0;
		hash_add(lock->holders, &holder->node, (unsigned long)op->files);
	}
	holder->times++;
	lock->readers++;
	return lock_outcome(lock);
}

/* Whether a parked writer (or none) came before a parked reader. */
static bool is_in_front(struct kchan_entry *writer, struct kchan_entry *reader)
{
	return writer && kchan_op_of(writer)->turn < kchan_op_of(reader)->turn;
}

/* Admits the readers whom neither @first, a writer or NULL, nor one behind it holds back. */
static void admit_readers(struct kchan_rwlock *lock, struct kchan_entry *first,
			  struct kchan_change *change)
{
	struct kchan_entry *second = NULL, *entry, *next;

	if (first)
		second = kchan_first_other(&lock->writing, first->waiter);
	list_for_each_entry_safe(entry, next, &lock->reading.entries, node) {
		if (is_in_front(second, entry))
			break;
		/* Nobody is held back by himself. */
		if (is_in_front(first, entry) && first->waiter != entry->waiter)
			continue;
		if (kchan_claim_entry(entry, 0, &change->wakes))
			entry->result = take_read(lock, kchan_op_of(entry));
	}
}

/* Returns whether it was still undecided. */
static bool admit_writer(struct kchan_rwlock *lock, struct kchan_entry *entry,
			 struct kchan_change *change)
{
	if (!kchan_claim_entry(entry, 0, &change->wakes))
		return false;
	entry->result = take_write(lock, kchan_op_of(entry));
	return true;
}

/*
 * The lock has become freer: passes it on.  Readers go first after a writer, and
 * a writer after the readers, so that neither starves.  A writer that is decided
 * elsewhere in between has held back readers who are now to go before the next.
 */
static void pass_on(struct kchan_rwlock *lock, bool from_writer, struct kchan_change *change)
{
	struct kchan_entry *first;

	change->poll |= KCHAN_POLL_IN | KCHAN_POLL_OUT;
	if (lock->writer)
		return;
	do {
		first = kchan_first_other(&lock->writing, NULL);
		admit_readers(lock, from_writer ? NULL : first, change);
	} while (!lock->readers && first && !admit_writer(lock, first, change));
}

static void end_all(struct kchan_rwlock *lock, int result, struct kchan_change *change)
{
	kchan_end_waits(&lock->writing, result, change);
	kchan_end_waits(&lock->reading, result, change);
	change->poll |= KCHAN_POLL_IN | KCHAN_POLL_OUT;
}

/* A writer gives it back: mended or not, done or not. */
static void drop_write(struct kchan_rwlock *lock, struct kchan_change *change)
{
	set_writer(lock, NULL);
	if (lock->ownerdead) {
		lock->notrecoverable = true;
		end_all(lock, -ENOTRECOVERABLE, change);
	} else if (lock->done) {
		end_all(lock, 1, change);
	} else {
		pass_on(lock, true, change);
	}
}

/* It leaves it without: because it is dead, or because it never had use of it. */
static void leave_write(struct kchan_rwlock *lock, bool dead, struct kchan_change *change)
{
	set_writer(lock, NULL);
	lock->ownerdead |= dead;
	pass_on(lock, true, change);
}

/* Forgets a reader, once or altogether; returns what is to be freed. */
static struct kchan_holder *drop_read(struct kchan_rwlock *lock, struct kchan_holder *holder,
				      u32 times, struct kchan_change *change)
{
	holder->times -= times;
	lock->readers -= times;
	if (holder->times)
		holder = NULL;
	else
		hash_del(&holder->node);
	pass_on(lock, false, change);
	return holder;
}

/* The process has lost the lock, if it had it: by death, as far as others see. */
static void lose(struct kchan_rwlock *lock, fl_owner_t files)
{
	struct kchan_holder *holder, *gone = NULL;
	struct kchan_change change;

	kchan_lock(&lock->obj, &change);
	holder = find_holder(lock, files);
	if (holder)
		gone = drop_read(lock, holder, holder->times, &change);
	else if (lock->writer == files)
		leave_write(lock, true, &change);
	kchan_unlock(&lock->obj, &change);
	kfree(gone);
}

/* ---- the process and its numbers ---- */

static bool is_holder(struct kchan_rwlock *lock, fl_owner_t files)
{
	bool ret;

	spin_lock(&lock->obj.lock);
	ret = lock->writer == files || find_holder(lock, files);
	spin_unlock(&lock->obj.lock);
	return ret;
}

static int is_number_of(const void *obj, struct file *file, unsigned int number)
{
	return kchan_object_of(file) == obj ? number + 1 : 0;
}

/* Whether the current process has a file number of any handle to the lock. */
static bool has_number(struct kchan_rwlock *lock)
{
	struct file *file = fget(READ_ONCE(lock->number));
	bool ret = file && kchan_object_of(file) == &lock->obj;
	int number;

	if (file)
		fput(file);
	if (ret)
		return true;
	/* From there on first: who closes many mostly does so in order. */
	number = iterate_fd(current->files, READ_ONCE(lock->number), is_number_of, &lock->obj);
	if (!number)
		number = iterate_fd(current->files, 0, is_number_of, &lock->obj);
	if (number)
		WRITE_ONCE(lock->number, number - 1);
	return number;
}

static void lock_flush(struct kchan_object *obj, fl_owner_t files)
{
	struct kchan_rwlock *lock = lock_of(obj);

	/* The kernel closes files of nobody's table, too. */
	if (!files)
		return;
	/* Ordered before our leaving the table, which the count's other readers see. */
	if (atomic_read(&((struct files_struct *)files)->count) > 1)
		WRITE_ONCE(lock->closed_shared, true);
	if (!is_holder(lock, files))
		return;
	/* It may have others left, unless it is ending: then the table has gone. */
	if (files == current->files && has_number(lock))
		return;
	lose(lock, files);
}

static int read_give_back(struct kchan_object *obj)
{
	struct kchan_rwlock *lock = lock_of(obj);
	struct kchan_holder *holder, *gone = NULL;
	struct kchan_change change;

	kchan_lock(obj, &change);
	holder = find_holder(lock, current->files);
	if (holder)
		gone = drop_read(lock, holder, 1, &change);
	kchan_unlock(obj, &change);
	kfree(gone);
	return holder ? 0 : -EPERM;
}

/* ---- operations ---- */

static bool write_is_free(struct kchan_rwlock *lock, struct kchan_waiter *self)
{
	return !lock->writer && !lock->readers && !kchan_first_other(&lock->writing, self);
}

static bool read_is_free(struct kchan_rwlock *lock, struct kchan_waiter *self)
{
	return !lock->writer && !kchan_first_other(&lock->writing, self);
}

static bool write_ready(struct kchan_op *op)
{
	struct kchan_rwlock *lock = lock_of(op->obj);

	return lock->notrecoverable || lock->done || write_is_free(lock, op->entry.waiter);
}

static bool read_ready(struct kchan_op *op)
{
	struct kchan_rwlock *lock = lock_of(op->obj);

	return lock->notrecoverable || read_is_free(lock, op->entry.waiter);
}

static int write_attempt(struct kchan_op *op, struct kchan_waiter *self,
			 struct kchan_change *change)
{
	struct kchan_rwlock *lock = lock_of(op->obj);

	if (lock->notrecoverable)
		return kchan_outcome(self, -ENOTRECOVERABLE);
	if (lock->done)
		return kchan_outcome(self, 1);
	if (!write_is_free(lock, self))
		return -EAGAIN;
	return kchan_commit(self) ? take_write(lock, op) : KCHAN_DECIDED;
}

static int read_attempt(struct kchan_op *op, struct kchan_waiter *self,
			struct kchan_change *change)
{
	struct kchan_rwlock *lock = lock_of(op->obj);

	if (lock->notrecoverable)
		return kchan_outcome(self, -ENOTRECOVERABLE);
	if (!read_is_free(lock, self))
		return -EAGAIN;
	if (lock->readers >= KCHAN_MAX_COUNT)
		return kchan_outcome(self, -EOVERFLOW);
	/* The first pass comes without one: then it has to be fetched. */
	if (!op->holder && !find_holder(lock, op->files))
		return -EFAULT;
	return kchan_commit(self) ? take_read(lock, op) : KCHAN_DECIDED;
}

static struct kchan_queue *write_queue(struct kchan_op *op)
{
	return &lock_of(op->obj)->writing;
}

static struct kchan_queue *read_queue(struct kchan_op *op)
{
	return &lock_of(op->obj)->reading;
}

static void lock_parked(struct kchan_op *op, struct kchan_change *change)
{
	op->turn = lock_of(op->obj)->turns++;
}

/* A writer that no longer waits holds no readers back. */
static void write_left(struct kchan_op *op, struct kchan_change *change)
{
	pass_on(lock_of(op->obj), false, change);
}

static int read_prepare(struct kchan_op *op, struct kchan_numbers *numbers)
{
	if (!op->holder)
		op->holder = kmalloc(sizeof(*op->holder), GFP_KERNEL_ACCOUNT);
	return op->holder ? 0 : -ENOMEM;
}

static void read_release(struct kchan_op *op)
{
	kfree(op->holder);
	op->holder = NULL;
}

/*
 * An acquisition that the process could never give back: it has closed the lock
 * meanwhile, which only others who share its files can do.
 */
static bool is_orphaned(struct kchan_op *op, int outcome)
{
	struct kchan_rwlock *lock = lock_of(op->obj);

	if (outcome && outcome != -EOWNERDEAD)
		return false;
	return (op->shared || READ_ONCE(lock->closed_shared)) && !has_number(lock);
}

/*
 * Leaves the lock as it was found.  If the close has lost it already, others may
 * have been told so: then the call came first, and succeeds.
 */
static int write_finish(struct kchan_op *op, int outcome)
{
	struct kchan_rwlock *lock = lock_of(op->obj);
	struct kchan_change change;
	int ret = outcome;

	if (!is_orphaned(op, outcome))
		return outcome;
	kchan_lock(op->obj, &change);
	if (lock->writer == op->files) {
		leave_write(lock, outcome == -EOWNERDEAD, &change);
		ret = -EBADF;
	}
	kchan_unlock(op->obj, &change);
	return ret;
}

static int read_finish(struct kchan_op *op, int outcome)
{
	if (!is_orphaned(op, outcome))
		return outcome;
	read_give_back(op->obj);
	return -EBADF;
}

static const struct kchan_op_type write_type = {
	.right = KCHAN_MODE_SEND,
	.ready = write_ready,
	.attempt = write_attempt,
	.queue = write_queue,
	.parked = lock_parked,
	.left = write_left,
	.finish = write_finish,
};

static const struct kchan_op_type read_type = {
	.right = KCHAN_MODE_RECV,
	.ready = read_ready,
	.attempt = read_attempt,
	.prepare = read_prepare,
	.queue = read_queue,
	.parked = lock_parked,
	.finish = read_finish,
	.touch = read_prepare,
	.release = read_release,
};

static int lock_begin(struct kchan_op *op, const struct kchan_case *args)
{
	if (args->buf || args->len || args->index || args->arg)
		return -EINVAL;
	op->files = current->files;
	/*
	 * If nobody shares it now, nobody does before the call returns; and what those
	 * left word of who did is seen from here on.
	 */
	op->shared = atomic_read_acquire(&current->files->count) > 1;
	op->holder = NULL;
	if (args->op == KCHAN_OP_LOCK)
		op->type = &write_type;
	else if (args->op == KCHAN_OP_RLOCK && op->obj->kind == &kchan_rwmutex_kind)
		op->type = &read_type;
	return 0;
}

/* ---- calls ---- */

/**
 * kchan_lock_is_held() - whether the current process holds a lock
 * @obj: a mutex or rwmutex
 *
 * Return: true if it does, and not for reading
 */
bool kchan_lock_is_held(struct kchan_object *obj)
{
	return READ_ONCE(lock_of(obj)->writer) == current->files;
}

/**
 * kchan_lock_give_back() - unlock
 * @obj: a mutex, rwmutex or once
 *
 * Return: 0, or -EPERM
 */
int kchan_lock_give_back(struct kchan_object *obj)
{
	struct kchan_rwlock *lock = lock_of(obj);
	struct kchan_change change;
	int ret = -EPERM;

	kchan_lock(obj, &change);
	if (lock->writer == current->files) {
		drop_write(lock, &change);
		ret = 0;
	}
	kchan_unlock(obj, &change);
	return ret;
}

static int unlock_write(struct kchan_object *obj, s64 value)
{
	return value == KCHAN_OP_LOCK ? kchan_lock_give_back(obj) : -EINVAL;
}

static int unlock_read(struct kchan_object *obj, s64 value)
{
	return read_give_back(obj);
}

static int lock_consistent(struct kchan_object *obj, s64 value)
{
	struct kchan_rwlock *lock = lock_of(obj);
	int ret = 0;

	if (value)
		return -EINVAL;
	spin_lock(&obj->lock);
	if (lock->writer != current->files)
		ret = -EPERM;
	else if (!lock->ownerdead)
		ret = -EINVAL;
	else
		lock->ownerdead = false;
	spin_unlock(&obj->lock);
	return ret;
}

static int once_done(struct kchan_object *obj, s64 value)
{
	struct kchan_rwlock *lock = lock_of(obj);
	struct kchan_change change;
	int ret = -EPERM;

	if (value)
		return -EINVAL;
	kchan_lock(obj, &change);
	if (lock->writer == current->files) {
		lock->done = true;
		drop_write(lock, &change);
		ret = 0;
	}
	kchan_unlock(obj, &change);
	return ret;
}

/* ---- kinds ---- */

static __poll_t lock_ready(struct kchan_object *obj)
{
	struct kchan_rwlock *lock = lock_of(obj);
	bool over = lock->notrecoverable || lock->done;
	__poll_t events = 0;

	if (over || write_is_free(lock, NULL))
		events |= KCHAN_POLL_OUT;
	if (obj->kind == &kchan_rwmutex_kind && (over || read_is_free(lock, NULL)))
		events |= KCHAN_POLL_IN;
	return events;
}

static void lock_stat(struct kchan_object *obj, struct kchan_stat *stat)
{
	struct kchan_rwlock *lock = lock_of(obj);

	stat->length = obj->kind == &kchan_rwmutex_kind ? lock->readers :
		       obj->kind == &kchan_mutex_kind && lock->writer;
	stat->state = (lock->writer ? KCHAN_STATE_LOCKED : 0) |
		      (lock->ownerdead ? KCHAN_STATE_OWNERDEAD : 0) |
		      (lock->notrecoverable ? KCHAN_STATE_NOTRECOVERABLE : 0) |
		      (lock->done ? KCHAN_STATE_DONE : 0);
	stat->waiting_senders = lock->writing.len;
	stat->waiting_receivers = lock->reading.len;
}

static struct kchan_object *lock_make(struct kchan_kind *kind, const struct kchan_create *args)
{
	struct kchan_object *obj;
	struct kchan_rwlock *lock;

	if (args->limit)
		return ERR_PTR(-EINVAL);
	obj = kchan_object_new(kind, 0);
	if (IS_ERR(obj))
		return obj;
	lock = lock_of(obj);
	hash_init(lock->holders);
	kchan_queue_init(&lock->writing);
	kchan_queue_init(&lock->reading);
	return obj;
}

static struct kchan_object *mutex_make(const struct kchan_create *args)
{
	return lock_make(&kchan_mutex_kind, args);
}

static struct kchan_object *rwmutex_make(const struct kchan_create *args)
{
	return lock_make(&kchan_rwmutex_kind, args);
}

static struct kchan_object *once_make(const struct kchan_create *args)
{
	return lock_make(&kchan_once_kind, args);
}

static const struct kchan_action mutex_actions[] = {
	{ KCHAN_UNLOCK, KCHAN_MODE_SEND, unlock_write },
	{ KCHAN_CONSISTENT, KCHAN_MODE_SEND, lock_consistent },
	{}
};

static const struct kchan_action rwmutex_actions[] = {
	{ KCHAN_UNLOCK, KCHAN_MODE_RECV, unlock_read, KCHAN_OP_RLOCK },
	{ KCHAN_UNLOCK, KCHAN_MODE_SEND, unlock_write },
	{ KCHAN_CONSISTENT, KCHAN_MODE_SEND, lock_consistent },
	{}
};

static const struct kchan_action once_actions[] = {
	{ KCHAN_UNLOCK, KCHAN_MODE_SEND, unlock_write },
	{ KCHAN_DONE, KCHAN_MODE_SEND, once_done },
	{}
};

struct kchan_kind kchan_mutex_kind = {
	.name = "mutex",
	.nr = KCHAN_KIND_MUTEX,
	.size = sizeof(struct kchan_rwlock),
	.exclusive = true,
	.actions = mutex_actions,
	.fops = &kchan_object_fops,
	.make = mutex_make,
	.begin = lock_begin,
	.ready = lock_ready,
	.stat = lock_stat,
	.flush = lock_flush,
};

struct kchan_kind kchan_rwmutex_kind = {
	.name = "rwmutex",
	.nr = KCHAN_KIND_RWMUTEX,
	.size = sizeof(struct kchan_rwlock),
	.labels = { NULL, NULL, "readers" },
	.actions = rwmutex_actions,
	.fops = &kchan_object_fops,
	.make = rwmutex_make,
	.begin = lock_begin,
	.ready = lock_ready,
	.stat = lock_stat,
	.flush = lock_flush,
};

struct kchan_kind kchan_once_kind = {
	.name = "once",
	.nr = KCHAN_KIND_ONCE,
	.size = sizeof(struct kchan_rwlock),
	.actions = once_actions,
	.fops = &kchan_object_fops,
	.make = once_make,
	.begin = lock_begin,
	.ready = lock_ready,
	.stat = lock_stat,
	.flush = lock_flush,
};
