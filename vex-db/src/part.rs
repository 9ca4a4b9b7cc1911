//! The parts of a collection that are searched one by one: sealed segments, and blocks of rows that
//! are pending. Each has one vector of its rows: the one that every row has, or one with a name.
//!
//! Both number their rows from 0: the numbers are nodes. A part never changes. Which of its nodes
//! are alive does, so that is kept beside it, in a [`Slot`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use redb::ReadTransaction;
use vex::graph::{
    Candidate, Exact, Neighbor, NodeId, Scratch, SearchEnd, SearchStats, search, search_filtered,
};
use vex::{Element, SearchParams, SharedIndex};

use crate::bits::Bits;
use crate::block::Block;
use crate::column::Column;
use crate::disk::Disk;
use crate::{Error, Result, Schema, store};

/// A part, and which of its nodes are alive.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) part: Part,
    pub(crate) live: Arc<Bits>,
    pub(crate) live_count: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Part {
    Segment(Arc<Segment>),
    Block(Arc<Block>),
}

impl Part {
    /// Whether two parts are one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Segment(one), Self::Segment(other)) => one.number == other.number,
            (Self::Block(one), Self::Block(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Slot {
    /// A block, whose rows are all alive.
    pub(crate) fn of_block(block: Block) -> Self {
        let count = block.rows.len();
        Self { part: Part::Block(Arc::new(block)), live: Arc::new(Bits::all(count)), live_count: count }
    }

    /// A block of which some rows are alive.
    pub(crate) fn of_live(block: Arc<Block>, live: Bits) -> Self {
        Self { part: Part::Block(block), live_count: live.count(), live: Arc::new(live) }
    }

    pub(crate) fn of_segment(segment: Arc<Segment>, live: Bits) -> Self {
        Self { part: Part::Segment(segment), live_count: live.count(), live: Arc::new(live) }
    }

    pub(crate) fn segment(&self) -> Option<&Arc<Segment>> {
        match &self.part {
            Part::Segment(segment) => Some(segment),
            Part::Block(_) => None,
        }
    }

    pub(crate) fn block(&self) -> Option<&Arc<Block>> {
        match &self.part {
            Part::Segment(_) => None,
            Part::Block(block) => Some(block),
        }
    }

    /// The number of the vector that the part has.
    pub(crate) fn vector_number(&self) -> u16 {
        match &self.part {
            Part::Segment(segment) => segment.vector,
            Part::Block(block) => block.vector,
        }
    }

    /// How many nodes there are, dead ones too.
    pub(crate) fn count(&self) -> usize {
        match &self.part {
            Part::Segment(segment) => segment.count,
            Part::Block(block) => block.rows.len(),
        }
    }

    /// The number of the row at a node.
    pub(crate) fn row(&self, node: NodeId) -> u64 {
        match &self.part {
            Part::Segment(segment) => segment.index.searcher().node_keys()[node as usize],
            Part::Block(block) => block.rows[node as usize],
        }
    }

    /// The node of a row, if it is alive here.
    pub(crate) fn find(&self, row: u64) -> Option<NodeId> {
        let node = match &self.part {
            Part::Segment(segment) => segment.node(row)?,
            Part::Block(block) => block.rows.binary_search(&row).ok()? as NodeId,
        };
        self.live.contains(node).then_some(node)
    }

    pub(crate) fn kill(&mut self, node: NodeId) {
        Arc::make_mut(&mut self.live).unset(node);
        self.live_count -= 1;
    }

    /// The vector at a node. Under cosine it has unit length.
    pub(crate) fn vector(&self, node: NodeId) -> Option<Vec<f32>> {
        match &self.part {
            Part::Segment(segment) => {
                let rows = *segment.index.searcher().graph().rows();
                rows.are_stored().then(|| rows.row(node).as_f32().map(<[f32]>::to_vec))?
            }
            Part::Block(block) => block.vectors.rows().row(node).as_f32().map(<[f32]>::to_vec),
        }
    }

    /// The vector at a node as it came, or as near to that as the part keeps it.
    pub(crate) fn raw(&self, node: NodeId) -> Vec<f32> {
        match &self.part {
            Part::Segment(_) => self.vector(node).expect("segments store vectors of f32"),
            Part::Block(block) => block.raw(node).to_vec(),
        }
    }

    /// The column of a field. That of a segment is read on first use.
    pub(crate) fn column(&self, field: u16, tx: &ReadTransaction) -> Result<Arc<Column>> {
        match &self.part {
            Part::Segment(segment) => segment.column(field, tx),
            Part::Block(block) => {
                let at = block.columns.binary_search_by_key(&field, |(field, _)| *field);
                Ok(at.map_or_else(|_| Arc::default(), |at| block.columns[at].1.clone()))
            }
        }
    }

    /// The neighbors of a query among the nodes of a set, nearest first. Those of a segment are
    /// found as [`vex`] finds them, those of a block by an exact scan.
    pub(crate) fn search(
        &self,
        query: &[f32],
        params: &SearchParams,
        accepted: &Bits,
        accepted_count: usize,
        scratch: &mut Scratch,
        out: &mut Vec<Neighbor>,
    ) -> Result<SearchStats> {
        out.clear();
        out.resize(params.k.min(accepted_count), Neighbor::default());
        if out.is_empty() {
            return Ok(SearchStats::default());
        }
        match &self.part {
            Part::Segment(segment) => {
                let searcher = segment.index.searcher();
                let view = searcher.graph();
                let stats = if accepted_count == segment.count {
                    search(&view, query, params, scratch, out)?
                } else {
                    search_filtered(&view, query, params, &accepted.as_set(), scratch, out)?
                };
                out.truncate(stats.found);
                Ok(stats)
            }
            Part::Block(block) => {
                let rows = block.vectors.rows();
                let mut candidates = vec![Candidate::EMPTY; out.len()];
                let mut exact = Exact::new(&rows, query, &mut candidates).map_err(vex::SearchError::from)?;
                accepted.runs().for_each(|run| exact.scan(run));
                let found = exact.finish(out);
                out.truncate(found);
                let mut stats = SearchStats::default();
                (stats.found, stats.distances, stats.end) = (found, accepted_count, SearchEnd::Scan);
                Ok(stats)
            }
        }
    }
}

/// The numbers of rows, ascending, and their nodes.
pub(crate) type NodesByRow = (Vec<u64>, Vec<NodeId>);

/// A sealed segment: an index in a file, whose keys are numbers of rows.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    /// The number of the vector.
    pub(crate) vector: u16,
    /// The name of the file.
    pub(crate) name: String,
    disk: Arc<dyn Disk>,
    /// Whether no commit names the file any more. Then it is removed with the last snapshot that
    /// has the segment.
    is_gone: AtomicBool,
    pub(crate) index: SharedIndex,
    pub(crate) count: usize,
    /// The numbers of the rows, ascending, and their nodes. Made when a row is looked up.
    nodes: Mutex<Option<Arc<NodesByRow>>>,
    /// The columns that were read.
    columns: Mutex<Vec<Option<Arc<Column>>>>,
}

impl Segment {
    /// Opens a segment, and checks it against what the store says of it.
    pub(crate) fn open(
        number: u64,
        (name, count, vector): (&str, u32, u16),
        disk: &Arc<dyn Disk>,
        schema: &Schema,
    ) -> Result<Self> {
        let other = || Error::Damaged { part: format!("segment {name}: not the file that the store names") };
        let of = schema.vector_types().get(usize::from(vector)).ok_or_else(other)?;
        let (index, count) = (disk.open_segment(name)?, count as usize);
        let searcher = index.searcher();
        let fits = searcher.dim() == of.dim
            && searcher.metric() == of.metric
            && searcher.element() == Element::F32
            && searcher.graph().count() == count
            && searcher.graph().rows().are_stored();
        if !fits {
            return Err(other());
        }
        Ok(Self {
            number,
            vector,
            name: name.to_owned(),
            disk: disk.clone(),
            is_gone: AtomicBool::new(false),
            index,
            count,
            nodes: Mutex::default(),
            columns: Mutex::new(vec![None; schema.fields().count()]),
        })
    }

    /// Removes the file once no snapshot has the segment.
    pub(crate) fn set_gone(&self) {
        self.is_gone.store(true, Ordering::Relaxed);
    }

    /// Sorts the rows, so that nodes are found by row.
    pub(crate) fn sort_rows(&self) -> Arc<NodesByRow> {
        let mut table = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let sort = || {
            let searcher = self.index.searcher();
            let mut pairs: Vec<_> = searcher.node_keys().iter().copied().zip(0..).collect();
            pairs.sort_unstable();
            Arc::new(pairs.into_iter().unzip())
        };
        table.get_or_insert_with(sort).clone()
    }

    /// The node of a row.
    pub(crate) fn node(&self, row: u64) -> Option<NodeId> {
        let table = self.sort_rows();
        let at = table.0.binary_search(&row).ok()?;
        Some(table.1[at])
    }

    fn column(&self, field: u16, tx: &ReadTransaction) -> Result<Arc<Column>> {
        let columns = || self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(column) = &columns()[usize::from(field)] {
            return Ok(column.clone());
        }
        // Other searches need not wait for this.
        let column = self.read_column(field, tx)?.marked(self.count);
        Ok(columns()[usize::from(field)].get_or_insert(Arc::new(column)).clone())
    }

    /// A column as the store has it now.
    pub(crate) fn read_column(&self, field: u16, tx: &ReadTransaction) -> Result<Column> {
        let part = || format!("column {field} of segment {}", self.number);
        let bytes = store::read_column(tx, self.number, field)?;
        Column::decode(&bytes, self.count).map_err(Error::damaged(part()))
    }

    /// Bytes of memory besides the index.
    pub(crate) fn memory(&self) -> usize {
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let columns = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.as_ref().map_or(0, |nodes| nodes.0.capacity() * 8 + nodes.1.capacity() * 4)
            + columns.iter().flatten().map(|column| column.memory()).sum::<usize>()
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if self.is_gone.load(Ordering::Relaxed) {
            // A file that cannot be removed now is removed when the collection is opened.
            let _ = self.disk.remove(&self.name);
        }
    }
}
