//! The threads of a bulk build and of a batch of searches.

use std::thread::available_parallelism;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use vex_graph::Executor;

/// A pool of its own, so that an index neither waits for other users of a global pool nor takes their threads.
pub(crate) struct Threads(ThreadPool);

impl Threads {
    /// A pool of `threads`, or of one for each core.
    pub(crate) fn new(threads: Option<usize>) -> Result<Self, (usize, ThreadPoolBuildError)> {
        let threads = Self::count(threads);
        let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|index| format!("vex-{index}"));
        Ok(Self(pool.build().map_err(|error| (threads, error))?))
    }

    /// How many threads a pool gets.
    pub(crate) fn count(threads: Option<usize>) -> usize {
        threads.unwrap_or_else(|| available_parallelism().map_or(1, usize::from)).max(1)
    }

    /// Runs `work` so that what it does in parallel happens on these threads.
    pub(crate) fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.0.install(work)
    }
}

impl Executor for Threads {
    fn workers(&self) -> usize {
        self.0.current_num_threads()
    }

    fn run<T: Send>(&self, tasks: &mut [T], work: impl Fn(&mut T) + Send + Sync) {
        // A batch of one task, as in the first steps of a build, is not worth waking another thread for.
        match tasks {
            [task] => work(task),
            tasks => self.0.install(|| tasks.par_iter_mut().with_max_len(1).for_each(work)),
        }
    }
}
