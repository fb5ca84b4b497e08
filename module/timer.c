// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers, and tickers, which are timers with a period.
 *
 * How a timer stands follows from the time alone, whenever somebody looks; the
 * alarm is there to wake who waits.  So nothing that was set before is ever seen
 * after it was set anew, and nobody is interrupted for ticks that nobody takes:
 * the alarm is set again when they are.
 */
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>

#include "alarm.h"
#include "file.h"
#include "op.h"
#include "timer.h"
#include "uarg.h"

/**
 * struct kchan_ticker - a timer
 * @obj: what every object has; its lock guards all below
 * @alarm: set to @next, while there is no tick to take
 * @next: when it fires next; on no clock at KTIME_MAX, when it is stopped
 * @period: from one tick to the next; 0: only one
 * @ticks: to be taken
 * @settings: how often it was set
 * @waiters: parked; none while there are ticks
 */
struct kchan_ticker {
	struct kchan_object obj;
	struct kchan_alarm alarm;
	struct kchan_deadline next;
	ktime_t period;
	u64 ticks;
	u32 settings;
	struct kchan_queue waiters;
};

static struct kchan_ticker *ticker_of(struct kchan_object *obj)
{
	return container_of(obj, struct kchan_ticker, obj);
}

/* Moves @next past now; returns how many ticks that was. */
static u64 advance(struct kchan_ticker *ticker, ktime_t now)
{
	u64 ticks = 1;

	if (!ticker->period) {
		ticker->next.time = KTIME_MAX;
		return ticks;
	}
	ticks += div64_u64(ktime_sub(now, ticker->next.time), ticker->period);
	/* The next is after now by at most a period, or never. */
	if (check_add_overflow(ticker->next.time, (s64)(ticks * ticker->period),
			       &ticker->next.time))
		ticker->next.time = KTIME_MAX;
	return ticks;
}

/* Brings it up to the present. */
static void update(struct kchan_ticker *ticker)
{
	ktime_t now;

	if (ticker->next.time == KTIME_MAX)
		return;
	now = kchan_now_on(ticker->next.clock);
	if (ktime_compare(now, ticker->next.time) >= 0)
		ticker->ticks += advance(ticker, now);
}

static void take(struct kchan_ticker *ticker, struct kchan_op *op)
{
	op->value = ticker->ticks;
	op->settings = ticker->settings;
	ticker->ticks = 0;
	kchan_alarm_set(&ticker->alarm, ticker->next.clock, ticker->next.time);
}

/* Gives what there is to the first who waits, or has it polled. */
static void ring(struct kchan_ticker *ticker, struct kchan_change *change)
{
	struct kchan_entry *entry;

	update(ticker);
	if (!ticker->ticks) {
		/* Set anew since: this alarm was for the time before. */
		kchan_alarm_set(&ticker->alarm, ticker->next.clock, ticker->next.time);
		return;
	}
	entry = kchan_claim_first(&ticker->waiters, 0, &change->wakes);
	if (entry)
		take(ticker, kchan_op_of(entry));
	else
		change->poll |= KCHAN_POLL_IN;
}

static void alarm_work(struct work_struct *work)
{
	struct kchan_ticker *ticker = container_of(work, struct kchan_ticker, alarm.work);
	struct kchan_change change;

	kchan_lock(&ticker->obj, &change);
	ring(ticker, &change);
	kchan_unlock(&ticker->obj, &change);
}

/* ---- operations ---- */

static bool tick_ready(struct kchan_op *op)
{
	struct kchan_ticker *ticker = ticker_of(op->obj);

	update(ticker);
	return ticker->ticks && !kchan_first_other(&ticker->waiters, op->entry.waiter);
}

static int tick_attempt(struct kchan_op *op, struct kchan_waiter *self,
			struct kchan_change *change)
{
	struct kchan_ticker *ticker = ticker_of(op->obj);
	int ret;

	update(ticker);
	/* Who waits has it coming, though the alarm may be late. */
	if (!ticker->ticks || kchan_first_other(&ticker->waiters, self))
		return -EAGAIN;
	ret = kchan_outcome(self, 0);
	if (!ret)
		take(ticker, op);
	return ret;
}

static struct kchan_queue *tick_queue(struct kchan_op *op)
{
	return &ticker_of(op->obj)->waiters;
}

/* Whoever is killed leaves it to the next; unless the timer was set anew since. */
static int tick_finish(struct kchan_op *op, int outcome)
{
	struct kchan_ticker *ticker = ticker_of(op->obj);
	struct kchan_change change;

	if (outcome || !fatal_signal_pending(current))
		return outcome;
	kchan_lock(op->obj, &change);
	if (op->settings == ticker->settings) {
		ticker->ticks += op->value;
		ring(ticker, &change);
	}
	kchan_unlock(op->obj, &change);
	return -EINTR;
}

static const struct kchan_op_type tick_type = {
	.right = KCHAN_MODE_RECV,
	.ready = tick_ready,
	.attempt = tick_attempt,
	.queue = tick_queue,
	.finish = tick_finish,
};

static int timer_begin(struct kchan_op *op, const struct kchan_case *args)
{
	if (args->op == KCHAN_OP_TICK && !args->buf && !args->len && !args->index && !args->arg)
		op->type = &tick_type;
	return 0;
}

/* Returns 1 if there was a tick to come or to be taken. */
static int timer_set(struct kchan_ticker *ticker, const struct kchan_deadline *first,
		     ktime_t period)
{
	struct kchan_change change;
	int ret;

	kchan_lock(&ticker->obj, &change);
	ret = ticker->ticks || ticker->next.time != KTIME_MAX;
	ticker->ticks = 0;
	ticker->settings++;
	ticker->next = *first;
	ticker->period = period;
	ring(ticker, &change);
	kchan_unlock(&ticker->obj, &change);
	return ret;
}

/**
 * kchan_timer_ioctl() - KCHAN_TIMER
 * @file: a handle to any kind of object
 * @arg: the caller's struct kchan_timer
 *
 * Return: 1 if there was a tick to come or to be taken, else 0; or a negative
 * errno
 */
long kchan_timer_ioctl(struct file *file, const void __user *arg)
{
	const u32 clock_flags = KCHAN_DEADLINE | KCHAN_CLOCK_REALTIME | KCHAN_CLOCK_BOOTTIME;
	struct kchan_object *obj = file->private_data;
	struct kchan_deadline first;
	struct kchan_timer args;
	int ret;

	if (obj->kind != &kchan_timer_kind)
		return -ENOTTY;
	ret = kchan_read_struct(&args, sizeof(args), arg);
	if (ret)
		return ret;
	if (args.flags & ~clock_flags || args.period < 0 ||
	    (args.period && !(args.flags & KCHAN_DEADLINE)))
		return -EINVAL;
	ret = kchan_read_deadline(args.flags, args.deadline, &first);
	if (ret)
		return ret;
	if (!(file->f_mode & KCHAN_MODE_SEND))
		return -EBADF;
	return timer_set(ticker_of(obj), &first, args.period);
}

/* ---- kind ---- */

static __poll_t timer_ready(struct kchan_object *obj)
{
	struct kchan_ticker *ticker = ticker_of(obj);

	update(ticker);
	return ticker->ticks ? KCHAN_POLL_IN : 0;
}

static void timer_stat(struct kchan_object *obj, struct kchan_stat *stat)
{
	struct kchan_ticker *ticker = ticker_of(obj);

	update(ticker);
	stat->length = ticker->ticks;
	stat->state = ticker->next.time == KTIME_MAX ? 0 : KCHAN_STATE_RUNNING;
	stat->waiting_receivers = ticker->waiters.len;
}

static struct kchan_object *timer_make(const struct kchan_create *args)
{
	struct kchan_object *obj;
	struct kchan_ticker *ticker;

	if (args->limit)
		return ERR_PTR(-EINVAL);
	obj = kchan_object_new(&kchan_timer_kind, 0);
	if (IS_ERR(obj))
		return obj;
	ticker = ticker_of(obj);
	ticker->next.time = KTIME_MAX;
	kchan_queue_init(&ticker->waiters);
	kchan_alarm_init(&ticker->alarm, alarm_work);
	return obj;
}

static void timer_free(struct kchan_object *obj)
{
	struct kchan_ticker *ticker = ticker_of(obj);

	spin_lock(&obj->lock);
	ticker->next.time = KTIME_MAX;
	spin_unlock(&obj->lock);
	kchan_alarm_destroy(&ticker->alarm);
}

struct kchan_kind kchan_timer_kind = {
	.name = "timer",
	.nr = KCHAN_KIND_TIMER,
	.size = sizeof(struct kchan_ticker),
	.exclusive = true,
	.labels = { NULL, NULL, "ticks" },
	.fops = &kchan_object_fops,
	.make = timer_make,
	.begin = timer_begin,
	.ready = timer_ready,
	.stat = timer_stat,
	.free = timer_free,
};
