/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/**
 * @file libchan.h
 * Go's channels for C programs made of threads and processes.
 *
 * A channel lives in the kernel (module kchan); a struct chan is a handle to it
 * that owns one file descriptor.  Handles may be used from any number of
 * threads at once, and go on working in a child after fork(2).  A crashed peer
 * cannot damage a channel, and its death is an event that the others see.
 *
 * Errors: a call that fails returns -1 (or NULL), sets errno, and has changed
 * nothing.  chan_strerror() has words for each errno:
 *
 *   EAGAIN     a try call, or any call on a file with O_NONBLOCK, would have to
 *              wait
 *   ETIMEDOUT  the deadline has passed
 *   EINTR      a signal handler ran (calls restart by themselves after handlers
 *              installed with SA_RESTART)
 *   EPIPE      send on a closed channel, or nobody is left who can receive
 *   EALREADY   close of a closed channel
 *   EBADF      a NULL handle, a handle without the right, or not a channel
 *   EMSGSIZE   the element is not of the channel's size (typed from-fd)
 *   EINVAL     an argument that makes no sense
 *   EFAULT     a pointer that does not lead to memory
 *   EDQUOT     the user owns as many channels, or channel memory, as allowed (for
 *              a receive that would wait: the channel's owner has more than that)
 *   ENOMEM, EMFILE, ENFILE
 *   ENODEV     there is no /dev/kchan: the module is not loaded
 *   EACCES     /dev/kchan may not be opened by this user
 *   EPROTO     the loaded module does not know this call
 *
 * Everything here is available since libchan 0.1 unless it says otherwise.
 */
#ifndef LIBCHAN_H
#define LIBCHAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define LIBCHAN_VERSION_MAJOR 0
#define LIBCHAN_VERSION_MINOR 1

#ifdef __cplusplus
extern "C" {
#define CHAN_STATIC_ASSERT(cond, words) static_assert(cond, words)
#else
#define CHAN_STATIC_ASSERT(cond, words) _Static_assert(cond, words)
#endif

/** Largest element, in bytes. */
#define CHAN_ELEM_MAX 65536
/** Largest capacity, in elements. */
#define CHAN_CAP_MAX 1048576

/** Rights of a handle, to be or'ed together. */
#define CHAN_SEND 1u /**< may send, and close */
#define CHAN_RECV 2u /**< may receive */

/** Units of the nanoseconds that deadlines count. */
#define CHAN_MICROSECOND INT64_C(1000)
#define CHAN_MILLISECOND INT64_C(1000000)
#define CHAN_SECOND INT64_C(1000000000)

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

/**
 * Receive the oldest element, waiting for one.
 *
 * @param value room for one element; may be NULL when the element size is 0
 * @return 1 when it received an element; 0 at the end, which is when the
 *         channel is closed (or no handle that can send is left) and drained:
 *         *value is then zeroed; -1 with errno EINTR, EBADF, EFAULT, ENOMEM or
 *         EDQUOT, and *value is not specified.
 */
int chan_recv(struct chan *c, void *value);

/** As chan_recv(), but fails with EAGAIN instead of waiting. */
int chan_try_recv(struct chan *c, void *value);

/** As chan_recv(), but fails with ETIMEDOUT; deadline as in chan_send_until(). */
int chan_recv_until(struct chan *c, void *value, int64_t deadline);

/** As chan_recv_until(), on another clock, as in chan_send_clock(). */
int chan_recv_clock(struct chan *c, void *value, clockid_t clock, int64_t deadline);

/**
 * Receive the next element of a range loop: as chan_recv(), but goes on after
 * signals, and tells the end from an error by errno.
 *
 * @return 1 when *value is the next element; 0 with errno 0 at the end, or with
 *         errno EBADF, EFAULT, ENOMEM or (a file with O_NONBLOCK) EAGAIN.
 */
int chan_next(struct chan *c, void *value);

/**
 * Go's "for v := range c": runs the statement that follows with *ptr holding
 * each element, until the end.  errno tells the end (0) from an error, as after
 * chan_next().
 */
#define chan_range(c, ptr) while (chan_next((c), (ptr)))

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
	uint32_t reserved32;	    /**< 0 */
	uint64_t reserved[4];	    /**< 0; room to grow */
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
	CHAN_UNUSED static inline int NAME##_next(NAME c, T *value)                            \
	{                                                                                      \
		return chan_next(c.chan, value);                                               \
	}                                                                                      \
	CHAN_STATIC_ASSERT(sizeof(NAME) == sizeof(struct chan *), "a typed handle is a handle")

#define CHAN_UNUSED __attribute__((unused))

/**
 * As chan_from_fd(), but fails with EMSGSIZE, leaving fd the caller's, where the
 * channel's elements are not of elem_size bytes.  What NAME_from_fd() calls.
 */
struct chan *chan_from_fd_sized(int fd, size_t elem_size);

#ifdef __cplusplus
}
#endif

#endif /* LIBCHAN_H */
