//! A row-major matrix in memory.

/// Rows of equal length, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matrix<T> {
    rows: usize,
    dim: usize,
    data: Vec<T>,
}

impl<T> Matrix<T> {
    /// Takes `rows * dim` elements, row by row.
    ///
    /// # Panics
    /// If `data` has another length.
    pub(crate) fn new(rows: usize, dim: usize, data: Vec<T>) -> Self {
        assert_eq!(rows.checked_mul(dim), Some(data.len()), "a matrix of {rows} x {dim}");
        Self { rows, dim, data }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Elements of a row.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// Row `i`, counted from 0.
    ///
    /// # Panics
    /// If there is no such row.
    pub(crate) fn row(&self, i: usize) -> &[T] {
        assert!(i < self.rows, "row {i} of {}", self.rows);
        &self.data[i * self.dim..][..self.dim]
    }

    /// The rows in order.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &[T]> {
        (0..self.rows).map(|i| self.row(i))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_consecutive_slices() {
        let matrix = Matrix::new(3, 2, vec![0, 1, 2, 3, 4, 5]);
        assert_eq!((matrix.rows(), matrix.dim()), (3, 2));
        assert_eq!(matrix.row(1), [2, 3]);
        assert_eq!(matrix.iter().collect::<Vec<_>>(), [&[0, 1], &[2, 3], &[4, 5]]);
    }

    #[test]
    fn rows_without_columns_are_still_counted() {
        let matrix = Matrix::<f32>::new(3, 0, Vec::new());
        assert_eq!(matrix.iter().len(), 3);
    }

    #[test]
    #[should_panic(expected = "a matrix of 2 x 2")]
    fn wrong_number_of_elements_panics() {
        let _ = Matrix::new(2, 2, vec![0; 3]);
    }
}
