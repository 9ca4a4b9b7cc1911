//! `vex bench --recall` and `vex tune`, which look for parameters, and truths that bench refuses.

use serde_json::{Value, json};

use crate::support::{Folder, bytes, floats, ivecs, npy, read_ivecs, vectors};

const DIM: usize = 16;

fn prepared() -> Folder {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(1, 3000, DIM))));
    folder.write("queries.npy", vectors(&floats(&bytes(2, 60, DIM))));
    folder.succeed("build base.npy -o index.vex --m 4 --ef-construction 16 --quantize none");
    folder.succeed("gt index.vex -q queries.npy -k 10 -o truth.ivecs");
    folder
}

#[test]
fn the_smallest_beam_width_with_a_recall_is_found() {
    let folder = prepared();
    let bench = "bench index.vex -q queries.npy --ground-truth truth.ivecs";
    let rows = folder.json(&format!("{bench} --recall 0.9 --json"));
    let rows = rows.as_array().unwrap();
    let of = |row: &Value| (row["ef_search"].as_u64().unwrap(), row["recall"].as_f64().unwrap());
    assert!(rows.is_sorted_by_key(|row| of(row).0), "{rows:?}");
    let answer = rows.iter().map(of).find(|(_, recall)| *recall >= 0.9).unwrap();
    assert!(answer.0 > 10, "{rows:?}");
    // One less finds less, as was measured and as it is without the goal.
    let before = rows.iter().map(of).rfind(|(_, recall)| *recall < 0.9).unwrap();
    assert_eq!(before.0, answer.0 - 1);
    let fixed = folder.json(&format!("{bench} --ef-search {},{} --json", before.0, answer.0));
    assert_eq!([of(&fixed[0]), of(&fixed[1])], [before, answer]);

    let text = folder.succeed(&format!("{bench} --recall 0.9"));
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with(&format!("recall@10 of 0.9 needs --ef-search {}: {:.4}, ", answer.0, answer.1)),
        "{text}"
    );
    let chart = text.lines().filter(|line| line.contains('█'));
    assert_eq!(chart.clone().count(), rows.len(), "{text}");
    assert_eq!(chart.filter(|line| line.ends_with("  <-")).count(), 1, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn a_recall_that_k_candidates_have_needs_no_more() {
    let folder = prepared();
    let rows = folder.json("bench index.vex -q queries.npy --ground-truth truth.ivecs --recall 0.01 --json");
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!(rows[0]["ef_search"], json!(10));
}

#[test]
fn a_recall_that_codes_cannot_reach_is_a_failure() {
    let folder = prepared();
    folder.succeed("build base.npy -o codes.vex --quantize sq4 --store none");
    let run = folder.run("bench codes.vex -q queries.npy --ground-truth truth.ivecs --recall 0.9999 --json");
    assert_eq!((run.code, &*run.stdout), (Some(1), ""));
    let expected = "error: codes.vex: expected recall@10 of 0.9999, found at most 0.";
    assert!(run.stderr.starts_with(expected) && run.stderr.contains(", at --ef-search 3000\n"), "{run:?}");
    for wrong in ["0", "1.1", "-1", "95%", "nan"] {
        let arguments = format!("bench codes.vex -q queries.npy --ground-truth truth.ivecs --recall={wrong}");
        assert_eq!(folder.run(&arguments).code, Some(2), "{wrong}");
    }
    let both = "bench codes.vex -q queries.npy --ground-truth truth.ivecs --recall 0.9 --ef-search 16";
    assert_eq!(folder.run(both).code, Some(2));
}

#[test]
fn a_truth_of_other_keys_is_refused() {
    let folder = prepared();
    let truth = read_ivecs(&folder.read("truth.ivecs"));
    let shifted: Vec<Vec<i32>> = truth.iter().map(|row| row.iter().map(|id| id + 2000).collect()).collect();
    let unknown = shifted.iter().flatten().filter(|id| **id >= 3000).count();
    assert!(2 * unknown > 600);
    folder.write("shifted.ivecs", ivecs(&shifted));
    let expected = format!(
        "shifted.ivecs: expected ids that are keys of index.vex, found {unknown} of 600 that are not; \
         vex gt index.vex writes its keys"
    );
    folder.refuse("bench index.vex -q queries.npy --ground-truth shifted.ivecs", &expected);
    // Also where only ids can be compared.
    folder.succeed("build base.npy -o codes.vex --quantize sq8 --store none");
    let expected = expected.replace("index.vex", "codes.vex");
    folder.refuse("bench codes.vex -q queries.npy --ground-truth shifted.ivecs --json", &expected);
}

#[test]
fn a_truth_of_other_vectors_or_queries_is_refused() {
    let folder = prepared();
    folder.write("other.npy", vectors(&floats(&bytes(3, 3000, DIM))));
    folder.succeed("gt other.npy -q queries.npy -k 10 -o other.ivecs");
    folder.write("elsewhere.npy", vectors(&floats(&bytes(4, 60, DIM))));
    folder.succeed("gt base.npy -q elsewhere.npy -k 10 -o elsewhere.ivecs");
    for truth in ["other.ivecs", "elsewhere.ivecs"] {
        let before = folder.snapshot();
        let run = folder.run(&format!("bench index.vex -q queries.npy --ground-truth {truth}"));
        let start =
            format!("error: {truth}: expected the nearest vectors of index.vex by squared-euclidean, found ");
        let end = "% of them: other vectors, queries or another metric? vex gt index.vex computes them\n";
        assert!(run.stderr.starts_with(&start) && run.stderr.ends_with(end), "{run:?}");
        assert!((run.code, &*run.stdout) == (Some(1), "") && folder.snapshot() == before);
    }
}

#[test]
fn a_truth_by_another_metric_is_refused() {
    let folder = prepared();
    // Lengths differ so much that the largest inner products are not those of the nearest vectors.
    let mut rows = floats(&bytes(1, 3000, DIM));
    for (row, scale) in rows.iter_mut().zip((1..=7).cycle()) {
        row.iter_mut().for_each(|element| *element *= scale as f32);
    }
    folder.write("long.npy", vectors(&rows));
    folder.succeed("build long.npy -o long.vex");
    folder.succeed("gt long.npy -q queries.npy -k 10 --metric ip -o ip.ivecs");
    let run = folder.run("bench long.vex -q queries.npy --ground-truth ip.ivecs");
    let start =
        "error: ip.ivecs: expected the nearest vectors of long.vex by squared-euclidean, found 0% of them: ";
    assert!(run.stderr.starts_with(start), "{run:?}");
}

#[test]
fn a_truth_of_vectors_that_were_rounded_since_is_taken() {
    let folder = prepared();
    let thirds = |rows: Vec<Vec<f32>>| -> Vec<Vec<f32>> {
        rows.iter().map(|row| row.iter().map(|element| element / 3.0).collect()).collect()
    };
    folder.write("base.npy", vectors(&thirds(floats(&bytes(1, 3000, DIM)))));
    folder.write("queries.npy", vectors(&thirds(floats(&bytes(2, 60, DIM)))));
    folder.succeed("gt base.npy -q queries.npy -k 10 -o truth.ivecs");
    folder.succeed("build base.npy -o half.vex --element f16 --quantize none");
    let bench = "bench half.vex -q queries.npy --ground-truth truth.ivecs --ef-search 3000";
    assert!(folder.json(&format!("{bench} --json"))[0]["recall"].as_f64().unwrap() > 0.99);
    assert!(!folder.succeed(bench).contains("warning"));
}

#[test]
fn warnings_come_before_the_numbers() {
    let folder = prepared();
    let mut truth = read_ivecs(&folder.read("truth.ivecs"));
    truth[0][0] = 100_000;
    folder.write("truth.ivecs", ivecs(&truth));
    let bench = "bench index.vex -q queries.npy --ground-truth truth.ivecs --ef-search 3000";
    let text = folder.succeed(bench);
    let warning =
        "warning: truth.ivecs is not of this index: 1 of 600 ids are no keys of it, or come twice\n";
    assert!(text.find(warning).unwrap() < text.find("\nef_search ").unwrap(), "{text}");
    let run = folder.run(&format!("{bench} --json"));
    assert!(run.stderr.starts_with(warning), "{run:?}");
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap()[0]["truth_unknown_ids"], json!(1));
}

#[test]
fn tuning_shows_the_trade_and_recommends_a_line_that_works() {
    let folder = prepared();
    let text = folder.succeed("tune base.npy --recall 0.9 --m 4,8 --quantize none,sq8 --sample 1000 -t 2");
    let mut lines = text.lines().skip(1);
    assert_eq!(
        lines.next(),
        Some("base.npy: 1,000 of 3,000 vectors of 16 x f32, squared-euclidean; 300 queries, 1 thread")
    );
    let trials: Vec<&str> =
        lines.clone().filter(|line| line.ends_with(" s") || line.ends_with("ms")).collect();
    assert_eq!(trials.len(), 4, "{text}");
    let line = |start: &str| {
        let line = text.lines().map(str::trim).find(|line| line.starts_with(start));
        line.unwrap_or_else(|| panic!("{start}: {text}")).strip_prefix("vex ").unwrap().to_owned()
    };
    folder.succeed(&line("vex build base.npy -o base.vex --metric squared-euclidean --m "));
    folder.succeed(
        &line("vex search base.vex -q QUERIES -k 10 --ef-search ").replace("QUERIES", "queries.npy"),
    );
    assert!(text.contains("vex bench base.vex --recall 0.9 finds it"), "{text}");
}

#[test]
fn tuning_in_json_has_every_trial() {
    let folder = prepared();
    let report = folder.json(
        "tune base.npy -q queries.npy --recall 0.95 -k 5 --metric l2 --m 4,16 --quantize none,sq8 --json",
    );
    assert_eq!(
        ["count", "sampled", "queries", "k"].map(|field| report[field].as_u64().unwrap()),
        [3000, 3000, 60, 5]
    );
    let trials = report["trials"].as_array().unwrap();
    let kinds: Vec<(u64, &str)> =
        trials.iter().map(|trial| (trial["m"].as_u64().unwrap(), trial["codes"].as_str().unwrap())).collect();
    assert_eq!(kinds, [(4, "none"), (16, "none"), (4, "sq8"), (16, "sq8")]);
    for trial in trials {
        let number = |field: &str| trial[field].as_f64().unwrap();
        assert!(number("recall") >= 0.95 && number("ef_search") >= 5.0, "{trial}");
        assert!(number("qps") > 0.0 && number("p99_us") > 0.0 && number("memory_bytes") > 3000.0 * 64.0);
    }
    assert!(report["recommended"].as_u64().unwrap() < 4);
    // A trial is what build and bench do.
    folder.succeed("gt base.npy -q queries.npy -k 5 -o truth.npy");
    folder.succeed("build base.npy -o index.vex --m 4 --quantize none");
    let ef_search = trials[0]["ef_search"].as_u64().unwrap();
    let bench = "bench index.vex -q queries.npy --ground-truth truth.npy -k 5 --json --ef-search";
    let row = &folder.json(&format!("{bench} {ef_search}"))[0];
    assert_eq!(row["recall"], trials[0]["recall"]);
}

#[test]
fn vectors_of_every_type_can_be_tuned() {
    let folder = Folder::new();
    folder.write("base.npy", npy("|u1", false, &[500, DIM], &bytes(1, 500, DIM).concat()));
    for (options, trials) in [("", 1), ("--metric hamming", 1), ("--element f16 --m 8", 4)] {
        let options = if options.contains("--m ") { options.to_owned() } else { format!("{options} --m 8") };
        let report = folder.json(&format!("tune base.npy {options} --recall 0.8 --json"));
        assert_eq!(report["trials"].as_array().unwrap().len(), trials, "{options}");
    }
    folder.refuse(
        "tune base.npy --m 8 --quantize sq8",
        "base.npy: codes: expected vectors of f32 or f16, found u8",
    );
}

#[test]
fn sets_that_are_too_small_or_damaged_are_refused() {
    let folder = Folder::new();
    folder.write("one.npy", vectors(&[vec![1.0, 2.0]]));
    folder.refuse("tune one.npy", "one.npy: expected at least 2 vectors, found 1; name queries of your own");
    let report = folder.json("tune one.npy -q one.npy --m 4 --quantize none --json");
    assert_eq!((&report["k"], &report["trials"][0]["recall"]), (&json!(1), &json!(1.0)));
    folder.write("nan.npy", vectors(&[vec![1.0], vec![2.0], vec![f32::NAN], vec![3.0]]));
    let expected = "nan.npy: row 2: expected finite elements, found NaN or infinity at position 0";
    folder.refuse("tune nan.npy", expected);
    for wrong in ["--recall 2", "--sample 0", "--m 3", "--quantize sq5", "-k 0"] {
        assert_eq!(folder.run(&format!("tune one.npy {wrong}")).code, Some(2), "{wrong}");
    }
}
