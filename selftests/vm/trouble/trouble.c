// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that misbehaves when it is loaded, in the way that what= says, to see
 * whether scripts/vm notices.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/delay.h>

static char *what = "";
module_param(what, charp, 0400);
MODULE_PARM_DESC(what, "warn, oops, taint, cache, overrun or atomic");

static void oops(void)
{
	*(volatile int *)NULL = 0;
}

/* A cache named as kchan's are, with an object in it, left behind. */
static void leave_cache(void)
{
	struct kmem_cache *cache = kmem_cache_create("kchan_trouble", 64, 0, 0, NULL);

	if (cache)
		kmem_cache_alloc(cache, GFP_KERNEL);
}

/* SLUB tells at the free, and panic_on_warn does not hear it. */
static void overrun(void)
{
	volatile char *object = kmalloc(64, GFP_KERNEL);

	if (!object)
		return;
	object[64] = 1;
	kfree((void *)object);
}

static void schedule_in_atomic(void)
{
	preempt_disable();
	msleep(20);
	preempt_enable();
}

static int __init trouble_init(void)
{
	if (!strcmp(what, "warn"))
		WARN(1, "trouble was asked for\n");
	else if (!strcmp(what, "oops"))
		oops();
	else if (!strcmp(what, "taint"))
		add_taint(TAINT_CPU_OUT_OF_SPEC, LOCKDEP_STILL_OK);
	else if (!strcmp(what, "cache"))
		leave_cache();
	else if (!strcmp(what, "overrun"))
		overrun();
	else if (!strcmp(what, "atomic"))
		schedule_in_atomic();
	else
		return -EINVAL;
	return 0;
}
module_init(trouble_init);

MODULE_DESCRIPTION("Misbehaves on request, to test the test harness");
MODULE_LICENSE("GPL");
