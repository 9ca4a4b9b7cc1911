//! A file's layout and its bytes, kept together.

use vex_graph::{GraphView, Params};

use crate::{Header, Layout, OpenError, Section, VerifyError};

/// An open index: the bytes of a file and their layout. It borrows the bytes. All methods take
/// constant time, except those that [verify](Self::verify).
///
/// Chapter 8 (`docs/8-memory.md` in the repository) explains how a search runs in a file.
///
/// ```
/// use vex_format::{Image, include_index};
/// use vex_graph::{Neighbor, Scratch, SearchParams, search};
///
/// static INDEX: &[u8] =
///     include_index!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/v1.0-cosine.vex"));
///
/// let image = Image::open(INDEX)?;
/// image.verify()?;
/// let query = vec![1.0; image.header().dim];
/// let mut found = [Neighbor::default(); 3];
/// let stats =
///     search(&image.graph(), &query, &SearchParams::new(3), &mut Scratch::new(), &mut found)?;
/// assert_eq!(stats.found, 3);
/// let keys = found.map(|neighbor| image.keys()[neighbor.id as usize]);
/// assert!(keys.iter().all(|key| image.keys().contains(key)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    layout: Layout,
    bytes: &'a [u8],
    graph: GraphView<'a>,
    keys: &'a [u64],
}

impl<'a> Image<'a> {
    /// Opens an index in place. The bytes begin on a multiple of 64 and are exactly those of the
    /// file.
    ///
    /// The contents of the sections are not checked: [`verify`](Self::verify) does that. Whatever
    /// the contents are, a search reads inside of them and ends.
    ///
    /// # Errors
    /// If the bytes are not an index of this version, are cut off, or are not aligned.
    ///
    /// # Complexity
    /// Constant: under 2 KiB are read. No allocation.
    pub fn open(bytes: &'a [u8]) -> Result<Self, OpenError> {
        Self::new(Layout::open(bytes)?, bytes)
    }

    pub(crate) fn new(layout: Layout, bytes: &'a [u8]) -> Result<Self, OpenError> {
        Ok(Self { graph: layout.view(bytes)?, keys: layout.keys(bytes)?, layout, bytes })
    }

    /// The graph. It borrows the bytes, and not the image.
    pub fn graph(&self) -> GraphView<'a> {
        self.graph
    }

    /// The keys, one for each node: that of node i is at i. Deleted nodes have one, too.
    pub fn keys(&self) -> &'a [u64] {
        self.keys
    }

    /// The layout of the file.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The header.
    pub fn header(&self) -> &Header {
        self.layout.header()
    }

    /// The parameters that the graph was built with.
    pub fn params(&self) -> &Params {
        self.layout.params()
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The rows of the section table, including those of unknown sections.
    pub fn sections(&self) -> impl Iterator<Item = Section> + 'a {
        self.layout.sections(self.bytes).into_iter().flatten()
    }

    /// The bytes of a section of this file, without padding. Empty if `section` comes from another
    /// file and reaches beyond this one.
    pub fn section_bytes(&self, section: &Section) -> &'a [u8] {
        let start = usize::try_from(section.offset).unwrap_or(usize::MAX);
        let length = usize::try_from(section.length).unwrap_or(usize::MAX);
        self.bytes.get(start..start.saturating_add(length)).unwrap_or(&[])
    }

    /// Reads the whole file and makes all checks that need no allocation: checksums, padding, links
    /// and vectors. It does not check that keys are unique and that every node can be reached.
    ///
    /// # Errors
    /// The first fault. Wrong checksums and padding come before wrong contents, which come in the
    /// order of the sections.
    ///
    /// # Complexity
    /// Linear in the length of the file, and at worst quadratic in the length of a row of links. No
    /// allocation.
    pub fn verify(&self) -> Result<(), VerifyError> {
        crate::verify::verify(self)
    }

    /// [`verify`](Self::verify) on the threads of an executor. The result does not depend on their
    /// number.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    ///
    /// # Complexity
    /// The work of [`verify`](Self::verify), in pieces of 256 KiB. No allocation, except what the
    /// executor allocates.
    #[cfg(feature = "alloc")]
    pub fn verify_on(&self, executor: &dyn vex_graph::Executor) -> Result<(), VerifyError> {
        crate::verify::verify_on(self, executor)
    }
}
