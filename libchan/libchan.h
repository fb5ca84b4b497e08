/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/**
 * @file libchan.h
 * Go's channels, select and sync for C programs made of threads and processes.
 *
 * Every object lives in the kernel (module kchan); a program holds handles to
 * it, each of which owns one file descriptor.  Handles may be used from any
 * number of threads at once, and go on working in a child after fork(2).  A
 * crashed peer cannot damage an object, and its death is an event that the
 * others see.
 *
 * In this order:
 *   errors, limits, rights      deadlines               handles of every kind
 *   bounds of a wait            channels                cargo
 *   notices                     wait groups and tokens  semaphores
 *   mutexes                     readers-writer mutexes  conditions
 *   once                        timers                  cells
 *   cancels                     select                  typed channels
 *
 * Whatever waits comes in four forms: NAME() waits; try_NAME() fails with EAGAIN
 * instead; NAME_until() fails with ETIMEDOUT once a deadline has passed; and
 * NAME_with() also ends when a cancel says so.
 *
 * Errors: a call that fails returns -1 (or NULL), sets errno, and has changed
 * nothing, but for EOWNERDEAD of a lock, and a request that chan_call() has sent.
 * chan_strerror() has words for each:
 *
 *   EAGAIN     a try call, or any call on a file with O_NONBLOCK, would have to
 *              wait
 *   ETIMEDOUT  the deadline has passed
 *   ECANCELED  the cancel that bounds the wait was cancelled
 *   EINTR      a signal handler ran (calls restart by themselves after handlers
 *              installed with SA_RESTART)
 *   EPIPE      send on a closed channel, or nobody is left who can receive
 *   EALREADY   close of a closed channel
 *   EOWNERDEAD the last holder of a lock died with it (the lock is the caller's
 *              now); or some of the work waited for was abandoned
 *   ENOTRECOVERABLE  a lock was unlocked after that without being mended
 *   EPERM      unlock of what this process does not hold
 *   EOVERFLOW  more units given back than were taken, or added than can be
 *   EBADF      a NULL handle, a handle without the right, or a file that is not
 *              an object of this kind
 *   EMSGSIZE   the element is not of the channel's size (typed from-fd), or comes
 *              with another number of handles
 *   EINVAL     an argument that makes no sense; a wait group would fall below 0
 *   E2BIG      more cases than a select can have
 *   EFAULT     a pointer that does not lead to memory
 *   EDQUOT     the user owns as many objects, or as much of their memory, as
 *              allowed (for a receive that would wait: the channel's owner has
 *              more than that), or has as many threads or processes as allowed
 *   ELOOP      a handle in a message that might keep itself alive; a channel of
 *              notices would be watched itself
 *   ETOOMANYREFS  the user has as many files on their way in messages as allowed
 *   ENOMEM, EMFILE, ENFILE
 *   ENODEV     there is no /dev/kchan: the module is not loaded
 *   EACCES     /dev/kchan may not be opened by this user
 *   EPROTO     the loaded module does not know this call
 *
 * Everything here is available since libchan 0.1 unless it says otherwise, such as
 * "Since 0.2".
 */
#ifndef LIBCHAN_H
#define LIBCHAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define LIBCHAN_VERSION_MAJOR 0
#define LIBCHAN_VERSION_MINOR 3

#ifdef __cplusplus
extern "C" {
#define CHAN_STATIC_ASSERT(cond, words) static_assert(cond, words)
#else
#define CHAN_STATIC_ASSERT(cond, words) _Static_assert(cond, words)
#endif

#define CHAN_UNUSED __attribute__((unused))

/** Largest element, in bytes. */
#define CHAN_ELEM_MAX 65536
/** Largest capacity, in elements. */
#define CHAN_CAP_MAX 1048576
/** Most units in a wait group or semaphore.  Since 0.2. */
#define CHAN_UNITS_MAX 2147483647
/** Most cells in one object.  Since 0.2. */
#define CHAN_CELLS_MAX 65536
/** Most cases in a select.  Since 0.2. */
#define CHAN_CASES_MAX 1024
/** Most elements in one call such as chan_send_many().  Since 0.3. */
#define CHAN_MANY_MAX 2147483647
/** Most handles in a message.  Since 0.3. */
#define CHAN_HANDLES_MAX 16
/** Deepest channel whose messages have handles: see chan_options.depth.  Since 0.3. */
#define CHAN_DEPTH_MAX 16
/** Greatest errno that may be a cause, of a cancel or a close.  Since 0.3. */
#define CHAN_ERRNO_MAX 4095

/**
 * Rights of a handle, to be or'ed together.  A channel's say whether it may send
 * (and close) and receive; what other kinds need them for is said with each.
 */
#define CHAN_SEND 1u
#define CHAN_RECV 2u

/* ------------------------------ deadlines ------------------------------ */

/** Units of the nanoseconds that deadlines count. */
#define CHAN_MICROSECOND INT64_C(1000)
#define CHAN_MILLISECOND INT64_C(1000000)
#define CHAN_SECOND INT64_C(1000000000)

/** Now on CLOCK_MONOTONIC, in nanoseconds. */
int64_t chan_now(void);

/**
 * A deadline ns nanoseconds from now on CLOCK_MONOTONIC: at the latest
 * INT64_MAX, which never comes; a negative ns means now.
 */
int64_t chan_after(int64_t ns);

/**
 * What an errno that a call of libchan left means, in words that say what to do
 * about it.  The string lives forever and may be used by several threads.
 */
const char *chan_strerror(int errnum);

/* ------------------------- handles of every kind ------------------------- */

/**
 * A handle to an object of any kind.  Each kind has a type of its own, such as
 * struct chan_mutex, and for it the calls of CHAN_HANDLE() below.  All these
 * types are this one underneath: a pointer to one may be converted to a pointer
 * to struct chan_object.  Since 0.2.
 */
struct chan_object;

/** Kinds of object: chan_object_stat.kind.  Since 0.2. */
enum chan_kind {
	CHAN_KIND_CHAN = 1,
	CHAN_KIND_WAITGROUP = 2,
	CHAN_KIND_SEMAPHORE = 3,
	CHAN_KIND_TOKEN = 4,
	CHAN_KIND_MUTEX = 5,
	CHAN_KIND_RWMUTEX = 6,
	CHAN_KIND_ONCE = 7,
	CHAN_KIND_COND = 8,
	CHAN_KIND_TIMER = 9,
	CHAN_KIND_CELLS = 10,
	CHAN_KIND_CANCEL = 11
};

/** Bits of chan_object_stat.state.  Since 0.2. */
enum chan_state {
	CHAN_CLOSED = 0x1,	   /**< channel: chan_close() was called */
	CHAN_NO_SENDERS = 0x2,	   /**< no handle with the right CHAN_SEND is left */
	CHAN_NO_RECEIVERS = 0x4,   /**< no handle with the right CHAN_RECV is left */
	CHAN_LOCKED = 0x8,	   /**< mutex, rwmutex, once: held by one */
	CHAN_OWNERDEAD = 0x10,	   /**< its holder died, and nobody mended it yet */
	CHAN_NOTRECOVERABLE = 0x20, /**< and nobody will */
	CHAN_DONE = 0x40,	   /**< once, token: done */
	CHAN_RUNNING = 0x80,	   /**< timer: will tick */
	CHAN_CANCELLED = 0x100,	   /**< cancel: cancelled */
	CHAN_STAMPED = 0x200	   /**< channel: its messages tell who sent them; since 0.3 */
};

/** The state of an object at one instant; see chan_object_stat().  Since 0.2. */
struct chan_object_stat {
	uint64_t id;		    /**< the object's number; equal for all its handles */
	uint32_t kind;		    /**< CHAN_KIND_* */
	uint32_t rights;	    /**< CHAN_SEND | CHAN_RECV, of this handle */
	uint32_t state;		    /**< bits of enum chan_state */
	uint32_t elem_size;	    /**< channel: bytes in an element */
	uint64_t limit;		    /**< channel: capacity; wait group: limit or 0;
					 semaphore: its units; cells: how many */
	uint64_t count;		    /**< channel: elements in it; wait group, semaphore:
					 units taken; token: its units; mutex: 1 when
					 locked; rwmutex: readers that hold it; timer: ticks
					 to be taken; cancel: its children */
	uint64_t value;		    /**< wait group, semaphore: units abandoned since none
					 was last taken; cancel: its cause, or 0; channel:
					 as chan_stat.cause */
	uint32_t waiting_senders;   /**< blocked on it in what takes CHAN_SEND */
	uint32_t waiting_receivers; /**< blocked on it in what takes CHAN_RECV */
	uint64_t dropped;	    /**< channel: as chan_stat.dropped; since 0.3, 0 before */
	uint32_t policy;	    /**< channel: enum chan_policy; since 0.3, 0 before */
	uint32_t reserved32;	    /**< 0 */
	uint64_t reserved[2];	    /**< 0; room to grow */
};

/**
 * Let go of a handle: frees it and closes its file descriptor.  The object lives
 * on as long as it has handles, in any process.  Locks that the process holds
 * through its last handle to them pass on as if it had died.  NULL is allowed.
 * errno is left as it was.  Since 0.2.
 */
void chan_object_drop(struct chan_object *o);

/**
 * The file descriptor of a handle, or -1 with errno EBADF for NULL.  It stays the
 * handle's: poll it, send it over a socket, clear its FD_CLOEXEC before exec, but
 * do not close it.  Since 0.2.
 */
int chan_object_fd(const struct chan_object *o);

/**
 * Make a handle from a file descriptor that came by fork, exec or a socket.
 * Since 0.2.
 *
 * @return a handle that owns fd from now on; or NULL, leaving fd open and the
 *         caller's, with errno EBADF (not open, or no object of this kind),
 *         ENOMEM, or for cells an errno of mmap(2).
 */
struct chan_object *chan_object_from_fd(int fd, enum chan_kind kind);

/**
 * Undo chan_object_from_fd(): free the handle and give back its file descriptor,
 * which is the caller's from now on.  Since 0.2.
 *
 * @return the file descriptor; or -1 with errno EBADF for NULL.
 */
int chan_object_into_fd(struct chan_object *o);

/**
 * Make a second handle to the same object with the same or fewer rights, to be
 * handed to somebody who should be able to do no more.  Since 0.2.
 *
 * @param rights CHAN_SEND, CHAN_RECV or both
 * @return a handle, close-on-exec, to be dropped; or NULL with errno EINVAL (no
 *         right, or an unknown one), EBADF (a right that o lacks, or o is NULL),
 *         EMFILE, ENFILE, ENOMEM, or for cells an errno of mmap(2).
 */
struct chan_object *chan_object_restrict(const struct chan_object *o, unsigned int rights);

/**
 * Ask for the state of an object; any handle may.  Since 0.2.
 *
 * @return 0; or -1 with errno EBADF (NULL handle) or EFAULT (NULL stat).
 */
int chan_object_stat(const struct chan_object *o, struct chan_object_stat *stat);

struct chan;

/**
 * Send a notice to a channel whenever a process lets go of an object, however it does:
 * by dropping its last handle with one of these rights, by exec, exit or SIGKILL.
 * Others that share that handle, as after fork(2), do not matter: each process counts
 * by itself.  See struct chan_notice.  It replaces what was set before.  Since 0.3.
 *
 * @param o       a handle with both rights
 * @param notices a handle that can send, as from chan_notices_make(), which the watched
 *                object then keeps from ending; NULL: tell nobody any more
 * @param rights  CHAN_SEND, CHAN_RECV or both: a loss of any of them is told
 * @param cookie  comes back in the notices
 * @return 0; or -1 with errno EBADF (NULL, or a missing right), EINVAL (no right, or
 *         another channel), ELOOP (notices are watched, or o is a channel that notices
 *         go to), ENOMEM or EPROTO (the module is too old).
 */
int chan_object_watch(const struct chan_object *o, const struct chan *notices,
		      unsigned int rights, uint64_t cookie);

/**
 * Declare the handle type struct K of a kind of object, and for it the calls
 * K_drop(), K_fd(), K_from_fd(), K_into_fd(), K_restrict(), K_stat() and (since 0.3)
 * K_watch(), which do what chan_object_drop() and so on do.  Used below, once for each
 * kind.
 */
#define CHAN_HANDLE(K, KIND)                                                                   \
	struct K;                                                                              \
	CHAN_UNUSED static inline void K##_drop(struct K *handle)                              \
	{                                                                                      \
		chan_object_drop((struct chan_object *)handle);                                \
	}                                                                                      \
	CHAN_UNUSED static inline int K##_fd(const struct K *handle)                           \
	{                                                                                      \
		return chan_object_fd((const struct chan_object *)handle);                     \
	}                                                                                      \
	CHAN_UNUSED static inline struct K *K##_from_fd(int fd)                                \
	{                                                                                      \
		return (struct K *)chan_object_from_fd(fd, KIND);                              \
	}                                                                                      \
	CHAN_UNUSED static inline int K##_into_fd(struct K *handle)                            \
	{                                                                                      \
		return chan_object_into_fd((struct chan_object *)handle);                      \
	}                                                                                      \
	CHAN_UNUSED static inline struct K *K##_restrict(const struct K *handle,               \
							 unsigned int rights)                  \
	{                                                                                      \
		return (struct K *)chan_object_restrict((const struct chan_object *)handle,    \
							rights);                               \
	}                                                                                      \
	CHAN_UNUSED static inline int K##_stat(const struct K *handle,                         \
					       struct chan_object_stat *stat)                  \
	{                                                                                      \
		return chan_object_stat((const struct chan_object *)handle, stat);             \
	}                                                                                      \
	CHAN_UNUSED static inline int K##_watch(const struct K *handle,                        \
						const struct chan *notices,                    \
						unsigned int rights, uint64_t cookie)          \
	{                                                                                      \
		return chan_object_watch((const struct chan_object *)handle, notices, rights,  \
					 cookie);                                              \
	}                                                                                      \
	struct K

/* ---------------------------- bounds of a wait ---------------------------- */

struct chan_cancel;

/**
 * What may end a wait before it has what it waits for: a deadline, a cancel, both
 * or (all zero) neither.  To be made with designated initializers, as in
 *
 *     chan_recv_with(c, &v, &(struct chan_bounds){ .cancel = stop });
 *
 * Deadlines are absolute times in nanoseconds; one in the past makes the wait a
 * try that fails with ETIMEDOUT; 0 means none.  More than one, or a negative one,
 * is EINVAL.  A wait whose cancel is cancelled fails with ECANCELED, and
 * chan_cancel_cause() tells why; the cancel has to have the right CHAN_RECV, else
 * EBADF.  Since 0.2.
 */
struct chan_bounds {
	int64_t deadline;	    /**< on CLOCK_MONOTONIC, as from chan_after() */
	int64_t deadline_realtime;  /**< the same on CLOCK_REALTIME */
	int64_t deadline_boottime;  /**< the same on CLOCK_BOOTTIME */
	struct chan_cancel *cancel; /**< or NULL */
};

/* ------------------------------- channels ------------------------------- */

/** A handle to a channel.  Owns one file descriptor; see chan_drop(). */
struct chan;

/**
 * Make a channel.
 *
 * @param elem_size bytes in each element, 0 to CHAN_ELEM_MAX; elements of size
 *                  0 are legal and make a channel of pure signals
 * @param capacity  elements it buffers, 0 to CHAN_CAP_MAX; 0 makes a
 *                  rendezvous: a send returns only once its element has been
 *                  received
 * @return a handle that may send and receive, close-on-exec, to be given to
 *         chan_drop(); or NULL with errno EINVAL, ENOMEM, EDQUOT, EMFILE,
 *         ENFILE, ENODEV or EACCES.
 */
struct chan *chan_make(size_t elem_size, size_t capacity);

/**
 * What a send does that finds the buffer full, and nobody waiting to receive.  But
 * for the first it never waits: it returns 0, and what is discarded is counted, see
 * chan_stat.dropped.  Since 0.3.
 */
enum chan_policy {
	CHAN_BLOCK = 0,	      /**< waits for room, as in channels of chan_make() */
	CHAN_DROP_NEWEST = 1, /**< discards the element that it should send */
	CHAN_DROP_OLDEST = 2, /**< discards the oldest in the buffer */
	CHAN_LATEST = 3	      /**< discards all that are in the buffer */
};

/**
 * As chan_make(), and says what happens where the buffer is full.  Since 0.3.
 *
 * @param capacity 1 to CHAN_CAP_MAX; 0 only with CHAN_BLOCK
 * @return as chan_make(), and also NULL with errno EPROTO: the loaded module knows
 *         no policies.
 */
struct chan *chan_make_policy(size_t elem_size, size_t capacity, enum chan_policy policy);

/**
 * What a channel can be, for chan_make_with().  To be made with designated
 * initializers; what is not named is 0, and means what it means in chan_make().
 * Since 0.3.
 */
struct chan_options {
	size_t elem_size;     /**< bytes in each element, 0 to CHAN_ELEM_MAX */
	size_t capacity;      /**< elements it buffers, 0 to CHAN_CAP_MAX */
	uint32_t policy;      /**< enum chan_policy; not CHAN_BLOCK: capacity at least 1 */
	uint32_t handles;     /**< handles with each message, 0 to CHAN_HANDLES_MAX: see
				   chan_send_cargo() */
	uint32_t depth;	      /**< with handles: messages carry handles that receive from
				   channels of a depth less than this, 1 to CHAN_DEPTH_MAX;
				   0: 1, which is to those without handles */
	uint32_t stamped;     /**< 1: each message tells who sent it: chan_cargo.pid */
	uint64_t reserved[4]; /**< 0; room to grow */
};

/**
 * The general form of chan_make().  Where messages have handles or are stamped,
 * CHAN_LATEST takes a capacity of 1.  Since 0.3.
 *
 * @return as chan_make(), and also NULL with errno EFAULT (NULL options), or EPROTO: the
 *         loaded module knows no such channels.
 */
struct chan *chan_make_with(const struct chan_options *options);

/**
 * Let go of a handle: frees it and closes its file descriptor.
 *
 * This does not close the channel: it only takes one handle away.  When the
 * last handle that can send is gone (in all processes), receivers drain the
 * channel and then see its end; when the last that can receive is gone, senders
 * get EPIPE.  NULL is allowed.  errno is left as it was.
 */
void chan_drop(struct chan *c);

/**
 * Send one element, waiting for room or (capacity 0) for a receiver.
 *
 * @param value the element, of the channel's element size; may be NULL when
 *              that is 0
 * @return 0; or -1 with errno EPIPE, EINTR, EBADF, EFAULT or ENOMEM.
 */
int chan_send(struct chan *c, const void *value);

/** As chan_send(), but fails with EAGAIN instead of waiting. */
int chan_try_send(struct chan *c, const void *value);

/**
 * As chan_send(), but fails with ETIMEDOUT once the deadline has passed.
 *
 * @param deadline absolute time in nanoseconds on CLOCK_MONOTONIC, as from
 *                 chan_after(); one in the past makes this a try; a negative
 *                 one is EINVAL
 */
int chan_send_until(struct chan *c, const void *value, int64_t deadline);

/**
 * As chan_send_until(), on another clock.
 *
 * @param clock CLOCK_MONOTONIC, CLOCK_REALTIME or CLOCK_BOOTTIME; any other is
 *              EINVAL
 */
int chan_send_clock(struct chan *c, const void *value, clockid_t clock, int64_t deadline);

/** As chan_send(), within bounds (NULL: none).  Since 0.2. */
int chan_send_with(struct chan *c, const void *value, const struct chan_bounds *bounds);

/**
 * Receive the oldest element, waiting for one.
 *
 * @param value room for one element; may be NULL when the element size is 0
 * @return 1 when it received an element; 0 at the end, which is when the
 *         channel is closed (or no handle that can send is left) and drained:
 *         *value is then zeroed; -1 with errno EINTR, EBADF, EFAULT, ENOMEM,
 *         EDQUOT or EMSGSIZE (see chan_recv_cargo()), and *value is not specified.
 */
int chan_recv(struct chan *c, void *value);

/** As chan_recv(), but fails with EAGAIN instead of waiting. */
int chan_try_recv(struct chan *c, void *value);

/** As chan_recv(), but fails with ETIMEDOUT; deadline as in chan_send_until(). */
int chan_recv_until(struct chan *c, void *value, int64_t deadline);

/** As chan_recv_until(), on another clock, as in chan_send_clock(). */
int chan_recv_clock(struct chan *c, void *value, clockid_t clock, int64_t deadline);

/** As chan_recv(), within bounds (NULL: none).  Since 0.2. */
int chan_recv_with(struct chan *c, void *value, const struct chan_bounds *bounds);

/**
 * Receive the next element of a range loop: as chan_recv(), but goes on after
 * signals, and tells the end from an error by errno.
 *
 * @return 1 when *value is the next element; 0 with errno 0 at the end, or with
 *         errno EBADF, EFAULT, ENOMEM, EDQUOT, EMSGSIZE (its messages have handles) or
 *         (a file with O_NONBLOCK) EAGAIN.
 */
int chan_next(struct chan *c, void *value);

/**
 * Go's "for v := range c": runs the statement that follows with *ptr holding
 * each element, until the end.  errno tells the end (0) from an error, as after
 * chan_next().
 */
#define chan_range(c, ptr) while (chan_next((c), (ptr)))

/**
 * Send n elements, the first first, waiting for room for each.  As chan_send() in a
 * loop, but with fewer system calls.  Each is sent on its own: others' may come in
 * between.  Since 0.3.
 *
 * @param values the elements, one behind the other; may be NULL when the element
 *               size is 0
 * @param n      1 to CHAN_MANY_MAX; else EINVAL
 * @return how many were sent: n, or fewer when something came in the way of the
 *         others (a close, say, or a signal handler, or in the other forms a
 *         deadline), which the next call tells if it lasts; or -1 with errno as from
 *         chan_send(), and none was sent.
 */
ssize_t chan_send_many(struct chan *c, const void *values, size_t n);
/** The other forms of chan_send_many().  Since 0.3. */
ssize_t chan_try_send_many(struct chan *c, const void *values, size_t n);
ssize_t chan_send_many_until(struct chan *c, const void *values, size_t n, int64_t deadline);
ssize_t chan_send_many_with(struct chan *c, const void *values, size_t n,
			    const struct chan_bounds *bounds);

/**
 * As chan_send_many(), of elements that lie anywhere.  Since 0.3.
 *
 * @param values where each of them is
 */
ssize_t chan_send_vec(struct chan *c, const void *const *values, size_t n);
/** The other forms of chan_send_vec().  Since 0.3. */
ssize_t chan_try_send_vec(struct chan *c, const void *const *values, size_t n);
ssize_t chan_send_vec_until(struct chan *c, const void *const *values, size_t n,
			    int64_t deadline);
ssize_t chan_send_vec_with(struct chan *c, const void *const *values, size_t n,
			   const struct chan_bounds *bounds);

/**
 * Receive at least min elements, waiting for each that is not there, and at most max,
 * the oldest first.  Since 0.3.
 *
 * @param values room for max elements, one behind the other; may be NULL when the
 *               element size is 0
 * @param min    0 to max; 0 waits for none, as chan_try_recv_many()
 * @param max    1 to CHAN_MANY_MAX; else EINVAL
 * @return how many were received; fewer than min when something came in the way of
 *         the others (the end, say, or a signal handler, or in the other forms a
 *         deadline), which the next call tells if it lasts; 0 at the end; or -1 with
 *         errno as from chan_recv(), and none was received.  What it leaves in the
 *         room that is left is not specified.
 */
ssize_t chan_recv_many(struct chan *c, void *values, size_t min, size_t max);
/** The other forms of chan_recv_many(); the try takes what is there.  Since 0.3. */
ssize_t chan_try_recv_many(struct chan *c, void *values, size_t max);
ssize_t chan_recv_many_until(struct chan *c, void *values, size_t min, size_t max,
			     int64_t deadline);
ssize_t chan_recv_many_with(struct chan *c, void *values, size_t min, size_t max,
			    const struct chan_bounds *bounds);

/**
 * As chan_recv_many(), to room that lies anywhere.  Since 0.3.
 *
 * @param values where there is room for each element
 */
ssize_t chan_recv_vec(struct chan *c, void *const *values, size_t min, size_t max);
/** The other forms of chan_recv_vec().  Since 0.3. */
ssize_t chan_try_recv_vec(struct chan *c, void *const *values, size_t max);
ssize_t chan_recv_vec_until(struct chan *c, void *const *values, size_t min, size_t max,
			    int64_t deadline);
ssize_t chan_recv_vec_with(struct chan *c, void *const *values, size_t min, size_t max,
			   const struct chan_bounds *bounds);

/**
 * Send a request, and receive its answer from another channel, in one system call.
 *
 * The answer is the next element of answers that nobody else receives: where several
 * make calls, each should have a channel of its own for them.  Since 0.3.
 *
 * @param request the element to send, as in chan_send()
 * @param answer  room for the element to receive, as in chan_recv()
 * @param sent    NULL; or whether the request has been sent, and its answer is yet to
 *                come: 0 at first, 1 after a failure that came later.  With 1 the call
 *                sends nothing and waits for the answer, so that the same call again
 *                goes on where the one before gave up
 * @return 1 when it received the answer; 0 at the end of answers, *answer zeroed (the
 *         request was sent); or -1 with errno as from chan_send() while the request is
 *         not sent, and then as from chan_recv().
 */
int chan_call(struct chan *requests, const void *request, struct chan *answers, void *answer,
	      int *sent);
/** The other forms of chan_call(): their bounds are those of both halves.  Since 0.3. */
int chan_try_call(struct chan *requests, const void *request, struct chan *answers, void *answer,
		  int *sent);
int chan_call_until(struct chan *requests, const void *request, struct chan *answers,
		    void *answer, int *sent, int64_t deadline);
int chan_call_with(struct chan *requests, const void *request, struct chan *answers,
		   void *answer, int *sent, const struct chan_bounds *bounds);

/**
 * Close the channel, for all its handles in all processes.
 *
 * Blocked senders, and all later ones, get EPIPE, and their elements are not
 * delivered; receivers drain what is buffered and then see the end.
 *
 * @return 0; or -1 with errno EALREADY (it was closed) or EBADF (NULL, or a
 *         handle that may not send).
 */
int chan_close(struct chan *c);

/**
 * As chan_close(), and says why: whoever sees the end, or EPIPE, finds the cause with
 * chan_cause().  Since 0.3.
 *
 * @param cause an errno, 1 to CHAN_ERRNO_MAX; else EINVAL
 * @return as chan_close(), or -1 with errno EPROTO: the module is too old.
 */
int chan_close_cause(struct chan *c, int cause);

/**
 * Why the channel was closed, as chan_close_cause() said; 0 while it is open, was
 * closed without a cause, or ended by itself; or -1 with errno EBADF (NULL handle).
 * Any handle may ask.  Since 0.3.
 */
int chan_cause(const struct chan *c);

/** Elements in the channel now, or -1 with errno EBADF (NULL handle). */
ssize_t chan_len(const struct chan *c);

/** Elements the channel can buffer (0: a rendezvous); 0 for a NULL handle. */
size_t chan_cap(const struct chan *c);

/** Bytes in an element; 0 for a NULL handle. */
size_t chan_elem_size(const struct chan *c);

/** The state of a channel at one instant; see chan_stat(). */
struct chan_stat {
	uint64_t id;		    /**< the channel's number; equal for all its handles */
	uint64_t len;		    /**< elements in it */
	uint64_t cap;		    /**< elements it can buffer */
	uint32_t elem_size;	    /**< bytes in an element */
	uint32_t rights;	    /**< CHAN_SEND | CHAN_RECV, of this handle */
	uint32_t waiting_senders;   /**< senders blocked on it */
	uint32_t waiting_receivers; /**< receivers blocked on it */
	uint32_t closed;	    /**< 1 when chan_close() was called, else 0 */
	uint32_t no_senders;	    /**< 1 when no handle that can send is left */
	uint32_t no_receivers;	    /**< 1 when no handle that can receive is left */
	uint32_t policy;	    /**< enum chan_policy; since 0.3, 0 before */
	uint64_t dropped;	    /**< elements discarded by it, and notices that there was
					 no room for; since 0.3, 0 before */
	uint32_t cause;		    /**< of chan_close_cause(), or 0; since 0.3, 0 before */
	uint32_t reserved32;	    /**< 0 */
	uint64_t reserved[2];	    /**< 0; room to grow */
};

/**
 * Ask for the state of a channel.
 *
 * @return 0; or -1 with errno EBADF (NULL handle) or EFAULT (NULL stat).
 */
int chan_stat(const struct chan *c, struct chan_stat *stat);

/**
 * Make a second handle to the same channel with the same or fewer rights, to be
 * handed to somebody who should be able to do no more.
 *
 * @param rights CHAN_SEND, CHAN_RECV or both
 * @return a handle, close-on-exec, to be given to chan_drop(); or NULL with
 *         errno EINVAL (no right, or an unknown one), EBADF (a right that c
 *         lacks, or c is NULL), EMFILE, ENFILE or ENOMEM.
 */
struct chan *chan_restrict(const struct chan *c, unsigned int rights);

/**
 * The file descriptor of a handle, or -1 with errno EBADF for NULL.
 *
 * It stays the handle's: poll it, send it over a socket, clear its FD_CLOEXEC
 * before exec, but do not close it.
 */
int chan_fd(const struct chan *c);

/**
 * Make a handle from a file descriptor that came by fork, exec or a socket.
 *
 * @return a handle that owns fd from now on; or NULL, leaving fd open and the
 *         caller's, with errno EBADF (not open, or not a channel) or ENOMEM.
 */
struct chan *chan_from_fd(int fd);

/**
 * Undo chan_from_fd(): free the handle and give back its file descriptor, which
 * is the caller's from now on.
 *
 * @return the file descriptor; or -1 with errno EBADF for NULL.
 */
int chan_into_fd(struct chan *c);

/* --------------------------------- cargo --------------------------------- */

/**
 * What travels with a message beside its bytes: handles (file descriptors, of objects
 * or of any other files), and who sent it.  To be made by chan_cargo().
 *
 * A channel has it in its messages when it was made so: see chan_options.handles and
 * chan_options.stamped.  Since 0.3.
 */
struct chan_cargo {
	uint32_t size;	  /**< of this struct */
	uint32_t flags;	  /**< 0 */
	uint64_t handles; /**< address of an array of n int */
	uint32_t n;	  /**< how many: as many as the channel's messages have */
	int32_t pid;	  /**< set by a receive from a stamped channel: the process that
			       sent it, 0 where it is not to be seen from here */
	uint32_t uid;	  /**< likewise: its user; from any other (uint32_t)-1 */
	uint32_t gid;	  /**< likewise: its group */
};

/**
 * Cargo of n file descriptors, -1 for none: those to send (chan_fd() and its like give
 * them), or room for those to receive.  Without any, cargo is for the stamp alone:
 * chan_cargo(NULL, 0).  Since 0.3.
 */
CHAN_UNUSED static inline struct chan_cargo chan_cargo(int *fds, size_t n)
{
	struct chan_cargo cargo = { (uint32_t)sizeof(cargo), 0, (uint64_t)(uintptr_t)fds,
				    n <= CHAN_HANDLES_MAX ? (uint32_t)n : UINT32_MAX, 0, 0, 0 };

	return cargo;
}

/**
 * As chan_send(), with handles.  The sender keeps its own: the receiver gets new file
 * descriptors of the very same files, as over a unix(7) socket.
 *
 *     int reply = chan_fd(answers);
 *     struct chan_cargo cargo = chan_cargo(&reply, 1);
 *
 *     chan_send_cargo(requests, &request, &cargo);
 *
 * On their way handles count as open: a channel does not end as long as one that can
 * send to it is in a message.  A message that nobody can receive any more lets go of
 * them, and so does one that is discarded.  Since 0.3.
 *
 * @param cargo NULL: no handles, as chan_send()
 * @return as chan_send(), or -1 with errno EBADF (a number that is not open), EMSGSIZE
 *         (not as many as this channel's messages have), EINVAL (the channel has no
 *         cargo in its messages), ELOOP (a handle that can receive from a channel whose
 *         depth is not less; a unix(7) socket, an io_uring or another file that holds
 *         files), or ETOOMANYREFS (the user has RLIMIT_NOFILE of them on their way).
 */
int chan_send_cargo(struct chan *c, const void *value, const struct chan_cargo *cargo);
/** The other forms of chan_send_cargo().  Since 0.3. */
int chan_try_send_cargo(struct chan *c, const void *value, const struct chan_cargo *cargo);
int chan_send_cargo_until(struct chan *c, const void *value, const struct chan_cargo *cargo,
			  int64_t deadline);
int chan_send_cargo_with(struct chan *c, const void *value, const struct chan_cargo *cargo,
			 const struct chan_bounds *bounds);

/**
 * As chan_recv(), with what travels with the message: file descriptors, close-on-exec,
 * which are the caller's from then on (chan_from_fd() and its like make handles of
 * them), and who sent it.
 *
 *     int reply;
 *     struct chan_cargo cargo = chan_cargo(&reply, 1);
 *
 *     if (chan_recv_cargo(requests, &request, &cargo) == 1)
 *             answers = chan_from_fd_sized(reply, sizeof(answer));
 *
 * Where messages have handles, receives that have no room for them fail with EMSGSIZE:
 * chan_recv(), chan_recv_many(), and chan_call() before it sends.  Since 0.3.
 *
 * @param cargo NULL: as chan_recv()
 * @return as chan_recv(): 1 with all of them (-1 for each that was not sent), 0 with
 *         none, the cargo as it was; or -1 with errno as from chan_recv(), EMSGSIZE (not
 *         as many as this channel's messages have), EINVAL (the channel has no cargo in
 *         its messages), or EMFILE or ENFILE (there are not so many numbers left, and
 *         the message stays in the channel).
 */
int chan_recv_cargo(struct chan *c, void *value, struct chan_cargo *cargo);
/** The other forms of chan_recv_cargo().  Since 0.3. */
int chan_try_recv_cargo(struct chan *c, void *value, struct chan_cargo *cargo);
int chan_recv_cargo_until(struct chan *c, void *value, struct chan_cargo *cargo,
			  int64_t deadline);
int chan_recv_cargo_with(struct chan *c, void *value, struct chan_cargo *cargo,
			 const struct chan_bounds *bounds);

/* -------------------------------- notices -------------------------------- */

/**
 * What chan_object_watch() and its like send: a process has let go of an object.  Who it
 * was, the message's stamp tells:
 *
 *     struct chan *notices = chan_notices_make(16);
 *     struct chan_cargo from = chan_cargo(NULL, 0);
 *     struct chan_notice notice;
 *
 *     chan_watch(jobs, notices, CHAN_RECV, 1);
 *     chan_recv_cargo(notices, &notice, &from);
 *     if (notice.flags & CHAN_NOTICE_EXIT && WIFSIGNALED(notice.status))
 *             printf("signal %d killed %d\n", WTERMSIG(notice.status), from.pid);
 *
 * By then the process can do no more with the object, and whatever it has sent is in its
 * channel.  Since 0.3.
 */
struct chan_notice {
	uint64_t cookie;   /**< what was given with the watch */
	uint32_t rights;   /**< CHAN_SEND, CHAN_RECV: what it can no longer do */
	uint32_t flags;	   /**< CHAN_NOTICE_EXIT or 0 */
	int32_t status;	   /**< with CHAN_NOTICE_EXIT: how it ended, as from wait(2) */
	uint32_t reserved; /**< 0 */
};

/** The process has ended.  Since 0.3. */
#define CHAN_NOTICE_EXIT 0x1u

/**
 * Make a channel for notices: of struct chan_notice, and stamped.  Notices never wait;
 * those that there is no room for are lost, and count as dropped (chan_stat.dropped), so
 * that it should have room for one of each process that can let go.  Since 0.3.
 *
 * @return as chan_make(), or NULL with errno EPROTO: the module is too old.
 */
struct chan *chan_notices_make(size_t capacity);

/** As chan_object_watch(), of a channel.  Since 0.3. */
int chan_watch(const struct chan *c, const struct chan *notices, unsigned int rights,
	       uint64_t cookie);

/* ------------------------ wait groups and tokens ------------------------ */

/**
 * A wait group counts units of work that are under way, and lets others wait
 * until none is.  CHAN_SEND: add, say what is done; CHAN_RECV: wait.  When the last
 * handle with CHAN_SEND is gone, units that are in no token are abandoned.  Polls
 * readable while no unit is under way, and writable while one can be added.
 * Since 0.2.
 */
CHAN_HANDLE(chan_wg, CHAN_KIND_WAITGROUP);

/**
 * Some units of a wait group or semaphore, in one hand: a handle that counts them
 * down when it goes, with its process too.  CHAN_SEND: say that they are done.
 * Since 0.2.
 */
CHAN_HANDLE(chan_token, CHAN_KIND_TOKEN);

/**
 * Make a wait group.  Since 0.2.
 *
 * @param limit units that can be under way at once, 1 to CHAN_UNITS_MAX, past
 *              which chan_wg_add() waits; 0: CHAN_UNITS_MAX, past which it fails
 * @return a handle with both rights, close-on-exec, to be dropped; or NULL with
 *         errno as from chan_make().
 */
struct chan_wg *chan_wg_make(size_t limit);

/**
 * Add units of work, waiting where there is a limit until they all fit in.  Those
 * who wait are served in the order in which they came.  Since 0.2.
 *
 * @param n how many, 1 to the limit; else EINVAL
 * @return 0; or -1 with errno EINTR, EBADF, EINVAL, or (no limit) EOVERFLOW.
 */
int chan_wg_add(struct chan_wg *wg, size_t n);
/** The other forms of chan_wg_add().  Since 0.2. */
int chan_wg_try_add(struct chan_wg *wg, size_t n);
int chan_wg_add_until(struct chan_wg *wg, size_t n, int64_t deadline);
int chan_wg_add_with(struct chan_wg *wg, size_t n, const struct chan_bounds *bounds);

/**
 * Say that one unit is done.  Since 0.2.
 *
 * @return 0; or -1 with errno EBADF, or EINVAL where no unit is left (but for
 *         those in tokens): nothing has changed then.
 */
int chan_wg_done(struct chan_wg *wg);

/** As chan_wg_done(), of n units, at least 1, at once.  Since 0.2. */
int chan_wg_done_n(struct chan_wg *wg, size_t n);

/**
 * Wait until no unit is under way.  At zero it returns at once; a group may be
 * used again then.  Since 0.2.
 *
 * @return 0 when all was done; or -1 with errno EOWNERDEAD when none is under way
 *         any more but some were abandoned, EINTR or EBADF.
 */
int chan_wg_wait(struct chan_wg *wg);
/** The other forms of chan_wg_wait().  Since 0.2. */
int chan_wg_try_wait(struct chan_wg *wg);
int chan_wg_wait_until(struct chan_wg *wg, int64_t deadline);
int chan_wg_wait_with(struct chan_wg *wg, const struct chan_bounds *bounds);

/** Units under way now, or -1 with errno EBADF.  Since 0.2. */
ssize_t chan_wg_count(const struct chan_wg *wg);

/**
 * Units that were abandoned since none was last under way, or -1 with errno EBADF.
 * The first chan_wg_add() to a group with none under way sets it to 0, and so does a
 * call that adds a unit and takes it back, as one that could not start what the unit was
 * for.  Since 0.2.
 */
ssize_t chan_wg_abandoned(const struct chan_wg *wg);

/**
 * Add one unit, as chan_wg_add() does, and put it into a token.  Since 0.2.
 *
 * @return a handle, close-on-exec, to be dropped; or NULL, with nothing added and
 *         errno as from chan_wg_add() or EDQUOT, EMFILE, ENFILE, ENOMEM.
 */
struct chan_token *chan_wg_token(struct chan_wg *wg);

/**
 * Put n units that were added already into a token.  Since 0.2.
 *
 * @return a handle, close-on-exec, to be dropped; or NULL with errno EINVAL (n is
 *         0, or more than are under way without a token), EBADF, EDQUOT, EMFILE,
 *         ENFILE or ENOMEM.
 */
struct chan_token *chan_wg_into_token(struct chan_wg *wg, size_t n);

/**
 * Say that a token's units are done: they are counted down at once.  Dropping the
 * last handle of a token (in all processes, by their death too) without this
 * counts them down as abandoned.  Doing it again changes nothing.  Since 0.2.
 *
 * @return 0; or -1 with errno EBADF.
 */
int chan_token_done(struct chan_token *token);

/* ------------------------------ semaphores ------------------------------ */

/**
 * A weighted semaphore: so many units, of which everybody takes some and gives
 * them back.  CHAN_RECV: take; CHAN_SEND: give back.  Polls readable while a unit
 * can be taken.  Since 0.2.
 */
CHAN_HANDLE(chan_sem, CHAN_KIND_SEMAPHORE);

/**
 * Make a semaphore.  Since 0.2.
 *
 * @param size its units, 1 to CHAN_UNITS_MAX, all there
 * @return a handle with both rights, close-on-exec, to be dropped; or NULL with
 *         errno as from chan_make().
 */
struct chan_sem *chan_sem_make(size_t size);

/**
 * Take n units at once, waiting until there are so many.  Served in the order in
 * which they came: whoever waits for many holds back those behind who want few.
 * Since 0.2.
 *
 * @param n how many, 1 to the semaphore's size; else EINVAL
 * @return 0; or -1 with errno EINTR, EBADF or EINVAL.
 */
int chan_sem_acquire(struct chan_sem *sem, size_t n);
/** The other forms of chan_sem_acquire().  Since 0.2. */
int chan_sem_try_acquire(struct chan_sem *sem, size_t n);
int chan_sem_acquire_until(struct chan_sem *sem, size_t n, int64_t deadline);
int chan_sem_acquire_with(struct chan_sem *sem, size_t n, const struct chan_bounds *bounds);

/**
 * Give n units back; anybody may.  Since 0.2.
 *
 * @return 0; or -1 with errno EOVERFLOW (more than were taken and are in no
 *         token), EINVAL (n is 0) or EBADF.
 */
int chan_sem_release(struct chan_sem *sem, size_t n);

/**
 * Put n units that were taken into a token, which gives them back when it is done
 * or gone: then a death gives them back too.  As chan_wg_into_token().  Since 0.2.
 */
struct chan_token *chan_sem_into_token(struct chan_sem *sem, size_t n);

/* -------------------------------- mutexes -------------------------------- */

/**
 * A mutex.  It is held by a process: any of its threads may unlock it, and while
 * one thread holds it the others wait as everybody does; it is not recursive.  A
 * child made by fork(2) holds nothing.  A process that ends, or loses its last handle
 * to a mutex that it holds (by exec too), has died with it.  Whoever waits longest
 * gets it next.  CHAN_SEND: lock and unlock.  Since 0.2.
 */
CHAN_HANDLE(chan_mutex, CHAN_KIND_MUTEX);

/** Make a mutex, unlocked.  As chan_make(), and its errors.  Since 0.2. */
struct chan_mutex *chan_mutex_make(void);

/**
 * Lock.  Since 0.2.
 *
 * @return 0; or -1 with errno EOWNERDEAD when the last holder died with it (the
 *         lock *is* the caller's then: mend what it guards, then call
 *         chan_mutex_consistent(), then unlock), ENOTRECOVERABLE, EINTR or EBADF.
 */
int chan_mutex_lock(struct chan_mutex *m);
/** The other forms of chan_mutex_lock().  Since 0.2. */
int chan_mutex_try_lock(struct chan_mutex *m);
int chan_mutex_lock_until(struct chan_mutex *m, int64_t deadline);
int chan_mutex_lock_with(struct chan_mutex *m, const struct chan_bounds *bounds);

/**
 * Unlock; any thread of the process that locked it may.  Without
 * chan_mutex_consistent() after EOWNERDEAD this makes the mutex useless forever:
 * all who lock it get ENOTRECOVERABLE.  Since 0.2.
 *
 * @return 0; or -1 with errno EPERM (this process does not hold it) or EBADF.
 */
int chan_mutex_unlock(struct chan_mutex *m);

/**
 * After EOWNERDEAD, say that what the mutex guards is good again.  Since 0.2.
 *
 * @return 0; or -1 with errno EPERM (this process does not hold it), EINVAL
 *         (there is nothing to mend) or EBADF.
 */
int chan_mutex_consistent(struct chan_mutex *m);

/* ------------------------ readers-writer mutexes ------------------------ */

/**
 * A mutex that any number of readers, or one writer, hold.  Holders are processes,
 * as with struct chan_mutex.  A writer who waits holds back readers who come
 * later; when a writer unlocks, all readers who wait get in.  A reader who dies
 * just lets go; a writer who dies leaves EOWNERDEAD.  CHAN_SEND: lock; CHAN_RECV:
 * read-lock.  Since 0.2.
 */
CHAN_HANDLE(chan_rwmutex, CHAN_KIND_RWMUTEX);

/** Make a readers-writer mutex, unlocked.  As chan_make(), and its errors.  Since 0.2. */
struct chan_rwmutex *chan_rwmutex_make(void);

/** Lock for writing, alone.  As chan_mutex_lock(), and its errors.  Since 0.2. */
int chan_rwmutex_lock(struct chan_rwmutex *rw);
/** The other forms of chan_rwmutex_lock().  Since 0.2. */
int chan_rwmutex_try_lock(struct chan_rwmutex *rw);
int chan_rwmutex_lock_until(struct chan_rwmutex *rw, int64_t deadline);
int chan_rwmutex_lock_with(struct chan_rwmutex *rw, const struct chan_bounds *bounds);

/** Unlock what was locked for writing.  As chan_mutex_unlock().  Since 0.2. */
int chan_rwmutex_unlock(struct chan_rwmutex *rw);

/**
 * Lock for reading, beside others who read.  As chan_mutex_lock(), and its errors.
 * EOWNERDEAD (with the read lock held) stays until a writer has mended it.
 * Since 0.2.
 */
int chan_rwmutex_rlock(struct chan_rwmutex *rw);
/** The other forms of chan_rwmutex_rlock().  Since 0.2. */
int chan_rwmutex_try_rlock(struct chan_rwmutex *rw);
int chan_rwmutex_rlock_until(struct chan_rwmutex *rw, int64_t deadline);
int chan_rwmutex_rlock_with(struct chan_rwmutex *rw, const struct chan_bounds *bounds);

/** Undo one chan_rwmutex_rlock() of this process.  As chan_mutex_unlock().  Since 0.2. */
int chan_rwmutex_runlock(struct chan_rwmutex *rw);

/** As chan_mutex_consistent(), by whoever has it locked for writing.  Since 0.2. */
int chan_rwmutex_consistent(struct chan_rwmutex *rw);

/* ------------------------------ conditions ------------------------------ */

/**
 * A place to wait, with a mutex unlocked, for something to change that the mutex
 * guards.  No wait ends without a signal, which goes to whoever waits longest.
 * CHAN_SEND: signal; CHAN_RECV: wait.  Since 0.2.
 */
CHAN_HANDLE(chan_cond, CHAN_KIND_COND);

/** Make a condition.  As chan_make(), and its errors.  Since 0.2. */
struct chan_cond *chan_cond_make(void);

/**
 * Unlock m and wait for a signal, in one step; then lock m again.  Locking it again
 * ends for no signal handler, deadline or cancel.  Since 0.2.
 *
 * @return 0 after a signal; or -1 with errno EINTR (even under SA_RESTART), with m
 *         locked again; EOWNERDEAD or ENOTRECOVERABLE of that lock, as from
 *         chan_mutex_lock(), whatever ended the wait; EPERM (this process does not
 *         hold m) or EBADF.
 */
int chan_cond_wait(struct chan_cond *cond, struct chan_mutex *m);
/** As chan_cond_wait(), but fails with ETIMEDOUT, m locked again.  Since 0.2. */
int chan_cond_wait_until(struct chan_cond *cond, struct chan_mutex *m, int64_t deadline);
/** As chan_cond_wait(), within bounds, m locked again however it ends.  Since 0.2. */
int chan_cond_wait_with(struct chan_cond *cond, struct chan_mutex *m,
			const struct chan_bounds *bounds);

/**
 * Wake the one who waits longest.  The caller need not hold the mutex.  Since 0.2.
 *
 * @return how many it woke, 1 or 0; or -1 with errno EBADF.
 */
int chan_cond_signal(struct chan_cond *cond);

/** Wake all who wait.  Returns how many; or -1 with errno EBADF.  Since 0.2. */
int chan_cond_broadcast(struct chan_cond *cond);

/* --------------------------------- once --------------------------------- */

/**
 * Something to be done once, by whoever comes first, while the others wait until
 * it is.  Held while it is being done as a mutex is.  CHAN_SEND: do.  Since 0.2.
 */
CHAN_HANDLE(chan_once, CHAN_KIND_ONCE);

/** Make one that is not done.  As chan_make(), and its errors.  Since 0.2. */
struct chan_once *chan_once_make(void);

/**
 * Call fn(arg) unless that was done, by any thread or process with a handle to the
 * same object; where it is being done, wait until it is.  It has been done when fn
 * returns.  Where fn does not (its process dies, its thread ends or is cancelled, a
 * C++ exception leaves it), the next caller does it, anew.  Once done this costs no
 * system call.  fn must not call chan_once_do() of the same object.  Since 0.2.
 *
 * @return 0 when it has been done; or -1 with errno EINTR or EBADF.
 */
int chan_once_do(struct chan_once *once, void (*fn)(void *arg), void *arg);

/**
 * What chan_once_do() is made of: take it into one's own hands.  Since 0.2.
 *
 * @return 1 when it has been done; 0 when it is the caller's to do, and to end with
 *         chan_once_done() or chan_once_leave(); or -1 with errno EOWNERDEAD, which
 *         is as 0, but somebody died half way; EINTR or EBADF.
 */
int chan_once_begin(struct chan_once *once);
/** The other forms of chan_once_begin().  Since 0.2. */
int chan_once_try_begin(struct chan_once *once);
int chan_once_begin_until(struct chan_once *once, int64_t deadline);
int chan_once_begin_with(struct chan_once *once, const struct chan_bounds *bounds);

/** It is done, for ever.  Returns 0; or -1 with errno EPERM or EBADF.  Since 0.2. */
int chan_once_done(struct chan_once *once);

/** Leave it to the next caller.  Returns 0; or -1 with errno EPERM or EBADF.  Since 0.2. */
int chan_once_leave(struct chan_once *once);

/* -------------------------------- timers -------------------------------- */

/**
 * A timer ticks once, or again and again.  Ticks that nobody takes do not pile up:
 * the next to take one hears how many there were.  CHAN_SEND: set and stop;
 * CHAN_RECV: take ticks.  Polls readable while there is a tick.  Since 0.2.
 */
CHAN_HANDLE(chan_timer, CHAN_KIND_TIMER);

/** Make a timer that does not tick.  As chan_make(), and its errors.  Since 0.2. */
struct chan_timer *chan_timer_make(void);

/** Make a timer that ticks once, ns nanoseconds from now.  Since 0.2. */
struct chan_timer *chan_timer_after(int64_t ns);

/** Make a timer that ticks every ns nanoseconds, which is at least 1.  Since 0.2. */
struct chan_timer *chan_timer_every(int64_t ns);

/**
 * Set a timer anew.  Ticks that nobody has taken are forgotten, so that none from
 * before is ever taken after.  Since 0.2.
 *
 * @param clock  CLOCK_MONOTONIC, CLOCK_REALTIME or CLOCK_BOOTTIME
 * @param first  when it first ticks, an absolute time in nanoseconds, not negative
 * @param period nanoseconds from one tick to the next; 0: one tick only
 * @return 1 when a tick was to come or to be taken that now nobody will get; 0 when
 *         not; or -1 with errno EINVAL or EBADF.
 */
int chan_timer_set_clock(struct chan_timer *timer, clockid_t clock, int64_t first,
			 int64_t period);

/** As chan_timer_set_clock(): one tick, at deadline on CLOCK_MONOTONIC.  Since 0.2. */
int chan_timer_set(struct chan_timer *timer, int64_t deadline);

/** Stop a timer.  Ticks and results as in chan_timer_set_clock().  Since 0.2. */
int chan_timer_stop(struct chan_timer *timer);

/**
 * Wait for a tick and take it.  Since 0.2.
 *
 * @param ticks set to how many there were since the last one taken; may be NULL
 * @return 0; or -1 with errno EINTR or EBADF.
 */
int chan_timer_wait(struct chan_timer *timer, uint64_t *ticks);
/** The other forms of chan_timer_wait().  Since 0.2. */
int chan_timer_try_wait(struct chan_timer *timer, uint64_t *ticks);
int chan_timer_wait_until(struct chan_timer *timer, uint64_t *ticks, int64_t deadline);
int chan_timer_wait_with(struct chan_timer *timer, uint64_t *ticks,
			 const struct chan_bounds *bounds);

/* --------------------------------- cells --------------------------------- */

/**
 * Numbers of 64 bits in memory that processes share, to be used without a system
 * call, each in a cache line of its own.  All operations are sequentially
 * consistent.  CHAN_RECV: load, wait; CHAN_SEND with it: change.  Since 0.2.
 */
CHAN_HANDLE(chan_cells, CHAN_KIND_CELLS);

/**
 * Make cells, all 0.  Since 0.2.
 *
 * @param n how many, 1 to CHAN_CELLS_MAX
 * @return as chan_make(), or NULL with an errno of mmap(2) too.
 */
struct chan_cells *chan_cells_make(size_t n);

/** How many cells there are; 0 for a NULL handle.  Since 0.2. */
size_t chan_cells_count(const struct chan_cells *cells);

/**
 * Operations on cell i.  All but load change it, and then wake those who wait for it
 * to differ; only where there are such is there a system call.  Since 0.2.
 *
 * @return what the cell held before.  A caller's mistake gives UINT64_MAX and sets
 *         errno: EINVAL (there is no cell i), EBADF (NULL handle, or one without the
 *         right).  errno is left as it was otherwise.
 */
uint64_t chan_cells_load(const struct chan_cells *cells, size_t i);
uint64_t chan_cells_swap(struct chan_cells *cells, size_t i, uint64_t value);
uint64_t chan_cells_add(struct chan_cells *cells, size_t i, uint64_t value);
uint64_t chan_cells_and(struct chan_cells *cells, size_t i, uint64_t value);
uint64_t chan_cells_or(struct chan_cells *cells, size_t i, uint64_t value);

/** Set cell i.  Returns 0; or -1 with errno EINVAL or EBADF as above.  Since 0.2. */
int chan_cells_store(struct chan_cells *cells, size_t i, uint64_t value);

/**
 * Change cell i to desired if it holds *expected; otherwise set *expected to what it
 * holds.  Since 0.2.
 *
 * @return 1 when it was changed; 0 when not; or -1 with errno EINVAL or EBADF as above.
 */
int chan_cells_cas(struct chan_cells *cells, size_t i, uint64_t *expected, uint64_t desired);

/**
 * Wait until cell i differs from value.  (Whether it does so already chan_cells_load()
 * tells without a system call.)  Since 0.2.
 *
 * @param now set to what it then was; may be NULL
 * @return 0; or -1 with errno EINTR, EINVAL (there is no cell i) or EBADF.
 */
int chan_cells_wait(struct chan_cells *cells, size_t i, uint64_t value, uint64_t *now);
/** The other forms of chan_cells_wait().  Since 0.2. */
int chan_cells_try_wait(struct chan_cells *cells, size_t i, uint64_t value, uint64_t *now);
int chan_cells_wait_until(struct chan_cells *cells, size_t i, uint64_t value, uint64_t *now,
			  int64_t deadline);
int chan_cells_wait_with(struct chan_cells *cells, size_t i, uint64_t value, uint64_t *now,
			 const struct chan_bounds *bounds);

/* -------------------------------- cancels -------------------------------- */

/**
 * A cancel tells any number of threads and processes to stop, once and for all, with
 * an errno as the cause.  Cancelling it cancels its children, and theirs, not its
 * parent.  Dropping the last handle that can cancel it cancels it with EOWNERDEAD.
 * CHAN_SEND: cancel; CHAN_RECV: wait, be given to waits, make children.  Polls
 * readable once cancelled.  Since 0.2.
 */
CHAN_HANDLE(chan_cancel, CHAN_KIND_CANCEL);

/** Make a cancel.  As chan_make(), and its errors.  Since 0.2. */
struct chan_cancel *chan_cancel_make(void);

/** Make one that cancels itself at a deadline, with cause ETIMEDOUT.  Since 0.2. */
struct chan_cancel *chan_cancel_make_until(int64_t deadline);

/**
 * Make one that is cancelled with its parent and its cause (but not the reverse); of
 * a parent that is cancelled already, one that is so too.  Since 0.2.
 *
 * @return as chan_make(), or NULL with errno EBADF (NULL, or a handle without
 *         CHAN_RECV) too.
 */
struct chan_cancel *chan_cancel_child(struct chan_cancel *parent);

/** As chan_cancel_child(), with a deadline of its own.  Since 0.2. */
struct chan_cancel *chan_cancel_child_until(struct chan_cancel *parent, int64_t deadline);

/** The general form: bounds are the parent, a deadline, both or none.  Since 0.2. */
struct chan_cancel *chan_cancel_make_with(const struct chan_bounds *bounds);

/**
 * Cancel.  Since 0.2.
 *
 * @param cause an errno, 1 to 4095; 0: ECANCELED
 * @return 1; 0 when it was cancelled before, and keeps its cause; or -1 with errno
 *         EINVAL or EBADF.
 */
int chan_cancel(struct chan_cancel *cancel, int cause);

/** The cause; 0 while it is not cancelled; or -1 with errno EBADF.  Since 0.2. */
int chan_cancel_cause(const struct chan_cancel *cancel);

/**
 * Wait until it is cancelled.  Since 0.2.
 *
 * @return the cause; or -1 with errno EINTR or EBADF.
 */
int chan_cancel_wait(struct chan_cancel *cancel);
/** The other forms of chan_cancel_wait().  Since 0.2. */
int chan_cancel_try_wait(struct chan_cancel *cancel);
int chan_cancel_wait_until(struct chan_cancel *cancel, int64_t deadline);
int chan_cancel_wait_with(struct chan_cancel *cancel, const struct chan_bounds *bounds);

/* -------------------------------- select -------------------------------- */

/**
 * One case of a select, to be made by chan_on_recv() and so on below.  The first
 * fields are theirs.  The last three are the outcome, set in the chosen case.
 * Since 0.2.
 */
struct chan_case {
	const struct chan_object *on; /**< the handle; NULL: never ready */
	const void *buf;
	uint64_t arg;
	uint32_t op;
	uint32_t index;
	int32_t result; /**< what the single call returns: 0 or 1, or -1 with... */
	int32_t error;	/**< ... this errno: EPIPE, EOWNERDEAD, ENOTRECOVERABLE or (chan_on_add(),
			     chan_on_rlock()) EOVERFLOW; else 0 */
	uint64_t value; /**< see chan_on_zero(), _tick(), _differs(), _cancel(), _send() and
			     _recv(); else 0 */
};

/** Elements of an array, such as one of cases.  Since 0.2. */
#define CHAN_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/** For chan_select_with(), to be or'ed together.  Since 0.2. */
#define CHAN_TRY 0x1u	   /**< fail with EAGAIN instead of waiting */
#define CHAN_IN_ORDER 0x10u /**< choose the first case that is ready */
#define CHAN_READY 0x20u   /**< say which case is ready, and do nothing */

/**
 * Wait until one of several operations can be done, and do that one.
 *
 *     struct chan_case cases[] = {
 *             chan_on_recv(jobs, &job),
 *             chan_on_tick(ticker),
 *             chan_on_cancel(stop),
 *     };
 *
 *     switch (chan_select(cases, CHAN_LENGTH(cases))) {
 *     case 0:
 *             if (cases[0].result == 0)
 *                     return;                 // the end of jobs
 *             work_on(&job);
 *             break;
 *     case 1:
 *             printf("%" PRIu64 " ticks\n", cases[1].value);
 *             break;
 *     case 2:
 *             return;
 *     default:                                // -1
 *             err(1, "select");
 *     }
 *
 * Exactly one case is done, or none and the call fails.  Of several that are ready
 * each is as likely as the others.  A case that would fail at once is ready: a send
 * on a closed channel is chosen and reports EPIPE.  Cases with a NULL handle are
 * skipped; with no others the call waits for ever, or for a signal.  An object may be
 * in several cases; two cases of one select never meet each other.  More than 8 cases,
 * a cancel among the bounds included, take memory, which is charged to the user who
 * calls.  O_NONBLOCK of the handles does not count.  Since 0.2.
 *
 * @return the index of the case that was done, with its outcome in its last fields;
 *         or -1 with errno EINTR; EBADF, EINVAL or EFAULT when any case makes no
 *         sense, whether it would be ready or not; E2BIG (more than CHAN_CASES_MAX),
 *         ENOMEM or EDQUOT (see chan_recv(), and for more than 8 cases the caller's own
 *         limit).
 */
int chan_select(struct chan_case *cases, size_t n);

/**
 * As chan_select(), but fails with EAGAIN if there was an instant at which no case was
 * ready.  Go's select with a default.  Since 0.2.
 */
int chan_try_select(struct chan_case *cases, size_t n);

/** As chan_select(), but fails with ETIMEDOUT once the deadline has passed.  Since 0.2. */
int chan_select_until(struct chan_case *cases, size_t n, int64_t deadline);

/**
 * The general form.  A cancel among the bounds is one case more (so of CHAN_CASES_MAX
 * one less is left): it is as likely as others that are ready, and comes first with
 * CHAN_IN_ORDER.  With CHAN_READY the chosen case has result 0 whatever it would
 * return, and somebody else may be faster.  Since 0.2.
 *
 * @param how    0, or CHAN_TRY, CHAN_IN_ORDER and CHAN_READY or'ed together
 * @param bounds or NULL
 */
int chan_select_with(struct chan_case *cases, size_t n, unsigned int how,
		     const struct chan_bounds *bounds);

/** The operations; values of chan_case.op.  Since 0.2. */
enum chan_op {
	CHAN_OP_SEND = 1,
	CHAN_OP_RECV = 2,
	CHAN_OP_ADD = 3,
	CHAN_OP_ZERO = 4,
	CHAN_OP_LOCK = 5,
	CHAN_OP_RLOCK = 6,
	CHAN_OP_TICK = 7,
	CHAN_OP_DIFFERS = 8,
	CHAN_OP_CANCELLED = 9
};

/** What the constructors of cases have in common: not to be used directly. */
CHAN_UNUSED static inline struct chan_case chan_on(const void *on, enum chan_op op,
						   uint32_t index, uint64_t arg, const void *buf)
{
	struct chan_case c = { (const struct chan_object *)on, buf, arg, (uint32_t)op, index,
			       0, 0, 0 };

	return c;
}

/**
 * As chan_send(c, value), which must stay as it is until the select returns.  With EPIPE,
 * value is as from chan_cause() (since 0.3).  Since 0.2.
 */
CHAN_UNUSED static inline struct chan_case chan_on_send(struct chan *c, const void *value)
{
	return chan_on(c, CHAN_OP_SEND, 0, 0, value);
}

/**
 * As chan_recv(c, value): result 1 for an element, 0 at the end, with value as from
 * chan_cause() (since 0.3).  Since 0.2.
 */
CHAN_UNUSED static inline struct chan_case chan_on_recv(struct chan *c, void *value)
{
	return chan_on(c, CHAN_OP_RECV, 0, 0, value);
}

/** As chan_send_cargo(c, value, cargo), which must stay as chan_on_send()'s.  Since 0.3. */
CHAN_UNUSED static inline struct chan_case chan_on_send_cargo(struct chan *c, const void *value,
							      const struct chan_cargo *cargo)
{
	return chan_on(c, CHAN_OP_SEND, 0, (uintptr_t)cargo, value);
}

/** As chan_recv_cargo(c, value, cargo); results as of chan_on_recv().  Since 0.3. */
CHAN_UNUSED static inline struct chan_case chan_on_recv_cargo(struct chan *c, void *value,
							      struct chan_cargo *cargo)
{
	return chan_on(c, CHAN_OP_RECV, 0, (uintptr_t)cargo, value);
}

/** As chan_wg_wait(wg); with EOWNERDEAD, value is how many were abandoned.  Since 0.2. */
CHAN_UNUSED static inline struct chan_case chan_on_zero(struct chan_wg *wg)
{
	return chan_on(wg, CHAN_OP_ZERO, 0, 0, NULL);
}

/** As chan_wg_add(wg, n).  Since 0.2. */
CHAN_UNUSED static inline struct chan_case chan_on_add(struct chan_wg *wg, size_t n)
{
	return chan_on(wg, CHAN_OP_ADD, 0, n, NULL);
}

/** As chan_sem_acquire(sem, n).  Since 0.2. */
CHAN_UNUSED static inline struct chan_case chan_on_acquire(struct chan_sem *sem, size_t n)
{
	return chan_on(sem, CHAN_OP_ADD, 0, n, NULL);
}

/** As chan_mutex_lock(m): with EOWNERDEAD the lock is the caller's too.  Since 0.2. */
CHAN_UNUSED static inline struct chan_case chan_on_lock(struct chan_mutex *m)
{
	return chan_on(m, CHAN_OP_LOCK, 0, 0, NULL);
}

/** As chan_rwmutex_lock(rw).  Since 0.2. */
CHAN_UNUSED static inline struct chan_case chan_on_wlock(struct chan_rwmutex *rw)
{
	return chan_on(rw, CHAN_OP_LOCK, 0, 0, NULL);
}

/** As chan_rwmutex_rlock(rw).  Since 0.2. */
CHAN_UNUSED static inline struct chan_case chan_on_rlock(struct chan_rwmutex *rw)
{
	return chan_on(rw, CHAN_OP_RLOCK, 0, 0, NULL);
}

/** As chan_once_begin(once): result 1 when it has been done.  Since 0.2. */
CHAN_UNUSED static inline struct chan_case chan_on_once(struct chan_once *once)
{
	return chan_on(once, CHAN_OP_LOCK, 0, 0, NULL);
}

/** As chan_timer_wait(timer); value is how many ticks there were.  Since 0.2. */
CHAN_UNUSED static inline struct chan_case chan_on_tick(struct chan_timer *timer)
{
	return chan_on(timer, CHAN_OP_TICK, 0, 0, NULL);
}

/** As chan_cells_wait(cells, i, than); value is what the cell then was.  Since 0.2. */
CHAN_UNUSED static inline struct chan_case chan_on_differs(struct chan_cells *cells, size_t i,
							   uint64_t than)
{
	return chan_on(cells, CHAN_OP_DIFFERS, i < CHAN_CELLS_MAX ? (uint32_t)i : UINT32_MAX,
		       than, NULL);
}

/** As chan_cancel_wait(cancel); value is the cause.  Since 0.2. */
CHAN_UNUSED static inline struct chan_case chan_on_cancel(struct chan_cancel *cancel)
{
	return chan_on(cancel, CHAN_OP_CANCELLED, 0, 0, NULL);
}

/* ---------------------------- typed channels ---------------------------- */

/**
 * Define a typed channel: type NAME, whose elements are of type T, and the
 * calls NAME_make, NAME_send and so on, which do what chan_make, chan_send and
 * so on do.  The compiler then refuses a value of another type or size.
 *
 *     CHAN_TYPE(lines, struct line);
 *
 *     lines in = lines_make(16);
 *     struct line l;
 *     if (!in.chan)
 *             errx(1, "lines: %s", chan_strerror(errno));
 *     while (lines_next(in, &l))
 *             puts(l.text);
 *
 * A value of type NAME is a handle (its member chan), passed by value.
 * NAME_send_with(), NAME_recv_with(), and NAME_on_send() and NAME_on_recv() for
 * chan_select(), are there since 0.2; NAME_make_policy(), NAME_make_with() (which sets
 * the options' elem_size itself), NAME_send_many(), NAME_recv_many(),
 * NAME_send_cargo(), NAME_recv_cargo() and their other forms since 0.3.
 * NAME_from_fd() fails with EMSGSIZE where the channel's elements are not of
 * T's size, leaving fd the caller's.
 */
#define CHAN_TYPE(NAME, T)                                                                     \
	CHAN_STATIC_ASSERT(sizeof(T) <= CHAN_ELEM_MAX, #T " is too large to be an element");   \
	typedef struct {                                                                       \
		struct chan *chan;                                                             \
	} NAME;                                                                                \
	CHAN_UNUSED static inline NAME NAME##_make(size_t capacity)                            \
	{                                                                                      \
		NAME c = { chan_make(sizeof(T), capacity) };                                   \
		return c;                                                                      \
	}                                                                                      \
	CHAN_UNUSED static inline NAME NAME##_make_policy(size_t capacity,                     \
							  enum chan_policy policy)             \
	{                                                                                      \
		NAME c = { chan_make_policy(sizeof(T), capacity, policy) };                    \
		return c;                                                                      \
	}                                                                                      \
	CHAN_UNUSED static inline NAME NAME##_make_with(const struct chan_options *options)    \
	{                                                                                      \
		struct chan_options sized;                                                     \
		NAME c = { NULL };                                                             \
		if (options) {                                                                 \
			sized = *options;                                                      \
			sized.elem_size = sizeof(T);                                           \
		}                                                                              \
		c.chan = chan_make_with(options ? &sized : NULL);                              \
		return c;                                                                      \
	}                                                                                      \
	CHAN_UNUSED static inline NAME NAME##_from_fd(int fd)                                  \
	{                                                                                      \
		NAME c = { chan_from_fd_sized(fd, sizeof(T)) };                                \
		return c;                                                                      \
	}                                                                                      \
	CHAN_UNUSED static inline NAME NAME##_restrict(NAME c, unsigned int rights)            \
	{                                                                                      \
		NAME r = { chan_restrict(c.chan, rights) };                                    \
		return r;                                                                      \
	}                                                                                      \
	CHAN_UNUSED static inline void NAME##_drop(NAME c)                                     \
	{                                                                                      \
		chan_drop(c.chan);                                                             \
	}                                                                                      \
	CHAN_UNUSED static inline int NAME##_close(NAME c)                                     \
	{                                                                                      \
		return chan_close(c.chan);                                                     \
	}                                                                                      \
	CHAN_UNUSED static inline int NAME##_send(NAME c, T const *value)                      \
	{                                                                                      \
		return chan_send(c.chan, value);                                               \
	}                                                                                      \
	CHAN_UNUSED static inline int NAME##_try_send(NAME c, T const *value)                  \
	{                                                                                      \
		return chan_try_send(c.chan, value);                                           \
	}                                                                                      \
	CHAN_UNUSED static inline int NAME##_send_until(NAME c, T const *value,                \
							int64_t deadline)                      \
	{                                                                                      \
		return chan_send_until(c.chan, value, deadline);                               \
	}                                                                                      \
	CHAN_UNUSED static inline int NAME##_send_clock(NAME c, T const *value,                \
						clockid_t clock, int64_t deadline)             \
	{                                                                                      \
		return chan_send_clock(c.chan, value, clock, deadline);                        \
	}                                                                                      \
	CHAN_UNUSED static inline int NAME##_recv(NAME c, T *value)                            \
	{                                                                                      \
		return chan_recv(c.chan, value);                                               \
	}                                                                                      \
	CHAN_UNUSED static inline int NAME##_try_recv(NAME c, T *value)                        \
	{                                                                                      \
		return chan_try_recv(c.chan, value);                                           \
	}                                                                                      \
	CHAN_UNUSED static inline int NAME##_recv_until(NAME c, T *value, int64_t deadline)    \
	{                                                                                      \
		return chan_recv_until(c.chan, value, deadline);                               \
	}                                                                                      \
	CHAN_UNUSED static inline int NAME##_recv_clock(NAME c, T *value,                      \
						clockid_t clock, int64_t deadline)             \
	{                                                                                      \
		return chan_recv_clock(c.chan, value, clock, deadline);                        \
	}                                                                                      \
	CHAN_UNUSED static inline int NAME##_send_with(NAME c, T const *value,                 \
						       const struct chan_bounds *bounds)       \
	{                                                                                      \
		return chan_send_with(c.chan, value, bounds);                                  \
	}                                                                                      \
	CHAN_UNUSED static inline int NAME##_recv_with(NAME c, T *value,                       \
						       const struct chan_bounds *bounds)       \
	{                                                                                      \
		return chan_recv_with(c.chan, value, bounds);                                  \
	}                                                                                      \
	CHAN_UNUSED static inline ssize_t NAME##_send_many(NAME c, T const *values, size_t n)  \
	{                                                                                      \
		return chan_send_many(c.chan, values, n);                                      \
	}                                                                                      \
	CHAN_UNUSED static inline ssize_t NAME##_try_send_many(NAME c, T const *values,        \
							       size_t n)                       \
	{                                                                                      \
		return chan_try_send_many(c.chan, values, n);                                  \
	}                                                                                      \
	CHAN_UNUSED static inline ssize_t NAME##_send_many_until(NAME c, T const *values,      \
								 size_t n, int64_t deadline)   \
	{                                                                                      \
		return chan_send_many_until(c.chan, values, n, deadline);                      \
	}                                                                                      \
	CHAN_UNUSED static inline ssize_t                                                      \
	NAME##_send_many_with(NAME c, T const *values, size_t n,                               \
			     const struct chan_bounds *bounds)                                 \
	{                                                                                      \
		return chan_send_many_with(c.chan, values, n, bounds);                         \
	}                                                                                      \
	CHAN_UNUSED static inline ssize_t NAME##_recv_many(NAME c, T *values, size_t min,      \
							   size_t max)                         \
	{                                                                                      \
		return chan_recv_many(c.chan, values, min, max);                               \
	}                                                                                      \
	CHAN_UNUSED static inline ssize_t NAME##_try_recv_many(NAME c, T *values, size_t max)  \
	{                                                                                      \
		return chan_try_recv_many(c.chan, values, max);                                \
	}                                                                                      \
	CHAN_UNUSED static inline ssize_t NAME##_recv_many_until(NAME c, T *values,            \
								 size_t min, size_t max,       \
								 int64_t deadline)             \
	{                                                                                      \
		return chan_recv_many_until(c.chan, values, min, max, deadline);               \
	}                                                                                      \
	CHAN_UNUSED static inline ssize_t                                                      \
	NAME##_recv_many_with(NAME c, T *values, size_t min, size_t max,                       \
			     const struct chan_bounds *bounds)                                 \
	{                                                                                      \
		return chan_recv_many_with(c.chan, values, min, max, bounds);                  \
	}                                                                                      \
	CHAN_UNUSED static inline struct chan_case NAME##_on_send(NAME c, T const *value)      \
	{                                                                                      \
		return chan_on_send(c.chan, value);                                            \
	}                                                                                      \
	CHAN_UNUSED static inline struct chan_case NAME##_on_recv(NAME c, T *value)            \
	{                                                                                      \
		return chan_on_recv(c.chan, value);                                            \
	}                                                                                      \
	CHAN_UNUSED static inline int                                                          \
	NAME##_send_cargo(NAME c, T const *value, const struct chan_cargo *cargo)              \
	{                                                                                      \
		return chan_send_cargo(c.chan, value, cargo);                                  \
	}                                                                                      \
	CHAN_UNUSED static inline int                                                          \
	NAME##_try_send_cargo(NAME c, T const *value, const struct chan_cargo *cargo)          \
	{                                                                                      \
		return chan_try_send_cargo(c.chan, value, cargo);                              \
	}                                                                                      \
	CHAN_UNUSED static inline int                                                          \
	NAME##_send_cargo_until(NAME c, T const *value, const struct chan_cargo *cargo,        \
				int64_t deadline)                                              \
	{                                                                                      \
		return chan_send_cargo_until(c.chan, value, cargo, deadline);                  \
	}                                                                                      \
	CHAN_UNUSED static inline int                                                          \
	NAME##_send_cargo_with(NAME c, T const *value, const struct chan_cargo *cargo,         \
			       const struct chan_bounds *bounds)                               \
	{                                                                                      \
		return chan_send_cargo_with(c.chan, value, cargo, bounds);                     \
	}                                                                                      \
	CHAN_UNUSED static inline int                                                          \
	NAME##_recv_cargo(NAME c, T *value, struct chan_cargo *cargo)                          \
	{                                                                                      \
		return chan_recv_cargo(c.chan, value, cargo);                                  \
	}                                                                                      \
	CHAN_UNUSED static inline int                                                          \
	NAME##_try_recv_cargo(NAME c, T *value, struct chan_cargo *cargo)                      \
	{                                                                                      \
		return chan_try_recv_cargo(c.chan, value, cargo);                              \
	}                                                                                      \
	CHAN_UNUSED static inline int                                                          \
	NAME##_recv_cargo_until(NAME c, T *value, struct chan_cargo *cargo,                    \
				int64_t deadline)                                              \
	{                                                                                      \
		return chan_recv_cargo_until(c.chan, value, cargo, deadline);                  \
	}                                                                                      \
	CHAN_UNUSED static inline int                                                          \
	NAME##_recv_cargo_with(NAME c, T *value, struct chan_cargo *cargo,                     \
			       const struct chan_bounds *bounds)                               \
	{                                                                                      \
		return chan_recv_cargo_with(c.chan, value, cargo, bounds);                     \
	}                                                                                      \
	CHAN_UNUSED static inline struct chan_case                                             \
	NAME##_on_send_cargo(NAME c, T const *value, const struct chan_cargo *cargo)           \
	{                                                                                      \
		return chan_on_send_cargo(c.chan, value, cargo);                               \
	}                                                                                      \
	CHAN_UNUSED static inline struct chan_case                                             \
	NAME##_on_recv_cargo(NAME c, T *value, struct chan_cargo *cargo)                       \
	{                                                                                      \
		return chan_on_recv_cargo(c.chan, value, cargo);                               \
	}                                                                                      \
	CHAN_UNUSED static inline int NAME##_next(NAME c, T *value)                            \
	{                                                                                      \
		return chan_next(c.chan, value);                                               \
	}                                                                                      \
	CHAN_STATIC_ASSERT(sizeof(NAME) == sizeof(struct chan *), "a typed handle is a handle")

/**
 * As chan_from_fd(), but fails with EMSGSIZE, leaving fd the caller's, where the
 * channel's elements are not of elem_size bytes.  What NAME_from_fd() calls.
 */
struct chan *chan_from_fd_sized(int fd, size_t elem_size);

#ifdef __cplusplus
}
#endif

#endif /* LIBCHAN_H */
