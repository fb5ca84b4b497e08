// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* A request and its answer. */
#include <errno.h>

#include "internal.h"

/* Both halves of a call. */
struct halves {
	struct chan_case request, answer;
};

/* Whatever is wrong with the answer's half has to be found before anything is sent. */
static int check(const struct halves *h)
{
	if (chan_check(&h->request) || chan_check(&h->answer))
		return -1;
	return h->answer.on->rights & CHAN_RECV ? 0 : chan_fail(EBADF);
}

static int in_one(const struct halves *h, int *sent, const struct chan_patience *patience)
{
	struct kchan_call args = {
		.size = sizeof(args),
		.flags = patience->flags,
		.request = (uintptr_t)h->request.buf,
		.answer = (uintptr_t)h->answer.buf,
		.request_len = (uint32_t)h->request.on->elem_size,
		.answer_len = (uint32_t)h->answer.on->elem_size,
		.fd = h->answer.on->fd,
		.sent = !!*sent,
		.deadline = patience->deadline,
	};
	int ret = chan_ioctl(h->request.on, KCHAN_CALL, &args);

	*sent = (int)args.sent;
	return ret;
}

/* Whether the answer's channel has handles in its messages: only the kernel knows. */
static int check_answer(struct chan_case answer)
{
	static const struct chan_patience none = { .flags = KCHAN_NONBLOCK };

	return chan_choose(&answer, 1, KCHAN_READY, &none) < 0 && errno != EAGAIN ? -1 : 0;
}

/* The kernel's call knows no cancel. */
static int unless_cancelled(const struct halves *h, int *sent,
			    const struct chan_patience *patience)
{
	if (!*sent && (check_answer(h->answer) || chan_wait(h->request, NULL, patience)))
		return -1;
	*sent = 1;
	return chan_wait(h->answer, NULL, patience);
}

static int call(struct halves h, int *sent, const struct chan_patience *patience)
{
	int ignored = 0, ret;

	if (check(&h))
		return -1;
	sent = sent ? sent : &ignored;
	ret = patience->cancel ? unless_cancelled(&h, sent, patience) : in_one(&h, sent, patience);
	if (ret >= 0)
		*sent = 0;
	return ret;
}

static struct halves halves(struct chan *requests, const void *request, struct chan *answers,
			    void *answer)
{
	return (struct halves){
		.request = chan_on_send(requests, request),
		.answer = chan_on_recv(answers, answer),
	};
}

EXPORT int chan_call(struct chan *requests, const void *request, struct chan *answers,
		     void *answer, int *sent)
{
	return call(halves(requests, request, answers, answer), sent,
		    &(struct chan_patience){ 0 });
}

EXPORT int chan_try_call(struct chan *requests, const void *request, struct chan *answers,
			 void *answer, int *sent)
{
	return call(halves(requests, request, answers, answer), sent,
		    &(struct chan_patience){ .flags = KCHAN_NONBLOCK });
}

EXPORT int chan_call_until(struct chan *requests, const void *request, struct chan *answers,
			   void *answer, int *sent, int64_t deadline)
{
	return call(halves(requests, request, answers, answer), sent, &(struct chan_patience){
		.flags = KCHAN_DEADLINE,
		.deadline = deadline,
	});
}

EXPORT int chan_call_with(struct chan *requests, const void *request, struct chan *answers,
			  void *answer, int *sent, const struct chan_bounds *bounds)
{
	struct chan_patience patience;

	if (chan_patience(&patience, bounds))
		return requests && answers ? -1 : chan_fail(EBADF);
	return call(halves(requests, request, answers, answer), sent, &patience);
}
