//! Every acknowledged commit survives a power cut, and none is there by half.

use std::fmt::Display;
use std::ops::ControlFlow;
use std::time::Duration;

use super::simulated::{Image, Machine, Op};
use crate::{Budget, Durability, Options};

use super::{Model, Random, commit, contents, open_with};

/// Options under which other processes may read, or none may. Each commit waits for the medium.
fn options(is_shared: bool) -> Options {
    let unshared = Durability::Batched(Duration::ZERO);
    super::options().durability(if is_shared { Durability::Commit } else { unshared })
}

/// What a history left behind.
struct History {
    log: Vec<Op>,
    /// For each number of commits, the rows. Maintenance commits, too, and changes no row.
    models: Vec<Model>,
    /// For each acknowledged number of commits, the length of the log.
    acknowledged: Vec<(u64, usize)>,
}

impl History {
    /// A collection that is created, and sees some commits and some clean ends.
    fn new(seed: u64, commits: usize) -> Self {
        let (mut random, machine) = (Random(seed), Machine::default());
        // Commits that others may read take other steps than those that nobody may.
        let options = options(seed.is_multiple_of(2));
        let mut notes = open_with(&machine, options.clone()).unwrap();
        let created = machine.log_len();
        let (mut models, mut acknowledged) = (vec![Model::new()], vec![(0, created)]);
        for _ in 0..commits {
            let mut model = models.last().unwrap().clone();
            commit(&notes, &mut model, &mut random).unwrap();
            let number = notes.snapshot().unwrap().commits();
            models.resize(number as usize + 1, model);
            acknowledged.push((number, machine.log_len()));
            if random.below(8) == 0 {
                notes.maintain(Budget::unlimited(), |_| ControlFlow::Continue(())).unwrap();
                // By itself, maintenance compacts only larger stores.
                assert!(notes.inner.compact().unwrap());
                let number = notes.snapshot().unwrap().commits();
                models.resize(number as usize + 1, models.last().unwrap().clone());
                acknowledged.push((number, machine.log_len()));
            }
            if random.below(6) == 0 {
                drop(notes);
                notes = open_with(&machine, options.clone()).unwrap();
            }
        }
        drop(notes);
        Self { log: machine.log(), models, acknowledged }
    }

    /// Opens what a power cut left after `at` operations, and checks the rows. Returns the
    /// operations of the recovery.
    fn check(&self, image: Image, at: usize, what: &dyn Display) -> Vec<Op> {
        let machine = Machine::with(image);
        let known = self.acknowledged.iter().rev().find(|(_, len)| *len <= at);
        // Whoever comes next may share commits or not.
        let opened = open_with(&machine, options(at % 4 != 3));
        let notes = opened.unwrap_or_else(|error| panic!("after {at} operations, {what}: {error}"));
        let (commits, rows) = contents(&notes).unwrap();
        let least = known.map_or(0, |(commits, _)| *commits);
        // The next batch may be there, and the maintenance that follows it.
        let next = self.acknowledged.iter().map(|(commits, _)| *commits).find(|commits| *commits > least);
        let most = next.unwrap_or(least);
        assert!((least..=most).contains(&commits), "after {at}, {what}: {least} <= {commits} <= {most}");
        assert_eq!(rows, self.models[commits as usize], "after {at} operations, {what}");
        // Files that no commit names are gone.
        let segments = machine.image().names.keys().filter(|name| name.ends_with(".vex")).count();
        assert_eq!(
            segments,
            notes.inner.state().slots.iter().filter(|slot| slot.segment().is_some()).count()
        );
        drop(notes);
        machine.log()
    }
}

/// How many states were checked.
#[derive(Default)]
struct Checked {
    states: u64,
    in_recovery: u64,
}

/// Checks the states that a power cut at each moment of a history can leave.
fn check_all(history: &History, random: &mut Random, recovery_share: u64, checked: &mut Checked) {
    let (mut medium, mut pending) = (Image::default(), Vec::<Op>::new());
    for at in 0..=history.log.len() {
        // What a creation leaves that was cut short is checked as well: the collection is created
        // again.
        let mut check = |image: Image, what: &dyn Display, random: &mut Random| {
            checked.states += 1;
            let recovery = history.check(image.clone(), at, what);
            if random.below(recovery_share) != 0 || recovery.is_empty() {
                return;
            }
            let cut = random.below(recovery.len() as u64 + 1) as usize;
            for round in 0..4 {
                let mut image = image.clone();
                for (index, op) in recovery[..cut].iter().enumerate() {
                    let is_synced = recovery[index..cut].iter().any(|later| later.syncs(op));
                    if is_synced || round == 1 || (round > 1 && random.below(2) == 0) {
                        image.apply(op);
                    }
                }
                checked.states += 1;
                checked.in_recovery += 1;
                history.check(image, at, &format_args!("{what}, recovery cut at {cut}"));
            }
        };
        let with = |keeps: &mut dyn FnMut(usize) -> bool| {
            let mut image = medium.clone();
            pending.iter().enumerate().filter(|(index, _)| keeps(*index)).for_each(|(_, op)| image.apply(op));
            image
        };
        check(with(&mut |_| false), &"nothing more", random);
        if !pending.is_empty() {
            check(with(&mut |_| true), &"all", random);
            for dropped in (0..pending.len()).filter(|_| pending.len() > 1) {
                check(with(&mut |index| index != dropped), &format_args!("without {dropped}"), random);
            }
            let subsets = 1u64.checked_shl(pending.len() as u32).map_or(64, |all| all.min(64));
            for _ in 0..subsets {
                let seed = random.next();
                let mut drawn = Random(seed);
                check(with(&mut |_| drawn.below(2) == 0), &format_args!("subset {seed:x}"), random);
            }
            for _ in 0..pending.len().min(16) {
                let (torn, seed) = (random.below(pending.len() as u64) as usize, random.next());
                let mut drawn = Random(seed);
                let mut image = medium.clone();
                for (index, op) in pending.iter().enumerate() {
                    if index == torn {
                        op.torn(|| drawn.below(2) == 0).iter().for_each(|sector| image.apply(sector));
                    } else if drawn.below(2) == 0 {
                        image.apply(op);
                    }
                }
                check(image, &format_args!("torn {torn} {seed:x}"), random);
            }
        }
        let Some(op) = history.log.get(at) else { break };
        if op.is_sync() {
            pending.retain(|earlier| {
                if op.syncs(earlier) {
                    medium.apply(earlier);
                }
                !op.syncs(earlier)
            });
        } else {
            pending.push(op.clone());
        }
    }
}

/// `VEX_CRASH_HISTORIES` sets the number of histories: 14 check a million states.
#[test]
fn acknowledged_commits_survive_a_power_cut() {
    let asked = std::env::var("VEX_CRASH_HISTORIES").ok().map(|count| count.parse().unwrap());
    let (histories, commits) = asked.map_or((2, 8), |histories| (histories, 16));
    let mut checked = Checked::default();
    for seed in 0..histories {
        let history = History::new(seed, commits);
        check_all(&history, &mut Random(!seed), 50, &mut checked);
    }
    println!("{} states, {} of them in recovery", checked.states, checked.in_recovery);
}
