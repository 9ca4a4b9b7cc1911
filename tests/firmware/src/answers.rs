//! The searches that are made on the host and on the board.

use half::f16;
use vex_format::Image;
use vex_graph::{
    Candidate, Neighbor, NodeId, Quantization, ScratchMut, SearchError, SearchParams, SearchStats,
    search_filtered_in, search_in, search_radius_in,
};

/// Elements of a definition.
pub const DIM: usize = 384;

/// The most nodes of an index.
pub const NODES: usize = 400;

/// The number of queries.
pub const QUERIES: usize = 12;

static QUERY_FILE: &[u8] = include_bytes!("../../../vex-cli/demo/queries.f16.npy");

const K: usize = 5;
const EF_SEARCH: usize = 32;
const PARAMS: SearchParams = SearchParams::new(K).ef_search(EF_SEARCH);

/// The codes of the indexes.
pub const CODES: Quantization = Quantization::Sq4;

/// All the memory of a search. There is no allocator.
pub struct Memory {
    visited: [u64; ScratchMut::visited_words(NODES)],
    /// A search with a filter needs the most.
    candidates: [Candidate; ScratchMut::filtered_candidates(&PARAMS, NODES)],
    code: [i8; CODES.query_len(DIM)],
    rotated: [f32; CODES.query_len(DIM)],
    found: [Neighbor; K],
}

impl Memory {
    pub fn new() -> Self {
        Self {
            visited: [0; _],
            candidates: [Candidate::EMPTY; _],
            code: [0; _],
            rotated: [0.0; _],
            found: [Neighbor::default(); _],
        }
    }

    fn scratch(&mut self) -> (ScratchMut<'_>, &mut [Neighbor]) {
        let Self { visited, candidates, code, rotated, found } = self;
        (ScratchMut { visited, candidates, code, rotated }, found)
    }
}

/// Row `row` of one of the demo's files, in which `f16` follow a header of 128 bytes.
pub fn vector(file: &[u8], row: usize) -> [f32; DIM] {
    const HEADER: usize = 128;
    let (elements, _) = file[HEADER..].as_chunks();
    core::array::from_fn(|element| f16::from_le_bytes(elements[row * DIM + element]).to_f32())
}

/// Query `index`.
pub fn query(index: usize) -> [f32; DIM] {
    vector(QUERY_FILE, index)
}

/// The nearest vectors to a query.
pub fn nearest<'m>(
    image: &Image<'_>,
    query: &[f32],
    memory: &'m mut Memory,
) -> (SearchStats, &'m [Neighbor]) {
    let (scratch, found) = memory.scratch();
    let result = search_in(&image.graph(), query, &PARAMS, scratch, found);
    let stats = result.expect("a good query, and enough memory");
    (stats, &found[..stats.found])
}

/// Calls `tell` with every number of every answer. Each query has three answers: the nearest, the
/// nearest with an odd key, and all within a distance.
pub fn ask(image: &Image<'_>, memory: &mut Memory, tell: &mut impl FnMut(u32)) {
    let odd = |id: NodeId| image.keys()[id as usize] % 2 == 1;
    for index in 0..QUERIES {
        let query = query(index);
        let (stats, found) = nearest(image, &query, memory);
        tell_all(image, stats, found, tell);
        let (scratch, found) = memory.scratch();
        let stats = search_filtered_in(&image.graph(), &query, &PARAMS, &odd, scratch, found);
        let stats = stats.expect("a good query, and enough memory");
        tell_all(image, stats, found, tell);
        let (scratch, found) = memory.scratch();
        let stats = search_radius_in(&image.graph(), &query, 0.9, &PARAMS, scratch, found);
        let stats = stats.expect("a good query, and enough memory");
        tell_all(image, stats, found, tell);
    }
}

fn tell_all(image: &Image<'_>, stats: SearchStats, found: &[Neighbor], tell: &mut impl FnMut(u32)) {
    for count in [stats.found, stats.distances, stats.reranked, stats.hops] {
        tell(count as u32);
    }
    for neighbor in &found[..stats.found] {
        tell(image.keys()[neighbor.id as usize] as u32);
        tell(neighbor.distance.to_bits());
    }
}

/// The error of a search with too little memory, which has the size that it needs.
pub fn starved(image: &Image<'_>) -> SearchError {
    let scratch = ScratchMut { visited: &mut [], candidates: &mut [], code: &mut [], rotated: &mut [] };
    let result = search_in(&image.graph(), &query(0), &PARAMS, scratch, &mut []);
    result.expect_err("no search without memory")
}

/// The same error, as numbers.
pub fn starvation(image: &Image<'_>) -> SearchError {
    SearchError::ScratchTooSmall {
        visited: (ScratchMut::visited_words(image.graph().count()), 0),
        candidates: (EF_SEARCH, 0),
        code: (CODES.query_len(DIM), 0),
    }
}
