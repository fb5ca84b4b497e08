// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every wait, alone, in a select, and if it is for messages in a batch, as half of a
 * KCHAN_CALL, by read(2) or write(2) and with handles, against every end that a process
 * can have: it is killed, another of its threads closes the handle, execs or exits, or
 * the peer is killed.  The races: the end and what was waited for meet, at random
 * offsets.  What the dead had not taken is there for others, what they had taken is gone
 * once, what they held is passed on; and a bystander in the same queue is not left
 * asleep.
 *
 * In the environment KCHAN_SEED=number repeats a run, as far as races repeat, and
 * KCHAN_ROUNDS=number makes it longer.
 */
#include <kselftest_harness.h>
#include "cargo_util.h"
#include "select_util.h"
#include "wait_rows.h"

enum { ROUNDS = IS_DEBUGGING ? 2 : 8, MOST_NS = 300000 };

enum end { KILLED_ITSELF, CLOSED, EXECED, EXITED };

/* How all in a test call the operation. */
enum way { ALONE, IN_SELECT, IN_BATCH, IN_CALL, AS_FILE, WITH_HANDLES, OF_COND };

static enum way way;

/* What messages carry: as long as any of them is left, so is the pipe's write end. */
static struct trace trace;

/* What is given back while a cond is waited for. */
static int lock;

/* How many grants a call needs: a batch waits twice, and has room for one more. */
enum { MIN_OF_BATCH = 2, MAX_OF_BATCH = 3 };

static int wanted(void)
{
	return way == IN_BATCH ? MIN_OF_BATCH : 1;
}

FIXTURE(kill_matrix) {
	unsigned int seed;
	int rounds;
};

FIXTURE_VARIANT(kill_matrix) {
	struct wait_row row;
	enum way way;
};

#define ADD(name, ...)									\
	FIXTURE_VARIANT_ADD(kill_matrix, name) { WAIT_ROW(name, __VA_ARGS__), ALONE };	\
	FIXTURE_VARIANT_ADD(kill_matrix, name##_in_select) {				\
		WAIT_ROW(name, __VA_ARGS__), IN_SELECT,					\
	};
#define ADD_TRANSFER(name, ...)								\
	ADD(name, __VA_ARGS__)								\
	FIXTURE_VARIANT_ADD(kill_matrix, name##_in_batch) {				\
		WAIT_ROW(name, __VA_ARGS__), IN_BATCH,					\
	};										\
	FIXTURE_VARIANT_ADD(kill_matrix, name##_in_call) {				\
		WAIT_ROW(name, __VA_ARGS__), IN_CALL,					\
	};										\
	FIXTURE_VARIANT_ADD(kill_matrix, name##_as_file) {				\
		WAIT_ROW(name, __VA_ARGS__), AS_FILE,					\
	};
#define ADD_WITH_HANDLES(name, ...)							\
	FIXTURE_VARIANT_ADD(kill_matrix, name) { WAIT_ROW(name, __VA_ARGS__), WITH_HANDLES };
#define ADD_OF_COND(name, ...)								\
	FIXTURE_VARIANT_ADD(kill_matrix, name) { WAIT_ROW(name, __VA_ARGS__), OF_COND };

FOR_EVERY_WAIT(ADD)
FOR_EVERY_TRANSFER(ADD_TRANSFER)

/* ---- rows of our own: messages with a handle, and a cond ---- */

static void ship(int fd) { must(!send_handle(fd, MESSAGE, trace.write)); }

static void unship(int fd)
{
	__u64 v;
	int handle = recv_handle(fd, &v);

	must(handle >= 0 && v == MESSAGE && leads_to(trace, handle));
	close(handle);
}

static void fill_up_with_handles(int fd)
{
	while (try_send_handle(fd, MESSAGE, trace.write) == 0)
		;
}

/* A signal is for who waits: there is somebody, or will be. */
static void signal_one(int fd)
{
	wait_until(kchan_arg_call(fd, KCHAN_SIGNAL, 1) == 1);
}

#define FOR_EVERY_SHIPMENT(ROW)								\
	ROW(send_handle_unbuffered, KCHAN_KIND_CHAN, 0, KCHAN_OP_SEND, 0,		\
	    KCHAN_RIGHT_SEND, FOR_ONE, fill_up_with_handles, unship, 0, 0)		\
	ROW(send_handle_buffered, KCHAN_KIND_CHAN, 2, KCHAN_OP_SEND, 0,			\
	    KCHAN_RIGHT_SEND, FOR_ONE, fill_up_with_handles, unship, 0, 0)		\
	ROW(recv_handle_unbuffered, KCHAN_KIND_CHAN, 0, KCHAN_OP_RECV, 0,		\
	    KCHAN_RIGHT_RECV, FOR_ONE, row_nothing, ship, 1, MESSAGE)			\
	ROW(recv_handle_buffered, KCHAN_KIND_CHAN, 2, KCHAN_OP_RECV, 0,			\
	    KCHAN_RIGHT_RECV, FOR_ONE, row_nothing, ship, 1, MESSAGE)

FOR_EVERY_SHIPMENT(ADD_WITH_HANDLES)
ADD_OF_COND(cond_wait, KCHAN_KIND_COND, 0, KCHAN_OP_COND, 0, KCHAN_RIGHT_RECV, FOR_ONE,
	    row_nothing, signal_one, 0, 0)

FIXTURE_SETUP(kill_matrix)
{
	const char *seed = getenv("KCHAN_SEED"), *rounds = getenv("KCHAN_ROUNDS");

	self->seed = seed ? strtoul(seed, NULL, 0) : now();
	self->rounds = rounds ? atoi(rounds) : ROUNDS;
	way = variant->way;
	trace = make_trace();
	lock = make_object(KCHAN_KIND_MUTEX, 0);
	TH_LOG("KCHAN_SEED=%u", self->seed);
}

FIXTURE_TEARDOWN(kill_matrix) { }

/* ---- the call ---- */

static int call_in_batch(struct row_call *c)
{
	bool send = c->row->op == KCHAN_OP_SEND;
	int ret = chan_batch(c->fd, send ? KCHAN_SEND_BATCH : KCHAN_RECV_BATCH, c->messages,
			     sizeof(c->message), MIN_OF_BATCH, MAX_OF_BATCH, 0, 0);

	return ret == MIN_OF_BATCH ? c->row->ret : ret;
}

static int call_as_file(struct row_call *c)
{
	bool send = c->row->op == KCHAN_OP_SEND;
	ssize_t n = send ? write(c->fd, &c->message, sizeof(c->message)) :
			   read(c->fd, &c->message, sizeof(c->message));

	if (n < 0)
		return -errno;
	return n == sizeof(c->message) ? c->row->ret : -EMSGSIZE;
}

static int call_with_handle(struct row_call *c)
{
	__s32 handle = trace.write;
	struct kchan_ancillary ancillary = with_handles(&handle, 1);
	bool send = c->row->op == KCHAN_OP_SEND;
	int ret = cargo_msg(c->fd, send ? KCHAN_SEND : KCHAN_RECV, &c->message,
			    sizeof(c->message), 0, &ancillary);

	if (ret == 1) {
		must(same_file(handle, trace.write));
		close(handle);
	}
	return ret;
}

static int mend(int ret)
{
	return ret == -EOWNERDEAD ? kchan_arg_call(lock, KCHAN_CONSISTENT, 0) : ret;
}

static int call_cond(struct row_call *c)
{
	int ret;

	must(!mend(kchan_lock(lock)));
	ret = kchan_wait_op(c->fd, KCHAN_OP_COND, 0, lock, 0, 0, &c->wait.value);
	if (ret)
		must(!kchan_unlock(lock));
	return ret;
}

/* The other half, on the other channel, does not wait: see other_end(). */
static int half_of_call(struct row_call *c)
{
	bool send = c->row->op == KCHAN_OP_SEND;
	__u64 other = 0;
	struct kchan_call call = new_request(send ? &c->message : &other, sizeof(__u64),
					     send ? c->never : c->fd,
					     send ? &other : &c->message, sizeof(__u64));

	return chan_call(send ? c->fd : c->never, &call);
}

static int (*const calls[])(struct row_call *c) = {
	[IN_BATCH] = call_in_batch,
	[IN_CALL] = half_of_call,
	[AS_FILE] = call_as_file,
	[WITH_HANDLES] = call_with_handle,
	[OF_COND] = call_cond,
};

static int do_row_call(void *arg)
{
	struct row_call *c = arg;

	if (way == ALONE || way == IN_SELECT)
		return row_call(c);
	for (int i = 0; i < MAX_OF_BATCH; i++)
		c->messages[i] = c->row->op == KCHAN_OP_SEND ? MESSAGE : POISON;
	c->ret = calls[way](c);
	store(&c->over, 1);
	return 0;
}

static int make_way(const struct wait_row *row)
{
	return way == WITH_HANDLES ? make_chan_of_one(row->limit) : row_make(row);
}

/* Beside the object: of a select, what is never ready; of a call, its other channel. */
static int other_end(const struct wait_row *row)
{
	int fd;

	if (way == IN_SELECT)
		return make_object(KCHAN_KIND_TIMER, 0);
	if (way != IN_CALL)
		return -1;
	fd = make_policy_chan(sizeof(__u64), 1, KCHAN_POLICY_DROP_NEWEST);
	/* The answer is the end, which is returned as a send's success is. */
	if (row->op == KCHAN_OP_SEND)
		must(!chan_close(fd));
	return fd;
}

/* ---- a process that waits, until it ends ---- */

struct victim {
	struct row_call call;
	enum end end;
	bool leader_ends;	/* the main thread does; else the other one */
	unsigned int seed;
	int go;
};

static void exec_and_exit(void)
{
	execlp("true", "true", NULL);
	execl("/bin/busybox", "true", NULL);
	die("nothing to execute");
}

static int end_others(void *arg)
{
	struct victim *v = arg;

	while (!load(&v->go))
		usleep(50);
	dawdle_ns(&v->seed, MOST_NS);
	if (v->end == EXECED)
		exec_and_exit();
	if (v->end == EXITED)
		syscall(SYS_exit_group, 0);
	return close(v->call.fd);
}

static int wait_and_end(void *arg)
{
	struct victim *v = arg;
	struct task *t;

	if (v->end == KILLED_ITSELF)
		return do_row_call(&v->call);
	t = task_start(THREAD, v->leader_ends ? do_row_call : end_others,
		       v->leader_ends ? (void *)&v->call : v);
	if (v->leader_ends)
		end_others(v);
	else
		do_row_call(&v->call);
	return task_join(t);
}

/* ---- a thread that waits beside it, and gives back what it got ---- */

static bool is_lock(const struct wait_row *row)
{
	return row->op == KCHAN_OP_LOCK || row->op == KCHAN_OP_RLOCK;
}

static bool is_transfer(const struct wait_row *row)
{
	return row->op == KCHAN_OP_SEND || row->op == KCHAN_OP_RECV;
}

static bool got_it(const struct row_call *c)
{
	return c->ret == c->row->ret || (is_lock(c->row) && c->ret == -EOWNERDEAD);
}

static int wait_and_give_back(void *arg)
{
	struct row_call *c = arg;

	do_row_call(c);
	CHECK(got_it(c));
	if (c->row->op == KCHAN_OP_RLOCK)
		return kchan_runlock(c->fd);
	if (c->row->op != KCHAN_OP_LOCK || c->ret == 1)
		return 0;
	if (c->ret == -EOWNERDEAD && c->row->kind != KCHAN_KIND_ONCE)
		CHECK(kchan_arg_call(c->fd, KCHAN_CONSISTENT, 0) == 0);
	return kchan_unlock(c->fd);
}

/* ---- a round ---- */

struct round {
	const struct wait_row *row;
	int fd;
	struct kchan_stat blocked;
	struct victim *victim;
	struct row_call *bystander;
	struct task *victim_task, *bystander_task;
	int result;		/* of the bystander's task */
	int grants;
};

static struct row_call new_call(struct round *r)
{
	return (struct row_call){
		.row = r->row,
		.fd = r->fd,
		.never = other_end(r->row),
	};
}

static void begin(struct round *r, const struct wait_row *row, enum end end, unsigned int *seed)
{
	*r = (struct round){ .row = row, .fd = make_way(row) };
	row->block(r->fd);
	r->blocked = chan_stat(r->fd);
	r->victim = shared_alloc(sizeof(*r->victim));
	*r->victim = (struct victim){
		.call = new_call(r),
		.end = end,
		.leader_ends = rand_r(seed) % 2,
		.seed = rand_r(seed),
	};
	r->bystander = shared_alloc(sizeof(*r->bystander));
	*r->bystander = new_call(r);
}

static void finish(struct round *r)
{
	close(r->fd);
	close(r->victim->call.never);
	close(r->bystander->never);
	munmap(r->victim, sizeof(*r->victim));
	munmap(r->bystander, sizeof(*r->bystander));
}

/* Either of them comes first; and mostly, but not always, both are parked. */
static void start_both(struct round *r, unsigned int *seed)
{
	bool bystander_first = rand_r(seed) % 2, wait = rand_r(seed) % 4;

	for (int i = 0; i < 2; i++) {
		if (i == bystander_first)
			r->victim_task = task_start(PROCESS, wait_and_end, r->victim);
		else
			r->bystander_task = task_start(THREAD, wait_and_give_back, r->bystander);
		if (wait)
			row_wait_blocked(r->row, r->fd, i + 1);
	}
}

static void grant(struct round *r)
{
	r->grants++;
	r->row->ready(r->fd);
}

static void end_victim(struct round *r)
{
	if (r->victim->end == KILLED_ITSELF)
		task_kill(r->victim_task);
	else
		store(&r->victim->go, 1);
}

/* Who lives on after its handle was closed ends when it has what it waited for. */
static bool has_ended(struct task *t, enum end end, int *over)
{
	return t && (end != CLOSED || load(over));
}

static void collect(struct round *r)
{
	if (has_ended(r->victim_task, r->victim->end, &r->victim->call.over)) {
		task_join(r->victim_task);
		r->victim_task = NULL;
	}
	if (has_ended(r->bystander_task, CLOSED, &r->bystander->over)) {
		r->result = task_join(r->bystander_task);
		r->bystander_task = NULL;
	}
}

/*
 * Until nobody is left.  If all who are left wait, what there was has been taken by
 * one: then there has to be more for the next.  What is for all is never taken.
 */
static void serve_all(struct round *r)
{
	__s64 end = now() + PATIENCE_NS;
	int left;

	for (collect(r); r->victim_task || r->bystander_task; collect(r)) {
		if (now() > end)
			die("somebody is left asleep");
		left = !!r->victim_task + !!r->bystander_task;
		if (r->row->grant == FOR_ONE && row_waiting(r->row, r->fd, left))
			grant(r);
		usleep(100);
	}
}

/* ---- the account ---- */

static bool said_so(const struct row_call *c)
{
	return c->over && got_it(c);
}

/* As it was before all, when somebody had taken what there was. */
static bool is_blocked(struct round *r)
{
	return same_stat(r->blocked, r->fd);
}

static int received(const struct row_call *c)
{
	int n = 0;

	while (n < MAX_OF_BATCH && c->messages[n] == MESSAGE)
		n++;
	return n;
}

/*
 * Each grant is given to the one or to the other, and to nobody twice.  What was sent is
 * sent, whatever becomes of the sender, and what was received is in its memory; of all
 * else that the dead had taken there is no trace, so it is counted.
 */
static int account_for_one(struct round *r, int *unsaid)
{
	const struct row_call *v = &r->victim->call;
	int taken = r->grants - wanted();

	CHECK(taken >= 0 && taken <= wanted());
	CHECK(is_blocked(r));
	if (said_so(v)) {
		CHECK(taken == wanted());
	} else if (taken) {
		/* It died after it had got it, but before it could say so. */
		CHECK(r->victim->end != CLOSED);
		CHECK(r->row->op != KCHAN_OP_RECV || received(v) >= taken);
		*unsaid += !is_transfer(r->row) && taken == wanted();
	}
	return 0;
}

/* What the dead held was passed on as theirs, and as nobody else's. */
static int account_for_holder(struct round *r)
{
	const struct row_call *v = &r->victim->call;
	int last = kchan_try_lock(r->fd), deaths;

	CHECK(r->grants == 1);
	CHECK(last == 0 || last == -EOWNERDEAD);
	deaths = (r->bystander->ret == -EOWNERDEAD) + (last == -EOWNERDEAD);
	CHECK(deaths <= 1);
	CHECK(deaths == 1 || !said_so(v));
	CHECK(deaths == 0 || !v->over || said_so(v));
	return 0;
}

/* Though somebody may have died before he gave it back. */
static bool lock_is_free(void)
{
	return !mend(kchan_try_lock(lock)) && !kchan_unlock(lock);
}

static int account(struct round *r, int *unsaid)
{
	const struct row_call *v = &r->victim->call;

	CHECK(r->result == 0);
	CHECK(waiting(r->fd, 0, 0));
	CHECK(is_lock(r->row) || row_value(r->bystander) == r->row->value);
	/* Its handle may have been closed before it could wait. */
	CHECK(!v->over || got_it(v) || (r->victim->end == CLOSED && v->ret == -EBADF));
	CHECK(!said_so(v) || row_value(v) == r->row->value);
	CHECK(way != OF_COND || lock_is_free());
	if (r->row->grant == FOR_ONE)
		return account_for_one(r, unsaid);
	if (r->row->grant == FOR_HOLDER)
		return account_for_holder(r);
	CHECK(r->grants == 1);
	/* Nobody holds it any more, not even to read. */
	CHECK(r->row->op != KCHAN_OP_RLOCK || kchan_try_lock(r->fd) == 0);
	return 0;
}

static int play(const FIXTURE_VARIANT(kill_matrix) *v, enum end end, unsigned int *seed,
		int *unsaid)
{
	struct round r;
	int ret;

	begin(&r, &v->row, end, seed);
	start_both(&r, seed);
	if (rand_r(seed) % 2) {
		end_victim(&r);
		dawdle_ns(seed, MOST_NS);
		grant(&r);
	} else {
		grant(&r);
		dawdle_ns(seed, MOST_NS);
		end_victim(&r);
	}
	serve_all(&r);
	ret = account(&r, unsaid);
	finish(&r);
	return ret;
}

/* Neither a message nor one who died with it keeps the pipe's write end. */
#define EXPECT_NO_HANDLE_LEFT() do {							\
	close(trace.write);								\
	EXPECT_EQ(true, is_gone(trace));						\
} while (0)

static void expect_end_survived(struct __test_metadata *_metadata,
				FIXTURE_DATA(kill_matrix) *self,
				const FIXTURE_VARIANT(kill_matrix) *variant, enum end end)
{
	int unsaid = 0;

	for (int round = 0; round < self->rounds; round++) {
		ASSERT_EQ(0, play(variant, end, &self->seed, &unsaid)) TH_LOG("round %d", round);
	}
	/* It is a matter of a few instructions: what is lost is lost more often. */
	EXPECT_GE(1 + self->rounds / 4, unsaid);
	EXPECT_NO_HANDLE_LEFT();
}

TEST_F(kill_matrix, killed)
{
	expect_end_survived(_metadata, self, variant, KILLED_ITSELF);
}

TEST_F(kill_matrix, closed_by_another_thread)
{
	expect_end_survived(_metadata, self, variant, CLOSED);
}

TEST_F(kill_matrix, exec_by_another_thread)
{
	expect_end_survived(_metadata, self, variant, EXECED);
}

TEST_F(kill_matrix, exit_by_another_thread)
{
	expect_end_survived(_metadata, self, variant, EXITED);
}

/* ---- the peer ---- */

struct peer {
	const struct wait_row *row;
	int fd;
	unsigned int seed;
	int blocks, go, granted;
};

static int block_and_grant(void *arg)
{
	struct peer *p = arg;

	p->row->block(p->fd);
	store(&p->blocks, 1);
	while (!load(&p->go))
		usleep(50);
	dawdle_ns(&p->seed, MOST_NS);
	p->row->ready(p->fd);
	store(&p->granted, 1);
	pause();
	return 0;
}

/* Nobody holds it; a reader could not mend what the peer left. */
static bool is_free(struct round *r)
{
	int ret = kchan_try_lock(r->fd);

	return ret == 0 || ret == r->row->ret || (r->row->op == KCHAN_OP_RLOCK && ret == -EOWNERDEAD);
}

/* What a batch still waits for when it has had one. */
static void grant_more(struct row_call *c)
{
	for (int n = 1; n < wanted(); n++) {
		wait_until(load(&c->over) || row_waiting(c->row, c->fd, 1));
		if (!load(&c->over))
			c->row->ready(c->fd);
	}
}

static int play_with_peer(const FIXTURE_VARIANT(kill_matrix) *v, unsigned int *seed)
{
	struct round r = { .row = &v->row, .fd = make_way(&v->row) };
	struct peer *p = shared_alloc(sizeof(*p));
	struct row_call *c = shared_alloc(sizeof(*c));
	struct task *peer, *t;

	*p = (struct peer){ .row = r.row, .fd = r.fd, .seed = rand_r(seed) };
	*c = new_call(&r);
	peer = task_start(PROCESS, block_and_grant, p);
	wait_until(load(&p->blocks));
	t = task_start(THREAD, wait_and_give_back, c);
	row_wait_blocked(r.row, r.fd, 1);
	store(&p->go, 1);
	dawdle_ns(seed, 2 * MOST_NS);
	task_kill(peer);
	CHECK(task_join(peer) == KILLED(SIGKILL));
	/* What it held has been passed on; otherwise it may not have come to it. */
	if (!load(&p->granted) && row_waiting(r.row, r.fd, 1)) {
		CHECK(!is_lock(r.row));
		r.row->ready(r.fd);
	}
	grant_more(c);
	CHECK(task_join(t) == 0);
	CHECK(c->ret == r.row->ret || !p->granted);
	CHECK(waiting(r.fd, 0, 0));
	CHECK(!is_lock(r.row) || is_free(&r));
	close(r.fd);
	close(c->never);
	munmap(p, sizeof(*p));
	munmap(c, sizeof(*c));
	return 0;
}

TEST_F(kill_matrix, peer_killed)
{
	for (int round = 0; round < self->rounds; round++) {
		ASSERT_EQ(0, play_with_peer(variant, &self->seed)) TH_LOG("round %d", round);
	}
	EXPECT_NO_HANDLE_LEFT();
}

TEST_HARNESS_MAIN
