//! The full scan.

use vex_graph::{Codes, GraphView, Metric, NodeId, Rows, TERMINATOR};

use crate::checksum::section_checksum;
use crate::header::{HEADER_BYTES, TRAILER_BYTES};
use crate::section::ENTRY_BYTES;
use crate::{Image, VerifyError};

/// How far the length of a vector may be from 1 under cosine.
const UNIT_TOLERANCE: f64 = 1e-3;

pub(crate) fn verify(image: &Image<'_>) -> Result<(), VerifyError> {
    checksums(image)?;
    padding(image)?;
    let graph = image.graph();
    for level in 0..graph.levels().len() {
        links(&graph, level)?;
    }
    if graph.rows().are_stored() {
        vectors(graph.rows())?;
    }
    graph.codes().map_or(Ok(()), codes)?;
    tombstones(&graph)
}

fn checksums(image: &Image<'_>) -> Result<(), VerifyError> {
    for section in image.sections() {
        let (expected, found) = (section.checksum, section_checksum(image.section_bytes(&section)));
        if expected != found {
            return Err(VerifyError::Checksum {
                section: section.tag,
                offset: section.offset,
                expected,
                found,
            });
        }
    }
    Ok(())
}

/// Checks the gaps before each section and before the trailer. The table is read again, and may have changed in a mapped
/// file: its offsets are not trusted here either.
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

fn links(graph: &GraphView<'_>, level: usize) -> Result<(), VerifyError> {
    let view = &graph.levels()[level];
    let expected = view.count() as u32;
    for (node, row) in view.links.chunks_exact(view.width).enumerate() {
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
            // Rows are short, and a set would need memory.
            if live[..index].contains(&found) {
                return Err(VerifyError::DuplicateLink { level, node, found });
            }
        }
        if let Some(&found) = rest.iter().find(|id| **id != TERMINATOR) {
            return Err(VerifyError::LinkAfterEnd { level, node, found });
        }
    }
    Ok(())
}

fn codes(codes: &Codes<'_>) -> Result<(), VerifyError> {
    let terms = codes.terms().iter().position(|terms| !terms.iter().all(|term| term.is_finite()));
    if let Some(node) = terms {
        return Err(VerifyError::Terms { node: node as NodeId });
    }
    match codes.mean().iter().position(|element| !element.is_finite()) {
        Some(position) => Err(VerifyError::Mean { position }),
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

fn vectors(rows: &Rows<'_>) -> Result<(), VerifyError> {
    let (min, max) = (1.0 - UNIT_TOLERANCE, 1.0 + UNIT_TOLERANCE);
    for (node, row) in rows.elements().chunks_exact(rows.stride()).enumerate() {
        let node = node as NodeId;
        let (vector, padding) = row.split_at(rows.dim());
        if let Some(position) = vector.iter().position(|element| !element.is_finite()) {
            return Err(VerifyError::NotFinite { node, position });
        }
        // By bits, since −0 is zero but not the one encoding of it.
        if let Some(position) = padding.iter().position(|element| element.to_bits() != 0) {
            return Err(VerifyError::VectorPadding { node, position: rows.dim() + position });
        }
        if rows.metric() == Metric::Cosine {
            let found = vector.iter().map(|element| f64::from(*element) * f64::from(*element)).sum();
            if !(min * min..=max * max).contains(&found) {
                return Err(VerifyError::NotUnitLength { node, found });
            }
        }
    }
    Ok(())
}
