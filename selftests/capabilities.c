// SPDX-License-Identifier: GPL-2.0-only
/*
 * A handle is all that it takes, and all that there is: programs that have nothing in
 * common meet over a socket and hand each other ends; who holds an end, whatever it has
 * given up besides, can do what the end is for and nothing else.
 */
#include <stddef.h>
#include <sys/un.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <kselftest_harness.h>
#include "cargo_util.h"
#include "select_util.h"

/* Where ids lead that a user namespace has no number for. */
#define OVERFLOW_UID 65534

/* ---- this program again, as another one ---- */

/* As argv says; its status tells whether all went well. */
static pid_t start_program(const char *const *argv)
{
	pid_t pid = fork();

	must(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv("/proc/self/exe", (char *const *)argv);
	die("cannot execute myself");
}

static int status_of(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED(WTERMSIG(status));
}

static struct sockaddr_un address_of(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	/* An abstract one, which needs no file. */
	strncpy(a.sun_path + 1, name, sizeof(a.sun_path) - 2);
	return a;
}

static void give(int sock, int fd)
{
	pass_fd(sock, fd);
	close(fd);
}

/* Makes two channels, gives away one end of each, and doubles what it is sent. */
static int server(const char *name)
{
	int requests = make_chan(8, 0), answers = make_chan(8, 1);
	int receiver = restrict_to(requests, KCHAN_RIGHT_RECV);
	int listening = socket(AF_UNIX, SOCK_STREAM, 0), sock, n = 0;
	struct sockaddr_un address = address_of(name);
	__u64 v;

	CHECK(!bind(listening, (struct sockaddr *)&address, sizeof(address)));
	CHECK(!listen(listening, 1));
	sock = accept(listening, NULL, NULL);
	CHECK(sock >= 0);
	give(sock, restrict_to(requests, KCHAN_RIGHT_SEND));
	give(sock, restrict_to(answers, KCHAN_RIGHT_RECV));
	/* Only the client can send now, and its end is the end. */
	close(requests);
	while (recv64(receiver, &v) == 1) {
		CHECK(!send64(answers, 2 * v));
		n++;
	}
	CHECK(n == 100);
	return 0;
}

static int client(const char *name)
{
	struct sockaddr_un address = address_of(name);
	int sock = socket(AF_UNIX, SOCK_STREAM, 0), requests, answers;
	__u64 v;

	wait_until(!connect(sock, (struct sockaddr *)&address, sizeof(address)));
	requests = take_fd(sock);
	answers = take_fd(sock);
	CHECK(recv64(requests, &v) == -EBADF);
	CHECK(send64(answers, 1) == -EBADF);
	CHECK(chan_close(answers) == -EBADF);
	CHECK(try_restrict(requests, BOTH_RIGHTS, 0) == -EBADF);
	for (__u64 i = 1; i <= 100; i++) {
		CHECK(!send64(requests, i));
		CHECK(recv64(answers, &v) == 1 && v == 2 * i);
	}
	return 0;
}

/* Adds one to what comes, till the end; the numbers are arguments. */
static int filter(const char *in, const char *out, const char *not_inherited)
{
	__u64 v;

	CHECK(fcntl(atoi(not_inherited), F_GETFD) == -1 && errno == EBADF);
	CHECK(chan_stat(atoi(in)).rights == KCHAN_RIGHT_RECV);
	CHECK(chan_stat(atoi(out)).rights == KCHAN_RIGHT_SEND);
	while (recv64(atoi(in), &v) == 1)
		CHECK(!send64(atoi(out), v + 1));
	CHECK(!chan_close(atoi(out)));
	return 0;
}

/* Before main(), which runs the tests. */
__attribute__((constructor)) static void be_another_program(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "server"))
		_exit(server(argv[2]) != 0);
	if (argc == 3 && !strcmp(argv[1], "client"))
		_exit(client(argv[2]) != 0);
	if (argc == 5 && !strcmp(argv[1], "filter"))
		_exit(filter(argv[2], argv[3], argv[4]) != 0);
}

TEST(unrelated_programs_meet)
{
	char name[64];
	const char *const as_server[] = { "capabilities", "server", name, NULL };
	const char *const as_client[] = { "capabilities", "client", name, NULL };
	pid_t first, second;

	snprintf(name, sizeof(name), "kchan-capabilities-%d", getpid());
	first = start_program(as_client);
	second = start_program(as_server);
	EXPECT_EQ(0, status_of(first));
	EXPECT_EQ(0, status_of(second));
}

TEST(exec_with_inherited_handles)
{
	int to = make_chan(8, 0), from = make_chan(8, 0);
	int in = restrict_to(to, KCHAN_RIGHT_RECV), out = restrict_to(from, KCHAN_RIGHT_SEND);
	char in_arg[16], out_arg[16], other_arg[16];
	const char *const as_filter[] = {
		"capabilities", "filter", in_arg, out_arg, other_arg, NULL
	};
	pid_t pid;
	__u64 v;

	must(!fcntl(in, F_SETFD, 0) && !fcntl(out, F_SETFD, 0));
	snprintf(in_arg, sizeof(in_arg), "%d", in);
	snprintf(out_arg, sizeof(out_arg), "%d", out);
	snprintf(other_arg, sizeof(other_arg), "%d", to);
	pid = start_program(as_filter);
	close(in);
	close(out);
	for (__u64 i = 0; i < 50; i++) {
		EXPECT_EQ(0, send64(to, i));
		EXPECT_EQ(1, recv64(from, &v));
		EXPECT_EQ(i + 1, v);
	}
	EXPECT_EQ(0, chan_close(to));
	EXPECT_EQ(0, recv64(from, &v));
	EXPECT_EQ(0, status_of(pid));
	EXPECT_EQ(KCHAN_STATE_CLOSED, chan_stat(from).state);
}

/* ---- a worker that has one end, and no rights in the system ---- */

struct worker {
	int fd;
	__u32 rights;
	int go;
};

static int try_watch_to(int fd, int to)
{
	struct kchan_watch arg = { .size = sizeof(arg), .fd = to, .rights = BOTH_RIGHTS };

	return kchan_call(fd, KCHAN_WATCH, &arg);
}

static int try_batch(int fd, unsigned int cmd)
{
	__u64 v = 1;
	struct kchan_batch batch = {
		.size = sizeof(batch), .buf = (uintptr_t)&v, .len = 8, .max = 1,
	};

	return kchan_call(fd, cmd, &batch);
}

static int try_call(int fd, int answers)
{
	__u64 v = 1;
	struct kchan_call call = {
		.size = sizeof(call), .request = (uintptr_t)&v, .answer = (uintptr_t)&v,
		.request_len = 8, .answer_len = 8, .fd = answers, .flags = KCHAN_NONBLOCK,
	};

	return kchan_call(fd, KCHAN_CALL, &call);
}

static int cannot_reopen(int fd)
{
	const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		CHECK(open(path, modes[i] | O_CLOEXEC) == -1);
	CHECK(!fcntl(fd, F_SETFL, O_RDWR));
	return 0;
}

/* Nothing that takes the right to send. */
static int cannot_send(int fd, int own)
{
	__u64 v = 1;

	CHECK(try_send64(fd, 1) == -EBADF);
	CHECK(write(fd, &v, sizeof(v)) == -1 && errno == EBADF);
	CHECK(try_batch(fd, KCHAN_SEND_BATCH) == -EBADF);
	CHECK(try_call(fd, own) == -EBADF);
	CHECK(chan_close(fd) == -EBADF);
	CHECK(kchan_arg_call(fd, KCHAN_CLOSE_WITH, EIO) == -EBADF);
	CHECK(try_select_of(on_send64(fd, &v)).index == -EBADF);
	CHECK(try_restrict(fd, KCHAN_RIGHT_SEND, 0) == -EBADF);
	return 0;
}

static int cannot_receive(int fd, int own)
{
	__u64 v = 1;

	CHECK(try_recv64(fd, &v) == -EBADF);
	CHECK(read(fd, &v, sizeof(v)) == -1 && errno == EBADF);
	CHECK(try_batch(fd, KCHAN_RECV_BATCH) == -EBADF);
	CHECK(try_call(own, fd) == -EBADF);
	CHECK(try_select_of(on_recv64(fd, &v)).index == -EBADF);
	CHECK(try_restrict(fd, KCHAN_RIGHT_RECV, 0) == -EBADF);
	return 0;
}

static int work_with_one_end(void *arg)
{
	struct worker *w = arg;
	struct kchan_stat before;
	int own, notices;
	__u64 v = 5;

	become_user(NOBODY);
	before = chan_stat(w->fd);
	own = make_chan(8, 1);
	notices = make_chan(sizeof(struct kchan_notice), 1);
	CHECK(before.rights == w->rights);
	CHECK(!cannot_reopen(w->fd));
	if (w->rights == KCHAN_RIGHT_RECV)
		CHECK(!cannot_send(w->fd, own));
	else
		CHECK(!cannot_receive(w->fd, own));
	CHECK(try_watch_to(w->fd, notices) == -EBADF);
	CHECK(try_watch_to(w->fd, -1) == -EBADF);
	CHECK(try_restrict(w->fd, BOTH_RIGHTS, 0) == -EBADF);
	CHECK(same_stat(before, w->fd));
	/* But what it is for. */
	if (w->rights == KCHAN_RIGHT_RECV)
		CHECK(recv64(w->fd, &v) == 1 && v == 7);
	else
		CHECK(!send64(w->fd, 8));
	return 0;
}

TEST(unprivileged_worker_with_one_end)
{
	for (__u32 rights = KCHAN_RIGHT_SEND; rights <= KCHAN_RIGHT_RECV; rights++) {
		int c = make_chan(8, 2);
		struct worker w = { .fd = restrict_to(c, rights), .rights = rights };

		ASSERT_EQ(0, send64(c, 7));
		EXPECT_EQ(0, task_join(task_start(PROCESS, work_with_one_end, &w)));
		EXPECT_EQ(rights == KCHAN_RIGHT_SEND ? 2 : 0, chan_stat(c).length);
		EXPECT_EQ(0, chan_stat(c).state);
	}
}

/* ---- a worker that may do next to nothing ---- */

#define LOAD(what)	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
#define VERDICT(what)	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_##what)

/* The ioctls of kchan, and to exit.  (args[1]: its lower half, on this machine.) */
static void allow_almost_nothing(void)
{
	struct sock_filter instructions[] = {
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 4),
		LOAD(args[1]),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~0xffu),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, KCHAN_IOC_MAGIC << 8, 0, 1),
		VERDICT(ALLOW),
		VERDICT(KILL_PROCESS),
	};
	struct sock_fprog program = { ARRAY_LEN(instructions), instructions };

	must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	must(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
}

struct inmate {
	int in, out;
	int cargo;	/* brings a handle */
	void (*forbidden)(int fd);	/* is tried, and nothing else */
	int wrong;	/* the line that did not hold: it can't say so itself */
};

/* As CHECK, without a word. */
#define HOLDS(cond) do {						\
	if (!(cond))							\
		return __LINE__;					\
} while (0)

static int transfer_locked_in(struct inmate *i)
{
	struct kchan_case to_choose;
	struct chosen c;
	__u64 v[2];

	HOLDS(recv64(i->in, v) == 1 && v[0] == 1);
	HOLDS(!send64(i->out, v[0] + 10));
	to_choose = on_recv64(i->in, v);
	c = kchan_select(&to_choose, 1, 0, 0);
	HOLDS(c.index == 0 && c.outcome == 1 && v[0] == 2);
	v[0] += 10;
	to_choose = on_send64(i->out, v);
	c = kchan_select(&to_choose, 1, 0, 0);
	HOLDS(c.index == 0 && c.outcome == 0);
	HOLDS(recv_batch64(i->in, v, 2) == 2 && v[0] == 3 && v[1] == 4);
	v[0] += 10;
	v[1] += 10;
	HOLDS(send_batch64(i->out, v, 2) == 2);
	return 0;
}

static int work_locked_in(struct inmate *i)
{
	__u64 request = 15, answer, v;
	struct kchan_call call = new_request(&request, 8, i->in, &answer, 8);
	int ret = transfer_locked_in(i), handle;

	HOLDS(!ret);
	HOLDS(chan_call(i->out, &call) == 1 && answer == 5);
	handle = recv_handle(i->cargo, &v);
	HOLDS(handle >= 0 && v == 6);
	HOLDS(chan_stat(handle).rights == KCHAN_RIGHT_SEND);
	HOLDS(!send64(handle, v + 10));
	HOLDS(recv64(i->in, &v) == 0);
	return 0;
}

static int be_locked_in(void *arg)
{
	struct inmate *i = arg;

	/* Opens the device while it may. */
	any_device();
	become_user(NOBODY);
	allow_almost_nothing();
	if (i->forbidden)
		i->forbidden(i->in);
	else
		i->wrong = work_locked_in(i);
	syscall(SYS_exit, 0);
	return 1;
}

/* It waits for each. */
static int hand_in(int to, __u64 value)
{
	wait_waiting(to, 0, 1);
	return send64(to, value);
}

static __u64 take_out(int from)
{
	__u64 v;

	wait_waiting(from, 1, 0);
	return recv64(from, &v) == 1 ? v : POISON;
}

TEST(almost_no_system_call_is_enough)
{
	int to = make_chan(8, 0), from = make_chan(8, 0), other = make_chan(8, 1);
	struct inmate *i = shared_alloc(sizeof(*i));
	struct task *t;
	__u64 v;

	*i = (struct inmate){
		.in = restrict_to(to, KCHAN_RIGHT_RECV), .out = restrict_to(from, KCHAN_RIGHT_SEND),
		.cargo = make_chan_of_one(0),
	};
	t = task_start(PROCESS, be_locked_in, i);
	for (__u64 n = 1; n <= 2; n++) {
		EXPECT_EQ(0, hand_in(to, n));
		EXPECT_EQ(n + 10, take_out(from));
	}
	EXPECT_EQ(0, hand_in(to, 3));
	EXPECT_EQ(0, hand_in(to, 4));
	EXPECT_EQ(13, take_out(from));
	EXPECT_EQ(14, take_out(from));
	/* Its request, and the answer. */
	EXPECT_EQ(15, take_out(from));
	EXPECT_EQ(0, hand_in(to, 5));
	wait_waiting(i->cargo, 0, 1);
	EXPECT_EQ(0, send_handle(i->cargo, 6, restrict_to(other, KCHAN_RIGHT_SEND)));
	wait_waiting(to, 0, 1);
	EXPECT_EQ(1, try_recv64(other, &v));
	EXPECT_EQ(16, v);
	EXPECT_EQ(0, chan_close(to));
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(0, i->wrong);
}

static void get_pid(int fd)
{
	syscall(SYS_getpid);
}

static void read_it(int fd)
{
	__u64 v;

	syscall(SYS_read, fd, &v, sizeof(v));
}

static void ask_how_much(int fd)
{
	int n;

	ioctl(fd, FIONREAD, &n);
}

static void ask_a_terminal(int fd)
{
	char termios[64];

	ioctl(fd, TCGETS, termios);
}

TEST(seccomp_filter_is_real)
{
	void (*const forbidden[])(int) = { get_pid, read_it, ask_how_much, ask_a_terminal };

	for (size_t n = 0; n < ARRAY_LEN(forbidden); n++) {
		struct inmate i = { .in = make_chan(8, 0), .forbidden = forbidden[n] };
		struct task *t = task_start(PROCESS, be_locked_in, &i);

		EXPECT_EQ(KILLED(SIGSYS), task_join(t));
	}
}

/* ---- a worker that lives elsewhere ---- */

struct foreigner {
	int in, out;
	int nobody;
};

/* The first process of a new pid namespace, and nobody in particular. */
static int work_elsewhere(void *arg)
{
	struct foreigner *f = arg;
	__u64 v;

	CHECK(getpid() == 1);
	CHECK(getuid() == OVERFLOW_UID);
	CHECK(try_send64(f->in, 1) == -EBADF);
	while (recv64(f->in, &v) == 1)
		CHECK(!send64(f->out, v + getpid()));
	/* What it makes itself it can hand around as well. */
	CHECK(!send64(make_chan(8, 1), 1));
	return 0;
}

static int emigrate(void *arg)
{
	struct foreigner *f = arg;

	if (f->nobody)
		become_user(NOBODY);
	if (unshare(CLONE_NEWUSER | CLONE_NEWPID))
		return errno == EINVAL || errno == EPERM || errno == ENOSPC ? -1 : __LINE__;
	/* The first child is in it. */
	return task_join(task_start(PROCESS, work_elsewhere, f));
}

TEST(peer_in_other_namespaces)
{
	for (int nobody = 0; nobody < 2; nobody++) {
		int to = make_chan(8, 0), from = make_chan(8, 1), ret;
		struct foreigner f = {
			.in = restrict_to(to, KCHAN_RIGHT_RECV),
			.out = restrict_to(from, KCHAN_RIGHT_SEND), .nobody = nobody,
		};
		struct task *t = task_start(PROCESS, emigrate, &f);
		__u64 v = 0;

		/* If it can't go there, nobody receives. */
		close(f.in);
		close(f.out);
		for (__u64 i = 0; i < 20; i++) {
			if (send64_until(to, i, now() + PATIENCE_NS))
				break;
			EXPECT_EQ(1, recv64(from, &v));
			EXPECT_EQ(i + 1, v);
		}
		chan_close(to);
		ret = task_join(t);
		if (ret == -1)
			SKIP(return, "no user namespaces here");
		EXPECT_EQ(0, ret);
		EXPECT_EQ(20, v);
	}
}

/* ---- handles taken from a process ---- */

struct maker {
	int number;
	int over;
};

/* It makes a channel that nobody else has a handle to. */
static int make_and_wait(void *arg)
{
	struct maker *m = arg;
	int c = make_chan(8, 1);

	must(!send64(c, 42));
	store(&m->number, restrict_to(c, KCHAN_RIGHT_RECV));
	close(c);
	wait_until(load(&m->over));
	return 0;
}

static int take_number(pid_t pid, int number)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), fd;

	must(pidfd >= 0);
	fd = syscall(SYS_pidfd_getfd, pidfd, number, 0);
	fd = fd < 0 ? -errno : fd;
	close(pidfd);
	return fd;
}

struct thief {
	pid_t pid;
	int number;
};

static int take_unprivileged(void *arg)
{
	struct thief *t = arg;

	become_user(NOBODY);
	CHECK(take_number(t->pid, t->number) == -EPERM);
	return 0;
}

TEST(pidfd_getfd_gives_the_same_handle)
{
	struct maker *m = shared_alloc(sizeof(*m));
	struct task *t = task_start(PROCESS, make_and_wait, m);
	struct thief thief;
	int fd;
	__u64 v;

	wait_until(load(&m->number));
	thief = (struct thief){ t->pid, m->number };
	EXPECT_EQ(0, task_join(task_start(PROCESS, take_unprivileged, &thief)));
	fd = take_number(t->pid, m->number);
	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(KCHAN_RIGHT_RECV, chan_stat(fd).rights);
	EXPECT_EQ(-EBADF, try_send64(fd, 1));
	EXPECT_EQ(-EBADF, try_restrict(fd, BOTH_RIGHTS, 0));
	/* Its maker's end does not matter to us. */
	store(&m->over, 1);
	EXPECT_EQ(0, task_join(t));
	EXPECT_EQ(1, recv64(fd, &v));
	EXPECT_EQ(42, v);
	EXPECT_EQ(0, recv64(fd, &v));
}

TEST_HARNESS_MAIN
