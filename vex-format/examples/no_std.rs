//! Search without an allocator: `cargo run --release -p vex-format --example no_std`.
//!
//! The module `device` is the part that a microcontroller would run. The crate is `no_std`, and all
//! memory of a search is arrays, whose lengths are computed in constants. `main` is the host. It
//! makes the index, which firmware includes in flash memory with `vex_format::include_index!`.
#![no_std]

extern crate std;

use std::boxed::Box;
use std::convert::Infallible;
use std::error::Error;
use std::ops::ControlFlow;
use std::println;
use std::vec::Vec;

use vex_format::{AlignedBytes, Image, Meta, Writer};
use vex_graph::{Hnsw, Metric, Params, Serial};

/// The part that runs without an allocator.
mod device {
    use vex_format::{Image, OpenError};
    use vex_graph::{Candidate, Neighbor, Quantization, ScratchMut, SearchError, SearchParams, search_in};

    /// Elements of a vector.
    pub(super) const DIM: usize = 16;
    /// The most vectors that an index may have.
    pub(super) const NODES: usize = 500;
    /// The codes that the index has. Without codes, the last two arrays of `Memory` are empty.
    pub(super) const CODES: Quantization = Quantization::Sq8;

    const K: usize = 3;
    const PARAMS: SearchParams = SearchParams::new(K).ef_search(24);
    const CODE_LEN: usize = CODES.query_len(DIM);

    /// All the memory of a search. It may be a local variable or a static.
    pub(super) struct Memory {
        visited: [u64; ScratchMut::visited_words(NODES)],
        // With a filter, or if vectors are deleted, the length is `filtered_candidates`.
        candidates: [Candidate; ScratchMut::candidates(&PARAMS, NODES)],
        code: [i8; CODE_LEN],
        rotated: [f32; CODE_LEN],
        found: [Neighbor; K],
    }

    impl Memory {
        pub(super) const fn new() -> Self {
            Self {
                visited: [0; _],
                candidates: [Candidate::EMPTY; _],
                code: [0; _],
                rotated: [0.0; _],
                found: [Neighbor { id: 0, distance: 0.0 }; _],
            }
        }
    }

    /// What can go wrong.
    #[derive(Debug)]
    pub(super) enum Problem {
        Index(#[expect(dead_code, reason = "it is printed")] OpenError),
        Search(#[expect(dead_code, reason = "it is printed")] SearchError),
    }

    /// Calls `tell` with the keys of the nearest vectors and their distances. Opening takes
    /// constant time, so each query may open the bytes.
    pub(super) fn nearest(
        index: &[u8],
        query: &[f32; DIM],
        memory: &mut Memory,
        mut tell: impl FnMut(u64, f32),
    ) -> Result<(), Problem> {
        let image = Image::open(index).map_err(Problem::Index)?;
        let Memory { visited, candidates, code, rotated, found } = memory;
        let scratch = ScratchMut { visited, candidates, code, rotated };
        let stats = search_in(&image.graph(), query, &PARAMS, scratch, found).map_err(Problem::Search)?;
        for Neighbor { id, distance } in &found[..stats.found] {
            tell(image.keys()[*id as usize], *distance);
        }
        Ok(())
    }
}

/// A vector of the index, or one between two such vectors.
fn vector(at: f32) -> [f32; device::DIM] {
    core::array::from_fn(|element| at / (1 + element) as f32)
}

/// The bytes of an index, whose keys are 1,000 and up.
fn index() -> Result<AlignedBytes, Box<dyn Error>> {
    let params = Params::new().m(8).quantization(Some(device::CODES));
    let mut rows = 0..device::NODES;
    let next = |row: &mut [f32]| {
        row.copy_from_slice(&vector(rows.next().expect("one call for each vector") as f32));
        Ok::<(), Infallible>(())
    };
    let (metric, progress) = (Metric::SquaredEuclidean, |_linked| ControlFlow::Continue(()));
    let (graph, order) = Hnsw::build(metric, device::DIM, params, device::NODES, next, &Serial, progress)?;
    let keys: Vec<u64> = order.iter().map(|row| 1_000 + u64::from(*row)).collect();
    let mut bytes = Vec::new();
    Writer::new(&graph.view(), &keys, &Meta::new(params))?.write_to(&mut |chunk: &[u8]| {
        bytes.extend_from_slice(chunk);
        Ok::<(), Infallible>(())
    })?;
    Ok(AlignedBytes::copy_of(&bytes)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let index = index()?;
    // Once is enough, where the bytes may have been damaged.
    Image::open(&index)?.verify()?;
    println!("{} bytes of flash, {} of memory", index.len(), size_of::<device::Memory>());

    let mut memory = device::Memory::new();
    for at in [7.2, 250.0, 499.4] {
        println!("nearest to {at}:");
        let mut first = None;
        let tell = |key, distance| {
            first.get_or_insert(key);
            println!("  {key}, {distance:.4}");
        };
        device::nearest(&index, &vector(at), &mut memory, tell)
            .map_err(|problem| std::format!("{problem:?}"))?;
        assert_eq!(first, Some(1_000 + (at + 0.5) as u64));
    }
    Ok(())
}
