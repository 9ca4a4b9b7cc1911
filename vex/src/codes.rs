//! Whether codes do for the vectors of an index, and what to do if not.

use std::convert::Infallible;

use vex_graph::{Quantization, SearchError, SearchParams};

use crate::search::{DEFAULT_EF_SEARCH, search_keys};
use crate::threads::Threads;
use crate::{BuildError, Index, Scratch};

/// Neighbors that are compared.
const K: usize = 10;

impl Index {
    /// How far codes tell the vectors apart: of the ten nearest of so many of its vectors that a search by the vectors alone finds, the
    /// share that a search through the codes finds, with the usual `ef_search` and `rescore`. 1.0 without codes.
    ///
    /// It is near 1 for most sets. Where many vectors are far nearer to each other than to the rest, the errors of their codes
    /// are larger than what sets them apart, and it falls: then finer codes, or a larger `rescore` with a larger `ef_search`, are
    /// needed.
    ///
    /// # Errors
    /// If memory runs out.
    ///
    /// # Complexity
    /// Two searches for each sample.
    pub fn code_agreement(&self, samples: usize) -> Result<f64, SearchError> {
        let usual = SearchParams::new(K, DEFAULT_EF_SEARCH);
        let Some(by_vectors) = self.graph().view().without_codes() else { return Ok(1.0) };
        let (mut scratch, mut finer) = (Scratch::new(), Scratch::new());
        let (mut found, mut possible) = (0, 0);
        let step = (self.keys().len() / samples.max(1)).max(1);
        for key in self.keys().iter().step_by(step).take(samples) {
            let Some(vector) = self.get(*key) else { continue };
            let hits = self.search_with(vector, &usual, &mut scratch)?.hits;
            let best = search_keys(&by_vectors, self.keys(), vector, &usual, &mut finer)?.hits;
            // By distance: of vectors that are equally far, one is as good as another.
            let farthest = best.last().map_or(0.0, |hit| hit.distance);
            found += hits.iter().filter(|hit| hit.distance <= farthest).count();
            possible += best.len();
        }
        Ok(if possible == 0 { 1.0 } else { (found as f64 / possible as f64).min(1.0) })
    }

    /// Codes the vectors anew, on all cores, or no longer. The links stay as they are.
    ///
    /// # Errors
    /// If memory runs out, the vectors cannot be coded, or threads cannot be started. The index is as it was then.
    pub fn requantize(
        &mut self,
        quantization: impl Into<Option<Quantization>>,
    ) -> Result<(), BuildError<Infallible>> {
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
    ) -> Result<(), BuildError<Infallible>> {
        let threads =
            Threads::new(threads).map_err(|(threads, error)| BuildError::Threads { threads, error })?;
        Ok(self.graph_mut().requantize(quantization.into(), &threads)?)
    }
}
