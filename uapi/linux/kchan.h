/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * kchan: channels, select and what else threads and processes wait for each
 * other with, owned by the kernel.
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
 * Errors.  One errno, one meaning, and a call that fails has changed nothing
 * (but where a lock says EOWNERDEAD, which it does after passing into the
 * caller's hands):
 *
 *   EAGAIN     would block, and KCHAN_NONBLOCK or O_NONBLOCK asks not to, or a
 *              batch's @min
 *   ETIMEDOUT  the deadline has passed
 *   EINTR      a signal came first (calls restart under SA_RESTART)
 *   EPIPE      send on a closed channel, or nobody can receive
 *   EALREADY   close of a closed channel
 *   EBADF      the handle lacks the right, or was closed meanwhile; in a select
 *              also: is none of ours; for a file number in a message, or that
 *              notices go to: is not open
 *   EMSGSIZE   wrong length of a message, or number of its handles
 *   EINVAL     a flag, reserved field, size or number that makes no sense; an
 *              operation that this kind of object does not have; a wait group
 *              would fall below zero
 *   EOVERFLOW  a semaphore would get back more than was taken; a count would
 *              exceed KCHAN_MAX_COUNT
 *   EPERM      unlock of what this process does not hold
 *   EOWNERDEAD the last holder of a lock died with it (the lock is the caller's
 *              now); some of the work waited for was abandoned
 *   ENOTRECOVERABLE  a lock was given back without KCHAN_CONSISTENT after that
 *   E2BIG      a longer struct than this kernel knows, with a nonzero tail;
 *              more than KCHAN_MAX_CASES
 *   EFAULT     a pointer that does not lead to the caller's memory
 *   EDQUOT     the user owns as many objects, or as much memory, as allowed
 *              (or, for a receive that has to wait, the channel's owner more).
 *              A select of more than KCHAN_FEW_CASES counts while it lasts,
 *              and so do its messages
 *   ENOMEM     no memory; for a new channel also more than KCHAN_MAX_BYTES
 *   EMFILE     the process has no file number left (ENFILE: the system)
 *   ELOOP      a handle in a message that might keep itself alive; a channel of
 *              notices that is, or would be, watched itself
 *   ETOOMANYREFS  the user has as many files on their way in messages as allowed
 *   ENOTTY     this file does not know this call
 */
#ifndef _UAPI_LINUX_KCHAN_H
#define _UAPI_LINUX_KCHAN_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KCHAN_IOC_MAGIC		0xC7

/* The version of this contract; it counts up when something is added. */
#define KCHAN_ABI_VERSION	3

/* Limits that no setting can lift. */
#define KCHAN_MAX_ELEM_SIZE	65536u		/* bytes in a message */
#define KCHAN_MAX_CAPACITY	1048576u	/* messages in a buffer */
#define KCHAN_MAX_BYTES		1073741824u	/* bytes in a buffer */
#define KCHAN_MAX_HANDLES	16u	/* handles in a message */
#define KCHAN_MAX_DEPTH		16u	/* of channels in channels' messages */
#define KCHAN_MAX_CASES		1024u		/* cases in a select */
#define KCHAN_FEW_CASES		8u		/* which cost no memory */
#define KCHAN_MAX_COUNT		2147483647u	/* units in a group or semaphore */
#define KCHAN_MAX_CELLS		65536u		/* cells in one object */
#define KCHAN_MAX_ERRNO		4095		/* causes: 1 to this */

/* Kinds of object. */
#define KCHAN_KIND_CHAN		1
#define KCHAN_KIND_WAITGROUP	2
#define KCHAN_KIND_SEMAPHORE	3
#define KCHAN_KIND_TOKEN	4	/* units of one of these two, in one hand */
#define KCHAN_KIND_MUTEX	5
#define KCHAN_KIND_RWMUTEX	6
#define KCHAN_KIND_ONCE		7
#define KCHAN_KIND_COND		8
#define KCHAN_KIND_TIMER	9
#define KCHAN_KIND_CELLS	10
#define KCHAN_KIND_CANCEL	11

/*
 * Rights of a handle, and what it takes them to do:
 *
 *		SEND				RECV
 *   channel	send, close			receive
 *   waitgroup	add, done, token		wait for zero
 *   semaphore	give back, wait for zero	take, token
 *   token	done				-
 *   mutex	lock, unlock			-
 *   rwmutex	lock, unlock			read-lock, read-unlock
 *   once	do, done			-
 *   cond	signal				wait
 *   timer	set, stop			take a tick
 *   cells	signal, and (with both) map	wait, map for reading
 *		for writing
 *   cancel	cancel				wait, make a child
 */
#define KCHAN_RIGHT_SEND	0x1u
#define KCHAN_RIGHT_RECV	0x2u

/* Flags of a call.  A kernel refuses those it does not know with EINVAL. */
#define KCHAN_NONBLOCK		0x1u	/* do not wait; wins over a deadline */
#define KCHAN_DEADLINE		0x2u	/* .deadline holds; CLOCK_MONOTONIC */
#define KCHAN_CLOCK_REALTIME	0x4u	/* with KCHAN_DEADLINE: that clock */
#define KCHAN_CLOCK_BOOTTIME	0x8u	/* with KCHAN_DEADLINE: that clock */
#define KCHAN_IN_ORDER		0x10u	/* select: the first case that is ready */
#define KCHAN_READY		0x20u	/* select: say what is ready, do nothing */
#define KCHAN_CHILD		0x40u	/* create: .parent holds */
#define KCHAN_VECTOR		0x80u	/* batch: .buf is an array of addresses */
#define KCHAN_STAMPED		0x100u	/* new channel: messages tell who sent them */

/*
 * What a send does that finds its channel's buffer full, and nobody waiting to
 * receive.  But for the first it never waits: it succeeds, and somebody's message is
 * discarded, which is counted (struct kchan_stat.dropped); the sender lets go of the
 * handles in it.
 */
#define KCHAN_POLICY_BLOCK	0	/* waits for room */
#define KCHAN_POLICY_DROP_NEWEST 1	/* discards its own message */
#define KCHAN_POLICY_DROP_OLDEST 2	/* discards the oldest that has not left it yet */
#define KCHAN_POLICY_LATEST	3	/* discards all that there are */

/* Bits of struct kchan_features.features. */
#define KCHAN_FEATURE_CHAN	0x1ull	/* KCHAN_CREATE_CHAN and its calls */
#define KCHAN_FEATURE_SELECT	0x2ull	/* KCHAN_SELECT */
#define KCHAN_FEATURE_SYNC	0x4ull	/* KCHAN_CREATE of all kinds above */
#define KCHAN_FEATURE_POLICY	0x8ull	/* struct kchan_create_chan.policy */
#define KCHAN_FEATURE_BATCH	0x10ull	/* KCHAN_SEND_BATCH, KCHAN_RECV_BATCH */
#define KCHAN_FEATURE_CALL	0x20ull	/* KCHAN_CALL */
#define KCHAN_FEATURE_CARGO	0x40ull	/* handles in messages, KCHAN_STAMPED */
#define KCHAN_FEATURE_WATCH	0x80ull	/* KCHAN_WATCH, KCHAN_CLOSE_WITH */

/**
 * struct kchan_features - what this kernel offers
 * @size: in: sizeof(struct kchan_features)
 * @abi_version: out: KCHAN_ABI_VERSION of the module
 * @features: out: KCHAN_FEATURE_* bits
 * @max_elem_size: out: largest message, in bytes
 * @max_capacity: out: largest capacity, in messages
 * @max_user_objects: out: objects one user may own (privileged users: more)
 * @reserved: out: 0
 * @max_user_bytes: out: bytes of memory one user's objects may take (likewise)
 *
 * What the caller's struct has beyond the kernel's is filled with zeros.
 */
struct kchan_features {
	__u32 size;
	__u32 abi_version;
	__u64 features;
	__u32 max_elem_size;
	__u32 max_capacity;
	__u32 max_user_objects;
	__u32 reserved;
	__u64 max_user_bytes;
};

/**
 * struct kchan_create_chan - a new channel
 * @size: in: sizeof(struct kchan_create_chan)
 * @flags: in: KCHAN_NONBLOCK (sets O_NONBLOCK on the new file), KCHAN_STAMPED
 * @elem_size: in: bytes in each message, 0 to KCHAN_MAX_ELEM_SIZE; 0 is a pure
 *	signal
 * @policy: in: KCHAN_POLICY_*; other than KCHAN_POLICY_BLOCK (0, as all were in
 *	version 2) only where @capacity is not 0
 * @capacity: in: messages the channel buffers, 0 to KCHAN_MAX_CAPACITY; 0 is a
 *	rendezvous: a send returns only once its message has been received
 * @handles: in: handles in each message, 0 to KCHAN_MAX_HANDLES
 * @depth: in: with @handles 1 to KCHAN_MAX_DEPTH, otherwise 0: messages carry handles
 *	to channels of a depth less than this.  (Handles that can only send, and those
 *	to anything but channels, they carry at any depth)
 *
 * Where messages have handles or are stamped, KCHAN_POLICY_LATEST takes a @capacity of
 * 1.  When the last handle that can receive is gone, the messages that are still in
 * the channel are discarded, and handles in them let go of.
 *
 * The new file has both rights.  All its memory is charged when it is made.
 */
struct kchan_create_chan {
	__u32 size;
	__u32 flags;
	__u32 elem_size;
	__u32 policy;
	__u64 capacity;
	__u32 handles;
	__u32 depth;
};

/**
 * struct kchan_create - a new object of any kind but a channel or a token
 * @size: in: sizeof(struct kchan_create)
 * @flags: in: KCHAN_NONBLOCK (sets O_NONBLOCK on the new file); for a cancel
 *	also KCHAN_CHILD, KCHAN_DEADLINE and KCHAN_CLOCK_*
 * @kind: in: KCHAN_KIND_*
 * @parent: in: with KCHAN_CHILD a handle, with the right to receive, to the
 *	cancel that cancels this one too; otherwise 0
 * @limit: in: waitgroup: units at once, 1 to KCHAN_MAX_COUNT, past which an add
 *	waits; 0: none.  Semaphore: its units, 1 to KCHAN_MAX_COUNT, all there.
 *	Cells: how many, 1 to KCHAN_MAX_CELLS, all 0.  Otherwise 0
 * @deadline: in: cancel: with KCHAN_DEADLINE when it cancels itself, with cause
 *	ETIMEDOUT; as in struct kchan_wait.  Otherwise 0
 *
 * The new file has both rights.
 */
struct kchan_create {
	__u32 size;
	__u32 flags;
	__u32 kind;
	__s32 parent;
	__u64 limit;
	__s64 deadline;
};

/**
 * struct kchan_ancillary - what travels with a message beside its bytes
 * @size: in: sizeof(struct kchan_ancillary)
 * @flags: in: 0
 * @handles: in: address of an array of file numbers (__s32); send: 0 for none
 * @nr: in: how many, which must be as many as the channel's messages have
 * @pid: out: receive, from a channel that is KCHAN_STAMPED: the sending process, in
 *	the receiver's pid namespace (0 where it is not to be seen there); from any
 *	other channel 0
 * @uid: out: likewise its (real) user, in the receiver's user namespace; from any
 *	other channel (__u32)-1
 * @gid: out: likewise its (real) group
 *
 * The sender keeps its handles; the receiver gets new file numbers, close-on-exec, with
 * the very same files behind them, as over an AF_UNIX socket.  -1 stands for none.
 * Where there is no message to receive, nothing is written.  With EFAULT something may
 * have been; numbers told there are not open.
 * The receiver's numbers, as many as a message can have, are set aside before the
 * message leaves the channel, or before the wait for one: where it has not enough left
 * the call fails with EMFILE, and the message stays.  A handle that might keep itself
 * alive is refused with ELOOP: one that can receive from a channel whose depth is not
 * less, AF_UNIX sockets, io_uring files, those of binder and vhost.  One user has at
 * most RLIMIT_NOFILE (of the process that sends) files on their way, else ETOOMANYREFS.
 */
struct kchan_ancillary {
	__u32 size;
	__u32 flags;
	__u64 handles;
	__u32 nr;
	__s32 pid;
	__u32 uid;
	__u32 gid;
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
 * @ancillary: in: address of a struct kchan_ancillary; 0: none, as before version 3.
 *	Needed to receive where messages have handles
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
	__u64 ancillary;
};

/**
 * struct kchan_batch - several messages to send, or room for several
 * @size: in: sizeof(struct kchan_batch)
 * @flags: in: KCHAN_NONBLOCK, KCHAN_DEADLINE, KCHAN_CLOCK_*, KCHAN_VECTOR
 * @buf: in: address of @max messages, one behind the other; with KCHAN_VECTOR of an
 *	array of @max addresses (__u64), one of each message
 * @len: in: the length of each in bytes, which must be the channel's element size
 * @reserved: in: 0
 * @min: in: wait until so many have been moved, 0 to @max
 * @max: in: move no more, 1 to KCHAN_MAX_COUNT
 * @deadline: in: as in struct kchan_msg
 *
 * Messages are moved while that needs no wait, and as long as they are fewer than
 * @min, with waits; each is a send or receive of its own, so that others' may come
 * in between.  The call returns how many were moved.  Where there are any, whatever
 * came in the way of more (the deadline, a signal, the end, EPIPE, EFAULT) is for the
 * next call to tell, even if they are fewer than @min.  What a receive leaves in the
 * rest of its room is not specified.  Messages with handles can be sent so, with none,
 * but not received (EMSGSIZE).
 */
struct kchan_batch {
	__u32 size;
	__u32 flags;
	__u64 buf;
	__u32 len;
	__u32 reserved;
	__u32 min;
	__u32 max;
	__s64 deadline;
};

/**
 * struct kchan_call - a request, and room for its answer
 * @size: in: sizeof(struct kchan_call)
 * @flags: in: KCHAN_NONBLOCK, KCHAN_DEADLINE, KCHAN_CLOCK_*; for both halves
 * @request: in: address of the message to send, as struct kchan_msg.buf
 * @answer: in: address of room for the message to receive
 * @request_len: in: the length of each in bytes, which must be its channel's
 * @answer_len: element size
 * @fd: in: a handle with the right to receive, where the answer comes
 * @sent: in: 0; 1: the request has been sent before, only wait for the answer.
 *	Out: 1 once it was sent
 * @deadline: in: as in struct kchan_msg
 *
 * A send and then a receive, as by KCHAN_SEND and KCHAN_RECV, neither with handles.
 * Whatever fails before
 * the request is sent leaves @sent at 0 and has changed nothing; after that @sent is
 * 1, and the same struct waits for the answer again.
 */
struct kchan_call {
	__u32 size;
	__u32 flags;
	__u64 request;
	__u64 answer;
	__u32 request_len;
	__u32 answer_len;
	__s32 fd;
	__u32 sent;
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

/*
 * Operations that may wait, of KCHAN_WAIT and of a select's cases.  Each says
 * what it needs of @index and @arg (what it does not need must be 0), and what
 * it leaves in @value, which is 0 where nothing is said.  They succeed with 0
 * unless they say otherwise.
 */
#define KCHAN_OP_SEND		1	/* select only: as KCHAN_SEND */
#define KCHAN_OP_RECV		2	/* select only: as KCHAN_RECV */
/*
 * Waitgroup, semaphore: take @arg units, 1 to the limit (else EINVAL), in FIFO
 * order: whoever asks for many holds back those behind that ask for few.
 */
#define KCHAN_OP_ADD		3
/*
 * Waitgroup, semaphore: wait until no unit is taken.  EOWNERDEAD when units were
 * abandoned since it last was so, and @value is how many.
 */
#define KCHAN_OP_ZERO		4
/*
 * Mutex, rwmutex: lock, for this process.  Once: 1 when it has been done; 0 when
 * it is this caller's to do, and to tell with KCHAN_DONE (or KCHAN_UNLOCK, to
 * leave it to the next); EOWNERDEAD likewise, where somebody died doing it.
 */
#define KCHAN_OP_LOCK		5
/* Rwmutex: lock for reading, beside others who do, for this process. */
#define KCHAN_OP_RLOCK		6
/* Timer: wait for a tick; @value is how many there were since the last taken. */
#define KCHAN_OP_TICK		7
/* Cells: wait until cell @index differs from @arg; @value is what it then was. */
#define KCHAN_OP_DIFFERS	8
/* Cancel: wait until it is cancelled; @value is the cause. */
#define KCHAN_OP_CANCELLED	9
/*
 * Cond: give back the mutex or rwmutex whose handle is @arg,
 * which this process has locked (else EPERM), and wait for KCHAN_SIGNAL, in one
 * step.  The lock is not taken again: that is the caller's next call, however
 * this one ends, but with EPERM, EBADF and EINVAL, after which it is still held.
 * A signal handler ends it with EINTR even under SA_RESTART.  In a select it is the
 * first case, with KCHAN_IN_ORDER, and the others are KCHAN_OP_CANCELLED; then too
 * the lock is given back, whichever case is chosen.
 */
#define KCHAN_OP_COND		10

/**
 * struct kchan_wait - one operation that may wait
 * @size: in: sizeof(struct kchan_wait)
 * @flags: in: KCHAN_NONBLOCK, KCHAN_DEADLINE, KCHAN_CLOCK_*
 * @op: in: KCHAN_OP_*
 * @index: in: as the operation says
 * @arg: in: as the operation says
 * @deadline: in: as in struct kchan_msg
 * @value: out: as the operation says, when it succeeds or says EOWNERDEAD
 */
struct kchan_wait {
	__u32 size;
	__u32 flags;
	__u32 op;
	__u32 index;
	__u64 arg;
	__s64 deadline;
	__u64 value;
};

/**
 * struct kchan_case - one case of a select
 * @fd: in: the handle; negative: this case is never ready
 * @op: in: KCHAN_OP_*
 * @buf: in: send, receive: address of the message
 * @len: in: send, receive: its length in bytes
 * @index: in: as the operation says
 * @arg: in: as the operation says; send, receive: as struct kchan_msg.ancillary
 */
struct kchan_case {
	__s32 fd;
	__u32 op;
	__u64 buf;
	__u32 len;
	__u32 index;
	__u64 arg;
};

/**
 * struct kchan_select - wait for one of several operations, and do that one
 * @size: in: sizeof(struct kchan_select)
 * @flags: in: KCHAN_NONBLOCK, KCHAN_DEADLINE, KCHAN_CLOCK_*, KCHAN_IN_ORDER,
 *	KCHAN_READY
 * @cases: in: address of an array of struct kchan_case; not read when @nr is 0
 * @nr: in: how many, at most KCHAN_MAX_CASES
 * @case_size: in: sizeof(struct kchan_case)
 * @deadline: in: as in struct kchan_msg
 * @value: out: as the chosen operation says
 *
 * Exactly one case is done, or none and the call fails.  Of several that are
 * ready each is as likely as the others; with KCHAN_IN_ORDER it is the first.
 * A send that finds its channel closed is ready, and so is whatever else would
 * not wait.  Without a wait (KCHAN_NONBLOCK, or a deadline that has passed) the
 * call fails only if there was an instant at which no case was ready.  O_NONBLOCK
 * of the handles does not count.  (The instant is one between the cells' signals:
 * whoever changes a cell asks nobody.)  Two cases of one select never meet each other.
 *
 * With KCHAN_READY nothing is done: the call says which case would not have
 * waited a moment ago.  (Where nothing can be taken, as in waiting for zero, a
 * differing cell or a cancel, that is the same.)
 *
 * Return: the chosen case's index, and from bit KCHAN_OUTCOME_SHIFT on its
 * outcome: 0 or 1, as the operation returns, or the errno that it fails with
 * (EPIPE, EOWNERDEAD, ENOTRECOVERABLE, EOVERFLOW).  The call itself fails, with nothing
 * done, when one of the cases makes no sense, whether it would be ready or not.  (What
 * a message carries, and its memory, is looked at only when it may be sent or received,
 * or when all wait.)
 */
struct kchan_select {
	__u32 size;
	__u32 flags;
	__u64 cases;
	__u32 nr;
	__u32 case_size;
	__s64 deadline;
	__u64 value;
};

#define KCHAN_OUTCOME_SHIFT	16

/**
 * struct kchan_arg - a call that needs a number
 * @size: in: sizeof(struct kchan_arg)
 * @flags: in: 0
 * @value: in: as the call says
 */
struct kchan_arg {
	__u32 size;
	__u32 flags;
	__s64 value;
};

/**
 * struct kchan_watch - tell a channel when processes let go of this object
 * @size: in: sizeof(struct kchan_watch)
 * @flags: in: 0
 * @fd: in: a handle that can send to the channel, whose messages are struct
 *	kchan_notice; negative: nobody is told any more
 * @rights: in: KCHAN_RIGHT_*, at least one: which of them
 * @cookie: in: for the notices
 *
 * From then on a message is sent, without waiting, whenever a process closes its last
 * file number of a handle with one of these rights, or ends with it, however it ends
 * (and however many other processes share that handle).  Where the channel is
 * KCHAN_STAMPED, that process is who sent it.  It is sent as the channel's policy says;
 * where that would wait, or the channel has ended, it counts as dropped.  Those of one
 * process that ends come in no certain order.  (Processes
 * are told apart by their tables of files.  Where threads close the last two numbers at
 * the same moment, both may tell; but an end is told once, though threads may have had
 * tables of their own.)
 *
 * It takes a handle with both rights, and replaces what was set before.  The watched
 * object keeps the channel from ending.  A channel that notices go to can't be watched
 * itself (ELOOP), nor can they go to one that is.
 */
struct kchan_watch {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 rights;
	__u64 cookie;
};

/**
 * struct kchan_notice - a process has let go of an object
 * @cookie: of the struct kchan_watch
 * @rights: KCHAN_RIGHT_*: what it can no longer do with the object
 * @flags: KCHAN_NOTICE_*
 * @status: with KCHAN_NOTICE_EXIT how the process ended, as wait(2) tells
 * @reserved: 0
 */
struct kchan_notice {
	__u64 cookie;
	__u32 rights;
	__u32 flags;
	__s32 status;
	__u32 reserved;
};

#define KCHAN_NOTICE_EXIT	0x1u	/* the process has ended */

/* Value of KCHAN_SIGNAL: all who wait. */
#define KCHAN_ALL		0x7fffffffffffffffll

/**
 * struct kchan_timer - when a timer fires
 * @size: in: sizeof(struct kchan_timer)
 * @flags: in: KCHAN_DEADLINE, KCHAN_CLOCK_*; 0: never, stop it
 * @deadline: in: with KCHAN_DEADLINE the first tick, as in struct kchan_msg (the
 *	end of time, 2^63 - 1, is never: as if stopped); otherwise 0
 * @period: in: nanoseconds from one tick to the next; 0: only one
 *
 * Ticks that nobody has taken are forgotten, whether it is set or stopped.
 */
struct kchan_timer {
	__u32 size;
	__u32 flags;
	__s64 deadline;
	__s64 period;
};

/**
 * struct kchan_cell - one cell, as mmap(2) of its object shows it
 * @value: to be used with C11 atomic operations
 * @waiters: how many wait in the kernel for this cell to differ, and are waiting
 *	for KCHAN_SIGNAL; not to be written.  After a change of @value (both
 *	sequentially consistent) look here, and signal if it is not 0
 * @reserved: keeps each cell in a cache line of its own
 *
 * The mapping begins at offset 0, is MAP_SHARED, and as long as wanted, up to the
 * object's last page.  A process that dies, or unmaps, after a change but before
 * its signal leaves nobody waiting: the kernel looks then.
 */
struct kchan_cell {
	__aligned_u64 value;
	__u32 waiters;
	__u32 reserved[13];
};

/* Bits of struct kchan_stat.state. */
#define KCHAN_STATE_CLOSED	0x1u	/* channel: KCHAN_CLOSE was called */
#define KCHAN_STATE_NO_SENDERS	0x2u	/* no handle can send */
#define KCHAN_STATE_NO_RECEIVERS 0x4u	/* no handle can receive */
#define KCHAN_STATE_LOCKED	0x8u	/* mutex, rwmutex, once: by one */
/* A holder died: not yet consistent; of a once, not yet begun anew. */
#define KCHAN_STATE_OWNERDEAD	0x10u
#define KCHAN_STATE_NOTRECOVERABLE 0x20u /* beside it: and never will be */
#define KCHAN_STATE_DONE	0x40u	/* once, token: KCHAN_DONE was called */
#define KCHAN_STATE_RUNNING	0x80u	/* timer: will fire */
#define KCHAN_STATE_CANCELLED	0x100u	/* cancel */
#define KCHAN_STATE_STAMPED	0x200u	/* channel: made with KCHAN_STAMPED */

/**
 * struct kchan_stat - what an object is, and its state at one instant
 * @size: in: sizeof(struct kchan_stat)
 * @kind: out: KCHAN_KIND_*
 * @id: out: the object's number, never used twice while the module is loaded
 * @rights: out: KCHAN_RIGHT_* bits of this handle
 * @state: out: KCHAN_STATE_* bits
 * @elem_size: out: bytes in a message
 * @policy: out: KCHAN_POLICY_*; 0 before version 3
 * @capacity: out: messages the channel buffers
 * @length: out: messages in it; 0 once nobody can receive them.  More than
 *	@capacity only when receivers could not take messages already handed to
 *	them (bad memory, a kill): those went back to the head, where messages
 *	handed out meanwhile may have overtaken them
 * @waiting_senders: out: those blocked on it in what takes the right to send
 * @waiting_receivers: out: those blocked in what takes the right to receive.  Each
 *	case of a select counts, but with KCHAN_READY only one that takes nothing:
 *	waiting for zero, for a differing cell, for a cancel
 * @value: out: see below; 0 in version 1
 * @dropped: out: messages discarded by the policy, and notices that were not sent; 0
 *	before version 3, as what follows
 * @handles: out: handles in each message
 * @depth: out: how deep channels may lie in its messages
 *
 * What other kinds than channels have in the last fields; where nothing is said,
 * 0:
 *
 *		@capacity	@length			@value
 *   waitgroup	limit, or 0	units taken		abandoned since zero
 *   semaphore	its units	units taken		abandoned since zero
 *   token	-		its units		-
 *   mutex	-		1 if locked		-
 *   rwmutex	-		readers that hold it	-
 *   timer	-		ticks to be taken	-
 *   cells	how many	-			-
 *   cancel	-		children		cause
 *   channel	(above)		(above)			cause of KCHAN_CLOSE_WITH
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
	__u32 policy;
	__u64 capacity;
	__u64 length;
	__u32 waiting_senders;
	__u32 waiting_receivers;
	__u64 value;
	__u64 dropped;
	__u32 handles;
	__u32 depth;
};

/*
 * The calls.  Their numbers do not hold the structs' sizes: the structs do.
 *
 * Of the device:
 *   KCHAN_FEATURES	struct kchan_features
 *   KCHAN_CREATE_CHAN	struct kchan_create_chan; returns a file number
 *   KCHAN_CREATE	struct kchan_create; returns a file number
 *   KCHAN_SELECT	struct kchan_select
 * Of every object:
 *   KCHAN_STAT		struct kchan_stat
 *   KCHAN_RESTRICT	struct kchan_restrict; returns a file number
 *   KCHAN_SELECT	struct kchan_select; this object need not be in it
 *   KCHAN_WAIT		struct kchan_wait
 *   KCHAN_WATCH	struct kchan_watch
 * Of a channel:
 *   KCHAN_SEND		struct kchan_msg
 *   KCHAN_RECV		struct kchan_msg; returns 1 for a message, and 0 at the
 *			end, when the channel is closed (or has no sender left)
 *			and drained; the buffer is then zeroed
 *   KCHAN_CLOSE	no argument (0)
 *   KCHAN_CLOSE_WITH	struct kchan_arg; value is a cause, an errno, which KCHAN_STAT
 *			tells then, and a select whose receive or send finds the end
 *   KCHAN_SEND_BATCH	struct kchan_batch; returns how many were sent
 *   KCHAN_RECV_BATCH	struct kchan_batch; returns how many were received, and 0 at
 *			the end
 *   KCHAN_CALL		struct kchan_call; returns as KCHAN_RECV
 * Of others, all with struct kchan_arg but KCHAN_TIMER:
 *   KCHAN_DONE		waitgroup, semaphore: give back that many units, at
 *			least 1, that were taken and are not a token's.  Token,
 *			once: it is done; value 0 (a token may say so again)
 *   KCHAN_TOKEN	waitgroup, semaphore: make a token of that many units
 *			that were taken and are not a token's (else EINVAL);
 *			returns a file number.  When its last handle is gone
 *			without KCHAN_DONE its units are given back, as abandoned
 *   KCHAN_UNLOCK	mutex, rwmutex, once: value KCHAN_OP_LOCK or
 *			KCHAN_OP_RLOCK, what this process did and now undoes
 *   KCHAN_CONSISTENT	mutex, rwmutex: after EOWNERDEAD, by the process that
 *			holds it locked (else EPERM): what it guards is good
 *			again.  EINVAL if there is nothing to mend; value 0
 *   KCHAN_SIGNAL	cond: wake that many, at least 1, the longest waiting
 *			first; returns how many it woke.  Cells: value is the
 *			index of a cell that has changed
 *   KCHAN_CANCEL	cancel it, and its children, with that cause, an errno
 *			(0: ECANCELED).  Returns 1; 0 if it was cancelled before,
 *			and keeps its cause
 *   KCHAN_TIMER	struct kchan_timer.  Returns 1 if there was a tick still
 *			to come or to be taken, that now nobody will get; else 0
 *
 * A process holds the locks that its threads took through its table of files.  It
 * loses them, as by death, when it ends or closes its last handle to them: then
 * they pass on, a lock (not a read lock) with EOWNERDEAD.  A child made by fork
 * holds none.
 *
 * A cancel whose last handle that can cancel it is gone is cancelled, with cause
 * EOWNERDEAD.  A wait group whose last handle that can send is gone gets all units
 * back that are in no token, as abandoned.
 *
 * Of a channel, read(2) receives a message into a buffer of at least its size,
 * and returns 0 at the end; write(2) sends one of exactly that size.  Both are
 * EINVAL where messages have size 0, or handles, and for other kinds.
 *
 * poll(2): POLLIN when what takes the right to receive would not block, POLLOUT
 * when what takes the right to send would not (of the operations above: an add or
 * a take of 1 unit; a cond never is; cells always are).  Where a kind has none that
 * takes the right, it never comes.  Channels: POLLHUP and POLLRDHUP at the end,
 * POLLERR when a send would be EPIPE.
 */
#define KCHAN_FEATURES		_IO(KCHAN_IOC_MAGIC, 0x00)
#define KCHAN_CREATE_CHAN	_IO(KCHAN_IOC_MAGIC, 0x01)
#define KCHAN_CREATE		_IO(KCHAN_IOC_MAGIC, 0x02)

#define KCHAN_STAT		_IO(KCHAN_IOC_MAGIC, 0x10)
#define KCHAN_RESTRICT		_IO(KCHAN_IOC_MAGIC, 0x11)
#define KCHAN_SELECT		_IO(KCHAN_IOC_MAGIC, 0x12)
#define KCHAN_WAIT		_IO(KCHAN_IOC_MAGIC, 0x13)
#define KCHAN_WATCH		_IO(KCHAN_IOC_MAGIC, 0x14)

#define KCHAN_SEND		_IO(KCHAN_IOC_MAGIC, 0x20)
#define KCHAN_RECV		_IO(KCHAN_IOC_MAGIC, 0x21)
#define KCHAN_CLOSE		_IO(KCHAN_IOC_MAGIC, 0x22)
#define KCHAN_SEND_BATCH	_IO(KCHAN_IOC_MAGIC, 0x23)
#define KCHAN_RECV_BATCH	_IO(KCHAN_IOC_MAGIC, 0x24)
#define KCHAN_CALL		_IO(KCHAN_IOC_MAGIC, 0x25)
#define KCHAN_CLOSE_WITH	_IO(KCHAN_IOC_MAGIC, 0x26)

#define KCHAN_DONE		_IO(KCHAN_IOC_MAGIC, 0x30)
#define KCHAN_TOKEN		_IO(KCHAN_IOC_MAGIC, 0x31)
#define KCHAN_UNLOCK		_IO(KCHAN_IOC_MAGIC, 0x32)
#define KCHAN_CONSISTENT	_IO(KCHAN_IOC_MAGIC, 0x33)
#define KCHAN_SIGNAL		_IO(KCHAN_IOC_MAGIC, 0x34)
#define KCHAN_CANCEL		_IO(KCHAN_IOC_MAGIC, 0x35)
#define KCHAN_TIMER		_IO(KCHAN_IOC_MAGIC, 0x36)

#endif /* _UAPI_LINUX_KCHAN_H */
