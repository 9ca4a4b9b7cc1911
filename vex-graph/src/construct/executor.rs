//! Executors: who runs the independent parts of a build. This crate has no threads of its own.

/// Groups of tasks for each worker: a worker with slow tasks leaves groups to the others.
const GROUPS: usize = 4;

/// Runs two pieces of work at the same time, if it has the threads. The results never depend on
/// where the work runs.
///
/// ```
/// use std::thread;
/// use vex_graph::Executor;
///
/// /// Threads of the standard library, started when they are needed.
/// struct Scoped(usize);
///
/// impl Executor for Scoped {
///     fn workers(&self) -> usize {
///         self.0
///     }
///
///     fn join(&self, left: &mut (dyn FnMut() + Send), right: &mut (dyn FnMut() + Send)) {
///         thread::scope(|scope| {
///             scope.spawn(left);
///             right();
///         });
///     }
/// }
///
/// let mut numbers = [1, 2, 3, 4, 5];
/// let executor: &dyn Executor = &Scoped(2);
/// executor.run(&mut numbers, |number| *number *= 10);
/// assert_eq!(numbers, [10, 20, 30, 40, 50]);
/// ```
pub trait Executor: Sync {
    /// How many pieces of work it can run at a time; 0 counts as 1.
    fn workers(&self) -> usize;

    /// Calls both pieces of work, each once, perhaps at the same time. Returns when both have
    /// returned. A piece of work may call `join` again. With one worker `join` is never called.
    fn join(&self, left: &mut (dyn FnMut() + Send), right: &mut (dyn FnMut() + Send));
}

// Methods of the trait object, not of the trait: their callers are compiled once, not for each
// executor.
impl dyn Executor + '_ {
    /// Calls `work` once for every task, and returns when all are done. With one worker the
    /// caller's thread does all, in order. Nothing is allocated here.
    pub fn run<T: Send>(&self, tasks: &mut [T], work: impl Fn(&mut T) + Sync) {
        let groups = match self.workers() {
            0 | 1 => 1,
            workers => workers.saturating_mul(GROUPS),
        };
        self.halve(tasks, &work, groups);
    }

    /// Halves tasks and groups until each part is one group.
    fn halve<T: Send>(&self, tasks: &mut [T], work: &(impl Fn(&mut T) + Sync), groups: usize) {
        if tasks.len() <= 1 || groups <= 1 {
            return tasks.iter_mut().for_each(work);
        }
        let (left, right) = tasks.split_at_mut(tasks.len() / 2);
        let (half, rest) = (groups / 2, groups - groups / 2);
        self.join(&mut || self.halve(left, work, half), &mut || self.halve(right, work, rest));
    }
}

/// Runs one task after the other on the caller's thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serial;

impl Executor for Serial {
    fn workers(&self) -> usize {
        1
    }

    fn join(&self, left: &mut (dyn FnMut() + Send), right: &mut (dyn FnMut() + Send)) {
        left();
        right();
    }
}
