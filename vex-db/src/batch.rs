//! Batches, and how a commit travels.
//!
//! A batch holds rows that were checked already. A commit takes these steps, one commit at a time:
//!
//! 1. Each id gets its new row, or none. The old row of the id is dead from then on: a row that is
//!    pending leaves the store, and a row of a segment is marked in the segment's dead rows.
//! 2. The transaction of the store is committed, which waits for the medium.
//! 3. New rows become a block in memory, one for each vector that they have, and new snapshots see
//!    it.
//!
//! Nothing in memory changes before the transaction is on the medium.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::PoisonError;
use std::time::Instant;

use redb::WriteTransaction;

use crate::block::{Block, BlockRow, tidy};
use crate::bytes::put_vector;
use crate::inner::{Inner, Writer};
use crate::part::Slot;
use crate::record;
use crate::schema::MAIN;
use crate::snapshot::unknown_vector;
use crate::state::State;
use crate::store::{self, COMMITS, DEAD, IDS, META, NEXT_ROW, PENDING, ROWS};
use crate::{Collection, Durability, Error, Result, Row, RowVectors};

/// Rows that are inserted, replaced and deleted in one step: after a crash either all of it is
/// there, or nothing. If an id comes twice, the later one counts.
///
/// A batch that is dropped changes nothing.
#[derive(Debug)]
pub struct Batch {
    collection: Collection,
    ops: Vec<Op>,
    /// Where each id is in `ops`.
    places: HashMap<String, usize>,
}

/// What happens to an id.
#[derive(Debug)]
pub(crate) struct Op {
    id: String,
    /// The new row, if there is one.
    new: Option<NewRow>,
}

#[derive(Debug)]
struct NewRow {
    /// The number of each vector that the row has, and the vector.
    vectors: Vec<(u16, Vec<f32>)>,
    record: Vec<u8>,
}

/// What a batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Committed {
    /// Rows whose id was new.
    pub inserted: usize,
    /// Rows that took the place of one with the same id.
    pub replaced: usize,
    /// Rows that were deleted.
    pub deleted: usize,
}

impl Batch {
    pub(crate) fn new(collection: Collection) -> Self {
        Self { collection, ops: Vec::new(), places: HashMap::new() }
    }

    /// Adds a row, which will take the place of the row with this id, if there is one. The vector
    /// is a slice or an array, or [`RowVectors`] if the row has vectors with names.
    ///
    /// # Errors
    /// If the id, a vector or the fields do not fit. The batch is as it was then.
    pub fn upsert<'v>(&mut self, id: &str, vectors: impl Into<RowVectors<'v>>, row: Row) -> Result<()> {
        let schema = self.collection.schema();
        let RowVectors { main, named } = vectors.into();
        let check = |number, vector: &[f32]| schema.vector_type(number).store().push(vector).map(|_| ());
        check(MAIN, main).map_err(|error| Error::Vector { id: id.to_owned(), error })?;
        let mut vectors = vec![(MAIN, main.to_vec())];
        for (name, vector) in named {
            let number = schema.find_vector(name).ok_or_else(|| unknown_vector(schema, name))?;
            check(number, vector).map_err(|error| Error::NamedVector {
                id: id.to_owned(),
                vector: name.to_owned(),
                error,
            })?;
            vectors.push((number, vector.to_vec()));
        }
        let named = vectors[1..].iter().map(|(number, _)| *number);
        let record = record::encode(id, named, &row, schema)
            .map_err(|error| Error::Row { id: id.to_owned(), error })?;
        self.set(id, Some(NewRow { vectors, record }));
        Ok(())
    }

    /// Deletes the row with this id, if there is one.
    pub fn delete(&mut self, id: &str) {
        self.set(id, None);
    }

    fn set(&mut self, id: &str, new: Option<NewRow>) {
        match self.places.get(id) {
            Some(at) => self.ops[*at].new = new,
            None => {
                self.places.insert(id.to_owned(), self.ops.len());
                self.ops.push(Op { id: id.to_owned(), new });
            }
        }
    }

    /// How many ids the batch has.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether the batch has no ids.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Commits the batch. All of it is found by searches, and on the medium, when the call returns.
    ///
    /// # Errors
    /// If the store cannot be written. Nothing of the batch is there then. After
    /// [`Error::Failed`] and errors while the medium was written, that is known only when the
    /// collection is opened again.
    pub fn commit(self) -> Result<Committed> {
        if self.ops.is_empty() {
            return Ok(Committed::default());
        }
        self.collection.apply(self.ops)
    }
}

impl Inner {
    /// Commits these changes. Each id comes once.
    pub(crate) fn commit(&self, ops: Vec<Op>) -> Result<Committed> {
        let mut writer = self.writer()?;
        let mut has_ended = false;
        let committed = Error::caught(|| {
            let committed = self.commit_by(&mut writer, ops);
            has_ended = true;
            committed
        });
        // Nobody knows what a panic of the store leaves.
        writer.failed |= !has_ended;
        committed
    }

    fn commit_by(&self, writer: &mut Writer, ops: Vec<Op>) -> Result<Committed> {
        let state = self.state();
        let tx = self.begin_write()?;
        let mut change = Change { slots: state.slots.clone(), ..Change::default() };
        let rows = change.write(&tx, ops, self)?;
        for (vector, rows) in rows {
            let block = Block::new(vector, rows, &self.schema).expect("the vectors were checked");
            change.slots.push(Slot::of_block(block));
        }
        let most = |vector| self.options.rows_to_seal(self.schema.vector_type(vector).dim);
        let sealing = *self.sealing_below.lock().unwrap_or_else(PoisonError::into_inner);
        tidy(&mut change.slots, &self.schema, most, sealing);
        self.finish(writer, tx, false, change.slots)?;
        Ok(change.committed)
    }

    /// Commits a transaction, and lets new snapshots see it.
    pub(crate) fn finish(
        &self,
        writer: &mut Writer,
        tx: WriteTransaction,
        is_forced: bool,
        slots: Vec<Slot>,
    ) -> Result<()> {
        // Nobody knows what a commit that fails leaves on the medium.
        writer.failed = true;
        writer.commit(tx, is_forced, self.options.durability)?;
        self.show(State::new(self.begin_read()?, slots)?);
        writer.failed = false;
        Ok(())
    }
}

impl Writer {
    /// Commits a transaction, on the medium if the durability asks for it now.
    pub(crate) fn commit(
        &mut self,
        mut tx: WriteTransaction,
        is_forced: bool,
        durability: Durability,
    ) -> Result<()> {
        let is_durable = is_forced
            || match durability {
                Durability::Commit => true,
                Durability::Batched(interval) => self.durable.elapsed() >= interval,
                Durability::None => false,
            };
        if !is_durable {
            tx.set_durability(redb::Durability::None)?;
        }
        tx.commit()?;
        self.is_behind = !is_durable;
        if is_durable {
            self.durable = Instant::now();
        }
        Ok(())
    }
}

/// A commit in the making.
#[derive(Default)]
struct Change {
    slots: Vec<Slot>,
    /// Segments and chunks in which rows died.
    dirty: BTreeSet<(usize, u16)>,
    committed: Committed,
}

impl Change {
    /// Writes the changes into a transaction. Returns the new rows, by each of their vectors.
    fn write(
        &mut self,
        tx: &WriteTransaction,
        ops: Vec<Op>,
        inner: &Inner,
    ) -> Result<BTreeMap<u16, Vec<BlockRow>>> {
        let (mut ids, mut rows) = (tx.open_table(IDS)?, tx.open_table(ROWS)?);
        let (mut pending, mut dead) = (tx.open_table(PENDING)?, tx.open_table(DEAD)?);
        let mut meta = tx.open_table(META)?;
        let (mut next, commits) = (store::counter(&meta, NEXT_ROW)?, store::counter(&meta, COMMITS)?);
        let mut new_rows: BTreeMap<u16, Vec<BlockRow>> = BTreeMap::new();
        for Op { id, new } in ops {
            let is_new = new.is_some();
            let old = match new {
                Some(NewRow { vectors, record }) => {
                    let row = next;
                    next += 1;
                    rows.insert(row, &*record)?;
                    for (number, vector) in vectors {
                        pending.insert((number, row), &*put_vector(&vector))?;
                        let damaged = Error::damaged(format!("row {id:?}"));
                        let row = BlockRow::read(row, vector, &record, &inner.schema).map_err(damaged)?;
                        new_rows.entry(number).or_default().push(row);
                    }
                    ids.insert(&*id, row)?.map(|old| old.value())
                }
                None => ids.remove(&*id)?.map(|old| old.value()),
            };
            if let Some(old) = old {
                let damaged = || Error::Damaged { part: format!("row {id:?}") };
                let record = rows.remove(old)?.ok_or_else(damaged)?;
                let vectors = record::vectors(record.value(), &inner.schema).map_err(|_| damaged())?;
                self.kill(old, vectors, &mut pending)?;
            }
            match (is_new, old) {
                (true, None) => self.committed.inserted += 1,
                (true, Some(_)) => self.committed.replaced += 1,
                (false, Some(_)) => self.committed.deleted += 1,
                (false, None) => (),
            }
        }
        for (slot, chunk) in &self.dirty {
            let slot = &self.slots[*slot];
            let segment = slot.segment().expect("only segments have chunks").number;
            store::write_dead(&mut dead, segment, *chunk, &slot.live, slot.count())?;
        }
        meta.insert(NEXT_ROW, next)?;
        meta.insert(COMMITS, commits + 1)?;
        Ok(new_rows)
    }

    /// Ends the life of a row, in the parts that have these vectors of it.
    fn kill(
        &mut self,
        row: u64,
        mut vectors: Vec<u16>,
        pending: &mut redb::Table<'_, (u16, u64), &'static [u8]>,
    ) -> Result<()> {
        for (at, slot) in self.slots.iter_mut().enumerate() {
            let number = slot.vector_number();
            let Some(left) = vectors.iter().position(|vector| *vector == number) else { continue };
            let Some(node) = slot.find(row) else { continue };
            slot.kill(node);
            if slot.segment().is_some() {
                self.dirty.insert((at, store::chunk_of(node)));
            } else {
                pending.remove((number, row))?;
            }
            vectors.swap_remove(left);
        }
        if vectors.is_empty() {
            return Ok(());
        }
        Err(Error::Damaged { part: format!("row {row}: in no segment, and not pending") })
    }
}
