// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boost.Interprocess: its message_queue, which lies in shared memory and has a mutex and
 * two conditions, and its mutex.
 */
#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <new>

#include "drive.h"

using boost::interprocess::interprocess_mutex;
using boost::interprocess::message_queue;

/* Processes that are forked from now on have it as well, and nobody needs its name. */
static void *make(const struct job *job)
{
	static unsigned int made;
	char name[64];
	message_queue *queue;

	if (!job->capacity)
		cannot();
	snprintf(name, sizeof(name), "kchan-bench-%d-%u", getpid(), made++);
	queue = new message_queue(boost::interprocess::create_only, name, job->capacity,
				  job->size, boost::interprocess::permissions(0600));
	message_queue::remove(name);
	return queue;
}

static void send_message(void *end, const void *msg, size_t size)
{
	static_cast<message_queue *>(end)->send(msg, size, 0);
}

static bool receive_message(void *end, void *msg, size_t size)
{
	message_queue::size_type received;
	unsigned int priority;

	static_cast<message_queue *>(end)->receive(msg, size, received, priority);
	if (received != size)
		errx(1, "a message of %zu bytes arrived with %zu", size, (size_t)received);
	return true;
}

static void *make_mutex(const struct job *)
{
	return new (share(sizeof(interprocess_mutex))) interprocess_mutex;
}

static void lock(void *mutex)
{
	static_cast<interprocess_mutex *>(mutex)->lock();
}

static void unlock(void *mutex)
{
	static_cast<interprocess_mutex *>(mutex)->unlock();
}

const struct peer peer = {
	.make = make,
	.send = send_message,
	.recv = receive_message,
	.make_mutex = make_mutex,
	.lock = lock,
	.unlock = unlock,
};
