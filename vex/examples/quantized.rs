//! Search by codes of four bits an element: `cargo run --release -p vex --example quantized`.
//!
//! A search first compares 4-bit codes, which take an eighth of the memory of f32 vectors. Then it
//! compares the best candidates by their vectors. So distances are exact, and recall hardly
//! changes.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use vex::{Index, Metric, Quantization, Scratch, SearchParams, Store};

const DIM: usize = 384;

fn main() -> vex::Result<()> {
    let vectors: Vec<(u64, Vec<f32>)> = (0..5_000).map(|key| (key, vector(key))).collect();
    let borrowed = || vectors.iter().map(|(key, vector)| (*key, vector));
    let plain = Index::builder(DIM).metric(Metric::Cosine).quantization(None).build_from(borrowed())?;
    let codes = Quantization::auto(DIM);
    let coded = Index::builder(DIM).metric(Metric::Cosine).quantization(codes).build_from(borrowed())?;

    // If codes leave many searches in doubt, they do not pay. `Index::requantize` then takes finer
    // ones, or none.
    let check = coded.searcher().check_codes(200)?;
    println!("{codes}: {} of {} searches in doubt", check.in_doubt, check.sampled);

    let (params, mut scratch) = (SearchParams::new(10), Scratch::new());
    for (name, index) in [("vectors", &plain), ("codes", &coded)] {
        let (searcher, mut right, mut time) = (index.searcher(), 0, Duration::ZERO);
        for query in 0..100 {
            let query = vector(1_000_000 + query);
            let started = Instant::now();
            let found = searcher.search_with(&query, &params, &mut scratch)?.hits;
            time += started.elapsed();
            let found: HashSet<u64> = found.iter().map(|hit| hit.key).collect();
            right += searcher.exact(&query, 10)?.iter().filter(|hit| found.contains(&hit.key)).count();
        }
        println!("{name}: recall@10 {:.3}, {:?} a query", right as f64 / 1e3, time / 100);
    }

    // A file of codes alone is the smallest. Its distances are estimates, and it cannot grow.
    let mut bytes = [Vec::new(), Vec::new()];
    coded.save_to(&mut bytes[0], Store::All)?;
    coded.save_to(&mut bytes[1], Store::None)?;
    println!("{} KiB with vectors, {} KiB without", bytes[0].len() >> 10, bytes[1].len() >> 10);
    Ok(())
}

/// A vector of one of fifty clusters, since embeddings are clustered.
fn vector(key: u64) -> Vec<f32> {
    let random = |seed: u64| (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f32 / (1 << 23) as f32 - 1.0;
    let dim = DIM as u64;
    (0..dim).map(|i| random(key % 50 * dim + i + 1) + random((key + 99) * dim + i)).collect()
}
