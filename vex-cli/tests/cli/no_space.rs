//! A disk that is full.
//!
//! A limit on the size of files simulates it. This needs no privilege, and the kernel reports the
//! same error at the same place. The shell ignores the signal for it, so the write fails instead.
#![cfg(unix)]

use std::process::Command;

use crate::support::{Folder, bytes, floats, run, vectors};

/// Runs the command where no file can grow beyond 16 blocks. The shell decides whether a block has
/// 512 or 1024 bytes.
fn refuse(folder: &Folder, arguments: &str, output: &str) {
    let before = folder.snapshot();
    let vex = folder.command(arguments);
    let mut shell = Command::new("sh");
    shell.current_dir(folder.path("")).arg("-c").arg(r#"trap "" XFSZ && ulimit -f 16 && exec "$0" "$@""#);
    shell.arg(vex.get_program()).args(vex.get_args());
    let run = run(shell);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(run.stdout, "");
    let expected = format!("error: {output}: cannot be written: ");
    assert!(run.stderr.starts_with(&expected) && run.stderr.lines().count() == 1, "{run:?}");
    if cfg!(target_os = "linux") {
        assert_eq!(run.stderr, format!("{expected}File too large (os error 27)\n"));
    }
    assert!(folder.snapshot() == before, "vex {arguments}: files changed");
}

#[test]
fn old_files_stay_and_no_part_of_a_new_one_is_left() {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(1, 1000, 8))));
    folder.succeed("build base.npy --output index.vex");
    folder.write("old.vex", "an older index");
    folder.write("old.npy", "older ids");
    for output in ["old", "new"] {
        let index = format!("{output}.vex");
        refuse(&folder, &format!("build base.npy --output {index}"), &index);
        let ids = format!("{output}.npy");
        refuse(&folder, &format!("gt base.npy --queries base.npy --output {ids}"), &ids);
        refuse(&folder, &format!("search index.vex --queries base.npy --output {ids}"), &ids);
    }
}
