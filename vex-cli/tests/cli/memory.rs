//! A machine without more memory, or without more threads. A limit on the address space simulates
//! it.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Folder, Run, bytes, floats, run, vectors};

/// Runs the command in `mib` MiB of addresses. A command that does not end is a failure.
fn within(folder: &Folder, mib: usize, arguments: &str) -> Run {
    let vex = folder.command(arguments);
    let mut shell = Command::new("timeout");
    shell.current_dir(folder.path("")).args(["--signal=KILL", "60", "sh", "-c"]);
    shell
        .arg(format!(r#"ulimit -v {} && exec "$0" "$@""#, mib << 10))
        .arg(vex.get_program())
        .args(vex.get_args());
    // All threads share one heap, so that the addresses do not depend on which thread comes first.
    shell.env("MALLOC_ARENA_MAX", "1").stdin(Stdio::null());
    let started = Instant::now();
    let run = run(shell);
    assert!(
        started.elapsed() < Duration::from_secs(50),
        "vex {arguments} in {mib} MiB does not end: {run:?}"
    );
    run
}

/// The fewest MiB in which the command runs, if it needs no others.
fn least(folder: &Folder, arguments: &str) -> usize {
    (1..200).find(|mib| within(folder, *mib, arguments).code == Some(0)).unwrap()
}

/// Gives a command more and more memory, until it has enough. Before that, it must report that
/// memory ran out. Returns how often it did.
fn starve(folder: &Folder, start: usize, step: usize, arguments: &str) -> usize {
    let mut refused = 0;
    for mib in (start..).step_by(step) {
        let Run { code, stdout, stderr } = within(folder, mib, arguments);
        if code == Some(0) {
            break;
        }
        assert_eq!(code, Some(1), "vex {arguments} in {mib} MiB: {stderr}");
        // A warning may come before.
        let errors: Vec<&str> = stderr.lines().filter(|line| !line.starts_with("warning: ")).collect();
        assert!(
            errors.len() == 1 && errors[0].starts_with("error: "),
            "vex {arguments} in {mib} MiB: {stdout}{stderr}"
        );
        refused += 1;
    }
    refused
}

#[test]
fn a_plan_says_what_a_build_takes_and_builds_nothing() {
    let folder = Folder::new();
    for dim in [8, 32, 48] {
        folder.write("base.npy", vectors(&floats(&bytes(1, 2_000, dim))));
        for options in [
            "",
            "--quantize none",
            "--m 48 --quantize sq4",
            "--store f16 --element f32",
            "--store none --quantize sq8",
        ] {
            let read = |command: &str| -> serde_json::Value {
                serde_json::from_str(&folder.succeed(&format!("build base.npy {options} --json {command}")))
                    .unwrap()
            };
            let (plan, built) = (read("--plan --output planned.vex"), read("--output built.vex"));
            assert!(!folder.path("planned.vex").exists(), "{options}");
            for field in ["count", "dim", "element", "metric"] {
                assert_eq!(plan[field], built[field], "{options}: {field}");
            }
            let [planned, found] = [&plan, &built].map(|report| report["index_bytes"].as_u64().unwrap());
            // Upper levels and padding.
            assert!(planned.abs_diff(found) < 2_000, "{options}: {planned} of {found}");
            let bytes = |field: &str| plan[field].as_u64().unwrap();
            let [graph, peak, links] = ["graph_bytes", "peak_bytes", "links_bytes"].map(bytes);
            assert!(links < graph && graph <= peak, "{options}: {plan}");
        }
    }
    folder.write("base.npy", vectors(&floats(&bytes(1, 2_000, 32))));
    let text = folder.succeed("build base.npy --plan --threads 2");
    assert!(text.starts_with("2,000 vectors of 32 x f32, squared-euclidean\nin memory "), "{text}");
    assert!(text.contains("during the build on 2 threads\nthe file "), "{text}");
    assert!(
        text.ends_with("at most: with --quantize auto, the vectors decide how large codes are\n"),
        "{text}"
    );
    assert!(!folder.succeed("build base.npy --plan --quantize sq4").contains("at most"));
}

#[test]
fn threads_that_cannot_be_started_are_told() {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(1, 500, 8))));
    folder.succeed("build base.npy --output index.vex");
    folder.succeed("gt base.npy --queries base.npy -k 10 --output truth.npy");
    let bench =
        "bench index.vex --queries base.npy --ground-truth truth.npy --ef-search 16 --json --threads 1024";
    // Each thread has a stack of 2 MiB.
    let Run { code, stdout, stderr } = within(&folder, 1000, bench);
    assert!(stderr.starts_with("error: index.vex: could not start 1024 threads: "), "{stderr}");
    assert_eq!((code, &*stdout, stderr.lines().count()), (Some(1), "", 1));
}

#[test]
fn exact_answers_that_do_not_fit_are_told() {
    let folder = Folder::new();
    let few = vectors(&floats(&bytes(1, 2, 1)));
    folder.write("few.npy", &few);
    let least = least(&folder, "gt few.npy --queries few.npy --threads 1 --output few.ivecs");
    folder.write("base.npy", vectors(&floats(&bytes(2, 6_000, 1))));
    folder.write("queries.npy", vectors(&floats(&bytes(3, 1_000, 1))));
    // 46 MiB of answers, 23 of ids.
    let arguments = "gt base.npy --queries queries.npy -k 6000 --threads 1 --output truth.npy";
    assert!(starve(&folder, least + 2, 7, arguments) > 5);
    folder.write("wide.npy", vectors(&floats(&bytes(2, 3_000, 1_000))));
    folder.write("one.npy", vectors(&floats(&bytes(3, 1, 1_000))));
    let arguments = "gt wide.npy --queries one.npy -k 1 --threads 1 --output truth.npy";
    assert!(starve(&folder, least + 2, 5, arguments) > 1);
}

#[test]
fn measurements_that_do_not_fit_are_told() {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(1, 4_000, 256))));
    folder.succeed("build base.npy --quantize none --m 4 --ef-construction 8 --output index.vex");
    folder.write("queries.npy", vectors(&floats(&bytes(2, 8_000, 256))));
    folder.succeed("search index.vex --queries queries.npy -k 10 --output truth.npy");
    let least = least(&folder, "verify index.vex --threads 1");
    let arguments =
        "bench index.vex --queries queries.npy --ground-truth truth.npy --ef-search 16 --json --threads 1";
    assert!(starve(&folder, least + 2, 3, arguments) > 2);
    assert!(starve(&folder, least + 2, 3, &format!("{arguments} --load")) > 2);
}
