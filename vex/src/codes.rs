//! Whether codes do for the vectors of an index, and what to do if not.

use vex_graph::{GraphView, Neighbor, NodeId, Quantization, SearchError, SearchParams, search};

use crate::threads::Threads;
use crate::{BuildError, ChangeError, Index, Searcher};

/// Neighbors that are compared.
const K: usize = 10;

/// How well codes tell the vectors of an index apart, by a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct CodeCheck {
    /// Vectors that were searched for. None without codes, or without vectors to compare them with.
    pub sampled: usize,
    /// Of these, how many lie so close to others that codes left their neighbors in doubt. Searches
    /// answer such queries by the vectors: as well, and as slowly, as without codes.
    pub in_doubt: usize,
    /// Of the ten nearest that a search by the vectors finds, the share that a search of this index
    /// finds; 1.0 where none are sampled.
    pub agreement: f64,
}

impl CodeCheck {
    /// The share of the sampled vectors that are [in doubt](field@Self::in_doubt). 0.0 where none
    /// are sampled.
    pub fn share_in_doubt(&self) -> f64 {
        self.in_doubt as f64 / self.sampled.max(1) as f64
    }

    /// Searches for `samples` vectors of a graph, through its codes and by the vectors alone.
    fn of(view: &GraphView<'_>, samples: usize) -> Result<Self, SearchError> {
        let mut check = Self { sampled: 0, in_doubt: 0, agreement: 1.0 };
        let (Some(by_vectors), Some(_)) = (view.without_codes(), view.codes()) else { return Ok(check) };
        let params = SearchParams::new(K);
        let (mut scratch, mut finer) = (vex_graph::Scratch::new(), vex_graph::Scratch::new());
        let (mut found, mut best) = ([Neighbor::default(); K], [Neighbor::default(); K]);
        let (mut hits, mut possible) = (0, 0);
        let ids = (0..view.count()).step_by((view.count() / samples.max(1)).max(1)).take(samples);
        for id in ids.map(|id| id as NodeId).filter(|id| !view.tombstones().contains(*id)) {
            let vector = view.rows().row(id);
            let stats = search(view, vector, &params, &mut scratch, &mut found)?;
            let expected = search(&by_vectors, vector, &params, &mut finer, &mut best)?.found;
            check.sampled += 1;
            check.in_doubt += usize::from(stats.by_vectors);
            // By distance: of vectors that are equally far, one is as good as another.
            let farthest = best[..expected].last().map_or(0.0, |last| last.distance);
            hits += found[..stats.found].iter().filter(|found| found.distance <= farthest).count();
            possible += expected;
        }
        if possible > 0 {
            check.agreement = (hits as f64 / possible as f64).min(1.0);
        }
        Ok(check)
    }
}

impl Searcher<'_> {
    /// Looks how well the codes tell the vectors apart, with as many vectors as `samples` says,
    /// evenly spaced.
    ///
    /// Where many are in doubt, codes do not pay: [finer ones](Index::requantize), or none, answer
    /// faster.
    ///
    /// # Errors
    /// If memory runs out.
    ///
    /// # Complexity
    /// Two searches for each sample.
    pub fn check_codes(&self, samples: usize) -> Result<CodeCheck, SearchError> {
        CodeCheck::of(&self.graph(), samples)
    }
}

impl Index {
    /// Codes the vectors anew, on all cores, or no longer. The links stay as they are.
    ///
    /// # Errors
    /// If the index may not be changed, memory runs out, the vectors cannot be coded, or threads
    /// cannot be started. The index is as it was then.
    pub fn requantize(&mut self, quantization: impl Into<Option<Quantization>>) -> Result<(), BuildError> {
        self.requantize_on(quantization, None)
    }

    /// The same on `threads`, or all cores; the result does not depend on them.
    ///
    /// # Errors
    /// As [`requantize`](Self::requantize). See [what starting threads needs](crate#memory).
    pub fn requantize_on(
        &mut self,
        quantization: impl Into<Option<Quantization>>,
        threads: Option<usize>,
    ) -> Result<(), BuildError> {
        self.lineage().check_writable().map_err(ChangeError::from)?;
        let threads = Threads::new(threads)?;
        Ok(self.graph_mut().requantize(quantization.into(), &threads)?)
    }
}
