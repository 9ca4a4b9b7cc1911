//! `vex_index.Schema`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyDictMethods, PyString, PyType};
use vex_db::FieldType;

use crate::error::{Failure, Result};
use crate::options;

/// What the rows of a collection have in common.
///
/// Args:
///     dim: Elements of a vector.
///     metric: "cosine", "squared-euclidean" or "inner-product".
///     model: The name of the model that makes the vectors. A collection is opened only under the
///         name that it was created with.
///     fields: A dict from names to types: str, int, float, bool, or their names "text", "int",
///         "float" and "bool". A field that is "stored" takes any of these, and filters cannot ask for
///         it.
///     vectors: Vectors that rows may have besides the first: a dict from names to dimensions, or to
///         pairs of a dimension and a metric.
#[pyclass(frozen, module = "vex_index", name = "Schema")]
pub(crate) struct Schema(pub(crate) vex_db::Schema);

#[pymethods]
impl Schema {
    #[new]
    #[pyo3(signature = (dim, *, metric="cosine", model=None, fields=None, vectors=None))]
    fn new(
        dim: usize,
        metric: &str,
        model: Option<String>,
        fields: Option<&Bound<'_, PyDict>>,
        vectors: Option<&Bound<'_, PyDict>>,
    ) -> Result<Self> {
        let mut schema = vex_db::Schema::new(dim, options::metric(metric)?);
        if let Some(model) = model {
            schema = schema.model(model);
        }
        for (name, kind) in fields.into_iter().flatten() {
            let name: String = name.extract()?;
            let kind = field_type(&name, &kind)?;
            schema = schema.field(name, kind);
        }
        for (name, of) in vectors.into_iter().flatten() {
            let name: String = name.extract()?;
            schema = match of.extract::<(usize, String)>() {
                Ok((dim, metric)) => schema.vector_by(name, dim, options::metric(&metric)?),
                Err(_) => match of.extract() {
                    Ok(dim) => schema.vector(name, dim),
                    Err(_) => {
                        let text = format!(
                            "vector {name}: expected a dimension, or (dimension, metric), found {of}"
                        );
                        return Err(PyTypeError::new_err(text).into());
                    }
                },
            };
        }
        Ok(Self(schema))
    }

    /// Elements of a vector.
    #[getter]
    fn dim(&self) -> usize {
        self.0.dim()
    }

    /// The name of the metric.
    #[getter]
    fn metric(&self) -> &'static str {
        self.0.metric().name()
    }

    /// The name of the model, or None.
    #[getter]
    fn model(&self) -> Option<&str> {
        self.0.model_name()
    }

    /// A dict from the names of the fields to the names of their types.
    #[getter]
    fn fields<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyDict>> {
        let fields = PyDict::new(py);
        for (name, kind) in self.0.fields() {
            fields.set_item(name, kind.name())?;
        }
        Ok(fields)
    }

    /// A dict from the names of the vectors besides the first to their dimensions and metrics.
    #[getter]
    fn vectors<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyDict>> {
        let vectors = PyDict::new(py);
        for (name, dim, metric) in self.0.vectors() {
            vectors.set_item(name, (dim, metric.name()))?;
        }
        Ok(vectors)
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __repr__(&self, py: Python<'_>) -> Result<String> {
        let model = self.0.model_name().map_or("None".to_owned(), |model| format!("{model:?}"));
        let fields = self.fields(py)?;
        let vectors = self.vectors(py)?;
        let vectors =
            if vectors.is_empty() { String::new() } else { format!(", vectors={}", vectors.repr()?) };
        Ok(format!(
            "Schema(dim={}, metric={:?}, model={model}, fields={}{vectors})",
            self.0.dim(),
            self.metric(),
            fields.repr()?
        ))
    }
}

fn field_type(field: &str, kind: &Bound<'_, PyAny>) -> Result<FieldType> {
    let name: String = match kind.cast::<PyType>() {
        Ok(class) => class.name()?.extract()?,
        Err(_) => kind.cast::<PyString>().map_err(PyErr::from)?.extract()?,
    };
    let found = if name == "str" { Some(FieldType::Text) } else { FieldType::from_name(&name) };
    found.ok_or_else(|| {
        Failure::value(format!("field {field}: expected text, int, float, bool or stored, found {name}"))
    })
}
