// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pairs of connected AF_UNIX sockets of the type SOCK_SEQPACKET.  Their room is counted
 * in bytes of the kernel's own memory: no number of messages, and not few of them.
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include "waits.h"

static void *make(const struct job *job)
{
	struct file_end *q = allocate(sizeof(*q));
	int fds[2], room = 1 << 20;

	/* An empty message looks like the end.  Where it matters, more room is another work. */
	if (!job->size || !job->capacity || (is_workload(job, "stream") && job->capacity == 1))
		cannot();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		err(1, "socketpair");
	if (job->size > 16384 && setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)))
		err(1, "SO_SNDBUF");
	q->out = fds[0];
	q->in = fds[1];
	return q;
}

static void send_one(void *end, const void *msg, size_t size)
{
	const struct file_end *e = end;

	if (send(e->out, msg, size, MSG_NOSIGNAL) != (ssize_t)size)
		err(1, "send");
}

static bool recv_one(void *end, void *msg, size_t size)
{
	const struct file_end *e = end;
	ssize_t n = recv(e->in, msg, size, 0);

	if (n && n != (ssize_t)size)
		err(1, "recv");
	return n;
}

#define MOST 64

/* What points to n messages, one behind the other. */
static void point(struct mmsghdr *headers, struct iovec *parts, char *msgs, size_t size,
		  unsigned int n)
{
	unsigned int i;

	memset(headers, 0, n * sizeof(*headers));
	for (i = 0; i < n; i++) {
		parts[i].iov_base = msgs + i * size;
		parts[i].iov_len = size;
		headers[i].msg_hdr.msg_iov = parts + i;
		headers[i].msg_hdr.msg_iovlen = 1;
	}
}

static void send_many(void *end, const void *msgs, size_t size, unsigned int n)
{
	const struct file_end *e = end;
	struct mmsghdr headers[MOST];
	struct iovec parts[MOST];
	unsigned int sent, now;
	int ret;

	for (sent = 0; sent < n; sent += ret) {
		now = n - sent < MOST ? n - sent : MOST;
		point(headers, parts, (char *)msgs + sent * size, size, now);
		ret = sendmmsg(e->out, headers, now, MSG_NOSIGNAL);
		if (ret <= 0)
			err(1, "sendmmsg");
	}
}

static unsigned int recv_many(void *end, void *msgs, size_t size, unsigned int n)
{
	const struct file_end *e = end;
	struct mmsghdr headers[MOST];
	struct iovec parts[MOST];
	int ret;

	n = n < MOST ? n : MOST;
	point(headers, parts, msgs, size, n);
	ret = recvmmsg(e->in, headers, n, MSG_WAITFORONE, NULL);
	if (ret <= 0)
		err(1, "recvmmsg");
	return ret;
}

static void close_it(void *queue)
{
	const struct file_end *q = queue;

	if (shutdown(q->out, SHUT_WR))
		err(1, "shutdown");
}

/* A message with room for a file. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static struct msghdr with_control(union control *control, struct iovec *part)
{
	struct msghdr header = {
		.msg_iov = part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(*control),
	};

	return header;
}

static void send_file(void *end, const void *msg, size_t size, int fd)
{
	const struct file_end *e = end;
	union control control = { .header = {
		.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	} };
	struct iovec part = { .iov_base = (void *)msg, .iov_len = size };
	struct msghdr header = with_control(&control, &part);

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(e->out, &header, MSG_NOSIGNAL) != (ssize_t)size)
		err(1, "sendmsg");
}

static int recv_file(void *end, void *msg, size_t size)
{
	const struct file_end *e = end;
	union control control;
	struct iovec part = { .iov_base = msg, .iov_len = size };
	struct msghdr header = with_control(&control, &part);
	struct cmsghdr *first;
	int fd;

	if (recvmsg(e->in, &header, MSG_CMSG_CLOEXEC) != (ssize_t)size)
		err(1, "recvmsg");
	first = CMSG_FIRSTHDR(&header);
	if (!first || first->cmsg_type != SCM_RIGHTS)
		errx(1, "a message without its file");
	memcpy(&fd, CMSG_DATA(first), sizeof(fd));
	return fd;
}

const struct peer peer = {
	.make = make,
	.send = send_one,
	.recv = recv_one,
	.send_many = send_many,
	.recv_many = recv_many,
	.close = close_it,
	.gather = gather_files,
	.select = select_file,
	.send_file = send_file,
	.recv_file = recv_file,
};
