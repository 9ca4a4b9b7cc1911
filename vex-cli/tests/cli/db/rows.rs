//! Rows are put, found, read and deleted.

use serde_json::{Value, json};

use super::{answers, db, fields, id, lines, prepared, succeed, with_vectors};
use crate::support::{Folder, bytes, floats, pipe, vectors};

/// The rows that are accepted, nearest first, equal ones by number, and their distances.
fn nearest(rows: &[Vec<f32>], query: &[f32], k: usize, accepts: impl Fn(usize) -> bool) -> Vec<(f32, usize)> {
    let distance = |row: &Vec<f32>| row.iter().zip(query).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
    let mut all: Vec<_> = rows.iter().map(distance).zip(0..).filter(|(_, row)| accepts(*row)).collect();
    all.sort_by(|one, other| one.partial_cmp(other).unwrap());
    all.truncate(k);
    all
}

fn ids(found: &[(f32, usize)]) -> Value {
    found.iter().map(|(_, row)| id(*row)).collect()
}

#[test]
fn queries_find_what_brute_force_finds() {
    let (rows, queries) = (floats(&bytes(1, 700, 8)), floats(&bytes(2, 20, 8)));
    let folder = prepared(&rows);
    folder.write("queries.npy", vectors(&queries));
    let found = answers(&folder, &["--vector-file", "queries.npy", "-k", "5"]);
    assert_eq!(found.len(), 20);
    for (at, (answer, query)) in found.iter().zip(&queries).enumerate() {
        let expected = nearest(&rows, query, 5, |_| true);
        let distances: Value = expected.iter().map(|(distance, _)| *distance).collect();
        assert_eq!(*answer, json!({ "query": at, "ids": ids(&expected), "distances": distances }));
    }
    // The row itself is not among those near it.
    let expected = nearest(&rows, &rows[3], 4, |row| row != 3);
    let near = answers(&folder, &["--near", &id(3), "-k", "4", "--fetch", "lang,doc"]);
    assert_eq!(near[0]["ids"], ids(&expected));
    let fetched =
        expected.iter().map(|(_, row)| json!({ "lang": fields(*row)["lang"], "doc": fields(*row)["doc"] }));
    assert_eq!(near[0]["rows"], fetched.collect::<Value>());
    // A table for people has the same rows.
    let vector = serde_json::to_string(&rows[3]).unwrap();
    let table =
        succeed(&folder, "query", &["--vector", &vector, "-k", "3", "--fetch", "doc,year", "--explain"]);
    let expected = nearest(&rows, &rows[3], 3, |_| true);
    let mut table = table.lines();
    assert_eq!(
        table.next().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["rank", "distance", "id", "doc", "year"]
    );
    for (rank, (distance, row)) in expected.iter().enumerate() {
        let line = table.next().unwrap();
        let start = format!("{} {distance} {} row {row}", rank + 1, id(*row));
        assert!(line.split_whitespace().collect::<Vec<_>>().join(" ").starts_with(&start), "{line}");
    }
    assert_eq!(table.nth(1), Some("segments 0, pending rows 700, distances 700"));
    let explained = answers(&folder, &["--near", &id(3), "--explain"]);
    assert_eq!(explained[0]["explain"]["matches"], 699);
    assert_eq!(explained[0]["explain"]["parts"].as_array().unwrap().len(), 1);
}

#[test]
fn conditions_hold_for_queries_and_walks() {
    let rows = floats(&bytes(3, 300, 4));
    let folder = prepared(&rows);
    let year = |row: usize| fields(row)["year"].as_i64();
    let is_de = |row: usize| fields(row)["lang"] == "de";
    type Case<'c> = (&'c [&'c str], &'c dyn Fn(usize) -> bool);
    let cases: [Case<'_>; 6] = [
        (&["--where", "lang = 'de' and year >= 2020"], &|row| is_de(row) && year(row) >= Some(2020)),
        (&["--where", "lang = ? and year >= ?", "--param", "de", "--param", "2020"], &|row| {
            is_de(row) && year(row) >= Some(2020)
        }),
        (&["--where", "lang = ?", "--param", "'de'"], &is_de),
        (&["--where", "year is null"], &|row| year(row).is_none()),
        (&["--where", "not lang prefix 'd'"], &|row| !is_de(row)),
        (&["--where", "year < ?", "--param", "-5"], &|_| false),
    ];
    for (condition, accepts) in cases {
        let expected = nearest(&rows, &rows[0], 10, |row| row != 0 && accepts(row));
        let found = answers(&folder, &[&["--near", &id(0)], condition].concat());
        assert_eq!(found[0]["ids"], ids(&expected), "{condition:?}");
        let walked = lines(&folder, "scroll", condition);
        let matching = (0..300).filter(|row| accepts(*row)).map(id);
        assert!(
            walked.iter().map(|row| row["id"].as_str().unwrap().to_owned()).eq(matching),
            "{condition:?}"
        );
    }
    for (condition, expected) in [
        (&["--where", "lang ="][..], "--where: filter, byte 6: expected a value: "),
        (&["--where", "lang = ?"], "--where: filter: expected 1 parameters, one for each `?`, found 0\n"),
        (
            &["--where", "lang = ?", "--param", "7"],
            "notes.vexdb: filter: field lang: expected text, found 7 (int)\n",
        ),
        (
            &["--where", "price > 3"],
            "notes.vexdb: filter: no field \"price\" in the collection, which has lang, year, doc\n",
        ),
        (
            &["--where", "doc = 'a'"],
            "notes.vexdb: filter: field doc is stored only, so no filter can ask for it\n",
        ),
    ] {
        for command in ["query", "scroll"] {
            let near = ["--near", "note/00000"];
            let run =
                db(&folder, command, &[if command == "query" { &near[..] } else { &[] }, condition].concat());
            assert_eq!((run.code, &*run.stdout), (Some(1), ""), "{condition:?}: {run:?}");
            assert!(run.stderr.starts_with(&format!("error: {expected}")), "{condition:?}: {run:?}");
        }
    }
}

#[test]
fn rows_are_replaced_read_and_deleted() {
    let folder = prepared(&floats(&bytes(4, 5, 3)));
    assert_eq!(lines(&folder, "get", &[&id(2), "--vector"])[0], {
        let mut row: Value =
            serde_json::from_str(with_vectors(&floats(&bytes(4, 5, 3))).lines().nth(2).unwrap()).unwrap();
        row["year"] = json!(2002);
        row
    });
    let lines_of = |report: &str| report.split(" in ").next().unwrap().to_owned();
    folder.write(
        "more.jsonl",
        concat!(
            "{\"id\": \"note/00002\", \"vector\": [1, 2, 3]}\n",
            "\n",
            "{\"id\": \"new\", \"vector\": [1, 2, 3], \"lang\": \"nl\", \"year\": null}\r\n",
            "{\"id\": \"new\", \"vector\": [3, 2, 1], \"lang\": \"nl\"}",
        ),
    );
    let report = succeed(&folder, "put", &["more.jsonl"]);
    assert_eq!(lines_of(&report), "notes.vexdb: 1 row inserted, 2 replaced");
    // What is counted does not depend on the size of the batches.
    let report = &lines(&folder, "put", &["more.jsonl", "--batch", "1", "--json"])[0];
    assert_eq!([&report["rows"], &report["inserted"], &report["replaced"]], [3, 0, 3]);
    assert_eq!(report["maintenance_error"], Value::Null);
    assert_eq!(lines(&folder, "get", &[&id(2)]), [json!({ "id": id(2) })]);
    let expected = json!({ "id": "new", "lang": "nl", "vector": [3.0, 2.0, 1.0] });
    assert_eq!(lines(&folder, "get", &["new", "--vector"]), [expected]);

    assert_eq!(
        succeed(&folder, "delete", &["new", "nobody"]),
        "notes.vexdb: 1 row deleted, 1 id had no row: nobody\n"
    );
    folder.write("ids.txt", format!("{}\r\n\n{}\nnobody\n", id(0), id(1)));
    assert_eq!(
        lines(&folder, "delete", &["--ids", "ids.txt", "--json"]),
        [json!({ "deleted": 2, "missing": ["nobody"] })]
    );
    let run = pipe(&folder, "db delete notes.vexdb --ids -", id(3).as_bytes());
    assert_eq!((run.code, &*run.stdout), (Some(0), "notes.vexdb: 1 row deleted\n"));
    folder.refuse("db get notes.vexdb new", "notes.vexdb: no row \"new\"");
    folder.refuse("db query notes.vexdb --near new", "notes.vexdb: no row \"new\"");
    let left: Vec<Value> = lines(&folder, "scroll", &[]).iter().map(|row| row["id"].clone()).collect();
    assert_eq!(left, [id(2), id(4)]);
}

#[test]
fn vectors_come_from_a_file_as_well() {
    let rows = floats(&bytes(5, 50, 6));
    let folder = prepared(&rows);
    let whole = succeed(&folder, "scroll", &["--vectors"]);
    folder.write("vectors.npy", vectors(&rows));
    let fields: Vec<String> = (0..50).map(|row| format!("{}\n", fields(row))).collect();
    folder.write("fields.jsonl", fields.concat());
    succeed(&folder, "delete", &[&id(7), &id(49)]);
    let put = ["fields.jsonl", "--vectors", "vectors.npy", "--batch", "20"];
    assert!(succeed(&folder, "put", &put).starts_with("notes.vexdb: 2 rows inserted, 48 replaced in "));
    assert_eq!(succeed(&folder, "scroll", &["--vectors"]), whole);

    // A file is counted before the first commit.
    let put = "db put notes.vexdb few.jsonl --vectors vectors.npy --batch 10";
    folder.write("few.jsonl", fields[..47].concat());
    folder.refuse(put, "few.jsonl: expected 50 rows as in vectors.npy, found 47");
    folder.write("few.jsonl", [&fields[..], &fields[..2]].concat().concat());
    folder.refuse(put, "few.jsonl: expected 50 rows as in vectors.npy, found 52");
    // Standard input is counted only while its rows are put.
    for (lines, committed) in [(47, "40"), (52, "40")] {
        let input = [&fields[..], &fields[..2]].concat()[..lines].concat();
        let run = pipe(&folder, "db put notes.vexdb - --vectors vectors.npy --batch 40", input.as_bytes());
        let expected = format!(
            "error: standard input: expected 50 rows as in vectors.npy, found {lines}; rows committed before: {committed}\n"
        );
        assert_eq!((run.code, run.stderr), (Some(1), expected));
    }
    let expected = "rows.jsonl: line 1: expected no vector, found one besides that of vectors.npy";
    folder.refuse("db put notes.vexdb rows.jsonl --vectors vectors.npy", expected);
    folder.refuse("db put notes.vexdb fields.jsonl", "fields.jsonl: line 1: expected a vector, found none");
    folder.write("wide.npy", vectors(&floats(&bytes(6, 50, 7))));
    let expected = "wide.npy: expected 6 dimensions as in notes.vexdb, found 7";
    folder.refuse("db put notes.vexdb fields.jsonl --vectors wide.npy", expected);
    folder.refuse("db query notes.vexdb --vector-file wide.npy", expected);
    assert_eq!(succeed(&folder, "scroll", &["--vectors"]), whole);
}

#[test]
fn fields_keep_the_order_of_the_arguments() {
    let folder = Folder::new();
    let fields = "--stored doc --int year,month --text lang --int day --model small --bool new --float price";
    folder.succeed(&format!("db create notes.vexdb --dim 3 --metric cosine {fields}"));
    let stats = folder.json("db stats notes.vexdb --json");
    let expected = [
        ("doc", "stored"),
        ("year", "int"),
        ("month", "int"),
        ("lang", "text"),
        ("day", "int"),
        ("new", "bool"),
        ("price", "float"),
    ];
    let expected: Value = expected.iter().map(|(name, kind)| json!({ "name": name, "type": kind })).collect();
    assert_eq!(stats["fields"], expected);
    assert_eq!([&stats["model"], &stats["metric"]], ["small", "cosine"]);
    assert_eq!([&stats["dim"], &stats["rows"], &stats["pending"]], [3, 0, 0]);
    assert_eq!(answers(&folder, &["--vector", "[1,2,3]"])[0]["ids"], json!([]));
    assert_eq!(succeed(&folder, "query", &["--vector", "[1,2,3]"]), "rank  distance  id\n");
}

#[test]
fn rows_that_meet_a_condition_are_deleted() {
    let folder = prepared(&floats(&bytes(3, 60, 4)));
    let is_old = |row: &usize| fields(*row)["year"].as_i64().is_some_and(|year| year < 2010);
    let old = (0..60).filter(is_old).count();
    let report = lines(&folder, "delete", &["--where", "year < ?", "--param", "2010", "--json"]);
    assert_eq!(report, [json!({ "deleted": old, "missing": [] })]);
    let left: Vec<Value> = lines(&folder, "scroll", &[]).iter().map(|row| row["id"].clone()).collect();
    assert_eq!(left, (0..60).filter(|row| !is_old(row)).map(id).collect::<Vec<_>>());
    // Either ids or a condition.
    assert_eq!(db(&folder, "delete", &["note/1", "--where", "year < 2010"]).code, Some(2));
    assert_eq!(db(&folder, "delete", &[]).code, Some(2));
}

#[test]
fn rows_are_like_some_and_unlike_others() {
    let rows = floats(&bytes(4, 300, 4));
    let folder = prepared(&rows);
    // The mean of the liked rows, moved away from the other. All numbers are whole or halves.
    let query: Vec<f32> = (0..4).map(|at| rows[3][at] + rows[8][at] - rows[20][at]).collect();
    let expected = nearest(&rows, &query, 5, |row| ![3, 8, 20].contains(&row));
    let liked = ["--near", &id(3), "--near", &id(8), "--unlike", &id(20), "-k", "5"];
    assert_eq!(answers(&folder, &liked)[0]["ids"], ids(&expected));
    assert_eq!(db(&folder, "query", &["--vector", "[1,2,3,4]", "--unlike", &id(2)]).code, Some(2));
    let far = answers(&folder, &["--near", &id(3), "-k", "5", "--diverse", "0"]);
    assert_ne!(far[0]["ids"], answers(&folder, &["--near", &id(3), "-k", "5"])[0]["ids"]);
}

#[test]
#[cfg(unix)]
fn rows_come_through_a_pipe_with_a_name() {
    let rows = floats(&bytes(3, 60, 4));
    let folder = prepared(&rows);
    let name = folder.path("rows.pipe");
    assert!(std::process::Command::new("mkfifo").arg(&name).status().unwrap().success());
    let put = std::thread::spawn(move || std::fs::write(name, with_vectors(&floats(&bytes(3, 60, 4)))));
    let run = succeed(&folder, "put", &["rows.pipe"]);
    assert!(run.starts_with("notes.vexdb: 0 rows inserted, 60 replaced in "), "{run}");
    put.join().unwrap().unwrap();
}
