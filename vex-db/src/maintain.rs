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
use std::sync::PoisonError;

use vex::BuildError;

use crate::collection::{Inner, Trouble};
use crate::disk::STORE;
use crate::part::Slot;
use crate::state::State;
use crate::{Collection, Error, Result};

/// A segment is rewritten if one row in so many is dead.
const DEAD_SHARE: usize = 4;

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

    /// At most so many bytes of memory in one step. A step that would take more is left out.
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
    /// Whether the store gave space back. It does so if much of it is unused, and no snapshot is
    /// alive in any process.
    pub compacted: bool,
}

/// A step of maintenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Seal,
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
            Self::Seal => Kind::Seal,
            Self::Merge(_) | Self::Rewrite(_) => Kind::Merge,
        }
    }

    /// Whether the step replaces this slot.
    pub(crate) fn takes(&self, slot: &Slot) -> bool {
        match (self, slot.segment()) {
            (Self::Seal, segment) => segment.is_none(),
            (_, None) => false,
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

/// After [`Goal::All`], a segment has at least so many times the rows of all smaller ones.
const SPREAD: usize = 4;

/// The steps that are due, the most urgent first.
fn due(state: &State, seal_at: usize, fanout: usize, goal: Goal) -> Vec<Step> {
    let mut steps = Vec::new();
    let pending = state.pending();
    if pending >= seal_at || (goal == Goal::All && pending * fanout >= seal_at) {
        steps.push(Step::Seal);
    }
    let mut tiers: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for slot in &state.slots {
        let Some(segment) = slot.segment() else { continue };
        let tier = (slot.live_count / seal_at).max(1).ilog(fanout as _);
        tiers.entry(tier).or_default().push(segment.number);
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
        steps.extend(small(state).map(Step::Merge));
    }
    steps
}

/// The small segments, if there are two or more: from the smallest on, all that have less than
/// [`SPREAD`] times the rows of those before.
fn small(state: &State) -> Option<Vec<u64>> {
    let segment = |slot: &Slot| Some((slot.live_count, slot.segment()?.number));
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
    /// Seals pending rows, merges segments until few are left, and rewrites those with many dead rows.
    /// Then gives back what the store does not use. `progress` is called on this thread, and ends maintenance early by
    /// [`ControlFlow::Break`]. Reads and commits go on meanwhile.
    ///
    /// # Errors
    /// If a segment cannot be built or written. The collection is as good as before.
    ///
    /// # Complexity
    /// Builds segments: see [`vex::Builder::build_from`].
    pub fn maintain(
        &self,
        budget: Budget,
        mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let mut report =
            self.inner.maintain(budget.memory, Goal::All, &[Kind::Seal, Kind::Merge], &mut progress)?;
        report.compacted = self.inner.wastes_space()? && self.inner.compact()?;
        Ok(report)
    }
}

impl Inner {
    /// Whether half of the store or more is unused.
    fn wastes_space(&self) -> Result<bool> {
        let tx = self.begin_write()?;
        let stats = tx.stats()?;
        tx.abort()?;
        let io = |error| Error::Io { path: self.disk.path().join(STORE), error };
        let used = stats.stored_bytes() + stats.metadata_bytes() + stats.fragmented_bytes();
        Ok(self.disk.bytes(STORE).map_err(io)? > 2 * used)
    }

    /// Takes the steps that commits have made necessary. The commits are done already, so an error
    /// is not theirs: it is kept for [`Collection::stats`], and the steps are tried again when more
    /// rows are pending.
    pub(crate) fn catch_up(&self, kinds: &[Kind]) {
        let trouble = || self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = self.state().pending();
        let before = trouble().clone();
        let seal_at = self.options.rows_to_seal(self.schema.dim());
        if before
            .is_some_and(|before| (before.pending..before.pending + seal_at.div_ceil(8)).contains(&pending))
        {
            return;
        }
        let caught_up =
            self.maintain(self.options.memory, Goal::Enough, kinds, &mut |_| ControlFlow::Continue(()));
        *trouble() = caught_up.err().map(|error| Trouble { error: error.to_string(), pending });
    }

    fn maintain(
        &self,
        memory: Option<usize>,
        goal: Goal,
        kinds: &[Kind],
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let seal_at = self.options.rows_to_seal(self.schema.dim());
        let (mut report, mut skipped) = (Report::default(), Vec::new());
        loop {
            let before = report;
            for kind in kinds {
                let lock = match kind {
                    Kind::Seal => &self.sealing,
                    Kind::Merge => &self.merging,
                };
                let _one_at_a_time = lock.lock().unwrap_or_else(PoisonError::into_inner);
                let state = self.state();
                let step = due(&state, seal_at, self.options.fanout, goal)
                    .into_iter()
                    .find(|step| step.kind() == *kind && !skipped.contains(step));
                let Some(step) = step else { continue };
                drop(state);
                let steps = report.sealed + report.merged + report.rewritten;
                let mut of_step = |linked, rows| progress(Progress { steps, linked, rows });
                match self.take(&step, memory, &mut of_step) {
                    Ok(true) => match step {
                        Step::Seal => report.sealed += 1,
                        Step::Merge(_) => report.merged += 1,
                        Step::Rewrite(_) => report.rewritten += 1,
                    },
                    Ok(false) => return Ok(report),
                    Err(Error::Build(BuildError::MemoryLimit(_))) => {
                        report.skipped += 1;
                        skipped.push(step);
                    }
                    Err(error) => return Err(error),
                }
            }
            if report == before {
                return Ok(report);
            }
        }
    }
}
