//! The full scan.

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

/// Blocks of a piece, which is what a thread is handed: that costs little beside checking so much.
const PIECE_BLOCKS: usize = 4;

/// What is fetched from memory while the same amount before it is summed. The processor by itself
/// stops fetching ahead at the end of a page.
const STEP_BYTES: usize = 4 << 10;

/// Remainders by which the ids of a row are told apart.
const MARKS: usize = 512;

/// Pieces that are made at a time for an executor.
#[cfg(feature = "alloc")]
const PIECES: usize = 64;

pub(crate) fn verify(image: &Image<'_>) -> Result<(), VerifyError> {
    scan::<1>(image, |pieces| pieces.iter_mut().for_each(Piece::check))
}

#[cfg(feature = "alloc")]
pub(crate) fn verify_on(image: &Image<'_>, executor: &dyn Executor) -> Result<(), VerifyError> {
    scan::<PIECES>(image, |pieces| executor.run(pieces, Piece::check))
}

/// Checks every section, `N` pieces at a time. A wrong checksum is told before wrong contents,
/// which it explains.
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
    // Of an empty index, these sections have no piece.
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
    /// Where in the section it begins.
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

    /// A block's contents are checked as soon as its checksum is computed: then it is in the cache.
    fn check(&mut self) {
        for (index, block) in self.bytes.chunks(BLOCK_BYTES).enumerate() {
            let offset = index * BLOCK_BYTES;
            self.checksums[index] = checksum(&self.bytes[offset..]);
            let start = self.start + offset;
            self.fault = self.fault.or_else(|| self.contents(start..start + block.len()).err());
        }
    }

    /// Checks what begins in a block.
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

/// The checksum of the block that some bytes begin with.
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

/// Checks the gaps before each section and before the trailer. The table is read again, and may
/// have changed in a mapped file: its offsets are not trusted here either.
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
    // The node whose row last had an id of this remainder. Only ids that meet a mark of their own row
    // are looked for in it.
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

/// Checks the terms of some nodes. The error is the first node with one that is not finite.
pub(crate) fn terms(codes: &Codes<'_>, nodes: Range<usize>) -> Result<(), NodeId> {
    let terms = nodes.clone().zip(codes.terms().iter().skip(nodes.start));
    match terms.into_iter().find(|(_, terms)| !terms.iter().all(|term| term.is_finite())) {
        Some((node, _)) => Err(node as NodeId),
        None => Ok(()),
    }
}

/// Checks some elements of the mean. The error is the first position of one that is not finite.
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
