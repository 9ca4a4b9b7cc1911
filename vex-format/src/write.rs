//! Writing a view as the bytes of a file.
//!
//! `Writer::new` numbers the nodes, generates every section once for its checksum, and makes the
//! header and the section table. `Writer::write_to` generates every section again, for the sink. So
//! a file needs no memory of its own, and one function generates both the checksums and the bytes.

use alloc::vec::Vec;
use core::convert::Infallible;
use core::fmt;

use vex_graph::{
    Codes, CopyLinks, Element, Elements, GraphView, MAX_LEVELS, NodeId, Params, TERMINATOR, f16,
};

use crate::checksum::SectionDigest;
use crate::codes::Kind;
use crate::header::{ALIGNMENT, HEADER_BYTES, TRAILER_BYTES, trailer, u32_at};
use crate::order::Order;
use crate::section::{Content, ENTRY_BYTES, META_BYTES, aligned, width};
use crate::{Header, MAJOR, MINOR, Meta, Section, Store, WriteError, crc32c, verify};

/// A file that is ready to be written. The same graph, keys and metadata always give the same
/// bytes. The [crate's page](crate) has an example.
pub struct Writer<'a> {
    source: Source<'a>,
    header: [u8; HEADER_BYTES],
    table: [u8; MOST_SECTIONS * ENTRY_BYTES],
}

/// Vectors, codes with their correction terms and mean, keys, copies, tombstones, build parameters,
/// and the links of each level.
const MOST_SECTIONS: usize = 8 + MAX_LEVELS;

/// The most bytes that the sink gets at once.
const CHUNK_BYTES: usize = 8192;

impl<'a> Writer<'a> {
    /// Numbers the nodes and computes the checksums. `keys` has one key for each node of `view`.
    ///
    /// Nodes that are not yet sorted by level are sorted. This takes nine bytes of memory for each,
    /// and eight more if some are copies. Vectors, keys and links are written in the new order.
    ///
    /// Values that a reader would refuse are refused here, if that takes little time: the
    /// correction terms and the mean of codes are checked. Vectors and links are not checked. They
    /// are written as they are, except that a row of links ends at its first link that leads
    /// nowhere.
    ///
    /// # Errors
    /// If the arguments do not belong together, or there is no memory to sort the nodes. Also if
    /// codes have correction terms or a mean that are not finite.
    ///
    /// # Complexity
    /// Linear in the length of the file, which is generated once for its checksums. With
    /// [`Store::F16`] all vectors are read once more before.
    pub fn new(view: &GraphView<'a>, keys: &'a [u64], meta: &Meta) -> Result<Self, WriteError> {
        let mut source = Source::new(view, keys, meta)?;
        let mut table = [0; MOST_SECTIONS * ENTRY_BYTES];
        let table_bytes = source.header.sections * ENTRY_BYTES;
        let mut end = (HEADER_BYTES + table_bytes) as u64;
        for (entry, content) in table.chunks_exact_mut(ENTRY_BYTES).zip(Content::of(&source.header)) {
            let offset = aligned(end).ok_or(WriteError::TooLarge)?;
            let section = source.section(content, offset)?;
            end = offset.checked_add(section.length).ok_or(WriteError::TooLarge)?;
            entry.copy_from_slice(&section.encode());
        }
        let trailer_bytes = TRAILER_BYTES as u64;
        source.header.file_length =
            aligned(end).and_then(|end| end.checked_add(trailer_bytes)).ok_or(WriteError::TooLarge)?;
        // The header covers the table, which covers the sections. So the header is made last.
        source.header.table_checksum = crc32c(&table[..table_bytes]);
        let metric = source.header.metric;
        let header = source.header.encode().ok_or(WriteError::Metric { found: metric })?;
        source.header.checksum = u32_at(&header, HEADER_BYTES - 4);
        Ok(Self { source, header, table })
    }

    /// The header of the file.
    pub fn header(&self) -> &Header {
        &self.source.header
    }

    /// The length of the file in bytes, which is exact.
    pub fn file_length(&self) -> u64 {
        self.source.header.file_length
    }

    /// Passes the file to `sink`, in order, at most 8 KiB at a time.
    ///
    /// # Errors
    /// The first error of the sink. The sink is not called again after it.
    ///
    /// # Complexity
    /// Linear in the length of the file, which is generated again. It takes 8 KiB of the stack, and
    /// allocates nothing.
    pub fn write_to<E>(&self, sink: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut out = Chunks::new(sink);
        out.put(&self.header)?;
        out.put(&self.table[..self.source.header.sections * ENTRY_BYTES])?;
        for content in Content::of(&self.source.header) {
            out.align()?;
            self.source.write(content, &mut out)?;
        }
        out.align()?;
        out.put(&trailer(&self.header))?;
        out.flush()
    }
}

impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("header", &self.source.header).finish_non_exhaustive()
    }
}

/// The contents of the file, and their order.
struct Source<'a> {
    view: GraphView<'a>,
    keys: &'a [u64],
    params: Params,
    order: Order,
    /// The links of copies, if nodes have new ids in the file.
    copies: Vec<CopyLinks>,
    header: Header,
}

impl<'a> Source<'a> {
    fn new(view: &GraphView<'a>, keys: &'a [u64], meta: &Meta) -> Result<Self, WriteError> {
        let params = meta.params;
        params.validate()?;
        let count = view.count();
        if view.m() != params.m {
            return Err(WriteError::M { expected: view.m(), found: params.m });
        }
        if keys.len() != count {
            return Err(WriteError::Keys { expected: count, found: keys.len() });
        }
        let entry = view.entry().unwrap_or(TERMINATOR);
        if count > 0 && entry as usize >= count {
            return Err(WriteError::Entry { expected: count, found: entry });
        }
        if let Some(codes) = view.codes() {
            // These are the checks of a reader, so nothing is written that a reader refuses.
            verify::terms(codes, 0..count).map_err(|node| WriteError::Terms { node })?;
            verify::mean(codes, 0..view.dim()).map_err(|position| WriteError::Mean { position })?;
        }
        let order = Order::of(view)?;
        // An empty graph has one encoding, however many empty levels its view has.
        let levels = if count == 0 { 1 } else { view.levels().len() };
        let quantization = match view.codes() {
            Some(codes) => Some(codes.quantization()),
            // Without vectors there are no codes yet, but the vectors that come will have them.
            None => params.quantization.filter(|_| count == 0),
        };
        let stores_vectors = view.rows().are_stored() && meta.store != Store::None;
        if !stores_vectors && quantization.is_none() {
            return Err(WriteError::NoVectors);
        }
        let element = match (meta.store, view.element()) {
            (Store::F16, Element::F32) if stores_vectors => {
                check_range(view)?;
                Element::F16
            }
            (Store::F16, found @ (Element::I8 | Element::U8 | Element::Bits)) => {
                return Err(WriteError::Element { found });
            }
            (_, element) => element,
        };
        // Bits beyond the nodes are not written, so they do not count.
        let has_tombstones = view.tombstones().iter().next().is_some_and(|lowest| (lowest as usize) < count);
        let mut has_copies = (0..view.copies().len() as NodeId).any(|id| view.is_copy(id));
        let mut copies = Vec::new();
        if has_copies && order.is_renumbered() {
            copies = view.renumbered_copies(|id| order.new_id(id))?;
            has_copies = !copies.is_empty();
        }
        let (compatible, incompatible) =
            Header::features(quantization, stores_vectors, has_tombstones, has_copies);
        let mut header = Header {
            major: MAJOR,
            minor: MINOR,
            compatible,
            read_only_compatible: 0,
            incompatible,
            sections: 0,
            file_length: 0,
            segment_id: meta.segment_id,
            sequence: meta.sequence,
            dim: view.dim(),
            stride: element.row_stride(view.dim()),
            count,
            element,
            quantization,
            metric: view.metric(),
            kind: Kind::Hnsw,
            levels,
            m: view.m(),
            entry: order.new_id(entry),
            level_count: order.level_count,
            table_checksum: 0,
            checksum: 0,
        };
        header.sections = Content::of(&header).count();
        Ok(Self { view: *view, keys, params, order, copies, header })
    }

    /// The row of the table for a section, which is generated for its checksum.
    fn section(&self, content: Content, offset: u64) -> Result<Section, WriteError> {
        let mut digest = SectionDigest::new();
        let mut sink = |bytes: &[u8]| {
            digest.update(bytes);
            Ok::<(), Infallible>(())
        };
        let mut out = Chunks::new(&mut sink);
        let Ok(()) = self.write(content, &mut out);
        let Ok(()) = out.flush();
        Ok(Section {
            tag: content.tag(),
            flags: content.flags(),
            offset,
            length: content.length(&self.header).ok_or(WriteError::TooLarge)?,
            element_size: content.element_size(&self.header),
            checksum: digest.finish(),
        })
    }

    /// Generates a section, for its checksum and for the file.
    fn write<E, F>(&self, content: Content, out: &mut Chunks<'_, F>) -> Result<(), E>
    where
        F: FnMut(&[u8]) -> Result<(), E>,
    {
        let nodes = 0..self.header.count as u32;
        match content {
            Content::Vectors => {
                let Header { element, stride, dim, .. } = self.header;
                let padding = (stride - element.scalars(dim)) * element.scalar_bytes();
                for node in nodes {
                    self.write_vector(self.view.rows().row(self.order.old(node)), out)?;
                    out.put_zeros(padding)?;
                }
            }
            Content::Codes | Content::Terms | Content::Mean => match self.view.codes() {
                Some(codes) => self.write_codes(codes, content, out)?,
                None if content == Content::Mean => {
                    out.put_zeros(self.header.dim * size_of::<f32>())?;
                }
                None => (),
            },
            Content::Copies => {
                let copies = if self.copies.is_empty() { self.view.copies() } else { &self.copies };
                out.put_all(copies.as_flattened().iter().map(|id| id.to_le_bytes()))?;
            }
            Content::Tombstones => {
                let (tombstones, count) = (self.view.tombstones(), self.header.count);
                for first in (0..count).step_by(64) {
                    let nodes = first..(first + 64).min(count);
                    // Bit j of a word is node `first + j`, so the fold begins with the highest
                    // node.
                    let word = nodes.rev().fold(0u64, |word, node| {
                        word << 1 | u64::from(tombstones.contains(self.order.old(node as u32)))
                    });
                    out.put(&word.to_le_bytes())?;
                }
            }
            Content::Keys => {
                out.put_all(nodes.map(|node| self.keys[self.order.old(node) as usize].to_le_bytes()))?;
            }
            Content::Links(level) => {
                let count = self.header.level_count[level];
                for node in 0..count {
                    // A row is missing only if a node of the view is missing on a level below its
                    // own.
                    let row = self.view.levels()[level].row(self.order.old(node)).unwrap_or(&[]);
                    let live = row.iter().map(|id| self.order.new_id(*id)).take_while(|id| *id < count);
                    let padded = live.chain(core::iter::repeat(TERMINATOR)).take(width(&self.header, level));
                    out.put_all(padded.map(u32::to_le_bytes))?;
                }
            }
            Content::Meta => {
                out.put(&(self.params.ef_construction as u32).to_le_bytes())?;
                out.put(&u32::from(self.params.keep_pruned).to_le_bytes())?;
                out.put(&self.params.seed.to_le_bytes())?;
                out.put_zeros(META_BYTES - 16)?;
            }
        }
        Ok(())
    }
}

impl Source<'_> {
    fn write_vector<E, F>(&self, vector: Elements<'_>, out: &mut Chunks<'_, F>) -> Result<(), E>
    where
        F: FnMut(&[u8]) -> Result<(), E>,
    {
        match vector {
            Elements::F32(vector) if self.header.element == Element::F16 => {
                out.put_all(vector.iter().map(|element| f16::from_f32(*element).to_le_bytes()))
            }
            Elements::F32(vector) => out.put_all(vector.iter().map(|element| element.to_le_bytes())),
            Elements::F16(vector) => out.put_all(vector.iter().map(|element| element.to_le_bytes())),
            Elements::I8(vector) => out.put_all(vector.iter().map(|element| element.to_le_bytes())),
            Elements::U8(vector) => out.put(vector),
            Elements::Bits(words) => out.put_all(words.iter().map(|word| word.to_le_bytes())),
        }
    }

    fn write_codes<E, F>(&self, codes: &Codes<'_>, content: Content, out: &mut Chunks<'_, F>) -> Result<(), E>
    where
        F: FnMut(&[u8]) -> Result<(), E>,
    {
        let nodes = (0..self.header.count as u32).map(|node| self.order.old(node));
        match content {
            Content::Codes => (0..codes.planes().len())
                .try_for_each(|plane| nodes.clone().try_for_each(|node| out.put(codes.row(node)[plane]))),
            Content::Terms => {
                out.put_all(nodes.flat_map(|node| codes.terms()[node as usize]).map(f32::to_le_bytes))
            }
            _ => out.put_all(codes.mean().iter().map(|element| element.to_le_bytes())),
        }
    }
}

/// Checks that f16 can hold every element.
fn check_range(view: &GraphView<'_>) -> Result<(), WriteError> {
    for node in 0..view.count() as NodeId {
        let vector = view.rows().row(node).as_f32().unwrap_or(&[]);
        let is_beyond = |element: &f32| element.is_finite() && f16::from_f32(*element).is_infinite();
        if let Some(position) = vector.iter().position(is_beyond) {
            return Err(WriteError::Range { node, position });
        }
    }
    Ok(())
}

/// Collects small pieces of bytes into chunks.
struct Chunks<'s, F> {
    sink: &'s mut F,
    chunk: [u8; CHUNK_BYTES],
    filled: usize,
}

impl<'s, E, F: FnMut(&[u8]) -> Result<(), E>> Chunks<'s, F> {
    fn new(sink: &'s mut F) -> Self {
        Self { sink, chunk: [0; CHUNK_BYTES], filled: 0 }
    }

    fn put(&mut self, mut bytes: &[u8]) -> Result<(), E> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.filled));
            self.chunk[self.filled..self.filled + now.len()].copy_from_slice(now);
            self.filled += now.len();
            if self.filled == CHUNK_BYTES {
                self.flush()?;
            }
            bytes = later;
        }
        Ok(())
    }

    /// Collects values into cache lines, since copying each value alone takes several times as
    /// long.
    fn put_all<const N: usize>(&mut self, mut values: impl Iterator<Item = [u8; N]>) -> Result<(), E> {
        let mut line = [[0; N]; 16];
        loop {
            let mut filled = 0;
            for (to, from) in line.iter_mut().zip(&mut values) {
                *to = from;
                filled += 1;
            }
            if filled == 0 {
                return Ok(());
            }
            self.put(line[..filled].as_flattened())?;
        }
    }

    fn put_zeros(&mut self, mut count: usize) -> Result<(), E> {
        while count > 0 {
            let now = count.min(ALIGNMENT);
            self.put(&[0; ALIGNMENT][..now])?;
            count -= now;
        }
        Ok(())
    }

    /// Pads with zeros. Chunks begin on aligned offsets, so the offset in the chunk is enough to
    /// know how far.
    fn align(&mut self) -> Result<(), E> {
        self.put_zeros(self.filled.wrapping_neg() % ALIGNMENT)
    }

    fn flush(&mut self) -> Result<(), E> {
        let filled = core::mem::take(&mut self.filled);
        (self.sink)(&self.chunk[..filled])
    }
}
