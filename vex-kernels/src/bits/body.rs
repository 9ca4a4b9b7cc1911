//! The one algorithm behind every kernel of packed bits, written over [`BitOps`] and a [`BitRule`].
//!
//! ```text
//! counts[0..4] = 0                          one for a batch of four rows, which keep each other busy
//! for each four registers of eight words:
//!     for n in 0..4: counts[n] += the set bits of query ^ row           and of query | row (Jaccard)
//! for each register that is left, the last one padded with zeros: the same into counts[0]
//! distance = finish(the sum of the counts)
//! ```
//!
//! **Registers.** A register of this family, [`BitOps::Register`], is eight words of 64 bits: one
//! hardware register of 512 bits, two of 256, four of 128, or an array. A counter has lanes of 64
//! bits, which no vector can overflow.
//!
//! **Tails.** Absent words are loaded as zero, which adds to no count.
//!
//! **Few words.** Up to four registers need no loop where one masked load takes any number of words
//! ([`few_registers`]). Some instruction sets count a word in one instruction, but no register. There,
//! vectors below [`BY_WORD`](BitOps::BY_WORD) words are counted [word by word](Words).
//!
//! **Why the bits are equal.** Counts are exact integers, in whatever order they are added. Only
//! the quotient of Jaccard rounds, once.

use super::ops::{BitOps, WORDS};
use super::words::Words;
use crate::rows::chunks;

/// The number of counters of a single row, so that its additions need not wait for each other. Each
/// of the four rows of a batch has one.
const COUNTERS: usize = 4;

/// What one metric counts, and how its counts become a distance. `COUNTS` is the number of counts.
pub(crate) trait BitRule<const COUNTS: usize> {
    /// Adds the registers `a` and `b` to the running counts.
    fn step<I: BitOps>(
        isa: I,
        counts: [I::Count; COUNTS],
        a: I::Register,
        b: I::Register,
    ) -> [I::Count; COUNTS];

    /// The distance that the finished counts stand for.
    fn finish<I: BitOps>(isa: I, counts: [I::Count; COUNTS]) -> f32;
}

/// The distance to one row, by the loop that is fastest for its length.
#[inline(always)]
pub(crate) fn distance<I: BitOps, F: BitRule<COUNTS>, const COUNTS: usize>(
    isa: I,
    query: &[u64],
    row: &[u64],
) -> f32 {
    assert!(row.len() == query.len(), "vectors of one length");
    let words = query.len();
    if words < I::BY_WORD {
        by_word::<I, F, COUNTS>(isa, query, row)
    } else if !I::MASKS_REGISTERS || words > 4 * WORDS {
        distances::<I, F, COUNTS, 1, COUNTERS>(isa, query, [row])[0]
    } else if words <= WORDS {
        few_registers::<I, F, COUNTS, 1>(isa, query, row)
    } else if words <= 2 * WORDS {
        few_registers::<I, F, COUNTS, 2>(isa, query, row)
    } else if words <= 3 * WORDS {
        few_registers::<I, F, COUNTS, 3>(isa, query, row)
    } else {
        few_registers::<I, F, COUNTS, 4>(isa, query, row)
    }
}

/// The distance to a row of `REGISTERS` registers, of which the last may be partial. There is no loop,
/// and no branch on the length of the last one.
#[inline(always)]
fn few_registers<I: BitOps, F: BitRule<COUNTS>, const COUNTS: usize, const REGISTERS: usize>(
    isa: I,
    query: &[u64],
    row: &[u64],
) -> f32 {
    let (query_registers, query_last) = query.split_at((REGISTERS - 1) * WORDS);
    let (row_registers, row_last) = row.split_at((REGISTERS - 1) * WORDS);
    let (query_registers, row_registers) =
        (query_registers.as_chunks::<WORDS>().0, row_registers.as_chunks::<WORDS>().0);
    let zero = [isa.zero(); COUNTS];
    let mut counts = F::step(isa, zero, isa.load_partial(query_last), isa.load_partial(row_last));
    for n in 0..REGISTERS - 1 {
        let register = F::step(isa, zero, isa.load(&query_registers[n]), isa.load(&row_registers[n]));
        for c in 0..COUNTS {
            counts[c] = isa.add(counts[c], register[c]);
        }
    }
    F::finish(isa, counts)
}

/// The distances to four rows.
#[inline(always)]
pub(crate) fn distance_batch_4<I: BitOps, F: BitRule<COUNTS>, const COUNTS: usize>(
    isa: I,
    query: &[u64],
    rows: [&[u64]; 4],
) -> [f32; 4] {
    // From one register on, a batch of four rows is faster by registers than word by word.
    if query.len() < I::BY_WORD.min(WORDS) {
        let mut distances = [0.0; 4];
        for (distance, row) in distances.iter_mut().zip(rows) {
            *distance = self::distance::<I, F, COUNTS>(isa, query, row);
        }
        return distances;
    }
    distances::<I, F, COUNTS, 4, 1>(isa, query, rows)
}

/// The distance between vectors of a few words, each counted on its own.
#[inline(always)]
fn by_word<I: BitOps, F: BitRule<COUNTS>, const COUNTS: usize>(isa: I, query: &[u64], row: &[u64]) -> f32 {
    let mut counts = [0; COUNTS];
    for (a, b) in query.iter().zip(row) {
        counts = F::step(Words(isa), counts, *a, *b);
    }
    F::finish(Words(isa), counts)
}

/// The distances to all rows, in groups of `REGISTERS` registers. Each register of a group has a
/// counter of its own.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn distances<
    I: BitOps,
    F: BitRule<COUNTS>,
    const COUNTS: usize,
    const ROWS: usize,
    const REGISTERS: usize,
>(
    isa: I,
    query: &[u64],
    rows: [&[u64]; ROWS],
) -> [f32; ROWS] {
    for row in rows {
        assert!(row.len() == query.len(), "vectors of one length");
    }
    let mut counts = [[[isa.zero(); COUNTS]; REGISTERS]; ROWS];
    let (query_registers, query_tail) = query.as_chunks::<WORDS>();
    let (row_registers, row_tails) = chunks::<_, WORDS, ROWS>(rows, query_registers.len(), query_tail.len());

    let (query_blocks, query_rest) = query_registers.as_chunks::<REGISTERS>();
    let (row_blocks, row_rests) =
        chunks::<_, REGISTERS, ROWS>(row_registers, query_blocks.len(), query_rest.len());
    for i in 0..query_blocks.len() {
        for n in 0..REGISTERS {
            let query_register = isa.load(&query_blocks[i][n]);
            for r in 0..ROWS {
                counts[r][n] = F::step(isa, counts[r][n], query_register, isa.load(&row_blocks[r][i][n]));
            }
        }
    }
    for i in 0..query_rest.len() {
        let query_register = isa.load(&query_rest[i]);
        for r in 0..ROWS {
            counts[r][0] = F::step(isa, counts[r][0], query_register, isa.load(&row_rests[r][i]));
        }
    }
    if !query_tail.is_empty() {
        let query_register = isa.load_partial(query_tail);
        for r in 0..ROWS {
            // Absent words read as zero in both registers, and zero counts for no metric.
            counts[r][0] = F::step(isa, counts[r][0], query_register, isa.load_partial(row_tails[r]));
        }
    }

    // Not `map`: the compiler may make functions of its closures, without the instruction set and
    // slow to call.
    let mut distances = [0.0; ROWS];
    for r in 0..ROWS {
        let mut sums = counts[r][0];
        for c in 0..COUNTS {
            for n in 1..REGISTERS {
                sums[c] = isa.add(sums[c], counts[r][n][c]);
            }
        }
        distances[r] = F::finish(isa, sums);
    }
    distances
}
