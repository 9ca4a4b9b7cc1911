//! What a call through the resolved handle costs before the kernel does anything.
//!
//! The kernel itself cannot be taken out of the handle, so a handle of the same shape stands in: two function
//! pointers, the check of the lengths, and behind them a function that returns at once. It is held against the
//! same loop without a call. The empty vector through the true handle is shown beside it: that is the floor of
//! a distance, the reduction of its sums included.

use std::hint::black_box;

use serde::{Deserialize, Serialize};

use crate::bars::Bar;
use crate::clock::{self, Samples};
use crate::element::Metric;
use crate::machine::Machine;
use crate::rivals::{self, Level};

const CALLS: usize = 512;

#[derive(Clone, Copy)]
struct Shape {
    distance: unsafe fn(&[f32], &[f32]) -> f32,
    _distance_batch_4: unsafe fn(&[f32], [&[f32]; 4]) -> [f32; 4],
}

impl Shape {
    #[inline(always)]
    fn distance(&self, a: &[f32], b: &[f32]) -> f32 {
        assert!(a.len() == b.len(), "vectors of one length");
        // SAFETY: `empty` asks for nothing; it is only called as kernels are.
        unsafe { (self.distance)(a, b) }
    }
}

#[inline(never)]
fn empty(_: &[f32], _: &[f32]) -> f32 {
    0.0
}

fn empty_batch(_: &[f32], _: [&[f32]; 4]) -> [f32; 4] {
    [0.0; 4]
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Overhead {
    pub(crate) machine: Machine,
    /// A name, and the cycles of one call.
    pub(crate) rows: Vec<(String, f64, f64)>,
}

pub(crate) fn run(level: Level, rounds: usize) -> Option<Overhead> {
    let machine = Machine::describe();
    let handle = rivals::vex_handle::<f32, f32>(Metric::InnerProduct, level)?;
    let pointer: fn(&[f32], &[f32]) -> f32 = black_box(empty);
    let shape = black_box(Shape { distance: empty, _distance_batch_4: empty_batch });
    let (a, b) = ([1.0f32; 64], [2.0f32; 64]);

    macro_rules! time {
        (|$a:ident, $b:ident| $call:expr) => {{
            #[inline(never)]
            fn time(a: &[f32], b: &[f32], call: impl Fn(&[f32], &[f32]) -> f32) -> u64 {
                let start = clock::start();
                for _ in 0..CALLS {
                    black_box(call(black_box(a), black_box(b)));
                }
                clock::stop() - start
            }
            &|a: &[f32], b: &[f32]| time(a, b, |$a, $b| $call)
        }};
    }
    type Timed<'a> = &'a dyn Fn(&[f32], &[f32]) -> u64;
    let none = &[][..];
    let rows: [(&str, Timed<'_>, &[f32], &[f32]); 5] = [
        ("the loop alone", time!(|_a, b| b.len() as f32), none, none),
        ("an empty function through a pointer", time!(|a, b| pointer(a, b)), none, none),
        ("a handle around an empty function", time!(|a, b| shape.distance(a, b)), none, none),
        ("vex, empty vectors", time!(|a, b| handle.distance(a, b)), none, none),
        ("vex, 64 dimensions", time!(|a, b| handle.distance(a, b)), &a, &b),
    ];
    let mut samples = vec![Samples::default(); rows.len()];
    let mut chain = Vec::new();
    for _ in 0..rounds {
        chain.push(clock::chain());
        for ((_, time, a, b), samples) in rows.iter().zip(&mut samples) {
            samples.push(time(a, b), CALLS, chain[chain.len() - 1]);
        }
    }
    let rows = rows.iter().zip(&samples);
    let rows =
        rows.map(|((name, ..), s)| ((*name).into(), clock::minimum_cycles(s, &chain), s.median_cycles()));
    Some(Overhead { machine, rows: rows.collect() })
}

pub(crate) fn markdown(overhead: &Overhead) -> String {
    let mut text = format!("{}\n\n| call | cycles | median |\n|---|---|---|\n", overhead.machine.summary());
    for (name, cycles, median) in &overhead.rows {
        text += &format!("| {name} | {cycles:.2} | {median:.2} |\n");
    }
    text
}

pub(crate) fn bars(overhead: &Overhead) -> Vec<Bar> {
    let [(_, alone, _), _, (_, handle, _), ..] = &overhead.rows[..] else { return Vec::new() };
    vec![Bar::at_most("call through the handle, cycles", handle - alone, 4.0)]
}
