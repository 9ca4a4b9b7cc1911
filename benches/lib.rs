//! What the benchmarks share: vectors that need no download, and a description of the machine.

use std::path::Path;

use vex::kernels::Isa;
use vex::{Index, Metric};

/// Elements of the vectors of [`clustered`].
pub const DIM: usize = 128;

/// `count` vectors around 100 seeded centers, as keys and elements.
pub fn clustered(count: usize, seed: u64) -> Vec<(u64, Vec<f32>)> {
    let mut centres = Random(1);
    let centres: Vec<Vec<f32>> = (0..100).map(|_| (0..DIM).map(|_| centres.normal()).collect()).collect();
    let mut random = Random(seed);
    let vector = |key: usize| {
        let centre = &centres[random.next() as usize % centres.len()];
        (key as u64, centre.iter().map(|element| element + random.normal()).collect())
    };
    (0..count).map(vector).collect()
}

/// An index of [`clustered`] vectors.
pub fn index(count: usize) -> Index {
    let built = Index::builder(DIM).metric(Metric::Cosine).quantization(None).build_from(clustered(count, 2));
    built.expect("finite vectors with distinct keys")
}

/// Prints what a reader has to know about the machine to compare figures.
pub fn print_machine() {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    eprintln!("machine{model}, {cores} cores, {}", Isa::detect());
}

/// SplitMix64: good enough for benchmarks, and the same on every machine.
pub struct Random(pub u64);

impl Random {
    /// The next uniform word.
    #[expect(clippy::should_implement_trait, reason = "it never ends, and it is no iterator")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// About normal: the sum of four uniform values, scaled to variance one.
    pub fn normal(&mut self) -> f32 {
        let uniform = |word: u64| (word >> 40) as f32 / (1u64 << 24) as f32 - 0.5;
        (0..4).map(|_| uniform(self.next())).sum::<f32>() * 3f32.sqrt()
    }
}

/// Vectors of a `.npy` file of f32.
pub struct Matrix {
    /// Elements of a row.
    pub dim: usize,
    elements: Vec<f32>,
}

impl Matrix {
    /// Reads a file of version 1, in C order.
    pub fn read(path: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let bytes = std::fs::read(path)?;
        let header_len = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let header = std::str::from_utf8(&bytes[10..10 + header_len])?;
        let is_expected = header.contains("'<f4'") && header.contains("'fortran_order': False");
        if bytes[6] != 1 || !is_expected {
            return Err(
                format!("{}: expected npy 1.0 of <f4 in C order, found {header}", path.display()).into()
            );
        }
        let shape = header.split("'shape': (").nth(1).and_then(|rest| rest.split(')').next());
        let dim = shape.and_then(|shape| shape.split(',').nth(1)).ok_or("expected two dimensions")?;
        let elements = bytes[10 + header_len..].chunks_exact(4);
        let elements = elements.map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        Ok(Self { dim: dim.trim().parse()?, elements: elements.collect() })
    }

    /// The rows.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.elements.chunks_exact(self.dim)
    }
}
