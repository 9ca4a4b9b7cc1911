//! Every kernel of every level that this machine has, held against the reference and against each other.

mod bits;
mod bound;
mod crumb;
mod guard_page;
mod hadamard;
mod half;
mod integer;
mod integer_lanes;
mod integer_mutants;
mod lanes;
mod lengths;
mod levels;
mod mutants;
mod nibble;
mod packed;
mod special_values;
mod values;

use std::sync::LazyLock;
use std::vec::Vec;

use crate::{Distance, Level, Metric};

/// The handles of every metric of floats at every level that this machine has, whatever `VEX_SIMD` says.
fn handles() -> impl Iterator<Item = Distance<f32>> {
    // Kept, because a hypervisor may take long to answer when detection asks the processor.
    static HANDLES: LazyLock<Vec<Distance<f32>>> = LazyLock::new(|| {
        let all = Metric::NUMERIC.into_iter().flat_map(|metric| Level::ALL.map(|level| (metric, level)));
        all.filter_map(|(metric, level)| Distance::with_level(metric, level)).collect()
    });
    HANDLES.iter().copied()
}

/// Every length up to several blocks with all its tails, then the dimensions that models use.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=300).chain([384, 768, 1000, 1536])
}
