// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's select5: one channel operation, phrased in every way there is: among all
 * sets of cases that are not ready, in every place, waiting or not.  The tables
 * generate the selects when the test runs.
 */
#include <kselftest_harness.h>
#include "select_util.h"

/* The one case that can do something. */
enum real { SENDS, RECEIVES, SEES_THE_END, IS_BROKEN, IS_NOT_THERE, REALS };

static const int outcomes[REALS] = { 0, 1, 0, -EPIPE, 0 };

/* Cases that are never ready, any of which may stand beside it. */
enum idle { IDLE_SEND, IDLE_RECV, NIL_SEND, NIL_RECV, FULL_SEND, IDLES };

/* How the select waits. */
static const struct {
	__u32 flags;
	int error;	/* when nothing is ready; 0: it waits */
} ways[] = {
	{ 0, 0 },
	{ KCHAN_NONBLOCK, EAGAIN },
	{ KCHAN_DEADLINE, ETIMEDOUT },
	{ KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME, ETIMEDOUT },
	{ KCHAN_NONBLOCK | KCHAN_DEADLINE, EAGAIN },
	{ KCHAN_IN_ORDER, 0 },
	{ KCHAN_IN_ORDER | KCHAN_NONBLOCK, EAGAIN },
};

/* Each of these selects three times: what a random choice could hide once. */
enum { TIMES = 3 };

FIXTURE(select5) {
	int c;		/* one message of room; what really happens, happens here */
	int ended;
	int idle;
	int full;
	struct kchan_stat before[2];
	__u64 next;	/* the message to come */
};

FIXTURE_SETUP(select5)
{
	self->c = make_chan(8, 1);
	self->ended = make_chan(8, 1);
	ASSERT_EQ(0, chan_close(self->ended));
	self->idle = make_chan(8, 0);
	self->full = make_chan(8, 1);
	ASSERT_EQ(0, send64(self->full, 3));
	self->before[0] = chan_stat(self->idle);
	self->before[1] = chan_stat(self->full);
}

FIXTURE_TEARDOWN(select5)
{
	EXPECT_EQ(true, same_stat(self->before[0], self->idle));
	EXPECT_EQ(true, same_stat(self->before[1], self->full));
	EXPECT_EQ(0, chan_stat(self->c).length);
}

static void add_idle(FIXTURE_DATA(select5) *self, struct one_select *s, enum idle idle)
{
	switch (idle) {
	case IDLE_SEND:
		return with_send(s, self->idle, 1);
	case IDLE_RECV:
		return with_recv(s, self->idle);
	case NIL_SEND:
		return with_send(s, NO_CHAN, 1);
	case NIL_RECV:
		return with_recv(s, NO_CHAN);
	case FULL_SEND:
		return with_send(s, self->full, 1);
	case IDLES:
		break;
	}
	die("no such case: %d", idle);
}

static void add_real(FIXTURE_DATA(select5) *self, struct one_select *s, enum real real)
{
	switch (real) {
	case SENDS:
		return with_send(s, self->c, self->next);
	case RECEIVES:
		return with_recv(s, self->c);
	case SEES_THE_END:
		return with_recv(s, self->ended);
	case IS_BROKEN:
		return with_send(s, self->ended, 1);
	case IS_NOT_THERE:
		return;
	case REALS:
		break;
	}
	die("no such case: %d", real);
}

/* The cases in @set, with the real one in that place among them. */
static void generate(FIXTURE_DATA(select5) *self, struct one_select *s, enum real real,
		     unsigned int set, __u32 place)
{
	memset(s, 0, sizeof(*s));
	for (enum idle i = 0; i <= IDLES; i++) {
		if (s->nr == place)
			add_real(self, s, real);
		if (i < IDLES && set & 1u << i)
			add_idle(self, s, i);
	}
}

static void prepare(FIXTURE_DATA(select5) *self, enum real real)
{
	self->next++;
	if (real == RECEIVES)
		must(!try_send64(self->c, self->next));
}

/* The real case was chosen, and did what it says, and nothing else was done. */
static void expect_real(struct __test_metadata *_metadata, FIXTURE_DATA(select5) *self,
			const struct one_select *s, enum real real, __u32 place)
{
	__u64 v;

	EXPECT_EQ(place, s->chosen.index);
	EXPECT_EQ(outcomes[real], s->chosen.outcome);
	EXPECT_EQ(0, s->chosen.value);
	EXPECT_EQ(true, others_untouched(s));
	if (real == RECEIVES) {
		EXPECT_EQ(self->next, s->values[place]);
	} else if (real == SEES_THE_END) {
		EXPECT_EQ(0, s->values[place]);
	} else if (real == SENDS) {
		EXPECT_EQ(1, try_recv64(self->c, &v));
		EXPECT_EQ(self->next, v);
	}
	EXPECT_EQ(-EAGAIN, try_recv64(self->c, &v));
}

static void run(struct __test_metadata *_metadata, FIXTURE_DATA(select5) *self, enum real real,
		unsigned int set, __u32 place)
{
	struct one_select s;

	for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
		for (int times = 0; times < TIMES; times++) {
			prepare(self, real);
			generate(self, &s, real, set, place);
			s.flags = ways[way].flags;
			if (real != IS_NOT_THERE) {
				select_once(&s);
				expect_real(_metadata, self, &s, real, place);
			} else if (ways[way].error) {
				select_once(&s);
				EXPECT_FAILED(ways[way].error, s.chosen);
				EXPECT_EQ(true, others_untouched(&s));
			}
		}
	}
}

static void run_all(struct __test_metadata *_metadata, FIXTURE_DATA(select5) *self, enum real real)
{
	for (unsigned int set = 0; set < 1u << IDLES; set++) {
		__u32 last = real == IS_NOT_THERE ? 0 : __builtin_popcount(set);

		for (__u32 place = 0; place <= last; place++)
			run(_metadata, self, real, set, place);
	}
}

TEST_F(select5, send)
{
	run_all(_metadata, self, SENDS);
}

TEST_F(select5, receive)
{
	run_all(_metadata, self, RECEIVES);
}

TEST_F(select5, receive_at_the_end)
{
	run_all(_metadata, self, SEES_THE_END);
}

TEST_F(select5, send_on_closed)
{
	run_all(_metadata, self, IS_BROKEN);
}

/* Only the default is left, or the deadline. */
TEST_F(select5, nothing_ready)
{
	run_all(_metadata, self, IS_NOT_THERE);
}

TEST_HARNESS_MAIN
