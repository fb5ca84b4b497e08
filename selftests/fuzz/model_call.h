/* SPDX-License-Identifier: GPL-2.0-only */
/* Judging one call; what the files of the model have in common that do so. */
#ifndef MODEL_CALL_H
#define MODEL_CALL_H

#include "model.h"

#define WAIT_FLAGS (KCHAN_NONBLOCK | KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME)

/* Structs that have grown, in their first version. */
#define CREATE_CHAN_V1	24
#define STAT_V1		56
#define MSG_V1		32

/* It is a call of the device, or of objects of some kinds: a bit each. */
#define DEVICE	1u
#define OBJECT	(~1u)
#define K(kind)	(1u << KCHAN_KIND_##kind)

/* One call being judged. */
struct call_of {
	struct model *m;
	const struct step *s;
	int place;
	struct m_file *f;
	struct m_object *o;
	enum process who;
	const struct result *r;
	struct verdict v;
};

bool knows_call(struct call_of *c, __u32 kinds);
void need_right(struct call_of *c, __u32 right);

/* A single operation, through @f, that is not ready. */
void has_to_wait(struct call_of *c, const struct m_op *op, const struct m_file *f);
/* One that is, but whose memory or handles are bad. */
bool is_in_trouble(struct call_of *c, const struct m_op *op);

/* ---- batches, and requests with answers (model_batch.c) ---- */

const char *batch(struct call_of *c);
bool batch_would_wait(struct call_of *c);
const char *request_and_answer(struct call_of *c);
bool answer_would_wait(struct call_of *c);

/* ---- who is told (model_watch.c) ---- */

const char *watch(struct call_of *c);

#endif /* MODEL_CALL_H */
