// SPDX-License-Identifier: GPL-2.0-only
/* What handles of all kinds have in common. */
#include "kselftest_harness.h"
#include "chan_util.h"

#define OBJECT(handle) ((struct chan_object *)(handle))

static struct chan_object *new_token(void)
{
	struct chan_wg *wg = must_have(chan_wg_make(0));
	struct chan_token *token = must_have(chan_wg_token(wg));

	chan_wg_drop(wg);
	return OBJECT(token);
}

#define MAKER(kind, call)						\
static struct chan_object *new_##kind(void)				\
{									\
	return OBJECT(must_have(call));					\
}

MAKER(channel, chan_make(8, 3))
MAKER(wg, chan_wg_make(7))
MAKER(sem, chan_sem_make(5))
MAKER(mutex, chan_mutex_make())
MAKER(rwmutex, chan_rwmutex_make())
MAKER(once, chan_once_make())
MAKER(cond, chan_cond_make())
MAKER(timer, chan_timer_make())
MAKER(cells, chan_cells_make(9))
MAKER(cancel, chan_cancel_make())

FIXTURE(kinds)
{
	struct chan_object *o;
	unsigned int rights;
};

FIXTURE_VARIANT(kinds)
{
	struct chan_object *(*make)(void);
	enum chan_kind kind;
	uint64_t limit, count;
};

FIXTURE_VARIANT_ADD(kinds, channel) { new_channel, CHAN_KIND_CHAN, 3, 0 };
FIXTURE_VARIANT_ADD(kinds, wg) { new_wg, CHAN_KIND_WAITGROUP, 7, 0 };
FIXTURE_VARIANT_ADD(kinds, sem) { new_sem, CHAN_KIND_SEMAPHORE, 5, 0 };
FIXTURE_VARIANT_ADD(kinds, token) { new_token, CHAN_KIND_TOKEN, 0, 1 };
FIXTURE_VARIANT_ADD(kinds, mutex) { new_mutex, CHAN_KIND_MUTEX, 0, 0 };
FIXTURE_VARIANT_ADD(kinds, rwmutex) { new_rwmutex, CHAN_KIND_RWMUTEX, 0, 0 };
FIXTURE_VARIANT_ADD(kinds, once) { new_once, CHAN_KIND_ONCE, 0, 0 };
FIXTURE_VARIANT_ADD(kinds, cond) { new_cond, CHAN_KIND_COND, 0, 0 };
FIXTURE_VARIANT_ADD(kinds, timer) { new_timer, CHAN_KIND_TIMER, 0, 0 };
FIXTURE_VARIANT_ADD(kinds, cells) { new_cells, CHAN_KIND_CELLS, 9, 0 };
FIXTURE_VARIANT_ADD(kinds, cancel) { new_cancel, CHAN_KIND_CANCEL, 0, 0 };

FIXTURE_SETUP(kinds)
{
	self->o = variant->make();
	self->rights = state_of(self->o).rights;
}

FIXTURE_TEARDOWN(kinds)
{
	chan_object_drop(self->o);
}

TEST_F(kinds, says_what_it_is)
{
	struct chan_object_stat stat = state_of(self->o), zero = { 0 };

	EXPECT_EQ(variant->kind, stat.kind);
	EXPECT_NE(0, stat.id);
	EXPECT_EQ(0, stat.rights & ~(CHAN_SEND | CHAN_RECV));
	EXPECT_EQ(variant->limit, stat.limit);
	EXPECT_EQ(variant->count, stat.count);
	EXPECT_EQ(0, stat.value);
	EXPECT_EQ(0, stat.state);
	EXPECT_EQ(0, stat.waiting_senders);
	EXPECT_EQ(0, stat.waiting_receivers);
	EXPECT_EQ(0, memcmp(stat.reserved, zero.reserved, sizeof(zero.reserved)));
	EXPECT_EQ(-EFAULT, err(chan_object_stat(self->o, NULL)));
}

TEST_F(kinds, close_on_exec_from_birth)
{
	EXPECT_EQ(FD_CLOEXEC, fcntl(chan_object_fd(self->o), F_GETFD));
}

TEST_F(kinds, drop_closes_and_keeps_errno)
{
	struct chan_object *o = variant->make();
	int fd = chan_object_fd(o);

	EXPECT_TRUE(is_open(fd));
	errno = EDOM;
	chan_object_drop(o);
	EXPECT_EQ(EDOM, errno);
	EXPECT_FALSE(is_open(fd));
}

TEST_F(kinds, fd_comes_and_goes)
{
	struct chan_object_stat before = state_of(self->o);
	int fd = chan_object_into_fd(self->o);

	ASSERT_TRUE(is_open(fd));
	self->o = chan_object_from_fd(fd, variant->kind);
	ASSERT_NE(NULL, self->o);
	EXPECT_EQ(fd, chan_object_fd(self->o));
	EXPECT_TRUE(same_state(before, self->o));
}

TEST_F(kinds, is_of_no_other_kind)
{
	int fd = chan_object_fd(self->o);

	for (int kind = 0; kind <= CHAN_KIND_CANCEL + 1; kind++) {
		if (kind == (int)variant->kind)
			continue;
		EXPECT_EQ(-EBADF, err_handle(chan_object_from_fd(fd, kind)));
		EXPECT_TRUE(is_open(fd));
	}
	EXPECT_EQ(-EBADF, err_handle(chan_object_from_fd(-1, variant->kind)));
	EXPECT_EQ(-EBADF, err_handle(chan_object_from_fd(0, variant->kind)));
}

TEST_F(kinds, rights_only_shrink)
{
	for (unsigned int rights = CHAN_SEND; rights <= CHAN_RECV; rights++) {
		struct chan_object *less;

		if (rights & ~self->rights) {
			EXPECT_EQ(-EBADF, err_handle(chan_object_restrict(self->o, rights)));
			continue;
		}
		less = chan_object_restrict(self->o, rights);
		ASSERT_NE(NULL, less);
		EXPECT_EQ(rights, state_of(less).rights);
		EXPECT_EQ(state_of(self->o).id, state_of(less).id);
		EXPECT_EQ(FD_CLOEXEC, fcntl(chan_object_fd(less), F_GETFD));
		EXPECT_EQ(-EBADF, err_handle(chan_object_restrict(less, rights ^ 3)));
		EXPECT_EQ(-EBADF, err_handle(chan_object_restrict(less, 3)));
		EXPECT_EQ(0, err_handle(chan_object_restrict(less, rights)));
		chan_object_drop(less);
	}
	EXPECT_EQ(-EINVAL, err_handle(chan_object_restrict(self->o, 0)));
	EXPECT_EQ(-EINVAL, err_handle(chan_object_restrict(self->o, self->rights | 4)));
}

struct other {
	struct chan_object *o;
	uint64_t id;
	int sock;
	enum chan_kind kind;
};

static int child_has_it(void *arg)
{
	struct other *other = arg;

	CHECK(state_of(other->o).id == other->id);
	chan_object_drop(other->o);
	return 0;
}

TEST_F(kinds, child_inherits_it)
{
	struct other other = { .o = self->o, .id = state_of(self->o).id };

	EXPECT_EQ(0, task_join(task_start(PROCESS, child_has_it, &other)));
	EXPECT_EQ(other.id, state_of(self->o).id);
}

static int take_from_socket(void *arg)
{
	struct other *other = arg;
	struct chan_object *o = chan_object_from_fd(take_fd(other->sock), other->kind);

	CHECK(o);
	CHECK(state_of(o).kind == other->kind);
	chan_object_drop(o);
	return 0;
}

TEST_F(kinds, passes_through_a_socket)
{
	struct other other = { .kind = variant->kind };
	struct chan_object *o;
	struct task *child;
	int socks[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	other.sock = socks[1];
	child = task_start(PROCESS, take_from_socket, &other);
	/* Made after the fork: the child can have it from the socket alone. */
	o = variant->make();
	pass_fd(socks[0], chan_object_fd(o));
	EXPECT_EQ(0, task_join(child));
	chan_object_drop(o);
}

/* Without a file number no object comes of it, and nothing stays behind. */
TEST_F(kinds, no_file_number_left)
{
	struct rlimit few = { .rlim_max = 4096 };

	few.rlim_cur = chan_object_fd(self->o) + 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	while (dup(0) >= 0)
		;
	EXPECT_EQ(-EMFILE, err_handle(chan_object_restrict(self->o, self->rights)));
}

/* ---- the typed calls ---- */

#define TYPED(kind, call)						\
TEST(typed_##kind)							\
{									\
	struct chan_##kind *handle = must_have(call), *same, *again;	\
	struct chan_object_stat stat;					\
	int fd = chan_##kind##_fd(handle);				\
									\
	ASSERT_TRUE(is_open(fd));					\
	ASSERT_EQ(0, chan_##kind##_stat(handle, &stat));		\
	same = chan_##kind##_restrict(handle, stat.rights);		\
	ASSERT_NE(NULL, same);						\
	EXPECT_EQ(stat.id, state_of(same).id);				\
	EXPECT_EQ(fd, chan_##kind##_into_fd(handle));			\
	again = chan_##kind##_from_fd(fd);				\
	ASSERT_NE(NULL, again);						\
	EXPECT_EQ(stat.id, state_of(again).id);				\
	chan_##kind##_drop(again);					\
	EXPECT_FALSE(is_open(fd));					\
	chan_##kind##_drop(same);					\
	chan_##kind##_drop(NULL);					\
	EXPECT_EQ(-EBADF, err(chan_##kind##_fd(NULL)));			\
	EXPECT_EQ(-EBADF, err(chan_##kind##_into_fd(NULL)));		\
	EXPECT_EQ(-EBADF, err(chan_##kind##_stat(NULL, &stat)));	\
	EXPECT_EQ(-EBADF, err(chan_##kind##_watch(NULL, NULL, 1, 0)));	\
	EXPECT_EQ(-EBADF, err_handle(chan_##kind##_restrict(NULL, 1)));	\
	EXPECT_EQ(-EBADF, err_handle(chan_##kind##_from_fd(-1)));	\
}

TYPED(wg, chan_wg_make(0))
TYPED(token, (struct chan_token *)new_token())
TYPED(sem, chan_sem_make(1))
TYPED(mutex, chan_mutex_make())
TYPED(rwmutex, chan_rwmutex_make())
TYPED(cond, chan_cond_make())
TYPED(once, chan_once_make())
TYPED(timer, chan_timer_make())
TYPED(cells, chan_cells_make(1))
TYPED(cancel, chan_cancel_make())

/* ---- NULL, to every call that needs no more than a handle ---- */

TEST(null_handle)
{
	struct chan_mutex *m = must_have(chan_mutex_make());
	struct chan_cond *cond = must_have(chan_cond_make());
	uint64_t value = 0x5a5a5a5a;

	EXPECT_EQ(-EBADF, err(chan_wg_done(NULL)));
	EXPECT_EQ(-EBADF, err(chan_wg_done_n(NULL, 1)));
	EXPECT_EQ(-EBADF, err(chan_wg_count(NULL)));
	EXPECT_EQ(-EBADF, err(chan_wg_abandoned(NULL)));
	EXPECT_EQ(-EBADF, err_handle(chan_wg_token(NULL)));
	EXPECT_EQ(-EBADF, err_handle(chan_wg_into_token(NULL, 1)));
	EXPECT_EQ(-EBADF, err_handle(chan_sem_into_token(NULL, 1)));
	EXPECT_EQ(-EBADF, err(chan_token_done(NULL)));
	EXPECT_EQ(-EBADF, err(chan_sem_release(NULL, 1)));
	EXPECT_EQ(-EBADF, err(chan_mutex_unlock(NULL)));
	EXPECT_EQ(-EBADF, err(chan_mutex_consistent(NULL)));
	EXPECT_EQ(-EBADF, err(chan_rwmutex_unlock(NULL)));
	EXPECT_EQ(-EBADF, err(chan_rwmutex_runlock(NULL)));
	EXPECT_EQ(-EBADF, err(chan_rwmutex_consistent(NULL)));
	EXPECT_EQ(-EBADF, err(chan_cond_wait(NULL, m)));
	EXPECT_EQ(-EBADF, err(chan_cond_wait(cond, NULL)));
	EXPECT_EQ(-EBADF, err(chan_cond_signal(NULL)));
	EXPECT_EQ(-EBADF, err(chan_cond_broadcast(NULL)));
	EXPECT_EQ(-EBADF, err(chan_once_do(NULL, NULL, NULL)));
	EXPECT_EQ(-EBADF, err(chan_once_done(NULL)));
	EXPECT_EQ(-EBADF, err(chan_once_leave(NULL)));
	EXPECT_EQ(-EBADF, err(chan_timer_set(NULL, 1)));
	EXPECT_EQ(-EBADF, err(chan_timer_set_clock(NULL, CLOCK_MONOTONIC, 1, 0)));
	EXPECT_EQ(-EBADF, err(chan_timer_set_clock(NULL, -1, 1, 0)));
	EXPECT_EQ(-EBADF, err(chan_timer_stop(NULL)));
	EXPECT_EQ(0, chan_cells_count(NULL));
	EXPECT_EQ(-EBADF, err(chan_cells_store(NULL, 0, 1)));
	EXPECT_EQ(-EBADF, err(chan_cells_cas(NULL, 0, &value, 1)));
	EXPECT_EQ(-EBADF, err_handle(chan_cancel_child(NULL)));
	EXPECT_EQ(-EBADF, err_handle(chan_cancel_child_until(NULL, INT64_MAX)));
	EXPECT_EQ(-EBADF, err(chan_cancel(NULL, 0)));
	EXPECT_EQ(-EBADF, err(chan_cancel_cause(NULL)));
	EXPECT_EQ(0x5a5a5a5a, value);
	chan_mutex_drop(m);
	chan_cond_drop(cond);
}

TEST_HARNESS_MAIN
