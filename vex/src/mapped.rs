//! An index that is searched in place, in the bytes of its file.

use std::path::Path;

use vex_format::{AlignedBytes, Header, Image, Layout, Section, VerifyError};
use vex_graph::{Element, Elements, GraphView, Metric, Params, SearchError, SearchParams};

use crate::error::owned;
use crate::threads::Threads;
use crate::trace::span;
use crate::{
    Found, Hit, Loaded, Mapping, OpenError, OpenProblem, Scratch, Searcher, Vector, VerifyProblem, regular,
};

/// An index in the bytes of a file: opened in constant time, never copied, read only.
///
/// The bytes may be a mapped file, a part of flash memory, or anything else that begins on a
/// multiple of 64. Whatever the bytes are, a search reads no others, and ends.
/// [`verify`](Self::verify) checks that they are undamaged, so that the answers are right. Chapter
/// 8 (`docs/8-memory.md` in the repository) explains how a search runs in a file.
///
/// Methods that search nothing take constant time, except where they say otherwise. `B` must always
/// give the bytes that were opened, as all types of this crate do. Else methods panic.
#[derive(Debug)]
pub struct MappedIndex<B = Mapping> {
    bytes: B,
    layout: Layout,
    /// A copy of all bytes except the vectors, in memory where searches are faster.
    near: Option<Loaded>,
}

impl MappedIndex<Mapping> {
    /// Maps a file and checks its header, in constant time. The first searches read from the disk.
    ///
    /// # Safety
    /// See [`Mapping::open`]: nobody may change or cut the file as long as the index lives.
    /// Replacing it by [`Index::save`](crate::Index::save) is fine.
    ///
    /// # Errors
    /// If the file cannot be mapped, is not a regular file, is not an index, or was cut short.
    ///
    /// # Examples
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("two.vex");
    /// vex::Index::builder(2).build_from([(1, [0.0, 1.0]), (2, [1.0, 0.0])])?.save(&path)?;
    /// // SAFETY: the file is ours, and nothing writes to it.
    /// let index = unsafe { vex::MappedIndex::open(&path) }?;
    /// assert_eq!(index.search([0.1, 0.9], 1)?[0].key, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[allow(unsafe_code)]
    pub unsafe fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        span!("open", path = %path.display());
        let open = || {
            let file = regular::open(path)?;
            // SAFETY: the caller answers for the file.
            Ok(Self::in_place(unsafe { Mapping::of(&file) }?)?)
        };
        open().map_err(|problem| OpenError { path: owned(path), problem })
    }

    /// Maps a file, checks its header, and reads everything except the vectors into memory: links,
    /// codes and keys. They are on large pages where the system has them.
    ///
    /// This is for an index with codes. A search compares codes, as fast as after
    /// [`read`](Self::read), and then compares a few vectors, which come from the mapping. The
    /// system keeps the vectors in memory that are used often, as far as there is room.
    ///
    /// # Safety
    /// As for [`open`](Self::open).
    ///
    /// # Errors
    /// As for [`open`](Self::open), and if the file cannot be read.
    ///
    /// # Complexity
    /// Reads the file except its vectors.
    #[allow(unsafe_code)]
    pub unsafe fn open_near(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        span!("open", path = %path.display());
        let open = || {
            let file = regular::open(path)?;
            // SAFETY: the caller answers for the file.
            let mut index = Self::in_place(unsafe { Mapping::of(&file) }?)?;
            index.near = Some(Loaded::read_around(&file, index.layout.vectors())?);
            // From now on searches read single vectors from the mapping.
            index.bytes.expect_single_rows();
            index.try_split()?;
            Ok(index)
        };
        open().map_err(|problem| OpenError { path: owned(path), problem })
    }
}

impl MappedIndex<Loaded> {
    /// Reads a file into memory and checks its header. The rest is not checked: see
    /// [`verify`](Self::verify). Later changes to the file do not change the index.
    ///
    /// # Errors
    /// If the file cannot be read, is not a regular file, is not an index, or was cut short.
    ///
    /// # Complexity
    /// Reads the whole file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        span!("open", path = %path.display());
        let read = || {
            let file = regular::open(path)?;
            regular::check_header(&file)?;
            Ok(Self::in_place(Loaded::read_around(&file, 0..0)?)?)
        };
        read().map_err(|problem| OpenError { path: owned(path), problem })
    }
}

impl MappedIndex<AlignedBytes> {
    /// Copies the bytes of an index into aligned memory, and checks the header. To search bytes
    /// without a copy, see [`in_place`](Self::in_place).
    ///
    /// # Errors
    /// If the bytes are not an index, are cut short, or memory runs out.
    ///
    /// # Complexity
    /// A copy of the bytes.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Result<Self, OpenProblem> {
        Ok(Self::in_place(AlignedBytes::copy_of(bytes.as_ref())?)?)
    }
}

/// Bytes that stay where they are, on a multiple of 64, and so can be searched in place. A plain
/// `Vec<u8>` is none of these, since it begins on a multiple of 64 only by chance.
/// [`MappedIndex::from_bytes`] copies it into aligned memory.
///
/// The alignment of a slice, such as one in flash memory, is checked.
pub trait InPlace: AsRef<[u8]> {}

impl InPlace for AlignedBytes {}
impl InPlace for Loaded {}
impl InPlace for Mapping {}
impl InPlace for &[u8] {}

impl<B: AsRef<[u8]>> MappedIndex<B> {
    /// Checks the header of an index in these bytes, in constant time, and searches the bytes in
    /// place. [`InPlace`] lists the types that can hold them.
    ///
    /// # Errors
    /// If the bytes are not an index, are cut short, or do not begin on a multiple of 64.
    ///
    /// # Examples
    /// ```
    /// use vex::{MappedIndex, format};
    ///
    /// static INDEX: &[u8] =
    ///     format::include_index!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/v1.0-cosine.vex"));
    /// assert_eq!(MappedIndex::in_place(INDEX)?.len(), 20);
    /// # Ok::<(), vex::Error>(())
    /// ```
    pub fn in_place(bytes: B) -> Result<Self, vex_format::OpenError>
    where
        B: InPlace,
    {
        let layout = Layout::open(bytes.as_ref())?;
        let index = Self { bytes, layout, near: None };
        index.try_split()?;
        Ok(index)
    }

    /// The graph and the keys, as searches use them.
    fn try_split(&self) -> Result<(GraphView<'_>, &[u64]), vex_format::OpenError> {
        let bytes = self.bytes.as_ref();
        let near = self.near.as_ref().map_or(bytes, Loaded::as_ref);
        Ok((self.layout.split_view(near, bytes)?, self.layout.keys(near)?))
    }

    /// As [`try_split`](Self::try_split). Panics if `B` now gives other bytes than those that were
    /// opened.
    fn split(&self) -> (GraphView<'_>, &[u64]) {
        self.try_split().expect("the bytes that were opened")
    }

    /// The checked bytes. Panics as [`split`](Self::split) does.
    fn opened(&self) -> Image<'_> {
        self.layout.image(self.bytes.as_ref()).expect("the bytes that were opened")
    }

    /// Lends a [`Searcher`], which has all the ways to search.
    ///
    /// # Complexity
    /// Constant: offsets become slices whose lengths are checked. That takes about as long as a few
    /// distances, so keep the searcher for many queries.
    pub fn searcher(&self) -> Searcher<'_> {
        let (graph, keys) = self.split();
        Searcher::new(graph, keys, None)
    }

    /// [`Searcher::search`]: the `k` vectors nearest to `query`.
    ///
    /// # Errors
    /// If the query cannot be searched for, or memory runs out.
    ///
    /// # Complexity
    /// Allocates the memory of a search. [`search_with`](Self::search_with) reuses it.
    pub fn search(&self, query: impl Vector, k: usize) -> Result<Vec<Hit>, SearchError> {
        self.searcher().search(query, k)
    }

    /// [`Searcher::search_with`]: the same in memory that is reused, with the caller's parameters.
    ///
    /// # Errors
    /// If the query cannot be searched for, or memory runs out.
    ///
    /// # Complexity
    /// That of [`searcher`](Self::searcher) and [`Searcher::search_with`]. No allocation once
    /// `scratch` has grown.
    pub fn search_with<'s>(
        &self,
        query: impl Vector,
        params: &SearchParams,
        scratch: &'s mut Scratch,
    ) -> Result<Found<'s>, SearchError> {
        self.searcher().search_with(query, params, scratch)
    }

    /// [`Searcher::get`]: the vector under a key, as it is kept.
    ///
    /// # Complexity
    /// Reads all keys, since a file has no table from keys to nodes.
    pub fn get(&self, key: u64) -> Option<Elements<'_>> {
        self.searcher().get(key)
    }

    /// Elements of a vector.
    pub fn dim(&self) -> usize {
        self.header().dim
    }

    /// The type of the elements of a vector.
    pub fn element(&self) -> Element {
        self.header().element
    }

    /// The rule by which vectors are compared.
    pub fn metric(&self) -> Metric {
        self.header().metric
    }

    /// Checks every byte: the checksum of each section, and that the links make sense. It does not
    /// check that keys are unique and that every node can be reached.
    ///
    /// # Errors
    /// The first thing that is wrong: see [`Image::verify`].
    ///
    /// # Complexity
    /// Reads the whole file, on one thread. No allocation.
    pub fn verify(&self) -> Result<(), VerifyError> {
        span!("verify");
        self.opened().verify()
    }

    /// [`verify`](Self::verify) on several threads, which end with it. The default is one for each
    /// core.
    ///
    /// # Errors
    /// As [`verify`](Self::verify), and if the threads cannot be started. See [what starting
    /// threads needs](crate#memory).
    pub fn verify_on(&self, threads: Option<usize>) -> Result<(), VerifyProblem> {
        span!("verify");
        let threads = Threads::new(threads)?;
        Ok(self.opened().verify_on(&threads)?)
    }

    /// The fields of the file's header.
    pub fn header(&self) -> &Header {
        self.layout.header()
    }

    /// The parameters that the graph was built with.
    pub fn params(&self) -> &Params {
        self.layout.params()
    }

    /// The sections of the file.
    ///
    /// # Panics
    /// If `B` now gives other bytes than those that were opened.
    pub fn sections(&self) -> impl Iterator<Item = Section> {
        self.layout.sections(self.bytes.as_ref()).expect("the bytes that were opened")
    }

    /// The graph, whose node `id` has the key `node_keys()[id]`.
    pub fn graph(&self) -> GraphView<'_> {
        self.split().0
    }

    /// The keys, by node. Deleted nodes have keys, too.
    pub fn node_keys(&self) -> &[u64] {
        self.split().1
    }

    /// How many vectors there are. Deleted vectors do not count.
    ///
    /// # Complexity
    /// Reads a bit for each node if any is deleted.
    pub fn len(&self) -> usize {
        self.searcher().len()
    }

    /// Whether there are none. It takes as long as [`len`](Self::len).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of the index: those of the file.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}
