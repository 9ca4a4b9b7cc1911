//! From vectors to answers and back.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Folder, bytes, floats, ivecs, npy, read_ivecs, vectors};

const DIM: usize = 12;

/// The rows nearest to each query, by brute force: ordered by squared distance, then by row.
fn brute_force(rows: &[Vec<f32>], queries: &[Vec<f32>], k: usize) -> Vec<Vec<i32>> {
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
    let nearest = |query: &Vec<f32>| {
        let mut all: Vec<(f32, i32)> =
            rows.iter().zip(0..).map(|(row, id)| (distance(row, query), id)).collect();
        all.sort_by(|a, b| a.partial_cmp(b).unwrap());
        all.iter().take(k).map(|(_, id)| *id).collect()
    };
    queries.iter().map(nearest).collect()
}

#[test]
fn index_is_built_verified_described_and_searched() {
    let folder = Folder::new();
    let (rows, queries) = (floats(&bytes(1, 2000, DIM)), floats(&bytes(2, 50, DIM)));
    folder.write("base.npy", vectors(&rows));
    folder.write("queries.npy", vectors(&queries));

    let report = folder.json("build base.npy --output base.vex --m 8 --ef-construction 60 --json");
    assert_eq!(
        [&report["count"], &report["dim"], &report["m"], &report["ef_construction"]],
        [2000, DIM, 8, 60]
    );
    assert_eq!(report["metric"], "squared-euclidean");
    let [build, save] = ["build_seconds", "save_seconds"].map(|part| report[part].as_f64().unwrap());
    assert!(save > 0.0 && build > save);
    let length = folder.read("base.vex").len();
    assert_eq!(report["index_bytes"], length);

    let line = folder.succeed("verify base.vex");
    assert!(line.starts_with("ok: 2,000 vectors, "), "{line}");

    let info = folder.json("info base.vex --json");
    check_info(&info, length);
    let text = folder.succeed("info base.vex");
    for section in info["sections"].as_array().unwrap() {
        assert!(text.contains(section["checksum"].as_str().unwrap()), "{text}");
    }

    folder.succeed("gt base.npy --queries queries.npy -k 20 --output truth.ivecs");
    let truth = brute_force(&rows, &queries, 20);
    assert_eq!(read_ivecs(&folder.read("truth.ivecs")), truth);

    let mut recalls = Vec::new();
    for ef_search in [16, 64] {
        let answers =
            folder.json(&format!("search base.vex --queries queries.npy --ef-search {ef_search} --json"));
        recalls.push(recall(&answers, &truth));
    }
    let bench = "bench base.vex --queries queries.npy --ground-truth truth.ivecs --ef-search 16,64 --json";
    let bench = folder.json(bench);
    check_bench(&bench, &recalls);
}

/// Recall@10 of the hits that `vex search --json` printed.
fn recall(answers: &Value, truth: &[Vec<i32>]) -> f64 {
    let mut right = 0;
    for (query, (answer, truth)) in answers.as_array().unwrap().iter().zip(truth).enumerate() {
        assert_eq!(answer["query"], query);
        let keys: Vec<i64> =
            answer["keys"].as_array().unwrap().iter().map(|key| key.as_i64().unwrap()).collect();
        let distances: Vec<f64> =
            answer["distances"].as_array().unwrap().iter().map(|d| d.as_f64().unwrap()).collect();
        assert_eq!((keys.len(), distances.len()), (10, 10));
        assert!(distances.is_sorted(), "{distances:?}");
        right += truth[..10].iter().filter(|id| keys.contains(&i64::from(**id))).count();
    }
    right as f64 / (truth.len() * 10) as f64
}

fn check_info(info: &Value, length: usize) {
    for (field, expected) in [
        ("major", json!(1)),
        ("minor", json!(0)),
        ("kind", json!("hnsw")),
        ("metric", json!("squared-euclidean")),
        ("element", json!("f32")),
        ("dim", json!(DIM)),
        ("stride", json!(16)),
        ("count", json!(2000)),
        ("m", json!(8)),
        ("m0", json!(16)),
        ("ef_construction", json!(60)),
        ("seed", json!(0)),
        ("file_length", json!(length)),
    ] {
        assert_eq!(info[field], expected, "{field}");
    }
    let levels = info["levels"].as_array().unwrap();
    assert_eq!(levels[0]["nodes"], 2000);
    assert!(levels[0]["average_degree"].as_f64().unwrap() > 2.0);
    let sections = info["sections"].as_array().unwrap();
    let tags: BTreeSet<&str> = sections.iter().map(|section| section["tag"].as_str().unwrap()).collect();
    assert!(
        tags.is_superset(&BTreeSet::from(["VECS", "CODE", "TERM", "MEAN", "KEYS", "LNK0", "META"])),
        "{tags:?}"
    );
    assert_eq!(sections.len(), levels.len() + 6);
    for section in sections {
        assert_eq!(section["offset"].as_u64().unwrap() % 64, 0);
        assert!(section["length"].as_u64().unwrap() > 0);
    }
}

fn check_bench(bench: &Value, recalls: &[f64]) {
    let rows = bench.as_array().unwrap();
    assert_eq!(rows.len(), recalls.len());
    for (row, recall) in rows.iter().zip(recalls) {
        assert_eq!([&row["k"], &row["threads"]], [10, 1]);
        assert!((row["recall"].as_f64().unwrap() - recall).abs() < 1e-9, "{row}: expected {recall}");
        let number = |field: &str| row[field].as_f64().unwrap();
        assert!(number("qps") > 0.0 && number("mean_us") > 0.0);
        assert!(number("p50_us") <= number("p99_us"));
        assert!(number("steady_p99_us") <= number("p99_us"));
        assert!(number("distances_per_query") > number("hops_per_query"));
    }
    assert!(recalls[0] > 0.8 && recalls[1] > 0.97, "{recalls:?}");
    assert!(rows[0]["hops_per_query"].as_f64() < rows[1]["hops_per_query"].as_f64());
}

#[test]
fn bench_prints_a_table_and_takes_threads() {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(3, 300, DIM))));
    folder.succeed("build base.npy --output base.vex");
    folder.succeed("gt base.npy --queries base.npy -k 1 --output truth.npy");
    let table = folder.succeed(
        "bench base.vex --queries base.npy --ground-truth truth.npy -k 1 --ef-search 32 --threads 3",
    );
    assert!(table.contains("recall@1 ") && table.contains("300 queries, 3 threads"), "{table}");
    let row = table.lines().last().unwrap();
    assert!(row.trim_start().starts_with("32 "), "{row}");
    assert!(row.contains("1.0000"), "{row}");
}

#[test]
fn every_format_gives_the_same_index() {
    let folder = Folder::new();
    let rows = bytes(4, 300, DIM);
    let floats = floats(&rows);
    let element = |row: usize, column: usize| floats[row][column];
    let by_rows = (0..300).flat_map(|row| (0..DIM).map(move |column| (row, column)));
    let by_columns = (0..DIM).flat_map(|column| (0..300).map(move |row| (row, column)));
    let shape = [300, DIM];

    let little: Vec<u8> = by_rows.clone().flat_map(|(r, c)| element(r, c).to_le_bytes()).collect();
    let big: Vec<u8> = by_rows.clone().flat_map(|(r, c)| element(r, c).to_be_bytes()).collect();
    let half: Vec<u8> = by_rows.flat_map(|(r, c)| half::f16::from_f32(element(r, c)).to_le_bytes()).collect();
    let columns: Vec<u8> = by_columns.flat_map(|(r, c)| element(r, c).to_le_bytes()).collect();
    folder.write("f32.npy", npy("<f4", false, &shape, &little));
    folder.write("big.npy", npy(">f4", false, &shape, &big));
    folder.write("f16.npy", npy("<f2", false, &shape, &half));
    folder.write("fortran.npy", npy("<f4", true, &shape, &columns));
    let prefix = (DIM as i32).to_le_bytes();
    let fvecs: Vec<u8> = little.chunks(DIM * 4).flat_map(|row| [&prefix[..], row].concat()).collect();
    folder.write("base.fvecs", fvecs);
    let bvecs: Vec<u8> = rows.iter().flat_map(|row| [&prefix[..], row].concat()).collect();
    folder.write("base.bvecs", bvecs);
    folder.write("base.fbin", [&300_u32.to_le_bytes()[..], &prefix, &little].concat());

    let files = ["f32.npy", "big.npy", "f16.npy", "fortran.npy", "base.fvecs", "base.bvecs", "base.fbin"];
    let indexes = files.map(|file| {
        folder.succeed(&format!("build {file} --element f32 --output {file}.vex --metric cosine --seed 7"));
        folder.read(&format!("{file}.vex"))
    });
    for (file, index) in files.iter().zip(&indexes) {
        assert!(*index == indexes[0], "{file}");
    }
}

#[test]
fn threads_do_not_change_a_byte() {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(5, 3000, DIM))));
    for threads in [1, 4] {
        folder.succeed(&format!("build base.npy --output {threads}.vex --threads {threads}"));
        folder.succeed(&format!(
            "gt base.npy --queries base.npy -k 5 --output {threads}.npy --threads {threads}"
        ));
    }
    assert!(folder.read("1.vex") == folder.read("4.vex"));
    assert!(folder.read("1.npy") == folder.read("4.npy"));
}

#[test]
fn keys_are_what_a_search_returns() {
    let folder = Folder::new();
    let rows = floats(&bytes(6, 40, DIM));
    folder.write("base.npy", vectors(&rows));
    folder.write("query.npy", vectors(&rows[17..18]));
    let keys: Vec<u64> = (0..40).map(|row| u64::MAX - row).collect();
    let text: String = keys.iter().map(|key| format!("{key}\n")).collect();
    folder.write("keys.txt", text);
    let binary: Vec<u8> = keys.iter().flat_map(|key| key.to_le_bytes()).collect();
    folder.write("keys.npy", npy("<u8", false, &[40], &binary));

    folder.succeed("build base.npy --keys keys.txt --output text.vex");
    folder.succeed("build base.npy --keys keys.npy --output binary.vex");
    assert!(folder.read("text.vex") == folder.read("binary.vex"));
    let line = folder.succeed("search text.vex --queries query.npy -k 1");
    assert_eq!(line, format!("0\t{}:0\n", u64::MAX - 17));
    assert_eq!(
        folder.json("search text.vex --queries query.npy -k 1 --json"),
        json!([{ "query": 0, "keys": [u64::MAX - 17], "distances": [0.0] }])
    );
}

#[test]
fn ids_of_a_small_index_are_padded() {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&[vec![0.0], vec![1.0], vec![10.0]]));
    folder.write("queries.npy", vectors(&[vec![9.0], vec![0.25]]));
    folder.succeed("build base.npy --output base.vex");
    let printed = folder.succeed("search base.vex --queries queries.npy -k 5 --output ids.ivecs");
    assert_eq!(printed, "");
    let expected = [vec![2, 1, 0, -1, -1], vec![0, 1, 2, -1, -1]];
    assert_eq!(folder.read("ids.ivecs"), ivecs(&expected));
    folder.succeed("gt base.npy --queries queries.npy -k 5 --output truth.ivecs");
    assert_eq!(folder.read("truth.ivecs"), ivecs(&expected.map(|row| row[..3].to_vec())));
    let text = folder.succeed("search base.vex --queries queries.npy -k 2");
    assert_eq!(text, "0\t2:1 1:64\n1\t0:0.0625 1:0.5625\n");
}
