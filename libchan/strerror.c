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
		return "the channel is not ready, and the call was told not to wait";
	case ETIMEDOUT:
		return "the deadline passed before the channel was ready";
	case EINTR:
		return "a signal came before the channel was ready";
	case EPIPE:
		return "the channel is closed, or nobody is left who can receive from it";
	case EALREADY:
		return "the channel was already closed";
	case EBADF:
		return "not a channel, or a handle without the right to do this";
	case EMSGSIZE:
		return "the element is not of the channel's element size";
	case EINVAL:
		return "an argument makes no sense (size, capacity, rights, clock or deadline)";
	case EFAULT:
		return "the element's address does not lead to memory of this program";
	case EDQUOT:
		return "this user (or a channel's owner) has as many channels, or as much channel "
		       "memory, as allowed: drop some, or ask for a higher max_user_channels or max_user_bytes in "
		       "/sys/module/kchan/parameters";
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
