/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Histories: what a few tasks asked of a few objects at the same time, what they
 * were told, and in which order calls began and returned.
 *
 * A history is text, one line an object and one line a call, which history_print()
 * writes and history_read() reads; README.md describes it.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/kchan.h>
#include <linux/types.h>

enum { MAX_TASKS = 4, MAX_OBJECTS = 4, MAX_CALLS = 16, MAX_CASES = 4, MAX_BUFFER = 3 };
enum { MAX_BATCH = 3 };
enum { MAX_STAMPS = 2 * MAX_CALLS };

enum kind { CHAN, MUTEX, RWMUTEX, ONCE, SEMAPHORE, WAITGROUP, COND, CANCEL, KINDS };

/* What a call does to an object.  Those up to MAY_WAIT may wait, and stand in selects. */
enum verb {
	SEND, RECV, ADD, ZERO, LOCK, RLOCK, AWAIT_SIGNAL, AWAIT_CANCEL,
	MAY_WAIT = AWAIT_CANCEL,
	CLOSE, CLOSE_WITH, DROP_SEND, DROP_RECV, DONE, UNLOCK, RUNLOCK, FINISH, SIGNAL,
	DO_CANCEL, STAT,
	VERBS
};

/*
 * How the actions of a call belong together: there is one; one of several is done; one
 * is done several times; or the second is done after the first.
 */
enum form { ALONE, SELECT, BATCH, REQUEST };

/**
 * struct action - one thing done to one object
 * @verb: what
 * @object: to which
 * @number: the value sent (by a batch the first, and those that follow it), units, how
 *	many to signal, the cause of a close or cancel; for AWAIT_SIGNAL the object that is the
 *	mutex
 */
struct action {
	uint8_t verb;
	uint8_t object;
	uint16_t number;
};

/* What a stat saw. */
struct seen {
	int length;
	int waiting[2];		/* senders, receivers */
	int dropped;
	int cause;
	unsigned int state;	/* KCHAN_STATE_* */
};

/* In notices that tell of an object. */
static inline int cookie_of(int object)
{
	return 1000 * (object + 1);
}

/* A notice, as a message: the object's last handle that can send, or receive, has gone. */
static inline int notice_of(int object, int right)
{
	return cookie_of(object) + (right ? KCHAN_RIGHT_RECV : KCHAN_RIGHT_SEND);
}

/* Values of ->until beside stamps. */
enum { NO_DEADLINE = -1, TRY = -2 };

/* Value of ->chosen: the call failed, and chose nothing. */
enum { NOTHING = -1 };

/**
 * struct call - one call of one task
 * @task: who
 * @form: how it was made; a select may have only one case
 * @in_order: as KCHAN_IN_ORDER
 * @ready: as KCHAN_READY
 * @again: of a request: an earlier call had sent it, and this one waits for the answer
 * @min: of a batch: wait until so many messages have been moved
 * @max: of a batch: move no more
 * @nr: how many actions; of a request 2, otherwise 1 unless it is a select
 * @does: the actions
 * @until: its deadline was not over before everything up to this stamp had happened
 * @chosen: which action was done; 0 unless it is a select
 * @outcome: of that action, as the kernel returns it (of a batch, how many messages were
 *	moved); or -errno
 * @sent: of a request: the kernel says that it was sent
 * @value: what a receive or a wait for a cancel was told, of a batch for each message;
 *	the cause, of a select that found the end of a channel; otherwise 0
 * @handle: that came with the message received: the number of the message that it was
 *	sent with; 0: none
 * @seen: of a stat
 * @invoked: taken just before the call
 * @responded: taken just after it
 */
struct call {
	uint8_t task;
	uint8_t form;
	bool in_order, ready, again;
	uint8_t min, max;
	uint8_t nr;
	struct action does[MAX_CASES];
	int until;
	int chosen;
	int outcome;
	bool sent;
	int value[MAX_BATCH];
	int handle;
	struct seen seen;
	int invoked, responded;
};

/**
 * struct object - what the tasks share
 * @kind: which
 * @limit: a channel's capacity, a semaphore's or wait group's units
 * @policy: a channel's, KCHAN_POLICY_*
 * @carries: a channel's messages carry a handle each; batches and requests send none
 * @handles: a channel's handles that can send, and that can receive, at the start; each
 *	object that it is told of counts as one that can send
 * @tells: a channel whose last handle of a kind goes tells this object, plus 1; 0: none
 */
struct object {
	enum kind kind;
	int limit;
	int policy;
	bool carries;
	int handles[2];
	int tells;
};

/**
 * struct history - all of it
 * @seed: what the program was made of
 * @processes: each task is a process of its own, which matters to locks
 * @disturbed: signals interrupt the tasks
 */
struct history {
	__u64 seed;
	bool processes, disturbed;
	int tasks, objects, calls;
	struct object object[MAX_OBJECTS];
	struct call call[MAX_CALLS];
};

void history_print(const struct history *h, FILE *to);
bool history_read(struct history *h, FILE *from);
bool verb_fits(enum verb verb, enum kind kind);

/* Whether a call that waits, or tries, may have others know that it waits. */
static inline bool is_try(const struct call *c)
{
	return c->until == TRY;
}

static inline bool failed(const struct call *c)
{
	return c->chosen == NOTHING;
}

/* ---- judging: linearize.c ---- */

enum verdict { EXPLAINED, IMPOSSIBLE, GIVEN_UP };

/**
 * struct judgement - can the history have happened?
 * @verdict: whether there is an order of steps that explains it
 * @states: looked at to find out
 * @stuck: if impossible, the stamp that no explanation got past
 */
struct judgement {
	enum verdict verdict;
	unsigned long states;
	int stuck;
};

struct judgement history_judge(const struct history *h);

#endif /* HISTORY_H */
