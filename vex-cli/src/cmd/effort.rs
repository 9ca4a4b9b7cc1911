//! The arguments of a search: how many neighbors, and how much work.

use vex::SearchParams;

use super::values;

#[derive(Debug, clap::Args)]
pub(crate) struct Effort {
    /// Neighbors of a query
    #[arg(short, default_value_t = 10, value_parser = values::k())]
    pub(crate) k: usize,
    /// The most candidates whose exact distances are computed, as a multiple of k; 0 for none
    /// [default: every candidate that may be among the nearest]
    ///
    /// This is for an index with codes and vectors.
    #[arg(long, value_name = "FACTOR", value_parser = values::rerank)]
    pub(crate) rerank: Option<f32>,
    /// End a search after so many distances for each candidate of --ef-search
    ///
    /// Hard queries then take less time, and find less. Other queries take about 24.
    #[arg(long, value_name = "FACTOR", value_parser = values::max_distances)]
    pub(crate) max_distances: Option<f32>,
    /// End a search once the next candidate is farther than 1 + SLACK times the k-th nearest
    ///
    /// Easy queries then take less time. For text embeddings, 0.2 with twice the --ef-search finds
    /// as much in less time. In few dimensions it limits the recall. Squared distances are compared
    /// as they are; by inner product there is no such end.
    #[arg(long, value_parser = values::slack)]
    pub(crate) slack: Option<f32>,
}

impl Effort {
    pub(crate) fn params(&self, ef_search: usize) -> SearchParams {
        let max = self.max_distances.map(|factor| (factor * ef_search as f32) as usize);
        SearchParams::new(self.k)
            .ef_search(ef_search)
            .rerank(self.rerank.unwrap_or(SearchParams::RERANK))
            .max_distance_evals(max.unwrap_or(usize::MAX))
            .slack(self.slack.unwrap_or(f32::INFINITY))
    }
}
