//! A file's layout and its bytes, kept together.

use vex_graph::{GraphView, Params};

use crate::{Header, Layout, OpenError, Section, VerifyError};

/// An open index: the bytes of a file, and what is where in them.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    layout: Layout,
    bytes: &'a [u8],
    graph: GraphView<'a>,
    keys: &'a [u64],
}

impl<'a> Image<'a> {
    /// Opens an index in place: constant time, no allocation. The bytes begin on a multiple of 64
    /// and are exactly the file's.
    ///
    /// The contents of the sections are not looked at: [`verify`](Self::verify) does that. Whatever
    /// they are, a search stays inside of them and ends.
    ///
    /// # Errors
    /// If the bytes are not an index of this version, are cut off, or are not aligned.
    pub fn open(bytes: &'a [u8]) -> Result<Self, OpenError> {
        Self::new(Layout::open(bytes)?, bytes)
    }

    pub(crate) fn new(layout: Layout, bytes: &'a [u8]) -> Result<Self, OpenError> {
        Ok(Self { graph: layout.view(bytes)?, keys: layout.keys(bytes)?, layout, bytes })
    }

    /// The graph, which borrows the bytes and not the image.
    pub fn graph(&self) -> GraphView<'a> {
        self.graph
    }

    /// The keys: one for each node.
    pub fn keys(&self) -> &'a [u64] {
        self.keys
    }

    /// What is where.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What the header says.
    pub fn header(&self) -> &Header {
        self.layout.header()
    }

    /// What the graph was built with.
    pub fn params(&self) -> &Params {
        self.layout.params()
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The rows of the section table, those of unknown sections included.
    pub fn sections(&self) -> impl Iterator<Item = Section> + 'a {
        self.layout.sections(self.bytes).into_iter().flatten()
    }

    /// The bytes of a section of this file, without padding; empty for a row of another file that
    /// reaches beyond this one.
    pub fn section_bytes(&self, section: &Section) -> &'a [u8] {
        let start = usize::try_from(section.offset).unwrap_or(usize::MAX);
        let length = usize::try_from(section.length).unwrap_or(usize::MAX);
        self.bytes.get(start..start.saturating_add(length)).unwrap_or(&[])
    }

    /// Reads the whole file and checks everything that can be checked without an allocation:
    /// checksums, padding, links, vectors. That keys are unique and that every node can be
    /// reached is not checked.
    ///
    /// # Errors
    /// The first fault: of the checksums and the padding, then of what the sections hold, in their
    /// order.
    ///
    /// # Complexity
    /// Linear in the file, and quadratic in the length of a row of links.
    pub fn verify(&self) -> Result<(), VerifyError> {
        crate::verify::verify(self)
    }

    /// The same with the threads of an executor. What it finds does not depend on how many there
    /// are.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    #[cfg(feature = "alloc")]
    pub fn verify_on(&self, executor: &dyn vex_graph::Executor) -> Result<(), VerifyError> {
        crate::verify::verify_on(self, executor)
    }
}
