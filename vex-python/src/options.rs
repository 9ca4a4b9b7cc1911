//! Names and numbers that Python gives, as the types of Rust.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use vex::{Builder, Coding, Element, Index, Metric, SearchParams, Store};

use crate::error::{Failure, Result};

/// The metric of a name: one of Vex's, or one that other libraries use.
pub(crate) fn metric(name: &str) -> Result<Metric> {
    Ok(match name {
        "cos" | "angular" => Metric::Cosine,
        // The rule has no root. The libraries that use these names have none, either.
        "l2" | "l2sq" | "sqeuclidean" => Metric::SquaredEuclidean,
        "ip" | "dot" => Metric::InnerProduct,
        name => name.parse()?,
    })
}

/// The type of elements of a name, or of a type of numpy's.
pub(crate) fn element(dtype: &Bound<'_, PyAny>) -> Result<Element> {
    let name = match dtype.cast::<PyString>() {
        Ok(name) => name.to_string(),
        // Types and dtypes of numpy have a name.
        Err(_) => match dtype.getattr("__name__").or_else(|_| dtype.getattr("name")) {
            Ok(name) => name.extract()?,
            Err(_) => {
                let text = format!("dtype: expected a name or a type of numpy, found {}", dtype.repr()?);
                return Err(PyTypeError::new_err(text).into());
            }
        },
    };
    Ok(match &*name {
        "float32" => Element::F32,
        "float16" => Element::F16,
        "int8" => Element::I8,
        "uint8" => Element::U8,
        "bool" | "bool_" => Element::Bits,
        name => name.parse()?,
    })
}

pub(crate) fn coding(name: Option<&str>) -> Result<Coding> {
    Ok(name.map_or(Ok(Coding::None), str::parse)?)
}

pub(crate) fn store(name: &str) -> Result<Store> {
    match name {
        "all" => Ok(Store::All),
        "f16" => Ok(Store::F16),
        "none" => Ok(Store::None),
        name => Err(Failure::value(format!("store: expected all, f16 or none, found {name}"))),
    }
}

/// The parameters of a new index.
pub(crate) struct Recipe<'a> {
    pub(crate) dim: usize,
    pub(crate) metric: &'a str,
    pub(crate) element: Element,
    pub(crate) m: usize,
    pub(crate) ef_construction: usize,
    pub(crate) quantization: Option<&'a str>,
    pub(crate) seed: u64,
    pub(crate) keep_pruned: bool,
    pub(crate) memory_limit: Option<usize>,
}

impl Recipe<'_> {
    pub(crate) fn builder(&self) -> Result<Builder> {
        let mut builder = Index::builder(self.dim)
            .metric(metric(self.metric)?)
            .element(self.element)
            .m(self.m)
            .ef_construction(self.ef_construction)
            .quantization(coding(self.quantization)?)
            .seed(self.seed)
            .keep_pruned(self.keep_pruned);
        if let Some(bytes) = self.memory_limit {
            builder = builder.memory_limit(bytes);
        }
        Ok(builder)
    }
}

/// What a search may take.
pub(crate) fn search(
    k: usize,
    ef_search: Option<usize>,
    slack: Option<f32>,
    rerank: Option<f32>,
    max_distances: Option<usize>,
) -> SearchParams {
    let mut params = SearchParams::new(k);
    params.ef_search = ef_search.unwrap_or(params.ef_search);
    params.slack = slack.unwrap_or(params.slack);
    params.rerank = rerank.unwrap_or(params.rerank);
    params.max_distance_evals = max_distances.unwrap_or(params.max_distance_evals);
    params
}
