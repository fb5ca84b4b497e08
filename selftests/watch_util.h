/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of KCHAN_WATCH share, beyond cargo_util.h. */
#ifndef WATCH_UTIL_H
#define WATCH_UTIL_H

#include "cargo_util.h"

enum { COOKIE = 0xc001e };

/* A notice, and who let go. */
struct told {
	struct kchan_notice notice;
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

static inline int make_notice_chan(__u64 capacity, __u32 policy, __u32 flags)
{
	return make_carrier(.elem_size = sizeof(struct kchan_notice), .capacity = capacity,
			    .policy = policy, .flags = flags);
}

/* With room for all that a test has to tell, and stamped. */
static inline int make_notices(void)
{
	return make_notice_chan(4096, KCHAN_POLICY_BLOCK, KCHAN_STAMPED);
}

static inline int try_watch(int fd, int to, __u32 rights)
{
	struct kchan_watch arg = {
		.size = sizeof(arg), .fd = to, .rights = rights, .cookie = COOKIE,
	};

	return kchan_call(fd, KCHAN_WATCH, &arg);
}

static inline void watch(int fd, int to, __u32 rights)
{
	errno = -try_watch(fd, to, rights);
	must(!errno);
}

static inline void watch_no_more(int fd)
{
	watch(fd, -1, BOTH_RIGHTS);
}

/* From a channel that is stamped. */
static inline int take_notice(int fd, struct told *told, __u32 flags, __s64 deadline)
{
	struct kchan_ancillary who = with_handles(NULL, 0);
	struct kchan_msg msg = {
		.size = sizeof(msg),
		.flags = flags,
		.buf = (uintptr_t)&told->notice,
		.len = sizeof(told->notice),
		.deadline = deadline,
		.ancillary = (uintptr_t)&who,
	};
	int ret;

	memset(told, 0xa5, sizeof(*told));
	ret = kchan_call(fd, KCHAN_RECV, &msg);
	told->pid = who.pid;
	told->uid = who.uid;
	told->gid = who.gid;
	return ret;
}

static inline int next_notice(int fd, struct told *told)
{
	return take_notice(fd, told, KCHAN_DEADLINE, now() + PATIENCE_NS);
}

/* What there is at this instant; of a channel that is stamped or not. */
static inline int try_notice(int fd, struct kchan_notice *notice)
{
	return chan_try_recv(fd, notice, sizeof(*notice));
}

/*
 * Whoever has closed a number has told by then, and whoever can be waited for with
 * wait(2) has told as well: so that nothing came can be seen at once.
 */
#define EXPECT_SILENCE(fd) do {						\
	struct kchan_notice _none;					\
									\
	EXPECT_EQ(-EAGAIN, try_notice(fd, &_none));			\
} while (0)

#define EXPECT_TOLD(fd, who, what) do {					\
	struct told _told;						\
									\
	EXPECT_EQ(1, next_notice(fd, &_told));				\
	EXPECT_EQ(COOKIE, _told.notice.cookie);				\
	EXPECT_EQ(what, _told.notice.rights);				\
	EXPECT_EQ(0, _told.notice.flags);				\
	EXPECT_EQ(0, _told.notice.status);				\
	EXPECT_EQ(0, _told.notice.reserved);				\
	EXPECT_EQ(who, _told.pid);					\
} while (0)

/* The same of a process that ended so, as wait(2) tells. */
#define EXPECT_TOLD_OF_END(fd, who, what, how) do {			\
	struct told _told;						\
									\
	EXPECT_EQ(1, next_notice(fd, &_told));				\
	EXPECT_EQ(COOKIE, _told.notice.cookie);				\
	EXPECT_EQ(what, _told.notice.rights);				\
	EXPECT_EQ(KCHAN_NOTICE_EXIT, _told.notice.flags);		\
	EXPECT_EQ(how, _told.notice.status);				\
	EXPECT_EQ(who, _told.pid);					\
} while (0)

/* A process that lets go of @fd in that way and then, if it still can, stays. */
enum farewell { CLOSES, CLOSES_RANGE, UNSHARES_RANGE, DUPS_OVER, EXECS, EXITS, IS_KILLED };

struct leaver {
	enum farewell how;
	int fd;
	uid_t uid;	/* becomes that user first */
	int ready, go, left;
};

static inline int close_range_of(int from, int to, unsigned int flags)
{
	return syscall(SYS_close_range, from, to, flags);
}

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#endif

static inline void say_farewell(const struct leaver *l)
{
	switch (l->how) {
	case CLOSES:
		must(!close(l->fd));
		break;
	case CLOSES_RANGE:
		must(!close_range_of(l->fd, l->fd, 0));
		break;
	case UNSHARES_RANGE:
		must(!close_range_of(l->fd, l->fd, CLOSE_RANGE_UNSHARE));
		break;
	case DUPS_OVER:
		must(dup2(0, l->fd) == l->fd);
		break;
	case EXECS:
		exec_sleep();
		break;
	case EXITS:
		_exit(7);
	case IS_KILLED:
		break;
	}
}

static inline int leave_when_told(void *arg)
{
	struct leaver *l = arg;

	if (l->uid)
		become_user(l->uid);
	store(&l->ready, 1);
	wait_until(load(&l->go));
	say_farewell(l);
	store(&l->left, 1);
	pause();
	return 0;
}

static inline struct leaver *new_leaver(enum farewell how, int fd)
{
	struct leaver *l = shared_alloc(sizeof(*l));

	*l = (struct leaver){ .how = how, .fd = fd };
	return l;
}

static inline struct task *start_leaver(struct leaver *l)
{
	struct task *t = task_start(PROCESS, leave_when_told, l);

	wait_until(load(&l->ready));
	return t;
}

static inline void let_leave(struct task *t, struct leaver *l)
{
	store(&l->go, 1);
	if (l->how == IS_KILLED)
		task_kill(t);
}

/* How wait(2) says that it ended; those that stayed are killed. */
static inline int end_leaver(struct task *t, struct leaver *l)
{
	int status;

	if (l->how != EXITS)
		task_kill(t);
	must(waitpid(t->pid, &status, 0) == t->pid);
	munmap(t, sizeof(*t));
	munmap(l, sizeof(*l));
	return status;
}

#endif /* WATCH_UTIL_H */
