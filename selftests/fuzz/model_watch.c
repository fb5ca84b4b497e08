// SPDX-License-Identifier: GPL-2.0-only
/* Who is told when processes let go of an object; see model_call.h. */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "model_call.h"

#define BOTH (KCHAN_RIGHT_SEND | KCHAN_RIGHT_RECV)

/* It has no handle, and nothing that stands on it has one. */
bool is_closed_for_good(const struct model *m, const struct m_object *o)
{
	if (o->senders || o->receivers)
		return false;
	for (int i = 0; i < m->nr_objects; i++) {
		const struct m_object *token = &m->objects[i];

		if (token->of != NONE && &m->objects[token->of] == o &&
		    (token->senders || token->receivers))
			return false;
	}
	return true;
}

void stop_watching(struct model *m, struct m_object *o)
{
	int channel = o->told;

	if (channel == NONE)
		return;
	o->told = NONE;
	m->objects[channel].watched--;
	if (!mistaken("watch-keeps-nothing"))
		drop_sender(m, channel);
}

static void tell(struct model *m, const struct m_object *o, __u32 rights, int pid, bool exits)
{
	struct m_message message = { .is_notice = true, .pid = pid };

	if (o->told == NONE || !(rights & o->told_of))
		return;
	message.notice.cookie = o->cookie;
	message.notice.rights = rights & o->told_of;
	message.notice.flags = exits ? KCHAN_NOTICE_EXIT : 0;
	for (__u32 i = 0; i < KCHAN_MAX_HANDLES; i++)
		message.files[i] = NONE;
	post(m, o->told, &message);
}

/* This number of ours is no longer in our table. */
void tell_of_number(struct model *m, int file)
{
	const struct m_file *f = &m->files[file];
	__u32 left = 0;

	for (int i = FIRST_PLACE; i < PLACES; i++)
		if (m->place[i] != NONE && m->files[m->place[i]].object == f->object)
			left |= file_at(m, i)->rights;
	for (int i = 0; i < m->nr_loose; i++)
		if (m->files[m->loose[i]].object == f->object)
			left |= m->files[m->loose[i]].rights;
	if (mistaken("notice-for-each-number"))
		left = 0;
	tell(m, &m->objects[f->object], f->rights & ~left, getpid(), false);
}

/* What a child of ours could do with that object. */
static __u32 rights_of_child(const struct model *m, const struct m_object *o)
{
	__u32 rights = 0;

	for (int i = FIRST_PLACE; i < PLACES; i++)
		if (object_at(m, i) == o)
			rights |= file_at(m, i)->rights;
	return rights & o->told_of;
}

void tell_of_child(struct model *m)
{
	for (int i = 0; i < m->nr_objects; i++)
		tell(m, &m->objects[i], rights_of_child(m, &m->objects[i]), m->child, true);
}

/* Which of several notices comes first nobody says; it may itself ask for one. */
bool child_has_much_to_tell(const struct model *m, const struct step *s)
{
	int n = s->call == WATCH;

	for (int i = 0; i < m->nr_objects; i++)
		n += m->objects[i].told != NONE && rights_of_child(m, &m->objects[i]);
	return n > 1;
}

/* ---- the call ---- */

static void check_told(struct call_of *c)
{
	int told = c->s->f[TOLD];
	const struct m_file *f = file_at(c->m, told);
	const struct m_object *chan = object_at(c->m, told);

	/* No number: nobody is told any more. */
	if (!f && told >= FIRST_PLACE)
		return;
	if (!f || chan->kind != KCHAN_KIND_CHAN || chan->elem_size != sizeof(struct kchan_notice))
		allow(&c->v, -EINVAL);
	if (f && !(f->rights & KCHAN_RIGHT_SEND))
		allow(&c->v, -EBADF);
	if (c->o && (c->o->watched || (chan && (chan->told != NONE || chan == c->o))))
		allow(&c->v, -ELOOP);
}

const char *watch(struct call_of *c)
{
	__u32 rights = c->s->f[RIGHTS];
	int told = c->s->f[TOLD];

	check_struct(c->s, sizeof(struct kchan_watch), sizeof(struct kchan_watch), true, false,
		     &c->v);
	check_flags(c->s->f[FLAGS], 0, &c->v);
	if (!rights || rights & ~BOTH)
		allow(&c->v, -EINVAL);
	if (knows_call(c, OBJECT) && c->f->rights != BOTH)
		allow(&c->v, -EBADF);
	check_told(c);
	if (c->v.nr)
		return failed(&c->v, c->r);
	allow(&c->v, 0);
	if (file_at(c->m, told)) {
		struct m_object *chan = object_at(c->m, told);

		chan->watched++;
		chan->senders += mistaken("watch-keeps-nothing") ? 0 : 1;
	}
	stop_watching(c->m, c->o);
	if (file_at(c->m, told)) {
		c->o->told = file_at(c->m, told)->object;
		c->o->told_of = rights;
		c->o->cookie = c->s->f[VALUE];
	}
	return judge(&c->v, c->r->ret);
}
