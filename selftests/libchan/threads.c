// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many threads on the same handles at once.  Also built with the address and
 * with the thread sanitizer, together with libchan's own sources.
 */
#include "kselftest_harness.h"
#include "chan_util.h"

#define TEAM 4
#define EACH 500

struct element {
	uint32_t sender, number;
};

struct crowd {
	struct chan *c;
	uint32_t sender;
	uint32_t received;
	uint8_t seen[TEAM][EACH];
};

static int send_numbers(void *arg)
{
	struct crowd *me = arg;
	struct element e = { .sender = me->sender };

	for (; e.number < EACH; e.number++)
		CHECK(!chan_send(me->c, &e));
	return 0;
}

/* Each sender's numbers come in order, though other receivers take some. */
static int recv_numbers(void *arg)
{
	uint32_t next[TEAM] = { 0 };
	struct crowd *me = arg;
	struct element e;

	chan_range(me->c, &e) {
		CHECK(e.sender < TEAM && e.number < EACH);
		CHECK(e.number >= next[e.sender]);
		next[e.sender] = e.number + 1;
		me->seen[e.sender][e.number]++;
		me->received++;
	}
	CHECK(errno == 0);
	return 0;
}

/* Everything arrived exactly once, whoever took it. */
static bool each_once(const struct crowd *receivers)
{
	for (int s = 0; s < TEAM; s++) {
		for (int n = 0; n < EACH; n++) {
			int times = 0;

			for (int r = 0; r < TEAM; r++)
				times += receivers[r].seen[s][n];
			if (times != 1)
				return false;
		}
	}
	return true;
}

FIXTURE(crowd)
{
	int unused;
};

FIXTURE_VARIANT(crowd)
{
	size_t capacity;
};

FIXTURE_VARIANT_ADD(crowd, rendezvous) { .capacity = 0 };
FIXTURE_VARIANT_ADD(crowd, one) { .capacity = 1 };
FIXTURE_VARIANT_ADD(crowd, many) { .capacity = 64 };

FIXTURE_SETUP(crowd)
{
}

FIXTURE_TEARDOWN(crowd)
{
}

TEST_F(crowd, each_element_once_and_in_order)
{
	static struct crowd senders[TEAM], receivers[TEAM];
	struct task *send_tasks[TEAM], *recv_tasks[TEAM];
	struct chan *c = must_make(sizeof(struct element), variant->capacity);
	int i;

	for (i = 0; i < TEAM; i++) {
		senders[i] = (struct crowd){ .c = c, .sender = i };
		receivers[i] = (struct crowd){ .c = c };
		recv_tasks[i] = task_start(THREAD, recv_numbers, &receivers[i]);
		send_tasks[i] = task_start(THREAD, send_numbers, &senders[i]);
	}
	for (i = 0; i < TEAM; i++)
		EXPECT_EQ(0, task_join(send_tasks[i]));
	EXPECT_EQ(0, err(chan_close(c)));
	for (i = 0; i < TEAM; i++)
		EXPECT_EQ(0, task_join(recv_tasks[i]));
	EXPECT_TRUE(each_once(receivers));
	EXPECT_EQ(0, chan_len(c));
	chan_drop(c);
}

#ifndef SAN_thread
/*
 * A send happens before its receive is done: plain memory written before the
 * one may be read after the other.  The thread sanitizer cannot know that.
 */
struct baton {
	struct chan *there, *back;
	int *plain;
};

static int increment(void *arg)
{
	struct baton *baton = arg;

	for (int i = 0; i < EACH; i++) {
		CHECK(chan_recv(baton->there, NULL) == 1);
		++*baton->plain;
		CHECK(!chan_send(baton->back, NULL));
	}
	return 0;
}

TEST(send_happens_before_receive)
{
	int plain = 0;
	struct baton baton = { must_make(0, 1), must_make(0, 1), &plain };
	struct task *task = task_start(THREAD, increment, &baton);

	for (int i = 0; i < EACH; i++) {
		ASSERT_EQ(2 * i, plain);
		plain++;
		ASSERT_EQ(0, err(chan_send(baton.there, NULL)));
		ASSERT_EQ(1, err(chan_recv(baton.back, NULL)));
	}
	EXPECT_EQ(0, task_join(task));
	chan_drop(baton.there);
	chan_drop(baton.back);
}
#endif

/* Every call at once on one handle: none may disturb another. */
static int ask(void *arg)
{
	struct chan *c = arg;
	struct chan_stat stat;

	for (int i = 0; i < EACH; i++) {
		struct chan *r = chan_restrict(c, CHAN_RECV);

		CHECK(r && chan_cap(r) == 8 && chan_elem_size(r) == sizeof(int));
		CHECK(!chan_stat(r, &stat) && stat.rights == CHAN_RECV);
		CHECK(chan_len(c) >= 0 && chan_len(c) <= 8);
		CHECK(chan_fd(c) >= 0);
		CHECK(strlen(chan_strerror(i % 140)) > 0);
		chan_drop(r);
	}
	return 0;
}

static int send_and_take(void *arg)
{
	struct chan *c = arg;
	int value = 1;

	for (int i = 0; i < EACH; i++) {
		CHECK(!chan_send(c, &value));
		CHECK(chan_recv(c, &value) == 1);
	}
	return 0;
}

TEST(every_call_at_once)
{
	struct chan *c = must_make(sizeof(int), 8);
	struct task *tasks[2 * TEAM];
	int i;

	for (i = 0; i < 2 * TEAM; i++)
		tasks[i] = task_start(THREAD, i % 2 ? ask : send_and_take, c);
	for (i = 0; i < 2 * TEAM; i++)
		EXPECT_EQ(0, task_join(tasks[i]));
	EXPECT_EQ(0, chan_len(c));
	EXPECT_TRUE(waiting(chan_fd(c), 0, 0));
	chan_drop(c);
}

/* Handles made and dropped by many threads, while channels come and go. */
static int make_and_drop(void *arg)
{
	(void)arg;
	for (int i = 0; i < EACH / 10; i++) {
		struct chan *c = chan_make(16, 4), *r;

		CHECK(c);
		r = chan_from_fd(dup(chan_fd(c)));
		CHECK(r);
		chan_drop(c);
		c = chan_from_fd(chan_into_fd(r));
		CHECK(c && chan_cap(c) == 4);
		chan_drop(c);
	}
	return 0;
}

TEST(handles_come_and_go)
{
	struct task *tasks[TEAM];
	int i;

	for (i = 0; i < TEAM; i++)
		tasks[i] = task_start(THREAD, make_and_drop, NULL);
	for (i = 0; i < TEAM; i++)
		EXPECT_EQ(0, task_join(tasks[i]));
}

TEST_HARNESS_MAIN
