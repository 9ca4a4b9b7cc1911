//! An operation of the disk that fails leaves the old state or the new one, and the next try works.

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
                // Closed and opened again: what was acknowledged is there, and perhaps the last try.
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
    (0, vec![model])
}
