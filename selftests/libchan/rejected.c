// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compiled by build-checks once as it is, which must work, and once with each
 * REJECT, which must not.
 */
#include <libchan.h>

struct point {
	int x, y;
};

struct same_size {
	float x, y;
};

CHAN_TYPE(points, struct point);
CHAN_TYPE(words, char *);

#if REJECT == 1
/* Larger than any element may be. */
struct huge {
	char bytes[CHAN_ELEM_MAX + 1];
};

CHAN_TYPE(huges, struct huge);
#endif

int use(points p, words w, struct chan_mutex *m);
int use(points p, words w, struct chan_mutex *m)
{
	struct chan_case on;
	struct point point = { 1, 2 };
	struct same_size other = { 1, 2 };
	char *word = 0;
	struct chan_cargo cargo = chan_cargo(0, 0);

	(void)other;
	(void)cargo;
#if REJECT == 2 /* another type of the same size */
	return points_send(p, &other);
#elif REJECT == 3 /* another size */
	return points_send(p, &word);
#elif REJECT == 4 /* the element itself */
	return points_send(p, point);
#elif REJECT == 5 /* room of another type */
	return points_recv(p, &other);
#elif REJECT == 6 /* the end's room in a loop */
	return points_next(p, &word);
#elif REJECT == 7 /* a handle of another type */
	return points_send(w, &point);
#elif REJECT == 8 /* an untyped handle */
	return points_send(p.chan, &point);
#elif REJECT == 9 /* a pointer too few */
	return words_send(w, word);
#elif REJECT == 10 /* to be received into something that cannot change */
	return points_recv(p, (const struct point *)&point);
#elif REJECT == 11 /* with a deadline too */
	return points_recv_until(p, &other, 0);
#elif REJECT == 12 /* and on any clock */
	return points_send_clock(p, &other, CLOCK_REALTIME, 0);
#elif REJECT == 13 /* within bounds */
	return points_recv_with(p, &other, 0);
#elif REJECT == 14 /* in a case of a select */
	on = points_on_recv(p, &other);
	return chan_select(&on, 1);
#elif REJECT == 15 /* a handle of another kind */
	return chan_wg_done(m);
#elif REJECT == 16 /* also in a case of a select */
	on = chan_on_rlock(m);
	return chan_select(&on, 1);
#elif REJECT == 17 /* also where every kind has the same call */
	return chan_rwmutex_fd(m);
#elif REJECT == 18 /* a channel is no other kind */
	return chan_mutex_lock(p.chan);
#elif REJECT == 19 /* nor a handle of any kind, without being told so */
	return chan_object_fd(m);
#elif REJECT == 20 /* several of another type */
	return (int)points_send_many(p, &other, 1);
#elif REJECT == 21 /* room for several of another type */
	return (int)points_recv_many(p, &other, 1, 1);
#elif REJECT == 22 /* room of another type, with handles */
	return points_recv_cargo(p, &other, &cargo);
#elif REJECT == 23 /* what travels where there is to be room for it */
	return points_recv_cargo(p, &point, (const struct chan_cargo *)&cargo);
#endif
	on = points_on_recv(p, &point);
	return points_send_cargo(p, &point, &cargo) + points_recv_cargo(p, &point, &cargo) +
	       (int)points_send_many(p, &point, 1) + (int)points_recv_many(p, &point, 1, 1) +
	       chan_select(&on, 1) + chan_mutex_lock(m) + chan_mutex_fd(m) +
	       points_send(p, &point) + points_recv(p, &point) + words_send(w, &word);
}
