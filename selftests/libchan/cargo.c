// SPDX-License-Identifier: GPL-2.0-only
/* What travels with a message: handles, other files, and who sent it. */
#include "kselftest_harness.h"
#include "chan_util.h"

TASK_FIXTURE(cargo)

static struct chan *must_make_with(struct chan_options options)
{
	return must_have(chan_make_with(&options));
}

/* A channel of ints with so many handles each. */
static struct chan *must_make_carrier(size_t capacity, uint32_t handles)
{
	return must_make_with((struct chan_options){
		.elem_size = sizeof(int),
		.capacity = capacity,
		.handles = handles,
	});
}

static int send_fd(struct chan *c, int value, int fd)
{
	struct chan_cargo cargo = chan_cargo(&fd, 1);

	return err(chan_try_send_cargo(c, &value, &cargo));
}

static int recv_fd(struct chan *c, int *value, int *fd)
{
	struct chan_cargo cargo = chan_cargo(fd, 1);

	return err(chan_try_recv_cargo(c, value, &cargo));
}

/* ---- a server that learns from each request where its answer goes ---- */

static int serve(void *arg)
{
	struct chan *requests = arg, *answers;
	struct chan_cargo cargo;
	int value, fd;

	for (int i = 0; i < 3; i++) {
		cargo = chan_cargo(&fd, 1);
		CHECK(chan_recv_cargo(requests, &value, &cargo) == 1);
		answers = chan_from_fd(fd);
		CHECK(answers && stat_of(answers).rights == CHAN_SEND);
		value *= value;
		CHECK(!chan_send(answers, &value));
		chan_drop(answers);
	}
	return 0;
}

TEST_F(cargo, answers_go_where_the_request_says)
{
	struct chan *requests = must_make_carrier(0, 1);
	struct task *server = task_start(variant->kind, serve, requests);

	for (int i = 1; i <= 3; i++) {
		/* Made after the fork: the server can have it from the message alone. */
		struct chan *in = must_make(sizeof(int), 0), *out = must_restrict(in, CHAN_SEND);
		int value = i, fd = chan_fd(out);
		struct chan_cargo cargo = chan_cargo(&fd, 1);

		EXPECT_EQ(0, err(chan_send_cargo(requests, &value, &cargo)));
		chan_drop(out);
		EXPECT_EQ(1, err(chan_recv(in, &value)));
		EXPECT_EQ(i * i, value);
		chan_drop(in);
	}
	EXPECT_EQ(0, task_join(server));
	chan_drop(requests);
}

struct sender {
	struct chan *c;
	int value;
	pid_t pid;
};

static int send_value(void *arg)
{
	struct sender *sender = arg;

	store(&sender->pid, getpid());
	return err(chan_send(sender->c, &sender->value));
}

/* By a message that was buffered, and by one whose receiver waited. */
TEST_F(cargo, stamp_tells_the_sender)
{
	for (size_t capacity = 0; capacity < 2; capacity++) {
		struct sender *sender = shared_alloc(sizeof(*sender));
		struct chan_cargo from = chan_cargo(NULL, 0);
		struct task *task;
		int value = 0;

		*sender = (struct sender){ .value = 9 };
		sender->c = must_make_with((struct chan_options){
			.elem_size = sizeof(int),
			.capacity = capacity,
			.stamped = 1,
		});
		task = task_start(variant->kind, send_value, sender);
		EXPECT_EQ(1, err(chan_recv_cargo(sender->c, &value, &from)));
		EXPECT_EQ(0, task_join(task));
		EXPECT_EQ(9, value);
		EXPECT_EQ(sender->pid, from.pid);
		EXPECT_EQ(variant->kind == THREAD, from.pid == getpid());
		EXPECT_EQ(getuid(), from.uid);
		EXPECT_EQ(getgid(), from.gid);
		EXPECT_EQ(0, from.n);
		chan_drop(sender->c);
	}
}

/* A receive that knows nothing of stamps works as ever. */
TEST(stamp_need_not_be_read)
{
	struct chan *c = must_make_with((struct chan_options){
		.elem_size = sizeof(int), .capacity = 2, .stamped = 1 });
	int values[2] = { 1, 2 }, got[2] = { 0 };

	EXPECT_EQ(2, err(chan_send_many(c, values, 2)));
	EXPECT_EQ(1, err(chan_recv(c, &got[0])));
	EXPECT_EQ(1, err(chan_recv_cargo(c, &got[1], NULL)));
	EXPECT_EQ(0, memcmp(values, got, sizeof(got)));
	chan_drop(c);
}

static int use_and_keep(void *arg)
{
	struct chan *c = arg;
	int value, fd = -1;
	struct chan_cargo cargo = chan_cargo(&fd, 1);

	CHECK(chan_recv_cargo(c, &value, &cargo) == 1);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(write(fd, "hi", 2) == 2);
	CHECK(!close(fd));
	return 0;
}

TEST_F(cargo, any_file_travels_and_stays_the_senders_too)
{
	struct chan *c = must_make_carrier(1, 1);
	struct task *task = task_start(variant->kind, use_and_keep, c);
	char got[2] = "";
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(0, send_fd(c, 1, pipes[1]));
	EXPECT_EQ(0, task_join(task));
	EXPECT_TRUE(is_open(pipes[1]));
	EXPECT_EQ(2, read(pipes[0], got, 2));
	EXPECT_EQ(0, memcmp(got, "hi", 2));
	close(pipes[0]);
	close(pipes[1]);
	chan_drop(c);
}

TEST(as_many_as_there_can_be)
{
	struct chan *c = must_make_carrier(1, CHAN_HANDLES_MAX);
	int fds[CHAN_HANDLES_MAX], got[CHAN_HANDLES_MAX], value = 1;
	struct chan_cargo out = chan_cargo(fds, CHAN_HANDLES_MAX);
	struct chan_cargo in = chan_cargo(got, CHAN_HANDLES_MAX);

	for (int i = 0; i < CHAN_HANDLES_MAX; i++)
		fds[i] = i % 3 ? chan_fd(c) : -1;
	/* A handle that can receive from it may not travel in it: one that can send may. */
	EXPECT_EQ(-ELOOP, err(chan_send_cargo(c, &value, &out)));
	for (int i = 0; i < CHAN_HANDLES_MAX; i++)
		fds[i] = i % 3 ? chan_fd(must_restrict(c, CHAN_SEND)) : -1;
	EXPECT_EQ(0, err(chan_send_cargo(c, &value, &out)));
	EXPECT_EQ(1, err(chan_recv_cargo(c, &value, &in)));
	for (int i = 0; i < CHAN_HANDLES_MAX; i++) {
		EXPECT_EQ(!(i % 3), got[i] == -1);
		EXPECT_TRUE(got[i] == -1 || is_open(got[i]));
	}
	chan_drop(c);
}

/* Without cargo a message has no handles; a receive always needs room for them. */
TEST(none_at_all)
{
	struct chan *c = must_make_carrier(4, 2);
	int fds[2] = { 5, 5 }, values[3] = { 1, 2, 3 }, value = 0;
	struct chan_cargo cargo = chan_cargo(fds, 2);

	EXPECT_EQ(0, err(chan_send(c, &values[0])));
	EXPECT_EQ(2, err(chan_send_many(c, &values[1], 2)));
	EXPECT_EQ(-EMSGSIZE, err(chan_recv(c, &value)));
	EXPECT_EQ(-EMSGSIZE, err(chan_recv_cargo(c, &value, NULL)));
	EXPECT_EQ(-EMSGSIZE, err(chan_recv_many(c, values, 1, 2)));
	EXPECT_EQ(3, chan_len(c));
	EXPECT_EQ(1, err(chan_recv_cargo(c, &value, &cargo)));
	EXPECT_EQ(1, value);
	EXPECT_EQ(-1, fds[0]);
	EXPECT_EQ(-1, fds[1]);
	chan_drop(c);
}

TEST(every_form)
{
	struct chan *c = must_make_carrier(1, 1);
	struct chan_cancel *stop = must_have(chan_cancel_make());
	struct chan_bounds bounds = { .cancel = stop };
	int fd = 0, got = -1, value = 1;
	struct chan_cargo out = chan_cargo(&fd, 1), in = chan_cargo(&got, 1);
	struct chan_case on;

#define RECEIVED(call) do {						\
	value = 0;							\
	got = -1;							\
	EXPECT_EQ(1, err(call));					\
	EXPECT_EQ(1, value);						\
	EXPECT_TRUE(is_open(got));					\
	close(got);							\
} while (0)
	EXPECT_EQ(0, err(chan_send_cargo(c, &value, &out)));
	EXPECT_EQ(-EAGAIN, err(chan_try_send_cargo(c, &value, &out)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_send_cargo_until(c, &value, &out, 0)));
	RECEIVED(chan_recv_cargo(c, &value, &in));
	EXPECT_EQ(-EAGAIN, err(chan_try_recv_cargo(c, &value, &in)));
	EXPECT_EQ(-ETIMEDOUT, err(chan_recv_cargo_until(c, &value, &in, 0)));
	EXPECT_EQ(0, err(chan_try_send_cargo(c, &value, &out)));
	RECEIVED(chan_try_recv_cargo(c, &value, &in));
	EXPECT_EQ(0, err(chan_send_cargo_until(c, &value, &out, 0)));
	RECEIVED(chan_recv_cargo_until(c, &value, &in, 0));
	EXPECT_EQ(0, err(chan_send_cargo_with(c, &value, &out, &bounds)));
	RECEIVED(chan_recv_cargo_with(c, &value, &in, &bounds));
	EXPECT_EQ(0, err(chan_send_cargo_with(c, &value, &out, NULL)));
	RECEIVED(chan_recv_cargo_with(c, &value, &in, NULL));
	on = chan_on_send_cargo(c, &value, &out);
	EXPECT_EQ(0, err(chan_select(&on, 1)));
	on = chan_on_recv_cargo(c, &value, &in);
	value = 0;
	EXPECT_EQ(0, err(chan_try_select(&on, 1)));
	EXPECT_EQ(1, on.result);
	EXPECT_TRUE(is_open(got));
	close(got);
	must(chan_cancel(stop, 0) == 1);
	EXPECT_EQ(-ECANCELED, err(chan_send_cargo_with(c, &value, &out, &bounds)));
	EXPECT_EQ(-ECANCELED, err(chan_recv_cargo_with(c, &value, &in, &bounds)));
	EXPECT_EQ(0, chan_len(c));
	chan_cancel_drop(stop);
	chan_drop(c);
}

TEST(wrong_cargo)
{
	struct chan *c = must_make_carrier(1, 2), *plain = must_make(sizeof(int), 1);
	int fds[3] = { 0, 0, 0 }, value = 1, socks[2];
	struct chan_cargo two = chan_cargo(fds, 2), flagged = two;
	struct chan_stat before = stat_of(c);

#define SENDING(n) err(chan_try_send_cargo(c, &value, (struct chan_cargo[]){ chan_cargo(fds, n) }))
	EXPECT_EQ(-EMSGSIZE, SENDING(0));
	EXPECT_EQ(-EMSGSIZE, SENDING(1));
	EXPECT_EQ(-EMSGSIZE, SENDING(3));
	EXPECT_EQ(-EMSGSIZE, SENDING(SIZE_MAX));
	EXPECT_EQ(-EMSGSIZE, SENDING((size_t)0x100000002));
	flagged.flags = 1;
	EXPECT_EQ(-EINVAL, err(chan_try_send_cargo(c, &value, &flagged)));
	fds[1] = 9999;
	EXPECT_EQ(-EBADF, SENDING(2));
	fds[1] = -2;
	EXPECT_EQ(-EBADF, SENDING(2));
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	fds[1] = socks[0];
	EXPECT_EQ(-ELOOP, SENDING(2));
	EXPECT_EQ(-EFAULT, err(chan_try_send_cargo(c, NULL, &two)));
	EXPECT_TRUE(unchanged(before, c));
	EXPECT_EQ(-EINVAL, err(chan_try_send_cargo(plain, &value, &two)));
	must(!chan_send(plain, &value));
	EXPECT_EQ(-EINVAL, err(chan_try_recv_cargo(plain, &value, &two)));
	EXPECT_EQ(1, chan_len(plain));
	chan_drop(plain);
	chan_drop(c);
}

/* A call cannot receive handles, and finds out before it sends, with a cancel too. */
TEST(call_has_no_room_for_handles)
{
	struct chan *requests = must_make(sizeof(int), 1), *answers = must_make_carrier(1, 1);
	struct chan_cancel *stop = must_have(chan_cancel_make());
	struct chan_bounds bounds = { .cancel = stop };
	int value = 1, sent = 0;

	must(!chan_send(answers, &value));
	EXPECT_EQ(-EMSGSIZE, err(chan_call(requests, &value, answers, &value, &sent)));
	EXPECT_EQ(0, sent);
	EXPECT_EQ(-EMSGSIZE,
		  err(chan_call_with(requests, &value, answers, &value, &sent, &bounds)));
	EXPECT_EQ(0, sent);
	EXPECT_EQ(0, chan_len(requests));
	chan_cancel_drop(stop);
	chan_drop(answers);
	chan_drop(requests);
}

/* Handles that receive travel down: to channels of less depth only. */
TEST(depth)
{
	struct chan *plain = must_make(1, 1), *one = must_make_carrier(1, 1), *two;

	two = must_make_with((struct chan_options){
		.elem_size = sizeof(int), .capacity = 2, .handles = 1, .depth = 2 });
	EXPECT_EQ(-ELOOP, send_fd(one, 1, chan_fd(one)));
	EXPECT_EQ(-ELOOP, send_fd(one, 1, chan_fd(two)));
	EXPECT_EQ(0, send_fd(one, 1, chan_fd(plain)));
	EXPECT_EQ(-ELOOP, send_fd(two, 1, chan_fd(two)));
	EXPECT_EQ(0, send_fd(two, 1, chan_fd(one)));
	EXPECT_EQ(0, send_fd(two, 1, chan_fd(plain)));
	chan_drop(plain);
	chan_drop(one);
	chan_drop(two);
}

/* A handle counts while it is on its way, and no longer. */
TEST(handle_on_its_way_keeps_a_channel)
{
	struct chan *carrier = must_make_carrier(1, 1), *c = must_make(sizeof(int), 1);
	struct chan *in = must_restrict(c, CHAN_RECV), *out = must_restrict(c, CHAN_SEND);
	int value;

	EXPECT_EQ(0, send_fd(carrier, 1, chan_fd(out)));
	chan_drop(out);
	chan_drop(c);
	EXPECT_EQ(0, stat_of(in).no_senders);
	EXPECT_EQ(-EAGAIN, err(chan_try_recv(in, &value)));
	/* Nobody can receive the message any more: it lets go of its handle. */
	chan_drop(carrier);
	EXPECT_EQ(0, err(chan_recv(in, &value)));
	EXPECT_EQ(1, stat_of(in).no_senders);
	chan_drop(in);
}

TEST(discarded_message_lets_go)
{
	struct chan *carrier = must_make_with((struct chan_options){
		.elem_size = sizeof(int), .capacity = 1, .policy = CHAN_LATEST, .handles = 1 });
	struct chan *c = must_make(sizeof(int), 1), *in = must_restrict(c, CHAN_RECV);
	int value;

	EXPECT_EQ(0, send_fd(carrier, 1, chan_fd(c)));
	chan_drop(c);
	EXPECT_EQ(0, stat_of(in).no_senders);
	EXPECT_EQ(0, send_fd(carrier, 2, -1));
	EXPECT_EQ(0, err(chan_recv(in, &value)));
	EXPECT_EQ(1, stat_of(carrier).dropped);
	chan_drop(in);
	chan_drop(carrier);
}

TEST(message_stays_where_there_is_no_number_left)
{
	struct chan *c = must_make_carrier(1, 1);
	struct rlimit few = { .rlim_max = 4096 };
	int value = 0, fd = 7;

	EXPECT_EQ(0, send_fd(c, 5, 0));
	few.rlim_cur = chan_fd(c) + 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	while (dup(0) >= 0)
		;
	EXPECT_EQ(-EMFILE, recv_fd(c, &value, &fd));
	EXPECT_EQ(1, chan_len(c));
	few.rlim_cur++;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	EXPECT_EQ(1, recv_fd(c, &value, &fd));
	EXPECT_EQ(5, value);
	EXPECT_EQ(chan_fd(c) + 1, fd);
	chan_drop(c);
}

TEST(end_brings_none)
{
	struct chan *c = must_make_carrier(1, 1);
	int value = 5, fd = 77;

	EXPECT_EQ(0, err(chan_close(c)));
	EXPECT_EQ(0, recv_fd(c, &value, &fd));
	EXPECT_EQ(0, value);
	EXPECT_EQ(77, fd);
	chan_drop(c);
}

/* ---- the typed calls ---- */

struct point {
	int x, y;
};

CHAN_TYPE(points, struct point);

TEST(typed)
{
	struct chan_options options = { .capacity = 1, .handles = 1, .stamped = 1 };
	points c = points_make_with(&options);
	struct point p = { 1, 2 }, got = { 0 };
	int fd = 0, room = -1;
	struct chan_cargo out = chan_cargo(&fd, 1), in = chan_cargo(&room, 1);
	struct chan_case on;

	ASSERT_NE(NULL, c.chan);
	EXPECT_EQ(sizeof(struct point), chan_elem_size(c.chan));
	EXPECT_EQ(0, err(points_send_cargo(c, &p, &out)));
	EXPECT_EQ(-EAGAIN, err(points_try_send_cargo(c, &p, &out)));
	EXPECT_EQ(-ETIMEDOUT, err(points_send_cargo_until(c, &p, &out, 0)));
	EXPECT_EQ(1, err(points_recv_cargo(c, &got, &in)));
	EXPECT_EQ(2, got.y);
	EXPECT_EQ(getpid(), in.pid);
	EXPECT_EQ(-EAGAIN, err(points_try_recv_cargo(c, &got, &in)));
	EXPECT_EQ(-ETIMEDOUT, err(points_recv_cargo_until(c, &got, &in, 0)));
	EXPECT_EQ(0, err(points_send_cargo_with(c, &p, &out, NULL)));
	EXPECT_EQ(1, err(points_recv_cargo_with(c, &got, &in, NULL)));
	on = points_on_send_cargo(c, &p, &out);
	EXPECT_EQ(0, err(chan_select(&on, 1)));
	on = points_on_recv_cargo(c, &got, &in);
	EXPECT_EQ(0, err(chan_select(&on, 1)));
	EXPECT_EQ(1, on.result);
	points_drop(c);
}

TEST_HARNESS_MAIN
