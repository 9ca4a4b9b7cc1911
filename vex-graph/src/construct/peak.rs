//! How much memory linking needs at most.

use vex_kernels::Metric;

use super::choice::Choice;
use super::hard::Hard;
use super::merge::Merge;
use super::propose::{Propose, at_once, lifted_width};
use super::{Link, batch_len};
use crate::Candidate;
use crate::search::Visited;
use crate::storage::{AlignedVec, bytes};
use crate::{MAX_LEVELS, NodeId, Params};

/// At most this many bytes are in the workspace of a build. Its levels have `level_counts` nodes,
/// and queries of its space are `query_len` long. Arrays that grow step by step count twice, since
/// their capacity doubles.
pub(crate) fn workspace_bytes(
    params: &Params,
    metric: Metric,
    query_len: usize,
    level_counts: &[usize; MAX_LEVELS],
    workers: usize,
) -> usize {
    let count = level_counts[0];
    if count == 0 {
        return 0;
    }
    let batch = batch_len(count);
    let workers = workers.clamp(1, batch);
    // Batches grow with the graph, but nodes of high levels come first.
    let rows = (1..).zip(level_counts).map(|(levels, count)| levels * batch_len(*count)).max().unwrap_or(1);
    // By the inner product a node gets more links at once, of more candidates.
    let is_lifted = metric == Metric::InnerProduct;
    let at_once = if is_lifted { at_once(params, 0) } else { params.m };
    let links = rows * at_once + batch;

    let list = params.ef_construction.min(count);
    let buffers = 2 * AlignedVec::<i8>::exact_bytes(query_len) + AlignedVec::<f32>::exact_bytes(query_len);
    let alike = if is_lifted { lifted_width(params).min(count) } else { 0 };
    let choice = |candidates| if is_lifted { Choice::bytes(candidates, params.m0()) } else { 0 };
    let propose = bytes::<u64>(2 * Visited::words(count))
        + bytes::<Candidate>(2 * (2 * list + alike + at_once))
        + choice(list + alike)
        + buffers
        + size_of::<Propose>();
    let merge = bytes::<Candidate>(2 * (2 * params.m0() + batch))
        + choice(params.m0() + batch)
        + buffers
        + size_of::<Merge>();
    // Links are proposed, then sorted. At worst each of them changes a row of its own.
    let shared = 2 * (2 * bytes::<Link>(links + workers * at_once))
        + 2 * bytes::<(u8, NodeId, usize)>(links)
        + 2 * bytes::<NodeId>(rows * at_once * params.m0());
    // Without codes there are no queries to code, and no node is hard. Each worker may have all
    // nodes of a batch among its hard ones.
    let hard =
        if query_len > 0 { Hard::exact_bytes(count) + 2 * bytes::<NodeId>(batch + 4 * workers) } else { 0 };
    workers.saturating_mul(propose + merge).saturating_add(shared + buffers + hard)
}
