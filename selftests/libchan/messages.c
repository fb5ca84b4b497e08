// SPDX-License-Identifier: GPL-2.0-only
/* Elements arrive whole, in order and once; calls wait exactly when they must. */
#include "kselftest_harness.h"
#include "chan_util.h"

TASK_FIXTURE(messages)

struct job {
	struct chan *c;
	int value;
	int ret;
};

static int send_value(void *arg)
{
	struct job *job = arg;

	store(&job->ret, err(chan_send(job->c, &job->value)));
	return 0;
}

static int recv_value(void *arg)
{
	struct job *job = arg;

	store(&job->ret, err(chan_recv(job->c, &job->value)));
	return 0;
}

static struct job *new_job(struct chan *c, int value)
{
	struct job *job = shared_alloc(sizeof(*job));

	*job = (struct job){ .c = c, .value = value, .ret = 0x5a5a };
	return job;
}

/* What the next receive gives, or -errno, or 0 at the end. */
static int next_value(struct chan *c)
{
	int value = 0x5a5a5a5a, ret = err(chan_try_recv(c, &value));

	if (ret == 0)
		must(value == 0);
	if (ret < 0)
		must(value == 0x5a5a5a5a);
	return ret == 1 ? value : ret;
}

TEST(buffer_keeps_order)
{
	struct chan *c = must_make(sizeof(int), 3);
	int i = 1;

	EXPECT_EQ(3, chan_cap(c));
	EXPECT_EQ(sizeof(int), chan_elem_size(c));
	for (; i <= 3; i++) {
		EXPECT_EQ(0, err(chan_send(c, &i)));
		EXPECT_EQ(i, chan_len(c));
	}
	EXPECT_EQ(-EAGAIN, err(chan_try_send(c, &i)));
	EXPECT_EQ(3, chan_len(c));
	for (i = 1; i <= 3; i++)
		EXPECT_EQ(i, next_value(c));
	EXPECT_EQ(-EAGAIN, next_value(c));
	EXPECT_EQ(0, chan_len(c));
	chan_drop(c);
}

TEST(elements_of_every_size)
{
	static const size_t sizes[] = {
		1, 2, 3, 7, 8, 63, 64, 65, 4095, 4096, 4097, CHAN_ELEM_MAX,
	};
	static unsigned char out[CHAN_ELEM_MAX], in[CHAN_ELEM_MAX + 64];

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (unsigned char)(i * 7 + i / 251 + 1);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct chan *c = must_make(sizes[i], 1);

		memset(in, 0xa5, sizeof(in));
		EXPECT_EQ(0, err(chan_send(c, out)));
		EXPECT_EQ(1, err(chan_recv(c, in)));
		EXPECT_EQ(0, memcmp(in, out, sizes[i]));
		for (size_t k = sizes[i]; k < sizes[i] + 64; k++)
			EXPECT_EQ(0xa5, in[k]);
		chan_drop(c);
	}
}

TEST(pure_signals)
{
	struct chan *c = must_make(0, 2);
	char untouched = 'x';

	EXPECT_EQ(0, err(chan_send(c, NULL)));
	EXPECT_EQ(0, err(chan_send(c, &untouched)));
	EXPECT_EQ(-EAGAIN, err(chan_try_send(c, NULL)));
	EXPECT_EQ(1, err(chan_recv(c, NULL)));
	EXPECT_EQ(1, err(chan_recv(c, &untouched)));
	EXPECT_EQ(-EAGAIN, err(chan_try_recv(c, NULL)));
	EXPECT_EQ(0, err(chan_close(c)));
	EXPECT_EQ(0, err(chan_recv(c, NULL)));
	EXPECT_EQ('x', untouched);
	chan_drop(c);
}

TEST(closed_channel_drains)
{
	struct chan *c = must_make(sizeof(int), 2);
	int value = 42;

	EXPECT_EQ(0, err(chan_send(c, &value)));
	EXPECT_EQ(0, err(chan_close(c)));
	EXPECT_EQ(42, next_value(c));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, next_value(c));
	chan_drop(c);
}

TEST(stat_tells_all)
{
	struct chan *c = must_make(24, 5), *other = must_make(24, 5);
	struct chan *sender = must_restrict(c, CHAN_SEND);
	struct chan_stat stat = stat_of(c);
	char element[24] = "";

	EXPECT_EQ(5, stat.cap);
	EXPECT_EQ(24, stat.elem_size);
	EXPECT_EQ(0, stat.len);
	EXPECT_EQ(CHAN_SEND | CHAN_RECV, stat.rights);
	EXPECT_EQ(0, stat.waiting_senders | stat.waiting_receivers);
	EXPECT_EQ(0, stat.closed | stat.no_senders | stat.no_receivers);
	EXPECT_EQ(CHAN_BLOCK, stat.policy);
	EXPECT_EQ(0, stat.dropped);
	EXPECT_EQ(0, stat.cause | stat.reserved32);
	for (size_t i = 0; i < ARRAY_LEN(stat.reserved); i++)
		EXPECT_EQ(0, stat.reserved[i]);
	EXPECT_EQ(stat.id, stat_of(sender).id);
	EXPECT_NE(stat.id, stat_of(other).id);
	EXPECT_EQ(CHAN_SEND, stat_of(sender).rights);

	EXPECT_EQ(0, err(chan_send(sender, element)));
	EXPECT_EQ(1, stat_of(c).len);
	chan_drop(c);
	EXPECT_EQ(1, stat_of(sender).no_receivers);
	EXPECT_EQ(0, stat_of(sender).no_senders);
	EXPECT_EQ(0, err(chan_close(sender)));
	EXPECT_EQ(1, stat_of(sender).closed);
	chan_drop(sender);
	chan_drop(other);
}

TEST_F(messages, receiver_waits_for_an_element)
{
	struct chan *c = must_make(sizeof(int), 1);
	struct job *job = new_job(c, 0x5a5a5a5a);
	struct task *task = task_start(variant->kind, recv_value, job);
	int value = 7;

	wait_blocked(c, 0, 1);
	EXPECT_EQ(1, stat_of(c).waiting_receivers);
	EXPECT_EQ(0, err(chan_send(c, &value)));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(1, job->ret);
	EXPECT_EQ(7, job->value);
	chan_drop(c);
}

TEST_F(messages, sender_waits_for_room)
{
	struct chan *c = must_make(sizeof(int), 1);
	struct job *job = new_job(c, 2);
	struct task *task;
	int value = 1;

	ASSERT_EQ(0, err(chan_send(c, &value)));
	task = task_start(variant->kind, send_value, job);
	wait_blocked(c, 1, 0);
	EXPECT_EQ(1, stat_of(c).waiting_senders);
	EXPECT_EQ(1, chan_len(c));
	EXPECT_EQ(1, next_value(c));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(0, job->ret);
	EXPECT_EQ(2, next_value(c));
	chan_drop(c);
}

TEST_F(messages, rendezvous)
{
	struct chan *c = must_make(sizeof(int), 0);
	struct job *job = new_job(c, 5);
	struct task *task;

	EXPECT_EQ(0, chan_cap(c));
	EXPECT_EQ(-EAGAIN, err(chan_try_send(c, &(int){ 1 })));
	task = task_start(variant->kind, send_value, job);
	wait_blocked(c, 1, 0);
	EXPECT_EQ(0x5a5a, load(&job->ret));
	EXPECT_EQ(0, chan_len(c));
	EXPECT_EQ(5, next_value(c));
	EXPECT_EQ(0, task_join(task));
	EXPECT_EQ(0, job->ret);
	chan_drop(c);
}

TEST_F(messages, close_ends_every_wait)
{
	struct chan *full = must_make(sizeof(int), 0), *empty = must_make(sizeof(int), 4);
	struct job *sends[3], *receives[3];
	struct task *senders[3], *receivers[3];

	for (int i = 0; i < 3; i++) {
		sends[i] = new_job(full, i);
		receives[i] = new_job(empty, 0x5a5a5a5a);
		senders[i] = task_start(variant->kind, send_value, sends[i]);
		receivers[i] = task_start(variant->kind, recv_value, receives[i]);
	}
	wait_blocked(full, 3, 0);
	wait_blocked(empty, 0, 3);
	EXPECT_EQ(0, err(chan_close(full)));
	EXPECT_EQ(0, err(chan_close(empty)));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, task_join(senders[i]));
		EXPECT_EQ(-EPIPE, sends[i]->ret);
		EXPECT_EQ(0, task_join(receivers[i]));
		EXPECT_EQ(0, receives[i]->ret);
		EXPECT_EQ(0, receives[i]->value);
	}
	EXPECT_EQ(0, next_value(full));
	chan_drop(full);
	chan_drop(empty);
}

TEST_HARNESS_MAIN
