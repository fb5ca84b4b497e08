// SPDX-License-Identifier: GPL-2.0-only
/* What goes beside messages: handles, and who sent them; see execute.h. */

#include <stdint.h>
#include "kchan_util.h"

#include "execute.h"

/* In each message of the step's channel. */
__u32 handles_of(const struct run *run, const struct step *s)
{
	struct kchan_stat st = { .size = sizeof(st) };

	return kchan_call(fd_of(run, s->f[ON]), KCHAN_STAT, &st) ? 0 : st.handles;
}

void fill_numbers(const struct run *run, const struct step *s, __s32 *numbers, __u32 nr)
{
	for (__u32 i = 0; i < nr; i++) {
		__u64 place = i < GIVEN ? s->f[FIRST + i] : 0;

		numbers[i] = i == s->f[BAD] ? NOT_OPEN : place ? fd_of(run, place) : -1;
	}
}

void keep_numbers(struct run *run, const struct step *s, const __s32 *numbers)
{
	struct kchan_stat st = { .size = sizeof(st) };

	for (__u32 i = 0; i < KCHAN_MAX_HANDLES; i++) {
		__u64 place = i < GIVEN ? s->f[FIRST + i] : 0;

		if (numbers[i] < 0)
			continue;
		if (place >= FIRST_PLACE && run->fd[place] < 0 &&
		    !kchan_call(numbers[i], KCHAN_STAT, &st))
			run->fd[place] = numbers[i];
		else
			close(numbers[i]);
	}
}

static void lay_out_handles(const struct run *run, const struct step *s, bool sends,
			    unsigned int number, struct cargo *c)
{
	__u32 nr = handles_of(run, s);
	__s32 numbers[KCHAN_MAX_HANDLES];

	c->handles = place_handles(number, s->f[CASES_AT], nr * sizeof(*numbers));
	if (!c->handles.start)
		return;
	memset(c->handles.start, POISON_BYTE, c->handles.present);
	fill_numbers(run, s, numbers, nr);
	if (sends)
		memcpy(c->handles.start, numbers, c->handles.present);
}

static void lay_out_struct(const struct run *run, const struct step *s, unsigned int number,
			   struct cargo *c)
{
	size_t size = sizeof(c->before), room = size;

	if (s->f[CASE_SIZE] != RIGHT)
		size = (__u32)s->f[CASE_SIZE];
	if (size > room && size <= PAGE)
		room = size;
	memset(&c->before, POISON_BYTE, sizeof(c->before));
	c->before.size = size;
	c->before.flags = s->f[RESERVED];
	c->before.handles = c->handles.address;
	c->before.nr = s->f[NR] == RIGHT ? handles_of(run, s) : s->f[NR];
	c->ancillary = place_ancillary(number, s->f[ANCILLARY], room);
	if (!c->ancillary.start)
		return;
	memset(c->ancillary.start, 0, c->ancillary.present);
	memcpy(c->ancillary.start, &c->before, c->ancillary.present < sizeof(c->before) ?
	       c->ancillary.present : sizeof(c->before));
}

__u64 lay_out_cargo(const struct run *run, const struct step *s, bool sends,
		    unsigned int number, struct cargo *c)
{
	c->there = s->f[ANCILLARY] != RIGHT;
	if (!c->there)
		return 0;
	lay_out_handles(run, s, sends, number, c);
	lay_out_struct(run, s, number, c);
	return c->ancillary.address;
}

void arm_cargo(const struct cargo *c)
{
	if (!c->there)
		return;
	arm(&c->ancillary);
	arm(&c->handles);
}

bool disarm_cargo(struct cargo *c)
{
	const struct kchan_ancillary *before = &c->before;
	struct kchan_ancillary after = *before;

	if (!c->there)
		return true;
	disarm(&c->ancillary);
	disarm(&c->handles);
	memset(c->numbers, POISON_BYTE, sizeof(c->numbers));
	if (c->handles.start && c->handles.present == c->handles.len)
		memcpy(c->numbers, c->handles.start, c->handles.present);
	if (c->ancillary.start && c->ancillary.present >= sizeof(after))
		memcpy(&after, c->ancillary.start, sizeof(after));
	c->pid = after.pid;
	c->uid = after.uid;
	c->gid = after.gid;
	return after.size == before->size && after.flags == before->flags &&
	       after.handles == before->handles && after.nr == before->nr &&
	       surroundings_untouched(&c->handles) && surroundings_untouched(&c->ancillary);
}
