//! An index that accepts some numbers can be saved, and its file can be opened.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use support::{Random, seal};
use vex::format::VerifyError;
use vex::{
    Element, Index, InsertError, MAX_NORM, MappedIndex, Metric, OpenProblem, Quantization, SaveError,
    SaveProblem, Store, VectorError,
};

/// The parameters of an index, and the magnitude of its numbers.
#[derive(Clone, Debug)]
struct Case {
    element: Element,
    metric: Metric,
    quantization: Option<Quantization>,
    store: Store,
    dim: usize,
    /// For each vector the decimal exponent of its largest elements, and whether all its elements
    /// are as large.
    vectors: Vec<(i32, bool)>,
    /// How many vectors the index is built from. The others are inserted, or replace older ones.
    built: usize,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let kinds = (0..5usize, 0..3usize, 0..4usize, 0..3usize);
    let vectors = prop::collection::vec((-45..40i32, any::<bool>()), 1..40);
    (kinds, prop_oneof![1..5usize, 60..70usize, Just(300)], vectors, 0..40usize, any::<u64>()).prop_map(
        |((element, metric, quantization, store), dim, vectors, built, seed)| {
            let element = Element::ALL[element];
            let metrics = element.metrics();
            let codes = [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)];
            Case {
                element,
                metric: metrics[metric % metrics.len()],
                quantization: codes[quantization].filter(|_| element.can_be_coded()),
                store: [Store::All, Store::F16, Store::None][store],
                dim,
                built: built.min(vectors.len()),
                vectors,
                seed,
            }
        },
    )
}

/// Inserts the vectors that are accepted. Returns whether any was refused for its length.
fn grow(case: &Case) -> (Index, bool) {
    let mut builder = Index::builder(case.dim).element(case.element).metric(case.metric).m(4).threads(1);
    builder = builder.ef_construction(20).quantization(case.quantization);
    let mut random = Random(case.seed);
    let mut index = builder.build().unwrap();
    let mut refused = false;
    for (key, (exponent, all)) in (0..).zip(&case.vectors) {
        let scale = 10f64.powi(*exponent);
        let mut element = |index: usize| {
            let factor = if *all || index == 0 { 1.0 } else { f64::from(random.element()).powi(5) };
            (scale * factor * f64::from(random.element())).clamp(-f64::from(f32::MAX), f64::from(f32::MAX))
                as f32
        };
        let floats: Vec<f32> = (0..case.dim).map(&mut element).collect();
        let key = if key % 5 == 4 { key / 2 } else { key };
        let result = match case.element {
            Element::F32 | Element::F16 => index.upsert(key, &floats),
            Element::I8 => index.upsert(key, floats.iter().map(|element| *element as i8).collect::<Vec<_>>()),
            Element::U8 => index.upsert(key, floats.iter().map(|element| *element as u8).collect::<Vec<_>>()),
            Element::Bits => {
                let words = case.dim.div_ceil(64);
                let mut bits: Vec<u64> = (0..words).map(|_| random.next_u64()).collect();
                bits[words - 1] >>= 64 * words - case.dim;
                index.upsert(key, &bits)
            }
        };
        match result {
            Ok(_) => (),
            Err(
                InsertError::Graph(vex::graph::InsertError::Vector(error))
                | InsertError::Update(vex::graph::UpdateError::Insert(vex::graph::InsertError::Vector(error))),
            ) => {
                refused |= matches!(error, VectorError::TooLong { .. });
                let expected = matches!(
                    error,
                    VectorError::TooLong { .. } | VectorError::Range { .. } | VectorError::ZeroVector
                );
                assert!(expected, "{error}");
            }
            Err(error) => panic!("{error}"),
        }
        if key as usize == case.built {
            index.compact().unwrap();
        }
        if key % 7 == 3 {
            index.delete(key - 1).unwrap();
        }
    }
    (index, refused)
}

/// Maps a file that the test owns.
fn map(path: &Path) -> MappedIndex {
    // SAFETY: the file is in the test's own folder, and is only ever replaced by a rename.
    unsafe { MappedIndex::open(path) }.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn what_is_accepted_and_saved_opens_and_verifies_again(case in cases()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.vex");
        let (mut index, refused) = grow(&case);
        let limited = case.metric != Metric::Cosine && case.element.can_be_coded();
        prop_assert!(limited || !refused);
        for round in 0..2 {
            match index.save_with(&path, case.store) {
                Ok(()) => {
                    let mapped = map(&path);
                    prop_assert_eq!(mapped.verify(), Ok(()), "{:?}", case);
                    prop_assert_eq!(mapped.len(), index.len());
                    if mapped.header().stores_vectors() {
                        let opened = Index::open(&path).unwrap();
                        prop_assert_eq!(opened.len(), index.len());
                        opened.save(&path).unwrap();
                        prop_assert_eq!(map(&path).verify(), Ok(()));
                    }
                }
                // These options are impossible: codes alone where there are no codes, and f16 for
                // larger numbers.
                Err(SaveError { problem: SaveProblem::Format(_), .. }) => {
                    let is_kept = case.store == Store::All || case.store == Store::None && case.quantization.is_some();
                    prop_assert!(!is_kept || case.element == Element::Bits, "{case:?}");
                    prop_assert!(!path.exists() || round > 0);
                }
                Err(SaveError { problem: SaveProblem::Range { .. }, .. }) => {
                    prop_assert_eq!((case.store, case.element), (Store::F16, Element::F32));
                }
                Err(error) => prop_assert!(false, "{}", error),
            }
            if case.element.can_be_coded() {
                index.requantize(Quantization::ALL[(case.seed % 3) as usize]).unwrap();
            }
        }
    }
}

/// A file of an older version may hold longer vectors. It opens, but codes of such vectors are not
/// written, since every reader refuses them.
#[test]
fn codes_that_a_reader_refuses_are_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let index = Index::builder(2).build_from([(70, [1.5f32, 2.0]), (71, [0.0, 1.0])]).unwrap();
    index.save(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at =
        bytes.windows(8).position(|bytes| bytes == [1.5f32.to_le_bytes(), 2.0f32.to_le_bytes()].concat());
    bytes[at.unwrap()..][..4].copy_from_slice(&1e30f32.to_le_bytes());
    seal(&mut bytes);
    fs::write(&path, &bytes).unwrap();

    let mut index = Index::open(&path).unwrap();
    index.save(&path).unwrap();
    let before = fs::read(&path).unwrap();
    for quantization in Quantization::ALL {
        index.requantize(quantization).unwrap();
        let error = index.save(&path).unwrap_err();
        assert!(matches!(error.problem, SaveProblem::Terms { key: 70 }), "{error}");
        assert!(
            error
                .problem
                .to_string()
                .contains(&format!("key 70: expected a vector of length up to {MAX_NORM:e}"))
        );
        assert!(index.save_with(&path, Store::None).is_err());
        assert!(fs::read(&path).unwrap() == before && fs::read_dir(folder.path()).unwrap().count() == 1);
    }

    // Older versions wrote such files. They are refused by the same rule.
    let mut coded =
        Index::builder(2).quantization(Quantization::Sq8).build_from([(1, [1.5f32, 2.0])]).unwrap();
    coded.insert(2, [3.0f32, 7.0]).unwrap();
    coded.save(&path).unwrap();
    let terms = map(&path).graph().codes().unwrap().terms().as_flattened().to_vec();
    let pattern: Vec<u8> = terms.iter().flat_map(|term| term.to_le_bytes()).collect();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(pattern.len()).position(|bytes| bytes == pattern).unwrap();
    bytes[at..][..4].copy_from_slice(&f32::INFINITY.to_le_bytes());
    seal(&mut bytes);
    fs::write(&path, &bytes).unwrap();
    let error = Index::open(&path).unwrap_err();
    assert!(matches!(error.problem, OpenProblem::Verify(VerifyError::Terms { node: 0 })), "{error}");
}
