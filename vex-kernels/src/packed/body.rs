//! The one algorithm behind every product with packed codes, written over [`PackedOps`] and a
//! [`Packing`].
//!
//! ```text
//! lanes = 0                                                                    32 bits each
//! for each group of cache lines, as many as sums of 16 bits hold:
//!     sums[chain] = 0
//!     for each cache line i of codes, with 128 elements of the query:
//!         sums[i mod CHAINS] += query[..64] · low four bits + query[64..] · high ones
//!     lanes += the sums of all chains, widened
//! product = the sum of all lanes
//! ```
//!
//! **Cache lines.** Codes come in cache lines of 64 bytes, at any address. A cache line of 4-bit
//! codes meets 128 elements of the query. A mask takes the low four bits of each byte, and a shift
//! the high ones. Each half meets 64 neighboring elements, so no element moves to another place.
//!
//! **2-bit codes.** Every second pair of bits makes a cache line of 4-bit codes, of which none is
//! above three. So a cache line of 2-bit codes is two cache lines of 4-bit codes, and meets 256
//! elements of the query.
//!
//! **Groups.** Some instructions add products in 16 bits. Their sums are widened after
//! [`CACHE_LINES`](PackedOps::CACHE_LINES) cache lines, before any sum can overflow. Other
//! instructions add in 32 bits, in which every sum of [`MAX_CACHE_LINES`] fits. For these, a whole
//! vector is one group.
//!
//! **Tails.** There are none: vectors are whole cache lines, padded with zeros when they are coded.
//!
//! **Why the bits are equal.** Every sum is an exact integer. So neither the width of a register
//! nor the number of rows at once shows.

use bytemuck::Zeroable;

use crate::rows::chunks;

/// The length of the longest vectors of 4-bit codes, in cache lines.
pub(crate) const MAX_CACHE_LINES: usize = 512;

/// How codes are packed into a cache line, and which elements of the query it meets.
pub(crate) trait Packing {
    /// The elements of the query that meet a cache line of codes.
    type Query: 'static;
    /// sums + q · c. Adds no more to a sum than 4-bit codes could.
    fn products<I: PackedOps>(isa: I, sums: I::Sums, query: &Self::Query, codes: &[u8; 64]) -> I::Sums;
}

/// The operations on a cache line of codes and its 128 elements of the query. `Self` proves that
/// the instruction set exists.
pub(crate) trait PackedOps: Copy {
    /// Sums of up to [`CACHE_LINES`](Self::CACHE_LINES) cache lines, for which 16 bits may suffice.
    type Sums: Copy + Zeroable;
    /// Lanes of 32 bits.
    type Lanes: Copy + Zeroable;
    /// How many cache lines [`Sums`](Self::Sums) hold without overflow.
    const CACHE_LINES: usize;
    /// How many sums to keep at once for a single row. An addition has to wait for the one before
    /// it in its sum.
    const CHAINS: usize;
    /// Whether the hardware's registers hold the sums of four rows at once.
    const BATCH: bool;

    /// sums + q · c
    fn products(self, sums: Self::Sums, query: &[i8; 128], codes: &[u8; 64]) -> Self::Sums;
    /// Adds two sums, which have no more than [`CACHE_LINES`](Self::CACHE_LINES) cache lines
    /// together. Called only for instruction sets with several chains.
    #[inline(always)]
    fn add(self, a: Self::Sums, _b: Self::Sums) -> Self::Sums {
        a
    }
    fn widen(self, lanes: Self::Lanes, sums: Self::Sums) -> Self::Lanes;
    /// The sum of all lanes.
    fn total(self, lanes: Self::Lanes) -> i32;

    /// The sums of all lanes of four rows.
    #[inline(always)]
    fn totals(self, rows: [Self::Lanes; 4]) -> [i32; 4] {
        let [a, b, c, d] = rows;
        [self.total(a), self.total(b), self.total(c), self.total(d)]
    }
}

/// The product with one row.
#[inline(always)]
pub(crate) fn dot<I: PackedOps, P: Packing>(isa: I, query: &[P::Query], codes: &[[u8; 64]]) -> i32 {
    isa.total(single::<I, P>(isa, query, codes))
}

/// The products with four rows, at once if [`BATCH`](PackedOps::BATCH).
#[inline(always)]
pub(crate) fn dot_batch_4<I: PackedOps, P: Packing>(
    isa: I,
    query: &[P::Query],
    rows: [&[[u8; 64]]; 4],
) -> [i32; 4] {
    if !I::BATCH {
        let [a, b, c, d] = rows;
        let (a, b) = (single::<I, P>(isa, query, a), single::<I, P>(isa, query, b));
        return isa.totals([a, b, single::<I, P>(isa, query, c), single::<I, P>(isa, query, d)]);
    }
    for row in rows {
        check(query, row);
    }
    isa.totals(lanes::<I, P, 4, 1>(isa, query, rows))
}

/// The lanes of one row, which is summed in several chains.
#[inline(always)]
fn single<I: PackedOps, P: Packing>(isa: I, query: &[P::Query], codes: &[[u8; 64]]) -> I::Lanes {
    check(query, codes);
    let [lanes] = match I::CHAINS {
        1 => lanes::<I, P, 1, 1>(isa, query, [codes]),
        2 => lanes::<I, P, 1, 2>(isa, query, [codes]),
        3 => lanes::<I, P, 1, 3>(isa, query, [codes]),
        _ => lanes::<I, P, 1, 4>(isa, query, [codes]),
    };
    lanes
}

#[inline(always)]
fn check<Q>(query: &[Q], codes: &[[u8; 64]]) {
    assert!(codes.len() == query.len(), "as many lines of codes as of the query");
}

/// The lanes of `ROWS` rows, group by group.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn lanes<I: PackedOps, P: Packing, const ROWS: usize, const CHAINS: usize>(
    isa: I,
    query: &[P::Query],
    rows: [&[[u8; 64]]; ROWS],
) -> [I::Lanes; ROWS] {
    let mut lanes = [I::Lanes::zeroed(); ROWS];
    if I::CACHE_LINES >= MAX_CACHE_LINES {
        add_cache_lines::<I, P, ROWS, CHAINS>(isa, query, rows, &mut lanes);
        return lanes;
    }
    // One group of cache lines after the other, each as long as its sums hold.
    let (mut query, mut rows) = (query, rows);
    while !query.is_empty() {
        let count = query.len().min(I::CACHE_LINES);
        let mut first = rows;
        for r in 0..ROWS {
            (first[r], rows[r]) = rows[r].split_at(count);
        }
        add_cache_lines::<I, P, ROWS, CHAINS>(isa, &query[..count], first, &mut lanes);
        query = &query[count..];
    }
    lanes
}

/// Adds no more than [`PackedOps::CACHE_LINES`] cache lines. Cache line i is summed in chain i mod
/// `CHAINS`.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn add_cache_lines<I: PackedOps, P: Packing, const ROWS: usize, const CHAINS: usize>(
    isa: I,
    query: &[P::Query],
    rows: [&[[u8; 64]]; ROWS],
    lanes: &mut [I::Lanes; ROWS],
) {
    let (groups, rest) = query.as_chunks::<CHAINS>();
    let (row_groups, row_rests) = chunks::<_, CHAINS, ROWS>(rows, groups.len(), rest.len());
    let mut sums = [[I::Sums::zeroed(); CHAINS]; ROWS];
    for (i, group) in groups.iter().enumerate() {
        for chain in 0..CHAINS {
            for r in 0..ROWS {
                sums[r][chain] = P::products(isa, sums[r][chain], &group[chain], &row_groups[r][i][chain]);
            }
        }
    }
    // The cache lines behind the last group, which are fewer than the chains.
    for chain in 0..CHAINS - 1 {
        if chain < rest.len() {
            for r in 0..ROWS {
                sums[r][chain] = P::products(isa, sums[r][chain], &rest[chain], &row_rests[r][chain]);
            }
        }
    }
    for r in 0..ROWS {
        let mut total = sums[r][0];
        for chain in 1..CHAINS {
            total = isa.add(total, sums[r][chain]);
        }
        lanes[r] = isa.widen(lanes[r], total);
    }
}
