//! Vectors of every type of element, against brute force in plain loops.

use half::f16;
use serde_json::Value;

use crate::support::{Folder, bytes, floats, npy, read_ivecs, vectors};

const ROWS: usize = 1500;
const DIM: usize = 24;
const K: usize = 10;

/// The elements of each vector, as numbers to compare.
type Rows = Vec<Vec<f64>>;

fn widen<T: Copy>(rows: &[Vec<T>], wide: impl Fn(T) -> f64) -> Rows {
    rows.iter().map(|row| row.iter().map(|element| wide(*element)).collect()).collect()
}

/// The bits of a row, each an element of its own.
fn bits(rows: &[Vec<u8>]) -> Rows {
    let bits = |byte: &u8| (0..8).map(|bit| f64::from(byte >> bit & 1)).collect::<Vec<_>>();
    rows.iter().map(|row| row.iter().flat_map(bits).collect()).collect()
}

fn distance(metric: &str, a: &[f64], b: &[f64]) -> f64 {
    let sum = |term: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| term(*a, *b)).sum::<f64>();
    match metric {
        "squared-euclidean" => sum(&|a, b| (a - b) * (a - b)),
        "inner-product" => -sum(&|a, b| a * b),
        "cosine" => 1.0 - sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt(),
        "hamming" => sum(&|a, b| (a - b).abs()),
        _ => 1.0 - sum(&|a, b| a.min(b)) / sum(&|a, b| a.max(b)),
    }
}

/// Recall, where any vector counts that is as near as the true neighbors. The reported distances
/// must be right, too.
#[track_caller]
fn recall(answers: &Value, metric: &str, base: &Rows, queries: &Rows, tolerance: f64) -> f64 {
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), queries.len());
    let mut right = 0;
    for (answer, query) in answers.iter().zip(queries) {
        let mut all: Vec<f64> = base.iter().map(|row| distance(metric, query, row)).collect();
        let found = answer["keys"].as_array().unwrap().iter().map(|key| key.as_u64().unwrap() as usize);
        let reported = answer["distances"].as_array().unwrap().iter().map(|found| found.as_f64().unwrap());
        let found: Vec<f64> = found.map(|key| all[key]).collect();
        assert_eq!(found.len(), K);
        for (found, reported) in found.iter().zip(reported) {
            assert!((found - reported).abs() <= tolerance * found.abs().max(1.0), "{reported}, not {found}");
        }
        all.sort_by(f64::total_cmp);
        right += found.iter().filter(|distance| **distance <= all[K - 1] + tolerance).count();
    }
    right as f64 / (queries.len() * K) as f64
}

/// Builds, verifies and searches. The ground truth must be that of brute force.
fn check(folder: &Folder, element: &str, metric: &str, base: &Rows, queries: &Rows, tolerance: f64) {
    let report = folder.json(&format!("build base.npy --output base.vex --metric {metric} --json"));
    assert_eq!((&report["element"], &report["dim"]), (&element.into(), &base[0].len().into()));
    folder.succeed("verify base.vex");
    let info = folder.json("info base.vex --json");
    assert_eq!((&info["element"], &info["metric"]), (&element.into(), &metric.into()));
    if element != "f16" {
        assert_eq!(report["quantization"], Value::Null, "{element}");
    }
    let answers = folder.json("search base.vex --queries queries.npy --ef-search 200 --json");
    let found = recall(&answers, metric, base, queries, tolerance);
    assert!(found >= 0.97, "{element}, {metric}: {found}");

    // With as many candidates as vectors, a search is exact. Its hits and the ground truth must
    // both be right.
    let gt = format!("gt base.npy --queries queries.npy -k {K} --metric {metric} --output truth.ivecs");
    folder.succeed(&gt);
    for (truth, query) in read_ivecs(&folder.read("truth.ivecs")).iter().zip(queries) {
        let mut all: Vec<f64> = base.iter().map(|row| distance(metric, query, row)).collect();
        let found: Vec<f64> = truth.iter().map(|id| all[*id as usize]).collect();
        all.sort_by(f64::total_cmp);
        let same = |(found, exact): (&f64, &f64)| (found - exact).abs() <= tolerance * exact.abs().max(1.0);
        assert!(found.len() == K && found.iter().zip(&all).all(same), "{element}, {metric}: {found:?}");
    }
    let bench = "bench base.vex --queries queries.npy --ground-truth truth.ivecs --ef-search 1500 --json";
    // If many vectors have one distance, the index and the ground truth name different ones.
    let least = if element == "bits" { 0.85 } else { 1.0 };
    assert!(folder.json(bench)[0]["recall"].as_f64().unwrap() >= least, "{element}, {metric}");
    let everything = "search base.vex --queries queries.npy --ef-search 1500 --rerank 150 --json";
    assert_eq!(
        recall(&folder.json(everything), metric, base, queries, tolerance),
        1.0,
        "{element}, {metric}"
    );
}

fn write<T: Copy, const N: usize>(
    folder: &Folder,
    descr: &str,
    base: &[Vec<T>],
    queries: &[Vec<T>],
    le: impl Fn(T) -> [u8; N],
) {
    for (name, rows) in [("base.npy", base), ("queries.npy", queries)] {
        let bytes: Vec<u8> = rows.iter().flatten().flat_map(|element| le(*element)).collect();
        folder.write(name, npy(descr, false, &[rows.len(), rows[0].len()], &bytes));
    }
}

fn data() -> [Vec<Vec<u8>>; 2] {
    [bytes(31, ROWS, DIM), bytes(32, 40, DIM)]
}

#[test]
fn vectors_of_i8_are_indexed_as_they_are() {
    let [base, queries] = data().map(|rows| -> Vec<Vec<i8>> {
        rows.iter().map(|row| row.iter().map(|byte| *byte as i8).collect()).collect()
    });
    let folder = Folder::new();
    write(&folder, "|i1", &base, &queries, i8::to_le_bytes);
    let [base, queries] = [base, queries].map(|rows| widen(&rows, f64::from));
    for metric in ["squared-euclidean", "inner-product", "cosine"] {
        check(&folder, "i8", metric, &base, &queries, 1e-6);
    }
}

#[test]
fn vectors_of_u8_are_indexed_as_they_are() {
    let [base, queries] = data();
    let folder = Folder::new();
    write(&folder, "|u1", &base, &queries, u8::to_le_bytes);
    let [base, queries] = [base, queries].map(|rows| widen(&rows, f64::from));
    for metric in ["squared-euclidean", "inner-product", "cosine"] {
        check(&folder, "u8", metric, &base, &queries, 1e-6);
    }
}

#[test]
fn packed_bits_are_indexed_as_bits() {
    let [base, queries] = data();
    let folder = Folder::new();
    write(&folder, "|u1", &base, &queries, u8::to_le_bytes);
    let [base, queries] = [base, queries].map(|rows| bits(&rows));
    for metric in ["hamming", "jaccard"] {
        check(&folder, "bits", metric, &base, &queries, 1e-6);
    }
}

#[test]
fn vectors_of_f16_are_indexed_as_they_are() {
    let [base, queries] = data().map(|rows| -> Vec<Vec<f16>> {
        let half = |byte: &u8| f16::from_f32(f32::from(*byte) / 100.0 - 1.25);
        rows.iter().map(|row| row.iter().map(half).collect()).collect()
    });
    let folder = Folder::new();
    write(&folder, "<f2", &base, &queries, f16::to_le_bytes);
    let [base, queries] = [base, queries].map(|rows| widen(&rows, f64::from));
    for metric in ["squared-euclidean", "inner-product"] {
        check(&folder, "f16", metric, &base, &queries, 1e-5);
    }
    // Rows of unit length are rounded to 11 bits.
    check(&folder, "f16", "cosine", &base, &queries, 1e-3);
}

#[test]
fn stored_as_f16_vectors_take_half_the_bytes() {
    let folder = Folder::new();
    let [base, queries] = data().map(|rows| floats(&rows));
    folder.write("base.npy", vectors(&base));
    folder.write("queries.npy", vectors(&queries));
    let [base, queries] = [base, queries].map(|rows| widen(&rows, f64::from));
    let vectors = |index: &str| {
        let info = folder.json(&format!("info {index} --json"));
        let sections = info["sections"].as_array().unwrap();
        let vectors = sections.iter().find(|section| section["tag"] == "VECS").unwrap();
        (info["element"].clone(), vectors["length"].as_u64().unwrap())
    };
    folder.succeed("build base.npy --output f32.vex");
    folder.succeed("build base.npy --output f16.vex --store f16");
    folder.succeed("build base.npy --output after.vex --element f32 --store f16");
    assert_eq!(vectors("f32.vex"), ("f32".into(), (ROWS * 32 * 4) as u64));
    for index in ["f16.vex", "after.vex"] {
        folder.succeed(&format!("verify {index}"));
        assert_eq!(vectors(index), ("f16".into(), (ROWS * 32 * 2) as u64));
        // Whole numbers up to 255 are f16 values, so nothing is lost.
        let answers = folder.json(&format!("search {index} --queries queries.npy --ef-search 200 --json"));
        let found = recall(&answers, "squared-euclidean", &base, &queries, 1e-6);
        assert!(found >= 0.97, "{index}: {found}");
    }
    assert!(folder.read("f16.vex") == folder.read("after.vex"), "exact numbers give one graph");
}

#[test]
fn impossible_requests_are_refused() {
    let folder = Folder::new();
    folder.write("large.npy", vectors(&[vec![0.0, 1.0], vec![2.0, -65_520.0]]));
    folder.refuse(
        "build large.npy --output large.vex --store f16",
        "large.npy: row 1: expected elements of at most 65504 for f16, found a larger one at position 1",
    );
    folder.refuse(
        "build large.npy --output large.vex --element f32 --store f16 --quantize none",
        "large.vex: key 1: expected elements of at most 65504 for f16, found a larger one at position 1",
    );
    folder.refuse(
        "build large.npy --output large.vex --element i8",
        "large.npy: expected elements of i8, found f32",
    );

    let [base, _] = data();
    folder.write("bytes.npy", npy("|u1", false, &[ROWS, DIM], &base.concat()));
    folder.refuse(
        "build bytes.npy --output bytes.vex --quantize sq8",
        "bytes.npy: codes: expected vectors of f32 or f16, found u8",
    );
    folder.refuse(
        "build bytes.npy --output bytes.vex --store f16 --element u8",
        "--store f16 is for float vectors: expected vectors indexed as f16, found u8",
    );
    folder.refuse(
        "build bytes.npy --output bytes.vex --element u8 --metric hamming",
        "bytes.npy: vectors of u8 have no hamming distance",
    );
    folder.succeed("build bytes.npy --output bytes.vex");
    folder.refuse("search bytes.vex --queries large.npy", "large.npy: expected elements of u8, found f32");
}
