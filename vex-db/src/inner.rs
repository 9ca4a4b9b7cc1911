//! What all handles of a collection share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use redb::{
    CompactionError, Database, ReadOnlyDatabase, ReadTransaction, ReadableDatabase, WriteTransaction,
};
use vex::graph::Scratch;

use crate::block::SealingBelow;
use crate::disk::Disk;
use crate::part::Slot;
use crate::state::State;
use crate::{Error, Options, Result, Schema, store};

/// A commit waits if so many times the rows of a seal are pending, and maintenance is in the
/// background.
const PENDING_AT_MOST: usize = 2;

/// So it does if there are so many times the segments of a merge.
const SEGMENTS_AT_MOST: usize = 4;

/// The longest that it waits.
const PATIENCE: Duration = Duration::from_millis(100);

/// What all handles share.
pub(crate) struct Inner {
    /// A reader keeps none: the writer could use no page again that is freed after it.
    state: RwLock<Option<Arc<State>>>,
    base: RwLock<Base>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) schema: Schema,
    pub(crate) options: Options,
    writer: Mutex<Writer>,
    /// Held while rows are sealed.
    pub(crate) sealing: Mutex<()>,
    /// Held while segments are merged or rewritten.
    pub(crate) merging: Mutex<()>,
    /// Pending rows that are being sealed, so blocks of them are not joined to others.
    pub(crate) sealing_below: Mutex<Option<SealingBelow>>,
    /// Signals that rows were sealed.
    pub(crate) sealed: Condvar,
    /// The memory of searches that ended.
    scratches: Mutex<Vec<Scratch>>,
    /// Whether a maintenance step should end early, since the collection is closed.
    pub(crate) closes: Arc<AtomicBool>,
    /// For each kind of step, why the last one on its own failed.
    pub(crate) trouble: [Mutex<Option<Trouble>>; 2],
}

/// A maintenance step that failed.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) error: String,
    /// When steps of the kind are tried again.
    pub(crate) until: Instant,
}

/// The store.
pub(crate) enum Base {
    Write(Database),
    Read(ReadOnlyDatabase),
    /// While the collection is closed.
    Closed,
}

/// What a writer keeps from commit to commit.
pub(crate) struct Writer {
    /// Whether a commit failed, so that the state is unknown.
    pub(crate) failed: bool,
    /// When the last commit was on the medium.
    pub(crate) durable: Instant,
    /// Whether there were commits since.
    pub(crate) is_behind: bool,
}

impl Inner {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        base: Base,
        schema: Schema,
        state: Option<State>,
        options: Options,
    ) -> Self {
        Self {
            state: RwLock::new(state.map(Arc::new)),
            base: RwLock::new(base),
            disk,
            schema,
            options,
            writer: Mutex::new(Writer { failed: false, durable: Instant::now(), is_behind: false }),
            sealing: Mutex::default(),
            merging: Mutex::default(),
            sealing_below: Mutex::default(),
            sealed: Condvar::new(),
            scratches: Mutex::default(),
            closes: Arc::default(),
            trouble: Default::default(),
        }
    }

    /// The moment that new snapshots see.
    pub(crate) fn state(&self) -> Arc<State> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.clone().expect("a reader has no calls that ask for the last moment")
    }

    /// Lets new snapshots see another moment.
    pub(crate) fn show(&self, state: State) {
        let state = Some(Arc::new(state));
        let mut shown = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *shown, state);
        // What only the earlier moment had is freed without the lock.
        drop(shown);
        drop(before);
    }

    /// Begins a commit.
    pub(crate) fn begin_write(&self) -> Result<WriteTransaction> {
        match &*self.base.read().unwrap_or_else(PoisonError::into_inner) {
            Base::Write(base) => Ok(base.begin_write()?),
            Base::Read(_) | Base::Closed => unreachable!("a reader has no calls that write"),
        }
    }

    /// Gives space back that the store does not use, if no snapshot is alive in any process.
    /// Returns whether that was done.
    pub(crate) fn compact(&self) -> Result<bool> {
        let mut writer = self.writer()?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = state.as_mut().and_then(Arc::get_mut) else { return Ok(false) };
        let compact = || match &mut *self.base.write().unwrap_or_else(PoisonError::into_inner) {
            Base::Write(base) => {
                store::fill_pages_of_ids(base)?;
                match base.compact() {
                    Ok(_) => Ok(true),
                    Err(CompactionError::TransactionInProgress) => Ok(false),
                    Err(error) => Err(error.into()),
                }
            }
            Base::Read(_) | Base::Closed => unreachable!("a reader has no calls that write"),
        };
        // What a failed compaction leaves is known when the collection is opened again.
        writer.failed = true;
        let compacted = state.without_transaction(compact, || self.begin_read())?;
        writer.failed = false;
        Ok(compacted)
    }

    pub(crate) fn begin_read(&self) -> Result<ReadTransaction> {
        Ok(match &*self.base.read().unwrap_or_else(PoisonError::into_inner) {
            Base::Write(base) => base.begin_read()?,
            Base::Read(base) => base.begin_read()?,
            Base::Closed => unreachable!("no handle is left"),
        })
    }

    /// The right to commit.
    pub(crate) fn writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.failed { Err(Error::Failed) } else { Ok(writer) }
    }

    /// Memory for a search, which [`give_back`](Self::give_back) takes back.
    pub(crate) fn scratch(&self) -> Scratch {
        self.scratches.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, scratch: Scratch) {
        self.scratches.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }

    /// Waits a while if maintenance is far behind, so that a fast writer does not outrun it.
    pub(crate) fn wait_for_seals(&self) {
        let most_segments = SEGMENTS_AT_MOST * self.options.fanout;
        let has_trouble = |trouble: &Mutex<Option<Trouble>>| {
            trouble.lock().unwrap_or_else(PoisonError::into_inner).is_some()
        };
        if self.trouble.iter().any(has_trouble) {
            return;
        }
        let is_behind = |_: &mut Option<SealingBelow>| {
            let state = self.state();
            (0..).zip(self.schema.vector_types()).any(|(vector, of)| {
                let is_segment =
                    |slot: &&Slot| slot.segment().is_some_and(|segment| segment.vector == vector);
                state.pending(vector) > PENDING_AT_MOST * self.options.rows_to_seal(of.dim)
                    || state.slots.iter().filter(is_segment).count() > most_segments
            })
        };
        let sealing = self.sealing_below.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.sealed.wait_timeout_while(sealing, PATIENCE, is_behind));
    }

    pub(crate) fn flush(&self) -> Result<()> {
        let mut writer = self.writer()?;
        if writer.is_behind {
            let tx = self.begin_write()?;
            writer.commit(tx, true, self.options.durability)?;
        }
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.closes.store(true, Ordering::Relaxed);
        // A commit that could not be written now is lost, as after a crash.
        let _ = self.flush();
        // A store that is damaged may panic even now.
        let _ = Error::caught(|| {
            *self.state.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
            *self.base.get_mut().unwrap_or_else(PoisonError::into_inner) = Base::Closed;
            Ok(())
        });
    }
}
