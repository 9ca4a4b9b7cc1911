//! Distances of vectors that lie in the first-level cache, one at a time and four at a time.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vex::kernels::{Distance, Level, Metric};
use vex_benches::Random;

fn kernels(c: &mut Criterion) {
    vex_benches::print_machine();
    for metric in Metric::NUMERIC {
        for level in Level::ALL {
            let Some(distance) = Distance::<f32>::with_level(metric, level) else { continue };
            let mut group = c.benchmark_group(format!("{metric}/{level}"));
            for dim in [64, 100, 128, 384, 768, 1000, 1536] {
                let mut random = Random(dim as u64);
                let mut vector = || -> Vec<f32> { (0..dim).map(|_| random.normal()).collect() };
                let (query, rows) = (vector(), [vector(), vector(), vector(), vector()]);
                let rows = rows.each_ref().map(|row| &row[..]);
                group.throughput(Throughput::Elements(1));
                group.bench_with_input(BenchmarkId::new("single", dim), &dim, |b, _| {
                    b.iter(|| distance.distance(black_box(&query), black_box(rows[0])));
                });
                group.throughput(Throughput::Elements(4));
                group.bench_with_input(BenchmarkId::new("batch of 4", dim), &dim, |b, _| {
                    b.iter(|| distance.distance_batch_4(black_box(&query), black_box(rows)));
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
