/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the header promises, as plain as can be: one step at a time, no locks, no
 * queues but those of messages and a turn for each peer that waits.  It is written
 * from uapi/linux/kchan.h and the manual pages, and knows nothing of how the module
 * does it.
 *
 * model_step() is told of a step and of what came of it.  It says whether that is
 * allowed, and goes where the step went: where the contract leaves a choice, the
 * result tells which one was taken.
 */
#ifndef MODEL_H
#define MODEL_H

#include <linux/kchan.h>

#include "execute.h"
#include "trace.h"

#define MAX_OBJECTS	600
#define MAX_FILES	1200
#define MAX_CHILDREN	64
#define NONE		(-1)

/* Who holds a lock: nobody, the process that is tested, a child of it. */
enum process { NOBODY_HOLDS, US, A_CHILD, NR_PROCESSES };

struct m_object {
	struct model *model;
	__u32 kind;
	__u64 id;		/* 0: not known yet */
	int senders, receivers;	/* handles with the right */

	/* channel: [first, first + length) are in it */
	__u32 elem_size;
	__u64 capacity;
	bool closed;
	__u64 messages[MAX_STEPS];
	unsigned int first, length;

	/* waitgroup, semaphore; of a token @units are those of @of */
	__u64 limit, taken, in_tokens, abandoned, units;
	int of;

	/* mutex, rwmutex, once; @done also of a token */
	enum process holder;
	__u64 readers[NR_PROCESSES];
	bool ownerdead, notrecoverable, done;
	bool readers_next;	/* a writer has just unlocked */

	/* timer */
	__u64 ticks;
	bool running, many_ticks;	/* it ticks on: at least @ticks */

	/* cells */
	__u64 cells;
	__u64 *values;

	/* cancel */
	bool cancelled;
	__u64 cause;
	int parent;
};

struct m_file {
	int object;
	__u32 rights;
	bool nonblock;
	int refs;		/* file numbers and mappings */
};

/* One operation, alone or in a select. */
struct m_op {
	int place;		/* of its handle */
	int file;		/* NONE: none of ours is there */
	struct m_object *obj;	/* NULL likewise */
	const struct step *step;
	__u32 op;
	__u64 index, arg, len;
};

/* A thread that waits, or has ended its wait and not been looked at. */
struct m_peer {
	struct step step;
	struct m_op op;
	bool parked, ended;
	__u64 turn;		/* those who came before have lower ones */
	long ret;
	__u64 value;		/* also the message received */
};

struct model {
	struct m_peer peers[PEERS];
	__u64 turns;
	int nr_objects, nr_files;
	struct m_object objects[MAX_OBJECTS];
	struct m_file files[MAX_FILES];
	int place[PLACES];	/* the file there, or NONE */
	int mapping[PLACES];	/* the file that is mapped there, or NONE */
	bool writable[PLACES];	/* that mapping */
};

/* What a call may return. */
struct verdict {
	long allowed[48];
	int nr;
};

extern const char *const mistakes[];
bool make_mistake(const char *name);
bool mistaken(const char *name);

void model_init(struct model *m);
void model_free(struct model *m);

/* May it not be done now: because it would wait, or its place is in use? */
bool model_leaves_out(struct model *m, const struct trace *t, unsigned int i);

/* NULL, or what is wrong with the result. */
const char *model_step(struct model *m, const struct trace *t, unsigned int i,
		       const struct result *r);

void model_stat(const struct model *m, int place, struct kchan_stat *stat);
const char *model_check_stat(struct model *m, int place, const struct kchan_stat *seen);
short model_poll(const struct model *m, int place);

/* ---- among the model's own files ---- */

struct m_file *file_at(const struct model *m, int place);
struct m_object *object_at(const struct model *m, int place);
bool is_lock(const struct m_object *o);
bool is_count(const struct m_object *o);

int add_object(struct model *m, __u32 kind);
void add_handle(struct model *m, int place, int object, __u32 rights, bool nonblock);
void drop_place(struct model *m, int place);
void drop_file(struct model *m, int file);
void lose_locks(struct m_object *o, enum process who);
void cancel_object(struct model *m, int object, __u64 cause);
__u64 children_of(const struct model *m, const struct m_object *o);
void give_back_units(struct model *m, struct m_object *token, bool abandoned);

void allow(struct verdict *v, long ret);
const char *judge(const struct verdict *v, long ret);
const char *wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- operations, alone or in a select (model_op.c) ---- */

struct m_op op_at(const struct model *m, const struct step *s, __u32 op);
void op_check(const struct model *m, const struct m_op *op, enum process who,
	      struct verdict *v);
bool op_ready(const struct m_op *op);	/* by state, and with nobody before it */
bool state_is_ready(const struct m_op *op);
__u32 op_right(__u32 op, __u32 kind);
long op_do(struct model *m, const struct m_op *op, enum process who, __u64 *value);
bool op_is_unsure(const struct m_op *op);
bool op_takes(const struct m_op *op);
bool op_has_bad_memory(const struct m_op *op);
void unlock_object(struct m_object *o);
void give_lock_back(struct model *m, const struct m_op *cond);
const char *check_received(const struct m_op *op, long ret, __u64 message,
			   const struct piece *p);

/* ---- peers that wait (model_peer.c) ---- */

struct m_peer *first_peer(const struct m_object *o, __u32 op);
__u32 waiting_with(const struct m_object *o, __u32 right);
void end_wait_of_sender(struct model *m, struct m_peer *p);
long wake_peers(struct model *m, const struct m_object *cond, __u64 most);
void settle(struct model *m);
bool may_park(const struct model *m, const struct step *s);
void park_in_model(struct model *m, const struct step *s);
void unpark_in_model(struct model *m, const struct step *s);
const char *check_peer(struct m_peer *p, long ret, __u64 value, const struct piece *buffer);

/* ---- what all calls have in common (model.c) ---- */

void check_deadline(__u64 flags, __s64 deadline, struct verdict *v);
void check_flags(__u64 flags, __u64 known, struct verdict *v);
void check_struct(const struct step *s, __u32 first, __u32 size, bool read, bool written,
		  struct verdict *v);
bool never_waits(const struct step *s, const struct m_file *f);
long why_not(const struct step *s, const struct m_file *f);
const char *failed(const struct verdict *v, const struct result *r);

/* ---- single calls (model_call.c), and select (model_select.c) ---- */

const char *model_call(struct model *m, const struct step *s, enum process who,
		       const struct result *r);
bool call_would_wait(const struct model *m, const struct step *s, enum process who);
const char *model_select(struct model *m, const struct trace *t, unsigned int i,
			 enum process who, const struct result *r);
bool select_is_left_out(struct model *m, const struct trace *t, unsigned int i,
			enum process who);

#endif /* MODEL_H */
