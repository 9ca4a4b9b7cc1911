//! Blocks of pending vectors, in memory. Each commit adds one, and one for each named vector that
//! its rows have.

use std::sync::Arc;

use vex::graph::{InsertError, NodeId, Vectors};

use crate::bits::Bits;
use crate::bytes::Damaged;
use crate::column::{Column, Key};
use crate::part::Slot;
use crate::{Schema, record};

/// Rows that are pending, in memory, by one of their vectors.
#[derive(Debug)]
pub(crate) struct Block {
    /// The number of the vector.
    pub(crate) vector: u16,
    /// The numbers of the rows, ascending.
    pub(crate) rows: Vec<u64>,
    /// The vectors as they came.
    raw: Vec<f32>,
    /// The vectors as searches compare them.
    pub(crate) vectors: Vectors,
    /// The columns of the fields that have values, ascending by field.
    pub(crate) columns: Vec<(u16, Arc<Column>)>,
    /// The keys of the fields, from which the columns were made.
    keys: Vec<Vec<(u16, Key)>>,
}

/// A row that becomes part of a block.
#[derive(Clone, Debug)]
pub(crate) struct BlockRow {
    pub(crate) row: u64,
    pub(crate) vector: Vec<f32>,
    pub(crate) keys: Vec<(u16, Key)>,
}

impl BlockRow {
    /// A row as the store keeps it.
    pub(crate) fn read(row: u64, vector: Vec<f32>, record: &[u8], schema: &Schema) -> Result<Self, Damaged> {
        Ok(Self { row, vector, keys: record::keys(record, schema)? })
    }
}

impl Block {
    /// A block of rows by a vector. Their numbers ascend.
    pub(crate) fn new(
        vector: u16,
        rows: impl IntoIterator<Item = BlockRow>,
        schema: &Schema,
    ) -> Result<Self, InsertError> {
        let mut block = Self {
            vector,
            rows: Vec::new(),
            raw: Vec::new(),
            vectors: schema.vector_type(vector).store(),
            columns: Vec::new(),
            keys: Vec::new(),
        };
        for row in rows {
            block.vectors.push(&row.vector)?;
            block.raw.extend_from_slice(&row.vector);
            block.rows.push(row.row);
            block.keys.push(row.keys);
        }
        let mut entries: Vec<(u16, Key, NodeId)> = Vec::new();
        for (keys, node) in block.keys.iter().zip(0..) {
            entries.extend(keys.iter().map(|(field, key)| (*field, key.clone(), node)));
        }
        entries.sort_unstable();
        for entries in entries.chunk_by(|one, other| one.0 == other.0) {
            let nodes = entries.iter().map(|(_, key, node)| (key.clone(), *node)).collect();
            block.columns.push((entries[0].0, Arc::new(Column::build(nodes))));
        }
        Ok(block)
    }

    /// The rows at these nodes.
    pub(crate) fn rows_at<'b>(&'b self, nodes: &'b Bits) -> impl Iterator<Item = BlockRow> + use<'b> {
        nodes.as_set().iter().map(move |node| {
            let at = node as usize;
            BlockRow { row: self.rows[at], vector: self.raw(node).to_vec(), keys: self.keys[at].clone() }
        })
    }

    /// The vector of a node as it came.
    pub(crate) fn raw(&self, node: NodeId) -> &[f32] {
        let dim = self.vectors.rows().dim();
        &self.raw[node as usize * dim..][..dim]
    }

    /// Bytes of memory for vectors and rows.
    pub(crate) fn memory(&self) -> usize {
        self.raw.capacity() * 8 + self.rows.capacity() * 8
    }
}

/// Pending rows that are being sealed: those with one of their vectors, and a number below.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SealingBelow {
    pub(crate) vector: u16,
    pub(crate) row: u64,
}

/// Drops blocks without rows, and joins small blocks of one vector up to `most` rows. Then each is
/// at least twice as large as the next. So there are few, and a row is copied once for each
/// doubling. Rows that are being sealed are left alone.
pub(crate) fn tidy(
    slots: &mut Vec<Slot>,
    schema: &Schema,
    most: impl Fn(u16) -> usize,
    sealing: Option<SealingBelow>,
) {
    slots.retain(|slot| slot.segment().is_some() || slot.live_count > 0);
    for vector in (0..).take(schema.vector_types().len()) {
        let is_sealed = |block: &Block| {
            sealing.is_some_and(|sealing| sealing.vector == vector && block.rows[0] < sealing.row)
        };
        loop {
            let mut blocks = (0..slots.len())
                .rev()
                .filter(|at| slots[*at].block().is_some_and(|block| block.vector == vector));
            let (Some(last), Some(before)) = (blocks.next(), blocks.next()) else { break };
            let (one, other) = (&slots[before], &slots[last]);
            let (Some(first), Some(second)) = (one.block(), other.block()) else { break };
            if one.live_count >= 2 * other.live_count
                || one.live_count + other.live_count > most(vector)
                || is_sealed(first)
            {
                break;
            }
            let rows = first.rows_at(&one.live).chain(second.rows_at(&other.live));
            let joined = Block::new(vector, rows, schema).expect("the vectors were checked");
            slots[before] = Slot::of_block(joined);
            slots.remove(last);
        }
    }
}
