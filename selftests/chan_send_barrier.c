// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's TestChanSendBarrier: many requests at once, each with a channel of its
 * own that lives for one answer.  What was written before the send must be
 * there with the message, also where that channel's memory was another's a
 * moment ago.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { REQUESTERS = 4, REQUESTS = 60 };

TASK_FIXTURE(chan_send_barrier);

struct answer {
	__u64 number;
	__u8 text[56];
};

struct request {
	int c;
	__u64 number;
};

static int send_answer(void *arg)
{
	struct request *r = arg;
	struct answer a = { .number = r->number };

	memset(a.text, a.number, sizeof(a.text));
	return chan_send(r->c, &a, sizeof(a));
}

static int request_repeatedly(void *arg)
{
	struct answer a;
	struct task *t;

	(void)arg;
	for (__u64 i = 0; i < REQUESTS; i++) {
		struct request r = { make_chan(sizeof(a), 1), my_tid() * 1000ull + i };

		t = task_start(THREAD, send_answer, &r);
		memset(&a, 0xa5, sizeof(a));
		CHECK(chan_recv(r.c, &a, sizeof(a)) == 1);
		CHECK(a.number == r.number);
		for (size_t j = 0; j < sizeof(a.text); j++)
			CHECK(a.text[j] == (__u8)a.number);
		CHECK(task_join(t) == 0);
		close(r.c);
	}
	return 0;
}

TEST_F(chan_send_barrier, requests)
{
	struct task *tasks[REQUESTERS];

	for (int i = 0; i < REQUESTERS; i++)
		tasks[i] = task_start(variant->kind, request_repeatedly, NULL);
	for (int i = 0; i < REQUESTERS; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
}

TEST_HARNESS_MAIN
