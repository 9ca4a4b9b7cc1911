//! Filters on hard sets: a filtered search finds at least what a plain search of the same list finds.

use vex_graph::{Neighbor, NodeSet, Scratch, SearchEnd, SearchParams, search_filtered};

use crate::hard_sets::{CODES, SETS, Set, params};
use crate::support::{Threads, built, exactly, found};

const COUNT: usize = 6_000;

/// The shares of nodes that match. Of the first, only the shortest list does not scan.
const SHARES: [u32; 6] = [6, 10, 17, 22, 30, 50];

#[test]
fn filters_find_on_hard_sets_what_plain_searches_find() {
    let mut by_graph = [0; SHARES.len()];
    for make in SETS {
        let Set { name, metric, base, queries } = make(COUNT, 64);
        for quantization in [None, CODES[0], CODES[1], CODES[2]] {
            let (graph, _) = built(metric, params(quantization), &base, &Threads(2));
            let (view, count) = (graph.view(), base.len());
            // Of vectors that are equally far, one is as good as another.
            let right = |found: &[Neighbor], nearest: &mut dyn Iterator<Item = &Neighbor>| {
                let limit = nearest.take(2).last().unwrap().distance * 1.00001;
                found.iter().filter(|neighbor| neighbor.distance <= limit).count()
            };
            let nearest: Vec<_> = queries.iter().map(|query| exactly(view.rows(), query, count)).collect();
            for ef in [4, 8, 12, 20] {
                let plain = queries
                    .iter()
                    .zip(&nearest)
                    .map(|(query, nearest)| right(&found(&view, query, 2, ef), &mut nearest.iter()));
                let plain = plain.sum::<usize>();
                for (share, by_graph) in SHARES.into_iter().zip(&mut by_graph) {
                    // The shortest list is there for two-hop expansion. Elsewhere it is all chance.
                    if ef == 4 && share != SHARES[0] {
                        continue;
                    }
                    let accepts = |id: u32| id.wrapping_mul(0x9E37_79B9) % 100 < share;
                    let mut words = vec![0u64; count.div_ceil(64)];
                    for id in (0..count).filter(|id| accepts(*id as u32)) {
                        words[id / 64] |= 1 << (id % 64);
                    }
                    let matches = NodeSet::new(&words);
                    let params = SearchParams::new(2).ef_search(ef);
                    let (mut scratch, mut out) = (Scratch::new(), [Neighbor::default(); 2]);
                    let mut filtered = 0;
                    for (query, nearest) in queries.iter().zip(&nearest) {
                        let stats =
                            search_filtered(&view, query, &params, &matches, &mut scratch, &mut out).unwrap();
                        assert_eq!(stats.found, 2);
                        filtered += right(&out, &mut nearest.iter().filter(|near| accepts(near.id)));
                        *by_graph += usize::from(stats.end != SearchEnd::Scan);
                    }
                    // Four in a hundred are chance.
                    assert!(
                        filtered + 4 >= plain,
                        "{name}, {quantization:?}, ef {ef}, {share}%: {filtered} of {plain}"
                    );
                }
            }
        }
    }
    // Scans alone would be right as well.
    assert!(by_graph[2..].iter().all(|searches| *searches >= 2_000), "{by_graph:?}");
}

/// How a filter is asked changes nothing. Of rare matches, a sample may show none.
#[test]
fn a_predicate_finds_what_a_set_finds() {
    for make in SETS {
        let Set { name, metric, base, queries } = make(COUNT, 64);
        let (graph, _) = built(metric, params(CODES[2]), &base, &Threads(2));
        let (view, mut scratch) = (graph.view(), Scratch::new());
        let params = SearchParams::new(2).ef_search(8);
        for rest in 0..60 {
            let accepts = |id: u32| id.wrapping_mul(0x9E37_79B9) % 120 == rest;
            let mut words = vec![0u64; base.len().div_ceil(64)];
            for id in (0..base.len()).filter(|id| accepts(*id as u32)) {
                words[id / 64] |= 1 << (id % 64);
            }
            let query = &queries[rest as usize % queries.len()];
            let (mut asked, mut listed) = ([Neighbor::default(); 2], [Neighbor::default(); 2]);
            let by = search_filtered(&view, query, &params, &accepts, &mut scratch, &mut asked).unwrap();
            let set = NodeSet::new(&words);
            let of = search_filtered(&view, query, &params, &set, &mut scratch, &mut listed).unwrap();
            assert_eq!((asked, by.by_vectors), (listed, of.by_vectors), "{name}, {rest}");
        }
    }
}
