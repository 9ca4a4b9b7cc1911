//! Arrays of numpy: vectors, queries and keys as they come in, and as they go out.
//!
//! An array that is contiguous and of the type of the index is read where it is. Every other one is
//! converted by numpy first, or refused.

use half::f16;
use numpy::{
    Element as Number, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyTuple};
use vex::{Element, Elements};

use crate::error::{Failure, Result};

/// Vectors that Python gave, one or many.
pub(crate) struct Vectors<'py> {
    data: Data<'py>,
    count: usize,
    /// Whether the array had one dimension.
    is_single: bool,
    /// Scalars of a vector.
    scalars: usize,
}

enum Data<'py> {
    F32(PyReadonlyArrayDyn<'py, f32>),
    F16(PyReadonlyArrayDyn<'py, f16>),
    I8(PyReadonlyArrayDyn<'py, i8>),
    U8(PyReadonlyArrayDyn<'py, u8>),
    Words(PyReadonlyArrayDyn<'py, u64>),
    Packed(Vec<u64>),
}

/// The same vectors, for threads that Python does not know.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) all: Elements<'a>,
    pub(crate) count: usize,
    /// Scalars of a vector.
    pub(crate) scalars: usize,
}

impl<'a> Rows<'a> {
    pub(crate) fn get(self, row: usize) -> Elements<'a> {
        let range = row * self.scalars..(row + 1) * self.scalars;
        match self.all {
            Elements::F32(all) => Elements::F32(&all[range]),
            Elements::F16(all) => Elements::F16(&all[range]),
            Elements::I8(all) => Elements::I8(&all[range]),
            Elements::U8(all) => Elements::U8(&all[range]),
            Elements::Bits(all) => Elements::Bits(&all[range]),
        }
    }
}

impl<'py> Vectors<'py> {
    /// Reads vectors of `dim` elements. `what` names the argument in messages.
    pub(crate) fn read(what: &str, object: &Bound<'py, PyAny>, element: Element, dim: usize) -> Result<Self> {
        let data = match element {
            Element::F32 => native(object)?.map(Data::F32),
            Element::F16 => match native(object)? {
                Some(array) => Some(Data::F16(array)),
                None => native(object)?.map(Data::F32),
            },
            Element::I8 => native(object)?.map(Data::I8),
            Element::U8 => native(object)?.map(Data::U8),
            Element::Bits => native(object)?.map(Data::Words),
        };
        if let Some(data) = data {
            // It is an array, since it was read as one.
            let shape = object.cast::<PyUntypedArray>().map_err(PyErr::from)?.shape();
            return Self::shaped(what, data, shape, element.scalars(dim), dim);
        }
        Self::convert(what, object, element, dim)
    }

    fn convert(what: &str, object: &Bound<'py, PyAny>, element: Element, dim: usize) -> Result<Self> {
        // A list gets the type of the index, if its numbers have one that this type holds.
        let of_list = match element {
            Element::F32 | Element::F16 => "float32",
            Element::I8 => "int8",
            Element::U8 => "uint8",
            Element::Bits => "bool",
        };
        let mut array = as_array(object, None)?;
        if is_list(object) {
            let untyped = array.cast::<PyUntypedArray>().map_err(PyErr::from)?;
            let (kind, is_empty) = (untyped.dtype().kind(), untyped.is_empty());
            let is_held = match element {
                Element::F32 | Element::F16 => matches!(kind, b'f' | b'i' | b'u'),
                Element::I8 | Element::U8 => matches!(kind, b'i' | b'u'),
                Element::Bits => kind == b'b',
            };
            if !is_held && !is_empty {
                return Err(wrong_type(what, element, &untyped.dtype())?);
            }
            // Whole numbers out of range are refused, since they come from the list.
            array = as_array(object, Some(of_list))?;
        }
        let untyped = array.cast::<PyUntypedArray>().map_err(PyErr::from)?;
        let (shape, found) = (untyped.shape().to_vec(), untyped.dtype());
        let data = match (element, found.kind(), found.itemsize()) {
            (Element::F16, b'f', 2) => Data::F16(required(&array, "float16")?),
            (Element::F32 | Element::F16, b'f', _) => Data::F32(required(&array, "float32")?),
            (Element::I8, b'i', 1) => Data::I8(required(&array, "int8")?),
            (Element::U8, b'u', 1) => Data::U8(required(&array, "uint8")?),
            (Element::Bits, b'u', 8) => Data::Words(required(&array, "uint64")?),
            (Element::Bits, b'u', 1) => {
                let bytes = dim.div_ceil(8);
                // In the order of `numpy.packbits`, as the command reads them.
                let data = Data::Packed(words(&required(&array, "uint8")?, bytes, dim, u8::reverse_bits)?);
                return Self::shaped_as(what, data, &shape, bytes, dim, element.scalars(dim));
            }
            (Element::Bits, b'b', 1) => {
                check_columns(what, &shape, dim, dim)?;
                let packed = call("packbits", &array, None)?;
                let data =
                    Data::Packed(words(&required(&packed, "uint8")?, dim.div_ceil(8), dim, |byte| byte)?);
                return Self::shaped_as(what, data, &shape, dim, dim, element.scalars(dim));
            }
            _ => return Err(wrong_type(what, element, &found)?),
        };
        Self::shaped(what, data, &shape, element.scalars(dim), dim)
    }

    fn shaped(what: &str, data: Data<'py>, shape: &[usize], columns: usize, dim: usize) -> Result<Self> {
        Self::shaped_as(what, data, shape, columns, dim, columns)
    }

    fn shaped_as(
        what: &str,
        data: Data<'py>,
        shape: &[usize],
        columns: usize,
        dim: usize,
        scalars: usize,
    ) -> Result<Self> {
        let count = check_columns(what, shape, columns, dim)?;
        Ok(Self { data, count, is_single: shape.len() == 1, scalars })
    }

    pub(crate) fn is_single(&self) -> bool {
        self.is_single
    }

    pub(crate) fn rows(&self) -> Result<Rows<'_>> {
        let all = match &self.data {
            Data::F32(array) => Elements::F32(slice(array)?),
            Data::F16(array) => Elements::F16(slice(array)?),
            Data::I8(array) => Elements::I8(slice(array)?),
            Data::U8(array) => Elements::U8(slice(array)?),
            Data::Words(array) => Elements::Bits(slice(array)?),
            Data::Packed(words) => Elements::Bits(words),
        };
        Ok(Rows { all, count: self.count, scalars: self.scalars })
    }
}

/// The type of the elements of an index for an array that is to be indexed.
pub(crate) fn element_of(object: &Bound<'_, PyAny>) -> Result<(Element, usize)> {
    let array = as_array(object, is_list(object).then_some("float32"))?;
    let untyped = array.cast::<PyUntypedArray>().map_err(PyErr::from)?;
    let dtype = untyped.dtype();
    let element = match (dtype.kind(), dtype.itemsize()) {
        (b'f', 2) => Element::F16,
        (b'f', _) => Element::F32,
        (b'i', 1) => Element::I8,
        (b'u', 1) => Element::U8,
        (b'b', 1) => Element::Bits,
        _ => {
            let text = format!(
                "vectors: expected float32, float64, float16, int8, uint8 or bool, found {}: \
                 `astype` converts an array",
                dtype.str()?
            );
            return Err(PyTypeError::new_err(text).into());
        }
    };
    match untyped.shape() {
        [_, columns] => Ok((element, *columns)),
        shape => {
            Err(Failure::value(format!("vectors: expected rows and columns, found the shape {shape:?}")))
        }
    }
}

/// Keys that Python gave: an array of integers, a list of them, or one.
pub(crate) fn keys(what: &str, object: &Bound<'_, PyAny>) -> Result<Vec<u64>> {
    if object.is_instance_of::<PyInt>() {
        return key(what, object).map(|key| vec![key]);
    }
    // numpy makes floats of integers below and beyond 2^63 together.
    if is_list(object) {
        let items: Vec<Bound<'_, PyAny>> = object.try_iter()?.collect::<PyResult<_>>()?;
        let is_int =
            |item: &Bound<'_, PyAny>| item.is_instance_of::<PyInt>() && !item.is_instance_of::<PyBool>();
        if items.iter().all(is_int) {
            let key = |(row, item)| key(&format!("{what}, row {row}"), item);
            return items.iter().enumerate().map(key).collect();
        }
    }
    let array = as_array(object, None)?;
    let untyped = array.cast::<PyUntypedArray>().map_err(PyErr::from)?;
    if untyped.ndim() > 1 {
        let shape = untyped.shape();
        return Err(Failure::value(format!("{what}: expected one dimension, found the shape {shape:?}")));
    }
    let dtype = untyped.dtype();
    match dtype.kind() {
        _ if untyped.is_empty() => Ok(Vec::new()),
        b'u' => Ok(slice(&required::<u64>(&array, "uint64")?)?.to_vec()),
        b'i' => {
            let array = required::<i64>(&array, "int64")?;
            let key = |(row, key): (usize, &i64)| {
                u64::try_from(*key).map_err(|_| {
                    Failure::value(format!(
                        "{what}, row {row}: expected a key from 0 to {}, found {key}",
                        u64::MAX
                    ))
                })
            };
            slice(&array)?.iter().enumerate().map(key).collect()
        }
        _ => {
            let hint = if dtype.kind() == b'b' { ": `numpy.flatnonzero` finds those of a mask" } else { "" };
            let text = format!("{what}: expected keys as integers, found {}{hint}", dtype.str()?);
            Err(PyTypeError::new_err(text).into())
        }
    }
}

/// As many keys as vectors.
pub(crate) fn keys_for(keys: &Bound<'_, PyAny>, count: usize) -> Result<Vec<u64>> {
    let keys = self::keys("keys", keys)?;
    if keys.len() != count {
        let found = keys.len();
        return Err(Failure::value(format!("keys: expected one for each of {count} vectors, found {found}")));
    }
    Ok(keys)
}

/// One key that Python gave.
pub(crate) fn key(what: &str, object: &Bound<'_, PyAny>) -> Result<u64> {
    object.extract::<u64>().map_err(|error| {
        if error.is_instance_of::<PyTypeError>(object.py()) {
            return error.into();
        }
        Failure::value(format!("{what}: expected a key from 0 to {}, found {object}", u64::MAX))
    })
}

/// The number of vectors in an array of a shape.
fn check_columns(what: &str, shape: &[usize], columns: usize, dim: usize) -> Result<usize> {
    let (count, found) = match shape {
        [found] => (1, *found),
        [count, found] => (*count, *found),
        shape => {
            return Err(Failure::value(format!(
                "{what}: expected an array of one or two dimensions, found the shape {shape:?}"
            )));
        }
    };
    if found == columns {
        return Ok(count);
    }
    let packed = if columns == dim { String::new() } else { format!(", {columns} columns of packed bits") };
    Err(Failure::value(format!("{what}: expected {dim} dimensions{packed}, found {found} columns")))
}

/// Rows of packed bytes as words, whose lowest bit is the first. The last word of a row is filled up
/// with zeros.
fn words(
    bytes: &PyReadonlyArrayDyn<'_, u8>,
    row: usize,
    dim: usize,
    lowest_first: fn(u8) -> u8,
) -> Result<Vec<u64>> {
    let bytes = slice(bytes)?;
    let mut words = Vec::new();
    let count = bytes.len() / row.max(1) * Element::Bits.scalars(dim);
    words.try_reserve_exact(count).map_err(|_| Failure::memory("bits"))?;
    for row in bytes.chunks(row.max(1)) {
        words.extend(row.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(to, byte)| *to = lowest_first(*byte));
            u64::from_le_bytes(word)
        }));
    }
    Ok(words)
}

fn wrong_type(what: &str, element: Element, found: &Bound<'_, PyAny>) -> Result<Failure> {
    let expected = match element {
        Element::F32 | Element::F16 => "float32, float64 or float16",
        Element::I8 => "int8",
        Element::U8 => "uint8",
        Element::Bits => "bool, or bits packed into uint8 or uint64,",
    };
    let found = found.str()?;
    // A column of arrays in a data frame, say.
    let hint = if found == "object" {
        "`stack` of numpy makes one array of many"
    } else {
        "`astype` converts an array"
    };
    let text = format!("{what}: expected {expected} for an index of {element}, found {found}: {hint}");
    Ok(PyTypeError::new_err(text).into())
}

/// The array, if it is one of this type that is contiguous in rows.
fn native<'py, T: Number>(object: &Bound<'py, PyAny>) -> Result<Option<PyReadonlyArrayDyn<'py, T>>> {
    let Ok(array) = object.cast::<PyArrayDyn<T>>() else { return Ok(None) };
    if !array.is_c_contiguous() || !array.is_aligned() {
        return Ok(None);
    }
    Ok(Some(array.try_readonly().map_err(PyErr::from)?))
}

/// A contiguous array of a type: the array itself, or a copy.
fn required<'py, T: Number>(
    array: &Bound<'py, PyAny>,
    dtype: &'static str,
) -> Result<PyReadonlyArrayDyn<'py, T>> {
    let array = numpy(array.py())?.call_method1("require", (array, dtype, ["C", "A"]))?;
    let array = array.cast_into::<PyArrayDyn<T>>().map_err(PyErr::from)?;
    Ok(array.try_readonly().map_err(PyErr::from)?)
}

fn slice<'a, T: Number>(array: &'a PyReadonlyArrayDyn<'_, T>) -> Result<&'a [T]> {
    Ok(array.as_slice().map_err(PyErr::from)?)
}

fn is_list(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>()
}

fn as_array<'py>(object: &Bound<'py, PyAny>, dtype: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
    numpy(object.py())?.call_method1("asarray", (object, dtype))
}

/// Calls `packbits` or `unpackbits`, with as many bits as are wanted.
pub(crate) fn call<'py>(
    function: &str,
    array: &Bound<'py, PyAny>,
    count: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = PyDict::new(array.py());
    options.set_item("axis", -1)?;
    options.set_item("bitorder", "little")?;
    if let Some(count) = count {
        options.set_item("count", count)?;
    }
    numpy(array.py())?.getattr(function)?.call((array,), Some(&options))
}

fn numpy(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static NUMPY: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    Ok(NUMPY.get_or_try_init(py, || PyModule::import(py, "numpy").map(Bound::unbind))?.bind(py))
}
