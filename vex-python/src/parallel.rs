//! Work divided among threads that end with the call.
//!
//! Threads that outlived the call would be gone in a forked process, as `multiprocessing` makes, and
//! the first call there would wait for them forever. To start a thread takes some ten microseconds.
//! So threads are started one by one, and only as long as there is work left for one more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::error::{Failure, Result};

/// How often the caller's thread looks for a Ctrl-C.
pub(crate) const SIGNALS: Duration = Duration::from_millis(100);

/// The threads of a call: as many as the caller says, or one for each core.
pub(crate) fn threads(asked: Option<usize>) -> Result<usize> {
    // The system's answer takes longer than many a batch.
    static CORES: OnceLock<usize> = OnceLock::new();
    match asked {
        Some(0) => Err(vex::ThreadsError::None.into()),
        Some(threads) => Ok(threads),
        None => Ok(*CORES.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))),
    }
}

/// Does the tasks on up to `threads` threads, the caller's among them. Of several tasks that fail,
/// the error is that of the first.
///
/// Python's lock must be released. It is taken for a moment now and then, to look for signals.
pub(crate) fn run<T: Send>(
    tasks: impl Iterator<Item = T> + Send,
    threads: usize,
    work: impl Fn(T) -> Result<()> + Sync,
) -> Result<()> {
    let queue = Mutex::new(tasks.enumerate().peekable());
    let is_over = AtomicBool::new(false);
    let failed: Mutex<Option<(usize, Failure)>> = Mutex::new(None);
    let fail = |at: usize, failure: Failure| {
        is_over.store(true, Ordering::Relaxed);
        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.as_ref().is_none_or(|(first, _)| at < *first) {
            *failed = Some((at, failure));
        }
    };
    // Tasks are taken in their order. So when one fails, all before it are taken, and are done.
    let next = || {
        if is_over.load(Ordering::Relaxed) {
            return None;
        }
        queue.lock().unwrap_or_else(PoisonError::into_inner).next()
    };
    let work_off = || {
        while let Some((at, task)) = next() {
            if let Err(failure) = work(task) {
                fail(at, failure);
            }
        }
    };
    thread::scope(|scope| {
        for worker in 1..threads {
            if queue.lock().unwrap_or_else(PoisonError::into_inner).peek().is_none() {
                break;
            }
            let named = thread::Builder::new().name(format!("vex-{worker}"));
            if let Err(error) = named.spawn_scoped(scope, work_off) {
                fail(0, error.into());
            }
        }
        let mut looked = Instant::now();
        while let Some((at, task)) = next() {
            if let Err(failure) = work(task) {
                fail(at, failure);
            }
            if looked.elapsed() >= SIGNALS {
                if let Err(error) = Python::attach(|py| py.check_signals()) {
                    fail(0, error.into());
                }
                looked = Instant::now();
            }
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), |(_, failure)| Err(failure))
}
