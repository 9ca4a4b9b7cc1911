//! Latency and throughput. The benchmarks that time other libraries in Rust include this file, so
//! that all are timed alike.

use std::collections::TryReserveError;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, scope};
use std::time::{Duration, Instant};

/// A measurement covers at least this many passes over the queries, and at least this time.
const LEAST_PASSES: usize = 3;
const LEAST_TIME: Duration = Duration::from_secs(1);

/// Queries that a thread answers before it is timed, so that its scratch has grown.
const WARM_UP: usize = 16;

/// Bytes that an error takes, by far.
const ROOM_TO_TELL: usize = 16 << 10;

/// Bytes that must be there to start a thread: far more than it takes, and more than an allocator
/// keeps to itself when they are given back (that of glibc at most 32 MiB).
const ROOM_TO_START: usize = 33 << 20;

/// What came out of a measurement.
#[derive(Debug)]
pub(crate) struct Timings {
    /// Queries answered per second of wall time, by all threads together.
    pub(crate) per_second: f64,
    /// Of every answer, sorted.
    latencies: Vec<Duration>,
    /// Of every query the median over its answers, sorted.
    medians: Vec<Duration>,
}

impl Timings {
    /// `answers`: the query that each is to, and its latency.
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

    /// The latency that `percent` of the queries did not exceed in half of their answers. What
    /// interrupts a process now and then meets another query each time: it is in
    /// [`percentile`](Self::percentile) and not in this.
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

/// A measurement that was not made. `E` is the error of a searcher.
#[derive(Debug)]
pub(crate) enum MeasureError<E> {
    /// A searcher failed, or was not made.
    Searcher(E),
    /// Not all threads could be started. Those that were have ended.
    Threads {
        /// How many were asked for.
        threads: usize,
        /// Why not.
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

/// Answers the queries 0 to `queries − 1` again and again on `threads` threads, in whole passes,
/// each query timed alone. Every thread makes a `searcher` of its own, which answers a query by its
/// number.
///
/// # Errors
/// The first of a searcher, or of making one; if not all threads can be started, or memory runs
/// out.
///
/// # Panics
/// If there are no queries or no threads.
pub(crate) fn measure<S: FnMut(usize) -> Result<(), E>, E: Send>(
    queries: usize,
    threads: usize,
    searcher: impl Fn() -> Result<S, E> + Sync,
) -> Result<Timings, MeasureError<E>> {
    assert!(queries > 0 && threads > 0, "something to measure");
    // All threads are there before one of them takes memory, and all are warm before one is timed.
    let (all_started, all_warm) = (Gate::new(threads), Gate::new(threads));
    // One counter deals out the queries, so that a pass ends for all threads at once.
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
        // Even a thread that panics comes here, or the others would wait for it.
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
    // Room to tell that there is none, which this thread gets back below: what others took and gave
    // back may stay theirs.
    let mut room_to_tell: Vec<u8> = Vec::new();
    room_to_tell.try_reserve_exact(ROOM_TO_TELL)?;
    std::hint::black_box(&room_to_tell);
    scope(|scope| -> Result<(), MeasureError<E>> {
        let mut handles = Vec::new();
        handles.try_reserve_exact(threads - 1)?;
        let mut start = || -> Result<(), io::Error> {
            for started in 1..threads {
                // What a thread takes to begin, beside its stack, ends the process where it is not there. So
                // there is room for it, and nobody else takes that: those before have begun,
                // and wait.
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
        // If not all were started, those that were wait for them.
        all_started.close();
        let others = handles.drain(..).map(|thread| thread.join().expect("a thread that does not panic"));
        for part in std::iter::once(own).chain(others) {
            parts.extend(part?);
        }
        Ok(())
    })?;
    drop(room_to_tell);
    let started = parts.iter().map(|part| part.started).min().expect("a thread");
    let ended = parts.iter().map(|part| part.ended).max().expect("a thread");
    let mut answers = Vec::new();
    answers.try_reserve_exact(parts.iter().map(|part| part.answers.len()).sum())?;
    parts.into_iter().for_each(|part| answers.extend(part.answers));
    Ok(Timings::new(answers.len() as f64 / (ended - started).as_secs_f64(), answers)?)
}

/// What one thread did.
struct Part {
    answers: Vec<(usize, Duration)>,
    started: Instant,
    ended: Instant,
}

/// Where threads wait until all are ready, or until one of them never will be.
struct Gate {
    threads: usize,
    state: Mutex<Waiting>,
    /// Of the one that starts the others.
    came: Condvar,
    /// Of those that wait for all.
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

    /// Waits for the others. Returns whether all came.
    fn pass(&self) -> bool {
        let mut state = self.state();
        state.ready += 1;
        self.came.notify_one();
        // Not before, or each would wake all others.
        if state.ready == self.threads {
            self.changed.notify_all();
        }
        let waits = |state: &mut Waiting| state.ready < self.threads && !state.is_closed;
        let state = self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        state.ready == self.threads
    }

    /// Waits until so many are ready, or the gate is closed.
    fn wait_for(&self, ready: usize) {
        let waits = |state: &mut Waiting| state.ready < ready && !state.is_closed;
        drop(self.came.wait_while(self.state(), waits));
    }

    /// Sends away who waits, and who will come. Whom the gate was opened for has passed it.
    fn close(&self) {
        self.state().is_closed = true;
        self.came.notify_one();
        self.changed.notify_all();
    }
}

/// Closes a gate when a thread ends, however it does.
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

    /// Only one of the threads fails: the others are at the gate by then, and must not stay there.
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
