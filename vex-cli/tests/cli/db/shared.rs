//! A collection that other processes have open, and output that nobody reads.

use std::process::Stdio;
use std::time::Duration;

use vex_db::{Collection, Row};

use super::{lines, prepared, succeed};
use crate::support::{bytes, floats};

#[test]
fn one_process_writes_and_others_read() {
    let folder = prepared(&floats(&bytes(1, 20, 2)));
    let notes = Collection::open(folder.path("notes.vexdb")).unwrap();
    let expected = "notes.vexdb: another process has it open for writing; --wait waits for its end";
    let writers = [
        "put notes.vexdb rows.jsonl",
        "delete notes.vexdb note/00001",
        "verify notes.vexdb",
        "maintain notes.vexdb",
    ];
    for command in writers {
        folder.refuse(&format!("db {command}"), expected);
    }
    notes.upsert("new", &[1.0, 2.0], Row::new()).unwrap();
    // Readers see it at once.
    assert_eq!(lines(&folder, "get", &["new"]), [serde_json::json!({ "id": "new" })]);
    assert_eq!(lines(&folder, "scroll", &[]).len(), 21);
    assert_eq!(lines(&folder, "stats", &["--json"])[0]["rows"], 21);
    let near = lines(&folder, "query", &["--near", "new", "-k", "100", "--json"]);
    assert_eq!(near[0][0]["ids"].as_array().unwrap().len(), 20);
    folder.succeed("db backup notes.vexdb copy.vexdb");
    folder.succeed("db verify copy.vexdb");

    let mut command = folder.command("db delete notes.vexdb new --wait");
    let mut waiting = command.stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert!(waiting.try_wait().unwrap().is_none(), "it does not wait");
    drop(notes);
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "notes.vexdb: 1 row deleted\n");
    succeed(&folder, "verify", &[]);
}

#[test]
fn reader_that_left_is_no_failure() {
    let folder = prepared(&floats(&bytes(2, 2_000, 8)));
    for arguments in
        ["scroll notes.vexdb --vectors", "query notes.vexdb --near note/00001 -k 2000", "stats notes.vexdb"]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = folder.command(&format!("db {arguments}"));
        let output =
            command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]), "vex db {arguments}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn full_standard_output_is_a_failure() {
    let folder = prepared(&floats(&bytes(3, 2_000, 8)));
    for arguments in ["scroll notes.vexdb", "get notes.vexdb note/00001", "put notes.vexdb rows.jsonl"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = folder.command(&format!("db {arguments}"));
        let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        let expected = "error: standard output: cannot be written: No space left on device (os error 28)\n";
        assert_eq!(
            (output.status.code(), &*String::from_utf8_lossy(&output.stderr)),
            (Some(1), expected),
            "{arguments}"
        );
    }
}
