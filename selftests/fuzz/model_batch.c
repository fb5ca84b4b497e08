// SPDX-License-Identifier: GPL-2.0-only
/* What batches may do, and requests that wait for their answers; see model_call.h. */

#include <errno.h>

#include "model_call.h"

static bool sends(const struct m_op *op)
{
	return op->op == KCHAN_OP_SEND;
}

/* The end of the channel, for whoever does that: there it does not wait. */
static bool is_at_end(const struct m_op *op)
{
	const struct m_object *o = op->obj;

	if (sends(op))
		return o->closed || !o->receivers;
	return !o->length && !first_peer(o, KCHAN_OP_SEND) && (o->closed || !o->senders);
}

/* ---- batches ---- */

static struct m_op batch_op(const struct call_of *c)
{
	struct m_op op = op_at(c->m, c->s,
			       c->s->call == SEND_BATCH ? KCHAN_OP_SEND : KCHAN_OP_RECV);

	op.index = op.arg = 0;
	return op;
}

static bool has_bad_array(const struct step *s)
{
	return s->f[FLAGS] & KCHAN_VECTOR && !can_be_read(s->f[CASES_AT]);
}

/* The first message that is not there. */
static __u64 first_bad(const struct m_op *op, __u32 messages)
{
	const struct step *s = op->step;

	if (!op->len)
		return RIGHT;
	if (!(s->f[FLAGS] & KCHAN_VECTOR)) {
		if (s->f[BAD] < messages)
			return s->f[BAD];
		return !op_has_bad_memory(op) ? RIGHT : s->f[MEM] == CUT ? messages - 1 : 0;
	}
	/* The last one in memory comes first. */
	return op_has_bad_memory(op) ? 0 : s->f[BAD];
}

static void check_batch(struct call_of *c, const struct m_op *op)
{
	__u32 min = c->s->f[MIN], max = c->s->f[MAX];

	check_struct(c->s, sizeof(struct kchan_batch), sizeof(struct kchan_batch), true, false,
		     &c->v);
	check_flags(c->s->f[FLAGS], WAIT_FLAGS | KCHAN_VECTOR, &c->v);
	check_deadline(c->s->f[FLAGS], c->s->f[DEADLINE], &c->v);
	if ((__u32)c->s->f[RESERVED] || !max || max > KCHAN_MAX_COUNT || min > max)
		allow(&c->v, -EINVAL);
	if (knows_call(c, K(CHAN)))
		op_check(c->m, op, c->who, &c->v);
}

/* Why it is none; 0: the end.  Of a bad array the beginning may have been good. */
static void stopped(struct call_of *c, const struct m_op *op, bool bad_message)
{
	bool bad_array = has_bad_array(c->s), bad = bad_message || bad_array;

	if (is_at_end(op) && (sends(op) || !bad || (!bad_message && c->s->f[CASES_AT] == CUT)))
		allow(&c->v, sends(op) ? -EPIPE : 0);
	else if (!op_ready(op))
		allow(&c->v, (__u32)c->s->f[MIN] ? why_not(c->s, c->f) : -EAGAIN);
	if (bad)
		allow(&c->v, -EFAULT);
}

/* What a receive leaves in the rest of its room is not specified. */
static const char *check_messages(const struct call_of *c, const struct m_op *op,
				  const struct m_message *messages, __u32 done)
{
	struct piece p = c->r->buffers[0];
	__u32 len = op->len, n = batch_messages(c->s, len);
	__u8 *start = p.start;
	const char *why = NULL;

	for (__u32 i = 0; start && len && !why && i < done; i++) {
		p.start = start + (size_t)batch_place(c->s, n, i) * len;
		why = check_received(op, 1, &messages[i], &p);
	}
	return why;
}

/* Of a bad array the beginning may have been good. */
static __u64 most_of(const struct call_of *c)
{
	__u64 max = (__u32)c->s->f[MAX];

	if (!has_bad_array(c->s))
		return mistaken("batch-stops-early") && max > 1 ? max - 1 : max;
	return c->s->f[CASES_AT] == CUT && c->r->ret > 0 && (__u64)c->r->ret < max ? c->r->ret : 0;
}

static bool move_one(struct call_of *c, const struct m_op *op, __u64 i, struct m_message *message)
{
	__u64 value;

	if (!op_ready(op) || is_at_end(op))
		return false;
	if (sends(op)) {
		*message = message_of(c->m, op, c->who);
		message->number += i;
	}
	op_do(c->m, op, c->who, message, &value);
	serve_peers(c->m);
	return true;
}

const char *batch(struct call_of *c)
{
	static struct m_message messages[MAX_BATCH];
	struct m_op op = batch_op(c);
	__u64 done, most, bad;
	const char *why;

	check_batch(c, &op);
	if (c->v.nr)
		return failed(&c->v, c->r);
	most = most_of(c);
	bad = first_bad(&op, batch_messages(c->s, op.len));
	for (done = 0; done < most && done != bad; done++)
		if (!move_one(c, &op, done, &messages[done]))
			break;
	if (done)
		allow(&c->v, done);
	else
		stopped(c, &op, done == bad);
	why = judge(&c->v, c->r->ret);
	return why || sends(&op) ? why : check_messages(c, &op, messages, done);
}

/* How many can be moved before it has to wait. */
static __u64 count_ready(const struct m_op *op)
{
	const struct m_object *o = op->obj;

	if (is_at_end(op) || (sends(op) && o->policy != KCHAN_POLICY_BLOCK) ||
	    (!sends(op) && (o->closed || !o->senders)))
		return RIGHT;
	if (sends(op))
		return waiting_with(o, KCHAN_RIGHT_RECV) + o->capacity - o->length;
	return o->length + waiting_with(o, KCHAN_RIGHT_SEND);
}

/* More than there is memory for; or it waits. */
bool batch_would_wait(struct call_of *c)
{
	struct m_op op = batch_op(c);
	__u64 max = (__u32)c->s->f[MAX], ready;

	if (max <= KCHAN_MAX_COUNT && (max > MAX_BATCH || max * op.len > KCHAN_MAX_ELEM_SIZE))
		return true;
	check_batch(c, &op);
	if (c->v.nr || never_waits(c->s, c->f))
		return false;
	/* Of an array that is cut off the beginning may be enough to wait for. */
	if (has_bad_array(c->s) && c->s->f[CASES_AT] != CUT)
		return false;
	ready = count_ready(&op);
	return ready < (__u32)c->s->f[MIN] && ready <= first_bad(&op, max);
}

/* ---- requests and answers ---- */

static void check_answer(struct call_of *c, const struct m_op *answer)
{
	if (!answer->obj)
		allow(&c->v, -EBADF);
	else
		op_check(c->m, answer, c->who, &c->v);
}

static void check_request(struct call_of *c, const struct m_op *request,
			  const struct m_op *answer)
{
	check_struct(c->s, sizeof(struct kchan_call), sizeof(struct kchan_call), true, true,
		     &c->v);
	check_flags(c->s->f[FLAGS], WAIT_FLAGS, &c->v);
	check_deadline(c->s->f[FLAGS], c->s->f[DEADLINE], &c->v);
	if ((__u32)c->s->f[SENT] > 1)
		allow(&c->v, -EINVAL);
	if (knows_call(c, K(CHAN)))
		op_check(c->m, request, c->who, &c->v);
	check_answer(c, answer);
}

static struct m_op op_of(const struct model *m, const struct step *s, __u32 op)
{
	struct m_op o = op_at(m, s, op);

	o.index = o.arg = 0;
	return o;
}

/* Whether the request is sent; if not, the verdict says why. */
static bool send_request(struct call_of *c, const struct m_op *request)
{
	struct m_message message = message_of(c->m, request, c->who);
	__u64 value;
	long ret;

	if (!op_ready(request)) {
		has_to_wait(c, request, c->f);
		return false;
	}
	if (is_in_trouble(c, request))
		return false;
	ret = op_do(c->m, request, c->who, &message, &value);
	settle(c->m);
	if (ret)
		allow(&c->v, ret);
	return !ret;
}

static const char *receive_answer(struct call_of *c, const struct m_op *answer)
{
	struct m_message message;
	const char *why;
	__u64 value;
	long ret;

	if (!op_ready(answer))
		has_to_wait(c, answer, &c->m->files[answer->file]);
	else
		is_in_trouble(c, answer);
	if (c->v.nr)
		return judge(&c->v, c->r->ret);
	ret = op_do(c->m, answer, c->who, &message, &value);
	allow(&c->v, ret);
	why = judge(&c->v, c->r->ret);
	return why ? why : check_received(answer, ret, &message, &c->r->buffers[1]);
}

const char *request_and_answer(struct call_of *c)
{
	struct step recv = answer_of(c->s);
	struct m_op request = op_of(c->m, c->s, KCHAN_OP_SEND);
	struct m_op answer = op_of(c->m, &recv, KCHAN_OP_RECV);
	__u32 sent = c->s->f[SENT];
	const char *why;

	check_request(c, &request, &answer);
	if (!c->v.nr && !sent)
		sent = send_request(c, &request) && !mistaken("call-forgets");
	why = c->v.nr ? judge(&c->v, c->r->ret) : receive_answer(c, &answer);
	if (!why && c->r->value != UNTOUCHED && c->r->value != sent)
		why = wrong("says that the request was sent: %llu, not %u", c->r->value, sent);
	return why;
}

/* A request may be its own answer. */
static bool answers_itself(const struct m_op *request)
{
	const struct m_object *o = request->obj;

	return o->capacity && !first_peer(o, KCHAN_OP_RECV);
}

bool answer_would_wait(struct call_of *c)
{
	struct step recv = answer_of(c->s);
	struct m_op request = op_of(c->m, c->s, KCHAN_OP_SEND);
	struct m_op answer = op_of(c->m, &recv, KCHAN_OP_RECV);
	__u32 sent = c->s->f[SENT];

	check_request(c, &request, &answer);
	if (c->v.nr)
		return false;
	if (!sent) {
		if (!op_ready(&request))
			return !never_waits(c->s, c->f);
		if (is_at_end(&request) || op_has_bad_memory(&request))
			return false;
	}
	return !op_ready(&answer) && !never_waits(c->s, &c->m->files[answer.file]) &&
	       !(answer.obj == request.obj && !sent && answers_itself(&request));
}
