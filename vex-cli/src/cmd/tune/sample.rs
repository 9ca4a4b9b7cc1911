//! A part of the vectors, queries, and their true neighbors.

use std::collections::TryReserveError;
use std::ops::ControlFlow;

use vex::graph::{InsertError, Vectors};
use vex::{Element, Scalar, exact_batch};

use super::Args;
use crate::cmd::{Kind, read_queries};
use crate::error::Failure;
use crate::io::{FromFile, Matrix, Role, VectorFile};
use crate::progress;

/// Of the vectors, so many are searched for at most, and at most this share.
const QUERIES: usize = 500;
const SHARE: usize = 10;

/// What is built and searched.
pub(super) struct Sample<T> {
    /// How many vectors the file has.
    pub(super) count: usize,
    pub(super) dim: usize,
    pub(super) element: Element,
    pub(super) vectors: Matrix<T>,
    pub(super) queries: Matrix<T>,
    pub(super) k: usize,
    /// For each query the distance of the k-th true neighbor in the sample.
    pub(super) farthest: Vec<f32>,
}

impl<T: FromFile + Scalar> Sample<T> {
    /// Reads the sample and the queries, and computes the ground truth.
    pub(super) fn read(args: &Args, element: Element, mut file: VectorFile<T>) -> Result<Self, Failure> {
        let path = args.vectors.as_path();
        let (count, dim) = (file.rows(), file.dim());
        let kind = Kind { element, metric: args.metric(), dim };
        let input = |queries| args.reading.input_without_column(queries, Role::Queries);
        let given = args.queries.as_deref().map(input);
        let given = given.map(|queries| read_queries::<T>(&queries, path, kind)).transpose()?;
        let held_out = if given.is_some() { 0 } else { QUERIES.min(count / SHARE).max(1) };
        if count <= held_out {
            return Err(Failure::refused(
                path,
                "expected at least 2 vectors, found 1; name queries of your own",
            ));
        }
        let taken = count.min(args.sample.saturating_add(held_out));
        let refused = |error: TryReserveError| Failure::refused(path, error);
        // Rows are spread over the file, which may be sorted, and queries over the sample.
        let mut vectors =
            Vectors::new(element, args.metric(), dim).map_err(|error| Failure::refused(path, error))?;
        let (mut kept, mut left_out) = (Vec::new(), Vec::new());
        let scalars = file.scalars();
        kept.try_reserve_exact((taken - held_out).saturating_mul(scalars)).map_err(refused)?;
        left_out.try_reserve_exact(held_out.saturating_mul(scalars)).map_err(refused)?;
        let bar = progress::bar("reading", count);
        let mut vector = vec![T::default(); scalars];
        let mut next = 0;
        for row in 0..count {
            file.read_row(&mut vector)?;
            bar.inc(1);
            if next == taken || row != spread(next, taken, count) {
                continue;
            }
            let queries = left_out.len() / scalars;
            if queries < held_out && next == spread(queries, held_out, taken) {
                left_out.extend_from_slice(&vector);
            } else {
                vectors.push(&vector).map_err(|error| match error {
                    InsertError::Vector(error) => {
                        let (path, row) = file.place(row);
                        Failure::Row { path, row, error }
                    }
                    error => Failure::refused(path, error),
                })?;
                kept.extend_from_slice(&vector);
            }
            next += 1;
        }
        bar.finish_and_clear();
        let queries = given.unwrap_or_else(|| Matrix::new(held_out, scalars, left_out));
        let vectors_kept = Matrix::new(taken - held_out, scalars, kept);
        let k = args.k.min(vectors_kept.rows());
        let farthest = truth(args, &vectors, &queries, k)?;
        Ok(Self { count, dim, element, vectors: vectors_kept, queries, k, farthest })
    }
}

/// The position of one of `of` things that are spread over `all`.
fn spread(index: usize, of: usize, all: usize) -> usize {
    (index as u128 * all as u128 / of as u128) as usize
}

/// The distance of the k-th neighbor of each query.
fn truth<T: FromFile + Scalar>(
    args: &Args,
    vectors: &Vectors,
    queries: &Matrix<T>,
    k: usize,
) -> Result<Vec<f32>, Failure> {
    let slices: Vec<&[T]> = queries.iter().collect();
    let bar = progress::bar("queries", slices.len());
    let answered = |answered: usize| {
        bar.set_position(answered as u64);
        ControlFlow::Continue(())
    };
    let path = args.queries.as_deref().unwrap_or(&args.vectors);
    let found = exact_batch(&vectors.rows(), &slices, k, args.threads, answered);
    let found = found.map_err(|error| Failure::exact(path, error))?;
    bar.finish_and_clear();
    Ok(found.chunks(k).map(|row| row[k - 1].distance).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_spread_and_differ() {
        for (of, all) in [(1, 1), (1, 9), (3, 10), (10, 10), (7, 1000)] {
            let positions: Vec<usize> = (0..of).map(|index| spread(index, of, all)).collect();
            assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
            assert!(positions[0] == 0 && positions[of - 1] < all, "{positions:?}");
        }
    }
}
