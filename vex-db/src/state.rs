//! One moment of a collection: what a snapshot sees.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata};
use vex::graph::NodeId;

use crate::bits::Bits;
use crate::block::{Block, BlockRow, tidy};
use crate::bytes::read_vector;
use crate::disk::Disk;
use crate::part::{Segment, Slot};
use crate::store::{self, COMMITS, IDS, META, PENDING, ROWS, SEALED, SEGMENTS};
use crate::{Error, Result, Schema};

/// One moment of a collection. It never changes.
pub(crate) struct State {
    /// How many commits there were.
    pub(crate) commits: u64,
    /// `None` only if the store could not be opened again after it was compacted.
    tables: Option<Tables>,
    /// The segments, then the blocks, each in the order in which they were made.
    pub(crate) slots: Vec<Slot>,
}

/// Parts that were read for earlier moments.
#[derive(Debug, Default)]
pub(crate) struct Known {
    segments: BTreeMap<u64, Arc<Segment>>,
    blocks: Vec<Arc<Block>>,
}

impl Known {
    /// Forgets all parts but these.
    pub(crate) fn set(&mut self, slots: &[Slot]) {
        self.segments =
            slots.iter().filter_map(Slot::segment).map(|segment| (segment.number, segment.clone())).collect();
        self.blocks = slots.iter().filter_map(Slot::block).cloned().collect();
    }
}

/// The store at one moment.
pub(crate) struct Tables {
    pub(crate) tx: ReadTransaction,
    pub(crate) ids: ReadOnlyTable<&'static str, u64>,
    pub(crate) rows: ReadOnlyTable<u64, &'static [u8]>,
}

impl Tables {
    fn open(tx: ReadTransaction) -> Result<Self> {
        Ok(Self { ids: tx.open_table(IDS)?, rows: tx.open_table(ROWS)?, tx })
    }
}

impl State {
    /// The moment of a transaction, whose parts are known.
    pub(crate) fn new(tx: ReadTransaction, slots: Vec<Slot>) -> Result<Self> {
        let commits = store::counter(&tx.open_table(META)?, COMMITS)?;
        Ok(Self { commits, tables: Some(Tables::open(tx)?), slots })
    }

    /// The store at this moment.
    pub(crate) fn tables(&self) -> Result<&Tables> {
        self.tables.as_ref().ok_or(Error::Failed)
    }

    /// Runs something that the store allows only without transactions.
    pub(crate) fn without_transaction<T>(
        &mut self,
        run: impl FnOnce() -> Result<T>,
        begin: impl FnOnce() -> Result<ReadTransaction>,
    ) -> Result<T> {
        self.tables = None;
        let done = run();
        self.tables = Some(Tables::open(begin()?)?);
        done
    }

    /// The moment of a transaction, read from the disk. Parts that are known are not
    /// read again, and those that are read are known then.
    pub(crate) fn load(
        tx: ReadTransaction,
        disk: &Arc<dyn Disk>,
        schema: &Schema,
        known: &mut Known,
    ) -> Result<Self> {
        store::check_counters(&tx)?;
        let mut slots = Vec::new();
        for entry in tx.open_table(SEGMENTS)?.iter()? {
            let (number, entry) = entry?;
            let (number, entry) = (number.value(), entry.value());
            let segment = match known.segments.get(&number) {
                Some(segment) => segment.clone(),
                None => Arc::new(Segment::open(number, entry, disk, schema)?),
            };
            known.segments.insert(number, segment.clone());
            let live = store::live(&tx, number, segment.count)?;
            slots.push(Slot::of_segment(segment, live));
        }
        let mut blocks: Vec<(&Arc<Block>, Bits)> =
            known.blocks.iter().map(|block| (block, Bits::none(block.rows.len()))).collect();
        let (rows, sealed) = (tx.open_table(ROWS)?, tx.open_table(SEALED)?);
        let mut read = Vec::new();
        for (number, of) in (0..).zip(schema.vector_types()) {
            let first = store::counter(&sealed, number)?;
            let mut pending = Vec::new();
            for entry in tx.open_table(PENDING)?.range((number, first)..=(number, u64::MAX))? {
                let (key, vector) = entry?;
                let (_, row) = key.value();
                let known = |(block, live): &mut (&Arc<Block>, Bits)| {
                    let node = (block.vector == number).then(|| block.rows.binary_search(&row).ok())??;
                    live.set(node as NodeId);
                    Some(())
                };
                if blocks.iter_mut().find_map(known).is_some() {
                    continue;
                }
                let damaged = || Error::Damaged { part: format!("pending row {row}") };
                let record = rows.get(row)?.ok_or_else(damaged)?;
                let vector = read_vector(vector.value(), of.dim).map_err(|_| damaged())?;
                pending.push(BlockRow::read(row, vector, record.value(), schema).map_err(|_| damaged())?);
            }
            if !pending.is_empty() {
                let damaged = |_| Error::Damaged { part: "a pending vector".to_owned() };
                read.push(Slot::of_block(Block::new(number, pending, schema).map_err(damaged)?));
            }
        }
        drop((rows, sealed));
        let blocks = blocks.into_iter().filter(|(_, live)| live.count() > 0);
        slots.extend(blocks.map(|(block, live)| Slot::of_live(block.clone(), live)));
        if !read.is_empty() {
            slots.extend(read);
            tidy(&mut slots, schema, |_| usize::MAX, None);
        }
        Self::new(tx, slots)
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> Result<u64> {
        Ok(self.tables()?.ids.len()?)
    }

    /// The number of a row.
    pub(crate) fn row(&self, id: &str) -> Result<Option<u64>> {
        Ok(self.tables()?.ids.get(id)?.map(|row| row.value()))
    }

    /// A vector of a row, if the row has it. Under cosine it has unit length.
    pub(crate) fn vector(&self, number: u16, row: u64) -> Option<Vec<f32>> {
        let mut slots = self.slots.iter().filter(|slot| slot.vector_number() == number);
        slots.find_map(|slot| slot.vector(slot.find(row)?))
    }

    /// How many rows are pending by a vector.
    pub(crate) fn pending(&self, number: u16) -> usize {
        let blocks =
            self.slots.iter().filter(|slot| slot.block().is_some_and(|block| block.vector == number));
        blocks.map(|slot| slot.live_count).sum()
    }
}
