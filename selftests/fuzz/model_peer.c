// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peers that wait.  Each object serves those who wait in the order in which they came,
 * and nobody passes them; see model.h.
 */

#include <errno.h>
#include <string.h>

#include "model.h"

/* The peer that has waited longest for that operation on that object; NULL: none. */
struct m_peer *first_peer(const struct m_object *o, __u32 op)
{
	struct m_peer *first = NULL;

	for (int i = 0; i < PEERS; i++) {
		struct m_peer *p = &o->model->peers[i];

		if (p->parked && p->op.obj == o && p->op.op == op &&
		    (!first || p->turn < first->turn))
			first = p;
	}
	return first;
}

__u32 waiting_with(const struct m_object *o, __u32 right)
{
	__u32 n = 0;

	for (int i = 0; i < PEERS; i++) {
		const struct m_peer *p = &o->model->peers[i];

		if (p->parked && p->op.obj == o && op_right(p->op.op, o->kind) == right)
			n++;
	}
	return n;
}

static void end_wait(struct model *m, struct m_peer *p, long ret, __u64 value)
{
	p->parked = false;
	p->ended = true;
	p->ret = ret;
	p->value = value;
	if (p->op.op == KCHAN_OP_SEND)
		drop_cargo(m, &p->message);
}

/* Whose call has returned holds no handles any more. */
static bool let_go(struct model *m)
{
	for (int i = 0; i < PEERS; i++) {
		struct m_peer *p = &m->peers[i];

		if (p->parked || !p->holds)
			continue;
		p->holds = false;
		drop_file(m, p->op.file);
		if (p->lock != NONE)
			drop_file(m, p->lock);
		return true;
	}
	return false;
}

void end_wait_of_sender(struct model *m, struct m_peer *p)
{
	end_wait(m, p, 0, 0);
}

/* Those who wait for a cond hear of signals, and of nothing else. */
long wake_peers(struct model *m, const struct m_object *cond, __u64 most)
{
	struct m_peer *p;
	long n = 0;

	while ((__u64)n < most && (p = first_peer(cond, KCHAN_OP_COND))) {
		end_wait(m, p, 0, 0);
		n++;
	}
	return n;
}

/* Can it go on now, having come so far in its queue? */
static bool may_go_on(const struct m_peer *p)
{
	const struct m_object *o = p->op.obj;
	const struct m_peer *writer;

	if (first_peer(o, p->op.op) != p && p->op.op != KCHAN_OP_RLOCK)
		return false;
	if (p->op.op == KCHAN_OP_RLOCK && !o->notrecoverable && !o->readers_next) {
		writer = first_peer(o, KCHAN_OP_LOCK);
		if (writer && writer->turn < p->turn)
			return false;
	}
	/* After a writer it is the turn of those who read. */
	if (p->op.op == KCHAN_OP_LOCK && o->readers_next && first_peer(o, KCHAN_OP_RLOCK))
		return false;
	/* Zero is told before anybody adds to it again. */
	if (p->op.op == KCHAN_OP_ADD && !o->taken && first_peer(o, KCHAN_OP_ZERO))
		return false;
	return state_is_ready(&p->op);
}

/* Who has closed his last handle of a lock meanwhile cannot get it any more. */
static bool is_too_late(const struct model *m, const struct m_op *op)
{
	if (op->obj->done || op->obj->notrecoverable ||
	    (op->op != KCHAN_OP_LOCK && op->op != KCHAN_OP_RLOCK))
		return false;
	for (int place = FIRST_PLACE; place < PLACES; place++)
		if (object_at(m, place) == op->obj)
			return false;
	return true;
}

static bool settle_one(struct model *m)
{
	for (__u64 turn = 0; turn < m->turns; turn++) {
		for (int i = 0; i < PEERS; i++) {
			struct m_peer *p = &m->peers[i];
			__u64 value;
			long ret;

			if (!p->parked || p->turn != turn || !may_go_on(p))
				continue;
			value = UNTOUCHED;
			ret = is_too_late(m, &p->op) ? -EBADF :
			      op_do(m, &p->op, US, &p->message, &value);
			end_wait(m, p, ret, value);
			if (p->op.op == KCHAN_OP_RECV && ret == 1)
				expect_cargo(m, &p->message);
			return true;
		}
	}
	return false;
}

/* Whoever waited for what a part of a call did is served. */
void serve_peers(struct model *m)
{
	while (settle_one(m))
		;
	for (int i = 0; i < m->nr_objects; i++)
		m->objects[i].readers_next = false;
}

/* After a step: they go on. */
void settle(struct model *m)
{
	do
		serve_peers(m);
	while (let_go(m));
}

void park_in_model(struct model *m, const struct step *s)
{
	struct m_peer *p = &m->peers[s->f[PEER]];

	*p = (struct m_peer){
		.step = *s, .parked = true, .holds = true, .turn = m->turns++, .lock = NONE,
	};
	p->op = op_at(m, &p->step, s->f[OP]);
	p->message = message_of(m, &p->op, US);
	if (p->op.op == KCHAN_OP_SEND)
		hold_cargo(m, &p->message);
	m->files[p->op.file].refs++;
	if (s->f[OP] != KCHAN_OP_COND)
		return;
	p->lock = m->place[s->f[LOCK]];
	m->files[p->lock].refs++;
	give_lock_back(m, &p->op);
}

void unpark_in_model(struct model *m, const struct step *s)
{
	end_wait(m, &m->peers[s->f[PEER]], -EINTR, UNTOUCHED);
}

/* Their structs are always good. */
static bool peer_can_have(const struct step *s)
{
	return (s->f[ANCILLARY] == RIGHT || s->f[ANCILLARY] == GOOD) && s->f[MEM] == GOOD &&
	       s->f[CASES_AT] == GOOD && s->f[CASE_SIZE] == RIGHT && s->f[NR] == RIGHT &&
	       !s->f[RESERVED];
}

bool may_park(const struct model *m, const struct step *s)
{
	const struct m_peer *p = &m->peers[s->f[PEER]];
	struct m_op op = op_at(m, s, s->f[OP]);
	struct verdict v = { };

	if (p->parked || !op.obj || s->f[LEN] != RIGHT || s->f[OP] == KCHAN_OP_DIFFERS ||
	    op_is_unsure(&op) || !peer_can_have(s) || never_waits(s, file_at(m, op.place)))
		return false;
	check_flags(s->f[FLAGS], KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME, &v);
	check_deadline(s->f[FLAGS], s->f[DEADLINE], &v);
	op_check(m, &op, US, &v);
	return !v.nr && !op_ready(&op) && !op_has_trouble(m, &op, &v);
}

/* What came of a peer whose wait has ended. */
const char *check_peer(struct model *m, struct m_peer *p, long ret, __u64 value,
		       const struct piece *buffer, const struct cargo *cargo)
{
	struct verdict v = { };
	const char *why;
	char copy[500];
	bool message = p->op.op == KCHAN_OP_SEND || p->op.op == KCHAN_OP_RECV;
	__u64 is = p->ret >= 0 || p->ret == -EOWNERDEAD ? p->value : UNTOUCHED;

	p->ended = false;
	allow(&v, p->ret);
	why = judge(&v, ret);
	if (why) {
		/* Its text stands where ours will. */
		snprintf(copy, sizeof(copy), "%s", why);
		return wrong("the peer that was parked %s", copy);
	}
	if (!message && value != is)
		return wrong("the peer that was parked has the value %llu, not %llu", value, is);
	if (p->op.op != KCHAN_OP_RECV)
		return NULL;
	why = check_received(&p->op, ret, &p->message, buffer);
	return why ? why : check_cargo(m, &p->op, ret, &p->message, cargo);
}
