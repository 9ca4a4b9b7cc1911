//! Who runs the independent parts of a build.

/// Runs tasks, perhaps on several threads. What they compute never depends on how they are spread.
pub trait Executor {
    /// How many tasks are worth making at a time.
    fn workers(&self) -> usize;

    /// Calls `work` once for every task, and returns when all are done.
    fn run<T: Send>(&self, tasks: &mut [T], work: impl Fn(&mut T) + Send + Sync);
}

/// Runs one task after the other on the caller's thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serial;

impl Executor for Serial {
    fn workers(&self) -> usize {
        1
    }

    fn run<T: Send>(&self, tasks: &mut [T], work: impl Fn(&mut T) + Send + Sync) {
        tasks.iter_mut().for_each(work);
    }
}
