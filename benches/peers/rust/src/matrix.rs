//! The .npy files of the harness.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use npyz::{AutoSerialize, Deserialize, NpyFile, Order};

use crate::Result;

/// Rows of one length, one after the other.
pub(crate) struct Matrix<T> {
    elements: Vec<T>,
    dim: usize,
}

impl<T: AutoSerialize + Deserialize> Matrix<T> {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file = NpyFile::new(BufReader::with_capacity(1 << 20, File::open(path)?))?;
        let [_, dim] = *file.shape() else { return Err(format!("{}: not 2-D", path.display()).into()) };
        if file.order() != Order::C || dim == 0 {
            return Err(format!("{}: not rows, one after the other", path.display()).into());
        }
        Ok(Self { elements: file.into_vec()?, dim: dim as usize })
    }
}

impl<T> Matrix<T> {
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    pub(crate) fn len(&self) -> usize {
        self.elements.len() / self.dim
    }

    pub(crate) fn row(&self, row: usize) -> &[T] {
        &self.elements[row * self.dim..][..self.dim]
    }
}
