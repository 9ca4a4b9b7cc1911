//! `vex merge`.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use vex::{BuildError, Coding, Element, Elements, Index, MappedIndex, SaveOptions, Scalar, f16, graph};

use super::change::check_no_names;
use super::{Kind, print_json, values};
use crate::error::Failure;
use crate::io::{FileError, Problem, open_output};
use crate::{human, mmap, progress};

/// Build one index from the vectors of several
///
/// The indexes have one element type, dimension and metric. Deleted vectors are left out. The vectors
/// are linked anew on all cores, as `vex build` does, with the parameters of the first index where
/// nothing else is said. The indexes stay as they are.
///
/// If two indexes have the same key, the command fails before the work. With --renumber, the keys of
/// each further index are moved up: the largest key so far, plus one, is added to each. So the keys
/// of two indexes of row numbers become the row numbers of both files, one after the other.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  vex merge a.vex b.vex -o both.vex
  vex merge 2024.vex 2025.vex 2026.vex --renumber -o all.vex

JSON: one object with count (of the vectors), added_to_keys (a number for each index, 0 without --renumber), \
index_bytes (the file) and seconds.")]
pub(crate) struct Args {
    /// The indexes, at least two
    #[arg(value_name = "INDEX", num_args = 2.., required = true)]
    indexes: Vec<PathBuf>,
    /// The index to write
    #[arg(short, long, value_name = "INDEX")]
    output: PathBuf,
    /// Move the keys of each further index up, beyond the largest key before
    #[arg(long)]
    renumber: bool,
    /// Links of a vector, 4 to 512 [default: as in the first index]
    #[arg(long, value_parser = values::m())]
    m: Option<usize>,
    /// Candidates among which links are selected [default: as in the first index]
    #[arg(long, value_name = "N", value_parser = values::ef())]
    ef_construction: Option<usize>,
    /// Codes by which a search finds candidates: see vex build [default: as in the first index]
    #[arg(long, value_name = "CODES", value_parser = values::quantization())]
    quantize: Option<Coding>,
    /// Threads to link on, 1 to 1024 [default: one for each core]
    #[arg(short, long, value_name = "N", value_parser = values::threads())]
    threads: Option<usize>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    count: usize,
    added_to_keys: Vec<u64>,
    index_bytes: u64,
    seconds: f64,
}

/// An index that is merged, and what is added to its keys.
struct Part<'a> {
    path: &'a Path,
    index: MappedIndex,
    shift: u64,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let started = Instant::now();
    let mut parts = args.indexes.iter().map(|path| open(path)).collect::<Result<Vec<_>, _>>()?;
    let kind = Kind::of(parts[0].index.header());
    for part in &parts[1..] {
        let found = Kind::of(part.index.header());
        if found != kind {
            let (path, like) = (part.path.to_owned(), parts[0].path.to_owned());
            let [expected, found] = [kind, found].map(|kind| kind.to_string());
            return Err(Failure::OtherKind { path, expected, like, found });
        }
    }
    let inputs: Vec<&Path> = args.indexes.iter().map(PathBuf::as_path).collect();
    check_no_names(&args.output)?;
    let output = open_output(&args.output, &inputs)?;
    if args.renumber {
        renumber(&mut parts)?;
    } else {
        check_keys(&parts)?;
    }
    let index = match kind.element {
        Element::F32 => build::<f32>(args, &parts)?,
        Element::F16 => build::<f16>(args, &parts)?,
        Element::I8 => build::<i8>(args, &parts)?,
        Element::U8 => build::<u8>(args, &parts)?,
        Element::Bits => build::<u64>(args, &parts)?,
    };
    let clock = progress::clock("saving");
    index.save_output(output, SaveOptions::default().overwrite(true))?;
    clock.finish_and_clear();
    let metadata =
        args.output.metadata().map_err(|error| FileError::new(&args.output, Problem::Open(error)))?;
    let report = Report {
        count: index.len(),
        added_to_keys: parts.iter().map(|part| part.shift).collect(),
        index_bytes: metadata.len(),
        seconds: started.elapsed().as_secs_f64(),
    };
    if args.json {
        return print_json(out, &report);
    }
    let vectors = human::plural(report.count as u64, "vector");
    writeln!(out, "{}: {vectors} of {kind}", human::path(&args.output))?;
    for part in parts.iter().filter(|part| part.shift > 0) {
        writeln!(out, "the keys of {} are larger by {}", human::path(part.path), part.shift)?;
    }
    let time = human::time(Duration::from_secs_f64(report.seconds));
    writeln!(out, "built in {time}, {}", human::bytes(report.index_bytes))?;
    Ok(())
}

fn open(path: &Path) -> Result<Part<'_>, Failure> {
    check_no_names(path)?;
    let index = mmap::open(path)?;
    if !index.graph().rows().are_stored() {
        return Err(Failure::NoVectors { path: path.to_owned() });
    }
    Ok(Part { path, index, shift: 0 })
}

/// Moves the keys of each further index beyond the largest key of those before.
fn renumber(parts: &mut [Part<'_>]) -> Result<(), Failure> {
    let mut next = Some(0_u64);
    for part in parts {
        let Some(largest) = part.index.searcher().keys().max() else { continue };
        let end = || Failure::KeysEnd { path: part.path.to_owned(), largest };
        part.shift = next.ok_or_else(end)?;
        let largest = part.shift.checked_add(largest).ok_or_else(end)?;
        next = largest.checked_add(1);
    }
    Ok(())
}

/// Fails if two indexes have the same key.
fn check_keys(parts: &[Part<'_>]) -> Result<(), Failure> {
    let mut owners: HashMap<u64, &Path> = HashMap::new();
    let count = parts.iter().map(|part| part.index.len()).sum();
    owners.try_reserve(count).map_err(|error| Failure::refused(parts[0].path, error))?;
    for part in parts {
        for key in part.index.searcher().keys() {
            if let Some(other) = owners.insert(key, part.path) {
                let (path, other) = (part.path.to_owned(), other.to_owned());
                return Err(Failure::SharedKey { path, key, other });
            }
        }
    }
    Ok(())
}

fn build<T: Stored>(args: &Args, parts: &[Part<'_>]) -> Result<Index, Failure> {
    let first = &parts[0].index;
    let params = first.params();
    let count: usize = parts.iter().map(|part| part.index.len()).sum();
    let mut builder = Index::builder(first.dim())
        .element(first.element())
        .metric(first.metric())
        .m(args.m.unwrap_or(params.m))
        .ef_construction(args.ef_construction.unwrap_or(params.ef_construction))
        .seed(params.seed)
        .keep_pruned(params.keep_pruned)
        .quantization(args.quantize.unwrap_or(first.header().quantization.into()));
    if let Some(threads) = args.threads {
        builder = builder.threads(threads);
    }
    let mut vectors = parts
        .iter()
        .flat_map(|part| part.index.searcher().iter().map(|(key, vector)| (key + part.shift, vector)));
    // For the error of a vector that is not what its index should have.
    let owner = |position: usize| {
        let mut end = 0;
        let part = parts.iter().find(|part| {
            end += part.index.len();
            position < end
        });
        part.unwrap_or(&parts[0]).path
    };
    let bar = progress::bar("linking", count);
    let linked = |linked: usize| {
        bar.set_position(linked as u64);
        ControlFlow::Continue(())
    };
    let fill = |to: &mut [T]| {
        let (key, vector) = vectors.next().expect("as many as were counted");
        to.copy_from_slice(T::of(vector));
        Ok::<u64, Infallible>(key)
    };
    let index = builder.build_with(count, fill, linked).map_err(|error| match error {
        BuildError::Graph(graph::BuildError::Vector { position, error }) => {
            Failure::refused(owner(position), error)
        }
        error => Failure::refused(&args.output, error),
    })?;
    bar.finish_and_clear();
    Ok(index)
}

/// The type of the scalars of stored vectors.
trait Stored: Scalar {
    /// # Panics
    /// If the vector is of another type.
    fn of(vector: Elements<'_>) -> &[Self];
}

macro_rules! stored {
    ($($scalar:ty, $element:ident;)*) => {$(
        impl Stored for $scalar {
            fn of(vector: Elements<'_>) -> &[Self] {
                match vector {
                    Elements::$element(vector) => vector,
                    _ => unreachable!("all vectors of an index have one type"),
                }
            }
        }
    )*};
}

stored! {
    f32, F32;
    f16, F16;
    i8, I8;
    u8, U8;
    u64, Bits;
}
