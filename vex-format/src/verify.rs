//! Verification: the full scan of a file.
//!
//! ```text
//! for each section:
//!     for each piece of 4 blocks, in any order and on any thread:
//!         for each block of 64 KiB:
//!             compute its checksum, and check the rows that begin in it
//!     combine the checksums in order, and compare them with the section table
//! check that the padding is zero
//! ```
//!
//! - **One pass.** A block's rows are checked right after its checksum, while the block is in the
//!   cache.
//! - **Order of faults.** A wrong checksum ends the scan at its section. A fault in the contents is
//!   kept, and is reported only if all checksums and the padding are right: a wrong checksum
//!   explains wrong contents. So the result does not depend on the number of threads.
//! - **No trust.** The contents may change in a mapped file, and checksums can be forged. Every
//!   read is checked, and every loop is bounded by the length of a section.

mod copies;
mod vectors;

use core::ops::Range;

#[cfg(feature = "alloc")]
use vex_graph::Executor;
use vex_graph::{Codes, CopyLinks, GraphView, NodeId, TERMINATOR, Terms};
use vex_kernels::prefetch;

use crate::checksum::{BLOCK_BYTES, Digest};
use crate::header::{HEADER_BYTES, TRAILER_BYTES};
use crate::section::ENTRY_BYTES;
use crate::{Image, Tag, VerifyError};

/// Blocks in a piece, the unit of work of a thread. Starting a piece costs little beside its
/// checks.
const PIECE_BLOCKS: usize = 4;

/// The bytes that are prefetched while the same number before them is summed. The processor alone
/// stops prefetching at the end of a page.
const STEP_BYTES: usize = 4 << 10;

/// The number of marks, one for each remainder of an id, which find a link that comes twice.
const MARKS: usize = 512;

/// The pieces that an executor gets at a time.
#[cfg(feature = "alloc")]
const PIECES: usize = 64;

pub(crate) fn verify(image: &Image<'_>) -> Result<(), VerifyError> {
    scan::<1>(image, |pieces| pieces.iter_mut().for_each(Piece::check))
}

#[cfg(feature = "alloc")]
pub(crate) fn verify_on(image: &Image<'_>, executor: &dyn Executor) -> Result<(), VerifyError> {
    scan::<PIECES>(image, |pieces| executor.run(pieces, Piece::check))
}

/// Checks every section, `N` pieces at a time.
fn scan<const N: usize>(image: &Image<'_>, run: impl Fn(&mut [Piece<'_>])) -> Result<(), VerifyError> {
    let graph = image.graph();
    let mut fault = None;
    for section in image.sections() {
        let bytes = image.section_bytes(&section);
        let mut checksums = Digest::new();
        for start in (0..bytes.len()).step_by(N * PIECE_BLOCKS * BLOCK_BYTES) {
            let mut pieces: [_; N] = core::array::from_fn(|piece| {
                Piece::new(&graph, section.tag, bytes, start + piece * PIECE_BLOCKS * BLOCK_BYTES)
            });
            let used = (bytes.len() - start).div_ceil(PIECE_BLOCKS * BLOCK_BYTES).min(N);
            let pieces = &mut pieces[..used];
            run(pieces);
            for piece in pieces {
                let blocks = &piece.checksums[..piece.bytes.len().div_ceil(BLOCK_BYTES)];
                blocks.iter().for_each(|block| checksums.update(&block.to_le_bytes()));
                fault = fault.or(piece.fault);
            }
        }
        let (expected, found) = (section.checksum, checksums.finish());
        if expected != found {
            let (section, offset) = (section.tag, section.offset);
            return Err(VerifyError::Checksum { section, offset, expected, found });
        }
    }
    padding(image)?;
    // These sections have no piece in an empty index.
    let lacks_copies = image.header().has_copies() && !copies::are_some(&graph);
    let fault = fault.or(lacks_copies.then_some(VerifyError::NoCopies));
    let lacks_tombstones = image.header().has_tombstones() && graph.tombstones().is_empty();
    let fault = fault.or(lacks_tombstones.then_some(VerifyError::NoTombstones));
    fault.map_or(Ok(()), Err)
}

/// Some blocks of a section, which can be checked without the others.
struct Piece<'a> {
    graph: &'a GraphView<'a>,
    section: Tag,
    /// The offset of the piece in the section.
    start: usize,
    bytes: &'a [u8],
    checksums: [u32; PIECE_BLOCKS],
    fault: Option<VerifyError>,
}

impl<'a> Piece<'a> {
    fn new(graph: &'a GraphView<'a>, section: Tag, bytes: &'a [u8], start: usize) -> Self {
        let bytes = bytes.get(start..).unwrap_or(&[]);
        let bytes = &bytes[..bytes.len().min(PIECE_BLOCKS * BLOCK_BYTES)];
        Self { graph, section, start, bytes, checksums: [0; PIECE_BLOCKS], fault: None }
    }

    /// Checks the blocks, each right after its checksum is computed.
    fn check(&mut self) {
        for (index, block) in self.bytes.chunks(BLOCK_BYTES).enumerate() {
            let offset = index * BLOCK_BYTES;
            self.checksums[index] = checksum(&self.bytes[offset..]);
            let start = self.start + offset;
            self.fault = self.fault.or_else(|| self.contents(start..start + block.len()).err());
        }
    }

    /// Checks the rows that begin in a block.
    fn contents(&self, block: Range<usize>) -> Result<(), VerifyError> {
        let graph = self.graph;
        // The rows that begin in this block.
        let rows_of = |row_bytes| block.start.div_ceil(row_bytes)..block.end.div_ceil(row_bytes);
        match (self.section, graph.codes()) {
            (Tag::VECTORS, _) if graph.rows().are_stored() => {
                let rows = graph.rows();
                vectors::check(rows, rows_of(rows.stride() * rows.element().scalar_bytes()))
            }
            (Tag::TERMS, Some(codes)) => {
                terms(codes, rows_of(size_of::<Terms>())).map_err(|node| VerifyError::Terms { node })
            }
            (Tag::MEAN, Some(codes)) => {
                mean(codes, rows_of(size_of::<f32>())).map_err(|position| VerifyError::Mean { position })
            }
            (Tag::COPIES, _) => copies::check(graph, rows_of(size_of::<CopyLinks>())),
            (Tag::TOMBSTONES, _) if block.start == 0 => tombstones(graph),
            (Tag([b'L', b'N', b'K', level @ b'0'..=b'7']), _) => {
                let level = usize::from(level - b'0');
                let width = graph.levels().get(level).map_or(1, |view| view.width);
                links(graph, level, rows_of(width * size_of::<u32>()))
            }
            _ => Ok(()),
        }
    }
}

/// The checksum of the first block of these bytes.
fn checksum(mut bytes: &[u8]) -> u32 {
    let mut digest = Digest::new();
    for _ in 0..BLOCK_BYTES / STEP_BYTES {
        let (step, rest) = bytes.split_at(bytes.len().min(STEP_BYTES));
        prefetch(rest, STEP_BYTES / 64);
        digest.update(step);
        bytes = rest;
    }
    digest.finish()
}

/// Checks the gaps before each section and before the trailer. The table is read again. It may have
/// changed in a mapped file, so its offsets are not trusted here, either.
fn padding(image: &Image<'_>) -> Result<(), VerifyError> {
    let bytes = image.bytes();
    let trailer = bytes.len().saturating_sub(TRAILER_BYTES);
    let mut end = HEADER_BYTES + image.header().sections * ENTRY_BYTES;
    for section in image.sections() {
        let start = usize::try_from(section.offset).unwrap_or(usize::MAX);
        zeros(bytes, end, start)?;
        end = start.saturating_add(image.section_bytes(&section).len());
    }
    zeros(bytes, end, trailer)
}

fn zeros(bytes: &[u8], start: usize, end: usize) -> Result<(), VerifyError> {
    let gap = bytes.get(start..end).unwrap_or(&[]);
    match gap.iter().position(|byte| *byte != 0) {
        Some(at) => Err(VerifyError::Padding { offset: (start + at) as u64, found: gap[at] }),
        None => Ok(()),
    }
}

fn links(graph: &GraphView<'_>, level: usize, nodes: Range<usize>) -> Result<(), VerifyError> {
    let Some(view) = graph.levels().get(level) else { return Ok(()) };
    let expected = view.count() as u32;
    // For each remainder, the last node whose row had an id with it. Only an id that meets a mark
    // of its own row is searched for in the row.
    let mut marks = [TERMINATOR; MARKS];
    for (node, row) in nodes.clone().zip(view.links.chunks_exact(view.width).skip(nodes.start)) {
        let node = node as NodeId;
        let degree = row.iter().position(|id| *id == TERMINATOR).unwrap_or(row.len());
        let (live, rest) = row.split_at(degree);
        for (index, &found) in live.iter().enumerate() {
            if found >= expected {
                return Err(VerifyError::Link { level, node, expected, found });
            }
            if found == node {
                return Err(VerifyError::SelfLink { level, node });
            }
            let mark = &mut marks[found as usize % MARKS];
            if *mark == node && live[..index].contains(&found) {
                return Err(VerifyError::DuplicateLink { level, node, found });
            }
            *mark = node;
        }
        if let Some(&found) = rest.iter().find(|id| **id != TERMINATOR) {
            return Err(VerifyError::LinkAfterEnd { level, node, found });
        }
    }
    Ok(())
}

/// Checks the correction terms of these nodes. The error is the first node with a term that is not
/// finite.
pub(crate) fn terms(codes: &Codes<'_>, nodes: Range<usize>) -> Result<(), NodeId> {
    let terms = nodes.clone().zip(codes.terms().iter().skip(nodes.start));
    match terms.into_iter().find(|(_, terms)| !terms.iter().all(|term| term.is_finite())) {
        Some((node, _)) => Err(node as NodeId),
        None => Ok(()),
    }
}

/// Checks these elements of the mean. The error is the first position with an element that is not
/// finite.
pub(crate) fn mean(codes: &Codes<'_>, positions: Range<usize>) -> Result<(), usize> {
    let elements = positions.clone().zip(codes.mean().iter().skip(positions.start));
    match elements.into_iter().find(|(_, element)| !element.is_finite()) {
        Some((position, _)) => Err(position),
        None => Ok(()),
    }
}

fn tombstones(graph: &GraphView<'_>) -> Result<(), VerifyError> {
    let expected = graph.count() as u32;
    match graph.tombstones().iter().find(|node| *node >= expected) {
        Some(found) => Err(VerifyError::Tombstone { expected, found }),
        None => Ok(()),
    }
}
