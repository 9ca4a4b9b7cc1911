//! Vex: the resolved handle, one row at a time and four at once.

use vex_kernels::Distance;

use super::Level;
use crate::contender::{self, Contender};
use crate::element::{Element, Metric};

/// The handle for `metric` at `level`, where Vex has both.
pub(crate) fn handle<Q: vex_kernels::Element<R>, R: 'static>(
    metric: Metric,
    level: Level,
) -> Option<Distance<Q, R>> {
    let metric = vex_kernels::Metric::from_name(metric.name())?;
    let level = match level {
        Level::Avx512 => vex_kernels::Level::Avx512,
        Level::Avx2 => vex_kernels::Level::Avx2,
        Level::Scalar => vex_kernels::Level::Scalar,
    };
    Distance::with_level(metric, level)
}

pub(super) fn single<E, Q, R: 'static>(metric: Metric, level: Level) -> Option<Box<dyn Contender<E>>>
where
    E: Element<Query = Q, Row = R>,
    Q: vex_kernels::Element<R, Value: Into<f64>>,
{
    let distance = handle::<Q, R>(metric, level)?;
    contender::single(distance.name(), move |a, b| distance.distance(a, b), Into::into)
}

pub(super) fn batch_of_4<E, Q, R: 'static>(metric: Metric, level: Level) -> Option<Box<dyn Contender<E>>>
where
    E: Element<Query = Q, Row = R>,
    Q: vex_kernels::Element<R, Value: Into<f64>>,
{
    let distance = handle::<Q, R>(metric, level)?;
    contender::batch_of_4(distance.name(), move |q, rows| distance.distance_batch_4(q, rows), Into::into)
}
