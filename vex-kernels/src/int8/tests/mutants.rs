//! Instruction sets with a fault, under the real algorithm. The comparison with the reference must
//! catch each, which shows that the comparison is not vacuous.

use std::vec;
use std::vec::Vec;

use super::exact::expected;
use crate::Metric;
use crate::int8::body::distances;
use crate::int8::ops::{Integer, IntegerOps};
use crate::int8::rules::{IntegerCosine, IntegerInnerProduct, IntegerSquaredEuclidean};
use crate::tests::lengths;
use crate::tests::values::Random;

const LANES: usize = 16;

#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    DropsLastElement,
    CountsLastElementTwice,
    MasksInFours,
    DropsAChain,
    /// As with an instruction that adds pairs of products in 16 bits.
    Saturates,
    /// One side is biased, and the missing sum is never added.
    ForgetsTheCorrection,
}

#[derive(Clone, Copy)]
struct Mutant(Fault);

impl IntegerOps for Mutant {
    type Elements<T: Integer> = [T; LANES];
    type Register = [i32; LANES];
    type Sums = [i32; LANES];
    const SUMS_AT_ONCE: usize = 16;

    fn registers<T: Integer>(slice: &[T]) -> (&[[T; LANES]], &[T]) {
        slice.as_chunks()
    }

    fn load<T: Integer>(self, register: &[T; LANES]) -> [i32; LANES] {
        register.map(T::widen)
    }

    fn load_tail<T: Integer>(self, _: &[T], tail: &[T]) -> [i32; LANES] {
        let present = match self.0 {
            Fault::DropsLastElement => tail.len() - 1,
            Fault::MasksInFours => tail.len() / 4 * 4,
            _ => tail.len(),
        };
        let mut register = [0; LANES];
        for (lane, element) in register.iter_mut().zip(&tail[..present]) {
            *lane = element.widen();
        }
        if let Fault::CountsLastElementTwice = self.0 {
            register[present] = register[present - 1];
        }
        register
    }

    fn products<X: Integer, Y: Integer>(
        self,
        mut sums: [i32; LANES],
        x: [i32; LANES],
        y: [i32; LANES],
    ) -> [i32; LANES] {
        for i in 0..LANES {
            sums[i] += match self.0 {
                Fault::Saturates => (x[i] * y[i]).clamp(-32_768, 32_767),
                Fault::ForgetsTheCorrection => x[i] * (y[i] - 128),
                _ => x[i] * y[i],
            };
        }
        sums
    }

    fn difference<T: Integer>(self, a: [i32; LANES], b: [i32; LANES]) -> [i32; LANES] {
        core::array::from_fn(|i| a[i] - b[i])
    }

    fn add(self, a: [i32; LANES], b: [i32; LANES]) -> [i32; LANES] {
        match self.0 {
            Fault::DropsAChain => a,
            _ => core::array::from_fn(|i| a[i] + b[i]),
        }
    }

    fn total(self, sums: [i32; LANES]) -> i32 {
        sums.iter().sum()
    }
}

fn distance(fault: Fault, metric: Metric, a: &[u8], b: &[u8]) -> f64 {
    let isa = Mutant(fault);
    match metric {
        Metric::SquaredEuclidean => distances::<_, u8, u8, IntegerSquaredEuclidean, 1, 2, 1>(isa, a, [b])[0],
        Metric::InnerProduct => distances::<_, u8, u8, IntegerInnerProduct, 1, 1, 1>(isa, a, [b])[0],
        Metric::Cosine => distances::<_, u8, u8, IntegerCosine, 2, 3, 1>(isa, a, [b])[0],
        Metric::Hamming | Metric::Jaccard => unreachable!("integers have no {metric} distance"),
    }
}

/// The lengths at which a fault went unnoticed, among those at which it changes anything.
fn survives(fault: Fault, metric: Metric, shows: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut random = Random::new(23);
    let unnoticed = |length: &usize| {
        // No element is zero and none equals its partner, so that each of them matters.
        let mut draw = |low: usize, high: usize| -> Vec<u8> {
            (0..*length).map(|_| (low + random.below(high - low)) as u8).collect()
        };
        let (a, b) = (draw(1, 20), draw(210, 256));
        distance(fault, metric, &a, &b) == expected(metric, &a, &b)
    };
    lengths().filter(|length| shows(*length)).filter(unnoticed).collect()
}

#[test]
fn body_without_a_fault_passes_at_every_length() {
    for metric in Metric::NUMERIC {
        assert_eq!(survives(Fault::None, metric, |_| true).len(), lengths().count(), "{metric}");
    }
}

#[test]
fn every_fault_is_caught_at_every_length_where_it_shows() {
    for metric in Metric::NUMERIC {
        let none: Vec<usize> = vec![];
        let tail = |length: usize| !length.is_multiple_of(LANES);
        assert_eq!(survives(Fault::DropsLastElement, metric, tail), none, "{metric}");
        // The cosine of single elements does not depend on how often they are counted.
        let two = |length| tail(length) && length > 1;
        assert_eq!(survives(Fault::CountsLastElementTwice, metric, two), none, "{metric}");
        assert_eq!(survives(Fault::MasksInFours, metric, |length| length % 4 != 0), none, "{metric}");
        assert_eq!(survives(Fault::DropsAChain, metric, |length| length > LANES), none, "{metric}");
        assert_eq!(survives(Fault::ForgetsTheCorrection, metric, |length| length > 1), none, "{metric}");
    }
    // Products of these elements stay below 2^15, unlike squares.
    for metric in [Metric::SquaredEuclidean, Metric::Cosine] {
        assert_eq!(survives(Fault::Saturates, metric, |length| length > 1), Vec::new(), "{metric}");
    }
}
