//! Copies of an index, for readers beside a writer.

use std::collections::HashMap;

use vex_graph::Hnsw;

use crate::reserve::{reserve, reserve_nodes};
use crate::{BuildError, Index};

impl Index {
    /// A copy of the index as it is now, for readers that shall not wait for a writer: see
    /// [`SharedIndex`](crate::SharedIndex). The copy and the index both come from one file. Only
    /// the first of them that is saved may replace that file.
    ///
    /// # Errors
    /// If memory runs out.
    ///
    /// # Complexity
    /// The memory of the index, and the time to read it once or twice.
    ///
    /// # Examples
    /// ```
    /// let mut index = vex::Index::builder(2).build_from([(1, [0.0, 1.0])])?;
    /// let before = index.try_clone()?;
    /// index.insert(2, [1.0, 0.0])?;
    /// assert_eq!((before.len(), index.len()), (1, 2));
    /// # Ok::<(), vex::Error>(())
    /// ```
    pub fn try_clone(&self) -> Result<Self, BuildError> {
        let (view, params) = (self.graph.view(), *self.graph.params());
        // A view without nodes does not show whether there are to be codes.
        let mut graph = match view.count() {
            0 => Hnsw::new(view.metric(), view.dim(), params).map_err(vex_graph::BuildError::from)?,
            _ => Hnsw::from_view(&view, params)?,
        };
        graph.limit_memory(self.graph.memory_limit());
        let (mut keys, mut nodes) = (Vec::new(), HashMap::new());
        reserve(&mut keys, self.keys.len())?;
        keys.extend_from_slice(&self.keys);
        reserve_nodes(&mut nodes, self.nodes.len())?;
        nodes.extend(&self.nodes);
        let mut given_up = Vec::new();
        reserve(&mut given_up, self.given_up.len())?;
        given_up.extend_from_slice(&self.given_up);
        let lineage = self.lineage.try_clone()?;
        Ok(Self { graph, keys, nodes, sequence: self.sequence, lineage, given_up })
    }
}
