//! Measures latency and throughput. The benchmarks of other libraries in Rust include this file, so
//! that all are timed alike.
//!
//! ```text
//! each thread:                              this thread:
//!     wait until all threads are started        start them one by one
//!     make a searcher, and warm it up
//!     wait until all threads are warm
//!     until the passes and the time are over:
//!         take the next query of all, and time its answer
//! ```
//!
//! All threads take queries from one counter, so a pass ends for all of them at once.

use std::collections::TryReserveError;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, scope};
use std::time::{Duration, Instant};

/// A measurement has at least this many passes over the queries, and takes at least this time.
const LEAST_PASSES: usize = 3;
const LEAST_TIME: Duration = Duration::from_secs(1);

/// The queries that a thread answers before it is timed, so that its scratch has grown.
const WARM_UP: usize = 16;

/// More bytes than an error takes.
const ROOM_TO_TELL: usize = 16 << 10;

/// The bytes that must be free to start a thread. This is far more than a thread takes. It is also
/// more than an allocator keeps to itself when they are freed (that of glibc at most 32 MiB).
const ROOM_TO_START: usize = 33 << 20;

/// The result of a measurement.
#[derive(Debug)]
pub(crate) struct Timings {
    /// Queries answered in a second of wall time, by all threads together.
    pub(crate) per_second: f64,
    /// The latencies of all answers, sorted.
    latencies: Vec<Duration>,
    /// For each query the median of its latencies, sorted.
    medians: Vec<Duration>,
}

impl Timings {
    /// `answers` has the query and the latency of each answer.
    fn new(per_second: f64, mut answers: Vec<(usize, Duration)>) -> Result<Self, TryReserveError> {
        answers.sort_unstable();
        let of_one = || answers.chunk_by(|(query, _), (next, _)| query == next);
        let mut medians = Vec::new();
        medians.try_reserve_exact(of_one().count())?;
        medians.extend(of_one().map(|answers| nearest_rank(answers, 50).1));
        medians.sort_unstable();
        let mut latencies = Vec::new();
        latencies.try_reserve_exact(answers.len())?;
        latencies.extend(answers.iter().map(|(_, latency)| *latency));
        latencies.sort_unstable();
        Ok(Self { per_second, latencies, medians })
    }

    /// The latency that `percent` of the answers did not exceed (nearest rank).
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        nearest_rank(&self.latencies, percent)
    }

    /// The latency that `percent` of the queries did not exceed in half of their answers.
    /// Occasional interruptions of the process meet another query each time. So they are in
    /// [`percentile`](Self::percentile) and not in this value.
    pub(crate) fn steady_percentile(&self, percent: usize) -> Duration {
        nearest_rank(&self.medians, percent)
    }

    /// The mean latency.
    pub(crate) fn mean(&self) -> Duration {
        self.latencies.iter().sum::<Duration>().div_f64(self.latencies.len() as f64)
    }
}

/// The value that `percent` of `sorted` do not exceed.
fn nearest_rank<T: Copy>(sorted: &[T], percent: usize) -> T {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted[rank.saturating_sub(1)]
}

/// A measurement failed. `E` is the error of a searcher.
#[derive(Debug)]
pub(crate) enum MeasureError<E> {
    /// A searcher failed, or was not made.
    Searcher(E),
    /// Not all threads could be started. Those that were started have ended.
    Threads {
        /// The number of threads that were asked for.
        threads: usize,
        /// The reason.
        error: io::Error,
    },
    /// The latencies did not fit into memory.
    OutOfMemory(TryReserveError),
}

impl<E> From<TryReserveError> for MeasureError<E> {
    fn from(error: TryReserveError) -> Self {
        Self::OutOfMemory(error)
    }
}

impl<E: fmt::Display> fmt::Display for MeasureError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Searcher(error) => error.fmt(f),
            Self::Threads { threads, error } => write!(f, "could not start {threads} threads: {error}"),
            Self::OutOfMemory(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for MeasureError<E> {}

/// Answers the queries 0 to `queries − 1` again and again on `threads` threads, in whole passes.
/// Each query is timed alone. Every thread makes a `searcher` of its own, which answers a query by
/// its number.
///
/// # Errors
/// If a searcher fails or cannot be made, not all threads can be started, or memory runs out. The
/// first such error is returned.
///
/// # Panics
/// If there are no queries or no threads.
pub(crate) fn measure<S: FnMut(usize) -> Result<(), E>, E: Send>(
    queries: usize,
    threads: usize,
    searcher: impl Fn() -> Result<S, E> + Sync,
) -> Result<Timings, MeasureError<E>> {
    assert!(queries > 0 && threads > 0, "something to measure");
    // All threads are started before one of them allocates, and all are warm before one is timed.
    let (all_started, all_warm) = (Gate::new(threads), Gate::new(threads));
    // One counter gives out the queries, so a pass ends for all threads at once.
    let next = AtomicUsize::new(0);
    let end = AtomicUsize::new(usize::MAX);
    let answer_all = |answers: &mut Vec<(usize, Duration)>| -> Result<Option<[Instant; 2]>, MeasureError<E>> {
        if !all_started.pass() {
            return Ok(None);
        }
        let mut answer = searcher().map_err(MeasureError::Searcher)?;
        (0..queries.min(WARM_UP)).try_for_each(&mut answer).map_err(MeasureError::Searcher)?;
        answers.try_reserve(1 << 16)?;
        if !all_warm.pass() {
            return Ok(None);
        }
        let started = Instant::now();
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let query = turn % queries;
            // Only the start of a pass can end the measurement, so passes are whole.
            if query == 0 && turn / queries >= LEAST_PASSES && started.elapsed() >= LEAST_TIME {
                end.fetch_min(turn, Ordering::Relaxed);
            }
            if turn >= end.load(Ordering::Relaxed) {
                return Ok(Some([started, Instant::now()]));
            }
            let asked = Instant::now();
            answer(query).map_err(MeasureError::Searcher)?;
            let latency = asked.elapsed();
            answers.try_reserve(1)?;
            answers.push((query, latency));
        }
    };
    let work = || -> Result<Option<Part>, MeasureError<E>> {
        // A thread that panics drops this, too. Otherwise the others would wait for it.
        let _closed = [CloseAtEnd(&all_started), CloseAtEnd(&all_warm)];
        let mut answers = Vec::new();
        let time = answer_all(&mut answers);
        if time.is_err() {
            end.store(0, Ordering::Relaxed);
        }
        Ok(time?.map(|[started, ended]| Part { answers, started, ended }))
    };
    let mut parts = Vec::new();
    parts.try_reserve_exact(threads)?;
    // Memory for the error that memory ran out, which this thread frees below. The memory that
    // other threads have freed may not come back to it.
    let mut room_to_tell: Vec<u8> = Vec::new();
    room_to_tell.try_reserve_exact(ROOM_TO_TELL)?;
    std::hint::black_box(&room_to_tell);
    scope(|scope| -> Result<(), MeasureError<E>> {
        let mut handles = Vec::new();
        handles.try_reserve_exact(threads - 1)?;
        let mut start = || -> Result<(), io::Error> {
            for started in 1..threads {
                // A thread allocates when it begins, besides its stack. If that fails, the process
                // ends. So this checks that there is memory. No other thread takes it meanwhile:
                // those before have begun and wait.
                let mut room: Vec<u8> = Vec::new();
                room.try_reserve_exact(ROOM_TO_START)?;
                std::hint::black_box(&room);
                drop(room);
                handles.push(Builder::new().spawn_scoped(scope, work)?);
                all_started.wait_for(started);
            }
            Ok(())
        };
        let own = match start() {
            Ok(()) => work(),
            Err(error) => Err(MeasureError::Threads { threads, error }),
        };
        // If not all threads were started, the others are waiting for them.
        all_started.close();
        let others = handles.drain(..).map(|thread| thread.join().expect("a thread that does not panic"));
        for part in std::iter::once(own).chain(others) {
            parts.extend(part?);
        }
        Ok(())
    })?;
    drop(room_to_tell);
    // The wall time is from the first start to the last end.
    let started = parts.iter().map(|part| part.started).min().expect("a thread");
    let ended = parts.iter().map(|part| part.ended).max().expect("a thread");
    let mut answers = Vec::new();
    answers.try_reserve_exact(parts.iter().map(|part| part.answers.len()).sum())?;
    parts.into_iter().for_each(|part| answers.extend(part.answers));
    Ok(Timings::new(answers.len() as f64 / (ended - started).as_secs_f64(), answers)?)
}

/// The work of one thread.
struct Part {
    answers: Vec<(usize, Duration)>,
    started: Instant,
    ended: Instant,
}

/// A place where threads wait until all are ready, or until one of them never will be.
struct Gate {
    threads: usize,
    state: Mutex<Waiting>,
    /// Signals the thread that starts the others.
    came: Condvar,
    /// Signals the threads that wait for all.
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    ready: usize,
    is_closed: bool,
}

impl Gate {
    fn new(threads: usize) -> Self {
        Self { threads, state: Mutex::default(), came: Condvar::new(), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the others. Returns whether all of them came.
    fn pass(&self) -> bool {
        let mut state = self.state();
        state.ready += 1;
        self.came.notify_one();
        // An earlier signal would make each thread wake all others.
        if state.ready == self.threads {
            self.changed.notify_all();
        }
        let waits = |state: &mut Waiting| state.ready < self.threads && !state.is_closed;
        let state = self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        state.ready == self.threads
    }

    /// Waits until `ready` threads are ready, or the gate is closed.
    fn wait_for(&self, ready: usize) {
        let waits = |state: &mut Waiting| state.ready < ready && !state.is_closed;
        drop(self.came.wait_while(self.state(), waits));
    }

    /// Ends all waiting, now and later. If all threads came, they have already passed.
    fn close(&self) {
        self.state().is_closed = true;
        self.came.notify_one();
        self.changed.notify_all();
    }
}

/// Closes a gate when its thread ends, for whatever reason.
struct CloseAtEnd<'g>(&'g Gate);

impl Drop for CloseAtEnd<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let answers = (1..=200).rev().map(|n| (n, Duration::from_micros(n as u64))).collect();
        let timings = Timings::new(0.0, answers).unwrap();
        assert_eq!(timings.percentile(50), Duration::from_micros(100));
        assert_eq!(timings.percentile(99), Duration::from_micros(198));
        assert_eq!(timings.percentile(100), Duration::from_micros(200));
        assert_eq!(timings.mean(), Duration::from_nanos(100_500));
        let one = Timings::new(0.0, vec![(0, Duration::from_micros(7))]).unwrap();
        assert_eq!(one.percentile(1), one.percentile(99));
    }

    #[test]
    fn an_interruption_is_in_the_tail_and_not_in_the_steady_one() {
        let micros = Duration::from_micros;
        let passes = [[10, 20, 900], [700, 20, 30], [10, 800, 30]];
        let answers =
            passes.iter().flat_map(|pass| pass.iter().enumerate().map(|(query, n)| (query, micros(*n))));
        let timings = Timings::new(0.0, answers.collect()).unwrap();
        assert_eq!(timings.percentile(99), micros(900));
        assert_eq!(timings.steady_percentile(99), micros(30));
        assert_eq!(timings.steady_percentile(50), micros(20));
    }

    #[test]
    fn whole_passes_are_measured_on_any_number_of_threads() {
        for threads in [1, 3] {
            let asked: [AtomicUsize; 5] = Default::default();
            let searcher = || {
                Ok::<_, ()>(|query: usize| {
                    asked[query].fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(2));
                    Ok(())
                })
            };
            let timings = measure(asked.len(), threads, searcher).unwrap();
            let times = asked[0].load(Ordering::Relaxed);
            assert!(asked.iter().all(|count| count.load(Ordering::Relaxed) == times));
            assert_eq!(timings.latencies.len() + threads * asked.len(), times * asked.len());
            assert!(times >= LEAST_PASSES + threads);
            assert!(timings.per_second > 0.0);
        }
    }

    #[test]
    fn failure_of_a_query_ends_the_measurement() {
        let searcher = || Ok(|query: usize| if query == 2 { Err(query) } else { Ok(()) });
        assert!(matches!(measure(3, 2, searcher), Err(MeasureError::Searcher(2))));
        let none = || Err::<fn(usize) -> Result<(), usize>, _>(7);
        assert!(matches!(measure(3, 2, none), Err(MeasureError::Searcher(7))));
    }

    /// Only one thread fails. The others are at the gate by then, and must not stay there.
    #[test]
    fn nobody_waits_for_a_thread_that_failed() {
        for threads in [2, 5] {
            let made = AtomicUsize::new(0);
            let searcher = || {
                std::thread::sleep(Duration::from_millis(20));
                let is_last = made.fetch_add(1, Ordering::Relaxed) + 1 == threads;
                if is_last { Err(threads) } else { Ok(|_: usize| Ok(())) }
            };
            assert!(
                matches!(measure(3, threads, searcher), Err(MeasureError::Searcher(found)) if found == threads)
            );
        }
    }

    #[test]
    fn a_closed_gate_lets_nobody_through_and_an_open_one_all() {
        let gate = Gate::new(3);
        let passed = std::thread::scope(|scope| {
            let waiting = [(); 2].map(|()| scope.spawn(|| gate.pass()));
            gate.close();
            waiting.map(|thread| thread.join().unwrap())
        });
        assert_eq!(passed, [false; 2]);

        let gate = Gate::new(3);
        let passed = std::thread::scope(|scope| {
            let waiting = [(); 2].map(|()| scope.spawn(|| gate.pass()));
            let own = gate.pass();
            gate.close();
            waiting.map(|thread| thread.join().unwrap() && own)
        });
        assert_eq!(passed, [true; 2]);
    }
}
