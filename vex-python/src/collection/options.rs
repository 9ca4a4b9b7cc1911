//! How a collection is opened.

use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use vex_db::{Durability, Maintenance, Options};

use crate::error::{Failure, Result};
use crate::options::coding;

/// Reads the keyword arguments of a function that opens a collection.
pub(crate) fn read(keywords: Option<&Bound<'_, PyDict>>) -> Result<Options> {
    let mut options = Options::new();
    for (name, value) in keywords.into_iter().flatten() {
        let name: String = name.extract()?;
        options = match &*name {
            "durability" => options.durability(durability(&value)?),
            "maintenance" => options.maintenance(maintenance(&value.extract::<String>()?)?),
            "wait" => options.wait(value.extract()?),
            "verify" => options.verify(value.extract()?),
            "quantization" => options.quantization(coding(value.extract::<Option<String>>()?.as_deref())?),
            // What is None has its default.
            "cache" | "seal_at" | "threads" | "memory_limit" | "m" | "ef_construction" if value.is_none() => {
                options
            }
            "cache" => options.cache(value.extract()?),
            "seal_at" => options.seal_at(value.extract()?),
            "threads" => options.threads(value.extract()?),
            "memory_limit" => options.memory_limit(value.extract()?),
            "m" => options.m(value.extract()?),
            "ef_construction" => options.ef_construction(value.extract()?),
            name => {
                let text = format!(
                    "expected cache, durability, ef_construction, m, maintenance, memory_limit, quantization, \
                     seal_at, threads, verify or wait, found the keyword {name}"
                );
                return Err(PyTypeError::new_err(text).into());
            }
        };
    }
    Ok(options)
}

fn durability(value: &Bound<'_, PyAny>) -> Result<Durability> {
    if let Ok(seconds) = value.extract::<f64>() {
        let interval = Duration::try_from_secs_f64(seconds);
        return interval.map(Durability::Batched).map_err(|_| {
            Failure::value(format!("durability: expected seconds of 0 or more, found {seconds}"))
        });
    }
    match &*value.extract::<String>()? {
        "commit" => Ok(Durability::Commit),
        "none" => Ok(Durability::None),
        name => Err(Failure::value(format!(
            "durability: expected commit, none, or a number of seconds, found {name}"
        ))),
    }
}

fn maintenance(name: &str) -> Result<Maintenance> {
    match name {
        "on-commit" => Ok(Maintenance::OnCommit),
        "background" => Ok(Maintenance::Background),
        "manual" => Ok(Maintenance::Manual),
        name => Err(Failure::value(format!(
            "maintenance: expected on-commit, background or manual, found {name}"
        ))),
    }
}
