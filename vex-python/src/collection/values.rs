//! Rows as dicts, and values as objects of Python.

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyMapping, PyMappingMethods, PyString};
use vex::Element;
use vex_db::{Filter, NamedVectors, Row, Schema, Value};

use crate::arrays::Vectors;
use crate::collection::view;
use crate::error::{Failure, Result};

/// What is written of a row besides its vector.
#[derive(Clone, Default)]
pub(crate) struct Written {
    pub(crate) row: Row,
    pub(crate) named: NamedVectors,
}

/// The values that a mapping and keyword arguments have for a row: its fields, and its vectors with
/// names. One that is None is left out.
pub(crate) fn row(
    mapping: Option<&Bound<'_, PyAny>>,
    keywords: Option<&Bound<'_, PyDict>>,
    schema: &Schema,
) -> Result<Written> {
    let mut written = Written::default();
    if let Some(mapping) = mapping.filter(|mapping| !mapping.is_none()) {
        for (name, item) in items(mapping)? {
            set(&mut written, name, &item, schema)?;
        }
    }
    for (name, item) in keywords.into_iter().flatten() {
        set(&mut written, name.extract()?, &item, schema)?;
    }
    Ok(written)
}

/// The items of a mapping from names.
pub(crate) fn items<'py>(mapping: &Bound<'py, PyAny>) -> Result<Vec<(String, Bound<'py, PyAny>)>> {
    let mapping = mapping.cast::<PyMapping>().map_err(PyErr::from)?;
    let items = mapping.items()?;
    Ok(items.try_iter()?.map(|item| item?.extract()).collect::<PyResult<_>>()?)
}

fn set(written: &mut Written, name: String, item: &Bound<'_, PyAny>, schema: &Schema) -> Result<()> {
    if item.is_none() {
        return Ok(());
    }
    match schema.vectors().find(|(vector, ..)| *vector == name) {
        Some((_, dim, _)) => {
            let vectors = Vectors::read(&name, item, Element::F32, dim)?;
            let vector = view::one(&name, &vectors)?.to_vec();
            written.named.push((name, vector));
        }
        None => {
            let value = value(&format!("field {name}"), item)?;
            written.row.insert(name, value);
        }
    }
    Ok(())
}

/// The filter of a text, with a value for each `?` in it.
pub(crate) fn filter(text: Option<&str>, params: Option<&Bound<'_, PyAny>>) -> Result<Option<Filter>> {
    let mut values = Vec::new();
    if let Some(params) = params {
        // A text has items as well, its letters.
        if params.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("params: expected a list of values, found one text").into());
        }
        for param in params.try_iter()? {
            values.push(value("params", &param?)?);
        }
    }
    match text {
        Some(text) => Ok(Some(Filter::parse(text, &values)?)),
        None if values.is_empty() => Ok(None),
        None => Err(Failure::value("params: expected none without `where`, found some")),
    }
}

/// A value of a type that fields have, or one of numpy's scalars.
fn value(what: &str, item: &Bound<'_, PyAny>) -> Result<Value> {
    if let Ok(text) = item.cast::<PyString>() {
        return Ok(Value::Text(text.extract()?));
    }
    if let Ok(bool) = item.extract::<bool>() {
        return Ok(Value::Bool(bool));
    }
    match item.extract::<i64>() {
        Ok(int) => return Ok(Value::Int(int)),
        Err(error)
            if error.is_instance_of::<PyOverflowError>(item.py()) || item.is_instance_of::<PyInt>() =>
        {
            let (least, most) = (i64::MIN, i64::MAX);
            return Err(Failure::value(format!("{what}: expected {least} to {most}, found {item}")));
        }
        Err(_) => (),
    }
    match item.extract::<f64>() {
        Ok(float) => Ok(Value::Float(float)),
        Err(_) => {
            let found = item.get_type().name()?;
            let text = format!("{what}: expected str, int, float or bool, found {found}");
            Err(PyTypeError::new_err(text).into())
        }
    }
}

pub(crate) fn to_dict<'py>(py: Python<'py>, row: &Row) -> Result<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (field, value) in row.iter() {
        dict.set_item(field, to_object(py, value)?)?;
    }
    Ok(dict)
}

pub(crate) fn to_object<'py>(py: Python<'py>, value: &Value) -> Result<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Text(text) => text.into_pyobject(py)?.into_any(),
        Value::Int(int) => int.into_pyobject(py)?.into_any(),
        Value::Float(float) => float.into_pyobject(py)?.into_any(),
        Value::Bool(bool) => bool.into_pyobject(py)?.to_owned().into_any(),
        other => return Err(Failure::value(format!("no type of Python for {other}"))),
    })
}
