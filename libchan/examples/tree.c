// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A tree of cancels, as contexts in Go: every node is cancelled with its parent, none
 * with its children.  At each leaf sits a worker, a thread or a process, and waits.
 * The nodes named on the command line have a deadline of their own; once all below
 * them have ended, the root is cancelled.
 *
 * For each worker there is a line: its place in the tree, and what ended it.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libchan-go.h>

#define WIDTH_MAX 9
#define DEPTH_MAX 6
#define NODES_MAX 500
#define PATH_LENGTH (2 * DEPTH_MAX)

/* What a worker says at its end. */
struct report {
	int node, cause;
};

CHAN_TYPE(reports, struct report);

struct options {
	int width, depth, processes;
	char **timed; /* paths of the nodes with a deadline */
};

struct node {
	char path[PATH_LENGTH];
	struct chan_cancel *cancel;
	int is_leaf, is_timed; /* the latter by itself, or by one above */
	struct tree *tree;
	pid_t pid;
	int cause; /* of what ended its worker */
};

/* The first node is the root. */
struct tree {
	const struct options *options;
	struct node nodes[NODES_MAX];
	int n;
	struct chan_wg *wg;
	reports reports;
};

static _Noreturn void fail(const char *what)
{
	errx(1, "%s: %s", what, chan_strerror(errno));
}

/* ---- a worker ---- */

static int work(struct node *node, struct chan_cancel *end, reports reports)
{
	struct report report = {
		.node = (int)(node - node->tree->nodes),
		.cause = chan_cancel_wait(end),
	};

	if (report.cause < 0)
		fail("cannot wait");
	if (reports_send(reports, &report))
		fail("cannot report");
	return 0;
}

static void work_in_thread(void *arg)
{
	struct node *node = arg;

	work(node, node->cancel, node->tree->reports);
}

/*
 * Whoever can cancel a node keeps it from being cancelled by the death of all who can; so
 * a child keeps what it needs, and no more: were main killed, all would end.
 */
static int work_in_process(void *arg)
{
	struct node *node = arg;
	struct tree *tree = node->tree;
	struct chan_cancel *end = chan_cancel_restrict(node->cancel, CHAN_RECV);
	reports reports = reports_restrict(tree->reports, CHAN_SEND);

	if (!end || !reports.chan)
		fail("cannot take rights away");
	for (int i = 0; i < tree->n; i++)
		chan_cancel_drop(tree->nodes[i].cancel);
	reports_drop(tree->reports);
	return work(node, end, reports);
}

static void start(struct tree *tree, struct node *leaf)
{
	if (tree->options->processes)
		leaf->pid = chan_go_process(tree->wg, work_in_process, leaf);
	else if (chan_go(tree->wg, work_in_thread, leaf))
		leaf->pid = -1;
	if (leaf->pid < 0)
		fail("cannot start a worker");
}

/* ---- the tree ---- */

static int has_deadline(const struct options *options, const char *path)
{
	for (char **timed = options->timed; *timed; timed++)
		if (!strcmp(*timed, path))
			return 1;
	return 0;
}

/* Everybody who can cancel a node keeps it alive, so main keeps them all to the end. */
static struct node *add_node(struct tree *tree, const struct node *parent, const char *path)
{
	int timed = has_deadline(tree->options, path);
	struct node *node = &tree->nodes[tree->n++];

	snprintf(node->path, sizeof(node->path), "%s", path);
	node->tree = tree;
	node->is_timed = timed || (parent && parent->is_timed);
	if (!parent)
		node->cancel = chan_cancel_make();
	else if (timed)
		node->cancel = chan_cancel_child_until(parent->cancel,
						       chan_after(100 * CHAN_MILLISECOND));
	else
		node->cancel = chan_cancel_child(parent->cancel);
	if (!node->cancel)
		fail("cannot make a node");
	return node;
}

static void grow(struct tree *tree, struct node *node, int depth)
{
	node->is_leaf = !depth;
	for (int i = 1; depth && i <= tree->options->width; i++) {
		char path[PATH_LENGTH + 16];

		snprintf(path, sizeof(path), "%s%s%d", node->path, *node->path ? "." : "", i);
		grow(tree, add_node(tree, node, path), depth - 1);
	}
}

static int count(const struct tree *tree, int timed)
{
	int n = 0;

	for (int i = 0; i < tree->n; i++)
		n += tree->nodes[i].is_leaf && tree->nodes[i].is_timed == timed;
	return n;
}

/* ---- main ---- */

static void receive(struct tree *tree, int n)
{
	struct report report;

	while (n--) {
		if (!reports_next(tree->reports, &report))
			fail("cannot receive a report");
		tree->nodes[report.node].cause = report.cause;
	}
}

static const char *words(int cause)
{
	return cause == ETIMEDOUT ? "deadline" : cause == ECANCELED ? "cancelled" : "?";
}

static void end(struct tree *tree)
{
	if (chan_wg_wait(tree->wg))
		fail("a worker died");
	for (int i = 0; i < tree->n; i++) {
		struct node *node = &tree->nodes[i];

		if (node->is_leaf)
			printf("%s %s\n", node->path, words(node->cause));
		if (node->pid)
			waitpid(node->pid, NULL, 0);
		chan_cancel_drop(node->cancel);
	}
	chan_wg_drop(tree->wg);
	reports_drop(tree->reports);
}

static int run(const struct options *options)
{
	static struct tree tree;
	struct node *root;

	tree.options = options;
	tree.wg = chan_wg_make(0);
	tree.reports = reports_make(0);
	if (!tree.wg || !tree.reports.chan)
		fail("cannot make a tree");
	root = add_node(&tree, NULL, "");
	grow(&tree, root, options->depth);
	for (int i = 0; i < tree.n; i++)
		if (tree.nodes[i].is_leaf)
			start(&tree, &tree.nodes[i]);

	receive(&tree, count(&tree, 1));
	fprintf(stderr, "%d of %d workers ended at a deadline, %d are still there\n",
		count(&tree, 1), count(&tree, 0) + count(&tree, 1), count(&tree, 0));
	if (chan_cancel(root->cancel, 0) < 0)
		fail("cannot cancel");
	receive(&tree, count(&tree, 0));
	end(&tree);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: tree [-p] WIDTH DEPTH [NODE...]\n"
			"Grow a tree of cancels (WIDTH up to %d, DEPTH up to %d, %d nodes), with\n"
			"a thread, or with -p a process, at each leaf; nodes such as 1.2 have\n"
			"a deadline.  Say what ended whom.\n",
		WIDTH_MAX, DEPTH_MAX, NODES_MAX);
	return 2;
}

static int is_too_large(const struct options *options)
{
	int nodes = 1, level = 1;

	for (int i = 0; i < options->depth; i++)
		nodes += level *= options->width;
	return nodes > NODES_MAX;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	int opt;

	while ((opt = getopt(argc, argv, "p")) != -1) {
		if (opt != 'p')
			return usage();
		options.processes = 1;
	}
	if (argc - optind < 2)
		return usage();
	options.width = atoi(argv[optind]);
	options.depth = atoi(argv[optind + 1]);
	options.timed = argv + optind + 2;
	if (options.width < 1 || options.width > WIDTH_MAX || options.depth < 1 ||
	    options.depth > DEPTH_MAX || is_too_large(&options))
		return usage();
	return run(&options);
}
