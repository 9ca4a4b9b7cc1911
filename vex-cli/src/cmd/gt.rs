//! `vex gt`.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use vex::graph::{InsertError, Vectors};
use vex::{Metric, exact_batch};

use super::{read_queries, values};
use crate::error::Failure;
use crate::io::{Matrix, VectorFile, check_ids_extension, check_output, write_ids};
use crate::{human, progress};

/// Compute the exact nearest rows to each query: ground truth
///
/// Compares every query with every vector, and writes the row numbers of the nearest, nearest first, equal distances by
/// row. `vex bench` measures recall against them.
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
    /// How vectors are compared; for an index, its own metric
    #[arg(long, default_value = Metric::SquaredEuclidean.name(), value_parser = values::metric())]
    metric: Metric,
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
    let file = VectorFile::open(&args.vectors)?;
    let queries = read_queries(&args.queries, &args.vectors, file.dim())?;
    check_output(&args.output, &[&args.vectors, &args.queries])?;

    let vectors = read_vectors(file, args.metric)?;
    let slices: Vec<&[f32]> = queries.iter().collect();
    let bar = progress::bar("queries", slices.len());
    let answered = |answered: usize| {
        bar.set_position(answered as u64);
        ControlFlow::Continue(())
    };
    let found = exact_batch(&vectors.rows(), &slices, args.k, args.threads, answered)
        .map_err(|error| Failure::exact(&args.queries, error))?;
    bar.finish_and_clear();

    let k = args.k.min(vectors.count());
    // Row numbers are below the most nodes of a graph, which an `i32` holds.
    let ids = found.iter().map(|neighbor| neighbor.id as i32).collect();
    write_ids(&args.output, &Matrix::new(queries.rows(), k, ids))?;
    let queries = human::plural(queries.rows() as u64, "query").replace("querys", "queries");
    let time = human::time(started.elapsed());
    writeln!(out, "{}: {k} exact neighbors of {queries} in {time}", args.output.display())?;
    Ok(())
}

/// Reads all rows as an index would hold them.
fn read_vectors(mut file: VectorFile, metric: Metric) -> Result<Vectors, Failure> {
    let path = file.path().to_owned();
    let (count, dim) = (file.rows(), file.dim());
    let mut vectors = Vectors::new(metric, dim).map_err(|error| Failure::refused(&path, error))?;
    vectors.reserve_exact(count).map_err(|error| Failure::refused(&path, error))?;
    let bar = progress::bar("reading", count);
    let mut vector = vec![0.0; dim];
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
