//! Data that is not clean, over several segments and pending rows: a search finds what brute force
//! finds, and for the part that is hard as well.

use std::ops::ControlFlow;

use vex_db::{Budget, Collection, Maintenance, Metric, Options, Row, Schema, field, row};

const DIM: usize = 16;
const ROWS: usize = 1_500;

/// Random numbers (SplitMix64), about normal.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn vector(&mut self, center: f32, spread: f32) -> Vec<f32> {
        let mut normal =
            || (0..12).map(|_| (self.next() >> 40) as f32 / (1u64 << 24) as f32).sum::<f32>() - 6.0;
        (0..DIM).map(|_| center + spread * normal()).collect()
    }
}

/// Recall@10 of these queries, without a filter and with one.
fn recall(rows: &Collection, vectors: &[Vec<f32>], queries: &[Vec<f32>]) -> [f64; 2] {
    let view = rows.snapshot().unwrap();
    view.verify().unwrap();
    let mut found = [0, 0];
    for query in queries {
        let distance =
            |vector: &Vec<f32>| vector.iter().zip(query).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        for (found, step) in found.iter_mut().zip([1, 3]) {
            let mut exact: Vec<f32> = vectors.iter().step_by(step).map(distance).collect();
            exact.sort_by(f32::total_cmp);
            let mut search = view.search(query).ef_search(64);
            if step == 3 {
                search = search.filter(field("third").eq(0));
            }
            let hits = search.run().unwrap();
            assert_eq!(hits.len(), 10);
            // Counted by distance, since rows may be equal; a little room for the order of sums.
            *found += hits.iter().filter(|hit| hit.distance <= exact[9] * 1.000_01 + 1e-12).count();
        }
    }
    found.map(|found| found as f64 / (10 * queries.len()) as f64)
}

#[test]
fn hard_sets_are_searched_as_well_as_others() {
    let mut random = Random(1);
    let mut plain: Vec<Vec<f32>> = (0..ROWS).map(|_| random.vector(0.0, 1.0)).collect();
    let queries: Vec<Vec<f32>> = (0..40).map(|_| random.vector(0.0, 1.0)).collect();
    let duplicates: Vec<Vec<f32>> =
        (0..ROWS).map(|at| plain[if at % 2 == 0 { 0 } else { at }].clone()).collect();
    let mut absurd = plain.clone();
    absurd[700] = vec![1e8; DIM];
    let minority: Vec<Vec<f32>> =
        (0..ROWS).map(|at| if at % 30 == 0 { random.vector(3.0, 1e-3) } else { plain[at].clone() }).collect();
    let in_minority: Vec<Vec<f32>> = (0..40).map(|_| random.vector(3.0, 1e-3)).collect();
    let sets = [
        ("plain", std::mem::take(&mut plain), &queries),
        ("duplicates", duplicates, &queries),
        ("one absurd row", absurd, &queries),
        ("a tight minority", minority, &in_minority),
    ];
    for (name, vectors, queries) in sets {
        for m in [4, 16] {
            let folder = tempfile::tempdir().unwrap();
            let schema = Schema::new(DIM, Metric::SquaredEuclidean).int("third");
            let options = Options::new().seal_at(400).m(m).threads(1);
            let rows = options.create(folder.path().join("rows.vexdb"), schema).unwrap();
            for (at, vectors) in vectors.chunks(200).enumerate() {
                let mut batch = rows.batch();
                for (vector, at) in vectors.iter().zip(at * 200..) {
                    batch.upsert(&at.to_string(), vector, row! { third: (at % 3) as i64 }).unwrap();
                }
                batch.commit().unwrap();
            }
            let stats = rows.stats().unwrap();
            assert!(stats.segments.len() >= 3 && stats.pending > 0, "{stats}");
            let several = recall(&rows, &vectors, queries);
            rows.maintain(Budget::unlimited(), |_| ControlFlow::Continue(())).unwrap();
            assert_eq!(rows.stats().unwrap().segments.len(), 1);
            let one = recall(&rows, &vectors, queries);
            let least = if m == 4 { 0.9 } else { 0.97 };
            assert!(
                several.into_iter().chain(one).all(|recall| recall >= least),
                "{name}, m {m}: {several:?} {one:?}"
            );
        }
    }
}

#[test]
fn an_empty_collection_and_one_of_one_dimension_can_do_everything() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new().seal_at(2).maintenance(Maintenance::Manual);
    let schema = Schema::new(1, Metric::SquaredEuclidean).text("word");
    let rows = options.create(folder.path().join("rows.vexdb"), schema).unwrap();
    for is_empty in [true, false] {
        if !is_empty {
            rows.upsert("a", &[1.0], row! { word: "one" }).unwrap();
            rows.upsert("b", &[1.0], Row::new()).unwrap();
        }
        let expected = if is_empty { 0 } else { 2 };
        rows.maintain(Budget::unlimited(), |_| ControlFlow::Continue(())).unwrap();
        let view = rows.snapshot().unwrap();
        view.verify().unwrap();
        assert_eq!(view.search(&[0.0]).run().unwrap().len(), expected);
        assert_eq!(view.search(&[0.0]).filter(field("word").exists()).run().unwrap().len(), expected / 2);
        assert_eq!(view.search(&[0.0]).groups("word", 2).unwrap().len(), expected / 2);
        assert_eq!(view.search(&[0.0]).diverse(0.5).run().unwrap().len(), expected);
        assert_eq!(view.scroll().run().unwrap().len(), expected);
        let copy = folder.path().join(format!("copy {expected}"));
        rows.backup(&copy).unwrap();
        assert_eq!(Collection::open(&copy).unwrap().len().unwrap(), expected as u64);
        assert!(rows.backup(&copy).is_err());
    }
    // A file is no place for a collection or a copy, and stays as it is.
    let file = folder.path().join("a file");
    std::fs::write(&file, "mine").unwrap();
    assert!(rows.backup(&file).is_err());
    assert!(Collection::create(&file, rows.schema().clone()).is_err());
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
}

/// Segments are searched one after the other, and later walks know how far the nearest rows are.
#[test]
fn later_segments_take_less_work_and_a_group_in_the_smallest_is_found() {
    let mut random = Random(3);
    let folder = tempfile::tempdir().unwrap();
    let schema = Schema::new(DIM, Metric::SquaredEuclidean).int("third");
    let options = Options::new().seal_at(2_000).threads(2);
    let rows = options.create(folder.path().join("rows.vexdb"), schema).unwrap();
    let mut vectors = Vec::new();
    // Each commit becomes a segment. The last has rows that are nearer than all others to some queries.
    for (count, near) in [(4_000, 0), (3_000, 0), (2_000, 60)] {
        let mut batch = rows.batch();
        for at in 0..count {
            let vector = if at < near { random.vector(2.0, 0.01) } else { random.vector(0.0, 1.0) };
            let third = vectors.len() as i64 % 3;
            batch.upsert(&vectors.len().to_string(), &vector, row! { third: third }).unwrap();
            vectors.push(vector);
        }
        batch.commit().unwrap();
    }
    let usual: Vec<Vec<f32>> = (0..40).map(|_| random.vector(0.0, 1.0)).collect();
    let near: Vec<Vec<f32>> = (0..40).map(|_| random.vector(2.0, 0.01)).collect();
    let sizes: Vec<usize> =
        rows.stats().unwrap().segments.iter().map(|segment| segment.rows + segment.dead).collect();
    assert_eq!(sizes, [4_000, 3_000, 2_000]);
    // Rows that are pending, and none that is near.
    rows.upsert("pending", &random.vector(0.0, 1.0), row! { third: 1 }).unwrap();

    let view = rows.snapshot().unwrap();
    let hits = view.search(&usual[0]).run().unwrap();
    assert!(hits.explain().parts().iter().map(|part| part.segment.is_some()).eq([true, true, true, false]));
    for (queries, least) in [(usual, 0.97), (near, 0.99)] {
        let found = recall(&rows, &vectors, &queries);
        assert!(found.iter().all(|found| *found >= least), "{found:?}");
    }
}
