//! Instruction sets with a fault, under the real algorithm. The check of the bound must catch each,
//! which shows that the check is not vacuous.

use half::{bf16, f16};

use super::bound::check;
use crate::Metric;
use crate::cpu::Portable;
use crate::float::ops::{FloatOps, LANES};
use crate::float::{body, rules};
use crate::tests::lengths;
use crate::tests::values::{Random, Values};

#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    DropsLastElement,
    CountsLastElementTwice,
    MasksInFours,
    DropsHalfOfTheLanes,
    /// Sums of 16 bits of mantissa: nothing is lost, and only the precision is wrong.
    RoundsCoarsely,
}

#[derive(Clone, Copy)]
struct Mutant(Fault);

impl FloatOps for Mutant {
    type Register = [f32; LANES];
    const REGISTERS_AT_ONCE: usize = Portable::REGISTERS_AT_ONCE;
    const REGISTERS_IN_BATCH: usize = Portable::REGISTERS_IN_BATCH;

    fn load_partial(self, slice: &[f32]) -> Self::Register {
        let present = slice.len();
        match self.0 {
            Fault::DropsLastElement => Portable.load_partial(&slice[..present - 1]),
            Fault::MasksInFours => Portable.load_partial(&slice[..present / 4 * 4]),
            Fault::CountsLastElementTwice => {
                let mut register = Portable.load_partial(slice);
                register[present] = slice[present - 1];
                register
            }
            _ => Portable.load_partial(slice),
        }
    }

    fn load_f16(self, register: &[f16; LANES]) -> Self::Register {
        Portable.load_f16(register)
    }

    fn load_bf16(self, register: &[bf16; LANES]) -> Self::Register {
        Portable.load_bf16(register)
    }

    fn load_bf16_pair(self, pair: &[bf16; 2 * LANES]) -> [Self::Register; 2] {
        Portable.load_bf16_pair(pair)
    }

    fn add(self, a: Self::Register, b: Self::Register) -> Self::Register {
        match self.0 {
            Fault::DropsHalfOfTheLanes => a,
            _ => Portable.add(a, b),
        }
    }

    fn sub(self, a: Self::Register, b: Self::Register) -> Self::Register {
        Portable.sub(a, b)
    }

    fn mul_add(self, a: Self::Register, b: Self::Register, c: Self::Register) -> Self::Register {
        let sums = Portable.mul_add(a, b, c);
        match self.0 {
            Fault::RoundsCoarsely => sums.map(|sum| f32::from_bits(sum.to_bits() & !0xff)),
            _ => sums,
        }
    }

    fn sum(self, register: Self::Register) -> f32 {
        Portable.sum(register)
    }
}

fn distance(fault: Fault, metric: Metric, a: &[f32], b: &[f32]) -> f32 {
    let isa = Mutant(fault);
    match metric {
        Metric::SquaredEuclidean => body::distance::<_, f32, f32, rules::SquaredEuclidean, 1>(isa, a, b, 0.0),
        Metric::InnerProduct => body::distance::<_, f32, f32, rules::InnerProduct, 1>(isa, a, b, 0.0),
        Metric::Cosine => body::distance::<_, f32, f32, rules::Cosine, 3>(isa, a, b, 0.0),
        other => unreachable!("{other} is no metric of floats"),
    }
}

/// The lengths at which the check did not notice the fault, among those at which it changes
/// anything.
fn survives(fault: Fault, metric: Metric, values: Values, shows: impl Fn(usize) -> bool) -> usize {
    let mut random = Random::new(3);
    let mut survived = 0;
    for length in lengths().filter(|length| shows(*length)) {
        let (a, b) = values.pair(&mut random, length);
        survived += usize::from(check(metric, &a, &b, distance(fault, metric, &a, &b)).is_ok());
    }
    survived
}

#[test]
fn body_without_a_fault_passes_at_every_length() {
    for metric in Metric::NUMERIC {
        assert_eq!(
            survives(Fault::None, metric, Values::Significant, |_| true),
            lengths().count(),
            "{metric}"
        );
    }
}

#[test]
fn dropped_element_is_caught_at_every_length() {
    for metric in Metric::NUMERIC {
        assert_eq!(
            survives(Fault::DropsLastElement, metric, Values::Significant, |length| length % LANES != 0),
            0,
            "{metric}"
        );
    }
}

#[test]
fn element_counted_twice_is_caught_at_every_length() {
    for metric in Metric::NUMERIC {
        // The cosine of a single element with itself stays one, however often it is counted.
        let shows = |length| length % LANES != 0 && length > 1;
        assert_eq!(
            survives(Fault::CountsLastElementTwice, metric, Values::Significant, shows),
            0,
            "{metric}"
        );
    }
}

#[test]
fn wrong_mask_is_caught_at_every_length() {
    for metric in Metric::NUMERIC {
        assert_eq!(
            survives(Fault::MasksInFours, metric, Values::Significant, |length| length % 4 != 0),
            0,
            "{metric}"
        );
    }
}

#[test]
fn dropped_lanes_are_caught_at_every_length() {
    for metric in Metric::NUMERIC {
        assert_eq!(
            survives(Fault::DropsHalfOfTheLanes, metric, Values::Significant, |length| length > LANES),
            0,
            "{metric}"
        );
    }
}

/// Only for metrics that are one sum: the quotient of a cosine cancels errors of one sign.
#[test]
fn coarse_rounding_is_caught_at_every_length() {
    for metric in [Metric::SquaredEuclidean, Metric::InnerProduct] {
        assert_eq!(
            survives(Fault::RoundsCoarsely, metric, Values::Positive, |length| length > 1),
            0,
            "{metric}"
        );
    }
}
