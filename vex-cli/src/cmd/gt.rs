//! `vex gt`.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use vex::graph::{InsertError, Vectors};
use vex::{Element, Metric, exact_batch};

use super::{Kind, read_queries, values};
use crate::error::Failure;
use crate::io::{FromFile, IdMatrix, Matrix, VectorFile, check_ids_extension, open_output, write_ids};
use crate::{human, progress};

/// Compute the exact nearest rows to each query: ground truth
///
/// Compares every query with every vector, and writes the row numbers of the nearest. The nearest
/// come first, and equal distances are ordered by row. `vex bench` measures recall against this
/// file.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Ids:
  .npy      2-D array of int32, a row a query
  .ivecs    rows of int32, each after its int32 length
  .ibin     uint32 rows, uint32 columns, then int32

A row has k ids, or as many as there are vectors if those are fewer.

Example:
  vex gt base.npy --queries queries.npy -k 100 --metric cosine --output truth.npy")]
pub(crate) struct Args {
    /// File of vectors: .npy, .fvecs, .bvecs or .fbin
    vectors: PathBuf,
    /// File of queries, in any of the same formats
    #[arg(long, value_name = "VECTORS")]
    queries: PathBuf,
    /// Neighbors of a query
    #[arg(short, default_value_t = 100, value_parser = values::k())]
    k: usize,
    /// How vectors are compared; for an index, use its metric
    #[arg(long, default_value = Metric::SquaredEuclidean.name(), value_parser = values::metric())]
    metric: Metric,
    /// Type to compare vectors as; auto takes the type in the file, or bits if the metric is for
    /// bits. For an index, use its type
    #[arg(long, value_name = "TYPE", default_value = "auto", value_parser = values::element())]
    element: values::Elements,
    /// Threads to work on, 1 to 1024 [default: one for each core]
    #[arg(long, value_name = "N", value_parser = values::threads())]
    threads: Option<usize>,
    /// File of ids to write: .npy, .ivecs or .ibin
    #[arg(long, value_name = "IDS")]
    output: PathBuf,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let started = Instant::now();
    check_ids_extension(&args.output)?;
    let file = VectorFile::<f32>::open(&args.vectors)?;
    let output = open_output(&args.output, &[&args.vectors, &args.queries])?;
    let element = args.element.of(file.element(), args.metric);
    let ids = match element {
        Element::F32 | Element::F16 => ids(args, element, file)?,
        Element::I8 => ids::<i8>(args, element, file.typed()?)?,
        Element::U8 => ids::<u8>(args, element, file.typed()?)?,
        Element::Bits => ids::<u64>(args, element, file.typed()?)?,
    };
    write_ids(output, &ids)?;
    let queries = human::plural(ids.rows() as u64, "query").replace("querys", "queries");
    let time = human::time(started.elapsed());
    let output = human::path(&args.output);
    writeln!(out, "{output}: {} exact neighbors of {queries} in {time}", ids.dim())?;
    Ok(())
}

/// The ids of the nearest rows to each query.
fn ids<T: FromFile>(args: &Args, element: Element, file: VectorFile<T>) -> Result<IdMatrix, Failure> {
    let kind = Kind { element, metric: args.metric, dim: file.dim() };
    let queries = read_queries::<T>(&args.queries, &args.vectors, kind)?;
    let vectors = read_vectors(file, element, args.metric)?;
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
    // A graph has fewer nodes than an `i32` can count, so row numbers fit.
    let mut ids = Vec::new();
    ids.try_reserve_exact(found.len()).map_err(refused)?;
    ids.extend(found.iter().map(|neighbor| neighbor.id as i32));
    Ok(Matrix::new(queries.rows(), k, ids))
}

/// Reads all rows as an index would hold them.
fn read_vectors<T: FromFile>(
    mut file: VectorFile<T>,
    element: Element,
    metric: Metric,
) -> Result<Vectors, Failure> {
    let path = file.path().to_owned();
    let (count, dim) = (file.rows(), file.dim());
    let mut vectors = Vectors::new(element, metric, dim).map_err(|error| Failure::refused(&path, error))?;
    vectors.reserve_exact(count).map_err(|error| Failure::refused(&path, error))?;
    let bar = progress::bar("reading", count);
    let mut vector = Vec::new();
    vector.try_reserve_exact(element.scalars(dim)).map_err(|error| Failure::refused(&path, error))?;
    vector.resize(element.scalars(dim), T::default());
    for row in 0..count {
        file.read_row(&mut vector)?;
        vectors.push(&vector).map_err(|error| match error {
            InsertError::Vector(error) => Failure::Row { path: path.clone(), row, error },
            error => Failure::refused(&path, error),
        })?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(vectors)
}
