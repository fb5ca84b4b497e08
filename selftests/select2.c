// SPDX-License-Identifier: GPL-2.0-only
/* Go's select2: selects use no memory up, whether they waited or not. */
#include <kselftest_harness.h>
#include "select_util.h"

enum {
	SELECTS = 3000,
	/* A list head for each select; the kernel's own noise is less. */
	MAY_GROW_KB = SELECTS * 16 / 1024,
	/* More than a select keeps on the stack. */
	MANY = 200,
};

FIXTURE(select2) {
	int c;
	int idle;
	__u64 got;
	struct kchan_case cases[MANY];
};

FIXTURE_VARIANT(select2) {
	enum task_kind kind;
	__u32 nr;
	int selects;
};

FIXTURE_VARIANT_ADD(select2, few_threads) { THREAD, 2, SELECTS };
FIXTURE_VARIANT_ADD(select2, few_processes) { PROCESS, 2, SELECTS };
FIXTURE_VARIANT_ADD(select2, many_threads) { THREAD, MANY, SELECTS / 10 };
FIXTURE_VARIANT_ADD(select2, many_processes) { PROCESS, MANY, SELECTS / 10 };

FIXTURE_SETUP(select2)
{
	self->c = make_chan(8, 0);
	self->idle = make_chan(8, 0);
	for (int i = 0; i < MANY; i++)
		self->cases[i] = on_recv64(self->idle, &self->got);
	self->cases[variant->nr / 2] = on_recv64(self->c, &self->got);
}

FIXTURE_TEARDOWN(select2) { }

/* What the kernel holds of memory that it can't give back, in KiB. */
static long slab_kb(void)
{
	char line[128];
	long kb = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	must(f);
	while (kb < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "SUnreclaim: %ld kB", &kb) != 1)
			kb = -1;
	fclose(f);
	must(kb >= 0);
	return kb;
}

struct source {
	int fd;
	int n;
};

static int send_many(void *arg)
{
	struct source *s = arg;

	for (int i = 0; i < s->n; i++)
		CHECK(send64(s->fd, i) == 0);
	return 0;
}

static void receive_many(struct __test_metadata *_metadata, FIXTURE_DATA(select2) *self,
			 const FIXTURE_VARIANT(select2) *variant)
{
	struct source s = { self->c, variant->selects };
	struct task *t = task_start(variant->kind, send_many, &s);

	for (int i = 0; i < variant->selects; i++) {
		struct chosen c = kchan_select(self->cases, variant->nr, 0, 0);

		ASSERT_EQ((int)variant->nr / 2, c.index);
		ASSERT_EQ(i, self->got);
	}
	EXPECT_EQ(0, task_join(t));
}

/* What the kernel does beside comes and goes; what selects leave would stay. */
TEST_F(select2, no_memory_is_used_up)
{
	long before, grown = MAY_GROW_KB;

	/* KASAN keeps what is freed for a while; and kmemleak looks for what is not. */
	if (IS_DEBUGGING)
		SKIP(return, "what a debugging kernel holds says nothing");
	receive_many(_metadata, self, variant);
	for (int i = 0; i < 5 && grown >= MAY_GROW_KB; i++) {
		before = slab_kb();
		receive_many(_metadata, self, variant);
		grown = slab_kb() - before;
		TH_LOG("%d selects: %+ld KiB", variant->selects, grown);
	}
	EXPECT_GT(MAY_GROW_KB, grown);
}

TEST_HARNESS_MAIN
