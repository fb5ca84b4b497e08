// SPDX-License-Identifier: GPL-2.0-only
/* libchan in the hands of C++: RAII, std::thread, a class as an element. */
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <libchan.h>

struct Number {
	int value;
	int get() const { return value; }
};

CHAN_TYPE(numbers, Number);

namespace {

struct Drop {
	void operator()(chan *c) const { chan_drop(c); }
};

using Handle = std::unique_ptr<chan, Drop>;

Handle owned(numbers n)
{
	if (!n.chan)
		throw std::runtime_error(chan_strerror(errno));
	return Handle(n.chan);
}

numbers borrowed(const Handle &handle)
{
	return numbers{handle.get()};
}

void count_to(int n, Handle out)
{
	for (Number i = {1}; i.value <= n; i.value++)
		if (numbers_send(borrowed(out), &i))
			throw std::runtime_error(chan_strerror(errno));
}

int sum(const Handle &in)
{
	Number n;
	int total = 0;

	chan_range(in.get(), &n)
		total += n.get();
	return errno ? -errno : total;
}

} // namespace

extern "C" int cpp_sum_by_threads(int senders, int each)
{
	Handle both = owned(numbers_make(3));
	Handle in = owned(numbers_restrict(borrowed(both), CHAN_RECV));
	std::vector<std::thread> threads;

	for (int i = 0; i < senders; i++)
		threads.emplace_back(count_to, each,
				     owned(numbers_restrict(borrowed(both), CHAN_SEND)));
	both.reset();
	int total = sum(in);
	for (auto &thread : threads)
		thread.join();
	return total;
}

extern "C" int cpp_sum_by_process(int each)
{
	Handle both = owned(numbers_make(0));
	Handle in = owned(numbers_restrict(borrowed(both), CHAN_RECV));
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		count_to(each, std::move(both));
		_exit(0);
	}
	both.reset();
	int total = sum(in);
	return waitpid(pid, &status, 0) == pid && !status ? total : -1;
}
