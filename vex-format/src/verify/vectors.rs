//! What can be wrong with rows of scalars.

use core::ops::Range;

use vex_graph::{Elements, Metric, NodeId, Rows};

use crate::VerifyError;

/// How far the length of a vector may be from 1 under cosine.
const UNIT_TOLERANCE: f64 = 1e-3;

/// Checks the vectors of some nodes.
pub(super) fn check(rows: &Rows<'_>, nodes: Range<usize>) -> Result<(), VerifyError> {
    match rows.elements() {
        // By bits, since −0 is zero but not the one encoding of it.
        Elements::F32(scalars) => {
            floats(rows, nodes, scalars, |element| *element, |element| element.to_bits() == 0)
        }
        Elements::F16(scalars) => {
            floats(rows, nodes, scalars, |element| element.to_f32(), |element| element.to_bits() == 0)
        }
        Elements::I8(scalars) => integers(rows, nodes, scalars),
        Elements::U8(scalars) => integers(rows, nodes, scalars),
        Elements::Bits(words) => bits(rows, nodes, words),
    }
}

fn floats<T>(
    rows: &Rows<'_>,
    nodes: Range<usize>,
    scalars: &[T],
    widen: impl Fn(&T) -> f32,
    is_zero: impl Fn(&T) -> bool,
) -> Result<(), VerifyError> {
    let (min, max) = (1.0 - UNIT_TOLERANCE, 1.0 + UNIT_TOLERANCE);
    for (node, vector, padding) in split(rows, nodes, scalars) {
        // Each row as a whole first, which the processor does many elements at a time. A length in range is one of finite elements.
        let is_right = match rows.metric() {
            Metric::Cosine => (min * min..=max * max).contains(&squared_length(vector, &widen)),
            _ => vector.iter().fold(true, |finite, element| finite & widen(element).is_finite()),
        };
        if !is_right {
            let infinite = vector.iter().position(|element| !widen(element).is_finite());
            return Err(match infinite {
                Some(position) => VerifyError::NotFinite { node, position },
                None => VerifyError::NotUnitLength { node, found: squared_length(vector, &widen) },
            });
        }
        check_padding(rows, node, padding, &is_zero)?;
    }
    Ok(())
}

/// In eight sums, since a single one would wait for each addition.
fn squared_length<T>(vector: &[T], widen: impl Fn(&T) -> f32) -> f64 {
    let square = |element| f64::from(widen(element)) * f64::from(widen(element));
    let (parts, rest) = vector.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for part in parts {
        for (sum, element) in sums.iter_mut().zip(part) {
            *sum += square(element);
        }
    }
    sums.into_iter().chain(rest.iter().map(square)).sum()
}

fn integers<T: PartialEq + Default>(
    rows: &Rows<'_>,
    nodes: Range<usize>,
    scalars: &[T],
) -> Result<(), VerifyError> {
    let is_zero = |element: &T| *element == T::default();
    for (node, vector, padding) in split(rows, nodes, scalars) {
        check_padding(rows, node, padding, is_zero)?;
        if rows.metric() == Metric::Cosine && vector.iter().all(is_zero) {
            return Err(VerifyError::ZeroVector { node });
        }
    }
    Ok(())
}

fn bits(rows: &Rows<'_>, nodes: Range<usize>, words: &[u64]) -> Result<(), VerifyError> {
    for (node, vector, padding) in split(rows, nodes, words) {
        let used = rows.dim() % 64;
        if let Some(last) = vector.last().filter(|_| used > 0)
            && last >> used != 0
        {
            return Err(VerifyError::VectorPadding { node, position: vector.len() - 1 });
        }
        check_padding(rows, node, padding, |word| *word == 0)?;
    }
    Ok(())
}

/// The vector of each of some nodes, and what follows it in its row.
fn split<'a, T>(
    rows: &Rows<'_>,
    nodes: Range<usize>,
    scalars: &'a [T],
) -> impl Iterator<Item = (NodeId, &'a [T], &'a [T])> {
    let len = rows.element().scalars(rows.dim());
    nodes.clone().zip(scalars.chunks_exact(rows.stride()).skip(nodes.start)).map(move |(node, row)| {
        let (vector, padding) = row.split_at(len);
        (node as NodeId, vector, padding)
    })
}

fn check_padding<T>(
    rows: &Rows<'_>,
    node: NodeId,
    padding: &[T],
    is_zero: impl Fn(&T) -> bool,
) -> Result<(), VerifyError> {
    match padding.iter().position(|element| !is_zero(element)) {
        Some(position) => {
            let position = rows.element().scalars(rows.dim()) + position;
            Err(VerifyError::VectorPadding { node, position })
        }
        None => Ok(()),
    }
}
