//! Opening a file: mapped, which takes the same time for any size, and into memory.
#![allow(missing_docs)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use vex::{Index, MappedIndex};
use vex_benches::index;

fn open(c: &mut Criterion) {
    vex_benches::print_machine();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut group = c.benchmark_group("open");
    group.sample_size(20);
    for count in [1_000, 10_000] {
        let path = folder.path().join(format!("{count}.vex"));
        index(count).save(&path).expect("room for the file");
        group.bench_function(BenchmarkId::new("mapped", count), |b| {
            // SAFETY: the file is ours, and nothing writes to it.
            b.iter(|| unsafe { MappedIndex::open(&path) }.expect("a valid file"));
        });
        // SAFETY: as above.
        let mapped = unsafe { MappedIndex::open(&path) }.expect("a valid file");
        group.bench_function(BenchmarkId::new("verify", count), |b| {
            b.iter(|| mapped.verify().expect("a valid file"))
        });
        group.bench_function(BenchmarkId::new("owned", count), |b| {
            b.iter(|| Index::open(&path).expect("a valid file"));
        });
    }
    group.finish();
}

criterion_group!(benches, open);
criterion_main!(benches);
