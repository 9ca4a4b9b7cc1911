//! Rows that cannot be indexed: `--on-invalid`.

use serde_json::json;

use crate::support::{Folder, bytes, floats, read_ivecs, vectors};

/// Rows of which some are all zeros, and one has NaN.
fn prepared() -> Folder {
    let folder = Folder::new();
    let mut rows = floats(&bytes(11, 40, 4));
    folder.write("queries.npy", vectors(&rows[..5]));
    for row in [7, 8, 20, 21, 22, 39] {
        rows[row] = vec![0.0; 4];
    }
    rows[30][2] = f32::NAN;
    folder.write("base.npy", vectors(&rows));
    let kept: Vec<_> = (0..40).filter(|row| ![7, 8, 20, 21, 22, 30, 39].contains(row)).collect();
    folder.write("kept.npy", vectors(&kept.iter().map(|row| rows[*row].clone()).collect::<Vec<_>>()));
    folder.write("kept.txt", kept.iter().map(|row| format!("{row}\n")).collect::<String>());
    folder
}

#[test]
fn rows_are_refused_unless_they_are_to_be_skipped() {
    let folder = prepared();
    let zero = "expected a vector with a direction for the cosine metric, found all zeros";
    for on_invalid in ["", " --on-invalid refuse"] {
        let build = format!("build base.npy --output base.vex --metric cosine{on_invalid}");
        folder.refuse(&build, &format!("base.npy: row 7: {zero}"));
        let gt = format!("gt base.npy --queries queries.npy --output a.npy --metric cosine{on_invalid}");
        folder.refuse(&gt, &format!("base.npy: row 7: {zero}"));
    }
    let printed = folder.succeed("build base.npy --output base.vex --metric cosine --on-invalid skip");
    let line = format!(
        "base.npy: 7 rows skipped: row 7: {zero}; row 8: {zero}; row 20: {zero}; row 21: {zero}; row 22: {zero}; …\n"
    );
    assert!(printed.contains(&line) && printed.starts_with("base.vex: 33 vectors of 4 x f32"), "{printed}");
    // The keys of the others are their rows in the file.
    folder.succeed("build kept.npy --keys kept.txt --output kept.vex --metric cosine");
    assert!(folder.read("base.vex") == folder.read("kept.vex"));
    folder.succeed("verify base.vex");
    let report = folder.json("build base.npy --output base.vex --metric cosine --on-invalid skip --json");
    assert_eq!(report["skipped"], json!([7, 8, 20, 21, 22, 30, 39]));
    assert_eq!(report["count"], json!(33));
    let report = folder.json("build base.npy --output base.vex --on-invalid skip --json");
    assert_eq!(report["skipped"], json!([30]), "zeros are vectors by other metrics");
    let report = folder.json("build kept.npy --output base.vex --metric cosine --on-invalid skip --json");
    assert_eq!(report["skipped"], json!([]));
}

#[test]
fn ground_truth_names_rows_of_the_file() {
    let folder = prepared();
    let gt = "gt base.npy --queries queries.npy -k 33 --metric cosine --on-invalid skip --output a.ivecs";
    assert!(folder.succeed(gt).contains("base.npy: 7 rows skipped: row 7: "));
    let mut found = read_ivecs(&folder.read("a.ivecs")).remove(3);
    assert_eq!(found[0], 3);
    found.sort_unstable();
    let kept: Vec<i32> = (0..40).filter(|row| ![7, 8, 20, 21, 22, 30, 39].contains(row)).collect();
    assert_eq!(found, kept);
    folder.succeed("build base.npy --output base.vex --metric cosine --on-invalid skip");
    let bench = "bench base.vex --queries queries.npy -k 33 --ef-search 40 --ground-truth a.ivecs --json";
    assert_eq!(folder.json(bench)[0]["recall"], json!(1.0));
}

#[test]
fn a_file_without_a_valid_row_is_refused() {
    let folder = Folder::new();
    folder.write("zeros.npy", vectors(&vec![vec![0.0; 3]; 4]));
    folder.write("query.npy", vectors(&[vec![1.0; 3]]));
    let expected = "zeros.npy: expected a row that can be indexed, found none among 4: row 0: expected a vector with a \
                    direction for the cosine metric, found all zeros";
    folder.refuse("build zeros.npy --output a.vex --metric cosine --on-invalid skip", expected);
    folder.refuse(
        "gt zeros.npy --queries query.npy --output a.npy --metric cosine --on-invalid skip",
        expected,
    );
}
