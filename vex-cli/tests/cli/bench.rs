//! What `vex bench` counts as found, and what it reports about the ground truth.

use serde_json::{Value, json};

use crate::support::{Folder, bytes, floats, ivecs, npy, read_ivecs, vectors};

const DIM: usize = 8;

/// Warnings of the ground truth are on standard error.
fn bench(folder: &Folder, index: &str, truth: &str) -> Value {
    let arguments =
        format!("bench {index} --queries queries.npy --ground-truth {truth} --ef-search 300 --json");
    let run = folder.run(&arguments);
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str::<Value>(&run.stdout).unwrap()[0].clone()
}

fn fields(row: &Value) -> [&Value; 4] {
    ["recall", "recall_by", "truth_unknown_ids", "truth_disagreements"].map(|field| &row[field])
}

#[test]
fn copies_of_the_true_neighbors_are_as_right_as_they() {
    let folder = Folder::new();
    // Thirty vectors, twenty times each: row i is a copy of row i mod 30.
    let different = floats(&bytes(1, 30, DIM));
    let base: Vec<Vec<f32>> = (0..600).map(|row| different[row % 30].clone()).collect();
    folder.write("base.npy", vectors(&base));
    folder.write("queries.npy", vectors(&floats(&bytes(2, 20, DIM))));
    for (metric, options) in [
        ("squared-euclidean", "--quantize none"),
        ("squared-euclidean", "--quantize sq8"),
        ("inner-product", "--quantize sq8"),
        ("cosine", "--quantize none"),
        ("squared-euclidean", "--element u8"),
        ("inner-product", "--element i8"),
    ] {
        if options.contains("element") {
            let flat: Vec<u8> = (0..600).flat_map(|row| bytes(1, 30, DIM)[row % 30].clone()).collect();
            let descr = if options.ends_with("u8") { "|u1" } else { "|i1" };
            folder.write("base.npy", npy(descr, false, &[600, DIM], &flat));
            let queries: Vec<u8> = bytes(2, 20, DIM).concat();
            folder.write("queries.npy", npy(descr, false, &[20, DIM], &queries));
        }
        let element = if options.contains("element") { options } else { "" };
        folder.succeed(&format!("build base.npy --output base.vex --metric {metric} {options}"));
        folder.succeed(&format!(
            "gt base.npy --queries queries.npy --metric {metric} {element} -k 15 --output truth.ivecs"
        ));
        // The same neighbors, named by the last of their copies. `vex gt` names none of these.
        let truth = read_ivecs(&folder.read("truth.ivecs"));
        let other = |row: &Vec<i32>| row.iter().map(|id| id % 30 + 30 * (19 - id / 30)).collect();
        let others: Vec<Vec<i32>> = truth.iter().map(other).collect();
        let shares = |a: &Vec<i32>, b: &Vec<i32>| a[..10].iter().any(|id| b[..10].contains(id));
        assert!(truth.iter().zip(&others).all(|(a, b)| !shares(a, b)), "{truth:?}\n{others:?}");
        folder.write("others.ivecs", ivecs(&others));
        for truth in ["truth.ivecs", "others.ivecs"] {
            let row = bench(&folder, "base.vex", truth);
            assert_eq!(
                fields(&row),
                [&json!(1.0), &json!("distances"), &json!(0), &json!(0)],
                "{metric} {options} {truth}"
            );
        }
    }
}

#[test]
fn a_ground_truth_of_something_else_is_reported() {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(3, 200, DIM))));
    folder.write("queries.npy", vectors(&floats(&bytes(4, 10, DIM))));
    folder.succeed("build base.npy --output base.vex");
    folder.succeed("gt base.npy --queries queries.npy -k 10 --output truth.ivecs");
    let truth = read_ivecs(&folder.read("truth.ivecs"));
    let text = |truth: &str| {
        folder
            .succeed(&format!("bench base.vex --queries queries.npy --ground-truth {truth} --ef-search 200"))
    };
    assert!(!text("truth.ivecs").contains("not of this index"));

    // The ground truth of fewer vectors than the index has does not name the nearest.
    let mut fewer = truth.clone();
    for row in &mut fewer[..3] {
        let last = row[9];
        row[0] = (0..200).find(|id| !row.contains(id)).unwrap();
        assert_ne!(row[0], last);
    }
    folder.write("fewer.ivecs", ivecs(&fewer));
    let row = bench(&folder, "base.vex", "fewer.ivecs");
    assert_eq!(fields(&row)[2..], [&json!(0), &json!(3)]);
    let line = "fewer.ivecs is not of this index: for 3 of 10 queries there are nearer vectors, or more, than it names\n";
    assert!(text("fewer.ivecs").contains(line));

    // The ground truth of more vectors has unknown ids, and one that comes twice.
    let mut more = truth.clone();
    more[0][9] = 200;
    more[1][8] = i32::MAX;
    more[2][9] = more[2][8];
    folder.write("more.ivecs", ivecs(&more));
    let row = bench(&folder, "base.vex", "more.ivecs");
    assert_eq!(fields(&row)[1..3], [&json!("distances"), &json!(3)]);
    assert!((row["recall"].as_f64().unwrap() - 0.97).abs() < 1e-9, "{row}");
    let line = "more.ivecs is not of this index: 3 of 100 ids are no keys of it, or come twice\n";
    assert!(text("more.ivecs").contains(line));

    // Rows that end early name fewer neighbors than there are.
    let mut short = truth;
    short[5][7..].fill(-1);
    folder.write("short.ivecs", ivecs(&short));
    let row = bench(&folder, "base.vex", "short.ivecs");
    assert_eq!(fields(&row)[2..], [&json!(0), &json!(1)]);
}

#[test]
fn codes_alone_are_measured_by_ids_and_that_is_said() {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(5, 200, DIM))));
    folder.write("queries.npy", vectors(&floats(&bytes(6, 10, DIM))));
    folder.succeed("build base.npy --output base.vex --quantize sq8 --store none");
    folder.succeed("gt base.npy --queries queries.npy -k 10 --output truth.ivecs");
    let row = bench(&folder, "base.vex", "truth.ivecs");
    assert_eq!(fields(&row)[1..], [&json!("ids"), &json!(0), &Value::Null]);
    assert!(row["recall"].as_f64().unwrap() > 0.8);
    let text =
        folder.succeed("bench base.vex --queries queries.npy --ground-truth truth.ivecs --ef-search 64");
    assert!(text.contains("\nrecall counts ids, since the index has no vectors: "), "{text}");
}
