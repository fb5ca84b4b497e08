// SPDX-License-Identifier: GPL-2.0-only
/* Steps in the kernel and in the model; see play.h. */

#include <stdint.h>
#include "kchan_util.h"

#include "execute.h"
#include "model.h"
#include "play.h"

static struct run run;
static struct model model;

void play_begin(void)
{
	run_begin(&run);
	model_init(&model);
}

/* Which handles are looked at: those of the step, and some of the others in turn. */
static bool is_looked_at(const struct trace *t, unsigned int i, __u64 place)
{
	unsigned int n = i < t->nr ? cases_of(t, i) : 0;

	if (!file_at(&model, place))
		return false;
	for (unsigned int k = i; i < t->nr && k <= i + n; k++)
		if (t->steps[k].f[ON] == place || t->steps[k].f[TO] == place ||
		    t->steps[k].f[LOCK] == place || t->steps[k].f[PARENT] == place ||
		    t->steps[k].f[ANSWER] == place || t->steps[k].f[TOLD] == place ||
		    t->steps[k].f[FIRST] == place || t->steps[k].f[SECOND] == place)
			return true;
	return i >= t->nr || (place + i) % 4 == 0;
}

static const char *compare_stat(int place)
{
	struct kchan_stat st;
	int ret;

	memset(&st, POISON_BYTE, sizeof(st));
	st.size = sizeof(st);
	ret = kchan_call(run.fd[place], KCHAN_STAT, &st);
	if (ret)
		return wrong("h%d: KCHAN_STAT returned %s", place, show_result(ret));
	return model_check_stat(&model, place, &st);
}

static const char *compare_poll(int place)
{
	struct pollfd p = {
		.fd = run.fd[place],
		.events = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM | POLLRDHUP,
	};
	short is = model_poll(&model, place);

	if (poll(&p, 1, 0) < 0)
		return wrong("h%d: poll: %s", place, strerror(errno));
	if (is != p.revents)
		return wrong("h%d: poll says %#x, not %#x", place, p.revents, is);
	return NULL;
}

/* Behind the last step all handles are looked at. */
static const char *compare_handles(const struct trace *t, unsigned int i, struct score *score)
{
	const char *why = NULL;

	for (int place = FIRST_PLACE; !why && place < PLACES; place++) {
		if (!is_looked_at(t, i, place))
			continue;
		score->place = place;
		why = compare_stat(place);
		if (!why)
			why = compare_poll(place);
	}
	if (!why)
		score->place = 0;
	return why;
}

static bool is_good(const char *why, struct score *score)
{
	if (!why)
		return true;
	snprintf(score->why, sizeof(score->why), "%s", why);
	score->found = true;
	return false;
}

static const char *compare_peer(struct peer *p, struct m_peer *m)
{
	struct cargo cargo = {
		.there = p->step.f[ANCILLARY] == GOOD, .pid = p->ancillary.pid,
		.uid = p->ancillary.uid, .gid = p->ancillary.gid,
	};

	memcpy(cargo.numbers, p->numbers, sizeof(cargo.numbers));
	if (cargo.there && p->step.f[OP] == KCHAN_OP_RECV && p->ret == 1)
		keep_numbers(&run, &p->step, p->numbers);
	return check_peer(&model, m, p->ret, p->value, &p->buffer, &cargo);
}

static bool anybody_has_ended(void)
{
	for (int i = 0; i < PEERS; i++)
		if (model.peers[i].ended)
			return true;
	return false;
}

/*
 * Those whose wait is over by what the step did; what they brought with them is kept
 * or closed, which may end further waits.
 */
static const char *compare_peers(void)
{
	const char *why = NULL;

	while (!why && anybody_has_ended()) {
		bool ended[PEERS];

		for (int i = 0; i < PEERS; i++) {
			ended[i] = model.peers[i].ended;
			if (ended[i] && run.peers[i].busy && !join_peer(&run.peers[i]))
				return wrong("peer %d still waits, and should have returned %s", i,
					     show_result(model.peers[i].ret));
		}
		for (int i = 0; !why && i < PEERS; i++)
			if (ended[i])
				why = compare_peer(&run.peers[i], &model.peers[i]);
		settle(&model);
	}
	return why;
}

bool play_step(const struct trace *t, unsigned int i, struct score *score)
{
	static struct result r;
	const char *why;

	if (model_leaves_out(&model, t, i))
		return true;
	store(&score->at, i);
	execute(&run, t, i, &r);
	score->steps++;
	why = model_step(&model, t, i, &r);
	if (!why)
		why = compare_peers();
	return is_good(why ? why : compare_handles(t, i, score), score);
}

bool play_end(const struct trace *t, bool good, struct score *score)
{
	if (good)
		good = is_good(compare_handles(t, t->nr, score), score);
	run_end(&run);
	model_free(&model);
	return good;
}

bool play_trace(const struct trace *t, struct score *score)
{
	bool good = true;

	play_begin();
	for (unsigned int i = 0; good && i < t->nr; i++)
		good = play_step(t, i, score);
	return play_end(t, good, score);
}

struct score *new_score(void)
{
	return shared_alloc(sizeof(struct score));
}

/* False when it takes too long over one step. */
static bool await_child(pid_t pid, struct score *score, int patience, int *status)
{
	unsigned long steps = score->steps;
	__s64 end = now() + patience * PATIENCE * NSEC_PER_SEC;

	for (useconds_t nap = 50;; nap = nap < 10000 ? nap * 2 : nap) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		if (load(&score->steps) != steps) {
			steps = load(&score->steps);
			end = now() + patience * PATIENCE * NSEC_PER_SEC;
		}
		if (now() > end)
			return false;
		usleep(nap);
	}
}

bool play_apart(bool (*play)(void *arg, struct score *score), void *arg, struct score *score,
		int patience)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	score->found = false;
	score->at = score->place = 0;
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(play(arg, score) ? 0 : 1);
	}
	if (!await_child(pid, score, patience, &status)) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		score->found = true;
		snprintf(score->why, sizeof(score->why), "does not return");
	} else if (WIFSIGNALED(status) && !score->found) {
		score->found = true;
		snprintf(score->why, sizeof(score->why), "the child ended with %s",
			 strsignal(WTERMSIG(status)));
	} else if (status && !score->found) {
		score->found = true;
		snprintf(score->why, sizeof(score->why), "gave up; its words stand above");
	}
	return !score->found;
}

static bool play_one(void *arg, struct score *score)
{
	return play_trace(arg, score);
}

bool play_trace_apart(const struct trace *t, struct score *score)
{
	return play_apart(play_one, (void *)t, score, 10);
}
