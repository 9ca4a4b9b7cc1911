//! Keys, sets of keys, copies and bytes of an index, as a caller sees them.

use std::fs;

use support::Random;
use vex::{
    AlignedBytes, BuildError, Element, Index, KeySet, ManyError, MappedIndex, Quantization, SaveProblem,
    Scratch, SearchParams, Store, ThreadsError,
};

const DIM: usize = 6;

fn vectors(count: u64) -> Vec<(u64, [f32; DIM])> {
    let mut random = Random(3);
    (0..count).map(|key| (7 * key, std::array::from_fn(|_| random.element()))).collect()
}

fn index(count: u64) -> Index {
    Index::builder(DIM).build_from(vectors(count)).unwrap()
}

#[test]
fn a_set_of_keys_filters_as_its_predicate_does() {
    let mut index = index(600);
    index.delete_many([0, 7, 700, 1]).unwrap();
    let bytes = fs_bytes(&index);
    let mapped = MappedIndex::from_bytes(bytes).unwrap();
    let few: KeySet = (0..80).map(|key| 7 * key).chain([1, 3]).collect();
    let most: KeySet = (0..600).map(|key| 7 * key).filter(|key| key % 5 > 0).collect();
    let sets = [few.clone(), most.clone(), !&few, &few & &most, KeySet::new(), !KeySet::new()];
    let (mut one, mut other) = (Scratch::new(), Scratch::new());
    for searcher in [index.searcher(), mapped.searcher()] {
        for (set, (_, query)) in sets.iter().cycle().zip(vectors(30)) {
            let params = SearchParams::new(9).ef_search(600);
            let found = searcher.search_filtered(query, &params, set, &mut one).unwrap().hits;
            let is_in = |key| set.contains(key);
            let expected = searcher.search_filtered(query, &params, is_in, &mut other).unwrap().hits;
            assert_eq!(found, expected);
            let matches = searcher.keys().filter(|key| set.contains(*key)).count();
            assert_eq!(found.len(), matches.min(9));
        }
    }
}

#[test]
fn keys_and_vectors_are_listed_without_what_was_deleted() {
    let mut index = index(50);
    assert_eq!(index.delete_many([7, 14, 15]), Ok(2));
    let loaded = MappedIndex::from_bytes(fs_bytes(&index)).unwrap();
    for searcher in [index.searcher(), loaded.searcher()] {
        let mut keys: Vec<u64> = searcher.keys().collect();
        assert!(searcher.iter().all(|(key, vector)| searcher.get(key) == Some(vector)));
        assert!(keys.iter().copied().eq(searcher.iter().map(|(key, _)| key)));
        keys.sort_unstable();
        assert!(keys.iter().copied().eq((0..50).filter(|key| ![1, 2].contains(key)).map(|key| 7 * key)));
    }
    assert!(index.contains(0) && !index.contains(7) && !index.contains(1));
}

#[test]
fn a_copy_answers_alike_and_goes_its_own_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    for quantization in [None, Some(Quantization::Sq8)] {
        let builder = Index::builder(DIM).quantization(quantization).memory_limit(1 << 30);
        let mut index = builder.build().unwrap();
        assert_eq!(index.try_clone().unwrap().params(), index.params());
        assert_eq!(index.extend(vectors(300)), Ok(300));
        assert_eq!(index.delete_many((0..100).map(|key| 14 * key)), Ok(100));
        let mut copy = index.try_clone().unwrap();
        assert_eq!((copy.params(), copy.memory_limit()), (index.params(), index.memory_limit()));
        assert_eq!(fs_bytes(&copy), fs_bytes(&index));
        let (_, query) = vectors(9)[8];
        assert_eq!(copy.search(query, 10).unwrap(), index.search(query, 10).unwrap());
        copy.insert(1, [0.5; DIM]).unwrap();
        index.delete(7).unwrap();
        assert!(copy.contains(1) && copy.contains(7) && !index.contains(1) && !index.contains(7));
        assert_eq!(copy.len(), 201);

        let _ = fs::remove_file(&path);
        index.save(&path).unwrap();
        let mut opened = Index::open(&path).unwrap();
        let mut copy = opened.try_clone().unwrap();
        opened.insert(2, [0.25; DIM]).unwrap();
        copy.insert(3, [0.25; DIM]).unwrap();
        opened.save(&path).unwrap();
        assert!(matches!(copy.save(&path).unwrap_err().problem, SaveProblem::Conflict { .. }));
    }
}

#[test]
fn a_list_of_vectors_ends_at_the_first_that_is_refused() {
    let mut index = index(5);
    let error = index.extend([(1, [0.0; DIM]), (2, [f32::NAN; DIM]), (3, [1.0; DIM])]).unwrap_err();
    assert_eq!(error.position, 1);
    assert!(index.contains(1) && !index.contains(2) && !index.contains(3));
}

#[test]
fn a_list_of_unknown_length_is_indexed_alike() {
    let is_wanted = |(key, _): &(u64, [f32; DIM])| key % 2 == 0;
    let all: Vec<_> = vectors(300).into_iter().filter(is_wanted).collect();
    let counted = Index::builder(DIM).build_from(all).unwrap();
    let uncounted = Index::builder(DIM).build_from(vectors(300).into_iter().filter(is_wanted)).unwrap();
    assert_eq!(fs_bytes(&counted), fs_bytes(&uncounted));
}

#[test]
fn names_are_read_as_they_are_written() {
    assert!(Quantization::ALL.iter().all(|kind| kind.to_string().parse() == Ok(*kind)));
    assert!(Element::ALL.iter().all(|element| element.to_string().parse() == Ok(*element)));
    assert_eq!(
        "sq9".parse::<Quantization>().unwrap_err().to_string(),
        "expected sq8, sq4 or sq2x2, found another name"
    );
    let error = "f64".parse::<Element>().unwrap_err();
    assert_eq!(error.to_string(), "expected f32, f16, i8, u8 or bits, found another name");
}

/// The bytes of an index, saved to a file.
fn fs_bytes(index: &Index) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    index.save(&path).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn a_writer_gets_the_bytes_of_the_file() {
    let index = index(40);
    let mut bytes = Vec::new();
    index.save_to(&mut bytes, Store::All).unwrap();
    assert_eq!(bytes, fs_bytes(&index));
    // The alignment of the bytes does not matter.
    for start in 0..3 {
        let mut moved = vec![0; start];
        moved.extend_from_slice(&bytes);
        let opened = MappedIndex::from_bytes(&moved[start..]).unwrap();
        assert_eq!((opened.len(), opened.dim()), (40, DIM));
    }
    let in_place = MappedIndex::in_place(AlignedBytes::copy_of(&bytes).unwrap()).unwrap();
    assert_eq!(in_place.get(7), index.get(7));
    let full = index.save_to(&mut [0; 100][..], Store::All).unwrap_err();
    assert!(matches!(full, SaveProblem::Io(_)), "{full}");
}

#[test]
fn no_thread_is_too_few() {
    let error = Index::builder(DIM).threads(0).build_from(vectors(5)).unwrap_err();
    assert!(matches!(error, BuildError::Threads(ThreadsError::None)), "{error}");
    let mut index = index(5);
    let searches = index.searcher().search_many(&[[0.5; DIM]], &SearchParams::new(1), Some(0));
    assert!(matches!(searches, Err(ManyError::Threads(ThreadsError::None))));
    assert!(matches!(index.compact_on(Some(0)), Err(BuildError::Threads(ThreadsError::None))));
}

#[test]
fn memory_grows_with_the_index() {
    let (small, large) = (index(10).memory_usage(), index(1_000).memory_usage());
    assert!(small > 10 * 4 * DIM && large > 1_000 * (4 * DIM + 8), "{small} {large}");
}
