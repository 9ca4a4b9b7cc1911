//! Four rows, or one, that a kernel reads side by side.

/// Each row as `count` chunks and `rest` elements.
///
/// The loop is not `map` of an array. The compiler may call the closure of a `map`, and the lengths
/// are unknown behind a call. Then the kernels would check lengths in their loops.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
pub(crate) fn chunks<T, const N: usize, const ROWS: usize>(
    rows: [&[T]; ROWS],
    count: usize,
    rest: usize,
) -> ([&[[T; N]]; ROWS], [&[T]; ROWS]) {
    let mut split: ([&[[T; N]]; ROWS], [&[T]; ROWS]) = ([&[]; ROWS], [&[]; ROWS]);
    for r in 0..ROWS {
        let (chunks_of_row, rest_of_row) = rows[r].as_chunks::<N>();
        (split.0[r], split.1[r]) = (&chunks_of_row[..count], &rest_of_row[..rest]);
    }
    split
}
