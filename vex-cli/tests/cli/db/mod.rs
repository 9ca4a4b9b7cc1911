//! Collections: rows in, rows and answers out.

mod copies;
mod named;
mod refusals;
mod rows;
mod shared;

use serde_json::{Value, json};

use crate::support::{Folder, Run};

/// Runs a command whose arguments may hold spaces. The collection is `notes.vexdb`.
fn db(folder: &Folder, command: &str, arguments: &[&str]) -> Run {
    let mut command = folder.command(&format!("db {command} notes.vexdb"));
    crate::support::run({
        command.args(arguments);
        command
    })
}

/// As [`db`], for a command that succeeds without writing to standard error.
#[track_caller]
fn succeed(folder: &Folder, command: &str, arguments: &[&str]) -> String {
    let Run { code, stdout, stderr } = db(folder, command, arguments);
    assert_eq!((code, &*stderr), (Some(0), ""), "vex db {command} {arguments:?}");
    stdout
}

/// As [`succeed`], for a command that prints lines of JSON.
#[track_caller]
fn lines(folder: &Folder, command: &str, arguments: &[&str]) -> Vec<Value> {
    succeed(folder, command, arguments).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The answers of a query that prints JSON.
#[track_caller]
fn answers(folder: &Folder, arguments: &[&str]) -> Vec<Value> {
    match lines(folder, "query", &[arguments, &["--json"]].concat()).remove(0) {
        Value::Array(answers) => answers,
        other => panic!("expected an array, found {other}"),
    }
}

/// Lines of JSON.
fn jsonl(rows: impl IntoIterator<Item = Value>) -> String {
    rows.into_iter().map(|row| format!("{row}\n")).collect()
}

fn id(row: usize) -> String {
    format!("note/{row:05}")
}

/// The fields of a row, of which some have no value.
fn fields(row: usize) -> Value {
    let year = if row.is_multiple_of(7) { Value::Null } else { (2000 + row % 27).into() };
    let lang = ["de", "en", "fr"][row % 3];
    json!({ "id": id(row), "lang": lang, "year": year, "doc": format!("row {row}") })
}

/// A row for each of these vectors.
fn with_vectors(vectors: &[Vec<f32>]) -> String {
    jsonl(vectors.iter().enumerate().map(|(row, vector)| {
        let mut fields = fields(row);
        fields["vector"] = json!(vector);
        fields
    }))
}

/// A collection of these vectors, under the squared Euclidean distance.
fn prepared(vectors: &[Vec<f32>]) -> Folder {
    let folder = Folder::new();
    let dim = vectors[0].len().to_string();
    let schema = ["--dim", &dim, "--metric", "squared-euclidean", "--text", "lang", "--int", "year"];
    let created = succeed(&folder, "create", &[&schema[..], &["--stored", "doc"]].concat());
    let expected =
        format!("notes.vexdb: created for vectors of {dim} x f32, squared-euclidean, with 3 fields\n");
    assert_eq!(created, expected);
    folder.write("rows.jsonl", with_vectors(vectors));
    succeed(&folder, "put", &["rows.jsonl"]);
    folder
}
