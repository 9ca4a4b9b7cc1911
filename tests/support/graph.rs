use vex_graph::{Element, GraphView, LevelView, Metric, NodeId, Rows, TERMINATOR};

use crate::Random;

/// A handmade graph. On every level, each node links to the nodes after it, in a ring.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The rule by which its vectors are compared.
    pub metric: Metric,
    /// Elements of a vector.
    pub dim: usize,
    /// The most links of a node above the base level.
    pub m: usize,
    /// The level of each node.
    pub level_of: Vec<usize>,
    /// The entry point.
    pub entry: NodeId,
    elements: Vec<f32>,
    levels: Vec<Level>,
}

#[derive(Clone, Debug)]
struct Level {
    sorted: usize,
    appended: Vec<NodeId>,
    links: Vec<u32>,
}

impl Graph {
    /// A graph whose nodes have these levels. The first `sorted` nodes must be sorted by level,
    /// highest first. The others count as appended. Vectors are drawn from `seed`, and have unit
    /// length under cosine.
    pub fn ring(metric: Metric, dim: usize, m: usize, level_of: &[usize], sorted: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        let stride = Element::F32.row_stride(dim);
        let mut elements = vec![0.0; level_of.len() * stride];
        for row in elements.chunks_exact_mut(stride) {
            row[..dim].iter_mut().for_each(|element| *element = random.element());
            if metric == Metric::Cosine {
                let norm = row.iter().map(|element| element * element).sum::<f32>().sqrt();
                row.iter_mut().for_each(|element| *element /= norm);
            }
        }
        let top = level_of.iter().copied().max().unwrap_or(0);
        let levels = (0..=top).map(|level| Level::ring(level_of, level, sorted, m)).collect();
        let entry = level_of.iter().position(|level| *level == top).map_or(TERMINATOR, |id| id as NodeId);
        Self { metric, dim, m, level_of: level_of.to_vec(), entry, elements, levels }
    }

    /// The graph with these vectors, one after the other.
    pub fn with_vectors(mut self, vectors: &[f32]) -> Self {
        let rows = self.elements.chunks_exact_mut(Element::F32.row_stride(self.dim));
        for (row, vector) in rows.zip(vectors.chunks_exact(self.dim)) {
            row[..vector.len()].copy_from_slice(vector);
        }
        self
    }

    /// The view of the graph, for a search or a file.
    pub fn view(&self) -> GraphView<'_> {
        let stride = Element::F32.row_stride(self.dim);
        let count = self.level_of.len();
        self.view_of(Rows::new(self.metric, &self.elements, self.dim, stride, count).unwrap())
    }

    /// The same links, with other rows.
    pub fn view_of<'a>(&'a self, rows: Rows<'a>) -> GraphView<'a> {
        let levels: Vec<_> =
            self.levels.iter().enumerate().map(|(index, level)| level.view(index, self.m)).collect();
        GraphView::new(rows, None, self.m, self.entry, &levels).unwrap()
    }

    /// The links of a level, which can be changed.
    pub fn links_mut(&mut self, level: usize) -> &mut [u32] {
        &mut self.levels[level].links
    }

    /// One key for each node, none of which is its id.
    pub fn keys(&self) -> Vec<u64> {
        (0..self.level_of.len() as u64).map(|id| 1000 + 7 * id).collect()
    }
}

impl Level {
    fn ring(level_of: &[usize], level: usize, sorted: usize, m: usize) -> Self {
        let nodes = |ids: std::ops::Range<usize>| -> Vec<NodeId> {
            ids.filter(|id| level_of[*id] >= level).map(|id| id as NodeId).collect()
        };
        let width = if level == 0 { 2 * m } else { m };
        let members = nodes(0..level_of.len());
        let degree = width.min(members.len().saturating_sub(1)) / 2 + usize::from(members.len() == 2);
        let mut links = vec![TERMINATOR; members.len() * width];
        for (index, row) in links.chunks_exact_mut(width).enumerate() {
            for (step, link) in row[..degree].iter_mut().enumerate() {
                *link = members[(index + 1 + step) % members.len()];
            }
        }
        match level {
            0 => Self { sorted: members.len(), appended: Vec::new(), links },
            _ => Self { sorted: nodes(0..sorted).len(), appended: nodes(sorted..level_of.len()), links },
        }
    }

    fn view(&self, index: usize, m: usize) -> LevelView<'_> {
        let width = if index == 0 { 2 * m } else { m };
        LevelView { links: &self.links, width, sorted: self.sorted, appended: &self.appended }
    }
}
