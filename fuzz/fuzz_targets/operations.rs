//! Through any sequence of operations, an index behaves like a map of keys to vectors.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use support::Random;
use tempfile::TempDir;
use vex::{Index, InsertError, Metric, Quantization, Scratch, SearchParams};
use vex_fuzz::Script;
use vex_fuzz::hostile::EDGES_OF_M;

/// The bytes of an input that are used. Longer sequences find no more than many short ones.
const BYTES: usize = 512;

/// The keys of single operations. There are few, so that operations meet the same keys. The keys of
/// vectors that are inserted at once come after them.
const KEYS: usize = 48;

/// The number of all keys. They fill rows that are wider than the groups in which a search reads
/// links.
const ALL_KEYS: usize = 320;

/// The most vectors that are inserted at once in all, so that sequences stay fast.
const BURSTS: usize = 400;

thread_local! {
    static FOLDER: TempDir = TempDir::new().expect("a folder for indexes");
}

fuzz_target!(|input: &[u8]| {
    let mut script = Script(&input[..input.len().min(BYTES)]);
    let dim = match script.byte() {
        byte @ ..224 => 1 + usize::from(byte) % 5,
        byte => 1 + usize::from(byte) * 37 % 80,
    };
    let metric = Metric::NUMERIC[script.below(3)];
    let quantization =
        [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)][script.below(4)];
    let m = match script.byte() {
        byte @ ..128 => 4 + usize::from(byte) % 5,
        byte => EDGES_OF_M[usize::from(byte) % EDGES_OF_M.len()],
    };
    let ef_construction = match script.byte() {
        byte @ ..192 => 1 + usize::from(byte) % 20,
        byte => 1 + usize::from(byte - 192) * 2000 / 64,
    };
    let index = Index::builder(dim).metric(metric).m(m).ef_construction(ef_construction).threads(1);
    let mut pair = Pair {
        index: index.quantization(quantization).seed(script.byte().into()).build().expect("good parameters"),
        model: BTreeMap::new(),
        bursts: BURSTS,
    };
    while !script.is_empty() {
        pair.step(&mut script);
    }
    pair.check_all();
});

/// An index, and the vectors that it must hold.
struct Pair {
    index: Index,
    model: BTreeMap<u64, Vec<f32>>,
    /// The number of vectors that may still be inserted at once.
    bursts: usize,
}

impl Pair {
    fn step(&mut self, script: &mut Script<'_>) {
        match script.below(18) {
            0..=5 => self.insert(script),
            16..=17 => self.insert_many(script),
            6..=7 => self.upsert(script),
            8..=10 => self.delete(script),
            11..=13 => self.search(script),
            14 => self.index.compact().expect("memory for a small index"),
            _ => self.reopen(),
        }
    }

    fn key(script: &mut Script<'_>) -> u64 {
        script.below(KEYS) as u64
    }

    /// A vector from the next elements of the script. Often the index already has it.
    fn vector(&self, script: &mut Script<'_>) -> Vec<f32> {
        let dim = self.index.dim();
        match script.byte() {
            byte @ ..48 => match self.model.range(u64::from(byte)..).next() {
                Some((_, copied)) => copied.clone(),
                None => vec![0.25; dim],
            },
            // A long vector would use up the script.
            byte if dim > 8 => drawn(&mut Random(u64::from(byte) << 8 | u64::from(script.byte())), dim),
            _ => (0..dim).map(|_| script.element()).collect(),
        }
    }

    /// Whether the index must refuse a vector.
    fn is_refused(&self, vector: &[f32]) -> bool {
        self.index.metric() == Metric::Cosine && vector.iter().all(|element| *element == 0.0)
    }

    fn insert(&mut self, script: &mut Script<'_>) {
        let (key, vector) = (Self::key(script), self.vector(script));
        match self.index.insert(key, &vector) {
            Ok(()) => assert!(!self.is_refused(&vector) && self.model.insert(key, vector).is_none()),
            Err(InsertError::DuplicateKey(_)) => assert!(self.model.contains_key(&key)),
            Err(error) => assert!(self.is_refused(&vector), "{error}"),
        }
    }

    /// Inserts random vectors, of which some may be copies of each other.
    fn insert_many(&mut self, script: &mut Script<'_>) {
        let count = script.below(ALL_KEYS - KEYS).min(self.bursts);
        let (seed, copies) = (script.byte(), script.below(8));
        let mut random = Random(seed.into());
        self.bursts -= count;
        for key in (KEYS..).take(count).map(|key| key as u64) {
            let mut vector = drawn(&mut random, self.index.dim());
            if random.below(8) < copies {
                vector.fill(0.25 + random.below(2) as f32);
            }
            if !self.model.contains_key(&key) && !self.is_refused(&vector) {
                self.index.insert(key, &vector).expect("a good vector, and memory");
                self.model.insert(key, vector);
            }
        }
    }

    fn upsert(&mut self, script: &mut Script<'_>) {
        let (key, vector) = (Self::key(script), self.vector(script));
        match self.index.upsert(key, &vector) {
            Ok(replaced) => {
                assert!(!self.is_refused(&vector));
                assert_eq!(self.model.insert(key, vector).is_some(), replaced);
            }
            Err(error) => assert!(self.is_refused(&vector), "{error}"),
        }
    }

    fn delete(&mut self, script: &mut Script<'_>) {
        let key = Self::key(script);
        let deleted = self.index.delete(key).expect("memory for a tombstone");
        assert_eq!(deleted, self.model.remove(&key).is_some());
    }

    /// A search with as many candidates as the index has nodes sees every node. If it compares all
    /// of them by vectors, the answer is exact. By default it compares only those that may be
    /// nearer, as far as their codes show. That is right except for one in some hundred, so then
    /// only the returned hits are checked.
    fn search(&self, script: &mut Script<'_>) {
        let query = self.vector(script);
        let nodes = self.index.node_keys().len();
        let k = match script.byte() {
            byte @ ..192 => usize::from(byte) % KEYS,
            byte => (nodes + usize::from(byte)).saturating_sub(224),
        };
        let how = script.byte();
        let ef = nodes.max(1) + [0, 0, 1, 1000, usize::MAX / 2][usize::from(how / 2) % 5];
        let rerank = if how % 2 == 0 { f32::INFINITY } else { SearchParams::RERANK };
        let slack = if how % 8 < 6 { f32::INFINITY } else { 0.2 };
        let params = SearchParams::new(k).ef_search(ef).rerank(rerank).slack(slack);
        let mut scratch = Scratch::new();
        let found = match self.index.search_with(&query, &params, &mut scratch) {
            Ok(found) => found.hits.to_vec(),
            Err(error) => return assert!(self.is_refused(&query), "{error}"),
        };
        let metric = self.index.metric();
        assert_eq!(found.len(), k.min(self.model.len()));
        let mut expected: Vec<_> =
            self.model.values().map(|vector| distance(metric, &query, vector)).collect();
        expected.sort_by(f64::total_cmp);
        let keys: BTreeSet<u64> = found.iter().map(|hit| hit.key).collect();
        assert_eq!(keys.len(), found.len(), "{found:?}");
        assert!(found.is_sorted_by(|a, b| a.distance <= b.distance), "{found:?}");
        let is_exact = rerank == f32::INFINITY || self.index.params().quantization.is_none();
        for (hit, expected) in found.iter().zip(&expected) {
            let (distance, own) = (f64::from(hit.distance), distance(metric, &query, &self.model[&hit.key]));
            assert!((distance - own).abs() <= tolerance(metric), "{hit:?} instead of {own}");
            let excess = distance - expected;
            assert!(excess >= -tolerance(metric), "{hit:?} instead of {expected}");
            assert!(excess <= tolerance(metric) || !is_exact, "{hit:?} instead of {expected}");
        }
    }

    fn reopen(&mut self) {
        FOLDER.with(|folder| {
            let path = folder.path().join("index.vex");
            self.index.save(&path).expect("room for a small index");
            self.index = Index::open(&path).expect("what was saved");
        });
        self.check_all();
    }

    fn check_all(&self) {
        assert_eq!(self.index.len(), self.model.len());
        for key in 0..ALL_KEYS as u64 {
            let found = self.index.get(key).map(|row| row.as_f32().expect("an index of f32"));
            match (found, self.model.get(&key)) {
                (Some(row), Some(_)) if self.index.metric() == Metric::Cosine => {
                    let norm: f32 = row.iter().map(|element| element * element).sum();
                    assert!((norm - 1.0).abs() < 1e-5, "{norm}");
                }
                (found, expected) => assert_eq!(found, expected.map(Vec::as_slice)),
            }
        }
    }
}

/// A vector whose elements are multiples of a quarter.
fn drawn(random: &mut Random, dim: usize) -> Vec<f32> {
    (0..dim).map(|_| f32::from(random.next_u64() as i8) / 4.0).collect()
}

fn distance(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
    match metric {
        Metric::SquaredEuclidean => vex_kernels::reference::squared_euclidean(a, b),
        Metric::InnerProduct => vex_kernels::reference::inner_product(a, b),
        _ => vex_kernels::reference::cosine(a, b),
    }
}

/// Quarters are exact in f32, and so are their products and sums. Only the cosine rounds.
fn tolerance(metric: Metric) -> f64 {
    if metric == Metric::Cosine { 1e-6 } else { 0.0 }
}
