//! The owned rows of vectors.

use vex_kernels::{Metric, f16};

use super::AlignedVec;
use crate::element::{Float, check, each, norm};
use crate::{
    Element, Elements, InsertError, MAX_DIM, MAX_NODES, NodeId, OutOfMemory, ParamsError, Rows, VectorError,
};

/// Vectors that were checked, in rows that begin on cache lines. Under cosine, floating-point
/// vectors are scaled to unit length. [`exact`](crate::exact()) searches them without a graph.
#[derive(Debug)]
pub struct Vectors {
    metric: Metric,
    dim: usize,
    scalars: Scalars,
}

/// The scalars of all rows.
#[derive(Debug)]
enum Scalars {
    F32(AlignedVec<f32>),
    F16(AlignedVec<f16>),
    I8(AlignedVec<i8>),
    U8(AlignedVec<u8>),
    Bits(AlignedVec<u64>),
}

impl Scalars {
    fn new(element: Element) -> Self {
        match element {
            Element::F32 => Self::F32(AlignedVec::new()),
            Element::F16 => Self::F16(AlignedVec::new()),
            Element::I8 => Self::I8(AlignedVec::new()),
            Element::U8 => Self::U8(AlignedVec::new()),
            Element::Bits => Self::Bits(AlignedVec::new()),
        }
    }

    fn as_elements(&self) -> Elements<'_> {
        each!(Self, self, scalars => scalars.as_slice().into())
    }
}

impl Vectors {
    /// No vectors yet, of `dim` elements each.
    ///
    /// # Errors
    /// If `dim` is zero or larger than [`MAX_DIM`], or the element type does not have the metric.
    ///
    /// # Complexity
    /// Constant. Nothing is allocated before the first vector.
    pub fn new(element: Element, metric: Metric, dim: usize) -> Result<Self, ParamsError> {
        if dim == 0 || dim > MAX_DIM {
            return Err(ParamsError::Dim { found: dim });
        }
        if !element.metrics().contains(&metric) {
            return Err(ParamsError::Metric { element, found: metric });
        }
        Ok(Self { metric, dim, scalars: Scalars::new(element) })
    }

    /// An empty set for vectors of the same kind.
    pub(crate) fn emptied(&self) -> Self {
        Self { scalars: Scalars::new(self.element()), ..*self }
    }

    /// Bytes of `count` vectors if room for all is made at once.
    pub(crate) fn exact_bytes(element: Element, dim: usize, count: usize) -> usize {
        let len = count.saturating_mul(element.row_stride(dim));
        match element {
            Element::F32 => AlignedVec::<f32>::exact_bytes(len),
            Element::F16 => AlignedVec::<f16>::exact_bytes(len),
            Element::I8 => AlignedVec::<i8>::exact_bytes(len),
            Element::U8 => AlignedVec::<u8>::exact_bytes(len),
            Element::Bits => AlignedVec::<u64>::exact_bytes(len),
        }
    }

    /// Makes room for exactly `additional` more vectors.
    ///
    /// # Errors
    /// If memory runs out. Nothing has changed then.
    pub fn reserve_exact(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        let len = additional.saturating_mul(self.stride());
        each!(Scalars, &mut self.scalars, scalars => scalars.reserve_exact(len))
    }

    /// Appends a vector of `dim` elements, and returns its id: ids count from 0.
    ///
    /// Vectors of f16 may be given as `f16` or as `f32`, which are rounded.
    ///
    /// # Errors
    /// If the vector cannot be indexed, the set is full, or memory runs out. Nothing has changed
    /// then.
    ///
    /// # Complexity
    /// Linear in `dim`. A full array moves to one that is half as large again.
    pub fn push<'v>(&mut self, vector: impl Into<Elements<'v>>) -> Result<NodeId, InsertError> {
        let vector = vector.into();
        self.check(vector)?;
        let id = self.count();
        if id == MAX_NODES {
            return Err(InsertError::Full { capacity: MAX_NODES });
        }
        let stride = self.stride();
        each!(Scalars, &mut self.scalars, scalars => scalars.reserve(stride)?);
        self.extend_zeroed_in_room(1);
        self.write(id, vector);
        Ok(id as NodeId)
    }

    /// Appends rows of zeros, to be [`set`](Self::set) in any order.
    pub(crate) fn extend_zeroed(&mut self, count: usize) -> Result<(), OutOfMemory> {
        self.reserve_exact(count)?;
        self.extend_zeroed_in_room(count);
        Ok(())
    }

    fn extend_zeroed_in_room(&mut self, count: usize) {
        let len = count * self.stride();
        each!(Scalars, &mut self.scalars, scalars => scalars.extend_with(len, Default::default()));
    }

    /// Checks a vector and writes it to a row.
    pub(crate) fn set(&mut self, id: NodeId, vector: Elements<'_>) -> Result<(), VectorError> {
        self.check(vector)?;
        self.write(id as usize, vector);
        Ok(())
    }

    /// Writes a stored row to a row, as it is. It may come from another set of the same kind.
    pub(crate) fn restore(&mut self, id: NodeId, row: Elements<'_>) {
        let start = id as usize * self.stride();
        match (&mut self.scalars, row) {
            (Scalars::F32(to), Elements::F32(row)) => copy(to, start, row),
            (Scalars::F16(to), Elements::F16(row)) => copy(to, start, row),
            (Scalars::I8(to), Elements::I8(row)) => copy(to, start, row),
            (Scalars::U8(to), Elements::U8(row)) => copy(to, start, row),
            (Scalars::Bits(to), Elements::Bits(row)) => copy(to, start, row),
            _ => unreachable!("sets of one shape"),
        }
    }

    /// Appends the rows of another set of the same kind, as they are.
    pub(crate) fn extend_from_rows(&mut self, rows: &Rows<'_>) -> Result<(), OutOfMemory> {
        let first = self.count();
        self.extend_zeroed(rows.count())?;
        for id in 0..rows.count() {
            self.restore((first + id) as NodeId, rows.row(id as NodeId));
        }
        Ok(())
    }

    /// Bytes held, and bytes of the new memory that one more vector would move them to.
    pub(crate) fn memory(&self) -> [usize; 2] {
        let stride = self.stride();
        each!(Scalars, &self.scalars, scalars => [scalars.held(), scalars.growth(stride)])
    }

    /// Checks that a vector can be stored.
    pub(crate) fn check(&self, vector: Elements<'_>) -> Result<(), VectorError> {
        match (self.element(), vector) {
            (Element::F16, Elements::F32(vector)) => {
                check(self.metric, self.dim, vector)?;
                let is_beyond = |element: &f32| f16::round(*element).is_infinite();
                match vector.iter().position(is_beyond) {
                    // Under cosine the vector is scaled, and no element stays above one.
                    Some(position) if self.metric != Metric::Cosine => Err(VectorError::Range { position }),
                    _ => Ok(()),
                }
            }
            (expected, vector) if expected != vector.element() => {
                Err(VectorError::Element { expected, found: vector.element() })
            }
            (_, vector) => each!(Elements, vector, vector => check(self.metric, self.dim, vector)),
        }
    }

    /// Stores a vector that was checked.
    fn write(&mut self, id: usize, vector: Elements<'_>) {
        let start = id * self.stride();
        let is_scaled = self.metric == Metric::Cosine;
        match (&mut self.scalars, vector) {
            (Scalars::F32(to), Elements::F32(vector)) if is_scaled => scale(to, start, vector),
            (Scalars::F16(to), Elements::F16(vector)) if is_scaled => scale(to, start, vector),
            (Scalars::F16(to), Elements::F32(vector)) if is_scaled => scale(to, start, vector),
            (Scalars::F16(to), Elements::F32(vector)) => {
                let row = &mut to.as_mut_slice()[start..start + vector.len()];
                row.iter_mut().zip(vector).for_each(|(to, from)| *to = f16::round(*from));
            }
            // All others are stored as they are.
            _ => self.restore(id as NodeId, vector),
        }
    }

    /// Moves rows to other places: see [`swap_rows`](super::swap_rows).
    pub(crate) fn swap_rows(&mut self, swaps: &[NodeId]) {
        let stride = self.stride();
        each!(Scalars, &mut self.scalars, scalars => super::swap_rows(scalars.as_mut_slice(), stride, swaps));
    }

    /// Removes every vector from `count` on.
    pub(crate) fn truncate(&mut self, count: usize) {
        let len = count * self.stride();
        each!(Scalars, &mut self.scalars, scalars => scalars.truncate(len));
    }

    /// How many vectors there are.
    pub fn count(&self) -> usize {
        self.scalars.as_elements().len() / self.stride()
    }

    /// The type of the elements.
    pub fn element(&self) -> Element {
        self.scalars.as_elements().element()
    }

    /// All rows, borrowed.
    #[expect(clippy::missing_panics_doc, reason = "rows are whole")]
    pub fn rows(&self) -> Rows<'_> {
        let stride = self.stride();
        Rows::new(self.metric, self.scalars.as_elements(), self.dim, stride, self.count())
            .expect("rows are whole")
    }

    fn stride(&self) -> usize {
        self.element().row_stride(self.dim)
    }
}

fn copy<T: Copy + Default>(to: &mut AlignedVec<T>, start: usize, row: &[T]) {
    to.as_mut_slice()[start..start + row.len()].copy_from_slice(row);
}

/// Writes a vector to a row at unit length.
fn scale<T: Float, S: Float>(to: &mut AlignedVec<T>, start: usize, vector: &[S]) {
    let norm = norm(vector);
    for (to, from) in to.as_mut_slice()[start..].iter_mut().zip(vector) {
        *to = T::round((f64::from(from.widen()) / norm) as f32);
    }
}
