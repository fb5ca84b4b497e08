// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Errors in words that a person can act on. */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* Unlike strerror(3), this never writes to a buffer that threads share. */
static const char *system_words(int errnum)
{
	const char *words = strerrordesc_np(errnum);

	return words ? words : "an unknown error";
}

EXPORT const char *chan_strerror(int errnum)
{
	switch (errnum) {
	case ENODEV:
		return "there is no /dev/kchan: load the kernel module with \"modprobe kchan\" "
		       "(or \"make load\" in its source tree) as root";
	case EACCES:
		return "no permission to open /dev/kchan: its mode should be 0666; "
		       "ask the administrator, or a sandbox may hide it";
	case EPROTO:
		return "the loaded module kchan is older than this program needs: load a newer one";
	case EAGAIN:
		return "this would have to wait, and was told not to";
	case ETIMEDOUT:
		return "the deadline passed before this could be done";
	case ECANCELED:
		return "this was cancelled before it could be done (chan_cancel_cause() tells why)";
	case EINTR:
		return "a signal came before this could be done";
	case EPIPE:
		return "the channel is closed, or nobody is left who can receive from it";
	case EALREADY:
		return "the channel was already closed";
	case EOWNERDEAD:
		return "somebody died before they were done: a lock is yours now and what it "
		       "guards may be half changed, or some of the work waited for was abandoned";
	case ENOTRECOVERABLE:
		return "the holder of this lock died, and it was unlocked without being mended: "
		       "nobody can lock it again";
	case EPERM:
		return "this process does not hold the lock that it would unlock or mend";
	case EOVERFLOW:
		return "more units given back than were taken, or more added than can be counted";
	case EBADF:
		return "not a handle of this kind, or a handle without the right to do this";
	case EMSGSIZE:
		return "the element is not of the channel's element size, or comes with another "
		       "number of handles than the channel's messages have";
	case EINVAL:
		return "an argument makes no sense (such as a size, count, index, right, clock or "
		       "deadline), or there is nothing to do this to";
	case ELOOP:
		return "a handle to this cannot travel in this channel's messages, where it might "
		       "keep itself alive (see chan_options.depth), or a channel of notices "
		       "would be watched itself";
	case ETOOMANYREFS:
		return "this user has too many files on their way in messages (see ulimit -n)";
	case E2BIG:
		return "more cases than a select can have";
	case EFAULT:
		return "an address does not lead to memory of this program";
	case EDQUOT:
		return "this user (or a channel's owner) has as many objects, or as much of their "
		       "memory, as allowed: drop some, or ask for a higher max_user_objects or "
		       "max_user_bytes in /sys/module/kchan/parameters; or as many threads or "
		       "processes as allowed (see ulimit -u)";
	case ENOMEM:
		return "not enough memory";
	case EMFILE:
		return "this process has too many open files (see ulimit -n)";
	case ENFILE:
		return "the system has too many open files";
	default:
		return system_words(errnum);
	}
}
