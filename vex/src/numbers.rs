//! Whether the distances of an index are too small for f32.

use vex_graph::{Elements, Metric, SearchError, SearchParams};

use crate::{Index, Scratch};

/// The neighbors of each sample: enough to see beyond some copies of a vector.
const K: usize = 10;

impl Index {
    /// The share of `samples` vectors whose distances underflow in f32. Neighbors at such distances
    /// cannot be ordered. If the share is large, multiply all vectors and queries by one number.
    ///
    /// A distance underflows if it is below [`f32::MIN_POSITIVE`] (1.2e-38) although the vectors
    /// differ. There f32 has fewer digits, and below 1.4e-45 none. The distance is the squared
    /// Euclidean one. Under the inner product metric, it is the squared length of the vector.
    ///
    /// The share is 0.0 under cosine, which does not depend on lengths. It is also 0.0 for elements
    /// other than f32, which cannot be so small.
    ///
    /// # Errors
    /// If memory runs out.
    ///
    /// # Complexity
    /// A search for each sample under squared Euclidean distance. A pass over each sample under
    /// inner product.
    ///
    /// # Examples
    /// ```
    /// let vectors = |scale: f32| (0..20_u32).map(move |i| (u64::from(i), [i as f32 * scale, scale]));
    /// assert_eq!(vex::Index::builder(2).build_from(vectors(1.0))?.underflow(20)?, 0.0);
    /// assert_eq!(vex::Index::builder(2).build_from(vectors(1e-25))?.underflow(20)?, 1.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn underflow(&self, samples: usize) -> Result<f64, SearchError> {
        let params = SearchParams::new(K);
        let mut scratch = Scratch::new();
        let (mut looked_at, mut found) = (0, 0);
        let step = (self.node_keys().len() / samples.max(1)).max(1);
        for key in self.node_keys().iter().step_by(step).take(samples) {
            let Some(vector) = self.get(*key) else { continue };
            let Elements::F32(elements) = vector else { break };
            let underflows = match self.metric() {
                Metric::SquaredEuclidean => {
                    let hits = self.search_with(vector, &params, &mut scratch)?.hits;
                    let mut tiny = hits.iter().filter(|hit| hit.distance < f32::MIN_POSITIVE);
                    tiny.any(|hit| self.get(hit.key) != Some(vector))
                }
                Metric::InnerProduct => {
                    let square: f64 = elements.iter().map(|element| f64::from(*element).powi(2)).sum();
                    (f64::MIN_POSITIVE..f64::from(f32::MIN_POSITIVE)).contains(&square)
                }
                _ => break,
            };
            looked_at += 1;
            found += usize::from(underflows);
        }
        Ok(if looked_at == 0 { 0.0 } else { found as f64 / looked_at as f64 })
    }
}
