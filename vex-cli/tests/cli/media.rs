//! A full disk and a read-only one: a file system in memory, in a mount namespace of its own.
#![cfg(target_os = "linux")]

use std::process::Command;

use crate::support::{Folder, bytes, floats, run, vectors};

const SCRIPT: &str = r#"
mount -t tmpfs -o size=64k tmpfs disk
cp small.vex disk/index.vex
if "$0" build large.npy --output disk/index.vex 2> full; then exit 10; fi
cmp small.vex disk/index.vex
test "$(ls -A disk)" = index.vex
"$0" build small.npy --output disk/index.vex
cmp small.vex disk/index.vex
mount -o remount,ro disk
"$0" verify disk/index.vex
if "$0" build small.npy --output disk/index.vex 2> read-only; then exit 11; fi
cmp small.vex disk/index.vex
"#;

fn unshare(folder: &Folder, script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-euc", script, env!("CARGO_BIN_EXE_vex")]);
    command.current_dir(folder.path(""));
    command
}

#[test]
fn full_and_read_only_disks_keep_the_old_index() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("disk")).unwrap();
    if !unshare(&folder, "mount -t tmpfs tmpfs disk").output().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: this user cannot mount a file system");
        assert!(std::env::var("VEX_REQUIRE_ALL").as_deref() != Ok("1"), "a file system must be mounted");
        return;
    }
    folder.write("small.npy", vectors(&floats(&bytes(1, 100, 4))));
    folder.write("large.npy", vectors(&floats(&bytes(2, 1000, 4))));
    folder.succeed("build small.npy --output small.vex");
    let run = run(unshare(&folder, SCRIPT));
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}");
    let line = |name| String::from_utf8(folder.read(name)).unwrap();
    let expected = "error: disk/index.vex: cannot be written: No space left on device (os error 28)\n";
    assert_eq!(line("full"), expected);
    let expected =
        "error: disk/index.vex: cannot be written: folder disk: Read-only file system (os error 30)";
    assert!(line("read-only").starts_with(expected), "{}", line("read-only"));
}
