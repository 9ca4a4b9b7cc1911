//! Verifying a file of more than a gigabyte that is in memory, beside merely reading the same
//! bytes.
//!
//! The two are interleaved, so that a noisy machine slows both. The ratio is the result.
#![allow(missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use vex::format::{AlignedBytes, Meta, Writer};
use vex::graph::{GraphView, LevelView, Rows};
use vex::{MappedIndex, Metric, Params};

const COUNT: usize = 340_000;
const DIM: usize = 768;
const M: usize = 16;
const TURNS: usize = 7;

fn main() {
    vex_benches::print_machine();
    println!("| metric | threads | read GB/s | verify GB/s | ratio |\n|---|---:|---:|---:|---:|");
    for metric in [Metric::SquaredEuclidean, Metric::Cosine] {
        let file = file(metric);
        let bytes: &[u8] = &file;
        let index = MappedIndex::in_place(bytes).expect("a valid file");
        for threads in [1, 2] {
            let (mut reads, mut verifies) = ([0.0; TURNS], [0.0; TURNS]);
            for turn in 0..TURNS {
                reads[turn] = rate(bytes, || read(bytes, threads));
                verifies[turn] = rate(bytes, || index.verify_on(Some(threads)).expect("a valid file"));
            }
            let (read, verify) = (median(reads), median(verifies));
            println!("| {metric} | {threads} | {read:.1} | {verify:.1} | {:.2} |", verify / read);
        }
    }
}

fn rate(bytes: &[u8], work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    bytes.len() as f64 / started.elapsed().as_secs_f64() / 1e9
}

fn median(mut rates: [f64; TURNS]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[TURNS / 2]
}

/// Adds up the words of each thread's share.
fn read(bytes: &[u8], threads: usize) {
    std::thread::scope(|scope| {
        for share in bytes.chunks(bytes.len().div_ceil(threads).next_multiple_of(64)) {
            scope.spawn(move || {
                let mut sums = [0_u64; 16];
                for words in share.as_chunks::<8>().0.chunks(16) {
                    for (sum, word) in sums.iter_mut().zip(words) {
                        *sum = sum.wrapping_add(u64::from_le_bytes(*word));
                    }
                }
                black_box(sums);
            });
        }
    });
}

/// A file of vectors of unit length and full rows of links to any nodes.
fn file(metric: Metric) -> AlignedBytes {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 32) as u32
    };
    let mut elements: Vec<f32> = (0..COUNT * DIM).map(|_| next() as f32 / 2e9 - 1.0).collect();
    for row in elements.chunks_mut(DIM) {
        let norm = row.iter().map(|element| element * element).sum::<f32>().sqrt();
        row.iter_mut().for_each(|element| *element /= norm);
    }
    let mut links = vec![0; COUNT * 2 * M];
    for (node, row) in links.chunks_mut(2 * M).enumerate() {
        let first = next() as usize % (COUNT - 1);
        let step = 1 + next() as usize % 1_000;
        for (place, link) in row.iter_mut().enumerate() {
            *link = ((first + place * step) % (COUNT - 1)) as u32;
            *link += u32::from(*link as usize >= node);
        }
    }
    let keys: Vec<u64> = (0..COUNT as u64).collect();
    let rows = Rows::new(metric, &elements, DIM, DIM, COUNT).expect("rows");
    let base = LevelView { links: &links, width: 2 * M, sorted: COUNT, appended: &[] };
    let view = GraphView::new(rows, None, M, 0, &[base]).expect("a graph");
    let meta = Meta::new(Params::new().m(M));
    let writer = Writer::new(&view, &keys, &meta).expect("a file");
    let mut bytes = AlignedBytes::zeroed(writer.file_length() as usize).expect("memory");
    let mut end = 0;
    let Ok(()) = writer.write_to(&mut |chunk: &[u8]| {
        bytes[end..end + chunk.len()].copy_from_slice(chunk);
        end += chunk.len();
        Ok::<(), std::convert::Infallible>(())
    });
    bytes
}
