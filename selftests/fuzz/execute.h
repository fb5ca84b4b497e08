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

/* A file number that nobody has. */
#define NOT_OPEN	99999

/* What a message brought with it, or was sent with. */
struct cargo {
	bool there;
	struct kchan_ancillary before;
	struct piece ancillary, handles;
	__s32 numbers[KCHAN_MAX_HANDLES];	/* after the call */
	__s32 pid;
	__u32 uid, gid;
};

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
	struct kchan_ancillary ancillary;
	__s32 numbers[KCHAN_MAX_HANDLES];
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
	pid_t child;		/* that made the call */
	unsigned int nr_buffers;
	struct piece buffers[BUFFERS];
	struct cargo cargo[BUFFERS];	/* beside each of them */
};

/* For the calls of peers, too. */
__u64 op_arg(const struct run *run, const struct step *s);
__u32 length_of(const struct run *run, const struct step *s);

/* How many messages of a batch there is memory for, and which comes @i-th in it. */
__u32 batch_messages(const struct step *s, __u32 len);
__u32 batch_place(const struct step *s, __u32 messages, __u32 i);
/* A call's answer, as a receive. */
struct step answer_of(const struct step *call);

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

/* The number of the handle in that place; the device's for place 0, -1 for none. */
int fd_of(const struct run *run, __u64 place);

/* Returns the address of the struct; 0: there is none. */
__u64 lay_out_cargo(const struct run *run, const struct step *s, bool sends,
		    unsigned int number, struct cargo *c);
void arm_cargo(const struct cargo *c);
/* Looks what has become of it.  False: what is not to be written has been. */
bool disarm_cargo(struct cargo *c);

/* Handles that came go where the step says, if that is free, and nowhere else. */
void keep_numbers(struct run *run, const struct step *s, const __s32 *numbers);
__u32 handles_of(const struct run *run, const struct step *s);
void fill_numbers(const struct run *run, const struct step *s, __s32 *numbers, __u32 nr);

/* Calls that may be made by a child: those that leave nothing in our hands. */
bool by_child(const struct step *s);
bool makes_handle(const struct step *s);

#endif /* EXECUTE_H */
