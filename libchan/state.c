// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The state of a channel: closing it, and asking how it stands. */
#include <errno.h>

#include <linux/kchan.h>

#include "internal.h"

EXPORT int chan_close(struct chan *c)
{
	return chan_call(c, KCHAN_CLOSE, NULL);
}

EXPORT int chan_stat(const struct chan *c, struct chan_stat *stat)
{
	struct kchan_stat now = { .size = sizeof(now) };

	if (c && !stat)
		return chan_fail(EFAULT);
	if (chan_call(c, KCHAN_STAT, &now))
		return -1;
	*stat = (struct chan_stat){
		.id = now.id,
		.len = now.length,
		.cap = now.capacity,
		.elem_size = now.elem_size,
		.rights = now.rights,
		.waiting_senders = now.waiting_senders,
		.waiting_receivers = now.waiting_receivers,
		.closed = !!(now.state & KCHAN_STATE_CLOSED),
		.no_senders = !!(now.state & KCHAN_STATE_NO_SENDERS),
		.no_receivers = !!(now.state & KCHAN_STATE_NO_RECEIVERS),
	};
	return 0;
}

EXPORT ssize_t chan_len(const struct chan *c)
{
	struct chan_stat stat;

	return chan_stat(c, &stat) ? -1 : (ssize_t)stat.len;
}
