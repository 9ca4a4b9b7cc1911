//! Outputs and inputs that are links, pipes, devices, folders, or files of other users.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vex::Index;

use crate::support::{Folder, Run, bytes, floats, run, vectors};

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

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Waits for a command that must not wait for anything.
#[track_caller]
fn end_soon(mut command: Command) -> Run {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{command:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn pipes_sockets_and_devices_are_not_replaced() {
    let folder = prepared();
    for (command, extension) in WRITERS {
        let [pipe, socket, device] = ["pipe", "socket", "device"].map(|name| format!("{name}.{extension}"));
        if !folder.path(&pipe).exists() {
            make_pipe(&folder.path(&pipe));
        }
        let _ = std::os::unix::net::UnixListener::bind(folder.path(&socket));
        // A second null device, which only root can make.
        let mknod = Command::new("mknod").arg(folder.path(&device)).args(["c", "1", "3"]).output();
        let is_made = mknod.is_ok_and(|output| output.status.success()) || folder.path(&device).exists();
        let link = format!("link-to-pipe.{extension}");
        let _ = symlink(&pipe, folder.path(&link));
        for (name, kind) in [(&pipe, "pipe"), (&socket, "socket"), (&device, "device"), (&link, "pipe")] {
            if kind == "device" && !is_made {
                eprintln!("SKIPPED: this user makes no devices");
                continue;
            }
            let before = fs::symlink_metadata(folder.path(name)).unwrap();
            let run = end_soon(folder.command(&format!("{command} {name}")));
            let expected = format!(
                "error: {name}: cannot be written: expected a regular file or a new name, found a {kind}\n"
            );
            assert_eq!((run.code, &*run.stderr), (Some(1), &*expected), "{command}");
            let after = fs::symlink_metadata(folder.path(name)).unwrap();
            assert_eq!((after.ino(), after.mode()), (before.ino(), before.mode()), "{command} {name}");
        }
    }
}

#[test]
fn the_target_of_a_link_is_replaced_and_the_link_stays() {
    let folder = prepared();
    fs::create_dir(folder.path("far")).unwrap();
    for (command, extension) in WRITERS {
        let own = format!("{}.{extension}", command.split(' ').next().unwrap());
        let [plain, link, chain, real] =
            ["plain", "link", "chain", "far/real"].map(|name| format!("{name}-{own}"));
        folder.succeed(&format!("{command} {plain}"));
        // In the first round the target of the links is missing.
        symlink(&real, folder.path(&link)).unwrap();
        symlink(folder.path(&link), folder.path(&chain)).unwrap();
        for name in [&link, &chain, &link] {
            folder.succeed(&format!("{command} {name}"));
            assert!(folder.read(&real) == folder.read(&plain), "{command} {name}");
            assert!(!fs::symlink_metadata(folder.path(&real)).unwrap().is_symlink());
            for link in [&link, &chain] {
                assert!(fs::symlink_metadata(folder.path(link)).unwrap().is_symlink(), "{command} {link}");
            }
            folder.write(&real, "older");
        }
        let nowhere = format!("nowhere-{own}");
        symlink(format!("missing/{own}"), folder.path(&nowhere)).unwrap();
        let expected =
            format!("{nowhere}: cannot be written: folder missing: No such file or directory (os error 2)");
        folder.refuse(&format!("{command} {nowhere}"), &expected);
        let [one, other] = ["one", "other"].map(|name| format!("{name}-{own}"));
        symlink(&one, folder.path(&other)).unwrap();
        symlink(&other, folder.path(&one)).unwrap();
        let expected = format!("{one}: cannot be written: Too many levels of symbolic links (os error 40)");
        let run = folder.run(&format!("{command} {one}"));
        assert_eq!(run.code, Some(1));
        if cfg!(target_os = "linux") {
            assert_eq!(run.stderr, format!("error: {expected}\n"));
        }
    }
    let left: Vec<_> =
        fs::read_dir(folder.path("far")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name.to_str().unwrap().starts_with("real")), "{left:?}");
}

#[test]
fn names_up_to_the_longest_are_written_and_longer_ones_refused_at_once() {
    let folder = prepared();
    for (command, extension) in WRITERS {
        for len in [245, 246, 247, 249, 254, 255] {
            let name = format!("{}.{extension}", "n".repeat(len - extension.len() - 1));
            folder.succeed(&format!("{command} {name}"));
            assert!(!folder.read(&name).is_empty());
            folder.succeed(&format!("{command} {name}"));
        }
        let name = format!("{}.{extension}", "n".repeat(255 - extension.len()));
        let run = folder.run(&format!("{command} {name}"));
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains("cannot be written: File name too long"), "{run:?}");
    }
    assert!(folder.snapshot().keys().all(|name| !name.starts_with('.')), "a temporary file was left");
}

#[test]
fn what_is_planted_at_the_temporary_name_is_removed_and_not_followed() {
    let folder = prepared();
    let expected = folder.read("index.vex");
    folder.write("victim", "untouched");
    let planted = folder.path(".vex-index.vex.tmp");
    let plant: [(&str, &dyn Fn()); 6] = [
        ("a dangling link", &|| symlink("nowhere", &planted).unwrap()),
        ("a link to itself", &|| symlink(".vex-index.vex.tmp", &planted).unwrap()),
        ("a link to a file", &|| symlink("victim", &planted).unwrap()),
        ("a pipe", &|| make_pipe(&planted)),
        ("a file of nobody's", &|| {
            fs::write(&planted, "left").unwrap();
            fs::set_permissions(&planted, Permissions::from_mode(0o000)).unwrap();
        }),
        ("a socket", &|| drop(std::os::unix::net::UnixListener::bind(&planted).unwrap())),
    ];
    for (what, plant) in plant {
        plant();
        let run = end_soon(folder.command("build base.npy --output index.vex"));
        assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{what}");
        assert!(folder.read("index.vex") == expected, "{what}");
        assert!(fs::symlink_metadata(&planted).is_err(), "{what}");
        assert_eq!(folder.read("victim"), b"untouched");
        assert!(!folder.path("nowhere").exists());
    }
    fs::create_dir(&planted).unwrap();
    let run = folder.run("build base.npy --output index.vex");
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.starts_with("error: index.vex: expected to write through /"), "{run:?}");
    assert!(run.stderr.ends_with("/.vex-index.vex.tmp, found a folder\n"), "{run:?}");
}

/// Whether files can be given to other users.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

const NOBODY: u32 = 65_534;

#[test]
fn what_another_user_left_is_removed() {
    let folder = prepared();
    fs::set_permissions(folder.path(""), Permissions::from_mode(0o777)).unwrap();
    let left = folder.path(".vex-other.vex.tmp");
    fs::write(&left, "left").unwrap();
    fs::set_permissions(&left, Permissions::from_mode(0o000)).unwrap();
    let mut command = folder.command("build base.npy --output other.vex");
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let run = end_soon(command);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    assert!(folder.read("other.vex") == folder.read("index.vex") && !left.exists());
}

#[test]
fn a_umask_that_takes_everything_does_not_block_the_next_build() {
    let folder = prepared();
    let build = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-ec", script, env!("CARGO_BIN_EXE_vex")]).current_dir(folder.path(""));
        if is_root() {
            fs::set_permissions(folder.path(""), Permissions::from_mode(0o777)).unwrap();
            command.uid(NOBODY).gid(NOBODY);
        }
        end_soon(command)
    };
    for _ in 0..2 {
        let run = build("umask 0777; exec \"$0\" build base.npy --output mine.vex");
        assert_eq!((run.code, &*run.stderr), (Some(0), ""));
        assert_eq!(fs::metadata(folder.path("mine.vex")).unwrap().mode() & 0o777, 0);
    }
    let run = build("umask 0027; exec \"$0\" build base.npy --output new.vex");
    assert_eq!((run.code, fs::metadata(folder.path("new.vex")).unwrap().mode() & 0o777), (Some(0), 0o640));
}

#[test]
fn permissions_and_owner_of_a_replaced_file_are_kept() {
    let folder = prepared();
    for (command, extension) in WRITERS {
        let name = format!("kept.{extension}");
        folder.write(&name, "older");
        for mode in [0o600, 0o644, 0o664, 0o640, 0o400, 0o755] {
            fs::set_permissions(folder.path(&name), Permissions::from_mode(mode)).unwrap();
            if is_root() {
                std::os::unix::fs::chown(folder.path(&name), Some(1234), Some(4321)).unwrap();
            }
            folder.succeed(&format!("{command} {name}"));
            let found = fs::metadata(folder.path(&name)).unwrap();
            assert_eq!(found.mode() & 0o777, mode, "{command} {mode:o}");
            if is_root() {
                assert_eq!((found.uid(), found.gid()), (1234, 4321), "{command}");
            }
        }
    }
}

/// In a sticky folder, such as `/tmp`, a user cannot rename over the file of another.
#[test]
fn a_file_that_only_its_owner_may_replace_is_refused_at_once() {
    if !is_root() {
        eprintln!("SKIPPED: this user cannot be another one");
        return;
    }
    let folder = prepared();
    fs::set_permissions(folder.path(""), Permissions::from_mode(0o1777)).unwrap();
    let before = folder.snapshot();
    for (command, extension) in WRITERS {
        let name = if extension == "vex" { "index.vex" } else { "owned.npy" };
        if extension == "npy" {
            folder.write(name, "owned");
        }
        let mut nobody = folder.command(&format!("{command} {name}"));
        let run = end_soon({
            nobody.uid(NOBODY).gid(NOBODY);
            nobody
        });
        let expected = format!("error: {name}: cannot be written: folder .: permission denied\n");
        assert_eq!((run.code, &*run.stderr), (Some(1), &*expected), "{command}");
    }
    assert!(before.iter().all(|(name, bytes)| folder.read(name) == *bytes));
    assert_eq!(folder.snapshot().len(), before.len() + 1);
}

/// A build that takes longer than the test, and is killed at its end.
struct Slow(Child);

impl Drop for Slow {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_second_build_to_one_file_fails_at_once() {
    let folder = prepared();
    folder.write("large.npy", vectors(&floats(&bytes(2, 60_000, 64))));
    let expected = folder.read("index.vex");
    let left = folder.path(".vex-index.vex.tmp");
    let mut command = folder.command("build large.npy --output index.vex --threads 1");
    let slow = Slow(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let started = Instant::now();
    while !left.exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "it is not locked");
        std::thread::sleep(Duration::from_millis(1));
    }
    // The lock is there before anything is saved.
    assert_eq!(fs::metadata(&left).unwrap().len(), 0);
    folder.refuse("build base.npy --output index.vex", "index.vex: locked by another writer");
    symlink("index.vex", folder.path("link.vex")).unwrap();
    folder.refuse("build base.npy --output link.vex", "link.vex: locked by another writer");
    assert!(left.exists() && folder.read("index.vex") == expected);
    drop(slow);
    folder.succeed("build base.npy --output index.vex");
    assert!(!left.exists());
}

#[test]
fn pipes_are_not_read() {
    let folder = prepared();
    folder.succeed("gt base.npy --queries base.npy -k 10 --output truth.npy");
    for name in ["pipe.vex", "pipe.npy", "pipe.txt"] {
        make_pipe(&folder.path(name));
    }
    for arguments in [
        "info pipe.vex",
        "info pipe.vex --load",
        "verify pipe.vex",
        "verify pipe.vex --load",
        "search pipe.vex --queries base.npy",
        "search pipe.vex --queries base.npy --load",
        "search index.vex --queries pipe.npy",
        "bench pipe.vex --queries base.npy --ground-truth truth.npy",
        "bench pipe.vex --queries base.npy --ground-truth truth.npy --load",
        "bench pipe.vex --queries base.npy --ground-truth truth.npy --load=codes",
        "bench index.vex --queries base.npy --ground-truth pipe.npy",
        "build pipe.npy --output new.vex",
        "build base.npy --keys pipe.txt --output new.vex",
        "gt pipe.npy --queries base.npy --output new.npy",
        "gt base.npy --queries pipe.npy --output new.npy",
    ] {
        let run = end_soon(folder.command(arguments));
        let name = arguments.split_whitespace().find(|word| word.starts_with("pipe.")).unwrap();
        let expected = format!("error: {name}: expected a regular file\n");
        assert_eq!((run.code, &*run.stderr), (Some(1), &*expected), "vex {arguments}");
    }
    assert!(fs::metadata(folder.path("pipe.vex")).unwrap().file_type().is_fifo());
}

/// If the file were mapped, reading beyond its new end would end the process.
#[test]
fn an_index_in_memory_answers_as_a_mapped_one() {
    let folder = prepared();
    for arguments in ["search index.vex --queries base.npy", "info index.vex", "info index.vex --json"] {
        assert_eq!(folder.succeed(&format!("{arguments} --load")), folder.succeed(arguments));
    }
    assert!(folder.succeed("verify index.vex --load").starts_with("ok: 100 vectors"));
}

#[test]
fn a_file_that_is_no_index_is_refused_before_it_is_read() {
    let folder = prepared();
    folder.succeed("gt base.npy --queries base.npy -k 10 --output truth.npy");
    // More bytes than any disk or memory has.
    let huge = fs::File::create(folder.path("huge.vex")).unwrap();
    if huge.set_len(1 << 42).is_err() {
        eprintln!("SKIPPED: this file system has no holes");
        return;
    }
    let magic =
        "huge.vex: not a Vex index: expected the magic bytes of one, found [00, 00, 00, 00, 00, 00, 00, 00]";
    let index = folder.read("index.vex");
    let length =
        format!("huge.vex: the file is too long: expected {} bytes, found {}", index.len(), 1_u64 << 42);
    for expected in [magic, &length] {
        for command in [
            "bench huge.vex --queries base.npy --ground-truth truth.npy --load",
            "search huge.vex --queries base.npy --load",
            "verify huge.vex --load",
            "info huge.vex --load",
        ] {
            let run = end_soon(folder.command(command));
            assert_eq!((run.code, &*run.stderr), (Some(1), &*format!("error: {expected}\n")), "{command}");
        }
        let problem = Index::open(folder.path("huge.vex")).unwrap_err().problem;
        assert!(matches!(problem, vex::OpenProblem::Format(_)), "{problem}");
        std::os::unix::fs::FileExt::write_all_at(&huge, &index[..4096.min(index.len())], 0).unwrap();
    }
}

#[test]
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn closed_standard_output_is_a_failure() {
    let folder = prepared();
    let closed = |arguments: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" >&-", env!("CARGO_BIN_EXE_vex")]);
        command.args(arguments.split_whitespace()).current_dir(folder.path(""));
        run(command)
    };
    for arguments in [
        "info index.vex",
        "verify index.vex",
        "search index.vex --queries base.npy",
        "search index.vex --queries base.npy --output answers.npy --json",
        "build base.npy --output new.vex",
        "gt base.npy --queries base.npy --output new.npy",
        "info --kernels",
        "--version",
        "help build",
    ] {
        let run = closed(arguments);
        let expected = "error: standard output: cannot be written: Bad file descriptor (os error 9)\n";
        assert_eq!((run.code, &*run.stderr), (Some(1), expected), "vex {arguments}");
    }
    assert!(["new.vex", "new.npy", "answers.npy"].iter().all(|name| !folder.path(name).exists()));
    // Nothing is printed here.
    assert_eq!(closed("search index.vex --queries base.npy --output answers.npy").code, Some(0));
    assert!(folder.path("answers.npy").exists());
    assert_eq!(closed("bulid").code, Some(2));
    // A null device was asked for, so this is not a failure.
    let mut command = folder.command("info index.vex");
    assert!(command.stdout(Stdio::null()).status().unwrap().success());
}
