//! Building an index again, without its deleted vectors.

use std::ops::ControlFlow;

use super::SharedKey;
use crate::reserve::reserve;
use crate::threads::Threads;
use crate::{BuildError, ChangeError, Index};

impl Index {
    /// Builds the index again without its deleted vectors, on all cores. The result depends on the
    /// vectors alone, in the order of their nodes, and on the parameters. The index keeps its
    /// [limit of memory](Self::limit_memory), which does not limit the build.
    ///
    /// # Errors
    /// If the index may not be changed, memory runs out, or threads cannot be started. The index is
    /// then as it was.
    ///
    /// # Complexity
    /// That of a bulk build. Meanwhile two indexes are in memory.
    pub fn compact(&mut self) -> Result<(), BuildError> {
        self.compact_on(None)
    }

    /// [`compact`](Self::compact) on `threads`, or all cores. The result does not depend on the
    /// number.
    ///
    /// # Errors
    /// As [`compact`](Self::compact). See [what starting threads needs](crate#memory).
    pub fn compact_on(&mut self, threads: Option<usize>) -> Result<(), BuildError> {
        self.compact_with(threads, |_| ControlFlow::Continue(()))
    }

    /// [`compact_on`](Self::compact_on) that reports progress. `progress` gets the number of vectors
    /// that are linked, as in [`Builder::build_with`](crate::Builder::build_with), and may cancel.
    ///
    /// # Errors
    /// As [`compact`](Self::compact), and if `progress` cancels.
    pub fn compact_with(
        &mut self,
        threads: Option<usize>,
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(), BuildError> {
        self.lineage.check_writable().map_err(ChangeError::from)?;
        let threads = Threads::new(threads)?;
        let (graph, order) = self.graph.compact(&threads, progress)?;
        let mut keys = Vec::new();
        reserve(&mut keys, order.len())?;
        keys.extend(order.iter().map(|old| self.keys[*old as usize]));
        let compact = Self::with_keys(graph, keys, self.sequence)?.map_err(|SharedKey { key, nodes }| {
            BuildError::DuplicateKey { key, rows: nodes.map(|id| order[id as usize] as usize) }
        })?;
        // Nothing can fail from here on. The index still comes from the same files.
        let (lineage, given_up) = (std::mem::take(&mut self.lineage), std::mem::take(&mut self.given_up));
        *self = Self { lineage, given_up, ..compact };
        Ok(())
    }
}
