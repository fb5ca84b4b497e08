// SPDX-License-Identifier: GPL-2.0-only
/* Threads that wait in a call, beside the one that takes the steps. */

#include <stdint.h>
#include "kchan_util.h"

#include "execute.h"

static void do_message(struct peer *p)
{
	struct kchan_msg arg = {
		.size = sizeof(arg), .flags = p->step.f[FLAGS], .buf = p->buffer.address,
		.len = p->buffer.len, .deadline = p->step.f[DEADLINE],
		.ancillary = p->step.f[ANCILLARY] == GOOD ? (uintptr_t)&p->ancillary : 0,
	};

	p->ret = kchan_call(p->fd, p->step.f[OP] == KCHAN_OP_SEND ? KCHAN_SEND : KCHAN_RECV,
			    &arg);
}

static void do_wait(struct peer *p)
{
	struct kchan_wait arg = {
		.size = sizeof(arg), .flags = p->step.f[FLAGS], .op = p->step.f[OP],
		.index = p->step.f[INDEX], .arg = p->arg, .deadline = p->step.f[DEADLINE],
		.value = UNTOUCHED,
	};

	p->ret = kchan_call(p->fd, KCHAN_WAIT, &arg);
	p->value = arg.value;
}

static void *peer_main(void *arg)
{
	struct peer *p = arg;

	store(&p->tid, my_tid());
	if (p->step.f[OP] == KCHAN_OP_SEND || p->step.f[OP] == KCHAN_OP_RECV)
		do_message(p);
	else
		do_wait(p);
	store(&p->over, 1);
	return NULL;
}

static __u32 waiting_on(int fd)
{
	struct kchan_stat st = { .size = sizeof(st) };

	must(!kchan_call(fd, KCHAN_STAT, &st));
	return st.waiting_senders + st.waiting_receivers;
}

void park_peer(struct run *run, const struct step *s)
{
	struct peer *p = &run->peers[s->f[PEER]];
	int fd = run->fd[s->f[ON]];
	__u32 before = waiting_on(fd);
	__s64 end = now() + PATIENCE_NS / 2;

	*p = (struct peer){ .busy = true, .step = *s, .fd = fd, .arg = op_arg(run, s) };
	p->buffer = place_buffer(FIRST_PEER_BUFFER + s->f[PEER], GOOD, length_of(run, s));
	if (s->f[OP] == KCHAN_OP_SEND)
		fill_message(p->buffer.start, p->buffer.len, s->f[MESSAGE]);
	memset(p->numbers, POISON_BYTE, sizeof(p->numbers));
	if (s->f[OP] == KCHAN_OP_SEND)
		fill_numbers(run, s, p->numbers, handles_of(run, s));
	p->ancillary = (struct kchan_ancillary){
		.size = sizeof(p->ancillary), .handles = (uintptr_t)p->numbers,
		.nr = handles_of(run, s),
	};
	catch_signal(SIGUSR1, 0);
	errno = pthread_create(&p->thread, NULL, peer_main, p);
	must(!errno);
	/* If it never parks, the comparison of who waits will tell. */
	while (waiting_on(fd) == before && !load(&p->over) && now() < end)
		usleep(20);
	/* Behind being counted a wait for a cond still has to give its lock back. */
	while (!load(&p->over) && !asleep(p->tid) && now() < end)
		usleep(20);
}

bool join_peer(struct peer *p)
{
	__s64 end = now() + PATIENCE_NS / 2;

	while (!load(&p->over)) {
		if (now() > end)
			return false;
		usleep(20);
	}
	must(!pthread_join(p->thread, NULL));
	p->busy = false;
	return true;
}

bool unpark_peer(struct peer *p)
{
	__s64 end = now() + PATIENCE_NS / 2;

	while (!load(&p->over)) {
		if (now() > end)
			return false;
		syscall(SYS_tgkill, getpid(), load(&p->tid), SIGUSR1);
		usleep(50);
	}
	return join_peer(p);
}
