//! The tables of the store, which holds everything small that changes.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | name | number: the version, and counters |
//! | `names` | name | text: the model |
//! | `vectors` | number of the vector: 0 is the one without a name | its name, its metric and its dimension |
//! | `fields` | number of the field | its type and its name |
//! | `ids` | id | number of the row |
//! | `rows` | number of the row | id and fields: see [`record`](crate::record) |
//! | `pending` | numbers of the vector and the row | the vector, as f32 |
//! | `sealed` | number of the vector | pending rows with smaller numbers are sealed, and wait to be removed |
//! | `segments` | number of the segment | name of the file, how many nodes it has, and number of the vector |
//! | `dead` | segment, and node / 65,536 | the nodes that are dead, a roaring bitmap |
//! | `unfinished` | number of a segment whose columns are being written | |
//! | `columns` | segment, number of the field, and number of the piece | see [`column`](crate::column) |
//!
//! Numbers of rows ascend and are never used again: each upsert gives the row a new one. A live row
//! is in `ids` and `rows`. Each of its vectors is either in `pending` or alive in one segment.

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction};
use roaring::RoaringBitmap;
use vex::Metric;
use vex::graph::NodeId;

use crate::bits::Bits;
use crate::schema::VectorType;
use crate::{Error, FieldType, Result, Schema};

pub(crate) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(crate) const NAMES: TableDefinition<'_, &str, &str> = TableDefinition::new("names");
pub(crate) const VECTORS: TableDefinition<'_, u16, (&str, &str, u64)> = TableDefinition::new("vectors");
pub(crate) const FIELDS: TableDefinition<'_, u16, (&str, &str)> = TableDefinition::new("fields");
pub(crate) const IDS: TableDefinition<'_, &str, u64> = TableDefinition::new("ids");
/// The ids while they are written anew.
const NEW_IDS: TableDefinition<'_, &str, u64> = TableDefinition::new("new ids");
pub(crate) const ROWS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");
pub(crate) const PENDING: TableDefinition<'_, (u16, u64), &[u8]> = TableDefinition::new("pending");
pub(crate) const SEALED: TableDefinition<'_, u16, u64> = TableDefinition::new("sealed");
pub(crate) const SEGMENTS: TableDefinition<'_, u64, (&str, u32, u16)> = TableDefinition::new("segments");
pub(crate) const DEAD: TableDefinition<'_, (u64, u16), &[u8]> = TableDefinition::new("dead");
/// Numbers of segments whose columns are being written.
pub(crate) const UNFINISHED: TableDefinition<'_, u64, ()> = TableDefinition::new("unfinished");
pub(crate) const COLUMNS: TableDefinition<'_, (u64, u16, u32), &[u8]> = TableDefinition::new("columns");

/// Bytes of a piece of a column. A page of the store holds one. Larger values would be in blocks of
/// pages, behind which the store cannot shrink.
const PIECE: usize = 4_000;

/// The version of the tables that this program reads and writes.
const VERSION: u64 = 2;

/// The next number of a row.
pub(crate) const NEXT_ROW: &str = "next row";
/// The next number of a segment.
pub(crate) const NEXT_SEGMENT: &str = "next segment";
/// How many commits there were.
pub(crate) const COMMITS: &str = "commits";

/// Nodes whose dead ones are in one bitmap.
pub(crate) const CHUNK: u32 = 1 << 16;

/// Fills the store of a new collection.
pub(crate) fn create(tx: &WriteTransaction, schema: &Schema) -> Result<()> {
    let mut meta = tx.open_table(META)?;
    meta.insert("version", VERSION)?;
    let mut names = tx.open_table(NAMES)?;
    if let Some(model) = schema.model_name() {
        names.insert("model", model)?;
    }
    let mut vectors = tx.open_table(VECTORS)?;
    for (number, VectorType { name, dim, metric }) in (0..).zip(schema.vector_types()) {
        vectors.insert(number, (&**name, metric.name(), *dim as u64))?;
    }
    let mut fields = tx.open_table(FIELDS)?;
    for ((name, kind), number) in schema.fields().zip(0..) {
        fields.insert(number, (kind.name(), name))?;
    }
    // A read transaction opens only tables that are there.
    tx.open_table(IDS)?;
    tx.open_table(ROWS)?;
    tx.open_table(PENDING)?;
    tx.open_table(SEALED)?;
    tx.open_table(SEGMENTS)?;
    tx.open_table(DEAD)?;
    tx.open_table(COLUMNS)?;
    tx.open_table(UNFINISHED)?;
    Ok(())
}

/// The schema that a collection was created with.
pub(crate) fn schema(tx: &ReadTransaction) -> Result<Schema> {
    let damaged = |part: &str| Error::Damaged { part: part.to_owned() };
    let found = tx.open_table(META)?.get("version")?.ok_or_else(|| damaged("version"))?.value();
    if found != VERSION {
        return Err(Error::Version { expected: VERSION, found });
    }
    let mut schema: Option<Schema> = None;
    for (vector, expected) in tx.open_table(VECTORS)?.iter()?.zip(0..) {
        let (number, vector) = vector?;
        let (name, metric, dim) = vector.value();
        let metric = metric.parse::<Metric>().ok().filter(|_| number.value() == expected);
        let metric = metric.ok_or_else(|| damaged("vectors"))?;
        let dim = usize::try_from(dim).map_err(|_| damaged("vectors"))?;
        schema = Some(match schema {
            None => Schema::new(dim, metric),
            Some(schema) => schema.vector_by(name, dim, metric),
        });
    }
    let mut schema = schema.ok_or_else(|| damaged("vectors"))?;
    let names = tx.open_table(NAMES)?;
    if let Some(model) = names.get("model")? {
        schema = schema.model(model.value());
    }
    for (field, expected) in tx.open_table(FIELDS)?.iter()?.zip(0..) {
        let (number, field) = field?;
        let (kind, name) = field.value();
        let kind = FieldType::from_name(kind).filter(|_| number.value() == expected);
        schema = schema.field(name, kind.ok_or_else(|| damaged("fields"))?);
    }
    schema.validate().map_err(|_| damaged("schema"))?;
    Ok(schema)
}

/// Removes columns whose segment was never named, since a crash came before that.
pub(crate) fn remove_unfinished(base: &redb::Database) -> Result<()> {
    let tx = base.begin_write()?;
    let numbers: Vec<u64> = {
        let unfinished = tx.open_table(UNFINISHED)?;
        unfinished.iter()?.map(|entry| Ok(entry?.0.value())).collect::<Result<_>>()?
    };
    if numbers.is_empty() {
        return Ok(tx.abort()?);
    }
    numbers.into_iter().try_for_each(|number| remove_columns(&tx, number))?;
    Ok(tx.commit()?)
}

/// Removes the columns of a segment that was never named.
pub(crate) fn remove_columns(tx: &WriteTransaction, number: u64) -> Result<()> {
    drop_columns(&mut tx.open_table(COLUMNS)?, number)?;
    tx.open_table(UNFINISHED)?.remove(number)?;
    Ok(())
}

type Columns<'t> = redb::Table<'t, (u64, u16, u32), &'static [u8]>;

/// Removes the columns of a segment.
pub(crate) fn drop_columns(table: &mut Columns<'_>, number: u64) -> Result<()> {
    Ok(table.retain_in((number, 0, 0)..=(number, u16::MAX, u32::MAX), |_, _| false)?)
}

/// Writes the column of a field of a segment.
pub(crate) fn write_column(table: &mut Columns<'_>, number: u64, field: u16, column: &[u8]) -> Result<()> {
    for (piece, bytes) in (0..).zip(column.chunks(PIECE)) {
        table.insert((number, field, piece), bytes)?;
    }
    Ok(())
}

/// The bytes of a column, none if it is missing.
pub(crate) fn read_column(tx: &ReadTransaction, number: u64, field: u16) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for piece in tx.open_table(COLUMNS)?.range((number, field, 0)..=(number, field, u32::MAX))? {
        bytes.extend_from_slice(piece?.1.value());
    }
    Ok(bytes)
}

/// Writes the ids anew in their order, if a quarter of their pages is empty. Ids that come in any
/// other order leave nearly half of them empty.
pub(crate) fn fill_pages_of_ids(base: &redb::Database) -> Result<()> {
    let tx = base.begin_write()?;
    {
        let ids = tx.open_table(IDS)?;
        let stats = ids.stats()?;
        if stats.fragmented_bytes() * 3 <= stats.stored_bytes() + stats.metadata_bytes() {
            drop(ids);
            return Ok(tx.abort()?);
        }
        let mut new = tx.open_table(NEW_IDS)?;
        for entry in ids.iter()? {
            let (id, row) = entry?;
            new.insert(id.value(), row.value())?;
        }
    }
    tx.delete_table(IDS)?;
    tx.rename_table(NEW_IDS, IDS)?;
    Ok(tx.commit()?)
}

/// A counter, which begins at 0.
pub(crate) fn counter<'k, K: redb::Key + 'static>(
    table: &impl ReadableTable<K, u64>,
    key: impl std::borrow::Borrow<K::SelfType<'k>>,
) -> Result<u64> {
    Ok(table.get(key)?.map_or(0, |value| value.value()))
}

/// Checks that no new row or segment would get a number that is in use.
pub(crate) fn check_counters(tx: &ReadTransaction) -> Result<()> {
    let meta = tx.open_table(META)?;
    let last_row = tx.open_table(ROWS)?.last()?.map(|(row, _)| row.value());
    let last_segment = tx.open_table(SEGMENTS)?.last()?.map(|(segment, _)| segment.value());
    for (name, last) in [(NEXT_ROW, last_row), (NEXT_SEGMENT, last_segment)] {
        let next = counter(&meta, name)?;
        if last.is_some_and(|last| last >= next) {
            return Err(Error::Damaged { part: format!("the {name} is {next}, which is in use") });
        }
    }
    Ok(())
}

/// The nodes of a segment that are alive.
pub(crate) fn live(tx: &ReadTransaction, segment: u64, count: usize) -> Result<Bits> {
    let mut live = Bits::all(count);
    for chunk in tx.open_table(DEAD)?.range((segment, 0)..=(segment, u16::MAX))? {
        let (key, bytes) = chunk?;
        let damaged = || Error::Damaged { part: format!("dead rows of segment {segment}") };
        let dead = RoaringBitmap::deserialize_from(bytes.value()).map_err(|_| damaged())?;
        for low in dead {
            let node = u64::from(key.value().1) * u64::from(CHUNK) + u64::from(low);
            if node >= count as u64 {
                return Err(damaged());
            }
            live.unset(node as NodeId);
        }
    }
    Ok(live)
}

/// The chunk of dead nodes in which a node is.
pub(crate) fn chunk_of(node: NodeId) -> u16 {
    (node / CHUNK) as u16
}

/// Writes a chunk of the dead nodes of a segment with `count` nodes.
pub(crate) fn write_dead(
    table: &mut redb::Table<'_, (u64, u16), &'static [u8]>,
    segment: u64,
    chunk: u16,
    live: &Bits,
    count: usize,
) -> Result<()> {
    let start = u32::from(chunk) * CHUNK;
    let end = start.saturating_add(CHUNK).min(count as u32);
    let dead: RoaringBitmap =
        (start..end).filter(|node| !live.contains(*node)).map(|node| node - start).collect();
    let mut bytes = Vec::with_capacity(dead.serialized_size());
    dead.serialize_into(&mut bytes).map_err(|error| Error::Store(Box::new(error)))?;
    table.insert((segment, chunk), &*bytes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Collection, row};

    #[test]
    fn compaction_fills_the_pages_of_ids() {
        let folder = tempfile::tempdir().unwrap();
        let schema = Schema::new(1, Metric::SquaredEuclidean);
        let rows = Collection::create(folder.path().join("rows.vexdb"), schema).unwrap();
        let mut batch = rows.batch();
        // An odd factor makes a random order of the numbers below 4,096.
        let ids = || (0..4_000).map(|at| format!("row {:04}", at * 2_531 % 4_096));
        ids().for_each(|id| batch.upsert(&id, &[1.0], row! {}).unwrap());
        batch.commit().unwrap();
        let empty = || {
            let stats = rows.inner.state().tables().unwrap().ids.stats().unwrap();
            stats.fragmented_bytes() as f64 / (stats.leaf_pages() * 4_096) as f64
        };
        assert!(empty() > 0.25, "{}", empty());
        assert!(rows.inner.compact().unwrap());
        assert!(empty() < 0.1, "{}", empty());
        let view = rows.snapshot().unwrap();
        assert!(ids().all(|id| view.get(&id).unwrap().is_some()));
    }
}
