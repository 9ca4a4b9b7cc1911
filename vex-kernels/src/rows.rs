//! Rows side by side.

/// Each row in `count` chunks and `rest` elements. Not by `map`: the compiler may call it, and
/// behind the call lengths are unknown, and checked in the loops.
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
