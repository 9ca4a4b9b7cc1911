//! Vectors on their way out: an index may change while Python has an array, so they are copied.

use half::f16;
use numpy::{Element as Number, PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use vex::{Element, Elements};

use crate::arrays::call;
use crate::error::{Failure, Result};

/// Copies of vectors.
pub(crate) struct Copies {
    data: Data,
    dim: usize,
}

enum Data {
    F32(Vec<f32>),
    F16(Vec<f16>),
    I8(Vec<i8>),
    U8(Vec<u8>),
    /// Bits, the first of a byte in its lowest place.
    Bits(Vec<u8>),
}

impl Copies {
    /// No vectors yet, and room for `count`.
    pub(crate) fn new(element: Element, dim: usize, count: usize) -> Result<Self> {
        let data = match element {
            Element::F32 => Data::F32(room(dim, count)?),
            Element::F16 => Data::F16(room(dim, count)?),
            Element::I8 => Data::I8(room(dim, count)?),
            Element::U8 => Data::U8(room(dim, count)?),
            Element::Bits => Data::Bits(room(8 * Element::Bits.scalars(dim), count)?),
        };
        Ok(Self { data, dim })
    }

    pub(crate) fn push(&mut self, vector: Elements<'_>) {
        match (&mut self.data, vector) {
            (Data::F32(all), Elements::F32(vector)) => all.extend_from_slice(vector),
            (Data::F16(all), Elements::F16(vector)) => all.extend_from_slice(vector),
            (Data::I8(all), Elements::I8(vector)) => all.extend_from_slice(vector),
            (Data::U8(all), Elements::U8(vector)) => all.extend_from_slice(vector),
            (Data::Bits(all), Elements::Bits(words)) => {
                all.extend(words.iter().flat_map(|word| word.to_le_bytes()));
            }
            _ => unreachable!("all vectors of an index have one type"),
        }
    }

    /// An array of the type of the index, with bits as `bool`: one vector, or rows of them.
    pub(crate) fn into_array(self, py: Python<'_>, is_single: bool) -> Result<Bound<'_, PyAny>> {
        let dim = self.dim;
        match self.data {
            Data::F32(all) => shaped(py, all, dim, is_single),
            Data::F16(all) => shaped(py, all, dim, is_single),
            Data::I8(all) => shaped(py, all, dim, is_single),
            Data::U8(all) => shaped(py, all, dim, is_single),
            Data::Bits(all) => {
                let packed = shaped(py, all, 8 * Element::Bits.scalars(dim), is_single)?;
                let bits = call("unpackbits", &packed, Some(dim))?;
                Ok(bits.call_method1("astype", ("bool",))?)
            }
        }
    }
}

fn room<T>(width: usize, count: usize) -> Result<Vec<T>> {
    let memory = || Failure::memory(&format!("{count} vectors of {width} elements"));
    let mut all = Vec::new();
    all.try_reserve_exact(width.checked_mul(count).ok_or_else(memory)?).map_err(|_| memory())?;
    Ok(all)
}

fn shaped<T: Number>(py: Python<'_>, all: Vec<T>, width: usize, is_single: bool) -> Result<Bound<'_, PyAny>> {
    let rows = all.len() / width;
    let array = PyArray1::from_vec(py, all);
    Ok(if is_single { array.into_any() } else { array.reshape([rows, width])?.into_any() })
}
