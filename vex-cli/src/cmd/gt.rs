//! `vex gt`.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use vex::graph::{InsertError, Vectors};
use vex::{Element, Metric, Scalar, exact_batch};

use super::invalid::{OnInvalid, Skipped};
use super::reading::{FORMATS, Reading};
use super::{Kind, read_queries, values};
use crate::error::Failure;
use crate::io::{self, FromFile, IdMatrix, Matrix, Role, VectorFile, largest_id, open_output, write_ids};
use crate::{human, progress};

/// Compute the exact nearest rows to each query: ground truth
///
/// Compares every query with every vector, and writes the row numbers of the nearest. The nearest
/// come first, and equal distances are ordered by row. `vex bench` measures recall against this
/// file.
#[derive(Debug, clap::Args)]
#[command(after_long_help = format!("\
Vectors and queries:
{FORMATS}
Ids:
  .npy      2-D array of int32, a row a query
  .ivecs    rows of int32, each after its int32 length
  .ibin     uint32 rows, uint32 columns, then int32

A row has k ids, or as many as there are vectors if those are fewer.

Example:
  vex gt base.npy --queries queries.npy -k 100 --metric cosine --output truth.npy"))]
pub(crate) struct Args {
    /// File of vectors, or a folder of them; - for standard input
    vectors: PathBuf,
    /// File of queries, in any of the same formats
    #[arg(long, value_name = "VECTORS")]
    queries: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// What to do with a row of NaN, or of zeros under cosine, in the vectors
    #[arg(long, value_name = "WHAT", default_value = "refuse")]
    on_invalid: OnInvalid,
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
    largest_id(&args.output)?;
    if [&args.vectors, &args.queries].iter().all(|path| path.as_os_str() == "-") {
        return Err(Failure::TwoStdins);
    }
    let rows = io::open(&args.reading.input(&args.vectors, Role::Vectors))?;
    let output = open_output(&args.output, &[&args.vectors, &args.queries])?;
    let element = args.element.of(io::element(rows.shape().stored), args.metric);
    let mut skipped = Skipped::default();
    let ids = match element {
        Element::F32 | Element::F16 => ids::<f32>(args, element, VectorFile::of(rows)?, &mut skipped)?,
        Element::I8 => ids::<i8>(args, element, VectorFile::of(rows)?, &mut skipped)?,
        Element::U8 => ids::<u8>(args, element, VectorFile::of(rows)?, &mut skipped)?,
        Element::Bits => ids::<u64>(args, element, VectorFile::of(rows)?, &mut skipped)?,
    };
    write_ids(output, &ids)?;
    let queries = human::plural(ids.rows() as u64, "query").replace("querys", "queries");
    let time = human::time(started.elapsed());
    let output = human::path(&args.output);
    writeln!(out, "{output}: {} exact neighbors of {queries} in {time}", ids.dim())?;
    Ok(skipped.print(&args.vectors, out)?)
}

/// The ids of the nearest rows to each query.
fn ids<T: FromFile + Scalar>(
    args: &Args,
    element: Element,
    file: VectorFile<T>,
    skipped: &mut Skipped,
) -> Result<IdMatrix, Failure> {
    let kind = Kind { element, metric: args.metric, dim: file.dim() };
    let queries = args.reading.input(&args.queries, Role::Queries);
    let queries = read_queries::<T>(&queries, &args.vectors, kind)?;
    let (vectors, rows) = read_vectors(file, kind, args.on_invalid, skipped)?;
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
