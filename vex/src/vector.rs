//! The types that are accepted as a vector or a query.

use vex_graph::{Elements, Scalar};

/// A vector or a query: a slice, an array or a `Vec` of a [`Scalar`], by value or by reference, and
/// [`Elements`]. It has as many elements as the index has dimensions, or a `u64` for each 64 bits.
///
/// # Examples
/// ```
/// let mut index = vex::Index::builder(2).build()?;
/// index.insert(1, [0.0, 1.0])?;
/// index.insert(2, [1.0, 0.0])?;
/// index.insert(3, vec![1.0, 1.0])?;
/// let one = index.get(1).expect("it was inserted").as_f32().map(<[f32]>::to_vec);
/// index.insert(4, one.expect("elements of f32"))?;
/// assert_eq!(index.search([0.0, 1.0], 2)?.len(), 2);
/// # Ok::<(), vex::Error>(())
/// ```
pub trait Vector {
    /// The elements.
    fn elements(&self) -> Elements<'_>;
}

impl Vector for Elements<'_> {
    fn elements(&self) -> Elements<'_> {
        *self
    }
}

impl<S: Scalar> Vector for [S] {
    fn elements(&self) -> Elements<'_> {
        self.into()
    }
}

impl<S: Scalar, const N: usize> Vector for [S; N] {
    fn elements(&self) -> Elements<'_> {
        self.into()
    }
}

impl<S: Scalar> Vector for Vec<S> {
    fn elements(&self) -> Elements<'_> {
        self.into()
    }
}

impl<V: Vector + ?Sized> Vector for &V {
    fn elements(&self) -> Elements<'_> {
        (**self).elements()
    }
}
