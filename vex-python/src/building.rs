//! Builds and changes of an index, while Python's lock is released.

use std::collections::HashSet;
use std::ops::ControlFlow;

use vex::graph::Vectors as Checked;
use vex::{BuildError, Builder, DuplicateKey, Elements, Index, Scalar};

use crate::arrays::Rows;
use crate::error::{Failure, Result};
use crate::progress::Watch;

/// Builds an index of these rows, on the threads of the builder.
pub(crate) fn build(builder: Builder, rows: Rows<'_>, keys: &[u64], mut watch: Watch) -> Result<Index> {
    let built = match rows.all {
        Elements::F32(all) => of(builder, all, rows, keys, &mut watch),
        Elements::F16(all) => of(builder, all, rows, keys, &mut watch),
        Elements::I8(all) => of(builder, all, rows, keys, &mut watch),
        Elements::U8(all) => of(builder, all, rows, keys, &mut watch),
        Elements::Bits(all) => of(builder, all, rows, keys, &mut watch),
    };
    watch.end(built)
}

fn of<S: Scalar>(
    builder: Builder,
    all: &[S],
    rows: Rows<'_>,
    keys: &[u64],
    watch: &mut Watch,
) -> Result<Index, BuildError> {
    let mut rest = all.chunks_exact(rows.scalars.max(1)).zip(keys);
    let fill = |to: &mut [S]| {
        let (row, key) = rest.next().expect("a row and a key for each that is counted");
        to.copy_from_slice(row);
        Ok(*key)
    };
    let count = rows.count;
    builder.build_with(count, fill, |linked| watch.beat(linked == count, || (linked, count)))
}

/// Checks that rows and keys can be added, all of them.
pub(crate) fn check_new(index: &Index, rows: Rows<'_>, keys: &[u64]) -> Result<()> {
    let mut seen = HashSet::new();
    for (position, key) in keys.iter().enumerate() {
        if index.contains(*key) || !seen.insert(*key) {
            return Err(Failure::value(format!("vector {position}: {}", DuplicateKey { key: *key })));
        }
    }
    check_rows(index, rows)
}

/// Checks that rows can be indexed, all of them.
pub(crate) fn check_rows(index: &Index, rows: Rows<'_>) -> Result<()> {
    for position in 0..rows.count {
        let mut one = Checked::new(index.element(), index.metric(), index.dim())?;
        one.push(rows.get(position))
            .map_err(|error| Failure::value(format!("vector {position}: {error}")))?;
    }
    Ok(())
}

/// Calls `change` with each row and its key. Ctrl-C ends this between two rows.
pub(crate) fn each(
    rows: Rows<'_>,
    keys: &[u64],
    mut change: impl FnMut(u64, Elements<'_>) -> Result<()>,
) -> Result<()> {
    let mut watch = Watch::new(None);
    for (row, key) in keys.iter().enumerate() {
        if let ControlFlow::Break(()) = watch.beat(false, || ()) {
            break;
        }
        change(*key, rows.get(row))?;
    }
    watch.end(Ok::<(), Failure>(()))
}
