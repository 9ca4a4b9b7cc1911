//! `vex add`.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use vex::graph::{InsertError as Refusal, UpdateError};
use vex::{Element, Index, InsertError, Scalar, VectorError};

use super::change::{Changing, Saved};
use super::reading::Reading;
use super::{print_json, read_unique_keys};
use crate::error::Failure;
use crate::io::{FromFile, Role, VectorFile};
use crate::{human, progress};

/// Add vectors to an index
///
/// Links each vector into the graph, and saves the index in place of the old one. Until the new file
/// is complete, the old one stays as it is, and other commands can search it. Other writers of it
/// are refused. If one of the vectors cannot be added, none is.
///
/// Vectors are added one after the other, on one thread. If there are more of them than the index
/// has, build an index of them, and `vex merge` both.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Vectors and keys are files as for vex build. Without --keys, the keys go on after the largest of the index.

Examples:
  vex add base.vex more.npy
  vex add base.vex changed.npy --keys keys.txt --replace

JSON: one object with added, replaced, first_key (of the keys that go on; null with --keys), count (of the vectors \
that are in the index now), index_bytes (the file) and seconds.")]
pub(crate) struct Args {
    #[command(flatten)]
    changing: Changing,
    /// File of vectors, or a folder of them; - for standard input
    vectors: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// A number for each vector: .npy or .txt [default: go on after the largest key]
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Replace the vectors whose keys are in the index already, instead of failing
    #[arg(long, requires = "keys")]
    replace: bool,
}

#[derive(Serialize)]
struct Report {
    added: usize,
    replaced: usize,
    first_key: Option<u64>,
    #[serde(flatten)]
    saved: Saved,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let mut inputs = vec![args.vectors.as_path()];
    inputs.extend(args.keys.as_deref());
    let mut change = args.changing.open(&inputs)?;
    let index = &mut change.index;
    let (added, replaced, first_key) = match index.element() {
        Element::F32 | Element::F16 => add::<f32>(args, index)?,
        Element::I8 => add::<i8>(args, index)?,
        Element::U8 => add::<u8>(args, index)?,
        Element::Bits => add::<u64>(args, index)?,
    };
    let report = Report { added, replaced, first_key, saved: change.save()? };
    if args.changing.json {
        return print_json(out, &report);
    }
    let path = human::path(args.changing.target());
    write!(out, "{path}: {} added", human::plural(added as u64, "vector"))?;
    if let Some(first) = first_key {
        write!(out, " as keys {first} to {}", first + (added as u64 - 1))?;
    }
    if args.replace {
        write!(out, ", {} replaced", human::count(replaced as u64))?;
    }
    writeln!(out, "\n{}", report.saved.describe())?;
    Ok(())
}

/// Adds the vectors of the file. Returns how many were added and replaced, and the first key if they
/// go on after the largest.
fn add<T: FromFile + Scalar>(args: &Args, index: &mut Index) -> Result<(usize, usize, Option<u64>), Failure> {
    let (path, base) = (&*args.vectors, &*args.changing.index);
    let mut file = VectorFile::<T>::open(&args.reading.input(path, Role::Vectors))?;
    let (count, found) = (file.rows(), file.dim());
    if found != index.dim() {
        let (path, like) = (path.to_owned(), base.to_owned());
        return Err(Failure::Dimension { path, expected: index.dim(), like, found });
    }
    let (keys, first) = match &args.keys {
        Some(keys) => (Some(named(keys, count, index, args)?), None),
        None => (None, Some(next(base, count, index)?)),
    };
    let bar = progress::bar("linking", count);
    let mut vector = Vec::new();
    let scalars = index.element().scalars(found);
    vector.try_reserve_exact(scalars).map_err(|error| Failure::refused(path, error))?;
    vector.resize(scalars, T::default());
    let mut replaced = 0;
    for row in 0..count {
        file.read_row(&mut vector)?;
        let key = match (&keys, first) {
            (Some(keys), _) => keys[row],
            (None, first) => first.unwrap_or(0) + row as u64,
        };
        let was_there = index.upsert(key, &vector).map_err(|error| refusal(file.place(row), base, error))?;
        replaced += usize::from(was_there);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok((count - replaced, replaced, first))
}

/// Reads the keys. Without --replace, none may be in the index.
fn named(path: &Path, count: usize, index: &Index, args: &Args) -> Result<Vec<u64>, Failure> {
    let keys = read_unique_keys(path, count)?;
    match keys.iter().find(|key| index.contains(**key)) {
        Some(key) if !args.replace => {
            Err(Failure::TakenKey { path: path.to_owned(), key: *key, index: args.changing.index.clone() })
        }
        _ => Ok(keys),
    }
}

/// The key after the largest, if so many more keys follow it.
fn next(path: &Path, count: usize, index: &Index) -> Result<u64, Failure> {
    let Some(largest) = index.searcher().keys().max() else { return Ok(0) };
    match largest.checked_add(count as u64) {
        Some(_) => Ok(largest + 1),
        None => Err(Failure::KeysEnd { path: path.to_owned(), largest }),
    }
}

fn refusal((path, row): (PathBuf, usize), index: &Path, error: InsertError) -> Failure {
    let of_row = |error: VectorError| Failure::Row { path, row, error };
    match error {
        InsertError::Graph(Refusal::Vector(error)) => of_row(error),
        InsertError::Update(UpdateError::Insert(Refusal::Vector(error))) => of_row(error),
        error => Failure::refused(index, error),
    }
}
