/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps as real calls, and what came of them. */
#ifndef EXECUTE_H
#define EXECUTE_H

#include <pthread.h>
#include <linux/kchan.h>

#include "memory.h"
#include "trace.h"

/* What stands in a struct's value before the call. */
#define UNTOUCHED	0xa5a5a5a5a5a5a5a5ull
#define OUT_BYTES	192

/* A thread that waits in a call. */
struct peer {
	pthread_t thread;
	pid_t tid;
	bool busy;
	int over;
	struct step step;
	int fd;
	__u64 arg;
	long ret;
	__u64 value;
	struct piece buffer;
};

/* The handles of one run. */
struct run {
	int fd[PLACES];
	void *map[PLACES];
	size_t map_len[PLACES];
	struct peer peers[PEERS];
};

struct result {
	long ret;		/* or -errno */
	bool struct_touched;	/* beyond its value, or what it gives out */
	__u64 value;
	__u8 out[OUT_BYTES];	/* of KCHAN_STAT and KCHAN_FEATURES */
	unsigned int nr_buffers;
	struct piece buffers[BUFFERS];
};

/* For the calls of peers, too. */
__u64 op_arg(const struct run *run, const struct step *s);
__u32 length_of(const struct run *run, const struct step *s);

void run_begin(struct run *run);
void run_end(struct run *run);
void execute(struct run *run, const struct trace *t, unsigned int i, struct result *r);

/* A deadline that has passed, and not one that never comes. */
bool is_past(__u64 flags, __s64 deadline);

/* Lets a peer park; once it has, the object counts it among those who wait. */
void park_peer(struct run *run, const struct step *s);
/* Ends its wait by signals; those who have ended are waited for.  False: it stays. */
bool unpark_peer(struct peer *p);
bool join_peer(struct peer *p);

/* Calls that may be made by a child: those that leave nothing in our hands. */
bool by_child(const struct step *s);
bool makes_handle(const struct step *s);

#endif /* EXECUTE_H */
