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
#define PIPE		(-2)	/* which stands for all files that are none of ours */

/* Who holds a lock: nobody, the process that is tested, a child of it. */
enum process { NOBODY_HOLDS, US, A_CHILD, NR_PROCESSES };

/* What is on its way through a channel. */
struct m_message {
	__u64 number;
	int pid;				/* who sent it */
	int files[KCHAN_MAX_HANDLES];		/* or NONE, or PIPE: those it keeps open */
	bool is_notice;
	struct kchan_notice notice;
};

struct m_object {
	struct model *model;
	__u32 kind;
	__u64 id;		/* 0: not known yet */
	int senders, receivers;	/* handles with the right */
	int told;		/* the channel that notices go to, or NONE */
	__u32 told_of;		/* rights */
	__u64 cookie;
	unsigned int watched;	/* by so many objects this channel is told */

	/* channel: the oldest message is the first */
	__u32 elem_size;
	__u32 policy;
	__u64 capacity, dropped;
	__u32 handles, depth;
	bool closed, stamped;
	struct m_message *messages;
	unsigned int length, room;

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

	/* cancel; @cause also of a closed channel */
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
	bool ancillary;		/* it has some */
	bool full;		/* there are no file numbers left */
};

/* A thread that waits, or has ended its wait and not been looked at. */
struct m_peer {
	struct step step;
	struct m_op op;
	bool parked, ended;
	bool holds;		/* its handles: until its call returns */
	int lock;		/* the file of a cond's, or NONE */
	__u64 turn;		/* those who came before have lower ones */
	long ret;
	__u64 value;
	struct m_message message;	/* to be sent, or received */
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
	int child;		/* the process that made the call, if that was a child */
	int loose[PEERS * KCHAN_MAX_HANDLES];	/* files that came and are in no place yet */
	int nr_loose;
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
void close_number(struct model *m, int file);
void drop_sender(struct model *m, int object);
void post(struct model *m, int channel, const struct m_message *message);
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
/* @message: to be sent, or what was received; @value: what the operation leaves. */
long op_do(struct model *m, const struct m_op *op, enum process who,
	   struct m_message *message, __u64 *value);
struct m_message message_of(const struct model *m, const struct m_op *op, enum process who);
bool op_is_unsure(const struct m_op *op);
bool op_takes(const struct m_op *op);
bool op_has_bad_memory(const struct m_op *op);
/* What else of it than its memory may be bad, too; false: nothing. */
bool op_has_trouble(const struct model *m, const struct m_op *op, struct verdict *v);
void unlock_object(struct m_object *o);
void give_lock_back(struct model *m, const struct m_op *cond);
const char *check_received(const struct m_op *op, long ret, const struct m_message *message,
			   const struct piece *p);

/* ---- peers that wait (model_peer.c) ---- */

struct m_peer *first_peer(const struct m_object *o, __u32 op);
__u32 waiting_with(const struct m_object *o, __u32 right);
void end_wait_of_sender(struct model *m, struct m_peer *p);
long wake_peers(struct model *m, const struct m_object *cond, __u64 most);
void serve_peers(struct model *m);
void settle(struct model *m);
bool may_park(const struct model *m, const struct step *s);
void park_in_model(struct model *m, const struct step *s);
void unpark_in_model(struct model *m, const struct step *s);
const char *check_peer(struct model *m, struct m_peer *p, long ret, __u64 value,
		       const struct piece *buffer, const struct cargo *cargo);

/* ---- what goes beside messages (model_cargo.c) ---- */

bool has_cargo(const struct m_object *chan);
bool cargo_is_left_out(const struct m_op *op, enum process who);
void check_ancillary(const struct m_op *op, struct verdict *v);
bool cargo_has_trouble(const struct model *m, const struct m_op *op, struct verdict *v);
void load_cargo(const struct model *m, const struct m_op *op, enum process who,
		struct m_message *message);
void hold_cargo(struct model *m, const struct m_message *message);
void drop_cargo(struct model *m, const struct m_message *message);
void expect_cargo(struct model *m, const struct m_message *message);
const char *check_cargo(struct model *m, const struct m_op *op, long ret,
			const struct m_message *message, const struct cargo *cargo);

/* ---- who is told (model_watch.c) ---- */

bool is_closed_for_good(const struct model *m, const struct m_object *o);
void stop_watching(struct model *m, struct m_object *o);
void tell_of_number(struct model *m, int file);
/* A child that had all our numbers has ended. */
void tell_of_child(struct model *m);
bool child_has_much_to_tell(const struct model *m, const struct step *s);

/* ---- what all calls have in common (model.c) ---- */

void check_deadline(__u64 flags, __s64 deadline, struct verdict *v);
void check_flags(__u64 flags, __u64 known, struct verdict *v);
void check_struct(const struct step *s, __u32 first, __u32 size, bool read, bool written,
		  struct verdict *v);
bool never_waits(const struct step *s, const struct m_file *f);
__u32 claimed_size(const struct step *s, __u32 size);
__u32 as_far_as(const struct step *s, __u32 size, __u32 offset, __u32 value);
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
