// SPDX-License-Identifier: GPL-2.0-only
/* KCOV; see cover.h.  Only the module is built with it, so all it tells is ours. */

#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include "kchan_util.h"

#include "cover.h"

#define KCOV_INIT_TRACE	_IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_TRACE_PC	0
#define KCOV_WORDS	(64 << 10)

__u8 *cover_seen;
static unsigned long *words;
static pid_t traced;

bool cover_exists(void)
{
	/* Where it is mounted already this fails, and does no harm. */
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	return !access("/sys/kernel/debug/kcov", R_OK | W_OK);
}

bool cover_open(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return false;
	must(!ioctl(fd, KCOV_INIT_TRACE, KCOV_WORDS));
	words = mmap(NULL, KCOV_WORDS * sizeof(*words), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(words != MAP_FAILED);
	must(!ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC));
	traced = getpid();
	if (!cover_seen)
		cover_seen = shared_alloc(EDGES / 8);
	return true;
}

/* A forked child is not traced, but writes to the same words. */
static bool is_traced(void)
{
	return words && getpid() == traced;
}

void cover_begin(void)
{
	if (is_traced())
		store(&words[0], 0ul);
}

static __u32 mix(unsigned long pc)
{
	return (pc * 0x9e3779b97f4a7c15ull) >> 40;
}

void cover_end(void)
{
	unsigned long n;
	__u32 last = 0;

	if (!is_traced())
		return;
	n = load(&words[0]);
	for (unsigned long i = 1; i <= n && i < KCOV_WORDS; i++) {
		__u32 here = mix(words[i]), edge = (here ^ last >> 1) % EDGES;

		cover_seen[edge / 8] |= 1u << edge % 8;
		last = here;
	}
}

void cover_reset(void)
{
	if (cover_seen)
		memset(cover_seen, 0, EDGES / 8);
}
