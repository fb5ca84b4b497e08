// SPDX-License-Identifier: GPL-2.0-only
/* An unbuffered channel is a rendezvous: a send returns only once received. */
#include <kselftest_harness.h>
#include "kchan_util.h"

TASK_FIXTURE(rendezvous);

struct party {
	int fd;
	int returned;
	__u64 value;
};

static int send_and_say(void *arg)
{
	struct party *p = arg;

	CHECK(send64(p->fd, p->value) == 0);
	store(&p->returned, 1);
	return 0;
}

static int recv_and_say(void *arg)
{
	struct party *p = arg;

	CHECK(recv64(p->fd, &p->value) == 1);
	store(&p->returned, 1);
	return 0;
}

TEST_F(rendezvous, send_waits_for_the_receiver)
{
	struct party *p = shared_alloc(sizeof(*p));
	struct task *t;
	__u64 v;

	p->fd = make_chan(8, 0);
	p->value = 42;
	t = task_start(variant->kind, send_and_say, p);
	wait_waiting(p->fd, 1, 0);
	EXPECT_EQ(0, load(&p->returned));
	EXPECT_EQ(0, chan_stat(p->fd).length);
	EXPECT_EQ(-EAGAIN, try_send64(p->fd, 43));

	EXPECT_EQ(1, recv64(p->fd, &v));
	EXPECT_EQ(42, v);
	EXPECT_EQ(true, waiting(p->fd, 0, 0));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, load(&p->returned));
	EXPECT_EQ(-EAGAIN, try_recv64(p->fd, &v));
}

TEST_F(rendezvous, receive_waits_for_the_sender)
{
	struct party *p = shared_alloc(sizeof(*p));
	struct task *t;
	__u64 v;

	p->fd = make_chan(8, 0);
	t = task_start(variant->kind, recv_and_say, p);
	wait_waiting(p->fd, 0, 1);
	EXPECT_EQ(0, load(&p->returned));
	EXPECT_EQ(POISON, load(&p->value));
	EXPECT_EQ(-EAGAIN, try_recv64(p->fd, &v));

	EXPECT_EQ(0, send64(p->fd, 42));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(42, p->value);
	EXPECT_EQ(-EAGAIN, try_send64(p->fd, 43));
}

static bool sleeps_in(const struct task *t, const char *function)
{
	char path[64], wchan[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/wchan", t->tid);
	f = fopen(path, "r");
	must(f);
	must(fgets(wchan, sizeof(wchan), f));
	fclose(f);
	return !strcmp(wchan, function);
}

/*
 * What the scheduler sees: asleep, and interruptibly, inside the wait core.  A
 * task says that it is asleep a moment before it is, and has no wchan until then.
 */
TEST_F(rendezvous, blocked_task_sleeps_in_kchan_wait)
{
	struct party *p = shared_alloc(sizeof(*p));
	struct task *t;
	__u64 v;

	p->fd = make_chan(8, 0);
	t = task_start(variant->kind, send_and_say, p);
	wait_waiting(p->fd, 1, 0);
	wait_asleep(t);
	wait_until(sleeps_in(t, "kchan_wait"));

	EXPECT_EQ(1, recv64(p->fd, &v));
	EXPECT_EQ(0, task_join(t));
}

struct pair {
	int fd;
	int rounds;
	__u64 received;
};

static int receive_and_count(void *arg)
{
	struct pair *p = arg;
	__u64 v;

	for (int i = 0; i < p->rounds; i++) {
		CHECK(recv64(p->fd, &v) == 1);
		CHECK(v == (__u64)i);
	}
	return 0;
}

/* At no time is anything in the channel, whoever comes first. */
TEST_F(rendezvous, nothing_is_ever_buffered)
{
	struct pair *p = shared_alloc(sizeof(*p));
	struct task *t;

	p->fd = make_chan(8, 0);
	p->rounds = 2000;
	t = task_start(variant->kind, receive_and_count, p);
	for (int i = 0; i < p->rounds; i++) {
		ASSERT_EQ(0, send64(p->fd, i));
		ASSERT_EQ(0, chan_stat(p->fd).length);
	}
	EXPECT_EQ(0, task_join(t));
}

struct sized {
	int fd;
	__u32 size;
	__u8 message[512];
};

static int send_sized(void *arg)
{
	struct sized *s = arg;

	return chan_send(s->fd, s->message, s->size);
}

static int recv_sized(void *arg)
{
	struct sized *s = arg;

	return chan_recv(s->fd, s->message, s->size) == 1 ? 0 : -1;
}

/* Whatever its size, a message can wait for its receiver, and one for it. */
TEST_F(rendezvous, message_of_any_size_waits)
{
	static const __u32 sizes[] = {
		1, 7, 8, 9, 63, 64, 65, 127, 128, 129, 136, 152, 160, 168, 176, 184, 192, 200, 256, 512,
	};
	struct sized *s = shared_alloc(sizeof(*s));
	__u8 ours[sizeof(s->message)];
	struct task *t;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		s->size = sizes[i];
		s->fd = make_chan(s->size, 0);
		memset(s->message, i + 1, s->size);
		t = task_start(variant->kind, send_sized, s);
		wait_waiting(s->fd, 1, 0);
		EXPECT_EQ(1, chan_recv(s->fd, ours, s->size));
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(0, memcmp(s->message, ours, s->size));

		memset(s->message, 0, s->size);
		t = task_start(variant->kind, recv_sized, s);
		wait_waiting(s->fd, 0, 1);
		EXPECT_EQ(0, chan_send(s->fd, ours, s->size));
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(0, memcmp(s->message, ours, s->size));
		close(s->fd);
	}
}

static bool is_all(const __u8 *message, __u32 size, int byte)
{
	for (__u32 i = 0; i < size; i++)
		if (message[i] != byte)
			return false;
	return true;
}

/* The first who waits uses memory of the channel's, the others their own. */
TEST_F(rendezvous, many_wait_at_once_and_none_gets_anothers)
{
	enum { WAITERS = 5, ROUNDS = 3 };
	struct sized *s = shared_alloc(WAITERS * sizeof(*s));
	struct task *t[WAITERS];
	__u8 ours[sizeof(s->message)];
	int c = make_chan(sizeof(ours), 0);

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < WAITERS; i++) {
			s[i].fd = c;
			s[i].size = sizeof(ours);
			memset(s[i].message, i + 1, sizeof(ours));
			t[i] = task_start(variant->kind, send_sized, &s[i]);
			wait_waiting(c, i + 1, 0);
		}
		for (int i = 0; i < WAITERS; i++) {
			EXPECT_EQ(1, chan_recv(c, ours, sizeof(ours)));
			EXPECT_TRUE(is_all(ours, sizeof(ours), i + 1));
			EXPECT_EQ(0, task_join(t[i]));
		}
		for (int i = 0; i < WAITERS; i++) {
			t[i] = task_start(variant->kind, recv_sized, &s[i]);
			wait_waiting(c, 0, i + 1);
		}
		for (int i = 0; i < WAITERS; i++) {
			memset(ours, WAITERS + i, sizeof(ours));
			EXPECT_EQ(0, chan_send(c, ours, sizeof(ours)));
		}
		for (int i = 0; i < WAITERS; i++) {
			EXPECT_EQ(0, task_join(t[i]));
			EXPECT_TRUE(is_all(s[i].message, sizeof(ours), WAITERS + i));
		}
	}
}

TEST_HARNESS_MAIN
