// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is the judge itself to be trusted?  Histories written by hand, half of which cannot
 * have happened, for the reason in their names.
 */
#include <stdio.h>
#include <string.h>

#include "examples.h"
#include "history.h"

static const struct example {
	const char *name;
	enum verdict verdict;
	const char *text;
} examples[] = {
	/* ---- buffered channels ---- */
	{ "values in order", EXPLAINED,
	  "object a chan 2 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 waits send a 2 = 0\n"
	  "call 5 to 6 task 1 waits recv a = 1 value 1\n"
	  "call 7 to 8 task 1 waits recv a = 1 value 2\n" },
	{ "values out of order", IMPOSSIBLE,
	  "object a chan 2 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 waits send a 2 = 0\n"
	  "call 5 to 6 task 1 waits recv a = 1 value 2\n"
	  "call 7 to 8 task 1 waits recv a = 1 value 1\n" },
	{ "sends at the same time, in either order", EXPLAINED,
	  "object a chan 2 senders 2 receivers 2\n"
	  "call 1 to 3 task 0 waits send a 1 = 0\n"
	  "call 2 to 4 task 1 waits send a 2 = 0\n"
	  "call 5 to 6 task 2 waits recv a = 1 value 2\n"
	  "call 7 to 8 task 2 waits recv a = 1 value 1\n" },
	{ "a value lost", IMPOSSIBLE,
	  "object a chan 2 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 1 try recv a = EAGAIN\n" },
	{ "a value received twice", IMPOSSIBLE,
	  "object a chan 2 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 1 waits recv a = 1 value 1\n"
	  "call 5 to 6 task 1 waits recv a = 1 value 1\n" },
	{ "a value that nobody sent", IMPOSSIBLE,
	  "object a chan 2 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 1 waits recv a = 1 value 7\n" },
	{ "a value received before it was sent", IMPOSSIBLE,
	  "object a chan 2 senders 2 receivers 2\n"
	  "call 1 to 2 task 1 waits recv a = 1 value 1\n"
	  "call 3 to 4 task 0 waits send a 1 = 0\n" },
	{ "more than fits", IMPOSSIBLE,
	  "object a chan 1 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 1 try send a 2 = 0\n" },
	{ "the oldest discarded", EXPLAINED,
	  "object a chan 1 senders 2 receivers 2 drop-oldest\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 try send a 2 = 0\n"
	  "call 5 to 6 task 0 at-once stat a = 0 length 1 waiting 0 0 dropped 1\n"
	  "call 7 to 8 task 1 waits recv a = 1 value 2\n" },
	{ "the newest kept where it should be discarded", IMPOSSIBLE,
	  "object a chan 1 senders 2 receivers 2 drop-newest\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 waits send a 2 = 0\n"
	  "call 5 to 6 task 1 waits recv a = 1 value 2\n" },
	{ "only the latest left", EXPLAINED,
	  "object a chan 2 senders 2 receivers 2 latest\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 waits send a 2 = 0\n"
	  "call 5 to 6 task 0 waits send a 3 = 0\n"
	  "call 7 to 8 task 0 at-once stat a = 0 length 1 waiting 0 0 dropped 2\n"
	  "call 9 to 10 task 1 waits recv a = 1 value 3\n" },
	{ "a message discarded though there was room", IMPOSSIBLE,
	  "object a chan 2 senders 2 receivers 2 latest\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 waits send a 2 = 0\n"
	  "call 5 to 6 task 1 waits recv a = 1 value 2\n" },
	{ "a message discarded, and not counted", IMPOSSIBLE,
	  "object a chan 1 senders 2 receivers 2 drop-newest\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 waits send a 2 = 0\n"
	  "call 5 to 6 task 0 at-once stat a = 0 length 1 waiting 0 0\n" },
	{ "a sender that waits though it may discard", IMPOSSIBLE,
	  "object a chan 1 senders 2 receivers 2 drop-newest\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 try send a 2 = EAGAIN\n" },
	{ "messages that go with the last receiver", EXPLAINED,
	  "object a chan 1 senders 2 receivers 1\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 1 at-once drop-recv a = 0\n"
	  "call 5 to 6 task 0 at-once stat a = 0 length 0 waiting 0 0 no-receivers\n" },
	{ "a send that fails though there is room", IMPOSSIBLE,
	  "object a chan 1 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 1 waits recv a = 1 value 1\n"
	  "call 5 to 6 task 0 try send a 2 = EAGAIN\n" },
	{ "a send that fails while there may be no room", EXPLAINED,
	  "object a chan 1 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 6 task 1 waits recv a = 1 value 1\n"
	  "call 4 to 5 task 0 try send a 2 = EAGAIN\n" },
	{ "a blocked sender's value moves up as a value leaves", EXPLAINED,
	  "object a chan 1 senders 3 receivers 3\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 8 task 0 waits send a 2 = 0\n"
	  "call 4 to 5 task 1 at-once stat a = 0 length 1 waiting 1 0\n"
	  "call 6 to 7 task 1 waits recv a = 1 value 1\n"
	  "call 9 to 10 task 1 try send a 3 = EAGAIN\n"
	  "call 11 to 12 task 1 try recv a = 1 value 2\n" },
	{ "a send barges past one that waits", IMPOSSIBLE,
	  "object a chan 1 senders 3 receivers 3\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 14 task 0 til 13 send a 2 = ETIMEDOUT\n"
	  "call 4 to 5 task 1 at-once stat a = 0 length 1 waiting 1 0\n"
	  "call 6 to 7 task 1 waits recv a = 1 value 1\n"
	  "call 8 to 9 task 1 try send a 3 = 0\n" },
	/* ---- rendezvous ---- */
	{ "a rendezvous", EXPLAINED,
	  "object a chan 0 senders 2 receivers 2\n"
	  "call 1 to 3 task 0 waits send a 1 = 0\n"
	  "call 2 to 4 task 1 waits recv a = 1 value 1\n" },
	{ "a rendezvous whose two sides did not overlap", IMPOSSIBLE,
	  "object a chan 0 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 1 waits recv a = 1 value 1\n" },
	{ "two tries meet", IMPOSSIBLE,
	  "object a chan 0 senders 2 receivers 2\n"
	  "call 1 to 3 task 0 try send a 1 = 0\n"
	  "call 2 to 4 task 1 try recv a = 1 value 1\n" },
	{ "a try meets one who waits", EXPLAINED,
	  "object a chan 0 senders 2 receivers 2\n"
	  "call 1 to 4 task 0 waits send a 1 = 0\n"
	  "call 2 to 3 task 1 try recv a = 1 value 1\n" },
	{ "a try fails though somebody waits", IMPOSSIBLE,
	  "object a chan 0 senders 2 receivers 2\n"
	  "call 1 to 8 task 0 waits send a 1 = 0\n"
	  "call 2 to 3 task 1 at-once stat a = 0 length 0 waiting 1 0\n"
	  "call 4 to 5 task 1 try recv a = EAGAIN\n"
	  "call 6 to 7 task 1 try recv a = 1 value 1\n" },
	{ "a try fails while somebody may not yet wait", EXPLAINED,
	  "object a chan 0 senders 2 receivers 2\n"
	  "call 1 to 6 task 0 waits send a 1 = 0\n"
	  "call 2 to 3 task 1 try recv a = EAGAIN\n"
	  "call 4 to 5 task 1 try recv a = 1 value 1\n" },
	{ "one send served two receivers", IMPOSSIBLE,
	  "object a chan 0 senders 3 receivers 3\n"
	  "call 1 to 6 task 0 waits send a 1 = 0\n"
	  "call 2 to 4 task 1 waits recv a = 1 value 1\n"
	  "call 3 to 5 task 2 waits recv a = 1 value 1\n" },
	{ "who waits longer is served first", EXPLAINED,
	  "object a chan 0 senders 4 receivers 4\n"
	  "call 1 to 9 task 0 waits recv a = 1 value 1\n"
	  "call 2 to 3 task 2 at-once stat a = 0 length 0 waiting 0 1\n"
	  "call 4 to 12 task 1 waits recv a = 1 value 2\n"
	  "call 5 to 6 task 2 at-once stat a = 0 length 0 waiting 0 2\n"
	  "call 7 to 8 task 2 try send a 1 = 0\n"
	  "call 10 to 11 task 2 try send a 2 = 0\n" },
	{ "who came later is served first", IMPOSSIBLE,
	  "object a chan 0 senders 4 receivers 4\n"
	  "call 1 to 9 task 0 waits recv a = 1 value 2\n"
	  "call 2 to 3 task 2 at-once stat a = 0 length 0 waiting 0 1\n"
	  "call 4 to 12 task 1 waits recv a = 1 value 1\n"
	  "call 5 to 6 task 2 at-once stat a = 0 length 0 waiting 0 2\n"
	  "call 7 to 8 task 2 try send a 1 = 0\n"
	  "call 10 to 11 task 2 try send a 2 = 0\n" },
	/* ---- the end ---- */
	{ "what is buffered is received after the close, then the end", EXPLAINED,
	  "object a chan 1 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 at-once close a = 0\n"
	  "call 5 to 6 task 1 try recv a = 1 value 1\n"
	  "call 7 to 8 task 1 try recv a = 0\n"
	  "call 9 to 10 task 0 at-once close a = EALREADY\n" },
	{ "a send succeeds after the close", IMPOSSIBLE,
	  "object a chan 1 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 at-once close a = 0\n"
	  "call 3 to 4 task 1 try send a 1 = 0\n" },
	{ "two closes succeed", IMPOSSIBLE,
	  "object a chan 1 senders 2 receivers 2\n"
	  "call 1 to 3 task 0 at-once close a = 0\n"
	  "call 2 to 4 task 1 at-once close a = 0\n" },
	{ "the end before what is buffered", IMPOSSIBLE,
	  "object a chan 1 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 at-once close a = 0\n"
	  "call 5 to 6 task 1 try recv a = 0\n" },
	{ "the end of an open channel", IMPOSSIBLE,
	  "object a chan 1 senders 2 receivers 2\n"
	  "call 1 to 2 task 1 waits recv a = 0\n" },
	{ "the close does not wake a receiver", IMPOSSIBLE,
	  "object a chan 0 senders 2 receivers 2\n"
	  "call 1 to 5 task 1 til 4 recv a = ETIMEDOUT\n"
	  "call 2 to 3 task 0 at-once close a = 0\n" },
	{ "the close wakes one of two", IMPOSSIBLE,
	  "object a chan 0 senders 3 receivers 3\n"
	  "call 1 to 6 task 1 til 4 recv a = 0\n"
	  "call 2 to 7 task 2 til 5 recv a = ETIMEDOUT\n"
	  "call 3 to 4 task 0 at-once close a = 0\n" },
	{ "a failed send whose value arrives", IMPOSSIBLE,
	  "object a chan 0 senders 2 receivers 2\n"
	  "call 1 to 5 task 0 waits send a 1 = EPIPE\n"
	  "call 2 to 4 task 1 waits recv a = 1 value 1\n" },
	{ "the last sender leaves", EXPLAINED,
	  "object a chan 1 senders 1 receivers 1\n"
	  "call 1 to 4 task 1 waits recv a = 0\n"
	  "call 2 to 3 task 0 at-once drop-send a = 0\n" },
	{ "the end while a sender is left", IMPOSSIBLE,
	  "object a chan 1 senders 2 receivers 1\n"
	  "call 1 to 4 task 1 waits recv a = 0\n"
	  "call 2 to 3 task 0 at-once drop-send a = 0\n" },
	{ "the last receiver leaves", EXPLAINED,
	  "object a chan 1 senders 1 receivers 1\n"
	  "call 1 to 2 task 1 at-once drop-recv a = 0\n"
	  "call 3 to 4 task 0 try send a 1 = EPIPE\n" },
	{ "a send that nobody can receive", IMPOSSIBLE,
	  "object a chan 1 senders 1 receivers 1\n"
	  "call 1 to 2 task 1 at-once drop-recv a = 0\n"
	  "call 3 to 4 task 0 try send a 1 = 0\n" },
	{ "no end yet while a message is on its way", EXPLAINED,
	  "object a chan 0 senders 3 receivers 3\n"
	  "call 1 to 8 task 0 waits recv a = 1 value 1\n"
	  "call 2 to 3 task 1 waits send a 1 = 0\n"
	  "call 4 to 5 task 1 at-once close a = 0\n"
	  "call 6 to 7 task 1 try recv a = EAGAIN\n" },
	/* ---- deadlines ---- */
	{ "a wait ends before its deadline", IMPOSSIBLE,
	  "object a chan 0 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 til 4 recv a = ETIMEDOUT\n"
	  "call 3 to 4 task 1 try send a 1 = EAGAIN\n" },
	{ "a wait ends at its deadline though a value came", IMPOSSIBLE,
	  "object a chan 1 senders 2 receivers 2\n"
	  "call 1 to 5 task 0 til 4 recv a = ETIMEDOUT\n"
	  "call 2 to 3 task 1 try send a 1 = 0\n" },
	{ "a wait ends just before a value comes", EXPLAINED,
	  "object a chan 1 senders 2 receivers 2\n"
	  "call 1 to 5 task 0 til 2 recv a = ETIMEDOUT\n"
	  "call 2 to 3 task 1 try send a 1 = 0\n" },
	/* ---- select ---- */
	{ "two selects meet", EXPLAINED,
	  "object a chan 0 senders 2 receivers 2\nobject b chan 0 senders 2 receivers 2\n"
	  "call 1 to 3 task 0 waits select send a 1 | recv b = case 0 0\n"
	  "call 2 to 4 task 1 waits select send b 2 | recv a = case 1 1 value 1\n" },
	{ "two selects that both did both", IMPOSSIBLE,
	  "object a chan 0 senders 2 receivers 2\nobject b chan 0 senders 2 receivers 2\n"
	  "call 1 to 3 task 0 waits select send a 1 | recv b = case 0 0\n"
	  "call 2 to 4 task 1 waits select send b 2 | recv a = case 0 0\n" },
	{ "a select meets itself", IMPOSSIBLE,
	  "object a chan 0 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits select send a 1 | recv a = case 1 1 value 1\n" },
	{ "in order, but not the first that was ready", IMPOSSIBLE,
	  "object a chan 1 senders 2 receivers 2\nobject b chan 1 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 waits send b 2 = 0\n"
	  "call 5 to 6 task 0 waits select-in-order recv a | recv b = case 1 1 value 2\n" },
	{ "in any order, not the first that was ready", EXPLAINED,
	  "object a chan 1 senders 2 receivers 2\nobject b chan 1 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 waits send b 2 = 0\n"
	  "call 5 to 6 task 0 waits select recv a | recv b = case 1 1 value 2\n" },
	{ "a try though always one of two was ready", IMPOSSIBLE,
	  "object a chan 1 senders 2 receivers 2\nobject b chan 1 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 8 task 1 try select recv a | recv b = EAGAIN\n"
	  "call 4 to 5 task 0 waits send b 2 = 0\n"
	  "call 6 to 7 task 0 waits recv a = 1 value 1\n" },
	{ "a ready case whose value then is still there", EXPLAINED,
	  "object a chan 1 senders 2 receivers 2\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 1 try select-ready recv a = case 0 0\n"
	  "call 5 to 6 task 1 try recv a = 1 value 1\n" },
	{ "a case said to be ready that was not", IMPOSSIBLE,
	  "object a chan 1 senders 2 receivers 2\n"
	  "call 1 to 2 task 1 try select-ready recv a = case 0 0\n"
	  "call 3 to 4 task 0 waits send a 1 = 0\n" },
	{ "a select of two that is a try meets a try", EXPLAINED,
	  "object a chan 0 senders 2 receivers 2\nobject b chan 0 senders 2 receivers 2\n"
	  "call 1 to 4 task 0 try select recv a | recv b = case 0 1 value 1\n"
	  "call 2 to 3 task 1 try send a 1 = 0\n" },
	{ "a select of one that is a try meets a try", IMPOSSIBLE,
	  "object a chan 0 senders 2 receivers 2\n"
	  "call 1 to 4 task 0 try select recv a = case 0 1 value 1\n"
	  "call 2 to 3 task 1 try send a 1 = 0\n" },
	/* ---- causes ---- */
	{ "a close with a cause", EXPLAINED,
	  "object a chan 1 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 at-once close-with a 5 = 0\n"
	  "call 3 to 4 task 0 at-once stat a = 0 length 0 waiting 0 0 cause 5 closed\n"
	  "call 5 to 6 task 1 try select recv a = case 0 0 value 5\n"
	  "call 7 to 8 task 1 try select send a 1 = case 0 EPIPE value 5\n"
	  "call 9 to 10 task 1 try recv a = 0\n" },
	{ "a close whose cause nobody is told", IMPOSSIBLE,
	  "object a chan 1 senders 4 receivers 4\n"
	  "call 1 to 4 task 1 waits select recv a = case 0 0\n"
	  "call 2 to 3 task 0 at-once close-with a 5 = 0\n" },
	{ "a cause that nobody gave", IMPOSSIBLE,
	  "object a chan 1 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 at-once close a = 0\n"
	  "call 3 to 4 task 1 try select send a 1 = case 0 EPIPE value 5\n" },
	{ "the cause of a second close", IMPOSSIBLE,
	  "object a chan 1 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 at-once close-with a 4 = 0\n"
	  "call 3 to 4 task 0 at-once close-with a 5 = EALREADY\n"
	  "call 5 to 6 task 0 at-once stat a = 0 length 0 waiting 0 0 cause 5 closed\n" },
	{ "a cause that comes when the last receiver has gone", EXPLAINED,
	  "object a chan 1 senders 3 receivers 1\n"
	  "call 1 to 2 task 1 at-once drop-recv a = 0\n"
	  "call 3 to 6 task 0 waits select send a 1 = case 0 EPIPE value 5\n"
	  "call 4 to 5 task 2 at-once close-with a 5 = 0\n" },
	{ "a cause that is yet to come", IMPOSSIBLE,
	  "object a chan 1 senders 3 receivers 1\n"
	  "call 1 to 2 task 1 at-once drop-recv a = 0\n"
	  "call 3 to 4 task 0 waits select send a 1 = case 0 EPIPE value 5\n"
	  "call 5 to 6 task 2 at-once close-with a 5 = 0\n" },
	/* ---- batches ---- */
	{ "a batch in order", EXPLAINED,
	  "object a chan 3 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits batch 3 to 3 send a 1 = 3\n"
	  "call 3 to 4 task 1 waits batch 0 to 3 recv a = 3 value 1 2 3\n" },
	{ "a batch received out of order", IMPOSSIBLE,
	  "object a chan 3 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits batch 3 to 3 send a 1 = 3\n"
	  "call 3 to 4 task 1 waits batch 0 to 3 recv a = 3 value 1 3 2\n" },
	{ "a batch sent out of order", IMPOSSIBLE,
	  "object a chan 2 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits batch 2 to 2 send a 1 = 2\n"
	  "call 3 to 4 task 1 waits recv a = 1 value 2\n" },
	{ "another's message within a batch", EXPLAINED,
	  "object a chan 3 senders 4 receivers 4\n"
	  "call 1 to 4 task 0 waits batch 1 to 2 send a 1 = 2\n"
	  "call 2 to 3 task 1 waits send a 7 = 0\n"
	  "call 5 to 6 task 1 waits batch 3 to 3 recv a = 3 value 1 7 2\n" },
	{ "another's message within a batch that was over", IMPOSSIBLE,
	  "object a chan 3 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits batch 1 to 2 send a 1 = 2\n"
	  "call 3 to 4 task 1 waits send a 7 = 0\n"
	  "call 5 to 6 task 1 waits batch 3 to 3 recv a = 3 value 1 7 2\n" },
	{ "a batch of as many as there is room for", EXPLAINED,
	  "object a chan 2 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits batch 0 to 3 send a 1 = 2\n"
	  "call 3 to 4 task 0 try batch 1 to 1 send a 4 = EAGAIN\n" },
	{ "a batch of fewer than there is room for", IMPOSSIBLE,
	  "object a chan 3 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits batch 0 to 3 send a 1 = 2\n" },
	{ "a batch of fewer than there are", IMPOSSIBLE,
	  "object a chan 3 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits batch 0 to 3 send a 1 = 3\n"
	  "call 3 to 4 task 1 try batch 1 to 3 recv a = 2 value 1 2\n" },
	{ "a signal ends a batch early", EXPLAINED,
	  "disturbed\n"
	  "object a chan 3 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits batch 3 to 3 send a 1 = 2\n" },
	{ "a signal that nobody sent", IMPOSSIBLE,
	  "object a chan 2 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits recv a = EINTR\n" },
	{ "a batch counts one too many", IMPOSSIBLE,
	  "object a chan 2 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits batch 0 to 3 send a 1 = 3\n" },
	{ "a batch counts one too few", IMPOSSIBLE,
	  "object a chan 2 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits batch 0 to 3 send a 1 = 2\n"
	  "call 3 to 4 task 1 try batch 0 to 2 recv a = 1 value 1\n"
	  "call 5 to 6 task 1 at-once stat a = 0 length 0 waiting 0 0\n" },
	{ "a batch counts more than it wants", IMPOSSIBLE,
	  "object a chan 3 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits batch 3 to 3 send a 1 = 3\n"
	  "call 3 to 4 task 1 try batch 0 to 2 recv a = 3 value 1 2\n" },
	{ "a message twice in a batch", IMPOSSIBLE,
	  "object a chan 2 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 1 try batch 0 to 2 recv a = 2 value 1 1\n" },
	{ "a batch waits until it has its least", EXPLAINED,
	  "object a chan 0 senders 4 receivers 4\n"
	  "call 1 to 8 task 0 waits batch 2 to 3 recv a = 2 value 1 2\n"
	  "call 2 to 3 task 1 at-once stat a = 0 length 0 waiting 0 1\n"
	  "call 4 to 5 task 1 try send a 1 = 0\n"
	  "call 6 to 7 task 1 try send a 2 = 0\n" },
	{ "a batch waits though it has its least", IMPOSSIBLE,
	  "object a chan 0 senders 4 receivers 4\n"
	  "call 1 to 8 task 0 waits batch 1 to 2 recv a = 2 value 1 2\n"
	  "call 2 to 3 task 1 at-once stat a = 0 length 0 waiting 0 1\n"
	  "call 4 to 5 task 1 try send a 1 = 0\n"
	  "call 6 to 7 task 1 try send a 2 = 0\n" },
	{ "a batch that is a try meets a try", IMPOSSIBLE,
	  "object a chan 0 senders 4 receivers 4\n"
	  "call 1 to 4 task 0 try batch 2 to 2 recv a = 1 value 1\n"
	  "call 2 to 3 task 1 try send a 1 = 0\n" },
	{ "a batch has less than its least at its deadline", EXPLAINED,
	  "object a chan 2 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 6 task 1 til 5 batch 2 to 2 recv a = 1 value 1\n"
	  "call 4 to 5 task 0 try batch 0 to 1 recv a = EAGAIN\n" },
	{ "a batch has less than its least before its deadline", IMPOSSIBLE,
	  "object a chan 2 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 1 til 6 batch 2 to 2 recv a = 1 value 1\n"
	  "call 5 to 6 task 0 at-once stat a = 0 length 0 waiting 0 0\n" },
	{ "a batch that waits for nothing", EXPLAINED,
	  "object a chan 2 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits batch 0 to 2 recv a = EAGAIN\n" },
	{ "a batch that should wait", IMPOSSIBLE,
	  "object a chan 2 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits batch 1 to 2 recv a = EAGAIN\n" },
	{ "a batch leaves the end to the next", EXPLAINED,
	  "object a chan 2 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 at-once close a = 0\n"
	  "call 5 to 6 task 1 waits batch 2 to 2 recv a = 1 value 1\n"
	  "call 7 to 8 task 1 waits batch 1 to 2 recv a = 0\n"
	  "call 9 to 10 task 0 waits batch 0 to 1 send a 2 = EPIPE\n" },
	{ "a batch tells the end of an open channel", IMPOSSIBLE,
	  "object a chan 2 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits batch 0 to 2 recv a = 0\n" },
	{ "a close cuts a batch off", EXPLAINED,
	  "object a chan 1 senders 4 receivers 4\n"
	  "call 1 to 6 task 0 waits batch 3 to 3 send a 1 = 1\n"
	  "call 2 to 3 task 1 at-once stat a = 0 length 1 waiting 1 0\n"
	  "call 4 to 5 task 1 at-once close a = 0\n"
	  "call 7 to 8 task 1 waits batch 2 to 2 recv a = 1 value 1\n" },
	{ "a close cuts a batch off that goes on", IMPOSSIBLE,
	  "object a chan 1 senders 4 receivers 4\n"
	  "call 1 to 8 task 0 waits batch 3 to 3 send a 1 = 2\n"
	  "call 2 to 3 task 1 at-once stat a = 0 length 1 waiting 1 0\n"
	  "call 4 to 5 task 1 at-once close a = 0\n"
	  "call 6 to 7 task 1 waits batch 2 to 2 recv a = 1 value 1\n" },
	{ "a batch waits for each message at the end of the line", EXPLAINED,
	  "object a chan 0 senders 4 receivers 4\n"
	  "call 1 to 15 task 0 waits batch 2 to 2 send a 1 = 2\n"
	  "call 2 to 3 task 2 at-once stat a = 0 length 0 waiting 1 0\n"
	  "call 4 to 14 task 1 waits send a 7 = 0\n"
	  "call 5 to 6 task 2 at-once stat a = 0 length 0 waiting 2 0\n"
	  "call 7 to 8 task 2 waits recv a = 1 value 1\n"
	  "call 9 to 10 task 2 waits recv a = 1 value 7\n"
	  "call 11 to 12 task 2 waits recv a = 1 value 2\n" },
	{ "a batch barges past one that waits", IMPOSSIBLE,
	  "object a chan 0 senders 4 receivers 4\n"
	  "call 1 to 15 task 0 waits batch 2 to 2 send a 1 = 2\n"
	  "call 2 to 3 task 2 at-once stat a = 0 length 0 waiting 1 0\n"
	  "call 4 to 14 task 1 waits send a 7 = 0\n"
	  "call 5 to 6 task 2 at-once stat a = 0 length 0 waiting 2 0\n"
	  "call 7 to 8 task 2 waits recv a = 1 value 1\n"
	  "call 9 to 10 task 2 waits recv a = 1 value 2\n"
	  "call 11 to 12 task 2 waits recv a = 1 value 7\n" },
	/* ---- requests ---- */
	{ "a request and its answer", EXPLAINED,
	  "object a chan 0 senders 4 receivers 4\n"
	  "object b chan 0 senders 4 receivers 4\n"
	  "call 1 to 6 task 0 waits request send a 1 | recv b = 1 sent value 2\n"
	  "call 2 to 3 task 1 waits recv a = 1 value 1\n"
	  "call 4 to 5 task 1 waits send b 2 = 0\n" },
	{ "an answer taken before the request was sent", IMPOSSIBLE,
	  "object a chan 0 senders 4 receivers 4\n"
	  "object b chan 0 senders 4 receivers 4\n"
	  "call 1 to 6 task 0 waits request send a 1 | recv b = 1 sent value 2\n"
	  "call 2 to 3 task 1 waits send b 2 = 0\n"
	  "call 4 to 5 task 1 waits recv a = 1 value 1\n" },
	{ "an answer that was there before the request", EXPLAINED,
	  "object a chan 0 senders 4 receivers 4\n"
	  "object b chan 1 senders 4 receivers 4\n"
	  "call 1 to 2 task 1 waits send b 2 = 0\n"
	  "call 3 to 6 task 0 waits request send a 1 | recv b = 1 sent value 2\n"
	  "call 4 to 5 task 1 waits recv a = 1 value 1\n" },
	{ "a request sent, and no answer", EXPLAINED,
	  "object a chan 1 senders 4 receivers 4\n"
	  "object b chan 1 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 try request send a 1 | recv b = EAGAIN sent\n"
	  "call 3 to 4 task 1 try recv a = 1 value 1\n" },
	{ "a request said to be sent that was not", IMPOSSIBLE,
	  "object a chan 1 senders 4 receivers 4\n"
	  "object b chan 1 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 try request send a 1 | recv b = EAGAIN sent\n"
	  "call 3 to 4 task 1 try recv a = EAGAIN\n" },
	{ "a request said to be sent that nobody could take", IMPOSSIBLE,
	  "object a chan 0 senders 4 receivers 4\n"
	  "object b chan 0 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 try request send a 1 | recv b = EAGAIN sent\n" },
	{ "a request waits for its answer before it was sent", IMPOSSIBLE,
	  "object a chan 0 senders 4 receivers 4\n"
	  "object b chan 0 senders 4 receivers 4\n"
	  "call 1 to 8 task 0 waits request send a 1 | recv b = 1 sent value 2\n"
	  "call 2 to 3 task 1 at-once stat b = 0 length 0 waiting 0 1\n"
	  "call 4 to 5 task 1 waits recv a = 1 value 1\n"
	  "call 6 to 7 task 1 waits send b 2 = 0\n" },
	{ "a request sent that is said not to be", IMPOSSIBLE,
	  "object a chan 1 senders 4 receivers 4\n"
	  "object b chan 1 senders 4 receivers 4\n"
	  "call 1 to 3 task 0 til 2 request send a 1 | recv b = ETIMEDOUT\n"
	  "call 4 to 5 task 1 try recv a = 1 value 1\n" },
	{ "a request not sent though there was room", IMPOSSIBLE,
	  "object a chan 1 senders 4 receivers 4\n"
	  "object b chan 1 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 try request send a 1 | recv b = EAGAIN\n" },
	{ "a request that waits for an answer though there is one", IMPOSSIBLE,
	  "object a chan 1 senders 4 receivers 4\n"
	  "object b chan 1 senders 4 receivers 4\n"
	  "call 1 to 2 task 1 waits send b 2 = 0\n"
	  "call 3 to 4 task 0 try request send a 1 | recv b = EAGAIN sent\n" },
	{ "a request sent once, its answer received at last", EXPLAINED,
	  "object a chan 2 senders 4 receivers 4\n"
	  "object b chan 1 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 try request send a 1 | recv b = EAGAIN sent\n"
	  "call 3 to 4 task 1 waits send b 2 = 0\n"
	  "call 5 to 6 task 0 waits request-again send a 1 | recv b = 1 sent value 2\n"
	  "call 7 to 8 task 1 at-once stat a = 0 length 1 waiting 0 0\n" },
	{ "a request sent twice", IMPOSSIBLE,
	  "object a chan 2 senders 4 receivers 4\n"
	  "object b chan 1 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 try request send a 1 | recv b = EAGAIN sent\n"
	  "call 3 to 4 task 1 waits send b 2 = 0\n"
	  "call 5 to 6 task 0 waits request-again send a 1 | recv b = 1 sent value 2\n"
	  "call 7 to 8 task 1 at-once stat a = 0 length 2 waiting 0 0\n" },
	{ "a request that forgets that it was sent", IMPOSSIBLE,
	  "object a chan 0 senders 4 receivers 4\n"
	  "object b chan 0 senders 4 receivers 4\n"
	  "call 1 to 5 task 0 til 4 request send a 1 | recv b = ETIMEDOUT\n"
	  "call 2 to 3 task 1 waits recv a = 1 value 1\n" },
	{ "a request on a closed channel", EXPLAINED,
	  "object a chan 1 senders 4 receivers 4\n"
	  "object b chan 1 senders 4 receivers 4\n"
	  "call 1 to 2 task 1 at-once close a = 0\n"
	  "call 3 to 4 task 0 waits request send a 1 | recv b = EPIPE\n" },
	{ "a request sent on a closed channel", IMPOSSIBLE,
	  "object a chan 1 senders 4 receivers 4\n"
	  "object b chan 1 senders 4 receivers 4\n"
	  "call 1 to 2 task 1 at-once close a = 0\n"
	  "call 3 to 4 task 0 waits request send a 1 | recv b = EPIPE sent\n" },
	{ "a request whose answers end", EXPLAINED,
	  "object a chan 0 senders 4 receivers 4\n"
	  "object b chan 0 senders 4 receivers 4\n"
	  "call 1 to 6 task 0 waits request send a 1 | recv b = 0 sent\n"
	  "call 2 to 3 task 1 waits recv a = 1 value 1\n"
	  "call 4 to 5 task 1 at-once close b = 0\n" },
	{ "answers that end before the request was sent", IMPOSSIBLE,
	  "object a chan 0 senders 4 receivers 4\n"
	  "object b chan 0 senders 4 receivers 4\n"
	  "call 1 to 4 task 0 waits request send a 1 | recv b = 0\n"
	  "call 2 to 3 task 1 at-once close b = 0\n" },
	{ "who waits longer for an answer gets the first", EXPLAINED,
	  "object a chan 1 senders 4 receivers 4\n"
	  "object b chan 0 senders 4 receivers 4\n"
	  "call 1 to 12 task 0 waits request send a 1 | recv b = 1 sent value 8\n"
	  "call 2 to 3 task 2 at-once stat b = 0 length 0 waiting 0 1\n"
	  "call 4 to 13 task 1 waits recv b = 1 value 9\n"
	  "call 5 to 6 task 2 at-once stat b = 0 length 0 waiting 0 2\n"
	  "call 7 to 8 task 2 try send b 8 = 0\n"
	  "call 9 to 10 task 2 try send b 9 = 0\n" },
	{ "who waits longer for an answer gets the second", IMPOSSIBLE,
	  "object a chan 1 senders 4 receivers 4\n"
	  "object b chan 0 senders 4 receivers 4\n"
	  "call 1 to 12 task 0 waits request send a 1 | recv b = 1 sent value 9\n"
	  "call 2 to 3 task 2 at-once stat b = 0 length 0 waiting 0 1\n"
	  "call 4 to 13 task 1 waits recv b = 1 value 8\n"
	  "call 5 to 6 task 2 at-once stat b = 0 length 0 waiting 0 2\n"
	  "call 7 to 8 task 2 try send b 8 = 0\n"
	  "call 9 to 10 task 2 try send b 9 = 0\n" },
	/* ---- handles ---- */
	{ "a handle comes with its message", EXPLAINED,
	  "object a chan 2 senders 4 receivers 4 carries\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 waits select send a 2 = case 0 0\n"
	  "call 5 to 6 task 1 waits recv a = 1 value 1 handle 1\n"
	  "call 7 to 8 task 1 waits select recv a = case 0 1 value 2 handle 2\n" },
	{ "a handle comes with another message", IMPOSSIBLE,
	  "object a chan 2 senders 4 receivers 4 carries\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 waits send a 2 = 0\n"
	  "call 5 to 6 task 1 waits recv a = 1 value 1 handle 2\n" },
	{ "a handle is lost", IMPOSSIBLE,
	  "object a chan 0 senders 4 receivers 4 carries\n"
	  "call 1 to 3 task 0 waits send a 1 = 0\n"
	  "call 2 to 4 task 1 waits recv a = 1 value 1\n" },
	{ "a handle moves up with its message", EXPLAINED,
	  "object a chan 1 senders 4 receivers 4 carries\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 8 task 0 waits send a 2 = 0\n"
	  "call 4 to 5 task 1 at-once stat a = 0 length 1 waiting 1 0\n"
	  "call 6 to 7 task 1 waits recv a = 1 value 1 handle 1\n"
	  "call 9 to 10 task 1 try recv a = 1 value 2 handle 2\n" },
	{ "a batch sends no handles", EXPLAINED,
	  "object a chan 2 senders 4 receivers 4 carries\n"
	  "call 1 to 2 task 0 waits batch 2 to 2 send a 1 = 2\n"
	  "call 3 to 4 task 1 waits recv a = 1 value 1\n"
	  "call 5 to 6 task 1 waits recv a = 1 value 2\n" },
	{ "a batch sends a handle", IMPOSSIBLE,
	  "object a chan 2 senders 4 receivers 4 carries\n"
	  "call 1 to 2 task 0 waits batch 2 to 2 send a 1 = 2\n"
	  "call 3 to 4 task 1 waits recv a = 1 value 1 handle 1\n" },
	{ "a handle from a channel that carries none", IMPOSSIBLE,
	  "object a chan 1 senders 4 receivers 4\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 1 waits recv a = 1 value 1 handle 1\n" },
	{ "a handle of a message that was discarded", IMPOSSIBLE,
	  "object a chan 1 senders 4 receivers 4 drop-oldest carries\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 waits send a 2 = 0\n"
	  "call 5 to 6 task 1 waits recv a = 1 value 2 handle 1\n" },
	/* ---- notices ---- */
	{ "the last handle goes, and a notice comes", EXPLAINED,
	  "object a chan 2 senders 3 receivers 2\n"
	  "object b chan 1 senders 1 receivers 1 tells a\n"
	  "call 1 to 2 task 0 at-once drop-send b = 0\n"
	  "call 3 to 4 task 1 waits recv a = 1 value 2001\n"
	  "call 5 to 6 task 1 try recv a = EAGAIN\n" },
	{ "who waits for it is told that a handle goes", EXPLAINED,
	  "object a chan 2 senders 3 receivers 2\n"
	  "object b chan 1 senders 1 receivers 1 tells a\n"
	  "call 1 to 4 task 1 waits recv a = 1 value 2001\n"
	  "call 2 to 3 task 0 at-once drop-send b = 0\n" },
	{ "the last handle goes, and no notice comes", IMPOSSIBLE,
	  "object a chan 2 senders 3 receivers 2\n"
	  "object b chan 1 senders 1 receivers 1 tells a\n"
	  "call 1 to 2 task 0 at-once drop-send b = 0\n"
	  "call 3 to 4 task 1 try recv a = EAGAIN\n" },
	{ "a notice before the last handle goes", IMPOSSIBLE,
	  "object a chan 2 senders 3 receivers 2\n"
	  "object b chan 1 senders 2 receivers 1 tells a\n"
	  "call 1 to 2 task 0 at-once drop-send b = 0\n"
	  "call 3 to 4 task 1 try recv a = 1 value 2001\n" },
	{ "a notice of what has not gone", IMPOSSIBLE,
	  "object a chan 2 senders 3 receivers 2\n"
	  "object b chan 1 senders 1 receivers 1 tells a\n"
	  "call 1 to 2 task 0 at-once drop-send b = 0\n"
	  "call 3 to 4 task 1 try recv a = 1 value 2002\n" },
	{ "two who go at once are told of twice", EXPLAINED,
	  "object a chan 2 senders 3 receivers 2\n"
	  "object b chan 1 senders 2 receivers 1 tells a\n"
	  "call 1 to 3 task 0 at-once drop-send b = 0\n"
	  "call 2 to 4 task 1 at-once drop-send b = 0\n"
	  "call 5 to 6 task 2 try batch 0 to 3 recv a = 2 value 2001 2001\n" },
	{ "two who go one after the other are told of twice", IMPOSSIBLE,
	  "object a chan 2 senders 3 receivers 2\n"
	  "object b chan 1 senders 2 receivers 1 tells a\n"
	  "call 1 to 2 task 0 at-once drop-send b = 0\n"
	  "call 3 to 4 task 1 at-once drop-send b = 0\n"
	  "call 5 to 6 task 2 try batch 0 to 3 recv a = 2 value 2001 2001\n" },
	{ "two who go at once are not told of", IMPOSSIBLE,
	  "object a chan 2 senders 3 receivers 2\n"
	  "object b chan 1 senders 2 receivers 1 tells a\n"
	  "call 1 to 3 task 0 at-once drop-send b = 0\n"
	  "call 2 to 4 task 1 at-once drop-send b = 0\n"
	  "call 5 to 6 task 2 try recv a = EAGAIN\n" },
	{ "a notice without room is counted", EXPLAINED,
	  "object a chan 0 senders 3 receivers 2\n"
	  "object b chan 1 senders 1 receivers 1 tells a\n"
	  "call 1 to 2 task 0 at-once drop-send b = 0\n"
	  "call 3 to 4 task 1 at-once stat a = 0 length 0 waiting 0 0 dropped 1\n" },
	{ "a notice without room is forgotten", IMPOSSIBLE,
	  "object a chan 0 senders 3 receivers 2\n"
	  "object b chan 1 senders 1 receivers 1 tells a\n"
	  "call 1 to 2 task 0 at-once drop-send b = 0\n"
	  "call 3 to 4 task 1 at-once stat a = 0 length 0 waiting 0 0\n" },
	{ "a notice overtakes a message", IMPOSSIBLE,
	  "object a chan 2 senders 3 receivers 2\n"
	  "object b chan 1 senders 1 receivers 1 tells a\n"
	  "call 1 to 2 task 0 waits send a 1 = 0\n"
	  "call 3 to 4 task 0 at-once drop-send b = 0\n"
	  "call 5 to 6 task 1 waits recv a = 1 value 2001\n" },
	/* ---- locks ---- */
	{ "two processes hold a mutex", IMPOSSIBLE,
	  "object a mutex 0\n"
	  "call 1 to 2 task 0 waits lock a = 0\n"
	  "call 3 to 4 task 1 try lock a = 0\n" },
	{ "unlock hands a mutex on", EXPLAINED,
	  "object a mutex 0\n"
	  "call 1 to 2 task 0 waits lock a = 0\n"
	  "call 3 to 8 task 1 waits lock a = 0\n"
	  "call 4 to 5 task 2 at-once stat a = 0 length 1 waiting 1 0 locked\n"
	  "call 6 to 7 task 0 at-once unlock a = 0\n"
	  "call 9 to 10 task 2 try lock a = EAGAIN\n" },
	{ "a mutex is taken past one who waits", IMPOSSIBLE,
	  "object a mutex 0\n"
	  "call 1 to 2 task 0 waits lock a = 0\n"
	  "call 3 to 12 task 1 til 11 lock a = ETIMEDOUT\n"
	  "call 4 to 5 task 2 at-once stat a = 0 length 1 waiting 1 0 locked\n"
	  "call 6 to 7 task 0 at-once unlock a = 0\n"
	  "call 8 to 9 task 2 try lock a = 0\n" },
	{ "unlock of what another process holds", IMPOSSIBLE,
	  "object a mutex 0\n"
	  "call 1 to 2 task 0 waits lock a = 0\n"
	  "call 3 to 4 task 1 at-once unlock a = 0\n" },
	{ "a reader and a writer together", IMPOSSIBLE,
	  "object a rwmutex 0\n"
	  "call 1 to 2 task 0 waits rlock a = 0\n"
	  "call 3 to 4 task 1 try lock a = 0\n" },
	{ "a reader gets past a writer who waits", IMPOSSIBLE,
	  "object a rwmutex 0\n"
	  "call 1 to 2 task 0 waits rlock a = 0\n"
	  "call 3 to 9 task 1 til 8 lock a = ETIMEDOUT\n"
	  "call 4 to 5 task 2 at-once stat a = 0 length 1 waiting 1 0\n"
	  "call 6 to 7 task 2 try rlock a = 0\n" },
	{ "two do what is to be done once", IMPOSSIBLE,
	  "object a once 0\n"
	  "call 1 to 2 task 0 try lock a = 0\n"
	  "call 3 to 4 task 0 at-once finish a = 0\n"
	  "call 5 to 6 task 1 try lock a = 0\n" },
	/* ---- units ---- */
	{ "more units taken than there are", IMPOSSIBLE,
	  "object a semaphore 2\n"
	  "call 1 to 2 task 0 waits add a 2 = 0\n"
	  "call 3 to 4 task 1 try add a 1 = 0\n" },
	{ "a small request gets past a large one", IMPOSSIBLE,
	  "object a semaphore 2\n"
	  "call 1 to 2 task 0 waits add a 1 = 0\n"
	  "call 3 to 9 task 1 til 8 add a 2 = ETIMEDOUT\n"
	  "call 4 to 5 task 2 at-once stat a = 0 length 1 waiting 0 1\n"
	  "call 6 to 7 task 2 try add a 1 = 0\n" },
	{ "a select that is a try holds a try back", EXPLAINED,
	  "object a semaphore 2\nobject b chan 0 senders 1 receivers 1\n"
	  "call 1 to 2 task 0 waits add a 1 = 0\n"
	  "call 3 to 6 task 1 try select add a 2 | recv b = EAGAIN\n"
	  "call 4 to 5 task 2 try add a 1 = EAGAIN\n" },
	{ "a try of one operation holds nobody back", IMPOSSIBLE,
	  "object a semaphore 2\n"
	  "call 1 to 2 task 0 waits add a 1 = 0\n"
	  "call 3 to 6 task 1 try add a 2 = EAGAIN\n"
	  "call 4 to 5 task 2 try add a 1 = EAGAIN\n" },
	{ "given back what was not taken", IMPOSSIBLE,
	  "object a semaphore 2\n"
	  "call 1 to 2 task 0 at-once done a 1 = 0\n" },
	{ "a wait for zero ends with work under way", IMPOSSIBLE,
	  "object a waitgroup 0\n"
	  "call 1 to 2 task 0 waits add a 1 = 0\n"
	  "call 3 to 4 task 1 waits zero a = 0\n"
	  "call 5 to 6 task 0 at-once done a 1 = 0\n" },
	/* ---- conds and cancels ---- */
	{ "a signal ends a wait, which gave the lock back", EXPLAINED,
	  "object a mutex 0\nobject b cond 0\n"
	  "call 1 to 2 task 0 waits lock a = 0\n"
	  "call 3 to 8 task 0 waits await-signal b a = 0\n"
	  "call 4 to 5 task 1 waits lock a = 0\n"
	  "call 6 to 7 task 1 at-once signal b 1 = 1\n" },
	{ "a signal is missed after the lock was given back", IMPOSSIBLE,
	  "object a mutex 0\nobject b cond 0\n"
	  "call 1 to 2 task 0 waits lock a = 0\n"
	  "call 3 to 10 task 0 til 9 await-signal b a = ETIMEDOUT\n"
	  "call 4 to 5 task 1 waits lock a = 0\n"
	  "call 6 to 7 task 1 at-once signal b 1 = 0\n" },
	{ "a cancel keeps its first cause", IMPOSSIBLE,
	  "object a cancel 0\n"
	  "call 1 to 2 task 0 at-once cancel a 5 = 1\n"
	  "call 3 to 4 task 0 at-once cancel a 6 = 0\n"
	  "call 5 to 6 task 1 waits await-cancel a = 0 value 6\n" },
};

static bool read_text(const char *text, struct history *h)
{
	char whole[2048];
	FILE *from;
	bool ok;

	snprintf(whole, sizeof(whole), "history seed 0, 4 processes\n%s", text);
	from = fmemopen(whole, strlen(whole), "r");
	ok = from && history_read(h, from);
	if (from)
		fclose(from);
	return ok;
}

/* What is written is read as the same again. */
static bool survives_print(const struct history *h)
{
	char text[4096];
	struct history again;
	FILE *f = fmemopen(text, sizeof(text), "w+");
	bool same;

	history_print(h, f);
	rewind(f);
	same = history_read(&again, f) && !memcmp(h, &again, sizeof(again));
	fclose(f);
	return same;
}

/**
 * examples_main() - judge the histories written by hand, as TAP
 *
 * Return: exit status
 */
int examples_main(void)
{
	size_t n = sizeof(examples) / sizeof(examples[0]);
	int status = 0;

	printf("TAP version 13\n1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		const struct example *e = &examples[i];
		struct history h;
		bool ok = read_text(e->text, &h);

		ok = ok && history_judge(&h).verdict == e->verdict && survives_print(&h);
		printf("%s %zu %s: %s\n", ok ? "ok" : "not ok", i + 1,
		       e->verdict == EXPLAINED ? "may be" : "cannot be", e->name);
		status |= !ok;
	}
	return status;
}
