// SPDX-License-Identifier: GPL-2.0-only
/* Good and bad memory for calls; see memory.h. */

#include <stdint.h>
#include <string.h>

#include "kchan_util.h"
#include "memory.h"

#define STRUCT_PAGES	4
#define CASES_PAGES	16
#define CARGO_PAGES	4
#define BUFFER_PAGES	19	/* a message of 64 KiB, wherever it begins, and margins */
#define GAP_PAGES	17	/* behind an area: as many messages as a batch may have */

static __u8 *struct_area, *cases_area, *buffer_areas[BUFFERS + PEERS];
static __u8 *ancillary_areas[BUFFERS], *handle_areas[BUFFERS];

static __u8 *map_area(unsigned int pages)
{
	__u8 *p = mmap(NULL, (1 + pages + GAP_PAGES) * PAGE, PROT_NONE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED);
	must(!mprotect(p + PAGE, pages * PAGE, PROT_READ | PROT_WRITE));
	return p + PAGE;
}

void memory_init(void)
{
	if (struct_area)
		return;
	struct_area = map_area(STRUCT_PAGES);
	cases_area = map_area(CASES_PAGES);
	for (int i = 0; i < BUFFERS + PEERS; i++)
		buffer_areas[i] = map_area(BUFFER_PAGES);
	for (int i = 0; i < BUFFERS; i++) {
		ancillary_areas[i] = map_area(CARGO_PAGES);
		handle_areas[i] = map_area(CARGO_PAGES);
	}
}

static size_t offset_in_area(enum memory how, size_t area_size, size_t len)
{
	switch (how) {
	case STRADDLE:
		return 2 * PAGE - (len > 1 ? len / 2 > PAGE ? PAGE / 2 : len / 2 : 0);
	case CUT:
		return area_size - len + (len ? 1 : 0);
	default:
		return PAGE + MARGIN;
	}
}

static __u64 wrong_address(enum memory how, const __u8 *area, size_t area_size)
{
	switch (how) {
	case NULL_POINTER:
		return 0;
	case UNMAPPED:
		return (uintptr_t)area + area_size;
	case KERNEL:
		return 0xffff888000001000ull;
	case NONCANONICAL:
		return 0x800000000000dea0ull;
	default:
		return 0;
	}
}

/* Poison around a piece: all of a small area, of a large one only what is near. */
static void poison(const struct piece *p)
{
	__u8 *from = p->start - MARGIN, *end = p->start + p->len + MARGIN;

	if (end > p->area + p->area_size)
		end = p->area + p->area_size;
	memset(from, POISON_BYTE, end - from);
}

static struct piece place(__u8 *area, unsigned int pages, enum memory how, size_t len)
{
	struct piece p = { .area = area, .area_size = pages * PAGE, .len = len, .how = how };

	if (how == NULL_POINTER || how == UNMAPPED || how == KERNEL || how == NONCANONICAL) {
		p.address = wrong_address(how, area, p.area_size);
		return p;
	}
	p.present = how == CUT && len ? len - 1 : len;
	p.start = area + offset_in_area(how, p.area_size, len);
	p.address = (uintptr_t)p.start;
	poison(&p);
	return p;
}

struct piece place_struct(enum memory how, size_t len)
{
	return place(struct_area, STRUCT_PAGES, how, len);
}

struct piece place_cases(enum memory how, size_t len)
{
	return place(cases_area, CASES_PAGES, how, len);
}

struct piece place_buffer(unsigned int number, enum memory how, size_t len)
{
	return place(buffer_areas[number], BUFFER_PAGES, how, len);
}

struct piece place_ancillary(unsigned int number, enum memory how, size_t len)
{
	return place(ancillary_areas[number], CARGO_PAGES, how, len);
}

struct piece place_handles(unsigned int number, enum memory how, size_t len)
{
	return place(handle_areas[number], CARGO_PAGES, how, len);
}

struct piece place_part(unsigned int number, size_t len, size_t present)
{
	struct piece p = {
		.area = buffer_areas[number], .area_size = BUFFER_PAGES * PAGE, .len = len,
		.present = present, .how = CUT,
	};

	p.start = p.area + p.area_size - present;
	p.address = (uintptr_t)p.start;
	poison(&p);
	return p;
}

/* A page that is taken away keeps what it holds, since it is shared. */
void arm(const struct piece *p)
{
	if (p->how == READONLY)
		must(!mprotect(p->area, p->area_size, PROT_READ));
	else if (p->how == NO_ACCESS)
		must(!mprotect(p->area, p->area_size, PROT_NONE));
	else if (p->how == ABSENT)
		must(!madvise(p->area, p->area_size, MADV_DONTNEED));
}

void disarm(const struct piece *p)
{
	if (p->how == READONLY || p->how == NO_ACCESS)
		must(!mprotect(p->area, p->area_size, PROT_READ | PROT_WRITE));
}

bool can_be_written(enum memory how)
{
	return how == GOOD || how == STRADDLE || how == ABSENT;
}

bool can_be_read(enum memory how)
{
	return can_be_written(how) || how == READONLY;
}

static __u8 message_byte(size_t i, __u64 message)
{
	return (message >> 8 * (i % 8)) + (i / 8) * 37;
}

void fill_message(__u8 *to, size_t len, __u64 message)
{
	for (size_t i = 0; i < len; i++)
		to[i] = message_byte(i, message);
}

bool holds_message(const __u8 *p, size_t len, __u64 message)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != message_byte(i, message))
			return false;
	return true;
}

bool holds_only(const __u8 *p, size_t len, __u8 byte)
{
	return !len || (*p == byte && !memcmp(p, p + 1, len - 1));
}

bool surroundings_untouched(const struct piece *p)
{
	const __u8 *behind = p->start + p->len;
	size_t left = p->area + p->area_size > behind ? p->area + p->area_size - behind : 0;

	return !p->start || (holds_only(p->start - MARGIN, MARGIN, POISON_BYTE) &&
			     holds_only(behind, left < MARGIN ? left : MARGIN, POISON_BYTE));
}
