//! The scalar types that vectors are made of.

use crate::isa::{self, Kernels};
use crate::{Level, Metric};

/// A scalar type that has kernels. Sealed: the set of elements is part of the file format.
pub trait Element: Copy + Send + Sync + 'static + sealed::Sealed {}

impl Element for f32 {}

pub(crate) mod sealed {
    use super::{Kernels, Level, Metric};

    pub trait Sealed: Sized {
        /// The kernels of this element, or `None` where this machine or the element lacks `level`.
        fn kernels(metric: Metric, level: Level) -> Option<Kernels<Self>>;
    }
}

impl sealed::Sealed for f32 {
    fn kernels(metric: Metric, level: Level) -> Option<Kernels<f32>> {
        isa::kernels_f32(metric, level)
    }
}
