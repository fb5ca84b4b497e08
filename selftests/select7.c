// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's select7: every way to receive meets every way to send: the single call,
 * a select of one case, and a select of two.
 */
#include <kselftest_harness.h>
#include "select_util.h"

enum form { SINGLE, ONE_CASE, TWO_CASES, FORMS };

TASK_FIXTURE(select7);

struct call {
	enum form form;
	int c;
	int idle;	/* the caller's own: nobody meets there */
	__u64 value;
	int ret;
};

/* Never chosen; its buffer stays as it was. */
static __u64 unused = POISON;

static int select_in_form(struct kchan_case real, struct kchan_case never, enum form form)
{
	struct kchan_case cases[] = { real, never };
	struct chosen c = kchan_select(cases, form == TWO_CASES ? 2 : 1, 0, 0);

	CHECK(c.index == 0);
	CHECK(unused == POISON);
	return c.outcome;
}

static int receive(void *arg)
{
	struct call *call = arg;

	if (call->form == SINGLE)
		call->ret = recv64(call->c, &call->value);
	else
		call->ret = select_in_form(on_recv64(call->c, &call->value),
					   on_recv64(call->idle, &unused), call->form);
	return 0;
}

static int send_in_form(struct call call)
{
	if (call.form == SINGLE)
		return send64(call.c, call.value);
	return select_in_form(on_send64(call.c, &call.value), on_send64(call.idle, &call.value),
			      call.form);
}

static void receive_then_send(struct __test_metadata *_metadata, enum task_kind kind,
			      enum form receiver, enum form sender)
{
	int c = make_chan(8, 0), idle[] = { make_chan(8, 0), make_chan(8, 0) };
	struct call *call = shared_alloc(sizeof(*call));
	struct task *t;

	*call = (struct call){ receiver, c, idle[0], POISON, 7 };
	t = task_start(kind, receive, call);
	wait_waiting(c, 0, 1);
	EXPECT_EQ(0, send_in_form((struct call){ sender, c, idle[1], 5, 7 }));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, call->ret);
	EXPECT_EQ(5, call->value);
	EXPECT_EQ(true, waiting(c, 0, 0));
	EXPECT_EQ(true, waiting(idle[0], 0, 0));
	EXPECT_EQ(true, waiting(idle[1], 0, 0));
}

TEST_F(select7, receiver_waits)
{
	for (int forms = 0; forms < FORMS * FORMS; forms++)
		receive_then_send(_metadata, variant->kind, forms / FORMS, forms % FORMS);
}

static int send_in_task(void *arg)
{
	struct call *call = arg;

	call->ret = send_in_form(*call);
	return 0;
}

TEST_F(select7, sender_waits)
{
	for (int forms = 0; forms < FORMS * FORMS; forms++) {
		int c = make_chan(8, 0), idle[] = { make_chan(8, 0), make_chan(8, 0) };
		struct call *call = shared_alloc(sizeof(*call));
		struct call mine = { forms % FORMS, c, idle[0], POISON, 7 };
		struct task *t;

		*call = (struct call){ forms / FORMS, c, idle[1], 5, 7 };
		t = task_start(variant->kind, send_in_task, call);
		wait_waiting(c, 1, 0);
		EXPECT_EQ(0, receive(&mine));
		EXPECT_EQ(1, mine.ret);
		EXPECT_EQ(5, mine.value);
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(0, call->ret);
		EXPECT_EQ(true, waiting(c, 0, 0));
		EXPECT_EQ(true, waiting(idle[0], 0, 0));
		EXPECT_EQ(true, waiting(idle[1], 0, 0));
	}
}

TEST_HARNESS_MAIN
