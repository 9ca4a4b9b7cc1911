//! Ctrl-C while a command writes.
#![cfg(unix)]

use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::support::{Folder, bytes, floats, vectors};

/// A folder with vectors that take long to link.
fn prepared() -> Folder {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(1, 20_000, 64))));
    folder.write("few.npy", vectors(&floats(&bytes(2, 500, 64))));
    folder.succeed("build few.npy -o index.vex --quantize none --m 4 --ef-construction 8");
    folder
}

/// The command, which does not ignore Ctrl-C even if these tests do, as programs in the background of
/// a script do.
fn heeding(command: Command) -> Command {
    if !cfg!(target_os = "linux") {
        return command;
    }
    let mut heeding = Command::new("env");
    heeding.arg("--default-signal=INT").arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        heeding.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => heeding.env(name, value),
            None => heeding.env_remove(name),
        };
    }
    heeding
}

fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Starts the command, and presses Ctrl-C once it has locked the output.
fn interrupted(folder: &Folder, arguments: &str, output: &str) -> Output {
    let mut command = heeding(folder.command(arguments));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let temporary = folder.path(&format!(".vex-{output}.tmp"));
    while !temporary.exists() {
        assert_eq!(child.try_wait().unwrap(), None, "vex {arguments} has ended too early");
        std::thread::yield_now();
    }
    // The handler is there soon after the file.
    sleep(Duration::from_millis(100));
    interrupt(&child);
    child.wait_with_output().unwrap()
}

#[test]
fn the_old_file_stays_and_is_said_to() {
    let folder = prepared();
    let before = folder.snapshot();
    for arguments in [
        "build base.npy -o index.vex --threads 1 --ef-construction 2000",
        "add index.vex base.npy",
        "gt base.npy -q base.npy -k 1000 -t 1 -o index.npy",
    ] {
        let (name, state) = if arguments.starts_with("gt") {
            ("index.npy", "was not written")
        } else {
            ("index.vex", "is as it was")
        };
        let output = interrupted(&folder, arguments, name);
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            format!("interrupted: {name} {state}\n"),
            "{arguments}"
        );
        assert_eq!((output.status.code(), &*output.stdout), (Some(130), &b""[..]), "{arguments}");
        assert!(folder.snapshot() == before, "vex {arguments}: files changed");
    }
    folder.succeed("verify index.vex");
}

/// However late Ctrl-C comes, the message is true.
#[test]
fn the_message_names_the_file_that_is_there() {
    let folder = prepared();
    let build = |seed: usize| {
        format!("build few.npy -o index.vex --quantize none --m 4 --ef-construction 8 --seed {seed}")
    };
    let expected: Vec<Vec<u8>> = (0..2)
        .map(|seed| {
            folder.succeed(&build(seed));
            folder.read("index.vex")
        })
        .collect();
    assert!(expected[0] != expected[1]);
    let mut there = 1;
    let (mut old, mut new) = (0, 0);
    for cycle in 0..60_u64 {
        let next = 1 - there;
        let mut command = heeding(folder.command(&build(next)));
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        sleep(Duration::from_micros(cycle % 20 * 1_500));
        interrupt(&child);
        let output = child.wait_with_output().unwrap();
        let found = folder.read("index.vex");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let version = expected.iter().position(|expected| *expected == found).unwrap();
        match &*stderr {
            "interrupted: index.vex is as it was\n" => {
                assert_eq!((version, output.status.code()), (there, Some(130)));
                old += 1;
            }
            "interrupted: index.vex is written\n" => {
                // The command may end by itself while the message is printed.
                assert_eq!(version, next);
                assert!(matches!(output.status.code(), Some(0 | 130)), "{output:?}");
                new += 1;
            }
            // The signal came before the handler, or the command had ended.
            "" => assert_eq!(version == next, output.status.success(), "{output:?}"),
            other => panic!("{other}"),
        }
        assert!(!folder.path(".vex-index.vex.tmp").exists() || stderr.is_empty());
        there = version;
    }
    eprintln!("old {old}, new {new}");
    assert!(old > 0, "no signal came while the file was written");
}

#[test]
fn a_command_in_the_background_of_a_script_ignores_the_signal_as_before() {
    let folder = prepared();
    let mut shell = Command::new("sh");
    let vex = folder.command("build few.npy -o index.vex");
    shell.current_dir(folder.path("")).args(["-c", r#"trap "" INT && exec "$0" "$@""#]);
    shell.arg(vex.get_program()).args(vex.get_args());
    let child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    sleep(Duration::from_millis(30));
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
}
