// SPDX-License-Identifier: GPL-2.0-only
/*
 * No message keeps itself alive: what could is refused with ELOOP, and whatever was let
 * in is freed when everybody has closed what he had, however it lies in each other.
 */
#include <kselftest_harness.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include "cargo_util.h"

/* Each object's handle counts as a use of the module. */
static long module_refs(void)
{
	FILE *f = fopen("/sys/module/kchan/refcnt", "r");
	long n;

	must(f && fscanf(f, "%ld", &n) == 1);
	fclose(f);
	return n;
}

/* Two handles in a message: one that matters, and one that tells when it is freed. */
static int make_knot(__u32 depth)
{
	return make_carrier(.elem_size = 8, .capacity = 4, .handles = 2, .depth = depth);
}

static int tie(int c, int handle, struct trace trace)
{
	__s32 handles[] = { handle, trace.write };

	return send_handles(c, 1, handles, 2, KCHAN_NONBLOCK);
}

/* It was refused, has sent nothing, and let go of what it had taken in. */
static int is_refused(int c, int handle)
{
	struct trace trace = make_trace();
	__s32 handles[] = { trace.write, handle };
	struct kchan_stat before = chan_stat(c);

	CHECK(tie(c, handle, trace) == -ELOOP);
	CHECK(send_handles(c, 1, handles, 2, 0) == -ELOOP);
	CHECK(same_stat(before, c));
	close(trace.write);
	CHECK(is_gone(trace));
	close(trace.read);
	return 0;
}

/* ---- what is refused ---- */

TEST(receive_handle_in_its_own_channel)
{
	for (__u32 depth = 1; depth <= KCHAN_MAX_DEPTH; depth++) {
		int c = make_knot(depth);

		EXPECT_EQ(0, is_refused(c, c));
		EXPECT_EQ(0, is_refused(c, restrict_to(c, KCHAN_RIGHT_RECV)));
	}
}

/* Only into a channel of greater depth than its own. */
TEST(depths)
{
	struct trace trace = make_trace();
	int c[KCHAN_MAX_DEPTH + 1];

	for (__u32 depth = 1; depth <= KCHAN_MAX_DEPTH; depth++)
		c[depth] = make_carrier(.elem_size = 8, .capacity = 64, .handles = 2,
					.depth = depth);
	c[0] = make_chan(8, 1);
	for (__u32 outer = 1; outer <= KCHAN_MAX_DEPTH; outer++) {
		for (__u32 inner = 0; inner <= KCHAN_MAX_DEPTH; inner++) {
			EXPECT_EQ(inner < outer ? 0 : -ELOOP, tie(c[outer], c[inner], trace));
		}
	}
}

TEST(one_in_the_other_in_the_one)
{
	struct trace trace = make_trace();
	int a = make_knot(1), b = make_knot(2), c = make_knot(3);

	EXPECT_EQ(0, tie(b, a, trace));
	EXPECT_EQ(0, is_refused(a, b));
	EXPECT_EQ(0, tie(c, b, trace));
	EXPECT_EQ(0, is_refused(a, c));
	EXPECT_EQ(0, is_refused(b, c));
	EXPECT_EQ(0, is_refused(c, c));
}

TEST(channels_of_equal_depth)
{
	int a = make_knot(2), b = make_knot(2);

	EXPECT_EQ(0, is_refused(a, b));
	EXPECT_EQ(0, is_refused(b, restrict_to(a, KCHAN_RIGHT_RECV)));
}

/* It is no matter whether it would wait, or stands in a select. */
TEST(other_ways)
{
	int c = make_carrier(.elem_size = 8, .handles = 1, .depth = 1);
	struct kchan_ancillary ancillary = with_handles(&c, 1);
	__u64 v = 1;
	struct kchan_case cases[] = {
		with_ancillary(on_send64(c, &v), &ancillary), on_recv64(make_chan(8, 0), &v),
	};

	EXPECT_EQ(-ELOOP, send_handle(c, 1, c));
	EXPECT_EQ(-ELOOP, kchan_select(cases, 1, 0, 0).index);
	EXPECT_EQ(-ELOOP, kchan_select(cases, 2, 0, 0).index);
	EXPECT_EQ(true, waiting(c, 0, 0));
}

TEST(unix_sockets)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "\0kchan-cycles" };
	int c = make_knot(KCHAN_MAX_DEPTH), pair[2], one;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		must(!socketpair(AF_UNIX, types[i], 0, pair));
		EXPECT_EQ(0, is_refused(c, pair[0]));
		EXPECT_EQ(0, is_refused(c, pair[1]));
		one = socket(AF_UNIX, types[i], 0);
		must(one >= 0);
		EXPECT_EQ(0, is_refused(c, one));
	}
	one = socket(AF_UNIX, SOCK_STREAM, 0);
	must(!bind(one, (void *)&address, sizeof(address)) && !listen(one, 1));
	EXPECT_EQ(0, is_refused(c, one));
}

TEST(io_uring)
{
	__u32 params[30] = { 0 };
	int c = make_knot(KCHAN_MAX_DEPTH), ring = syscall(425, 4, params);

	if (ring < 0)
		SKIP(return, "io_uring: %s", strerror(errno));
	EXPECT_EQ(0, is_refused(c, ring));
}

/* ---- what is let in, and freed ---- */

/* A circle of @n channels, each of which has the next one's send handle. */
static int circle(int n, struct trace trace)
{
	int *c = calloc(n, sizeof(*c));

	allow_fds(n + 100);
	for (int i = 0; i < n; i++)
		c[i] = make_knot(1);
	for (int i = 0; i < n; i++) {
		int next = restrict_to(c[(i + 1) % n], KCHAN_RIGHT_SEND);

		CHECK(tie(c[i], next, trace) == 0);
		close(next);
	}
	for (int i = 0; i < n; i++)
		close(c[i]);
	free(c);
	return 0;
}

TEST(circles_of_send_handles)
{
	static const int sizes[] = { 1, 2, 3, 50 };

	any_device();
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct trace trace = make_trace();
		long before = module_refs();

		ASSERT_EQ(0, circle(sizes[i], trace));
		close(trace.write);
		EXPECT_EQ(true, is_gone(trace));
		EXPECT_EQ(before, module_refs());
		close(trace.read);
	}
}

/* The same by death, where all goes in one go: no stack is as deep as that. */
struct long_chain {
	int n;
	struct trace trace;
};

static int hold_long_chain(void *arg)
{
	struct long_chain *chain = arg;
	int first, c;

	allow_fds(chain->n + 100);
	first = c = make_knot(1);
	for (int i = 0; i < chain->n; i++) {
		int next = i == chain->n - 1 ? first : make_knot(1);
		int entry = restrict_to(next, KCHAN_RIGHT_SEND);

		CHECK(tie(c, entry, chain->trace) == 0);
		close(entry);
		c = next;
	}
	raise(SIGKILL);
	return 0;
}

TEST(long_circle_dies)
{
	struct long_chain *chain = shared_alloc(sizeof(*chain));
	long before;

	any_device();
	before = module_refs();
	*chain = (struct long_chain){ 1000, make_trace() };
	EXPECT_EQ(KILLED(SIGKILL), task_join(task_start(PROCESS, hold_long_chain, chain)));
	close(chain->trace.write);
	wait_until(is_gone(chain->trace));
	wait_until(module_refs() == before);
}

/* Channels in channels, as deep as can be; each has the only handle to the next. */
static int nest(struct trace trace)
{
	int c = make_knot(1), outer;

	must(!tie(c, -1, trace));
	for (__u32 depth = 2; depth <= KCHAN_MAX_DEPTH; depth++) {
		outer = make_knot(depth);
		must(!tie(outer, c, trace));
		close(c);
		c = outer;
	}
	return c;
}

TEST(nested_and_never_claimed)
{
	struct trace trace = make_trace();
	long before;
	int c;

	any_device();
	before = module_refs();
	c = nest(trace);
	close(trace.write);
	EXPECT_EQ(before + KCHAN_MAX_DEPTH, module_refs());
	EXPECT_EQ(false, is_gone(trace));
	close(c);
	EXPECT_EQ(true, is_gone(trace));
	EXPECT_EQ(before, module_refs());
}

TEST(nested_and_claimed)
{
	struct trace trace = make_trace();
	int c = nest(trace), levels = 0;
	__s32 got[2] = { c, -1 };
	__u64 v;

	close(trace.write);
	for (; got[0] >= 0; levels++) {
		c = got[0];
		ASSERT_EQ(1, recv_handles(c, &v, got, 2, KCHAN_NONBLOCK));
		EXPECT_EQ(true, leads_to(trace, got[1]));
		close(got[1]);
		close(c);
	}
	EXPECT_EQ(KCHAN_MAX_DEPTH, levels);
	EXPECT_EQ(true, is_gone(trace));
}

/* A tree: four in each, five levels; 341 channels go with one close. */
static int make_tree(__u32 depth, struct trace trace)
{
	int c = make_knot(depth);

	for (int i = 0; i < 4; i++) {
		int child = depth > 1 ? make_tree(depth - 1, trace) : -1;

		must(!tie(c, child, trace));
		if (child >= 0)
			close(child);
	}
	return c;
}

TEST(tree)
{
	struct trace trace = make_trace();
	long before;
	int c;

	any_device();
	before = module_refs();
	c = make_tree(5, trace);
	EXPECT_EQ(before + 341, module_refs());
	close(trace.write);
	close(c);
	EXPECT_EQ(true, is_gone(trace));
	EXPECT_EQ(before, module_refs());
}

/* Its holder is killed: the same. */
static int hold_tree(void *arg)
{
	struct long_chain *chain = arg;

	make_tree(4, chain->trace);
	nest(chain->trace);
	raise(SIGKILL);
	return 0;
}

TEST(nested_holder_dies)
{
	struct long_chain *chain = shared_alloc(sizeof(*chain));
	long before;

	any_device();
	before = module_refs();
	chain->trace = make_trace();
	EXPECT_EQ(KILLED(SIGKILL), task_join(task_start(PROCESS, hold_tree, chain)));
	close(chain->trace.write);
	wait_until(is_gone(chain->trace));
	wait_until(module_refs() == before);
}

/* Receive handles down, send handles up: both of a pair lie in each other. */
TEST(down_and_up)
{
	struct trace trace = make_trace();
	int inner, outer, up;
	long before;

	any_device();
	before = module_refs();
	inner = make_knot(1);
	outer = make_knot(2);
	up = restrict_to(outer, KCHAN_RIGHT_SEND);
	EXPECT_EQ(0, tie(inner, up, trace));
	EXPECT_EQ(0, tie(outer, inner, trace));
	close(up);
	close(inner);
	close(trace.write);
	EXPECT_EQ(false, is_gone(trace));
	close(outer);
	EXPECT_EQ(true, is_gone(trace));
	EXPECT_EQ(before, module_refs());
}

/* Who watches a channel does not keep it, not even from within. */
TEST(epoll_in_what_it_watches)
{
	struct trace trace = make_trace();
	int c, epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN };
	long before;

	any_device();
	before = module_refs();
	c = make_knot(1);
	must(!epoll_ctl(epoll, EPOLL_CTL_ADD, c, &event));
	ASSERT_EQ(0, tie(c, epoll, trace));
	close(epoll);
	close(trace.write);
	EXPECT_EQ(false, is_gone(trace));
	close(c);
	EXPECT_EQ(true, is_gone(trace));
	EXPECT_EQ(before, module_refs());
}

/* A channel in an AF_UNIX socket that nobody reads, and messages in that channel. */
TEST(in_a_socket)
{
	struct trace trace = make_trace();
	long before;
	int c, pair[2];

	any_device();
	before = module_refs();
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	c = nest(trace);
	pass_fd(pair[0], c);
	close(c);
	close(trace.write);
	EXPECT_EQ(false, is_gone(trace));
	close(pair[0]);
	close(pair[1]);
	wait_until(is_gone(trace));
	wait_until(module_refs() == before);
}

TEST_HARNESS_MAIN
