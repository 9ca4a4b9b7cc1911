//! Checks of everything that a collection has.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use redb::ReadableTable;
use vex::graph::NodeId;

use crate::column::{Column, Key};
use crate::part::{Part, Slot};
use crate::record;
use crate::{Error, Result, Snapshot};

impl Snapshot {
    /// Checks every byte of the segments, and that ids, rows, columns and parts agree. The store
    /// has checksums of its own, which [`Options::verify`](crate::Options::verify) checks.
    ///
    /// # Errors
    /// The first thing that is wrong.
    ///
    /// # Complexity
    /// Reads everything. Takes memory for a number of each row, and for the columns of one segment.
    pub fn verify(&self) -> Result<()> {
        Error::caught(|| self.verify_all())
    }

    fn verify_all(&self) -> Result<()> {
        for segment in self.state.slots.iter().filter_map(Slot::segment) {
            self.verify_segment(&segment.name)?;
        }
        let alive = self.verify_parts()?;
        let wrong = |part: String| Err(Error::Damaged { part });
        let mut named = 0;
        for entry in self.state.tables()?.ids.iter()? {
            let (id, row) = entry?;
            let (id, row) = (id.value(), row.value());
            let Some(bytes) = self.state.tables()?.rows.get(row)? else {
                return wrong(format!("id {id:?}: row {row} is missing"));
            };
            if record::id(bytes.value()) != Ok(id) {
                return wrong(format!("id {id:?}: row {row} has another id"));
            }
            let damaged = Error::damaged(format!("id {id:?}: row {row}"));
            let vectors = record::vectors(bytes.value(), self.schema()).map_err(damaged)?;
            for (number, alive) in (0..).zip(&alive) {
                if alive.contains(&row) != vectors.contains(&number) {
                    let name = &self.schema().vector_type(number).name;
                    return wrong(format!("id {id:?}: row {row} and its vector {name:?}: one is dead"));
                }
            }
            named += 1;
        }
        let rows = self.state.tables()?.rows.iter()?.count();
        if named != alive[0].len() || named != rows {
            return wrong(format!("{named} ids, {rows} rows, {} live vectors", alive[0].len()));
        }
        for (of, alive_of) in self.schema().vector_types().iter().zip(&alive) {
            if let Some(row) = alive_of.difference(&alive[0]).min() {
                return wrong(format!("row {row}: it is dead, and its vector {:?} is alive", of.name));
            }
        }
        Ok(())
    }

    /// Checks every byte of a segment.
    pub(crate) fn verify_segment(&self, name: &str) -> Result<()> {
        self.inner.disk.verify_segment(name).map_err(|error| self.or_gone(name, error))
    }

    /// The error of a segment's file, or that the writer has replaced the segment.
    pub(crate) fn or_gone(&self, name: &str, error: Error) -> Error {
        if error.is_missing_file() { Error::Gone { path: self.inner.disk.path().join(name) } } else { error }
    }

    /// Checks the columns of all parts. Returns the rows that are alive, by each vector.
    fn verify_parts(&self) -> Result<Vec<HashSet<u64>>> {
        let mut all = vec![HashSet::new(); self.schema().vector_types().len()];
        for slot in &self.state.slots {
            let name = match &slot.part {
                Part::Segment(segment) => format!("segment {}", segment.number),
                Part::Block(_) => "pending rows".to_owned(),
            };
            let alive = &mut all[usize::from(slot.vector_number())];
            for node in slot.live.as_set().iter() {
                if !alive.insert(slot.row(node)) {
                    return Err(Error::Damaged {
                        part: format!("{name}: row {} is alive twice", slot.row(node)),
                    });
                }
            }
            let mut entries: BTreeMap<u16, Vec<(Key, NodeId)>> =
                self.schema().indexed().map(|field| (field, Vec::new())).collect();
            for node in slot.live.as_set().iter() {
                let damaged = || Error::Damaged { part: format!("{name}: row {}", slot.row(node)) };
                let bytes = self.state.tables()?.rows.get(slot.row(node))?.ok_or_else(damaged)?;
                for (field, key) in record::keys(bytes.value(), self.schema()).map_err(|_| damaged())? {
                    entries.get_mut(&field).ok_or_else(damaged)?.push((key, node));
                }
            }
            for (field, entries) in entries {
                // Dead rows are in a column until the segment is built again.
                let tx = &self.state.tables()?.tx;
                let column = match &slot.part {
                    // Not what was read before, since the store may have been damaged after that.
                    Part::Segment(segment) => Arc::new(segment.read_column(field, tx)?),
                    Part::Block(_) => slot.column(field, tx)?,
                };
                if column.only(&slot.live) != Column::build(entries) {
                    return Err(Error::Damaged { part: format!("{name}: the column of field {field}") });
                }
            }
        }
        Ok(all)
    }
}
