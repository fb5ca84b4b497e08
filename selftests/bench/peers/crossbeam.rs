// SPDX-License-Identifier: GPL-2.0-only

//! Rust's crossbeam-channel as a peer of the benchmark, see peer.h, with what goes with
//! it: the mutex and the threads of the standard library, crossbeam's wait group.

use crossbeam_channel::{bounded, Receiver, Select, Sender};
use crossbeam_utils::sync::WaitGroup;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

const WARM: usize = 100;

#[derive(Clone)]
struct Job {
    workload: String,
    threads: bool,
    size: usize,
    capacity: usize,
    senders: usize,
    receivers: usize,
    ops: usize,
    batch: usize,
    cases: usize,
    waiters: usize,
}

fn fail(what: &str) -> ! {
    eprintln!("crossbeam: {}", what);
    std::process::exit(1)
}

fn cannot() -> ! {
    std::process::exit(4)
}

impl Job {
    fn parse() -> Job {
        let mut args = std::env::args().skip(1);
        let workload = args.next().unwrap_or_else(|| fail("which workload?"));
        let (senders, receivers, cases, waiters) = (1, 1, 1, 1);
        let (size, capacity, ops, batch, threads) = (64, 1, 1000, 1, false);
        let mut job = Job {
            workload, threads, size, capacity, senders, receivers, ops, batch, cases, waiters,
        };
        for word in args {
            job.set(&word);
        }
        job
    }

    fn set(&mut self, word: &str) {
        let wrong = format!("{}: not of the form key=value", word);
        let (key, value) = word.split_once('=').unwrap_or_else(|| fail(&wrong));
        if key == "tasks" {
            self.threads = value == "threads";
            return;
        }
        let number = value.parse().unwrap_or_else(|_| fail(&wrong));
        let place = match key {
            "size" => &mut self.size,
            "capacity" => &mut self.capacity,
            "senders" => &mut self.senders,
            "receivers" => &mut self.receivers,
            "ops" => &mut self.ops,
            "batch" => &mut self.batch,
            "cases" => &mut self.cases,
            "waiters" => &mut self.waiters,
            _ => fail(&format!("{}: no such key", key)),
        };
        *place = number;
        if number == 0 && key != "size" && key != "capacity" {
            fail("only size and capacity may be 0");
        }
    }
}

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

const MONOTONIC: i32 = 1;
const PROCESS_CPUTIME: i32 = 2;

fn clock(id: i32) -> i64 {
    let mut t = Timespec { seconds: 0, nanoseconds: 0 };
    if unsafe { clock_gettime(id, &mut t) } != 0 {
        fail("clock_gettime");
    }
    t.seconds * 1_000_000_000 + t.nanoseconds
}

#[derive(Default)]
struct Stopwatch {
    wall: i64,
    cpu: i64,
}

impl Stopwatch {
    fn start(&mut self) {
        self.cpu -= clock(PROCESS_CPUTIME);
        self.wall -= clock(MONOTONIC);
    }

    fn stop(&mut self) {
        self.wall += clock(MONOTONIC);
        self.cpu += clock(PROCESS_CPUTIME);
    }

    fn report(&self, ops: usize) {
        println!("{} {} {}", ops, self.wall, self.cpu);
    }
}

/// Does an operation so many times, after a warm-up.
fn measure(ops: usize, mut operation: impl FnMut(usize)) {
    let mut watch = Stopwatch::default();
    (0..WARM).for_each(&mut operation);
    watch.start();
    (0..ops).for_each(&mut operation);
    watch.stop();
    watch.report(ops);
}

const PATTERN: u8 = 0x5a;

/// What goes through a channel is moved there: an array with all its bytes, and what is
/// too large for that in a new box.
trait Message: Clone + Send + 'static {
    fn filled_with(byte: u8) -> Self;
    fn bytes(&self) -> &[u8];
}

impl<const N: usize> Message for [u8; N] {
    fn filled_with(byte: u8) -> Self {
        [byte; N]
    }

    fn bytes(&self) -> &[u8] {
        self
    }
}

impl<const N: usize> Message for Box<[u8; N]> {
    fn filled_with(byte: u8) -> Self {
        Box::new([byte; N])
    }

    fn bytes(&self) -> &[u8] {
        &self[..]
    }
}

fn check_message<M: Message>(m: &M) {
    if m.bytes().iter().any(|&byte| byte != PATTERN) {
        fail("a message arrived with other bytes than it was sent with");
    }
}

fn open<M: Message>(job: &Job) -> (Sender<M>, Receiver<M>) {
    bounded(job.capacity)
}

fn pair<M: Message>(job: &Job) {
    let (sender, receiver) = open::<M>(job);
    let (out, mut last) = (M::filled_with(PATTERN), M::filled_with(0));
    measure(job.ops, |_| {
        sender.send(out.clone()).unwrap();
        last = receiver.recv().unwrap();
    });
    check_message(&last);
}

/// Sends each of the queues a request in its turn, and receives an answer.
fn ask<M: Message>(job: &Job, to: &[Sender<M>], from: &Receiver<M>) {
    let (out, mut last) = (M::filled_with(PATTERN), M::filled_with(0));
    let mut turn = 0;
    measure(job.ops, |_| {
        to[turn].send(out.clone()).unwrap();
        last = from.recv().unwrap();
        turn = if turn + 1 == to.len() { 0 } else { turn + 1 };
    });
    check_message(&last);
}

/// Starts the one that answers.
fn new_pair<M: Message>(job: &Job) -> (Sender<M>, Receiver<M>) {
    let (to, requests) = open::<M>(job);
    let (answers, from) = open::<M>(job);
    thread::spawn(move || requests.iter().for_each(|m| answers.send(m).unwrap()));
    (to, from)
}

fn round_trip<M: Message>(job: &Job) {
    if job.senders == 1 {
        let (to, from) = new_pair::<M>(job);
        return ask(job, &[to], &from);
    }
    let mut tasks: Vec<Box<dyn Fn(usize) + Send>> = Vec::new();
    for _ in 0..job.senders {
        let (to, from) = new_pair::<M>(job);
        tasks.push(Box::new(move |n| {
            let (out, mut last) = (M::filled_with(PATTERN), M::filled_with(0));
            for _ in 0..n {
                to.send(out.clone()).unwrap();
                last = from.recv().unwrap();
            }
            check_message(&last);
        }));
    }
    team(tasks, job.ops);
}

fn receive_some<M: Message>(receiver: &Receiver<M>, n: usize) {
    let mut last = M::filled_with(PATTERN);
    for _ in 0..n {
        last = receiver.recv().unwrap();
    }
    check_message(&last);
}

/// All tasks do a part of a warm-up, and then their part of so many operations.
fn team(tasks: Vec<Box<dyn Fn(usize) + Send>>, ops: usize) {
    let barrier = Arc::new(Barrier::new(tasks.len() + 1));
    for task in tasks {
        let barrier = barrier.clone();
        thread::spawn(move || {
            for n in [WARM, ops] {
                barrier.wait();
                task(n);
                barrier.wait();
            }
        });
    }
    let mut watch = Stopwatch::default();
    barrier.wait();
    barrier.wait();
    watch.start();
    barrier.wait();
    barrier.wait();
    watch.stop();
    watch.report(ops);
}

/// What task i of so many does of n operations.
fn part(n: usize, i: usize, tasks: usize) -> usize {
    n * (i + 1) / tasks - n * i / tasks
}

fn stream<M: Message>(job: &Job) {
    let (sender, receiver) = open::<M>(job);
    let (senders, receivers) = (job.senders, job.receivers);
    let mut tasks: Vec<Box<dyn Fn(usize) + Send>> = Vec::new();
    for i in 0..receivers {
        let receiver = receiver.clone();
        tasks.push(Box::new(move |n| receive_some(&receiver, part(n, i, receivers))));
    }
    for i in 0..senders {
        let sender = sender.clone();
        tasks.push(Box::new(move |n| {
            let out = M::filled_with(PATTERN);
            for _ in 0..part(n, i, senders) {
                sender.send(out.clone()).unwrap();
            }
        }));
    }
    team(tasks, job.ops);
}

fn open_many<M: Message>(job: &Job) -> (Vec<Sender<M>>, Vec<Receiver<M>>) {
    (0..job.cases).map(|_| open::<M>(job)).unzip()
}

fn gather<'a, M: Message>(queues: &'a [Receiver<M>]) -> Select<'a> {
    let mut select = Select::new();
    for queue in queues {
        select.recv(queue);
    }
    select
}

fn select_from<M: Message>(
    select: &mut Select, queues: &[Receiver<M>], expected: usize,
) -> M {
    let chosen = select.select();
    if chosen.index() != expected {
        fail("a select chose a queue that had no message");
    }
    chosen.recv(&queues[expected]).unwrap()
}

fn select_ready<M: Message>(job: &Job) {
    let (senders, queues) = open_many::<M>(job);
    let mut select = gather(&queues);
    let (out, mut last) = (M::filled_with(PATTERN), M::filled_with(0));
    measure(job.ops, |i| {
        let turn = i % queues.len();
        senders[turn].send(out.clone()).unwrap();
        last = select_from(&mut select, &queues, turn);
    });
    check_message(&last);
}

fn select_parked<M: Message>(job: &Job) {
    let (to, queues) = open_many::<M>(job);
    let (answers, from) = open::<M>(job);
    thread::spawn(move || {
        let mut select = gather(&queues);
        for turn in (0..queues.len()).cycle() {
            answers.send(select_from(&mut select, &queues, turn)).unwrap();
        }
    });
    ask(job, &to, &from);
}

/// A channel closes when its last sender is dropped.
fn close<M: Message>(job: &Job) {
    let waiting = Arc::new(AtomicUsize::new(0));
    let closer = thread::current();
    let mut begin = Vec::new();
    for _ in 0..job.waiters {
        let (sender, next) = bounded::<Receiver<M>>(1);
        let (waiting, closer) = (waiting.clone(), closer.clone());
        begin.push(sender);
        thread::spawn(move || {
            for queue in next {
                waiting.fetch_add(1, Ordering::SeqCst);
                if queue.recv().is_ok() {
                    fail("a message that nobody has sent");
                }
                if waiting.fetch_sub(1, Ordering::SeqCst) == 1 {
                    closer.unpark();
                }
            }
        });
    }
    let few = if job.waiters < 10 { WARM } else { 2 };
    let mut watch = Stopwatch::default();
    for i in 0..few + job.ops {
        let (sender, receiver) = open::<M>(job);
        waiting.store(0, Ordering::SeqCst);
        begin.iter().for_each(|b| b.send(receiver.clone()).unwrap());
        while waiting.load(Ordering::SeqCst) < job.waiters {
            thread::yield_now();
        }
        wait_until_parked();
        if i == few {
            watch = Stopwatch::default();
        }
        watch.start();
        drop(sender);
        while waiting.load(Ordering::SeqCst) > 0 {
            thread::park();
        }
        watch.stop();
    }
    watch.report(job.ops);
}

/// All threads sleep but this one.
fn wait_until_parked() {
    let sleeps = |stat: String| stat.rsplit(')').next().map_or(true, |s| s.starts_with(" S"));
    loop {
        let running = std::fs::read_dir("/proc/self/task")
            .unwrap()
            .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("stat")).ok())
            .filter(|stat| !sleeps(stat.clone()))
            .count();
        if running == 1 {
            return;
        }
        thread::sleep(Duration::from_micros(100));
    }
}

fn mutex(job: &Job) {
    let mutex = Arc::new(Mutex::new(0usize));
    let add = |mutex: &Mutex<usize>| *mutex.lock().unwrap() += 1;
    if job.senders == 1 {
        return measure(job.ops, |_| add(&mutex));
    }
    let did = contend(job, &mutex, move |mutex| add(mutex));
    if *mutex.lock().unwrap() != did {
        fail("not as often locked as unlocked");
    }
}

/// Each of `senders` tasks does it with what they share, after a warm-up, for a while;
/// how often that was, with the warm-up.
fn contend<T: Clone + Send + 'static>(
    job: &Job, shared: &T, operation: impl Fn(&T) + Copy + Send + 'static,
) -> usize {
    let stop = Arc::new(AtomicBool::new(false));
    let barrier = Arc::new(Barrier::new(job.senders + 1));
    let tasks: Vec<_> = (0..job.senders)
        .map(|_| {
            let (shared, stop, barrier) = (shared.clone(), stop.clone(), barrier.clone());
            thread::spawn(move || {
                (0..WARM).for_each(|_| operation(&shared));
                barrier.wait();
                barrier.wait();
                let mut did = 0;
                while !stop.load(Ordering::Relaxed) {
                    operation(&shared);
                    did += 1;
                }
                did
            })
        })
        .collect();
    let mut watch = Stopwatch::default();
    barrier.wait();
    watch.start();
    barrier.wait();
    thread::sleep(Duration::from_millis(50));
    stop.store(true, Ordering::Relaxed);
    let did: usize = tasks.into_iter().map(|task| task.join().unwrap()).sum();
    watch.stop();
    watch.report(did);
    did + WARM * job.senders
}

/// To clone it is to add one, to drop the clone is to be done with it.
fn wait_group(job: &Job) {
    if job.senders == 1 {
        return measure(job.ops, |_| {
            let group = WaitGroup::new();
            drop(group.clone());
            group.wait();
        });
    }
    let group = WaitGroup::new();
    contend(job, &group, |group| drop(group.clone()));
    group.wait();
}

fn spawn_join(job: &Job) {
    measure(job.ops, |_| thread::spawn(|| ()).join().unwrap());
}

fn run<M: Message>(job: &Job) {
    let (tasks, work): (usize, fn(&Job)) = match job.workload.as_str() {
        "pair" => (1, pair::<M>),
        "round-trip" => (2, round_trip::<M>),
        "stream" => (2, stream::<M>),
        "select-ready" => (1, select_ready::<M>),
        "select-parked" => (2, select_parked::<M>),
        "close" => (2, close::<M>),
        "mutex" => (job.senders, mutex),
        "wait-group" => (job.senders, wait_group),
        "spawn-join" => (2, spawn_join),
        "call" | "fd-pass" => cannot(),
        _ => fail("no such workload"),
    };
    let alone = matches!(job.workload.as_str(), "pair" | "select-ready");
    if (tasks > 1 && !job.threads) || (alone && job.capacity == 0) || job.batch > 1 {
        cannot();
    }
    work(job);
}

fn main() {
    let job = Job::parse();
    match job.size {
        0 => run::<[u8; 0]>(&job),
        8 => run::<[u8; 8]>(&job),
        64 => run::<[u8; 64]>(&job),
        256 => run::<[u8; 256]>(&job),
        1024 => run::<[u8; 1024]>(&job),
        4096 => run::<[u8; 4096]>(&job),
        65536 => run::<Box<[u8; 65536]>>(&job),
        _ => fail("this is built for messages of 0, 8, 64, 256, 1024, 4096 and 65536 bytes"),
    }
}
