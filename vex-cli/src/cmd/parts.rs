//! The parts of an index as rows: `vex convert index.vex`.

use std::path::{Path, PathBuf};

use vex::graph::{GraphView, NodeId};
use vex::{Element, Elements, MappedIndex};

use crate::error::Failure;
use crate::io::{ByteOrder, FileError, Problem, Rows, Shape, Stored};

/// A part of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    Vectors,
    Keys,
    Links,
}

/// The rows of a part, by ascending keys.
struct PartRows<'i> {
    path: PathBuf,
    graph: GraphView<'i>,
    /// The keys of all nodes.
    keys: &'i [u64],
    /// The nodes that are not deleted, by their keys.
    nodes: Vec<NodeId>,
    part: Part,
    shape: Shape,
    next: usize,
}

/// The rows of a part of an index.
///
/// # Errors
/// If it has none, or keys that are too large for links that are written with -1.
pub(crate) fn open<'i>(
    path: &Path,
    index: &'i MappedIndex,
    part: Part,
) -> Result<Box<dyn Rows + 'i>, Failure> {
    let (graph, keys) = (index.graph(), index.node_keys());
    if part == Part::Vectors && !graph.rows().are_stored() {
        return Err(Failure::NoVectors { path: path.to_owned() });
    }
    let tombstones = graph.tombstones();
    let mut nodes = Vec::new();
    nodes.try_reserve_exact(graph.count()).map_err(|error| Failure::refused(path, error))?;
    nodes.extend((0..graph.count() as NodeId).filter(|node| !tombstones.contains(*node)));
    nodes.sort_unstable_by_key(|node| keys.get(*node as usize));
    let (dim, stored) = match part {
        Part::Vectors => match graph.element() {
            Element::F32 => (graph.dim(), Stored::F32),
            Element::F16 => (graph.dim(), Stored::F16),
            Element::I8 => (graph.dim(), Stored::I8),
            Element::U8 => (graph.dim(), Stored::U8),
            Element::Bits => (graph.dim().div_ceil(8), Stored::U8),
        },
        Part::Keys => (1, Stored::U64),
        Part::Links => {
            let widest = nodes.iter().map(|node| graph.links(*node, 0).len()).max().unwrap_or(0);
            let largest = nodes.last().and_then(|node| keys.get(*node as usize)).copied().unwrap_or(0);
            if let Err(error) = i64::try_from(largest) {
                return Err(Failure::refused(path, error));
            }
            (widest.max(1), if i32::try_from(largest).is_ok() { Stored::I32 } else { Stored::I64 })
        }
    };
    if nodes.is_empty() {
        let problem = Problem::NoElements { rows: 0, dim: dim as u64 };
        return Err(FileError::new(path, problem).into());
    }
    let shape = Shape { rows: nodes.len(), dim, stored, bytes: ByteOrder::Little, is_text: false };
    Ok(Box::new(PartRows { path: path.to_owned(), graph, keys, nodes, part, shape, next: 0 }))
}

impl PartRows<'_> {
    /// Writes the keys of the links of a node, and -1 after them.
    fn put_links(&self, node: NodeId, row: &mut [u8]) {
        let size = self.shape.stored.size();
        // A forged file may link to nodes that it does not have keys for.
        let links = self.graph.links(node, 0).iter().filter_map(|link| self.keys.get(*link as usize));
        let mut links = links.map(|key| *key as i64);
        for out in row.chunks_exact_mut(size) {
            out.copy_from_slice(&links.next().unwrap_or(-1).to_le_bytes()[..size]);
        }
    }
}

impl std::fmt::Debug for PartRows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartRows")
            .field("part", &self.part)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

impl Rows for PartRows<'_> {
    fn path(&self) -> &Path {
        &self.path
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, row: &mut [u8]) -> Result<(), FileError> {
        let Some(node) = self.nodes.get(self.next).copied() else {
            return Err(FileError::new(&self.path, Problem::PastEnd { rows: self.shape.rows }));
        };
        self.next += 1;
        match self.part {
            Part::Vectors => put_elements(self.graph.rows().row(node), row),
            Part::Keys => {
                let key = self.keys.get(node as usize).copied().unwrap_or(u64::MAX);
                row.copy_from_slice(&key.to_le_bytes());
            }
            Part::Links => self.put_links(node, row),
        }
        Ok(())
    }

    fn rewind(&mut self) -> Result<(), FileError> {
        self.next = 0;
        Ok(())
    }
}

/// Writes the elements of a vector, without the padding of its row.
fn put_elements(elements: Elements<'_>, row: &mut [u8]) {
    fn put<T: Copy, const N: usize>(elements: &[T], row: &mut [u8], le: impl Fn(T) -> [u8; N]) {
        for (element, out) in elements.iter().zip(row.chunks_mut(N)) {
            // The last word of bits may be longer than what is left.
            out.copy_from_slice(&le(*element)[..out.len()]);
        }
    }
    match elements {
        Elements::F32(elements) => put(elements, row, f32::to_le_bytes),
        Elements::F16(elements) => put(elements, row, vex::f16::to_le_bytes),
        Elements::I8(elements) => put(elements, row, i8::to_le_bytes),
        Elements::U8(elements) => put(elements, row, u8::to_le_bytes),
        Elements::Bits(words) => put(words, row, u64::to_le_bytes),
    }
}
