//! Vex: the resolved handle, one row at a time and four at once.

use vex_kernels::{Code8, Distance, Isa, Product};

use super::Level;
use crate::contender::{self, Contender};
use crate::element::{Element, Metric, U8I8};

/// The handle for `metric` at `level`, where Vex has both.
pub(crate) fn handle<Q: vex_kernels::Element<R>, R: 'static>(
    metric: Metric,
    level: Level,
) -> Option<Distance<Q, R>> {
    Distance::with_isa(vex_kernels::Metric::from_name(metric.name())?, own(level))
}

fn own(level: Level) -> Isa {
    match level {
        Level::Avx512 => Isa::Avx512,
        Level::Avx2 => Isa::Avx2,
        Level::Scalar => Isa::Scalar,
    }
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

/// The product as quantised search calls it.
fn product(metric: Metric, level: Level) -> Option<Product<Code8>> {
    Product::with_isa(own(level)).filter(|_| metric == Metric::InnerProduct)
}

pub(super) fn codes(metric: Metric, level: Level) -> Option<Box<dyn Contender<U8I8>>> {
    let product = product(metric, level)?;
    contender::single(product.name(), move |q, row| product.dot(q, row), |dot| -f64::from(dot))
}

pub(super) fn codes_batch_of_4(metric: Metric, level: Level) -> Option<Box<dyn Contender<U8I8>>> {
    let product = product(metric, level)?;
    contender::batch_of_4(product.name(), move |q, rows| product.dot_batch_4(q, rows), |dot| -f64::from(dot))
}
