//! Owned rows of vectors.

use vex_kernels::Metric;

use super::AlignedVec;
use crate::search::{check, norm};
use crate::{InsertError, MAX_DIM, MAX_NODES, NodeId, OutOfMemory, ParamsError, Rows, row_stride};

/// Vectors that were checked, and scaled to unit length where the metric is cosine, in rows that begin on cache lines.
#[derive(Debug)]
pub struct Vectors {
    metric: Metric,
    dim: usize,
    elements: AlignedVec<f32>,
}

impl Vectors {
    /// No vectors yet, of `dim` elements each.
    ///
    /// # Errors
    /// If `dim` is zero or larger than [`MAX_DIM`], or f32 does not know the metric.
    pub fn new(metric: Metric, dim: usize) -> Result<Self, ParamsError> {
        if dim == 0 || dim > MAX_DIM {
            return Err(ParamsError::Dim { found: dim });
        }
        if !Metric::NUMERIC.contains(&metric) {
            return Err(ParamsError::Metric { found: metric });
        }
        Ok(Self { metric, dim, elements: AlignedVec::new() })
    }

    /// Makes room for exactly `additional` more vectors.
    ///
    /// # Errors
    /// If memory runs out; nothing has changed then.
    pub fn reserve_exact(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        self.elements.reserve_exact(additional.saturating_mul(row_stride(self.dim)))
    }

    /// Appends a vector.
    ///
    /// # Errors
    /// If the vector cannot be indexed, the set is full, or memory runs out; nothing has changed then.
    pub fn push(&mut self, vector: &[f32]) -> Result<NodeId, InsertError> {
        check(self.metric, self.dim, vector)?;
        let id = self.count();
        if id == MAX_NODES {
            return Err(InsertError::Full { capacity: MAX_NODES });
        }
        let stride = row_stride(self.dim);
        self.elements.reserve(stride)?;
        self.elements.extend_with(stride, 0.0);
        self.write(id, vector);
        Ok(id as NodeId)
    }

    /// Appends rows of zeros, to be [`set`](Self::set) in any order.
    pub(crate) fn extend_zeroed(&mut self, count: usize) -> Result<(), OutOfMemory> {
        self.reserve_exact(count)?;
        self.elements.extend_with(count * row_stride(self.dim), 0.0);
        Ok(())
    }

    /// Overwrites a row.
    pub(crate) fn set(&mut self, id: NodeId, vector: &[f32]) -> Result<(), crate::VectorError> {
        check(self.metric, self.dim, vector)?;
        self.write(id as usize, vector);
        Ok(())
    }

    /// Overwrites a row by one that was stored before, as it is.
    pub(crate) fn restore(&mut self, id: NodeId, row: &[f32]) {
        let start = id as usize * row_stride(self.dim);
        self.elements.as_mut_slice()[start..start + self.dim].copy_from_slice(row);
    }

    /// Appends rows as they are in another set of the same shape.
    pub(crate) fn extend_from_rows(&mut self, rows: &Rows<'_>) -> Result<(), OutOfMemory> {
        self.reserve_exact(rows.count())?;
        for id in 0..rows.count() as NodeId {
            self.elements.extend_from_slice(rows.row(id));
            self.elements.extend_with(row_stride(self.dim) - self.dim, 0.0);
        }
        Ok(())
    }

    /// Bytes that it holds, and those of the new places of what one more vector would move.
    pub(crate) fn memory(&self) -> [usize; 2] {
        [self.elements.held(), self.elements.growth(row_stride(self.dim))]
    }

    fn write(&mut self, id: usize, vector: &[f32]) {
        let start = id * row_stride(self.dim);
        let row = &mut self.elements.as_mut_slice()[start..start + self.dim];
        if self.metric == Metric::Cosine {
            let norm = norm(vector);
            for (to, from) in row.iter_mut().zip(vector) {
                *to = (f64::from(*from) / norm) as f32;
            }
        } else {
            row.copy_from_slice(vector);
        }
    }

    /// Drops every vector from `count` on.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.elements.truncate(count * row_stride(self.dim));
    }

    /// How many vectors there are.
    pub fn count(&self) -> usize {
        self.elements.len() / row_stride(self.dim)
    }

    /// All rows.
    pub fn rows(&self) -> Rows<'_> {
        self.first_rows(self.count())
    }

    /// The first `count` rows.
    pub(crate) fn first_rows(&self, count: usize) -> Rows<'_> {
        let stride = row_stride(self.dim);
        Rows::new(self.metric, &self.elements.as_slice()[..count * stride], self.dim, stride, count)
            .expect("rows are whole")
    }
}
