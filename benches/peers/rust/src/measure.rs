//! Latency and throughput, as `vex bench` measures them.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::Result;

/// A measurement covers at least this many passes over the queries, and at least this time.
const LEAST_PASSES: usize = 3;
const LEAST_TIME: Duration = Duration::from_secs(1);

/// Queries that a thread answers before it is timed.
const WARM_UP: usize = 16;

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

    /// The latency that `percent` of the answers did not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        nearest_rank(&self.latencies, percent)
    }

    /// The latency that `percent` of the queries did not exceed in half of their answers.
    pub(crate) fn steady_percentile(&self, percent: usize) -> Duration {
        nearest_rank(&self.medians, percent)
    }

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
/// Every thread asks what `searcher` gave it.
pub(crate) fn measure<S: FnMut(usize) -> Result<()>>(
    queries: usize,
    threads: usize,
    searcher: impl Fn() -> Result<S> + Sync,
) -> Result<Timings> {
    if queries == 0 || threads == 0 {
        return Err("nothing to measure".into());
    }
    let ready = Barrier::new(threads);
    // One counter deals out the queries, so that a pass ends for all threads at once.
    let next = AtomicUsize::new(0);
    let end = AtomicUsize::new(usize::MAX);
    let work = || {
        let warm = searcher().and_then(|mut ask| {
            (0..queries.min(WARM_UP)).try_for_each(&mut ask)?;
            Ok(ask)
        });
        // Even a thread that failed comes here, or the others would wait for it.
        ready.wait();
        let mut ask = warm?;
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
            ask(query)?;
            answers.push((query, asked.elapsed()));
        }
        Ok((answers, started, Instant::now()))
    };
    let results: Vec<Result<_>> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        let others = others.into_iter().map(|thread| thread.join().expect("a thread that does not panic"));
        std::iter::once(own).chain(others).collect()
    });
    let results = results.into_iter().collect::<Result<Vec<_>>>()?;
    let started = results.iter().map(|(_, started, _)| *started).min().expect("a thread");
    let ended = results.iter().map(|(.., ended)| *ended).max().expect("a thread");
    let answers: Vec<_> = results.into_iter().flat_map(|(answers, ..)| answers).collect();
    Ok(Timings::new(answers.len() as f64 / (ended - started).as_secs_f64(), answers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_is_in_the_tail_and_not_in_the_steady_one() {
        let micros = Duration::from_micros;
        let passes = [[10, 20, 900], [700, 20, 30], [10, 800, 30]];
        let answers = passes.iter().flat_map(|pass| pass.iter().enumerate());
        let timings = Timings::new(0.0, answers.map(|(query, time)| (query, micros(*time))).collect());
        assert_eq!(timings.percentile(99), micros(900));
        assert_eq!(timings.percentile(50), micros(30));
        assert_eq!(timings.steady_percentile(99), micros(30));
        assert_eq!(timings.mean(), micros(280));
    }

    #[test]
    fn all_queries_are_answered_equally_often_on_any_number_of_threads() {
        for threads in [1, 3] {
            let asked: [AtomicUsize; 5] = Default::default();
            let searcher = || {
                Ok(|query: usize| {
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
        }
    }

    #[test]
    fn failure_of_a_query_ends_the_measurement() {
        let searcher = || Ok(|query| if query == 2 { Err("two".into()) } else { Ok(()) });
        assert_eq!(measure(3, 2, searcher).err().unwrap().to_string(), "two");
    }
}
