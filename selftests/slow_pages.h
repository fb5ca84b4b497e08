/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages that come only when a test brings them, by userfaultfd. */
#ifndef SLOW_PAGES_H
#define SLOW_PAGES_H

#include <linux/userfaultfd.h>
#include "task_util.h"

/*
 * They serve the address space of whoever made them.  @error says why there are none,
 * where there are none to be had.
 */
struct slow_pages {
	int fd;
	int nr;
	__u8 *pages;		/* touching one stalls until it is brought */
	__u8 *content;		/* what they will hold */
	int error;
};

static inline void make_slow_pages(struct slow_pages *slow, int nr)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	*slow = (struct slow_pages){ .nr = nr };
	slow->fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (slow->fd < 0) {
		slow->error = errno;
		return;
	}
	slow->pages = map_pages(nr);
	slow->content = map_pages(nr);
	reg.range.start = (uintptr_t)slow->pages;
	reg.range.len = nr * PAGE;
	must(!ioctl(slow->fd, UFFDIO_API, &api));
	must(!ioctl(slow->fd, UFFDIO_REGISTER, &reg));
}

static inline void free_slow_pages(struct slow_pages *slow)
{
	if (slow->error)
		return;
	close(slow->fd);
	munmap(slow->pages, slow->nr * PAGE);
	munmap(slow->content, slow->nr * PAGE);
}

/* The proof that somebody is stalled: its fault has arrived here. */
static inline void wait_for_fault(int fd)
{
	struct uffd_msg msg;

	must(read(fd, &msg, sizeof(msg)) == sizeof(msg));
	must(msg.event == UFFD_EVENT_PAGEFAULT);
}

static inline void bring_page(struct slow_pages *slow, int n)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)(slow->pages + n * PAGE),
		.src = (uintptr_t)(slow->content + n * PAGE),
		.len = PAGE,
	};

	must(!ioctl(slow->fd, UFFDIO_COPY, &copy));
}

/* All are missing again, and will be empty. */
static inline void forget_pages(struct slow_pages *slow)
{
	must(!madvise(slow->pages, slow->nr * PAGE, MADV_DONTNEED));
	memset(slow->content, 0, slow->nr * PAGE);
}

#endif /* SLOW_PAGES_H */
