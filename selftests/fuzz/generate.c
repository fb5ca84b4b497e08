// SPDX-License-Identifier: GPL-2.0-only
/* Random steps; see generate.h. */

#include <string.h>
#include <linux/kchan.h>

#include "generate.h"
#include "random.h"

#define BOTH (KCHAN_RIGHT_SEND | KCHAN_RIGHT_RECV)
#define NEVER	4000000000000000000ll

void generator_init(struct generator *g, __u64 seed)
{
	memset(g, 0, sizeof(*g));
	g->random = scramble(seed + 1);
	g->bad_input = below(&g->random, 4) * 8;
}

/* ---- places ---- */

static unsigned int count_used(const struct generator *g)
{
	unsigned int n = 0;

	for (int i = FIRST_PLACE; i < PLACES; i++)
		n += g->places[i].kind != 0;
	return n;
}

static int any_place(struct generator *g)
{
	return FIRST_PLACE + below(&g->random, PLACES - FIRST_PLACE);
}

static int free_place(struct generator *g)
{
	int start = any_place(g), i = start;

	while (g->places[i].kind) {
		i = i + 1 < PLACES ? i + 1 : FIRST_PLACE;
		if (i == start)
			break;
	}
	return i;
}

static int used_place(struct generator *g)
{
	int start = any_place(g), i = start;

	/* Now and then what is no object, or nothing. */
	if (chance(&g->random, 2))
		return below(&g->random, PLACES);
	while (!g->places[i].kind) {
		i = i + 1 < PLACES ? i + 1 : FIRST_PLACE;
		if (i == start)
			break;
	}
	return i;
}

/* A place of that kind, if there is one. */
static int place_of(struct generator *g, __u32 kind)
{
	int start = any_place(g), i = start;

	while (g->places[i].kind != kind) {
		i = i + 1 < PLACES ? i + 1 : FIRST_PLACE;
		if (i == start)
			break;
	}
	return i;
}

/* Most likely it is what was sent. */
static void believe_received(struct generator *g, const struct step *s)
{
	for (__u32 i = 0; i < GIVEN; i++) {
		struct belief *to = &g->places[s->f[FIRST + i]];

		if (s->f[FIRST + i] && !to->kind)
			*to = (struct belief){
				.kind = g->places[s->f[ON]].sent, .rights = BOTH, .elem_size = 8,
			};
	}
}

void believe(struct generator *g, const struct step *s)
{
	struct belief *from = &g->places[s->f[ON]], *to = &g->places[s->f[TO]];

	switch (s->call) {
	case CREATE_CHAN:
		*to = (struct belief){
			.kind = KCHAN_KIND_CHAN, .rights = BOTH, .elem_size = s->f[ELEM_SIZE],
			.handles = s->f[HANDLES],
			.cargo = s->f[HANDLES] || s->f[FLAGS] & KCHAN_STAMPED,
		};
		break;
	case CREATE:
		*to = (struct belief){
			.kind = s->f[KIND], .rights = BOTH, .limit = s->f[LIMIT],
		};
		break;
	case TOKEN:
		*to = (struct belief){ .kind = KCHAN_KIND_TOKEN, .rights = BOTH };
		break;
	case RESTRICT:
		*to = *from;
		to->rights = s->f[RIGHTS];
		break;
	case DUP:
		*to = *from;
		break;
	case CLOSE:
		memset(from, 0, sizeof(*from));
		break;
	case MAP:
	case UNMAP:
		to->mapped = s->call == MAP;
		break;
	case SEND:
		from->sent = g->places[s->f[FIRST]].kind;
		break;
	case RECV:
		believe_received(g, s);
		break;
	default:
		break;
	}
}

/* ---- how not to wait ---- */

static void set_deadline(struct generator *g, struct step *s, bool past)
{
	static const __u32 clocks[] = { 0, 0, KCHAN_CLOCK_REALTIME, KCHAN_CLOCK_BOOTTIME };

	s->f[FLAGS] |= KCHAN_DEADLINE | pick(&g->random, clocks);
	s->f[DEADLINE] = past ? below(&g->random, 3) * 500 : NEVER + below(&g->random, 2);
}

static void not_for_long(struct generator *g, struct step *s)
{
	switch (below(&g->random, 8)) {
	case 0:
		break;
	case 1:
		set_deadline(g, s, false);
		break;
	case 2:
	case 3:
		set_deadline(g, s, true);
		break;
	case 4:
		set_deadline(g, s, chance(&g->random, 50));
		/* fall through */
	default:
		s->f[FLAGS] |= KCHAN_NONBLOCK;
	}
}

/* ---- bad input ---- */

static __u64 odd_number(struct generator *g)
{
	static const __u64 numbers[] = {
		0, 1, 2, 3, 7, 8, 9, 55, 56, 4095, 4096, 65535, 65536, 65537, 1048576,
		KCHAN_MAX_COUNT, KCHAN_MAX_COUNT + 1ull, 1ull << 32, (1ull << 32) + 1,
		0x7fffffffffffffffull, 1ull << 63, ~0ull - 1,
	};

	return pick(&g->random, numbers);
}

static void spoil_struct(struct generator *g, struct step *s)
{
	static const __u32 sizes[] = { 0, 1, 4, 15, 16, 24, 39, 48, 55, 56, 64, 72, 4096, 4097 };

	switch (below(&g->random, 4)) {
	case 0:
		s->f[SIZE] = pick(&g->random, sizes);
		break;
	case 1:
		s->f[SIZE] = 128;
		s->f[TAIL] = below(&g->random, 2) * (1 + below(&g->random, 20));
		break;
	case 2:
		s->f[RESERVED] = 1ull << below(&g->random, 32);
		break;
	default:
		/* A wait for a cond that cannot tell might have given back the lock. */
		s->f[AT] = below(&g->random, NR_MEMORY);
	}
}

void spoil(struct generator *g, struct step *s)
{
	switch (below(&g->random, 13)) {
	case 0:
		s->f[FLAGS] ^= 1ull << below(&g->random, 10);
		break;
	case 1:
		s->f[FLAGS] ^= 1ull << below(&g->random, 32);
		break;
	case 2:
		s->f[MEM] = below(&g->random, NR_MEMORY);
		break;
	case 3:
		s->f[LEN] = odd_number(g);
		break;
	case 4:
		s->f[OP] = below(&g->random, 13);
		break;
	case 5:
		s->f[INDEX] = odd_number(g);
		break;
	case 6:
		s->f[ARG] = odd_number(g);
		break;
	case 7:
		s->f[VALUE] = odd_number(g);
		break;
	case 8:
		s->f[DEADLINE] = odd_number(g);
		if ((__s64)s->f[DEADLINE] > 1000000000ll && (__s64)s->f[DEADLINE] < NEVER)
			s->f[DEADLINE] = -1;
		break;
	case 9:
		s->f[s->call == CREATE ? KIND : CASE_SIZE] = pick(&g->random, ((__u64[]){
			0, 1, 4, 12, 39, 48, 4096, 4097, 1ull << 31 }));
		break;
	case 10:
		s->f[pick(&g->random, ((enum field[]){ MIN, MAX, ANSWER_LEN, SENT }))] =
			odd_number(g);
		break;
	default:
		spoil_struct(g, s);
	}
}

/* ---- making objects ---- */

/* Messages that take something with them. */
static void add_cargo(struct generator *g, struct step *s)
{
	static const __u32 handles[] = { 1, 1, 1, 2, 2, 3, 4, 5, 16 };

	if (chance(&g->random, 50))
		s->f[FLAGS] |= KCHAN_STAMPED;
	if (s->f[FLAGS] && chance(&g->random, 20))
		return;
	s->f[HANDLES] = pick(&g->random, handles);
	s->f[DEPTH] = 1 + below(&g->random, chance(&g->random, 10) ? KCHAN_MAX_DEPTH : 3);
}

static struct step make_chan_step(struct generator *g)
{
	static const __u32 sizes[] = {
		0, 1, 7, 8, 8, 8, 8, 24, 24, 24, 63, 4095, 4096, 5000, 65536,
	};
	static const __u64 capacities[] = { 0, 0, 1, 1, 1, 2, 3, 8, 100 };
	static const __u32 policies[] = {
		KCHAN_POLICY_DROP_NEWEST, KCHAN_POLICY_DROP_OLDEST, KCHAN_POLICY_LATEST,
	};
	struct step s = new_step(CREATE_CHAN);

	s.f[ELEM_SIZE] = pick(&g->random, sizes);
	s.f[CAPACITY] = pick(&g->random, capacities);
	if (chance(&g->random, 25))
		add_cargo(g, &s);
	if (s.f[CAPACITY] && chance(&g->random, 40))
		s.f[POLICY] = pick(&g->random, policies);
	if (s.f[POLICY] == KCHAN_POLICY_LATEST && (s.f[HANDLES] || s.f[FLAGS]) &&
	    chance(&g->random, 95))
		s.f[CAPACITY] = 1;
	if (chance(&g->random, g->bad_input / 4))
		s.f[pick(&g->random, ((enum field[]){ ELEM_SIZE, CAPACITY, POLICY, HANDLES,
						      DEPTH }))] = odd_number(g);
	return s;
}

static __u64 some_limit(struct generator *g, __u32 kind)
{
	static const __u64 limits[] = { 1, 1, 2, 3, 5, 64, 100, KCHAN_MAX_COUNT };

	switch (kind) {
	case KCHAN_KIND_WAITGROUP:
		return chance(&g->random, 50) ? 0 : pick(&g->random, limits);
	case KCHAN_KIND_SEMAPHORE:
		return pick(&g->random, limits);
	case KCHAN_KIND_CELLS:
		return pick(&g->random, ((__u64[]){ 1, 2, 64, 65, 300 }));
	default:
		return 0;
	}
}

static struct step make_object_step(struct generator *g)
{
	static const __u32 kinds[] = {
		KCHAN_KIND_WAITGROUP, KCHAN_KIND_SEMAPHORE, KCHAN_KIND_MUTEX, KCHAN_KIND_RWMUTEX,
		KCHAN_KIND_ONCE, KCHAN_KIND_COND, KCHAN_KIND_TIMER, KCHAN_KIND_CELLS,
		KCHAN_KIND_CANCEL, KCHAN_KIND_CANCEL,
	};
	struct step s = new_step(CREATE);

	s.f[KIND] = pick(&g->random, kinds);
	s.f[LIMIT] = some_limit(g, s.f[KIND]);
	if (s.f[KIND] == KCHAN_KIND_CANCEL && chance(&g->random, 60)) {
		s.f[FLAGS] |= KCHAN_CHILD;
		s.f[PARENT] = place_of(g, KCHAN_KIND_CANCEL);
	}
	if (s.f[KIND] == KCHAN_KIND_CANCEL && chance(&g->random, 30))
		set_deadline(g, &s, chance(&g->random, 50));
	if (chance(&g->random, g->bad_input / 4))
		s.f[LIMIT] = odd_number(g);
	return s;
}

static struct step create_step(struct generator *g)
{
	struct step s = chance(&g->random, 40) ? make_chan_step(g) : make_object_step(g);

	s.f[TO] = free_place(g);
	if (chance(&g->random, 20))
		s.f[FLAGS] |= KCHAN_NONBLOCK;
	return s;
}

static struct step handle_step(struct generator *g)
{
	static const enum call calls[] = {
		RESTRICT, RESTRICT, RESTRICT, DUP, DUP, CLOSE, CLOSE, CLOSE, PASS, SET_NONBLOCK,
	};
	struct step s = new_step(pick(&g->random, calls));

	s.f[ON] = used_place(g);
	if (s.call == RESTRICT || s.call == DUP)
		s.f[TO] = free_place(g);
	if (s.call == RESTRICT)
		s.f[RIGHTS] = chance(&g->random, 5) ? below(&g->random, 6) :
			      1 + below(&g->random, 3);
	if (s.call == RESTRICT && chance(&g->random, 30))
		s.f[FLAGS] |= KCHAN_NONBLOCK;
	if (s.call == SET_NONBLOCK)
		s.f[VALUE] = below(&g->random, 2);
	return s;
}

/* ---- operations ---- */

static __u64 few_units(struct generator *g, __u64 limit)
{
	if (chance(&g->random, 4))
		return chance(&g->random, 50) ? KCHAN_MAX_COUNT : odd_number(g);
	if (limit > 0 && limit < 100 && chance(&g->random, 30))
		return limit;
	return 1 + below(&g->random, 3);
}

static __u64 some_op(struct generator *g, __u32 kind)
{
	switch (kind) {
	case KCHAN_KIND_CHAN:
		return chance(&g->random, 50) ? KCHAN_OP_SEND : KCHAN_OP_RECV;
	case KCHAN_KIND_WAITGROUP:
	case KCHAN_KIND_SEMAPHORE:
		return chance(&g->random, 60) ? KCHAN_OP_ADD : KCHAN_OP_ZERO;
	case KCHAN_KIND_RWMUTEX:
		return chance(&g->random, 40) ? KCHAN_OP_LOCK : KCHAN_OP_RLOCK;
	case KCHAN_KIND_MUTEX:
	case KCHAN_KIND_ONCE:
		return KCHAN_OP_LOCK;
	case KCHAN_KIND_COND:
		return KCHAN_OP_COND;
	case KCHAN_KIND_TIMER:
		return KCHAN_OP_TICK;
	case KCHAN_KIND_CELLS:
		return KCHAN_OP_DIFFERS;
	case KCHAN_KIND_CANCEL:
		return KCHAN_OP_CANCELLED;
	}
	return 1 + below(&g->random, 10);
}

static __u64 some_index(struct generator *g, __u64 cells)
{
	return chance(&g->random, 3) ? cells : below(&g->random, cells > 4 ? 4 : cells + 1);
}

static __u64 some_memory(struct generator *g, unsigned int percent)
{
	if (!chance(&g->random, percent))
		return GOOD;
	return chance(&g->random, 80) ? 1 + below(&g->random, 2) : below(&g->random, NR_MEMORY);
}

/* Where handles come from, or go. */
static void set_cargo(struct generator *g, struct step *s, int place, bool sends)
{
	const struct belief *b = &g->places[place];

	if (!b->cargo && !chance(&g->random, 2))
		return;
	if (sends && chance(&g->random, 10))
		return;
	s->f[ANCILLARY] = some_memory(g, 15);
	s->f[CASES_AT] = some_memory(g, 10);
	for (__u32 i = 0; i < GIVEN && i < b->handles; i++)
		if (chance(&g->random, 80))
			s->f[FIRST + i] = sends ? used_place(g) : free_place(g);
	if (chance(&g->random, g->bad_input / 4))
		s->f[pick(&g->random, ((enum field[]){ NR, CASE_SIZE, RESERVED, BAD }))] =
			below(&g->random, 20);
}

/* What an operation on that place needs. */
static void set_op(struct generator *g, struct step *s, int place)
{
	const struct belief *b = &g->places[place];

	s->f[ON] = place;
	s->f[OP] = chance(&g->random, 2) ? 1 + below(&g->random, 10) : some_op(g, b->kind);
	switch (s->f[OP]) {
	case KCHAN_OP_SEND:
		s->f[MESSAGE] = ++g->messages;
		set_cargo(g, s, place, true);
		break;
	case KCHAN_OP_RECV:
		set_cargo(g, s, place, false);
		break;
	case KCHAN_OP_ADD:
		s->f[ARG] = few_units(g, b->limit);
		break;
	case KCHAN_OP_DIFFERS:
		s->f[INDEX] = some_index(g, b->limit);
		s->f[ARG] = below(&g->random, 3);
		break;
	case KCHAN_OP_COND:
		s->f[LOCK] = place_of(g, chance(&g->random, 60) ? KCHAN_KIND_MUTEX
								: KCHAN_KIND_RWMUTEX);
		break;
	}
}

static struct step batch_step(struct generator *g, int place)
{
	struct step s = new_step(chance(&g->random, 50) ? SEND_BATCH : RECV_BATCH);
	__u32 max = 1 + below(&g->random, chance(&g->random, 10) ? 200 : 5);

	s.f[ON] = place;
	s.f[MAX] = max;
	s.f[MIN] = chance(&g->random, 50) ? below(&g->random, max + 1) : 0;
	s.f[MESSAGE] = g->messages + 1;
	g->messages += max;
	not_for_long(g, &s);
	if (chance(&g->random, 40))
		s.f[FLAGS] |= KCHAN_VECTOR;
	s.f[MEM] = some_memory(g, 20);
	if (chance(&g->random, 15))
		s.f[BAD] = below(&g->random, max + 1);
	s.f[CASES_AT] = some_memory(g, 10);
	return s;
}

static struct step call_step(struct generator *g, int place)
{
	struct step s = new_step(CALL);

	s.f[ON] = place;
	s.f[ANSWER] = chance(&g->random, 4) ? any_place(g) : place_of(g, KCHAN_KIND_CHAN);
	s.f[MESSAGE] = ++g->messages;
	s.f[SENT] = chance(&g->random, 20);
	not_for_long(g, &s);
	s.f[MEM] = some_memory(g, 15);
	s.f[ANSWER_MEM] = some_memory(g, 15);
	return s;
}

static struct step message_step(struct generator *g, int place)
{
	static const enum call calls[] = {
		SEND, SEND, SEND, SEND, SEND, RECV, RECV, RECV, RECV, WRITE, READ,
	};
	struct step s = new_step(pick(&g->random, calls));

	if (chance(&g->random, 15))
		return batch_step(g, place);
	if (chance(&g->random, 8))
		return call_step(g, place);
	s.f[ON] = place;
	if (chance(&g->random, 3)) {
		s.call = chance(&g->random, 50) ? CLOSE_CHAN : CLOSE_WITH;
		s.f[VALUE] = 1 + below(&g->random, KCHAN_MAX_ERRNO);
		return s;
	}
	if (s.call == SEND || s.call == WRITE)
		s.f[MESSAGE] = ++g->messages;
	if (s.call == SEND || s.call == RECV) {
		not_for_long(g, &s);
		set_cargo(g, &s, place, s.call == SEND);
	}
	if (s.call == RECV && g->places[place].handles && chance(&g->random, 5))
		s.f[FULL] = 1;
	/* It is another that sends it. */
	if (s.call == SEND && g->places[place].cargo && chance(&g->random, 10))
		s.f[CHILD] = 1;
	if (s.call == READ && chance(&g->random, 20))
		s.f[LEN] = g->places[place].elem_size + 1 + below(&g->random, 9);
	s.f[MEM] = some_memory(g, 25);
	return s;
}

/* A place of a channel whose messages take something with them, if there is one. */
static int cargo_place(struct generator *g)
{
	int start = any_place(g), i = start;

	while (!g->places[i].cargo) {
		i = i + 1 < PLACES ? i + 1 : FIRST_PLACE;
		if (i == start)
			break;
	}
	return i;
}

static void add(struct generator *g, struct trace *t, struct step s)
{
	believe(g, &s);
	t->steps[t->nr++] = s;
}

/* Handles are sent and, most likely, come. */
static void exchange_steps(struct generator *g, struct trace *t)
{
	int place = cargo_place(g);
	struct step send = new_step(SEND), recv = new_step(RECV);

	send.f[ON] = recv.f[ON] = place;
	send.f[FLAGS] = recv.f[FLAGS] = KCHAN_NONBLOCK;
	send.f[MESSAGE] = ++g->messages;
	set_cargo(g, &send, place, true);
	add(g, t, send);
	set_cargo(g, &recv, place, false);
	add(g, t, recv);
}

static struct step wait_step(struct generator *g, int place)
{
	struct step s = new_step(WAIT);

	set_op(g, &s, place);
	not_for_long(g, &s);
	return s;
}

static struct step timer_step(struct generator *g, int place)
{
	static const __u64 periods[] = { 0, 0, 0, NEVER, 1000000 };
	struct step s = new_step(TIMER);

	s.f[ON] = place;
	if (chance(&g->random, 20))
		return s;
	set_deadline(g, &s, chance(&g->random, 60));
	s.f[PERIOD] = pick(&g->random, periods);
	return s;
}

static struct step number_step(struct generator *g, enum call call, int place)
{
	struct step s = new_step(call);
	const struct belief *b = &g->places[place];

	s.f[ON] = place;
	if (call == UNLOCK)
		s.f[VALUE] = b->kind == KCHAN_KIND_RWMUTEX && chance(&g->random, 60) ?
			     KCHAN_OP_RLOCK : KCHAN_OP_LOCK;
	else if (call == TOKEN || (call == DONE && (b->kind == KCHAN_KIND_WAITGROUP ||
						    b->kind == KCHAN_KIND_SEMAPHORE)))
		s.f[VALUE] = few_units(g, b->limit);
	else if (call == SIGNAL)
		s.f[VALUE] = b->kind == KCHAN_KIND_COND ? (__u64)KCHAN_ALL >> below(&g->random, 64)
							: some_index(g, b->limit);
	else if (call == CANCEL)
		s.f[VALUE] = below(&g->random, 3) * 50;
	if (call == TOKEN)
		s.f[TO] = free_place(g);
	return s;
}

/* The channel's messages have to be notices. */
static struct step watch_step(struct generator *g, int place)
{
	int told = place_of(g, KCHAN_KIND_CHAN);
	struct step s = new_step(WATCH);

	for (int i = 0; i < 8 && g->places[told].elem_size != sizeof(struct kchan_notice); i++)
		told = place_of(g, KCHAN_KIND_CHAN);
	s.f[ON] = place;
	s.f[TOLD] = chance(&g->random, 90) ? told : any_place(g);
	s.f[RIGHTS] = chance(&g->random, 3) ? below(&g->random, 6) : 1 + below(&g->random, 3);
	s.f[VALUE] = 1 + below(&g->random, 9);
	return s;
}

/* Somebody lets go of what is watched. */
static void departure_steps(struct generator *g, struct trace *t)
{
	struct step watch = watch_step(g, used_place(g));
	struct step goes = new_step(chance(&g->random, 50) ? PASS : CLOSE);
	struct step recv = new_step(RECV), part = new_step(RESTRICT), end = new_step(CLOSE);
	int told = watch.f[TOLD];

	add(g, t, watch);
	if (chance(&g->random, 40)) {
		/* Nobody else can send there. */
		part.f[ON] = end.f[ON] = told;
		part.f[TO] = told = free_place(g);
		part.f[RIGHTS] = KCHAN_RIGHT_RECV;
		add(g, t, part);
		add(g, t, end);
	}
	goes.f[ON] = watch.f[ON];
	add(g, t, goes);
	recv.f[ON] = told;
	recv.f[FLAGS] = KCHAN_NONBLOCK;
	set_cargo(g, &recv, told, false);
	add(g, t, recv);
}

static struct step map_step(struct generator *g, int place)
{
	static const enum call calls[] = { MAP, STORE, STORE, STORE, STORE, UNMAP };
	struct step s = new_step(g->places[place].mapped ? pick(&g->random, calls) : MAP);

	s.f[ON] = s.f[TO] = place;
	if (s.call == MAP) {
		s.f[RIGHTS] = chance(&g->random, 80) ? BOTH : KCHAN_RIGHT_RECV;
		if (chance(&g->random, 20))
			s.f[LEN] = (1 + below(&g->random, 6)) * 2048;
		if (chance(&g->random, 5))
			s.f[INDEX] = 4096;
	} else if (s.call == STORE) {
		s.f[INDEX] = below(&g->random, 4);
		s.f[ARG] = below(&g->random, 3);
	}
	return s;
}

/* What only that kind has; or an operation. */
static struct step kind_step(struct generator *g, int place)
{
	static const enum call numbers[] = { DONE, TOKEN, UNLOCK, CONSISTENT, SIGNAL, CANCEL };
	bool second = chance(&g->random, 50);

	switch (g->places[place].kind) {
	case KCHAN_KIND_CHAN:
		return message_step(g, place);
	case KCHAN_KIND_WAITGROUP:
	case KCHAN_KIND_SEMAPHORE:
		if (second)
			return number_step(g, chance(&g->random, 60) ? DONE : TOKEN, place);
		break;
	case KCHAN_KIND_TOKEN:
		return number_step(g, DONE, place);
	case KCHAN_KIND_MUTEX:
	case KCHAN_KIND_RWMUTEX:
		if (second)
			return number_step(g, chance(&g->random, 70) ? UNLOCK : CONSISTENT, place);
		break;
	case KCHAN_KIND_ONCE:
		if (second)
			return number_step(g, chance(&g->random, 70) ? UNLOCK : DONE, place);
		break;
	case KCHAN_KIND_COND:
		if (second)
			return number_step(g, SIGNAL, place);
		break;
	case KCHAN_KIND_TIMER:
		if (second)
			return timer_step(g, place);
		break;
	case KCHAN_KIND_CELLS:
		if (second)
			return chance(&g->random, 20) ? number_step(g, SIGNAL, place) :
							map_step(g, place);
		break;
	case KCHAN_KIND_CANCEL:
		if (chance(&g->random, 15))
			return number_step(g, CANCEL, place);
		break;
	default:
		return number_step(g, pick(&g->random, numbers), place);
	}
	return wait_step(g, place);
}

static bool may_wait(enum call call)
{
	return call == SEND || call == RECV || call == SEND_BATCH || call == RECV_BATCH ||
	       call == CALL || call == WAIT;
}

/* Calls that this kind may not know, and those that all know. */
static struct step stray_step(struct generator *g)
{
	static const enum call calls[] = {
		SEND, RECV, WRITE, READ, SEND_BATCH, RECV_BATCH, CALL, CLOSE_CHAN, CLOSE_WITH,
		WAIT, DONE, TOKEN, UNLOCK, CONSISTENT, SIGNAL, CANCEL, TIMER, WATCH, STAT, STAT,
		FEATURES, MAP, UNKNOWN,
	};
	struct step s = new_step(pick(&g->random, calls));

	s.f[ON] = used_place(g);
	if (s.call == FEATURES)
		s.f[ON] = below(&g->random, 3);
	s.f[TO] = s.f[ON];
	if (s.call == TOKEN)
		s.f[TO] = free_place(g);
	s.f[ANSWER] = s.call == CALL ? used_place(g) : 0;
	s.f[FLAGS] = may_wait(s.call) ? KCHAN_NONBLOCK : 0;
	s.f[OP] = s.call == WAIT ? 1 + below(&g->random, 10) : 0;
	s.f[VALUE] = below(&g->random, 3);
	s.f[CMD] = s.call == UNKNOWN ? 0xc700 + 0x37 + below(&g->random, 100) : 0;
	if ((s.call == STAT || s.call == FEATURES) && chance(&g->random, 50))
		s.f[SIZE] = 30 + below(&g->random, 80);
	return s;
}

/* ---- select ---- */

static struct step case_step(struct generator *g)
{
	struct step s = new_step(CASE);

	set_op(g, &s, chance(&g->random, 5) ? any_place(g) : used_place(g));
	if (s.f[OP] == KCHAN_OP_COND && chance(&g->random, 95)) {
		s.f[OP] = KCHAN_OP_CANCELLED;
		s.f[LOCK] = 0;
		s.f[ON] = place_of(g, KCHAN_KIND_CANCEL);
	}
	s.f[MEM] = some_memory(g, 20);
	if (chance(&g->random, 8))
		s.f[REPEAT] = below(&g->random, chance(&g->random, 30) ? 600 : 12);
	return s;
}

static struct step select_head(struct generator *g)
{
	struct step s = new_step(SELECT);

	not_for_long(g, &s);
	if (chance(&g->random, 50))
		s.f[FLAGS] |= KCHAN_IN_ORDER;
	if (chance(&g->random, 15))
		s.f[FLAGS] |= KCHAN_READY;
	if (chance(&g->random, 3))
		s.f[FULL] = 1;
	if (chance(&g->random, 30))
		s.f[ON] = used_place(g);
	if (chance(&g->random, 8))
		s.f[CASE_SIZE] = sizeof(struct kchan_case) + 8;
	if (chance(&g->random, g->bad_input / 3))
		s.f[CASES_AT] = below(&g->random, NR_MEMORY);
	if (chance(&g->random, 1))
		s.f[NR] = pick(&g->random, ((__u64[]){ 1025, 1ull << 31 }));
	return s;
}

/* A wait for a cond, beside what may end it. */
static void cond_cases(struct generator *g, struct trace *t, struct step *head, unsigned int n)
{
	struct step s = new_step(CASE);

	head->f[FLAGS] |= KCHAN_IN_ORDER;
	head->f[FLAGS] &= ~KCHAN_READY;
	set_op(g, &s, place_of(g, KCHAN_KIND_COND));
	t->steps[t->nr++] = s;
	while (n--) {
		s = new_step(CASE);
		s.f[OP] = KCHAN_OP_CANCELLED;
		s.f[ON] = place_of(g, KCHAN_KIND_CANCEL);
		t->steps[t->nr++] = s;
	}
}

static void select_steps(struct generator *g, struct trace *t)
{
	unsigned int n = below(&g->random, chance(&g->random, 10) ? 13 : 5);
	struct step *head = &t->steps[t->nr++];

	*head = select_head(g);
	if (chance(&g->random, 8)) {
		cond_cases(g, t, head, n > 4 ? 4 : n);
	} else {
		while (n--)
			t->steps[t->nr++] = case_step(g);
	}
	if (chance(&g->random, g->bad_input))
		spoil(g, &t->steps[t->nr - 1]);
}

/* ---- peers ---- */

static struct step peer_step(struct generator *g)
{
	static const __u32 kinds[] = {
		KCHAN_KIND_CHAN, KCHAN_KIND_CHAN, KCHAN_KIND_CHAN, KCHAN_KIND_WAITGROUP,
		KCHAN_KIND_SEMAPHORE, KCHAN_KIND_MUTEX, KCHAN_KIND_RWMUTEX, KCHAN_KIND_RWMUTEX,
		KCHAN_KIND_ONCE, KCHAN_KIND_COND, KCHAN_KIND_TIMER, KCHAN_KIND_CANCEL,
	};
	struct step s = new_step(chance(&g->random, 80) ? PARK : UNPARK);

	s.f[PEER] = below(&g->random, PEERS);
	if (s.call == UNPARK)
		return s;
	set_op(g, &s, place_of(g, pick(&g->random, kinds)));
	if (s.f[ANCILLARY] != RIGHT) {
		s.f[ANCILLARY] = s.f[CASES_AT] = GOOD;
		s.f[NR] = s.f[CASE_SIZE] = s.f[BAD] = RIGHT;
	}
	if (chance(&g->random, 10))
		set_deadline(g, &s, false);
	return s;
}

/* ---- all of them ---- */

static struct step any_step(struct generator *g)
{
	unsigned int dice = below(&g->random, 100);

	if (count_used(g) < 3 || (dice < 8 && count_used(g) < PLACES - FIRST_PLACE - 2))
		return create_step(g);
	if (dice < 22)
		return handle_step(g);
	if (dice < 27)
		return stray_step(g);
	if (dice < 35)
		return peer_step(g);
	if (dice < 39)
		return watch_step(g, used_place(g));
	return kind_step(g, used_place(g));
}

bool generate(struct generator *g, struct trace *t)
{
	struct step s;

	if (t->nr + 16 > MAX_STEPS)
		return false;
	if (count_used(g) >= 3 && chance(&g->random, 14)) {
		select_steps(g, t);
		return true;
	}
	if (chance(&g->random, 4)) {
		exchange_steps(g, t);
		return true;
	}
	if (chance(&g->random, 2)) {
		departure_steps(g, t);
		return true;
	}
	s = any_step(g);
	if (chance(&g->random, g->bad_input))
		spoil(g, &s);
	if (chance(&g->random, 1))
		s.f[CHILD] = 1;
	if (chance(&g->random, 2) && (s.call == CREATE || s.call == CREATE_CHAN ||
				      s.call == RESTRICT || s.call == TOKEN))
		s.f[FULL] = 1;
	else
		believe(g, &s);
	t->steps[t->nr++] = s;
	return true;
}
