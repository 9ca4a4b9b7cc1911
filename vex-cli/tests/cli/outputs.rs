//! Outputs that cannot be written, and outputs that nobody reads.

use std::process::Stdio;

use crate::support::{Folder, bytes, floats, run, vectors};

fn prepared() -> Folder {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(1, 100, 4))));
    folder.succeed("build base.npy --output index.vex");
    folder
}

/// Every command that writes a file, without the file.
const WRITERS: [(&str, &str); 3] = [
    ("build base.npy --output", "vex"),
    ("gt base.npy --queries base.npy --output", "npy"),
    ("search index.vex --queries base.npy --output", "npy"),
];

#[test]
fn missing_folder_is_named_before_the_work() {
    let folder = prepared();
    for (command, extension) in WRITERS {
        let expected = format!(
            "missing/out.{extension}: cannot be written: folder missing: No such file or directory (os error 2)"
        );
        folder.refuse(&format!("{command} missing/out.{extension}"), &expected);
    }
}

#[test]
fn path_below_a_file_is_refused() {
    let folder = prepared();
    for (command, extension) in WRITERS {
        let expected =
            format!("base.npy/out.{extension}: cannot be written: folder base.npy: not a directory");
        folder.refuse(&format!("{command} base.npy/out.{extension}"), &expected);
    }
}

#[test]
fn folder_is_not_replaced() {
    let folder = prepared();
    for (command, extension) in WRITERS {
        let name = format!("folder.{extension}");
        std::fs::create_dir_all(folder.path(&name)).unwrap();
        let expected =
            format!("{name}: cannot be written: expected a regular file or a new name, found a folder");
        folder.refuse(&format!("{command} {name}"), &expected);
    }
}

#[test]
fn input_is_not_overwritten() {
    let folder = prepared();
    for (command, _) in WRITERS {
        let expected = "./base.npy: cannot be written: it is the input";
        folder.refuse(&format!("{command} ./base.npy"), expected);
    }
}

#[test]
fn older_output_is_replaced() {
    let folder = prepared();
    for (command, extension) in WRITERS {
        let name = format!("out.{extension}");
        folder.succeed(&format!("{command} {name}"));
        let written = folder.read(&name);
        folder.write(&name, "something older");
        folder.succeed(&format!("{command} {name}"));
        assert!(folder.read(&name) == written, "{command}");
    }
    assert!(folder.snapshot().keys().all(|name| !name.starts_with('.')), "a temporary file was left");
}

#[test]
fn reader_that_left_is_no_failure() {
    let folder = prepared();
    for arguments in ["search index.vex --queries base.npy", "info index.vex", "verify index.vex", "demo"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = folder.command(arguments);
        let output =
            command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]), "vex {arguments}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn full_standard_output_is_a_failure() {
    let folder = prepared();
    for arguments in ["search index.vex --queries base.npy", "info index.vex --json", "verify index.vex"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = folder.command(arguments);
        command.stdout(full);
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let expected = "error: standard output: cannot be written: No space left on device (os error 28)\n";
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected, "vex {arguments}");
        assert_eq!(output.status.code(), Some(1), "vex {arguments}");
    }
}

/// A name that would clear the screen.
#[test]
#[cfg(unix)]
fn names_of_files_do_not_steer_the_terminal() {
    let folder = prepared();
    let name = "two\nlines\x1b[2J\u{9b}2J";
    let shown = "two\u{fffd}lines\u{fffd}[2J\u{fffd}2J";
    let with = |arguments: &str, names: &[&str]| {
        let mut command = folder.command(arguments);
        command.args(names);
        run(command)
    };
    let (index, truth) = (format!("{name}.vex"), format!("{name}.ivecs"));
    let texts = [
        with("build base.npy --output", &[&index]).stdout,
        with("info", &[&index]).stdout,
        with("gt base.npy --queries base.npy -k 3 --output", &[&truth]).stdout,
        with("bench --queries base.npy -k 3 --ef-search 10 --ground-truth", &[&truth, &index]).stdout,
        // Wrong usage repeats the arguments.
        with("info", &[&index, name]).stderr,
        with("verify", &[&format!("--{name}")]).stderr,
    ];
    for text in texts {
        assert!(text.contains(shown), "{text:?}");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    }
}

#[test]
fn names_of_files_do_not_break_the_line() {
    let folder = prepared();
    let mut command = folder.command("info");
    command.arg("two\nlines\x1b[2J.vex");
    let stderr = run(command).stderr;
    assert!(stderr.starts_with("error: two\u{fffd}lines\u{fffd}[2J.vex: cannot be opened: "), "{stderr}");
    assert_eq!(stderr.lines().count(), 1);
}
