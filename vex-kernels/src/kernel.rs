//! The one body behind every floating-point kernel, written over an [`Isa`] and a [`Rule`].
//!
//! 64 virtual lanes are kept as four lines of sixteen. Element i belongs to lane i mod 64 on every
//! instruction set, a tail is a partial load into the same lanes, and the lanes are reduced by one fixed
//! tree: so the bits do not depend on the width of a register, nor on how many rows are computed at once.

use crate::element::Float;
use crate::isa::Isa;
use crate::metric::Rule;

/// f32 lanes in a line: one 64-byte cache line.
pub(crate) const LINE: usize = 16;
/// Lines in a block; a block holds every virtual lane once.
pub(crate) const LINES: usize = 4;
const BLOCK: usize = LINE * LINES;

#[inline(always)]
pub(crate) fn distance<I: Isa, Q: Float, R: Float, F: Rule<SUMS>, const SUMS: usize>(
    isa: I,
    query: &[Q],
    row: &[R],
    prepared: f32,
) -> f32 {
    // Elements that are widened, or several sums at a time, leave too few registers for it.
    let is_simple = SUMS == 1 && size_of::<Q>() + size_of::<R>() == 2 * size_of::<f32>();
    if is_simple && I::UNROLLED > 0 && query.len() == I::UNROLLED {
        // The same, compiled for a known length.
        return distances::<I, Q, R, F, SUMS, 1>(isa, query, [row], prepared, I::LINES_AT_ONCE)[0];
    }
    distances::<I, Q, R, F, SUMS, 1>(isa, query, [row], prepared, I::LINES_AT_ONCE)[0]
}

#[inline(always)]
pub(crate) fn distance_batch_4<I: Isa, Q: Float, R: Float, F: Rule<SUMS>, const SUMS: usize>(
    isa: I,
    query: &[Q],
    rows: [&[R]; 4],
    prepared: f32,
) -> [f32; 4] {
    if I::LINES_IN_BATCH < SUMS * 4 {
        let mut distances = [0.0; 4];
        for (distance, row) in distances.iter_mut().zip(rows) {
            *distance = self::distance::<I, Q, R, F, SUMS>(isa, query, row, prepared);
        }
        return distances;
    }
    distances::<I, Q, R, F, SUMS, 4>(isa, query, rows, prepared, I::LINES_IN_BATCH)
}

/// Where the sums of all four lines would not fit the registers, the rows are passed over more than once. That
/// changes which sums are in flight together, never their order.
#[inline(always)]
fn distances<I: Isa, Q: Float, R: Float, F: Rule<SUMS>, const SUMS: usize, const ROWS: usize>(
    isa: I,
    query: &[Q],
    rows: [&[R]; ROWS],
    prepared: f32,
    lines: usize,
) -> [f32; ROWS] {
    for row in rows {
        assert!(row.len() == query.len(), "vectors of one length");
    }
    let mut sums = [[[isa.zero(); LINES]; SUMS]; ROWS];
    match lines.div_ceil(SUMS * ROWS) {
        4.. => pass::<I, Q, R, F, SUMS, ROWS, 4>(isa, query, rows, 0, &mut sums),
        2 | 3 => {
            pass::<I, Q, R, F, SUMS, ROWS, 2>(isa, query, rows, 0, &mut sums);
            pass::<I, Q, R, F, SUMS, ROWS, 2>(isa, query, rows, 2, &mut sums);
        }
        _ => {
            pass::<I, Q, R, F, SUMS, ROWS, 1>(isa, query, rows, 0, &mut sums);
            pass::<I, Q, R, F, SUMS, ROWS, 1>(isa, query, rows, 1, &mut sums);
            pass::<I, Q, R, F, SUMS, ROWS, 1>(isa, query, rows, 2, &mut sums);
            pass::<I, Q, R, F, SUMS, ROWS, 1>(isa, query, rows, 3, &mut sums);
        }
    }
    // Not `map`: the compiler may make functions of its closures, without the instruction set and slow to call.
    let mut finished = [[0.0; SUMS]; ROWS];
    for s in 0..SUMS {
        let mut lines = [isa.zero(); ROWS];
        for r in 0..ROWS {
            let [l0, l1, l2, l3] = sums[r][s];
            // Lanes i, i + 16, i + 32 and i + 48 first, then the halves of a line.
            lines[r] = isa.add(isa.add(l0, l1), isa.add(l2, l3));
        }
        match lines.first_chunk::<4>() {
            Some(four) => {
                let sums = isa.sums(*four);
                for r in 0..ROWS {
                    finished[r][s] = sums[r];
                }
            }
            None => {
                for r in 0..ROWS {
                    finished[r][s] = isa.sum(lines[r]);
                }
            }
        }
    }
    let mut distances = [0.0; ROWS];
    for r in 0..ROWS {
        distances[r] = F::finish(finished[r], prepared);
    }
    distances
}

/// Sums the lines `first..first + N` of every block of every row.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn pass<I: Isa, Q: Float, R: Float, F: Rule<SUMS>, const SUMS: usize, const ROWS: usize, const N: usize>(
    isa: I,
    query: &[Q],
    rows: [&[R]; ROWS],
    first: usize,
    sums: &mut [[[I::Line; LINES]; SUMS]; ROWS],
) {
    let mut running = [[[isa.zero(); SUMS]; N]; ROWS];
    let (query_blocks, query_tail) = query.as_chunks::<BLOCK>();
    let (row_blocks, row_tails) = chunks::<_, BLOCK, ROWS>(rows, query_blocks.len(), query_tail.len());

    // By index: an iterator over one of the slices leaves a check of the other and a second counter in the loop.
    for i in 0..query_blocks.len() {
        for n in 0..N {
            let query_line = Q::load(isa, line(&query_blocks[i], first + n));
            for r in 0..ROWS {
                let row_line = R::load(isa, line(&row_blocks[r][i], first + n));
                running[r][n] = F::step(isa, running[r][n], query_line, row_line);
            }
        }
    }
    for n in 0..N {
        let start = (first + n) * LINE;
        if start < query_tail.len() {
            let query_line = load_tail(isa, &query_tail[start..]);
            for r in 0..ROWS {
                let row_line = load_tail(isa, &row_tails[r][start..]);
                running[r][n] = F::step(isa, running[r][n], query_line, row_line);
            }
        }
    }
    for r in 0..ROWS {
        for n in 0..N {
            for s in 0..SUMS {
                sums[r][s][first + n] = running[r][n][s];
            }
        }
    }
}

/// Each row in `count` chunks and `rest` elements. Not by `map`: the compiler may call it, and behind the call lengths are
/// unknown, and checked in the loops.
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

#[inline(always)]
fn load_tail<I: Isa, T: Float>(isa: I, tail: &[T]) -> I::Line {
    match tail.first_chunk::<LINE>() {
        Some(line) => T::load(isa, line),
        None => T::load_partial(isa, tail),
    }
}

#[inline(always)]
fn line<T>(block: &[T; BLOCK], index: usize) -> &[T; LINE] {
    &block.as_chunks::<LINE>().0[index]
}
