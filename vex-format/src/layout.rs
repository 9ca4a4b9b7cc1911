//! The offsets of a file's parts, checked once.

use core::ops::Range;

use bytemuck::AnyBitPattern;
use vex_graph::{Codes, Element, Elements, GraphView, LevelView, MAX_LEVELS, NodeSet, Params, Rows};

use crate::checksum::section_checksum;
use crate::header::{ALIGNMENT, HEADER_BYTES, TRAILER_BYTES, array, in_range, trailer, u32_at, u64_at};
use crate::section::{Content, ENTRY_BYTES, META_BYTES, aligned, width};
use crate::{Field, Header, Image, OpenError, Section, crc32c};

/// The offsets of a file's parts. A layout borrows nothing, so it can be kept beside the bytes,
/// whoever owns them.
///
/// Its methods take the bytes again and check their length and alignment. They take constant time
/// and do not allocate. An [`Image`] keeps both the layout and the bytes.
///
/// ```
/// use vex_format::{AlignedBytes, Layout, OpenError};
/// use vex_graph::GraphView;
///
/// /// Owns its bytes, so it cannot keep an `Image` beside them.
/// struct Index {
///     bytes: AlignedBytes,
///     layout: Layout,
/// }
///
/// impl Index {
///     fn graph(&self) -> Result<GraphView<'_>, OpenError> {
///         self.layout.view(&self.bytes)
///     }
/// }
///
/// let file = include_bytes!(
///     concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/v1.0-cosine.vex")
/// );
/// let bytes = AlignedBytes::copy_of(file)?;
/// let index = Index { layout: Layout::open(&bytes)?, bytes };
/// assert_eq!(index.graph()?.count(), 20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    header: Header,
    params: Params,
    vectors: Span,
    codes: Span,
    terms: Span,
    mean: Span,
    tombstones: Span,
    keys: Span,
    links: [Span; MAX_LEVELS],
    copies: Span,
}

impl Layout {
    /// Checks everything except the contents of the sections.
    ///
    /// # Errors
    /// If the bytes are not an index of this version, are cut off, or do not begin on a multiple of
    /// 64.
    ///
    /// # Complexity
    /// Constant: under 2 KiB are read. No allocation.
    pub fn open(bytes: &[u8]) -> Result<Self, OpenError> {
        if cfg!(target_endian = "big") {
            return Err(OpenError::BigEndianHost);
        }
        let header = Header::decode(bytes)?;
        check_bytes(&header, bytes)?;
        // The trailer depends on the header, so a file that was not written to its end has a wrong
        // one.
        check_trailer(bytes)?;
        let table = table(&header, bytes)?;
        let (expected, found) = (header.table_checksum, crc32c(table));
        if expected != found {
            return Err(OpenError::TableChecksum { expected, found });
        }

        let mut layout = Self {
            header,
            params: Params::default(),
            vectors: Span::default(),
            codes: Span::default(),
            terms: Span::default(),
            mean: Span::default(),
            tombstones: Span::default(),
            keys: Span::default(),
            links: [Span::default(); MAX_LEVELS],
            copies: Span::default(),
        };
        // Known sections come in one order. Unknown sections may stand between them.
        let mut contents = Content::of(&header).peekable();
        let mut end = (HEADER_BYTES + table.len()) as u64;
        for (index, section) in sections(table).enumerate() {
            let entry = (HEADER_BYTES + index * ENTRY_BYTES) as u64;
            let content = contents.next_if(|content| content.tag() == section.tag);
            if content.is_none() {
                check_unknown(&section, entry, contents.peek())?;
            }
            let span = check_entry(&header, &section, content, entry, &mut end)?;
            match content {
                Some(Content::Vectors) => layout.vectors = span,
                Some(Content::Codes) => layout.codes = span,
                Some(Content::Terms) => layout.terms = span,
                Some(Content::Mean) => layout.mean = span,
                Some(Content::Tombstones) => layout.tombstones = span,
                Some(Content::Keys) => layout.keys = span,
                Some(Content::Links(level)) => layout.links[level] = span,
                Some(Content::Copies) => layout.copies = span,
                Some(Content::Meta) => {
                    layout.params = read_meta(&header, &section, span.of(bytes)?)?;
                }
                None => (),
            }
        }
        if let Some(content) = contents.next() {
            return Err(OpenError::MissingSection { expected: content.tag() });
        }
        // Only the trailer may follow the last section.
        let trailer = aligned(end).unwrap_or(u64::MAX);
        let expected = trailer.saturating_add(TRAILER_BYTES as u64);
        in_range(Field::FileLength, 32, header.file_length, expected..=expected)?;
        Ok(layout)
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The parameters that the graph was built with.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The range of the vectors in the file, in bytes. Empty if none are stored.
    pub fn vectors(&self) -> Range<usize> {
        self.vectors.start..self.vectors.end
    }

    /// The graph in these bytes.
    ///
    /// # Errors
    /// If the bytes are not those that were opened: another length or alignment.
    pub fn view<'a>(&self, bytes: &'a [u8]) -> Result<GraphView<'a>, OpenError> {
        self.split_view(bytes, bytes)
    }

    /// The graph in two copies of the file's bytes. The vectors are those in `vectors`, and
    /// everything else is in `bytes`. At the offsets of the vectors, `bytes` may hold anything.
    ///
    /// # Errors
    /// If either is not as the bytes that were opened: another length or alignment.
    pub fn split_view<'a>(&self, bytes: &'a [u8], vectors: &'a [u8]) -> Result<GraphView<'a>, OpenError> {
        check_bytes(&self.header, bytes)?;
        check_bytes(&self.header, vectors)?;
        let header = &self.header;
        let rows = if header.stores_vectors() {
            let elements = self.elements(vectors)?;
            Rows::new(header.metric, elements, header.dim, header.stride, header.count)?
        } else {
            Rows::absent(header.element, header.metric, header.dim, header.count)?
        };
        let codes = match header.quantization {
            Some(quantization) => {
                let (terms, mean) = (cast(bytes, self.terms)?, cast(bytes, self.mean)?);
                Some(Codes::new(quantization, self.codes.of(bytes)?, terms, mean)?)
            }
            None => None,
        };
        let mut levels = [LevelView::default(); MAX_LEVELS];
        let levels = &mut levels[..header.levels];
        for (level, view) in levels.iter_mut().enumerate() {
            *view = LevelView {
                links: cast(bytes, self.links[level])?,
                width: width(header, level),
                sorted: header.level_count[level] as usize,
                appended: &[],
            };
        }
        let tombstones = NodeSet::new(cast(bytes, self.tombstones)?);
        let graph = GraphView::new(rows, codes, header.m, header.entry, levels)?;
        Ok(graph.with_copies(cast(bytes, self.copies)?)?.with_tombstones(tombstones))
    }

    fn elements<'a>(&self, bytes: &'a [u8]) -> Result<Elements<'a>, OpenError> {
        Ok(match self.header.element {
            Element::F32 => Elements::F32(cast(bytes, self.vectors)?),
            Element::F16 => Elements::F16(cast(bytes, self.vectors)?),
            Element::I8 => Elements::I8(cast(bytes, self.vectors)?),
            Element::U8 => Elements::U8(cast(bytes, self.vectors)?),
            Element::Bits => Elements::Bits(cast(bytes, self.vectors)?),
        })
    }

    /// The keys in these bytes, one for each node.
    ///
    /// # Errors
    /// If the bytes are not those that were opened: another length or alignment.
    pub fn keys<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u64], OpenError> {
        check_bytes(&self.header, bytes)?;
        cast(bytes, self.keys)
    }

    /// The rows of the section table in these bytes, including those of unknown sections.
    ///
    /// # Errors
    /// If the bytes are not those that were opened: another length or alignment.
    pub fn sections<'a>(&self, bytes: &'a [u8]) -> Result<impl Iterator<Item = Section> + 'a, OpenError> {
        check_bytes(&self.header, bytes)?;
        Ok(sections(table(&self.header, bytes)?))
    }

    /// This layout together with its bytes.
    ///
    /// # Errors
    /// If the bytes are not those that were opened: another length or alignment.
    pub fn image<'a>(&self, bytes: &'a [u8]) -> Result<Image<'a>, OpenError> {
        Image::new(*self, bytes)
    }
}

/// The place of a section.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: usize,
    end: usize,
}

impl Span {
    fn of(self, bytes: &[u8]) -> Result<&[u8], OpenError> {
        let (expected, found) = (self.end as u64, bytes.len() as u64);
        bytes.get(self.start..self.end).ok_or(OpenError::TooShort { expected, found })
    }
}

/// Checks the length and the alignment, without reading.
fn check_bytes(header: &Header, bytes: &[u8]) -> Result<(), OpenError> {
    let (expected, found) = (header.file_length, bytes.len() as u64);
    if expected != found {
        return Err(OpenError::Length { expected, found });
    }
    match bytes.as_ptr().addr() % ALIGNMENT {
        0 => Ok(()),
        found => Err(OpenError::Misaligned { expected: ALIGNMENT, found }),
    }
}

fn check_trailer(bytes: &[u8]) -> Result<(), OpenError> {
    let offset = bytes.len().saturating_sub(TRAILER_BYTES);
    let (expected, found) = (trailer(bytes), array(bytes, offset));
    if expected != found {
        return Err(OpenError::Trailer { offset: offset as u64, expected, found });
    }
    Ok(())
}

/// The bytes of the section table.
fn table<'a>(header: &Header, bytes: &'a [u8]) -> Result<&'a [u8], OpenError> {
    let end = HEADER_BYTES + header.sections * ENTRY_BYTES;
    bytes
        .get(HEADER_BYTES..end)
        .ok_or(OpenError::TooShort { expected: end as u64, found: bytes.len() as u64 })
}

fn sections(table: &[u8]) -> impl Iterator<Item = Section> + '_ {
    let (entries, _) = table.as_chunks::<ENTRY_BYTES>();
    entries.iter().map(Section::decode)
}

/// Checks that an unknown section can be skipped, where `next` is the next known section.
fn check_unknown(section: &Section, entry: u64, next: Option<&Content>) -> Result<(), OpenError> {
    if section.tag.is_known() {
        let expected = next.map(|content| content.tag());
        return Err(OpenError::SectionOrder { offset: entry, expected, found: section.tag });
    }
    if !section.is_skippable() {
        return Err(OpenError::UnknownSection { offset: entry, found: section.tag });
    }
    Ok(())
}

/// Checks a row of the table, and moves `end` to the end of its section. The `content` of an
/// unknown section is `None`.
fn check_entry(
    header: &Header,
    section: &Section,
    content: Option<Content>,
    entry: u64,
    end: &mut u64,
) -> Result<Span, OpenError> {
    let too_large = OpenError::TooLarge { offset: entry };
    let offset = aligned(*end).ok_or(too_large)?;
    in_range(Field::SectionOffset, entry + 8, section.offset, offset..=offset)?;
    // After a section comes at least the trailer, so no later addition can overflow either.
    let most = header.file_length.saturating_sub(TRAILER_BYTES as u64).saturating_sub(offset);
    in_range(Field::SectionLength, entry + 16, section.length, 0..=most)?;
    match content {
        Some(content) => {
            let (flags, length, element) = (
                u64::from(section.flags),
                content.length(header).ok_or(too_large)?,
                u64::from(content.element_size(header)),
            );
            let expected = u64::from(content.flags());
            in_range(Field::SectionFlags, entry + 4, flags, expected..=expected)?;
            in_range(Field::SectionLength, entry + 16, section.length, length..=length)?;
            in_range(Field::SectionElementSize, entry + 24, section.element_size.into(), element..=element)?;
        }
        None => {
            in_range(Field::SectionFlags, entry + 4, section.flags.into(), 0..=Section::MAX_FLAGS)?;
        }
    }
    *end = offset.checked_add(section.length).ok_or(too_large)?;
    match (usize::try_from(offset), usize::try_from(*end)) {
        (Ok(start), Ok(end)) => Ok(Span { start, end }),
        _ => Err(too_large),
    }
}

/// Reads the build parameters. Opening uses them, so it checks their checksum, too.
fn read_meta(header: &Header, section: &Section, bytes: &[u8]) -> Result<Params, OpenError> {
    let (expected, found) = (section.checksum, section_checksum(bytes));
    if expected != found {
        return Err(OpenError::MetaChecksum { expected, found });
    }
    let at = section.offset;
    let ef_construction = u64::from(u32_at(bytes, 0));
    let flags = u64::from(u32_at(bytes, 4));
    in_range(Field::EfConstruction, at, ef_construction, 1..=u64::from(u32::MAX))?;
    in_range(Field::BuildFlags, at + 4, flags, 0..=1)?;
    for offset in (16..META_BYTES).step_by(8) {
        in_range(Field::Reserved, at + offset as u64, u64_at(bytes, offset), 0..=0)?;
    }
    let ef_construction = usize::try_from(ef_construction).map_err(|_| OpenError::TooLarge { offset: at })?;
    Ok(Params::new()
        .m(header.m)
        .ef_construction(ef_construction)
        .seed(u64_at(bytes, 8))
        .keep_pruned(flags & 1 != 0)
        .element(header.element)
        .quantization(header.quantization))
}

/// The scalars in a span of the bytes.
fn cast<T: AnyBitPattern>(bytes: &[u8], span: Span) -> Result<&[T], OpenError> {
    let bytes = span.of(bytes)?;
    bytemuck::try_cast_slice(bytes).map_err(|_| {
        let expected = align_of::<T>();
        OpenError::Misaligned { expected, found: bytes.as_ptr().addr() % expected }
    })
}
