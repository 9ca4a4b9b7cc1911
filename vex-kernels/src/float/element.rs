//! How floating-point elements are loaded.

use half::{bf16, f16};

use super::ops::{FloatOps, LANES};

/// A floating-point element. It is widened to f32 as it is loaded, which is exact, and computed
/// with as f32.
pub(crate) trait Float: Copy + 'static {
    /// Whether two vectors of this element are loaded by [pairs](Self::load_pair) of registers.
    const IN_PAIRS: bool = false;

    fn load<I: FloatOps>(isa: I, register: &[Self; LANES]) -> I::Register;
    /// Loads fewer than sixteen elements. Absent ones read as zero.
    fn load_partial<I: FloatOps>(isa: I, slice: &[Self]) -> I::Register;

    /// Loads two registers, in the order of elements that is fastest to load. Any order will do for
    /// two vectors of one element, if it is the same for both.
    #[inline(always)]
    fn load_pair<I: FloatOps>(isa: I, pair: &[Self; 2 * LANES]) -> [I::Register; 2] {
        let registers = pair.as_chunks().0;
        [Self::load(isa, &registers[0]), Self::load(isa, &registers[1])]
    }

    /// Loads fewer than 32 elements, in the order of [`load_pair`](Self::load_pair).
    #[inline(always)]
    fn load_partial_pair<I: FloatOps>(isa: I, slice: &[Self]) -> [I::Register; 2] {
        match slice.split_first_chunk() {
            Some((first, rest)) => [Self::load(isa, first), Self::load_partial(isa, rest)],
            None => [Self::load_partial(isa, slice), isa.zero()],
        }
    }
}

macro_rules! floats {
    ($($float:ty, $load:ident, $load_partial:ident;)*) => {$(
        impl Float for $float {
            #[inline(always)]
            fn load<I: FloatOps>(isa: I, register: &[Self; LANES]) -> I::Register {
                isa.$load(register)
            }

            #[inline(always)]
            fn load_partial<I: FloatOps>(isa: I, slice: &[Self]) -> I::Register {
                isa.$load_partial(slice)
            }
        }
    )*};
}

floats! {
    f32, load, load_partial;
    f16, load_f16, load_partial_f16;
}

impl Float for bf16 {
    const IN_PAIRS: bool = true;

    #[inline(always)]
    fn load<I: FloatOps>(isa: I, register: &[Self; LANES]) -> I::Register {
        isa.load_bf16(register)
    }

    #[inline(always)]
    fn load_partial<I: FloatOps>(isa: I, slice: &[Self]) -> I::Register {
        isa.load_partial_bf16(slice)
    }

    #[inline(always)]
    fn load_pair<I: FloatOps>(isa: I, pair: &[Self; 2 * LANES]) -> [I::Register; 2] {
        isa.load_bf16_pair(pair)
    }

    #[inline(always)]
    fn load_partial_pair<I: FloatOps>(isa: I, slice: &[Self]) -> [I::Register; 2] {
        isa.load_partial_bf16_pair(slice)
    }
}
