//! Builds that are killed over an older index.
#![cfg(unix)]

use std::fs;
use std::process::Stdio;
use std::time::Instant;

use vex::Index;

use crate::support::{Folder, bytes, floats, vectors};

const LEFT: &str = ".vex-index.vex.tmp";

/// `VEX_CASES` asks for more than the usual number.
fn cycles() -> u64 {
    std::env::var("VEX_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(12)
}

/// The stages of the builds at which they were killed.
#[derive(Debug, Default)]
struct Met {
    /// The build had ended.
    late: u64,
    /// A part of the index was written, and was left behind.
    saving: u64,
    old: u64,
    new: u64,
}

#[test]
fn a_killed_build_leaves_the_old_index_or_the_new_one() {
    let folder = Folder::new();
    // Few and long vectors are quick to link, and slow to write.
    let build =
        |version: usize| format!("build {version}.npy --output index.vex --quantize none --threads 1");
    let expected: Vec<Vec<u8>> = (0..2)
        .map(|version| {
            folder.write(&format!("{version}.npy"), vectors(&floats(&bytes(version as u64, 150, 4000))));
            folder.succeed(&build(version));
            folder.read("index.vex")
        })
        .collect();
    assert!(expected[0] != expected[1]);
    let started = Instant::now();
    folder.succeed(&build(1));
    let took = started.elapsed();
    let mut met = Met::default();
    let mut there = 1;
    for cycle in 0..cycles() {
        let next = 1 - there;
        let mut command = folder.command(&build(next));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let draw = f64::from(cycle.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()[0]) / 200.0;
        // A third at any time, a third at any time while saving, and a third at the beginning of
        // saving.
        let after = [draw, draw, draw / 20.0][(cycle % 3) as usize];
        // The empty file is there from the start, as a lock.
        let is_saving = || fs::metadata(folder.path(LEFT)).is_ok_and(|left| left.len() > 0);
        while cycle % 3 > 0 && child.try_wait().unwrap().is_none() && !is_saving() {
            std::thread::yield_now();
        }
        std::thread::sleep(took.mul_f64(after));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        met.late += u64::from(status.success());
        met.saving += u64::from(is_saving());

        let found = folder.read("index.vex");
        let version = expected.iter().position(|expected| *expected == found);
        let version = version.unwrap_or_else(|| panic!("cycle {cycle}: {} bytes of neither", found.len()));
        assert!(
            version == next || !status.success(),
            "cycle {cycle}: a build that succeeded left the old index"
        );
        Index::open(folder.path("index.vex")).unwrap();
        if version == next {
            met.new += 1;
        } else {
            met.old += 1;
        }
        there = version;
    }
    eprintln!("{met:?}");
    assert!(met.saving > 0 && met.old > 0, "{met:?}");
    // Whatever a killed build left, the next save succeeds and removes it.
    fs::write(folder.path(LEFT), "a part").unwrap();
    folder.succeed(&build(0));
    assert!(folder.read("index.vex") == expected[0] && !folder.path(LEFT).exists());
}

#[test]
fn a_second_writer_is_refused() {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(1, 50, 4))));
    folder.succeed("build base.npy --output index.vex");
    let first = fs::File::create(folder.path(LEFT)).unwrap();
    first.lock().unwrap();
    folder.refuse("build base.npy --output index.vex", "index.vex: locked by another writer");
    drop(first);
    folder.succeed("build base.npy --output index.vex");
    assert!(!folder.path(LEFT).exists());
}
