//! The one body behind every product with packed 4-bit codes, written over a [`Nibbles`].
//!
//! Every sum is exact, so neither the width of a register nor the number of rows at once can show in the result.

/// See [`NibbleProduct::MAX_LINES`](crate::NibbleProduct::MAX_LINES).
pub(crate) const MAX_LINES: usize = 512;

/// What the kernels do with a line of codes and its 128 elements of the query. `Self` is the proof that the instruction
/// set exists.
pub(crate) trait Nibbles: Copy {
    /// Sums of up to [`LINES`](Self::LINES) lines, for which 16 bits may do.
    type Sums: Copy;
    /// Lanes of 32 bits.
    type Lanes: Copy;
    /// How many lines [`Sums`](Self::Sums) hold without overflow.
    const LINES: usize;
    /// How many sums to keep at once for a single row, because an instruction has to wait for the one before it.
    const CHAINS: usize;
    /// Whether four rows are computed at once, for which the registers must do.
    const BATCH: bool;

    fn zero(self) -> Self::Sums;
    /// sums + q · c
    fn products(self, sums: Self::Sums, query: &[i8; 128], codes: &[u8; 64]) -> Self::Sums;
    /// The sums of no more than [`LINES`](Self::LINES) lines together. Asked only by those that have several chains.
    #[inline(always)]
    fn add(self, a: Self::Sums, _b: Self::Sums) -> Self::Sums {
        a
    }
    fn no_lanes(self) -> Self::Lanes;
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

#[inline(always)]
pub(crate) fn dot<I: Nibbles>(isa: I, query: &[[i8; 128]], codes: &[[u8; 64]]) -> i32 {
    isa.total(single(isa, query, codes))
}

#[inline(always)]
pub(crate) fn dot_batch_4<I: Nibbles>(isa: I, query: &[[i8; 128]], rows: [&[[u8; 64]]; 4]) -> [i32; 4] {
    if !I::BATCH {
        let [a, b, c, d] = rows;
        let (a, b) = (single(isa, query, a), single(isa, query, b));
        return isa.totals([a, b, single(isa, query, c), single(isa, query, d)]);
    }
    for row in rows {
        check(query, row);
    }
    isa.totals(lanes::<I, 4, 1>(isa, query, rows))
}

#[inline(always)]
fn single<I: Nibbles>(isa: I, query: &[[i8; 128]], codes: &[[u8; 64]]) -> I::Lanes {
    check(query, codes);
    let [lanes] = match I::CHAINS {
        1 => lanes::<I, 1, 1>(isa, query, [codes]),
        2 => lanes::<I, 1, 2>(isa, query, [codes]),
        3 => lanes::<I, 1, 3>(isa, query, [codes]),
        _ => lanes::<I, 1, 4>(isa, query, [codes]),
    };
    lanes
}

#[inline(always)]
fn check(query: &[[i8; 128]], codes: &[[u8; 64]]) {
    assert!(codes.len() == query.len(), "as many lines of codes as of the query");
    assert!(query.len() <= MAX_LINES, "a longer sum may not fit");
}

#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn lanes<I: Nibbles, const ROWS: usize, const CHAINS: usize>(
    isa: I,
    query: &[[i8; 128]],
    rows: [&[[u8; 64]]; ROWS],
) -> [I::Lanes; ROWS] {
    let mut lanes = [isa.no_lanes(); ROWS];
    if I::LINES >= MAX_LINES {
        add_lines::<I, ROWS, CHAINS>(isa, query, rows, &mut lanes);
        return lanes;
    }
    let (mut query, mut rows) = (query, rows);
    while !query.is_empty() {
        let count = query.len().min(I::LINES);
        let mut first = rows;
        for r in 0..ROWS {
            (first[r], rows[r]) = rows[r].split_at(count);
        }
        add_lines::<I, ROWS, CHAINS>(isa, &query[..count], first, &mut lanes);
        query = &query[count..];
    }
    lanes
}

/// Adds lines, no more than [`Nibbles::LINES`]. Line i is summed in chain i mod `CHAINS`.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn add_lines<I: Nibbles, const ROWS: usize, const CHAINS: usize>(
    isa: I,
    query: &[[i8; 128]],
    rows: [&[[u8; 64]]; ROWS],
    lanes: &mut [I::Lanes; ROWS],
) {
    let (groups, rest) = query.as_chunks::<CHAINS>();
    // Not `map`: the compiler may make functions of its closures, without the instruction set and slow to call.
    let mut row_groups: [&[[[u8; 64]; CHAINS]]; ROWS] = [&[]; ROWS];
    let mut row_rests: [&[[u8; 64]]; ROWS] = [&[]; ROWS];
    for r in 0..ROWS {
        let (groups_of_row, rest_of_row) = rows[r].as_chunks::<CHAINS>();
        row_groups[r] = &groups_of_row[..groups.len()];
        row_rests[r] = &rest_of_row[..rest.len()];
    }
    let mut sums = [[isa.zero(); CHAINS]; ROWS];
    for (i, group) in groups.iter().enumerate() {
        for chain in 0..CHAINS {
            for r in 0..ROWS {
                sums[r][chain] = isa.products(sums[r][chain], &group[chain], &row_groups[r][i][chain]);
            }
        }
    }
    for chain in 0..CHAINS - 1 {
        if chain < rest.len() {
            for r in 0..ROWS {
                sums[r][chain] = isa.products(sums[r][chain], &rest[chain], &row_rests[r][chain]);
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
