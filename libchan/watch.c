// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Notices of processes that let go of objects. */
#include "internal.h"

/* Notices are as the kernel sends them. */
#define SAME(FIELD)                                                                            \
	_Static_assert(offsetof(struct chan_notice, FIELD) ==                                  \
		       offsetof(struct kchan_notice, FIELD), "one layout, two names")

_Static_assert(sizeof(struct chan_notice) == sizeof(struct kchan_notice),
	       "one layout, two names");
_Static_assert(CHAN_NOTICE_EXIT == KCHAN_NOTICE_EXIT, "one flag, two names");
SAME(cookie);
SAME(rights);
SAME(flags);
SAME(status);
SAME(reserved);

EXPORT int chan_object_watch(const struct chan_object *o, const struct chan *notices,
			     unsigned int rights, uint64_t cookie)
{
	struct kchan_watch watch = {
		.size = sizeof(watch),
		.fd = notices ? chan_fd(notices) : -1,
		.rights = notices ? rights : CHAN_SEND | CHAN_RECV,
		.cookie = cookie,
	};

	return chan_ioctl(o, KCHAN_WATCH, &watch);
}

EXPORT int chan_watch(const struct chan *c, const struct chan *notices, unsigned int rights,
		      uint64_t cookie)
{
	return chan_object_watch((const struct chan_object *)c, notices, rights, cookie);
}

EXPORT struct chan *chan_notices_make(size_t capacity)
{
	return chan_make_with(&(struct chan_options){
		.elem_size = sizeof(struct chan_notice),
		.capacity = capacity,
		.stamped = 1,
	});
}
