//! Whether codes are accurate enough for the vectors of an index, and how to change them.

use vex_graph::{GraphView, Neighbor, NodeId, Quantization, SearchError, SearchParams, search};

use crate::threads::Threads;
use crate::{BuildError, ChangeError, Index, Searcher};

/// The neighbors of each sample that are compared.
const K: usize = 10;

/// How well the codes of an index distinguish its vectors, measured on a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct CodeCheck {
    /// The vectors that were searched for. 0 if the index has no codes, or no vectors to compare
    /// them with.
    pub sampled: usize,
    /// How many of these lie so close to others that codes left their neighbors in doubt. A search
    /// for such a query is repeated by the vectors. It is as accurate as without codes, and as
    /// slow.
    pub in_doubt: usize,
    /// The share of the ten nearest vectors, as a search by the vectors finds them, that a search
    /// of this index finds. 1.0 if nothing was sampled.
    pub agreement: f64,
}

impl CodeCheck {
    /// The share of the sampled vectors that are [in doubt](field@Self::in_doubt). 0.0 if nothing
    /// was sampled.
    pub fn share_in_doubt(&self) -> f64 {
        self.in_doubt as f64 / self.sampled.max(1) as f64
    }

    /// Searches for `samples` vectors of a graph, by its codes and by the vectors alone.
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
            // Hits are compared by distance, since of equally far vectors one is as good as
            // another.
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
    /// Checks how well the codes distinguish the vectors. It searches for `samples` vectors, evenly
    /// spaced among all.
    ///
    /// If many of them are in doubt, codes do not pay. Then [finer codes](Index::requantize) or
    /// none answer faster.
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
    /// Gives the vectors other codes, or none, on all cores. The links stay as they are.
    ///
    /// # Errors
    /// If the index may not be changed, memory runs out, the vectors cannot be coded, or threads
    /// cannot be started. The index is then as it was.
    ///
    /// # Complexity
    /// Some passes over the vectors, divided among the threads. The old codes stay in memory
    /// meanwhile.
    pub fn requantize(&mut self, quantization: impl Into<Option<Quantization>>) -> Result<(), BuildError> {
        self.requantize_on(quantization, None)
    }

    /// [`requantize`](Self::requantize) on `threads`, or all cores. The result does not depend on
    /// the number.
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
