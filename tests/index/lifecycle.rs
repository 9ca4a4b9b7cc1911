//! An index from its first vector to its second file: build, insert, save, open, map, grow.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;

use support::Random;
use vex::{
    BuildError, DuplicateKey, Hit, Index, InsertError, MappedIndex, Metric, OpenProblem, Scratch,
    SearchParams,
};

const DIM: usize = 12;

fn vectors(count: usize, seed: u64) -> Vec<(u64, Vec<f32>)> {
    let mut random = Random(seed);
    (0..count).map(|i| (1_000 + 3 * i as u64, (0..DIM).map(|_| random.element()).collect())).collect()
}

fn answers(search: impl Fn(&[f32]) -> Vec<Hit>) -> Vec<Vec<Hit>> {
    vectors(30, 99).iter().map(|(_, query)| search(query)).collect()
}

/// Maps a file that the test owns.
fn map(path: &std::path::Path) -> MappedIndex {
    // SAFETY: the file is in the test's own folder, and is only ever replaced by a rename.
    unsafe { MappedIndex::open(path) }.unwrap()
}

#[test]
fn saved_opened_and_mapped_indexes_answer_alike() {
    let folder = tempfile::tempdir().unwrap();
    for metric in Metric::NUMERIC {
        let path = folder.path().join(metric.name());
        let index = Index::builder(DIM).metric(metric).m(8).build_from(vectors(700, 1)).unwrap();
        index.save(&path).unwrap();
        let mapped = map(&path);
        mapped.verify().unwrap();
        let expected = answers(|query| index.search(query, 10).unwrap());
        assert_eq!(answers(|query| mapped.search(query, 10).unwrap()), expected);
        let opened = Index::open(&path).unwrap();
        assert_eq!(answers(|query| opened.search(query, 10).unwrap()), expected);
        assert_eq!(opened.params(), index.params());
        assert_eq!((opened.len(), opened.dim(), opened.metric()), (700, DIM, metric));
    }
}

#[test]
fn a_grown_index_is_sorted_when_it_is_saved_and_still_finds_every_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grown.vex");
    let mut index = Index::builder(DIM).m(4).build().unwrap();
    let vectors = vectors(600, 2);
    for (key, vector) in &vectors {
        index.insert(*key, vector).unwrap();
    }
    assert!(index.graph().view().levels().len() > 2, "enough nodes for several levels");
    index.save(&path).unwrap();
    let mapped = map(&path);
    mapped.verify().unwrap();
    let params = SearchParams::new(1).ef_search(600);
    for (key, vector) in &vectors {
        let mut scratch = Scratch::new();
        let found = mapped.search_with(vector, &params, &mut scratch).unwrap();
        assert_eq!(found.hits, [Hit { key: *key, distance: 0.0 }]);
    }
}

#[test]
fn an_opened_index_grows_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let vectors = vectors(400, 3);
    Index::builder(DIM).build_from(vectors[..200].to_vec()).unwrap().save(&path).unwrap();
    let mut index = Index::open(&path).unwrap();
    for (key, vector) in &vectors[200..] {
        index.insert(*key, vector).unwrap();
    }
    index.save(&path).unwrap();
    let index = Index::open(&path).unwrap();
    assert_eq!(index.len(), 400);
    for (key, vector) in &vectors {
        assert_eq!(index.search(vector, 1).unwrap()[0].key, *key);
        assert_eq!(index.get(*key), Some(vector.into()));
    }
}

#[test]
fn the_file_does_not_depend_on_threads() {
    let folder = tempfile::tempdir().unwrap();
    let file = |threads: usize| {
        let path = folder.path().join(threads.to_string());
        let index = Index::builder(DIM).m(6).threads(threads).build_from(vectors(3_000, 4)).unwrap();
        index.save(&path).unwrap();
        fs::read(path).unwrap()
    };
    let one = file(1);
    for threads in [2, 4, 8] {
        assert!(one == file(threads), "{threads} threads");
    }
}

#[test]
fn a_taken_key_is_refused_and_changes_nothing() {
    let mut index = Index::builder(DIM).build_from(vectors(50, 5)).unwrap();
    let before = answers(|query| index.search(query, 5).unwrap());
    let error = index.insert(1_003, [0.5; DIM]).unwrap_err();
    assert!(matches!(error, InsertError::DuplicateKey(DuplicateKey { key: 1_003 })), "{error}");
    assert_eq!(answers(|query| index.search(query, 5).unwrap()), before);

    let mut twice = vectors(50, 5);
    twice[40].0 = 1_003;
    let error = Index::builder(DIM).build_from(twice).unwrap_err();
    assert!(matches!(error, BuildError::DuplicateKey { key: 1_003, rows: [1, 40] }), "{error}");
}

#[test]
fn a_refused_vector_leaves_its_key_free() {
    let mut index = Index::builder(2).metric(Metric::Cosine).build().unwrap();
    assert!(index.insert(7, [0.0, 0.0]).is_err());
    assert!(index.insert(7, [f32::NAN, 0.0]).is_err());
    assert!(index.insert(7, [1.0]).is_err());
    index.insert(7, [1.0, 0.0]).unwrap();
    assert_eq!(index.len(), 1);
}

#[test]
fn a_build_that_is_broken_off_fails_and_nothing_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("good.vex");
    Index::builder(DIM).build_from(vectors(10, 8)).unwrap().save(&path).unwrap();
    let before = fs::read(&path).unwrap();
    let mut given = vectors(1_000, 6).into_iter();
    let fill = |to: &mut [f32]| {
        let (key, vector) = given.next().unwrap();
        to.copy_from_slice(&vector);
        Ok::<u64, std::convert::Infallible>(key)
    };
    let replace = || -> Result<(), Box<dyn std::error::Error>> {
        Index::builder(DIM).build_with(1_000, fill, |_| ControlFlow::Break(()))?.save(&path)?;
        Ok(())
    };
    let error = replace().unwrap_err();
    let error = error.downcast::<BuildError<std::convert::Infallible>>().unwrap();
    assert!(
        matches!(*error, BuildError::Graph(vex::graph::BuildError::Cancelled { linked: 1 })),
        "{error:?}"
    );
    assert!(fs::read(&path).unwrap() == before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_part_that_is_asked_for_is_an_index_of_what_was_linked() {
    let all = vectors(500, 6);
    let mut vectors = all.clone().into_iter();
    let fill = |to: &mut [f32]| {
        let (key, vector) = vectors.next().unwrap();
        to.copy_from_slice(&vector);
        Ok::<u64, std::convert::Infallible>(key)
    };
    let stop = |linked: usize| if linked >= 100 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let mut index = Index::builder(DIM).keep_partial(true).build_with(500, fill, stop).unwrap();
    let linked = index.node_keys().to_vec();
    assert!((100..=200).contains(&linked.len()));
    for (key, vector) in &all {
        assert_eq!(index.get(*key).is_some(), linked.contains(key));
        if !linked.contains(key) {
            index.insert(*key, vector).unwrap();
        }
    }
    assert_eq!(index.len(), 500);
    for (key, vector) in &all {
        assert_eq!(index.search(vector, 1).unwrap()[0].key, *key);
    }
}

#[test]
fn an_empty_index_is_saved_and_searched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.vex");
    Index::builder(DIM).build().unwrap().save(&path).unwrap();
    let mut index = Index::open(&path).unwrap();
    assert!(index.is_empty() && index.search([0.0; DIM], 3).unwrap().is_empty());
    assert!(map(&path).search([0.0; DIM], 3).unwrap().is_empty());
    index.insert(1, [1.0; DIM]).unwrap();
    assert_eq!(index.search([0.0; DIM], 3).unwrap().len(), 1);
}

#[test]
fn a_save_that_fails_leaves_no_trace_and_a_reader_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let index = Index::builder(DIM).build_from(vectors(100, 7)).unwrap();
    index.save(&path).unwrap();
    let before = fs::read(&path).unwrap();
    let reader = map(&path);
    let expected = answers(|query| reader.search(query, 3).unwrap());

    // A file is not a folder, so there is no place for the new file.
    assert!(index.save(path.join("below")).is_err());
    assert!(index.save(folder.path()).is_err());
    assert!(fs::read(&path).unwrap() == before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    Index::builder(DIM).build_from(vectors(10, 8)).unwrap().save(&path).unwrap();
    assert_eq!(answers(|query| reader.search(query, 3).unwrap()), expected);
    assert_eq!(map(&path).len(), 10);
}

#[test]
fn a_damaged_file_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    Index::builder(DIM).build_from(vectors(100, 9)).unwrap().save(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = Index::open(&path).unwrap_err();
    assert!(matches!(error.problem, OpenProblem::Verify(_)), "{error}");
    assert!(error.to_string().ends_with(path.to_str().unwrap()), "{error}");
    assert!(map(&path).verify().is_err());
    assert!(matches!(Index::open(folder.path().join("none")).unwrap_err().problem, OpenProblem::Io(_)));
}

#[test]
fn searches_share_an_index_over_threads() {
    let index = Index::builder(DIM).build_from(vectors(500, 10)).unwrap();
    let expected = answers(|query| index.search(query, 10).unwrap());
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| answers(|query| index.search(query, 10).unwrap()))).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), expected);
        }
    });
}

/// Checks the vectors that an index must hold, and those that it must not.
#[track_caller]
fn assert_holds(index: &Index, live: &BTreeMap<u64, Vec<f32>>, gone: &[u64]) {
    assert_eq!((index.len(), index.is_empty()), (live.len(), live.is_empty()));
    for (key, vector) in live {
        assert_eq!(index.get(*key), Some(vector.into()));
        assert_eq!(index.searcher().exact(vector, 1).unwrap(), [Hit { key: *key, distance: 0.0 }]);
    }
    assert!(gone.iter().all(|key| live.contains_key(key) || index.get(*key).is_none()));
    let hits = index.searcher().exact([0.1; DIM], 10_000).unwrap();
    assert_eq!(hits.len(), live.len());
    assert!(hits.iter().all(|hit| live.contains_key(&hit.key)));
}

#[test]
fn keys_are_replaced_and_deleted_and_their_slots_reused() {
    let mut live: BTreeMap<u64, Vec<f32>> = vectors(300, 11).into_iter().collect();
    let mut index = Index::builder(DIM).m(5).build_from(live.clone()).unwrap();
    let keys: Vec<u64> = live.keys().copied().collect();
    let mut new = vectors(400, 12).into_iter().map(|(_, vector)| vector);
    for key in &keys[..100] {
        assert!(index.delete(*key).unwrap());
        assert!(!index.delete(*key).unwrap());
        live.remove(key);
    }
    assert_holds(&index, &live, &keys);
    for key in &keys[50..150] {
        let vector = new.next().unwrap();
        assert_eq!(index.upsert(*key, &vector).unwrap(), live.insert(*key, vector).is_some());
    }
    assert_holds(&index, &live, &keys);
    assert_eq!(index.graph().count(), 300, "slots are reused");
    assert!(index.upsert(keys[60], [f32::NAN; DIM]).is_err());
    assert!(index.upsert(1, [f32::NAN; DIM]).is_err());
    assert!(index.insert(keys[60], [0.0; DIM]).is_err());
    assert_holds(&index, &live, &keys);

    index.compact().unwrap();
    assert_eq!(index.graph().count(), live.len());
    assert_holds(&index, &live, &keys);
    for key in &keys {
        assert_eq!(index.delete(*key).unwrap(), live.remove(key).is_some());
    }
    assert_holds(&index, &live, &keys);
    index.compact().unwrap();
    index.insert(5, [1.0; DIM]).unwrap();
    assert_eq!(index.search([1.0; DIM], 3).unwrap().len(), 1);
}

#[test]
fn a_memory_limit_holds_for_builds_and_inserts() {
    let builder = || Index::builder(DIM).threads(2);
    let peak = builder().memory_plan(500).unwrap().peak(2);
    let error = builder().memory_limit(peak - 1).build_from(vectors(500, 1)).unwrap_err();
    assert!(matches!(error, BuildError::MemoryLimit(limit) if limit.needed == peak), "{error}");
    let mut index = builder().memory_limit(peak).build_from(vectors(500, 1)).unwrap();
    let refused = (0..).find_map(|key| index.insert(key, [1.0; DIM]).err()).unwrap();
    assert!(
        matches!(refused, InsertError::Graph(vex::graph::InsertError::MemoryLimit(limit)) if limit.limit == peak)
    );
    index.compact().unwrap();
    assert_eq!(index.memory_limit(), Some(peak));
    let before = index.len();
    assert!((0..10_000).any(|key| index.insert(1_000_000 + key, [1.0; DIM]).is_err()));
    assert!(index.len() >= before);

    // A file has no limit, so it is set again.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("limited.vex");
    index.save(&path).unwrap();
    let mut opened = Index::open(&path).unwrap();
    assert_eq!(opened.memory_limit(), None);
    opened.insert(1, [1.0; DIM]).unwrap();
    opened.limit_memory(peak);
    assert!((0..10_000).any(|key| opened.insert(2_000_000 + key, [1.0; DIM]).is_err()));
    opened.limit_memory(None);
    (0..1_000).for_each(|key| opened.insert(3_000_000 + key, [1.0; DIM]).unwrap());
}

#[test]
fn what_is_deleted_stays_deleted_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let mut live: BTreeMap<u64, Vec<f32>> = vectors(200, 13).into_iter().collect();
    let keys: Vec<u64> = live.keys().copied().collect();
    let mut index = Index::builder(DIM).build().unwrap();
    for (key, vector) in &live {
        index.insert(*key, vector).unwrap();
    }
    for key in keys.iter().step_by(3) {
        index.delete(*key).unwrap();
        live.remove(key);
    }
    index.save(&path).unwrap();
    let mut opened = Index::open(&path).unwrap();
    assert_holds(&opened, &live, &keys);
    let expected = answers(|query| opened.search(query, 10).unwrap());
    assert_eq!(answers(|query| map(&path).search(query, 10).unwrap()), expected);
    for (key, vector) in vectors(60, 14) {
        opened.upsert(key, &vector).unwrap();
        live.insert(key, vector);
    }
    assert_eq!(opened.graph().count(), 200, "slots are reused");
    assert_holds(&opened, &live, &keys);
}
