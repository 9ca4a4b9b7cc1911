use vex_format::{checksum_of_blocks, crc32c};

const HEADER: usize = 128;
const ENTRY: usize = 32;
const BLOCK: usize = 1 << 16;

/// Makes every checksum of a file fit its bytes again, and the trailer fit the header, as a forger
/// would. If there are too few bytes, or a section lies outside of them, those are left as they
/// are.
pub fn seal(bytes: &mut [u8]) {
    if bytes.len() < HEADER + 16 {
        return;
    }
    let sections =
        usize::from(u16::from_le_bytes([bytes[30], bytes[31]])).min((bytes.len() - HEADER) / ENTRY);
    for entry in (HEADER..).step_by(ENTRY).take(sections) {
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let (offset, length) = (number(entry + 8), number(entry + 16));
        let section = offset.checked_add(length).filter(|end| *end <= bytes.len() as u64);
        if let Some(end) = section {
            let blocks = bytes[offset as usize..end as usize].chunks(BLOCK).map(crc32c);
            let checksum = checksum_of_blocks(blocks);
            bytes[entry + 28..entry + 32].copy_from_slice(&checksum.to_le_bytes());
        }
    }
    seal_header(bytes);
}

/// Makes only the checksums of the header and the table fit.
pub fn seal_header(bytes: &mut [u8]) {
    let sections =
        usize::from(u16::from_le_bytes([bytes[30], bytes[31]])).min((bytes.len() - HEADER) / ENTRY);
    let table = crc32c(&bytes[HEADER..HEADER + sections * ENTRY]);
    bytes[120..124].copy_from_slice(&table.to_le_bytes());
    let header = crc32c(&bytes[..124]);
    bytes[124..128].copy_from_slice(&header.to_le_bytes());
    let trailer = bytes.len() - 16;
    bytes.copy_within(32..40, trailer);
    bytes.copy_within(124..128, trailer + 8);
    bytes[trailer + 12..].copy_from_slice(b"XEV\n");
}
