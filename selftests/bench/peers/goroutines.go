// SPDX-License-Identifier: GPL-2.0-only

// Go's channels and its package sync as a peer of the benchmark, see peer.h.  As
// goroutines-locked, every task is a goroutine locked to a thread of its own.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const warm = 100

var locked bool

type job struct {
	workload string
	threads  bool
	n        map[string]int
}

func check(ok bool, format string, args ...any) {
	if !ok {
		fmt.Fprintf(os.Stderr, "goroutines: "+format+"\n", args...)
		os.Exit(1)
	}
}

func cannot() { os.Exit(4) }

func parse(args []string) job {
	check(len(args) > 0, "usage: goroutines WORKLOAD [key=value...]")
	j := job{workload: args[0], n: map[string]int{"size": 64, "capacity": 1, "senders": 1,
		"receivers": 1, "ops": 1000, "batch": 1, "cases": 1, "waiters": 1}}
	for _, word := range args[1:] {
		key, value, _ := strings.Cut(word, "=")
		if key == "tasks" {
			check(value == "threads" || value == "processes", "%s: no such tasks", word)
			j.threads = value == "threads"
			continue
		}
		least := 1
		if key == "size" || key == "capacity" {
			least = 0
		}
		number, err := strconv.Atoi(value)
		_, known := j.n[key]
		check(known && err == nil && number >= least, "%s: not understood", word)
		j.n[key] = number
	}
	return j
}

type stopwatch struct{ wall, cpu int64 }

func clock(id uintptr) int64 {
	var t syscall.Timespec
	_, _, e := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&t)), 0)
	check(e == 0, "clock_gettime: %v", e)
	return t.Nano()
}

// CLOCK_PROCESS_CPUTIME_ID and CLOCK_MONOTONIC.
func (w *stopwatch) start() { w.cpu -= clock(2); w.wall -= clock(1) }
func (w *stopwatch) stop()  { w.wall += clock(1); w.cpu += clock(2) }

func (w *stopwatch) report(ops int) { fmt.Println(ops, w.wall, w.cpu) }

// measure does an operation so many times, after a warm-up.
func measure(ops int, do func(n int)) {
	var w stopwatch
	do(warm)
	w.start()
	do(ops)
	w.stop()
	w.report(ops)
}

const pattern = 0x5a

// What is too large for a channel to carry, its users send as a pointer to a new one.
type large [65536]byte

func bytesOf[T any](m *T) []byte {
	if p, ok := any(m).(**large); ok {
		return (*p)[:]
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(m)), unsafe.Sizeof(*m))
}

func newMessage[T any]() (m T) {
	if p, ok := any(&m).(**large); ok {
		*p = new(large)
	}
	for i := range bytesOf(&m) {
		bytesOf(&m)[i] = pattern
	}
	return m
}

func send[T any](queue chan<- T, m *T) {
	if p, ok := any(m).(**large); ok {
		one := **p
		any(queue).(chan<- *large) <- &one
		return
	}
	queue <- *m
}

// checkMessage looks at what a warm-up has left where messages are received.
func checkMessage[T any](m *T) {
	for _, b := range bytesOf(m) {
		check(b == pattern, "a message arrived with other bytes than it was sent with")
	}
}

func task(do func()) {
	go func() {
		if locked {
			runtime.LockOSThread()
		}
		do()
	}()
}

// team starts tasks that share n operations whenever they are told to.
func team(tasks int, do func(n int)) (work func(n int), wait func()) {
	var busy sync.WaitGroup
	begin := make([]chan int, tasks)
	for i := range begin {
		mine := make(chan int)
		begin[i] = mine
		task(func() {
			for n := range mine {
				do(n)
				busy.Done()
			}
		})
	}
	return func(n int) {
		busy.Add(tasks)
		for i := range begin {
			begin[i] <- n*(i+1)/tasks - n*i/tasks
		}
	}, busy.Wait
}

func pair[T any](j job) {
	out, in := newMessage[T](), newMessage[T]()
	queue := make(chan T, j.n["capacity"])
	measure(j.n["ops"], func(n int) {
		for i := 0; i < n; i++ {
			send(queue, &out)
			in = <-queue
		}
	})
	checkMessage(&in)
}

// asking sends, so often as it is told, each of the queues a request in its turn, and
// receives an answer.
func asking[T any](queues []chan T, answers <-chan T) func(n int) {
	out, in := newMessage[T](), newMessage[T]()
	turn := 0
	return func(n int) {
		for i := 0; i < n; i++ {
			send(queues[turn], &out)
			in = <-answers
			if turn++; turn == len(queues) {
				turn = 0
			}
		}
		checkMessage(&in)
	}
}

// newPair starts the one that answers.
func newPair[T any](j job) (ask func(n int)) {
	requests, answers := make(chan T, j.n["capacity"]), make(chan T, j.n["capacity"])
	task(func() {
		for m := range requests {
			answers <- m
		}
	})
	return asking([]chan T{requests}, answers)
}

func roundTrip[T any](j job) {
	pairs := j.n["senders"]
	if pairs == 1 {
		measure(j.n["ops"], newPair[T](j))
		return
	}
	idle := make(chan func(n int), pairs)
	for i := 0; i < pairs; i++ {
		idle <- newPair[T](j)
	}
	begin, wait := team(pairs, func(n int) {
		ask := <-idle
		ask(n)
		idle <- ask
	})
	measure(j.n["ops"], func(n int) {
		begin(n * pairs)
		wait()
	})
}

func stream[T any](j job) {
	queue := make(chan T, j.n["capacity"])
	sending, sent := team(j.n["senders"], func(n int) {
		out := newMessage[T]()
		for ; n > 0; n-- {
			send(queue, &out)
		}
	})
	receiving, received := team(j.n["receivers"], func(n int) {
		in := newMessage[T]()
		for ; n > 0; n-- {
			in = <-queue
		}
		checkMessage(&in)
	})
	measure(j.n["ops"], func(n int) {
		receiving(n)
		sending(n)
		sent()
		received()
	})
}

// selecting makes queues and a select that receives from them: written out for as many
// as programs write out, and put together at run time for others.
func selecting[T any](j job) (queues []chan T, receive func(m *T) int) {
	q := make([]chan T, j.n["cases"])
	cases := make([]reflect.SelectCase, len(q))
	for i := range q {
		q[i] = make(chan T, j.n["capacity"])
		cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(q[i])}
	}
	switch len(q) {
	case 2:
		return q, func(m *T) int { return select2(q, m) }
	case 8:
		return q, func(m *T) int { return select8(q, m) }
	}
	return q, func(m *T) int {
		i, came, _ := reflect.Select(cases)
		*m = came.Interface().(T)
		return i
	}
}

func select2[T any](q []chan T, m *T) int {
	select {
	case *m = <-q[0]:
		return 0
	case *m = <-q[1]:
		return 1
	}
}

func select8[T any](q []chan T, m *T) int {
	select {
	case *m = <-q[0]:
		return 0
	case *m = <-q[1]:
		return 1
	case *m = <-q[2]:
		return 2
	case *m = <-q[3]:
		return 3
	case *m = <-q[4]:
		return 4
	case *m = <-q[5]:
		return 5
	case *m = <-q[6]:
		return 6
	case *m = <-q[7]:
		return 7
	}
}

func selectReady[T any](j job) {
	out, in := newMessage[T](), newMessage[T]()
	queues, receive := selecting[T](j)
	turn := 0
	measure(j.n["ops"], func(n int) {
		for i := 0; i < n; i++ {
			send(queues[turn], &out)
			check(receive(&in) == turn, "a select chose a queue that had no message")
			if turn++; turn == len(queues) {
				turn = 0
			}
		}
	})
	checkMessage(&in)
}

func selectParked[T any](j job) {
	answers := make(chan T, j.n["capacity"])
	queues, receive := selecting[T](j)
	task(func() {
		var m T
		for turn := 0; ; turn = (turn + 1) % len(queues) {
			check(receive(&m) == turn, "a select chose a queue that had no message")
			answers <- m
		}
	})
	measure(j.n["ops"], asking(queues, answers))
}

// receiving counts the goroutines that are parked in a receive.
func receiving(stacks []byte) int {
	return bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte("[chan receive"))
}

func closing[T any](j job) {
	var w stopwatch
	var waiting int64
	var queue chan T
	stacks := make([]byte, 1<<16+j.n["waiters"]<<10)
	begin, wait := team(j.n["waiters"], func(n int) {
		atomic.AddInt64(&waiting, 1)
		_, open := <-queue
		check(!open, "a message that nobody has sent")
	})
	few := warm
	if j.n["waiters"] >= 10 {
		few = 2
	}
	for i := -few; i < j.n["ops"]; i++ {
		queue, waiting = make(chan T, j.n["capacity"]), 0
		begin(j.n["waiters"])
		for atomic.LoadInt64(&waiting) < int64(j.n["waiters"]) || receiving(stacks) < j.n["waiters"] {
			runtime.Gosched()
		}
		if i == 0 {
			w = stopwatch{}
		}
		w.start()
		close(queue)
		wait()
		w.stop()
	}
	w.report(j.n["ops"])
}

func mutex(j job) {
	var mutex sync.Mutex
	count := 0
	if j.n["senders"] == 1 {
		measure(j.n["ops"], func(n int) {
			for ; n > 0; n-- {
				mutex.Lock()
				count++
				mutex.Unlock()
			}
		})
		return
	}
	did := contend(j, func(n int) (did int) {
		for ; did < n && atomic.LoadUint32(&stop) == 0; did++ {
			mutex.Lock()
			count++
			mutex.Unlock()
		}
		return
	})
	check(count == did, "%d times locked and unlocked, not %d", count, did)
}

var stop uint32

// contend has a team do something for a while, and returns how often that was in all.
func contend(j job, do func(n int) (did int)) int {
	var did, before int64
	var w stopwatch
	begin, wait := team(j.n["senders"], func(n int) { atomic.AddInt64(&did, int64(do(n))) })
	begin(warm * j.n["senders"])
	wait()
	before = did
	w.start()
	begin(1 << 40)
	time.Sleep(50 * time.Millisecond)
	atomic.StoreUint32(&stop, 1)
	wait()
	w.stop()
	w.report(int(did - before))
	return int(did)
}

func waitGroup(j job) {
	var group sync.WaitGroup
	if j.n["senders"] == 1 {
		measure(j.n["ops"], func(n int) {
			for ; n > 0; n-- {
				group.Add(1)
				group.Done()
				group.Wait()
			}
		})
		return
	}
	group.Add(1)
	contend(j, func(n int) (did int) {
		for ; did < n && atomic.LoadUint32(&stop) == 0; did++ {
			group.Add(1)
			group.Done()
		}
		return
	})
	group.Done()
	group.Wait()
}

func spawnJoin(j job) {
	measure(j.n["ops"], func(n int) {
		for ; n > 0; n-- {
			var group sync.WaitGroup
			group.Add(1)
			task(group.Done)
			group.Wait()
		}
	})
}

type workload struct {
	do    func(job)
	tasks int
}

func run[T any](j job) {
	w, known := map[string]workload{
		"pair":          {pair[T], 1},
		"round-trip":    {roundTrip[T], 2},
		"stream":        {stream[T], 2},
		"select-ready":  {selectReady[T], 1},
		"select-parked": {selectParked[T], 2},
		"close":         {closing[T], 2},
		"mutex":         {mutex, j.n["senders"]},
		"wait-group":    {waitGroup, j.n["senders"]},
		"spawn-join":    {spawnJoin, 2},
		"call":          {},
		"fd-pass":       {},
	}[j.workload]
	check(known, "%s: no such workload", j.workload)
	rendezvousAlone := w.tasks == 1 && j.n["capacity"] == 0 && j.n["senders"] == 1
	if w.do == nil || (w.tasks > 1 && !j.threads) || j.n["batch"] > 1 || rendezvousAlone {
		cannot()
	}
	w.do(j)
}

func main() {
	j := parse(os.Args[1:])
	locked = filepath.Base(os.Args[0]) == "goroutines-locked"
	if locked {
		runtime.LockOSThread()
	}
	sizes := map[int]func(job){0: run[[0]byte], 8: run[[8]byte], 64: run[[64]byte],
		256: run[[256]byte], 1024: run[[1024]byte], 4096: run[[4096]byte], 65536: run[*large]}
	do := sizes[j.n["size"]]
	check(do != nil, "this is built for messages of 0, 8, 64, 256, 1024, 4096 and 65536 bytes")
	do(j)
}
