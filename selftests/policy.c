// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a send does that finds the buffer full: which messages stay, in which order,
 * and how many are counted as dropped.  Where somebody waits, or there is room, or
 * nobody can receive, a policy changes nothing.
 */
#include <stddef.h>
#include <kselftest_harness.h>
#include "select_util.h"

enum { MOST_SIZE = 200, MOST_CAPACITY = 3 };

FIXTURE(policy) {
	int c;
};

FIXTURE_VARIANT(policy) {
	__u32 policy;
	__u64 capacity;
	__u32 size;
};

#define ADD(name, which, cap, bytes)							\
	FIXTURE_VARIANT_ADD(policy, name##_##cap##_of_##bytes) {				\
		KCHAN_POLICY_##which, cap, bytes,					\
	};
#define ADD_SIZES(name, which, cap)							\
	ADD(name, which, cap, 0) ADD(name, which, cap, 8) ADD(name, which, cap, 200)
#define ADD_CAPACITIES(name, which)							\
	ADD_SIZES(name, which, 1) ADD_SIZES(name, which, 3)

ADD_CAPACITIES(drop_newest, DROP_NEWEST)
ADD_CAPACITIES(drop_oldest, DROP_OLDEST)
ADD_CAPACITIES(latest, LATEST)

FIXTURE_SETUP(policy)
{
	self->c = make_policy_chan(variant->size, variant->capacity, variant->policy);
}

FIXTURE_TEARDOWN(policy)
{
	close(self->c);
}

static void fill(__u8 *buf, __u32 size, int n)
{
	for (__u32 i = 0; i < size; i++)
		buf[i] = n * 37 + i;
}

static int send_number(int c, __u32 size, int n)
{
	__u8 buf[MOST_SIZE];

	fill(buf, size, n);
	return chan_send(c, buf, size);
}

/* Whether the next message is this one; signals are all alike. */
static int recv_number(int c, __u32 size, int n)
{
	__u8 buf[MOST_SIZE], expected[MOST_SIZE];

	CHECK(chan_try_recv(c, buf, size) == 1);
	fill(expected, size, n);
	CHECK(!memcmp(buf, expected, size));
	return 0;
}

static void fill_up(FIXTURE_DATA(policy) *self, const FIXTURE_VARIANT(policy) *variant)
{
	for (__u64 i = 1; i <= variant->capacity; i++)
		must(!send_number(self->c, variant->size, i));
	must(chan_stat(self->c).length == variant->capacity);
}

TEST_F(policy, is_told)
{
	EXPECT_EQ(variant->policy, chan_stat(self->c).policy);
	EXPECT_EQ(0, chan_stat(self->c).dropped);
	EXPECT_EQ(variant->policy, chan_stat(restrict_to(self->c, KCHAN_RIGHT_SEND)).policy);
}

/* Room for all: nothing is dropped, as without a policy. */
TEST_F(policy, takes_what_there_is_room_for)
{
	for (int round = 0; round < 5; round++) {
		fill_up(self, variant);
		for (__u64 i = 1; i <= variant->capacity; i++) {
			EXPECT_EQ(0, recv_number(self->c, variant->size, i));
		}
	}
	EXPECT_EQ(0, chan_stat(self->c).dropped);
	EXPECT_EQ(-EAGAIN, chan_try_recv(self->c, (__u8[MOST_SIZE]){ 0 }, variant->size));
}

/* The first of what stays after 1, 2, ... @sent were sent to an empty buffer. */
static int first_left(const FIXTURE_VARIANT(policy) *variant, int sent)
{
	int capacity = variant->capacity;

	switch (variant->policy) {
	case KCHAN_POLICY_DROP_NEWEST:
		return 1;
	case KCHAN_POLICY_DROP_OLDEST:
		return sent - capacity + 1;
	default:
		/* Each that found it full began anew. */
		return (sent - 1) / capacity * capacity + 1;
	}
}

static int nr_left(const FIXTURE_VARIANT(policy) *variant, int sent)
{
	if (variant->policy == KCHAN_POLICY_LATEST)
		return sent - first_left(variant, sent) + 1;
	return variant->capacity;
}

TEST_F(policy, what_stays_of_too_many)
{
	for (int sent = variant->capacity; sent < 12; sent++) {
		int c = make_policy_chan(variant->size, variant->capacity, variant->policy);
		int left = nr_left(variant, sent);

		for (int n = 1; n <= sent; n++) {
			ASSERT_EQ(0, send_number(c, variant->size, n));
		}
		EXPECT_EQ(sent - left, chan_stat(c).dropped);
		EXPECT_EQ(left, chan_stat(c).length);
		for (int i = 0; i < left; i++) {
			EXPECT_EQ(0, recv_number(c, variant->size, first_left(variant, sent) + i));
		}
		EXPECT_EQ(0, chan_stat(c).length);
		EXPECT_EQ(sent - left, chan_stat(c).dropped);
		close(c);
	}
}

/* A buffer as it ought to be, with the oldest first. */
struct expected {
	int messages[MOST_CAPACITY + 1];
	int nr, dropped;
};

static void take_out(struct expected *e, int n)
{
	e->nr -= n;
	memmove(e->messages, e->messages + n, e->nr * sizeof(e->messages[0]));
}

static void put_in(struct expected *e, const FIXTURE_VARIANT(policy) *v, int n)
{
	bool full = e->nr == (int)v->capacity;

	if (full) {
		int drop = v->policy == KCHAN_POLICY_LATEST ? e->nr : 1;

		e->dropped += drop;
		if (v->policy == KCHAN_POLICY_DROP_NEWEST)
			return;
		take_out(e, drop);
	}
	e->messages[e->nr++] = n;
}

/* Wherever in its ring the buffer begins. */
TEST_F(policy, sends_and_receives_in_turn)
{
	struct expected e = { .nr = 0 };
	unsigned int seed = 1;
	int sent = 0;

	for (int step = 0; step < 500; step++) {
		if (e.nr && rand_r(&seed) % 3 == 0) {
			ASSERT_EQ(0, recv_number(self->c, variant->size, e.messages[0]));
			take_out(&e, 1);
		} else {
			ASSERT_EQ(0, send_number(self->c, variant->size, ++sent));
			put_in(&e, variant, sent);
		}
		ASSERT_EQ(e.nr, chan_stat(self->c).length);
		ASSERT_EQ(e.dropped, chan_stat(self->c).dropped);
	}
	EXPECT_LT(0, e.dropped);
}

/* However it is asked not to wait: it would not have. */
TEST_F(policy, every_way_of_sending_succeeds)
{
	const __u32 size = variant->size;
	__u8 buf[MOST_SIZE] = { 0 };
	struct kchan_case send = on_send(self->c, buf, size);
	__u64 dropped = variant->policy == KCHAN_POLICY_LATEST && variant->capacity == 3 ? 3 : 1;

	fill_up(self, variant);
	EXPECT_EQ(0, chan_try_send(self->c, buf, size));
	EXPECT_EQ(dropped, chan_stat(self->c).dropped);
	EXPECT_EQ(0, chan_msg(self->c, KCHAN_SEND, buf, size, KCHAN_DEADLINE, 0));
	if (size) {
		EXPECT_EQ(size, write(self->c, buf, size));
	} else {
		EXPECT_EQ(0, chan_send(self->c, buf, size));
	}
	while (chan_stat(self->c).length < variant->capacity) {
		ASSERT_EQ(0, chan_send(self->c, buf, size));
	}
	dropped = chan_stat(self->c).dropped;
	EXPECT_CHOSE(0, 0, kchan_select(&send, 1, KCHAN_READY, 0));
	EXPECT_CHOSE(0, 0, kchan_select(&send, 1, KCHAN_READY | KCHAN_NONBLOCK, 0));
	EXPECT_EQ(dropped, chan_stat(self->c).dropped);
	EXPECT_CHOSE(0, 0, kchan_select(&send, 1, 0, 0));
	EXPECT_LT(dropped, chan_stat(self->c).dropped);
	must(!fcntl(self->c, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(0, chan_send(self->c, buf, size));
}

/* Of a select's cases, none of which could wait, any may be chosen. */
TEST_F(policy, select_chooses_a_full_channel_too)
{
	int other = make_policy_chan(variant->size, variant->capacity, variant->policy);
	__u8 buf[MOST_SIZE] = { 0 };
	int chosen[2] = { 0 };

	fill_up(self, variant);
	for (int i = 0; i < 100; i++) {
		struct chosen c = select_of(on_send(self->c, buf, variant->size),
					    on_send(other, buf, variant->size));

		ASSERT_EQ(0, c.outcome);
		ASSERT_LE(0, c.index);
		chosen[c.index]++;
	}
	EXPECT_LT(0, chosen[0]);
	EXPECT_LT(0, chosen[1]);
	close(other);
}

TEST_F(policy, a_full_channel_is_writable)
{
	int sender = restrict_to(self->c, KCHAN_RIGHT_SEND);

	EXPECT_EQ(POLLOUT, poll_now(sender, POLLOUT));
	fill_up(self, variant);
	EXPECT_EQ(POLLOUT, poll_now(sender, POLLOUT));
	EXPECT_EQ(0, send_number(self->c, variant->size, 9));
	EXPECT_EQ(POLLOUT, poll_now(sender, POLLOUT));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->c, POLLIN | POLLOUT));
}

/* Nothing is dropped by a send that fails. */
TEST_F(policy, closed)
{
	struct kchan_stat before;

	fill_up(self, variant);
	ASSERT_EQ(0, chan_close(self->c));
	before = chan_stat(self->c);
	EXPECT_EQ(-EPIPE, send_number(self->c, variant->size, 9));
	EXPECT_EQ(POLLOUT | POLLERR, poll_now(self->c, POLLOUT) & ~POLLHUP);
	EXPECT_EQ(true, same_stat(before, self->c));
	for (__u64 i = 1; i <= variant->capacity; i++) {
		EXPECT_EQ(0, recv_number(self->c, variant->size, i));
	}
	EXPECT_EQ(0, chan_recv(self->c, (__u8[MOST_SIZE]){ 0 }, variant->size));
}

TEST_F(policy, nobody_can_receive)
{
	int c = make_policy_chan(variant->size, variant->capacity, variant->policy);
	int sender = restrict_to(c, KCHAN_RIGHT_SEND);
	struct kchan_stat before;

	ASSERT_EQ(0, send_number(c, variant->size, 1));
	close(c);
	before = chan_stat(sender);
	for (__u64 i = 0; i <= variant->capacity; i++) {
		EXPECT_EQ(-EPIPE, send_number(sender, variant->size, 2));
	}
	EXPECT_EQ(true, same_stat(before, sender));
	close(sender);
}

TEST_F(policy, bad_memory_and_wrong_lengths_drop_nothing)
{
	__u8 *hole = page_before_hole() + PAGE;
	struct kchan_case bad = on_send(self->c, hole - 1, variant->size);
	struct kchan_stat before;

	fill_up(self, variant);
	before = chan_stat(self->c);
	EXPECT_EQ(-EMSGSIZE, chan_send(self->c, hole, variant->size + 1));
	if (variant->size) {
		EXPECT_EQ(-EFAULT, chan_send(self->c, hole, variant->size));
		EXPECT_EQ(-EFAULT, chan_try_send(self->c, hole - 1, variant->size));
		EXPECT_EQ(-EFAULT, chan_send(self->c, NULL, variant->size));
		EXPECT_EQ(-EFAULT, kchan_select(&bad, 1, 0, 0).index);
	}
	EXPECT_EQ(true, same_stat(before, self->c));
	for (__u64 i = 1; i <= variant->capacity; i++) {
		EXPECT_EQ(0, recv_number(self->c, variant->size, i));
	}
}

/* Memory that merely is not there yet is brought in, and the policy is kept to once. */
TEST_F(policy, untouched_memory_is_good)
{
	fill_up(self, variant);
	EXPECT_EQ(0, chan_send(self->c, map_pages(1), variant->size));
	EXPECT_EQ(variant->policy == KCHAN_POLICY_LATEST ? variant->capacity : 1,
		  chan_stat(self->c).dropped);
}

TEST(what_makes_no_sense)
{
	const __u32 bad[] = { KCHAN_POLICY_LATEST + 1, 8, 1u << 31, UINT_MAX };
	int dev = open_device();

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, try_make_policy_chan(dev, 8, 1, bad[i], 0));
		EXPECT_EQ(-EINVAL, try_make_policy_chan(dev, 8, 0, bad[i], 0));
	}
	/* There is no buffer that could be full. */
	for (__u32 policy = KCHAN_POLICY_DROP_NEWEST; policy <= KCHAN_POLICY_LATEST; policy++) {
		EXPECT_EQ(-EINVAL, try_make_policy_chan(dev, 8, 0, policy, 0));
		EXPECT_EQ(-EINVAL, try_make_policy_chan(dev, 0, 0, policy, 0));
	}
	close(dev);
}

TEST(is_offered)
{
	__u64 all = KCHAN_FEATURE_POLICY | KCHAN_FEATURE_BATCH | KCHAN_FEATURE_CALL;

	EXPECT_EQ(all, get_features().features & all);
	EXPECT_LE(3, get_features().abi_version);
}

/* A channel without one waits, and counts nothing. */
TEST(none_drops_nothing)
{
	int c = make_policy_chan(8, 1, KCHAN_POLICY_BLOCK);

	ASSERT_EQ(0, send64(c, 1));
	EXPECT_EQ(-EAGAIN, try_send64(c, 2));
	EXPECT_EQ(0, poll_now(c, POLLOUT));
	EXPECT_EQ(KCHAN_POLICY_BLOCK, chan_stat(c).policy);
	EXPECT_EQ(0, chan_stat(c).dropped);
}

/* A batch is as many sends: it never waits either. */
TEST(batches_are_dropped_one_by_one)
{
	static const struct {
		__u32 policy;
		__u64 first, left;
	} table[] = {
		{ KCHAN_POLICY_DROP_NEWEST, 1, 3 },
		{ KCHAN_POLICY_DROP_OLDEST, 98, 3 },
		{ KCHAN_POLICY_LATEST, 100, 1 },
	};
	__u64 sent[100], got[4];

	for (int i = 0; i < 100; i++)
		sent[i] = i + 1;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int c = make_policy_chan(8, 3, table[i].policy);

		EXPECT_EQ(100, send_batch64(c, sent, 100));
		EXPECT_EQ(100 - table[i].left, chan_stat(c).dropped);
		EXPECT_EQ(table[i].left, try_recv_batch64(c, got, 4));
		for (__u64 n = 0; n < table[i].left; n++) {
			EXPECT_EQ(table[i].first + n, got[n]);
		}
		close(c);
	}
}

/* ---- somebody waits ---- */

FIXTURE(waiters) {
	int c;
};

FIXTURE_VARIANT(waiters) {
	enum task_kind kind;
	__u32 policy;
};

#define ADD_KINDS(name, which)								\
	FIXTURE_VARIANT_ADD(waiters, name##_threads) { THREAD, KCHAN_POLICY_##which };	\
	FIXTURE_VARIANT_ADD(waiters, name##_processes) { PROCESS, KCHAN_POLICY_##which };

ADD_KINDS(drop_newest, DROP_NEWEST)
ADD_KINDS(drop_oldest, DROP_OLDEST)
ADD_KINDS(latest, LATEST)

FIXTURE_SETUP(waiters)
{
	self->c = make_policy_chan(8, 1, variant->policy);
}

FIXTURE_TEARDOWN(waiters)
{
	close(self->c);
}

/* Each send goes to the first who waits; only then is there a buffer to be full. */
TEST_F(waiters, are_served_and_nothing_is_dropped)
{
	enum { N = 3 };
	struct one_value *one = shared_alloc(N * sizeof(*one));
	struct task *tasks[N];
	__u64 v;

	for (int i = 0; i < N; i++) {
		one[i].fd = self->c;
		tasks[i] = task_start(variant->kind, recv_one, &one[i]);
		wait_waiting(self->c, 0, i + 1);
	}
	for (int i = 0; i < N + 1; i++) {
		EXPECT_EQ(0, send64(self->c, 10 + i));
	}
	for (int i = 0; i < N; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
		EXPECT_EQ(1, one[i].ret);
		EXPECT_EQ(10 + i, one[i].value);
	}
	EXPECT_EQ(0, chan_stat(self->c).dropped);
	EXPECT_EQ(1, try_recv64(self->c, &v));
	EXPECT_EQ(10 + N, v);
}

static int poll_for_message(void *arg)
{
	struct pollfd p = { .fd = *(int *)arg, .events = POLLIN };

	CHECK(poll(&p, 1, -1) == 1);
	CHECK(p.revents == POLLIN);
	return 0;
}

/* What a select watches for becomes ready as without a policy. */
TEST_F(waiters, pollers_are_woken)
{
	int *fd = shared_alloc(sizeof(*fd));
	struct task *t;

	*fd = self->c;
	t = task_start(variant->kind, poll_for_message, fd);
	wait_asleep(t);
	EXPECT_EQ(0, send64(self->c, 1));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, chan_stat(self->c).dropped);
}

/* ---- many at once: what is sent is received, or dropped and counted, or left ---- */

enum { SENDERS = 2, RECEIVERS = 2, VALUES = 3000 };

struct books {
	int c;
	int next_sender, next_receiver;
	__u64 received[RECEIVERS];
};

/* What is sent says by whom, and as the how manyeth.  Receivers get a chance, too. */
static int send_all(void *arg)
{
	struct books *b = arg;
	__u64 me = count_up(&b->next_sender);

	for (__u64 i = 1; i <= VALUES; i++) {
		CHECK(send64(b->c, me << 32 | i) == 0);
		if (i % 4 == 0)
			sched_yield();
	}
	return 0;
}

static int recv_all(void *arg)
{
	struct books *b = arg;
	__u64 last[SENDERS] = { 0 }, v;
	int me = count_up(&b->next_receiver), ret;

	while ((ret = recv64(b->c, &v)) == 1) {
		CHECK(v >> 32 < SENDERS);
		CHECK((__u32)v > last[v >> 32] && (__u32)v <= VALUES);
		last[v >> 32] = (__u32)v;
		b->received[me]++;
	}
	CHECK(ret == 0);
	return 0;
}

TEST_F(waiters, of_many_sent_each_is_received_or_counted)
{
	struct books *b = shared_alloc(sizeof(*b));
	struct task *senders[SENDERS], *receivers[RECEIVERS];
	struct kchan_stat st;

	b->c = self->c;
	for (int i = 0; i < RECEIVERS; i++)
		receivers[i] = task_start(variant->kind, recv_all, b);
	for (int i = 0; i < SENDERS; i++)
		senders[i] = task_start(variant->kind, send_all, b);
	for (int i = 0; i < SENDERS; i++) {
		EXPECT_EQ(0, task_join(senders[i]));
	}
	ASSERT_EQ(0, chan_close(self->c));
	for (int i = 0; i < RECEIVERS; i++) {
		EXPECT_EQ(0, task_join(receivers[i]));
	}
	st = chan_stat(self->c);
	EXPECT_EQ(0, st.length);
	EXPECT_EQ(SENDERS * VALUES, b->received[0] + b->received[1] + st.dropped);
	EXPECT_LT(0, b->received[0] + b->received[1]);
	TH_LOG("%llu dropped", (unsigned long long)st.dropped);
}

/* ---- messages that came back ---- */

/* Leaves the message @value in the channel, given back by one who could not take it. */
static void give_back(int c, __u64 value)
{
	struct one_message *one = shared_alloc(2 * PAGE);
	struct task *t;

	/* The message is on the second page, the rest on the first. */
	one = (void *)((__u8 *)one + PAGE - offsetof(struct one_message, buf));
	one->fd = c;
	one->size = 8;
	t = task_start(THREAD, recv_one_message, one);
	wait_waiting(c, 0, 1);
	must(!mprotect(one->buf, PAGE, PROT_NONE));
	must(!send64(c, value));
	must(task_join(t) == 1);
	munmap((__u8 *)one->buf - PAGE, 2 * PAGE);
}

/* They are older than all in the buffer, and go with them. */
TEST(latest_discards_what_came_back)
{
	int c = make_policy_chan(8, 2, KCHAN_POLICY_LATEST);
	__u64 v;

	for (int round = 1; round <= 3; round++) {
		give_back(c, 1);
		EXPECT_EQ(0, send64(c, 2));
		EXPECT_EQ(0, send64(c, 3));
		EXPECT_EQ(3, chan_stat(c).length);
		EXPECT_EQ(3 * (round - 1), chan_stat(c).dropped);

		EXPECT_EQ(0, send64(c, 4));
		EXPECT_EQ(1, chan_stat(c).length);
		EXPECT_EQ(3 * round, chan_stat(c).dropped);
		EXPECT_EQ(1, try_recv64(c, &v));
		EXPECT_EQ(4, v);
		EXPECT_EQ(-EAGAIN, try_recv64(c, &v));
	}
}

/* With room in the buffer there is nothing to discard. */
TEST(what_came_back_is_kept_while_there_is_room)
{
	for (__u32 policy = KCHAN_POLICY_DROP_NEWEST; policy <= KCHAN_POLICY_LATEST; policy++) {
		int c = make_policy_chan(8, 2, policy);
		__u64 v;

		give_back(c, 1);
		EXPECT_EQ(0, send64(c, 2));
		EXPECT_EQ(0, send64(c, 3));
		EXPECT_EQ(0, chan_stat(c).dropped);
		for (__u64 n = 1; n <= 3; n++) {
			EXPECT_EQ(1, try_recv64(c, &v));
			EXPECT_EQ(n, v);
		}
		close(c);
	}
}

TEST(drop_newest_keeps_what_came_back)
{
	int c = make_policy_chan(8, 1, KCHAN_POLICY_DROP_NEWEST);
	__u64 v;

	give_back(c, 1);
	EXPECT_EQ(0, send64(c, 2));
	EXPECT_EQ(0, send64(c, 3));
	EXPECT_EQ(1, chan_stat(c).dropped);
	for (__u64 n = 1; n <= 2; n++) {
		EXPECT_EQ(1, try_recv64(c, &v));
		EXPECT_EQ(n, v);
	}
	EXPECT_EQ(-EAGAIN, try_recv64(c, &v));
}

TEST(drop_oldest_counts_beside_what_came_back)
{
	int c = make_policy_chan(8, 1, KCHAN_POLICY_DROP_OLDEST);
	__u64 v, last = 0, received = 0;

	give_back(c, 1);
	for (__u64 n = 2; n <= 9; n++) {
		EXPECT_EQ(0, send64(c, n));
	}
	for (; try_recv64(c, &v) == 1; last = v, received++) {
		EXPECT_LT(last, v);
	}
	EXPECT_EQ(9, last);
	EXPECT_EQ(9, received + chan_stat(c).dropped);
}

/* Room for one channel, its two slots and the parcel it keeps, and half a message more. */
enum { LARGE = KCHAN_MAX_ELEM_SIZE, QUOTA = 3 * LARGE + LARGE / 2 };

struct large {
	int c;
	void *buf;
};

static int recv_large(void *arg)
{
	struct large *l = arg;

	return -chan_recv(l->c, l->buf, LARGE);
}

static int give_back_large(struct large *l)
{
	void *message = calloc(1, LARGE);
	struct task *t = task_start(THREAD, recv_large, l);

	wait_waiting(l->c, 0, 1);
	must(!mprotect(l->buf, LARGE, PROT_NONE));
	CHECK(chan_send(l->c, message, LARGE) == 0);
	CHECK(task_join(t) == EFAULT);
	must(!mprotect(l->buf, LARGE, PROT_READ | PROT_WRITE));
	free(message);
	return 0;
}

/* Each round charges as much again, and only an uncharged one leaves room for the next. */
static int discard_what_is_charged(void *arg)
{
	void *message = calloc(1, LARGE);
	int dev = open_device(), small;
	struct large l = { .buf = shared_alloc(LARGE) };

	(void)arg;
	become_user(NOBODY);
	l.c = try_make_policy_chan(dev, LARGE, 1, KCHAN_POLICY_LATEST, 0);
	CHECK(l.c >= 0);
	for (int round = 0; round < 3; round++) {
		CHECK(give_back_large(&l) == 0);
		CHECK(try_make_chan(dev, 8, 0, 0) == -EDQUOT);
		CHECK(chan_send(l.c, message, LARGE) == 0);
		CHECK(chan_stat(l.c).length == 2);
		CHECK(try_make_chan(dev, 8, 0, 0) == -EDQUOT);
		CHECK(chan_send(l.c, message, LARGE) == 0);
		CHECK(chan_stat(l.c).length == 1);
		CHECK(chan_stat(l.c).dropped == 2ull * (round + 1));
		small = try_make_chan(dev, 8, 0, 0);
		CHECK(small >= 0);
		close(small);
		CHECK(chan_recv(l.c, l.buf, LARGE) == 1);
	}
	return 0;
}

FIXTURE(quota) {
	unsigned long old_bytes;
};

FIXTURE_SETUP(quota)
{
	self->old_bytes = get_parameter("max_user_bytes");
	set_parameter("max_user_bytes", QUOTA);
}

FIXTURE_TEARDOWN(quota)
{
	set_parameter("max_user_bytes", self->old_bytes);
}

TEST_F(quota, gets_back_what_is_discarded)
{
	EXPECT_EQ(0, task_join(task_start(PROCESS, discard_what_is_charged, NULL)));
}

/* ---- receivers that are killed ---- */

/*
 * The race: the kill and the hand-off meet, while the buffer overflows.  A message
 * that comes back was not received, and is counted once, whatever becomes of it.
 */
TEST_F(waiters, killed_receivers_lose_nothing_uncounted)
{
	__u64 sent = 0, received = 0, v;

	if (variant->kind == THREAD)
		return;
	for (int round = 0; round < 20; round++) {
		struct one_value *one = shared_alloc(sizeof(*one));
		struct task *t;

		*one = (struct one_value){ .fd = self->c };
		t = task_start(PROCESS, recv_one, one);
		wait_waiting(self->c, 0, 1);
		if (round % 2) {
			task_kill(t);
			EXPECT_EQ(0, send64(self->c, ++sent));
		} else {
			EXPECT_EQ(0, send64(self->c, ++sent));
			task_kill(t);
		}
		EXPECT_EQ(0, send64(self->c, ++sent));
		EXPECT_EQ(0, send64(self->c, ++sent));
		task_join(t);
		received += one->value != POISON;
		/* The next shall find nothing. */
		while (try_recv64(self->c, &v) == 1)
			received++;
		EXPECT_EQ(sent, received + chan_stat(self->c).dropped);
		munmap(one, sizeof(*one));
	}
	EXPECT_LT(0, chan_stat(self->c).dropped);
}

TEST_HARNESS_MAIN
