//! Groups, diverse searches and recommendations, against what they mean.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use vex_db::{Budget, Collection, Error, Maintenance, Metric, Options, Row, Schema, Value, field, row};

/// 60 rows on a line, the last 20 of them pending. Row `n` is at `n`, in color `n % 4`; every tenth
/// has no color.
fn line(folder: &tempfile::TempDir) -> Collection {
    let schema = Schema::new(2, Metric::SquaredEuclidean).int("color").stored("doc");
    let options = Options::new().seal_at(40).maintenance(Maintenance::Manual);
    let rows = options.create(folder.path().join("rows.vexdb"), schema).unwrap();
    for at in 0..60 {
        let row = if at % 10 == 9 {
            Row::new()
        } else {
            row! { color: at % 4 }
        };
        rows.upsert(&format!("{at:02}"), &[at as f32, 0.0], row).unwrap();
        if at == 39 {
            rows.maintain(Budget::unlimited(), |_| ControlFlow::Continue(())).unwrap();
        }
    }
    rows
}

#[test]
fn groups_have_the_nearest_rows_of_each_value() {
    let folder = tempfile::tempdir().unwrap();
    let rows = line(&folder);
    let view = rows.snapshot().unwrap();
    for (query, k, per_group) in
        [(38.2, 2, 3), (0.0, 4, 1), (59.0, 3, 100), (20.0, 10, 2), (20.0, 3, 0), (20.0, 0, 3)]
    {
        let groups = view.search(&[query, 0.0]).k(k).ef_search(100).groups("color", per_group).unwrap();
        // By brute force.
        let mut all: Vec<i64> = (0..60).filter(|at| at % 10 != 9).collect();
        all.sort_by(|one, other| (*one as f32 - query).abs().total_cmp(&(*other as f32 - query).abs()));
        let mut order = Vec::new();
        let mut expected: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for at in all {
            let color = at % 4;
            if !order.contains(&color) {
                order.push(color);
            }
            let group = expected.entry(color).or_default();
            if group.len() < per_group {
                group.push(format!("{at:02}"));
            }
        }
        order.truncate(if per_group == 0 { 0 } else { k });
        let values: Vec<&Value> = groups.iter().map(|group| &group.value).collect();
        let order: Vec<Value> = order.into_iter().map(Value::Int).collect();
        assert_eq!(values, order.iter().collect::<Vec<_>>(), "{query} {k} {per_group}");
        for group in &groups {
            let Value::Int(color) = group.value else { panic!("{group:?}") };
            assert!(group.hits.iter().map(|hit| &hit.id).eq(&expected[&color]), "{group:?}");
        }
    }
    assert!(matches!(view.search(&[0.0, 0.0]).groups("doc", 1), Err(Error::Filter(_))));
    assert!(matches!(view.search(&[0.0, 0.0]).groups("hue", 1), Err(Error::UnknownField { .. })));
}

#[test]
fn a_diverse_search_leaves_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let rows = line(&folder);
    let view = rows.snapshot().unwrap();
    let ids = |share: f32| -> Vec<String> {
        let hits = view.search(&[30.0, 0.0]).k(3).ef_search(100).diverse(share).run().unwrap();
        hits.into_iter().map(|hit| hit.id).collect()
    };
    // Ties go by the number of the row.
    assert_eq!(ids(1.0), ["30", "29", "31"]);
    // The pool is 24 to 35 or 36: the nearest, then the ends.
    let apart = ids(0.0);
    assert_eq!(apart[0], "30");
    let numbers: Vec<i32> = apart.iter().map(|id| id.parse().unwrap()).collect();
    assert!(numbers[1..].iter().all(|at| (at - 30).abs() >= 5), "{apart:?}");
    assert!((numbers[1] - numbers[2]).abs() >= 10, "{apart:?}");
    assert_eq!(view.search(&[30.0, 0.0]).k(100).diverse(0.5).run().unwrap().len(), 60);
    assert_eq!(view.search(&[30.0, 0.0]).k(0).diverse(0.5).run().unwrap().len(), 0);
}

#[test]
fn recommendations_are_like_some_rows_and_unlike_others() {
    let folder = tempfile::tempdir().unwrap();
    let rows = line(&folder);
    let view = rows.snapshot().unwrap();
    let first = |like: &[&str], unlike: &[&str]| {
        let hits = view.recommend(like, unlike).unwrap().k(3).ef_search(100).run().unwrap();
        hits.into_iter().map(|hit| hit.id).collect::<Vec<_>>()
    };
    assert_eq!(first(&["10"], &[]), ["09", "11", "08"]);
    assert_eq!(first(&["10", "20"], &[]), ["15", "14", "16"]);
    // 20 moved away from 10 by as much: 30.
    assert_eq!(first(&["20"], &["10"]), ["30", "29", "31"]);
    // A row of the query is never returned.
    assert_eq!(first(&["20", "30"], &["25"])[0], "24");
    let filtered = view.recommend(&["10"], &[]).unwrap().k(2).filter(field("color").eq(3)).run().unwrap();
    assert_eq!((&*filtered[0].id, &*filtered[1].id), ("11", "07"));
    assert!(matches!(view.recommend(&[], &["10"]), Err(Error::NothingLiked)));
    assert!(matches!(view.recommend(&["10"], &["99"]), Err(Error::NoRow { id }) if id == "99"));
}
