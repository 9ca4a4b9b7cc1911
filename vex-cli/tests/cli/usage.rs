//! Arguments: help, version, and usage errors before anything is opened.

use crate::support::{Folder, run};

const COMMANDS: [&str; 19] = [
    "build",
    "search",
    "gt",
    "bench",
    "convert",
    "tune",
    "plot",
    "info",
    "verify",
    "get",
    "add",
    "rm",
    "compact",
    "merge",
    "explore",
    "db",
    "demo",
    "completions",
    "man",
];

/// Without its feature, a command is not in this program.
#[test]
#[cfg(not(feature = "plot"))]
fn a_command_that_was_left_out_says_how_to_get_it() {
    let folder = Folder::new();
    let expected = "vex plot is not in this program: expected a build with --features plot, which cargo install takes too";
    folder.refuse("plot", expected);
    folder.refuse("plot a.json -o a.svg --unknown", expected);
}

const OF_DB: [&str; 10] =
    ["create", "put", "get", "delete", "query", "scroll", "stats", "verify", "backup", "maintain"];

#[test]
fn wrong_usage_has_exit_code_2() {
    let folder = Folder::new();
    for arguments in [
        "",
        "bulid",
        "build",
        "build base.npy",
        "build base.npy --output",
        "build base.npy --output a.vex extra",
        "build base.npy --output a.vex --metric manhattan",
        "build base.npy --output a.vex --element f64",
        "build base.npy --output a.vex --store i8",
        "build base.npy --output a.vex --m 3",
        "build base.npy --output a.vex --m 513",
        "build base.npy --output a.vex --m many",
        "build base.npy --output a.vex --ef-construction 0",
        "build base.npy --output a.vex --seed -1",
        "build base.npy --output a.vex --threads 0",
        "build base.npy --output a.vex --threads 1025",
        "search a.vex",
        "search a.vex --queries q.npy -k 0",
        "search a.vex --queries q.npy -k 1000001",
        "search a.vex --queries q.npy -k -1",
        "search a.vex --queries q.npy --ef-search 0",
        "gt base.npy --queries q.npy",
        "gt base.npy --queries q.npy --output t.npy -k 0",
        "gt base.npy --queries q.npy --output t.npy --threads 0",
        "bench a.vex --queries q.npy",
        "bench a.vex --queries q.npy --ground-truth t.npy -k 0",
        "bench a.vex --queries q.npy --ground-truth t.npy --threads 0",
        "bench a.vex --queries q.npy --ground-truth t.npy --ef-search 16,0",
        "bench a.vex --queries q.npy --ground-truth t.npy --ef-search 16,,32",
        "build base.npy --output a.vex --format bin",
        "build base.npy --output a.vex --on-invalid keep",
        "build base.npy --output a.vex --ids i.txt --keys k.txt",
        "convert a.npy",
        "convert a.npy b.npy --to vex",
        "convert a.vex b.npy --part codes",
        "info",
        "info a.vex b.vex",
        "info a.vex --kernels",
        "verify",
        "verify a.vex --json",
        "demo something",
        "tune",
        "get a.vex",
        "get a.vex seven",
        "add a.vex",
        "add a.vex b.npy --replace",
        "rm a.vex",
        "rm a.vex 1 --keys k.txt",
        "rm a.vex -1",
        "compact",
        "merge a.vex -o b.vex",
        "merge a.vex b.vex",
        "completions",
        "db",
        "db a.vexdb",
        "db create a.vexdb --dim 2",
        "db create a.vexdb --metric cosine",
        "db create a.vexdb --dim 0 --metric cosine",
        "db create a.vexdb --dim 65537 --metric cosine",
        "db create a.vexdb --dim 2 --metric hamming",
        "db create a.vexdb --dim 2 --metric cosine --text",
        "db put a.vexdb",
        "db put a.vexdb rows.jsonl --batch 0",
        "db get a.vexdb",
        "db delete a.vexdb",
        "db delete a.vexdb note/1 --ids ids.txt",
        "db query a.vexdb",
        "db query a.vexdb --near note/1 -k 0",
        "db query a.vexdb --near note/1 --ef-search 0",
        "db query a.vexdb --near note/1 --vector [1,0]",
        "db query a.vexdb --near note/1 --vector-file q.npy",
        "db query a.vexdb --near note/1 --param 1",
        "db query a.vexdb --near note/1 --fetch a --fetch-all",
        "db query a.vexdb --vector 1,0",
        "db query a.vexdb --vector [1,null]",
        "db scroll a.vexdb --limit -1",
        "db scroll a.vexdb --param 1",
        "db backup a.vexdb",
        "db maintain a.vexdb --memory much",
        "db maintain a.vexdb --memory 1.5GB",
        "db maintain a.vexdb --memory 99999999999GB",
        "db maintain a.vexdb --threads 0",
    ] {
        let run = folder.run(arguments);
        assert_eq!((run.code, &*run.stdout), (Some(2), ""), "vex {arguments}: {run:?}");
        assert!(run.stderr.contains("--help"), "vex {arguments}: {run:?}");
    }
    assert!(folder.snapshot().is_empty());
}

#[test]
fn unknown_instruction_set_is_wrong_usage() {
    let folder = Folder::new();
    let mut command = folder.command("info a.vex");
    command.env("VEX_SIMD", "mmx");
    let run = run(command);
    assert_eq!(run.code, Some(2));
    let expected = "error: VEX_SIMD: expected one of scalar, neon, avx2, avx512, found \"mmx\"\n";
    assert!(run.stderr.starts_with(expected), "{run:?}");
}

#[test]
fn help_and_version_succeed() {
    let folder = Folder::new();
    assert_eq!(folder.succeed("--version"), format!("vex {}\n", env!("CARGO_PKG_VERSION")));
    let help = folder.succeed("--help");
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
        let long = folder.succeed(&format!("{command} --help"));
        let short = folder.succeed(&format!("{command} -h"));
        let is_left_out = command == "plot" && cfg!(not(feature = "plot"));
        assert!(is_left_out || long.len() > short.len(), "{command}");
        assert!(long.contains(&format!("Usage: vex {command}")), "{long}");
        if command != "demo" && (command != "plot" || cfg!(feature = "plot")) {
            assert!(long.contains("\nExample"), "{long}");
        }
    }
}

#[test]
fn every_command_of_collections_has_help_with_an_example() {
    let folder = Folder::new();
    let help = folder.succeed("db --help");
    for command in OF_DB {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
        let long = folder.succeed(&format!("db {command} --help"));
        let short = folder.succeed(&format!("db {command} -h"));
        assert!(long.len() > short.len(), "{command}");
        assert!(long.contains(&format!("Usage: vex db {command}")), "{long}");
        assert!(long.contains("\nExample"), "{long}");
    }
}

#[test]
fn kernels_are_listed_for_every_element() {
    let folder = Folder::new();
    let table = folder.succeed("info --kernels");
    let kernels = folder.json("info --kernels --json");
    let kernels = kernels.as_array().unwrap();
    assert_eq!(kernels.len(), 24);
    for kernel in kernels {
        let [query, metric, name] = ["query", "metric", "name"].map(|field| kernel[field].as_str().unwrap());
        let mut lines = table.lines();
        assert!(
            lines.any(|line| line.starts_with(query) && line.contains(metric) && line.ends_with(name)),
            "{kernel}"
        );
    }
    let mut capped = folder.command("info --kernels --json");
    let run = run({
        capped.env("VEX_SIMD", "scalar");
        capped
    });
    let kernels: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(kernels.as_array().unwrap().iter().all(|kernel| kernel["name"] == "scalar"), "{run:?}");
}
