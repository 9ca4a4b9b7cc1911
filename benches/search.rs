//! One query after the other on one thread, with the recall that each `ef_search` reaches.
#![allow(missing_docs)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use vex::{Scratch, SearchParams};
use vex_benches::{clustered, index};

const COUNT: usize = 20_000;
const K: usize = 10;

fn search(c: &mut Criterion) {
    vex_benches::print_machine();
    let index = index(COUNT);
    let queries = clustered(200, 3);
    let exact: Vec<_> =
        queries.iter().map(|(_, query)| index.searcher().exact(query, K).expect("a valid query")).collect();
    let mut scratch = Scratch::new();
    let mut group = c.benchmark_group(format!("search {COUNT} x {}", vex_benches::DIM));
    for ef_search in [16, 32, 64, 128] {
        let params = SearchParams::new(K).ef_search(ef_search);
        let mut right = 0;
        for ((_, query), exact) in queries.iter().zip(&exact) {
            let found = index.search_with(query, &params, &mut scratch).expect("a valid query");
            right += found.hits.iter().filter(|hit| exact.iter().any(|exact| exact.key == hit.key)).count();
        }
        let recall = right as f64 / (K * queries.len()) as f64;
        let id = BenchmarkId::from_parameter(format!("ef {ef_search}, recall@{K} {recall:.3}"));
        let mut next = queries.iter().cycle();
        group.bench_function(id, |b| {
            b.iter(|| {
                let (_, query) = next.next().expect("an endless cycle");
                index.search_with(query, &params, &mut scratch).expect("a valid query").stats
            });
        });
    }
    group.finish();
}

criterion_group!(benches, search);
criterion_main!(benches);
