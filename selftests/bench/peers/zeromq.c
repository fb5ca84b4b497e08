// SPDX-License-Identifier: GPL-2.0-only
/*
 * ZeroMQ over ipc: PUSH and PULL sockets with high-water marks of the queue's capacity on
 * both sides; REQ and REP for the round trip; zmq_poll() to select.  To close is to
 * terminate the context, which ends the waits of its own process only.
 */
#include <zmq.h>

#include "endpoints.h"

struct end {
	void **push;		/* one for each receiver */
	unsigned int receivers, turn;
	void *pull;
	struct queue *queue;
};

static void must_have(bool fine, const char *what)
{
	if (!fine)
		errx(1, "%s: %s", what, zmq_strerror(zmq_errno()));
}

static void *new_context(unsigned int sockets)
{
	void *context = zmq_ctx_new();

	must_have(context, "zmq_ctx_new");
	must_have(!zmq_ctx_set(context, ZMQ_MAX_SOCKETS, sockets), "ZMQ_MAX_SOCKETS");
	return context;
}

/* One for each process; all sockets of it are in use at once. */
static void *context_of_process;

static void make_context(void)
{
	context_of_process = new_context(2 * job.cases + 2 * job.senders * job.receivers + 16);
}

static void *new_socket(int type)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int room = job.capacity ? job.capacity : 1;
	void *socket;

	pthread_once(&once, make_context);
	socket = zmq_socket(context_of_process, type);
	must_have(socket, "zmq_socket");
	must_have(!zmq_setsockopt(socket, ZMQ_SNDHWM, &room, sizeof(room)), "ZMQ_SNDHWM");
	must_have(!zmq_setsockopt(socket, ZMQ_RCVHWM, &room, sizeof(room)), "ZMQ_RCVHWM");
	return socket;
}

static void *listening_socket(int type, struct queue *queue)
{
	void *socket = new_socket(type);

	must_have(!zmq_bind(socket, address_of("ipc://@", queue, new_receiver(queue)).text),
		  "zmq_bind");
	return socket;
}

static void *connected_socket(int type, const struct queue *queue, unsigned int receiver)
{
	void *socket = new_socket(type);

	must_have(!zmq_connect(socket, address_of("ipc://@", queue, receiver).text),
		  "zmq_connect");
	return socket;
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
	both->pull = does == SENDS ? connected_socket(ZMQ_REQ, queue, 0) :
				     listening_socket(ZMQ_REP, queue);
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
	end->queue = queue;
	if (is_workload(job, "close"))
		return end;
	if (does & RECEIVES)
		end->pull = listening_socket(ZMQ_PULL, queue);
	if (does & SENDS) {
		end->receivers = job->receivers;
		end->push = allocate(end->receivers * sizeof(*end->push));
		for (i = 0; i < end->receivers; i++)
			end->push[i] = connected_socket(ZMQ_PUSH, queue, i);
	}
	return end;
}

static void send_message(void *arg, const void *msg, size_t size)
{
	struct end *end = arg;

	must_have(zmq_send(end->push[end->turn], msg, size, 0) == (int)size, "zmq_send");
	if (++end->turn == end->receivers)
		end->turn = 0;
}

static bool receive_message(void *arg, void *msg, size_t size)
{
	struct end *end = arg;
	int ret;

	ret = zmq_recv(end->pull, msg, size, 0);
	if (ret < 0 && zmq_errno() == ETERM)
		return false;
	must_have(ret >= 0, "zmq_recv");
	if (ret != (int)size)
		errx(1, "a message of %zu bytes arrived with %d", size, ret);
	return true;
}

struct set {
	struct end **ends;
	unsigned int n;
	zmq_pollitem_t items[];
};

static void *gather(const struct job *job, void *const *ends, unsigned int n, void *msg)
{
	struct set *set = allocate(sizeof(*set) + n * sizeof(set->items[0]));
	unsigned int i;

	(void)job;
	(void)msg;
	set->ends = (struct end **)ends;
	set->n = n;
	for (i = 0; i < n; i++) {
		set->items[i].socket = set->ends[i]->pull;
		set->items[i].events = ZMQ_POLLIN;
	}
	return set;
}

static unsigned int select_message(void *arg, void *msg, size_t size)
{
	struct set *set = arg;
	unsigned int i = 0;

	must_have(zmq_poll(set->items, set->n, -1) > 0, "zmq_poll");
	while (!set->items[i].revents)
		i++;
	receive_message(set->ends[i], msg, size);
	return i;
}

/* A queue to be closed has a context of its own. */
static void *make_queue_or_context(const struct job *job)
{
	struct queue *queue = make(job);

	if (is_workload(job, "close"))
		queue->library = new_context(job->waiters + 16);
	return queue;
}

/*
 * A waiter opens its socket when it comes to wait, so that there are not those of all
 * queues at once; and has to close it, as the termination waits for that.
 */
static bool receive_or_leave(void *arg, void *msg, size_t size)
{
	struct end *end = arg;
	bool came;

	if (end->pull)
		return receive_message(end, msg, size);
	end->pull = zmq_socket(end->queue->library, ZMQ_PULL);
	if (!end->pull && zmq_errno() == ETERM)
		return false; /* it slept on the way here, waiting for another one's socket */
	must_have(end->pull, "zmq_socket");
	came = receive_message(end, msg, size);
	must_have(!zmq_close(end->pull), "zmq_close");
	return came;
}

static void terminate(void *arg)
{
	struct queue *queue = arg;

	must_have(!zmq_ctx_term(queue->library), "zmq_ctx_term");
}

const struct peer peer = {
	.make = make_queue_or_context,
	.attach = attach_end,
	.send = send_message,
	.recv = receive_or_leave,
	.close = terminate,
	.gather = gather,
	.select = select_message,
};
