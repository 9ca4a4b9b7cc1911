//! The threads of background maintenance: one seals, and one merges, which may take minutes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use crate::inner::Inner;
use crate::maintain::Kind;

/// Threads that maintain a collection whenever they are woken. They end when this value is dropped:
/// a build that is under way is given up.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Empty once the threads should end.
    wake: Vec<SyncSender<()>>,
    threads: Vec<JoinHandle<()>>,
    closes: Arc<AtomicBool>,
}

impl Worker {
    pub(crate) fn start(inner: &Arc<Inner>) -> std::io::Result<Self> {
        let mut worker = Self { wake: Vec::new(), threads: Vec::new(), closes: inner.closes.clone() };
        let (merge, to_merge) = sync_channel::<()>(1);
        let (seal, to_seal) = sync_channel::<()>(1);
        // After a seal, there may be enough segments to merge.
        let next = [Some(merge.clone()), None];
        let of_kinds = [(Kind::Seal, seal, to_seal), (Kind::Merge, merge, to_merge)];
        for ((kind, wake, woken), next) in of_kinds.into_iter().zip(next) {
            let weak: Weak<Inner> = Arc::downgrade(inner);
            let run = move || {
                while woken.recv().is_ok() {
                    let Some(inner) = weak.upgrade() else { break };
                    inner.catch_up(&[kind]);
                    if let Some(next) = &next {
                        let _ = next.try_send(());
                    }
                }
            };
            worker.wake.push(wake);
            worker.threads.push(thread::Builder::new().name("vex-db".to_owned()).spawn(run)?);
        }
        Ok(worker)
    }

    /// Lets the threads look for something to do.
    pub(crate) fn wake(&self) {
        for wake in &self.wake {
            // If the channel is full, the thread will look anyway.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.closes.store(true, Ordering::Relaxed);
        self.wake.clear();
        // The thread that merges is also woken by the one that seals, so that one is first.
        for thread in self.threads.drain(..) {
            // Steps that panic do not end it.
            let _ = thread.join();
        }
    }
}
