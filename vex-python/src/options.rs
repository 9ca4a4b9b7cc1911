//! Names and numbers that Python gives, as the types of Rust.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use vex::{Builder, Coding, Element, Index, Metric, Params, SearchParams, Store};

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

/// The keyword arguments of a new index.
pub(crate) struct Recipe {
    metric: Option<Metric>,
    element: Option<Element>,
    coding: Coding,
    params: Params,
    memory_limit: Option<usize>,
    /// Of a bulk build.
    threads: Option<usize>,
    pub(crate) progress: Option<Py<PyAny>>,
}

impl Recipe {
    pub(crate) fn read(keywords: Option<&Bound<'_, PyDict>>, is_bulk: bool) -> Result<Self> {
        let mut recipe = Self {
            metric: None,
            element: None,
            coding: Coding::Auto,
            params: Params::new(),
            memory_limit: None,
            threads: None,
            progress: None,
        };
        for (name, value) in keywords.into_iter().flatten() {
            match &*name.extract::<String>()? {
                "metric" => recipe.metric = Some(metric(&value.extract::<String>()?)?),
                "dtype" if value.is_none() => (),
                "dtype" => recipe.element = Some(element(&value)?),
                "m" => recipe.params.m = value.extract()?,
                "ef_construction" => recipe.params.ef_construction = value.extract()?,
                "quantization" => recipe.coding = coding(value.extract::<Option<String>>()?.as_deref())?,
                "seed" => recipe.params.seed = value.extract()?,
                "keep_pruned" => recipe.params.keep_pruned = value.extract()?,
                "memory_limit" => recipe.memory_limit = value.extract()?,
                "threads" if is_bulk => recipe.threads = value.extract()?,
                "progress" if is_bulk => recipe.progress = (!value.is_none()).then(|| value.unbind()),
                name => {
                    let bulk = if is_bulk { ", progress, threads" } else { "" };
                    let text = format!(
                        "expected dtype, ef_construction, keep_pruned, m, memory_limit, metric, quantization, \
                         seed{bulk}, found the keyword {name}"
                    );
                    return Err(PyTypeError::new_err(text).into());
                }
            }
        }
        Ok(recipe)
    }

    /// The type of the elements: the one that was asked for, or else `found`.
    pub(crate) fn element(&self, found: Element) -> Element {
        self.element.unwrap_or(found)
    }

    pub(crate) fn builder(&self, dim: usize, element: Element) -> Builder {
        let Params { m, ef_construction, seed, keep_pruned, .. } = self.params;
        // Bits have no cosine.
        let default = if element == Element::Bits { Metric::Hamming } else { Metric::Cosine };
        let mut builder = Index::builder(dim)
            .metric(self.metric.unwrap_or(default))
            .element(element)
            .m(m)
            .ef_construction(ef_construction)
            .quantization(self.coding)
            .seed(seed)
            .keep_pruned(keep_pruned);
        if let Some(bytes) = self.memory_limit {
            builder = builder.memory_limit(bytes);
        }
        if let Some(threads) = self.threads {
            builder = builder.threads(threads);
        }
        builder
    }
}

/// What a search may take.
/// The distance within which a search looks.
pub(crate) fn radius(radius: f32) -> Result<f32> {
    match radius.is_nan() {
        true => Err(Failure::value("radius: expected a distance, found nan")),
        false => Ok(radius),
    }
}

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
