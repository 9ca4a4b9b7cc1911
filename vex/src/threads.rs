//! The threads of a bulk build and of a batch of searches.

use std::thread::{self, JoinHandle, available_parallelism};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use vex_graph::Executor;

/// A pool of its own, so that an index neither waits for other users of a global pool nor takes their threads.
pub(crate) struct Threads {
    /// Before the workers, which end when it is dropped.
    pool: ThreadPool,
    _workers: Workers,
}

/// Threads that are waited for. A pool alone would only tell them to end, and the caller would return while they are about to.
struct Workers(Vec<JoinHandle<()>>);

impl Drop for Workers {
    fn drop(&mut self) {
        // One that panicked has told so where its work was waited for.
        self.0.drain(..).for_each(|worker| drop(worker.join()));
    }
}

impl Threads {
    /// A pool of `threads`, or of one for each core.
    pub(crate) fn new(threads: Option<usize>) -> Result<Self, (usize, ThreadPoolBuildError)> {
        let threads = Self::count(threads);
        let mut workers = Workers(Vec::new());
        let pool = ThreadPoolBuilder::new().num_threads(threads).spawn_handler(|worker| {
            let named = thread::Builder::new().name(format!("vex-{}", worker.index()));
            workers.0.push(named.spawn(|| worker.run())?);
            Ok(())
        });
        let pool = pool.build().map_err(|error| (threads, error))?;
        Ok(Self { pool, _workers: workers })
    }

    /// How many threads a pool gets.
    pub(crate) fn count(threads: Option<usize>) -> usize {
        threads.unwrap_or_else(|| available_parallelism().map_or(1, usize::from)).max(1)
    }

    /// Runs `work` so that what it does in parallel happens on these threads.
    pub(crate) fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }
}

impl Executor for Threads {
    fn workers(&self) -> usize {
        self.pool.current_num_threads()
    }

    fn run<T: Send>(&self, tasks: &mut [T], work: impl Fn(&mut T) + Send + Sync) {
        // A batch of one task, as in the first steps of a build, is not worth waking another thread for.
        match tasks {
            [task] => work(task),
            tasks => self.pool.install(|| tasks.par_iter_mut().with_max_len(1).for_each(work)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::Arc;
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;

    /// Takes its time to end.
    struct Ending(#[expect(dead_code, reason = "it is counted")] Arc<()>);

    impl Drop for Ending {
        fn drop(&mut self) {
            sleep(Duration::from_millis(50));
        }
    }

    thread_local! {
        static ENDING: RefCell<Option<Ending>> = const { RefCell::new(None) };
    }

    #[test]
    fn no_thread_outlives_its_pool() {
        let counted = Arc::new(());
        let threads = Threads::new(Some(3)).unwrap();
        threads.pool.broadcast(|_| ENDING.set(Some(Ending(Arc::clone(&counted)))));
        assert_eq!(Arc::strong_count(&counted), 4);
        drop(threads);
        assert_eq!(Arc::strong_count(&counted), 1);
    }
}
