//! A step of maintenance: an index of live rows is built, saved, and named in the store.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use redb::ReadableTable;
use vex::graph::NodeId;
use vex::{BuildError, Index};

use crate::bits::Bits;
use crate::block::SealingBelow;
use crate::column::{Column, Key};
use crate::inner::Inner;
use crate::maintain::Step;
use crate::part::{Segment, Slot};
use crate::record;
use crate::state::State;
use crate::store::{self, COLUMNS, COMMITS, DEAD, META, NEXT_SEGMENT, PENDING, SEALED, SEGMENTS, UNFINISHED};
use crate::{Error, Result};

/// So many pending rows leave the store in one transaction, for which commits wait.
const ROWS_AT_ONCE: usize = 1_000;

/// At least so many columns are made at a time.
const FIELDS_AT_ONCE: usize = 4;

/// Bytes of a row in a column while it is sorted. As many columns are made at a time as take no
/// more than the vectors that were just freed.
const BYTES_OF_A_KEY: usize = 32;

/// Columns are written until a transaction has so many bytes.
const BYTES_AT_ONCE: usize = 1 << 20;

/// A segment that the store does not name yet.
struct Built {
    segment: Segment,
}

/// Ends the time in which some blocks are not joined.
struct Sealing<'i> {
    inner: &'i Inner,
    is_seal: bool,
}

impl Drop for Sealing<'_> {
    fn drop(&mut self) {
        if self.is_seal {
            *self.inner.sealing_below.lock().unwrap_or_else(PoisonError::into_inner) = None;
            self.inner.sealed.notify_all();
        }
    }
}

impl Inner {
    /// Takes a step. Returns whether it was taken to its end.
    pub(crate) fn take(
        &self,
        step: &Step,
        memory: Option<usize>,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<bool> {
        let (slots, _sealing) = self.sources(step)?;
        let sources: Vec<&Slot> = slots.iter().collect();
        let count = sources.iter().map(|slot| slot.live_count).sum();
        let built = if count == 0 {
            None
        } else {
            // Damage must not be copied into a file whose checksums fit.
            for segment in sources.iter().filter_map(|source| source.segment()) {
                self.disk.verify_segment(&segment.name)?;
            }
            let vector = sources[0].vector_number();
            match self.build(vector, &sources, count, memory, progress) {
                Ok(index) => Some(self.save(vector, index)?),
                Err(BuildError::Graph(vex::graph::BuildError::Cancelled { .. })) => return Ok(false),
                Err(error) => return Err(Error::Build(error)),
            }
        };
        let number = built.as_ref().map(|built| built.segment.number);
        let published = Error::caught(|| self.publish(&sources, built));
        if let (Err(_), Some(number)) = (&published, number) {
            self.forget_columns(number);
        }
        published?;
        // No commit names these files any more.
        sources.into_iter().filter_map(Slot::segment).for_each(|segment| segment.set_gone());
        Error::caught(|| self.forget_sealed())?;
        Ok(true)
    }

    /// The parts that a step replaces. It takes no transaction with it: the store could use no page
    /// again that is freed while one is open, and a build takes long.
    fn sources(&self, step: &Step) -> Result<(Vec<Slot>, Sealing<'_>)> {
        // No commit joins blocks meanwhile.
        let _writer = self.writer()?;
        let slots: Vec<Slot> = self.state().slots.iter().filter(|slot| step.takes(slot)).cloned().collect();
        let sealing = sealed_below(&slots);
        if sealing.is_some() {
            *self.sealing_below.lock().unwrap_or_else(PoisonError::into_inner) = sealing;
        }
        Ok((slots, Sealing { inner: self, is_seal: sealing.is_some() }))
    }

    /// Builds an index of the live rows.
    fn build(
        &self,
        vector: u16,
        sources: &[&Slot],
        count: usize,
        memory: Option<usize>,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<Index, BuildError> {
        let (options, of) = (&self.options, self.schema.vector_type(vector));
        let mut builder = Index::builder(of.dim)
            .metric(of.metric)
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

    /// Writes a segment, and the columns of its fields.
    fn save(&self, vector: u16, index: Index) -> Result<Built> {
        let name = loop {
            let name = format!("{:016x}.vex", RandomState::new().hash_one(index.len()));
            let names =
                self.disk.names().map_err(|error| Error::Io { path: self.disk.path().to_owned(), error })?;
            if !names.contains(&name) {
                break name;
            }
        };
        self.disk.save_segment(&name, &index)?;
        let count = index.len();
        drop(index);
        let opened = || -> Result<Built> {
            // The number is given when the segment is published.
            let mut segment = Segment::open(0, (&name, count as u32, vector), &self.disk, &self.schema)?;
            // Commits wait while the segment is published, so this is done now.
            segment.sort_rows();
            let written = Error::caught(|| self.write_columns(&mut segment));
            if written.is_err() {
                self.forget_columns(segment.number);
            }
            written?;
            Ok(Built { segment })
        };
        let opened = Error::caught(opened);
        if opened.is_err() {
            let _ = self.disk.remove(&name);
        }
        opened
    }

    /// Gives a segment its number, and writes its columns: a few at a time are in memory, and few
    /// bytes are in each transaction, for which commits wait. Nobody sees the columns before the
    /// segment is named.
    fn write_columns(&self, segment: &mut Segment) -> Result<()> {
        let commit = |write: &mut dyn FnMut(&redb::WriteTransaction) -> Result<()>| -> Result<()> {
            let mut writer = self.writer()?;
            let tx = self.begin_write()?;
            write(&tx)?;
            self.finish(&mut writer, tx, false, self.state().slots.clone())
        };
        commit(&mut |tx| {
            let mut meta = tx.open_table(META)?;
            segment.number = store::counter(&meta, NEXT_SEGMENT)?;
            meta.insert(NEXT_SEGMENT, segment.number + 1)?;
            tx.open_table(UNFINISHED)?.insert(segment.number, ())?;
            Ok(())
        })?;
        let fields: Vec<u16> = self.schema.indexed().collect();
        let dim = self.schema.vector_type(segment.vector).dim;
        let at_once = (dim * size_of::<f32>() / BYTES_OF_A_KEY).max(FIELDS_AT_ONCE);
        for fields in fields.chunks(at_once) {
            let columns = self.columns(segment, fields)?;
            let mut columns = columns.into_iter().map(|(field, column)| (field, column.encode())).peekable();
            while columns.peek().is_some() {
                commit(&mut |tx| {
                    let (mut table, mut bytes) = (tx.open_table(COLUMNS)?, 0);
                    while bytes < BYTES_AT_ONCE
                        && let Some((field, column)) = columns.next()
                    {
                        bytes += column.len();
                        store::write_column(&mut table, segment.number, field, &column)?;
                    }
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    /// The columns of some fields of a segment. Rows that died since the build began are in none.
    fn columns(&self, segment: &Segment, fields: &[u16]) -> Result<Vec<(u16, Column)>> {
        let mut entries: BTreeMap<u16, Vec<(Key, NodeId)>> =
            fields.iter().map(|field| (*field, Vec::new())).collect();
        let state = self.state();
        for (row, node) in segment.index.searcher().node_keys().iter().zip(0..) {
            let Some(record) = state.tables()?.rows.get(row)? else { continue };
            let damaged = |_| Error::Damaged { part: format!("row {row}") };
            for (field, key) in record::keys(record.value(), &self.schema).map_err(damaged)? {
                if let Some(entries) = entries.get_mut(&field) {
                    entries.push((key, node));
                }
            }
        }
        Ok(entries.into_iter().map(|(field, entries)| (field, Column::build(entries))).collect())
    }

    /// Removes the columns of a segment that was not named, as far as the store can still be
    /// written. Else opening the collection does.
    fn forget_columns(&self, number: u64) {
        let forget = || -> Result<()> {
            let mut writer = self.writer()?;
            let tx = self.begin_write()?;
            store::remove_columns(&tx, number)?;
            self.finish(&mut writer, tx, false, self.state().slots.clone())
        };
        let _ = forget();
    }

    /// Names a segment in the store, in place of its sources.
    fn publish(&self, sources: &[&Slot], built: Option<Built>) -> Result<()> {
        let mut writer = self.writer()?;
        let state = self.state();
        let tx = self.begin_write()?;
        let mut slots: Vec<Slot> = state
            .slots
            .iter()
            .filter(|slot| !sources.iter().any(|source| source.part.is(&slot.part)))
            .cloned()
            .collect();
        {
            let (mut segments, mut dead) = (tx.open_table(SEGMENTS)?, tx.open_table(DEAD)?);
            let (mut columns, mut meta) = (tx.open_table(COLUMNS)?, tx.open_table(META)?);
            for segment in sources.iter().filter_map(|source| source.segment()) {
                segments.remove(segment.number)?;
                dead.retain_in((segment.number, 0)..=(segment.number, u16::MAX), |_, _| false)?;
                store::drop_columns(&mut columns, segment.number)?;
            }
            // Pending rows up to here are sealed. They leave the store later, a few at a time.
            if let Some(sealed) = sealed_below(sources.iter().copied()) {
                tx.open_table(SEALED)?.insert(sealed.vector, sealed.row)?;
            }
            if let Some(Built { segment }) = built {
                tx.open_table(UNFINISHED)?.remove(segment.number)?;
                segments.insert(segment.number, (&*segment.name, segment.count as u32, segment.vector))?;
                let live = still_alive(&segment, sources, &state);
                if live.count() < segment.count {
                    for node in (0..segment.count).step_by(store::CHUNK as usize) {
                        let chunk = store::chunk_of(node as NodeId);
                        store::write_dead(&mut dead, segment.number, chunk, &live, segment.count)?;
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

    /// Removes pending rows that are sealed from the store, a few in each transaction.
    fn forget_sealed(&self) -> Result<()> {
        for vector in (0..).take(self.schema.vector_types().len()) {
            while self.forget_some(vector)? == ROWS_AT_ONCE {}
        }
        Ok(())
    }

    /// Removes up to [`ROWS_AT_ONCE`] pending rows that are sealed by a vector. Returns how many.
    fn forget_some(&self, vector: u16) -> Result<usize> {
        let mut writer = self.writer()?;
        let tx = self.begin_write()?;
        let removed = {
            let sealed = store::counter(&tx.open_table(SEALED)?, vector)?;
            let mut pending = tx.open_table(PENDING)?;
            let rows: Vec<(u16, u64)> = pending
                .range((vector, 0)..(vector, sealed))?
                .take(ROWS_AT_ONCE)
                .map(|entry| Ok(entry?.0.value()))
                .collect::<Result<_>>()?;
            let Some(last) = rows.last().copied() else { return Ok(0) };
            pending.retain_in((vector, 0)..=last, |_, _| false)?;
            rows.len()
        };
        self.finish(&mut writer, tx, false, self.state().slots.clone())?;
        Ok(removed)
    }
}

/// The rows that are sealed when these parts are. None if they are segments.
fn sealed_below<'s>(sources: impl IntoIterator<Item = &'s Slot>) -> Option<SealingBelow> {
    let below = |slot: &Slot| {
        let block = slot.block()?;
        Some(SealingBelow { vector: block.vector, row: block.rows.last()? + 1 })
    };
    sources.into_iter().filter_map(below).max_by_key(|below| below.row)
}

/// The nodes of a new segment whose rows are alive now. Its rows were alive in the sources when the
/// build began. Blocks that are sealed are not joined meanwhile, so each source is still there,
/// unless all of its rows died.
fn still_alive(segment: &Segment, sources: &[&Slot], state: &State) -> Bits {
    let mut live = Bits::all(segment.count);
    for source in sources {
        let mut died = (*source.live).clone();
        if let Some(now) = state.slots.iter().find(|slot| slot.part.is(&source.part)) {
            let mut dead = (*now.live).clone();
            dead.invert();
            died.intersect(&dead);
        }
        let nodes = died.as_set().iter().filter_map(|node| segment.node(source.row(node)));
        nodes.for_each(|node| live.unset(node));
    }
    live
}
