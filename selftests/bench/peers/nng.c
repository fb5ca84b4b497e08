// SPDX-License-Identifier: GPL-2.0-only
/*
 * nng over ipc: push and pull sockets, with as many messages of room on the sending side
 * as the queue has; req and rep for the round trip; poll(2) on the descriptors that nng
 * has for that to select.  To close a socket ends the waits of its own process only.
 */
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>
#include <poll.h>

#include "endpoints.h"

struct end {
	nng_socket *push;	/* one for each receiver */
	unsigned int receivers, turn;
	nng_socket pull;
};

static void must_be_done(int ret, const char *what)
{
	if (ret)
		errx(1, "%s: %s", what, nng_strerror(ret));
}

static nng_socket listening_socket(int (*open)(nng_socket *), struct queue *queue)
{
	struct address address = address_of("abstract://", queue, new_receiver(queue));
	nng_socket socket;

	must_be_done(open(&socket), "opening a socket");
	must_be_done(nng_listen(socket, address.text, NULL, 0), "nng_listen");
	return socket;
}

/* Nobody may be listening yet. */
static nng_socket connected_socket(int (*open)(nng_socket *), const struct queue *queue,
				   unsigned int receiver)
{
	struct address address = address_of("abstract://", queue, receiver);
	nng_socket socket;
	int ret;

	must_be_done(open(&socket), "opening a socket");
	while ((ret = nng_dial(socket, address.text, NULL, 0)) == NNG_ECONNREFUSED)
		nng_msleep(1);
	must_be_done(ret, "nng_dial");
	return socket;
}

static int open_push(nng_socket *socket)
{
	int ret = nng_push0_open(socket);

	return ret ? ret : nng_socket_set_int(*socket, NNG_OPT_SENDBUF, (int)job.capacity);
}

/* The task's one socket, with which it has both queues. */
static struct end *attach_round_trip(struct queue *queue, unsigned int does)
{
	static __thread struct end *both;

	if (both)
		return both;
	both = allocate(sizeof(*both));
	both->push = &both->pull;
	both->receivers = 1;
	both->pull = does == SENDS ? connected_socket(nng_req0_open, queue, 0) :
				     listening_socket(nng_rep0_open, queue);
	return both;
}

static void *attach_end(const struct job *job, void *arg, unsigned int does)
{
	struct queue *queue = arg;
	struct end *end;
	unsigned int i;

	if (is_workload(job, "round-trip"))
		return attach_round_trip(queue, does);
	end = allocate(sizeof(*end));
	if (is_workload(job, "close")) {
		end->pull = *(nng_socket *)queue->library;
		return end;
	}
	if (does & RECEIVES)
		end->pull = listening_socket(nng_pull0_open, queue);
	if (does & SENDS) {
		end->receivers = job->receivers;
		end->push = allocate(end->receivers * sizeof(*end->push));
		for (i = 0; i < end->receivers; i++)
			end->push[i] = connected_socket(open_push, queue, i);
	}
	return end;
}

static void send_message(void *arg, const void *msg, size_t size)
{
	struct end *end = arg;

	/* What is sent is copied; the library's parameter has no const. */
	must_be_done(nng_send(end->push[end->turn], (void *)msg, size, 0), "nng_send");
	if (++end->turn == end->receivers)
		end->turn = 0;
}

static bool receive_message(void *arg, void *msg, size_t size)
{
	struct end *end = arg;
	size_t received = size;
	int ret = nng_recv(end->pull, msg, &received, 0);

	if (ret == NNG_ECLOSED)
		return false;
	must_be_done(ret, "nng_recv");
	if (received != size)
		errx(1, "a message of %zu bytes arrived with %zu", size, received);
	return true;
}

struct set {
	void *const *ends;
	unsigned int n;
	struct pollfd fds[];
};

static void *gather(const struct job *job, void *const *ends, unsigned int n, void *msg)
{
	struct set *set = allocate(sizeof(*set) + n * sizeof(set->fds[0]));
	unsigned int i;

	(void)job;
	(void)msg;
	set->ends = ends;
	set->n = n;
	for (i = 0; i < n; i++) {
		const struct end *end = ends[i];

		set->fds[i].events = POLLIN;
		must_be_done(nng_socket_get_int(end->pull, NNG_OPT_RECVFD, &set->fds[i].fd),
			     "NNG_OPT_RECVFD");
	}
	return set;
}

static unsigned int select_message(void *arg, void *msg, size_t size)
{
	struct set *set = arg;
	unsigned int i = 0;

	if (poll(set->fds, set->n, -1) <= 0)
		err(1, "poll");
	while (!set->fds[i].revents)
		i++;
	receive_message(set->ends[i], msg, size);
	return i;
}

/* A queue to be closed is one socket, on which all wait. */
static void *make_queue_or_socket(const struct job *job)
{
	struct queue *queue = make(job);

	if (is_workload(job, "close")) {
		queue->library = allocate(sizeof(nng_socket));
		must_be_done(nng_pull0_open(queue->library), "nng_pull0_open");
	}
	return queue;
}

static void close_socket(void *arg)
{
	const struct queue *queue = arg;

	must_be_done(nng_close(*(nng_socket *)queue->library), "nng_close");
}

const struct peer peer = {
	.make = make_queue_or_socket,
	.attach = attach_end,
	.send = send_message,
	.recv = receive_message,
	.close = close_socket,
	.gather = gather,
	.select = select_message,
};
