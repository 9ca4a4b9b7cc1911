//! The one body behind every kernel over packed bits, written over a [`BitIsa`] and a [`BitRule`].
//!
//! Bits are counted, and counts are integers: every instruction set finds the same ones in whatever order.

use crate::isa::BitIsa;

/// Words of 64 bits in a line: one 64-byte cache line.
pub(crate) const WORDS: usize = 8;
/// Counters of a single row, so that its additions need not wait for each other. The four rows of a batch have one each.
const COUNTERS: usize = 4;

/// What one metric counts in a line, and the distance that the counts stand for. `COUNTS` is how many it keeps.
pub(crate) trait BitRule<const COUNTS: usize> {
    /// Adds the line `a`, `b` to the running counts.
    fn step<I: BitIsa>(isa: I, counts: [I::Count; COUNTS], a: I::Line, b: I::Line) -> [I::Count; COUNTS];

    /// The distance that the finished counts stand for.
    fn finish(counts: [u64; COUNTS]) -> f32;
}

#[inline(always)]
pub(crate) fn distance<I: BitIsa, F: BitRule<COUNTS>, const COUNTS: usize>(
    isa: I,
    query: &[u64],
    row: &[u64],
) -> f32 {
    distances::<I, F, COUNTS, 1, COUNTERS>(isa, query, [row])[0]
}

#[inline(always)]
pub(crate) fn distance_batch_4<I: BitIsa, F: BitRule<COUNTS>, const COUNTS: usize>(
    isa: I,
    query: &[u64],
    rows: [&[u64]; 4],
) -> [f32; 4] {
    distances::<I, F, COUNTS, 4, 1>(isa, query, rows)
}

/// Every row in lines, `LINES` of them at a time, each with a counter of its own.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn distances<I: BitIsa, F: BitRule<COUNTS>, const COUNTS: usize, const ROWS: usize, const LINES: usize>(
    isa: I,
    query: &[u64],
    rows: [&[u64]; ROWS],
) -> [f32; ROWS] {
    for row in rows {
        assert!(row.len() == query.len(), "vectors of one length");
    }
    let mut counts = [[[isa.zero(); COUNTS]; LINES]; ROWS];
    let (query_lines, query_tail) = query.as_chunks::<WORDS>();
    let row_lines = rows.map(|row| &row.as_chunks::<WORDS>().0[..query_lines.len()]);
    let row_tails = rows.map(|row| &row.as_chunks::<WORDS>().1[..query_tail.len()]);

    let (query_blocks, query_rest) = query_lines.as_chunks::<LINES>();
    let row_blocks = row_lines.map(|lines| &lines.as_chunks::<LINES>().0[..query_blocks.len()]);
    let row_rests = row_lines.map(|lines| &lines.as_chunks::<LINES>().1[..query_rest.len()]);
    for (i, query_block) in query_blocks.iter().enumerate() {
        for n in 0..LINES {
            let query_line = isa.load(&query_block[n]);
            for r in 0..ROWS {
                counts[r][n] = F::step(isa, counts[r][n], query_line, isa.load(&row_blocks[r][i][n]));
            }
        }
    }
    for (i, query_line) in query_rest.iter().enumerate() {
        let query_line = isa.load(query_line);
        for r in 0..ROWS {
            counts[r][0] = F::step(isa, counts[r][0], query_line, isa.load(&row_rests[r][i]));
        }
    }
    if !query_tail.is_empty() {
        let query_line = isa.load_partial(query_tail);
        for r in 0..ROWS {
            // What is absent reads as zero in both, and counts for no metric.
            counts[r][0] = F::step(isa, counts[r][0], query_line, isa.load_partial(row_tails[r]));
        }
    }

    // Not `map`: the compiler may make functions of its closures, without the instruction set and slow to call.
    let mut distances = [0.0; ROWS];
    for r in 0..ROWS {
        let mut finished = [0; COUNTS];
        for c in 0..COUNTS {
            let mut count = counts[r][0][c];
            for n in 1..LINES {
                count = isa.add(count, counts[r][n][c]);
            }
            finished[c] = isa.sum(count);
        }
        distances[r] = F::finish(finished);
    }
    distances
}

/// Exact up to 2²⁴, the nearest f32 above.
#[inline(always)]
pub(crate) fn to_f32(count: u64) -> f32 {
    // Signed, because that conversion is one instruction on every target; no memory holds 2⁶³ bits.
    count as i64 as f32
}
