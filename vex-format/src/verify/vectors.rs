//! Checks of the vectors: finite elements, unit length under cosine, and zero padding.

use core::ops::{Range, RangeInclusive};

use vex_graph::{Elements, Metric, NodeId, Rows};
use vex_kernels::Distance;

use crate::VerifyError;

/// The most by which the length of a vector may differ from 1 under cosine.
const UNIT_TOLERANCE: f64 = 1e-3;

/// Squared lengths that are within the tolerance, however the kernel rounded. For the longest
/// vector its error is 0.0001.
const SURELY_UNIT: RangeInclusive<f32> = 0.999..=1.001;

/// Checks the vectors of these nodes.
pub(super) fn check(rows: &Rows<'_>, nodes: Range<usize>) -> Result<(), VerifyError> {
    match rows.elements() {
        // Bits are compared, since −0 is equal to zero but is another encoding.
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

fn floats<T: vex_kernels::Element<Value = f32>>(
    rows: &Rows<'_>,
    nodes: Range<usize>,
    scalars: &[T],
    widen: impl Fn(&T) -> f32,
    is_zero: impl Fn(&T) -> bool,
) -> Result<(), VerifyError> {
    let product = Distance::<T>::new(Metric::InnerProduct);
    for (node, vector, padding) in split(rows, nodes, scalars) {
        // The kernel checks many elements at once: if the sum of squares is finite, so are the
        // elements.
        let squared_length = -product.distance(vector, vector);
        let is_right = match rows.metric() {
            Metric::Cosine => SURELY_UNIT.contains(&squared_length),
            _ => squared_length.is_finite(),
        };
        if !is_right {
            one_by_one(rows.metric(), node, vector, &widen)?;
        }
        check_padding(rows, node, padding, &is_zero)?;
    }
    Ok(())
}

/// Checks a vector element by element, when the kernel's sum does not suffice.
fn one_by_one<T>(
    metric: Metric,
    node: NodeId,
    vector: &[T],
    widen: impl Fn(&T) -> f32,
) -> Result<(), VerifyError> {
    if let Some(position) = vector.iter().position(|element| !widen(element).is_finite()) {
        return Err(VerifyError::NotFinite { node, position });
    }
    let (min, max) = (1.0 - UNIT_TOLERANCE, 1.0 + UNIT_TOLERANCE);
    let square = |element| f64::from(widen(element)) * f64::from(widen(element));
    let found = vector.iter().map(square).sum();
    match metric {
        Metric::Cosine if !(min * min..=max * max).contains(&found) => {
            Err(VerifyError::NotUnitLength { node, found })
        }
        _ => Ok(()),
    }
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

/// The vector of each node, and the padding in its row.
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
