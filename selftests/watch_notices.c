// SPDX-License-Identifier: GPL-2.0-only
/*
 * The channel that notices go to: what is dropped and counted, that it does not end
 * while something is watched, that nothing comes after its end, who can't be watched,
 * and that whatever waits for messages waits for notices.
 */
#include <sys/epoll.h>
#include <kselftest_harness.h>
#include "watch_util.h"

static int watch_with(int object, int to, __u64 cookie)
{
	struct kchan_watch arg = {
		.size = sizeof(arg), .fd = to, .rights = BOTH_RIGHTS, .cookie = cookie,
	};

	return kchan_call(object, KCHAN_WATCH, &arg);
}

/* A process has the object, and ends. */
static void one_lets_go(int object)
{
	pid_t pid = fork();

	must(pid >= 0);
	if (!pid)
		_exit(0);
	must(waitpid(pid, NULL, 0) == pid);
}

/* One notice for each, with cookies from @first on. */
static void some_let_go(int object, int to, int first, int n)
{
	for (int i = 0; i < n; i++) {
		must(!watch_with(object, to, first + i));
		one_lets_go(object);
	}
}

/* The next cookie, 0 at the end, or -errno. */
static int try_cookie(int notices)
{
	struct kchan_notice notice;
	int ret = try_notice(notices, &notice);

	return ret == 1 ? (int)notice.cookie : ret;
}

FIXTURE(watch_notices) {
	int object;
};

FIXTURE_SETUP(watch_notices)
{
	self->object = make_object(KCHAN_KIND_MUTEX, 0);
}

FIXTURE_TEARDOWN(watch_notices) { }

/* ---- where there is no room ---- */

TEST_F(watch_notices, dropped_where_it_would_wait)
{
	int notices = make_notice_chan(2, KCHAN_POLICY_BLOCK, 0);

	some_let_go(self->object, notices, 1, 5);
	EXPECT_EQ(2, chan_stat(notices).length);
	EXPECT_EQ(3, chan_stat(notices).dropped);
	EXPECT_EQ(1, try_cookie(notices));
	some_let_go(self->object, notices, 6, 1);
	EXPECT_EQ(2, try_cookie(notices));
	EXPECT_EQ(6, try_cookie(notices));
	EXPECT_EQ(-EAGAIN, try_cookie(notices));
	EXPECT_EQ(3, chan_stat(notices).dropped);
}

TEST_F(watch_notices, policies)
{
	static const struct {
		__u32 policy;
		__u64 capacity;
		int left[3];
		__u64 dropped;
	} rows[] = {
		{ KCHAN_POLICY_DROP_NEWEST, 3, { 1, 2, 3 }, 4 },
		{ KCHAN_POLICY_DROP_OLDEST, 3, { 5, 6, 7 }, 4 },
		{ KCHAN_POLICY_LATEST, 1, { 7 }, 6 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int notices = make_notice_chan(rows[i].capacity, rows[i].policy,
					       i % 2 ? KCHAN_STAMPED : 0);

		some_let_go(self->object, notices, 1, 7);
		EXPECT_EQ(rows[i].dropped, chan_stat(notices).dropped);
		for (__u64 j = 0; j < rows[i].capacity; j++) {
			EXPECT_EQ(rows[i].left[j], try_cookie(notices));
		}
		EXPECT_EQ(-EAGAIN, try_cookie(notices));
	}
}

static int take_one(void *arg)
{
	struct kchan_notice notice;

	return chan_recv(*(int *)arg, &notice, sizeof(notice)) == 1 ? (int)notice.cookie : -1;
}

/* A rendezvous: only who waits there already. */
TEST_F(watch_notices, without_a_buffer)
{
	int notices = make_notice_chan(0, KCHAN_POLICY_BLOCK, 0);
	struct task *t;

	some_let_go(self->object, notices, 1, 2);
	EXPECT_EQ(2, chan_stat(notices).dropped);
	t = task_start(THREAD, take_one, &notices);
	wait_waiting(notices, 0, 1);
	some_let_go(self->object, notices, 3, 1);
	EXPECT_EQ(3, task_join(t));
	EXPECT_EQ(2, chan_stat(notices).dropped);
}

TEST_F(watch_notices, dropped_by_a_closed_channel)
{
	int notices = make_notice_chan(4, KCHAN_POLICY_BLOCK, 0);

	some_let_go(self->object, notices, 1, 1);
	ASSERT_EQ(0, chan_close(notices));
	one_lets_go(self->object);
	one_lets_go(self->object);
	EXPECT_EQ(2, chan_stat(notices).dropped);
	EXPECT_EQ(1, try_cookie(notices));
	EXPECT_EQ(0, try_cookie(notices));
	/* It can still be chosen, and nobody is told. */
	EXPECT_EQ(0, watch_with(self->object, notices, 5));
	one_lets_go(self->object);
	EXPECT_EQ(0, try_cookie(notices));
}

TEST_F(watch_notices, dropped_without_receivers)
{
	const __u32 policies[] = { KCHAN_POLICY_BLOCK, KCHAN_POLICY_DROP_NEWEST,
				   KCHAN_POLICY_DROP_OLDEST, KCHAN_POLICY_LATEST };

	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		int notices = make_notice_chan(1, policies[i], 0);
		int sender = restrict_to(notices, KCHAN_RIGHT_SEND);

		close(notices);
		some_let_go(self->object, sender, 1, 3);
		EXPECT_EQ(3, chan_stat(sender).dropped);
		EXPECT_EQ(0, chan_stat(sender).length);
		close(sender);
	}
}

/* ---- how long it lives ---- */

/* Only the watched object can send: it is what keeps the channel from ending. */
TEST_F(watch_notices, watched_object_keeps_it)
{
	int notices = make_notice_chan(4, KCHAN_POLICY_BLOCK, 0);
	int receiver = restrict_to(notices, KCHAN_RIGHT_RECV);

	ASSERT_EQ(0, watch_with(self->object, notices, 1));
	close(notices);
	EXPECT_EQ(0, chan_stat(receiver).state);
	EXPECT_EQ(-EAGAIN, try_cookie(receiver));
	EXPECT_EQ(0, poll_now(receiver, POLLIN));
	one_lets_go(self->object);
	close(self->object);
	/* Two told, and then it was gone. */
	EXPECT_EQ(KCHAN_STATE_NO_SENDERS, chan_stat(receiver).state);
	EXPECT_EQ(1, try_cookie(receiver));
	EXPECT_EQ(1, try_cookie(receiver));
	EXPECT_EQ(0, try_cookie(receiver));
	EXPECT_EQ(POLLIN | POLLHUP, poll_now(receiver, POLLIN));
}

TEST_F(watch_notices, several_objects_keep_it)
{
	int notices = make_notice_chan(9, KCHAN_POLICY_BLOCK, 0);
	int receiver = restrict_to(notices, KCHAN_RIGHT_RECV), objects[3];

	for (int i = 0; i < 3; i++) {
		objects[i] = make_object(KCHAN_KIND_ONCE, 0);
		ASSERT_EQ(0, watch_with(objects[i], notices, 10 + i));
	}
	close(notices);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-EAGAIN, try_cookie(receiver));
		close(objects[i]);
		EXPECT_EQ(10 + i, try_cookie(receiver));
	}
	EXPECT_EQ(0, try_cookie(receiver));
}

static int receive_until_the_end(void *arg)
{
	struct kchan_notice notice;
	int n = 0;

	while (chan_recv(*(int *)arg, &notice, sizeof(notice)) == 1)
		n++;
	return n;
}

/* Whoever is blocked learns of the end as well. */
TEST_F(watch_notices, end_wakes_receivers)
{
	int notices = make_notice_chan(4, KCHAN_POLICY_BLOCK, 0);
	int receiver = restrict_to(notices, KCHAN_RIGHT_RECV);
	struct task *t = task_start(THREAD, receive_until_the_end, &receiver);

	ASSERT_EQ(0, watch_with(self->object, notices, 1));
	close(notices);
	wait_waiting(receiver, 0, 1);
	one_lets_go(self->object);
	wait_waiting(receiver, 0, 1);
	close(self->object);
	EXPECT_EQ(2, task_join(t));
}

TEST_F(watch_notices, replaced)
{
	int first = make_notice_chan(4, KCHAN_POLICY_BLOCK, 0);
	int second = make_notice_chan(4, KCHAN_POLICY_BLOCK, 0);
	int receiver = restrict_to(first, KCHAN_RIGHT_RECV);

	some_let_go(self->object, first, 1, 1);
	close(first);
	EXPECT_EQ(0, chan_stat(receiver).state);
	some_let_go(self->object, second, 2, 1);
	EXPECT_EQ(1, try_cookie(receiver));
	EXPECT_EQ(0, try_cookie(receiver));
	EXPECT_EQ(2, try_cookie(second));
	EXPECT_EQ(-EAGAIN, try_cookie(second));
}

TEST_F(watch_notices, removed)
{
	int notices = make_notice_chan(4, KCHAN_POLICY_BLOCK, 0);
	int receiver = restrict_to(notices, KCHAN_RIGHT_RECV);

	some_let_go(self->object, notices, 1, 1);
	close(notices);
	for (int i = 0; i < 2; i++) {
		watch_no_more(self->object);
		one_lets_go(self->object);
	}
	EXPECT_EQ(1, try_cookie(receiver));
	EXPECT_EQ(0, try_cookie(receiver));
	EXPECT_EQ(0, chan_stat(receiver).dropped);
}

/* ---- removed while somebody tells ---- */

struct busy {
	int object;
	int over;
};

/* Lets go of it and gets it back, again and again. */
static int let_go_and_return(void *arg)
{
	struct busy *b = arg;
	int sockets[2];

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	while (!load(&b->over)) {
		pass_fd(sockets[0], b->object);
		close(b->object);
		b->object = take_fd(sockets[1]);
	}
	return 0;
}

/*
 *	teller						remover
 *	sees the channel
 *							removes the watch: the end
 *	sends
 *							receives 0; and then a message?
 */
static void spin_for(int us)
{
	__s64 end = now() + us * 1000ll;

	while (now() < end)
		;
}

/* Watches for some moments; returns what was told, and counts what came too late. */
static int watch_for_a_moment(int object, int us, int *late)
{
	int notices = make_notice_chan(4096, KCHAN_POLICY_BLOCK, KCHAN_STAMPED);
	int receiver = restrict_to(notices, KCHAN_RIGHT_RECV), told = 0, cookie;

	must(!watch_with(object, notices, 1));
	close(notices);
	spin_for(us);
	watch_no_more(object);
	while ((cookie = try_cookie(receiver)) == 1)
		told++;
	/* The end, and again after more than enough time. */
	must(!cookie);
	spin_for(us);
	cookie = try_cookie(receiver);
	*late += chan_stat(receiver).dropped;
	close(receiver);
	return cookie ? -1 : told;
}

TEST_F(watch_notices, nothing_comes_after_the_end)
{
	struct busy *busy = shared_alloc(2 * sizeof(*busy));
	int late = 0, told = 0, rounds = 0;
	__s64 end = in_ms(4000);
	unsigned int seed = 1;
	struct task *tasks[2];

	for (int i = 0; i < 2; i++) {
		busy[i].object = self->object;
		tasks[i] = task_start(PROCESS, let_go_and_return, &busy[i]);
	}
	for (; rounds < 3000 && now() < end; rounds++) {
		int n = watch_for_a_moment(self->object, rand_r(&seed) % 300, &late);

		ASSERT_LE(0, n);
		told += n;
	}
	for (int i = 0; i < 2; i++) {
		store(&busy[i].over, 1);
		EXPECT_EQ(0, task_join(tasks[i]));
	}
	EXPECT_LT(0, told);
	TH_LOG("%d rounds, %d told, %d came too late", rounds, told, late);
}

/* ---- who watches whom ---- */

TEST_F(watch_notices, no_circles)
{
	int a = make_notice_chan(4, KCHAN_POLICY_BLOCK, 0);
	int b = make_notice_chan(4, KCHAN_POLICY_BLOCK, 0);
	int c = make_notice_chan(4, KCHAN_POLICY_BLOCK, 0);

	EXPECT_EQ(-ELOOP, watch_with(a, a, 1));
	ASSERT_EQ(0, watch_with(a, b, 1));
	/* b is told, a is watched. */
	EXPECT_EQ(-ELOOP, watch_with(b, c, 1));
	EXPECT_EQ(-ELOOP, watch_with(b, a, 1));
	EXPECT_EQ(-ELOOP, watch_with(b, b, 1));
	EXPECT_EQ(-ELOOP, watch_with(c, a, 1));
	EXPECT_EQ(-ELOOP, watch_with(self->object, a, 1));
	/* What failed has changed nothing. */
	one_lets_go(a);
	EXPECT_EQ(1, try_cookie(b));
	EXPECT_EQ(0, watch_with(c, b, 2));
	EXPECT_EQ(-ELOOP, watch_with(a, c, 3));
	watch_no_more(c);
	EXPECT_EQ(0, watch_with(a, c, 4));
	/* Now nothing is told to b. */
	EXPECT_EQ(0, watch_with(b, c, 5));
	watch_no_more(a);
	watch_no_more(b);
	EXPECT_EQ(0, watch_with(c, a, 6));
}

struct rivals {
	int from, to;
	int *started;
	int ret;
};

static int watch_at_once(void *arg)
{
	struct rivals *r = arg;

	count_up(r->started);
	while (load(r->started) < 2)
		;
	r->ret = watch_with(r->from, r->to, 1);
	return 0;
}

/* Both at once never both succeed. */
TEST_F(watch_notices, no_circles_at_once)
{
	int a = make_notice_chan(1, KCHAN_POLICY_BLOCK, 0);
	int b = make_notice_chan(1, KCHAN_POLICY_BLOCK, 0);

	for (int i = 0; i < 200; i++) {
		int started = 0;
		struct rivals there = { a, b, &started, 0 }, back = { b, a, &started, 0 };
		struct task *t = task_start(THREAD, watch_at_once, &there);

		watch_at_once(&back);
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(true, there.ret || back.ret);
		EXPECT_EQ(true, !there.ret || there.ret == -ELOOP);
		EXPECT_EQ(true, !back.ret || back.ret == -ELOOP);
		watch_no_more(a);
		watch_no_more(b);
	}
}

TEST_F(watch_notices, bad_input)
{
	int notices = make_notice_chan(4, KCHAN_POLICY_BLOCK, 0);
	int receiver = restrict_to(notices, KCHAN_RIGHT_RECV);
	int sender = restrict_to(notices, KCHAN_RIGHT_SEND);
	int takes = restrict_to(self->object, KCHAN_RIGHT_RECV);
	int gives = restrict_to(self->object, KCHAN_RIGHT_SEND);
	struct kchan_watch good = {
		.size = sizeof(good), .fd = sender, .rights = BOTH_RIGHTS, .cookie = 2,
	}, bad;

	ASSERT_EQ(0, watch_with(self->object, sender, 1));
	EXPECT_EQ(-EBADF, watch_with(takes, sender, 2));
	EXPECT_EQ(-EBADF, watch_with(gives, sender, 2));
	EXPECT_EQ(-EBADF, watch_with(takes, -1, 2));
	EXPECT_EQ(-EBADF, watch_with(self->object, receiver, 2));
	EXPECT_EQ(-EBADF, watch_with(self->object, 1000, 2));
	EXPECT_EQ(-EBADF, watch_with(self->object, open("/dev/kchan", O_PATH), 2));
	EXPECT_EQ(-EINVAL, watch_with(self->object, 0, 2));
	EXPECT_EQ(-EINVAL, watch_with(self->object, open_device(), 2));
	EXPECT_EQ(-EINVAL, watch_with(self->object, self->object, 2));
	EXPECT_EQ(-EINVAL, watch_with(self->object, make_object(KCHAN_KIND_COND, 0), 2));
	EXPECT_EQ(-EINVAL, watch_with(self->object, make_chan(0, 1), 2));
	EXPECT_EQ(-EINVAL, watch_with(self->object, make_chan(sizeof(struct kchan_notice) - 1, 1),
				      2));
	EXPECT_EQ(-EINVAL, watch_with(self->object, make_chan(sizeof(struct kchan_notice) + 1, 1),
				      2));
	for (int bit = 0; bit < 32; bit++) {
		bad = good;
		bad.flags = 1u << bit;
		EXPECT_EQ(-EINVAL, kchan_call(self->object, KCHAN_WATCH, &bad));
		bad = good;
		bad.rights = bit < 2 ? 0 : KCHAN_RIGHT_RECV | 1u << bit;
		EXPECT_EQ(-EINVAL, kchan_call(self->object, KCHAN_WATCH, &bad));
		bad.fd = -1;
		EXPECT_EQ(-EINVAL, kchan_call(self->object, KCHAN_WATCH, &bad));
	}
	EXPECT_EQ(-ENOTTY, kchan_call(open_device(), KCHAN_WATCH, &good));
	one_lets_go(self->object);
	EXPECT_EQ(1, try_cookie(notices));
	EXPECT_EQ(-EAGAIN, try_cookie(notices));
	EXPECT_EQ(0, chan_stat(notices).dropped);
	/* Any negative number is none. */
	EXPECT_EQ(0, watch_with(self->object, INT_MIN, 2));
	one_lets_go(self->object);
	EXPECT_EQ(-EAGAIN, try_cookie(notices));
}

/* ---- what can be watched ---- */

static int make_token(void)
{
	int group = make_object(KCHAN_KIND_WAITGROUP, 0), token;

	must(!kchan_add(group, 2));
	token = made(kchan_arg_call(group, KCHAN_TOKEN, 2));
	close(group);
	return token;
}

static int make_any(__u32 kind)
{
	switch (kind) {
	case KCHAN_KIND_CHAN:
		return make_chan(8, 1);
	case KCHAN_KIND_TOKEN:
		return make_token();
	case KCHAN_KIND_SEMAPHORE:
	case KCHAN_KIND_CELLS:
		return make_object(kind, 2);
	default:
		return make_object(kind, 0);
	}
}

TEST(every_kind)
{
	int notices = make_notices();
	int receiver = restrict_to(notices, KCHAN_RIGHT_RECV);

	for (__u32 kind = KCHAN_KIND_CHAN; kind <= KCHAN_KIND_CANCEL; kind++) {
		int object = make_any(kind), half = restrict_to(object, KCHAN_RIGHT_RECV);
		struct leaver *l = new_leaver(IS_KILLED, object);
		struct task *t;
		pid_t pid;

		watch(object, notices, BOTH_RIGHTS);
		t = start_leaver(l);
		pid = t->pid;
		let_leave(t, l);
		EXPECT_EQ(SIGKILL, end_leaver(t, l));
		EXPECT_TOLD_OF_END(notices, pid, BOTH_RIGHTS, SIGKILL);
		close(object);
		EXPECT_TOLD(notices, getpid(), KCHAN_RIGHT_SEND);
		close(half);
		EXPECT_TOLD(notices, getpid(), KCHAN_RIGHT_RECV);
		EXPECT_SILENCE(notices);
	}
	/* All that was watched is gone. */
	close(notices);
	EXPECT_EQ(KCHAN_STATE_NO_SENDERS | KCHAN_STATE_STAMPED, chan_stat(receiver).state);
}

/* A mapping is no file number, but keeps the object, and so the channel. */
TEST(mapped_cells)
{
	int cells = make_object(KCHAN_KIND_CELLS, 1);
	int notices = make_notices(), receiver = restrict_to(notices, KCHAN_RIGHT_RECV);
	struct kchan_cell *mapped = map_cells(cells, 1);

	watch(cells, notices, BOTH_RIGHTS);
	close(notices);
	close(cells);
	EXPECT_TOLD(receiver, getpid(), BOTH_RIGHTS);
	EXPECT_SILENCE(receiver);
	must(!munmap(mapped, sizeof(*mapped)));
	EXPECT_EQ(0, try_cookie(receiver));
}

/* Its messages may have room for handles; a notice has none. */
TEST(channel_with_handles)
{
	int object = make_object(KCHAN_KIND_MUTEX, 0), fds[2] = { 7, 7 };
	int notices = make_carrier(.elem_size = sizeof(struct kchan_notice), .capacity = 4,
				   .flags = KCHAN_STAMPED, .handles = 2, .depth = 1);
	struct kchan_ancillary with = with_handles(fds, 2);
	struct kchan_notice notice;

	watch(object, notices, BOTH_RIGHTS);
	close(object);
	EXPECT_EQ(1, cargo_msg(notices, KCHAN_RECV, &notice, sizeof(notice), 0, &with));
	EXPECT_EQ(COOKIE, notice.cookie);
	EXPECT_EQ(getpid(), with.pid);
	EXPECT_EQ(-1, fds[0]);
	EXPECT_EQ(-1, fds[1]);
}

/*
 * The watched object lies in the very channel that it keeps: all goes with its
 * receivers.  If it did not, the module could not be unloaded.
 */
TEST(object_in_its_own_channel)
{
	int object = make_object(KCHAN_KIND_MUTEX, 0);
	int notices = make_carrier(.elem_size = sizeof(struct kchan_notice), .capacity = 4,
				   .handles = 1, .depth = 1);
	struct kchan_ancillary with = with_handles(&object, 1);
	struct kchan_notice notice = { };

	watch(object, notices, BOTH_RIGHTS);
	ASSERT_EQ(0, cargo_msg(notices, KCHAN_SEND, &notice, sizeof(notice), 0, &with));
	close(object);
	EXPECT_EQ(2, chan_stat(notices).length);
	close(notices);
}

/* ---- waiting for notices ---- */

TEST_F(watch_notices, poll_epoll_and_read)
{
	int notices = make_notice_chan(4, KCHAN_POLICY_BLOCK, 0), epoll = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };
	struct kchan_notice notice;

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, notices, &event));
	EXPECT_EQ(0, poll_now(notices, POLLIN));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	some_let_go(self->object, notices, 77, 1);
	EXPECT_EQ(POLLIN, poll_now(notices, POLLIN));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	EXPECT_EQ(sizeof(notice), read(notices, &notice, sizeof(notice)));
	EXPECT_EQ(77, notice.cookie);
	EXPECT_EQ(KCHAN_NOTICE_EXIT, notice.flags);
	EXPECT_EQ(0, poll_now(notices, POLLIN));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
}

struct waiter {
	int notices;
	int cookie;
};

static int wait_with_poll(void *arg)
{
	struct waiter *w = arg;
	struct pollfd p = { .fd = w->notices, .events = POLLIN };

	CHECK(poll(&p, 1, PATIENCE_NS / NSEC_PER_MSEC) == 1 && p.revents == POLLIN);
	w->cookie = try_cookie(w->notices);
	return 0;
}

static int wait_with_epoll(void *arg)
{
	struct waiter *w = arg;
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0);

	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, w->notices, &event));
	CHECK(epoll_wait(epoll, &event, 1, PATIENCE_NS / NSEC_PER_MSEC) == 1);
	close(epoll);
	w->cookie = try_cookie(w->notices);
	return 0;
}

static int wait_with_read(void *arg)
{
	struct waiter *w = arg;
	struct kchan_notice notice;

	CHECK(read(w->notices, &notice, sizeof(notice)) == sizeof(notice));
	w->cookie = notice.cookie;
	return 0;
}

static int wait_with_select(void *arg)
{
	struct waiter *w = arg;
	struct kchan_notice notice;
	struct kchan_case cases[] = {
		on_recv64(make_chan(8, 1), &(__u64){ 0 }),
		on_recv(w->notices, &notice, sizeof(notice)),
	};
	struct chosen chosen = kchan_select(cases, 2, 0, 0);

	CHECK(chosen.index == 1 && chosen.outcome == 1);
	w->cookie = notice.cookie;
	return 0;
}

TASK_FIXTURE(waiting)

/* All are asleep before anything happens, and each gets the notice. */
TEST_F(waiting, of_every_kind)
{
	int (*const waits[])(void *) = {
		wait_with_poll, wait_with_epoll, wait_with_read, wait_with_select,
	};
	int object = make_object(KCHAN_KIND_MUTEX, 0);
	int notices = make_notice_chan(4, KCHAN_POLICY_BLOCK, 0);
	struct waiter *w = shared_alloc(sizeof(*w));

	w->notices = notices;
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		struct leaver *l = new_leaver(IS_KILLED, object);
		struct task *leaver, *t;

		leaver = start_leaver(l);
		t = task_start(variant->kind, waits[i], w);
		must(!watch_with(object, notices, 100 + i));
		wait_asleep(t);
		let_leave(leaver, l);
		end_leaver(leaver, l);
		/* A process that waited lets go as well when it ends: after it was told. */
		EXPECT_EQ(0, task_join(t));
		EXPECT_EQ(100 + i, w->cookie);
		watch_no_more(object);
		while (try_cookie(notices) > 0)
			;
	}
}

/* ---- lifetimes ---- */

/* All orders in which the object, its channel's sender and receiver can go. */
TEST(freed_in_any_order)
{
	static const int orders[][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};

	for (size_t i = 0; i < 2 * ARRAY_LEN(orders); i++) {
		int object = make_object(KCHAN_KIND_SEMAPHORE, 1);
		int notices = make_notice_chan(2, KCHAN_POLICY_BLOCK, i % 2 ? KCHAN_STAMPED : 0);
		int fds[3] = {
			object, restrict_to(notices, KCHAN_RIGHT_SEND),
			restrict_to(notices, KCHAN_RIGHT_RECV),
		};

		watch(object, notices, BOTH_RIGHTS);
		close(notices);
		one_lets_go(object);
		for (int j = 0; j < 3; j++)
			close(fds[orders[i / 2][j]]);
	}
}

/* The same when processes end with all of it at once. */
static int end_with_watches(void *arg)
{
	int before = *(int *)arg, object, notices;

	for (int i = 0; i < 6; i++) {
		object = before && i % 2 ? make_object(KCHAN_KIND_SEMAPHORE, 1) : -1;
		notices = make_notice_chan(2, KCHAN_POLICY_BLOCK, 0);
		if (object < 0)
			object = make_object(KCHAN_KIND_SEMAPHORE, 1);
		watch(object, notices, BOTH_RIGHTS);
		if (i > 3)
			close(notices);
	}
	return 0;
}

TEST(all_goes_with_its_process)
{
	for (int i = 0; i < 2; i++) {
		struct task *t = task_start(PROCESS, end_with_watches, &i);

		EXPECT_EQ(0, task_join(t));
	}
}

TEST_HARNESS_MAIN
