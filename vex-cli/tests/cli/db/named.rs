//! Vectors with names, beside the one that every row has.

use serde_json::{Value, json};

use super::{answers, db, id, jsonl, lines, succeed};
use crate::support::{Folder, bytes, floats, vectors};

const ROWS: usize = 300;

/// The titles of the rows. Every third row has none.
fn titles() -> Vec<Option<Vec<f32>>> {
    let titles = floats(&bytes(2, ROWS, 3)).into_iter().enumerate();
    titles.map(|(row, title)| (row % 3 != 0).then_some(title)).collect()
}

/// A collection whose rows have a vector of 2, and most a title of 3.
fn prepared() -> Folder {
    let folder = Folder::new();
    let schema = ["--dim", "2", "--metric", "squared-euclidean", "--int", "row"];
    let created =
        succeed(&folder, "create", &[&schema[..], &["--vector", "title:3", "--vector", "c:4:ip"]].concat());
    let expected =
        "notes.vexdb: created for vectors of 2 x f32, squared-euclidean, title of 3, c of 4, with 1 field\n";
    assert_eq!(created, expected);
    let rows =
        floats(&bytes(1, ROWS, 2)).into_iter().zip(titles()).enumerate().map(|(row, (vector, title))| {
            // No title is none, or null.
            let mut line = json!({ "id": id(row), "vector": vector, "title": title, "row": row });
            if row % 6 == 0 {
                line.as_object_mut().unwrap().remove("title");
            }
            line
        });
    folder.write("rows.jsonl", jsonl(rows));
    succeed(&folder, "put", &["rows.jsonl"]);
    folder
}

/// The rows whose titles are nearest, equal ones by number.
fn nearest(query: &[f32], k: usize, accepts: impl Fn(usize) -> bool) -> Value {
    let distance = |title: Vec<f32>| title.iter().zip(query).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
    let mut all: Vec<(f32, usize)> = titles()
        .into_iter()
        .enumerate()
        .filter(|(row, _)| accepts(*row))
        .filter_map(|(row, title)| Some((distance(title?), row)))
        .collect();
    all.sort_by(|one, other| one.partial_cmp(other).unwrap());
    all.iter().take(k).map(|(_, row)| id(*row)).collect()
}

#[test]
fn each_is_searched_on_its_own() {
    let folder = prepared();
    let queries = floats(&bytes(7, 5, 3));
    folder.write("queries.npy", vectors(&queries));
    for is_sealed in [false, true] {
        if is_sealed {
            succeed(&folder, "maintain", &[]);
        }
        let found =
            answers(&folder, &["--by", "title", "-q", "queries.npy", "-k", "7", "--ef-search", "300"]);
        for (answer, query) in found.iter().zip(&queries) {
            assert_eq!(answer["ids"], nearest(query, 7, |_| true));
        }
        let query = serde_json::to_string(&queries[0]).unwrap();
        let found = answers(
            &folder,
            &["--by", "title", "--vector", &query, "--ef-search", "300", "--where", "row < 100"],
        );
        assert_eq!(found[0]["ids"], nearest(&queries[0], 10, |row| row < 100));
        let title = titles()[4].clone().unwrap();
        let found = answers(&folder, &["--by", "title", "--near", &id(4), "--ef-search", "300"]);
        assert_eq!(found[0]["ids"], nearest(&title, 10, |row| row != 4));
        // All that have a title, and no more.
        let found = answers(&folder, &["--by", "title", "--near", &id(4), "-k", "1000"]);
        assert_eq!(found[0]["ids"].as_array().unwrap().len(), ROWS / 3 * 2 - 1);
        succeed(&folder, "verify", &[]);
    }
    let stats = lines(&folder, "stats", &["--json"]).remove(0);
    let expected = json!([
        { "name": "title", "dim": 3, "metric": "squared-euclidean" },
        { "name": "c", "dim": 4, "metric": "inner-product" },
    ]);
    assert_eq!(stats["vectors"], expected);
    assert!(succeed(&folder, "stats", &[]).contains("title                    3  squared-euclidean\n"));
}

#[test]
fn rows_are_written_as_they_are_read() {
    let folder = prepared();
    succeed(&folder, "delete", &[&id(7)]);
    let walked = succeed(&folder, "scroll", &["--vectors"]);
    let row = lines(&folder, "get", &[&id(4), "--vector"]).remove(0);
    assert_eq!(row["title"], json!(titles()[4]));
    assert_eq!(lines(&folder, "get", &[&id(4)]).remove(0), json!({ "id": id(4), "row": 4 }));
    folder.write("all.jsonl", &*walked);
    let schema = "--dim 2 --metric squared-euclidean --int row --vector title:3 --vector c:4:inner-product";
    assert_eq!(folder.run(&format!("db create other.vexdb {schema}")).code, Some(0));
    assert_eq!(folder.run("db put other.vexdb all.jsonl").code, Some(0));
    assert_eq!(folder.run("db scroll other.vexdb --vectors").stdout, walked);
    // A table has a column of the name.
    folder.write("rows.csv", "id,vector,title,row\nx,\"[1, 2]\",\"[1, 2, 3]\",7\ny,\"[1, 2]\",,8\n");
    assert_eq!(folder.run("db put other.vexdb rows.csv").code, Some(0));
    let x: Value = serde_json::from_str(&folder.run("db get other.vexdb x --vector").stdout).unwrap();
    assert_eq!(x, json!({ "id": "x", "row": 7, "vector": [1.0, 2.0], "title": [1.0, 2.0, 3.0] }));
    let y: Value = serde_json::from_str(&folder.run("db get other.vexdb y --vector").stdout).unwrap();
    assert_eq!(y, json!({ "id": "y", "row": 8, "vector": [1.0, 2.0] }));
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = prepared();
    for (row, expected) in [
        (r#""title": [1, 2]"#, "row \"a\": vector title: expected 3 dimensions, found 2"),
        (r#""title": "a""#, "title: expected an array of numbers, found \"a\""),
        (r#""title": [1, 2, null]"#, "title: expected a number at position 2, found null"),
        (
            r#""title": [1, 2, 1e39]"#,
            "row \"a\": vector title: expected finite elements, found NaN or infinity at position 2",
        ),
    ] {
        folder.write("bad.jsonl", format!("{{\"id\": \"a\", \"vector\": [1, 2], {row}}}\n"));
        folder.refuse("db put notes.vexdb bad.jsonl", &format!("bad.jsonl: line 1: {expected}"));
    }
    let known = "no vector \"lang\" in the collection, which has title, c";
    folder.refuse("db query notes.vexdb --by lang --near note/00001", &format!("notes.vexdb: {known}"));
    let none = "notes.vexdb: row \"note/00000\": no vector \"title\"";
    folder.refuse("db query notes.vexdb --by title --near note/00000", none);
    let run = db(&folder, "query", &["--by", "title", "--vector", "[1, 2]"]);
    assert_eq!(run.stderr, "error: --vector: query: expected 3 dimensions, found 2\n");
    folder.write("queries.npy", vectors(&floats(&bytes(1, 2, 2))));
    let expected = "queries.npy: expected 3 dimensions as in notes.vexdb, found 2";
    folder.refuse("db query notes.vexdb --by title -q queries.npy", expected);
    let create = "db create other.vexdb --dim 2 --metric l2";
    for (arguments, expected) in [
        ("--vector title:3 --text title", "title: named twice"),
        ("--vector id:3", "expected no field id, which is the id of a row in JSON"),
        ("--vector title:0", "vector title: "),
    ] {
        let run = folder.run(&format!("{create} {arguments}"));
        assert_eq!(run.code, Some(1), "{arguments}");
        assert!(run.stderr.starts_with(&format!("error: other.vexdb: {expected}")), "{}", run.stderr);
    }
    for (vector, expected) in [
        ("title", "expected name:dimension or name:dimension:metric, such as title:384"),
        ("title:x", "expected name:dimension or name:dimension:metric, such as title:384"),
        ("title:3:hamming", "metric: expected one of "),
    ] {
        let run = folder.run(&format!("{create} --vector {vector}"));
        assert_eq!(run.code, Some(2), "{vector}");
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
}
