//! Build a graph on threads of your own: `cargo run --release -p vex --example custom_executor`.
//!
//! `vex::Index` starts threads for each build. A program that already has threads implements
//! `Executor` for them, and builds the graph with `vex::graph`. The graph is the same, byte for
//! byte, on any number of workers.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::thread;

use vex::Metric;
use vex::graph::{Executor, Hnsw, Neighbor, Params, Scratch, SearchParams, Serial, search};

/// Scoped threads of the standard library. A server would give the tasks to its own threads.
struct Scoped(usize);

impl Executor for Scoped {
    fn workers(&self) -> usize {
        self.0
    }

    fn join(&self, left: &mut (dyn FnMut() + Send), right: &mut (dyn FnMut() + Send)) {
        thread::scope(|scope| {
            scope.spawn(left);
            right();
        });
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (on_two, order) = build(&Scoped(2))?;
    let (on_one, _) = build(&Serial)?;
    let links = |graph: &Hnsw| graph.view().levels()[0].links.to_vec();
    assert_eq!(links(&on_two), links(&on_one));
    println!("{} nodes, the same links on two threads and on one", on_two.count());

    // `order` holds, for each node, the position of its vector in the input.
    let (mut scratch, mut found) = (Scratch::new(), [Neighbor::default(); 3]);
    search(&on_two.view(), &[20.2, 1.0], &SearchParams::new(3), &mut scratch, &mut found)?;
    println!("nearest to 20.2: {:?}", found.map(|neighbor| order[neighbor.id as usize]));
    Ok(())
}

fn build(executor: &dyn Executor) -> Result<(Hnsw, Vec<u32>), vex::graph::BuildError<Infallible>> {
    let mut position = 0.0;
    let fill = |vector: &mut [f32]| {
        vector.copy_from_slice(&[position, 1.0]);
        position += 1.0;
        Ok(())
    };
    let progress = |_linked| ControlFlow::Continue(());
    Hnsw::build(Metric::SquaredEuclidean, 2, Params::default(), 2_000, fill, executor, progress)
}
