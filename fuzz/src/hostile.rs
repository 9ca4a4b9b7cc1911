//! Views with lengths that agree and contents that are hostile, of every width, element, metric and
//! kind of code.
//!
//! A few bytes of a script choose the view. Its contents are copied from tables of noise or
//! borrowed from them, so that a view is made in microseconds.

use std::borrow::Cow;
use std::sync::LazyLock;

use support::{Random, Vector};
use vex_graph::{
    Codes, Element, GraphView, LevelView, MAX_DIM, MAX_LEVELS, Metric, NodeId, NodeSet, Quantization, Rows,
    TERMINATOR, Terms, f16,
};

use crate::Script;

/// Values of `m` around the groups in which a search reads links, and the ends of the range. The
/// base level has rows of twice the width.
pub const EDGES_OF_M: [usize; 20] =
    [4, 5, 8, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 95, 96, 97, 128, 256, 511, 512];

/// Dimensions around the units of kernels, codes and padding.
const EDGES_OF_DIM: [usize; 20] =
    [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 255, 256, 257, 768, 1025];

/// The most bytes of a view, except for borrowed links.
const BYTES: usize = 1 << 18;

/// The most nodes.
const NODES: usize = 4000;

/// Values that a file may hold, and that no index would write.
const SPECIAL: [f32; 12] = [
    f32::NAN,
    -f32::NAN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::MAX,
    f32::MIN,
    1e19,
    -1e30,
    1e-30,
    f32::from_bits(1),
    0.0,
    -0.0,
];

/// Random numbers, of which every view copies parts.
struct Noise {
    words: Vec<u64>,
    floats: Vec<f32>,
    halves: Vec<f16>,
    /// Ids below each of [`NOISY_COUNTS`], with some that are not ids: rows for graphs with about
    /// as many nodes.
    links: [Vec<u32>; NOISY_COUNTS.len()],
}

const NOISY_COUNTS: [usize; 4] = [70, 300, 1100, 2500];

/// The number of links that can be borrowed: those of the largest view, and room for their start.
const NOISY_LINKS: usize = (1 << 20) + (1 << 16);

static NOISE: LazyLock<Noise> = LazyLock::new(|| {
    let mut random = Random(1);
    let floats: Vec<f32> = (0..1 << 17).map(|_| random.element()).collect();
    let links = NOISY_COUNTS.map(|count| {
        let mut id = || match random.below(2000) {
            0 => TERMINATOR,
            1 => count as u32,
            _ => random.below(count) as u32,
        };
        (0..NOISY_LINKS).map(|_| id()).collect()
    });
    Noise {
        words: (0..1 << 16).map(|_| random.next_u64()).collect(),
        halves: floats.iter().map(|element| f16::from_f32(*element)).collect(),
        floats,
        links,
    }
});

/// `len` items from a random place in a table.
fn part<'t, T>(table: &'t [T], len: usize, random: &mut Random) -> &'t [T] {
    let start = random.below(table.len() - len + 1);
    &table[start..start + len]
}

/// The owner of a view.
pub struct Hostile {
    metric: Metric,
    element: Element,
    m: usize,
    dim: usize,
    stride: usize,
    count: usize,
    entry: NodeId,
    /// None if they are not stored.
    vectors: Option<Vector>,
    codes: Option<Coded>,
    levels: Vec<Level>,
    deleted: Vec<u64>,
}

struct Coded {
    quantization: Quantization,
    rows: Vec<u8>,
    terms: Vec<Terms>,
    mean: Vec<f32>,
}

struct Level {
    links: Cow<'static, [u32]>,
    sorted: usize,
    appended: Vec<NodeId>,
}

impl Hostile {
    /// The view that the next bytes of the script choose.
    pub fn new(script: &mut Script<'_>) -> Self {
        let m = match script.byte() {
            // All values from 4 to 512, evenly.
            byte @ 200.. => 4 + (usize::from(byte) * 256 + usize::from(script.byte())) % 509,
            byte => EDGES_OF_M[usize::from(byte) % EDGES_OF_M.len()],
        };
        let dim = match script.byte() {
            byte @ ..160 => 1 + usize::from(byte) % 20,
            byte @ ..252 => EDGES_OF_DIM[usize::from(byte) % EDGES_OF_DIM.len()],
            ..254 => 4096,
            254 => MAX_DIM,
            255 => 1 + script.word() % MAX_DIM,
        };
        let element = Element::ALL[script.below(5)];
        let metric = element.metrics()[script.below(element.metrics().len())];
        let (coding, style) = (script.byte(), script.byte());
        let quantization =
            element.can_be_coded().then(|| [None, Some(0), Some(1), Some(2)][usize::from(coding) % 4]);
        let quantization = quantization.flatten().map(|kind| Quantization::ALL[kind]);
        let are_stored = quantization.is_none() || coding < 192;
        let stride = match style % 4 {
            0 => element.row_stride(dim),
            1 => element.scalars(dim) + 3,
            _ => element.scalars(dim),
        };

        // As many nodes as there is room for, or fewer. The room is drawn on a logarithmic scale,
        // from 256 bytes on.
        let room = BYTES >> (10 - script.below(11));
        let is_wide = script.byte() >= 248;
        let vector = if are_stored { stride * element.scalar_bytes() } else { 0 };
        let code = quantization.map_or(0, |kind| kind.row_bytes(dim) + size_of::<Terms>());
        let links = if is_wide { 0 } else { 8 * m };
        let most = (room / (vector + code + links + 8)).clamp(1, NODES);
        let most = if is_wide { most.min((1 << 20) / (2 * m)) } else { most };
        let count = match script.byte() {
            byte @ ..16 => usize::from(byte),
            byte @ ..128 => most * usize::from(byte) / 128,
            _ => most,
        };
        let count = count.min(most);

        let mut random = Random(script.word() as u64);
        let vectors = are_stored.then(|| vectors(element, count * stride, style / 16, stride, &mut random));
        let codes = quantization.map(|kind| Coded::new(kind, dim, count, style / 64, &mut random));
        let levels = levels(script, m, count, is_wide, &mut random);
        let deleted = deleted(script, count, &mut random);
        let mut hostile = Self {
            metric,
            element,
            m,
            dim,
            stride,
            count,
            entry: TERMINATOR,
            vectors,
            codes,
            levels,
            deleted,
        };
        hostile.enter(&mut random);
        hostile
    }

    /// Chooses any entry point that a view accepts.
    fn enter(&mut self, random: &mut Random) {
        if self.count == 0 {
            return;
        }
        let Level { sorted, appended, .. } = &self.levels[self.levels.len() - 1];
        let mut tried = vec![random.below(self.count) as NodeId];
        tried.extend((*sorted > 0).then(|| random.below((*sorted).max(1)) as NodeId));
        tried.extend(appended.iter().copied().take(3));
        for entry in tried {
            self.entry = entry;
            if self.try_view().is_some() {
                return;
            }
        }
        self.levels.truncate(1);
        self.entry = random.below(self.count) as NodeId;
    }

    fn try_view(&self) -> Option<GraphView<'_>> {
        let rows = match &self.vectors {
            Some(vectors) => Rows::new(self.metric, vectors.elements(), self.dim, self.stride, self.count),
            None => Rows::absent(self.element, self.metric, self.dim, self.count),
        };
        let codes = self.codes.as_ref().map(|Coded { quantization, rows, terms, mean }| {
            Codes::new(*quantization, rows, terms, mean).expect("its lengths agree")
        });
        let mut levels = [LevelView::default(); MAX_LEVELS];
        for (index, (view, level)) in levels.iter_mut().zip(&self.levels).enumerate() {
            let width = if index == 0 { 2 * self.m } else { self.m };
            *view = LevelView { links: &level.links, width, sorted: level.sorted, appended: &level.appended };
        }
        let rows = rows.expect("its lengths agree");
        GraphView::new(rows, codes, self.m, self.entry, &levels[..self.levels.len()]).ok()
    }

    /// The view.
    pub fn view(&self) -> GraphView<'_> {
        let view = self.try_view().expect("its lengths agree");
        if self.deleted.is_empty() { view } else { view.with_tombstones(NodeSet::new(&self.deleted)) }
    }
}

/// Rows of vectors: noise, or copies of a few, or all the same, with special values among them or
/// without.
fn vectors(element: Element, len: usize, style: u8, stride: usize, random: &mut Random) -> Vector {
    let noise = &*NOISE;
    let specials = [0, 0, 0, 3, len / 32][usize::from(style) % 5].min(len);
    // The number of different rows.
    let rows = [usize::MAX, usize::MAX, 1, 5][usize::from(style) % 4];
    let distinct = len.min(stride.saturating_mul(rows));
    fn repeated<T: Copy>(noise: &[T], distinct: usize, len: usize, random: &mut Random) -> Vec<T> {
        let mut all = Vec::with_capacity(len);
        all.extend_from_slice(part(noise, distinct, random));
        while all.len() < len {
            all.extend_from_within(..distinct.min(len - all.len()));
        }
        all
    }
    let bytes: &[u8] = bytemuck::cast_slice(&noise.words);
    match element {
        Element::F32 => {
            let mut all = repeated(&noise.floats, distinct, len, random);
            (0..specials).for_each(|_| all[random.below(len)] = SPECIAL[random.below(SPECIAL.len())]);
            Vector::F32(all)
        }
        Element::F16 => {
            let mut all = repeated(&noise.halves, distinct, len, random);
            (0..specials).for_each(|_| all[random.below(len)] = f16::from_bits(random.next_u64() as u16));
            Vector::F16(all)
        }
        Element::I8 => Vector::I8(repeated(bytemuck::cast_slice(bytes), distinct, len, random)),
        Element::U8 => Vector::U8(repeated(bytes, distinct, len, random)),
        // Bits beyond the last element are noise, too.
        Element::Bits => Vector::Bits(repeated(&noise.words, distinct, len, random)),
    }
}

impl Coded {
    fn new(quantization: Quantization, dim: usize, count: usize, style: u8, random: &mut Random) -> Self {
        let noise = &*NOISE;
        let bytes: &[u8] = bytemuck::cast_slice(&noise.words);
        let mut rows = Vec::new();
        let len = count * quantization.row_bytes(dim);
        while rows.len() < len {
            rows.extend_from_slice(part(bytes, (len - rows.len()).min(bytes.len()), random));
        }
        let mut terms: Vec<Terms> = bytemuck::cast_slice(part(&noise.floats, 2 * count, random)).to_vec();
        let mut mean = part(&noise.floats, dim, random).to_vec();
        let special = |random: &mut Random| SPECIAL[random.below(SPECIAL.len())];
        if style % 2 == 1 {
            for _ in 0..count.min(1 + count / 16) {
                let term = &mut terms[random.below(count)];
                term[random.below(2)] = special(random);
            }
        }
        if style == 3 {
            let at = random.below(dim);
            mean[at] = special(random);
        }
        Self { quantization, rows, terms, mean }
    }
}

/// Levels whose lengths agree. `is_wide` borrows their links, since wide rows would take long to
/// make.
fn levels(script: &mut Script<'_>, m: usize, count: usize, is_wide: bool, random: &mut Random) -> Vec<Level> {
    let byte = script.byte();
    let levels =
        if byte % 16 == 0 { 1 + usize::from(byte / 16) % MAX_LEVELS } else { 1 + usize::from(byte) % 3 };
    let mut style = script.byte();
    let mut nodes = count;
    let mut all = Vec::new();
    for index in 0..levels {
        let sorted = if index == 0 { count } else { random.below(nodes + 1) };
        let mut appended: Vec<NodeId> = (sorted..nodes).map(|_| any_id(random, count)).collect();
        if style % 2 == 0 {
            appended.sort_unstable();
        }
        let len = nodes * if index == 0 { 2 * m } else { m };
        let links = match is_wide {
            true => Cow::Borrowed(part(noisy_links(count), len, random)),
            false => Cow::Owned(links(style, len, count, random)),
        };
        all.push(Level { links, sorted, appended });
        let most = nodes.div_ceil(1 + random.below(16));
        nodes = nodes.min(1 + random.below(most.max(1)));
        style = style.rotate_left(3);
    }
    all
}

/// The table whose ids are mostly those of nodes.
fn noisy_links(count: usize) -> &'static [u32] {
    let table = NOISY_COUNTS.iter().rposition(|noisy| *noisy <= count).unwrap_or(0);
    &NOISE.links[table]
}

fn links(style: u8, len: usize, count: usize, random: &mut Random) -> Vec<u32> {
    let noise: &[u32] = bytemuck::cast_slice(&NOISE.words);
    // The high half of a product is a random number below the other factor.
    let below = |most: usize| move |draw: &u32| ((u64::from(*draw) * most as u64) >> 32) as u32;
    let noise = part(noise, len.min(noise.len()), random);
    let mut links: Vec<u32> = match style / 8 % 8 {
        // For a while every link leads to a new node.
        0 => (0..len).map(|position| (position + 1) as u32 % count.max(1) as u32).collect(),
        // The same few links again and again.
        1 => noise.iter().map(below(count.min(3))).collect(),
        // Any numbers.
        2 => noise.iter().map(|draw| draw >> (draw % 32)).collect(),
        // A tenth are not ids.
        3 => noise.iter().map(below(count + count / 10 + 1)).collect(),
        _ => noise.iter().map(below(count)).collect(),
    };
    links.resize(len, TERMINATOR);
    let hostile = [0, 2, len / 512, len / 16][usize::from(style / 2) % 4].min(len);
    for _ in 0..hostile {
        links[random.below(len)] = any_id(random, count);
    }
    links
}

/// Mostly an id of a node, and otherwise a number that is not an id.
fn any_id(random: &mut Random, count: usize) -> NodeId {
    match random.below(16) {
        0 => TERMINATOR,
        1 => random.next_u64() as u32,
        2 => count as u32,
        3 => TERMINATOR - 1,
        _ => random.below(count.max(1)) as u32,
    }
}

/// Any words: none, too few, or more than there are nodes. Few nodes are deleted, half of them, or
/// all.
fn deleted(script: &mut Script<'_>, count: usize, random: &mut Random) -> Vec<u64> {
    let byte = script.byte();
    if byte < 128 {
        return Vec::new();
    }
    let words = NodeSet::words_for(count);
    let len = [words, words, words / 2, words + 2][usize::from(byte) % 4];
    let word = |random: &mut Random| match byte / 4 % 4 {
        0 => random.next_u64() & random.next_u64() & random.next_u64(),
        1 => random.next_u64(),
        2 => random.next_u64() | random.next_u64() | random.next_u64(),
        _ => [0, u64::MAX][random.below(2)],
    };
    (0..len).map(|_| word(random)).collect()
}

/// A query for a view. Most queries are good. Others have values that are refused, or whose
/// distances overflow.
pub fn query(view: &GraphView<'_>, script: &mut Script<'_>, random: &mut Random) -> Vector {
    let (element, dim) = (view.element(), view.dim());
    let style = script.byte();
    let element = if element == Element::F16 && style % 4 > 0 { Element::F32 } else { element };
    let noise = &*NOISE;
    let bytes: &[u8] = bytemuck::cast_slice(&noise.words);
    // A wrong length is rare.
    let len = element.scalars(dim) + usize::from(style == 255);
    match element {
        Element::F32 => {
            let mut vector = part(&noise.floats, len, random).to_vec();
            if style / 16 % 8 == 7 {
                vector[random.below(len)] = SPECIAL[random.below(SPECIAL.len())];
            }
            if style / 16 == 14 {
                vector.fill(SPECIAL[random.below(SPECIAL.len())]);
            }
            Vector::F32(vector)
        }
        Element::F16 => Vector::F16(part(&noise.halves, len, random).to_vec()),
        Element::I8 => Vector::I8(bytemuck::cast_slice(part(bytes, len, random)).to_vec()),
        Element::U8 => Vector::U8(part(bytes, len, random).to_vec()),
        Element::Bits => {
            let mut words = part(&noise.words, len, random).to_vec();
            if let (Some(last), used @ 1..) = (words.last_mut(), dim % 64)
                && style > 0
            {
                *last &= (1 << used) - 1;
            }
            Vector::Bits(words)
        }
    }
}
