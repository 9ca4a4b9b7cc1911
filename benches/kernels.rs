//! Distances between vectors in the first-level cache, one at a time and four at a time. Every
//! element, every metric and every variant that this machine can run is measured. `peers/kernels`
//! measures other libraries beside these, in one run.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vex::kernels::{Distance, Element, Metric, bf16, f16};
use vex_benches::Random;

const DIMS: [usize; 8] = [64, 100, 128, 200, 384, 768, 1000, 1536];

/// Measures a pair of elements. An element of it packs `dims` dimensions: 64 for bits, else one.
fn element<Q: Element<R>, R: Copy + 'static>(
    c: &mut Criterion,
    name: &str,
    dims: usize,
    query: fn(u64) -> Q,
    row: fn(u64) -> R,
) {
    for distance in Metric::ALL.into_iter().flat_map(Distance::<Q, R>::all) {
        let mut group = c.benchmark_group(format!("{name}/{}/{}", distance.metric(), distance.name()));
        for dim in DIMS {
            let mut random = Random(dim as u64);
            let len = dim.div_ceil(dims);
            let vector: Vec<Q> = (0..len).map(|_| query(random.next())).collect();
            let rows: [Vec<R>; 4] = [(); 4].map(|()| (0..len).map(|_| row(random.next())).collect());
            let rows = rows.each_ref().map(|row| &row[..]);
            group.throughput(Throughput::Elements(1));
            group.bench_with_input(BenchmarkId::new("single", dim), &dim, |b, _| {
                b.iter(|| distance.distance(black_box(&vector), black_box(rows[0])));
            });
            group.throughput(Throughput::Elements(4));
            group.bench_with_input(BenchmarkId::new("batch of 4", dim), &dim, |b, _| {
                b.iter(|| distance.distance_batch_4(black_box(&vector), black_box(rows)));
            });
        }
        group.finish();
    }
}

/// From −1 to 1.
fn unit(word: u64) -> f32 {
    (word >> 40) as f32 / (1 << 23) as f32 - 1.0
}

fn kernels(c: &mut Criterion) {
    vex_benches::print_machine();
    let half = |word| f16::from_f32(unit(word));
    let brain = |word| bf16::from_f32(unit(word));
    element::<f32, f32>(c, "f32", 1, unit, unit);
    element::<f16, f16>(c, "f16", 1, half, half);
    element::<bf16, bf16>(c, "bf16", 1, brain, brain);
    element::<f32, f16>(c, "f32 x f16", 1, unit, half);
    element::<f32, bf16>(c, "f32 x bf16", 1, unit, brain);
    element::<i8, i8>(c, "i8", 1, |word| word as i8, |word| word as i8);
    element::<u8, u8>(c, "u8", 1, |word| word as u8, |word| word as u8);
    element::<i8, u8>(c, "i8 x u8", 1, |word| word as i8, |word| word as u8);
    element::<u64, u64>(c, "bits", 64, |word| word, |word| word);
}

criterion_group!(benches, kernels);
criterion_main!(benches);
