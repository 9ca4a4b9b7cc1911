//! Sets of points for the figures, and graphs of them.

use vex_graph::{Hnsw, Metric, Params};

/// SplitMix64: the same numbers on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number from 0 up to, but not including, 1, in steps of 2⁻²⁴, which f32 has exactly.
    pub(crate) fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ z >> 31) >> 40) as f32 / (1 << 24) as f32
    }

    /// About normally distributed: the sum of twelve uniform numbers.
    pub(crate) fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() - 6.0
    }
}

/// Points in the unit square, none of which is next to another.
pub(crate) fn spread(seed: u64, count: usize, distance: f32) -> Vec<[f32; 2]> {
    let mut random = Random(seed);
    let mut points: Vec<[f32; 2]> = Vec::new();
    while points.len() < count {
        let point = [random.unit(), random.unit()];
        let is_near = |other: &[f32; 2]| (other[0] - point[0]).hypot(other[1] - point[1]) < distance;
        if !points.iter().any(is_near) {
            points.push(point);
        }
    }
    points
}

/// A graph of vectors, inserted one after the other.
pub(crate) fn graph<const DIM: usize>(vectors: &[[f32; DIM]], params: Params) -> Hnsw {
    let mut graph = Hnsw::new(Metric::SquaredEuclidean, DIM, params).expect("the parameters are valid");
    for vector in vectors {
        graph.insert(vector).expect("the vectors are finite");
    }
    graph
}
