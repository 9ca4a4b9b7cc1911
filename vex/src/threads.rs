//! The threads of bulk builds, batches of searches and verification.

use std::thread::{self, JoinHandle, available_parallelism};

use rayon::{ThreadPool, ThreadPoolBuilder};
use vex_graph::{Executor, Serial};

use crate::ThreadsError;

/// Threads that belong to one operation. So an index neither waits for other users of rayon's
/// global threads, nor takes them. `None` means one thread, the caller's.
///
/// Memory that rayon and the standard library allocate to start threads, and to wake them with
/// work, ends the process if it fails. All other memory of an operation is allocated in a way that
/// can fail. So an operation on one thread never ends the process.
pub(crate) struct Threads(Option<Pool>);

struct Pool {
    /// Declared before the workers, since dropping it ends them.
    pool: ThreadPool,
    _workers: Workers,
}

/// Joins the threads when it is dropped. Rayon alone would signal them to end, and the caller would
/// return before they have ended.
struct Workers(Vec<JoinHandle<()>>);

impl Drop for Workers {
    fn drop(&mut self) {
        // The caller already knows of a worker that panicked, since it waited for the work.
        self.0.drain(..).for_each(|worker| drop(worker.join()));
    }
}

impl Threads {
    /// As many threads as `threads` says, or one for each core.
    pub(crate) fn new(threads: Option<usize>) -> Result<Self, ThreadsError> {
        let threads = match threads {
            Some(0) => return Err(ThreadsError::None),
            threads => Self::count(threads),
        };
        if threads == 1 {
            return Ok(Self(None));
        }
        let mut workers = Workers(Vec::new());
        let pool = ThreadPoolBuilder::new().num_threads(threads).spawn_handler(|worker| {
            let named = thread::Builder::new().name(format!("vex-{}", worker.index()));
            workers.0.push(named.spawn(|| worker.run())?);
            Ok(())
        });
        let pool = pool.build().map_err(|error| ThreadsError::Start { threads, error })?;
        // A worker allocates when it first looks for work. This makes it do so now. Within the
        // operation, a failed allocation must be an error.
        pool.broadcast(|_| ());
        Ok(Self(Some(Pool { pool, _workers: workers })))
    }

    /// The number of threads that `new` would start.
    pub(crate) fn count(threads: Option<usize>) -> usize {
        threads.unwrap_or_else(|| available_parallelism().map_or(1, usize::from)).max(1)
    }
}

impl Executor for Threads {
    fn workers(&self) -> usize {
        self.0.as_ref().map_or(1, |threads| threads.pool.current_num_threads())
    }

    fn join(&self, left: &mut (dyn FnMut() + Send), right: &mut (dyn FnMut() + Send)) {
        match &self.0 {
            None => Serial.join(left, right),
            Some(Pool { pool, .. }) => {
                pool.install(|| rayon::join(left, right));
            }
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

    /// A value that takes time to drop.
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
        threads.0.as_ref().unwrap().pool.broadcast(|_| ENDING.set(Some(Ending(Arc::clone(&counted)))));
        assert_eq!(Arc::strong_count(&counted), 4);
        drop(threads);
        assert_eq!(Arc::strong_count(&counted), 1);
    }

    #[test]
    fn one_thread_is_the_callers() {
        let threads = Threads::new(Some(1)).unwrap();
        assert_eq!(threads.workers(), 1);
        let mut tasks = [None; 3];
        (&threads as &dyn Executor).run(&mut tasks, |task| *task = Some(thread::current().id()));
        assert_eq!(tasks, [Some(thread::current().id()); 3]);
    }
}
