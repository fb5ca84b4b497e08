// SPDX-License-Identifier: GPL-2.0-only
/*
 * Death is an event: when the last handle that can send is gone, receivers
 * drain the channel and see the end; when the last that can receive is gone,
 * senders get EPIPE, and never SIGPIPE.
 */
#include <kselftest_harness.h>
#include "kchan_util.h"

/* How a process lets go of its handle. */
enum farewell { CLOSES, EXITS, IS_KILLED, EXECS };

FIXTURE(peer_death) {
	int sender, receiver;	/* one handle each, and no other */
};

FIXTURE_VARIANT(peer_death) {
	enum farewell how;
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(peer_death, closes_unbuffered) { CLOSES, 0 };
FIXTURE_VARIANT_ADD(peer_death, closes_buffered) { CLOSES, 3 };
FIXTURE_VARIANT_ADD(peer_death, exits_unbuffered) { EXITS, 0 };
FIXTURE_VARIANT_ADD(peer_death, exits_buffered) { EXITS, 3 };
FIXTURE_VARIANT_ADD(peer_death, is_killed_unbuffered) { IS_KILLED, 0 };
FIXTURE_VARIANT_ADD(peer_death, is_killed_buffered) { IS_KILLED, 3 };
FIXTURE_VARIANT_ADD(peer_death, execs_unbuffered) { EXECS, 0 };
FIXTURE_VARIANT_ADD(peer_death, execs_buffered) { EXECS, 3 };

FIXTURE_SETUP(peer_death)
{
	int c = make_chan(8, variant->capacity);

	self->sender = restrict_to(c, KCHAN_RIGHT_SEND);
	self->receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	close(c);
}

FIXTURE_TEARDOWN(peer_death) { }

struct peer {
	enum farewell how;
	int fd;		/* the peer's own handle */
	int other;	/* inherited, and not the peer's business */
	int go;
};

static int hold_then_go(void *arg)
{
	struct peer *p = arg;

	close(p->other);
	while (!load(&p->go))
		usleep(200);
	if (p->how == EXECS)
		exec_sleep();
	if (p->how == CLOSES || p->how == IS_KILLED) {
		if (p->how == CLOSES)
			close(p->fd);
		pause();
	}
	return 0;
}

static struct task *start_peer(struct peer **peer, enum farewell how, int fd, int other)
{
	struct peer *p = shared_alloc(sizeof(*p));
	struct task *t;

	*p = (struct peer){ .how = how, .fd = fd, .other = other };
	t = task_start(PROCESS, hold_then_go, p);
	close(fd);
	*peer = p;
	return t;
}

static void let_go(struct peer *p, struct task *t)
{
	store(&p->go, 1);
	if (p->how == IS_KILLED)
		task_kill(t);
}

static void end_peer(struct peer *p, struct task *t)
{
	if (p->how != EXITS)
		task_kill(t);
	task_join(t);
}

TEST_F(peer_death, last_sender)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct task *t, *blocked;
	struct peer *p;
	__u64 v;

	for (__u64 i = 0; i < variant->capacity; i++) {
		ASSERT_EQ(0, send64(self->sender, i + 1));
	}
	t = start_peer(&p, variant->how, self->sender, self->receiver);
	EXPECT_EQ(0, chan_stat(self->receiver).state);
	for (__u64 i = 0; i < variant->capacity; i++) {
		EXPECT_EQ(1, recv64(self->receiver, &v));
		EXPECT_EQ(i + 1, v);
	}
	EXPECT_EQ(-EAGAIN, try_recv64(self->receiver, &v));
	one->fd = self->receiver;
	blocked = task_start(THREAD, recv_one, one);
	wait_waiting(self->receiver, 0, 1);

	let_go(p, t);
	EXPECT_EQ(0, task_join(blocked));
	EXPECT_EQ(0, one->ret);
	EXPECT_EQ(0, one->value);
	EXPECT_EQ(0, recv64(self->receiver, &v));
	EXPECT_EQ(0, v);
	EXPECT_EQ(KCHAN_STATE_NO_SENDERS, chan_stat(self->receiver).state);
	end_peer(p, t);
}

TEST_F(peer_death, last_sender_leaves_messages)
{
	struct task *t;
	struct peer *p;
	__u64 v;

	for (__u64 i = 0; i < variant->capacity; i++) {
		ASSERT_EQ(0, send64(self->sender, i + 1));
	}
	t = start_peer(&p, variant->how, self->sender, self->receiver);
	let_go(p, t);
	wait_until(chan_stat(self->receiver).state == KCHAN_STATE_NO_SENDERS);
	EXPECT_EQ(variant->capacity, chan_stat(self->receiver).length);
	for (__u64 i = 0; i < variant->capacity; i++) {
		EXPECT_EQ(1, recv64(self->receiver, &v));
		EXPECT_EQ(i + 1, v);
	}
	EXPECT_EQ(0, recv64(self->receiver, &v));
	end_peer(p, t);
}

static int sigpipes;

static void count_sigpipe(int sig)
{
	(void)sig;
	count_up(&sigpipes);
}

TEST_F(peer_death, last_receiver)
{
	struct one_value *one = shared_alloc(sizeof(*one));
	struct task *t, *blocked;
	struct peer *p;
	__u64 v = 9;

	signal(SIGPIPE, count_sigpipe);
	for (__u64 i = 0; i < variant->capacity; i++) {
		ASSERT_EQ(0, send64(self->sender, i));
	}
	t = start_peer(&p, variant->how, self->receiver, self->sender);
	EXPECT_EQ(0, chan_stat(self->sender).state);
	*one = (struct one_value){ .fd = self->sender, .value = 9 };
	blocked = task_start(THREAD, send_one, one);
	wait_waiting(self->sender, 1, 0);

	let_go(p, t);
	EXPECT_EQ(0, task_join(blocked));
	EXPECT_EQ(-EPIPE, one->ret);
	EXPECT_EQ(-EPIPE, send64(self->sender, v));
	EXPECT_EQ(-EPIPE, try_send64(self->sender, v));
	EXPECT_EQ(-1, write(self->sender, &v, sizeof(v)));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(KCHAN_STATE_NO_RECEIVERS, chan_stat(self->sender).state);
	/* What was in it is nobody's any more. */
	EXPECT_EQ(0, chan_stat(self->sender).length);
	EXPECT_EQ(0, sigpipes);
	EXPECT_EQ(0, chan_close(self->sender));
	end_peer(p, t);
}

struct look {
	int fd;
	struct kchan_stat last;
};

/* Looks on until nobody can receive. */
static int look_on(void *arg)
{
	struct look *look = arg;

	do {
		look->last = chan_stat(look->fd);
	} while (!(look->last.state & KCHAN_STATE_NO_RECEIVERS));
	return 0;
}

TEST(messages_end_with_the_last_receiver)
{
	for (int round = 0; round < FEWER(500); round++) {
		int c = make_chan(8, 32), sender = restrict_to(c, KCHAN_RIGHT_SEND);
		struct look look = { .fd = sender };
		struct task *t;

		for (__u64 v = 0; v < 32; v++) {
			ASSERT_EQ(0, send64(c, v));
		}
		t = task_start(THREAD, look_on, &look);
		if (round % 2)
			sched_yield();
		close(c);
		task_join(t);
		EXPECT_EQ(0, look.last.length);
		close(sender);
	}
}

/* ---- what keeps a channel alive ---- */

TEST(copies_count_until_the_last)
{
	int c = make_chan(8, 1);
	int sender = restrict_to(c, KCHAN_RIGHT_SEND);
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	int again = restrict_to(sender, KCHAN_RIGHT_SEND), copy;
	__u64 v;

	close(c);
	copy = dup(sender);
	close(sender);
	EXPECT_EQ(-EAGAIN, try_recv64(receiver, &v));
	close(again);
	EXPECT_EQ(-EAGAIN, try_recv64(receiver, &v));
	EXPECT_EQ(0, chan_stat(receiver).state);
	close(copy);
	EXPECT_EQ(0, try_recv64(receiver, &v));
	EXPECT_EQ(KCHAN_STATE_NO_SENDERS, chan_stat(receiver).state);
}

static int hold_until_killed(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

TEST(forked_copies_count)
{
	int c = make_chan(8, 1);
	int sender = restrict_to(c, KCHAN_RIGHT_SEND);
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	struct task *children[3];
	__u64 v;

	close(c);
	for (int i = 0; i < 3; i++)
		children[i] = task_start(PROCESS, hold_until_killed, NULL);
	close(sender);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-EAGAIN, try_recv64(receiver, &v));
		task_kill(children[i]);
		EXPECT_EQ(KILLED(SIGKILL), task_join(children[i]));
	}
	EXPECT_EQ(0, try_recv64(receiver, &v));
}

TEST(handle_in_flight_counts)
{
	int c = make_chan(8, 1);
	int sender = restrict_to(c, KCHAN_RIGHT_SEND);
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	int sockets[2];
	__u64 v;

	close(c);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pass_fd(sockets[0], sender);
	close(sender);
	EXPECT_EQ(-EAGAIN, try_recv64(receiver, &v));
	sender = take_fd(sockets[1]);
	EXPECT_EQ(0, try_send64(sender, 1));
	EXPECT_EQ(1, try_recv64(receiver, &v));

	/* A message with a handle that nobody ever takes dies with its socket. */
	pass_fd(sockets[0], sender);
	close(sender);
	EXPECT_EQ(-EAGAIN, try_recv64(receiver, &v));
	close(sockets[0]);
	close(sockets[1]);
	EXPECT_EQ(0, try_recv64(receiver, &v));
}

/* A handle with both rights is a sender and a receiver: it waits for itself. */
TEST(own_handle_counts)
{
	int c = make_chan(8, 0);
	__u64 v;

	EXPECT_EQ(-EAGAIN, try_recv64(c, &v));
	EXPECT_EQ(-EAGAIN, try_send64(c, 1));
	EXPECT_EQ(-ETIMEDOUT, recv64_until(c, &v, in_ms(1)));
	EXPECT_EQ(-ETIMEDOUT, send64_until(c, 1, in_ms(1)));
}

/* New handles come only from handles that have the right: the end is the end. */
TEST(end_is_final)
{
	int c = make_chan(8, 0);
	int receiver = restrict_to(c, KCHAN_RIGHT_RECV);
	int stat_state;
	__u64 v;

	close(c);
	EXPECT_EQ(-EBADF, try_restrict(receiver, KCHAN_RIGHT_SEND, 0));
	stat_state = chan_stat(receiver).state;
	EXPECT_EQ(KCHAN_STATE_NO_SENDERS, stat_state);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, recv64(receiver, &v));
	}
	EXPECT_EQ(KCHAN_STATE_NO_SENDERS, chan_stat(restrict_to(receiver, KCHAN_RIGHT_RECV)).state);
}

TEST_HARNESS_MAIN
