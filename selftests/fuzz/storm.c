// SPDX-License-Identifier: GPL-2.0-only
/*
 * Storms: 4 to 8 tasks, threads and processes, do what they like with two channels, a
 * semaphore, a mutex and a rwmutex, with deadlines, with signals, and in some storms
 * processes are killed.  Nobody can say what each call should have been told, but:
 *
 *	each value arrives once, and each receiver gets those of one sender on one
 *	channel in order
 *	a channel never holds more than its capacity
 *	nothing is sent after the close
 *	units taken are never more than there are, and come back
 *	a lock has one holder, or none but readers
 *	when all are at rest, nobody waits on a channel for what is there
 *	the close ends every wait
 *
 * Where processes are killed, a value may have died with who received it, one a kill;
 * those on their way back from the dead may be overtaken, and be more than the capacity.
 */
#include <stdint.h>

#include "kchan_util.h"
#include "program.h"
#include "storm.h"

enum { CHANS = 2, LEAST_TASKS = 4, MOST_TASKS = 8, MOST_VALUES = 1 << 13 };

/* A storm lasts for so many messages, but no longer than that. */
enum { ENOUGH = 2000, MOST_MS = 2000 };

/* What a task is up to: in a call that may wait for ever, or through; else busy. */
enum { BUSY, WAITS, THROUGH };

/**
 * struct player - one task
 * @sent: of its values on each channel, those whose send was told it succeeded
 * @received: values; noted, as the rest, after the call returned
 * @units: taken of the semaphore
 * @locks: taken
 * @activity: BUSY, ...
 */
struct player {
	int sent[CHANS];
	unsigned long received, units, locks;
	int activity;
};

struct storm;

/* What a task is given when it starts. */
struct seat {
	struct storm *s;
	int number;
};

/**
 * struct storm - in memory that all tasks share
 * @deadly: processes are killed
 * @forever: how many in a hundred waits have no deadline
 * @ready: tasks that have started
 * @stop: everybody makes a last call, which waits until the close
 * @closed: KCHAN_CLOSE has returned
 * @broken: the line of the first promise that was broken
 * @taken: units of the semaphore
 * @inside: tasks that have the mutex
 * @readers: of the rwmutex; a writer counts as 1000
 * @seen: how often each value arrived
 */
struct storm {
	__u64 seed;
	int tasks;
	bool deadly;
	int forever;
	int chan[CHANS], capacity[CHANS];
	int semaphore, units;
	int mutex, rwmutex;
	int ready, go, stop, closed[CHANS], broken;
	int taken, inside, readers;
	struct seat seat[MOST_TASKS];
	struct player player[MOST_TASKS];
	uint8_t seen[CHANS][MOST_TASKS][MOST_VALUES];
};

/* One task's view of it. */
struct me {
	struct storm *s;
	struct player *player;
	int number;
	__u64 row;
	int last[CHANS][MOST_TASKS];	/* received of each sender, plus 1 */
};

/* Notes a broken promise, and tells. */
#define PROMISE(s, cond) do {						\
	if (!(cond)) {							\
		store(&(s)->broken, __LINE__);				\
		fprintf(stderr, "# storm %llu: not so: %s (line %d)\n",	\
			(s)->seed, #cond, __LINE__);	\
	}								\
} while (0)

/* ---- what tasks do ---- */

static __u64 value_of(const struct me *me, int c)
{
	return (__u64)me->number << 32 | me->player->sent[c];
}

static bool has_values(const struct me *me, int c)
{
	return me->player->sent[c] < MOST_VALUES;
}

static void note_sent(struct me *me, int c, int closed)
{
	PROMISE(me->s, !closed);
	me->player->sent[c]++;
}

static void note_received(struct me *me, int c, __u64 value)
{
	unsigned int sender = value >> 32, n = (__u32)value;

	if (sender >= (unsigned int)me->s->tasks || n >= MOST_VALUES) {
		PROMISE(me->s, !"a value that nobody sent arrived");
		return;
	}
	PROMISE(me->s, count_up(&me->s->seen[c][sender][n]) == 0);
	PROMISE(me->s, me->s->deadly || (int)n >= me->last[c][sender]);
	me->last[c][sender] = n + 1;
	me->player->received++;
}

/* Flags and deadline of a call: none, soon, or it does not wait. */
static __u32 draw_bounds(struct me *me, bool forever, __s64 *deadline)
{
	*deadline = 0;
	if (forever || chance(&me->row, me->s->forever)) {
		store(&me->player->activity, WAITS);
		return 0;
	}
	if (chance(&me->row, 40))
		return KCHAN_NONBLOCK;
	*deadline = now() + below(&me->row, 1000000);
	return KCHAN_DEADLINE;
}

/* Whether a call did nothing, as it may for reasons of its own. */
static bool did_nothing(int ret)
{
	return ret == -EAGAIN || ret == -ETIMEDOUT || ret == -EINTR;
}

static int send_one_value(struct me *me, bool forever)
{
	int c = below(&me->row, CHANS), closed = load(&me->s->closed[c]), ret;
	__u64 value = value_of(me, c);
	__s64 deadline;
	__u32 flags = draw_bounds(me, forever, &deadline);

	if (!has_values(me, c))
		return -EAGAIN;
	ret = chan_msg(me->s->chan[c], KCHAN_SEND, &value, sizeof(value), flags, deadline);
	if (!ret)
		note_sent(me, c, closed);
	else
		PROMISE(me->s, ret == -EPIPE || did_nothing(ret));
	return ret;
}

static int receive_one_value(struct me *me, bool forever)
{
	int c = below(&me->row, CHANS), closed = load(&me->s->stop), ret;
	__u64 value = POISON;
	__s64 deadline;
	__u32 flags = draw_bounds(me, forever, &deadline);

	ret = chan_msg(me->s->chan[c], KCHAN_RECV, &value, sizeof(value), flags, deadline);
	if (ret == 1)
		note_received(me, c, value);
	else if (!ret)
		PROMISE(me->s, closed || load(&me->s->stop));
	else
		PROMISE(me->s, did_nothing(ret));
	return ret;
}

/* On each channel a send or a receive, not both: who waits for both is no sign of a bug. */
static int select_one(struct me *me, bool forever)
{
	struct kchan_case cases[2 * CHANS];
	__u64 values[CHANS];
	int closed[CHANS], nr = 0, of[2 * CHANS];
	struct chosen chosen;
	__s64 deadline;
	__u32 flags = draw_bounds(me, forever, &deadline);

	for (int c = 0; c < CHANS; c++) {
		bool sends = has_values(me, c) && chance(&me->row, 50);

		closed[c] = load(&me->s->closed[c]);
		values[c] = sends ? value_of(me, c) : POISON;
		/* Sometimes twice: one of them is done, not both. */
		for (int n = 1 + chance(&me->row, 20); n; n--) {
			of[nr] = c;
			cases[nr++] = sends ? on_send64(me->s->chan[c], &values[c]) :
				on_recv64(me->s->chan[c], &values[c]);
		}
	}
	flags |= chance(&me->row, 30) ? KCHAN_IN_ORDER : 0;
	chosen = kchan_select(cases, nr, flags, deadline);
	if (chosen.index < 0) {
		PROMISE(me->s, did_nothing(chosen.index));
		return chosen.index;
	}
	if (cases[chosen.index].op == KCHAN_OP_RECV && chosen.outcome == 1)
		note_received(me, of[chosen.index], values[of[chosen.index]]);
	else if (cases[chosen.index].op == KCHAN_OP_SEND && !chosen.outcome)
		note_sent(me, of[chosen.index], closed[of[chosen.index]]);
	return chosen.outcome;
}

/* Whoever is killed with units keeps them from others: then all waits have an end. */
static void take_units(struct me *me)
{
	struct storm *s = me->s;
	int n = 1 + below(&me->row, s->units), ret;
	__s64 deadline;
	__u32 flags = draw_bounds(me, false, &deadline);

	if (!flags && s->deadly) {
		flags = KCHAN_DEADLINE;
		deadline = in_ms(1);
	}
	ret = kchan_wait_op(s->semaphore, KCHAN_OP_ADD, 0, n, flags, deadline, NULL);
	if (ret) {
		PROMISE(s, did_nothing(ret));
		return;
	}
	PROMISE(s, __atomic_add_fetch(&s->taken, n, __ATOMIC_SEQ_CST) <= s->units);
	me->player->units += n;
	if (chance(&me->row, 20))
		sched_yield();
	__atomic_sub_fetch(&s->taken, n, __ATOMIC_SEQ_CST);
	PROMISE(s, !kchan_done(s->semaphore, n));
}

static void take_mutex(struct me *me)
{
	struct storm *s = me->s;
	__s64 deadline;
	__u32 flags = draw_bounds(me, false, &deadline);
	int ret = kchan_wait_op(s->mutex, KCHAN_OP_LOCK, 0, 0, flags, deadline, NULL);

	if (ret && ret != -EOWNERDEAD) {
		PROMISE(s, did_nothing(ret));
		return;
	}
	if (ret) {
		PROMISE(s, s->deadly);
		PROMISE(s, !kchan_arg_call(s->mutex, KCHAN_CONSISTENT, 0));
	} else {
		PROMISE(s, !load(&s->inside));
	}
	store(&s->inside, 1 + me->number);
	me->player->locks++;
	if (chance(&me->row, 20))
		sched_yield();
	PROMISE(s, load(&s->inside) == 1 + me->number);
	store(&s->inside, 0);
	PROMISE(s, !kchan_unlock(s->mutex));
}

static void take_rwmutex(struct me *me)
{
	struct storm *s = me->s;
	bool writes = chance(&me->row, 30);
	int weight = writes ? 1000 : 1, ret, inside;
	__s64 deadline;
	__u32 flags = draw_bounds(me, false, &deadline);

	ret = kchan_wait_op(s->rwmutex, writes ? KCHAN_OP_LOCK : KCHAN_OP_RLOCK, 0, 0, flags,
			    deadline, NULL);
	if (ret) {
		PROMISE(s, did_nothing(ret));
		return;
	}
	inside = __atomic_add_fetch(&s->readers, weight, __ATOMIC_SEQ_CST);
	PROMISE(s, writes ? inside == 1000 : inside < 1000);
	me->player->locks++;
	if (chance(&me->row, 20))
		sched_yield();
	__atomic_sub_fetch(&s->readers, weight, __ATOMIC_SEQ_CST);
	PROMISE(s, !(writes ? kchan_unlock(s->rwmutex) : kchan_runlock(s->rwmutex)));
}

static void do_anything(struct me *me)
{
	int what = below(&me->row, 100);

	store(&me->player->activity, BUSY);
	for (volatile int i = below(&me->row, 300); i; i--)
		;
	if (what < 30)
		send_one_value(me, false);
	else if (what < 60)
		receive_one_value(me, false);
	else if (what < 85)
		select_one(me, false);
	else if (what < 90)
		take_units(me);
	else if (what < 95 || me->s->deadly)
		take_mutex(me);
	else
		take_rwmutex(me);
}

/* It waits until the close, but for what happens to be ready. */
static void make_last_call(struct me *me)
{
	switch (below(&me->row, 3)) {
	case 0:
		send_one_value(me, true);
		break;
	case 1:
		receive_one_value(me, true);
		break;
	default:
		select_one(me, true);
	}
	store(&me->player->activity, THROUGH);
}

static int take_part(void *arg)
{
	const struct seat *seat = arg;
	struct storm *s = seat->s;
	struct me me = {
		.s = s,
		.player = &s->player[seat->number],
		.number = seat->number,
		.row = s->seed ^ (__u64)seat->number << 32,
	};

	count_up(&s->ready);
	while (!load(&s->go))
		usleep(100);
	while (!load(&s->stop) && !load(&s->broken))
		do_anything(&me);
	make_last_call(&me);
	return 0;
}

/* ---- who watches ---- */

/**
 * struct watch - what only the one who watches knows
 * @task: the tasks
 * @killed: those of them that are dead
 * @kills: how many
 */
struct watch {
	struct task *task[MOST_TASKS];
	bool killed[MOST_TASKS];
	int kills;
	__u64 row;
};

/* The task sleeps, or has ended. */
static bool sleeps(const struct task *t)
{
	char path[64], line[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", t->tid);
	f = fopen(path, "r");
	if (!f)
		return true;
	if (!fgets(line, sizeof(line), f))
		line[0] = 0;
	fclose(f);
	return strstr(line, ") S ");
}

static bool is_at_rest(const struct storm *s, const struct watch *w)
{
	for (int i = 0; i < s->tasks; i++) {
		int activity = load(&s->player[i].activity);

		if (!w->killed[i] && activity != THROUGH &&
		    (activity == BUSY || !sleeps(w->task[i])))
			return false;
	}
	return true;
}

static bool is_through(const struct storm *s, const struct watch *w)
{
	for (int i = 0; i < s->tasks; i++)
		if (!w->killed[i] && load(&s->player[i].activity) != THROUGH)
			return false;
	return true;
}

static bool nobody_waits_in_vain(const struct storm *s, const struct watch *w)
{
	(void)w;
	for (int c = 0; c < CHANS; c++) {
		struct kchan_stat st = chan_stat(s->chan[c]);

		if (st.waiting_receivers && (st.waiting_senders || st.length))
			return false;
		if (st.waiting_senders && st.length < st.capacity)
			return false;
	}
	return true;
}

/* Whether it comes true, if one waits as long as nothing takes. */
static bool comes_true(const struct storm *s, const struct watch *w,
		       bool (*is_so)(const struct storm *s, const struct watch *w))
{
	__s64 end = now() + PATIENCE_NS;

	while (!is_so(s, w)) {
		if (now() > end)
			return false;
		usleep(300);
	}
	return true;
}

static void look_at_lengths(struct storm *s)
{
	for (int c = 0; c < CHANS; c++) {
		struct kchan_stat st = chan_stat(s->chan[c]);

		PROMISE(s, st.length <= st.capacity);
	}
}

static void strike(struct storm *s, struct watch *w)
{
	int t = below(&w->row, s->tasks);

	if (w->killed[t])
		return;
	if (s->deadly && w->task[t]->kind == PROCESS && w->kills < s->tasks / 2 &&
	    chance(&w->row, 10)) {
		task_kill(w->task[t]);
		w->killed[t] = true;
		w->kills++;
	} else if (chance(&w->row, 60)) {
		task_signal(w->task[t], chance(&w->row, 50) ? SIGUSR1 : SIGUSR2);
	}
}

/* ---- one storm ---- */

static struct storm *storm_new(__u64 seed, __u64 *row)
{
	static const int capacities[] = { 0, 0, 1, 2, 7 };
	struct storm *s = shared_alloc(sizeof(*s));

	s->seed = seed;
	s->tasks = LEAST_TASKS + below(row, MOST_TASKS - LEAST_TASKS + 1);
	s->deadly = chance(row, 30);
	s->forever = chance(row, 50) ? 0 : 30;
	for (int c = 0; c < CHANS; c++) {
		s->capacity[c] = capacities[below(row, ARRAY_LEN(capacities))];
		s->chan[c] = make_chan(sizeof(__u64), s->capacity[c]);
	}
	s->units = 1 + below(row, 4);
	s->semaphore = make_object(KCHAN_KIND_SEMAPHORE, s->units);
	s->mutex = make_object(KCHAN_KIND_MUTEX, 0);
	s->rwmutex = make_object(KCHAN_KIND_RWMUTEX, 0);
	return s;
}

/*
 * A fork takes its parent's pages away for a moment, and then a message on its way to
 * one of them goes back: so all forks come before all threads.
 */
static void start_all(struct storm *s, struct watch *w)
{
	int processes = below(&w->row, s->tasks + 1);

	catch_signal(SIGUSR1, 0);
	catch_signal(SIGUSR2, SA_RESTART);
	any_device();
	for (int i = 0; i < s->tasks; i++) {
		s->seat[i] = (struct seat){ s, i };
		w->task[i] = task_start(i < processes ? PROCESS : THREAD, take_part,
					&s->seat[i]);
	}
	wait_until(load(&s->ready) == s->tasks);
	store(&s->go, 1);
}

static bool is_enough(const struct storm *s)
{
	unsigned long received = 0;

	for (int i = 0; i < s->tasks; i++)
		received += load(&s->player[i].received);
	return received >= ENOUGH || load(&s->broken);
}

static void rage(struct storm *s, struct watch *w)
{
	__s64 end = in_ms(MOST_MS);

	while (now() < end && !is_enough(s)) {
		if (!s->deadly)
			look_at_lengths(s);
		strike(s, w);
		usleep(100 + below(&w->row, 2000));
	}
}

/* All come to rest, and then the close ends all that are left. */
static void calm_down(struct storm *s, struct watch *w)
{
	store(&s->stop, 1);
	PROMISE(s, comes_true(s, w, is_at_rest));
	PROMISE(s, comes_true(s, w, nobody_waits_in_vain));
	for (int c = 0; c < CHANS; c++) {
		PROMISE(s, !chan_close(s->chan[c]));
		store(&s->closed[c], 1);
	}
	PROMISE(s, comes_true(s, w, is_through));
	if (!is_through(s, w))
		exit(1);	/* threads that do not end cannot be waited for */
	for (int i = 0; i < s->tasks; i++)
		PROMISE(s, task_join(w->task[i]) == (w->killed[i] ? KILLED(SIGKILL) : 0));
}

/* Nobody is left to take what is in it. */
static void drain(struct storm *s, int c)
{
	__u64 v;

	while (try_recv64(s->chan[c], &v) == 1)
		s->seen[c][v >> 32 & (MOST_TASKS - 1)][(__u32)v & (MOST_VALUES - 1)]++;
}

/* How many values were sent that nobody has; of a dead sender nobody knows the last. */
static int count_missing(struct storm *s, const struct watch *w, int c)
{
	int missing = 0;

	for (int t = 0; t < s->tasks; t++)
		for (int n = 0; n < MOST_VALUES; n++) {
			int times = s->seen[c][t][n], sent = s->player[t].sent[c];

			PROMISE(s, times <= (n < sent + (w->killed[t] ? 1 : 0)));
			missing += n < sent && !times;
		}
	return missing;
}

static void settle_accounts(struct storm *s, const struct watch *w)
{
	int missing = 0;

	for (int c = 0; c < CHANS; c++) {
		drain(s, c);
		missing += count_missing(s, w, c);
		PROMISE(s, waiting(s->chan[c], 0, 0));
	}
	PROMISE(s, missing <= w->kills);
	PROMISE(s, waiting(s->semaphore, 0, 0) && waiting(s->mutex, 0, 0));
	PROMISE(s, waiting(s->rwmutex, 0, 0) && !chan_stat(s->rwmutex).length);
	PROMISE(s, !chan_stat(s->mutex).length);
	PROMISE(s, s->deadly || !chan_stat(s->semaphore).length);
}

static void storm_free(struct storm *s)
{
	for (int c = 0; c < CHANS; c++)
		close(s->chan[c]);
	close(s->semaphore);
	close(s->mutex);
	close(s->rwmutex);
	munmap(s, sizeof(*s));
}

bool storm_run(__u64 seed, struct storm_count *count)
{
	struct watch w = { .row = seed };
	struct storm *s = storm_new(seed, &w.row);
	bool good;

	start_all(s, &w);
	rage(s, &w);
	calm_down(s, &w);
	settle_accounts(s, &w);
	count->rounds++;
	count->kills += w.kills;
	for (int i = 0; i < s->tasks; i++) {
		count->messages += s->player[i].received;
		count->units += s->player[i].units;
		count->locks += s->player[i].locks;
	}
	good = !s->broken;
	if (!good)
		printf("# storm %llu broke a promise; --storms only --jobs 1 --seed %llu begins"
		       " with it\n", seed, (unsigned long long)seed);
	storm_free(s);
	return good;
}
