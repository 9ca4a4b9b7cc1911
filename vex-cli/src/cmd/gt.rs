//! `vex gt`.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use vex::graph::{InsertError, Neighbor, Vectors};
use vex::{Element, Hit, Metric, Output, Scalar, SearchError, Searcher, exact_batch};

use super::invalid::{OnInvalid, Skipped};
use super::reading::{FORMATS, Reading};
use super::{Kind, is_index, read_queries, values};
use crate::error::Failure;
use crate::io::{
    self, FromFile, IdMatrix, Matrix, Role, VectorFile, check_name, largest_id, open_output, write_ids,
};
use crate::{human, machine, mmap, progress};

/// Compute the exact nearest vectors to each query: ground truth
///
/// Compares every query with every vector of a file or an index. Writes the row numbers of the
/// nearest, or their keys if the vectors are those of an index. The nearest come first, and equal
/// distances are ordered by row or key. `vex bench` measures recall against this file.
///
/// An index has a metric and an element type, which are used. Its deleted vectors are left out.
#[derive(Debug, clap::Args)]
#[command(after_long_help = format!("\
Vectors and queries:
{FORMATS}
Ids:
  .npy      2-D array of int32, or of int64 if an id needs it, a row a query
  .ivecs    rows of int32, each after its int32 length
  .ibin     uint32 rows, uint32 columns, then int32

A row has k ids, or as many as there are vectors if those are fewer.

Examples:
  vex gt base.npy -q queries.npy -k 100 --metric cosine -o truth.npy
  vex gt base.vex -q queries.npy -o truth.npy"))]
pub(crate) struct Args {
    /// File of vectors, or a folder of them, or an index; - for standard input
    vectors: PathBuf,
    /// File of queries, in any of the same formats
    #[arg(short, long, value_name = "VECTORS")]
    queries: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// What to do with a row of NaN, or of zeros under cosine, in a file of vectors [default: refuse]
    #[arg(long, value_name = "WHAT")]
    on_invalid: Option<OnInvalid>,
    /// Neighbors of a query
    #[arg(short, default_value_t = 100, value_parser = values::k())]
    k: usize,
    /// How vectors are compared [default: squared-euclidean, or the metric of the index]
    #[arg(long, value_parser = values::metric())]
    metric: Option<Metric>,
    /// Type to compare vectors as; auto takes the type in the file or the index, or bits if the
    /// metric is for bits
    #[arg(long, value_name = "TYPE", default_value = "auto", value_parser = values::element())]
    element: values::Elements,
    /// Threads to work on, 1 to 1024 [default: one for each core]
    #[arg(short, long, value_name = "N", value_parser = values::threads())]
    threads: Option<usize>,
    /// File of ids to write: .npy, .ivecs or .ibin
    #[arg(short, long, value_name = "IDS")]
    output: PathBuf,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let started = Instant::now();
    if [&args.vectors, &args.queries].iter().all(|path| path.as_os_str() == "-") {
        return Err(Failure::TwoStdins);
    }
    check_name(&args.output)?;
    let mut skipped = Skipped::default();
    let (output, ids) = if is_index(&args.vectors) { of_index(args)? } else { of_file(args, &mut skipped)? };
    write_ids(output, &ids)?;
    let queries = human::plural(ids.rows() as u64, "query").replace("querys", "queries");
    let time = human::time(started.elapsed());
    let output = human::path(&args.output);
    writeln!(out, "{output}: {} exact neighbors of {queries} in {time}", ids.dim())?;
    Ok(skipped.print(&args.vectors, out)?)
}

fn of_file(args: &Args, skipped: &mut Skipped) -> Result<(Output, IdMatrix), Failure> {
    largest_id(&args.output)?;
    let rows = io::open(&args.reading.input(&args.vectors, Role::Vectors))?;
    let output = open_output(&args.output, &[&args.vectors, &args.queries])?;
    let element = args.element.of(io::element(rows.shape().stored), args.metric());
    let ids = match element {
        Element::F32 | Element::F16 => ids::<f32>(args, element, VectorFile::of(rows)?, skipped)?,
        Element::I8 => ids::<i8>(args, element, VectorFile::of(rows)?, skipped)?,
        Element::U8 => ids::<u8>(args, element, VectorFile::of(rows)?, skipped)?,
        Element::Bits => ids::<u64>(args, element, VectorFile::of(rows)?, skipped)?,
    };
    Ok((output, ids))
}

/// The ids are keys, so that a search finds the same ones.
fn of_index(args: &Args) -> Result<(Output, IdMatrix), Failure> {
    let path = args.vectors.as_path();
    let index = mmap::open(path)?;
    let kind = Kind::of(index.header());
    let other =
        |option, expected, found| Failure::OptionOfIndex { path: path.to_owned(), option, expected, found };
    if let Some(metric) = args.metric.filter(|metric| *metric != kind.metric) {
        return Err(other("--metric", kind.metric.name(), metric.name()));
    }
    if let Some(element) = args.element.named().filter(|element| *element != kind.element) {
        return Err(other("--element", kind.element.name(), element.name()));
    }
    if args.on_invalid.is_some() {
        return Err(Failure::refused(path, "expected no --on-invalid: every vector of an index is valid"));
    }
    let searcher = index.searcher();
    if !searcher.graph().rows().are_stored() {
        return Err(Failure::NoVectors { path: path.to_owned() });
    }
    if searcher.is_empty() {
        return Err(Failure::refused(path, "expected an index with a vector, found none"));
    }
    let largest = largest_id(&args.output)?;
    if let Some(key) = searcher.keys().find(|key| *key > largest) {
        return Err(Failure::WideKey { path: path.to_owned(), key, largest });
    }
    let output = open_output(&args.output, &[path, &args.queries])?;
    let ids = match kind.element {
        Element::F32 | Element::F16 => keys::<f32>(args, searcher, kind)?,
        Element::I8 => keys::<i8>(args, searcher, kind)?,
        Element::U8 => keys::<u8>(args, searcher, kind)?,
        Element::Bits => keys::<u64>(args, searcher, kind)?,
    };
    Ok((output, ids))
}

impl Args {
    fn metric(&self) -> Metric {
        self.metric.unwrap_or(Metric::SquaredEuclidean)
    }
}

/// The keys of the nearest vectors to each query. All of them fit into a file of ids.
fn keys<T: FromFile + Scalar>(args: &Args, index: Searcher<'_>, kind: Kind) -> Result<IdMatrix, Failure> {
    let queries = args.reading.input_without_column(&args.queries, Role::Queries);
    let queries = read_queries::<T>(&queries, &args.vectors, kind)?;
    let k = args.k.min(index.len());
    let bar = progress::bar("queries", queries.rows());
    let refused = |error| Failure::refused(&args.queries, error);
    let mut ids = Vec::new();
    ids.try_reserve_exact(queries.rows().saturating_mul(k)).map_err(refused)?;
    let node_keys = index.node_keys();
    if index.graph().tombstones().is_empty() {
        let slices: Vec<&[T]> = queries.iter().collect();
        let answered = |answered: usize| {
            bar.set_position(answered as u64);
            ControlFlow::Continue(())
        };
        let mut found = exact_batch(index.graph().rows(), &slices, k, args.threads, answered)
            .map_err(|error| Failure::exact(&args.queries, error))?;
        // Nodes are in another order than keys.
        for row in found.chunks_mut(k) {
            let key = |neighbor: &Neighbor| node_keys[neighbor.id as usize];
            row.sort_by(|a, b| a.distance.total_cmp(&b.distance).then(key(a).cmp(&key(b))));
        }
        ids.extend(found.iter().map(|neighbor| node_keys[neighbor.id as usize] as i64));
    } else {
        let found = live(args, index, &queries, k, || bar.inc(1))?;
        for mut hits in found {
            hits.sort_by(|a, b| a.distance.total_cmp(&b.distance).then(a.key.cmp(&b.key)));
            ids.extend(hits.iter().map(|hit| hit.key as i64));
        }
    }
    bar.finish_and_clear();
    Ok(Matrix::new(queries.rows(), k, ids))
}

/// The nearest vectors that are not deleted. Each query reads all rows by itself.
fn live<T: FromFile + Scalar>(
    args: &Args,
    index: Searcher<'_>,
    queries: &Matrix<T>,
    k: usize,
    answered: impl Fn() + Sync,
) -> Result<Vec<Vec<Hit>>, Failure> {
    let threads = args.threads.unwrap_or_else(machine::cores);
    let mut all = vec![Vec::new(); queries.rows()];
    let share = queries.rows().div_ceil(threads);
    let answer = |start: usize, all: &mut [Vec<Hit>]| -> Result<(), (usize, SearchError)> {
        for (row, hits) in (start..).zip(all) {
            *hits = index.exact(queries.row(row), k).map_err(|error| (row, error))?;
            answered();
        }
        Ok(())
    };
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for (part, all) in all.chunks_mut(share).enumerate() {
            let work = move || answer(part * share, all);
            let worker = thread::Builder::new().spawn_scoped(scope, work);
            workers.push(worker.map_err(|error| Failure::refused(&args.vectors, error))?);
        }
        workers.into_iter().try_for_each(|worker| {
            let answered = worker.join().expect("a search that does not panic");
            answered.map_err(|(row, error)| Failure::search(&args.vectors, &args.queries, row, error))
        })
    })?;
    Ok(all)
}

/// The ids of the nearest rows to each query.
fn ids<T: FromFile + Scalar>(
    args: &Args,
    element: Element,
    file: VectorFile<T>,
    skipped: &mut Skipped,
) -> Result<IdMatrix, Failure> {
    let kind = Kind { element, metric: args.metric(), dim: file.dim() };
    let queries = args.reading.input_without_column(&args.queries, Role::Queries);
    let queries = read_queries::<T>(&queries, &args.vectors, kind)?;
    let (vectors, rows) = read_vectors(file, kind, args.on_invalid.unwrap_or(OnInvalid::Refuse), skipped)?;
    let mut slices: Vec<&[T]> = Vec::new();
    let refused = |error| Failure::refused(&args.queries, error);
    slices.try_reserve_exact(queries.rows()).map_err(refused)?;
    slices.extend(queries.iter());
    let bar = progress::bar("queries", slices.len());
    let answered = |answered: usize| {
        bar.set_position(answered as u64);
        ControlFlow::Continue(())
    };
    let found = exact_batch(&vectors.rows(), &slices, args.k, args.threads, answered)
        .map_err(|error| Failure::exact(&args.queries, error))?;
    bar.finish_and_clear();

    let k = args.k.min(vectors.count());
    let mut ids = Vec::new();
    ids.try_reserve_exact(found.len()).map_err(refused)?;
    // Without rows that were skipped, the vectors are numbered as the rows.
    let row = |id: u32| rows.get(id as usize).map_or(i64::from(id), |row| *row as i64);
    ids.extend(found.iter().map(|neighbor| row(neighbor.id)));
    Ok(Matrix::new(queries.rows(), k, ids))
}

/// Reads all rows as an index would hold them. Returns the row of each vector as well, if rows may be
/// skipped.
fn read_vectors<T: FromFile + Scalar>(
    mut file: VectorFile<T>,
    Kind { element, metric, dim }: Kind,
    on_invalid: OnInvalid,
    skipped: &mut Skipped,
) -> Result<(Vectors, Vec<usize>), Failure> {
    let path = file.path().to_owned();
    let count = file.rows();
    let mut rows = Vec::new();
    let mut vectors = Vectors::new(element, metric, dim).map_err(|error| Failure::refused(&path, error))?;
    vectors.reserve_exact(count).map_err(|error| Failure::refused(&path, error))?;
    let bar = progress::bar("reading", count);
    let mut vector = Vec::new();
    vector.try_reserve_exact(file.scalars()).map_err(|error| Failure::refused(&path, error))?;
    vector.resize(file.scalars(), T::default());
    for row in 0..count {
        file.read_row(&mut vector)?;
        match vectors.push(&vector) {
            Ok(_) if on_invalid == OnInvalid::Skip => rows.push(row),
            Ok(_) => {}
            Err(InsertError::Vector(error)) if on_invalid == OnInvalid::Skip => skipped.push(row, &error),
            Err(InsertError::Vector(error)) => {
                let (path, row) = file.place(row);
                return Err(Failure::Row { path, row, error });
            }
            Err(error) => return Err(Failure::refused(&path, error)),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    skipped.check(&path, count)?;
    Ok((vectors, rows))
}
