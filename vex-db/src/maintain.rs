//! Maintenance: what keeps searches fast and gives space back.
//!
//! There are three reasons to build a segment:
//!
//! - **Seal.** Enough rows are pending. They become a segment.
//! - **Merge.** Eight segments are of about the same size. They become one, so the number of
//!   segments grows with the logarithm of the rows.
//! - **Rewrite.** A quarter of a segment's rows are dead. It is built again without them.
//!
//! Each step builds from a moment of the collection, while commits go on, and then takes three steps
//! of its own:
//!
//! 1. The segment is written and is on the medium, under a new random name.
//! 2. One transaction names it, and forgets what it replaces. Rows that died since the build began
//!    are marked as dead in the new segment.
//! 3. Files that no commit names any more are removed.
//!
//! A crash between them leaves a file that no commit names. Opening the collection removes it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use vex::graph::NodeId;
use vex::{BuildError, Index};

use crate::bits::Bits;
use crate::collection::{Inner, Trouble};
use crate::column::{Column, Key};
use crate::disk::STORE;
use crate::part::{Segment, Slot};
use crate::record;
use crate::state::State;
use crate::store::{self, COLUMNS, COMMITS, DEAD, META, NEXT_SEGMENT, PENDING, SEGMENTS};
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
enum Step {
    Seal,
    /// The numbers of the segments.
    Merge(Vec<u64>),
    Rewrite(u64),
}

impl Step {
    /// Whether the step replaces this slot.
    fn takes(&self, slot: &Slot) -> bool {
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
        if (segment.count - slot.live_count) * DEAD_SHARE >= segment.count {
            steps.push(Step::Rewrite(segment.number));
        } else {
            let tier = (slot.live_count / seal_at).max(1).ilog(fanout as _);
            tiers.entry(tier).or_default().push(segment.number);
        }
    }
    let full = tiers.into_values().filter(|numbers| numbers.len() >= fanout);
    steps.extend(full.map(Step::Merge));
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
        let mut report = self.inner.maintain(budget.memory, Goal::All, &mut progress)?;
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
    pub(crate) fn catch_up(&self) {
        let trouble = || self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = self.state().pending();
        let before = trouble().clone();
        let seal_at = self.options.rows_to_seal(self.schema.dim());
        if before
            .is_some_and(|before| (before.pending..before.pending + seal_at.div_ceil(8)).contains(&pending))
        {
            return;
        }
        let caught_up = self.maintain(self.options.memory, Goal::Enough, &mut |_| ControlFlow::Continue(()));
        *trouble() = caught_up.err().map(|error| Trouble { error: error.to_string(), pending });
    }

    fn maintain(
        &self,
        memory: Option<usize>,
        goal: Goal,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let _one_at_a_time = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        let seal_at = self.options.rows_to_seal(self.schema.dim());
        let (mut report, mut skipped) = (Report::default(), Vec::new());
        loop {
            let state = self.state();
            let step = due(&state, seal_at, self.options.fanout, goal)
                .into_iter()
                .find(|step| !skipped.contains(step));
            let Some(step) = step else { break };
            // The step takes parts with it, but no transaction: the store could use no page again that
            // is freed while a transaction is open, and a build takes long.
            let slots = state.slots.clone();
            drop(state);
            let steps = report.sealed + report.merged + report.rewritten;
            match self
                .take(&slots, &step, memory, &mut |linked, rows| progress(Progress { steps, linked, rows }))
            {
                Ok(true) => match step {
                    Step::Seal => report.sealed += 1,
                    Step::Merge(_) => report.merged += 1,
                    Step::Rewrite(_) => report.rewritten += 1,
                },
                Ok(false) => break,
                Err(Error::Build(BuildError::MemoryLimit(_))) => {
                    report.skipped += 1;
                    skipped.push(step);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(report)
    }

    /// Takes a step. Returns whether it was taken to its end.
    fn take(
        &self,
        slots: &[Slot],
        step: &Step,
        memory: Option<usize>,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<bool> {
        let sources: Vec<&Slot> = slots.iter().filter(|slot| step.takes(slot)).collect();
        let count = sources.iter().map(|slot| slot.live_count).sum();
        let built = if count == 0 {
            None
        } else {
            match self.build(&sources, count, memory, progress) {
                Ok(index) => Some(self.save(&index)?),
                Err(BuildError::Graph(vex::graph::BuildError::Cancelled { .. })) => return Ok(false),
                Err(error) => return Err(Error::Build(error)),
            }
        };
        self.publish(&sources, built)?;
        // No commit names these files any more.
        sources.into_iter().filter_map(Slot::segment).for_each(|segment| segment.set_gone());
        Ok(true)
    }

    /// Builds an index of the live rows.
    fn build(
        &self,
        sources: &[&Slot],
        count: usize,
        memory: Option<usize>,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<Index, BuildError> {
        let options = &self.options;
        let mut builder = Index::builder(self.schema.dim())
            .metric(self.schema.metric())
            .m(options.m)
            .ef_construction(options.ef_construction)
            .quantization(options.coding);
        if let Some(threads) = options.threads {
            builder = builder.threads(threads);
        }
        if let Some(memory) = memory {
            builder = builder.memory_limit(memory);
        }
        let mut rows = sources
            .iter()
            .flat_map(|slot| slot.live.as_set().iter().map(|node| (slot.row(node), slot.raw(node))));
        let fill = |to: &mut [f32]| {
            let (row, vector) = rows.next().expect("as many rows as were counted");
            to.copy_from_slice(&vector);
            Ok::<u64, std::convert::Infallible>(row)
        };
        builder.build_with(count, fill, |linked| {
            if self.closes.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { progress(linked, count) }
        })
    }

    /// Writes a segment, and collects the columns of its fields. Rows that died since the build began
    /// are in no column.
    fn save(&self, index: &Index) -> Result<Built> {
        let name = loop {
            let name = format!("{:016x}.vex", RandomState::new().hash_one(index.len()));
            let names =
                self.disk.names().map_err(|error| Error::Io { path: self.disk.path().to_owned(), error })?;
            if !names.contains(&name) {
                break name;
            }
        };
        self.disk.save_segment(&name, index)?;
        let opened = || -> Result<Built> {
            // The number is given when the segment is published.
            let segment = Segment::open(0, &name, index.len(), &self.disk, &self.schema)?;
            // Commits wait while the segment is published, so this is done now.
            segment.sort_rows();
            let mut entries: BTreeMap<u16, Vec<(Key, NodeId)>> =
                (0..self.schema.fields().count() as u16).map(|field| (field, Vec::new())).collect();
            let state = self.state();
            for (row, node) in segment.index.searcher().node_keys().iter().zip(0..) {
                let damaged = || Error::Damaged { part: format!("row {row}") };
                let Some(record) = state.tables()?.rows.get(row)? else { continue };
                for (field, key) in record::keys(record.value(), &self.schema).map_err(|_| damaged())? {
                    entries.get_mut(&field).ok_or_else(damaged)?.push((key, node));
                }
            }
            let columns =
                entries.into_iter().map(|(field, entries)| (field, Column::build(entries))).collect();
            Ok(Built { segment, columns })
        };
        let opened = opened();
        if opened.is_err() {
            let _ = self.disk.remove(&name);
        }
        opened
    }

    /// Names a segment in the store, in place of its sources.
    fn publish(&self, sources: &[&Slot], built: Option<Built>) -> Result<()> {
        let mut writer = self.writer()?;
        let state = self.state();
        let tx = self.begin_write()?;
        let mut slots = Vec::new();
        {
            let (mut segments, mut dead) = (tx.open_table(SEGMENTS)?, tx.open_table(DEAD)?);
            let (mut columns, mut pending) = (tx.open_table(COLUMNS)?, tx.open_table(PENDING)?);
            let mut meta = tx.open_table(META)?;
            for source in sources {
                if let Some(segment) = source.segment() {
                    segments.remove(segment.number)?;
                    dead.retain_in((segment.number, 0)..=(segment.number, u16::MAX), |_, _| false)?;
                    columns.retain_in((segment.number, 0)..=(segment.number, u16::MAX), |_, _| false)?;
                }
            }
            let sealed_up_to = sources.iter().filter_map(|slot| slot.block()?.rows.last().copied()).max();
            if let Some(last) = sealed_up_to {
                pending.retain_in(..=last, |_, _| false)?;
            }
            // Slots that are not replaced stay. Blocks may have been joined since the step began:
            // rows that are sealed now leave them.
            let is_source = |slot: &Slot| match slot.segment() {
                Some(segment) => sources
                    .iter()
                    .any(|source| source.segment().is_some_and(|source| source.number == segment.number)),
                None => false,
            };
            for slot in state.slots.iter().filter(|slot| !is_source(slot)) {
                match (slot.block(), sealed_up_to) {
                    (Some(block), Some(last)) => {
                        let mut rest = (*slot.live).clone();
                        let sealed = block.rows.partition_point(|row| *row <= last);
                        (0..sealed as NodeId).for_each(|node| rest.unset(node));
                        if rest.count() > 0 {
                            slots.push(slot.only(rest, &self.schema));
                        }
                    }
                    _ => slots.push(slot.clone()),
                }
            }
            if let Some(Built { mut segment, columns: built }) = built {
                let number = store::counter(&meta, NEXT_SEGMENT)?;
                meta.insert(NEXT_SEGMENT, number + 1)?;
                segment.number = number;
                segments.insert(number, (&*segment.name, segment.count as u32))?;
                for (field, column) in built {
                    columns.insert((number, field), &*column.encode())?;
                }
                let live = still_alive(&segment, sources, &state);
                let chunks = (0..segment.count).step_by(1 << 16).map(|node| store::chunk_of(node as NodeId));
                if live.count() < segment.count {
                    for chunk in chunks {
                        store::write_dead(&mut dead, number, chunk, &live, segment.count)?;
                    }
                }
                let at = slots.iter().position(|slot| slot.block().is_some()).unwrap_or(slots.len());
                slots.insert(at, Slot::of_segment(Arc::new(segment), live));
            }
            let commits = store::counter(&meta, COMMITS)?;
            meta.insert(COMMITS, commits + 1)?;
        }
        self.finish(&mut writer, tx, true, slots)
    }
}

/// The nodes of a new segment whose rows are alive now. Its rows were alive in the sources when the
/// build began.
fn still_alive(segment: &Segment, sources: &[&Slot], state: &State) -> Bits {
    let mut live = Bits::all(segment.count);
    for source in sources {
        let now = source.segment().and_then(|segment| {
            let is_it = |slot: &&Slot| slot.segment().is_some_and(|slot| slot.number == segment.number);
            state.slots.iter().find(is_it)
        });
        let died: Vec<u64> = match now {
            Some(now) => {
                let mut died = (*now.live).clone();
                died.invert();
                died.intersect(&source.live);
                died.as_set().iter().map(|node| source.row(node)).collect()
            }
            // Blocks may have been joined.
            None => {
                let blocks = || state.slots.iter().filter(|slot| slot.block().is_some());
                let rows = source.live.as_set().iter().map(|node| source.row(node));
                rows.filter(|row| blocks().all(|slot| slot.find(*row).is_none())).collect()
            }
        };
        died.into_iter().filter_map(|row| segment.node(row)).for_each(|node| live.unset(node));
    }
    live
}

/// A segment that the store does not name yet.
struct Built {
    segment: Segment,
    columns: Vec<(u16, Column)>,
}
