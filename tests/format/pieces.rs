//! Verification in pieces, with any number of workers: some sections are longer than one piece, and
//! some rows lie across two.

use support::{Graph, seal, write};
use vex_format::{Image, Tag, VerifyError};
use vex_graph::{Executor, Metric, Serial};

/// Rows have 1040 elements, or 4160 bytes. Neither a block nor a piece is a multiple of that.
const DIM: usize = 1030;
const STRIDE: usize = 1040;
/// More vectors than one round of pieces has.
const COUNT: usize = 4_600;
const M: usize = 40;

/// One thread for each task.
struct Threads;

impl Executor for Threads {
    fn workers(&self) -> usize {
        64
    }

    fn join(&self, left: &mut (dyn FnMut() + Send), right: &mut (dyn FnMut() + Send)) {
        std::thread::scope(|scope| {
            scope.spawn(left);
            right();
        });
    }
}

fn verify(bytes: &[u8]) -> Result<(), VerifyError> {
    let image = Image::open(bytes).unwrap();
    let found = image.verify();
    assert_eq!(image.verify_on(&Serial), found);
    found
}

#[test]
fn faults_are_found_wherever_they_are_and_by_any_number_of_workers() {
    let graph = Graph::ring(Metric::SquaredEuclidean, DIM, M, &[0; COUNT], COUNT, 1);
    let mut bytes = write(&graph.view(), &graph.keys());
    let whole = bytes.to_vec();
    let image = Image::open(&bytes).unwrap();
    assert_eq!(image.verify_on(&Threads), Ok(()));
    let start = |tag| image.sections().find(|section| section.tag == tag).unwrap().offset as usize;
    let (vectors, links) = (start(Tag::VECTORS), start(Tag::links(0)));
    assert!(links - vectors > 18 << 20);
    assert_eq!(verify(&bytes), Ok(()));

    // The first and the last row, the rows around each 30th border between pieces, and those around
    // the border of the first round.
    let row_bytes = 4 * STRIDE;
    let borders = (1..).map(|piece| (piece << 18) / row_bytes).take_while(|row| *row + 1 < COUNT);
    let near: Vec<_> = borders.step_by(30).chain([(16 << 20) / row_bytes]).collect();
    let nodes = [0, COUNT - 1].into_iter().chain(near.iter().flat_map(|row| [row - 1, *row, row + 1]));
    let mut faults = 0;
    for node in nodes {
        for position in [0, DIM - 1] {
            let at = vectors + node * row_bytes + 4 * position;
            bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
            assert!(matches!(verify(&bytes), Err(VerifyError::Checksum { section: Tag::VECTORS, .. })));
            seal(&mut bytes);
            assert_eq!(verify(&bytes), Err(VerifyError::NotFinite { node: node as u32, position }));
            bytes.copy_from_slice(&whole);
            faults += 1;
        }
        let at = links + node * 8 * M + 4;
        bytes[at..at + 4].copy_from_slice(&(node as u32).to_le_bytes());
        seal(&mut bytes);
        assert_eq!(verify(&bytes), Err(VerifyError::SelfLink { level: 0, node: node as u32 }));
        bytes.copy_from_slice(&whole);
        faults += 1;
    }
    assert!(faults > 30, "{faults}");
    // Of two faults the first is reported, whichever thread finds it.
    for node in [COUNT - 1, 100] {
        bytes[vectors + node * row_bytes..][..4].copy_from_slice(&f32::NAN.to_le_bytes());
    }
    seal(&mut bytes);
    let image = Image::open(&bytes).unwrap();
    let first = Err(VerifyError::NotFinite { node: 100, position: 0 });
    assert_eq!((image.verify(), image.verify_on(&Threads)), (first, first));
}
