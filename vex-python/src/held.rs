//! An index that objects of Python hold, and that threads of Python share.
//!
//! Python's lock is released in every call that takes long. So another thread may search, change or
//! close the index meanwhile, and the index has a lock of its own. That lock is only ever waited for
//! while Python's is released: else a thread with one of them could wait for the other.
//!
//! A call that takes long looks for signals. Their handlers run on its thread, and may use the index
//! again. They get an error, since the thread would wait for itself.

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, TryLockError};

use pyo3::prelude::*;
use vex::{Params, Scratch, Searcher};

use crate::error::{Failure, Result};

/// An index that lends a searcher.
pub(crate) trait Lend: Send + Sync {
    fn searcher(&self) -> Searcher<'_>;

    /// What the index was built with.
    fn params(&self) -> &Params;

    /// Whether the vector under a key is found in constant time.
    fn has_table(&self) -> bool;
}

/// An index, until it is closed.
pub(crate) struct Held<I> {
    index: RwLock<Option<I>>,
    pool: Pool,
}

/// The memory of searches, kept for the next ones. There are as many as ran at once.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Vec<Scratch>>);

impl Pool {
    pub(crate) fn take(&self) -> Scratch {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, scratch: Scratch) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }

    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn closed() -> Failure {
    Failure::value("the index is closed")
}

thread_local! {
    /// What calls of this thread work with, by its address.
    static IN_USE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Says that this thread works with something, until it is dropped.
pub(crate) struct Use(());

impl Use {
    /// # Errors
    /// If a call of this thread works with it already, which a handler or a callback interrupts.
    pub(crate) fn begin<T>(what: &T, name: &str) -> Result<Self> {
        let address = std::ptr::from_ref(what).addr();
        IN_USE.with_borrow_mut(|in_use| {
            if in_use.contains(&address) {
                return Err(Failure::value(format!(
                    "the {name} is in use by the call that this one interrupts"
                )));
            }
            in_use.push(address);
            Ok(Self(()))
        })
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        // Uses of a thread end in the order in which they nest.
        IN_USE.with_borrow_mut(Vec::pop);
    }
}

impl<I: Lend> Held<I> {
    pub(crate) fn new(index: I) -> Self {
        Self { index: RwLock::new(Some(index)), pool: Pool::default() }
    }

    /// Reads the index. For work that takes no time: Python's lock is kept unless another thread
    /// changes the index.
    pub(crate) fn peek<R: Send>(&self, py: Python<'_>, work: impl FnOnce(&I) -> R + Send) -> Result<R> {
        let _use = Use::begin(self, "index")?;
        match self.index.try_read() {
            Ok(index) => index.as_ref().map(work).ok_or_else(closed),
            Err(TryLockError::Poisoned(index)) => index.into_inner().as_ref().map(work).ok_or_else(closed),
            Err(TryLockError::WouldBlock) => py.detach(|| self.lock().as_ref().map(work)).ok_or_else(closed),
        }
    }

    /// Reads the index while Python's lock is released.
    pub(crate) fn read<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&I, &Pool) -> Result<R> + Send,
    ) -> Result<R> {
        let _use = Use::begin(self, "index")?;
        py.detach(|| match &*self.lock() {
            Some(index) => work(index, &self.pool),
            None => Err(closed()),
        })
    }

    /// Changes the index while Python's lock is released.
    pub(crate) fn change<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut I) -> Result<R> + Send,
    ) -> Result<R> {
        let _use = Use::begin(self, "index")?;
        py.detach(|| match &mut *self.index.write().unwrap_or_else(PoisonError::into_inner) {
            Some(index) => work(index),
            None => Err(closed()),
        })
    }

    /// Frees the index. Closing twice is fine.
    pub(crate) fn close(&self, py: Python<'_>) -> Result<()> {
        let _use = Use::begin(self, "index")?;
        py.detach(|| {
            self.index.write().unwrap_or_else(PoisonError::into_inner).take();
            self.pool.clear();
        });
        Ok(())
    }

    fn lock(&self) -> RwLockReadGuard<'_, Option<I>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }
}
