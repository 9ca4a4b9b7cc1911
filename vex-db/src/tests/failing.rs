//! An operation of the disk that fails leaves the old state or the new one, and the next try works.

use std::ops::ControlFlow;

use crate::Budget;

use super::simulated::{Fault, Machine};
use super::{Model, Random, commit, contents, open};

/// Each operation of a history fails in turn, once or from then on.
#[test]
fn any_operation_may_fail() {
    let mut seen_errors = 0;
    for seed in 0..3 {
        for fault in [Fault::Once as fn(usize) -> Fault, Fault::From] {
            for at in 0.. {
                let machine = Machine::default();
                machine.fail(Some(fault(at)));
                let (errors, model) = run(&machine, seed);
                let steps = machine.steps();
                machine.fail(None);
                // Closed and opened again: what was acknowledged is there, and perhaps the last
                // try.
                let notes = open(&machine).unwrap_or_else(|error| panic!("{seed}, {:?}: {error}", fault(at)));
                let (_, rows) = contents(&notes).unwrap();
                let fits = model.contains(&rows);
                assert!(fits, "seed {seed}, {:?}: {rows:?} is none of {model:?}", fault(at));
                // The next try succeeds.
                let mut rows = rows;
                commit(&notes, &mut rows, &mut Random(7)).unwrap();
                assert_eq!(contents(&notes).unwrap().1, rows);
                seen_errors += errors;
                if at >= steps {
                    assert_eq!(errors, 0);
                    break;
                }
            }
        }
    }
    assert!(seen_errors > 100, "{seen_errors}");
}

/// Opens a collection and commits, until something fails. Returns how many errors there were, and
/// the rows that may be there: those of the acknowledged commits, and those of the one that failed.
fn run(machine: &Machine, seed: u64) -> (usize, Vec<Model>) {
    let mut random = Random(seed);
    let mut model = Model::new();
    let Ok(notes) = open(machine) else { return (1, vec![model]) };
    for _ in 0..10 {
        let mut twin = Random(random.0);
        let before = model.clone();
        if commit(&notes, &mut model, &mut random).is_err() {
            // What the commit would have made.
            let mut after = before.clone();
            let other = open(&Machine::default()).unwrap();
            let _ = commit(&other, &mut after, &mut twin);
            return (1, vec![before, after]);
        }
    }
    let maintained = notes.maintain(Budget::unlimited(), |_| ControlFlow::Continue(()));
    (usize::from(maintained.is_err()), vec![model])
}

/// A backup that fails leaves nothing that looks like a collection, and the next try works.
#[test]
fn a_backup_may_fail_anywhere() {
    let machine = Machine::default();
    let (notes, mut model, mut random) = (open(&machine).unwrap(), Model::new(), Random(3));
    for _ in 0..10 {
        commit(&notes, &mut model, &mut random).unwrap();
    }
    let view = notes.snapshot().unwrap();
    // Segments are replaced meanwhile, and their files stay as long as the snapshot does.
    let mut later = model.clone();
    for _ in 0..10 {
        commit(&notes, &mut later, &mut random).unwrap();
    }
    for fault in [Fault::Once as fn(usize) -> Fault, Fault::From] {
        for at in 0.. {
            let to = Machine::default();
            to.fail(Some(fault(at)));
            let copied = view.backup_to(&to);
            let steps = to.steps();
            to.fail(None);
            let names = to.image().names;
            match copied {
                Ok(()) => assert!(names.contains_key(crate::disk::STORE)),
                Err(_) if names.contains_key(crate::disk::STORE) => {
                    // Only the wait for the last name failed.
                    assert_eq!(at + 1, steps);
                }
                Err(_) => view.backup_to(&to).unwrap(),
            }
            assert_eq!(contents(&open(&to).unwrap()).unwrap().1, model);
            if at >= steps {
                break;
            }
        }
    }
}
