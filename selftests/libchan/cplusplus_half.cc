// SPDX-License-Identifier: GPL-2.0-only
/* libchan in the hands of C++: RAII, std::thread, a class as an element. */
#include <atomic>
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

/* The first one throws, which leaves it to the second; the third has nothing to do. */
extern "C" int cpp_once_with_exception(void)
{
	static int calls;
	chan_once *once = chan_once_make();
	int caught = 0;

	auto first_throws = [](void *) {
		if (++calls == 1)
			throw std::runtime_error("not yet");
	};
	for (int i = 0; i < 3; i++) {
		try {
			if (chan_once_do(once, first_throws, nullptr))
				return -errno;
		} catch (const std::runtime_error &) {
			caught++;
		}
	}
	chan_once_drop(once);
	return calls * 10 + caught;
}

/* Each thread counts under a mutex; a select waits for all of them, or a minute. */
extern "C" int cpp_mutex_and_select(int threads, int each)
{
	struct chan_mutex *mutex = chan_mutex_make();
	struct chan_wg *wg = chan_wg_make(0);
	struct chan_timer *minute = chan_timer_after(60 * CHAN_SECOND);
	std::vector<std::thread> team;
	std::atomic<int> total(0);

	if (chan_wg_add(wg, threads))
		return -errno;
	for (int i = 0; i < threads; i++)
		team.emplace_back([&] {
			for (int n = 0; n < each; n++) {
				chan_mutex_lock(mutex);
				total.store(total.load() + 1);
				chan_mutex_unlock(mutex);
			}
			chan_wg_done(wg);
		});
	struct chan_case cases[] = { chan_on_tick(minute), chan_on_zero(wg) };
	int chosen = chan_select(cases, CHAN_LENGTH(cases));
	for (auto &thread : team)
		thread.join();
	chan_mutex_drop(mutex);
	chan_wg_drop(wg);
	chan_timer_drop(minute);
	return chosen == 1 ? total.load() : -1;
}
