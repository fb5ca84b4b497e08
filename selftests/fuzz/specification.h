/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the contract (linux/kchan.h and the manual) allows a few tasks' calls to do,
 * as steps between states.
 *
 * A call is invoked, takes steps, and returns.  What it does to objects, and what it
 * does to another call that waits, is one step: a send that meets a waiting receiver
 * is the send of the one and the receive of the other, within both calls.  Beside
 * that one a call may take these steps:
 *
 *	pass over	in order: this case would have to wait, look at the next
 *	enter		stand in the queue of one object, because that case would
 *			have to wait.  A select enters one queue after the other
 *	give back	what waits for a signal unlocks its lock, after entering
 *	fail		would have to wait, but shall not, or not any longer
 *	leave		the queues where it was not served, one by one
 *	take		a message that was handed to it is now received
 *
 * A batch does so for each of its messages, and a request for each of its two halves,
 * so others' calls may come in between.  A batch that has moved some may stop where one
 * that has not would fail; and where there is an end, which it then does not tell.  To
 * drop a handle of an object that is watched are several steps, of which one may send a
 * notice.
 *
 * Only who entered a queue holds others back or is served by others, and a try of
 * one operation never enters.
 */
#ifndef SPECIFICATION_H
#define SPECIFICATION_H

#include "history.h"

/* Where a task is in its call. */
enum phase { AWAY, OPEN, DECIDED };

/*
 * Steps of who drops a handle that others are told of: its number is gone; they have been
 * told, if then no such number was left; the handle is gone.  The last two come in any
 * order.  Where two drop the last two, each may find that no number is left.
 */
enum { NUMBER_GONE = 1, TOLD = 2, HANDLE_GONE = 4, ALL_GONE = 7 };

/**
 * struct doing - what a task is doing
 * @phase: AWAY: nothing; DECIDED: what its call does has been done
 * @call: which call, by its place in the history
 * @passed: bits of the cases that it passed over
 * @hand: the object that has handed it a message that it has yet to take, plus 1
 * @gave_back: it gave its lock back
 * @done: of a batch, messages that it has moved; of a request, whether it was sent; of a
 *	drop of a watched channel's handle, bits of its steps
 */
struct doing {
	uint8_t phase;
	uint8_t call;
	uint8_t passed;
	uint8_t hand;
	uint8_t gave_back;
	uint8_t done;
};

/* A place in a queue: task * MAX_CASES + case. */
enum { MAX_PLACES = MAX_TASKS * MAX_CASES };

struct queue {
	uint8_t length;
	uint8_t place[MAX_PLACES];
};

/* A message, beside its number: it carries the handle that belongs to it. */
enum { WITH_HANDLE = 0x8000 };

/**
 * struct thing - an object's state
 * @count: messages, or units taken
 * @ended: closed, done, or cancelled
 * @in_hand: messages that receivers were handed and have yet to take
 * @handles: a channel's that can send, and that can receive
 * @numbers: likewise, as far as they have numbers
 * @dropped: messages that were discarded, and notices that could not be sent
 * @ending: waits that the end of the other side's handles has ended
 * @holder: the process that has it locked, plus 1
 * @readers: how often each process has it locked for reading
 * @buffer: a channel's messages
 * @cause: of a cancel, or of a channel's close
 * @queue: who waits in what takes the right to send, and to receive
 */
struct thing {
	uint8_t count;
	uint8_t ended;
	uint8_t in_hand;
	uint8_t handles[2];
	uint8_t numbers[2];
	uint8_t dropped;
	uint8_t ending[2];
	uint8_t holder;
	uint8_t readers[MAX_TASKS];
	uint16_t buffer[MAX_BUFFER];
	uint16_t cause;
	struct queue queue[2];
};

/**
 * struct state - of everything; compared and hashed as bytes
 * @position: how many invocations and responses lie behind
 */
struct state {
	uint8_t position;
	struct doing task[MAX_TASKS];
	struct thing thing[MAX_OBJECTS];
};

void spec_start(const struct history *h, struct state *s);
void spec_invoke(const struct history *h, struct state *s, int call);
bool spec_is_over(const struct history *h, const struct state *s, int task);
void spec_return(struct state *s, int task);

/*
 * The steps.  Each returns false if it is not possible, or if it makes a call do
 * what the history says it did not do; then the state is spoilt.
 */
bool spec_act(const struct history *h, struct state *s, int task);
bool spec_drop(const struct history *h, struct state *s, int task, int step);
bool spec_pass_over(const struct history *h, struct state *s, int task, int i);
bool spec_enter(const struct history *h, struct state *s, int task, int i);
bool spec_give_back(const struct history *h, struct state *s, int task);
bool spec_fail(const struct history *h, struct state *s, int task, bool deadline_over);
bool spec_leave(const struct history *h, struct state *s, int task, int i);
bool spec_take(const struct history *h, struct state *s, int task);

#endif /* SPECIFICATION_H */
