// SPDX-License-Identifier: GPL-2.0-only
/* What a select may do; see model.h. */

#include <errno.h>

#include "model.h"

#define SELECT_FLAGS (KCHAN_NONBLOCK | KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME | \
		      KCHAN_CLOCK_BOOTTIME | KCHAN_IN_ORDER | KCHAN_READY)
#define LONGER_CASE (sizeof(struct kchan_case) + 8)

/* A line of the trace: as many cases, from @first on. */
struct m_case {
	struct m_op op;
	__u64 first, count;
	int buffer;		/* its number; NONE: it has none */
	bool skipped;
};

struct m_select {
	const struct step *s;
	unsigned int nr;
	__u64 nr_cases;
	struct m_case cases[MAX_STEPS];
	struct verdict trouble;	/* bad memory, or bad handles */
	unsigned int buffers;
};

static bool is_message(const struct m_op *op)
{
	return op->op == KCHAN_OP_SEND || op->op == KCHAN_OP_RECV;
}

static const struct m_select *read_select(const struct model *m, const struct trace *t,
					  unsigned int i)
{
	static struct m_select sel;
	unsigned int n = cases_of(t, i), buffers = 0;

	sel.s = &t->steps[i];
	sel.nr = n;
	sel.nr_cases = 0;
	sel.trouble.nr = 0;
	for (unsigned int k = 0; k < n; k++) {
		const struct step *s = &t->steps[i + 1 + k];
		struct m_case *c = &sel.cases[k];

		c->op = op_at(m, s, s->f[OP]);
		c->op.full = sel.s->f[FULL];
		c->first = sel.nr_cases;
		c->count = s->f[REPEAT];
		c->skipped = c->op.file == NONE && c->op.place >= FIRST_PLACE;
		c->buffer = is_message(&c->op) ? (int)buffers++ : NONE;
		sel.nr_cases += c->count;
		if (c->count && !c->skipped && c->op.obj)
			op_has_trouble(m, &c->op, &sel.trouble);
	}
	sel.buffers = buffers;
	return &sel;
}

/* The wait for a cond, which is the first case if there is one; or NULL. */
static const struct m_op *cond_of(const struct m_select *sel)
{
	for (unsigned int k = 0; k < sel->nr; k++) {
		const struct m_case *c = &sel->cases[k];

		if (c->count)
			return c->op.op == KCHAN_OP_COND && !c->skipped ? &c->op : NULL;
	}
	return NULL;
}

/* A wait for a cond is the first case, and stands beside nothing but cancels. */
static void check_cond_rules(const struct m_select *sel, struct verdict *v)
{
	bool cond = false;

	for (unsigned int k = 0; k < sel->nr; k++) {
		const struct m_case *c = &sel->cases[k];

		if (!c->count)
			continue;
		if (c->op.op == KCHAN_OP_COND) {
			if (c->first || c->count > 1 || c->skipped ||
			    !(sel->s->f[FLAGS] & KCHAN_IN_ORDER) || sel->s->f[FLAGS] & KCHAN_READY)
				allow(v, -EINVAL);
			cond = true;
		} else if (cond && !c->skipped && c->op.op != KCHAN_OP_CANCELLED) {
			allow(v, -EINVAL);
		}
	}
}

static void check_cases(const struct model *m, const struct m_select *sel, enum process who,
			struct verdict *v)
{
	for (unsigned int k = 0; k < sel->nr; k++) {
		const struct m_case *c = &sel->cases[k];

		if (c->skipped || !c->count)
			continue;
		if (!c->op.obj)
			allow(v, -EBADF);
		else
			op_check(m, &c->op, who, v);
	}
	check_cond_rules(sel, v);
}

static void check_array(const struct m_select *sel, struct verdict *v)
{
	const struct step *s = sel->s;

	if (s->f[CASE_SIZE] != RIGHT && (__u32)s->f[CASE_SIZE] < sizeof(struct kchan_case))
		allow(v, -EINVAL);
	if (s->f[CASE_SIZE] != RIGHT && (__u32)s->f[CASE_SIZE] > PAGE)
		allow(v, -E2BIG);
	if (sel->nr_cases > KCHAN_MAX_CASES || (s->f[NR] != RIGHT && s->f[NR] > KCHAN_MAX_CASES))
		allow(v, -E2BIG);
	if (sel->nr_cases && !can_be_read(s->f[CASES_AT]))
		allow(v, -EFAULT);
}

/* A file that is none of ours, or none at all. */
static void check_file(const struct model *m, const struct step *s, struct verdict *v)
{
	if (s->f[ON] == 1)
		allow(v, -ENOTTY);
	else if (s->f[ON] && !file_at(m, s->f[ON]))
		allow(v, -EBADF);
}

static void check_select(const struct model *m, const struct m_select *sel, enum process who,
			 struct verdict *v)
{
	const struct step *s = sel->s;

	check_file(m, s, v);
	check_struct(s, sizeof(struct kchan_select), sizeof(struct kchan_select), true, true, v);
	check_flags(s->f[FLAGS], SELECT_FLAGS, v);
	check_deadline(s->f[FLAGS], s->f[DEADLINE], v);
	check_array(sel, v);
	check_cases(m, sel, who, v);
}

/* A send that fails has no use for its memory. */
static bool is_broken(const struct m_op *op)
{
	return op->op == KCHAN_OP_SEND && (op->obj->closed || !op->obj->receivers);
}

static bool is_ready(const struct m_case *c)
{
	return !c->skipped && c->count && op_ready(&c->op);
}

static const struct m_case *first_ready(const struct m_select *sel)
{
	for (unsigned int k = 0; k < sel->nr; k++)
		if (is_ready(&sel->cases[k]))
			return &sel->cases[k];
	return NULL;
}

static const struct m_case *case_at(const struct m_select *sel, __u64 index)
{
	for (unsigned int k = 0; k < sel->nr; k++)
		if (index >= sel->cases[k].first &&
		    index < sel->cases[k].first + sel->cases[k].count)
			return &sel->cases[k];
	return NULL;
}

/* All buffers to receive into but one are as they were. */
static const char *check_others(const struct m_select *sel, const struct m_case *chosen,
				const struct result *r)
{
	for (unsigned int k = 0; k < sel->nr; k++) {
		const struct m_case *c = &sel->cases[k];
		const struct piece *p = &r->buffers[c->buffer];

		if (c == chosen || c->op.op != KCHAN_OP_RECV || c->buffer >= BUFFERS - 1 ||
		    !p->start)
			continue;
		if (!holds_only(p->start, p->present, POISON_BYTE))
			return wrong("case %llu was not chosen, and wrote to its buffer",
				     c->first);
	}
	return NULL;
}

/* Was it one that may be chosen?  NULL, or what is wrong with it. */
static const char *check_choice(const struct m_select *sel, const struct m_case *c, __u64 index)
{
	const struct m_case *first = first_ready(sel);

	if (!c || !is_ready(c))
		return wrong("chose case %llu, which is not ready", index);
	if (sel->s->f[FLAGS] & KCHAN_IN_ORDER && index != first->first &&
	    !mistaken("in-order-is-any-order"))
		return wrong("chose case %llu, where case %llu is the first that is ready", index,
			     first->first);
	if (mistaken("in-order-is-any-order") && c == first && sel->nr > 1 &&
	    is_ready(&sel->cases[sel->nr - 1]) && c != &sel->cases[sel->nr - 1])
		return "chose the first";
	return NULL;
}

/* What is only asked about has no outcome, but where there is nothing to take. */
static const char *do_chosen(struct model *m, const struct m_select *sel,
			     const struct m_case *c, enum process who, const struct result *r)
{
	bool only_asked = sel->s->f[FLAGS] & KCHAN_READY && op_takes(&c->op);
	long index = r->ret & ((1 << KCHAN_OUTCOME_SHIFT) - 1), ret = 0;
	struct verdict v = { };
	const char *why;
	struct m_message message = message_of(m, &c->op, who);
	__u64 value = 0;

	if (!only_asked)
		ret = op_do(m, &c->op, who, &message, &value);
	allow(&v, index | (ret < 0 ? -ret : ret) << KCHAN_OUTCOME_SHIFT);
	why = judge(&v, r->ret);
	if (!why && r->value != value)
		why = wrong("left the value %llu instead of %llu", r->value, value);
	if (!why && c->op.op == KCHAN_OP_RECV && !only_asked && c->buffer < BUFFERS - 1)
		why = check_received(&c->op, ret, &message, &r->buffers[c->buffer]);
	if (!why && c->op.op == KCHAN_OP_RECV && !only_asked) {
		expect_cargo(m, &message);
		why = check_cargo(m, &c->op, ret, &message, &r->cargo[c->buffer]);
	}
	return why ? why : check_others(sel, only_asked ? NULL : c, r);
}

/* Bad memory is EFAULT where it would be used, and may be where it is looked at. */
static void allow_faults(const struct m_select *sel, struct verdict *v)
{
	for (int i = 0; i < sel->trouble.nr && !(sel->s->f[FLAGS] & KCHAN_READY); i++)
		allow(v, sel->trouble.allowed[i]);
}

static const char *none_ready(struct model *m, const struct m_select *sel,
			      const struct result *r)
{
	struct verdict v = { };
	const char *why;

	if (cond_of(sel))
		give_lock_back(m, cond_of(sel));
	allow(&v, why_not(sel->s, NULL));
	allow_faults(sel, &v);
	why = failed(&v, r);
	return why ? why : check_others(sel, NULL, r);
}

const char *model_select(struct model *m, const struct trace *t, unsigned int i,
			 enum process who, const struct result *r)
{
	const struct m_select *sel = read_select(m, t, i);
	const struct m_case *c;
	struct verdict v = { };
	const char *why;
	__u64 index;

	check_select(m, sel, who, &v);
	if (v.nr)
		return failed(&v, r);
	if (!first_ready(sel))
		return none_ready(m, sel, r);
	if (r->ret < 0) {
		allow_faults(sel, &v);
		if (!v.nr)
			return wrong("returned %s, but case %llu is ready", show_result(r->ret),
				     first_ready(sel)->first);
		return failed(&v, r);
	}
	index = r->ret & ((1 << KCHAN_OUTCOME_SHIFT) - 1);
	c = case_at(sel, index);
	why = check_choice(sel, c, index);
	if (why)
		return why;
	if (op_has_trouble(m, &c->op, &v) && !(sel->s->f[FLAGS] & KCHAN_READY) &&
	    !is_broken(&c->op))
		return wrong("case %llu was done with bad memory or handles", index);
	if (cond_of(sel))
		give_lock_back(m, cond_of(sel));
	return do_chosen(m, sel, c, who, r);
}

/* Arrays that could not be laid out, and waits without an end. */
bool select_is_left_out(struct model *m, const struct trace *t, unsigned int i,
			enum process who)
{
	const struct m_select *sel = read_select(m, t, i);
	const struct step *s = sel->s;
	struct verdict v = { };

	if (sel->nr_cases > KCHAN_MAX_CASES + 6 || sel->buffers > BUFFERS)
		return true;
	if (s->f[CASE_SIZE] == LONGER_CASE && sel->nr_cases > 800)
		return true;
	if (s->f[NR] != RIGHT && s->f[NR] <= KCHAN_MAX_CASES)
		return true;
	if (s->f[CASE_SIZE] != RIGHT && s->f[CASE_SIZE] >= sizeof(struct kchan_case) &&
	    s->f[CASE_SIZE] <= PAGE && s->f[CASE_SIZE] != LONGER_CASE)
		return true;
	for (unsigned int k = 0; k < sel->nr; k++)
		if (op_is_unsure(&sel->cases[k].op) ||
		    (is_message(&sel->cases[k].op) &&
		     cargo_is_left_out(&sel->cases[k].op, who)))
			return true;
	check_select(m, sel, who, &v);
	return !v.nr && !first_ready(sel) && !never_waits(s, NULL);
}
