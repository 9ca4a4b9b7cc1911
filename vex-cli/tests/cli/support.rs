//! Folders in which the command runs, and files for it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The folder of a test, in which the command runs. So messages name files as the test does.
pub(crate) struct Folder(TempDir);

/// The exit code and the output of a run of the command.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// Every file with its content; a folder counts as a file without content.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.0.path()).unwrap().map(Result::unwrap);
        let name = |entry: &std::fs::DirEntry| entry.file_name().into_string().unwrap();
        entries.map(|entry| (name(&entry), std::fs::read(entry.path()).unwrap_or_default())).collect()
    }

    /// The command in this folder, its arguments separated by spaces.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vex"));
        command.current_dir(self.0.path()).args(arguments.split_whitespace());
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Run {
        run(self.command(arguments))
    }

    /// Runs a command that succeeds without writing to standard error, and returns its output.
    #[track_caller]
    pub(crate) fn succeed(&self, arguments: &str) -> String {
        let Run { code, stdout, stderr } = self.run(arguments);
        assert_eq!((code, &*stderr), (Some(0), ""), "vex {arguments}");
        stdout
    }

    /// Runs a command that prints JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &str) -> serde_json::Value {
        serde_json::from_str(&self.succeed(arguments)).unwrap()
    }

    /// Runs a command that fails with this line, prints nothing else, and changes no file.
    #[track_caller]
    pub(crate) fn refuse(&self, arguments: &str, line: &str) {
        let before = self.snapshot();
        let Run { code, stdout, stderr } = self.run(arguments);
        assert_eq!(stderr, format!("error: {line}\n"), "vex {arguments}");
        assert_eq!((code, &*stdout), (Some(1), ""), "vex {arguments}");
        assert!(self.snapshot() == before, "vex {arguments}: files changed");
    }
}

pub(crate) fn run(mut command: Command) -> Run {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// Rows of whole numbers from 0 to 255, which every format of vectors can hold.
pub(crate) fn bytes(seed: u64, rows: usize, dim: usize) -> Vec<Vec<u8>> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = || {
        // Marsaglia's xorshift64.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..rows).map(|_| (0..dim).map(|_| next()).collect()).collect()
}

/// The same rows as `f32`.
pub(crate) fn floats(rows: &[Vec<u8>]) -> Vec<Vec<f32>> {
    rows.iter().map(|row| row.iter().map(|element| f32::from(*element)).collect()).collect()
}

/// An `.npy` file.
pub(crate) fn npy(descr: &str, fortran: bool, shape: &[usize], elements: &[u8]) -> Vec<u8> {
    let shape: String = shape.iter().map(|length| format!("{length},")).collect();
    let order = if fortran { "True" } else { "False" };
    let dict = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({shape}), }}\n");
    let len = u16::try_from(dict.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &len[..], dict.as_bytes(), elements].concat()
}

/// An `.npy` file of `f32` rows.
pub(crate) fn vectors(rows: &[Vec<f32>]) -> Vec<u8> {
    let elements: Vec<u8> = rows.iter().flatten().flat_map(|element| element.to_le_bytes()).collect();
    npy("<f4", false, &[rows.len(), rows[0].len()], &elements)
}

/// An `.ivecs` file.
pub(crate) fn ivecs(rows: &[Vec<i32>]) -> Vec<u8> {
    let row = |row: &Vec<i32>| {
        let len = row.len() as i32;
        std::iter::once(&len).chain(row).flat_map(|id| id.to_le_bytes()).collect::<Vec<u8>>()
    };
    rows.iter().flat_map(row).collect()
}

/// The ids in an `.ivecs` file.
pub(crate) fn read_ivecs(bytes: &[u8]) -> Vec<Vec<i32>> {
    let (words, rest) = bytes.as_chunks();
    assert_eq!(rest.len(), 0);
    let mut words = words.iter().map(|word| i32::from_le_bytes(*word));
    let mut rows = Vec::new();
    while let Some(len) = words.next() {
        rows.push(words.by_ref().take(len as usize).collect());
    }
    rows
}

/// Runs a command that reads from standard input.
pub(crate) fn pipe(folder: &Folder, arguments: &str, input: &[u8]) -> Run {
    let mut command = folder.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that fails may not read to the end.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
