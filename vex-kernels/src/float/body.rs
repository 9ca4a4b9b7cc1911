//! The one algorithm behind every kernel of floats, written over [`FloatOps`] and a [`Rule`].
//!
//! ```text
//! running[0..4] = 0                 four registers of sixteen lanes, for each sum of the metric
//! for each block of 64 elements:
//!     for n in 0..4:
//!         running[n] = step(running[n], register n of the query, register n of the row)
//! for each register of the tail: the same, the last one padded with zeros
//! register = (running[0] + running[1]) + (running[2] + running[3])
//! for half in 8, 4, 2, 1: register[i] += register[i + half]
//! distance = finish(register[0])
//! ```
//!
//! **Lanes.** There are 64 virtual lanes, and element i belongs to lane i mod 64. A register of
//! this family is sixteen lanes, whatever the machine has: one hardware register of 512 bits, two
//! of 256, four of 128, or an array. Elements of 16 bits are widened to f32 as they are loaded,
//! which is exact.
//!
//! **Blocks.** A block is 64 elements, one for each lane. Its four registers keep four additions in
//! flight, so that none waits for the one before it.
//!
//! **Tails.** The elements behind the last block go into the same lanes. A register that is not
//! full is loaded with a mask. Its absent elements read as zero, and zero changes no sum. There is
//! no loop over single elements, so time does not jump with the length.
//!
//! **Passes.** The sums of all rows may not fit the hardware's registers. Then the rows are read
//! two or four times, for some of the registers of each block at a time. This changes which sums
//! are in flight together, never the order within a lane.
//!
//! **Reduction.** One fixed tree adds the lanes: first the four registers, then the halves of the
//! one that is left.
//!
//! **Why the bits are equal.** On every instruction set, a lane gets the same elements in the same
//! order. A fused multiply-add rounds once for each of them. The tree adds the same lanes in the
//! same order. So the width of the hardware's registers does not show in the result, nor does the
//! number of rows at once. [`Portable`](crate::cpu::Portable) has no fused multiply-add and rounds
//! products, too: its bits are its own, within the same error bound.
//!
//! **Pairs of bf16.** Between two vectors of bf16, a pair of registers has 32 neighboring elements.
//! The first register has the even ones and the second the odd ones ([`Float::load_pair`]), again
//! on every instruction set.

use super::element::Float;
use super::ops::{FloatOps, LANES};
use crate::rows::chunks;

/// Registers in a block. A block has one element for each virtual lane.
pub(crate) const REGISTERS: usize = 4;
const BLOCK: usize = LANES * REGISTERS;

/// What one metric adds up, and how its sums become a distance. `SUMS` is the number of sums.
pub(crate) trait Rule<const SUMS: usize> {
    /// Adds the elements of registers `a` and `b` to the running sums.
    fn step<I: FloatOps>(
        isa: I,
        sums: [I::Register; SUMS],
        a: I::Register,
        b: I::Register,
    ) -> [I::Register; SUMS];

    /// The distance that the finished sums stand for. `prepared` is the result of
    /// [`prepare`](Self::prepare), or zero where the query was not bound.
    fn finish(sums: [f32; SUMS], prepared: f32) -> f32;

    /// [`finish`](Self::finish) for four rows.
    #[inline(always)]
    fn finish_4<I: FloatOps>(_isa: I, [a, b, c, d]: [[f32; SUMS]; 4], prepared: f32) -> [f32; 4] {
        [
            Self::finish(a, prepared),
            Self::finish(b, prepared),
            Self::finish(c, prepared),
            Self::finish(d, prepared),
        ]
    }

    /// The value that a bound query computes once.
    #[inline(always)]
    fn prepare<I: FloatOps, Q: Float>(_isa: I, _query: &[Q]) -> f32 {
        0.0
    }
}

/// The distance to one row. `prepared` is as in [`Rule::finish`].
#[inline(always)]
pub(crate) fn distance<I: FloatOps, Q: Float, R: Float, F: Rule<SUMS>, const SUMS: usize>(
    isa: I,
    query: &[Q],
    row: &[R],
    prepared: f32,
) -> f32 {
    F::finish(sums_of_one::<I, Q, R, F, SUMS>(isa, query, row), prepared)
}

/// The distances to four rows, with the same bits as four single ones.
#[inline(always)]
pub(crate) fn distance_batch_4<I: FloatOps, Q: Float, R: Float, F: Rule<SUMS>, const SUMS: usize>(
    isa: I,
    query: &[Q],
    rows: [&[R]; 4],
    prepared: f32,
) -> [f32; 4] {
    if const { I::REGISTERS_IN_BATCH == 0 } {
        // On this instruction set small code matters more than speed.
        let mut distances = [0.0; 4];
        for (distance, row) in distances.iter_mut().zip(rows) {
            *distance = self::distance::<I, Q, R, F, SUMS>(isa, query, row, prepared);
        }
        return distances;
    }
    if const { I::REGISTERS_IN_BATCH < SUMS * 4 * REGISTERS } {
        isa.align_stack();
    }
    // Four rows at once need a register for each sum of each row. Without so many, the rows are
    // computed one after the other.
    let sums = if const { I::REGISTERS_IN_BATCH < SUMS * 4 } {
        let [a, b, c, d] = rows;
        [
            sums_of_one::<I, Q, R, F, SUMS>(isa, query, a),
            sums_of_one::<I, Q, R, F, SUMS>(isa, query, b),
            sums_of_one::<I, Q, R, F, SUMS>(isa, query, c),
            sums_of_one::<I, Q, R, F, SUMS>(isa, query, d),
        ]
    } else {
        sums::<I, Q, R, F, SUMS, 4>(isa, query, rows, I::REGISTERS_IN_BATCH)
    };
    F::finish_4(isa, sums, prepared)
}

/// The sums of one row.
#[inline(always)]
fn sums_of_one<I: FloatOps, Q: Float, R: Float, F: Rule<SUMS>, const SUMS: usize>(
    isa: I,
    query: &[Q],
    row: &[R],
) -> [f32; SUMS] {
    // Code without a loop pays only for a single sum of f32. Widened elements and further sums
    // leave too few registers.
    let is_simple = SUMS == 1 && size_of::<Q>() + size_of::<R>() == 2 * size_of::<f32>();
    if is_simple && I::UNROLLED > 0 && query.len() == I::UNROLLED {
        // The same function, compiled for a known length.
        return sums::<I, Q, R, F, SUMS, 1>(isa, query, [row], I::REGISTERS_AT_ONCE)[0];
    }
    let widened =
        size_of::<Q>().min(size_of::<R>()) < size_of::<f32>() && (SUMS > 2 || !(Q::IN_PAIRS && R::IN_PAIRS));
    let registers = if widened { I::WIDENED_AT_ONCE } else { I::REGISTERS_AT_ONCE };
    sums::<I, Q, R, F, SUMS, 1>(isa, query, [row], registers)[0]
}

/// The sums of `ROWS` rows. `registers` is the number of running registers that the hardware holds.
///
/// Where four for each row and sum are too many, the rows are read in two or four passes. Each pass
/// sums some registers of every block.
#[inline(always)]
fn sums<I: FloatOps, Q: Float, R: Float, F: Rule<SUMS>, const SUMS: usize, const ROWS: usize>(
    isa: I,
    query: &[Q],
    rows: [&[R]; ROWS],
    registers: usize,
) -> [[f32; SUMS]; ROWS] {
    for row in rows {
        assert!(row.len() == query.len(), "vectors of one length");
    }
    // Lanes i, i + 16, i + 32 and i + 48 are added first. `pass!` is a macro, because the compiler
    // may make a function of a closure: without the instruction set, and slow to call.
    macro_rules! pass {
        ($n:literal from $first:literal) => {
            pass::<I, Q, R, F, SUMS, ROWS, $n>(isa, query, rows, $first)
        };
    }
    let registers = match registers.div_ceil(SUMS * ROWS) {
        4.. => pass!(4 from 0),
        2 | 3 => add(isa, pass!(2 from 0), pass!(2 from 2)),
        _ => {
            let low = add(isa, pass!(1 from 0), pass!(1 from 1));
            add(isa, low, add(isa, pass!(1 from 2), pass!(1 from 3)))
        }
    };
    // Then the halves of each register are added. Four rows at once share their shuffles.
    let mut finished = [[0.0; SUMS]; ROWS];
    for s in 0..SUMS {
        let mut register = [isa.zero(); ROWS];
        for r in 0..ROWS {
            register[r] = registers[r][s];
        }
        match register.first_chunk::<4>() {
            Some(four) => {
                let sums = isa.sums(*four);
                for r in 0..ROWS {
                    finished[r][s] = sums[r];
                }
            }
            None => {
                for r in 0..ROWS {
                    finished[r][s] = isa.sum(register[r]);
                }
            }
        }
    }
    finished
}

/// Sums the registers `first..first + N` of every block, for every row, and adds the `N` sums up
/// lane by lane.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn pass<
    I: FloatOps,
    Q: Float,
    R: Float,
    F: Rule<SUMS>,
    const SUMS: usize,
    const ROWS: usize,
    const N: usize,
>(
    isa: I,
    query: &[Q],
    rows: [&[R]; ROWS],
    first: usize,
) -> [[I::Register; SUMS]; ROWS] {
    let in_pairs = Q::IN_PAIRS && R::IN_PAIRS;
    let mut running = [[[isa.zero(); SUMS]; N]; ROWS];
    let (query_blocks, query_tail) = query.as_chunks::<BLOCK>();
    let (row_blocks, row_tails) = chunks::<_, BLOCK, ROWS>(rows, query_blocks.len(), query_tail.len());

    // A register that is not full is loaded with a mask. With several sums at a time, the
    // arithmetic would wait for this mask at the end. With hardware registers to spare, the load
    // comes ahead of the loop. Widened elements are left out: they gain less than whole lengths
    // lose.
    let is_f32 = const { size_of::<Q>() + size_of::<R>() == 2 * size_of::<f32>() };
    let is_ahead = const { SUMS > 1 && ROWS == 1 && I::REGISTERS_AT_ONCE > REGISTERS } && is_f32;
    let whole = query_tail.len() / LANES * LANES;
    let mut partial = (isa.zero(), isa.zero());
    // An empty partial register is not loaded: that would still look up the page behind the row.
    if is_ahead && whole < query_tail.len() {
        partial = (Q::load_partial(isa, &query_tail[whole..]), R::load_partial(isa, &row_tails[0][whole..]));
    }
    // The loops run over indices. An iterator over one of the slices leaves a check of the other
    // one and a second counter in the loop.
    for i in 0..query_blocks.len() {
        for n in 0..N {
            let query_register = load(isa, &query_blocks[i], first + n, in_pairs);
            for r in 0..ROWS {
                let row_register = load(isa, &row_blocks[r][i], first + n, in_pairs);
                running[r][n] = F::step(isa, running[r][n], query_register, row_register);
            }
        }
    }
    // The tail is written out. If the compiler left a loop here, it would keep the running sums in
    // memory. The conditions in `const` drop the arms of other elements even in builds without
    // optimization.
    macro_rules! tail {
        ($($n:literal)*) => {$(
            let start = (first + $n) * LANES;
            if const { $n < N && !(Q::IN_PAIRS && R::IN_PAIRS) } && start < query_tail.len() {
                // The partial register of the tail, loaded above.
                if is_ahead && start == whole {
                    running[0][$n] = F::step(isa, running[0][$n], partial.0, partial.1);
                } else {
                    let query_register = load_tail(isa, &query_tail[start..]);
                    for r in 0..ROWS {
                        let row_register = load_tail(isa, &row_tails[r][start..]);
                        running[r][$n] = F::step(isa, running[r][$n], query_register, row_register);
                    }
                }
            }
        )*};
        ($($n:literal and $next:literal)*) => {$(
            let start = (first + $n) / 2 * 2 * LANES;
            if const { $n < N && Q::IN_PAIRS && R::IN_PAIRS } && start < query_tail.len() {
                let query_pair = load_tail_pair(isa, &query_tail[start..]);
                for r in 0..ROWS {
                    let row_pair = load_tail_pair(isa, &row_tails[r][start..]);
                    // A pass over one register takes its half of the pair.
                    let which = if N == 1 { first % 2 } else { 0 };
                    running[r][$n] = F::step(isa, running[r][$n], query_pair[which], row_pair[which]);
                    if const { N > 1 } {
                        running[r][$next] = F::step(isa, running[r][$next], query_pair[1], row_pair[1]);
                    }
                }
            }
        )*};
    }
    tail!(0 1 2 3);
    tail!(0 and 1 2 and 3);
    // The first level of the tree: (0 + 1) + (2 + 3) for a pass over four registers, 0 + 1 for a
    // pass over two.
    let mut registers = [[isa.zero(); SUMS]; ROWS];
    for r in 0..ROWS {
        for s in 0..SUMS {
            registers[r][s] = running[r][0][s];
            if const { N > 1 } {
                registers[r][s] = isa.add(registers[r][s], running[r][1][s]);
            }
            if const { N > 2 } {
                registers[r][s] = isa.add(registers[r][s], isa.add(running[r][2][s], running[r][3][s]));
            }
        }
    }
    registers
}

/// Adds the sums of two passes.
#[inline(always)]
fn add<I: FloatOps, const SUMS: usize, const ROWS: usize>(
    isa: I,
    mut a: [[I::Register; SUMS]; ROWS],
    b: [[I::Register; SUMS]; ROWS],
) -> [[I::Register; SUMS]; ROWS] {
    for r in 0..ROWS {
        for s in 0..SUMS {
            a[r][s] = isa.add(a[r][s], b[r][s]);
        }
    }
    a
}

/// Loads register `index` of a block.
#[inline(always)]
fn load<I: FloatOps, T: Float>(isa: I, block: &[T; BLOCK], index: usize, in_pairs: bool) -> I::Register {
    if in_pairs {
        // The other register of the pair is loaded by the next call, or dropped by the compiler.
        return T::load_pair(isa, &block.as_chunks().0[index / 2])[index % 2];
    }
    T::load(isa, &block.as_chunks().0[index])
}

/// Loads the first register of what is left of a tail.
#[inline(always)]
fn load_tail<I: FloatOps, T: Float>(isa: I, tail: &[T]) -> I::Register {
    match tail.first_chunk() {
        Some(register) => T::load(isa, register),
        None => T::load_partial(isa, tail),
    }
}

/// Loads the first pair of registers of what is left of a tail.
#[inline(always)]
fn load_tail_pair<I: FloatOps, T: Float>(isa: I, tail: &[T]) -> [I::Register; 2] {
    match tail.first_chunk() {
        Some(pair) => T::load_pair(isa, pair),
        None => T::load_partial_pair(isa, tail),
    }
}
