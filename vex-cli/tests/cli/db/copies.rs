//! Copies: line by line, of the folder, and segments that are checked.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::{answers, db, id, jsonl, lines, prepared, succeed};
use crate::support::{Folder, bytes, floats, pipe, vectors};

/// Values that a reader of JSON, or a terminal between two programs, may change.
fn odd_rows() -> Vec<Value> {
    let long = "zwölf Boxkämpfer \u{7f}\u{9b}31m\u{202e}\u{1b}[2J\"\\\n ".repeat(2_000);
    vec![
        json!({ "id": "a b\t\u{7f}", "vector": [1.5, -2.0], "doc": long, "lang": "\u{85}" }),
        json!({ "id": "b", "vector": [0.1, f32::MIN_POSITIVE], "doc": 3, "year": i64::MIN, "new": true }),
        json!({ "id": "c", "vector": [3.0e18, 1.0e-40], "doc": 3.0, "year": i64::MAX, "new": false }),
        json!({ "id": "d", "vector": [0.0, 0.0], "price": 7.038_531_3e-26, "doc": false }),
        json!({ "id": "e", "vector": [-0.0, 1.0], "price": f64::MAX, "doc": -0.0 }),
        json!({ "id": "ä", "vector": [0.3, 0.7], "price": 0.1 }),
    ]
}

#[test]
fn a_walk_is_read_back_by_put() {
    for metric in ["squared-euclidean", "cosine"] {
        let folder = Folder::new();
        let schema = "--text lang --int year --float price --bool new --stored doc";
        for name in ["notes", "copy"] {
            folder.succeed(&format!("db create {name}.vexdb --dim 2 --metric {metric} {schema}"));
        }
        let mut rows = odd_rows();
        if metric == "cosine" {
            // Zeros have no direction.
            rows.retain(|row| row["id"] != "d");
        }
        // JSON has no infinite numbers. Most readers take this one for infinite, and others refuse it.
        let infinite = "{\"id\":\"ü\",\"price\":-1e999,\"vector\":[1.0,0.0]}\n";
        folder.write("rows.jsonl", jsonl(rows.clone()) + infinite);
        succeed(&folder, "put", &["rows.jsonl"]);
        let walked = succeed(&folder, "scroll", &["--vectors"]);
        assert!(walked.ends_with(infinite) && !walked.contains(|c: char| c.is_control() && c != '\n'));
        let parsed = lines(&folder, "scroll", &["--limit", &rows.len().to_string()]);
        for (found, row) in parsed.iter().zip(&rows) {
            let mut expected = row.clone();
            expected.as_object_mut().unwrap().remove("vector");
            assert_eq!(*found, expected);
        }
        let run = pipe(&folder, "db put copy.vexdb -", walked.as_bytes());
        assert_eq!((run.code, &*run.stderr), (Some(0), ""));
        assert!(folder.succeed("db scroll copy.vexdb --vectors") == walked, "{metric}");
    }
}

#[test]
fn a_walk_goes_in_pages() {
    let folder = prepared(&floats(&bytes(1, 25, 2)));
    let whole = succeed(&folder, "scroll", &[]);
    let (mut pages, mut after) = (String::new(), String::new());
    for expected in [10, 10, 5, 0] {
        let page = succeed(&folder, "scroll", &["--after", &after, "--limit", "10"]);
        assert_eq!(page.lines().count(), expected);
        if let Some(last) = page.lines().last() {
            after = serde_json::from_str::<Value>(last).unwrap()["id"].as_str().unwrap().to_owned();
        }
        pages += &page;
    }
    assert_eq!(pages, whole);
    let rows = lines(&folder, "scroll", &["--fetch", "doc", "--limit", "1"]);
    assert_eq!(rows, [json!({ "id": id(0), "doc": "row 0" })]);
    assert_eq!(succeed(&folder, "scroll", &["--limit", "0"]), "");
    folder.refuse(
        "db scroll notes.vexdb --fetch price",
        "notes.vexdb: no field \"price\" in the collection, which has lang, year, doc",
    );
}

/// A collection whose rows are in a segment and pending, some of them dead.
fn with_a_segment() -> (Folder, Vec<Vec<f32>>) {
    let rows = floats(&bytes(7, 9_400, 4));
    let folder = prepared(&rows);
    let dead: Vec<String> = (0..400).map(|row| id(row * 3)).collect();
    folder.write("dead.txt", dead.join("\n"));
    succeed(&folder, "delete", &["--ids", "dead.txt"]);
    (folder, rows)
}

#[test]
fn segments_are_built_searched_copied_and_checked() {
    let (folder, rows) = with_a_segment();
    let before = &lines(&folder, "stats", &["--json"])[0];
    assert_eq!([&before["rows"], &before["pending"]], [9_000, 1_400]);
    let segments = before["segments"].as_array().unwrap();
    assert_eq!([&segments[0]["rows"], &segments[0]["dead"]], [7_600, 400]);
    let found = succeed(&folder, "stats", &[]);
    for part in ["rows            9,000\n", "year            int\n", segments[0]["file"].as_str().unwrap()] {
        assert!(found.contains(part), "{found}");
    }

    let report = succeed(&folder, "maintain", &["--memory", "1kB"]);
    let expected =
        "1 step left out, which would take more memory than --memory allows\n1 segment, 1,400 rows pending, ";
    assert!(report.contains(expected), "{report}");
    let report = &lines(&folder, "maintain", &["--memory", "512MiB", "--threads", "1", "--json"])[0];
    let done =
        ["sealed", "merged", "rewritten", "skipped", "segments", "pending"].map(|name| report[name].as_u64());
    assert_eq!(done, [1, 0, 0, 0, 2, 0].map(Some));

    folder.write("queries.npy", vectors(&rows[9_000..9_100]));
    let found = answers(&folder, &["--vector-file", "queries.npy", "-k", "1", "--ef-search", "100"]);
    let itself = found.iter().zip(9_000..).filter(|(answer, row)| answer["ids"][0] == id(*row)).count();
    assert!(itself >= 99, "{itself} of 100 rows found themselves");

    let run = folder.succeed("db backup notes.vexdb copy.vexdb");
    assert!(run.starts_with("copy.vexdb: 9,000 rows, "), "{run}");
    assert!(folder.succeed("db scroll copy.vexdb --vectors") == succeed(&folder, "scroll", &["--vectors"]));
    for name in ["notes", "copy"] {
        let checked = folder.succeed(&format!("db verify {name}.vexdb"));
        assert!(checked.starts_with("ok: the store, 2 segments and 9,000 rows (0 pending), "), "{checked}");
    }
    folder.refuse("db backup notes.vexdb copy.vexdb", "copy.vexdb: there is a collection already");
    let expected = ".: expected a collection or an empty folder, found a folder with ";
    let run = folder.run("db backup notes.vexdb .");
    assert!(run.code == Some(1) && run.stderr.starts_with(&format!("error: {expected}")), "{run:?}");
    let expected = "notes.vexdb/copy: the copy would be in the folder of its collection";
    folder.refuse("db backup notes.vexdb notes.vexdb/copy", expected);
    assert!(!folder.path("notes.vexdb/copy").exists());
    let expected = "far/copy.vexdb: No such file or directory (os error 2)";
    folder.refuse("db backup notes.vexdb far/copy.vexdb", expected);
}

#[test]
fn damage_is_found_by_verify() {
    let (folder, _) = with_a_segment();
    let segment = lines(&folder, "stats", &["--json"])[0]["segments"][0]["file"].as_str().unwrap().to_owned();
    let path = folder.path("notes.vexdb").join(&segment);
    let whole = fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(&path, &damaged).unwrap();
    let run = db(&folder, "verify", &[]);
    assert_eq!((run.code, &*run.stdout), (Some(1), ""));
    assert!(
        run.stderr.starts_with(&format!("error: notes.vexdb: damaged: segment {segment}: section ")),
        "{run:?}"
    );
    fs::remove_file(&path).unwrap();
    let run = db(&folder, "verify", &[]);
    let expected =
        format!("error: notes.vexdb/{segment}: cannot be opened: No such file or directory (os error 2)\n");
    assert_eq!((run.code, run.stderr), (Some(1), expected));
    fs::write(&path, &whole).unwrap();

    let path = folder.path("notes.vexdb").join("store.redb");
    let whole = fs::read(&path).unwrap();
    let mut found = BTreeSet::new();
    // A byte of every eighth page, of which some are not in use.
    for at in (4_096 + 100..whole.len()).step_by(8 * 4_096) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&path, &damaged).unwrap();
        let run = db(&folder, "verify", &[]);
        match run.code {
            Some(0) => (),
            Some(1) => assert!(run.stderr.starts_with("error: notes.vexdb: "), "{run:?}"),
            _ => panic!("byte {at}: {run:?}"),
        }
        found.insert(run.code);
    }
    assert!(found.contains(&Some(1)), "no damage was found");
    // A text that is still a text is wrong by the checksum of its page alone.
    let mut damaged = whole.clone();
    let places = whole.windows(8).enumerate().filter(|(_, bytes)| bytes == b"row 9001").map(|(at, _)| at);
    for at in places.collect::<Vec<_>>() {
        damaged[at + 7] = b'2';
    }
    assert!(damaged != whole);
    fs::write(&path, &damaged).unwrap();
    let run = db(&folder, "verify", &[]);
    assert!(run.code == Some(1) && run.stderr.starts_with("error: notes.vexdb: store: "), "{run:?}");
    fs::write(&path, &whole).unwrap();
    succeed(&folder, "verify", &[]);
}
