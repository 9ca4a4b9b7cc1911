//! A search with all its steps, for the page.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};
use vex::graph::{
    GraphView, Neighbor, NodeId, Scratch, SearchEnd, Step, search_filtered_observed, search_observed,
};
use vex::{MappedIndex, SearchError, SearchParams};

use super::project::{floats, plane};
use super::texts::Texts;

/// More steps than a page can show in a reasonable time.
const MOST_STEPS: usize = 20_000;

/// What is searched for, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) id: NodeId,
    pub(super) k: usize,
    pub(super) ef: usize,
    /// Whether the search goes through codes, if the index has any.
    pub(super) codes: bool,
    /// Only keys that are multiples of this are found.
    pub(super) every: u64,
}

/// The answer to a request.
#[derive(Serialize)]
pub(super) struct Trace {
    /// What is searched for.
    query: Row,
    /// Each step as its kind, node and distance.
    steps: Vec<Value>,
    hits: Vec<Row>,
    exact: Vec<Row>,
    /// Each node with its key, where it is on the plane picture, and its text.
    points: Vec<(NodeId, String, [f32; 2], Option<String>)>,
    distances: usize,
    hops: usize,
    reranked: usize,
    end: &'static str,
    by_vectors: bool,
    cut: bool,
}

/// A row of the index.
#[derive(Serialize)]
pub(super) struct Row {
    id: NodeId,
    /// As a text: the page's numbers are exact up to 2⁵³ alone.
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    distance: Option<f32>,
    text: Option<String>,
}

impl Row {
    pub(super) fn of(index: &MappedIndex, texts: Option<&Texts>, id: NodeId, distance: Option<f32>) -> Self {
        let key = index.node_keys()[id as usize];
        let text = texts.and_then(|texts| texts.line(key)).map(str::to_string);
        Self { id, key: key.to_string(), distance, text }
    }
}

pub(super) fn trace(
    index: &MappedIndex,
    texts: Option<&Texts>,
    request: &Request,
) -> Result<Trace, SearchError> {
    let whole = index.graph();
    let view = if request.codes { whole } else { whole.without_codes().unwrap_or(whole) };
    let query = whole.rows().row(request.id);
    let keys = index.node_keys();
    let accepts = |id: NodeId| keys[id as usize].is_multiple_of(request.every);
    let params = SearchParams::new(request.k).ef_search(request.ef);
    let (mut scratch, mut out) = (Scratch::new(), vec![Neighbor::default(); request.k]);
    let (mut steps, mut seen, mut cut) = (Vec::new(), BTreeSet::from([request.id]), false);
    let observe = |step: Step| {
        if steps.len() == MOST_STEPS {
            cut = true;
            return;
        }
        if let Step::Ranked { id, .. } = step {
            seen.insert(id);
        }
        steps.push(encoded(step));
    };
    let stats = if request.every == 1 {
        search_observed(&view, query, &params, &mut scratch, &mut out, observe)?
    } else {
        search_filtered_observed(&view, query, &params, &accepts, &mut scratch, &mut out, observe)?
    };
    let exact = exact(&whole, request, &accepts)?;
    let row = |neighbor: &Neighbor| Row::of(index, texts, neighbor.id, Some(neighbor.distance));
    seen.extend(exact.iter().map(|neighbor| neighbor.id));
    let vectors: Vec<_> = seen.iter().map(|id| floats(whole.rows().row(*id), whole.dim())).collect();
    let point = |(id, at): (NodeId, [f32; 2])| {
        let Row { key, text, .. } = Row::of(index, texts, id, None);
        (id, key, at, text)
    };
    Ok(Trace {
        query: Row::of(index, texts, request.id, None),
        steps,
        hits: out[..stats.found].iter().map(row).collect(),
        exact: exact.iter().map(row).collect(),
        points: seen.into_iter().zip(plane(&vectors)).map(point).collect(),
        distances: stats.distances,
        hops: stats.hops,
        reranked: stats.reranked,
        end: match stats.end {
            SearchEnd::Scan => "every match was ranked",
            SearchEnd::MaxDistances => "the limit of distances was reached",
            SearchEnd::Slack => "the next candidate was too far",
            _ => "every candidate of the list was expanded",
        },
        by_vectors: stats.by_vectors,
        cut,
    })
}

/// The exact answer, by vectors.
fn exact(
    view: &GraphView<'_>,
    request: &Request,
    accepts: &impl Fn(NodeId) -> bool,
) -> Result<Vec<Neighbor>, SearchError> {
    let by_vectors = view.without_codes().unwrap_or(*view);
    // A filtered search scans up to 64 matches for each place of its list, so this scans all.
    let params = SearchParams::new(request.k).ef_search(view.count().div_ceil(64));
    let mut out = vec![Neighbor::default(); request.k];
    let query = view.rows().row(request.id);
    let stats =
        vex::graph::search_filtered(&by_vectors, query, &params, accepts, &mut Scratch::new(), &mut out)?;
    out.truncate(stats.found);
    Ok(out)
}

fn encoded(step: Step) -> Value {
    match step {
        Step::Level { level } => json!(["level", level]),
        Step::Ranked { id, distance } => json!(["rank", id, distance]),
        Step::Expanded { id } => json!(["expand", id]),
        Step::Scan => json!(["scan"]),
        Step::Refined { id, distance } => json!(["refine", id, distance]),
        Step::Reranked { id, distance } => json!(["rerank", id, distance]),
        Step::ByVectors => json!(["vectors"]),
        _ => json!(["other"]),
    }
}
