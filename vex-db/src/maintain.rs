//! Maintenance: what keeps searches fast and gives space back.
//!
//! There are three reasons to build a segment:
//!
//! - **Seal.** Enough rows are pending. They become a segment.
//! - **Merge.** Eight segments are of about the same size. They become one, so the number of
//!   segments grows with the logarithm of the rows.
//! - **Rewrite.** A quarter of a segment's rows are dead. It is built again without them.
//!
//! Each step builds from a moment of the collection, while commits go on. Then:
//!
//! 1. The segment is written and is on the medium, under a new random name.
//! 2. One transaction names it, and forgets what it replaces. Rows that died since the build began
//!    are marked as dead in the new segment.
//! 3. Files that no commit names any more are removed.
//!
//! A crash between them leaves a file that no commit names. Opening the collection removes it.
//!
//! Seals go on beside a merge, which may take minutes: they share no part. `rebuild.rs` takes the
//! steps that are chosen here.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{PoisonError, TryLockError};
use std::time::{Duration, Instant};

use vex::BuildError;

use crate::disk::STORE;
use crate::inner::{Inner, Trouble};
use crate::part::Slot;
use crate::state::State;
use crate::{Collection, Error, Options, Result, Schema};

/// A segment is rewritten if one row in so many is dead.
const DEAD_SHARE: usize = 4;

/// The store gives bytes back if more than one in so many is unused...
const UNUSED_SHARE: u64 = 8;

/// ...and as many as these. An empty one has about as many.
const UNUSED_AT_LEAST: u64 = 2 << 20;

/// Pages that a commit frees are unused only after so many others.
const COMMITS_TO_FREE: usize = 2;

/// What maintenance may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    memory: Option<usize>,
}

impl Budget {
    /// No limit.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// At most so many bytes of memory in one step. A step that would take more is left out. What
    /// is counted is the new graph and its vectors. When they are on disk, the columns of fields
    /// are made. They take less, unless indexed texts are longer than vectors.
    pub fn memory(bytes: usize) -> Self {
        Self { memory: Some(bytes) }
    }
}

/// How far maintenance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Steps that are done.
    pub steps: usize,
    /// Rows of this step that are linked.
    pub linked: usize,
    /// Rows of this step.
    pub rows: usize,
}

/// What maintenance did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Times that pending rows were sealed.
    pub sealed: usize,
    /// Times that segments were merged.
    pub merged: usize,
    /// Times that a segment was rewritten or dropped, since its rows were dead.
    pub rewritten: usize,
    /// Steps that were left out, since they would take more memory than the budget.
    pub skipped: usize,
    /// Whether `progress` ended it early.
    pub cancelled: bool,
    /// Whether the store gave space back. It does so if much of it is unused, and no snapshot is
    /// alive in any process.
    pub compacted: bool,
}

/// A step of maintenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The number of the vector.
    Seal(u16),
    /// The numbers of the segments.
    Merge(Vec<u64>),
    Rewrite(u64),
}

/// Steps of one kind are taken one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Seal,
    /// Merges and rewrites.
    Merge,
}

impl Step {
    fn kind(&self) -> Kind {
        match self {
            Self::Seal(_) => Kind::Seal,
            Self::Merge(_) | Self::Rewrite(_) => Kind::Merge,
        }
    }

    /// Whether the step replaces this slot.
    pub(crate) fn takes(&self, slot: &Slot) -> bool {
        match (self, slot.segment()) {
            (Self::Seal(vector), None) => slot.vector_number() == *vector,
            (Self::Seal(_), Some(_)) | (_, None) => false,
            (Self::Merge(numbers), Some(segment)) => numbers.contains(&segment.number),
            (Self::Rewrite(number), Some(segment)) => *number == segment.number,
        }
    }
}

/// How much is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    /// What commits have made necessary.
    Enough,
    /// What makes searches fast: few segments.
    All,
}

/// How steps are taken.
#[derive(Clone, Copy, Debug)]
struct How {
    /// The most memory of a step.
    memory: Option<usize>,
    goal: Goal,
    /// Whether to wait for another thread that takes steps of this kind.
    waits: bool,
}

/// Steps that failed are tried again after this time, or after as long as they took.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// After [`Goal::All`], a segment has at least so many times the rows of all smaller ones.
const SPREAD: usize = 4;

/// The steps that are due, the most urgent first. Each is of the parts with one vector.
fn due(state: &State, schema: &Schema, options: &Options, goal: Goal) -> Vec<Step> {
    let (mut steps, fanout) = (Vec::new(), options.fanout);
    let seal_at = |vector: u16| options.rows_to_seal(schema.vector_type(vector).dim);
    let vectors = || (0..).take(schema.vector_types().len());
    let mut seals: Vec<(usize, u16)> = Vec::new();
    for vector in vectors() {
        let (pending, seal_at) = (state.pending(vector), seal_at(vector));
        if pending >= seal_at || (goal == Goal::All && pending * fanout >= seal_at) {
            seals.push((pending * 1_000 / seal_at, vector));
        }
    }
    // That of which most is pending, so that no vector waits for ever behind another.
    seals.sort_unstable();
    steps.extend(seals.into_iter().rev().map(|(_, vector)| Step::Seal(vector)));
    // Small segments first, whatever their vector.
    let mut tiers: BTreeMap<(u32, u16), Vec<u64>> = BTreeMap::new();
    for slot in &state.slots {
        let Some(segment) = slot.segment() else { continue };
        let tier = (slot.live_count / seal_at(segment.vector)).max(1).ilog(fanout as _);
        tiers.entry((tier, segment.vector)).or_default().push(segment.number);
    }
    // A merge leaves dead rows out as well, so it comes before rewrites.
    tiers.retain(|_, numbers| numbers.len() >= fanout);
    steps.extend(tiers.into_values().map(Step::Merge));
    let mut wasteful: Vec<(usize, u64)> = Vec::new();
    for slot in &state.slots {
        let Some(segment) = slot.segment() else { continue };
        let dead = segment.count - slot.live_count;
        if dead * DEAD_SHARE >= segment.count {
            wasteful.push((dead, segment.number));
        }
    }
    wasteful.sort_unstable();
    steps.extend(wasteful.into_iter().rev().map(|(_, number)| Step::Rewrite(number)));
    if goal == Goal::All {
        steps.extend(vectors().filter_map(|vector| small(state, vector)).map(Step::Merge));
    }
    steps
}

/// The small segments of a vector, if there are two or more: from the smallest on, all that have
/// less than [`SPREAD`] times the rows of those before.
fn small(state: &State, vector: u16) -> Option<Vec<u64>> {
    let segment = |slot: &Slot| {
        let segment = slot.segment().filter(|segment| segment.vector == vector)?;
        Some((slot.live_count, segment.number))
    };
    let mut sizes: Vec<(usize, u64)> = state.slots.iter().filter_map(segment).collect();
    sizes.sort_unstable();
    let (mut rows, mut end) = (0, 0);
    for (at, (size, _)) in sizes.iter().enumerate() {
        if at > 0 && *size < SPREAD * rows {
            end = at + 1;
        }
        rows += size;
    }
    (end >= 2).then(|| sizes[..end].iter().map(|(_, number)| *number).collect())
}

impl Collection {
    /// Seals pending rows, if there are an eighth of as many as are sealed by themselves. Merges
    /// segments until few are left, and rewrites those with many dead rows. Then gives back what
    /// the store does not use, for which commits and snapshots wait, in other processes too.
    ///
    /// `progress` is called on this thread, and ends maintenance early by [`ControlFlow::Break`].
    /// Reads and commits go on meanwhile, and `progress` may commit, too. It must not call this
    /// again, which would wait for itself.
    ///
    /// # Errors
    /// If a segment cannot be built or written. The collection is as good as before.
    ///
    /// # Complexity
    /// Builds segments: see [`vex::Builder::build_from`]. Then reads the store, to see whether an
    /// eighth of it is unused.
    pub fn maintain(
        &self,
        budget: Budget,
        mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let mut report = self.inner.maintain(
            How { memory: budget.memory, goal: Goal::All, waits: true },
            &[Kind::Seal, Kind::Merge],
            &mut progress,
        )?;
        if !report.cancelled {
            report.compacted = Error::caught(|| Ok(self.inner.wastes_space()? && self.inner.compact()?))?;
        }
        Ok(report)
    }
}

impl Inner {
    /// Whether an eighth of the store is unused, and not just a few pages of a small one.
    fn wastes_space(&self) -> Result<bool> {
        let io = |error| Error::Io { path: self.disk.path().join(STORE), error };
        let bytes = || self.disk.bytes(STORE).map_err(io);
        if bytes()? <= UNUSED_AT_LEAST {
            return Ok(false);
        }
        for _ in 0..COMMITS_TO_FREE {
            let mut writer = self.writer()?;
            let tx = self.begin_write()?;
            self.finish(&mut writer, tx, true, self.state().slots.clone())?;
        }
        let tx = self.begin_write()?;
        let stats = tx.stats()?;
        tx.abort()?;
        let used = stats.allocated_pages() * stats.page_size() as u64;
        let unused = bytes()?.saturating_sub(used);
        Ok(unused > UNUSED_AT_LEAST && unused > used / (UNUSED_SHARE - 1))
    }

    /// Takes the steps that commits have made necessary, unless another thread takes them already.
    /// The commits are done, so an error is not theirs: it is kept for [`Collection::stats`], and
    /// the steps of its kind are tried again after a while.
    pub(crate) fn catch_up(&self, kinds: &[Kind]) {
        for kind in kinds {
            let trouble = || self.trouble[*kind as usize].lock().unwrap_or_else(PoisonError::into_inner);
            if trouble().as_ref().is_some_and(|trouble| Instant::now() < trouble.until) {
                continue;
            }
            let start = Instant::now();
            let how = How { memory: self.options.memory, goal: Goal::Enough, waits: false };
            let catch_up = || self.maintain(how, &[*kind], &mut |_| ControlFlow::Continue(()));
            let caught_up = Error::caught(catch_up);
            let error = match caught_up {
                Ok(Report { skipped: 0, .. }) => None,
                Ok(_) => Some("a step would take more memory than the limit".to_owned()),
                Err(error) => Some(error.to_string()),
            };
            // What took long is not tried again at once.
            let until = Instant::now() + start.elapsed().max(RETRY_AFTER);
            *trouble() = error.map(|error| Trouble { error, until });
        }
    }

    fn maintain(
        &self,
        how: How,
        kinds: &[Kind],
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let How { memory, goal, waits } = how;
        let (mut report, mut skipped, mut failed) = (Report::default(), Vec::new(), None);
        loop {
            let before = (report, skipped.len());
            for kind in kinds {
                let lock = match kind {
                    Kind::Seal => &self.sealing,
                    Kind::Merge => &self.merging,
                };
                let _one_at_a_time = match lock.try_lock() {
                    Ok(lock) => lock,
                    Err(TryLockError::Poisoned(lock)) => lock.into_inner(),
                    Err(TryLockError::WouldBlock) if !waits => continue,
                    Err(TryLockError::WouldBlock) => lock.lock().unwrap_or_else(PoisonError::into_inner),
                };
                let state = self.state();
                let step = due(&state, &self.schema, &self.options, goal)
                    .into_iter()
                    .find(|step| step.kind() == *kind && !skipped.contains(step));
                let Some(step) = step else { continue };
                drop(state);
                let steps = report.sealed + report.merged + report.rewritten;
                let mut of_step = |linked, rows| progress(Progress { steps, linked, rows });
                match self.take(&step, memory, &mut of_step) {
                    Ok(true) => match step {
                        Step::Seal(_) => report.sealed += 1,
                        Step::Merge(_) => report.merged += 1,
                        Step::Rewrite(_) => report.rewritten += 1,
                    },
                    Ok(false) => {
                        report.cancelled = true;
                        return Ok(report);
                    }
                    Err(Error::Build(BuildError::MemoryLimit(_))) => {
                        report.skipped += 1;
                        skipped.push(step);
                    }
                    // Other steps may succeed.
                    Err(error) => {
                        skipped.push(step);
                        failed = failed.or(Some(error));
                    }
                }
            }
            if (report, skipped.len()) == before {
                return failed.map_or(Ok(report), Err);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Maintenance, Metric, RowVectors, row};

    /// A vector that is always due does not keep another one waiting.
    #[test]
    fn seals_of_several_vectors_take_turns() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::new().seal_at(4).maintenance(Maintenance::Manual);
        let schema = Schema::new(1, Metric::SquaredEuclidean).vector("title", 1);
        let rows = options.create(folder.path().join("rows.vexdb"), schema).unwrap();
        let mut seals = Vec::new();
        for at in 0..40 {
            let vectors = RowVectors::new(&[1.0]).with("title", &[2.0]);
            rows.upsert(&at.to_string(), vectors, row! {}).unwrap();
            // A writer that is as fast as maintenance: one step after each four rows.
            if at % 4 == 3 {
                let inner = &rows.inner;
                let step = due(&inner.state(), &inner.schema, &inner.options, Goal::Enough)
                    .into_iter()
                    .find(|step| step.kind() == Kind::Seal)
                    .unwrap();
                assert!(inner.take(&step, None, &mut |_, _| ControlFlow::Continue(())).unwrap());
                seals.push(step);
            }
        }
        assert!(seals.contains(&Step::Seal(0)) && seals.contains(&Step::Seal(1)), "{seals:?}");
        assert!((0..2).all(|vector| rows.inner.state().pending(vector) <= 12));
    }
}
