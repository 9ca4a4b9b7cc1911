//! The thread of background maintenance.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use crate::collection::Inner;

/// A thread that maintains a collection whenever it is woken. It ends when this value is dropped:
/// a build that is under way is given up.
#[derive(Debug)]
pub(crate) struct Worker {
    /// `None` once the thread should end.
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    closes: Arc<AtomicBool>,
}

impl Worker {
    pub(crate) fn start(inner: &Arc<Inner>) -> std::io::Result<Self> {
        let (wake, woken) = sync_channel::<()>(1);
        let weak: Weak<Inner> = Arc::downgrade(inner);
        let run = move || {
            while woken.recv().is_ok() {
                let Some(inner) = weak.upgrade() else { break };
                inner.catch_up();
            }
        };
        let thread = thread::Builder::new().name("vex-db maintenance".to_owned()).spawn(run)?;
        Ok(Self { wake: Some(wake), thread: Some(thread), closes: inner.closes.clone() })
    }

    /// Lets the thread look for something to do.
    pub(crate) fn wake(&self) {
        if let Some(wake) = &self.wake {
            // If the channel is full, the thread will look anyway.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.closes.store(true, Ordering::Relaxed);
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has ended the thread alone.
            let _ = thread.join();
        }
    }
}
