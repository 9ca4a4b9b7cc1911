//! The demo.

use crate::support::{Folder, run};

#[test]
fn demo_answers_without_arguments_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let mut command = folder.command("demo");
    command.env("TMPDIR", folder.path(""));
    let run = run(command);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}");
    for word in ["penguin", "sphenisciform", "recall@10", "times as fast", "vex build"] {
        assert!(run.stdout.contains(word), "{word}: {}", run.stdout);
    }
    // Output that is not a terminal gets plain text, as wide as the smallest terminal.
    assert!(!run.stdout.contains('\x1b'));
    for line in run.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(folder.snapshot().is_empty());
}
