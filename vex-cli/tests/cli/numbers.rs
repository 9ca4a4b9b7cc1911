//! Numbers at the ends of the range of f32, and links that leave vectors out.

use serde_json::{Value, json};
use vex::format::{Meta, Writer};
use vex::graph::{GraphView, LevelView, Rows, TERMINATOR};
use vex::{Metric, Params};

use crate::support::{Folder, bytes, floats, ivecs, read_ivecs, vectors};

const DIM: usize = 12;
const LIMIT: &str = "expected a vector of length up to 4.611686018427388e18, found one of length";

fn scaled(rows: &[Vec<f32>], factor: f32) -> Vec<Vec<f32>> {
    rows.iter().map(|row| row.iter().map(|element| element * factor).collect()).collect()
}

/// Rows with elements of both signs, so that they point in all directions.
fn centred(seed: u64, rows: usize) -> Vec<Vec<f32>> {
    let shift = |row: Vec<f32>| row.iter().map(|element| element - 127.5).collect();
    floats(&bytes(seed, rows, DIM)).into_iter().map(shift).collect()
}

#[test]
fn rows_and_queries_that_could_overflow_are_refused_by_every_command() {
    let folder = Folder::new();
    let mut rows = centred(1, 50);
    folder.write("good.npy", vectors(&rows));
    folder.succeed("build good.npy --output good.vex");
    folder.write("truth.ivecs", ivecs(&vec![vec![0; 10]; 50]));
    rows[7] = [vec![4.0 * 2.0f32.powi(61)], vec![0.0; 10], vec![3.0 * 2.0f32.powi(61)]].concat();
    folder.write("long.npy", vectors(&rows));

    for metric in ["squared-euclidean", "inner-product"] {
        for quantize in ["auto", "none", "sq8", "sq4", "sq2x2"] {
            let build = format!("build long.npy --output a.vex --metric {metric} --quantize {quantize}");
            folder.refuse(&build, &format!("long.npy: row 7: {LIMIT} 1.152921504606847e19"));
            let build = format!("{build} --store none");
            if quantize != "none" {
                folder.refuse(&build, &format!("long.npy: row 7: {LIMIT} 1.152921504606847e19"));
            }
        }
        let gt = format!("--metric {metric} --output a.npy");
        folder.refuse(
            &format!("gt long.npy --queries good.npy {gt}"),
            &format!("long.npy: row 7: {LIMIT} 1.152921504606847e19"),
        );
        folder.refuse(
            &format!("gt good.npy --queries long.npy {gt}"),
            &format!("long.npy: row 7: {LIMIT} 1.152921504606847e19"),
        );
    }
    // Queries are checked before the vectors are read and before a line is printed.
    rows[7][0] = f32::NAN;
    folder.write("nan.npy", vectors(&rows));
    folder.refuse(
        "gt nan.npy --queries long.npy --output a.npy",
        &format!("long.npy: row 7: {LIMIT} 1.152921504606847e19"),
    );
    folder.refuse(
        "search good.vex --queries long.npy",
        &format!("long.npy: row 7: {LIMIT} 1.152921504606847e19"),
    );
    folder.refuse(
        "bench good.vex --queries long.npy --ground-truth truth.ivecs",
        &format!("long.npy: row 7: {LIMIT} 1.152921504606847e19"),
    );
    // The case of the issue: every vector times 1e20.
    folder.write("scaled.npy", vectors(&scaled(&centred(1, 50), 1e20)));
    let run = folder.run("build scaled.npy --output a.vex");
    assert!(run.stderr.starts_with(&format!("error: scaled.npy: row 0: {LIMIT} ")), "{run:?}");
}

#[test]
fn cosine_neighbors_are_the_same_at_any_length() {
    let folder = Folder::new();
    let (base, queries) = (centred(2, 500), centred(3, 20));
    folder.write("base.npy", vectors(&base));
    folder.write("queries.npy", vectors(&queries));
    folder.succeed("build base.npy --output base.vex --metric cosine");
    folder.succeed("gt base.npy --queries queries.npy --metric cosine -k 10 --output truth.ivecs");
    let truth = read_ivecs(&folder.read("truth.ivecs"));
    let expected = folder.json("search base.vex --queries queries.npy --ef-search 500 --json");
    // The norms go up to a thousand times the largest f32, and down to elements that are denormals
    // of ten bits.
    for factor in [2.0f32.powi(-140), 2.0f32.powi(-110), 2.0f32.powi(62), 2.0f32.powi(70), 2.0f32.powi(120)] {
        folder.write("scaled.npy", vectors(&scaled(&queries, factor)));
        folder.succeed("gt base.npy --queries scaled.npy --metric cosine -k 10 --output found.ivecs");
        assert_eq!(read_ivecs(&folder.read("found.ivecs")), truth, "{factor:e}");
        let found = folder.json("search base.vex --queries scaled.npy --ef-search 500 --json");
        for (found, expected) in found.as_array().unwrap().iter().zip(expected.as_array().unwrap()) {
            assert_eq!(found["keys"], expected["keys"], "{factor:e}");
            let pairs =
                found["distances"].as_array().unwrap().iter().zip(expected["distances"].as_array().unwrap());
            for (found, expected) in pairs {
                let error = found.as_f64().unwrap() - expected.as_f64().unwrap();
                assert!(error.abs() < 1e-6, "{factor:e}: {found}, not {expected}");
            }
        }
        folder.write("rows.npy", vectors(&scaled(&base, factor)));
        folder.succeed("gt rows.npy --queries queries.npy --metric cosine -k 10 --output found.ivecs");
        assert_eq!(read_ivecs(&folder.read("found.ivecs")), truth, "{factor:e}");
    }
}

#[test]
fn distances_that_vanish_are_told_by_a_build() {
    let folder = Folder::new();
    let rows = centred(4, 300);
    for (factor, metric, expected) in [
        (1.0, "squared-euclidean", 0.0),
        (1e-27, "squared-euclidean", 1.0),
        (1e-27, "inner-product", 1.0),
        (1e-27, "cosine", 0.0),
    ] {
        folder.write("base.npy", vectors(&scaled(&rows, factor)));
        let build = format!("build base.npy --output a.vex --metric {metric}");
        let report = folder.json(&format!("{build} --json"));
        assert_eq!(report["underflow"], json!(expected), "{factor:e}, {metric}");
        let line = "100% of the vectors are nearer to others than distances can tell (1.2e-38): multiply all by one number\n";
        assert_eq!(folder.succeed(&build).contains(line), expected > 0.0, "{factor:e}, {metric}");
    }
    // Copies are at distance zero, which is right.
    folder.write("base.npy", vectors(&vec![vec![0.25; DIM]; 50]));
    assert_eq!(folder.json("build base.npy --output a.vex --json")["underflow"], json!(0.0));
    // Distances between different integers are at least 1.
    folder.write("base.bvecs", bvecs(&bytes(5, 20, DIM)));
    assert_eq!(folder.json("build base.bvecs --output a.vex --json")["underflow"], json!(0.0));
}

fn bvecs(rows: &[Vec<u8>]) -> Vec<u8> {
    rows.iter().flat_map(|row| [&(row.len() as i32).to_le_bytes()[..], row].concat()).collect()
}

/// A file with these vectors of two elements, and with these links.
fn forge(folder: &Folder, name: &str, rows: &[[f32; 2]], links: &[&[u32]]) {
    const STRIDE: usize = 16;
    let mut elements = vec![0.0; rows.len() * STRIDE];
    let mut ids = vec![TERMINATOR; rows.len() * 8];
    for (index, (row, links)) in rows.iter().zip(links).enumerate() {
        elements[index * STRIDE..][..2].copy_from_slice(row);
        ids[index * 8..][..links.len()].copy_from_slice(links);
    }
    let rows_of = Rows::new(Metric::SquaredEuclidean, &elements, 2, STRIDE, rows.len()).unwrap();
    let base = LevelView { links: &ids, width: 8, sorted: rows.len(), appended: &[] };
    let view = GraphView::new(rows_of, None, 4, 0, &[base]).unwrap();
    let meta = Meta::new(Params::new().m(4));
    let keys: Vec<u64> = (0..rows.len() as u64).map(|node| 10 + node).collect();
    let mut bytes = Vec::new();
    let writer = Writer::new(&view, &keys, &meta).unwrap();
    let Ok(()) = writer.write_to(&mut |chunk: &[u8]| {
        bytes.extend_from_slice(chunk);
        Ok::<(), std::convert::Infallible>(())
    });
    folder.write(name, bytes);
}

/// Older versions accepted longer vectors. Their files can still be searched, but a distance that
/// is not a number is never printed.
#[test]
fn no_distance_is_null() {
    let folder = Folder::new();
    forge(&folder, "old.vex", &[[1.0, 2.0], [1e30, 0.0]], &[&[1], &[0]]);
    folder.write("query.npy", vectors(&[vec![1.0, 1.0]]));
    folder.succeed("verify old.vex");
    let found = folder.json("search old.vex --queries query.npy -k 1 --json");
    assert_eq!(found, json!([{ "query": 0, "keys": [10], "distances": [1.0] }]));
    for format in ["", " --json"] {
        folder.refuse(
            &format!("search old.vex --queries query.npy -k 2{format}"),
            "old.vex: expected distances that are numbers, found one to key 11 that is not: see vex verify",
        );
    }
}

#[test]
fn vectors_that_no_search_comes_to_are_reported_and_mended() {
    let folder = Folder::new();
    let rows = [[0.0, 0.0], [1.0, 0.0], [5.0, 5.0], [6.0, 5.0]];
    // The last two nodes link to each other, and no other node links to them.
    forge(&folder, "cut.vex", &rows, &[&[1], &[0], &[3, 0], &[2, 1]]);
    folder.refuse(
        "verify cut.vex",
        "cut.vex: expected every vector within reach of the entry point, found 2 that no search comes to",
    );
    assert_eq!(folder.json("info cut.vex --json")["unreachable"], Value::Null);
    assert_eq!(folder.json("info cut.vex --all --json")["unreachable"], json!(2));
    assert!(folder.succeed("info cut.vex --all").contains("unreachable     2\n"));

    let index = vex::Index::open(folder.path("cut.vex")).unwrap();
    assert_eq!(index.graph().view().unreachable(), Ok(0));
    let found = index.search([6.0, 5.0], 4).unwrap();
    assert_eq!(found.iter().map(|hit| hit.key).collect::<Vec<_>>(), [13, 12, 11, 10]);
    index.save(folder.path("mended.vex")).unwrap();
    folder.succeed("verify mended.vex");
    assert_eq!(folder.json("info mended.vex --all --json")["unreachable"], json!(0));

    // A deleted vector need not be reachable.
    let mut index = vex::Index::open(folder.path("mended.vex")).unwrap();
    assert!(index.delete(13).unwrap());
    assert_eq!(index.graph().view().unreachable(), Ok(0));
}

#[test]
fn info_counts_the_links_of_a_sample_and_all_when_asked() {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(6, 9000, 4))));
    folder.succeed("build base.npy --output base.vex --m 4 --ef-construction 20");
    let sample = folder.json("info base.vex --json")["levels"].clone();
    let all = folder.json("info base.vex --all --json")["levels"].clone();
    let number = |levels: &Value, level: usize, field: &str| levels[level][field].as_f64().unwrap();
    assert_eq!([number(&sample, 0, "nodes"), number(&sample, 0, "sampled")], [9000.0, 4096.0]);
    assert_eq!([number(&all, 0, "nodes"), number(&all, 0, "sampled")], [9000.0, 9000.0]);
    assert_eq!(sample[1], all[1], "a level of fewer nodes is looked at whole");
    let [sampled, exact] = [&sample, &all].map(|levels| number(levels, 0, "average_degree"));
    assert!(sampled != exact && (sampled - exact).abs() < 0.05 * exact, "{sampled}, {exact}");
    assert!(folder.succeed("info base.vex").contains("  of a sample of 4,096\n"));
    assert!(!folder.succeed("info base.vex --all").contains("sample of 4,096"));
}
