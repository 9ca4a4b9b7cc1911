//! Random operations on a collection give what a map of rows gives.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use proptest::prelude::*;
use vex_db::{
    Budget, Collection, Durability, Filter, Maintenance, Metric, Options, Row, RowVectors, Schema, Search,
    Snapshot, Value, field,
};

const DIM: usize = 3;

/// Dimensions of the vector that some rows have under the name `title`.
const TITLE: usize = 2;

#[derive(Clone, Debug)]
enum Change {
    Upsert(u8, [i8; DIM], Option<[i8; TITLE]>, Row),
    Delete(u8),
}

#[derive(Clone, Debug)]
enum Step {
    /// One commit. A single change is not a batch.
    Commit(Vec<Change>),
    /// A batch that is dropped.
    Drop(Vec<Change>),
    Maintain,
    Reopen,
    /// Takes a snapshot, which is checked at the end.
    Keep,
    Query([i8; DIM], usize, Option<Filter>),
    /// By the title.
    QueryTitle([i8; TITLE], usize, Option<Filter>),
    Scroll(Option<u8>, usize, Option<Filter>),
    Near(u8, usize),
    NearTitle(u8, usize),
}

fn vector() -> impl Strategy<Value = [i8; DIM]> {
    // Few values: many distances are equal.
    prop::array::uniform3(-3..4i8)
}

fn title() -> impl Strategy<Value = [i8; TITLE]> {
    prop::array::uniform2(-3..4i8)
}

fn row() -> impl Strategy<Value = Row> {
    let text = prop::option::of(prop::sample::select(vec!["", "a", "ab", "abc", "b", "ä", "z"]));
    let int = prop::option::of(-3..4i64);
    let float = prop::option::of(prop::sample::select(vec![-1.5, -0.0, 0.0, 2.0, f64::INFINITY]));
    let yes = prop::option::of(any::<bool>());
    (text, int, float, yes, any::<bool>()).prop_map(|(text, int, float, yes, has_doc)| {
        let mut row = Row::new();
        text.into_iter().for_each(|text| row.insert("text".into(), text.into()));
        int.into_iter().for_each(|int| row.insert("int".into(), int.into()));
        float.into_iter().for_each(|float| row.insert("float".into(), float.into()));
        yes.into_iter().for_each(|yes| row.insert("yes".into(), yes.into()));
        if has_doc {
            row.insert("doc".into(), "a document".into());
        }
        row
    })
}

/// A filter, and what it means.
fn filter() -> impl Strategy<Value = Filter> {
    let text = || prop::sample::select(vec!["", "a", "ab", "b", "zz"]);
    let leaf = prop_oneof![
        (text(), 0..7usize).prop_map(|(value, op)| compare("text", value.into(), op)),
        (-4..5i64, 0..7usize).prop_map(|(value, op)| compare("int", value.into(), op)),
        (-2..3i64, 0..7usize).prop_map(|(value, op)| compare("float", value.into(), op)),
        (any::<bool>(), 0..7usize).prop_map(|(value, op)| compare("yes", value.into(), op)),
        (-4..5i64, -4..5i64).prop_map(|(low, high)| field("int").between(low, high)),
        prop::collection::vec(-4..5i64, 0..3).prop_map(|values| field("int").any_of(values)),
        text().prop_map(|prefix| field("text").prefix(prefix)),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| one & other),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| one | other),
            inner.prop_map(|inner| !inner),
        ]
    })
}

fn compare(name: &str, value: Value, op: usize) -> Filter {
    let field = field(name);
    match op {
        0 => field.eq(value),
        1 => field.ne(value),
        2 => field.lt(value),
        3 => field.le(value),
        4 => field.gt(value),
        5 => field.ge(value),
        _ => field.exists(),
    }
}

fn step() -> impl Strategy<Value = Step> {
    let change = || {
        prop_oneof![
            4 => (0..16u8, vector(), prop::option::of(title()), row())
                .prop_map(|(id, vector, title, row)| Change::Upsert(id, vector, title, row)),
            1 => (0..16u8).prop_map(Change::Delete),
        ]
    };
    let changes = move || prop::collection::vec(change(), 1..6);
    prop_oneof![
        12 => changes().prop_map(Step::Commit),
        1 => changes().prop_map(Step::Drop),
        2 => Just(Step::Maintain),
        2 => Just(Step::Reopen),
        2 => Just(Step::Keep),
        6 => (vector(), 1..20usize, prop::option::of(filter())).prop_map(|(query, k, filter)| Step::Query(query, k, filter)),
        3 => (title(), 1..20usize, prop::option::of(filter()))
            .prop_map(|(query, k, filter)| Step::QueryTitle(query, k, filter)),
        2 => (prop::option::of(0..16u8), 1..20usize, prop::option::of(filter()))
            .prop_map(|(after, limit, filter)| Step::Scroll(after, limit, filter)),
        1 => (0..16u8, 1..20usize).prop_map(|(id, k)| Step::Near(id, k)),
        1 => (0..16u8, 1..20usize).prop_map(|(id, k)| Step::NearTitle(id, k)),
    ]
}

#[derive(Clone, Debug, PartialEq)]
struct Kept {
    vector: [f32; DIM],
    title: Option<[f32; TITLE]>,
    row: Row,
}

type Model = BTreeMap<String, Kept>;

fn id_of(id: u8) -> String {
    format!("id/{id}")
}

fn floats<const N: usize>(vector: &[i8; N]) -> [f32; N] {
    vector.map(f32::from)
}

fn upsert(batch: &mut vex_db::Batch, id: u8, kept: &Kept) {
    let mut vectors = RowVectors::new(&kept.vector);
    if let Some(title) = &kept.title {
        vectors = vectors.with("title", title);
    }
    batch.upsert(&id_of(id), vectors, kept.row.clone()).unwrap();
}

/// The distances of a query, ascending.
fn distances<'m>(vectors: impl Iterator<Item = &'m [f32]>, query: &[f32]) -> Vec<f32> {
    let distance = |vector: &[f32]| vector.iter().zip(query).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    let mut distances: Vec<f32> = vectors.map(distance).collect();
    distances.sort_by(f32::total_cmp);
    distances
}

fn vectors(model: &Model) -> impl Iterator<Item = &[f32]> {
    model.values().map(|kept| &kept.vector[..])
}

fn titles(model: &Model) -> impl Iterator<Item = &[f32]> {
    model.values().filter_map(|kept| kept.title.as_ref().map(|title| &title[..]))
}

/// Runs a search, whose distances are those of some vectors of the rows that match.
fn check_search(
    view: &Snapshot,
    search: Search<'_>,
    query: &[f32],
    k: usize,
    filter: Option<Filter>,
    model: &Model,
    vectors: for<'m> fn(&'m Model) -> Box<dyn Iterator<Item = &'m [f32]> + 'm>,
) {
    let (mut search, mut matching) = (search.k(k).ef_search(64).fetch_all(), model.clone());
    if let Some(filter) = filter {
        // A scroll asks the rows themselves, a search asks the columns of the parts.
        let ids = view.scroll().filter(filter.clone()).run().unwrap();
        matching.retain(|id, _| ids.iter().any(|row| row.id == *id));
        search = search.filter(filter);
    }
    let hits = search.run().unwrap();
    let expected = distances(vectors(&matching), query);
    let found: Vec<f32> = hits.iter().map(|hit| hit.distance).collect();
    assert_eq!(found, expected[..k.min(expected.len())], "{}", hits.explain());
    for hit in &hits {
        assert_eq!(hit.row, matching[&hit.id].row);
    }
    let ids: std::collections::BTreeSet<&str> = hits.iter().map(|hit| &*hit.id).collect();
    assert_eq!(ids.len(), hits.len());
}

fn check(view: &Snapshot, model: &Model) {
    assert_eq!(view.len().unwrap(), model.len() as u64);
    let rows = view.scroll().run().unwrap();
    assert!(rows.iter().map(|row| (&row.id, &row.row)).eq(model.iter().map(|(id, kept)| (id, &kept.row))));
    for (id, Kept { vector, title, row }) in model {
        let record = view.get(id).unwrap().unwrap();
        let named: Vec<_> = title.iter().map(|title| ("title".to_owned(), title.to_vec())).collect();
        assert_eq!((&record.vector[..], &record.named, &record.row), (&vector[..], &named, row));
    }
    view.verify().unwrap();
}

fn options(seal_at: usize, durability: Durability) -> Options {
    Options::new().seal_at(seal_at).durability(durability).threads(1).cache(1 << 20)
}

fn run(steps: Vec<Step>, seal_at: usize, durability: Durability, maintenance: Maintenance) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.vexdb");
    let schema = Schema::new(DIM, Metric::SquaredEuclidean)
        .vector("title", TITLE)
        .text("text")
        .int("int")
        .float("float")
        .bool("yes")
        .stored("doc");
    let open = || {
        options(seal_at, durability).maintenance(maintenance).open_or_create(&path, schema.clone()).unwrap()
    };
    let mut rows: Collection = open();
    let (mut model, mut kept) = (Model::new(), Vec::new());
    for step in steps {
        match step {
            Step::Commit(changes) => {
                let mut batch = rows.batch();
                let mut after = model.clone();
                for change in &changes {
                    match change {
                        Change::Upsert(id, vector, title, row) => {
                            let (vector, title) = (floats(vector), title.as_ref().map(floats));
                            let kept = Kept { vector, title, row: row.clone() };
                            upsert(&mut batch, *id, &kept);
                            after.insert(id_of(*id), kept);
                        }
                        Change::Delete(id) => {
                            batch.delete(&id_of(*id));
                            after.remove(&id_of(*id));
                        }
                    }
                }
                let committed = batch.commit().unwrap();
                let is_in = |model: &Model, id: &&String| model.contains_key(*id);
                assert_eq!(committed.inserted, after.keys().filter(|id| !is_in(&model, id)).count());
                assert_eq!(committed.deleted, model.keys().filter(|id| !is_in(&after, id)).count());
                model = after;
            }
            Step::Drop(changes) => {
                let mut batch = rows.batch();
                for change in changes {
                    if let Change::Upsert(id, vector, title, row) = change {
                        let (vector, title) = (floats(&vector), title.as_ref().map(floats));
                        upsert(&mut batch, id, &Kept { vector, title, row });
                    }
                }
                drop(batch);
            }
            Step::Maintain => {
                rows.maintain(Budget::unlimited(), |_| ControlFlow::Continue(())).unwrap();
            }
            Step::Reopen => {
                // Snapshots keep a collection open.
                kept.clear();
                drop(rows);
                rows = open();
            }
            Step::Keep => kept.push((rows.snapshot().unwrap(), model.clone())),
            Step::Query(query, k, filter) => {
                let (view, query) = (rows.snapshot().unwrap(), floats(&query));
                let search = view.search(&query);
                check_search(&view, search, &query, k, filter, &model, |model| Box::new(vectors(model)));
            }
            Step::QueryTitle(query, k, filter) => {
                let (view, query) = (rows.snapshot().unwrap(), floats(&query));
                let search = view.vector("title").unwrap().search(&query);
                check_search(&view, search, &query, k, filter, &model, |model| Box::new(titles(model)));
            }
            Step::Scroll(after, limit, filter) => {
                let view = rows.snapshot().unwrap();
                let mut scroll = view.scroll().limit(limit);
                if let Some(after) = after {
                    scroll = scroll.after(id_of(after));
                }
                let all = match &filter {
                    Some(filter) => view.scroll().filter(filter.clone()).run().unwrap(),
                    None => view.scroll().run().unwrap(),
                };
                if let Some(filter) = filter {
                    scroll = scroll.filter(filter);
                }
                let start = after.map_or(String::new(), id_of);
                let expected: Vec<_> = all.into_iter().filter(|row| row.id > start).take(limit).collect();
                assert_eq!(scroll.run().unwrap(), expected);
            }
            Step::Near(id, k) => {
                let view = rows.snapshot().unwrap();
                match (view.near(&id_of(id)), model.get(&id_of(id))) {
                    (Ok(search), Some(Kept { vector, .. })) => {
                        let hits = search.k(k).ef_search(64).run().unwrap();
                        let expected = distances(vectors(&model), vector);
                        let found: Vec<f32> = hits.iter().map(|hit| hit.distance).collect();
                        // The row itself is the first of all, at 0.
                        assert_eq!(found, expected[1..][..k.min(expected.len() - 1)]);
                        assert!(hits.iter().all(|hit| hit.id != id_of(id)));
                    }
                    (Err(vex_db::Error::NoRow { .. }), None) => (),
                    (search, row) => panic!("{search:?}, {row:?}"),
                }
            }
            Step::NearTitle(id, k) => {
                let view = rows.snapshot().unwrap();
                let title = model.get(&id_of(id)).map(|kept| kept.title);
                match (view.vector("title").unwrap().near(&id_of(id)), title) {
                    (Ok(search), Some(Some(title))) => {
                        let hits = search.k(k).ef_search(64).run().unwrap();
                        let expected = distances(titles(&model), &title);
                        let found: Vec<f32> = hits.iter().map(|hit| hit.distance).collect();
                        assert_eq!(found, expected[1..][..k.min(expected.len() - 1)]);
                        assert!(hits.iter().all(|hit| hit.id != id_of(id)));
                    }
                    (Err(vex_db::Error::NoRow { .. }), None) => (),
                    (Err(vex_db::Error::NoVector { .. }), Some(None)) => (),
                    (search, title) => panic!("{search:?}, {title:?}"),
                }
            }
        }
    }
    check(&rows.snapshot().unwrap(), &model);
    for (view, model) in kept {
        check(&view, &model);
    }
    drop(rows);
    check(&open().snapshot().unwrap(), &model);
}

/// `PROPTEST_CASES` sets the number of sequences. A deep run takes 20,000.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").map_or(500, |cases| cases.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn a_collection_is_a_map_of_rows(
        steps in prop::collection::vec(step(), 1..40),
        seal_at in 1..12usize,
        is_durable in prop::bool::weighted(0.1),
        is_manual in any::<bool>(),
    ) {
        let durability = if is_durable { Durability::Commit } else { Durability::None };
        run(steps, seal_at, durability, if is_manual { Maintenance::Manual } else { Maintenance::OnCommit });
    }
}

/// The meaning of each operator, spelled out.
#[test]
fn filters_mean_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let schema = Schema::new(1, Metric::SquaredEuclidean).text("lang").int("year");
    let options = Options::new().seal_at(10).maintenance(Maintenance::Manual);
    let rows = options.create(folder.path().join("rows.vexdb"), schema).unwrap();
    let langs = [Some("de"), Some("en"), None, Some("de-AT"), Some("e")];
    let years = [Some(2019), None, Some(2020), Some(2021), Some(-5)];
    for (at, (lang, year)) in langs.into_iter().zip(years).enumerate() {
        let mut row = Row::new();
        lang.into_iter().for_each(|lang| row.insert("lang".into(), lang.into()));
        year.into_iter().for_each(|year| row.insert("year".into(), Value::Int(year)));
        rows.upsert(&at.to_string(), &[at as f32], row).unwrap();
    }
    for is_sealed in [false, true] {
        if is_sealed {
            rows.maintain(Budget::unlimited(), |_| ControlFlow::Continue(())).unwrap();
            assert_eq!(rows.stats().unwrap().pending, 0);
        }
        let view = rows.snapshot().unwrap();
        let ids = |filter: Filter| -> String {
            let hits = view.search(&[0.0]).k(9).filter(filter.clone()).run().unwrap();
            let scrolled = view.scroll().filter(filter).run().unwrap();
            assert!(scrolled.iter().map(|row| &row.id).eq(hits.iter().map(|hit| &hit.id)));
            hits.iter().map(|hit| &*hit.id).collect()
        };
        assert_eq!(ids(field("lang").eq("de")), "0");
        assert_eq!(ids(field("lang").ne("de")), "134");
        assert_eq!(ids(!field("lang").eq("de")), "1234");
        assert_eq!(ids(field("lang").prefix("de")), "03");
        assert_eq!(ids(field("lang").prefix("")), "0134");
        assert_eq!(ids(field("lang").gt("de")), "134");
        assert_eq!(ids(field("lang").any_of(["e", "en", "fr"])), "14");
        assert_eq!(ids(field("lang").any_of(Vec::<&str>::new())), "");
        assert_eq!(ids(field("year").between(2019, 2020)), "02");
        assert_eq!(ids(field("year").between(2020, 2019)), "");
        assert_eq!(ids(field("year").lt(2019)), "4");
        assert_eq!(ids(field("year").le(2019)), "04");
        assert_eq!(ids(field("year").ge(2020)), "23");
        assert_eq!(ids(field("year").exists()), "0234");
        assert_eq!(ids(!field("year").exists() | field("lang").eq("e")), "14");
        assert_eq!(ids(!(field("year").exists() & field("lang").exists())), "12");
    }
}
