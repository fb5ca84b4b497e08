// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes beside messages: handles, which keep their files open on the way, and who
 * sent them; see model.h.
 */

#include <errno.h>
#include <unistd.h>

#include "model_call.h"

bool has_cargo(const struct m_object *chan)
{
	return chan->handles || chan->stamped;
}

/* The place that a step tells for one of its handles; 0: none. */
static int given(const struct m_op *op, __u32 i)
{
	return i < GIVEN && i < op->obj->handles ? op->step->f[FIRST + i] : 0;
}

/* What needs no look at the channel's state. */
void check_ancillary(const struct m_op *op, struct verdict *v)
{
	const struct m_object *o = op->obj;
	const struct step *s = op->step;
	__u32 size = s->f[CASE_SIZE];

	if (!op->ancillary) {
		if (op->op == KCHAN_OP_RECV && o->handles)
			allow(v, -EMSGSIZE);
		return;
	}
	if (!has_cargo(o))
		allow(v, -EINVAL);
	if (!can_be_read(s->f[ANCILLARY]))
		allow(v, -EFAULT);
	if (s->f[CASE_SIZE] != RIGHT && size < sizeof(struct kchan_ancillary))
		allow(v, -EINVAL);
	if (s->f[CASE_SIZE] != RIGHT && size > PAGE)
		allow(v, -E2BIG);
	if ((__u32)s->f[RESERVED])
		allow(v, -EINVAL);
	if (s->f[NR] != RIGHT && (__u32)s->f[NR] != o->handles)
		allow(v, -EMSGSIZE);
}

static bool may_travel(const struct model *m, int place, const struct m_object *through)
{
	const struct m_file *f = file_at(m, place);
	const struct m_object *o = object_at(m, place);

	return !f || o->kind != KCHAN_KIND_CHAN || !(f->rights & KCHAN_RIGHT_RECV) ||
	       o->depth < through->depth || mistaken("any-depth");
}

/* No address means no handles. */
static bool send_has_trouble(const struct model *m, const struct m_op *op, struct verdict *v)
{
	const struct step *s = op->step;
	int before = v->nr;

	if (!op->obj->handles || s->f[CASES_AT] == NULL_POINTER)
		return false;
	if (!can_be_read(s->f[CASES_AT]))
		allow(v, -EFAULT);
	if (s->f[BAD] < op->obj->handles)
		allow(v, -EBADF);
	for (__u32 i = 0; i < GIVEN; i++)
		if (given(op, i) && i != s->f[BAD] && !may_travel(m, given(op, i), op->obj))
			allow(v, -ELOOP);
	return v->nr > before;
}

/* At the end nothing comes. */
static bool recv_has_trouble(const struct m_op *op, struct verdict *v)
{
	const struct m_object *o = op->obj;
	int before = v->nr;

	if (!o->length && !first_peer(o, KCHAN_OP_SEND) && (o->closed || !o->senders))
		return false;
	if (!can_be_written(op->step->f[ANCILLARY]))
		allow(v, -EFAULT);
	if (o->handles && !can_be_written(op->step->f[CASES_AT]))
		allow(v, -EFAULT);
	if (o->handles && op->full)
		allow(v, -EMFILE);
	return v->nr > before;
}

/* What may be there already counts, too. */
bool cargo_has_trouble(const struct model *m, const struct m_op *op, struct verdict *v)
{
	struct verdict own = { };
	bool trouble;

	if (!op->ancillary || !has_cargo(op->obj))
		return false;
	trouble = op->op == KCHAN_OP_SEND ? send_has_trouble(m, op, &own) :
					    recv_has_trouble(op, &own);
	for (int i = 0; i < own.nr; i++)
		allow(v, own.allowed[i]);
	return trouble;
}

/* Half an address; or file numbers in a process that is about to die. */
bool cargo_is_left_out(const struct m_op *op, enum process who)
{
	const struct step *s = op->step;
	__u32 size = claimed_size(s, sizeof(struct kchan_msg));

	if (s->f[ANCILLARY] == RIGHT || !op->obj)
		return false;
	if ((s->call == SEND || s->call == RECV) && size > MSG_V1 && size < MSG_V1 + 8)
		return true;
	return who == A_CHILD && op->op == KCHAN_OP_RECV && op->obj->handles;
}

/* What a send takes with it; it does not keep it open yet. */
void load_cargo(const struct model *m, const struct m_op *op, enum process who,
		struct m_message *message)
{
	bool any = op->op == KCHAN_OP_SEND && op->ancillary &&
		   op->step->f[CASES_AT] != NULL_POINTER && !mistaken("handles-vanish");

	message->pid = who == US || mistaken("child-is-us") ? getpid() : m->child;
	for (__u32 i = 0; i < KCHAN_MAX_HANDLES; i++) {
		int place = any ? given(op, i) : 0;

		message->files[i] = place >= FIRST_PLACE ? m->place[place] : place ? PIPE : NONE;
	}
}

void hold_cargo(struct model *m, const struct m_message *message)
{
	for (__u32 i = 0; i < KCHAN_MAX_HANDLES; i++)
		if (message->files[i] >= 0)
			m->files[message->files[i]].refs++;
}

void drop_cargo(struct model *m, const struct m_message *message)
{
	struct m_message copy = *message;

	for (__u32 i = 0; i < KCHAN_MAX_HANDLES; i++)
		if (copy.files[i] >= 0)
			drop_file(m, copy.files[i]);
}

/* It was received: its files have numbers from then on. */
void expect_cargo(struct model *m, const struct m_message *message)
{
	for (__u32 i = 0; i < KCHAN_MAX_HANDLES; i++)
		if (message->files[i] >= 0)
			m->loose[m->nr_loose++] = message->files[i];
}

static void take_from_loose(struct model *m, int file)
{
	for (int i = 0; i < m->nr_loose; i++) {
		if (m->loose[i] == file) {
			m->loose[i] = m->loose[--m->nr_loose];
			return;
		}
	}
}

/* As keep_numbers() does. */
static void keep_files(struct model *m, const struct m_op *op, const struct m_message *message)
{
	for (__u32 i = 0; i < KCHAN_MAX_HANDLES; i++) {
		int file = message->files[i], place = i < GIVEN ? op->step->f[FIRST + i] : 0;

		if (file < 0)
			continue;
		take_from_loose(m, file);
		if (place >= FIRST_PLACE && m->place[place] == NONE)
			m->place[place] = file;
		else
			close_number(m, file);
	}
}

static const char *check_sender(const struct m_op *op, const struct m_message *message,
				const struct cargo *cargo)
{
	bool told = op->obj->stamped;
	__s32 pid = told ? message->pid : 0;
	__u32 uid = told ? getuid() : (__u32)-1, gid = told ? getgid() : (__u32)-1;

	if (cargo->pid == pid && cargo->uid == uid && cargo->gid == gid)
		return NULL;
	return wrong("h%d: the sender is process %d of user %u and group %u, not %d, %u and %u",
		     op->place, cargo->pid, cargo->uid, cargo->gid, pid, uid, gid);
}

const char *check_cargo(struct model *m, const struct m_op *op, long ret,
			const struct m_message *message, const struct cargo *cargo)
{
	const char *why;

	if (!op->ancillary || ret != 1)
		return NULL;
	why = check_sender(op, message, cargo);
	for (__u32 i = 0; !why && i < op->obj->handles; i++)
		if (message->files[i] == NONE ? cargo->numbers[i] != -1 : cargo->numbers[i] < 0)
			why = wrong("h%d: the handle number %u that came is %d", op->place, i,
				    cargo->numbers[i]);
	if (!why)
		keep_files(m, op, message);
	return why;
}
