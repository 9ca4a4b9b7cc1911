//! Commits go on while maintenance builds, and the segments that it publishes have them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use vex_db::{
    Budget, Collection, Maintenance, Metric, Options, Reader, RowVectors, Schema, Snapshot, field, row,
};

/// Random numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// For each id, the vector and the number.
type Model = BTreeMap<String, ([f32; 2], i64)>;

/// Commits a few changes to any of 60 ids.
fn commit(rows: &Collection, model: &mut Model, random: &mut Random) {
    let mut batch = rows.batch();
    for _ in 0..1 + random.below(12) {
        let id = format!("id {}", random.below(60));
        if random.below(3) == 0 {
            batch.delete(&id);
            model.remove(&id);
        } else {
            let (vector, number) =
                ([random.below(50) as f32, random.below(50) as f32], random.below(6) as i64);
            // Two of three rows have a title.
            let vectors = RowVectors::new(&vector);
            let title = [number as f32];
            let vectors = if number % 3 == 0 { vectors } else { vectors.with("title", &title) };
            batch.upsert(&id, vectors, row! { number: number }).unwrap();
            model.insert(id, (vector, number));
        }
    }
    batch.commit().unwrap();
}

fn check(view: &Snapshot, model: &Model) {
    view.verify().unwrap();
    let scrolled = view.scroll().run().unwrap();
    assert!(scrolled.iter().map(|row| &row.id).eq(model.keys()));
    let hits = view.search(&[25.0, 25.0]).k(100).ef_search(200).run().unwrap();
    assert_eq!(hits.len(), model.len(), "{}", hits.explain());
    for hit in &hits {
        let [x, y] = model[&hit.id].0;
        assert_eq!(hit.distance, (x - 25.0).powi(2) + (y - 25.0).powi(2), "{}", hit.id);
    }
    for number in 0..6 {
        let filter = field("number").eq(number);
        let hits = view.search(&[0.0, 0.0]).k(100).ef_search(200).filter(filter).run().unwrap();
        assert_eq!(hits.len(), model.values().filter(|(_, of_row)| *of_row == number).count());
    }
    let hits = view.vector("title").unwrap().search(&[0.0]).k(100).ef_search(200).run().unwrap();
    assert_eq!(hits.len(), model.values().filter(|(_, number)| number % 3 != 0).count());
    for hit in &hits {
        assert_eq!(hit.distance, (model[&hit.id].1 as f32).powi(2), "{}", hit.id);
    }
}

#[test]
fn commits_during_a_build_are_in_what_it_publishes() {
    let mut during = 0;
    for seed in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.vexdb");
        let schema = Schema::new(2, Metric::SquaredEuclidean).vector("title", 1).int("number");
        let options = Options::new().seal_at(10).threads(1).cache(1 << 20).maintenance(Maintenance::Manual);
        let rows = options.clone().create(&path, schema).unwrap();
        // A reader sees what is in the store, and nothing of the writer's memory.
        let reader = Reader::open(&path).unwrap();
        let (mut model, mut random) = (Model::new(), Random(seed));
        for _ in 0..8 {
            for _ in 0..1 + random.below(4) {
                commit(&rows, &mut model, &mut random);
            }
            let mut calls = 0;
            rows.maintain(Budget::unlimited(), |_| {
                // With manual maintenance a commit waits for no step.
                calls += 1;
                if calls < 12 && random.below(2) == 0 {
                    commit(&rows, &mut model, &mut random);
                    during += 1;
                    check(&reader.snapshot().unwrap(), &model);
                }
                ControlFlow::Continue(())
            })
            .unwrap();
            check(&rows.snapshot().unwrap(), &model);
            check(&reader.snapshot().unwrap(), &model);
        }
        drop(rows);
        check(&options.open(&path).unwrap().snapshot().unwrap(), &model);
    }
    assert!(during > 300, "{during}");
}
