// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* A child process counts to three; its parent reads along until the end. */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <libchan.h>

CHAN_TYPE(numbers, int);

static void count(numbers out)
{
	for (int i = 1; i <= 3; i++)
		if (numbers_send(out, &i))
			errx(1, "cannot send %d: %s", i, chan_strerror(errno));
}

int main(void)
{
	numbers both = numbers_make(0), in;
	int i;

	if (!both.chan)
		errx(1, "cannot make a channel: %s", chan_strerror(errno));
	switch (fork()) {
	case -1:
		err(1, "cannot start a process");
	case 0:
		count(both);
		return 0;
	}

	/* Keep no handle that can send: then the child's exit is the end. */
	in = numbers_restrict(both, CHAN_RECV);
	if (!in.chan)
		errx(1, "cannot make a handle: %s", chan_strerror(errno));
	numbers_drop(both);

	while (numbers_next(in, &i))
		printf("%d\n", i);
	if (errno)
		errx(1, "cannot receive: %s", chan_strerror(errno));
	numbers_drop(in);
	return 0;
}
