//! Bulk build on one thread and on all, and single inserts.
#![allow(missing_docs)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use vex::{Index, Metric};
use vex_benches::{DIM, clustered};

const COUNT: usize = 5_000;

fn construct(c: &mut Criterion) {
    vex_benches::print_machine();
    let vectors = clustered(COUNT, 2);
    let builder = || Index::builder(DIM).metric(Metric::Cosine).quantization(None);
    let mut group = c.benchmark_group(format!("construct {COUNT} x {DIM}"));
    group.sample_size(10).throughput(Throughput::Elements(COUNT as u64));
    let rows = || vectors.iter().map(|(key, vector)| (*key, vector));
    group.bench_function("bulk, 1 thread", |b| {
        b.iter(|| builder().threads(1).build_from(rows()).expect("valid"))
    });
    group.bench_function("bulk, all cores", |b| b.iter(|| builder().build_from(rows()).expect("valid")));
    group.bench_function("insert", |b| {
        let empty = || builder().build().expect("valid parameters");
        let insert_all = |mut index: Index| {
            rows().for_each(|(key, vector)| index.insert(key, vector).expect("valid"));
            index
        };
        b.iter_batched(empty, insert_all, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, construct);
criterion_main!(benches);
