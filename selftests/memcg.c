// SPDX-License-Identifier: GPL-2.0-only
/* Memory is charged to the cgroup of whoever makes an object, and ends at its limit. */
#include <sys/mount.h>
#include <sys/stat.h>
#include <kselftest_harness.h>
#include "kchan_util.h"

enum { BYTES = 32 << 20, SLACK = 4 << 20 };

FIXTURE(memcg) {
	char root[64];
	char group[128];
	const char *missing;
};

static bool write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return false;
	ret = write(fd, text, strlen(text));
	close(fd);
	return ret > 0;
}

static long long read_number(const char *dir, const char *name)
{
	char path[256];
	long long n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	must(f && fscanf(f, "%lld", &n) == 1);
	fclose(f);
	return n;
}

FIXTURE_SETUP(memcg)
{
	strcpy(self->root, "/tmp/kchan-memcg.XXXXXX");
	if (!mkdtemp(self->root)) {
		strcpy(self->root, "/kchan-memcg.XXXXXX");
		ASSERT_NE(NULL, mkdtemp(self->root));
	}
	snprintf(self->group, sizeof(self->group), "%s/kchan-test-%d", self->root, getpid());
	if (mount("none", self->root, "cgroup2", 0, NULL)) {
		self->missing = "cannot mount cgroup2";
	} else if (!write_file(self->root, "cgroup.subtree_control", "+memory")) {
		self->missing = "no memory controller";
	} else {
		ASSERT_EQ(0, mkdir(self->group, 0700));
	}
}

FIXTURE_TEARDOWN(memcg)
{
	rmdir(self->group);
	umount2(self->root, MNT_DETACH);
	rmdir(self->root);
}

struct member {
	char group[128];
	int ready, go;
	int made;
};

static int make_large(void *arg)
{
	struct member *m = arg;
	int c;

	CHECK(write_file(m->group, "cgroup.procs", "0"));
	store(&m->ready, 1);
	wait_until(load(&m->go) == 1);
	c = make_chan(4096, BYTES / 4096);
	store(&m->ready, 2);
	wait_until(load(&m->go) == 2);
	close(c);
	store(&m->ready, 3);
	wait_until(load(&m->go) == 3);
	return 0;
}

TEST_F(memcg, charged_when_made_and_freed_at_the_end)
{
	struct member *m = shared_alloc(sizeof(*m));
	long long before, during;
	struct task *t;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	strcpy(m->group, self->group);
	t = task_start(PROCESS, make_large, m);
	wait_until(load(&m->ready) == 1);
	before = read_number(self->group, "memory.current");
	store(&m->go, 1);
	wait_until(load(&m->ready) == 2);
	during = read_number(self->group, "memory.current");
	EXPECT_LE(before + BYTES, during);
	EXPECT_GT(before + BYTES + SLACK, during);
	store(&m->go, 2);
	wait_until(load(&m->ready) == 3);
	/* Small change stays in per-cpu stocks. */
	wait_until(read_number(self->group, "memory.current") < before + SLACK);
	store(&m->go, 3);
	EXPECT_EQ(0, task_join(t));
}

/* ---- the limit ---- */

enum { LIMIT = 16 << 20 };

/*
 * One after the other, till there is no memory left: that is an error, or the end of
 * this process, as the kernel's habit is with cgroups.
 */
static int make_until_the_end(void *arg)
{
	static const struct {
		__u32 kind;
		__u64 limit;
	} kinds[] = {
		{ KCHAN_KIND_MUTEX, 0 }, { KCHAN_KIND_CELLS, 4096 }, { KCHAN_KIND_CANCEL, 0 },
		{ KCHAN_KIND_RWMUTEX, 0 }, { KCHAN_KIND_TIMER, 0 },
	};
	struct member *m = arg;
	int dev = open_device(), fd = 0;

	allow_fds(100000);
	CHECK(write_file(m->group, "cgroup.procs", "0"));
	for (int i = 0; fd >= 0; i++) {
		int kind = i % ARRAY_LEN(kinds);

		fd = i % 2 ? try_make_chan(dev, 4096, 64, 0) :
			     try_make_object(dev, kinds[kind].kind, kinds[kind].limit, 0);
		m->made = i;
	}
	CHECK(fd == -ENOMEM);
	return 0;
}

TEST_F(memcg, objects_end_at_the_limit)
{
	struct member *m = shared_alloc(sizeof(*m));
	char limit[32];
	int ret;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	snprintf(limit, sizeof(limit), "%d", LIMIT);
	ASSERT_TRUE(write_file(self->group, "memory.max", limit));
	strcpy(m->group, self->group);
	ret = task_join(task_start(PROCESS, make_until_the_end, m));
	EXPECT_TRUE(ret == 0 || ret == KILLED(SIGKILL)) TH_LOG("%#x", ret);
	/* A quarter of a megabyte for each second one. */
	EXPECT_GE(2 * LIMIT / (4096 * 64), m->made);
	EXPECT_LT(10, m->made);
	/* All of it is free again. */
	wait_until(read_number(self->group, "memory.current") < SLACK);
}

TEST_HARNESS_MAIN
