//! The one algorithm behind every kernel of 8-bit integers, written over [`IntegerOps`] and an
//! [`IntegerRule`].
//!
//! ```text
//! totals = 0                                                                   in 64 bits
//! for each stretch of 32,768 elements:
//!     sums[chain] = 0                                                          lanes of 32 bits
//!     for each register i of the query and of the row:
//!         sums[i mod CHAINS] += products(query register i, row register i)
//!     the tail: the same, padded with zeros
//!     totals += the sum of all lanes of all chains
//! distance = finish(totals)
//! ```
//!
//! **Registers and lanes.** A register holds the elements that one load takes: 16, 32 or 64, or a
//! single one in portable code. Each lane sums two or four neighboring products.
//!
//! **Stretches.** After [`STRETCH`] elements the lanes are emptied into totals of 64 bits, before
//! any lane can overflow.
//!
//! **Chains.** An addition has to wait for the one before it in its chain. So there are as many
//! chains as the hardware's registers hold.
//!
//! **Tails.** With masks, absent elements are loaded as zero. Without masks, the last whole
//! register of the vector is loaded again, and the elements that were summed before are masked away
//! (`tail.rs`).
//!
//! **Bias.** Some instructions multiply unsigned bytes by signed ones alone. There one side is
//! shifted by 128 into the other's range. The products then lack 128 times a sum of elements. This
//! sum is counted in lanes of its own, and its multiple is added at the end
//! ([`IntegerOps::correction`]).
//!
//! **Why the bits are equal.** Every sum is an exact integer. So neither the order of additions nor
//! the width of a register shows, nor how many rows are summed at once. Only the cosine rounds, by
//! the same operations in f64 everywhere.

use super::ops::{Integer, IntegerOps};

/// How many elements are summed in 32 bits.
///
/// No term is beyond 2 · 255 · 128 = 65,280: two products with one side biased. (A squared
/// difference is at most 65,025.) And 32,768 · 65,280 = 2,139,095,040 < 2³¹, so not even the sum
/// over all lanes overflows.
pub(crate) const STRETCH: usize = 32_768;

/// What one metric adds up, and how its sums become a distance. `QUERY` is the number of sums of
/// the query alone, and `ROW` the number of sums of each row.
pub(crate) trait IntegerRule<const QUERY: usize, const ROW: usize> {
    type Value: Copy + Default + 'static;

    fn query<I: IntegerOps, Q: Integer, R: Integer>(
        isa: I,
        sums: [I::Sums; QUERY],
        a: I::Register,
    ) -> [I::Sums; QUERY];

    fn row<I: IntegerOps, Q: Integer, R: Integer>(
        isa: I,
        sums: [I::Sums; ROW],
        a: I::Register,
        b: I::Register,
    ) -> [I::Sums; ROW];

    /// The value that a bound query keeps of its sums.
    fn prepare<I: IntegerOps, Q: Integer, R: Integer>(sums: [i64; QUERY]) -> Self::Value;

    /// The distances that the sums stand for.
    fn finish<I: IntegerOps, Q: Integer, R: Integer>(prepared: Self::Value, sums: [i64; ROW]) -> Self::Value;

    /// [`finish`](Self::finish) for four rows.
    #[inline(always)]
    fn finish_4<I: IntegerOps, Q: Integer, R: Integer>(
        _isa: I,
        prepared: Self::Value,
        sums: &[[i64; ROW]; 4],
    ) -> [Self::Value; 4] {
        let mut values = [Self::Value::default(); 4];
        for r in 0..4 {
            values[r] = Self::finish::<I, Q, R>(prepared, sums[r]);
        }
        values
    }
}

/// The distances from a query to `ROWS` rows.
#[inline(always)]
pub(crate) fn distances<
    I: IntegerOps,
    Q: Integer,
    R: Integer,
    F: IntegerRule<QUERY, ROW>,
    const QUERY: usize,
    const ROW: usize,
    const ROWS: usize,
>(
    isa: I,
    query: &[Q],
    rows: [&[R]; ROWS],
) -> [F::Value; ROWS] {
    if I::SUMS_AT_ONCE < QUERY + ROW * ROWS && ROWS > 1 {
        // The sums of the query and of all rows do not fit the hardware's registers. Row by row,
        // each would compute the query's own sums again.
        let prepared = prepare::<I, Q, R, F, QUERY, ROW>(isa, query);
        return bound_distances::<I, Q, R, F, QUERY, ROW, ROWS>(isa, query, prepared, rows);
    }
    let (of_query, of_rows) = totals::<I, Q, R, F, QUERY, ROW, ROWS, true>(isa, query, rows);
    let prepared = F::prepare::<I, Q, R>(of_query);
    finish::<I, Q, R, F, QUERY, ROW, ROWS>(isa, prepared, of_rows)
}

/// The part of a distance that depends on the query alone.
#[inline(always)]
pub(crate) fn prepare<
    I: IntegerOps,
    Q: Integer,
    R: Integer,
    F: IntegerRule<QUERY, ROW>,
    const QUERY: usize,
    const ROW: usize,
>(
    isa: I,
    query: &[Q],
) -> F::Value {
    let (of_query, []) = totals::<I, Q, R, F, QUERY, ROW, 0, true>(isa, query, []);
    F::prepare::<I, Q, R>(of_query)
}

/// The distances from a query whose own sums were [prepared](prepare) to `ROWS` rows.
#[inline(always)]
pub(crate) fn bound_distances<
    I: IntegerOps,
    Q: Integer,
    R: Integer,
    F: IntegerRule<QUERY, ROW>,
    const QUERY: usize,
    const ROW: usize,
    const ROWS: usize,
>(
    isa: I,
    query: &[Q],
    prepared: F::Value,
    rows: [&[R]; ROWS],
) -> [F::Value; ROWS] {
    // Where the sums of all rows do not fit the hardware's registers, they are computed row by row.
    let of_rows = if I::SUMS_AT_ONCE < ROW * ROWS && ROWS > 1 {
        let mut of_rows = [[0; ROW]; ROWS];
        for r in 0..ROWS {
            [of_rows[r]] = totals::<I, Q, R, F, QUERY, ROW, 1, false>(isa, query, [rows[r]]).1;
        }
        of_rows
    } else {
        totals::<I, Q, R, F, QUERY, ROW, ROWS, false>(isa, query, rows).1
    };
    finish::<I, Q, R, F, QUERY, ROW, ROWS>(isa, prepared, of_rows)
}

#[inline(always)]
fn finish<
    I: IntegerOps,
    Q: Integer,
    R: Integer,
    F: IntegerRule<QUERY, ROW>,
    const QUERY: usize,
    const ROW: usize,
    const ROWS: usize,
>(
    isa: I,
    prepared: F::Value,
    sums: [[i64; ROW]; ROWS],
) -> [F::Value; ROWS] {
    let mut distances = [F::Value::default(); ROWS];
    if let (Some(distances), Some(sums)) = (distances.first_chunk_mut(), sums.first_chunk()) {
        *distances = F::finish_4::<I, Q, R>(isa, prepared, sums);
    } else {
        for r in 0..ROWS {
            distances[r] = F::finish::<I, Q, R>(prepared, sums[r]);
        }
    }
    distances
}

/// The sums of the query, if `ALONE`, and of every row.
#[inline(always)]
fn totals<
    I: IntegerOps,
    Q: Integer,
    R: Integer,
    F: IntegerRule<QUERY, ROW>,
    const QUERY: usize,
    const ROW: usize,
    const ROWS: usize,
    const ALONE: bool,
>(
    isa: I,
    query: &[Q],
    rows: [&[R]; ROWS],
) -> ([i64; QUERY], [[i64; ROW]; ROWS]) {
    for row in rows {
        assert!(row.len() == query.len(), "vectors of one length");
    }
    let mut totals = ([0; QUERY], [[0; ROW]; ROWS]);
    let mut start = 0;
    loop {
        let end = query.len().min(start + STRETCH);
        let mut rows = rows;
        for row in &mut rows {
            *row = &row[..end];
        }
        // How many chains there is room for: each has all sums of the query and of the rows.
        match I::SUMS_AT_ONCE / (if ALONE { QUERY } else { 0 } + ROW * ROWS).max(1) {
            // Four rows with two chains each are eight chains already: enough.
            4.. if ROWS < 4 => stretch::<I, Q, R, F, QUERY, ROW, ROWS, ALONE, 4>(
                isa,
                &query[..end],
                rows,
                start,
                &mut totals,
            ),
            2.. => stretch::<I, Q, R, F, QUERY, ROW, ROWS, ALONE, 2>(
                isa,
                &query[..end],
                rows,
                start,
                &mut totals,
            ),
            _ => stretch::<I, Q, R, F, QUERY, ROW, ROWS, ALONE, 1>(
                isa,
                &query[..end],
                rows,
                start,
                &mut totals,
            ),
        }
        start = end;
        if start == query.len() {
            return totals;
        }
    }
}

/// Adds the elements from `start` on, which are no more than [`STRETCH`]. Register i is summed in
/// chain i mod `CHAINS`.
#[allow(clippy::needless_range_loop, clippy::too_many_arguments)]
#[inline(always)]
fn stretch<
    I: IntegerOps,
    Q: Integer,
    R: Integer,
    F: IntegerRule<QUERY, ROW>,
    const QUERY: usize,
    const ROW: usize,
    const ROWS: usize,
    const ALONE: bool,
    const CHAINS: usize,
>(
    isa: I,
    query: &[Q],
    rows: [&[R]; ROWS],
    start: usize,
    totals: &mut ([i64; QUERY], [[i64; ROW]; ROWS]),
) {
    let mut of_query = [[isa.zero(); QUERY]; CHAINS];
    let mut of_rows = [[[isa.zero(); ROW]; ROWS]; CHAINS];
    let (query_registers, query_tail) = I::registers(&query[start..]);
    let (query_groups, query_rest) = query_registers.as_chunks::<CHAINS>();
    // Here and below not `map`: the compiler may make functions of its closures, without the
    // instruction set and slow to call.
    let mut row_groups: [&[[I::Elements<R>; CHAINS]]; ROWS] = [&[]; ROWS];
    let mut row_rests: [&[I::Elements<R>]; ROWS] = [&[]; ROWS];
    let mut row_tails: [&[R]; ROWS] = [&[]; ROWS];
    for r in 0..ROWS {
        let (registers, tail) = I::registers(&rows[r][start..]);
        let (groups, rest) = registers.as_chunks::<CHAINS>();
        row_groups[r] = &groups[..query_groups.len()];
        row_rests[r] = &rest[..query_rest.len()];
        row_tails[r] = &tail[..query_tail.len()];
    }

    macro_rules! step {
        ($chain:expr, $query:expr, |$r:ident| $row:expr) => {
            let query_register = $query;
            if ALONE {
                of_query[$chain] = F::query::<I, Q, R>(isa, of_query[$chain], query_register);
            }
            for $r in 0..ROWS {
                of_rows[$chain][$r] = F::row::<I, Q, R>(isa, of_rows[$chain][$r], query_register, $row);
            }
        };
    }
    for (i, query_group) in query_groups.iter().enumerate() {
        for chain in 0..CHAINS {
            step!(chain, isa.load(&query_group[chain]), |r| isa.load(&row_groups[r][i][chain]));
        }
    }
    // The registers behind the last group, which are fewer than the chains.
    for chain in 0..CHAINS {
        if chain < query_rest.len() {
            step!(chain, isa.load(&query_rest[chain]), |r| isa.load(&row_rests[r][chain]));
        }
    }
    // The last chain has the fewest registers.
    if !query_tail.is_empty() {
        step!(CHAINS - 1, isa.load_tail(query, query_tail), |r| isa.load_tail(rows[r], row_tails[r]));
    }

    // The chains are added lane by lane, then the lanes in 32 bits, which [`STRETCH`] allows. Only
    // totals have 64 bits.
    for s in 0..QUERY {
        let mut sums = of_query[0][s];
        for chain in 1..CHAINS {
            sums = isa.add(sums, of_query[chain][s]);
        }
        totals.0[s] += i64::from(isa.total(sums));
    }
    for s in 0..ROW {
        let mut sums = [isa.zero(); ROWS];
        for r in 0..ROWS {
            sums[r] = of_rows[0][r][s];
            for chain in 1..CHAINS {
                sums[r] = isa.add(sums[r], of_rows[chain][r][s]);
            }
        }
        if let Some(four) = sums.first_chunk::<4>() {
            let four = isa.totals(*four);
            for r in 0..ROWS {
                totals.1[r][s] += i64::from(four[r]);
            }
        } else {
            for r in 0..ROWS {
                totals.1[r][s] += i64::from(isa.total(sums[r]));
            }
        }
    }
}
