// SPDX-License-Identifier: GPL-2.0-only
/* Every way to call libchan wrongly has its errno, and changes nothing. */
#include "kselftest_harness.h"
#include "chan_util.h"

#define UNTOUCHED 0x5a5a5a5a

TEST(null_handle)
{
	const int64_t later = chan_after(CHAN_SECOND);
	struct chan_stat stat;
	int value = UNTOUCHED;

	EXPECT_EQ(-EBADF, err(chan_send(NULL, &value)));
	EXPECT_EQ(-EBADF, err(chan_try_send(NULL, &value)));
	EXPECT_EQ(-EBADF, err(chan_send_until(NULL, &value, later)));
	EXPECT_EQ(-EBADF, err(chan_send_clock(NULL, &value, CLOCK_REALTIME, later)));
	EXPECT_EQ(-EBADF, err(chan_send_clock(NULL, &value, -1, later)));
	EXPECT_EQ(-EBADF, err(chan_recv(NULL, &value)));
	EXPECT_EQ(-EBADF, err(chan_try_recv(NULL, &value)));
	EXPECT_EQ(-EBADF, err(chan_recv_until(NULL, &value, later)));
	EXPECT_EQ(-EBADF, err(chan_recv_clock(NULL, &value, CLOCK_REALTIME, later)));
	EXPECT_EQ(-EBADF, err(chan_recv_clock(NULL, &value, -1, later)));
	EXPECT_EQ(-EBADF, err(chan_send_many(NULL, &value, 1)));
	EXPECT_EQ(-EBADF, err(chan_send_many(NULL, NULL, 0)));
	EXPECT_EQ(-EBADF, err(chan_try_send_vec(NULL, NULL, 1)));
	EXPECT_EQ(-EBADF, err(chan_recv_many(NULL, &value, 1, 1)));
	EXPECT_EQ(-EBADF, err(chan_recv_vec(NULL, NULL, 2, 1)));
	EXPECT_EQ(-EBADF, err(chan_try_recv_many(NULL, &value, 1)));
	EXPECT_EQ(-EBADF, err(chan_send_cargo(NULL, &value, NULL)));
	EXPECT_EQ(-EBADF, err(chan_try_recv_cargo(NULL, &value, NULL)));
	EXPECT_EQ(-EBADF, err(chan_close(NULL)));
	EXPECT_EQ(-EBADF, err(chan_close_cause(NULL, EIO)));
	EXPECT_EQ(-EBADF, err(chan_cause(NULL)));
	EXPECT_EQ(-EBADF, err(chan_watch(NULL, NULL, CHAN_SEND, 0)));
	EXPECT_EQ(-EBADF, err(chan_len(NULL)));
	EXPECT_EQ(-EBADF, err(chan_stat(NULL, &stat)));
	EXPECT_EQ(-EBADF, err(chan_stat(NULL, NULL)));
	EXPECT_EQ(-EBADF, err(chan_fd(NULL)));
	EXPECT_EQ(-EBADF, err(chan_into_fd(NULL)));
	EXPECT_EQ(-EBADF, err_handle(chan_restrict(NULL, CHAN_SEND)));
	EXPECT_EQ(UNTOUCHED, value);

	errno = 0;
	EXPECT_EQ(0, chan_next(NULL, &value));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(0, chan_cap(NULL));
	EXPECT_EQ(0, chan_elem_size(NULL));
	chan_drop(NULL);
}

TEST(null_value)
{
	struct chan *c = must_make(sizeof(int), 1);
	struct chan_stat before = stat_of(c);

	EXPECT_EQ(-EFAULT, err(chan_send(c, NULL)));
	EXPECT_EQ(-EFAULT, err(chan_try_send(c, NULL)));
	EXPECT_EQ(-EFAULT, err(chan_recv(c, NULL)));
	EXPECT_EQ(-EFAULT, err(chan_try_recv(c, NULL)));
	EXPECT_EQ(-EFAULT, err(chan_send_many(c, NULL, 1)));
	EXPECT_EQ(-EFAULT, err(chan_send_vec(c, NULL, 1)));
	EXPECT_EQ(-EFAULT, err(chan_recv_many(c, NULL, 1, 1)));
	EXPECT_EQ(-EFAULT, err(chan_try_recv_vec(c, NULL, 1)));
	EXPECT_EQ(-EFAULT, err(chan_stat(c, NULL)));
	errno = 0;
	EXPECT_EQ(0, chan_next(c, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_TRUE(unchanged(before, c));
	chan_drop(c);
}

TEST(bad_address)
{
	void *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct chan *c = must_make(sizeof(int), 1);
	int value = 7;

	EXPECT_EQ(-EFAULT, err(chan_send(c, nowhere)));
	EXPECT_EQ(0, chan_len(c));
	EXPECT_EQ(0, err(chan_send(c, &value)));
	EXPECT_EQ(-EFAULT, err(chan_recv(c, nowhere)));
	errno = 0;
	EXPECT_EQ(0, chan_next(c, nowhere));
	EXPECT_EQ(EFAULT, errno);
	value = UNTOUCHED;
	EXPECT_EQ(1, err(chan_recv(c, &value)));
	EXPECT_EQ(7, value);
	chan_drop(c);
}

TEST(impossible_channel)
{
	EXPECT_EQ(-EINVAL, err_handle(chan_make(CHAN_ELEM_MAX + 1, 0)));
	EXPECT_EQ(-EINVAL, err_handle(chan_make(0x100000004, 0)));
	EXPECT_EQ(-EINVAL, err_handle(chan_make(SIZE_MAX, 0)));
	EXPECT_EQ(-EINVAL, err_handle(chan_make(1, CHAN_CAP_MAX + 1)));
	EXPECT_EQ(-EINVAL, err_handle(chan_make(0, SIZE_MAX)));
	EXPECT_EQ(-ENOMEM, err_handle(chan_make(CHAN_ELEM_MAX, CHAN_CAP_MAX)));
}

TEST(impossible_policy)
{
	const enum chan_policy unknown = CHAN_LATEST + 1;

	EXPECT_EQ(-EINVAL, err_handle(chan_make_policy(4, 1, unknown)));
	EXPECT_EQ(-EINVAL, err_handle(chan_make_policy(4, 0, CHAN_DROP_NEWEST)));
	EXPECT_EQ(-EINVAL, err_handle(chan_make_policy(4, 0, CHAN_DROP_OLDEST)));
	EXPECT_EQ(-EINVAL, err_handle(chan_make_policy(0, 0, CHAN_LATEST)));
	EXPECT_EQ(-EINVAL, err_handle(chan_make_policy(CHAN_ELEM_MAX + 1, 1, CHAN_LATEST)));
	EXPECT_EQ(0, err_handle(chan_make_policy(4, 0, CHAN_BLOCK)));
}

TEST(impossible_options)
{
	struct chan_options reserved = { .elem_size = 4, .reserved = { 0, 0, 0, 1 } };

	EXPECT_EQ(-EFAULT, err_handle(chan_make_with(NULL)));
	EXPECT_EQ(-EINVAL, err_handle(chan_make_with(&reserved)));
	reserved.reserved[3] = 0;
	EXPECT_EQ(0, err_handle(chan_make_with(&reserved)));
#define WITH(...) err_handle(chan_make_with(&(struct chan_options){ __VA_ARGS__ }))
	EXPECT_EQ(-EINVAL, WITH(.elem_size = CHAN_ELEM_MAX + 1));
	EXPECT_EQ(-EINVAL, WITH(.elem_size = SIZE_MAX, .handles = 1));
	EXPECT_EQ(-EINVAL, WITH(.capacity = CHAN_CAP_MAX + 1));
	EXPECT_EQ(-EINVAL, WITH(.capacity = 1, .policy = CHAN_LATEST + 1));
	EXPECT_EQ(-EINVAL, WITH(.stamped = 2));
	EXPECT_EQ(-EINVAL, WITH(.handles = CHAN_HANDLES_MAX + 1));
	EXPECT_EQ(-EINVAL, WITH(.handles = 1, .depth = CHAN_DEPTH_MAX + 1));
	EXPECT_EQ(-EINVAL, WITH(.depth = 1));
	EXPECT_EQ(-EINVAL, WITH(.capacity = 2, .handles = 1, .policy = CHAN_LATEST));
	EXPECT_EQ(0, WITH(.capacity = 1, .handles = 1, .policy = CHAN_LATEST));
	EXPECT_EQ(0, WITH(.handles = CHAN_HANDLES_MAX, .depth = CHAN_DEPTH_MAX, .stamped = 1));
#undef WITH
}

/* Nothing is moved, where there are elements to receive and room for others. */
TEST(impossible_number)
{
	struct chan *c = must_make(sizeof(int), 2);
	int values[2] = { 1, 2 };
	const void *const from[] = { &values[0] };
	void *const to[] = { &values[0] };
	struct chan_stat before;

	must(!chan_send(c, values));
	before = stat_of(c);
	EXPECT_EQ(-EINVAL, err(chan_send_many(c, values, 0)));
	EXPECT_EQ(-EINVAL, err(chan_try_send_vec(c, from, 0)));
	EXPECT_EQ(-EINVAL, err(chan_send_many(c, values, (size_t)CHAN_MANY_MAX + 1)));
	EXPECT_EQ(-EINVAL, err(chan_send_many(c, values, SIZE_MAX)));
	EXPECT_EQ(-EINVAL, err(chan_recv_many(c, values, 0, 0)));
	EXPECT_EQ(-EINVAL, err(chan_recv_many(c, values, 2, 1)));
	EXPECT_EQ(-EINVAL, err(chan_recv_vec(c, to, 2, 1)));
	EXPECT_EQ(-EINVAL, err(chan_recv_many(c, values, SIZE_MAX, SIZE_MAX)));
	EXPECT_EQ(-EINVAL, err(chan_try_recv_many(c, values, (size_t)CHAN_MANY_MAX + 1)));
	EXPECT_TRUE(unchanged(before, c));
	chan_drop(c);
}

TEST(largest_channels)
{
	EXPECT_EQ(0, err_handle(chan_make(CHAN_ELEM_MAX, 0)));
	EXPECT_EQ(0, err_handle(chan_make(0, CHAN_CAP_MAX)));
}

TEST(missing_right)
{
	struct chan *c = must_make(sizeof(int), 1);
	struct chan *sender = must_restrict(c, CHAN_SEND);
	struct chan *receiver = must_restrict(c, CHAN_RECV);
	struct chan_stat before = stat_of(c);
	int value = UNTOUCHED;

	EXPECT_EQ(-EBADF, err(chan_send(receiver, &value)));
	EXPECT_EQ(-EBADF, err(chan_try_send(receiver, &value)));
	EXPECT_EQ(-EBADF, err(chan_send_until(receiver, &value, 0)));
	EXPECT_EQ(-EBADF, err(chan_close(receiver)));
	EXPECT_EQ(-EBADF, err(chan_recv(sender, &value)));
	EXPECT_EQ(-EBADF, err(chan_try_recv(sender, &value)));
	EXPECT_EQ(-EBADF, err(chan_recv_until(sender, &value, 0)));
	EXPECT_EQ(-EBADF, err(chan_send_many(receiver, &value, 1)));
	EXPECT_EQ(-EBADF, err(chan_try_recv_many(sender, &value, 1)));
	errno = 0;
	EXPECT_EQ(0, chan_next(sender, &value));
	EXPECT_EQ(EBADF, errno);

	EXPECT_EQ(-EBADF, err_handle(chan_restrict(sender, CHAN_RECV)));
	EXPECT_EQ(-EBADF, err_handle(chan_restrict(sender, CHAN_SEND | CHAN_RECV)));
	EXPECT_EQ(-EBADF, err_handle(chan_restrict(receiver, CHAN_SEND)));
	EXPECT_EQ(-EINVAL, err_handle(chan_restrict(c, 0)));
	EXPECT_EQ(-EINVAL, err_handle(chan_restrict(c, CHAN_SEND | 4)));
	EXPECT_EQ(UNTOUCHED, value);
	EXPECT_TRUE(unchanged(before, c));
	chan_drop(c);
	chan_drop(sender);
	chan_drop(receiver);
}

TEST(closed_channel)
{
	struct chan *c = must_make(sizeof(int), 2);
	int value = 1;

	EXPECT_EQ(0, err(chan_send(c, &value)));
	EXPECT_EQ(0, err(chan_close(c)));
	EXPECT_EQ(-EALREADY, err(chan_close(c)));
	EXPECT_EQ(-EPIPE, err(chan_send(c, &value)));
	EXPECT_EQ(-EPIPE, err(chan_try_send(c, &value)));
	EXPECT_EQ(-EPIPE, err(chan_send_until(c, &value, INT64_MAX)));
	EXPECT_EQ(1, chan_len(c));
	EXPECT_EQ(1, stat_of(c).closed);
	chan_drop(c);
}

TEST(senseless_time)
{
	struct chan *c = must_make(sizeof(int), 1);
	struct chan_stat before = stat_of(c);
	int value = UNTOUCHED;

	EXPECT_EQ(-EINVAL, err(chan_send_until(c, &value, -1)));
	EXPECT_EQ(-EINVAL, err(chan_recv_until(c, &value, INT64_MIN)));
	EXPECT_EQ(-EINVAL, err(chan_send_clock(c, &value, CLOCK_MONOTONIC, -1)));
	EXPECT_EQ(-EINVAL, err(chan_send_clock(c, &value, CLOCK_PROCESS_CPUTIME_ID, 0)));
	EXPECT_EQ(-EINVAL, err(chan_recv_clock(c, &value, CLOCK_TAI, 0)));
	EXPECT_EQ(-EINVAL, err(chan_recv_clock(c, &value, -1, 0)));
	EXPECT_EQ(UNTOUCHED, value);
	EXPECT_TRUE(unchanged(before, c));
	chan_drop(c);
}

/* A file that is no channel stays the caller's, and open. */
TEST(not_a_channel)
{
	int pipes[2], files[6];

	ASSERT_EQ(0, pipe(pipes));
	files[0] = pipes[0];
	files[1] = pipes[1];
	files[2] = open("/dev/kchan", O_RDWR);
	files[3] = open("/dev/null", O_RDWR);
	files[4] = socket(AF_UNIX, SOCK_STREAM, 0);
	files[5] = chan_mutex_into_fd(must_have(chan_mutex_make()));
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		ASSERT_GE(files[i], 0);
		EXPECT_EQ(-EBADF, err_handle(chan_from_fd(files[i])));
		EXPECT_EQ(-EBADF, err_handle(chan_from_fd_sized(files[i], 4)));
		EXPECT_TRUE(is_open(files[i]));
		close(files[i]);
		EXPECT_EQ(-EBADF, err_handle(chan_from_fd(files[i])));
	}
	EXPECT_EQ(-EBADF, err_handle(chan_from_fd(-1)));
	EXPECT_EQ(-EBADF, err_handle(chan_from_fd(INT_MAX)));
}

/* Takes every file number that this process may have. */
static void take_all_fds(rlim_t limit)
{
	struct rlimit few = { limit, limit };

	must(!setrlimit(RLIMIT_NOFILE, &few));
	while (dup(0) >= 0)
		;
	must(errno == EMFILE);
}

TEST(no_file_number_left)
{
	struct chan *c = must_make(1, 1);
	struct chan_stat before = stat_of(c);

	take_all_fds(chan_fd(c) + 2);
	EXPECT_EQ(-EMFILE, err_handle(chan_make(1, 1)));
	EXPECT_EQ(-EMFILE, err_handle(chan_restrict(c, CHAN_SEND)));
	EXPECT_EQ(-EMFILE, err_handle(chan_mutex_make()));
	EXPECT_EQ(-EMFILE, err_handle(chan_cells_make(1)));

	/* One is enough to open the device, but then there is none for the channel. */
	ASSERT_EQ(0, close(chan_fd(c) + 1));
	EXPECT_EQ(-EMFILE, err_handle(chan_make(1, 1)));
	EXPECT_EQ(-EMFILE, err_handle(chan_cancel_make()));
	EXPECT_FALSE(is_open(chan_fd(c) + 1));
	EXPECT_EQ(0, err_handle(chan_restrict(c, CHAN_SEND)));
	EXPECT_TRUE(unchanged(before, c));
	chan_drop(c);
}

/* As many as a user may own, of any kinds, and then no more. */
static int make_until_quota(size_t allowed)
{
	size_t n = 0;

	become_user(NOBODY);
	while (n <= allowed && (n % 2 ? (void *)chan_mutex_make() : (void *)chan_make(1, 1)))
		n++;
	return n == allowed && errno == EDQUOT ? 0 : 1;
}

TEST(quota)
{
	FILE *setting = fopen("/sys/module/kchan/parameters/max_user_objects", "r+");
	unsigned int allowed;
	int status = -1;

	ASSERT_NE(NULL, setting);
	ASSERT_EQ(1, fscanf(setting, "%u", &allowed));
	rewind(setting);
	fprintf(setting, "%d", 7);
	ASSERT_EQ(0, fflush(setting));
	if (!fork())
		_exit(make_until_quota(7));
	wait(&status);
	rewind(setting);
	fprintf(setting, "%u", allowed);
	fclose(setting);
	EXPECT_EQ(0, status);
}

TEST(failures_leave_no_file_open)
{
	struct chan *c = must_make(sizeof(int), 1);
	int next = dup(0);

	close(next);
	err_handle(chan_make(CHAN_ELEM_MAX + 1, 0));
	err_handle(chan_make(1, CHAN_CAP_MAX + 1));
	err_handle(chan_make(CHAN_ELEM_MAX, CHAN_CAP_MAX));
	err_handle(chan_restrict(c, 0));
	err_handle(chan_from_fd(0));
	err_handle(chan_wg_make(SIZE_MAX));
	err_handle(chan_cells_make(0));
	err_handle(chan_timer_every(0));
	err_handle(chan_cancel_make_until(-1));
	EXPECT_EQ(next, dup(0));
	chan_drop(c);
}

TEST(words_for_every_errno)
{
	static const int errnums[] = {
		EAGAIN, ETIMEDOUT, EINTR, EPIPE, EALREADY, EBADF, EMSGSIZE, EINVAL, EFAULT,
		EDQUOT, ENOMEM, EMFILE, ENFILE, ENODEV, EACCES, EPROTO, ECANCELED, EOWNERDEAD,
		ENOTRECOVERABLE, EPERM, EOVERFLOW, E2BIG, ELOOP, ETOOMANYREFS,
	};

	for (size_t i = 0; i < ARRAY_LEN(errnums); i++) {
		const char *words = chan_strerror(errnums[i]);

		ASSERT_NE(NULL, words);
		EXPECT_LT(10, strlen(words));
		for (size_t k = 0; k < i; k++)
			EXPECT_STRNE(chan_strerror(errnums[k]), words);
		/* Not a buffer that the next call writes over. */
		EXPECT_EQ(words, chan_strerror(errnums[i]));
	}
	EXPECT_NE(NULL, strstr(chan_strerror(ENODEV), "modprobe kchan"));
	EXPECT_NE(NULL, strstr(chan_strerror(EACCES), "permission"));
	EXPECT_NE(NULL, strstr(chan_strerror(EDQUOT), "max_user_objects"));
	EXPECT_STREQ("No such file or directory", chan_strerror(ENOENT));
	EXPECT_NE(NULL, chan_strerror(-1));
	EXPECT_NE(NULL, chan_strerror(123456));
}

TEST_HARNESS_MAIN
