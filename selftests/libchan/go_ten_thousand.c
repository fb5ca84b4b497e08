// SPDX-License-Identifier: GPL-2.0-only
/* Ten thousand functions at once (fewer where that takes too long), each in a thread, blocked. */
#include "kselftest_harness.h"
#include "go_util.h"

#define MANY FEWER(10000)

static const char threads_max[] = "/proc/sys/kernel/threads-max";

static long read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long n;

	must(f && fscanf(f, "%ld", &n) == 1);
	fclose(f);
	return n;
}

static bool write_number(const char *path, long n)
{
	FILE *f = fopen(path, "w");
	bool written = f && fprintf(f, "%ld\n", n) > 0;

	return f && !fclose(f) && written;
}

static void wait_at_channel(void *gate)
{
	must(chan_recv(gate, NULL) == 0);
}

static void wait_at_wg(void *gate)
{
	must(!chan_wg_wait(gate));
}

FIXTURE(crowd)
{
	struct chan *gate;
	struct chan_wg *gate_wg, *wg;
	long threads_max;
};

/* A machine with little memory allows fewer, until it is told to allow so many. */
FIXTURE_SETUP(crowd)
{
	self->gate = must_make(0, 0);
	self->gate_wg = must_make_wg(0);
	self->wg = must_make_wg(0);
	must(!chan_wg_add(self->gate_wg, 1));
	self->threads_max = read_number(threads_max);
	if (self->threads_max < MANY + 1000 && !write_number(threads_max, MANY + 1000))
		SKIP(return, "threads-max is too small, and not ours to raise");
}

FIXTURE_TEARDOWN(crowd)
{
	write_number(threads_max, self->threads_max);
	chan_drop(self->gate);
	chan_wg_drop(self->gate_wg);
	chan_wg_drop(self->wg);
}

/* Half of them at a channel, half at a wait group. */
TEST_F_TIMEOUT(crowd, ten_thousand_at_once, 280)
{
	for (int i = 0; i < MANY / 2; i++) {
		ASSERT_EQ(0, err(chan_go(self->wg, wait_at_channel, self->gate)));
		ASSERT_EQ(0, err(chan_go(self->wg, wait_at_wg, self->gate_wg)));
	}
	wait_blocked(self->gate, 0, MANY / 2);
	wait_blocked_on_wg(self->gate_wg, 0, MANY / 2);
	EXPECT_EQ(MANY, chan_wg_count(self->wg));
	EXPECT_EQ(MANY + 1, count_threads());
	EXPECT_EQ(0, err(chan_close(self->gate)));
	EXPECT_EQ(0, err(chan_wg_done(self->gate_wg)));
	EXPECT_EQ(0, err(chan_wg_wait(self->wg)));
}

TEST_HARNESS_MAIN
