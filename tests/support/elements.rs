use vex_graph::{Element, Elements, Metric, Vectors, f16};

use crate::{Graph, Random};

/// Twenty vectors of three elements, or of 70 bits, in rows as an index stores them, and the links
/// between them.
pub fn small(element: Element, metric: Metric) -> (Vectors, Graph) {
    let mut levels = [0; 20];
    levels[..6].copy_from_slice(&[2, 2, 1, 1, 1, 1]);
    small_with(element, metric, &levels)
}

/// [`small`] with nodes of these levels, highest first. There are up to twenty.
pub fn small_with(element: Element, metric: Metric, levels: &[usize]) -> (Vectors, Graph) {
    let dim = if element == Element::Bits { 70 } else { 3 };
    let mut vectors = Vectors::new(element, metric, dim).unwrap();
    for id in 0..levels.len() as u32 {
        let small = [id % 5 + 1, id / 5 + 1, id * id % 7];
        let pushed = match element {
            Element::F32 | Element::F16 => vectors.push(&small.map(|element| element as f32)),
            Element::I8 => vectors.push(&small.map(|element| element as i8 - 3)),
            Element::U8 => vectors.push(&small.map(|element| element as u8 * 30)),
            Element::Bits => vectors.push(&[u64::MAX >> (3 * id), u64::from(small[0]) << 2]),
        };
        assert_eq!(pushed, Ok(id));
    }
    (vectors, Graph::ring(metric, dim, 4, levels, levels.len(), 0))
}

/// A random vector of any element.
#[derive(Clone, Debug)]
pub enum Vector {
    /// [`Element::F32`]
    F32(Vec<f32>),
    /// [`Element::F16`]
    F16(Vec<f16>),
    /// [`Element::I8`]
    I8(Vec<i8>),
    /// [`Element::U8`]
    U8(Vec<u8>),
    /// [`Element::Bits`]
    Bits(Vec<u64>),
}

impl Vector {
    /// A vector of `dim` elements.
    pub fn random(element: Element, dim: usize, random: &mut Random) -> Self {
        let mut each = |len: usize| -> Vec<u64> { (0..len).map(|_| random.next_u64()).collect() };
        let unit = |word: u64| (word >> 40) as f32 / (1 << 23) as f32 - 1.0;
        match element {
            Element::F32 => Self::F32(each(dim).into_iter().map(unit).collect()),
            Element::F16 => Self::F16(each(dim).into_iter().map(|word| f16::from_f32(unit(word))).collect()),
            Element::I8 => Self::I8(each(dim).into_iter().map(|word| word as i8).collect()),
            Element::U8 => Self::U8(each(dim).into_iter().map(|word| word as u8).collect()),
            Element::Bits => {
                let mut words = each(dim.div_ceil(64));
                if let (Some(last), used @ 1..) = (words.last_mut(), dim % 64) {
                    *last &= (1 << used) - 1;
                }
                Self::Bits(words)
            }
        }
    }

    /// A query for any index of this element, which is not zero. A query of f32 serves for f16,
    /// too.
    pub fn query(element: Element, dim: usize, first: u8) -> Self {
        let (mut floats, mut words) = (vec![0.25; dim], vec![0; dim.div_ceil(64)]);
        (floats[0], words[0]) = (f32::from(first), 1);
        match element {
            Element::F32 | Element::F16 => Self::F32(floats),
            Element::I8 => Self::I8(vec![first as i8; dim]),
            Element::U8 => Self::U8(vec![first; dim]),
            Element::Bits => Self::Bits(words),
        }
    }

    /// The type that the library takes.
    pub fn elements(&self) -> Elements<'_> {
        match self {
            Self::F32(vector) => vector.into(),
            Self::F16(vector) => vector.into(),
            Self::I8(vector) => vector.into(),
            Self::U8(vector) => vector.into(),
            Self::Bits(vector) => vector.into(),
        }
    }
}
