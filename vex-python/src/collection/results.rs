//! Rows that were found.

use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use vex::Element;

use crate::arrays::Vectors;
use crate::collection::values;
use crate::error::Result;

/// A row that a search found.
///
/// Attributes:
///     id: The id.
///     distance: The distance to the query under the metric. Smaller is nearer.
///     row: A dict of the fields that were asked for. One without a value is not in it.
#[pyclass(frozen, get_all, module = "vex_index", name = "Hit")]
pub(crate) struct Hit {
    id: Py<PyString>,
    distance: f32,
    row: Py<PyDict>,
}

impl Hit {
    pub(crate) fn of(py: Python<'_>, hit: &vex_db::Hit) -> Result<Self> {
        let row = values::to_dict(py, &hit.row)?.unbind();
        Ok(Self { id: PyString::new(py, &hit.id).unbind(), distance: hit.distance, row })
    }

    pub(crate) fn list<'py>(py: Python<'py>, hits: &[vex_db::Hit]) -> Result<Bound<'py, PyList>> {
        let hits = hits.iter().map(|hit| Self::of(py, hit)).collect::<Result<Vec<_>>>()?;
        Ok(PyList::new(py, hits)?)
    }
}

#[pymethods]
impl Hit {
    fn __repr__(&self, py: Python<'_>) -> Result<String> {
        let (id, row) = (self.id.bind(py).repr()?, self.row.bind(py).repr()?);
        Ok(format!("Hit(id={id}, distance={:?}, row={row})", self.distance))
    }
}

/// A row as it is kept.
///
/// Attributes:
///     id: The id.
///     vector: An array of float32, of shape (dim,), or None if it was not asked for. Under cosine
///         it has unit length.
///     named: A dict from names to the other vectors of the row, which is empty if vectors were not
///         asked for.
///     row: A dict of the fields.
#[pyclass(frozen, get_all, module = "vex_index", name = "Record")]
pub(crate) struct Record {
    id: Py<PyString>,
    vector: Option<Py<PyArray1<f32>>>,
    named: Py<PyDict>,
    row: Py<PyDict>,
}

impl Record {
    pub(crate) fn of(
        py: Python<'_>,
        id: &str,
        vector: Option<Vec<f32>>,
        vectors: vex_db::NamedVectors,
        row: &vex_db::Row,
    ) -> Result<Self> {
        let named = PyDict::new(py);
        for (name, vector) in vectors {
            named.set_item(name, PyArray1::from_vec(py, vector))?;
        }
        Ok(Self {
            named: named.unbind(),
            id: PyString::new(py, id).unbind(),
            vector: vector.map(|vector| PyArray1::from_vec(py, vector).unbind()),
            row: values::to_dict(py, row)?.unbind(),
        })
    }
}

#[pymethods]
impl Record {
    fn __repr__(&self, py: Python<'_>) -> Result<String> {
        let (id, row) = (self.id.bind(py).repr()?, self.row.bind(py).repr()?);
        let vector = if self.vector.is_some() { "..." } else { "None" };
        Ok(format!("Record(id={id}, vector={vector}, row={row})"))
    }
}

/// Rows with one value of a field.
///
/// Attributes:
///     value: The value.
///     hits: The nearest rows, nearest first.
#[pyclass(frozen, get_all, module = "vex_index", name = "Group")]
pub(crate) struct Group {
    value: Py<PyAny>,
    hits: Py<PyList>,
}

impl Group {
    pub(crate) fn of(py: Python<'_>, group: &vex_db::Group) -> Result<Self> {
        let value = values::to_object(py, &group.value)?.unbind();
        Ok(Self { value, hits: Hit::list(py, &group.hits)?.unbind() })
    }
}

#[pymethods]
impl Group {
    fn __repr__(&self, py: Python<'_>) -> Result<String> {
        Ok(format!("Group(value={}, hits={})", self.value.bind(py).repr()?, self.hits.bind(py).repr()?))
    }
}

/// The vectors that a callback of Python's makes of rows.
pub(crate) fn embedded(embed: &Py<PyAny>, rows: &[vex_db::Scrolled], dim: usize) -> PyResult<Vec<Vec<f32>>> {
    Python::attach(|py| {
        let records =
            rows.iter().map(|row| Record::of(py, &row.id, row.vector.clone(), row.named.clone(), &row.row));
        let records = records.collect::<Result<Vec<_>>>()?;
        let made = embed.bind(py).call1((records,))?;
        let vectors = Vectors::read("embed", &made, Element::F32, dim)?;
        let rows = vectors.rows()?;
        Ok((0..rows.count).map(|row| rows.get(row).as_f32().unwrap_or_default().to_vec()).collect())
    })
}
