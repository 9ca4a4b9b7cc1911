//! Every kernel of floats that this machine has, compared with the reference and with the others.

mod bound;
mod guard_page;
mod hadamard;
mod half;
mod lanes;
mod lengths;
mod mutants;
mod same_bits;
mod special_values;

use std::sync::LazyLock;
use std::vec::Vec;

use crate::{Distance, Isa, Metric};

/// The handles of every metric on every instruction set that this machine has, whatever `VEX_SIMD`
/// says.
fn handles() -> impl Iterator<Item = Distance<f32>> {
    // Kept, because a hypervisor may take long to answer a detection.
    static HANDLES: LazyLock<Vec<Distance<f32>>> = LazyLock::new(|| {
        let all = Metric::NUMERIC.into_iter().flat_map(|metric| Isa::ALL.map(|isa| (metric, isa)));
        all.filter_map(|(metric, isa)| Distance::with_isa(metric, isa)).collect()
    });
    HANDLES.iter().copied()
}
