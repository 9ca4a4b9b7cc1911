//! Rows, files and paths that do not fit. Each failure is one line, and changes no row.

use std::fs;

use serde_json::json;
use vex_db::{Collection, Metric, Schema};

use super::{db, jsonl, prepared, succeed};
use crate::support::{Folder, bytes, floats, pipe};

const COMMANDS: [&str; 9] = [
    "put notes.vexdb rows.jsonl",
    "get notes.vexdb note/1",
    "delete notes.vexdb note/1",
    "query notes.vexdb --near note/1",
    "scroll notes.vexdb",
    "stats notes.vexdb",
    "verify notes.vexdb",
    "backup notes.vexdb copy.vexdb",
    "maintain notes.vexdb",
];

/// Files in each other's places are told from files that are wrong.
#[test]
fn swapped_files_are_named() {
    let folder = prepared(&floats(&bytes(1, 4, 2)));
    folder.write("rows.jsonl", jsonl([json!({ "id": "a", "vector": [1, 2] })]));
    folder.write("base.csv", "1,2\n3,4\n");
    assert_eq!(folder.run("build base.csv -o base.vex").code, Some(0));
    let index = "it is an index: vex search searches it, vex convert takes its vectors out\n";
    let collection = "it is a collection: vex db search searches it, vex db scroll takes its rows out\n";
    for (command, expected) in [
        (
            "db put rows.jsonl notes.vexdb",
            "error: notes.vexdb: expected a file of rows, found a collection, which comes before the rows\n",
        ),
        ("db put base.vex rows.jsonl", index),
        ("db query base.vex --near a", index),
        (
            "db query rows.jsonl --near a",
            "; a collection comes before the file of its rows: vex db create makes one\n",
        ),
        (
            "search base.csv -q base.vex",
            "; vex build makes an index of vectors, which then comes before the queries\n",
        ),
        ("build base.vex -o other.vex", index),
        ("search base.vex -q notes.vexdb", collection),
        ("search notes.vexdb -q base.csv", collection),
        ("build notes.vexdb -o other.vex", collection),
        (
            "db query notes.vexdb --near a --format npy",
            "error: --format: expected with --vector-file, found without\n",
        ),
    ] {
        let before = folder.snapshot();
        let run = folder.run(command);
        assert_eq!((run.code, &*run.stdout), (Some(1), ""), "{command}");
        assert!(
            run.stderr.ends_with(expected) && run.stderr.lines().count() == 1,
            "{command}: {}",
            run.stderr
        );
        assert!(folder.snapshot() == before, "{command}: files changed");
    }
}

#[test]
fn lines_that_do_not_fit_are_named() {
    let folder = prepared(&floats(&bytes(1, 4, 2)));
    let whole = succeed(&folder, "scroll", &["--vectors"]);
    for (row, expected) in [
        (r#"{"id": "a", "vector": [1]}"#, "row \"a\": expected 2 dimensions, found 1"),
        (
            r#"{"id": "a", "vector": [1, 1e39]}"#,
            "row \"a\": expected finite elements, found NaN or infinity at position 1",
        ),
        (r#"{"id": "a", "vector": [1, "2"]}"#, "vector: expected a number at position 1, found \"2\""),
        (
            r#"{"id": "a", "vector": [1, 2], "lng": "de"}"#,
            "no field \"lng\" in the collection, which has lang, year, doc",
        ),
        (
            r#"{"id": "a", "vector": [1, 2], "year": "x"}"#,
            "row \"a\": field year: expected int, found \"x\" (text)",
        ),
        (
            r#"{"id": "a", "vector": [1, 2], "lang": 7}"#,
            "row \"a\": field lang: expected text, found 7 (int)",
        ),
        (
            r#"{"id": "a", "vector": [1, 2], "year": 2020.5}"#,
            "year: expected a whole number of 64 bits, found 2020.5",
        ),
        (
            r#"{"id": "a", "vector": [1, 2], "doc": {"a": 1}}"#,
            "doc: expected text, a number, true or false; arrays and objects can be stored as text, found {\"a\": 1}",
        ),
        (r#"{"id": "", "vector": [1, 2]}"#, "row \"\": the id is empty"),
        (r#"{"vector": [1, 2]}"#, "expected an id, found none"),
        (r#"{"id": "a"}"#, "expected a vector, found none"),
        (r#"{"id": "a", "vector": [1, 2]"#, "column 28: EOF while parsing an object"),
        ("notes", "expected an object, found notes"),
    ] {
        // Two good rows and a blank line come before it.
        let good = jsonl(["x", "y"].map(|id| json!({ "id": id, "vector": [1, 2] })));
        folder.write("bad.jsonl", format!("{good}\n{row}\n"));
        folder.refuse("db put notes.vexdb bad.jsonl", &format!("bad.jsonl: line 4: {expected}"));
    }
    folder.write("bad.jsonl", b"{\"id\": \"\xff\", \"vector\": [1, 2]}");
    let expected = "bad.jsonl: expected UTF-8 in line 1, found other bytes at byte 9";
    folder.refuse("db put notes.vexdb bad.jsonl", expected);
    folder.refuse("db delete notes.vexdb --ids bad.jsonl", expected);
    assert_eq!(succeed(&folder, "scroll", &["--vectors"]), whole);

    // What is committed already stays, and is named.
    let input = jsonl((0..7).map(|row| json!({ "id": format!("x{row}"), "vector": [row, 2] }))) + "{}\n";
    let run = pipe(&folder, "db put notes.vexdb - --batch 3", input.as_bytes());
    let expected = "error: standard input: line 8: expected an id, found none; rows committed before: 6\n";
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(1), "", expected));
    assert_eq!(succeed(&folder, "scroll", &["--after", "x"]).lines().count(), 6);
}

#[test]
fn vectors_that_cannot_be_searched_for() {
    let folder = Folder::new();
    folder.succeed("db create notes.vexdb --dim 2 --metric cosine");
    for (vector, expected) in [
        ("[1]", "--vector: query: expected 2 dimensions, found 1"),
        (
            "[0,0]",
            "--vector: query: expected a vector with a direction for the cosine metric, found all zeros",
        ),
        ("[1,1e39]", "--vector: query: expected finite elements, found NaN or infinity at position 1"),
    ] {
        folder.refuse(&format!("db query notes.vexdb --vector {vector}"), expected);
    }
    folder.refuse(
        "db query notes.vexdb --vector [1,2] --fetch a",
        "notes.vexdb: no field \"a\" in the collection, which has none",
    );
}

#[test]
fn there_is_no_collection() {
    let folder = Folder::new();
    folder.write("rows.jsonl", "");
    for command in COMMANDS {
        folder.refuse(&format!("db {command}"), "notes.vexdb: no collection there");
    }
    fs::create_dir(folder.path("notes.vexdb")).unwrap();
    for command in COMMANDS {
        folder.refuse(&format!("db {command}"), "notes.vexdb: no collection there");
    }
    fs::write(folder.path("notes.vexdb").join("letter.txt"), "").unwrap();
    const CREATE: &str = "db create notes.vexdb --dim 2 --metric cosine";
    for command in COMMANDS {
        let expected = "notes.vexdb: expected a collection, found a folder with letter.txt";
        folder.refuse(&format!("db {command}"), expected);
    }
    let expected = "notes.vexdb: expected a collection or an empty folder, found a folder with letter.txt";
    folder.refuse(CREATE, expected);
    fs::remove_dir_all(folder.path("notes.vexdb")).unwrap();
    folder.write("notes.vexdb", "a letter");
    for command in COMMANDS {
        folder.refuse(&format!("db {command}"), "notes.vexdb: expected a collection, found a file");
    }
    folder.refuse(CREATE, "notes.vexdb: expected a collection or an empty folder, found a file");
}

#[test]
fn collections_that_cannot_be_created() {
    let folder = Folder::new();
    let create = "db create notes.vexdb --dim 2 --metric cosine";
    folder.refuse(
        &format!("{create} --text 2lang"),
        "notes.vexdb: name: expected a letter or _, then letters, digits and _, at most 64 in all, found \"2lang\"",
    );
    folder.refuse(&format!("{create} --text lang --int lang"), "notes.vexdb: lang: named twice");
    for field in ["id", "vector"] {
        let expected =
            format!("notes.vexdb: expected no field {field}, which is the {field} of a row in JSON");
        folder.refuse(&format!("{create} --stored {field}"), &expected);
    }
    folder.refuse(
        "db create far/notes.vexdb --dim 2 --metric cosine",
        "far/notes.vexdb: No such file or directory (os error 2)",
    );
    folder.succeed(create);
    folder.refuse(create, "notes.vexdb: there is a collection already");
}

/// Programs can create what the command does not. It says so, and does not mix up the names.
#[test]
fn collections_with_fields_that_json_cannot_tell_apart() {
    let folder = Folder::new();
    let schema = Schema::new(2, Metric::Cosine).text("lang").text("vector");
    drop(Collection::create(folder.path("notes.vexdb"), schema).unwrap());
    folder.write("rows.jsonl", "");
    let expected = "notes.vexdb: expected no field vector, which is the vector of a row in JSON";
    for command in ["put notes.vexdb rows.jsonl", "get notes.vexdb a", "scroll notes.vexdb"] {
        folder.refuse(&format!("db {command}"), expected);
    }
    folder.succeed("db query notes.vexdb --vector [1,2] --fetch-all --json");
}

#[test]
#[cfg(unix)]
fn inputs_are_regular_files() {
    let folder = prepared(&floats(&bytes(1, 4, 2)));
    let expected = "missing.jsonl: cannot be opened: No such file or directory (os error 2)";
    folder.refuse("db put notes.vexdb missing.jsonl", expected);
    let run = folder.run("db put notes.vexdb rows.jsonl --vectors /dev/zero");
    assert!(
        run.stderr
            .starts_with("error: /dev/zero: unknown extension, expected one that vex build --help names"),
        "{run:?}"
    );
    fs::create_dir(folder.path("folder")).unwrap();
    for name in ["/dev/zero", "folder"] {
        let expected = format!("error: {name}: expected a regular file\n");
        for (command, arguments) in [("put", &[name][..]), ("delete", &["--ids", name])] {
            let run = db(&folder, command, arguments);
            assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(1), "", &*expected), "{command}");
        }
    }
}
