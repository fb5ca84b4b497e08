// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Programs that meet over a Unix socket, and a worker that holds nothing but one end:
 *
 *     counter -s SOCKET        the service: hands whoever connects an end to send to
 *     counter SOCKET FILE...   a client: how many lines and bytes has each file?
 *
 *     client --file, reply--> worker --lines, bytes--> client
 *
 * The client opens its files with its own rights and sends them along, and with each the
 * end that the answer is for.  So the worker, which the service executes anew, needs to
 * open nothing: it is nobody, and holds an end to receive from and no other.  Whoever
 * asks can neither read what others ask for nor answer in its place.
 *
 * Nobody waits for the dead: when the worker is gone there is nobody to send to, and an
 * answer that is lost with it ends the channel that it would have come through.
 */
#define _GNU_SOURCE /* setgroups */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <libchan.h>

#define NOBODY 65534
#define WAITING 16 /* requests that wait for the worker */

struct request {
	uint64_t number; /* the client's, for the answer */
};

struct answer {
	uint64_t number;
	int32_t error; /* errno, and the others are nothing; or 0 */
	uint32_t reserved;
	uint64_t lines;
	uint64_t bytes;
};

/* What travels with a request. */
enum { ITS_FILE, REPLY, HANDLES };

CHAN_TYPE(requests, struct request);
CHAN_TYPE(answers, struct answer);

static _Noreturn void fail(const char *what)
{
	errx(1, "%s: %s", what, chan_strerror(errno));
}

/* ---- ends through a socket ---- */

/* Room for one file descriptor. */
union control {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static struct msghdr message(struct iovec *byte, union control *control)
{
	return (struct msghdr){
		.msg_iov = byte,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(*control),
	};
}

static int send_fd(int socket, int fd)
{
	struct iovec byte = { "", 1 };
	union control control = { .room = { 0 } };
	struct msghdr msg = message(&byte, &control);
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket, &msg, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* Returns -1 when nothing came with it. */
static int recv_fd(int socket)
{
	char text;
	struct iovec byte = { &text, 1 };
	union control control;
	struct msghdr msg = message(&byte, &control);
	struct cmsghdr *header;
	int fd = -1;

	if (recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&msg);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(at.sun_path))
		errx(1, "the path '%s' is too long for a socket", path);
	strcpy(at.sun_path, path);
	return at;
}

static int new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "cannot make a socket");
	return fd;
}

/* ---- the worker ---- */

static void drop_privileges(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err(1, "cannot give up new privileges");
	if (!geteuid() && (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
		err(1, "cannot become nobody");
}

/* What is no plain file might keep the worker waiting, and others with it. */
static int count(int fd, struct answer *answer)
{
	char block[4096];
	struct stat stat;
	ssize_t n;

	if (fstat(fd, &stat))
		return errno;
	if (!S_ISREG(stat.st_mode))
		return EINVAL;
	while ((n = read(fd, block, sizeof(block))) > 0) {
		answer->bytes += (uint64_t)n;
		for (ssize_t i = 0; i < n; i++)
			answer->lines += block[i] == '\n';
	}
	return n ? errno : 0;
}

/* A client that gave no room for its answer gets none: it is not waited for. */
static void answer(uint64_t number, const int fd[HANDLES])
{
	answers reply = answers_from_fd(fd[REPLY]);
	struct answer a = { .number = number };

	if (!reply.chan) {
		close(fd[REPLY]);
		return;
	}
	a.error = count(fd[ITS_FILE], &a);
	answers_try_send(reply, &a);
	answers_drop(reply);
}

static int work(int fd)
{
	requests in = requests_from_fd(fd);
	struct request request;
	unsigned int served = 0;
	int fds[HANDLES], ret;
	struct chan_cargo cargo = chan_cargo(fds, HANDLES);

	if (!in.chan)
		fail("this is no end of the service");
	drop_privileges();
	while ((ret = requests_recv_cargo(in, &request, &cargo)) == 1) {
		answer(request.number, fds);
		close(fds[ITS_FILE]);
		served++;
	}
	if (ret)
		fail("cannot receive");
	warnx("worker, pid %d, user %d: answered %u requests, to the end", getpid(), getuid(),
	      served);
	requests_drop(in);
	return 0;
}

/* ---- the service ---- */

/* All that the worker is given is the end in its hands; all else is close-on-exec. */
static void start_worker(const char *program, requests in)
{
	char number[16];
	int fd;

	switch (fork()) {
	case -1:
		err(1, "cannot start the worker");
	case 0:
		fd = chan_into_fd(in.chan);
		snprintf(number, sizeof(number), "%d", fd);
		fcntl(fd, F_SETFD, 0);
		execlp(program, program, "-w", number, (char *)NULL);
		err(1, "cannot execute '%s'", program);
	}
}

static int serve(const char *program, const char *path)
{
	requests both = requests_make_with(&(struct chan_options){
		.capacity = WAITING, .handles = HANDLES });
	requests in = requests_restrict(both, CHAN_RECV), out = requests_restrict(both, CHAN_SEND);
	struct sockaddr_un at = address(path);
	int listener = new_socket(), client;

	if (!both.chan || !in.chan || !out.chan)
		fail("cannot make the channel of requests");
	requests_drop(both);
	start_worker(program, in);
	/* The worker alone receives: with it the channel ends. */
	requests_drop(in);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 8))
		err(1, "cannot listen at '%s'", path);
	while ((client = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (send_fd(client, chan_fd(out.chan)))
			warn("a client went away");
		close(client);
	}
	err(1, "cannot accept");
}

/* ---- a client ---- */

static requests connect_to(const char *path)
{
	struct sockaddr_un at = address(path);
	int socket = new_socket();
	requests out;

	if (connect(socket, (struct sockaddr *)&at, sizeof(at)))
		err(1, "cannot connect to '%s'", path);
	out = requests_from_fd(recv_fd(socket));
	if (!out.chan)
		fail("the service gave no end to send requests to");
	close(socket);
	return out;
}

static void ask(requests out, uint64_t number, const char *file, answers reply)
{
	struct request request = { .number = number };
	int fds[HANDLES] = { [ITS_FILE] = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY),
			     [REPLY] = chan_fd(reply.chan) };
	struct chan_cargo cargo = chan_cargo(fds, HANDLES);

	if (fds[ITS_FILE] < 0)
		err(1, "cannot open '%s'", file);
	if (requests_send_cargo(out, &request, &cargo))
		fail("cannot send a request");
	close(fds[ITS_FILE]);
}

static int show(char *const files[], uint64_t n, const struct answer *a)
{
	if (a->number >= n)
		errx(1, "there is an answer to what was not asked");
	if (a->error)
		warnx("%s: %s", files[a->number], strerror(a->error));
	else
		printf("%llu %llu %s\n", (unsigned long long)a->lines,
		       (unsigned long long)a->bytes, files[a->number]);
	return !a->error;
}

static int be_client(const char *path, char *const files[], uint64_t n)
{
	requests out = connect_to(path);
	answers both = answers_make(n), reply = answers_restrict(both, CHAN_SEND),
		in = answers_restrict(both, CHAN_RECV);
	uint64_t answered = 0;
	struct answer a;
	int status = 0;

	if (!both.chan || !reply.chan || !in.chan)
		fail("cannot make a channel for the answers");
	answers_drop(both);
	for (uint64_t i = 0; i < n; i++)
		ask(out, i, files[i], reply);
	/* From now on those who can answer are requests: without any, this is the end. */
	answers_drop(reply);
	for (; answers_next(in, &a); answered++)
		status |= !show(files, n, &a);
	if (answered < n)
		errx(1, "the worker ended before it had answered all");
	answers_drop(in);
	requests_drop(out);
	return status;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-s"))
		return serve(argv[0], argv[2]);
	if (argc == 3 && !strcmp(argv[1], "-w"))
		return work(atoi(argv[2]));
	if (argc < 3 || argv[1][0] == '-')
		errx(2, "usage: counter -s SOCKET, or counter SOCKET FILE...");
	return be_client(argv[1], argv + 2, (uint64_t)argc - 2);
}
