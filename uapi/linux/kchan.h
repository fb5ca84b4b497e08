/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * kchan: channels between threads and processes, owned by the kernel.
 *
 * This header is the whole contract between the kernel and its users.
 *
 * /dev/kchan answers KCHAN_FEATURES and makes objects; every object is a file
 * of its own, close-on-exec from birth, and takes the calls marked "object".
 *
 * Structs.  Each begins with its own size, which the caller sets to
 * sizeof(struct ...).  A struct may grow at its end in later versions.  The
 * kernel takes a shorter one (what is missing counts as zero) and a longer one
 * (what it does not know must be zero, else E2BIG); one shorter than in the
 * first version is EINVAL.  Unknown flags and nonzero reserved fields are
 * EINVAL.  A 32-bit program uses the very same structs; pointers travel as
 * __u64.
 *
 * Errors.  One errno, one meaning, and a call that fails has changed nothing:
 *
 *   EAGAIN     would block, and KCHAN_NONBLOCK or O_NONBLOCK asks not to
 *   ETIMEDOUT  the deadline has passed
 *   EINTR      a signal came first (calls restart under SA_RESTART)
 *   EPIPE      send on a closed channel, or nobody can receive
 *   EALREADY   close of a closed channel
 *   EBADF      the handle lacks the right
 *   EMSGSIZE   wrong length of a message
 *   EINVAL     a flag, reserved field, size or number that makes no sense
 *   E2BIG      a longer struct than this kernel knows, with a nonzero tail
 *   EFAULT     a pointer that does not lead to the caller's memory
 *   EDQUOT     the user owns as many channels, or channel memory, as allowed
 *              (or, for a receive that has to wait, the channel's owner more)
 *   ENOMEM     no memory; for a new channel also more than KCHAN_MAX_BYTES
 *   EMFILE     the process has no file number left (ENFILE: the system)
 *   ENOTTY     this file does not know this call
 */
#ifndef _UAPI_LINUX_KCHAN_H
#define _UAPI_LINUX_KCHAN_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KCHAN_IOC_MAGIC		0xC7

/* The version of this contract; it counts up when something is added. */
#define KCHAN_ABI_VERSION	1

/* Limits that no setting can lift. */
#define KCHAN_MAX_ELEM_SIZE	65536u		/* bytes in a message */
#define KCHAN_MAX_CAPACITY	1048576u	/* messages in a buffer */
#define KCHAN_MAX_BYTES		1073741824u	/* bytes in a buffer */

/* Kinds of object. */
#define KCHAN_KIND_CHAN		1

/* Rights of a handle. */
#define KCHAN_RIGHT_SEND	0x1u	/* send, and close */
#define KCHAN_RIGHT_RECV	0x2u

/* Flags of a call.  A kernel refuses those it does not know with EINVAL. */
#define KCHAN_NONBLOCK		0x1u	/* do not wait; wins over a deadline */
#define KCHAN_DEADLINE		0x2u	/* .deadline holds; CLOCK_MONOTONIC */
#define KCHAN_CLOCK_REALTIME	0x4u	/* with KCHAN_DEADLINE: that clock */
#define KCHAN_CLOCK_BOOTTIME	0x8u	/* with KCHAN_DEADLINE: that clock */

/* Bits of struct kchan_features.features. */
#define KCHAN_FEATURE_CHAN	0x1ull	/* KCHAN_CREATE_CHAN and its calls */

/**
 * struct kchan_features - what this kernel offers
 * @size: in: sizeof(struct kchan_features)
 * @abi_version: out: KCHAN_ABI_VERSION of the module
 * @features: out: KCHAN_FEATURE_* bits
 * @max_elem_size: out: largest message, in bytes
 * @max_capacity: out: largest capacity, in messages
 * @max_user_channels: out: channels one user may own (privileged users: more)
 * @reserved: out: 0
 * @max_user_bytes: out: bytes of channel memory one user may own (likewise)
 *
 * What the caller's struct has beyond the kernel's is filled with zeros.
 */
struct kchan_features {
	__u32 size;
	__u32 abi_version;
	__u64 features;
	__u32 max_elem_size;
	__u32 max_capacity;
	__u32 max_user_channels;
	__u32 reserved;
	__u64 max_user_bytes;
};

/**
 * struct kchan_create_chan - a new channel
 * @size: in: sizeof(struct kchan_create_chan)
 * @flags: in: KCHAN_NONBLOCK (sets O_NONBLOCK on the new file) or 0
 * @elem_size: in: bytes in each message, 0 to KCHAN_MAX_ELEM_SIZE; 0 is a pure
 *	signal
 * @reserved: in: 0
 * @capacity: in: messages the channel buffers, 0 to KCHAN_MAX_CAPACITY; 0 is a
 *	rendezvous: a send returns only once its message has been received
 *
 * The new file has both rights.  All its memory is charged when it is made.
 */
struct kchan_create_chan {
	__u32 size;
	__u32 flags;
	__u32 elem_size;
	__u32 reserved;
	__u64 capacity;
};

/**
 * struct kchan_msg - one message to send, or room for one to receive
 * @size: in: sizeof(struct kchan_msg)
 * @flags: in: KCHAN_NONBLOCK, KCHAN_DEADLINE, KCHAN_CLOCK_*
 * @buf: in: address of the message; not read when @len is 0
 * @len: in: its length in bytes, which must be the channel's element size
 * @reserved: in: 0
 * @deadline: in: with KCHAN_DEADLINE the absolute time in nanoseconds, not
 *	negative, as the caller's time namespace counts it; otherwise 0
 *
 * A deadline in the past is a try that fails with ETIMEDOUT.  What a failed
 * receive leaves in the buffer is not specified.
 */
struct kchan_msg {
	__u32 size;
	__u32 flags;
	__u64 buf;
	__u32 len;
	__u32 reserved;
	__s64 deadline;
};

/**
 * struct kchan_restrict - a new handle with the same or fewer rights
 * @size: in: sizeof(struct kchan_restrict)
 * @flags: in: KCHAN_NONBLOCK (sets O_NONBLOCK on the new file) or 0
 * @rights: in: KCHAN_RIGHT_* bits, at least one (else EINVAL), and none that
 *	this handle lacks (else EBADF)
 * @reserved: in: 0
 */
struct kchan_restrict {
	__u32 size;
	__u32 flags;
	__u32 rights;
	__u32 reserved;
};

/* Bits of struct kchan_stat.state. */
#define KCHAN_STATE_CLOSED	0x1u	/* KCHAN_CLOSE was called */
#define KCHAN_STATE_NO_SENDERS	0x2u	/* no handle can send */
#define KCHAN_STATE_NO_RECEIVERS 0x4u	/* no handle can receive */

/**
 * struct kchan_stat - what an object is, and its state at one instant
 * @size: in: sizeof(struct kchan_stat)
 * @kind: out: KCHAN_KIND_*
 * @id: out: the object's number, never used twice while the module is loaded
 * @rights: out: KCHAN_RIGHT_* bits of this handle
 * @state: out: KCHAN_STATE_* bits
 * @elem_size: out: bytes in a message
 * @reserved: out: 0
 * @capacity: out: messages the channel buffers
 * @length: out: messages in it.  More than @capacity only when receivers could
 *	not take messages already handed to them (bad memory, a kill): those
 *	went back to the head, where messages handed out meanwhile may have
 *	overtaken them
 * @waiting_senders: out: senders blocked on it
 * @waiting_receivers: out: receivers blocked on it
 *
 * What the caller's struct has beyond the kernel's is filled with zeros.
 */
struct kchan_stat {
	__u32 size;
	__u32 kind;
	__u64 id;
	__u32 rights;
	__u32 state;
	__u32 elem_size;
	__u32 reserved;
	__u64 capacity;
	__u64 length;
	__u32 waiting_senders;
	__u32 waiting_receivers;
};

/*
 * The calls.  Their numbers do not hold the structs' sizes: the structs do.
 *
 * Of the device:
 *   KCHAN_FEATURES	struct kchan_features
 *   KCHAN_CREATE_CHAN	struct kchan_create_chan; returns a file number
 * Of every object:
 *   KCHAN_STAT		struct kchan_stat
 *   KCHAN_RESTRICT	struct kchan_restrict; returns a file number
 * Of a channel:
 *   KCHAN_SEND		struct kchan_msg
 *   KCHAN_RECV		struct kchan_msg; returns 1 for a message, and 0 at the
 *			end, when the channel is closed (or has no sender left)
 *			and drained; the buffer is then zeroed
 *   KCHAN_CLOSE	no argument (0)
 *
 * read(2) receives a message into a buffer of at least its size, and returns 0
 * at the end; write(2) sends one of exactly that size.  Both are EINVAL where
 * messages have size 0.
 */
#define KCHAN_FEATURES		_IO(KCHAN_IOC_MAGIC, 0x00)
#define KCHAN_CREATE_CHAN	_IO(KCHAN_IOC_MAGIC, 0x01)

#define KCHAN_STAT		_IO(KCHAN_IOC_MAGIC, 0x10)
#define KCHAN_RESTRICT		_IO(KCHAN_IOC_MAGIC, 0x11)

#define KCHAN_SEND		_IO(KCHAN_IOC_MAGIC, 0x20)
#define KCHAN_RECV		_IO(KCHAN_IOC_MAGIC, 0x21)
#define KCHAN_CLOSE		_IO(KCHAN_IOC_MAGIC, 0x22)

#endif /* _UAPI_LINUX_KCHAN_H */
