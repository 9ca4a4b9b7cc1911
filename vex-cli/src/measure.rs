//! Latency and throughput. The benchmarks that time other libraries in Rust include this file, so that all are timed alike.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A measurement covers at least this many passes over the queries, and at least this time.
const LEAST_PASSES: usize = 3;
const LEAST_TIME: Duration = Duration::from_secs(1);

/// Queries that a thread answers before it is timed, so that its scratch has grown.
const WARM_UP: usize = 16;

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
    fn new(per_second: f64, mut answers: Vec<(usize, Duration)>) -> Self {
        answers.sort_unstable();
        let of_one = answers.chunk_by(|(query, _), (next, _)| query == next);
        let mut medians: Vec<_> = of_one.map(|answers| nearest_rank(answers, 50).1).collect();
        medians.sort_unstable();
        let mut latencies: Vec<_> = answers.into_iter().map(|(_, latency)| latency).collect();
        latencies.sort_unstable();
        Self { per_second, latencies, medians }
    }

    /// The latency that `percent` of the answers did not exceed (nearest rank).
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        nearest_rank(&self.latencies, percent)
    }

    /// The latency that `percent` of the queries did not exceed in half of their answers. What interrupts a process now and
    /// then meets another query each time: it is in [`percentile`](Self::percentile) and not in this.
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

/// Answers the queries 0 to `queries − 1` again and again on `threads` threads, in whole passes, each query timed alone.
/// Every thread makes a `searcher` of its own, which answers a query by its number.
///
/// # Errors
/// The first of a searcher, or of making one.
///
/// # Panics
/// If there are no queries or no threads.
pub(crate) fn measure<S: FnMut(usize) -> Result<(), E>, E: Send>(
    queries: usize,
    threads: usize,
    searcher: impl Fn() -> Result<S, E> + Sync,
) -> Result<Timings, E> {
    assert!(queries > 0 && threads > 0, "something to measure");
    let ready = Barrier::new(threads);
    // One counter deals out the queries, so that a pass ends for all threads at once.
    let next = AtomicUsize::new(0);
    let end = AtomicUsize::new(usize::MAX);
    let work = || {
        let warm = searcher().and_then(|mut answer| {
            (0..queries.min(WARM_UP)).try_for_each(&mut answer)?;
            Ok(answer)
        });
        // Even a thread that failed comes here, or the others would wait for it.
        ready.wait();
        let mut answer = warm?;
        let mut answers = Vec::with_capacity(1 << 16);
        let started = Instant::now();
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let query = turn % queries;
            if query == 0 && turn / queries >= LEAST_PASSES && started.elapsed() >= LEAST_TIME {
                end.fetch_min(turn, Ordering::Relaxed);
            }
            if turn >= end.load(Ordering::Relaxed) {
                break;
            }
            let asked = Instant::now();
            answer(query)?;
            answers.push((query, asked.elapsed()));
        }
        Ok((answers, started, Instant::now()))
    };
    let results: Vec<Result<_, E>> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        let others = others.into_iter().map(|thread| thread.join().expect("a thread that does not panic"));
        std::iter::once(own).chain(others).collect()
    });
    let results = results.into_iter().collect::<Result<Vec<_>, E>>()?;
    let started = results.iter().map(|(_, started, _)| *started).min().expect("a thread");
    let ended = results.iter().map(|(.., ended)| *ended).max().expect("a thread");
    let answers: Vec<_> = results.into_iter().flat_map(|(answers, ..)| answers).collect();
    Ok(Timings::new(answers.len() as f64 / (ended - started).as_secs_f64(), answers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let answers = (1..=200).rev().map(|n| (n, Duration::from_micros(n as u64))).collect();
        let timings = Timings::new(0.0, answers);
        assert_eq!(timings.percentile(50), Duration::from_micros(100));
        assert_eq!(timings.percentile(99), Duration::from_micros(198));
        assert_eq!(timings.percentile(100), Duration::from_micros(200));
        assert_eq!(timings.mean(), Duration::from_nanos(100_500));
        let one = Timings::new(0.0, vec![(0, Duration::from_micros(7))]);
        assert_eq!(one.percentile(1), one.percentile(99));
    }

    #[test]
    fn an_interruption_is_in_the_tail_and_not_in_the_steady_one() {
        let micros = Duration::from_micros;
        let passes = [[10, 20, 900], [700, 20, 30], [10, 800, 30]];
        let answers =
            passes.iter().flat_map(|pass| pass.iter().enumerate().map(|(query, n)| (query, micros(*n))));
        let timings = Timings::new(0.0, answers.collect());
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
        assert_eq!(measure(3, 2, searcher).unwrap_err(), 2);
        let none = || Err::<fn(usize) -> Result<(), usize>, _>(7);
        assert_eq!(measure(3, 2, none).unwrap_err(), 7);
    }
}
