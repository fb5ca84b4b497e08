// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go's chan chan T: channels travel through channels.  A request carries the channel
 * for its answer, a server hands out lines of its own.
 */
#include <kselftest_harness.h>
#include "cargo_util.h"

FIXTURE(chan_chan) {
	int unused;
};

FIXTURE_VARIANT(chan_chan) {
	enum task_kind kind;
	__u64 capacity;
};

FIXTURE_VARIANT_ADD(chan_chan, unbuffered_threads) { THREAD, 0 };
FIXTURE_VARIANT_ADD(chan_chan, unbuffered_processes) { PROCESS, 0 };
FIXTURE_VARIANT_ADD(chan_chan, buffered_threads) { THREAD, 4 };
FIXTURE_VARIANT_ADD(chan_chan, buffered_processes) { PROCESS, 4 };

FIXTURE_SETUP(chan_chan) { }

FIXTURE_TEARDOWN(chan_chan) { }

/* Go: for r := range requests { r.answer <- r.value * r.value } */
static int serve(void *arg)
{
	int requests = *(int *)arg, answer;
	__u64 v;

	while ((answer = recv_handle(requests, &v)) >= 0) {
		/* A client that has gone is no concern of the server's. */
		int ret = send64(answer, v * v);

		CHECK(ret == 0 || ret == -EPIPE);
		close(answer);
	}
	return answer != THE_END;
}

/* One question; the server has the only other end of its answer. */
static int ask(int requests, __u64 v, __u64 *answer)
{
	int c = make_chan(8, 0), line = restrict_to(c, KCHAN_RIGHT_SEND);
	int reader = restrict_to(c, KCHAN_RIGHT_RECV), ret;

	close(c);
	ret = send_handle(requests, v, line);
	close(line);
	ret = ret ? ret : recv64(reader, answer);
	close(reader);
	return ret;
}

struct client {
	int requests;
	__u64 first;
	int n;
};

static int ask_often(void *arg)
{
	struct client *client = arg;
	__u64 answer;

	for (__u64 v = client->first; v < client->first + client->n; v++) {
		CHECK(ask(client->requests, v, &answer) == 1);
		CHECK(answer == v * v);
	}
	return 0;
}

TEST_F(chan_chan, request_carries_its_answer)
{
	int *requests = shared_alloc(sizeof(int));
	struct task *server;
	struct client client = { .first = 1, .n = 30 };

	*requests = client.requests = make_chan_of_one(variant->capacity);
	server = task_start(variant->kind, serve, requests);
	EXPECT_EQ(0, ask_often(&client));
	EXPECT_EQ(0, chan_close(*requests));
	EXPECT_EQ(0, task_join(server));
}

TEST_F(chan_chan, many_servers_many_clients)
{
	enum { SERVERS = 3, CLIENTS = 5 };
	struct client *clients = shared_alloc(CLIENTS * sizeof(*clients));
	int *requests = shared_alloc(sizeof(int));
	struct task *servers[SERVERS], *asking[CLIENTS];

	*requests = make_chan_of_one(variant->capacity);
	for (int i = 0; i < SERVERS; i++)
		servers[i] = task_start(variant->kind, serve, requests);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){ *requests, 1000 * i, 12 };
		asking[i] = task_start(variant->kind, ask_often, &clients[i]);
	}
	for (int i = 0; i < CLIENTS; i++) {
		EXPECT_EQ(0, task_join(asking[i]));
	}
	EXPECT_EQ(0, chan_close(*requests));
	for (int i = 0; i < SERVERS; i++) {
		EXPECT_EQ(0, task_join(servers[i]));
	}
}

/* A server that dies with a request in its hand, or before it took it: the end. */
static int take_one_and_die(void *arg)
{
	__u64 v;

	CHECK(recv_handle(*(int *)arg, &v) >= 0);
	return 0;
}

TEST(server_dies)
{
	int *requests = shared_alloc(sizeof(int));
	struct task *server;
	__u64 answer;

	for (__u64 capacity = 0; capacity <= 1; capacity++) {
		*requests = make_chan_of_one(capacity);
		server = task_start(PROCESS, take_one_and_die, requests);
		EXPECT_EQ(0, ask(*requests, 1, &answer));
		EXPECT_EQ(0, task_join(server));
		close(*requests);
	}
}

/* The client gives up first: the server's answer goes nowhere, and it is told so. */
TEST_F(chan_chan, client_gives_up)
{
	int requests = make_chan_of_one(1), c = make_chan(8, variant->capacity);
	int line = restrict_to(c, KCHAN_RIGHT_SEND), served;
	__u64 v;

	ASSERT_EQ(0, send_handle(requests, 3, line));
	close(line);
	EXPECT_EQ(-ETIMEDOUT, recv64_until(c, &v, now()));
	close(c);
	served = recv_handle(requests, &v);
	ASSERT_LE(0, served);
	EXPECT_EQ(-EPIPE, send64(served, v));
}

/* Each line is somebody's whole stream: Go's c := <-lines; for v := range c. */
struct lines {
	int lines;
	int n;
};

static int hand_out_lines(void *arg)
{
	struct lines *l = arg;

	for (int i = 0; i < l->n; i++) {
		int c = make_chan(8, 2), reader = restrict_to(c, KCHAN_RIGHT_RECV);

		CHECK(send_handle(l->lines, i, reader) == 0);
		close(reader);
		for (__u64 v = 0; v < 5; v++)
			CHECK(send64(c, 10 * i + v) == 0);
		close(c);
	}
	return chan_close(l->lines);
}

TEST_F(chan_chan, streams_of_streams)
{
	struct lines *l = shared_alloc(sizeof(*l));
	int line, n = 0;
	struct task *t;
	__u64 i, v;

	*l = (struct lines){ make_chan_of_one(variant->capacity), 10 };
	t = task_start(variant->kind, hand_out_lines, l);
	for (; (line = recv_handle(l->lines, &i)) >= 0; n++) {
		ASSERT_EQ(n, i);
		EXPECT_EQ(-EBADF, send64(line, 0));
		for (__u64 k = 0; k < 5; k++) {
			ASSERT_EQ(1, recv64(line, &v));
			ASSERT_EQ(10 * i + k, v);
		}
		EXPECT_EQ(0, recv64(line, &v));
		close(line);
	}
	EXPECT_EQ(THE_END, line);
	EXPECT_EQ(10, n);
	EXPECT_EQ(0, task_join(t));
}

/* chan chan chan T: an exchange hands out servers, which take requests. */
static int be_exchange(void *arg)
{
	int exchange = *(int *)arg, requests = make_chan_of_one(0), line;
	int entry = restrict_to(requests, KCHAN_RIGHT_SEND);
	struct task *server;

	line = recv_handle(exchange, NULL);
	CHECK(line >= 0);
	CHECK(send_handle(line, 0, entry) == 0);
	close(line);
	server = task_start(THREAD, serve, &requests);
	/* Until the client has asked enough: its entry is the last but ours. */
	CHECK(recv_handle(exchange, NULL) == THE_END);
	CHECK(chan_close(requests) == 0);
	return task_join(server);
}

TEST_F(chan_chan, chan_chan_chan)
{
	int *exchange = shared_alloc(sizeof(int)), line;
	struct client client = { .first = 7, .n = 5 };
	struct task *t;

	*exchange = make_carrier(.elem_size = 8, .capacity = variant->capacity, .handles = 1,
				 .depth = 2);
	t = task_start(variant->kind, be_exchange, exchange);
	line = make_chan_of_one(0);
	ASSERT_EQ(0, send_handle(*exchange, 0, line));
	client.requests = recv_handle(line, NULL);
	ASSERT_LE(0, client.requests);
	EXPECT_EQ(0, ask_often(&client));
	EXPECT_EQ(0, chan_close(*exchange));
	EXPECT_EQ(0, task_join(t));
}

/* A baton: one handle goes round a ring of tasks, each of which adds its mark. */
struct stage {
	int in, out;
};

static int add_mark(void *arg)
{
	struct stage *s = arg;
	__u64 v;
	int fd;

	while ((fd = recv_handle(s->in, &v)) >= 0) {
		CHECK(send_handle(s->out, v + 1, fd) == 0);
		close(fd);
	}
	return fd != THE_END || chan_close(s->out);
}

TEST_F(chan_chan, chain)
{
	enum { N = 10 };
	struct stage *stages = shared_alloc(N * sizeof(*stages));
	int in = make_chan_of_one(variant->capacity), out = in, c = make_chan(8, 1), got;
	struct task *tasks[N];
	__u64 v;

	for (int i = 0; i < N; i++) {
		stages[i] = (struct stage){ out, make_chan_of_one(variant->capacity) };
		out = stages[i].out;
		tasks[i] = task_start(variant->kind, add_mark, &stages[i]);
	}
	ASSERT_EQ(0, send_handle(in, 0, c));
	got = recv_handle(out, &v);
	ASSERT_LE(0, got);
	EXPECT_EQ(N, v);
	EXPECT_EQ(true, same_file(c, got));
	EXPECT_EQ(0, chan_close(in));
	for (int i = 0; i < N; i++) {
		EXPECT_EQ(0, task_join(tasks[i]));
	}
}

TEST_HARNESS_MAIN
