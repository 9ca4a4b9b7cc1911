//! Brings a store to what its journal says.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;

use redb::{BackendError, StorageBackend};
use vex::format::crc32c;

use super::{RECORD_HEAD, STORE_HEAD};

/// The store is written in blocks of so many bytes.
const BLOCK: u64 = 4_096;

/// For each block of a store, the parts that are to be written, later ones over earlier ones. A
/// part has its place in the block.
type Blocks<'j> = BTreeMap<u64, Vec<(u64, &'j [u8])>>;

/// Writes the journal over the store. The journal has to stay until the store is on the medium.
/// Returns the generation of the journal, if there is one.
///
/// Readers in other processes may go on meanwhile: of each block, only the last contents are
/// written, which they see already, unless the machine was without power.
pub(super) fn recover(store: &dyn StorageBackend, file: &dyn StorageBackend) -> io::Result<Option<u64>> {
    let len = usize::try_from(file.len()?).map_err(|_| damaged("it is too long"))?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    bytes.resize(len, 0);
    file.read(0, &mut bytes)?;
    let Some(generation) = first_generation(&bytes) else { return Ok(None) };
    let mut blocks = Blocks::new();
    let end = store.len()?;
    records(&bytes, generation).try_for_each(|entries| read(entries, end, &mut blocks))?;
    let head = blocks.remove(&0);
    for (block, parts) in blocks {
        write(store, block, &parts)?;
    }
    if let Some(parts) = head {
        // Readers in other processes read the head under this lock, where the system has such
        // locks.
        let range = (Bound::Included(0), Bound::Excluded(STORE_HEAD as u64));
        let is_locked = match store.lock_range(range.0, range.1) {
            Ok(()) => true,
            Err(BackendError::Unsupported) => false,
            Err(error) => return Err(io::Error::other(error)),
        };
        let written = write(store, 0, &parts);
        if is_locked {
            store.unlock_range(range.0, range.1).map_err(io::Error::other)?;
        }
        written?;
    }
    Ok(Some(generation))
}

/// Writes a block at once, so that nobody sees an earlier part without a later one.
fn write(store: &dyn StorageBackend, block: u64, parts: &[(u64, &[u8])]) -> io::Result<()> {
    let from = parts.iter().map(|(at, _)| *at).min().unwrap_or(0);
    let to = parts.iter().map(|(at, bytes)| at + bytes.len() as u64).max().unwrap_or(0);
    let mut whole = vec![0; to.saturating_sub(from) as usize];
    store.read(block * BLOCK + from, &mut whole)?;
    for (at, bytes) in parts {
        let start = (at - from) as usize;
        whole[start..start + bytes.len()].copy_from_slice(bytes);
    }
    store.write(block * BLOCK + from, &whole)
}

/// The generation of the first record, if that is whole.
fn first_generation(bytes: &[u8]) -> Option<u64> {
    let generation = u64::from_le_bytes(bytes.get(8..16)?.try_into().ok()?);
    records(bytes, generation).next().map(|_| generation)
}

/// The entries of each record of a generation, up to the first record that is not whole.
fn records(mut bytes: &[u8], generation: u64) -> impl Iterator<Item = &[u8]> {
    (0_u32..).map_while(move |number| {
        let (head, rest) = bytes.split_first_chunk::<RECORD_HEAD>()?;
        let field = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (entries, next) = rest.split_at_checked(usize::try_from(field(16)).ok()?)?;
        let is_next = field(4) == number && head[8..16] == generation.to_le_bytes();
        if !is_next || crc32c(&bytes[4..bytes.len() - next.len()]) != field(0) {
            return None;
        }
        bytes = next;
        Some(entries)
    })
}

/// Reads the entries of a record. The store has `end` bytes.
fn read<'j>(mut entries: &'j [u8], end: u64, blocks: &mut Blocks<'j>) -> io::Result<()> {
    let cut = || damaged("an entry is cut short");
    while !entries.is_empty() {
        let (offset, rest) = entries.split_first_chunk().ok_or_else(cut)?;
        let (len, rest) = rest.split_first_chunk().ok_or_else(cut)?;
        let (offset, len) = (u64::from_le_bytes(*offset), u32::from_le_bytes(*len));
        let (bytes, rest) = rest.split_at_checked(len as usize).ok_or_else(cut)?;
        entries = rest;
        // The store gets its length on the medium before anything is written there.
        if offset.checked_add(u64::from(len)).is_none_or(|behind| behind > end) {
            return Err(damaged("an entry is behind the end of the store"));
        }
        add(offset, bytes, blocks);
    }
    Ok(())
}

/// Adds bytes that are to be written to the store.
fn add<'j>(mut offset: u64, mut bytes: &'j [u8], blocks: &mut Blocks<'j>) {
    while !bytes.is_empty() {
        let (block, at) = (offset / BLOCK, offset % BLOCK);
        let (part, rest) = bytes.split_at(bytes.len().min((BLOCK - at) as usize));
        let parts = blocks.entry(block).or_default();
        let end = at + part.len() as u64;
        // Earlier parts that this one covers need not be written.
        parts.retain(|(earlier, bytes)| *earlier < at || earlier + bytes.len() as u64 > end);
        parts.push((at, part));
        (offset, bytes) = (offset + part.len() as u64, rest);
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the journal of the store is damaged: {what}"))
}
